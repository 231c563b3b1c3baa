/* overlay.c - a writable disk over one that stays as it is
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is written lies at its own address in an unlinked sparse file; a bitmap
 * in pages says which 4 KiB blocks are there.
 */
#include "disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk-private.h"

enum {
	BLOCK = 4096,
	PAGE_BLOCKS = 32768,	/* a page of 4 KiB stands for 128 MiB */
	PIECE = 1 << 20,	/* compared at a time */
};

struct overlay {
	struct dk *under;
	int fd;			/* -1 until the first write */
	uint8_t **pages;	/* NULL: nothing written there */
	size_t page_count;
	dk_commit_fn commit;
	void *arg;
	void (*drop)(void *arg);
};

static const struct dk_ops overlay_ops;

static bool
has_block(const struct overlay *o, uint64_t block)
{
	const uint8_t *page = o->pages[block / PAGE_BLOCKS];
	size_t bit = (size_t)(block % PAGE_BLOCKS);

	return page != NULL && (page[bit / 8] >> bit % 8 & 1) != 0;
}

static int
mark_block(struct overlay *o, uint64_t block, struct err *e)
{
	uint8_t **page = &o->pages[block / PAGE_BLOCKS];
	size_t bit = (size_t)(block % PAGE_BLOCKS);

	if (*page == NULL) {
		*page = mem_array(PAGE_BLOCKS / 8, 1, e);
		if (*page == NULL)
			return -1;
	}
	(*page)[bit / 8] |= (uint8_t)(1U << bit % 8);
	return 0;
}

/* How far, at most len, the blocks from `at` on are all there or all not. */
static uint64_t
alike(const struct overlay *o, uint64_t at, uint64_t len, bool *ret_here)
{
	uint64_t block = at / BLOCK, end = at + len;
	uint64_t next = (block + 1) * BLOCK;

	*ret_here = has_block(o, block);
	while (next < end) {
		block = next / BLOCK;
		if (!*ret_here && block % PAGE_BLOCKS == 0 &&
		    o->pages[block / PAGE_BLOCKS] == NULL) {
			next += (uint64_t)PAGE_BLOCKS * BLOCK;
			continue;
		}
		if (has_block(o, block) != *ret_here)
			break;
		next += BLOCK;
	}
	return num_min(next, end) - at;
}

static int
overlay_read(struct dk *d, void *buf, size_t len, uint64_t at, struct err *e)
{
	struct overlay *o = d->own;
	uint8_t *to = buf;

	while (len > 0) {
		bool here;
		size_t n = (size_t)alike(o, at, len, &here);

		if (here && io_read_at(o->fd, to, n, at, "overlay", e) < 0)
			return -1;
		if (!here && dk_read(o->under, to, n, at, e) < 0)
			return -1;
		to += n;
		at += n;
		len -= n;
	}
	return 0;
}

/* Fetch a block that will be written in part. */
static int
fetch_block(struct dk *d, uint64_t block, struct err *e)
{
	struct overlay *o = d->own;
	uint64_t at = block * BLOCK;
	size_t len = (size_t)num_min(BLOCK, d->size - at);
	uint8_t bytes[BLOCK];

	if (has_block(o, block))
		return 0;
	if (dk_read(o->under, bytes, len, at, e) < 0 ||
	    io_write_at(o->fd, bytes, len, at, "overlay", e) < 0)
		return -1;
	return mark_block(o, block, e);
}

static int
overlay_write(struct dk *d, const void *buf, size_t len, uint64_t at,
	      struct err *e)
{
	struct overlay *o = d->own;
	uint64_t end = at + len;

	if (o->fd < 0) {
		o->fd = io_temp_file(e);
		if (o->fd < 0)
			return -1;
	}
	if (at % BLOCK != 0 && fetch_block(d, at / BLOCK, e) < 0)
		return -1;
	if (end % BLOCK != 0 && end != d->size &&
	    fetch_block(d, end / BLOCK, e) < 0)
		return -1;
	if (io_write_at(o->fd, buf, len, at, "overlay", e) < 0)
		return -1;
	for (uint64_t b = at / BLOCK; b * BLOCK < end; b++)
		if (mark_block(o, b, e) < 0)
			return -1;
	return 0;
}

static int
overlay_extents(struct dk *d, uint64_t at, uint64_t len, dk_extent_fn fn,
		void *arg, struct err *e)
{
	struct overlay *o = d->own;

	while (len > 0) {
		bool here;
		uint64_t n = alike(o, at, len, &here);

		if (here && fn(arg, at, n, 0, e) < 0)
			return -1;
		if (!here && dk_extents(o->under, at, n, fn, arg, e) < 0)
			return -1;
		at += n;
		len -= n;
	}
	return 0;
}

static int
overlay_commit(struct dk *d, const char *what, struct err *e)
{
	struct overlay *o = d->own;

	if (o->commit == NULL)
		return err_set(e, ERR_USAGE, "%s: not open for a commit",
			       d->name);
	return o->commit(d, o->arg, what, e);
}

void
dk_rollback(struct dk *d)
{
	struct overlay *o = d->own;

	for (size_t i = 0; i < o->page_count; i++)
		free(TAKE(o->pages[i]));
	scope_close(&o->fd);
	o->fd = -1;
}

static void
overlay_close(struct dk *d)
{
	struct overlay *o = d->own;

	if (o == NULL)
		return;
	if (o->pages != NULL)
		dk_rollback(d);
	free(o->pages);
	dk_free(&o->under);
	if (o->drop != NULL)
		o->drop(o->arg);
	free(o);
}

static const struct dk_ops overlay_ops = {
	.read = overlay_read,
	.write = overlay_write,
	.extents = overlay_extents,
	.commit = overlay_commit,
	.close = overlay_close,
};

struct dk *
dk_overlay(struct dk *under, dk_commit_fn commit, void *arg, struct err *e)
{
	struct overlay *o = mem_array(1, sizeof(*o), e);
	struct dk *d;

	if (o == NULL) {
		dk_free(&under);
		return NULL;
	}
	*o = (struct overlay){ .under = under, .fd = -1, .commit = commit,
			       .arg = arg };
	o->page_count = (size_t)(under->size / BLOCK / PAGE_BLOCKS + 1);
	o->pages = mem_array(o->page_count, sizeof(*o->pages), e);
	if (o->pages == NULL) {
		dk_free(&under);
		free(o);
		return NULL;
	}
	d = dk_new(&overlay_ops, o, under->name, under->size, under->sector, e);
	if (d != NULL)
		d->writable = true;
	return d;
}

void
dk_overlay_drops(struct dk *overlay, void (*drop)(void *arg))
{
	struct overlay *o = overlay->own;

	o->drop = drop;
}

struct dk *
dk_under(struct dk *d)
{
	const struct overlay *o = d->own;

	return d->ops == &overlay_ops ? o->under : NULL;
}

/* ---- what differs --------------------------------------------------------- */

/* The stretch that is being merged. */
struct stretch {
	uint64_t at, len;
	dk_extent_fn fn;
	void *arg;
};

static int
add_stretch(struct stretch *s, uint64_t at, uint64_t len, struct err *e)
{
	if (s->len > 0 && s->at + s->len == at) {
		s->len += len;
		return 0;
	}
	if (s->len > 0 && s->fn(s->arg, s->at, s->len, 0, e) < 0)
		return -1;
	s->at = at;
	s->len = len;
	return 0;
}

static int
compare(struct dk *d, uint64_t at, size_t len, uint8_t *was, uint8_t *now,
	struct stretch *s, struct err *e)
{
	struct overlay *o = d->own;

	if (dk_read(o->under, was, len, at, e) < 0 ||
	    io_read_at(o->fd, now, len, at, "overlay", e) < 0)
		return -1;
	for (size_t i = 0; i < len; i += 512) {
		size_t n = len - i < 512 ? len - i : 512;

		if (memcmp(was + i, now + i, n) != 0 &&
		    add_stretch(s, at + i, n, e) < 0)
			return -1;
	}
	return 0;
}

int
dk_changes(struct dk *d, dk_extent_fn fn, void *arg, struct err *e)
{
	struct overlay *o = d->own;
	struct stretch s = { .fn = fn, .arg = arg };
	SCOPED_FREE uint8_t *was = mem_array(2, PIECE, e);
	uint64_t at = 0;

	if (was == NULL)
		return -1;
	while (at < d->size && o->fd >= 0) {
		bool here;
		uint64_t n = alike(o, at, d->size - at, &here);

		for (uint64_t done = 0; here && done < n;) {
			size_t piece = (size_t)num_min(PIECE, n - done);

			if (compare(d, at + done, piece, was, was + PIECE, &s,
				    e) < 0)
				return -1;
			done += piece;
		}
		at += n;
	}
	return s.len == 0 ? 0 : fn(arg, s.at, s.len, 0, e);
}
