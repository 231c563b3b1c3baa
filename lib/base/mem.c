/* mem.c - see mem.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"

static _Thread_local unsigned allocs_left;
static _Thread_local bool counting;

void
mem_fail_from(unsigned nth)
{
	counting = nth != 0;
	allocs_left = nth;
}

static bool
refused(void)
{
	if (!counting)
		return false;
	if (allocs_left > 1) {
		allocs_left--;
		return false;
	}
	return true;
}

void *
mem_array(size_t n, size_t size, struct err *e)
{
	size_t bytes = 0;
	void *p = NULL;

	if (num_mul_size(n, size, &bytes) && !refused())
		p = calloc(bytes > 0 ? bytes : 1, 1);

	if (p == NULL)
		(void)err_set(e, ERR_NOMEM, "no memory for %zu objects", n);
	return p;
}

int
mem_grow(void *array_p, size_t *cap, size_t need, size_t size, struct err *e)
{
	size_t want = *cap < 8 ? 8 : *cap, bytes;
	void *old, *new;

	if (need <= *cap)
		return 0;
	while (want < need && num_mul_size(want, 2, &want))
		;
	if (want < need || !num_mul_size(want, size, &bytes))
		return err_set(e, ERR_NOMEM, "no memory for %zu objects", need);
	memcpy(&old, array_p, sizeof(old));
	new = refused() ? NULL : realloc(old, bytes);
	if (new == NULL)
		return err_set(e, ERR_NOMEM, "no memory for %zu objects", need);
	memset((uint8_t *)new + *cap * size, 0, bytes - *cap * size);
	memcpy(array_p, &new, sizeof(new));
	*cap = want;
	return 0;
}

char *
mem_strn(const void *s, size_t len, struct err *e)
{
	char *p = len == SIZE_MAX ? NULL : mem_array(len + 1, 1, e);

	if (p != NULL && len > 0)
		memcpy(p, s, len);
	return p;
}

char *
mem_str(const char *s, struct err *e)
{
	return mem_strn(s, strlen(s), e);
}

char *
mem_fmt(struct err *e, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	p = len < 0 ? NULL : mem_array((size_t)len + 1, 1, e);
	if (p != NULL)
		(void)vsnprintf(p, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return p;
}

void
mem_sort(void *at, size_t n, size_t size,
	 int (*cmp)(const void *a, const void *b))
{
	if (n > 1)
		qsort(at, n, size, cmp);
}
