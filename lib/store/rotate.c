/* rotate.c - see rotate.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/rotate.h"

#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "store/image.h"
#include "store/writer.h"

/* The segments of an image again, as another line's. */
static int
copy_map(struct st_writer *w, struct st_image *i, const struct st_line *line,
	 struct progress *p, struct st_id *ret, struct err *e)
{
	ST_CODER_SCOPED struct st_coder *coder = st_coder_new(e);
	ST_ROOT_SCOPED struct st_root root = ST_ROOT_EMPTY;
	const struct st_root *old = st_image_root(i);

	if (coder == NULL)
		return -1;
	progress_begin(p, "rotate", false, old->segments);
	root.size = old->size;
	for (size_t k = 0; k < old->segments; k++) {
		ST_MAP_SCOPED struct st_map map = ST_MAP_EMPTY;
		struct st_id id;

		if (stop_check(e) < 0 ||
		    st_image_segment(i, old->segment[k].number, &map, e) < 0 ||
		    st_writer_segment(w, coder, line, &map, &id, e) < 0 ||
		    st_root_add(&root, old->segment[k].number, &id, e) < 0)
			return -1;
		progress_add(p, 1);
		progress_show(p);
	}
	progress_end(p);
	return st_writer_root(w, coder, line, &root, ret, e);
}

/* What is known about the old version holds for the new one. */
static int
copy_facts(const struct st_image *i, const struct st_ref *from,
	   struct st_version *v, struct err *e)
{
	const struct st_version *old = st_image_version(i);

	(void)snprintf(v->name, sizeof(v->name), "%s", from->name);
	v->parent = from->version;
	v->parent_text = mem_fmt(e, "%s:%llu", from->name,
				 (unsigned long long)from->number);
	if (v->parent_text == NULL)
		return -1;
	v->size = old->size;
	v->created = (uint64_t)time(NULL);
	v->flags = old->flags;
	v->data = old->data;
	for (size_t k = 0; k < old->props; k++)
		if (st_version_set(v, old->prop[k].key, old->prop[k].value,
				   e) < 0)
			return -1;
	return st_version_set(v, "key", "new with this version", e);
}

int
st_rotate(struct st_repo *r, const char *name, const struct cx_pubs *to,
	  struct progress *p, struct st_ref *ret, struct err *e)
{
	ST_WRITER_SCOPED struct st_writer *w = st_writer_open(r, e);
	ST_IMAGE_SCOPED struct st_image *i = NULL;
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	struct st_ref from;

	if (w == NULL)
		return -1;
	if (!st_name_ok(name))
		return err_set(e, ERR_USAGE, "%s: is no name of an image; its "
			       "newest version is what goes on", name);
	if (st_ref_find(r, name, &from, e) < 0 ||
	    (i = st_image_open(r, name, 0, true, e)) == NULL ||
	    st_line_new(r, &line, e) < 0 || st_line_add(r, &line, to, e) < 0 ||
	    copy_map(w, i, &line, p, &v.root, e) < 0 ||
	    copy_facts(i, &from, &v, e) < 0)
		return -1;
	return st_writer_commit(w, &line, &v, ret, e);
}
