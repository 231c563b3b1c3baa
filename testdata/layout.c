/* layout.c - see layout.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * GPT: UEFI specification 2.10, 5.3.
 */
#include "testdata/layout.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"

enum {
	SECTOR = 512,
	ENTRIES = 128,
	ENTRY = 128,
	COPY = 1 << 20,
	BLOCK = 4096,
	NTFS_CODE = 0x54,
	NTFS_SERIAL = 0x48,
};

static uint32_t
crc32(const uint8_t *p, size_t n)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void
put_chs(uint8_t *p, uint64_t lba, unsigned heads)
{
	uint64_t cyl = lba / 63 / heads;

	if (cyl > 1023) {
		memcpy(p, "\xfe\xff\xff", 3);
		return;
	}
	p[0] = (uint8_t)(lba / 63 % heads);
	p[1] = (uint8_t)(lba % 63 + 1) | (uint8_t)(cyl >> 2 & 0xc0);
	p[2] = (uint8_t)(cyl & 0xff);
}

static void
put_entry(uint8_t *p, const struct layout_part *part, unsigned heads)
{
	p[0] = part->active ? 0x80 : 0;
	put_chs(p + 1, part->start, heads);
	p[4] = part->type;
	put_chs(p + 5, part->start + part->sectors - 1, heads);
	num_put_u32le(p + 8, (uint32_t)part->start);
	num_put_u32le(p + 12, (uint32_t)part->sectors);
}

static int
write_mbr(int fd, const struct layout *l, uint64_t marker_lba, struct err *e)
{
	uint8_t mbr[SECTOR] = { 0 };

	if (l->disk_guid == NULL) {
		memcpy(mbr, boot_mbr, boot_mbr_len);
		num_put_u32le(mbr + 0x1b8, l->signature);
		for (size_t i = 0; l->parts[i].type != 0; i++)
			put_entry(mbr + 0x1be + 16 * i, &l->parts[i], l->heads);
	} else {
		const struct layout_part whole = {
			.start = 1, .sectors = l->sectors - 1, .type = 0xee,
		};

		memcpy(mbr, boot_marker, boot_marker_len);
		num_put_u64le(mbr + boot_marker_lba, marker_lba);
		put_entry(mbr + 0x1be, &whole, l->heads);
	}
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
	return io_write_at(fd, mbr, sizeof(mbr), 0, "partition table", e);
}

static int
write_gpt_header(int fd, const struct layout *l, uint64_t at, uint64_t other,
		 uint64_t table, uint32_t table_crc, struct err *e)
{
	uint8_t h[SECTOR] = "EFI PART";

	num_put_u32le(h + 8, 0x10000);
	num_put_u32le(h + 12, 92);
	num_put_u64le(h + 24, at);
	num_put_u64le(h + 32, other);
	num_put_u64le(h + 40, 34);
	num_put_u64le(h + 48, l->sectors - 34);
	memcpy(h + 56, l->disk_guid, 16);
	num_put_u64le(h + 72, table);
	num_put_u32le(h + 80, ENTRIES);
	num_put_u32le(h + 84, ENTRY);
	num_put_u32le(h + 88, table_crc);
	num_put_u32le(h + 16, crc32(h, 92));
	return io_write_at(fd, h, sizeof(h), at * SECTOR, "GPT header", e);
}

static int
write_gpt(int fd, const struct layout *l, struct err *e)
{
	SCOPED_FREE uint8_t *table = mem_array(ENTRIES, ENTRY, e);
	uint64_t last = l->sectors - 1;
	uint32_t crc;

	if (table == NULL)
		return -1;
	for (size_t i = 0; l->parts[i].type != 0; i++) {
		const struct layout_part *p = &l->parts[i];
		uint8_t *at = table + i * ENTRY;
		SCOPED_FREE uint8_t *name = NULL;
		size_t len;

		memcpy(at, p->type_guid, 16);
		memcpy(at + 16, p->guid, 16);
		num_put_u64le(at + 32, p->start);
		num_put_u64le(at + 40, p->start + p->sectors - 1);
		if (utf_to16(p->name, &name, &len, e) < 0)
			return -1;
		memcpy(at + 56, name, len < 72 ? len : 72);
	}
	crc = crc32(table, (size_t)ENTRIES * ENTRY);
	if (io_write_at(fd, table, (size_t)ENTRIES * ENTRY, 2 * SECTOR,
			"GPT", e) < 0 ||
	    io_write_at(fd, table, (size_t)ENTRIES * ENTRY,
			(last - 32) * SECTOR, "GPT", e) < 0 ||
	    write_gpt_header(fd, l, 1, last, 2, crc, e) < 0)
		return -1;
	return write_gpt_header(fd, l, last, 1, last - 32, crc, e);
}

int
layout_table(int fd, const struct layout *l, uint64_t marker_lba, struct err *e)
{
	if (write_mbr(fd, l, marker_lba, e) < 0)
		return -1;
	return l->disk_guid == NULL ? 0 : write_gpt(fd, l, e);
}

int
layout_boot_sector(int fd, uint64_t sectors, uint64_t marker_lba,
		   uint64_t serial, struct err *e)
{
	uint8_t boot[SECTOR];

	if (io_read_at(fd, boot, sizeof(boot), 0, "boot sector", e) < 0)
		return -1;
	memset(boot + NTFS_CODE, 0, 510 - NTFS_CODE);
	memcpy(boot + NTFS_CODE, boot_marker, boot_marker_len);
	num_put_u64le(boot + NTFS_CODE + boot_marker_lba, marker_lba);
	num_put_u64le(boot + NTFS_SERIAL, serial);
	boot[510] = 0x55;
	boot[511] = 0xaa;
	if (io_write_at(fd, boot, sizeof(boot), 0, "boot sector", e) < 0)
		return -1;
	return io_write_at(fd, boot, sizeof(boot), (sectors - 1) * SECTOR,
			   "boot sector's copy", e);
}

/* Write what is not zero of a piece, in blocks. */
static int
write_sparse(int to, const uint8_t *p, size_t n, uint64_t at, struct err *e)
{
	static const uint8_t zero[BLOCK];

	for (size_t i = 0; i < n; i += BLOCK) {
		size_t len = n - i < BLOCK ? n - i : BLOCK;

		if (memcmp(p + i, zero, len) != 0 &&
		    io_write_at(to, p + i, len, at + i, "disk", e) < 0)
			return -1;
	}
	return 0;
}

int
layout_copy(int from, int to, uint64_t bytes, uint64_t at, struct err *e)
{
	SCOPED_FREE uint8_t *piece = mem_array(COPY, 1, e);
	off_t pos = 0;

	if (piece == NULL)
		return -1;
	while ((pos = lseek(from, pos, SEEK_DATA)) >= 0 &&
	       (uint64_t)pos < bytes) {
		uint64_t off = num_align_down((uint64_t)pos, COPY);
		size_t n = (size_t)num_min(COPY, bytes - off);

		if (io_read_at(from, piece, n, off, "volume", e) < 0 ||
		    write_sparse(to, piece, n, at + off, e) < 0)
			return -1;
		pos = (off_t)(off + n);
	}
	return 0;
}
