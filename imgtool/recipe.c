/* recipe.c - see recipe.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "imgtool/recipe.h"

#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "imgtool/recipe_set.h"
#include "source/source.h"
#include "store/repo.h"

enum {
	RECIPE_MAX = 16 << 20,	/* bytes of a recipe */
	STEPS_MAX = 1000,
};

static const char *const kinds[RECIPE_KINDS + 1] = {
	"files", "registry", "platforms", "first-boot", NULL
};

const char *
recipe_kind_name(enum recipe_kind kind)
{
	return kinds[kind];
}

int
recipe_blame(const struct recipe_action *x, struct err *e)
{
	return err_ctx(e, "%s:%u", x->at->file, x->at->line);
}

static void
step_done(struct recipe_step *s)
{
	for (size_t i = 0; i < s->actions; i++) {
		free(s->action[i].from);
		free(s->action[i].data);
	}
	free(s->action);
}

void
recipe_done(struct recipe *r)
{
	for (size_t i = 0; i < r->steps; i++)
		step_done(&r->step[i]);
	free(r->step);
	free(r->base);
	free(r->folder);
	yml_free(&r->doc);
	*r = (struct recipe)RECIPE_EMPTY;
}

/* A path of the recipe as this process opens it. */
static char *
path_here(const struct recipe *r, const char *path, struct err *e)
{
	return mem_fmt(e, "%s%s", path[0] == '/' ? "" : r->folder, path);
}

static struct recipe_action *
add(struct recipe_step *s, enum recipe_verb verb, const struct yml *at,
    struct err *e)
{
	if (mem_grow(&s->action, &s->cap, s->actions + 1, sizeof(*s->action),
		     e) < 0)
		return NULL;
	struct recipe_action *x = &s->action[s->actions++];

	x->verb = verb;
	x->at = at;
	return x;
}

/* One whose value is a path here. */
static int
add_from(const struct recipe *r, struct recipe_step *s, enum recipe_verb verb,
	 const struct yml *at, const char *path, struct err *e)
{
	struct recipe_action *x = add(s, verb, at, e);

	if (x == NULL)
		return -1;
	x->from = path_here(r, path, e);
	if (x->from == NULL)
		return -1;
	if (access(x->from, R_OK) < 0)
		return yml_err(at, e, "%s: %s", x->from,
			       "is not there, or can not be read");
	return 0;
}

/* ---- the kinds of step --------------------------------------------------- */

static int
read_file(const struct recipe *r, struct recipe_step *s, struct yml *y,
	  struct err *e)
{
	const char *put = yml_str(y, "put", "", e);
	const char *to = yml_str(y, "to", "", e);
	const char *mkdir = yml_str(y, "mkdir", "", e);
	const char *del = yml_str(y, "delete", "", e);
	struct recipe_action *x;

	if (yml_end(y, e) < 0)
		return -1;
	if ((*put != '\0') + (*mkdir != '\0') + (*del != '\0') != 1 ||
	    (*put != '\0') != (*to != '\0'))
		return yml_err(y, e, "needs one of put with to, mkdir, "
			       "delete");
	if (*put != '\0') {
		if (add_from(r, s, RECIPE_PUT, y, put, e) < 0)
			return -1;
		s->action[s->actions - 1].to = to;
		return 0;
	}
	x = add(s, *mkdir != '\0' ? RECIPE_MKDIR : RECIPE_DELETE, y, e);
	if (x == NULL)
		return -1;
	x->to = *mkdir != '\0' ? mkdir : del;
	return 0;
}

/* One value, or a list of them. */
static int
read_words(struct recipe_action *x, const struct yml *y, struct err *e)
{
	size_t count = y->kind == YML_LIST ? y->count : 1;
	const struct yml *from = y->kind == YML_LIST ? y->at : y;

	if (y->kind == YML_MAP)
		return yml_err(y, e, "data must be a value or a list of them");
	x->data = mem_array(count, sizeof(*x->data), e);
	if (x->data == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (from[i].kind != YML_SCALAR)
			return yml_err(&from[i], e, "data must be a value or a "
				       "list of them");
		x->data[i] = from[i].text;
	}
	x->words = count;
	return 0;
}

static int
read_value(const struct recipe *r, struct recipe_step *s, struct yml *y,
	   struct err *e)
{
	const char *from = yml_str(y, "import", "", e);
	const char *key = yml_str(y, "key", "", e);
	const char *type = yml_str(y, "type", "", e);
	bool del = yml_bool(y, "delete", false, e);
	const struct yml *data = yml_get(y, "data");
	bool named = yml_get(y, "value") != NULL;
	const char *value = yml_str(y, "value", "", e);
	struct recipe_action *x;

	if (yml_end(y, e) < 0)
		return -1;
	if (*from != '\0' && *key == '\0' && !del && !named && data == NULL &&
	    *type == '\0')
		return add_from(r, s, RECIPE_IMPORT, y, from, e);
	if (*from != '\0' || *key == '\0' ||
	    (del ? data != NULL || *type != '\0' :
		   data == NULL || *type == '\0' || !named))
		return yml_err(y, e, "needs import; or key, value, type and "
			       "data; or key and delete: true, with value or "
			       "without");
	x = add(s, del ? RECIPE_UNSET : RECIPE_SET, y, e);
	if (x == NULL)
		return -1;
	x->to = key;
	x->value = named ? strcmp(value, "@") == 0 ? "" : value : NULL;
	x->type = type;
	return del ? 0 : read_words(x, data, e);
}

static int
one_text(const struct yml *y, const char *what, struct err *e)
{
	if (y->kind == YML_SCALAR && y->len > 0 &&
	    memchr(y->text, '\0', y->len) == NULL)
		return 0;
	return yml_err(y, e, "must be %s", what);
}

static int
read_platform(const struct recipe *r, struct recipe_step *s, struct yml *y,
	      struct err *e)
{
	struct recipe_action *x;
	size_t len = y->len;

	if (one_text(y, "a platform", e) < 0)
		return -1;
	/* as --platform tells names from files */
	if (strchr(y->text, '/') != NULL ||
	    (len > 5 && strcmp(y->text + len - 5, ".yaml") == 0))
		return add_from(r, s, RECIPE_PLATFORM, y, y->text, e);
	x = add(s, RECIPE_PLATFORM, y, e);
	if (x == NULL)
		return -1;
	x->ships = true;
	x->from = mem_str(y->text, e);
	return x->from == NULL ? -1 : 0;
}

static int
read_command(const struct recipe *r, struct recipe_step *s, struct yml *y,
	     struct err *e)
{
	return one_text(y, "a command file", e) < 0 ? -1 :
	       add_from(r, s, RECIPE_COMMAND, y, y->text, e);
}

static int
read_drivers(const struct recipe *r, struct recipe_step *s, struct yml *step,
	     struct err *e)
{
	const struct yml *list = yml_list(step, "drivers", e);

	for (size_t i = 0; list != NULL && i < list->count; i++)
		if (one_text(&list->at[i], "a folder", e) < 0 ||
		    add_from(r, s, RECIPE_DRIVERS, &list->at[i],
			     list->at[i].text, e) < 0)
			return -1;
	return 0;
}

static int (*const readers[RECIPE_KINDS])(const struct recipe *r,
					  struct recipe_step *s, struct yml *y,
					  struct err *e) = {
	read_file, read_value, read_platform, read_command,
};

/* ---- the recipe ---------------------------------------------------------- */

static int
read_step(struct recipe *r, struct yml *y, struct err *e)
{
	struct recipe_step *s = &r->step[r->steps++];
	const struct yml *list = NULL;
	const char *name = yml_str(y, "name", "", e);

	if (y->kind != YML_MAP)
		return yml_err(y, e, "a step must be a map");
	for (size_t k = 0; k < RECIPE_KINDS; k++) {
		const struct yml *found = yml_list(y, kinds[k], e);

		if (found != NULL && list != NULL)
			return yml_err(y, e, "a step is one of files, "
				       "registry, platforms, first-boot; this "
				       "has two of them");
		if (found != NULL) {
			list = found;
			s->kind = (enum recipe_kind)k;
		}
	}
	if (e->kind != ERR_NONE)
		return -1;
	if (list == NULL)
		return yml_err(y, e, "a step needs one of files, registry, "
			       "platforms, first-boot");
	if (list->count == 0)
		return yml_err(list, e, "%s is empty", kinds[s->kind]);
	s->name = *name != '\0' ? name : kinds[s->kind];
	for (size_t i = 0; i < list->count; i++)
		if (readers[s->kind](r, s, &list->at[i], e) < 0)
			return -1;
	if (s->kind == RECIPE_PLATFORMS && read_drivers(r, s, y, e) < 0)
		return -1;
	return yml_end(y, e);
}

/* A base is a path if it looks like one, or a file of that name is there. */
static int
read_base(struct recipe *r, const char *base, struct err *e)
{
	r->base = path_here(r, base, e);
	if (r->base == NULL)
		return -1;
	if (strchr(base, '/') != NULL || access(r->base, F_OK) == 0)
		return 0;
	free(r->base);
	r->base = mem_str(base, e);
	r->base_is_version = true;
	return r->base == NULL ? -1 : 0;
}

static int
read_all(struct recipe *r, struct err *e)
{
	const char *base = yml_str(r->doc, "base", YML_NEEDED, e);
	const struct yml *steps = yml_list(r->doc, "steps", e);

	r->name = yml_str(r->doc, "name", YML_NEEDED, e);
	if (e->kind != ERR_NONE || read_base(r, base, e) < 0)
		return -1;
	if (!st_name_ok(r->name) || strlen(r->name) > ST_NAME_MAX - 6)
		return yml_err(yml_get(r->doc, "name"), e, "is no name for an "
			       "image: at most %d letters, digits, '.', '_', "
			       "'-'", ST_NAME_MAX - 6);
	if (steps == NULL || steps->count == 0 || steps->count > STEPS_MAX)
		return yml_err(steps == NULL ? r->doc : steps, e, "steps must "
			       "be a list of 1 to %d", STEPS_MAX);
	r->step = mem_array(steps->count, sizeof(*r->step), e);
	if (r->step == NULL)
		return -1;
	for (size_t i = 0; i < steps->count; i++)
		if (read_step(r, &steps->at[i], e) < 0)
			return -1;
	return yml_end(r->doc, e);
}

int
recipe_load(const char *path, const struct cli_list *sets, struct recipe *ret,
	    struct err *e)
{
	RECIPE_SCOPED struct recipe r = RECIPE_EMPTY;
	SCOPED_FREE uint8_t *text = NULL;
	const char *slash = strrchr(path, '/');
	size_t len;

	if (io_slurp(path, RECIPE_MAX, &text, &len, e) < 0)
		return -1;
	hash_of(text, len, r.hash);
	r.doc = yml_parse(path, text, len, e);
	r.folder = mem_strn(path, slash == NULL ? 0 : (size_t)(slash - path) + 1,
			    e);
	if (r.doc == NULL || r.folder == NULL ||
	    recipe_set(r.doc, sets, e) < 0 || read_all(&r, e) < 0)
		return -1;
	*ret = TAKE(r);
	return 0;
}
