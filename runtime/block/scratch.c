/* scratch.c - a guest's writes in memory, gone when the server ends
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/block/scratch.h"

#include <errno.h>
#include <pthread.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/scope.h"
#include "store/image.h"

struct bd_scratch {
	struct st_image *base;
	pthread_mutex_t lock;
	uint8_t **block;	/* NULL: as in the base */
	uint64_t blocks, size, left;
};

struct bd_scratch *
bd_scratch_new(struct st_image *base, uint64_t max, struct err *e)
{
	struct bd_scratch *s = mem_array(1, sizeof(*s), e);

	if (s == NULL)
		return NULL;
	s->base = base;
	s->size = st_image_size(base);
	s->blocks = s->size / BD_SCRATCH_BLOCK + 1;
	s->left = max / BD_SCRATCH_BLOCK;
	s->block = mem_array(s->blocks, sizeof(*s->block), e);
	if (s->block == NULL) {
		free(s);
		return NULL;
	}
	(void)pthread_mutex_init(&s->lock, NULL);
	return s;
}

void
bd_scratch_free(struct bd_scratch *const *s)
{
	if (*s == NULL)
		return;
	for (uint64_t i = 0; i < (*s)->blocks; i++)
		free((*s)->block[i]);
	free((*s)->block);
	(void)pthread_mutex_destroy(&(*s)->lock);
	free(*s);
}

/* Call with the lock.  The block with the base's bytes in it. */
static uint8_t *
own(struct bd_scratch *s, uint64_t n, struct err *e)
{
	uint64_t at = n * BD_SCRATCH_BLOCK;
	uint8_t *b;

	if (s->block[n] != NULL)
		return s->block[n];
	if (s->left == 0) {
		errno = ENOSPC;
		(void)err_sys(e, "what the guest wrote");
		return NULL;
	}
	b = mem_array(1, BD_SCRATCH_BLOCK, e);
	if (b == NULL)
		return NULL;
	if (st_image_read(s->base, b, (size_t)num_min(BD_SCRATCH_BLOCK,
						      s->size - at), at, e) < 0) {
		free(b);
		return NULL;
	}
	s->left--;
	s->block[n] = b;
	return b;
}

int
bd_scratch_read(struct bd_scratch *s, void *buf, size_t len, uint64_t at,
		struct err *e)
{
	uint8_t *to = buf;
	int r = st_image_read(s->base, buf, len, at, e);

	(void)pthread_mutex_lock(&s->lock);
	while (r == 0 && len > 0) {
		size_t in = (size_t)(at % BD_SCRATCH_BLOCK);
		size_t n = (size_t)num_min(len, BD_SCRATCH_BLOCK - in);
		const uint8_t *b = s->block[at / BD_SCRATCH_BLOCK];

		if (b != NULL)
			memcpy(to, b + in, n);
		to += n;
		at += n;
		len -= n;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}

int
bd_scratch_write(struct bd_scratch *s, const void *buf, size_t len, uint64_t at,
		 struct err *e)
{
	const uint8_t *from = buf;
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	while (r == 0 && len > 0) {
		size_t in = (size_t)(at % BD_SCRATCH_BLOCK);
		size_t n = (size_t)num_min(len, BD_SCRATCH_BLOCK - in);
		uint8_t *b = own(s, at / BD_SCRATCH_BLOCK, e);

		if (b == NULL) {
			r = -1;
			break;
		}
		memcpy(b + in, from, n);
		from += n;
		at += n;
		len -= n;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return r;
}
