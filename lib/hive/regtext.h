/* regtext.h - .reg text: what regedit exports and imports
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reads "Windows Registry Editor Version 5.00", REGEDIT4 and text without a
 * first line, in UTF-16LE with its mark, UTF-8, or Windows-1252; also the str()
 * form that hivexregedit writes.  Writes version 5.  What is written reads back
 * as the same keys, names, types and bytes.  Classes, security, times and flags
 * have no place in this text.
 */
#ifndef HIVE_REGTEXT_H
#define HIVE_REGTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "hive/hive.h"

enum hv_reg_what {
	HV_REG_KEY,		/* [path] */
	HV_REG_DELETE_KEY,	/* [-path] */
	HV_REG_VALUE,		/* "name"=... */
	HV_REG_DELETE_VALUE,	/* "name"=- */
};

/* One statement of the text. */
struct hv_reg {
	enum hv_reg_what what;
	unsigned line;		/* from 1 */
	const char *path;	/* of the key, as written, with its root */
	const char *name;	/* of the value; "" for the unnamed one */
	struct hv_data data;
};

/* Called for each in order; -1 with *e set ends the reading. */
typedef int hv_reg_fn(void *ctx, const struct hv_reg *r, struct err *e);

/* Read all of a text; `name` is for messages, which give the line. */
MUST_CHECK int hv_reg_read(const char *name, const void *text, size_t len,
			   hv_reg_fn *each, void *ctx, struct err *e);

/* Carry out one statement on a hive; `path` is below its root. */
MUST_CHECK int hv_reg_do(struct hv_hive *h, const char *path,
			 const struct hv_reg *r, struct err *e);

/*
 * If `path` is `prefix` or lies below it, what is left of it; else NULL.  HKLM,
 * HKU, HKCU, HKCR and HKCC stand for the long names; a backslash at the front
 * of either means nothing.
 */
const char *hv_reg_below(const char *path, const char *prefix);

/* The path with the long name of its root, which the caller frees. */
MUST_CHECK char *hv_reg_full(const char *path, struct err *e);

enum hv_reg_form {
	HV_REG_UTF8,		/* lines end with LF */
	HV_REG_UTF16,		/* with its mark, and CR LF: for regedit */
};

/* Write `top` and all below it, under the path `prefix`; ERR_UNSUPPORTED for a
 * key whose name has a line end in it, and for a predefined key. */
MUST_CHECK int hv_reg_write(const struct hv_key *top, const char *prefix,
			    enum hv_reg_form form, struct buf *out,
			    struct err *e);

#endif /* HIVE_REGTEXT_H */
