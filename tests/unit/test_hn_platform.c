/* test_hn_platform.c - platforms: the shipped ones and bad ones
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/platform.h"

static void
shipped(void **state)
{
	static const char *const must[] = {
		"qemu-i440fx-ide", "q35-ahci", "virtio-blk", "virtio-scsi",
		"vmware-lsi", "vmware-sas", "vmware-pvscsi", "hyperv-gen1",
		"hyperv-gen2", "vbox-ahci", "generic-ahci", "generic-nvme",
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(must) / sizeof(*must); i++) {
		HN_PLATFORM_SCOPED struct hn_platform p = HN_PLATFORM_EMPTY;

		assert_int_equal(hn_platform_load(must[i], &p, &e), 0);
		assert_string_equal(p.name, must[i]);
		assert_true(p.bios || p.uefi);
		assert_true(p.devices >= 1);
	}
}

/* The order in which Windows tries them. */
static void
ids(void **state)
{
	static const char *const want[] = {
		"PCI\\VEN_8086&DEV_7010&SUBSYS_11001AF4&REV_00",
		"PCI\\VEN_8086&DEV_7010&SUBSYS_11001AF4",
		"PCI\\VEN_8086&DEV_7010&REV_00",
		"PCI\\VEN_8086&DEV_7010",
		"PCI\\VEN_8086&DEV_7010&CC_010180",
		"PCI\\VEN_8086&DEV_7010&CC_0101",
		"PCI\\VEN_8086&CC_010180",
		"PCI\\VEN_8086&CC_0101",
		"PCI\\VEN_8086",
		"PCI\\CC_010180",
		"PCI\\CC_0101",
	};
	struct err e = ERR_INIT;
	HN_PLATFORM_SCOPED struct hn_platform p = HN_PLATFORM_EMPTY;

	(void)state;
	assert_int_equal(hn_platform_load("qemu-i440fx-ide", &p, &e), 0);
	assert_int_equal(p.device[0].ids, sizeof(want) / sizeof(*want));
	for (size_t i = 0; i < p.device[0].ids; i++)
		assert_string_equal(p.device[0].id[i], want[i]);
}

static void
refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "name: A b\n", "a-z" },
		{ "firmware: [coreboot]\n", "bios or uefi" },
		{ "firmware: []\n", "must list" },
		{ "cpu: z80\n", "must be one of" },
		{ "colour: red\n", "unknown key" },
		{ "devices: []\n", "1 to 16" },
		{ "devices: [{pci: {vendor: '8086', class: '010180'}}]\n",
		  "come together" },
		{ "devices: [{pci: {vendor: '86', class: '010180'}}]\n",
		  "4 hexadecimal" },
		{ "devices: [{pci: {}}]\n", "class is missing" },
		{ "devices: [{ids: [a], pci: {class: '010180'}}]\n",
		  "either" },
		{ "devices: [{ids: []}]\n", "no id" },
	};
	static const char *const lines[] = {
		"name: x\n", "what: y\n", "firmware: [bios]\n",
		"devices: [{ids: [a]}]\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = ERR_INIT;
		HN_PLATFORM_SCOPED struct hn_platform p = HN_PLATFORM_EMPTY;
		char text[512] = "";
		size_t key = strcspn(bad[i].text, ":"), len;
		FILE *f = fmemopen(text, sizeof(text), "w");

		for (size_t l = 0; l < 4; l++)
			if (strncmp(lines[l], bad[i].text, key) != 0)
				(void)fputs(lines[l], f);
		(void)fputs(bad[i].text, f);
		(void)fclose(f);
		len = strlen(text);
		assert_int_equal(hn_platform_parse("p", text, len, &p, &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
		if (strstr(e.msg, bad[i].says) == NULL)
			print_message("%s\n", e.msg);
		assert_non_null(strstr(e.msg, bad[i].says));
		assert_null(p.name);
	}
}

static void
unknown_name(void **state)
{
	struct err e = ERR_INIT;
	HN_PLATFORM_SCOPED struct hn_platform p = HN_PLATFORM_EMPTY;

	(void)state;
	assert_int_equal(hn_platform_load("pdp-11", &p, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.msg, "qemu-i440fx-ide"));
}

static void
memory_runs_out(void **state)
{
	(void)state;
	for (unsigned n = 1;; n += 7) {
		struct err e = ERR_INIT;
		HN_PLATFORM_SCOPED struct hn_platform p = HN_PLATFORM_EMPTY;
		int r;

		mem_fail_from(n);
		r = hn_platform_load("q35-ahci", &p, &e);
		mem_fail_from(0);
		if (r == 0)
			return;
		assert_int_equal(e.kind, ERR_NOMEM);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped),
		cmocka_unit_test(ids),
		cmocka_unit_test(refused),
		cmocka_unit_test(unknown_name),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests_name("hn_platform", tests, NULL, NULL);
}
