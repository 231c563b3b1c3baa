/* platform.c - see platform.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The ids of a PCI function: "Identifiers for PCI Devices" (Microsoft, device
 * installation manual).
 */
#include "hal-neutral/platform.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/yaml.h"

static const char dir_name[] = "hal-neutral/platforms";

static void
device_done(struct hn_device *d)
{
	for (size_t i = 0; i < d->ids; i++)
		free(d->id[i]);
	free(d->id);
	*d = (struct hn_device){ .id = NULL };
}

void
hn_platform_done(struct hn_platform *p)
{
	free(p->name);
	free(p->what);
	for (size_t i = 0; i < p->devices; i++)
		device_done(&p->device[i]);
	*p = (struct hn_platform)HN_PLATFORM_EMPTY;
}

void
hn_platforms_done(struct hn_platforms *p)
{
	for (size_t i = 0; i < p->count; i++)
		hn_platform_done(&p->at[i]);
	free(p->at);
	*p = (struct hn_platforms)HN_PLATFORMS_EMPTY;
}

/* ---- ids ---- */

PRINTF(3, 4) static int
add_id(struct hn_device *d, struct err *e, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	size_t cap = d->ids;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < d->ids; i++)
		if (strcmp(d->id[i], text) == 0)
			return 0;
	if (d->ids == HN_IDS_MAX)
		return err_set(e, ERR_USAGE, "a device with more than %d ids",
			       HN_IDS_MAX);
	if (mem_grow(&d->id, &cap, d->ids + 1, sizeof(*d->id), e) < 0)
		return -1;
	d->id[d->ids] = mem_str(text, e);
	if (d->id[d->ids] == NULL)
		return -1;
	d->ids++;
	return 0;
}

static int
vendor_ids(const struct hn_pci *p, struct hn_device *d, struct err *e)
{
	unsigned v = p->vendor, n = p->device, cc = p->class;

	if (p->has_subsystem && p->has_revision &&
	    add_id(d, e, "PCI\\VEN_%04X&DEV_%04X&SUBSYS_%08X&REV_%02X", v, n,
		   p->subsystem, p->revision) < 0)
		return -1;
	if (p->has_subsystem &&
	    add_id(d, e, "PCI\\VEN_%04X&DEV_%04X&SUBSYS_%08X", v, n,
		   p->subsystem) < 0)
		return -1;
	if (p->has_revision &&
	    add_id(d, e, "PCI\\VEN_%04X&DEV_%04X&REV_%02X", v, n,
		   p->revision) < 0)
		return -1;
	if (add_id(d, e, "PCI\\VEN_%04X&DEV_%04X", v, n) < 0 ||
	    add_id(d, e, "PCI\\VEN_%04X&DEV_%04X&CC_%06X", v, n, cc) < 0 ||
	    add_id(d, e, "PCI\\VEN_%04X&DEV_%04X&CC_%04X", v, n, cc >> 8) < 0 ||
	    add_id(d, e, "PCI\\VEN_%04X&CC_%06X", v, cc) < 0 ||
	    add_id(d, e, "PCI\\VEN_%04X&CC_%04X", v, cc >> 8) < 0)
		return -1;
	return add_id(d, e, "PCI\\VEN_%04X", v);
}

int
hn_pci_ids(const struct hn_pci *pci, struct hn_device *ret, struct err *e)
{
	struct hn_device d = { .pci = true, .vendor = pci->vendor,
			       .device = pci->device, .class = pci->class };

	if ((pci->vendor != 0 && vendor_ids(pci, &d, e) < 0) ||
	    add_id(&d, e, "PCI\\CC_%06X", pci->class) < 0 ||
	    add_id(&d, e, "PCI\\CC_%04X", pci->class >> 8) < 0) {
		device_done(&d);
		return -1;
	}
	*ret = d;
	return 0;
}

/* ---- reading ---- */

/* Exactly `digits` hexadecimal digits. */
static int
get_hex(struct yml *map, const char *key, size_t digits, bool *ret_has,
	uint32_t *ret, struct err *e)
{
	const struct yml *y = yml_get(map, key);
	char *end;

	if (ret_has != NULL)
		*ret_has = y != NULL;
	if (y == NULL)
		return 0;
	if (y->kind != YML_SCALAR || y->len != digits ||
	    strspn(y->text, "0123456789abcdefABCDEF") != digits)
		return yml_err(y, e, "%s must be %zu hexadecimal digits", key,
			       digits);
	*ret = (uint32_t)strtoul(y->text, &end, 16);
	return 0;
}

static int
get_pci(struct yml *map, struct hn_device *ret, struct err *e)
{
	struct hn_pci p = { .vendor = 0 };
	uint32_t vendor = 0, device = 0, revision = 0;
	bool has_vendor, has_device, has_class;

	if (get_hex(map, "vendor", 4, &has_vendor, &vendor, e) < 0 ||
	    get_hex(map, "device", 4, &has_device, &device, e) < 0 ||
	    get_hex(map, "subsystem", 8, &p.has_subsystem, &p.subsystem,
		    e) < 0 ||
	    get_hex(map, "revision", 2, &p.has_revision, &revision, e) < 0 ||
	    get_hex(map, "class", 6, &has_class, &p.class, e) < 0)
		return -1;
	if (!has_class)
		return yml_err(map, e, "class is missing");
	if (has_vendor != has_device || (has_vendor && vendor == 0))
		return yml_err(map, e, "vendor and device come together");
	if (!has_vendor && (p.has_subsystem || p.has_revision))
		return yml_err(map, e, "subsystem and revision need a vendor");
	p.vendor = (uint16_t)vendor;
	p.device = (uint16_t)device;
	p.revision = (uint8_t)revision;
	if (yml_end(map, e) < 0)
		return -1;
	return hn_pci_ids(&p, ret, e);
}

static int
get_ids(struct yml *list, struct hn_device *d, struct err *e)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct yml *y = &list->at[i];

		if (y->kind != YML_SCALAR || y->len == 0 || y->len > 200 ||
		    strlen(y->text) != y->len)
			return yml_err(y, e, "an id is wanted");
		if (add_id(d, e, "%s", y->text) < 0)
			return -1;
	}
	return list->count > 0 ? 0 : yml_err(list, e, "no id at all");
}

static int
get_device(struct yml *y, struct hn_device *ret, struct err *e)
{
	struct yml *pci = NULL, *ids = NULL;

	if (y->kind != YML_MAP)
		return yml_err(y, e, "a device must be a map");
	pci = yml_map(y, "pci", e);
	ids = yml_list(y, "ids", e);
	if (yml_end(y, e) < 0)
		return -1;
	if ((pci == NULL) == (ids == NULL))
		return yml_err(y, e, "a device has either pci or ids");
	return pci != NULL ? get_pci(pci, ret, e) : get_ids(ids, ret, e);
}

static int
get_firmware(struct yml *doc, struct hn_platform *p, struct err *e)
{
	struct yml *list = yml_list(doc, "firmware", e);

	if (list == NULL || list->count == 0)
		return yml_err(doc, e, "firmware must list bios, uefi or both");
	for (size_t i = 0; i < list->count; i++) {
		const struct yml *y = &list->at[i];

		if (y->kind == YML_SCALAR && strcmp(y->text, "bios") == 0)
			p->bios = true;
		else if (y->kind == YML_SCALAR && strcmp(y->text, "uefi") == 0)
			p->uefi = true;
		else
			return yml_err(y, e, "firmware is bios or uefi");
	}
	return 0;
}

static bool
name_ok(const char *name)
{
	return name[0] != '\0' && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
		       strlen(name);
}

static int
from_tree(struct yml *doc, struct hn_platform *p, struct err *e)
{
	static const char *const cpus[] = { "any", "intel", "amd", NULL };
	const char *name = yml_str(doc, "name", YML_NEEDED, e);
	const char *what = yml_str(doc, "what", YML_NEEDED, e);
	const struct yml *list;

	p->cpu = (enum hn_cpu)yml_word(doc, "cpu", cpus, HN_CPU_ANY, e);
	p->madt = yml_bool(doc, "madt", true, e);
	p->heads = (uint16_t)yml_u64(doc, "heads", 1, 255, 0, e);
	list = yml_list(doc, "devices", e);
	if (e->kind != ERR_NONE || get_firmware(doc, p, e) < 0)
		return -1;
	if (!name_ok(name))
		return yml_err(doc, e, "a name is of a-z, 0-9 and hyphens");
	if (list == NULL || list->count == 0 || list->count > HN_DEVICES_MAX)
		return yml_err(doc, e, "devices must list 1 to %d devices",
			       HN_DEVICES_MAX);
	for (size_t i = 0; i < list->count; i++)
		if (get_device(&list->at[i], &p->device[p->devices++], e) < 0)
			return -1;
	p->name = mem_str(name, e);
	p->what = mem_str(what, e);
	if (p->name == NULL || p->what == NULL)
		return -1;
	return yml_end(doc, e);
}

int
hn_platform_parse(const char *name, const void *text, size_t len,
		  struct hn_platform *ret, struct err *e)
{
	YML_SCOPED struct yml *doc = yml_parse(name, text, len, e);
	HN_PLATFORM_SCOPED struct hn_platform p = HN_PLATFORM_EMPTY;

	if (doc == NULL || from_tree(doc, &p, e) < 0)
		return -1;
	*ret = TAKE(p);
	return 0;
}

static int
load_path(const char *path, struct hn_platform *ret, struct err *e)
{
	SCOPED_FREE uint8_t *text = NULL;
	size_t len;

	if (io_slurp(path, 1 << 20, &text, &len, e) < 0)
		return -1;
	return hn_platform_parse(path, text, len, ret, e);
}

/* ---- those that ship ---- */

int
hn_platforms_add(struct hn_platforms *list, struct hn_platform *p,
		 struct err *e)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->at[i].name, p->name) == 0)
			return err_set(e, ERR_USAGE,
				       "platform %s is named twice", p->name);
	if (list->count == HN_PLATFORMS_MAX)
		return err_set(e, ERR_USAGE, "more than %d platforms",
			       HN_PLATFORMS_MAX);
	if (mem_grow(&list->at, &list->cap, list->count + 1, sizeof(*p), e) < 0)
		return -1;
	list->at[list->count++] = TAKE(*p);
	return 0;
}

static int
is_yaml(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 5 && strcmp(d->d_name + len - 5, ".yaml") == 0;
}

static void
names_done(struct dirent ***names)
{
	for (size_t i = 0; *names != NULL && (*names)[i] != NULL; i++)
		free((*names)[i]);
	free(*names);
}

/* The files of the directory, sorted, ending with NULL. */
static struct dirent **
list_dir(const char *dir, struct err *e)
{
	struct dirent **found, **all;
	int n = scandir(dir, &found, is_yaml, alphasort);

	if (n < 0) {
		(void)err_sys(e, "%s", dir);
		return NULL;
	}
	all = mem_array((size_t)n + 1, sizeof(struct dirent *), e);
	for (int i = 0; i < n; i++) {
		if (all != NULL)
			all[i] = found[i];
		else
			free(found[i]);
	}
	free(found);
	return all;
}

int
hn_platforms_shipped(struct hn_platforms *ret, struct err *e)
{
	SCOPED_FREE char *dir = io_shipped(dir_name, e);
	SCOPED(names_done) struct dirent **names =
		dir != NULL ? list_dir(dir, e) : NULL;
	HN_PLATFORMS_SCOPED struct hn_platforms all = HN_PLATFORMS_EMPTY;

	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		SCOPED_FREE char *path = io_join(dir, names[i]->d_name, e);
		HN_PLATFORM_SCOPED struct hn_platform p = HN_PLATFORM_EMPTY;

		if (path == NULL || load_path(path, &p, e) < 0 ||
		    hn_platforms_add(&all, &p, e) < 0)
			return -1;
	}
	if (names == NULL)
		return -1;
	*ret = TAKE(all);
	return 0;
}

/* Say what there is instead of `name`. */
static int
unknown(const char *name, struct err *e)
{
	HN_PLATFORMS_SCOPED struct hn_platforms all = HN_PLATFORMS_EMPTY;
	BUF_SCOPED struct buf list = BUF_EMPTY;
	char quoted[128];

	if (hn_platforms_shipped(&all, e) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++)
		buf_fmt(&list, "%s%s", i > 0 ? " " : "", all.at[i].name);
	if (buf_ok(&list, e) < 0)
		return -1;
	return err_set(e, ERR_USAGE,
		       "platform %s: there is none of this name, only: %s",
		       err_quote(quoted, sizeof(quoted), name, strlen(name)),
		       list.at != NULL ? (const char *)list.at : "");
}

int
hn_platform_load(const char *name, struct hn_platform *ret, struct err *e)
{
	HN_PLATFORMS_SCOPED struct hn_platforms all = HN_PLATFORMS_EMPTY;
	size_t len = strlen(name);

	if (strchr(name, '/') != NULL ||
	    (len > 5 && strcmp(name + len - 5, ".yaml") == 0))
		return load_path(name, ret, e);
	if (hn_platforms_shipped(&all, e) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++)
		if (strcmp(all.at[i].name, name) == 0) {
			*ret = TAKE(all.at[i]);
			return 0;
		}
	return unknown(name, e);
}
