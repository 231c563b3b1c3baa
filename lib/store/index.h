/* index.h - which record lies in which pack
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An index is a set of fragments, files written once and named by their hash.
 * A fragment lists the records of some packs, sorted by name, and is looked
 * into where it lies (mapped), so opening one costs nothing however large it
 * is.  Fragments need no key and hold no secret; a lost one is made again from
 * its packs.  What a fragment says is only a hint: the record found says who it
 * is, and is authenticated.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "store/id.h"
#include "store/pack.h"

struct buf;
struct err;

/* A pack as a fragment lists it. */
struct st_pack_info {
	struct st_id id;
	uint32_t len;			/* bytes of the file */
	uint32_t records;
};

/* A record and its pack. */
struct st_place {
	struct st_entry entry;
	struct st_pack_info pack;
};

struct st_fragment;

struct st_index {
	struct st_fragment *fragment;	/* owned; newest last */
	size_t count, cap;
};

#define ST_INDEX_EMPTY { .fragment = NULL }
#define ST_INDEX_SCOPED SCOPED(st_index_done)

void st_index_done(struct st_index *ix);

/* Map all fragments of the directory `dir` (as at this moment; `ix` is empty
 * before), which may be missing.  A file that is no fragment is left out: its
 * packs are then listed nowhere, and st_repo_mend_*() finds them. */
MUST_CHECK int st_index_open(struct st_index *ix, const char *dir,
			     struct err *e);

/* Map one more, named `id`. */
MUST_CHECK int st_index_add(struct st_index *ix, const char *dir,
			    const struct st_id *id, struct err *e);

/* Does a fragment have the bytes that its name says?  Reads all of it. */
bool st_index_sound(const struct st_index *ix, size_t fragment);

/* Take a fragment out of `ix`; its file stays. */
void st_index_drop(struct st_index *ix, size_t fragment);

/* 1 found, 0 not there, -1 the fragment is damaged. */
MUST_CHECK int st_index_find(const struct st_index *ix, const struct st_id *id,
			     struct st_place *ret, struct err *e);

/* The packs and records of all fragments together; a pack may be listed twice.
 */
size_t st_index_packs(const struct st_index *ix);
MUST_CHECK int st_index_pack(const struct st_index *ix, size_t i,
			     struct st_pack_info *ret, struct err *e);

/* The name of a fragment, and its number of records. */
const struct st_id *st_index_id(const struct st_index *ix, size_t fragment);
uint64_t st_index_records(const struct st_index *ix, size_t fragment);

/* Its number of packs; fragment by fragment, st_index_pack() counts them. */
size_t st_index_fragment_packs(const struct st_index *ix, size_t fragment);

/* Records of packs, to be made into a fragment. */
struct st_index_new {
	struct st_pack_info *pack;
	size_t packs, pack_cap;
	struct st_index_record {
		struct st_entry entry;
		uint32_t pack;		/* number in the array above */
	} *record;
	size_t records, record_cap;
};

#define ST_INDEX_NEW_EMPTY { .pack = NULL }
#define ST_INDEX_NEW_SCOPED SCOPED(st_index_new_done)

void st_index_new_done(struct st_index_new *n);

MUST_CHECK int st_index_new_pack(struct st_index_new *n,
				 const struct st_pack_info *pack,
				 const struct st_entries *entries,
				 struct err *e);

/* All that a fragment of `ix` lists, but the packs for which `skip` says true
 * (NULL: none). */
MUST_CHECK int st_index_new_merge(struct st_index_new *n,
				  const struct st_index *ix, size_t fragment,
				  bool (*skip)(void *arg, const struct st_id *pack),
				  void *arg, struct err *e);

/* Write it into `dir`; sorts n.  *ret_id is its name. */
MUST_CHECK int st_index_new_write(struct st_index_new *n, const char *dir,
				  struct st_id *ret_id, struct err *e);

/* Add it to `ix` as a fragment that has no file; sorts n. */
MUST_CHECK int st_index_add_new(struct st_index *ix, struct st_index_new *n,
				struct err *e);

/* The bytes of a fragment, for tests. */
MUST_CHECK int st_index_new_encode(struct st_index_new *n, struct buf *out,
				   struct err *e);

#endif /* STORE_INDEX_H */
