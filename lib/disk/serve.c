/* serve.c - see serve.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "disk/serve.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk.h"

enum {
	STALL_S = 30,		/* for the rest of a message that has begun */
	OPTION_MAX = 4096,	/* bytes of a handshake option */
	OPTIONS = 32,		/* of one handshake */
	NAME = 8,		/* bytes of the handshake's magics */
};

/* Of the protocol. */
#define OPTION_REPLY	0x3e889045565a9
#define REQUEST_MAGIC	0x25609513
#define REPLY_MAGIC	0x67446698

enum { OPT_EXPORT_NAME = 1, OPT_ABORT = 2, OPT_INFO = 6, OPT_GO = 7 };
enum { REP_ACK = 1, REP_INFO = 3 };
#define REP_UNSUPPORTED 0x80000001U
enum { INFO_EXPORT = 0, INFO_BLOCK_SIZE = 3 };
enum { HAS_FLAGS = 1, READ_ONLY = 2, CAN_FLUSH = 4, CAN_TRIM = 0x20,
       CAN_ZERO = 0x40 };
enum { CMD_READ, CMD_WRITE, CMD_DISC, CMD_FLUSH, CMD_TRIM,
       CMD_WRITE_ZEROES = 6 };

struct range {
	uint64_t at, len;
};

struct dk_serve {
	struct dk *disk;
	char *path;
	int listening;
	int client[DK_SERVE_CLIENTS];	/* -1: free */
	struct range *allowed;
	size_t count, cap;
	uint8_t *data;		/* DK_SERVE_REQUEST bytes */
	struct err trouble, told;
};

/* ---- bytes on the wire, big-endian ---------------------------------------- */

static void
put(uint8_t *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * (bytes - 1 - i) & 0xff);
}

static uint64_t
get(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

static bool
take(int fd, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = recv(fd, p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
give(int fd, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* ---- the handshake -------------------------------------------------------- */

static uint16_t
flags(const struct dk_serve *s)
{
	return (uint16_t)(HAS_FLAGS | CAN_FLUSH | CAN_TRIM | CAN_ZERO |
			  (s->disk->writable ? 0 : READ_ONLY));
}

static bool
reply(int fd, uint32_t option, uint32_t type, const void *data, uint32_t len)
{
	uint8_t head[20];

	put(head, OPTION_REPLY, 8);
	put(head + 8, option, 4);
	put(head + 12, type, 4);
	put(head + 16, len, 4);
	return give(fd, head, sizeof(head)) && give(fd, data, len);
}

static bool
tell_export(const struct dk_serve *s, int fd, uint32_t option)
{
	uint8_t size[12], block[14];

	put(size, INFO_EXPORT, 2);
	put(size + 2, s->disk->size, 8);
	put(size + 10, flags(s), 2);
	put(block, INFO_BLOCK_SIZE, 2);
	put(block + 2, 1, 4);
	put(block + 6, 4096, 4);
	put(block + 10, DK_SERVE_REQUEST, 4);
	return reply(fd, option, REP_INFO, size, sizeof(size)) &&
	       reply(fd, option, REP_INFO, block, sizeof(block)) &&
	       reply(fd, option, REP_ACK, NULL, 0);
}

/* One option: 1 when the handshake is over, 0 for the next, -1 to hang up. */
static int
option(const struct dk_serve *s, int fd)
{
	uint8_t head[16], data[OPTION_MAX], size[10];
	uint32_t what, len;

	if (!take(fd, head, sizeof(head)) ||
	    memcmp(head, "IHAVEOPT", NAME) != 0)
		return -1;
	what = (uint32_t)get(head + 8, 4);
	len = (uint32_t)get(head + 12, 4);
	if (len > sizeof(data) || !take(fd, data, len))
		return -1;
	switch (what) {
	case OPT_EXPORT_NAME:
		put(size, s->disk->size, 8);
		put(size + 8, flags(s), 2);
		return give(fd, size, sizeof(size)) ? 1 : -1;
	case OPT_GO:
		return tell_export(s, fd, what) ? 1 : -1;
	case OPT_INFO:
		return tell_export(s, fd, what) ? 0 : -1;
	case OPT_ABORT:
		(void)!reply(fd, what, REP_ACK, NULL, 0);
		return -1;
	default:
		return reply(fd, what, REP_UNSUPPORTED, NULL, 0) ? 0 : -1;
	}
}

static bool
shake_hands(const struct dk_serve *s, int fd)
{
	uint8_t hello[18], answer[4];
	int r = 0;

	memcpy(hello, "NBDMAGICIHAVEOPT", 16);
	put(hello + 16, 3, 2);		/* fixed newstyle, no zeroes */
	if (!give(fd, hello, sizeof(hello)) || !take(fd, answer, sizeof(answer)))
		return false;
	/* the client must have understood both, so that no zeroes follow */
	if (get(answer, 4) != 3)
		return false;
	for (int i = 0; i < OPTIONS && r == 0; i++)
		r = option(s, fd);
	return r == 1;
}

static void
welcome(struct dk_serve *s)
{
	const struct timeval stall = { .tv_sec = STALL_S };
	int fd = accept4(s->listening, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	for (int i = 0; i < DK_SERVE_CLIENTS; i++) {
		if (s->client[i] >= 0)
			continue;
		if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &stall,
			       sizeof(stall)) == 0 &&
		    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &stall,
			       sizeof(stall)) == 0 && shake_hands(s, fd)) {
			s->client[i] = fd;
			return;
		}
		break;
	}
	(void)close(fd);
}

/* ---- requests ------------------------------------------------------------- */

static bool
may_write(const struct dk_serve *s, uint64_t at, uint64_t len)
{
	for (size_t i = 0; i < s->count; i++)
		if (at >= s->allowed[i].at &&
		    num_in_range(at - s->allowed[i].at, len,
				 s->allowed[i].len))
			return true;
	return false;
}

static int
write_zeroes(struct dk_serve *s, uint64_t at, uint64_t len, struct err *e)
{
	memset(s->data, 0, (size_t)num_min(len, DK_SERVE_REQUEST));
	while (len > 0) {
		size_t n = (size_t)num_min(len, DK_SERVE_REQUEST);

		if (dk_write(s->disk, s->data, n, at, e) < 0)
			return -1;
		at += n;
		len -= n;
	}
	return 0;
}

/* Do it; the protocol's error number, or 0. */
static uint32_t
perform(struct dk_serve *s, unsigned what, uint64_t at, uint32_t len)
{
	struct err e = ERR_INIT;
	int r = 0;

	if (what == CMD_FLUSH || what == CMD_TRIM)
		return 0;	/* all that counts is the owner's commit */
	if (!num_in_range(at, len, s->disk->size))
		return EINVAL;
	if (what != CMD_READ && !may_write(s, at, len))
		return EPERM;
	if (what == CMD_READ)
		r = dk_read(s->disk, s->data, len, at, &e);
	else if (what == CMD_WRITE)
		r = dk_write(s->disk, s->data, len, at, &e);
	else if (what == CMD_WRITE_ZEROES)
		r = write_zeroes(s, at, len, &e);
	else
		return EINVAL;
	if (r < 0 && s->trouble.kind == ERR_NONE)
		s->trouble = e;
	return r < 0 ? EIO : 0;
}

/* False: hang up. */
static bool
request(struct dk_serve *s, int fd)
{
	uint8_t head[28], answer[16];
	unsigned what;
	uint32_t len, error;

	if (!take(fd, head, sizeof(head)) || get(head, 4) != REQUEST_MAGIC)
		return false;
	what = (unsigned)get(head + 6, 2);
	len = (uint32_t)get(head + 24, 4);
	if (what == CMD_DISC ||
	    (len > DK_SERVE_REQUEST && (what == CMD_READ || what == CMD_WRITE)))
		return false;
	if (what == CMD_WRITE && !take(fd, s->data, len))
		return false;
	error = perform(s, what, get(head + 16, 8), len);
	put(answer, REPLY_MAGIC, 4);
	put(answer + 4, error, 4);
	memcpy(answer + 8, head + 8, 8);	/* the request's cookie */
	return give(fd, answer, sizeof(answer)) &&
	       (what != CMD_READ || error != 0 || give(fd, s->data, len));
}

/* ---- the owner's side ----------------------------------------------------- */

void
dk_serve_free(struct dk_serve *const *s)
{
	struct dk_serve *had = *s;

	if (had == NULL)
		return;
	for (int i = 0; i < DK_SERVE_CLIENTS; i++)
		scope_close(&had->client[i]);
	if (had->listening >= 0) {
		(void)close(had->listening);
		(void)unlink(had->path);
	}
	free(had->path);
	free(had->allowed);
	free(had->data);
	free(had);
}

struct dk_serve *
dk_serve_new(struct dk *d, const char *path, struct err *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	DK_SERVE_SCOPED struct dk_serve *s = mem_array(1, sizeof(*s), e);
	int fd;

	if (s == NULL)
		return NULL;
	s->disk = d;
	s->listening = -1;
	for (int i = 0; i < DK_SERVE_CLIENTS; i++)
		s->client[i] = -1;
	s->path = mem_str(path, e);
	s->data = mem_array(DK_SERVE_REQUEST, 1, e);
	if (s->path == NULL || s->data == NULL)
		return NULL;
	if (strlen(path) >= sizeof(sun.sun_path)) {
		(void)err_set(e, ERR_USAGE, "%s: too long for a socket; set "
			      "TMPDIR to a shorter path", path);
		return NULL;
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    listen(fd, DK_SERVE_CLIENTS) < 0) {
		(void)err_sys(e, "%s", path);
		scope_close(&fd);
		return NULL;
	}
	s->listening = fd;
	return TAKE(s);
}

int
dk_serve_allow(struct dk_serve *s, uint64_t at, uint64_t len, struct err *e)
{
	if (mem_grow(&s->allowed, &s->cap, s->count + 1, sizeof(*s->allowed),
		     e) < 0)
		return -1;
	s->allowed[s->count++] = (struct range){ .at = at, .len = len };
	return 0;
}

size_t
dk_serve_fds(const struct dk_serve *s, struct pollfd fds[DK_SERVE_FDS])
{
	size_t n = 0;

	fds[n++] = (struct pollfd){ .fd = s->listening, .events = POLLIN };
	for (int i = 0; i < DK_SERVE_CLIENTS; i++)
		if (s->client[i] >= 0)
			fds[n++] = (struct pollfd){ .fd = s->client[i],
						    .events = POLLIN };
	return n;
}

void
dk_serve_work(struct dk_serve *s, const struct pollfd *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i].revents == 0)
			continue;
		if (fds[i].fd == s->listening) {
			welcome(s);
			continue;
		}
		for (int k = 0; k < DK_SERVE_CLIENTS; k++)
			if (s->client[k] == fds[i].fd &&
			    !request(s, fds[i].fd)) {
				(void)close(s->client[k]);
				s->client[k] = -1;
			}
	}
}

const struct err *
dk_serve_trouble(struct dk_serve *s)
{
	if (s->trouble.kind == ERR_NONE)
		return NULL;
	s->told = s->trouble;
	s->trouble = (struct err)ERR_INIT;
	return &s->told;
}
