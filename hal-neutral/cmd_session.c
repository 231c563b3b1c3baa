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
#include "hal-neutral/cmd.h"
#include "hal-neutral/neutral.h"
#include "source/source.h"
#include "source/source.h"

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

	s.disk = src_open(a, disk, flags, e);
	if (s.disk == NULL)
		return -1;
	s.target = cs_target_new(s.disk, flags != 0, e);
	if (s.target == NULL)
		return err_ctx(e, "%s", disk);
	if (hn_disk_safe(cs_target_guest(s.target), e) < 0 ||
	    hn_image_open(s.target, a->root, &s.image, e) < 0 ||
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

/* The command files of --first-boot: a step is called as its file is. */
struct commands {
	struct hn_step *step;
	char **name;
	uint8_t **text;
	size_t count;
};

static void
commands_done(struct commands *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->name[i]);
		free(c->text[i]);
	}
	free(c->step);
	free(c->name);
	free(c->text);
}

static int
read_commands(const struct cli_list *files, struct commands *c, struct err *e)
{
	c->step = mem_array(files->count, sizeof(*c->step), e);
	c->name = mem_array(files->count, sizeof(*c->name), e);
	c->text = mem_array(files->count, sizeof(*c->text), e);
	if (c->step == NULL || c->name == NULL || c->text == NULL)
		return -1;
	for (size_t i = 0; i < files->count; i++) {
		const char *leaf = strrchr(files->at[i], '/');
		struct hn_step *s = &c->step[c->count++];

		leaf = leaf == NULL ? files->at[i] : leaf + 1;
		c->name[i] = mem_strn(leaf, strcspn(leaf, "."), e);
		if (c->name[i] == NULL ||
		    io_slurp(files->at[i], HN_STEP_BYTES, &c->text[i],
			     &s->len, e) < 0)
			return -1;
		s->name = c->name[i];
		s->text = c->text[i];
	}
	return 0;
}

struct cs_plan *
make_plan(const struct cli_args *a, struct session *s,
	  const struct asked *asked, struct buf *notes, struct err *e)
{
	HN_PACKAGES_SCOPED struct hn_packages packages = HN_PACKAGES_EMPTY;
	SCOPED(commands_done) struct commands c = { .count = 0 };
	struct hn_wanted w = { .platforms = &asked->platforms,
			       .drivers = &packages };
	struct cs_plan *p;

	if (hn_choice_safe(cs_target_guest(s->target), a->root, e) < 0) {
		(void)err_ctx(e, "%s", s->disk->name);
		return NULL;
	}
	for (size_t i = 0; i < asked->drivers->count; i++)
		if (hn_packages_add(&packages, asked->drivers->at[i], e) < 0)
			return NULL;
	if (read_commands(asked->first_boot, &c, e) < 0)
		return NULL;
	if (asked->hal != NULL && strcmp(asked->hal, "menu") != 0 &&
	    strcmp(asked->hal, "replace") != 0) {
		(void)err_set(e, ERR_USAGE, "--hal: is menu or replace");
		return NULL;
	}
	if (asked->hal != NULL)
		w.hal = asked->hal[0] == 'm' ? HN_HAL_MENU : HN_HAL_REPLACE;
	w.steps = c.step;
	w.step_count = c.count;
	p = hn_plan(&s->image, &w, &s->fetch, "hal-neutral plan", notes, e);
	if (p == NULL)
		(void)err_ctx(e, "%s", s->disk->name);
	return p;
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
