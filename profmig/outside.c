/* outside.c - what people keep outside their profiles
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "profmig/extract-private.h"
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

/* Is this path inside a folder that was taken already (a redirected one)? */
static bool
is_taken(const struct pm_walk *k, const char *path)
{
	const struct pm_person *p = &k->b->person[k->person];

	for (size_t i = 0; i <= WN_FAVORITES; i++) {
		const char *f = p->folder[i];

		if (f != NULL && strlen(f) > 3 &&
		    strncasecmp(f, k->drive, 2) == 0) {
			const char *a = f + 3, *b = path;

			while (*a != '\0' && (*a == *b ||
			       (*a == '\\' && *b == '/'))) {
				a++;
				b++;
			}
			if (*a == '\0' && (*b == '\0' || *b == '/'))
				return true;
		}
	}
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
