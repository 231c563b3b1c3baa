/* cache.h - decoded chunks, kept while there is room
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * For any number of threads.  A chunk that is found or put is held until it is
 * given back; what is not held makes room by second chance.
 */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "store/id.h"

struct buf;
struct err;
struct st_cache;

#define ST_CACHE_SCOPED SCOPED(st_cache_free)

/* At most `bytes` of chunks, but at least a few. */
MUST_CHECK struct st_cache *st_cache_new(size_t bytes, struct err *e);
void st_cache_free(struct st_cache *const *c);

/* The number of the slot that has the chunk, or -1. */
int st_cache_find(struct st_cache *c, const struct st_id *id);

/* Keep the bytes of *b, which gets a used buffer in exchange; -1, and *b
 * untouched, when every slot is held. */
int st_cache_put(struct st_cache *c, const struct st_id *id, struct buf *b);

/* The bytes of a slot that is held. */
const struct buf *st_cache_at(const struct st_cache *c, int slot);

void st_cache_release(struct st_cache *c, int slot);

#endif /* STORE_CACHE_H */
