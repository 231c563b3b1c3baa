/* acl.c - see acl.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/acl.h"

#include "base/num.h"

size_t
acl_sid(const char *text, uint8_t ret[ACL_SID_MAX])
{
	unsigned n = 0;
	const char *at = text + 4;	/* behind "S-1-" */
	char *end;

	memset(ret, 0, ACL_SID_MAX);
	ret[0] = 1;
	ret[7] = (uint8_t)strtoul(at, &end, 10);
	while (*end == '-' && n < 15) {
		uint32_t sub = (uint32_t)strtoul(end + 1, &end, 10);

		num_put_u32le(ret + 8 + (size_t)4 * n++, sub);
	}
	ret[1] = (uint8_t)n;
	return 8 + (size_t)4 * n;
}

static size_t
put_sid(struct sd *sd, const char *text)
{
	uint8_t sid[ACL_SID_MAX];
	size_t n = acl_sid(text, sid), was = sd->len;

	memcpy(sd->at + was, sid, n);
	sd->len += n;
	return was;
}

struct sd
acl_sd(const char *owner, const char *group, uint16_t control,
       const struct acl_ace *aces)
{
	struct sd sd = { .len = 20 };
	size_t acl = 20;
	uint16_t count = 0;

	/* The DACL first, then owner and group, as Windows lays it out. */
	sd.len = acl + 8;
	for (const struct acl_ace *a = aces; a->sid != NULL; a++, count++) {
		size_t at = sd.len;

		sd.at[at] = a->deny ? 1 : 0;
		sd.at[at + 1] = a->flags;
		num_put_u32le(sd.at + at + 4, a->mask);
		sd.len += 8;
		(void)put_sid(&sd, a->sid);
		num_put_u16le(sd.at + at + 2, (uint16_t)(sd.len - at));
	}
	sd.at[acl] = 2;
	num_put_u16le(sd.at + acl + 2, (uint16_t)(sd.len - acl));
	num_put_u16le(sd.at + acl + 4, count);
	sd.at[0] = 1;
	num_put_u16le(sd.at + 2, 0x8004 | control);
	num_put_u32le(sd.at + 16, (uint32_t)acl);
	num_put_u32le(sd.at + 4, (uint32_t)put_sid(&sd, owner));
	num_put_u32le(sd.at + 8, (uint32_t)put_sid(&sd, group));
	return sd;
}

struct sd
acl_inherited(bool folder, const char *owner, const char *group,
	      const char *who, uint32_t mask)
{
	uint8_t flags = folder ? ACL_CHILDREN | ACL_INHERITED : ACL_INHERITED;
	const struct acl_ace aces[] = {
		{ .flags = flags, .mask = ACL_FILE_ALL, .sid = ACL_SYSTEM },
		{ .flags = flags, .mask = ACL_FILE_ALL, .sid = ACL_ADMINS },
		{ .flags = flags, .mask = mask, .sid = who },
		{ .sid = NULL },
	};

	return acl_sd(owner, group, ACL_AUTO, aces);
}
