/* appliance_files.c - files of a volume that the appliance has mounted
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "volume/appliance_run.h"

/* ntfs-3g: the names of a file's streams, with a NUL between them. */
#define STREAM_NAMES "ntfs.streams.list"

/* Tags of what only Linux has, as WSL gives them: [MS-FSCC] 2.1.2.1. */
enum {
	TAG_LX_SYMLINK = (int)0xa000001d,
	TAG_LX_OTHER = (int)0x80000025,
};

/* ---- names ---------------------------------------------------------------- */

void
vo_guest_forget(struct vo_guest_run *w)
{
	for (size_t i = 0; i < VO_GUEST_LISTS; i++) {
		free(w->list[i].folder);
		vo_guest_free_words(w->list[i].name);
		w->list[i] = (struct vo_guest_list){ .folder = NULL };
	}
}

/* The names in a folder, which the run keeps; NULL with *ret_none when there is
 * no such folder. */
static char **
names_of(struct vo_guest_run *w, const char *folder, bool *ret_none,
	 struct err *e)
{
	struct vo_guest_list *l;
	char **names;

	for (size_t i = 0; i < VO_GUEST_LISTS; i++)
		if (w->list[i].folder != NULL &&
		    strcmp(w->list[i].folder, folder) == 0)
			return w->list[i].name;
	names = w->gf->ls(w->g, folder);
	if (names == NULL) {
		int os = w->gf->last_errno(w->g);

		*ret_none = os == ENOENT || os == ENOTDIR;
		if (!*ret_none)
			(void)vo_guest_fail(w, "list a folder", e);
		return NULL;
	}
	l = &w->list[w->next_list++ % VO_GUEST_LISTS];
	free(l->folder);
	vo_guest_free_words(l->name);
	l->name = names;
	l->folder = mem_str(folder, e);
	return l->folder == NULL ? NULL : names;
}

/* Has this name of a folder the short name?  1, 0, -1. */
static int
has_short(struct vo_guest_run *w, const char *folder, const char *name,
	  const char *wanted, struct err *e)
{
	SCOPED_FREE char *path = mem_fmt(e, "%s/%s", folder, name);
	SCOPED_FREE uint8_t *bytes = NULL;
	SCOPED_FREE char *text = NULL;
	size_t len = 0;
	int r = path == NULL ? -1 : vo_guest_xattr(w, path,
			"system.ntfs_dos_name", &bytes, &len, e);

	if (r <= 0)
		return r;
	text = mem_strn(bytes, len, e);
	return text == NULL ? -1 : utf_same8(text, wanted);
}

/* The name as the folder spells it: the exact one first, then any case, then a
 * short name.  1 and *ret, which the folder's list owns; 0; -1. */
static int
spell(struct vo_guest_run *w, const struct vo_guest_device *d,
      const char *folder, const char *name, const char **ret, struct err *e)
{
	bool none = false;
	char **names = names_of(w, folder, &none, e);

	if (names == NULL)
		return none ? 0 : -1;
	for (char **p = names; *p != NULL; p++)
		if (strcmp(*p, name) == 0) {
			*ret = *p;
			return 1;
		}
	for (char **p = names; *p != NULL; p++)
		if (utf_same8(*p, name)) {
			*ret = *p;
			return 1;
		}
	if (d->kind != VO_NTFS || strchr(name, '~') == NULL)
		return 0;
	for (char **p = names; *p != NULL; p++) {
		int r = has_short(w, folder, *p, name, e);

		if (r < 0)
			return -1;
		if (r > 0) {
			*ret = *p;
			return 1;
		}
	}
	return 0;
}

int
vo_guest_find(struct vo_guest_run *w, const struct vo_guest_device *d,
	      const char *path, bool made, char **ret, const char **ret_stream,
	      struct err *e)
{
	SCOPED_FREE char *here = mem_str(d->folder, e);

	*ret_stream = NULL;
	while (here != NULL && *path != '\0') {
		size_t len = strcspn(path, "/"), name = len;
		SCOPED_FREE char *part = mem_strn(path, len, e);
		const char *as = part;
		char *next;
		int r;

		if (part == NULL)
			return -1;
		if (path[len] == '\0' && strchr(part, ':') != NULL) {
			name = strcspn(part, ":");
			*ret_stream = path + name + 1;
			part[name] = '\0';
		}
		path += len + (path[len] == '/');
		if (name == 0)
			continue;
		r = spell(w, d, here, part, &as, e);
		if (r < 0 || (r == 0 && (!made || *path != '\0')))
			return r;
		next = mem_fmt(e, "%s/%s", here, as);
		free(here);
		here = next;
		if (r == 0)
			made = false;	/* the last part, as it was given */
	}
	if (here == NULL)
		return -1;
	*ret = TAKE(here);
	return 1;
}

/* ---- what a file is ------------------------------------------------------- */

static uint64_t
filetime(int64_t s, int64_t ns)
{
	return s < -11644473600 ? 0 : (uint64_t)(s + 11644473600) * 10000000 +
				      (uint64_t)(ns / 100);
}

/* What Linux knows of it. */
static struct vo_stat
from_linux(const struct guestfs_statns *st)
{
	mode_t mode = (mode_t)st->st_mode;
	struct vo_stat s = {
		.id = (uint64_t)st->st_ino, .size = (uint64_t)st->st_size,
		.allocated = (uint64_t)st->st_blocks * 512,
		.links = (uint32_t)st->st_nlink,
		.times = {
			.modified = filetime(st->st_mtime_sec,
					     st->st_mtime_nsec),
			.changed = filetime(st->st_ctime_sec,
					    st->st_ctime_nsec),
			.accessed = filetime(st->st_atime_sec,
					     st->st_atime_nsec),
		},
	};

	if (S_ISDIR(mode)) {
		s.attributes = VO_DIRECTORY;
		s.size = 0;
		s.allocated = 0;
		s.links = 1;
	} else if (!S_ISREG(mode)) {
		s.attributes = VO_REPARSE;
		s.tag = (uint32_t)(S_ISLNK(mode) ? TAG_LX_SYMLINK
						 : TAG_LX_OTHER);
		s.size = 0;
	} else if ((mode & S_IWUSR) == 0) {
		s.attributes = VO_READONLY;
	}
	return s;
}

/* And what NTFS knows besides. */
static int
from_ntfs(struct vo_guest_run *w, const char *path, struct vo_stat *s,
	  struct err *e)
{
	SCOPED_FREE uint8_t *bytes = NULL;
	size_t len = 0;
	int r;

	if (vo_guest_attributes(w, path, &s->attributes, e) < 0 ||
	    vo_guest_times(w, path, &s->times, e) < 0)
		return -1;
	s->tag = 0;
	if ((s->attributes & VO_REPARSE) == 0)
		return 0;
	r = vo_guest_xattr(w, path, "system.ntfs_reparse_data", &bytes, &len,
			   e);
	if (r > 0 && len >= 4)
		s->tag = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
			 (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
	return r < 0 ? -1 : 0;
}

/* 1, 0, -1. */
static int
look(struct vo_guest_run *w, const struct vo_guest_device *d, const char *path,
     struct vo_stat *ret, struct err *e)
{
	struct guestfs_statns *st = w->gf->lstatns(w->g, path);

	if (st == NULL && (w->gf->last_errno(w->g) == ENOENT ||
			   w->gf->last_errno(w->g) == ENOTDIR))
		return 0;
	if (st == NULL)
		return vo_guest_fail(w, "look at it", e);
	*ret = from_linux(st);
	w->gf->free_statns(st);
	if (d->kind == VO_NTFS && from_ntfs(w, path, ret, e) < 0)
		return -1;
	return 1;
}

static void
put_stat(struct buf *out, const struct vo_stat *s)
{
	buf_u64le(out, s->id);
	buf_u64le(out, s->size);
	buf_u64le(out, s->allocated);
	buf_u32le(out, s->attributes);
	buf_u32le(out, s->tag);
	buf_u32le(out, s->links);
	buf_u32le(out, s->security_id);
	buf_u64le(out, s->times.created);
	buf_u64le(out, s->times.modified);
	buf_u64le(out, s->times.changed);
	buf_u64le(out, s->times.accessed);
}

static void
put_text(struct buf *out, const void *text, size_t len)
{
	buf_u32le(out, (uint32_t)len);
	buf_bytes(out, text, len);
}

/* ---- requests ------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	struct err ignored = ERR_INIT;
	SCOPED_FREE uint8_t *p = NULL;
	SCOPED_FREE uint8_t *q = NULL;
	size_t n = 0, m = 0;

	if (utf_to16(*x, &p, &n, &ignored) < 0 ||
	    utf_to16(*y, &q, &m, &ignored) < 0)
		return strcmp(*x, *y);
	return utf_cmp16(p, n, q, m);
}

static int
put_entry(struct vo_guest_run *w, const struct vo_guest_device *d,
	  const char *folder, const char *name, const struct guestfs_statns *st,
	  struct buf *answer, struct err *e)
{
	SCOPED_FREE char *path = mem_fmt(e, "%s/%s", folder, name);
	SCOPED_FREE uint8_t *shorter = NULL;
	struct vo_stat s = from_linux(st);
	size_t len = 0;

	if (path == NULL)
		return -1;
	if (d->kind == VO_NTFS &&
	    (from_ntfs(w, path, &s, e) < 0 ||
	     vo_guest_xattr(w, path, "system.ntfs_dos_name", &shorter, &len,
			    e) < 0))
		return -1;
	put_text(answer, name, strlen(name));
	put_text(answer, shorter, len);
	put_stat(answer, &s);
	return 0;
}

static int
serve_list(struct vo_guest_run *w, const struct vo_guest_device *d,
	   const char *path, struct buf *answer, struct err *e)
{
	struct guestfs_statns_list *l;
	bool none = false;
	char **names = names_of(w, path, &none, e);
	size_t n = 0;
	int r = 0;

	if (names == NULL)
		return none ? err_set(e, ERR_USAGE, "is no folder") : -1;
	while (names[n] != NULL)
		n++;
	mem_sort(names, n, sizeof(*names), by_name);
	l = w->gf->lstatnslist(w->g, path, names);
	if (l == NULL)
		return vo_guest_fail(w, "look at a folder", e);
	for (size_t i = 0; i < n && i < l->len && r == 0; i++)
		if (l->val[i].st_ino != -1)
			r = put_entry(w, d, path, names[i], &l->val[i], answer,
				      e);
	w->gf->free_statns_list(l);
	return r;
}

/* Is what its unnamed stream holds its content? */
static int
refuse_coded(const struct vo_stat *s, const char *stream, struct err *e)
{
	if ((s->attributes & VO_DIRECTORY) != 0 && stream == NULL)
		return err_set(e, ERR_USAGE, "is a folder");
	if (stream != NULL)
		return 0;
	if ((s->attributes & VO_ENCRYPTED) != 0)
		return err_set(e, ERR_UNSUPPORTED, "is encrypted by EFS");
	if (s->tag == (uint32_t)VO_TAG_WOF || s->tag == (uint32_t)VO_TAG_DEDUP)
		return err_set(e, ERR_UNSUPPORTED, "is compressed or "
			       "deduplicated by Windows in a way that the "
			       "appliance cannot read; leave out --engine");
	if ((s->attributes & VO_REPARSE) != 0 && s->size == 0)
		return err_set(e, ERR_UNSUPPORTED, "is a link or device");
	return 0;
}

char *
vo_guest_stream(struct vo_guest_run *w, const struct vo_guest_device *d,
		const char *file, const char *stream, struct err *e)
{
	SCOPED_FREE uint8_t *names = NULL;
	size_t len = 0, n;

	if (stream == NULL)
		return mem_str(file, e);
	if (d->kind == VO_NTFS &&
	    vo_guest_xattr(w, file, STREAM_NAMES, &names, &len, e) < 0 &&
	    w->gf->last_errno(w->g) != ENOENT)
		return NULL;
	*e = (struct err)ERR_INIT;
	for (size_t at = 0; at < len; at += n + 1) {
		SCOPED_FREE char *name = NULL;

		n = strnlen((char *)names + at, len - at);
		name = mem_strn(names + at, n, e);
		if (name == NULL)
			return NULL;
		if (utf_same8(name, stream))
			return mem_fmt(e, "%s:%s", file, name);
	}
	return mem_fmt(e, "%s:%s", file, stream);
}

static int
serve_read(struct vo_guest_run *w, const struct vo_guest_device *d,
	   const char *file, const char *stream, const struct vo_request *q,
	   struct buf *answer, struct err *e)
{
	SCOPED_FREE char *path = vo_guest_stream(w, d, file, stream, e);
	uint64_t at = q->at, end = q->at + num_min(q->size, VO_DATA_MAX);
	struct vo_stat s;
	int r = path == NULL ? -1 : look(w, d, file, &s, e);

	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NO, "is not there");
	if (refuse_coded(&s, stream, e) < 0)
		return -1;
	while (at < end) {
		size_t got = 0;
		SCOPED_FREE char *bytes = w->gf->pread(w->g, path,
				(int)(end - at), (int64_t)at, &got);

		if (bytes == NULL && w->gf->last_errno(w->g) == ENOENT)
			return err_set(e, ERR_NO, "is not there");
		if (bytes == NULL)
			return vo_guest_fail(w, "read it", e);
		if (got == 0)
			break;
		buf_bytes(answer, bytes, got);
		at += got;
	}
	return 0;
}

static int
put_stream(struct vo_guest_run *w, const char *file, const char *name,
	   size_t len, struct buf *answer, struct err *e)
{
	SCOPED_FREE char *path = mem_fmt(e, "%s:%.*s", file, (int)len, name);
	int64_t size = path == NULL ? -1 : w->gf->filesize(w->g, path);

	if (path == NULL)
		return -1;
	if (size < 0)
		return vo_guest_fail(w, "look at a stream", e);
	put_text(answer, name, len);
	buf_u64le(answer, (uint64_t)size);
	buf_u64le(answer, (uint64_t)size);
	return 0;
}

static int
serve_streams(struct vo_guest_run *w, const struct vo_guest_device *d,
	      const char *path, struct buf *answer, struct err *e)
{
	SCOPED_FREE uint8_t *names = NULL;
	struct vo_stat s;
	size_t len = 0;
	int r = look(w, d, path, &s, e);

	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NO, "is not there");
	if ((s.attributes & VO_DIRECTORY) == 0) {
		put_text(answer, "", 0);
		buf_u64le(answer, s.size);
		buf_u64le(answer, s.allocated);
	}
	if (d->kind != VO_NTFS)
		return 0;
	r = vo_guest_xattr(w, path, STREAM_NAMES, &names, &len, e);
	if (r <= 0)
		return r;
	for (size_t at = 0; at < len;) {
		size_t n = strnlen((const char *)names + at, len - at);

		if (n > 0 && put_stream(w, path, (const char *)names + at, n,
					answer, e) < 0)
			return -1;
		at += n + 1;
	}
	return 0;
}

static int
serve_stat(struct vo_guest_run *w, const struct vo_guest_device *d,
	   const char *path, struct buf *answer, struct err *e)
{
	struct vo_stat s;
	int r = look(w, d, path, &s, e);

	if (r > 0)
		put_stat(answer, &s);
	return r;
}

static int
serve_close(struct vo_guest_run *w, struct vo_guest_device *d, struct err *e)
{
	vo_guest_forget(w);
	if (d->writable && w->gf->sync(w->g) < 0)
		return vo_guest_fail(w, "write what is still to be written", e);
	if (w->gf->umount(w->g, d->folder) < 0)
		return vo_guest_fail(w, "unmount", e);
	free(TAKE(d->folder));
	return 0;
}

/* Does this request change something? */
static bool
changes(enum vo_op op)
{
	return op == VO_OP_WRITE || op == VO_OP_TRUNCATE || op == VO_OP_PUT ||
	       op == VO_OP_CREATE || op == VO_OP_MKDIR || op == VO_OP_RENAME ||
	       op == VO_OP_LINK || op == VO_OP_REMOVE;
}

int
vo_guest_file(struct vo_guest_run *w, struct vo_guest_device *d,
	      const struct vo_request *q, struct buf *answer, struct err *e)
{
	SCOPED_FREE char *path = NULL;
	const char *stream = NULL;
	int r;

	if (d->folder == NULL)
		return err_set(e, ERR_USAGE, "is not open");
	if (q->op == VO_OP_CLOSE)
		return serve_close(w, d, e);
	if (changes(q->op)) {
		r = vo_guest_change(w, d, q, e);
		vo_guest_forget(w);
		return r;
	}
	r = vo_guest_find(w, d, q->path, false, &path, &stream, e);
	if (r == 0 && q->op != VO_OP_STAT && q->op != VO_OP_SPELL)
		return err_set(e, q->op == VO_OP_LIST ? ERR_USAGE : ERR_NO,
			       "is not there");
	if (r <= 0)
		return r;
	switch ((int)q->op) {
	case VO_OP_STAT:
		return serve_stat(w, d, path, answer, e);
	case VO_OP_SPELL:
		buf_str(answer, path + strlen(d->folder) +
			(path[strlen(d->folder)] == '/'));
		return 1;
	case VO_OP_LIST:
		return serve_list(w, d, path, answer, e);
	case VO_OP_READ:
		return serve_read(w, d, path, stream, q, answer, e);
	case VO_OP_STREAMS:
		return serve_streams(w, d, path, answer, e);
	default:
		return vo_guest_meta(w, d, q, answer, e);
	}
}
