/* jail-private.h - what jail.c, jail_mount.c and jail_landlock.c share
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * These run in the child, before exec: they allocate nothing, set errno and
 * return -1.
 */
#ifndef RUNTIME_JAIL_PRIVATE_H
#define RUNTIME_JAIL_PRIVATE_H

#include "runtime/jail.h"

/* Leave the old root; the new one holds s->paths and is read-only. */
MUST_CHECK int rt_jail_mount(const struct rt_spawn *s);

/* Files only below s->paths from now on. */
MUST_CHECK int rt_jail_landlock(const struct rt_spawn *s);

#endif /* RUNTIME_JAIL_PRIVATE_H */
