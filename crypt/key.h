/* key.h - key pairs, the files that hold them, and lists of public keys
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A KEY file is a person's or a machine's identity: an X25519 pair, to which
 * others seal, and an Ed25519 pair, which signs.  Its public half is one line
 * of text, so a list of recipients or of trusted signers is a text file; lines
 * beginning with # and empty lines are comments.  docs/FORMAT.md, "Keys, sealing and
 * signatures", has both formats.
 */
#ifndef CRYPT_KEY_H
#define CRYPT_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "crypt/secret.h"

struct err;

enum {
	CX_KEYID_BYTES = 8,
	CX_KEYID_ROOM = 2 * CX_KEYID_BYTES + 1,
	CX_PUB_LINE_ROOM = 256,		/* a public key line with its NUL */
	CX_PUBS_MAX = 65536,		/* public keys in one list */
	CX_PASSPHRASE_MAX = 1023,	/* bytes */
};

struct cx_pub {
	uint8_t seal[32];		/* X25519 */
	uint8_t sign[32];		/* Ed25519 */
	uint8_t id[CX_KEYID_BYTES];	/* a hash of both */
	char name[64];			/* printable ASCII; not authenticated */
};

struct cx_key {
	struct cx_pub pub;
	struct cx_secret secret;	/* X25519 scalar 32, Ed25519 key 64 */
	bool is_protected;		/* the file it came from had a passphrase */
};

#define CX_KEY_EMPTY { .secret = CX_SECRET_EMPTY }
#define CX_KEY_SCOPED SCOPED(cx_key_done)

void cx_key_done(struct cx_key *k);

/* A new identity.  `name` goes into the public line; unprintable characters and
 * what is too long are dropped. */
MUST_CHECK int cx_key_make(struct cx_key *ret, const char *name, struct err *e);

/* How a passphrase is turned into a key: Argon2id with ... */
enum cx_cost {
	CX_COST_NORMAL,		/* 3 passes over 256 MiB: about a second */
	CX_COST_LEAST,		/* 1 pass over 8 MiB: tests */
};

/* The identity that a symmetric key stands for: who has that, can open what was
 * sealed to it. */
MUST_CHECK int cx_key_derive(struct cx_key *ret, const uint8_t from[CX_KEY_BYTES],
			     const char *name, struct err *e);

/* Write KEY (mode 0600) protected by a passphrase, or unprotected when it is
 * NULL.  An existing file is replaced. */
MUST_CHECK int cx_key_save(const struct cx_key *k, const char *path,
			   const struct cx_secret *passphrase,
			   enum cx_cost cost, struct err *e);

/* The public line without a newline. */
void cx_pub_line(const struct cx_pub *p, char line[CX_PUB_LINE_ROOM]);

/* Write PATH as a public key file (mode 0644). */
MUST_CHECK int cx_pub_save(const struct cx_pub *p, const char *path,
			   struct err *e);

/*
 * Ask somebody for a passphrase: `what` names the thing it opens.  Rooms take
 * such a function because they never talk; cx_ask_terminal is the one that
 * programs pass.  It asks on the terminal without echo, and is ERR_USAGE that
 * names --passphrase-fd when there is none.
 */
typedef int cx_ask(const char *what, struct cx_secret *ret, struct err *e);
cx_ask cx_ask_terminal;

/* One line from a descriptor, without its newline; a second call reads the
 * second line.  Empty or too long is ERR_USAGE. */
MUST_CHECK int cx_passphrase_read(int fd, struct cx_secret *ret, struct err *e);

/*
 * Read a KEY file.  The passphrase, if it needs one, is a line from
 * passphrase_fd, or comes from `ask` when that is -1.  ERR_CORRUPT: no key
 * file; ERR_UNSUPPORTED: a newer one; ERR_AUTH: wrong passphrase.
 */
MUST_CHECK int cx_key_load(const char *path, int passphrase_fd, cx_ask *ask,
			   struct cx_key *ret, struct err *e);

/* The same from bytes, which `name` names in messages. */
MUST_CHECK int cx_key_parse(const char *name, const void *text, size_t len,
			    int passphrase_fd, cx_ask *ask, struct cx_key *ret,
			    struct err *e);

/*
 * Hand an open key to another process of ours through a pipe, which holds it
 * whole, so that giving never waits; and take it there.  What goes through: the
 * X25519 and Ed25519 public halves, the key id, the secret half.
 */
MUST_CHECK int cx_key_give(const struct cx_key *k, int pipe, struct err *e);
MUST_CHECK int cx_key_take(int pipe, struct cx_key *ret, struct err *e);

/* The public half of a KEY file: needs no passphrase. */
MUST_CHECK int cx_key_load_pub(const char *path, struct cx_pub *ret,
			       struct err *e);

/* A list of public keys without duplicates. */
struct cx_pubs {
	struct cx_pub *at;	/* owned */
	size_t count, cap;
};

#define CX_PUBS_EMPTY { .at = NULL }
#define CX_PUBS_SCOPED SCOPED(cx_pubs_done)

void cx_pubs_done(struct cx_pubs *l);

/* Add one, unless it is there. */
MUST_CHECK int cx_pubs_add(struct cx_pubs *l, const struct cx_pub *p,
			   struct err *e);

/* Add those of text, one a line; at least one. */
MUST_CHECK int cx_pubs_parse(struct cx_pubs *l, const char *name,
			     const void *text, size_t len, struct err *e);

/*
 * Add those of each path, as -R and --by name them: a file of one or more, or a
 * directory, which means its *.pub in the order of their names.
 */
MUST_CHECK int cx_pubs_load(struct cx_pubs *l, const char *const *paths,
			    size_t count, struct err *e);

/* The entry with this signing key, or NULL. */
const struct cx_pub *cx_pubs_signer(const struct cx_pubs *l,
				    const uint8_t sign[32]);

/*
 * Whom this user trusts as a signer: the paths of --by; else the list in
 * $XDG_CONFIG_HOME/halcyon/trust.pub (~/.config), else in
 * /etc/halcyon/trust.pub; else nobody, and *ret stays empty.
 */
MUST_CHECK int cx_trust_load(struct cx_pubs *ret, const char *const *by,
			     size_t count, struct err *e);

#endif /* CRYPT_KEY_H */
