/* sd.c - security descriptors in binary; see sd.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "windows/sd.h"

#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

enum {
	HEADER_BYTES = 20,
	ACL_HEADER_BYTES = 8,
	ACE_HEADER_BYTES = 4,
};

static void
acl_done(struct wn_acl *acl)
{
	for (size_t i = 0; i < acl->count; i++)
		free(acl->at[i].raw);
	free(acl->at);
	*acl = (struct wn_acl){ .count = 0 };
}

void
wn_sd_done(struct wn_sd *sd)
{
	acl_done(&sd->dacl);
	acl_done(&sd->sacl);
	*sd = (struct wn_sd)WN_SD_EMPTY;
}

/* A mask and a SID and nothing else: what translation understands. */
static bool
is_simple(uint8_t type)
{
	return type <= WN_ACE_AUDIT || type == WN_ACE_LABEL;
}

static struct wn_ace *
acl_slot(struct wn_acl *acl, struct err *e)
{
	if (mem_grow(&acl->at, &acl->cap, acl->count + 1, sizeof(*acl->at),
		     e) < 0)
		return NULL;
	acl->at[acl->count] = (struct wn_ace){ .type = 0 };
	return &acl->at[acl->count++];
}

int
wn_acl_add(struct wn_acl *acl, uint8_t type, uint8_t flags, uint32_t mask,
	   const struct wn_sid *sid, struct err *e)
{
	struct wn_ace *ace = acl_slot(acl, e);

	if (ace == NULL)
		return -1;
	*ace = (struct wn_ace){ .type = type, .flags = flags, .mask = mask,
				.sid = *sid };
	acl->present = true;
	acl->null = false;
	if (acl->revision == 0)
		acl->revision = 2;
	return 0;
}

/* One entry at the cursor, into the list. */
static int
read_ace(struct cur *c, struct wn_acl *acl, struct err *e)
{
	uint8_t type = cur_u8(c);
	uint8_t flags = cur_u8(c);
	uint16_t size = cur_u16le(c);
	struct wn_ace *ace;

	if (cur_ok(c) && size < ACE_HEADER_BYTES)
		cur_bad(c, "holds an entry that is too short");
	if (!cur_ok(c))
		return 0;
	size = (uint16_t)(size - ACE_HEADER_BYTES);
	struct cur body = cur_sub(c, size);
	if (!cur_ok(c))
		return 0;
	ace = acl_slot(acl, e);
	if (ace == NULL)
		return -1;
	ace->type = type;
	ace->flags = flags;
	if (is_simple(type)) {
		ace->mask = cur_u32le(&body);
		wn_sid_read(&body, &ace->sid);
		/* Windows pads some entries; the padding means nothing. */
		if (!cur_ok(&body))
			cur_bad(c, "holds a malformed entry");
		return 0;
	}
	ace->raw = mem_array(size, 1, e);
	if (ace->raw == NULL)
		return -1;
	ace->raw_len = size;
	cur_bytes(&body, ace->raw, size);
	return 0;
}

static int
read_acl(struct cur c, struct wn_acl *acl, struct err *e)
{
	acl->present = true;
	acl->revision = cur_u8(&c);
	(void)cur_u8(&c);
	uint16_t size = cur_u16le(&c);
	uint16_t count = cur_u16le(&c);
	(void)cur_u16le(&c);
	if (cur_ok(&c) && size < ACL_HEADER_BYTES)
		cur_bad(&c, "holds a list that is too short");
	if (!cur_ok(&c))
		return cur_err(&c, e);

	struct cur body = cur_sub(&c, size - (size_t)ACL_HEADER_BYTES);
	for (unsigned i = 0; i < count && cur_ok(&body); i++)
		if (read_ace(&body, acl, e) < 0)
			return -1;
	return cur_ok(&c) && cur_ok(&body) ? 0 :
		cur_err(cur_ok(&c) ? &body : &c, e);
}

/* A cursor at an offset of the descriptor; false with `*e` set outside. */
static int
at_offset(const uint8_t *at, size_t len, uint32_t off, struct cur *ret,
	  struct err *e)
{
	if (off < HEADER_BYTES || off > len)
		return err_set(e, ERR_CORRUPT,
			       "security descriptor: a part lies outside");
	*ret = cur_over("security descriptor", at + off, len - off);
	return 0;
}

static int
read_owner(const uint8_t *at, size_t len, uint32_t off, struct wn_sid *ret,
	   struct err *e)
{
	struct cur c;

	if (off == 0)
		return 0;
	if (at_offset(at, len, off, &c, e) < 0)
		return -1;
	wn_sid_read(&c, ret);
	return cur_ok(&c) ? 0 : cur_err(&c, e);
}

static int
read_list(const uint8_t *at, size_t len, uint32_t off, bool present,
	  struct wn_acl *ret, struct err *e)
{
	struct cur c;

	if (!present)
		return 0;
	if (off == 0) {
		ret->present = ret->null = true;
		return 0;
	}
	if (at_offset(at, len, off, &c, e) < 0)
		return -1;
	return read_acl(c, ret, e);
}

int
wn_sd_parse(const void *at, size_t len, struct wn_sd *ret, struct err *e)
{
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	struct cur c = cur_over("security descriptor", at,
				len > WN_SD_MAX ? 0 : len);
	uint8_t revision = cur_u8(&c);
	(void)cur_u8(&c);
	sd.control = cur_u16le(&c);
	uint32_t owner = cur_u32le(&c);
	uint32_t group = cur_u32le(&c);
	uint32_t sacl = cur_u32le(&c);
	uint32_t dacl = cur_u32le(&c);

	if (cur_ok(&c) &&
	    (revision != 1 || (sd.control & WN_SD_SELF_RELATIVE) == 0))
		cur_bad(&c, "is of another form");
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (read_owner(at, len, owner, &sd.owner, e) < 0 ||
	    read_owner(at, len, group, &sd.group, e) < 0 ||
	    read_list(at, len, sacl, (sd.control & WN_SD_SACL_PRESENT) != 0,
		      &sd.sacl, e) < 0 ||
	    read_list(at, len, dacl, (sd.control & WN_SD_DACL_PRESENT) != 0,
		      &sd.dacl, e) < 0)
		return -1;
	*ret = TAKE(sd);
	return 0;
}

static size_t
ace_bytes(const struct wn_ace *ace)
{
	return ACE_HEADER_BYTES +
		(ace->raw != NULL ? ace->raw_len : 4u + ace->sid.len);
}

static void
build_acl(const struct wn_acl *acl, struct buf *out)
{
	size_t size = ACL_HEADER_BYTES;

	for (size_t i = 0; i < acl->count; i++)
		size += ace_bytes(&acl->at[i]);
	buf_u8(out, acl->revision);
	buf_u8(out, 0);
	buf_u16le(out, (uint16_t)size);
	buf_u16le(out, (uint16_t)acl->count);
	buf_u16le(out, 0);
	for (size_t i = 0; i < acl->count; i++) {
		const struct wn_ace *ace = &acl->at[i];

		buf_u8(out, ace->type);
		buf_u8(out, ace->flags);
		buf_u16le(out, (uint16_t)ace_bytes(ace));
		if (ace->raw != NULL) {
			buf_bytes(out, ace->raw, ace->raw_len);
			continue;
		}
		buf_u32le(out, ace->mask);
		buf_bytes(out, ace->sid.at, ace->sid.len);
	}
}

/* Note at `field` of the header where the next part begins. */
static void
part_here(struct buf *out, size_t start, size_t field)
{
	if (!out->bad)
		num_put_u32le(out->at + start + field,
			      (uint32_t)(out->len - start));
}

void
wn_sd_build(const struct wn_sd *sd, struct buf *out)
{
	size_t start = out->len;
	unsigned control = sd->control | WN_SD_SELF_RELATIVE;

	control &= ~(unsigned)(WN_SD_DACL_PRESENT | WN_SD_SACL_PRESENT);
	if (sd->dacl.present)
		control |= WN_SD_DACL_PRESENT;
	if (sd->sacl.present)
		control |= WN_SD_SACL_PRESENT;
	buf_u8(out, 1);
	buf_u8(out, 0);
	buf_u16le(out, (uint16_t)control);
	buf_zeros(out, 16);
	if (sd->owner.len != 0) {
		part_here(out, start, 4);
		buf_bytes(out, sd->owner.at, sd->owner.len);
	}
	if (sd->group.len != 0) {
		part_here(out, start, 8);
		buf_bytes(out, sd->group.at, sd->group.len);
	}
	if (sd->sacl.present && !sd->sacl.null) {
		part_here(out, start, 12);
		build_acl(&sd->sacl, out);
	}
	if (sd->dacl.present && !sd->dacl.null) {
		part_here(out, start, 16);
		build_acl(&sd->dacl, out);
	}
}

/* The SID's place on the other machine in *sid; false: nobody there. */
static bool
translate(struct wn_sid *sid, const struct wn_sid_map *map, size_t count,
	  const struct wn_sid *keep_domain)
{
	for (size_t i = 0; i < count; i++)
		if (wn_sid_same(sid, &map[i].from)) {
			*sid = map[i].to;
			return sid->len != 0;
		}
	return !wn_sid_is_account(sid) || wn_sid_same_domain(sid, keep_domain);
}

static size_t
translate_acl(struct wn_acl *acl, const struct wn_sid_map *map, size_t count,
	      const struct wn_sid *keep_domain)
{
	size_t kept = 0, had = acl->count;

	for (size_t i = 0; i < had; i++) {
		struct wn_ace ace = acl->at[i];

		if (ace.raw == NULL &&
		    !translate(&ace.sid, map, count, keep_domain))
			continue;
		acl->at[kept++] = ace;
	}
	acl->count = kept;
	return had - kept;
}

void
wn_sd_translate(struct wn_sd *sd, const struct wn_sid_map *map, size_t count,
		const struct wn_sid *keep_domain, const struct wn_sid *fallback,
		size_t *ret_dropped)
{
	size_t dropped;

	if (sd->owner.len != 0 &&
	    !translate(&sd->owner, map, count, keep_domain))
		sd->owner = *fallback;
	if (sd->group.len != 0 &&
	    !translate(&sd->group, map, count, keep_domain))
		sd->group = *fallback;
	dropped = translate_acl(&sd->dacl, map, count, keep_domain);
	dropped += translate_acl(&sd->sacl, map, count, keep_domain);
	if (ret_dropped != NULL)
		*ret_dropped = dropped;
}

bool
wn_sd_grants(const struct wn_sd *sd, const struct wn_sid *sids, size_t n,
	     uint32_t want, uint32_t generic_all)
{
	const uint32_t all = UINT32_C(0x10000000);
	uint32_t left = want;

	if (!sd->dacl.present || sd->dacl.null)
		return true;
	for (size_t i = 0; i < sd->dacl.count && left != 0; i++) {
		const struct wn_ace *ace = &sd->dacl.at[i];
		uint32_t mask = ace->mask;
		bool me = false;

		if ((ace->flags & WN_ACE_IO) != 0 || ace->raw != NULL)
			continue;
		for (size_t k = 0; k < n; k++)
			me = me || wn_sid_same(&ace->sid, &sids[k]);
		if (!me)
			continue;
		if ((mask & all) != 0)
			mask |= generic_all;
		if (ace->type == WN_ACE_DENY && (mask & left) != 0)
			return false;
		if (ace->type == WN_ACE_ALLOW)
			left &= ~mask;
	}
	return left == 0;
}
