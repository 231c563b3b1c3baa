/* neutral.c - see neutral.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/neutral.h"

#include "base/buf.h"
#include "base/err.h"
#include "hal-neutral/binding.h"
#include "hal-neutral/rule.h"

struct cs_plan *
hn_plan(struct hn_image *im, const struct hn_wanted *wanted,
	struct hn_fetch *fetch, const char *made_by, struct buf *notes,
	struct err *e)
{
	struct cs_reason why = { "first-boot", "asked for" };
	CS_PLAN_SCOPED struct cs_plan *p = cs_plan_new(made_by, e);
	struct hn_job j = { .im = im, .platforms = wanted->platforms,
			    .plan = p, .fetch = fetch, .notes = notes,
			    .drivers = wanted->drivers };

	if (p == NULL)
		return NULL;
	if (wanted->drivers != NULL && wanted->drivers->count > 0 &&
	    hn_has_database(im)) {
		(void)err_set(e, ERR_UNSUPPORTED, "--drivers puts drivers into "
			      "XP to 7 only, this is %s",
			      wn_generation_name(im->in->generation));
		return NULL;
	}
	j.volume = cs_plan_volume(p, im->serial);
	j.sys = (struct cs_hive){ j.volume, im->system_path };
	if (hn_wish(&j, e) < 0 ||
	    hn_want_first_boot(p, im, wanted->steps, wanted->step_count, why,
			       e) < 0 ||
	    buf_ok(notes, e) < 0 || cs_settle(p, im->target, e) < 0)
		return NULL;
	return TAKE(p);
}
