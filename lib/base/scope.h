/* scope.h - release at end of scope
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rules: initialise in the declaration; release order is the reverse of
 * declaration order; never use goto in a function that uses these; hand
 * ownership out with TAKE(), as the last thing before `return 0`.
 */
#ifndef BASE_SCOPE_H
#define BASE_SCOPE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCOPED(release)	__attribute__((cleanup(release)))

/* The value of an object, leaving the object empty (zero). */
#define TAKE(obj) __extension__ ({			\
	__auto_type take_at_ = &(obj);			\
	__auto_type take_was_ = *take_at_;		\
	memset(take_at_, 0, sizeof(*take_at_));		\
	take_was_; })

static inline void
scope_free(void *pp)
{
	void *p;

	memcpy(&p, pp, sizeof(p));
	free(p);
}

static inline void
scope_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);	/* read side only: nothing to lose */
}

#define SCOPED_FREE	SCOPED(scope_free)
#define SCOPED_FD	SCOPED(scope_close)

#endif /* BASE_SCOPE_H */
