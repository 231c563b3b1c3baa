/* role.c - see role.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "crypt/role.h"

#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"

#define VERSION 1
#define PURPOSE "halcyon role"

static const char magic[8] = "HALROLE\n";
static const char *const names[CX_ROLE_END] = {
	[CX_ROLE_ROOT] = "root",
	[CX_ROLE_RELEASE] = "release",
	[CX_ROLE_SNAPSHOT] = "snapshot",
	[CX_ROLE_TIMESTAMP] = "timestamp",
};

const char *
cx_role_name(enum cx_role role)
{
	return names[role];
}

enum cx_role
cx_role_named(const char *word, size_t len)
{
	for (int r = CX_ROLE_ROOT; r < CX_ROLE_END; r++)
		if (strlen(names[r]) == len && memcmp(names[r], word, len) == 0)
			return (enum cx_role)r;
	return (enum cx_role)0;
}

/* ---- metadata ------------------------------------------------------------ */

void
cx_meta_done(struct cx_meta *m)
{
	free(m->body);
	free(m->sig);
	*m = (struct cx_meta)CX_META_EMPTY;
}

/* All that is signed. */
static int
put_signed(const struct cx_meta *m, struct buf *out, struct err *e)
{
	buf_bytes(out, magic, sizeof(magic));
	buf_u16le(out, VERSION);
	buf_u8(out, (uint8_t)m->role);
	buf_zeros(out, 1);
	buf_u32le(out, (uint32_t)m->body_len);
	buf_bytes(out, m->domain, sizeof(m->domain));
	buf_u64le(out, m->number);
	buf_u64le(out, m->created);
	buf_u64le(out, m->expires);
	buf_bytes(out, m->body, m->body_len);
	return buf_ok(out, e);
}

int
cx_meta_encode(const struct cx_meta *m, struct buf *out, struct err *e)
{
	if (put_signed(m, out, e) < 0)
		return -1;
	buf_u32le(out, (uint32_t)m->sigs);
	for (size_t i = 0; i < m->sigs; i++) {
		buf_bytes(out, m->sig[i].signer, sizeof(m->sig[i].signer));
		buf_bytes(out, m->sig[i].sig, sizeof(m->sig[i].sig));
	}
	return buf_ok(out, e);
}

static int
take_signatures(struct cur *c, struct cx_meta *m, struct err *e)
{
	size_t count = cur_u32le(c);

	if (cur_ok(c) && count > CX_META_SIGS)
		cur_bad(c, "has too many signatures");
	if (!cur_ok(c))
		return cur_err(c, e);
	if (mem_grow(&m->sig, &m->sig_cap, count, sizeof(*m->sig), e) < 0)
		return -1;
	for (size_t i = 0; i < count && cur_ok(c); i++) {
		cur_bytes(c, m->sig[i].signer, sizeof(m->sig[i].signer));
		cur_bytes(c, m->sig[i].sig, sizeof(m->sig[i].sig));
		if (cur_ok(c) && i > 0 &&
		    memcmp(m->sig[i - 1].signer, m->sig[i].signer, 32) >= 0)
			cur_bad(c, "has unsorted signatures");
	}
	m->sigs = count;
	return cur_end(c, e);
}

int
cx_meta_parse(const char *what, const void *in, size_t len, enum cx_role role,
	      struct cx_meta *ret, struct err *e)
{
	struct cur c = cur_over(what, in, len);
	CX_META_SCOPED struct cx_meta m = CX_META_EMPTY;

	cur_magic(&c, magic, sizeof(magic));
	uint16_t version = cur_u16le(&c);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (version != VERSION)
		return err_set(e, ERR_UNSUPPORTED, "%s: needs a newer version "
			       "(format %u)", what, version);
	m.role = (enum cx_role)cur_u8(&c);
	cur_zeros(&c, 1);
	m.body_len = cur_u32le(&c);
	cur_bytes(&c, m.domain, sizeof(m.domain));
	m.number = cur_u64le(&c);
	m.created = cur_u64le(&c);
	m.expires = cur_u64le(&c);

	const void *body = cur_rest(&c);
	(void)cur_sub(&c, m.body_len);
	if (cur_ok(&c) && m.role != role)
		cur_bad(&c, "is metadata of another role");
	if (cur_ok(&c) && (m.number == 0 || m.expires < m.created))
		cur_bad(&c, "has an impossible number or time");
	if (!cur_ok(&c))
		return cur_err(&c, e);
	m.body = mem_array(m.body_len, 1, e);
	if (m.body == NULL)
		return -1;
	if (m.body_len > 0)
		memcpy(m.body, body, m.body_len);
	if (take_signatures(&c, &m, e) < 0)
		return -1;
	*ret = TAKE(m);
	return 0;
}

static int
hash_signed(const struct cx_meta *m, uint8_t ret[CX_HASH_BYTES], struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (put_signed(m, &b, e) < 0)
		return -1;
	cx_hash(ret, b.at, b.len);
	return 0;
}

int
cx_meta_sign(struct cx_meta *m, const struct cx_key *k, struct err *e)
{
	uint8_t hash[CX_HASH_BYTES];
	size_t at = 0;

	if (hash_signed(m, hash, e) < 0)
		return -1;
	while (at < m->sigs && memcmp(m->sig[at].signer, k->pub.sign, 32) < 0)
		at++;
	if (at == m->sigs || memcmp(m->sig[at].signer, k->pub.sign, 32) != 0) {
		if (m->sigs >= CX_META_SIGS)
			return err_set(e, ERR_USAGE, "more signatures than "
				       "metadata can have");
		if (mem_grow(&m->sig, &m->sig_cap, m->sigs + 1,
			     sizeof(*m->sig), e) < 0)
			return -1;
		memmove(m->sig + at + 1, m->sig + at,
			(m->sigs - at) * sizeof(*m->sig));
		m->sigs++;
	}
	memcpy(m->sig[at].signer, k->pub.sign, 32);
	cx_sign(k, PURPOSE, hash, m->sig[at].sig);
	return 0;
}

int
cx_meta_check(const char *what, const struct cx_meta *m,
	      const struct cx_holders *by, struct err *e)
{
	uint8_t hash[CX_HASH_BYTES];
	size_t good = 0;

	if (hash_signed(m, hash, e) < 0)
		return -1;
	/* A parsed list names each signer once. */
	for (size_t i = 0; i < m->sigs; i++) {
		struct err wrong = ERR_INIT;

		if (cx_pubs_signer(&by->keys, m->sig[i].signer) != NULL &&
		    cx_verify(m->sig[i].signer, PURPOSE, hash, m->sig[i].sig,
			      what, &wrong) == 0)
			good++;
	}
	if (good >= by->threshold && good > 0)
		return 0;
	return err_set(e, ERR_AUTH, "%s: is not signed by those who may: %zu of "
		       "%u %s keys needed", what, good, by->threshold,
		       names[m->role]);
}

/* ---- bodies -------------------------------------------------------------- */

void
cx_root_done(struct cx_root *r)
{
	for (int i = CX_ROLE_ROOT; i < CX_ROLE_END; i++)
		cx_pubs_done(&r->role[i].keys);
	*r = (struct cx_root)CX_ROOT_EMPTY;
}

int
cx_root_encode(const struct cx_root *r, struct buf *out, struct err *e)
{
	char line[CX_PUB_LINE_ROOM];

	for (int i = CX_ROLE_ROOT; i < CX_ROLE_END; i++) {
		const struct cx_holders *h = &r->role[i];
		BUF_SCOPED struct buf text = BUF_EMPTY;

		for (size_t k = 0; k < h->keys.count; k++) {
			cx_pub_line(&h->keys.at[k], line);
			buf_fmt(&text, "%s\n", line);
		}
		if (buf_ok(&text, e) < 0)
			return -1;
		buf_u32le(out, h->threshold);
		buf_u32le(out, h->days);
		buf_u32le(out, (uint32_t)text.len);
		buf_bytes(out, text.at, text.len);
	}
	return buf_ok(out, e);
}

int
cx_root_parse(const char *what, const void *in, size_t len,
	      struct cx_root *ret, struct err *e)
{
	struct cur c = cur_over(what, in, len);
	CX_ROOT_SCOPED struct cx_root r = CX_ROOT_EMPTY;

	for (int i = CX_ROLE_ROOT; i < CX_ROLE_END; i++) {
		struct cx_holders *h = &r.role[i];

		h->threshold = cur_u32le(&c);
		h->days = cur_u32le(&c);
		struct cur text = cur_sub(&c, cur_u32le(&c));
		if (!cur_ok(&text))
			return cur_err(&text, e);
		if (cx_pubs_parse(&h->keys, what, cur_rest(&text),
				  cur_left(&text), e) < 0)
			return -1;
		if (h->threshold == 0 || h->threshold > h->keys.count ||
		    h->days > CX_ROLE_DAYS_MAX)
			return err_set(e, ERR_CORRUPT, "%s: no %s can come "
				       "about with its threshold", what,
				       names[i]);
	}
	if (cur_end(&c, e) < 0)
		return -1;
	*ret = TAKE(r);
	return 0;
}

bool
cx_holders_same(const struct cx_holders *a, const struct cx_holders *b)
{
	if (a->keys.count != b->keys.count)
		return false;
	for (size_t i = 0; i < a->keys.count; i++)
		if (cx_pubs_signer(&b->keys, a->keys.at[i].sign) == NULL)
			return false;
	return true;
}

int
cx_pin_encode(const struct cx_pin *p, struct buf *out, struct err *e)
{
	buf_u64le(out, p->number);
	buf_u64le(out, p->len);
	buf_bytes(out, p->hash, sizeof(p->hash));
	return buf_ok(out, e);
}

int
cx_pin_parse(const char *what, const void *in, size_t len, struct cx_pin *ret,
	     struct err *e)
{
	struct cur c = cur_over(what, in, len);
	struct cx_pin p;

	p.number = cur_u64le(&c);
	p.len = cur_u64le(&c);
	cur_bytes(&c, p.hash, sizeof(p.hash));
	if (cur_ok(&c) && (p.number == 0 || p.len > CX_META_MAX))
		cur_bad(&c, "names impossible metadata");
	if (cur_end(&c, e) < 0)
		return -1;
	*ret = p;
	return 0;
}
