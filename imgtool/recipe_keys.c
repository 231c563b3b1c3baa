/* recipe_keys.c - what the result of a step depends on, as one hash
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Texts go in with their lengths, so that no two different steps are one
 * sequence of bytes.
 */
#include "imgtool/recipe.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/stop.h"
#include "imgtool/host.h"

enum { PIECE = 1 << 20, DEPTH_MAX = 512 };

static void
add_number(struct cx_hasher *h, uint64_t n)
{
	uint8_t bytes[8];

	num_put_u64le(bytes, n);
	cx_hash_add(h, bytes, sizeof(bytes));
}

static void
add_text(struct cx_hasher *h, const char *text)
{
	add_number(h, text == NULL ? UINT64_MAX : strlen(text));
	if (text != NULL)
		cx_hash_add(h, text, strlen(text));
}

/* ---- files of this machine ----------------------------------------------- */

static int
add_contents(struct cx_hasher *h, int fd, const char *path, struct err *e)
{
	SCOPED_FREE uint8_t *piece = mem_array(PIECE, 1, e);
	size_t len = PIECE;
	uint64_t all = 0;

	if (piece == NULL)
		return -1;
	while (len == PIECE) {
		if (stop_check(e) < 0 ||
		    io_read_some(fd, piece, PIECE, path, &len, e) < 0)
			return -1;
		cx_hash_add(h, piece, len);
		all += len;
	}
	add_number(h, all);
	return 0;
}

/* A file's contents; of a folder all names and contents, in order. */
static int
add_host(struct cx_hasher *h, const char *path, unsigned depth, struct err *e)
{
	HOST_NAMES_SCOPED struct host_names names = HOST_NAMES_EMPTY;
	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (depth > DEPTH_MAX)
		return err_set(e, ERR_USAGE, "%s: too deep", path);
	if (!S_ISDIR(st.st_mode)) {
		add_text(h, "file");
		return add_contents(h, fd, path, e);
	}
	if (host_list(path, &names, e) < 0)
		return -1;
	add_text(h, "folder");
	add_number(h, names.count);
	for (size_t i = 0; i < names.count; i++) {
		SCOPED_FREE char *below = io_join(path, names.at[i], e);

		add_text(h, names.at[i]);
		if (below == NULL || add_host(h, below, depth + 1, e) < 0)
			return -1;
	}
	return 0;
}

/* A platform that ships is what its file says today; that there is none of this
 * name is told by who needs it. */
static int
add_platform(struct cx_hasher *h, const char *name, struct err *e)
{
	SCOPED_FREE char *dir = io_shipped("hal-neutral/platforms", e);
	SCOPED_FREE char *path = dir == NULL ? NULL :
		mem_fmt(e, "%s/%s.yaml", dir, name);

	if (path == NULL)
		return -1;
	return access(path, R_OK) == 0 ? add_host(h, path, 0, e) : 0;
}

/* ---- steps --------------------------------------------------------------- */

static int
add_action(struct cx_hasher *h, const struct recipe_action *x, struct err *e)
{
	const char *slash = x->from == NULL ? NULL : strrchr(x->from, '/');

	add_number(h, x->verb);
	add_text(h, slash == NULL ? x->from : slash + 1);
	add_text(h, x->to);
	add_text(h, x->value);
	add_text(h, x->type);
	add_number(h, x->words);
	for (size_t i = 0; i < x->words; i++)
		add_text(h, x->data[i]);
	if (x->from == NULL)
		return 0;
	return x->ships ? add_platform(h, x->from, e) :
			  add_host(h, x->from, 0, e);
}

int
recipe_keys(struct recipe *r, const uint8_t base[CX_HASH_BYTES],
	    const char *root, struct err *e)
{
	const uint8_t *before = base;

	for (size_t i = 0; i < r->steps; i++) {
		struct recipe_step *s = &r->step[i];
		struct cx_hasher h;

		cx_hash_begin(&h);
		add_text(&h, "halcyon build step, " PROJECT_VERSION);
		cx_hash_add(&h, before, CX_HASH_BYTES);
		add_text(&h, root);
		add_number(&h, s->kind);
		add_number(&h, s->actions);
		for (size_t k = 0; k < s->actions; k++)
			if (add_action(&h, &s->action[k], e) < 0)
				return recipe_blame(&s->action[k], e);
		cx_hash_end(&h, s->key);
		before = s->key;
	}
	return 0;
}
