/* health.h - has a guest shown that its version is good?
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Evidence that needs no agent in the guest: a text that it writes to its debug
 * or serial port, and that it writes to its disk.  A new version is judged only
 * by what the version before it managed.
 */
#ifndef RUNTIME_HEALTH_H
#define RUNTIME_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct buf;
struct err;
struct js;
struct rt_stored;

enum {
	RT_HEALTH_CONSOLE = 1 << 0,	/* the text of health: console: */
	RT_HEALTH_DISK = 1 << 1,	/* it wrote to its disk */
};

#define RT_HEALTH_ALL (RT_HEALTH_CONSOLE | RT_HEALTH_DISK)

/* "console disk", or "nothing"; and back, ignoring words that are none. */
void rt_health_words(unsigned checks, char *out, size_t size);
unsigned rt_health_parse(const char *words);

/* Which checks has this guest passed so far?  `stats` is QEMU's answer to
 * query-blockstats, or NULL. */
unsigned rt_health_look(const struct rt_stored *s, const struct js *stats);

#endif /* RUNTIME_HEALTH_H */
