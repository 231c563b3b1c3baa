/* test_store_formats.c - what the store writes, byte for byte
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "store/codec.h"
#include "store/index.h"
#include "store/map.h"
#include "store/pack.h"
#include "store/version.h"

static const uint8_t test_key[32] = { 1, 2, 3 };

static struct st_id
id_of(uint8_t c)
{
	struct st_id id;

	memset(id.at, c, sizeof(id.at));
	return id;
}

static void
same_bytes(const struct buf *b, const char *hex)
{
	char *got = malloc(2 * b->len + 1);

	cx_hex(got, b->at, b->len);
	assert_string_equal(got, hex);
	free(got);
}

/* A parser under test: 0, or -1 with *e. */
typedef int parse_fn(const void *in, size_t len, struct err *e);

/* Every strict prefix is refused, a byte more as well, and so is every lack of
 * memory. */
static void
strict(parse_fn *parse, const struct buf *good)
{
	SCOPED_FREE uint8_t *more = malloc(good->len + 1);
	struct err e = ERR_INIT;

	assert_int_equal(parse(good->at, good->len, &e), 0);
	for (size_t n = 0; n < good->len; n++) {
		SCOPED_FREE uint8_t *less = malloc(n + 1);
		struct err why = ERR_INIT;

		memcpy(less, good->at, n);
		assert_int_equal(parse(less, n, &why), -1);
		assert_int_not_equal(why.kind, ERR_NONE);
	}
	memcpy(more, good->at, good->len);
	more[good->len] = 0;
	assert_int_equal(parse(more, good->len + 1, &e), -1);
	for (unsigned n = 1;; n++) {
		struct err why = ERR_INIT;

		mem_fail_from(n);
		int r = parse(good->at, good->len, &why);
		mem_fail_from(0);
		if (r == 0)
			break;
		assert_int_equal(why.kind, ERR_NOMEM);
		assert_true(n < 1000);
	}
}

/* ---- maps ---------------------------------------------------------------- */

static void
good_map(struct st_map *m)
{
	struct err e = ERR_INIT;
	struct st_chunk a = { .id = id_of(0xaa), .len = 65536 };
	struct st_chunk b = { .id = id_of(0xbb), .len = 1024 };
	size_t n;

	memset(a.key, 0x11, sizeof(a.key));
	memset(b.key, 0x22, sizeof(b.key));
	assert_int_equal(st_map_add(m, 0, 100, &a, 0, SIZE_MAX, &n, &e), 0);
	assert_int_equal(st_map_add(m, 200, 2, &b, 0, SIZE_MAX, &n, &e), 0);
	assert_int_equal(st_map_add(m, 300, 28, &a, 100, 0, &n, &e), 0);
	assert_int_equal(n, 0);
}

static int
parse_map(const void *in, size_t len, struct err *e)
{
	ST_MAP_SCOPED struct st_map m = ST_MAP_EMPTY;

	return st_map_parse(in, len, &m, e);
}

#define X8(x) x x x x x x x x
#define X32(x) X8(x) X8(x) X8(x) X8(x)

static const char map_vector[] =
	"484d41500100000002000000" "03000000"
	X32("aa") X32("11") "00000100"
	X32("bb") X32("22") "00040000"
	"00000000" "64000000" "00000000" "00000000"
	"c8000000" "02000000" "01000000" "00000000"
	"2c010000" "1c000000" "00000000" "64000000";

static void
test_map(void **state)
{
	ST_MAP_SCOPED struct st_map m = ST_MAP_EMPTY;
	ST_MAP_SCOPED struct st_map back = ST_MAP_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	good_map(&m);
	assert_int_equal(st_map_encode(&m, &b, &e), 0);
	assert_int_equal(b.len, st_map_size(&m));
	same_bytes(&b, map_vector);
	strict(parse_map, &b);
	assert_int_equal(st_map_parse(b.at, b.len, &back, &e), 0);
	assert_int_equal(back.extents, 3);
	assert_int_equal(back.extent[2].off, 100);
	assert_int_equal(st_map_find(&back, 0), 0);
	assert_int_equal(st_map_find(&back, 99), 0);
	assert_int_equal(st_map_find(&back, 100), 1);
	assert_int_equal(st_map_find(&back, 301), 2);
	assert_int_equal(st_map_find(&back, 328), 3);
}

/* Broken in one place each: offset in the vector, value, words. */
static void
test_map_broken(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *says;
	} broken[] = {
		{ 0, 'h', "magic" },
		{ 4, 2, "version 2" },
		{ 6, 1, "reserved" },
		{ 8, 3, "number of entries" },
		{ 12, 255, "number of entries" },
		{ 80, 1, "forbidden length" },		/* 65537 */
		{ 82, 2, "forbidden length" },		/* 131072 */
		{ 152 + 8, 1, "outside its chunk" },	/* chunk 1 before 0 */
		{ 168, 0, "misplaced" },		/* overlaps */
		{ 184 + 12, 101, "outside its chunk" },
		{ 168 + 8, 0, "no extent names" },
	};
	ST_MAP_SCOPED struct st_map m = ST_MAP_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	good_map(&m);
	assert_int_equal(st_map_encode(&m, &b, &e), 0);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		ST_MAP_SCOPED struct st_map got = { .extents = 42 };
		struct err why = ERR_INIT;
		uint8_t was = b.at[broken[i].at];

		b.at[broken[i].at] = broken[i].value;
		assert_int_equal(st_map_parse(b.at, b.len, &got, &why), -1);
		assert_int_equal(got.extents, 42);
		got.extents = 0;
		if (strstr(why.msg, broken[i].says) == NULL)
			fail_msg("case %zu: %s", i, why.msg);
		b.at[broken[i].at] = was;
	}
}

static int
parse_root(const void *in, size_t len, struct err *e)
{
	ST_ROOT_SCOPED struct st_root r = ST_ROOT_EMPTY;

	return st_root_parse(in, len, &r, e);
}

static void
test_root(void **state)
{
	ST_ROOT_SCOPED struct st_root r = { .size = 200u << 20 };
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;
	struct st_id a = id_of(0xaa), c = id_of(0xcc);

	(void)state;
	assert_int_equal(st_root_add(&r, 0, &a, &e), 0);
	assert_int_equal(st_root_add(&r, 3, &c, &e), 0);
	assert_int_equal(st_root_encode(&r, &b, &e), 0);
	same_bytes(&b, "48524f5401000000" "0000800c00000000" "02000000"
		   "00000000" "00000000" X32("aa") "03000000" X32("cc"));
	strict(parse_root, &b);
	assert_non_null(st_root_find(&r, 3));
	assert_null(st_root_find(&r, 1));
	b.at[60] = 4;		/* a segment behind the disk's end */
	assert_int_equal(parse_root(b.at, b.len, &e), -1);
	assert_non_null(strstr(e.msg, "misplaced"));
}

/* ---- records and packs --------------------------------------------------- */

static const uint8_t domain[16] = "domain";

static void
seal(struct buf *out, enum st_kind kind, const struct st_id *id,
     const void *data, size_t len)
{
	struct err e = ERR_INIT;
	ST_CODER_SCOPED struct st_coder *c = st_coder_new(&e);
	BUF_SCOPED struct buf scratch = BUF_EMPTY;

	assert_int_equal(st_record_seal(c, kind, id, test_key, ST_CODEC_ZSTD, 1,
					data, len, &scratch, out, &e), 0);
}

static int
open_record(const void *in, size_t len, struct err *e)
{
	ST_CODER_SCOPED struct st_coder *c = NULL;
	BUF_SCOPED struct buf scratch = BUF_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	struct st_id id = id_of(7);

	c = st_coder_new(e);
	if (c == NULL)
		return -1;
	return st_record_open(c, ST_KIND_CHUNK, &id, test_key, in, len, "record",
			      ST_CHUNK_MAX, &scratch, &out, e);
}

static void
test_record(void **state)
{
	BUF_SCOPED struct buf rec = BUF_EMPTY;
	uint8_t data[4096];
	struct st_id id = id_of(7);

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i / 64);
	seal(&rec, ST_KIND_CHUNK, &id, data, sizeof(data));
	assert_int_equal((rec.len - ST_RECORD_HEADER - 40) % 256, 0);
	strict(open_record, &rec);
	/* No bit of it may change. */
	for (size_t i = 0; i < rec.len; i++) {
		struct err e = ERR_INIT;

		rec.at[i] ^= 4;
		assert_int_equal(open_record(rec.at, rec.len, &e), -1);
		rec.at[i] ^= 4;
	}
	/* Nor may it stand for another kind. */
	struct err e = ERR_INIT;
	ST_CODER_SCOPED struct st_coder *c = st_coder_new(&e);
	BUF_SCOPED struct buf scratch = BUF_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	assert_int_equal(st_record_open(c, ST_KIND_ROOT, &id, test_key, rec.at,
					rec.len, "record", ST_MAP_MAX, &scratch,
					&out, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static int
parse_pack(const void *in, size_t len, struct err *e)
{
	ST_ENTRIES_SCOPED struct st_entries l = ST_ENTRIES_EMPTY;
	int r = st_pack_parse("pack", in, len, &l, e);

	/* A pack may end behind any record. */
	return r == 0 && l.count != 2 ? err_set(e, ERR_CORRUPT, "short") : r;
}

static void
test_pack(void **state)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	ST_ENTRIES_SCOPED struct st_entries l = ST_ENTRIES_EMPTY;
	struct st_id one = id_of(1), two = id_of(2);
	struct err e = ERR_INIT;

	(void)state;
	buf_str(&b, "HALPACK\n");
	buf_u16le(&b, 1);
	buf_zeros(&b, 6);
	buf_bytes(&b, domain, sizeof(domain));
	seal(&b, ST_KIND_CHUNK, &one, "one", 3);
	uint32_t second = (uint32_t)b.len;
	seal(&b, ST_KIND_SEGMENT, &two, "two", 3);
	strict(parse_pack, &b);
	assert_int_equal(st_pack_parse("pack", b.at, b.len, &l, &e), 0);
	assert_int_equal(l.count, 2);
	assert_int_equal(l.at[1].at, second);
	assert_int_equal(l.at[1].kind, ST_KIND_SEGMENT);
	assert_true(st_id_equal(&l.at[1].id, &two));
}

/* ---- codecs -------------------------------------------------------------- */

static void
test_codecs(void **state)
{
	static uint8_t data[60000], base[60000], back[60000];
	struct err e = ERR_INIT;
	ST_CODER_SCOPED struct st_coder *c = st_coder_new(&e);
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(base); i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		base[i] = (uint8_t)(x >> 16 & 255);
	}
	memcpy(data, base, sizeof(data));
	memset(data + 30000, 'x', 5000);
	for (int codec = 0; codec < ST_CODEC_COUNT; codec++) {
		BUF_SCOPED struct buf out = BUF_EMPTY;
		enum st_codec used;
		bool based = codec == ST_CODEC_ZSTD_BASE ||
			     codec == ST_CODEC_ZLIB_BASE;

		assert_int_equal(st_coder_pack(c, (enum st_codec)codec, 3, data,
					       sizeof(data), base, sizeof(base),
					       &out, &used, &e), 0);
		assert_int_equal(used, codec);
		if (codec == ST_CODEC_ZSTD_BASE)
			assert_true(out.len < 1000);
		assert_int_equal(st_coder_unpack(c, used, out.at, out.len,
						 based ? base : NULL,
						 based ? sizeof(base) : 0, back,
						 sizeof(back), &e), 0);
		assert_memory_equal(back, data, sizeof(data));
		for (size_t n = 0; codec != 0 && n < out.len; n += 97) {
			struct err why = ERR_INIT;

			assert_int_equal(st_coder_unpack(
				c, used, out.at, n, based ? base : NULL,
				based ? sizeof(base) : 0, back, sizeof(back),
				&why), -1);
			assert_int_equal(why.kind, ERR_CORRUPT);
		}
	}
	/* What does not shrink is kept as it is; a strange codec is refused. */
	BUF_SCOPED struct buf out = BUF_EMPTY;
	enum st_codec used;
	assert_int_equal(st_coder_pack(c, ST_CODEC_ZSTD, 1, base, sizeof(base),
				       NULL, 0, &out, &used, &e), 0);
	assert_int_equal(used, ST_CODEC_NONE);
	assert_int_equal(out.len, sizeof(base));
	assert_int_equal(st_coder_unpack(c, 9, base, 5, NULL, 0, back, 5, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
}

/* ---- manifests and lists ------------------------------------------------- */

static struct cx_key signer = CX_KEY_EMPTY;
static struct st_line line = ST_LINE_EMPTY;
static struct st_id list_of;

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return cx_key_make(&signer, "signer", &e) < 0 ||
	       cx_secret_new(&line.derived, 4 * 32, &e) < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	cx_key_done(&signer);
	st_line_done(&line);
	return 0;
}

static int
parse_version(const void *in, size_t len, struct err *e)
{
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;

	return st_version_parse("manifest", in, len, &line, &v, e);
}

static void
test_version(void **state)
{
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	ST_VERSION_SCOPED struct st_version back = ST_VERSION_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;
	struct st_id id;

	(void)state;
	memcpy(v.name, "win7", 5);
	v.number = 3;
	v.size = 1u << 30;
	v.root = id_of(9);
	assert_int_equal(st_version_set(&v, "source", "win7.img", &e), 0);
	assert_int_equal(st_version_set(&v, "a", "1", &e), 0);
	assert_int_equal(st_version_set(&v, "a", "2", &e), 0);
	assert_int_equal(st_version_encode(&v, &line, &signer, &b, &id, &e), 0);
	strict(parse_version, &b);
	assert_int_equal(st_version_parse("manifest", b.at, b.len, &line, &back,
					  &e), 0);
	assert_string_equal(back.name, "win7");
	assert_int_equal(back.number, 3);
	assert_int_equal(back.size, 1u << 30);
	assert_int_equal(back.props, 2);
	assert_string_equal(st_version_get(&back, "a"), "2");
	assert_null(st_version_get(&back, "b"));
	for (size_t i = 0; i < b.len; i++) {
		struct err why = ERR_INIT;

		b.at[i] ^= 1;
		assert_int_equal(parse_version(b.at, b.len, &why), -1);
		b.at[i] ^= 1;
	}
}

static int
parse_list(const void *in, size_t len, struct err *e)
{
	ST_LIST_SCOPED struct st_list l = ST_LIST_EMPTY;

	return st_list_parse("list", in, len, &list_of, &l, e);
}

static void
test_list(void **state)
{
	ST_LIST_SCOPED struct st_list l = ST_LIST_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct st_id one = id_of(1), two = id_of(2), other = id_of(3);
	struct err e = ERR_INIT;
	size_t hint = 0;

	(void)state;
	list_of = id_of(5);
	assert_int_equal(st_list_mark(&l, &two, 9, 8, &hint, &e), 0);
	assert_int_equal(st_list_mark(&l, &one, 3, 1, &hint, &e), 0);
	assert_int_equal(st_list_mark(&l, &two, 9, 0, &hint, &e), 0);
	assert_int_equal(st_list_mark(&l, &two, 9, 9, &hint, &e), -1);
	assert_int_equal(l.count, 2);
	assert_int_equal(l.at[0].bit[0], 2);
	assert_int_equal(l.at[1].bit[0], 1);
	assert_int_equal(l.at[1].bit[1], 1);
	e = (struct err)ERR_INIT;
	assert_int_equal(st_list_encode(&l, &list_of, &signer, &b, &e), 0);
	strict(parse_list, &b);
	list_of = other;
	assert_int_equal(parse_list(b.at, b.len, &e), -1);
	assert_non_null(strstr(e.msg, "another version"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_map_broken),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_pack),
		cmocka_unit_test(test_codecs),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests_name("store formats", tests, setup,
					   teardown);
}
