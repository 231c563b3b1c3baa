/* native_device.c - the parent's sectors as a device of libntfs-3g
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A small cache, because each sector asked for costs two process switches.  It
 * keeps what is written too, until the room is needed or the volume is closed;
 * much at once goes past it.  A line may lie in one of several ways of its set:
 * the MFT, its bitmap, an index and data are used in turn, and lie anywhere.  Of a
 * line only those blocks count that are valid: a new file's cluster is written
 * without fetching its neighbours, and these are not written with it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "volume/native.h"
#include "volume/wire.h"

enum {
	BLOCK = 4 << 10, BLOCKS = 8, LINE = BLOCK * BLOCKS,
	ALL = (1 << BLOCKS) - 1,
	SETS = 64, WAYS = 8,
	MUCH = 2 * LINE,	/* goes past the cache */
};

struct line {
	uint64_t tag;		/* number of the line + 1; 0: empty */
	uint64_t used;		/* when; the oldest of a set makes room */
	uint8_t valid, dirty;	/* a bit for each block */
	uint8_t *bytes;
};

struct vo_block_cache {
	struct line line[SETS][WAYS];
	uint64_t clock;
	uint8_t room[SETS * WAYS][LINE];
	uint8_t fetched[LINE];
};

int
vo_native_cache(struct vo_native *n, struct err *e)
{
	n->cache = mem_array(1, sizeof(*n->cache), e);
	if (n->cache == NULL)
		return -1;
	for (size_t i = 0; i < (size_t)SETS * WAYS; i++)
		n->cache->line[i / WAYS][i % WAYS].bytes = n->cache->room[i];
	return 0;
}

static uint32_t
line_bytes(const struct vo_native *n, uint64_t number)
{
	return (uint32_t)num_min(LINE, n->size - number * LINE);
}

/* Write the blocks that are dirty, neighbours together. */
static int
flush_line(struct vo_native *n, struct line *l)
{
	uint64_t number, at, len;

	if (l->dirty == 0)
		return 0;
	number = l->tag - 1;
	at = number * LINE;
	for (unsigned b = 0, end; b < BLOCKS; b = end + 1) {

		for (end = b; end < BLOCKS && (l->dirty >> end & 1) != 0; end++)
			;
		if (end == b)
			continue;
		len = num_min(end * BLOCK, line_bytes(n, number)) - b * BLOCK;
		if (vo_worker_write(n->worker, at + b * BLOCK, (uint32_t)len,
				    l->bytes + b * BLOCK) < 0)
			return -1;
	}
	l->dirty = 0;
	return 0;
}

int
vo_native_flush(struct vo_native *n)
{
	for (size_t i = 0; i < (size_t)SETS * WAYS; i++)
		if (flush_line(n, &n->cache->line[i / WAYS][i % WAYS]) < 0)
			return -1;
	return 0;
}

/* A line that is there, or NULL. */
static struct line *
find_line(struct vo_native *n, uint64_t number)
{
	struct line *set = n->cache->line[number % SETS];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].tag == number + 1)
			return &set[i];
	return NULL;
}

/* A line, perhaps one of which nothing is valid; NULL and errno. */
static struct line *
need_line(struct vo_native *n, uint64_t number)
{
	struct line *set = n->cache->line[number % SETS];
	struct line *l = find_line(n, number);

	if (l == NULL) {
		l = &set[0];
		for (size_t i = 1; i < WAYS; i++)
			if (set[i].used < l->used)
				l = &set[i];
		if (flush_line(n, l) < 0)
			return NULL;
		l->tag = number + 1;
		l->valid = 0;
	}
	l->used = ++n->cache->clock;
	return l;
}

/* Fetch what is not valid. */
static int
fill_line(struct vo_native *n, struct line *l)
{
	uint64_t number = l->tag - 1;

	if (vo_worker_read(n->worker, number * LINE, line_bytes(n, number),
			   n->cache->fetched) < 0)
		return -1;
	for (unsigned b = 0; b < BLOCKS; b++)
		if ((l->valid >> b & 1) == 0)
			memcpy(l->bytes + b * BLOCK,
			       n->cache->fetched + b * BLOCK, BLOCK);
	l->valid = ALL;
	return 0;
}

/* The blocks that [in, in + len) of a line touches; with `whole`, only those of
 * which it leaves nothing out. */
static unsigned
blocks_of(const struct vo_native *n, uint64_t number, uint64_t in, uint64_t len,
	  bool whole)
{
	uint64_t first = in, end = in + len;

	if (whole) {
		first = in + BLOCK - 1;
		end += end == line_bytes(n, number) ? BLOCK - 1 : 0;
	} else {
		end += BLOCK - 1;
	}
	first /= BLOCK;
	end /= BLOCK;
	return first >= end ? 0 : ((1U << end) - 1) & ~((1U << first) - 1);
}

static int
read_line(struct vo_native *n, uint64_t number, uint64_t in, uint64_t len,
	  uint8_t *to)
{
	struct line *l = need_line(n, number);

	if (l == NULL)
		return -1;
	if ((blocks_of(n, number, in, len, false) & ~(unsigned)l->valid) != 0 &&
	    fill_line(n, l) < 0)
		return -1;
	memcpy(to, l->bytes + in, len);
	return 0;
}

static int
write_line(struct vo_native *n, uint64_t number, uint64_t in, uint64_t len,
	   const uint8_t *from)
{
	unsigned touched = blocks_of(n, number, in, len, false);
	unsigned whole = blocks_of(n, number, in, len, true);
	struct line *l = need_line(n, number);

	if (l == NULL)
		return -1;
	if ((touched & ~whole & ~(unsigned)l->valid) != 0 &&
	    fill_line(n, l) < 0)
		return -1;
	memcpy(l->bytes + in, from, len);
	l->valid = (uint8_t)(l->valid | touched);
	l->dirty = (uint8_t)(l->dirty | touched);
	return 0;
}

/* The valid blocks of a range: copied to a reader who went past the cache, or from
 * a writer who did. */
static void
reconcile(struct vo_native *n, uint64_t at, uint8_t *to, const uint8_t *from,
	  uint64_t len)
{
	uint64_t done = 0;

	while (done < len) {
		uint64_t in = (at + done) % LINE;
		uint64_t take = num_min(BLOCK - in % BLOCK, len - done);
		const struct line *l = find_line(n, (at + done) / LINE);

		if (l == NULL)
			take = num_min(LINE - in, len - done);
		else if ((l->valid >> in / BLOCK & 1) == 0)
			;
		else if (to != NULL)
			memcpy(to + done, l->bytes + in, take);
		else
			memcpy(l->bytes + in, from + done, take);
		done += take;
	}
}

static s64
dev_pread(struct ntfs_device *dev, void *buf, s64 count, s64 offset)
{
	struct vo_native *n = dev->d_private;
	uint64_t at = (uint64_t)offset, left = (uint64_t)count;
	uint8_t *to = buf;

	if (count < 0 || offset < 0 || !num_in_range(at, left, n->size)) {
		errno = EINVAL;
		return -1;
	}
	while (left > 0) {
		uint64_t in = at % LINE, take = num_min(LINE - in, left);

		if (left >= MUCH) {
			take = num_min(left, VO_AREA_IO);
			if (vo_worker_read(n->worker, at, (uint32_t)take,
					   to) < 0)
				return -1;
			reconcile(n, at, to, NULL, take);
		} else if (read_line(n, at / LINE, in, take, to) < 0) {
			return -1;
		}
		to += take;
		at += take;
		left -= take;
	}
	return count;
}

static s64
dev_pwrite(struct ntfs_device *dev, const void *buf, s64 count, s64 offset)
{
	struct vo_native *n = dev->d_private;
	uint64_t at = (uint64_t)offset, left = (uint64_t)count;
	const uint8_t *from = buf;

	if (count < 0 || offset < 0 || !num_in_range(at, left, n->size)) {
		errno = EINVAL;
		return -1;
	}
	if (!n->writable) {
		errno = EROFS;
		return -1;
	}
	while (left > 0) {
		uint64_t in = at % LINE, take = num_min(LINE - in, left);

		if (left >= MUCH) {
			take = num_min(left, VO_AREA_IO);
			if (vo_worker_write(n->worker, at, (uint32_t)take,
					    from) < 0)
				return -1;
			reconcile(n, at, NULL, from, take);
		} else if (write_line(n, at / LINE, in, take, from) < 0) {
			return -1;
		}
		from += take;
		at += take;
		left -= take;
	}
	return count;
}

static int
dev_open(struct ntfs_device *dev, int flags)
{
	const struct vo_native *n = dev->d_private;

	(void)flags;
	NDevSetOpen(dev);
	if (!n->writable)
		NDevSetReadOnly(dev);
	return 0;
}

static int
dev_close(struct ntfs_device *dev)
{
	dev->d_state &= ~(1UL << ND_Open);
	return 0;
}

static s64
dev_seek(struct ntfs_device *dev, s64 offset, int whence)
{
	struct vo_native *n = dev->d_private;
	s64 base = whence == SEEK_SET ? 0 :
		   whence == SEEK_CUR ? (s64)n->pos : (s64)n->size;

	if (offset > (s64)n->size || base + offset < 0) {
		errno = EINVAL;
		return -1;
	}
	n->pos = (uint64_t)(base + offset);
	return base + offset;
}

static s64
dev_read(struct ntfs_device *dev, void *buf, s64 count)
{
	struct vo_native *n = dev->d_private;
	s64 got = dev_pread(dev, buf, count, (s64)n->pos);

	if (got > 0)
		n->pos += (uint64_t)got;
	return got;
}

static s64
dev_write(struct ntfs_device *dev, const void *buf, s64 count)
{
	struct vo_native *n = dev->d_private;
	s64 put = dev_pwrite(dev, buf, count, (s64)n->pos);

	if (put > 0)
		n->pos += (uint64_t)put;
	return put;
}

static int
dev_sync(struct ntfs_device *dev)
{
	dev->d_state &= ~(1UL << ND_Dirty);
	return 0;
}

static int
dev_stat(struct ntfs_device *dev, struct stat *st)
{
	const struct vo_native *n = dev->d_private;

	*st = (struct stat){ .st_mode = S_IFREG | 0600,
			     .st_size = (off_t)n->size };
	return 0;
}

static int
dev_ioctl(struct ntfs_device *dev, unsigned long request, void *argp)
{
	(void)dev;
	(void)request;
	(void)argp;
	errno = ENOTTY;
	return -1;
}

struct ntfs_device *
vo_native_device(struct vo_native *n)
{
	static struct ntfs_device_operations operations = {
		.open = dev_open, .close = dev_close, .seek = dev_seek,
		.read = dev_read, .write = dev_write, .pread = dev_pread,
		.pwrite = dev_pwrite, .sync = dev_sync, .stat = dev_stat,
		.ioctl = dev_ioctl,
	};

	return ntfs_device_alloc("volume", 0, &operations, n);
}
