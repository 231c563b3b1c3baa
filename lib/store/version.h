/* version.h - a version's manifest and its clear list
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The manifest says which line and number it is, and, encrypted, the root of
 * its map and what is known about it; it is signed, and is the same file in
 * every repository that has the version.  The clear list says which records of
 * which packs of this repository the version needs, so that checking and
 * collecting garbage need no key; it is made anew where packs are, and signed
 * by who made it.
 */
#ifndef STORE_VERSION_H
#define STORE_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "store/id.h"
#include "store/line.h"
#include "store/pack.h"
#include "store/repo.h"

struct buf;
struct err;

enum {
	ST_VERSION_EXACT = 1 << 0,	/* every bit of the disk it came from */
};

enum { ST_PROPS_MAX = 1024 };

/* What else is known, as words: source=, recipe=, platform.NAME=, step=, left-out-...=
 * Keys are unique and sorted. */
struct st_prop {
	char *key, *value;	/* owned; UTF-8 */
};

struct st_version {
	/* clear */
	uint8_t domain[ST_DOMAIN_BYTES];
	uint8_t line[ST_LINE_BYTES];
	char name[ST_NAME_MAX + 1];
	uint64_t number;
	struct st_id parent;		/* manifest it was made from, or zeros */
	uint8_t signer[32];		/* Ed25519; filled by parsing */
	/* encrypted with the line's key */
	struct st_id root;		/* ROOT record of the map */
	uint64_t size;			/* of the disk, in bytes */
	uint64_t created;		/* seconds since 1970 */
	uint32_t flags;			/* ST_VERSION_... */
	uint64_t data;			/* bytes of the disk that are not zeros */
	uint64_t added;			/* bytes of chunks it was the first to have */
	uint64_t stored;		/* what those took in packs */
	char *parent_text;		/* "win7-corp:2", or NULL; owned */
	struct st_prop *prop;
	size_t props, prop_cap;
};

#define ST_VERSION_EMPTY { .parent_text = NULL }
#define ST_VERSION_SCOPED SCOPED(st_version_done)

void st_version_done(struct st_version *v);

/* Set a property; the last value wins. */
MUST_CHECK int st_version_set(struct st_version *v, const char *key,
			      const char *value, struct err *e);
const char *st_version_get(const struct st_version *v, const char *key);

/* Properties of a version that was made for certain machines: this and the
 * machine's name; "YES", or "NO" and why it is not proven to boot there. */
#define ST_PROP_PLATFORM "platform."

/* 0, or ERR_UNSAFE with the first machine that it is not proven to boot on. */
MUST_CHECK int st_version_proven(const struct st_version *v, struct err *e);

/* The signed bytes of a manifest; its name is their hash. */
MUST_CHECK int st_version_encode(const struct st_version *v,
				 const struct st_line *line,
				 const struct cx_key *signer, struct buf *out,
				 struct st_id *ret_id, struct err *e);

/*
 * Read a manifest: shape and signature always, and with `line`, its key, the
 * encrypted part; without, that part stays empty.  `what` names it in messages.
 * Who may sign is for the caller to judge by ret->signer.
 */
MUST_CHECK int st_version_parse(const char *what, const void *in, size_t len,
				const struct st_line *line,
				struct st_version *ret, struct err *e);

/*
 * The manifest a ref leads to, checked against it: its bytes must have the
 * name, and it must say that line's name and number, else ERR_AUTH.  With
 * `line` not NULL the line is opened into it, and the encrypted part is read.
 */
MUST_CHECK int st_version_load(const struct st_repo *r, const struct st_ref *ref,
			       struct st_line *line, struct st_version *ret,
			       struct err *e);

/* The bytes of a manifest file as they are, for a delta to carry. */
MUST_CHECK int st_version_bytes(const struct st_repo *r, const struct st_id *id,
				uint8_t **ret, size_t *ret_len, struct err *e);

/* ---- clear lists ---- */

struct st_list_pack {
	struct st_id pack;
	uint32_t records;	/* of the pack */
	uint8_t *bit;		/* (records + 7) / 8 bytes; owned */
};

struct st_list {
	struct st_list_pack *at;	/* ascending by id */
	size_t count, cap;
	uint8_t signer[32];
};

#define ST_LIST_EMPTY { .at = NULL }
#define ST_LIST_SCOPED SCOPED(st_list_done)

void st_list_done(struct st_list *l);

/* Mark record `number` of a pack that has `records`; *hint is kept between
 * calls, and begins as 0. */
MUST_CHECK int st_list_mark(struct st_list *l, const struct st_id *pack,
			    uint32_t records, uint32_t number, size_t *hint,
			    struct err *e);

MUST_CHECK int st_list_encode(struct st_list *l, const struct st_id *version,
			      const struct cx_key *signer, struct buf *out,
			      struct err *e);
MUST_CHECK int st_list_parse(const char *what, const void *in, size_t len,
			     const struct st_id *version, struct st_list *ret,
			     struct err *e);
/* The list of a map: which records it leads to, and where they are now.
 * ERR_CORRUPT when one is missing. */
MUST_CHECK int st_version_list(struct st_repo *r, const struct st_line *line,
			       const struct st_id *root, struct st_list *ret,
			       struct err *e);

/* Write a version's list, signed with the repository's key. */
MUST_CHECK int st_version_put_list(const struct st_repo *r,
				   const struct st_id *version,
				   struct st_list *l, struct err *e);

/* ERR_CORRUPT when it is missing. */
MUST_CHECK int st_list_load(const struct st_repo *r, const struct st_id *version,
			    struct st_list *ret, struct err *e);

#endif /* STORE_VERSION_H */
