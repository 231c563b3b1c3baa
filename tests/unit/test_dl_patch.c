/* test_dl_patch.c - patches of programs
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "delta/patch.h"
#include "store/codec.h"

enum { OLD = 300000, NEW = 300500, PUT_IN = 500, HALF = OLD / 2 };

/* A program, and what became of it: bytes put in, addresses that moved. */
struct pair {
	uint8_t old[OLD], new[NEW];
};

static void
build(struct pair *p)
{
	uint32_t x = 12345;

	for (size_t i = 0; i < OLD; i++) {
		x = (uint32_t)(((uint64_t)x * 1103515245 + 12345) & 0xffffffff);
		p->old[i] = (uint8_t)(x >> 16);
	}
	memcpy(p->new, p->old, HALF);
	memset(p->new + HALF, 'x', PUT_IN);
	memcpy(p->new + HALF + PUT_IN, p->old + HALF, OLD - HALF);
	for (size_t i = 100; i < NEW; i += 64)
		p->new[i] = (uint8_t)((p->new[i] + 5) & 0xff);
}

static void
make(struct st_coder *c, const struct pair *p, struct buf *out)
{
	struct err e = ERR_INIT;

	assert_int_equal(dl_patch_make(c, p->old, OLD, p->new, NEW, out, &e), 0);
}

static void
makes_what_it_was_made_of(void **state)
{
	static struct pair p;
	static uint8_t got[NEW];
	BUF_SCOPED struct buf patch = BUF_EMPTY;
	struct err e = ERR_INIT;
	ST_CODER_SCOPED struct st_coder *c = st_coder_new(&e);

	(void)state;
	build(&p);
	make(c, &p, &patch);
	assert_true(patch.len < 2000);	/* 4,695 bytes differ, all by 5 */
	assert_int_equal(dl_patch_apply(c, patch.at, patch.len, p.old, OLD, got,
					NEW, &e), 0);
	assert_memory_equal(got, p.new, NEW);
}

/* Nothing resembles, nothing is there, all is there. */
static void
copes_with_extremes(void **state)
{
	static struct pair p;
	static uint8_t got[OLD];
	struct err e = ERR_INIT;
	ST_CODER_SCOPED struct st_coder *c = st_coder_new(&e);
	const struct { const uint8_t *base; size_t base_len, len; } t[] = {
		{ p.old, OLD, OLD }, { p.old, OLD, 1 }, { p.old, 1, OLD },
		{ got, 5000, 100000 }, { p.old, OLD, 0 },
	};

	(void)state;
	build(&p);
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		BUF_SCOPED struct buf patch = BUF_EMPTY;
		static uint8_t base[OLD];

		memcpy(base, t[i].base, t[i].base_len);
		assert_int_equal(dl_patch_make(c, base, t[i].base_len, p.old,
					       t[i].len, &patch, &e), 0);
		assert_int_equal(dl_patch_apply(c, patch.at, patch.len, base,
						t[i].base_len, got, t[i].len,
						&e), 0);
		assert_memory_equal(got, p.old, t[i].len);
	}
}

static void
refuses_what_is_not_whole(void **state)
{
	static struct pair p;
	static uint8_t got[NEW + 1];
	BUF_SCOPED struct buf patch = BUF_EMPTY;
	struct err e = ERR_INIT;
	ST_CODER_SCOPED struct st_coder *c = st_coder_new(&e);

	(void)state;
	build(&p);
	make(c, &p, &patch);
	for (size_t n = 0; n < patch.len; n++) {
		struct err cut = ERR_INIT;

		assert_int_equal(dl_patch_apply(c, patch.at, n, p.old, OLD, got,
						NEW, &cut), -1);
		assert_int_equal(cut.kind, ERR_CORRUPT);
	}
	for (int by = -1; by <= 1; by += 2) {
		struct err other = ERR_INIT;

		assert_int_equal(dl_patch_apply(c, patch.at, patch.len, p.old,
						OLD, got, (size_t)(NEW + by),
						&other), -1);
		assert_int_equal(other.kind, ERR_CORRUPT);
	}
	struct err small = ERR_INIT;
	assert_int_equal(dl_patch_apply(c, patch.at, patch.len, p.old, OLD / 2,
					got, NEW, &small), -1);
	assert_int_equal(small.kind, ERR_CORRUPT);
}

static void
survives_a_lack_of_memory(void **state)
{
	static struct pair p;
	static uint8_t got[NEW];
	BUF_SCOPED struct buf patch = BUF_EMPTY;
	struct err e = ERR_INIT;
	ST_CODER_SCOPED struct st_coder *c = st_coder_new(&e);
	int r = -1;

	(void)state;
	build(&p);
	for (unsigned n = 1; r < 0; n++) {
		BUF_SCOPED struct buf failing = BUF_EMPTY;
		struct err none = ERR_INIT;

		mem_fail_from(n);
		r = dl_patch_make(c, p.old, 3000, p.new, 3000, &failing, &none);
		mem_fail_from(0);
		assert_true(r == 0 || none.kind == ERR_NOMEM);
	}
	assert_int_equal(dl_patch_make(c, p.old, 3000, p.new, 3000, &patch, &e),
			 0);
	r = -1;
	for (unsigned n = 1; r < 0; n++) {
		struct err none = ERR_INIT;

		mem_fail_from(n);
		r = dl_patch_apply(c, patch.at, patch.len, p.old, 3000, got,
				   3000, &none);
		mem_fail_from(0);
		assert_true(r == 0 || none.kind == ERR_NOMEM);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_what_it_was_made_of),
		cmocka_unit_test(copes_with_extremes),
		cmocka_unit_test(refuses_what_is_not_whole),
		cmocka_unit_test(survives_a_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
