/* bundle.c - the catalogue of a bundle, in memory and as bytes
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/bundle.h"

#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"

static const char magic[8] = "HALPROF\n";

enum {
	TEXT_MAX = 1 << 20,
	STREAMS_MAX = 4096,
	/* The least bytes that one of a kind takes: they bound a count before
	 * it sizes anything. */
	CONTENT_BYTES = 48, ITEM_BYTES = 81, PERSON_BYTES = 60,
	LOSS_BYTES = 20, SHORT_BYTES = 8, STREAM_BYTES = 12, TEXT_BYTES = 4,
};

static void
person_done(struct pm_person *p)
{
	free(p->name);
	free(p->profile);
	free(p->stale);
	for (size_t i = 0; i < WN_FOLDERS; i++)
		free(p->folder[i]);
	for (size_t i = 0; i < p->items; i++) {
		struct pm_item *it = &p->item[i];

		for (size_t k = 0; k < it->streams; k++)
			free(it->stream[k].name);
		free(it->stream);
		free(it->path);
	}
	for (size_t i = 0; i < p->losses; i++) {
		free(p->loss[i].what);
		free(p->loss[i].why);
	}
	for (size_t i = 0; i < p->shorts; i++) {
		free(p->short_name[i].path);
		free(p->short_name[i].short_name);
	}
	free(p->item);
	free(p->loss);
	free(p->short_name);
}

void
pm_bundle_done(struct pm_bundle *b)
{
	struct pm_origin *o = &b->origin;
	char *const texts[] = {
		o->product, o->computer, o->domain, o->system_root,
		o->profiles, o->public_profile, o->program_files,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	for (size_t i = 0; i < b->people; i++)
		person_done(&b->person[i]);
	for (size_t i = 0; i < b->descriptors; i++)
		free(b->descriptor[i].at);
	for (size_t i = 0; i < b->programs; i++)
		free(b->program[i]);
	free(b->person);
	free(b->content);
	free(b->descriptor);
	free(b->program);
	*b = (struct pm_bundle)PM_BUNDLE_EMPTY;
}

/* ---- writing ---- */

/* A text with its length; NULL is the length 0xffffffff. */
static void
put_text(struct buf *out, const char *text)
{
	if (text == NULL) {
		buf_u32le(out, UINT32_MAX);
		return;
	}
	buf_u32le(out, (uint32_t)strlen(text));
	buf_str(out, text);
}

static void
put_sid(struct buf *out, const struct wn_sid *sid)
{
	buf_u8(out, sid->len);
	buf_bytes(out, sid->at, sid->len);
}

static void
put_item(struct buf *out, const struct pm_item *it)
{
	put_text(out, it->path);
	buf_u32le(out, it->attributes);
	buf_u32le(out, it->flags);
	for (size_t i = 0; i < 4; i++)
		buf_u64le(out, it->times[i]);
	buf_u64le(out, it->link_id);
	buf_u32le(out, it->security);
	buf_u64le(out, (uint64_t)it->content);
	buf_u32le(out, it->tag);
	buf_u64le(out, (uint64_t)it->reparse);
	buf_u32le(out, it->streams);
	for (size_t i = 0; i < it->streams; i++) {
		put_text(out, it->stream[i].name);
		buf_u64le(out, (uint64_t)it->stream[i].content);
	}
}

static void
put_person(struct buf *out, const struct pm_person *p)
{
	put_text(out, p->name);
	put_sid(out, &p->sid);
	buf_u32le(out, p->account);
	put_text(out, p->profile);
	buf_u64le(out, p->used);
	buf_u32le(out, WN_FOLDERS);
	for (size_t i = 0; i < WN_FOLDERS; i++)
		put_text(out, p->folder[i]);
	buf_u64le(out, (uint64_t)p->ntuser);
	buf_u64le(out, (uint64_t)p->usrclass);
	put_text(out, p->stale);
	buf_u32le(out, (uint32_t)p->items);
	for (size_t i = 0; i < p->items; i++)
		put_item(out, &p->item[i]);
	buf_u32le(out, (uint32_t)p->losses);
	for (size_t i = 0; i < p->losses; i++) {
		buf_u32le(out, p->loss[i].kind);
		put_text(out, p->loss[i].what);
		put_text(out, p->loss[i].why);
		buf_u64le(out, p->loss[i].bytes);
	}
	buf_u32le(out, (uint32_t)p->shorts);
	for (size_t i = 0; i < p->shorts; i++) {
		put_text(out, p->short_name[i].path);
		put_text(out, p->short_name[i].short_name);
	}
}

static void
put_origin(struct buf *out, const struct pm_origin *o)
{
	buf_u32le(out, o->generation);
	buf_u32le(out, o->arch);
	buf_u32le(out, o->language);
	put_text(out, o->product);
	put_text(out, o->computer);
	put_text(out, o->domain);
	put_text(out, o->system_root);
	put_text(out, o->profiles);
	put_text(out, o->public_profile);
	put_text(out, o->program_files);
	put_sid(out, &o->machine_sid);
	buf_u64le(out, o->taken);
}

void
pm_bundle_put(const struct pm_bundle *b, struct buf *out)
{
	buf_bytes(out, magic, sizeof(magic));
	buf_u32le(out, PM_BUNDLE_VERSION);
	put_origin(out, &b->origin);
	buf_u32le(out, (uint32_t)b->contents);
	for (size_t i = 0; i < b->contents; i++) {
		buf_u64le(out, b->content[i].at);
		buf_u64le(out, b->content[i].size);
		buf_bytes(out, b->content[i].hash, 32);
	}
	buf_u32le(out, (uint32_t)b->descriptors);
	for (size_t i = 0; i < b->descriptors; i++) {
		buf_u32le(out, (uint32_t)b->descriptor[i].len);
		buf_bytes(out, b->descriptor[i].at, b->descriptor[i].len);
	}
	buf_u32le(out, (uint32_t)b->programs);
	for (size_t i = 0; i < b->programs; i++)
		put_text(out, b->program[i]);
	buf_u32le(out, (uint32_t)b->people);
	for (size_t i = 0; i < b->people; i++)
		put_person(out, &b->person[i]);
}

/* ---- reading: *e is set by the first allocation that fails, and the cursor
 * made bad, so that one check at the end finds both ---- */

struct in {
	struct cur c;
	const struct pm_bundle *b;
	struct err *e;
};

static void
give_up(struct in *in)
{
	cur_bad(&in->c, "cannot be read");
}

static char *
get_text(struct in *in)
{
	uint32_t n = cur_u32le(&in->c);
	char *text;

	if (!cur_ok(&in->c) || n == UINT32_MAX)
		return NULL;
	if (n > TEXT_MAX || n > cur_left(&in->c)) {
		cur_bad(&in->c, "has a text that is too long");
		return NULL;
	}
	text = mem_array((size_t)n + 1, 1, in->e);
	if (text == NULL) {
		give_up(in);
		return NULL;
	}
	cur_bytes(&in->c, text, n);
	if (memchr(text, '\0', n) != NULL)
		cur_bad(&in->c, "has a text with a NUL");
	return text;
}

/* One that must be there. */
static char *
need_text(struct in *in)
{
	char *text = get_text(in);

	if (cur_ok(&in->c) && text == NULL)
		cur_bad(&in->c, "lacks a text");
	return text;
}

static void
get_sid(struct in *in, struct wn_sid *ret)
{
	uint8_t len = cur_u8(&in->c);
	struct cur sub = cur_sub(&in->c, len);

	if (len == 0 || !cur_ok(&in->c))
		return;
	wn_sid_read(&sub, ret);
	if (!cur_ok(&sub) || cur_left(&sub) != 0)
		cur_bad(&in->c, "has a malformed SID");
}

/* A count of things of at least `least` bytes each, and room for them. */
static void *
get_array(struct in *in, size_t least, size_t size, size_t max, size_t *ret)
{
	uint32_t n = cur_u32le(&in->c);
	void *at;

	*ret = 0;
	if (!cur_ok(&in->c))
		return NULL;
	if (n > max || n > cur_left(&in->c) / least) {
		cur_bad(&in->c, "counts more than it holds");
		return NULL;
	}
	at = mem_array(n, size, in->e);
	if (at == NULL)
		give_up(in);
	else
		*ret = n;
	return at;
}

static int64_t
get_content(struct in *in, bool may_lack)
{
	int64_t v = (int64_t)cur_u64le(&in->c);

	if (cur_ok(&in->c) && !(may_lack && v == PM_NO_CONTENT) &&
	    (v < 0 || (uint64_t)v >= in->b->contents))
		cur_bad(&in->c, "names a content that is not there");
	return v;
}

static void
get_item(struct in *in, struct pm_item *it)
{
	size_t n;

	it->path = need_text(in);
	it->attributes = cur_u32le(&in->c);
	it->flags = cur_u32le(&in->c);
	for (size_t i = 0; i < 4; i++)
		it->times[i] = cur_u64le(&in->c);
	it->link_id = cur_u64le(&in->c);
	it->security = cur_u32le(&in->c);
	if (cur_ok(&in->c) && it->security >= in->b->descriptors)
		cur_bad(&in->c, "names a descriptor that is not there");
	it->content = get_content(in, true);
	it->tag = cur_u32le(&in->c);
	it->reparse = get_content(in, true);
	it->stream = get_array(in, STREAM_BYTES, sizeof(*it->stream),
			       STREAMS_MAX, &n);
	it->streams = (uint32_t)n;
	for (size_t i = 0; i < n && cur_ok(&in->c); i++) {
		it->stream[i].name = need_text(in);
		it->stream[i].content = get_content(in, false);
	}
}

static void
get_ledger(struct in *in, struct pm_person *p)
{
	p->loss = get_array(in, LOSS_BYTES, sizeof(*p->loss), PM_ITEMS_MAX,
			    &p->losses);
	for (size_t i = 0; i < p->losses && cur_ok(&in->c); i++) {
		uint32_t kind = cur_u32le(&in->c);

		if (kind >= PM_LOSS_KINDS)
			cur_bad(&in->c, "has an unknown kind of loss");
		p->loss[i].kind = (enum pm_loss_kind)kind;
		p->loss[i].what = need_text(in);
		p->loss[i].why = need_text(in);
		p->loss[i].bytes = cur_u64le(&in->c);
	}
	p->short_name = get_array(in, SHORT_BYTES, sizeof(*p->short_name),
				  PM_ITEMS_MAX, &p->shorts);
	for (size_t i = 0; i < p->shorts && cur_ok(&in->c); i++) {
		p->short_name[i].path = need_text(in);
		p->short_name[i].short_name = need_text(in);
	}
}

static void
get_person(struct in *in, struct pm_person *p)
{
	p->name = need_text(in);
	get_sid(in, &p->sid);
	p->account = cur_u32le(&in->c);
	p->profile = need_text(in);
	p->used = cur_u64le(&in->c);
	const uint32_t folders = cur_u32le(&in->c);
	if (folders > WN_FOLDERS)
		cur_bad(&in->c, "has more known folders than there are");
	for (size_t i = 0; i < folders && cur_ok(&in->c); i++)
		p->folder[i] = get_text(in);
	p->ntuser = get_content(in, true);
	p->usrclass = get_content(in, true);
	p->stale = get_text(in);
	p->item = get_array(in, ITEM_BYTES, sizeof(*p->item), PM_ITEMS_MAX,
			    &p->items);
	for (size_t i = 0; i < p->items && cur_ok(&in->c); i++)
		get_item(in, &p->item[i]);
	get_ledger(in, p);
}

static void
get_origin(struct in *in, struct pm_origin *o)
{
	o->generation = cur_u32le(&in->c);
	o->arch = cur_u32le(&in->c);
	o->language = cur_u32le(&in->c);
	if (o->generation > WN_11 || o->arch > WN_IA64)
		cur_bad(&in->c, "comes from an unknown Windows");
	o->product = get_text(in);
	o->computer = get_text(in);
	o->domain = get_text(in);
	o->system_root = get_text(in);
	o->profiles = get_text(in);
	o->public_profile = get_text(in);
	o->program_files = get_text(in);
	get_sid(in, &o->machine_sid);
	o->taken = cur_u64le(&in->c);
}

static void
get_tables(struct in *in, struct pm_bundle *b, uint64_t stream)
{
	b->content = get_array(in, CONTENT_BYTES, sizeof(*b->content),
			       PM_ITEMS_MAX, &b->contents);
	for (size_t i = 0; i < b->contents && cur_ok(&in->c); i++) {
		struct pm_content_at *c = &b->content[i];

		c->at = cur_u64le(&in->c);
		c->size = cur_u64le(&in->c);
		cur_bytes(&in->c, c->hash, sizeof(c->hash));
		if (!num_in_range(c->at, c->size, stream))
			cur_bad(&in->c, "has content outside its frames");
	}
	b->descriptor = get_array(in, TEXT_BYTES, sizeof(*b->descriptor),
				  PM_ITEMS_MAX, &b->descriptors);
	for (size_t i = 0; i < b->descriptors && cur_ok(&in->c); i++) {
		struct pm_descriptor *d = &b->descriptor[i];

		d->at = get_array(in, 1, 1, TEXT_MAX, &d->len);
		if (d->at != NULL)
			cur_bytes(&in->c, d->at, d->len);
	}
	b->program = get_array(in, TEXT_BYTES, sizeof(*b->program),
			       PM_ITEMS_MAX, &b->programs);
	for (size_t i = 0; i < b->programs && cur_ok(&in->c); i++)
		b->program[i] = need_text(in);
}

int
pm_bundle_parse(const void *at, size_t len, uint64_t stream,
		struct pm_bundle *ret, struct err *e)
{
	PM_BUNDLE_SCOPED struct pm_bundle b = PM_BUNDLE_EMPTY;
	struct in in = { .c = cur_over("profile bundle", at, len), .b = &b,
			 .e = e };
	uint32_t version;

	cur_magic(&in.c, magic, sizeof(magic));
	version = cur_u32le(&in.c);
	if (cur_ok(&in.c) && version != PM_BUNDLE_VERSION)
		return err_set(e, ERR_UNSUPPORTED, "profile bundle has version "
			       "%u, need %d", version, PM_BUNDLE_VERSION);
	get_origin(&in, &b.origin);
	get_tables(&in, &b, stream);
	b.person = get_array(&in, PERSON_BYTES, sizeof(*b.person),
			     PM_PEOPLE_MAX, &b.people);
	for (size_t i = 0; i < b.people && cur_ok(&in.c); i++)
		get_person(&in, &b.person[i]);
	if (e->kind != ERR_NONE || cur_end(&in.c, e) < 0)
		return -1;
	*ret = TAKE(b);
	return 0;
}

struct pm_person *
pm_bundle_person(struct pm_bundle *b, const char *name, struct err *e)
{
	BUF_SCOPED struct buf all = BUF_EMPTY;
	char sid[WN_SID_TEXT];

	if (name == NULL && b->people == 1)
		return &b->person[0];
	for (size_t i = 0; i < b->people; i++) {
		struct pm_person *p = &b->person[i];

		if (name != NULL && (utf_same8(p->name, name) ||
		    utf_same8(wn_sid_text(&p->sid, sid), name)))
			return p;
		buf_fmt(&all, "%s%s", i == 0 ? "" : ", ", p->name);
	}
	if (buf_ok(&all, e) == 0)
		(void)err_set(e, name == NULL ? ERR_USAGE : ERR_NO,
			      "%s: %s; the bundle holds %s",
			      name == NULL ? "--user" : name, name == NULL ?
			      "needed, there are several" : "not in the bundle",
			      all.at == NULL ? "nobody" : (char *)all.at);
	return NULL;
}

const char *
pm_loss_name(enum pm_loss_kind kind)
{
	static const char *const names[PM_LOSS_KINDS] = {
		"encrypted file", "saved password", "only in the cloud",
		"unreadable", "outside the profile", "never migrated",
	};

	return names[kind];
}
