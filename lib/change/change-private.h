/* change-private.h - what the parts of this room share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef CHANGE_CHANGE_PRIVATE_H
#define CHANGE_CHANGE_PRIVATE_H

#include "change/plan.h"

struct buf;
struct yml;

/* Registry value types, as the registry's own headers number them. */
enum {
	CS_REG_NONE = 0, CS_REG_SZ = 1, CS_REG_EXPAND_SZ = 2,
	CS_REG_BINARY = 3, CS_REG_DWORD = 4, CS_REG_MULTI_SZ = 7,
	CS_REG_QWORD = 11,
};

static inline bool
cs_in_hive(enum cs_kind kind)
{
	return kind == CS_KEY || kind == CS_KEY_CLASS ||
	       kind == CS_KEY_SECURITY || kind == CS_VALUE;
}

void cs_side_done(struct cs_side *s);
void cs_entry_done(struct cs_entry *en);
MUST_CHECK int cs_side_set(struct cs_side *s, enum cs_have have, uint32_t type,
			   const void *data, size_t len, struct err *e);
/* A new entry at the end, zeroed but for its place; owned by the plan. */
MUST_CHECK struct cs_entry *cs_push(struct cs_plan *p, enum cs_kind kind,
				    unsigned volume, const char *path,
				    const char *key, const char *name,
				    struct cs_reason r, struct err *e);
/* Order of two entries' places: 0 when they are about the same thing. */
int cs_place_cmp(const struct cs_entry *a, const struct cs_entry *b);
/* Do both sides say the same? */
bool cs_side_same(const struct cs_side *a, const struct cs_side *b);
/* Is the shape of the entry one that building allows? */
MUST_CHECK int cs_entry_check(const struct cs_entry *en, struct err *e);
/* Is this a path from a volume's root, with its slash; one below a hive's? */
bool cs_path_ok(const char *path);
bool cs_key_ok(const char *key);

/* A side as the text behind "old:" or "want:", and back. */
extern const char *const cs_type_words[];	/* NULL-ended, by number */
extern const char *const cs_origin_words[];	/* likewise */
void cs_put_side(struct buf *out, enum cs_kind kind, const struct cs_side *s);
MUST_CHECK int cs_get_side(const struct yml *y, enum cs_kind kind, bool old,
			   struct cs_side *ret, struct err *e);

/* Comments for those who read a plan (remark.c): what it is and how to use it; and
 * behind a side, what its number means. */
void cs_put_head(struct buf *out, const struct cs_plan *p);
void cs_put_remark(struct buf *out, const struct cs_entry *en,
		   const struct cs_side *s);

/* Metadata as text ("attributes=0x26 created=..."), and back. */
MUST_CHECK char *cs_meta_text(const struct cs_meta *m, struct err *e);
/* m->short_name is owned by *ret_short, which the caller frees. */
MUST_CHECK int cs_meta_parse(const char *text, struct cs_meta *ret,
			     char **ret_short, struct err *e);

void cs_put_hex(struct buf *out, const void *data, size_t len);
/* The caller frees *ret; anything but lower-case hexadecimal is ERR_USAGE. */
MUST_CHECK int cs_get_hex(const char *text, uint8_t **ret, size_t *ret_len,
			  struct err *e);

#endif /* CHANGE_CHANGE_PRIVATE_H */
