/* repo.h - a repository: directory, domain, keys, names of versions
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 *	config			kind and features
 *	domain			which repository key named and encrypts its chunks
 *	lock			byte 0: the one writer; byte 1: readers against gc
 *	keys/repository		origin: the repository key, sealed to administrators
 *	keys/recipients.pub	client: to whom image keys are sealed
 *	keys/LINE.line		the image key of one line, sealed
 *	packs/ID.pack		records
 *	index/ID.index		which record lies in which pack
 *	versions/ID.version	a version's manifest
 *	versions/ID.list	its clear list of records in packs
 *	refs/NAME/NUMBER	one line: the ID of the version, or "removed"
 *	refs/NAME/tags/TAG	one line: a NUMBER and the ID of that version
 *
 * Every file but lock appears by rename and is never changed in place.  A
 * version exists from the moment its ref does; whatever no ref leads to is
 * left over from something interrupted, and goes with the next gc.
 */
#ifndef STORE_REPO_H
#define STORE_REPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "crypt/key.h"
#include "store/id.h"

struct buf;
struct err;
struct st_repo;

enum {
	ST_LINE_BYTES = 16,		/* identity of an image line */
	ST_NAME_MAX = 64,		/* characters of a line's name or a tag */
};

enum st_repo_kind {
	ST_REPO_ORIGIN = 1,	/* has a repository key, can import */
	ST_REPO_CLIENT = 2,	/* takes versions of an origin by deltas */
	ST_REPO_MIRROR = 3,	/* what an origin has pushed, for clients to pull */
};

#define ST_REPO_SCOPED SCOPED(st_repo_free)

/*
 * Make a repository at `path`, a directory that is empty or does not exist
 * (else ERR_USAGE).  An origin's new key is sealed to `to`; a client's image
 * keys will be.
 */
MUST_CHECK int st_repo_init(const char *path, enum st_repo_kind kind,
			    const struct cx_pubs *to, struct err *e);

/* Open for reading what is clear.  ERR_USAGE: no repository there; ERR_UNSUPPORTED: it
 * uses a feature this version does not know. */
MUST_CHECK struct st_repo *st_repo_open(const char *path, struct err *e);
void st_repo_free(struct st_repo *const *r);

/*
 * Use this private key from here on; `k` must outlive the repository.  In an
 * origin it also opens the repository key where it is an administrator's;
 * whether it was is told by st_repo_is_admin(), and is no error.
 */
MUST_CHECK int st_repo_unlock(struct st_repo *r, const struct cx_key *k,
			      struct err *e);
bool st_repo_is_admin(const struct st_repo *r);

/*
 * A mirror has no key of its own and is written by imgdelta push alone; anybody
 * may serve or copy its files.  These are the bytes of its config and of its
 * domain file.
 */
MUST_CHECK int st_mirror_config(struct buf *out, struct err *e);
MUST_CHECK int st_mirror_domain(struct buf *out, const uint8_t domain[16],
				struct err *e);

/* The path, kind and private key (NULL before st_repo_unlock()). */
const char *st_repo_path(const struct st_repo *r);
enum st_repo_kind st_repo_kind(const struct st_repo *r);
const struct cx_key *st_repo_key(const struct st_repo *r);

/* The domain, and whether there is one: a client has none before its first
 * version.  A client adopts one; another than it has is ERR_UNSAFE. */
bool st_repo_domain(const struct st_repo *r, uint8_t ret[16]);
MUST_CHECK int st_repo_adopt_domain(struct st_repo *r, const uint8_t domain[16],
				    struct err *e);

/* Is this key one of the repository's administrators?  Needs an administrator's
 * key; without one, true. */
bool st_repo_trusts(const struct st_repo *r, const uint8_t signer[32]);

/* ---- names ---------------------------------------------------------------
 * A line's name and a tag are 1 to ST_NAME_MAX letters, digits, '.', '_', '-', and
 * begin with a letter or digit; ".tmp." marks unfinished files and is in none; a
 * tag is not all digits. */

bool st_name_ok(const char *name);
bool st_tag_ok(const char *tag);

/* What NAME, NAME:VER or NAME:TAG leads to. */
struct st_ref {
	char name[ST_NAME_MAX + 1];
	uint64_t number;
	struct st_id version;
	bool removed;		/* `version` is then all zeros */
};

/* A list of refs, or of line names (number 0). */
struct st_refs {
	struct st_ref *at;	/* owned */
	size_t count, cap;
};

#define ST_REFS_EMPTY { .at = NULL }
#define ST_REFS_SCOPED SCOPED(st_refs_done)

void st_refs_done(struct st_refs *l);

/* ERR_USAGE when the text is no such word, ERR_NO when there is no such version. */
MUST_CHECK int st_ref_find(const struct st_repo *r, const char *text,
			   struct st_ref *ret, struct err *e);

/* All lines, by name; all versions of a line that were not removed, by number. */
MUST_CHECK int st_ref_lines(const struct st_repo *r, struct st_refs *ret,
			    struct err *e);
MUST_CHECK int st_ref_versions(const struct st_repo *r, const char *name,
			       struct st_refs *ret, struct err *e);
/* Every version of every line. */
MUST_CHECK int st_ref_all(const struct st_repo *r, struct st_refs *ret,
			  struct err *e);

/* Every number a line ever had; .removed and .version are not filled in, which
 * st_ref_read() does: 1 read, 0 there is no such ref, ERR_CORRUPT it is none. */
MUST_CHECK int st_ref_numbers(const struct st_repo *r, const char *name,
			      struct st_refs *ret, struct err *e);
MUST_CHECK int st_ref_read(const struct st_repo *r, struct st_ref *ref,
			   struct err *e);

/* The highest number a line ever had, 0 for a new line. */
MUST_CHECK int st_ref_last(const struct st_repo *r, const char *name,
			   uint64_t *ret, struct err *e);

/* Tags of a line: the number each stands for, its name in .name; or the names
 * alone. */
MUST_CHECK int st_ref_tags(const struct st_repo *r, const char *name,
			   struct st_refs *ret, struct err *e);
MUST_CHECK int st_ref_tag_names(const struct st_repo *r, const char *name,
				struct st_refs *ret, struct err *e);

/* The version a tag stands for, which may have been removed: 1 read, 0 there is no
 * such tag, ERR_CORRUPT when number and version do not fit each other. */
MUST_CHECK int st_ref_tag_read(const struct st_repo *r, const char *name,
			       const char *tag, struct st_ref *ret,
			       struct err *e);

/* Writers only.  A version is put once (ERR_UNSAFE when the number is taken by
 * another), a tag may be moved. */
MUST_CHECK int st_ref_put(struct st_repo *r, const struct st_ref *ref,
			  struct err *e);
MUST_CHECK int st_ref_remove(struct st_repo *r, const struct st_ref *ref,
			     struct err *e);
MUST_CHECK int st_ref_tag(struct st_repo *r, const struct st_ref *ref,
			  const char *tag, struct err *e);
MUST_CHECK int st_ref_untag(struct st_repo *r, const char *name,
			    const char *tag, struct err *e);

#endif /* STORE_REPO_H */
