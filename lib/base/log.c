/* log.c - see log.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"

static const char *log_prog = "";
static int log_verbosity;
static FILE *log_file;
static void (*log_clear)(void);

int
log_open(const char *prog, int verbosity, const char *path, struct err *e)
{
	log_prog = prog;
	log_verbosity = verbosity;
	if (path == NULL)
		return 0;
	log_file = fopen(path, "ae");
	if (log_file == NULL)
		return err_sys(e, "%s", path);
	return 0;
}

void
log_on_terminal(void (*clear)(void))
{
	log_clear = clear;
}

PRINTF(2, 0) static void
to_file(const char *level, const char *fmt, va_list ap)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	if (log_file == NULL || gmtime_r(&now, &tm) == NULL)
		return;
	(void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm);
	(void)fprintf(log_file, "%s %s ", stamp, level);
	(void)vfprintf(log_file, fmt, ap);
	(void)fputc('\n', log_file);
	(void)fflush(log_file);
}

PRINTF(2, 0) static void
to_terminal(const char *before, const char *fmt, va_list ap)
{
	if (log_clear != NULL)
		log_clear();
	(void)fprintf(stderr, "%s: %s", log_prog, before);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
}

PRINTF(4, 0) static void
write_line(const char *level, const char *before, int from, const char *fmt,
	   va_list ap)
{
	va_list again;

	va_copy(again, ap);
	to_file(level, fmt, again);
	va_end(again);
	if (log_verbosity >= from)
		to_terminal(before, fmt, ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line("warning", "warning: ", 0, fmt, ap);
	va_end(ap);
}

void
log_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line("note", "", 0, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line("debug", "", 1, fmt, ap);
	va_end(ap);
}
