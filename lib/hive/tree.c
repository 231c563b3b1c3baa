/* tree.c - the keys and values of a hive in memory, and their edits
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/hive-private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"

struct hv_hive *
hv_hive_new(const char *name, struct err *e)
{
	struct hv_hive *h = mem_array(1, sizeof(*h), e);

	if (h == NULL)
		return NULL;
	h->name = mem_str(name, e);
	if (h->name == NULL) {
		free(h);
		return NULL;
	}
	/* Without it a hostile hive could shape the trees, no worse. */
	if (getrandom(&h->seed, sizeof(h->seed), GRND_NONBLOCK) < 0)
		h->seed = (uint64_t)time(NULL);
	h->seed |= 1;
	h->sds.seed = h->seed;
	return h;
}

void
hv_free(struct hv_hive *const *hp)
{
	struct hv_hive *h = *hp;

	if (h == NULL)
		return;
	hv_arena_done(&h->arena);
	free(h->sds.at);
	free(h->image);
	free(h->name);
	free(h);
}

/* xorshift64: the shape of the trees, nothing else, depends on it. */
WRAPS uint32_t
hv_prio(struct hv_hive *h)
{
	h->seed ^= h->seed << 13;
	h->seed ^= h->seed >> 7;
	h->seed ^= h->seed << 17;
	return (uint32_t)(h->seed >> 32);
}

const struct hv_facts *
hv_facts(const struct hv_hive *h)
{
	return &h->facts;
}

void
hv_set_clock(struct hv_hive *h, uint64_t filetime)
{
	h->clock = filetime;
}

bool
hv_changed(const struct hv_hive *h)
{
	return h->changed;
}

/* FILETIME: 100 ns since 1601. */
uint64_t
hv_now(const struct hv_hive *h)
{
	struct timespec t;

	if (h->clock != 0 || clock_gettime(CLOCK_REALTIME, &t) < 0)
		return h->clock;
	return ((uint64_t)t.tv_sec + 11644473600u) * 10000000u +
	       (uint64_t)t.tv_nsec / 100u;
}

static void
touch(struct hv_key *k)
{
	k->hive->changed = true;
	k->time = hv_now(k->hive);
}

/* ---- looking -------------------------------------------------------------- */

struct hv_key *
hv_root(const struct hv_hive *h)
{
	return h->root;
}

struct hv_key *
hv_find(struct hv_key *from, const char *path)
{
	while (from != NULL && *path != '\0') {
		size_t n = strcspn(path, "\\");
		struct hv_word w = hv_word8(path, n);

		from = hv_word_valid(w) ?
			hv_as_key(hv_names_find(&from->subs, w)) : NULL;
		path += n;
		if (*path == '\\' && *++path == '\0')
			return NULL;
	}
	return from;
}

struct hv_key *
hv_parent(const struct hv_key *k)
{
	return k->parent;
}

size_t
hv_count(const struct hv_key *k)
{
	return k->subs.count;
}

struct hv_key *
hv_first(const struct hv_key *k)
{
	return hv_as_key(k->subs.first);
}

struct hv_key *
hv_next(const struct hv_key *k)
{
	return hv_as_key(k->node.next);
}

char *
hv_name(const struct hv_key *k, struct err *e)
{
	return hv_word_text(hv_node_word(&k->node), e);
}

char *
hv_path(const struct hv_key *k, struct err *e)
{
	const struct hv_key *up[HV_DEPTH + 2];
	BUF_SCOPED struct buf b = BUF_EMPTY;
	size_t n = 0;

	for (; k->parent != NULL && n < HV_DEPTH + 2; k = k->parent)
		up[n++] = k;
	for (; n > 0; n--) {
		SCOPED_FREE char *name = hv_name(up[n - 1], e);

		if (name == NULL)
			return NULL;
		buf_str(&b, name);
		if (n > 1)
			buf_u8(&b, '\\');
	}
	return buf_take_str(&b, e);
}

bool
hv_named(const struct hv_key *k, const char *name)
{
	struct hv_word w = hv_word8(name, strlen(name));

	return hv_word_valid(w) && hv_word_cmp(hv_node_word(&k->node), w) == 0;
}

uint64_t
hv_time(const struct hv_key *k)
{
	return k->time;
}

void
hv_set_time(struct hv_key *k, uint64_t filetime)
{
	if (k->time != filetime)
		k->hive->changed = true;
	k->time = filetime;
}

bool
hv_is_link(const struct hv_key *k)
{
	return (k->flags & HV_KEY_LINK) != 0;
}

const uint8_t *
hv_class(const struct hv_key *k, size_t *ret_len)
{
	*ret_len = k->cls_len;
	return k->cls;
}

int
hv_set_class(struct hv_key *k, const void *at, size_t len, struct err *e)
{
	if (len > UINT16_MAX)
		return err_set(e, ERR_USAGE, "class of %zu bytes is too long",
			       len);
	if (len == k->cls_len && (len == 0 || memcmp(at, k->cls, len) == 0))
		return 0;
	const uint8_t *p = hv_arena_copy(&k->hive->arena, at, len, e);
	if (p == NULL)
		return -1;
	k->cls = p;
	k->cls_len = (uint16_t)len;
	touch(k);
	return 0;
}

const uint8_t *
hv_sd(const struct hv_key *k, size_t *ret_len)
{
	*ret_len = k->sd->len;
	return k->sd->at;
}

int
hv_set_sd(struct hv_key *k, const void *at, size_t len, struct err *e)
{
	const char *wrong = hv_sd_wrong(at, len);

	if (wrong != NULL)
		return err_set(e, ERR_USAGE, "security descriptor %s", wrong);
	struct hv_sd *sd = hv_sd_intern(k->hive, at, len, true, e);
	if (sd == NULL)
		return -1;
	if (sd != k->sd)
		touch(k);
	k->sd = sd;
	return 0;
}

/* ---- keys come and go ----------------------------------------------------- */

static int
refuse_name(struct hv_word w, struct err *e)
{
	size_t n = hv_word_units(w);

	if (w.form == HV_WTF8 && !hv_word_valid(w))
		return err_set(e, ERR_USAGE, "key name is not UTF-8");
	if (n == 0)
		return err_set(e, ERR_USAGE, "key name is empty");
	if (n > HV_NAME_UNITS)
		return err_set(e, ERR_USAGE,
			       "key name has %zu characters, at most %d fit",
			       n, HV_NAME_UNITS);
	if (hv_word_has(w, '\\'))
		return err_set(e, ERR_USAGE, "key name has a backslash");
	return 0;
}

static size_t
depth(const struct hv_key *k)
{
	size_t n = 0;

	for (; k->parent != NULL; k = k->parent)
		n++;
	return n;
}

/* A key below `parent` that is not there yet. */
static struct hv_key *
add_key(struct hv_key *parent, struct hv_word w, struct err *e)
{
	struct hv_hive *h = parent->hive;

	if (refuse_name(w, e) < 0)
		return NULL;
	if (depth(parent) >= HV_DEPTH) {
		(void)err_set(e, ERR_USAGE, "key lies deeper than %d", HV_DEPTH);
		return NULL;
	}
	struct hv_key *k = hv_arena_new(&h->arena, sizeof(*k), e);
	if (k == NULL || hv_word_store(&h->arena, w, &k->node, e) < 0)
		return NULL;
	k->node.prio = hv_prio(h);
	k->hive = h;
	k->parent = parent;
	k->sd = parent->sd;
	k->time = hv_now(h);
	(void)hv_names_add(&parent->subs, &k->node, true);
	touch(parent);
	return k;
}

struct hv_key *
hv_create(struct hv_key *from, const char *path, struct err *e)
{
	while (*path != '\0') {
		size_t n = strcspn(path, "\\");
		struct hv_word w = hv_word8(path, n);
		struct hv_node *sub = hv_word_valid(w) ?
			hv_names_find(&from->subs, w) : NULL;

		from = sub != NULL ? hv_as_key(sub) : add_key(from, w, e);
		if (from == NULL)
			return NULL;
		path += n;
		if (*path == '\\' && *++path == '\0') {
			(void)err_set(e, ERR_USAGE,
				      "path ends with a backslash");
			return NULL;
		}
	}
	return from;
}

int
hv_delete(struct hv_key *k, struct err *e)
{
	if (k->parent == NULL)
		return err_set(e, ERR_USAGE, "%s: the root key cannot be deleted",
			       k->hive->name);
	hv_names_drop(&k->parent->subs, &k->node);
	touch(k->parent);
	return 0;
}

int
hv_rename(struct hv_key *k, const char *name, struct err *e)
{
	struct hv_word w = hv_word8(name, strlen(name));
	struct hv_node named = { .name = NULL };

	if (refuse_name(w, e) < 0)
		return -1;
	if (hv_word_same(w, hv_node_word(&k->node)))
		return 0;
	if (k->parent != NULL) {
		struct hv_node *there = hv_names_find(&k->parent->subs, w);

		if (there != NULL && there != &k->node)
			return err_set(e, ERR_USAGE,
				       "a key of that name is there already");
	}
	if (hv_word_store(&k->hive->arena, w, &named, e) < 0)
		return -1;
	if (k->parent != NULL)
		hv_names_drop(&k->parent->subs, &k->node);
	k->node.name = named.name;
	k->node.name_len = named.name_len;
	k->node.latin1 = named.latin1;
	if (k->parent != NULL) {
		(void)hv_names_add(&k->parent->subs, &k->node, true);
		touch(k->parent);
	}
	touch(k);
	return 0;
}

/* ---- values --------------------------------------------------------------- */

struct hv_value *
hv_value(const struct hv_key *k, const char *name)
{
	struct hv_word w = hv_word8(name, strlen(name));

	return hv_word_valid(w) ? hv_as_value(hv_names_find(&k->values, w)) :
				  NULL;
}

size_t
hv_value_count(const struct hv_key *k)
{
	return k->values.count;
}

struct hv_value *
hv_value_first(const struct hv_key *k)
{
	return hv_as_value(k->values.first);
}

struct hv_value *
hv_value_next(const struct hv_value *v)
{
	return hv_as_value(v->node.next);
}

char *
hv_value_name(const struct hv_value *v, struct err *e)
{
	return hv_word_text(hv_node_word(&v->node), e);
}

struct hv_data
hv_data(const struct hv_value *v)
{
	return (struct hv_data){ v->type, v->data, v->len };
}

static int
refuse_value(const struct hv_key *k, struct hv_word w, size_t len,
	     struct err *e)
{
	if (w.form == HV_WTF8 && !hv_word_valid(w))
		return err_set(e, ERR_USAGE, "value name is not UTF-8");
	if (hv_word_units(w) > HV_VALUE_NAME_UNITS)
		return err_set(e, ERR_USAGE,
			       "value name has more than %d characters",
			       HV_VALUE_NAME_UNITS);
	if ((k->flags & HV_KEY_PREDEFINED) != 0)
		return err_set(e, ERR_USAGE, "key is a predefined handle: "
			       "it has no values");
	if (k->hive->facts.minor < 4 && len > HV_OLD_DATA_MAX)
		return err_set(e, ERR_USAGE, "value of %zu bytes: a hive of "
			       "format 1.3 holds at most %d", len,
			       HV_OLD_DATA_MAX);
	if (len > (size_t)HV_SEGMENTS_MAX * HV_SEGMENT)
		return err_set(e, ERR_USAGE, "value of %zu bytes is too large",
			       len);
	return 0;
}

/* Set a value whose name may be in any form; flags and spare as given. */
static struct hv_value *
put_value(struct hv_key *k, struct hv_word w, const struct hv_value *like,
	  struct err *e)
{
	struct hv_arena *a = &k->hive->arena;
	struct hv_value *v;

	if (refuse_value(k, w, like->len, e) < 0)
		return NULL;
	v = hv_as_value(hv_names_find(&k->values, w));
	if (v != NULL && v->type == like->type && v->len == like->len &&
	    v->flags == like->flags && v->spare == like->spare &&
	    (v->len == 0 || memcmp(v->data, like->data, v->len) == 0))
		return v;
	const uint8_t *data = hv_arena_copy(a, like->data, like->len, e);
	if (data == NULL)
		return NULL;
	if (v == NULL) {
		v = hv_arena_new(a, sizeof(*v), e);
		if (v == NULL || hv_word_store(a, w, &v->node, e) < 0)
			return NULL;
		v->node.prio = hv_prio(k->hive);
		(void)hv_names_add(&k->values, &v->node, false);
	}
	v->data = data;
	v->len = like->len;
	v->type = like->type;
	v->flags = like->flags;
	v->spare = like->spare;
	touch(k);
	return v;
}

int
hv_set(struct hv_key *k, const char *name, uint32_t type, const void *at,
       size_t len, struct err *e)
{
	struct hv_value like = { .data = at, .type = type };

	/* Before the length is cut to the field's size. */
	if (len > UINT32_MAX / 2)
		return err_set(e, ERR_USAGE, "value of %zu bytes is too large",
			       len);
	like.len = (uint32_t)len;
	return put_value(k, hv_word8(name, strlen(name)), &like, e) != NULL ?
		0 : -1;
}

void
hv_unset(struct hv_key *k, struct hv_value *v)
{
	hv_names_drop(&k->values, &v->node);
	touch(k);
}

/* ---- whole branches ------------------------------------------------------- */

/* Class, security, flags and time, for a key that was just created. */
static int
copy_about(struct hv_key *to, const struct hv_key *from, struct err *e)
{
	struct hv_sd *sd = hv_sd_intern(to->hive, from->sd->at, from->sd->len,
					true, e);

	if (sd == NULL || hv_set_class(to, from->cls, from->cls_len, e) < 0)
		return -1;
	to->sd = sd;
	to->access = from->access;
	to->virt = from->virt;
	to->handle = from->handle;
	to->flags = (uint16_t)(from->flags & ~(unsigned)HV_KEY_ROOT);
	return 0;
}

static int
copy_values(struct hv_key *to, const struct hv_key *from, enum hv_merge how,
	    struct err *e)
{
	for (const struct hv_value *v = hv_value_first(from); v != NULL;
	     v = hv_value_next(v)) {
		struct hv_word w = hv_node_word(&v->node);

		if (how == HV_MERGE_KEEP && hv_names_find(&to->values, w) != NULL)
			continue;
		if (put_value(to, w, v, e) == NULL)
			return -1;
	}
	return 0;
}

int
hv_copy(struct hv_key *to, const struct hv_key *from, enum hv_merge how,
	struct err *e)
{
	for (const struct hv_key *k = to; k != NULL; k = k->parent)
		if (k == from)
			return err_set(e, ERR_USAGE,
				       "a key cannot be copied into itself");
	if (copy_values(to, from, how, e) < 0)
		return -1;
	for (const struct hv_key *s = hv_first(from); s != NULL; s = hv_next(s)) {
		struct hv_word w = hv_node_word(&s->node);
		struct hv_key *k = hv_as_key(hv_names_find(&to->subs, w));
		bool created = k == NULL;

		if (created) {
			k = add_key(to, w, e);
			if (k == NULL || copy_about(k, s, e) < 0)
				return -1;
		}
		if (hv_copy(k, s, how, e) < 0)
			return -1;
		if (created)
			k->time = s->time;
	}
	return 0;
}
