/* neutral.c - see neutral.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/neutral.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/binding.h"
#include "hal-neutral/rule.h"

/* The steps that were asked for, and behind them those of rules. */
static int
want_steps(struct hn_job *j, const struct hn_wanted *w, struct err *e)
{
	struct cs_reason why = { "first-boot", "commands that Windows runs "
				 "once, when it starts next" };
	SCOPED_FREE struct hn_step *all =
		mem_array(w->step_count + HN_LATE_MAX, sizeof(*all), e);

	if (all == NULL)
		return -1;
	for (size_t i = 0; i < w->step_count; i++)
		all[i] = w->steps[i];
	for (size_t i = 0; i < j->lates; i++)
		all[w->step_count + i] = j->late[i];
	return hn_want_first_boot(j->plan, j->im, all,
				  w->step_count + j->lates, why, e);
}

struct cs_plan *
hn_plan(struct hn_image *im, const struct hn_wanted *wanted,
	struct hn_fetch *fetch, const char *made_by, struct buf *notes,
	struct err *e)
{
	CS_PLAN_SCOPED struct cs_plan *p = cs_plan_new(made_by, e);
	SCOPED_FREE unsigned *oem = NULL;
	struct hn_job j = { .im = im, .platforms = wanted->platforms,
			    .plan = p, .fetch = fetch, .notes = notes,
			    .drivers = wanted->drivers, .hal = wanted->hal };

	if (p == NULL || hn_firmware_safe(im, wanted->platforms, e) < 0)
		return NULL;
	oem = mem_array(wanted->drivers != NULL ? wanted->drivers->count : 0,
			sizeof(*oem), e);
	if (oem == NULL)
		return NULL;
	for (size_t i = 0; wanted->drivers != NULL &&
	     i < wanted->drivers->count; i++)
		oem[i] = HN_NO_OEM;
	j.oem = oem;
	j.volume = cs_plan_volume(p, im->serial);
	j.sys = (struct cs_hive){ j.volume, im->system_path };
	if (hn_wish(&j, e) < 0 || hn_want_device_path(&j, e) < 0)
		return NULL;
	if (hn_has_database(im))
		hn_want_oem_map(&j);
	if (want_steps(&j, wanted, e) < 0 ||
	    buf_ok(notes, e) < 0 || cs_settle(p, im->target, e) < 0)
		return NULL;
	return TAKE(p);
}
