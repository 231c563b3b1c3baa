/* repo-private.h - what the files of store/ know of a repository
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef STORE_REPO_PRIVATE_H
#define STORE_REPO_PRIVATE_H

#include <pthread.h>

#include "base/attr.h"
#include "crypt/key.h"
#include "crypt/secret.h"
#include "store/index.h"
#include "store/repo.h"

struct buf;
struct err;

enum {
	ST_OPEN_PACKS = 64,	/* descriptors of packs kept open */
	ST_FILE_MAX = 64 << 20,	/* bytes of a manifest or clear list */
};

/* Keys made from the repository key. */
enum st_root_key { ST_ROOT_CHUNK_IDS, ST_ROOT_CHUNK_KEYS, ST_ROOT_LINES,
		   ST_ROOT_KEYS };

/* An open pack. */
struct st_open_pack {
	struct st_id id;
	int fd;
	unsigned users;
	uint64_t used;		/* when, to find the oldest */
};

struct st_repo {
	char *path;
	enum st_repo_kind kind;
	uint8_t domain[16];
	bool has_domain;
	int lock;		/* -1 when there is no lock file to open */
	bool is_writing;
	const struct cx_key *key;	/* not owned */
	struct cx_secret root;	/* the repository key; empty unless admin */
	struct cx_secret derived;	/* ST_ROOT_KEYS keys of 32 bytes */
	struct cx_pubs admins;	/* empty unless admin; a client's recipients */

	pthread_rwlock_t index_lock;
	struct st_index index;
	bool index_is_open;

	pthread_mutex_t pack_lock;
	struct st_open_pack pack[ST_OPEN_PACKS];
	uint64_t clock;
};

/* "REPO/" and what the format says; the caller frees it. */
MUST_CHECK PRINTF(3, 4) char *st_repo_file(const struct st_repo *r,
					   struct err *e, const char *fmt, ...);

/* One of the keys made from the repository key; NULL unless admin. */
const uint8_t *st_repo_root_key(const struct st_repo *r, enum st_root_key which);

/* The repository key: made and sealed; opened with r->key. */
MUST_CHECK int st_repo_key_make(const char *path, const uint8_t domain[16],
				const struct cx_pubs *to, struct err *e);
MUST_CHECK int st_repo_key_open(struct st_repo *r, struct err *e);
/* Is its file whole?  Needs no key. */
MUST_CHECK int st_repo_key_check(const struct st_repo *r, struct err *e);

/* The hash at the end of a file of keys: put it there; check it, and take it off
 * the length. */
MUST_CHECK int st_put_sum(struct buf *b, struct err *e);
MUST_CHECK int st_take_sum(const char *path, const void *in, size_t *len,
			   struct err *e);

/* Locks: the writer's; all readers out (1 got it, 0 there are some). */
MUST_CHECK int st_repo_lock_write(struct st_repo *r, struct err *e);
void st_repo_unlock_write(struct st_repo *r);
MUST_CHECK int st_repo_lock_alone(struct st_repo *r, struct err *e);
void st_repo_unlock_alone(struct st_repo *r);

/* The index, opened at the first call.  Between _get and _put it stays as it
 * is. */
MUST_CHECK const struct st_index *st_repo_index_get(struct st_repo *r,
						    struct err *e);
void st_repo_index_put(struct st_repo *r);
MUST_CHECK int st_repo_index_reload(struct st_repo *r, struct err *e);
/* When a record is not where the index says: let what is in memory list exactly
 * the packs that are there, by reading the headers of those that no sound
 * fragment lists. */
MUST_CHECK int st_repo_index_mend(struct st_repo *r, struct err *e);
MUST_CHECK int st_repo_index_added(struct st_repo *r, const struct st_id *id,
				   struct err *e);

/* The packs in the directory, sorted by id. */
struct st_pack_file {
	struct st_id id;
	uint64_t len;
};

struct st_pack_files {
	struct st_pack_file *at;
	size_t count, cap;
};

#define ST_PACK_FILES_EMPTY { .at = NULL }
#define ST_PACK_FILES_SCOPED SCOPED(st_pack_files_done)

void st_pack_files_done(struct st_pack_files *l);
MUST_CHECK int st_repo_pack_files(const struct st_repo *r,
				  struct st_pack_files *ret, struct err *e);

/* The header and body at a place, replacing *out. */
MUST_CHECK int st_repo_read_place(struct st_repo *r, const struct st_place *p,
				  struct buf *out, struct err *e);

/* Forget open packs: some are going away. */
void st_repo_close_packs(struct st_repo *r);

#endif /* STORE_REPO_PRIVATE_H */
