/* files.c - see files.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "imgtool/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk.h"
#include "source/source.h"
#include "windows/windows.h"

void
files_done(struct files *f)
{
	wn_free(&f->guest);
	if (!f->borrowed)
		dk_free(&f->disk);
	*f = (struct files)FILES_EMPTY;
}

/* Of several volumes, the largest is where a user's files are. */
static const struct wn_volume *
largest(const struct wn_guest *g)
{
	const struct wn_volume *best = NULL;

	for (size_t i = 0; i < g->volumes; i++)
		if (g->volume[i].vo != NULL &&
		    (best == NULL || g->volume[i].size > best->size))
			best = &g->volume[i];
	return best;
}

/* Why no volume of the disk could be opened: what the first one said. */
static int
no_volume(const struct files *f, struct err *e)
{
	for (size_t i = 0; i < f->guest->volumes; i++)
		if (f->guest->volume[i].why != NULL)
			return err_set(e, f->guest->volume[i].kind == VO_NTFS ||
				       f->guest->volume[i].kind == VO_FAT
				       ? ERR_CORRUPT : ERR_UNSUPPORTED, "%s",
				       f->guest->volume[i].why);
	return err_set(e, ERR_UNSUPPORTED, "%s: no volume whose files can be "
		       "read", f->disk->name);
}

static int
writable(const struct files *f, const struct vo *v, struct err *e)
{
	for (size_t i = 0; i < f->guest->volumes; i++) {
		const struct wn_volume *x = &f->guest->volume[i];

		if (x->vo == v && !x->writable)
			return err_set(e, x->kind == VO_NTFS ? ERR_UNSAFE
				       : ERR_UNSUPPORTED, "%s", x->why != NULL
				       ? x->why : "volume: not writable");
	}
	return 0;
}

int
files_attach(struct dk *disk, const char *root, bool write, struct files *ret,
	     struct err *e)
{
	FILES_SCOPED struct files f = { .disk = disk, .borrowed = true };
	const struct wn_volume *big;

	f.guest = wn_open(disk, write ? VO_WRITE : 0, e);
	if (f.guest == NULL)
		return -1;
	if (f.guest->installs > 0 || root != NULL) {
		f.install = wn_choose(f.guest, root, e);
		if (f.install == NULL)
			return -1;
		f.main = wn_vo(f.install);
	} else {
		big = largest(f.guest);
		if (big == NULL)
			return no_volume(&f, e);
		f.main = big->vo;
	}
	*ret = f;
	f = (struct files)FILES_EMPTY;
	return 0;
}

int
files_open(const struct cli_args *a, bool write, struct files *ret,
	   struct err *e)
{
	unsigned flags = !write ? 0 : a->dry_run ? DK_DRY : DK_WRITE;
	DK_SCOPED struct dk *disk = src_open(a, a->at[0], flags, e);

	if (disk == NULL || files_attach(disk, a->root, write, ret, e) < 0)
		return -1;
	ret->args = a;
	ret->borrowed = false;
	disk = NULL;
	return 0;
}

/* ---- paths ---------------------------------------------------------------- */

static bool
has_drive(const char *path)
{
	return ((path[0] >= 'A' && path[0] <= 'Z') ||
		(path[0] >= 'a' && path[0] <= 'z')) && path[1] == ':' &&
	       (path[2] == '\\' || path[2] == '/' || path[2] == '\0');
}

/* One kind of slash, none at either end, none twice. */
static char *
tidy(const char *path, struct err *e)
{
	char *text = mem_str(path, e), *to = text;

	if (text == NULL)
		return NULL;
	for (const char *from = path; *from != '\0'; from++) {
		char c = *from;

		if (c == '\\')
			c = '/';
		if (c != '/' || (to > text && to[-1] != '/'))
			*to++ = c;
	}
	while (to > text && to[-1] == '/')
		to--;
	*to = '\0';
	return text;
}

static int
find_drive(const struct files *f, const char *path, struct vo **ret_volume,
	   char **ret, struct err *e)
{
	SCOPED_FREE char *windows = mem_fmt(e, "%c:\\%s", path[0], path + 2 +
					    (path[2] != '\0'));
	SCOPED_FREE char *inside = NULL;
	size_t volume;
	int r;

	if (windows == NULL)
		return -1;
	if (f->install == NULL)
		return err_set(e, ERR_USAGE, "%s: no Windows there that gives "
			       "drives their letters; leave out %c:",
			       f->disk->name, path[0]);
	for (char *p = windows; *p != '\0'; p++)
		if (*p == '/')
			*p = '\\';
	r = wn_find_path(f->install, windows, &volume, &inside, e);
	if (r < 0)
		return -1;
	if (r == 0 || f->guest->volume[volume].vo == NULL)
		return err_set(e, ERR_NO, "%s: drive %c: is not on this disk, "
			       "or cannot be read", f->disk->name, path[0]);
	*ret = tidy(inside, e);
	*ret_volume = f->guest->volume[volume].vo;
	return *ret == NULL ? -1 : 0;
}

/* "esp:\\x", "2:/x", "pcs/windows:/x": the volume that is called so; 0 when the
 * path begins with no such name. */
static int
find_volume(const struct files *f, const char *path, struct vo **ret_volume,
	    char **ret, struct err *e)
{
	const char *colon = strchr(path, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - path);
	SCOPED_FREE char *name = NULL;
	uint64_t part = 0;

	if (len == 0 || (colon[1] != '/' && colon[1] != '\\' &&
			 colon[1] != '\0'))
		return 0;
	name = mem_strn(path, len, e);
	if (name == NULL)
		return -1;
	(void)!num_parse(name, 1, UINT32_MAX, false, &part);
	for (size_t i = 0; i < f->guest->volumes; i++) {
		const struct wn_volume *v = &f->guest->volume[i];

		if (v->name != NULL ? strcmp(v->name, name) != 0
		    : v->part != part &&
		      !(v->esp && strcasecmp(name, "esp") == 0))
			continue;
		if (v->vo == NULL)
			return err_set(e, ERR_UNSUPPORTED, "%s: %s: %s",
				       f->disk->name, name, v->why);
		*ret = tidy(colon + 1, e);
		*ret_volume = v->vo;
		return *ret == NULL ? -1 : 1;
	}
	return err_set(e, ERR_NO, "%s: has no volume %s", f->disk->name, name);
}

int
files_find(const struct files *f, const char *path, struct vo **ret_volume,
	   char **ret, struct err *e)
{
	SCOPED_FREE char *inside = NULL;
	struct vo *v = f->main;

	if (has_drive(path)) {
		if (find_drive(f, path, &v, &inside, e) < 0)
			return -1;
	} else {
		int r = find_volume(f, path, &v, &inside, e);

		if (r == 0)
			inside = tidy(path, e);
		if (inside == NULL)
			return -1;
	}
	if (f->disk->writable && writable(f, v, e) < 0)
		return -1;
	*ret = TAKE(inside);
	*ret_volume = v;
	return 0;
}

int
files_need(const struct files *f, const char *path, struct vo **ret_volume,
	   char **ret, struct vo_stat *ret_stat, struct err *e)
{
	SCOPED_FREE char *inside = NULL;
	SCOPED_FREE char *file = NULL;
	size_t len;
	int r;

	if (files_find(f, path, ret_volume, &inside, e) < 0)
		return -1;
	r = vo_stat(*ret_volume, inside, ret_stat, e);
	if (r != 0) {
		*ret = TAKE(inside);
		return r < 0 ? -1 : 0;
	}
	/* a stream's file must be there */
	len = strlen(inside);
	for (size_t i = len; i > 0 && inside[i - 1] != '/'; i--)
		if (inside[i - 1] == ':')
			len = i - 1;
	file = mem_strn(inside, len, e);
	if (file == NULL)
		return -1;
	r = vo_stat(*ret_volume, file, ret_stat, e);
	if (r == 0)
		return err_set(e, ERR_NO, "%s: %s: is not there",
			       f->disk->name, path);
	*ret = TAKE(inside);
	return r < 0 ? -1 : 0;
}

int
files_flush(struct files *f, struct err *e)
{
	return wn_close(&f->guest, e);
}

int
files_commit(struct files *f, const char *verb, const char *what, struct err *e)
{
	SCOPED_FREE char *line = mem_fmt(e, "imgtool files %s %s", verb, what);

	if (line == NULL || files_flush(f, e) < 0)
		return -1;
	if (f->args->dry_run) {
		log_note("%s: nothing written (--dry-run)", f->disk->name);
		return 0;
	}
	if (dk_commit(f->disk, line, e) < 0)
		return -1;
	if (src_made(f->disk) != NULL)
		(void)printf("%s\n", src_made(f->disk));
	return 0;
}

/* ---- as text -------------------------------------------------------------- */

const char *
files_time(uint64_t filetime, char room[FILES_TIME])
{
	/* seconds from 1601 to 1970 */
	const int64_t epoch = 11644473600;
	time_t t = (time_t)((int64_t)(filetime / 10000000) - epoch);
	struct tm tm;
	char text[24];

	if (filetime == 0 || filetime > INT64_MAX ||
	    gmtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		(void)snprintf(room, FILES_TIME, "-");
	else
		(void)snprintf(room, FILES_TIME, "%s.%07uZ", text,
			       (unsigned)(filetime % 10000000));
	return room;
}

const char *
files_attributes(uint32_t attributes, char room[FILES_ATTRIBUTES])
{
	static const struct { uint32_t bit; char letter; } letters[] = {
		{ VO_DIRECTORY, 'D' }, { VO_READONLY, 'R' },
		{ VO_HIDDEN, 'H' }, { VO_SYSTEM, 'S' }, { VO_ARCHIVE, 'A' },
		{ VO_COMPRESSED, 'C' }, { VO_SPARSE, 'P' },
		{ VO_REPARSE, 'L' }, { VO_ENCRYPTED, 'E' },
	};
	size_t n = sizeof(letters) / sizeof(*letters);

	for (size_t i = 0; i < n; i++)
		room[i] = (attributes & letters[i].bit) != 0
			? letters[i].letter : '-';
	room[n] = '\0';
	return room;
}

void
files_json_stat(struct js *j, const struct vo_stat *st)
{
	char room[FILES_TIME];

	js_bool(j, "directory", (st->attributes & VO_DIRECTORY) != 0);
	js_u64(j, "size", st->size);
	js_u64(j, "allocated", st->allocated);
	js_u64(j, "attributes", st->attributes);
	js_u64(j, "links", st->links);
	js_u64(j, "record", st->id & 0xffffffffffff);
	js_u64(j, "sequence", st->id >> 48);
	js_u64(j, "reparse_tag", st->tag);
	js_u64(j, "security_id", st->security_id);
	js_str(j, "created", files_time(st->times.created, room));
	js_str(j, "modified", files_time(st->times.modified, room));
	js_str(j, "changed", files_time(st->times.changed, room));
	js_str(j, "accessed", files_time(st->times.accessed, room));
}
