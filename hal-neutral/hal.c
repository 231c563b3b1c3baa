/* hal.c - see hal.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/hal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/bcd.h"

#define UP "ntoskrnl.exe", "ntkrnlpa.exe"
#define MP "ntkrnlmp.exe", "ntkrpamp.exe"

const struct hn_hal hn_hals[] = {
	{ "acpipic_up", "halacpi.dll", UP, "ACPI, no APIC", false, true },
	{ "acpiapic_up", "halaacpi.dll", UP, "ACPI, one processor", true,
	  true },
	{ "acpiapic_mp", "halmacpi.dll", MP, "ACPI, many processors", true,
	  true },
	{ "e_isa_up", "hal.dll", UP, "standard PC", false, false },
	{ "mps_up", "halapic.dll", UP, "MPS, one processor", true, false },
	{ "mps_mp", "halmps.dll", MP, "MPS, many processors", true, false },
	{ "syspro_mp", "halsp.dll", MP, "Compaq SystemPro", true, false },
	{ .id = NULL }
};

const struct hn_hal *
hn_hal_by_id(const char *id)
{
	for (const struct hn_hal *h = hn_hals; h->id != NULL; h++)
		if (strcasecmp(h->id, id) == 0)
			return h;
	/* Vista's ids name no number of processors. */
	return strcasecmp(id, "acpiapic") == 0 ? &hn_hals[2] : NULL;
}

const struct hn_hal *
hn_hal_by_file(const char *file)
{
	for (const struct hn_hal *h = hn_hals; h->id != NULL; h++)
		if (strcasecmp(h->file, file) == 0)
			return h;
	return NULL;
}

int
hn_hal_of(const struct hn_image *im, const char *path,
	  const struct hn_hal **ret, struct hn_pe_version *ret_v,
	  struct err *e)
{
	SCOPED_FREE uint8_t *bytes = NULL;
	HN_PE_SCOPED struct hn_pe pe = HN_PE_EMPTY;
	struct hn_pe_version v = { .original = "" };
	struct err bad = ERR_INIT;
	size_t len;
	int r = vo_slurp(im->vo, path, HN_DRIVER_MAX, &bytes, &len, e);

	*ret = NULL;
	if (r < 0)
		return -1;
	if (r == 1 && hn_pe_parse(path, bytes, len, &pe, &bad) == 0 &&
	    hn_pe_version(&pe, bytes, len, &v))
		*ret = hn_hal_by_file(v.original);
	if (ret_v != NULL)
		*ret_v = v;
	return 0;
}

const struct hn_hal *
hn_hal_registered(const struct hn_set *set)
{
	static const char *const roots[] = { "ACPI_HAL", "PCI_HAL" };

	for (size_t i = 0; i < 2; i++) {
		struct err e = ERR_INIT;
		HV_STRINGS_SCOPED struct hv_strings ids = HV_STRINGS_EMPTY;
		SCOPED_FREE char *path = mem_fmt(&e, "Enum\\Root\\%s\\0000",
						 roots[i]);
		struct hv_key *k = path != NULL ? hv_find(set->key, path) :
				   NULL;

		if (k == NULL || hv_get_multi(k, "HardwareID", &ids, &e) != 1)
			continue;
		for (size_t n = 0; n < ids.count; n++)
			if (hn_hal_by_id(ids.at[n]) != NULL)
				return hn_hal_by_id(ids.at[n]);
	}
	return NULL;
}

/* A name from a boot entry: a file of System32, nothing else. */
static bool
plain(const char *name)
{
	return name[0] != '\0' && strpbrk(name, "/\\:") == NULL &&
	       strlen(name) < 64;
}

static void
choose(char file[64], struct hn_kernel *k, const char *name)
{
	if (name == NULL || !plain(name))
		return;
	(void)snprintf(file, 64, "%s", name);
	k->chosen = true;
}

static int
from_boot_ini(const struct hn_image *im, struct hn_kernel *k, struct err *e)
{
	HN_INI_SCOPED struct hn_ini ini = HN_INI_EMPTY;
	SCOPED_FREE char *hal = NULL, *kernel = NULL, *nx = NULL, *pae = NULL;
	struct hn_ini_entry en;
	int r = hn_ini_read(im, &ini, e);
	size_t line;

	if (r <= 0)
		return r;
	line = hn_ini_default(&ini);
	if (line == SIZE_MAX || !hn_ini_entry(&ini, line, &en))
		return 0;
	if (hn_ini_option(&en, "/HAL=", &hal, e) < 0 ||
	    hn_ini_option(&en, "/KERNEL=", &kernel, e) < 0 ||
	    hn_ini_option(&en, "/NOEXECUTE", &nx, e) < 0 ||
	    hn_ini_option(&en, "/PAE", &pae, e) < 0)
		return -1;
	choose(k->hal_file, k, hal);
	choose(k->kernel_file, k, kernel);
	k->pae = kernel == NULL && im->machine == HN_PE_I386 &&
		 (pae != NULL || (nx != NULL &&
				  strcasecmp(nx, "=alwaysoff") != 0));
	return 0;
}

static int
from_bcd(struct hn_image *im, struct hn_kernel *k, struct err *e)
{
	HN_BCD_SCOPED struct hn_bcd b = HN_BCD_EMPTY;
	SCOPED_FREE char *why = NULL, *hal = NULL, *kernel = NULL;
	const struct hv_value *v;
	struct hv_key *detect;
	int r = hn_bcd_open(im, !im->bios, &b, &why, e);

	k->pae = im->machine == HN_PE_I386 && im->in->generation <= WN_7;
	k->detected = im->machine != HN_PE_I386 ||
		      im->in->generation >= WN_7;
	if (r <= 0 || b.ours == NULL)
		return r < 0 ? -1 : 0;
	hal = hn_bcd_text(&b, b.ours, HN_BCD_HAL);
	kernel = hn_bcd_text(&b, b.ours, HN_BCD_KERNEL);
	choose(k->hal_file, k, hal);
	choose(k->kernel_file, k, kernel);
	detect = hn_bcd_element(&b, b.ours, HN_BCD_DETECT_HAL);
	v = detect != NULL ? hv_value(detect, "Element") : NULL;
	if (v != NULL && hv_data(v).len > 0 && hv_data(v).at[0] != 0)
		k->detected = true;
	if (hal != NULL)
		k->detected = false;
	return 0;
}

int
hn_kernel_find(struct hn_image *im, const struct hn_set *set,
	       struct hn_kernel *ret, struct err *e)
{
	struct hn_kernel k = { .hal = NULL };
	SCOPED_FREE char *path = NULL;

	(void)snprintf(k.hal_file, sizeof(k.hal_file), "hal.dll");
	(void)snprintf(k.kernel_file, sizeof(k.kernel_file), "ntoskrnl.exe");
	if ((im->in->generation <= WN_2003 ? from_boot_ini(im, &k, e) :
	     from_bcd(im, &k, e)) < 0)
		return -1;
	path = mem_fmt(e, "%s/System32/%s", im->in->root, k.hal_file);
	if (path == NULL || hn_hal_of(im, path, &k.hal, NULL, e) < 0)
		return -1;
	/* Vista's and 7's hal.dll is one of two files under its old name. */
	if (k.hal == NULL || (im->in->generation > WN_2003 &&
			      strcmp(k.hal->id, "e_isa_up") == 0))
		k.hal = hn_hal_registered(set);
	*ret = k;
	return 0;
}
