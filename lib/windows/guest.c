/* guest.c - the volumes of a disk and the installations on them
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "windows/windows.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "disk/disk.h"
#include "windows/windows-private.h"

static void
install_done(struct wn_install *in)
{
	char **const texts[] = {
		&in->root, &in->system_root, &in->drive, &in->product,
		&in->edition, &in->service_pack, &in->computer, &in->domain,
		&in->profiles, &in->default_profile, &in->public_profile,
		&in->program_data, &in->program_files, &in->program_files_x86,
		&in->boot_title, &in->notes,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(*texts[i]);
	for (size_t i = 0; i < in->letters; i++)
		free(in->letter[i].device);
	for (size_t i = 0; i < in->accounts; i++)
		free(in->account[i].name);
	for (size_t i = 0; i < in->users; i++) {
		free(in->user[i].name);
		free(in->user[i].profile);
		free(in->user[i].key);
		free(in->user[i].central);
	}
	for (size_t i = 0; i < WN_HIVES; i++) {
		hv_free(&in->hive[i]);
		free(in->hive_path[i]);
	}
	free(in->letter);
	free(in->account);
	free(in->user);
}

static void
guest_done(struct wn_guest *g)
{
	for (size_t i = 0; i < g->installs; i++)
		install_done(&g->install[i]);
	for (size_t i = 0; i < g->volumes; i++) {
		vo_free(&g->volume[i].vo);
		free(g->volume[i].why);
		free(g->volume[i].name);
	}
	vo_appliance_free(&g->appliance);
	free(g->install);
	free(g->volume);
	dk_parts_done(&g->parts);
	free(g);
}

void
wn_free(struct wn_guest *const *g)
{
	if (*g != NULL)
		guest_done(*g);
}

int
wn_close(struct wn_guest **g, struct err *e)
{
	struct wn_guest *had = *g;
	int r = 0;

	*g = NULL;
	for (size_t i = 0; i < had->volumes; i++)
		if (had->volume[i].vo != NULL &&
		    vo_close(&had->volume[i].vo, e) < 0)
			r = -1;
	guest_done(had);
	return r;
}

/* The hive files below a folder of the root; 1 when SYSTEM and SOFTWARE are
 * there, which is what makes the folder an installation. */
static int
find_hives(struct vo *vo, const char *root, char *path[WN_HIVES],
	   struct err *e)
{
	static const char *const names[WN_HIVES] = {
		[WN_SYSTEM] = "system", [WN_SOFTWARE] = "software",
		[WN_SAM] = "sam", [WN_SECURITY] = "security",
		[WN_DEFAULT] = "default",
	};

	for (size_t i = 0; i < WN_HIVES; i++) {
		SCOPED_FREE char *want = mem_fmt(e, "%s/system32/config/%s",
						 root, names[i]);
		int r = want == NULL ? -1 : vo_spelling(vo, want, &path[i], e);

		if (r < 0)
			return -1;
		if (r == 0 && i <= WN_SOFTWARE)
			return 0;
	}
	return 1;
}

static int
add_install(struct wn_guest *g, size_t volume, const char *root, size_t *cap,
	    struct err *e)
{
	char *path[WN_HIVES] = { NULL };
	int r = find_hives(g->volume[volume].vo, root, path, e);
	struct wn_install *in;

	if (r == 1 && g->installs == WN_INSTALLS_MAX)
		r = err_set(e, ERR_UNSUPPORTED, "more than %d installations",
			    WN_INSTALLS_MAX);
	if (r == 1 && mem_grow(&g->install, cap, g->installs + 1,
			       sizeof(*g->install), e) < 0)
		r = -1;
	if (r != 1) {
		for (size_t i = 0; i < WN_HIVES; i++)
			free(path[i]);
		return r;
	}
	in = &g->install[g->installs++];
	*in = (struct wn_install){ .guest = g, .volume = volume };
	memcpy(in->hive_path, path, sizeof(path));
	in->root = mem_str(root, e);
	return in->root == NULL ? -1 : 0;
}

static int
find_installs(struct wn_guest *g, struct err *e)
{
	size_t cap = 0;

	for (size_t i = 0; i < g->volumes; i++) {
		VO_LIST_SCOPED struct vo_list list = VO_LIST_EMPTY;
		struct err why = ERR_INIT;

		if (g->volume[i].vo == NULL)
			continue;
		if (vo_list(g->volume[i].vo, "", &list, &why) < 0) {
			if (why.kind == ERR_NOMEM) {
				*e = why;
				return -1;
			}
			g->volume[i].why = mem_str(why.msg, e);
			if (g->volume[i].why == NULL)
				return -1;
			continue;
		}
		for (size_t k = 0; k < list.count; k++)
			if ((list.at[k].st.attributes & VO_DIRECTORY) != 0 &&
			    (list.at[k].st.attributes & VO_REPARSE) == 0 &&
			    add_install(g, i, list.at[k].name, &cap, e) < 0)
				return -1;
	}
	return 0;
}

struct wn_guest *
wn_open_with(struct dk *disk, unsigned flags, struct vo_appliance *a,
	     struct err *e)
{
	WN_SCOPED struct wn_guest *g = mem_array(1, sizeof(*g), e);

	if (g == NULL)
		return NULL;
	g->disk = disk;
	if (wn_open_volumes(g, flags, a, e) < 0 || find_installs(g, e) < 0)
		return NULL;
	for (size_t i = 0; i < g->installs; i++)
		if (wn_read_install(&g->install[i], e) < 0)
			return NULL;
	if (wn_read_boot(g, e) < 0)
		return NULL;
	/* The array does not move any more, and sorting is one swap. */
	for (size_t i = 1; i < g->installs; i++)
		if (g->install[i].boots) {
			struct wn_install first = g->install[i];

			memmove(&g->install[1], &g->install[0],
				i * sizeof(first));
			g->install[0] = first;
		}
	return TAKE(g);
}

/* Without the appliance, what needs it says why it is not there. */
static int
explain(struct wn_guest *g, const struct err *why, struct err *e)
{
	for (size_t i = 0; i < g->volumes; i++) {
		struct wn_volume *v = &g->volume[i];
		char *text;

		if (v->vo != NULL || !vo_wants_appliance(v->kind))
			continue;
		text = mem_fmt(e, "%s: needs the appliance: %s",
			       vo_kind_name(v->kind), why->msg);
		if (text == NULL)
			return -1;
		free(v->why);
		v->why = text;
	}
	return 0;
}

struct wn_guest *
wn_open(struct dk *disk, unsigned flags, struct err *e)
{
	WN_SCOPED struct wn_guest *g = wn_open_with(disk, flags, NULL, e);
	VO_APPLIANCE_SCOPED struct vo_appliance *a = NULL;
	struct wn_guest *again;
	struct err why = ERR_INIT;

	if (g == NULL || !wn_wants_appliance(g, flags))
		return TAKE(g);
	a = vo_appliance_new(&disk, 1, &why);
	if (a == NULL) {
		if (why.kind != ERR_UNSUPPORTED ||
		    vo_chosen() == VO_APPLIANCE_ONLY)
			*e = why;
		else if (explain(g, &why, e) == 0)
			return TAKE(g);
		return NULL;
	}
	again = wn_open_with(disk, flags, a, e);
	if (again != NULL)
		again->appliance = TAKE(a);
	return again;
}

/* "C:\Windows", "Windows", a number from 1, in any case. */
static bool
is_called(const struct wn_install *in, size_t number, const char *name)
{
	uint64_t n;

	if (num_parse(name, 1, WN_INSTALLS_MAX, false, &n))
		return n == number;
	return (in->system_root != NULL && utf_same8(in->system_root, name)) ||
		utf_same8(in->root, name);
}

static void
put_choice(const struct wn_guest *g, struct buf *out)
{
	for (size_t i = 0; i < g->installs; i++) {
		const struct wn_volume *v = &g->volume[g->install[i].volume];

		buf_fmt(out, "%s%zu (%s on ", i == 0 ? "" : ", ", i + 1,
			g->install[i].root);
		if (v->name != NULL)
			buf_fmt(out, "%s)", v->name);
		else
			buf_fmt(out, "partition %u)", v->part);
	}
}

/* No installation at all: the reasons of the volumes are the explanation. */
static int
none_found(const struct wn_guest *g, struct err *e)
{
	for (size_t i = 0; i < g->volumes; i++)
		if (g->volume[i].vo == NULL && g->volume[i].why != NULL &&
		    g->volume[i].kind != VO_UNKNOWN)
			return err_set(e, g->volume[i].refused == ERR_AUTH ||
				       g->volume[i].refused == ERR_UNSAFE ?
				       g->volume[i].refused : ERR_NO,
				       "%s: no Windows found; partition %u: %s",
				       g->disk->name, g->volume[i].part,
				       g->volume[i].why);
	return err_set(e, ERR_NO, "%s: no Windows found", g->disk->name);
}

struct wn_install *
wn_choose(struct wn_guest *g, const char *root, struct err *e)
{
	BUF_SCOPED struct buf list = BUF_EMPTY;
	struct wn_install *found = NULL;
	size_t hits = 0;
	char shown[128];

	if (g->installs == 0) {
		(void)none_found(g, e);
		return NULL;
	}
	if (root == NULL && (g->installs == 1 || g->install[0].boots))
		return &g->install[0];
	for (size_t i = 0; i < g->installs && root != NULL; i++)
		if (is_called(&g->install[i], i + 1, root)) {
			found = &g->install[i];
			hits++;
		}
	if (hits == 1)
		return found;
	put_choice(g, &list);
	if (buf_ok(&list, e) < 0)
		return NULL;
	if (root != NULL && hits == 0)
		(void)err_set(e, ERR_NO, "%s: no Windows called %s; there are "
			      "%s", g->disk->name,
			      err_quote(shown, sizeof(shown), root,
					strlen(root)), (const char *)list.at);
	else
		(void)err_set(e, ERR_USAGE, "%s: several Windows; choose one "
			      "with --root: %s", g->disk->name,
			      (const char *)list.at);
	return NULL;
}

int
wn_writable(const struct wn_install *in, struct err *e)
{
	const struct wn_volume *v = &in->guest->volume[in->volume];

	if (v->writable)
		return 0;
	return err_set(e, ERR_UNSAFE, "%s: partition %u: %s",
		       in->guest->disk->name, v->part,
		       v->why != NULL ? v->why : "opened for reading");
}

struct vo *
wn_vo(const struct wn_install *in)
{
	return in->guest->volume[in->volume].vo;
}
