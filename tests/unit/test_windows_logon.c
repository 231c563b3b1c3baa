/* test_windows_logon.c - every fact of the logon simulation, broken one by one
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * LOGON_IMAGE is a disk with Windows 7 on it, LOGON_SID somebody on it whose
 * profile is right, and whose folder is LOGON_HOME ("Users/bob").  Each case
 * breaks one fact in the disk's overlay, and the simulation must fail and name
 * it.  Without the variables there is nothing to do.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "disk/disk.h"
#include "windows/sd.h"
#include "windows/windows.h"

static const char *image, *home, *sid_text;
static struct err e;

struct lab {
	struct dk *disk;
	struct wn_guest *guest;
	struct wn_install *in;
	struct vo *vo;
	struct wn_sid sid;
};

static void
lab_open(struct lab *l, unsigned flags)
{
	l->guest = wn_open(l->disk, flags, &e);
	assert_non_null(l->guest);
	l->in = &l->guest->install[0];
	l->vo = wn_vo(l->in);
	assert_int_equal(wn_sid_from_text(sid_text, &l->sid, &e), 0);
}

static char *
in_home(const char *below)
{
	char *path = mem_fmt(&e, "%s%s%s", home, *below == '\0' ? "" : "/",
			     below);

	assert_non_null(path);
	return path;
}

/* ---- registration ---- */

/* Edit SOFTWARE's ProfileList entry. */
static void
edit_list(struct lab *l, void (*how)(struct hv_key *list, struct hv_key *own,
				     struct lab *l))
{
	HV_SCOPED struct hv_hive *h = wn_hive_load(l->in, WN_SOFTWARE, &e);
	BUF_SCOPED struct buf out = BUF_EMPTY;
	struct hv_key *list, *own;

	assert_non_null(h);
	list = hv_find(hv_root(h), "Microsoft\\Windows NT\\CurrentVersion\\"
		       "ProfileList");
	own = list == NULL ? NULL : hv_find(list, sid_text);
	assert_non_null(own);
	how(list, own, l);
	assert_int_equal(hv_serialize(h, &out, &e), 0);
	assert_int_equal(vo_put(l->vo, l->in->hive_path[WN_SOFTWARE], out.at,
				out.len, &e), 0);
}

static void
rename_bak(struct hv_key *list, struct hv_key *own, struct lab *l)
{
	SCOPED_FREE char *name = mem_fmt(&e, "%s.bak", sid_text);

	(void)list;
	(void)l;
	assert_int_equal(hv_rename(own, name, &e), 0);
}

static void
add_bak(struct hv_key *list, struct hv_key *own, struct lab *l)
{
	SCOPED_FREE char *name = mem_fmt(&e, "%s.bak", sid_text);

	(void)own;
	(void)l;
	assert_non_null(hv_create(list, name, &e));
}

static void
set_state(struct hv_key *own, uint32_t state)
{
	assert_int_equal(hv_set_dword(own, "State", state, &e), 0);
}

static void
temporary(struct hv_key *list, struct hv_key *own, struct lab *l)
{
	(void)list;
	(void)l;
	set_state(own, 0x800);
}

static void
backed_up(struct hv_key *list, struct hv_key *own, struct lab *l)
{
	(void)list;
	(void)l;
	set_state(own, 0x8000);
}

static void
no_folder(struct hv_key *list, struct hv_key *own, struct lab *l)
{
	(void)list;
	(void)l;
	hv_unset(own, hv_value(own, "ProfileImagePath"));
}

static void
other_folder(struct hv_key *list, struct hv_key *own, struct lab *l)
{
	(void)list;
	(void)l;
	assert_int_equal(hv_set_str(own, "ProfileImagePath", HV_EXPAND_SZ,
				    "C:\\Users\\nobody here", &e), 0);
}

static void
other_drive(struct hv_key *list, struct hv_key *own, struct lab *l)
{
	(void)list;
	(void)l;
	assert_int_equal(hv_set_str(own, "ProfileImagePath", HV_EXPAND_SZ,
				    "Q:\\Users\\bob", &e), 0);
}

static void
sid_bit(struct hv_key *list, struct hv_key *own, struct lab *l)
{
	struct wn_sid sid = l->sid;

	(void)list;
	sid.at[sid.len - 1] ^= 1;
	assert_int_equal(hv_set(own, "Sid", HV_BINARY, sid.at, sid.len, &e),
			 0);
}

/* ---- files ---- */

static void
lose(struct lab *l, const char *below)
{
	SCOPED_FREE char *path = in_home(below), *to = NULL;

	to = mem_fmt(&e, "%s-lost", path);
	assert_int_equal(vo_rename(l->vo, path, to, &e), 0);
}

/* A file where a folder belongs, and the other way round. */
static void
swap(struct lab *l, const char *below, bool folder)
{
	SCOPED_FREE char *path = in_home(below);

	lose(l, below);
	assert_int_equal(folder ? vo_create(l->vo, path, &e) :
			 vo_mkdir(l->vo, path, &e), 0);
}

enum harm { HARM_PERSON, HARM_PERSON_BIT, HARM_SYSTEM, HARM_DENY,
	    HARM_INHERIT_ONLY, HARM_RIGHT, HARM_KINDS };

static const struct wn_sid system_sid = {
	.len = 12, .at = { 1, 1, 0, 0, 0, 0, 0, 5, 18 },
};
static const struct wn_sid admins_sid = {
	.len = 16, .at = { 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2 },
};

/* One fact of a descriptor. */
static void
harm_sd(struct wn_sd *sd, const struct wn_sid *person, enum harm how)
{
	for (size_t i = 0; i < sd->dacl.count; i++) {
		struct wn_ace *a = &sd->dacl.at[i];
		const bool his = wn_sid_same(&a->sid, person);
		const bool systems = wn_sid_same(&a->sid, &system_sid) ||
			wn_sid_same(&a->sid, &admins_sid);

		if (how == HARM_PERSON && his)
			a->mask = 0;
		if (how == HARM_PERSON_BIT && his)
			a->sid.at[a->sid.len - 2] ^= 1;
		if (how == HARM_SYSTEM && systems)
			a->mask = 0;
		if (how == HARM_INHERIT_ONLY && his)
			a->flags |= WN_ACE_IO;
		if (how == HARM_RIGHT && his)
			a->mask &= ~UINT32_C(2);	/* to write */
	}
	if (how == HARM_DENY) {
		assert_int_equal(wn_acl_add(&sd->dacl, WN_ACE_DENY, 0, 1,
					    person, &e), 0);
		/* Denials come first. */
		struct wn_ace last = sd->dacl.at[sd->dacl.count - 1];

		memmove(&sd->dacl.at[1], &sd->dacl.at[0],
			(sd->dacl.count - 1) * sizeof(last));
		sd->dacl.at[0] = last;
	}
}

static void
harm_file(struct lab *l, const char *below, enum harm how)
{
	SCOPED_FREE char *path = in_home(below);
	SCOPED_FREE uint8_t *raw = NULL;
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	size_t len;

	assert_int_equal(vo_security(l->vo, path, &raw, &len, &e), 0);
	assert_int_equal(wn_sd_parse(raw, len, &sd, &e), 0);
	harm_sd(&sd, &l->sid, how);
	wn_sd_build(&sd, &out);
	assert_int_equal(vo_set_security(l->vo, path, out.at, out.len, &e), 0);
}

/* ---- hives ---- */

#define NTUSER "NTUSER.DAT"
#define CLASSES "AppData/Local/Microsoft/Windows/UsrClass.dat"

static void
harm_root(struct lab *l, const char *below, enum harm how)
{
	SCOPED_FREE char *path = in_home(below);
	HV_SCOPED struct hv_hive *h = wn_load_hive(l->vo, path, HV_LOGS_REPLAY,
						   &e);
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	BUF_SCOPED struct buf fresh = BUF_EMPTY, out = BUF_EMPTY;
	size_t len;
	const uint8_t *raw;

	assert_non_null(h);
	raw = hv_sd(hv_root(h), &len);
	assert_int_equal(wn_sd_parse(raw, len, &sd, &e), 0);
	harm_sd(&sd, &l->sid, how);
	wn_sd_build(&sd, &fresh);
	assert_int_equal(hv_set_sd(hv_root(h), fresh.at, fresh.len, &e), 0);
	assert_int_equal(hv_serialize(h, &out, &e), 0);
	assert_int_equal(vo_put(l->vo, path, out.at, out.len, &e), 0);
}

/* Flip one bit of a hive's file. */
static void
flip(struct lab *l, const char *below, uint64_t at, unsigned bit)
{
	SCOPED_FREE char *path = in_home(below);
	uint8_t byte;
	size_t n;

	assert_int_equal(vo_read(l->vo, path, at, &byte, 1, &n, &e), 0);
	assert_int_equal(n, 1);
	byte ^= (uint8_t)(1u << bit);
	assert_int_equal(vo_write(l->vo, path, at, &byte, 1, &e), 0);
}

/* ---- the table ---- */

/* Asks the simulation about a broken disk, which goes. */
static void
must_fail(struct lab *l, const char *what, const char *names)
{
	SCOPED_FREE char *why = NULL;
	const struct wn_user *u;

	assert_int_equal(wn_close(&l->guest, &e), 0);
	lab_open(l, 0);
	u = wn_user(l->in, sid_text);
	if (u == NULL) {
		print_error("%s: the person is gone\n", what);
		fail();
	}
	if (wn_logon(l->in, u, &why, &e) != 0 || why == NULL ||
	    strstr(why, names) == NULL) {
		print_error("%s: wanted \"%s\", got \"%s\" %s\n", what, names,
			    why == NULL ? "(nothing)" : why, e.msg);
		fail();
	}
	wn_free(&l->guest);
	dk_free(&l->disk);
}

static struct lab
lab_new(void)
{
	struct lab l = { .disk = dk_open(image, NULL, ".", DK_DRY, &e) };

	assert_non_null(l.disk);
	lab_open(&l, VO_WRITE);
	return l;
}

static void
whole(void **state)
{
	SCOPED_FREE char *why = NULL;
	struct lab l;

	(void)state;
	if (image == NULL)
		skip();
	l = lab_new();
	assert_int_equal(wn_logon(l.in, wn_user(l.in, sid_text), &why, &e), 1);
	wn_free(&l.guest);
	dk_free(&l.disk);
}

static void
registration(void **state)
{
	static const struct {
		void (*how)(struct hv_key *, struct hv_key *, struct lab *);
		const char *names;
	} cases[] = {
		{ rename_bak, ".bak was set aside" },
		{ add_bak, ".bak" },
		{ temporary, "State 0x800" },
		{ backed_up, "State 0x8000" },
		{ no_folder, "names no folder" },
		{ other_folder, "nobody here: is missing" },
		{ other_drive, "on no volume" },
		{ sid_bit, "Sid is another one" },
	};

	(void)state;
	if (image == NULL)
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lab l = lab_new();

		edit_list(&l, cases[i].how);
		must_fail(&l, cases[i].names, cases[i].names);
	}
}

static const struct {
	const char *below, *name;
	bool needed, folder;
} files[] = {
	{ "", "", true, true },
	{ NTUSER, "NTUSER.DAT", true, false },
	{ "AppData", "AppData", true, true },
	{ "AppData/Local", "AppData\\Local", true, true },
	{ "AppData/Roaming", "AppData\\Roaming", true, true },
	{ "AppData/Local/Microsoft", "Local\\Microsoft", false, true },
	{ "AppData/Local/Microsoft/Windows", "Microsoft\\Windows", false,
	  true },
	{ CLASSES, "UsrClass.dat", false, false },
};

/* Is it there?  A person who never logged on has no classes. */
static bool
there(struct lab *l, const char *below)
{
	SCOPED_FREE char *path = in_home(below);
	struct vo_stat st;

	return vo_stat(l->vo, path, &st, &e) == 1;
}

static void
on_files(void **state)
{
	(void)state;
	if (image == NULL)
		skip();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (int how = -2; how < (int)HARM_KINDS; how++) {
			struct lab l = lab_new();

			if (!there(&l, files[i].below) ||
			    (how == -2 && !files[i].needed)) {
				wn_free(&l.guest);
				dk_free(&l.disk);
				continue;
			}
			if (how == -2)
				lose(&l, files[i].below);
			else if (how == -1)
				swap(&l, files[i].below, files[i].folder);
			else
				harm_file(&l, files[i].below, (enum harm)how);
			must_fail(&l, files[i].below, files[i].name);
		}
}

/* The root's descriptor; every bit of what makes a base block valid. */
static void
on_hives(void **state)
{
	static const char *const hives[] = { NTUSER, CLASSES };
	static const char *const roots[] = {
		"root of NTUSER.DAT", "root of UsrClass.dat",
	};
	static const char *const names[] = { "NTUSER.DAT", "UsrClass.dat" };
	/* The mark, both sequence numbers, the versions, the root cell, the
	 * size, the sum. */
	static const uint64_t places[] = { 0, 4, 8, 20, 24, 36, 40, 508 };

	(void)state;
	if (image == NULL)
		skip();
	for (size_t h = 0; h < 2; h++) {
		struct lab first = lab_new();
		const bool has = there(&first, hives[h]);

		wn_free(&first.guest);
		dk_free(&first.disk);
		for (int how = 0; has && how < (int)HARM_KINDS; how++) {
			struct lab l = lab_new();

			harm_root(&l, hives[h], (enum harm)how);
			must_fail(&l, roots[h], roots[h]);
		}
		for (size_t i = 0; has && i < sizeof(places) /
		     sizeof(places[0]); i++)
			for (unsigned bit = 0; bit < 32; bit += 5) {
				struct lab l = lab_new();

				flip(&l, hives[h], places[i] + bit / 8,
				     bit % 8);
				must_fail(&l, hives[h], names[h]);
			}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(registration),
		cmocka_unit_test(on_files),
		cmocka_unit_test(on_hives),
	};

	image = getenv("LOGON_IMAGE");
	home = getenv("LOGON_HOME");
	sid_text = getenv("LOGON_SID");
	return cmocka_run_group_tests_name("windows_logon", tests, NULL, NULL);
}
