/* rule_policies.c - settings that keep drivers out are told, not touched
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Row V8: device installation restrictions keep Windows from taking the drivers
 * of a new machine (Microsoft KB2773300).  Row X23: where XP and 2003 are to
 * warn of unsigned drivers, plug and play installs none while nobody is there.
 * Somebody decided both, so they stay.
 */
#include "hal-neutral/rule.h"

#include "base/buf.h"
#include "base/err.h"

static int
wish(struct hn_job *j, struct err *e)
{
	const char *path = j->im->in->hive_path[WN_SOFTWARE];
	struct hv_hive *soft = path == NULL ? NULL :
		cs_target_hive(j->im->target, j->im->serial, path, e);
	struct hv_key *k;
	const struct hv_value *v;

	if (soft == NULL)
		return path == NULL ? 0 : -1;
	k = hv_find(hv_root(soft), "Policies\\Microsoft\\Windows\\"
		    "DeviceInstall\\Restrictions");
	if (k != NULL && (hv_value_count(k) > 0 || hv_count(k) > 0))
		buf_fmt(j->notes, "a policy (DeviceInstall\\Restrictions) "
			"restricts which devices Windows installs; it can "
			"keep the new machine's out\n");
	k = hv_find(hv_root(soft), "Microsoft\\Driver Signing");
	v = k != NULL ? hv_value(k, "Policy") : NULL;
	if (j->drivers != NULL && j->drivers->count > 0 && v != NULL &&
	    j->im->in->generation <= WN_2003 && hv_data(v).len > 0 &&
	    hv_data(v).at[0] != 0)
		buf_fmt(j->notes, "Driver Signing is set to %s: what plug and "
			"play finds later it takes signed only\n",
			hv_data(v).at[0] == 1 ? "warn" : "block");
	return 0;
}

const struct hn_rule hn_rule_policies = {
	.name = "policies",
	.what = "what keeps drivers out is told",
	.source = "Microsoft KB2773300",
	.first = WN_2000, .last = WN_11,
	.tested = HN_SPECIFIED,
	.wish = wish,
};
