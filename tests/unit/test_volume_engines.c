/* test_volume_engines.c - one body of tests over every engine and file system
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Alone it works on an NTFS volume of its own, natively.  tests/engine/30-both.t
 * gives it disks in $HALCYON_ENGINES ("KIND PATH" in each line), which it takes
 * through one launch of the appliance; what a kind lacks must be refused.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/proc.h"
#include "disk/disk.h"
#include "disk/tx.h"
#include "volume/appliance.h"
#include "volume/volume.h"

enum { SIZE = 24 << 20, BIG = (3 << 20) + 17, DISKS = 16 };

/* What a kind of volume has beside files, folders and the time of change. */
enum {
	LINKS = 1 << 0,
	STREAMS = 1 << 1,
	WINDOWS = 1 << 2,	/* security, attributes, four times, ... */
	HIDDEN = 1 << 3,	/* and attributes alone */
	CHANGED = 1 << 4,	/* the time of the record's change can be set */
	CASE = 1 << 5,		/* two names may differ in case */
};

static const struct kind {
	const char *name;
	unsigned has;
	enum vo_choice choice;
	bool native;		/* without the appliance, and to read back */
	bool made;		/* LVM, dynamic disk */
} kinds[] = {
	{ "ntfs", LINKS | STREAMS | WINDOWS | CHANGED, VO_NATIVE_ONLY, true,
	  false },
	{ "ntfs-asked", LINKS | STREAMS | WINDOWS, VO_APPLIANCE_ONLY, false,
	  false },
	{ "bitlocker", LINKS | STREAMS | WINDOWS | CHANGED, VO_AUTO, false,
	  false },
	{ "fat32", 0, VO_AUTO, false, false },
	{ "exfat", 0, VO_AUTO, false, false },
	{ "ext", LINKS | CASE, VO_AUTO, false, false },
	{ "lvm", LINKS | STREAMS | WINDOWS | CHANGED, VO_AUTO, false, true },
	{ "dynamic", LINKS | STREAMS | WINDOWS | CHANGED, VO_AUTO, false, true },
};

static struct one {
	const struct kind *kind;
	char *path;
	struct dk *disk;
	uint8_t before[HASH_BYTES];
} disks[DISKS];
static size_t count;
static struct vo_appliance *appliance;
static char folder[] = "/tmp/halcyon-en.XXXXXX";

#define GOOD(call) do {							\
	if ((call) < 0)							\
		fail_msg("%s: %s", #call, e.msg);			\
} while (0)

/* It fails for that reason, and the error is forgotten. */
#define REFUSED(why, call) do {						\
	if ((call) >= 0)						\
		fail_msg("%s: was not refused", #call);			\
	if (e.kind != (why))						\
		fail_msg("%s: refused as %d: %s", #call, (int)e.kind,	\
			 e.msg);					\
	e = (struct err)ERR_INIT;					\
} while (0)

static const uint8_t descriptor[] = {
	1, 0, 0x04, 0x84, 0x14, 0, 0, 0, 0x24, 0, 0, 0, 0, 0, 0, 0,
	0x34, 0, 0, 0,
	1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0,
	1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0,
	2, 0, 0x1c, 0, 1, 0, 0, 0, 0, 3, 0x14, 0, 0xff, 1, 0x1f, 0,
	1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0,
};

static const uint8_t junction[] = {
	3, 0, 0, 0xa0, 0x2e, 0, 0, 0,
	0, 0, 0x1a, 0, 0x1c, 0, 0x08, 0,
	'\\', 0, '?', 0, '?', 0, '\\', 0, 'C', 0, ':', 0, '\\', 0, 'U', 0,
	's', 0, 'e', 0, 'r', 0, 's', 0, '\\', 0, 0, 0,
	'x', 0, 'y', 0, 'z', 0, 'w', 0, 0, 0,
};

static const uint8_t object_id[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static const struct vo_times times = {
	.created = 128000000000000000, .modified = 128000000020000000,
	.changed = 128000000030000000, .accessed = 128000000040000000,
};

static uint8_t *big;

/* ---- opening -------------------------------------------------------------- */

static struct vo *
open_volume(const struct one *d, unsigned flags)
{
	const struct vo_span all = { 0, d->disk->size };
	VO_MADES_SCOPED struct vo_mades m = VO_MADES_EMPTY;
	struct err e = ERR_INIT;
	struct vo *v = NULL;

	vo_choose(d->kind->choice, "geheim123");
	if (d->kind->native) {
		v = vo_open(d->disk, 0, d->disk->size, flags, &e);
	} else if (d->kind->made) {
		GOOD(vo_made_volumes(appliance, d->disk, &m, &e));
		assert_true(m.count >= 1);
		v = vo_open_made(appliance, d->disk, &m.at[0], &all, 1, flags,
				 &e);
	} else {
		v = vo_open_in(appliance, d->disk, 0, d->disk->size, flags, &e);
	}
	if (v == NULL)
		fail_msg("%s: %s", d->kind->name, e.msg);
	return v;
}

/* ---- the body ------------------------------------------------------------- */

static void
write_files(struct vo *v, unsigned has)
{
	struct err e = ERR_INIT;
	struct vo_stat st;

	GOOD(vo_mkdirs(v, "Users/Zoë/Desktop", &e));
	GOOD(vo_put(v, "Users/Zoë/Desktop/note.txt", "hello", 5, &e));
	GOOD(vo_put(v, "users/ZOË/desktop/NOTE.TXT", "hello again", 11, &e));
	GOOD(vo_put(v, "big.bin", big, BIG, &e));
	GOOD(vo_write(v, "big.bin", 1000, "in the middle", 13, &e));
	GOOD(vo_put(v, "short", "0123456789", 10, &e));
	GOOD(vo_truncate(v, "short", 4, &e));
	GOOD(vo_truncate(v, "short", 6, &e));
	GOOD(vo_create(v, "it's a 'quoted' $(name).txt", &e));
	REFUSED(ERR_USAGE, vo_create(v, "short", &e));
	REFUSED(ERR_USAGE, vo_mkdir(v, "users", &e));
	REFUSED(ERR_NO, vo_write(v, "nowhere", 0, "x", 1, &e));
	REFUSED(ERR_USAGE, vo_put(v, "Users", "x", 1, &e));
	GOOD(vo_create(v, "gone", &e));
	GOOD(vo_remove(v, "GONE", &e));
	assert_int_equal(vo_stat(v, "gone", &st, &e), 0);
	REFUSED(ERR_NO, vo_remove(v, "gone", &e));
	GOOD(vo_mkdirs(v, "tree/a/b", &e));
	GOOD(vo_put(v, "tree/a/b/f", "x", 1, &e));
	GOOD(vo_put(v, "tree/a/b/g", "y", 1, &e));
	GOOD(vo_rename(v, "tree/a", "tree/c", &e));
	GOOD(vo_rename(v, "tree/c/b/f", "tree/c/b/F", &e));
	GOOD(vo_rename(v, "tree/c/b/g", "moved", &e));
	REFUSED(ERR_USAGE, vo_rename(v, "moved", "short", &e));
	GOOD(vo_mkdirs(v, "old/er", &e));
	GOOD(vo_put(v, "old/er/file", "z", 1, &e));
	GOOD(vo_remove_tree(v, "old", &e));
	if ((has & LINKS) != 0) {
		GOOD(vo_link(v, "big.bin", "Users/big2.bin", &e));
		REFUSED(ERR_USAGE, vo_link(v, "big.bin", "short", &e));
	}
}

/* What NTFS has, or the refusal of a volume that has it not. */
static void
write_metadata(struct vo *v, unsigned has)
{
	struct err e = ERR_INIT;
	size_t len;
	uint8_t *sd;

	if ((has & STREAMS) != 0) {
		GOOD(vo_put(v, "short:Zone", "[zone]", 6, &e));
		GOOD(vo_write(v, "short:other", 2, "abc", 3, &e));
		GOOD(vo_put(v, "short:gone", "x", 1, &e));
		GOOD(vo_remove(v, "short:gone", &e));
	} else {
		REFUSED(ERR_UNSUPPORTED, vo_put(v, "short:Zone", "x", 1, &e));
	}
	if ((has & WINDOWS) == 0) {
		struct vo_times linux_times = times;

		REFUSED(ERR_UNSUPPORTED, vo_security(v, "short", &sd, &len, &e));
		REFUSED(ERR_UNSUPPORTED,
			vo_set_security(v, "short", descriptor,
					sizeof(descriptor), &e));
		REFUSED(ERR_UNSUPPORTED,
			vo_set_reparse(v, "tree", junction, sizeof(junction),
				       &e));
		REFUSED(ERR_UNSUPPORTED,
			vo_set_attributes(v, "short", VO_HIDDEN, &e));
		REFUSED(ERR_UNSUPPORTED, vo_set_short_name(v, "short", "SH~1",
							   &e));
		REFUSED(ERR_UNSUPPORTED, vo_set_times(v, "short", &times, &e));
		linux_times.created = 0;
		GOOD(vo_set_times(v, "short", &linux_times, &e));
		return;
	}
	GOOD(vo_set_short_name(v, "Users/Zoë", "ZO~1", &e));
	GOOD(vo_set_attributes(v, "big.bin", VO_HIDDEN | VO_SYSTEM, &e));
	GOOD(vo_set_times(v, "short", &times, &e));
	GOOD(vo_set_security(v, "Users", descriptor, sizeof(descriptor), &e));
	GOOD(vo_mkdir(v, "Documents and Settings", &e));
	GOOD(vo_set_reparse(v, "Documents and Settings", junction,
			    sizeof(junction), &e));
	GOOD(vo_set_object_id(v, "moved", object_id, sizeof(object_id), &e));
}

static int
see(void *arg, const char *path, const struct vo_entry *x, struct err *e)
{
	(void)e;
	if ((x->st.attributes & (VO_SYSTEM | VO_HIDDEN)) == 0 &&
	    strstr(path, "System Volume Information") == NULL &&
	    strcmp(path, "lost+found") != 0)
		buf_fmt(arg, "%s\n", path);
	return 0;
}

static void
read_text(struct vo *v, const char *path, const char *want)
{
	SCOPED_FREE uint8_t *bytes = NULL;
	struct err e = ERR_INIT;
	size_t len = 0;

	if (vo_slurp(v, path, 1 << 20, &bytes, &len, &e) != 1)
		fail_msg("%s: %s", path, e.kind == ERR_NONE ? "is not there"
							    : e.msg);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(bytes, want, len);
}

static void
read_files(struct vo *v, unsigned has)
{
	BUF_SCOPED struct buf seen = BUF_EMPTY;
	SCOPED_FREE uint8_t *bytes = NULL;
	SCOPED_FREE uint8_t *few = NULL;
	SCOPED_FREE char *spelled = NULL;
	struct err e = ERR_INIT;
	struct vo_stat st, other;
	size_t len;

	read_text(v, "users/zoë/desktop/NOTE.txt", "hello again");
	assert_int_equal(vo_slurp(v, "BIG.BIN", BIG, &bytes, &len, &e), 1);
	assert_int_equal(len, BIG);
	assert_memory_equal(bytes + 1000, "in the middle", 13);
	memcpy(bytes + 1000, big + 1000, 13);
	assert_memory_equal(bytes, big, BIG);
	assert_int_equal(vo_slurp(v, "short", 10, &few, &len, &e), 1);
	assert_int_equal(len, 6);
	assert_memory_equal(few, "0123\0\0", 6);
	assert_int_equal(vo_spelling(v, "USERS/zoë", &spelled, &e), 1);
	assert_string_equal(spelled, "Users/Zoë");
	GOOD(vo_walk(v, "", see, &seen, &e));
	GOOD(buf_ok(&seen, &e));
	if (strstr((char *)seen.at, "tree\ntree/c\ntree/c/b\ntree/c/b/F\n"
		   "Users\n") == NULL)
		fail_msg("%s", (char *)seen.at);
	assert_non_null(strstr((char *)seen.at,
			       "it's a 'quoted' $(name).txt\nmoved\n"));
	assert_null(strstr((char *)seen.at, "old"));
	assert_int_equal(vo_stat(v, "nowhere", &st, &e), 0);
	assert_int_equal(vo_stat(v, "short/x", &st, &e), 0);
	assert_int_equal(vo_stat(v, "short", &st, &e), 1);
	assert_int_equal(st.times.modified, times.modified);
	REFUSED(ERR_USAGE, vo_read(v, "Users", 0, bytes, 1, &len, &e));
	if ((has & LINKS) != 0) {
		assert_int_equal(vo_stat(v, "big.bin", &st, &e), 1);
		assert_int_equal(vo_stat(v, "users/BIG2.bin", &other, &e), 1);
		assert_int_equal(st.id & 0xffffffffffff,
				 other.id & 0xffffffffffff);
		assert_int_equal(st.links, 2);
	}
}

static void
read_metadata(struct vo *v, unsigned has)
{
	VO_STREAMS_SCOPED struct vo_streams s = VO_STREAMS_EMPTY;
	VO_LIST_SCOPED struct vo_list l = VO_LIST_EMPTY;
	SCOPED_FREE uint8_t *sd = NULL;
	SCOPED_FREE uint8_t *point = NULL;
	SCOPED_FREE uint8_t *id = NULL;
	struct err e = ERR_INIT;
	struct vo_stat st;
	size_t len;

	GOOD(vo_streams(v, "short", &s, &e));
	assert_int_equal(s.count, (has & STREAMS) != 0 ? 3 : 1);
	if ((has & WINDOWS) == 0)
		return;
	read_text(v, "SHORT:zone", "[zone]");
	read_text(v, "users/zo~1/DESKTOP/note.txt", "hello again");
	GOOD(vo_list(v, "Users", &l, &e));
	assert_int_equal(l.count, 2);
	assert_string_equal(l.at[1].short_name, "ZO~1");
	assert_int_equal(vo_stat(v, "big.bin", &st, &e), 1);
	assert_int_equal(st.attributes & VO_SETTABLE & ~(uint32_t)VO_ARCHIVE,
			 VO_HIDDEN | VO_SYSTEM);
	assert_int_equal(vo_stat(v, "short", &st, &e), 1);
	assert_int_equal(st.times.created, times.created);
	assert_int_equal(st.times.accessed, times.accessed);
	if ((has & CHANGED) != 0)
		assert_int_equal(st.times.changed, times.changed);
	GOOD(vo_security(v, "Users", &sd, &len, &e));
	assert_int_equal(len, sizeof(descriptor));
	assert_memory_equal(sd, descriptor, len);
	assert_int_equal(vo_reparse(v, "documents and settings", &point, &len,
				    &e), 1);
	assert_int_equal(len, sizeof(junction));
	assert_memory_equal(point, junction, len);
	assert_int_equal(vo_stat(v, "Documents and Settings", &st, &e), 1);
	assert_int_equal(st.tag, (uint32_t)VO_TAG_MOUNT_POINT);
	assert_int_equal(vo_object_id(v, "moved", &id, &len, &e), 1);
	assert_memory_equal(id, object_id, sizeof(object_id));
	free(TAKE(id));
	assert_int_equal(vo_object_id(v, "short", &id, &len, &e), 0);
}

/* ---- each disk ------------------------------------------------------------ */

static void
write_all(void **state)
{
	const struct one *d = *state;
	struct err e = ERR_INIT;
	struct vo *v = open_volume(d, VO_WRITE);

	write_files(v, d->kind->has);
	write_metadata(v, d->kind->has);
	read_files(v, d->kind->has);
	GOOD(vo_close(&v, &e));
	GOOD(dk_commit(d->disk, d->kind->name, &e));
}

static void
read_all(void **state)
{
	const struct one *d = *state;
	VO_SCOPED struct vo *v = open_volume(d, 0);

	read_files(v, d->kind->has);
	read_metadata(v, d->kind->has);
}

/* An engine that read from its own memory would not be caught by the above. */
static void
reads_natively(void **state)
{
	const struct one *d = *state;
	struct err e = ERR_INIT;
	DK_SCOPED struct dk *disk = dk_open(d->path, "raw", "/nowhere", 0, &e);
	VO_SCOPED struct vo *v = NULL;
	enum vo_kind kind;

	assert_non_null(disk);
	GOOD(vo_probe(disk, 0, disk->size, &kind, &e));
	if (kind != VO_NTFS && kind != VO_FAT)
		skip();
	v = vo_open(disk, 0, disk->size, 0, &e);
	if (v == NULL)
		fail_msg("%s", e.msg);
	read_files(v, d->kind->has);
	read_metadata(v, d->kind->has);
}

static void
hash_file(const char *path, uint8_t ret[HASH_BYTES])
{
	SCOPED_FREE uint8_t *bytes = NULL;
	struct err e = ERR_INIT;
	size_t len;

	GOOD(io_slurp(path, 1 << 30, &bytes, &len, &e));
	hash_of(bytes, len, ret);
}

/* With $HALCYON_KEEP the script looks at what was written, and undoes it. */
static void
undone(void **state)
{
	const struct one *d = *state;
	struct err e = ERR_INIT;
	struct dk_tx tx;
	uint8_t now[HASH_BYTES];

	if (getenv("HALCYON_KEEP") != NULL)
		skip();
	GOOD(dk_undo(d->path, "raw", "/nowhere", false, &tx, &e));
	dk_tx_done(&tx);
	hash_file(d->path, now);
	assert_memory_equal(now, d->before, HASH_BYTES);
}

static int
open_disks(void **state)
{
	struct dk *all[DISKS];
	struct err e = ERR_INIT;
	bool needed = false;

	(void)state;
	big = mem_array(BIG, 1, &e);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (uint8_t)(i * 2654435761U >> 13);
	for (size_t i = 0; i < count; i++) {
		disks[i].disk = dk_open(disks[i].path, "raw", "/nowhere",
					DK_WRITE, &e);
		if (disks[i].disk == NULL)
			fail_msg("%s", e.msg);
		hash_file(disks[i].path, disks[i].before);
		all[i] = disks[i].disk;
		needed = needed || !disks[i].kind->native;
	}
	vo_choose(VO_AUTO, "geheim123");
	if (needed && (appliance = vo_appliance_new(all, count, &e)) == NULL)
		fail_msg("%s", e.msg);
	return 0;
}

static int
close_disks(void **state)
{
	(void)state;
	vo_appliance_free(&appliance);
	appliance = NULL;
	for (size_t i = 0; i < count; i++) {
		dk_free(&disks[i].disk);
		disks[i].disk = NULL;
	}
	return 0;
}

static void
add(const char *kind, const char *path)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, kind) == 0 && count < DISKS) {
			disks[count].kind = &kinds[i];
			disks[count++].path = mem_str(path, &e);
		}
}

static void
add_given(const char *list)
{
	struct err e = ERR_INIT;
	SCOPED_FREE char *text = mem_str(list, &e);
	char *line, *next = text;

	while ((line = strsep(&next, "\n")) != NULL) {
		char *path = strchr(line, ' ');

		if (path != NULL) {
			*path = '\0';
			add(line, path + 1);
		}
	}
}

static void
add_own(void)
{
	const char *const make[] = { "truncate", "-s", "24M", "v.img", NULL };
	const char *const mkfs[] = { "mkntfs", "-F", "-q", "-f", "-s", "512",
				     "-p", "0", "-H", "0", "-S", "0", "v.img",
				     NULL };
	BUF_SCOPED struct buf said = BUF_EMPTY;
	struct err e = ERR_INIT;

	if (mkdtemp(folder) == NULL || chdir(folder) < 0 ||
	    proc_must(make, NULL, 0, &said, 1 << 16, 10000, &e) < 0 ||
	    proc_must(mkfs, NULL, 0, &said, 1 << 16, 60000, &e) < 0) {
		(void)fprintf(stderr, "%s\n", e.msg);
		exit(1);
	}
	add("ntfs", "v.img");
}

static void
let_go(void **state)
{
	assert_int_equal(close_disks(state), 0);
}

int
main(void)
{
	/* on all disks one after another; then what needs them closed */
	static const CMUnitTestFunction steps[] = {
		write_all, read_all, let_go, reads_natively, undone,
	};
	struct CMUnitTest tests[DISKS * sizeof(steps) / sizeof(*steps)];
	const char *given = getenv("HALCYON_ENGINES");
	size_t n = 0;

	if (given != NULL)
		add_given(given);
	else
		add_own();
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		for (size_t k = 0; k < (steps[i] == let_go ? 1 : count); k++)
			tests[n++] = (struct CMUnitTest){
				.name = steps[i] == let_go ? "all are closed"
						: disks[k].kind->name,
				.test_func = steps[i],
				.initial_state = &disks[k],
			};
	return _cmocka_run_group_tests("engines", tests, n, open_disks,
				       close_disks);
}
