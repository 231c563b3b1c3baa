/* ntfs.c - see ntfs.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * libntfs-3g leaves opening $Secure to the program that mounts, and wants a
 * child closed in its folder while that is open, so that there is never a second
 * handle on the folder.
 */
#include "testdata/ntfs.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <ntfs-3g/types.h>
#include <ntfs-3g/attrib.h>
#include <ntfs-3g/bitmap.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/logging.h>
#include <ntfs-3g/reparse.h>
#include <ntfs-3g/security.h>
#include <ntfs-3g/unistr.h>
#include <ntfs-3g/volume.h>
#include <ntfs-3g/xattrs.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "testdata/ntfs-private.h"

enum { DAY_SECONDS = 24 * 3600, TICKS = 10000000 };

/* 1601 to 1970 in seconds. */
#define EPOCH	INT64_C(11644473600)

/*
 * libntfs-3g asks this program for the time, in place of the C library: so the
 * same guest has the same bytes on any day.  0: the real clock.
 */
static uint64_t the_time;

EXPORT int
clock_gettime(clockid_t id, struct timespec *ret)
{
	if (id != CLOCK_REALTIME || the_time == 0)
		return (int)syscall(SYS_clock_gettime, id, ret);
	ret->tv_sec = (time_t)(the_time / TICKS) - EPOCH;
	ret->tv_nsec = (long)(the_time % TICKS) * 100;
	return 0;
}

bool
nt_bad(const struct nt *v)
{
	return v->e->kind != ERR_NONE;
}

static void
fail(struct nt *v, const char *path, const char *what)
{
	(void)err_sys(v->e, "%s: %s", path, what);
}

struct nt *
nt_open(const char *path, uint64_t born, struct err *e)
{
	struct nt *v = mem_array(1, sizeof(*v), e);

	if (v == NULL)
		return NULL;
	v->e = e;
	the_time = born;
	v->day = born;
	ntfs_log_set_handler(ntfs_log_handler_null);
	(void)ntfs_set_char_encoding("utf8");
	v->vol = ntfs_mount(path, 0);
	if (v->vol == NULL) {
		(void)err_sys(e, "%s: cannot mount", path);
		the_time = 0;
		free(v);
		return NULL;
	}
	if (ntfs_set_ignore_case(v->vol) < 0)
		fail(v, path, "cannot ignore case");
	if (ntfs_open_secure(v->vol) < 0)
		fail(v, path, "no $Secure");
	return v;
}

int
nt_close(struct nt *v, bool dirty)
{
	struct err *e = v->e;
	if (dirty && !nt_bad(v) &&
	    ntfs_volume_write_flags(v->vol, v->vol->flags | VOLUME_IS_DIRTY) < 0)
		fail(v, "volume", "cannot mark dirty");
	(void)ntfs_close_secure(v->vol);
	if (ntfs_umount(v->vol, FALSE) < 0)
		(void)err_sys(e, "volume: cannot unmount");
	the_time = 0;
	free(v);
	return e->kind == ERR_NONE ? 0 : -1;
}

void
nt_security(struct nt *v, const struct sd *dir, const struct sd *file)
{
	v->dir_sd = *dir;
	v->file_sd = *file;
}

void
nt_born(struct nt *v, uint64_t day)
{
	v->day = day;
}

/* FNV-1a: spreads the times of files over a day, by name. */
WRAPS static uint64_t
spread(const char *path)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *path != '\0'; path++)
		h = (h ^ (uint8_t)*path) * 0x100000001b3;
	return h;
}

static uint64_t
time_of(const struct nt *v, const char *path)
{
	return v->day + spread(path) % (DAY_SECONDS / 2 * (uint64_t)TICKS);
}

void
nt_stamp_inode(struct nt *v, ntfs_inode *ni, const char *path)
{
	uint64_t h = spread(path), at = time_of(v, path);
	uint64_t step = (h >> 40) % 3600 * TICKS + 7;

	ni->creation_time = cpu_to_le64(at);
	ni->last_data_change_time = cpu_to_le64(at + step);
	ni->last_mft_change_time = cpu_to_le64(at + 2 * step);
	ni->last_access_time = cpu_to_le64(at + 3 * step);
	NInoFileNameSetDirty(ni);
	NInoSetDirty(ni);
	/* What changes the file from now on, such as its short name, changes
	 * it then. */
	the_time = at + 2 * step;
}

/* Split at the last '/': the open parent, and the leaf's name. */
ntfs_inode *
nt_parent(struct nt *v, const char *path, const char **ret_leaf)
{
	const char *slash = strrchr(path, '/');
	SCOPED_FREE char *dir = NULL;
	ntfs_inode *ni;

	if (slash == NULL) {
		*ret_leaf = path;
		ni = ntfs_inode_open(v->vol, FILE_root);
	} else {
		*ret_leaf = slash + 1;
		dir = mem_strn(path, (size_t)(slash - path), v->e);
		if (dir == NULL)
			return NULL;
		ni = ntfs_pathname_to_inode(v->vol, NULL, dir);
	}
	if (ni == NULL)
		fail(v, path, "no such folder");
	return ni;
}

ntfs_inode *
nt_lookup(struct nt *v, const char *path)
{
	ntfs_inode *ni;

	if (nt_bad(v))
		return NULL;
	ni = ntfs_pathname_to_inode(v->vol, NULL, path);
	if (ni == NULL)
		fail(v, path, "not there");
	return ni;
}

/* With no folder of it open; a file with names in several folders has to be
 * closed like this. */
void
nt_close_inode(struct nt *v, ntfs_inode *ni, const char *path)
{
	if (ntfs_inode_close(ni) < 0)
		fail(v, path, "cannot close");
}

/* Equal descriptors share one entry of $Secure: give the first file its
 * descriptor, and later ones the number that it got. */
static void
secure(struct nt *v, ntfs_inode *ni, const struct sd *sd, const char *path)
{
	struct SECURITY_CONTEXT scx = { .vol = v->vol };

	if (sd->len == 0)
		return;
	if (ntfs_set_ntfs_acl(&scx, ni, (const char *)sd->at, sd->len, 0) < 0)
		fail(v, path, "cannot set security");
}

static ntfs_inode *
create(struct nt *v, ntfs_inode *dir, const char *leaf, bool folder,
       const char *path)
{
	SCOPED_FREE uint8_t *name = NULL;
	SCOPED_FREE ntfschar *units = NULL;
	size_t len;
	ntfs_inode *ni;

	if (utf_to16(leaf, &name, &len, v->e) < 0)
		return NULL;
	units = mem_array(len / 2, sizeof(*units), v->e);
	if (units == NULL)
		return NULL;
	memcpy(units, name, len);
	ni = ntfs_create(dir, const_cpu_to_le32(0), units, (u8)(len / 2),
			 folder ? S_IFDIR : S_IFREG);
	if (ni == NULL) {
		fail(v, path, "cannot create");
		return NULL;
	}
	secure(v, ni, folder ? &v->dir_sd : &v->file_sd, path);
	return ni;
}

static void
set_attrib(struct nt *v, ntfs_inode *ni, uint32_t attrib, const char *path)
{
	uint8_t le[4];

	num_put_u32le(le, attrib);
	if (ntfs_set_ntfs_attrib(ni, (const char *)le, sizeof(le), 0) < 0)
		fail(v, path, "cannot set attributes");
	if ((attrib & NT_COMPRESSED) == 0)
		return;
	if (ntfs_attr_set_flags(ni, AT_DATA, AT_UNNAMED, 0, ATTR_IS_COMPRESSED,
				ATTR_COMPRESSION_MASK) < 0)
		fail(v, path, "cannot compress");
	ni->flags |= FILE_ATTR_COMPRESSED;
}

static void
fill(struct nt *v, ntfs_inode *ni, const struct content *c, const char *path)
{
	ntfs_attr *na = ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
	size_t done = 0;
	int r = 0;

	if (na == NULL) {
		fail(v, path, "has no data attribute");
		return;
	}
	if (c->solid)
		r = ntfs_attr_truncate_solid(na, (s64)c->size);
	else if (c->size > c->at + c->len)
		r = ntfs_attr_truncate(na, (s64)c->size);
	while (r == 0 && done < c->len) {
		s64 n = ntfs_attr_pwrite(na, (s64)(c->at + done),
					 (s64)(c->len - done), c->data + done);

		if (n <= 0)
			r = -1;
		else
			done += (size_t)n;
	}
	if (r == 0 && NAttrCompressed(na))
		r = ntfs_attr_pclose(na);
	if (r < 0)
		fail(v, path, "cannot write");
	ntfs_attr_close(na);
}

static void
make(struct nt *v, const char *path, bool folder, uint32_t attrib,
     const struct content *c)
{
	const char *leaf;
	ntfs_inode *dir, *ni;

	if (nt_bad(v))
		return;
	the_time = time_of(v, path);
	dir = nt_parent(v, path, &leaf);
	if (dir == NULL)
		return;
	ni = create(v, dir, leaf, folder, path);
	if (ni != NULL) {
		set_attrib(v, ni, folder ? attrib : attrib | NT_ARCHIVE, path);
		if (c != NULL && c->size > 0)
			fill(v, ni, c, path);
		nt_stamp_inode(v, ni, path);
		if (ntfs_inode_close_in_dir(ni, dir) < 0)
			fail(v, path, "cannot close");
	}
	(void)ntfs_inode_close(dir);
	if (!nt_bad(v))
		nt_name_it(v, path, leaf);
}

void
nt_dir(struct nt *v, const char *path, uint32_t attrib)
{
	make(v, path, true, attrib, NULL);
}

void
nt_put(struct nt *v, const char *path, const void *data, size_t len,
       uint32_t attrib)
{
	struct content c = { .data = data, .len = len, .size = len };

	make(v, path, false, attrib, &c);
}

void
nt_put_part(struct nt *v, const char *path, uint64_t size, bool solid,
	    uint64_t at, const void *data, size_t len, uint32_t attrib)
{
	struct content c = { .data = data, .len = len, .size = size,
			     .at = at, .solid = solid };

	make(v, path, false, attrib, &c);
}

void
nt_rewrite(struct nt *v, const char *path, const void *data, size_t len)
{
	const struct content c = { .data = data, .len = len, .size = len };
	ntfs_inode *ni = nt_lookup(v, path);

	if (ni == NULL)
		return;
	fill(v, ni, &c, path);
	nt_stamp_inode(v, ni, path);
	nt_close_inode(v, ni, path);
}

/* The cluster behind the last of a file, or 0. */
static LCN
behind(ntfs_inode *ni)
{
	ntfs_attr *na = ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
	LCN lcn = 0;

	if (na == NULL)
		return 0;
	if (NAttrNonResident(na) && ntfs_attr_map_whole_runlist(na) == 0)
		for (runlist_element *r = na->rl; r->length > 0; r++)
			lcn = r->lcn + r->length;
	ntfs_attr_close(na);
	return lcn;
}

/* The clusters behind the file are taken for a moment, so that what is appended
 * lies elsewhere, as on a volume that many programs write to. */
void
nt_append(struct nt *v, const char *path, const void *data, size_t len)
{
	enum { GAP = 3 };
	ntfs_inode *ni = nt_lookup(v, path);
	struct content c = { .data = data, .len = len };
	LCN taken;

	if (ni == NULL)
		return;
	c.at = (uint64_t)ni->data_size;
	c.size = c.at + len;
	taken = behind(ni);
	if (taken > 0 &&
	    ntfs_bitmap_set_run(v->vol->lcnbmp_na, taken, GAP) < 0)
		fail(v, path, "cannot take clusters");
	fill(v, ni, &c, path);
	if (taken > 0 &&
	    ntfs_bitmap_clear_run(v->vol->lcnbmp_na, taken, GAP) < 0)
		fail(v, path, "cannot free clusters");
	nt_stamp_inode(v, ni, path);
	nt_close_inode(v, ni, path);
}

void
nt_truncate(struct nt *v, const char *path, uint64_t size)
{
	ntfs_inode *ni = nt_lookup(v, path);
	ntfs_attr *na;

	if (ni == NULL)
		return;
	na = ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
	if (na == NULL || ntfs_attr_truncate(na, (s64)size) < 0)
		fail(v, path, "cannot truncate");
	if (na != NULL)
		ntfs_attr_close(na);
	nt_stamp_inode(v, ni, path);
	nt_close_inode(v, ni, path);
}

void
nt_protect(struct nt *v, const char *path, const struct sd *sd)
{
	ntfs_inode *ni = nt_lookup(v, path);

	if (ni == NULL)
		return;
	secure(v, ni, sd, path);
	nt_close_inode(v, ni, path);
}

uint64_t
nt_first_sector(struct nt *v, const char *path)
{
	ntfs_inode *ni = nt_lookup(v, path);
	ntfs_attr *na;
	LCN lcn = -1;

	if (ni == NULL)
		return 0;
	na = ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
	if (na != NULL) {
		lcn = ntfs_attr_vcn_to_lcn(na, 0);
		ntfs_attr_close(na);
	}
	(void)ntfs_inode_close(ni);
	if (lcn <= 0) {
		(void)err_set(v->e, ERR_SYSTEM, "%s: has no clusters", path);
		return 0;
	}
	return (uint64_t)lcn * (v->vol->cluster_size / 512);
}

uint64_t
nt_reference(struct nt *v, const char *path)
{
	ntfs_inode *ni = nt_lookup(v, path);
	uint64_t ref;

	if (ni == NULL)
		return 0;
	ref = MK_MREF(ni->mft_no, le16_to_cpu(ni->mrec->sequence_number));
	(void)ntfs_inode_close(ni);
	return ref;
}
