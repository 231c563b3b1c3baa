/* disk.c - see disk.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "disk/disk.h"

#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

struct dk *
dk_new(const struct dk_ops *ops, void *own, const char *name, uint64_t size,
       uint32_t sector, struct err *e)
{
	struct dk closer = { .ops = ops, .own = own };
	struct dk *d = mem_array(1, sizeof(*d), e);

	if (d != NULL) {
		*d = (struct dk){ .ops = ops, .own = own, .size = size,
				  .sector = sector };
		d->name = mem_str(name, e);
		if (d->name != NULL)
			return d;
	}
	if (ops->close != NULL)
		ops->close(&closer);
	free(d);
	return NULL;
}

void
dk_free(struct dk *const *d)
{
	if (*d == NULL)
		return;
	if ((*d)->ops->close != NULL)
		(*d)->ops->close(*d);
	free((*d)->name);
	free(*d);
}

static int
in_disk(const struct dk *d, size_t len, uint64_t at, struct err *e)
{
	if (num_in_range(at, len, d->size))
		return 0;
	return err_set(e, ERR_CORRUPT,
		       "%s: %zu bytes at %" PRIu64 " lie outside its %" PRIu64
		       " bytes", d->name, len, at, d->size);
}

int
dk_read(struct dk *d, void *buf, size_t len, uint64_t at, struct err *e)
{
	if (in_disk(d, len, at, e) < 0)
		return -1;
	return len == 0 ? 0 : d->ops->read(d, buf, len, at, e);
}

int
dk_write(struct dk *d, const void *buf, size_t len, uint64_t at, struct err *e)
{
	if (in_disk(d, len, at, e) < 0)
		return -1;
	if (!d->writable || d->ops->write == NULL)
		return err_set(e, ERR_USAGE, "%s: open for reading only",
			       d->name);
	return len == 0 ? 0 : d->ops->write(d, buf, len, at, e);
}

int
dk_flush(struct dk *d, struct err *e)
{
	return d->ops->flush == NULL ? 0 : d->ops->flush(d, e);
}

int
dk_extents(struct dk *d, uint64_t at, uint64_t len, dk_extent_fn fn, void *arg,
	   struct err *e)
{
	if (!num_in_range(at, len, d->size))
		return err_set(e, ERR_CORRUPT, "%s: extents asked for outside "
			       "the disk", d->name);
	if (len == 0)
		return 0;
	if (d->ops->extents == NULL)
		return fn(arg, at, len, 0, e);
	return d->ops->extents(d, at, len, fn, arg, e);
}

int
dk_commit(struct dk *d, const char *what, struct err *e)
{
	if (!d->writable || d->ops->commit == NULL)
		return err_set(e, ERR_USAGE, "%s: not open for a commit",
			       d->name);
	return d->ops->commit(d, what, e);
}

/* ---- bytes in memory ------------------------------------------------------ */

static int
bytes_read(struct dk *d, void *buf, size_t len, uint64_t at, struct err *e)
{
	const uint8_t *bytes = d->own;

	(void)e;
	memcpy(buf, bytes + at, len);
	return 0;
}

static const struct dk_ops bytes_ops = { .read = bytes_read };

struct dk *
dk_over_bytes(const char *name, const void *bytes, size_t len, struct err *e)
{
	void *own;

	/* own is not const, but this disk has no write. */
	memcpy(&own, &bytes, sizeof(own));
	return dk_new(&bytes_ops, own, name, len, 512, e);
}
