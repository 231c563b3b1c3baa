/* acl.h - security identifiers and self-relative security descriptors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * [MS-DTYP] 2.4.2 (SID), 2.4.4 (ACE), 2.4.6 (SECURITY_DESCRIPTOR).
 */
#ifndef TESTDATA_ACL_H
#define TESTDATA_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "S-1-5-18" as bytes; returns their number, at most ACL_SID_MAX. */
#define ACL_SID_MAX 68
size_t acl_sid(const char *text, uint8_t ret[ACL_SID_MAX]);

#define ACL_SYSTEM	"S-1-5-18"
#define ACL_ADMINS	"S-1-5-32-544"
#define ACL_USERS	"S-1-5-32-545"
#define ACL_RESTRICTED	"S-1-5-12"
#define ACL_EVERYONE	"S-1-1-0"
#define ACL_APPS	"S-1-15-2-1"
#define ACL_INSTALLER	"S-1-5-80-956008885-3418522649-1831038044-1853292631-" \
			"2271478464"

enum {			/* access masks */
	ACL_FILE_ALL = 0x1f01ff,
	ACL_FILE_READ = 0x1200a9,
	ACL_FILE_LIST = 0x1,
	ACL_KEY_ALL = 0xf003f,
	ACL_KEY_READ = 0x20019,
};

enum {			/* ACE flags */
	ACL_CHILDREN = 0x3,	/* containers and objects inherit it */
	ACL_INHERITED = 0x10,
};

enum {			/* control bits beside SE_SELF_RELATIVE */
	ACL_PROTECTED = 0x1000,
	ACL_AUTO = 0x400,
};

struct acl_ace {
	bool deny;
	uint8_t flags;
	uint32_t mask;
	const char *sid;	/* NULL ends a list */
};

struct sd {
	size_t len;
	uint8_t at[512];
};

struct sd acl_sd(const char *owner, const char *group, uint16_t control,
		 const struct acl_ace *aces);

/* What a child inherits from a folder that grants SYSTEM and Administrators
 * everything, and `who` the mask; who may be NULL. */
struct sd acl_inherited(bool folder, const char *owner, const char *group,
			const char *who, uint32_t mask);

#endif /* TESTDATA_ACL_H */
