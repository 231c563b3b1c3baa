/* hash.h - SHA-256, for telling bytes apart
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * FIPS 180-4.  For the rooms below crypt/, which know no keys.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { HASH_BYTES = 32 };

struct hash {
	uint32_t state[8];
	uint64_t total;		/* bytes so far */
	uint8_t block[64];	/* the last total % 64 of them */
};

void hash_begin(struct hash *h);
void hash_add(struct hash *h, const void *p, size_t n);
void hash_end(struct hash *h, uint8_t ret[HASH_BYTES]);

/* All at once. */
void hash_of(const void *p, size_t n, uint8_t ret[HASH_BYTES]);

/* As lower-case hexadecimal text. */
void hash_text(const uint8_t hash[HASH_BYTES], char ret[2 * HASH_BYTES + 1]);

#endif /* BASE_HASH_H */
