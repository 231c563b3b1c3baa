/* test_store_flips.c - one bit flipped, anywhere in a repository
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each flip must be found by verify or change nothing; verify names the file, or
 * the version whose ref it is, and every version that can not be read; no version
 * ever reads as other bytes, and those that verify does not name read well.
 * FLIPS=n sets how many; the seed is fixed.
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/progress.h"
#include "store/verify.h"
#include "tests/unit/store_fixture.h"

enum { DISK = 96 << 10, VERSIONS = 4, FILES = 64, SAID = 16384,
       GOLD_IS = 0, GOLD = 2 };

struct file {
	char path[160];		/* in the repository */
	off_t len;
};

static struct cx_key admin, client;
static uint8_t disk[VERSIONS][DISK];
static const char *const names[VERSIONS] = { "one:2", "one:3", "one:gold",
					     "two:1" };
static struct file file[FILES];
static size_t files;
static off_t all_bytes;
static char said[SAID];		/* what verify printed */

static void
assert_ok(int r, const struct err *e)
{
	if (r < 0)
		fail_msg("%s", e->msg);
}

/* ---- the repository ------------------------------------------------------ */

static int
note_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)where;
	if (type != FTW_F || st->st_size == 0)
		return 0;
	assert_true(files < FILES);
	(void)snprintf(file[files].path, sizeof(file[files].path), "%s", path);
	file[files++].len = st->st_size;
	all_bytes += st->st_size;
	return 0;
}

static void
make_disks(void)
{
	/* Half of a disk compresses, so that both kinds of chunk are there. */
	for (size_t v = 0; v < VERSIONS; v++) {
		memset(disk[v], 'a' + (int)v, DISK);
		fixture_fill(disk[v], DISK / 2);
	}
	memcpy(disk[1], disk[0], DISK / 4);
	memcpy(disk[GOLD], disk[GOLD_IS], DISK);
}

static void
let_in(struct st_repo *r, const char *name, const struct cx_key *k,
       struct err *e)
{
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	struct st_ref ref;

	assert_ok(cx_pubs_add(&to, &k->pub, e), e);
	assert_ok(st_ref_find(r, name, &ref, e), e);
	assert_ok(st_version_load(r, &ref, &line, &v, e), e);
	assert_ok(st_line_add(r, &line, &to, e), e);
}

static int
begin(void **state)
{
	struct err e = ERR_INIT;
	struct st_ref ref, gold;

	if (fixture_begin(state) < 0)
		return -1;
	make_disks();
	assert_ok(cx_key_make(&admin, "admin", &e), &e);
	assert_ok(cx_key_make(&client, "client", &e), &e);
	assert_ok(fixture_repo(in_fixture("r"), &admin, &e), &e);

	ST_REPO_SCOPED struct st_repo *r = st_repo_open(in_fixture("r"), &e);
	assert_non_null(r);
	assert_ok(st_repo_unlock(r, &admin, &e), &e);
	assert_ok(fixture_import(r, "one", disk[3], DISK / 2, &ref, &e), &e);
	assert_ok(fixture_import(r, "one", disk[0], DISK, &gold, &e), &e);
	assert_ok(st_ref_remove(r, &ref, &e), &e);
	assert_ok(st_ref_tag(r, &gold, "gold", &e), &e);
	assert_ok(fixture_import(r, "one", disk[1], DISK, &ref, &e), &e);
	assert_ok(fixture_import(r, "two", disk[3], DISK, &ref, &e), &e);
	let_in(r, "two", &client, &e);
	return nftw(in_fixture("r"), note_file, 16, FTW_PHYS);
}

static int
end(void **state)
{
	cx_key_done(&admin);
	cx_key_done(&client);
	return fixture_end(state);
}

/* ---- a flip and what comes of it ----------------------------------------- */

static void
flip(const struct file *f, off_t at, unsigned bit)
{
	int fd = open(f->path, O_RDWR | O_CLOEXEC);
	uint8_t b = 0;

	assert_true(fd >= 0 && pread(fd, &b, 1, at) == 1);
	b ^= (uint8_t)(1u << bit);
	assert_true(pwrite(fd, &b, 1, at) == 1 && close(fd) == 0);
}

static void
hear(void *arg, const char *what)
{
	size_t n = strlen(said);

	(void)arg;
	(void)snprintf(said + n, sizeof(said) - n, "%s\n", what);
}

/* 1: the version reads as it should, 0: it is refused; anything else fails. */
static int
reads(const char *name, const struct cx_key *k, const uint8_t *want)
{
	static uint8_t got[DISK];
	struct err e = ERR_INIT;
	ST_REPO_SCOPED struct st_repo *r = st_repo_open(in_fixture("r"), &e);
	ST_IMAGE_SCOPED struct st_image *i = NULL;

	if (r == NULL || st_repo_unlock(r, k, &e) < 0)
		return 0;
	i = st_image_open(r, name, 0, false, &e);
	if (i == NULL || st_image_size(i) != DISK ||
	    st_image_read(i, got, DISK, 0, &e) < 0)
		return 0;
	if (memcmp(got, want, DISK) != 0)
		fail_msg("%s: served as other bytes", name);
	return 1;
}

/* Does verify find something?  What it says is in said[]. */
static bool
finds(void)
{
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	struct err e = ERR_INIT;
	ST_REPO_SCOPED struct st_repo *r = st_repo_open(in_fixture("r"), &e);
	struct st_verified sum = { .faults = 0 };

	said[0] = '\0';
	if (r == NULL || st_repo_unlock(r, &admin, &e) < 0 ||
	    st_verify(r, NULL, true, hear, NULL, &p, &sum, &e) < 0) {
		hear(NULL, e.msg);
		return true;
	}
	return sum.faults > 0;
}

/* The file is named, or "NAME:NUMBER" for refs/NAME/NUMBER. */
static bool
is_named(const struct file *f)
{
	const char *in = f->path + strlen(in_fixture("r")) + 1;
	char ref[80], name[32], number[32];

	if (strstr(said, in) != NULL)
		return true;
	if (sscanf(in, "refs/%31[^/]/%31s", name, number) != 2)
		return false;
	(void)snprintf(ref, sizeof(ref), "%s:%s", name, number);
	return strstr(said, ref) != NULL;
}

/* What no version can be read without; verify need not list them all. */
static bool
is_everybodys(const struct file *f)
{
	const char *in = f->path + strlen(in_fixture("r")) + 1;

	return strcmp(in, "config") == 0 || strcmp(in, "domain") == 0 ||
	       strcmp(in, "keys/repository") == 0;
}

/* A tag is also named by its version. */
static bool
is_told(const char *name)
{
	return strstr(said, name) != NULL ||
	       (strcmp(name, names[GOLD]) == 0 &&
		strstr(said, names[GOLD_IS]) != NULL);
}

static bool
check(const struct file *f)
{
	bool found = finds(), all = true;

	for (size_t v = 0; v < VERSIONS; v++) {
		int got = reads(names[v], &admin, disk[v]);

		all &= got == 1;
		if (got == 0 && !is_everybodys(f) && !is_told(names[v]))
			fail_msg("%s: %s is refused, but verify said only: %s",
				 f->path, names[v], said);
	}
	all &= reads("two", &client, disk[3]) == 1;
	if (found && !is_named(f))
		fail_msg("%s: not named by: %s", f->path, said);
	if (!found && !all)
		fail_msg("%s: not found, and not harmless", f->path);
	return found;
}

static void
any_bit(void **state)
{
	const char *n = getenv("FLIPS");
	unsigned long flips = n == NULL ? 200 : strtoul(n, NULL, 10), found = 0;

	(void)state;
	if (finds())
		fail_msg("before any flip: %s", said);
	for (unsigned long i = 0; i < flips; i++) {
		/* Every second one in any byte, the others in any file. */
		uint64_t at = fixture_random() % (uint64_t)all_bytes;
		size_t k = fixture_random() % files;

		if (i % 2 == 0)
			for (k = 0; at >= (uint64_t)file[k].len; k++)
				at -= (uint64_t)file[k].len;
		at %= (uint64_t)file[k].len;
		unsigned bit = (unsigned)(fixture_random() % 8);

		flip(&file[k], (off_t)at, bit);
		found += check(&file[k]);
		flip(&file[k], (off_t)at, bit);
	}
	assert_false(finds());
	print_message("%lu flips: %lu found, %lu harmless, 0 served\n", flips,
		      found, flips - found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(any_bit) };

	return cmocka_run_group_tests(tests, begin, end);
}
