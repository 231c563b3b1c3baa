/* plugin.c - nbdkit plugin: a stored version and its writable layer as a disk
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 *	nbdkit nbdkit-halcyon-plugin.so repo=DIR image=NAME:VER [layer=DIR]
 *		key-fd=N [status-fd=N]
 *
 * The key comes through a descriptor, as runtime/keyd.h writes it.  When it can
 * serve, or cannot, it says so in one line on status-fd: an error's number and
 * its message, or 0, the version, and the size in bytes.
 */
#include <errno.h>
#include <stdio.h>

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include "base/err.h"
#include "runtime/block/disk.h"

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

static const char *repo, *image, *layer;
static int key_fd = -1, status_fd = -1;
static struct bd_disk disk = BD_DISK_EMPTY;

/* Our errors in nbdkit's words.  Returns -1. */
static int
fail(const struct err *e)
{
	nbdkit_error("%s", e->msg);
	nbdkit_set_error(e->kind == ERR_SYSTEM && e->os != 0 ? e->os
			 : e->kind == ERR_NOMEM ? ENOMEM : EIO);
	return -1;
}

static int
block_config(const char *key, const char *value)
{
	const struct {
		const char *name, **text;
		int *number;
	} keys[] = {
		{ "repo", &repo, NULL }, { "image", &image, NULL },
		{ "layer", &layer, NULL }, { "key-fd", NULL, &key_fd },
		{ "status-fd", NULL, &status_fd },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].name, key) != 0)
			continue;
		if (keys[i].number != NULL)
			return nbdkit_parse_int(key, value, keys[i].number);
		*keys[i].text = value;	/* nbdkit keeps it until the end */
		return 0;
	}
	nbdkit_error("%s: no such parameter", key);
	return -1;
}

static int
block_config_complete(void)
{
	if (repo != NULL && image != NULL && key_fd >= 0)
		return 0;
	nbdkit_error("repo, image and key-fd are needed");
	return -1;
}

static void
say(const struct err *e)
{
	char line[1200];
	int n;

	if (status_fd < 0)
		return;
	if (e->kind != ERR_NONE) {
		n = snprintf(line, sizeof(line), "%d %s\n", e->kind, e->msg);
	} else {
		const struct st_version *v = st_image_version(disk.image);

		n = snprintf(line, sizeof(line), "0 %s:%llu %llu\n", v->name,
			     (unsigned long long)v->number,
			     (unsigned long long)bd_disk_size(&disk));
	}
	(void)!write(status_fd, line, (size_t)n);
	(void)close(status_fd);
}

static int
block_get_ready(void)
{
	struct err e = ERR_INIT;
	int r = bd_disk_open(&disk, repo, image, layer, key_fd, &e);

	(void)close(key_fd);
	say(&e);
	return r < 0 ? fail(&e) : 0;
}

static void
block_unload(void)
{
	bd_disk_done(&disk);
}

static void *
block_open(int read_only)
{
	(void)read_only;
	return NBDKIT_HANDLE_NOT_NEEDED;
}

static int64_t
block_get_size(void *handle)
{
	(void)handle;
	return (int64_t)bd_disk_size(&disk);
}

static int
block_can_write(void *handle)
{
	(void)handle;
	return disk.layer != NULL;
}

/* One process serves every connection, so a flush covers them all. */
static int
block_can_multi_conn(void *handle)
{
	(void)handle;
	return 1;
}

static int
block_can_fua(void *handle)
{
	(void)handle;
	return NBDKIT_FUA_NATIVE;
}

static int
block_block_size(void *handle, uint32_t *min, uint32_t *preferred, uint32_t *max)
{
	(void)handle;
	*min = 512;
	*preferred = ST_LAYER_BLOCK;
	*max = 32 << 20;
	return 0;
}

static int
block_pread(void *handle, void *buf, uint32_t count, uint64_t at, uint32_t flags)
{
	struct err e = ERR_INIT;

	(void)handle;
	(void)flags;
	return bd_disk_read(&disk, buf, count, at, &e) < 0 ? fail(&e) : 0;
}

static int
block_flush(void *handle, uint32_t flags)
{
	struct err e = ERR_INIT;

	(void)handle;
	(void)flags;
	return st_layer_flush(disk.layer, &e) < 0 ? fail(&e) : 0;
}

/* The end of a change: with FUA it is on stable storage when we answer. */
static int
changed(int r, const struct err *e, uint32_t flags)
{
	if (r < 0)
		return fail(e);
	return (flags & NBDKIT_FLAG_FUA) != 0 ? block_flush(NULL, 0) : 0;
}

static int
block_pwrite(void *handle, const void *buf, uint32_t count, uint64_t at,
	     uint32_t flags)
{
	struct err e = ERR_INIT;

	(void)handle;
	return changed(st_layer_write(disk.layer, buf, count, at, &e), &e, flags);
}

static int
block_zero(void *handle, uint32_t count, uint64_t at, uint32_t flags)
{
	struct err e = ERR_INIT;

	(void)handle;
	return changed(st_layer_zero(disk.layer, count, at, &e), &e, flags);
}

static int
block_trim(void *handle, uint32_t count, uint64_t at, uint32_t flags)
{
	struct err e = ERR_INIT;

	(void)handle;
	return changed(st_layer_trim(disk.layer, count, at, &e), &e, flags);
}

static int
add_extent(void *extents, uint64_t at, uint64_t len, bool zero, struct err *e)
{
	uint32_t type = zero ? NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO : 0;

	if (nbdkit_add_extent(extents, at, len, type) < 0)
		return err_sys(e, "extents");
	return 0;
}

static int
block_extents(void *handle, uint32_t count, uint64_t at, uint32_t flags,
	      struct nbdkit_extents *extents)
{
	struct err e = ERR_INIT;

	(void)handle;
	(void)flags;
	return bd_disk_extents(&disk, at, count, add_extent, extents, &e) < 0
	       ? fail(&e) : 0;
}

static struct nbdkit_plugin plugin = {
	.name = "halcyon",
	.longname = "stored disk images",
	.version = PROJECT_VERSION,
	.config = block_config,
	.config_complete = block_config_complete,
	.get_ready = block_get_ready,
	.unload = block_unload,
	.open = block_open,
	.get_size = block_get_size,
	.can_write = block_can_write,
	.can_multi_conn = block_can_multi_conn,
	.can_fua = block_can_fua,
	.block_size = block_block_size,
	.pread = block_pread,
	.pwrite = block_pwrite,
	.flush = block_flush,
	.zero = block_zero,
	.trim = block_trim,
	.extents = block_extents,
};

NBDKIT_REGISTER_PLUGIN(plugin)
