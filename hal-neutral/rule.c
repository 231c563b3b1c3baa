/* rule.c - see rule.h: the list, and what rules share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/rule.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

const struct hn_rule *const hn_rules[] = {
	&hn_rule_storage_nt5,
	&hn_rule_storage_nt6,
	&hn_rule_boot_sector,
	&hn_rule_boot_ini,
	&hn_rule_bcd,
	&hn_rule_letters,
	&hn_rule_processor,
	&hn_rule_agp,
	&hn_rule_filters,
	&hn_rule_san,
	&hn_rule_fast_startup,
	&hn_rule_guest_tools,
	&hn_rule_paging,
	&hn_rule_network,
	&hn_rule_wizards,
	&hn_rule_policies,
	NULL
};

int
hn_wish(struct hn_job *j, struct err *e)
{
	enum wn_generation g = j->im->in->generation;

	for (const struct hn_rule *const *r = hn_rules; *r != NULL; r++)
		if (g >= (*r)->first && g <= (*r)->last &&
		    (*r)->wish(j, e) < 0)
			return err_ctx(e, "rule %s", (*r)->name);
	return cs_ok(j->plan, e);
}

char *
hn_service_key(const struct hn_set *set, const char *service, struct err *e)
{
	return mem_fmt(e, "%s\\Services\\%s", set->name, service);
}

int
hn_want_driver_file(struct hn_job *j, const char *file, struct cs_reason r,
		    struct err *e)
{
	SCOPED_FREE char *path = mem_fmt(e, "%s/System32/drivers/%s",
					 j->im->in->root, file);
	HN_SUPPLY_SCOPED struct hn_supply s = HN_SUPPLY_EMPTY;
	const struct hn_module *m;
	struct cs_source from;
	int have;

	m = path != NULL ? hn_module(j->im, path, e) : NULL;
	if (m == NULL)
		return -1;
	if (m->why == NULL)
		return 1;
	have = hn_supply_find(j->im, j->fetch, file, NULL, &s, e);
	if (have < 0)
		return -1;
	if (have == 0) {
		buf_fmt(j->notes, "%s: %s, and the image cannot supply it\n",
			path, m->why);
		return 0;
	}
	from = (struct cs_source){ .origin = s.origin, .path = s.path,
				   .member = s.member };
	cs_want_file(j->plan, j->volume, path, from, r);
	return 1;
}

/* Remove every override that keeps it from starting. */
static int
drop_overrides(struct hn_job *j, const char *key, struct hv_key *service,
	       struct cs_reason r, struct err *e)
{
	SCOPED_FREE char *path = mem_fmt(e, "%s\\StartOverride", key);
	struct hv_key *k = hv_find(service, "StartOverride");

	if (path == NULL)
		return -1;
	for (const struct hv_value *v = k != NULL ? hv_value_first(k) : NULL;
	     v != NULL; v = hv_value_next(v)) {
		SCOPED_FREE char *name = hv_value_name(v, e);

		if (name == NULL)
			return -1;
		cs_want_dword(j->plan, j->sys, path, name, 0, r);
	}
	return 0;
}

int
hn_want_boot_start(struct hn_job *j, const struct hn_set *set,
		   const char *service, struct cs_reason r, struct err *e)
{
	SCOPED_FREE char *key = hn_service_key(set, service, e), *file = NULL;
	struct hv_key *k = hn_service(set, service);
	const struct hn_module *m;
	int found;

	if (key == NULL)
		return -1;
	if (k == NULL) {
		buf_fmt(j->notes, "%s: there is no such service\n", key);
		return 0;
	}
	found = hn_service_file(j->im, k, &file, e);
	if (found < 0)
		return -1;
	m = found == 1 ? hn_module(j->im, file, e) : NULL;
	if (found == 1 && m == NULL)
		return -1;
	if (m == NULL || m->why != NULL) {
		buf_fmt(j->notes, "%s: stays as it is, because %s: %s\n", key,
			file != NULL ? file : "its file",
			m != NULL ? m->why : "lies on no disk here");
		return 0;
	}
	cs_want_dword(j->plan, j->sys, key, "Start", 0, r);
	return drop_overrides(j, key, k, r, e) < 0 ? -1 : 1;
}
