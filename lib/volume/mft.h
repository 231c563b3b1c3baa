/* mft.h - one MFT record taken apart
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef VOLUME_MFT_H
#define VOLUME_MFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct err;

struct vo_mft_record {
	bool used, is_folder;
	uint16_t sequence;
	bool extends;		/* more attributes of another record: */
	uint64_t base;
};

/* An attribute without clusters is told with its value, one with clusters with
 * its runs. */
struct vo_mft_attr {
	uint32_t type, flags;
	const uint8_t *name;	/* UTF-16LE */
	size_t name_bytes;
	bool resident;
	const uint8_t *value;	/* resident: the value; else the packed runs */
	size_t value_len;
	uint64_t first_vcn, last_vcn;
	uint64_t size, valid;	/* bytes; only where first_vcn is 0 */
};

/* Undo the protection of the record's sectors in place, and read its header.
 * False: it is none, or torn. */
bool vo_mft_open(uint8_t *rec, size_t len, struct vo_mft_record *ret);

/* Call fn for each attribute of an open record.  False: they make no sense. */
typedef int (*vo_mft_fn)(void *arg, const struct vo_mft_attr *a,
			 struct err *e);
bool vo_mft_attrs(const uint8_t *rec, size_t len, vo_mft_fn fn, void *arg,
		  struct err *e);

/* Packed runs, one by one. */
struct vo_mft_runs {
	const uint8_t *at;
	size_t left;
	uint64_t vcn;
	int64_t lcn;
};

/* 1 and a run, in clusters (*ret_sparse: it has none on the disk); 0 at the
 * end; -1 when they make no sense. */
int vo_mft_next_run(struct vo_mft_runs *r, uint64_t *ret_vcn, uint64_t *ret_lcn,
		    uint64_t *ret_len, bool *ret_sparse);

#endif /* VOLUME_MFT_H */
