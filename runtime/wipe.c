/* wipe.c - the end of guests: keys first, then data, whatever interrupts it
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/wipe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/num.h"
#include "base/yaml.h"
#include "crypt/secret.h"
#include "runtime/state.h"

#define RECORD "wiping"

static void
put_list(struct buf *b, const char *name, char *const *items, size_t count)
{
	buf_fmt(b, "%s:%s\n", name, count == 0 ? " []" : "");
	for (size_t i = 0; i < count; i++) {
		buf_str(b, "  - ");
		yml_put_scalar(b, items[i]);
		buf_str(b, "\n");
	}
}

int
rt_wipe_begin(const char *state, char *const *guests, size_t guest_count,
	      char *const *keys, size_t key_count, struct err *e)
{
	SCOPED_FREE char *path = io_join(state, RECORD, e);
	BUF_SCOPED struct buf text = BUF_EMPTY;

	put_list(&text, "guests", guests, guest_count);
	put_list(&text, "keys", keys, key_count);
	if (path == NULL || buf_ok(&text, e) < 0)
		return -1;
	return io_put(path, text.at, text.len, 0600, e);
}

/* Overwrite a file that holds a sealed key, and remove it. */
static int
destroy(const char *path, struct err *e)
{
	uint8_t noise[4096];
	struct stat st;
	SCOPED_FD int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	for (uint64_t at = 0; at < (uint64_t)st.st_size; at += sizeof(noise)) {
		size_t n = (size_t)num_min(sizeof(noise),
					   (uint64_t)st.st_size - at);

		cx_random(noise, n);
		if (io_write_at(fd, noise, n, at, path, e) < 0)
			return -1;
	}
	if (fsync(fd) < 0 || unlink(path) < 0)
		return err_sys(e, "%s", path);
	return 0;
}

static void
close_dir(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

/* The key of each layer is sealed in its file "layer" (docs/FORMAT.md); that of
 * the TPM's state needs its salt. */
static int
destroy_keys(const struct rt_place *p, struct err *e)
{
	SCOPED(close_dir) DIR *d = opendir(p->layers);
	const struct dirent *x;

	if (destroy(p->salt, e) < 0)
		return -1;
	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys(e, "%s", p->layers);
	while ((x = readdir(d)) != NULL) {
		if (x->d_name[0] == '.')
			continue;
		SCOPED_FREE char *dir = io_join(p->layers, x->d_name, e);
		SCOPED_FREE char *slots = dir == NULL ? NULL
						      : io_join(dir, "layer", e);
		if (slots == NULL || destroy(slots, e) < 0)
			return -1;
	}
	return 0;
}

/* Every key before any data. */
static int
wipe(const char *state, const struct yml *guests, const struct yml *keys,
     struct err *e)
{
	for (size_t i = 0; i < keys->count; i++)
		if (destroy(keys->at[i].text, e) < 0)
			return -1;
	for (int data = 0; data < 2; data++)
		for (size_t i = 0; i < guests->count; i++) {
			RT_PLACE_SCOPED struct rt_place p = RT_PLACE_EMPTY;

			if (rt_place_of(state, guests->at[i].text, &p, e) < 0)
				return -1;
			if ((data == 0 ? destroy_keys(&p, e)
				       : rt_stored_remove(&p, e)) < 0)
				return -1;
		}
	return 0;
}

int
rt_wipe_resume(const char *state, struct err *e)
{
	SCOPED_FREE char *path = io_join(state, RECORD, e);

	if (path == NULL)
		return -1;
	if (access(path, F_OK) < 0)
		return 0;
	YML_SCOPED struct yml *doc = yml_load(path, e);
	if (doc == NULL)
		return -1;
	const struct yml *guests = yml_list(doc, "guests", e);
	const struct yml *keys = yml_list(doc, "keys", e);
	if (yml_end(doc, e) < 0)
		return -1;
	if (guests == NULL || keys == NULL)
		return yml_err(doc, e, "needs guests and keys");
	if (wipe(state, guests, keys, e) < 0)
		return err_ctx(e, "wipe");
	if (unlink(path) < 0 || io_sync_dir(state, e) < 0)
		return err_sys(e, "%s", path);
	return 1;
}
