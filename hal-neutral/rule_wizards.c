/* rule_wizards.c - no wizard stands before the desktop for every new device
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Row X21: XP takes SuppressNewHWUI of a policy, 2003 SuppressUI of the plug and
 * play service (Microsoft KB938596).  Both are taken back by a step of the first
 * boot, five minutes after the start, when the devices were found.
 */
#include "hal-neutral/rule.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define POLICY "Policies\\Microsoft\\Windows\\DeviceInstall\\Settings"

static const char step_xp[] =
	"@echo off\r\n"
	"rem Wizards for new devices again, once the machine's own were found.\r\n"
	"ping -n 301 127.0.0.1 >nul\r\n"
	"reg delete \"HKLM\\SOFTWARE\\" POLICY
	"\" /v SuppressNewHWUI /f\r\n"
	"exit 0\r\n";
static const char step_2003[] =
	"@echo off\r\n"
	"rem Wizards for new devices again, once the machine's own were found.\r\n"
	"ping -n 301 127.0.0.1 >nul\r\n"
	"reg delete \"HKLM\\SYSTEM\\CurrentControlSet\\Services\\PlugPlay\\"
	"Parameters\" /v SuppressUI /f\r\n"
	"exit 0\r\n";

static int
wish(struct hn_job *j, struct err *e)
{
	struct cs_reason r = { "wizards/X21", "a wizard for each new device "
			       "would wait for somebody" };
	const struct wn_install *in = j->im->in;
	struct hn_step step = { .name = "device-wizards" };

	if (in->generation == WN_2003) {
		for (size_t s = 0; s < j->im->sets; s++) {
			SCOPED_FREE char *key = mem_fmt(e,
				"%s\\Services\\PlugPlay\\Parameters",
				j->im->set[s].name);

			if (key == NULL)
				return -1;
			cs_want_dword(j->plan, j->sys, key, "SuppressUI", 1,
				      r);
		}
		step.text = step_2003;
		step.len = sizeof(step_2003) - 1;
	} else {
		struct cs_hive soft = { j->volume, in->hive_path[WN_SOFTWARE] };

		if (soft.path == NULL)
			return 0;
		cs_want_dword(j->plan, soft, POLICY, "SuppressNewHWUI", 1, r);
		step.text = step_xp;
		step.len = sizeof(step_xp) - 1;
	}
	j->late[j->lates++] = step;
	return 0;
}

const struct hn_rule hn_rule_wizards = {
	.name = "wizards",
	.what = "no wizard for each new device at the first start",
	.source = "Microsoft KB938596",
	.first = WN_XP, .last = WN_2003,
	.tested = HN_SPECIFIED,
	.wish = wish,
};
