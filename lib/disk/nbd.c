/* nbd.c - disks behind NBD: image formats through qemu-nbd, and addresses
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * qemu-nbd runs shut in: it may read the system's libraries and the image's own
 * folder (and write there when it rewrites the image), has no network, and ends
 * with the connection.  It inherits its socket (sd_listen_fds(3)), so there is
 * no path for others to connect to.
 */
#include <errno.h>
#include <fcntl.h>
#include <libnbd.h>
#include <limits.h>
#include <linux/landlock.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk-private.h"
#include "disk/ssh.h"

enum {
	START_MS = 20000,	/* for a server to answer */
	REQUEST = 4 << 20,	/* bytes asked for at a time */
	LISTEN_FD = 3,		/* sd_listen_fds(3) */
	UNIT_MAX = 4096,	/* of a server's smallest request */
};

struct nbd {
	struct nbd_handle *h;
	const struct dk_format *format;	/* NULL: an address */
	pid_t pid;		/* of qemu-nbd, or 0 */
	uint32_t unit;		/* requests are of whole units, at whole units */
};

/* ---- the server ----------------------------------------------------------- */

static void
allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr a = { .allowed_access = access };

	a.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (a.parent_fd < 0)
		return;
	(void)syscall(SYS_landlock_add_rule, ruleset,
		      LANDLOCK_RULE_PATH_BENEATH, &a, 0);
	(void)close(a.parent_fd);
}

/* In the child, before exec.  What the kernel lacks is left out: the image has
 * been checked for references to other files already. */
static void
shut_in(const char *folder, bool write)
{
	const uint64_t look = LANDLOCK_ACCESS_FS_READ_FILE |
			      LANDLOCK_ACCESS_FS_READ_DIR;
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = look | LANDLOCK_ACCESS_FS_EXECUTE |
			LANDLOCK_ACCESS_FS_WRITE_FILE |
			LANDLOCK_ACCESS_FS_REMOVE_FILE |
			LANDLOCK_ACCESS_FS_MAKE_REG |
			LANDLOCK_ACCESS_FS_MAKE_SOCK |
			LANDLOCK_ACCESS_FS_MAKE_DIR |
			LANDLOCK_ACCESS_FS_MAKE_SYM,
	};
	static const char *const system_dirs[] = {
		"/usr", "/lib", "/lib64", "/bin", "/etc", "/proc", "/sys",
	};
	int ruleset;

	(void)unshare(CLONE_NEWUSER | CLONE_NEWNET);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr,
			       sizeof(attr), 0);
	if (ruleset < 0)
		return;
	for (size_t i = 0; i < sizeof(system_dirs) / sizeof(*system_dirs); i++)
		allow(ruleset, system_dirs[i],
		      look | LANDLOCK_ACCESS_FS_EXECUTE);
	allow(ruleset, "/dev", look | LANDLOCK_ACCESS_FS_WRITE_FILE);
	allow(ruleset, folder,
	      look | (write ? LANDLOCK_ACCESS_FS_WRITE_FILE : 0));
	(void)syscall(SYS_landlock_restrict_self, ruleset, 0);
	(void)close(ruleset);
}

static _Noreturn void
become_server(int listening, int words, const char *path, const char *folder,
	      const char *qemu_format, bool write)
{
	char pid[32];
	const char *argv[] = { "qemu-nbd", "-f", qemu_format, "--discard=unmap",
			       path, write ? NULL : "-r", NULL };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)setpgid(0, 0);
	if (dup2(words, STDERR_FILENO) < 0 ||
	    dup2(words, STDOUT_FILENO) < 0 || dup2(listening, LISTEN_FD) < 0)
		_exit(126);
	(void)close_range(LISTEN_FD + 1, ~0U, 0);
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", pid, 1);
	(void)setenv("LISTEN_FDS", "1", 1);
	shut_in(folder, write);
	(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* A listening socket with an address of the kernel's choice, and a connection
 * to it that the server will find waiting. */
static int
socket_pair(int *ret_listening, int *ret_connected, struct err *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sun);
	SCOPED_FD int low = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int l, c;

	/* Above the descriptors that the server gets.  Only the server keeps
	 * it, so that its end is the connection's end. */
	l = low < 0 ? low : fcntl(low, F_DUPFD, 10);
	if (l < 0)
		return err_sys(e, "socket");
	c = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c < 0 ||
	    bind(l, (struct sockaddr *)&sun, sizeof(sa_family_t)) < 0 ||
	    listen(l, 1) < 0 ||
	    getsockname(l, (struct sockaddr *)&sun, &len) < 0 ||
	    connect(c, (struct sockaddr *)&sun, len) < 0) {
		(void)err_sys(e, "socket");
		(void)close(l);
		(void)close(c);
		return -1;
	}
	*ret_listening = l;
	*ret_connected = c;
	return 0;
}

/* Go on until the handshake is over, or too much time. */
static int
handshake(struct nbd_handle *h, const char *name, struct err *e)
{
	uint64_t end = clock_ms() + START_MS, now;

	while (nbd_aio_is_connecting(h)) {
		now = clock_ms();
		if (now >= end)
			return err_set(e, ERR_SYSTEM, "%s: its server does not "
				       "answer", name);
		if (nbd_poll(h, (int)(end - now)) < 0)
			break;
	}
	if (!nbd_aio_is_ready(h))
		return err_set(e, ERR_CORRUPT, "%s: %s", name,
			       nbd_get_error() == NULL ? "no connection"
						       : nbd_get_error());
	return 0;
}

static void
end_server(struct nbd *n)
{
	if (n->h != NULL) {
		(void)nbd_shutdown(n->h, 0);
		nbd_close(n->h);
	}
	n->h = NULL;
	/* It ends by itself once its only client is gone, after writing what it
	 * holds; only a stuck one is killed. */
	for (int i = 0; n->pid > 0 && i < 500; i++) {
		if (waitpid(n->pid, NULL, WNOHANG) != 0)
			n->pid = 0;
		else
			(void)poll(NULL, 0, i < 20 ? 1 : 10);
	}
	if (n->pid > 0) {
		(void)kill(n->pid, SIGKILL);
		(void)waitpid(n->pid, NULL, 0);
	}
	n->pid = 0;
}

/* Replace a message by the server's last line, if it said something. */
static void
server_words(int words, const char *name, struct err *e)
{
	char text[512], quoted[512];
	ssize_t len = pread(words, text, sizeof(text) - 1, 0);

	if (len <= 0)
		return;
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	(void)err_quote(quoted, sizeof(quoted), text, strlen(text));
	*e = (struct err)ERR_INIT;
	if (strstr(text, " lock") != NULL)
		(void)err_set(e, ERR_UNSAFE, "%s: in use by another program (a "
			      "running guest?); shut it down first", name);
	else
		(void)err_set(e, ERR_CORRUPT, "%s: %s", name, quoted);
}

static struct nbd_handle *
new_handle(struct err *e)
{
	struct nbd_handle *h = nbd_create();

	if (h == NULL || nbd_add_meta_context(h, "base:allocation") < 0) {
		(void)err_set(e, ERR_NOMEM, "libnbd: %s", nbd_get_error());
		nbd_close(h);
		return NULL;
	}
	return h;
}

/* What the server wants requests to be made of. */
static int
learn_unit(struct nbd *n, const char *name, struct err *e)
{
	int64_t unit = nbd_get_block_size(n->h, LIBNBD_SIZE_MINIMUM);

	n->unit = unit > 0 && unit <= UNIT_MAX ? (uint32_t)unit : 1;
	if (unit > UNIT_MAX)
		return err_set(e, ERR_UNSUPPORTED, "%s: its server takes "
			       "nothing smaller than %lld bytes", name,
			       (long long)unit);
	return 0;
}

static int
start_server(struct nbd *n, const char *path, bool write, struct err *e)
{
	char real[PATH_MAX], folder[PATH_MAX];
	SCOPED_FD int words = io_temp_file(e);
	int listening = -1, connected = -1;

	if (words < 0)
		return -1;
	if (realpath(path, real) == NULL)
		return err_sys(e, "%s", path);
	memcpy(folder, real, sizeof(folder));
	*strrchr(folder, '/') = '\0';
	if (socket_pair(&listening, &connected, e) < 0)
		return -1;
	n->pid = fork();
	if (n->pid == 0)
		become_server(listening, words, real,
			      folder[0] == '\0' ? "/" : folder,
			      n->format->qemu, write);
	(void)close(listening);
	n->h = n->pid < 0 ? NULL : new_handle(e);
	if (n->h == NULL) {
		(void)close(connected);
		return n->pid < 0 ? err_sys(e, "fork") : -1;
	}
	if (nbd_aio_connect_socket(n->h, connected) < 0 ||
	    handshake(n->h, path, e) < 0) {
		if (e->kind == ERR_NONE)
			(void)err_set(e, ERR_SYSTEM, "%s: %s", path,
				      nbd_get_error());
		end_server(n);
		server_words(words, path, e);
		return -1;
	}
	return learn_unit(n, path, e);
}

/* ---- the disk ------------------------------------------------------------- */

static int
nbd_fails(const struct dk *d, const char *what, uint64_t at, struct err *e)
{
	int os = nbd_get_errno();

	(void)err_set(e, ERR_SYSTEM, "%s: %s at sector %llu: %s", d->name, what,
		      (unsigned long long)(at / 512), nbd_get_error());
	e->os = os;
	return -1;
}

/* The bytes of [at, at + len) that one request can move: whole units, or part
 * of one that goes through `edge`.  *ret_in is where in the unit it begins. */
static size_t
piece_of(const struct nbd *n, uint64_t at, size_t len, size_t *ret_in)
{
	size_t in = (size_t)(at % n->unit), whole;

	*ret_in = in;
	if (in != 0 || len < n->unit)
		return (size_t)num_min(len, n->unit - in);
	whole = len - len % n->unit;
	return whole < REQUEST ? whole : REQUEST;
}

static int
nbd_read(struct dk *d, void *buf, size_t len, uint64_t at, struct err *e)
{
	struct nbd *n = d->own;
	uint8_t *to = buf, edge[UNIT_MAX] = { 0 };

	while (len > 0) {
		size_t in, piece = piece_of(n, at, len, &in);
		bool whole = piece % n->unit == 0;

		if (nbd_pread(n->h, whole ? to : edge,
			      whole ? piece : n->unit, at - in, 0) < 0)
			return nbd_fails(d, "read", at, e);
		if (!whole)
			memcpy(to, edge + in, piece);
		to += piece;
		at += piece;
		len -= piece;
	}
	return 0;
}

static int
nbd_write(struct dk *d, const void *buf, size_t len, uint64_t at, struct err *e)
{
	struct nbd *n = d->own;
	const uint8_t *from = buf;
	uint8_t edge[UNIT_MAX] = { 0 };

	while (len > 0) {
		size_t in, piece = piece_of(n, at, len, &in);
		bool whole = piece % n->unit == 0;

		if (!whole) {
			if (nbd_pread(n->h, edge, n->unit, at - in, 0) < 0)
				return nbd_fails(d, "read", at, e);
			memcpy(edge + in, from, piece);
		}
		if (nbd_pwrite(n->h, whole ? from : edge,
			       whole ? piece : n->unit, at - in, 0) < 0)
			return nbd_fails(d, "write", at, e);
		from += piece;
		at += piece;
		len -= piece;
	}
	return 0;
}

static int
nbd_sync(struct dk *d, struct err *e)
{
	struct nbd *n = d->own;

	if (nbd_can_flush(n->h) > 0 && nbd_flush(n->h, 0) < 0)
		return nbd_fails(d, "flush", 0, e);
	return 0;
}

/* One answer about extents: [at, end) of it is told to fn. */
struct told {
	uint64_t at, end;
	dk_extent_fn fn;
	void *arg;
	struct err *e;
	bool failed;
};

static int
tell(void *user, const char *context, uint64_t offset, uint32_t *entries,
     size_t count, int *error)
{
	struct told *t = user;

	(void)offset;
	if (strcmp(context, "base:allocation") != 0)
		return 0;
	for (size_t i = 0; i + 1 < count && t->at < t->end; i += 2) {
		uint64_t len = num_min(entries[i], t->end - t->at);
		unsigned kind = 0;

		if ((entries[i + 1] & LIBNBD_STATE_ZERO) != 0)
			kind |= DK_ZERO;
		if ((entries[i + 1] & LIBNBD_STATE_HOLE) != 0)
			kind |= DK_HOLE;
		if (len > 0 && t->fn(t->arg, t->at, len, kind, t->e) < 0) {
			t->failed = true;
			*error = EIO;
			return -1;
		}
		t->at += len;
	}
	return 0;
}

static int
nbd_extents(struct dk *d, uint64_t at, uint64_t len, dk_extent_fn fn, void *arg,
	    struct err *e)
{
	struct nbd *n = d->own;
	struct told t = { .at = at, .end = at + len, .fn = fn, .arg = arg,
			  .e = e };

	if (nbd_can_meta_context(n->h, "base:allocation") <= 0)
		return fn(arg, at, len, 0, e);
	while (t.at < t.end) {
		uint64_t was = t.at, in = was % n->unit;
		uint64_t ask = num_min(t.end - t.at, 1U << 30);

		/* the rest of a unit, or part of the last one: data */
		if (in != 0 || ask < n->unit) {
			ask = num_min(n->unit - in, t.end - t.at);
			if (fn(arg, t.at, ask, 0, e) < 0)
				return -1;
			t.at += ask;
			continue;
		}
		ask -= ask % n->unit;
		nbd_extent_callback cb = { .callback = tell, .user_data = &t };

		if (nbd_block_status(n->h, ask, t.at, cb, 0) < 0)
			return t.failed ? -1 :
			       nbd_fails(d, "block status", t.at, e);
		if (t.at == was)
			return err_set(e, ERR_CORRUPT, "%s: its server tells no "
				       "extents", d->name);
	}
	return 0;
}

static void
nbd_done(struct dk *d)
{
	struct nbd *n = d->own;

	end_server(n);
	free(n);
}

static const struct dk_ops nbd_ops = {
	.read = nbd_read, .write = nbd_write, .flush = nbd_sync,
	.extents = nbd_extents, .close = nbd_done,
};

static struct dk *
as_disk(struct nbd *n, const char *name, bool write, struct err *e)
{
	int64_t size = nbd_get_size(n->h);
	struct dk *d = dk_new(&nbd_ops, n, name, size < 0 ? 0 : (uint64_t)size,
			      512, e);
	char magic[8];

	if (d == NULL)
		return NULL;
	d->writable = write;
	/* Only the GPT tells, as in a raw file. */
	if (d->size >= 8192 && dk_read(d, magic, 8, 512, e) == 0 &&
	    memcmp(magic, "EFI PART", 8) != 0 &&
	    dk_read(d, magic, 8, 4096, e) == 0 &&
	    memcmp(magic, "EFI PART", 8) == 0)
		d->sector = 4096;
	if (e->kind == ERR_NONE)
		return d;
	dk_free(&d);
	return NULL;
}

struct dk *
dk_nbd_image(const char *path, const struct dk_format *format, struct err *e)
{
	struct nbd *n = mem_array(1, sizeof(*n), e);

	if (n == NULL)
		return NULL;
	n->format = format;
	if (start_server(n, path, false, e) < 0) {
		end_server(n);
		free(n);
		return NULL;
	}
	return as_disk(n, path, false, e);
}

int
dk_nbd_rewrite(struct dk *d, struct err *e)
{
	struct nbd *n = d->own;

	if (d->writable)
		return 0;
	end_server(n);
	if (start_server(n, d->name, true, e) < 0)
		return -1;
	d->writable = true;
	return 0;
}

bool
dk_is_nbd_image(const struct dk *d)
{
	const struct nbd *n = d->own;

	return d->ops == &nbd_ops && n->format != NULL;
}

struct dk *
dk_nbd_uri(const char *uri, bool write, struct err *e)
{
	struct nbd *n = mem_array(1, sizeof(*n), e);

	if (n == NULL)
		return NULL;
	n->h = new_handle(e);
	if (n->h == NULL) {
		free(n);
		return NULL;
	}
	if (nbd_set_uri_allow_transports(n->h, LIBNBD_ALLOW_TRANSPORT_UNIX) < 0 ||
	    nbd_aio_connect_uri(n->h, uri) < 0)
		(void)err_set(e, ERR_USAGE, "%s: %s", uri, nbd_get_error());
	else if (handshake(n->h, uri, e) == 0)
		(void)learn_unit(n, uri, e);
	if (e->kind == ERR_NONE && write && nbd_is_read_only(n->h) > 0)
		(void)err_set(e, ERR_USAGE, "%s: its server lets nobody write",
			      uri);
	if (e->kind == ERR_NONE)
		return as_disk(n, uri, write, e);
	end_server(n);
	free(n);
	return NULL;
}

/* libnbd starts ssh and speaks with nbdkit there; only the clusters that are
 * asked for travel. */
struct dk *
dk_nbd_ssh(const char *address, struct err *e)
{
	DK_SSH_SCOPED struct dk_ssh s = DK_SSH_EMPTY;
	char *argv[7] = { NULL };
	char words[3][4] = { "ssh", "-p", "--" };
	struct nbd *n;

	if (dk_ssh_parse(address, &s, e) < 0)
		return NULL;
	n = mem_array(1, sizeof(*n), e);
	if (n == NULL)
		return NULL;
	argv[0] = words[0];
	argv[1] = words[1];
	argv[2] = s.port;
	argv[3] = words[2];
	argv[4] = s.host;
	argv[5] = s.command;
	n->h = new_handle(e);
	if (n->h != NULL && nbd_connect_command(n->h, argv) < 0)
		(void)err_set(e, ERR_SYSTEM, "%s: no connection: %s; is nbdkit "
			      "installed there?", address, nbd_get_error());
	if (e->kind == ERR_NONE && learn_unit(n, address, e) == 0)
		return as_disk(n, address, false, e);
	end_server(n);
	free(n);
	return NULL;
}
