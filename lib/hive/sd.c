/* sd.c - security descriptors: shared, checked, translated SID by SID
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Source: [MS-DTYP] 2.4.2 (SID), 2.4.4 (ACE), 2.4.5 (ACL), 2.4.6 (descriptor).
 */
#include "hive/hive-private.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

enum {
	SELF_RELATIVE = 0x8000, DACL_PRESENT = 0x4, SACL_PRESENT = 0x10,
	HEAD = 20, SID_HEAD = 8, SID_SUBS = 15, SID_MAX = SID_HEAD + 4 * SID_SUBS,
};

/* ---- one object for equal bytes ------------------------------------------- */

/* Seeded, so that a hostile hive cannot choose descriptors of one bucket. */
WRAPS static uint64_t
hash_of(uint64_t seed, const uint8_t *at, size_t len)
{
	struct cur c = cur_over("descriptor", at, len);
	uint64_t h = seed ^ len;

	while (cur_left(&c) > 0) {
		uint64_t v = cur_left(&c) >= 8 ? cur_u64le(&c) : cur_u8(&c);

		h = (h ^ v) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	return h;
}

static int
more_buckets(struct hv_sds *s, struct err *e)
{
	size_t cap = s->cap == 0 ? 64 : s->cap * 2;
	struct hv_sd **at = mem_array(cap, sizeof(*at), e);

	if (at == NULL)
		return -1;
	for (size_t i = 0; i < s->cap; i++)
		for (struct hv_sd *sd = s->at[i], *next; sd != NULL; sd = next) {
			next = sd->chain;
			sd->chain = at[sd->hash & (cap - 1)];
			at[sd->hash & (cap - 1)] = sd;
		}
	free(s->at);
	s->at = at;
	s->cap = cap;
	return 0;
}

struct hv_sd *
hv_sd_intern(struct hv_hive *h, const uint8_t *at, size_t len, bool copy,
	     struct err *e)
{
	uint64_t hash = hash_of(h->sds.seed, at, len);
	struct hv_sd *sd;

	if (h->sds.count >= h->sds.cap && more_buckets(&h->sds, e) < 0)
		return NULL;
	struct hv_sd **bucket = &h->sds.at[hash & (h->sds.cap - 1)];
	for (sd = *bucket; sd != NULL; sd = sd->chain)
		if (sd->hash == hash && sd->len == len &&
		    (len == 0 || memcmp(sd->at, at, len) == 0))
			return sd;
	sd = hv_arena_new(&h->arena, sizeof(*sd), e);
	if (sd == NULL)
		return NULL;
	sd->at = copy ? hv_arena_copy(&h->arena, at, len, e) : at;
	if (sd->at == NULL)
		return NULL;
	sd->hash = hash;
	sd->len = (uint32_t)len;
	sd->chain = *bucket;
	*bucket = sd;
	h->sds.count++;
	return sd;
}

/* ---- rules ------------------------------------------------------------------ */

/* The part of a descriptor that begins at `off`. */
static struct cur
part(const uint8_t *at, size_t len, uint32_t off)
{
	struct cur c = cur_over("security descriptor", at, len);

	(void)cur_sub(&c, off);
	return c;
}

/* Step over a SID and return it; empty if there is none. */
static struct cur
take_sid(struct cur *c)
{
	struct cur look = *c;
	uint8_t revision = cur_u8(&look), subs = cur_u8(&look);

	if (cur_ok(&look) && (revision != 1 || subs > SID_SUBS))
		cur_bad(&look, "has a SID of another form");
	if (!cur_ok(&look)) {
		cur_bad(c, look.why);
		return *c;
	}
	return cur_sub(c, SID_HEAD + 4u * subs);
}

static struct cur
take_acl(struct cur *c)
{
	struct cur look = *c;

	(void)cur_u16le(&look);
	uint16_t size = cur_u16le(&look);
	if (cur_ok(&look) && size < 8)
		cur_bad(&look, "has a list of another form");
	if (!cur_ok(&look)) {
		cur_bad(c, look.why);
		return *c;
	}
	return cur_sub(c, size);
}

/* The fixed head of a self-relative descriptor. */
struct head {
	uint8_t revision, sbz;
	uint16_t control;
	uint32_t owner, group, sacl, dacl;
};

static struct head
head_of(struct cur *c)
{
	struct head h;

	h.revision = cur_u8(c);
	h.sbz = cur_u8(c);
	h.control = cur_u16le(c);
	h.owner = cur_u32le(c);
	h.group = cur_u32le(c);
	h.sacl = cur_u32le(c);
	h.dacl = cur_u32le(c);
	return h;
}

static const char *
sid_wrong(const uint8_t *at, size_t len, uint32_t off)
{
	struct cur c = part(at, len, off);

	(void)take_sid(&c);
	return c.why;
}

static const char *
acl_wrong(const uint8_t *at, size_t len, uint32_t off)
{
	struct cur c = part(at, len, off);
	struct cur acl = take_acl(&c);

	(void)cur_sub(&acl, 4);
	uint16_t count = cur_u16le(&acl);
	(void)cur_u16le(&acl);
	for (uint16_t i = 0; i < count && cur_ok(&acl); i++) {
		struct cur look = acl;

		(void)cur_u16le(&look);
		uint16_t size = cur_u16le(&look);
		if (cur_ok(&look) && size < 4)
			cur_bad(&acl, "has an entry that is too short");
		(void)cur_sub(&acl, cur_ok(&look) ? size : SIZE_MAX);
	}
	return acl.why;
}

const char *
hv_sd_wrong(const uint8_t *at, size_t len)
{
	struct cur c = cur_over("security descriptor", at, len);
	struct head h = head_of(&c);
	const char *why;

	if (!cur_ok(&c))
		return "is too short";
	if (h.revision != 1)
		return "has another revision than 1";
	if ((h.control & SELF_RELATIVE) == 0)
		return "is not self-relative";
	if (h.owner == 0 || h.group == 0)
		return "has no owner or no group";
	why = sid_wrong(at, len, h.owner);
	if (why == NULL)
		why = sid_wrong(at, len, h.group);
	if (why == NULL && (h.control & SACL_PRESENT) != 0 && h.sacl != 0)
		why = acl_wrong(at, len, h.sacl);
	if (why == NULL && (h.control & DACL_PRESENT) != 0 && h.dacl != 0)
		why = acl_wrong(at, len, h.dacl);
	return why;
}

/* ---- translation ------------------------------------------------------------ */

struct sid {
	uint8_t at[SID_MAX];
	size_t len;
};

struct pair {
	struct sid from, to;
};

/* "S-1-AUTHORITY-SUB-..." as bytes. */
static int
sid_of_text(const char *text, struct sid *ret, struct err *e)
{
	char word[32], quoted[128];
	uint64_t v;
	size_t n = 0;
	const char *s = text;

	*ret = (struct sid){ .len = SID_HEAD };
	while (n < SID_SUBS + 3) {
		size_t len = strcspn(s, "-");

		if (len >= sizeof(word))
			break;
		memcpy(word, s, len);
		word[len] = '\0';
		if (n == 0 ? strcmp(word, "S") != 0 :
		    n == 1 ? strcmp(word, "1") != 0 :
		    !num_parse(word, 0, n == 2 ? 0xffffffffffff : UINT32_MAX,
			       false, &v))
			break;
		if (n == 2)
			for (unsigned i = 0; i < 6; i++)
				ret->at[7 - i] = (uint8_t)(v >> 8 * i & 0xff);
		if (n > 2) {
			num_put_u32le(ret->at + ret->len, (uint32_t)v);
			ret->len += 4;
		}
		n++;
		s += len;
		if (*s == '\0' && n > 3) {
			ret->at[0] = 1;
			ret->at[1] = (uint8_t)(n - 3);
			return 0;
		}
		s += *s == '-';
	}
	return err_set(e, ERR_USAGE, "%s is no SID",
		       err_quote(quoted, sizeof(quoted), text, strlen(text)));
}

struct work {
	const struct pair *pair;
	size_t count;
	bool changed, overflow;
};

/* The size of an entry or a list, known once it is written. */
static void
put_size(struct buf *out, size_t start, struct work *w)
{
	size_t size = out->len - start;

	if (size > UINT16_MAX)
		w->overflow = true;
	if (!out->bad)
		num_put_u16le(out->at + start + 2, (uint16_t)(size & 0xffff));
}

static void
put_sid(struct buf *out, struct cur sid, struct work *w)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct pair *p = &w->pair[i];

		if (p->from.len == cur_left(&sid) &&
		    memcmp(p->from.at, sid.at, p->from.len) == 0) {
			buf_bytes(out, p->to.at, p->to.len);
			w->changed = true;
			return;
		}
	}
	buf_bytes(out, sid.at, cur_left(&sid));
}

/* Bytes between an entry's mask and its SID, or SIZE_MAX for a type that has no
 * SID at a known place. */
static size_t
bytes_before_sid(uint8_t type, struct cur body)
{
	switch (type) {
	case 0x00: case 0x01: case 0x02: case 0x03:	/* allow deny audit alarm */
	case 0x09: case 0x0a: case 0x0d: case 0x0e:	/* callback */
	case 0x11: case 0x12: case 0x13: case 0x14:	/* label, claim, policy */
		return 0;
	case 0x05: case 0x06: case 0x07: case 0x08:	/* object */
	case 0x0b: case 0x0c: case 0x0f: case 0x10: {	/* callback object */
		uint32_t flags = cur_u32le(&body);

		return 4u + 16u * (flags & 1) + 16u * (flags >> 1 & 1);
	}
	default:
		return SIZE_MAX;
	}
}

static void
put_ace(struct buf *out, struct cur ace, struct work *w)
{
	size_t start = out->len;
	struct cur whole = ace;
	uint8_t type = cur_u8(&ace), flags = cur_u8(&ace);

	(void)cur_u16le(&ace);
	uint32_t mask = cur_u32le(&ace);
	size_t before = bytes_before_sid(type, ace);
	struct cur fixed = cur_sub(&ace, before == SIZE_MAX ? 0 : before);
	struct cur sid = take_sid(&ace);

	if (before == SIZE_MAX || !cur_ok(&ace)) {
		buf_bytes(out, whole.at, cur_left(&whole));
		return;
	}
	buf_u8(out, type);
	buf_u8(out, flags);
	buf_u16le(out, 0);
	buf_u32le(out, mask);
	buf_bytes(out, fixed.at, cur_left(&fixed));
	put_sid(out, sid, w);
	buf_bytes(out, ace.at, cur_left(&ace));
	put_size(out, start, w);
}

static void
put_acl(struct buf *out, struct cur acl, struct work *w)
{
	size_t start = out->len;
	uint8_t revision = cur_u8(&acl), sbz = cur_u8(&acl);

	(void)cur_u16le(&acl);
	uint16_t count = cur_u16le(&acl), sbz2 = cur_u16le(&acl);
	buf_u8(out, revision);
	buf_u8(out, sbz);
	buf_u16le(out, 0);
	buf_u16le(out, count);
	buf_u16le(out, sbz2);
	for (uint16_t i = 0; i < count; i++) {
		struct cur look = acl;

		(void)cur_u16le(&look);
		put_ace(out, cur_sub(&acl, cur_u16le(&look)), w);
	}
	/* Room at the end of a list is legal, and is kept. */
	buf_bytes(out, acl.at, cur_left(&acl));
	put_size(out, start, w);
}

/* The descriptor again, its parts in the order SACL, DACL, owner, group. */
static void
put_sd(struct buf *out, const struct hv_sd *sd, struct work *w)
{
	struct cur c = cur_over("security descriptor", sd->at, sd->len);
	struct head h = head_of(&c);
	uint32_t at[4] = { h.owner, h.group, 0, 0 };

	if ((h.control & SACL_PRESENT) != 0)
		at[2] = h.sacl;
	if ((h.control & DACL_PRESENT) != 0)
		at[3] = h.dacl;
	buf_u8(out, h.revision);
	buf_u8(out, h.sbz);
	buf_u16le(out, h.control);
	buf_zeros(out, 16);
	for (size_t i = 0; i < 4; i++) {
		size_t field = (i + 2) % 4;
		uint32_t off = at[field];

		if (off == 0)
			continue;
		struct cur p = part(sd->at, sd->len, off);
		if (!out->bad)
			num_put_u32le(out->at + 4 + 4 * field,
				      (uint32_t)out->len);
		if (field >= 2)
			put_acl(out, take_acl(&p), w);
		else
			put_sid(out, take_sid(&p), w);
		while (!out->bad && out->len % 4 != 0)
			buf_u8(out, 0);
	}
}

/* What a descriptor becomes; itself if it holds none of the SIDs. */
static struct hv_sd *
translate(struct hv_hive *h, struct hv_sd *sd, struct work *w, struct err *e)
{
	BUF_SCOPED struct buf out = BUF_EMPTY;

	if (hv_sd_wrong(sd->at, sd->len) != NULL)
		return sd;
	w->changed = false;
	put_sd(&out, sd, w);
	if (buf_ok(&out, e) < 0)
		return NULL;
	if (!w->changed)
		return sd;
	if (w->overflow) {
		(void)err_set(e, ERR_UNSUPPORTED, "security descriptor would be "
			      "too large after the translation");
		return NULL;
	}
	return hv_sd_intern(h, out.at, out.len, true, e);
}

static int
map_key(struct hv_key *k, struct work *w, size_t *keys, struct err *e)
{
	struct hv_sd *sd = translate(k->hive, k->sd, w, e);

	if (sd == NULL)
		return -1;
	if (sd != k->sd) {
		k->sd = sd;
		k->time = hv_now(k->hive);
		k->hive->changed = true;
		(*keys)++;
	}
	for (struct hv_key *s = hv_first(k); s != NULL; s = hv_next(s))
		if (map_key(s, w, keys, e) < 0)
			return -1;
	return 0;
}

int
hv_map_sids(struct hv_key *top, const struct hv_sid_map *map, size_t count,
	    size_t *ret_keys, struct err *e)
{
	SCOPED_FREE struct pair *pair = mem_array(count, sizeof(*pair), e);
	struct work w = { .pair = pair, .count = count };
	size_t keys = 0;

	if (pair == NULL)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (sid_of_text(map[i].from, &pair[i].from, e) < 0 ||
		    sid_of_text(map[i].to, &pair[i].to, e) < 0)
			return -1;
	if (map_key(top, &w, &keys, e) < 0)
		return -1;
	*ret_keys = keys;
	return 0;
}
