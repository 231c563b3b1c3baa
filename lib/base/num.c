/* num.c - see num.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/num.h"

#include <string.h>

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* The power of two that a unit letter stands for, 0 for no unit, -1 for none
 * that we know. */
static int
unit_shift(const char *suffix)
{
	static const char letters[] = "KMGT";
	const char *at;

	if (*suffix == '\0')
		return 0;
	at = strchr(letters, *suffix);
	return at == NULL || suffix[1] != '\0' ? -1 : 10 * (int)(at - letters + 1);
}

bool
num_parse(const char *text, uint64_t min, uint64_t max, bool units,
	  uint64_t *ret)
{
	int base = strncmp(text, "0x", 2) == 0 ? 16 : 10;
	const char *p = base == 16 ? text + 2 : text;
	uint64_t v = 0;
	int shift;

	if (digit(*p) >= base)
		return false;
	for (; *p != '\0' && digit(*p) < base; p++)
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    !num_add_u64(v, (uint64_t)digit(*p), &v))
			return false;
	shift = unit_shift(p);
	if (shift < 0 || (shift > 0 && !units) || v > UINT64_MAX >> shift)
		return false;
	v <<= shift;
	if (v < min || v > max)
		return false;
	*ret = v;
	return true;
}
