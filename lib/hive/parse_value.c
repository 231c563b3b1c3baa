/* parse_value.c - the values of a key
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/parse-private.h"

#include <string.h>

#include "base/err.h"
#include "base/num.h"

/* Fields of a vk. */
struct vk {
	uint32_t len, data, type;
	uint16_t name_len, flags, spare;
	struct cur inline_data, name;
};

static struct vk
vk_read(struct cur *c)
{
	struct vk v;

	cur_magic(c, "vk", 2);
	v.name_len = cur_u16le(c);
	v.len = cur_u32le(c);
	struct cur look = *c;
	v.inline_data = cur_sub(&look, 4);
	v.data = cur_u32le(c);
	v.type = cur_u32le(c);
	v.flags = cur_u16le(c);
	v.spare = cur_u16le(c);
	v.name = cur_sub(c, v.name_len);
	return v;
}

int
hv_load_name(struct hv_load *ld, uint32_t cell, const char *rule,
	     struct cur name, bool latin1, struct hv_node *n, struct err *e)
{
	size_t len = cur_left(&name);
	bool wide = false;

	if (!latin1 && len % 2 != 0) {
		if (hv_bad(ld, rule, cell, e, "name has an odd number of bytes") < 0)
			return -1;
		len--;
	}
	n->name = name.at;
	n->name_len = (uint16_t)len;
	n->latin1 = latin1 || len == 0;
	struct hv_word w = hv_node_word(n);
	for (struct cur c = name; !n->latin1 && cur_left(&c) >= 2; )
		wide = cur_u16le(&c) > 0xff || wide;
	if (!n->latin1 && !wide &&
	    hv_odd(ld, rule, cell, e, "name could be stored in half") < 0)
		return -1;
	if (hv_word_has(w, 0) &&
	    hv_note(ld, rule, cell, e, "name has a NUL in it") < 0)
		return -1;
	return 0;
}

/* The segments of a big value, put together. */
static int
load_segments(struct hv_load *ld, struct cur list, uint32_t len, uint8_t *to,
	      struct err *e)
{
	struct cur out = cur_over("value", to, len);

	while (cur_left(&out) > 0) {
		uint32_t cell = cur_u32le(&list);
		size_t want = (size_t)num_min(cur_left(&out), HV_SEGMENT);
		struct cur seg, room = cur_sub(&out, want);
		int r = hv_cell(ld, cell, "C1", "segment of a big value", &seg, e);

		if (r <= 0)
			return r;
		if (cur_left(&seg) < want)
			return hv_bad(ld, "V4", cell, e,
				      "segment of a big value is too short");
		if (cur_left(&seg) < HV_SEGMENT &&
		    hv_odd(ld, "V4", cell, e,
			   "last segment of a big value is not whole") < 0)
			return -1;
		size_t at = room.off;
		cur_bytes(&seg, to + at, want);
	}
	return 1;
}

static int
load_big(struct hv_load *ld, const struct vk *vk, struct cur c,
	 struct hv_value *v, struct err *e)
{
	struct cur db = c, list;

	cur_magic(&db, "db", 2);
	uint16_t count = cur_u16le(&db);
	uint32_t at = cur_u32le(&db);
	if (!cur_ok(&db)) {
		if (cur_left(&c) < vk->len)
			return hv_bad(ld, "V4", vk->data, e,
				      "big value has no segments");
		v->data = c.at;
		v->len = vk->len;
		return hv_mended(ld, "V4", vk->data, e, "big value lies in one "
				 "cell") < 0 ? -1 : 1;
	}
	if (count < 2 || count != vk->len / HV_SEGMENT +
	    (vk->len % HV_SEGMENT != 0) || vk->len > ld->size)
		return hv_bad(ld, "V4", vk->data, e,
			      "big value of %u bytes has %u segments", vk->len,
			      count);
	int r = hv_cell(ld, at, "C1", "list of segments", &list, e);
	if (r <= 0)
		return r;
	if (cur_left(&list) < 4u * count)
		return hv_bad(ld, "V4", at, e, "list of segments is too short");
	uint8_t *to = hv_arena_new(&ld->h->arena, vk->len, e);
	if (to == NULL)
		return -1;
	v->data = to;
	v->len = vk->len;
	return load_segments(ld, list, vk->len, to, e);
}

static int
load_inline(struct hv_load *ld, uint32_t cell, const struct vk *vk,
	    struct hv_value *v, struct err *e)
{
	uint32_t len = vk->len & ~HV_INLINE;

	if (len > 4)
		return hv_bad(ld, "V2", cell, e, "value holds %u bytes in its own "
			      "4", len);
	v->data = vk->inline_data.at;
	v->len = len;
	return 1;
}

/* 1, 0 when the data cannot be had, -1. */
static int
load_data(struct hv_load *ld, uint32_t cell, const struct vk *vk,
	  struct hv_value *v, struct err *e)
{
	struct cur c;

	if ((vk->len & HV_INLINE) != 0)
		return load_inline(ld, cell, vk, v, e);
	if (vk->len == 0) {
		v->data = vk->inline_data.at;
		if (vk->data == HV_NIL)
			return 1;
		return hv_mended(ld, "V2", cell, e, "value of no bytes points to "
				 "%#x", vk->data) < 0 ? -1 : 1;
	}
	int r = hv_cell(ld, vk->data, "C1", "data of a value", &c, e);
	if (r <= 0)
		return r;
	if (ld->base.minor > 3 && vk->len > HV_SEGMENT)
		return load_big(ld, vk, c, v, e);
	if (cur_left(&c) < vk->len)
		return hv_bad(ld, "V3", vk->data, e, "value of %u bytes has a cell "
			      "for %zu", vk->len, cur_left(&c));
	v->data = c.at;
	v->len = vk->len;
	return 1;
}

static int
load_value(struct hv_load *ld, struct hv_key *k, uint32_t cell,
	   struct hv_most *most, struct err *e)
{
	struct cur c;
	int r = hv_cell(ld, cell, "C1", "value", &c, e);

	if (r <= 0)
		return r;
	struct vk vk = vk_read(&c);
	if (!cur_ok(&c))
		return hv_bad(ld, "V1", cell, e, "value %s", c.why);
	struct hv_value *v = hv_arena_new(&ld->h->arena, sizeof(*v), e);
	if (v == NULL ||
	    hv_load_name(ld, cell, "V7", vk.name,
			 (vk.flags & HV_VALUE_LATIN1) != 0, &v->node, e) < 0)
		return -1;
	if ((vk.flags & ~(unsigned)(HV_VALUE_LATIN1 | HV_VALUE_TOMBSTONE)) != 0 &&
	    hv_bad(ld, "V7", cell, e, "value has flags %#x", vk.flags) < 0)
		return -1;
	v->type = vk.type;
	v->flags = vk.flags & HV_VALUE_TOMBSTONE;
	v->spare = vk.spare;
	v->node.prio = hv_prio(ld->h);
	r = load_data(ld, cell, &vk, v, e);
	if (r <= 0)
		return r;
	if ((v->flags & HV_VALUE_TOMBSTONE) != 0)
		ld->h->facts.layered = true;
	if (!hv_names_add(&k->values, &v->node, false))
		return hv_bad(ld, "V5", cell, e, "key has two values of one name");
	uint32_t bytes = 2 * (uint32_t)hv_word_units(hv_node_word(&v->node));
	most->name = (uint32_t)num_max(most->name, bytes);
	most->data = (uint32_t)num_max(most->data, v->len);
	return 0;
}

int
hv_load_values(struct hv_load *ld, struct hv_key *k, uint32_t count,
	       uint32_t list, struct hv_most *most, struct err *e)
{
	struct cur c;

	if (count == 0)
		return list == HV_NIL ? 0 :
			hv_odd(ld, "K8", list, e, "key without values has a list "
			       "of values");
	int r = hv_cell(ld, list, "K8", "list of values", &c, e);
	if (r <= 0)
		return r;
	if (cur_left(&c) / 4 < count)
		return hv_bad(ld, "K8", list, e, "list of %u values has room for "
			      "%zu", count, cur_left(&c) / 4);
	for (uint32_t i = 0; i < count; i++)
		if (load_value(ld, k, cur_u32le(&c), most, e) < 0)
			return -1;
	return 0;
}
