/* test_store_layer.c - store/layer.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/mem.h"
#include "store/layer.h"
#include "tests/unit/store_fixture.h"

#define SIZE ((8u << 20) + 1536)	/* not a multiple of a block */

static struct cx_key key = CX_KEY_EMPTY;
static struct st_repo *repo;
static struct st_image *image;
static uint8_t *model;		/* what the layer must read as */

static int
begin(void **state)
{
	struct err e = ERR_INIT;
	struct st_ref ref;

	if (fixture_begin(state) < 0)
		return -1;
	model = malloc(SIZE);
	memset(model, 0, SIZE);
	fixture_fill(model + 100000, 3000000);
	if (cx_key_make(&key, "test", &e) < 0 ||
	    fixture_repo(in_fixture("repo"), &key, &e) < 0 ||
	    (repo = st_repo_open(in_fixture("repo"), &e)) == NULL ||
	    st_repo_unlock(repo, &key, &e) < 0 ||
	    fixture_import(repo, "disk", model, SIZE, &ref, &e) < 0 ||
	    (image = st_image_open(repo, "disk", 1 << 20, true, &e)) == NULL) {
		print_error("%s\n", e.msg);
		return -1;
	}
	return 0;
}

static int
end(void **state)
{
	st_image_free(&image);
	st_repo_free(&repo);
	cx_key_done(&key);
	free(model);
	return fixture_end(state);
}

static struct st_layer *
make(const char *name)
{
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;
	struct err e = ERR_INIT;

	assert_int_equal(cx_pubs_add(&to, &key.pub, &e), 0);
	assert_int_equal(st_layer_new(in_fixture(name), st_image_id(image), SIZE,
				      &to, &e), 0);
	struct st_layer *l = st_layer_open(in_fixture(name), &key, image, true,
					   &e);
	if (l == NULL)
		print_error("%s\n", e.msg);
	assert_non_null(l);
	return l;
}

static struct st_layer *
reopen(const char *name)
{
	struct err e = ERR_INIT;
	struct st_layer *l = st_layer_open(in_fixture(name), &key, image, true,
					   &e);

	if (l == NULL)
		print_error("%s\n", e.msg);
	return l;
}

static void
same(struct st_layer *l, const uint8_t *want)
{
	uint8_t *got = malloc(SIZE);
	struct err e = ERR_INIT;

	assert_int_equal(st_layer_read(l, got, SIZE, 0, &e), 0);
	assert_int_equal(memcmp(got, want, SIZE), 0);
	free(got);
}

/* One random change to layer and model. */
static void
step(struct st_layer *l, uint8_t *m)
{
	static uint8_t data[200000];
	struct err e = ERR_INIT;
	size_t len = 1 + fixture_random() % (fixture_random() % 4 == 0 ?
					     sizeof(data) : 9000);
	uint64_t at = fixture_random() % (SIZE - len);

	switch (fixture_random() % 8) {
	case 0:
		assert_int_equal(st_layer_zero(l, len, at, &e), 0);
		memset(m + at, 0, len);
		return;
	case 1: {
		uint64_t from = (at + 4095) / 4096 * 4096;
		uint64_t to = (at + len) / 4096 * 4096;

		assert_int_equal(st_layer_trim(l, len, at, &e), 0);
		if (from < to)
			memset(m + from, 0, to - from);
		return;
	}
	default:
		fixture_fill(data, len);
		assert_int_equal(st_layer_write(l, data, len, at, &e), 0);
		memcpy(m + at, data, len);
	}
}

/* What is written is read, over the base, before and after closing. */
static void
test_model(void **state)
{
	uint8_t *m = malloc(SIZE);
	struct err e = ERR_INIT;

	(void)state;
	memcpy(m, model, SIZE);
	struct st_layer *l = make("model");
	same(l, m);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 100; i++)
			step(l, m);
		same(l, m);
		assert_int_equal(st_layer_flush(l, &e), 0);
		st_layer_free(&l);
		l = reopen("model");
		assert_non_null(l);
		same(l, m);
	}
	st_layer_free(&l);
	free(m);
}

/* Take over the directory as a crash would leave it: without a goodbye. */
static void
copy_dir(const char *from, const char *to)
{
	DIR *d = opendir(from);
	const struct dirent *x;

	assert_int_equal(mkdir(to, 0700), 0);
	while ((x = readdir(d)) != NULL) {
		struct err e = ERR_INIT;
		char a[512], b[512];
		uint8_t *in;
		size_t len;

		if (x->d_name[0] == '.')
			continue;
		(void)snprintf(a, sizeof(a), "%s/%s", from, x->d_name);
		(void)snprintf(b, sizeof(b), "%s/%s", to, x->d_name);
		assert_int_equal(io_slurp(a, 1 << 30, &in, &len, &e), 0);
		FILE *f = fopen(b, "w");
		assert_int_equal(fwrite(in, 1, len, f), len);
		assert_int_equal(fclose(f), 0);
		free(in);
	}
	(void)closedir(d);
}

/* Cut anywhere behind the last flush: the layer is as it was at the flush, or at some
 * step behind it. */
static void
test_cut(void **state)
{
	enum { STEPS = 12 };
	struct err e = ERR_INIT;
	uint8_t *at[STEPS + 1];
	char seg[300], name[32];

	(void)state;
	struct st_layer *l = make("cut");
	at[0] = malloc(SIZE);
	memcpy(at[0], model, SIZE);
	for (int i = 0; i < 20; i++)
		step(l, at[0]);
	assert_int_equal(st_layer_flush(l, &e), 0);
	(void)snprintf(seg, sizeof(seg), "%s/00000001.segment",
		       in_fixture("cut"));
	struct stat flushed, all;
	assert_int_equal(stat(seg, &flushed), 0);
	for (int i = 1; i <= STEPS; i++) {
		at[i] = malloc(SIZE);
		memcpy(at[i], at[i - 1], SIZE);
		uint8_t data[4096];
		uint64_t to = fixture_random() % (SIZE / 4096) * 4096;

		fixture_fill(data, sizeof(data));
		assert_int_equal(st_layer_write(l, data, 4096, to, &e), 0);
		memcpy(at[i] + to, data, 4096);
	}
	assert_int_equal(stat(seg, &all), 0);
	for (int n = 0; n < 20; n++) {
		(void)snprintf(name, sizeof(name), "cut%d", n);
		copy_dir(in_fixture("cut"), in_fixture(name));
		(void)snprintf(seg, sizeof(seg), "%s/00000001.segment",
			       in_fixture(name));
		off_t len = flushed.st_size + (off_t)(fixture_random() %
			(uint64_t)(all.st_size - flushed.st_size + 1));
		assert_int_equal(truncate(seg, len), 0);

		struct st_layer *c = reopen(name);
		uint8_t *got = malloc(SIZE);
		bool known = false;
		assert_non_null(c);
		assert_int_equal(st_layer_read(c, got, SIZE, 0, &e), 0);
		for (int i = 0; i <= STEPS; i++)
			known |= memcmp(got, at[i], SIZE) == 0;
		assert_true(known);
		free(got);
		st_layer_free(&c);
	}
	st_layer_free(&l);
	for (int i = 0; i <= STEPS; i++)
		free(at[i]);
}

/* A bit flipped in what had been flushed is found, never served. */
static void
test_flip(void **state)
{
	struct err e = ERR_INIT;
	uint8_t *m = malloc(SIZE), *got = malloc(SIZE);
	char name[32], seg[300];

	(void)state;
	memcpy(m, model, SIZE);
	struct st_layer *l = make("flip");
	for (int i = 0; i < 20; i++) {
		step(l, m);
		assert_int_equal(st_layer_flush(l, &e), 0);
	}
	st_layer_free(&l);
	for (int n = 0; n < 60; n++) {
		struct err why = ERR_INIT;
		struct stat st;
		uint8_t byte;

		(void)snprintf(name, sizeof(name), "flip%d", n);
		copy_dir(in_fixture("flip"), in_fixture(name));
		(void)snprintf(seg, sizeof(seg), "%s/%s", in_fixture(name),
			       n % 4 == 0 ? "checkpoint" : "00000001.segment");
		assert_int_equal(stat(seg, &st), 0);
		int fd = open(seg, O_RDWR);
		off_t where = (off_t)(fixture_random() % (uint64_t)st.st_size);
		assert_int_equal(pread(fd, &byte, 1, where), 1);
		byte ^= (uint8_t)(1u << fixture_random() % 8);
		assert_int_equal(pwrite(fd, &byte, 1, where), 1);
		(void)close(fd);

		struct st_layer *c = st_layer_open(in_fixture(name), &key, image,
						   false, &why);
		if (c != NULL && st_layer_read(c, got, SIZE, 0, &why) == 0)
			assert_int_equal(memcmp(got, m, SIZE), 0);
		st_layer_free(&c);
	}
	free(m);
	free(got);
}

/* What is written over gives its space back. */
static void
test_space(void **state)
{
	struct err e = ERR_INIT;
	uint8_t *m = malloc(SIZE);
	struct stat st;
	char seg[300];

	(void)state;
	memcpy(m, model, SIZE);
	struct st_layer *l = make("space");
	for (int i = 0; i < 20; i++) {
		fixture_fill(m, SIZE);
		assert_int_equal(st_layer_write(l, m, SIZE, 0, &e), 0);
	}
	(void)snprintf(seg, sizeof(seg), "%s/00000001.segment",
		       in_fixture("space"));
	assert_int_equal(stat(seg, &st), -1);
	same(l, m);
	st_layer_free(&l);
	l = reopen("space");
	assert_non_null(l);
	same(l, m);
	st_layer_free(&l);
	free(m);
}

static void
test_refusals(void **state)
{
	struct err e = ERR_INIT;
	CX_KEY_SCOPED struct cx_key other = CX_KEY_EMPTY;
	struct st_layer *l = make("refuse");
	struct st_id base;
	uint8_t byte = 1;

	(void)state;
	assert_null(st_layer_open(in_fixture("refuse"), &key, image, true, &e));
	assert_int_equal(e.kind, ERR_UNSAFE);
	e = (struct err)ERR_INIT;
	assert_int_equal(st_layer_write(l, &byte, 1, SIZE, &e), -1);
	e = (struct err)ERR_INIT;
	assert_int_equal(st_layer_read(l, &byte, 1, UINT64_MAX, &e), -1);
	st_layer_free(&l);

	e = (struct err)ERR_INIT;
	assert_int_equal(cx_key_make(&other, "other", &e), 0);
	assert_null(st_layer_open(in_fixture("refuse"), &other, image, true,
				  &e));
	assert_int_equal(e.kind, ERR_AUTH);
	e = (struct err)ERR_INIT;
	assert_int_equal(st_layer_base(in_fixture("refuse"), &base, &e), 0);
	assert_true(st_id_equal(&base, st_image_id(image)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_flip),
		cmocka_unit_test(test_space),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests_name("layer", tests, begin, end);
}
