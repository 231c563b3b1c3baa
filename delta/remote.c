/* remote.c - what all kinds of remote have in common; see remote.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/remote.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/stop.h"
#include "delta/remote-private.h"

uint64_t
dl_remote_clock(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* "https://user:secret@host/x" without what stands before the '@'. */
static char *
without_password(const char *url, struct err *e)
{
	const char *host = strstr(url, "://");
	const char *at = host == NULL ? NULL : strchr(host + 3, '@');
	const char *slash = host == NULL ? NULL : strchr(host + 3, '/');

	if (at == NULL || (slash != NULL && slash < at))
		return mem_str(url, e);
	return mem_fmt(e, "%.*s%s", (int)(host + 3 - url), url, at + 1);
}

static bool
begins(const char *url, const char *scheme)
{
	return strncmp(url, scheme, strlen(scheme)) == 0;
}

static int
open_kind(struct dl_remote *r, const char *url, struct err *e)
{
	if (begins(url, "http://") || begins(url, "https://"))
		return dl_remote_open_http(r, url, e);
	if (begins(url, "ssh://") || begins(url, "sftp://"))
		return dl_remote_open_ssh(r, url, e);
	if (strstr(url, "://") != NULL)
		return err_set(e, ERR_USAGE, "%s: is neither a directory nor "
			       "http://, https:// or ssh://", url);
	return dl_remote_open_dir(r, url, e);
}

struct dl_remote *
dl_remote_open(const char *url, const struct dl_remote_how *how, struct err *e)
{
	DL_REMOTE_SCOPED struct dl_remote *r = mem_array(1, sizeof(*r), e);

	if (r == NULL)
		return NULL;
	r->how = *how;
	r->name = without_password(url, e);
	if (r->name == NULL)
		return NULL;
	for (size_t n = strlen(r->name); n > 1 && r->name[n - 1] == '/'; n--)
		r->name[n - 1] = '\0';
	if (open_kind(r, url, e) < 0)
		return NULL;
	return TAKE(r);
}

void
dl_remote_free(struct dl_remote *const *p)
{
	struct dl_remote *r = *p;

	if (r == NULL)
		return;
	if (r->kind != NULL)
		r->kind->close(r);
	free(r->name);
	free(r);
}

const char *
dl_remote_name(const struct dl_remote *r)
{
	return r->name;
}

int
dl_remote_pass(struct dl_remote *r, size_t n, struct progress *p, struct err *e)
{
	progress_add(p, n);
	progress_show(p);
	if (r->how.limit == 0)
		return stop_check(e);
	if (r->passed == 0)
		r->began_ms = dl_remote_clock();
	r->passed += n;
	for (;;) {
		uint64_t due = r->began_ms +
			       (uint64_t)((double)r->passed * 1000 /
					  (double)r->how.limit);
		uint64_t now = dl_remote_clock();

		if (stop_check(e) < 0)
			return -1;
		if (now >= due)
			return 0;

		uint64_t ms = num_min(due - now, 200);
		struct timespec t = { .tv_nsec = (long)ms * 1000000 };
		(void)nanosleep(&t, NULL);
	}
}

int
dl_remote_short(const struct dl_remote *r, const struct dl_get *g,
		struct err *e)
{
	return err_set(e, ERR_CORRUPT, "%s/%s: ends after %" PRIu64 " of %" PRIu64
		       " bytes", r->name, g->name, g->at + g->have,
		       g->at + g->len);
}

int
dl_remote_get(struct dl_remote *r, struct dl_get *get, size_t count,
	      struct progress *p, struct err *e)
{
	return count == 0 ? 0 : r->kind->get(r, get, count, p, e);
}

int
dl_remote_slurp(struct dl_remote *r, const char *name, size_t max,
		struct buf *out, struct err *e)
{
	out->len = 0;
	return r->kind->slurp(r, name, max, out, e);
}

static int
only_read(const struct dl_remote *r, struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, "%s: can only be read; push to the "
		       "directory that is served there, or to ssh://HOST/PATH",
		       r->name);
}

int
dl_remote_size(struct dl_remote *r, const char *name, uint64_t *ret,
	       struct err *e)
{
	return r->kind->size == NULL ? only_read(r, e) :
				       r->kind->size(r, name, ret, e);
}

int
dl_remote_put(struct dl_remote *r, const char *name, int fd, enum dl_put how,
	      struct progress *p, struct err *e)
{
	struct stat st;
	uint64_t size = 0;
	int there;

	if (r->kind->put == NULL)
		return only_read(r, e);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", name);
	if (how == DL_PUT_KEEP) {
		there = r->kind->size(r, name, &size, e);
		if (there < 0)
			return -1;
		if (there == 1 && size == (uint64_t)st.st_size) {
			progress_add(p, size);
			return 0;
		}
	}
	return r->kind->put(r, name, fd, how != DL_PUT_NEW, p, e) < 0 ? -1 : 1;
}

int
dl_remote_put_bytes(struct dl_remote *r, const char *name, const void *at,
		    size_t len, enum dl_put how, struct err *e)
{
	SCOPED_FD int fd = memfd_create("object", MFD_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "%s", name);
	if (io_write_at(fd, at, len, 0, name, e) < 0)
		return -1;
	return dl_remote_put(r, name, fd, how, NULL, e);
}
