/* container.c - reading a container; see container.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/container.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/stop.h"
#include "crypt/record.h"
#include "crypt/sign.h"
#include "store/container-private.h"

enum { VERSION = 1 };

#define SIGNED 1u		/* flag */

static const char magic[8] = "HALCONT\n";

const char st_container_purpose[] = "halcyon container";
const char st_container_frame_key[] = "halcyon frame";
const char st_container_manifest_key[] = "halcyon manifest";

struct frame {
	uint64_t at;		/* in the file */
	uint32_t len;
	uint8_t hash[CX_HASH_BYTES];
};

struct st_container {
	char *name;
	int fd;
	struct st_container_header h;
	uint32_t recipients;
	uint64_t size;			/* of the file */
	uint8_t *stanzas;
	struct frame *frame;		/* h.frames of them */
	uint8_t *sealed;		/* the manifest's record */
	uint8_t bound[CX_HASH_BYTES];	/* hash of header and table */
	struct cx_secret frame_key;	/* empty while locked */
	uint8_t *manifest;
	size_t manifest_len;
};

void
st_container_put_header(struct buf *out, const struct st_container_header *h)
{
	buf_bytes(out, magic, sizeof(magic));
	buf_u16le(out, VERSION);
	buf_u16le(out, 0);
	buf_u32le(out, h->kind);
	buf_bytes(out, h->id, sizeof(h->id));
	buf_bytes(out, h->commit, sizeof(h->commit));
	buf_u64le(out, h->frames);
	buf_u64le(out, h->frame_bytes);
	buf_u64le(out, h->manifest_bytes);
	buf_u32le(out, h->is_signed ? SIGNED : 0);
	buf_zeros(out, 4);
	buf_bytes(out, h->signer, sizeof(h->signer));
}

/* The rules that tie fields to each other. */
static void
check_header(struct cur *c, const struct st_container_header *h)
{
	static const uint8_t nobody[32];

	if (h->frames > ST_FRAMES_MAX)
		cur_bad(c, "says it has too many frames");
	if (h->manifest_bytes < cx_record_size(0) ||
	    h->manifest_bytes > cx_record_size(ST_MANIFEST_MAX))
		cur_bad(c, "says an impossible size of its manifest");
	if (!h->is_signed && memcmp(h->signer, nobody, sizeof(nobody)) != 0)
		cur_bad(c, "names a signer but no signature");
}

int
st_container_parse_header(const char *name, const void *in, size_t len,
			  struct st_container_header *ret, struct err *e)
{
	struct cur c = cur_over(name, in, len);
	struct st_container_header h = { .kind = 0 };

	cur_magic(&c, magic, sizeof(magic));
	if (!cur_ok(&c))
		return err_set(e, ERR_CORRUPT,
			       "%s: is no delta or bundle of this program",
			       name);

	uint16_t version = cur_u16le(&c);
	uint16_t features = cur_u16le(&c);
	h.kind = cur_u32le(&c);
	cur_bytes(&c, h.id, sizeof(h.id));
	cur_bytes(&c, h.commit, sizeof(h.commit));
	h.frames = cur_u64le(&c);
	h.frame_bytes = cur_u64le(&c);
	h.manifest_bytes = cur_u64le(&c);
	uint32_t flags = cur_u32le(&c);
	cur_zeros(&c, 4);
	cur_bytes(&c, h.signer, sizeof(h.signer));
	h.is_signed = (flags & SIGNED) != 0;
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (version != VERSION || features != 0 || (flags & ~SIGNED) != 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: needs a newer version of this program",
			       name);
	check_header(&c, &h);
	if (cur_end(&c, e) < 0)
		return -1;
	*ret = h;
	return 0;
}

void
st_container_frame_ad(const uint8_t id[ST_CONTAINER_ID], uint64_t number,
		      uint8_t ret[ST_FRAME_AD])
{
	memcpy(ret, id, ST_CONTAINER_ID);
	num_put_u64le(ret + ST_CONTAINER_ID, number);
}

void
st_container_free(struct st_container *const *p)
{
	struct st_container *c = *p;

	if (c == NULL)
		return;
	scope_close(&c->fd);
	cx_secret_done(&c->frame_key);
	if (c->manifest != NULL)
		cx_wipe(c->manifest, c->manifest_len);
	free(c->manifest);
	free(c->sealed);
	free(c->frame);
	free(c->stanzas);
	free(c->name);
	free(c);
}

/* The next len bytes of the file at *at, in memory that the caller frees. */
static uint8_t *
take(struct st_container *c, uint64_t *at, uint64_t len, struct err *e)
{
	SCOPED_FREE uint8_t *p = NULL;

	if (!num_in_range(*at, len, c->size)) {
		(void)err_set(e, ERR_CORRUPT, "%s: is cut off", c->name);
		return NULL;
	}
	p = mem_array((size_t)len, 1, e);
	if (p == NULL || io_read_at(c->fd, p, (size_t)len, *at, c->name, e) < 0)
		return NULL;
	*at += len;
	return TAKE(p);
}

static int
read_stanzas(struct st_container *c, uint64_t *at, struct err *e)
{
	SCOPED_FREE uint8_t *head = take(c, at, 8, e);

	if (head == NULL)
		return -1;

	struct cur cur = cur_over(c->name, head, 8);

	c->recipients = cur_u32le(&cur);
	cur_zeros(&cur, 4);
	if (c->recipients == 0 || c->recipients > CX_PUBS_MAX)
		cur_bad(&cur, "has an impossible number of recipients");
	if (cur_end(&cur, e) < 0)
		return -1;
	c->stanzas = take(c, at, (uint64_t)c->recipients * CX_STANZA_BYTES, e);
	return c->stanzas == NULL ? -1 : 0;
}

/* Lengths and hashes; where frames lie is filled in by place_frames(). */
static int
parse_table(struct st_container *c, const uint8_t *table, size_t len,
	    struct err *e)
{
	struct cur cur = cur_over(c->name, table, len);
	uint64_t total = 0;

	c->frame = mem_array((size_t)c->h.frames, sizeof(*c->frame), e);
	if (c->frame == NULL)
		return -1;
	for (size_t i = 0; i < c->h.frames; i++) {
		struct frame *f = &c->frame[i];

		f->len = cur_u32le(&cur);
		cur_bytes(&cur, f->hash, sizeof(f->hash));
		if (f->len < cx_record_size(1) ||
		    f->len > cx_record_size(ST_FRAME_MAX))
			cur_bad(&cur, "has a frame of an impossible size");
		total += f->len;
	}
	if (total != c->h.frame_bytes)
		cur_bad(&cur, "has frames of another size than it says");
	return cur_end(&cur, e);
}

static int
place_frames(struct st_container *c, uint64_t at, struct err *e)
{
	if (c->h.frame_bytes != c->size - at)
		return err_set(e, ERR_CORRUPT, "%s: %s", c->name,
			       c->h.frame_bytes > c->size - at ?
			       "is cut off" : "has trailing bytes");
	for (size_t i = 0; i < c->h.frames; i++) {
		c->frame[i].at = at;
		at += c->frame[i].len;
	}
	return 0;
}

/* Everything before the frames, in the order of the file. */
static int
read_front(struct st_container *c, enum st_container_kind kind, struct err *e)
{
	static const uint8_t no_sig[CX_SIG_BYTES];
	uint64_t at = 0;
	SCOPED_FREE uint8_t *head = take(c, &at, ST_CONTAINER_HEADER, e);
	SCOPED_FREE uint8_t *table = NULL;
	SCOPED_FREE uint8_t *sig = NULL;
	uint8_t signed_hash[CX_HASH_BYTES];
	struct cx_hasher h, whole;
	size_t len;

	if (head == NULL ||
	    st_container_parse_header(c->name, head, ST_CONTAINER_HEADER, &c->h,
				      e) < 0)
		return -1;
	if (kind != ST_CONTAINER_ANY && c->h.kind != (uint32_t)kind)
		return err_set(e, ERR_CORRUPT, "%s: is no %s", c->name,
			       kind == ST_CONTAINER_DELTA ? "delta" :
			       "profile bundle");
	len = (size_t)c->h.frames * ST_TABLE_ENTRY;
	if (read_stanzas(c, &at, e) < 0)
		return -1;
	table = take(c, &at, len, e);
	if (table == NULL || parse_table(c, table, len, e) < 0)
		return -1;
	c->sealed = take(c, &at, c->h.manifest_bytes, e);
	if (c->sealed == NULL)
		return -1;
	sig = take(c, &at, CX_SIG_BYTES, e);
	if (sig == NULL || place_frames(c, at, e) < 0)
		return -1;

	cx_hash_begin(&h);
	cx_hash_add(&h, head, ST_CONTAINER_HEADER);
	cx_hash_add(&h, table, len);
	whole = h;
	cx_hash_end(&h, c->bound);
	cx_hash_add(&whole, c->sealed, (size_t)c->h.manifest_bytes);
	cx_hash_end(&whole, signed_hash);
	if (!c->h.is_signed)
		return memcmp(sig, no_sig, sizeof(no_sig)) == 0 ? 0 :
			err_set(e, ERR_CORRUPT, "%s: has a signature by nobody",
				c->name);
	return cx_verify(c->h.signer, st_container_purpose, signed_hash, sig,
			 c->name, e);
}

struct st_container *
st_container_open(const char *path, enum st_container_kind kind, struct err *e)
{
	ST_CONTAINER_SCOPED struct st_container *c =
		mem_array(1, sizeof(*c), e);
	struct stat st;

	if (c == NULL)
		return NULL;
	c->fd = -1;
	c->name = mem_str(path, e);
	if (c->name == NULL)
		return NULL;
	c->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (c->fd < 0 || fstat(c->fd, &st) < 0) {
		(void)err_sys(e, "%s", path);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)err_set(e, ERR_USAGE, "%s: is no file", path);
		return NULL;
	}
	c->size = (uint64_t)st.st_size;
	if (read_front(c, kind, e) < 0)
		return NULL;
	return TAKE(c);
}

int
st_container_trust(const struct st_container *c, const struct cx_pubs *trusted,
		   const struct cx_pub **ret, struct err *e)
{
	const struct cx_pub *by;

	if (!c->h.is_signed) {
		if (trusted->count > 0)
			return err_set(e, ERR_AUTH, "%s: is not signed",
				       c->name);
		*ret = NULL;
		return 0;
	}
	by = cx_pubs_signer(trusted, c->h.signer);
	if (by == NULL)
		return err_set(e, ERR_AUTH, "%s: is signed by a key that is "
			       "not trusted; if it should be, add --by PUB",
			       c->name);
	*ret = by;
	return 0;
}

int
st_container_unlock(struct st_container *c, const struct cx_key *k,
		    struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;
	CX_SECRET_SCOPED struct cx_secret manifest_key = CX_SECRET_EMPTY;
	CX_SECRET_SCOPED struct cx_secret frame_key = CX_SECRET_EMPTY;
	SCOPED_FREE uint8_t *out = NULL;
	size_t len, sealed_len = (size_t)c->h.manifest_bytes;

	if (cx_unwrap(c->stanzas, c->recipients, c->h.commit, k, c->name, &key,
		      e) < 0 ||
	    cx_secret_new(&manifest_key, CX_KEY_BYTES, e) < 0 ||
	    cx_secret_new(&frame_key, CX_KEY_BYTES, e) < 0)
		return -1;
	cx_kdf(manifest_key.at, key.at, st_container_manifest_key, NULL, 0);
	cx_kdf(frame_key.at, key.at, st_container_frame_key, NULL, 0);
	out = mem_array(sealed_len, 1, e);
	if (out == NULL ||
	    cx_record_open(manifest_key.at, c->bound, sizeof(c->bound),
			   c->sealed, sealed_len, c->name, out, &len, e) < 0)
		return -1;
	c->frame_key = TAKE(frame_key);
	c->manifest = TAKE(out);
	c->manifest_len = len;
	return 0;
}

const void *
st_container_manifest(const struct st_container *c, size_t *ret_len)
{
	*ret_len = c->manifest_len;
	return c->manifest;
}

struct st_container_info
st_container_info(const struct st_container *c)
{
	struct st_container_info i = {
		.is_signed = c->h.is_signed, .recipients = c->recipients,
		.frames = (uint32_t)c->h.frames, .file_bytes = c->size,
		.frame_bytes = c->h.frame_bytes,
		.manifest_bytes = c->h.manifest_bytes,
	};

	memcpy(i.id, c->h.id, sizeof(i.id));
	memcpy(i.signer, c->h.signer, sizeof(i.signer));
	return i;
}

bool
st_container_recipient(const struct st_container *c, uint32_t number,
		       uint8_t ret[CX_KEYID_BYTES])
{
	return cx_stanza_id(c->stanzas + (size_t)number * CX_STANZA_BYTES, ret);
}

uint32_t
st_container_frame_bytes(const struct st_container *c, uint32_t number)
{
	return c->frame[number].len;
}

/* Read the frame's record into memory of its length, and check its hash. */
static int
read_frame(const struct st_container *c, uint32_t number, uint8_t *rec,
	   struct err *e)
{
	const struct frame *f = &c->frame[number];
	uint8_t hash[CX_HASH_BYTES];

	if (io_read_at(c->fd, rec, f->len, f->at, c->name, e) < 0)
		return -1;
	cx_hash(hash, rec, f->len);
	if (memcmp(hash, f->hash, sizeof(hash)) != 0)
		return err_set(e, ERR_AUTH, "%s: frame %" PRIu32 " was changed",
			       c->name, number);
	return 0;
}

int
st_container_frame(const struct st_container *c, uint32_t number,
		   struct buf *out, struct err *e)
{
	SCOPED_FREE uint8_t *rec = NULL;
	uint8_t ad[ST_FRAME_AD];
	size_t len;

	if (number >= c->h.frames)
		return err_set(e, ERR_CORRUPT, "%s: has no frame %" PRIu32,
			       c->name, number);
	rec = mem_array(c->frame[number].len, 1, e);
	if (rec == NULL || read_frame(c, number, rec, e) < 0)
		return -1;
	out->len = 0;

	uint8_t *room = buf_room(out, c->frame[number].len);

	if (room == NULL)
		return buf_ok(out, e);
	st_container_frame_ad(c->h.id, number, ad);
	if (cx_record_open(c->frame_key.at, ad, sizeof(ad), rec,
			   c->frame[number].len, c->name, room, &len, e) < 0)
		return -1;
	out->len = len;
	return 0;
}

int
st_container_check(const struct st_container *c, struct progress *p,
		   struct err *e)
{
	SCOPED_FREE uint8_t *rec =
		mem_array(cx_record_size(ST_FRAME_MAX), 1, e);

	if (rec == NULL)
		return -1;
	for (uint32_t i = 0; i < c->h.frames; i++) {
		if (stop_check(e) < 0 || read_frame(c, i, rec, e) < 0)
			return -1;
		progress_add(p, c->frame[i].len);
		progress_show(p);
	}
	return 0;
}

int
st_container_reseal(const struct st_container *c, const char *path,
		    const struct cx_key *k, const struct cx_pubs *add,
		    const struct cx_pubs *drop, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;
	IO_NEW_SCOPED struct io_new out = IO_NEW_EMPTY;
	BUF_SCOPED struct buf fresh = BUF_EMPTY;
	BUF_SCOPED struct buf head = BUF_EMPTY;
	size_t count, was = (size_t)c->recipients * CX_STANZA_BYTES;

	if (add->count > 0 &&
	    cx_unwrap(c->stanzas, c->recipients, c->h.commit, k, c->name, &key,
		      e) < 0)
		return -1;
	if (cx_rewrap(c->stanzas, c->recipients, key.at, add, drop, &fresh,
		      &count, e) < 0)
		return err_ctx(e, "%s", c->name);
	st_container_put_header(&head, &c->h);
	buf_u32le(&head, (uint32_t)count);
	buf_zeros(&head, 4);
	buf_bytes(&head, fresh.at, fresh.len);
	if (buf_ok(&head, e) < 0 || io_new_open(&out, path, 0644, e) < 0 ||
	    io_new_write(&out, head.at, head.len, e) < 0)
		return -1;
	if (lseek(c->fd, (off_t)(ST_CONTAINER_HEADER + 8 + was), SEEK_SET) < 0)
		return err_sys(e, "%s", c->name);
	if (io_new_copy(&out, c->fd, c->name, e) < 0)
		return -1;
	return io_new_commit(&out, e);
}
