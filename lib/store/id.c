/* id.c - see id.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/id.h"

static const char digits[] = "0123456789abcdef";

const char *
st_id_hex(const struct st_id *id, char out[ST_ID_HEX])
{
	for (size_t i = 0; i < ST_ID_BYTES; i++) {
		out[2 * i] = digits[id->at[i] >> 4];
		out[2 * i + 1] = digits[id->at[i] & 15];
	}
	out[2 * ST_ID_BYTES] = '\0';
	return out;
}

bool
st_id_parse(const char *hex, struct st_id *ret)
{
	struct st_id id = { .at = { 0 } };

	if (strlen(hex) != 2 * ST_ID_BYTES)
		return false;
	for (size_t i = 0; i < 2 * ST_ID_BYTES; i++) {
		const char *d = strchr(digits, hex[i]);

		if (d == NULL)
			return false;
		id.at[i / 2] = (uint8_t)((unsigned)id.at[i / 2] << 4 |
					 (unsigned)(d - digits));
	}
	*ret = id;
	return true;
}

bool
st_id_named(const char *file, const char *suffix, struct st_id *ret)
{
	char hex[ST_ID_HEX];

	if (strlen(file) != ST_ID_HEX - 1 + strlen(suffix) ||
	    strcmp(file + ST_ID_HEX - 1, suffix) != 0)
		return false;
	memcpy(hex, file, ST_ID_HEX - 1);
	hex[ST_ID_HEX - 1] = '\0';
	return st_id_parse(hex, ret);
}
