/* cuts.c - see cuts.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/cuts.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

void
st_cuts_done(struct st_cuts *c)
{
	free(c->run);
	free(c->order);
	*c = (struct st_cuts)ST_CUTS_EMPTY;
}

int
st_cuts_add(struct st_cuts *c, uint64_t at, uint64_t len, uint64_t object,
	    uint64_t off, struct err *e)
{
	if (len == 0)
		return 0;
	if (c->runs >= UINT32_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more runs than can be cut");
	if (mem_grow(&c->run, &c->cap, c->runs + 1, sizeof(*c->run), e) < 0)
		return -1;
	/* What has no contents of its own is where it is. */
	c->run[c->runs++] = (struct st_run){
		.at = at, .len = len, .object = object,
		.off = object < ST_OBJECT_FIRST ? at : off };
	return 0;
}

/* ---- settling ------------------------------------------------------------ */

/* A claim and when it was made. */
struct claim {
	struct st_run run;
	size_t nth;
};

static int
claim_order(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	if (x->run.at != y->run.at)
		return x->run.at < y->run.at ? -1 : 1;
	return (x->nth > y->nth) - (x->nth < y->nth);
}

/* The claims that cover the place where a sweep is, earliest claim on top. */
struct heap {
	struct claim *at;
	size_t count, cap;
};

static void
swap_claims(struct claim *a, struct claim *b)
{
	struct claim was = *a;

	*a = *b;
	*b = was;
}

static int
heap_push(struct heap *h, const struct claim *c, struct err *e)
{
	if (mem_grow(&h->at, &h->cap, h->count + 1, sizeof(*h->at), e) < 0)
		return -1;
	size_t i = h->count++;
	h->at[i] = *c;
	for (; i > 0 && h->at[i].nth < h->at[(i - 1) / 2].nth; i = (i - 1) / 2)
		swap_claims(&h->at[i], &h->at[(i - 1) / 2]);
	return 0;
}

static void
heap_pop(struct heap *h)
{
	h->at[0] = h->at[--h->count];
	for (size_t i = 0;;) {
		size_t least = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < h->count; k++)
			if (h->at[k].nth < h->at[least].nth)
				least = k;
		if (least == i)
			return;
		swap_claims(&h->at[i], &h->at[least]);
		i = least;
	}
}

/* Where the disk is given out: the grids, and what was settled so far. */
struct sweep {
	struct st_cuts *out;
	const uint64_t *origin;
	size_t origins, grid;	/* grid 0 begins at 0, grid n at origin[n - 1] */
	uint64_t first_object;	/* of grid 0 */
	uint64_t at;
};

static int
give_grid(struct sweep *s, uint64_t to, struct err *e)
{
	while (s->at < to) {
		while (s->grid < s->origins && s->origin[s->grid] <= s->at)
			s->grid++;
		uint64_t end = s->grid < s->origins ?
			num_min(to, s->origin[s->grid]) : to;
		uint64_t begin = s->grid == 0 ? 0 : s->origin[s->grid - 1];

		if (st_cuts_add(s->out, s->at, end - s->at,
				s->first_object + s->grid, s->at - begin, e) < 0)
			return -1;
		s->at = end;
	}
	return 0;
}

static uint64_t
run_end(const struct st_run *r)
{
	return r->at + r->len;
}

/* Give out what the claims in the heap cover, up to `to`. */
static int
give_claims(struct sweep *s, struct heap *h, uint64_t to, struct err *e)
{
	while (h->count > 0 && s->at < to) {
		const struct st_run *r = &h->at[0].run;

		if (run_end(r) <= s->at) {
			heap_pop(h);
			continue;
		}
		uint64_t end = num_min(run_end(r), to);
		if (st_cuts_add(s->out, s->at, end - s->at, r->object,
				r->off + (s->at - r->at), e) < 0)
			return -1;
		s->at = end;
	}
	return give_grid(s, to, e);
}

static int
sweep_claims(struct sweep *s, const struct claim *claim, size_t count,
	     uint64_t sectors, struct err *e)
{
	struct heap h = { .at = NULL };
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		r = give_claims(s, &h, num_min(claim[i].run.at, sectors), e);
		/* What claims left over begins where the sweep is. */
		if (r == 0)
			r = heap_push(&h, &claim[i], e);
	}
	if (r == 0)
		r = give_claims(s, &h, sectors, e);
	free(h.at);
	return r;
}

static int
order_cmp(const void *a, const void *b, void *arg)
{
	const struct st_run *run = arg;
	const struct st_run *x = &run[*(const uint32_t *)a];
	const struct st_run *y = &run[*(const uint32_t *)b];

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static void
sort(struct st_cuts *c)
{
	if (c->runs > 1)
		qsort_r(c->order, c->runs, sizeof(*c->order), order_cmp, c->run);
}

/* The same offset twice is a broken file; the second run becomes an object of
 * its own, so that each sector is in exactly one chunk.  From here on offsets
 * within an object ascend and do not overlap. */
static int
sort_by_object(struct st_cuts *c, uint64_t free_object, struct err *e)
{
	uint64_t end = 0, object = 0;
	bool is_sorted = true;

	c->order = mem_array(c->runs, sizeof(*c->order), e);
	if (c->order == NULL)
		return -1;
	for (size_t i = 0; i < c->runs; i++)
		c->order[i] = (uint32_t)i;
	sort(c);
	for (size_t i = 0; i < c->runs; i++) {
		struct st_run *r = &c->run[c->order[i]];

		if (r->object != object)
			end = 0;
		object = r->object;
		if (r->off < end && object >= ST_OBJECT_FIRST) {
			r->object = free_object++;
			r->off = 0;
			is_sorted = false;
		} else {
			end = r->off + r->len;
		}
	}
	if (!is_sorted)
		sort(c);
	return 0;
}

int
st_cuts_settle(struct st_cuts *c, uint64_t sectors, const uint64_t *origin,
	       size_t count, struct err *e)
{
	ST_CUTS_SCOPED struct st_cuts out = ST_CUTS_EMPTY;
	SCOPED_FREE struct claim *claim = mem_array(c->runs, sizeof(*claim), e);
	struct sweep s = { .out = &out, .origin = origin, .origins = count,
			   .first_object = ST_OBJECT_FIRST };
	size_t claims = 0;

	if (claim == NULL)
		return -1;
	for (size_t i = 0; i < c->runs; i++) {
		if (c->run[i].at >= sectors)
			continue;
		claim[claims] = (struct claim){ .run = c->run[i], .nth = i };
		struct st_run *r = &claim[claims++].run;
		r->len = num_min(r->len, sectors - r->at);
		s.first_object = num_max(s.first_object, r->object + 1);
	}
	mem_sort(claim, claims, sizeof(*claim), claim_order);
	if (sweep_claims(&s, claim, claims, sectors, e) < 0 ||
	    sort_by_object(&out, s.first_object + count + 1, e) < 0)
		return -1;
	out.sectors = sectors;
	st_cuts_done(c);
	*c = TAKE(out);
	return 0;
}

/* ---- asking -------------------------------------------------------------- */

size_t
st_cuts_find(const struct st_cuts *c, uint64_t sector)
{
	size_t low = 0, high = c->runs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (run_end(&c->run[mid]) <= sector)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t
st_cuts_pieces(const struct st_cuts *c, uint64_t object, uint64_t k,
	       struct st_piece piece[ST_CHUNK_SECTORS])
{
	uint64_t from = k * ST_CHUNK_SECTORS, to = from + ST_CHUNK_SECTORS;
	size_t low = 0, high = c->runs, n = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct st_run *r = &c->run[c->order[mid]];

		if (r->object < object ||
		    (r->object == object && r->off + r->len <= from))
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < c->runs && n < ST_CHUNK_SECTORS; low++) {
		const struct st_run *r = &c->run[c->order[low]];
		uint64_t a = num_max(r->off, from);
		uint64_t b = num_min(r->off + r->len, to);

		if (r->object != object || r->off >= to)
			break;
		piece[n++] = (struct st_piece){ .at = r->at + (a - r->off),
						.len = (uint32_t)(b - a) };
	}
	return n;
}
