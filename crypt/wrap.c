/* wrap.c - see wrap.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "crypt/wrap.h"

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "crypt/hash.h"
#include "crypt/secret.h"

enum {
	TYPE_X25519 = 1,
	NAMED = 1,		/* flag: the key id is set */
	HEAD = 16,		/* what the tag covers beside the key */
	SEALED = CX_KEY_BYTES + 16,
};

struct stanza {
	uint8_t type, flags;
	uint8_t id[CX_KEYID_BYTES];
	uint8_t head[HEAD];	/* the first bytes as they are */
	uint8_t ephemeral[32];
	uint8_t sealed[SEALED];
};

/* The wrapping key is used once, so its nonce may be constant. */
static const uint8_t nonce[24];

void
cx_commit(const uint8_t key[32], uint8_t ret[CX_COMMIT_BYTES])
{
	cx_kdf(ret, key, "halcyon commit", NULL, 0);
}

/* The wrapping key of a pair (mine private, theirs public). */
static int
agree(const uint8_t mine[32], const uint8_t theirs[32],
      const uint8_t ephemeral[32], const uint8_t recipient[32],
      struct cx_secret *ret, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret s = CX_SECRET_EMPTY;
	uint8_t both[64];

	if (cx_secret_new(&s, 2 * CX_KEY_BYTES, e) < 0)
		return -1;
	if (crypto_scalarmult_curve25519(s.at, mine, theirs) != 0)
		return err_set(e, ERR_CORRUPT, "public key is a weak one");
	memcpy(both, ephemeral, 32);
	memcpy(both + 32, recipient, 32);
	cx_kdf(s.at + CX_KEY_BYTES, s.at, "halcyon wrap", both, sizeof(both));
	return cx_secret_copy(ret, s.at + CX_KEY_BYTES, CX_KEY_BYTES, e);
}

static int
wrap_one(const uint8_t key[32], const struct cx_pub *to, bool anonymous,
	 struct buf *out, struct err *e)
{
	static const uint8_t nobody[CX_KEYID_BYTES];
	CX_SECRET_SCOPED struct cx_secret mine = CX_SECRET_EMPTY;
	CX_SECRET_SCOPED struct cx_secret wrapper = CX_SECRET_EMPTY;
	uint8_t ephemeral[32], sealed[SEALED];
	size_t head = out->len;

	if (cx_secret_random(&mine, 32, e) < 0)
		return -1;
	(void)crypto_scalarmult_curve25519_base(ephemeral, mine.at);
	if (agree(mine.at, to->seal, ephemeral, to->seal, &wrapper, e) < 0)
		return -1;
	buf_u8(out, TYPE_X25519);
	buf_u8(out, anonymous ? 0 : NAMED);
	buf_zeros(out, 6);
	buf_bytes(out, anonymous ? nobody : to->id, CX_KEYID_BYTES);
	if (buf_ok(out, e) < 0)
		return -1;
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
		sealed, NULL, key, CX_KEY_BYTES, out->at + head, HEAD, NULL,
		nonce, wrapper.at);
	buf_bytes(out, ephemeral, sizeof(ephemeral));
	buf_bytes(out, sealed, sizeof(sealed));
	return buf_ok(out, e);
}

int
cx_wrap(const uint8_t key[32], const struct cx_pubs *to, bool anonymous,
	struct buf *out, struct err *e)
{
	if (to->count == 0)
		return err_set(e, ERR_USAGE,
			       "no recipient; add -R PUB for each reader");
	for (size_t i = 0; i < to->count; i++)
		if (wrap_one(key, &to->at[i], anonymous, out, e) < 0)
			return -1;
	return 0;
}

static struct stanza
read_stanza(struct cur *c)
{
	struct cur head = *c;
	struct stanza s;

	cur_bytes(&head, s.head, HEAD);
	s.type = cur_u8(c);
	s.flags = cur_u8(c);
	cur_zeros(c, 6);
	cur_bytes(c, s.id, sizeof(s.id));
	cur_bytes(c, s.ephemeral, sizeof(s.ephemeral));
	cur_bytes(c, s.sealed, sizeof(s.sealed));
	return s;
}

/* Try one stanza: 1 opened, 0 not for this key, -1 error. */
static int
try_one(const struct stanza *s, const struct cx_key *k, struct cx_secret *ret,
	struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret wrapper = CX_SECRET_EMPTY;
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;
	struct err weak = ERR_INIT;

	if (agree(k->secret.at, s->ephemeral, s->ephemeral, k->pub.seal,
		  &wrapper, &weak) < 0) {
		if (weak.kind == ERR_CORRUPT)
			return 0;	/* nobody's */
		return err_set(e, weak.kind, "%s", weak.msg);
	}
	if (cx_secret_new(&key, CX_KEY_BYTES, e) < 0)
		return -1;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    key.at, NULL, NULL, s->sealed, SEALED, s->head, HEAD, nonce,
		    wrapper.at) != 0)
		return 0;
	*ret = TAKE(key);
	return 1;
}

int
cx_unwrap(const void *stanzas, size_t count,
	  const uint8_t commit[CX_COMMIT_BYTES], const struct cx_key *k,
	  const char *what, struct cx_secret *ret, struct err *e)
{
	struct cur c = cur_over(what, stanzas, count * CX_STANZA_BYTES);
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;
	uint8_t really[CX_COMMIT_BYTES];
	int got = 0;

	for (size_t i = 0; i < count && got == 0; i++) {
		struct stanza s = read_stanza(&c);

		if (!cur_ok(&c))
			return cur_err(&c, e);
		if (s.type != TYPE_X25519 ||
		    ((s.flags & NAMED) != 0 &&
		     memcmp(s.id, k->pub.id, sizeof(s.id)) != 0))
			continue;
		got = try_one(&s, k, &key, e);
	}
	if (got < 0)
		return -1;
	if (got == 0)
		return err_set(e, ERR_AUTH, "%s: is not sealed to this key",
			       what);
	cx_commit(key.at, really);
	if (!cx_same(really, commit, sizeof(really)))
		return err_set(e, ERR_AUTH, "%s: its key was exchanged", what);
	*ret = TAKE(key);
	return 0;
}

bool
cx_stanza_id(const uint8_t stanza[CX_STANZA_BYTES],
	     uint8_t ret[CX_KEYID_BYTES])
{
	struct cur c = cur_over("stanza", stanza, CX_STANZA_BYTES);
	struct stanza s = read_stanza(&c);

	if (!cur_ok(&c) || (s.flags & NAMED) == 0)
		return false;
	memcpy(ret, s.id, sizeof(s.id));
	return true;
}

/* The number of the list's key with that id, or l->count. */
static size_t
find_id(const struct cx_pubs *l, const uint8_t id[CX_KEYID_BYTES])
{
	size_t i = 0;

	while (i < l->count && memcmp(l->at[i].id, id, CX_KEYID_BYTES) != 0)
		i++;
	return i;
}

int
cx_rewrap(const void *stanzas, size_t count, const uint8_t *key,
	  const struct cx_pubs *add, const struct cx_pubs *drop,
	  struct buf *out, size_t *ret_count, struct err *e)
{
	CX_PUBS_SCOPED struct cx_pubs fresh = CX_PUBS_EMPTY;
	struct cur c = cur_over("stanzas", stanzas, count * CX_STANZA_BYTES);
	size_t kept = 0, dropped = 0;

	for (size_t i = 0; i < add->count; i++)
		if (cx_pubs_add(&fresh, &add->at[i], e) < 0)
			return -1;
	for (size_t i = 0; i < count; i++) {
		uint8_t one[CX_STANZA_BYTES], id[CX_KEYID_BYTES];

		cur_bytes(&c, one, sizeof(one));
		if (cx_stanza_id(one, id)) {
			size_t known = find_id(&fresh, id);

			if (find_id(drop, id) < drop->count) {
				dropped++;
				continue;
			}
			if (known < fresh.count)
				fresh.at[known] = fresh.at[--fresh.count];
		}
		buf_bytes(out, one, sizeof(one));
		kept++;
	}
	if (dropped < drop->count)
		return err_set(e, ERR_NO, "not all of these are recipients");
	if (kept + fresh.count == 0)
		return err_set(e, ERR_UNSAFE, "nobody would be left who can "
			       "open it");
	if (kept + fresh.count > CX_PUBS_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more than %d recipients",
			       CX_PUBS_MAX);
	*ret_count = kept + fresh.count;
	if (fresh.count > 0)
		return cx_wrap(key, &fresh, false, out, e);
	return buf_ok(out, e);
}
