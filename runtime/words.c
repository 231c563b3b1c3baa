/* words.c - a command line being put together
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/words.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"

void
rt_words_done(struct rt_words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->at[i]);
	free(w->at);
	*w = (struct rt_words)RT_WORDS_EMPTY;
}

/* The list owns `word`, which is NULL when it could not be made. */
static void
take(struct rt_words *w, char *word)
{
	struct err e = ERR_INIT;

	if (w->bad || word == NULL ||
	    mem_grow(&w->at, &w->cap, w->count + 2, sizeof(*w->at), &e) < 0) {
		w->bad = true;
		free(word);
		return;
	}
	w->at[w->count++] = word;
	w->at[w->count] = NULL;
}

void
rt_words_add(struct rt_words *w, const char *word)
{
	struct err e = ERR_INIT;

	take(w, mem_str(word, &e));
}

PRINTF(2, 0) static void
take_format(struct rt_words *w, const char *fmt, va_list ap)
{
	struct err e = ERR_INIT;
	char text[4096];
	int n = vsnprintf(text, sizeof(text), fmt, ap);

	take(w, n < 0 || (size_t)n >= sizeof(text) ? NULL : mem_str(text, &e));
}

void
rt_words_fmt(struct rt_words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	take_format(w, fmt, ap);
	va_end(ap);
}

void
rt_words_opt(struct rt_words *w, const char *option, const char *fmt, ...)
{
	va_list ap;

	rt_words_add(w, option);
	va_start(ap, fmt);
	take_format(w, fmt, ap);
	va_end(ap);
}

int
rt_words_ok(const struct rt_words *w, struct err *e)
{
	if (w->bad)
		return err_set(e, ERR_NOMEM, "command line: no memory for it");
	return 0;
}
