/* open.c - a path or an address becomes a disk
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "disk/disk-private.h"

bool
dk_is_address(const char *path)
{
	return strncmp(path, "nbd+unix:", 9) == 0 ||
	       strncmp(path, "ssh://", 6) == 0;
}

static struct dk *
open_address(const char *address, bool write, struct err *e)
{
	if (strncmp(address, "ssh:", 4) != 0)
		return dk_nbd_uri(address, write, e);
	if (!write)
		return dk_nbd_ssh(address, e);
	(void)err_set(e, ERR_UNSUPPORTED, "%s: another host's disk is only "
		      "read", address);
	return NULL;
}

/* What stands behind an open file; *ret is NULL for its own bytes. */
static int
inspect(const char *path, int fd, const char *format, bool write,
	const struct dk_format **ret, struct err *e)
{
	const struct dk_format *f = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (S_ISREG(st.st_mode) &&
	    dk_format_of(path, fd, format, write, &f, e) < 0)
		return -1;
	if (f != NULL && f->qemu == NULL)
		f = NULL;
	*ret = f;
	return f == NULL ? dk_lock(path, fd, write, e)
			 : dk_lock_probe(path, fd, write, e);
}

/* A raw file is opened for writing at once, so that its lock is held for as
 * long as the disk is open; an image only when it is rewritten. */
static struct dk *
open_path(const char *path, const char *format, bool write, struct err *e)
{
	int fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY);
	const struct dk_format *f = NULL;

	if (fd < 0) {
		(void)err_sys(e, "%s", path);
		return NULL;
	}
	if (inspect(path, fd, format, write, &f, e) < 0) {
		(void)close(fd);
		return NULL;
	}
	if (f == NULL)
		return dk_raw(path, fd, write, e);
	(void)close(fd);
	return dk_nbd_image(path, f, e);
}

struct dk *
dk_open(const char *path, const char *format, const char *state, unsigned flags,
	struct err *e)
{
	bool write = (flags & DK_WRITE) != 0 && (flags & DK_DRY) == 0;
	SCOPED_FREE char *logs = NULL;
	struct dk *d;

	d = dk_is_address(path) ? open_address(path, write, e)
				: open_path(path, format, write, e);
	if (d == NULL)
		return NULL;
	logs = dk_log_dir(path, state, e);
	if (logs == NULL || dk_tx_recover(&d, logs, write, e) < 0) {
		dk_free(&d);
		return NULL;
	}
	if (!write && (flags & DK_DRY) == 0)
		return d;
	d = dk_overlay(d, write ? dk_tx_commit : NULL, logs, e);
	if (d != NULL) {
		dk_overlay_drops(d, free);
		(void)TAKE(logs);
	}
	return d;
}
