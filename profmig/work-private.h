/* work-private.h - what the parts of a migration's planning share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef PROFMIG_WORK_PRIVATE_H
#define PROFMIG_WORK_PRIVATE_H

#include "profmig/work.h"

struct buf;

/* Where a Windows path lies, for a plan: its volume, and "/Users/alice". */
struct pm_at {
	unsigned volume;	/* index of the plan's */
	size_t guest_volume;
	char *path;		/* owned */
};

#define PM_AT_SCOPED SCOPED(pm_at_done)
void pm_at_done(struct pm_at *a);
MUST_CHECK int pm_at_find(const struct wn_install *in, struct cs_plan *plan,
			  const char *path, struct pm_at *ret, struct err *e);

/* A content that the program makes; `at` becomes the work's. */
MUST_CHECK int pm_make(struct pm_work *w, const char *what, uint8_t *at,
		       size_t len, struct cs_source *ret, struct err *e);

/* The source of some bytes of the bundle; *ret_name is the caller's to free
 * after the wish. */
MUST_CHECK int pm_of_bundle(const struct pm_work *w, const char *kind,
			    const char *path, const char *stream,
			    int64_t content, struct cs_source *ret,
			    char **ret_name, struct err *e);

/* The new profile as a copy of Default, with its registration. */
MUST_CHECK int pm_start_profile(struct pm_work *w, struct cs_plan *plan,
				struct err *e);

/* Registry: decide about every value, and wish. */
MUST_CHECK int pm_plan_settings(struct pm_work *w, struct cs_plan *plan,
				struct err *e);

/* Files: decide about collisions, rewrite links, and wish. */
MUST_CHECK int pm_plan_files(struct pm_work *w, struct cs_plan *plan,
			     struct err *e);

/* The bytes of a text file with new paths in it: 1, *ret (the caller frees) and
 * how many of the new paths will not be there; 0 when nothing changes. */
MUST_CHECK int pm_text_rewrite(struct pm_work *w,
			       const struct pm_content_at *c, uint8_t **ret,
			       size_t *ret_len, size_t *ret_missing,
			       struct err *e);

/* The SDDL of what lies in the profile. */
enum pm_sddl { PM_SDDL_ROOT, PM_SDDL_FOLDER, PM_SDDL_FILE };
MUST_CHECK char *pm_sddl(const struct pm_work *w, enum pm_sddl kind,
			 struct err *e);

/* A hive of Default as the person's own: whoever could do everything there is
 * joined by the person. */
MUST_CHECK int pm_own_hive(struct hv_hive *h, const struct wn_sid *sid,
			   struct err *e);

/* Will this Windows path be there?  For struct pm_settings_from. */
int pm_will_exist(void *work, const char *path, struct err *e);

#endif /* PROFMIG_WORK_PRIVATE_H */
