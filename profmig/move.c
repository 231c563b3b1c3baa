/* move.c - the account on the target, its folders, and what old paths become
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/move.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "hive/hive.h"

void
pm_move_done(struct pm_move *m)
{
	free(m->name);
	free(m->user.profile);
	for (size_t i = 0; i < WN_FOLDERS; i++)
		free(m->folder[i]);
	pm_rewrite_done(&m->paths);
	pm_rewrite_done(&m->links);
	*m = (struct pm_move)PM_MOVE_EMPTY;
}

bool
pm_move_uses(const struct pm_move *m, const struct pm_rule *r)
{
	bool same = wn_sid_same(&m->who->sid, &m->sid);

	return (r->from >> m->bundle->origin.generation & 1) != 0 &&
		(r->to >> m->to->generation & 1) != 0 &&
		(r->account == PM_ANY_ACCOUNT ||
		 same == (r->account == PM_SAME_ACCOUNT));
}

/* The account by profile, by SAM, or by SID. */
static int
find_account(struct pm_move *m, const char *as, struct err *e)
{
	const struct wn_user *u = wn_user(m->to, as);
	const struct wn_sam_account *a;
	struct err none = ERR_INIT;

	if (u != NULL && u->account != WN_ACCOUNT_SYSTEM) {
		m->sid = u->sid;
		m->name = mem_str(u->name, e);
		return m->name == NULL ? -1 : 1;
	}
	a = wn_sam_account(m->to, as);
	if (a != NULL && m->to->machine_sid.len != 0) {
		m->sid = wn_sid_add_rid(&m->to->machine_sid, a->rid);
		m->name = mem_str(a->name, e);
		return m->name == NULL ? -1 : 1;
	}
	if (wn_sid_from_text(as, &m->sid, &none) == 0) {
		m->name = mem_str(m->who->name, e);
		return m->name == NULL ? -1 : 1;
	}
	return 0;
}

static int
find_identity(struct pm_move *m, const char *as, struct err *e)
{
	const struct pm_person *p = m->who;
	char sid[WN_SID_TEXT];
	int r;

	if (as == NULL && p->account == WN_ACCOUNT_DOMAIN) {
		m->sid = p->sid;
		m->name = mem_str(p->name, e);
		return m->name == NULL ? -1 : 0;
	}
	r = find_account(m, as != NULL ? as : p->name, e);
	if (r != 0)
		return r < 0 ? -1 : 0;
	if (m->terms->create) {
		m->new_account = true;
		m->name = mem_str(as != NULL ? as : p->name, e);
		return m->name == NULL ? -1 :
			pm_account_make(m->terms, m->to, m->name, &m->sid, e);
	}
	if (as != NULL)
		return err_set(e, ERR_NO, "%s: no such account on %s; "
			       "--create-accounts makes it", as,
			       m->to->computer != NULL ? m->to->computer :
			       "the target");
	return err_set(e, ERR_NO, "%s (%s): a local account that the target "
		       "does not have; choose one with --as NAME, or have it "
		       "made with --create-accounts", p->name, wn_sid_text(&p->sid, sid));
}

/* The profile's folder: the one that is registered, else a free name. */
static int
find_profile(struct pm_move *m, struct err *e)
{
	char sid[WN_SID_TEXT];
	const struct wn_user *u = wn_user(m->to, wn_sid_text(&m->sid, sid));
	const char *domain = m->bundle->origin.domain;

	m->user = (struct wn_user){ .name = m->name, .sid = m->sid };
	if (u != NULL && u->profile != NULL && u->has_hive) {
		m->has_profile = true;
		m->user.profile = mem_str(u->profile, e);
		return m->user.profile == NULL ? -1 : 0;
	}
	if (m->to->profiles == NULL)
		return err_set(e, ERR_UNSUPPORTED, "%s: ProfileList does not "
			       "say where profiles are", m->to->root);
	for (unsigned n = 0; n < 1000; n++) {
		SCOPED_FREE char *path = NULL;
		int r;

		if (n == 0)
			path = mem_fmt(e, "%s\\%s", m->to->profiles, m->name);
		else if (n == 1 && domain != NULL)
			path = mem_fmt(e, "%s\\%s.%.*s", m->to->profiles,
				       m->name, (int)strcspn(domain, "."),
				       domain);
		else
			path = mem_fmt(e, "%s\\%s.%03u", m->to->profiles,
				       m->name, n);
		r = path == NULL ? -1 : wn_path_exists(m->to, path, e);
		if (r < 0)
			return -1;
		if (r == 0) {
			m->user.profile = TAKE(path);
			return 0;
		}
	}
	return err_set(e, ERR_UNSAFE, "%s\\%s: too many folders of that name",
		       m->to->profiles, m->name);
}

/* The folders over there, as the hive says that the profile has or starts
 * from. */
static int
find_folders(struct pm_move *m, struct err *e)
{
	WN_FOLDERS_SCOPED struct wn_folders f = WN_FOLDERS_EMPTY;
	HV_SCOPED struct hv_hive *h = NULL;
	struct wn_user start = { .name = m->name };

	start.profile = m->has_profile ? m->user.profile :
		m->to->default_profile;
	if (start.profile == NULL)
		return err_set(e, ERR_UNSUPPORTED, "%s: ProfileList names no "
			       "Default profile", m->to->root);
	h = wn_user_hive(m->to, &start, WN_NTUSER, HV_LOGS_REPLAY, e);
	if (h == NULL || wn_folders(m->to, &m->user, h, &f, e) < 0)
		return -1;
	memcpy(m->folder, f.at, sizeof(m->folder));
	memset(f.at, 0, sizeof(f.at));
	return 0;
}

/* What is below `folder`, or NULL. */
static const char *
below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	if (strncasecmp(path, folder, n) != 0 ||
	    (path[n] != '\\' && path[n] != '\0'))
		return NULL;
	return path + n;
}

/* One old folder's new place, absolute and by variable. */
static int
add_pair(struct pm_move *m, const char *from, const char *to, struct err *e)
{
	const char *old_rest = below(from, m->who->profile);
	const char *rest = below(to, m->user.profile);
	SCOPED_FREE char *by_name = NULL, *old_name = NULL;

	if (pm_rewrite_add(&m->paths, from, to, e) < 0)
		return -1;
	if (rest == NULL)
		return pm_rewrite_add(&m->links, from, to, e);
	by_name = mem_fmt(e, "%%USERPROFILE%%%s", rest);
	if (by_name == NULL || pm_rewrite_add(&m->links, from, by_name, e) < 0)
		return -1;
	if (old_rest == NULL)
		return 0;
	old_name = mem_fmt(e, "%%USERPROFILE%%%s", old_rest);
	if (old_name == NULL ||
	    pm_rewrite_add(&m->paths, old_name, by_name, e) < 0)
		return -1;
	return pm_rewrite_add(&m->links, old_name, by_name, e);
}

static int
add_joined(struct pm_move *m, const char *from, const char *from_below,
	   const char *to, const char *to_below, struct err *e)
{
	SCOPED_FREE char *a = NULL, *b = NULL;

	if (from == NULL || to == NULL)
		return 0;
	a = mem_fmt(e, "%s%s", from, from_below);
	b = mem_fmt(e, "%s%s", to, to_below);
	return a == NULL || b == NULL ? -1 : add_pair(m, a, b, e);
}

/* "Temp" lies beside the local application data on XP, in it since. */
static int
add_temp(struct pm_move *m, struct err *e)
{
	const char *local = m->who->folder[WN_LOCAL];
	const char *last = local == NULL ? NULL : strrchr(local, '\\');
	SCOPED_FREE char *parent = NULL;

	if (m->bundle->origin.generation >= WN_VISTA || last == NULL ||
	    m->folder[WN_LOCAL] == NULL)
		return 0;
	parent = mem_strn(local, (size_t)(last - local), e);
	if (parent == NULL ||
	    add_joined(m, parent, "\\Temp", m->folder[WN_LOCAL], "\\Temp",
		       e) < 0)
		return -1;
	return add_pair(m, parent, m->folder[WN_LOCAL], e);
}

static int
fill_rewrites(struct pm_move *m, struct err *e)
{
	const struct pm_person *p = m->who;

	for (size_t i = 0; i < p->shorts; i++)
		if (pm_rewrite_alias(&m->paths, p->short_name[i].path,
				     p->short_name[i].short_name, e) < 0 ||
		    pm_rewrite_alias(&m->links, p->short_name[i].path,
				     p->short_name[i].short_name, e) < 0)
			return -1;
	for (size_t i = 0; i < WN_FOLDERS; i++)
		if (p->folder[i] != NULL && m->folder[i] != NULL &&
		    strncmp(p->folder[i], "\\\\", 2) != 0 &&
		    add_pair(m, p->folder[i], m->folder[i], e) < 0)
			return -1;
	/* What of "All Users" has no folder of its own is Public. */
	if (add_temp(m, e) < 0 ||
	    add_pair(m, p->profile, m->user.profile, e) < 0 ||
	    add_joined(m, m->bundle->origin.public_profile, "",
		       m->to->public_profile, "", e) < 0 ||
	    add_joined(m, m->bundle->origin.system_root, "",
		       m->to->system_root, "", e) < 0)
		return -1;
	pm_rewrite_sort(&m->paths);
	pm_rewrite_sort(&m->links);
	return 0;
}

int
pm_move_make(struct pm_bundle *b, const struct pm_person *who,
	     struct wn_install *to, const char *as,
	     struct pm_terms *terms, struct pm_move *ret, struct err *e)
{
	PM_MOVE_SCOPED struct pm_move m = {
		.bundle = b, .who = who, .to = to, .terms = terms,
	};

	if (to->generation < WN_7)
		return err_set(e, ERR_UNSUPPORTED, "%s: is %s; profiles go to "
			       "Windows 7 or later", to->root,
			       wn_generation_name(to->generation));
	if (to->generalised)
		return err_set(e, ERR_UNSAFE, "%s: is generalised (sysprep); "
			       "its accounts do not exist yet", to->root);
	if (find_identity(&m, as, e) < 0 || find_profile(&m, e) < 0 ||
	    find_folders(&m, e) < 0 || fill_rewrites(&m, e) < 0)
		return -1;
	*ret = TAKE(m);
	ret->user.name = ret->name;
	return 0;
}
