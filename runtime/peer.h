/* peer.h - messages between our own processes
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Over SOCK_SEQPACKET sockets, so that a message is whole or not there, and its
 * length is known before its bytes are believed.  A message may carry one
 * descriptor.  A request is a word; an answer is an error (kind 0: none) and
 * perhaps a JSON document.
 */
#ifndef RUNTIME_PEER_H
#define RUNTIME_PEER_H

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

struct js;

#define RT_PEER_MAX 32768	/* bytes of one message */

/* A connected pair, closed on exec. */
MUST_CHECK int rt_peer_pair(int ret[2], struct err *e);

/*
 * A listening socket `name` of the type in the directory `dir`, replacing one
 * left over; a connection to one.  Through a descriptor of the directory: a
 * state directory may have any length, a socket's address has 108 bytes.
 */
MUST_CHECK int rt_peer_listen(const char *dir, const char *name, int type,
			      int *ret, struct err *e);
MUST_CHECK int rt_peer_connect(const char *dir, const char *name, int type,
			       int *ret, struct err *e);

/* Send; with `fd` >= 0 that descriptor goes along.  Never waits. */
MUST_CHECK int rt_peer_send(int to, const void *msg, size_t len, int fd,
			    struct err *e);

/*
 * Receive within timeout_ms (negative: wait for ever).  1: *ret_len bytes are
 * in buf; 0: the other side is gone.  A message that is too long for `size`, or
 * no message in time, is an error.  A descriptor that came along goes to
 * *ret_fd (else -1); with ret_fd NULL it is closed.
 */
MUST_CHECK int rt_peer_recv(int from, int timeout_ms, void *buf, size_t size,
			    size_t *ret_len, int *ret_fd, struct err *e);

/* An answer: what `result` says went wrong, or `doc` (may be NULL). */
MUST_CHECK int rt_peer_answer(int to, const struct err *result,
			      const struct js *doc, struct err *e);

/* Wait for an answer.  If it is an error, that is ours now: -1.  With ret_doc,
 * its document, which the caller releases.  `who` names the other side. */
MUST_CHECK int rt_peer_ask(int from, int timeout_ms, const char *who,
			   struct js **ret_doc, struct err *e);

#endif /* RUNTIME_PEER_H */
