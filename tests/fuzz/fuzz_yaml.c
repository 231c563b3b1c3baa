/* fuzz_yaml.c - no text crashes the YAML reader, and scalars come back
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte chooses which allocation is refused (0: none).
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
check_scalar(const struct yml *n)
{
	struct err e = ERR_INIT;
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (!utf_valid8(n->text, n->len))
		return;
	buf_str(&b, "k: ");
	yml_put_scalarn(&b, n->text, n->len);
	buf_u8(&b, '\n');
	assert(buf_ok(&b, &e) == 0);
	YML_SCOPED struct yml *doc = yml_parse("again", b.at, b.len, &e);
	assert(doc != NULL);
	const struct yml *v = yml_get(doc, "k");
	assert(v != NULL && v->kind == YML_SCALAR && v->len == n->len);
	assert(memcmp(v->text, n->text, n->len) == 0);
}

static void
check(const struct yml *n)
{
	if (n->kind == YML_SCALAR)
		check_scalar(n);
	for (size_t i = 0; i < n->count; i++) {
		if (n->keys != NULL)
			check(&n->keys[i]);
		check(&n->at[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT;

	if (len < 1)
		return 0;
	mem_fail_from(in[0]);
	YML_SCOPED struct yml *doc = yml_parse("fuzz", in + 1, len - 1, &e);
	mem_fail_from(0);
	assert((doc != NULL) == (e.kind == ERR_NONE));
	assert(in[0] != 0 || e.kind != ERR_NOMEM);
	if (doc != NULL)
		check(doc);
	return 0;
}
