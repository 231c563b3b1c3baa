/* codec.h - compression of chunks, also against a base
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * zlib (RFC 1950) is the floor that every build reads and writes; zstd (RFC
 * 8878) is the default.  The two codecs with a base are for deltas: the same
 * base bytes must be given to pack and to unpack.
 *
 * A coder holds working memory and belongs to one thread at a time.
 */
#ifndef STORE_CODEC_H
#define STORE_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct buf;
struct err;
struct st_coder;

/* The numbers are on disk. */
enum st_codec {
	ST_CODEC_NONE = 0,	/* the bytes as they are */
	ST_CODEC_ZLIB = 1,
	ST_CODEC_ZSTD = 2,
	ST_CODEC_ZSTD_BASE = 3,	/* zstd with the base as prefix */
	ST_CODEC_ZLIB_BASE = 4,	/* zlib with the base's last 32 KiB as
				 * preset dictionary */
	ST_CODEC_COUNT
};

/* A zstd frame may not ask for a larger window than this power of two. */
#define ST_CODEC_WINDOW_LOG 27

#define ST_CODER_SCOPED SCOPED(st_coder_free)

MUST_CHECK struct st_coder *st_coder_new(struct err *e);
void st_coder_free(struct st_coder *const *c);

/*
 * Append in[0..len) to *out, packed with `codec`.  `level` is the codec's own
 * (zlib 1 to 9, zstd -5 to 19).  base is used by the codecs that have one and
 * must not be empty there.  *ret_codec is ST_CODEC_NONE, and the bytes are
 * appended as they are, when packing saves less than 1/32 of them.
 */
MUST_CHECK int st_coder_pack(struct st_coder *c, enum st_codec codec, int level,
			     const void *in, size_t len,
			     const void *base, size_t base_len,
			     struct buf *out, enum st_codec *ret_codec,
			     struct err *e);

/*
 * Unpack into exactly out_len bytes.  Packed bytes that are broken, or make
 * another number of bytes, are ERR_CORRUPT; a codec this build does not know
 * is ERR_UNSUPPORTED.  On failure out[] holds anything.
 */
MUST_CHECK int st_coder_unpack(struct st_coder *c, unsigned codec,
			       const void *in, size_t len,
			       const void *base, size_t base_len,
			       void *out, size_t out_len, struct err *e);

#endif /* STORE_CODEC_H */
