/* container_new.c - writing a container; see container.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "crypt/record.h"
#include "crypt/sign.h"
#include "store/container-private.h"
#include "store/container.h"

struct st_container_new {
	char *name;
	struct io_new file;
	int spool;			/* frames, until all are known */
	struct st_container_header h;
	struct cx_secret key, frame_key;
	struct buf table;
};

void
st_container_new_free(struct st_container_new *const *p)
{
	struct st_container_new *n = *p;

	if (n == NULL)
		return;
	scope_close(&n->spool);
	io_new_abandon(&n->file);
	cx_secret_done(&n->key);
	cx_secret_done(&n->frame_key);
	buf_done(&n->table);
	free(n->name);
	free(n);
}

/* A file in the directory of the container that has no name. */
static int
open_spool(struct st_container_new *n, struct err *e)
{
	char temp[32];

	n->spool = openat(n->file.dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
			  0600);
	if (n->spool >= 0)
		return 0;
	/* A file system without unnamed files. */
	(void)snprintf(temp, sizeof(temp), ".frames.tmp.%ld", (long)getpid());
	n->spool = openat(n->file.dir, temp,
			  O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (n->spool < 0 || unlinkat(n->file.dir, temp, 0) < 0)
		return err_sys(e, "%s: temporary file", n->name);
	return 0;
}

struct st_container_new *
st_container_begin(const char *path, enum st_container_kind kind,
		   struct err *e)
{
	ST_CONTAINER_NEW_SCOPED struct st_container_new *n =
		mem_array(1, sizeof(*n), e);

	if (n == NULL)
		return NULL;
	n->file = (struct io_new)IO_NEW_EMPTY;
	n->spool = -1;
	n->h.kind = (uint32_t)kind;
	n->name = mem_str(path, e);
	if (n->name == NULL || io_new_open(&n->file, path, 0644, e) < 0 ||
	    open_spool(n, e) < 0 ||
	    cx_secret_random(&n->key, CX_KEY_BYTES, e) < 0 ||
	    cx_secret_new(&n->frame_key, CX_KEY_BYTES, e) < 0)
		return NULL;
	cx_random(n->h.id, sizeof(n->h.id));
	cx_commit(n->key.at, n->h.commit);
	cx_kdf(n->frame_key.at, n->key.at, st_container_frame_key, NULL, 0);
	return TAKE(n);
}

int
st_container_put(struct st_container_new *n, const void *data, size_t len,
		 uint32_t *ret_number, struct err *e)
{
	uint8_t ad[ST_FRAME_AD], hash[CX_HASH_BYTES];
	size_t size = cx_record_size(len);
	SCOPED_FREE uint8_t *rec = NULL;

	if (len == 0 || len > ST_FRAME_MAX)
		return err_set(e, ERR_USAGE, "%s: a frame of %zu bytes",
			       n->name, len);
	if (n->h.frames == ST_FRAMES_MAX)
		return err_set(e, ERR_UNSUPPORTED, "%s: more than %d frames",
			       n->name, ST_FRAMES_MAX);
	rec = mem_array(size, 1, e);
	if (rec == NULL)
		return -1;
	st_container_frame_ad(n->h.id, n->h.frames, ad);
	cx_record_seal(n->frame_key.at, ad, sizeof(ad), data, len, rec);
	cx_hash(hash, rec, size);
	if (io_write_all(n->spool, rec, size, n->name, e) < 0)
		return -1;
	buf_u32le(&n->table, (uint32_t)size);
	buf_bytes(&n->table, hash, sizeof(hash));
	if (buf_ok(&n->table, e) < 0)
		return -1;
	*ret_number = (uint32_t)n->h.frames++;
	n->h.frame_bytes += size;
	return 0;
}

/* Append the spooled frames to the file. */
static int
copy_frames(struct st_container_new *n, struct err *e)
{
	if (lseek(n->spool, 0, SEEK_SET) < 0)
		return err_sys(e, "%s", n->name);
	return io_new_copy(&n->file, n->spool, n->name, e);
}

/* Seal the manifest behind header and table in *out; *ret_hash is what is
 * signed. */
static int
put_manifest(struct st_container_new *n, const uint8_t *head,
	     const void *manifest, size_t len, struct buf *out,
	     uint8_t ret_hash[CX_HASH_BYTES], struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;
	uint8_t bound[CX_HASH_BYTES], *room;
	struct cx_hasher h, whole;

	cx_hash_begin(&h);
	cx_hash_add(&h, head, ST_CONTAINER_HEADER);
	cx_hash_add(&h, n->table.at, n->table.len);
	whole = h;
	cx_hash_end(&h, bound);
	room = buf_room(out, cx_record_size(len));
	if (room == NULL)
		return buf_ok(out, e);
	if (cx_secret_new(&key, CX_KEY_BYTES, e) < 0)
		return -1;
	cx_kdf(key.at, n->key.at, st_container_manifest_key, NULL, 0);
	cx_record_seal(key.at, bound, sizeof(bound), manifest, len, room);
	cx_hash_add(&whole, room, cx_record_size(len));
	cx_hash_end(&whole, ret_hash);
	return 0;
}

int
st_container_commit(struct st_container_new *n, const void *manifest,
		    size_t len, const struct cx_pubs *to,
		    const struct cx_key *signer, struct err *e)
{
	BUF_SCOPED struct buf front = BUF_EMPTY;
	BUF_SCOPED struct buf back = BUF_EMPTY;
	uint8_t hash[CX_HASH_BYTES], sig[CX_SIG_BYTES] = { 0 };

	if (len > ST_MANIFEST_MAX)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: its manifest has more than %d bytes",
			       n->name, ST_MANIFEST_MAX);
	n->h.manifest_bytes = cx_record_size(len);
	n->h.is_signed = signer != NULL;
	if (signer != NULL)
		memcpy(n->h.signer, signer->pub.sign, sizeof(n->h.signer));
	st_container_put_header(&front, &n->h);
	buf_u32le(&front, (uint32_t)to->count);
	buf_zeros(&front, 4);
	if (buf_ok(&front, e) < 0 ||
	    cx_wrap(n->key.at, to, false, &front, e) < 0 ||
	    put_manifest(n, front.at, manifest, len, &back, hash, e) < 0)
		return -1;
	if (signer != NULL)
		cx_sign(signer, st_container_purpose, hash, sig);
	if (io_new_write(&n->file, front.at, front.len, e) < 0 ||
	    io_new_write(&n->file, n->table.at, n->table.len, e) < 0 ||
	    io_new_write(&n->file, back.at, back.len, e) < 0 ||
	    io_new_write(&n->file, sig, sizeof(sig), e) < 0 ||
	    copy_frames(n, e) < 0)
		return -1;
	return io_new_commit(&n->file, e);
}
