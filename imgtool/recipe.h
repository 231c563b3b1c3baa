/* recipe.h - how an image is built: halcyon-recipe(5) as it is read
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A recipe names a base and a list of steps.  Every error is ERR_USAGE and names
 * the recipe's line.
 */
#ifndef IMGTOOL_RECIPE_H
#define IMGTOOL_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/hash.h"
#include "base/scope.h"
#include "crypt/hash.h"

struct cli_list;
struct err;
struct yml;

enum recipe_kind {
	RECIPE_FILES, RECIPE_REGISTRY, RECIPE_PLATFORMS, RECIPE_FIRST_BOOT,
	RECIPE_KINDS
};

enum recipe_verb {
	RECIPE_PUT,		/* .from to .to */
	RECIPE_MKDIR,		/* .to */
	RECIPE_DELETE,		/* .to */
	RECIPE_IMPORT,		/* .from, a .reg file */
	RECIPE_SET,		/* .to, .value, .type, .data */
	RECIPE_UNSET,		/* .to, and .value unless that is NULL */
	RECIPE_PLATFORM,	/* .from: a name or a file */
	RECIPE_DRIVERS,		/* .from, a folder */
	RECIPE_COMMAND,		/* .from, a command file */
};

struct recipe_action {
	enum recipe_verb verb;
	const struct yml *at;	/* for messages */
	char *from;		/* path here; owned */
	bool ships;		/* RECIPE_PLATFORM: .from is a name */
	const char *to;		/* path or key in the image */
	const char *value, *type;
	char **data;		/* words; the array is owned */
	size_t words;
};

struct recipe_step {
	enum recipe_kind kind;
	const char *name;
	struct recipe_action *action;	/* owned; at least one */
	size_t actions, cap;
	uint8_t key[CX_HASH_BYTES];	/* recipe_keys() */
};

struct recipe {
	struct yml *doc;
	const char *name;	/* of the image */
	char *base;		/* NAME[:VER|:TAG] or a disk's path; owned */
	bool base_is_version;
	char *folder;		/* where paths begin; "" or with a slash */
	struct recipe_step *step;	/* owned; at least one */
	size_t steps, cap;
	uint8_t hash[HASH_BYTES];	/* of the file, SHA-256 */
};

#define RECIPE_EMPTY { .doc = NULL }
#define RECIPE_SCOPED SCOPED(recipe_done)
void recipe_done(struct recipe *r);

/* "files", "registry", "platforms", "first-boot" */
const char *recipe_kind_name(enum recipe_kind kind);

/* Put the recipe's file and the action's line before a message.  Returns -1. */
int recipe_blame(const struct recipe_action *x, struct err *e);

/* Read one; `sets` are VARIABLE=VALUE, as --set has them. */
MUST_CHECK int recipe_load(const char *path, const struct cli_list *sets,
			   struct recipe *ret, struct err *e);

/*
 * Fill in each step's key: a hash of everything that its result depends on.
 * That is the key before it (of the first, `base`), this program's version, what
 * the step says, the contents of the files and platforms it names, and which
 * Windows it is for (`root`, may be NULL).
 */
MUST_CHECK int recipe_keys(struct recipe *r, const uint8_t base[CX_HASH_BYTES],
			   const char *root, struct err *e);

#endif /* IMGTOOL_RECIPE_H */
