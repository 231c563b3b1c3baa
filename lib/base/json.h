/* json.h - one versioned JSON document on standard output, or in a file
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A thin hand on jansson: building fails stickily, so a document is a run of
 * calls, and json_ok() is asked once.  Strings that are not UTF-8 are escaped
 * byte by byte rather than refused.
 *
 *	struct json *j = json_new("imgtool images", 1, e);
 *	struct json *list = json_list(j, "images");
 *	struct json *one = json_item(list);
 *	json_str(one, "name", name);
 *	return json_print(j, stdout, e);
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
struct json;		/* an object or a list inside a document */

#define JSON_SCOPED SCOPED(json_done)

/* A document whose first members are "format" and "version". */
MUST_CHECK struct json *json_new(const char *format, int version, struct err *e);
void json_done(struct json *const *j);	/* releases the document */

/* Members of an object.  Children belong to the document. */
struct json *json_object(struct json *j, const char *name);
struct json *json_list(struct json *j, const char *name);
void json_str(struct json *j, const char *name, const char *value);	/* NULL: null */
void json_strn(struct json *j, const char *name, const void *value, size_t len);
void json_u64(struct json *j, const char *name, uint64_t value);
void json_i64(struct json *j, const char *name, int64_t value);
void json_bool(struct json *j, const char *name, bool value);
void json_hex(struct json *j, const char *name, const void *value, size_t len);

/* Elements of a list. */
struct json *json_item(struct json *list);		/* an object */
void json_item_str(struct json *list, const char *value);

/* Write the whole document with a newline. */
MUST_CHECK int json_print(const struct json *j, FILE *out, struct err *e);

/* The whole document as text that the caller frees. */
MUST_CHECK char *json_text(const struct json *j, struct err *e);

/*
 * Reading: the JSON of other programs (QEMU's, qemu-img's).  jget_* walk with
 * a path of member names; the last must be NULL.
 */
MUST_CHECK struct json *json_parse(const void *text, size_t len, struct err *e);
struct json *json_get(const struct json *j, const char *name);	/* or NULL */
size_t json_count(const struct json *list);
struct json *json_at(const struct json *list, size_t i);
const char *json_get_str(const struct json *j, const char *name);	/* or NULL */
bool json_get_u64(const struct json *j, const char *name, uint64_t *ret);
bool json_get_bool(const struct json *j, const char *name, bool *ret);

#endif /* BASE_JSON_H */
