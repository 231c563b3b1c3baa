/* native_device.c - the parent's sectors as a device of libntfs-3g
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A small cache, because each sector asked for costs two process switches.  It
 * keeps what is written too, until the room is needed or the volume is closed;
 * much at once goes past it.
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
	LINE = 32 << 10, LINES = 512,
	MUCH = 2 * LINE,	/* goes past the cache */
};

struct vo_block_cache {
	uint64_t tag[LINES];	/* number of the line + 1; 0: empty */
	bool dirty[LINES];
	uint8_t bytes[LINES][LINE];
};

int
vo_native_cache(struct vo_native *n, struct err *e)
{
	n->cache = mem_array(1, sizeof(*n->cache), e);
	return n->cache == NULL ? -1 : 0;
}

static uint32_t
line_bytes(const struct vo_native *n, uint64_t number)
{
	return (uint32_t)num_min(LINE, n->size - number * LINE);
}

static int
flush_slot(struct vo_native *n, size_t slot)
{
	uint64_t number;

	if (n->cache->tag[slot] == 0 || !n->cache->dirty[slot])
		return 0;
	number = n->cache->tag[slot] - 1;
	if (vo_worker_write(n->worker, number * LINE, line_bytes(n, number),
			    n->cache->bytes[slot]) < 0)
		return -1;
	n->cache->dirty[slot] = false;
	return 0;
}

int
vo_native_flush(struct vo_native *n)
{
	for (size_t slot = 0; slot < LINES; slot++)
		if (flush_slot(n, slot) < 0)
			return -1;
	return 0;
}

/* The bytes of a line, fetched if need be; NULL and errno. */
static uint8_t *
line(struct vo_native *n, uint64_t number)
{
	size_t slot = (size_t)(number % LINES);

	if (n->cache->tag[slot] == number + 1)
		return n->cache->bytes[slot];
	if (flush_slot(n, slot) < 0)
		return NULL;
	n->cache->tag[slot] = 0;
	if (vo_worker_read(n->worker, number * LINE, line_bytes(n, number),
			   n->cache->bytes[slot]) < 0)
		return NULL;
	n->cache->tag[slot] = number + 1;
	return n->cache->bytes[slot];
}

/* The lines of a range that the cache has: copied to a reader who went past it,
 * or from a writer who did. */
static void
reconcile(struct vo_native *n, uint64_t at, uint8_t *to, const uint8_t *from,
	  uint64_t len)
{
	uint64_t done = 0;

	while (done < len) {
		uint64_t in = (at + done) % LINE;
		uint64_t take = num_min(LINE - in, len - done);
		uint64_t number = (at + done) / LINE;
		size_t slot = (size_t)(number % LINES);
		uint8_t *bytes = n->cache->bytes[slot] + in;

		if (n->cache->tag[slot] == number + 1) {
			if (to != NULL)
				memcpy(to + done, bytes, take);
			else
				memcpy(bytes, from + done, take);
		}
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
		const uint8_t *from;

		if (left >= MUCH) {
			take = num_min(left, VO_AREA_IO);
			if (vo_worker_read(n->worker, at, (uint32_t)take,
					   to) < 0)
				return -1;
			reconcile(n, at, to, NULL, take);
		} else {
			from = line(n, at / LINE);
			if (from == NULL)
				return -1;
			memcpy(to, from + in, take);
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
		uint8_t *to;

		if (left >= MUCH) {
			take = num_min(left, VO_AREA_IO);
			if (vo_worker_write(n->worker, at, (uint32_t)take,
					    from) < 0)
				return -1;
			reconcile(n, at, NULL, from, take);
		} else {
			to = line(n, at / LINE);
			if (to == NULL)
				return -1;
			memcpy(to + in, from, take);
			n->cache->dirty[at / LINE % LINES] = true;
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
