/* cache.c - see cache.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/cache.h"

#include <pthread.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/map.h"

#define LEAST_SLOTS 16

struct slot {
	struct st_id id;
	struct buf data;
	unsigned users;
	bool is_used;		/* holds a chunk */
	bool again;		/* asked for since the hand last passed */
	int next;		/* in its bucket, or -1 */
};

struct st_cache {
	pthread_mutex_t lock;
	struct slot *slot;
	int *bucket;		/* first slot of each, or -1 */
	size_t slots, hand;
};

struct st_cache *
st_cache_new(size_t bytes, struct err *e)
{
	ST_CACHE_SCOPED struct st_cache *c = mem_array(1, sizeof(*c), e);

	if (c == NULL)
		return NULL;
	(void)pthread_mutex_init(&c->lock, NULL);
	size_t n = bytes / ST_CHUNK_MAX;
	if (n < LEAST_SLOTS)
		n = LEAST_SLOTS;
	c->slot = mem_array(n, sizeof(*c->slot), e);
	c->bucket = mem_array(n, sizeof(*c->bucket), e);
	if (c->slot == NULL || c->bucket == NULL)
		return NULL;
	c->slots = n;
	for (size_t i = 0; i < n; i++)
		c->bucket[i] = -1;
	return TAKE(c);
}

void
st_cache_free(struct st_cache *const *c)
{
	struct st_cache *x = *c;

	if (x == NULL)
		return;
	for (size_t i = 0; i < x->slots; i++)
		buf_done(&x->slot[i].data);
	free(x->slot);
	free(x->bucket);
	(void)pthread_mutex_destroy(&x->lock);
	free(x);
}

static int *
bucket_of(struct st_cache *c, const struct st_id *id)
{
	size_t v;

	memcpy(&v, id->at, sizeof(v));
	return &c->bucket[v % c->slots];
}

static int
find(struct st_cache *c, const struct st_id *id)
{
	int i = *bucket_of(c, id);

	while (i >= 0 && !st_id_equal(&c->slot[i].id, id))
		i = c->slot[i].next;
	if (i >= 0) {
		c->slot[i].users++;
		c->slot[i].again = true;
	}
	return i;
}

int
st_cache_find(struct st_cache *c, const struct st_id *id)
{
	(void)pthread_mutex_lock(&c->lock);
	int i = find(c, id);
	(void)pthread_mutex_unlock(&c->lock);
	return i;
}

static void
unlink_slot(struct st_cache *c, int i)
{
	int *at = bucket_of(c, &c->slot[i].id);

	while (*at != i)
		at = &c->slot[*at].next;
	*at = c->slot[i].next;
	c->slot[i].is_used = false;
}

/* A slot to fill, or -1 when two rounds of the hand find all of them held. */
static int
victim(struct st_cache *c)
{
	for (size_t n = 0; n < 2 * c->slots; n++) {
		int i = (int)c->hand;
		struct slot *s = &c->slot[i];

		c->hand = (c->hand + 1) % c->slots;
		if (!s->is_used)
			return i;
		if (s->users > 0)
			continue;
		if (!s->again) {
			unlink_slot(c, i);
			return i;
		}
		s->again = false;
	}
	return -1;
}

int
st_cache_put(struct st_cache *c, const struct st_id *id, struct buf *b)
{
	(void)pthread_mutex_lock(&c->lock);
	int i = find(c, id);	/* another thread may have been first */
	if (i < 0 && (i = victim(c)) >= 0) {
		struct slot *s = &c->slot[i];
		struct buf was = s->data;
		int *bucket = bucket_of(c, id);

		s->data = *b;
		*b = was;
		b->len = 0;
		s->id = *id;
		s->users = 1;
		s->is_used = true;
		s->again = false;
		s->next = *bucket;
		*bucket = i;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return i;
}

const struct buf *
st_cache_at(const struct st_cache *c, int slot)
{
	return &c->slot[slot].data;
}

void
st_cache_release(struct st_cache *c, int slot)
{
	(void)pthread_mutex_lock(&c->lock);
	c->slot[slot].users--;
	(void)pthread_mutex_unlock(&c->lock);
}
