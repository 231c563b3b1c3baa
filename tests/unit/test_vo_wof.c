/* test_vo_wof.c - chunks and tables of CompactOS files, good and bad
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The seeds of tests/fuzz/corpus/vo_wof were compressed by wimlib from the
 * text below; tests/cli compares more, where wimlib is installed.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "volume/lzx.h"
#include "volume/wof.h"
#include "volume/xpress.h"

enum { HEAD = 4, TEXT = 70000 };

struct bytes {
	uint8_t *at;
	size_t len;
};

static int
read_bytes(void *arg, void *to, size_t len, uint64_t at, struct err *e)
{
	const struct bytes *b = arg;

	(void)e;
	assert_true(at <= b->len && len <= b->len - at);
	memcpy(to, b->at + at, len);
	return 0;
}

/* Lines with numbers, calls of x86, and from 40000 on noise. */
static void
make_text(uint8_t *to)
{
	uint32_t noise = 1;

	for (size_t i = 0; i < TEXT; i++) {
		noise = (uint32_t)((noise * 1103515245ULL + 12345) & 0x7fffffff);
		if (i >= 40000 && i < 60000)
			to[i] = (uint8_t)(noise >> 16 & 0xff);
		else if (i % 50 < 44)
			to[i] = (uint8_t)("all work and no play makes jack a "
					  "dull boy "[i % 50]);
		else
			to[i] = (uint8_t)(i % 50 == 44 ? 0xe8 : i / 50 % 7);
	}
}

static void
load(const char *method, uint8_t **ret, size_t *ret_len)
{
	struct err e = ERR_INIT;
	char path[128];

	(void)snprintf(path, sizeof(path), "tests/fuzz/corpus/vo_wof/%s",
		       method);
	assert_int_equal(io_slurp(path, 1 << 20, ret, ret_len, &e), 0);
}

static const char *const methods[] = {
	[VO_WOF_XPRESS4K] = "xpress4k", [VO_WOF_LZX] = "lzx",
	[VO_WOF_XPRESS8K] = "xpress8k", [VO_WOF_XPRESS16K] = "xpress16k",
};

static void
plain_again(void **state)
{
	static uint8_t want[TEXT], got[TEXT];

	(void)state;
	make_text(want);
	for (int m = VO_WOF_XPRESS4K; m <= VO_WOF_XPRESS16K; m++) {
		SCOPED_FREE uint8_t *seed = NULL;
		struct err e = ERR_INIT;
		size_t len;

		load(methods[m], &seed, &len);
		struct bytes b = { .at = seed + HEAD, .len = len - HEAD };
		struct vo_wof w = { .method = (enum vo_wof_method)m,
				    .size = TEXT, .stored = b.len,
				    .read = read_bytes, .arg = &b };

		assert_true(b.len < TEXT);
		assert_int_equal(vo_wof_read(&w, got, TEXT, 0, &e), 0);
		assert_memory_equal(got, want, TEXT);
		for (size_t at = 1; at < TEXT; at += 6173) {
			size_t n = TEXT - at < 9000 ? TEXT - at : 9000;

			assert_int_equal(vo_wof_read(&w, got, n, at, &e), 0);
			assert_memory_equal(got, want + at, n);
		}
	}
}

/* Every strict prefix is refused; the last bytes of the last chunk may be padding. */
static void
cut_short(void **state)
{
	static uint8_t got[TEXT];

	(void)state;
	for (int m = VO_WOF_XPRESS4K; m <= VO_WOF_XPRESS16K; m++) {
		SCOPED_FREE uint8_t *seed = NULL;
		size_t len;

		load(methods[m], &seed, &len);
		for (size_t cut = 0; cut + 8 < len - HEAD; cut += 37) {
			struct err e = ERR_INIT;
			struct bytes b = { .at = seed + HEAD, .len = cut };
			struct vo_wof w = {
				.method = (enum vo_wof_method)m, .size = TEXT,
				.stored = cut, .read = read_bytes, .arg = &b,
			};

			assert_int_equal(vo_wof_read(&w, got, TEXT, 0, &e), -1);
			assert_int_equal(e.kind, ERR_CORRUPT);
		}
	}
}

/* A table that points behind the stream, or backwards. */
static void
lying_table(void **state)
{
	static uint8_t got[TEXT];
	SCOPED_FREE uint8_t *seed = NULL;
	size_t len;

	(void)state;
	load("xpress4k", &seed, &len);
	struct bytes b = { .at = seed + HEAD, .len = len - HEAD };
	struct vo_wof w = { .method = VO_WOF_XPRESS4K, .size = TEXT,
			    .stored = b.len, .read = read_bytes, .arg = &b };

	for (size_t i = 0; i < 68; i += 4) {
		uint8_t was = b.at[i + 2];
		struct err e = ERR_INIT;

		b.at[i + 2] = 0xff;
		assert_int_equal(vo_wof_read(&w, got, TEXT, 0, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		b.at[i + 2] = was;
	}
}

/* An uncompressed block of LZX, which no compressor here writes: type 3 and 1 bit
 * for 32768 bytes, padding to a word, three offsets, the bytes. */
static void
uncompressed_block(void **state)
{
	uint8_t in[2 + 12 + 20] = { 0x00, 0x70, 1, 0, 0, 0, 1, 0, 0, 0,
				    1, 0, 0, 0 };
	uint8_t out[20];

	(void)state;
	for (size_t i = 0; i < 20; i++)
		in[14 + i] = (uint8_t)(i * 11);
	assert_true(vo_lzx(in, sizeof(in), out, sizeof(out)));
	assert_memory_equal(out, in + 14, 20);
	for (size_t cut = 0; cut < sizeof(in); cut++)
		assert_false(vo_lzx(in, cut, out, sizeof(out)));
}

/* [MS-XCA] 3.2: the two examples of LZ77+Huffman. */
static void
documented_examples(void **state)
{
	uint8_t alphabet[276] = { 0 };
	uint8_t runs[263] = { 0 };
	uint8_t out[300];

	(void)state;
	alphabet[48] = 0x50;
	memset(alphabet + 49, 0x55, 10);
	alphabet[59] = 0x45;
	alphabet[60] = 0x44;
	alphabet[61] = 0x04;
	alphabet[128] = 0x04;
	memcpy(alphabet + 256, "\xd8\x52\x3e\xd7\x94\x11\x5b\xe9\x19\x5f\xf9"
	       "\xd6\x7c\xdf\x8d\x04\x00\x00\x00\x00", 20);
	assert_true(vo_xpress(alphabet, sizeof(alphabet), out, 26));
	assert_memory_equal(out, "abcdefghijklmnopqrstuvwxyz", 26);
	runs[48] = 0x30;
	runs[49] = 0x23;
	runs[128] = 0x02;
	runs[143] = 0x20;
	memcpy(runs + 256, "\xa8\xdc\x00\x00\xff\x26\x01", 7);
	assert_true(vo_xpress(runs, sizeof(runs), out, 300));
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(out[i], "abc"[i % 3]);
}

static void
reparse_points(void **state)
{
	uint8_t point[24] = { 0x17, 0, 0, 0x80, 16, 0, 0, 0, 1, 0, 0, 0,
			      2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0 };
	enum vo_wof_method method = VO_WOF_XPRESS4K;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(vo_wof_method(point, sizeof(point), &method, &e), 0);
	assert_int_equal(method, VO_WOF_LZX);
	for (size_t cut = 0; cut < sizeof(point); cut++) {
		struct err why = ERR_INIT;

		assert_int_equal(vo_wof_method(point, cut, &method, &why), -1);
	}
	point[12] = 1;		/* lies in a WIM */
	assert_int_equal(vo_wof_method(point, sizeof(point), &method, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_again),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(lying_table),
		cmocka_unit_test(uncompressed_block),
		cmocka_unit_test(documented_examples),
		cmocka_unit_test(reparse_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
