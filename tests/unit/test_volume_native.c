/* test_volume_native.c - a volume written through the worker reads back
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/proc.h"
#include "disk/disk.h"
#include "volume/volume.h"

enum { SIZE = 24 << 20 };

static char folder[] = "/tmp/halcyon-vo.XXXXXX";

#define GOOD(call) do {							\
	if ((call) < 0)							\
		fail_msg("%s: %s", #call, e.msg);			\
} while (0)

static struct dk *
open_disk(unsigned flags)
{
	struct err e = ERR_INIT;
	struct dk *d = dk_open("v.img", NULL, "/nowhere", flags, &e);

	if (d == NULL)
		fail_msg("%s", e.msg);
	return d;
}

static struct vo *
open_volume(struct dk *d, unsigned flags)
{
	struct err e = ERR_INIT;
	struct vo *v = vo_open(d, 0, d->size, flags, &e);

	if (v == NULL)
		fail_msg("%s", e.msg);
	return v;
}

/* Everyone: full access; owner and group administrators. */
static const uint8_t descriptor[] = {
	1, 0, 0x04, 0x84, 0x14, 0, 0, 0, 0x24, 0, 0, 0, 0, 0, 0, 0,
	0x34, 0, 0, 0,
	1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0,
	1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0,
	2, 0, 0x1c, 0, 1, 0, 0, 0, 0, 3, 0x14, 0, 0xff, 1, 0x1f, 0,
	1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0,
};

/* A junction to C:\Users. */
static const uint8_t junction[] = {
	3, 0, 0, 0xa0, 0x2e, 0, 0, 0,
	0, 0, 0x1a, 0, 0x1c, 0, 0x08, 0,
	'\\', 0, '?', 0, '?', 0, '\\', 0, 'C', 0, ':', 0, '\\', 0, 'U', 0,
	's', 0, 'e', 0, 'r', 0, 's', 0, '\\', 0, 0, 0,
	'x', 0, 'y', 0, 'z', 0, 'w', 0, 0, 0,
};

static void
everything(void **state)
{
	struct err e = ERR_INIT;
	struct dk *d = open_disk(DK_WRITE);
	struct vo *v = open_volume(d, VO_WRITE);
	const struct vo_times times = {
		.created = 128000000000000001, .modified = 128000000000000002,
		.changed = 128000000000000003, .accessed = 128000000000000004,
	};
	SCOPED_FREE uint8_t *big = mem_array(3 << 20, 1, &e);

	(void)state;
	for (size_t i = 0; i < 3 << 20; i++)
		big[i] = (uint8_t)(i * 2654435761U >> 13);
	GOOD(vo_mkdirs(v, "Users/Zoë/Desktop", &e));
	GOOD(vo_put(v, "Users/Zoë/Desktop/note.txt", "hello", 5, &e));
	GOOD(vo_put(v, "users/ZOË/desktop/NOTE.TXT", "hello again", 11, &e));
	GOOD(vo_put(v, "Users/Zoë/Desktop/note.txt:Zone", "[z]", 3, &e));
	GOOD(vo_put(v, "big.bin", big, 3 << 20, &e));
	GOOD(vo_link(v, "big.bin", "Users/big2.bin", &e));
	GOOD(vo_set_short_name(v, "Users/Zoë", "ZO~1", &e));
	GOOD(vo_set_attributes(v, "big.bin", VO_HIDDEN | VO_SYSTEM, &e));
	GOOD(vo_set_times(v, "big.bin", &times, &e));
	GOOD(vo_set_security(v, "Users", descriptor, sizeof(descriptor), &e));
	GOOD(vo_mkdir(v, "Documents and Settings", &e));
	GOOD(vo_set_reparse(v, "Documents and Settings", junction,
			    sizeof(junction), &e));
	GOOD(vo_create(v, "gone", &e));
	GOOD(vo_remove(v, "gone", &e));
	GOOD(vo_mkdirs(v, "tree/a/b", &e));
	GOOD(vo_put(v, "tree/a/b/f", "x", 1, &e));
	GOOD(vo_rename(v, "tree/a", "tree/c", &e));
	GOOD(vo_rename(v, "tree/c/b/f", "tree/c/b/F", &e));
	GOOD(vo_close(&v, &e));
	GOOD(dk_commit(d, "a test", &e));
	dk_free(&d);
}

static int
see(void *arg, const char *path, const struct vo_entry *x, struct err *e)
{
	struct buf *seen = arg;

	(void)e;
	(void)x;
	buf_fmt(seen, "%s\n", path);
	return 0;
}

static void
reads_back(void **state)
{
	struct err e = ERR_INIT;
	DK_SCOPED struct dk *d = open_disk(0);
	VO_SCOPED struct vo *v = open_volume(d, 0);
	BUF_SCOPED struct buf seen = BUF_EMPTY;
	SCOPED_FREE uint8_t *bytes = NULL, *sd = NULL, *point = NULL,
			    *zone = NULL;
	SCOPED_FREE char *spelled = NULL;
	VO_STREAMS_SCOPED struct vo_streams s = VO_STREAMS_EMPTY;
	VO_LIST_SCOPED struct vo_list l = VO_LIST_EMPTY;
	struct vo_stat st, other;
	size_t len;

	(void)state;
	GOOD(vo_walk(v, "", see, &seen, &e));
	GOOD(buf_ok(&seen, &e));
	assert_string_equal((char *)seen.at,
		"big.bin\nDocuments and Settings\ntree\ntree/c\ntree/c/b\n"
		"tree/c/b/F\nUsers\nUsers/big2.bin\nUsers/Zoë\n"
		"Users/Zoë/Desktop\nUsers/Zoë/Desktop/note.txt\n");
	assert_int_equal(vo_slurp(v, "Users/Zoë/Desktop/note.txt", 100, &bytes,
				  &len, &e), 1);
	assert_int_equal(len, 11);
	assert_memory_equal(bytes, "hello again", 11);
	assert_int_equal(vo_slurp(v, "Users/Zoë/Desktop/note.txt:zone", 100,
				  &zone, &len, &e), 1);
	assert_memory_equal(zone, "[z]", 3);
	GOOD(vo_streams(v, "Users/Zoë/Desktop/note.txt", &s, &e));
	assert_int_equal(s.count, 2);
	assert_int_equal(vo_stat(v, "BIG.BIN", &st, &e), 1);
	assert_int_equal(vo_stat(v, "users/big2.bin", &other, &e), 1);
	assert_int_equal(st.id, other.id);
	assert_int_equal(st.links, 2);
	assert_int_equal(st.size, 3 << 20);
	assert_int_equal(st.attributes & VO_SETTABLE, VO_HIDDEN | VO_SYSTEM);
	assert_int_equal(st.times.created, 128000000000000001);
	assert_int_equal(st.times.changed, 128000000000000003);
	assert_int_equal(st.times.accessed, 128000000000000004);
	assert_int_equal(vo_spelling(v, "USERS/zo~1/desktop", &spelled,
				     &e), 1);
	assert_string_equal(spelled, "Users/Zoë/Desktop");
	GOOD(vo_list(v, "Users", &l, &e));
	assert_int_equal(l.count, 2);
	assert_null(l.at[0].short_name);
	assert_string_equal(l.at[1].short_name, "ZO~1");
	GOOD(vo_security(v, "Users", &sd, &len, &e));
	assert_int_equal(len, sizeof(descriptor));
	assert_memory_equal(sd, descriptor, len);
	assert_int_equal(vo_reparse(v, "documents and settings", &point, &len,
				    &e), 1);
	assert_int_equal(len, sizeof(junction));
	assert_int_equal(vo_stat(v, "Documents and Settings/x", &st, &e), 0);
	assert_int_equal(vo_stat(v, "nowhere", &st, &e), 0);
}

static void
new_files_inherit(void **state)
{
	struct err e = ERR_INIT;
	DK_SCOPED struct dk *d = open_disk(DK_DRY);
	VO_SCOPED struct vo *v = open_volume(d, VO_WRITE);
	SCOPED_FREE uint8_t *sd = NULL;
	size_t len;

	(void)state;
	GOOD(vo_create(v, "Users/new", &e));
	GOOD(vo_security(v, "Users/new", &sd, &len, &e));
	/* the one inheritable entry, now marked as inherited */
	assert_int_equal(len, sizeof(descriptor));
	assert_int_equal(sd[20 + 8 + 1], 0x10);
}

static void
refuses(void **state)
{
	static const char *const bad[] = {
		"a:b/c", "con", "LPT1.txt", "dot.", "space ", "a*b", "a\x01",
		"nul .x",
	};
	DK_SCOPED struct dk *d = open_disk(DK_DRY);
	VO_SCOPED struct vo *v = open_volume(d, VO_WRITE);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(vo_mkdir(v, bad[i], &e), -1);
		assert_true(e.kind == ERR_USAGE || e.kind == ERR_NO);
	}
	struct {
		int status;
		enum err_kind kind;
	} got;
#define REFUSED(call, want) do {					\
	struct err e = ERR_INIT;					\
	got.status = (call);						\
	got.kind = e.kind;						\
	assert_int_equal(got.status, -1);				\
	assert_int_equal(got.kind, want);				\
} while (0)
	REFUSED(vo_create(v, "BIG.BIN", &e), ERR_USAGE);
	REFUSED(vo_remove(v, "Users", &e), ERR_USAGE);
	REFUSED(vo_remove(v, "$MFT", &e), ERR_USAGE);
	REFUSED(vo_rename(v, "tree", "tree/c/tree", &e), ERR_USAGE);
	REFUSED(vo_create(v, "no/where", &e), ERR_NO);
	REFUSED(vo_create(v, "Documents and Settings/x", &e), ERR_USAGE);
	REFUSED(vo_set_short_name(v, "big.bin", "TOO~LONG.NAME", &e), ERR_USAGE);
	REFUSED(vo_set_short_name(v, "big.bin", "USERS", &e), ERR_USAGE);
	REFUSED(vo_truncate(v, "big.bin", 100 << 20, &e), ERR_SYSTEM);
}

/* An encrypted file moves unread: raw bytes and $EFS to a new one.  The first one
 * is made the same way, from bytes that nobody can decrypt. */
static void
encrypted(void **state)
{
	struct err e = ERR_INIT;
	DK_SCOPED struct dk *d = open_disk(DK_DRY);
	VO_SCOPED struct vo *v = open_volume(d, VO_WRITE);
	uint8_t raw[1026], back[2000], efs[84] = { 84 };
	SCOPED_FREE uint8_t *kept = NULL;
	struct vo_stat st;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 1024; i++)
		raw[i] = (uint8_t)(i * 7);
	raw[1024] = 24;		/* of the last 512 bytes do not count */
	raw[1025] = 0;
	for (size_t i = 4; i < sizeof(efs); i++)
		efs[i] = (uint8_t)i;
	GOOD(vo_put(v, "secret", raw, sizeof(raw), &e));
	GOOD(vo_set_efs(v, "secret", efs, sizeof(efs), &e));
	GOOD(vo_read_raw(v, "secret", 0, back, sizeof(back), &len, &e));
	assert_int_equal(len, sizeof(raw));
	assert_int_equal(vo_efs(v, "secret", &kept, &len, &e), 1);
	assert_int_equal(len, sizeof(efs));
	GOOD(vo_put(v, "moved", back, sizeof(raw), &e));
	GOOD(vo_set_efs(v, "moved", kept, len, &e));
	assert_int_equal(vo_stat(v, "moved", &st, &e), 1);
	assert_int_equal(st.size, 1000);
	assert_int_equal(st.attributes & VO_ENCRYPTED, VO_ENCRYPTED);
	memset(back, 0, sizeof(back));
	GOOD(vo_read_raw(v, "moved", 0, back, sizeof(back), &len, &e));
	assert_memory_equal(back, raw, 1024);
	free(kept);
	kept = NULL;
	assert_int_equal(vo_efs(v, "moved", &kept, &len, &e), 1);
	assert_memory_equal(kept, efs, sizeof(efs));
	free(TAKE(kept));
	assert_int_equal(vo_efs(v, "big.bin", &kept, &len, &e), 0);
	assert_int_equal(vo_read(v, "moved", 0, back, 10, &len, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
}

static void
compressed(void **state)
{
	struct err e = ERR_INIT;
	DK_SCOPED struct dk *d = open_disk(DK_DRY);
	VO_SCOPED struct vo *v = open_volume(d, VO_WRITE);
	SCOPED_FREE uint8_t *zeros = mem_array(1 << 20, 1, &e);
	SCOPED_FREE uint8_t *back = NULL;
	struct vo_stat st;
	size_t len;

	(void)state;
	memset(zeros, 'x', 1 << 20);
	GOOD(vo_create(v, "small", &e));
	GOOD(vo_set_compressed(v, "small", true, &e));
	GOOD(vo_put(v, "small", zeros, 1 << 20, &e));
	assert_int_equal(vo_stat(v, "small", &st, &e), 1);
	assert_int_equal(st.size, 1 << 20);
	assert_true(st.attributes & VO_COMPRESSED);
	assert_true(st.allocated < 1 << 18);
	assert_int_equal(vo_slurp(v, "small", 1 << 20, &back, &len, &e), 1);
	assert_memory_equal(back, zeros, 1 << 20);
	/* files made in such a folder are born so */
	GOOD(vo_mkdir(v, "folder", &e));
	GOOD(vo_set_compressed(v, "folder", true, &e));
	GOOD(vo_put(v, "folder/one", zeros, 1 << 20, &e));
	assert_int_equal(vo_stat(v, "folder/one", &st, &e), 1);
	assert_true(st.attributes & VO_COMPRESSED);
	assert_int_equal(vo_set_compressed(v, "small", false, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
}

/* The short name of one name of several, set, replaced, and taken away. */
static void
short_names(void **state)
{
	struct err e = ERR_INIT;
	DK_SCOPED struct dk *d = open_disk(DK_DRY);
	VO_SCOPED struct vo *v = open_volume(d, VO_WRITE);
	struct vo_stat st;

	(void)state;
	GOOD(vo_put(v, "a long name.text", "x", 1, &e));
	GOOD(vo_link(v, "a long name.text", "Users/another long name.text", &e));
	GOOD(vo_set_short_name(v, "Users/another long name.text", "ANOTHE~1.TEX",
			       &e));
	GOOD(vo_set_short_name(v, "a long name.text", "ALONGN~1.TEX", &e));
	assert_int_equal(vo_stat(v, "users/anothe~1.tex", &st, &e), 1);
	assert_int_equal(st.links, 2);
	/* by its short name, which is replaced */
	GOOD(vo_set_short_name(v, "ALONGN~1.TEX", "OTHER.TEX", &e));
	assert_int_equal(vo_stat(v, "alongn~1.tex", &st, &e), 0);
	assert_int_equal(vo_stat(v, "other.tex", &st, &e), 1);
	GOOD(vo_set_short_name(v, "a long name.text", NULL, &e));
	assert_int_equal(vo_stat(v, "other.tex", &st, &e), 0);
	assert_int_equal(vo_stat(v, "a long name.text", &st, &e), 1);
	assert_int_equal(st.links, 2);
	/* a name that is short itself */
	GOOD(vo_set_short_name(v, "big.bin", "BIG.BIN", &e));
	GOOD(vo_remove(v, "a long name.text", &e));
	assert_int_equal(vo_stat(v, "Users/ANOTHE~1.TEX", &st, &e), 1);
	assert_int_equal(st.links, 1);
	GOOD(vo_remove(v, "Users/another long name.text", &e));
	assert_int_equal(vo_stat(v, "Users/ANOTHE~1.TEX", &st, &e), 0);
}

static void
object_ids(void **state)
{
	static const uint8_t id[64] = { 1, 2, 3, [16] = 4, [63] = 5 };
	struct err e = ERR_INIT;
	DK_SCOPED struct dk *d = open_disk(DK_DRY);
	VO_SCOPED struct vo *v = open_volume(d, VO_WRITE);
	SCOPED_FREE uint8_t *got = NULL;
	size_t len;

	(void)state;
	assert_int_equal(vo_object_id(v, "big.bin", &got, &len, &e), 0);
	GOOD(vo_set_object_id(v, "big.bin", id, sizeof(id), &e));
	assert_int_equal(vo_object_id(v, "big.bin", &got, &len, &e), 1);
	assert_int_equal(len, sizeof(id));
	assert_memory_equal(got, id, sizeof(id));
	free(TAKE(got));
	GOOD(vo_set_object_id(v, "big.bin", NULL, 0, &e));
	assert_int_equal(vo_object_id(v, "big.bin", &got, &len, &e), 0);
}

/* The worker has no file but its socket and cannot open another. */
static void
shut_in(void **state)
{
	DK_SCOPED struct dk *d = open_disk(0);
	VO_SCOPED struct vo *v = open_volume(d, 0);
	char path[64], pid[32] = "";
	char status[4096] = "";
	int fd;

	(void)state;
	assert_non_null(v);
	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children",
		       (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		skip();
	assert_true(read(fd, pid, sizeof(pid) - 1) > 0);
	(void)close(fd);
	pid[strcspn(pid, " ")] = '\0';
	(void)snprintf(path, sizeof(path), "/proc/%s/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(read(fd, status, sizeof(status) - 1) > 0);
	(void)close(fd);
	assert_non_null(strstr(status, "NoNewPrivs:\t1"));
	assert_non_null(strstr(status, "Seccomp:\t2"));
	(void)snprintf(path, sizeof(path), "/proc/%s/fd/3", pid);
	if (access(path, F_OK) == 0) {
		(void)snprintf(path, sizeof(path), "/proc/%s/fd/4", pid);
		assert_int_equal(access(path, F_OK), -1);
	}
}

static int
enter(void **state)
{
	static const char *const mkntfs[] = {
		"mkntfs", "-F", "-q", "-f", "-p", "0", "-H", "0", "-S", "0",
		"v.img", NULL,
	};
	struct err e = ERR_INIT;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	int fd;

	(void)state;
	if (!proc_found("mkntfs") || mkdtemp(folder) == NULL ||
	    chdir(folder) < 0)
		return -1;
	fd = open("v.img", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, SIZE) < 0 || close(fd) < 0)
		return -1;
	return proc_must(mkntfs, NULL, 0, &out, 65536, 60000, &e);
}

static int
leave(void **state)
{
	(void)state;
	(void)unlink("v.img.undo/000001.undo");
	(void)rmdir("v.img.undo");
	(void)unlink("v.img");
	return chdir("/") < 0 || rmdir(folder) < 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),
		cmocka_unit_test(reads_back),
		cmocka_unit_test(encrypted),
		cmocka_unit_test(compressed),
		cmocka_unit_test(short_names),
		cmocka_unit_test(object_ids),
		cmocka_unit_test(shut_in),
		cmocka_unit_test(new_files_inherit),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
