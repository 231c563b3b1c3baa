/* pool.h - worker threads behind a bounded queue
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pool_put() blocks while the queue is full, so a fast producer cannot fill the
 * memory.  The first job that fails ends the pool: waiting jobs are dropped,
 * and pool_put() and pool_wait() return that error.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;
struct pool;

#define POOL_SCOPED SCOPED(pool_free)

/* `run` is called with each job, which it releases, on one of `threads` threads
 * (0: one a core); `drop` releases a job that is not run. */
MUST_CHECK struct pool *pool_new(size_t threads, size_t queue,
				 int (*run)(void *job, struct err *e),
				 void (*drop)(void *job), struct err *e);

/* Queue a job, which the pool owns from here, also when this fails. */
MUST_CHECK int pool_put(struct pool *p, void *job, struct err *e);

/* Wait until every job queued so far has ended. */
MUST_CHECK int pool_wait(struct pool *p, struct err *e);

/* End the threads; jobs still queued are dropped. */
void pool_free(struct pool *const *p);

#endif /* BASE_POOL_H */
