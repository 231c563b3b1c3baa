/* fuzz_st_pack.c - packs from anybody, and what is in a record that is ours
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The input is read as a pack, and then sealed with a key of the test as the
 * inside of a record, so that what is behind the tag is reached.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "crypt/record.h"
#include "store/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
pack(const uint8_t *in, size_t len)
{
	ST_ENTRIES_SCOPED struct st_entries l = ST_ENTRIES_EMPTY;
	struct err e = ERR_INIT;
	size_t end = ST_PACK_HEADER;

	if (st_pack_parse("pack", in, len, &l, &e) < 0) {
		assert(e.kind != ERR_NONE);
		return;
	}
	for (size_t i = 0; i < l.count; i++) {
		if (l.at[i].at != end || l.at[i].number != i)
			abort();
		end += l.at[i].len;
	}
	if (end != len)
		abort();
}

static void
inside(const uint8_t *in, size_t len)
{
	static const uint8_t key[32];
	struct err e = ERR_INIT;
	ST_CODER_SCOPED struct st_coder *c = st_coder_new(&e);
	BUF_SCOPED struct buf rec = BUF_EMPTY;
	BUF_SCOPED struct buf scratch = BUF_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	struct st_id id = { .at = { 1 } };

	buf_str(&rec, "HREC");
	buf_u8(&rec, ST_KIND_CHUNK);
	buf_zeros(&rec, 3);
	buf_u32le(&rec, (uint32_t)cx_record_size(len));
	buf_zeros(&rec, 4);
	buf_bytes(&rec, id.at, sizeof(id.at));
	uint8_t *room = buf_room(&rec, cx_record_size(len));
	if (c == NULL || room == NULL)
		return;
	cx_record_seal(key, rec.at, ST_RECORD_HEADER, in, len, room);
	if (st_record_open(c, ST_KIND_CHUNK, &id, key, rec.at, rec.len, "record",
			   ST_CHUNK_MAX, &scratch, &out, &e) == 0)
		assert(out.len <= ST_CHUNK_MAX);
	else
		assert(e.kind != ERR_NONE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	pack(in, len);
	inside(in, len);
	return 0;
}
