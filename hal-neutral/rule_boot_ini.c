/* rule_boot_ini.c - boot.ini leads to the installation on this disk
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Row X26: an entry for this installation whose ARC path names a controller
 * (scsi(), signature(), which need the old machine's NTBOOTDD.SYS), another disk
 * or another partition gets the path that leads there, and so does default=.
 * Entries for other installations stay as they are.  What 32-bit Windows needs
 * for another HAL is added (rule_hal.c).
 */
#include "hal-neutral/rule.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "hal-neutral/bootini.h"

static const char default_key[] = "default=";

/* Does an ARC path of any kind end in this installation's folder? */
static bool
same_folder(const struct hn_image *im, const char *path, size_t len)
{
	struct err e = ERR_INIT;
	SCOPED_FREE char *text = mem_strn(path, len, &e);
	const char *folder = text != NULL ? strchr(text, '\\') : NULL;

	return folder != NULL && strcasestr(text, "partition(") != NULL &&
	       utf_same8(folder + 1, im->in->root);
}

/* Must this path be put right?  One that leads to a partition of this disk with
 * such a folder is somebody else's. */
static bool
astray(const struct hn_image *im, const char *path, size_t len)
{
	const struct wn_guest *g = im->in->guest;
	const char *folder;
	size_t volume = hn_arc_volume(im, path, len, &folder);

	if (!same_folder(im, path, len) || hn_arc_is_ours(im, path, len))
		return false;
	for (size_t i = 0; volume != SIZE_MAX && i < g->installs; i++)
		if (g->install[i].volume == volume &&
		    utf_same8(g->install[i].root, im->in->root))
			return false;
	return true;
}

static int
repair_entries(const struct hn_image *im, struct hn_ini *ini, const char *ours,
	       struct err *e)
{
	for (size_t i = 0; i < ini->lines; i++) {
		struct hn_ini_entry en;

		if (hn_ini_entry(ini, i, &en) &&
		    astray(im, en.path, en.path_len) &&
		    hn_ini_set(ini, i, mem_fmt(e, "%s%s", ours, en.rest),
			       e) < 0)
			return -1;
	}
	return 0;
}

/* default= leads astray, or matches no entry. */
static int
repair_default(struct hn_job *j, struct hn_ini *ini, const char *ours,
	       struct err *e)
{
	const char *path = ini->chosen == SIZE_MAX ? "" :
			   ini->line[ini->chosen] + strlen(default_key);
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < ini->lines && found == SIZE_MAX; i++) {
		struct hn_ini_entry en;

		if (hn_ini_entry(ini, i, &en) &&
		    hn_arc_is_ours(j->im, en.path, en.path_len))
			found = i;
	}
	if (found == SIZE_MAX && ini->systems != SIZE_MAX) {
		found = ini->systems + 1;
		if (hn_ini_insert(ini, found,
				  mem_fmt(e, "%s=\"Microsoft Windows\" "
					  "/fastdetect", ours), e) < 0)
			return -1;
	}
	if (found == SIZE_MAX || ini->chosen == SIZE_MAX) {
		buf_fmt(j->notes, "boot.ini: has no [boot loader] with a "
			"default=, or no [operating systems]; write a new "
			"one\n");
		return 0;
	}
	if (!astray(j->im, path, strlen(path)) &&
	    hn_ini_default(ini) != SIZE_MAX)
		return 0;
	return hn_ini_set(ini, ini->chosen,
			  mem_fmt(e, "%s%s", default_key, ours), e);
}

static int
wish(struct hn_job *j, struct err *e)
{
	struct cs_reason r = { "boot-ini/X26", "NTLDR must find the "
			       "installation, with a HAL for the platform" };
	HN_INI_SCOPED struct hn_ini ini = HN_INI_EMPTY;
	BUF_SCOPED struct buf before = BUF_EMPTY, after = BUF_EMPTY;
	SCOPED_FREE char *ours = hn_arc_ours(j->im, e);
	int got = ours == NULL ? -1 : hn_ini_read(j->im, &ini, e);
	struct vo *vo;

	if (got == 0)
		buf_fmt(j->notes, "boot.ini: is not there\n");
	if (got <= 0)
		return got;
	hn_ini_text(&ini, &before);
	if (repair_entries(j->im, &ini, ours, e) < 0 ||
	    repair_default(j, &ini, ours, e) < 0 ||
	    hn_want_hal(j, &ini, e) < 0)
		return -1;
	hn_ini_text(&ini, &after);
	if (buf_ok(&before, e) < 0 || buf_ok(&after, e) < 0)
		return -1;
	if (before.len == after.len &&
	    memcmp(before.at, after.at, after.len) == 0)
		return 0;
	if (after.len > CS_INLINE_MAX) {
		buf_fmt(j->notes, "boot.ini: too long to be put right\n");
		return 0;
	}
	vo = j->im->in->guest->volume[ini.volume].vo;
	cs_want_file_inline(j->plan,
			    cs_plan_volume(j->plan, vo_facts(vo)->serial),
			    "boot.ini", after.at, after.len, r);
	return 0;
}

const struct hn_rule hn_rule_boot_ini = {
	.name = "boot-ini",
	.what = "boot.ini leads here, with a HAL that fits",
	.source = "Microsoft KB102873, KB309283, KB249694",
	.first = WN_2000, .last = WN_2003,
	.tested = HN_SPECIFIED,
	.wish = wish,
};
