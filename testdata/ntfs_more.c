/* ntfs_more.c - short names, streams, links, junctions, the format itself
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/ntfs.h"

#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>

#include <ntfs-3g/types.h>
#include <ntfs-3g/attrib.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/reparse.h>
#include <ntfs-3g/unistr.h>
#include <ntfs-3g/volume.h>
#include <ntfs-3g/xattrs.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/utf.h"
#include "testdata/ntfs-private.h"

static bool
dos_char(char c)
{
	return isalnum((unsigned char)c) != 0 ||
	       (c != '\0' && strchr("!#$%&'()-@^_`{}~", c) != NULL);
}

/* Copy at most max characters that a short name may have; false when one had
 * to be left out or was too many. */
static bool
dos_part(const char *from, size_t len, size_t max, char *ret)
{
	bool whole = true;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (!dos_char(from[i]))
			whole = false;
		else if (n < max)
			ret[n++] = (char)toupper((unsigned char)from[i]);
		else
			whole = false;
	}
	ret[n] = '\0';
	return whole;
}

/* The short name of the nth file of that beginning: LONGNA~1.TXT. */
static void
dos_name(const char *leaf, unsigned nth, char *ret, size_t size)
{
	const char *dot = strrchr(leaf, '.');
	size_t stem = dot == NULL || dot == leaf ? strlen(leaf) :
						  (size_t)(dot - leaf);
	const char *suffix = leaf[stem] == '.' ? leaf + stem + 1 : "";
	char base[9], ext[4];
	bool whole = dos_part(leaf, stem, 8, base);

	if (!dos_part(suffix, strlen(suffix), 3, ext))
		whole = false;
	if (!whole || nth > 1) {
		size_t keep = nth < 10 ? 6 : 5;

		if (base[0] == '\0')
			memcpy(base, "_", 2);
		base[keep] = '\0';
		(void)snprintf(ret, size, "%s~%u%s%s", base, nth,
			       ext[0] != '\0' ? "." : "", ext);
	} else {
		(void)snprintf(ret, size, "%s%s%s", base,
			       ext[0] != '\0' ? "." : "", ext);
	}
}

static bool
try_short_name(struct nt *v, const char *path, const char *name)
{
	const char *leaf;
	ntfs_inode *dir = nt_parent(v, path, &leaf);
	ntfs_inode *ni = dir == NULL ? NULL :
			 ntfs_pathname_to_inode(v->vol, dir, leaf);

	if (ni == NULL) {
		(void)err_sys(v->e, "%s: not there", path);
		if (dir != NULL)
			(void)ntfs_inode_close(dir);
		return false;
	}
	/* It closes both. */
	return ntfs_set_ntfs_dos_name(ni, dir, name, strlen(name), 0) == 0;
}

void
nt_name_it(struct nt *v, const char *path, const char *leaf)
{
	char name[16];

	for (unsigned nth = 1; nth < 100; nth++) {
		dos_name(leaf, nth, name, sizeof(name));
		if (try_short_name(v, path, name) || nt_bad(v))
			return;
		if (errno != EEXIST)
			break;
	}
	(void)err_sys(v->e, "%s: cannot set short name %s", path, name);
}

void
nt_short_name(struct nt *v, const char *path, const char *name)
{
	if (!nt_bad(v) && !try_short_name(v, path, name))
		(void)err_sys(v->e, "%s: cannot set short name", path);
}

void
nt_dirs(struct nt *v, const char *path)
{
	const char *end = path;

	while (end != NULL && !nt_bad(v)) {
		SCOPED_FREE char *part = NULL;
		ntfs_inode *ni;

		end = strchr(end + 1, '/');
		part = mem_strn(path, end == NULL ? strlen(path) :
						    (size_t)(end - path), v->e);
		if (part == NULL)
			return;
		ni = ntfs_pathname_to_inode(v->vol, NULL, part);
		if (ni != NULL)
			(void)ntfs_inode_close(ni);
		else
			nt_dir(v, part, 0);
	}
}

void
nt_stream(struct nt *v, const char *path, const char *name, const void *data,
	  size_t len)
{
	SCOPED_FREE uint8_t *units = NULL;
	SCOPED_FREE ntfschar *wide = NULL;
	size_t bytes;
	ntfs_inode *ni = nt_lookup(v, path);
	SCOPED_FREE uint8_t *copy = NULL;

	if (ni == NULL)
		return;
	copy = mem_array(len, 1, v->e);
	if (utf_to16(name, &units, &bytes, v->e) == 0)
		wide = mem_array(bytes / 2, sizeof(*wide), v->e);
	if (copy != NULL && wide != NULL) {
		memcpy(copy, data, len);
		memcpy(wide, units, bytes);
		if (ntfs_attr_add(ni, AT_DATA, wide, (u8)(bytes / 2), copy,
				  (s64)len) < 0)
			(void)err_sys(v->e, "%s:%s: cannot add", path, name);
	}
	nt_stamp_inode(v, ni, path);
	nt_close_inode(v, ni, path);
}

void
nt_link(struct nt *v, const char *path, const char *also)
{
	SCOPED_FREE uint8_t *units = NULL;
	SCOPED_FREE ntfschar *wide = NULL;
	size_t bytes;
	const char *leaf;
	ntfs_inode *ni = nt_lookup(v, path), *dir;

	if (ni == NULL)
		return;
	dir = nt_parent(v, also, &leaf);
	if (dir != NULL && utf_to16(leaf, &units, &bytes, v->e) == 0)
		wide = mem_array(bytes / 2, sizeof(*wide), v->e);
	if (wide != NULL) {
		memcpy(wide, units, bytes);
		if (ntfs_link(ni, dir, wide, (u8)(bytes / 2)) < 0)
			(void)err_sys(v->e, "%s: cannot link", also);
	}
	if (dir != NULL)
		(void)ntfs_inode_close(dir);
	nt_stamp_inode(v, ni, path);
	nt_close_inode(v, ni, path);
}

void
nt_junction(struct nt *v, const char *path, const char *target, bool link,
	    uint32_t attrib)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	SCOPED_FREE char *full = NULL;
	SCOPED_FREE uint8_t *to = NULL, *shown = NULL;
	size_t to_len, shown_len;

	nt_dir(v, path, attrib);
	full = mem_fmt(v->e, "\\??\\%s", target);
	if (full == NULL || utf_to16(full, &to, &to_len, v->e) < 0 ||
	    utf_to16(target, &shown, &shown_len, v->e) < 0)
		return;
	/* [MS-FSCC] 2.1.2.4 symbolic link, 2.1.2.5 mount point. */
	buf_u32le(&b, link ? 0xa000000c : 0xa0000003);
	buf_u16le(&b, (uint16_t)((link ? 12 : 8) + to_len + 2 + shown_len + 2));
	buf_u16le(&b, 0);
	buf_u16le(&b, 0);
	buf_u16le(&b, (uint16_t)to_len);
	buf_u16le(&b, (uint16_t)(to_len + 2));
	buf_u16le(&b, (uint16_t)shown_len);
	if (link)
		buf_u32le(&b, 0);	/* absolute */
	buf_bytes(&b, to, to_len);
	buf_u16le(&b, 0);
	buf_bytes(&b, shown, shown_len);
	buf_u16le(&b, 0);
	if (buf_ok(&b, v->e) == 0)
		nt_reparse(v, path, b.at, b.len);
}

void
nt_reparse(struct nt *v, const char *path, const void *data, size_t len)
{
	ntfs_inode *ni = nt_lookup(v, path);

	if (ni == NULL)
		return;
	if (ntfs_set_ntfs_reparse_data(ni, data, len, 0) < 0)
		(void)err_sys(v->e, "%s: cannot make a reparse point", path);
	nt_stamp_inode(v, ni, path);
	nt_close_inode(v, ni, path);
}

void
nt_stamp(struct nt *v, const char *path, const struct nt_times *t)
{
	ntfs_inode *ni = nt_lookup(v, path);

	if (ni == NULL)
		return;
	ni->creation_time = cpu_to_le64(t->created);
	ni->last_data_change_time = cpu_to_le64(t->written);
	ni->last_mft_change_time = cpu_to_le64(t->changed);
	ni->last_access_time = cpu_to_le64(t->accessed);
	NInoFileNameSetDirty(ni);
	NInoSetDirty(ni);
	nt_close_inode(v, ni, path);
}

void
nt_remove(struct nt *v, const char *path)
{
	SCOPED_FREE uint8_t *units = NULL;
	SCOPED_FREE ntfschar *wide = NULL;
	size_t bytes;
	const char *leaf;
	ntfs_inode *ni = nt_lookup(v, path), *dir;

	if (ni == NULL)
		return;
	dir = nt_parent(v, path, &leaf);
	if (dir == NULL || utf_to16(leaf, &units, &bytes, v->e) < 0)
		return;
	wide = mem_array(bytes / 2, sizeof(*wide), v->e);
	if (wide == NULL)
		return;
	memcpy(wide, units, bytes);
	/* It closes both. */
	if (ntfs_delete(v->vol, path, ni, dir, wide, (u8)(bytes / 2)) < 0)
		(void)err_sys(v->e, "%s: cannot remove", path);
}

int
nt_format(const char *path, const struct nt_format *f, struct err *e)
{
	char start[24], heads[8];
	const char *const argv[] = {
		"mkntfs", "-F", "-Q", "-q", "-T", "-s", "512", "-c", "4096",
		"-p", start, "-H", heads, "-S", "63",
		"-L", f->label == NULL ? "" : f->label, path, NULL,
	};
	BUF_SCOPED struct buf out = BUF_EMPTY;

	(void)snprintf(start, sizeof(start), "%llu",
		       (unsigned long long)f->start);
	(void)snprintf(heads, sizeof(heads), "%u", f->heads);
	return proc_must(argv, NULL, 0, &out, 1 << 16, 60000, e);
}
