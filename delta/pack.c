/* pack.c - units of what differs, packed against the old disk; see make.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/stop.h"
#include "delta/make.h"
#include "delta/patch.h"
#include "disk/disk.h"
#include "store/codec.h"
#include "store/container.h"

enum {
	FRAME = 4 << 20,	/* a frame is closed when it holds as much */
	QUEUE = 4,		/* units that wait for a thread */
	PATCHERS = 2,		/* threads with 100 MB of working memory each */
	PAYS = 3,		/* a patch is kept when it is so much smaller */
};

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

/* What the threads share. */
struct packer {
	struct st_container_new *out;
	int level;
	bool patch;			/* try patches */
	pthread_mutex_t lock;		/* of all below */
	struct st_coder **idle;		/* coders nobody uses; owned */
	size_t idles, idle_cap;
	struct buf frame;		/* the open one */
	uint32_t frames;		/* written so far; nobody else writes any */
	struct progress *progress;
};

/* A unit on its way. */
struct job {
	struct packer *p;
	struct dl_unit *unit;
	struct buf raw, base, packed;
};

static void
packer_done(struct packer *p)
{
	for (size_t i = 0; i < p->idles; i++)
		st_coder_free(&p->idle[i]);
	free(p->idle);
	buf_done(&p->frame);
	(void)pthread_mutex_destroy(&p->lock);
}

static void
job_free(struct job *const *p)
{
	struct job *j = *p;

	if (j == NULL)
		return;
	buf_done(&j->raw);
	buf_done(&j->base);
	buf_done(&j->packed);
	free(j);
}

static void
drop_job(void *arg)
{
	struct job *j = arg;

	job_free(&j);
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

/* A coder for this thread, given back by return_coder(). */
static struct st_coder *
take_coder(struct packer *p, struct err *e)
{
	struct st_coder *c = NULL;

	(void)pthread_mutex_lock(&p->lock);
	if (p->idles > 0)
		c = p->idle[--p->idles];
	(void)pthread_mutex_unlock(&p->lock);
	return c != NULL ? c : st_coder_new(e);
}

static void
return_coder(struct packer *p, struct st_coder *c)
{
	struct err full = ERR_INIT;

	(void)pthread_mutex_lock(&p->lock);
	if (mem_grow(&p->idle, &p->idle_cap, p->idles + 1, sizeof(*p->idle),
		     &full) == 0) {
		p->idle[p->idles++] = c;
		c = NULL;
	}
	(void)pthread_mutex_unlock(&p->lock);
	st_coder_free(&c);
}

/* Drop the base of a unit, which nothing resembles. */
static void
drop_base(struct dl_unit *u)
{
	u->bases = 0;
	u->base_len = 0;
}

/* Pack as a patch, if that pays: *ret. */
static int
patch(struct job *j, struct st_coder *coder, bool *ret, struct err *e)
{
	struct dl_unit *u = j->unit;

	if (dl_patch_make(coder, j->base.at, j->base.len, j->raw.at, j->raw.len,
			  &j->packed, e) < 0)
		return -1;
	*ret = j->packed.len < j->raw.len / PAYS;
	if (!*ret) {
		j->packed.len = 0;
		return 0;
	}
	u->patch = true;
	u->codec = ST_CODEC_NONE;
	u->packed = (uint32_t)j->packed.len;
	cx_hash(u->base_hash, j->base.at, j->base.len);
	return 0;
}

static int
compress(struct job *j, struct st_coder *coder, struct err *e)
{
	struct dl_unit *u = j->unit;
	enum st_codec got, want;
	bool patched = false;

	cx_hash(u->hash, j->raw.at, j->raw.len);
	if (all_zero(&j->base))
		drop_base(u);
	if (j->p->patch && u->bases > 0 && patch(j, coder, &patched, e) < 0)
		return -1;
	if (patched)
		return 0;
	want = u->bases > 0 ? ST_CODEC_ZSTD_BASE : ST_CODEC_ZSTD;
	if (st_coder_pack(coder, want, j->p->level, j->raw.at, j->raw.len,
			  j->base.at, u->bases > 0 ? j->base.len : 0,
			  &j->packed, &got, e) < 0)
		return -1;
	if (got == ST_CODEC_NONE)
		drop_base(u);
	else if (u->bases > 0)
		cx_hash(u->base_hash, j->base.at, j->base.len);
	u->codec = (uint8_t)got;
	u->packed = (uint32_t)j->packed.len;
	return 0;
}

static int
append_locked(struct packer *p, const struct job *j, struct err *e)
{
	j->unit->frame = p->frames;
	j->unit->off = (uint32_t)p->frame.len;
	buf_bytes(&p->frame, j->packed.at, j->packed.len);
	if (buf_ok(&p->frame, e) < 0)
		return -1;
	return p->frame.len >= FRAME ? end_frame(p, e) : 0;
}

/* On any thread. */
static int
run_job(void *arg, struct err *e)
{
	SCOPED(job_free) struct job *j = arg;
	struct packer *p = j->p;
	struct st_coder *coder = take_coder(p, e);
	int r;

	if (coder == NULL)
		return -1;
	r = compress(j, coder, e);
	return_coder(p, coder);
	if (r < 0)
		return -1;
	(void)pthread_mutex_lock(&p->lock);
	r = append_locked(p, j, e);
	(void)pthread_mutex_unlock(&p->lock);
	progress_add(p->progress, j->unit->len);
	return r;
}

/* Disks are read by one thread. */
static int
queue_unit(struct packer *p, struct pool *pool, struct dk *old, struct dk *new,
	   const struct dl_delta *d, struct dl_unit *u, struct err *e)
{
	SCOPED(job_free) struct job *j = mem_array(1, sizeof(*j), e);

	if (j == NULL)
		return -1;
	j->p = p;
	j->unit = u;
	if (gather(new, d->extent + u->target, u->targets, &j->raw, e) < 0 ||
	    gather(old, d->extent + u->base, u->bases, &j->base, e) < 0)
		return -1;
	return pool_put(pool, TAKE(j), e);
}

int
dl_pack(struct dk *old, struct dk *new, struct dl_delta *d,
	enum dl_effort effort, struct st_container_new *out, struct progress *p,
	struct err *e)
{
	static const int levels[] = { [DL_FAST] = 1, [DL_DEFAULT] = 3,
				      [DL_MAX] = 12 };
	SCOPED(packer_done) struct packer k = {
		.out = out, .level = levels[effort], .progress = p,
		.patch = effort == DL_MAX,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	POOL_SCOPED struct pool *pool = pool_new(k.patch ? PATCHERS : 0,
						  k.patch ? 1 : QUEUE, run_job,
						  drop_job, e);

	if (pool == NULL)
		return -1;
	for (size_t i = 0; i < d->units; i++) {
		if (d->unit[i].kind != DL_UNIT_DATA)
			continue;
		if (stop_check(e) < 0 ||
		    queue_unit(&k, pool, old, new, d, &d->unit[i], e) < 0)
			return -1;
		progress_show(p);
	}
	if (pool_wait(pool, e) < 0)
		return -1;
	return end_frame(&k, e);
}
