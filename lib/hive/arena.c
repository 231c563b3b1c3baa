/* arena.c - memory that lives as long as the hive
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/hive-private.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

enum { CHUNK = 256 << 10, ALIGN = 16 };

struct hv_chunk {
	struct hv_chunk *next;
	_Alignas(ALIGN) uint8_t at[];
};

/* A chunk of its own for what is large, so that no chunk is half lost. */
static uint8_t *
chunk_new(struct hv_arena *a, size_t size, struct err *e)
{
	struct hv_chunk *c;

	if (size > SIZE_MAX - sizeof(*c)) {
		(void)err_set(e, ERR_NOMEM, "no memory for %zu bytes", size);
		return NULL;
	}
	c = mem_array(1, sizeof(*c) + size, e);
	if (c == NULL)
		return NULL;
	c->next = a->chunks;
	a->chunks = c;
	return c->at;
}

void *
hv_arena_new(struct hv_arena *a, size_t size, struct err *e)
{
	uint64_t want;

	if (!num_align_up(size > 0 ? size : 1, ALIGN, &want))
		return chunk_new(a, SIZE_MAX, e);
	if (want > CHUNK / 4)
		return chunk_new(a, size, e);
	if (want > a->left) {
		uint8_t *p = chunk_new(a, CHUNK, e);

		if (p == NULL)
			return NULL;
		a->at = p;
		a->left = CHUNK;
	}
	uint8_t *p = a->at;
	a->at += want;
	a->left -= want;
	return p;
}

uint8_t *
hv_arena_copy(struct hv_arena *a, const void *at, size_t len, struct err *e)
{
	uint8_t *p = hv_arena_new(a, len, e);

	if (p != NULL && len > 0)
		memcpy(p, at, len);
	return p;
}

void
hv_arena_done(struct hv_arena *a)
{
	for (struct hv_chunk *c = a->chunks, *next; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	*a = (struct hv_arena){ .chunks = NULL };
}
