/* test_store_layer_cut.c - a layer that is cut off loses nothing that was flushed
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Alone it writes a layer and checks it.  For tests/crash/40-layer.t, which cuts it
 * off at every instant between: "make DIR", "write DIR/watched", which notes in
 * watched/acked each round whose flush came back, and "check DIR/watched", which
 * says "new" when all was done and "old" when not.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/io.h"
#include "store/layer.h"
#include "tests/unit/store_fixture.h"

enum {
	BLOCKS = 64,
	ROUNDS = 60,
	CHANGES = 10,		/* of a round; the last may be a trim */
	BASE = 0, ZEROS = 1,	/* what a block holds, else a number above */
	SIZE = BLOCKS * ST_LAYER_BLOCK,
};

struct change {
	bool trim;
	unsigned block, count;
	uint32_t value;
};

/* The same at every run: change k of a round. */
static struct change
change_of(unsigned round, unsigned k)
{
	struct change c = {
		.block = (round * 7 + k * 13 + round * k) % BLOCKS, .count = 1,
		.value = 2 + round * CHANGES + k,
	};

	if (k + 1 == CHANGES && round % 5 == 4) {
		c.trim = true;
		c.block = round % 10 == 9 ? 0 : round % 40;
		c.count = round % 10 == 9 ? BLOCKS : 20;
		c.value = ZEROS;
	}
	return c;
}

static void
fill(uint8_t out[ST_LAYER_BLOCK], unsigned block, uint32_t value)
{
	memset(out, 0, ST_LAYER_BLOCK);
	if (value == ZEROS)
		return;
	for (size_t i = 0; i < ST_LAYER_BLOCK; i += 8) {
		num_put_u32le(out + i, value + 1);
		num_put_u32le(out + i + 4, block * 1000003 + (uint32_t)i);
	}
}

/* What everything is read and written through. */
struct world {
	struct cx_key key;
	struct st_repo *repo;
	struct st_image *image;
	struct st_layer *layer;
};

static void
world_done(struct world *w)
{
	st_layer_free(&w->layer);
	st_image_free(&w->image);
	st_repo_free(&w->repo);
	cx_key_done(&w->key);
}

static int
world_open(struct world *w, const char *watched, struct err *e)
{
	char path[4][512];
	const char *const names[] = { "../key", "../repo", "lay", "acked" };

	for (size_t i = 0; i < 4; i++)
		(void)snprintf(path[i], sizeof(path[i]), "%s/%s", watched,
			       names[i]);
	if (cx_key_load(path[0], -1, cx_ask_terminal, &w->key, e) < 0 ||
	    (w->repo = st_repo_open(path[1], e)) == NULL ||
	    st_repo_unlock(w->repo, &w->key, e) < 0 ||
	    (w->image = st_image_open(w->repo, "disk", 1 << 20, true,
				      e)) == NULL ||
	    (w->layer = st_layer_open(path[2], &w->key, w->image, true,
				      e)) == NULL)
		return -1;
	return 0;
}

static int
make(const char *dir, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;
	ST_REPO_SCOPED struct st_repo *r = NULL;
	ST_IMAGE_SCOPED struct st_image *image = NULL;
	static uint8_t disk[SIZE];
	char path[512];
	struct st_ref ref;

	for (unsigned b = 0; b < BLOCKS; b++)
		fill(disk + b * ST_LAYER_BLOCK, b, BASE);
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	if (cx_key_make(&key, "test", e) < 0 ||
	    cx_key_save(&key, path, NULL, CX_COST_LEAST, e) < 0 ||
	    cx_pubs_add(&to, &key.pub, e) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/repo", dir);
	if (fixture_repo(path, &key, e) < 0 ||
	    (r = st_repo_open(path, e)) == NULL ||
	    st_repo_unlock(r, &key, e) < 0 ||
	    fixture_import(r, "disk", disk, SIZE, &ref, e) < 0 ||
	    (image = st_image_open(r, "disk", 1 << 20, true, e)) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/watched", dir);
	if (io_mkdirs(path, 0700, e) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/watched/lay", dir);
	return st_layer_new(path, st_image_id(image), SIZE, &to, e);
}

static int
do_change(struct st_layer *l, const struct change *c, struct err *e)
{
	uint64_t at = (uint64_t)c->block * ST_LAYER_BLOCK;
	uint8_t data[ST_LAYER_BLOCK];

	if (c->trim)
		return st_layer_trim(l, num_min(c->count, BLOCKS - c->block) *
				     ST_LAYER_BLOCK, at, e);
	fill(data, c->block, c->value);
	return st_layer_write(l, data, sizeof(data), at, e);
}

static int
write_all(const char *watched, struct err *e)
{
	SCOPED(world_done) struct world w = { .key = CX_KEY_EMPTY };
	char path[512];

	if (world_open(&w, watched, e) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/acked", watched);
	SCOPED_FD int acked = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (acked < 0)
		return err_sys(e, "%s", path);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned k = 0; k < CHANGES; k++) {
			struct change c = change_of(round, k);

			if (do_change(w.layer, &c, e) < 0)
				return -1;
		}
		if (st_layer_flush(w.layer, e) < 0 ||
		    io_write_all(acked, "r", 1, path, e) < 0)
			return -1;
	}
	return fsync(acked) < 0 ? err_sys(e, "%s", path) : 0;
}

/* May the block hold what it does, when `acked` rounds were flushed? */
static bool
may_be(const uint8_t *got, unsigned block, unsigned acked)
{
	uint8_t want[ST_LAYER_BLOCK];
	uint32_t value = BASE;
	bool fits = acked == 0;

	fill(want, block, value);
	fits = fits && memcmp(got, want, sizeof(want)) == 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned k = 0; k < CHANGES; k++) {
			struct change c = change_of(round, k);

			if (block < c.block || block >= c.block + c.count)
				continue;
			value = c.value;
			fill(want, block, value);
			if (round >= acked)
				fits |= memcmp(got, want, sizeof(want)) == 0;
		}
		if (round + 1 == acked) {
			fill(want, block, value);
			fits |= memcmp(got, want, sizeof(want)) == 0;
		}
	}
	return fits;
}

static int
check(const char *watched, struct err *e)
{
	SCOPED(world_done) struct world w = { .key = CX_KEY_EMPTY };
	static uint8_t got[SIZE];
	bool done = true;
	char path[512];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/acked", watched);
	unsigned acked = stat(path, &st) < 0 ? 0 : (unsigned)st.st_size;
	if (world_open(&w, watched, e) < 0 ||
	    st_layer_read(w.layer, got, SIZE, 0, e) < 0)
		return -1;
	for (unsigned b = 0; b < BLOCKS; b++) {
		const uint8_t *block = got + b * ST_LAYER_BLOCK;

		if (!may_be(block, b, acked))
			return err_set(e, ERR_CORRUPT, "block %u is not what "
				       "it was after flush %u", b, acked);
		done = done && may_be(block, b, ROUNDS);
	}
	(void)puts(done ? "new" : "old");
	return 0;
}

static void
test_alone(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(make(fixture_dir, &e), 0);
	assert_int_equal(write_all(in_fixture("watched"), &e), 0);
	assert_int_equal(check(in_fixture("watched"), &e), 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_alone) };
	struct err e = ERR_INIT;

	if (argc < 3)
		return cmocka_run_group_tests_name("layer, cut off", tests,
						   fixture_begin, fixture_end);
	int r = strcmp(argv[1], "make") == 0 ? make(argv[2], &e) :
		strcmp(argv[1], "write") == 0 ? write_all(argv[2], &e) :
		check(argv[2], &e);
	if (r < 0)
		(void)puts(e.msg);
	return r < 0 ? 1 : 0;
}
