/* err.c - see err.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const int exit_status[] = {
	[ERR_NONE] = 0,
	[ERR_SYSTEM] = 1,
	[ERR_NOMEM] = 1,
	[ERR_USAGE] = 2,
	[ERR_UNSUPPORTED] = 3,
	[ERR_CORRUPT] = 4,
	[ERR_AUTH] = 5,
	[ERR_UNSAFE] = 6,
	[ERR_PARTIAL] = 7,
	[ERR_NO] = 8,
	[ERR_INTERRUPTED] = 130,
};

int
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (e->kind != ERR_NONE)
		return -1;
	e->kind = kind;
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	return -1;
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	int os = errno;
	char what[sizeof(e->msg) / 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (e->kind == ERR_NONE)
		e->os = os;
	return err_set(e, ERR_SYSTEM, "%s: %s", what, strerror(os));
}

int
err_ctx(struct err *e, const char *fmt, ...)
{
	char before[sizeof(e->msg)];
	char ctx[sizeof(e->msg) / 4];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(ctx, sizeof(ctx), fmt, ap);
	va_end(ap);
	memcpy(before, e->msg, sizeof(before));
	(void)snprintf(e->msg, sizeof(e->msg), "%s: %.*s", ctx,
		       (int)(sizeof(e->msg) - sizeof(ctx) - 3), before);
	return -1;
}

const char *
err_quote(char *buf, size_t size, const void *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = text;
	size_t at = 0;

	for (size_t i = 0; i < len && size > 5 && at < size - 5; i++) {
		bool escape = p[i] == '\\' && i + 1 < len && p[i + 1] == 'x';

		if (p[i] >= 0x20 && p[i] < 0x7f && !escape) {
			buf[at++] = (char)p[i];
			continue;
		}
		buf[at++] = '\\';
		buf[at++] = 'x';
		buf[at++] = hex[p[i] >> 4];
		buf[at++] = hex[p[i] & 15];
	}
	if (size > 0)
		buf[at] = '\0';
	return buf;
}

int
err_exit_status(const struct err *e)
{
	return exit_status[e->kind];
}
