/* native_short.c - short names, also of files with several names
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A name is in a namespace: POSIX, Win32 (which has a short one beside it), DOS
 * (the short one), or both.  libntfs-3g sets short names only where a file has one
 * name, so it is done here from its parts: the name's attribute in the file and the
 * folder's entry say the same, always.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "volume/native.h"

enum { SHORT_MAX = 12 };

/* A copy of a name of a file. */
struct label {
	union {
		FILE_NAME_ATTR attr;
		uint8_t bytes[sizeof(FILE_NAME_ATTR) + 2 * VO_NAME_MAX];
		uint64_t align;
	} u;
};

static const ntfschar *
label_name(const struct label *l)
{
	const void *at = l->u.bytes + offsetof(FILE_NAME_ATTR, file_name);

	return at;
}

static size_t
label_bytes(const struct label *l)
{
	return sizeof(FILE_NAME_ATTR) + 2U * l->u.attr.file_name_length;
}

static bool
is_name(const FILE_NAME_ATTR *fn, const ntfschar *name, size_t units)
{
	return utf_cmp16(fn->file_name, 2U * fn->file_name_length, name,
			 2 * units) == 0;
}

/* The name that a file has in this folder and in one of these namespaces (a bit
 * each); `name` NULL: any.  1, 0, -1. */
static int
find_label(ntfs_inode *ni, const ntfs_inode *dir, const ntfschar *name,
	   size_t units, unsigned types, struct label *ret, struct err *e)
{
	ntfs_attr_search_ctx *ctx = ntfs_attr_get_search_ctx(ni, NULL);
	int found = 0;

	if (ctx == NULL)
		return vo_native_fail("read the record", e);
	while (found == 0 && ntfs_attr_lookup(AT_FILE_NAME, AT_UNNAMED, 0,
					      CASE_SENSITIVE, 0, NULL, 0,
					      ctx) == 0) {
		const FILE_NAME_ATTR *fn = (const void *)((const u8 *)ctx->attr +
			le16_to_cpu(ctx->attr->value_offset));

		if (MREF_LE(fn->parent_directory) != dir->mft_no ||
		    (types >> (fn->file_name_type & 3) & 1) == 0 ||
		    (name != NULL && !is_name(fn, name, units)))
			continue;
		memcpy(ret->u.bytes, fn,
		       sizeof(*fn) + 2U * fn->file_name_length);
		found = 1;
	}
	ntfs_attr_put_search_ctx(ctx);
	return found;
}

/* The same name in another namespace, in the file and in the folder. */
static int
set_namespace(ntfs_inode *ni, ntfs_inode *dir, struct label *l,
	      FILE_NAME_TYPE_FLAGS type, struct err *e)
{
	ntfs_attr_search_ctx *ctx = ntfs_attr_get_search_ctx(ni, NULL);
	ntfs_index_context *entry = ntfs_index_ctx_get(dir, NTFS_INDEX_I30, 4);
	int r = -1;

	if (ctx != NULL && entry != NULL &&
	    ntfs_attr_lookup(AT_FILE_NAME, AT_UNNAMED, 0, CASE_SENSITIVE, 0,
			     l->u.bytes, (u32)label_bytes(l), ctx) == 0 &&
	    ntfs_index_lookup(l->u.bytes, (int)label_bytes(l), entry) == 0 &&
	    entry->data != NULL) {
		FILE_NAME_ATTR *fn = (void *)((u8 *)ctx->attr +
			le16_to_cpu(ctx->attr->value_offset));
		FILE_NAME_ATTR *shown = entry->data;

		fn->file_name_type = shown->file_name_type = type;
		l->u.attr.file_name_type = type;
		ntfs_inode_mark_dirty(ctx->ntfs_ino);
		ntfs_index_entry_mark_dirty(entry);
		r = 0;
	}
	if (entry != NULL)
		ntfs_index_ctx_put(entry);
	if (ctx != NULL)
		ntfs_attr_put_search_ctx(ctx);
	return r < 0 ? vo_native_fail("change its names", e) : 0;
}

static int
add_short(ntfs_inode *ni, ntfs_inode *dir, struct label *whole,
	  const ntfschar *name, size_t units, struct err *e)
{
	struct label l = *whole;

	memcpy(l.u.attr.file_name, name, 2 * units);
	l.u.attr.file_name_length = (u8)units;
	l.u.attr.file_name_type = FILE_NAME_DOS;
	if (ntfs_index_add_filename(dir, &l.u.attr, MK_MREF(ni->mft_no,
			le16_to_cpu(ni->mrec->sequence_number))) != 0 ||
	    ntfs_attr_add(ni, AT_FILE_NAME, AT_UNNAMED, 0, l.u.bytes,
			  (s64)label_bytes(&l)) != 0)
		return vo_native_fail("set its short name", e);
	ni->mrec->link_count = cpu_to_le16(
		(u16)(le16_to_cpu(ni->mrec->link_count) + 1));
	return set_namespace(ni, dir, whole, FILE_NAME_WIN32, e);
}

/* Take the short name in this folder away.  Both are closed. */
static int
drop_short(struct vo_native *n, u64 mref, struct vo_native_place *p,
	   struct label *l, struct err *e)
{
	ntfs_inode *ni = ntfs_inode_open(n->vol, mref);

	if (ni == NULL)
		return vo_native_fail("open it", e);
	/* else the library takes the long name away too */
	if (set_namespace(ni, p->dir, l, FILE_NAME_POSIX, e) < 0) {
		vo_native_drop(&ni);
		return -1;
	}
	if (ntfs_delete(n->vol, NULL, ni, TAKE(p->dir), label_name(l),
			l->u.attr.file_name_length) != 0)
		return vo_native_fail("remove its short name", e);
	return 0;
}

/* Make the long name `whole` have the short name `to`, or with none be alone. */
static int
pair(ntfs_inode *ni, ntfs_inode *dir, struct label *whole, const ntfschar *to,
     size_t units, struct err *e)
{
	u64 there;
	int r;

	if (units == 0)
		return set_namespace(ni, dir, whole, FILE_NAME_POSIX, e);
	if (ntfs_collapsible_chars(ni->vol, to, (int)units,
				   label_name(whole),
				   whole->u.attr.file_name_length))
		return set_namespace(ni, dir, whole, FILE_NAME_WIN32_AND_DOS, e);
	r = vo_native_child(dir, to, units, &there, e);
	if (r > 0)
		return err_set(e, ERR_USAGE, "the short name is there already");
	return r < 0 ? -1 : add_short(ni, dir, whole, to, units, e);
}

static int
short_units(const struct vo_native *n, const char *to, ntfschar **ret,
	    size_t *ret_units, struct err *e)
{
	SCOPED_FREE ntfschar *name = NULL;
	size_t units;

	if (vo_native_name(to, strlen(to), &name, &units, e) < 0)
		return -1;
	if (units > SHORT_MAX || (units > 0 &&
	    ntfs_forbidden_names(n->vol, name, (int)units, TRUE)))
		return err_set(e, ERR_USAGE, "the short name is none");
	*ret = TAKE(name);
	*ret_units = units;
	return 0;
}

/* The long name that a path means, whichever form it uses, and the short one
 * beside it; *ret_short is false where there is none. */
static int
find_names(struct vo_native *n, u64 mref, const struct vo_native_place *p,
	   struct label *whole, struct label *shorter, bool *ret_short,
	   struct err *e)
{
	enum { DOS = 1 << FILE_NAME_DOS, LONG = 0xf & ~DOS,
	       WIN32 = 1 << FILE_NAME_WIN32 };
	VO_INODE_SCOPED ntfs_inode *ni = ntfs_inode_open(n->vol, mref);
	int r;

	if (ni == NULL)
		return vo_native_fail("open it", e);
	r = find_label(ni, p->dir, p->name, p->units, LONG, whole, e);
	if (r == 0)
		r = find_label(ni, p->dir, NULL, 0, WIN32, whole, e);
	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_CORRUPT, "has a short name "
					    "and no long one");
	r = whole->u.attr.file_name_type == FILE_NAME_WIN32
	  ? find_label(ni, p->dir, NULL, 0, DOS, shorter, e) : 0;
	*ret_short = r > 0;
	return r < 0 ? -1 : 0;
}

int
vo_native_set_short(struct vo_native *n, const struct vo_request *q,
		    struct buf *answer, struct err *e)
{
	VO_PLACE_SCOPED struct vo_native_place p = { .dir = NULL };
	VO_INODE_SCOPED ntfs_inode *ni = NULL;
	SCOPED_FREE ntfschar *to = NULL;
	struct label whole, shorter;
	bool has_short = false;
	size_t units = 0;
	u64 mref, folder;
	int r;

	(void)answer;
	if (vo_native_writable(n, e) < 0 ||
	    short_units(n, q->to, &to, &units, e) < 0 ||
	    vo_native_place(n, q->path, &p, e) < 0)
		return -1;
	folder = p.dir->mft_no;
	r = vo_native_child(p.dir, p.name, p.units, &mref, e);
	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NO, "is not there");
	if (find_names(n, mref, &p, &whole, &shorter, &has_short, e) < 0)
		return -1;
	if (has_short) {
		if (drop_short(n, mref, &p, &shorter, e) < 0)
			return -1;
		p.dir = ntfs_inode_open(n->vol, folder);
	}
	ni = p.dir == NULL ? NULL : ntfs_inode_open(n->vol, mref);
	if (ni == NULL)
		return vo_native_fail("open it", e);
	if (pair(ni, p.dir, &whole, to, units, e) < 0)
		return -1;
	ntfs_inode_update_times(ni, NTFS_UPDATE_CTIME);
	if (vo_native_shut_place(&p, e) < 0)
		return -1;
	return vo_native_shut(TAKE(ni), e);
}
