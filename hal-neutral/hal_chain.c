/* hal_chain.c - the links from the boot entry to the kernel and its HAL
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/links.h"

#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/hal.h"

static int
file_link(struct hn_verdict *v, struct hn_image *im, const char *file,
	  struct err *e)
{
	SCOPED_FREE char *path = mem_fmt(e, "%s/System32/%s", im->in->root,
					 file);

	return path == NULL ? -1 : hn_module_link(v, "kernel", im, path, e);
}

/* Which of them the loader takes is its own choice, so both must be there. */
static int
both_hals(struct hn_verdict *v, struct hn_image *im, struct err *e)
{
	if (im->machine != HN_PE_I386 || im->in->generation > WN_7)
		return file_link(v, im, "hal.dll", e);
	if (file_link(v, im, "halacpi.dll", e) < 0)
		return -1;
	return file_link(v, im, "halmacpi.dll", e);
}

/* 32-bit XP to Vista keep the HAL of their first machine; one for the APIC
 * stops with 0x79 where the firmware describes none (Microsoft KB249694).  The
 * other HALs run everywhere, and later Windows choose at every boot. */
static int
fit_link(struct hn_verdict *v, const struct hn_image *im,
	 const struct hn_kernel *k, const struct hn_platform *p, struct err *e)
{
	if (im->machine != HN_PE_I386)
		return 0;
	if (k->detected)
		return hn_holds(v, "hal", mem_str("chosen at every boot", e), e);
	if (k->hal == NULL && !p->madt)
		return hn_fails(v, "hal", mem_str(k->hal_file, e),
				mem_str("which HAL it is, nothing says; the "
					"platform's firmware describes no "
					"APIC", e), e);
	if (k->hal != NULL && k->hal->apic && !p->madt)
		return hn_fails(v, "hal", mem_fmt(e, "%s: %s", k->hal_file,
						  k->hal->what),
				mem_str("the platform's firmware describes no "
					"APIC", e), e);
	return hn_holds(v, "hal", mem_fmt(e, "%s: %s", k->hal_file,
					  k->hal != NULL ? k->hal->what :
					  "unknown"), e);
}

int
hn_kernel_links(struct hn_verdict *v, struct hn_image *im,
		const struct hn_set *set, const struct hn_platform *p,
		struct err *e)
{
	struct hn_kernel k;

	if (hn_kernel_find(im, set, &k, e) < 0 ||
	    file_link(v, im, k.kernel_file, e) < 0 ||
	    (k.pae && file_link(v, im, "ntkrnlpa.exe", e) < 0) ||
	    (k.detected ? both_hals(v, im, e) :
	     file_link(v, im, k.hal_file, e)) < 0)
		return -1;
	/* An ACPI HAL needs the ACPI driver; later Windows always do. */
	if (im->in->generation <= WN_2003 &&
	    (im->machine != HN_PE_I386 || k.hal == NULL || k.hal->acpi) &&
	    hn_service_links(v, im, set, "acpi", e) < 0)
		return -1;
	return fit_link(v, im, &k, p, e);
}
