/* native_change.c - requests that change data and names
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "volume/native.h"

int
vo_native_writable(const struct vo_native *n, struct err *e)
{
	if (n->writable && !NVolReadOnly(n->vol))
		return 0;
	return err_set(e, ERR_USAGE, "the volume is open for reading only");
}

/* ---- data ----------------------------------------------------------------- */

/* The stream that a path names, made if it is a named one. */
static ntfs_attr *
open_stream(ntfs_inode *ni, const char *stream, struct err *e)
{
	SCOPED_FREE ntfschar *name = NULL;
	ntfschar *use;
	size_t units = 0;
	ntfs_attr *na;
	int r;

	if (stream == NULL && vo_native_is_folder(ni)) {
		(void)err_set(e, ERR_USAGE, "is a folder");
		return NULL;
	}
	r = vo_native_stream(ni, stream, &name, &units, e);
	if (r < 0)
		return NULL;
	if (units == 0 && vo_native_tag(ni) == (uint32_t)VO_TAG_WOF &&
	    vo_native_wof_expand(ni, e) < 0)
		return NULL;
	use = units > 0 ? name : AT_UNNAMED;
	if (r == 0 &&
	    ntfs_attr_add(ni, AT_DATA, use, (u8)units, NULL, 0) != 0) {
		(void)vo_native_fail("make the stream", e);
		return NULL;
	}
	na = ntfs_attr_open(ni, AT_DATA, use, (u32)units);
	if (na == NULL)
		(void)vo_native_fail("open the stream", e);
	else if (NAttrEncrypted(na))
		(void)err_set(e, ERR_UNSUPPORTED, "is encrypted (EFS)");
	if (na != NULL && e->kind != ERR_NONE) {
		ntfs_attr_close(na);
		return NULL;
	}
	return na;
}

static int
write_all(ntfs_attr *na, const struct vo_request *q, struct err *e)
{
	const uint8_t *from = q->data;
	size_t done = 0;

	while (done < q->len) {
		s64 r = ntfs_attr_pwrite(na, (s64)(q->at + done),
					 (s64)(q->len - done), from + done);

		if (r <= 0) {
			errno = r == 0 ? ENOSPC : errno;
			return vo_native_fail("write it", e);
		}
		done += (size_t)r;
	}
	/* a compressed stream writes its last block when told that it is */
	if (q->len > 0 && ntfs_attr_pclose(na) < 0)
		return vo_native_fail("write it", e);
	return 0;
}

/* Growing takes clusters, as in Windows, and leaves no holes. */
static int
set_size(ntfs_attr *na, uint64_t size, struct err *e)
{
	if (na->data_size != (s64)size &&
	    ntfs_attr_truncate_solid(na, (s64)size) != 0)
		return vo_native_fail("change its size", e);
	return 0;
}

/* What shall be done to a stream of an open file, which is closed. */
enum { WRITE = 1, SIZE = 2 };

static int
change_stream(ntfs_inode *opened, const char *stream, unsigned what,
	      const struct vo_request *q, uint64_t size, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = opened;
	ntfs_attr *na = open_stream(ni, stream, e);
	int r = 0;

	if (na == NULL)
		return -1;
	if ((what & WRITE) != 0)
		r = write_all(na, q, e);
	if (r == 0 && (what & SIZE) != 0)
		r = set_size(na, size, e);
	ntfs_attr_close(na);
	if (r < 0)
		return -1;
	ntfs_inode_update_times(ni, NTFS_UPDATE_MCTIME);
	return vo_native_shut(TAKE(ni), e);
}

int
vo_native_write(struct vo_native *n, const struct vo_request *q,
		struct buf *answer, struct err *e)
{
	const char *stream;
	ntfs_inode *ni;

	(void)answer;
	if (vo_native_writable(n, e) < 0)
		return -1;
	if (q->at > INT64_MAX - q->len)
		return err_set(e, ERR_USAGE, "would be too long");
	ni = vo_native_open(n, q->path, &stream, e);
	return ni == NULL ? -1 : change_stream(ni, stream, WRITE, q, 0, e);
}

int
vo_native_truncate(struct vo_native *n, const struct vo_request *q,
		   struct buf *answer, struct err *e)
{
	const char *stream;
	ntfs_inode *ni;

	(void)answer;
	if (vo_native_writable(n, e) < 0)
		return -1;
	if (q->size > INT64_MAX)
		return err_set(e, ERR_USAGE, "would be too long");
	ni = vo_native_open(n, q->path, &stream, e);
	return ni == NULL ? -1 : change_stream(ni, stream, SIZE, q, q->size, e);
}

/* ---- names ---------------------------------------------------------------- */

void
vo_native_place_done(struct vo_native_place *p)
{
	vo_native_drop(&p->dir);
	free(p->name);
}

int
vo_native_place(struct vo_native *n, const char *path,
		struct vo_native_place *ret, struct err *e)
{
	u64 folder;

	if (vo_native_parent(n, path, &folder, &ret->name, &ret->units, e) < 0)
		return -1;
	ret->dir = ntfs_inode_open(n->vol, folder);
	if (ret->dir == NULL)
		return vo_native_fail("open its folder", e);
	if (!vo_native_is_folder(ret->dir))
		return err_set(e, ERR_USAGE, "would lie in what is no folder");
	if ((ret->dir->flags & FILE_ATTR_REPARSE_POINT) != 0)
		return err_set(e, ERR_USAGE, "would lie in a junction");
	return 0;
}

/* Refuse a name that is there. */
static int
is_free(const struct vo_native_place *p, struct err *e)
{
	u64 mref;
	int r = vo_native_child(p->dir, p->name, p->units, &mref, e);

	if (r > 0)
		return err_set(e, ERR_USAGE, "is there already");
	return r;
}

/* Write a folder after a change of what is in it. */
int
vo_native_shut_place(struct vo_native_place *p, struct err *e)
{
	ntfs_inode_update_times(p->dir, NTFS_UPDATE_MCTIME);
	return vo_native_shut(TAKE(p->dir), e);
}

/* Make a file or folder; *ret is its reference. */
static int
create(struct vo_native *n, const char *path, bool folder, u64 *ret,
       struct err *e)
{
	VO_PLACE_SCOPED struct vo_native_place p = { .dir = NULL };
	ntfs_inode *ni;
	le32 security;

	if (vo_native_writable(n, e) < 0 ||
	    vo_native_place(n, path, &p, e) < 0 || is_free(&p, e) < 0)
		return -1;
	security = ntfs_inherited_id(&n->security, p.dir, folder);
	ni = ntfs_create(p.dir, security, p.name, (u8)p.units,
			 folder ? S_IFDIR : S_IFREG);
	if (ni == NULL)
		return vo_native_fail("make it", e);
	*ret = MK_MREF(ni->mft_no, le16_to_cpu(ni->mrec->sequence_number));
	if (ntfs_inode_close_in_dir(ni, p.dir) != 0)
		return vo_native_fail("make it", e);
	return vo_native_shut_place(&p, e);
}

int
vo_native_create(struct vo_native *n, const struct vo_request *q,
		 struct buf *answer, struct err *e)
{
	u64 mref;

	(void)answer;
	return create(n, q->path, q->op == VO_OP_MKDIR, &mref, e);
}

/* Make the file of a path that may name a stream. */
static int
create_file_of(struct vo_native *n, const char *path, u64 *ret, struct err *e)
{
	const char *last = strrchr(path, '/');
	SCOPED_FREE char *file = NULL;

	last = last == NULL ? path : last;
	file = mem_strn(path, (size_t)(last - path) + strcspn(last, ":"), e);
	if (file == NULL || vo_name_allowed(file, e) < 0)
		return -1;
	return create(n, file, false, ret, e);
}

int
vo_native_put(struct vo_native *n, const struct vo_request *q,
	      struct buf *answer, struct err *e)
{
	const char *stream;
	ntfs_inode *ni;
	u64 mref;
	int r;

	(void)answer;
	if (vo_native_writable(n, e) < 0)
		return -1;
	r = vo_native_find(n, q->path, &mref, &stream, e);
	if (r < 0 || (r == 0 && create_file_of(n, q->path, &mref, e) < 0))
		return -1;
	ni = ntfs_inode_open(n->vol, mref);
	if (ni == NULL)
		return vo_native_fail("open it", e);
	return change_stream(ni, stream, WRITE | SIZE, q, q->len, e);
}

/* Give the file one more name.  It is closed without a parent, because it may
 * have names in several folders, and the library looks for all in the one. */
static int
add_name(struct vo_native *n, u64 mref, struct vo_native_place *to, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = ntfs_inode_open(n->vol, mref);
	int r;

	if (ni == NULL)
		return vo_native_fail("open it", e);
	r = ntfs_link(ni, to->dir, to->name, (u8)to->units);
	if (r != 0)
		(void)vo_native_fail("give it the name", e);
	else
		ntfs_inode_update_times(ni, NTFS_UPDATE_CTIME);
	if (vo_native_shut_place(to, e) < 0 || r != 0)
		return -1;
	return vo_native_shut(TAKE(ni), e);
}

/* Take a name away; the folder is closed by the library. */
static int
drop_name(struct vo_native *n, u64 mref, struct vo_native_place *from, struct err *e)
{
	ntfs_inode *ni = ntfs_inode_open(n->vol, mref);
	int r;

	if (ni == NULL)
		return vo_native_fail("open it", e);
	ntfs_inode_update_times(from->dir, NTFS_UPDATE_MCTIME);
	/* the name may have been given in another case than it has */
	n->vol->state &= ~(1UL << NV_CaseSensitive);
	r = ntfs_delete(n->vol, NULL, ni, TAKE(from->dir), from->name,
			(u8)from->units);
	NVolSetCaseSensitive(n->vol);
	return r != 0 ? vo_native_fail("remove the name", e) : 0;
}

int
vo_native_link(struct vo_native *n, const struct vo_request *q,
	       struct buf *answer, struct err *e)
{
	VO_PLACE_SCOPED struct vo_native_place to = { .dir = NULL };
	u64 mref;
	int r;

	(void)answer;
	if (vo_native_writable(n, e) < 0)
		return -1;
	r = vo_native_find(n, q->path, &mref, NULL, e);
	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NO, "is not there");
	VO_INODE_SCOPED ntfs_inode *ni = ntfs_inode_open(n->vol, mref);

	if (ni == NULL)
		return vo_native_fail("open it", e);
	if (vo_native_is_folder(ni))
		return err_set(e, ERR_USAGE, "is a folder, which has one name");
	vo_native_drop(&ni);
	ni = NULL;
	if (vo_native_place(n, q->to, &to, e) < 0 || is_free(&to, e) < 0)
		return -1;
	return add_name(n, mref, &to, e);
}

/* Does the folder lie in the one that moves? */
static int
not_inside(struct vo_native *n, u64 folder, u64 moving, struct err *e)
{
	for (unsigned depth = 0; MREF(folder) != FILE_root; depth++) {
		VO_INODE_SCOPED ntfs_inode *ni = NULL;
		ntfs_attr_search_ctx *ctx;
		u64 up = 0;

		if (MREF(folder) == MREF(moving))
			return err_set(e, ERR_USAGE, "cannot move into itself");
		ni = ntfs_inode_open(n->vol, folder);
		ctx = ni == NULL ? NULL : ntfs_attr_get_search_ctx(ni, NULL);
		if (ctx == NULL || depth > VO_DEPTH_MAX)
			return vo_native_fail("read the folders above", e);
		if (ntfs_attr_lookup(AT_FILE_NAME, AT_UNNAMED, 0,
				     CASE_SENSITIVE, 0, NULL, 0, ctx) == 0) {
			const FILE_NAME_ATTR *fn = (const void *)
				((const u8 *)ctx->attr +
				 le16_to_cpu(ctx->attr->value_offset));

			up = le64_to_cpu(fn->parent_directory);
		}
		ntfs_attr_put_search_ctx(ctx);
		folder = up;
	}
	return 0;
}

/* One name becomes another, by way of both. */
static int
move(struct vo_native *n, u64 mref, const char *path, const char *to,
     struct err *e)
{
	VO_PLACE_SCOPED struct vo_native_place from = { .dir = NULL };
	VO_PLACE_SCOPED struct vo_native_place into = { .dir = NULL };

	if (vo_native_place(n, to, &into, e) < 0 || add_name(n, mref, &into, e) < 0 ||
	    vo_native_place(n, path, &from, e) < 0)
		return -1;
	return drop_name(n, mref, &from, e);
}

int
vo_native_rename(struct vo_native *n, const struct vo_request *q,
		 struct buf *answer, struct err *e)
{
	static const char between[] = "~halcyon~rename~";
	VO_PLACE_SCOPED struct vo_native_place to = { .dir = NULL };
	u64 mref, there, folder;
	int r;

	(void)answer;
	if (vo_native_writable(n, e) < 0)
		return -1;
	r = vo_native_find(n, q->path, &mref, NULL, e);
	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NO, "is not there");
	if (vo_native_place(n, q->to, &to, e) < 0)
		return -1;
	folder = to.dir->mft_no;
	r = vo_native_child(to.dir, to.name, to.units, &there, e);
	vo_native_drop(&to.dir);
	to.dir = NULL;
	if (r < 0 || not_inside(n, folder, mref, e) < 0)
		return -1;
	if (r == 0)
		return move(n, mref, q->path, q->to, e);
	if (MREF(there) != MREF(mref))
		return err_set(e, ERR_USAGE, "the new name is there already");
	/* Only the case changes: two such names cannot stand side by side. */
	if (move(n, mref, q->path, between, e) < 0)
		return -1;
	return move(n, mref, between, q->to, e);
}

static int
remove_stream(struct vo_native *n, const char *path, struct err *e)
{
	const char *stream;
	VO_INODE_SCOPED ntfs_inode *ni = vo_native_open(n, path, &stream, e);
	SCOPED_FREE ntfschar *name = NULL;
	size_t units;
	int r;

	if (ni == NULL)
		return -1;
	r = vo_native_stream(ni, stream, &name, &units, e);
	if (r <= 0 || units == 0)
		return r < 0 ? -1 : err_set(e, ERR_NO, "has no such stream");
	if (ntfs_attr_remove(ni, AT_DATA, name, (u32)units) != 0)
		return vo_native_fail("remove the stream", e);
	ntfs_inode_update_times(ni, NTFS_UPDATE_CTIME);
	return vo_native_shut(TAKE(ni), e);
}

int
vo_native_remove(struct vo_native *n, const struct vo_request *q,
		 struct buf *answer, struct err *e)
{
	VO_PLACE_SCOPED struct vo_native_place p = { .dir = NULL };
	const char *stream;
	u64 mref;
	int r;

	(void)answer;
	if (vo_native_writable(n, e) < 0)
		return -1;
	r = vo_native_find(n, q->path, &mref, &stream, e);
	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NO, "is not there");
	if (stream != NULL)
		return remove_stream(n, q->path, e);
	if (MREF(mref) < FILE_first_user)
		return err_set(e, ERR_USAGE, "belongs to the file system");
	if (vo_native_place(n, q->path, &p, e) < 0)
		return -1;
	return drop_name(n, mref, &p, e);
}
