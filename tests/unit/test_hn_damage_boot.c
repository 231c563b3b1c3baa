/* test_hn_damage_boot.c - the way from the firmware to the kernel, damaged
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * As test_hn_damage.c does with drivers: boot sectors, boot.ini, BCD, the choice
 * of the control set, processor drivers.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "hal-neutral/bcd.h"
#include "tests/unit/patient.h"

static struct wn_volume *
start_volume(struct patient *p)
{
	struct wn_guest *g = p->im.in->guest;

	for (size_t i = 0; i < g->volumes; i++)
		if (g->volume[i].active && g->volume[i].vo != NULL)
			return &g->volume[i];
	return NULL;
}

static void
ini_damages(struct patient *p)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "boot.ini" },
		{ "[boot loader]\r\ntimeout=3\r\n[operating systems]\r\n",
		  "boot.ini" },
		{ "[boot loader]\r\ndefault=multi(0)disk(0)rdisk(0)"
		  "partition(2)\\WINDOWS\r\n[operating systems]\r\nmulti(0)"
		  "disk(0)rdisk(0)partition(2)\\WINDOWS=\"x\"\r\n",
		  "partition(2)" },
		{ "[boot loader]\r\ndefault=multi(0)disk(0)rdisk(1)"
		  "partition(1)\\WINDOWS\r\n[operating systems]\r\nmulti(0)"
		  "disk(0)rdisk(1)partition(1)\\WINDOWS=\"x\"\r\n",
		  "rdisk(1)" },
		{ "[boot loader]\r\ndefault=scsi(0)disk(0)rdisk(0)"
		  "partition(1)\\WINDOWS\r\n[operating systems]\r\nscsi(0)"
		  "disk(0)rdisk(0)partition(1)\\WINDOWS=\"x\"\r\n",
		  "scsi(0)" },
		{ "[boot loader]\r\ndefault=multi(0)disk(0)rdisk(0)"
		  "partition(1)\\WINNT\r\n[operating systems]\r\nmulti(0)"
		  "disk(0)rdisk(0)partition(1)\\WINNT=\"x\"\r\n", "WINNT" },
		{ "[boot loader]\r\ndefault=multi(0)disk(0)rdisk(0)"
		  "partition(1)\\WINDOWS\r\n[operating systems]\r\nmulti(0)"
		  "disk(0)rdisk(0)partition(1)\\WINDOWS=\"x\" /HAL=gone.dll\r\n",
		  "gone.dll" },
		{ "[boot loader]\r\ndefault=multi(0)disk(0)rdisk(0)"
		  "partition(1)\\WINDOWS\r\n[operating systems]\r\nmulti(0)"
		  "disk(0)rdisk(0)partition(1)\\WINDOWS=\"x\" /KERNEL=k.exe\r\n",
		  "k.exe" },
	};
	struct vo *vo = start_volume(p)->vo;
	SCOPED_FREE uint8_t *good = NULL;
	struct err e = ERR_INIT;
	size_t len;

	assert_int_equal(vo_slurp(vo, "boot.ini", 65536, &good, &len, &e), 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		OK(vo_put(vo, "boot.ini", bad[i].text, strlen(bad[i].text),
			  &e));
		must(p, bad[i].text, "", all, "boot entry|kernel",
		     bad[i].says);
	}
	OK(vo_put(vo, "boot.ini", good, len, &e));
	file_damages(p, vo, "boot.ini", false, "boot entry");
	file_damages(p, vo, "ntldr", false, "loader");
	file_damages(p, vo, "NTDETECT.COM", false, "loader");
}

static void
device_damages(struct patient *p, const struct hn_bcd *b, const char *element)
{
	/* kind, partition, scheme, disk */
	static const size_t places[] = { 16, 33, 52, 57 };
	struct hv_key *k = hn_bcd_element(b, b->ours, element);
	struct value was = keep(k, "Element");
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		uint8_t bad[HN_BCD_DEVICE_BYTES];

		memcpy(bad, was.at, sizeof(bad));
		bad[places[i]] ^= 1;
		/* 7 and 2: no kind, no scheme. */
		bad[16] = i == 0 ? 7 : bad[16];
		bad[52] = i == 2 ? 2 : bad[52];
		OK(hv_set(k, "Element", HV_BINARY, bad, sizeof(bad), &e));
		must(p, element, "", all, "boot entry", element);
	}
	OK(hv_set(k, "Element", HV_BINARY, was.at, 40, &e));
	must(p, element, "", all, "boot entry", element);
	drop(k, "Element");
	must(p, element, "", all, "boot entry", element);
	mend(&was);
}

static void
bcd_damages(struct patient *p)
{
	HN_BCD_SCOPED struct hn_bcd b = HN_BCD_EMPTY;
	SCOPED_FREE char *why = NULL;
	struct err e = ERR_INIT;
	bool uefi = !p->im.bios;
	const char *const texts[][3] = {
		{ HN_BCD_PATH, "\\Windows\\system32\\gone", "gone" },
		{ HN_BCD_PATH, uefi ? "\\Windows\\system32\\winload.exe" :
		  "\\Windows\\system32\\winload.efi", "winload" },
		{ HN_BCD_ROOT, "\\Winnt", "BCD" },
	};

	assert_int_equal(hn_bcd_open(&p->im, uefi, &b, &why, &e), 1);
	device_damages(p, &b, HN_BCD_DEVICE);
	device_damages(p, &b, HN_BCD_OS_DEVICE);
	for (size_t i = 0; i < 3; i++) {
		struct hv_key *k = hn_bcd_element(&b, b.ours, texts[i][0]);
		struct value was = keep(k, "Element");

		OK(hv_set_str(k, "Element", HV_SZ, texts[i][1], &e));
		must(p, texts[i][1], "", all, "boot entry|loader",
		     texts[i][2]);
		drop(k, "Element");
		must(p, texts[i][0], "", all, "boot entry|loader", "BCD");
		mend(&was);
	}
	for (int gone = 0; gone < 2; gone++) {
		struct hv_key *k = hn_bcd_element(&b, HN_BCD_MANAGER,
						  HN_BCD_DEFAULT);
		struct value was = keep(k, "Element");

		if (gone)
			drop(k, "Element");
		else
			OK(hv_set_str(k, "Element", HV_SZ, "{nosuch}", &e));
		must(p, "another default", "", all, "boot entry", "BCD");
		mend(&was);
	}
	sound(p, "BCD");
	if (!uefi)
		file_damages(p, start_volume(p)->vo, "bootmgr", false, "loader");
}

/* Bytes of the disk, outside of files. */
static void
sector_damage(struct patient *p, uint64_t at, size_t len, const void *bytes,
	      const char *says)
{
	uint8_t was[512];
	struct err e = ERR_INIT;

	OK(dk_read(p->disk, was, len, at, &e));
	OK(dk_write(p->disk, bytes, len, at, &e));
	must(p, says, "", all, "boot sector", says);
	OK(dk_write(p->disk, was, len, at, &e));
	sound(p, says);
}

static void
sector_damages(struct patient *p)
{
	static const uint8_t zeros[440];
	uint64_t at;

	if (!p->im.bios)
		return;
	at = start_volume(p)->start;
	sector_damage(p, 0, 440, zeros, "first sector");
	sector_damage(p, at + 0x54, 426, zeros, "no boot code");
	sector_damage(p, at + 0x1c, 4, "\x01\x02\x03\x04", "begins at sector");
	if (p->im.in->generation <= WN_2003)
		sector_damage(p, at + 0x1a, 2, "\xf0\0", "240 heads");
}

/* ---- the next boot's control set ---- */

static void
select_damages(struct patient *p)
{
	struct hv_key *select = hv_find(hv_root(p->im.sys), "Select");
	struct hv_key *other = hv_find(hv_root(p->im.sys),
				       "ControlSet002\\Services\\disk");
	struct value was = keep(select, "Default");
	struct value start = keep(other, "Start");
	struct err e = ERR_INIT;

	/* Both sets were made neutral. */
	OK(hv_set_dword(select, "Default", 2, &e));
	look(p);
	sound(p, "the other set");
	OK(hv_set_dword(other, "Start", 4, &e));
	must(p, "Start in the other set", "", all, "service",
	     "ControlSet002\\Services\\disk");
	OK(hv_set_dword(select, "Default", 1, &e));
	look(p);
	sound(p, "a fault in a set that does not boot");
	mend(&start);
	for (uint32_t n = 0; n < 2; n++) {
		struct hn_image im = HN_IMAGE_EMPTY;

		OK(hv_set_dword(select, "Default", n == 0 ? 7 : 0, &e));
		assert_int_equal(hn_image_open(p->target, NULL, &im, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		e = (struct err)ERR_INIT;
	}
	mend(&was);
	look(p);
	sound(p, "Select");
}

/* The system drive's letter, kept for a disk that is not there. */
static void
letter_damages(struct patient *p)
{
	struct hv_key *k = hv_find(hv_root(p->im.sys), "MountedDevices");
	struct value was = keep(k, "\\DosDevices\\C:");
	struct err e = ERR_INIT;
	uint8_t bad[24];

	assert_true(was.there && was.len <= sizeof(bad));
	for (size_t i = 0; i < was.len; i += was.len - 1) {
		memcpy(bad, was.at, was.len);
		bad[i] ^= 0x11;
		OK(hv_set(k, was.name, HV_BINARY, bad, was.len, &e));
		must(p, "letter", "", all, "letter", "kept for another");
	}
	mend(&was);
	sound(p, "letter");
}

static void
cpu_damages(struct patient *p)
{
	struct hv_key *k = hn_service(&p->im.set[0], "intelppm");
	struct err e = ERR_INIT;
	struct value was;

	if (p->im.in->generation > WN_2003)
		return;
	was = keep(k, "Start");
	for (uint32_t start = 0; start < 2; start++) {
		OK(hv_set_dword(k, "Start", start, &e));
		must(p, "intelppm", "", all, "processor", "intelppm");
	}
	mend(&was);
	sound(p, "intelppm");
}

static void
damage(const char *kind, const char *const *platforms)
{
	struct patient p;

	open_patient(&p, kind, platforms);
	cpu_damages(&p);
	letter_damages(&p);
	if (p.im.in->generation <= WN_2003)
		ini_damages(&p);
	else
		bcd_damages(&p);
	sector_damages(&p);
	select_damages(&p);
	print_message("%s: %zu damages, %zu answers turned to NO\n", kind,
		      p.damages, p.refused);
	close_patient(&p);
}

static void
xp(void **state)
{
	(void)state;
	damage("xp", reach_ide);
}

static void
vista(void **state)
{
	(void)state;
	damage("vista", reach_ahci);
}

static void
win7(void **state)
{
	(void)state;
	damage("win7", reach_ahci);
}

static void
win10(void **state)
{
	(void)state;
	damage("win10", reach_uefi);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xp), cmocka_unit_test(vista),
		cmocka_unit_test(win7), cmocka_unit_test(win10),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
