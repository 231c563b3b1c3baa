/* whole.c - is an image file as long as its own tables say?
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * QEMU reads zeros behind the end of a file, so a cut image would look like one
 * whose files are full of zeros.  (It notices by itself with vhd and vhdx.)
 *
 * Facts: QEMU docs/interop/qcow2.txt (header, cluster mapping); VMware Virtual
 * Disk Format 5.0 (sparse header, grain directory); VirtualBox VDICore.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk-private.h"

enum {
	HEAD = 512,
	TABLE_MAX = 32 << 20,	/* bytes of one table; QEMU takes no more */
};

/* Where an entry leads, in bytes; 0 when nothing is stored there. */
typedef uint64_t (*where_fn)(const uint8_t *entry, bool leaf);

/* A table of tables of clusters. */
struct map {
	uint64_t top_at, top_count;	/* bytes, entries */
	uint64_t leaf_count;		/* entries of a lower table */
	uint64_t cluster, disk;		/* bytes */
	size_t top_entry, leaf_entry;	/* bytes */
	where_fn where;
	bool parts;			/* a cluster may end early */
};

static uint64_t
number(const uint8_t *p, size_t bytes, bool big)
{
	uint64_t v = 0;

	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | p[big ? i : bytes - 1 - i];
	return v;
}

static int
is_cut(const char *path, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "%s: ends before what its tables name; "
		       "the image is truncated", path);
}

/* `at` is where in the disk the table's first cluster is. */
static int
check_leaf(const char *path, uint64_t size, const struct map *m,
	   const uint8_t *table, uint64_t at, struct err *e)
{
	for (uint64_t i = 0; i < m->leaf_count && at < m->disk; i++) {
		uint64_t x = m->where(table + i * m->leaf_entry, true);
		uint64_t need = num_min(m->cluster, m->disk - at);

		if (x != 0 && !num_in_range(x, m->parts ? 1 : need, size))
			return is_cut(path, e);
		at += need;
	}
	return 0;
}

static int
check_map(const char *path, int fd, uint64_t size, const struct map *m,
	  struct err *e)
{
	uint64_t leaf_bytes = m->leaf_count * m->leaf_entry, seen = 0, at = 0;
	uint64_t span = m->leaf_count * m->cluster;
	size_t top_bytes = (size_t)m->top_count * m->top_entry;
	SCOPED_FREE uint8_t *top = NULL;
	SCOPED_FREE uint8_t *leaf = NULL;

	if (!num_in_range(m->top_at, top_bytes, size))
		return is_cut(path, e);
	top = mem_array(top_bytes + 1, 1, e);
	leaf = mem_array((size_t)leaf_bytes + 1, 1, e);
	if (top == NULL || leaf == NULL ||
	    io_read_at(fd, top, top_bytes, m->top_at, path, e) < 0)
		return -1;
	for (uint64_t i = 0; i < m->top_count && at < m->disk; i++) {
		uint64_t x = m->where(top + i * m->top_entry, false);

		if (x != 0 && !num_in_range(x, leaf_bytes, size))
			return is_cut(path, e);
		/* tables that share their place could keep us for ever */
		seen += x != 0 ? leaf_bytes : 0;
		if (seen > size)
			return err_set(e, ERR_CORRUPT, "%s: its tables overlap",
				       path);
		if (x != 0 &&
		    (io_read_at(fd, leaf, (size_t)leaf_bytes, x, path, e) < 0 ||
		     check_leaf(path, size, m, leaf, at, e) < 0))
			return -1;
		at += num_min(span, m->disk - at);
	}
	return 0;
}

/* Bits 9 to 55; a compressed cluster's length is for its reader to check. */
static uint64_t
qcow2_where(const uint8_t *entry, bool leaf)
{
	uint64_t v = number(entry, 8, true);

	if (leaf && ((v >> 62 & 1) != 0 || (v & 1) != 0))
		return 0;
	return v & 0x00fffffffffffe00U;
}

/* What makes no sense is left for QEMU to refuse. */
static int
check_qcow2(const char *path, int fd, const uint8_t *head, uint64_t size,
	    struct err *e)
{
	uint64_t bits = number(head + 20, 4, true);
	struct map m = {
		.disk = number(head + 24, 8, true),
		.top_count = number(head + 36, 4, true),
		.top_at = number(head + 40, 8, true),
		.top_entry = 8, .leaf_entry = 8, .where = qcow2_where,
	};

	if (memcmp(head, "QFI\xfb", 4) != 0 || bits < 9 || bits > 21 ||
	    m.top_count > TABLE_MAX / 8)
		return 0;
	/* incompatible feature 4: entries with a bit per part of a cluster */
	if (number(head + 4, 4, true) >= 3 && (head[79] & 0x10) != 0) {
		m.leaf_entry = 16;
		m.parts = true;
	}
	m.cluster = 1ULL << bits;
	m.leaf_count = m.cluster / m.leaf_entry;
	return check_map(path, fd, size, &m, e);
}

/* In sectors; 1 is a grain of zeros. */
static uint64_t
vmdk_where(const uint8_t *entry, bool leaf)
{
	uint64_t v = number(entry, 4, false);

	return leaf && v == 1 ? 0 : v * 512;
}

static int
check_vmdk(const char *path, int fd, const uint8_t *head, uint64_t size,
	   struct err *e)
{
	uint64_t sectors = number(head + 12, 8, false);
	uint64_t grain = number(head + 20, 8, false);
	uint64_t top = number(head + 56, 8, false);
	struct map m = {
		.leaf_count = number(head + 44, 4, false),
		.top_entry = 4, .leaf_entry = 4, .where = vmdk_where,
	};
	uint64_t span;

	/* byte 10: compressed, with the directory at the end of the file */
	if (memcmp(head, "KDMV", 4) != 0 || (head[10] & 1) != 0 ||
	    sectors == 0 || sectors > 1ULL << 50 || grain == 0 ||
	    grain > TABLE_MAX || m.leaf_count == 0 ||
	    m.leaf_count > TABLE_MAX / 4)
		return 0;
	if (top > size / 512)
		return is_cut(path, e);
	m.cluster = grain * 512;
	m.disk = sectors * 512;
	m.top_at = top * 512;
	span = grain * m.leaf_count;
	m.top_count = (sectors + span - 1) / span;
	return m.top_count > TABLE_MAX / 4 ? 0
					   : check_map(path, fd, size, &m, e);
}

/* Blocks are added at the end, so their number tells the length. */
static int
check_vdi(const char *path, const uint8_t *head, uint64_t size, struct err *e)
{
	uint64_t data = number(head + 344, 4, false);
	uint64_t block = number(head + 376, 4, false);
	uint64_t stored = number(head + 388, 4, false);

	return num_in_range(data, block * stored, size) ? 0 : is_cut(path, e);
}

int
dk_whole(const char *path, int fd, const struct dk_format *f, struct err *e)
{
	uint8_t head[HEAD] = { 0 };
	struct stat st;
	uint64_t size;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	size = (uint64_t)st.st_size;
	if (io_read_at(fd, head, (size_t)num_min(size, HEAD), 0, path, e) < 0)
		return -1;
	if (strcmp(f->name, "qcow2") == 0)
		return check_qcow2(path, fd, head, size, e);
	if (strcmp(f->name, "vmdk") == 0)
		return check_vmdk(path, fd, head, size, e);
	if (strcmp(f->name, "vdi") == 0)
		return check_vdi(path, head, size, e);
	return 0;
}
