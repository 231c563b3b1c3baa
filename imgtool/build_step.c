/* build_step.c - one step of a recipe is done on a disk; see build.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "imgtool/build.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/stop.h"
#include "disk/disk.h"
#include "hive/regtext.h"
#include "imgtool/files.h"
#include "imgtool/recipe.h"
#include "imgtool/reg.h"

/* ---- files --------------------------------------------------------------- */

/* What is not there already needs no deleting. */
static int
delete_path(const struct files *f, const char *path, struct err *e)
{
	SCOPED_FREE char *inside = NULL;
	struct vo_stat st;
	struct vo *v;
	int r;

	if (files_find(f, path, &v, &inside, e) < 0)
		return -1;
	if (strrchr(inside, ':') != NULL)
		return vo_remove(v, inside, e);
	r = vo_stat(v, inside, &st, e);
	if (r <= 0)
		return r;
	return (st.attributes & VO_DIRECTORY) != 0 && st.tag == 0 ?
	       vo_remove_tree(v, inside, e) : vo_remove(v, inside, e);
}

static int
do_file(const struct files *f, const struct recipe_action *x, struct err *e)
{
	SCOPED_FREE char *inside = NULL;
	struct vo *v;

	if (x->verb == RECIPE_PUT)
		return files_put_host(f, x->from, x->to, e);
	if (x->verb == RECIPE_DELETE)
		return delete_path(f, x->to, e);
	if (files_find(f, x->to, &v, &inside, e) < 0)
		return -1;
	return vo_mkdirs(v, inside, e);
}

static int
do_files(struct dk *d, const struct recipe_step *s, const char *root,
	 struct err *e)
{
	FILES_SCOPED struct files f = FILES_EMPTY;

	if (files_attach(d, root, true, &f, e) < 0)
		return -1;
	for (size_t i = 0; i < s->actions; i++)
		if (stop_check(e) < 0 || do_file(&f, &s->action[i], e) < 0)
			return recipe_blame(&s->action[i], e);
	return files_flush(&f, e);
}

/* ---- registry ------------------------------------------------------------ */

struct importing {
	struct reg *reg;
	const char *name;
};

static int
statement(void *arg, const struct hv_reg *s, struct err *e)
{
	const struct importing *im = arg;
	SCOPED_FREE char *path = NULL;
	struct hv_hive *h;

	if (reg_find(im->reg, s->path, &h, &path, e) < 0 ||
	    hv_reg_do(h, path, s, e) < 0)
		return err_ctx(e, "%s: line %u", im->name, s->line);
	return 0;
}

static int
import_text(struct reg *r, const char *path, struct err *e)
{
	struct importing im = { .reg = r, .name = path };
	BUF_SCOPED struct buf text = BUF_EMPTY;

	return reg_read_text(path, &text, e) < 0 ? -1 :
	       hv_reg_read(path, text.at, text.len, statement, &im, e);
}

static int
set_value(struct reg *r, const struct recipe_action *x, struct err *e)
{
	BUF_SCOPED struct buf data = BUF_EMPTY;
	SCOPED_FREE char *path = NULL;
	struct hv_hive *h;
	struct hv_key *k;
	uint32_t type;

	if (reg_parse_data(x->type, x->data, x->words, &type, &data, e) < 0 ||
	    reg_find(r, x->to, &h, &path, e) < 0)
		return -1;
	k = hv_create(hv_root(h), path, e);
	return k == NULL ? -1 : hv_set(k, x->value, type, data.at, data.len, e);
}

static int
unset(struct reg *r, const struct recipe_action *x, struct err *e)
{
	SCOPED_FREE char *path = NULL;
	struct hv_hive *h;
	struct hv_key *k;
	struct hv_value *v;

	if (reg_find(r, x->to, &h, &path, e) < 0)
		return -1;
	k = hv_find(hv_root(h), path);
	if (k == NULL)
		return 0;
	if (x->value == NULL)
		return hv_delete(k, e);
	v = hv_value(k, x->value);
	if (v != NULL)
		hv_unset(k, v);
	return 0;
}

static int
do_registry(struct dk *d, const struct recipe_step *s, const char *root,
	    struct err *e)
{
	REG_SCOPED struct reg r = { .operand = NULL };

	if (reg_attach(d, root, &r, e) < 0)
		return -1;
	for (size_t i = 0; i < s->actions; i++) {
		const struct recipe_action *x = &s->action[i];

		if (stop_check(e) < 0 ||
		    (x->verb == RECIPE_IMPORT ? import_text(&r, x->from, e) :
		     x->verb == RECIPE_SET ? set_value(&r, x, e) :
					     unset(&r, x, e)) < 0)
			return recipe_blame(x, e);
	}
	return reg_flush(&r, e);
}

/* ---- any ----------------------------------------------------------------- */

int
build_step(struct dk *d, const struct recipe_step *s, const char *root,
	   struct err *e)
{
	static int (*const kinds[RECIPE_KINDS])(struct dk *d,
						const struct recipe_step *s,
						const char *root,
						struct err *e) = {
		do_files, do_registry, build_platforms, build_first_boot,
	};

	return kinds[s->kind](d, s, root, e);
}
