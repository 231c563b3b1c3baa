/* stream.c - the contents of a bundle in the frames of its container
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each frame is one byte that names the codec, then the frame's part of the
 * stream, packed.
 */
#include "profmig/bundle.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/codec.h"
#include "store/container.h"

enum { LEVEL = 3, SLOTS_LEAST = 1024 };

struct pm_writer {
	struct st_container_new *out;
	struct st_coder *coder;
	uint64_t total;		/* bytes of the stream so far */
	struct buf frame;	/* what waits to be a frame */
	struct hash hash;	/* of the content at hand */
	uint64_t began;		/* where it begins */
	size_t slots;		/* power of two, or 0 */
	uint32_t *slot;		/* content + 1 by hash */
};

void
pm_writer_free(struct pm_writer *const *wp)
{
	struct pm_writer *w = *wp;

	if (w == NULL)
		return;
	st_container_new_free(&w->out);
	st_coder_free(&w->coder);
	buf_done(&w->frame);
	free(w->slot);
	free(w);
}

struct pm_writer *
pm_writer_new(const char *path, struct err *e)
{
	PM_WRITER_SCOPED struct pm_writer *w = mem_array(1, sizeof(*w), e);

	if (w == NULL)
		return NULL;
	w->coder = st_coder_new(e);
	if (w->coder == NULL)
		return NULL;
	w->out = st_container_begin(path, ST_CONTAINER_BUNDLE, e);
	return w->out == NULL ? NULL : TAKE(w);
}

static int
put_frame(struct pm_writer *w, struct err *e)
{
	BUF_SCOPED struct buf packed = BUF_EMPTY;
	enum st_codec codec;
	uint32_t number;

	if (w->frame.len == 0)
		return 0;
	buf_u8(&packed, 0);
	if (st_coder_pack(w->coder, ST_CODEC_ZSTD, LEVEL, w->frame.at,
			  w->frame.len, NULL, 0, &packed, &codec, e) < 0 ||
	    buf_ok(&packed, e) < 0)
		return -1;
	packed.at[0] = (uint8_t)codec;
	w->frame.len = 0;
	return st_container_put(w->out, packed.at, packed.len, &number, e);
}

int
pm_writer_begin(struct pm_writer *w, struct err *e)
{
	(void)e;
	hash_begin(&w->hash);
	w->began = w->total;
	return 0;
}

int
pm_writer_bytes(struct pm_writer *w, const void *at, size_t len,
		struct err *e)
{
	const uint8_t *p = at;

	hash_add(&w->hash, at, len);
	while (len > 0) {
		size_t n = (size_t)num_min(len, PM_FRAME - w->frame.len);

		buf_bytes(&w->frame, p, n);
		if (buf_ok(&w->frame, e) < 0)
			return -1;
		p += n;
		len -= n;
		w->total += n;
		if (w->frame.len == PM_FRAME && put_frame(w, e) < 0)
			return -1;
	}
	return 0;
}

static size_t
slot_of(const struct pm_writer *w, const uint8_t hash[32])
{
	size_t h = 0;

	for (size_t i = 0; i < sizeof(h); i++)
		h = h << 8 | hash[i];
	return h & (w->slots - 1);
}

static void
fill_slot(struct pm_writer *w, const struct pm_bundle *b, size_t content)
{
	size_t s = slot_of(w, b->content[content].hash);

	while (w->slot[s] != 0)
		s = (s + 1) & (w->slots - 1);
	w->slot[s] = (uint32_t)content + 1;
}

/* Room in the table for one more: it is never more than half full. */
static int
grow_slots(struct pm_writer *w, const struct pm_bundle *b, struct err *e)
{
	size_t slots = w->slots == 0 ? SLOTS_LEAST : w->slots * 2;
	uint32_t *had = w->slot;

	if (b->contents < w->slots / 2)
		return 0;
	w->slot = mem_array(slots, sizeof(*w->slot), e);
	if (w->slot == NULL) {
		w->slot = had;
		return -1;
	}
	free(had);
	w->slots = slots;
	for (size_t i = 0; i < b->contents; i++)
		fill_slot(w, b, i);
	return 0;
}

/* The same bytes are there already: take the last ones back if they have not
 * become a frame yet. */
static void
take_back(struct pm_writer *w)
{
	uint64_t n = w->total - w->began;

	if (n <= w->frame.len) {
		w->frame.len -= (size_t)n;
		w->total = w->began;
	}
}

int
pm_writer_end(struct pm_writer *w, struct pm_bundle *b, int64_t *ret,
	      struct err *e)
{
	struct pm_content_at c = { .at = w->began,
				   .size = w->total - w->began };

	hash_end(&w->hash, c.hash);
	if (grow_slots(w, b, e) < 0)
		return -1;
	for (size_t s = slot_of(w, c.hash); w->slot[s] != 0;
	     s = (s + 1) & (w->slots - 1)) {
		const struct pm_content_at *had =
			&b->content[w->slot[s] - 1];

		if (had->size == c.size && memcmp(had->hash, c.hash, 32) == 0) {
			take_back(w);
			*ret = w->slot[s] - 1;
			return 0;
		}
	}
	if (mem_grow(&b->content, &b->content_cap, b->contents + 1,
		     sizeof(*b->content), e) < 0)
		return -1;
	b->content[b->contents++] = c;
	fill_slot(w, b, b->contents - 1);
	*ret = (int64_t)b->contents - 1;
	return 0;
}

int
pm_writer_commit(struct pm_writer *w, const struct pm_bundle *b,
		 const struct cx_pubs *to, const struct cx_key *signer,
		 struct err *e)
{
	BUF_SCOPED struct buf manifest = BUF_EMPTY;

	if (put_frame(w, e) < 0)
		return -1;
	/* The stream's length comes first: it bounds every offset. */
	buf_u64le(&manifest, w->total);
	pm_bundle_put(b, &manifest);
	if (buf_ok(&manifest, e) < 0)
		return -1;
	return st_container_commit(w->out, manifest.at, manifest.len, to,
				   signer, e);
}

struct pm_reader {
	struct st_container *in;
	struct st_coder *coder;
	uint64_t total;
	struct buf packed;
	uint8_t *frame;		/* owned; the frame at hand, unpacked */
	size_t frame_len;
	uint32_t number;
	bool has_frame;
};

void
pm_reader_free(struct pm_reader *const *rp)
{
	struct pm_reader *r = *rp;

	if (r == NULL)
		return;
	st_container_free(&r->in);
	st_coder_free(&r->coder);
	buf_done(&r->packed);
	free(r->frame);
	free(r);
}

static int
read_catalogue(struct pm_reader *r, const char *path, struct pm_bundle *ret,
	       struct err *e)
{
	size_t len;
	const uint8_t *at = st_container_manifest(r->in, &len);
	struct st_container_info info = st_container_info(r->in);
	uint64_t frames;

	if (len < 8)
		return err_set(e, ERR_CORRUPT, "%s: an empty catalogue", path);
	for (int i = 7; i >= 0; i--)
		r->total = r->total << 8 | at[i];
	frames = r->total / PM_FRAME + (r->total % PM_FRAME != 0);
	if (frames != info.frames)
		return err_set(e, ERR_CORRUPT, "%s: another number of frames "
			       "than it says", path);
	if (pm_bundle_parse(at + 8, len - 8, r->total, ret, e) < 0)
		return err_ctx(e, "%s", path);
	return 0;
}

struct pm_reader *
pm_reader_open(const char *path, const struct cx_key *key,
	       const struct cx_pubs *trusted, struct pm_bundle *ret,
	       const struct cx_pub **ret_by, struct err *e)
{
	PM_READER_SCOPED struct pm_reader *r = mem_array(1, sizeof(*r), e);

	if (r == NULL)
		return NULL;
	r->frame = mem_array(PM_FRAME, 1, e);
	r->coder = r->frame == NULL ? NULL : st_coder_new(e);
	if (r->coder == NULL)
		return NULL;
	r->in = st_container_open(path, ST_CONTAINER_BUNDLE, e);
	if (r->in == NULL ||
	    st_container_trust(r->in, trusted, ret_by, e) < 0 ||
	    st_container_unlock(r->in, key, e) < 0 ||
	    read_catalogue(r, path, ret, e) < 0)
		return NULL;
	return TAKE(r);
}

static int
load_frame(struct pm_reader *r, uint32_t number, struct err *e)
{
	uint64_t left = r->total - (uint64_t)number * PM_FRAME;
	size_t len = (size_t)num_min(left, PM_FRAME);

	if (r->has_frame && r->number == number)
		return 0;
	r->has_frame = false;
	if (st_container_frame(r->in, number, &r->packed, e) < 0)
		return -1;
	if (r->packed.len < 1)
		return err_set(e, ERR_CORRUPT, "frame %u: is empty", number);
	if (st_coder_unpack(r->coder, r->packed.at[0], r->packed.at + 1,
			    r->packed.len - 1, NULL, 0, r->frame, len, e) < 0)
		return err_ctx(e, "frame %u", number);
	r->frame_len = len;
	r->number = number;
	r->has_frame = true;
	return 0;
}

int
pm_reader_content(struct pm_reader *r, const struct pm_content_at *c,
		  pm_piece_fn fn, void *arg, struct err *e)
{
	uint64_t at = c->at, left = c->size;
	struct hash h;
	uint8_t sum[32];

	hash_begin(&h);
	while (left > 0) {
		size_t off = (size_t)(at % PM_FRAME);
		size_t n = (size_t)num_min(left, PM_FRAME - off);

		if (load_frame(r, (uint32_t)(at / PM_FRAME), e) < 0)
			return -1;
		hash_add(&h, r->frame + off, n);
		if (fn(arg, r->frame + off, n, e) < 0)
			return -1;
		at += n;
		left -= n;
	}
	hash_end(&h, sum);
	if (memcmp(sum, c->hash, sizeof(sum)) != 0)
		return err_set(e, ERR_CORRUPT, "bundle: a content is not what "
			       "the catalogue says");
	return 0;
}

static int
append(void *arg, const void *at, size_t len, struct err *e)
{
	buf_bytes(arg, at, len);
	return buf_ok(arg, e);
}

int
pm_reader_slurp(struct pm_reader *r, const struct pm_content_at *c, size_t max,
		struct buf *out, struct err *e)
{
	if (c->size > max)
		return err_set(e, ERR_UNSUPPORTED, "bundle: a content of %llu "
			       "bytes is too large",
			       (unsigned long long)c->size);
	return pm_reader_content(r, c, append, out, e);
}
