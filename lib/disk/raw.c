/* raw.c - files and block devices whose bytes are the disk's
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk-private.h"

enum { TRIES = 3 };	/* of a sector that does not read */

struct raw {
	int fd;
	bool device;
};

/* A failed read again, sector by sector: a dying disk often gives a sector at
 * the second try, and the message shall name the one that it does not. */
static int
read_sectors(struct dk *d, uint8_t *to, size_t len, uint64_t at, struct err *e)
{
	const struct raw *r = d->own;

	while (len > 0) {
		size_t n = (size_t)num_min(len, d->sector - at % d->sector);
		ssize_t got = -1;

		for (int i = 0; i < TRIES && got != (ssize_t)n; i++)
			got = pread(r->fd, to, n, (off_t)at);
		if (got < 0)
			return err_sys(e, "%s: sector %" PRIu64 " does not read",
				       d->name, at / d->sector);
		if (got != (ssize_t)n)
			return err_set(e, ERR_CORRUPT,
				       "%s: ends within sector %" PRIu64,
				       d->name, at / d->sector);
		to += n;
		at += n;
		len -= n;
	}
	return 0;
}

static int
raw_read(struct dk *d, void *buf, size_t len, uint64_t at, struct err *e)
{
	const struct raw *r = d->own;
	uint8_t *to = buf;

	while (len > 0) {
		ssize_t got = pread(r->fd, to, len, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return read_sectors(d, to, len, at, e);
		to += got;
		at += (uint64_t)got;
		len -= (size_t)got;
	}
	return 0;
}

static int
raw_write(struct dk *d, const void *buf, size_t len, uint64_t at, struct err *e)
{
	const struct raw *r = d->own;

	return io_write_at(r->fd, buf, len, at, d->name, e);
}

static int
raw_flush(struct dk *d, struct err *e)
{
	const struct raw *r = d->own;

	if (fsync(r->fd) < 0)
		return err_sys(e, "%s: sync", d->name);
	return 0;
}

static int
raw_extents(struct dk *d, uint64_t at, uint64_t len, dk_extent_fn fn, void *arg,
	    struct err *e)
{
	const struct raw *r = d->own;
	uint64_t end = at + len;

	while (at < end) {
		off_t data = lseek(r->fd, (off_t)at, SEEK_DATA);
		uint64_t next;
		off_t hole;

		if (data < 0 && errno != ENXIO)
			return fn(arg, at, end - at, 0, e);
		next = data < 0 ? end : num_min((uint64_t)data, end);
		if (next > at &&
		    fn(arg, at, next - at, DK_ZERO | DK_HOLE, e) < 0)
			return -1;
		at = next;
		if (at == end)
			break;
		hole = lseek(r->fd, (off_t)at, SEEK_HOLE);
		next = hole < 0 ? end : num_min((uint64_t)hole, end);
		if (fn(arg, at, next - at, 0, e) < 0)
			return -1;
		at = next;
	}
	return 0;
}

static void
raw_close(struct dk *d)
{
	struct raw *r = d->own;

	(void)close(r->fd);	/* writes were synced */
	free(r);
}

static const struct dk_ops raw_ops = {
	.read = raw_read, .write = raw_write, .flush = raw_flush,
	.extents = raw_extents, .close = raw_close,
};

/* An image tells its sector size by where its GPT is, if it has one. */
static uint32_t
sector_of_file(int fd)
{
	char magic[8];

	if (pread(fd, magic, 8, 512) == 8 && memcmp(magic, "EFI PART", 8) == 0)
		return 512;
	if (pread(fd, magic, 8, 4096) == 8 && memcmp(magic, "EFI PART", 8) == 0)
		return 4096;
	return 512;
}

static int
measure(const char *path, int fd, bool *ret_device, uint64_t *ret_size,
	uint32_t *ret_sector, struct err *e)
{
	struct stat st;
	int sector = 512;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (S_ISREG(st.st_mode)) {
		*ret_device = false;
		*ret_size = (uint64_t)st.st_size;
		*ret_sector = sector_of_file(fd);
		return 0;
	}
	if (!S_ISBLK(st.st_mode))
		return err_set(e, ERR_USAGE,
			       "%s: neither a file nor a block device", path);
	if (ioctl(fd, BLKGETSIZE64, ret_size) < 0 ||
	    ioctl(fd, BLKSSZGET, &sector) < 0)
		return err_sys(e, "%s: size", path);
	if (sector != 512 && sector != 4096)
		return err_set(e, ERR_UNSUPPORTED, "%s: has sectors of %d bytes",
			       path, sector);
	*ret_device = true;
	*ret_sector = (uint32_t)sector;
	return 0;
}

struct dk *
dk_raw(const char *path, int fd, bool write, struct err *e)
{
	struct raw r = { .fd = fd };
	struct raw *own = mem_array(1, sizeof(*own), e);
	uint64_t size = 0;
	uint32_t sector = 512;
	struct dk *d;

	if (own == NULL ||
	    measure(path, fd, &r.device, &size, &sector, e) < 0) {
		free(own);
		(void)close(fd);
		return NULL;
	}
	*own = r;
	d = dk_new(&raw_ops, own, path, size, sector, e);
	if (d != NULL)
		d->writable = write;
	return d;
}
