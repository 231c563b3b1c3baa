/* parse.c - from the bytes of a hive to its tree, every rule checked
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Format and rules: docs/FORMAT.md, "Registry hives".
 */
#include "hive/parse-private.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

/* ---- the base block --------------------------------------------------------- */

uint32_t
hv_base_xor(const uint8_t *at)
{
	struct cur c = cur_over("base block", at, HV_SECTOR);
	uint32_t sum = 0;

	for (int i = 0; i < 127; i++)
		sum ^= cur_u32le(&c);
	return sum;
}

uint32_t
hv_base_sum(const uint8_t *at)
{
	uint32_t sum = hv_base_xor(at);

	return sum == 0xffffffff ? 0xfffffffe : sum == 0 ? 1 : sum;
}

struct hv_base
hv_base_read(const uint8_t *at, size_t len)
{
	struct cur c = cur_over("base block", at, len);
	struct hv_base b = { .regf = false };

	cur_magic(&c, "regf", 4);
	b.seq1 = cur_u32le(&c);
	b.seq2 = cur_u32le(&c);
	b.time = cur_u64le(&c);
	b.major = cur_u32le(&c);
	b.minor = cur_u32le(&c);
	b.type = cur_u32le(&c);
	b.format = cur_u32le(&c);
	b.root = cur_u32le(&c);
	b.size = cur_u32le(&c);
	b.cluster = cur_u32le(&c);
	(void)cur_sub(&c, 144 - 48);
	b.flags = cur_u32le(&c);
	(void)cur_sub(&c, 508 - 148);
	uint32_t sum = cur_u32le(&c);
	b.regf = cur_ok(&c);
	b.valid = b.regf && b.major == 1 && b.format == 1 &&
		  sum == hv_base_sum(at);
	return b;
}

static int
base_fault(struct hv_load *ld, const char *rule, uint32_t at, struct err *e,
	   const char *what)
{
	struct hv_fault f = { .rule = rule, .level = 'E', .at = at,
			      .what = what };

	return ld->fault(ld->ctx, &f, e);
}

static int
check_base(struct hv_load *ld, struct err *e)
{
	const struct hv_base *b = &ld->base;
	size_t len = ld->h->len;

	if (len < HV_BASE_BYTES + HV_BIN_UNIT)
		return base_fault(ld, "B1", 0, e, "file is too short for a hive");
	if (!b->regf)
		return base_fault(ld, "B2", 0, e, "file has no regf signature");
	if (!b->valid &&
	    base_fault(ld, "B2", 508, e, "header has a wrong checksum or version")
	    < 0)
		return -1;
	if (b->valid && (b->minor < 3 || b->minor > 6))
		return err_set(e, ERR_UNSUPPORTED, "%s: hive has format 1.%u; "
			       "1.3 to 1.6 can be read", ld->h->name, b->minor);
	if ((b->type != 0 || b->cluster != 1) &&
	    base_fault(ld, "B2", 28, e, "header is not that of a primary file") < 0)
		return -1;
	if (b->seq1 != b->seq2 &&
	    base_fault(ld, "B3", 4, e, "sequence numbers differ: hive is dirty") < 0)
		return -1;
	if ((b->size == 0 || b->size % HV_BIN_UNIT != 0 ||
	     b->size > HV_SIZE_MAX || b->size > len - HV_BASE_BYTES) &&
	    base_fault(ld, "B4", 40, e, "size of the bins does not fit the file") < 0)
		return -1;
	return 0;
}

/* ---- keys --------------------------------------------------------------------- */

/* Fields of an nk. */
struct nk {
	uint64_t time;
	uint32_t access, parent, subs, list, values, value_list, sk, cls;
	uint32_t max_class, max_value_name, max_data;
	uint16_t flags, max_name, virt, name_len, cls_len;
	struct cur name;
};

static struct nk
nk_read(struct cur *c)
{
	struct nk n;

	cur_magic(c, "nk", 2);
	n.flags = cur_u16le(c);
	n.time = cur_u64le(c);
	n.access = cur_u32le(c);
	n.parent = cur_u32le(c);
	n.subs = cur_u32le(c);
	(void)cur_u32le(c);		/* volatile subkeys: none in a file */
	n.list = cur_u32le(c);
	(void)cur_u32le(c);
	n.values = cur_u32le(c);
	n.value_list = cur_u32le(c);
	n.sk = cur_u32le(c);
	n.cls = cur_u32le(c);
	n.max_name = cur_u16le(c);
	n.virt = cur_u16le(c);
	n.max_class = cur_u32le(c);
	n.max_value_name = cur_u32le(c);
	n.max_data = cur_u32le(c);
	(void)cur_u32le(c);
	n.name_len = cur_u16le(c);
	n.cls_len = cur_u16le(c);
	n.name = cur_sub(c, n.name_len);
	return n;
}

/* What the subkeys of a key add up to. */
struct subs {
	uint32_t count;		/* entries of the lists */
	uint32_t name, cls;	/* the longest, in bytes of UTF-16 */
	uint32_t depth;
};

static int load_key(struct hv_load *ld, uint32_t cell, struct hv_key *parent,
		    uint32_t parent_cell, uint32_t depth, struct hv_key **ret,
		    struct err *e);

/* The hint or hash that the list gives for a key. */
static int
check_hint(struct hv_load *ld, uint32_t list, const struct hv_key *k,
	   uint16_t sig, struct cur hint, struct err *e)
{
	struct hv_word w = hv_node_word(&k->node);
	uint8_t want[4];

	if (sig == ('l' | 'h' << 8)) {
		if (cur_u32le(&hint) == hv_word_hash(w))
			return 0;
	} else {
		hv_word_hint(w, want);
		if (memcmp(want, hint.at, 4) == 0)
			return 0;
	}
	return hv_mended(ld, "K7", list, e, "list has the wrong hash for a key");
}

static int
load_entry(struct hv_load *ld, struct hv_key *k, uint32_t cell, uint32_t self,
	   struct hv_key **ret_sub, struct subs *s, struct err *e)
{
	struct hv_key *sub = NULL;
	int r = load_key(ld, cell, k, self, s->depth + 1, &sub, e);

	*ret_sub = NULL;
	if (r <= 0)
		return r;
	ld->key = sub;
	if (!hv_names_add(&k->subs, &sub->node, true))
		return hv_bad(ld, "K7", cell, e, "two keys have one name");
	if (k->subs.last != &sub->node &&
	    hv_mended(ld, "K7", cell, e, "key is out of order") < 0)
		return -1;
	ld->key = k;
	uint32_t bytes = 2 * (uint32_t)hv_word_units(hv_node_word(&sub->node));
	s->name = (uint32_t)num_max(s->name, bytes);
	s->cls = (uint32_t)num_max(s->cls, sub->cls_len);
	*ret_sub = sub;
	return 1;
}

static int
load_leaf(struct hv_load *ld, struct hv_key *k, uint32_t self, uint32_t list,
	  struct cur c, struct subs *s, struct err *e)
{
	uint16_t sig = cur_u16le(&c), count = cur_u16le(&c);
	bool li = sig == ('l' | 'i' << 8), lh = sig == ('l' | 'h' << 8);

	if (!cur_ok(&c) || (!li && !lh && sig != ('l' | 'f' << 8)))
		return hv_bad(ld, "K5", list, e, "list of subkeys has another form");
	if (lh != (ld->base.minor >= 5) &&
	    hv_odd(ld, "K6", list, e, "list of subkeys has the form of another "
		   "format") < 0)
		return -1;
	if (count == 0 &&
	    hv_mended(ld, "K5", list, e, "list of subkeys is empty") < 0)
		return -1;
	if (cur_left(&c) / (li ? 4 : 8) < count)
		return hv_bad(ld, "K5", list, e, "list of %u subkeys is too short",
			      count);
	for (uint16_t i = 0; i < count; i++) {
		uint32_t cell = cur_u32le(&c);
		struct cur hint = cur_sub(&c, li ? 0 : 4);
		struct hv_key *sub;
		int r = load_entry(ld, k, cell, self, &sub, s, e);

		ld->key = k;
		if (r < 0)
			return -1;
		s->count++;
		if (r > 0 && !li && check_hint(ld, list, sub, sig, hint, e) < 0)
			return -1;
	}
	return 0;
}

static int
load_root_list(struct hv_load *ld, struct hv_key *k, uint32_t self,
	       uint32_t list, struct cur c, struct subs *s, struct err *e)
{
	(void)cur_u16le(&c);
	uint16_t count = cur_u16le(&c);

	if (count == 0 &&
	    hv_mended(ld, "K5", list, e, "list of lists is empty") < 0)
		return -1;
	if (cur_left(&c) / 4 < count)
		return hv_bad(ld, "K5", list, e, "list of %u lists is too short",
			      count);
	for (uint16_t i = 0; i < count; i++) {
		uint32_t cell = cur_u32le(&c);
		struct cur leaf;
		int r = hv_cell(ld, cell, "K5", "list of subkeys", &leaf, e);

		if (r < 0 ||
		    (r > 0 && load_leaf(ld, k, self, cell, leaf, s, e) < 0))
			return -1;
	}
	return 0;
}

static int
load_subs(struct hv_load *ld, struct hv_key *k, const struct nk *nk,
	  uint32_t self, struct subs *s, struct err *e)
{
	struct cur c;

	if (nk->subs == 0)
		return nk->list == HV_NIL ? 0 :
			hv_odd(ld, "K5", nk->list, e,
			       "key without subkeys has a list of subkeys");
	int r = hv_cell(ld, nk->list, "K5", "list of subkeys", &c, e);
	if (r <= 0)
		return r;
	struct cur look = c;
	if (cur_u16le(&look) == ('r' | 'i' << 8))
		r = load_root_list(ld, k, self, nk->list, c, s, e);
	else
		r = load_leaf(ld, k, self, nk->list, c, s, e);
	if (r < 0)
		return -1;
	if (s->count != nk->subs)
		return hv_bad(ld, "K5", nk->list, e, "key says it has %u subkeys, "
			      "its lists say %u", nk->subs, s->count);
	return 0;
}

static int
load_class(struct hv_load *ld, struct hv_key *k, const struct nk *nk,
	   struct err *e)
{
	struct cur c;

	if (nk->cls_len == 0)
		return nk->cls == HV_NIL ? 0 :
			hv_odd(ld, "K10", nk->cls, e,
			       "key without a class has a cell for it");
	int r = hv_cell(ld, nk->cls, "K10", "class", &c, e);
	if (r <= 0)
		return r;
	if (cur_left(&c) < nk->cls_len)
		return hv_bad(ld, "K10", nk->cls, e, "class is too short");
	k->cls = c.at;
	k->cls_len = nk->cls_len;
	if (nk->cls_len % 2 != 0)
		return hv_note(ld, "K10", nk->cls, e,
			       "class has an odd number of bytes");
	return 0;
}

/* The fields that need no other cell. */
static int
check_nk(struct hv_load *ld, const struct hv_key *k, const struct nk *nk,
	 uint32_t cell, uint32_t parent_cell, struct err *e)
{
	struct hv_word w = hv_node_word(&k->node);
	size_t units = hv_word_units(w);
	bool root = k->parent == NULL;

	if ((nk->flags & (HV_KEY_VOLATILE | HV_KEY_EXIT)) != 0 &&
	    hv_bad(ld, "K2", cell, e, "key has flags %#x, which no file has",
		   nk->flags) < 0)
		return -1;
	if (root && (nk->flags & 0xc) != 0xc &&
	    hv_bad(ld, "B5", cell, e, "root key has flags %#x", nk->flags) < 0)
		return -1;
	if (!root && (nk->flags & HV_KEY_ROOT) != 0 &&
	    hv_bad(ld, "K2", cell, e, "key has the flag of a root") < 0)
		return -1;
	if (!root && nk->parent != parent_cell &&
	    hv_bad(ld, "K3", cell, e, "key says %#x is its parent", nk->parent) < 0)
		return -1;
	if (units == 0 && hv_bad(ld, "K1", cell, e, "key has no name") < 0)
		return -1;
	if (hv_word_has(w, '\\') &&
	    hv_bad(ld, "K4", cell, e, "name has a backslash in it") < 0)
		return -1;
	if (units > HV_NAME_UNITS + 1 &&
	    hv_bad(ld, "K4", cell, e, "name has %zu characters", units) < 0)
		return -1;
	if (units == HV_NAME_UNITS + 1 &&
	    hv_note(ld, "K4", cell, e, "name has %zu characters", units) < 0)
		return -1;
	return 0;
}

static int
check_most(struct hv_load *ld, const struct nk *nk, uint32_t cell,
	   const struct subs *s, const struct hv_most *most, struct err *e)
{
	if (nk->max_name < s->name &&
	    hv_odd(ld, "K9", cell, e, "key says its longest subkey name has %u "
		   "bytes, it has %u", nk->max_name, s->name) < 0)
		return -1;
	if (nk->max_value_name < most->name &&
	    hv_odd(ld, "K9", cell, e, "key says its longest value name has %u "
		   "bytes, it has %u", nk->max_value_name, most->name) < 0)
		return -1;
	if (nk->max_data < most->data &&
	    hv_odd(ld, "K9", cell, e, "key says its largest value has %u bytes, "
		   "it has %u", nk->max_data, most->data) < 0)
		return -1;
	return 0;
}

/* Everything that hangs below a key whose own fields are fine. */
static int
load_below(struct hv_load *ld, struct hv_key *k, const struct nk *nk,
	   uint32_t cell, uint32_t depth, struct err *e)
{
	struct subs subs = { .depth = depth };
	struct hv_most most = { .name = 0 };

	if (load_class(ld, k, nk, e) < 0 || hv_load_sk(ld, k, nk->sk, e) < 0)
		return -1;
	if ((nk->flags & HV_KEY_PREDEFINED) != 0)
		k->handle = nk->values;
	else if (hv_load_values(ld, k, nk->values, nk->value_list, &most, e) < 0)
		return -1;
	if (load_subs(ld, k, nk, cell, &subs, e) < 0)
		return -1;
	return check_most(ld, nk, cell, &subs, &most, e);
}

static int
load_key(struct hv_load *ld, uint32_t cell, struct hv_key *parent,
	 uint32_t parent_cell, uint32_t depth, struct hv_key **ret,
	 struct err *e)
{
	struct cur c;
	int r;

	if (depth > HV_DEPTH)
		return hv_bad(ld, "K0", cell, e, "key lies deeper than %d",
			      HV_DEPTH);
	r = hv_cell(ld, cell, parent == NULL ? "B5" : "C1", "key", &c, e);
	if (r <= 0)
		return r;
	size_t payload = cur_left(&c);
	struct nk nk = nk_read(&c);
	if (!cur_ok(&c))
		return hv_bad(ld, "K1", cell, e, "key %s", c.why);
	struct hv_key *k = hv_arena_new(&ld->h->arena, sizeof(*k), e);
	if (k == NULL)
		return -1;
	k->hive = ld->h;
	k->parent = parent;
	k->time = nk.time;
	k->access = nk.access;
	k->virt = nk.virt;
	k->flags = nk.flags & ~(unsigned)HV_KEY_LATIN1 & 0xffff;
	k->node.prio = hv_prio(ld->h);
	if ((nk.access & 0xff00) != 0)
		ld->h->facts.layered = true;
	if (hv_load_name(ld, cell, "K4", nk.name,
			 (nk.flags & HV_KEY_LATIN1) != 0, &k->node, e) < 0)
		return -1;
	ld->key = k;
	if (payload > HV_KEY_MAX &&
	    hv_mended(ld, "K1", cell, e, "key has a cell of %zu bytes", payload) < 0)
		return -1;
	if (check_nk(ld, k, &nk, cell, parent_cell, e) < 0 ||
	    load_below(ld, k, &nk, cell, depth, e) < 0)
		return -1;
	*ret = k;
	return 1;
}

/* ---- all of it ------------------------------------------------------------------ */

static int
load_tree(struct hv_load *ld, struct err *e)
{
	struct hv_hive *h = ld->h;
	uint32_t root = ld->base.root;
	struct hv_key *k = NULL;

	if (hv_load_bins(ld, e) < 0)
		return -1;
	if (root != HV_ROOT_CELL &&
	    hv_odd(ld, "B5", root, e, "root key does not lie at 0x20") < 0)
		return -1;
	int r = load_key(ld, root, NULL, 0, 0, &k, e);
	if (r <= 0)
		return r;
	h->root = k;
	struct cur c = hv_peek(ld, root);
	if (hv_load_sk_list(ld, nk_read(&c).sk, e) < 0)
		return -1;
	return hv_load_orphans(ld, e);
}

static void
load_done(const struct hv_load *ld)
{
	free(ld->starts);
	free(ld->used);
	free(ld->sk);
}

int
hv_parse(struct hv_hive *h, hv_fault_fn *fault, void *ctx, struct err *e)
{
	SCOPED(load_done) struct hv_load ld = {
		.h = h, .fault = fault, .ctx = ctx,
		.base = hv_base_read(h->image, h->len),
	};

	if (check_base(&ld, e) < 0)
		return -1;
	if (!ld.base.regf || h->len < HV_BASE_BYTES + HV_BIN_UNIT)
		return 0;
	struct cur c = cur_over("hive", h->image, h->len);
	(void)cur_sub(&c, HV_BASE_BYTES);
	size_t size = (size_t)num_min(ld.base.size, cur_left(&c));
	ld.bins = cur_sub(&c, (size_t)num_align_down(size, HV_BIN_UNIT));
	h->facts.minor = ld.base.minor;
	h->facts.ktm = (ld.base.flags & 1) != 0;
	size_t words = cur_left(&ld.bins) / 512 + 1;
	ld.starts = mem_array(words, sizeof(*ld.starts), e);
	ld.used = mem_array(words, sizeof(*ld.used), e);
	if (ld.starts == NULL || ld.used == NULL)
		return -1;
	return load_tree(&ld, e);
}
