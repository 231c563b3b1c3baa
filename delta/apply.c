/* apply.c - see apply.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/apply.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/stop.h"
#include "crypt/key.h"
#include "delta/files.h"
#include "delta/patch.h"
#include "disk/disk.h"
#include "store/codec.h"

enum { PIECE = 64 << 10 };	/* zeros of this size are left as holes */

struct dl_scratch {
	struct st_coder *coder;
	struct buf base, frame;
	uint32_t number;		/* of the frame; UINT32_MAX: none */
};

void
dl_file_done(struct dl_file *f)
{
	st_container_free(&f->c);
	dl_delta_done(&f->d);
	free(f->name);
	*f = (struct dl_file)DL_FILE_EMPTY;
}

int
dl_file_open(const char *path, const struct cx_key *k,
	     const struct cx_pubs *trusted, const struct cx_pub **ret_by,
	     struct dl_file *ret, struct err *e)
{
	DL_FILE_SCOPED struct dl_file f = DL_FILE_EMPTY;
	const void *manifest;
	size_t len;

	f.name = mem_str(path, e);
	if (f.name == NULL)
		return -1;
	f.c = st_container_open(path, ST_CONTAINER_DELTA, e);
	if (f.c == NULL || st_container_trust(f.c, trusted, ret_by, e) < 0 ||
	    st_container_unlock(f.c, k, e) < 0)
		return -1;
	manifest = st_container_manifest(f.c, &len);
	if (dl_delta_parse(path, manifest, len, st_container_info(f.c).frames,
			   &f.d, e) < 0)
		return -1;
	*ret = TAKE(f);
	return 0;
}

struct dl_scratch *
dl_scratch_new(struct err *e)
{
	DL_SCRATCH_SCOPED struct dl_scratch *s = mem_array(1, sizeof(*s), e);

	if (s == NULL)
		return NULL;
	s->number = UINT32_MAX;
	s->coder = st_coder_new(e);
	return s->coder == NULL ? NULL : TAKE(s);
}

void
dl_scratch_free(struct dl_scratch *const *p)
{
	struct dl_scratch *s = *p;

	if (s == NULL)
		return;
	st_coder_free(&s->coder);
	buf_done(&s->base);
	buf_done(&s->frame);
	free(s);
}

/* The old disk is not the one.  Says which file lies where it first differs, if
 * that can be told. */
static int
wrong_base(const struct dl_file *f, struct dk *old, uint64_t at, struct err *e)
{
	DL_FILES_SCOPED struct dl_files files = DL_FILES_EMPTY;
	SCOPED_FREE char *path = NULL;
	struct err unread = ERR_INIT;
	char quoted[160];

	if (dl_files_read(old, &files, &unread) < 0 ||
	    dl_files_at(&files, at, DL_BLOCK, &path, &unread) < 0)
		path = NULL;
	return err_set(e, ERR_UNSAFE, "%s: is not %s, which %s is for: they "
		       "differ in the MiB at byte %" PRIu64 "%s%s", old->name,
		       f->d.old_name, f->name, at,
		       path == NULL ? "" : ", where a part lies of ",
		       path == NULL ? "" : err_quote(quoted, sizeof(quoted), path,
						    strlen(path)));
}

/* What unit u was packed against. */
static int
read_bases(const struct dl_file *f, const struct dl_unit *u, struct dk *old,
	   struct buf *out, struct err *e)
{
	uint8_t hash[CX_HASH_BYTES];

	out->len = 0;
	for (size_t i = 0; i < u->bases; i++) {
		const struct dl_extent *x = &f->d.extent[u->base + i];
		uint8_t *room = buf_room(out, (size_t)x->len);

		if (room == NULL)
			return buf_ok(out, e);
		if (dk_read(old, room, (size_t)x->len, x->at, e) < 0)
			return -1;
	}
	if (u->bases == 0)
		return 0;
	cx_hash(hash, out->at, out->len);
	if (memcmp(hash, u->base_hash, sizeof(hash)) != 0)
		return wrong_base(f, old, f->d.extent[u->base].at, e);
	return 0;
}

static int
unpack(const struct dl_unit *u, struct dl_scratch *s, uint8_t *out,
       struct err *e)
{
	const uint8_t *packed = s->frame.at + u->off;

	if (u->patch)
		return dl_patch_apply(s->coder, packed, u->packed, s->base.at,
				      s->base.len, out, (size_t)u->len, e);
	return st_coder_unpack(s->coder, u->codec, packed, u->packed, s->base.at,
			       s->base.len, out, (size_t)u->len, e);
}

int
dl_unit_make(const struct dl_file *f, const struct dl_unit *u, struct dk *old,
	     struct dl_scratch *s, struct buf *out, struct err *e)
{
	uint8_t hash[CX_HASH_BYTES], *room;

	if (s->number != u->frame) {
		s->number = UINT32_MAX;
		if (st_container_frame(f->c, u->frame, &s->frame, e) < 0)
			return -1;
		s->number = u->frame;
	}
	if (!num_in_range(u->off, u->packed, s->frame.len))
		return err_set(e, ERR_CORRUPT,
			       "%s: a unit leaves its frame", f->name);
	if (read_bases(f, u, old, &s->base, e) < 0)
		return -1;
	out->len = 0;
	room = buf_room(out, (size_t)u->len);
	if (room == NULL)
		return buf_ok(out, e);
	if (unpack(u, s, room, e) < 0)
		return err_ctx(e, "%s", f->name);
	cx_hash(hash, room, (size_t)u->len);
	if (memcmp(hash, u->hash, sizeof(hash)) != 0)
		return err_set(e, ERR_CORRUPT,
			       "%s: a unit makes other bytes than it says",
			       f->name);
	return 0;
}

uint64_t
dl_apply_work(const struct dl_file *f)
{
	uint64_t sum = f->d.old_size;

	for (size_t i = 0; i < f->d.units; i++)
		sum += f->d.unit[i].len;
	return sum;
}

/* An apply in progress. */
struct work {
	const struct dl_file *f;
	struct dk *old;
	struct io_new *out;		/* NULL: only check */
	struct progress *p;
	struct dl_scratch *scratch;
	struct buf bytes;
};

static void
work_done(struct work *w)
{
	dl_scratch_free(&w->scratch);
	buf_done(&w->bytes);
}

static bool
all_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* Write to the new disk, which holds zeros there, up to its end. */
static int
put(struct work *w, const uint8_t *p, size_t len, uint64_t at, struct err *e)
{
	if (w->out == NULL || at >= w->f->d.new_size)
		return 0;
	len = (size_t)num_min(len, w->f->d.new_size - at);
	for (size_t off = 0; off < len; off += PIECE) {
		size_t n = (size_t)num_min(PIECE, len - off);

		if (!all_zero(p + off, n) &&
		    io_new_write_at(w->out, p + off, n, at + off, e) < 0)
			return -1;
	}
	return 0;
}

/* Check block b of the old disk, and keep it. */
static int
keep_block(struct work *w, uint64_t b, const struct dl_run *r, uint64_t i,
	   struct err *e)
{
	uint64_t at = b * DL_BLOCK;
	size_t len = (size_t)num_min(DL_BLOCK, w->old->size - at);
	uint8_t hash[CX_HASH_BYTES], *room;

	w->bytes.len = 0;
	room = buf_room(&w->bytes, len);
	if (room == NULL)
		return buf_ok(&w->bytes, e);
	if (dk_read(w->old, room, len, at, e) < 0)
		return -1;
	if (r->kind == DL_RUN_ZERO)
		return all_zero(room, len) ? 0 : wrong_base(w->f, w->old, at, e);
	cx_hash(hash, room, len);
	if (memcmp(hash, w->f->d.hash[r->hash + i], sizeof(hash)) != 0)
		return wrong_base(w->f, w->old, at, e);
	return put(w, room, len, at, e);
}

static int
note_data(void *arg, uint64_t at, uint64_t len, unsigned kind, struct err *e)
{
	bool *data = arg;

	(void)at;
	(void)len;
	(void)e;
	*data = *data || (kind & DK_ZERO) == 0;
	return 0;
}

/* Does the disk itself say that a run of blocks is zeros?  1 yes, 0 no. */
static int
run_is_hole(struct work *w, uint64_t b, const struct dl_run *r, struct err *e)
{
	uint64_t at = b * DL_BLOCK;
	bool data = false;

	if (r->kind != DL_RUN_ZERO)
		return 0;
	if (dk_extents(w->old, at, num_min(r->count * DL_BLOCK,
					   w->old->size - at),
		       note_data, &data, e) < 0)
		return -1;
	return !data;
}

static int
keep_all(struct work *w, struct err *e)
{
	const struct dl_delta *d = &w->f->d;
	uint64_t b = 0;

	for (size_t i = 0; i < d->runs; i++) {
		const struct dl_run *r = &d->run[i];
		int hole = run_is_hole(w, b, r, e);

		if (hole < 0)
			return -1;
		for (uint64_t j = 0; j < r->count; j++, b++) {
			if (stop_check(e) < 0 ||
			    (r->kind != DL_RUN_UNUSED && hole == 0 &&
			     keep_block(w, b, r, j, e) < 0))
				return -1;
			progress_add(w->p, num_min(DL_BLOCK, d->old_size -
							     b * DL_BLOCK));
			progress_show(w->p);
		}
	}
	return 0;
}

/* Make [at, at + len) of the new disk zeros. */
static int
put_zeros(struct work *w, uint64_t at, uint64_t len, struct err *e)
{
	if (fallocate(w->out->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)at, (off_t)len) == 0)
		return 0;
	/* A file system without holes. */
	w->bytes.len = 0;
	buf_zeros(&w->bytes, PIECE);
	if (buf_ok(&w->bytes, e) < 0)
		return -1;
	while (len > 0) {
		size_t n = (size_t)num_min(PIECE, len);

		if (io_new_write_at(w->out, w->bytes.at, n, at, e) < 0)
			return -1;
		at += n;
		len -= n;
	}
	return 0;
}

static int
put_unit(struct work *w, const struct dl_unit *u, struct err *e)
{
	const struct dl_extent *x = w->f->d.extent + u->target;
	uint64_t off = 0;

	if (u->kind == DL_UNIT_ZERO) {
		for (size_t i = 0; i < u->targets; i++)
			if (put_zeros(w, x[i].at, x[i].len, e) < 0)
				return -1;
		return 0;
	}
	if (dl_unit_make(w->f, u, w->old, w->scratch, &w->bytes, e) < 0)
		return -1;
	for (size_t i = 0; i < u->targets; i++) {
		if (io_new_write_at(w->out, w->bytes.at + off, (size_t)x[i].len,
				    x[i].at, e) < 0)
			return -1;
		off += x[i].len;
	}
	return 0;
}

static int
check_size(const struct dl_file *f, const struct dk *old, struct err *e)
{
	if (old->size != f->d.old_size)
		return err_set(e, ERR_UNSAFE, "%s: is not %s, which %s is for: "
			       "it has %" PRIu64 " bytes, not %" PRIu64,
			       old->name, f->d.old_name, f->name, old->size,
			       f->d.old_size);
	return 0;
}

int
dl_apply(const struct dl_file *f, struct dk *old, struct io_new *out,
	 struct progress *p, struct err *e)
{
	SCOPED(work_done) struct work w = { .f = f, .old = old, .out = out,
					    .p = p };

	if (check_size(f, old, e) < 0)
		return -1;
	w.scratch = dl_scratch_new(e);
	if (w.scratch == NULL)
		return -1;
	if (ftruncate(out->fd, (off_t)f->d.new_size) < 0)
		return err_sys(e, "%s", out->name);
	if (keep_all(&w, e) < 0)
		return -1;
	for (size_t i = 0; i < f->d.units; i++) {
		if (stop_check(e) < 0 || put_unit(&w, &f->d.unit[i], e) < 0)
			return -1;
		progress_add(p, f->d.unit[i].len);
		progress_show(p);
	}
	return 0;
}

/* Write zeros to a disk that collects what is written. */
static int
write_zeros(struct work *w, struct dk *d, uint64_t at, uint64_t len,
	    struct err *e)
{
	w->bytes.len = 0;
	buf_zeros(&w->bytes, DL_BLOCK);
	if (buf_ok(&w->bytes, e) < 0)
		return -1;
	while (len > 0) {
		size_t n = (size_t)num_min(DL_BLOCK, len);

		if (dk_write(d, w->bytes.at, n, at, e) < 0)
			return -1;
		at += n;
		len -= n;
	}
	return 0;
}

static int
write_unit(struct work *w, const struct dl_unit *u, struct dk *d,
	   struct err *e)
{
	const struct dl_extent *x = w->f->d.extent + u->target;
	uint64_t off = 0;

	if (u->kind == DL_UNIT_DATA &&
	    dl_unit_make(w->f, u, w->old, w->scratch, &w->bytes, e) < 0)
		return -1;
	for (size_t i = 0; i < u->targets; i++) {
		if (u->kind == DL_UNIT_ZERO ?
		    write_zeros(w, d, x[i].at, x[i].len, e) < 0 :
		    dk_write(d, w->bytes.at + off, (size_t)x[i].len, x[i].at,
			     e) < 0)
			return -1;
		off += x[i].len;
	}
	return 0;
}

/* Do the targets of all units hold what they make?  1 yes, 0 no. */
static int
is_new_already(struct work *w, struct err *e)
{
	const struct dl_delta *d = &w->f->d;

	for (size_t i = 0; i < d->units; i++) {
		const struct dl_unit *u = &d->unit[i];
		const struct dl_extent *x = d->extent + u->target;
		uint8_t hash[CX_HASH_BYTES];
		struct cx_hasher h;

		if (u->kind == DL_UNIT_ZERO)
			continue;
		cx_hash_begin(&h);
		for (size_t k = 0; k < u->targets; k++) {
			uint8_t *room;

			w->bytes.len = 0;
			room = buf_room(&w->bytes, (size_t)x[k].len);
			if (room == NULL)
				return buf_ok(&w->bytes, e);
			if (dk_read(w->old, room, (size_t)x[k].len, x[k].at,
				    e) < 0)
				return -1;
			cx_hash_add(&h, room, (size_t)x[k].len);
		}
		cx_hash_end(&h, hash);
		if (memcmp(hash, u->hash, sizeof(hash)) != 0)
			return 0;
	}
	return d->units > 0;
}

int
dl_apply_in_place(const struct dl_file *f, struct dk *d, struct progress *p,
		  bool *ret_already, struct err *e)
{
	SCOPED(work_done) struct work w = { .f = f, .old = dk_under(d), .p = p };
	struct err wrong = ERR_INIT;

	if (f->d.new_size != f->d.old_size)
		return err_set(e, ERR_UNSUPPORTED, "%s: changes the size of the "
			       "disk; apply it with --base %s -o OUT", f->name,
			       d->name);
	if (check_size(f, w.old, e) < 0)
		return -1;
	w.scratch = dl_scratch_new(e);
	if (w.scratch == NULL)
		return -1;
	*ret_already = false;
	if (keep_all(&w, &wrong) < 0) {
		int r = wrong.kind == ERR_UNSAFE ? is_new_already(&w, e) : 0;

		if (r == 0)
			*e = wrong;
		*ret_already = r == 1;
		return r == 1 ? 0 : -1;
	}
	for (size_t i = 0; i < f->d.units; i++) {
		if (stop_check(e) < 0 || write_unit(&w, &f->d.unit[i], d, e) < 0)
			return -1;
		progress_add(p, f->d.unit[i].len);
		progress_show(p);
	}
	return 0;
}
