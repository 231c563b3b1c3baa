/* mem.h - allocation that can be refused, and made to be refused
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every allocation of the project comes from here, so that a test can refuse
 * the nth one and see that the program survives it.  Memory is released with
 * free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/attr.h"

struct err;

/* n zeroed objects of `size` bytes; NULL with ERR_NOMEM.  n may be 0. */
MUST_CHECK void *mem_array(size_t n, size_t size, struct err *e);

/*
 * Make the array *array_p (any object pointer's address) of *cap elements hold
 * at least `need`, growing geometrically; new elements are zero.  On failure
 * both are as they were.
 */
MUST_CHECK int mem_grow(void *array_p, size_t *cap, size_t need, size_t size,
			struct err *e);

/* A copy of a string, or of len bytes with a NUL behind them. */
MUST_CHECK char *mem_str(const char *s, struct err *e);
MUST_CHECK char *mem_strn(const void *s, size_t len, struct err *e);

/* A string from a format. */
MUST_CHECK PRINTF(2, 3) char *mem_fmt(struct err *e, const char *fmt, ...);

/* qsort(), for which an empty array may be no array at all (NULL). */
void mem_sort(void *at, size_t n, size_t size,
	      int (*cmp)(const void *a, const void *b));

/* Tests only: let the nth allocation from now, and all later ones, fail. */
void mem_fail_from(unsigned nth);

#endif /* BASE_MEM_H */
