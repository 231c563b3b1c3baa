/* extract.c - see extract.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/extract.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/utf.h"
#include "hive/hive.h"
#include "profmig/extract-private.h"
#include "profmig/programs.h"

/* A folder of the profile that is left out, as a volume path. */
struct left_out {
	char *path;
	const char *why;
};

enum { LEFT_OUT_MAX = 4 };

struct profile_walk {
	struct pm_walk k;
	size_t count;
	struct left_out out[LEFT_OUT_MAX];
};

static void
profile_walk_done(struct profile_walk *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->out[i].path);
}

static int
copy_text(char **ret, const char *text, struct err *e)
{
	if (text == NULL)
		return 0;
	*ret = mem_str(text, e);
	return *ret == NULL ? -1 : 0;
}

static int
take_origin(const struct pm_extract *x, struct pm_origin *o, struct err *e)
{
	const struct wn_install *in = x->in;

	*o = (struct pm_origin){
		.generation = in->generation, .arch = in->arch,
		.language = in->language, .machine_sid = in->machine_sid,
		.taken = x->now,
	};
	if (copy_text(&o->product, in->product, e) < 0 ||
	    copy_text(&o->computer, in->computer, e) < 0 ||
	    copy_text(&o->domain, in->domain, e) < 0 ||
	    copy_text(&o->system_root, in->system_root, e) < 0 ||
	    copy_text(&o->profiles, in->profiles, e) < 0 ||
	    copy_text(&o->public_profile, in->public_profile, e) < 0)
		return -1;
	return copy_text(&o->program_files, in->program_files, e);
}

static int
take_programs(const struct pm_extract *x, struct pm_bundle *b, struct err *e)
{
	struct pm_programs p = PM_PROGRAMS_EMPTY;

	if (pm_programs(x->in, &p, e) < 0)
		return -1;
	b->program = p.at;
	b->programs = p.count;
	b->program_cap = p.cap;
	return 0;
}

static int
take_bytes(struct pm_writer *w, struct pm_bundle *b, const void *at,
	   size_t len, int64_t *ret, struct err *e)
{
	if (pm_writer_begin(w, e) < 0 || pm_writer_bytes(w, at, len, e) < 0)
		return -1;
	return pm_writer_end(w, b, ret, e);
}

/*
 * One hive of the user: as it lies when it is clean, replayed when its logs
 * hold more.  A hive whose logs do not fit is taken as it lies, and what is
 * lost is said.
 */
static int
take_hive(const struct pm_extract *x, const struct wn_user *u,
	  enum wn_user_hive which, struct hv_hive *h, struct pm_writer *w,
	  struct pm_bundle *b, int64_t *ret, struct err *e)
{
	SCOPED_FREE char *path = wn_user_hive_path(x->in, u, which, e);
	SCOPED_FREE char *inside = NULL;
	SCOPED_FREE uint8_t *raw = NULL;
	BUF_SCOPED struct buf fresh = BUF_EMPTY;
	size_t volume, len;
	int r;

	if (path == NULL)
		return -1;
	if (hv_facts(h)->dirty && hv_facts(h)->stale[0] == '\0') {
		if (hv_serialize(h, &fresh, e) < 0)
			return -1;
		return take_bytes(w, b, fresh.at, fresh.len, ret, e);
	}
	r = wn_find_path(x->in, path, &volume, &inside, e);
	if (r <= 0)
		return r;
	r = vo_slurp(x->in->guest->volume[volume].vo, inside, WN_HIVE_MAX,
		     &raw, &len, e);
	return r <= 0 ? r : take_bytes(w, b, raw, len, ret, e);
}

static int
take_hives(const struct pm_extract *x, const struct wn_user *u,
	   struct pm_writer *w, struct pm_bundle *b, struct pm_person *p,
	   struct err *e)
{
	HV_SCOPED struct hv_hive *ntuser = wn_user_hive(x->in, u, WN_NTUSER,
							HV_LOGS_READ, e);
	HV_SCOPED struct hv_hive *classes = NULL;
	WN_FOLDERS_SCOPED struct wn_folders f = WN_FOLDERS_EMPTY;
	struct err why = ERR_INIT;

	if (ntuser == NULL)
		return err_ctx(e, "%s", u->name);
	if (hv_facts(ntuser)->stale[0] != '\0' &&
	    copy_text(&p->stale, hv_facts(ntuser)->stale, e) < 0)
		return -1;
	if (wn_folders(x->in, u, ntuser, &f, e) < 0 ||
	    take_hive(x, u, WN_NTUSER, ntuser, w, b, &p->ntuser, e) < 0)
		return -1;
	memcpy(p->folder, f.at, sizeof(p->folder));
	memset(f.at, 0, sizeof(f.at));
	/* A profile may do without its classes. */
	classes = wn_user_hive(x->in, u, WN_USRCLASS, HV_LOGS_READ, &why);
	if (classes != NULL)
		return take_hive(x, u, WN_USRCLASS, classes, w, b,
				 &p->usrclass, e);
	if (why.kind == ERR_NOMEM) {
		*e = why;
		return -1;
	}
	return 0;
}

static int
on_entry(void *arg, const char *path, const struct vo_entry *entry,
	 struct err *e)
{
	struct profile_walk *p = arg;
	const char *below = path + strlen(p->k.profile);
	const char *why;

	while (*below == '/')
		below++;
	why = p->k.profile[0] == '\0' ? NULL : pm_never(below);
	for (size_t i = 0; i < p->count; i++)
		if (utf_same8(p->out[i].path, path))
			why = p->out[i].why;
	if (why != NULL)
		return pm_lose(&p->k, PM_LOSS_EXCLUDED, path, why,
			       entry->st.size, e) < 0 ? -1 : 1;
	return pm_take(&p->k, path, entry, e);
}

static int
leave_out(struct profile_walk *p, const char *path, const char *why,
	  struct err *e)
{
	size_t volume;
	char *inside;
	int r = path == NULL ? 0 :
		wn_find_path(p->k.x->in, path, &volume, &inside, e);

	if (r <= 0)
		return r;
	if (p->count == LEFT_OUT_MAX) {
		free(inside);
		return 0;
	}
	p->out[p->count++] = (struct left_out){ .path = inside, .why = why };
	return 0;
}

/* "Temp" beside the local application data, whatever that is called. */
static int
leave_out_temp(struct profile_walk *p, const char *local, struct err *e)
{
	const char *last = local == NULL ? NULL : strrchr(local, '\\');
	SCOPED_FREE char *temp = NULL;

	if (last == NULL)
		return 0;
	temp = mem_fmt(e, "%.*s\\Temp", (int)(last - local), local);
	return temp == NULL ? -1 : leave_out(p, temp, "temporary", e);
}

/* The letter of a volume, as this installation calls it. */
static void
drive_of(const struct wn_install *in, size_t volume, char ret[4])
{
	char letter = volume == in->volume && in->drive != NULL ?
		in->drive[0] : '?';

	for (size_t i = 0; i < in->letters; i++)
		if (in->letter[i].volume == volume)
			letter = in->letter[i].letter;
	ret[0] = letter;
	ret[1] = ':';
	ret[2] = '\0';
}

/* A folder with all that is in it: the profile, or one that was redirected. */
static int
take_folder(struct profile_walk *p, const char *path, uint32_t flags,
	    struct err *e)
{
	SCOPED_FREE char *inside = NULL;
	struct wn_guest *g = p->k.x->in->guest;
	struct vo_stat st;
	size_t volume;
	int r = wn_find_path(p->k.x->in, path, &volume, &inside, e);

	if (r <= 0 || g->volume[volume].vo == NULL)
		return r < 0 ? -1 : 0;
	r = vo_stat(g->volume[volume].vo, inside, &st, e);
	if (r <= 0)
		return r;
	p->k.vo = g->volume[volume].vo;
	p->k.volume = volume;
	p->k.flags = flags;
	p->k.profile = flags == 0 ? inside : "";
	drive_of(p->k.x->in, volume, p->k.drive);
	r = vo_walk(p->k.vo, inside, on_entry, p, e);
	p->k.profile = NULL;
	return r;
}

/* What only the old account can read is said, not silently useless. */
static int
note_secrets(struct profile_walk *p, const struct pm_person *who,
	     struct err *e)
{
	static const struct {
		const char *below, *what;
	} secrets[] = {
		{ "Microsoft\\Protect", "the keys of saved passwords open only "
		  "with the same account and password" },
		{ "Microsoft\\Credentials", "saved passwords must be typed "
		  "again unless account and password stay the same" },
	};

	for (size_t i = 0; i < 2 && who->folder[WN_ROAMING] != NULL; i++) {
		SCOPED_FREE char *path = mem_fmt(e, "%s\\%s",
			who->folder[WN_ROAMING], secrets[i].below);
		SCOPED_FREE char *inside = NULL;
		size_t volume;
		int r = path == NULL ? -1 : wn_path_exists(p->k.x->in, path,
							   e);

		if (r == 1)
			r = wn_find_path(p->k.x->in, path, &volume, &inside,
					 e);
		if (r < 0)
			return -1;
		if (r == 1 && pm_lose(&p->k, PM_LOSS_DPAPI, inside,
				      secrets[i].what, 0, e) < 0)
			return -1;
	}
	return 0;
}

/* The picture behind the desktop, when it lies outside the profile. */
static int
take_wallpaper(struct profile_walk *p, const struct wn_user *u,
	       struct hv_hive *ntuser, struct err *e)
{
	struct hv_key *k = hv_find(hv_root(ntuser), "Control Panel\\Desktop");
	SCOPED_FREE char *value = NULL, *path = NULL, *inside = NULL;
	VO_LIST_SCOPED struct vo_list list = VO_LIST_EMPTY;
	struct err why = ERR_INIT;
	size_t volume, n = strlen(u->profile);
	char *slash;
	int r;

	if (k == NULL || hv_get_str(k, "Wallpaper", &value, &why) != 1 ||
	    value[0] == '\0')
		return 0;
	path = wn_expand(p->k.x->in, u, value, e);
	if (path == NULL)
		return -1;
	if (strncasecmp(path, u->profile, n) == 0 && path[n] == '\\')
		return 0;
	r = wn_find_path(p->k.x->in, path, &volume, &inside, e);
	slash = r == 1 ? strrchr(inside, '/') : NULL;
	if (slash == NULL)
		return r < 0 ? -1 : 0;
	p->k.vo = p->k.x->in->guest->volume[volume].vo;
	p->k.flags = PM_ITEM_OUTSIDE | PM_ITEM_WALLPAPER;
	drive_of(p->k.x->in, volume, p->k.drive);
	*slash = '\0';
	if (p->k.vo == NULL || vo_list(p->k.vo, inside, &list, &why) < 0)
		return 0;
	for (size_t i = 0; i < list.count; i++)
		if (utf_same8(list.at[i].name, slash + 1)) {
			*slash = '/';
			return pm_take(&p->k, inside, &list.at[i], e);
		}
	return 0;
}

static int
take_person(const struct pm_extract *x, const struct wn_user *u,
	    struct pm_writer *w, struct pm_bundle *b, struct err *e)
{
	const size_t index = b->people - 1;
	SCOPED(profile_walk_done) struct profile_walk walk = {
		.k = { .x = x, .w = w, .b = b, .person = index,
		       .outside = x->outside },
	};
	HV_SCOPED struct hv_hive *ntuser = NULL;
	struct pm_person *p = &b->person[index];

	*p = (struct pm_person){
		.sid = u->sid, .account = u->account, .used = u->used,
		.ntuser = PM_NO_CONTENT, .usrclass = PM_NO_CONTENT,
	};
	if (copy_text(&p->name, u->name, e) < 0 ||
	    copy_text(&p->profile, u->profile, e) < 0 ||
	    take_hives(x, u, w, b, p, e) < 0)
		return -1;
	if (leave_out(&walk, p->folder[WN_CACHE], "a cache, which is made "
		      "anew", e) < 0 ||
	    leave_out(&walk, p->folder[WN_HISTORY], "a cache, which is made "
		      "anew", e) < 0 ||
	    leave_out_temp(&walk, p->folder[WN_LOCAL], e) < 0 ||
	    take_folder(&walk, u->profile, 0, e) < 0)
		return -1;
	for (size_t i = 0; i < WN_FOLDERS; i++) {
		size_t n = strlen(u->profile);
		const char *f = p->folder[i];

		/* Redirected to another place of these disks. */
		if (i <= WN_FAVORITES && f != NULL &&
		    (strncasecmp(f, u->profile, n) != 0 || f[n] != '\\') &&
		    take_folder(&walk, f, PM_ITEM_OUTSIDE, e) < 0)
			return -1;
	}
	ntuser = wn_user_hive(x->in, u, WN_NTUSER, HV_LOGS_READ, e);
	if (ntuser == NULL || take_wallpaper(&walk, u, ntuser, e) < 0 ||
	    pm_take_public(&walk.k, e) < 0 ||
	    pm_take_outside(&walk.k, e) < 0)
		return -1;
	return note_secrets(&walk, p, e);
}

const char *
pm_oddity(const struct wn_install *in, const struct wn_user *u)
{
	char sid[WN_SID_TEXT];

	/* The one that was set aside is the person's, the other a substitute. */
	if (wn_user(in, wn_sid_text(&u->sid, sid)) != u)
		return "a substitute that Windows made; the .bak beside it is "
			"the person's";
	if (u->mandatory)
		return "a mandatory profile (NTUSER.MAN), which is nobody's "
			"own";
	if (!u->exists)
		return "the folder is missing";
	if (!u->has_hive)
		return "no NTUSER.DAT";
	if ((u->state & 0x800) != 0)
		return "a temporary profile";
	return NULL;
}

/* Can the person's hive be read, with all that was in it? */
static int
hive_is_whole(const struct pm_extract *x, const struct wn_user *u,
	      struct err *why)
{
	HV_SCOPED struct hv_hive *h = wn_user_hive(x->in, u, WN_NTUSER,
						   HV_LOGS_READ, why);

	if (h == NULL)
		return -1;
	if (hv_facts(h)->stale[0] == '\0')
		return 0;
	return err_set(why, ERR_UNSAFE, "NTUSER.DAT has lost its last changes "
		       "(%s); let that Windows start once, or accept the loss "
		       "with \"imgtool reg set --discard-logs\"",
		       hv_facts(h)->stale);
}

int
pm_extract(const struct pm_extract *x, struct pm_writer *w,
	   struct pm_bundle *ret, struct err *e)
{
	PM_BUNDLE_SCOPED struct pm_bundle b = PM_BUNDLE_EMPTY;
	struct err last = ERR_INIT;

	if (take_origin(x, &b.origin, e) < 0 || take_programs(x, &b, e) < 0)
		return -1;
	b.person = mem_array(x->count, sizeof(*b.person), e);
	if (b.person == NULL)
		return -1;
	for (size_t i = 0; i < x->count; i++) {
		struct err why = ERR_INIT;

		if (hive_is_whole(x, x->users[i], &why) < 0) {
			if (why.kind == ERR_NOMEM || why.kind == ERR_SYSTEM)
				return err_set(e, why.kind, "%s", why.msg);
			if (x->count > 1)
				x->failed(x->arg, x->users[i], &why);
			last = why;
			continue;
		}
		b.people++;
		if (take_person(x, x->users[i], w, &b, e) < 0)
			return -1;
	}
	if (b.people == 0)
		return err_set(e, last.kind, "%s: %s",
			       x->count == 1 ? x->users[0]->name : "everybody",
			       last.msg);
	*ret = TAKE(b);
	return 0;
}
