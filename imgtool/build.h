/* build.h - a recipe becomes a version
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each step works on the version that the step before made, and is stored as a
 * version of its own: all but the last in the line NAME.steps, the last as the
 * next version of NAME.  A step whose key (recipe.h) some version notes is not
 * done again.  What a version notes about itself:
 *
 *	step		key of the step that made it
 *	base		of the final one: what the recipe began with
 *	recipe		SHA-256 of the recipe's file
 *	platform.NAME	"YES", or "NO" and the first link that is missing
 */
#ifndef IMGTOOL_BUILD_H
#define IMGTOOL_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"
#include "store/repo.h"

struct cli_args;
struct dk;
struct err;
struct recipe;
struct recipe_step;

/* What is proven of one platform. */
struct build_platform {
	char *name;
	char *why;		/* NULL: it boots */
};

struct build_platforms {
	struct build_platform *at;	/* owned */
	size_t count, cap;
};

#define BUILD_PLATFORMS_EMPTY { .at = NULL }
#define BUILD_PLATFORMS_SCOPED SCOPED(build_platforms_done)
void build_platforms_done(struct build_platforms *p);

/* What became of a recipe. */
struct built {
	struct st_ref ref;	/* number 0: --check */
	char *base;		/* "win7:3", or a path; owned */
	size_t reused;		/* steps, from the first on */
	bool changed;		/* there was anything to do */
	struct build_platforms platforms;
};

#define BUILT_EMPTY { .base = NULL }
#define BUILT_SCOPED SCOPED(built_done)
void built_done(struct built *b);

/* With `check`, nothing is stored. */
MUST_CHECK int build_run(const struct cli_args *a, struct recipe *r, bool check,
			 struct built *ret, struct err *e);

/* ---- for its own files ---------------------------------------------------- */

/* Do a step on a disk that can be written; `root` as --root says. */
MUST_CHECK int build_step(struct dk *d, const struct recipe_step *s,
			  const char *root, struct err *e);

/* Those of its kinds that hal-neutral does. */
MUST_CHECK int build_platforms(struct dk *d, const struct recipe_step *s,
			       const char *root, struct err *e);
MUST_CHECK int build_first_boot(struct dk *d, const struct recipe_step *s,
				const char *root, struct err *e);

/* Ask of every platform that the recipe names whether the disk boots there. */
MUST_CHECK int build_prove(struct dk *d, const struct recipe *r,
			   const char *root, struct build_platforms *ret,
			   struct err *e);

#endif /* IMGTOOL_BUILD_H */
