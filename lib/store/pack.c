/* pack.c - see pack.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/pack.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "crypt/record.h"

#define VERSION 1
#define INNER 8		/* codec, zeros, plain length */

static const char record_magic[4] = "HREC";
static const char pack_magic[8] = "HALPACK\n";

static bool
kind_known(unsigned kind)
{
	return kind >= ST_KIND_CHUNK && kind <= ST_KIND_ROOT;
}

struct st_record
st_record_header(struct cur *c)
{
	struct st_record r = { .kind = ST_KIND_CHUNK };

	cur_magic(c, record_magic, sizeof(record_magic));
	unsigned kind = cur_u8(c);
	cur_zeros(c, 3);
	r.body_len = cur_u32le(c);
	cur_zeros(c, 4);
	cur_bytes(c, r.id.at, ST_ID_BYTES);
	if (!cur_ok(c))
		return r;
	if (!kind_known(kind))
		cur_bad(c, "has a record of an unknown kind");
	else if (r.body_len > ST_RECORD_MAX - ST_RECORD_HEADER)
		cur_bad(c, "has a record of a forbidden length");
	else
		r.kind = (enum st_kind)kind;
	return r;
}

static void
put_header(struct buf *out, enum st_kind kind, const struct st_id *id,
	   size_t body_len)
{
	buf_bytes(out, record_magic, sizeof(record_magic));
	buf_u8(out, (uint8_t)kind);
	buf_zeros(out, 3);
	buf_u32le(out, (uint32_t)body_len);
	buf_zeros(out, 4);
	buf_bytes(out, id->at, ST_ID_BYTES);
}

int
st_record_seal(struct st_coder *coder, enum st_kind kind,
	       const struct st_id *id, const uint8_t key[32],
	       enum st_codec codec, int level, const void *data, size_t len,
	       struct buf *scratch, struct buf *out, struct err *e)
{
	enum st_codec used;
	size_t at = out->len;

	scratch->len = 0;
	buf_zeros(scratch, 4);
	buf_u32le(scratch, (uint32_t)len);
	if (st_coder_pack(coder, codec, level, data, len, NULL, 0, scratch,
			  &used, e) < 0)
		return -1;
	scratch->at[0] = (uint8_t)used;

	size_t body = cx_record_size(scratch->len);
	put_header(out, kind, id, body);
	uint8_t *room = buf_room(out, body);
	if (room == NULL)
		return buf_ok(out, e);
	cx_record_seal(key, out->at + at, ST_RECORD_HEADER, scratch->at,
		       scratch->len, room);
	return 0;
}

int
st_record_open(struct st_coder *coder, enum st_kind kind,
	       const struct st_id *id, const uint8_t key[32],
	       const void *rec, size_t rec_len, const char *what, size_t max,
	       struct buf *scratch, struct buf *out, struct err *e)
{
	struct cur c = cur_over(what, rec, rec_len);
	struct st_record h = st_record_header(&c);
	size_t inner_len;

	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (h.kind != kind || !st_id_equal(&h.id, id) ||
	    h.body_len != cur_left(&c)) {
		cur_bad(&c, "is another record than the index says");
		return cur_err(&c, e);
	}
	scratch->len = 0;
	uint8_t *inner = buf_room(scratch, h.body_len);
	if (inner == NULL)
		return buf_ok(scratch, e);
	if (cx_record_open(key, rec, ST_RECORD_HEADER, cur_rest(&c),
			   cur_left(&c), what, inner, &inner_len, e) < 0)
		return -1;

	struct cur in = cur_over(what, inner, inner_len);
	unsigned codec = cur_u8(&in);
	cur_zeros(&in, 3);
	uint32_t plain = cur_u32le(&in);
	if (cur_ok(&in) && plain > max)
		cur_bad(&in, "is longer than its kind may be");
	if (!cur_ok(&in))
		return cur_err(&in, e);
	out->len = 0;
	uint8_t *room = buf_room(out, plain);
	if (room == NULL)
		return buf_ok(out, e);
	if (st_coder_unpack(coder, codec, cur_rest(&in), cur_left(&in), NULL, 0,
			    room, plain, e) < 0)
		return err_ctx(e, "%s", what);
	return 0;
}

void
st_entries_done(struct st_entries *l)
{
	free(l->at);
	*l = (struct st_entries)ST_ENTRIES_EMPTY;
}

static int
add_entry(struct st_entries *l, const struct st_record *h, uint32_t at,
	  struct err *e)
{
	if (mem_grow(&l->at, &l->cap, l->count + 1, sizeof(*l->at), e) < 0)
		return -1;
	l->at[l->count] = (struct st_entry){
		.id = h->id, .at = at, .len = h->body_len + ST_RECORD_HEADER,
		.number = (uint32_t)l->count, .kind = h->kind };
	l->count++;
	return 0;
}

static int
pack_write(struct st_pack *p, const void *data, size_t len, struct err *e)
{
	if (io_new_write(&p->file, data, len, e) < 0)
		return -1;
	cx_hash_add(&p->hash, data, len);
	p->len += (uint32_t)len;
	return 0;
}

int
st_pack_begin(struct st_pack *p, const char *dir,
	      const uint8_t domain[ST_DOMAIN_BYTES], struct err *e)
{
	BUF_SCOPED struct buf head = BUF_EMPTY;
	SCOPED_FREE char *path = io_join(dir, "pack", e);

	buf_bytes(&head, pack_magic, sizeof(pack_magic));
	buf_u16le(&head, VERSION);
	buf_zeros(&head, 6);
	buf_bytes(&head, domain, ST_DOMAIN_BYTES);
	if (path == NULL || buf_ok(&head, e) < 0 ||
	    io_new_open(&p->file, path, 0644, e) < 0)
		return -1;
	p->len = 0;
	cx_hash_begin(&p->hash);
	return pack_write(p, head.at, head.len, e);
}

int
st_pack_add(struct st_pack *p, enum st_kind kind, const struct st_id *id,
	    const void *rec, size_t len, struct err *e)
{
	struct st_record h = { .kind = kind, .id = *id,
			       .body_len = (uint32_t)(len - ST_RECORD_HEADER) };

	if (add_entry(&p->entries, &h, p->len, e) < 0)
		return -1;
	return pack_write(p, rec, len, e);
}

int
st_pack_commit(struct st_pack *p, struct st_id *ret_id, struct err *e)
{
	char name[ST_ID_HEX + 8], hex[ST_ID_HEX];
	struct st_id id;

	cx_hash_end(&p->hash, id.at);
	(void)snprintf(name, sizeof(name), "%s.pack", st_id_hex(&id, hex));
	if (io_new_rename(&p->file, name, e) < 0 ||
	    io_new_commit(&p->file, e) < 0)
		return -1;
	*ret_id = id;
	return 0;
}

void
st_pack_done(struct st_pack *p)
{
	io_new_abandon(&p->file);
	st_entries_done(&p->entries);
	*p = (struct st_pack)ST_PACK_EMPTY;
}

int
st_pack_parse(const char *what, const void *in, size_t len,
	      struct st_entries *ret, struct err *e)
{
	struct cur c = cur_over(what, in, len);
	ST_ENTRIES_SCOPED struct st_entries l = ST_ENTRIES_EMPTY;

	cur_magic(&c, pack_magic, sizeof(pack_magic));
	uint16_t version = cur_u16le(&c);
	cur_zeros(&c, 6);
	(void)cur_sub(&c, ST_DOMAIN_BYTES);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (version != VERSION)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: pack has version %u, need %d", what, version,
			       VERSION);
	while (cur_left(&c) > 0) {
		uint32_t at = (uint32_t)(len - cur_left(&c));
		struct st_record h = st_record_header(&c);

		(void)cur_sub(&c, h.body_len);
		if (!cur_ok(&c))
			return cur_err(&c, e);
		if (add_entry(&l, &h, at, e) < 0)
			return -1;
	}
	*ret = TAKE(l);
	return 0;
}

int
st_pack_scan(const char *path, const struct st_id *id, struct st_entries *ret,
	     struct err *e)
{
	SCOPED_FREE uint8_t *in = NULL;
	struct st_id real;
	size_t len;

	if (io_slurp(path, ST_PACK_MAX, &in, &len, e) < 0)
		return -1;
	cx_hash(real.at, in, len);
	if (!st_id_equal(&real, id))
		return err_set(e, ERR_CORRUPT, "%s: pack is damaged: its bytes "
			       "do not have its name", path);
	return st_pack_parse(path, in, len, ret, e);
}
