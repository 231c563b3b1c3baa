/* newprofile.c - a profile that starts as the target's own Default
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What Windows does at a first logon, done on the disk: the Default folder is
 * copied, junctions in it lead into the copy, everything belongs to the person,
 * the hive's keys let the person in, and ProfileList names the folder.
 */
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "hive/hive.h"
#include "profmig/work-private.h"
#include "windows/sd.h"

static const char profile_list[] =
	"Microsoft\\Windows NT\\CurrentVersion\\ProfileList";

enum {
	KEY_ALL = 0xf003f,
	MOUNT_POINT_HEADER = 16,	/* tag, lengths, four offsets */
};

char *
pm_sddl(const struct pm_work *w, enum pm_sddl kind, struct err *e)
{
	struct wn_sid group = wn_sid_with_rid(&w->move.sid, 513);
	char user[WN_SID_TEXT], users[WN_SID_TEXT];
	const char *flags = kind == PM_SDDL_FOLDER ? "OICIID" : "ID";

	(void)wn_sid_text(&w->move.sid, user);
	(void)wn_sid_text(&group, users);
	if (kind == PM_SDDL_ROOT)
		return mem_fmt(e, "O:SYG:SYD:PAI(A;OICI;FA;;;SY)"
			       "(A;OICI;FA;;;BA)(A;OICI;FA;;;%s)", user);
	return mem_fmt(e, "O:%sG:%sD:AI(A;%s;FA;;;SY)(A;%s;FA;;;BA)"
		       "(A;%s;FA;;;%s)", user, users, flags, flags, flags,
		       user);
}

/* ---- the hive ---- */

/* Beside each entry that gives SYSTEM everything, one for the person. */
static int
own_key(struct hv_key *k, const struct wn_sid *sid, struct err *e)
{
	static const struct wn_sid system_sid = {
		.len = 12, .at = { 1, 1, 0, 0, 0, 0, 0, 5, 18 },
	};
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	BUF_SCOPED struct buf fresh = BUF_EMPTY;
	size_t len, count;
	const uint8_t *at = hv_sd(k, &len);

	if (wn_sd_parse(at, len, &sd, e) < 0)
		return -1;
	count = sd.dacl.count;
	for (size_t i = 0; i < count; i++) {
		struct wn_ace ace = sd.dacl.at[i];

		if (ace.raw == NULL && wn_sid_same(&ace.sid, sid))
			return 0;
		if (ace.raw != NULL || ace.type != WN_ACE_ALLOW ||
		    !wn_sid_same(&ace.sid, &system_sid) ||
		    ((ace.mask & KEY_ALL) != KEY_ALL &&
		     (ace.mask & 0x10000000) == 0))
			continue;
		if (wn_acl_add(&sd.dacl, ace.type, ace.flags, ace.mask, sid,
			       e) < 0)
			return -1;
	}
	wn_sd_build(&sd, &fresh);
	if (buf_ok(&fresh, e) < 0)
		return -1;
	return hv_set_sd(k, fresh.at, fresh.len, e);
}

static bool
is_policy(const struct hv_key *k)
{
	return hv_named(k, "Policies") || hv_named(k, "Group Policy");
}

static int
own_below(struct hv_key *k, const struct wn_sid *sid, struct err *e)
{
	if (is_policy(k))
		return 0;	/* read-only for the person */
	if (own_key(k, sid, e) < 0)
		return -1;
	for (struct hv_key *s = hv_first(k); s != NULL; s = hv_next(s))
		if (own_below(s, sid, e) < 0)
			return -1;
	return 0;
}

int
pm_own_hive(struct hv_hive *h, const struct wn_sid *sid, struct err *e)
{
	return own_below(hv_root(h), sid, e);
}

/* ---- the folder ---- */

struct copying {
	struct pm_work *w;
	struct cs_plan *plan;
	unsigned volume;
	const char *from;	/* volume path of Default */
	const char *to;		/* plan path of the profile */
	struct vo *vo;
	char *folder_sddl, *file_sddl;
};

/* Hives come from elsewhere, and their logs from nowhere. */
static bool
is_hive_file(const char *name)
{
	return pm_pattern("ntuser.dat*", name) ||
		pm_pattern("usrclass.dat*", name) ||
		pm_pattern("*.regtrans-ms", name) ||
		pm_pattern("*.blf", name);
}

/* A path inside Default, in UTF-16 as junctions hold it, inside the copy. */
static int
retarget(struct copying *c, const uint8_t *at, size_t len, struct buf *out,
	 struct err *e)
{
	SCOPED_FREE char *text = utf_from16(at, len, e);
	SCOPED_FREE uint8_t *units = NULL;
	const char *from = c->w->move.to->default_profile;
	const char *p = text;
	size_t n = strlen(from), bytes;
	SCOPED_FREE char *fresh = NULL;

	if (text == NULL)
		return -1;
	if (strncmp(p, "\\??\\", 4) == 0)
		p += 4;
	if (strncasecmp(p, from, n) == 0 && (p[n] == '\\' || p[n] == '\0'))
		fresh = mem_fmt(e, "%.*s%s%s", (int)(p - text), text,
				c->w->move.user.profile, p + n);
	else
		fresh = mem_str(text, e);
	if (fresh == NULL || utf_to16(fresh, &units, &bytes, e) < 0)
		return -1;
	buf_bytes(out, units, bytes);
	return buf_ok(out, e);
}

/* [MS-FSCC] 2.1.2.5: substitute and print name, each with its place. */
static int
copy_junction(struct copying *c, const char *path, const char *to,
	      struct cs_reason why, struct err *e)
{
	SCOPED_FREE uint8_t *raw = NULL;
	BUF_SCOPED struct buf sub = BUF_EMPTY, print = BUF_EMPTY,
		out = BUF_EMPTY;
	size_t len;
	int r = vo_reparse(c->vo, path, &raw, &len, e);
	struct cur in = cur_over("junction", raw, r == 1 ? len : 0);
	uint32_t tag = cur_u32le(&in);
	(void)cur_u32le(&in);
	uint16_t sub_at = cur_u16le(&in), sub_len = cur_u16le(&in);
	uint16_t print_at = cur_u16le(&in), print_len = cur_u16le(&in);

	if (r < 0)
		return -1;
	if (!cur_ok(&in) || tag != (uint32_t)VO_TAG_MOUNT_POINT ||
	    !num_in_range(sub_at, sub_len, len - MOUNT_POINT_HEADER) ||
	    !num_in_range(print_at, print_len, len - MOUNT_POINT_HEADER))
		return 0;	/* no junction that is understood: left out */
	if (retarget(c, raw + MOUNT_POINT_HEADER + sub_at, sub_len, &sub,
		     e) < 0 ||
	    retarget(c, raw + MOUNT_POINT_HEADER + print_at, print_len, &print,
		     e) < 0)
		return -1;
	buf_u32le(&out, tag);
	buf_u16le(&out, (uint16_t)(8 + sub.len + print.len + 4));
	buf_u16le(&out, 0);
	buf_u16le(&out, 0);
	buf_u16le(&out, (uint16_t)sub.len);
	buf_u16le(&out, (uint16_t)(sub.len + 2));
	buf_u16le(&out, (uint16_t)print.len);
	buf_bytes(&out, sub.at, sub.len);
	buf_u16le(&out, 0);
	buf_bytes(&out, print.at, print.len);
	buf_u16le(&out, 0);
	if (buf_ok(&out, e) < 0)
		return -1;
	cs_want_reparse(c->plan, c->volume, to, out.at, out.len, why);
	return cs_ok(c->plan, e);
}

/* A junction keeps Default's security: it denies listing to everybody. */
static int
copy_security(struct copying *c, const char *path, const char *to,
	      struct cs_reason why, struct err *e)
{
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	SCOPED_FREE uint8_t *raw = NULL;
	BUF_SCOPED struct buf text = BUF_EMPTY;
	size_t len;

	if (vo_security(c->vo, path, &raw, &len, e) < 0 ||
	    wn_sd_parse(raw, len, &sd, e) < 0 ||
	    wn_sd_to_sddl(&sd, &text, e) < 0 || buf_ok(&text, e) < 0)
		return -1;
	cs_want_security(c->plan, c->volume, to, (char *)text.at, why);
	return cs_ok(c->plan, e);
}

static int
copy_entry(void *arg, const char *path, const struct vo_entry *entry,
	   struct err *e)
{
	static const struct cs_reason why = {
		.rule = "new-profile",
		.why = "a new profile starts as a copy of Default",
	};
	struct copying *c = arg;
	const char *below = path + strlen(c->from);
	SCOPED_FREE char *to = mem_fmt(e, "%s%s", c->to, below);
	SCOPED_FREE char *from = mem_fmt(e, "/%s", path);
	SCOPED_FREE char *windows = mem_fmt(e, "%s%s",
					    c->w->move.user.profile, below);
	bool folder = (entry->st.attributes & VO_DIRECTORY) != 0;
	bool link = entry->st.tag != 0;
	struct cs_meta meta = { .has_attributes = true,
		.attributes = entry->st.attributes & VO_SETTABLE };

	if (to == NULL || from == NULL || windows == NULL)
		return -1;
	if (!folder && is_hive_file(entry->name))
		return 0;
	for (char *p = windows; *p != '\0'; p++)
		if (*p == '/')
			*p = '\\';
	if (pm_names_add(&c->w->there, windows, e) < 0)
		return -1;
	if (folder)
		cs_want_directory(c->plan, c->volume, to, why);
	else
		cs_want_file(c->plan, c->volume, to, (struct cs_source){
			.origin = CS_IMAGE, .path = from,
			.size = entry->st.size }, why);
	if (link && copy_junction(c, path, to, why, e) < 0)
		return -1;
	if (link) {
		if (copy_security(c, path, to, why, e) < 0)
			return -1;
	} else {
		cs_want_security(c->plan, c->volume, to, folder ?
				 c->folder_sddl : c->file_sddl, why);
	}
	cs_want_meta(c->plan, c->volume, to, &meta, why);
	return cs_ok(c->plan, e) < 0 ? -1 : link ? 1 : 0;
}

static int
copy_default(struct pm_work *w, struct cs_plan *plan, struct err *e)
{
	PM_AT_SCOPED struct pm_at from = { .path = NULL };
	PM_AT_SCOPED struct pm_at to = { .path = NULL };
	static const struct cs_reason why = {
		.rule = "new-profile", .why = "the profile's folder",
	};
	SCOPED_FREE char *root = pm_sddl(w, PM_SDDL_ROOT, e);
	SCOPED_FREE char *folder = pm_sddl(w, PM_SDDL_FOLDER, e);
	SCOPED_FREE char *file = pm_sddl(w, PM_SDDL_FILE, e);
	struct copying c = { .w = w, .plan = plan, .folder_sddl = folder,
			     .file_sddl = file };

	if (root == NULL || folder == NULL || file == NULL ||
	    pm_at_find(w->move.to, plan, w->move.to->default_profile, &from,
		       e) < 0 ||
	    pm_at_find(w->move.to, plan, w->move.user.profile, &to, e) < 0)
		return -1;
	if (from.guest_volume != to.guest_volume)
		return err_set(e, ERR_UNSUPPORTED, "%s and %s lie on two "
			       "volumes", w->move.to->default_profile,
			       w->move.user.profile);
	cs_want_directory(plan, to.volume, to.path, why);
	cs_want_security(plan, to.volume, to.path, root, why);
	if (pm_names_add(&w->there, w->move.user.profile, e) < 0)
		return -1;
	c.volume = to.volume;
	c.from = from.path + 1;
	c.to = to.path;
	c.vo = w->move.to->guest->volume[from.guest_volume].vo;
	return vo_walk(c.vo, c.from, copy_entry, &c, e);
}

/* SOFTWARE\...\ProfileList\SID: State 0 is a profile that is whole. */
static int
register_profile(struct pm_work *w, struct cs_plan *plan, struct err *e)
{
	static const struct cs_reason why = {
		.rule = "new-profile",
		.why = "Windows finds a profile by its account here",
	};
	const struct wn_install *in = w->move.to;
	const struct vo_facts *facts = vo_facts(wn_vo(in));
	SCOPED_FREE char *hive = mem_fmt(e, "/%s", in->hive_path[WN_SOFTWARE]);
	SCOPED_FREE char *key = NULL;
	char sid[WN_SID_TEXT];
	struct cs_hive h = { .volume = cs_plan_volume(plan, facts->serial),
			     .path = hive };

	key = mem_fmt(e, "%s\\%s", profile_list,
		      wn_sid_text(&w->move.sid, sid));
	if (hive == NULL || key == NULL)
		return -1;
	cs_want_expand_sz(plan, h, key, "ProfileImagePath",
			  w->move.user.profile, why);
	cs_want_value(plan, h, key, "Sid", HV_BINARY, w->move.sid.at,
		      w->move.sid.len, why);
	cs_want_dword(plan, h, key, "Flags", 0, why);
	cs_want_dword(plan, h, key, "State", 0, why);
	cs_want_dword(plan, h, key, "RefCount", 0, why);
	return cs_ok(plan, e);
}

int
pm_start_profile(struct pm_work *w, struct cs_plan *plan, struct err *e)
{
	if (copy_default(w, plan, e) < 0)
		return -1;
	return register_profile(w, plan, e);
}
