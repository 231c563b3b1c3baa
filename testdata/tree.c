/* tree.c - the folders and files of Windows itself
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/guest.h"

#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "testdata/drivers.h"
#include "testdata/packages.h"
#include "testdata/pe.h"

/* Files of the Windows folder: what they call themselves where that differs,
 * and for which kinds ("xv71"). */
static const struct {
	const char *path, *original, *kinds;
} programs[] = {
	{ "explorer.exe", NULL, "xv71" },
	{ "notepad.exe", NULL, "xv71" },
	{ "regedit.exe", NULL, "xv71" },
	{ "system32/cmd.exe", "Cmd.Exe", "xv71" },
	{ "system32/smss.exe", NULL, "xv71" },
	{ "system32/csrss.exe", NULL, "xv71" },
	{ "system32/winlogon.exe", NULL, "xv71" },
	{ "system32/services.exe", NULL, "xv71" },
	{ "system32/lsass.exe", NULL, "xv71" },
	{ "system32/svchost.exe", NULL, "xv71" },
	{ "system32/userinit.exe", NULL, "xv71" },
	{ "system32/wininit.exe", NULL, "v71" },
	{ "system32/calc.exe", NULL, "xv71" },
	{ "system32/ctfmon.exe", NULL, "xv71" },
	{ "system32/ntdll.dll", NULL, "xv71" },
	{ "system32/kernel32.dll", NULL, "xv71" },
	{ "system32/user32.dll", NULL, "xv71" },
	{ "system32/shell32.dll", NULL, "xv71" },
	{ "system32/kdcom.dll", NULL, "xv71" },
	{ "system32/bootvid.dll", NULL, "xv71" },
	{ "system32/ci.dll", NULL, "v71" },
	{ "system32/clfs.sys", NULL, "v71" },
	{ "system32/ntoskrnl.exe", NULL, "xv71" },
	{ "system32/ntkrnlpa.exe", NULL, "xv" },
	/* XP here is an ACPI uniprocessor PC: its hal.dll is halaacpi.dll. */
	{ "system32/hal.dll", "halaacpi.dll", "x" },
	{ "system32/hal.dll", "halacpi.dll", "v" },
	{ "system32/hal.dll", NULL, "71" },
	{ "system32/halacpi.dll", NULL, "v" },
	{ "system32/halmacpi.dll", NULL, "v" },
	{ "system32/winload.exe", NULL, "v71" },
	{ "system32/winresume.exe", NULL, "v71" },
	{ "system32/winload.efi", NULL, "1" },
	{ "system32/winresume.efi", NULL, "1" },
};

/* What XP's driver cabinet holds beside the drivers: the other HALs and the
 * multiprocessor kernels. */
static const char *const cabinet_extra[] = {
	"hal.dll", "halacpi.dll", "halaacpi.dll", "halmacpi.dll", "halapic.dll",
	"halmps.dll", "ntkrnlmp.exe", "ntkrpamp.exe", "ntoskrnl.exe",
	"ntkrnlpa.exe", "atapi.sys", "intelide.sys", "pciidex.sys", NULL
};

static const char *const windows_dirs[] = {
	"AppPatch", "Cursors", "Debug", "Fonts", "Help", "inf", "Media",
	"Resources", "system32", "system32/config", "system32/drivers",
	"system32/drivers/etc", "system32/spool", "system32/wbem", "Temp",
	"Web", "Web/Wallpaper", NULL
};

static const char *const xp_dirs[] = {
	"Driver Cache", "Driver Cache/i386", "Prefetch", "repair",
	"ServicePackFiles", "ServicePackFiles/i386", "system",
	"system32/dllcache", "system32/CatRoot", NULL
};

static const char *const nt6_dirs[] = {
	"Boot", "System32/CatRoot", "System32/config/RegBack",
	"System32/config/TxR", "System32/DriverStore",
	"System32/DriverStore/FileRepository", "System32/en-US",
	"System32/sysprep", "System32/Tasks", "winsxs", "ServiceProfiles",
	"ServiceProfiles/LocalService", "ServiceProfiles/NetworkService", NULL
};

static void
put_image(struct guest *g, const char *path, const char *original,
	  const char *imports)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	const char *leaf = strrchr(path, '/');

	leaf = leaf == NULL ? path : leaf + 1;
	driver_image(&b, g, leaf, original == NULL ? leaf : original, imports);
	if (buf_ok(&b, g->e) == 0)
		nt_put(g->vol, path_of("%s/%s", g->kind->windows, path), b.at,
		       b.len, 0);
}

static void
put_text(struct guest *g, const char *path, const char *text, uint32_t attrib)
{
	nt_put(g->vol, path, text, strlen(text), attrib);
}

static void
put_programs(struct guest *g)
{
	char letter = "xv71"[g->kind->id];

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strchr(programs[i].kinds, letter) != NULL)
			put_image(g, programs[i].path, programs[i].original,
				  NULL);
}

static void
put_drivers(struct guest *g)
{
	for (const struct driver *d = drivers; d->name != NULL; d++) {
		char start = driver_start(d, g);
		const char *missing = g->opt.missing_driver;

		if (start == '-' || start == 'c' ||
		    (missing != NULL && (strcasecmp(missing, d->name) == 0 ||
					 strcasecmp(missing, d->file) == 0)))
			continue;
		put_image(g, path_of("system32/drivers/%s", d->file), NULL,
			  d->imports);
	}
}

/* %SystemRoot%\Driver Cache\i386\sp3.cab: what Setup did not install. */
static void
put_cabinet(struct guest *g)
{
	enum { MAX = 40 };
	struct buf image[MAX] = { { .at = NULL } };
	struct cab_file file[MAX];
	BUF_SCOPED struct buf cab = BUF_EMPTY;
	size_t n = 0;

	for (const struct driver *d = drivers; d->name != NULL; d++)
		if (driver_start(d, g) == 'c' && n < MAX) {
			driver_image(&image[n], g, d->file, d->file, d->imports);
			file[n++].name = d->file;
		}
	for (size_t i = 0; cabinet_extra[i] != NULL && n < MAX; i++) {
		driver_image(&image[n], g, cabinet_extra[i], cabinet_extra[i],
			     NULL);
		file[n++].name = cabinet_extra[i];
	}
	for (size_t i = 0; i < n; i++) {
		if (buf_ok(&image[i], g->e) < 0)
			break;
		file[i].data = image[i].at;
		file[i].len = image[i].len;
	}
	if (!nt_bad(g->vol))
		cab_put(&cab, file, n);
	if (buf_ok(&cab, g->e) == 0)
		nt_put(g->vol, path_of("%s/Driver Cache/i386/sp3.cab",
				       g->kind->windows), cab.at, cab.len, 0);
	for (size_t i = 0; i < n; i++)
		buf_done(&image[i]);
}

/* Page and hibernation file: allocated, mostly never written, with rests of
 * memory that an image should not carry. */
static void
put_memory_files(struct guest *g)
{
	static const char rest[] = "HALCYON-PAGEFILE-REST of memory\r\n";
	BUF_SCOPED struct buf b = BUF_EMPTY;
	char first[4] = { 0 };

	while (b.len < 256 * 1024 && !b.bad)
		buf_bytes(&b, rest, sizeof(rest));
	if (buf_ok(&b, g->e) < 0)
		return;
	nt_put_part(g->vol, "pagefile.sys", 48 << 20, true, 0, b.at, b.len,
		    NT_HIDDEN | NT_SYSTEM);
	/* PO_MEMORY_IMAGE: "hibr" while hibernated, zeros after a resume. */
	memcpy(first, g->opt.hibernated ? "hibr" : "\0\0\0", 4);
	memset(b.at, 0, 4096);
	memcpy(b.at, first, 4);
	nt_put_part(g->vol, "hiberfil.sys", 32 << 20, true, 0, b.at, b.len,
		    NT_HIDDEN | NT_SYSTEM);
}

static void
put_boot_ini(struct guest *g)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	buf_fmt(&b, "[boot loader]\r\ntimeout=30\r\n"
		"default=multi(0)disk(0)rdisk(0)partition(1)\\%s\r\n"
		"[operating systems]\r\n"
		"multi(0)disk(0)rdisk(0)partition(1)\\%s=\"Microsoft Windows XP "
		"Professional\" /noexecute=optin /fastdetect\r\n",
		g->kind->windows, g->kind->windows);
	if (g->opt.two_installs)
		buf_str(&b, "multi(0)disk(0)rdisk(0)partition(1)\\WINDOWS.1="
			"\"Microsoft Windows XP Professional (second)\" "
			"/noexecute=optin /fastdetect\r\n");
	if (buf_ok(&b, g->e) == 0)
		nt_put(g->vol, "boot.ini", b.at, b.len, NT_HIDDEN | NT_SYSTEM);
	put_text(g, "ntldr", "NTLDR of a fixture guest\r\n",
		 NT_HIDDEN | NT_SYSTEM | NT_READONLY);
	put_text(g, "NTDETECT.COM", "NTDETECT of a fixture guest\r\n",
		 NT_HIDDEN | NT_SYSTEM | NT_READONLY);
	put_text(g, "IO.SYS", "", NT_HIDDEN | NT_SYSTEM | NT_READONLY);
	put_text(g, "MSDOS.SYS", "", NT_HIDDEN | NT_SYSTEM | NT_READONLY);
	put_text(g, "CONFIG.SYS", "", 0);
	put_text(g, "AUTOEXEC.BAT", "", 0);
}

/* The marker that the boot sector reads: a whole cluster, in the first of its
 * sectors the text. */
static void
put_marker(struct guest *g)
{
	char cluster[4096] = "";

	(void)snprintf(cluster, sizeof(cluster),
		       "HALCYON-GUEST %s %s BOOT OK\r\n", g->kind->name,
		       g->kind->computer);
	nt_put(g->vol, "HALCYON.TXT", cluster, sizeof(cluster),
	       NT_HIDDEN | NT_SYSTEM);
}

static void
put_dirs(struct guest *g, const char *const *dirs)
{
	for (; *dirs != NULL; dirs++) {
		bool capital = nt6(g) && **dirs == 's';

		nt_dir(g->vol, path_of("%s/%c%s", g->kind->windows,
				       capital ? 'S' : **dirs, *dirs + 1), 0);
	}
}

/* The Windows folder. */
static void
put_windows(struct guest *g)
{
	nt_dir(g->vol, g->kind->windows, 0);
	put_dirs(g, windows_dirs);
	put_dirs(g, nt6(g) ? nt6_dirs : xp_dirs);
	put_programs(g);
	put_drivers(g);
	put_text(g, path_of("%s/system32/drivers/etc/hosts", g->kind->windows),
		 "127.0.0.1       localhost\r\n", 0);
	put_text(g, path_of("%s/win.ini", g->kind->windows),
		 "; for 16-bit app support\r\n[fonts]\r\n[extensions]\r\n", 0);
	if (!nt6(g))
		put_cabinet(g);
	if (g->kind->id == WIN10)
		packages_fill(g);
}

static void
use_security(struct guest *g)
{
	const char *owner = nt6(g) ? ACL_INSTALLER : ACL_ADMINS;
	struct sd dir = acl_inherited(true, owner, ACL_SYSTEM, ACL_USERS,
				      ACL_FILE_READ);
	struct sd file = acl_inherited(false, owner, ACL_SYSTEM, ACL_USERS,
				       ACL_FILE_READ);

	nt_security(g->vol, &dir, &file);
}

void
tree_fill(struct guest *g)
{
	use_security(g);
	nt_born(g->vol, g->kind->born);
	put_marker(g);
	put_windows(g);
	put_memory_files(g);
	nt_dir(g->vol, "System Volume Information", NT_HIDDEN | NT_SYSTEM);
	nt_dir(g->vol, nt6(g) ? "$Recycle.Bin" : "RECYCLER",
	       NT_HIDDEN | NT_SYSTEM);
	nt_dir(g->vol, g->dir->programs, NT_READONLY);
	nt_dir(g->vol, path_of("%s/Internet Explorer", g->dir->programs), 0);
	if (g->kind->machine == PE_AMD64)
		nt_dir(g->vol, "Program Files (x86)", NT_READONLY);
	if (!nt6(g))
		put_boot_ini(g);
}

void
tree_second(struct guest *g, const char *windows)
{
	struct kind other = *g->kind;
	struct guest second = *g;
	char computer[32];

	(void)snprintf(computer, sizeof(computer), "%s-2", g->kind->computer);
	other.windows = windows;
	other.computer = computer;
	second.kind = &other;
	use_security(g);
	put_windows(&second);
	hives_fill(&second);
}
