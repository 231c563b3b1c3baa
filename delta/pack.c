/* pack.c - units of what differs, packed against the old disk; see make.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/stop.h"
#include "delta/make.h"
#include "disk/disk.h"
#include "store/codec.h"
#include "store/container.h"

enum { FRAME = 4 << 20 };	/* a frame is closed when it holds as much */

/* The bytes of several extents of a disk, one after the other. */
static int
gather(struct dk *disk, const struct dl_extent *x, size_t count,
       struct buf *out, struct err *e)
{
	out->len = 0;
	for (size_t i = 0; i < count; i++) {
		uint8_t *room = buf_room(out, (size_t)x[i].len);

		if (room == NULL)
			return buf_ok(out, e);
		if (dk_read(disk, room, (size_t)x[i].len, x[i].at, e) < 0)
			return -1;
	}
	return 0;
}

static bool
all_zero(const struct buf *b)
{
	return b->len == 0 ||
	       (b->at[0] == 0 && memcmp(b->at, b->at + 1, b->len - 1) == 0);
}

struct packer {
	struct dk *old, *new;
	struct dl_delta *d;
	int level;
	struct st_coder *coder;
	struct st_container_new *out;
	struct buf raw, base, frame;
	uint32_t frames;		/* written so far; nobody else writes any */
};

static void
packer_done(struct packer *p)
{
	st_coder_free(&p->coder);
	buf_done(&p->raw);
	buf_done(&p->base);
	buf_done(&p->frame);
}

static int
end_frame(struct packer *p, struct err *e)
{
	uint32_t number;

	if (p->frame.len == 0)
		return 0;
	if (st_container_put(p->out, p->frame.at, p->frame.len, &number, e) < 0)
		return -1;
	p->frame.len = 0;
	p->frames = number + 1;
	return 0;
}

/* Drop the base of unit u, which nothing resembles. */
static void
drop_base(struct dl_unit *u)
{
	u->bases = 0;
	u->base_len = 0;
}

static int
pack_unit(struct packer *p, struct dl_unit *u, struct err *e)
{
	enum st_codec codec, got;
	size_t off = p->frame.len;

	if (gather(p->new, p->d->extent + u->target, u->targets, &p->raw,
		   e) < 0 ||
	    gather(p->old, p->d->extent + u->base, u->bases, &p->base, e) < 0)
		return -1;
	cx_hash(u->hash, p->raw.at, p->raw.len);
	if (all_zero(&p->base))
		drop_base(u);
	codec = u->bases > 0 ? ST_CODEC_ZSTD_BASE : ST_CODEC_ZSTD;
	if (st_coder_pack(p->coder, codec, p->level, p->raw.at, p->raw.len,
			  p->base.at, u->bases > 0 ? p->base.len : 0,
			  &p->frame, &got, e) < 0)
		return -1;
	if (got == ST_CODEC_NONE)
		drop_base(u);
	else if (u->bases > 0)
		cx_hash(u->base_hash, p->base.at, p->base.len);
	u->codec = (uint8_t)got;
	u->frame = p->frames;
	u->off = (uint32_t)off;
	u->packed = (uint32_t)(p->frame.len - off);
	return p->frame.len >= FRAME ? end_frame(p, e) : 0;
}

int
dl_pack(struct dk *old, struct dk *new, struct dl_delta *d,
	enum dl_effort effort, struct st_container_new *out, struct progress *p,
	struct err *e)
{
	static const int levels[] = { [DL_FAST] = 1, [DL_DEFAULT] = 3,
				      [DL_MAX] = 19 };
	SCOPED(packer_done) struct packer k = {
		.old = old, .new = new, .d = d, .level = levels[effort],
		.out = out,
	};

	k.coder = st_coder_new(e);
	if (k.coder == NULL)
		return -1;
	for (size_t i = 0; i < d->units; i++) {
		if (d->unit[i].kind != DL_UNIT_DATA)
			continue;
		if (stop_check(e) < 0 || pack_unit(&k, &d->unit[i], e) < 0)
			return -1;
		progress_add(p, d->unit[i].len);
		progress_show(p);
	}
	return end_frame(&k, e);
}
