/* rule.h - what makes an installation hardware-neutral, one file a concern
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A rule looks at the image and says what it wants in a plan (change/plan.h);
 * settling the plan drops what is so already.  A rule never deletes a service
 * and never makes a driver start whose file cannot be loaded: that alone would
 * stop the boot.  What a rule cannot do it says in a note.
 */
#ifndef HAL_NEUTRAL_RULE_H
#define HAL_NEUTRAL_RULE_H

#include "base/attr.h"
#include "hal-neutral/driver.h"
#include "hal-neutral/firstboot.h"
#include "hal-neutral/image.h"
#include "hal-neutral/platform.h"
#include "hal-neutral/supply.h"

struct buf;

/* What to do about the HAL of a 32-bit XP or 2003. */
enum hn_hal_choice {
	HN_HAL_NEEDED,		/* an entry in boot.ini, if a platform needs
				 * another one */
	HN_HAL_MENU,		/* entries for all */
	HN_HAL_REPLACE,		/* other files, if a platform needs them */
};

enum { HN_LATE_MAX = 4, HN_NO_OEM = (int)0x7fffffff };

struct hn_job {
	struct hn_image *im;
	const struct hn_platforms *platforms;
	struct cs_plan *plan;
	struct cs_hive sys;	/* the SYSTEM hive in the plan */
	unsigned volume;	/* the installation's in the plan */
	struct hn_fetch *fetch;
	const struct hn_packages *drivers;	/* --drivers, or NULL */
	enum hn_hal_choice hal;
	struct buf *notes;	/* a line for each thing that stays undone */
	struct hn_step late[HN_LATE_MAX];	/* of the first boot, that rules
						 * want behind all others */
	size_t lates;
	unsigned *oem;		/* N of each package's oemN.inf, HN_NO_OEM */
	unsigned next_oem;	/* that was not looked at yet */
	struct err refused;	/* why a driver that fits was not taken */
};

/* How sure it is. */
enum hn_tested {
	HN_SPECIFIED,		/* from documents and real hives, never booted */
	HN_BOOTED,		/* seen to boot */
};

struct hn_rule {
	const char *name;	/* "storage" */
	const char *what;	/* one line for people */
	const char *source;	/* where the facts come from */
	enum wn_generation first, last;
	enum hn_tested tested;
	int (*wish)(struct hn_job *j, struct err *e);
};

extern const struct hn_rule hn_rule_storage_nt5, hn_rule_storage_nt6,
	hn_rule_boot_sector, hn_rule_boot_ini, hn_rule_bcd, hn_rule_letters,
	hn_rule_processor, hn_rule_agp, hn_rule_filters, hn_rule_san,
	hn_rule_fast_startup, hn_rule_guest_tools, hn_rule_paging,
	hn_rule_network, hn_rule_wizards, hn_rule_policies;

/* All of them, ends with NULL. */
extern const struct hn_rule *const hn_rules[];

/* Let every rule of this generation say what it wants. */
MUST_CHECK int hn_wish(struct hn_job *j, struct err *e);

/* ---- what rules share ---- */

/* Is it a service of guest tools that is to be off? */
bool hn_is_guest_tool(const char *service);

/* "ControlSet001\Services\atapi"; the caller frees. */
MUST_CHECK char *hn_service_key(const struct hn_set *set, const char *service,
				struct err *e);

/*
 * Make sure that System32/drivers/FILE can be loaded, wishing for it where the
 * image can supply it: 1; 0 when it cannot be had, with a note; -1.
 */
MUST_CHECK int hn_want_driver_file(struct hn_job *j, const char *file,
				   struct cs_reason r, struct err *e);

/* Let an existing service start with the boot loader, if its file can be
 * loaded; takes a StartOverride back too.  1, 0 with a note, -1. */
MUST_CHECK int hn_want_boot_start(struct hn_job *j, const struct hn_set *set,
				  const char *service, struct cs_reason r,
				  struct err *e);

/* Lines for boot.ini: `first` before the entry that is started now, the others
 * behind it; and the files they name (rule_hal.c). */
struct hn_ini;
MUST_CHECK int hn_want_hal(struct hn_job *j, struct hn_ini *ini, struct err *e);

/*
 * Wish for the driver of the administrator's folder that serves the device, in
 * this control set: 1; 0 when there is none; -1, ERR_UNSAFE when there are only
 * such that this Windows would not start.
 */
MUST_CHECK int hn_inject(struct hn_job *j, const struct hn_set *set,
			 const struct hn_device *d, struct err *e);

/* ---- packages (rule_package.c, package_db.c) ---- */

/* The name of its folder in the image, which the caller frees. */
MUST_CHECK char *hn_package_name(const struct hn_job *j,
				 const struct hn_package *p, struct err *e);

/* INF and catalogue in their places and in that folder (below the Windows
 * folder); for 8 and later its part of DriverDatabase. */
MUST_CHECK int hn_want_package(struct hn_job *j, const struct hn_package *p,
			       const char *dir, struct err *e);
MUST_CHECK int hn_want_database(struct hn_job *j, const struct hn_package *p,
				const char *dir, struct err *e);
/* A file of System32/drivers that the package in that folder owns. */
MUST_CHECK int hn_want_lockdown(struct hn_job *j, const struct hn_package *p,
				const char *dir, const char *file,
				struct err *e);

/* What all packages together change, once: OemInfMap, DevicePath. */
void hn_want_oem_map(struct hn_job *j);
MUST_CHECK int hn_want_device_path(struct hn_job *j, struct err *e);

/* The number of the package's oemN.inf in this image, the same for all that
 * asks for it. */
MUST_CHECK int hn_oem_number(struct hn_job *j, const struct hn_package *p,
			     unsigned *ret, struct err *e);

/* Its catalogue: name in *ret_name, and the file of this computer in *ret_host;
 * both owned by the caller.  1; 0 when there is none; -1. */
MUST_CHECK int hn_package_catalogue(const struct hn_job *j,
				    const struct hn_package *p,
				    char **ret_name, char **ret_host,
				    struct err *e);

/* The AddReg lines of a section ("x.AddReg" lists), into the key for HKR and into
 * every control set for HKLM\SYSTEM\CurrentControlSet. */
MUST_CHECK int hn_want_reg(struct hn_job *j, const char *key,
			   const struct hn_inf *inf,
			   const struct hn_inf_section *section,
			   struct err *e);

/* A package's service: its line of DDInstall.Services, NULL. */
MUST_CHECK int hn_service_line(const struct hn_inf *inf, const char *install,
			       const struct hn_inf_line **ret, struct err *e);

#endif /* HAL_NEUTRAL_RULE_H */
