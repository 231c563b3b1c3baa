/* inverse.c - the plan that takes a plan back
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Made while the image still is as it was: what each entry is about to replace
 * becomes what the inverse wants.  Things that a plan makes inside something
 * that it makes itself need no inverse: they go with it.
 */
#include "change/target.h"

#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/mem.h"
#include "change/change-private.h"

/* The reason is the rule's own. */
static struct cs_reason
reason(const struct cs_entry *en)
{
	return (struct cs_reason){ en->rule, en->why };
}

static struct cs_hive
hive_of(const struct cs_entry *en)
{
	return (struct cs_hive){ en->volume, en->path };
}

static int
gather(void *arg, const void *buf, size_t len, struct err *e)
{
	return io_new_write(arg, buf, len, e);
}

/* Keep the present content of a file or stream as a file of the journal. */
static int
keep_file(struct cs_target *t, uint64_t serial, const struct cs_entry *en,
	  const struct cs_side *now, const char *name, struct err *e)
{
	SCOPED_FREE char *to = io_join(t->journal, name, e);
	SCOPED_FREE char *from = en->name != NULL ?
		mem_fmt(e, "%s:%s", en->path, en->name) :
		mem_str(en->path, e);
	struct cs_side source = { .have = CS_FROM, .origin = CS_IMAGE,
				  .path = from, .size = now->size };
	IO_NEW_SCOPED struct io_new f = IO_NEW_EMPTY;

	memcpy(source.hash, now->hash, CS_HASH_BYTES);
	if (to == NULL || from == NULL || io_new_open(&f, to, 0600, e) < 0 ||
	    cs_content(t, serial, &source, gather, &f, e) < 0)
		return -1;
	return io_new_commit(&f, e);
}

static int
keep_bytes(struct cs_target *t, const void *at, size_t len, const char *name,
	   struct err *e)
{
	SCOPED_FREE char *to = io_join(t->journal, name, e);

	return to == NULL ? -1 : io_put(to, at, len, 0600, e);
}

/* Content that was hashed: where the journal keeps it. */
static struct cs_source
kept(const struct cs_side *now, char name[2 * HASH_BYTES + 1])
{
	struct cs_source s = { .origin = CS_BUNDLE, .path = name,
			       .size = now->size };

	hash_text(now->hash, name);
	memcpy(s.hash, now->hash, CS_HASH_BYTES);
	return s;
}

static int
undo_value(struct cs_target *t, struct cs_plan *inv, const struct cs_entry *en,
	   const char *key, const struct hv_value *v, struct err *e)
{
	SCOPED_FREE char *value = hv_value_name(v, e);
	char name[2 * HASH_BYTES + 1];
	struct hv_data d = hv_data(v);
	struct cs_side now = { .size = d.len };

	if (value == NULL)
		return -1;
	if (d.len <= CS_INLINE_MAX) {
		cs_want_value(inv, hive_of(en), key, value, d.type, d.at, d.len,
			      reason(en));
		return 0;
	}
	hash_of(d.at, d.len, now.hash);
	cs_want_value_from(inv, hive_of(en), key, value, d.type,
			   kept(&now, name), reason(en));
	return keep_bytes(t, d.at, d.len, name, e);
}

/* A key with its class, security and values. */
static int
undo_key(struct cs_target *t, struct cs_plan *inv, const struct cs_entry *en,
	 struct hv_key *k, struct err *e)
{
	SCOPED_FREE char *key = hv_path(k, e), *sddl = NULL;
	struct cs_entry class_of = { .kind = CS_KEY_CLASS, .path = en->path };
	size_t len, class_len;
	const uint8_t *sd = hv_sd(k, &len);
	const struct hv_value *v;
	SCOPED(cs_side_done) struct cs_side now = { .have = CS_ABSENT };

	if (key == NULL)
		return -1;
	cs_want_key(inv, hive_of(en), key, reason(en));
	sddl = cs_sddl(sd, len, e);
	if (sddl == NULL)
		return err_ctx(e, "%s: its security cannot be kept", key);
	cs_want_key_security(inv, hive_of(en), key, sddl, reason(en));
	if (hv_class(k, &class_len) != NULL && class_len > 0) {
		class_of.key = key;
		class_of.volume = en->volume;
		if (cs_observe(t, inv, &class_of, &now, e) < 0)
			return -1;
		cs_want_key_class(inv, hive_of(en), key,
				  (const char *)now.data, reason(en));
	}
	for (v = hv_value_first(k); v != NULL; v = hv_value_next(v))
		if (undo_value(t, inv, en, key, v, e) < 0)
			return -1;
	return 0;
}

static int
undo_tree(struct cs_target *t, struct cs_plan *inv, const struct cs_entry *en,
	  struct hv_key *top, struct err *e)
{
	struct hv_key *k = top;

	for (;;) {
		if (undo_key(t, inv, en, k, e) < 0)
			return -1;
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
undo_hive(struct cs_target *t, const struct cs_plan *p, struct cs_plan *inv,
	  const struct cs_entry *en, const struct cs_side *now, struct err *e)
{
	struct hv_hive *h = cs_target_hive(t, p->volume[en->volume].serial,
					   en->path, e);
	struct hv_key *k = h != NULL ? hv_find(hv_root(h), en->key) : NULL;

	if (h == NULL)
		return -1;
	if (en->kind == CS_KEY && now->have == CS_ABSENT)
		cs_want_no_key(inv, hive_of(en), en->key, reason(en));
	else if (en->kind == CS_KEY)
		return undo_tree(t, inv, en, k, e);
	else if (en->kind == CS_VALUE && now->have == CS_ABSENT)
		cs_want_no_value(inv, hive_of(en), en->key, en->name,
				 reason(en));
	else if (en->kind == CS_VALUE)
		return undo_value(t, inv, en, en->key, hv_value(k, en->name), e);
	else if (en->kind == CS_KEY_SECURITY && now->have == CS_INLINE)
		cs_want_key_security(inv, hive_of(en), en->key,
				     (const char *)now->data, reason(en));
	else if (en->kind == CS_KEY_CLASS && now->have == CS_INLINE)
		cs_want_key_class(inv, hive_of(en), en->key,
				  (const char *)now->data, reason(en));
	return 0;
}

/* Content of a file or stream as it is now. */
static int
undo_content(struct cs_target *t, const struct cs_plan *p,
	     struct cs_plan *inv, const struct cs_entry *en,
	     const struct cs_side *now, struct err *e)
{
	char name[2 * HASH_BYTES + 1];
	struct cs_source from;
	struct cs_reason r = reason(en);

	if (now->have == CS_ABSENT && en->name != NULL)
		cs_want_no_stream(inv, en->volume, en->path, en->name, r);
	else if (now->have == CS_ABSENT)
		cs_want_no_file(inv, en->volume, en->path, r);
	else if (now->have == CS_INLINE && en->name == NULL)
		cs_want_file_inline(inv, en->volume, en->path, now->data,
				    now->len, r);
	if (now->have != CS_HASHED && (now->have == CS_ABSENT ||
				       en->name == NULL))
		return 0;
	struct cs_side full = { .size = now->have == CS_HASHED ? now->size :
						now->len };

	if (now->have == CS_HASHED)
		memcpy(full.hash, now->hash, CS_HASH_BYTES);
	else
		hash_of(now->data, now->len, full.hash);
	from = kept(&full, name);
	if (en->name != NULL)
		cs_want_stream(inv, en->volume, en->path, en->name, from, r);
	else
		cs_want_file(inv, en->volume, en->path, from, r);
	return keep_file(t, p->volume[en->volume].serial, en, &full, name, e);
}

static int
undo_file(struct cs_target *t, const struct cs_plan *p, struct cs_plan *inv,
	  const struct cs_entry *en, const struct cs_side *now, struct err *e)
{
	struct cs_reason r = reason(en);
	struct cs_meta m;
	SCOPED_FREE char *short_name = NULL;

	switch ((int)en->kind) {
	case CS_DIRECTORY:
		if (now->have == CS_ABSENT)
			cs_want_no_directory(inv, en->volume, en->path, r);
		else
			cs_want_directory(inv, en->volume, en->path, r);
		return 0;
	case CS_FILE:
	case CS_STREAM:
	case CS_LINK:
		return undo_content(t, p, inv, en, now, e);
	default:
		break;
	}
	if (now->have != CS_INLINE)
		return 0;
	if (en->kind == CS_REPARSE)
		cs_want_reparse(inv, en->volume, en->path, now->data, now->len,
				r);
	if (en->kind == CS_SECURITY)
		cs_want_security(inv, en->volume, en->path,
				 (const char *)now->data, r);
	if (en->kind == CS_META) {
		if (cs_meta_parse((const char *)now->data, &m, &short_name,
				  e) < 0)
			return -1;
		cs_want_meta(inv, en->volume, en->path, &m, r);
	}
	return 0;
}

static int
undo_one(struct cs_target *t, const struct cs_plan *p, struct cs_plan *inv,
	 const struct cs_entry *en, struct err *e)
{
	SCOPED(cs_side_done) struct cs_side now = { .have = CS_ABSENT };

	if (cs_observe(t, p, en, &now, e) < 0)
		return -1;
	if (en->kind == CS_BYTES) {
		cs_want_bytes(inv, en->volume, en->at, now.data, now.len,
			      reason(en));
		return 0;
	}
	if (cs_in_hive(en->kind))
		return undo_hive(t, p, inv, en, &now, e);
	return undo_file(t, p, inv, en, &now, e);
}

struct cs_plan *
cs_inverse(struct cs_target *t, const struct cs_plan *p, const bool *todo,
	   struct err *e)
{
	CS_PLAN_SCOPED struct cs_plan *inv = cs_plan_new(p->made_by, e);

	if (inv == NULL || io_mkdirs(t->journal, 0700, e) < 0)
		return NULL;
	for (size_t i = 0; i < p->volumes; i++)
		(void)cs_plan_volume(inv, p->volume[i].serial);
	for (size_t i = 0; i < p->count; i++)
		if (todo[i] && undo_one(t, p, inv, &p->at[i], e) < 0)
			return NULL;
	return cs_sort(inv, e) < 0 ? NULL : TAKE(inv);
}
