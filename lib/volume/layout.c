/* layout.c - see layout.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/layout.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "disk/disk.h"
#include "volume/mft.h"
#include "volume/volume-private.h"

enum {
	BATCH = 1 << 20,		/* bytes of the MFT read at once */
	DEPTH = VO_DEPTH_MAX,
};

#define MFT_MAX ((uint64_t)1 << 36)	/* bytes: more than 64 million files */

/* The clusters of one attribute as one record tells them. */
struct piece {
	struct vo_placed p;		/* runs in work.run */
	uint64_t first_vcn;
};

struct work {
	struct dk *disk;
	struct vo_facts facts;
	struct vo_layout l;		/* what is being made */
	struct piece *piece;
	size_t pieces, piece_cap;
	struct vo_run *run;		/* of the pieces, in their order */
	size_t runs, run_cap;
	/* where the MFT lies, as far as it is known */
	struct vo_run *mft;
	size_t mft_runs, mft_cap;
	uint64_t mft_size;
	/* the record at hand */
	uint64_t number, base;
	bool extends;			/* it goes on where `base` has ended */
};

void
vo_layout_done(struct vo_layout *l)
{
	free(l->placed);
	free(l->run);
	free(l->node);
	free(l->text);
	*l = (struct vo_layout)VO_LAYOUT_EMPTY;
}

static void
work_done(struct work *w)
{
	vo_layout_done(&w->l);
	free(w->piece);
	free(w->run);
	free(w->mft);
}

/* Keep a name; *ret is its place, 0 for an empty one. */
static int
keep_text(struct vo_layout *l, const uint8_t *units, size_t bytes, size_t *ret,
	  struct err *e)
{
	SCOPED_FREE char *s = NULL;
	size_t n;

	*ret = 0;
	if (bytes == 0)
		return 0;
	s = utf_from16(units, bytes, e);
	if (s == NULL)
		return -1;
	n = strlen(s) + 1;
	if (mem_grow(&l->text, &l->text_cap, l->text_len + n, 1, e) < 0)
		return -1;
	memcpy(l->text + l->text_len, s, n);
	*ret = l->text_len;
	l->text_len += n;
	return 0;
}

/* $FILE_NAME: of several, the first that is no short name. */
static int
note_name(struct work *w, const struct vo_mft_attr *a, struct err *e)
{
	struct cur c = cur_over("file name", a->value, a->value_len);
	uint64_t record = w->extends ? w->base : w->number;
	uint64_t parent = cur_u64le(&c);
	struct vo_node *n;
	uint8_t units, space;

	(void)cur_sub(&c, 56);
	units = cur_u8(&c);
	space = cur_u8(&c);
	if (!cur_ok(&c) || cur_left(&c) < (size_t)units * 2 ||
	    record >= w->l.nodes)
		return 0;
	n = &w->l.node[record];
	if (n->name != 0 && (!n->name_is_short || space == 2))
		return 0;
	n->name_is_short = space == 2;
	n->parent = parent & 0xffffffffffff;
	n->parent_sequence = (uint16_t)(parent >> 48);
	return keep_text(&w->l, cur_rest(&c), (size_t)units * 2, &n->name, e);
}

/* Unpack the runs of an attribute into a growing array: 1 done, 0 they make no
 * sense, and nothing was added. */
static int
unpack(struct work *w, const struct vo_mft_attr *a, struct vo_run **run,
       size_t *count, size_t *cap, struct err *e)
{
	struct vo_mft_runs packed = { .at = a->value, .left = a->value_len,
				      .vcn = a->first_vcn };
	uint64_t vcn, lcn, len, cluster = w->facts.cluster;
	size_t n = *count;
	bool sparse;
	int r;

	while ((r = vo_mft_next_run(&packed, &vcn, &lcn, &len, &sparse)) > 0) {
		if (sparse)
			continue;
		if (!num_in_range(lcn, len, w->facts.clusters) ||
		    vcn > UINT64_MAX / cluster - len)
			return 0;
		if (mem_grow(run, cap, n + 1, sizeof(**run), e) < 0)
			return -1;
		(*run)[n++] = (struct vo_run){
			.at = w->l.at + lcn * cluster, .off = vcn * cluster,
			.len = len * cluster };
	}
	if (r < 0)
		return 0;
	*count = n;
	return 1;
}

static int
note_runs(struct work *w, const struct vo_mft_attr *a, struct err *e)
{
	struct piece x = { .first_vcn = a->first_vcn };
	int r;

	x.p = (struct vo_placed){
		.record = w->extends ? w->base : w->number,
		.type = a->type, .flags = a->flags, .run = w->runs,
	};
	if (a->first_vcn == 0) {
		x.p.size = a->size;
		x.p.valid = a->valid;
	}
	r = unpack(w, a, &w->run, &w->runs, &w->run_cap, e);
	if (r <= 0) {
		w->l.skipped += r == 0;
		return r;
	}
	x.p.runs = w->runs - x.p.run;
	if (keep_text(&w->l, a->name, a->name_bytes, &x.p.name, e) < 0 ||
	    mem_grow(&w->piece, &w->piece_cap, w->pieces + 1,
		     sizeof(*w->piece), e) < 0)
		return -1;
	w->piece[w->pieces++] = x;
	/* The MFT tells where the rest of it is while it is being read. */
	if (x.p.record == VO_RECORD_MFT && a->type == VO_ATTR_DATA &&
	    w->number != VO_RECORD_MFT)
		return unpack(w, a, &w->mft, &w->mft_runs, &w->mft_cap, e) < 0 ?
			-1 : 0;
	return 0;
}

static int
note_attr(void *arg, const struct vo_mft_attr *a, struct err *e)
{
	struct work *w = arg;

	if (!a->resident)
		return note_runs(w, a, e);
	return a->type == 0x30 ? note_name(w, a, e) : 0;
}

static int
note_record(struct work *w, uint64_t number, uint8_t *rec, struct err *e)
{
	struct vo_mft_record r;
	struct vo_node *n = &w->l.node[number];
	size_t len = w->facts.mft_record;

	if (!vo_mft_open(rec, len, &r)) {
		w->l.skipped += rec[0] != 0;
		return 0;
	}
	n->sequence = r.sequence;
	n->used = r.used;
	n->is_folder = r.is_folder;
	if (!r.used)
		return 0;
	w->number = number;
	w->base = r.base;
	w->extends = r.extends;
	if (!vo_mft_attrs(rec, len, note_attr, w, e)) {
		w->l.skipped++;
		return e->kind != ERR_NONE ? -1 : 0;
	}
	return 0;
}

/* Where the first part of the MFT lies: its own first record says. */
static int
first_attr(void *arg, const struct vo_mft_attr *a, struct err *e)
{
	struct work *w = arg;

	if (a->type != VO_ATTR_DATA || a->resident || a->name_bytes > 0)
		return 0;
	w->mft_size = a->size;
	return unpack(w, a, &w->mft, &w->mft_runs, &w->mft_cap, e) < 0 ? -1 : 0;
}

static int
find_mft(struct work *w, struct err *e)
{
	uint8_t boot[512] = { 0 }, rec[64 << 10];
	struct cur c = cur_over("boot sector", boot, sizeof(boot));
	struct vo_mft_record r;
	uint64_t lcn, at;

	if (dk_read(w->disk, boot, sizeof(boot), w->l.at, e) < 0)
		return -1;
	(void)cur_sub(&c, 48);
	lcn = cur_u64le(&c);
	if (!num_in_range(lcn, 1, w->facts.clusters))
		return err_set(e, ERR_CORRUPT, "%s: the MFT lies outside its "
			       "volume", w->disk->name);
	at = w->l.at + lcn * w->facts.cluster;
	if (dk_read(w->disk, rec, w->facts.mft_record, at, e) < 0)
		return -1;
	if (!vo_mft_open(rec, w->facts.mft_record, &r) ||
	    !vo_mft_attrs(rec, w->facts.mft_record, first_attr, w, e) ||
	    w->mft_runs == 0 || w->mft_size > MFT_MAX)
		return err_set(e, ERR_CORRUPT, "%s: the MFT's first record is "
			       "damaged", w->disk->name);
	return 0;
}

/* The disk place of offset `off` of the MFT, and how many bytes follow there;
 * false when nobody told. */
static bool
mft_place(const struct work *w, uint64_t off, uint64_t *ret_at,
	  uint64_t *ret_len)
{
	for (size_t i = 0; i < w->mft_runs; i++) {
		const struct vo_run *r = &w->mft[i];

		if (off >= r->off && off - r->off < r->len) {
			*ret_at = r->at + (off - r->off);
			*ret_len = r->len - (off - r->off);
			return true;
		}
	}
	return false;
}

static int
read_mft(struct work *w, struct err *e)
{
	SCOPED_FREE uint8_t *batch = mem_array(BATCH, 1, e);
	size_t rec = w->facts.mft_record;
	uint64_t at, len;

	w->l.nodes = (size_t)(w->mft_size / rec);
	w->l.node = mem_array(w->l.nodes, sizeof(*w->l.node), e);
	if (batch == NULL || w->l.node == NULL)
		return -1;
	for (uint64_t off = 0; off < w->l.nodes * rec;) {
		if (!mft_place(w, off, &at, &len) || len < rec) {
			w->l.skipped++;		/* goes on with the next */
			off += rec;
			continue;
		}
		len = num_min(num_min(len, BATCH), w->l.nodes * rec - off);
		len -= len % rec;
		if (dk_read(w->disk, batch, (size_t)len, at, e) < 0)
			return -1;
		for (size_t i = 0; i < len; i += rec)
			if (note_record(w, (off + i) / rec, batch + i, e) < 0)
				return -1;
		off += len;
	}
	return 0;
}

static const char *
text_of(const struct vo_layout *l, size_t name)
{
	return l->text + name;
}

/* Is it a piece of the same attribute?  <0, 0, >0. */
static int
compare_owner(const struct vo_layout *l, const struct piece *x,
	      const struct piece *y)
{
	if (x->p.record != y->p.record)
		return x->p.record < y->p.record ? -1 : 1;
	if (x->p.type != y->p.type)
		return x->p.type < y->p.type ? -1 : 1;
	return strcmp(text_of(l, x->p.name), text_of(l, y->p.name));
}

static int
by_owner(const void *a, const void *b, void *arg)
{
	const struct piece *x = a, *y = b;
	int r = compare_owner(arg, x, y);

	if (r != 0)
		return r;
	return x->first_vcn < y->first_vcn ? -1 : x->first_vcn > y->first_vcn;
}

/* Put the pieces of each attribute together.  One whose pieces do not follow
 * each other keeps those that do. */
static int
join(struct work *w, struct err *e)
{
	struct vo_layout *l = &w->l;
	const struct piece *last = NULL;

	qsort_r(w->piece, w->pieces, sizeof(*w->piece), by_owner, l);
	l->run = mem_array(w->runs, sizeof(*l->run), e);
	l->placed = mem_array(w->pieces, sizeof(*l->placed), e);
	if (l->run == NULL || l->placed == NULL)
		return -1;
	for (size_t i = 0; i < w->pieces; i++) {
		const struct piece *x = &w->piece[i];
		struct vo_placed *p;

		if (x->p.record >= l->nodes || !l->node[x->p.record].used) {
			l->skipped++;
			continue;
		}
		if (last == NULL || compare_owner(l, last, x) != 0) {
			l->placed[l->count] = x->p;
			l->placed[l->count].run = l->runs;
			l->placed[l->count++].runs = 0;
		} else if (x->first_vcn == last->first_vcn) {
			l->skipped++;
			continue;
		}
		last = x;
		p = &l->placed[l->count - 1];
		for (size_t k = 0; k < x->p.runs; k++) {
			const struct vo_run *r = &w->run[x->p.run + k];

			if (p->runs > 0 && r->off < l->run[l->runs - 1].off +
						    l->run[l->runs - 1].len)
				break;
			l->run[l->runs++] = *r;
			p->runs++;
		}
	}
	return 0;
}

int
vo_layout_read(struct dk *d, uint64_t at, uint64_t size, struct vo_layout *ret,
	       struct err *e)
{
	SCOPED(work_done) struct work w = { .disk = d };

	if (vo_boot_facts(d, at, size, &w.facts, e) < 0)
		return -1;
	if (w.facts.kind != VO_NTFS)
		return err_set(e, ERR_UNSUPPORTED, "%s: the volume at byte %"
			       PRIu64 " is %s, not NTFS", d->name, at,
			       vo_kind_name(w.facts.kind));
	w.l.cluster = w.facts.cluster;
	w.l.at = at;
	w.l.size = size;
	w.facts.clusters = num_min(w.facts.clusters, size / w.facts.cluster);
	/* Place 0 of the names is the empty one. */
	if (mem_grow(&w.l.text, &w.l.text_cap, 1, 1, e) < 0)
		return -1;
	w.l.text_len = 1;
	if (find_mft(&w, e) < 0 || read_mft(&w, e) < 0 || join(&w, e) < 0)
		return -1;
	*ret = TAKE(w.l);
	return 0;
}

char *
vo_layout_path(const struct vo_layout *l, uint64_t record, struct err *e)
{
	const struct vo_node *chain[DEPTH];
	BUF_SCOPED struct buf out = BUF_EMPTY;
	uint64_t at = record;
	size_t n = 0;

	while (at != VO_RECORD_ROOT) {
		const struct vo_node *x = at < l->nodes ? &l->node[at] : NULL;

		if (x == NULL || x->name == 0 || n == DEPTH ||
		    x->parent >= l->nodes ||
		    l->node[x->parent].sequence != x->parent_sequence)
			return mem_fmt(e, "?/%" PRIu64, record);
		chain[n++] = x;
		at = x->parent;
	}
	while (n > 0) {
		buf_str(&out, text_of(l, chain[--n]->name));
		if (n > 0)
			buf_str(&out, "/");
	}
	return buf_take_str(&out, e);
}

const struct vo_placed *
vo_layout_data(const struct vo_layout *l, uint64_t record)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct vo_placed *p = &l->placed[mid];

		if (p->record < record || (p->record == record &&
					   p->type < VO_ATTR_DATA))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == l->count || l->placed[low].record != record ||
	    l->placed[low].type != VO_ATTR_DATA || l->placed[low].name != 0)
		return NULL;
	return &l->placed[low];
}

int
vo_layout_used(struct dk *d, const struct vo_layout *l, uint8_t **ret,
	       uint64_t *ret_clusters, struct err *e)
{
	const struct vo_placed *p = vo_layout_data(l, VO_RECORD_BITMAP);
	uint64_t clusters = l->size / l->cluster, bytes = clusters / 8 + 1;
	SCOPED_FREE uint8_t *used = NULL;

	if (p == NULL)
		return err_set(e, ERR_CORRUPT, "%s: the volume at byte %" PRIu64
			       " has no $Bitmap", d->name, l->at);
	used = mem_array((size_t)bytes, 1, e);
	if (used == NULL)
		return -1;
	for (size_t i = 0; i < p->runs; i++) {
		const struct vo_run *r = &l->run[p->run + i];

		if (r->off < bytes &&
		    dk_read(d, used + r->off,
			    (size_t)num_min(r->len, bytes - r->off), r->at,
			    e) < 0)
			return -1;
	}
	*ret = TAKE(used);
	*ret_clusters = num_min(clusters, p->size * 8);
	return 0;
}
