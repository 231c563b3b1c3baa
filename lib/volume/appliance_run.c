/* appliance_run.c - the appliance's worker: launch, devices, then files
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/sandbox.h"
#include "volume/appliance_run.h"
#include "volume/wire.h"

enum { KEY_MAX = 1024 };	/* bytes of a volume's password */

int
vo_guest_fail(const struct vo_guest_run *w, const char *what, struct err *e)
{
	const char *said = w->gf->last_error(w->g);
	int os = w->gf->last_errno(w->g);

	(void)err_set(e, os == ENOSPC ? ERR_SYSTEM : os == ENOMEM ? ERR_NOMEM :
		      os == EROFS ? ERR_UNSAFE : ERR_SYSTEM,
		      "cannot %s: %s", what,
		      os == ENOSPC ? "the volume is full" :
		      said == NULL ? "unknown reason" : said);
	e->os = e->kind == ERR_SYSTEM ? os : 0;
	return -1;
}

void
vo_guest_free_words(char **words)
{
	for (char **p = words; p != NULL && *p != NULL; p++)
		free(*p);
	free(words);
}

static void
words_done(char ***words)
{
	vo_guest_free_words(*words);
}

#define WORDS_SCOPED SCOPED(words_done)

/* ---- the launch ----------------------------------------------------------- */

static int
add_drive(struct vo_guest_run *w, const struct vo_drive *v, struct err *e)
{
	char server[sizeof(v->socket) + 8];
	const char *const servers[] = { server, NULL };

	(void)snprintf(server, sizeof(server), "unix:%s", v->socket);
	if (w->gf->add_drive_opts(w->g, "",
	    GUESTFS_ADD_DRIVE_OPTS_PROTOCOL, "nbd",
	    GUESTFS_ADD_DRIVE_OPTS_SERVER, (char *const *)(uintptr_t)servers,
	    GUESTFS_ADD_DRIVE_OPTS_FORMAT, "raw",
	    GUESTFS_ADD_DRIVE_OPTS_READONLY, !v->writable,
	    GUESTFS_ADD_DRIVE_OPTS_BLOCKSIZE, (int)v->sector, -1) < 0)
		return vo_guest_fail(w, "add a disk", e);
	return 0;
}

static int
launch(struct vo_guest_run *w, const struct vo_drive *drives, size_t count,
       const char *folder, bool kvm, struct err *e)
{
	/* nothing of QEMU is needed but what it has when it runs */
	static const char jail[] = "on,obsolete=deny,elevateprivileges=deny,"
				   "spawn=deny";

	w->gf = vo_guestfs_load(e);
	if (w->gf == NULL)
		return -1;
	/* sockets and overlays go where the owner removes them */
	if (setenv("XDG_RUNTIME_DIR", folder, 1) < 0 ||
	    (w->g = w->gf->create()) == NULL)
		return err_sys(e, "libguestfs");
	w->gf->set_error_handler(w->g, NULL, NULL);
	if (w->gf->set_backend(w->g, "direct") < 0 ||
	    (!kvm && w->gf->set_backend_setting(w->g, "force_tcg", "1") < 0) ||
	    w->gf->set_tmpdir(w->g, folder) < 0 ||
	    w->gf->config(w->g, "-sandbox", jail) < 0)
		return vo_guest_fail(w, "set up libguestfs", e);
	for (size_t i = 0; i < count; i++)
		if (add_drive(w, &drives[i], e) < 0)
			return -1;
	if (w->gf->launch(w->g) == 0)
		return 0;
	(void)vo_guest_fail(w, "start the appliance", e);
	e->kind = ERR_UNSUPPORTED;
	e->os = 0;
	return -1;
}

/* ---- devices -------------------------------------------------------------- */

static int
add_device(struct vo_guest_run *w, const char *path, struct buf *answer,
	   struct err *e)
{
	int64_t size;

	if (w->count == VO_APPLIANCE_DEVICES)
		return err_set(e, ERR_UNSUPPORTED, "more than %d volumes",
			       VO_APPLIANCE_DEVICES);
	size = w->gf->blockdev_getsize64(w->g, path);
	if (size < 0)
		return vo_guest_fail(w, "open a device", e);
	w->device[w->count].path = mem_str(path, e);
	if (w->device[w->count].path == NULL)
		return -1;
	buf_u64le(answer, (uint64_t)size);
	return (int)w->count++;
}

/* "/dev/sda" of a disk's number. */
static char *
disk_path(struct vo_guest_run *w, uint32_t number, struct err *e)
{
	WORDS_SCOPED char **all = w->gf->list_devices(w->g);
	uint32_t i = 0;

	if (all == NULL) {
		(void)vo_guest_fail(w, "list its disks", e);
		return NULL;
	}
	while (i < number && all[i] != NULL)
		i++;
	if (all[i] != NULL)
		return mem_str(all[i], e);
	(void)err_set(e, ERR_SYSTEM, "it lost a disk");
	return NULL;
}

/* The partition that begins where ours does. */
static int
serve_part(struct vo_guest_run *w, uint32_t number, const struct vo_request *q,
	   struct buf *answer, struct err *e)
{
	SCOPED_FREE char *disk = disk_path(w, number, e);
	SCOPED_FREE char *part = NULL;
	struct guestfs_partition_list *l;
	int64_t size = disk == NULL ? -1 : w->gf->blockdev_getsize64(w->g, disk);

	if (disk == NULL)
		return -1;
	if (q->at == 0 && size >= 0 && (uint64_t)size == q->size)
		return add_device(w, disk, answer, e);
	l = w->gf->part_list(w->g, disk);
	if (l == NULL)
		return vo_guest_fail(w, "read the partition table", e);
	for (uint32_t i = 0; i < l->len && part == NULL; i++)
		if (l->val[i].part_start == q->at)
			part = mem_fmt(e, "%s%d", disk, l->val[i].part_num);
	w->gf->free_partition_list(l);
	if (part == NULL)
		return err_set(e, ERR_UNSUPPORTED, "Linux sees no partition at "
			       "byte %llu", (unsigned long long)q->at);
	return add_device(w, part, answer, e);
}

/* A mapping of an earlier open: 1 when it will do, 0 when there is none (any
 * more), -1. */
static int
unlocked_before(struct vo_guest_run *w, const char *path, bool write,
		struct buf *answer, int *ret_number, struct err *e)
{
	for (size_t i = 0; i < w->count; i++) {
		struct vo_guest_device *d = &w->device[i];

		if (d->from == NULL || strcmp(d->from, path) != 0)
			continue;
		if (d->writable || !write) {
			*ret_number = add_device(w, d->path, answer, e);
			return *ret_number < 0 ? -1 : 1;
		}
		if (w->gf->cryptsetup_close(w->g, d->path) < 0)
			return vo_guest_fail(w, "lock BitLocker again", e);
		free(TAKE(d->from));
	}
	return 0;
}

static int
serve_unlock(struct vo_guest_run *w, const struct vo_guest_device *d,
	     const struct vo_request *q, struct buf *answer, struct err *e)
{
	char name[32], path[64], key[KEY_MAX + 1];
	bool write = (q->size & VO_WRITE) != 0;
	int r, number = 0;

	r = unlocked_before(w, d->path, write, answer, &number, e);
	if (r != 0)
		return r < 0 ? -1 : number;
	if (q->len > KEY_MAX)
		return err_set(e, ERR_USAGE, "the key is too long");
	memcpy(key, q->data, q->len);
	key[q->len] = '\0';
	(void)snprintf(name, sizeof(name), "halcyon%zu", w->count);
	(void)snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	r = w->gf->cryptsetup_open(w->g, d->path, key, name,
		GUESTFS_CRYPTSETUP_OPEN_CRYPTTYPE, "bitlk",
		GUESTFS_CRYPTSETUP_OPEN_READONLY, !write, -1);
	explicit_bzero(key, sizeof(key));
	if (r < 0) {
		(void)vo_guest_fail(w, "unlock BitLocker", e);
		/* cryptsetup's words for a key that does not fit */
		if (strstr(e->msg, "No key available") != NULL ||
		    strstr(e->msg, "passphrase") != NULL) {
			*e = (struct err)ERR_INIT;
			(void)err_set(e, ERR_AUTH, "the key of --volume-key "
				      "does not unlock this BitLocker volume");
		}
		return -1;
	}
	number = add_device(w, path, answer, e);
	if (number < 0)
		return -1;
	w->device[number].writable = write;
	w->device[number].from = mem_str(d->path, e);
	return w->device[number].from == NULL ? -1 : number;
}

static void
put_word(struct buf *out, const char *word)
{
	buf_u32le(out, (uint32_t)strlen(word));
	buf_str(out, word);
}

static int
put_made(struct vo_guest_run *w, const char *name, const char *device,
	 struct buf *answer, struct err *e)
{
	int64_t size = w->gf->blockdev_getsize64(w->g, device);

	if (size < 0)
		return vo_guest_fail(w, "look at a volume", e);
	put_word(answer, name);
	put_word(answer, device);
	buf_u64le(answer, (uint64_t)size);
	return 0;
}

/* Logical volumes; what other disks have is hidden first, for two disks may be
 * copies of each other. */
static int
made_lvm(struct vo_guest_run *w, const char *disk, struct buf *answer,
	 struct err *e)
{
	const char *const only[] = { disk, NULL };
	WORDS_SCOPED char **all = NULL;

	if (w->gf->lvm_set_filter(w->g, (char *const *)(uintptr_t)only) < 0)
		return vo_guest_fail(w, "start LVM", e);
	all = w->gf->lvs(w->g);
	if (all == NULL)
		return vo_guest_fail(w, "list LVM's volumes", e);
	for (char **p = all; *p != NULL; p++)
		if (put_made(w, strncmp(*p, "/dev/", 5) == 0 ? *p + 5 : *p, *p,
			     answer, e) < 0)
			return -1;
	return 0;
}

/* Volumes of the disk groups that this disk has a part of; libldm calls them
 * ldm_vol_GROUP_VOLUME. */
static int
made_dynamic(struct vo_guest_run *w, const char *disk, struct buf *answer,
	     struct err *e)
{
	static const char before[] = "/dev/mapper/ldm_vol_";
	const char *const only[] = { disk, NULL };
	WORDS_SCOPED char **groups = w->gf->ldmtool_scan_devices(w->g,
			(char *const *)(uintptr_t)only);
	WORDS_SCOPED char **all = NULL;

	if (groups == NULL || *groups == NULL)
		return 0;
	if (w->gf->ldmtool_create_all(w->g) < 0 ||
	    (all = w->gf->list_ldm_volumes(w->g)) == NULL)
		return vo_guest_fail(w, "assemble dynamic disks", e);
	for (char **g = groups; *g != NULL; g++) {
		SCOPED_FREE char *name = w->gf->ldmtool_diskgroup_name(w->g, *g);
		size_t n = sizeof(before) - 1, len = name == NULL ? 0
							: strlen(name);

		for (char **p = all; *p != NULL && name != NULL; p++) {
			SCOPED_FREE char *shown = NULL;

			if (strncmp(*p, before, n) != 0 ||
			    strncmp(*p + n, name, len) != 0)
				continue;
			shown = mem_fmt(e, "%s/%s", name, *p + n + len +
					((*p)[n + len] != '\0'));
			if (shown == NULL ||
			    put_made(w, shown, *p, answer, e) < 0)
				return -1;
		}
	}
	return 0;
}

static int
serve_made(struct vo_guest_run *w, uint32_t number, struct buf *answer,
	   struct err *e)
{
	SCOPED_FREE char *disk = disk_path(w, number, e);

	if (disk == NULL || made_lvm(w, disk, answer, e) < 0)
		return -1;
	return made_dynamic(w, disk, answer, e);
}

static int
serve_read(struct vo_guest_run *w, const struct vo_guest_device *d,
	   const struct vo_request *q, struct buf *answer, struct err *e)
{
	uint64_t at = q->at, end = q->at + num_min(q->size, VO_DATA_MAX);

	while (at < end) {
		size_t got = 0;
		SCOPED_FREE char *bytes =
			w->gf->pread_device(w->g, d->path, (int)(end - at),
					    (int64_t)at, &got);

		if (bytes == NULL)
			return vo_guest_fail(w, "read", e);
		if (got == 0)
			return 0;
		buf_bytes(answer, bytes, got);
		at += got;
	}
	return 0;
}

static int
serve_write(struct vo_guest_run *w, const struct vo_guest_device *d,
	    const struct vo_request *q, struct err *e)
{
	const char *from = q->data;
	size_t done = 0;

	while (done < q->len) {
		int n = w->gf->pwrite_device(w->g, d->path, from + done,
					     q->len - done,
					     (int64_t)(q->at + done));

		if (n <= 0)
			return vo_guest_fail(w, "write", e);
		done += (size_t)n;
	}
	return 0;
}

/* ---- mounting ------------------------------------------------------------- */

#define USER_MAPPING "/tmp/halcyon-users"

/* ntfs-3g lets new files inherit security only when it has a mapping of users;
 * these people do not exist.  root, who works here, is always Administrators. */
static int
make_mapping(struct vo_guest_run *w, struct err *e)
{
	static char sh[] = "sh";
	static char line[] = "echo 1000:1000:S-1-5-21-1-2-3-1000 >" USER_MAPPING
			     "; echo ::S-1-5-21-1-2-3-10000 >>" USER_MAPPING;
	char *words[] = { line, NULL };
	SCOPED_FREE char *said = w->gf->debug(w->g, sh, words);

	return said == NULL ? vo_guest_fail(w, "set up users", e) : 0;
}

static const char *
mount_options(enum vo_kind kind, bool write)
{
	switch ((int)kind) {
	case VO_NTFS:
		return write ? "rw,noatime,streams_interface=windows,efs_raw,"
			       "inherit,usermapping=" USER_MAPPING
			     : "ro,streams_interface=windows,efs_raw";
	case VO_FAT:	/* the PC's clock is taken as UTC, as in fat.h */
		return write ? "rw,noatime,utf8,tz=UTC" : "ro,utf8,tz=UTC";
	case VO_EXFAT:
		return write ? "rw,noatime,iocharset=utf8"
			     : "ro,iocharset=utf8";
	default:
		return write ? "rw,noatime" : "ro,noload";
	}
}

static int
mount_device(struct vo_guest_run *w, struct vo_guest_device *d,
	     const char *folder, bool write, struct err *e)
{
	const char *options = mount_options(d->kind, write);

	if (d->kind == VO_NTFS && write && make_mapping(w, e) < 0)
		return -1;
	if (w->gf->mkmountpoint(w->g, folder) < 0)
		return vo_guest_fail(w, "mount", e);
	if (w->gf->mount_options(w->g, options, d->path, folder) < 0 &&
	    (d->kind == VO_EXT || d->kind >= VO_LVM || write ||
	     w->gf->mount_options(w->g, "ro", d->path, folder) < 0)) {
		(void)vo_guest_fail(w, "mount", e);
		e->kind = ERR_UNSUPPORTED;
		e->os = 0;
		return -1;
	}
	return 0;
}

static int
serve_mount(struct vo_guest_run *w, uint32_t number,
	    const struct vo_request *q, struct buf *answer, struct err *e)
{
	struct vo_guest_device *d = &w->device[number];
	SCOPED_FREE char *folder = mem_fmt(e, "/volume%u", number);
	SCOPED_FREE char *label = NULL;
	struct guestfs_statvfs *st;

	if (folder == NULL)
		return -1;
	if (d->folder != NULL)
		return err_set(e, ERR_USAGE, "is mounted already");
	d->kind = (enum vo_kind)q->at;
	d->writable = (q->size & VO_WRITE) != 0;
	if (mount_device(w, d, folder, d->writable, e) < 0)
		return -1;
	st = w->gf->statvfs(w->g, folder);
	if (st == NULL)
		return vo_guest_fail(w, "look at the volume", e);
	buf_u32le(answer, (uint32_t)st->frsize);
	buf_u64le(answer, (uint64_t)st->blocks);
	buf_u64le(answer, (uint64_t)st->bfree);
	w->gf->free_statvfs(st);
	label = w->gf->vfs_label(w->g, d->path);
	put_word(answer, label == NULL ? "" : label);
	d->folder = TAKE(folder);
	return 0;
}

/* ---- frames --------------------------------------------------------------- */

/* The owner is gone, or mad: nobody is left to tell. */
static void
must(bool holds)
{
	if (!holds)
		_exit(1);
}

static void
get_all(int sock, void *buf, size_t len)
{
	uint8_t *to = buf;

	while (len > 0) {
		ssize_t n = read(sock, to, len);

		if (n < 0 && errno == EINTR)
			continue;
		must(n > 0);
		to += n;
		len -= (size_t)n;
	}
}

static void
put_all(int sock, const void *buf, size_t len)
{
	const uint8_t *from = buf;

	while (len > 0) {
		ssize_t n = write(sock, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		must(n > 0);
		from += n;
		len -= (size_t)n;
	}
}

static void
send_answer(int sock, int status, struct buf *answer, struct err *e)
{
	struct vo_frame f = { .what = VO_FRAME_ANSWER, .status = status };

	if (status >= 0 && buf_ok(answer, e) < 0)
		f.status = -1;
	if (f.status < 0) {
		buf_done(answer);
		buf_str(answer, e->msg);
		f.kind = e->kind;
		f.os = (uint32_t)e->os;
	}
	f.len = answer->len;
	put_all(sock, &f, sizeof(f));
	put_all(sock, answer->at, answer->len);
}

static int
serve(struct vo_guest_run *w, const struct vo_frame *f,
      const struct vo_request *q, struct buf *answer, struct err *e)
{
	struct vo_guest_device *d = &w->device[f->device];

	switch (f->what) {
	case VO_FRAME_PART:
		return serve_part(w, f->device, q, answer, e);
	case VO_FRAME_MADE:
		return serve_made(w, f->device, answer, e);
	case VO_FRAME_NAMED:
		return add_device(w, q->path, answer, e);
	default:
		break;
	}
	must(f->device < w->count);
	switch (f->what) {
	case VO_FRAME_FILE:
		return vo_guest_file(w, d, q, answer, e);
	case VO_FRAME_UNLOCK:
		return serve_unlock(w, d, q, answer, e);
	case VO_FRAME_READ:
		return serve_read(w, d, q, answer, e);
	case VO_FRAME_WRITE:
		return serve_write(w, d, q, e);
	case VO_FRAME_MOUNT:
		return serve_mount(w, f->device, q, answer, e);
	default:
		must(false);
		return -1;
	}
}

static void
serve_one(struct vo_guest_run *w, int sock)
{
	BUF_SCOPED struct buf answer = BUF_EMPTY;
	struct err e = ERR_INIT;
	struct vo_request q;
	struct vo_frame f;
	SCOPED_FREE uint8_t *body = NULL;
	int r;

	get_all(sock, &f, sizeof(f));
	must(f.len <= VO_AREA_CALL && f.device < VO_APPLIANCE_DEVICES);
	body = mem_array((size_t)f.len, 1, &e);
	must(body != NULL);
	get_all(sock, body, (size_t)f.len);
	r = vo_wire_parse(body, (size_t)f.len, &q, &e);
	if (r == 0)
		r = serve(w, &f, &q, &answer, &e);
	explicit_bzero(body, (size_t)f.len);	/* it may hold a key */
	send_answer(sock, r, &answer, &e);
}

_Noreturn void
vo_appliance_run(int sock, const struct vo_drive *drives, size_t count,
		 const char *folder, bool kvm)
{
	static struct vo_guest_run w;
	BUF_SCOPED struct buf none = BUF_EMPTY;
	const struct rlimit no_core = { 0, 0 };
	struct err e = ERR_INIT;
	int r;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	r = launch(&w, drives, count, folder, kvm, &e);
	/* from here on all it needs is its sockets */
	if (r == 0)
		r = sandbox_trim(&e);
	send_answer(sock, r, &none, &e);
	for (;;)
		serve_one(&w, sock);
}
