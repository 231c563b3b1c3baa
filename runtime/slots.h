/* slots.h - which version of its image a guest runs, and which it may run next
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 *	staged	-> the next start tries it	-> active, when it proved healthy
 *						-> rejected, when it did not
 *
 * One version is active: the last that proved itself, and what a start uses
 * when nothing is staged.  The one before it stays for `rollback`.  A version
 * that was rejected, or rolled back from, is not tried again unless asked for
 * by name with force.
 *
 * A pure function over the journal's records: nothing here touches a file.
 */
#ifndef RUNTIME_SLOTS_H
#define RUNTIME_SLOTS_H

#include <stdbool.h>

#include "base/attr.h"

#define RT_SLOTS_DETAIL_ROOM 512
#define RT_VERSION_ROOM 96	/* LINE:NUMBER */
#define RT_PASSED_ROOM 64
#define RT_REJECTED_MAX 16	/* the last so many are remembered */

struct rt_slots {
	char active[RT_VERSION_ROOM];
	char passed[RT_PASSED_ROOM];		/* checks, when it ran last */
	char previous[RT_VERSION_ROOM];		/* "" when there is none */
	char next[RT_VERSION_ROOM];		/* likewise */
	unsigned tries;				/* of `next` so far */
	char rejected[RT_REJECTED_MAX][RT_VERSION_ROOM];
	unsigned rejected_count;
};

/*
 * Take a journal event (enum rt_event) whose detail begins, where it is about
 * versions, with LINE:NUMBER and a space or the end.  After "healthy" and
 * "active" follow the checks that the version passed.  0, or -1 when it cannot
 * happen to these versions; then nothing was changed.
 */
MUST_CHECK int rt_slots_apply(struct rt_slots *s, int event, const char *detail);

/* What a start uses: the staged version, else the active one. */
const char *rt_slots_start(const struct rt_slots *s);

bool rt_slots_is_rejected(const struct rt_slots *s, const char *version);

#endif /* RUNTIME_SLOTS_H */
