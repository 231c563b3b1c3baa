/* native_look.c - requests that only read
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "volume/native.h"

/* ---- stat ----------------------------------------------------------------- */

/* Names of a file, without those that are only a short form of another. */
static uint32_t
count_links(ntfs_inode *ni)
{
	ntfs_attr_search_ctx *ctx;
	uint32_t count = 0;

	if (le16_to_cpu(ni->mrec->link_count) <= 1)
		return le16_to_cpu(ni->mrec->link_count);
	ctx = ntfs_attr_get_search_ctx(ni, NULL);
	if (ctx == NULL)
		return 0;
	while (ntfs_attr_lookup(AT_FILE_NAME, AT_UNNAMED, 0, CASE_SENSITIVE, 0,
				NULL, 0, ctx) == 0) {
		const FILE_NAME_ATTR *fn = (const void *)((const u8 *)ctx->attr +
			le16_to_cpu(ctx->attr->value_offset));

		count += fn->file_name_type != FILE_NAME_DOS;
	}
	ntfs_attr_put_search_ctx(ctx);
	return count;
}

uint32_t
vo_native_tag(ntfs_inode *ni)
{
	SCOPED_FREE u8 *data = NULL;
	s64 size = 0;
	uint32_t tag = 0;

	if ((ni->flags & FILE_ATTR_REPARSE_POINT) == 0)
		return 0;
	data = ntfs_attr_readall(ni, AT_REPARSE_POINT, AT_UNNAMED, 0, &size);
	for (int i = 3; data != NULL && size >= 8 && i >= 0; i--)
		tag = tag << 8 | data[i];
	return tag;
}

enum { STAT_BYTES = 72 };

static void
put_stat(ntfs_inode *ni, struct buf *answer)
{
	uint32_t attributes = le32_to_cpu(ni->flags) & 0x1ffffff;
	uint64_t sequence = le16_to_cpu(ni->mrec->sequence_number);
	uint32_t tag = vo_native_tag(ni);
	bool folder = vo_native_is_folder(ni);

	if (folder)
		attributes |= VO_DIRECTORY;
	/* as Windows shows it: only how it is stored is special */
	if (tag == (uint32_t)VO_TAG_WOF)
		attributes &= ~(uint32_t)(VO_REPARSE | VO_SPARSE);
	attributes &= ~0x80U;	/* "normal" says that there are no others */
	buf_u64le(answer, ni->mft_no | sequence << 48);
	buf_u64le(answer, folder ? 0 : (uint64_t)ni->data_size);
	buf_u64le(answer, folder ? 0 : (uint64_t)ni->allocated_size);
	buf_u32le(answer, attributes);
	buf_u32le(answer, tag);
	buf_u32le(answer, count_links(ni));
	buf_u32le(answer, test_nino_flag(ni, v3_Extensions)
			  ? le32_to_cpu(ni->security_id) : 0);
	buf_u64le(answer, (uint64_t)sle64_to_cpu(ni->creation_time));
	buf_u64le(answer, (uint64_t)sle64_to_cpu(ni->last_data_change_time));
	buf_u64le(answer, (uint64_t)sle64_to_cpu(ni->last_mft_change_time));
	buf_u64le(answer, (uint64_t)sle64_to_cpu(ni->last_access_time));
}

int
vo_native_stat(struct vo_native *n, const struct vo_request *q,
	       struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = NULL;
	u64 mref;
	int r = vo_native_find(n, q->path, &mref, NULL, e);

	if (r <= 0)
		return r;
	ni = ntfs_inode_open(n->vol, mref);
	if (ni == NULL)
		return vo_native_fail("open it", e);
	put_stat(ni, answer);
	return 1;
}

/* ---- folders -------------------------------------------------------------- */

struct name {
	u64 mref;
	ntfschar *units;	/* owned */
	size_t count;
	int type;
};

struct names {
	size_t count, cap;
	struct name *at;
	bool root;
	struct err *e;
};

static void
names_done(struct names *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->at[i].units);
	free(l->at);
}

static int
take_name(void *arg, const ntfschar *name, const int len, const int type,
	  const s64 pos, const MFT_REF mref, const unsigned dt)
{
	struct names *l = arg;
	struct name *one;

	(void)pos;
	(void)dt;
	if (len == 1 && name[0] == const_cpu_to_le16('.'))
		return 0;
	if (len == 2 && name[0] == const_cpu_to_le16('.') &&
	    name[1] == const_cpu_to_le16('.'))
		return 0;
	if (l->root && MREF(mref) < FILE_first_user)
		return 0;
	if (len <= 0 || mem_grow(&l->at, &l->cap, l->count + 1,
				 sizeof(*l->at), l->e) < 0)
		return -1;
	one = &l->at[l->count];
	one->units = mem_array((size_t)len, sizeof(*name), l->e);
	if (one->units == NULL)
		return -1;
	memcpy(one->units, name, (size_t)len * sizeof(*name));
	one->mref = mref;
	one->count = (size_t)len;
	one->type = type;
	l->count++;
	return 0;
}

static int
read_names(struct vo_native *n, const char *path, struct names *ret,
	   struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *dir = vo_native_open(n, path, NULL, e);
	s64 pos = 0;

	if (dir == NULL)
		return -1;
	if (!vo_native_is_folder(dir))
		return err_set(e, ERR_USAGE, "is no folder");
	ret->root = dir->mft_no == FILE_root;
	ret->e = e;
	if (ntfs_readdir(dir, &pos, ret, take_name) < 0)
		return vo_native_fail("read the folder", e);
	return e->kind == ERR_NONE ? 0 : -1;
}

static int
by_name(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int r = utf_cmp16(x->units, 2 * x->count, y->units, 2 * y->count);

	return r != 0 ? r : (x->mref > y->mref) - (x->mref < y->mref);
}

/* Short names first by what they belong to, so that they can be found. */
static int
by_owner(const void *a, const void *b)
{
	const struct name *const *x = a, *const *y = b;

	return ((*x)->mref > (*y)->mref) - ((*x)->mref < (*y)->mref);
}

static int
put_name(const struct name *one, struct buf *answer, struct err *e)
{
	SCOPED_FREE char *text = one == NULL ? mem_str("", e)
				: utf_from16(one->units, 2 * one->count, e);

	if (text == NULL)
		return -1;
	buf_u32le(answer, (uint32_t)strlen(text));
	buf_str(answer, text);
	return 0;
}

static int
put_entry(struct vo_native *n, const struct name *one, const struct name *shorter,
	  struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = ntfs_inode_open(n->vol, one->mref);

	if (put_name(one, answer, e) < 0 || put_name(shorter, answer, e) < 0)
		return -1;
	if (ni != NULL) {
		put_stat(ni, answer);
		return 0;
	}
	/* A record that does not open must not hide its neighbours. */
	buf_u64le(answer, one->mref);
	buf_zeros(answer, STAT_BYTES - 8);
	return 0;
}

int
vo_native_list(struct vo_native *n, const struct vo_request *q,
	       struct buf *answer, struct err *e)
{
	SCOPED(names_done) struct names l = { .count = 0 };
	SCOPED_FREE const struct name **shorter = NULL;
	size_t shorts = 0;

	if (read_names(n, q->path, &l, e) < 0)
		return -1;
	shorter = mem_array(l.count, sizeof(struct name *), e);
	if (shorter == NULL)
		return -1;
	mem_sort(l.at, l.count, sizeof(*l.at), by_name);
	for (size_t i = 0; i < l.count; i++)
		if (l.at[i].type == FILE_NAME_DOS)
			shorter[shorts++] = &l.at[i];
	mem_sort(shorter, shorts, sizeof(struct name *), by_owner);
	for (size_t i = 0; i < l.count; i++) {
		const struct name *key = &l.at[i], **found = NULL;

		if (key->type == FILE_NAME_DOS)
			continue;
		if (key->type == FILE_NAME_WIN32 && shorts > 0)
			found = bsearch(&key, shorter, shorts,
					sizeof(struct name *), by_owner);
		if (put_entry(n, key, found == NULL ? NULL : *found, answer,
			      e) < 0)
			return -1;
	}
	return 0;
}

/* ---- spelling ------------------------------------------------------------- */

/* The name in the folder that is `part`, as the folder has it: the long form
 * where `part` is a short one. */
static int
spell_part(struct vo_native *n, const char *folder, const char *part,
	   size_t len, struct buf *answer, struct err *e)
{
	SCOPED(names_done) struct names l = { .count = 0 };
	SCOPED_FREE ntfschar *name = NULL;
	const struct name *best = NULL;
	size_t units;

	if (vo_native_name(part, len, &name, &units, e) < 0 ||
	    read_names(n, folder, &l, e) < 0)
		return -1;
	for (size_t i = 0; i < l.count; i++) {
		const struct name *one = &l.at[i];

		if (utf_cmp16(one->units, 2 * one->count, name, 2 * units) != 0)
			continue;
		if (best == NULL || (one->count == units &&
		    memcmp(one->units, name, 2 * units) == 0))
			best = one;
	}
	for (size_t i = 0; best != NULL && best->type == FILE_NAME_DOS &&
	     i < l.count; i++)
		if (l.at[i].mref == best->mref &&
		    l.at[i].type == FILE_NAME_WIN32)
			best = &l.at[i];
	if (best == NULL)
		return 0;
	SCOPED_FREE char *text = utf_from16(best->units, 2 * best->count, e);

	if (text == NULL)
		return -1;
	if (answer->len > 0)
		buf_str(answer, "/");
	buf_str(answer, text);
	return buf_ok(answer, e) < 0 ? -1 : 1;
}

int
vo_native_spell(struct vo_native *n, const struct vo_request *q,
		struct buf *answer, struct err *e)
{
	const char *at = q->path;
	u64 mref;
	int r = vo_native_find(n, q->path, &mref, NULL, e);

	if (r <= 0)
		return r;
	while (*at != '\0') {
		size_t len = strcspn(at, "/");
		SCOPED_FREE char *folder = mem_strn(
			answer->len > 0 ? (char *)answer->at : "",
			answer->len, e);

		if (folder == NULL)
			return -1;
		r = len == 0 ? 1 : spell_part(n, folder, at, len, answer, e);
		if (r <= 0)
			return r;
		at += len + (at[len] == '/');
	}
	return 1;
}

/* ---- the rest ------------------------------------------------------------- */

int
vo_native_security(struct vo_native *n, const struct vo_request *q,
		   struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = vo_native_open(n, q->path, NULL, e);
	SCOPED_FREE char *sd = mem_array(1, 64 << 10, e);
	int len;

	if (ni == NULL || sd == NULL)
		return -1;
	len = ntfs_get_ntfs_acl(&n->security, ni, sd, 64 << 10);
	if (len <= 0 || len > 64 << 10)
		return vo_native_fail("read its security", e);
	buf_bytes(answer, sd, (size_t)len);
	return 0;
}

int
vo_native_reparse(struct vo_native *n, const struct vo_request *q,
		  struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = vo_native_open(n, q->path, NULL, e);
	SCOPED_FREE u8 *data = NULL;
	s64 size = 0;

	if (ni == NULL)
		return -1;
	if ((ni->flags & FILE_ATTR_REPARSE_POINT) == 0 ||
	    vo_native_tag(ni) == (uint32_t)VO_TAG_WOF)
		return 0;
	data = ntfs_attr_readall(ni, AT_REPARSE_POINT, AT_UNNAMED, 0, &size);
	if (data == NULL || size < 0)
		return vo_native_fail("read its reparse point", e);
	buf_bytes(answer, data, (size_t)size);
	return 1;
}

int
vo_native_object_id(struct vo_native *n, const struct vo_request *q,
		    struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = vo_native_open(n, q->path, NULL, e);
	char id[64];
	int len;

	if (ni == NULL)
		return -1;
	len = ntfs_get_ntfs_object_id(ni, id, sizeof(id));
	if (len < 0)
		return errno == ENODATA ? 0
					: vo_native_fail("read its object id", e);
	buf_bytes(answer, id, (size_t)len);
	return 1;
}

/* What the encrypting file system keeps beside a file ($EFS). */
int
vo_native_efs(struct vo_native *n, const struct vo_request *q,
	      struct buf *answer, struct err *e)
{
	VO_INODE_SCOPED ntfs_inode *ni = vo_native_open(n, q->path, NULL, e);
	SCOPED_FREE u8 *data = NULL;
	s64 size = 0;

	if (ni == NULL)
		return -1;
	if ((ni->flags & FILE_ATTR_ENCRYPTED) == 0)
		return 0;
	data = ntfs_attr_readall(ni, AT_LOGGED_UTILITY_STREAM, NULL, 0, &size);
	if (data == NULL || size <= 0 || size > VO_EFS_MAX)
		return vo_native_fail("read what it is encrypted with", e);
	buf_bytes(answer, data, (size_t)size);
	return 1;
}
