/* logdir.c - see logdir.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "disk/logdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk-private.h"

static const char *const suffixes[] = {
	[DK_TX_DONE] = "undo", [DK_TX_UNDOING] = "undoing",
};

/* ---- where ---------------------------------------------------------------- */

/* What the kernel knows a device by, across reboots and renumbering. */
static bool
device_identity(dev_t dev, uint8_t *buf, size_t size, size_t *ret)
{
	static const char *const files[] = {
		"wwid", "device/wwid", "serial", "device/serial", "dm/uuid",
		"loop/backing_file",
	};
	char path[128];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s",
			       major(dev), minor(dev), files[i]);
		SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t len = fd < 0 ? -1 : read(fd, buf, size);

		if (len > 1) {
			*ret = (size_t)len;
			return true;
		}
	}
	return false;
}

char *
dk_log_dir(const char *path, const char *state, struct err *e)
{
	char real[PATH_MAX], text[2 * HASH_BYTES + 1];
	uint8_t id[512], hash[HASH_BYTES];
	size_t len = 0;
	struct stat st;

	if (!dk_is_address(path)) {
		if (realpath(path, real) == NULL || stat(real, &st) < 0) {
			(void)err_sys(e, "%s", path);
			return NULL;
		}
		if (!S_ISBLK(st.st_mode))
			return mem_fmt(e, "%s.undo", real);
		if (device_identity(st.st_rdev, id, sizeof(id), &len)) {
			hash_of(id, len, hash);
		} else {
			hash_of(real, strlen(real), hash);
		}
	} else {
		hash_of(path, strlen(path), hash);
	}
	hash_text(hash, text);
	return mem_fmt(e, "%s/undo/%.32s", state, text);
}

char *
dk_log_path(const char *dir, struct dk_log_name name, struct err *e)
{
	return mem_fmt(e, "%s/%06" PRIu64 ".%s", dir, name.number,
		       suffixes[name.state]);
}

/* ---- which ---------------------------------------------------------------- */

static bool
parse_name(const char *text, struct dk_log_name *ret)
{
	const char *dot = strchr(text, '.');
	char digits[24];

	if (dot == NULL || dot == text || (size_t)(dot - text) >= sizeof(digits))
		return false;
	memcpy(digits, text, (size_t)(dot - text));
	digits[dot - text] = '\0';
	if (strspn(digits, "0123456789") != strlen(digits) ||
	    !num_parse(digits, 1, INT64_MAX, false, &ret->number))
		return false;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (strcmp(dot + 1, suffixes[i]) == 0) {
			ret->state = (enum dk_tx_state)i;
			return true;
		}
	return false;
}

static int
by_number(const void *a, const void *b)
{
	const struct dk_log_name *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static void
shut_dir(DIR *const *d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

int
dk_log_names(const char *dir, struct dk_log_names *ret, struct err *e)
{
	DK_LOG_NAMES_SCOPED struct dk_log_names n = DK_LOG_NAMES_EMPTY;
	SCOPED(shut_dir) DIR *d = opendir(dir);
	const struct dirent *one;
	struct dk_log_name name;

	if (d == NULL && errno != ENOENT)
		return err_sys(e, "%s", dir);
	while (d != NULL && (one = readdir(d)) != NULL) {
		if (!parse_name(one->d_name, &name))
			continue;
		if (mem_grow(&n.at, &n.cap, n.count + 1, sizeof(*n.at), e) < 0)
			return -1;
		n.at[n.count++] = name;
	}
	mem_sort(n.at, n.count, sizeof(*n.at), by_number);
	*ret = TAKE(n);
	return 0;
}

void
dk_log_names_done(struct dk_log_names *n)
{
	free(n->at);
	*n = (struct dk_log_names)DK_LOG_NAMES_EMPTY;
}

void
dk_log_sweep(const char *dir)
{
	SCOPED(shut_dir) DIR *d = opendir(dir);
	const struct dirent *one;

	while (d != NULL && (one = readdir(d)) != NULL) {
		/* io_new_open()'s temporary name for a log */
		if (one->d_name[0] >= '0' && one->d_name[0] <= '9' &&
		    strstr(one->d_name, ".undoing.tmp.") != NULL)
			(void)unlinkat(dirfd(d), one->d_name, 0);
	}
	if (d != NULL)
		(void)rmdir(dir);	/* if that was all */
}

int
dk_log_turn(const char *dir, struct dk_log_name name, enum dk_tx_state to,
	    struct err *e)
{
	struct dk_log_name then = { .number = name.number, .state = to };
	SCOPED_FREE char *from_path = dk_log_path(dir, name, e);
	SCOPED_FREE char *to_path = dk_log_path(dir, then, e);

	if (from_path == NULL || to_path == NULL)
		return -1;
	if (rename(from_path, to_path) < 0)
		return err_sys(e, "%s", from_path);
	return io_sync_dir(dir, e);
}

int
dk_log_remove(const char *dir, struct dk_log_name name, struct err *e)
{
	SCOPED_FREE char *path = dk_log_path(dir, name, e);

	if (path == NULL)
		return -1;
	if (unlink(path) < 0)
		return err_sys(e, "%s", path);
	if (io_sync_dir(dir, e) < 0)
		return -1;
	(void)rmdir(dir);	/* goes with its last log */
	return 0;
}

/* ---- open ----------------------------------------------------------------- */

static int
read_head(struct dk_log_file *f, struct err *e)
{
	uint8_t fixed[DK_LOG_FIXED];
	SCOPED_FREE uint8_t *head = NULL;
	size_t len;

	if (io_read_at(f->fd, fixed, sizeof(fixed), 0, f->path, e) < 0)
		return -1;
	if (dk_log_head_len(fixed, &len, e) < 0)
		return err_ctx(e, "%s", f->path);
	head = mem_array(len, 1, e);
	if (head == NULL || io_read_at(f->fd, head, len, 0, f->path, e) < 0)
		return -1;
	if (dk_log_parse(head, len, &f->log, e) < 0)
		return err_ctx(e, "%s", f->path);
	return 0;
}

int
dk_log_file_open(const char *dir, struct dk_log_name name,
		 struct dk_log_file *ret, struct err *e)
{
	DK_LOG_FILE_SCOPED struct dk_log_file f = DK_LOG_FILE_EMPTY;
	struct stat st;

	f.path = dk_log_path(dir, name, e);
	if (f.path == NULL)
		return -1;
	f.fd = open(f.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f.fd < 0 || fstat(f.fd, &st) < 0)
		return err_sys(e, "%s", f.path);
	if (read_head(&f, e) < 0)
		return -1;
	if (f.log.tx.number != name.number ||
	    (uint64_t)st.st_size < f.log.end)
		return err_set(e, ERR_CORRUPT, "%s: is damaged", f.path);
	f.log.tx.state = name.state;
	*ret = f;
	f = (struct dk_log_file)DK_LOG_FILE_EMPTY;
	return 0;
}

void
dk_log_file_done(struct dk_log_file *f)
{
	scope_close(&f->fd);
	free(f->path);
	dk_log_done(&f->log);
	*f = (struct dk_log_file)DK_LOG_FILE_EMPTY;
}
