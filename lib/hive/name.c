/* name.c - names of keys and values, and the sets of them in a key
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A set is a treap: a search tree by name that is also a heap by a random
 * number, so whatever names a hostile hive has, the tree is shallow.
 */
#include "hive/hive-private.h"

#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/utf.h"

/* The units of a word, one after the other. */
struct units {
	struct cur c;
	enum hv_form form;
	uint32_t low;		/* second half of a pair, or 0 */
};

enum { END = -1, BAD = -2 };

static struct units
units_of(struct hv_word w)
{
	return (struct units){ cur_over("name", w.at, w.len), w.form, 0 };
}

static int
next_of_text(struct units *u)
{
	uint32_t v = u->low;

	u->low = 0;
	if (v != 0)
		return (int)v;
	size_t n = utf_next8(u->c.at, cur_left(&u->c), &v);

	if (n == 0)
		return BAD;
	(void)cur_sub(&u->c, n);
	if (v < 0x10000)
		return (int)v;
	u->low = 0xdc00 + ((v - 0x10000) & 0x3ff);
	return (int)(0xd800 + ((v - 0x10000) >> 10));
}

static int
next_unit(struct units *u)
{
	if (u->low == 0 && cur_left(&u->c) == 0)
		return END;
	switch (u->form) {
	case HV_LATIN1:
		return cur_u8(&u->c);
	case HV_UTF16:
		if (cur_left(&u->c) < 2)
			return END;
		return cur_u16le(&u->c);
	case HV_WTF8:
	default:
		return next_of_text(u);
	}
}

struct hv_word
hv_word8(const char *text, size_t len)
{
	return (struct hv_word){ (const uint8_t *)text, len, HV_WTF8 };
}

struct hv_word
hv_node_word(const struct hv_node *n)
{
	return (struct hv_word){ n->name, n->name_len,
				 n->latin1 ? HV_LATIN1 : HV_UTF16 };
}

bool
hv_word_valid(struct hv_word w)
{
	struct units u = units_of(w);
	int c;

	do
		c = next_unit(&u);
	while (c >= 0);
	return c == END;
}

size_t
hv_word_units(struct hv_word w)
{
	struct units u = units_of(w);
	size_t n = 0;

	if (w.form == HV_LATIN1)
		return w.len;
	while (next_unit(&u) >= 0)
		n++;
	return n;
}

bool
hv_word_has(struct hv_word w, uint16_t unit)
{
	struct units u = units_of(w);
	int c;

	if (w.form == HV_LATIN1)
		return unit < 256 && w.len > 0 &&
		       memchr(w.at, unit, w.len) != NULL;
	while ((c = next_unit(&u)) >= 0)
		if (c == unit)
			return true;
	return false;
}

/* Names of one byte a unit are nearly all there are. */
static int
cmp_latin1(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	for (size_t i = 0; i < a_len && i < b_len; i++) {
		if (a[i] == b[i])
			continue;
		uint16_t x = utf_upcase(a[i]), y = utf_upcase(b[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return a_len == b_len ? 0 : a_len < b_len ? -1 : 1;
}

int
hv_word_cmp(struct hv_word a, struct hv_word b)
{
	struct units u = units_of(a), v = units_of(b);

	if (a.form == HV_LATIN1 && b.form == HV_LATIN1)
		return cmp_latin1(a.at, a.len, b.at, b.len);
	for (;;) {
		int x = next_unit(&u), y = next_unit(&v);

		if (x < 0 || y < 0)
			return x < 0 && y < 0 ? 0 : x < 0 ? -1 : 1;
		if (x == y)
			continue;
		x = utf_upcase((uint16_t)x);
		y = utf_upcase((uint16_t)y);
		if (x != y)
			return x < y ? -1 : 1;
	}
}

bool
hv_word_same(struct hv_word a, struct hv_word b)
{
	struct units u = units_of(a), v = units_of(b);
	int x, y;

	if (a.form == HV_LATIN1 && b.form == HV_LATIN1)
		return a.len == b.len &&
		       (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
	do {
		x = next_unit(&u);
		y = next_unit(&v);
	} while (x == y && x >= 0);
	return x == y;
}

WRAPS uint32_t
hv_word_hash(struct hv_word w)
{
	struct units u = units_of(w);
	uint32_t h = 0;
	int c;

	for (size_t i = 0; w.form == HV_LATIN1 && i < w.len; i++)
		h = h * 37 + utf_upcase(w.at[i]);
	if (w.form == HV_LATIN1)
		return h;
	while ((c = next_unit(&u)) >= 0)
		h = h * 37 + utf_upcase((uint16_t)c);
	return h;
}

/* The first four units, filled from the last of them backwards up to the first
 * that has no single byte. */
void
hv_word_hint(struct hv_word w, uint8_t ret[4])
{
	struct units u = units_of(w);
	int c[4];
	size_t n = 0;

	while (n < 4 && (c[n] = next_unit(&u)) >= 0)
		n++;
	memset(ret, 0, 4);
	for (; n > 0 && c[n - 1] < 256; n--)
		ret[n - 1] = (uint8_t)c[n - 1];
}

char *
hv_word_text(struct hv_word w, struct err *e)
{
	struct units u = units_of(w);
	BUF_SCOPED struct buf b = BUF_EMPTY;
	int c;

	while ((c = next_unit(&u)) >= 0)
		buf_u16le(&b, (uint16_t)c);
	if (buf_ok(&b, e) < 0)
		return NULL;
	return utf_from16(b.at, b.len, e);
}

int
hv_word_store(struct hv_arena *a, struct hv_word w, struct hv_node *n,
	      struct err *e)
{
	struct units u = units_of(w);
	BUF_SCOPED struct buf b = BUF_EMPTY;
	bool latin1 = true;
	int c;

	while ((c = next_unit(&u)) >= 0)
		latin1 = latin1 && c < 256;
	u = units_of(w);
	while ((c = next_unit(&u)) >= 0)
		if (latin1)
			buf_u8(&b, (uint8_t)c);
		else
			buf_u16le(&b, (uint16_t)c);
	if (buf_ok(&b, e) < 0)
		return -1;
	if (b.len > UINT16_MAX)
		return err_set(e, ERR_USAGE, "name of %zu bytes is too long",
			       b.len);
	uint8_t *p = hv_arena_copy(a, b.at, b.len, e);
	if (p == NULL)
		return -1;
	n->name = p;
	n->name_len = (uint16_t)b.len;
	n->latin1 = latin1;
	return 0;
}

/* ---- sets ----------------------------------------------------------------- */

struct hv_node *
hv_names_find(const struct hv_names *s, struct hv_word w)
{
	struct hv_node *n = s->root;

	while (n != NULL) {
		int d = hv_word_cmp(w, hv_node_word(n));

		if (d == 0)
			return n;
		n = d < 0 ? n->left : n->right;
	}
	return NULL;
}

/* The last node before w; false if w itself is there. */
static bool
before(const struct hv_names *s, struct hv_word w, bool sorted,
       struct hv_node **ret)
{
	struct hv_node *n = s->root, *prev = NULL;

	/* Keys come from a hive in order. */
	if (sorted && s->last != NULL &&
	    hv_word_cmp(w, hv_node_word(s->last)) > 0) {
		*ret = s->last;
		return true;
	}
	while (n != NULL) {
		int d = hv_word_cmp(w, hv_node_word(n));

		if (d == 0)
			return false;
		if (d > 0)
			prev = n;
		n = d < 0 ? n->left : n->right;
	}
	*ret = prev;
	return true;
}

/* Hang n where its prio belongs, and the nodes it displaces below it. */
static void
hang(struct hv_names *s, struct hv_node *n)
{
	struct hv_word w = hv_node_word(n);
	struct hv_node **at = &s->root, **less = &n->left, **more = &n->right;

	while (*at != NULL && (*at)->prio >= n->prio)
		at = hv_word_cmp(w, hv_node_word(*at)) < 0 ? &(*at)->left :
							     &(*at)->right;
	struct hv_node *t = *at;
	*at = n;
	while (t != NULL) {
		if (hv_word_cmp(w, hv_node_word(t)) < 0) {
			*more = t;
			more = &t->left;
			t = t->left;
		} else {
			*less = t;
			less = &t->right;
			t = t->right;
		}
	}
	*less = *more = NULL;
}

bool
hv_names_add(struct hv_names *s, struct hv_node *n, bool sorted)
{
	struct hv_node *prev = NULL;

	if (!before(s, hv_node_word(n), sorted, &prev))
		return false;
	hang(s, n);
	if (!sorted)
		prev = s->last;
	n->prev = prev;
	n->next = prev != NULL ? prev->next : s->first;
	if (n->next != NULL)
		n->next->prev = n;
	else
		s->last = n;
	if (prev != NULL)
		prev->next = n;
	else
		s->first = n;
	s->count++;
	return true;
}

void
hv_names_drop(struct hv_names *s, struct hv_node *n)
{
	struct hv_word w = hv_node_word(n);
	struct hv_node **at = &s->root, *a = n->left, *b = n->right;

	while (*at != n)
		at = hv_word_cmp(w, hv_node_word(*at)) < 0 ? &(*at)->left :
							     &(*at)->right;
	while (a != NULL && b != NULL) {
		if (a->prio > b->prio) {
			*at = a;
			at = &a->right;
			a = a->right;
		} else {
			*at = b;
			at = &b->left;
			b = b->left;
		}
	}
	*at = a != NULL ? a : b;
	if (n->prev != NULL)
		n->prev->next = n->next;
	else
		s->first = n->next;
	if (n->next != NULL)
		n->next->prev = n->prev;
	else
		s->last = n->prev;
	n->left = n->right = n->prev = n->next = NULL;
	s->count--;
}
