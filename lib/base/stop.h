/* stop.h - the user's wish to stop, seen between two steps of long work
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SIGINT, SIGTERM and SIGHUP only set a flag.  Long work asks stop_check()
 * between steps, where everything written so far is whole; it then unwinds like
 * any other error, so what a scope would release is released.
 */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <stdbool.h>

#include "base/attr.h"

struct err;

/* Catch the signals; a second one of them ends the process at once. */
void stop_catch(void);

/* Was a stop asked for? */
bool stop_asked(void);

/* 0, or -1 with ERR_INTERRUPTED when a stop was asked for. */
MUST_CHECK int stop_check(struct err *e);

#endif /* BASE_STOP_H */
