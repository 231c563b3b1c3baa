/* reg.c - see reg.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "imgtool/reg.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "disk/disk.h"
#include "hive/regtext.h"
#include "source/source.h"
#include "windows/windows.h"

enum { TEXT_MAX = 1 << 30, BINS = 4096 };

void
reg_done(struct reg *r)
{
	for (size_t i = 0; i < r->hives; i++) {
		hv_free(&r->hive[i].hive);
		free(r->hive[i].path);
	}
	free(r->hive);
	wn_free(&r->guest);
	if (!r->borrowed)
		dk_free(&r->disk);
	*r = (struct reg){ .operand = NULL };
}

/* ---- opening -------------------------------------------------------------- */

/* By its first bytes; a hive that lost its header still has its first bin. */
static bool
is_hive_file(const char *path)
{
	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char magic[4] = "", bin[4] = "";
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       (memcmp(magic, "regf", 4) == 0 ||
		(pread(fd, bin, sizeof(bin), BINS) == sizeof(bin) &&
		 memcmp(bin, "hbin", 4) == 0));
}

static int
open_guest(struct reg *r, const char *root, struct err *e)
{
	r->guest = wn_open(r->disk, r->write ? VO_WRITE : 0, e);
	if (r->guest == NULL)
		return -1;
	r->install = wn_choose(r->guest, root, e);
	if (r->install == NULL)
		return -1;
	if (r->write)
		return wn_writable(r->install, e);
	if (r->install->hibernated)
		log_warn("%s: Windows is hibernated: its memory may hold newer "
			 "keys and values", r->operand);
	return 0;
}

static int
open_disk(struct reg *r, struct err *e)
{
	unsigned flags = !r->write ? 0 : r->args->dry_run ? DK_DRY : DK_WRITE;

	r->disk = src_open(r->args, r->operand, flags, e);
	return r->disk == NULL ? -1 : open_guest(r, r->args->root, e);
}

int
reg_attach(struct dk *disk, const char *root, struct reg *ret, struct err *e)
{
	REG_SCOPED struct reg r = {
		.operand = disk->name, .how = HV_LOGS_REPLAY, .write = true,
		.disk = disk, .borrowed = true,
	};

	if (open_guest(&r, root, e) < 0)
		return -1;
	*ret = TAKE(r);
	return 0;
}

int
reg_open(const struct cli_args *a, enum hv_logs how, struct reg *ret,
	 struct err *e)
{
	REG_SCOPED struct reg r = {
		.args = a, .operand = a->at[0], .how = how,
		.write = how != HV_LOGS_READ,
	};

	if (!is_hive_file(r.operand) && open_disk(&r, e) < 0)
		return -1;
	*ret = TAKE(r);
	return 0;
}

/* ---- hives ---------------------------------------------------------------- */

/* What a user should know of the state in which the hive was found. */
static void
tell_facts(const char *name, const struct hv_facts *f)
{
	if (f->stale[0] != '\0')
		log_warn("%s: may be stale: %s", name, f->stale);
	else if (f->replayed == HV_REPLAYED_HVLE)
		log_note("%s: was dirty; entries %" PRIu32 " to %" PRIu32 " of its "
			 "logs saved %" PRIu64 " keys and %" PRIu64 " values",
			 name, f->first, f->last, f->keys_saved,
			 f->values_saved);
	else if (f->replayed == HV_REPLAYED_DIRT)
		log_note("%s: was dirty; %" PRIu32 " sectors of its log saved %"
			 PRIu64 " keys and %" PRIu64 " values", name, f->applied,
			 f->keys_saved, f->values_saved);
	if (f->log_ahead)
		log_warn("%s: is clean, but its logs hold newer entries: a program "
			 "marked it clean without replaying them", name);
}

static void
tell_blf(const char *name)
{
	log_warn("%s: a transaction manager's log is newer than the hive: Windows "
		 "may undo changes when it starts", name);
}

/* Is a "NTUSER.DAT{...}.blf" beside it newer?  1, 0, -1. */
static int
has_newer_blf(struct vo *vo, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	SCOPED_FREE char *dir = mem_strn(path, (size_t)(name - path), e);
	VO_LIST_SCOPED struct vo_list list = VO_LIST_EMPTY;
	size_t n = strlen(name);
	struct vo_stat hive;

	if (dir == NULL || vo_stat(vo, path, &hive, e) != 1 ||
	    vo_list(vo, dir, &list, e) < 0)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		const char *entry = list.at[i].name;
		size_t len = strlen(entry);

		if (len > n + 4 && strncasecmp(entry, name, n) == 0 &&
		    entry[n] == '{' && strcasecmp(entry + len - 4, ".blf") == 0 &&
		    list.at[i].st.times.modified > hive.times.modified)
			return 1;
	}
	return 0;
}

static struct hv_hive *
load(struct reg *r, size_t volume, const char *path, struct err *e)
{
	const char *name = path == NULL ? r->operand : path;
	HV_SCOPED struct hv_hive *h = path == NULL ?
		hv_load(r->operand, r->how, e) :
		wn_load_hive(r->guest->volume[volume].vo, path, r->how, e);
	int newer;

	if (h == NULL)
		return NULL;
	tell_facts(name, hv_facts(h));
	newer = hv_facts(h)->newer_blf;
	if (path != NULL && hv_facts(h)->ktm)
		newer = has_newer_blf(r->guest->volume[volume].vo, path, e);
	if (newer < 0)
		return NULL;
	if (newer > 0)
		tell_blf(name);
	return TAKE(h);
}

static bool
is_it(const struct reg_hive *h, size_t volume, const char *path)
{
	return path == NULL || (h->volume == volume &&
				strcmp(h->path, path) == 0);
}

/* The hive at a place, opened once. */
static struct hv_hive *
use_hive(struct reg *r, size_t volume, const char *path, struct err *e)
{
	for (size_t i = 0; i < r->hives; i++)
		if (is_it(&r->hive[i], volume, path))
			return r->hive[i].hive;
	if (r->write && path != NULL && !r->guest->volume[volume].writable) {
		(void)err_set(e, ERR_UNSAFE, "%s: lies on a volume that is not "
			      "writable", path);
		return NULL;
	}
	if (mem_grow(&r->hive, &r->cap, r->hives + 1, sizeof(*r->hive), e) < 0)
		return NULL;
	SCOPED_FREE char *copy = path == NULL ? NULL : mem_str(path, e);
	if (path != NULL && copy == NULL)
		return NULL;
	struct hv_hive *h = load(r, volume, path, e);
	if (h == NULL)
		return NULL;
	r->hive[r->hives++] = (struct reg_hive){ h, volume, TAKE(copy) };
	return h;
}

int
reg_find(struct reg *r, const char *key, struct hv_hive **ret_hive,
	 char **ret_path, struct err *e)
{
	WN_KEY_SCOPED struct wn_key k = WN_KEY_EMPTY;
	struct hv_hive *h;

	if (r->disk == NULL) {
		k.key = mem_str(key + (key[0] == '\\'), e);
		if (k.key == NULL)
			return -1;
	} else if (wn_find_key(r->install, key, &k, e) < 0) {
		return -1;
	}
	if (r->disk != NULL && hv_reg_below(key, "HKLM\\SYSTEM\\CurrentControlSet")
	    != NULL && r->install->current_set != r->install->control_set)
		log_note("%s: CurrentControlSet is what the next boot uses, "
			 "ControlSet%03u; the last one used ControlSet%03u",
			 r->operand, r->install->control_set,
			 r->install->current_set);
	h = use_hive(r, k.volume, k.hive, e);
	if (h == NULL)
		return -1;
	*ret_hive = h;
	*ret_path = TAKE(k.key);
	return 0;
}

struct hv_key *
reg_key(struct reg *r, const char *key, struct err *e)
{
	SCOPED_FREE char *path = NULL;
	char quoted[512];
	struct hv_hive *h;
	struct hv_key *k;

	if (reg_find(r, key, &h, &path, e) < 0)
		return NULL;
	k = hv_find(hv_root(h), path);
	if (k == NULL)
		(void)err_set(e, ERR_NO, "%s: there is no key %s", r->operand,
			      err_quote(quoted, sizeof(quoted), key,
					strlen(key)));
	return k;
}

/* ---- writing -------------------------------------------------------------- */

/* No old entry may be replayed over the new hive. */
static int
empty_logs(struct vo *vo, const char *path, struct err *e)
{
	static const char *const suffixes[] = { ".LOG", ".LOG1", ".LOG2" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		SCOPED_FREE char *log = mem_fmt(e, "%s%s", path, suffixes[i]);
		struct vo_stat st;
		int r;

		if (log == NULL)
			return -1;
		r = vo_stat(vo, log, &st, e);
		if (r < 0 || (r > 0 && st.size > 0 &&
			      vo_truncate(vo, log, 0, e) < 0))
			return -1;
	}
	return 0;
}

/* A hive that was dirty is written even if nothing was edited. */
static bool
needs_writing(const struct reg_hive *h)
{
	return hv_changed(h->hive) || hv_facts(h->hive)->dirty;
}

static int
put_hives(struct reg *r, struct err *e)
{
	for (size_t i = 0; i < r->hives; i++) {
		const struct reg_hive *h = &r->hive[i];
		BUF_SCOPED struct buf b = BUF_EMPTY;

		if (!needs_writing(h))
			continue;
		struct vo *vo = r->guest->volume[h->volume].vo;
		if (hv_serialize(h->hive, &b, e) < 0 ||
		    vo_put(vo, h->path, b.at, b.len, e) < 0 ||
		    empty_logs(vo, h->path, e) < 0)
			return -1;
	}
	return 0;
}

int
reg_flush(struct reg *r, struct err *e)
{
	return put_hives(r, e) < 0 ? -1 : wn_close(&r->guest, e);
}

int
reg_commit(struct reg *r, const char *verb, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	bool dry = r->args->dry_run;

	if (r->disk != NULL) {
		if (reg_flush(r, e) < 0)
			return -1;
		if (!dry && dk_commit(r->disk, verb, e) < 0)
			return -1;
		if (src_made(r->disk) != NULL)
			(void)printf("%s\n", src_made(r->disk));
		return 0;
	}
	if (r->hives == 0 || !needs_writing(&r->hive[0]))
		return 0;
	return dry ? hv_serialize(r->hive[0].hive, &b, e) :
		hv_save(r->hive[0].hive, r->operand, e);
}

int
reg_read_text(const char *path, struct buf *ret, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (strcmp(path, "-") != 0) {
		if (io_slurp(path, TEXT_MAX, &b.at, &b.len, e) < 0)
			return -1;
		b.cap = b.len;
		*ret = TAKE(b);
		return 0;
	}
	while (!feof(stdin)) {
		char part[4096];
		size_t n = fread(part, 1, sizeof(part), stdin);

		if (ferror(stdin))
			return err_sys(e, "standard input");
		if (b.len + n > TEXT_MAX)
			return err_set(e, ERR_USAGE, "standard input is too long");
		buf_bytes(&b, part, n);
	}
	if (buf_ok(&b, e) < 0)
		return -1;
	*ret = TAKE(b);
	return 0;
}
