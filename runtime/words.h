/* words.h - a command line being put together
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sticky like base/buf.h: the first allocation refused marks the list bad, and
 * rt_words_ok() is asked once before it is used.
 */
#ifndef RUNTIME_WORDS_H
#define RUNTIME_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

struct rt_words {
	char **at;	/* owned strings; at[count] is NULL once there is one */
	size_t count, cap;
	bool bad;
};

#define RT_WORDS_EMPTY { .at = NULL }
#define RT_WORDS_SCOPED SCOPED(rt_words_done)

void rt_words_done(struct rt_words *w);

/* One word as it is, one from a format, and an option with its value. */
void rt_words_add(struct rt_words *w, const char *word);
PRINTF(2, 3) void rt_words_fmt(struct rt_words *w, const char *fmt, ...);
PRINTF(3, 4) void rt_words_opt(struct rt_words *w, const char *option,
			       const char *fmt, ...);

MUST_CHECK int rt_words_ok(const struct rt_words *w, struct err *e);

#endif /* RUNTIME_WORDS_H */
