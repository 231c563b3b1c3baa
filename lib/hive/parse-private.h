/* parse-private.h - what the files of the parser share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef HIVE_PARSE_PRIVATE_H
#define HIVE_PARSE_PRIVATE_H

#include "base/attr.h"
#include "base/cur.h"
#include "hive/hive-private.h"

/* An allocated cell that begins like a security cell. */
struct hv_sk {
	uint32_t cell;
	uint32_t refs;		/* keys seen that point here */
	struct hv_sd *sd;	/* NULL until a key or the list leads here */
	bool listed;
};

struct hv_load {
	struct hv_hive *h;
	struct cur bins;	/* all bins */
	uint32_t size;		/* of all bins that hold together */
	struct hv_base base;
	uint64_t *starts;	/* a bit per 8 bytes: an allocated cell begins */
	uint64_t *used;		/* and something points there */
	struct hv_sk *sk;	/* ascending */
	size_t sk_count, sk_cap;
	struct hv_key *key;	/* being loaded; NULL before the first */
	hv_fault_fn *fault;
	void *ctx;
};

/*
 * Tell of a broken rule; `cell` is an offset in the bins.  0 to go on, -1 to
 * end.  bad: the thing is left out; mended: it is taken, a write mends it;
 * odd: Windows never writes that; note: rare, but right.
 */
COLD PRINTF(5, 6) int hv_bad(struct hv_load *ld, const char *rule,
			     uint32_t cell, struct err *e, const char *fmt, ...);
COLD PRINTF(5, 6) int hv_mended(struct hv_load *ld, const char *rule,
				uint32_t cell, struct err *e,
				const char *fmt, ...);
COLD PRINTF(5, 6) int hv_odd(struct hv_load *ld, const char *rule,
			     uint32_t cell, struct err *e, const char *fmt, ...);
COLD PRINTF(5, 6) int hv_note(struct hv_load *ld, const char *rule,
			      uint32_t cell, struct err *e,
			      const char *fmt, ...);

bool hv_is_cell(const struct hv_load *ld, uint32_t cell);
/* The payload of a cell for which hv_is_cell() holds. */
struct cur hv_peek(const struct hv_load *ld, uint32_t cell);
void hv_use(struct hv_load *ld, uint32_t cell);

/* The payload of a cell that nothing else may point to: 1; 0 when there is no
 * such cell (told of), -1 to end. */
MUST_CHECK int hv_cell(struct hv_load *ld, uint32_t cell, const char *rule,
		       const char *what, struct cur *ret, struct err *e);

/* The bins and cells (parse_bin.c). */
MUST_CHECK int hv_load_bins(struct hv_load *ld, struct err *e);
MUST_CHECK int hv_load_orphans(struct hv_load *ld, struct err *e);

/* Values (parse_value.c).  What the largest of them is, for the key's fields. */
struct hv_most {
	uint32_t name, data;
};
MUST_CHECK int hv_load_values(struct hv_load *ld, struct hv_key *k,
			      uint32_t count, uint32_t list,
			      struct hv_most *most, struct err *e);
/* A stored name, checked under `rule`. */
MUST_CHECK int hv_load_name(struct hv_load *ld, uint32_t cell, const char *rule,
			    struct cur name, bool latin1, struct hv_node *n,
			    struct err *e);

/* Security cells (parse_sk.c): that of a key, and then all of them. */
MUST_CHECK int hv_load_sk(struct hv_load *ld, struct hv_key *k, uint32_t cell,
			  struct err *e);
MUST_CHECK int hv_load_sk_list(struct hv_load *ld, uint32_t first,
			       struct err *e);

#endif /* HIVE_PARSE_PRIVATE_H */
