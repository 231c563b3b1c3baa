/* pool.c - see pool.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t todo;		/* a job was queued, or the end came */
	pthread_cond_t room;		/* a job was taken, or one has ended */
	int (*run)(void *job, struct err *e);
	void (*drop)(void *job);
	void **queue;			/* a ring of `size` */
	size_t size, first, count, running;
	bool ending;
	struct err failed;		/* the first failure */
	size_t threads;
	pthread_t *thread;
};

/* Called locked.  The next job, or NULL at the end. */
static void *
next_job(struct pool *p)
{
	void *job;

	while (p->count == 0 && !p->ending)
		(void)pthread_cond_wait(&p->todo, &p->lock);
	if (p->count == 0)
		return NULL;
	job = p->queue[p->first];
	p->first = (p->first + 1) % p->size;
	p->count--;
	p->running++;
	(void)pthread_cond_broadcast(&p->room);
	return job;
}

static void *
worker(void *arg)
{
	struct pool *p = arg;
	void *job;

	(void)pthread_mutex_lock(&p->lock);
	while ((job = next_job(p)) != NULL) {
		struct err e = ERR_INIT;
		bool failed = p->failed.kind != ERR_NONE;

		(void)pthread_mutex_unlock(&p->lock);
		if (failed)
			p->drop(job);
		else
			(void)p->run(job, &e);
		(void)pthread_mutex_lock(&p->lock);
		if (p->failed.kind == ERR_NONE)
			p->failed = e;
		p->running--;
		(void)pthread_cond_broadcast(&p->room);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct pool *
pool_new(size_t threads, size_t queue, int (*run)(void *job, struct err *e),
	 void (*drop)(void *job), struct err *e)
{
	POOL_SCOPED struct pool *p = mem_array(1, sizeof(*p), e);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (p == NULL)
		return NULL;
	if (threads == 0)
		threads = cores > 0 ? (size_t)cores : 1;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->todo, NULL);
	(void)pthread_cond_init(&p->room, NULL);
	p->run = run;
	p->drop = drop;
	p->size = queue;
	p->queue = mem_array(queue, sizeof(*p->queue), e);
	p->thread = mem_array(threads, sizeof(*p->thread), e);
	if (p->queue == NULL || p->thread == NULL)
		return NULL;
	for (; p->threads < threads; p->threads++)
		if (pthread_create(&p->thread[p->threads], NULL, worker, p) != 0) {
			(void)err_set(e, ERR_SYSTEM, "cannot start a thread");
			return NULL;
		}
	return TAKE(p);
}

int
pool_put(struct pool *p, void *job, struct err *e)
{
	struct err failed;

	(void)pthread_mutex_lock(&p->lock);
	while (p->count == p->size && p->failed.kind == ERR_NONE)
		(void)pthread_cond_wait(&p->room, &p->lock);
	failed = p->failed;
	if (failed.kind == ERR_NONE) {
		p->queue[(p->first + p->count++) % p->size] = job;
		(void)pthread_cond_signal(&p->todo);
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (failed.kind == ERR_NONE)
		return 0;
	p->drop(job);
	return err_set(e, failed.kind, "%s", failed.msg);
}

int
pool_wait(struct pool *p, struct err *e)
{
	struct err failed;

	(void)pthread_mutex_lock(&p->lock);
	while (p->count > 0 || p->running > 0)
		(void)pthread_cond_wait(&p->room, &p->lock);
	failed = p->failed;
	(void)pthread_mutex_unlock(&p->lock);
	return failed.kind == ERR_NONE ? 0 :
					 err_set(e, failed.kind, "%s", failed.msg);
}

void
pool_free(struct pool *const *pp)
{
	struct pool *p = *pp;

	if (p == NULL)
		return;
	if (p->threads > 0) {
		(void)pthread_mutex_lock(&p->lock);
		p->ending = true;
		for (; p->count > 0; p->count--) {
			p->drop(p->queue[p->first]);
			p->first = (p->first + 1) % p->size;
		}
		(void)pthread_cond_broadcast(&p->todo);
		(void)pthread_mutex_unlock(&p->lock);
	}
	for (size_t i = 0; i < p->threads; i++)
		(void)pthread_join(p->thread[i], NULL);
	(void)pthread_cond_destroy(&p->room);
	(void)pthread_cond_destroy(&p->todo);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->queue);
	free(p->thread);
	free(p);
}
