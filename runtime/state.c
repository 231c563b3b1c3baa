/* state.c - the state directory: one folder a guest
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "runtime/journal.h"
#include "runtime/wipe.h"

void
rt_place_done(struct rt_place *p)
{
	char **all[] = { &p->dir, &p->yaml, &p->bound, &p->journal, &p->lock,
			 &p->debug_log, &p->serial_log, &p->qemu_log,
			 &p->block_log, &p->layers, &p->vars, &p->tpm, &p->salt,
			 &p->tpm_log, &p->usb, &p->run, &p->block, &p->display, &p->root };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		free(*all[i]);
		*all[i] = NULL;
	}
}

static int
place_in(const char *dir, struct rt_place *ret, struct err *e)
{
	RT_PLACE_SCOPED struct rt_place p = RT_PLACE_EMPTY;
	const struct {
		char **at;
		const char *name;
	} files[] = {
		{ &p.yaml, "guest.yaml" }, { &p.bound, "bound.yaml" },
		{ &p.journal, "journal" }, { &p.lock, "lock" },
		{ &p.debug_log, "debug.log" }, { &p.serial_log, "serial.log" },
		{ &p.qemu_log, "qemu.log" }, { &p.block_log, "block.log" },
		{ &p.layers, "layers" }, { &p.vars, "uefi-vars" },
		{ &p.tpm, "tpm" }, { &p.salt, "tpm-salt" },
		{ &p.tpm_log, "tpm.log" }, { &p.usb, "usb.yaml" }, { &p.run, "run" },
		{ &p.block, "run/block" }, { &p.display, "run/display.sock" },
		{ &p.root, "run/root" },
	};

	p.dir = mem_str(dir, e);
	if (p.dir == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		*files[i].at = io_join(dir, files[i].name, e);
		if (*files[i].at == NULL)
			return -1;
	}
	*ret = TAKE(p);
	return 0;
}

/* The absolute path of the folder that holds all guests. */
static char *
guests_dir(const char *state, struct err *e)
{
	SCOPED_FREE char *cwd = NULL;

	if (state[0] == '/')
		return mem_fmt(e, "%s/guests", state);
	cwd = getcwd(NULL, 0);
	if (cwd == NULL) {
		(void)err_sys(e, "working directory");
		return NULL;
	}
	return mem_fmt(e, "%s/%s/guests", cwd, state);
}

int
rt_place_of(const char *state, const char *name, struct rt_place *ret,
	    struct err *e)
{
	SCOPED_FREE char *all = guests_dir(state, e);
	SCOPED_FREE char *dir = NULL;
	char quoted[80];

	if (!rt_guest_name_ok(name))
		return err_set(e, ERR_USAGE, "%s: not a guest's name",
			       err_quote(quoted, sizeof(quoted), name,
					 strlen(name)));
	if (all == NULL)
		return -1;
	dir = io_join(all, name, e);
	return dir == NULL ? -1 : place_in(dir, ret, e);
}

void
rt_bound_done(struct rt_bound *b)
{
	free(b->repo);
	free(b->user);
	free(b->key);
	*b = (struct rt_bound)RT_BOUND_EMPTY;
}

void
rt_stored_done(struct rt_stored *s)
{
	rt_place_done(&s->place);
	rt_guest_done(&s->guest);
	rt_bound_done(&s->bound);
}

static int
load_bound(const char *path, struct rt_bound *ret, struct err *e)
{
	RT_BOUND_SCOPED struct rt_bound b = RT_BOUND_EMPTY;
	YML_SCOPED struct yml *doc = yml_load(path, e);
	const char *repo, *key, *user, *uuid;

	if (doc == NULL)
		return -1;
	repo = yml_str(doc, "repository", YML_NEEDED, e);
	key = yml_str(doc, "key", YML_NEEDED, e);
	user = yml_str(doc, "user", "", e);
	uuid = yml_str(doc, "uuid", YML_NEEDED, e);
	if (yml_end(doc, e) < 0)
		return -1;
	if (strlen(uuid) != sizeof(b.uuid) - 1 ||
	    strspn(uuid, "0123456789abcdef-") != strlen(uuid))
		return yml_err(doc, e, "uuid is none");
	memcpy(b.uuid, uuid, sizeof(b.uuid));
	b.repo = mem_str(repo, e);
	b.key = mem_str(key, e);
	b.user = user[0] == '\0' ? NULL : mem_str(user, e);
	if (b.repo == NULL || b.key == NULL ||
	    (b.user == NULL && user[0] != '\0'))
		return -1;
	*ret = TAKE(b);
	return 0;
}

int
rt_stored_load(const char *state, const char *name, struct rt_stored *ret,
	       struct err *e)
{
	RT_STORED_SCOPED struct rt_stored s = RT_STORED_EMPTY;

	if (rt_wipe_resume(state, e) < 0 ||
	    rt_place_of(state, name, &s.place, e) < 0)
		return -1;
	if (access(s.place.dir, F_OK) < 0 && errno == ENOENT)
		return err_set(e, ERR_NO, "%s: no such guest below %s; imgrun "
			       "list shows those there are", name, state);
	if (rt_guest_load(s.place.yaml, &s.guest, e) < 0 ||
	    load_bound(s.place.bound, &s.bound, e) < 0)
		return -1;
	*ret = TAKE(s);
	return 0;
}

static int
put_bound(const struct rt_place *p, const struct rt_bound *b, struct err *e)
{
	BUF_SCOPED struct buf text = BUF_EMPTY;

	buf_str(&text, "repository: ");
	yml_put_scalar(&text, b->repo);
	buf_str(&text, "\nkey: ");
	yml_put_scalar(&text, b->key);
	if (b->user != NULL) {
		buf_str(&text, "\nuser: ");
		yml_put_scalar(&text, b->user);
	}
	buf_fmt(&text, "\nuuid: \"%s\"\n", b->uuid);
	if (buf_ok(&text, e) < 0)
		return -1;
	return io_put(p->bound, text.at, text.len, 0600, e);
}

static int
fill(const struct rt_place *p, const void *yaml, size_t yaml_len,
     const struct rt_bound *bound, const char *version, struct err *e)
{
	RT_JOURNAL_SCOPED struct rt_journal j = RT_JOURNAL_EMPTY;

	if (io_mkdirs(p->root, 0700, e) < 0 ||
	    io_mkdirs(p->block, 0700, e) < 0 ||
	    io_mkdirs(p->layers, 0700, e) < 0 ||
	    io_put(p->yaml, yaml, yaml_len, 0600, e) < 0 ||
	    put_bound(p, bound, e) < 0 ||
	    rt_journal_open(p->journal, true, &j, e) < 0 ||
	    rt_journal_add(&j, RT_EV_CREATED, version, e) < 0)
		return -1;
	return io_sync_dir(p->dir, e);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int
remove_tree(const char *dir, struct err *e)
{
	if (nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 &&
	    errno != ENOENT)
		return err_sys(e, "%s: cannot remove it", dir);
	return 0;
}

int
rt_stored_make(const char *state, const char *name, const void *yaml,
	       size_t yaml_len, const struct rt_bound *bound,
	       const char *version, struct err *e)
{
	RT_PLACE_SCOPED struct rt_place final = RT_PLACE_EMPTY;
	RT_PLACE_SCOPED struct rt_place part = RT_PLACE_EMPTY;
	SCOPED_FREE char *all = guests_dir(state, e);
	SCOPED_FREE char *dir = NULL;

	if (all == NULL || rt_wipe_resume(state, e) < 0 ||
	    rt_place_of(state, name, &final, e) < 0)
		return -1;
	/* No guest's name begins with a dot. */
	dir = mem_fmt(e, "%s/.%s.new", all, name);
	if (dir == NULL || place_in(dir, &part, e) < 0 ||
	    remove_tree(dir, e) < 0)
		return -1;
	if (fill(&part, yaml, yaml_len, bound, version, e) < 0) {
		struct err ignored = ERR_INIT;

		(void)!remove_tree(dir, &ignored);
		return -1;
	}
	if (renameat2(AT_FDCWD, dir, AT_FDCWD, final.dir,
		      RENAME_NOREPLACE) < 0) {
		struct err ignored = ERR_INIT;
		int os = errno;

		(void)!remove_tree(dir, &ignored);
		errno = os;
		if (os == EEXIST || os == ENOTEMPTY)
			return err_set(e, ERR_USAGE, "%s: there is such a guest "
				       "already; imgrun remove %s, or give this "
				       "one another name", name, name);
		return err_sys(e, "%s", final.dir);
	}
	return io_sync_dir(all, e);
}

int
rt_stored_remove(const struct rt_place *p, struct err *e)
{
	const char *name = strrchr(p->dir, '/') + 1;
	SCOPED_FREE char *gone = mem_fmt(e, "%.*s.%s.gone",
					 (int)(name - p->dir), p->dir, name);

	if (gone == NULL ||
	    (access(p->dir, F_OK) == 0 && remove_tree(gone, e) < 0))
		return -1;
	/* First out of sight, at once; then piece by piece.  One that is out of
	 * sight was begun before. */
	if (rename(p->dir, gone) < 0 && errno != ENOENT)
		return err_sys(e, "%s", p->dir);
	return remove_tree(gone, e);
}

void
rt_names_done(struct rt_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->at[i]);
	free(n->at);
	*n = (struct rt_names)RT_NAMES_EMPTY;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
close_dir(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

int
rt_names_load(const char *state, struct rt_names *ret, struct err *e)
{
	RT_NAMES_SCOPED struct rt_names n = RT_NAMES_EMPTY;
	SCOPED_FREE char *dir = guests_dir(state, e);
	SCOPED(close_dir) DIR *d = NULL;
	const struct dirent *x;

	if (dir == NULL || rt_wipe_resume(state, e) < 0)
		return -1;
	d = opendir(dir);
	if (d == NULL && errno != ENOENT)
		return err_sys(e, "%s", dir);
	while (d != NULL && (x = readdir(d)) != NULL) {
		if (!rt_guest_name_ok(x->d_name))
			continue;
		if (mem_grow(&n.at, &n.cap, n.count + 1, sizeof(*n.at), e) < 0)
			return -1;
		n.at[n.count] = mem_str(x->d_name, e);
		if (n.at[n.count] == NULL)
			return -1;
		n.count++;
	}
	mem_sort(n.at, n.count, sizeof(*n.at), by_name);
	*ret = TAKE(n);
	return 0;
}

int
rt_lock_take(const struct rt_place *p, const char *name, int *ret,
	     struct err *e)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	SCOPED_FD int fd = open(p->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "%s", p->lock);
	if (fcntl(fd, F_OFD_SETLK, &all) < 0) {
		if (errno != EAGAIN && errno != EACCES)
			return err_sys(e, "%s", p->lock);
		return err_set(e, ERR_UNSAFE, "%s: is running; imgrun stop %s "
			       "first", name, name);
	}
	*ret = fd;
	fd = -1;
	return 0;
}

int
rt_lock_held(const struct rt_place *p, struct err *e)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	SCOPED_FD int fd = open(p->lock, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", p->lock);
	if (fcntl(fd, F_OFD_GETLK, &all) < 0)
		return err_sys(e, "%s", p->lock);
	return all.l_type != F_UNLCK;
}
