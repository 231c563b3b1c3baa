/* logon.c - what makes Windows refuse a profile at logon
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sources: Microsoft, KB947215 (a registration that names no folder, or one
 * left behind); what JumpCloud's migration tool learned about temporary
 * profiles (rights on NTUSER.DAT, UsrClass.dat and each folder above it).
 */
#include "windows/windows.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "windows/sd.h"

enum {
	FILE_ALL = 0x1f01ff,
	KEY_ALL = 0xf003f,
	/* ProfileList's State: temporary, being backed up */
	STATE_TEMPORARY = 0x800, STATE_BACKUP = 0x8000,
};

static const struct wn_sid system_sids[] = {
	{ .len = 12, .at = { 1, 1, 0, 0, 0, 0, 0, 5, 18 } },
	{ .len = 16, .at = { 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2 } },
};

/* Somebody who logs on: the account, everyone, authenticated, users. */
struct person {
	struct wn_sid sid[4];
};

static struct person
person_of(const struct wn_user *u)
{
	return (struct person){ .sid = {
		u->sid,
		{ .len = 12, .at = { 1, 1, 0, 0, 0, 0, 0, 1 } },
		{ .len = 12, .at = { 1, 1, 0, 0, 0, 0, 0, 5, 11 } },
		{ .len = 16, .at = { 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 33,
				     2 } },
	} };
}

static int
no(char **ret_why, char *text)
{
	if (text == NULL)
		return -1;
	*ret_why = text;
	return 0;
}

/* Do both the person and SYSTEM have all rights? */
static int
check_sd(const void *at, size_t len, const struct wn_user *u, uint32_t all,
	 const char *what, char **ret_why, struct err *e)
{
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	const struct person p = person_of(u);
	struct err why = ERR_INIT;

	if (wn_sd_parse(at, len, &sd, &why) < 0)
		return no(ret_why, mem_fmt(e, "%s: %s", what, why.msg));
	if (!wn_sd_grants(&sd, p.sid, 4, all, all))
		return no(ret_why, mem_fmt(e, "%s: does not let %s in", what,
					   u->name));
	if (!wn_sd_grants(&sd, system_sids, 2, all, all))
		return no(ret_why, mem_fmt(e, "%s: does not let SYSTEM in",
					   what));
	return 1;
}

/* A folder or file of the profile: there, of that kind, and open to both. */
static int
check_file(const struct wn_install *in, const struct wn_user *u,
	   const char *below, bool needed, bool folder, char **ret_why,
	   struct err *e)
{
	SCOPED_FREE char *path = mem_fmt(e, "%s%s%s", u->profile,
					 *below == '\0' ? "" : "\\", below);
	SCOPED_FREE char *inside = NULL;
	SCOPED_FREE uint8_t *sd = NULL;
	size_t volume, len;
	struct vo_stat st;
	struct vo *vo;
	int r = path == NULL ? -1 : wn_find_path(in, path, &volume, &inside,
						 e);

	if (r < 0)
		return -1;
	vo = r == 0 ? NULL : in->guest->volume[volume].vo;
	if (vo == NULL)
		return no(ret_why, mem_fmt(e, "%s: lies on no volume here",
					   path));
	r = vo_stat(vo, inside, &st, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return needed ? no(ret_why, mem_fmt(e, "%s: is missing", path))
			: 1;
	if (st.tag != 0 || ((st.attributes & VO_DIRECTORY) != 0) != folder)
		return no(ret_why, mem_fmt(e, "%s: is no %s", path, folder ?
					   "folder" : "file"));
	if (vo_security(vo, inside, &sd, &len, e) < 0)
		return -1;
	return check_sd(sd, len, u, FILE_ALL, path, ret_why, e);
}

/* A hive is whole, or its logs make it so; and its root is open to both.  One
 * of classes may be missing: the first logon makes it. */
static int
check_hive(const struct wn_install *in, const struct wn_user *u,
	   enum wn_user_hive which, char **ret_why, struct err *e)
{
	static const char *const roots[] = {
		[WN_NTUSER] = "the root of NTUSER.DAT",
		[WN_USRCLASS] = "the root of UsrClass.dat",
	};
	HV_SCOPED struct hv_hive *h = NULL;
	struct err why = ERR_INIT;
	size_t len;
	const uint8_t *sd;

	h = wn_user_hive(in, u, which, HV_LOGS_REPLAY, &why);
	if (h == NULL && which == WN_USRCLASS && why.kind == ERR_NO)
		return 1;
	if (h == NULL && why.kind == ERR_NOMEM) {
		*e = why;
		return -1;
	}
	if (h == NULL)
		return no(ret_why, mem_fmt(e, "%s", why.msg));
	sd = hv_sd(hv_root(h), &len);
	return check_sd(sd, len, u, KEY_ALL, roots[which], ret_why, e);
}

/* ProfileList's own copy of the SID, where it has one, is that of its key. */
static int
check_sid(const struct wn_install *in, const struct wn_user *u,
	  char **ret_why, struct err *e)
{
	static const char list[] = "Microsoft\\Windows NT\\CurrentVersion\\"
		"ProfileList";
	struct hv_hive *h = in->hive[WN_SOFTWARE];
	struct hv_key *all = h == NULL ? NULL : hv_find(hv_root(h), list);
	struct hv_key *k = all == NULL ? NULL : hv_find(all, u->key);
	struct hv_value *v = k == NULL ? NULL : hv_value(k, "Sid");

	if (v == NULL || (hv_data(v).len == u->sid.len &&
			  memcmp(hv_data(v).at, u->sid.at, u->sid.len) == 0))
		return 1;
	return no(ret_why, mem_fmt(e, "ProfileList: %s: Sid is another one",
				   u->key));
}

/* A local account must be one of the machine's. */
static int
check_account(const struct wn_install *in, const struct wn_user *u,
	      char **ret_why, struct err *e)
{
	if (u->account != WN_ACCOUNT_LOCAL || in->accounts == 0)
		return 1;
	for (size_t i = 0; i < in->accounts; i++)
		if (in->account[i].rid == wn_sid_rid(&u->sid))
			return 1;
	return no(ret_why, mem_fmt(e, "the machine has no account %u",
				   wn_sid_rid(&u->sid)));
}

static int
check_registration(const struct wn_install *in, const struct wn_user *u,
		   char **ret_why, struct err *e)
{
	if (strstr(u->key, ".bak") != NULL)
		return no(ret_why, mem_fmt(e, "ProfileList: %s was set aside "
					   "by Windows", u->key));
	if ((u->state & (STATE_TEMPORARY | STATE_BACKUP)) != 0)
		return no(ret_why, mem_fmt(e, "ProfileList: State 0x%x is that "
					   "of a temporary profile",
					   u->state));
	if (u->profile == NULL)
		return no(ret_why, mem_str("ProfileList: names no folder", e));
	for (size_t i = 0; i < in->users; i++)
		if (&in->user[i] != u &&
		    wn_sid_same(&in->user[i].sid, &u->sid))
			return no(ret_why, mem_fmt(e, "ProfileList: has %s and "
						   "%s", u->key,
						   in->user[i].key));
	return 1;
}

int
wn_logon(const struct wn_install *in, const struct wn_user *u, char **ret_why,
	 struct err *e)
{
	static const struct {
		const char *below;
		bool needed, folder;
	} files[] = {
		{ "", true, true }, { "NTUSER.DAT", true, false },
		{ "AppData", true, true }, { "AppData\\Local", true, true },
		{ "AppData\\Local\\Microsoft", false, true },
		{ "AppData\\Local\\Microsoft\\Windows", false, true },
		{ "AppData\\Local\\Microsoft\\Windows\\UsrClass.dat", false,
		  false },
		{ "AppData\\Roaming", true, true },
	};
	int r = check_registration(in, u, ret_why, e);

	if (r == 1)
		r = check_sid(in, u, ret_why, e);
	if (r == 1)
		r = check_account(in, u, ret_why, e);
	for (size_t i = 0; r == 1 && i < sizeof(files) / sizeof(files[0]); i++)
		if (in->generation >= WN_VISTA || i < 2)
			r = check_file(in, u, files[i].below, files[i].needed,
				       files[i].folder, ret_why, e);
	if (r == 1)
		r = check_hive(in, u, WN_NTUSER, ret_why, e);
	return r != 1 ? r : check_hive(in, u, WN_USRCLASS, ret_why, e);
}
