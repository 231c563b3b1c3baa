/* boot_chain.c - the links from the firmware to this installation
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * BIOS: the disk's boot record, the active partition's boot sector, NTLDR with
 * NTDETECT.COM and boot.ini, or BOOTMGR with \Boot\BCD.  UEFI: the loader that
 * firmware starts when nothing else is set, and the BCD beside it.
 */
#include "hal-neutral/links.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "disk/disk.h"
#include "hal-neutral/bcd.h"
#include "hal-neutral/bootini.h"
#include "hal-neutral/geometry.h"

enum { SECTOR = 512, RECORD_CODE = 440 };

/* A file of any volume that must be there and not empty. */
static int
plain_link(struct hn_verdict *v, struct vo *vo, const char *path,
	   struct err *e)
{
	struct vo_stat st;
	int r = vo_stat(vo, path, &st, e);

	if (r < 0)
		return -1;
	if (r == 1 && st.size > 0)
		return hn_holds(v, "loader", mem_str(path, e), e);
	return hn_fails(v, "loader", mem_str(path, e),
			mem_str(r == 0 ? "the file is not there" :
				"the file is empty", e), e);
}

/* A program that firmware or boot manager starts: for this machine. */
static int
program_link(struct hn_verdict *v, const struct hn_image *im, struct vo *vo,
	     const char *path, struct err *e)
{
	SCOPED_FREE uint8_t *bytes = NULL;
	HN_PE_SCOPED struct hn_pe pe = HN_PE_EMPTY;
	struct err bad = ERR_INIT;
	size_t len = 0;
	int r = vo_slurp(vo, path, HN_DRIVER_MAX, &bytes, &len, e);
	const char *why = NULL;

	if (r < 0)
		return -1;
	if (r == 0)
		why = "the file is not there";
	else if (len == 0)
		why = "the file is empty";
	else if (hn_pe_parse("loader", bytes, len, &pe, &bad) < 0)
		why = bad.kind == ERR_NOMEM ? NULL : bad.msg;
	else if (pe.machine != im->machine)
		why = "it is for another processor";
	if (bad.kind == ERR_NOMEM)
		return err_set(e, bad.kind, "%s", bad.msg);
	if (why == NULL)
		return hn_holds(v, "loader", mem_str(path, e), e);
	return hn_fails(v, "loader", mem_str(path, e), mem_str(why, e), e);
}

/* ---- BIOS ---- */

static int
record_link(struct hn_verdict *v, const struct hn_image *im, struct err *e)
{
	struct dk *d = im->in->guest->disk;
	uint8_t sector[SECTOR];
	bool code = false;
	char *what;

	if (dk_read(d, sector, sizeof(sector), 0, e) < 0)
		return -1;
	for (size_t i = 0; i < RECORD_CODE; i++)
		code = code || sector[i] != 0;
	what = mem_str("the disk's first sector", e);
	return code ? hn_holds(v, "boot sector", what, e) :
	       hn_fails(v, "boot sector", what,
			mem_str("holds no boot code", e), e);
}

/* 2000, XP and 2003 count in the heads that the boot sector names. */
static int
sector_link(struct hn_verdict *v, const struct hn_image *im, size_t volume,
	    const struct hn_platform *p, struct err *e)
{
	struct hn_geometry geo;
	uint16_t heads;
	char *what;

	if (hn_geometry(im, volume, &geo, e) < 0)
		return -1;
	heads = p->heads != 0 ? p->heads : geo.want_heads;
	what = mem_fmt(e, "partition %u",
		       im->in->guest->volume[volume].part);
	if (!geo.code)
		return hn_fails(v, "boot sector", what,
				mem_str("holds no boot code", e), e);
	if (geo.hidden != geo.want_hidden)
		return hn_fails(v, "boot sector", what,
				mem_fmt(e, "says it begins at sector %u, not "
					"%u", geo.hidden, geo.want_hidden), e);
	if (im->in->generation <= WN_2003 && geo.heads != heads)
		return hn_fails(v, "boot sector", what,
				mem_fmt(e, "counts %u heads, the BIOS %u",
					geo.heads, heads), e);
	return hn_holds(v, "boot sector", what, e);
}

static int
ini_links(struct hn_verdict *v, const struct hn_image *im, struct err *e)
{
	HN_INI_SCOPED struct hn_ini ini = HN_INI_EMPTY;
	struct hn_ini_entry en = { .path = NULL };
	int r = hn_ini_read(im, &ini, e);
	size_t line = r == 1 ? hn_ini_default(&ini) : SIZE_MAX;

	if (r < 0)
		return -1;
	if (line == SIZE_MAX || !hn_ini_entry(&ini, line, &en))
		return hn_fails(v, "boot entry", mem_str("boot.ini", e),
				mem_str(r == 0 ? "the file is not there" :
					"its default names no entry", e), e);
	if (hn_arc_is_ours(im, en.path, en.path_len))
		return hn_holds(v, "boot entry", mem_str(ini.line[line], e), e);
	return hn_fails(v, "boot entry", mem_str(ini.line[line], e),
			mem_str("does not lead to this installation", e), e);
}

static int bcd_links(struct hn_verdict *v, struct hn_image *im, bool uefi,
		     struct err *e);

static int
bios_links(struct hn_verdict *v, struct hn_image *im,
	   const struct hn_platform *p, struct err *e)
{
	const struct wn_guest *g = im->in->guest;
	size_t at = 0;
	struct vo *vo;

	while (at < g->volumes && !g->volume[at].active)
		at++;
	if (at == g->volumes)
		return 0;	/* the firmware link said so */
	vo = g->volume[at].vo;
	if (record_link(v, im, e) < 0)
		return -1;
	if (vo == NULL)
		return hn_fails(v, "boot sector",
				mem_fmt(e, "partition %u", g->volume[at].part),
				mem_str("cannot be opened", e), e);
	if (sector_link(v, im, at, p, e) < 0)
		return -1;
	if (im->in->generation > WN_2003)
		return plain_link(v, vo, "bootmgr", e) < 0 ? -1 :
		       bcd_links(v, im, false, e);
	if (plain_link(v, vo, "ntldr", e) < 0 ||
	    plain_link(v, vo, "NTDETECT.COM", e) < 0)
		return -1;
	return ini_links(v, im, e);
}

/* ---- BCD ---- */

static int
device_link(struct hn_verdict *v, const struct hn_image *im,
	    const struct hn_bcd *b, const char *element, size_t want,
	    struct err *e)
{
	const char *why;
	size_t volume = hn_bcd_device(im, b, b->chosen, element, &why);
	char *what = mem_fmt(e, "BCD: element %s of %s", element, b->chosen);

	if (volume == SIZE_MAX)
		return hn_fails(v, "boot entry", what, mem_str(why, e), e);
	if (want != SIZE_MAX && volume != want)
		return hn_fails(v, "boot entry", what,
				mem_str("leads to another partition", e), e);
	return hn_holds(v, "boot entry", what, e);
}

/* winload.exe for BIOS, winload.efi for UEFI, of the entry that is started. */
static int
winload_link(struct hn_verdict *v, const struct hn_image *im,
	     const struct hn_bcd *b, bool uefi, struct err *e)
{
	SCOPED_FREE char *path = hn_bcd_text(b, b->chosen, HN_BCD_PATH);
	size_t volume = hn_bcd_device(im, b, b->chosen, HN_BCD_DEVICE, NULL);
	size_t len = path != NULL ? strlen(path) : 0;
	const char *suffix = uefi ? ".efi" : ".exe";

	if (len < 4 || strcasecmp(path + len - 4, suffix) != 0)
		return hn_fails(v, "loader",
				mem_str(path != NULL ? path : "BCD", e),
				mem_fmt(e, "names no loader (*%s)", suffix), e);
	for (char *c = path; *c != '\0'; c++)
		if (*c == '\\')
			*c = '/';
	if (volume == SIZE_MAX || im->in->guest->volume[volume].vo == NULL)
		return 0;	/* the device link said so */
	return program_link(v, im, im->in->guest->volume[volume].vo,
			    path + strspn(path, "/"), e);
}

static int
bcd_links(struct hn_verdict *v, struct hn_image *im, bool uefi, struct err *e)
{
	HN_BCD_SCOPED struct hn_bcd b = HN_BCD_EMPTY;
	SCOPED_FREE char *why = NULL, *root = NULL;
	int r = hn_bcd_open(im, uefi, &b, &why, e);

	if (r < 0)
		return -1;
	if (r == 0)
		return hn_fails(v, "boot entry", mem_str("BCD", e), TAKE(why),
				e);
	if (b.chosen == NULL || b.ours == NULL ||
	    strcasecmp(b.chosen, b.ours) != 0)
		return hn_fails(v, "boot entry", mem_fmt(e, "BCD: %s",
				b.chosen != NULL ? b.chosen : "no default"),
				mem_str("does not lead to this installation",
					e), e);
	root = hn_bcd_text(&b, b.chosen, HN_BCD_ROOT);
	if (hn_holds(v, "boot entry", mem_fmt(e, "BCD: %s, %s", b.chosen,
					      root != NULL ? root : "?"),
		     e) < 0 ||
	    device_link(v, im, &b, HN_BCD_DEVICE, SIZE_MAX, e) < 0 ||
	    device_link(v, im, &b, HN_BCD_OS_DEVICE, im->in->volume, e) < 0)
		return -1;
	return winload_link(v, im, &b, uefi, e);
}

/* ---- UEFI ---- */

/* On a machine that never saw the disk, only this name is started (UEFI
 * specification 2.10, 3.5.1.1). */
static const char *
fallback(const struct hn_image *im)
{
	switch (im->machine) {
	case HN_PE_I386:
		return "EFI/Boot/bootia32.efi";
	case HN_PE_ARM64:
		return "EFI/Boot/bootaa64.efi";
	default:
		return "EFI/Boot/bootx64.efi";
	}
}

static int
uefi_links(struct hn_verdict *v, struct hn_image *im, struct err *e)
{
	const struct wn_guest *g = im->in->guest;
	size_t at = 0;

	while (at < g->volumes && !g->volume[at].esp)
		at++;
	if (at == g->volumes)
		return 0;	/* the firmware link said so */
	if (g->volume[at].vo == NULL)
		return hn_fails(v, "loader", mem_str("EFI system partition", e),
				mem_str("cannot be opened", e), e);
	if (program_link(v, im, g->volume[at].vo, fallback(im), e) < 0)
		return -1;
	return bcd_links(v, im, true, e);
}

int
hn_boot_links(struct hn_verdict *v, struct hn_image *im,
	      const struct hn_platform *p, struct err *e)
{
	if (p->bios && im->bios)
		return bios_links(v, im, p, e);
	return p->uefi && im->uefi ? uefi_links(v, im, e) : 0;
}
