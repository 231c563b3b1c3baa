/* restore.c - see restore.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/restore.h"

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/stop.h"
#include "store/image.h"

enum { PIECE = 1 << 20, BLOCK = 4096, QUEUE = 8 };

struct restore {
	struct st_image *image;
	struct pool *pool;
	int fd;
	const char *name;
	struct progress *progress;
};

struct job {
	const struct restore *r;
	uint64_t at;
	size_t len;
};

static void
drop(void *job)
{
	free(job);
}

static bool
all_zeros(const uint8_t *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* Write what is not zeros, in whole blocks of the file: a chunk that begins with
 * data may end without. */
static int
write_blocks(const struct job *j, const uint8_t *buf, struct err *e)
{
	size_t from = 0, at = 0;

	while (at < j->len) {
		size_t n = (size_t)num_min(BLOCK - (j->at + at) % BLOCK,
					   j->len - at);

		if (!all_zeros(buf + at, n)) {
			at += n;
			if (at < j->len)
				continue;
			n = 0;
		}
		if (at > from && io_write_at(j->r->fd, buf + from, at - from,
					     j->at + from, j->r->name, e) < 0)
			return -1;
		at += n;
		from = at;
	}
	return 0;
}

static int
copy(void *job, struct err *e)
{
	SCOPED_FREE struct job *j = job;
	SCOPED_FREE uint8_t *buf = mem_array(j->len, 1, e);

	if (buf == NULL ||
	    st_image_read(j->r->image, buf, j->len, j->at, e) < 0 ||
	    write_blocks(j, buf, e) < 0)
		return -1;
	progress_add(j->r->progress, j->len);
	return 0;
}

static int
stretch(void *arg, uint64_t at, uint64_t len, bool zero, struct err *e)
{
	struct restore *r = arg;

	if (zero)
		progress_add(r->progress, len);
	while (!zero && len > 0) {
		/* Pieces end where the next begins on a round number, so that
		 * chunks of a grid are whole in one of them. */
		size_t n = (size_t)num_min(PIECE - at % PIECE, len);
		struct job *j = mem_array(1, sizeof(*j), e);

		if (j == NULL)
			return -1;
		*j = (struct job){ .r = r, .at = at, .len = n };
		if (pool_put(r->pool, j, e) < 0 || stop_check(e) < 0)
			return -1;
		at += n;
		len -= n;
		progress_show(r->progress);
	}
	return 0;
}

int
st_restore(struct st_image *i, int fd, const char *name, struct progress *p,
	   struct err *e)
{
	struct restore r = { .image = i, .fd = fd, .name = name, .progress = p };
	POOL_SCOPED struct pool *pool = pool_new(0, QUEUE, copy, drop, e);

	if (pool == NULL)
		return -1;
	r.pool = pool;
	if (st_image_extents(i, 0, st_image_size(i), stretch, &r, e) < 0)
		return -1;
	return pool_wait(pool, e);
}
