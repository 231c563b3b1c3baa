/* rule_guest_tools.c - what hypervisors put into a guest, off elsewhere
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Services and non-PnP drivers of guest tools fail, wait or stop Windows off
 * their hypervisor; they are disabled, never deleted, since their uninstallers
 * want to find them.  Drivers of virtual devices stay: plug and play loads them
 * only where the device is, and the image still boots where it came from.
 * Those that are class filters also leave their lists (rule_filters.c).
 * Names: virt-v2v (Parallels, rhelscsi), XenBootFix of the Xen project, VMware
 * KB services lists (row 1.7).
 */
#include "hal-neutral/rule.h"

#include <strings.h>

#include "base/err.h"
#include "base/mem.h"

static const char *const services[] = {
	/* VMware */
	"VMTools", "VGAuthService", "vm3dservice",
	"VMwareCAFManagementAgentHost", "VMwareCAFCommAmqpListener", "vmhgfs",
	"vmrawdsk", "vmmemctl", "vsock", "vnetflt", "vsepflt", "vmx_svga",
	/* VirtualBox */
	"VBoxService", "VBoxSF",
	/* Parallels */
	"prl_boot", "prl_dd", "prl_fs", "prl_memdev", "prl_mouf", "prl_pv32",
	"prl_pv64", "prl_strg", "prl_tg", "prl_time", "prl_uprof",
	/* Xen */
	"xenagent", "xenbus_monitor", "xencons_monitor", "XenSvc", "XenInstall",
	"xenfilt", "scsifilt",
	/* Red Hat's SCSI driver that virtio replaced */
	"rhelscsi",
	NULL
};

bool
hn_is_guest_tool(const char *service)
{
	for (const char *const *s = services; *s != NULL; s++)
		if (strcasecmp(*s, service) == 0)
			return true;
	return false;
}

/* Xen's xenfilt takes the emulated disks away (unplugs them) where this value
 * says so, also when its own driver for them is off. */
static int
wish_plugged(struct hn_job *j, const struct hn_set *set, struct err *e)
{
	struct cs_reason r = { "guest-tools/1.7", "Xen must leave the emulated "
			       "disk in place" };
	struct hv_key *k = hn_service(set, "XEN");
	SCOPED_FREE char *key = hn_service_key(set, "XEN", e);

	if (key == NULL)
		return -1;
	k = k != NULL ? hv_find(k, "ForceUnplug") : NULL;
	if (k != NULL) {
		SCOPED_FREE char *path = mem_fmt(e, "%s\\ForceUnplug", key);

		if (path == NULL)
			return -1;
		cs_want_no_key(j->plan, j->sys, path, r);
	}
	return 0;
}

static int
wish(struct hn_job *j, struct err *e)
{
	struct cs_reason r = { "guest-tools/1.7", "off its hypervisor this "
			       "service fails or waits" };

	for (size_t s = 0; s < j->im->sets; s++) {
		const struct hn_set *set = &j->im->set[s];

		for (const char *const *n = services; *n != NULL; n++) {
			struct hv_key *k = hn_service(set, *n);
			SCOPED_FREE char *key = hn_service_key(set, *n, e);

			if (key == NULL)
				return -1;
			if (k != NULL && hn_effective_start(k, NULL) < 4)
				cs_want_dword(j->plan, j->sys, key, "Start", 4,
					      r);
		}
		if (wish_plugged(j, set, e) < 0)
			return -1;
	}
	return 0;
}

const struct hn_rule hn_rule_guest_tools = {
	.name = "guest-tools",
	.what = "services of VMware, VirtualBox, Parallels and Xen tools off",
	.source = "virt-v2v, XenBootFix, VMware's lists of services",
	.first = WN_2000, .last = WN_11,
	.tested = HN_SPECIFIED,
	.wish = wish,
};
