/* software.c - HKLM\SOFTWARE, SECURITY and the DEFAULT user of a machine
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/hives.h"

#include "base/err.h"
#include "testdata/pe.h"

static const char *const version_lines[] = {
	"[Microsoft\\Windows NT\\CurrentVersion]",
	"ProductName=s:@product@",
	"EditionID=s:@edition@",
	"CurrentVersion=s:@version@",
	"CurrentBuildNumber=s:@build@",
	"CurrentBuild=s:@build@",
	"BuildLab=s:@buildlab@",
	"BuildLabEx=s:@buildlab@",
	"CSDVersion=s:@pack@",
	"InstallationType=s:Client",
	"CurrentType=s:Multiprocessor Free",
	"SystemRoot=s:@drive@\\@windows@",
	"PathName=s:@drive@\\@windows@",
	"RegisteredOwner=s:Office",
	"RegisteredOrganization=s:Corp Example",
	"ProductId=s:55274-640-1011873-23081",
	NULL
};

static const char *const lines[] = {
	"[Microsoft\\Windows NT\\CurrentVersion\\Winlogon]",
	"Shell=s:explorer.exe",
	"Userinit=s:@drive@\\@windows@\\system32\\userinit.exe,",
	"DefaultUserName=s:@first@",
	"DefaultDomainName=s:@computer@",
	"[Microsoft\\Windows NT\\CurrentVersion\\Fonts]",
	"Arial (TrueType)=s:arial.ttf",
	"[Microsoft\\Windows NT\\CurrentVersion\\Print\\Printers]",
	"[Microsoft\\Windows\\CurrentVersion]",
	"CommonFilesDir=s:@drive@\\@programs@\\Common Files",
	"ProgramFilesDir=s:@drive@\\@programs@",
	"DevicePath=e:%SystemRoot%\\inf",
	"[Microsoft\\Windows\\CurrentVersion\\Explorer\\User Shell Folders]",
	"Common Desktop=e:@shareddesktop@",
	"Common Documents=e:@shareddocuments@",
	"Common AppData=e:@sharedappdata@",
	"Common Start Menu=e:@sharedstart@",
	"[Microsoft\\Windows\\CurrentVersion\\Run]",
	"[Microsoft\\Windows\\CurrentVersion\\Uninstall\\7-Zip]",
	"DisplayName=s:7-Zip 9.20",
	"DisplayVersion=s:9.20",
	"Publisher=s:Igor Pavlov",
	"UninstallString=s:@drive@\\@programs@\\7-Zip\\Uninstall.exe",
	"[Microsoft\\Windows\\CurrentVersion\\Uninstall\\"
	"{90120000-0030-0000-0000-0000000FF1CE}]",
	"DisplayName=s:Microsoft Office Enterprise 2007",
	"DisplayVersion=s:12.0.4518.1014",
	"Publisher=s:Microsoft Corporation",
	"WindowsInstaller=d:1",
	"[Microsoft\\Windows\\CurrentVersion\\Uninstall\\LobClient]",
	"DisplayName=s:Line-of-Business Client",
	"DisplayVersion=s:3.1",
	"[Microsoft\\Cryptography]",
	"MachineGuid=s:@machineguid@",
	"[Classes\\.txt]",
	"=s:txtfile",
	"[Classes\\txtfile\\shell\\open\\command]",
	"=e:%SystemRoot%\\system32\\NOTEPAD.EXE %1",
	"[Clients\\Mail]",
	"[Policies]",
	NULL
};

static const char *const win10_lines[] = {
	"CurrentMajorVersionNumber=d:10",
	"CurrentMinorVersionNumber=d:0",
	"ReleaseId=s:2009",
	"DisplayVersion=s:22H2",
	"UBR=d:2965",
	NULL
};

static void
put_person(struct guest *g, struct reg *r, const struct person *p)
{
	uint8_t sid[ACL_SID_MAX];
	size_t n = acl_sid(p->sid, sid);

	reg_line(r, path_of("[Microsoft\\Windows NT\\CurrentVersion\\"
			    "ProfileList\\%s]", p->sid));
	reg_line(r, path_of("ProfileImagePath=e:%s\\%s\\%s",
			    nt6(g) ? g->letter == 'D' ? "D:" : "C:" :
			    "%SystemDrive%", g->dir->users, p->name));
	reg_line(r, "Flags=d:0");
	reg_line(r, g->kind->id == XP ? "State=d:0x100" : "State=d:0");
	reg_line(r, "RefCount=d:0");
	reg_value(r, "Sid", 3, sid, n);
	if (g->kind->id == XP)
		reg_line(r, "CentralProfile=s:");
}

static void
put_profiles(struct guest *g, struct reg *r)
{
	static const char *const service[] = {
		"S-1-5-18", "S-1-5-19", "S-1-5-20",
	};
	static const char *const xp_home[] = {
		"%systemroot%\\system32\\config\\systemprofile",
		"%SystemDrive%\\Documents and Settings\\LocalService",
		"%SystemDrive%\\Documents and Settings\\NetworkService",
	};
	static const char *const nt6_home[] = {
		"%systemroot%\\system32\\config\\systemprofile",
		"%systemroot%\\ServiceProfiles\\LocalService",
		"%systemroot%\\ServiceProfiles\\NetworkService",
	};

	reg_line(r, "[Microsoft\\Windows NT\\CurrentVersion\\ProfileList]");
	reg_line(r, path_of("ProfilesDirectory=e:%%SystemDrive%%\\%s",
			    g->dir->users));
	if (nt6(g)) {
		reg_line(r, "Default=e:%SystemDrive%\\Users\\Default");
		reg_line(r, "Public=e:%SystemDrive%\\Users\\Public");
		reg_line(r, "ProgramData=e:%SystemDrive%\\ProgramData");
	} else {
		reg_line(r, path_of("DefaultUserProfile=s:%s", g->dir->fresh));
		reg_line(r, path_of("AllUsersProfile=s:%s", g->dir->shared));
	}
	for (int i = 0; i < 3; i++) {
		reg_line(r, path_of("[Microsoft\\Windows NT\\CurrentVersion\\"
				    "ProfileList\\%s]", service[i]));
		reg_line(r, path_of("ProfileImagePath=e:%s",
				    nt6(g) ? nt6_home[i] : xp_home[i]));
		reg_line(r, "Flags=d:12");
		reg_line(r, "State=d:0");
		reg_line(r, "RefCount=d:1");
	}
	for (const struct person *p = g->kind->people; p->name != NULL; p++)
		if (p->profile)
			put_person(g, r, p);
}

void
hive_software(struct guest *g)
{
	struct words words;
	struct reg *r = hive_new(g, "SOFTWARE", nt6(g) ?
		"CMI-CreateHive{3D971F19-49AB-4000-8D39-A6D9C673D809}" :
		"$$$PROTO.HIV", 5);

	if (r == NULL)
		return;
	hive_words(g, &words);
	reg_lines(r, version_lines, words.at);
	if (g->kind->id == WIN10)
		reg_lines(r, win10_lines, words.at);
	reg_lines(r, lines, words.at);
	put_profiles(g, r);
	hive_put(g, r, "software");
}

static const char *const security_lines[] = {
	"[Policy\\Accounts]",
	"[Policy\\PolAdtEv]",
	"[Cache]",
	"[RXACT]",
	NULL
};

static const char *const default_lines[] = {
	"[Control Panel\\Desktop]",
	"ScreenSaveActive=s:1",
	"SCRNSAVE.EXE=s:logon.scr",
	"[Control Panel\\International]",
	"Locale=s:00000409",
	"[Keyboard Layout\\Preload]",
	"1=s:00000409",
	"[Software\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon]",
	NULL
};

void
hive_rest(struct guest *g)
{
	const struct reg_word none = { NULL, NULL };
	struct reg *r = hive_new(g, "SECURITY", "SECURITY", 3);

	if (r != NULL) {
		reg_lines(r, security_lines, &none);
		hive_put(g, r, "SECURITY");
	}
	r = hive_new(g, "DEFAULT", "DEFAULT", 3);
	if (r != NULL) {
		reg_lines(r, default_lines, &none);
		hive_put(g, r, "default");
	}
}
