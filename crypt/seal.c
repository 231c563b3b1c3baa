/* seal.c - see seal.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "crypt/seal.h"

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/stop.h"
#include "crypt/hash.h"

enum {
	VERSION = 1,
	SEGMENT_LOG2 = 16,
	SEGMENT = 1 << SEGMENT_LOG2,
	TAG = 16,
	NONCE = 24,
	BOUND = 60,		/* header bytes that the payload key depends on */
	RECIPIENTS_MAX = CX_PUBS_MAX,
};

static const char magic[8] = "HALSEAL\n";

int
cx_sealed_header_parse(const void *buf, size_t len, const char *name,
		       struct cx_sealed_header *ret, struct err *e)
{
	struct cur c = cur_over(name, buf, len);
	struct cx_sealed_header h;

	cur_magic(&c, magic, sizeof(magic));
	if (!cur_ok(&c))
		return err_set(e, ERR_CORRUPT, "%s: is no sealed file", name);

	uint16_t version = cur_u16le(&c);
	uint16_t features = cur_u16le(&c);
	uint8_t segment_log2 = cur_u8(&c);
	cur_zeros(&c, 3);
	cur_bytes(&c, h.commit, sizeof(h.commit));
	cur_zeros(&c, 12);
	h.recipients = cur_u32le(&c);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (version != VERSION || features != 0 || segment_log2 != SEGMENT_LOG2)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: needs a newer version of this program",
			       name);
	if (h.recipients == 0 || h.recipients > RECIPIENTS_MAX) {
		cur_bad(&c, "has an impossible number of recipients");
		return cur_err(&c, e);
	}
	if (cur_end(&c, e) < 0)
		return -1;
	*ret = h;
	return 0;
}

static void
put_header(struct buf *out, const struct cx_sealed_header *h)
{
	buf_bytes(out, magic, sizeof(magic));
	buf_u16le(out, VERSION);
	buf_u16le(out, 0);
	buf_u8(out, SEGMENT_LOG2);
	buf_zeros(out, 3);
	buf_bytes(out, h->commit, sizeof(h->commit));
	buf_zeros(out, 12);
	buf_u32le(out, h->recipients);
}

/* The key of the segments. */
static int
payload_key(const struct cx_secret *file_key, const uint8_t *header,
	    struct cx_secret *ret, struct err *e)
{
	if (cx_secret_new(ret, CX_KEY_BYTES, e) < 0)
		return -1;
	cx_kdf(ret->at, file_key->at, "halcyon seal", header, BOUND);
	return 0;
}

/* No key is used for two files, so a count makes unique nonces. */
static void
segment_nonce(uint64_t index, bool last, uint8_t ret[NONCE])
{
	memset(ret, 0, NONCE);
	num_put_u64le(ret, index);
	ret[8] = last;
}

/* Two pieces of a stream: what is at hand, and what follows, which tells
 * whether the first is the last. */
struct ahead {
	int fd;
	const char *name;
	size_t piece;		/* bytes of a whole one */
	uint8_t *at, *next;	/* piece + TAG bytes each */
	size_t len, next_len;
	bool last;
};

static int
ahead_step(struct ahead *a, struct err *e)
{
	uint8_t *spent = a->at;

	a->at = a->next;
	a->len = a->next_len;
	a->next = spent;
	a->next_len = 0;
	if (a->len == a->piece &&
	    io_read_some(a->fd, a->next, a->piece, a->name, &a->next_len, e) < 0)
		return -1;
	a->last = a->next_len == 0;
	return 0;
}

/* Read the first piece. */
static int
ahead_begin(struct ahead *a, struct err *e)
{
	if (io_read_some(a->fd, a->next, a->piece, a->name, &a->next_len, e) < 0)
		return -1;
	return ahead_step(a, e);
}

static int
seal_segments(struct ahead *a, const struct cx_secret *key, struct io_new *out,
	      struct progress *p, struct err *e)
{
	uint8_t nonce[NONCE];

	for (uint64_t i = 0;; i++) {
		size_t len = a->len;

		segment_nonce(i, a->last, nonce);
		(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
			a->at, NULL, a->at, len, NULL, 0, NULL, nonce, key->at);
		if (stop_check(e) < 0 ||
		    io_new_write(out, a->at, len + TAG, e) < 0)
			return -1;
		progress_add(p, len);
		progress_show(p);
		if (a->last)
			return 0;
		if (ahead_step(a, e) < 0)
			return -1;
	}
}

int
cx_seal(int in, const char *in_name, const struct cx_pubs *to, bool anonymous,
	struct io_new *out, struct progress *p, struct err *e)
{
	struct cx_sealed_header h = { .recipients = (uint32_t)to->count };
	CX_SECRET_SCOPED struct cx_secret file_key = CX_SECRET_EMPTY;
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;
	SCOPED_FREE uint8_t *room = mem_array(2, SEGMENT + TAG, e);
	BUF_SCOPED struct buf head = BUF_EMPTY;
	struct ahead a = { .fd = in, .name = in_name, .piece = SEGMENT,
			   .at = room };

	if (room == NULL || cx_secret_random(&file_key, CX_KEY_BYTES, e) < 0)
		return -1;
	a.next = room + SEGMENT + TAG;
	cx_commit(file_key.at, h.commit);
	put_header(&head, &h);
	if (cx_wrap(file_key.at, to, anonymous, &head, e) < 0 ||
	    payload_key(&file_key, head.at, &key, e) < 0 ||
	    io_new_write(out, head.at, head.len, e) < 0 ||
	    ahead_begin(&a, e) < 0)
		return -1;
	return seal_segments(&a, &key, out, p, e);
}

/* Header and stanzas, which the caller frees. */
static int
read_head(int in, const char *name, uint8_t header[CX_SEALED_HEADER_BYTES],
	  struct cx_sealed_header *ret, uint8_t **ret_stanzas, struct err *e)
{
	SCOPED_FREE uint8_t *stanzas = NULL;
	struct cx_sealed_header h;
	size_t got;

	if (io_read_some(in, header, CX_SEALED_HEADER_BYTES, name, &got, e) < 0 ||
	    cx_sealed_header_parse(header, got, name, &h, e) < 0)
		return -1;
	stanzas = mem_array(h.recipients, CX_STANZA_BYTES, e);
	if (stanzas == NULL ||
	    io_read_some(in, stanzas, h.recipients * (size_t)CX_STANZA_BYTES,
			 name, &got, e) < 0)
		return -1;
	if (got != h.recipients * (size_t)CX_STANZA_BYTES)
		return err_set(e, ERR_CORRUPT, "%s: ends too early", name);
	*ret = h;
	*ret_stanzas = TAKE(stanzas);
	return 0;
}

/* The payload key, if one of the stanzas is for k. */
static int
open_head(int in, const char *name, const struct cx_key *k,
	  struct cx_secret *ret, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret file_key = CX_SECRET_EMPTY;
	SCOPED_FREE uint8_t *stanzas = NULL;
	uint8_t header[CX_SEALED_HEADER_BYTES];
	struct cx_sealed_header h;

	if (read_head(in, name, header, &h, &stanzas, e) < 0 ||
	    cx_unwrap(stanzas, h.recipients, h.commit, k, name, &file_key,
		      e) < 0)
		return -1;
	return payload_key(&file_key, header, ret, e);
}

static int
open_segments(struct ahead *a, const struct cx_secret *key, struct io_new *out,
	      struct progress *p, struct err *e)
{
	uint8_t nonce[NONCE];

	for (uint64_t i = 0;; i++) {
		size_t len = a->len < TAG ? 0 : a->len - TAG;

		segment_nonce(i, a->last, nonce);
		if (a->len < TAG || (len == 0 && i > 0) ||
		    crypto_aead_xchacha20poly1305_ietf_decrypt(
			    a->at, NULL, NULL, a->at, a->len, NULL, 0, nonce,
			    key->at) != 0)
			return err_set(e, ERR_AUTH,
				       "%s: was changed or cut off", a->name);
		if (stop_check(e) < 0 || io_new_write(out, a->at, len, e) < 0)
			return -1;
		progress_add(p, a->len);
		progress_show(p);
		if (a->last)
			return 0;
		if (ahead_step(a, e) < 0)
			return -1;
	}
}

int
cx_open(int in, const char *in_name, const struct cx_key *k, struct io_new *out,
	struct progress *p, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;
	SCOPED_FREE uint8_t *room = mem_array(2, SEGMENT + TAG, e);
	struct ahead a = { .fd = in, .name = in_name, .piece = SEGMENT + TAG,
			   .at = room };
	int r;

	if (room == NULL)
		return -1;
	a.next = room + SEGMENT + TAG;
	if (open_head(in, in_name, k, &key, e) < 0 || ahead_begin(&a, e) < 0)
		return -1;
	r = open_segments(&a, &key, out, p, e);
	cx_wipe(room, 2 * (SEGMENT + TAG));
	return r;
}

int
cx_sealed_stanzas(int in, const char *in_name, uint8_t **ret, size_t *ret_count,
		  struct err *e)
{
	uint8_t header[CX_SEALED_HEADER_BYTES];
	struct cx_sealed_header h;

	if (read_head(in, in_name, header, &h, ret, e) < 0)
		return -1;
	*ret_count = h.recipients;
	return 0;
}

int
cx_reseal(int in, const char *in_name, const struct cx_key *k,
	  const struct cx_pubs *add, const struct cx_pubs *drop,
	  struct io_new *out, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret file_key = CX_SECRET_EMPTY;
	SCOPED_FREE uint8_t *stanzas = NULL;
	BUF_SCOPED struct buf fresh = BUF_EMPTY;
	BUF_SCOPED struct buf head = BUF_EMPTY;
	uint8_t header[CX_SEALED_HEADER_BYTES];
	struct cx_sealed_header h;
	size_t count;

	if (read_head(in, in_name, header, &h, &stanzas, e) < 0 ||
	    (add->count > 0 &&
	     cx_unwrap(stanzas, h.recipients, h.commit, k, in_name, &file_key,
		       e) < 0))
		return -1;
	if (cx_rewrap(stanzas, h.recipients, file_key.at, add, drop, &fresh,
		      &count, e) < 0)
		return err_ctx(e, "%s", in_name);
	h.recipients = (uint32_t)count;
	put_header(&head, &h);
	buf_bytes(&head, fresh.at, fresh.len);
	if (buf_ok(&head, e) < 0 ||
	    io_new_write(out, head.at, head.len, e) < 0)
		return -1;
	return io_new_copy(out, in, in_name, e);
}
