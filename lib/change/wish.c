/* wish.c - the wishes for text and numbers, in terms of bytes
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "change/plan.h"

#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/utf.h"
#include "change/change-private.h"

void
cs_want_dword(struct cs_plan *p, struct cs_hive h, const char *key,
	      const char *name, uint32_t v, struct cs_reason r)
{
	uint8_t raw[4];

	num_put_u32le(raw, v);
	cs_want_value(p, h, key, name, CS_REG_DWORD, raw, sizeof(raw), r);
}

static void
put16(struct buf *b, const char *text, struct err *e)
{
	SCOPED_FREE uint8_t *units = NULL;
	size_t len;

	if (utf_to16(text, &units, &len, e) < 0)
		return;
	buf_bytes(b, units, len);
	buf_u16le(b, 0);
}

static void
want_text(struct cs_plan *p, struct cs_hive h, const char *key,
	  const char *name, uint32_t type, const char *text, struct cs_reason r)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (p->failed.kind != ERR_NONE)
		return;
	put16(&b, text, &p->failed);
	if (p->failed.kind == ERR_NONE && buf_ok(&b, &p->failed) == 0)
		cs_want_value(p, h, key, name, type, b.at, b.len, r);
}

void
cs_want_sz(struct cs_plan *p, struct cs_hive h, const char *key,
	   const char *name, const char *text, struct cs_reason r)
{
	want_text(p, h, key, name, CS_REG_SZ, text, r);
}

void
cs_want_expand_sz(struct cs_plan *p, struct cs_hive h, const char *key,
		  const char *name, const char *text, struct cs_reason r)
{
	want_text(p, h, key, name, CS_REG_EXPAND_SZ, text, r);
}

void
cs_want_multi_sz(struct cs_plan *p, struct cs_hive h, const char *key,
		 const char *name, const char *const *list, size_t count,
		 struct cs_reason r)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (p->failed.kind != ERR_NONE)
		return;
	for (size_t i = 0; i < count && p->failed.kind == ERR_NONE; i++)
		put16(&b, list[i], &p->failed);
	buf_u16le(&b, 0);
	if (p->failed.kind == ERR_NONE && buf_ok(&b, &p->failed) == 0)
		cs_want_value(p, h, key, name, CS_REG_MULTI_SZ, b.at, b.len, r);
}
