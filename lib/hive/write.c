/* write.c - from the tree to the bytes of a hive, in canonical form
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The cells are laid out twice with the same code: once without a buffer, to
 * know the size, then into a buffer of that size.
 */
#include "hive/hive-private.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

/* Lists of subkeys: what Windows writes is shorter, what it reads may be this
 * long (docs/FORMAT.md). */
enum { LH_MAX = 1012, LF_MAX = 507, LI_MAX = 1012, LEAF_OF_RI = 506 };

/* Ends of bins that still have room. */
enum { HOLES = 16 };

struct hole {
	uint64_t at;
	uint32_t left;
};

struct out {
	uint8_t *bins;		/* NULL while measuring */
	uint64_t end;		/* bytes of bins so far */
	struct hole hole[HOLES];
	size_t holes;
	unsigned minor;
	uint64_t time;		/* of the first bin */
	struct hv_sd *first, *last;	/* descriptors, as written */
};

/* ---- bytes ------------------------------------------------------------------ */

static void
put16(struct out *o, uint32_t cell, uint32_t at, unsigned v)
{
	if (o->bins != NULL)
		num_put_u16le(o->bins + cell + 4 + at, (uint16_t)v);
}

static void
put32(struct out *o, uint32_t cell, uint32_t at, uint32_t v)
{
	if (o->bins != NULL)
		num_put_u32le(o->bins + cell + 4 + at, v);
}

static void
put64(struct out *o, uint32_t cell, uint32_t at, uint64_t v)
{
	if (o->bins != NULL)
		num_put_u64le(o->bins + cell + 4 + at, v);
}

static void
put(struct out *o, uint32_t cell, uint32_t at, const void *from, size_t len)
{
	if (o->bins != NULL && len > 0)
		memcpy(o->bins + cell + 4 + at, from, len);
}

/* ---- cells ------------------------------------------------------------------ */

static void
drop_hole(struct out *o, size_t i)
{
	if (o->bins != NULL && o->hole[i].left > 0)
		num_put_u32le(o->bins + o->hole[i].at, o->hole[i].left);
	o->hole[i] = o->hole[--o->holes];
}

static size_t
tightest(const struct out *o, uint64_t need)
{
	size_t best = HOLES;

	for (size_t i = 0; i < o->holes; i++)
		if (o->hole[i].left >= need &&
		    (best == HOLES || o->hole[i].left < o->hole[best].left))
			best = i;
	return best;
}

/* A new bin with room for a cell of `need` bytes. */
static size_t
new_bin(struct out *o, uint64_t need)
{
	uint64_t at = o->end;
	uint64_t size = (need + HV_BIN_HEADER + HV_BIN_UNIT - 1) /
			HV_BIN_UNIT * HV_BIN_UNIT;

	if (o->holes == HOLES)
		drop_hole(o, tightest(o, 0));
	o->end += size;
	if (o->bins != NULL) {
		memcpy(o->bins + at, "hbin", 4);
		num_put_u32le(o->bins + at + 4, (uint32_t)at);
		num_put_u32le(o->bins + at + 8, (uint32_t)size);
		num_put_u64le(o->bins + at + 20, at == 0 ? o->time : 0);
	}
	o->hole[o->holes] = (struct hole){ at + HV_BIN_HEADER,
					   (uint32_t)(size - HV_BIN_HEADER) };
	return o->holes++;
}

/* A cell for `len` bytes.  Where the hive is too large the offset is cut; the
 * measured size then refuses it. */
static uint32_t
cell(struct out *o, uint64_t len)
{
	uint64_t need = (len + 4 + 7) / 8 * 8;
	size_t i = tightest(o, need);

	if (i == HOLES)
		i = new_bin(o, need);
	uint64_t at = o->hole[i].at;
	if (o->bins != NULL)
		num_put_u32le(o->bins + at,
			      (uint32_t)(((uint64_t)1 << 32) - need));
	o->hole[i].at += need;
	o->hole[i].left -= (uint32_t)need;
	if (o->hole[i].left == 0)
		drop_hole(o, i);
	return (uint32_t)(at & UINT32_MAX);
}

/* ---- values ----------------------------------------------------------------- */

static uint32_t
put_big(struct out *o, const struct hv_value *v)
{
	uint32_t count = v->len / HV_SEGMENT + (v->len % HV_SEGMENT != 0);
	uint32_t db = cell(o, 8), list = cell(o, 4 * (uint64_t)count);

	put(o, db, 0, "db", 2);
	put16(o, db, 2, count);
	put32(o, db, 4, list);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t seg = cell(o, HV_SEGMENT), at = i * HV_SEGMENT;

		put32(o, list, 4 * i, seg);
		put(o, seg, 0, v->data + at,
		    (size_t)num_min(v->len - at, HV_SEGMENT));
	}
	return db;
}

static uint32_t
put_value(struct out *o, const struct hv_value *v)
{
	const struct hv_node *n = &v->node;
	uint32_t vk = cell(o, HV_VALUE_HEAD + (uint64_t)n->name_len);
	bool gone = (v->flags & HV_VALUE_TOMBSTONE) != 0 && v->len == 0;
	uint32_t len = v->len, data = HV_NIL;
	uint16_t flags = v->flags;

	/* The unnamed value has no form. */
	if (n->latin1 && n->name_len > 0)
		flags |= HV_VALUE_LATIN1;
	put(o, vk, 0, "vk", 2);
	put16(o, vk, 2, n->name_len);
	put32(o, vk, 12, v->type);
	put16(o, vk, 16, flags);
	put16(o, vk, 18, v->spare);
	put(o, vk, HV_VALUE_HEAD, n->name, n->name_len);
	if (len <= 4 && !gone) {
		put32(o, vk, 4, len | HV_INLINE);
		put32(o, vk, 8, 0);
		put(o, vk, 8, v->data, len);
		return vk;
	}
	if (o->minor >= 4 && len > HV_SEGMENT) {
		data = put_big(o, v);
	} else if (!gone) {
		data = cell(o, len);
		put(o, data, 0, v->data, len);
	}
	put32(o, vk, 4, len);
	put32(o, vk, 8, data);
	return vk;
}

/* The largest things of a key, for its own fields. */
struct most {
	uint32_t name, cls, value_name, data;
};

static uint32_t
utf16_bytes(const struct hv_node *n)
{
	return n->latin1 ? 2u * n->name_len : n->name_len;
}

static uint32_t
put_values(struct out *o, const struct hv_key *k, struct most *m)
{
	uint32_t i = 0;

	if (k->values.count == 0)
		return HV_NIL;
	uint32_t list = cell(o, 4 * (uint64_t)k->values.count);
	for (const struct hv_value *v = hv_value_first(k); v != NULL;
	     v = hv_value_next(v)) {
		put32(o, list, 4 * i++, put_value(o, v));
		m->value_name = (uint32_t)num_max(m->value_name,
						  utf16_bytes(&v->node));
		m->data = (uint32_t)num_max(m->data, v->len);
	}
	return list;
}

/* ---- keys ------------------------------------------------------------------- */

static uint32_t
put_sk(struct out *o, struct hv_sd *sd)
{
	if (sd->cell == 0) {
		sd->cell = cell(o, HV_SK_HEAD + (uint64_t)sd->len);
		sd->count = 0;
		sd->written = NULL;
		if (o->last != NULL)
			o->last->written = sd;
		else
			o->first = sd;
		o->last = sd;
		put(o, sd->cell, 0, "sk", 2);
		put32(o, sd->cell, 16, sd->len);
		put(o, sd->cell, HV_SK_HEAD, sd->at, sd->len);
	}
	sd->count++;
	return sd->cell;
}

/* The ring of descriptors, once all have a cell. */
static void
link_sks(struct out *o)
{
	const struct hv_sd *prev = o->last;

	for (struct hv_sd *sd = o->first; sd != NULL; sd = sd->written) {
		const struct hv_sd *next = sd->written != NULL ? sd->written :
								 o->first;

		put32(o, sd->cell, 4, next->cell);
		put32(o, sd->cell, 8, prev->cell);
		put32(o, sd->cell, 12, sd->count);
		prev = sd;
	}
}

static uint32_t put_key(struct out *o, const struct hv_key *k, uint32_t parent);

enum leaf { LF, LH, LI };

static const struct {
	char sig[3];
	uint8_t entry;		/* bytes */
} leaf_form[] = {
	[LF] = { "lf", 8 }, [LH] = { "lh", 8 }, [LI] = { "li", 4 },
};

/* One leaf with the next `count` keys from *s. */
static uint32_t
put_leaf(struct out *o, enum leaf form, uint64_t count,
	 const struct hv_key **s, uint32_t parent, struct most *m)
{
	uint32_t bytes = leaf_form[form].entry;
	uint32_t list = cell(o, 4 + bytes * count);

	put(o, list, 0, leaf_form[form].sig, 2);
	put16(o, list, 2, (unsigned)count);
	for (uint32_t i = 0; i < count; i++, *s = hv_next(*s)) {
		const struct hv_node *n = &(*s)->node;
		uint8_t hint[4];

		put32(o, list, 4 + bytes * i, put_key(o, *s, parent));
		if (form == LH) {
			put32(o, list, 8 + bytes * i,
			      hv_word_hash(hv_node_word(n)));
		} else if (form == LF) {
			hv_word_hint(hv_node_word(n), hint);
			put(o, list, 8 + bytes * i, hint, 4);
		}
		m->name = (uint32_t)num_max(m->name, utf16_bytes(n));
		m->cls = (uint32_t)num_max(m->cls, (*s)->cls_len);
	}
	return list;
}

static uint32_t
put_subs(struct out *o, const struct hv_key *k, uint32_t self, struct most *m)
{
	uint64_t count = k->subs.count;
	const struct hv_key *s = hv_first(k);
	enum leaf form = o->minor >= 5 ? LH : count <= LF_MAX ? LF : LI;

	if (count == 0)
		return HV_NIL;
	if (count <= (form == LH ? LH_MAX : form == LF ? LF_MAX : LI_MAX))
		return put_leaf(o, form, count, &s, self, m);
	uint64_t leaves = (count + LEAF_OF_RI - 1) / LEAF_OF_RI;
	uint32_t ri = cell(o, 4 + 4 * leaves);
	put(o, ri, 0, "ri", 2);
	put16(o, ri, 2, (unsigned)leaves);
	for (uint32_t i = 0; i < leaves; i++) {
		uint64_t n = num_min(count - i * (uint64_t)LEAF_OF_RI,
				     LEAF_OF_RI);

		put32(o, ri, 4 + 4 * i, put_leaf(o, form, n, &s, self, m));
	}
	return ri;
}

static uint32_t
put_class(struct out *o, const struct hv_key *k)
{
	if (k->cls_len == 0)
		return HV_NIL;
	uint32_t at = cell(o, k->cls_len);
	put(o, at, 0, k->cls, k->cls_len);
	return at;
}

static uint32_t
put_key(struct out *o, const struct hv_key *k, uint32_t parent)
{
	const struct hv_node *n = &k->node;
	uint32_t nk = cell(o, HV_KEY_HEAD + (uint64_t)n->name_len);
	bool predefined = (k->flags & HV_KEY_PREDEFINED) != 0;
	struct most m = { .name = 0 };

	put(o, nk, 0, "nk", 2);
	put16(o, nk, 2, k->flags | (n->latin1 ? HV_KEY_LATIN1 : 0u));
	put64(o, nk, 4, k->time);
	put32(o, nk, 12, k->access);
	put32(o, nk, 16, parent);
	put32(o, nk, 20, (uint32_t)k->subs.count);
	put32(o, nk, 32, HV_NIL);
	put32(o, nk, 36, predefined ? k->handle : (uint32_t)k->values.count);
	put32(o, nk, 44, put_sk(o, k->sd));
	put32(o, nk, 48, put_class(o, k));
	put32(o, nk, 40, put_values(o, k, &m));
	put32(o, nk, 28, put_subs(o, k, nk, &m));
	put16(o, nk, 52, m.name);
	put16(o, nk, 54, k->virt);
	put32(o, nk, 56, m.cls);
	put32(o, nk, 60, m.value_name);
	put32(o, nk, 64, m.data);
	put16(o, nk, 72, n->name_len);
	put16(o, nk, 74, k->cls_len);
	put(o, nk, HV_KEY_HEAD, n->name, n->name_len);
	return nk;
}

/* ---- all of it -------------------------------------------------------------- */

static uint64_t
lay_out(const struct hv_hive *h, uint8_t *bins, uint64_t time)
{
	struct out o = { .bins = bins, .minor = h->facts.minor, .time = time };

	for (size_t i = 0; i < h->sds.cap; i++)
		for (struct hv_sd *sd = h->sds.at[i]; sd != NULL; sd = sd->chain)
			sd->cell = 0;
	(void)put_key(&o, h->root, 0);
	link_sks(&o);
	while (o.holes > 0)
		drop_hole(&o, 0);
	return o.end;
}

/* The base block is kept but for what says how this hive lies.  A new time, so
 * that no old log can be taken for one of this state; Windows 8.1 and later
 * keep none (docs/FORMAT.md). */
static uint64_t
new_time(const struct hv_hive *h)
{
	struct hv_base b = hv_base_read(h->image, h->len);
	uint64_t now = hv_now(h);

	return b.time == 0 ? 0 : now > b.time ? now : b.time + 1;
}

static void
put_base(const struct hv_hive *h, uint8_t *at, uint32_t size, uint64_t time)
{
	uint32_t seq = h->seq_max == UINT32_MAX ? 1 : h->seq_max + 1;

	memcpy(at, h->image, HV_BASE_BYTES);
	num_put_u32le(at + 4, seq);
	num_put_u32le(at + 8, seq);
	num_put_u64le(at + 12, time);
	num_put_u32le(at + 28, 0);
	num_put_u32le(at + 36, HV_ROOT_CELL);
	num_put_u32le(at + 40, size);
	num_put_u32le(at + 508, hv_base_sum(at));
}

int
hv_serialize(struct hv_hive *h, struct buf *ret, struct err *e)
{
	uint64_t time = new_time(h), size = lay_out(h, NULL, time);

	if (h->facts.stale[0] != '\0' && !h->discard)
		return err_set(e, ERR_UNSAFE, "%s: hive is dirty; %s; add "
			       "--discard-logs", h->name, h->facts.stale);
	if (size > HV_SIZE_MAX)
		return err_set(e, ERR_USAGE, "%s: hive would be larger than 2 GiB",
			       h->name);
	size_t len = HV_BASE_BYTES + (size_t)size;
	BUF_SCOPED struct buf b = { .at = mem_array(len + 1, 1, e), .len = len,
				    .cap = len + 1 };
	if (b.at == NULL)
		return -1;
	put_base(h, b.at, (uint32_t)size, time);
	(void)lay_out(h, b.at + HV_BASE_BYTES, time);
	if (hv_prove(h, b.at, len, e) < 0 ||
	    hv_second_read(h, b.at, len, &h->facts.unread, e) < 0)
		return -1;
	*ret = TAKE(b);
	return 0;
}
