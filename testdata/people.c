/* people.c - the people's files
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/guest.h"

void
people_fill(struct guest *g)
{
	nt_dir(g->vol, g->dir->users, 0);
}
