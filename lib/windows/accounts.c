/* accounts.c - who has an account here, and who a profile
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The SAM: "SAM\Domains\Account" holds the machine's SID at the end of its
 * value V, and below "Users\Names" a key for each account whose unnamed value
 * has the account's number as its type (libyal, winreg-kb, "Security Account
 * Manager").  ProfileList: one key a profile, named by SID.
 */
#include "windows/windows.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "windows/windows-private.h"

enum { MACHINE_SID_BYTES = 24 };

/* Keys of the SAM hive lie below "SAM". */
static struct hv_key *
account_domain(struct hv_hive *h)
{
	return hv_find(hv_root(h), "SAM\\Domains\\Account");
}

static int
machine_sid(struct wn_install *in, struct hv_key *domain, struct err *e)
{
	struct hv_value *v = hv_value(domain, "V");
	struct err why = ERR_INIT;
	struct hv_data d;

	if (v == NULL)
		return 0;
	d = hv_data(v);
	if (d.len < MACHINE_SID_BYTES)
		return wn_note(in, e, "SAM: the account domain has no SID");
	return wn_pardon(in, wn_sid_parse(d.at + d.len - MACHINE_SID_BYTES,
					  MACHINE_SID_BYTES, &in->machine_sid,
					  &why), &why, e);
}

int
wn_read_accounts(struct wn_install *in, struct err *e)
{
	struct err why = ERR_INIT;
	struct hv_hive *h;
	struct hv_key *domain, *names;
	size_t cap = 0;

	if (in->hive_path[WN_SAM] == NULL)
		return 0;
	h = wn_hive(in, WN_SAM, &why);
	if (h == NULL)
		return wn_pardon(in, -1, &why, e);
	domain = account_domain(h);
	if (domain == NULL)
		return 0;
	if (machine_sid(in, domain, e) < 0)
		return -1;
	names = hv_find(domain, "Users\\Names");
	for (struct hv_key *k = names == NULL ? NULL : hv_first(names);
	     k != NULL && in->accounts < WN_USERS_MAX; k = hv_next(k)) {
		struct hv_value *v = hv_value(k, "");

		if (v == NULL)
			continue;
		if (mem_grow(&in->account, &cap, in->accounts + 1,
			     sizeof(*in->account), e) < 0)
			return -1;
		struct wn_sam_account *a = &in->account[in->accounts++];
		*a = (struct wn_sam_account){ .rid = hv_data(v).type };
		a->name = hv_name(k, e);
		if (a->name == NULL)
			return -1;
	}
	return 0;
}

static void
classify(const struct wn_install *in, struct wn_user *u)
{
	char text[WN_SID_TEXT];

	(void)wn_sid_text(&u->sid, text);
	if (wn_sid_is_account(&u->sid)) {
		struct wn_sid local = in->machine_sid.len == 0 ?
			in->machine_sid : wn_sid_add_rid(&in->machine_sid, 0);

		u->account = wn_sid_same_domain(&u->sid, &local) ?
			WN_ACCOUNT_LOCAL : WN_ACCOUNT_DOMAIN;
	} else if (strncmp(text, "S-1-12-1-", 9) == 0) {
		u->account = WN_ACCOUNT_CLOUD;
	} else if (strcmp(text, "S-1-5-18") == 0 ||
		   strcmp(text, "S-1-5-19") == 0 ||
		   strcmp(text, "S-1-5-20") == 0) {
		u->account = WN_ACCOUNT_SYSTEM;
	}
}

/* The SAM's name for a local account, else the last part of the profile's
 * path up to the ".DOMAIN" that Windows adds where a name was taken. */
static int
name_user(struct wn_install *in, struct wn_user *u, struct err *e)
{
	const char *name = u->profile == NULL ? "?" : u->profile;
	const char *last;
	size_t n;

	for (size_t i = 0; u->account == WN_ACCOUNT_LOCAL && i < in->accounts;
	     i++)
		if (in->account[i].rid == wn_sid_rid(&u->sid)) {
			u->in_sam = true;
			u->name = mem_str(in->account[i].name, e);
			return u->name == NULL ? -1 : 0;
		}
	last = strrchr(name, '\\');
	if (last != NULL)
		name = last + 1;
	n = strlen(name);
	if (u->account == WN_ACCOUNT_DOMAIN && in->domain != NULL) {
		const char *dot = strchr(name, '.');
		size_t flat = strcspn(in->domain, ".");

		if (dot != NULL && dot > name && strlen(dot + 1) >= flat &&
		    strncasecmp(dot + 1, in->domain, flat) == 0)
			n = (size_t)(dot - name);
	}
	u->name = mem_strn(name, n, e);
	return u->name == NULL ? -1 : 0;
}

/* Is the folder there, and a hive in it? */
static int
look_at_profile(struct wn_install *in, struct wn_user *u, struct err *e)
{
	SCOPED_FREE char *inside = NULL, *hive = NULL, *mandatory = NULL;
	struct vo_stat st;
	size_t volume;
	int r = u->profile == NULL ? 0 :
		wn_find_path(in, u->profile, &volume, &inside, e);
	struct vo *vo;

	if (r <= 0)
		return r;
	vo = in->guest->volume[volume].vo;
	if (vo == NULL)
		return 0;
	r = vo_stat(vo, inside, &st, e);
	if (r <= 0)
		return r;
	u->exists = true;
	hive = mem_fmt(e, "%s/NTUSER.DAT", inside);
	mandatory = mem_fmt(e, "%s/NTUSER.MAN", inside);
	if (hive == NULL || mandatory == NULL)
		return -1;
	r = vo_stat(vo, hive, &st, e);
	if (r == 0) {
		r = vo_stat(vo, mandatory, &st, e);
		u->mandatory = r == 1;
		return r < 0 ? -1 : 0;
	}
	if (r < 0)
		return -1;
	u->has_hive = true;
	u->used = num_max(u->used, st.times.modified);
	return 0;
}

static int
read_user(struct wn_install *in, struct wn_user *u, const struct hv_key *k,
	  struct err *e)
{
	SCOPED_FREE char *path = NULL, *sid = hv_name(k, e);
	struct err why = ERR_INIT;
	uint32_t low = 0, high = 0;
	char *bak;

	if (sid == NULL)
		return -1;
	u->key = mem_str(sid, e);
	if (u->key == NULL)
		return -1;
	bak = strstr(sid, ".bak");
	if (bak != NULL)
		*bak = '\0';
	if (wn_pardon(in, wn_sid_from_text(sid, &u->sid, &why), &why, e) < 0 ||
	    wn_str(in, k, "ProfileImagePath", &path, e) < 0 ||
	    wn_str(in, k, "CentralProfile", &u->central, e) < 0 ||
	    wn_dword(in, k, "State", &u->state, e) < 0 ||
	    wn_dword(in, k, "ProfileLoadTimeLow", &low, e) < 0 ||
	    wn_dword(in, k, "ProfileLoadTimeHigh", &high, e) < 0)
		return -1;
	u->used = (uint64_t)high << 32 | low;
	if (u->central != NULL && u->central[0] == '\0')
		free(TAKE(u->central));
	if (path != NULL) {
		u->profile = wn_expand(in, NULL, path, e);
		if (u->profile == NULL)
			return -1;
	}
	classify(in, u);
	if (name_user(in, u, e) < 0)
		return -1;
	return wn_pardon(in, look_at_profile(in, u, &why), &why, e);
}

int
wn_read_users(struct wn_install *in, struct err *e)
{
	struct err why = ERR_INIT;
	struct hv_hive *h = wn_hive(in, WN_SOFTWARE, &why);
	struct hv_key *list = h == NULL ? NULL :
		hv_find(hv_root(h), "Microsoft\\Windows NT\\CurrentVersion\\"
			"ProfileList");
	size_t n = list == NULL ? 0 : hv_count(list);

	if (n == 0)
		return 0;
	if (n > WN_USERS_MAX)
		return err_set(e, ERR_CORRUPT, "ProfileList: more than %d "
			       "profiles", WN_USERS_MAX);
	in->user = mem_array(n, sizeof(*in->user), e);
	if (in->user == NULL)
		return -1;
	for (struct hv_key *k = hv_first(list); k != NULL; k = hv_next(k))
		if (read_user(in, &in->user[in->users++], k, e) < 0)
			return -1;
	return 0;
}

struct wn_user *
wn_user(const struct wn_install *in, const char *name)
{
	const char *last = strrchr(name, '\\');
	struct wn_user *found = NULL;
	struct err none = ERR_INIT;
	struct wn_sid sid;
	bool by_sid = wn_sid_from_text(name, &sid, &none) == 0;

	if (last != NULL)
		name = last + 1;
	for (size_t i = 0; i < in->users; i++) {
		struct wn_user *u = &in->user[i];

		if (by_sid ? !wn_sid_same(&u->sid, &sid) :
		    !utf_same8(u->name, name))
			continue;
		/* Windows puts ".bak" on the good one when it made a temporary
		 * profile beside it. */
		if (found == NULL || strstr(u->key, ".bak") != NULL)
			found = u;
	}
	return found;
}

const struct wn_sam_account *
wn_sam_account(const struct wn_install *in, const char *name)
{
	for (size_t i = 0; i < in->accounts; i++)
		if (utf_same8(in->account[i].name, name))
			return &in->account[i];
	return NULL;
}
