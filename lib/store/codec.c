/* codec.c - see codec.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/codec.h"

#include <limits.h>
#define ZLIB_CONST		/* next_in points to const */
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define ZLIB_WINDOW 32768u

struct st_coder {
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
};

struct st_coder *
st_coder_new(struct err *e)
{
	ST_CODER_SCOPED struct st_coder *c = mem_array(1, sizeof(*c), e);

	if (c == NULL)
		return NULL;
	c->pack = ZSTD_createCCtx();
	c->unpack = ZSTD_createDCtx();
	if (c->pack == NULL || c->unpack == NULL) {
		(void)err_set(e, ERR_NOMEM, "no memory for a codec");
		return NULL;
	}
	return TAKE(c);
}

void
st_coder_free(struct st_coder *const *c)
{
	if (*c == NULL)
		return;
	(void)ZSTD_freeCCtx((*c)->pack);
	(void)ZSTD_freeDCtx((*c)->unpack);
	free(*c);
}

/* The part of a base that a zlib dictionary can reach. */
static const Bytef *
zlib_base(const void *base, size_t *len)
{
	const Bytef *p = base;

	if (*len > ZLIB_WINDOW) {
		p += *len - ZLIB_WINDOW;
		*len = ZLIB_WINDOW;
	}
	return p;
}

static void
end_deflate(z_stream *const *z)
{
	(void)deflateEnd(*z);
}

static void
end_inflate(z_stream *const *z)
{
	(void)inflateEnd(*z);
}

/* *ret is the packed length, or 0 when it does not fit into cap. */
static int
pack_zlib(int level, const void *in, size_t len, const void *base,
	  size_t base_len, uint8_t *out, size_t cap, size_t *ret, struct err *e)
{
	z_stream z = { .zalloc = Z_NULL };

	if (deflateInit(&z, level) != Z_OK)
		return err_set(e, ERR_NOMEM, "no memory for zlib");
	SCOPED(end_deflate) z_stream *end = &z;
	(void)end;
	if (base_len > 0) {
		const Bytef *dict = zlib_base(base, &base_len);

		if (deflateSetDictionary(&z, dict, (uInt)base_len) != Z_OK)
			return err_set(e, ERR_USAGE, "zlib refuses its base");
	}
	z.next_in = in;
	z.avail_in = (uInt)len;
	z.next_out = out;
	z.avail_out = (uInt)cap;
	*ret = deflate(&z, Z_FINISH) == Z_STREAM_END ? cap - z.avail_out : 0;
	return 0;
}

static int
pack_zstd(struct st_coder *c, int level, const void *in, size_t len,
	  const void *base, size_t base_len, uint8_t *out, size_t cap,
	  size_t *ret, struct err *e)
{
	size_t n;

	(void)ZSTD_CCtx_reset(c->pack, ZSTD_reset_session_and_parameters);
	(void)ZSTD_CCtx_setParameter(c->pack, ZSTD_c_compressionLevel, level);
	if (base_len > 0) {
		/* The window must reach from the last byte to the base. */
		int log = 17;

		while (log < ST_CODEC_WINDOW_LOG &&
		       ((size_t)1 << log) < base_len + len)
			log++;
		(void)ZSTD_CCtx_setParameter(c->pack, ZSTD_c_windowLog, log);
		if (log > 20)
			(void)ZSTD_CCtx_setParameter(
				c->pack, ZSTD_c_enableLongDistanceMatching, 1);
		if (ZSTD_isError(ZSTD_CCtx_refPrefix(c->pack, base, base_len)))
			return err_set(e, ERR_NOMEM, "no memory for zstd");
	}
	n = ZSTD_compress2(c->pack, out, cap, in, len);
	*ret = ZSTD_isError(n) ? 0 : n;
	return 0;
}

/* The packed form must be shorter than this to be kept. */
static size_t
worth(size_t len)
{
	return len - len / 32;
}

int
st_coder_pack(struct st_coder *c, enum st_codec codec, int level,
	      const void *in, size_t len, const void *base, size_t base_len,
	      struct buf *out, enum st_codec *ret_codec, struct err *e)
{
	bool based = codec == ST_CODEC_ZSTD_BASE || codec == ST_CODEC_ZLIB_BASE;
	bool zlib = codec == ST_CODEC_ZLIB || codec == ST_CODEC_ZLIB_BASE;
	size_t at = out->len, cap = worth(len), n = 0;

	if (based && base_len == 0)
		return err_set(e, ERR_USAGE, "a delta codec needs a base");
	if (len > UINT_MAX / 2)
		return err_set(e, ERR_USAGE, "more than a codec takes at once");
	if (!based)
		base_len = 0;
	if (codec != ST_CODEC_NONE && len >= 32) {
		uint8_t *room = buf_room(out, cap);

		if (room == NULL)
			return buf_ok(out, e);
		if ((zlib ? pack_zlib(level, in, len, base, base_len, room, cap,
				      &n, e) :
			    pack_zstd(c, level, in, len, base, base_len, room,
				      cap, &n, e)) < 0)
			return -1;
		out->len = at + n;
	}
	if (n == 0)
		buf_bytes(out, in, len);
	if (buf_ok(out, e) < 0)
		return -1;
	*ret_codec = n == 0 ? ST_CODEC_NONE : codec;
	return 0;
}

static int
unpack_zlib(const void *in, size_t len, const void *base, size_t base_len,
	    void *out, size_t out_len, struct err *e)
{
	z_stream z = { .zalloc = Z_NULL };
	int r;

	if (inflateInit(&z) != Z_OK)
		return err_set(e, ERR_NOMEM, "no memory for zlib");
	SCOPED(end_inflate) z_stream *end = &z;
	(void)end;
	z.next_in = in;
	z.avail_in = (uInt)len;
	z.next_out = out;
	z.avail_out = (uInt)out_len;
	r = inflate(&z, Z_FINISH);
	if (r == Z_NEED_DICT && base_len > 0) {
		const Bytef *dict = zlib_base(base, &base_len);

		if (inflateSetDictionary(&z, dict, (uInt)base_len) == Z_OK)
			r = inflate(&z, Z_FINISH);
	}
	if (r != Z_STREAM_END || z.avail_out != 0 || z.avail_in != 0)
		return err_set(e, ERR_CORRUPT, "broken zlib data");
	return 0;
}

static int
unpack_zstd(struct st_coder *c, const void *in, size_t len, const void *base,
	    size_t base_len, void *out, size_t out_len, struct err *e)
{
	(void)ZSTD_DCtx_reset(c->unpack, ZSTD_reset_session_and_parameters);
	(void)ZSTD_DCtx_setParameter(c->unpack, ZSTD_d_windowLogMax,
				     ST_CODEC_WINDOW_LOG);
	if (base_len > 0 &&
	    ZSTD_isError(ZSTD_DCtx_refPrefix(c->unpack, base, base_len)))
		return err_set(e, ERR_NOMEM, "no memory for zstd");
	if (ZSTD_decompressDCtx(c->unpack, out, out_len, in, len) != out_len)
		return err_set(e, ERR_CORRUPT, "broken zstd data");
	return 0;
}

int
st_coder_unpack(struct st_coder *c, unsigned codec, const void *in, size_t len,
		const void *base, size_t base_len, void *out, size_t out_len,
		struct err *e)
{
	if (codec >= ST_CODEC_COUNT)
		return err_set(e, ERR_UNSUPPORTED,
			       "codec %u needs a newer version", codec);
	if (len > UINT_MAX / 2 || out_len > UINT_MAX / 2)
		return err_set(e, ERR_CORRUPT, "more than a codec makes at once");
	switch ((enum st_codec)codec) {
	case ST_CODEC_ZLIB:
		return unpack_zlib(in, len, NULL, 0, out, out_len, e);
	case ST_CODEC_ZLIB_BASE:
		return unpack_zlib(in, len, base, base_len, out, out_len, e);
	case ST_CODEC_ZSTD:
		return unpack_zstd(c, in, len, NULL, 0, out, out_len, e);
	case ST_CODEC_ZSTD_BASE:
		return unpack_zstd(c, in, len, base, base_len, out, out_len, e);
	case ST_CODEC_NONE:
	case ST_CODEC_COUNT:
		break;
	}
	if (len != out_len)
		return err_set(e, ERR_CORRUPT, "stored data of another length");
	if (len > 0)
		memcpy(out, in, len);
	return 0;
}
