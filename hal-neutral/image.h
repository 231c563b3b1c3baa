/* image.h - the installation on a disk, as the rules and the proof see it
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Only facts: what the hives and files say.  What to do about it is in the
 * rules (rule.h), what it means for a platform in the chain (chain.h).
 */
#ifndef HAL_NEUTRAL_IMAGE_H
#define HAL_NEUTRAL_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "change/apply.h"
#include "hal-neutral/pe.h"
#include "windows/windows.h"

struct err;

enum {
	HN_SETS_MAX = 4,
	HN_DRIVER_MAX = 64 << 20,	/* bytes of a driver file that is read */
};

/* A control set that this Windows may boot. */
struct hn_set {
	char name[16];		/* "ControlSet001" */
	struct hv_key *key;
	struct hv_key *services, *control;	/* below it; may be NULL */
};

/* A module of the kernel that was looked at. */
struct hn_module {
	char *path;		/* volume path */
	char *why;		/* NULL: it can be loaded; else why not */
	struct hn_pe pe;
};

struct hn_image {
	struct cs_target *target;	/* not owned */
	struct wn_install *in;		/* not owned */
	struct vo *vo;			/* of the installation */
	uint64_t serial;		/* its volume's */
	struct hv_hive *sys;		/* replayed; the target's */
	char *system_path;		/* its volume path; owned */
	size_t sets;
	struct hn_set set[HN_SETS_MAX];	/* the first is the next boot's */
	uint16_t machine;		/* HN_PE_... */
	bool bios, uefi;		/* firmware that can start the disk */
	size_t modules, modules_cap;
	struct hn_module **module;	/* owned */
};

#define HN_IMAGE_EMPTY { .target = NULL }
#define HN_IMAGE_SCOPED SCOPED(hn_image_done)

/*
 * Look at the installation that `root` names (windows.h, wn_choose).  A hive
 * that cannot be trusted is refused.  The target must outlive it, and a
 * cs_apply() ends it.
 */
MUST_CHECK int hn_image_open(struct cs_target *target, const char *root,
			     struct hn_image *ret, struct err *e);
void hn_image_done(struct hn_image *im);

/* ---- what is refused, each with its remedy (safe.c): ERR_UNSAFE ---- */

/* Before looking at an installation: a disk that Windows' own layers hide. */
MUST_CHECK int hn_disk_safe(const struct wn_guest *g, struct err *e);

/* What no rule must touch: hibernated, dirty, a servicing operation half done,
 * on a dynamic disk. */
MUST_CHECK int hn_image_safe(const struct hn_image *im, struct err *e);

/* Several installations, and none was named. */
MUST_CHECK int hn_choice_safe(const struct wn_guest *g, const char *root,
			      struct err *e);

/* A platform whose firmware cannot start this disk, whatever is changed. */
struct hn_platforms;
MUST_CHECK int hn_firmware_safe(const struct hn_image *im,
				const struct hn_platforms *platforms,
				struct err *e);

/* ---- services ---- */

/* The key of a service in a set; NULL when there is none. */
struct hv_key *hn_service(const struct hn_set *set, const char *service);

/*
 * What the loader makes of Start: the value itself, or a larger one that
 * StartOverride (Windows 8 and later) puts over it for some hardware.  5 when
 * there is no valid Start.  *ret_override (may be NULL): a StartOverride above
 * Start is there.
 */
unsigned hn_effective_start(struct hv_key *service, bool *ret_override);

/* The file of a service as a volume path, which the caller frees: from its
 * ImagePath in any of the forms in use, else System32/drivers/SERVICE.sys.
 * 1; 0 when the path leads to no disk here; -1. */
MUST_CHECK int hn_service_file(const struct hn_image *im,
			       struct hv_key *service, char **ret,
			       struct err *e);

/* ---- modules ---- */

/*
 * Can the kernel load the file at this volume path: is it there, a native image
 * for this machine, and so is everything it imports from, all the way down?
 * The answer belongs to the image and is remembered.  NULL on error.
 */
MUST_CHECK const struct hn_module *hn_module(struct hn_image *im,
					     const char *path, struct err *e);

/* A path below the installation's folder, which the caller frees. */
MUST_CHECK char *hn_root_path(const struct hn_image *im, const char *below,
			      struct err *e);

#endif /* HAL_NEUTRAL_IMAGE_H */
