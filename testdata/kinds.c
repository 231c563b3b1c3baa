/* kinds.c - the four machines
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/guest.h"

#include "testdata/pe.h"

#define XP_SID		"S-1-5-21-1177238915-1682526488-839522115"
#define VISTA_SID	"S-1-5-21-2893476401-1185539722-3307246158"
#define WIN7_SID	"S-1-5-21-3623811015-3361044348-30300820"
#define WIN10_SID	"S-1-5-21-1004336348-1177238915-682003330"

#define NT6_FOLDERS { \
	.users = "Users", .shared = "Public", .fresh = "Default", \
	.programs = "Program Files", .desktop = "Desktop", \
	.documents = "Documents", .pictures = "Pictures", .music = "Music", \
	.videos = "Videos", .favorites = "Favorites", \
	.roaming = "AppData\\Roaming", .local = "AppData\\Local", \
	.temp = "AppData\\Local\\Temp", \
	.start_menu = "AppData\\Roaming\\Microsoft\\Windows\\Start Menu", \
	.start_programs = "Programs", .startup = "Startup", \
	.send_to = "AppData\\Roaming\\Microsoft\\Windows\\SendTo", \
	.recent = "AppData\\Roaming\\Microsoft\\Windows\\Recent", \
	.net_hood = "AppData\\Roaming\\Microsoft\\Windows\\Network Shortcuts", \
	.print_hood = \
		"AppData\\Roaming\\Microsoft\\Windows\\Printer Shortcuts", \
	.templates = "AppData\\Roaming\\Microsoft\\Windows\\Templates", \
	.cookies = "AppData\\Roaming\\Microsoft\\Windows\\Cookies", \
	.history = "AppData\\Local\\Microsoft\\Windows\\History", \
	.cache = "AppData\\Local\\Microsoft\\Windows\\Temporary Internet Files", \
}

static const struct person old_xp[] = {
	{ "alice", "Alice Adler", XP_SID "-1003", 1003, false, true },
	{ "bob", "Bob Berger", CORP_SID "-1104", 1104, true, true },
	{ .name = NULL }
};

static const struct person old_vista[] = {
	{ "alice", "Alice Adler", VISTA_SID "-1000", 1000, false, true },
	{ "bob", "Bob Berger", CORP_SID "-1104", 1104, true, true },
	{ .name = NULL }
};

/* alice has an account on the new machines, but has never logged on. */
static const struct person new_win7[] = {
	{ "carol", "Carol Conrad", WIN7_SID "-1000", 1000, false, true },
	{ "dave", "Dave Decker", CORP_SID "-1105", 1105, true, true },
	{ "alice", "Alice Adler", WIN7_SID "-1001", 1001, false, false },
	{ .name = NULL }
};

static const struct person new_win10[] = {
	{ "carol", "Carol Conrad", WIN10_SID "-1001", 1001, false, true },
	{ "dave", "Dave Decker", CORP_SID "-1105", 1105, true, true },
	{ "alice", "Alice Adler", WIN10_SID "-1002", 1002, false, false },
	{ .name = NULL }
};

const struct kind kinds[KINDS] = {
	[XP] = {
		.id = XP, .name = "xp", .computer = "XP-OFFICE",
		.windows = "WINDOWS", .machine = PE_I386,
		.product = "Microsoft Windows XP", .edition = "Professional",
		.version = "5.1", .build = "2600",
		.build_lab = "2600.xpsp_sp3_gdr.091208-2036",
		.pack = "Service Pack 3",
		.machine_sid = XP_SID, .signature = 0x50d350d3,
		.serial = UINT64_C(0x5c8c1f3a8c1f0d22), .heads = 240,
		.born = UINT64_C(128500000) * 1000000000, .people = old_xp,
		.folders = {
			.users = "Documents and Settings",
			.shared = "All Users", .fresh = "Default User",
			.programs = "Program Files", .desktop = "Desktop",
			.documents = "My Documents",
			.pictures = "My Documents\\My Pictures",
			.music = "My Documents\\My Music",
			.videos = "My Documents\\My Videos",
			.favorites = "Favorites",
			.roaming = "Application Data",
			.local = "Local Settings\\Application Data",
			.temp = "Local Settings\\Temp",
			.start_menu = "Start Menu",
			.start_programs = "Programs", .startup = "Startup",
			.send_to = "SendTo", .recent = "Recent",
			.net_hood = "NetHood", .print_hood = "PrintHood",
			.templates = "Templates", .cookies = "Cookies",
			.history = "Local Settings\\History",
			.cache = "Local Settings\\Temporary Internet Files",
		},
		.german = {
			.users = "Dokumente und Einstellungen",
			.shared = "All Users", .fresh = "Default User",
			.programs = "Programme", .desktop = "Desktop",
			.documents = "Eigene Dateien",
			.pictures = "Eigene Dateien\\Eigene Bilder",
			.music = "Eigene Dateien\\Eigene Musik",
			.videos = "Eigene Dateien\\Eigene Videos",
			.favorites = "Favoriten",
			.roaming = "Anwendungsdaten",
			.local = "Lokale Einstellungen\\Anwendungsdaten",
			.temp = "Lokale Einstellungen\\Temp",
			.start_menu = "Startmenü",
			.start_programs = "Programme", .startup = "Autostart",
			.send_to = "SendTo", .recent = "Recent",
			.net_hood = "Netzwerkumgebung",
			.print_hood = "Druckumgebung",
			.templates = "Vorlagen", .cookies = "Cookies",
			.history = "Lokale Einstellungen\\Verlauf",
			.cache = "Lokale Einstellungen\\"
				 "Temporary Internet Files",
		},
	},
	[VISTA] = {
		.id = VISTA, .name = "vista", .computer = "VISTA-OLD",
		.windows = "Windows", .machine = PE_I386,
		.product = "Windows Vista (TM) Business", .edition = "Business",
		.version = "6.0", .build = "6002",
		.build_lab = "6002.18005.x86fre.lh_sp2rtm.090410-1830",
		.pack = "Service Pack 2",
		.machine_sid = VISTA_SID, .signature = 0x7a1e33c4,
		.serial = UINT64_C(0xd4f0a3e2f0a3c9b1), .heads = 255,
		.born = UINT64_C(128900000) * 1000000000, .people = old_vista,
		.folders = NT6_FOLDERS, .german = NT6_FOLDERS,
	},
	[WIN7] = {
		.id = WIN7, .name = "win7", .computer = "WIN7-NEW",
		.windows = "Windows", .machine = PE_AMD64,
		.product = "Windows 7 Professional", .edition = "Professional",
		.version = "6.1", .build = "7601",
		.build_lab = "7601.17514.amd64fre.win7sp1_rtm.101119-1850",
		.pack = "Service Pack 1",
		.machine_sid = WIN7_SID, .signature = 0x1f4c9a02,
		.serial = UINT64_C(0x7e30b9a530b96421), .heads = 255,
		.born = UINT64_C(129500000) * 1000000000, .people = new_win7,
		.folders = NT6_FOLDERS, .german = NT6_FOLDERS,
	},
	[WIN10] = {
		.id = WIN10, .name = "win10", .computer = "WIN10-NEW",
		.windows = "Windows", .machine = PE_AMD64,
		.product = "Windows 10 Pro", .edition = "Professional",
		.version = "6.3", .build = "19045",
		.build_lab = "19041.1.amd64fre.vb_release.191206-1406",
		.pack = "",
		.machine_sid = WIN10_SID, .signature = 0x9b3d11e7,
		.serial = UINT64_C(0x2a6c418e6c4100f7), .heads = 255,
		.born = UINT64_C(132600000) * 1000000000, .people = new_win10,
		.folders = NT6_FOLDERS, .german = NT6_FOLDERS,
	},
};
