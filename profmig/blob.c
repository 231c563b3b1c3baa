/* blob.c - paths inside binary registry values
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MAPI properties as Outlook's profiles hold them, each a binary value named by
 * type and number ("001f6700"): 001e is ANSI text, 001f UTF-16, 0102 binary (an
 * entry id, which ends with the path of its file), 1102 a list of those: a count,
 * a length and an offset for each, then their bytes.  Facts: [MS-OXCDATA] 2.11.1
 * for the types; the list's form as in real profiles of Outlook 14.
 */
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "profmig/settings-private.h"

enum { LIST_MAX = 4096 };

int
pm_value_blob(struct pm_value *v, struct err *e)
{
	BUF_SCOPED struct buf out = BUF_EMPTY;
	size_t hits;

	if (v->in.type != HV_BINARY)
		return pm_value_rewrite(v, false, e);
	if (pm_rewrite_blob(&v->from->move->paths, v->in.at, v->in.len, &out,
			    &hits, e) < 0)
		return -1;
	return hits == 0 ? 0 : pm_value_set(v, out.at, out.len, e);
}

/* The list with each element rewritten, in the order and with the alignment
 * that it had. */
static int
list(struct pm_value *v, struct err *e)
{
	struct cur c = cur_over("MAPI list", v->in.at, v->in.len);
	BUF_SCOPED struct buf head = BUF_EMPTY, body = BUF_EMPTY;
	const uint32_t n = cur_u32le(&c);
	size_t hits = 0;

	if (!cur_ok(&c) || n > LIST_MAX || cur_left(&c) / 8 < n)
		return pm_value_drop(v, "is of an unknown form", e);
	buf_u32le(&head, n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = cur_u32le(&c), at = cur_u32le(&c);
		const size_t start = 4 + 8 * (size_t)n + body.len;
		size_t one;

		if (!num_in_range(at, len, v->in.len))
			return pm_value_drop(v, "is of an unknown form", e);
		if (pm_rewrite_blob(&v->from->move->paths, v->in.at + at, len,
				    &body, &one, e) < 0)
			return -1;
		hits += one;
		buf_u32le(&head, (uint32_t)(4 + 8 * (size_t)n + body.len -
					    start));
		buf_u32le(&head, (uint32_t)start);
		buf_zeros(&body, (4 - body.len % 4) % 4);
	}
	buf_bytes(&head, body.at, body.len);
	if (buf_ok(&head, e) < 0 || buf_ok(&body, e) < 0)
		return -1;
	return hits == 0 ? 0 : pm_value_set(v, head.at, head.len, e);
}

int
pm_value_mapi(struct pm_value *v, struct err *e)
{
	if (v->in.type == HV_BINARY && strncmp(v->out->name, "1102", 4) == 0)
		return list(v, e);
	return pm_value_blob(v, e);
}

/* Does binary data name the old profile, in whatever form? */
static bool
holds(const uint8_t *at, size_t len, const char *path, size_t unit)
{
	const size_t n = strlen(path);

	for (size_t i = 0; n > 0 && num_in_range(i, n * unit, len); i++) {
		size_t k = 0;

		while (k < n && (unit == 1 || at[i + 2 * k + 1] == 0) &&
		       utf_upcase(at[i + unit * k]) ==
		       utf_upcase((unsigned char)path[k]))
			k++;
		if (k == n)
			return true;
	}
	return false;
}

bool
pm_names_old(const struct pm_move *m, const uint8_t *at, size_t len)
{
	/* A profile that stays where it was is not "old". */
	return !utf_same8(m->who->profile, m->user.profile) &&
		(holds(at, len, m->who->profile, 1) ||
		 holds(at, len, m->who->profile, 2));
}
