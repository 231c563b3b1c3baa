/* fuzz_st_version.c - manifests and clear lists with signatures that fit
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * First byte: 0, the input is a list without its signature; 1, the clear part
 * of a manifest; else its encrypted part.  What is missing is put around it.
 */
#include <assert.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypt/hash.h"
#include "crypt/record.h"
#include "crypt/sign.h"
#include "store/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static struct cx_key signer = CX_KEY_EMPTY;
static struct st_line line = ST_LINE_EMPTY;

static void
put_signature(struct buf *b, const char *purpose)
{
	uint8_t hash[CX_HASH_BYTES], sig[CX_SIG_BYTES];

	cx_hash(hash, b->at, b->len);
	cx_sign(&signer, purpose, hash, sig);
	buf_bytes(b, sig, sizeof(sig));
}

static void
put_head(struct buf *b)
{
	buf_str(b, "HALVERS\n");
	buf_u16le(b, 1);
	buf_zeros(b, 6 + 16 + 16);
	buf_u64le(b, 1);
	buf_zeros(b, 32);
	buf_u16le(b, 1);
	buf_str(b, "x");
	buf_bytes(b, signer.pub.sign, 32);
}

static void
version(const uint8_t *in, size_t len, bool clear)
{
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;

	if (clear) {
		buf_bytes(&b, in, len);
	} else {
		put_head(&b);
		buf_u32le(&b, (uint32_t)cx_record_size(len));
		size_t head = b.len;
		uint8_t *room = buf_room(&b, cx_record_size(len));
		if (room == NULL)
			return;
		cx_record_seal(st_line_manifest_key(&line), b.at, head, in, len,
			       room);
	}
	put_signature(&b, "halcyon version");
	if (buf_ok(&b, &e) < 0)
		return;
	if (st_version_parse("manifest", b.at, b.len, clear ? NULL : &line, &v,
			     &e) < 0)
		assert(e.kind != ERR_NONE);
	else
		assert(st_name_ok(v.name) && v.props <= ST_PROPS_MAX);
}

static void
list(const uint8_t *in, size_t len)
{
	ST_LIST_SCOPED struct st_list l = ST_LIST_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;
	struct st_id of = { .at = { 0 } };

	buf_str(&b, "HALLIST\n");
	buf_u16le(&b, 1);
	buf_zeros(&b, 2);
	buf_u32le(&b, len > 0 ? in[0] : 0);
	buf_zeros(&b, 32);
	buf_bytes(&b, signer.pub.sign, 32);
	if (len > 0)
		buf_bytes(&b, in + 1, len - 1);
	put_signature(&b, "halcyon clear list");
	if (buf_ok(&b, &e) == 0 &&
	    st_list_parse("list", b.at, b.len, &of, &l, &e) < 0)
		assert(e.kind != ERR_NONE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT;

	if (line.derived.at == NULL &&
	    (cx_key_make(&signer, "fuzz", &e) < 0 ||
	     cx_secret_new(&line.derived, 4 * 32, &e) < 0))
		return 0;
	if (len == 0)
		return 0;
	if (in[0] == 0)
		list(in + 1, len - 1);
	else
		version(in + 1, len - 1, in[0] == 1);
	return 0;
}
