/* rule_storage_nt5.c - XP and 2003 find their disk behind any IDE controller
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Microsoft KB314082 ("MergeIDE"): the ids of IDE controllers and channels in
 * CriticalDeviceDatabase, and the three drivers at boot start.  Rows X1 to X9.
 * The generic pciide serves those of the article's list that have a driver of
 * their own (viaide, aliide, cmdide, toside) where that one is not installed.
 */
#include "hal-neutral/rule.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/buf.h"
#include "hal-neutral/binding.h"

#define HDC "{4D36E96A-E325-11CE-BFC1-08002BE10318}"
#define DISK "{4D36E967-E325-11CE-BFC1-08002BE10318}"

struct row {
	const char *id, *service, *class_guid;
};

/* X2, X3, X4 */
static const struct row common_rows[] = {
	{ "Primary_IDE_Channel", "atapi", HDC },
	{ "Secondary_IDE_Channel", "atapi", HDC },
	{ "*PNP0600", "atapi", HDC },
	{ "*AZT0502", "atapi", HDC },
	{ "GenDisk", "disk", DISK },
	{ "PCI\\CC_0101", "pciide", HDC },
	{ NULL, NULL, NULL }
};

/* X5: Intel's; 7010 is QEMU's PIIX3, 7111 the PIIX4 of Hyper-V and others. */
static const char *const intel_ids[] = {
	"VEN_8086&DEV_1222", "VEN_8086&DEV_1230", "VEN_8086&DEV_2411",
	"VEN_8086&DEV_2421", "VEN_8086&DEV_7010", "VEN_8086&DEV_7111",
	"VEN_8086&DEV_7199", NULL
};

/* X6 */
static const char *const other_ids[] = {
	"VEN_0E11&DEV_AE33", "VEN_1039&DEV_0601", "VEN_1039&DEV_5513",
	"VEN_1042&DEV_1000", "VEN_105A&DEV_4D33", "VEN_1095&DEV_0640",
	"VEN_1095&DEV_0646", "VEN_1095&DEV_0646&REV_05",
	"VEN_1095&DEV_0646&REV_07", "VEN_1095&DEV_0648", "VEN_1095&DEV_0649",
	"VEN_1097&DEV_0038", "VEN_10AD&DEV_0001", "VEN_10AD&DEV_0150",
	"VEN_10B9&DEV_5215", "VEN_10B9&DEV_5219", "VEN_10B9&DEV_5229",
	"VEN_1106&DEV_0571", NULL
};

/* X7, X8, X9: the services as XP's own mshdc.inf makes them. */
static const struct driver {
	const char *service, *file, *group, *display;
	uint32_t tag;
	const char *rule;
} drivers[] = {
	{ "atapi", "atapi.sys", "SCSI miniport",
	  "Standard IDE/ESDI Hard Disk Controller", 25, "storage/X7" },
	{ "IntelIde", "intelide.sys", "System Bus Extender", "IntelIde", 4,
	  "storage/X8" },
	{ "PCIIde", "pciide.sys", "System Bus Extender", "PCIIde", 3,
	  "storage/X9" },
	{ NULL, NULL, NULL, NULL, 0, NULL }
};

/* X10: what XP's cabinets hold for controllers that are no IDE. */
static const struct scsi {
	const char *id;
	struct driver driver;
} scsi_drivers[] = {
	{ "PCI\\VEN_1000&DEV_0030",
	  { "symmpi", "symmpi.sys", "SCSI miniport", "symmpi", 0,
	    "storage/X10" } },
	{ NULL, { NULL, NULL, NULL, NULL, 0, NULL } }
};
#define SCSI_ADAPTER "{4D36E97B-E325-11CE-BFC1-08002BE10318}"

static void
want_service(struct hn_job *j, const struct hn_set *set, const char *key,
	     const struct driver *d, const char *image_path)
{
	struct cs_reason r = { d->rule, "the boot loader must load the driver "
			       "of the controller it will find" };

	cs_want_dword(j->plan, j->sys, key, "Start", 0, r);
	if (hn_service(set, d->service) != NULL)
		return;
	r.why = "this Windows has no such service yet";
	cs_want_dword(j->plan, j->sys, key, "Type", 1, r);
	cs_want_dword(j->plan, j->sys, key, "ErrorControl", 1, r);
	cs_want_sz(j->plan, j->sys, key, "Group", d->group, r);
	if (d->tag != 0)
		cs_want_dword(j->plan, j->sys, key, "Tag", d->tag, r);
	cs_want_sz(j->plan, j->sys, key, "DisplayName", d->display, r);
	cs_want_expand_sz(j->plan, j->sys, key, "ImagePath", image_path, r);
}

/* One driver in one set: 1 when it will be there, 0 when it cannot. */
static int
want_driver(struct hn_job *j, const struct hn_set *set, const struct driver *d,
	    struct err *e)
{
	struct cs_reason file = { "storage/X1", "Setup copied only the driver "
				  "of the first machine's controller" };
	SCOPED_FREE char *key = hn_service_key(set, d->service, e);
	SCOPED_FREE char *image_path = mem_fmt(e, "System32\\DRIVERS\\%s",
					       d->file);
	int r;

	if (key == NULL || image_path == NULL)
		return -1;
	/* intelide and pciide are made of pciidex's code. */
	if (strcmp(d->service, "IntelIde") == 0 ||
	    strcmp(d->service, "PCIIde") == 0) {
		r = hn_want_driver_file(j, "pciidex.sys", file, e);
		if (r <= 0)
			return r;
	}
	r = hn_want_driver_file(j, d->file, file, e);
	if (r <= 0)
		return r;
	want_service(j, set, key, d, image_path);
	return 1;
}

static int
want_row(struct hn_job *j, const struct hn_set *set, const char *id,
	 const char *service, const char *class_guid, const char *rule,
	 struct err *e)
{
	struct cs_reason r = { rule, "binds the controller, its channels and "
			       "the disk before plug and play is up" };
	SCOPED_FREE char *name = hn_critical_name(id, e);
	SCOPED_FREE char *key = name != NULL ?
		mem_fmt(e, "%s\\Control\\CriticalDeviceDatabase\\%s",
			set->name, name) : NULL;

	if (key == NULL)
		return -1;
	cs_want_sz(j->plan, j->sys, key, "Service", service, r);
	cs_want_sz(j->plan, j->sys, key, "ClassGUID", class_guid, r);
	return 0;
}

/* A PCI id, unless a driver of its vendor has it already. */
static int
want_pci(struct hn_job *j, const struct hn_set *set, const char *pci_id,
	 const char *service, const char *rule, struct err *e)
{
	HN_BINDING_SCOPED struct hn_binding b = HN_BINDING_EMPTY;
	SCOPED_FREE char *id = mem_fmt(e, "PCI\\%s", pci_id);
	const char *ids[] = { id };
	int r = id == NULL ? -1 : hn_bind(j->im, set, ids, 1, &b, e);

	if (r != 0)
		return r < 0 ? -1 : 0;
	return want_row(j, set, id, service, HDC, rule, e);
}

static int
wish_set(struct hn_job *j, const struct hn_set *set, struct err *e)
{
	int have[3];

	for (size_t i = 0; drivers[i].service != NULL; i++) {
		have[i] = want_driver(j, set, &drivers[i], e);
		if (have[i] < 0)
			return -1;
	}
	for (const struct row *r = common_rows; r->id != NULL; r++) {
		if ((strcmp(r->service, "pciide") == 0 && !have[2]) ||
		    (strcmp(r->service, "atapi") == 0 && !have[0]))
			continue;
		if (want_row(j, set, r->id, r->service, r->class_guid,
			     "storage/X2", e) < 0)
			return -1;
	}
	for (const char *const *id = intel_ids; *id != NULL && have[1]; id++)
		if (want_pci(j, set, *id, "intelide", "storage/X5", e) < 0)
			return -1;
	for (const char *const *id = other_ids; *id != NULL && have[2]; id++)
		if (want_pci(j, set, *id, "pciide", "storage/X6", e) < 0)
			return -1;
	return 0;
}

static bool
has_id(const struct hn_device *d, const char *id)
{
	for (size_t i = 0; i < d->ids; i++)
		if (strcmp(d->id[i], id) == 0)
			return true;
	return false;
}

/* A driver of the image's own cabinets for a device: 1, 0, -1. */
static int
want_scsi(struct hn_job *j, const struct hn_set *set,
	  const struct hn_device *d, struct err *e)
{
	for (const struct scsi *s = scsi_drivers; s->id != NULL; s++) {
		int r = has_id(d, s->id) ? want_driver(j, set, &s->driver, e) :
			0;

		if (r < 0)
			return -1;
		if (r == 1)
			return want_row(j, set, s->id, s->driver.service,
					SCSI_ADAPTER, s->driver.rule,
					e) < 0 ? -1 : 1;
	}
	return 0;
}

/* Whatever serves a platform's devices already shall start with the loader. */
static int
wish_device(struct hn_job *j, const struct hn_set *set,
	    const struct hn_platform *p, const struct hn_device *d,
	    struct err *e)
{
	HN_BINDING_SCOPED struct hn_binding b = HN_BINDING_EMPTY;
	struct cs_reason r = { "storage/X10", "the boot loader must load the "
			       "driver of the platform's controller" };
	int found = hn_bind(j->im, set, (const char *const *)d->id, d->ids, &b,
			    e);

	if (found < 0)
		return -1;
	if (found == 1)
		return hn_want_boot_start(j, set, b.service, r, e) < 0 ? -1 : 0;
	found = hn_inject(j, set, d, e);
	if (found == 0)
		found = want_scsi(j, set, d, e);
	if (found != 0)
		return found < 0 ? -1 : 0;
	buf_fmt(j->notes, "%s: the image has no driver for %s\n", p->name,
		d->id[0]);
	return 0;
}

static int
wish(struct hn_job *j, struct err *e)
{
	for (size_t s = 0; s < j->im->sets; s++) {
		const struct hn_set *set = &j->im->set[s];

		if (set->services == NULL || set->control == NULL)
			continue;
		if (wish_set(j, set, e) < 0)
			return -1;
		for (size_t i = 0; i < j->platforms->count; i++) {
			const struct hn_platform *p = &j->platforms->at[i];

			for (size_t d = 0; d < p->devices; d++)
				if (p->device[d].class >> 8 != 0x0101 &&
				    wish_device(j, set, p, &p->device[d],
						e) < 0)
					return -1;
		}
	}
	return 0;
}

const struct hn_rule hn_rule_storage_nt5 = {
	.name = "storage",
	.what = "IDE drivers and the ids they serve, at boot start",
	.source = "Microsoft KB314082",
	.first = WN_2000, .last = WN_2003,
	.tested = HN_SPECIFIED,
	.wish = wish,
};
