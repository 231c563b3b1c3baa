/* programs.c - see programs.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/programs.h"

#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "windows/windows.h"

void
pm_programs_done(struct pm_programs *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->at[i]);
	free(p->at);
	*p = (struct pm_programs)PM_PROGRAMS_EMPTY;
}

/* "DisplayName" below Uninstall, once a name; updates and parts of Windows,
 * which the list of programs hides, are not programs. */
static int
read_key(const struct hv_key *k, struct pm_programs *p, struct err *e)
{
	SCOPED_FREE char *name = NULL, *parent = NULL;
	struct err why = ERR_INIT;
	uint32_t hidden = 0;

	if (hv_get_str(k, "DisplayName", &name, &why) != 1 ||
	    name[0] == '\0' ||
	    (hv_get_dword(k, "SystemComponent", &hidden, &why) == 1 &&
	     hidden == 1) ||
	    hv_get_str(k, "ParentKeyName", &parent, &why) == 1)
		return why.kind == ERR_NOMEM ? err_set(e, why.kind, "%s",
						       why.msg) : 0;
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->at[i], name) == 0)
			return 0;
	if (mem_grow(&p->at, &p->cap, p->count + 1, sizeof(*p->at), e) < 0)
		return -1;
	p->at[p->count++] = TAKE(name);
	return 0;
}

int
pm_programs(struct wn_install *in, struct pm_programs *ret, struct err *e)
{
	static const char *const keys[] = {
		"Microsoft\\Windows\\CurrentVersion\\Uninstall",
		"Wow6432Node\\Microsoft\\Windows\\CurrentVersion\\Uninstall",
	};
	PM_PROGRAMS_SCOPED struct pm_programs p = PM_PROGRAMS_EMPTY;
	struct hv_hive *h = wn_hive(in, WN_SOFTWARE, e);

	if (h == NULL)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		struct hv_key *top = hv_find(hv_root(h), keys[i]);

		for (struct hv_key *k = top == NULL ? NULL : hv_first(top);
		     k != NULL; k = hv_next(k))
			if (read_key(k, &p, e) < 0)
				return -1;
	}
	*ret = TAKE(p);
	return 0;
}

/* The next letter that counts, in lower case; 0 at the end. */
static int
next(const char **at)
{
	while (**at != '\0') {
		const unsigned char c = (unsigned char)*(*at)++;

		if (c == '(' || c == '[') {
			*at += strcspn(*at, ")]");
			*at += **at != '\0';
		} else if (isalpha(c) || c >= 0x80) {
			return tolower(c);
		}
	}
	return 0;
}

bool
pm_programs_have(const struct pm_programs *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++) {
		const char *a = p->at[i], *b = name;
		int x, y;

		do {
			x = next(&a);
			y = next(&b);
		} while (x == y && x != 0);
		if (x == y)
			return true;
	}
	return false;
}
