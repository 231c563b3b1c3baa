/* pe_version.c - see pe.h: what a file calls itself, and its version
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VS_VERSIONINFO is a tree of nodes: length, length of the value, type, a key in
 * UTF-16 with its NUL, the value and the nodes below, each aligned to four
 * bytes.  The value of the root is VS_FIXEDFILEINFO.
 */
#include "hal-neutral/pe.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/num.h"
#include "base/scope.h"
#include "base/utf.h"

enum { FIXED_SIGNATURE = (int)0xfeef04bd, DEPTH_MAX = 3, KEY_MAX = 32 };

/* Step to a multiple of four from the tree's beginning. */
static void
align(struct cur *c, size_t start)
{
	size_t odd = (c->off - start) % 4;

	if (odd != 0 && cur_left(c) > 0)
		(void)cur_sub(c, 4 - odd < cur_left(c) ? 4 - odd : cur_left(c));
}

/* A NUL-ended UTF-16 text as ASCII in lower case; what is not ASCII or too long
 * is "". */
static void
read_text(struct cur *c, char *ret, size_t size)
{
	size_t n = 0;
	bool fits = true;

	for (;;) {
		uint16_t u = cur_u16le(c);

		if (!cur_ok(c) || u == 0)
			break;
		fits = fits && u < 0x80 && n + 1 < size;
		if (fits)
			ret[n++] = (char)tolower((int)u);
	}
	ret[fits ? n : 0] = '\0';
}

static void
read_fixed(struct cur *c, struct hn_pe_version *v)
{
	uint32_t signature = cur_u32le(c), high, low;

	(void)cur_u32le(c);
	high = cur_u32le(c);
	low = cur_u32le(c);
	if (!cur_ok(c))
		return;
	if (signature != (uint32_t)FIXED_SIGNATURE) {
		cur_bad(c, "has no fixed version");
		return;
	}
	v->number[0] = (uint16_t)(high >> 16);
	v->number[1] = (uint16_t)(high & 0xffff);
	v->number[2] = (uint16_t)(low >> 16);
	v->number[3] = (uint16_t)(low & 0xffff);
}

/* The nodes that fill the cursor. */
static void
read_nodes(struct cur *c, size_t start, unsigned depth, struct hn_pe_version *v)
{
	while (cur_ok(c) && cur_left(c) >= 6) {
		size_t len = cur_u16le(c), value = cur_u16le(c);
		struct cur node;
		char key[KEY_MAX];

		(void)cur_u16le(c);
		if (len < 6) {
			cur_bad(c, "has a node that is too short");
			return;
		}
		node = cur_sub(c, len - 6);
		read_text(&node, key, sizeof(key));
		align(&node, start);
		if (depth == 0) {
			struct cur fixed = cur_sub(&node, value);

			read_fixed(&fixed, v);
			if (!cur_ok(&fixed))
				cur_bad(c, "has no fixed version");
			align(&node, start);
		}
		if (depth == DEPTH_MAX) {
			if (strcmp(key, "originalfilename") == 0)
				read_text(&node, v->original,
					  sizeof(v->original));
		} else if (cur_ok(&node)) {
			read_nodes(&node, start, depth + 1, v);
		}
		align(c, start);
	}
}

bool
hn_pe_version(const struct hn_pe *pe, const void *at, size_t len,
	      struct hn_pe_version *ret)
{
	struct hn_pe_version v = { .original = "" };
	const uint8_t *bytes = at;
	struct cur c;

	if (pe->version_len == 0 ||
	    !num_in_range(pe->version_at, pe->version_len, len))
		return false;
	c = cur_over("version", bytes + pe->version_at, pe->version_len);
	read_nodes(&c, c.off, 0, &v);
	if (!cur_ok(&c) || v.number[0] == 0)
		return false;
	*ret = v;
	return true;
}
