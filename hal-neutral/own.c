/* own.c - see own.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Enum\PCI\VEN_v&DEV_d&SUBSYS_s&REV_r\INSTANCE holds ClassGUID, Service and the
 * lists HardwareID and CompatibleIDs, one of which ends in CC_ and six digits.
 */
#include "hal-neutral/own.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "hal-neutral/geometry.h"

static const char hdc[] = "{4D36E96A-E325-11CE-BFC1-08002BE10318}";
static const char scsi[] = "{4D36E97B-E325-11CE-BFC1-08002BE10318}";

/* The hexadecimal digits behind a mark in an id; false unless there are so
 * many and no more. */
static bool
digits(const char *id, const char *mark, size_t want, char *ret)
{
	const char *at = strcasestr(id, mark);
	size_t n;

	if (at == NULL)
		return false;
	at += strlen(mark);
	n = strspn(at, "0123456789abcdefABCDEF");
	if (n != want)
		return false;
	for (size_t i = 0; i < n; i++)
		ret[i] = (char)tolower((unsigned char)at[i]);
	ret[n] = '\0';
	return true;
}

static bool
class_code(const struct hv_key *k, const char *value, char ret[7])
{
	struct err e = ERR_INIT;
	HV_STRINGS_SCOPED struct hv_strings ids = HV_STRINGS_EMPTY;

	if (hv_get_multi(k, value, &ids, &e) != 1)
		return false;
	for (size_t i = 0; i < ids.count; i++)
		if (digits(ids.at[i], "CC_", 6, ret))
			return true;
	/* Without its interface: that one is then unknown, not 00; but no driver
	 * asks for 00 either. */
	for (size_t i = 0; i < ids.count; i++)
		if (digits(ids.at[i], "CC_", 4, ret)) {
			memcpy(ret + 4, "00", 3);
			return true;
		}
	return false;
}

/* Is the instance a storage controller that boots? */
static bool
boots(const struct hn_image *im, const struct hv_key *k)
{
	struct err e = ERR_INIT;
	SCOPED_FREE char *guid = NULL, *service = NULL;
	struct hv_key *s;

	if (hv_get_str(k, "ClassGUID", &guid, &e) != 1 ||
	    hv_get_str(k, "Service", &service, &e) != 1 ||
	    (strcasecmp(guid, hdc) != 0 && strcasecmp(guid, scsi) != 0))
		return false;
	s = hn_service(&im->set[0], service);
	return s != NULL && hn_effective_start(s, NULL) == 0;
}

/* A line of devices; false when the id says too little. */
static bool
put_device(const char *id, const struct hv_key *k, struct buf *out)
{
	char vendor[5], device[5], subsystem[9], revision[3], class[7];

	if (!digits(id, "VEN_", 4, vendor) || !digits(id, "DEV_", 4, device) ||
	    (!class_code(k, "HardwareID", class) &&
	     !class_code(k, "CompatibleIDs", class)))
		return false;
	buf_fmt(out, "- pci: {vendor: '%s', device: '%s'", vendor, device);
	if (digits(id, "SUBSYS_", 8, subsystem))
		buf_fmt(out, ", subsystem: '%s'", subsystem);
	if (digits(id, "REV_", 2, revision))
		buf_fmt(out, ", revision: '%s'", revision);
	buf_fmt(out, ", class: '%s'}\n", class);
	return true;
}

static const char *
processor(const struct hn_image *im)
{
	struct hv_key *acpi = hv_find(im->set[0].key, "Enum\\ACPI");

	for (struct hv_key *k = acpi != NULL ? hv_first(acpi) : NULL;
	     k != NULL; k = hv_next(k)) {
		struct err e = ERR_INIT;
		SCOPED_FREE char *name = hv_name(k, &e);

		if (name != NULL && strncasecmp(name, "GenuineIntel", 12) == 0)
			return "intel";
		if (name != NULL && strncasecmp(name, "AuthenticAMD", 12) == 0)
			return "amd";
	}
	return "any";
}

/* The heads that the BIOS must translate to, since XP and 2003 boot there. */
static int
put_heads(const struct hn_image *im, struct buf *out, struct err *e)
{
	const struct wn_guest *g = im->in->guest;
	struct hn_geometry geo;

	for (size_t i = 0; i < g->volumes; i++) {
		if (!g->volume[i].active || im->in->generation > WN_2003)
			continue;
		if (hn_geometry(im, i, &geo, e) < 0)
			return -1;
		if (geo.heads != geo.want_heads && geo.heads > 0 &&
		    geo.heads <= 255)
			buf_fmt(out, "heads: %u\n", geo.heads);
	}
	return 0;
}

int
hn_own_platform(const struct hn_image *im, struct buf *out, struct err *e)
{
	struct hv_key *pci = hv_find(im->set[0].key, "Enum\\PCI");
	size_t found = 0;

	buf_fmt(out, "# The PC that this Windows ran on; see "
		"halcyon-platform(5).\nname: own\nwhat: \"the PC that %s ran "
		"on\"\nfirmware: [%s]\ncpu: %s\n",
		wn_generation_name(im->in->generation),
		im->uefi && im->bios ? "bios, uefi" : im->uefi ? "uefi" : "bios",
		processor(im));
	if (put_heads(im, out, e) < 0)
		return -1;
	buf_str(out, "devices:\n");
	for (struct hv_key *d = pci != NULL ? hv_first(pci) : NULL; d != NULL;
	     d = hv_next(d)) {
		SCOPED_FREE char *id = hv_name(d, e);

		if (id == NULL)
			return -1;
		for (struct hv_key *k = hv_first(d); k != NULL; k = hv_next(k))
			if (boots(im, k) && put_device(id, k, out)) {
				found++;
				break;
			}
	}
	if (buf_ok(out, e) < 0)
		return -1;
	return found > 0 ? 0 :
	       err_set(e, ERR_NO, "%s: Enum\\PCI has no storage controller "
		       "that boots", im->in->system_root);
}
