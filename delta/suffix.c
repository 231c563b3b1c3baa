/* suffix.c - see suffix.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/suffix.h"

#include <divsufsort.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

enum { BETTER = 8 };	/* bytes by which another place must match more */

struct finder {
	const uint8_t *base, *in;
	size_t base_len, len;
	saidx_t *sa;			/* owned; places of base, in order */
	struct dl_likes *likes;
	struct dl_like open;		/* the last one; it may still grow */
};

void
dl_likes_done(struct dl_likes *l)
{
	free(l->like);
	*l = (struct dl_likes)DL_LIKES_EMPTY;
}

static void
finder_done(struct finder *f)
{
	free(f->sa);
}

static size_t
common(const uint8_t *a, const uint8_t *b, size_t max)
{
	size_t n = 0;

	while (n + 8 <= max && memcmp(a + n, b + n, 8) == 0)
		n += 8;
	while (n < max && a[n] == b[n])
		n++;
	return n;
}

/* The bytes in common between in[at..] and the suffix of base at sa[i]. */
static size_t
common_at(const struct finder *f, size_t i, size_t at)
{
	size_t from = (size_t)f->sa[i];

	return common(f->base + from, f->in + at,
		      num_min(f->base_len - from, f->len - at));
}

/* Does suffix i sort behind in[at..]?  They have n bytes in common. */
static bool
is_behind(const struct finder *f, size_t i, size_t at, size_t n)
{
	size_t from = (size_t)f->sa[i];

	if (at + n == f->len)
		return true;
	return from + n < f->base_len && f->base[from + n] > f->in[at + n];
}

/* The longest exact match of in[at..]; returns its length. */
static size_t
longest(const struct finder *f, size_t at, size_t *ret_from)
{
	size_t low = 0, high = f->base_len, best = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		size_t n = common_at(f, mid, at);

		if (n > best) {
			best = n;
			*ret_from = (size_t)f->sa[mid];
		}
		if (is_behind(f, mid, at, n))
			high = mid;
		else
			low = mid + 1;
	}
	return best;
}

/* How much of in[at .. at + n) the open stretch would get right, if it grew. */
static size_t
explained(const struct finder *f, size_t at, size_t n)
{
	size_t same = 0, from = f->open.from + (at - f->open.at);

	for (size_t i = 0; i < n && from + i < f->base_len; i++)
		same += f->base[from + i] == f->in[at + i];
	return same;
}

/* Let the open stretch grow towards in[end], while that pays. */
static void
grow_forward(struct finder *f, size_t end)
{
	const struct dl_like *o = &f->open;
	size_t max = num_min(end - o->at, f->base_len - o->from);
	size_t same = 0, best_len = 0;
	ptrdiff_t best = 0;

	for (size_t i = 0; i < max; i++) {
		same += f->base[o->from + i] == f->in[o->at + i];

		ptrdiff_t score = (ptrdiff_t)(2 * same) - (ptrdiff_t)(i + 1);

		if (score > best) {
			best = score;
			best_len = i + 1;
		}
	}
	f->open.len = (uint32_t)best_len;
}

/* How far a stretch that begins at (at, from) should grow back, down to in[end]. */
static size_t
grow_back(const struct finder *f, size_t end, size_t at, size_t from)
{
	size_t max = num_min(at - end, from), same = 0, best_len = 0;
	ptrdiff_t best = 0;

	for (size_t i = 1; i <= max; i++) {
		same += f->base[from - i] == f->in[at - i];

		ptrdiff_t score = (ptrdiff_t)(2 * same) - (ptrdiff_t)i;

		if (score > best) {
			best = score;
			best_len = i;
		}
	}
	return best_len;
}

/* Both the open stretch and the next one want `overlap` bytes: the number of
 * them that the open one should have. */
static size_t
divide(const struct finder *f, const struct dl_like *next, size_t overlap)
{
	const struct dl_like *o = &f->open;
	const uint8_t *in = f->in + next->at;
	const uint8_t *mine = f->base + o->from + (next->at - o->at);
	const uint8_t *its = f->base + next->from;
	ptrdiff_t score = 0, best = 0;
	size_t part = 0;

	for (size_t i = 0; i < overlap; i++) {
		score += (mine[i] == in[i]) - (its[i] == in[i]);
		if (score > best) {
			best = score;
			part = i + 1;
		}
	}
	return part;
}

static int
close_open(struct finder *f, struct err *e)
{
	struct dl_likes *l = f->likes;

	if (f->open.len == 0)
		return 0;
	if (mem_grow(&l->like, &l->cap, l->count + 1, sizeof(*l->like), e) < 0)
		return -1;
	l->like[l->count++] = f->open;
	return 0;
}

/* A better place begins: in[at..] is base[from..]. */
static int
open_next(struct finder *f, size_t at, size_t from, struct err *e)
{
	struct dl_like next;
	size_t back, end;

	grow_forward(f, at);
	end = (size_t)f->open.at + f->open.len;
	back = grow_back(f, f->open.at, at, from);
	next = (struct dl_like){ .at = (uint32_t)(at - back),
				 .from = (uint32_t)(from - back) };
	if (next.at < end) {
		size_t overlap = end - next.at;
		size_t part = divide(f, &next, overlap);

		f->open.len -= (uint32_t)(overlap - part);
		next.at += (uint32_t)part;
		next.from += (uint32_t)part;
	}
	if (close_open(f, e) < 0)
		return -1;
	f->open = next;
	return 0;
}

static int
scan(struct finder *f, struct err *e)
{
	size_t at = 0;

	while (at < f->len) {
		size_t from = 0, n = longest(f, at, &from);

		if (n <= explained(f, at, n) + BETTER)
			at += n > 0 ? n : 1;	/* growing takes it in */
		else if (open_next(f, at, from, e) < 0)
			return -1;
		else
			at += n;
	}
	grow_forward(f, f->len);
	return close_open(f, e);
}

int
dl_likes_find(const uint8_t *base, size_t base_len, const uint8_t *in,
	      size_t len, struct dl_likes *ret, struct err *e)
{
	DL_LIKES_SCOPED struct dl_likes likes = DL_LIKES_EMPTY;
	SCOPED(finder_done) struct finder f = {
		.base = base, .base_len = base_len, .in = in, .len = len,
		.likes = &likes,
	};

	f.sa = mem_array(base_len, sizeof(*f.sa), e);
	if (f.sa == NULL)
		return -1;
	if (divsufsort(base, f.sa, (saidx_t)base_len) != 0)
		return err_set(e, ERR_NOMEM, "no memory to sort a base");
	if (scan(&f, e) < 0)
		return -1;
	*ret = TAKE(likes);
	return 0;
}
