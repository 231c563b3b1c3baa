/* cmd_session.c - what the commands with a DISK share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "hal-neutral/binding.h"
#include "hal-neutral/cmd.h"
#include "hal-neutral/firstboot.h"
#include "hal-neutral/rule.h"

void
session_done(struct session *s)
{
	hn_image_done(&s->image);
	hn_fetch_done(&s->fetch);
	cs_target_free(&s->target);
	dk_free(&s->disk);
	*s = (struct session)SESSION_EMPTY;
}

int
session_open(const struct cli_args *a, const char *disk, unsigned flags,
	     struct session *ret, struct err *e)
{
	SESSION_SCOPED struct session s = SESSION_EMPTY;

	s.disk = dk_open(disk, a->format, a->state, flags, e);
	if (s.disk == NULL)
		return -1;
	s.target = cs_target_new(s.disk, flags != 0, e);
	if (s.target == NULL)
		return err_ctx(e, "%s", disk);
	if (hn_image_open(s.target, a->root, &s.image, e) < 0 ||
	    hn_image_safe(&s.image, e) < 0)
		return err_ctx(e, "%s", disk);
	s.fetch.serial = s.image.serial;
	*ret = TAKE(s);
	cs_target_fetch(ret->target, hn_fetch, &ret->fetch);
	return 0;
}

int
load_platforms(const struct cli_list *names, struct hn_platforms *ret,
	       struct err *e)
{
	HN_PLATFORMS_SCOPED struct hn_platforms all = HN_PLATFORMS_EMPTY;

	for (size_t i = 0; i < names->count; i++) {
		HN_PLATFORM_SCOPED struct hn_platform p = HN_PLATFORM_EMPTY;

		if (hn_platform_load(names->at[i], &p, e) < 0 ||
		    hn_platforms_add(&all, &p, e) < 0)
			return -1;
	}
	if (all.count == 0)
		return err_set(e, ERR_USAGE, "no platform; name one with "
			       "--platform (hal-neutral platforms lists them)");
	*ret = TAKE(all);
	return 0;
}

void
asked_done(struct asked *a)
{
	hn_platforms_done(&a->platforms);
}

/* One command file as a step, which is called as the file is; text and name
 * are the caller's to free. */
static int
read_step(const char *path, struct hn_step *ret, struct err *e)
{
	const char *leaf = strrchr(path, '/');
	SCOPED_FREE uint8_t *text = NULL;
	SCOPED_FREE char *name = NULL;
	size_t len;

	leaf = leaf == NULL ? path : leaf + 1;
	name = mem_strn(leaf, strcspn(leaf, "."), e);
	if (name == NULL || io_slurp(path, HN_STEP_BYTES, &text, &len, e) < 0)
		return -1;
	*ret = (struct hn_step){ .name = TAKE(name), .text = TAKE(text),
				 .len = len };
	return 0;
}

static int
want_steps(struct hn_job *j, const struct cli_list *files, struct err *e)
{
	struct cs_reason why = { "first-boot", "asked for on the command line" };
	SCOPED_FREE struct hn_step *steps =
		mem_array(files->count, sizeof(*steps), e);
	int r = steps == NULL ? -1 : 0;

	for (size_t i = 0; i < files->count && r == 0; i++)
		r = read_step(files->at[i], &steps[i], e);
	if (r == 0)
		r = hn_want_first_boot(j->plan, j->im, steps, files->count,
				       why, e);
	for (size_t i = 0; i < files->count && steps != NULL; i++) {
		free((char *)(uintptr_t)steps[i].name);
		free((char *)(uintptr_t)steps[i].text);
	}
	return r;
}

struct cs_plan *
make_plan(struct session *s, const struct asked *asked, struct buf *notes,
	  struct err *e)
{
	HN_PACKAGES_SCOPED struct hn_packages packages = HN_PACKAGES_EMPTY;
	CS_PLAN_SCOPED struct cs_plan *p = cs_plan_new("hal-neutral plan", e);
	struct hn_job j = { .im = &s->image, .platforms = &asked->platforms,
			    .plan = p, .fetch = &s->fetch, .notes = notes,
			    .drivers = &packages };

	if (p == NULL)
		return NULL;
	if (asked->drivers->count > 0 && hn_has_database(&s->image)) {
		(void)err_set(e, ERR_UNSUPPORTED, "%s: --drivers puts drivers "
			      "into XP to 7 only, this is %s", s->disk->name,
			      wn_generation_name(s->image.in->generation));
		return NULL;
	}
	for (size_t i = 0; i < asked->drivers->count; i++)
		if (hn_packages_add(&packages, asked->drivers->at[i], e) < 0)
			return NULL;
	j.volume = cs_plan_volume(p, s->image.serial);
	j.sys = (struct cs_hive){ j.volume, s->image.system_path };
	if (hn_wish(&j, e) < 0 || buf_ok(notes, e) < 0 ||
	    want_steps(&j, asked->first_boot, e) < 0 ||
	    cs_settle(p, s->target, e) < 0) {
		(void)err_ctx(e, "%s", s->disk->name);
		return NULL;
	}
	return TAKE(p);
}

/* Has this line come before? */
static bool
said(const char *notes, const char *line, size_t len)
{
	const char *at = notes;

	while (at < line) {
		size_t n = strcspn(at, "\n");

		if (n == len && memcmp(at, line, len) == 0)
			return true;
		at += n + 1;
	}
	return false;
}

void
warn_notes(const struct buf *notes)
{
	const char *all = (const char *)notes->at, *at = all;

	while (at != NULL && *at != '\0') {
		size_t len = strcspn(at, "\n");

		if (!said(all, at, len))
			log_warn("%.*s", (int)len, at);
		at += len + 1;
	}
}
