/* rule_settings.c - settings that hold a machine back once it is up
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SanPolicy (row V7): OfflineAll and OfflineInternal leave disks offline on a
 * new bus.  Fast startup (row W10): hibernates the kernel at every shutdown,
 * which leaves a volume that must not be written.
 */
#include "hal-neutral/rule.h"

#include "base/err.h"
#include "base/mem.h"

static int
wish_san(struct hn_job *j, struct err *e)
{
	struct cs_reason r = { "san/V7", "disks on a bus of another kind would "
			       "stay offline" };

	for (size_t s = 0; s < j->im->sets; s++) {
		const struct hn_set *set = &j->im->set[s];
		struct hv_key *k = hn_service(set, "partmgr");
		SCOPED_FREE char *key = mem_fmt(e,
			"%s\\Services\\partmgr\\Parameters", set->name);
		uint32_t policy = 0;

		if (key == NULL)
			return -1;
		k = k != NULL ? hv_find(k, "Parameters") : NULL;
		if (k != NULL && hv_get_dword(k, "SanPolicy", &policy, e) < 0)
			return -1;
		if (policy >= 3)
			cs_want_dword(j->plan, j->sys, key, "SanPolicy", 1, r);
	}
	return 0;
}

const struct hn_rule hn_rule_san = {
	.name = "san",
	.what = "disks come online on any bus",
	.source = "SanPolicy of partmgr, values 1 to 4",
	.first = WN_VISTA, .last = WN_11,
	.tested = HN_SPECIFIED,
	.wish = wish_san,
};

static int
wish_fast_startup(struct hn_job *j, struct err *e)
{
	struct cs_reason r = { "fast-startup/W10", "every shutdown would leave "
			       "a sleeping kernel on the disk" };

	for (size_t s = 0; s < j->im->sets; s++) {
		SCOPED_FREE char *key = mem_fmt(e,
			"%s\\Control\\Session Manager\\Power",
			j->im->set[s].name);
		struct hv_key *k = key != NULL ?
			hv_find(hv_root(j->im->sys), key) : NULL;
		uint32_t on = 0;

		if (key == NULL)
			return -1;
		if (k != NULL && hv_get_dword(k, "HiberbootEnabled", &on, e) < 0)
			return -1;
		if (on != 0)
			cs_want_dword(j->plan, j->sys, key, "HiberbootEnabled",
				      0, r);
	}
	return 0;
}

const struct hn_rule hn_rule_fast_startup = {
	.name = "fast-startup",
	.what = "shutting down shuts down",
	.source = "HiberbootEnabled, 1 in every Windows 8 and later",
	.first = WN_8, .last = WN_11,
	.tested = HN_SPECIFIED,
	.wish = wish_fast_startup,
};
