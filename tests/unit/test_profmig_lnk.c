/* test_profmig_lnk.c - shell links: what they point at, before and after
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * With LNK_IN and LNK_OUT in the environment it also parses every file that
 * LNK_IN lists, rewrites it, and writes what came out into LNK_OUT
 * (tests/real/80-lnk.t has other people's reader look at that).
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "profmig/lnk.h"
#include "profmig/rewrite.h"

#define OLD "C:\\Documents and Settings\\alice"

static void
put_header(struct buf *b, uint32_t flags)
{
	static const uint8_t id[16] = {
		0x01, 0x14, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46,
	};

	buf_u32le(b, 0x4c);
	buf_bytes(b, id, sizeof(id));
	buf_u32le(b, flags);
	buf_u32le(b, 0x20);
	buf_zeros(b, 0x4c - 28);
}

static void
put_text(struct buf *b, const char *text)
{
	buf_u16le(b, (uint16_t)strlen(text));
	for (; *text != '\0'; text++)
		buf_u16le(b, (uint8_t)*text);
}

/* "This PC", C:, one folder with a long name, one file, as XP writes them. */
static void
put_ids(struct buf *b)
{
	static const char folder[] = "DOCUME~1";
	static const char longer[] = "Documents and Settings";
	struct buf ids = BUF_EMPTY;

	buf_u16le(&ids, 20);
	buf_u8(&ids, 0x1f);
	buf_zeros(&ids, 17);
	buf_u16le(&ids, 25);
	buf_bytes(&ids, "\x2f" "C:\\", 4);
	buf_zeros(&ids, 19);
	size_t ext = 14 + sizeof(folder) + 1, name = 2 * sizeof(longer);
	buf_u16le(&ids, (uint16_t)(ext + 20 + name + 2));
	buf_bytes(&ids, "\x31\0", 2);
	buf_zeros(&ids, 10);
	buf_bytes(&ids, folder, sizeof(folder));
	buf_zeros(&ids, 1);
	buf_u16le(&ids, (uint16_t)(20 + name + 2));
	buf_u16le(&ids, 3);
	buf_u32le(&ids, 0xbeef0004);
	buf_zeros(&ids, 8);
	buf_u16le(&ids, 20);
	buf_zeros(&ids, 2);
	for (size_t i = 0; i < sizeof(longer); i++)
		buf_u16le(&ids, (uint8_t)longer[i]);
	buf_u16le(&ids, (uint16_t)ext);
	buf_u16le(&ids, 14 + 6);
	buf_bytes(&ids, "\x32\0", 2);
	buf_zeros(&ids, 10);
	buf_bytes(&ids, "a.doc", 6);
	buf_u16le(&ids, 0);
	buf_u16le(b, (uint16_t)ids.len);
	buf_bytes(b, ids.at, ids.len);
	buf_done(&ids);
}

static void
put_info(struct buf *b, const char *path)
{
	size_t n = strlen(path) + 1;

	buf_u32le(b, (uint32_t)(0x1c + n + 1));
	buf_u32le(b, 0x1c);
	buf_u32le(b, 1);
	buf_u32le(b, 0);
	buf_u32le(b, 0x1c);
	buf_u32le(b, 0);
	buf_u32le(b, (uint32_t)(0x1c + n));
	buf_bytes(b, path, n);
	buf_u8(b, 0);
}

/* A link as XP writes it: item ids, LinkInfo, strings, the tracker. */
static void
make_link(struct buf *b, const char *path)
{
	put_header(b, PM_LNK_ID_LIST | PM_LNK_INFO | PM_LNK_RELATIVE |
		   PM_LNK_WORKING | PM_LNK_ARGUMENTS | PM_LNK_UNICODE);
	put_ids(b);
	put_info(b, path);
	put_text(b, "..\\My Documents\\a.doc");
	put_text(b, OLD "\\My Documents");
	put_text(b, "/open \"" OLD "\\My Documents\\b.doc\"");
	buf_u32le(b, 0x60);
	buf_u32le(b, (uint32_t)PM_LNK_BLOCK_TRACKER);
	buf_zeros(b, 0x58);
	buf_u32le(b, 0);
}

static void
make_rewrite(struct pm_rewrite *rw)
{
	struct err e = ERR_INIT;

	assert_int_equal(pm_rewrite_add(rw, OLD "\\My Documents",
		"%USERPROFILE%\\Documents", &e), 0);
	assert_int_equal(pm_rewrite_add(rw, OLD, "%USERPROFILE%", &e), 0);
	pm_rewrite_sort(rw);
}

static void
moved(void **state)
{
	BUF_SCOPED struct buf in = BUF_EMPTY, out = BUF_EMPTY;
	PM_LNK_SCOPED struct pm_lnk l = PM_LNK_EMPTY, again = PM_LNK_EMPTY;
	PM_REWRITE_SCOPED struct pm_rewrite rw = PM_REWRITE_EMPTY;
	struct err e = ERR_INIT;
	bool changed = false;

	(void)state;
	make_rewrite(&rw);
	make_link(&in, OLD "\\My Documents\\a.doc");
	assert_int_equal(pm_lnk_parse(in.at, in.len, &l, &e), 0);
	assert_string_equal(l.target, OLD "\\My Documents\\a.doc");
	assert_int_equal(pm_lnk_rewrite(&l, &rw, &changed, &e), 0);
	assert_true(changed);
	assert_int_equal(pm_lnk_build(&l, &out, &e), 0);
	assert_int_equal(pm_lnk_parse(out.at, out.len, &again, &e), 0);
	assert_string_equal(again.target, "%USERPROFILE%\\Documents\\a.doc");
	assert_string_equal(again.string[PM_LNK_S_WORKING],
			    "%USERPROFILE%\\Documents");
	assert_string_equal(again.string[PM_LNK_S_ARGUMENTS],
			    "/open \"%USERPROFILE%\\Documents\\b.doc\"");
	assert_null(again.ids);
	assert_null(again.info);
	assert_int_equal(again.blocks, 1);
	assert_int_equal(again.flags & PM_LNK_PREFER_ENV, PM_LNK_PREFER_ENV);
}

/* Without a mapping nothing changes but the tracker, and bytes survive. */
static void
not_moved(void **state)
{
	BUF_SCOPED struct buf in = BUF_EMPTY, out = BUF_EMPTY;
	PM_LNK_SCOPED struct pm_lnk l = PM_LNK_EMPTY;
	PM_REWRITE_SCOPED struct pm_rewrite rw = PM_REWRITE_EMPTY;
	struct err e = ERR_INIT;
	bool changed = true;

	(void)state;
	make_link(&in, "C:\\Program Files\\x.exe");
	assert_int_equal(pm_lnk_parse(in.at, in.len, &l, &e), 0);
	assert_int_equal(pm_lnk_build(&l, &out, &e), 0);
	assert_int_equal(out.len, in.len);
	assert_memory_equal(out.at, in.at, in.len);
	assert_int_equal(pm_lnk_rewrite(&l, &rw, &changed, &e), 0);
	assert_false(changed);
	assert_non_null(l.ids);
	assert_int_equal(l.blocks, 0);
}

/* Where LinkInfo is missing, the item ids say where the link points. */
static void
by_item_ids(void **state)
{
	BUF_SCOPED struct buf in = BUF_EMPTY;
	PM_LNK_SCOPED struct pm_lnk l = PM_LNK_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	put_header(&in, PM_LNK_ID_LIST);
	put_ids(&in);
	buf_u32le(&in, 0);
	assert_int_equal(pm_lnk_parse(in.at, in.len, &l, &e), 0);
	assert_string_equal(l.target, "C:\\Documents and Settings\\a.doc");
}

static void
prefixes_and_memory(void **state)
{
	BUF_SCOPED struct buf in = BUF_EMPTY;

	(void)state;
	make_link(&in, OLD "\\x");
	for (size_t n = 0; n < in.len; n++) {
		PM_LNK_SCOPED struct pm_lnk l = PM_LNK_EMPTY;
		uint8_t *exact = malloc(n == 0 ? 1 : n);
		struct err e = ERR_INIT;

		assert_non_null(exact);
		memcpy(exact, in.at, n);
		assert_int_equal(pm_lnk_parse(exact, n, &l, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_null(l.target);
		free(exact);
	}
	for (unsigned i = 1; i < 100; i++) {
		PM_LNK_SCOPED struct pm_lnk l = PM_LNK_EMPTY;
		struct err e = ERR_INIT;

		mem_fail_from(i);
		int r = pm_lnk_parse(in.at, in.len, &l, &e);
		mem_fail_from(0);
		if (r == 0)
			return;
		assert_int_equal(e.kind, ERR_NOMEM);
	}
	fail_msg("still allocating");
}

static void
one_real(const char *path, const char *out_dir, size_t number)
{
	SCOPED_FREE uint8_t *at = NULL;
	SCOPED_FREE char *name = NULL;
	PM_LNK_SCOPED struct pm_lnk l = PM_LNK_EMPTY;
	PM_REWRITE_SCOPED struct pm_rewrite rw = PM_REWRITE_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	struct err e = ERR_INIT;
	bool changed;
	size_t len;

	assert_int_equal(io_slurp(path, PM_LNK_MAX, &at, &len, &e), 0);
	if (pm_lnk_parse(at, len, &l, &e) < 0) {
		(void)fprintf(stderr, "# %s: %s\n", path, e.msg);
		fail();
	}
	(void)printf("# %s -> %s\n", path, l.target == NULL ? "-" : l.target);
	assert_int_equal(pm_rewrite_add(&rw, "C:", "C:\\Moved", &e), 0);
	pm_rewrite_sort(&rw);
	assert_int_equal(pm_lnk_rewrite(&l, &rw, &changed, &e), 0);
	assert_int_equal(pm_lnk_build(&l, &out, &e), 0);
	name = mem_fmt(&e, "%s/%zu.lnk", out_dir, number);
	assert_non_null(name);
	assert_int_equal(io_put(name, out.at, out.len, 0644, &e), 0);
}

static void
real_files(void **state)
{
	const char *list = getenv("LNK_IN"), *out = getenv("LNK_OUT");
	SCOPED_FREE uint8_t *raw = NULL;
	SCOPED_FREE char *text = NULL;
	struct err e = ERR_INIT;
	size_t len, number = 0;

	(void)state;
	if (list == NULL || out == NULL)
		return;
	assert_int_equal(io_slurp(list, 1 << 20, &raw, &len, &e), 0);
	text = mem_strn(raw, len, &e);
	for (char *p = text; p != NULL && *p != '\0';) {
		char *end = strchr(p, '\n');

		if (end != NULL)
			*end++ = '\0';
		one_real(p, out, ++number);
		p = end;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved),
		cmocka_unit_test(not_moved),
		cmocka_unit_test(by_item_ids),
		cmocka_unit_test(prefixes_and_memory),
		cmocka_unit_test(real_files),
	};

	return cmocka_run_group_tests_name("profmig_lnk", tests, NULL, NULL);
}
