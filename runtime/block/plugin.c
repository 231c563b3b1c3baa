/* plugin.c - nbdkit plugin: stored versions and their writable layers as disks
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 *	nbdkit nbdkit-halcyon-plugin.so repo=DIR key-fd=N [status-fd=N]
 *		disk=EXPORT image=NAME:VER [layer=DIR] [disk=...]
 *
 * The key comes through a descriptor, as cx_key_give() writes it.  When it can
 * serve, or cannot, it says so on status-fd (base/ready.h): the first disk's
 * version and its size in bytes.
 */
#include <errno.h>
#include <stdio.h>

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include "base/err.h"
#include "base/ready.h"
#include "base/sandbox.h"
#include "runtime/block/disk.h"

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

#define DISKS_MAX 4

static const char *repo;
static int key_fd = -1, status_fd = -1;
static struct bd_store store = BD_STORE_EMPTY;
static struct disk {
	const char *export, *image, *layer;	/* nbdkit's, until the end */
	struct bd_disk d;
} disks[DISKS_MAX];
static size_t disk_count;

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
config_disk(const char *key, const char *value)
{
	struct disk *last = disk_count == 0 ? NULL : &disks[disk_count - 1];

	if (strcmp(key, "disk") == 0 && disk_count < DISKS_MAX)
		disks[disk_count++].export = value;
	else if (strcmp(key, "image") == 0 && last != NULL)
		last->image = value;
	else if (strcmp(key, "layer") == 0 && last != NULL)
		last->layer = value;
	else {
		nbdkit_error("%s: no such parameter here", key);
		return -1;
	}
	return 0;
}

static int
block_config(const char *key, const char *value)
{
	if (strcmp(key, "key-fd") == 0)
		return nbdkit_parse_int(key, value, &key_fd);
	if (strcmp(key, "status-fd") == 0)
		return nbdkit_parse_int(key, value, &status_fd);
	if (strcmp(key, "repo") == 0) {
		repo = value;
		return 0;
	}
	return config_disk(key, value);
}

static int
block_config_complete(void)
{
	bool whole = repo != NULL && key_fd >= 0 && disk_count > 0;

	for (size_t i = 0; i < disk_count; i++)
		whole = whole && disks[i].image != NULL;
	if (whole)
		return 0;
	nbdkit_error("repo, key-fd, and for each disk an image are needed");
	return -1;
}

static void
say(const struct err *e)
{
	char text[READY_TEXT] = "";

	if (status_fd < 0)
		return;
	if (e->kind == ERR_NONE) {
		const struct st_version *v = st_image_version(disks[0].d.image);

		(void)snprintf(text, sizeof(text), "%s:%llu %llu", v->name,
			       (unsigned long long)v->number,
			       (unsigned long long)bd_disk_size(&disks[0].d));
	}
	ready_say(status_fd, e, text);
	status_fd = -1;
}

static int
block_get_ready(void)
{
	struct err e = ERR_INIT;
	int r = bd_store_open(&store, repo, key_fd, &e);

	(void)close(key_fd);
	for (size_t i = 0; r == 0 && i < disk_count; i++)
		r = bd_disk_open(&disks[i].d, &store, disks[i].image,
				 disks[i].layer, &e);
	if (r == 0)
		return 0;
	if (status_fd < 0)
		return fail(&e);
	say(&e);	/* who started us tells the user */
	return -1;
}

/* All that is needed is open: nothing a guest could make of us needs more. */
static int
block_after_fork(void)
{
	struct err e = ERR_INIT;
	int r = sandbox_trim(&e);

	say(&e);
	return r < 0 ? fail(&e) : 0;
}

static void
block_unload(void)
{
	for (size_t i = 0; i < disk_count; i++)
		bd_disk_done(&disks[i].d);
	bd_store_done(&store);
}

/* The handle of a connection is the disk it asked for. */
static void *
block_open(int read_only)
{
	const char *name = nbdkit_export_name();

	(void)read_only;
	for (size_t i = 0; name != NULL && i < disk_count; i++)
		if (strcmp(disks[i].export, name) == 0)
			return &disks[i].d;
	nbdkit_error("no such export");
	return NULL;
}

static int64_t
block_get_size(void *handle)
{
	return (int64_t)bd_disk_size(handle);
}

static int
block_can_write(void *handle)
{
	const struct bd_disk *d = handle;

	return d->layer != NULL;
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

/* Zeros are a record of 80 bytes, however many they are. */
static int
block_can_fast_zero(void *handle)
{
	(void)handle;
	return 1;
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

	(void)flags;
	return bd_disk_read(handle, buf, count, at, &e) < 0 ? fail(&e) : 0;
}

static int
block_flush(void *handle, uint32_t flags)
{
	const struct bd_disk *d = handle;
	struct err e = ERR_INIT;

	(void)flags;
	if (d->layer == NULL)	/* who only reads may flush, too */
		return 0;
	return st_layer_flush(d->layer, &e) < 0 ? fail(&e) : 0;
}

/* The end of a change: with FUA it is on stable storage when we answer. */
static int
changed(void *handle, int r, const struct err *e, uint32_t flags)
{
	if (r < 0)
		return fail(e);
	return (flags & NBDKIT_FLAG_FUA) != 0 ? block_flush(handle, 0) : 0;
}

static int
block_pwrite(void *handle, const void *buf, uint32_t count, uint64_t at,
	     uint32_t flags)
{
	const struct bd_disk *d = handle;
	struct err e = ERR_INIT;

	return changed(handle, st_layer_write(d->layer, buf, count, at, &e), &e,
		       flags);
}

static int
block_zero(void *handle, uint32_t count, uint64_t at, uint32_t flags)
{
	const struct bd_disk *d = handle;
	struct err e = ERR_INIT;

	return changed(handle, st_layer_zero(d->layer, count, at, &e), &e,
		       flags);
}

static int
block_trim(void *handle, uint32_t count, uint64_t at, uint32_t flags)
{
	const struct bd_disk *d = handle;
	struct err e = ERR_INIT;

	return changed(handle, st_layer_trim(d->layer, count, at, &e), &e,
		       flags);
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

	(void)flags;
	return bd_disk_extents(handle, at, count, add_extent, extents, &e) < 0
	       ? fail(&e) : 0;
}

static struct nbdkit_plugin plugin = {
	.name = "halcyon",
	.longname = "stored disk images",
	.version = PROJECT_VERSION,
	.config = block_config,
	.config_complete = block_config_complete,
	.get_ready = block_get_ready,
	.after_fork = block_after_fork,
	.unload = block_unload,
	.open = block_open,
	.get_size = block_get_size,
	.can_write = block_can_write,
	.can_multi_conn = block_can_multi_conn,
	.can_fua = block_can_fua,
	.can_fast_zero = block_can_fast_zero,
	.block_size = block_block_size,
	.pread = block_pread,
	.pwrite = block_pwrite,
	.flush = block_flush,
	.zero = block_zero,
	.trim = block_trim,
	.extents = block_extents,
};

/* The macro defines it without declaring it. */
struct nbdkit_plugin *plugin_init(void);

NBDKIT_REGISTER_PLUGIN(plugin)
