/* volume.c - see volume.h: open, close, and what is read
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/volume.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk.h"
#include "volume/volume-private.h"

/* Have a request served; errors get the path, with '\' as users know it. */
static int
serve(struct vo *v, const struct vo_request *q, struct buf *answer,
      struct err *e)
{
	struct vo_request r = *q;
	char quoted[400];
	int status;

	r.path = r.path == NULL ? "" : r.path;
	r.to = r.to == NULL ? "" : r.to;
	status = v->engine->serve(v, &r, answer, e);
	if (status < 0 && e->kind != ERR_NOMEM && *r.path != '\0') {
		(void)err_quote(quoted, sizeof(quoted), r.path, strlen(r.path));
		(void)err_ctx(e, "%s: %s", v->name, quoted);
	} else if (status < 0 && strncmp(e->msg, v->name, strlen(v->name)) != 0) {
		(void)err_ctx(e, "%s", v->name);
	}
	return status;
}

int
vo_tell(struct vo *v, const struct vo_request *q, struct err *e)
{
	BUF_SCOPED struct buf none = BUF_EMPTY;

	return serve(v, q, &none, e);
}

/* ---- open and close ------------------------------------------------------- */

static int
parse_facts(const struct buf *answer, struct vo_facts *f, struct err *e)
{
	struct cur c = cur_over("volume's answer", answer->at, answer->len);
	uint32_t len;

	f->dirty = cur_u8(&c) != 0;
	f->log_dirty = cur_u8(&c) != 0;
	f->hibernated = cur_u8(&c) != 0;
	f->major = cur_u8(&c);
	f->minor = cur_u8(&c);
	f->free_clusters = cur_u64le(&c);
	len = cur_u32le(&c);
	if (len >= sizeof(f->label))
		cur_bad(&c, "has too long a label");
	if (cur_ok(&c))
		cur_bytes(&c, f->label, len);
	return cur_end(&c, e);
}

int
vo_refuse_unclean(const struct vo *v, struct err *e)
{
	const struct vo_facts *f = &v->facts;

	if (f->hibernated)
		return err_set(e, ERR_UNSAFE, "%s: Windows hibernates on this "
			       "volume (or was shut down with fast startup); "
			       "start it and run: shutdown /s /t 0", v->name);
	if (f->dirty || f->log_dirty)
		return err_set(e, ERR_UNSAFE, "%s: the volume was not shut down "
			       "cleanly; start Windows and shut it down, or "
			       "run chkdsk /f there", v->name);
	return 0;
}

static int
open_native(struct vo *v, struct err *e)
{
	struct vo_request q = { .op = VO_OP_MOUNT };
	BUF_SCOPED struct buf answer = BUF_EMPTY;

	if (vo_native_start(v, e) < 0 || serve(v, &q, &answer, e) < 0 ||
	    parse_facts(&answer, &v->facts, e) < 0)
		return -1;
	return v->writable ? vo_refuse_unclean(v, e) : 0;
}

struct vo *
vo_blank(struct dk *d, uint64_t at, uint64_t size, unsigned flags,
	 struct err *e)
{
	VO_SCOPED struct vo *v = mem_array(1, sizeof(*v), e);

	if (v == NULL)
		return NULL;
	v->disk = d;
	v->at = at;
	v->size = size;
	v->writable = (flags & VO_WRITE) != 0;
	v->name = mem_str(d->name, e);
	if (v->name == NULL || vo_boot_facts(d, at, size, &v->facts, e) < 0)
		return NULL;
	if (v->writable && !d->writable) {
		(void)err_set(e, ERR_USAGE, "%s: open for reading only", v->name);
		return NULL;
	}
	return TAKE(v);
}

struct vo *
vo_open(struct dk *d, uint64_t at, uint64_t size, unsigned flags, struct err *e)
{
	VO_SCOPED struct vo *v = vo_blank(d, at, size, flags, e);

	if (v == NULL)
		return NULL;
	if (v->facts.kind == VO_FAT && v->writable && (flags & VO_ESP) == 0) {
		(void)err_set(e, ERR_UNSUPPORTED, "%s: the volume at byte %llu "
			      "is FAT, which is only read here; add --engine "
			      "appliance", v->name,
			      (unsigned long long)at);
		return NULL;
	}
	if (v->facts.kind == VO_BITLOCKER) {
		(void)err_set(e, ERR_UNSAFE, "%s: the volume at byte %llu is "
			      "encrypted by BitLocker; give its password or "
			      "recovery password with --volume-key", v->name,
			      (unsigned long long)at);
		return NULL;
	}
	if (v->facts.kind != VO_NTFS && v->facts.kind != VO_FAT) {
		(void)err_set(e, ERR_UNSUPPORTED, "%s: the volume at byte %llu "
			      "is %s, which cannot be read",
			      v->name, (unsigned long long)at,
			      vo_kind_name(v->facts.kind));
		return NULL;
	}
	if (v->facts.kind == VO_FAT && v->writable ? vo_esp_start(v, e) < 0
						   : open_native(v, e) < 0)
		return NULL;
	return TAKE(v);
}

void
vo_free(struct vo *const *v)
{
	if (*v == NULL)
		return;
	if ((*v)->engine != NULL)
		(*v)->engine->free(*v);
	dk_free(&(*v)->owned);
	free((*v)->name);
	free(*v);
}

int
vo_close(struct vo **v, struct err *e)
{
	VO_SCOPED struct vo *mine = TAKE(*v);
	struct vo_request q = { .op = VO_OP_CLOSE };

	return mine == NULL ? 0 : vo_tell(mine, &q, e);
}

const struct vo_facts *
vo_facts(const struct vo *v)
{
	return &v->facts;
}

const char *
vo_name(const struct vo *v)
{
	return v->name;
}

/* ---- look ----------------------------------------------------------------- */

static void
parse_stat(struct cur *c, struct vo_stat *ret)
{
	ret->id = cur_u64le(c);
	ret->size = cur_u64le(c);
	ret->allocated = cur_u64le(c);
	ret->attributes = cur_u32le(c);
	ret->tag = cur_u32le(c);
	ret->links = cur_u32le(c);
	ret->security_id = cur_u32le(c);
	ret->times.created = cur_u64le(c);
	ret->times.modified = cur_u64le(c);
	ret->times.changed = cur_u64le(c);
	ret->times.accessed = cur_u64le(c);
}

int
vo_stat(struct vo *v, const char *path, struct vo_stat *ret, struct err *e)
{
	struct vo_request q = { .op = VO_OP_STAT, .path = path };
	BUF_SCOPED struct buf answer = BUF_EMPTY;
	struct vo_stat st;
	int r = serve(v, &q, &answer, e);
	struct cur c = cur_over("volume's answer", answer.at, answer.len);

	if (r <= 0)
		return r;
	parse_stat(&c, &st);
	if (cur_end(&c, e) < 0)
		return -1;
	*ret = st;
	return 1;
}

int
vo_spelling(struct vo *v, const char *path, char **ret, struct err *e)
{
	struct vo_request q = { .op = VO_OP_SPELL, .path = path };
	BUF_SCOPED struct buf answer = BUF_EMPTY;
	int r = serve(v, &q, &answer, e);
	char *text;

	if (r <= 0)
		return r;
	text = buf_take_str(&answer, e);
	if (text == NULL)
		return -1;
	*ret = text;
	return 1;
}

/* A string with its length before it; names hold no NUL and no '/'. */
static char *
parse_text(struct cur *c, struct err *e)
{
	uint32_t len = cur_u32le(c);
	char *text;

	if (!cur_ok(c) || len > cur_left(c)) {
		cur_bad(c, "has a name that does not fit");
		(void)cur_err(c, e);
		return NULL;
	}
	text = mem_array((size_t)len + 1, 1, e);
	if (text == NULL)
		return NULL;
	cur_bytes(c, text, len);
	if (strlen(text) == len && strchr(text, '/') == NULL)
		return text;
	free(text);
	cur_bad(c, "has an impossible name");
	(void)cur_err(c, e);
	return NULL;
}

static int
parse_entry(struct cur *c, struct vo_entry *ret, struct err *e)
{
	ret->name = parse_text(c, e);
	if (ret->name == NULL)
		return -1;
	ret->short_name = parse_text(c, e);
	if (ret->short_name == NULL)
		return -1;
	if (*ret->short_name == '\0')
		free(TAKE(ret->short_name));
	parse_stat(c, &ret->st);
	return cur_ok(c) ? 0 : cur_err(c, e);
}

int
vo_list(struct vo *v, const char *path, struct vo_list *ret, struct err *e)
{
	struct vo_request q = { .op = VO_OP_LIST, .path = path };
	BUF_SCOPED struct buf answer = BUF_EMPTY;
	VO_LIST_SCOPED struct vo_list l = VO_LIST_EMPTY;
	size_t cap = 0;

	if (serve(v, &q, &answer, e) < 0)
		return -1;
	struct cur c = cur_over("volume's answer", answer.at, answer.len);

	while (cur_left(&c) > 0) {
		if (mem_grow(&l.at, &cap, l.count + 1, sizeof(*l.at), e) < 0)
			return -1;
		if (parse_entry(&c, &l.at[l.count++], e) < 0)
			return -1;
	}
	*ret = TAKE(l);
	return 0;
}

void
vo_list_done(struct vo_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->at[i].name);
		free(l->at[i].short_name);
	}
	free(l->at);
	*l = (struct vo_list)VO_LIST_EMPTY;
}

static int
walk(struct vo *v, const char *path, unsigned depth, vo_walk_fn fn, void *arg,
     struct err *e)
{
	VO_LIST_SCOPED struct vo_list l = VO_LIST_EMPTY;

	if (depth > VO_DEPTH_MAX)
		return err_set(e, ERR_CORRUPT, "%s: folders in folders without "
			       "end", v->name);
	if (vo_list(v, path, &l, e) < 0)
		return -1;
	for (size_t i = 0; i < l.count; i++) {
		const struct vo_entry *x = &l.at[i];
		SCOPED_FREE char *below = mem_fmt(e, "%s%s%s", path,
						  *path == '\0' ? "" : "/",
						  x->name);
		int r = below == NULL ? -1 : fn(arg, below, x, e);

		if (r < 0)
			return -1;
		if (r == 0 && (x->st.attributes & VO_DIRECTORY) != 0 &&
		    (x->st.attributes & VO_REPARSE) == 0 &&
		    walk(v, below, depth + 1, fn, arg, e) < 0)
			return -1;
	}
	return 0;
}

int
vo_walk(struct vo *v, const char *path, vo_walk_fn fn, void *arg, struct err *e)
{
	SCOPED_FREE char *root = NULL;
	size_t n;

	while (*path == '/')
		path++;
	root = mem_str(path, e);
	if (root == NULL)
		return -1;
	for (n = strlen(root); n > 0 && root[n - 1] == '/'; n--)
		root[n - 1] = '\0';
	return walk(v, root, 0, fn, arg, e);
}

/* ---- data ----------------------------------------------------------------- */

static int
read_as(struct vo *v, enum vo_op op, const char *path, uint64_t at, void *buf,
	size_t len, size_t *ret_len, struct err *e)
{
	uint8_t *to = buf;
	size_t done = 0;

	while (done < len) {
		struct vo_request q = {
			.op = op, .path = path, .at = at + done,
			.size = num_min(len - done, VO_DATA_MAX),
		};
		BUF_SCOPED struct buf answer = BUF_EMPTY;

		if (serve(v, &q, &answer, e) < 0)
			return -1;
		if (answer.len > q.size)
			return err_set(e, ERR_CORRUPT,
				       "%s: its reader talks nonsense", v->name);
		if (answer.len > 0)
			memcpy(to + done, answer.at, answer.len);
		done += answer.len;
		if (answer.len < q.size)
			break;
	}
	*ret_len = done;
	return 0;
}

int
vo_read(struct vo *v, const char *path, uint64_t at, void *buf, size_t len,
	size_t *ret_len, struct err *e)
{
	return read_as(v, VO_OP_READ, path, at, buf, len, ret_len, e);
}

int
vo_read_raw(struct vo *v, const char *path, uint64_t at, void *buf, size_t len,
	    size_t *ret_len, struct err *e)
{
	return read_as(v, VO_OP_READ_RAW, path, at, buf, len, ret_len, e);
}

/* The size of what a path names, also of a stream: 1, 0, -1. */
static int
size_of(struct vo *v, const char *path, uint64_t *ret, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *colon = strchr(slash == NULL ? path : slash, ':');
	VO_STREAMS_SCOPED struct vo_streams s = VO_STREAMS_EMPTY;
	SCOPED_FREE char *file = NULL;
	struct vo_stat st;
	int r = vo_stat(v, path, &st, e);

	if (r > 0)
		*ret = st.size;
	if (r != 0 || colon == NULL)
		return r;
	file = mem_strn(path, (size_t)(colon - path), e);
	if (file == NULL)
		return -1;
	r = vo_stat(v, file, &st, e);
	if (r <= 0)
		return r;
	if (vo_streams(v, file, &s, e) < 0)
		return -1;
	for (size_t i = 0; i < s.count; i++)
		if (strcasecmp(s.at[i].name, colon + 1) == 0) {
			*ret = s.at[i].size;
			return 1;
		}
	return 0;
}

int
vo_slurp(struct vo *v, const char *path, size_t max, uint8_t **ret,
	 size_t *ret_len, struct err *e)
{
	SCOPED_FREE uint8_t *bytes = NULL;
	uint64_t size;
	size_t len;
	int r = size_of(v, path, &size, e);

	if (r <= 0)
		return r;
	if (size > max)
		return err_set(e, ERR_UNSUPPORTED, "%s: %s: longer than %zu "
			       "bytes", v->name, path, max);
	bytes = mem_array((size_t)size + 1, 1, e);
	if (bytes == NULL ||
	    vo_read(v, path, 0, bytes, (size_t)size, &len, e) < 0)
		return -1;
	*ret = TAKE(bytes);
	*ret_len = len;
	return 1;
}

int
vo_streams(struct vo *v, const char *path, struct vo_streams *ret,
	   struct err *e)
{
	struct vo_request q = { .op = VO_OP_STREAMS, .path = path };
	BUF_SCOPED struct buf answer = BUF_EMPTY;
	VO_STREAMS_SCOPED struct vo_streams s = VO_STREAMS_EMPTY;
	size_t cap = 0;

	if (serve(v, &q, &answer, e) < 0)
		return -1;
	struct cur c = cur_over("volume's answer", answer.at, answer.len);

	while (cur_left(&c) > 0) {
		if (mem_grow(&s.at, &cap, s.count + 1, sizeof(*s.at), e) < 0)
			return -1;
		s.at[s.count].name = parse_text(&c, e);
		if (s.at[s.count].name == NULL)
			return -1;
		s.at[s.count].size = cur_u64le(&c);
		s.at[s.count++].allocated = cur_u64le(&c);
		if (!cur_ok(&c))
			return cur_err(&c, e);
	}
	*ret = TAKE(s);
	return 0;
}

void
vo_streams_done(struct vo_streams *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->at[i].name);
	free(s->at);
	*s = (struct vo_streams)VO_STREAMS_EMPTY;
}

/* Bytes that a file may or may not have. */
static int
optional(struct vo *v, enum vo_op op, const char *path, uint8_t **ret,
	 size_t *ret_len, struct err *e)
{
	struct vo_request q = { .op = op, .path = path };
	BUF_SCOPED struct buf answer = BUF_EMPTY;
	int r = serve(v, &q, &answer, e);

	if (r < 0)
		return -1;
	*ret_len = answer.len;
	*ret = answer.len == 0 ? NULL : TAKE(answer.at);
	return r;
}

int
vo_security(struct vo *v, const char *path, uint8_t **ret, size_t *ret_len,
	    struct err *e)
{
	return optional(v, VO_OP_SECURITY, path, ret, ret_len, e);
}

int
vo_reparse(struct vo *v, const char *path, uint8_t **ret, size_t *ret_len,
	   struct err *e)
{
	return optional(v, VO_OP_REPARSE, path, ret, ret_len, e);
}

int
vo_object_id(struct vo *v, const char *path, uint8_t **ret, size_t *ret_len,
	     struct err *e)
{
	return optional(v, VO_OP_OBJECT_ID, path, ret, ret_len, e);
}

int
vo_efs(struct vo *v, const char *path, uint8_t **ret, size_t *ret_len,
       struct err *e)
{
	return optional(v, VO_OP_EFS, path, ret, ret_len, e);
}
