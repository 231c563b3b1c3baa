/* test_store_container.c - containers: written, read, and refused when touched
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tests/fuzz/corpus/st_container/signed is the vector of docs/FORMAT.md, made
 * by a second implementation of that text.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "store/container.h"

static const char key_text[] =
	"halcyon-key 1\npublic hpub1:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8"
	"prLrhQbzK8LIuGpTTTQvHNh5SbQv-EsiXlLyTIpZt1w-cidSqh118 test\n"
	"protection none\nsecret AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISI"
	"jJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw\n";

static char path[64];
static uint8_t *vector;
static size_t vector_len;

static int
setup(void **state)
{
	static char dir[] = "/tmp/test_container.XXXXXX";
	struct err e = ERR_INIT;

	if (io_slurp("tests/fuzz/corpus/st_container/signed", 1 << 20, &vector,
		     &vector_len, &e) < 0 || mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/c", dir);
	*state = dir;
	return 0;
}

static int
teardown(void **state)
{
	free(vector);
	(void)unlink(path);
	return rmdir(*state);
}

static void
load(struct cx_key *ret)
{
	struct err e = ERR_INIT;

	assert_int_equal(cx_key_parse("KEY", key_text, strlen(key_text), -1,
				      NULL, ret, &e), 0);
}

static void
put(const void *bytes, size_t len)
{
	struct err e = ERR_INIT;

	assert_int_equal(io_put(path, bytes, len, 0600, &e), 0);
}

/* Read everything of the file at `path` with that key. */
static int
read_all(const struct cx_key *k, struct err *e)
{
	ST_CONTAINER_SCOPED struct st_container *c =
		st_container_open(path, ST_CONTAINER_DELTA, e);
	BUF_SCOPED struct buf out = BUF_EMPTY;
	size_t len;

	if (c == NULL || st_container_unlock(c, k, e) < 0)
		return -1;
	for (uint32_t i = 0; i < st_container_info(c).frames; i++)
		if (st_container_frame(c, i, &out, e) < 0)
			return -1;
	assert_memory_equal(st_container_manifest(c, &len), "the manifest", 12);
	assert_int_equal(len, 12);
	assert_int_equal(out.len, 6);
	assert_memory_equal(out.at, "second", 6);
	return 0;
}

static void
reads_the_vector(void **state)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	CX_PUBS_SCOPED struct cx_pubs trusted = CX_PUBS_EMPTY;
	struct err e = ERR_INIT;
	const struct cx_pub *by = NULL;
	uint8_t id[CX_KEYID_BYTES];

	(void)state;
	load(&k);
	put(vector, vector_len);
	assert_int_equal(read_all(&k, &e), 0);

	ST_CONTAINER_SCOPED struct st_container *c =
		st_container_open(path, ST_CONTAINER_DELTA, &e);

	assert_non_null(c);
	assert_int_equal(st_container_trust(c, &trusted, &by, &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
	e = (struct err)ERR_INIT;
	assert_int_equal(cx_pubs_add(&trusted, &k.pub, &e), 0);
	assert_int_equal(st_container_trust(c, &trusted, &by, &e), 0);
	assert_ptr_equal(by, &trusted.at[0]);
	assert_true(st_container_recipient(c, 0, id));
	assert_memory_equal(id, k.pub.id, sizeof(id));
	assert_int_equal(st_container_check(c, NULL, &e), 0);
	assert_null(st_container_open(path, ST_CONTAINER_BUNDLE, &e));
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static void
refuses_every_prefix_and_every_change(void **state)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;

	(void)state;
	load(&k);
	for (size_t n = 0; n < vector_len; n++) {
		struct err e = ERR_INIT;

		put(vector, n);
		assert_int_equal(read_all(&k, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
	for (size_t i = 0; i < vector_len; i++) {
		struct err e = ERR_INIT;

		vector[i] ^= (uint8_t)(1 << i % 8);
		put(vector, vector_len);
		assert_int_equal(read_all(&k, &e), -1);
		assert_true(e.kind == ERR_CORRUPT || e.kind == ERR_AUTH ||
			    e.kind == ERR_UNSUPPORTED);
		vector[i] ^= (uint8_t)(1 << i % 8);
	}
}

/* Frames and the manifest come back; another key gets nothing. */
static void
writes_what_it_reads(void **state)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	CX_KEY_SCOPED struct cx_key other = CX_KEY_EMPTY;
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;
	CX_PUBS_SCOPED struct cx_pubs nobody = CX_PUBS_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	const struct cx_pub *by = &k.pub;
	struct err e = ERR_INIT, no = ERR_INIT;
	uint32_t number;
	size_t len;

	(void)state;
	load(&k);
	(void)unlink(path);
	assert_int_equal(cx_key_make(&other, "other", &e), 0);
	assert_int_equal(cx_pubs_add(&to, &k.pub, &e), 0);

	ST_CONTAINER_NEW_SCOPED struct st_container_new *n =
		st_container_begin(path, ST_CONTAINER_BUNDLE, &e);

	assert_non_null(n);
	for (uint32_t i = 0; i < 100; i++) {
		uint8_t data[1000];

		memset(data, (int)i, sizeof(data));
		assert_int_equal(st_container_put(n, data, i * 10 + 1, &number,
						  &e), 0);
		assert_int_equal(number, i);
	}
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(st_container_commit(n, "m", 1, &to, NULL, &e), 0);

	ST_CONTAINER_SCOPED struct st_container *c =
		st_container_open(path, ST_CONTAINER_BUNDLE, &e);

	assert_non_null(c);
	assert_int_equal(st_container_unlock(c, &other, &no), -1);
	assert_int_equal(no.kind, ERR_AUTH);
	assert_int_equal(st_container_trust(c, &nobody, &by, &e), 0);
	assert_null(by);
	no = (struct err)ERR_INIT;
	assert_int_equal(st_container_trust(c, &to, &by, &no), -1);
	assert_int_equal(no.kind, ERR_AUTH);
	assert_int_equal(st_container_unlock(c, &k, &e), 0);
	assert_memory_equal(st_container_manifest(c, &len), "m", 1);
	for (uint32_t left = 100; left > 0; left--) {
		uint32_t i = left - 1;

		assert_int_equal(st_container_frame(c, i, &out, &e), 0);
		assert_int_equal(out.len, i * 10 + 1);
		assert_int_equal(out.at[i], i);
	}
	assert_int_equal(st_container_frame(c, 100, &out, &e), -1);
}

static void
survives_a_lack_of_memory(void **state)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	int r = -1;

	(void)state;
	load(&k);
	put(vector, vector_len);
	for (unsigned n = 1; r < 0; n++) {
		struct err e = ERR_INIT;

		mem_fail_from(n);
		r = read_all(&k, &e);
		mem_fail_from(0);
		assert_true(r == 0 || e.kind == ERR_NOMEM);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_vector),
		cmocka_unit_test(refuses_every_prefix_and_every_change),
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(survives_a_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
