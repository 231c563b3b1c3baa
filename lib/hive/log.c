/* log.c - the two formats of transaction logs
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Format: docs/FORMAT.md, "Logs".
 */
#include "hive/log-private.h"

#include <string.h>

#include "base/num.h"

/* ---- Marvin32 --------------------------------------------------------------------- */

struct marvin {
	uint32_t lo, hi;
};

static uint32_t
rotate(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

WRAPS static void
mix(struct marvin *m, uint32_t v)
{
	m->lo += v;
	m->hi ^= m->lo;
	m->lo = rotate(m->lo, 20) + m->hi;
	m->hi = rotate(m->hi, 9) ^ m->lo;
	m->lo = rotate(m->lo, 27) + m->hi;
	m->hi = rotate(m->hi, 19);
}

static uint64_t
marvin(struct cur c)
{
	struct marvin m = { 0x7a4e55c5, 0x82ef4d88 };

	while (cur_left(&c) >= 4)
		mix(&m, cur_u32le(&c));
	mix(&m, 0x80);
	mix(&m, 0);
	return (uint64_t)m.hi << 32 | m.lo;
}

uint64_t
hv_marvin(const uint8_t *at, size_t len)
{
	return marvin(cur_over("log", at, len));
}

/* ---- HvLE ----------------------------------------------------------------------- */

/* The fields before the page references. */
struct entry_head {
	uint32_t size, flags, seq, bins, count;
	uint64_t body_hash, head_hash;
};

static struct entry_head
head_read(struct cur *c)
{
	struct entry_head h;

	cur_magic(c, "HvLE", 4);
	h.size = cur_u32le(c);
	h.flags = cur_u32le(c);
	h.seq = cur_u32le(c);
	h.bins = cur_u32le(c);
	h.count = cur_u32le(c);
	h.body_hash = cur_u64le(c);
	h.head_hash = cur_u64le(c);
	return h;
}

static bool
head_fits(struct cur entry, const struct entry_head *h, size_t left)
{
	return h->size >= HV_SECTOR && h->size % HV_SECTOR == 0 &&
	       h->size <= left &&
	       h->head_hash == marvin(cur_sub(&entry, 32));
}

static bool
refs_fit(const struct hv_entry *entry)
{
	struct cur refs = entry->refs, pages = entry->pages;

	for (uint32_t i = 0; i < entry->count; i++) {
		uint32_t at = cur_u32le(&refs), size = cur_u32le(&refs);

		if (size == 0 || size % HV_SECTOR != 0 || at % HV_SECTOR != 0 ||
		    !num_in_range(at, size, entry->bins))
			return false;
		(void)cur_sub(&pages, size);
	}
	return cur_ok(&pages);
}

int
hv_entry_read(struct cur *c, uint32_t want, uint32_t bins_max,
	      struct hv_entry *ret)
{
	struct cur look = *c;
	struct entry_head h = head_read(&look);

	if (!cur_ok(&look) || h.seq != want)
		return 0;
	if (!head_fits(*c, &h, cur_left(c)) || h.bins == 0 ||
	    h.bins % HV_BIN_UNIT != 0 || h.bins > bins_max || h.count == 0)
		return -1;
	struct cur body = cur_sub(&look, h.size - 40);
	if (h.body_hash != marvin(body) || cur_left(&body) / 8 < h.count)
		return -1;
	struct hv_entry entry = {
		.flags = h.flags, .seq = h.seq, .bins = h.bins,
		.count = h.count,
	};
	entry.refs = cur_sub(&body, 8 * (size_t)h.count);
	entry.pages = body;
	if (!refs_fit(&entry))
		return -1;
	*c = look;
	*ret = entry;
	return 1;
}

void
hv_entry_apply(const struct hv_entry *entry, uint8_t *bins)
{
	struct cur refs = entry->refs, pages = entry->pages;

	for (uint32_t i = 0; i < entry->count; i++) {
		uint32_t at = cur_u32le(&refs), size = cur_u32le(&refs);

		cur_bytes(&pages, bins + at, size);
	}
}

/* Entries begin on sectors; a damaged one may hide where the next begins. */
uint32_t
hv_hvle_last(const struct hv_logs_read *l, uint32_t from)
{
	uint32_t last = from;

	for (size_t i = 0; i < l->count; i++) {
		const struct hv_log *log = l->file[i].from;
		struct cur c = cur_over("log", log->at, log->len);

		while (cur_left(&c) >= HV_SECTOR) {
			struct cur look = c;
			struct entry_head h = head_read(&look);

			if (cur_ok(&look) && hv_serial_cmp(h.seq, last) > 0 &&
			    head_fits(c, &h, SIZE_MAX))
				last = h.seq;
			(void)cur_sub(&c, HV_SECTOR);
		}
	}
	return last;
}

uint32_t
hv_hvle_end(const struct hv_log_file *f)
{
	struct cur c = cur_over("log", f->from->at, f->from->len);
	uint32_t want = f->base.seq1;
	struct hv_entry entry;

	(void)cur_sub(&c, HV_SECTOR);
	while (hv_entry_read(&c, want, HV_SIZE_MAX, &entry) > 0)
		want = hv_serial_next(want);
	return want;
}

bool
hv_hvle_holds(const struct hv_logs_read *l, uint32_t seq)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->file[i].kind == HV_LOG_HVLE &&
		    hv_serial_cmp(hv_hvle_end(&l->file[i]), seq) > 0)
			return true;
	return false;
}

/* ---- DIRT ----------------------------------------------------------------------- */

bool
hv_dirt_read(const struct hv_log_file *log, struct hv_dirt *ret)
{
	struct cur c = cur_over("log", log->from->at, log->from->len);
	uint32_t bytes = log->base.size / HV_BIN_UNIT;
	uint64_t sectors = 0;

	(void)cur_sub(&c, HV_SECTOR + 4);
	ret->bitmap = cur_sub(&c, bytes);
	ret->size = log->base.size;
	/* The sectors begin on the next one. */
	(void)cur_sub(&c, (HV_SECTOR - (4 + bytes) % HV_SECTOR) % HV_SECTOR);
	ret->sectors = c;
	for (struct cur b = ret->bitmap; cur_left(&b) > 0; )
		sectors += (unsigned)__builtin_popcount(cur_u8(&b));
	return cur_ok(&c) && bytes > 0 && sectors <= cur_left(&c) / HV_SECTOR;
}

uint32_t
hv_dirt_apply(const struct hv_dirt *d, uint8_t *bins)
{
	struct cur bitmap = d->bitmap, sectors = d->sectors;
	uint32_t count = 0;

	for (size_t at = 0; cur_left(&bitmap) > 0; at += HV_BIN_UNIT) {
		uint8_t bits = cur_u8(&bitmap);

		for (unsigned i = 0; i < 8; i++)
			if ((bits >> i & 1) != 0) {
				cur_bytes(&sectors, bins + at + i * HV_SECTOR,
					  HV_SECTOR);
				count++;
			}
	}
	return count;
}

/* The time in the header of the first bin, which repeats the base block's. */
static uint64_t
bin_time(struct cur c)
{
	cur_magic(&c, "hbin", 4);
	(void)cur_sub(&c, 16);
	uint64_t t = cur_u64le(&c);
	return cur_ok(&c) ? t : 0;
}

/* Without a header to compare with: does the log bring the first bin, stamped
 * with its own time? */
static bool
brings_first_bin(const struct hv_log_file *f, uint64_t not_before)
{
	struct hv_dirt d;

	if (!hv_dirt_read(f, &d) || (cur_u8(&d.bitmap) & 1) == 0)
		return false;
	return bin_time(d.sectors) == f->base.time &&
	       f->base.time >= not_before;
}

const struct hv_log_file *
hv_dirt_choose(const struct hv_logs_read *l, const uint8_t *image, size_t len)
{
	const struct hv_log_file *best = NULL;
	struct cur c = cur_over("hive", image, len);

	(void)cur_sub(&c, HV_BASE_BYTES);
	uint64_t time = l->primary.valid ? l->primary.time : bin_time(c);
	for (size_t i = 0; i < l->count; i++)
		if (l->file[i].kind == HV_LOG_DIRT &&
		    l->file[i].base.time == time)
			return &l->file[i];
	for (size_t i = 0; i < l->count && !l->primary.valid; i++) {
		const struct hv_log_file *f = &l->file[i];

		if (f->kind == HV_LOG_DIRT && brings_first_bin(f, time) &&
		    (best == NULL || f->base.time > best->base.time))
			best = f;
	}
	return best;
}
