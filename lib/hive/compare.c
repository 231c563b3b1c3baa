/* compare.c - are two hives the same in everything they hold?
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/hive-private.h"

#include <string.h>

#include "base/err.h"

static bool
same_bytes(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static bool
same_value(const struct hv_value *a, const struct hv_value *b)
{
	return a->type == b->type && a->flags == b->flags &&
	       a->spare == b->spare &&
	       same_bytes(a->data, a->len, b->data, b->len) &&
	       hv_word_same(hv_node_word(&a->node), hv_node_word(&b->node));
}

static const char *
difference(const struct hv_key *a, const struct hv_key *b)
{
	if (!hv_word_same(hv_node_word(&a->node), hv_node_word(&b->node)))
		return "name";
	if (a->time != b->time)
		return "time";
	if (a->flags != b->flags || a->access != b->access ||
	    a->virt != b->virt || a->handle != b->handle)
		return "flags";
	if (!same_bytes(a->cls, a->cls_len, b->cls, b->cls_len))
		return "class";
	if (!same_bytes(a->sd->at, a->sd->len, b->sd->at, b->sd->len))
		return "security";
	if (a->values.count != b->values.count)
		return "number of values";
	const struct hv_value *v = hv_value_first(a), *w = hv_value_first(b);
	for (; v != NULL && w != NULL; v = hv_value_next(v), w = hv_value_next(w))
		if (!same_value(v, w))
			return "values";
	return a->subs.count == b->subs.count ? NULL : "number of subkeys";
}

static int
compare_key(const struct hv_key *a, const struct hv_key *b, struct err *e)
{
	const char *what = difference(a, b);

	if (what != NULL) {
		SCOPED_FREE char *path = hv_path(a, e);
		char quoted[512];

		if (path == NULL)
			return -1;
		return err_set(e, ERR_CORRUPT, "%s: key %s differs in its %s",
			       a->hive->name, err_quote(quoted, sizeof(quoted),
							path, strlen(path)),
			       what);
	}
	const struct hv_key *s = hv_first(a), *t = hv_first(b);
	for (; s != NULL && t != NULL; s = hv_next(s), t = hv_next(t))
		if (compare_key(s, t, e) < 0)
			return -1;
	return 0;
}

int
hv_compare(const struct hv_hive *a, const struct hv_hive *b, struct err *e)
{
	return compare_key(a->root, b->root, e);
}
