/* delta.c - see delta.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/delta.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/codec.h"

enum { VERSION = 1, EXTENT_BYTES = 16, UNIT_BYTES_MIN = 12 };

/* What a reader must know besides; a bit each. */
enum { FEATURE_PATCH = 1 };

static const char magic[4] = "DLTA";

void
dl_delta_done(struct dl_delta *d)
{
	free(d->old_name);
	free(d->new_name);
	free(d->run);
	free(d->hash);
	free(d->unit);
	free(d->extent);
	free(d->stored.manifest);
	cx_wipe(&d->stored, sizeof(d->stored));
	*d = (struct dl_delta)DL_DELTA_EMPTY;
}

uint64_t
dl_delta_blocks(const struct dl_delta *d)
{
	return d->old_size / DL_BLOCK + (d->old_size % DL_BLOCK != 0);
}

int
dl_delta_block(struct dl_delta *d, enum dl_run_kind kind,
	       const uint8_t hash[CX_HASH_BYTES], struct err *e)
{
	struct dl_run *last = d->runs == 0 ? NULL : &d->run[d->runs - 1];

	if (kind == DL_RUN_DATA &&
	    mem_grow(&d->hash, &d->hash_cap, d->hashes + 1, sizeof(*d->hash),
		     e) < 0)
		return -1;
	if (last != NULL && last->kind == kind) {
		last->count++;
	} else {
		if (mem_grow(&d->run, &d->run_cap, d->runs + 1,
			     sizeof(*d->run), e) < 0)
			return -1;
		d->run[d->runs++] = (struct dl_run){
			.kind = kind, .count = 1, .hash = d->hashes };
	}
	if (kind == DL_RUN_DATA)
		memcpy(d->hash[d->hashes++], hash, CX_HASH_BYTES);
	return 0;
}

int
dl_delta_unit(struct dl_delta *d, enum dl_unit_kind kind, struct err *e)
{
	if (mem_grow(&d->unit, &d->unit_cap, d->units + 1, sizeof(*d->unit),
		     e) < 0)
		return -1;
	d->unit[d->units++] = (struct dl_unit){
		.kind = kind, .target = d->extents, .base = d->extents };
	return 0;
}

static int
add_extent(struct dl_delta *d, uint64_t at, uint64_t len, struct err *e)
{
	if (mem_grow(&d->extent, &d->extent_cap, d->extents + 1,
		     sizeof(*d->extent), e) < 0)
		return -1;
	d->extent[d->extents++] = (struct dl_extent){ .at = at, .len = len };
	return 0;
}

int
dl_delta_target(struct dl_delta *d, uint64_t at, uint64_t len, struct err *e)
{
	struct dl_unit *u = &d->unit[d->units - 1];

	if (add_extent(d, at, len, e) < 0)
		return -1;
	u->targets++;
	u->base++;
	u->len += len;
	return 0;
}

int
dl_delta_base(struct dl_delta *d, uint64_t at, uint64_t len, struct err *e)
{
	struct dl_unit *u = &d->unit[d->units - 1];

	if (add_extent(d, at, len, e) < 0)
		return -1;
	u->bases++;
	u->base_len += len;
	return 0;
}

/* ---- encoding ---- */

static void
put_text(struct buf *out, const char *s)
{
	size_t n = s == NULL ? 0 : num_min(strlen(s), DL_NAME_MAX);

	buf_u8(out, (uint8_t)n);
	buf_bytes(out, s, n);
}

static void
put_extents(struct buf *out, const struct dl_extent *x, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_u64le(out, x[i].at);
		buf_u64le(out, x[i].len);
	}
}

static void
put_unit(struct buf *out, const struct dl_delta *d, const struct dl_unit *u)
{
	buf_u8(out, (uint8_t)u->kind);
	buf_u8(out, u->codec);
	buf_u8(out, u->patch);
	buf_zeros(out, 1);
	buf_u32le(out, (uint32_t)u->targets);
	buf_u32le(out, (uint32_t)u->bases);
	put_extents(out, d->extent + u->target, u->targets);
	if (u->kind == DL_UNIT_ZERO)
		return;
	put_extents(out, d->extent + u->base, u->bases);
	buf_u32le(out, u->frame);
	buf_u32le(out, u->off);
	buf_u32le(out, u->packed);
	buf_bytes(out, u->hash, sizeof(u->hash));
	if (u->bases > 0)
		buf_bytes(out, u->base_hash, sizeof(u->base_hash));
}

static void
put_stored(struct buf *out, const struct dl_stored *s)
{
	buf_u8(out, s->there);
	if (!s->there)
		return;
	buf_bytes(out, s->domain, sizeof(s->domain));
	buf_bytes(out, s->line, sizeof(s->line));
	buf_bytes(out, s->old_id, sizeof(s->old_id));
	buf_bytes(out, s->image_key, sizeof(s->image_key));
	buf_bytes(out, s->id_key, sizeof(s->id_key));
	buf_u32le(out, s->frame);
	buf_u32le(out, s->frames);
	buf_u32le(out, (uint32_t)s->manifest_len);
	buf_bytes(out, s->manifest, s->manifest_len);
}

static uint16_t
features(const struct dl_delta *d)
{
	for (size_t i = 0; i < d->units; i++)
		if (d->unit[i].patch)
			return FEATURE_PATCH;
	return 0;
}

int
dl_delta_encode(const struct dl_delta *d, struct buf *out, struct err *e)
{
	buf_bytes(out, magic, sizeof(magic));
	buf_u16le(out, VERSION);
	buf_u16le(out, features(d));
	buf_u64le(out, d->old_size);
	buf_u64le(out, d->new_size);
	buf_u64le(out, d->created);
	put_text(out, d->old_name);
	put_text(out, d->new_name);
	buf_u8(out, d->has_list);
	if (d->has_list)
		buf_u32le(out, d->list_frame);
	put_stored(out, &d->stored);
	buf_u64le(out, d->runs);
	for (size_t i = 0; i < d->runs; i++) {
		const struct dl_run *r = &d->run[i];

		buf_u8(out, (uint8_t)r->kind);
		buf_u64le(out, r->count);
		if (r->kind == DL_RUN_DATA)
			buf_bytes(out, d->hash[r->hash],
				  (size_t)r->count * CX_HASH_BYTES);
	}
	buf_u64le(out, d->units);
	for (size_t i = 0; i < d->units; i++)
		put_unit(out, d, &d->unit[i]);
	return buf_ok(out, e);
}

/* ---- parsing ---- */

static char *
get_text(struct cur *c, struct err *e)
{
	uint8_t text[DL_NAME_MAX], n = cur_u8(c);

	cur_bytes(c, text, n);
	if (memchr(text, 0, n) != NULL)
		cur_bad(c, "has a name with a NUL");
	return mem_strn(text, cur_ok(c) ? n : 0, e);
}

static void
get_list(struct cur *c, struct dl_delta *d, uint32_t frames)
{
	uint8_t there = cur_u8(c);

	if (there > 1)
		cur_bad(c, "neither has nor lacks a list of files");
	if (!cur_ok(c) || !there)
		return;
	d->has_list = true;
	d->list_frame = cur_u32le(c);
	if (d->list_frame >= frames)
		cur_bad(c, "names a frame it does not have");
}

static int
get_stored(struct cur *c, struct dl_stored *s, uint32_t frames, struct err *e)
{
	uint8_t there = cur_u8(c);

	if (there > 1)
		cur_bad(c, "is neither of versions nor of disks");
	if (!cur_ok(c) || !there)
		return 0;
	s->there = true;
	cur_bytes(c, s->domain, sizeof(s->domain));
	cur_bytes(c, s->line, sizeof(s->line));
	cur_bytes(c, s->old_id, sizeof(s->old_id));
	cur_bytes(c, s->image_key, sizeof(s->image_key));
	cur_bytes(c, s->id_key, sizeof(s->id_key));
	s->frame = cur_u32le(c);
	s->frames = cur_u32le(c);
	uint32_t len = cur_u32le(c);
	if (!num_in_range(s->frame, s->frames, frames))
		cur_bad(c, "names frames it does not have");
	if (len > cur_left(c))
		cur_bad(c, "ends too early");
	if (!cur_ok(c))
		return 0;
	s->manifest = mem_array(len, 1, e);
	if (s->manifest == NULL)
		return -1;
	s->manifest_len = len;
	cur_bytes(c, s->manifest, len);
	return 0;
}

/* One run; its blocks are added one by one only in number. */
static int
get_run(struct cur *c, struct dl_delta *d, uint64_t *left, struct err *e)
{
	struct dl_run r = { .hash = d->hashes };
	uint8_t kind = cur_u8(c);

	r.count = cur_u64le(c);
	if (kind > DL_RUN_DATA || r.count == 0 || r.count > *left ||
	    (kind == DL_RUN_DATA && r.count > cur_left(c) / CX_HASH_BYTES))
		cur_bad(c, "has a wrong run of blocks");
	r.kind = (enum dl_run_kind)kind;
	if (d->runs > 0 && d->run[d->runs - 1].kind == r.kind)
		cur_bad(c, "has two runs where one would do");
	if (!cur_ok(c))
		return 0;
	*left -= r.count;
	if (mem_grow(&d->run, &d->run_cap, d->runs + 1, sizeof(r), e) < 0)
		return -1;
	d->run[d->runs++] = r;
	if (r.kind != DL_RUN_DATA)
		return 0;
	if (mem_grow(&d->hash, &d->hash_cap, d->hashes + (size_t)r.count,
		     sizeof(*d->hash), e) < 0)
		return -1;
	cur_bytes(c, d->hash[d->hashes], (size_t)r.count * CX_HASH_BYTES);
	d->hashes += (size_t)r.count;
	return 0;
}

static int
get_runs(struct cur *c, struct dl_delta *d, struct err *e)
{
	uint64_t left = dl_delta_blocks(d), runs = cur_u64le(c);

	for (uint64_t i = 0; i < runs && cur_ok(c); i++)
		if (get_run(c, d, &left, e) < 0)
			return -1;
	if (left != 0)
		cur_bad(c, "does not describe all of the old disk");
	return 0;
}

static int
get_extents(struct cur *c, struct dl_delta *d, size_t count, uint64_t size,
	    int (*add)(struct dl_delta *, uint64_t, uint64_t, struct err *),
	    struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t at = cur_u64le(c), len = cur_u64le(c);

		if (len == 0 || !num_in_range(at, len, size))
			cur_bad(c, "names a place outside its disk");
		if (!cur_ok(c))
			return 0;
		if (add(d, at, len, e) < 0)
			return -1;
	}
	return 0;
}

static void
get_payload(struct cur *c, struct dl_unit *u, uint32_t frames)
{
	u->frame = cur_u32le(c);
	u->off = cur_u32le(c);
	u->packed = cur_u32le(c);
	cur_bytes(c, u->hash, sizeof(u->hash));
	if (u->bases > 0)
		cur_bytes(c, u->base_hash, sizeof(u->base_hash));
	if (u->frame >= frames)
		cur_bad(c, "names a frame it does not have");
	if (u->len > DL_UNIT_MAX || u->base_len > DL_BASE_MAX)
		cur_bad(c, "has a unit that is too large");
}

static int
get_unit(struct cur *c, struct dl_delta *d, uint32_t frames, struct err *e)
{
	uint8_t kind = cur_u8(c), codec = cur_u8(c), patch = cur_u8(c);

	cur_zeros(c, 1);

	uint32_t targets = cur_u32le(c), bases = cur_u32le(c);

	if (kind > DL_UNIT_DATA || targets == 0 ||
	    targets > cur_left(c) / EXTENT_BYTES ||
	    bases > cur_left(c) / EXTENT_BYTES)
		cur_bad(c, "has a wrong unit");
	if (kind == DL_UNIT_ZERO && (bases != 0 || codec != 0))
		cur_bad(c, "makes zeros from something");
	if (patch > 1 || (patch == 1 && (bases == 0 || codec != 0)))
		cur_bad(c, "has a patch for nothing");
	if (!cur_ok(c))
		return 0;
	if (dl_delta_unit(d, (enum dl_unit_kind)kind, e) < 0 ||
	    get_extents(c, d, targets, d->new_size, dl_delta_target, e) < 0 ||
	    get_extents(c, d, bases, d->old_size, dl_delta_base, e) < 0)
		return -1;
	d->unit[d->units - 1].codec = codec;
	d->unit[d->units - 1].patch = patch == 1;
	if (kind == DL_UNIT_DATA)
		get_payload(c, &d->unit[d->units - 1], frames);
	return 0;
}

static int
by_place(const void *a, const void *b)
{
	const struct dl_extent *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* No place may be made twice. */
static int
check_targets(struct cur *c, const struct dl_delta *d, struct err *e)
{
	SCOPED_FREE struct dl_extent *all =
		mem_array(d->extents, sizeof(*all), e);
	size_t n = 0;

	if (all == NULL)
		return -1;
	for (size_t i = 0; i < d->units; i++)
		for (size_t j = 0; j < d->unit[i].targets; j++)
			all[n++] = d->extent[d->unit[i].target + j];
	mem_sort(all, n, sizeof(*all), by_place);
	for (size_t i = 1; i < n; i++)
		if (all[i].at - all[i - 1].at < all[i - 1].len)
			cur_bad(c, "makes a place twice");
	return 0;
}

static int
get_units(struct cur *c, struct dl_delta *d, uint32_t frames, struct err *e)
{
	uint64_t units = cur_u64le(c);

	if (units > cur_left(c) / UNIT_BYTES_MIN)
		cur_bad(c, "holds another number of units than it says");
	for (uint64_t i = 0; i < units && cur_ok(c); i++)
		if (get_unit(c, d, frames, e) < 0)
			return -1;
	return check_targets(c, d, e);
}

int
dl_delta_parse(const char *name, const void *in, size_t len, uint32_t frames,
	       struct dl_delta *ret, struct err *e)
{
	struct cur c = cur_over(name, in, len);
	DL_DELTA_SCOPED struct dl_delta d = DL_DELTA_EMPTY;

	cur_magic(&c, magic, sizeof(magic));
	uint16_t version = cur_u16le(&c);
	uint16_t feature_bits = cur_u16le(&c);
	d.old_size = cur_u64le(&c);
	d.new_size = cur_u64le(&c);
	d.created = cur_u64le(&c);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (version != VERSION || (feature_bits & ~FEATURE_PATCH) != 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: needs a newer version of this program",
			       name);
	d.old_name = get_text(&c, e);
	d.new_name = get_text(&c, e);
	if (d.old_name == NULL || d.new_name == NULL)
		return -1;
	get_list(&c, &d, frames);
	if (get_stored(&c, &d.stored, frames, e) < 0 ||
	    get_runs(&c, &d, e) < 0 || get_units(&c, &d, frames, e) < 0)
		return -1;
	if (feature_bits != features(&d))
		cur_bad(&c, "does not need what it says it needs");
	if (cur_end(&c, e) < 0)
		return -1;
	*ret = TAKE(d);
	return 0;
}
