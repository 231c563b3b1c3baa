/* windows.h - what a Windows installation on a disk is, from its own hives
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * wn_open() opens every volume of a disk, finds the installations on them and
 * reads what each says about itself.  Nothing is assumed from names: the drive
 * letters come from MountedDevices, folders from the hives, the control set
 * from Select\Default (what the next boot uses).
 *
 * Two spellings of paths: a Windows path is "C:\Users\alice"; a volume path is
 * "Users/alice" below the root of one volume (volume/volume.h).  wn_find_path()
 * goes from the first to the second.
 *
 * Everything read comes from the guest and is untrusted; what is missing is
 * NULL or 0, what is broken is named in wn_install.notes.  One thread a guest.
 */
#ifndef WINDOWS_WINDOWS_H
#define WINDOWS_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/scope.h"
#include "disk/parts.h"
#include "hive/hive.h"
#include "volume/appliance.h"
#include "volume/volume.h"
#include "windows/sid.h"

struct dk;
struct err;

enum {
	WN_INSTALLS_MAX = 64,
	WN_USERS_MAX = 65536,
	WN_HIVE_MAX = 1 << 30,	/* bytes of a hive file that is read */
};

/* A partition, and the volume on it if it could be opened; or a volume that
 * LVM or a dynamic disk makes. */
struct wn_volume {
	unsigned part;		/* its number in the partition table, or 0 */
	char *name;		/* owned: "VG/LV"; NULL: a partition */
	uint64_t start, size;	/* bytes on the disk; start is 0 with a name */
	bool active;
	bool esp;		/* EFI system partition */
	uint8_t guid[16];	/* GPT */
	enum vo_kind kind;
	struct vo *vo;		/* owned; NULL: not opened, see why */
	char *why;		/* why not opened, or not for writing */
	enum err_kind refused;	/* the kind of that reason */
	bool writable;
};

enum wn_arch { WN_ARCH_UNKNOWN, WN_X86, WN_AMD64, WN_ARM64, WN_IA64 };

/* By version number, so that they compare. */
enum wn_generation {
	WN_GEN_UNKNOWN, WN_2000, WN_XP, WN_2003, WN_VISTA, WN_7, WN_8, WN_8_1,
	WN_10, WN_11,
};

enum wn_hive {
	WN_SYSTEM, WN_SOFTWARE, WN_SAM, WN_SECURITY, WN_DEFAULT, WN_HIVES
};

enum wn_account {
	WN_ACCOUNT_UNKNOWN,
	WN_ACCOUNT_LOCAL,	/* of this machine */
	WN_ACCOUNT_DOMAIN,
	WN_ACCOUNT_CLOUD,	/* S-1-12-1: Entra */
	WN_ACCOUNT_SYSTEM,	/* S-1-5-18, -19, -20 */
};

/* One profile of ProfileList. */
struct wn_user {
	char *name;		/* from the SAM, else from the profile's folder */
	struct wn_sid sid;
	enum wn_account account;
	bool in_sam;		/* the machine's own accounts know it */
	char *profile;		/* Windows path, expanded */
	char *key;		/* ProfileList's name for it: the SID, or
				 * "SID.bak" */
	uint32_t state;		/* its State value */
	bool exists;		/* the folder is there */
	bool has_hive;		/* with an NTUSER.DAT */
	bool mandatory;		/* with an NTUSER.MAN instead */
	char *central;		/* a roaming profile's own place, or NULL */
	uint64_t used;		/* FILETIME of the last use, 0 unknown */
};

/* An account of the SAM; it may have no profile. */
struct wn_sam_account {
	char *name;
	uint32_t rid;
};

struct wn_letter {
	char letter;		/* 'C' */
	size_t volume;		/* of the guest; SIZE_MAX: on no disk here */
	char *device;		/* what MountedDevices says it is */
};

struct wn_install {
	struct wn_guest *guest;
	size_t volume;
	char *root;		/* volume path of its folder: "WINDOWS" */
	char *system_root;	/* Windows path of it: "C:\WINDOWS" */
	char *drive;		/* "C:" */

	enum wn_generation generation;
	unsigned major, minor, build;
	char *product, *edition, *service_pack;
	enum wn_arch arch;
	uint16_t language;	/* LCID of the installation, 0 unknown */
	bool server;

	uint32_t control_set;	/* Select\Default */
	uint32_t current_set;	/* Select\Current */
	char *computer, *domain;	/* domain: DNS or flat name, or NULL */
	struct wn_sid machine_sid;	/* of its SAM */

	char *profiles;		/* Windows paths: "C:\Users" */
	char *default_profile, *public_profile, *program_data;
	char *program_files, *program_files_x86;	/* or NULL */

	size_t letters, users, accounts;
	struct wn_letter *letter;	/* owned arrays */
	struct wn_user *user;
	struct wn_sam_account *account;

	bool boots;		/* the boot files' default entry */
	char *boot_title;	/* of that entry, or NULL */

	bool hibernated, fast_startup, volume_dirty, pending, generalised;
	bool dirty_hive[WN_HIVES];
	char *hive_path[WN_HIVES];	/* volume paths */
	struct hv_hive *hive[WN_HIVES];	/* owned; NULL until wn_hive() */
	char *notes;		/* lines about what could not be read, or NULL */
};

struct wn_guest {
	struct dk *disk;	/* not owned */
	struct vo_appliance *appliance;	/* owned, or NULL */
	struct dk_parts parts;
	size_t volumes, installs;
	struct wn_volume *volume;	/* owned; order of the partition table */
	struct wn_install *install;	/* owned; the one that boots first */
};

#define WN_SCOPED SCOPED(wn_free)

/*
 * Open all volumes and look.  With VO_WRITE in flags they are opened for
 * writing; a volume that must not be written (dirty, hibernated) is then opened
 * for reading, and wn_writable() says why.  `disk` must outlive the guest.
 * A disk without any installation is a guest with installs == 0.
 */
MUST_CHECK struct wn_guest *wn_open(struct dk *disk, unsigned flags,
				    struct err *e);

/*
 * For many disks, one appliance (volume/appliance.h): open without it (NULL),
 * ask whether that left out what matters - a Windows that may lie where only
 * the appliance reads - and open those disks again with one that has them all.
 * It must outlive the guests.  wn_open() does the same for one disk.
 */
MUST_CHECK struct wn_guest *wn_open_with(struct dk *disk, unsigned flags,
					 struct vo_appliance *a,
					 struct err *e);
bool wn_wants_appliance(const struct wn_guest *g, unsigned flags);

/* Close every volume, writing what is still in memory to the disk; then comes
 * dk_commit().  *g is NULL after, also on failure. */
MUST_CHECK int wn_close(struct wn_guest **g, struct err *e);
void wn_free(struct wn_guest *const *g);

/*
 * The installation that --root names ("C:\Windows", "Windows" or a number from
 * 1); with root NULL the only one, or the one that boots.  None is ERR_NO, no
 * way to choose ERR_USAGE with the list.
 */
MUST_CHECK struct wn_install *wn_choose(struct wn_guest *g, const char *root,
					struct err *e);

/* 0, or ERR_UNSAFE with the reason why its volume must not be written. */
MUST_CHECK int wn_writable(const struct wn_install *in, struct err *e);

/* The volume that holds it. */
struct vo *wn_vo(const struct wn_install *in);

const char *wn_generation_name(enum wn_generation g);	/* "Windows 7" */
const char *wn_arch_name(enum wn_arch a);		/* "x86", "amd64" */
const char *wn_account_name(enum wn_account a);		/* "local" */
/* "en-US" for the common ones, else NULL. */
const char *wn_language_tag(uint16_t lcid);

/* ---- hives --------------------------------------------------------------- */

/* A hive in a volume, with the logs that lie beside it; the caller frees. */
MUST_CHECK struct hv_hive *wn_load_hive(struct vo *vo, const char *path,
					enum hv_logs how, struct err *e);

/* One of the machine's hives, loaded once for reading (HV_LOGS_READ) and kept
 * by the installation. */
MUST_CHECK struct hv_hive *wn_hive(struct wn_install *in, enum wn_hive which,
				   struct err *e);

/* One of them for editing (HV_LOGS_REPLAY); the caller frees. */
MUST_CHECK struct hv_hive *wn_hive_load(const struct wn_install *in,
					enum wn_hive which, struct err *e);

/* The control set of the next boot in SYSTEM ("ControlSet001"), or NULL with
 * an error. */
MUST_CHECK struct hv_key *wn_control_set(struct wn_install *in, struct err *e);

/* Where a key is. */
struct wn_key {
	size_t volume;
	char *hive;		/* volume path of the hive's file, owned */
	char *key;		/* below the hive's root, owned */
};

#define WN_KEY_EMPTY { .hive = NULL }
#define WN_KEY_SCOPED SCOPED(wn_key_done)
void wn_key_done(struct wn_key *k);

/*
 * "HKLM\SYSTEM\CurrentControlSet\Services", "HKLM\SOFTWARE\...", "HKLM\SAM",
 * "HKLM\SECURITY", "HKCR\...", "HKU\.DEFAULT\...", "HKU\alice\...",
 * "HKU\S-1-5-21-...\...", "HKU\S-1-5-21-..._Classes\...", long root names too.
 * An unknown root is ERR_USAGE, an unknown user ERR_NO.
 */
MUST_CHECK int wn_find_key(struct wn_install *in, const char *path,
			   struct wn_key *ret, struct err *e);

/* ---- paths --------------------------------------------------------------- */

/*
 * A Windows path ("C:\x", "\??\C:\x", "\\?\C:\x", "\SystemRoot\x") as volume
 * and volume path (forward slashes, no leading one), which the caller frees.
 * 1; 0 when its drive is on no disk here or it is no local path; -1.  The file
 * itself need not exist.
 */
MUST_CHECK int wn_find_path(const struct wn_install *in, const char *path,
			    size_t *ret_volume, char **ret, struct err *e);

/* "%SystemRoot%\x" with what the installation and, if not NULL, the user say
 * put in; unknown variables stay.  The caller frees. */
MUST_CHECK char *wn_expand(const struct wn_install *in,
			   const struct wn_user *user, const char *text,
			   struct err *e);

/* Does the file or folder behind a Windows path exist here?  1, 0, -1. */
MUST_CHECK int wn_path_exists(const struct wn_install *in, const char *path,
			      struct err *e);

/* ---- users --------------------------------------------------------------- */

/* By name (no case; "DOMAIN\name" takes its last part) or SID; NULL when there
 * is none. */
struct wn_user *wn_user(const struct wn_install *in, const char *name);
const struct wn_sam_account *wn_sam_account(const struct wn_install *in,
					    const char *name);

/* The user's NTUSER.DAT, or UsrClass.dat, with its logs; the caller frees.
 * NULL with ERR_NO when the profile has none. */
enum wn_user_hive { WN_NTUSER, WN_USRCLASS };
MUST_CHECK struct hv_hive *wn_user_hive(const struct wn_install *in,
					const struct wn_user *u,
					enum wn_user_hive which,
					enum hv_logs how, struct err *e);

/* The Windows path of one of the user's hives, which the caller frees. */
MUST_CHECK char *wn_user_hive_path(const struct wn_install *in,
				   const struct wn_user *u,
				   enum wn_user_hive which, struct err *e);

/* ---- known folders ------------------------------------------------------- */

/* What a folder is for, whatever it is called and wherever it lies. */
enum wn_folder {
	WN_DESKTOP, WN_DOCUMENTS, WN_PICTURES, WN_MUSIC, WN_VIDEOS,
	WN_FAVORITES, WN_DOWNLOADS, WN_ROAMING, WN_LOCAL, WN_START_MENU,
	WN_PROGRAMS, WN_STARTUP, WN_SEND_TO, WN_RECENT, WN_NETHOOD,
	WN_PRINTHOOD, WN_TEMPLATES, WN_COOKIES, WN_CACHE, WN_HISTORY,
	/* what people share: "All Users", Public, ProgramData */
	WN_PUBLIC_DESKTOP, WN_PUBLIC_DOCUMENTS, WN_PUBLIC_PICTURES,
	WN_PUBLIC_MUSIC, WN_PUBLIC_VIDEOS, WN_PUBLIC_FAVORITES,
	WN_PUBLIC_START_MENU, WN_PUBLIC_TEMPLATES, WN_PROGRAM_DATA,
	WN_FOLDERS
};

const char *wn_folder_name(enum wn_folder f);	/* "documents" */

struct wn_folders {
	char *at[WN_FOLDERS];	/* Windows paths, expanded, owned, or NULL */
	bool moved[WN_FOLDERS];	/* the person's own, but not in the profile */
};

#define WN_FOLDERS_EMPTY { .at = { NULL } }
#define WN_FOLDERS_SCOPED SCOPED(wn_folders_done)
void wn_folders_done(struct wn_folders *f);

/* The user's folders as the hive's "User Shell Folders" says, the shared ones as
 * the machine's does, and what Windows takes where those say nothing. */
MUST_CHECK int wn_folders(const struct wn_install *in, const struct wn_user *u,
			  struct hv_hive *ntuser, struct wn_folders *ret,
			  struct err *e);

/* ---- what is installed --------------------------------------------------- */

struct wn_program {
	char *name, *version;	/* version: or NULL */
};

/* A kind of PCI device that this installation has met. */
struct wn_device {
	char *id;		/* "VEN_8086&DEV_2922&SUBSYS_...&REV_02" */
	char *text, *service;	/* as the hive says, or NULL */
};

struct wn_inventory {
	size_t programs, devices, drivers;
	struct wn_program *program;	/* owned arrays */
	struct wn_device *device;
	char **driver;		/* services that the loader starts */
	char *hal;		/* "acpiapic_mp", or NULL */
};

#define WN_INVENTORY_EMPTY { .program = NULL }
#define WN_INVENTORY_SCOPED SCOPED(wn_inventory_done)
void wn_inventory_done(struct wn_inventory *v);

MUST_CHECK int wn_inventory(struct wn_install *in, struct wn_inventory *ret,
			    struct err *e);

/* ---- logon --------------------------------------------------------------- */

/*
 * Would Windows load this profile, or give the person a temporary one?  Walks
 * what its profile service looks at: the registration and its State, the
 * folder, the hive and its sequence numbers, what the folders, files and the
 * hive's root let the person and SYSTEM do.  1; 0 with *ret_why, which the
 * caller frees; -1.  Specified, not boot-tested.
 */
MUST_CHECK int wn_logon(const struct wn_install *in, const struct wn_user *u,
			char **ret_why, struct err *e);

#endif /* WINDOWS_WINDOWS_H */
