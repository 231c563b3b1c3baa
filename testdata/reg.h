/* reg.h - registry hives from lines of text, written by libhivex
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The lines of a hive:
 *	[A\B]		a key and its missing parents; values follow
 *	name=s:text	REG_SZ; e: REG_EXPAND_SZ; m: REG_MULTI_SZ, split at '|'
 *	name=d:number	REG_DWORD
 *	name=b:hex	REG_BINARY
 *	=s:text		the unnamed value
 * and @word@ anywhere is replaced from a table.  Names are ASCII, for libhivex
 * orders others wrongly.  A hive fails stickily; reg_done() tells.
 */
#ifndef TESTDATA_REG_H
#define TESTDATA_REG_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "testdata/acl.h"

struct buf;
struct err;
struct reg;

struct reg_word {
	const char *word, *value;	/* a NULL word ends a table */
};

struct reg_new {
	const char *scratch;	/* a directory for the file being written */
	const char *root;	/* name of the root key */
	const char *file;	/* name inside the base block */
	unsigned minor;		/* 3: users, SAM, BCD; 5: the machine's */
	uint64_t time;		/* FILETIME of every key */
	struct sd sd;		/* of every key */
};

MUST_CHECK struct reg *reg_new(const struct reg_new *n, struct err *e);
/* A hive that exists, to add to it. */
MUST_CHECK struct reg *reg_again(const char *scratch, const struct buf *hive,
				 struct err *e);
void reg_lines(struct reg *r, const char *const *lines,
	       const struct reg_word *words);
void reg_line(struct reg *r, const char *line);

/* A value of any type in the present key. */
void reg_value(struct reg *r, const char *name, uint32_t type,
	       const void *data, size_t len);

/* The finished hive into *ret; frees r in any case. */
MUST_CHECK int reg_done(struct reg *r, struct buf *ret);

#endif /* TESTDATA_REG_H */
