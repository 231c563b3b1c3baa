/* net.c - halcyon-net: the way out of one guest's network card
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 *	halcyon-net FD
 *
 * FD is a datagram socket; each message is an Ethernet frame of the guest's or for
 * it.  Behind it is a network of the guest's own, 10.0.2.0/24, whose router opens
 * the guest's connections as this process's: what the guest sees of the world is
 * what a user's program sees.  Nothing outside can open one to the guest, and the
 * guest none to services that only this machine shall reach (127.0.0.1).  The
 * frames are foreign, so the process runs in a jail: libslirp's faults are not
 * QEMU's, and it has neither files nor keys.
 *
 * docs/system/devices/net.rst of QEMU tells the addresses.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

#define FRAME_MAX 65550		/* the largest packet and its header */

struct net {
	int fd;
	struct pollfd *at;
	size_t count, cap;
	bool bad;		/* no memory for another descriptor */
};

static ssize_t
send_frame(const void *frame, size_t len, void *arg)
{
	const struct net *n = arg;

	/* A guest that does not listen loses it, as on a wire. */
	(void)!send(n->fd, frame, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return (ssize_t)len;
}

/* What a guest does wrong is its own affair: a log it could fill is none. */
static void
ignore_error(const char *msg, void *arg)
{
	(void)msg;
	(void)arg;
}

static int64_t
now_ns(void *arg)
{
	struct timespec t;

	(void)arg;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Timers are for IPv6 only, which is off. */
static void *
no_timer(SlirpTimerCb fn, void *fn_arg, void *arg)
{
	(void)fn;
	(void)fn_arg;
	return arg;
}

static void
free_no_timer(void *timer, void *arg)
{
	(void)timer;
	(void)arg;
}

static void
set_no_timer(void *timer, int64_t at, void *arg)
{
	(void)timer;
	(void)at;
	(void)arg;
}

static void
ignore_fd(int fd, void *arg)
{
	(void)fd;
	(void)arg;
}

static void
ignore_notice(void *arg)
{
	(void)arg;
}

static const SlirpCb calls = {
	.send_packet = send_frame, .guest_error = ignore_error,
	.clock_get_ns = now_ns, .timer_new = no_timer,
	.timer_free = free_no_timer, .timer_mod = set_no_timer,
	.register_poll_fd = ignore_fd, .unregister_poll_fd = ignore_fd,
	.notify = ignore_notice,
};

static const struct { int slirp; short poll; } words[] = {
	{ SLIRP_POLL_IN, POLLIN }, { SLIRP_POLL_OUT, POLLOUT },
	{ SLIRP_POLL_PRI, POLLPRI }, { SLIRP_POLL_ERR, POLLERR },
	{ SLIRP_POLL_HUP, POLLHUP },
};

#define WORDS (sizeof(words) / sizeof(words[0]))

static int
add_fd(int fd, int events, void *arg)
{
	struct net *n = arg;
	struct err e = ERR_INIT;
	struct pollfd p = { .fd = fd };

	for (size_t i = 0; i < WORDS; i++)
		if ((events & words[i].slirp) != 0)
			p.events = (short)(p.events | words[i].poll);
	if (mem_grow(&n->at, &n->cap, n->count + 1, sizeof(*n->at), &e) < 0) {
		n->bad = true;
		return -1;
	}
	n->at[n->count] = p;
	return (int)n->count++;
}

static int
tell_events(int i, void *arg)
{
	const struct net *n = arg;
	int events = 0;

	if (i < 0 || (size_t)i >= n->count)
		return 0;
	for (size_t w = 0; w < WORDS; w++)
		if ((n->at[i].revents & words[w].poll) != 0)
			events |= words[w].slirp;
	return events;
}

static Slirp *
make_network(struct net *n)
{
	SlirpConfig c = { .version = 3, .in_enabled = true,
			  .disable_host_loopback = true };

	(void)inet_aton("10.0.2.0", &c.vnetwork);
	(void)inet_aton("255.255.255.0", &c.vnetmask);
	(void)inet_aton("10.0.2.2", &c.vhost);
	(void)inet_aton("10.0.2.15", &c.vdhcp_start);
	(void)inet_aton("10.0.2.3", &c.vnameserver);
	return slirp_new(&c, &calls, n);
}

/* Until the other end is gone. */
static int
serve(struct net *n, Slirp *s)
{
	static uint8_t frame[FRAME_MAX];

	for (;;) {
		uint32_t wait = UINT32_MAX;

		n->count = 0;
		if (add_fd(n->fd, SLIRP_POLL_IN, n) < 0)
			return 1;
		slirp_pollfds_fill(s, &wait, add_fd, n);
		if (n->bad)
			return 1;
		int got = poll(n->at, (nfds_t)n->count,
			       wait > INT32_MAX ? -1 : (int)wait);
		if (got < 0 && errno != EINTR)
			return 1;
		slirp_pollfds_poll(s, got < 0, tell_events, n);
		if (got <= 0 || n->at[0].revents == 0)
			continue;
		ssize_t len = recv(n->fd, frame, sizeof(frame), MSG_DONTWAIT);
		if (len > 0)
			slirp_input(s, frame, (int)len);
		else if ((n->at[0].revents & (POLLHUP | POLLERR)) != 0)
			return 0;
	}
}

int
main(int argc, char **argv)
{
	struct net n = { .fd = -1 };
	uint64_t fd;

	if (argc != 2 || !num_parse(argv[1], 3, 1023, false, &fd)) {
		(void)fprintf(stderr, "halcyon-net: is started by imgrun\n");
		return 2;
	}
	n.fd = (int)fd;
	Slirp *s = make_network(&n);
	if (s == NULL)
		return 1;
	int r = serve(&n, s);
	slirp_cleanup(s);
	free(n.at);
	return r;
}
