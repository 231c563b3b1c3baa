/* packages.c - see packages.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keys and values as in SYSTEM hives of Windows 8.1 and 10; the device of a class
 * code has FF 02 where that of a full id has FF 01.
 */
#include "testdata/packages.h"

#include "base/buf.h"
#include "base/err.h"
#include "testdata/drivers.h"
#include "testdata/reg.h"

#define DATABASE	"DriverDatabase\\"

/* Rows of one INF stand together. */
static const struct {
	const char *inf, *hash;		/* its package: INF_amd64_HASH */
	const char *config, *service, *file, *id;
} packages[] = {
	{ "mshdc.inf", "9dc1ba1f5b4ad7f3", "msahci_Inst", "storahci",
	  "storahci.sys", "PCI\\CC_010601" },
	{ "mshdc.inf", "9dc1ba1f5b4ad7f3", "pciide_Inst", "pciide",
	  "pciide.sys", "PCI\\CC_0101" },
	{ "mshdc.inf", "9dc1ba1f5b4ad7f3", "intelide_Inst", "intelide",
	  "intelide.sys", "PCI\\VEN_8086&DEV_7010" },
	{ "mshdc.inf", "9dc1ba1f5b4ad7f3", "intelide_Inst", "intelide",
	  "intelide.sys", "PCI\\VEN_8086&DEV_7111" },
	{ "mshdc.inf", "9dc1ba1f5b4ad7f3", "atapi_Inst", "atapi",
	  "atapi.sys", "Primary_IDE_Channel" },
	{ "mshdc.inf", "9dc1ba1f5b4ad7f3", "atapi_Inst", "atapi",
	  "atapi.sys", "Secondary_IDE_Channel" },
	{ "mshdc.inf", "9dc1ba1f5b4ad7f3", "atapi_Inst", "atapi",
	  "atapi.sys", "Internal_IDE_Channel" },
	{ "stornvme.inf", "8c02b09be5e1e2f2", "Stornvme_Inst", "stornvme",
	  "stornvme.sys", "PCI\\CC_010802" },
	{ "lsi_sas.inf", "a4d6780f72cbd5b4", "LSI_SAS_Inst", "LSI_SAS",
	  "lsi_sas.sys", "PCI\\VEN_1000&DEV_0054" },
	{ "iastorv.inf", "0bcee2057afcc090", "iaStorV_Inst", "iaStorV",
	  "iastorv.sys", "PCI\\VEN_8086&DEV_282A&CC_0104" },
	{ "wstorvsc.inf", "2ba9a2f6a1cb56b1", "storvsc_Inst", "storvsc",
	  "storvsc.sys", "VMBUS\\{ba6163d9-04a1-4d29-b605-72e2ffb1dc7f}" },
	{ "wvmbus.inf", "0cfd66e91a06e0f9", "vmbus_Inst", "vmbus",
	  "vmbus.sys", "ACPI\\VMBus" },
	{ "disk.inf", "5f8b9a4d1ee7c0d2", "disk_install", "disk",
	  "disk.sys", "GenDisk" },
};

enum { PACKAGES = sizeof(packages) / sizeof(packages[0]) };

static bool
first_of_inf(size_t i)
{
	return i == 0 || strcmp(packages[i].inf, packages[i - 1].inf) != 0;
}

static bool
first_of_config(size_t i)
{
	return first_of_inf(i) ||
	       strcmp(packages[i].config, packages[i - 1].config) != 0;
}

static const char *
package_name(size_t i)
{
	return path_of("%s_amd64_%s", packages[i].inf, packages[i].hash);
}

/* An INF and its package, once. */
static void
put_inf(struct reg *r, size_t i)
{
	const char *package = package_name(i);
	char configs[160] = "";
	size_t n = 0;

	for (size_t k = i; k < PACKAGES && (k == i || !first_of_inf(k)); k++)
		if (first_of_config(k))
			n += (size_t)snprintf(configs + n, sizeof(configs) - n,
					      "%s%s", n > 0 ? "|" : "",
					      packages[k].config);
	reg_line(r, path_of("[" DATABASE "DriverInfFiles\\%s]",
			    packages[i].inf));
	reg_line(r, path_of("=m:%s", package));
	reg_line(r, path_of("Active=s:%s", package));
	reg_line(r, path_of("Configurations=m:%s", configs));
	reg_line(r, path_of("[" DATABASE "DriverPackages\\%s]", package));
	reg_line(r, path_of("=s:%s", packages[i].inf));
	reg_line(r, "Provider=s:Microsoft");
	reg_line(r, "SignerName=s:Microsoft Windows");
	reg_line(r, "SignerScore=d:0x0d000003");
	/* Class, date and version: {4D36E96A-...}, 2006-06-21, 10.0.19041.1. */
	reg_line(r, "Version=b:00ff090000000000 6ae9364d25e3ce11bfc108002be10318"
		    " 00808ca3c594c601 0100614a00000a00 0000000000000000");
}

void
packages_register(struct reg *r)
{
	reg_line(r, "[DriverDatabase]");
	reg_line(r, "Version=d:0x0a000000");
	reg_line(r, "Architecture=d:9");
	for (size_t i = 0; i < PACKAGES; i++) {
		const char *id = packages[i].id, *package = package_name(i);
		bool class = strstr(id, "PCI\\CC_") == id;

		if (first_of_inf(i))
			put_inf(r, i);
		if (first_of_config(i)) {
			reg_line(r, path_of("[" DATABASE "DriverPackages\\%s\\"
					    "Configurations\\%s]", package,
					    packages[i].config));
			reg_line(r, "ConfigFlags=d:0");
			reg_line(r, "ConfigScope=d:7");
			reg_line(r, path_of("Service=s:%s",
					    packages[i].service));
		}
		reg_line(r, path_of("[" DATABASE "DriverPackages\\%s\\"
				    "Descriptors\\%s]", package, id));
		reg_line(r, path_of("Configuration=s:%s", packages[i].config));
		reg_line(r, path_of("Description=s:%s device",
				    packages[i].service));
		reg_line(r, path_of("[" DATABASE "DeviceIds\\%s]", id));
		reg_line(r, path_of("%s=b:%s", packages[i].inf,
				    class ? "02ff0000" : "01ff0000"));
	}
}

static void
put_package(struct guest *g, size_t i)
{
	const char *dir = path_of("%s/System32/DriverStore/FileRepository/%s",
				  g->kind->windows, package_name(i));
	const char *text = path_of(
		"[Version]\r\nSignature=\"$WINDOWS NT$\"\r\nProvider=%%MSFT%%\r\n"
		"DriverVer=06/21/2006,10.0.19041.1\r\n[Strings]\r\n"
		"MSFT=\"Microsoft\"\r\n");

	nt_dirs(g->vol, dir);
	nt_put(g->vol, path_of("%s/%s", dir, packages[i].inf), text,
	       strlen(text), 0);
	nt_put(g->vol, path_of("%s/INF/%s", g->kind->windows, packages[i].inf),
	       text, strlen(text), 0);
}

void
packages_fill(struct guest *g)
{
	for (size_t i = 0; i < PACKAGES; i++) {
		BUF_SCOPED struct buf b = BUF_EMPTY;

		if (first_of_inf(i))
			put_package(g, i);
		if (!first_of_config(i))
			continue;
		driver_image(&b, g, packages[i].file, packages[i].file, NULL);
		if (buf_ok(&b, g->e) < 0)
			return;
		nt_put(g->vol, path_of("%s/System32/DriverStore/FileRepository/"
				       "%s/%s", g->kind->windows,
				       package_name(i), packages[i].file),
		       b.at, b.len, 0);
	}
}
