/* sam.c - see sam.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "windows/sam.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "windows/sd.h"

#define ACCOUNT "SAM\\Domains\\Account"
#define USERS ACCOUNT "\\Users"
#define NAMES USERS "\\Names"
#define NONE ACCOUNT "\\Groups\\00000201"
#define ALIAS "SAM\\Domains\\Builtin\\Aliases\\00000221"
#define MEMBERS "SAM\\Domains\\Builtin\\Aliases\\Members"

enum {
	RID_FIRST = 1000, RID_GROUP = 513, RID_ALIAS = 545,
	DOMAIN_F = 240, DOMAIN_NEXT = 0x48,	/* the next account's RID */
	USER_F = 80,
	/* A user's V: (offset, length, more) of each part, then the parts. */
	V_PARTS = 17, V_HEAD = V_PARTS * 12,
	V_SD = 0, V_NAME = 1, V_GROUPS = 12, V_HASHES = 13, V_HASH = 14,
	/* C of a group and an alias: numbers, then four parts likewise. */
	GROUP_HEAD = 20, ALIAS_HEAD = 4, C_PARTS = 4, C_MEMBERS = 3,
	/* An account's control bits: a user; may have no password. */
	ACB = 0x10 | 0x04,
	CHANGES_MAX = 1024,
};

struct change {
	char *key, *name;
};

struct wn_sam {
	struct hv_hive *hive;
	struct wn_sid machine;
	size_t changes;
	struct change change[CHANGES_MAX];
};

void
wn_sam_free(struct wn_sam *const *s)
{
	if (*s == NULL)
		return;
	for (size_t i = 0; i < (*s)->changes; i++) {
		free((*s)->change[i].key);
		free((*s)->change[i].name);
	}
	hv_free(&(*s)->hive);
	free(*s);
}

/* ---- what may be given accounts ---- */

static int
check_role(struct wn_install *in, struct err *e)
{
	struct hv_key *set = wn_control_set(in, e);
	struct hv_key *k;
	SCOPED_FREE char *type = NULL;

	if (set == NULL)
		return -1;
	if (in->generalised)
		return err_set(e, ERR_UNSAFE, "%s: is generalised (sysprep); "
			       "an account made now would not be its own",
			       in->root);
	k = hv_find(set, "Control\\ProductOptions");
	if (k != NULL && hv_get_str(k, "ProductType", &type, e) < 0)
		return -1;
	if (type != NULL && utf_same8(type, "LanmanNT"))
		return err_set(e, ERR_UNSAFE, "%s: is a domain controller; "
			       "make the account in its directory", in->root);
	if (in->machine_sid.len == 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: its SAM has no "
			       "machine SID", in->root);
	return 0;
}

/* A value of the SAM, of at least `least` bytes. */
static int
value_of(const struct wn_sam *s, const char *key, const char *name,
	 size_t least, struct hv_data *ret, struct err *e)
{
	struct hv_key *k = hv_find(hv_root(s->hive), key);
	struct hv_value *v = k == NULL ? NULL : hv_value(k, name);

	if (v == NULL || hv_data(v).len < least)
		return err_set(e, ERR_UNSUPPORTED, "SAM: %s has no %s of a "
			       "known form", key, *name == '\0' ?
			       "default value" : name);
	*ret = hv_data(v);
	return 0;
}

struct wn_sam *
wn_sam_open(struct wn_install *in, struct err *e)
{
	WN_SAM_SCOPED struct wn_sam *s = NULL;
	struct hv_data d;

	if (check_role(in, e) < 0)
		return NULL;
	s = mem_array(1, sizeof(*s), e);
	if (s == NULL)
		return NULL;
	s->machine = in->machine_sid;
	s->hive = wn_hive_load(in, WN_SAM, e);
	if (s->hive == NULL ||
	    value_of(s, ACCOUNT, "F", DOMAIN_F, &d, e) < 0 ||
	    value_of(s, NONE, "C", GROUP_HEAD + C_PARTS * 12, &d, e) < 0 ||
	    value_of(s, ALIAS, "C", ALIAS_HEAD + C_PARTS * 12, &d, e) < 0 ||
	    value_of(s, USERS, "", 0, &d, e) < 0)
		return NULL;
	return TAKE(s);
}

/* ---- parts of V and C ---- */

struct part {
	const uint8_t *at;
	uint32_t len, more;
};

/* `n` parts described from `head` on; offsets count from behind them. */
static int
read_parts(const char *what, const uint8_t *at, size_t len, size_t head,
	   size_t n, struct part *ret, struct err *e)
{
	struct cur c = cur_over(what, at, len);
	const size_t base = head + n * 12;

	(void)cur_sub(&c, head);
	for (size_t i = 0; i < n; i++) {
		uint32_t off = cur_u32le(&c);

		ret[i].len = cur_u32le(&c);
		ret[i].more = cur_u32le(&c);
		if (!cur_ok(&c))
			return cur_err(&c, e);
		if (!num_in_range(off, ret[i].len, len - base)) {
			cur_bad(&c, "has a part outside of itself");
			return cur_err(&c, e);
		}
		ret[i].at = at + base + off;
	}
	return 0;
}

/* The same again: the head as it was, the parts in order. */
static void
put_parts(struct buf *out, const uint8_t *head, size_t head_len,
	  const struct part *p, size_t n)
{
	uint32_t at = 0;

	buf_bytes(out, head, head_len);
	for (size_t i = 0; i < n; i++) {
		buf_u32le(out, at);
		buf_u32le(out, p[i].len);
		buf_u32le(out, p[i].more);
		at += (p[i].len + 3) & ~UINT32_C(3);
	}
	for (size_t i = 0; i < n; i++) {
		buf_bytes(out, p[i].at, p[i].len);
		buf_zeros(out, (4 - p[i].len % 4) % 4);
	}
}

/* ---- changes ---- */

static int
set(struct wn_sam *s, const char *key, const char *name, uint32_t type,
    const void *at, size_t len, struct err *e)
{
	struct hv_key *k = hv_create(hv_root(s->hive), key, e);
	struct change *c = &s->change[s->changes];

	if (k == NULL || hv_set(k, name, type, at, len, e) < 0)
		return -1;
	for (size_t i = 0; i < s->changes; i++)
		if (utf_same8(s->change[i].key, key) &&
		    utf_same8(s->change[i].name, name))
			return 0;
	if (s->changes == CHANGES_MAX)
		return err_set(e, ERR_UNSUPPORTED, "SAM: more than %d changes "
			       "at once", CHANGES_MAX);
	c->key = mem_str(key, e);
	c->name = mem_str(name, e);
	s->changes++;
	return c->key == NULL || c->name == NULL ? -1 : 0;
}

/* One more in a counter that is the type of a key's unnamed value. */
static int
count_up(struct wn_sam *s, const char *key, struct err *e)
{
	struct hv_key *k = hv_find(hv_root(s->hive), key);
	struct hv_value *v = k == NULL ? NULL : hv_value(k, "");

	return set(s, key, "", v == NULL ? 1 : hv_data(v).type + 1, NULL, 0,
		   e);
}

/* One more member of a group (`one` is its RID) or an alias (its SID). */
static int
add_member(struct wn_sam *s, const char *key, size_t head, const uint8_t *one,
	   uint32_t one_len, struct err *e)
{
	struct part part[C_PARTS];
	BUF_SCOPED struct buf members = BUF_EMPTY, fresh = BUF_EMPTY;
	struct hv_data d;
	struct part *m = &part[C_MEMBERS];
	uint32_t used;

	if (value_of(s, key, "C", head + C_PARTS * 12, &d, e) < 0 ||
	    read_parts(key, d.at, d.len, head, C_PARTS, part, e) < 0)
		return -1;
	/* A group's list may have room that is not used yet. */
	used = head == GROUP_HEAD && m->more < m->len / 4 ? m->more * 4 :
		m->len;
	buf_bytes(&members, m->at, used);
	buf_bytes(&members, one, one_len);
	if (members.len < m->len)
		buf_zeros(&members, m->len - members.len);
	if (buf_ok(&members, e) < 0)
		return -1;
	*m = (struct part){ .at = members.at, .len = (uint32_t)members.len,
			    .more = m->more + 1 };
	put_parts(&fresh, d.at, head, part, C_PARTS);
	if (buf_ok(&fresh, e) < 0)
		return -1;
	return set(s, key, "C", d.type, fresh.at, fresh.len, e);
}

/* ---- the account ---- */

static int
check_name(const struct wn_sam *s, const char *name, struct err *e)
{
	static const char *const taken[] = {
		NAMES, ACCOUNT "\\Groups\\Names", ACCOUNT "\\Aliases\\Names",
		"SAM\\Domains\\Builtin\\Aliases\\Names",
	};
	SCOPED_FREE uint8_t *units = NULL;
	size_t bytes, n = strlen(name);

	if (utf_to16(name, &units, &bytes, e) < 0)
		return -1;
	if (n == 0 || bytes > 2 * WN_SAM_NAME_MAX || name[n - 1] == '.' ||
	    name[strspn(name, ". ")] == '\0' ||
	    strpbrk(name, "\"/\\[]:;|=,+*?<>@") != NULL)
		return err_set(e, ERR_USAGE, "%s: no name for a local account: "
			       "up to %d characters, none of \" / \\ [ ] : ; | "
			       "= , + * ? < > @, no dot at the end", name,
			       WN_SAM_NAME_MAX);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < 0x20)
			return err_set(e, ERR_USAGE, "the name of a local "
				       "account has a control character");
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		struct hv_key *k = hv_find(hv_root(s->hive), taken[i]);

		if (k != NULL && hv_find(k, name) != NULL)
			return err_set(e, ERR_UNSAFE, "%s: is the name of "
				       "another account or group there", name);
	}
	return 0;
}

/* The next number, above every one that is in use. */
static int
next_rid(const struct wn_sam *s, uint32_t *ret, struct err *e)
{
	struct hv_key *users = hv_find(hv_root(s->hive), USERS);
	struct hv_data f;
	uint32_t rid = 0;

	if (value_of(s, ACCOUNT, "F", DOMAIN_F, &f, e) < 0)
		return -1;
	for (int i = 3; i >= 0; i--)
		rid = rid << 8 | f.at[DOMAIN_NEXT + i];
	for (struct hv_key *k = hv_first(users); k != NULL; k = hv_next(k)) {
		SCOPED_FREE char *name = hv_name(k, e);
		SCOPED_FREE char *hex = NULL;
		uint64_t has;

		if (name == NULL)
			return -1;
		hex = mem_fmt(e, "0x%s", name);
		if (hex == NULL)
			return -1;
		if (strlen(name) == 8 &&
		    num_parse(hex, 0, UINT32_MAX, false, &has) && has >= rid)
			return err_set(e, ERR_UNSAFE, "SAM: says that %u is "
				       "free, and has account %s", rid, name);
	}
	if (rid < RID_FIRST || rid >= 0x3fffffff)
		return err_set(e, ERR_UNSUPPORTED, "SAM: %u is no number for "
			       "the next account", rid);
	*ret = rid;
	return 0;
}

/* A part of the accounts there: the descriptor that names its own account, and
 * how one without a password is kept. */
struct pattern {
	struct buf sd;
	uint32_t sd_more;
	bool hashes;
	struct buf hash[V_PARTS - V_HASHES];
};

static void
pattern_done(struct pattern *p)
{
	buf_done(&p->sd);
	for (size_t i = 0; i < V_PARTS - V_HASHES; i++)
		buf_done(&p->hash[i]);
}

/* The descriptor with the new account in the place of its own. */
static int
take_sd(struct pattern *p, const struct part *v, const struct wn_sid *own,
	const struct wn_sid *fresh, struct err *e)
{
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	struct err none = ERR_INIT;
	bool found = false;

	(void)e;
	if (p->sd.len != 0 ||
	    wn_sd_parse(v[V_SD].at, v[V_SD].len, &sd, &none) < 0)
		return 0;
	for (size_t i = 0; i < sd.dacl.count; i++)
		if (wn_sid_same(&sd.dacl.at[i].sid, own)) {
			sd.dacl.at[i].sid = *fresh;
			found = true;
		}
	if (!found)
		return 0;
	p->sd_more = v[V_SD].more;
	wn_sd_build(&sd, &p->sd);
	return buf_ok(&p->sd, e);
}

/* LM, NT and both histories of an account whose NT hash is an empty form: a
 * head of 4 bytes, or since Windows 10 one of 24. */
static int
take_hashes(struct pattern *p, const struct part *v, struct err *e)
{
	if (p->hashes || (v[V_HASH].len != 4 && v[V_HASH].len != 24) ||
	    v[V_HASHES].len > 24)
		return 0;
	for (size_t i = 0; i < V_PARTS - V_HASHES; i++) {
		const struct part *h = &v[V_HASHES + i];

		/* A history may tell of passwords that were; it starts anew
		 * in the form of the hash. */
		if (i >= 2 && h->len > v[V_HASH].len)
			h = &v[V_HASH];
		buf_bytes(&p->hash[i], h->at, h->len);
		if (buf_ok(&p->hash[i], e) < 0)
			return -1;
	}
	p->hashes = true;
	return 0;
}

static int
find_pattern(const struct wn_sam *s, const struct wn_sid *fresh,
	     struct pattern *p, struct err *e)
{
	struct hv_key *users = hv_find(hv_root(s->hive), USERS);

	for (struct hv_key *k = hv_first(users); k != NULL; k = hv_next(k)) {
		SCOPED_FREE char *name = hv_name(k, e);
		SCOPED_FREE char *hex = NULL;
		struct hv_value *v = hv_value(k, "V");
		struct part part[V_PARTS];
		struct err none = ERR_INIT;
		struct wn_sid own;
		uint64_t rid;

		if (name == NULL)
			return -1;
		hex = mem_fmt(e, "0x%s", name);
		if (hex == NULL)
			return -1;
		if (v == NULL || hv_data(v).len < V_HEAD ||
		    !num_parse(hex, 1, UINT32_MAX, false, &rid) ||
		    read_parts("V", hv_data(v).at, hv_data(v).len, 0, V_PARTS,
			       part, &none) < 0)
			continue;
		own = wn_sid_add_rid(&s->machine, (uint32_t)rid);
		if (take_sd(p, part, &own, fresh, e) < 0 ||
		    take_hashes(p, part, e) < 0)
			return -1;
	}
	if (p->sd.len == 0 || !p->hashes)
		return err_set(e, ERR_UNSUPPORTED, "SAM: has no account %s "
			       "that a new one could be made like", p->hashes ?
			       "with a descriptor" : "without a password");
	return 0;
}

static int
put_v(struct wn_sam *s, const char *key, const char *name,
      const struct wn_sid *sid, struct err *e)
{
	SCOPED(pattern_done) struct pattern p = { .sd_more = 0 };
	SCOPED_FREE uint8_t *units = NULL;
	BUF_SCOPED struct buf groups = BUF_EMPTY, fresh = BUF_EMPTY;
	struct part part[V_PARTS] = { { .at = (const uint8_t *)"" } };
	size_t bytes;

	if (find_pattern(s, sid, &p, e) < 0 ||
	    utf_to16(name, &units, &bytes, e) < 0)
		return -1;
	buf_u32le(&groups, RID_GROUP);
	buf_u32le(&groups, 7);		/* mandatory, by default, enabled */
	if (buf_ok(&groups, e) < 0)
		return -1;
	for (size_t i = 1; i < V_PARTS; i++)
		part[i].at = part[0].at;
	part[V_SD] = (struct part){ p.sd.at, (uint32_t)p.sd.len, p.sd_more };
	part[V_NAME] = (struct part){ units, (uint32_t)bytes, 0 };
	part[V_GROUPS] = (struct part){ groups.at, (uint32_t)groups.len, 1 };
	for (size_t i = 0; i < V_PARTS - V_HASHES; i++)
		part[V_HASHES + i] = (struct part){
			.at = p.hash[i].at == NULL ? part[0].at :
				p.hash[i].at,
			.len = (uint32_t)p.hash[i].len,
		};
	put_parts(&fresh, part[0].at, 0, part, V_PARTS);
	if (buf_ok(&fresh, e) < 0)
		return -1;
	return set(s, key, "V", HV_BINARY, fresh.at, fresh.len, e);
}

/* No logon yet, no end, and a password to be set at the first logon. */
static int
put_f(struct wn_sam *s, const char *key, uint32_t rid, struct err *e)
{
	uint8_t f[USER_F] = { 2, 0, 1, 0 };

	num_put_u64le(f + 0x20, UINT64_C(0x7fffffffffffffff));
	num_put_u32le(f + 0x30, rid);
	num_put_u32le(f + 0x34, RID_GROUP);
	num_put_u16le(f + 0x38, ACB);
	return set(s, key, "F", HV_BINARY, f, sizeof(f), e);
}

static int
take_number(struct wn_sam *s, uint32_t rid, struct err *e)
{
	uint8_t f[DOMAIN_F];
	struct hv_data d;

	if (value_of(s, ACCOUNT, "F", DOMAIN_F, &d, e) < 0)
		return -1;
	memcpy(f, d.at, sizeof(f));
	num_put_u32le(f + DOMAIN_NEXT, rid + 1);
	return d.len != sizeof(f) ?
		err_set(e, ERR_UNSUPPORTED, "SAM: F is longer than known") :
		set(s, ACCOUNT, "F", d.type, f, sizeof(f), e);
}

/* "Users" knows its members by SID, and each member knows its aliases. */
static int
join_users(struct wn_sam *s, const struct wn_sid *sid, struct err *e)
{
	uint8_t alias[4];
	char machine[WN_SID_TEXT];
	SCOPED_FREE char *all = mem_fmt(e, "%s\\%s", MEMBERS,
					wn_sid_text(&s->machine, machine));
	SCOPED_FREE char *own = all == NULL ? NULL :
		mem_fmt(e, "%s\\%08X", all, wn_sid_rid(sid));

	num_put_u32le(alias, RID_ALIAS);
	if (own == NULL ||
	    add_member(s, ALIAS, ALIAS_HEAD, sid->at, sid->len, e) < 0 ||
	    set(s, own, "", 1, alias, sizeof(alias), e) < 0)
		return -1;
	return count_up(s, all, e);
}

int
wn_sam_add(struct wn_sam *s, const char *name, uint32_t *ret_rid,
	   struct err *e)
{
	SCOPED_FREE char *key = NULL, *by_name = NULL;
	struct wn_sid sid;
	uint8_t number[4];
	uint32_t rid = 0;

	if (check_name(s, name, e) < 0 || next_rid(s, &rid, e) < 0)
		return -1;
	sid = wn_sid_add_rid(&s->machine, rid);
	num_put_u32le(number, rid);
	key = mem_fmt(e, "%s\\%08X", USERS, rid);
	by_name = mem_fmt(e, "%s\\%s", NAMES, name);
	if (key == NULL || by_name == NULL ||
	    put_v(s, key, name, &sid, e) < 0 || put_f(s, key, rid, e) < 0 ||
	    set(s, by_name, "", rid, NULL, 0, e) < 0 ||
	    count_up(s, USERS, e) < 0 || take_number(s, rid, e) < 0 ||
	    add_member(s, NONE, GROUP_HEAD, number, 4, e) < 0 ||
	    join_users(s, &sid, e) < 0)
		return -1;
	*ret_rid = rid;
	return 0;
}

int
wn_sam_changes(const struct wn_sam *s, wn_sam_fn fn, void *arg, struct err *e)
{
	for (size_t i = 0; i < s->changes; i++) {
		const struct change *c = &s->change[i];
		struct hv_key *k = hv_find(hv_root(s->hive), c->key);
		struct hv_value *v = k == NULL ? NULL : hv_value(k, c->name);

		if (v != NULL && fn(arg, c->key, c->name, hv_data(v), e) < 0)
			return -1;
	}
	return 0;
}
