/* boot.c - boot manager files and the boot configuration data
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/guest.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/proc.h"
#include "testdata/drivers.h"
#include "testdata/hives.h"
#include "testdata/layout.h"
#include "testdata/pe.h"

void
boot_fill(struct guest *g)
{
	static const char manager[] = "BOOTMGR of a fixture guest\r\n";
	BUF_SCOPED struct buf bcd = BUF_EMPTY, test = BUF_EMPTY;

	nt_put(g->vol, "bootmgr", manager, sizeof(manager) - 1,
	       NT_HIDDEN | NT_SYSTEM | NT_READONLY);
	nt_dir(g->vol, "Boot", NT_HIDDEN | NT_SYSTEM);
	nt_dir(g->vol, "Boot/en-US", 0);
	hive_bcd(g, &bcd);
	driver_image(&test, g, "memtest.exe", "memtest.exe", NULL);
	if (buf_ok(&bcd, g->e) < 0 || buf_ok(&test, g->e) < 0)
		return;
	nt_put(g->vol, "Boot/BCD", bcd.at, bcd.len, NT_HIDDEN | NT_SYSTEM);
	nt_put(g->vol, "Boot/BCD.LOG", "", 0, NT_HIDDEN | NT_SYSTEM);
	nt_put(g->vol, "Boot/memtest.exe", test.at, test.len, 0);
}

/* FAT is written by mtools, which take the time from SOURCE_DATE_EPOCH. */
static int
mtool(const char *const *argv, const struct buf *in, struct err *e)
{
	BUF_SCOPED struct buf out = BUF_EMPTY;

	return proc_must(argv, in == NULL ? NULL : in->at,
			 in == NULL ? 0 : in->len, &out, 1 << 16, 60000, e);
}

static int
esp_put(const char *image, const char *path, const struct buf *data,
	struct err *e)
{
	const char *const argv[] = {
		"mcopy", "-i", image, "-", path, NULL,
	};

	return buf_ok(data, e) < 0 ? -1 : mtool(argv, data, e);
}

static int
esp_format(const char *path, uint64_t start, struct err *e)
{
	const char *hidden = path_of("%llu", (unsigned long long)start);
	const char *const format[] = {
		"mformat", "-i", path, "-F", "-h", "255", "-s", "63", "-H",
		hidden, "-T", "204800", "-c", "1", "-N", "4e1c6a07", "-v",
		"SYSTEM", "::", NULL,
	};
	const char *const dirs[] = {
		"mmd", "-i", path, "::/EFI", "::/EFI/Boot", "::/EFI/Microsoft",
		"::/EFI/Microsoft/Boot", "::/EFI/Microsoft/Boot/en-US",
		"::/EFI/Microsoft/Recovery", NULL,
	};

	if (setenv("SOURCE_DATE_EPOCH", "1615000000", 1) < 0 ||
	    setenv("TZ", "UTC", 1) < 0)
		return err_sys(e, "environment: cannot set");
	if (mtool(format, NULL, e) < 0)
		return -1;
	return mtool(dirs, NULL, e);
}

/* The boot manager: what the firmware starts. */
static void
put_manager(struct buf *out, const struct guest *g, struct err *e)
{
	BUF_SCOPED struct buf code = BUF_EMPTY;
	struct pe pe = {
		.machine = g->kind->machine, .subsystem = PE_EFI,
		.original = "bootmgr.exe", .what = "Boot Manager",
		.version = "10.0.19041.1", .stamp = 0x51025000,
	};

	buf_bytes(&code, boot_efi, boot_efi_len);
	if (buf_ok(&code, e) < 0)
		return;
	num_put_u64le(code.at + boot_efi_lba, g->marker_lba);
	pe.code = code.at;
	pe.code_len = code.len;
	pe_put(out, &pe, 24 * 1024);
}

int
esp_make(struct guest *g, const char *path, uint64_t start, struct err *e)
{
	BUF_SCOPED struct buf bcd = BUF_EMPTY, manager = BUF_EMPTY;
	BUF_SCOPED struct buf test = BUF_EMPTY;

	hive_bcd(g, &bcd);
	put_manager(&manager, g, e);
	driver_image(&test, g, "memtest.efi", "memtest.exe", NULL);
	if (e->kind != ERR_NONE || esp_format(path, start, e) < 0 ||
	    esp_put(path, "::/EFI/Microsoft/Boot/BCD", &bcd, e) < 0 ||
	    esp_put(path, "::/EFI/Microsoft/Boot/bootmgfw.efi", &manager,
		    e) < 0 ||
	    esp_put(path, "::/EFI/Microsoft/Boot/memtest.efi", &test, e) < 0)
		return -1;
	return esp_put(path, "::/EFI/Boot/bootx64.efi", &manager, e);
}
