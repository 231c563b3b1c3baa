/* parse_sk.c - security cells: a ring of descriptors with reference counts
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/parse-private.h"

#include "base/err.h"

/* Fields of an sk. */
struct sk_head {
	uint32_t next, prev, count, len;
};

static struct hv_sk *
find(const struct hv_load *ld, uint32_t cell)
{
	size_t lo = 0, hi = ld->sk_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ld->sk[mid].cell == cell)
			return &ld->sk[mid];
		if (ld->sk[mid].cell < cell)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static struct sk_head
head_of(struct cur *c)
{
	struct sk_head h;

	(void)cur_u32le(c);
	h.next = cur_u32le(c);
	h.prev = cur_u32le(c);
	h.count = cur_u32le(c);
	h.len = cur_u32le(c);
	return h;
}

/* Make sk->sd stand for its bytes, whatever they are. */
static int
take(struct hv_load *ld, struct hv_sk *sk, struct err *e)
{
	struct cur c = hv_peek(ld, sk->cell);
	struct sk_head h = head_of(&c);
	struct cur sd = cur_sub(&c, cur_ok(&c) ? h.len : 0);
	const char *wrong = "is too short";

	if (sk->sd != NULL)
		return 0;
	if (cur_ok(&c))
		wrong = hv_sd_wrong(sd.at, cur_left(&sd));
	if (wrong != NULL &&
	    hv_bad(ld, "S3", sk->cell, e, "security descriptor %s", wrong) < 0)
		return -1;
	sk->sd = hv_sd_intern(ld->h, sd.at, cur_left(&sd), false, e);
	return sk->sd == NULL ? -1 : 0;
}

int
hv_load_sk(struct hv_load *ld, struct hv_key *k, uint32_t cell, struct err *e)
{
	struct hv_sk *sk = hv_is_cell(ld, cell) ? find(ld, cell) : NULL;

	if (sk != NULL) {
		if (take(ld, sk, e) < 0)
			return -1;
		sk->refs++;
		k->sd = sk->sd;
		return 0;
	}
	if (hv_bad(ld, "K11", cell, e, "key has no security cell") < 0)
		return -1;
	k->sd = hv_sd_intern(ld->h, (const uint8_t *)"", 0, false, e);
	return k->sd == NULL ? -1 : 0;
}

static int
walk_ring(struct hv_load *ld, uint32_t first, struct err *e)
{
	uint32_t cell = first;

	do {
		struct hv_sk *sk = hv_is_cell(ld, cell) ? find(ld, cell) : NULL;

		if (sk == NULL)
			return hv_bad(ld, "S1", cell, e,
				      "security list leads to no security cell");
		if (sk->listed)
			return hv_bad(ld, "S1", cell, e,
				      "security list does not end where it began");
		if (take(ld, sk, e) < 0)
			return -1;
		sk->listed = true;
		hv_use(ld, cell);
		struct cur c = hv_peek(ld, cell);
		struct sk_head h = head_of(&c);
		struct hv_sk *next = hv_is_cell(ld, h.next) ? find(ld, h.next) :
							      NULL;
		if (next != NULL) {
			struct cur n = hv_peek(ld, h.next);

			if (head_of(&n).prev != cell &&
			    hv_mended(ld, "S1", h.next, e, "security list goes "
				      "back to another cell") < 0)
				return -1;
		}
		cell = h.next;
	} while (cell != first);
	return 0;
}

/* What the ring and the keys say of each cell must agree. */
static int
compare(struct hv_load *ld, struct hv_sk *sk, struct err *e)
{
	struct cur c = hv_peek(ld, sk->cell);
	struct sk_head h = head_of(&c);

	if (!sk->listed) {
		hv_use(ld, sk->cell);
		if (hv_mended(ld, "S1", sk->cell, e,
			      "security cell is not in the list") < 0)
			return -1;
	}
	if (sk->refs == 0 &&
	    hv_odd(ld, "S2", sk->cell, e, "security cell is of no key") < 0)
		return -1;
	if (h.count != sk->refs &&
	    hv_odd(ld, "S2", sk->cell, e, "security cell counts %u keys and has %u",
		   h.count, sk->refs) < 0)
		return -1;
	if (sk->sd->cell != 0 &&
	    hv_odd(ld, "S4", sk->cell, e,
		   "security cell holds the same as another") < 0)
		return -1;
	sk->sd->cell = sk->cell;
	return 0;
}

int
hv_load_sk_list(struct hv_load *ld, uint32_t first, struct err *e)
{
	ld->key = NULL;
	if (walk_ring(ld, first, e) < 0)
		return -1;
	for (size_t i = 0; i < ld->sk_count; i++)
		if ((ld->sk[i].listed || ld->sk[i].refs > 0) &&
		    compare(ld, &ld->sk[i], e) < 0)
			return -1;
	return 0;
}
