/* bcd.c - boot configuration data
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Objects\{guid}\Elements\<number>\Element.  A device is 88 bytes: kind 6
 * (partition) at 16, its length 0x48 at 24, then partition (offset in bytes, or
 * GPT id) at 32, scheme (0 GPT, 1 MBR) at 52, disk (signature, or GPT id) at 56.
 */
#include "testdata/hives.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"

#define MANAGER	"{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
#define LOADER	"{b8d3f5a2-4a58-11de-a0c1-d3b9ad2c7e11}"
#define RESUME	"{b8d3f5a1-4a58-11de-a0c1-d3b9ad2c7e11}"
#define MEMTEST	"{b2721d73-1db4-4c62-bf78-c548a880142d}"

static void
element(struct reg *r, const char *object, const char *number, const char *is)
{
	reg_line(r, path_of("[Objects\\%s\\Elements\\%s]", object, number));
	if (is != NULL)
		reg_line(r, path_of("Element=%s", is));
}

static void
device(const struct guest *g, struct reg *r, const char *object,
       const char *number, uint64_t start, const uint8_t *guid)
{
	uint8_t at[88] = { 0 };

	num_put_u32le(at + 16, 6);
	num_put_u32le(at + 24, 0x48);
	if (guid != NULL) {
		memcpy(at + 32, guid, 16);
		memcpy(at + 56, g->disk_guid, 16);
	} else {
		num_put_u64le(at + 32, start * 512);
		num_put_u32le(at + 52, 1);
		num_put_u32le(at + 56, g->kind->signature);
	}
	element(r, object, number, NULL);
	reg_value(r, "Element", 3, at, sizeof(at));
}

static void
describe(struct reg *r, const char *object, const char *type)
{
	reg_line(r, path_of("[Objects\\%s\\Description]", object));
	reg_line(r, path_of("Type=d:%s", type));
}

static void
put_loader(struct guest *g, struct reg *r, const char *object,
	   const char *windows, const char *ext)
{
	describe(r, object, "0x10200003");
	device(g, r, object, "11000001", g->system_start, g->system_guid);
	element(r, object, "12000002", path_of("s:\\%s\\system32\\winload.%s",
					       windows, ext));
	element(r, object, "12000004", path_of("s:%s", g->kind->product));
	element(r, object, "12000005", "s:en-US");
	element(r, object, "14000006",
		"m:{6efb52bf-1766-41db-a6b3-0ee5eff72bd7}");
	device(g, r, object, "21000001", g->system_start, g->system_guid);
	element(r, object, "22000002", path_of("s:\\%s", windows));
	element(r, object, "23000003", "s:" RESUME);
	element(r, object, "25000020", "b:0000000000000000");
}

void
hive_bcd(struct guest *g, struct buf *ret)
{
	static const char second[] = "{b8d3f5a4-4a58-11de-a0c1-d3b9ad2c7e11}";
	const char *ext = g->kind->id == WIN10 ? "efi" : "exe";
	struct reg *r = hive_new(g, "BCD", "NewStoreRoot", 3);

	if (r == NULL)
		return;
	reg_line(r, "[Description]");
	reg_line(r, "KeyName=s:BCD00000000");
	reg_line(r, "System=d:1");
	reg_line(r, "TreatAsSystem=d:1");
	describe(r, MANAGER, "0x10100002");
	device(g, r, MANAGER, "11000001", g->boot_start, g->boot_guid);
	if (g->kind->id == WIN10)
		element(r, MANAGER, "12000002",
			"s:\\EFI\\Microsoft\\Boot\\bootmgfw.efi");
	element(r, MANAGER, "12000004", "s:Windows Boot Manager");
	element(r, MANAGER, "23000003", "s:" LOADER);
	element(r, MANAGER, "24000001", g->opt.two_installs ?
		path_of("m:" LOADER "|%s", second) : "m:" LOADER);
	element(r, MANAGER, "25000004", "b:1e00000000000000");
	put_loader(g, r, LOADER, g->kind->windows, ext);
	if (g->opt.two_installs)
		put_loader(g, r, second, "Windows.1", ext);
	describe(r, RESUME, "0x10200004");
	device(g, r, RESUME, "11000001", g->system_start, g->system_guid);
	element(r, RESUME, "12000002",
		path_of("s:\\%s\\system32\\winresume.%s", g->kind->windows,
			ext));
	element(r, RESUME, "22000002", "s:\\hiberfil.sys");
	describe(r, MEMTEST, "0x10200005");
	device(g, r, MEMTEST, "11000001", g->boot_start, g->boot_guid);
	element(r, MEMTEST, "12000002", "s:\\boot\\memtest.exe");
	if (reg_done(r, ret) < 0)
		buf_done(ret);
}
