/* native_path.c - from a path to an MFT record
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "volume/native.h"

int
vo_native_fail(const char *what, struct err *e)
{
	switch (errno) {
	case EIO:
		return err_set(e, ERR_CORRUPT, "cannot %s: the volume is "
			       "damaged there; run chkdsk in Windows", what);
	case ENOMEM:
		return err_set(e, ERR_NOMEM, "out of memory");
	case EOPNOTSUPP:
		return err_set(e, ERR_UNSUPPORTED, "cannot %s: not supported",
			       what);
	case EMLINK:
		return err_set(e, ERR_UNSUPPORTED, "cannot %s: it has several "
			       "names", what);
	case EEXIST:
		return err_set(e, ERR_USAGE, "is there already");
	case ENOTEMPTY:
		return err_set(e, ERR_USAGE, "is not empty");
	case ENOENT:
		return err_set(e, ERR_NO, "is not there");
	default:
		return err_sys(e, "cannot %s", what);
	}
}

bool
vo_native_is_folder(const ntfs_inode *ni)
{
	return (ni->mrec->flags & MFT_RECORD_IS_DIRECTORY) != 0;
}

int
vo_native_shut(ntfs_inode *ni, struct err *e)
{
	return ntfs_inode_close(ni) == 0 ? 0 : vo_native_fail("write it", e);
}

void
vo_native_drop(ntfs_inode *const *ni)
{
	if (*ni != NULL)
		(void)ntfs_inode_close(*ni);	/* an error came first */
}

int
vo_native_name(const char *text, size_t len, ntfschar **ret, size_t *ret_units,
	       struct err *e)
{
	SCOPED_FREE char *copy = mem_strn(text, len, e);
	SCOPED_FREE uint8_t *units = NULL;
	size_t bytes;
	void *out;

	if (copy == NULL || utf_to16(copy, &units, &bytes, e) < 0)
		return -1;
	if (bytes / 2 > VO_NAME_MAX)
		return err_set(e, ERR_USAGE, "has a name of more than %d "
			       "characters", VO_NAME_MAX);
	out = TAKE(units);	/* NTFS's units are little-endian too */
	*ret = out;
	*ret_units = bytes / 2;
	return 0;
}

int
vo_native_child(ntfs_inode *dir, const ntfschar *name, size_t units, u64 *ret,
		struct err *e)
{
	ntfs_volume *vol = dir->vol;
	u64 found;

	/* only while looking: the library lists lower-case names else */
	found = ntfs_inode_lookup_by_name(dir, name, (int)units);
	if (found == (u64)-1 && errno == ENOENT) {
		vol->state &= ~(1UL << NV_CaseSensitive);
		found = ntfs_inode_lookup_by_name(dir, name, (int)units);
		NVolSetCaseSensitive(vol);
	}
	if (found != (u64)-1) {
		*ret = found;
		return 1;
	}
	return errno == ENOENT ? 0 : vo_native_fail("read the folder", e);
}

int
vo_native_stream(ntfs_inode *ni, const char *stream, ntfschar **ret,
		 size_t *ret_units, struct err *e)
{
	SCOPED_FREE ntfschar *name = NULL;
	ntfs_attr_search_ctx *ctx;
	size_t units = 0;
	int found = 0;

	if (stream != NULL &&
	    vo_native_name(stream, strlen(stream), &name, &units, e) < 0)
		return -1;
	ctx = ntfs_attr_get_search_ctx(ni, NULL);
	if (ctx == NULL)
		return vo_native_fail("read the record", e);
	while (found == 0 && ntfs_attr_lookup(AT_DATA, NULL, 0, CASE_SENSITIVE,
					      0, NULL, 0, ctx) == 0) {
		const ATTR_RECORD *a = ctx->attr;
		const u8 *is = (const u8 *)a + le16_to_cpu(a->name_offset);

		if (a->name_length != units ||
		    utf_cmp16(is, 2 * units, name, 2 * units) != 0)
			continue;
		/* as the file spells it */
		if (units > 0)
			memcpy(name, is, 2 * units);
		found = 1;
	}
	ntfs_attr_put_search_ctx(ctx);
	*ret = TAKE(name);
	*ret_units = units;
	return found;
}

/* One step down; *mref becomes the child's: 1, 0, -1. */
static int
step(struct vo_native *n, u64 *mref, const char *part, size_t len,
     struct err *e)
{
	SCOPED_FREE ntfschar *name = NULL;
	VO_INODE_SCOPED ntfs_inode *dir = NULL;
	size_t units;

	if (vo_native_name(part, len, &name, &units, e) < 0)
		return -1;
	dir = ntfs_inode_open(n->vol, *mref);
	if (dir == NULL)
		return vo_native_fail("read the folder", e);
	if (!vo_native_is_folder(dir))
		return 0;
	return vo_native_child(dir, name, units, mref, e);
}

void
vo_native_forget(struct vo_native *n)
{
	free(TAKE(n->folder));
}

/* The folder of a path that was looked up last is not looked up again.  Returns
 * where to go on; *ret is the folder there. */
static const char *
skip_known(const struct vo_native *n, const char *path, u64 *ret)
{
	size_t len = n->folder == NULL ? 0 : strlen(n->folder);

	*ret = FILE_root;
	if (len == 0 || strncmp(path, n->folder, len) != 0 ||
	    strchr(path + len, '/') != NULL)
		return path;
	*ret = n->folder_mref;
	return path + len;
}

/* Keep what a path's last part lies in; forgetting costs only time. */
static void
know_folder(struct vo_native *n, const char *path, const char *last, u64 mref)
{
	struct err e = ERR_INIT;

	if (last == path)
		return;
	vo_native_forget(n);
	n->folder = mem_strn(path, (size_t)(last - path), &e);
	n->folder_mref = mref;
}

int
vo_native_find(struct vo_native *n, const char *path, u64 *ret,
	       const char **ret_stream, struct err *e)
{
	u64 mref;
	const char *at = skip_known(n, path, &mref);
	bool known = at != path;

	if (ret_stream != NULL)
		*ret_stream = NULL;
	for (unsigned depth = 0; *at != '\0'; depth++) {
		size_t len = strcspn(at, "/");
		const char *colon = memchr(at, ':', len);
		int r;

		if (depth > VO_DEPTH_MAX)
			return err_set(e, ERR_USAGE, "is too deep");
		if (at[len] == '\0' && !known)
			know_folder(n, path, at, mref);
		r = len == 0 ? 1 : step(n, &mref, at, len, e);
		/* a colon may be part of a name that Linux made */
		if (r == 0 && colon != NULL && ret_stream != NULL &&
		    at[len] == '\0') {
			*ret_stream = colon + 1;
			r = colon == at ? 1
			  : step(n, &mref, at, (size_t)(colon - at), e);
		}
		if (r <= 0)
			return r;
		at += strcspn(at, "/");
		at += *at == '/';
	}
	*ret = mref;
	return 1;
}

ntfs_inode *
vo_native_open(struct vo_native *n, const char *path, const char **ret_stream,
	       struct err *e)
{
	u64 mref;
	ntfs_inode *ni;
	int r = vo_native_find(n, path, &mref, ret_stream, e);

	if (r < 0)
		return NULL;
	if (r == 0) {
		(void)err_set(e, ERR_NO, "is not there");
		return NULL;
	}
	ni = ntfs_inode_open(n->vol, mref);
	if (ni == NULL)
		(void)vo_native_fail("open it", e);
	return ni;
}

int
vo_native_parent(struct vo_native *n, const char *path, u64 *ret_folder,
		 ntfschar **ret_name, size_t *ret_units, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash == NULL ? path : slash + 1;
	SCOPED_FREE char *folder = mem_strn(path, (size_t)(last - path), e);
	int r;

	if (folder == NULL)
		return -1;
	if (*last == '\0')
		return err_set(e, ERR_USAGE, "is the volume's root");
	r = vo_native_find(n, folder, ret_folder, NULL, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_NO, "its folder is not there");
	return vo_native_name(last, strlen(last), ret_name, ret_units, e);
}
