/* rule_paging.c - the paging file lies on a drive that is there
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PagingFiles is a list of "D:\pagefile.sys MIN MAX".  An entry on a drive of
 * no disk here (a second disk that does not come along) makes Windows start
 * without it, or with a temporary one and a message.  The last such entry
 * becomes one of the system drive, of a size that Windows chooses.  "?:" is a
 * drive of Windows' own choice (8 and later).
 */
#include "hal-neutral/rule.h"

#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define KEY "Control\\Session Manager\\Memory Management"

static bool
drive_is_here(const struct wn_install *in, const char *file)
{
	if (file[0] == '\0' || file[1] != ':' || file[0] == '?')
		return true;
	/* The system drive keeps its letter (rule_letters.c). */
	if (in->drive != NULL &&
	    in->drive[0] == toupper((unsigned char)file[0]))
		return true;
	for (size_t i = 0; i < in->letters; i++)
		if (in->letter[i].letter == toupper((unsigned char)file[0]))
			return in->letter[i].volume != SIZE_MAX;
	return false;
}

static int
wish_set(struct hn_job *j, const struct hn_set *set, struct err *e)
{
	struct cs_reason r = { "paging", "the drive is on no disk here" };
	HV_STRINGS_SCOPED struct hv_strings list = HV_STRINGS_EMPTY;
	SCOPED_FREE char *key = mem_fmt(e, "%s\\" KEY, set->name);
	SCOPED_FREE char *own = NULL;
	SCOPED_FREE const char **keep = NULL;
	struct hv_key *k = key != NULL ? hv_find(hv_root(j->im->sys), key) :
			   NULL;
	size_t n = 0;

	if (key == NULL)
		return -1;
	if (k == NULL || j->im->in->drive == NULL)
		return 0;
	if (hv_get_multi(k, "PagingFiles", &list, e) < 0)
		return -1;
	own = mem_fmt(e, "%s\\pagefile.sys 0 0", j->im->in->drive);
	keep = mem_array(list.count + 1, sizeof(*keep), e);
	if (own == NULL || keep == NULL)
		return -1;
	for (size_t i = 0; i < list.count; i++)
		if (drive_is_here(j->im->in, list.at[i]))
			keep[n++] = list.at[i];
	if (n == list.count)
		return 0;
	if (n == 0)
		keep[n++] = own;
	cs_want_multi_sz(j->plan, j->sys, key, "PagingFiles", keep, n, r);
	return 0;
}

static int
wish(struct hn_job *j, struct err *e)
{
	for (size_t s = 0; s < j->im->sets; s++)
		if (wish_set(j, &j->im->set[s], e) < 0)
			return -1;
	return 0;
}

const struct hn_rule hn_rule_paging = {
	.name = "paging",
	.what = "the paging file lies on a drive that is there",
	.source = "Microsoft, PagingFiles",
	.first = WN_2000, .last = WN_11,
	.tested = HN_SPECIFIED,
	.wish = wish,
};
