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

enum { HN_LATE_MAX = 4 };

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
	unsigned next_oem;	/* number of the next oemN.inf */
	const struct hn_package *last_inf;	/* planned last */
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
 * this control set: 1; 0 when there is none that can be used; -1.  XP to 7.
 */
MUST_CHECK int hn_inject(struct hn_job *j, const struct hn_set *set,
			 const struct hn_device *d, struct err *e);

#endif /* HAL_NEUTRAL_RULE_H */
