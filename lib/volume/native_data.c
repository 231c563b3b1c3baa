/* native_data.c - requests that read data and list streams
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/utf.h"
#include "volume/native.h"
#include "volume/wof.h"

/* Is a stream's content what it stores? */
static int
readable(ntfs_inode *ni, const char *stream, ntfs_attr *na, bool raw,
	 struct err *e)
{
	if (stream == NULL && vo_native_tag(ni) == (uint32_t)VO_TAG_DEDUP)
		return err_set(e, ERR_UNSUPPORTED, "is deduplicated, which this "
			       "version does not read");
	if (NAttrEncrypted(na) && !raw)
		return err_set(e, ERR_UNSUPPORTED, "is encrypted (EFS)");
	if (!NAttrEncrypted(na) && raw)
		return err_set(e, ERR_USAGE, "is not encrypted");
	return 0;
}

/* Bytes of an attribute, up to `size` from `at`, of which it has `all`. */
static int
read_attr(ntfs_attr *na, uint64_t all, uint64_t at, uint64_t size,
	  struct buf *answer, struct err *e)
{
	uint64_t want = at < all ? num_min(all - at, size) : 0;
	uint8_t *to = want == 0 ? NULL : buf_room(answer, (size_t)want);
	s64 got = 0;

	while (to != NULL && (uint64_t)got < want) {
		s64 r = ntfs_attr_pread(na, (s64)at + got, (s64)want - got,
					to + got);

		if (r <= 0) {
			errno = r == 0 || errno == 0 ? EIO : errno;
			return vo_native_fail("read it", e);
		}
		got += r;
	}
	return 0;
}

/* The library adds two bytes to the whole units of encrypted data. */
static uint64_t
length_of(const ntfs_attr *na, bool raw)
{
	uint64_t size = (uint64_t)na->data_size;

	return !raw || size == 0 ? size : (size + 511) / 512 * 512 + 2;
}

int
vo_native_read(struct vo_native *n, const struct vo_request *q,
	       struct buf *answer, struct err *e)
{
	bool raw = q->op == VO_OP_READ_RAW;
	const char *stream;
	VO_INODE_SCOPED ntfs_inode *ni = vo_native_open(n, q->path, &stream, e);
	SCOPED_FREE ntfschar *name = NULL;
	size_t units = 0;
	ntfs_attr *na;
	int r;

	if (ni == NULL)
		return -1;
	if (stream == NULL && vo_native_is_folder(ni))
		return err_set(e, ERR_USAGE, "is a folder");
	if (vo_native_stream(ni, stream, &name, &units, e) < 0)
		return -1;
	if (units == 0 && vo_native_tag(ni) == (uint32_t)VO_TAG_WOF)
		return vo_native_wof_read(ni, q->at, q->size, answer, e);
	na = ntfs_attr_open(ni, AT_DATA, units > 0 ? name : AT_UNNAMED,
			    (u32)units);
	if (na == NULL)
		return vo_native_fail("open the stream", e);
	r = readable(ni, stream, na, raw, e);
	if (r == 0)
		r = read_attr(na, length_of(na, raw), q->at, q->size, answer, e);
	ntfs_attr_close(na);
	return r;
}

static void
put_stream(const ATTR_RECORD *a, const char *name, struct buf *answer)
{
	buf_u32le(answer, (uint32_t)strlen(name));
	buf_str(answer, name);
	buf_u64le(answer, a->non_resident
		  ? (uint64_t)sle64_to_cpu(a->data_size)
		  : le32_to_cpu(a->value_length));
	buf_u64le(answer, a->non_resident
		  ? (uint64_t)sle64_to_cpu(a->allocated_size) : 0);
}

int
vo_native_streams(struct vo_native *n, const struct vo_request *q,
		  struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = vo_native_open(n, q->path, NULL, e);
	ntfs_attr_search_ctx *ctx;
	bool compact;

	if (ni == NULL)
		return -1;
	compact = vo_native_tag(ni) == (uint32_t)VO_TAG_WOF;
	ctx = ntfs_attr_get_search_ctx(ni, NULL);
	if (ctx == NULL)
		return vo_native_fail("read the record", e);
	while (ntfs_attr_lookup(AT_DATA, NULL, 0, CASE_SENSITIVE, 0, NULL, 0,
				ctx) == 0) {
		const ATTR_RECORD *a = ctx->attr;
		SCOPED_FREE char *name = NULL;

		if (a->non_resident && a->lowest_vcn != 0)
			continue;	/* further down the same stream */
		name = utf_from16((const u8 *)a + le16_to_cpu(a->name_offset),
				  2U * a->name_length, e);
		if (name == NULL)
			break;
		if (!compact || strcmp(name, VO_WOF_STREAM) != 0)
			put_stream(a, name, answer);
	}
	ntfs_attr_put_search_ctx(ctx);
	return e->kind == ERR_NONE ? 0 : -1;
}
