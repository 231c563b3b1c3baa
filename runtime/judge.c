/* judge.c - the supervisor's verdict on a version that runs
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/supervisor-private.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "runtime/health.h"

#define QMP_MS 2000

/* Often while a guest starts, seldom later: an idle guest should cost nothing. */
#define LOOK_MS 250
#define LOOK_LATER_MS 2000
#define LATER_MS 30000

static unsigned
wanted(const struct rt_super *r)
{
	return RT_HEALTH_DISK |
	       (r->s->guest.health.console != NULL ? RT_HEALTH_CONSOLE : 0);
}

void
rt_super_judge_begin(struct rt_super *r)
{
	const struct rt_slots *slots = &r->journal.slots;

	r->judged = false;
	r->passed = 0;
	/* Only what the version before managed is asked of this one. */
	r->required = r->trial ? rt_health_parse(slots->passed) & wanted(r) : 0;
	r->health_from_ms = clock_ms();
	r->health_until_ms = r->health_from_ms +
			     (uint64_t)r->s->guest.health.within * 1000;
	r->look_at_ms = r->health_from_ms + LOOK_MS;
}

int
rt_super_judge_wait(const struct rt_super *r, int wait)
{
	int left;

	if (r->judged)
		return wait;
	left = clock_left(r->look_at_ms);
	return wait < 0 || left < wait ? left : wait;
}

static void
tell_passed(struct rt_super *r, enum rt_event ev)
{
	char words[RT_PASSED_ROOM], detail[RT_DETAIL_ROOM];

	rt_health_words(r->passed, words, sizeof(words));
	(void)snprintf(detail, sizeof(detail), "%s %s", r->version, words);
	rt_super_note(r, ev, detail);
	r->judged = true;
}

void
rt_super_reject(struct rt_super *r, const char *why)
{
	char detail[RT_DETAIL_ROOM];
	unsigned tries = r->s->guest.health.tries;

	r->judged = true;
	r->again = true;
	if (r->failure.kind == ERR_NONE)
		(void)err_set(&r->failure, ERR_SYSTEM, "%s: %s", r->version, why);
	if (r->journal.slots.tries < tries)
		return;
	(void)snprintf(detail, sizeof(detail), "%s %.300s, %u times; back to %s",
		       r->version, why, tries, r->journal.slots.active);
	rt_super_note(r, RT_EV_REJECTED, detail);
}

/* Has all that is asked been seen? */
static bool
is_well(const struct rt_super *r)
{
	return (r->passed & r->required) == r->required;
}

static void
look(struct rt_super *r)
{
	RT_QMP_MSG_SCOPED struct rt_qmp_msg m = RT_QMP_MSG_EMPTY;
	struct err ignored = ERR_INIT;

	if (r->qmp.fd >= 0)
		(void)!rt_qmp_run(&r->qmp, RT_QMP_BLOCKSTATS, QMP_MS, &m,
				  &ignored);
	r->passed |= rt_health_look(r->s, m.doc);
}

/* What was asked of the version and not seen. */
static void
tell_missing(const struct rt_super *r, const char *when, char *out, size_t size)
{
	char words[RT_PASSED_ROOM];

	rt_health_words(r->required & ~r->passed, words, sizeof(words));
	(void)snprintf(out, size, "failed the checks that the version before "
		       "passed (%s) %s", words, when);
}

void
rt_super_judge(struct rt_super *r)
{
	uint64_t now = clock_ms();
	char why[RT_DETAIL_ROOM / 2], when[64];

	if (r->judged || (now < r->look_at_ms && !r->panicked))
		return;
	r->look_at_ms = now + (now - r->health_from_ms < LATER_MS
			       ? LOOK_MS : LOOK_LATER_MS);
	look(r);
	bool late = now >= r->health_until_ms;
	if (!r->trial) {
		if (r->passed == wanted(r) || late)
			tell_passed(r, RT_EV_HEALTHY);
	} else if (r->panicked) {
		rt_super_reject(r, "the guest panicked");
		rt_super_kill(r);
	} else if (is_well(r) && (r->required != 0 || late)) {
		tell_passed(r, RT_EV_ACTIVE);
	} else if (late) {
		(void)snprintf(when, sizeof(when), "within %u s",
			       r->s->guest.health.within);
		tell_missing(r, when, why, sizeof(why));
		rt_super_reject(r, why);
		rt_super_kill(r);
	}
}

void
rt_super_judge_end(struct rt_super *r)
{
	char why[RT_DETAIL_ROOM / 2];

	if (r->judged || r->vm_pid != 0)
		return;
	r->passed |= rt_health_look(r->s, NULL);
	if (!r->trial) {
		/* It ran too short to say what it cannot do. */
		r->judged = true;
		r->passed |= rt_health_parse(r->journal.slots.passed);
		if (r->passed != rt_health_parse(r->journal.slots.passed))
			tell_passed(r, RT_EV_HEALTHY);
	} else if (r->failure.kind != ERR_NONE) {
		rt_super_reject(r, r->failure.msg);
	} else if (r->by_force || r->journal.state == RT_ST_STOPPING) {
		r->judged = true;	/* somebody stopped it: nothing is known */
	} else if (is_well(r)) {
		tell_passed(r, RT_EV_ACTIVE);
	} else {
		tell_missing(r, "before it powered off", why, sizeof(why));
		rt_super_reject(r, why);
	}
}
