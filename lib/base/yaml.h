/* yaml.h - strict YAML in
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A document becomes a tree of maps, lists and scalars, each with its line.
 * The reader of a map takes the keys it knows; yaml_end() then refuses any key
 * that nobody took, with its line.  So an unknown key can never be silently
 * ignored.
 *
 *	YAML_SCOPED struct yaml *doc = yaml_load(path, e);
 *	name = yaml_str(doc, "name", YAML_NEEDED, e);
 *	size = yaml_u64(doc, "memory", 64, 1 << 20, 512, e);
 *	if (yaml_end(doc, e) < 0) return -1;
 *
 * Reading is sticky like the cursor: the first wrong value is remembered in
 * *e, and yaml_end() returns -1 then too.  No anchors, aliases or tags.  Limits:
 * 64 MiB, depth 32, 4 million nodes.
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml {
	enum yaml_kind kind;
	unsigned line;		/* from 1 */
	const char *file;	/* name for messages, owned by the document */
	char *text;		/* scalar: owned; plain or quoted alike */
	size_t len;		/* scalar: bytes of text (it may hold NUL) */
	bool plain;		/* scalar: written without quotes */
	size_t count;		/* list or map: elements */
	struct yaml *at;	/* list: elements; map: values */
	struct yaml *keys;	/* map: scalars, same order */
	bool *taken;		/* map: was this key asked for? */
};

#define YAML_SCOPED SCOPED(yaml_free)

/* Read a file, or text that `name` names in messages.  Released by yaml_free. */
MUST_CHECK struct yaml *yaml_load(const char *path, struct err *e);
MUST_CHECK struct yaml *yaml_parse(const char *name, const void *text,
				   size_t len, struct err *e);
void yaml_free(struct yaml *const *doc);

#define YAML_NEEDED NULL	/* as a string's default: the key must be there */

/* The value of a key, or NULL when it is absent; marks it as taken. */
struct yaml *yaml_get(struct yaml *map, const char *key);

/* Values with a default; the string belongs to the document. */
const char *yaml_str(struct yaml *map, const char *key, const char *otherwise,
		     struct err *e);
uint64_t yaml_u64(struct yaml *map, const char *key, uint64_t min, uint64_t max,
		  uint64_t otherwise, struct err *e);
bool yaml_bool(struct yaml *map, const char *key, bool otherwise, struct err *e);

/* The index of the value in a NULL-ended table of words. */
size_t yaml_word(struct yaml *map, const char *key, const char *const *words,
		 size_t otherwise, struct err *e);

/* A child that must be a list or a map; NULL when absent (or wrong, in *e). */
struct yaml *yaml_list(struct yaml *map, const char *key, struct err *e);
struct yaml *yaml_map(struct yaml *map, const char *key, struct err *e);

/* "FILE:LINE: ..." as ERR_USAGE.  Returns -1. */
COLD PRINTF(3, 4) int yaml_err(const struct yaml *at, struct err *e,
			       const char *fmt, ...);

/* Refuse keys that nobody took, and earlier wrong values. */
MUST_CHECK int yaml_end(struct yaml *map, struct err *e);

/*
 * Writing: text that yaml_parse() reads back as the same scalar.  Plain where
 * that is unambiguous, else double-quoted with escapes.
 */
struct buf;
void yaml_put_scalar(struct buf *out, const char *text);
void yaml_put_scalarn(struct buf *out, const void *text, size_t len);

#endif /* BASE_YAML_H */
