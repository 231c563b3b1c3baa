/* test_hive_tree.c - hive/hive.h: the tree, its edits, and what is written
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "hive/hive.h"

#define TIME 0x01d29627f1c8a860u

static struct hv_hive *
fresh(unsigned minor)
{
	struct err e = ERR_INIT;
	struct hv_hive *h = hv_new(minor, &e);

	assert_non_null(h);
	hv_set_clock(h, TIME);
	return h;
}

/* Written and read again; every check of hv_serialize() on the way. */
static struct hv_hive *
again(struct hv_hive *h)
{
	struct err e = ERR_INIT;
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (hv_serialize(h, &b, &e) < 0)
		fail_msg("%s", e.msg);
	struct hv_hive *r = hv_open("again", b.at, b.len, NULL, 0,
				    HV_LOGS_REPLAY, &e);
	if (r == NULL)
		fail_msg("%s", e.msg);
	return r;
}

static void
test_find_and_create(void **state)
{
	struct err e = ERR_INIT;
	HV_SCOPED struct hv_hive *h = fresh(5);
	struct hv_key *root = hv_root(h), *k;

	(void)state;
	k = hv_create(root, "Select\\\xc3\xbc" "ber", &e);
	assert_non_null(k);
	assert_ptr_equal(hv_find(root, "sELECT\\\xc3\x9c" "BER"), k);
	assert_ptr_equal(hv_create(root, "SELECT\\\xc3\x9c" "ber", &e), k);
	assert_ptr_equal(hv_find(root, ""), root);
	assert_ptr_equal(hv_parent(k), hv_find(root, "select"));
	static const char *const absent[] = {
		"Selec", "Select\\", "\\Select", "Select\\\\x", "Select\\ube",
		"\xff", "Select\\\xc3",
	};
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_null(hv_find(root, absent[i]));
	SCOPED_FREE char *path = hv_path(k, &e);
	assert_string_equal(path, "Select\\\xc3\xbc" "ber");
	assert_true(hv_named(k, "\xc3\x9c" "BER"));

	static const char *const refused[] = { "\xff", "a\\\\b", "a\\", "\\a" };
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct err why = ERR_INIT;

		assert_null(hv_create(root, refused[i], &why));
		assert_int_equal(why.kind, ERR_USAGE);
	}
}

/* Windows' order is by upper case, unit by unit: underscore after letters, and
 * y with diaeresis, whose upper case is U+0178, after all of Latin-1. */
static void
test_order(void **state)
{
	static const char *const made[] = {
		"b", "_", "A", "\xc3\xbf", "\xc3\x9c", "a1", "\xc3\xa9", "Z", "!",
		"\xe6\x97\xa5", "c\xed\xa0\x80", "ab",
	};
	static const char *const want[] = {
		"!", "A", "a1", "ab", "b", "c\xed\xa0\x80", "Z", "_", "\xc3\xa9",
		"\xc3\x9c", "\xc3\xbf", "\xe6\x97\xa5",
	};
	struct err e = ERR_INIT;

	(void)state;
	for (unsigned minor = 3; minor <= 5; minor++) {
		HV_SCOPED struct hv_hive *h = fresh(minor);

		for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
			assert_non_null(hv_create(hv_root(h), made[i], &e));
		HV_SCOPED struct hv_hive *r = again(h);
		size_t i = 0;
		for (struct hv_key *k = hv_first(hv_root(r)); k != NULL;
		     k = hv_next(k)) {
			SCOPED_FREE char *name = hv_name(k, &e);

			assert_string_equal(name, want[i++]);
		}
		assert_int_equal(i, sizeof(want) / sizeof(want[0]));
		/* Only half a surrogate pair is beyond libhivex. */
		assert_int_equal(hv_facts(h)->unread, 1);
	}
}

static void
test_values(void **state)
{
	static const size_t sizes[] = {
		0, 1, 4, 5, 16343, 16344, 16345, 32688, 32689, 1 << 20,
	};
	struct err e = ERR_INIT;
	SCOPED_FREE uint8_t *bytes = mem_array(1 << 20, 1, &e);

	(void)state;
	for (size_t i = 0; i < 1 << 20; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 255);
	for (unsigned minor = 3; minor <= 5; minor++) {
		HV_SCOPED struct hv_hive *h = fresh(minor);
		char name[32];

		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			(void)snprintf(name, sizeof(name), "%zu", sizes[i]);
			assert_int_equal(hv_set(hv_root(h), name, HV_BINARY,
						bytes, sizes[i], &e), 0);
		}
		HV_SCOPED struct hv_hive *r = again(h);
		struct hv_value *v = hv_value_first(hv_root(r));
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct hv_data d = hv_data(v);

			assert_int_equal(d.len, sizes[i]);
			assert_int_equal(memcmp(d.at, bytes, d.len), 0);
			v = hv_value_next(v);
		}
		assert_null(v);
		/* A byte more than the old formats hold. */
		e = (struct err)ERR_INIT;
		SCOPED_FREE uint8_t *more = mem_array((1 << 20) + 1, 1, &e);
		int set = hv_set(hv_root(h), "more", HV_BINARY, more,
				 (1 << 20) + 1, &e);
		assert_int_equal(set, minor < 4 ? -1 : 0);
		e = (struct err)ERR_INIT;
	}
}

static void
test_typed(void **state)
{
	struct err e = ERR_INIT;
	HV_SCOPED struct hv_hive *h = fresh(5);
	struct hv_key *k = hv_root(h);
	HV_STRINGS_SCOPED struct hv_strings list = HV_STRINGS_EMPTY;
	static const char *const three[] = { "a", "\xc3\xbc", "ccc" };
	SCOPED_FREE char *text = NULL;
	uint32_t n = 42;
	uint64_t q;

	(void)state;
	assert_int_equal(hv_set_str(k, "s", HV_SZ, "wört", &e), 0);
	assert_int_equal(hv_set_dword(k, "d", 7, &e), 0);
	assert_int_equal(hv_set_qword(k, "q", (uint64_t)1 << 40, &e), 0);
	assert_int_equal(hv_set_multi(k, "m", three, 3, &e), 0);
	assert_int_equal(hv_get_str(k, "S", &text, &e), 1);
	assert_string_equal(text, "wört");
	assert_int_equal(hv_get_dword(k, "D", &n, &e), 1);
	assert_int_equal(n, 7);
	assert_int_equal(hv_get_qword(k, "q", &q, &e), 1);
	assert_true(q == (uint64_t)1 << 40);
	assert_int_equal(hv_get_multi(k, "m", &list, &e), 1);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.at[1], "\xc3\xbc");
	assert_int_equal(hv_get_dword(k, "none", &n, &e), 0);
	assert_int_equal(hv_get_dword(k, "s", &n, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(n, 7);		/* untouched */
	/* A string without its NUL, and one with more behind it. */
	e = (struct err)ERR_INIT;
	assert_int_equal(hv_set(k, "bare", HV_SZ, "a\0b", 4, &e), 0);
	SCOPED_FREE char *bare = NULL;
	assert_int_equal(hv_get_str(k, "bare", &bare, &e), 1);
	assert_string_equal(bare, "ab");
	assert_int_equal(hv_set(k, "more", HV_SZ, "a\0\0\0b", 6, &e), 0);
	SCOPED_FREE char *more = NULL;
	assert_int_equal(hv_get_str(k, "more", &more, &e), 1);
	assert_string_equal(more, "a");
	assert_int_equal(hv_set(k, "odd", HV_SZ, "abc", 3, &e), 0);
	assert_int_equal(hv_get_str(k, "odd", &more, &e), -1);
	static const char *const empty[] = { "" };
	e = (struct err)ERR_INIT;
	assert_int_equal(hv_set_multi(k, "m", empty, 1, &e), -1);
}

static void
test_changed(void **state)
{
	struct err e = ERR_INIT;
	HV_SCOPED struct hv_hive *h = fresh(5);

	(void)state;
	assert_int_equal(hv_set_dword(hv_root(h), "d", 7, &e), 0);
	HV_SCOPED struct hv_hive *r = again(h);
	struct hv_key *k = hv_root(r);
	assert_false(hv_changed(r));
	hv_set_clock(r, TIME + 9);
	assert_int_equal(hv_set_dword(k, "D", 7, &e), 0);
	size_t len;
	const uint8_t *sd = hv_sd(k, &len);
	assert_int_equal(hv_set_sd(k, sd, len, &e), 0);
	assert_int_equal(hv_set_class(k, NULL, 0, &e), 0);
	assert_false(hv_changed(r));
	assert_int_equal(hv_set_dword(k, "d", 8, &e), 0);
	assert_true(hv_changed(r));
	assert_true(hv_time(k) == TIME + 9);
	/* It kept its spelling. */
	SCOPED_FREE char *name = hv_value_name(hv_value_first(k), &e);
	assert_string_equal(name, "d");
	hv_unset(k, hv_value(k, "d"));
	assert_int_equal(hv_value_count(k), 0);
}

static void
test_branches(void **state)
{
	struct err e = ERR_INIT;
	HV_SCOPED struct hv_hive *h = fresh(5);
	HV_SCOPED struct hv_hive *other = fresh(3);
	struct hv_key *root = hv_root(h), *a = hv_create(root, "a\\b\\c", &e);

	(void)state;
	assert_int_equal(hv_set_class(a, "C\0l\0", 4, &e), 0);
	assert_int_equal(hv_set_dword(a, "n", 1, &e), 0);
	hv_set_time(a, 5);
	assert_int_equal(hv_copy(hv_root(other), root, HV_MERGE_KEEP, &e), 0);
	struct hv_key *copy = hv_find(hv_root(other), "A\\B\\C");
	size_t len;
	assert_non_null(copy);
	assert_int_equal(memcmp(hv_class(copy, &len), "C\0l\0", 4), 0);
	assert_int_equal(len, 4);
	assert_true(hv_time(copy) == 5);
	assert_int_equal(hv_set_dword(a, "n", 2, &e), 0);
	uint32_t n;
	assert_int_equal(hv_copy(hv_root(other), root, HV_MERGE_KEEP, &e), 0);
	assert_int_equal(hv_get_dword(copy, "n", &n, &e), 1);
	assert_int_equal(n, 1);
	assert_int_equal(hv_copy(hv_root(other), root, HV_MERGE_REPLACE, &e), 0);
	assert_int_equal(hv_get_dword(copy, "n", &n, &e), 1);
	assert_int_equal(n, 2);
	HV_SCOPED struct hv_hive *r = again(other);
	assert_non_null(hv_find(hv_root(r), "a\\b\\c"));

	assert_int_equal(hv_copy(a, hv_find(root, "a"), HV_MERGE_KEEP, &e), -1);
	e = (struct err)ERR_INIT;
	assert_non_null(hv_create(root, "z", &e));
	assert_int_equal(hv_rename(hv_find(root, "z"), "A", &e), -1);
	e = (struct err)ERR_INIT;
	assert_int_equal(hv_rename(hv_find(root, "a"), "A", &e), 0);
	assert_int_equal(hv_rename(hv_find(root, "z"), "0", &e), 0);
	assert_true(hv_named(hv_first(root), "0"));
	assert_int_equal(hv_delete(hv_find(root, "a\\b"), &e), 0);
	assert_null(hv_find(root, "a\\b\\c"));
	assert_non_null(hv_find(root, "a"));
	assert_int_equal(hv_delete(root, &e), -1);
}

static void
test_limits(void **state)
{
	struct err e = ERR_INIT;
	HV_SCOPED struct hv_hive *h = fresh(5);
	struct hv_key *k = hv_root(h);
	char name[260];

	(void)state;
	for (int i = 0; i < 512; i++) {
		k = hv_create(k, "deep", &e);
		assert_non_null(k);
	}
	assert_null(hv_create(k, "deep", &e));
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	e = (struct err)ERR_INIT;
	assert_null(hv_create(hv_root(h), name, &e));
	name[255] = '\0';
	e = (struct err)ERR_INIT;
	assert_non_null(hv_create(hv_root(h), name, &e));
	HV_SCOPED struct hv_hive *r = again(h);
	size_t depth = 0;
	for (k = hv_root(r); (k = hv_find(k, "deep")) != NULL; )
		depth++;
	assert_int_equal(depth, 512);
	assert_non_null(hv_find(hv_root(r), name));
}

/* Lists of lists, in every format; twice as many are beyond libhivex. */
static void
test_many(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (unsigned minor = 3; minor <= 5; minor += 2) {
		HV_SCOPED struct hv_hive *h = fresh(minor);
		char name[16];

		for (unsigned i = 0; i < 65536; i++) {
			(void)snprintf(name, sizeof(name), "%x", i * 40503 & 0xffff);
			assert_non_null(hv_create(hv_root(h), name, &e));
			if (i < 5000)
				assert_int_equal(hv_set_dword(hv_root(h), name,
							      i, &e), 0);
		}
		HV_SCOPED struct hv_hive *r = again(h);
		assert_int_equal(hv_count(hv_root(r)), 65536);
		assert_int_equal(hv_value_count(hv_root(r)), 5000);
		assert_non_null(hv_find(hv_root(r), "BEEF"));
		assert_int_equal(hv_facts(h)->unread, 0);
	}
}

static void
test_sids(void **state)
{
	static const struct hv_sid_map map[] = {
		{ "S-1-5-32-544", "S-1-5-21-1-2-3-1001" },
		{ "S-1-5-18", "S-1-5-19" },
	};
	struct err e = ERR_INIT;
	HV_SCOPED struct hv_hive *h = fresh(5);
	size_t keys, len, was;

	(void)state;
	assert_non_null(hv_create(hv_root(h), "a\\b", &e));
	(void)hv_sd(hv_root(h), &was);
	assert_int_equal(hv_map_sids(hv_root(h), map, 2, &keys, &e), 0);
	assert_int_equal(keys, 3);
	/* Three of them grew by twelve bytes. */
	const uint8_t *sd = hv_sd(hv_find(hv_root(h), "a\\b"), &len);
	assert_int_equal(len, was + 36);
	assert_ptr_equal(sd, hv_sd(hv_root(h), &len));
	assert_int_equal(hv_map_sids(hv_root(h), map, 2, &keys, &e), 0);
	assert_int_equal(keys, 0);
	HV_SCOPED struct hv_hive *r = again(h);
	assert_int_equal(memcmp(hv_sd(hv_root(r), &len), sd, len), 0);

	static const struct hv_sid_map bad[] = {
		{ "S-1-5-", "S-1-5-18" }, { "S-1-5-18", "S-2-5-18" },
		{ "S-1", "S-1-5-18" }, { "S-1-5-4294967296", "S-1-5-18" },
		{ "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16", "S-1-5-18" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err why = ERR_INIT;

		assert_int_equal(hv_map_sids(hv_root(h), &bad[i], 1, &keys,
					     &why), -1);
		assert_int_equal(why.kind, ERR_USAGE);
	}
	/* Every cut of a descriptor is refused. */
	sd = hv_sd(hv_root(h), &was);
	for (size_t n = 0; n < was; n++) {
		struct err why = ERR_INIT;

		assert_int_equal(hv_set_sd(hv_root(h), sd, n, &why), -1);
	}
}

/* Any allocation may fail, anywhere: an error, and nothing leaks. */
static void
test_no_memory(void **state)
{
	unsigned n = 1;
	int done = 0;

	(void)state;
	while (!done) {
		static const struct hv_sid_map map = { "S-1-5-18", "S-1-5-19" };
		struct err e = ERR_INIT;
		BUF_SCOPED struct buf b = BUF_EMPTY;
		uint8_t big[17000] = { 0 };
		size_t keys;

		mem_fail_from(n++);
		HV_SCOPED struct hv_hive *h = hv_new(5, &e);
		struct hv_key *k = h == NULL ? NULL :
			hv_create(hv_root(h), "a\\\xe6\x97\xa5", &e);
		done = k != NULL && hv_set(k, "v", 3, big, sizeof(big), &e) == 0 &&
		       hv_map_sids(k, &map, 1, &keys, &e) == 0 &&
		       hv_serialize(h, &b, &e) == 0;
		HV_SCOPED struct hv_hive *r = !done ? NULL :
			hv_open("x", b.at, b.len, NULL, 0, HV_LOGS_REPLAY, &e);
		done = done && r != NULL;
		mem_fail_from(0);
		if (!done)
			assert_int_equal(e.kind, ERR_NOMEM);
	}
	assert_true(n > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_and_create),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_typed),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_sids),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("hive tree", tests, NULL, NULL);
}
