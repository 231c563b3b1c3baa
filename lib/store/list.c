/* list.c - clear lists: see version.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "crypt/sign.h"
#include "store/repo-private.h"
#include "store/version.h"

#define VERSION 1
#define PURPOSE "halcyon clear list"

static const char magic[8] = "HALLIST\n";

void
st_list_done(struct st_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->at[i].bit);
	free(l->at);
	*l = (struct st_list)ST_LIST_EMPTY;
}

/* Where a pack is in the list, or would be. */
static size_t
pack_at(const struct st_list *l, const struct st_id *pack, bool *ret_found)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int cmp = memcmp(&l->at[mid].pack, pack, sizeof(*pack));

		if (cmp == 0) {
			*ret_found = true;
			return mid;
		}
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_found = false;
	return low;
}

int
st_list_mark(struct st_list *l, const struct st_id *pack, uint32_t records,
	     uint32_t number, size_t *hint, struct err *e)
{
	bool found = *hint < l->count &&
		     st_id_equal(&l->at[*hint].pack, pack);
	size_t i = found ? *hint : pack_at(l, pack, &found);

	if (!found) {
		if (mem_grow(&l->at, &l->cap, l->count + 1, sizeof(*l->at),
			     e) < 0)
			return -1;
		uint8_t *bit = mem_array(((size_t)records + 7) / 8, 1, e);
		if (bit == NULL)
			return -1;
		memmove(l->at + i + 1, l->at + i,
			(l->count - i) * sizeof(*l->at));
		l->at[i] = (struct st_list_pack){ .pack = *pack,
						  .records = records,
						  .bit = bit };
		l->count++;
	}
	if (number >= l->at[i].records)
		return err_set(e, ERR_CORRUPT, "index names a record that its "
			       "pack does not have");
	l->at[i].bit[number / 8] |= (uint8_t)(1u << number % 8);
	*hint = i;
	return 0;
}

int
st_list_encode(struct st_list *l, const struct st_id *version,
	       const struct cx_key *signer, struct buf *out, struct err *e)
{
	uint8_t hash[CX_HASH_BYTES], sig[CX_SIG_BYTES];

	buf_bytes(out, magic, sizeof(magic));
	buf_u16le(out, VERSION);
	buf_zeros(out, 2);
	buf_u32le(out, (uint32_t)l->count);
	buf_bytes(out, version->at, ST_ID_BYTES);
	buf_bytes(out, signer->pub.sign, sizeof(l->signer));
	for (size_t i = 0; i < l->count; i++) {
		buf_bytes(out, l->at[i].pack.at, ST_ID_BYTES);
		buf_u32le(out, l->at[i].records);
		buf_bytes(out, l->at[i].bit, ((size_t)l->at[i].records + 7) / 8);
	}
	if (buf_ok(out, e) < 0)
		return -1;
	cx_hash(hash, out->at, out->len);
	cx_sign(signer, PURPOSE, hash, sig);
	buf_bytes(out, sig, sizeof(sig));
	return buf_ok(out, e);
}

static int
parse_packs(struct cur *c, uint32_t count, struct st_list *l, struct err *e)
{
	for (uint32_t i = 0; i < count; i++) {
		struct st_list_pack p = { .records = 0 };

		cur_bytes(c, p.pack.at, ST_ID_BYTES);
		p.records = cur_u32le(c);
		size_t n = ((size_t)p.records + 7) / 8;
		if (cur_ok(c) && n > cur_left(c))
			cur_bad(c, "ends too early");
		if (cur_ok(c) && i > 0 &&
		    memcmp(&l->at[i - 1].pack, &p.pack, sizeof(p.pack)) >= 0)
			cur_bad(c, "has unsorted packs");
		if (!cur_ok(c))
			return cur_err(c, e);
		if (mem_grow(&l->at, &l->cap, l->count + 1, sizeof(*l->at),
			     e) < 0)
			return -1;
		p.bit = mem_array(n, 1, e);
		if (p.bit == NULL)
			return -1;
		cur_bytes(c, p.bit, n);
		l->at[l->count++] = p;
	}
	return 0;
}

int
st_list_parse(const char *what, const void *in, size_t len,
	      const struct st_id *version, struct st_list *ret, struct err *e)
{
	struct cur c = cur_over(what, in, len);
	ST_LIST_SCOPED struct st_list l = ST_LIST_EMPTY;
	uint8_t hash[CX_HASH_BYTES], sig[CX_SIG_BYTES];
	struct st_id of;

	cur_magic(&c, magic, sizeof(magic));
	uint16_t format = cur_u16le(&c);
	cur_zeros(&c, 2);
	uint32_t count = cur_u32le(&c);
	cur_bytes(&c, of.at, ST_ID_BYTES);
	cur_bytes(&c, l.signer, sizeof(l.signer));
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (format != VERSION)
		return err_set(e, ERR_UNSUPPORTED, "%s: has version %u, need %d",
			       what, format, VERSION);
	if (!st_id_equal(&of, version)) {
		cur_bad(&c, "is the list of another version");
		return cur_err(&c, e);
	}
	if (parse_packs(&c, count, &l, e) < 0)
		return -1;
	cx_hash(hash, in, len - cur_left(&c));
	cur_bytes(&c, sig, sizeof(sig));
	if (cur_end(&c, e) < 0 ||
	    cx_verify(l.signer, PURPOSE, hash, sig, what, e) < 0)
		return -1;
	*ret = TAKE(l);
	return 0;
}

int
st_list_load(const struct st_repo *r, const struct st_id *version,
	     struct st_list *ret, struct err *e)
{
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = st_repo_file(r, e, "versions/%s.list",
					      st_id_hex(version, hex));
	SCOPED_FREE uint8_t *in = NULL;
	size_t len;

	if (path == NULL)
		return -1;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return err_set(e, ERR_CORRUPT, "%s: clear list is missing",
			       path);
	if (io_slurp(path, ST_FILE_MAX, &in, &len, e) < 0)
		return -1;
	return st_list_parse(path, in, len, version, ret, e);
}
