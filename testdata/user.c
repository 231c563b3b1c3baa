/* user.c - NTUSER.DAT and UsrClass.dat of a person
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What people of the old machines set differs from what a fresh profile has, so
 * that a test sees what arrived.
 */
#include "testdata/guest.h"

#include "base/buf.h"
#include "base/err.h"
#include "testdata/hives.h"

/* A fresh profile's settings. */
static const char *const fresh_lines[] = {
	"[AppEvents\\Schemes]",
	"=s:.Default",
	"[Console]",
	"FontFamily=d:0",
	"[Control Panel\\Accessibility\\StickyKeys]",
	"Flags=s:510",
	"[Control Panel\\Colors]",
	"Background=s:@background@",
	"[Control Panel\\Cursors]",
	"[Control Panel\\Desktop]",
	"CursorBlinkRate=s:@blink@",
	"DragFullWindows=s:@drag@",
	"FontSmoothing=s:2",
	"MenuShowDelay=s:@menu@",
	"SCRNSAVE.EXE=s:@saver@",
	"ScreenSaveActive=s:1",
	"ScreenSaverIsSecure=s:@secure@",
	"ScreenSaveTimeOut=s:@saverwait@",
	"TileWallpaper=s:@tile@",
	"UserPreferencesMask=b:@mask@",
	"Wallpaper=s:@wallpaper@",
	"WallpaperStyle=s:@style@",
	"WheelScrollLines=s:@wheel@",
	"[Control Panel\\Desktop\\WindowMetrics]",
	"IconSpacing=s:-1125",
	"MinAnimate=s:@animate@",
	"[Control Panel\\International]",
	"Locale=s:@locale@",
	"sCountry=s:@country@",
	"sDate=s:@datesep@",
	"sDecimal=s:@decimal@",
	"sShortDate=s:@shortdate@",
	"sTimeFormat=s:@timeformat@",
	"iMeasure=s:@measure@",
	"[Control Panel\\International\\Geo]",
	"Nation=s:@nation@",
	"[Control Panel\\Keyboard]",
	"InitialKeyboardIndicators=s:@numlock@",
	"KeyboardDelay=s:@kbddelay@",
	"KeyboardSpeed=s:31",
	"[Control Panel\\Mouse]",
	"DoubleClickSpeed=s:@dblclick@",
	"MouseSensitivity=s:10",
	"MouseSpeed=s:1",
	"MouseThreshold1=s:6",
	"MouseThreshold2=s:10",
	"SnapToDefaultButton=s:0",
	"SwapMouseButtons=s:@swap@",
	"[Environment]",
	"TEMP=e:%USERPROFILE%\\@temp@",
	"TMP=e:%USERPROFILE%\\@temp@",
	"[Keyboard Layout\\Preload]",
	"1=s:@layout@",
	"[Software\\Microsoft\\Internet Explorer\\Main]",
	"Start Page=s:@startpage@",
	"Search Page=s:http://go.microsoft.com/fwlink/?LinkId=54896",
	"Anchor Underline=s:yes",
	"[Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\Advanced]",
	"Hidden=d:@hidden@",
	"HideFileExt=d:@hideext@",
	"ShowCompColor=d:1",
	"ShowInfoTip=d:1",
	"SuperHidden=d:0",
	"[Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\CabinetState]",
	"FullPath=d:@fullpath@",
	"[Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\"
	"User Shell Folders]",
	"AppData=e:%USERPROFILE%\\@roaming@",
	"Cache=e:%USERPROFILE%\\@cache@",
	"Cookies=e:%USERPROFILE%\\@cookies@",
	"Desktop=e:%USERPROFILE%\\@desktop@",
	"Favorites=e:%USERPROFILE%\\@favorites@",
	"History=e:%USERPROFILE%\\@history@",
	"Local AppData=e:%USERPROFILE%\\@local@",
	"My Pictures=e:%USERPROFILE%\\@pictures@",
	"NetHood=e:%USERPROFILE%\\@nethood@",
	"Personal=e:%USERPROFILE%\\@documents@",
	"PrintHood=e:%USERPROFILE%\\@printhood@",
	"Programs=e:%USERPROFILE%\\@start@\\@programs@",
	"Recent=e:%USERPROFILE%\\@recent@",
	"SendTo=e:%USERPROFILE%\\@sendto@",
	"Start Menu=e:%USERPROFILE%\\@start@",
	"Startup=e:%USERPROFILE%\\@start@\\@programs@\\@startup@",
	"Templates=e:%USERPROFILE%\\@templates@",
	NULL
};

static const char *const nt6_lines[] = {
	"My Music=e:%USERPROFILE%\\@music@",
	"My Video=e:%USERPROFILE%\\@videos@",
	"{374DE290-123F-4565-9164-39C4925E467B}=e:%USERPROFILE%\\Downloads",
	NULL
};

static const char *const xp_lines[] = {
	"Local Settings=e:%USERPROFILE%\\@localsettings@",
	NULL
};

/* What only somebody who has worked there has. */
static const char *const worked_lines[] = {
	"[Environment]",
	"PROJECTS=s:@drive@\\Projekte",
	"[Network\\Z]",
	"ConnectionType=d:1",
	"DeferFlags=d:4",
	"ProviderName=s:Microsoft Windows Network",
	"ProviderType=d:0x20000",
	"RemotePath=s:\\\\fileserver\\@name@",
	"UserName=d:0",
	"[Printers\\Connections\\,,printserver,Floor2-Color]",
	"Provider=s:win32spl.dll",
	"Server=s:\\\\printserver",
	"[Software\\Microsoft\\Internet Explorer\\TypedURLs]",
	"url1=s:http://intranet.corp.example/",
	"url2=s:http://www.example.com/@name@",
	"[Software\\Microsoft\\Notepad]",
	"iPointSize=d:140",
	"lfFaceName=s:Courier New",
	"[Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\Shell Folders]",
	"Desktop=s:@home@\\@desktop@",
	"Personal=s:@home@\\@documents@",
	"AppData=s:@home@\\@roaming@",
	"[Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\StuckRects2]",
	"Settings=b:28000000ffffffff03000000010000006b0000001e000000"
	"0000000000000000000500001e000000",
	"[Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\RunMRU]",
	"a=s:notepad\\1",
	"MRUList=s:a",
	"[Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings]",
	"ProxyEnable=d:1",
	"ProxyServer=s:proxy.corp.example:3128",
	"ProxyOverride=s:<local>",
	"[Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\"
	"ZoneMap\\Domains\\corp.example]",
	"*=d:2",
	"[Software\\Microsoft\\Windows\\CurrentVersion\\Run]",
	"ctfmon.exe=s:@drive@\\@windows@\\system32\\ctfmon.exe",
	"Gone=s:@drive@\\@programfiles@\\Gone\\gone.exe",
	"[Software\\Microsoft\\Windows NT\\CurrentVersion\\Windows]",
	"Device=s:\\\\printserver\\Floor2-Color,winspool,Ne00:",
	"[Software\\Corp Example\\Client]",
	"LastDocument=s:@home@\\@documents@\\Letter 001.txt",
	"Marker=s:HALCYON-REGISTRY @name@",
	NULL
};

enum { USER_WORDS = 80 };

struct user_words {
	struct reg_word at[USER_WORDS];
	size_t n;
};

static void
add(struct user_words *w, const char *word, const char *value)
{
	if (w->n + 1 < USER_WORDS) {
		w->at[w->n].word = word;
		w->at[w->n].value = value;
		w->n++;
		w->at[w->n].word = NULL;
	}
}

static void
add_folders(const struct guest *g, struct user_words *w)
{
	const struct folders *f = g->dir;

	add(w, "roaming", f->roaming);
	add(w, "local", f->local);
	add(w, "cache", f->cache);
	add(w, "cookies", f->cookies);
	add(w, "desktop", f->desktop);
	add(w, "favorites", f->favorites);
	add(w, "history", f->history);
	add(w, "pictures", f->pictures);
	add(w, "music", f->music);
	add(w, "videos", f->videos);
	add(w, "nethood", f->net_hood);
	add(w, "documents", f->documents);
	add(w, "printhood", f->print_hood);
	add(w, "start", f->start_menu);
	add(w, "programs", f->start_programs);
	add(w, "startup", f->startup);
	add(w, "recent", f->recent);
	add(w, "sendto", f->send_to);
	add(w, "templates", f->templates);
	add(w, "temp", f->temp);
	add(w, "localsettings", g->opt.german ? "Lokale Einstellungen" :
						"Local Settings");
}

/* Each setting: what a fresh profile has, what its owner made of it. */
static const struct {
	const char *word, *fresh, *set;
} settings[] = {
	{ "background", "0 78 152", "58 110 165" },
	{ "blink", "530", "400" },
	{ "drag", "1", "0" },
	{ "menu", "400", "100" },
	{ "secure", "0", "1" },
	{ "saverwait", "600", "1234" },
	{ "tile", "0", "1" },
	{ "style", "2", "0" },
	{ "wheel", "3", "5" },
	{ "animate", "1", "0" },
	{ "locale", "00000409", "00000407" },
	{ "country", "United States", "Germany" },
	{ "datesep", "/", "." },
	{ "decimal", ".", "," },
	{ "shortdate", "M/d/yyyy", "dd.MM.yyyy" },
	{ "timeformat", "h:mm:ss tt", "HH:mm:ss" },
	{ "measure", "1", "0" },
	{ "nation", "244", "94" },
	{ "numlock", "0", "2" },
	{ "kbddelay", "1", "0" },
	{ "dblclick", "500", "620" },
	{ "swap", "0", "1" },
	{ "layout", "00000409", "00000407" },
	{ "startpage", "http://www.msn.com/",
	  "http://intranet.corp.example/start" },
	{ "hidden", "2", "1" },
	{ "hideext", "1", "0" },
	{ "fullpath", "0", "1" },
};

static void
put_user_lines(struct guest *g, struct reg *r, const struct person *who,
	       const char *home)
{
	/* Only the people of the old machines changed their settings. */
	bool set = who != NULL && g->kind->id <= VISTA;
	struct user_words w = { .n = 0 };
	const char *pictures = path_of("%s\\%s", home, g->dir->pictures);

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		add(&w, settings[i].word,
		    set ? settings[i].set : settings[i].fresh);
	add(&w, "mask", nt6(g) ? "9e3e078012000000" :
				 set ? "be3e0780" : "9e3e0780");
	add(&w, "saver", nt6(g) ? "" : path_of("%c:\\WINDOWS\\System32\\"
					       "logon.scr", g->letter));
	add(&w, "wallpaper", set ? path_of("%s\\wallpaper.bmp", pictures) : "");
	add_folders(g, &w);
	add(&w, "drive", path_of("%c:", g->letter));
	add(&w, "windows", g->kind->windows);
	add(&w, "programfiles", g->dir->programs);
	add(&w, "home", home);
	add(&w, "name", who == NULL ? "" : who->name);
	reg_lines(r, fresh_lines, w.at);
	reg_lines(r, nt6(g) ? nt6_lines : xp_lines, w.at);
	reg_line(r, "[Software\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon]");
	reg_line(r, path_of("BuildNumber=d:%s", g->kind->build));
	reg_line(r, nt6(g) ? "ExcludeProfileDirs=s:AppData\\Local;AppData\\"
			     "LocalLow;$Recycle.Bin" :
			     "ExcludeProfileDirs=s:Local Settings;"
			     "Temporary Internet Files;History;Temp");
	if (who != NULL)
		reg_lines(r, worked_lines, w.at);
}

static struct sd
user_sd(const struct guest *g, const struct person *who)
{
	const struct acl_ace aces[] = {
		{ .flags = 3, .mask = ACL_KEY_ALL, .sid = ACL_SYSTEM },
		{ .flags = 3, .mask = ACL_KEY_ALL, .sid = ACL_ADMINS },
		{ .flags = 3, .mask = ACL_KEY_READ, .sid = ACL_RESTRICTED },
		{ .flags = 3, .mask = ACL_KEY_ALL,
		  .sid = who == NULL ? ACL_SYSTEM : who->sid },
		{ .flags = 3, .mask = ACL_KEY_READ,
		  .sid = g->kind->id == WIN10 ? ACL_APPS : NULL },
		{ .sid = NULL },
	};

	return acl_sd(ACL_ADMINS, ACL_SYSTEM, 0, aces);
}

static void
put_classes(struct guest *g, const struct person *who, const char *home,
	    struct reg_new *n)
{
	const char *dir = path_of("%s/%s/Microsoft/Windows", home,
				  nt6(g) ? "AppData/Local" : g->opt.german ?
				  "Lokale Einstellungen/Anwendungsdaten" :
				  "Local Settings/Application Data");
	struct reg *r;

	n->root = path_of("%s_Classes", who->sid);
	n->file = path_of("\\Microsoft\\Windows\\UsrClass.dat");
	r = reg_new(n, g->e);
	if (r == NULL)
		return;
	reg_line(r, "[.corp]");
	reg_line(r, "=s:Corp.Document");
	reg_line(r, "[Corp.Document\\shell\\open\\command]");
	reg_line(r, "=s:notepad.exe %1");
	hive_store(g, r, path_of("%s/UsrClass.dat", dir), NULL);
}

void
person_hives(struct guest *g, const struct person *who, const char *home)
{
	const char *dos = path_of("%c:\\%s\\%s", g->letter, g->dir->users,
				  who == NULL ? g->dir->fresh : who->name);
	struct reg_new n = {
		.scratch = g->scratch, .minor = 3, .time = g->kind->born,
		.root = nt6(g) ? "CMI-CreateHive{D43B12B8-09B5-40DB-B4F6-"
				 "F6DFEB78DAEC}" : "$$$PROTO.HIV",
		.file = path_of("%s\\NTUSER.DAT", dos),
		.sd = user_sd(g, who),
	};
	struct reg *r;

	if (nt_bad(g->vol))
		return;
	r = reg_new(&n, g->e);
	if (r == NULL)
		return;
	put_user_lines(g, r, who, dos);
	hive_store(g, r, path_of("%s/NTUSER.DAT", home),
		   who == &g->kind->people[0] ? "Software\\Corp Example\\Log" :
						NULL);
	if (who != NULL)
		put_classes(g, who, home, &n);
}
