/* group.c - what differs, as units of work; see make.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "delta/files.h"
#include "delta/list.h"
#include "delta/make.h"

enum {
	SPREAD = 2 << 20,	/* as far apart they may lie */
};

/* A unit being put together. */
struct group {
	struct dl_delta *d;
	struct dl_shares *shares;
	uint64_t unit;		/* bytes of change that are packed together, */
	uint64_t full;		/* unless their bases are this long before */
	uint64_t margin;	/* bytes of base around what changes */
	struct dl_extent *base;	/* of the open unit */
	size_t bases, base_cap;
	uint64_t len, base_len;	/* of the open unit; 0: none is open */
	/* the stretch whose base is still to be added */
	uint64_t from, to;	/* offsets in its file, or places on the disk */
};

static void
group_done(struct group *g)
{
	free(g->base);
}

static int
end_unit(struct group *g, struct err *e)
{
	for (size_t i = 0; i < g->bases; i++)
		if (dl_delta_base(g->d, g->base[i].at, g->base[i].len, e) < 0)
			return -1;
	g->bases = 0;
	g->len = g->base_len = 0;
	return 0;
}

/* Add a target; a unit is opened when none is. */
static int
add_target(struct group *g, uint64_t at, uint64_t len, struct err *e)
{
	if (g->len == 0 && dl_delta_unit(g->d, DL_UNIT_DATA, e) < 0)
		return -1;
	g->len += len;
	return dl_delta_target(g->d, at, len, e);
}

static int
add_base(struct group *g, uint64_t at, uint64_t len, struct err *e)
{
	uint64_t room = DL_BASE_MAX - g->base_len;

	if (at >= g->d->old_size)
		return 0;
	len = num_min(num_min(len, g->d->old_size - at), room);
	if (len == 0)
		return 0;
	if (mem_grow(&g->base, &g->base_cap, g->bases + 1, sizeof(*g->base),
		     e) < 0)
		return -1;
	g->base[g->bases++] = (struct dl_extent){ .at = at, .len = len };
	g->base_len += len;
	return 0;
}

/* [from, to) of a stream of the old disk is a base. */
static int
add_file_base(struct group *g, const struct dl_volume *v,
	      const struct vo_placed *p, uint64_t from, uint64_t to,
	      struct err *e)
{
	for (size_t i = 0; i < p->runs; i++) {
		const struct vo_run *r = &v->l.run[p->run + i];
		uint64_t a = num_max(from, r->off);
		uint64_t b = num_min(to, r->off + r->len);

		if (a < b && add_base(g, r->at + (a - r->off), b - a, e) < 0)
			return -1;
	}
	return 0;
}

/* The stretch [from, to) with its margins. */
static void
widen(const struct group *g, uint64_t *from, uint64_t *to)
{
	*from = g->from > g->margin ? g->from - g->margin : 0;
	*to = g->to + g->margin;
}

/* ---- by files ---- */

struct by_file {
	struct group g;
	const struct dl_files *old, *new;
	/* the file at hand */
	uint32_t volume, placed;
	const struct dl_volume *old_volume;
	const struct vo_placed *before;	/* NULL: it is new */
};

static void
by_file_done(struct by_file *f)
{
	group_done(&f->g);
}

static int
end_stretch(struct by_file *f, struct err *e)
{
	struct group *g = &f->g;
	uint64_t from, to;

	if (g->from == g->to)
		return 0;
	widen(g, &from, &to);
	g->from = g->to = 0;
	if (f->before == NULL)
		return 0;
	return add_file_base(g, f->old_volume, f->before, from, to, e);
}

static int
begin_file(struct by_file *f, const struct dl_spot *s, struct err *e)
{
	if (end_stretch(f, e) < 0)
		return -1;
	f->volume = s->volume;
	f->placed = s->placed;
	return dl_files_before(f->old, &f->new->at[s->volume], s->placed,
			       &f->old_volume, &f->before, e);
}

static int
add_spot(struct by_file *f, struct dl_spot s, struct err *e)
{
	struct group *g = &f->g;

	while (s.len > 0) {
		uint64_t n;

		if (g->len >= g->unit || g->base_len >= g->full) {
			if (end_stretch(f, e) < 0 || end_unit(g, e) < 0)
				return -1;
		}
		if (g->from != g->to && s.off - g->to > SPREAD &&
		    end_stretch(f, e) < 0)
			return -1;
		n = num_min(s.len, g->unit - g->len);
		if (add_target(g, s.at, n, e) < 0 ||
		    dl_share_add(g->shares, g->d->units - 1, s.volume, s.placed,
				 n, e) < 0)
			return -1;
		if (g->from == g->to)
			g->from = s.off;
		g->to = s.off + n;
		s.at += n;
		s.off += n;
		s.len -= n;
	}
	return 0;
}

static int
group_files(const struct dl_spots *spots, const struct dl_files *old,
	    const struct dl_files *new, struct group start, struct err *e)
{
	SCOPED(by_file_done) struct by_file f = {
		.g = start, .old = old, .new = new };

	for (size_t i = 0; i < spots->count; i++) {
		const struct dl_spot *s = &spots->at[i];

		if ((i == 0 || s->volume != f.volume || s->placed != f.placed) &&
		    begin_file(&f, s, e) < 0)
			return -1;
		if (add_spot(&f, *s, e) < 0)
			return -1;
	}
	return end_stretch(&f, e) < 0 ? -1 : end_unit(&f.g, e);
}

/* ---- by places ---- */

/* The old disk around the same place is what a unit likely resembles. */
static int
end_place(struct group *g, struct err *e)
{
	uint64_t from, to;

	if (g->from == g->to)
		return 0;
	widen(g, &from, &to);
	g->from = g->to = 0;
	if (add_base(g, from, to - from, e) < 0)
		return -1;
	return end_unit(g, e);
}

static int
group_places(const struct dl_changes *c, const struct dl_files *new,
	     struct group start, struct err *e)
{
	SCOPED(group_done) struct group g = start;

	for (size_t i = 0; i < c->count; i++) {
		struct dl_extent x = c->at[i];

		while (x.len > 0) {
			uint64_t n;

			if ((g.len >= g.unit ||
			     (g.len > 0 && x.at - g.from > SPREAD)) &&
			    end_place(&g, e) < 0)
				return -1;
			n = num_min(x.len, g.unit - g.len);
			if (g.len == 0)
				g.from = x.at;
			if (add_target(&g, x.at, n, e) < 0 ||
			    dl_share_rest(g.shares, g.d->units - 1, new, x.at,
					  n, e) < 0)
				return -1;
			g.to = x.at + n;
			x.at += n;
			x.len -= n;
		}
	}
	return end_place(&g, e);
}

int
dl_group(const struct dl_changes *c, const struct dl_files *old,
	 const struct dl_files *new, enum dl_effort effort, struct dl_delta *d,
	 struct dl_shares *shares, struct err *e)
{
	static const struct { uint64_t unit, full, margin; } sizes[] = {
		[DL_FAST] = { 1 << 20, 8 << 20, 128 << 10 },
		[DL_DEFAULT] = { 1 << 20, 8 << 20, 512 << 10 },
		[DL_MAX] = { 3 << 20, 4 << 20, 2 << 20 },
	};
	DL_SPOTS_SCOPED struct dl_spots spots = DL_SPOTS_EMPTY;
	DL_CHANGES_SCOPED struct dl_changes rest = DL_CHANGES_EMPTY;
	const struct group start = { .d = d, .shares = shares,
				     .unit = sizes[effort].unit,
				     .full = sizes[effort].full,
				     .margin = sizes[effort].margin };

	if (dl_files_sort(new, c, &spots, &rest, e) < 0 ||
	    group_files(&spots, old, new, start, e) < 0)
		return -1;
	return group_places(&rest, new, start, e);
}
