/* cmd_diff.c - imgtool diff: which files changed, and what each costs
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A file costs the bytes of its chunks that the older version does not have.
 * What has no clusters of its own - small files, folders - is part of the file
 * system's metadata, and told in one line.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk.h"
#include "disk/parts.h"
#include "imgtool/cmd.h"
#include "source/source.h"
#include "store/image.h"
#include "volume/layout.h"
#include "volume/volume.h"

/* A line of the answer. */
struct change {
	char *path;		/* owned */
	char kind;		/* '+' added, '-' removed, '~' changed, '=' */
	uint64_t bytes;
};

struct changes {
	struct change *at;
	size_t count, cap;
};

/* Bytes [at, at + len) of a disk. */
struct stretch {
	uint64_t at, len;
};

struct stretches {
	struct stretch *at;
	size_t count, cap;
};

struct ids {
	struct st_id *at;
	size_t count, cap;
};

static void
changes_done(struct changes *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->at[i].path);
	free(c->at);
}

static void
stretches_done(struct stretches *s)
{
	free(s->at);
}

static void
ids_done(struct ids *s)
{
	free(s->at);
}

static int
add_change(struct changes *c, char *path, char kind, uint64_t bytes,
	   struct err *e)
{
	SCOPED_FREE char *own = path;

	if (own == NULL || mem_grow(&c->at, &c->cap, c->count + 1,
				    sizeof(*c->at), e) < 0)
		return -1;
	c->at[c->count++] = (struct change){ .path = TAKE(own), .kind = kind,
					     .bytes = bytes };
	return 0;
}

/* ---- what is new --------------------------------------------------------- */

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct st_id));
}

static int
chunks_of(struct st_image *i, struct ids *ret, struct err *e)
{
	const struct st_root *root = st_image_root(i);

	for (size_t s = 0; s < root->segments; s++) {
		ST_MAP_SCOPED struct st_map m = ST_MAP_EMPTY;

		if (st_image_segment(i, root->segment[s].number, &m, e) < 0 ||
		    mem_grow(&ret->at, &ret->cap, ret->count + m.chunks,
			     sizeof(*ret->at), e) < 0)
			return -1;
		for (size_t k = 0; k < m.chunks; k++)
			ret->at[ret->count++] = m.chunk[k].id;
	}
	mem_sort(ret->at, ret->count, sizeof(*ret->at), by_id);
	return 0;
}

/* Where on the newer disk lies what the older one has nowhere. */
static int
new_stretches(struct st_image *older, struct st_image *newer,
	      struct stretches *ret, struct err *e)
{
	SCOPED(ids_done) struct ids known = { .at = NULL };
	const struct st_root *was = st_image_root(older);
	const struct st_root *is = st_image_root(newer);

	if (chunks_of(older, &known, e) < 0)
		return -1;
	for (size_t s = 0; s < is->segments; s++) {
		uint32_t number = is->segment[s].number;
		const struct st_root_segment *same = st_root_find(was, number);
		ST_MAP_SCOPED struct st_map m = ST_MAP_EMPTY;

		if (same != NULL && st_id_equal(&same->id, &is->segment[s].id))
			continue;
		if (st_image_segment(newer, number, &m, e) < 0)
			return -1;
		for (size_t k = 0; k < m.extents; k++) {
			const struct st_extent *x = &m.extent[k];

			if (known.count > 0 &&
			    bsearch(&m.chunk[x->chunk].id, known.at,
				    known.count, sizeof(*known.at), by_id))
				continue;
			if (mem_grow(&ret->at, &ret->cap, ret->count + 1,
				     sizeof(*ret->at), e) < 0)
				return -1;
			ret->at[ret->count++] = (struct stretch){
				.at = (uint64_t)number * ST_SEGMENT_BYTES +
				      (uint64_t)x->at * ST_SECTOR,
				.len = (uint64_t)x->len * ST_SECTOR };
		}
	}
	return 0;
}

/* ---- whose it is --------------------------------------------------------- */

/* Bytes of [at, at + len) that are in the stretches, which ascend. */
static uint64_t
overlap(const struct stretches *s, uint64_t at, uint64_t len)
{
	size_t low = 0, high = s->count;
	uint64_t n = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->at[mid].at + s->at[mid].len <= at)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < s->count && s->at[low].at < at + len; low++) {
		uint64_t from = num_max(at, s->at[low].at);
		uint64_t to = num_min(at + len, s->at[low].at + s->at[low].len);

		n += to - from;
	}
	return n;
}

/* The layouts of a version's NTFS volumes, by number of partition. */
struct layouts {
	struct vo_layout *at;
	struct dk_parts parts;
};

static void
layouts_done(struct layouts *l)
{
	for (size_t i = 0; l->at != NULL && i < l->parts.count; i++)
		vo_layout_done(&l->at[i]);
	free(l->at);
	dk_parts_done(&l->parts);
}

static int
read_layouts(struct st_repo *r, const char *version, struct layouts *ret,
	     struct err *e)
{
	DK_SCOPED struct dk *d = src_version(r, version, e);
	struct err none = ERR_INIT;

	if (d == NULL)
		return -1;
	if (dk_parts_read(d, &ret->parts, &none) < 0)
		return 0;	/* no partitions, no files */
	ret->at = mem_array(ret->parts.count, sizeof(*ret->at), e);
	if (ret->at == NULL)
		return -1;
	for (size_t i = 0; i < ret->parts.count; i++) {
		const struct dk_part *p = &ret->parts.at[i];
		struct err unreadable = ERR_INIT;
		enum vo_kind kind;

		if (vo_probe(d, p->start, p->size, &kind, e) < 0)
			return -1;
		if (kind == VO_NTFS &&
		    vo_layout_read(d, p->start, p->size, &ret->at[i],
				   &unreadable) < 0 &&
		    unreadable.kind != ERR_CORRUPT) {
			*e = unreadable;
			return -1;
		}
	}
	return 0;
}

/* "2:/Windows/notepad.exe", with its stream where it has a name. */
static char *
path_of(const struct dk_part *part, const struct vo_layout *l, uint64_t record,
	size_t stream, struct err *e)
{
	SCOPED_FREE char *path = vo_layout_path(l, record, e);

	if (path == NULL)
		return NULL;
	return mem_fmt(e, "%u:/%s%s%s", part->index, path,
		       stream != 0 ? ":" : "",
		       stream != 0 ? l->text + stream : "");
}

static int
cost_of_files(const struct layouts *l, const struct stretches *new,
	      struct changes *ret, uint64_t *ret_rest, struct err *e)
{
	uint64_t all = 0, files = 0;

	for (size_t i = 0; i < new->count; i++)
		all += new->at[i].len;
	for (size_t v = 0; l->at != NULL && v < l->parts.count; v++) {
		const struct vo_layout *vo = &l->at[v];

		for (size_t i = 0; i < vo->count; i++) {
			const struct vo_placed *p = &vo->placed[i];
			uint64_t n = 0;

			if (p->record < VO_RECORD_FIRST_USER ||
			    p->type != VO_ATTR_DATA)
				continue;
			for (size_t k = 0; k < p->runs; k++)
				n += overlap(new, vo->run[p->run + k].at,
					     vo->run[p->run + k].len);
			files += n;
			if (n > 0 && add_change(ret, path_of(
				    &l->parts.at[v], vo, p->record, p->name, e),
				    '~', n, e) < 0)
				return -1;
		}
	}
	*ret_rest = all - num_min(all, files);
	return 0;
}

/* ---- files that came and went -------------------------------------------- */

static int
by_path(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int
names_of(const struct layouts *l, struct changes *ret, struct err *e)
{
	for (size_t v = 0; l->at != NULL && v < l->parts.count; v++) {
		const struct vo_layout *vo = &l->at[v];

		for (size_t i = VO_RECORD_FIRST_USER; i < vo->nodes; i++)
			if (vo->node[i].used && vo->node[i].name != 0 &&
			    add_change(ret, path_of(&l->parts.at[v], vo, i, 0,
						    e), '=', 0, e) < 0)
				return -1;
	}
	mem_sort(ret->at, ret->count, sizeof(*ret->at), by_path);
	return 0;
}

static struct change *
find_path(const struct changes *c, const char *path)
{
	for (size_t low = 0, high = c->count; low < high;) {
		size_t mid = low + (high - low) / 2;
		int cmp = strcmp(c->at[mid].path, path);

		if (cmp == 0)
			return &c->at[mid];
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* Merge costs, and who came and went, into one list. */
static int
compare_names(const struct changes *was, const struct changes *is,
	      struct changes *ret, struct err *e)
{
	size_t costs = ret->count;

	for (size_t i = 0; i < costs; i++) {
		const char *slash = strchr(ret->at[i].path, '/');

		if (strchr(slash, ':') == NULL && find_path(was, ret->at[i].path) == NULL)
			ret->at[i].kind = '+';
	}
	mem_sort(ret->at, costs, sizeof(*ret->at), by_path);
	struct changes sorted = { .at = ret->at, .count = costs };
	SCOPED(changes_done) struct changes more = { .at = NULL };
	for (size_t i = 0; i < is->count; i++)
		if (find_path(was, is->at[i].path) == NULL &&
		    find_path(&sorted, is->at[i].path) == NULL &&
		    add_change(&more, mem_str(is->at[i].path, e), '+', 0, e) < 0)
			return -1;
	for (size_t i = 0; i < was->count; i++)
		if (find_path(is, was->at[i].path) == NULL &&
		    add_change(&more, mem_str(was->at[i].path, e), '-', 0, e) < 0)
			return -1;
	for (size_t i = 0; i < more.count; i++)
		if (add_change(ret, TAKE(more.at[i].path), more.at[i].kind, 0,
			       e) < 0)
			return -1;
	return 0;
}

/* ---- telling ------------------------------------------------------------- */

static int
by_cost(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return strcmp(x->path, y->path);
}

static int
print(const struct cli_args *a, const struct changes *c, uint64_t rest,
      struct err *e)
{
	static const char *const words[] = { ['+'] = "added", ['-'] = "removed",
					     ['~'] = "changed" };
	JS_SCOPED struct js *j = a->json ? js_new("imgtool diff", 1, e) : NULL;
	struct js *list = j == NULL ? NULL : js_list(j, "files");

	if (a->json && j == NULL)
		return -1;
	for (size_t i = 0; i < c->count; i++) {
		const struct change *x = &c->at[i];
		char text[1024];

		if (j != NULL) {
			struct js *one = js_item(list);

			js_str(one, "path", x->path);
			js_str(one, "change", words[(unsigned char)x->kind]);
			js_u64(one, "bytes", x->bytes);
			continue;
		}
		(void)printf("%c %12llu  %s\n", x->kind,
			     (unsigned long long)x->bytes,
			     err_quote(text, sizeof(text), x->path,
				       strlen(x->path)));
	}
	if (j != NULL) {
		js_u64(j, "other_bytes", rest);
		return js_print(j, stdout, e);
	}
	if (rest > 0)
		(void)printf("~ %12llu  (file system metadata, and what is in "
			     "no file)\n", (unsigned long long)rest);
	return 0;
}

static int
diff(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	ST_REPO_SCOPED struct st_repo *r = src_repo_with_key(a, &key, e);
	ST_IMAGE_SCOPED struct st_image *older = NULL;
	ST_IMAGE_SCOPED struct st_image *newer = NULL;
	SCOPED(stretches_done) struct stretches new = { .at = NULL };
	SCOPED(layouts_done) struct layouts was = { .parts = DK_PARTS_EMPTY };
	SCOPED(layouts_done) struct layouts is = { .parts = DK_PARTS_EMPTY };
	SCOPED(changes_done) struct changes before = { .at = NULL };
	SCOPED(changes_done) struct changes after = { .at = NULL };
	SCOPED(changes_done) struct changes found = { .at = NULL };
	uint64_t rest = 0;

	if (r == NULL ||
	    (older = st_image_open(r, a->at[0], 0, false, e)) == NULL ||
	    (newer = st_image_open(r, a->at[1], 0, false, e)) == NULL)
		return -1;
	if (new_stretches(older, newer, &new, e) < 0 ||
	    read_layouts(r, a->at[0], &was, e) < 0 ||
	    read_layouts(r, a->at[1], &is, e) < 0 ||
	    cost_of_files(&is, &new, &found, &rest, e) < 0 ||
	    names_of(&was, &before, e) < 0 || names_of(&is, &after, e) < 0 ||
	    compare_names(&before, &after, &found, e) < 0)
		return -1;
	mem_sort(found.at, found.count, sizeof(*found.at), by_cost);
	if (print(a, &found, rest, e) < 0)
		return -1;
	bool same = found.count == 0 && rest == 0 &&
		    st_id_equal(&st_image_version(older)->root,
				&st_image_version(newer)->root);
	return same ? 0 : err_set(e, ERR_NO, "%s", "");
}

const struct cli_cmd cmd_diff = {
	.name = "diff", .operands = "A B",
	.help = "which files changed between two versions, and what each costs",
	.common = CLI_REPO | CLI_KEY | CLI_JSON, .min_operands = 2,
	.max_operands = 2, .run = diff,
};
