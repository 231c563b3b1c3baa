/* mft.c - see mft.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/mft.h"

#include <string.h>

#include "base/cur.h"
#include "base/num.h"

enum { STRIDE = 512 };		/* bytes that one sequence number protects */

bool
vo_mft_open(uint8_t *rec, size_t len, struct vo_mft_record *ret)
{
	struct cur c = cur_over("MFT record", rec, len);
	uint16_t at, count, flags;
	uint64_t base;

	cur_magic(&c, "FILE", 4);
	at = cur_u16le(&c);
	count = cur_u16le(&c);
	(void)cur_sub(&c, 8);
	ret->sequence = cur_u16le(&c);
	(void)cur_sub(&c, 4);
	flags = cur_u16le(&c);
	(void)cur_sub(&c, 8);
	base = cur_u64le(&c);		/* with a sequence number, never 0 */
	ret->extends = base != 0;
	ret->base = base & 0xffffffffffff;
	ret->used = (flags & 1) != 0;
	ret->is_folder = (flags & 2) != 0;
	if (!cur_ok(&c) || count != len / STRIDE + 1 ||
	    !num_in_range(at, (size_t)count * 2, len))
		return false;
	for (size_t i = 1; i < count; i++) {
		uint8_t *tail = rec + i * STRIDE - 2;

		if (memcmp(tail, rec + at, 2) != 0)
			return false;
		memcpy(tail, rec + at + i * 2, 2);
	}
	return true;
}

/* What follows the sixteen bytes that all attributes begin with. */
static void
read_body(struct cur *c, const uint8_t *attr, size_t len, struct vo_mft_attr *a)
{
	size_t off;

	if (a->resident) {
		a->value_len = cur_u32le(c);
		off = cur_u16le(c);
	} else {
		a->first_vcn = cur_u64le(c);
		a->last_vcn = cur_u64le(c);
		off = cur_u16le(c);
		(void)cur_sub(c, 6);
		(void)cur_u64le(c);	/* allocated */
		a->size = cur_u64le(c);
		a->valid = cur_u64le(c);
		a->value_len = off <= len ? len - off : 0;
	}
	if (!num_in_range(off, a->value_len, len))
		cur_bad(c, "has a value outside itself");
	else
		a->value = attr + off;
}

static bool
read_attr(const uint8_t *attr, size_t len, struct vo_mft_attr *ret)
{
	struct cur c = cur_over("attribute", attr, len);
	struct vo_mft_attr a = { .type = cur_u32le(&c) };
	size_t name_at;

	(void)cur_u32le(&c);
	a.resident = cur_u8(&c) == 0;
	a.name_bytes = (size_t)cur_u8(&c) * 2;
	name_at = cur_u16le(&c);
	a.flags = cur_u16le(&c);
	(void)cur_u16le(&c);
	read_body(&c, attr, len, &a);
	if (!cur_ok(&c) || (a.name_bytes > 0 &&
			    !num_in_range(name_at, a.name_bytes, len)))
		return false;
	a.name = attr + (a.name_bytes > 0 ? name_at : 0);
	*ret = a;
	return true;
}

bool
vo_mft_attrs(const uint8_t *rec, size_t len, vo_mft_fn fn, void *arg,
	     struct err *e)
{
	struct cur head = cur_over("MFT record", rec, len);
	struct cur c = head;
	size_t at;

	(void)cur_sub(&head, 20);
	at = cur_u16le(&head);
	(void)cur_sub(&c, at);
	while (cur_ok(&c)) {
		struct cur peek = c;
		const uint8_t *attr = cur_rest(&c);
		uint32_t type = cur_u32le(&peek), size = cur_u32le(&peek);
		struct vo_mft_attr a;

		if (type == 0xffffffff)
			return true;
		if (!cur_ok(&peek) || size < 24 || size % 8 != 0 ||
		    size > cur_left(&c) || !read_attr(attr, size, &a))
			return false;
		if (fn(arg, &a, e) < 0)
			return false;
		(void)cur_sub(&c, size);
	}
	return false;
}

/* A little-endian number of n bytes, signed or not. */
static uint64_t
packed(struct cur *c, unsigned n, bool is_signed)
{
	uint64_t v = 0;
	uint8_t b = 0;

	for (unsigned i = 0; i < n; i++) {
		b = cur_u8(c);
		v |= (uint64_t)b << 8 * i;
	}
	if (is_signed && n > 0 && n < 8 && (b & 0x80) != 0)
		v |= ~(uint64_t)0 << 8 * n;
	return v;
}

int
vo_mft_next_run(struct vo_mft_runs *r, uint64_t *ret_vcn, uint64_t *ret_lcn,
		uint64_t *ret_len, bool *ret_sparse)
{
	struct cur c = cur_over("runs", r->at, r->left);
	uint8_t head = cur_u8(&c);
	unsigned len_bytes = head & 15, lcn_bytes = head >> 4;
	uint64_t len, next;
	int64_t step;

	if (!cur_ok(&c) || len_bytes > 8 || lcn_bytes > 8)
		return -1;
	if (head == 0)
		return 0;
	len = packed(&c, len_bytes, false);
	step = (int64_t)packed(&c, lcn_bytes, true);
	if (!cur_ok(&c) || len == 0 || !num_add_u64(r->vcn, len, &next) ||
	    __builtin_add_overflow(r->lcn, step, &r->lcn) || r->lcn < 0)
		return -1;
	*ret_vcn = r->vcn;
	*ret_lcn = (uint64_t)r->lcn;
	*ret_len = len;
	*ret_sparse = lcn_bytes == 0;
	r->vcn = next;
	r->at = cur_rest(&c);
	r->left = cur_left(&c);
	return 1;
}
