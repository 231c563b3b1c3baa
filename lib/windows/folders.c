/* folders.c - a user's hives and known folders
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names and defaults: Microsoft, "Known folders" (knownfolderid), and the
 * "User Shell Folders" of real XP, 7 and 10 hives.
 */
#include "windows/windows.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "windows/windows-private.h"

#define ROAMING "AppData\\Roaming\\Microsoft\\Windows\\"
#define FOLDERS "Microsoft\\Windows\\CurrentVersion\\Explorer\\" \
	"User Shell Folders"
#define LOCAL "AppData\\Local\\Microsoft\\Windows\\"

static const struct {
	const char *value;	/* in User Shell Folders */
	const char *xp, *later;	/* below the profile */
} known[WN_FOLDERS] = {
	[WN_DESKTOP] = { "Desktop", "Desktop", "Desktop" },
	[WN_DOCUMENTS] = { "Personal", "My Documents", "Documents" },
	[WN_PICTURES] = { "My Pictures", "My Documents\\My Pictures",
			  "Pictures" },
	[WN_MUSIC] = { "My Music", "My Documents\\My Music", "Music" },
	[WN_VIDEOS] = { "My Video", "My Documents\\My Videos", "Videos" },
	[WN_FAVORITES] = { "Favorites", "Favorites", "Favorites" },
	[WN_DOWNLOADS] = { "{374DE290-123F-4565-9164-39C4925E467B}", NULL,
			   "Downloads" },
	[WN_ROAMING] = { "AppData", "Application Data", "AppData\\Roaming" },
	[WN_LOCAL] = { "Local AppData", "Local Settings\\Application Data",
		       "AppData\\Local" },
	[WN_START_MENU] = { "Start Menu", "Start Menu", ROAMING "Start Menu" },
	[WN_PROGRAMS] = { "Programs", "Start Menu\\Programs",
			  ROAMING "Start Menu\\Programs" },
	[WN_STARTUP] = { "Startup", "Start Menu\\Programs\\Startup",
			 ROAMING "Start Menu\\Programs\\Startup" },
	[WN_SEND_TO] = { "SendTo", "SendTo", ROAMING "SendTo" },
	[WN_RECENT] = { "Recent", "Recent", ROAMING "Recent" },
	[WN_NETHOOD] = { "NetHood", "NetHood", ROAMING "Network Shortcuts" },
	[WN_PRINTHOOD] = { "PrintHood", "PrintHood",
			   ROAMING "Printer Shortcuts" },
	[WN_TEMPLATES] = { "Templates", "Templates", ROAMING "Templates" },
	[WN_COOKIES] = { "Cookies", "Cookies", ROAMING "Cookies" },
	[WN_CACHE] = { "Cache", "Local Settings\\Temporary Internet Files",
		       LOCAL "Temporary Internet Files" },
	[WN_HISTORY] = { "History", "Local Settings\\History",
			 LOCAL "History" },
	/* Below "All Users" and Public; with "*" below ProgramData. */
	[WN_PUBLIC_DESKTOP] = { "Common Desktop", "Desktop", "Desktop" },
	[WN_PUBLIC_DOCUMENTS] = { "Common Documents", "Documents",
				  "Documents" },
	[WN_PUBLIC_PICTURES] = { "CommonPictures", "Documents\\My Pictures",
				 "Pictures" },
	[WN_PUBLIC_MUSIC] = { "CommonMusic", "Documents\\My Music", "Music" },
	[WN_PUBLIC_VIDEOS] = { "CommonVideo", "Documents\\My Videos",
			       "Videos" },
	[WN_PUBLIC_FAVORITES] = { "Common Favorites", "Favorites",
				  "Favorites" },
	[WN_PUBLIC_START_MENU] = { "Common Start Menu", "Start Menu",
				   "*\\Microsoft\\Windows\\Start Menu" },
	[WN_PUBLIC_TEMPLATES] = { "Common Templates", "Templates",
				  "*\\Microsoft\\Windows\\Templates" },
	[WN_PROGRAM_DATA] = { "Common AppData", "Application Data", "*" },
};

void
wn_folders_done(struct wn_folders *f)
{
	for (size_t i = 0; i < WN_FOLDERS; i++)
		free(f->at[i]);
	*f = (struct wn_folders)WN_FOLDERS_EMPTY;
}

/* Does `path` lie in `folder`, or is it that folder? */
static bool
inside(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncasecmp(path, folder, n) == 0 &&
		(path[n] == '\\' || path[n] == '\0');
}

/* Where Windows puts a folder that the hive does not name: XP puts music and
 * videos into the documents, wherever those are. */
static int
by_default(const struct wn_install *in, const struct wn_user *u,
	   enum wn_folder i, struct wn_folders *f, struct err *e)
{
	const bool xp = in->generation < WN_VISTA;
	const char *below = xp ? known[i].xp : known[i].later;
	const bool shared = i >= WN_PUBLIC_DESKTOP;
	const char *docs = f->at[shared ? WN_PUBLIC_DOCUMENTS : WN_DOCUMENTS];
	const char *top = shared ? in->public_profile : u->profile;

	if (below != NULL && below[0] == '*') {
		top = in->program_data;
		below++;
	}
	if (below == NULL || top == NULL)
		return 0;
	if (xp && docs != NULL && shared &&
	    strncmp(below, "Documents\\", 10) == 0)
		f->at[i] = mem_fmt(e, "%s%s", docs, below + 9);
	else if (xp && docs != NULL && strncmp(below, "My Documents\\", 13) == 0)
		f->at[i] = mem_fmt(e, "%s%s", docs, below + 12);
	else
		f->at[i] = mem_fmt(e, "%s%s%s", top, below[0] == '\0' ||
				   below[0] == '\\' ? "" : "\\", below);
	return f->at[i] == NULL ? -1 : 0;
}

static int
from_hive(const struct wn_install *in, const struct wn_user *u,
	  const struct hv_key *key, enum wn_folder i, struct wn_folders *f,
	  struct err *e)
{
	SCOPED_FREE char *text = NULL;
	struct err why = ERR_INIT;
	size_t n;

	/* A value of a wrong type is no answer. */
	if (key == NULL || hv_get_str(key, known[i].value, &text, &why) != 1 ||
	    text[0] == '\0')
		return why.kind == ERR_NOMEM ? err_set(e, ERR_NOMEM, "%s",
						       why.msg) : 0;
	f->at[i] = wn_expand(in, u, text, e);
	if (f->at[i] == NULL)
		return -1;
	n = strlen(f->at[i]);
	while (n > 3 && f->at[i][n - 1] == '\\')
		f->at[i][--n] = '\0';
	return 0;
}

int
wn_folders(const struct wn_install *in, const struct wn_user *u,
	   struct hv_hive *ntuser, struct wn_folders *ret, struct err *e)
{
	WN_FOLDERS_SCOPED struct wn_folders f = WN_FOLDERS_EMPTY;
	/* Loaded when the installation's users were read. */
	struct hv_hive *machine = in->hive[WN_SOFTWARE];
	struct hv_key *own = hv_find(hv_root(ntuser), "Software\\" FOLDERS);
	struct hv_key *shared = machine == NULL ? NULL :
		hv_find(hv_root(machine), FOLDERS);

	if (u->profile == NULL)
		return err_set(e, ERR_CORRUPT, "%s: ProfileList names no "
			       "folder", u->name);
	for (size_t i = 0; i < WN_FOLDERS; i++) {
		const bool mine = i < WN_PUBLIC_DESKTOP;

		if (from_hive(in, u, mine ? own : shared, (enum wn_folder)i,
			      &f, e) < 0)
			return -1;
		if (f.at[i] == NULL &&
		    by_default(in, u, (enum wn_folder)i, &f, e) < 0)
			return -1;
		f.moved[i] = mine && f.at[i] != NULL && !inside(f.at[i], u->profile);
	}
	*ret = TAKE(f);
	return 0;
}

/* UsrClass.dat lies in the local application data, whose name in XP depends on
 * the language: then the user's own hive knows it. */
static char *
usrclass_path(const struct wn_install *in, const struct wn_user *u,
	      struct err *e)
{
	static const char rest[] = "Microsoft\\Windows\\UsrClass.dat";
	const char *below = in->generation < WN_VISTA ? known[WN_LOCAL].xp :
		known[WN_LOCAL].later;
	SCOPED_FREE char *path = mem_fmt(e, "%s\\%s\\%s", u->profile, below,
					 rest);
	HV_SCOPED struct hv_hive *h = NULL;
	WN_FOLDERS_SCOPED struct wn_folders f = WN_FOLDERS_EMPTY;
	struct err why = ERR_INIT;
	int r = path == NULL ? -1 : wn_path_exists(in, path, e);

	if (r < 0)
		return NULL;
	if (r == 1 || in->generation >= WN_VISTA)
		return TAKE(path);
	h = wn_user_hive(in, u, WN_NTUSER, HV_LOGS_READ, &why);
	if (h == NULL || wn_folders(in, u, h, &f, &why) < 0)
		return TAKE(path);
	return mem_fmt(e, "%s\\%s", f.at[WN_LOCAL], rest);
}

char *
wn_user_hive_path(const struct wn_install *in, const struct wn_user *u,
		  enum wn_user_hive which, struct err *e)
{
	if (u->profile == NULL) {
		(void)err_set(e, ERR_NO, "%s: ProfileList names no folder",
			      u->name);
		return NULL;
	}
	if (which == WN_NTUSER)
		return mem_fmt(e, "%s\\NTUSER.DAT", u->profile);
	return usrclass_path(in, u, e);
}

struct hv_hive *
wn_user_hive(const struct wn_install *in, const struct wn_user *u,
	     enum wn_user_hive which, enum hv_logs how, struct err *e)
{
	SCOPED_FREE char *path = wn_user_hive_path(in, u, which, e);
	SCOPED_FREE char *below = NULL;
	size_t volume;
	int r = path == NULL ? -1 : wn_find_path(in, path, &volume, &below, e);

	if (r < 0)
		return NULL;
	if (r == 0 || in->guest->volume[volume].vo == NULL) {
		(void)err_set(e, ERR_NO, "%s: lies on no volume that is here",
			      path);
		return NULL;
	}
	return wn_load_hive(in->guest->volume[volume].vo, below, how, e);
}
