/* names.c - see names.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/names.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"

enum { SLOTS_LEAST = 256 };

void
pm_names_done(struct pm_names *n)
{
	for (size_t i = 0; i < n->slots; i++)
		free(n->slot[i]);
	free(n->slot);
	*n = (struct pm_names)PM_NAMES_EMPTY;
}

/* Bytes that are not ASCII do not count, so that their case cannot matter. */
WRAPS static size_t
hash(const char *path)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *path != '\0'; path++)
		if ((unsigned char)*path < 0x80)
			h = (h ^ (uint64_t)tolower((unsigned char)*path)) *
				UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 29);
}

/* The slot that holds it, or the empty one where it belongs. */
static size_t
find(char *const *slot, size_t slots, const char *path)
{
	size_t i = hash(path) & (slots - 1);

	while (slot[i] != NULL && !utf_same8(slot[i], path))
		i = (i + 1) & (slots - 1);
	return i;
}

static int
grow(struct pm_names *n, struct err *e)
{
	size_t slots = n->slots == 0 ? SLOTS_LEAST : n->slots * 2;
	char **slot;

	if (n->count < n->slots / 2)
		return 0;
	slot = mem_array(slots, sizeof(*slot), e);
	if (slot == NULL)
		return -1;
	for (size_t i = 0; i < n->slots; i++)
		if (n->slot[i] != NULL)
			slot[find(slot, slots, n->slot[i])] = n->slot[i];
	free(n->slot);
	n->slot = slot;
	n->slots = slots;
	return 0;
}

int
pm_names_add(struct pm_names *n, const char *path, struct err *e)
{
	size_t i;

	if (grow(n, e) < 0)
		return -1;
	i = find(n->slot, n->slots, path);
	if (n->slot[i] != NULL)
		return 0;
	n->slot[i] = mem_str(path, e);
	if (n->slot[i] == NULL)
		return -1;
	n->count++;
	return 1;
}

bool
pm_names_has(const struct pm_names *n, const char *path)
{
	return n->slots != 0 &&
		n->slot[find(n->slot, n->slots, path)] != NULL;
}
