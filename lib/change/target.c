/* target.c - see apply.h: an image, its volumes and its hives
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "change/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf.h"
#include "disk/disk.h"

enum { PIECE = 1 << 20 };		/* bytes read from the image at a time */

static void
drop_hives(struct cs_target *t)
{
	for (size_t i = 0; i < t->loaded; i++) {
		hv_free(&t->at[i].hive);
		free(t->at[i].path);
	}
	t->loaded = 0;
}

void
cs_target_free(struct cs_target *const *tp)
{
	struct cs_target *t = *tp;

	if (t == NULL)
		return;
	drop_hives(t);
	free(t->at);
	wn_free(&t->guest);
	vo_appliance_free(&t->appliance);
	free(t);
}

struct cs_target *
cs_target_new(struct dk *disk, bool write, struct err *e)
{
	CS_TARGET_SCOPED struct cs_target *t = mem_array(1, sizeof(*t), e);

	if (t == NULL)
		return NULL;
	t->disk = disk;
	t->write = write;
	t->guest = wn_open(disk, write ? VO_WRITE : 0, e);
	return t->guest == NULL ? NULL : TAKE(t);
}

void
cs_target_fetch(struct cs_target *t, cs_fetch_fn fetch, void *arg)
{
	t->fetch = fetch;
	t->fetch_arg = arg;
}

struct wn_guest *
cs_target_guest(struct cs_target *t)
{
	return t->guest;
}

int
cs_target_close(struct cs_target *t, struct err *e)
{
	drop_hives(t);
	if (t->guest == NULL)
		return 0;
	/* one launch per command: the next open needs it again */
	t->appliance = TAKE(t->guest->appliance);
	return wn_close(&t->guest, e);
}

int
cs_target_reopen(struct cs_target *t, struct err *e)
{
	t->write = false;
	t->guest = t->appliance == NULL ? wn_open(t->disk, 0, e)
		 : wn_open_with(t->disk, 0, t->appliance, e);
	return t->guest == NULL ? -1 : 0;
}

struct wn_volume *
cs_find_volume(struct cs_target *t, uint64_t serial, struct err *e)
{
	struct wn_volume *found = NULL;

	for (size_t i = 0; i < t->guest->volumes; i++) {
		struct wn_volume *v = &t->guest->volume[i];

		if (v->vo == NULL || vo_facts(v->vo)->serial != serial)
			continue;
		if (found != NULL) {
			(void)err_set(e, ERR_UNSAFE, "%s: two volumes have the "
				      "serial number %016" PRIx64,
				      t->disk->name, serial);
			return NULL;
		}
		found = v;
	}
	if (found == NULL)
		(void)err_set(e, ERR_UNSAFE, "%s: has no volume %016" PRIx64
			      ", so the plan was made for another image",
			      t->disk->name, serial);
	return found;
}

struct vo *
cs_target_volume(struct cs_target *t, uint64_t serial, struct err *e)
{
	struct wn_volume *v = cs_find_volume(t, serial, e);

	return v == NULL ? NULL : v->vo;
}

struct hv_hive *
cs_target_hive(struct cs_target *t, uint64_t serial, const char *path,
	       struct err *e)
{
	struct cs_loaded *l;
	struct vo *vo;

	for (size_t i = 0; i < t->loaded; i++)
		if (t->at[i].serial == serial && utf_same8(t->at[i].path, path))
			return t->at[i].hive;
	vo = cs_target_volume(t, serial, e);
	if (vo == NULL ||
	    mem_grow(&t->at, &t->cap, t->loaded + 1, sizeof(*t->at), e) < 0)
		return NULL;
	l = &t->at[t->loaded];
	*l = (struct cs_loaded){ .serial = serial };
	l->path = mem_str(path, e);
	if (l->path == NULL)
		return NULL;
	l->hive = wn_load_hive(vo, path, HV_LOGS_REPLAY, e);
	if (l->hive == NULL) {
		free(l->path);
		return NULL;
	}
	t->loaded++;
	return l->hive;
}

/* ---- content ---- */

/* What passes through on its way to a sink. */
struct meter {
	struct hash hash;
	uint64_t size;
	cs_sink_fn sink;	/* or NULL */
	void *arg;
};

static int
count(void *arg, const void *buf, size_t len, struct err *e)
{
	struct meter *m = arg;

	hash_add(&m->hash, buf, len);
	m->size += len;
	return m->sink == NULL ? 0 : m->sink(m->arg, buf, len, e);
}

static int
from_image(struct vo *vo, const char *path, struct meter *m, struct err *e)
{
	SCOPED_FREE uint8_t *piece = mem_array(PIECE, 1, e);
	struct vo_stat st;
	uint64_t at = 0;
	size_t n;
	int r = piece == NULL ? -1 : vo_stat(vo, path, &st, e);

	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_UNSAFE, "%s: is not there", path);
	do {
		if (vo_read(vo, path, at, piece, PIECE, &n, e) < 0 ||
		    count(m, piece, n, e) < 0)
			return -1;
		at += n;
	} while (n == PIECE);
	return 0;
}

static int
run(struct cs_target *t, uint64_t serial, const struct cs_side *from,
    struct meter *m, struct err *e)
{
	struct vo *vo;

	hash_begin(&m->hash);
	if (from->origin == CS_IMAGE) {
		vo = cs_target_volume(t, serial, e);
		return vo == NULL ? -1 : from_image(vo, from->path, m, e);
	}
	if (from->origin == CS_BUNDLE && t->contents != NULL)
		return cs_journal_content(t->contents, from->path, count, m, e);
	if (t->fetch == NULL)
		return err_set(e, ERR_USAGE,
			       "%s: the plan takes this from elsewhere; apply "
			       "it with the command that made it", from->path);
	return t->fetch(t->fetch_arg, t, from, count, m, e);
}

static bool
known(const struct cs_side *from)
{
	static const uint8_t zeros[CS_HASH_BYTES];

	return memcmp(from->hash, zeros, CS_HASH_BYTES) != 0;
}

int
cs_content(struct cs_target *t, uint64_t serial, const struct cs_side *from,
	   cs_sink_fn sink, void *arg, struct err *e)
{
	struct meter m = { .sink = sink, .arg = arg };
	uint8_t hash[CS_HASH_BYTES];
	char quoted[256];

	if (run(t, serial, from, &m, e) < 0)
		return -1;
	hash_end(&m.hash, hash);
	if (!known(from) ||
	    (m.size == from->size && memcmp(hash, from->hash, sizeof(hash)) == 0))
		return 0;
	return err_set(e, ERR_UNSAFE, "%s: is no longer what it was when the "
		       "plan was made; make a new plan",
		       err_quote(quoted, sizeof(quoted), from->path,
				 strlen(from->path)));
}

int
cs_measure(struct cs_target *t, uint64_t serial, struct cs_side *from,
	   struct err *e)
{
	struct meter m = { .sink = NULL };

	if (from->have != CS_FROM || known(from))
		return 0;
	if (run(t, serial, from, &m, e) < 0)
		return -1;
	hash_end(&m.hash, from->hash);
	from->size = m.size;
	return 0;
}
