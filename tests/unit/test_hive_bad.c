/* test_hive_bad.c - hives that lie: an error with its rule, or the right tree
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "hive/hive.h"

enum { BINS = 4096, KEY_NAME = 80, VALUE_NAME = 24 };

/* root: a (b, value v of 20,000 bytes), c (class, value w of 5 bytes) */
static void
make(struct buf *b)
{
	struct err e = ERR_INIT;
	HV_SCOPED struct hv_hive *h = hv_new(5, &e);
	uint8_t big[20000];
	struct hv_key *k;

	memset(big, 'x', sizeof(big));
	hv_set_clock(h, 0x01d29627f1c8a860);
	k = hv_create(hv_root(h), "key-a\\key-b", &e);
	assert_int_equal(hv_set(hv_parent(k), "value-v", 3, big, sizeof(big),
				&e), 0);
	k = hv_create(hv_root(h), "key-c", &e);
	assert_int_equal(hv_set(k, "value-w", 3, "12345", 5, &e), 0);
	assert_int_equal(hv_set_class(k, "K\0", 2, &e), 0);
	assert_int_equal(hv_serialize(h, b, &e), 0);
}

static uint32_t
u32(const struct buf *b, size_t at)
{
	return b->at[at] | (uint32_t)b->at[at + 1] << 8 |
	       (uint32_t)b->at[at + 2] << 16 | (uint32_t)b->at[at + 3] << 24;
}

/* The payload of the cell that a name is in, as an offset in the file. */
static size_t
cell_of(const struct buf *b, const char *name, size_t name_at)
{
	const uint8_t *p = memmem(b->at, b->len, name, strlen(name));

	assert_non_null(p);
	return (size_t)(p - b->at) - name_at + 4;
}

static size_t
key(const struct buf *b, const char *name)
{
	return cell_of(b, name, KEY_NAME);
}

/* Where the cell lies that a field of a key points to. */
static size_t
at(const struct buf *b, size_t field)
{
	return BINS + u32(b, field) + 4;
}

static int
open_it(const struct buf *b, size_t len, struct err *e)
{
	/* An exact copy, so that a sanitizer sees any byte read beyond it. */
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, b->at, len);
	HV_SCOPED struct hv_hive *h = hv_open("h", copy, len, NULL, 0,
					      HV_LOGS_REPLAY, e);
	free(copy);
	if (h == NULL)
		return -1;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	assert_int_equal(hv_serialize(h, &out, e), 0);
	assert_non_null(hv_find(hv_root(h), "key-a\\key-b"));
	return 0;
}

static void
test_prefixes(void **state)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	(void)state;
	make(&b);
	for (size_t n = 0; n < b.len; n += n < 4700 || n > b.len - 40 ? 1 : 61) {
		struct err e = ERR_INIT;

		assert_int_equal(open_it(&b, n, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_non_null(strstr(e.msg, "rule B"));
	}
	struct err e = ERR_INIT;
	assert_int_equal(open_it(&b, b.len, &e), 0);
}

/* Of the header's bits all that its checksum covers are noticed, and no other
 * matters. */
static void
test_header_bits(void **state)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	(void)state;
	make(&b);
	for (size_t bit = 0; bit < (size_t)4096 * 8; bit++) {
		struct err e = ERR_INIT;

		b.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
		int r = open_it(&b, b.len, &e);
		assert_int_equal(r, bit < (size_t)512 * 8 ? -1 : 0);
		b.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* ---- lies, one by one -------------------------------------------------------- */

static void
cycle(struct buf *b)
{
	/* The list of key-a says the root is below it. */
	num_put_u32le(b->at + at(b, key(b, "key-a") + 28) + 4, 0x20);
}

static void
overlap(struct buf *b)
{
	/* The class of key-c is the value of it. */
	num_put_u32le(b->at + key(b, "key-c") + 48,
		      u32(b, at(b, key(b, "key-c") + 40)));
}

static void
cell_beyond_bin(struct buf *b)
{
	num_put_u32le(b->at + key(b, "key-a") - 4, 0xfffe0000);
}

static void
cell_odd(struct buf *b)
{
	b->at[key(b, "key-a") - 4] ^= 4;
}

static void
cell_freed(struct buf *b)
{
	size_t k = key(b, "key-b") - 4;

	num_put_u32le(b->at + k, (uint32_t)(0x100000000u - u32(b, k)));
}

static void
many_values(struct buf *b)
{
	num_put_u32le(b->at + key(b, "key-c") + 36, 0x10000000);
}

static void
many_subkeys(struct buf *b)
{
	num_put_u32le(b->at + key(b, "key-a") + 20, 2);
}

static void
long_list(struct buf *b)
{
	num_put_u16le(b->at + at(b, key(b, "key-a") + 28) + 2, 0xffff);
}

static void
long_name(struct buf *b)
{
	num_put_u16le(b->at + key(b, "key-b") + 72, 0xffff);
}

static void
no_name(struct buf *b)
{
	num_put_u16le(b->at + key(b, "key-b") + 72, 0);
}

static void
odd_name(struct buf *b)
{
	b->at[key(b, "key-b") + 2] &= 0xdf;	/* five bytes of UTF-16 */
}

static void
backslash(struct buf *b)
{
	b->at[key(b, "key-b") + 76] = '\\';
}

static void
same_names(struct buf *b)
{
	b->at[key(b, "key-c") + 80] = 'A';
}

static void
other_parent(struct buf *b)
{
	num_put_u32le(b->at + key(b, "key-b") + 16, 0x20);
}

static void
long_class(struct buf *b)
{
	num_put_u16le(b->at + key(b, "key-c") + 74, 0x1000);
}

static void
long_data(struct buf *b)
{
	num_put_u32le(b->at + cell_of(b, "value-w", VALUE_NAME) + 4, 6000);
}

static void
long_inline(struct buf *b)
{
	num_put_u32le(b->at + cell_of(b, "value-w", VALUE_NAME) + 4, 0x80000005);
}

static void
big_by_one(struct buf *b)
{
	num_put_u32le(b->at + cell_of(b, "value-v", VALUE_NAME) + 4, 2 * 16344 + 1);
}

static void
big_shared(struct buf *b)
{
	size_t db = at(b, cell_of(b, "value-v", VALUE_NAME) + 8);
	size_t list = at(b, db + 4);

	memcpy(b->at + list + 4, b->at + list, 4);
}

static void
value_flags(struct buf *b)
{
	b->at[cell_of(b, "value-w", VALUE_NAME) + 16] |= 0x10;
}

static void
volatile_key(struct buf *b)
{
	b->at[key(b, "key-b") + 2] |= 1;
}

static void
no_security(struct buf *b)
{
	num_put_u32le(b->at + key(b, "key-b") + 44, 0x20);
}

static void
security_cut(struct buf *b)
{
	num_put_u32le(b->at + at(b, key(b, "key-b") + 44) + 16, 40);
}

static void
security_ring(struct buf *b)
{
	num_put_u32le(b->at + at(b, key(b, "key-b") + 44) + 4, 0x20);
}

static void
bin_signature(struct buf *b)
{
	b->at[BINS] = 'H';
}

static void
bin_offset(struct buf *b)
{
	b->at[BINS + 5] = 1;
}

static void
bin_size(struct buf *b)
{
	num_put_u32le(b->at + BINS + 8, 0x80000000);
}

/* What a load understands, and a write mends. */
static void
wrong_hash(struct buf *b)
{
	b->at[at(b, key(b, "key-a") + 28) + 8] ^= 1;
}

static void
wrong_count(struct buf *b)
{
	b->at[at(b, key(b, "key-b") + 44) + 12] ^= 1;
}

static const struct {
	const char *name;
	void (*lie)(struct buf *b);
	const char *rule;	/* of the error; NULL: taken */
} lies[] = {
	{ "cycle", cycle, "C3" },
	{ "overlapping cells", overlap, "C3" },
	{ "cell beyond its bin", cell_beyond_bin, "H2" },
	{ "cell of odd size", cell_odd, "H2" },
	{ "freed key", cell_freed, "C1" },
	{ "count of values", many_values, "K8" },
	{ "count of subkeys", many_subkeys, "K5" },
	{ "length of a list", long_list, "K5" },
	{ "length of a name", long_name, "K1" },
	{ "no name", no_name, "K1" },
	{ "odd name", odd_name, "K4" },
	{ "backslash", backslash, "K4" },
	{ "two of one name", same_names, "K7" },
	{ "parent", other_parent, "K3" },
	{ "length of a class", long_class, "K10" },
	{ "length of data", long_data, "V3" },
	{ "length of inline data", long_inline, "V2" },
	{ "one segment too few", big_by_one, "V4" },
	{ "one segment twice", big_shared, "C3" },
	{ "flags of a value", value_flags, "V7" },
	{ "volatile key", volatile_key, "K2" },
	{ "no security", no_security, "K11" },
	{ "security cut", security_cut, "S3" },
	{ "security list", security_ring, "S1" },
	{ "signature of a bin", bin_signature, "H1" },
	{ "offset of a bin", bin_offset, "H1" },
	{ "size of a bin", bin_size, "H1" },
	{ "hash", wrong_hash, NULL },
	{ "reference count", wrong_count, NULL },
};

static int
find_rule(void *ctx, const struct hv_fault *f, struct err *e)
{
	const char **rule = ctx;

	(void)e;
	if (*rule != NULL && strcmp(f->rule, *rule) == 0)
		*rule = NULL;
	return 0;
}

static void
test_lies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		BUF_SCOPED struct buf b = BUF_EMPTY;
		struct err e = ERR_INIT, ignored = ERR_INIT;
		const char *rule = lies[i].rule;
		char want[32];

		make(&b);
		lies[i].lie(&b);
		int r = open_it(&b, b.len, &e);
		if (rule == NULL) {
			assert_int_equal(r, 0);
			continue;
		}
		(void)snprintf(want, sizeof(want), "rule %s at 0x", rule);
		if (r == 0 || strstr(e.msg, want) == NULL)
			fail_msg("%s: %s", lies[i].name, e.msg);
		assert_int_equal(e.kind, ERR_CORRUPT);
		/* The checker goes on, and names it too. */
		assert_int_equal(hv_check("h", b.at, b.len, find_rule, &rule,
					  &ignored), 0);
		assert_null(rule);
	}
}

static int
no_fault(void *ctx, const struct hv_fault *f, struct err *e)
{
	(void)ctx;
	return err_set(e, ERR_CORRUPT, "%s: %s", f->rule, f->what);
}

static void
test_sound(void **state)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	make(&b);
	assert_int_equal(hv_check("h", b.at, b.len, no_fault, NULL, &e), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_header_bits),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_sound),
	};

	return cmocka_run_group_tests_name("hive bad", tests, NULL, NULL);
}
