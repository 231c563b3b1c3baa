/* place.c - where each item of a bundle goes, by the rules
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/move.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"

/* A place of the old computer and what is below it. */
struct spot {
	unsigned place;		/* PM_PLACES: none of them */
	const char *below;	/* without a leading backslash */
	size_t matched;		/* length of the folder's path */
};

void
pm_fates_done(struct pm_fates *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->at[i].to);
		free(f->at[i].why);
	}
	free(f->at);
	*f = (struct pm_fates)PM_FATES_EMPTY;
}

static void
consider(struct spot *s, const char *path, const char *folder, unsigned place)
{
	size_t n = folder == NULL ? 0 : strlen(folder);

	if (n == 0 || n < s->matched || strncasecmp(path, folder, n) != 0 ||
	    (path[n] != '\\' && path[n] != '\0'))
		return;
	if (n == s->matched && s->place != PM_PLACES)
		return;
	*s = (struct spot){ .place = place, .matched = n,
			    .below = path[n] == '\0' ? "" : path + n + 1 };
}

/* The innermost folder that the path lies in. */
static struct spot
find_spot(const struct pm_move *m, const char *path)
{
	struct spot s = { .place = PM_PLACES, .below = path };

	for (unsigned i = 0; i < WN_FOLDERS; i++)
		consider(&s, path, m->who->folder[i], i);
	consider(&s, path, m->who->profile, PM_PROFILE);
	consider(&s, path, m->bundle->origin.public_profile, PM_PUBLIC);
	return s;
}

/* Is `prefix` the path or one of its folders?  What follows, or NULL. */
static const char *
step_over(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	if (n == 0)
		return path;
	if (strncasecmp(path, prefix, n) != 0)
		return NULL;
	return path[n] == '\0' ? path + n : path[n] == '\\' ? path + n + 1 :
		NULL;
}

/* Does a pattern match the path, or one of its components? */
static bool
matches(const struct pm_words *patterns, const char *path)
{
	for (size_t i = 0; i < patterns->count; i++) {
		const char *part = path;

		if (pm_pattern(patterns->at[i], path))
			return true;
		while (part != NULL && *part != '\0') {
			const char *end = strchr(part, '\\');
			char name[1024];
			size_t n = end == NULL ? strlen(part) :
				(size_t)(end - part);

			if (n < sizeof(name)) {
				memcpy(name, part, n);
				name[n] = '\0';
				if (pm_pattern(patterns->at[i], name))
					return true;
			}
			part = end == NULL ? NULL : end + 1;
		}
	}
	return false;
}

static bool
matches_last(const struct pm_words *patterns, const char *path)
{
	const char *last = strrchr(path, '\\');

	last = last == NULL ? path : last + 1;
	for (size_t i = 0; i < patterns->count; i++)
		if (pm_pattern(patterns->at[i], last))
			return true;
	return false;
}

/* Folders above what an `only` names come along with it, not by themselves. */
static bool
entry_fits(const struct pm_files *f, const struct spot *s, bool folder,
	   const char **ret_rest)
{
	const char *rest;

	if (f->place != s->place)
		return false;
	rest = step_over(s->below, f->path);
	if (rest == NULL || matches(&f->except, rest) ||
	    (f->only.count > 0 && (folder || !matches_last(&f->only, rest))))
		return false;
	*ret_rest = rest;
	return true;
}

static const struct pm_files *
find_entry(const struct pm_move *m, const struct spot *s, bool folder,
	   const struct pm_rule **ret_rule, const char **ret_rest)
{
	const struct pm_files *best = NULL;

	for (size_t i = 0; i < m->terms->rules.count; i++) {
		const struct pm_rule *r = &m->terms->rules.at[i];

		if (!pm_move_uses(m, r))
			continue;
		for (size_t k = 0; k < r->files; k++) {
			const struct pm_files *f = &r->file_set[k];
			const char *rest;

			if (!entry_fits(f, s, folder, &rest))
				continue;
			if (best != NULL &&
			    (strlen(f->path) < strlen(best->path) ||
			     (strlen(f->path) == strlen(best->path) &&
			      f->only.count == 0 && best->only.count > 0)))
				continue;
			best = f;
			*ret_rule = r;
			*ret_rest = rest;
		}
	}
	return best;
}

char *
pm_clean_name(const char *name, struct err *e)
{
	static const char *const reserved[] = {
		"con", "prn", "aux", "nul", "com?", "lpt?",
	};
	char *text = mem_str(name, e);
	size_t n = strlen(name), stem = strcspn(name, ".");

	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 ||
		    strchr("<>:\"|?*", text[i]) != NULL)
			text[i] = '_';
	while (n > 0 && (text[n - 1] == '.' || text[n - 1] == ' '))
		text[--n] = '_';
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		char first[8];

		if (stem >= sizeof(first))
			break;
		memcpy(first, name, stem);
		first[stem] = '\0';
		if (pm_pattern(reserved[i], first)) {
			char *longer = mem_fmt(e, "_%s", text);

			free(text);
			return longer;
		}
	}
	return text;
}

/* A path with every component clean; *ret_changed when that changed it. */
static char *
clean_path(const char *path, bool *ret_changed, struct err *e)
{
	char *out = mem_str("", e);

	for (const char *p = path; out != NULL && *p != '\0';) {
		size_t n = strcspn(p, "\\");
		SCOPED_FREE char *part = mem_strn(p, n, e);
		SCOPED_FREE char *clean = part == NULL ? NULL :
			pm_clean_name(part, e);
		char *longer = NULL;

		if (clean != NULL) {
			*ret_changed |= strcmp(part, clean) != 0;
			longer = mem_fmt(e, "%s%s%s", out,
					 *out == '\0' ? "" : "\\", clean);
		}
		free(out);
		out = longer;
		p += n;
		p += *p == '\\';
	}
	return out;
}

static const char *
target_place(const struct pm_move *m, unsigned place)
{
	return place < WN_FOLDERS ? m->folder[place] :
		place == PM_PROFILE ? m->user.profile :
		m->to->public_profile;
}

static int
drop(struct pm_fate *f, const char *why, struct err *e)
{
	f->outcome = PM_DROPPED;
	f->why = mem_str(why, e);
	return f->why == NULL ? -1 : 0;
}

static int
go_to(const struct pm_move *m, struct pm_fate *f, const char *base,
      const char *sub, const char *rest, struct err *e)
{
	bool changed = false;
	SCOPED_FREE char *joined = mem_fmt(e, "%s%s%s", sub,
		*sub != '\0' && *rest != '\0' ? "\\" : "", rest);
	SCOPED_FREE char *clean = joined == NULL ? NULL :
		clean_path(joined, &changed, e);
	BUF_SCOPED struct buf named = BUF_EMPTY;
	size_t sids;

	/* A folder that is called by the account's SID. */
	if (clean == NULL || pm_sid_text(m, clean, &named, &sids, e) < 0)
		return -1;
	if (sids > 0) {
		free(clean);
		clean = buf_take_str(&named, e);
		if (clean == NULL)
			return -1;
	}
	f->to = mem_fmt(e, "%s%s%s", base, *clean == '\0' ? "" : "\\", clean);
	if (f->to == NULL)
		return -1;
	if (changed || sids > 0) {
		f->outcome = PM_TRANSFORMED;
		f->why = mem_str(changed ? "Windows forbids its name" :
				 "is called by the account's SID", e);
		return f->why == NULL ? -1 : 0;
	}
	return 0;
}

/* The picture behind the desktop gets a place of its own. */
static int
place_wallpaper(const struct pm_move *m, struct pm_fate *f, struct err *e)
{
	const char *dot = strrchr(f->item->path, '.');

	if (m->folder[WN_ROAMING] == NULL)
		return drop(f, "the target has no folder for it", e);
	f->rule = "wallpaper";
	f->to = mem_fmt(e, "%s\\Microsoft\\Windows\\Themes\\"
			"profmig-wallpaper%s", m->folder[WN_ROAMING],
			dot == NULL || strlen(dot) > 5 ? "" : dot);
	return f->to == NULL ? -1 : 0;
}

/* Outside of the profile: the same path, where the target has that drive. */
static int
place_outside(const struct pm_move *m, struct pm_fate *f, struct err *e)
{
	const char *path = f->item->path;
	SCOPED_FREE char *root = NULL, *home = NULL;
	SCOPED_FREE char *inside = NULL;
	size_t volume;
	int r;

	f->rule = "outside";
	root = mem_strn(path, 2, e);
	r = root == NULL ? -1 : wn_find_path(m->to, root, &volume, &inside, e);
	if (r < 0)
		return -1;
	if (r == 1 && m->to->guest->volume[volume].vo != NULL)
		return go_to(m, f, root, "", strlen(path) > 3 ? path + 3 : "", e);
	if (m->folder[WN_DOCUMENTS] == NULL)
		return drop(f, "the target does not have its drive", e);
	home = mem_fmt(e, "Drive %c", path[0]);
	f->outcome = PM_TRANSFORMED;
	f->why = mem_str("the target does not have its drive", e);
	if (home == NULL || f->why == NULL)
		return -1;
	return go_to(m, f, m->folder[WN_DOCUMENTS], home,
		     strlen(path) > 3 ? path + 3 : "", e);
}

/* The file gets another name in the folder that it goes to. */
static int
rename_to(const struct pm_move *m, struct pm_fate *f, const char *base,
	  const struct pm_files *entry, const char *rest, struct err *e)
{
	const char *slash = strrchr(rest, '\\');
	SCOPED_FREE char *renamed = mem_fmt(e, "%.*s%s",
		slash == NULL ? 0 : (int)(slash + 1 - rest), rest,
		entry->to_name);

	if (renamed == NULL ||
	    go_to(m, f, base, entry->to_path, renamed, e) < 0)
		return -1;
	if (f->outcome == PM_TRANSFORMED)
		return 0;
	f->outcome = PM_TRANSFORMED;
	f->why = mem_str(entry->why == NULL ? "has another name there" :
			 entry->why, e);
	return f->why == NULL ? -1 : 0;
}

static int
place_one(const struct pm_move *m, struct pm_fate *f, struct err *e)
{
	const struct pm_item *it = f->item;
	const bool folder = (it->attributes & VO_DIRECTORY) != 0;
	struct spot s = find_spot(m, it->path);
	const struct pm_rule *rule = NULL;
	const struct pm_files *entry;
	const char *base, *rest = "";

	if ((it->flags & PM_ITEM_WALLPAPER) != 0)
		return place_wallpaper(m, f, e);
	if (it->reparse != PM_NO_CONTENT)
		return drop(f, "a junction or link of the old profile; the "
			    "new one has its own", e);
	if (s.place == PM_PLACES)
		return place_outside(m, f, e);
	entry = find_entry(m, &s, folder, &rule, &rest);
	if (entry == NULL)
		return drop(f, folder ? "comes along with what is in it" :
			    "no rule carries it", e);
	f->rule = rule->name;
	if (entry->drop)
		return drop(f, entry->why, e);
	base = target_place(m, entry->to_place);
	if (base == NULL)
		return drop(f, "the target has no such folder", e);
	f->conflict = entry->conflict;
	f->content = entry->content;
	if (entry->to_name == NULL)
		return go_to(m, f, base, entry->to_path, rest, e);
	return rename_to(m, f, base, entry, rest, e);
}

int
pm_place(const struct pm_move *m, struct pm_fates *ret, struct err *e)
{
	PM_FATES_SCOPED struct pm_fates f = PM_FATES_EMPTY;

	f.at = mem_array(m->who->items, sizeof(*f.at), e);
	if (f.at == NULL)
		return -1;
	for (size_t i = 0; i < m->who->items; i++) {
		f.at[i].item = &m->who->item[i];
		f.count++;
		if (place_one(m, &f.at[i], e) < 0)
			return -1;
	}
	*ret = TAKE(f);
	return 0;
}
