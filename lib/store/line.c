/* line.c - see line.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * keys/LINE.line: the image key sealed to the repository key (not in a client),
 * the key that names chunks sealed to the image key, and a stanza of the image
 * key for each recipient.
 */
#include "store/line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "crypt/record.h"
#include "crypt/wrap.h"
#include "store/repo-private.h"

#define VERSION 2
#define LINE_FILE_MAX (16u << 20)
#define SEALED_KEY_MAX (CX_RECORD_OVERHEAD + CX_RECORD_UNIT)

static const char magic[8] = "HALLINE\n";

/* Keys made from the image key. */
enum { MAPS, MAP_IDS, MANIFESTS, ID_KEY, IDENTITY, KEYS };
static const char *const contexts[KEYS] = {
	[MAPS] = "halcyon maps",
	[MAP_IDS] = "halcyon map ids",
	[MANIFESTS] = "halcyon manifests",
	[ID_KEY] = "halcyon chunk id key",
	[IDENTITY] = "halcyon line identity",
};

void
st_line_done(struct st_line *l)
{
	cx_secret_done(&l->image_key);
	cx_secret_done(&l->id_key);
	cx_secret_done(&l->derived);
}

const uint8_t *
st_line_map_key(const struct st_line *l)
{
	return l->derived.at + MAPS * 32;
}

const uint8_t *
st_line_map_id_key(const struct st_line *l)
{
	return l->derived.at + MAP_IDS * 32;
}

const uint8_t *
st_line_manifest_key(const struct st_line *l)
{
	return l->derived.at + MANIFESTS * 32;
}

static int
derive(struct st_line *l, struct err *e)
{
	if (cx_secret_new(&l->derived, KEYS * 32, e) < 0)
		return -1;
	for (size_t i = 0; i < KEYS; i++)
		cx_kdf(l->derived.at + i * 32, l->image_key.at, contexts[i],
		       NULL, 0);
	return 0;
}

static char *
line_path(const struct st_repo *r, const uint8_t id[ST_LINE_BYTES],
	  struct err *e)
{
	char hex[2 * ST_LINE_BYTES + 1];

	cx_hex(hex, id, ST_LINE_BYTES);
	return st_repo_file(r, e, "keys/%s.line", hex);
}

/* A line's key file; the parts lie in its bytes. */
struct line_file {
	uint8_t *bytes;		/* owned */
	size_t len;
	uint32_t count;
	uint8_t id[ST_LINE_BYTES], commit[CX_COMMIT_BYTES];
	const void *by_root, *id_key, *stanzas;
	size_t by_root_len, id_key_len;
};

#define LINE_FILE_EMPTY { .bytes = NULL }
#define LINE_FILE_SCOPED SCOPED(line_file_done)

static void
line_file_done(struct line_file *f)
{
	free(f->bytes);
}

static void
parse_parts(struct cur *c, struct line_file *f)
{
	f->count = cur_u32le(c);
	cur_bytes(c, f->id, sizeof(f->id));
	cur_bytes(c, f->commit, sizeof(f->commit));
	f->by_root_len = cur_u32le(c);
	f->id_key_len = cur_u32le(c);
	if (cur_ok(c) && (f->by_root_len > SEALED_KEY_MAX ||
			  f->id_key_len > SEALED_KEY_MAX))
		cur_bad(c, "has a key of a forbidden length");
	if (!cur_ok(c))
		return;
	f->by_root = cur_rest(c);
	(void)cur_sub(c, f->by_root_len);
	f->id_key = cur_rest(c);
	(void)cur_sub(c, f->id_key_len);
	f->stanzas = cur_rest(c);
	if (cur_left(c) / CX_STANZA_BYTES != f->count ||
	    cur_left(c) % CX_STANZA_BYTES != 0)
		cur_bad(c, "has another number of stanzas than it says");
}

/* Look into f->bytes, which `name` names. */
static int
parse_file(const char *name, const uint8_t id[ST_LINE_BYTES],
	   struct line_file *f, struct err *e)
{
	struct cur c = cur_over(name, f->bytes, f->len);
	size_t len = f->len;

	cur_magic(&c, magic, sizeof(magic));
	uint16_t version = cur_u16le(&c);
	if (cur_ok(&c) && version != VERSION)
		return err_set(e, ERR_UNSUPPORTED, "%s: has version %u, need %d",
			       name, version, VERSION);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (st_take_sum(name, f->bytes, &len, e) < 0)
		return -1;
	c = cur_over(name, f->bytes, len);
	(void)cur_sub(&c, sizeof(magic) + 2);
	cur_zeros(&c, 2);
	parse_parts(&c, f);
	if (cur_ok(&c) && memcmp(f->id, id, ST_LINE_BYTES) != 0)
		cur_bad(&c, "is the key of another image");
	return cur_ok(&c) ? 0 : cur_err(&c, e);
}

static int
read_file(const char *path, const uint8_t id[ST_LINE_BYTES],
	  struct line_file *ret, struct err *e)
{
	LINE_FILE_SCOPED struct line_file f = LINE_FILE_EMPTY;

	if (access(path, F_OK) < 0)
		return err_set(e, ERR_AUTH, "%s: the key of this image is gone: "
			       "wiped, or never given", path);
	if (io_slurp(path, LINE_FILE_MAX, &f.bytes, &f.len, e) < 0 ||
	    parse_file(path, id, &f, e) < 0)
		return -1;
	*ret = TAKE(f);
	return 0;
}

/* Seal 32 bytes for this line under a key. */
static int
put_sealed(struct buf *out, const uint8_t key[32], const uint8_t id[ST_LINE_BYTES],
	   const uint8_t secret[32], struct err *e)
{
	uint8_t *room = buf_room(out, cx_record_size(32));

	if (room == NULL)
		return buf_ok(out, e);
	cx_record_seal(key, id, ST_LINE_BYTES, secret, 32, room);
	return 0;
}

static int
open_sealed(const void *rec, size_t len, const uint8_t key[32],
	    const uint8_t id[ST_LINE_BYTES], const char *path,
	    struct cx_secret *ret, struct err *e)
{
	uint8_t out[SEALED_KEY_MAX];
	size_t got = 0;
	int r = -1;

	if (cx_record_open(key, id, ST_LINE_BYTES, rec, len, path, out, &got,
			   e) < 0)
		return -1;
	if (got != CX_KEY_BYTES)
		(void)err_set(e, ERR_CORRUPT, "%s: holds no key", path);
	else
		r = cx_secret_copy(ret, out, got, e);
	cx_wipe(out, sizeof(out));
	return r;
}

/* Write the file of `l`; stanzas are those given, then one for each of `to`.  Who
 * has no repository key keeps what `was` sealed to it. */
static int
write_file(const struct st_repo *r, const struct st_line *l,
	   const struct line_file *was, const void *stanzas, size_t count,
	   const struct cx_pubs *to, struct err *e)
{
	SCOPED_FREE char *path = line_path(r, l->id, e);
	const uint8_t *root = st_repo_root_key(r, ST_ROOT_LINES);
	size_t sealed = cx_record_size(CX_KEY_BYTES);
	size_t by_root = root != NULL ? sealed : was->by_root_len;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	uint8_t commit[CX_COMMIT_BYTES];

	if (path == NULL)
		return -1;
	if (by_root + count + (to == NULL ? 0 : to->count) == 0)
		return err_set(e, ERR_UNSAFE, "%s: nobody would be left who "
			       "opens it", path);
	cx_commit(l->image_key.at, commit);
	buf_bytes(&b, magic, sizeof(magic));
	buf_u16le(&b, VERSION);
	buf_zeros(&b, 2);
	buf_u32le(&b, (uint32_t)(count + (to == NULL ? 0 : to->count)));
	buf_bytes(&b, l->id, ST_LINE_BYTES);
	buf_bytes(&b, commit, sizeof(commit));
	buf_u32le(&b, (uint32_t)by_root);
	buf_u32le(&b, (uint32_t)sealed);
	if (root == NULL)
		buf_bytes(&b, was->by_root, by_root);
	else if (put_sealed(&b, root, l->id, l->image_key.at, e) < 0)
		return -1;
	if (put_sealed(&b, l->derived.at + ID_KEY * 32, l->id, l->id_key.at,
		       e) < 0)
		return -1;
	buf_bytes(&b, stanzas, count * CX_STANZA_BYTES);
	if (to != NULL && cx_wrap(l->image_key.at, to, false, &b, e) < 0)
		return -1;
	if (st_put_sum(&b, e) < 0)
		return -1;
	return io_put(path, b.at, b.len, 0600, e);
}

/* Open a line's file, by way of the repository key where there is one, else of
 * our own stanza. */
static int
open_file(const char *path, const struct line_file *f, const uint8_t *root,
	  const struct cx_key *k, struct st_line *ret, struct err *e)
{
	ST_LINE_SCOPED struct st_line l = ST_LINE_EMPTY;
	uint8_t commit[CX_COMMIT_BYTES];
	int r;

	memcpy(l.id, f->id, sizeof(l.id));
	if (root != NULL && f->by_root_len > 0)
		r = open_sealed(f->by_root, f->by_root_len, root, l.id, path,
				&l.image_key, e);
	else
		r = cx_unwrap(f->stanzas, f->count, f->commit, k, path,
			      &l.image_key, e);
	if (r < 0)
		return -1;
	cx_commit(l.image_key.at, commit);
	if (memcmp(commit, f->commit, sizeof(commit)) != 0)
		return err_set(e, ERR_AUTH, "%s: holds another key than it "
			       "commits to", path);
	if (derive(&l, e) < 0 ||
	    open_sealed(f->id_key, f->id_key_len, l.derived.at + ID_KEY * 32,
			l.id, path, &l.id_key, e) < 0)
		return -1;
	*ret = TAKE(l);
	return 0;
}

int
st_line_open(const struct st_repo *r, const uint8_t id[ST_LINE_BYTES],
	     struct st_line *ret, struct err *e)
{
	SCOPED_FREE char *path = line_path(r, id, e);
	LINE_FILE_SCOPED struct line_file f = LINE_FILE_EMPTY;

	if (st_repo_key(r) == NULL)
		return err_set(e, ERR_USAGE, "%s: needs a private key; give "
			       "--key FILE", st_repo_path(r));
	if (path == NULL || read_file(path, id, &f, e) < 0)
		return -1;
	return open_file(path, &f, st_repo_root_key(r, ST_ROOT_LINES),
			 st_repo_key(r), ret, e);
}

int
st_line_bytes(const struct st_repo *r, const uint8_t id[ST_LINE_BYTES],
	      uint8_t **ret, size_t *ret_len, struct err *e)
{
	SCOPED_FREE char *path = line_path(r, id, e);
	LINE_FILE_SCOPED struct line_file f = LINE_FILE_EMPTY;

	if (path == NULL || read_file(path, id, &f, e) < 0)
		return -1;
	*ret_len = f.len;
	*ret = TAKE(f.bytes);
	return 0;
}

int
st_line_parse(const char *name, const void *in, size_t len,
	      const uint8_t id[ST_LINE_BYTES], const struct cx_key *k,
	      struct st_line *ret, struct err *e)
{
	LINE_FILE_SCOPED struct line_file f = LINE_FILE_EMPTY;

	f.bytes = mem_array(len, 1, e);
	if (f.bytes == NULL)
		return -1;
	if (len > 0)
		memcpy(f.bytes, in, len);
	f.len = len;
	if (parse_file(name, id, &f, e) < 0)
		return -1;
	return open_file(name, &f, NULL, k, ret, e);
}

int
st_line_identity(const struct st_line *l, struct cx_key *ret, struct err *e)
{
	return cx_key_derive(ret, l->derived.at + IDENTITY * 32, "line", e);
}

int
st_line_new(struct st_repo *r, struct st_line *ret, struct err *e)
{
	ST_LINE_SCOPED struct st_line l = ST_LINE_EMPTY;
	const uint8_t *ids = st_repo_root_key(r, ST_ROOT_CHUNK_IDS);
	const struct line_file none = LINE_FILE_EMPTY;

	if (ids == NULL)
		return err_set(e, ERR_AUTH, "%s: only an administrator's key "
			       "can make an image", st_repo_path(r));
	cx_random(l.id, sizeof(l.id));
	if (cx_secret_random(&l.image_key, CX_KEY_BYTES, e) < 0 ||
	    cx_secret_copy(&l.id_key, ids, CX_KEY_BYTES, e) < 0 ||
	    derive(&l, e) < 0 || write_file(r, &l, &none, NULL, 0, NULL, e) < 0)
		return -1;
	*ret = TAKE(l);
	return 0;
}

int
st_line_adopt(struct st_repo *r, const uint8_t id[ST_LINE_BYTES],
	      const uint8_t image_key[32], const uint8_t id_key[32],
	      struct st_line *ret, struct err *e)
{
	SCOPED_FREE char *path = line_path(r, id, e);
	ST_LINE_SCOPED struct st_line l = ST_LINE_EMPTY;
	const struct line_file none = LINE_FILE_EMPTY;

	if (path == NULL)
		return -1;
	if (access(path, F_OK) == 0) {
		if (st_line_open(r, id, &l, e) < 0)
			return -1;
		if (!cx_same(l.image_key.at, image_key, 32) ||
		    !cx_same(l.id_key.at, id_key, 32))
			return err_set(e, ERR_AUTH, "%s: the image has another "
				       "key here", path);
		*ret = TAKE(l);
		return 0;
	}
	memcpy(l.id, id, sizeof(l.id));
	if (cx_secret_copy(&l.image_key, image_key, 32, e) < 0 ||
	    cx_secret_copy(&l.id_key, id_key, 32, e) < 0 || derive(&l, e) < 0 ||
	    write_file(r, &l, &none, NULL, 0, &r->admins, e) < 0)
		return -1;
	*ret = TAKE(l);
	return 0;
}

/* Those of `to` that have no stanza in the file yet. */
static int
without_known(const struct line_file *f, const struct cx_pubs *to,
	      struct cx_pubs *ret, struct err *e)
{
	for (size_t i = 0; i < to->count; i++) {
		struct cur c = cur_over("stanzas", f->stanzas,
					f->count * CX_STANZA_BYTES);
		bool known = false;

		for (uint32_t k = 0; k < f->count; k++) {
			uint8_t stanza[CX_STANZA_BYTES], id[CX_KEYID_BYTES];

			cur_bytes(&c, stanza, sizeof(stanza));
			known |= cx_stanza_id(stanza, id) &&
				 memcmp(id, to->at[i].id, sizeof(id)) == 0;
		}
		if (!known && cx_pubs_add(ret, &to->at[i], e) < 0)
			return -1;
	}
	return 0;
}

int
st_line_add(struct st_repo *r, const struct st_line *l, const struct cx_pubs *to,
	    struct err *e)
{
	SCOPED_FREE char *path = line_path(r, l->id, e);
	LINE_FILE_SCOPED struct line_file f = LINE_FILE_EMPTY;
	CX_PUBS_SCOPED struct cx_pubs fresh = CX_PUBS_EMPTY;

	if (path == NULL || read_file(path, l->id, &f, e) < 0 ||
	    without_known(&f, to, &fresh, e) < 0)
		return -1;
	if (fresh.count == 0)
		return 0;
	return write_file(r, l, &f, f.stanzas, f.count, &fresh, e);
}

int
st_line_recipients(const struct st_repo *r, const uint8_t id[ST_LINE_BYTES],
		   uint8_t (**ret)[CX_KEYID_BYTES], size_t *ret_count,
		   struct err *e)
{
	SCOPED_FREE char *path = line_path(r, id, e);
	LINE_FILE_SCOPED struct line_file f = LINE_FILE_EMPTY;
	size_t n = 0;

	if (path == NULL || read_file(path, id, &f, e) < 0)
		return -1;
	uint8_t (*ids)[CX_KEYID_BYTES] = mem_array(f.count, sizeof(*ids), e);
	if (ids == NULL)
		return -1;

	struct cur c = cur_over(path, f.stanzas, f.count * CX_STANZA_BYTES);
	for (uint32_t i = 0; i < f.count; i++) {
		uint8_t stanza[CX_STANZA_BYTES];

		cur_bytes(&c, stanza, sizeof(stanza));
		if (cx_stanza_id(stanza, ids[n]))
			n++;
	}
	*ret = ids;
	*ret_count = n;
	return 0;
}

int
st_line_drop(struct st_repo *r, const uint8_t id[ST_LINE_BYTES],
	     const uint8_t keyid[CX_KEYID_BYTES], struct err *e)
{
	SCOPED_FREE char *path = line_path(r, id, e);
	LINE_FILE_SCOPED struct line_file f = LINE_FILE_EMPTY;
	ST_LINE_SCOPED struct st_line l = ST_LINE_EMPTY;
	BUF_SCOPED struct buf kept = BUF_EMPTY;

	if (path == NULL || st_line_open(r, id, &l, e) < 0 ||
	    read_file(path, id, &f, e) < 0)
		return -1;

	struct cur c = cur_over(path, f.stanzas, f.count * CX_STANZA_BYTES);
	for (uint32_t i = 0; i < f.count; i++) {
		uint8_t stanza[CX_STANZA_BYTES], its[CX_KEYID_BYTES];

		cur_bytes(&c, stanza, sizeof(stanza));
		if (!cx_stanza_id(stanza, its) ||
		    memcmp(its, keyid, sizeof(its)) != 0)
			buf_bytes(&kept, stanza, sizeof(stanza));
	}
	if (buf_ok(&kept, e) < 0)
		return -1;
	if (kept.len == f.count * CX_STANZA_BYTES)
		return 0;
	if (write_file(r, &l, &f, kept.at, kept.len / CX_STANZA_BYTES, NULL,
		       e) < 0)
		return -1;
	return 1;
}

int
st_line_wipe(struct st_repo *r, const uint8_t id[ST_LINE_BYTES], struct err *e)
{
	SCOPED_FREE char *path = line_path(r, id, e);
	SCOPED_FD int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CLOEXEC);
	uint8_t noise[4096];
	struct stat st;

	if (path == NULL)
		return -1;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	for (off_t at = 0; at < st.st_size; at += (off_t)sizeof(noise)) {
		cx_random(noise, sizeof(noise));
		if (io_write_at(fd, noise, sizeof(noise), (uint64_t)at, path,
				e) < 0)
			return -1;
	}
	if (fsync(fd) < 0 || unlink(path) < 0)
		return err_sys(e, "%s", path);

	SCOPED_FREE char *dir = st_repo_file(r, e, "keys");
	return dir == NULL ? -1 : io_sync_dir(dir, e);
}
