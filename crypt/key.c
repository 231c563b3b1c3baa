/* key.c - making, saving and reading a KEY file; see key.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "crypt/key.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "crypt/hash.h"
#include "crypt/pub-private.h"

enum {
	SCALAR = 32,			/* X25519 private key */
	SEED = 32,			/* Ed25519 private key */
	STORED = SCALAR + SEED,		/* what a file holds */
	HELD = SCALAR + 64,		/* what a cx_key holds */
	SALT = 16,
	NONCE = 24,
	TAG = 16,
	WRAPPED = NONCE + STORED + TAG,
	FILE_MAX = 64 << 10,
};

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define BASE64_ROOM(n) sodium_base64_ENCODED_LEN(n, BASE64)

/* Argon2id, as the file states it. */
struct argon {
	uint64_t passes, kib;
	uint8_t salt[SALT];
};

static const char magic[] = "halcyon-key ";

void
cx_key_done(struct cx_key *k)
{
	cx_secret_done(&k->secret);
	*k = (struct cx_key)CX_KEY_EMPTY;
}

/* Fill in a key from the 64 bytes that a file holds. */
static int
expand(const uint8_t stored[STORED], struct cx_key *ret, struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;

	if (cx_secret_new(&k.secret, HELD, e) < 0)
		return -1;
	memcpy(k.secret.at, stored, SCALAR);
	(void)crypto_scalarmult_curve25519_base(k.pub.seal, k.secret.at);
	(void)crypto_sign_seed_keypair(k.pub.sign, k.secret.at + SCALAR,
				       stored + SCALAR);
	cx_pub_set_id(&k.pub);
	*ret = TAKE(k);
	return 0;
}

int
cx_key_make(struct cx_key *ret, const char *name, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret s = CX_SECRET_EMPTY;

	if (cx_secret_random(&s, STORED, e) < 0 ||
	    expand(s.at, ret, e) < 0)
		return -1;
	cx_pub_set_name(&ret->pub, name, strlen(name));
	return 0;
}

int
cx_key_derive(struct cx_key *ret, const uint8_t from[CX_KEY_BYTES],
	      const char *name, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret s = CX_SECRET_EMPTY;

	if (cx_secret_new(&s, STORED, e) < 0)
		return -1;
	cx_kdf(s.at, from, "halcyon derived sealing key", NULL, 0);
	cx_kdf(s.at + SCALAR, from, "halcyon derived signing key", NULL, 0);
	if (expand(s.at, ret, e) < 0)
		return -1;
	cx_pub_set_name(&ret->pub, name, strlen(name));
	return 0;
}

/* The 64 bytes that a file holds. */
static void
collapse(const struct cx_key *k, uint8_t stored[STORED])
{
	memcpy(stored, k->secret.at, SCALAR);
	(void)crypto_sign_ed25519_sk_to_seed(stored + SCALAR,
					     k->secret.at + SCALAR);
}

/* The key that a passphrase gives. */
static int
stretch(const struct cx_secret *passphrase, const struct argon *a,
	struct cx_secret *ret, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;

	if (cx_secret_new(&key, CX_KEY_BYTES, e) < 0)
		return -1;
	if (crypto_pwhash(key.at, key.len, (const char *)passphrase->at,
			  passphrase->len, a->salt, a->passes,
			  (size_t)a->kib << 10, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return err_set(e, ERR_NOMEM, "no %" PRIu64
			       " MiB of memory for a passphrase", a->kib >> 10);
	*ret = TAKE(key);
	return 0;
}

static void
put_base64(struct buf *out, const uint8_t *bytes, size_t len)
{
	size_t room = BASE64_ROOM(len);		/* counts the NUL */
	char *at = (char *)buf_room(out, room);

	if (at == NULL)
		return;
	(void)sodium_bin2base64(at, room, bytes, len, BASE64);
	out->len--;
}

/* The protection line and the secret line for a passphrase. */
static int
put_protected(struct buf *out, const uint8_t stored[STORED],
	      const struct cx_secret *passphrase, enum cx_cost cost,
	      struct err *e)
{
	struct argon a = { .passes = cost == CX_COST_LEAST ? 1 : 3,
			   .kib = cost == CX_COST_LEAST ? 8 << 10 : 256 << 10 };
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;
	uint8_t wrapped[WRAPPED];

	cx_random(a.salt, SALT);
	buf_fmt(out, "protection argon2id %" PRIu64 " %" PRIu64 " ", a.passes,
		a.kib);
	put_base64(out, a.salt, SALT);
	buf_str(out, "\n");
	if (stretch(passphrase, &a, &key, e) < 0 || buf_ok(out, e) < 0)
		return -1;
	cx_random(wrapped, NONCE);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
		wrapped + NONCE, NULL, stored, STORED, out->at, out->len, NULL,
		wrapped, key.at);
	buf_str(out, "secret ");
	put_base64(out, wrapped, WRAPPED);
	return 0;
}

int
cx_key_save(const struct cx_key *k, const char *path,
	    const struct cx_secret *passphrase, enum cx_cost cost,
	    struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret stored = CX_SECRET_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	char line[CX_PUB_LINE_ROOM];
	int r = 0;

	if (cx_secret_new(&stored, STORED, e) < 0)
		return -1;
	collapse(k, stored.at);
	cx_pub_line(&k->pub, line);
	buf_fmt(&out, "%s1\npublic %s\n", magic, line);
	if (passphrase != NULL) {
		r = put_protected(&out, stored.at, passphrase, cost, e);
	} else {
		buf_str(&out, "protection none\nsecret ");
		put_base64(&out, stored.at, STORED);
	}
	buf_str(&out, "\n");
	if (r == 0 && buf_ok(&out, e) == 0)
		r = io_put(path, out.at, out.len, 0600, e);
	else
		r = -1;
	cx_wipe(out.at, out.len);
	return r;
}

/* The lines of a KEY file that are no comments; they point into its text. */
struct parts {
	char *magic, *public, *protection, *secret;
};

static int
split(const char *name, char *text, struct parts *ret, struct err *e)
{
	char **part[] = { &ret->magic, &ret->public, &ret->protection,
			  &ret->secret };
	size_t n = 0;

	for (char *line; (line = strsep(&text, "\n")) != NULL;) {
		if (*line == '#' || *line == '\0')
			continue;
		if (n == 0 && strncmp(line, "hpub", 4) == 0)
			return err_set(e, ERR_CORRUPT, "%s: is a public key; "
				       "give the private one", name);
		if (n == 0 && strncmp(line, magic, strlen(magic)) != 0)
			break;
		if (n == sizeof(part) / sizeof(*part))
			return err_set(e, ERR_CORRUPT,
				       "%s: key file has too many lines", name);
		*part[n++] = line;
	}
	if (n == 0)
		return err_set(e, ERR_CORRUPT, "%s: is no key file", name);
	if (strcmp(ret->magic + strlen(magic), "1") != 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: key file is of a newer "
			       "version; this program knows 1", name);
	if (n != sizeof(part) / sizeof(*part))
		return err_set(e, ERR_CORRUPT, "%s: key file is cut off", name);
	return 0;
}

/* What follows `word` and a space in the line, or NULL. */
static const char *
after(const char *line, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(line, word, n) != 0 || line[n] != ' ')
		return NULL;
	return line + n + 1;
}

/* Exactly len bytes of base64. */
static bool
get_base64(const char *text, uint8_t *out, size_t len)
{
	size_t got;

	return sodium_base642bin(out, len, text, strlen(text), NULL, &got, NULL,
				 BASE64) == 0 && got == len;
}

/* "3 262144 SALT" */
static int
read_argon(const char *name, const char *text, struct argon *ret, struct err *e)
{
	SCOPED_FREE char *copy = mem_str(text, e);
	char *rest = copy;

	if (copy == NULL)
		return -1;

	const char *passes = strsep(&rest, " ");
	const char *kib = strsep(&rest, " ");

	if (kib == NULL || rest == NULL ||
	    !num_parse(passes, 1, UINT32_MAX, false, &ret->passes) ||
	    !num_parse(kib, 8, UINT32_MAX, false, &ret->kib) ||
	    !get_base64(rest, ret->salt, SALT))
		return err_set(e, ERR_CORRUPT, "%s: key file has a damaged "
			       "protection line", name);
	if (ret->passes > 64 || ret->kib > 4 << 20)
		return err_set(e, ERR_UNSUPPORTED, "%s: its passphrase needs "
			       "more work than this program does", name);
	return 0;
}

/* Open the secret line of a protected file. */
static int
unprotect(const char *name, const struct parts *p, const struct argon *a,
	  const struct cx_secret *passphrase, uint8_t stored[STORED],
	  struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;
	BUF_SCOPED struct buf ad = BUF_EMPTY;
	const char *text = after(p->secret, "secret");
	uint8_t wrapped[WRAPPED];

	buf_fmt(&ad, "%s\n%s\n%s\n", p->magic, p->public, p->protection);
	if (buf_ok(&ad, e) < 0)
		return -1;
	if (text == NULL || !get_base64(text, wrapped, WRAPPED))
		return err_set(e, ERR_CORRUPT,
			       "%s: key file has a damaged secret line", name);
	if (stretch(passphrase, a, &key, e) < 0)
		return -1;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    stored, NULL, NULL, wrapped + NONCE, STORED + TAG, ad.at,
		    ad.len, wrapped, key.at) != 0)
		return err_set(e, ERR_AUTH, "%s: wrong passphrase, or the file "
			       "was changed", name);
	return 0;
}

static int
read_secret(const char *name, const struct parts *p, int passphrase_fd,
	    cx_ask *ask, uint8_t stored[STORED], bool *ret_protected,
	    struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret passphrase = CX_SECRET_EMPTY;
	const char *plain = after(p->secret, "secret");
	const char *how = after(p->protection, "protection");
	const char *argon = how == NULL ? NULL : after(how, "argon2id");
	struct argon a;

	if (how != NULL && strcmp(how, "none") == 0) {
		if (plain == NULL || !get_base64(plain, stored, STORED))
			return err_set(e, ERR_CORRUPT, "%s: key file has a "
				       "damaged secret line", name);
		*ret_protected = false;
		return 0;
	}
	if (argon == NULL)
		return err_set(e, how == NULL ? ERR_CORRUPT : ERR_UNSUPPORTED,
			       "%s: key file has an unknown protection", name);
	if (read_argon(name, argon, &a, e) < 0)
		return -1;
	if (passphrase_fd >= 0) {
		if (cx_passphrase_read(passphrase_fd, &passphrase, e) < 0)
			return -1;
	} else if (ask(name, &passphrase, e) < 0) {
		return -1;
	}
	*ret_protected = true;
	return unprotect(name, p, &a, &passphrase, stored, e);
}

/* The text as a string in memory of its own, which the parts point into. */
static int
read_parts(const char *name, const void *text, size_t len,
	   struct cx_secret *ret_text, struct parts *ret, struct err *e)
{
	if (len > FILE_MAX || (len > 0 && memchr(text, 0, len) != NULL))
		return err_set(e, ERR_CORRUPT, "%s: is no key file", name);
	if (cx_secret_new(ret_text, len + 1, e) < 0)
		return -1;
	if (len > 0)
		memcpy(ret_text->at, text, len);
	return split(name, (char *)ret_text->at, ret, e);
}

static int
read_public(const char *name, const struct parts *p, struct cx_pub *ret,
	    struct err *e)
{
	const char *line = after(p->public, "public");

	if (line == NULL)
		return err_set(e, ERR_CORRUPT,
			       "%s: key file has no public line", name);
	return cx_pub_parse(name, line, ret, e);
}

int
cx_key_parse(const char *name, const void *text, size_t len, int passphrase_fd,
	     cx_ask *ask, struct cx_key *ret, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret copy = CX_SECRET_EMPTY;
	CX_SECRET_SCOPED struct cx_secret stored = CX_SECRET_EMPTY;
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	struct parts p = { .magic = NULL };
	struct cx_pub pub;
	bool is_protected;

	if (read_parts(name, text, len, &copy, &p, e) < 0 ||
	    read_public(name, &p, &pub, e) < 0 ||
	    cx_secret_new(&stored, STORED, e) < 0 ||
	    read_secret(name, &p, passphrase_fd, ask, stored.at, &is_protected,
			e) < 0 ||
	    expand(stored.at, &k, e) < 0)
		return -1;
	if (!cx_same(k.pub.id, pub.id, sizeof(pub.id)))
		return err_set(e, ERR_CORRUPT, "%s: the private key does not "
			       "belong to the public one", name);
	k.pub = pub;
	k.is_protected = is_protected;
	*ret = TAKE(k);
	return 0;
}

int
cx_key_load(const char *path, int passphrase_fd, cx_ask *ask,
	    struct cx_key *ret, struct err *e)
{
	SCOPED_FREE uint8_t *text = NULL;
	size_t len;
	int r;

	if (io_slurp(path, FILE_MAX, &text, &len, e) < 0)
		return -1;
	r = cx_key_parse(path, text, len, passphrase_fd, ask, ret, e);
	cx_wipe(text, len);
	return r;
}

int
cx_key_load_pub(const char *path, struct cx_pub *ret, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret copy = CX_SECRET_EMPTY;
	SCOPED_FREE uint8_t *text = NULL;
	struct parts p = { .magic = NULL };
	size_t len;
	int r;

	if (io_slurp(path, FILE_MAX, &text, &len, e) < 0)
		return -1;
	r = read_parts(path, text, len, &copy, &p, e);
	cx_wipe(text, len);
	return r < 0 ? -1 : read_public(path, &p, ret, e);
}
