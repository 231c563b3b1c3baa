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
struct dk;
struct err;
struct js;
struct wn_guest;
struct wn_install;

/* A hive of the operand that is open. */
struct reg_hive {
	struct hv_hive *hive;	/* owned */
	size_t volume;		/* of the guest */
	char *path;		/* there; NULL for a hive file.  Owned */
};

/* A hive file, or a disk with a Windows on it. */
struct reg {
	const struct cli_args *args;	/* NULL: attached */
	const char *operand;
	enum hv_logs how;
	bool write;
	bool borrowed;		/* the disk is somebody else's */
	struct dk *disk;	/* these three are NULL for a hive file */
	struct wn_guest *guest;
	struct wn_install *install;
	struct reg_hive *hive;	/* owned */
	size_t hives, cap;
};

#define REG_SCOPED SCOPED(reg_done)
void reg_done(struct reg *r);

/* Open the first operand, for reading (HV_LOGS_READ) or for writing. */
MUST_CHECK int reg_open(const struct cli_args *a, enum hv_logs how,
			struct reg *ret, struct err *e);

/* The registry of a disk that is open, for writing; the disk outlives it.  `root`
 * is --root's. */
MUST_CHECK int reg_attach(struct dk *disk, const char *root, struct reg *ret,
			  struct err *e);

/* Write what was edited to the disk, which is not committed. */
MUST_CHECK int reg_flush(struct reg *r, struct err *e);

/*
 * The hive that holds `key` ("HKLM\SYSTEM\..." on a disk, a path below the root
 * in a hive file) and the path there, which the caller frees.  The first time a
 * hive is used, what its logs brought or what is missing is told on standard
 * error.
 */
MUST_CHECK int reg_find(struct reg *r, const char *key,
			struct hv_hive **ret_hive, char **ret_path,
			struct err *e);

/* The key itself; ERR_NO when it is not there. */
MUST_CHECK struct hv_key *reg_key(struct reg *r, const char *key,
				  struct err *e);

/* Write what was edited, on a disk as one transaction, unless --dry-run was
 * given.  `verb` is for the disk's history. */
MUST_CHECK int reg_commit(struct reg *r, const char *verb, struct err *e);

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
