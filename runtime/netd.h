/* netd.h - a guest's way to the network: halcyon-net, in a jail of its own
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * QEMU has no network.  Where the guest's file says `network: nat` its card ends
 * in one half of a pair of sockets, and the other half in this process, which has
 * the network and nothing else (runtime/net/net.c).
 */
#ifndef RUNTIME_NETD_H
#define RUNTIME_NETD_H

#include <sys/types.h>

#include "base/attr.h"
#include "runtime/jail.h"
#include "runtime/state.h"

struct err;

/* Start it over `fd`, which stays the caller's. */
MUST_CHECK int rt_netd_start(const struct rt_place *p, enum rt_rung rung, int fd,
			     pid_t *ret, struct err *e);

#endif /* RUNTIME_NETD_H */
