/* do.c - one entry of a plan, done
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "change/target.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "change/change-private.h"

/* ---- files ---- */

struct writer {
	struct vo *vo;
	const char *path;
	uint64_t at;
};

static int
write_piece(void *arg, const void *buf, size_t len, struct err *e)
{
	struct writer *w = arg;

	if (vo_write(w->vo, w->path, w->at, buf, len, e) < 0)
		return -1;
	w->at += len;
	return 0;
}

/* Make the content of a file or "file:stream" what the entry wants. */
static int
fill(struct cs_target *t, uint64_t serial, struct vo *vo, const char *path,
     const struct cs_side *want, struct err *e)
{
	struct writer w = { .vo = vo, .path = path };

	if (want->have == CS_INLINE)
		return vo_put(vo, path, want->data, want->len, e);
	if (vo_put(vo, path, "", 0, e) < 0)
		return -1;
	return cs_content(t, serial, want, write_piece, &w, e);
}

static int
do_file(struct cs_target *t, uint64_t serial, struct vo *vo,
	const struct cs_entry *en, struct err *e)
{
	SCOPED_FREE char *stream = NULL;
	const char *path = en->path;

	if (en->kind == CS_STREAM) {
		stream = mem_fmt(e, "%s:%s", en->path, en->name);
		if (stream == NULL)
			return -1;
		path = stream;
	}
	if (en->want.have == CS_ABSENT)
		return vo_remove(vo, path, e);
	return fill(t, serial, vo, path, &en->want, e);
}

static int
do_link(struct vo *vo, const struct cs_entry *en, struct err *e)
{
	struct vo_stat st;
	int r = vo_stat(vo, en->path, &st, e);

	if (r < 0 || (r == 1 && vo_remove(vo, en->path, e) < 0))
		return -1;
	return vo_link(vo, (const char *)en->want.data, en->path, e);
}

static int
do_meta(struct vo *vo, const struct cs_entry *en, struct err *e)
{
	SCOPED_FREE char *short_name = NULL;
	struct vo_times times;
	struct cs_meta m;

	if (cs_meta_parse((const char *)en->want.data, &m, &short_name, e) < 0)
		return -1;
	if (m.short_name != NULL &&
	    vo_set_short_name(vo, en->path, m.short_name, e) < 0)
		return -1;
	if (m.has_attributes &&
	    vo_set_attributes(vo, en->path, m.attributes, e) < 0)
		return -1;
	times = (struct vo_times){ m.times[0], m.times[1], m.times[2],
				   m.times[3] };
	return m.has_times ? vo_set_times(vo, en->path, &times, e) : 0;
}

static int
do_security(struct vo *vo, const struct cs_entry *en, struct err *e)
{
	BUF_SCOPED struct buf sd = BUF_EMPTY;

	if (cs_from_sddl((const char *)en->want.data, &sd, e) < 0)
		return -1;
	return vo_set_security(vo, en->path, sd.at, sd.len, e);
}

/* When something is taken back, a folder that others use by now stays. */
static int
remove_folder(struct cs_target *t, struct vo *vo, const char *path,
	      struct err *e)
{
	VO_LIST_SCOPED struct vo_list list = VO_LIST_EMPTY;

	if (t->lenient && vo_list(vo, path, &list, e) < 0)
		return -1;
	return list.count > 0 ? 0 : vo_remove(vo, path, e);
}

int
cs_do_file(struct cs_target *t, const struct cs_plan *p,
	   const struct cs_entry *en, struct err *e)
{
	uint64_t serial = p->volume[en->volume].serial;
	struct vo *vo = cs_target_volume(t, serial, e);

	if (vo == NULL)
		return -1;
	switch ((int)en->kind) {
	case CS_DIRECTORY:
		if (en->want.have == CS_ABSENT)
			return remove_folder(t, vo, en->path, e);
		return vo_mkdir(vo, en->path, e);
	case CS_FILE:
	case CS_STREAM:
		return do_file(t, serial, vo, en, e);
	case CS_LINK:
		return do_link(vo, en, e);
	case CS_REPARSE:
		return vo_set_reparse(vo, en->path,
				      en->want.have == CS_ABSENT ? NULL :
				      en->want.data, en->want.len, e);
	case CS_SECURITY:
		return do_security(vo, en, e);
	default:
		return do_meta(vo, en, e);
	}
}

/* ---- registry ---- */

static int
append(void *arg, const void *buf, size_t len, struct err *e)
{
	struct buf *b = arg;

	buf_bytes(b, buf, len);
	return buf_ok(b, e);
}

static int
do_value(struct cs_target *t, uint64_t serial, struct hv_key *k,
	 const struct cs_entry *en, struct err *e)
{
	BUF_SCOPED struct buf content = BUF_EMPTY;
	struct hv_value *v = hv_value(k, en->name);

	if (en->want.have == CS_ABSENT) {
		if (v != NULL)
			hv_unset(k, v);
		return 0;
	}
	if (en->want.have == CS_INLINE)
		return hv_set(k, en->name, en->want.type, en->want.data,
			      en->want.len, e);
	if (cs_content(t, serial, &en->want, append, &content, e) < 0)
		return -1;
	return hv_set(k, en->name, en->want.type, content.at, content.len, e);
}

static int
do_class(struct hv_key *k, const struct cs_entry *en, struct err *e)
{
	SCOPED_FREE uint8_t *units = NULL;
	size_t len;

	if (en->want.have == CS_ABSENT)
		return hv_set_class(k, NULL, 0, e);
	if (utf_to16((const char *)en->want.data, &units, &len, e) < 0)
		return -1;
	return hv_set_class(k, units, len, e);
}

static int
do_key_security(struct hv_key *k, const struct cs_entry *en, struct err *e)
{
	BUF_SCOPED struct buf sd = BUF_EMPTY;

	if (cs_from_sddl((const char *)en->want.data, &sd, e) < 0)
		return -1;
	return hv_set_sd(k, sd.at, sd.len, e);
}

int
cs_do_hive(struct cs_target *t, const struct cs_plan *p,
	   const struct cs_entry *en, struct err *e)
{
	uint64_t serial = p->volume[en->volume].serial;
	struct hv_hive *hive = cs_target_hive(t, serial, en->path, e);
	struct hv_key *k = hive != NULL ? hv_find(hv_root(hive), en->key) : NULL;

	if (hive == NULL)
		return -1;
	if (en->want.have == CS_ABSENT && k == NULL)
		return 0;	/* it went with a key above it */
	if (en->kind == CS_KEY && en->want.have == CS_ABSENT)
		return hv_delete(k, e);
	if (k == NULL)
		k = hv_create(hv_root(hive), en->key, e);
	if (k == NULL)
		return -1;
	switch ((int)en->kind) {
	case CS_KEY:
		return 0;
	case CS_KEY_CLASS:
		return do_class(k, en, e);
	case CS_KEY_SECURITY:
		return do_key_security(k, en, e);
	default:
		return do_value(t, serial, k, en, e);
	}
}
