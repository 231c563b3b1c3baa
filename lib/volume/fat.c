/* fat.c - see fat.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/fat.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "volume/fat_dir.h"
#include "volume/wire.h"

enum {
	WINDOW = 64 << 10,	/* bytes of the table that are kept */
	DIR_MAX = 4 << 20,	/* bytes of a folder; the format allows 2 MiB */
};

struct vo_fat {
	struct vo_worker *worker;
	uint64_t size;
	bool mounted;
	unsigned bits;		/* 12, 16 or 32 */
	uint32_t sector, cluster;	/* bytes */
	uint64_t table, table_bytes;
	uint64_t root, root_bytes;	/* FAT12 and FAT16 */
	uint32_t root_cluster;		/* FAT32 */
	uint64_t data;
	uint32_t clusters;	/* numbered from 2 */
	char label[12];
	uint8_t window[WINDOW];
	uint64_t window_at;	/* UINT64_MAX: empty */
};

struct vo_fat *
vo_fat_new(struct vo_worker *w, uint64_t size, struct err *e)
{
	struct vo_fat *f = mem_array(1, sizeof(*f), e);

	if (f == NULL)
		return NULL;
	f->worker = w;
	f->size = size;
	f->window_at = UINT64_MAX;
	return f;
}

static int
corrupt(const char *what, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "%s; run chkdsk in Windows", what);
}

static int
read_at(struct vo_fat *f, uint64_t at, size_t len, void *to, struct err *e)
{
	uint8_t *p = to;

	if (!num_in_range(at, len, f->size))
		return corrupt("its FAT leads outside the volume", e);
	while (len > 0) {
		uint32_t n = (uint32_t)num_min(len, VO_AREA_IO);

		if (vo_worker_read(f->worker, at, n, p) < 0)
			return err_sys(e, "cannot read it");
		p += n;
		at += n;
		len -= n;
	}
	return 0;
}

/* ---- the boot sector ------------------------------------------------------ */

static int
parse_boot(struct vo_fat *f, const uint8_t boot[512], struct err *e)
{
	struct cur c = cur_over("boot sector", boot, 512);
	uint64_t reserved, tables, entries, total, table, before;
	uint8_t per_cluster;

	(void)cur_sub(&c, 11);
	f->sector = cur_u16le(&c);
	per_cluster = cur_u8(&c);
	reserved = cur_u16le(&c);
	tables = cur_u8(&c);
	entries = cur_u16le(&c);
	total = cur_u16le(&c);
	(void)cur_u8(&c);	/* medium */
	table = cur_u16le(&c);
	(void)cur_sub(&c, 8);	/* geometry, hidden sectors */
	if (total == 0)
		total = cur_u32le(&c);
	else
		(void)cur_u32le(&c);
	if (table == 0) {
		table = cur_u32le(&c);
		(void)cur_u32le(&c);	/* flags, version */
		f->root_cluster = cur_u32le(&c);
	}
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (f->sector < 512 || f->sector > 4096 ||
	    (f->sector & (f->sector - 1)) != 0 || per_cluster == 0 ||
	    (per_cluster & (per_cluster - 1)) != 0 || reserved == 0 ||
	    tables == 0 || tables > 4 || table == 0)
		return corrupt("its boot sector has impossible sizes", e);
	f->cluster = f->sector * per_cluster;
	f->table = reserved * f->sector;
	f->table_bytes = table * f->sector;
	f->root = f->table + tables * f->table_bytes;
	f->root_bytes = entries * 32;
	f->data = f->root + (f->root_bytes + f->sector - 1) / f->sector *
		  f->sector;
	before = f->data / f->sector;
	if (total <= before || total > f->size / f->sector ||
	    (total - before) / per_cluster > 0x0ffffff5)
		return corrupt("its boot sector tells another size than the "
			       "volume has", e);
	f->clusters = (uint32_t)((total - before) / per_cluster);
	f->bits = f->clusters < 4085 ? 12 : f->clusters < 65525 ? 16 : 32;
	if ((f->bits == 32) != (entries == 0) ||
	    f->table_bytes / f->bits < (f->clusters + 2) / 8)
		return corrupt("its boot sector contradicts itself", e);
	memcpy(f->label, boot + (f->bits == 32 ? 71 : 43), 11);
	for (size_t n = 11; n > 0 && f->label[n - 1] == ' '; n--)
		f->label[n - 1] = '\0';
	return 0;
}

static int
mount(struct vo_fat *f, struct buf *answer, struct err *e)
{
	uint8_t boot[512];
	bool plain = true;

	if (read_at(f, 0, sizeof(boot), boot, e) < 0 ||
	    parse_boot(f, boot, e) < 0)
		return -1;
	f->mounted = true;
	f->window_at = UINT64_MAX;	/* another may have written since */
	for (const char *p = f->label; *p != '\0'; p++)
		plain = plain && *p >= ' ' && *p < 0x7f;
	if (!plain || strcmp(f->label, "NO NAME") == 0)
		f->label[0] = '\0';
	buf_zeros(answer, 5);	/* never dirty here; no version */
	buf_u64le(answer, 0);
	buf_u32le(answer, (uint32_t)strlen(f->label));
	buf_str(answer, f->label);
	return 0;
}

/* ---- chains --------------------------------------------------------------- */

static int
table_bytes(struct vo_fat *f, uint64_t at, size_t len, uint8_t *to,
	    struct err *e)
{
	for (size_t i = 0; i < len; i++, at++) {
		uint64_t from = at - at % WINDOW;

		if (at >= f->table_bytes)
			return corrupt("its FAT is too short", e);
		if (f->window_at != from) {
			size_t n = (size_t)num_min(WINDOW,
						   f->table_bytes - from);

			f->window_at = UINT64_MAX;
			if (read_at(f, f->table + from, n, f->window, e) < 0)
				return -1;
			f->window_at = from;
		}
		to[i] = f->window[at - from];
	}
	return 0;
}

/* The cluster after this one; 0 at the end. */
static int
next_cluster(struct vo_fat *f, uint32_t cluster, uint32_t *ret, struct err *e)
{
	uint8_t b[4] = { 0 };
	uint32_t v, last;

	if (f->bits == 12) {
		if (table_bytes(f, cluster + cluster / 2, 2, b, e) < 0)
			return -1;
		v = (uint32_t)(b[0] | b[1] << 8);
		v = cluster % 2 != 0 ? v >> 4 : v & 0xfff;
		last = 0xff8;
	} else {
		size_t n = f->bits / 8;

		if (table_bytes(f, (uint64_t)cluster * n, n, b, e) < 0)
			return -1;
		v = ((uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 |
		     (uint32_t)b[1] << 8 | b[0]) & 0x0fffffff;
		last = f->bits == 16 ? 0xfff8 : 0x0ffffff8;
	}
	if (v >= last) {
		*ret = 0;
		return 0;
	}
	if (v < 2 || v - 2 >= f->clusters)
		return corrupt("its chain of clusters is broken", e);
	*ret = v;
	return 0;
}

/* Bytes [at, at + len) of a chain; *ret_len is less where the chain ends. */
static int
read_chain(struct vo_fat *f, uint32_t cluster, uint64_t at, size_t len,
	   uint8_t *to, size_t *ret_len, struct err *e)
{
	uint64_t skip = at / f->cluster, steps = 0;
	size_t in = (size_t)(at % f->cluster), done = 0;

	if (cluster != 0 && (cluster < 2 || cluster - 2 >= f->clusters))
		return corrupt("its chain of clusters is broken", e);
	while (cluster != 0 && done < len) {
		size_t n = (size_t)num_min(f->cluster - in, len - done);

		if (skip > 0) {
			skip--;
		} else {
			if (read_at(f, f->data + (uint64_t)(cluster - 2) *
				    f->cluster + in, n, to + done, e) < 0)
				return -1;
			done += n;
			in = 0;
		}
		if (steps++ > f->clusters)
			return corrupt("its chain of clusters loops", e);
		if (done < len && next_cluster(f, cluster, &cluster, e) < 0)
			return -1;
	}
	*ret_len = done;
	return 0;
}

/* ---- folders -------------------------------------------------------------- */

/* The entries of a folder; cluster 0 is the root of FAT12 and FAT16. */
static int
read_folder(struct vo_fat *f, uint32_t cluster, struct vo_fat_dir *ret,
	    struct err *e)
{
	SCOPED_FREE uint8_t *bytes = mem_array(DIR_MAX, 1, e);
	size_t len = (size_t)f->root_bytes;

	if (bytes == NULL)
		return -1;
	if (cluster == 0 && f->bits == 32)
		cluster = f->root_cluster;
	if (cluster == 0) {
		if (read_at(f, f->root, len, bytes, e) < 0)
			return -1;
	} else if (read_chain(f, cluster, 0, DIR_MAX, bytes, &len, e) < 0) {
		return -1;
	}
	/* an id: where the folder's first cluster would put the entry */
	return vo_fat_dir_parse(bytes, len, (uint64_t)cluster << 20, ret, e);
}

static const struct vo_fat_entry root_entry = {
	.attributes = VO_DIRECTORY,
};

/* *ret is what a path names, *ret_dir keeps it: 1, 0, -1. */
static int
find(struct vo_fat *f, const char *path, struct vo_fat_dir *ret_dir,
     const struct vo_fat_entry **ret, struct buf *spelled, struct err *e)
{
	const struct vo_fat_entry *here = &root_entry;
	unsigned depth = 0;

	while (*path != '\0') {
		size_t len = strcspn(path, "/");
		SCOPED_FREE char *part = mem_strn(path, len, e);
		struct vo_fat_dir next = VO_FAT_DIR_EMPTY;

		if (part == NULL)
			return -1;
		path += len + (path[len] == '/');
		if (len == 0)
			continue;
		if ((here->attributes & VO_DIRECTORY) == 0 ||
		    depth++ > VO_DEPTH_MAX)
			return 0;
		if (read_folder(f, here->cluster, &next, e) < 0)
			return -1;
		vo_fat_dir_done(ret_dir);
		*ret_dir = next;
		here = vo_fat_dir_find(ret_dir, part);
		if (here == NULL)
			return 0;
		if (spelled != NULL && spelled->len > 0)
			buf_str(spelled, "/");
		if (spelled != NULL)
			buf_str(spelled, here->name);
	}
	*ret = here;
	return 1;
}

/* ---- requests ------------------------------------------------------------- */

static int
serve_list(struct vo_fat *f, const struct vo_fat_entry *x, struct buf *answer,
	   struct err *e)
{
	VO_FAT_DIR_SCOPED struct vo_fat_dir d = VO_FAT_DIR_EMPTY;

	if ((x->attributes & VO_DIRECTORY) == 0)
		return err_set(e, ERR_USAGE, "is no folder");
	if (read_folder(f, x->cluster, &d, e) < 0)
		return -1;
	vo_fat_dir_put(&d, answer);
	return 0;
}

static int
serve_read(struct vo_fat *f, const struct vo_fat_entry *x,
	   const struct vo_request *q, struct buf *answer, struct err *e)
{
	size_t len, got;
	uint8_t *to;

	if ((x->attributes & VO_DIRECTORY) != 0)
		return err_set(e, ERR_USAGE, "is a folder");
	if (q->at >= x->size || q->size == 0)
		return 0;
	len = (size_t)num_min(num_min(q->size, VO_DATA_MAX), x->size - q->at);
	to = buf_room(answer, len);
	if (to == NULL)
		return buf_ok(answer, e);
	if (read_chain(f, x->cluster, q->at, len, to, &got, e) < 0)
		return -1;
	return got == len ? 0 : corrupt("it is longer than its clusters", e);
}

int
vo_fat_serve(struct vo_fat *f, const struct vo_request *q, struct buf *answer,
	     struct err *e)
{
	VO_FAT_DIR_SCOPED struct vo_fat_dir d = VO_FAT_DIR_EMPTY;
	const struct vo_fat_entry *x = NULL;
	int r;

	if (q->op == VO_OP_MOUNT)
		return mount(f, answer, e);
	if (!f->mounted)
		return err_set(e, ERR_USAGE, "is not open");
	if (q->op == VO_OP_CLOSE)
		return 0;
	r = find(f, q->path, &d, &x, q->op == VO_OP_SPELL ? answer : NULL, e);
	if (r < 0 || (r == 0 && (q->op == VO_OP_STAT || q->op == VO_OP_SPELL)))
		return r;
	if (r == 0)
		return err_set(e, ERR_NO, "is not there");
	if (q->op == VO_OP_STAT)
		vo_fat_put_stat(x, answer);
	else if (q->op == VO_OP_LIST)
		return serve_list(f, x, answer, e);
	else if (q->op == VO_OP_READ)
		return serve_read(f, x, q, answer, e);
	else if (q->op == VO_OP_STREAMS)
		vo_fat_put_stream(x, answer);
	else if (q->op == VO_OP_REPARSE || q->op == VO_OP_OBJECT_ID)
		return 0;
	else if (q->op != VO_OP_SPELL)
		return err_set(e, ERR_UNSUPPORTED, "FAT has no security, and "
			       "this reader does not write");
	return 1;
}
