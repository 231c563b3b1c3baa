/* build_hal.c - steps of a recipe that are change sets of hal-neutral; see build.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "imgtool/build.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "change/apply.h"
#include "disk/disk.h"
#include "hal-neutral/neutral.h"
#include "imgtool/recipe.h"

/* An installation to be changed by a plan. */
struct changing {
	struct cs_target *target;
	struct hn_image image;
	struct hn_fetch fetch;
};

static void
changing_done(struct changing *c)
{
	hn_image_done(&c->image);
	hn_fetch_done(&c->fetch);
	cs_target_free(&c->target);
}

/* In place: the target keeps a pointer to the fetch. */
static int
changing_open(struct changing *c, struct dk *d, const char *root, struct err *e)
{
	c->target = cs_target_new(d, true, e);
	if (c->target == NULL ||
	    hn_image_open(c->target, root, &c->image, e) < 0 ||
	    hn_image_safe(&c->image, e) < 0)
		return -1;
	c->fetch.serial = c->image.serial;
	cs_target_fetch(c->target, hn_fetch, &c->fetch);
	return 0;
}

/* Each line of the notes as a warning; two control sets have one to say twice. */
static void
warn_notes(const struct buf *notes)
{
	const char *at = (const char *)notes->at, *last = "";
	size_t last_len = 0;

	while (at != NULL && *at != '\0') {
		size_t len = strcspn(at, "\n");

		if (len != last_len || memcmp(at, last, len) != 0)
			log_warn("%.*s", (int)len, at);
		last = at;
		last_len = len;
		at += len + (at[len] == '\n');
	}
}

int
build_platforms(struct dk *d, const struct recipe_step *s, const char *root,
		struct err *e)
{
	SCOPED(changing_done) struct changing c = { .target = NULL };
	HN_PLATFORMS_SCOPED struct hn_platforms all = HN_PLATFORMS_EMPTY;
	HN_PACKAGES_SCOPED struct hn_packages packages = HN_PACKAGES_EMPTY;
	CS_PLAN_SCOPED struct cs_plan *p = NULL;
	BUF_SCOPED struct buf notes = BUF_EMPTY;
	const struct hn_wanted w = { .platforms = &all, .drivers = &packages };
	struct cs_done done;

	for (size_t i = 0; i < s->actions; i++) {
		const struct recipe_action *x = &s->action[i];
		HN_PLATFORM_SCOPED struct hn_platform one = HN_PLATFORM_EMPTY;

		if (x->verb == RECIPE_DRIVERS ?
		    hn_packages_add(&packages, x->from, e) < 0 :
		    hn_platform_load(x->from, &one, e) < 0 ||
		    hn_platforms_add(&all, &one, e) < 0)
			return recipe_blame(x, e);
	}
	if (changing_open(&c, d, root, e) < 0)
		return -1;
	p = hn_plan(&c.image, &w, &c.fetch, "imgtool build", &notes, e);
	if (p == NULL || cs_apply(p, c.target, &done, e) < 0)
		return -1;
	warn_notes(&notes);
	return 0;
}

/* The command files of a step; a command is called as its file is. */
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
read_commands(const struct recipe_step *s, struct commands *c, struct err *e)
{
	c->step = mem_array(s->actions, sizeof(*c->step), e);
	c->name = mem_array(s->actions, sizeof(*c->name), e);
	c->text = mem_array(s->actions, sizeof(*c->text), e);
	if (c->step == NULL || c->name == NULL || c->text == NULL)
		return -1;
	for (size_t i = 0; i < s->actions; i++) {
		const char *from = s->action[i].from;
		const char *slash = strrchr(from, '/');
		const char *leaf = slash == NULL ? from : slash + 1;
		struct hn_step *one = &c->step[c->count++];

		c->name[i] = mem_strn(leaf, strcspn(leaf, "."), e);
		if (c->name[i] == NULL ||
		    io_slurp(from, HN_STEP_BYTES, &c->text[i], &one->len, e) < 0)
			return recipe_blame(&s->action[i], e);
		one->name = c->name[i];
		one->text = c->text[i];
	}
	return 0;
}

int
build_first_boot(struct dk *d, const struct recipe_step *s, const char *root,
		 struct err *e)
{
	const struct cs_reason why = { "first-boot", "the recipe asks for it" };
	SCOPED(changing_done) struct changing c = { .target = NULL };
	SCOPED(commands_done) struct commands commands = { .count = 0 };
	CS_PLAN_SCOPED struct cs_plan *p = NULL;
	struct cs_done done;

	if (read_commands(s, &commands, e) < 0 ||
	    changing_open(&c, d, root, e) < 0)
		return -1;
	p = cs_plan_new("imgtool build", e);
	if (p == NULL ||
	    hn_want_first_boot(p, &c.image, commands.step, commands.count, why,
			       e) < 0 ||
	    cs_settle(p, c.target, e) < 0)
		return -1;
	return cs_apply(p, c.target, &done, e);
}
