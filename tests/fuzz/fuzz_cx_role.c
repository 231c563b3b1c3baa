/* fuzz_cx_role.c - role metadata and its bodies, as any server might send them
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte says which allocation is refused, and which role is expected.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "crypt/role.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	CX_META_SCOPED struct cx_meta m = CX_META_EMPTY;
	CX_ROOT_SCOPED struct cx_root root = CX_ROOT_EMPTY;
	BUF_SCOPED struct buf again = BUF_EMPTY;
	struct err e = ERR_INIT, be = ERR_INIT, ce = ERR_INIT;
	struct cx_pin pin;

	if (len == 0)
		return 0;
	mem_fail_from(in[0] & 0x0f);
	if (cx_meta_parse("m", in + 1, len - 1,
			  (enum cx_role)(1 + (in[0] >> 4) % 4), &m, &e) < 0) {
		mem_fail_from(0);
		assert(e.kind != ERR_NONE && m.body == NULL);
		return 0;
	}
	if (m.role == CX_ROLE_ROOT) {
		if (cx_root_parse("m", m.body, m.body_len, &root, &be) == 0 &&
		    cx_meta_check("m", &m, &root.role[CX_ROLE_ROOT], &ce) < 0)
			assert(ce.kind == ERR_AUTH || ce.kind == ERR_NOMEM);
	} else if (cx_pin_parse("m", m.body, m.body_len, &pin, &be) < 0) {
		assert(be.kind != ERR_NONE);
	}
	ce = (struct err)ERR_INIT;
	mem_fail_from(0);
	/* There is one way to write it. */
	assert(cx_meta_encode(&m, &again, &ce) == 0);
	assert(again.len == len - 1 && memcmp(again.at, in + 1, len - 1) == 0);
	return 0;
}
