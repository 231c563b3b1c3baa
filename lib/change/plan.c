/* plan.c - see plan.h: entries, their order and their wishes
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "change/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf.h"
#include "change/change-private.h"
#include "volume/volume.h"

static const char *const kind_words[CS_KINDS] = {
	[CS_DIRECTORY] = "directory",
	[CS_FILE] = "file",
	[CS_STREAM] = "stream",
	[CS_LINK] = "link",
	[CS_REPARSE] = "reparse",
	[CS_SECURITY] = "security",
	[CS_META] = "attributes",
	[CS_KEY] = "registry-key",
	[CS_KEY_CLASS] = "registry-class",
	[CS_KEY_SECURITY] = "registry-security",
	[CS_VALUE] = "registry-value",
	[CS_BYTES] = "bytes",
};

const char *
cs_kind_word(enum cs_kind kind)
{
	return kind_words[kind];
}

void
cs_side_done(struct cs_side *s)
{
	free(s->data);
	free(s->path);
	free(s->member);
	*s = (struct cs_side){ .have = CS_ABSENT };
}

void
cs_entry_done(struct cs_entry *en)
{
	free(en->path);
	free(en->key);
	free(en->name);
	free(en->rule);
	free(en->why);
	cs_side_done(&en->old);
	cs_side_done(&en->want);
}

struct cs_plan *
cs_plan_new(const char *made_by, struct err *e)
{
	CS_PLAN_SCOPED struct cs_plan *p = mem_array(1, sizeof(*p), e);

	if (p == NULL)
		return NULL;
	p->made_by = mem_str(made_by, e);
	if (p->made_by == NULL)
		return NULL;
	return TAKE(p);
}

void
cs_plan_free(struct cs_plan *const *plan)
{
	struct cs_plan *p = *plan;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		cs_entry_done(&p->at[i]);
	free(p->at);
	free(p->made_by);
	free(p);
}

unsigned
cs_plan_volume(struct cs_plan *p, uint64_t serial)
{
	for (size_t i = 0; i < p->volumes; i++)
		if (p->volume[i].serial == serial)
			return (unsigned)i;
	if (p->volumes == CS_VOLUMES_MAX) {
		(void)err_set(&p->failed, ERR_UNSUPPORTED,
			      "a plan for more than %d volumes",
			      CS_VOLUMES_MAX);
		return 0;
	}
	p->volume[p->volumes].serial = serial;
	return (unsigned)p->volumes++;
}

int
cs_ok(const struct cs_plan *p, struct err *e)
{
	if (p->failed.kind == ERR_NONE)
		return 0;
	return err_set(e, p->failed.kind, "%s", p->failed.msg);
}

int
cs_side_set(struct cs_side *s, enum cs_have have, uint32_t type,
	    const void *data, size_t len, struct err *e)
{
	uint8_t *copy = (uint8_t *)mem_strn(data != NULL ? data : "", len, e);

	if (copy == NULL)
		return -1;
	cs_side_done(s);
	s->have = have;
	s->type = type;
	s->data = copy;
	s->len = len;
	return 0;
}

/* ---- places ---- */

bool
cs_path_ok(const char *path)
{
	size_t len = strlen(path);

	if (path[0] != '/' || len > VO_PATH_MAX || strchr(path, ':') != NULL)
		return false;
	return len == 1 || (path[len - 1] != '/' &&
			    strstr(path, "//") == NULL);
}

bool
cs_key_ok(const char *key)
{
	size_t len = strlen(key);

	if (len > 32767)
		return false;
	return len == 0 || (key[0] != '\\' && key[len - 1] != '\\' &&
			    strstr(key, "\\\\") == NULL);
}

/* The next code point of WTF-8 text, in upper case where it is in the BMP. */
static uint32_t
next_upper(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;
	unsigned more = p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);
	unsigned i;

	for (i = 1; i <= more && (p[i] & 0xc0) == 0x80; i++)
		c = c << 6 | (p[i] & 0x3f);
	*s += i;
	return c < 0x10000 ? utf_upcase((uint16_t)c) : c;
}

/* As Windows compares them; a parent stands before what is below it. */
static int
text_cmp(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	for (;;) {
		uint32_t ca = *a != '\0' ? next_upper(&a) : 0;
		uint32_t cb = *b != '\0' ? next_upper(&b) : 0;

		if (ca == cb && ca == 0)
			return 0;
		if (ca == cb)
			continue;
		ca = ca == '\\' || ca == '/' ? 1 : ca;
		cb = cb == '\\' || cb == '/' ? 1 : cb;
		return ca < cb ? -1 : 1;
	}
}

/* Files, then hives, then bytes. */
static int
class_of(enum cs_kind kind)
{
	return kind == CS_BYTES ? 2 : cs_in_hive(kind) ? 1 : 0;
}

int
cs_place_cmp(const struct cs_entry *a, const struct cs_entry *b)
{
	int r;

	if (a->volume != b->volume)
		return a->volume < b->volume ? -1 : 1;
	r = class_of(a->kind) - class_of(b->kind);
	if (r != 0)
		return r;
	if ((r = text_cmp(a->path, b->path)) != 0 ||
	    (r = text_cmp(a->key, b->key)) != 0)
		return r;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if ((r = text_cmp(a->name, b->name)) != 0)
		return r;
	return (a->at > b->at) - (a->at < b->at);
}

static int
entry_cmp(const void *a, const void *b)
{
	return cs_place_cmp(a, b);
}

static bool
source_same(const struct cs_side *a, const struct cs_side *b)
{
	return a->origin == b->origin && a->size == b->size &&
	       memcmp(a->hash, b->hash, CS_HASH_BYTES) == 0 &&
	       strcmp(a->path, b->path) == 0 &&
	       (a->member == NULL) == (b->member == NULL) &&
	       (a->member == NULL || strcmp(a->member, b->member) == 0);
}

bool
cs_side_same(const struct cs_side *a, const struct cs_side *b)
{
	if (a->have != b->have || a->type != b->type)
		return false;
	switch (a->have) {
	case CS_ABSENT:
		return true;
	case CS_INLINE:
		return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
	case CS_HASHED:
		return a->size == b->size &&
		       memcmp(a->hash, b->hash, CS_HASH_BYTES) == 0;
	case CS_FROM:
	default:
		return source_same(a, b);
	}
}

char *
cs_entry_name(const struct cs_entry *en, struct err *e)
{
	if (en->kind == CS_BYTES)
		return mem_fmt(e, "bytes at %llu",
			       (unsigned long long)en->at);
	if (en->kind == CS_VALUE)
		return mem_fmt(e, "%s: %s: %s", en->path, en->key,
			       en->name[0] != '\0' ? en->name : "(default)");
	if (en->key != NULL)
		return mem_fmt(e, "%s: %s", en->path, en->key);
	if (en->name != NULL)
		return mem_fmt(e, "%s:%s", en->path, en->name);
	return mem_str(en->path, e);
}

/* Two wishes for one thing. */
static int
clash(const struct cs_entry *a, const struct cs_entry *b, struct err *e)
{
	char quoted[256];
	SCOPED_FREE char *name = cs_entry_name(a, e);

	if (name == NULL)
		return -1;
	(void)err_quote(quoted, sizeof(quoted), name, strlen(name));
	return err_set(e, ERR_USAGE,
		       "%s: rules %s and %s want different things",
		       quoted, a->rule, b->rule);
}

int
cs_sort(struct cs_plan *p, struct err *e)
{
	size_t n = 0;

	if (cs_ok(p, e) < 0)
		return -1;
	if (p->sorted)
		return 0;
	mem_sort(p->at, p->count, sizeof(*p->at), entry_cmp);
	for (size_t i = 1; i < p->count; i++)
		if (cs_place_cmp(&p->at[i - 1], &p->at[i]) == 0 &&
		    !cs_side_same(&p->at[i - 1].want, &p->at[i].want))
			return clash(&p->at[i - 1], &p->at[i], e);
	for (size_t i = 0; i < p->count; i++) {
		if (n > 0 && cs_place_cmp(&p->at[n - 1], &p->at[i]) == 0)
			cs_entry_done(&p->at[i]);
		else if (n++ != i)
			p->at[n - 1] = p->at[i];
	}
	p->count = n;
	p->sorted = true;
	return 0;
}

/* ---- new entries ---- */

static int
copy_or_null(const char *s, char **ret, struct err *e)
{
	if (s == NULL)
		return 0;
	*ret = mem_str(s, e);
	return *ret == NULL ? -1 : 0;
}

struct cs_entry *
cs_push(struct cs_plan *p, enum cs_kind kind, unsigned volume,
	const char *path, const char *key, const char *name,
	struct cs_reason r, struct err *e)
{
	struct cs_entry *en;

	if (p->count == CS_ENTRIES_MAX) {
		(void)err_set(e, ERR_UNSUPPORTED,
			      "a plan with more than %d entries",
			      CS_ENTRIES_MAX);
		return NULL;
	}
	if (mem_grow(&p->at, &p->cap, p->count + 1, sizeof(*p->at), e) < 0)
		return NULL;
	en = &p->at[p->count];
	*en = (struct cs_entry){ .kind = kind, .volume = volume };
	p->sorted = false;
	if (copy_or_null(path, &en->path, e) < 0 ||
	    copy_or_null(key, &en->key, e) < 0 ||
	    copy_or_null(name, &en->name, e) < 0 ||
	    copy_or_null(r.rule, &en->rule, e) < 0 ||
	    copy_or_null(r.why, &en->why, e) < 0) {
		cs_entry_done(en);
		*en = (struct cs_entry){ .kind = kind };
		return NULL;
	}
	p->count++;
	return en;
}

static int
check_content(const struct cs_entry *en, const struct cs_side *s,
	      struct err *e)
{
	bool content = en->kind == CS_FILE || en->kind == CS_STREAM ||
		       en->kind == CS_VALUE;

	if (s->have == CS_INLINE && s->len > CS_INLINE_MAX)
		return err_set(e, ERR_USAGE,
			       "%zu bytes of content in a plan, more than %d",
			       s->len, CS_INLINE_MAX);
	if (s->have == CS_FROM && !content)
		return err_set(e, ERR_USAGE, "a %s cannot have a source",
			       cs_kind_word(en->kind));
	if (s->have == CS_FROM && s->size > INT64_MAX)
		return err_set(e, ERR_USAGE, "content of no possible size");
	return 0;
}

/* These change what is there and do not remove it. */
static int
check_present(const struct cs_entry *en, struct err *e)
{
	const char *text = (const char *)en->want.data;
	SCOPED_FREE char *name = NULL;
	struct cs_meta m;

	bool removable = en->kind == CS_REPARSE || en->kind == CS_KEY_CLASS;

	if (en->kind != CS_LINK && en->kind != CS_SECURITY &&
	    en->kind != CS_META && en->kind != CS_KEY_SECURITY && !removable)
		return 0;
	if (removable && en->want.have == CS_ABSENT)
		return 0;
	if (en->want.have != CS_INLINE)
		return err_set(e, ERR_USAGE, "nothing that is wanted");
	if (en->kind != CS_REPARSE && strlen(text) != en->want.len)
		return err_set(e, ERR_USAGE, "a NUL in its text");
	if (en->kind == CS_LINK && !cs_path_ok(text))
		return err_set(e, ERR_USAGE,
			       "no path of a file to be linked with");
	return en->kind == CS_META ? cs_meta_parse(text, &m, &name, e) : 0;
}

int
cs_entry_check(const struct cs_entry *en, struct err *e)
{
	if (en->rule == NULL || en->rule[0] == '\0' || en->why == NULL ||
	    en->why[0] == '\0')
		return err_set(e, ERR_USAGE, "no rule and reason");
	if (en->kind == CS_BYTES) {
		if (en->path != NULL || en->key != NULL || en->name != NULL ||
		    en->want.have != CS_INLINE || en->want.len == 0)
			return err_set(e, ERR_USAGE,
				       "bytes need an offset and content");
		return check_content(en, &en->want, e);
	}
	if (en->path == NULL || !cs_path_ok(en->path))
		return err_set(e, ERR_USAGE,
			       "no path from a volume's root");
	if (cs_in_hive(en->kind) != (en->key != NULL) ||
	    (en->key != NULL && !cs_key_ok(en->key)))
		return err_set(e, ERR_USAGE, "no key below a hive's root");
	if ((en->kind == CS_VALUE || en->kind == CS_STREAM) !=
	    (en->name != NULL))
		return err_set(e, ERR_USAGE, "no name");
	if (en->kind == CS_STREAM && en->name[0] == '\0')
		return err_set(e, ERR_USAGE, "a stream without a name");
	if (check_present(en, e) < 0)
		return -1;
	return check_content(en, &en->want, e);
}

/* Add a wish; whatever fails is remembered in the plan. */
static void
wish(struct cs_plan *p, enum cs_kind kind, unsigned volume, const char *path,
     const char *key, const char *name, const struct cs_side *want,
     struct cs_reason r)
{
	struct err *e = &p->failed;
	SCOPED_FREE char *rooted = NULL;
	struct cs_entry *en;
	bool in_image;

	if (e->kind != ERR_NONE)
		return;
	if (path != NULL && path[0] != '/') {
		rooted = mem_fmt(e, "/%s", path);
		if (rooted == NULL)
			return;
		path = rooted;
	}
	if (volume >= p->volumes) {
		(void)err_set(e, ERR_USAGE, "a wish for no known volume");
		return;
	}
	en = cs_push(p, kind, volume, path, key, name, r, e);
	if (en == NULL)
		return;
	if (cs_side_set(&en->want, want->have, want->type, want->data,
			want->len, e) < 0)
		return;
	en->want.origin = want->origin;
	in_image = want->have == CS_FROM && (want->origin == CS_IMAGE ||
					     want->origin == CS_CABINET);
	en->want.size = want->size;
	memcpy(en->want.hash, want->hash, CS_HASH_BYTES);
	if (in_image && want->path[0] != '/')
		en->want.path = mem_fmt(e, "/%s", want->path);
	else if (copy_or_null(want->path, &en->want.path, e) < 0)
		return;
	if (e->kind != ERR_NONE ||
	    copy_or_null(want->member, &en->want.member, e) < 0)
		return;
	if (cs_entry_check(en, e) < 0)
		(void)err_ctx(e, "rule %s: %s %s", r.rule, cs_kind_word(kind),
			      path != NULL ? path : "");
}

static const struct cs_side absent = { .have = CS_ABSENT };

/* The bytes are only read. */
static struct cs_side
holds(uint32_t type, const void *data, size_t len)
{
	return (struct cs_side){ .have = CS_INLINE, .type = type,
				 .data = (uint8_t *)(uintptr_t)data,
				 .len = len };
}

static struct cs_side
comes(uint32_t type, struct cs_source from)
{
	struct cs_side s = { .have = CS_FROM, .type = type,
			     .origin = from.origin, .size = from.size,
			     .path = (char *)(uintptr_t)from.path,
			     .member = (char *)(uintptr_t)from.member };

	memcpy(s.hash, from.hash, CS_HASH_BYTES);
	return s;
}

void
cs_want_key(struct cs_plan *p, struct cs_hive h, const char *key,
	    struct cs_reason r)
{
	struct cs_side s = holds(0, NULL, 0);

	wish(p, CS_KEY, h.volume, h.path, key, NULL, &s, r);
}

void
cs_want_no_key(struct cs_plan *p, struct cs_hive h, const char *key,
	       struct cs_reason r)
{
	wish(p, CS_KEY, h.volume, h.path, key, NULL, &absent, r);
}

void
cs_want_key_class(struct cs_plan *p, struct cs_hive h, const char *key,
		  const char *class_name, struct cs_reason r)
{
	struct cs_side s = holds(0, class_name, strlen(class_name));

	wish(p, CS_KEY_CLASS, h.volume, h.path, key, NULL, &s, r);
}

void
cs_want_key_security(struct cs_plan *p, struct cs_hive h, const char *key,
		     const char *sddl, struct cs_reason r)
{
	struct cs_side s = holds(0, sddl, strlen(sddl));

	wish(p, CS_KEY_SECURITY, h.volume, h.path, key, NULL, &s, r);
}

void
cs_want_value(struct cs_plan *p, struct cs_hive h, const char *key,
	      const char *name, uint32_t type, const void *data, size_t len,
	      struct cs_reason r)
{
	struct cs_side s = holds(type, data, len);

	wish(p, CS_VALUE, h.volume, h.path, key, name, &s, r);
}

void
cs_want_value_from(struct cs_plan *p, struct cs_hive h, const char *key,
		   const char *name, uint32_t type, struct cs_source from,
		   struct cs_reason r)
{
	struct cs_side s = comes(type, from);

	wish(p, CS_VALUE, h.volume, h.path, key, name, &s, r);
}

void
cs_want_no_value(struct cs_plan *p, struct cs_hive h, const char *key,
		 const char *name, struct cs_reason r)
{
	wish(p, CS_VALUE, h.volume, h.path, key, name, &absent, r);
}

void
cs_want_directory(struct cs_plan *p, unsigned volume, const char *path,
		  struct cs_reason r)
{
	struct cs_side s = holds(0, NULL, 0);

	wish(p, CS_DIRECTORY, volume, path, NULL, NULL, &s, r);
}

void
cs_want_no_directory(struct cs_plan *p, unsigned volume, const char *path,
		     struct cs_reason r)
{
	wish(p, CS_DIRECTORY, volume, path, NULL, NULL, &absent, r);
}

void
cs_want_file(struct cs_plan *p, unsigned volume, const char *path,
	     struct cs_source from, struct cs_reason r)
{
	struct cs_side s = comes(0, from);

	wish(p, CS_FILE, volume, path, NULL, NULL, &s, r);
}

void
cs_want_file_inline(struct cs_plan *p, unsigned volume, const char *path,
		    const void *data, size_t len, struct cs_reason r)
{
	struct cs_side s = holds(0, data, len);

	wish(p, CS_FILE, volume, path, NULL, NULL, &s, r);
}

void
cs_want_no_file(struct cs_plan *p, unsigned volume, const char *path,
		struct cs_reason r)
{
	wish(p, CS_FILE, volume, path, NULL, NULL, &absent, r);
}

void
cs_want_stream(struct cs_plan *p, unsigned volume, const char *path,
	       const char *stream, struct cs_source from, struct cs_reason r)
{
	struct cs_side s = comes(0, from);

	wish(p, CS_STREAM, volume, path, NULL, stream, &s, r);
}

void
cs_want_no_stream(struct cs_plan *p, unsigned volume, const char *path,
		  const char *stream, struct cs_reason r)
{
	wish(p, CS_STREAM, volume, path, NULL, stream, &absent, r);
}

void
cs_want_link(struct cs_plan *p, unsigned volume, const char *path,
	     const char *with, struct cs_reason r)
{
	struct cs_side s = holds(0, with, strlen(with));

	wish(p, CS_LINK, volume, path, NULL, NULL, &s, r);
}

void
cs_want_reparse(struct cs_plan *p, unsigned volume, const char *path,
		const void *data, size_t len, struct cs_reason r)
{
	struct cs_side s = holds(0, data, len);

	wish(p, CS_REPARSE, volume, path, NULL, NULL, &s, r);
}

void
cs_want_security(struct cs_plan *p, unsigned volume, const char *path,
		 const char *sddl, struct cs_reason r)
{
	struct cs_side s = holds(0, sddl, strlen(sddl));

	wish(p, CS_SECURITY, volume, path, NULL, NULL, &s, r);
}

void
cs_want_bytes(struct cs_plan *p, unsigned volume, uint64_t at,
	      const void *data, size_t len, struct cs_reason r)
{
	struct cs_side s = holds(0, data, len);
	size_t before = p->count;

	wish(p, CS_BYTES, volume, NULL, NULL, NULL, &s, r);
	if (p->count > before)
		p->at[before].at = at;
}

void
cs_want_meta(struct cs_plan *p, unsigned volume, const char *path,
	     const struct cs_meta *m, struct cs_reason r)
{
	struct cs_side s;
	SCOPED_FREE char *text = NULL;

	if (p->failed.kind != ERR_NONE)
		return;
	text = cs_meta_text(m, &p->failed);
	if (text == NULL)
		return;
	s = holds(0, text, strlen(text));
	wish(p, CS_META, volume, path, NULL, NULL, &s, r);
}
