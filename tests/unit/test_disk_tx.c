/* test_disk_tx.c - a commit, its undo, and every way it can be interrupted
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "disk/disk.h"
#include "disk/log.h"
#include "disk/tx.h"

enum { SIZE = 3 << 20 };

static char folder[] = "/tmp/halcyon-tx.XXXXXX";
static uint8_t old[SIZE], new[SIZE];

static void
put(const char *name, const void *bytes, size_t len)
{
	struct err e = ERR_INIT;

	assert_int_equal(io_put(name, bytes, len, 0600, &e), 0);
}

static void
holds(const char *name, const uint8_t *want)
{
	struct err e = ERR_INIT;
	SCOPED_FREE uint8_t *is = NULL;
	size_t len;

	assert_int_equal(io_slurp(name, SIZE, &is, &len, &e), 0);
	assert_int_equal(len, SIZE);
	assert_memory_equal(is, want, SIZE);
}

/* A disk "d.img" of old bytes; the change that makes it new is not committed. */
static struct dk *
changed(unsigned flags)
{
	struct err e = ERR_INIT;
	struct dk *d;

	(void)unlink("d.img.undo/000001.undo");
	(void)unlink("d.img.undo/000001.undoing");
	put("d.img", old, SIZE);
	d = dk_open("d.img", NULL, "/nowhere", flags, &e);
	assert_non_null(d);
	assert_int_equal(dk_write(d, new + 700, 100000, 700, &e), 0);
	assert_int_equal(dk_write(d, new + (2 << 20), 1 << 20, 2 << 20, &e), 0);
	memcpy(new, old, SIZE);
	memset(new + 700, 'n', 100000);
	memset(new + (2 << 20), 'n', 1 << 20);
	return d;
}

static void
prepare(void)
{
	for (size_t i = 0; i < SIZE; i++)
		old[i] = (uint8_t)(i * 7 >> 3);
	memset(new, 'n', SIZE);
}

static void
commit_and_undo(void **state)
{
	struct err e = ERR_INIT;
	struct dk_tx tx;
	DK_HISTORY_SCOPED struct dk_history h = DK_HISTORY_EMPTY;
	struct dk *d;
	uint8_t back[4];

	(void)state;
	prepare();
	d = changed(DK_WRITE);
	holds("d.img", old);
	assert_int_equal(dk_read(d, back, 4, 698, &e), 0);
	assert_memory_equal(back, new + 698, 4);
	assert_int_equal(dk_commit(d, "a test", &e), 0);
	holds("d.img", new);
	assert_int_equal(dk_commit(d, "nothing", &e), 0);
	dk_free(&d);
	assert_int_equal(dk_history("d.img", "/nowhere", &h, &e), 0);
	assert_int_equal(h.count, 1);
	assert_string_equal(h.at[0].what, "a test");
	assert_int_equal(h.at[0].state, DK_TX_DONE);
	assert_int_equal(dk_undo("d.img", NULL, "/nowhere", true, &tx, &e), 0);
	dk_tx_done(&tx);
	holds("d.img", new);
	assert_int_equal(dk_undo("d.img", NULL, "/nowhere", false, &tx, &e), 0);
	dk_tx_done(&tx);
	holds("d.img", old);
	assert_int_equal(dk_undo("d.img", NULL, "/nowhere", false, &tx, &e), -1);
	assert_int_equal(e.kind, ERR_NO);
	assert_int_equal(access("d.img.undo", F_OK), -1);
}

static void
dry_and_dropped(void **state)
{
	struct err e = ERR_INIT;
	struct dk *d;

	(void)state;
	prepare();
	d = changed(DK_DRY);
	assert_int_equal(dk_commit(d, "dry", &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	dk_free(&d);
	holds("d.img", old);
	prepare();
	d = changed(DK_WRITE);
	dk_free(&d);
	holds("d.img", old);
}

/* The disk as a crash of a commit or of an undo left it: a log that says what was
 * before, and a mix of sectors. */
static void
interrupted(unsigned mix)
{
	static const char path[] = "d.img.undo/000001.undoing";
	struct err e = ERR_INIT;
	SCOPED_FREE uint8_t *torn = mem_array(SIZE, 1, &e);
	uint8_t seen[2000];
	struct dk *d;

	assert_non_null(torn);
	prepare();
	d = changed(DK_WRITE);
	assert_int_equal(dk_commit(d, "a test", &e), 0);
	dk_free(&d);
	assert_int_equal(rename("d.img.undo/000001.undo", path), 0);
	for (size_t i = 0; i < SIZE; i += 512)
		memcpy(torn + i, ((i / 512 * 2654435761U >> 7) & mix) != 0
		       ? new + i : old + i, 512);
	put("d.img", torn, SIZE);
	/* reading sees what was before, and changes nothing */
	d = dk_open("d.img", NULL, "/nowhere", 0, &e);
	if (d == NULL)
		print_message("%s\n", e.msg);
	assert_non_null(d);
	assert_int_equal(dk_read(d, seen, 2000, 512, &e), 0);
	assert_memory_equal(seen, old + 512, 2000);
	dk_free(&d);
	holds("d.img", torn);
	d = dk_open("d.img", NULL, "/nowhere", DK_WRITE, &e);
	assert_non_null(d);
	dk_free(&d);
	holds("d.img", old);
	assert_int_equal(access(path, F_OK), -1);
}

static void
taken_back_after_a_crash(void **state)
{
	(void)state;
	for (unsigned mix = 0; mix < 4; mix++)
		interrupted(mix);
}

/* Where the disk was empty the log is, too. */
static void
zeros_take_no_room(void **state)
{
	struct err e = ERR_INIT;
	struct dk_tx tx;
	struct stat st;
	struct dk *d;

	(void)state;
	memset(old, 0, SIZE);
	memset(new, 'n', SIZE);
	d = changed(DK_WRITE);
	assert_int_equal(dk_commit(d, "a test", &e), 0);
	dk_free(&d);
	holds("d.img", new);
	assert_int_equal(stat("d.img.undo/000001.undo", &st), 0);
	assert_true(st.st_size > 1 << 20);
	assert_true(st.st_blocks * 512 < 100000);
	assert_int_equal(dk_undo("d.img", NULL, "/nowhere", false, &tx, &e), 0);
	dk_tx_done(&tx);
	holds("d.img", old);
}

static void
somebody_wrote_in_between(void **state)
{
	struct err e = ERR_INIT;
	struct dk_tx tx;
	size_t dropped;
	struct dk *d;

	(void)state;
	prepare();
	d = changed(DK_WRITE);
	assert_int_equal(dk_commit(d, "a test", &e), 0);
	dk_free(&d);
	new[2000] ^= 1;
	put("d.img", new, SIZE);
	assert_int_equal(dk_undo("d.img", NULL, "/nowhere", false, &tx, &e), -1);
	assert_int_equal(e.kind, ERR_UNSAFE);
	holds("d.img", new);
	assert_int_equal(rename("d.img.undo/000001.undo",
				"d.img.undo/000001.undoing"), 0);
	e = (struct err)ERR_INIT;
	assert_null(dk_open("d.img", NULL, "/nowhere", 0, &e));
	assert_int_equal(e.kind, ERR_UNSAFE);
	e = (struct err)ERR_INIT;
	assert_int_equal(dk_history_drop("d.img", "/nowhere", false, &dropped,
					 &e), -1);
	assert_int_equal(e.kind, ERR_UNSAFE);
	e = (struct err)ERR_INIT;
	assert_int_equal(dk_history_drop("d.img", "/nowhere", true, &dropped,
					 &e), 0);
	assert_int_equal(dropped, 1);
}

static void
two_at_once(void **state)
{
	struct err e = ERR_INIT;
	struct dk *d, *reader;

	(void)state;
	prepare();
	d = changed(DK_WRITE);
	assert_null(dk_open("d.img", NULL, "/nowhere", 0, &e));
	assert_int_equal(e.kind, ERR_UNSAFE);
	dk_free(&d);
	e = (struct err)ERR_INIT;
	d = dk_open("d.img", NULL, "/nowhere", 0, &e);
	reader = dk_open("d.img", NULL, "/nowhere", 0, &e);
	assert_non_null(d);
	assert_non_null(reader);
	assert_null(dk_open("d.img", NULL, "/nowhere", DK_WRITE, &e));
	assert_int_equal(e.kind, ERR_UNSAFE);
	dk_free(&d);
	dk_free(&reader);
}

static int
enter(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL || chdir(folder) < 0;
}

static int
leave(void **state)
{
	(void)state;
	(void)unlink("d.img");
	(void)rmdir("d.img.undo");
	return chdir("/") < 0 || rmdir(folder) < 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commit_and_undo),
		cmocka_unit_test(dry_and_dropped),
		cmocka_unit_test(taken_back_after_a_crash),
		cmocka_unit_test(zeros_take_no_room),
		cmocka_unit_test(somebody_wrote_in_between),
		cmocka_unit_test(two_at_once),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
