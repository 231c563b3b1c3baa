/* remote_ssh.c - a directory behind ssh as a remote; see remote.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The user's own ssh connects, with his configuration, keys and agent, and
 * starts the sftp subsystem; so the other side needs sshd and no program of
 * ours.  Spoken is version 3 of the SSH File Transfer Protocol
 * (draft-ietf-secsh-filexfer-02) and OpenSSH's extensions posix-rename and fsync.
 * A server that answers out of order is not understood; none is known to.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/stop.h"
#include "delta/remote-private.h"

enum {
	PIECE = 32 << 10,	/* bytes of one read or write: all servers take it */
	WINDOW = 16,		/* of them on their way */
	ANSWER_MAX = 256 << 10,
};

/* Packets, flags and answers: sections 3, 6.3, 7 of the draft. */
enum {
	INIT = 1, VERSION = 2, OPEN = 3, CLOSE = 4, READ = 5, WRITE = 6,
	REMOVE = 13, MKDIR = 14, STAT = 17, RENAME = 18, STATUS = 101,
	HANDLE = 102, DATA = 103, ATTRS = 105, EXTENDED = 200,
	FLAG_READ = 1, FLAG_WRITE = 2, FLAG_CREATE = 8, FLAG_TRUNCATE = 16,
	ATTR_SIZE = 1,
	OK = 0, AT_END = 1, NO_SUCH_FILE = 2,
};

struct ssh {
	pid_t pid;
	int fd;			/* to ssh's input and output */
	char *path;		/* of the remote, over there */
	uint32_t next;		/* number of the next request */
	struct buf out, in;
};

/* An answer. */
struct answer {
	uint8_t type;
	uint32_t status;	/* STATUS */
	struct cur rest;
};

/* ---- packets ------------------------------------------------------------- */

static void
put_u32(struct buf *b, uint32_t v)
{
	for (int i = 24; i >= 0; i -= 8)
		buf_u8(b, (uint8_t)(v >> i & 0xff));
}

static void
put_u64(struct buf *b, uint64_t v)
{
	put_u32(b, (uint32_t)(v >> 32));
	put_u32(b, (uint32_t)(v & UINT32_MAX));
}

static void
put_string(struct buf *b, const void *at, size_t len)
{
	put_u32(b, (uint32_t)len);
	buf_bytes(b, at, len);
}

static uint32_t
take_u32(struct cur *c)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 8 | cur_u8(c);
	return v;
}

/* Begin a request; what it asks follows, then send_request(). */
static void
begin(struct ssh *s, uint8_t type)
{
	s->out.len = 0;
	put_u32(&s->out, 0);
	buf_u8(&s->out, type);
	put_u32(&s->out, s->next++);
}

static int
send_request(struct dl_remote *r, struct err *e)
{
	struct ssh *s = r->own;

	if (buf_ok(&s->out, e) < 0)
		return -1;
	uint32_t len = (uint32_t)s->out.len - 4;
	for (size_t i = 0; i < 4; i++)
		s->out.at[i] = (uint8_t)(len >> (24 - 8 * i) & 0xff);
	return io_write_all(s->fd, s->out.at, s->out.len, r->name, e);
}

/* Exactly len bytes from ssh. */
static int
receive(struct dl_remote *r, uint8_t *at, size_t len, struct err *e)
{
	struct ssh *s = r->own;
	uint64_t until = dl_remote_clock() + (uint64_t)r->how.timeout * 1000;

	while (len > 0) {
		struct pollfd p = { .fd = s->fd, .events = POLLIN };
		int ready = poll(&p, 1, 200);

		if (stop_check(e) < 0)
			return -1;
		if (ready < 0 && errno != EINTR)
			return err_sys(e, "%s", r->name);
		if (ready <= 0 && dl_remote_clock() > until)
			return err_set(e, ERR_SYSTEM, "%s: too slow: nothing "
				       "came for %u seconds", r->name,
				       r->how.timeout);
		if (ready <= 0)
			continue;
		ssize_t n = read(s->fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_SYSTEM, "%s: ssh has ended; run it "
				       "again to go on", r->name);
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The answer to request `id`. */
static int
receive_answer(struct dl_remote *r, uint32_t id, struct answer *ret,
	       struct err *e)
{
	struct ssh *s = r->own;
	uint8_t head[4];
	uint8_t *room;

	if (receive(r, head, sizeof(head), e) < 0)
		return -1;
	struct cur c = cur_over(r->name, head, sizeof(head));
	uint32_t len = take_u32(&c);
	if (len < 5 || len > ANSWER_MAX)
		return err_set(e, ERR_CORRUPT, "%s: does not speak sftp", r->name);
	s->in.len = 0;
	room = buf_room(&s->in, len);
	if (room == NULL)
		return buf_ok(&s->in, e);
	if (receive(r, room, len, e) < 0)
		return -1;
	ret->rest = cur_over(r->name, room, len);
	ret->type = cur_u8(&ret->rest);
	if (ret->type != VERSION && take_u32(&ret->rest) != id)
		cur_bad(&ret->rest, "answers something that was not asked");
	ret->status = ret->type == STATUS ? take_u32(&ret->rest) : OK;
	return cur_ok(&ret->rest) ? 0 : cur_err(&ret->rest, e);
}

/* Send what was begun, and see the answer. */
static int
ask(struct dl_remote *r, struct answer *ret, struct err *e)
{
	const struct ssh *s = r->own;
	uint32_t id = s->next - 1;

	if (send_request(r, e) < 0)
		return -1;
	return receive_answer(r, id, ret, e);
}

/* What the server says is wrong. */
static int
refused(const struct dl_remote *r, const char *name, struct answer *a,
	struct err *e)
{
	struct cur text = cur_sub(&a->rest, take_u32(&a->rest));
	char quoted[256];

	(void)err_quote(quoted, sizeof(quoted), cur_rest(&text),
			cur_left(&text));
	return err_set(e, ERR_SYSTEM, "%s/%s: %s", r->name, name,
		       cur_ok(&text) && cur_left(&text) > 0 ? quoted :
							      "does not work");
}

static int
must(struct dl_remote *r, const char *name, struct err *e)
{
	struct answer a;

	if (ask(r, &a, e) < 0)
		return -1;
	return a.type == STATUS && a.status == OK ? 0 : refused(r, name, &a, e);
}

/* ---- files --------------------------------------------------------------- */

static void
put_name(struct ssh *s, const char *name)
{
	size_t n = strlen(s->path), k = strlen(name);

	put_u32(&s->out, (uint32_t)(n + 1 + k));
	buf_bytes(&s->out, s->path, n);
	buf_u8(&s->out, '/');
	buf_bytes(&s->out, name, k);
}

/* 1 open, *ret is the handle; 0 there is no such file. */
static int
open_file(struct dl_remote *r, const char *name, uint32_t flags,
	  struct buf *ret, struct err *e)
{
	struct ssh *s = r->own;
	struct answer a;

	begin(s, OPEN);
	put_name(s, name);
	put_u32(&s->out, flags);
	put_u32(&s->out, 0);
	if (ask(r, &a, e) < 0)
		return -1;
	if (a.type == STATUS && a.status == NO_SUCH_FILE &&
	    (flags & FLAG_READ) != 0)
		return 0;
	if (a.type != HANDLE)
		return refused(r, name, &a, e);
	struct cur h = cur_sub(&a.rest, take_u32(&a.rest));
	if (!cur_ok(&h))
		return cur_err(&h, e);
	ret->len = 0;
	buf_bytes(ret, cur_rest(&h), cur_left(&h));
	return buf_ok(ret, e) < 0 ? -1 : 1;
}

static int
close_file(struct dl_remote *r, const char *name, const struct buf *handle,
	   struct err *e)
{
	struct ssh *s = r->own;

	begin(s, CLOSE);
	put_string(&s->out, handle->at, handle->len);
	return must(r, name, e);
}

static int
size_ssh(struct dl_remote *r, const char *name, uint64_t *ret, struct err *e)
{
	struct ssh *s = r->own;
	struct answer a;

	begin(s, STAT);
	put_name(s, name);
	if (ask(r, &a, e) < 0)
		return -1;
	if (a.type == STATUS && a.status == NO_SUCH_FILE)
		return 0;
	if (a.type != ATTRS)
		return refused(r, name, &a, e);
	if ((take_u32(&a.rest) & ATTR_SIZE) == 0)
		return err_set(e, ERR_UNSUPPORTED, "%s/%s: the server tells no "
			       "size", r->name, name);
	uint64_t high = take_u32(&a.rest), low = take_u32(&a.rest);
	if (!cur_ok(&a.rest))
		return cur_err(&a.rest, e);
	*ret = high << 32 | low;
	return 1;
}

/* ---- reading ------------------------------------------------------------- */

static int
ask_read(struct dl_remote *r, const struct buf *handle, uint64_t at, size_t n,
	 struct err *e)
{
	struct ssh *s = r->own;

	begin(s, READ);
	put_string(&s->out, handle->at, handle->len);
	put_u64(&s->out, at);
	put_u32(&s->out, (uint32_t)n);
	return send_request(r, e);
}

/* Read on from g->have with several requests under way, until all is there or an
 * answer is shorter than it was to be. */
static int
read_on(struct dl_remote *r, struct dl_get *g, const struct buf *handle,
	struct progress *p, struct err *e)
{
	struct ssh *s = r->own;
	uint64_t asked = g->have, before = g->have;
	uint32_t first = s->next, waiting = 0;
	bool gap = false;

	while (waiting > 0 || (!gap && asked < g->len)) {
		struct answer a;

		while (!gap && waiting < WINDOW && asked < g->len) {
			size_t n = (size_t)num_min(PIECE, g->len - asked);

			if (ask_read(r, handle, g->at + asked, n, e) < 0)
				return -1;
			asked += n;
			waiting++;
		}
		uint64_t due = num_min(PIECE, g->len - g->have);
		if (receive_answer(r, first++, &a, e) < 0)
			return -1;
		waiting--;
		if (gap)
			continue;	/* it is asked for again */
		if (a.type == STATUS && a.status == AT_END) {
			gap = true;
			continue;
		}
		struct cur d = cur_sub(&a.rest, take_u32(&a.rest));
		if (a.type != DATA || !cur_ok(&d) || cur_left(&d) > due)
			return refused(r, g->name, &a, e);
		gap = cur_left(&d) < due;
		if (g->take(g->arg, cur_rest(&d), cur_left(&d), e) < 0)
			return -1;
		g->have += cur_left(&d);
		if (dl_remote_pass(r, cur_left(&d), p, e) < 0)
			return -1;
	}
	if (g->have < g->len && g->have == before)
		return dl_remote_short(r, g, e);
	return 0;
}

static int
get_ssh(struct dl_remote *r, struct dl_get *get, size_t count,
	struct progress *p, struct err *e)
{
	BUF_SCOPED struct buf handle = BUF_EMPTY;

	for (size_t i = 0; i < count; i++) {
		struct dl_get *g = &get[i];
		int there = open_file(r, g->name, FLAG_READ, &handle, e);

		if (there < 0)
			return -1;
		g->absent = there == 0;
		while (there == 1 && g->have < g->len)
			if (read_on(r, g, &handle, p, e) < 0)
				return -1;
		if (there == 1 && close_file(r, g->name, &handle, e) < 0)
			return -1;
	}
	return 0;
}

static int
take_into(void *arg, const void *data, size_t len, struct err *e)
{
	struct buf *out = arg;

	buf_bytes(out, data, len);
	return buf_ok(out, e);
}

static int
slurp_ssh(struct dl_remote *r, const char *name, size_t max, struct buf *out,
	  struct err *e)
{
	struct dl_get g = { .name = name, .take = take_into, .arg = out };
	int there = size_ssh(r, name, &g.len, e);

	if (there <= 0)
		return there;
	if (g.len > max)
		return err_set(e, ERR_CORRUPT, "%s/%s: is larger than %zu bytes",
			       r->name, name, max);
	return get_ssh(r, &g, 1, NULL, e) < 0 ? -1 : !g.absent;
}

/* ---- writing ------------------------------------------------------------- */

/* The folders of an object; those that are there are fine. */
static int
make_folders(struct dl_remote *r, const char *name, struct err *e)
{
	struct ssh *s = r->own;
	SCOPED_FREE char *folder = mem_fmt(e, "%s/%s", s->path, name);

	if (folder == NULL)
		return -1;
	for (char *at = folder + 1; (at = strchr(at, '/')) != NULL; at++) {
		struct answer a;

		begin(s, MKDIR);
		put_string(&s->out, folder, (size_t)(at - folder));
		put_u32(&s->out, 0);
		if (ask(r, &a, e) < 0)
			return -1;	/* what is refused shows when writing */
	}
	return 0;
}

static int
write_all(struct dl_remote *r, const char *name, const struct buf *handle,
	  int fd, struct progress *p, struct err *e)
{
	struct ssh *s = r->own;
	SCOPED_FREE uint8_t *room = mem_array(PIECE, 1, e);
	uint64_t at = 0;
	uint32_t first = s->next, waiting = 0;
	bool ended = false;

	if (room == NULL)
		return -1;
	while (!ended || waiting > 0) {
		struct answer a;
		size_t n = 0;

		while (!ended && waiting < WINDOW) {
			n = 0;
			for (ssize_t got = 1; n < PIECE && got > 0;
			     n += (size_t)got) {
				got = pread(fd, room + n, PIECE - n,
					    (off_t)(at + n));
				if (got < 0)
					return err_sys(e, "%s", name);
			}
			ended = n < PIECE;
			if (n == 0)
				break;
			begin(s, WRITE);
			put_string(&s->out, handle->at, handle->len);
			put_u64(&s->out, at);
			put_string(&s->out, room, n);
			if (send_request(r, e) < 0 ||
			    dl_remote_pass(r, n, p, e) < 0)
				return -1;
			at += n;
			waiting++;
		}
		if (waiting == 0)
			break;
		if (receive_answer(r, first++, &a, e) < 0)
			return -1;
		if (a.type != STATUS || a.status != OK)
			return refused(r, name, &a, e);
		waiting--;
	}
	return 0;
}

/* The file is whole and on stable storage, as far as the server can. */
static int
finish(struct dl_remote *r, const char *temp, const char *name,
       const struct buf *handle, bool replace, struct err *e)
{
	static const char sync[] = "fsync@openssh.com";
	static const char over[] = "posix-rename@openssh.com";
	struct ssh *s = r->own;
	struct answer a;

	begin(s, EXTENDED);
	put_string(&s->out, sync, sizeof(sync) - 1);
	put_string(&s->out, handle->at, handle->len);
	if (ask(r, &a, e) < 0 || close_file(r, temp, handle, e) < 0)
		return -1;
	if (replace) {
		begin(s, EXTENDED);
		put_string(&s->out, over, sizeof(over) - 1);
	} else {
		begin(s, RENAME);	/* fails where there is such a file */
	}
	put_name(s, temp);
	put_name(s, name);
	if (ask(r, &a, e) < 0)
		return -1;
	if (a.type == STATUS && a.status == OK)
		return 0;
	if (replace)
		return refused(r, name, &a, e);
	begin(s, REMOVE);
	put_name(s, temp);
	if (ask(r, &a, e) < 0)
		return -1;
	return err_set(e, ERR_UNSAFE, "%s: somebody else pushes there; try "
		       "again when that has ended", r->name);
}

static int
put_ssh(struct dl_remote *r, const char *name, int fd, bool replace,
	struct progress *p, struct err *e)
{
	BUF_SCOPED struct buf handle = BUF_EMPTY;
	SCOPED_FREE char *temp = mem_fmt(e, "%s.tmp.%ld", name, (long)getpid());

	if (temp == NULL || make_folders(r, name, e) < 0 ||
	    open_file(r, temp, FLAG_WRITE | FLAG_CREATE | FLAG_TRUNCATE,
		      &handle, e) < 0 ||
	    write_all(r, name, &handle, fd, p, e) < 0)
		return -1;
	return finish(r, temp, name, &handle, replace, e);
}

/* ---- connecting ---------------------------------------------------------- */

static void
close_ssh(struct dl_remote *r)
{
	struct ssh *s = r->own;

	if (s->fd >= 0)
		(void)close(s->fd);
	if (s->pid > 0) {
		(void)kill(s->pid, SIGTERM);
		(void)waitpid(s->pid, NULL, 0);
	}
	buf_done(&s->out);
	buf_done(&s->in);
	free(s->path);
	free(s);
}

const struct dl_remote_kind dl_remote_ssh = {
	.get = get_ssh, .slurp = slurp_ssh, .size = size_ssh, .put = put_ssh,
	.close = close_ssh,
};

/* ssh://[USER@]HOST[:PORT]/PATH */
struct address {
	char host[256], port[8];
	const char *path;
};

static int
parse_url(const char *url, struct address *ret, struct err *e)
{
	const char *host = strstr(url, "://") + 3;
	size_t n = strcspn(host, "/");
	uint64_t port;

	ret->path = host + n;
	ret->port[0] = '\0';
	if (n == 0 || n >= sizeof(ret->host) || ret->path[0] != '/' ||
	    host[0] == '-')
		return err_set(e, ERR_USAGE, "%s: is not "
			       "ssh://[USER@]HOST[:PORT]/PATH", url);
	memcpy(ret->host, host, n);
	ret->host[n] = '\0';

	char *colon = strrchr(ret->host, ':');
	if (colon == NULL || strchr(colon, ']') != NULL)
		return 0;
	*colon = '\0';
	if (!num_parse(colon + 1, 1, 65535, false, &port))
		return err_set(e, ERR_USAGE, "%s: has an impossible port", url);
	(void)snprintf(ret->port, sizeof(ret->port), "%" PRIu64, port);
	return 0;
}

static int
start(struct dl_remote *r, const struct address *a, struct err *e)
{
	struct ssh *s = r->own;
	const char *argv[] = { "ssh", "-p", a->port, "-s", "--", a->host, "sftp",
			       NULL };
	const char **from = argv;
	int pair[2];

	if (a->port[0] == '\0') {
		argv[2] = "ssh";
		from = argv + 2;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "%s", r->name);
	s->fd = pair[0];
	s->pid = fork();
	if (s->pid == 0) {
		char *const *args;

		memcpy(&args, &from, sizeof(args));
		(void)dup2(pair[1], 0);
		(void)dup2(pair[1], 1);
		(void)execvp("ssh", args);
		_exit(127);
	}
	(void)close(pair[1]);
	return s->pid < 0 ? err_sys(e, "ssh") : 0;
}

/* Agree on the version. */
static int
greet(struct dl_remote *r, struct err *e)
{
	struct ssh *s = r->own;
	struct answer a;

	s->out.len = 0;
	put_u32(&s->out, 0);
	buf_u8(&s->out, INIT);
	put_u32(&s->out, 3);
	if (send_request(r, e) < 0 || receive_answer(r, 0, &a, e) < 0)
		return -1;
	if (a.type != VERSION || take_u32(&a.rest) < 3)
		return err_set(e, ERR_UNSUPPORTED, "%s: speaks an sftp that is "
			       "too old", r->name);
	return 0;
}

int
dl_remote_open_ssh(struct dl_remote *r, const char *url, struct err *e)
{
	struct ssh *s = mem_array(1, sizeof(*s), e);
	struct address a;

	if (s == NULL)
		return -1;
	s->fd = -1;
	r->own = s;
	r->kind = &dl_remote_ssh;
	if (parse_url(url, &a, e) < 0)
		return -1;
	s->path = mem_str(a.path, e);
	if (s->path == NULL)
		return -1;
	for (size_t n = strlen(s->path); n > 1 && s->path[n - 1] == '/'; n--)
		s->path[n - 1] = '\0';
	(void)signal(SIGPIPE, SIG_IGN);
	if (start(r, &a, e) < 0)
		return -1;
	return greet(r, e);
}
