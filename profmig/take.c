/* take.c - one file of the old computer, with all it has
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "profmig/extract-private.h"

enum { PIECE = 1 << 20, CLOUD_TAGS = (int)0x9000001a };

/* "C:\a\b" for the volume path "a/b". */
static char *
windows_path(const struct pm_walk *k, const char *path, struct err *e)
{
	char *text = mem_fmt(e, "%s\\%s", k->drive, path);

	for (char *p = text; p != NULL && *p != '\0'; p++)
		if (*p == '/')
			*p = '\\';
	return text;
}

int
pm_lose(struct pm_walk *k, enum pm_loss_kind kind, const char *path,
	const char *why, uint64_t bytes, struct err *e)
{
	struct pm_person *p = &k->b->person[k->person];
	struct pm_loss *l;

	if (mem_grow(&p->loss, &p->loss_cap, p->losses + 1, sizeof(*p->loss),
		     e) < 0)
		return -1;
	l = &p->loss[p->losses++];
	*l = (struct pm_loss){ .kind = kind, .bytes = bytes };
	l->what = windows_path(k, path, e);
	l->why = mem_str(why, e);
	return l->what == NULL || l->why == NULL ? -1 : 0;
}

/* The bytes of a file or stream into the bundle. */
static int
take_content(struct pm_walk *k, const char *path, int64_t *ret, struct err *e)
{
	SCOPED_FREE uint8_t *piece = mem_array(PIECE, 1, e);
	uint64_t at = 0;
	size_t n = PIECE;

	if (piece == NULL || pm_writer_begin(k->w, e) < 0)
		return -1;
	while (n == PIECE) {
		if (stop_check(e) < 0 ||
		    vo_read(k->vo, path, at, piece, PIECE, &n, e) < 0 ||
		    pm_writer_bytes(k->w, piece, n, e) < 0)
			return -1;
		at += n;
		progress_add(k->x->progress, n);
		progress_show(k->x->progress);
	}
	return pm_writer_end(k->w, k->b, ret, e);
}

static int
take_bytes(struct pm_walk *k, const void *at, size_t len, int64_t *ret,
	   struct err *e)
{
	if (pm_writer_begin(k->w, e) < 0 ||
	    pm_writer_bytes(k->w, at, len, e) < 0)
		return -1;
	return pm_writer_end(k->w, k->b, ret, e);
}

static int
take_security(struct pm_walk *k, const char *path, uint32_t *ret,
	      struct err *e)
{
	SCOPED_FREE uint8_t *sd = NULL;
	size_t len;

	if (vo_security(k->vo, path, &sd, &len, e) < 0)
		return -1;
	/* A profile has a handful; the newest ones are the likely ones. */
	for (size_t i = k->b->descriptors; i > 0; i--)
		if (k->b->descriptor[i - 1].len == len &&
		    memcmp(k->b->descriptor[i - 1].at, sd, len) == 0) {
			*ret = (uint32_t)(i - 1);
			return 0;
		}
	if (mem_grow(&k->b->descriptor, &k->b->descriptor_cap,
		     k->b->descriptors + 1, sizeof(*k->b->descriptor), e) < 0)
		return -1;
	k->b->descriptor[k->b->descriptors++] = (struct pm_descriptor){
		.at = TAKE(sd), .len = len };
	*ret = (uint32_t)k->b->descriptors - 1;
	return 0;
}

static int
take_streams(struct pm_walk *k, const char *path, struct pm_item *it,
	     struct err *e)
{
	VO_STREAMS_SCOPED struct vo_streams list = VO_STREAMS_EMPTY;

	if (vo_streams(k->vo, path, &list, e) < 0)
		return -1;
	if (list.count == 0 || (list.count == 1 &&
				list.at[0].name[0] == '\0'))
		return 0;
	it->stream = mem_array(list.count, sizeof(*it->stream), e);
	if (it->stream == NULL)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		struct pm_named_stream *s = &it->stream[it->streams];
		SCOPED_FREE char *full = NULL;

		if (list.at[i].name[0] == '\0')
			continue;
		full = mem_fmt(e, "%s:%s", path, list.at[i].name);
		s->name = mem_str(list.at[i].name, e);
		if (full == NULL || s->name == NULL)
			return -1;
		it->streams++;
		if (take_content(k, full, &s->content, e) < 0)
			return -1;
	}
	return 0;
}

static int
take_reparse(struct pm_walk *k, const char *path, struct pm_item *it,
	     struct err *e)
{
	SCOPED_FREE uint8_t *data = NULL;
	size_t len;
	int r = vo_reparse(k->vo, path, &data, &len, e);

	return r <= 0 ? r : take_bytes(k, data, len, &it->reparse, e);
}

/* Content, streams or reparse buffer.  What cannot be read is a loss, not a
 * failure. */
static int
take_parts(struct pm_walk *k, const char *path, const struct vo_entry *entry,
	   struct pm_item *it, struct err *e)
{
	const struct vo_stat *st = &entry->st;
	struct err why = ERR_INIT;
	int r;

	if (st->tag != 0 && st->tag != (uint32_t)VO_TAG_WOF) {
		if ((st->tag & 0xffff0fff) == (uint32_t)CLOUD_TAGS)
			return pm_lose(k, PM_LOSS_CLOUD, path, "the file is a "
				       "placeholder, its content is not on "
				       "this disk", st->size, e) < 0 ? -1 : 1;
		return take_reparse(k, path, it, e);
	}
	if ((st->attributes & VO_ENCRYPTED) != 0 &&
	    (st->attributes & VO_DIRECTORY) == 0)
		return pm_lose(k, PM_LOSS_EFS, path, "encrypted with a key of "
			       "the old account", st->size, e) < 0 ? -1 : 1;
	r = (st->attributes & VO_DIRECTORY) != 0 ? 0 :
		take_content(k, path, &it->content, &why);
	if (r == 0)
		r = take_streams(k, path, it, &why);
	if (r == 0)
		return 0;
	if (why.kind != ERR_UNSUPPORTED && why.kind != ERR_CORRUPT) {
		*e = why;
		return -1;
	}
	return pm_lose(k, PM_LOSS_UNREADABLE, path, why.msg, st->size, e) < 0 ?
		-1 : 1;
}

static int
note_short(struct pm_walk *k, const char *path, const struct vo_entry *entry,
	   struct err *e)
{
	struct pm_person *p = &k->b->person[k->person];
	struct pm_short *s;

	if (entry->short_name == NULL ||
	    (entry->st.attributes & VO_DIRECTORY) == 0)
		return 0;
	if (mem_grow(&p->short_name, &p->short_cap, p->shorts + 1,
		     sizeof(*p->short_name), e) < 0)
		return -1;
	s = &p->short_name[p->shorts++];
	s->path = windows_path(k, path, e);
	s->short_name = mem_str(entry->short_name, e);
	return s->path == NULL || s->short_name == NULL ? -1 : 0;
}

int
pm_take(struct pm_walk *k, const char *path, const struct vo_entry *entry,
	struct err *e)
{
	const struct vo_stat *st = &entry->st;
	struct pm_person *p = &k->b->person[k->person];
	struct pm_item *it;
	int r;

	if (mem_grow(&p->item, &p->item_cap, p->items + 1, sizeof(*p->item),
		     e) < 0)
		return -1;
	it = &p->item[p->items++];
	*it = (struct pm_item){
		.attributes = st->attributes, .flags = k->flags,
		.times = { st->times.created, st->times.modified,
			   st->times.changed, st->times.accessed },
		.link_id = st->links > 1 &&
			(st->attributes & VO_DIRECTORY) == 0 ? st->id : 0,
		.content = PM_NO_CONTENT, .reparse = PM_NO_CONTENT,
		.tag = st->tag == (uint32_t)VO_TAG_WOF ? 0 : st->tag,
	};
	it->path = windows_path(k, path, e);
	if (it->path == NULL || note_short(k, path, entry, e) < 0 ||
	    take_security(k, path, &it->security, e) < 0)
		return -1;
	r = take_parts(k, path, entry, it, e);
	if (r == 1) {
		/* It became a loss: the last item goes. */
		free(it->path);
		for (size_t i = 0; i < it->streams; i++)
			free(it->stream[i].name);
		free(it->stream);
		p->items--;
	}
	return r < 0 ? -1 : 0;
}
