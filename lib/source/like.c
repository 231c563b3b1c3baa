/* like.c - see like.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "source/like.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "disk/disk.h"

void
src_like_done(struct src_like *l)
{
	free(l->at);
	*l = (struct src_like)SRC_LIKE_EMPTY;
}

static int
add(void *arg, uint64_t at, uint64_t len, unsigned kind, struct err *e)
{
	struct src_like *l = arg;

	(void)kind;
	if (l->count > 0 && l->at[l->count - 1].to == at) {
		l->at[l->count - 1].to += len;
		return 0;
	}
	if (mem_grow(&l->at, &l->cap, l->count + 1, sizeof(*l->at), e) < 0)
		return -1;
	l->at[l->count++] = (struct src_stretch){ .from = at, .to = at + len };
	return 0;
}

static int
by_place(const void *a, const void *b)
{
	const struct src_stretch *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

int
src_like_find(struct dk *d, struct src_like *ret, struct err *e)
{
	SRC_LIKE_SCOPED struct src_like l = SRC_LIKE_EMPTY;
	const struct dk *under = dk_under(d);

	l.image = src_over_image(d);
	if (l.image != NULL) {
		if (src_over_changes(d, add, &l, e) < 0)
			return -1;
	} else if (under != NULL &&
		   (l.image = src_version_image(under)) != NULL) {
		if (dk_changes(d, add, &l, e) < 0)
			return -1;
	}
	mem_sort(l.at, l.count, sizeof(*l.at), by_place);
	*ret = TAKE(l);
	return 0;
}

bool
src_like_differs(const struct src_like *l, uint64_t at, uint64_t len)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->at[mid].to <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->count && l->at[low].from < at + len;
}
