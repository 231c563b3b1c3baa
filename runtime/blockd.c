/* blockd.c - the block server: nbdkit with our plugin, in a jail
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/blockd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/ready.h"
#include "base/scope.h"
#include "runtime/peer.h"
#include "runtime/words.h"

#define READY_MS 30000	/* a first read of a cold repository on a slow disk */

/* Numbers of the descriptors in the server. */
enum { FD_LISTENER = RT_FD_FIRST, FD_KEY, FD_STATUS };

char *
rt_blockd_plugin(struct err *e)
{
	return io_module("nbdkit-halcyon-plugin.so", e);
}

static int
command_line(const struct rt_blockd *b, struct rt_words *w, struct err *e)
{
	rt_words_add(w, b->nbdkit);
	rt_words_add(w, "--foreground");
	rt_words_add(w, "--log=stderr");
	rt_words_add(w, "--threads=4");
	rt_words_add(w, b->plugin);
	rt_words_fmt(w, "repo=%s", b->repo);
	rt_words_fmt(w, "key-fd=%d", FD_KEY);
	rt_words_fmt(w, "status-fd=%d", FD_STATUS);
	rt_words_add(w, "disk=system");
	rt_words_fmt(w, "image=%s", b->image);
	if (b->layers != NULL)
		rt_words_fmt(w, "layer=%s/%s", b->layers, b->layer);
	if (b->user != NULL) {
		rt_words_add(w, "disk=user");
		rt_words_fmt(w, "image=%s", b->user);
		rt_words_fmt(w, "layer=%s/user", b->layers);
	}
	return rt_words_ok(w, e);
}

/* Its one line: "NAME:NUMBER SIZE", or what became of it instead. */
static int
await_status(int fd, struct rt_blockd_said *ret, struct err *e)
{
	struct rt_blockd_said said = { .size = 0 };
	char text[READY_TEXT], *at = text;

	if (ready_await(fd, READY_MS, "block server (see block.log in the "
			"guest's state directory)", text, e) < 0)
		return -1;
	const char *version = strsep(&at, " ");
	if (at == NULL || strlen(version) >= sizeof(said.version) ||
	    !num_parse(at, 0, INT64_MAX, false, &said.size))
		return err_set(e, ERR_CORRUPT, "block server: says nothing "
			       "useful");
	memcpy(said.version, version, strlen(version) + 1);
	*ret = said;
	return 0;
}

static int
spawn(const struct rt_blockd *b, int key, int status, pid_t *ret, struct err *e)
{
	RT_WORDS_SCOPED struct rt_words w = RT_WORDS_EMPTY;
	const int fds[] = { b->listener, key, status };
	const struct rt_path paths[] = {
		{ "/usr/lib", RT_READ | RT_EXEC },
		{ "/usr/lib64", RT_READ | RT_EXEC },
		{ "/lib", RT_READ | RT_EXEC },
		{ "/lib64", RT_READ | RT_EXEC },
		{ "/etc/ld.so.cache", RT_READ },
		{ "/dev/urandom", RT_READ | RT_DEVICE },
		{ "/dev/null", RT_READ | RT_DEVICE },
		{ b->nbdkit, RT_READ | RT_EXEC },
		{ b->plugin, RT_READ | RT_EXEC },
		{ b->repo, RT_READ },
		{ b->layers, RT_READ | RT_WRITE },
	};
	const size_t all = sizeof(paths) / sizeof(paths[0]);

	if (command_line(b, &w, e) < 0)
		return -1;
	const struct rt_spawn s = {
		.what = "block server", .argv = w.at, .fds = fds,
		.fd_count = sizeof(fds) / sizeof(fds[0]), .log = b->log,
		.paths = paths, .path_count = b->layers == NULL ? all - 1 : all,
		.root = b->root, .listen = true,
	};
	return rt_spawn(&s, b->rung, ret, e);
}

static int
start(const struct rt_blockd *b, const struct rt_keyd *k, const int key[2],
      const int status[2], pid_t *ret, struct rt_blockd_said *ret_said,
      struct err *e)
{
	pid_t pid;

	if (rt_keyd_give(k, key[1], e) < 0 ||
	    spawn(b, key[0], status[1], &pid, e) < 0)
		return -1;
	/* Ours must be closed, or its death would go unseen. */
	(void)dup2(key[0], status[1]);
	if (await_status(status[0], ret_said, e) < 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return -1;
	}
	*ret = pid;
	return 0;
}

int
rt_blockd_start(const struct rt_blockd *b, const struct rt_keyd *k, pid_t *ret,
		struct rt_blockd_said *ret_said, struct err *e)
{
	int key[2], status[2];

	if (pipe2(key, O_CLOEXEC) < 0)
		return err_sys(e, "block server");
	SCOPED_FD int key_r = key[0], key_w = key[1];
	if (pipe2(status, O_CLOEXEC) < 0)
		return err_sys(e, "block server");
	SCOPED_FD int status_r = status[0], status_w = status[1];
	(void)key_r, (void)key_w, (void)status_r, (void)status_w;
	return start(b, k, key, status, ret, ret_said, e);
}

#define TRY "try.sock"

int
rt_blockd_try(const char *repo, const char *image, const char *dir,
	      const char *root, const struct rt_keyd *k,
	      struct rt_blockd_said *ret_said, struct err *e)
{
	SCOPED_FREE char *nbdkit = rt_program("nbdkit", e);
	SCOPED_FREE char *plugin = nbdkit == NULL ? NULL : rt_blockd_plugin(e);
	SCOPED_FREE char *path = io_join(dir, TRY, e);
	SCOPED_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	SCOPED_FD int listener = -1;
	enum rt_rung rung;
	pid_t pid;

	if (plugin == NULL || path == NULL || rt_jail_best(root, &rung, e) < 0 ||
	    rt_peer_listen(dir, TRY, SOCK_STREAM, &listener, e) < 0)
		return -1;
	(void)unlink(path);
	const struct rt_blockd b = {
		.repo = repo, .image = image, .root = root, .plugin = plugin,
		.nbdkit = nbdkit, .rung = rung, .listener = listener,
		.log = null,
	};
	if (rt_blockd_start(&b, k, &pid, ret_said, e) < 0)
		return -1;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return 0;
}
