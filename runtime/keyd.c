/* keyd.c - the key holder: the one process that has the device's key
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/keyd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/json.h"
#include "base/sandbox.h"
#include "crypt/hash.h"
#include "crypt/key.h"
#include "crypt/secret.h"
#include "runtime/peer.h"

#define ANSWER_MS 5000

/* A request: the key itself, or one that is derived from it and a salt. */
enum { GIVE = 'K', DERIVE = 'D' };

static int
derive(const struct cx_key *k, const uint8_t *salt, int to, struct err *e)
{
	uint8_t key[32];

	cx_kdf(key, k->secret.at, "halcyon guest tpm", salt, RT_SALT_BYTES);
	ssize_t n = write(to, key, sizeof(key));	/* a pipe has the room */
	cx_wipe(key, sizeof(key));
	return n == (ssize_t)sizeof(key) ? 0 : err_sys(e, "key holder");
}

static int
answer(const struct cx_key *k, const uint8_t *word, size_t len, int to,
       struct err *e)
{
	if (to >= 0 && len == 1 && word[0] == GIVE)
		return cx_key_give(k, to, e);
	if (to >= 0 && len == 1 + RT_SALT_BYTES && word[0] == DERIVE)
		return derive(k, word + 1, to, e);
	return err_set(e, ERR_USAGE, "key holder: no such request");
}

/* Each request comes with a descriptor; until the supervisor is gone. */
static void
serve(int fd, const struct cx_key *k)
{
	for (;;) {
		struct err e = ERR_INIT, result = ERR_INIT;
		SCOPED_FD int to = -1;
		uint8_t word[1 + RT_SALT_BYTES];
		size_t len;

		if (rt_peer_recv(fd, -1, word, sizeof(word), &len, &to, &e) <= 0)
			return;
		(void)!answer(k, word, len, to, &result);
		if (rt_peer_answer(fd, &result, NULL, &e) < 0)
			return;
	}
}

static int
open_key(const char *file, int passphrase_fd, struct cx_key *key,
	 struct err *e)
{
	struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return err_sys(e, "key holder");
	if (cx_key_load(file, passphrase_fd, cx_ask_terminal, key, e) < 0)
		return -1;
	if (key->secret.len != 96)
		return err_set(e, ERR_UNSUPPORTED, "%s: a key of another kind",
			       file);
	return 0;
}

static int
tell(int fd, const struct cx_key *key, const struct sandbox_state *box,
     struct err *result)
{
	struct err e = ERR_INIT;
	JS_SCOPED struct js *j = js_new("imgrun key holder", 1, &e);

	js_bool(j, "protected", key->is_protected);
	js_bool(j, "confined", box->landlock && box->seccomp);
	return rt_peer_answer(fd, result, result->kind == ERR_NONE ? j : NULL,
			      &e);
}

static void
child(int fd, const char *key_file, int passphrase_fd)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	struct sandbox_state box = { .landlock = false };
	struct err result = ERR_INIT;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "imgrun-keys", 0, 0, 0);
	int r = open_key(key_file, passphrase_fd, &key, &result);
	/* Our end becomes 0; nothing else stays open. */
	if (dup2(fd, 0) < 0 || close_range(1, ~0U, 0) < 0)
		return;
	if (r == 0)
		r = sandbox_enter(SANDBOX_SOCKET_IO, &box, &result);
	if (tell(0, &key, &box, &result) == 0 && r == 0)
		serve(0, &key);
}

int
rt_keyd_start(const char *key_file, int passphrase_fd, struct rt_keyd *ret,
	      struct err *e)
{
	RT_KEYD_SCOPED struct rt_keyd k = RT_KEYD_EMPTY;
	JS_SCOPED struct js *said = NULL;
	int pair[2];

	if (rt_peer_pair(pair, e) < 0)
		return -1;
	k.pid = fork();
	if (k.pid == 0) {
		(void)close(pair[0]);
		child(pair[1], key_file, passphrase_fd);
		_exit(0);
	}
	(void)close(pair[1]);
	k.fd = pair[0];
	if (k.pid < 0) {
		k.pid = 0;
		return err_sys(e, "key holder");
	}
	/* As long as somebody needs to type a passphrase. */
	if (rt_peer_ask(k.fd, -1, "key holder", &said, e) < 0)
		return -1;
	if (!js_get_bool(said, "protected", &k.is_protected) ||
	    !js_get_bool(said, "confined", &k.is_confined))
		return err_set(e, ERR_CORRUPT, "key holder: says nothing useful");
	*ret = k;
	k = (struct rt_keyd)RT_KEYD_EMPTY;
	return 0;
}

static int
ask(const struct rt_keyd *k, const void *word, size_t len, int pipe,
    struct err *e)
{
	if (k->fd < 0)
		return err_set(e, ERR_SYSTEM, "key holder: is gone");
	if (rt_peer_send(k->fd, word, len, pipe, e) < 0)
		return err_ctx(e, "key holder");
	return rt_peer_ask(k->fd, ANSWER_MS, "key holder", NULL, e);
}

int
rt_keyd_give(const struct rt_keyd *k, int pipe, struct err *e)
{
	const uint8_t word = GIVE;

	return ask(k, &word, 1, pipe, e);
}

int
rt_keyd_derive(const struct rt_keyd *k, const uint8_t salt[RT_SALT_BYTES],
	       int pipe, struct err *e)
{
	uint8_t word[1 + RT_SALT_BYTES] = { DERIVE };

	memcpy(word + 1, salt, RT_SALT_BYTES);
	return ask(k, word, sizeof(word), pipe, e);
}

void
rt_keyd_end(struct rt_keyd *k)
{
	if (k->fd >= 0)
		(void)close(k->fd);
	if (k->pid > 0) {
		(void)kill(k->pid, SIGKILL);
		(void)waitpid(k->pid, NULL, 0);
	}
	*k = (struct rt_keyd)RT_KEYD_EMPTY;
}
