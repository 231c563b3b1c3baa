/* lock.c - the lock bytes by which QEMU and we notice each other
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * QEMU, block/file-posix.c and include/block/block-common.h (version 7.2): who
 * uses permission p of an image holds a shared OFD lock on byte 100 + p, who
 * does not grant p to others one on byte 200 + p.  After locking, everyone
 * looks whether somebody else holds the counterpart.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/err.h"
#include "disk/disk-private.h"

enum {
	USES = 100, DENIES = 200,
	CONSISTENT_READ = 0, WRITE = 1, RESIZE = 3,
};

static int
hold(int fd, int byte)
{
	struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET,
			   .l_start = byte, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &l);
}

/* Does somebody else hold it?  A file system without locks says no. */
static bool
held(int fd, int byte)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			   .l_start = byte, .l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

int
dk_lock_probe(const char *path, int fd, bool write, struct err *e)
{
	if (held(fd, USES + WRITE) || held(fd, DENIES + CONSISTENT_READ))
		return err_set(e, ERR_UNSAFE,
			       "%s: open for writing in another program (a "
			       "running guest?); shut it down first", path);
	if (write && held(fd, DENIES + WRITE))
		return err_set(e, ERR_UNSAFE,
			       "%s: in use by another program; end that first",
			       path);
	return 0;
}

int
dk_lock(const char *path, int fd, bool write, struct err *e)
{
	if (hold(fd, USES + CONSISTENT_READ) < 0 ||
	    hold(fd, DENIES + WRITE) < 0 || hold(fd, DENIES + RESIZE) < 0 ||
	    (write && hold(fd, USES + WRITE) < 0)) {
		if (errno == EAGAIN || errno == EACCES)
			return err_set(e, ERR_UNSAFE, "%s: locked by another "
				       "program; end that first", path);
		/* no locks on this file system: nobody can be seen */
		return 0;
	}
	return dk_lock_probe(path, fd, write, e);
}
