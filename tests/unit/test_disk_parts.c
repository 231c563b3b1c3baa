/* test_disk_parts.c - partition tables, whole, damaged and malicious
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk.h"
#include "disk/parts.h"

enum { SECTORS = 4096 };

static uint8_t disk[SECTORS * 512];

static void
entry(size_t sector, unsigned slot, uint8_t flag, uint8_t type, uint32_t start,
      uint32_t count)
{
	uint8_t *p = disk + sector * 512 + 446 + 16 * slot;

	p[0] = flag;
	p[4] = type;
	num_put_u32le(p + 8, start);
	num_put_u32le(p + 12, count);
	disk[sector * 512 + 510] = 0x55;
	disk[sector * 512 + 511] = 0xaa;
}

static enum err_kind
reads(struct dk_parts *ret, size_t len)
{
	struct err e = ERR_INIT;
	DK_SCOPED struct dk *d = dk_over_bytes("disk", disk, len, &e);

	assert_non_null(d);
	if (len >= 4096 + 512 && memcmp(disk + 4096, "EFI PART", 8) == 0)
		d->sector = 4096;
	if (dk_parts_read(d, ret, &e) < 0)
		assert_int_not_equal(e.kind, ERR_NONE);
	return e.kind;
}

static void
mbr(void **state)
{
	DK_PARTS_SCOPED struct dk_parts p = DK_PARTS_EMPTY;

	(void)state;
	memset(disk, 0, sizeof(disk));
	num_put_u32le(disk + 440, 0xcafe1234);
	entry(0, 0, 0x80, 7, 63, 1000);
	entry(0, 2, 0, 0x0c, 1100, 50);
	assert_int_equal(reads(&p, sizeof(disk)), ERR_NONE);
	assert_int_equal(p.scheme, DK_MBR);
	assert_int_equal(p.signature, 0xcafe1234);
	assert_int_equal(p.count, 2);
	assert_int_equal(p.at[0].index, 1);
	assert_int_equal(p.at[0].start, 63 * 512);
	assert_int_equal(p.at[0].size, 1000 * 512);
	assert_true(p.at[0].active);
	assert_int_equal(p.at[1].index, 3);
	assert_int_equal(p.at[1].entry_at, 446 + 32);
	assert_false(p.at[1].active);
}

static void
logical_partitions(void **state)
{
	DK_PARTS_SCOPED struct dk_parts p = DK_PARTS_EMPTY;

	(void)state;
	memset(disk, 0, sizeof(disk));
	entry(0, 0, 0x80, 7, 63, 100);
	entry(0, 1, 0, 0x0f, 1000, 3000);
	entry(1000, 0, 0, 7, 63, 200);
	entry(1000, 1, 0, 5, 500, 600);		/* from the extended one */
	entry(1500, 0, 0, 7, 1, 300);
	assert_int_equal(reads(&p, sizeof(disk)), ERR_NONE);
	assert_int_equal(p.count, 3);
	assert_int_equal(p.at[1].index, 5);
	assert_int_equal(p.at[1].start, 1063 * 512);
	assert_int_equal(p.at[2].index, 6);
	assert_int_equal(p.at[2].start, 1501 * 512);
}

static void
chains_that_lie(void **state)
{
	struct dk_parts p;

	(void)state;
	memset(disk, 0, sizeof(disk));
	entry(0, 1, 0, 0x0f, 1000, 3000);
	entry(1000, 0, 0, 7, 63, 200);
	entry(1000, 1, 0, 5, 500, 600);
	entry(1500, 1, 0, 5, 500, 600);		/* points to itself */
	assert_int_equal(reads(&p, sizeof(disk)), ERR_CORRUPT);
	entry(1500, 1, 0, 5, 0, 600);		/* back to the first */
	assert_int_equal(reads(&p, sizeof(disk)), ERR_CORRUPT);
	entry(1500, 1, 0, 5, 3500, 600);	/* off the disk */
	assert_int_equal(reads(&p, sizeof(disk)), ERR_CORRUPT);
	entry(1500, 1, 0, 5, 700, 600);		/* to a sector with no table */
	assert_int_equal(reads(&p, sizeof(disk)), ERR_CORRUPT);
	/* more links than anybody makes */
	entry(0, 1, 0, 0x0f, 1000, 3000);
	for (uint32_t i = 0; i < 200; i++)
		entry(1000 + i, 1, 0, 5, i + 1, 600);
	assert_int_equal(reads(&p, sizeof(disk)), ERR_UNSUPPORTED);
}

static void
not_disks(void **state)
{
	struct dk_parts p;

	(void)state;
	memset(disk, 0, sizeof(disk));
	assert_int_equal(reads(&p, sizeof(disk)), ERR_CORRUPT);
	assert_int_equal(reads(&p, 100), ERR_CORRUPT);
	entry(0, 0, 0, 7, 63, SECTORS);		/* ends behind the disk */
	assert_int_equal(reads(&p, sizeof(disk)), ERR_CORRUPT);
}

static void
one_volume(void **state)
{
	DK_PARTS_SCOPED struct dk_parts p = DK_PARTS_EMPTY;

	(void)state;
	memset(disk, 0, sizeof(disk));
	memcpy(disk + 3, "NTFS    ", 8);
	disk[510] = 0x55;
	disk[511] = 0xaa;
	assert_int_equal(reads(&p, sizeof(disk)), ERR_NONE);
	assert_int_equal(p.scheme, DK_BARE);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.at[0].size, sizeof(disk));
}

/* ---- GPT ------------------------------------------------------------------ */

enum { COUNT = 8 };

static void
header(size_t sector, uint64_t self, uint64_t other, uint64_t table)
{
	uint8_t *h = disk + self * sector;
	uint64_t last = sizeof(disk) / sector - 1;

	memset(h, 0, 512);
	memcpy(h, "EFI PART", 8);
	num_put_u32le(h + 8, 0x10000);
	num_put_u32le(h + 12, 92);
	num_put_u64le(h + 24, self);
	num_put_u64le(h + 32, other);
	num_put_u64le(h + 40, 10);
	num_put_u64le(h + 48, last - 10);
	memset(h + 56, 0x5a, 16);
	num_put_u64le(h + 72, table);
	num_put_u32le(h + 80, COUNT);
	num_put_u32le(h + 84, 128);
	num_put_u32le(h + 88, dk_crc32(disk + table * sector, COUNT * 128));
	num_put_u32le(h + 16, dk_crc32(h, 92));
}

static void
gpt_entry(uint8_t *p, const uint8_t type[16], uint64_t first, uint64_t last)
{
	memcpy(p, type, 16);
	memset(p + 16, 7, 16);
	num_put_u64le(p + 32, first);
	num_put_u64le(p + 40, last);
	memcpy(p + 56, "E\0F\0I\0", 6);
}

static void
make_gpt(size_t sector)
{
	uint64_t last = sizeof(disk) / sector - 1;

	memset(disk, 0, sizeof(disk));
	entry(0, 0, 0, 0xee, 1, 0xffffffff);
	gpt_entry(disk + 2 * sector, dk_guid_esp, 40, 79);
	gpt_entry(disk + 2 * sector + 3 * 128, dk_guid_basic, 80, 99);
	memcpy(disk + (last - 2) * sector, disk + 2 * sector, COUNT * 128);
	header(sector, 1, last, 2);
	header(sector, last, 1, last - 2);
}

static void
gpt(void **state)
{
	(void)state;
	for (size_t sector = 512; sector <= 4096; sector += 3584) {
		DK_PARTS_SCOPED struct dk_parts p = DK_PARTS_EMPTY;
		char guid[37];

		make_gpt(sector);
		assert_int_equal(reads(&p, sizeof(disk)), ERR_NONE);
		assert_int_equal(p.scheme, DK_GPT);
		assert_int_equal(p.sector, sector);
		assert_false(p.from_backup);
		assert_false(p.backup_bad);
		assert_int_equal(p.count, 2);
		assert_int_equal(p.at[0].start, 40 * sector);
		assert_int_equal(p.at[0].size, 40 * sector);
		assert_string_equal(p.at[0].name, "EFI");
		dk_guid_text(p.at[0].type_guid, guid);
		assert_string_equal(guid, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
		assert_int_equal(p.at[1].index, 4);
		assert_int_equal(p.at[1].entry_at, 2 * sector + 3 * 128);
	}
}

static void
gpt_copies(void **state)
{
	const size_t last = sizeof(disk) - 512;

	(void)state;
	for (size_t at = 512; at < 512 + 92; at++) {
		DK_PARTS_SCOPED struct dk_parts p = DK_PARTS_EMPTY;

		make_gpt(512);
		disk[at] ^= 1;
		assert_int_equal(reads(&p, sizeof(disk)), ERR_NONE);
		assert_true(p.from_backup);
		assert_int_equal(p.count, 2);
	}
	for (size_t at = 1024; at < 1024 + COUNT * 128; at += 100) {
		DK_PARTS_SCOPED struct dk_parts p = DK_PARTS_EMPTY;

		make_gpt(512);
		disk[at] ^= 1;
		assert_int_equal(reads(&p, sizeof(disk)), ERR_NONE);
		assert_true(p.from_backup);
	}
	DK_PARTS_SCOPED struct dk_parts p = DK_PARTS_EMPTY;

	make_gpt(512);
	disk[last + 20] ^= 1;
	disk[last + 40] ^= 1;
	assert_int_equal(reads(&p, sizeof(disk)), ERR_NONE);
	assert_true(p.backup_bad);
	assert_false(p.from_backup);
	disk[512 + 40] ^= 1;
	assert_int_equal(reads(&p, sizeof(disk)), ERR_CORRUPT);
	make_gpt(512);
	gpt_entry(disk + 1024, dk_guid_esp, 40, SECTORS);
	header(512, 1, SECTORS - 1, 2);
	assert_int_equal(reads(&p, sizeof(disk)), ERR_CORRUPT);
}

static void
no_memory(void **state)
{
	unsigned n = 1;

	(void)state;
	for (enum err_kind kind = ERR_NOMEM; kind != ERR_NONE; n++) {
		struct err e = ERR_INIT;
		DK_PARTS_SCOPED struct dk_parts p = DK_PARTS_EMPTY;
		DK_SCOPED struct dk *d = dk_over_bytes("disk", disk,
						       sizeof(disk), &e);

		memset(disk, 0, sizeof(disk));
		entry(0, 0, 0x80, 7, 63, 100);
		entry(0, 1, 0, 0x0f, 1000, 3000);
		entry(1000, 0, 0, 7, 63, 200);
		mem_fail_from(n);
		(void)!dk_parts_read(d, &p, &e);
		mem_fail_from(0);
		kind = e.kind;
		assert_true(kind == ERR_NONE || kind == ERR_NOMEM);
	}
	assert_true(n > 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mbr),
		cmocka_unit_test(logical_partitions),
		cmocka_unit_test(chains_that_lie),
		cmocka_unit_test(not_disks),
		cmocka_unit_test(one_volume),
		cmocka_unit_test(gpt),
		cmocka_unit_test(gpt_copies),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
