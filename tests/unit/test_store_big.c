/* test_store_big.c - a disk of a TiB, a tenth of it mapped, in bounded memory
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Its maps are made of few chunks, again and again: what is bounded is what a
 * reader keeps of maps and chunks, whatever they hold.
 */
#include "tests/unit/unit.h"

#include <time.h>

#include "base/num.h"
#include "store/image.h"
#include "tests/unit/store_fixture.h"

enum { CHUNKS = 64, EXTENTS = ST_SEGMENT_BYTES / ST_CHUNK_MAX, EVERY = 10 };

#define SIZE ((uint64_t)1 << 40)
/* The budget: 64 MiB and 25 for a TiB of unique data; here are 100 GiB. */
#define MEMORY_KIB ((64 + 25 / 10) * 1024L)

static struct cx_key key;

static void
ok(int r, const struct err *e)
{
	if (r < 0)
		fail_msg("%s", e->msg);
}

static void
store_chunks(struct st_writer *w, struct st_coder *coder,
	     struct st_chunk chunk[CHUNKS], struct err *e)
{
	static uint8_t bytes[ST_CHUNK_MAX];
	bool is_new;

	for (size_t i = 0; i < CHUNKS; i++) {
		memset(bytes, (int)i + 1, sizeof(bytes));
		fixture_fill(bytes, 4096);
		ok(st_writer_chunk(w, coder, bytes, sizeof(bytes), &chunk[i],
				   &is_new, e), e);
	}
}

/* Every segment has its own order of chunks. */
static void
make_map(const struct st_chunk chunk[CHUNKS], uint32_t segment,
	 struct st_map *map, struct err *e)
{
	size_t number[CHUNKS];

	memset(number, 0xff, sizeof(number));
	for (uint32_t i = 0; i < EXTENTS; i++) {
		size_t c = (i * 7 + segment / EVERY) % CHUNKS;

		ok(st_map_add(map, i * 128, 128, &chunk[c], 0, number[c],
			      &number[c], e), e);
	}
}

static void
make_image(struct err *e)
{
	struct st_chunk chunk[CHUNKS];
	ST_REPO_SCOPED struct st_repo *r = st_repo_open(in_fixture("r"), e);
	ST_WRITER_SCOPED struct st_writer *w = NULL;
	ST_CODER_SCOPED struct st_coder *coder = st_coder_new(e);
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	ST_ROOT_SCOPED struct st_root root = ST_ROOT_EMPTY;
	ST_VERSION_SCOPED struct st_version v = { .name = "big", .size = SIZE };
	struct st_ref ref;

	assert_true(r != NULL && coder != NULL);
	ok(st_repo_unlock(r, &key, e), e);
	w = st_writer_open(r, e);
	assert_non_null(w);
	ok(st_line_new(r, &line, e), e);
	store_chunks(w, coder, chunk, e);
	root.size = SIZE;
	for (uint32_t s = 0; s < SIZE / ST_SEGMENT_BYTES; s += EVERY) {
		ST_MAP_SCOPED struct st_map map = ST_MAP_EMPTY;
		struct st_id id;

		make_map(chunk, s, &map, e);
		ok(st_writer_segment(w, coder, &line, &map, &id, e), e);
		ok(st_root_add(&root, s, &id, e), e);
	}
	ok(st_writer_root(w, coder, &line, &root, &v.root, e), e);
	ok(st_writer_commit(w, &line, &v, &ref, e), e);
}

static int
begin(void **state)
{
	struct err e = ERR_INIT;

	if (fixture_begin(state) < 0)
		return -1;
	ok(cx_key_make(&key, "admin", &e), &e);
	ok(fixture_repo(in_fixture("r"), &key, &e), &e);
	make_image(&e);
	return 0;
}

static int
end(void **state)
{
	cx_key_done(&key);
	return fixture_end(state);
}

/* The most memory since the last call of forget_peak(), in KiB; 0: unknown. */
static long
peak(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	long kib = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	if (f != NULL)
		(void)fclose(f);
	return kib;
}

static bool
forget_peak(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "we");

	return f != NULL && fputs("5", f) >= 0 && fclose(f) == 0;
}

static void
reads_in_bounds(void **state)
{
	static uint8_t buf[65536];
	struct err e = ERR_INIT;
	bool known = forget_peak();
	long before = peak();
	clock_t start = clock();
	ST_REPO_SCOPED struct st_repo *r = st_repo_open(in_fixture("r"), &e);
	ST_IMAGE_SCOPED struct st_image *i = NULL;

	(void)state;
	assert_non_null(r);
	ok(st_repo_unlock(r, &key, &e), &e);
	i = st_image_open(r, "big", ST_IMAGE_CACHE, false, &e);
	assert_non_null(i);
	print_message("opened in %.1f ms of processor time\n",
		      1000.0 * (double)(clock() - start) / CLOCKS_PER_SEC);
	for (unsigned n = 0; n < 4000; n++) {
		uint64_t at = fixture_random() % (SIZE - sizeof(buf));

		at = at / (EVERY * (uint64_t)ST_SEGMENT_BYTES) *
		     (EVERY * (uint64_t)ST_SEGMENT_BYTES) +
		     at % (ST_SEGMENT_BYTES - sizeof(buf));
		ok(st_image_read(i, buf, sizeof(buf), at, &e), &e);
		assert_true(buf[0] != 0 || buf[8192] != 0);
	}
	print_message("%ld KiB at most, %ld before\n", peak(), before);
#ifdef __SANITIZE_ADDRESS__
	known = false;		/* it keeps what is freed */
#endif
	if (known)
		assert_true(peak() - before < MEMORY_KIB);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(reads_in_bounds) };

	return cmocka_run_group_tests(tests, begin, end);
}
