/* sam.c - the accounts of a machine
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Layout as found in real hives: Account\V ends with the machine's SID, F holds
 * the next RID at 0x48; a user's V is 17 (offset, length, unknown) triples and
 * what they point to, counted from 0xCC; a name is a key whose unnamed value has
 * the RID as its type.  No account has a password hash.
 */
#include "testdata/hives.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/utf.h"

enum { V_HEADER = 0xcc, V_NAME = 1, V_FULL = 2, V_FIELDS = 17, NORMAL = 0x210 };

#define USERS	"SAM\\Domains\\Account\\Users"
#define ALIASES	"SAM\\Domains\\Builtin\\Aliases"

static void
put_f(struct guest *g, struct reg *r, uint32_t rid)
{
	uint8_t f[80] = { 2, 0, 1, 0 };

	num_put_u64le(f + 0x18, g->kind->born);
	num_put_u64le(f + 0x20, UINT64_C(0x7fffffffffffffff));
	num_put_u32le(f + 0x30, rid);
	num_put_u32le(f + 0x34, 513);
	num_put_u16le(f + 0x38, NORMAL);
	reg_value(r, "F", 3, f, sizeof(f));
}

/* Append a field's bytes and say where. */
static void
put_field(struct buf *b, unsigned nth, const void *data, size_t len,
	  uint32_t unknown)
{
	size_t at = b->len;

	buf_bytes(b, data, len);
	buf_zeros(b, (4 - len % 4) % 4);
	if (b->bad)
		return;
	num_put_u32le(b->at + (size_t)nth * 12, (uint32_t)(at - V_HEADER));
	num_put_u32le(b->at + (size_t)nth * 12 + 4, (uint32_t)len);
	num_put_u32le(b->at + (size_t)nth * 12 + 8, unknown);
}

static void
put_v(struct guest *g, struct reg *r, const struct person *p)
{
	const struct acl_ace aces[] = {
		{ .mask = 0x2035b, .sid = ACL_EVERYONE },
		{ .mask = 0xf07ff, .sid = ACL_ADMINS },
		{ .mask = 0x20044, .sid = p->sid },
		{ .sid = NULL },
	};
	struct sd sd = acl_sd(ACL_ADMINS, ACL_ADMINS, 0, aces);
	BUF_SCOPED struct buf b = BUF_EMPTY;
	SCOPED_FREE uint8_t *name = NULL, *full = NULL;
	static const uint8_t empty_hash[4] = { 1, 0, 1, 0 };
	size_t name_len, full_len;

	if (utf_to16(p->name, &name, &name_len, g->e) < 0 ||
	    utf_to16(p->full, &full, &full_len, g->e) < 0)
		return;
	buf_zeros(&b, V_HEADER);
	put_field(&b, 0, sd.at, sd.len, 1);
	put_field(&b, V_NAME, name, name_len, 0);
	put_field(&b, V_FULL, full, full_len, 0);
	for (unsigned i = 3; i < 13; i++)
		put_field(&b, i, "", 0, 0);
	for (unsigned i = 13; i < V_FIELDS; i++)
		put_field(&b, i, empty_hash, 4, 0);
	if (buf_ok(&b, g->e) == 0)
		reg_value(r, "V", 3, b.at, b.len);
}

static void
put_user(struct guest *g, struct reg *r, const struct person *p)
{
	reg_line(r, path_of("[" USERS "\\%08X]", p->rid));
	put_f(g, r, p->rid);
	put_v(g, r, p);
	reg_line(r, path_of("[" USERS "\\Names\\%s]", p->name));
	reg_value(r, "", p->rid, "", 0);
}

/* An alias with members: a header of 13 numbers, then texts and SIDs. */
static void
put_alias(struct guest *g, struct reg *r, uint32_t rid, const char *name,
	  bool everyone)
{
	BUF_SCOPED struct buf b = BUF_EMPTY, sids = BUF_EMPTY;
	SCOPED_FREE uint8_t *text = NULL;
	uint32_t count = 0;
	size_t len;

	for (const struct person *p = g->kind->people; p->name != NULL; p++) {
		uint8_t sid[ACL_SID_MAX];
		size_t n = acl_sid(p->sid, sid);

		if (everyone || p->rid == 500) {
			buf_bytes(&sids, sid, n);
			count++;
		}
	}
	if (utf_to16(name, &text, &len, g->e) < 0)
		return;
	buf_u32le(&b, rid);
	buf_u32le(&b, 0);
	buf_u32le(&b, 0);
	buf_u32le(&b, 0);
	buf_u32le(&b, 0);
	for (int i = 0; i < 5; i++)
		buf_u32le(&b, i == 0 ? (uint32_t)len : 0);
	buf_u32le(&b, (uint32_t)len);
	buf_u32le(&b, (uint32_t)sids.len);
	buf_u32le(&b, count);
	buf_bytes(&b, text, len);
	buf_bytes(&b, sids.at, sids.len);
	reg_line(r, path_of("[" ALIASES "\\%08X]", rid));
	if (buf_ok(&b, g->e) == 0)
		reg_value(r, "C", 3, b.at, b.len);
	reg_line(r, path_of("[" ALIASES "\\Names\\%s]", name));
	reg_value(r, "", rid, "", 0);
}

/* The group that every user is in: a head of five numbers, then as an alias,
 * its members by RID, with room for more. */
static void
put_none(struct guest *g, struct reg *r)
{
	BUF_SCOPED struct buf b = BUF_EMPTY, rids = BUF_EMPTY;
	SCOPED_FREE uint8_t *text = NULL;
	uint32_t count = 2;
	size_t len;

	if (utf_to16("None", &text, &len, g->e) < 0)
		return;
	buf_u32le(&rids, 500);
	buf_u32le(&rids, 501);
	for (const struct person *p = g->kind->people; p->name != NULL; p++)
		if (!p->domain) {
			buf_u32le(&rids, p->rid);
			count++;
		}
	buf_zeros(&rids, 100 - (size_t)count * 4);
	buf_u32le(&b, 0x00010002);
	buf_u32le(&b, 513);
	buf_u32le(&b, 7);
	buf_zeros(&b, 8);
	buf_zeros(&b, 12);
	buf_u32le(&b, 0);
	buf_u32le(&b, (uint32_t)len);
	buf_u32le(&b, 0);
	buf_u32le(&b, (uint32_t)len);
	buf_zeros(&b, 8);
	buf_u32le(&b, (uint32_t)len);
	buf_u32le(&b, (uint32_t)rids.len);
	buf_u32le(&b, count);
	buf_bytes(&b, text, len);
	buf_bytes(&b, rids.at, rids.len);
	reg_line(r, "[SAM\\Domains\\Account\\Groups\\00000201]");
	if (buf_ok(&b, g->e) == 0)
		reg_value(r, "C", 3, b.at, b.len);
	reg_line(r, "[SAM\\Domains\\Account\\Groups\\Names\\None]");
	reg_value(r, "", 513, "", 0);
}

/* Which aliases each of the machine's accounts is in. */
static void
put_members(struct guest *g, struct reg *r)
{
	static const uint8_t users[4] = { 0x21, 2 };
	uint32_t count = 0;

	for (const struct person *p = g->kind->people; p->name != NULL; p++)
		if (!p->domain) {
			reg_line(r, path_of("[" ALIASES "\\Members\\%s\\%08X]",
					    g->kind->machine_sid, p->rid));
			reg_value(r, "", 1, users, 4);
			count++;
		}
	reg_line(r, path_of("[" ALIASES "\\Members\\%s]",
			    g->kind->machine_sid));
	reg_value(r, "", count, "", 0);
}

static void
put_account(struct guest *g, struct reg *r)
{
	uint8_t f[240] = { 2, 0, 1, 0 }, v[0x130] = { 0 };
	uint8_t sid[ACL_SID_MAX];
	size_t n = acl_sid(g->kind->machine_sid, sid);
	uint32_t next = 1000;

	for (const struct person *p = g->kind->people; p->name != NULL; p++)
		if (!p->domain && p->rid >= next)
			next = p->rid + 1;
	num_put_u64le(f + 8, g->kind->born);
	num_put_u32le(f + 0x48, next);
	memcpy(v + sizeof(v) - n, sid, n);
	reg_line(r, "[SAM\\Domains\\Account]");
	reg_value(r, "F", 3, f, sizeof(f));
	reg_value(r, "V", 3, v, sizeof(v));
}

void
hive_sam(struct guest *g)
{
	const struct person admin = {
		.name = "Administrator", .full = "", .rid = 500,
		.sid = path_of("%s-500", g->kind->machine_sid),
	};
	const struct person guest = {
		.name = "Guest", .full = "", .rid = 501,
		.sid = path_of("%s-501", g->kind->machine_sid),
	};
	struct reg *r = hive_new(g, "SAM", "SAM", 3);
	uint32_t count = 2;

	if (r == NULL)
		return;
	put_account(g, r);
	put_none(g, r);
	put_user(g, r, &admin);
	put_user(g, r, &guest);
	for (const struct person *p = g->kind->people; p->name != NULL; p++)
		if (!p->domain) {
			put_user(g, r, p);
			count++;
		}
	reg_line(r, "[" USERS "]");
	reg_value(r, "", count, "", 0);
	put_alias(g, r, 544, "Administrators", false);
	put_alias(g, r, 545, "Users", true);
	put_members(g, r);
	hive_put(g, r, "SAM");
}
