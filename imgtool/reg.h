/* reg.h - the registry of an operand: what the reg verbs share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef IMGTOOL_REG_H
#define IMGTOOL_REG_H

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/scope.h"
#include "hive/hive.h"

struct cli_args;
struct err;
struct js;

/* A hive file. */
struct reg {
	const char *operand;
	struct hv_hive *hive;	/* owned */
	char *key;		/* below the hive's root, owned */
};

#define REG_SCOPED SCOPED(reg_done)
void reg_done(struct reg *r);

/* Open the hive that holds `key`, and say on standard error what its logs
 * brought or what is missing. */
MUST_CHECK int reg_open(const struct cli_args *a, const char *key,
			enum hv_logs how, struct reg *ret, struct err *e);

/* The key itself; ERR_NO when it is not there. */
MUST_CHECK struct hv_key *reg_key(const struct reg *r, struct err *e);

/* Write what was edited, unless --dry-run was given. */
MUST_CHECK int reg_commit(const struct cli_args *a, struct reg *r,
			  struct err *e);

/* Read a .reg file or standard input ("-"). */
MUST_CHECK int reg_read_text(const char *path, struct buf *ret, struct err *e);

/* ---- values as text ------------------------------------------------------ */

/* "REG_DWORD", or a number. */
const char *reg_type_name(uint32_t type, char room[16]);

/* TYPE and the words of DATA as bytes. */
MUST_CHECK int reg_parse_data(const char *type, char *const *words,
			      size_t count, uint32_t *ret_type,
			      struct buf *ret, struct err *e);

/* Print text from a guest: controls become \xNN, which no terminal obeys. */
void reg_print_text(FILE *out, const char *text);

/* What a value holds: strings as they are (those of a list separated by
 * `separator`), numbers in decimal, the rest as hexadecimal bytes. */
MUST_CHECK int reg_print_data(FILE *out, struct hv_data d,
			      const char *separator, struct err *e);

/* Name, type and data of a value as members of a JSON object. */
MUST_CHECK int reg_json_value(struct js *j, const struct hv_value *v,
			      struct err *e);

#endif /* IMGTOOL_REG_H */
