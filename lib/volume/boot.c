/* boot.c - what a volume's first sectors say
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Facts: [MS-FSCC] and the libfsntfs, libbde and libvshadow documentation;
 * Microsoft's FAT specification for the BIOS parameter block.
 */
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/num.h"
#include "disk/disk.h"
#include "volume/volume-private.h"

enum {
	BOOT = 512,
	SHADOW_AT = 0x1e00,
	PROBE = 2048,		/* bytes that vo_probe() looks at */
	EXT_MAGIC_AT = 1024 + 56,	/* Linux, fs/ext4/ext4.h */
};

/* What begins with no boot sector: lvm2's label lies in one of the first four
 * sectors (lib/label/label.h), ext's superblock at 1024. */
static enum vo_kind
kind_without_boot(const uint8_t *b, size_t len)
{
	for (size_t at = 0; at + BOOT <= len; at += BOOT)
		if (memcmp(b + at, "LABELONE", 8) == 0 &&
		    memcmp(b + at + 24, "LVM2 001", 8) == 0)
			return VO_LVM;
	if (len >= EXT_MAGIC_AT + 2 && b[EXT_MAGIC_AT] == 0x53 &&
	    b[EXT_MAGIC_AT + 1] == 0xef)
		return VO_EXT;
	return VO_UNKNOWN;
}

static enum vo_kind
kind_of(const uint8_t b[BOOT])
{
	if (b[510] != 0x55 || b[511] != 0xaa)
		return VO_UNKNOWN;
	if (memcmp(b + 3, "NTFS    ", 8) == 0)
		return VO_NTFS;
	if (memcmp(b + 3, "-FVE-FS-", 8) == 0)
		return VO_BITLOCKER;
	if (memcmp(b + 3, "EXFAT   ", 8) == 0)
		return VO_EXFAT;
	if (memcmp(b + 3, "ReFS\0\0\0\0", 8) == 0)
		return VO_REFS;
	if (memcmp(b + 82, "FAT32   ", 8) == 0 ||
	    memcmp(b + 54, "FAT1", 4) == 0)
		return VO_FAT;
	return VO_UNKNOWN;
}

/* A power of two in [512, max], or one below 1 as NTFS writes big ones. */
static uint32_t
power(uint32_t unit, uint8_t field)
{
	if (field > 0x80)
		return field >= 0xe1 ? 1U << (256 - field) : 0;
	return unit * field;
}

/* NTFS's boot sector; the BIOS parameter block is everybody's. */
static void
parse_ntfs(struct cur *c, struct vo_facts *f)
{
	uint8_t per_cluster, record;

	f->sector = cur_u16le(c);
	per_cluster = cur_u8(c);
	(void)cur_sub(c, 10);
	f->sectors_per_track = cur_u16le(c);
	f->heads = cur_u16le(c);
	f->hidden_sectors = cur_u32le(c);
	(void)cur_sub(c, 8);
	f->clusters = cur_u64le(c);	/* sectors, until below */
	(void)cur_sub(c, 16);
	record = cur_u8(c);
	(void)cur_sub(c, 7);
	f->serial = cur_u64le(c);
	if (!cur_ok(c))
		return;
	/* more than 128 sectors are written as a negative power of two */
	f->cluster = per_cluster > 0x80
		   ? (per_cluster >= 0xf4 ? f->sector << (256 - per_cluster) : 0)
		   : f->sector * per_cluster;
	f->mft_record = power(f->cluster, record);
	if ((f->sector != 512 && f->sector != 1024 && f->sector != 2048 &&
	     f->sector != 4096) || f->cluster < f->sector ||
	    f->cluster > 2 << 20 || (f->cluster & (f->cluster - 1)) != 0 ||
	    f->mft_record < 512 || f->mft_record > 64 << 10)
		cur_bad(c, "has impossible sizes");
	else
		f->clusters = f->clusters / (f->cluster / f->sector);
}

static int
find_shadow_copies(struct dk *d, uint64_t at, uint64_t size,
		   struct vo_facts *f, struct err *e)
{
	/* {3808876b-c176-4e48-b7ae-04046e6cc752}: libvshadow, "Volume header" */
	static const uint8_t guid[16] = {
		0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e,
		0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52,
	};
	uint8_t b[BOOT];
	uint64_t catalogue = 0;

	if (!num_in_range(SHADOW_AT, BOOT, size))
		return 0;
	if (dk_read(d, b, BOOT, at + SHADOW_AT, e) < 0)
		return -1;
	for (int i = 7; i >= 0; i--)
		catalogue = catalogue << 8 | b[48 + i];
	f->shadow_copies = memcmp(b, guid, sizeof(guid)) == 0 && catalogue != 0;
	return 0;
}

int
vo_boot_facts(struct dk *d, uint64_t at, uint64_t size, struct vo_facts *ret,
	      struct err *e)
{
	struct vo_facts f = { .kind = VO_UNKNOWN };
	uint8_t b[BOOT] = { 0 };
	struct cur c = cur_over("boot sector", b, sizeof(b));

	if (!num_in_range(at, size, d->size))
		return err_set(e, ERR_CORRUPT, "%s: the volume ends behind the "
			       "disk; is the image truncated?", d->name);
	if (size >= BOOT) {
		if (dk_read(d, b, BOOT, at, e) < 0)
			return -1;
		f.kind = kind_of(b);
	}
	if (f.kind == VO_UNKNOWN && vo_probe(d, at, size, &f.kind, e) < 0)
		return -1;
	if (f.kind == VO_NTFS) {
		(void)cur_sub(&c, 11);
		parse_ntfs(&c, &f);
		if (!cur_ok(&c)) {
			(void)cur_err(&c, e);
			return err_ctx(e, "%s", d->name);
		}
		if (f.clusters > size / f.cluster)
			return err_set(e, ERR_CORRUPT, "%s: the volume is "
				       "longer than its partition; is the image "
				       "truncated?", d->name);
		if (find_shadow_copies(d, at, size, &f, e) < 0)
			return -1;
	}
	*ret = f;
	return 0;
}

int
vo_probe(struct dk *d, uint64_t at, uint64_t size, enum vo_kind *ret,
	 struct err *e)
{
	uint8_t b[PROBE];
	size_t len = (size_t)num_min(size, PROBE);
	enum vo_kind kind = VO_UNKNOWN;

	if (len >= BOOT) {
		if (dk_read(d, b, len, at, e) < 0)
			return -1;
		kind = kind_of(b);
		if (kind == VO_UNKNOWN)
			kind = kind_without_boot(b, len);
	}
	*ret = kind;
	return 0;
}

const char *
vo_kind_name(enum vo_kind kind)
{
	static const char *const names[] = {
		[VO_UNKNOWN] = "unknown", [VO_NTFS] = "NTFS", [VO_FAT] = "FAT",
		[VO_EXFAT] = "exFAT", [VO_BITLOCKER] = "BitLocker",
		[VO_REFS] = "ReFS", [VO_EXT] = "ext", [VO_LVM] = "LVM",
		[VO_DYNAMIC] = "dynamic disk",
	};

	return names[kind];
}
