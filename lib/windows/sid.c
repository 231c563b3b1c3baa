/* sid.c - see sid.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "windows/sid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/num.h"

void
wn_sid_read(struct cur *c, struct wn_sid *ret)
{
	struct wn_sid sid = { .len = 0 };
	uint8_t revision = cur_u8(c);
	uint8_t parts = cur_u8(c);

	if (!cur_ok(c))
		return;
	if (revision != 1 || parts > WN_SID_PARTS) {
		cur_bad(c, "holds a malformed SID");
		return;
	}
	sid.len = (uint8_t)(8 + 4 * parts);
	sid.at[0] = revision;
	sid.at[1] = parts;
	cur_bytes(c, sid.at + 2, sid.len - 2u);
	if (cur_ok(c))
		*ret = sid;
}

int
wn_sid_parse(const void *at, size_t len, struct wn_sid *ret, struct err *e)
{
	struct cur c = cur_over("SID", at, len);
	struct wn_sid sid = { .len = 0 };

	wn_sid_read(&c, &sid);
	if (cur_end(&c, e) < 0)
		return -1;
	*ret = sid;
	return 0;
}

/* One number of a textual SID, and where it ends; false if there is none. */
static bool
number(const char **p, uint64_t max, uint64_t *ret)
{
	char digits[24];
	size_t n = strcspn(*p, "-");

	if (n == 0 || n >= sizeof(digits))
		return false;
	memcpy(digits, *p, n);
	digits[n] = '\0';
	*p += n;
	return num_parse(digits, 0, max, false, ret);
}

int
wn_sid_from_text(const char *text, struct wn_sid *ret, struct err *e)
{
	struct wn_sid sid = { .len = 8, .at = { 1 } };
	const char *p = text;
	char shown[64];
	uint64_t n = 0;
	bool good = strncmp(p, "S-1-", 4) == 0 || strncmp(p, "s-1-", 4) == 0;

	if (good) {
		p += 4;
		good = number(&p, (UINT64_C(1) << 48) - 1, &n);
		for (int i = 0; i < 6; i++)
			sid.at[2 + i] = (uint8_t)(n >> (40 - 8 * i) & 0xff);
	}
	while (good && *p == '-' && sid.at[1] < WN_SID_PARTS) {
		p++;
		good = number(&p, UINT32_MAX, &n);
		num_put_u32le(sid.at + sid.len, (uint32_t)n);
		sid.len = (uint8_t)(sid.len + 4);
		sid.at[1]++;
	}
	if (!good || *p != '\0')
		return err_set(e, ERR_USAGE, "%s: not a SID (S-1-...)",
			       err_quote(shown, sizeof(shown), text,
					 strlen(text)));
	*ret = sid;
	return 0;
}

/* Number i behind the authority. */
static uint32_t
part(const struct wn_sid *sid, unsigned i)
{
	const uint8_t *p = sid->at + 8 + 4 * (size_t)i;

	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		(uint32_t)p[3] << 24;
}

const char *
wn_sid_text(const struct wn_sid *sid, char buf[WN_SID_TEXT])
{
	uint64_t authority = 0;
	int n;

	buf[0] = '\0';
	if (sid->len == 0)
		return buf;
	for (int i = 0; i < 6; i++)
		authority = authority << 8 | sid->at[2 + i];
	n = authority < (UINT64_C(1) << 32) ?
		snprintf(buf, WN_SID_TEXT, "S-1-%" PRIu64, authority) :
		snprintf(buf, WN_SID_TEXT, "S-1-0x%012" PRIx64, authority);
	for (unsigned i = 0; i < sid->at[1] && n > 0 && n < WN_SID_TEXT; i++)
		n += snprintf(buf + n, (size_t)(WN_SID_TEXT - n), "-%" PRIu32,
			      part(sid, i));
	return buf;
}

bool
wn_sid_same(const struct wn_sid *a, const struct wn_sid *b)
{
	return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

bool
wn_sid_is_account(const struct wn_sid *sid)
{
	static const uint8_t nt[6] = { 0, 0, 0, 0, 0, 5 };

	return sid->len == 28 && memcmp(sid->at + 2, nt, sizeof(nt)) == 0 &&
		part(sid, 0) == 21;
}

uint32_t
wn_sid_rid(const struct wn_sid *sid)
{
	return sid->len <= 8 ? 0 : part(sid, sid->at[1] - 1u);
}

bool
wn_sid_same_domain(const struct wn_sid *a, const struct wn_sid *b)
{
	return a->len > 8 && a->len == b->len &&
		memcmp(a->at, b->at, a->len - 4u) == 0;
}

struct wn_sid
wn_sid_with_rid(const struct wn_sid *sid, uint32_t rid)
{
	struct wn_sid r = *sid;

	if (r.len > 8)
		num_put_u32le(r.at + r.len - 4, rid);
	return r;
}

struct wn_sid
wn_sid_add_rid(const struct wn_sid *domain, uint32_t rid)
{
	struct wn_sid r = *domain;

	if (r.len < 8 || r.at[1] >= WN_SID_PARTS)
		return r;
	num_put_u32le(r.at + r.len, rid);
	r.len = (uint8_t)(r.len + 4);
	r.at[1]++;
	return r;
}
