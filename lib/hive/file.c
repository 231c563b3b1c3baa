/* file.c - hives that are files of this computer, with their logs beside them
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/hive-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"

#define FILE_MAX ((size_t)HV_SIZE_MAX + HV_BASE_BYTES)

static const char *const suffixes[HV_LOGS_MAX] = { ".LOG", ".LOG1", ".LOG2" };

void
hv_files_done(struct hv_files *f)
{
	free(f->hive);
	for (size_t i = 0; i < f->count; i++) {
		free(f->path[i]);
		free(f->bytes[i]);
	}
	*f = (struct hv_files)HV_FILES_EMPTY;
}

static bool
is_log_of(const char *entry, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(entry, name, n) != 0)
		return false;
	for (size_t i = 0; i < HV_LOGS_MAX; i++)
		if (strcasecmp(entry + n, suffixes[i]) == 0)
			return true;
	return false;
}

/* Add a log file to f. */
static int
add_log(struct hv_files *f, char *path, struct err *e)
{
	uint8_t *bytes = NULL;
	size_t len = 0;

	if (io_slurp(path, FILE_MAX, &bytes, &len, e) < 0) {
		free(path);
		return -1;
	}
	f->path[f->count] = path;
	f->bytes[f->count] = bytes;
	f->log[f->count] = (struct hv_log){ path, bytes, len };
	f->count++;
	return 0;
}

static void
close_dir(DIR *const *d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

/* "NTUSER.DAT{...}.TM.blf": is it newer than the hive? */
static bool
is_newer_blf(int dir, const char *entry, const char *name)
{
	size_t n = strlen(name), len = strlen(entry);
	struct stat blf, hive;

	return len > n + 4 && strncasecmp(entry, name, n) == 0 &&
	       entry[n] == '{' && strcasecmp(entry + len - 4, ".blf") == 0 &&
	       fstatat(dir, entry, &blf, 0) == 0 &&
	       fstatat(dir, name, &hive, 0) == 0 &&
	       blf.st_mtime > hive.st_mtime;
}

/* The logs beside the hive, however their names are written. */
static int
find_logs(struct hv_files *f, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	SCOPED_FREE char *dir = slash == NULL ? mem_str(".", e) :
		mem_strn(path, (size_t)(slash - path) + 1, e);
	SCOPED(close_dir) DIR *d = dir == NULL ? NULL : opendir(dir);
	const struct dirent *entry;

	if (dir == NULL)
		return -1;
	if (d == NULL)
		return err_sys(e, "%s", dir);
	while ((entry = readdir(d)) != NULL) {
		if (f->count < HV_LOGS_MAX && is_log_of(entry->d_name, name)) {
			char *log = io_join(dir, entry->d_name, e);

			if (log == NULL || add_log(f, log, e) < 0)
				return -1;
		}
		if (is_newer_blf(dirfd(d), entry->d_name, name))
			f->newer_blf = true;
	}
	return 0;
}

int
hv_files_read(const char *path, const char *const *logs, size_t count,
	      struct hv_files *ret, struct err *e)
{
	SCOPED(hv_files_done) struct hv_files f = HV_FILES_EMPTY;

	if (io_slurp(path, FILE_MAX, &f.hive, &f.len, e) < 0)
		return -1;
	if (count == 0 && find_logs(&f, path, e) < 0)
		return -1;
	if (count > HV_LOGS_MAX)
		return err_set(e, ERR_USAGE, "a hive has at most %d logs",
			       HV_LOGS_MAX);
	for (size_t i = 0; i < count; i++) {
		char *log = mem_str(logs[i], e);

		if (log == NULL || add_log(&f, log, e) < 0)
			return -1;
	}
	*ret = TAKE(f);
	return 0;
}

struct hv_hive *
hv_load(const char *path, enum hv_logs how, struct err *e)
{
	SCOPED(hv_files_done) struct hv_files f = HV_FILES_EMPTY;

	if (hv_files_read(path, NULL, 0, &f, e) < 0)
		return NULL;
	struct hv_hive *h = hv_open(path, f.hive, f.len, f.log, f.count, how, e);
	if (h != NULL)
		h->facts.newer_blf = h->facts.ktm && f.newer_blf;
	return h;
}

static int
make_empty(const char *path, struct err *e)
{
	SCOPED_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "%s", path);
	if (ftruncate(fd, 0) < 0 || fsync(fd) < 0)
		return err_sys(e, "%s", path);
	return 0;
}

int
hv_files_write(const char *path, const struct hv_files *f, const void *image,
	       size_t len, struct err *e)
{
	struct stat st;
	mode_t mode = 0600;

	if (stat(path, &st) == 0)
		mode = st.st_mode & 07777;
	else if (errno != ENOENT)
		return err_sys(e, "%s", path);
	if (io_put(path, image, len, mode, e) < 0)
		return -1;
	/* Only now: until the clean hive is on the disk the logs are needed. */
	for (size_t i = 0; i < f->count; i++)
		if (f->log[i].len > 0 && make_empty(f->path[i], e) < 0)
			return -1;
	return 0;
}

int
hv_save(struct hv_hive *h, const char *path, struct err *e)
{
	SCOPED(hv_files_done) struct hv_files logs = HV_FILES_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (find_logs(&logs, path, e) < 0 || hv_serialize(h, &b, e) < 0)
		return -1;
	return hv_files_write(path, &logs, b.at, b.len, e);
}
