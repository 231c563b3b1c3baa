/* rule_filters.c - class filters whose driver is gone or disabled
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A filter in UpperFilters or LowerFilters of a class that the system disk
 * hangs on is part of its device's stack: one that cannot be loaded keeps the
 * device from starting, and Windows stops with 0x7B (row X19).  An empty list
 * is removed: an empty REG_MULTI_SZ is not the same as none.  Filters that
 * belong to Windows stay, whatever is wrong with them.
 */
#include "hal-neutral/rule.h"

#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/chain.h"

/* Windows' own: without them there is no volume, so they never go. */
static const char *const own[] = {
	"partmgr", "volsnap", "fvevol", "rdyboost", "iorate", "EhStorClass",
	"kbdclass", "mouclass",
	NULL
};

static bool
is_own(const char *service)
{
	for (const char *const *o = own; *o != NULL; o++)
		if (strcasecmp(*o, service) == 0)
			return true;
	return false;
}

static int
wish_list(struct hn_job *j, const struct hn_set *set, struct hv_key *k,
	  const char *path, const char *value, struct err *e)
{
	struct cs_reason r = { "filters/X19", "a filter that cannot be loaded, "
			       "or that is off, keeps its devices from "
			       "starting" };
	HV_STRINGS_SCOPED struct hv_strings list = HV_STRINGS_EMPTY;
	SCOPED_FREE const char **keep = NULL;
	size_t n = 0;

	if (hv_get_multi(k, value, &list, e) < 0)
		return -1;
	keep = mem_array(list.count, sizeof(*keep), e);
	if (keep == NULL)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		SCOPED_FREE char *why = NULL;

		if (hn_filter_fault(j->im, set, list.at[i], &why, e) < 0)
			return -1;
		if (why != NULL && is_own(list.at[i]))
			buf_fmt(j->notes, "%s: %s: %s\n", value, list.at[i],
				why);
		if ((why == NULL && !hn_is_guest_tool(list.at[i])) ||
		    is_own(list.at[i]))
			keep[n++] = list.at[i];
	}
	if (n == list.count)
		return 0;
	if (n == 0)
		cs_want_no_value(j->plan, j->sys, path, value, r);
	else
		cs_want_multi_sz(j->plan, j->sys, path, value, keep, n, r);
	return 0;
}

static int
wish(struct hn_job *j, struct err *e)
{
	for (size_t s = 0; s < j->im->sets; s++) {
		const struct hn_set *set = &j->im->set[s];

		if (set->control == NULL)
			continue;
		for (const struct hn_class *c = hn_classes; c->guid != NULL;
		     c++) {
			SCOPED_FREE char *path =
				mem_fmt(e, "%s\\Control\\Class\\%s", set->name,
					c->guid);
			struct hv_key *k = path != NULL ?
				hv_find(hv_root(j->im->sys), path) : NULL;

			if (path == NULL)
				return -1;
			if (k != NULL &&
			    (wish_list(j, set, k, path, "UpperFilters", e) < 0 ||
			     wish_list(j, set, k, path, "LowerFilters", e) < 0))
				return -1;
		}
	}
	return 0;
}

const struct hn_rule hn_rule_filters = {
	.name = "filters",
	.what = "class filters that cannot be loaded are dropped",
	.source = "Microsoft's repair scripts for an inaccessible boot device",
	.first = WN_2000, .last = WN_11,
	.tested = HN_SPECIFIED,
	.wish = wish,
};
