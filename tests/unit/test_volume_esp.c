/* test_volume_esp.c - an EFI system partition is written by mtools
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/proc.h"
#include "disk/disk.h"
#include "volume/volume.h"

static char folder[] = "/tmp/halcyon-esp.XXXXXX";

#define GOOD(call) do {							\
	if ((call) < 0)							\
		fail_msg("%s: %s", #call, e.msg);			\
} while (0)
#define REFUSED(want, call) do {					\
	e = (struct err)ERR_INIT;					\
	assert_int_equal(call, -1);					\
	assert_int_equal(e.kind, want);					\
} while (0)

static struct vo *
open_volume(struct dk **ret_disk, unsigned flags)
{
	struct err e = ERR_INIT;
	struct vo *v;

	*ret_disk = dk_open("v.img", NULL, "/nowhere", DK_WRITE, &e);
	if (*ret_disk == NULL)
		fail_msg("%s", e.msg);
	v = vo_open(*ret_disk, 0, (*ret_disk)->size, flags, &e);
	if (v == NULL)
		fail_msg("%s", e.msg);
	return v;
}

static void
names_and_attributes(void **state)
{
	struct err e = ERR_INIT;
	struct dk *d;
	struct vo *v = open_volume(&d, VO_WRITE | VO_ESP);
	struct vo_stat st;
	char *spelled = NULL;

	(void)state;
	GOOD(vo_mkdirs(v, "EFI/Boot", &e));
	GOOD(vo_put(v, "EFI/a long name.efi", "bytes", 5, &e));
	GOOD(vo_set_attributes(v, "EFI/a long name.efi",
			       VO_HIDDEN | VO_SYSTEM | VO_READONLY, &e));
	GOOD(vo_rename(v, "efi/ALONGN~1.EFI", "efi/BOOT/BootX64.efi", &e));
	GOOD(vo_rename(v, "EFI/Boot/BootX64.efi", "EFI/Boot/BOOTx64.efi", &e));
	assert_int_equal(vo_spelling(v, "EFI/Boot/bootx64.efi", &spelled, &e), 1);
	assert_string_equal(spelled, "EFI/Boot/BOOTx64.efi");
	assert_int_equal(vo_stat(v, spelled, &st, &e), 1);
	assert_int_equal(st.attributes, VO_HIDDEN | VO_SYSTEM | VO_READONLY);
	free(spelled);
	GOOD(vo_rename(v, "EFI/Boot", "Start", &e));
	assert_int_equal(vo_stat(v, "EFI/Boot", &st, &e), 0);
	REFUSED(ERR_USAGE, vo_rename(v, "Start", "Start/below", &e));
	REFUSED(ERR_USAGE, vo_rename(v, "Start", "EFI", &e));
	REFUSED(ERR_USAGE, vo_mkdir(v, "Start", &e));
	REFUSED(ERR_USAGE, vo_remove(v, "Start", &e));
	REFUSED(ERR_NO, vo_create(v, "none/x", &e));
	REFUSED(ERR_UNSUPPORTED, vo_set_security(v, "Start", "", 1, &e));
	REFUSED(ERR_UNSUPPORTED, vo_link(v, "Start", "Other", &e));
	GOOD(vo_remove_tree(v, "Start", &e));
	assert_int_equal(vo_stat(v, "Start", &st, &e), 0);
	GOOD(vo_close(&v, &e));
	dk_free(&d);
}

static void
pieces(void **state)
{
	struct err e = ERR_INIT;
	struct dk *d;
	struct vo *v = open_volume(&d, VO_WRITE | VO_ESP);
	uint8_t *is = NULL;
	size_t len = 0;

	(void)state;
	REFUSED(ERR_NO, vo_write(v, "log", 0, "x", 1, &e));
	GOOD(vo_create(v, "log", &e));
	GOOD(vo_write(v, "log", 3, "three", 5, &e));
	GOOD(vo_write(v, "log", 0, "012", 3, &e));
	GOOD(vo_put(v, "other", "o", 1, &e));
	GOOD(vo_write(v, "log", 8, "!?", 2, &e));
	GOOD(vo_truncate(v, "log", 9, &e));
	GOOD(vo_close(&v, &e));
	GOOD(dk_commit(d, "test", &e));
	v = vo_open(d, 0, d->size, 0, &e);
	assert_non_null(v);
	assert_int_equal(vo_slurp(v, "log", 99, &is, &len, &e), 1);
	assert_int_equal(len, 9);
	assert_memory_equal(is, "012three!", 9);
	free(is);
	vo_free(&v);
	dk_free(&d);
}

/* A change that failed half way takes all others of the volume with it. */
static void
failed(void **state)
{
	static const uint8_t much[1 << 20] = { 1 };
	struct err e = ERR_INIT;
	struct dk *d;
	struct vo *v = open_volume(&d, VO_WRITE | VO_ESP);
	struct vo_stat st;

	(void)state;
	GOOD(vo_put(v, "big", much, sizeof(much), &e));
	GOOD(vo_put(v, "big2", much, sizeof(much), &e));
	REFUSED(ERR_SYSTEM, vo_stat(v, "big", &st, &e));
	REFUSED(ERR_SYSTEM, vo_close(&v, &e));
	v = vo_open(d, 0, d->size, 0, &e);
	assert_non_null(v);
	assert_int_equal(vo_stat(v, "big", &st, &e), 0);
	vo_free(&v);
	dk_free(&d);
}

static int
enter(void **state)
{
	static const char *const format[] = {
		"mformat", "-C", "-i", "v.img", "-T", "2880", "-h", "2", "-s",
		"18", "::", NULL,
	};
	struct err e = ERR_INIT;
	BUF_SCOPED struct buf out = BUF_EMPTY;

	(void)state;
	/* as in every program: mcopy ends before it has read what does not fit */
	(void)signal(SIGPIPE, SIG_IGN);
	if (!proc_found("mformat") || mkdtemp(folder) == NULL ||
	    chdir(folder) < 0)
		return -1;
	return proc_must(format, NULL, 0, &out, 65536, 60000, &e);
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
		cmocka_unit_test(names_and_attributes),
		cmocka_unit_test(pieces),
		cmocka_unit_test(failed),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
