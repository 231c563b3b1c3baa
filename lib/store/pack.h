/* pack.h - records, and the packs they are written into
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A record is a clear header (kind, length, name) and a body that only the
 * holder of its key opens; the header is part of what the body authenticates.
 * A pack is a file of records, written once, and named by the BLAKE2b-256 of
 * its bytes, so anybody can check it.  docs/FORMAT.md, "Repository", has both.
 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/io.h"
#include "crypt/hash.h"
#include "store/codec.h"
#include "store/id.h"
#include "store/map.h"

struct buf;
struct cur;
struct err;

enum st_kind {
	ST_KIND_CHUNK = 1,	/* contents of a disk; key from the chunk's name */
	ST_KIND_SEGMENT = 2,	/* of a map; key of the image line */
	ST_KIND_ROOT = 3,	/* of a map; key of the image line */
};

enum {
	ST_RECORD_HEADER = 48,
	ST_RECORD_MAX = ST_MAP_MAX + 4096,	/* bytes of header and body */
	ST_PACK_HEADER = 32,
	ST_PACK_TARGET = 32 << 20,	/* a pack is closed when it reaches this */
	ST_PACK_MAX = ST_PACK_TARGET + ST_RECORD_MAX,
	ST_DOMAIN_BYTES = 16,
};

/* What a record's header says. */
struct st_record {
	enum st_kind kind;
	struct st_id id;
	uint32_t body_len;
};

/* Read a header; the body follows it.  A bad header makes the cursor bad. */
struct st_record st_record_header(struct cur *c);

/* Seal a record and append it, header and body, to *out.  `scratch` is working
 * memory of the caller. */
MUST_CHECK int st_record_seal(struct st_coder *coder, enum st_kind kind,
			      const struct st_id *id, const uint8_t key[32],
			      enum st_codec codec, int level,
			      const void *data, size_t len, struct buf *scratch,
			      struct buf *out, struct err *e);

/*
 * Open the record rec[0..rec_len), which must be the named one, and unpack it
 * into *out, replacing what is there: at most `max` bytes.  `what` names it in
 * messages.  ERR_CORRUPT: no such record; ERR_AUTH: changed, or another key.
 */
MUST_CHECK int st_record_open(struct st_coder *coder, enum st_kind kind,
			      const struct st_id *id, const uint8_t key[32],
			      const void *rec, size_t rec_len, const char *what,
			      size_t max, struct buf *scratch, struct buf *out,
			      struct err *e);

/* Where a record lies in its pack. */
struct st_entry {
	struct st_id id;
	uint32_t at;		/* offset of its header */
	uint32_t len;		/* header and body */
	uint32_t number;	/* of the record in the pack, from 0 */
	enum st_kind kind;
};

/* Entries of one pack, in the order of their records. */
struct st_entries {
	struct st_entry *at;
	size_t count, cap;
};

#define ST_ENTRIES_EMPTY { .at = NULL }
#define ST_ENTRIES_SCOPED SCOPED(st_entries_done)

void st_entries_done(struct st_entries *l);

/* A pack being written. */
struct st_pack {
	struct io_new file;
	struct cx_hasher hash;
	uint32_t len;
	struct st_entries entries;
};

#define ST_PACK_EMPTY { .file = IO_NEW_EMPTY }
#define ST_PACK_SCOPED SCOPED(st_pack_done)

/* Begin one in the directory `dir`; st_pack_done() abandons it. */
MUST_CHECK int st_pack_begin(struct st_pack *p, const char *dir,
			     const uint8_t domain[ST_DOMAIN_BYTES],
			     struct err *e);
MUST_CHECK int st_pack_add(struct st_pack *p, enum st_kind kind,
			   const struct st_id *id, const void *rec, size_t len,
			   struct err *e);
/* On stable storage under its name, *ret_id; the entries stay in p. */
MUST_CHECK int st_pack_commit(struct st_pack *p, struct st_id *ret_id,
			      struct err *e);
void st_pack_done(struct st_pack *p);

/*
 * Read the whole pack at `path` and check that its bytes have the name `id` and
 * are records.  *ret are its entries.  Needs no key.  ERR_CORRUPT names the
 * pack.
 */
MUST_CHECK int st_pack_scan(const char *path, const struct st_id *id,
			    struct st_entries *ret, struct err *e);

/* The same for the bytes of a pack: for those that have them already. */
MUST_CHECK int st_pack_parse(const char *what, const void *in, size_t len,
			     struct st_entries *ret, struct err *e);

#endif /* STORE_PACK_H */
