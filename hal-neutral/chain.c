/* chain.c - see chain.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/chain.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/binding.h"
#include "hal-neutral/letter.h"
#include "hal-neutral/links.h"

enum { START_BOOT = 0, START_DISABLED = 4 };

const char *const hn_disk_ids[] = { "GenDisk", NULL };

/* What a channel of an IDE controller is called: pciidex.sys of XP and 2003,
 * ataport.sys later; the same below msahci (Internal_IDE_Channel). */
static const char *const ide_channels[] = {
	"Primary_IDE_Channel", "*PNP0600", NULL
};
static const char *const ahci_channels[] = {
	"Internal_IDE_Channel", "*PNP0600", NULL
};

const struct hn_core hn_core[] = {
	{ "pci", WN_2000, WN_11 },
	{ "disk", WN_2000, WN_11 },
	{ "partmgr", WN_2000, WN_11 },
	{ "ftdisk", WN_2000, WN_2003 },
	{ "volmgr", WN_VISTA, WN_11 },
	{ "mountmgr", WN_2000, WN_11 },
	{ "acpi", WN_VISTA, WN_11 },
	{ NULL, WN_GEN_UNKNOWN, WN_GEN_UNKNOWN }
};

const struct hn_class hn_classes[] = {
	{ "{4D36E967-E325-11CE-BFC1-08002BE10318}", "DiskDrive", true },
	{ "{4D36E96A-E325-11CE-BFC1-08002BE10318}", "HDC", true },
	{ "{4D36E97B-E325-11CE-BFC1-08002BE10318}", "SCSIAdapter", true },
	{ "{4D36E97D-E325-11CE-BFC1-08002BE10318}", "System", true },
	{ "{71A27CDD-812A-11D0-BEC7-08002BE2092F}", "Volume", true },
	{ "{4D36E965-E325-11CE-BFC1-08002BE10318}", "CDROM", false },
	{ "{4D36E96B-E325-11CE-BFC1-08002BE10318}", "Keyboard", false },
	{ "{4D36E96F-E325-11CE-BFC1-08002BE10318}", "Mouse", false },
	{ NULL, NULL, false }
};

void
hn_verdict_done(struct hn_verdict *v)
{
	for (size_t i = 0; i < v->links; i++) {
		free(v->at[i].what);
		free(v->at[i].why);
	}
	free(v->at);
	*v = (struct hn_verdict)HN_VERDICT_EMPTY;
}

const struct hn_link *
hn_first_missing(const struct hn_verdict *v)
{
	for (size_t i = 0; i < v->links; i++)
		if (v->at[i].why != NULL)
			return &v->at[i];
	return NULL;
}

/* A link; `why` NULL: it holds.  Both are formats' results and owned here. */
static int
add(struct hn_verdict *v, const char *kind, char *what, char *why, bool ok,
    struct err *e)
{
	struct hn_link l = { .kind = kind, .what = what, .why = why };

	if (what == NULL || (!ok && why == NULL) ||
	    mem_grow(&v->at, &v->cap, v->links + 1, sizeof(*v->at), e) < 0) {
		free(what);
		free(why);
		return -1;
	}
	v->at[v->links++] = l;
	return 0;
}

int
hn_holds(struct hn_verdict *v, const char *kind, char *what, struct err *e)
{
	return add(v, kind, what, NULL, true, e);
}

int
hn_fails(struct hn_verdict *v, const char *kind, char *what, char *why,
	 struct err *e)
{
	return add(v, kind, what, why, false, e);
}

static int
firmware_link(struct hn_verdict *v, const struct hn_image *im,
	      const struct hn_platform *p, struct err *e)
{
	const char *has = im->bios && im->uefi ? "BIOS and UEFI" :
			  im->bios ? "BIOS" : im->uefi ? "UEFI" :
			  "no firmware";
	char *what = mem_fmt(e, "the disk starts from %s", has);

	if ((p->bios && im->bios) || (p->uefi && im->uefi))
		return hn_holds(v, "firmware", what, e);
	return hn_fails(v, "firmware", what,
		     mem_fmt(e, "the platform starts from %s only",
			     p->bios ? "BIOS" : "UEFI"), e);
}

int
hn_module_link(struct hn_verdict *v, const char *kind, struct hn_image *im,
	       const char *path, struct err *e)
{
	const struct hn_module *m = hn_module(im, path, e);

	if (m == NULL)
		return -1;
	if (m->why != NULL)
		return hn_fails(v, kind, mem_str(path, e), mem_str(m->why, e), e);
	return hn_holds(v, kind,
		     mem_fmt(e, "%s: %s, %zu imports resolved%s", path,
			     hn_pe_machine_name(m->pe.machine), m->pe.modules,
			     m->pe.has_certificate ? ", embedded signature" : ""),
		     e);
}

int
hn_service_links(struct hn_verdict *v, struct hn_image *im,
		 const struct hn_set *set, const char *service, struct err *e)
{
	struct hv_key *k = hn_service(set, service);
	SCOPED_FREE char *file = NULL;
	bool overridden;
	unsigned start;
	int r;

	if (k == NULL)
		return hn_fails(v, "service",
			     mem_fmt(e, "%s\\Services\\%s", set->name, service),
			     mem_str("there is no such service", e), e);
	start = hn_effective_start(k, &overridden);
	if (start != START_BOOT)
		return hn_fails(v, "service",
			     mem_fmt(e, "%s\\Services\\%s", set->name, service),
			     mem_fmt(e, "%s is %u, not 0 (boot)", overridden ?
				     "StartOverride" : "Start", start), e);
	if (hn_holds(v, "service", mem_fmt(e, "%s\\Services\\%s: Start 0",
					set->name, service), e) < 0)
		return -1;
	r = hn_service_file(im, k, &file, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return hn_fails(v, "file", mem_fmt(e, "%s's ImagePath", service),
			     mem_str("leads to no disk here", e), e);
	return hn_module_link(v, "file", im, file, e);
}

static size_t
count_of(const char *const *ids)
{
	size_t n = 0;

	while (ids[n] != NULL)
		n++;
	return n;
}

/* Something serves one of the ids, and it can be loaded.  *ret_service is what
 * serves it, NULL when that link is missing. */
static int
device_links(struct hn_verdict *v, struct hn_image *im,
	     const struct hn_set *set, const char *const *ids, size_t count,
	     char **ret_service, struct err *e)
{
	HN_BINDING_SCOPED struct hn_binding b = HN_BINDING_EMPTY;
	const char *general = ids[count - 1];
	int r = hn_bind(im, set, ids, count, &b, e);

	if (r < 0)
		return -1;
	if (r == 0)
		return hn_fails(v, "binding", mem_fmt(e, "%s ... %s", ids[0],
						   general),
			     mem_str(hn_has_database(im) ?
				     "DriverDatabase has no driver for it" :
				     "CriticalDeviceDatabase has no driver "
				     "for it", e), e);
	if (b.service[0] == '\0')
		return hn_fails(v, "binding", mem_fmt(e, "%s, %s", b.id, b.where),
			     mem_str("it names no service", e), e);
	if (hn_holds(v, "binding", mem_fmt(e, "%s -> %s (%s)", b.id, b.service,
					b.where), e) < 0 ||
	    hn_service_links(v, im, set, b.service, e) < 0)
		return -1;
	*ret_service = TAKE(b.service);
	return 0;
}

const char *const *
hn_channel_ids(const struct hn_image *im, const struct hn_device *d,
	       const char *service)
{
	if (!d->pci)
		return NULL;
	if (d->class >> 8 == 0x0101)
		return ide_channels;
	if (im->in->generation >= WN_VISTA && im->in->generation <= WN_7 &&
	    service != NULL && strcasecmp(service, "msahci") == 0)
		return ahci_channels;
	return NULL;
}

static int
platform_links(struct hn_verdict *v, struct hn_image *im,
	       const struct hn_set *set, const struct hn_platform *p,
	       struct err *e)
{
	for (size_t i = 0; i < p->devices; i++) {
		const struct hn_device *d = &p->device[i];
		SCOPED_FREE char *service = NULL, *below = NULL;
		const char *const *channels;

		if (device_links(v, im, set, (const char *const *)d->id,
				 d->ids, &service, e) < 0)
			return -1;
		channels = hn_channel_ids(im, d, service);
		if (channels == NULL)
			continue;
		/* 8 and later keep the channels' driver with the controllers':
		 * what binds one binds the other. */
		if (hn_has_database(im) ?
		    hn_service_links(v, im, set, "atapi", e) < 0 :
		    device_links(v, im, set, channels, count_of(channels),
				 &below, e) < 0)
			return -1;
	}
	return 0;
}

/* The loader takes the boot volume's file system along, whatever its Start. */
static int
file_system_link(struct hn_verdict *v, struct hn_image *im,
		 const struct hn_set *set, struct err *e)
{
	struct hv_key *k = hn_service(set, "Ntfs");
	SCOPED_FREE char *file = NULL;
	int r;

	if (k == NULL)
		return hn_fails(v, "service",
				mem_fmt(e, "%s\\Services\\Ntfs", set->name),
				mem_str("there is no such service", e), e);
	r = hn_service_file(im, k, &file, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return hn_fails(v, "file", mem_str("Ntfs' ImagePath", e),
				mem_str("leads to no disk here", e), e);
	return hn_module_link(v, "file", im, file, e);
}

/* The disk's own driver, and what the volume on it needs. */
static int
disk_links(struct hn_verdict *v, struct hn_image *im, const struct hn_set *set,
	   struct err *e)
{
	SCOPED_FREE char *service = NULL;
	enum wn_generation g = im->in->generation;

	if (!hn_has_database(im) &&
	    device_links(v, im, set, hn_disk_ids, 1, &service, e) < 0)
		return -1;
	for (const struct hn_core *c = hn_core; c->service != NULL; c++) {
		if (g < c->first || g > c->last ||
		    (service != NULL && strcasecmp(service, c->service) == 0))
			continue;
		if (hn_service_links(v, im, set, c->service, e) < 0)
			return -1;
	}
	return file_system_link(v, im, set, e);
}

int
hn_filter_fault(struct hn_image *im, const struct hn_set *set,
		const char *service, char **ret_why, struct err *e)
{
	struct hv_key *k = hn_service(set, service);
	const struct hn_module *m;
	SCOPED_FREE char *file = NULL;
	char *why = NULL;
	int r;

	*ret_why = NULL;
	if (k == NULL) {
		why = mem_str("there is no such service", e);
	} else if (hn_effective_start(k, NULL) >= START_DISABLED) {
		why = mem_str("its service is disabled", e);
	} else {
		r = hn_service_file(im, k, &file, e);
		if (r < 0)
			return -1;
		m = r == 1 ? hn_module(im, file, e) : NULL;
		if (r == 1 && m == NULL)
			return -1;
		if (m != NULL && m->why == NULL)
			return 0;
		why = mem_fmt(e, "%s: %s", r == 1 ? file : "its file",
			      m != NULL ? m->why : "lies on no disk here");
	}
	*ret_why = why;
	return why == NULL ? -1 : 0;
}

static int
filter_list(struct hn_verdict *v, struct hn_image *im,
	    const struct hn_set *set, const struct hn_class *c,
	    struct hv_key *k, const char *value, struct err *e)
{
	HV_STRINGS_SCOPED struct hv_strings list = HV_STRINGS_EMPTY;

	if (hv_get_multi(k, value, &list, e) < 0)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		char *why;

		if (hn_filter_fault(im, set, list.at[i], &why, e) < 0)
			return -1;
		if (add(v, "filter", mem_fmt(e, "%s: %s %s", c->name, value,
					     list.at[i]),
			why, why == NULL, e) < 0)
			return -1;
	}
	return 0;
}

static int
filter_links(struct hn_verdict *v, struct hn_image *im,
	     const struct hn_set *set, struct err *e)
{
	for (const struct hn_class *c = hn_classes; c->guid != NULL; c++) {
		SCOPED_FREE char *path = mem_fmt(e, "Class\\%s", c->guid);
		struct hv_key *k;

		if (path == NULL)
			return -1;
		k = hv_find(set->control, path);
		if (k != NULL && c->boots &&
		    (filter_list(v, im, set, c, k, "UpperFilters", e) < 0 ||
		     filter_list(v, im, set, c, k, "LowerFilters", e) < 0))
			return -1;
	}
	return 0;
}

/* A boot-start driver that is there but cannot be loaded stops the loader. */
static int
boot_driver_links(struct hn_verdict *v, struct hn_image *im,
		  const struct hn_set *set, struct err *e)
{
	size_t good = 0;

	for (struct hv_key *k = hv_first(set->services); k != NULL;
	     k = hv_next(k)) {
		SCOPED_FREE char *file = NULL;
		const struct hn_module *m = NULL;
		uint32_t type = 0;
		struct err odd = ERR_INIT;
		int r;

		if (hv_get_dword(k, "Type", &type, &odd) != 1 || type > 2 ||
		    hn_effective_start(k, NULL) != START_BOOT)
			continue;
		r = hn_service_file(im, k, &file, e);
		if (r < 0 || (r == 1 && (m = hn_module(im, file, e)) == NULL))
			return -1;
		if (m != NULL && m->why == NULL) {
			good++;
			continue;
		}
		if (hn_fails(v, "boot driver", hv_name(k, e),
			  mem_fmt(e, "%s: %s", r == 1 ? file : "its file",
				  m != NULL ? m->why : "lies on no disk here"),
			  e) < 0)
			return -1;
	}
	return hn_holds(v, "boot driver",
		     mem_fmt(e, "%zu boot-start drivers can be loaded", good),
		     e);
}

/* XP's processor drivers start on every processor and stop on a foreign one. */
static int
cpu_link(struct hn_verdict *v, const struct hn_image *im,
	 const struct hn_set *set, const struct hn_platform *p, struct err *e)
{
	struct hv_key *k = hn_service(set, "intelppm");
	unsigned start = k != NULL ? hn_effective_start(k, NULL) : 3;

	if (im->in->generation > WN_2003 || p->cpu == HN_CPU_INTEL)
		return 0;
	if (start > 1)
		return hn_holds(v, "processor", mem_str("intelppm starts only "
						     "where it is needed", e), e);
	return hn_fails(v, "processor", mem_str("Services\\intelppm", e),
		     mem_fmt(e, "Start is %u: it stops with 0x7E on a processor "
			     "that is not Intel's", start), e);
}

/* The system drive's letter must not be kept for another volume. */
static int
letter_link(struct hn_verdict *v, const struct hn_image *im, struct err *e)
{
	bool astray;
	char *what;

	if (hn_letter_astray(im, &astray, e) < 0)
		return -1;
	if (im->in->drive == NULL)
		return 0;
	what = mem_fmt(e, "%.1s", im->in->drive);
	return astray ? hn_fails(v, "letter", what,
				 mem_str("is kept for another volume, or one "
					 "that is not there", e), e) :
	       hn_holds(v, "letter", what, e);
}

int
hn_prove(struct hn_image *im, const struct hn_platform *p,
	 struct hn_verdict *ret, struct err *e)
{
	HN_VERDICT_SCOPED struct hn_verdict v = HN_VERDICT_EMPTY;
	const struct hn_set *set = &im->set[0];

	if (firmware_link(&v, im, p, e) < 0 ||
	    hn_boot_links(&v, im, p, e) < 0 ||
	    hn_kernel_links(&v, im, set, p, e) < 0 ||
	    cpu_link(&v, im, set, p, e) < 0 ||
	    platform_links(&v, im, set, p, e) < 0 ||
	    disk_links(&v, im, set, e) < 0 ||
	    letter_link(&v, im, e) < 0 || filter_links(&v, im, set, e) < 0 ||
	    boot_driver_links(&v, im, set, e) < 0)
		return -1;
	v.yes = hn_first_missing(&v) == NULL;
	*ret = TAKE(v);
	return 0;
}
