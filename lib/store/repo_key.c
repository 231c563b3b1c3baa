/* repo_key.c - the repository key and who may open it
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * keys/repository is a commitment to the key, the list of administrators
 * encrypted with it - so nobody without it can add one - and a stanza for each
 * of them.  A hash at the end tells damage to any stanza, also to those that our
 * key does not open.
 */
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
#define KEY_FILE_MAX (16u << 20)

static const char magic[8] = "HALKEYS\n";
static const char admins_context[] = "halcyon administrators";
static const char *const contexts[ST_ROOT_KEYS] = {
	[ST_ROOT_CHUNK_IDS] = "halcyon chunk ids",
	[ST_ROOT_CHUNK_KEYS] = "halcyon chunk keys",
	[ST_ROOT_LINES] = "halcyon lines",
};

int
st_put_sum(struct buf *b, struct err *e)
{
	uint8_t sum[CX_HASH_BYTES];

	if (buf_ok(b, e) < 0)
		return -1;
	cx_hash(sum, b->at, b->len);
	buf_bytes(b, sum, sizeof(sum));
	return buf_ok(b, e);
}

int
st_take_sum(const char *path, const void *in, size_t *len, struct err *e)
{
	uint8_t sum[CX_HASH_BYTES], said[CX_HASH_BYTES] = "";

	if (*len < sizeof(sum))
		return err_set(e, ERR_CORRUPT, "%s: ends too early", path);
	*len -= sizeof(sum);
	cx_hash(sum, in, *len);

	struct cur c = cur_over(path, in, *len + sizeof(sum));
	(void)cur_sub(&c, *len);
	cur_bytes(&c, said, sizeof(said));
	if (memcmp(sum, said, sizeof(sum)) != 0)
		return err_set(e, ERR_CORRUPT, "%s: is damaged; put back a copy "
			       "of it", path);
	return 0;
}

/* Append the sealed list of administrators to the head of the file. */
static int
put_admins(struct buf *out, const uint8_t root[32], const struct cx_pubs *to,
	   struct err *e)
{
	BUF_SCOPED struct buf text = BUF_EMPTY;
	char line[CX_PUB_LINE_ROOM];
	uint8_t key[32];

	for (size_t i = 0; i < to->count; i++) {
		cx_pub_line(&to->at[i], line);
		buf_fmt(&text, "%s\n", line);
	}
	if (buf_ok(&text, e) < 0)
		return -1;

	size_t head = out->len, size = cx_record_size(text.len);
	buf_u32le(out, (uint32_t)size);
	uint8_t *room = buf_room(out, size);
	if (room == NULL)
		return buf_ok(out, e);
	cx_kdf(key, root, admins_context, NULL, 0);
	cx_record_seal(key, out->at, head, text.at, text.len, room);
	cx_wipe(key, sizeof(key));
	return 0;
}

int
st_repo_key_make(const char *path, const uint8_t domain[16],
		 const struct cx_pubs *to, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret root = CX_SECRET_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	uint8_t commit[CX_COMMIT_BYTES];
	SCOPED_FREE char *file = io_join(path, "keys/repository", e);

	if (file == NULL || cx_secret_random(&root, CX_KEY_BYTES, e) < 0)
		return -1;
	cx_commit(root.at, commit);
	buf_bytes(&b, magic, sizeof(magic));
	buf_u16le(&b, VERSION);
	buf_zeros(&b, 2);
	buf_u32le(&b, (uint32_t)to->count);
	buf_bytes(&b, domain, 16);
	buf_bytes(&b, commit, sizeof(commit));
	if (put_admins(&b, root.at, to, e) < 0 ||
	    cx_wrap(root.at, to, false, &b, e) < 0 || st_put_sum(&b, e) < 0)
		return -1;
	return io_put(file, b.at, b.len, 0600, e);
}

/* The parts of the file; sealed list and stanzas lie in the file's bytes. */
struct key_file {
	uint32_t count;
	uint8_t domain[16], commit[CX_COMMIT_BYTES];
	const void *admins, *stanzas;
	size_t head_len, admins_len;
};

static int
parse_key_file(const char *path, const void *in, size_t len,
	       struct key_file *ret, struct err *e)
{
	struct cur c = cur_over(path, in, len);
	struct key_file f = { .count = 0 };

	cur_magic(&c, magic, sizeof(magic));
	uint16_t version = cur_u16le(&c);
	if (cur_ok(&c) && version != VERSION)
		return err_set(e, ERR_UNSUPPORTED, "%s: has version %u, need %d",
			       path, version, VERSION);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (st_take_sum(path, in, &len, e) < 0)
		return -1;
	c = cur_over(path, in, len);
	(void)cur_sub(&c, sizeof(magic) + 2);
	cur_zeros(&c, 2);
	f.count = cur_u32le(&c);
	cur_bytes(&c, f.domain, sizeof(f.domain));
	cur_bytes(&c, f.commit, sizeof(f.commit));
	f.head_len = len - cur_left(&c);
	f.admins_len = cur_u32le(&c);
	f.admins = cur_rest(&c);
	(void)cur_sub(&c, f.admins_len);
	f.stanzas = cur_rest(&c);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (cur_left(&c) / CX_STANZA_BYTES != f.count ||
	    cur_left(&c) % CX_STANZA_BYTES != 0) {
		cur_bad(&c, "has another number of stanzas than it says");
		return cur_err(&c, e);
	}
	*ret = f;
	return 0;
}

static int
open_admins(struct st_repo *r, const char *path, const void *in,
	    const struct key_file *f, struct err *e)
{
	SCOPED_FREE uint8_t *text = mem_array(f->admins_len + 1, 1, e);
	uint8_t key[32];
	size_t len;

	if (text == NULL)
		return -1;
	cx_kdf(key, r->root.at, admins_context, NULL, 0);
	int got = cx_record_open(key, in, f->head_len, f->admins, f->admins_len,
				 path, text, &len, e);
	cx_wipe(key, sizeof(key));
	return got < 0 ? -1 : cx_pubs_parse(&r->admins, path, text, len, e);
}

static int
derive(struct st_repo *r, struct err *e)
{
	if (cx_secret_new(&r->derived, ST_ROOT_KEYS * 32, e) < 0)
		return -1;
	for (size_t i = 0; i < ST_ROOT_KEYS; i++)
		cx_kdf(r->derived.at + i * 32, r->root.at, contexts[i], NULL, 0);
	return 0;
}

int
st_repo_key_check(const struct st_repo *r, struct err *e)
{
	SCOPED_FREE char *path = st_repo_file(r, e, "keys/repository");
	SCOPED_FREE uint8_t *in = NULL;
	struct key_file f;
	size_t len;

	if (path == NULL || io_slurp(path, KEY_FILE_MAX, &in, &len, e) < 0)
		return -1;
	return parse_key_file(path, in, len, &f, e);
}

int
st_repo_key_open(struct st_repo *r, struct err *e)
{
	SCOPED_FREE char *path = st_repo_file(r, e, "keys/repository");
	SCOPED_FREE uint8_t *in = NULL;
	struct key_file f;
	struct err not_mine = ERR_INIT;
	size_t len;

	if (path == NULL || io_slurp(path, KEY_FILE_MAX, &in, &len, e) < 0 ||
	    parse_key_file(path, in, len, &f, e) < 0)
		return -1;
	if (memcmp(f.domain, r->domain, sizeof(f.domain)) != 0)
		return err_set(e, ERR_AUTH, "%s/domain: does not fit %s: it is "
			       "damaged, or one of them is of another "
			       "repository", r->path, path);
	if (cx_unwrap(f.stanzas, f.count, f.commit, r->key, path, &r->root,
		      &not_mine) < 0) {
		if (not_mine.kind == ERR_AUTH)
			return 0;	/* a client's key, perhaps */
		*e = not_mine;
		return -1;
	}
	if (open_admins(r, path, in, &f, e) < 0)
		return -1;
	return derive(r, e);
}

const uint8_t *
st_repo_root_key(const struct st_repo *r, enum st_root_key which)
{
	return r->derived.at == NULL ? NULL : r->derived.at + which * 32;
}

int
st_repo_unlock(struct st_repo *r, const struct cx_key *k, struct err *e)
{
	r->key = k;
	if (r->kind == ST_REPO_ORIGIN)
		return st_repo_key_open(r, e);
	if (r->kind == ST_REPO_MIRROR)
		return 0;

	SCOPED_FREE char *path = st_repo_file(r, e, "keys/recipients.pub");
	const char *const paths[] = { path };
	return path == NULL ? -1 : cx_pubs_load(&r->admins, paths, 1, e);
}

bool
st_repo_trusts(const struct st_repo *r, const uint8_t signer[32])
{
	if (!st_repo_is_admin(r))
		return true;
	return cx_pubs_signer(&r->admins, signer) != NULL;
}
