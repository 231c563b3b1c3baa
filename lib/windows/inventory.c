/* inventory.c - what is installed: programs, devices, boot drivers, the HAL
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "windows/windows-private.h"

#define UNINSTALL "Microsoft\\Windows\\CurrentVersion\\Uninstall"
/* the class of computers, whose one member says which HAL was installed */
#define COMPUTER "Control\\Class\\{4D36E966-E325-11CE-BFC1-08002BE10318}\\0000"

void
wn_inventory_done(struct wn_inventory *v)
{
	for (size_t i = 0; i < v->programs; i++) {
		free(v->program[i].name);
		free(v->program[i].version);
	}
	for (size_t i = 0; i < v->devices; i++) {
		free(v->device[i].id);
		free(v->device[i].text);
		free(v->device[i].service);
	}
	for (size_t i = 0; i < v->drivers; i++)
		free(v->driver[i]);
	free(v->program);
	free(v->device);
	free(v->driver);
	free(v->hal);
	*v = (struct wn_inventory)WN_INVENTORY_EMPTY;
}

/* Those that the control panel would list: named, and no part of another. */
static int
add_programs(struct wn_install *in, struct hv_key *list, size_t *cap,
	     struct wn_inventory *v, struct err *e)
{
	for (struct hv_key *k = list == NULL ? NULL : hv_first(list); k != NULL;
	     k = hv_next(k)) {
		struct wn_program *p;
		uint32_t part = 0;

		if (mem_grow(&v->program, cap, v->programs + 1, sizeof(*p),
			     e) < 0)
			return -1;
		p = &v->program[v->programs];
		if (wn_str(in, k, "DisplayName", &p->name, e) < 0 ||
		    wn_dword(in, k, "SystemComponent", &part, e) < 0)
			return -1;
		if (p->name == NULL || part != 0) {
			free(TAKE(p->name));
			continue;
		}
		v->programs++;
		if (wn_str(in, k, "DisplayVersion", &p->version, e) < 0)
			return -1;
	}
	return 0;
}

/* Enum\PCI\VEN_...\INSTANCE: one for each, of those that ever were there. */
static int
add_devices(struct wn_install *in, struct hv_key *pci, struct wn_inventory *v,
	    struct err *e)
{
	size_t cap = 0;

	for (struct hv_key *k = pci == NULL ? NULL : hv_first(pci); k != NULL;
	     k = hv_next(k)) {
		const struct hv_key *one = hv_first(k);
		struct wn_device *d;

		if (mem_grow(&v->device, &cap, v->devices + 1, sizeof(*d),
			     e) < 0)
			return -1;
		d = &v->device[v->devices++];
		d->id = hv_name(k, e);
		if (d->id == NULL || wn_str(in, one, "DeviceDesc", &d->text,
					    e) < 0 ||
		    wn_str(in, one, "Service", &d->service, e) < 0)
			return -1;
	}
	return 0;
}

/* Drivers that the loader loads: Start 0, Type 1 or 2. */
static int
add_drivers(struct wn_install *in, struct hv_key *services,
	    struct wn_inventory *v, struct err *e)
{
	size_t cap = 0;

	for (struct hv_key *k = services == NULL ? NULL : hv_first(services);
	     k != NULL; k = hv_next(k)) {
		uint32_t start = UINT32_MAX, type = 0;

		if (wn_dword(in, k, "Start", &start, e) < 0 ||
		    wn_dword(in, k, "Type", &type, e) < 0)
			return -1;
		if (start != 0 || (type != 1 && type != 2))
			continue;
		if (mem_grow(&v->driver, &cap, v->drivers + 1,
			     sizeof(*v->driver), e) < 0)
			return -1;
		v->driver[v->drivers] = hv_name(k, e);
		if (v->driver[v->drivers++] == NULL)
			return -1;
	}
	return 0;
}

int
wn_inventory(struct wn_install *in, struct wn_inventory *ret, struct err *e)
{
	WN_INVENTORY_SCOPED struct wn_inventory v = WN_INVENTORY_EMPTY;
	struct hv_hive *software = wn_hive(in, WN_SOFTWARE, e);
	struct hv_key *set = software == NULL ? NULL : wn_control_set(in, e);
	size_t cap = 0;

	if (set == NULL)
		return -1;
	if (add_programs(in, hv_find(hv_root(software), UNINSTALL), &cap, &v,
			 e) < 0 ||
	    add_programs(in, hv_find(hv_root(software),
				     "Wow6432Node\\" UNINSTALL), &cap, &v,
			 e) < 0 ||
	    add_devices(in, hv_find(set, "Enum\\PCI"), &v, e) < 0 ||
	    add_drivers(in, hv_find(set, "Services"), &v, e) < 0 ||
	    wn_str(in, hv_find(set, COMPUTER), "MatchingDeviceId", &v.hal,
		   e) < 0)
		return -1;
	*ret = TAKE(v);
	return 0;
}
