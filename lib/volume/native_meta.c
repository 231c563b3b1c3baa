/* native_meta.c - requests that change what is known about a file
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "volume/native.h"

static ntfs_inode *
open_writable(struct vo_native *n, const struct vo_request *q, struct err *e)
{
	if (!n->writable || NVolReadOnly(n->vol)) {
		(void)err_set(e, ERR_USAGE,
			      "the volume is open for reading only");
		return NULL;
	}
	return vo_native_open(n, q->path, NULL, e);
}

static ntfs_time
time_at(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return (ntfs_time)cpu_to_le64(v);
}

/* Not with ntfs_inode_set_times(), which sets "changed" to now. */
int
vo_native_set_times(struct vo_native *n, const struct vo_request *q,
		    struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = open_writable(n, q, e);
	const uint8_t *given = q->data;

	(void)answer;
	if (ni == NULL)
		return -1;
	if (q->len != 32)
		return err_set(e, ERR_USAGE, "needs four times");
	ni->creation_time = time_at(given);
	ni->last_data_change_time = time_at(given + 8);
	ni->last_mft_change_time = time_at(given + 16);
	ni->last_access_time = time_at(given + 24);
	NInoFileNameSetDirty(ni);
	ntfs_inode_mark_dirty(ni);
	return vo_native_shut(TAKE(ni), e);
}

int
vo_native_set_attributes(struct vo_native *n, const struct vo_request *q,
			 struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = open_writable(n, q, e);
	le32 settable = cpu_to_le32((u32)VO_SETTABLE), now;

	(void)answer;
	if (ni == NULL)
		return -1;
	now = (ni->flags & ~settable) |
	      (cpu_to_le32((u32)q->size) & settable);
	if (now == ni->flags)
		return 0;
	ni->flags = now;
	NInoFileNameSetDirty(ni);
	ntfs_inode_mark_dirty(ni);
	ntfs_inode_update_times(ni, NTFS_UPDATE_CTIME);
	return vo_native_shut(TAKE(ni), e);
}

int
vo_native_set_security(struct vo_native *n, const struct vo_request *q,
		       struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = open_writable(n, q, e);

	(void)answer;
	if (ni == NULL)
		return -1;
	if (ntfs_set_ntfs_acl(&n->security, ni, q->data, q->len, 0) != 0)
		return errno == EINVAL
		     ? err_set(e, ERR_USAGE, "the security descriptor is "
			       "malformed")
		     : vo_native_fail("set its security", e);
	return vo_native_shut(TAKE(ni), e);
}

int
vo_native_set_reparse(struct vo_native *n, const struct vo_request *q,
		      struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = open_writable(n, q, e);
	int r;

	(void)answer;
	if (ni == NULL)
		return -1;
	if (vo_native_tag(ni) == (uint32_t)VO_TAG_WOF)
		return err_set(e, ERR_USAGE, "is not empty");
	if (q->len == 0)
		r = ntfs_remove_ntfs_reparse_data(ni);
	else
		r = ntfs_set_ntfs_reparse_data(ni, q->data, q->len, 0);
	if (r < 0)
		return errno == EINVAL
		     ? err_set(e, ERR_USAGE, "the reparse data is malformed")
		     : vo_native_fail("set its reparse point", e);
	return vo_native_shut(TAKE(ni), e);
}

int
vo_native_set_object_id(struct vo_native *n, const struct vo_request *q,
			struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = open_writable(n, q, e);
	int r;

	(void)answer;
	if (ni == NULL)
		return -1;
	if (q->len == 0)
		r = ntfs_remove_ntfs_object_id(ni);
	else
		r = ntfs_set_ntfs_object_id(ni, q->data, q->len, 0);
	if (r < 0 && !(q->len == 0 && errno == ENODATA))
		return vo_native_fail("set its object id", e);
	return vo_native_shut(TAKE(ni), e);
}

int
vo_native_set_efs(struct vo_native *n, const struct vo_request *q,
		  struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = open_writable(n, q, e);

	(void)answer;
	if (ni == NULL)
		return -1;
	if ((ni->flags & (FILE_ATTR_ENCRYPTED | FILE_ATTR_COMPRESSED)) != 0 ||
	    vo_native_tag(ni) != 0)
		return err_set(e, ERR_USAGE, "is encrypted or compressed "
			       "already");
	if (ntfs_set_efs_info(ni, q->data, q->len, 0) != 0)
		return errno == EINVAL
		     ? err_set(e, ERR_USAGE, "what it is encrypted with, or the "
			       "encrypted data, is malformed")
		     : vo_native_fail("make it an encrypted one", e);
	return vo_native_shut(TAKE(ni), e);
}

int
vo_native_set_compressed(struct vo_native *n, const struct vo_request *q,
			 struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = open_writable(n, q, e);
	bool now;

	(void)answer;
	if (ni == NULL)
		return -1;
	now = (ni->flags & FILE_ATTR_COMPRESSED) != 0;
	if (now == (q->size != 0))
		return 0;
	if ((!vo_native_is_folder(ni) && ni->data_size != 0) ||
	    (ni->flags & FILE_ATTR_ENCRYPTED) != 0)
		return err_set(e, ERR_USAGE, "is not empty");
	if (q->size != 0 && n->vol->cluster_size > 4096)
		return err_set(e, ERR_UNSUPPORTED, "cannot be compressed: the "
			       "volume's clusters are longer than 4096 bytes");
	ni->flags ^= FILE_ATTR_COMPRESSED;
	NInoFileNameSetDirty(ni);
	ntfs_inode_mark_dirty(ni);
	ntfs_inode_update_times(ni, NTFS_UPDATE_CTIME);
	return vo_native_shut(TAKE(ni), e);
}
