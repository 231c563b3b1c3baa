/* change.c - see volume.h: what changes a volume
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "volume/volume-private.h"

int
vo_write(struct vo *v, const char *path, uint64_t at, const void *buf,
	 size_t len, struct err *e)
{
	const uint8_t *from = buf;
	size_t done = 0;

	do {
		struct vo_request q = {
			.op = VO_OP_WRITE, .path = path, .at = at + done,
			.data = from + done,
			.len = (size_t)num_min(len - done, VO_DATA_MAX),
		};

		if (vo_tell(v, &q, e) < 0)
			return -1;
		done += q.len;
	} while (done < len);
	return 0;
}

int
vo_truncate(struct vo *v, const char *path, uint64_t size, struct err *e)
{
	struct vo_request q = { .op = VO_OP_TRUNCATE, .path = path,
				.size = size };

	return vo_tell(v, &q, e);
}

int
vo_put(struct vo *v, const char *path, const void *buf, size_t len,
       struct err *e)
{
	struct vo_request q = {
		.op = VO_OP_PUT, .path = path, .data = buf,
		.len = (size_t)num_min(len, VO_DATA_MAX),
	};
	const uint8_t *from = buf;

	if (vo_tell(v, &q, e) < 0)
		return -1;
	return q.len == len ? 0 : vo_write(v, path, q.len, from + q.len,
					   len - q.len, e);
}

/* A request that makes a name, which Windows must allow. */
static int
make(struct vo *v, enum vo_op op, const char *path, const char *name,
     const char *to, struct err *e)
{
	struct vo_request q = { .op = op, .path = path, .to = to };
	char quoted[400];

	if (vo_name_allowed(name, e) < 0) {
		(void)err_quote(quoted, sizeof(quoted), name, strlen(name));
		return err_ctx(e, "%s: %s", v->name, quoted);
	}
	return vo_tell(v, &q, e);
}

int
vo_create(struct vo *v, const char *path, struct err *e)
{
	return make(v, VO_OP_CREATE, path, path, "", e);
}

int
vo_mkdir(struct vo *v, const char *path, struct err *e)
{
	return make(v, VO_OP_MKDIR, path, path, "", e);
}

int
vo_mkdirs(struct vo *v, const char *path, struct err *e)
{
	SCOPED_FREE char *part = mem_str(path, e);

	if (part == NULL)
		return -1;
	for (char *p = part; ; p++) {
		char was = *p;
		struct vo_stat st;
		int r;

		if (was != '/' && was != '\0')
			continue;
		*p = '\0';
		r = vo_stat(v, part, &st, e);
		if (r < 0 || (r == 0 && vo_mkdir(v, part, e) < 0))
			return -1;
		if (r > 0 && (st.attributes & VO_DIRECTORY) == 0)
			return err_set(e, ERR_USAGE, "%s: %s: is no folder",
				       v->name, part);
		*p = was;
		if (was == '\0')
			return 0;
	}
}

int
vo_rename(struct vo *v, const char *path, const char *to, struct err *e)
{
	return make(v, VO_OP_RENAME, path, to, to, e);
}

int
vo_link(struct vo *v, const char *path, const char *to, struct err *e)
{
	return make(v, VO_OP_LINK, path, to, to, e);
}

int
vo_remove(struct vo *v, const char *path, struct err *e)
{
	struct vo_request q = { .op = VO_OP_REMOVE, .path = path };

	return vo_tell(v, &q, e);
}

int
vo_remove_tree(struct vo *v, const char *path, struct err *e)
{
	VO_LIST_SCOPED struct vo_list l = VO_LIST_EMPTY;
	struct vo_stat st;
	int r = vo_stat(v, path, &st, e);

	if (r < 0)
		return -1;
	if (r > 0 && (st.attributes & VO_DIRECTORY) != 0 &&
	    (st.attributes & VO_REPARSE) == 0 && vo_list(v, path, &l, e) < 0)
		return -1;
	for (size_t i = 0; i < l.count; i++) {
		SCOPED_FREE char *below = mem_fmt(e, "%s/%s", path,
						  l.at[i].name);

		if (below == NULL || vo_remove_tree(v, below, e) < 0)
			return -1;
	}
	return vo_remove(v, path, e);
}

int
vo_set_short_name(struct vo *v, const char *path, const char *name,
		  struct err *e)
{
	struct vo_request q = { .op = VO_OP_SET_SHORT, .path = path,
				.to = name };

	return vo_tell(v, &q, e);
}

int
vo_set_times(struct vo *v, const char *path, const struct vo_times *t,
	     struct err *e)
{
	uint8_t bytes[32];
	struct vo_request q = { .op = VO_OP_SET_TIMES, .path = path,
				.data = bytes, .len = sizeof(bytes) };

	num_put_u64le(bytes, t->created);
	num_put_u64le(bytes + 8, t->modified);
	num_put_u64le(bytes + 16, t->changed);
	num_put_u64le(bytes + 24, t->accessed);
	return vo_tell(v, &q, e);
}

int
vo_set_attributes(struct vo *v, const char *path, uint32_t attributes,
		  struct err *e)
{
	struct vo_request q = { .op = VO_OP_SET_ATTRIBUTES, .path = path,
				.size = attributes };

	return vo_tell(v, &q, e);
}

int
vo_set_compressed(struct vo *v, const char *path, bool compressed,
		  struct err *e)
{
	struct vo_request q = { .op = VO_OP_SET_COMPRESSED, .path = path,
				.size = compressed };

	return vo_tell(v, &q, e);
}

static int
set_bytes(struct vo *v, enum vo_op op, const char *path, const void *data,
	  size_t len, struct err *e)
{
	struct vo_request q = { .op = op, .path = path, .data = data,
				.len = data == NULL ? 0 : len };

	return vo_tell(v, &q, e);
}

int
vo_set_security(struct vo *v, const char *path, const void *sd, size_t len,
		struct err *e)
{
	return set_bytes(v, VO_OP_SET_SECURITY, path, sd, len, e);
}

int
vo_set_reparse(struct vo *v, const char *path, const void *data, size_t len,
	       struct err *e)
{
	return set_bytes(v, VO_OP_SET_REPARSE, path, data, len, e);
}

int
vo_set_object_id(struct vo *v, const char *path, const void *id, size_t len,
		 struct err *e)
{
	return set_bytes(v, VO_OP_SET_OBJECT_ID, path, id, len, e);
}

int
vo_set_efs(struct vo *v, const char *path, const void *efs, size_t len,
	   struct err *e)
{
	return set_bytes(v, VO_OP_SET_EFS, path, efs, len, e);
}
