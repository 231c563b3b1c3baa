/* mount.c - see mount.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define FUSE_USE_VERSION 35

#include "imgtool/mount.h"

#include <errno.h>
#include <fuse.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "disk/disk.h"
#include "imgtool/files.h"
#include "windows/windows.h"

/* ---- which folders there are --------------------------------------------- */

void
mount_done(struct mount *m)
{
	free(m->folder);
	*m = (struct mount)MOUNT_EMPTY;
}

/* The letter that the chosen Windows gives a volume, or 0. */
static char
letter(const struct files *f, size_t volume)
{
	const struct wn_install *in = f->install;

	if (in == NULL)
		return 0;
	for (size_t i = 0; i < in->letters; i++)
		if (in->letter[i].volume == volume)
			return in->letter[i].letter;
	return in->volume == volume && in->drive != NULL ? in->drive[0] : 0;
}

int
mount_prepare(struct dk *disk, const struct files *files, struct mount *ret,
	      struct err *e)
{
	MOUNT_SCOPED struct mount m = { .disk = disk, .files = files };
	size_t count = files == NULL ? 0 : files->guest->volumes;

	m.folder = mem_array(count, sizeof(*m.folder), e);
	if (m.folder == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct wn_volume *v = &files->guest->volume[i];
		struct mount_folder *x = &m.folder[m.folders];
		char c = letter(files, i);

		if (v->vo == NULL) {
			log_warn("%s: partition %u is not shown: %s",
				 disk->name, v->part, v->why == NULL ?
				 "its files can not be read" : v->why);
			continue;
		}
		if (c != 0)
			(void)snprintf(x->name, sizeof(x->name), "%c", c);
		else
			(void)snprintf(x->name, sizeof(x->name), "%u", v->part);
		x->volume = v;
		m.folders++;
	}
	*ret = TAKE(m);
	return 0;
}

int
mount_find(const struct mount *m, const char *path, struct vo **ret,
	   const char **ret_inside)
{
	size_t len = strcspn(++path, "/");

	if (len == 0)
		return 0;
	/* no file's name has a colon: behind one would be a stream's */
	if (strchr(path, ':') != NULL)
		return -ENOENT;
	for (size_t i = 0; i < m->folders; i++) {
		const struct mount_folder *x = &m->folder[i];

		if (strlen(x->name) != len ||
		    strncasecmp(x->name, path, len) != 0)
			continue;
		*ret = x->volume->vo;
		*ret_inside = path + len + (path[len] == '/');
		return 1;
	}
	return -ENOENT;
}

/* ---- showing them -------------------------------------------------------- */

/* What libfuse says goes into our message rather than to standard error. */
static char fuse_words[256];

static void
keep_words(enum fuse_log_level level, const char *fmt, va_list ap)
{
	(void)level;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)vsnprintf(fuse_words, sizeof(fuse_words), fmt, ap);
#pragma GCC diagnostic pop
	fuse_words[strcspn(fuse_words, "\n")] = '\0';
}

/* libfuse's handle, and whether it is mounted. */
struct session {
	struct fuse *fuse;
	bool mounted;
};

static void
session_done(struct session *s)
{
	if (s->mounted)
		fuse_unmount(s->fuse);
	if (s->fuse != NULL)
		fuse_destroy(s->fuse);
}

static void
args_done(struct fuse_args *args)
{
	fuse_opt_free_args(args);
}

/* "-oro,...,fsname=DISK": commas in it are escaped. */
static char *
options(const struct mount *m, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	buf_str(&b, "-oro,subtype=imgtool,default_permissions,fsname=");
	for (const char *p = m->disk->name; *p != '\0'; p++) {
		if (*p == ',' || *p == '\\')
			buf_u8(&b, '\\');
		buf_u8(&b, (uint8_t)*p);
	}
	return buf_take_str(&b, e);
}

static int
open_session(struct mount *m, const char *dir, struct session *s, struct err *e)
{
	SCOPED(args_done) struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	SCOPED_FREE char *opts = options(m, e);
	const struct fuse_operations *ops = m->files == NULL ? &mount_raw_ops :
							       &mount_file_ops;
	struct stat st;

	if (opts == NULL)
		return -1;
	if (stat(dir, &st) < 0)
		return err_sys(e, "%s", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "%s: is no folder", dir);
	if (access("/dev/fuse", R_OK | W_OK) < 0)
		return err_set(e, ERR_UNSUPPORTED, "/dev/fuse: can not be "
			       "used: %s", strerror(errno));
	fuse_set_log_func(keep_words);
	if (fuse_opt_add_arg(&args, "imgtool") < 0 ||
	    fuse_opt_add_arg(&args, opts) < 0)
		return err_set(e, ERR_NOMEM, "out of memory");
	s->fuse = fuse_new(&args, ops, sizeof(*ops), m);
	if (s->fuse == NULL || fuse_mount(s->fuse, dir) < 0)
		return err_set(e, ERR_SYSTEM, "%s: cannot mount there: %s", dir,
			       fuse_words);
	s->mounted = true;
	return 0;
}

/* Answer until there is nobody to ask any more, or we are to stop. */
static int
answer(struct fuse_session *s, struct err *e)
{
	struct fuse_buf request = { .mem = NULL };
	sigset_t stops, was;
	int r = 0;

	(void)sigemptyset(&stops);
	(void)sigaddset(&stops, SIGINT);
	(void)sigaddset(&stops, SIGTERM);
	(void)sigaddset(&stops, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &stops, &was) < 0)
		return err_sys(e, "signals");
	while (!stop_asked() && !fuse_session_exited(s)) {
		struct pollfd p = { .fd = fuse_session_fd(s), .events = POLLIN };

		/* signals come here only, so none is missed */
		if (ppoll(&p, 1, NULL, &was) < 0)
			continue;
		r = fuse_session_receive_buf(s, &request);
		if (r > 0)
			fuse_session_process_buf(s, &request);
		else if (r != -EINTR && r != -EAGAIN)
			break;
	}
	free(request.mem);
	(void)sigprocmask(SIG_SETMASK, &was, NULL);
	if (r < 0 && r != -EINTR && r != -EAGAIN) {
		errno = -r;
		return err_sys(e, "/dev/fuse");
	}
	return 0;
}

int
mount_run(struct mount *m, const char *dir, mount_ready_fn ready, void *arg,
	  struct err *e)
{
	SCOPED(session_done) struct session s = { .fuse = NULL };

	if (open_session(m, dir, &s, e) < 0)
		return -1;
	ready(arg, dir);
	return answer(fuse_get_session(s.fuse), e);
}

int
mount_fail(const struct err *e)
{
	switch (e->kind) {
	case ERR_NOMEM:
		return -ENOMEM;
	case ERR_NO:
	case ERR_USAGE:
		return -ENOENT;
	case ERR_UNSUPPORTED:
		log_warn("%s", e->msg);
		return -EOPNOTSUPP;
	case ERR_NONE:
	case ERR_SYSTEM:
	case ERR_CORRUPT:
	case ERR_AUTH:
	case ERR_UNSAFE:
	case ERR_PARTIAL:
	case ERR_INTERRUPTED:
	default:
		log_warn("%s", e->msg);
		return e->os > 0 ? -e->os : -EIO;
	}
}
