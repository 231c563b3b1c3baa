/* ready.h - a server tells who started it that it serves, or why it does not
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One line through a pipe: the kind of an error and its message, or 0 and a text
 * of the server's own.  A pipe that ends without one means that it died.
 */
#ifndef BASE_READY_H
#define BASE_READY_H

#include <stddef.h>

#include "base/attr.h"

struct err;

enum { READY_TEXT = 1100 };	/* bytes of a text, with its NUL */

/* Say it, and close fd.  `result` without an error: `text` goes along, which
 * has no newline.  A parent that is gone is no error. */
void ready_say(int fd, const struct err *result, const char *text);

/*
 * Wait at most timeout_ms (negative: for ever) for that line.  What the server says
 * went wrong is ours now; `who` names it when it says nothing.
 */
MUST_CHECK int ready_await(int fd, int timeout_ms, const char *who,
			   char ret_text[READY_TEXT], struct err *e);

#endif /* BASE_READY_H */
