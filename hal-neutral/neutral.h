/* neutral.h - a plan that makes an installation hardware-neutral
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What hal-neutral plan does, for every program:
 *
 *	struct hn_fetch fetch = { .serial = im.serial };
 *	struct hn_wanted w = { .platforms = &platforms };
 *
 *	cs_target_fetch(target, hn_fetch, &fetch);
 *	p = hn_plan(&im, &w, &fetch, "imgtool build", &notes, e);
 *	cs_apply(p, target, &done, e);		// ends im
 *	hn_image_open(target, root, &im, e);
 *	hn_prove(&im, &platforms.at[i], &verdict, e);
 */
#ifndef HAL_NEUTRAL_NEUTRAL_H
#define HAL_NEUTRAL_NEUTRAL_H

#include "base/attr.h"
#include "hal-neutral/driver.h"
#include "hal-neutral/firstboot.h"
#include "hal-neutral/image.h"
#include "hal-neutral/platform.h"
#include "hal-neutral/rule.h"
#include "hal-neutral/supply.h"

struct buf;
struct cs_plan;
struct err;

struct hn_wanted {
	const struct hn_platforms *platforms;
	const struct hn_packages *drivers;	/* NULL: none */
	enum hn_hal_choice hal;
	const struct hn_step *steps;		/* of the first boot */
	size_t step_count;
};

/* A settled plan.  What cannot be done is a line of the notes, which the caller
 * releases.  NULL on error. */
MUST_CHECK struct cs_plan *hn_plan(struct hn_image *im,
				   const struct hn_wanted *wanted,
				   struct hn_fetch *fetch, const char *made_by,
				   struct buf *notes, struct err *e);

#endif /* HAL_NEUTRAL_NEUTRAL_H */
