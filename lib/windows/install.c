/* install.c - what an installation's own hives say about it
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sources: the values are those that Windows Setup and the loader write;
 * docs/FORMAT.md lists each under "Profile bundles".
 */
#include "windows/windows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "windows/windows-private.h"

int
wn_note(struct wn_install *in, struct err *e, const char *fmt, ...)
{
	SCOPED_FREE char *had = TAKE(in->notes);
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	in->notes = mem_fmt(e, "%s%s\n", had == NULL ? "" : had, line);
	return in->notes == NULL ? -1 : 0;
}

int
wn_pardon(struct wn_install *in, int r, struct err *why, struct err *e)
{
	if (r >= 0)
		return 0;
	if (why->kind == ERR_NOMEM || why->kind == ERR_INTERRUPTED) {
		*e = *why;
		return -1;
	}
	return wn_note(in, e, "%s", why->msg);
}

int
wn_str(struct wn_install *in, const struct hv_key *k, const char *name,
       char **ret, struct err *e)
{
	struct err why = ERR_INIT;

	if (k == NULL)
		return 0;
	free(TAKE(*ret));
	return wn_pardon(in, hv_get_str(k, name, ret, &why), &why, e);
}

int
wn_dword(struct wn_install *in, const struct hv_key *k, const char *name,
	 uint32_t *ret, struct err *e)
{
	struct err why = ERR_INIT;

	if (k == NULL)
		return 0;
	return wn_pardon(in, hv_get_dword(k, name, ret, &why), &why, e);
}

static enum wn_generation
generation(unsigned major, unsigned minor, unsigned build)
{
	if (major >= 10)
		return build >= 22000 ? WN_11 : WN_10;
	if (major == 6)
		return minor == 0 ? WN_VISTA : minor == 1 ? WN_7 :
			minor == 2 ? WN_8 : WN_8_1;
	if (major == 5)
		return minor == 0 ? WN_2000 : minor == 1 ? WN_XP : WN_2003;
	return WN_GEN_UNKNOWN;
}

/* "6.1" and "7601", or the two numbers that Windows 10 added. */
static int
read_version(struct wn_install *in, const struct hv_key *k, struct err *e)
{
	SCOPED_FREE char *version = NULL, *build = NULL, *type = NULL;
	uint32_t major = 0, minor = 0;
	uint64_t n;

	if (wn_str(in, k, "CurrentVersion", &version, e) < 0 ||
	    wn_str(in, k, "CurrentBuildNumber", &build, e) < 0 ||
	    wn_str(in, k, "InstallationType", &type, e) < 0 ||
	    wn_str(in, k, "ProductName", &in->product, e) < 0 ||
	    wn_str(in, k, "EditionID", &in->edition, e) < 0 ||
	    wn_str(in, k, "CSDVersion", &in->service_pack, e) < 0 ||
	    wn_dword(in, k, "CurrentMajorVersionNumber", &major, e) < 0 ||
	    wn_dword(in, k, "CurrentMinorVersionNumber", &minor, e) < 0)
		return -1;
	if (in->service_pack != NULL && in->service_pack[0] == '\0')
		free(TAKE(in->service_pack));
	if (major == 0 && version != NULL) {
		char *dot = strchr(version, '.');

		if (dot != NULL) {
			*dot = '\0';
			if (num_parse(version, 0, 99, false, &n))
				major = (uint32_t)n;
			if (num_parse(dot + 1, 0, 99, false, &n))
				minor = (uint32_t)n;
		}
	}
	if (build != NULL && num_parse(build, 0, UINT32_MAX, false, &n))
		in->build = (unsigned)n;
	in->major = major;
	in->minor = minor;
	in->generation = generation(major, minor, in->build);
	in->server = in->generation == WN_2003 ||
		(type != NULL && utf_same8(type, "Server"));
	return 0;
}

static int
read_folders(struct wn_install *in, struct hv_key *root, struct err *e)
{
	struct hv_key *cv = hv_find(root, "Microsoft\\Windows\\CurrentVersion");
	struct hv_key *list = hv_find(root, "Microsoft\\Windows NT\\"
				      "CurrentVersion\\ProfileList");
	static const struct {
		size_t at;
		const char *name, *xp_name;
	} named[] = {
		{ offsetof(struct wn_install, profiles), "ProfilesDirectory",
		  "ProfilesDirectory" },
		{ offsetof(struct wn_install, default_profile), "Default",
		  "DefaultUserProfile" },
		{ offsetof(struct wn_install, public_profile), "Public",
		  "AllUsersProfile" },
		{ offsetof(struct wn_install, program_data), "ProgramData",
		  NULL },
	};

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		char **at = (char **)(void *)((char *)in + named[i].at);
		bool xp = in->generation < WN_VISTA;
		SCOPED_FREE char *text = NULL, *whole = NULL;
		const char *name = xp ? named[i].xp_name : named[i].name;

		if (name == NULL)
			continue;
		if (wn_str(in, list, name, &text, e) < 0)
			return -1;
		/* XP names the two inside its profiles folder. */
		if (text != NULL && xp && i > 0 && in->profiles != NULL) {
			whole = mem_fmt(e, "%s\\%s", in->profiles, text);
			if (whole == NULL)
				return -1;
		}
		if (text != NULL) {
			*at = wn_expand(in, NULL, whole != NULL ? whole : text,
					e);
			if (*at == NULL)
				return -1;
		}
	}
	if (wn_str(in, cv, "ProgramFilesDir", &in->program_files, e) < 0)
		return -1;
	return wn_str(in, cv, "ProgramFilesDir (x86)", &in->program_files_x86,
		      e);
}

static int
read_software(struct wn_install *in, struct err *e)
{
	struct err why = ERR_INIT;
	struct hv_hive *h = wn_hive(in, WN_SOFTWARE, &why);
	SCOPED_FREE char *state = NULL;
	struct hv_key *root, *nt;

	if (h == NULL)
		return wn_pardon(in, -1, &why, e);
	root = hv_root(h);
	nt = hv_find(root, "Microsoft\\Windows NT\\CurrentVersion");
	if (wn_str(in, nt, "SystemRoot", &in->system_root, e) < 0 ||
	    read_version(in, nt, e) < 0)
		return -1;
	if (in->system_root != NULL && strlen(in->system_root) >= 3 &&
	    in->system_root[1] == ':') {
		in->drive = mem_strn(in->system_root, 2, e);
		if (in->drive == NULL)
			return -1;
	}
	if (wn_str(in, hv_find(root, "Microsoft\\Windows\\CurrentVersion\\"
			       "Setup\\State"), "ImageState", &state, e) < 0)
		return -1;
	in->generalised = state != NULL && strstr(state, "GENERALIZE") != NULL;
	in->pending = hv_find(root, "Microsoft\\Windows\\CurrentVersion\\"
			      "Component Based Servicing\\RebootPending") !=
		NULL;
	return 0;
}

static int
read_machine(struct wn_install *in, struct hv_key *set, struct err *e)
{
	SCOPED_FREE char *language = NULL, *arch = NULL;
	struct hv_key *manager = hv_find(set, "Control\\Session Manager");
	uint32_t fast = 0;
	uint64_t n;

	if (wn_str(in, hv_find(set, "Control\\ComputerName\\ComputerName"),
		   "ComputerName", &in->computer, e) < 0 ||
	    wn_str(in, hv_find(set, "Services\\Tcpip\\Parameters"), "Domain",
		   &in->domain, e) < 0 ||
	    wn_str(in, hv_find(set, "Control\\Nls\\Language"),
		   "InstallLanguage", &language, e) < 0 ||
	    wn_str(in, hv_find(set, "Control\\Session Manager\\Environment"),
		   "PROCESSOR_ARCHITECTURE", &arch, e) < 0 ||
	    wn_dword(in, hv_find(set, "Control\\Session Manager\\Power"),
		     "HiberbootEnabled", &fast, e) < 0)
		return -1;
	if (in->domain != NULL && in->domain[0] == '\0')
		free(TAKE(in->domain));
	if (language != NULL) {
		char hex[16];

		(void)snprintf(hex, sizeof(hex), "0x%s", language);
		if (num_parse(hex, 0, UINT16_MAX, false, &n))
			in->language = (uint16_t)n;
	}
	if (arch != NULL)
		in->arch = utf_same8(arch, "x86") ? WN_X86 :
			utf_same8(arch, "AMD64") ? WN_AMD64 :
			utf_same8(arch, "ARM64") ? WN_ARM64 :
			utf_same8(arch, "IA64") ? WN_IA64 : WN_ARCH_UNKNOWN;
	in->fast_startup = fast == 1 && in->generation >= WN_8;
	if (manager != NULL &&
	    hv_value(manager, "PendingFileRenameOperations") != NULL)
		in->pending = true;
	return 0;
}

static int
read_system(struct wn_install *in, struct err *e)
{
	struct err why = ERR_INIT;
	struct hv_hive *h = wn_hive(in, WN_SYSTEM, &why);
	struct hv_key *select, *set;

	if (h == NULL)
		return wn_pardon(in, -1, &why, e);
	select = hv_find(hv_root(h), "Select");
	if (wn_dword(in, select, "Default", &in->control_set, e) < 0 ||
	    wn_dword(in, select, "Current", &in->current_set, e) < 0)
		return -1;
	set = wn_control_set(in, &why);
	if (set == NULL)
		return wn_pardon(in, -1, &why, e);
	return read_machine(in, set, e);
}

/* Which of the machine's hives have changes only in their logs. */
static void
read_state(struct wn_install *in)
{
	const struct vo_facts *f = vo_facts(wn_vo(in));

	in->hibernated = f->hibernated;
	in->volume_dirty = f->dirty || f->log_dirty;
	for (size_t i = 0; i < WN_HIVES; i++)
		in->dirty_hive[i] = in->hive[i] != NULL &&
			hv_facts(in->hive[i])->dirty;
}

int
wn_read_install(struct wn_install *in, struct err *e)
{
	struct err why = ERR_INIT;
	struct hv_hive *h;

	if (read_software(in, e) < 0 || read_system(in, e) < 0 ||
	    wn_read_letters(in, e) < 0)
		return -1;
	h = wn_hive(in, WN_SOFTWARE, &why);
	if (h != NULL && read_folders(in, hv_root(h), e) < 0)
		return -1;
	if (wn_read_accounts(in, e) < 0 || wn_read_users(in, e) < 0)
		return -1;
	read_state(in);
	return 0;
}
