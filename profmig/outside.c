/* outside.c - what people keep outside their profiles
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "profmig/extract-private.h"
#include "profmig/rules.h"
#include "windows/sd.h"

/* Folders at the root of a volume that are Windows' or its programs' own. */
static bool
is_system_folder(const struct pm_walk *k, const char *path)
{
	static const char *const names[] = {
		"windows", "winnt", "program files", "program files (x86)",
		"programme", "programdata", "recycler", "recycled",
		"$recycle.bin", "system volume information", "boot",
		"recovery", "config.msi", "msocache", "perflogs",
		"$windows.~bt", "$winreagent", "documents and settings",
		"users", "i386", "drivers",
	};
	const struct wn_install *in = k->x->in;
	const char *const own[] = {
		in->system_root, in->profiles, in->program_files,
		in->program_files_x86, in->program_data,
	};

	if (strchr(path, '/') != NULL)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (utf_same8(names[i], path))
			return true;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i] != NULL && strlen(own[i]) > 3 &&
		    strncasecmp(own[i], k->drive, 2) == 0 &&
		    utf_same8(own[i] + 3, path))
			return true;
	return false;
}

/* Theirs is what they own; with one person, what nobody else's account owns. */
static int
is_theirs(struct pm_walk *k, const char *path, struct err *e)
{
	const struct pm_person *p = &k->b->person[k->person];
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	SCOPED_FREE uint8_t *raw = NULL;
	struct err why = ERR_INIT;
	size_t len;

	if (vo_security(k->vo, path, &raw, &len, e) < 0)
		return -1;
	if (wn_sd_parse(raw, len, &sd, &why) < 0)
		return 0;
	if (wn_sid_same(&sd.owner, &p->sid))
		return 1;
	return k->x->count == 1 && !wn_sid_is_account(&sd.owner);
}

/* Does the volume path lie in this folder, or is it that folder? */
static bool
is_in(const struct pm_walk *k, const char *path, const char *folder)
{
	SCOPED_FREE char *copy = NULL;
	struct err none = ERR_INIT;
	size_t n;

	if (folder == NULL || strlen(folder) <= 3 ||
	    strncasecmp(folder, k->drive, 2) != 0)
		return false;
	copy = mem_str(path, &none);
	n = strlen(folder + 3);
	if (copy == NULL || strlen(copy) < n ||
	    (copy[n] != '/' && copy[n] != '\0'))
		return false;
	copy[n] = '\0';
	for (char *c = copy; *c != '\0'; c++)
		if (*c == '/')
			*c = '\\';
	return utf_same8(copy, folder + 3);
}

/* Is this path inside a folder that was taken already (a redirected one)? */
static bool
is_taken(const struct pm_walk *k, const char *path)
{
	const struct pm_person *p = &k->b->person[k->person];

	for (size_t i = 0; i <= WN_FAVORITES; i++)
		if (is_in(k, path, p->folder[i]))
			return true;
	/* A profile may lie anywhere, somebody else's too. */
	for (size_t i = 0; i < k->x->in->users; i++)
		if (is_in(k, path, k->x->in->user[i].profile))
			return true;
	return false;
}

static int
on_outside(void *arg, const char *path, const struct vo_entry *entry,
	   struct err *e)
{
	struct pm_walk *k = arg;
	bool folder = (entry->st.attributes & VO_DIRECTORY) != 0;
	int r;

	if (is_system_folder(k, path) || is_taken(k, path) ||
	    (entry->st.attributes & VO_REPARSE) != 0)
		return 1;
	if (folder)
		return 0;
	/* Files at the very root are the boot files. */
	if (strchr(path, '/') == NULL && k->volume == k->x->in->volume &&
	    (entry->st.attributes & VO_SYSTEM) != 0)
		return 0;
	r = is_theirs(k, path, e);
	if (r <= 0)
		return r;
	if (k->outside == PM_OUTSIDE_ALL || pm_is_document(entry->name))
		return pm_take(k, path, entry, e);
	return pm_lose(k, PM_LOSS_OUTSIDE, path, "outside the profile and no "
		       "document; --outside all takes it", entry->st.size, e);
}

int
pm_take_outside(struct pm_walk *k, struct err *e)
{
	const struct wn_install *in = k->x->in;

	if (k->outside == PM_OUTSIDE_NONE)
		return 0;
	for (size_t i = 0; i < in->guest->volumes; i++) {
		char letter = i == in->volume && in->drive != NULL ?
			in->drive[0] : '\0';

		for (size_t n = 0; n < in->letters; n++)
			if (in->letter[n].volume == i)
				letter = in->letter[n].letter;
		if (letter == '\0' || in->guest->volume[i].vo == NULL)
			continue;
		k->vo = in->guest->volume[i].vo;
		k->volume = i;
		k->flags = PM_ITEM_OUTSIDE;
		k->drive[0] = letter;
		k->drive[1] = ':';
		k->drive[2] = '\0';
		if (vo_walk(k->vo, "", on_outside, k, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- shared folders ---- */

static int
on_public(void *arg, const char *path, const struct vo_entry *entry,
	  struct err *e)
{
	struct pm_walk *k = arg;
	const struct pm_person *p = &k->b->person[k->person];
	int r;

	if ((entry->st.attributes & VO_REPARSE) != 0)
		return 1;
	if ((entry->st.attributes & VO_DIRECTORY) != 0) {
		/* What Windows brought along; and folders with a walk of
		 * their own. */
		if (pm_pattern("sample *", entry->name))
			return 1;
		for (size_t i = WN_PUBLIC_DESKTOP; i <= WN_PUBLIC_FAVORITES;
		     i++)
			if (strcmp(k->profile, path) != 0 &&
			    p->folder[i] != NULL &&
			    is_in(k, path, p->folder[i]) &&
			    strlen(p->folder[i]) - 3 == strlen(path))
				return 1;
		return 0;
	}
	r = is_theirs(k, path, e);
	return r <= 0 ? r : pm_take(k, path, entry, e);
}

int
pm_take_public(struct pm_walk *k, struct err *e)
{
	const struct wn_install *in = k->x->in;

	for (size_t i = WN_PUBLIC_DESKTOP; i <= WN_PUBLIC_FAVORITES; i++) {
		const char *folder = k->b->person[k->person].folder[i];
		SCOPED_FREE char *inside = NULL;
		struct vo_stat st;
		int r = folder == NULL ? 0 :
			wn_find_path(in, folder, &k->volume, &inside, e);

		k->vo = r == 1 ? in->guest->volume[k->volume].vo : NULL;
		if (r == 1 && k->vo != NULL)
			r = vo_stat(k->vo, inside, &st, e);
		if (r < 0)
			return -1;
		if (r == 0 || k->vo == NULL)
			continue;
		k->flags = PM_ITEM_PUBLIC;
		k->profile = inside;
		(void)snprintf(k->drive, sizeof(k->drive), "%.2s", folder);
		r = vo_walk(k->vo, inside, on_public, k, e);
		k->profile = NULL;
		if (r < 0)
			return -1;
	}
	return 0;
}
