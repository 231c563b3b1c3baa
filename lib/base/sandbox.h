/* sandbox.h - a process gives up what it does not need, before it reads a byte
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * no_new_privs, Landlock (no file may be opened any more), and a seccomp filter
 * that lets through only work on descriptors and memory that the process has.
 * What the kernel lacks is reported, not assumed.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <stdbool.h>

#include "base/attr.h"

struct err;

/* What the process still may do beside reading, writing, memory and exit. */
enum {
	SANDBOX_THREADS = 1 << 0,	/* start threads of its own */
	SANDBOX_SOCKET_IO = 1 << 1,	/* sendmsg and recvmsg on sockets it has */
};

struct sandbox_state {
	bool no_new_privs, landlock, seccomp;
};

/*
 * Shut this process in.  Descriptors open now stay usable.  A system call that
 * is not allowed fails with EPERM.  *ret says which of the three hold; a kernel
 * without Landlock is no error, one without seccomp is (ERR_UNSUPPORTED).
 */
MUST_CHECK int sandbox_enter(unsigned allow, struct sandbox_state *ret,
			     struct err *e);

/*
 * Less than sandbox_enter(), for a server that still opens files: forbids for
 * good to run programs, make or connect sockets, signal or look into other
 * processes, and change mounts, namespaces, keys or the kernel.  These fail with
 * EPERM from here on, in every thread.
 */
MUST_CHECK int sandbox_trim(struct err *e);

/*
 * What the program that is started next inherits: it cannot look into other
 * processes, nor, unless it may have a network, make sockets of any family but
 * AF_UNIX (libusb does not start without one that hears of devices; in a network
 * namespace of its own there is nothing to hear).  These fail with EPERM from here
 * on.
 */
MUST_CHECK int sandbox_apart(bool network, struct err *e);

/*
 * What a program inherits that is started next to work on one open file: of files
 * it can open that one (by /proc/self/fd), and run and read those of the system's
 * programs; what sandbox_apart() forbids is forbidden, too.
 */
MUST_CHECK int sandbox_one_file(int fd, struct err *e);

#endif /* BASE_SANDBOX_H */
