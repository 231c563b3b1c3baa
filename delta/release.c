/* release.c - see release.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/release.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"

static void
offered_done(struct dl_offered *v)
{
	free(v->index);
	free(v->delta);
}

void
dl_release_done(struct dl_release *r)
{
	for (size_t i = 0; i < r->lines; i++) {
		for (size_t k = 0; k < r->line[i].versions; k++)
			offered_done(&r->line[i].version[k]);
		free(r->line[i].version);
	}
	free(r->line);
	*r = (struct dl_release)DL_RELEASE_EMPTY;
}

/* ---- looking and adding -------------------------------------------------- */

struct dl_line *
dl_release_line(const struct dl_release *r, const char *name)
{
	for (size_t i = 0; i < r->lines; i++)
		if (strcmp(r->line[i].name, name) == 0)
			return &r->line[i];
	return NULL;
}

struct dl_offered *
dl_line_version(const struct dl_line *l, uint64_t number)
{
	for (size_t i = 0; i < l->versions; i++)
		if (l->version[i].number == number)
			return &l->version[i];
	return NULL;
}

struct dl_offered *
dl_line_manifest(const struct dl_line *l, const struct st_id *id)
{
	for (size_t i = 0; i < l->versions; i++)
		if (st_id_equal(&l->version[i].manifest.id, id))
			return &l->version[i];
	return NULL;
}

struct dl_offered *
dl_line_newest(const struct dl_line *l)
{
	return l->versions == 0 ? NULL : &l->version[l->versions - 1];
}

struct dl_line *
dl_release_add(struct dl_release *r, const char *name, struct err *e)
{
	size_t at = 0;

	if (mem_grow(&r->line, &r->cap, r->lines + 1, sizeof(*r->line), e) < 0)
		return NULL;
	while (at < r->lines && strcmp(r->line[at].name, name) < 0)
		at++;
	memmove(r->line + at + 1, r->line + at,
		(r->lines - at) * sizeof(*r->line));
	r->line[at] = (struct dl_line){ .version = NULL };
	(void)snprintf(r->line[at].name, sizeof(r->line[at].name), "%s", name);
	r->lines++;
	return &r->line[at];
}

struct dl_offered *
dl_line_add(struct dl_line *l, uint64_t number, struct err *e)
{
	size_t at = 0;

	if (mem_grow(&l->version, &l->cap, l->versions + 1, sizeof(*l->version),
		     e) < 0)
		return NULL;
	while (at < l->versions && l->version[at].number < number)
		at++;
	memmove(l->version + at + 1, l->version + at,
		(l->versions - at) * sizeof(*l->version));
	l->version[at] = (struct dl_offered){ .number = number };
	l->versions++;
	return &l->version[at];
}

void
dl_line_go_back(struct dl_line *l, uint64_t number)
{
	while (l->versions > 0 && l->version[l->versions - 1].number > number)
		offered_done(&l->version[--l->versions]);
	l->epoch++;
}

/* ---- as bytes ------------------------------------------------------------ */

static void
put_object(struct buf *out, const struct dl_object *o)
{
	buf_bytes(out, o->id.at, sizeof(o->id.at));
	buf_u64le(out, o->len);
}

static void
put_version(struct buf *out, const struct dl_offered *v)
{
	buf_u64le(out, v->number);
	put_object(out, &v->manifest);
	put_object(out, &v->list);
	buf_u32le(out, (uint32_t)v->indexes);
	for (size_t i = 0; i < v->indexes; i++)
		put_object(out, &v->index[i]);
	buf_u32le(out, (uint32_t)v->deltas);
	for (size_t i = 0; i < v->deltas; i++) {
		put_object(out, &v->delta[i].file);
		buf_bytes(out, v->delta[i].from.at, ST_ID_BYTES);
	}
}

int
dl_release_encode(const struct dl_release *r, struct buf *out, struct err *e)
{
	buf_u32le(out, (uint32_t)r->lines);
	for (size_t i = 0; i < r->lines; i++) {
		const struct dl_line *l = &r->line[i];

		buf_u8(out, (uint8_t)strlen(l->name));
		buf_str(out, l->name);
		buf_bytes(out, l->id, sizeof(l->id));
		buf_u64le(out, l->epoch);
		buf_u32le(out, (uint32_t)l->versions);
		for (size_t k = 0; k < l->versions; k++)
			put_version(out, &l->version[k]);
	}
	return buf_ok(out, e);
}

static struct dl_object
take_object(struct cur *c)
{
	struct dl_object o;

	cur_bytes(c, o.id.at, sizeof(o.id.at));
	o.len = cur_u64le(c);
	if (cur_ok(c) && (o.len == 0 || o.len > INT64_MAX))
		cur_bad(c, "names an object of an impossible length");
	return o;
}

/* A count of things that take `size` bytes each, at least. */
static size_t
take_count(struct cur *c, size_t size)
{
	size_t n = cur_u32le(c);

	if (cur_ok(c) && n > cur_left(c) / size)
		cur_bad(c, "ends too early");
	return cur_ok(c) ? n : 0;
}

static int
take_version(struct cur *c, struct dl_offered *v, struct err *e)
{
	v->manifest = take_object(c);
	v->list = take_object(c);

	size_t n = take_count(c, ST_ID_BYTES + 8);
	if (mem_grow(&v->index, &v->index_cap, n, sizeof(*v->index), e) < 0)
		return -1;
	while (cur_ok(c) && v->indexes < n)
		v->index[v->indexes++] = take_object(c);
	n = take_count(c, 2 * ST_ID_BYTES + 8);
	if (mem_grow(&v->delta, &v->delta_cap, n, sizeof(*v->delta), e) < 0)
		return -1;
	while (cur_ok(c) && v->deltas < n) {
		struct dl_offer *d = &v->delta[v->deltas++];

		d->file = take_object(c);
		cur_bytes(c, d->from.at, ST_ID_BYTES);
	}
	return cur_ok(c) ? 0 : cur_err(c, e);
}

static int
take_versions(struct cur *c, struct dl_line *l, struct err *e)
{
	size_t n = take_count(c, 8 + 2 * (ST_ID_BYTES + 8) + 8);

	if (cur_ok(c) && n == 0)
		cur_bad(c, "offers a line without versions");
	for (size_t i = 0; i < n && cur_ok(c); i++) {
		uint64_t number = cur_u64le(c);
		uint64_t before = i == 0 ? 0 : l->version[i - 1].number;

		if (cur_ok(c) && number <= before)
			cur_bad(c, "has unsorted versions");
		if (!cur_ok(c))
			break;

		struct dl_offered *v = dl_line_add(l, number, e);
		if (v == NULL || take_version(c, v, e) < 0)
			return -1;
	}
	return cur_ok(c) ? 0 : cur_err(c, e);
}

static int
take_line(struct cur *c, struct dl_release *r, struct err *e)
{
	char name[ST_NAME_MAX + 1] = "";
	size_t n = cur_u8(c);

	if (cur_ok(c) && n > ST_NAME_MAX)
		cur_bad(c, "has an impossible name");
	cur_bytes(c, name, cur_ok(c) ? n : 0);
	if (cur_ok(c) && (strlen(name) != n || !st_name_ok(name) ||
			  (r->lines > 0 && strcmp(r->line[r->lines - 1].name,
						  name) >= 0)))
		cur_bad(c, "has an impossible name, or unsorted ones");
	if (!cur_ok(c))
		return cur_err(c, e);

	struct dl_line *l = dl_release_add(r, name, e);
	if (l == NULL)
		return -1;
	cur_bytes(c, l->id, sizeof(l->id));
	l->epoch = cur_u64le(c);
	return take_versions(c, l, e);
}

int
dl_release_parse(const char *what, const void *in, size_t len,
		 struct dl_release *ret, struct err *e)
{
	struct cur c = cur_over(what, in, len);
	DL_RELEASE_SCOPED struct dl_release r = DL_RELEASE_EMPTY;
	uint32_t lines = cur_u32le(&c);

	for (uint32_t i = 0; cur_ok(&c) && i < lines; i++)
		if (take_line(&c, &r, e) < 0)
			return -1;
	if (cur_end(&c, e) < 0)
		return -1;
	*ret = TAKE(r);
	return 0;
}
