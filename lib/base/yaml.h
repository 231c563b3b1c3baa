/* yaml.h - strict YAML in
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A document becomes a tree of maps, lists and scalars, each with its line.
 * The reader of a map takes the keys it knows; yml_end() then refuses any key
 * that nobody took, with its line.  So an unknown key can never be silently
 * ignored.
 *
 *	YML_SCOPED struct yml *doc = yml_load(path, e);
 *	name = yml_str(doc, "name", YML_NEEDED, e);
 *	size = yml_u64(doc, "memory", 64, 1 << 20, 512, e);
 *	if (yml_end(doc, e) < 0) return -1;
 *
 * Reading is sticky like the cursor: the first wrong value is remembered in
 * *e, and yml_end() returns -1 then too.  No anchors, aliases or tags.  Limits:
 * 64 MiB, depth 32, 4 million nodes, 4,096 keys in a map.
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

enum yml_kind { YML_SCALAR, YML_LIST, YML_MAP };

struct yml {
	enum yml_kind kind;
	unsigned line;		/* from 1 */
	const char *file;	/* name for messages, owned by the document */
	char *text;		/* scalar: owned; plain or quoted alike */
	size_t len;		/* scalar: bytes of text (it may hold NUL) */
	bool plain;		/* scalar: written without quotes */
	size_t count;		/* list or map: elements */
	struct yml *at;	/* list: elements; map: values */
	struct yml *keys;	/* map: scalars, same order */
	bool *taken;		/* map: was this key asked for? */
};

#define YML_SCOPED SCOPED(yml_free)

/* Read a file, or text that `name` names in messages.  Released by yml_free. */
MUST_CHECK struct yml *yml_load(const char *path, struct err *e);
MUST_CHECK struct yml *yml_parse(const char *name, const void *text,
				   size_t len, struct err *e);
void yml_free(struct yml *const *doc);

#define YML_NEEDED NULL	/* as a string's default: the key must be there */

/* The value of a key, or NULL when it is absent; marks it as taken. */
struct yml *yml_get(struct yml *map, const char *key);

/* Values with a default; the string belongs to the document. */
const char *yml_str(struct yml *map, const char *key, const char *otherwise,
		     struct err *e);
uint64_t yml_u64(struct yml *map, const char *key, uint64_t min, uint64_t max,
		  uint64_t otherwise, struct err *e);
bool yml_bool(struct yml *map, const char *key, bool otherwise, struct err *e);

/* The index of the value in a NULL-ended table of words. */
size_t yml_word(struct yml *map, const char *key, const char *const *words,
		 size_t otherwise, struct err *e);

/* A child that must be a list or a map; NULL when absent (or wrong, in *e). */
struct yml *yml_list(struct yml *map, const char *key, struct err *e);
struct yml *yml_map(struct yml *map, const char *key, struct err *e);

/* "FILE:LINE: ..." as ERR_USAGE.  Returns -1. */
COLD PRINTF(3, 4) int yml_err(const struct yml *at, struct err *e,
			       const char *fmt, ...);

/* Refuse keys that nobody took, and earlier wrong values. */
MUST_CHECK int yml_end(struct yml *map, struct err *e);

/*
 * Writing: text that yml_parse() reads back as the same scalar.  Plain where
 * that is unambiguous, single-quoted where there are backslashes and nothing to
 * escape, else double-quoted with escapes.  The text is UTF-8:
 * YAML has no way to say a lone surrogate or a byte that is no character, so who
 * may meet those writes hexadecimal instead.
 */
struct buf;
void yml_put_scalar(struct buf *out, const char *text);
void yml_put_scalarn(struct buf *out, const void *text, size_t len);

#endif /* BASE_YAML_H */
