/* tx.c - commit, recovery and undo of a disk's changes
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The order of writes: the log with the old bytes, whole and synced, under the name
 * .undoing; the disk; sync; the log's name becomes .undo.  Undoing: .undoing; the
 * disk; sync; the log goes.  So at every instant either the disk is as before or as
 * after, or a log says how to bring back what was before.
 */
#include "disk/tx.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk-private.h"
#include "disk/logdir.h"

/* ---- what an extent of the disk holds now --------------------------------- */

enum now { NOW_OLD, NOW_NEW, NOW_TORN, NOW_OTHER };

static size_t
checks_bytes(const struct dk_log_extent *x)
{
	return (x->len + DK_LOG_SECTOR - 1) / DK_LOG_SECTOR * DK_LOG_CHECK;
}

/* The check of every sector of an extent. */
static void
make_checks(const struct dk_log_extent *x, const uint8_t *bytes, uint8_t *ret)
{
	for (size_t at = 0; at < x->len; at += DK_LOG_SECTOR) {
		uint8_t hash[HASH_BYTES];

		hash_of(bytes + at,
			(size_t)num_min(DK_LOG_SECTOR, x->len - at), hash);
		memcpy(ret, hash, DK_LOG_CHECK);
		ret += DK_LOG_CHECK;
	}
}

/* Is every sector an old or a new one?  A disk writes a sector whole. */
static int
is_torn(const struct dk_log_file *f, const struct dk_log_extent *x,
	const uint8_t *is, const uint8_t *checks, bool *ret, struct err *e)
{
	size_t len = checks_bytes(x);
	SCOPED_FREE uint8_t *old = mem_array(x->len, 1, e);
	SCOPED_FREE uint8_t *new = mem_array(len, 1, e);

	if (old == NULL || new == NULL ||
	    io_read_at(f->fd, old, x->len, f->log.old_area + x->bytes_at,
		       f->path, e) < 0 ||
	    io_read_at(f->fd, new, len, f->log.check_area + x->checks_at,
		       f->path, e) < 0)
		return -1;
	*ret = true;
	for (size_t i = 0; i < len / DK_LOG_CHECK && *ret; i++) {
		size_t at = i * DK_LOG_SECTOR;
		size_t n = (size_t)num_min(DK_LOG_SECTOR, x->len - at);

		*ret = memcmp(is + at, old + at, n) == 0 ||
		       memcmp(checks + i * DK_LOG_CHECK,
			      new + i * DK_LOG_CHECK, DK_LOG_CHECK) == 0;
	}
	return 0;
}

static int
look(struct dk *d, const struct dk_log_file *f, const struct dk_log_extent *x,
     uint8_t *bytes, enum now *ret, struct err *e)
{
	uint8_t checks[DK_LOG_EXTENT / DK_LOG_SECTOR * DK_LOG_CHECK];
	uint8_t hash[HASH_BYTES];
	bool torn;

	if (dk_read(d, bytes, x->len, x->at, e) < 0)
		return -1;
	hash_of(bytes, x->len, hash);
	if (memcmp(hash, x->old_hash, sizeof(hash)) == 0) {
		*ret = NOW_OLD;
		return 0;
	}
	make_checks(x, bytes, checks);
	hash_of(checks, checks_bytes(x), hash);
	if (memcmp(hash, x->new_hash, sizeof(hash)) == 0) {
		*ret = NOW_NEW;
		return 0;
	}
	if (is_torn(f, x, bytes, checks, &torn, e) < 0)
		return -1;
	*ret = torn ? NOW_TORN : NOW_OTHER;
	return 0;
}

/* Every extent must be old, new, or a torn mix, before any is written. */
static int
look_at_all(struct dk *d, const struct dk_log_file *f, struct err *e)
{
	SCOPED_FREE uint8_t *bytes = mem_array(DK_LOG_EXTENT, 1, e);

	if (bytes == NULL)
		return -1;
	if (f->log.disk_size != d->size)
		return err_set(e, ERR_UNSAFE,
			       "%s: has another size than when %s was written; "
			       "if the disk was replaced: imgtool undo --drop "
			       "--force %s", d->name, f->path, d->name);
	for (size_t i = 0; i < f->log.count; i++) {
		enum now now;

		if (look(d, f, &f->log.at[i], bytes, &now, e) < 0)
			return -1;
		if (now == NOW_OTHER)
			return err_set(e, ERR_UNSAFE,
				       "%s: changed at byte %" PRIu64 " since "
				       "%s was written; if the disk was "
				       "replaced: imgtool undo --drop --force "
				       "%s", d->name, f->log.at[i].at, f->path,
				       d->name);
	}
	return 0;
}

/* Write the old bytes of one extent, if they are not there. */
static int
write_extent(struct dk *d, const struct dk_log_file *f,
	     const struct dk_log_extent *x, uint8_t *bytes, struct err *e)
{
	uint8_t hash[HASH_BYTES];

	if (dk_read(d, bytes, x->len, x->at, e) < 0)
		return -1;
	hash_of(bytes, x->len, hash);
	if (memcmp(hash, x->old_hash, sizeof(hash)) == 0)
		return 0;
	if (io_read_at(f->fd, bytes, x->len, f->log.old_area + x->bytes_at,
		       f->path, e) < 0)
		return -1;
	hash_of(bytes, x->len, hash);
	if (memcmp(hash, x->old_hash, sizeof(hash)) != 0)
		return err_set(e, ERR_CORRUPT, "%s: is damaged", f->path);
	return dk_write(d, bytes, x->len, x->at, e);
}

static int
write_all(struct dk *d, const struct dk_log_file *f, struct err *e)
{
	SCOPED_FREE uint8_t *bytes = mem_array(DK_LOG_EXTENT, 1, e);

	if (bytes == NULL)
		return -1;
	for (size_t i = 0; i < f->log.count; i++)
		if (write_extent(d, f, &f->log.at[i], bytes, e) < 0)
			return -1;
	return dk_flush(d, e);
}

/* ---- recovery ------------------------------------------------------------- */

/* Bring the old bytes back, after which the log, an .undoing one, goes. */
static int
take_back(struct dk *d, const char *dir, struct dk_log_name name,
	  const struct dk_log_file *f, struct err *e)
{
	if (dk_is_nbd_image(d) && dk_nbd_rewrite(d, e) < 0)
		return -1;
	if (write_all(d, f, e) < 0)
		return -1;
	return dk_log_remove(dir, name, e);
}

int
dk_tx_recover(struct dk **d, const char *dir, bool write, struct err *e)
{
	DK_LOG_NAMES_SCOPED struct dk_log_names names = DK_LOG_NAMES_EMPTY;

	if (write)
		dk_log_sweep(dir);
	if (dk_log_names(dir, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		DK_LOG_FILE_SCOPED struct dk_log_file f = DK_LOG_FILE_EMPTY;
		struct dk *over;

		if (names.at[i].state == DK_TX_DONE)
			continue;
		if (dk_log_file_open(dir, names.at[i], &f, e) < 0 ||
		    look_at_all(*d, &f, e) < 0)
			return -1;
		if (write) {
			if (take_back(*d, dir, names.at[i], &f, e) < 0)
				return -1;
			continue;
		}
		over = dk_overlay(*d, NULL, NULL, e);
		*d = over;
		if (over == NULL || write_all(over, &f, e) < 0)
			return -1;
		over->writable = false;
	}
	return 0;
}

/* ---- commit --------------------------------------------------------------- */

/* The extents of a change, none longer than a log's extent may be. */
struct gather {
	struct dk_log log;
	size_t cap;
};

static int
gather_extent(void *arg, uint64_t at, uint64_t len, unsigned kind,
	      struct err *e)
{
	struct gather *g = arg;

	(void)kind;
	while (len > 0) {
		uint64_t n = num_min(len, DK_LOG_EXTENT);

		if (mem_grow(&g->log.at, &g->cap, g->log.count + 1,
			     sizeof(*g->log.at), e) < 0)
			return -1;
		g->log.at[g->log.count].at = at;
		g->log.at[g->log.count++].len = (uint32_t)n;
		at += n;
		len -= n;
	}
	return 0;
}

/* What a log is written with. */
struct writer {
	struct dk *overlay;
	struct dk_log *log;
	struct io_new file;
	uint8_t *old, *new;		/* an extent each; owned */
	uint8_t zeros_hash[HASH_BYTES];	/* of the longest extent, all zeros */
};

static void
writer_done(struct writer *w)
{
	io_new_abandon(&w->file);
	free(w->old);
	free(w->new);
}

#define WRITER_SCOPED SCOPED(writer_done)

static bool
all_zeros(const uint8_t *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* Zeros are left out of the file, where they are a hole. */
static int
log_old(struct writer *w, struct dk_log_extent *x, struct err *e)
{
	if (dk_read(dk_under(w->overlay), w->old, x->len, x->at, e) < 0)
		return -1;
	if (all_zeros(w->old, x->len)) {
		if (x->len == DK_LOG_EXTENT)
			memcpy(x->old_hash, w->zeros_hash, HASH_BYTES);
		else
			hash_of(w->old, x->len, x->old_hash);
		return 0;
	}
	hash_of(w->old, x->len, x->old_hash);
	return io_new_write_at(&w->file, w->old, x->len,
			       w->log->old_area + x->bytes_at, e);
}

static int
log_extent(struct writer *w, struct dk_log_extent *x, struct err *e)
{
	uint8_t checks[DK_LOG_EXTENT / DK_LOG_SECTOR * DK_LOG_CHECK];

	if (log_old(w, x, e) < 0 ||
	    dk_read(w->overlay, w->new, x->len, x->at, e) < 0)
		return -1;
	make_checks(x, w->new, checks);
	hash_of(checks, checks_bytes(x), x->new_hash);
	return io_new_write_at(&w->file, checks, checks_bytes(x),
			       w->log->check_area + x->checks_at, e);
}

static int
write_log(struct dk *overlay, struct dk_log *log, const char *path,
	  struct err *e)
{
	WRITER_SCOPED struct writer w = { .overlay = overlay, .log = log,
					  .file = IO_NEW_EMPTY };
	BUF_SCOPED struct buf head = BUF_EMPTY;

	w.old = mem_array(DK_LOG_EXTENT, 1, e);
	w.new = mem_array(DK_LOG_EXTENT, 1, e);
	if (w.old == NULL || w.new == NULL ||
	    io_new_open(&w.file, path, 0600, e) < 0)
		return -1;
	hash_of(w.old, DK_LOG_EXTENT, w.zeros_hash);
	for (size_t i = 0; i < log->count; i++)
		if (log_extent(&w, &log->at[i], e) < 0)
			return -1;
	if (dk_log_encode(log, &head, e) < 0 ||
	    io_new_write_at(&w.file, head.at, head.len, 0, e) < 0)
		return -1;
	return io_new_commit(&w.file, e);
}

static int
make_dir(const char *dir, struct err *e)
{
	SCOPED_FREE char *parent = mem_str(dir, e);

	if (parent == NULL)
		return -1;
	*strrchr(parent, '/') = '\0';
	if (io_mkdirs(parent, 0700, e) < 0)
		return -1;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "%s", dir);
	return io_sync_dir(*parent == '\0' ? "/" : parent, e);
}

static int
check_room(const char *dir, const struct dk_log *log, struct err *e)
{
	struct statvfs v;

	if (statvfs(dir, &v) < 0)
		return err_sys(e, "%s", dir);
	if ((uint64_t)v.f_bavail * v.f_frsize >= log->end)
		return 0;
	errno = ENOSPC;
	return err_sys(e, "%s: needs %" PRIu64 " MiB for the log", dir,
		       log->end / (1 << 20) + 1);
}

static int
write_new(struct dk *overlay, const struct dk_log *log, struct err *e)
{
	SCOPED_FREE uint8_t *bytes = mem_array(DK_LOG_EXTENT, 1, e);
	struct dk *under = dk_under(overlay);

	if (bytes == NULL ||
	    (dk_is_nbd_image(under) && dk_nbd_rewrite(under, e) < 0))
		return -1;
	for (size_t i = 0; i < log->count; i++) {
		const struct dk_log_extent *x = &log->at[i];

		if (dk_read(overlay, bytes, x->len, x->at, e) < 0 ||
		    dk_write(under, bytes, x->len, x->at, e) < 0)
			return -1;
	}
	return dk_flush(under, e);
}

/* It could not be done: as if there had been no commit, now or later. */
static int
give_up(struct dk *under, const char *dir, struct dk_log_name name,
	struct err *e)
{
	DK_LOG_FILE_SCOPED struct dk_log_file f = DK_LOG_FILE_EMPTY;
	struct err also = ERR_INIT;
	size_t n = strlen(e->msg);

	if (dk_log_file_open(dir, name, &f, &also) < 0 ||
	    take_back(under, dir, name, &f, &also) < 0)
		(void)snprintf(e->msg + n, sizeof(e->msg) - n, "; the next "
			       "command that writes to the disk takes back "
			       "what was written");
	return -1;
}

int
dk_tx_commit(struct dk *overlay, void *arg, const char *what, struct err *e)
{
	const char *dir = arg;
	DK_LOG_NAMES_SCOPED struct dk_log_names names = DK_LOG_NAMES_EMPTY;
	struct gather g = { .cap = 0 };
	DK_LOG_SCOPED struct dk_log log = DK_LOG_EMPTY;
	struct dk_log_name name = { .number = 1, .state = DK_TX_UNDOING };
	SCOPED_FREE char *path = NULL;
	int r = dk_changes(overlay, gather_extent, &g, e);

	log = g.log;		/* owned here from now on */
	if (r < 0)
		return -1;
	if (log.count == 0) {
		dk_rollback(overlay);
		return 0;
	}
	if (make_dir(dir, e) < 0 || dk_log_names(dir, &names, e) < 0)
		return -1;
	if (names.count > 0)
		name.number = names.at[names.count - 1].number + 1;
	log.tx.number = name.number;
	log.tx.time = (uint64_t)time(NULL);
	log.tx.what = mem_strn(what, strnlen(what, DK_LOG_WHAT), e);
	log.disk_size = overlay->size;
	path = dk_log_path(dir, name, e);
	if (log.tx.what == NULL || path == NULL ||
	    dk_log_place(&log, e) < 0 || check_room(dir, &log, e) < 0 ||
	    write_log(overlay, &log, path, e) < 0) {
		(void)rmdir(dir);
		return -1;
	}
	if (write_new(overlay, &log, e) < 0)
		return give_up(dk_under(overlay), dir, name, e);
	if (dk_log_turn(dir, name, DK_TX_DONE, e) < 0)
		return -1;
	dk_rollback(overlay);
	return 0;
}

/* ---- undo and history ----------------------------------------------------- */

void
dk_tx_done(struct dk_tx *t)
{
	free(t->what);
	*t = (struct dk_tx){ .what = NULL };
}

static int
undo_last(struct dk *d, const char *dir, bool dry, struct dk_tx *ret,
	  struct err *e)
{
	DK_LOG_NAMES_SCOPED struct dk_log_names names = DK_LOG_NAMES_EMPTY;
	DK_LOG_FILE_SCOPED struct dk_log_file f = DK_LOG_FILE_EMPTY;
	struct dk_log_name last;

	if (dk_log_names(dir, &names, e) < 0)
		return -1;
	if (names.count == 0)
		return err_set(e, ERR_NO, "%s: nothing to undo", d->name);
	last = names.at[names.count - 1];
	if (dk_log_file_open(dir, last, &f, e) < 0 ||
	    look_at_all(d, &f, e) < 0)
		return -1;
	if (!dry) {
		if (dk_log_turn(dir, last, DK_TX_UNDOING, e) < 0)
			return -1;
		last.state = DK_TX_UNDOING;
		if (take_back(d, dir, last, &f, e) < 0)
			return -1;
	}
	*ret = TAKE(f.log.tx);
	return 0;
}

int
dk_undo(const char *path, const char *format, const char *state, bool dry,
	struct dk_tx *ret, struct err *e)
{
	SCOPED_FREE char *dir = dk_log_dir(path, state, e);
	DK_SCOPED struct dk *d = NULL;

	if (dir == NULL)
		return -1;
	d = dk_open(path, format, state, dry ? DK_DRY : DK_WRITE, e);
	if (d == NULL)
		return -1;
	return undo_last(dk_under(d), dir, dry, ret, e);
}

int
dk_history(const char *path, const char *state, struct dk_history *ret,
	   struct err *e)
{
	DK_LOG_NAMES_SCOPED struct dk_log_names names = DK_LOG_NAMES_EMPTY;
	DK_HISTORY_SCOPED struct dk_history h = DK_HISTORY_EMPTY;
	SCOPED_FREE char *dir = dk_log_dir(path, state, e);

	if (dir == NULL || dk_log_names(dir, &names, e) < 0)
		return -1;
	h.at = mem_array(names.count, sizeof(*h.at), e);
	if (h.at == NULL)
		return -1;
	for (; h.count < names.count; h.count++) {
		DK_LOG_FILE_SCOPED struct dk_log_file f = DK_LOG_FILE_EMPTY;

		if (dk_log_file_open(dir, names.at[h.count], &f, e) < 0)
			return -1;
		h.at[h.count] = TAKE(f.log.tx);
	}
	*ret = TAKE(h);
	return 0;
}

void
dk_history_done(struct dk_history *h)
{
	for (size_t i = 0; i < h->count; i++)
		dk_tx_done(&h->at[i]);
	free(h->at);
	*h = (struct dk_history)DK_HISTORY_EMPTY;
}

int
dk_history_drop(const char *path, const char *state, bool pending,
		size_t *ret_dropped, struct err *e)
{
	DK_LOG_NAMES_SCOPED struct dk_log_names names = DK_LOG_NAMES_EMPTY;
	SCOPED_FREE char *dir = dk_log_dir(path, state, e);

	if (dir == NULL || dk_log_names(dir, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count && !pending; i++)
		if (names.at[i].state != DK_TX_DONE)
			return err_set(e, ERR_UNSAFE, "%s: an interrupted "
				       "change is still to be taken back; add "
				       "--force if the disk was replaced", path);
	for (size_t i = 0; i < names.count; i++)
		if (dk_log_remove(dir, names.at[i], e) < 0)
			return -1;
	*ret_dropped = names.count;
	return 0;
}
