/* native.c - see native.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"

struct vo_native *
vo_native_new(struct vo_worker *w, uint64_t size, bool writable, struct err *e)
{
	struct vo_native *n = mem_array(1, sizeof(*n), e);

	if (n == NULL)
		return NULL;
	n->worker = w;
	n->size = size;
	n->writable = writable;
	if (vo_native_cache(n, e) < 0) {
		free(n);
		return NULL;
	}
	ntfs_log_set_handler(ntfs_log_handler_null);
	(void)ntfs_set_char_encoding("utf8");
	return n;
}

/* ---- mount ---------------------------------------------------------------- */

static int
mount_as(struct vo_native *n, ntfs_mount_flags flags, struct err *e)
{
	struct ntfs_device *dev = vo_native_device(n);

	if (dev == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	n->vol = ntfs_device_mount(dev, flags);
	if (n->vol == NULL) {
		int os = errno;

		(void)ntfs_device_free(dev);
		errno = os;
		if (errno == EINVAL || errno == EIO)
			return err_set(e, ERR_CORRUPT,
				       "cannot be opened: its NTFS is damaged");
		return vo_native_fail("open the volume", e);
	}
	ntfs_create_lru_caches(n->vol);
	/* encrypted data is read where it is asked for, and nowhere else */
	n->vol->efs_raw = TRUE;
	if (ntfs_set_ignore_case(n->vol) < 0)
		return vo_native_fail("set up names", e);
	NVolSetCaseSensitive(n->vol);
	/* NTFS 1.2 has no $Secure, which is no reason to fail. */
	(void)ntfs_open_secure(n->vol);
	n->security = (struct SECURITY_CONTEXT){
		.vol = n->vol, .pseccache = &n->no_cache,
	};
	if (ntfs_volume_get_free_space(n->vol) < 0)
		return vo_native_fail("read the map of free clusters", e);
	return 0;
}

static int
unmount(struct vo_native *n, struct err *e)
{
	ntfs_volume *vol = n->vol;

	if (vol == NULL)
		return 0;
	n->vol = NULL;
	(void)ntfs_close_secure(vol);
	if (ntfs_umount(vol, FALSE) < 0 || vo_native_flush(n) < 0)
		return vo_native_fail("write what is still to be written", e);
	return 0;
}

/* Is $LogFile not closed, or kept open by a fast restart (version 2.0)? */
static bool
log_is_dirty(struct vo_native *n)
{
	VO_INODE_SCOPED ntfs_inode *ni = ntfs_inode_open(n->vol, FILE_LogFile);
	ntfs_attr *na = ni == NULL ? NULL
		      : ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
	RESTART_PAGE_HEADER *rp = NULL;
	bool dirty;

	if (na == NULL)
		return true;
	dirty = !ntfs_check_logfile(na, &rp) || !ntfs_is_logfile_clean(na, rp);
	if (!dirty && rp != NULL && le16_to_cpu(rp->major_ver) == 2 &&
	    le16_to_cpu(rp->minor_ver) == 0)
		dirty = true;
	free(rp);
	ntfs_attr_close(na);
	return dirty;
}

/* hiberfil.sys of a sleeping Windows begins with hibr or HIBR; wake and zeros
 * are left behind when it woke up. */
static bool
is_hibernated(struct vo_native *n)
{
	struct err e = ERR_INIT;
	VO_INODE_SCOPED ntfs_inode *ni =
		vo_native_open(n, "hiberfil.sys", NULL, &e);
	ntfs_attr *na = ni == NULL ? NULL
		      : ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
	char head[4] = { 0 };

	if (na == NULL)
		return false;
	(void)ntfs_attr_pread(na, 0, sizeof(head), head);
	ntfs_attr_close(na);
	return memcmp(head, "hibr", 4) == 0 || memcmp(head, "HIBR", 4) == 0 ||
	       memcmp(head, "RSTR", 4) == 0;
}

static int
put_label(struct vo_native *n, struct buf *answer, struct err *e)
{
	s64 size = 0;
	VO_INODE_SCOPED ntfs_inode *ni = ntfs_inode_open(n->vol, FILE_Volume);
	SCOPED_FREE void *units = ni == NULL ? NULL
		: ntfs_attr_readall(ni, AT_VOLUME_NAME, AT_UNNAMED, 0, &size);
	SCOPED_FREE char *text = NULL;

	if (units == NULL || size < 0 || size > 2 * VO_NAME_MAX)
		size = 0;
	text = utf_from16(units == NULL ? "" : units, (size_t)size, e);
	if (text == NULL)
		return -1;
	buf_u32le(answer, (uint32_t)strlen(text));
	buf_str(answer, text);
	return 0;
}

static int
serve_mount(struct vo_native *n, const struct vo_request *q, struct buf *answer,
	    struct err *e)
{
	bool dirty, log_dirty, hibernated;

	(void)q;
	if (mount_as(n, NTFS_MNT_RDONLY, e) < 0)
		return -1;
	dirty = (n->vol->flags & VOLUME_IS_DIRTY) != 0;
	log_dirty = log_is_dirty(n);
	hibernated = is_hibernated(n);
	buf_u8(answer, dirty);
	buf_u8(answer, log_dirty);
	buf_u8(answer, hibernated);
	buf_u8(answer, n->vol->major_ver);
	buf_u8(answer, n->vol->minor_ver);
	buf_u64le(answer, (uint64_t)n->vol->free_clusters);
	if (put_label(n, answer, e) < 0)
		return -1;
	if (!n->writable || dirty || log_dirty || hibernated)
		return 0;
	if (unmount(n, e) < 0)
		return -1;
	return mount_as(n, 0, e);
}

static int
serve_close(struct vo_native *n, const struct vo_request *q, struct buf *answer,
	    struct err *e)
{
	(void)q;
	(void)answer;
	return unmount(n, e);
}

/* ---- dispatch ------------------------------------------------------------- */

static const vo_native_fn served[VO_OP_END] = {
	[VO_OP_MOUNT] = serve_mount,
	[VO_OP_CLOSE] = serve_close,
	[VO_OP_STAT] = vo_native_stat,
	[VO_OP_SPELL] = vo_native_spell,
	[VO_OP_LIST] = vo_native_list,
	[VO_OP_READ] = vo_native_read,
	[VO_OP_READ_RAW] = vo_native_read,
	[VO_OP_WRITE] = vo_native_write,
	[VO_OP_TRUNCATE] = vo_native_truncate,
	[VO_OP_PUT] = vo_native_put,
	[VO_OP_STREAMS] = vo_native_streams,
	[VO_OP_CREATE] = vo_native_create,
	[VO_OP_MKDIR] = vo_native_create,
	[VO_OP_RENAME] = vo_native_rename,
	[VO_OP_LINK] = vo_native_link,
	[VO_OP_REMOVE] = vo_native_remove,
	[VO_OP_SET_SHORT] = vo_native_set_short,
	[VO_OP_SET_TIMES] = vo_native_set_times,
	[VO_OP_SET_ATTRIBUTES] = vo_native_set_attributes,
	[VO_OP_SECURITY] = vo_native_security,
	[VO_OP_SET_SECURITY] = vo_native_set_security,
	[VO_OP_REPARSE] = vo_native_reparse,
	[VO_OP_SET_REPARSE] = vo_native_set_reparse,
	[VO_OP_OBJECT_ID] = vo_native_object_id,
	[VO_OP_SET_OBJECT_ID] = vo_native_set_object_id,
	[VO_OP_EFS] = vo_native_efs,
	[VO_OP_SET_EFS] = vo_native_set_efs,
	[VO_OP_SET_COMPRESSED] = vo_native_set_compressed,
};

/* May a path lead elsewhere afterwards? */
static bool
changes_names(enum vo_op op)
{
	return op == VO_OP_RENAME || op == VO_OP_REMOVE ||
	       op == VO_OP_SET_SHORT || op == VO_OP_CLOSE;
}

int
vo_native_serve(struct vo_native *n, const struct vo_request *q,
		struct buf *answer, struct err *e)
{
	int r;

	if ((q->op == VO_OP_MOUNT) != (n->vol == NULL))
		return err_set(e, ERR_USAGE, "is not open");
	if (!changes_names(q->op))
		return served[q->op](n, q, answer, e);
	vo_native_forget(n);
	r = served[q->op](n, q, answer, e);
	vo_native_forget(n);
	return r;
}
