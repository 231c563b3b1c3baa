/* observe.c - what the things that a plan names are now
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "change/target.h"

#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "change/change-private.h"
#include "disk/disk.h"
#include "windows/sd.h"

enum { PIECE = 1 << 20 };

/* ---- security ---- */

char *
cs_sddl(const void *sd, size_t len, struct err *e)
{
	WN_SD_SCOPED struct wn_sd parsed = WN_SD_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;

	if (wn_sd_parse(sd, len, &parsed, e) < 0 ||
	    wn_sd_to_sddl(&parsed, &out, e) < 0)
		return NULL;
	return buf_take_str(&out, e);
}

int
cs_from_sddl(const char *sddl, struct buf *ret, struct err *e)
{
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;

	if (wn_sd_from_sddl(sddl, &sd, e) < 0)
		return -1;
	wn_sd_build(&sd, ret);
	return buf_ok(ret, e);
}

/* A side for a descriptor: SDDL, or a hash where it has none. */
static int
security_side(const void *sd, size_t len, struct cs_side *ret, struct err *e)
{
	struct err none = ERR_INIT;
	SCOPED_FREE char *sddl = cs_sddl(sd, len, &none);

	if (sddl != NULL && strlen(sddl) <= CS_INLINE_MAX)
		return cs_side_set(ret, CS_INLINE, 0, sddl, strlen(sddl), e);
	if (none.kind == ERR_NOMEM)
		return err_set(e, none.kind, "%s", none.msg);
	ret->have = CS_HASHED;
	ret->size = len;
	hash_of(sd, len, ret->hash);
	return 0;
}

/* ---- files ---- */

static int
bytes_side(uint32_t type, const void *at, size_t len, struct cs_side *ret,
	   struct err *e)
{
	if (len <= CS_INLINE_MAX)
		return cs_side_set(ret, CS_INLINE, type, at, len, e);
	ret->have = CS_HASHED;
	ret->type = type;
	ret->size = len;
	hash_of(at, len, ret->hash);
	return 0;
}

/* The content of a file or "file:stream" that is there. */
static int
content_side(struct vo *vo, const char *path, struct cs_side *ret,
	     struct err *e)
{
	SCOPED_FREE uint8_t *piece = mem_array(PIECE, 1, e);
	struct hash h;
	uint64_t at = 0;
	size_t n;

	if (piece == NULL)
		return -1;
	hash_begin(&h);
	for (;;) {
		if (vo_read(vo, path, at, piece, PIECE, &n, e) < 0)
			return -1;
		if (at == 0 && n <= CS_INLINE_MAX)
			return cs_side_set(ret, CS_INLINE, 0, piece, n, e);
		hash_add(&h, piece, n);
		at += n;
		if (n < PIECE)
			break;
	}
	ret->have = CS_HASHED;
	ret->size = at;
	hash_end(&h, ret->hash);
	return 0;
}

static int
stream_side(struct vo *vo, const struct cs_entry *en, struct cs_side *ret,
	    struct err *e)
{
	VO_STREAMS_SCOPED struct vo_streams s = VO_STREAMS_EMPTY;
	SCOPED_FREE char *path = NULL;

	if (vo_streams(vo, en->path, &s, e) < 0)
		return -1;
	for (size_t i = 0; i < s.count; i++) {
		if (!utf_same8(s.at[i].name, en->name))
			continue;
		path = mem_fmt(e, "%s:%s", en->path, s.at[i].name);
		return path == NULL ? -1 : content_side(vo, path, ret, e);
	}
	return 0;
}

/* A link is there when both names lead to one file. */
static int
link_side(struct vo *vo, const struct cs_entry *en, const struct vo_stat *st,
	  struct cs_side *ret, struct err *e)
{
	const char *with = (const char *)en->want.data;
	struct vo_stat other;
	int r;

	r = vo_stat(vo, with, &other, e);
	if (r < 0)
		return -1;
	if (r == 1 && other.id == st->id)
		return cs_side_set(ret, CS_INLINE, 0, with, strlen(with), e);
	return content_side(vo, en->path, ret, e);
}

static int
reparse_side(struct vo *vo, const char *path, struct cs_side *ret,
	     struct err *e)
{
	SCOPED_FREE uint8_t *data = NULL;
	size_t len;
	int r = vo_reparse(vo, path, &data, &len, e);

	return r <= 0 ? r : bytes_side(0, data, len, ret, e);
}

static int
file_security(struct vo *vo, const char *path, struct cs_side *ret,
	      struct err *e)
{
	SCOPED_FREE uint8_t *sd = NULL;
	size_t len;

	if (vo_security(vo, path, &sd, &len, e) < 0)
		return -1;
	return security_side(sd, len, ret, e);
}

/* The short name of a path's last part; *ret stays NULL when it has none. */
static int
short_name(struct vo *vo, const char *path, char **ret, struct err *e)
{
	SCOPED_FREE char *spelled = NULL, *parent = NULL;
	VO_LIST_SCOPED struct vo_list list = VO_LIST_EMPTY;
	const char *slash;
	int r = vo_spelling(vo, path, &spelled, e);

	if (r <= 0)
		return r;
	slash = strrchr(spelled, '/');
	parent = mem_strn(spelled, slash != NULL ?
			  (size_t)(slash - spelled) : 0, e);
	if (parent == NULL || vo_list(vo, parent, &list, e) < 0)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		const struct vo_entry *at = &list.at[i];

		if (strcmp(at->name, slash != NULL ? slash + 1 : spelled) != 0 ||
		    at->short_name == NULL)
			continue;
		*ret = mem_str(at->short_name, e);
		return *ret == NULL ? -1 : 1;
	}
	return 0;
}

char *
cs_meta_now(struct vo *vo, const char *path, const char *like, struct err *e)
{
	SCOPED_FREE char *wanted_short = NULL, *now_short = NULL;
	struct cs_meta want, now = { .short_name = NULL };
	struct vo_stat st;
	int r;

	if (cs_meta_parse(like, &want, &wanted_short, e) < 0)
		return NULL;
	r = vo_stat(vo, path, &st, e);
	if (r <= 0)
		return NULL;
	now.has_attributes = want.has_attributes;
	now.attributes = st.attributes & VO_SETTABLE;
	now.has_times = want.has_times;
	now.times[0] = st.times.created;
	now.times[1] = st.times.modified;
	now.times[2] = st.times.changed;
	now.times[3] = st.times.accessed;
	if (want.short_name != NULL && short_name(vo, path, &now_short, e) < 0)
		return NULL;
	now.short_name = now_short;
	return cs_meta_text(&now, e);
}

static int
meta_side(struct vo *vo, const struct cs_entry *en, struct cs_side *ret,
	  struct err *e)
{
	SCOPED_FREE char *text = cs_meta_now(vo, en->path,
					     (const char *)en->want.data, e);

	if (text == NULL)
		return -1;
	return cs_side_set(ret, CS_INLINE, 0, text, strlen(text), e);
}

static int
file_side(struct vo *vo, const struct cs_entry *en, struct cs_side *ret,
	  struct err *e)
{
	struct vo_stat st;
	int r = vo_stat(vo, en->path, &st, e);
	bool folder;

	if (r <= 0)
		return r;
	folder = (st.attributes & VO_DIRECTORY) != 0;
	if (folder != (en->kind == CS_DIRECTORY) &&
	    (en->kind == CS_DIRECTORY || en->kind == CS_FILE ||
	     en->kind == CS_LINK))
		return err_set(e, ERR_UNSAFE, "%s: is a %s, not a %s", en->path,
			       folder ? "folder" : "file",
			       cs_kind_word(en->kind));
	switch ((int)en->kind) {
	case CS_DIRECTORY:
		return cs_side_set(ret, CS_INLINE, 0, NULL, 0, e);
	case CS_FILE:
		return content_side(vo, en->path, ret, e);
	case CS_STREAM:
		return stream_side(vo, en, ret, e);
	case CS_LINK:
		return link_side(vo, en, &st, ret, e);
	case CS_REPARSE:
		return reparse_side(vo, en->path, ret, e);
	case CS_SECURITY:
		return file_security(vo, en->path, ret, e);
	default:
		return meta_side(vo, en, ret, e);
	}
}

/* ---- registry ---- */

static void
hash_item(struct hash *h, const void *at, size_t len)
{
	uint8_t size[4];

	num_put_u32le(size, (uint32_t)len);
	hash_add(h, size, sizeof(size));
	hash_add(h, at, len);
}

static int
hash_values(struct hash *h, const struct hv_key *k, struct err *e)
{
	for (const struct hv_value *v = hv_value_first(k); v != NULL;
	     v = hv_value_next(v)) {
		SCOPED_FREE char *name = hv_value_name(v, e);
		struct hv_data d = hv_data(v);
		uint8_t type[4];

		if (name == NULL)
			return -1;
		num_put_u32le(type, d.type);
		hash_item(h, name, strlen(name));
		hash_item(h, type, sizeof(type));
		hash_item(h, d.at, d.len);
	}
	return 0;
}

/* The key `top` with all below it; *ret_keys counts them. */
static int
hash_tree(struct hash *h, struct hv_key *top, uint64_t *ret_keys,
	  struct err *e)
{
	struct hv_key *k = top;

	for (;;) {
		SCOPED_FREE char *path = hv_path(k, e);

		if (path == NULL)
			return -1;
		hash_item(h, path, strlen(path));
		if (hash_values(h, k, e) < 0)
			return -1;
		++*ret_keys;
		if (hv_first(k) != NULL) {
			k = hv_first(k);
			continue;
		}
		while (k != top && hv_next(k) == NULL)
			k = hv_parent(k);
		if (k == top)
			return 0;
		k = hv_next(k);
	}
}

static int
tree_side(struct hv_key *k, struct cs_side *ret, struct err *e)
{
	struct hash h;
	uint64_t keys = 0;

	hash_begin(&h);
	if (hash_tree(&h, k, &keys, e) < 0)
		return -1;
	ret->have = CS_HASHED;
	ret->size = keys;
	hash_end(&h, ret->hash);
	return 0;
}

static int
class_side(const struct hv_key *k, struct cs_side *ret, struct err *e)
{
	size_t len;
	const uint8_t *at = hv_class(k, &len);
	SCOPED_FREE char *text = NULL;

	if (len == 0)
		return 0;
	text = utf_from16(at, len, e);
	return text == NULL ? -1 :
	       cs_side_set(ret, CS_INLINE, 0, text, strlen(text), e);
}

static int
hive_side(struct cs_target *t, const struct cs_plan *p,
	  const struct cs_entry *en, struct cs_side *ret, struct err *e)
{
	struct hv_hive *hive = cs_target_hive(t, p->volume[en->volume].serial,
					      en->path, e);
	struct hv_key *k = hive != NULL ? hv_find(hv_root(hive), en->key) : NULL;
	const struct hv_value *v;
	struct hv_data d;
	size_t len;

	if (hive == NULL)
		return -1;
	if (k == NULL)
		return 0;
	switch ((int)en->kind) {
	case CS_KEY:
		if (en->want.have == CS_ABSENT)
			return tree_side(k, ret, e);
		return cs_side_set(ret, CS_INLINE, 0, NULL, 0, e);
	case CS_KEY_CLASS:
		return class_side(k, ret, e);
	case CS_KEY_SECURITY:
		return security_side(hv_sd(k, &len), len, ret, e);
	default:
		v = hv_value(k, en->name);
		if (v == NULL)
			return 0;
		d = hv_data(v);
		return bytes_side(d.type, d.at, d.len, ret, e);
	}
}

/* ---- bytes ---- */

static int
volume_bytes(struct cs_target *t, const struct cs_plan *p,
	     const struct cs_entry *en, struct cs_side *ret, struct err *e)
{
	const struct wn_volume *v =
		cs_find_volume(t, p->volume[en->volume].serial, e);
	uint8_t now[CS_INLINE_MAX];

	if (v == NULL)
		return -1;
	if (!num_in_range(en->at, en->want.len, v->size))
		return err_set(e, ERR_USAGE, "bytes beyond the volume's end");
	if (dk_read(t->disk, now, en->want.len, v->start + en->at, e) < 0)
		return -1;
	return cs_side_set(ret, CS_INLINE, 0, now, en->want.len, e);
}

int
cs_observe(struct cs_target *t, const struct cs_plan *p,
	   const struct cs_entry *en, struct cs_side *ret, struct err *e)
{
	SCOPED(cs_side_done) struct cs_side now = { .have = CS_ABSENT };
	struct vo *vo;
	int r;

	if (cs_in_hive(en->kind)) {
		r = hive_side(t, p, en, &now, e);
	} else if (en->kind == CS_BYTES) {
		r = volume_bytes(t, p, en, &now, e);
	} else {
		vo = cs_target_volume(t, p->volume[en->volume].serial, e);
		r = vo == NULL ? -1 : file_side(vo, en, &now, e);
	}
	if (r < 0)
		return -1;
	*ret = TAKE(now);
	return 0;
}

/* The same descriptor, however it is spelled? */
static int
same_sddl(const struct cs_entry *en, const struct cs_side *now, struct err *e)
{
	BUF_SCOPED struct buf sd = BUF_EMPTY;
	SCOPED_FREE char *want = NULL;

	if (now->have != CS_INLINE)
		return 0;
	if (cs_from_sddl((const char *)en->want.data, &sd, e) < 0)
		return -1;
	want = cs_sddl(sd.at, sd.len, e);
	return want == NULL ? -1 : strcmp(want, (const char *)now->data) == 0;
}

int
cs_fulfilled(const struct cs_entry *en, const struct cs_side *now,
	     struct err *e)
{
	uint8_t hash[CS_HASH_BYTES];

	if (en->want.have == CS_ABSENT || now->have == CS_ABSENT)
		return en->want.have == now->have;
	if (en->kind == CS_SECURITY || en->kind == CS_KEY_SECURITY)
		return same_sddl(en, now, e);
	if (en->want.have == CS_INLINE)
		return cs_side_same(&en->want, now);
	if (now->type != en->want.type)
		return 0;
	if (now->have == CS_HASHED)
		return now->size == en->want.size &&
		       memcmp(now->hash, en->want.hash, CS_HASH_BYTES) == 0;
	hash_of(now->data, now->len, hash);
	return now->len == en->want.size &&
	       memcmp(hash, en->want.hash, CS_HASH_BYTES) == 0;
}
