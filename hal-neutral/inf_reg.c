/* inf_reg.c - AddReg lines of an INF as wishes
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * "INF AddReg Directive" (Microsoft): root, subkey, name, flags, value.  The
 * flags hold the type: 1 REG_BINARY, 0x10000 REG_MULTI_SZ, 0x10001 REG_DWORD,
 * 0x20000 REG_EXPAND_SZ, 0x20001 REG_NONE, else REG_SZ; 2 keeps a value that is
 * there, 4 deletes, 8 appends, 0x10 makes only the key.
 */
#include "hal-neutral/rule.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

enum {
	NO_CLOBBER = 2, DELETE = 4, APPEND = 8, KEY_ONLY = 0x10,
	TYPES = 0xff0001, BINARY = 1, MULTI_SZ = 0x10000, DWORD = 0x10001,
	EXPAND_SZ = 0x20000, FIRST_VALUE = 4,
};

static const struct cs_reason reason = {
	"drivers/X11", "a value that the driver's INF sets"
};

/* Fields of hexadecimal bytes. */
static int
want_binary(struct hn_job *j, const char *path, const char *name,
	    const struct hn_inf *inf, const struct hn_inf_line *l,
	    struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	for (size_t f = FIRST_VALUE; f < l->fields; f++) {
		SCOPED_FREE char *text = hn_inf_field(inf, l, f, e);

		if (text == NULL)
			return -1;
		if (text[0] != '\0')
			buf_u8(&b, (uint8_t)strtoul(text, NULL, 16));
	}
	if (buf_ok(&b, e) < 0)
		return -1;
	cs_want_value(j->plan, j->sys, path, name, HV_BINARY, b.at, b.len,
		      reason);
	return 0;
}

static int
want_list(struct hn_job *j, const char *path, const char *name,
	  const struct hn_inf *inf, const struct hn_inf_line *l, struct err *e)
{
	char *list[HN_INF_FIELDS] = { NULL };
	const char *view[HN_INF_FIELDS];
	size_t n = 0;
	int r = 0;

	for (size_t f = FIRST_VALUE; f < l->fields && r == 0; f++) {
		list[n] = hn_inf_field(inf, l, f, e);
		if (list[n] == NULL)
			r = -1;
		else if (list[n][0] == '\0')
			free(list[n]);
		else
			view[n] = list[n], n++;
	}
	if (r == 0)
		cs_want_multi_sz(j->plan, j->sys, path, name, view, n, reason);
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	return r;
}

/* One value at the place that its root and subkey name. */
static int
want_value(struct hn_job *j, const char *path, const struct hn_inf *inf,
	   const struct hn_inf_line *l, const char *name, uint32_t flags,
	   struct err *e)
{
	SCOPED_FREE char *text = hn_inf_field(inf, l, FIRST_VALUE, e);
	struct hv_key *there = hv_find(hv_root(j->im->sys), path);
	uint32_t v;

	if (text == NULL ||
	    hn_inf_number(inf, l, FIRST_VALUE, 0, &v, e) < 0)
		return -1;
	if ((flags & NO_CLOBBER) != 0 && there != NULL &&
	    hv_value(there, name) != NULL)
		return 0;
	if ((flags & KEY_ONLY) != 0) {
		cs_want_key(j->plan, j->sys, path, reason);
		return 0;
	}
	if ((flags & (DELETE | APPEND)) != 0) {
		buf_fmt(j->notes, "%s\\%s: deleting and appending is left to "
			"plug and play\n", path, name);
		return 0;
	}
	switch (flags & TYPES) {
	case DWORD:
		cs_want_dword(j->plan, j->sys, path, name, v, reason);
		return 0;
	case EXPAND_SZ:
		cs_want_expand_sz(j->plan, j->sys, path, name, text, reason);
		return 0;
	case BINARY:
		return want_binary(j, path, name, inf, l, e);
	case MULTI_SZ:
		return want_list(j, path, name, inf, l, e);
	case 0:
		cs_want_sz(j->plan, j->sys, path, name, text, reason);
		return 0;
	default:
		buf_fmt(j->notes, "%s\\%s: of a type that is left to plug and "
			"play\n", path, name);
		return 0;
	}
}

/* HKLM\SYSTEM\CurrentControlSet: every set that can boot. */
static int
want_in_sets(struct hn_job *j, const char *sub, const struct hn_inf *inf,
	     const struct hn_inf_line *l, const char *name, uint32_t flags,
	     struct err *e)
{
	static const char prefix[] = "System\\CurrentControlSet\\";
	size_t n = strlen(prefix);

	if (strncasecmp(sub, prefix, n) != 0) {
		buf_fmt(j->notes, "HKLM\\%s: is left to plug and play\n", sub);
		return 0;
	}
	for (size_t s = 0; s < j->im->sets; s++) {
		SCOPED_FREE char *path = mem_fmt(e, "%s\\%s",
						 j->im->set[s].name, sub + n);

		if (path == NULL ||
		    want_value(j, path, inf, l, name, flags, e) < 0)
			return -1;
	}
	return 0;
}

static int
want_line(struct hn_job *j, const char *key, const struct hn_inf *inf,
	  const struct hn_inf_line *l, struct err *e)
{
	SCOPED_FREE char *root = hn_inf_field(inf, l, 0, e);
	SCOPED_FREE char *sub = hn_inf_field(inf, l, 1, e);
	SCOPED_FREE char *name = hn_inf_field(inf, l, 2, e);
	SCOPED_FREE char *path = NULL;
	uint32_t flags;

	if (root == NULL || sub == NULL || name == NULL ||
	    hn_inf_number(inf, l, 3, 0, &flags, e) < 0)
		return -1;
	if (strcasecmp(root, "HKLM") == 0)
		return want_in_sets(j, sub, inf, l, name, flags, e);
	if (strcasecmp(root, "HKR") != 0)
		return 0;
	path = sub[0] != '\0' ? mem_fmt(e, "%s\\%s", key, sub) :
	       mem_str(key, e);
	return path == NULL ? -1 :
	       want_value(j, path, inf, l, name, flags, e);
}

int
hn_want_reg(struct hn_job *j, const char *key, const struct hn_inf *inf,
	    const struct hn_inf_section *section, struct err *e)
{
	for (size_t i = 0; section != NULL && i < section->lines; i++) {
		const struct hn_inf_line *l = &section->line[i];

		if (l->key == NULL || strcasecmp(l->key, "AddReg") != 0)
			continue;
		for (size_t f = 0; f < l->fields; f++) {
			SCOPED_FREE char *name = hn_inf_field(inf, l, f, e);
			const struct hn_inf_section *s;

			if (name == NULL)
				return -1;
			s = hn_inf_section(inf, name);
			for (size_t n = 0; s != NULL && n < s->lines; n++)
				if (want_line(j, key, inf, &s->line[n], e) < 0)
					return -1;
		}
	}
	return 0;
}
