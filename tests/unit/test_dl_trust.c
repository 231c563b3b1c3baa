/* test_dl_trust.c - releases and what a client remembers, as bytes
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "delta/trust.h"

/* Two lines, added in the wrong order, with everything that can be in one. */
static void
build(struct dl_release *r)
{
	struct err e = ERR_INIT;

	for (int n = 0; n < 2; n++) {
		struct dl_line *l = dl_release_add(r, n == 0 ? "xp" : "win7", &e);

		assert_non_null(l);
		l->id[0] = (uint8_t)n;
		l->epoch = 3;
		for (uint64_t number = 5; number > 3; number--) {
			struct dl_offered *v = dl_line_add(l, number, &e);

			assert_non_null(v);
			v->manifest = (struct dl_object){ .len = 400 };
			v->manifest.id.at[0] = (uint8_t)number;
			v->list = (struct dl_object){ .len = 300 };
			assert_int_equal(mem_grow(&v->index, &v->index_cap, 1,
						  sizeof(*v->index), &e), 0);
			v->index[v->indexes++] = (struct dl_object){ .len = 9 };
			assert_int_equal(mem_grow(&v->delta, &v->delta_cap, 1,
						  sizeof(*v->delta), &e), 0);
			v->delta[v->deltas++] = (struct dl_offer){
				.file = { .len = 70 } };
		}
	}
}

static void
release_round_trip(void **state)
{
	DL_RELEASE_SCOPED struct dl_release r = DL_RELEASE_EMPTY;
	DL_RELEASE_SCOPED struct dl_release got = DL_RELEASE_EMPTY;
	BUF_SCOPED struct buf a = BUF_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	build(&r);
	assert_int_equal(dl_release_encode(&r, &a, &e), 0);
	assert_int_equal(dl_release_parse("r", a.at, a.len, &got, &e), 0);
	assert_int_equal(dl_release_encode(&got, &b, &e), 0);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.at, b.at, a.len);
	assert_string_equal(got.line[0].name, "win7");

	struct dl_line *l = dl_release_line(&got, "xp");
	assert_int_equal(dl_line_newest(l)->number, 5);
	assert_non_null(dl_line_version(l, 4));
	assert_null(dl_line_version(l, 6));
	/* Going back withdraws, and says so. */
	dl_line_go_back(l, 4);
	assert_int_equal(dl_line_newest(l)->number, 4);
	assert_int_equal(l->epoch, 4);
}

static void
release_is_strict(void **state)
{
	DL_RELEASE_SCOPED struct dl_release r = DL_RELEASE_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;
	int done = -1;

	(void)state;
	build(&r);
	assert_int_equal(dl_release_encode(&r, &b, &e), 0);
	for (size_t n = 0; n < b.len; n++) {
		DL_RELEASE_SCOPED struct dl_release cut = DL_RELEASE_EMPTY;
		struct err why = ERR_INIT;

		assert_int_equal(dl_release_parse("r", b.at, n, &cut, &why), -1);
		assert_int_equal(why.kind, ERR_CORRUPT);
	}
	for (unsigned n = 1; done < 0; n++) {
		DL_RELEASE_SCOPED struct dl_release got = DL_RELEASE_EMPTY;
		struct err why = ERR_INIT;

		assert_true(n < 100);
		mem_fail_from(n);
		done = dl_release_parse("r", b.at, b.len, &got, &why);
		mem_fail_from(0);
		assert_true(done == 0 || why.kind == ERR_NOMEM);
	}
	buf_u8(&b, 0);
	DL_RELEASE_SCOPED struct dl_release longer = DL_RELEASE_EMPTY;
	assert_int_equal(dl_release_parse("r", b.at, b.len, &longer, &e), -1);
}

/* A client that has seen something of one origin. */
static void
remember(struct dl_seen *s)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	BUF_SCOPED struct buf body = BUF_EMPTY;
	struct err e = ERR_INIT;

	assert_int_equal(cx_key_make(&k, "boss", &e), 0);
	for (int i = CX_ROLE_ROOT; i < CX_ROLE_END; i++) {
		assert_int_equal(cx_pubs_add(&s->root.role[i].keys, &k.pub, &e),
				 0);
		s->root.role[i].threshold = 1;
	}
	assert_int_equal(cx_root_encode(&s->root, &body, &e), 0);
	s->meta.role = CX_ROLE_ROOT;
	s->meta.number = 2;
	s->meta.body_len = body.len;
	s->meta.body = body.at;
	body = (struct buf)BUF_EMPTY;
	s->latest = 1234;
	s->mark[CX_ROLE_SNAPSHOT].number = 7;
	assert_int_equal(mem_grow(&s->line, &s->cap, 2, sizeof(*s->line), &e),
			 0);
	s->line[s->lines++] = (struct dl_line_mark){ .name = "win7",
						     .number = 3 };
	s->line[s->lines++] = (struct dl_line_mark){ .name = "xp", .epoch = 1,
						     .number = 9 };
}

static void
seen_round_trip(void **state)
{
	DL_SEEN_SCOPED struct dl_seen s = DL_SEEN_EMPTY;
	DL_SEEN_SCOPED struct dl_seen got = DL_SEEN_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;
	int done = -1;

	(void)state;
	remember(&s);
	assert_int_equal(dl_seen_encode(&s, &b, &e), 0);
	assert_int_equal(dl_seen_parse("s", b.at, b.len, &got, &e), 0);
	assert_int_equal(got.meta.number, 2);
	assert_int_equal(got.mark[CX_ROLE_SNAPSHOT].number, 7);
	assert_int_equal(got.lines, 2);
	assert_int_equal(got.line[1].epoch, 1);
	for (size_t n = 0; n < b.len; n++) {
		DL_SEEN_SCOPED struct dl_seen cut = DL_SEEN_EMPTY;
		struct err why = ERR_INIT;

		assert_int_equal(dl_seen_parse("s", b.at, n, &cut, &why), -1);
	}
	for (unsigned n = 1; done < 0; n++) {
		DL_SEEN_SCOPED struct dl_seen again = DL_SEEN_EMPTY;
		struct err why = ERR_INIT;

		assert_true(n < 100);
		mem_fail_from(n);
		done = dl_seen_parse("s", b.at, b.len, &again, &why);
		mem_fail_from(0);
		assert_true(done == 0 || why.kind == ERR_NOMEM);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(release_round_trip),
		cmocka_unit_test(release_is_strict),
		cmocka_unit_test(seen_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
