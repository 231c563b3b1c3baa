/* people.c - profiles, and the folders that people share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/guest.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/scope.h"
#include "testdata/people.h"

/* Backslashes of a folder's name as '/'; in one of path_of()'s buffers. */
const char *
people_path(const char *base, const char *folder)
{
	char joined[640];

	(void)snprintf(joined, sizeof(joined), "%s/%s", base, folder);
	for (char *c = joined; *c != '\0'; c++)
		if (*c == '\\')
			*c = '/';
	return path_of("%s", joined);
}

/* What a profile's files inherit, and what its root has. */
static void
use_security(struct guest *g, const struct person *who)
{
	const char *owner = who == NULL ? ACL_ADMINS : who->sid;
	const char *group = who == NULL ? ACL_SYSTEM :
			    path_of("%s-513", who->domain ? CORP_SID :
				    g->kind->machine_sid);
	struct sd dir = acl_inherited(true, owner, group,
				      who == NULL ? ACL_USERS : who->sid,
				      who == NULL ? ACL_FILE_READ :
						    ACL_FILE_ALL);
	struct sd file = acl_inherited(false, owner, group,
				       who == NULL ? ACL_USERS : who->sid,
				       who == NULL ? ACL_FILE_READ :
						     ACL_FILE_ALL);

	nt_security(g->vol, &dir, &file);
}

static void
protect_home(struct guest *g, const char *home, const struct person *who)
{
	const struct acl_ace aces[] = {
		{ .flags = 3, .mask = ACL_FILE_ALL, .sid = ACL_SYSTEM },
		{ .flags = 3, .mask = ACL_FILE_ALL, .sid = ACL_ADMINS },
		{ .flags = 3, .mask = ACL_FILE_ALL, .sid = who->sid },
		{ .sid = NULL },
	};
	struct sd sd = acl_sd(ACL_SYSTEM, ACL_SYSTEM, ACL_PROTECTED, aces);

	nt_protect(g->vol, home, &sd);
}

static void
put_folders(struct guest *g, const char *home)
{
	const struct folders *f = g->dir;
	const char *const all[] = {
		f->desktop, f->documents, f->pictures, f->music, f->videos,
		f->favorites, f->roaming, f->local, f->temp, f->start_menu,
		f->send_to, f->recent, f->net_hood, f->print_hood,
		f->templates, f->cookies, f->history, f->cache,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		nt_dirs(g->vol, people_path(home, all[i]));
	nt_dirs(g->vol, people_path(home, path_of("%s\\%s\\%s", f->start_menu,
						  f->start_programs,
						  f->startup)));
	nt_dirs(g->vol, people_path(home, path_of("%s\\Microsoft\\Windows",
						  f->local)));
	nt_dirs(g->vol, people_path(home, path_of(
		"%s\\Microsoft\\Internet Explorer\\Quick Launch", f->roaming)));
	if (nt6(g)) {
		nt_dirs(g->vol, path_of("%s/Downloads", home));
		nt_dirs(g->vol, path_of("%s/Contacts", home));
		nt_dirs(g->vol, path_of("%s/Links", home));
		nt_dirs(g->vol, path_of("%s/Saved Games", home));
		nt_dirs(g->vol, path_of("%s/Searches", home));
		nt_dirs(g->vol, path_of("%s/AppData/LocalLow", home));
	}
}

/* A junction of the compatibility kind: hidden, and nobody may list it. */
static void
put_junction(struct guest *g, const char *path, const char *target, bool link)
{
	const struct acl_ace aces[] = {
		{ .deny = true, .mask = ACL_FILE_LIST, .sid = ACL_EVERYONE },
		{ .mask = ACL_FILE_READ, .sid = ACL_EVERYONE },
		{ .mask = ACL_FILE_ALL, .sid = ACL_SYSTEM },
		{ .mask = ACL_FILE_ALL, .sid = ACL_ADMINS },
		{ .sid = NULL },
	};
	struct sd sd = acl_sd(ACL_SYSTEM, ACL_SYSTEM, ACL_PROTECTED, aces);

	nt_junction(g->vol, path, target, link,
		    NT_HIDDEN | NT_SYSTEM | NT_NOT_INDEXED);
	nt_protect(g->vol, path, &sd);
}

static void
put_home_junctions(struct guest *g, const char *home, const char *name)
{
	static const char *const pairs[][2] = {
		{ "Application Data", "AppData\\Roaming" },
		{ "Cookies", "AppData\\Roaming\\Microsoft\\Windows\\Cookies" },
		{ "Local Settings", "AppData\\Local" },
		{ "My Documents", "Documents" },
		{ "NetHood",
		  "AppData\\Roaming\\Microsoft\\Windows\\Network Shortcuts" },
		{ "PrintHood",
		  "AppData\\Roaming\\Microsoft\\Windows\\Printer Shortcuts" },
		{ "Recent", "AppData\\Roaming\\Microsoft\\Windows\\Recent" },
		{ "SendTo", "AppData\\Roaming\\Microsoft\\Windows\\SendTo" },
		{ "Start Menu",
		  "AppData\\Roaming\\Microsoft\\Windows\\Start Menu" },
		{ "Templates",
		  "AppData\\Roaming\\Microsoft\\Windows\\Templates" },
		{ "Documents\\My Music", "Music" },
		{ "Documents\\My Pictures", "Pictures" },
		{ "Documents\\My Videos", "Videos" },
		{ "AppData\\Local\\Application Data", "AppData\\Local" },
		{ "AppData\\Local\\History",
		  "AppData\\Local\\Microsoft\\Windows\\History" },
		{ "AppData\\Local\\Temporary Internet Files",
		  "AppData\\Local\\Microsoft\\Windows\\"
		  "Temporary Internet Files" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		put_junction(g, people_path(home, pairs[i][0]),
			     path_of("%c:\\Users\\%s\\%s", g->letter, name,
				     pairs[i][1]), false);
}

/* Junctions from XP's names at the root, in ProgramData and in Users. */
static void
put_root_junctions(struct guest *g)
{
	static const char *const pairs[][2] = {
		{ "Documents and Settings", "Users" },
		{ "ProgramData/Application Data", "ProgramData" },
		{ "ProgramData/Desktop", "Users\\Public\\Desktop" },
		{ "ProgramData/Documents", "Users\\Public\\Documents" },
		{ "ProgramData/Favorites", "Users\\Public\\Favorites" },
		{ "ProgramData/Start Menu",
		  "ProgramData\\Microsoft\\Windows\\Start Menu" },
		{ "ProgramData/Templates",
		  "ProgramData\\Microsoft\\Windows\\Templates" },
		{ "Users/Default User", "Users\\Default" },
		{ "Users/All Users", "ProgramData" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		put_junction(g, pairs[i][0],
			     path_of("%c:\\%s", g->letter, pairs[i][1]),
			     strcmp(pairs[i][0], "Users/All Users") == 0);
	if (g->opt.german) {
		put_junction(g, "Dokumente und Einstellungen",
			     path_of("%c:\\Users", g->letter), false);
		put_junction(g, "Programme",
			     path_of("%c:\\Program Files", g->letter), false);
	}
}

static void
put_shared(struct guest *g)
{
	const char *xp = path_of("%s/%s", g->dir->users, g->dir->shared);

	if (nt6(g)) {
		nt_dirs(g->vol, "ProgramData/Microsoft/Windows/Start Menu/"
			"Programs");
		nt_dirs(g->vol, "ProgramData/Microsoft/Windows/Templates");
		nt_dirs(g->vol, "Users/Public/Desktop");
		nt_dirs(g->vol, "Users/Public/Documents");
		nt_dirs(g->vol, "Users/Public/Pictures");
		nt_dirs(g->vol, "Users/Public/Favorites");
		return;
	}
	nt_dirs(g->vol, people_path(xp, g->dir->desktop));
	nt_dirs(g->vol, people_path(xp, g->opt.german ? "Dokumente" :
							"Documents"));
	nt_dirs(g->vol, people_path(xp, g->dir->roaming));
	nt_dirs(g->vol, people_path(xp, path_of("%s\\%s", g->dir->start_menu,
						g->dir->start_programs)));
	nt_dirs(g->vol, path_of("%s/LocalService", g->dir->users));
	nt_dirs(g->vol, path_of("%s/NetworkService", g->dir->users));
}

static void
put_home(struct guest *g, const char *name, const struct person *who)
{
	SCOPED_FREE char *home = mem_fmt(g->e, "%s/%s", g->dir->users, name);

	if (home == NULL)
		return;
	use_security(g, who);
	nt_dirs(g->vol, home);
	put_folders(g, home);
	if (nt6(g))
		put_home_junctions(g, home, name);
	if (who != NULL) {
		nt_born(g->vol, g->kind->born + 300 * NT_DAY);
		put_files(g, who, home);
		nt_born(g->vol, g->kind->born);
		protect_home(g, home, who);
	}
	person_hives(g, who, home);
}

void
people_fill(struct guest *g)
{
	use_security(g, NULL);
	nt_dirs(g->vol, g->dir->users);
	put_shared(g);
	put_home(g, g->dir->fresh, NULL);
	for (const struct person *p = g->kind->people; p->name != NULL; p++)
		if (p->profile)
			put_home(g, p->name, p);
	use_security(g, NULL);
	if (nt6(g))
		put_root_junctions(g);
	put_common_files(g);
}
