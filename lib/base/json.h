/* json.h - one versioned JSON document on standard output, or in a file
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A thin hand on jansson: building fails stickily, so a document is a run of
 * calls, and printing it is what can fail.  Strings that are not UTF-8 are escaped
 * byte by byte rather than refused.
 *
 *	struct js *j = js_new("imgtool images", 1, e);
 *	struct js *list = js_list(j, "images");
 *	struct js *one = js_item(list);
 *	js_str(one, "name", name);
 *	return js_print(j, stdout, e);
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;
struct js;		/* an object or a list inside a document */

#define JS_SCOPED SCOPED(js_done)

/* A document whose first members are "format" and "version". */
MUST_CHECK struct js *js_new(const char *format, int version, struct err *e);
void js_done(struct js *const *j);	/* releases the document */

/* Members of an object; j may be NULL, the result of a call that found no memory:
 * the document is then bad, and js_print() says so.  Children belong to the document. */
struct js *js_object(struct js *j, const char *name);
struct js *js_list(struct js *j, const char *name);
void js_str(struct js *j, const char *name, const char *value);	/* NULL: null */
void js_strn(struct js *j, const char *name, const void *value, size_t len);
void js_u64(struct js *j, const char *name, uint64_t value);
void js_i64(struct js *j, const char *name, int64_t value);
void js_bool(struct js *j, const char *name, bool value);
void js_hex(struct js *j, const char *name, const void *value, size_t len);

/* Elements of a list. */
struct js *js_item(struct js *list);		/* an object */
void js_item_str(struct js *list, const char *value);

/* Write the whole document with a newline. */
MUST_CHECK int js_print(const struct js *j, FILE *out, struct err *e);

/* The whole document as text that the caller frees. */
MUST_CHECK char *js_text(const struct js *j, struct err *e);

/*
 * Reading: the JSON of other programs (QEMU's, qemu-img's).  a member that is
 * absent, or of another kind, is NULL or false.
 */
MUST_CHECK struct js *js_parse(const void *text, size_t len, struct err *e);
struct js *js_get(const struct js *j, const char *name);	/* or NULL */
size_t js_count(const struct js *list);
struct js *js_at(const struct js *list, size_t i);
const char *js_get_str(const struct js *j, const char *name);	/* or NULL */
bool js_get_u64(const struct js *j, const char *name, uint64_t *ret);
bool js_get_bool(const struct js *j, const char *name, bool *ret);

#endif /* BASE_JSON_H */
