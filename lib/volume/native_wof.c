/* native_wof.c - CompactOS files of an NTFS volume, read and made plain
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "volume/native.h"
#include "volume/wof.h"

enum { PIECE = 1 << 20 };

/* An open one. */
struct compact {
	struct vo_wof file;
	ntfs_attr *stored;	/* NULL when closed */
};

static void
compact_done(struct compact *c)
{
	if (c->stored != NULL)
		ntfs_attr_close(c->stored);
}

#define COMPACT_SCOPED SCOPED(compact_done)

static int
read_stored(void *arg, void *to, size_t len, uint64_t at, struct err *e)
{
	ntfs_attr *na = arg;
	size_t got = 0;

	while (got < len) {
		s64 r = ntfs_attr_pread(na, (s64)(at + got), (s64)(len - got),
					(uint8_t *)to + got);

		if (r <= 0) {
			errno = r == 0 || errno == 0 ? EIO : errno;
			return vo_native_fail("read it", e);
		}
		got += (size_t)r;
	}
	return 0;
}

static int
stored_name(ntfschar **ret, size_t *ret_units, struct err *e)
{
	return vo_native_name(VO_WOF_STREAM, strlen(VO_WOF_STREAM), ret,
			      ret_units, e);
}

static int
open_compact(ntfs_inode *ni, struct compact *ret, struct err *e)
{
	SCOPED_FREE u8 *reparse = NULL;
	SCOPED_FREE ntfschar *name = NULL;
	size_t units;
	s64 size = 0;

	reparse = ntfs_attr_readall(ni, AT_REPARSE_POINT, AT_UNNAMED, 0, &size);
	if (reparse == NULL || size < 0)
		return vo_native_fail("read its reparse point", e);
	if (vo_wof_method(reparse, (size_t)size, &ret->file.method, e) < 0 ||
	    stored_name(&name, &units, e) < 0)
		return -1;
	ret->stored = ntfs_attr_open(ni, AT_DATA, name, (u32)units);
	if (ret->stored == NULL)
		return err_set(e, ERR_CORRUPT, "is damaged: what CompactOS "
			       "stored of it is not there");
	ret->file.size = (uint64_t)ni->data_size;
	ret->file.stored = (uint64_t)ret->stored->data_size;
	ret->file.read = read_stored;
	ret->file.arg = ret->stored;
	return 0;
}

int
vo_native_wof_read(ntfs_inode *ni, uint64_t at, uint64_t size,
		   struct buf *answer, struct err *e)
{
	COMPACT_SCOPED struct compact c = { .stored = NULL };
	uint64_t want;
	uint8_t *to;

	if (open_compact(ni, &c, e) < 0)
		return -1;
	want = at < c.file.size ? num_min(c.file.size - at, size) : 0;
	to = want == 0 ? NULL : buf_room(answer, (size_t)want);
	/* a buffer without memory is the caller's to see */
	return to == NULL ? 0 : vo_wof_read(&c.file, to, (size_t)want, at, e);
}

/* Write all of the plain bytes to the unnamed stream. */
static int
fill(ntfs_inode *ni, const struct vo_wof *file, struct err *e)
{
	SCOPED_FREE uint8_t *piece = mem_array(PIECE, 1, e);
	ntfs_attr *na = piece == NULL ? NULL
		      : ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
	int r = 0;

	if (na == NULL)
		return piece == NULL ? -1 : vo_native_fail("open it", e);
	for (uint64_t at = 0; r == 0 && at < file->size; at += PIECE) {
		size_t len = (size_t)num_min(PIECE, file->size - at);

		r = vo_wof_read(file, piece, len, at, e);
		if (r == 0 &&
		    ntfs_attr_pwrite(na, (s64)at, (s64)len, piece) != (s64)len)
			r = vo_native_fail("make it an ordinary file", e);
	}
	ntfs_attr_close(na);
	return r;
}

int
vo_native_wof_expand(ntfs_inode *ni, struct err *e)
{
	COMPACT_SCOPED struct compact c = { .stored = NULL };
	SCOPED_FREE ntfschar *name = NULL;
	size_t units;

	if (open_compact(ni, &c, e) < 0 || fill(ni, &c.file, e) < 0 ||
	    stored_name(&name, &units, e) < 0)
		return -1;
	ntfs_attr_close(TAKE(c.stored));
	if (ntfs_remove_ntfs_reparse_data(ni) < 0 ||
	    ntfs_attr_remove(ni, AT_DATA, name, (u32)units) != 0)
		return vo_native_fail("make it an ordinary file", e);
	return 0;
}
