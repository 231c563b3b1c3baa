/* build_prove.c - on which platforms of its recipe an image boots; see build.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "imgtool/build.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "change/apply.h"
#include "disk/disk.h"
#include "hal-neutral/chain.h"
#include "imgtool/recipe.h"

void
build_platforms_done(struct build_platforms *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->at[i].name);
		free(p->at[i].why);
	}
	free(p->at);
	*p = (struct build_platforms)BUILD_PLATFORMS_EMPTY;
}

static bool
has(const struct build_platforms *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->at[i].name, name) == 0)
			return true;
	return false;
}

static int
prove_one(struct hn_image *im, const char *platform,
	  struct build_platforms *all, struct err *e)
{
	HN_PLATFORM_SCOPED struct hn_platform p = HN_PLATFORM_EMPTY;
	HN_VERDICT_SCOPED struct hn_verdict v = HN_VERDICT_EMPTY;
	struct build_platform *x;
	const struct hn_link *l;

	if (hn_platform_load(platform, &p, e) < 0)
		return -1;
	if (has(all, p.name))
		return 0;
	if (hn_prove(im, &p, &v, e) < 0 ||
	    mem_grow(&all->at, &all->cap, all->count + 1, sizeof(*all->at),
		     e) < 0)
		return -1;
	x = &all->at[all->count++];
	x->name = mem_str(p.name, e);
	l = hn_first_missing(&v);
	x->why = l == NULL ? NULL : mem_fmt(e, "%s %s: %s", l->kind, l->what,
					    l->why);
	return x->name == NULL || (l != NULL && x->why == NULL) ? -1 : 0;
}

int
build_prove(struct dk *d, const struct recipe *r, const char *root,
	    struct build_platforms *ret, struct err *e)
{
	BUILD_PLATFORMS_SCOPED struct build_platforms all =
		BUILD_PLATFORMS_EMPTY;
	CS_TARGET_SCOPED struct cs_target *t = NULL;
	HN_IMAGE_SCOPED struct hn_image im = HN_IMAGE_EMPTY;

	for (size_t i = 0; i < r->steps; i++)
		for (size_t k = 0; k < r->step[i].actions; k++) {
			const struct recipe_action *x = &r->step[i].action[k];

			if (x->verb != RECIPE_PLATFORM)
				continue;
			if (t == NULL &&
			    ((t = cs_target_new(d, false, e)) == NULL ||
			     hn_image_open(t, root, &im, e) < 0))
				return -1;
			if (prove_one(&im, x->from, &all, e) < 0)
				return recipe_blame(x, e);
		}
	*ret = TAKE(all);
	return 0;
}
