/* stage.c - a version for a guest's next start
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <string.h>

#include "base/err.h"
#include "runtime/blockd.h"
#include "runtime/journal.h"
#include "runtime/supervisor.h"

int
rt_supervisor_stage(const struct rt_stored *s, struct rt_journal *j,
		    const struct rt_keyd *k, const char *image, bool force,
		    struct err *e)
{
	struct rt_blockd_said said;

	if (rt_blockd_try(s->bound.repo, image, s->place.run, s->place.root, k,
			  &said, e) < 0)
		return -1;
	if (strlen(said.version) >= RT_VERSION_ROOM)
		return err_set(e, ERR_UNSUPPORTED, "%s: too long a name",
			       said.version);
	if (strcmp(said.version, j->slots.active) == 0)
		return err_set(e, ERR_USAGE, "%s: runs %s already",
			       s->guest.name, said.version);
	if (rt_slots_is_rejected(&j->slots, said.version) && !force)
		return err_set(e, ERR_UNSAFE, "%s: %s was tried and did not get "
			       "well (imgrun why %s); add --force to try it again",
			       s->guest.name, said.version, s->guest.name);
	return rt_journal_add(j, RT_EV_STAGED, said.version, e);
}
