/* id.h - 32 bytes that name something in a repository
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A chunk or map is named by a keyed BLAKE2b-256 of its plaintext, a pack,
 * manifest or index fragment by the plain BLAKE2b-256 of its file.
 */
#ifndef STORE_ID_H
#define STORE_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ST_ID_BYTES 32
#define ST_ID_HEX (2 * ST_ID_BYTES + 1)

struct st_id {
	uint8_t at[ST_ID_BYTES];
};

static inline bool
st_id_equal(const struct st_id *a, const struct st_id *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Lower-case hexadecimal with a NUL; returns out. */
const char *st_id_hex(const struct st_id *id, char out[ST_ID_HEX]);

/* The reverse of 64 digits and nothing else; false, *ret untouched, if not. */
bool st_id_parse(const char *hex, struct st_id *ret);

/* The id in a file's name, if it is one with that suffix (".pack"). */
bool st_id_named(const char *file, const char *suffix, struct st_id *ret);

#endif /* STORE_ID_H */
