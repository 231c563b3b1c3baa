/* mount_xattr.c - what Windows keeps beside a file, as extended attributes
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The names and forms are those of ntfs-3g ("Extended Attributes" of its manual):
 *
 *	system.ntfs_attrib	32 bits, as the machine has them
 *	system.ntfs_attrib_be	the same, most significant byte first
 *	system.ntfs_acl		self-relative security descriptor
 *	system.ntfs_reparse_data	REPARSE_DATA_BUFFER
 *	system.ntfs_object_id	16 or 64 bytes
 *	system.ntfs_crtime	64 bits: FILETIME of creation
 *	system.ntfs_times	four of them: created, modified, accessed, changed
 *	user.NAME		the stream NAME
 *
 * As with ntfs-3g only streams are listed.  The kernel takes 64 KiB of one.
 */
#define FUSE_USE_VERSION 35

#include <errno.h>
#include <fuse.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/scope.h"
#include "imgtool/mount.h"
#include "volume/volume.h"

#define USER "user."

/* Each puts its value into *out: 1, 0 there is none, -1. */

static int
attrib(struct vo *v, const char *path, struct buf *out, struct err *e)
{
	struct vo_stat st;
	int r = vo_stat(v, path, &st, e);

	if (r > 0)
		buf_bytes(out, &st.attributes, sizeof(st.attributes));
	return r;
}

static int
attrib_be(struct vo *v, const char *path, struct buf *out, struct err *e)
{
	struct vo_stat st;
	int r = vo_stat(v, path, &st, e);

	for (int shift = 24; r > 0 && shift >= 0; shift -= 8)
		buf_u8(out, (uint8_t)(st.attributes >> shift));
	return r;
}

static int
crtime(struct vo *v, const char *path, struct buf *out, struct err *e)
{
	struct vo_stat st;
	int r = vo_stat(v, path, &st, e);

	if (r > 0)
		buf_bytes(out, &st.times.created, sizeof(st.times.created));
	return r;
}

static int
times(struct vo *v, const char *path, struct buf *out, struct err *e)
{
	struct vo_stat st;
	int r = vo_stat(v, path, &st, e);

	if (r > 0) {
		const uint64_t all[] = { st.times.created, st.times.modified,
					 st.times.accessed, st.times.changed };

		buf_bytes(out, all, sizeof(all));
	}
	return r;
}

/* What a function of volume.h gave, which is the caller's to release. */
static int
take(int r, uint8_t *data, size_t len, struct buf *out)
{
	if (r > 0) {
		buf_bytes(out, data, len);
		free(data);
	}
	return r;
}

static int
acl(struct vo *v, const char *path, struct buf *out, struct err *e)
{
	uint8_t *data = NULL;
	size_t len = 0;
	int r = vo_security(v, path, &data, &len, e);

	return take(r < 0 ? -1 : 1, data, len, out);
}

static int
reparse(struct vo *v, const char *path, struct buf *out, struct err *e)
{
	uint8_t *data = NULL;
	size_t len = 0;
	int r = vo_reparse(v, path, &data, &len, e);

	return take(r, data, len, out);
}

static int
object_id(struct vo *v, const char *path, struct buf *out, struct err *e)
{
	uint8_t *data = NULL;
	size_t len = 0;
	int r = vo_object_id(v, path, &data, &len, e);

	return take(r, data, len, out);
}

static const struct {
	const char *name;
	int (*get)(struct vo *v, const char *path, struct buf *out,
		   struct err *e);
} attributes[] = {
	{ "system.ntfs_attrib", attrib },
	{ "system.ntfs_attrib_be", attrib_be },
	{ "system.ntfs_acl", acl },
	{ "system.ntfs_reparse_data", reparse },
	{ "system.ntfs_object_id", object_id },
	{ "system.ntfs_crtime", crtime },
	{ "system.ntfs_times", times },
};

static int
stream(struct vo *v, const char *path, const char *name, struct buf *out,
       struct err *e)
{
	VO_STREAMS_SCOPED struct vo_streams all = VO_STREAMS_EMPTY;
	SCOPED_FREE char *full = mem_fmt(e, "%s:%s", path, name);
	SCOPED_FREE uint8_t *data = NULL;
	size_t len;

	if (full == NULL || vo_streams(v, path, &all, e) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++) {
		if (*name == '\0' || strcmp(all.at[i].name, name) != 0)
			continue;
		if (all.at[i].size > XATTR_SIZE_MAX)
			return err_set(e, ERR_SYSTEM, "%s: larger than an "
				       "extended attribute can be", full);
		int r = vo_slurp(v, full, XATTR_SIZE_MAX, &data, &len, e);
		if (r > 0)
			buf_bytes(out, data, len);
		return r;
	}
	return 0;
}

static int
value_of(struct vo *v, const char *path, const char *name, struct buf *out,
	 struct err *e)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (strcmp(name, attributes[i].name) == 0)
			return attributes[i].get(v, path, out, e);
	if (strncmp(name, USER, strlen(USER)) == 0)
		return stream(v, path, name + strlen(USER), out, e);
	return 0;
}

/* As both system calls want it: the length, or as much as there is room for. */
static int
give(const struct buf *b, char *to, size_t size)
{
	if (b->bad)
		return -ENOMEM;
	if (b->len > XATTR_SIZE_MAX)
		return -E2BIG;
	if (size == 0)
		return (int)b->len;
	if (b->len > size)
		return -ERANGE;
	if (b->len > 0)
		memcpy(to, b->at, b->len);
	return (int)b->len;
}

static int
find(const char *path, struct vo **ret, const char **ret_inside)
{
	return mount_find(fuse_get_context()->private_data, path, ret,
			  ret_inside);
}

int
mount_getxattr(const char *path, const char *name, char *value, size_t size)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;
	const char *inside;
	struct vo *v;
	int r = find(path, &v, &inside);

	if (r <= 0)
		return r == 0 ? -ENODATA : r;
	r = value_of(v, inside, name, &b, &e);
	if (r < 0)	/* FAT has none of these */
		return e.kind == ERR_UNSUPPORTED ? -ENODATA : mount_fail(&e);
	return r == 0 ? -ENODATA : give(&b, value, size);
}

int
mount_listxattr(const char *path, char *list, size_t size)
{
	VO_STREAMS_SCOPED struct vo_streams all = VO_STREAMS_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;
	const char *inside;
	struct vo *v;
	int r = find(path, &v, &inside);

	if (r <= 0)
		return r;
	if (vo_streams(v, inside, &all, &e) < 0)
		return e.kind == ERR_UNSUPPORTED ? 0 : mount_fail(&e);
	for (size_t i = 0; i < all.count; i++)
		if (*all.at[i].name != '\0')
			buf_fmt(&b, USER "%s%c", all.at[i].name, 0);
	return give(&b, list, size);
}
