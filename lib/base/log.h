/* log.h - what a program tells beside its results
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Only programs' folders (cmd_*.c, main.c) and base itself write here; the
 * rooms of lib/ return what there is to say.  Lines go to standard error, and
 * to the --log file with a time stamp and whatever the verbosity.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/attr.h"

struct err;

/* -q: -1, default: 0, -v: 1.  `path` may be NULL. */
MUST_CHECK int log_open(const char *prog, int verbosity, const char *path,
			struct err *e);

PRINTF(1, 2) void log_warn(const char *fmt, ...);	/* shown unless -q */
PRINTF(1, 2) void log_note(const char *fmt, ...);	/* shown unless -q */
PRINTF(1, 2) void log_debug(const char *fmt, ...);	/* shown with -v */

/* For base/progress: is a line on the terminal to be redrawn after a note? */
void log_on_terminal(void (*clear)(void));

#endif /* BASE_LOG_H */
