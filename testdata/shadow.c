/* shadow.c - a volume with one shadow copy
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * J. Metz, "Volume Shadow Snapshot (VSS) format": the volume's header at 0x1E00
 * names the catalogue; a catalogue block has two entries for each copy; the copy's
 * own file holds its header, its (here empty) lists of blocks, and bitmaps.
 */
#include "testdata/guest.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"

enum {
	BLOCK = 0x4000,
	STORE = 16 * BLOCK,
	CATALOGUE = 4 * BLOCK,
	HEADER = 1,		/* record types */
	CATALOG = 2,
	LIST = 3,
	INFO = 4,
	RANGES = 5,
	BITMAP = 6,
};

#define VSS	"\x6b\x87\x08\x38\x76\xc1\x48\x4e\xb7\xae\x04\x04\x6e\x6c\xc7\x52"
#define COPY	"\x31\x1c\x07\x5e\x9a\x4f\xde\x11\x8c\x30\x80\x6d\x61\x72\x69\x6f"
#define VOLUME	"\x40\x8f\x1e\x2c\x59\x4a\xde\x11\x8c\x30\x80\x6d\x61\x72\x69\x6f"

#define FOLDER	"System Volume Information/"
#define CATALOGUE_FILE	FOLDER "{3808876b-c176-4e48-b7ae-04046e6cc752}"
#define STORE_FILE	FOLDER "{5e071c31-4f9a-11de-8c30-806d6172696f}" \
			"{3808876b-c176-4e48-b7ae-04046e6cc752}"

static void
put_block(uint8_t *b, uint32_t type, uint64_t relative, uint64_t at,
	  uint64_t next)
{
	memcpy(b, VSS, 16);
	num_put_u32le(b + 16, 1);
	num_put_u32le(b + 20, type);
	num_put_u64le(b + 24, relative);
	num_put_u64le(b + 32, at);
	num_put_u64le(b + 40, next);
}

static void
put_catalogue(struct guest *g, uint8_t *b, uint64_t at, uint64_t store,
	      uint64_t volume_size)
{
	uint8_t *e = b + 128;

	for (uint64_t i = 0; i < CATALOGUE / BLOCK; i++)
		put_block(b + i * BLOCK, CATALOG, i * BLOCK, at + i * BLOCK,
			  i + 1 < CATALOGUE / BLOCK ? at + (i + 1) * BLOCK : 0);
	num_put_u64le(e, 2);
	num_put_u64le(e + 8, volume_size);
	memcpy(e + 16, COPY, 16);
	num_put_u64le(e + 32, 1);
	num_put_u64le(e + 40, 0x40);
	num_put_u64le(e + 48, g->kind->born + 350 * NT_DAY);
	e += 128;
	num_put_u64le(e, 3);
	num_put_u64le(e + 8, store + 2 * BLOCK);
	memcpy(e + 16, COPY, 16);
	num_put_u64le(e + 32, store);
	num_put_u64le(e + 40, store + BLOCK);
	num_put_u64le(e + 48, store + 3 * BLOCK);
	num_put_u64le(e + 56, nt_reference(g->vol, STORE_FILE));
	num_put_u64le(e + 64, STORE);
}

static void
put_store(uint8_t *b, uint64_t at)
{
	static const uint32_t type[4] = { INFO, RANGES, LIST, BITMAP };
	uint8_t *info = b + 128;

	for (uint64_t i = 0; i < 4; i++)
		put_block(b + i * BLOCK, type[i], i * BLOCK, at + i * BLOCK, 0);
	num_put_u64le(b + 48, 128);
	memcpy(info, COPY, 16);
	memcpy(info + 16, COPY, 16);
	memcpy(info + 32, COPY, 16);
	num_put_u32le(info + 48, 0x1d);	/* client accessible, persistent */
	num_put_u32le(info + 52, 1);
	num_put_u32le(info + 56, 0x42000d);
	/* Which space is the store's own. */
	num_put_u64le(b + BLOCK + 128, at);
	num_put_u64le(b + BLOCK + 136, 0);
	num_put_u64le(b + BLOCK + 144, STORE);
}

void
shadow_fill(struct guest *g, uint64_t volume_size)
{
	static uint8_t catalogue[CATALOGUE], store[STORE];
	uint64_t store_at, catalogue_at;

	nt_put(g->vol, STORE_FILE, store, sizeof(store), NT_HIDDEN | NT_SYSTEM);
	nt_put(g->vol, CATALOGUE_FILE, catalogue, sizeof(catalogue),
	       NT_HIDDEN | NT_SYSTEM);
	store_at = nt_first_sector(g->vol, STORE_FILE) * 512;
	catalogue_at = nt_first_sector(g->vol, CATALOGUE_FILE) * 512;
	put_catalogue(g, catalogue, catalogue_at, store_at, volume_size);
	put_store(store, store_at);
	nt_rewrite(g->vol, CATALOGUE_FILE, catalogue, sizeof(catalogue));
	nt_rewrite(g->vol, STORE_FILE, store, sizeof(store));
	put_block(g->shadow_header, HEADER, 0x1e00, 0x1e00, 0);
	num_put_u64le(g->shadow_header + 24, 0x1e00);
	num_put_u64le(g->shadow_header + 32, 0x1e00);
	num_put_u64le(g->shadow_header + 48, catalogue_at);
	num_put_u64le(g->shadow_header + 56, volume_size / 10);
	memcpy(g->shadow_header + 64, VOLUME, 16);
	memcpy(g->shadow_header + 80, VOLUME, 16);
}
