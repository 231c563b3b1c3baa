/* odd.c - what a used volume has: rests, fragments, a log, a packed file
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/guest.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "testdata/drivers.h"

enum { PAGE = 4096, ROUNDS = 12, PIECE = 40960 };

/* A text over and over, so that it is found wherever it lies. */
static void
put_repeated(struct buf *b, const char *text, size_t len)
{
	while (b->len < len && !b->bad)
		buf_fmt(b, "%s %06zu\r\n", text, b->len);
}

/* Two files that grew in turn, in pieces. */
static void
put_fragmented(struct guest *g)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	put_repeated(&b, "HALCYON-FRAGMENT", (size_t)2 * ROUNDS * PIECE);
	if (buf_ok(&b, g->e) < 0)
		return;
	nt_put(g->vol, "Data/Fragmented A.dat", b.at, PIECE, 0);
	nt_put(g->vol, "Data/Fragmented B.dat", b.at + PIECE, PIECE, 0);
	for (size_t i = 2; i < (size_t)2 * ROUNDS; i++)
		nt_append(g->vol, i % 2 == 0 ? "Data/Fragmented A.dat" :
			  "Data/Fragmented B.dat", b.at + i * PIECE, PIECE);
}

/* Bytes behind the end of a file, and in clusters that are free again. */
static void
put_rests(struct guest *g)
{
	BUF_SCOPED struct buf slack = BUF_EMPTY, gone = BUF_EMPTY;

	put_repeated(&slack, "HALCYON-SLACK", 2 * PAGE);
	put_repeated(&gone, "HALCYON-DELETED", 100 * PAGE);
	if (buf_ok(&slack, g->e) < 0 || buf_ok(&gone, g->e) < 0)
		return;
	nt_put(g->vol, "Data/Slack.txt", slack.at, 2 * PAGE, 0);
	nt_truncate(g->vol, "Data/Slack.txt", PAGE + 100);
	nt_put(g->vol, "Data/Deleted.txt", gone.at, gone.len, 0);
	nt_remove(g->vol, "Data/Deleted.txt");
}

/*
 * A program that Windows 10 keeps packed (CompactOS): a reparse point of the
 * overlay filter, an empty unnamed stream of the full length, and the stream
 * WofCompressedData: the offsets of all 4 KiB pieces but the first, then the
 * pieces; one as long as it was is stored.  [MS-FSCC] does not tell; after
 * wimlib's description of the format.
 */
static void
put_packed(struct guest *g)
{
	static const uint8_t reparse[] = {
		0x17, 0, 0, 0x80, 16, 0, 0, 0,
		1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
	};
	const char *path = path_of("%s/System32/mspaint.exe", g->kind->windows);
	BUF_SCOPED struct buf exe = BUF_EMPTY, packed = BUF_EMPTY;

	driver_image(&exe, g, "mspaint.exe", "MSPAINT.EXE", NULL);
	for (size_t at = PAGE; at < exe.len; at += PAGE)
		buf_u32le(&packed, (uint32_t)at);
	buf_bytes(&packed, exe.at, exe.len);
	if (buf_ok(&exe, g->e) < 0 || buf_ok(&packed, g->e) < 0)
		return;
	nt_put_part(g->vol, path, exe.len, false, 0, NULL, 0, NT_SPARSE);
	nt_stream(g->vol, path, "WofCompressedData", packed.at, packed.len);
	nt_reparse(g->vol, path, reparse, sizeof(reparse));
}

/*
 * The two restart pages of $LogFile, as XP and later write them; the clean
 * flag tells whether the volume was unmounted.  Layout: ntfs-3g's logfile.h.
 */
static void
put_log(struct guest *g)
{
	enum { AREA = 0x30, CLIENT = 0x40, FILE_SIZE = 2 << 20 };
	uint8_t page[2 * PAGE] = "RSTR", *area = page + AREA;

	num_put_u16le(page + 4, 0x1e);		/* fixups: where, how many */
	num_put_u16le(page + 6, 9);
	num_put_u32le(page + 16, PAGE);
	num_put_u32le(page + 20, PAGE);
	num_put_u16le(page + 24, AREA);
	num_put_u16le(page + 26, 1);
	num_put_u16le(page + 28, 1);
	num_put_u16le(page + 30, 1);
	num_put_u64le(area, 0x100000);
	num_put_u16le(area + 8, 1);
	num_put_u16le(area + 10, 0xffff);
	num_put_u16le(area + 14, g->opt.dirty_volume ? 0 : 2);
	num_put_u32le(area + 16, 67 - 22);
	num_put_u16le(area + 20, CLIENT + 0xa0);
	num_put_u16le(area + 22, CLIENT);
	num_put_u64le(area + 24, FILE_SIZE);
	num_put_u16le(area + 36, 0x30);
	num_put_u16le(area + 38, 0x40);
	num_put_u64le(area + CLIENT, 0x100000);
	num_put_u64le(area + CLIENT + 8, 0x100000);
	num_put_u32le(area + CLIENT + 16, 0xffffffff);
	num_put_u32le(area + CLIENT + 28, 8);
	memcpy(area + CLIENT + 32, "N\0T\0F\0S\0", 8);
	/* The sectors' last words are zero: only the number goes there. */
	for (size_t end = 510; end < PAGE; end += 512)
		num_put_u16le(page + end, 1);
	memcpy(page + PAGE, page, PAGE);
	nt_rewrite(g->vol, "$LogFile", page, sizeof(page));
}

void
odd_fill(struct guest *g)
{
	put_fragmented(g);
	put_rests(g);
	if (g->kind->id == WIN10)
		put_packed(g);
	put_log(g);
}
