/* test_crypt_role.c - roles: thresholds, strict metadata, derived keys
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "crypt/role.h"

enum { HOLDERS = 3 };

static struct cx_key key[HOLDERS];

static int
make_keys(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < HOLDERS; i++)
		if (cx_key_make(&key[i], "holder", &e) < 0)
			return -1;
	return 0;
}

static int
drop_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < HOLDERS; i++)
		cx_key_done(&key[i]);
	return 0;
}

/* All roles are of the first two, the threshold is 2. */
static void
fill_root(struct cx_root *root)
{
	struct err e = ERR_INIT;

	for (int r = CX_ROLE_ROOT; r < CX_ROLE_END; r++) {
		for (size_t i = 0; i < 2; i++)
			assert_int_equal(cx_pubs_add(&root->role[r].keys,
						     &key[i].pub, &e), 0);
		root->role[r].threshold = 2;
		root->role[r].days = 7;
	}
}

static void
fill_meta(struct cx_meta *m, const struct cx_root *root)
{
	BUF_SCOPED struct buf body = BUF_EMPTY;
	struct err e = ERR_INIT;

	assert_int_equal(cx_root_encode(root, &body, &e), 0);
	*m = (struct cx_meta){ .role = CX_ROLE_ROOT, .domain = { 4, 2 },
			       .number = 3, .created = 1000, .expires = 2000,
			       .body_len = body.len };
	m->body = body.at;
	body = (struct buf)BUF_EMPTY;
}

static void
threshold(void **state)
{
	CX_ROOT_SCOPED struct cx_root root = CX_ROOT_EMPTY;
	CX_META_SCOPED struct cx_meta m = CX_META_EMPTY;
	const struct cx_holders *by = &root.role[CX_ROLE_ROOT];
	struct err none = ERR_INIT, one = ERR_INIT, other = ERR_INIT,
		e = ERR_INIT, later = ERR_INIT;

	(void)state;
	fill_root(&root);
	fill_meta(&m, &root);
	assert_int_equal(cx_meta_check("m", &m, by, &none), -1);
	assert_int_equal(none.kind, ERR_AUTH);
	/* One key counts once, however often it signs. */
	assert_int_equal(cx_meta_sign(&m, &key[0], &e), 0);
	assert_int_equal(cx_meta_sign(&m, &key[0], &e), 0);
	assert_int_equal(m.sigs, 1);
	assert_int_equal(cx_meta_check("m", &m, by, &one), -1);
	/* Who holds no role does not count. */
	assert_int_equal(cx_meta_sign(&m, &key[2], &e), 0);
	assert_int_equal(cx_meta_check("m", &m, by, &other), -1);
	assert_non_null(strstr(other.msg, "1 of 2 root keys"));
	assert_int_equal(cx_meta_sign(&m, &key[1], &e), 0);
	assert_int_equal(cx_meta_check("m", &m, by, &e), 0);
	/* What is signed cannot be changed. */
	m.expires++;
	assert_int_equal(cx_meta_check("m", &m, by, &later), -1);
}

static void
reads_what_it_writes(void **state)
{
	CX_ROOT_SCOPED struct cx_root root = CX_ROOT_EMPTY;
	CX_ROOT_SCOPED struct cx_root got_root = CX_ROOT_EMPTY;
	CX_META_SCOPED struct cx_meta m = CX_META_EMPTY;
	CX_META_SCOPED struct cx_meta got = CX_META_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	fill_root(&root);
	fill_meta(&m, &root);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(cx_meta_sign(&m, &key[i], &e), 0);
	assert_int_equal(cx_meta_encode(&m, &b, &e), 0);
	assert_int_equal(cx_meta_parse("m", b.at, b.len, CX_ROLE_ROOT, &got, &e),
			 0);
	assert_int_equal(cx_root_parse("m", got.body, got.body_len, &got_root,
				       &e), 0);
	assert_int_equal(cx_meta_check("m", &got, &got_root.role[CX_ROLE_ROOT],
				       &e), 0);
	assert_int_equal(got_root.role[CX_ROLE_TIMESTAMP].days, 7);
	assert_true(cx_holders_same(&root.role[2], &got_root.role[2]));

	for (size_t n = 0; n < b.len; n++) {
		CX_META_SCOPED struct cx_meta cut = CX_META_EMPTY;
		struct err why = ERR_INIT;

		assert_int_equal(cx_meta_parse("m", b.at, n, CX_ROLE_ROOT, &cut,
					       &why), -1);
		assert_int_equal(why.kind, ERR_CORRUPT);
	}
	for (size_t n = 0; n < got.body_len; n++) {
		CX_ROOT_SCOPED struct cx_root cut = CX_ROOT_EMPTY;
		struct err why = ERR_INIT;

		assert_int_equal(cx_root_parse("m", got.body, n, &cut, &why), -1);
	}
	/* No bit of it can be another. */
	for (size_t i = 0; i < b.len * 8; i++) {
		CX_META_SCOPED struct cx_meta other = CX_META_EMPTY;
		struct err why = ERR_INIT;

		b.at[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_true(cx_meta_parse("m", b.at, b.len, CX_ROLE_ROOT,
					  &other, &why) < 0 ||
			    cx_meta_check("m", &other,
					  &root.role[CX_ROLE_ROOT], &why) < 0);
		b.at[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

static void
survives_no_memory(void **state)
{
	CX_ROOT_SCOPED struct cx_root root = CX_ROOT_EMPTY;
	CX_META_SCOPED struct cx_meta m = CX_META_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;
	int r = -1;

	(void)state;
	fill_root(&root);
	fill_meta(&m, &root);
	assert_int_equal(cx_meta_sign(&m, &key[0], &e), 0);
	assert_int_equal(cx_meta_encode(&m, &b, &e), 0);
	for (unsigned n = 1; r < 0; n++) {
		CX_META_SCOPED struct cx_meta got = CX_META_EMPTY;
		CX_ROOT_SCOPED struct cx_root got_root = CX_ROOT_EMPTY;
		struct err why = ERR_INIT;

		assert_true(n < 50);
		mem_fail_from(n);
		r = cx_meta_parse("m", b.at, b.len, CX_ROLE_ROOT, &got, &why);
		if (r == 0)
			r = cx_root_parse("m", got.body, got.body_len,
					  &got_root, &why);
		mem_fail_from(0);
		assert_true(r == 0 || why.kind == ERR_NOMEM);
	}
}

static void
pins(void **state)
{
	struct cx_pin p = { .number = 9, .len = 300, .hash = { 1 } }, got;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(cx_pin_encode(&p, &b, &e), 0);
	assert_int_equal(cx_pin_parse("p", b.at, b.len, &got, &e), 0);
	assert_memory_equal(&p, &got, sizeof(p));
	for (size_t n = 0; n < b.len; n++) {
		struct err why = ERR_INIT;

		assert_int_equal(cx_pin_parse("p", b.at, n, &got, &why), -1);
	}
}

static void
derived_keys(void **state)
{
	static const uint8_t from[CX_KEY_BYTES] = { 1, 2, 3 };
	CX_KEY_SCOPED struct cx_key a = CX_KEY_EMPTY;
	CX_KEY_SCOPED struct cx_key b = CX_KEY_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(cx_key_derive(&a, from, "line", &e), 0);
	assert_int_equal(cx_key_derive(&b, from, "line", &e), 0);
	assert_memory_equal(&a.pub, &b.pub, sizeof(a.pub));
	assert_memory_not_equal(a.pub.seal, a.pub.sign, 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threshold),
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(survives_no_memory),
		cmocka_unit_test(pins),
		cmocka_unit_test(derived_keys),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
