/* tpm.c - a guest's TPM 2.0: swtpm, in a jail of its own
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/tpm.h"

#include <fcntl.h>

#include "base/err.h"
#include "base/io.h"
#include "base/scope.h"
#include "crypt/secret.h"
#include "runtime/words.h"

/* Numbers of the descriptors in swtpm. */
enum { FD_CONTROL = RT_FD_FIRST, FD_KEY };

/* The salt, made when there is none yet. */
static int
get_salt(const struct rt_place *p, uint8_t salt[RT_SALT_BYTES], struct err *e)
{
	SCOPED_FREE uint8_t *bytes = NULL;
	size_t len;

	if (access(p->salt, F_OK) < 0) {
		cx_random(salt, RT_SALT_BYTES);
		if (io_mkdirs(p->tpm, 0700, e) < 0)
			return -1;
		return io_put(p->salt, salt, RT_SALT_BYTES, 0600, e);
	}
	if (io_slurp(p->salt, RT_SALT_BYTES, &bytes, &len, e) < 0)
		return -1;
	if (len != RT_SALT_BYTES)
		return err_set(e, ERR_CORRUPT, "%s: is not whole; what the TPM "
			       "kept is lost", p->salt);
	memcpy(salt, bytes, RT_SALT_BYTES);
	return 0;
}

static int
spawn(const struct rt_place *p, enum rt_rung rung, const int fds[2], pid_t *ret,
      struct err *e)
{
	SCOPED_FREE char *program = rt_program("swtpm", e);
	SCOPED_FD int log = open(p->tpm_log, O_WRONLY | O_CREAT | O_TRUNC |
				 O_APPEND | O_CLOEXEC, 0600);
	RT_WORDS_SCOPED struct rt_words w = RT_WORDS_EMPTY;

	if (program == NULL)
		return -1;
	if (log < 0)
		return err_sys(e, "%s", p->tpm_log);
	rt_words_add(&w, program);
	rt_words_add(&w, "socket");
	rt_words_add(&w, "--tpm2");
	rt_words_opt(&w, "--tpmstate", "dir=%s,mode=0600", p->tpm);
	rt_words_opt(&w, "--ctrl", "type=unixio,clientfd=%d", FD_CONTROL);
	rt_words_opt(&w, "--key", "fd=%d,format=binary,mode=aes-256-cbc", FD_KEY);
	rt_words_add(&w, "--terminate");
	if (rt_words_ok(&w, e) < 0)
		return -1;
	const struct rt_path paths[] = {
		{ "/usr/lib", RT_READ | RT_EXEC },
		{ "/usr/lib64", RT_READ | RT_EXEC },
		{ "/lib", RT_READ | RT_EXEC },
		{ "/lib64", RT_READ | RT_EXEC },
		{ "/etc/ld.so.cache", RT_READ },
		{ "/dev/urandom", RT_READ | RT_DEVICE },
		{ "/dev/null", RT_READ | RT_DEVICE },
		{ program, RT_READ | RT_EXEC },
		{ p->tpm, RT_READ | RT_WRITE },
	};
	const struct rt_spawn s = {
		.what = "TPM", .argv = w.at, .fds = fds, .fd_count = 2,
		.log = log, .paths = paths,
		.path_count = sizeof(paths) / sizeof(paths[0]),
		.root = p->root, .file_max = 1 << 20,
	};
	return rt_spawn(&s, rung, ret, e);
}

int
rt_tpm_start(const struct rt_place *p, enum rt_rung rung,
	     const struct rt_keyd *k, int fd, pid_t *ret, struct err *e)
{
	uint8_t salt[RT_SALT_BYTES];
	int key[2];

	if (get_salt(p, salt, e) < 0)
		return -1;
	if (pipe2(key, O_CLOEXEC) < 0)
		return err_sys(e, "TPM");
	SCOPED_FD int from = key[0], to = key[1];
	if (rt_keyd_derive(k, salt, to, e) < 0)
		return -1;
	/* swtpm reads a key to the end of the pipe. */
	scope_close(&to);
	const int fds[] = { fd, from };
	return spawn(p, rung, fds, ret, e);
}
