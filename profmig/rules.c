/* rules.c - see rules.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/rules.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/utf.h"
#include "base/yaml.h"

enum { RULE_BYTES_MAX = 1 << 20 };

static const char *const do_words[] = {
	"drop", "copy", "rewrite", "if-exists", "low-dword", "taskbar",
	"shell-state", "cabinet-state", "or", "path-list", "locale",
	"wallpaper", "connections", "redirect", "blob", "mapi", "layout",
	"printer", NULL
};
static const char *const conflict_words[] = {
	"both", "target", "source", "newer", NULL
};
static const char *const account_words[] = {
	"any", "same", "other", NULL
};
static const char *const content_words[] = {
	"as-is", "text", "links", NULL
};

const char *
pm_do_name(enum pm_do how)
{
	return do_words[how];
}

const char *
pm_place_name(unsigned place)
{
	return place < WN_FOLDERS ? wn_folder_name((enum wn_folder)place) :
		place == PM_PROFILE ? "profile" : "public";
}

static void
words_done(struct pm_words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->at[i]);
	free(w->at);
}

static void
rule_done(struct pm_rule *r)
{
	for (size_t i = 0; i < r->registries; i++) {
		struct pm_registry *g = &r->registry[i];

		free(g->key);
		free(g->to_key);
		words_done(&g->keys);
		words_done(&g->values);
		words_done(&g->except);
		free(g->to_value);
		free(g->why);
	}
	for (size_t i = 0; i < r->files; i++) {
		struct pm_files *f = &r->file_set[i];

		free(f->path);
		free(f->to_path);
		free(f->to_name);
		words_done(&f->only);
		words_done(&f->except);
		free(f->why);
	}
	free(r->name);
	free(r->about);
	free(r->usmt);
	free(r->file);
	free(r->registry);
	free(r->file_set);
	*r = (struct pm_rule){ .name = NULL };
}

void
pm_rules_done(struct pm_rules *r)
{
	for (size_t i = 0; i < r->count; i++)
		rule_done(&r->at[i]);
	free(r->at);
	*r = (struct pm_rules)PM_RULES_EMPTY;
}

/* A copy of an optional string; *ret stays NULL when it is absent. */
static int
get_text(struct yml *map, const char *key, char **ret, struct err *e)
{
	const char *text = yml_str(map, key, "", e);

	if (e->kind != ERR_NONE)
		return -1;
	if (text == NULL || text[0] == '\0')
		return 0;
	*ret = mem_str(text, e);
	return *ret == NULL ? -1 : 0;
}

static int
get_words(struct yml *map, const char *key, struct pm_words *ret,
	  struct err *e)
{
	struct yml *list = yml_list(map, key, e);

	if (list == NULL)
		return e->kind == ERR_NONE ? 0 : -1;
	ret->at = mem_array(list->count, sizeof(*ret->at), e);
	if (ret->at == NULL)
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		if (list->at[i].kind != YML_SCALAR)
			return yml_err(&list->at[i], e, "%s must be a list of "
				       "words", key);
		ret->at[i] = mem_str(list->at[i].text, e);
		if (ret->at[i] == NULL)
			return -1;
		ret->count++;
	}
	return 0;
}

/* "from: [xp, vista]": a set; without the key, every version. */
static int
get_versions(struct yml *map, const char *key, unsigned *ret, struct err *e)
{
	static const struct {
		const char *word;
		enum wn_generation g;
	} versions[] = {
		{ "2000", WN_2000 }, { "xp", WN_XP }, { "2003", WN_2003 },
		{ "vista", WN_VISTA }, { "7", WN_7 }, { "8", WN_8 },
		{ "8.1", WN_8_1 }, { "10", WN_10 }, { "11", WN_11 },
	};
	struct yml *list = yml_list(map, key, e);

	*ret = list == NULL ? ~0u : 0;
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		unsigned bit = 0;

		for (size_t k = 0; list->at[i].kind == YML_SCALAR &&
		     k < sizeof(versions) / sizeof(versions[0]); k++)
			if (strcmp(versions[k].word, list->at[i].text) == 0)
				bit = 1u << versions[k].g;
		if (bit == 0)
			return yml_err(&list->at[i], e, "no such Windows; "
				       "there are 2000 xp 2003 vista 7 8 8.1 "
				       "10 11");
		*ret |= bit;
	}
	return e->kind == ERR_NONE ? 0 : -1;
}

/* A key is below HKCU, without slashes at its ends. */
static int
check_path(const struct yml *at, const char *path, struct err *e)
{
	size_t n = strlen(path);

	if (n > 0 && (path[0] == '\\' || path[n - 1] == '\\' ||
		      strstr(path, "\\\\") != NULL ||
		      strchr(path, '/') != NULL))
		return yml_err(at, e, "%s: no path; write it as a\\b", path);
	return 0;
}

/* Is it in the hive of classes, which is never carried? */
static bool
is_classes(const char *key)
{
	static const char classes[] = "Software\\Classes";
	const size_t n = sizeof(classes) - 1;

	return strncasecmp(key, classes, n) == 0 &&
		(key[n] == '\0' || key[n] == '\\');
}

static int
get_registry(struct yml *map, struct pm_registry *g, struct err *e)
{
	if (map->kind != YML_MAP)
		return yml_err(map, e, "an entry must be a map");
	g->line = map->line;
	const char *key = yml_str(map, "key", YML_NEEDED, e);
	const char *to = yml_str(map, "to-key", "", e);
	size_t how = yml_word(map, "do", do_words, PM_DO_COUNT, e);
	g->below = yml_bool(map, "below", false, e);
	if (get_words(map, "keys", &g->keys, e) < 0 ||
	    get_words(map, "values", &g->values, e) < 0 ||
	    get_words(map, "except", &g->except, e) < 0 ||
	    get_text(map, "to-value", &g->to_value, e) < 0 ||
	    get_text(map, "why", &g->why, e) < 0 || yml_end(map, e) < 0)
		return -1;
	if (how == PM_DO_COUNT)
		return yml_err(map, e, "do is missing");
	g->how = (enum pm_do)how;
	if (check_path(map, key, e) < 0 || check_path(map, to, e) < 0)
		return -1;
	if (g->to_value != NULL && g->values.count != 1)
		return yml_err(map, e, "to-value needs exactly one of values");
	if (g->how != PM_DROP && is_classes(key))
		return yml_err(map, e, "file associations and classes can only "
			       "be dropped");
	if (g->how == PM_DROP && g->why == NULL)
		return yml_err(map, e, "what is dropped needs a why");
	g->key = mem_str(key, e);
	g->to_key = mem_str(to[0] == '\0' ? key : to, e);
	return g->key == NULL || g->to_key == NULL ? -1 : 0;
}

static int
get_place(struct yml *map, const char *key, unsigned otherwise, unsigned *ret,
	  struct err *e)
{
	const char *word = yml_str(map, key, otherwise == PM_PLACES ?
				   YML_NEEDED : pm_place_name(otherwise), e);

	if (e->kind != ERR_NONE)
		return -1;
	for (unsigned i = 0; i < PM_PLACES; i++)
		if (strcmp(pm_place_name(i), word) == 0) {
			*ret = i;
			return 0;
		}
	return yml_err(map, e, "%s: no such folder", word);
}

static int
get_files(struct yml *map, struct pm_files *f, struct err *e)
{
	if (map->kind != YML_MAP)
		return yml_err(map, e, "an entry must be a map");
	f->line = map->line;
	if (get_place(map, "folder", PM_PLACES, &f->place, e) < 0 ||
	    get_place(map, "to", f->place, &f->to_place, e) < 0)
		return -1;
	const char *path = yml_str(map, "path", "", e);
	const char *to = yml_str(map, "to-path", path == NULL ? "" : path, e);
	f->drop = yml_bool(map, "drop", false, e);
	f->conflict = (enum pm_conflict)yml_word(map, "conflict",
						 conflict_words, PM_BOTH, e);
	f->content = (enum pm_content)yml_word(map, "content", content_words,
					       PM_AS_IS, e);
	if (get_words(map, "only", &f->only, e) < 0 ||
	    get_words(map, "except", &f->except, e) < 0 ||
	    get_text(map, "to-name", &f->to_name, e) < 0 ||
	    get_text(map, "why", &f->why, e) < 0 || yml_end(map, e) < 0)
		return -1;
	if (check_path(map, path, e) < 0 || check_path(map, to, e) < 0)
		return -1;
	if (f->to_name != NULL && (f->only.count != 1 ||
				   strpbrk(f->only.at[0], "*?") != NULL))
		return yml_err(map, e, "to-name needs exactly one name in "
			       "only");
	if (f->drop && f->why == NULL)
		return yml_err(map, e, "what is dropped needs a why");
	f->path = mem_str(path, e);
	f->to_path = mem_str(to, e);
	return f->path == NULL || f->to_path == NULL ? -1 : 0;
}

static int
get_entries(struct yml *doc, struct pm_rule *r, struct err *e)
{
	struct yml *registry = yml_list(doc, "registry", e);
	struct yml *files = yml_list(doc, "files", e);

	if (e->kind != ERR_NONE)
		return -1;
	if ((registry != NULL && registry->count > PM_ENTRIES_MAX) ||
	    (files != NULL && files->count > PM_ENTRIES_MAX))
		return yml_err(doc, e, "more than %d entries", PM_ENTRIES_MAX);
	if (registry != NULL) {
		r->registry = mem_array(registry->count, sizeof(*r->registry),
					e);
		if (r->registry == NULL)
			return -1;
		for (size_t i = 0; i < registry->count; i++)
			if (get_registry(&registry->at[i],
					 &r->registry[r->registries++], e) < 0)
				return -1;
	}
	if (files != NULL) {
		r->file_set = mem_array(files->count, sizeof(*r->file_set), e);
		if (r->file_set == NULL)
			return -1;
		for (size_t i = 0; i < files->count; i++)
			if (get_files(&files->at[i], &r->file_set[r->files++],
				      e) < 0)
				return -1;
	}
	return 0;
}

static int
get_rule(struct yml *doc, struct pm_rule *r, struct err *e)
{
	if (doc->kind != YML_MAP)
		return yml_err(doc, e, "a rule must be a map");
	const char *name = yml_str(doc, "rule", YML_NEEDED, e);
	const char *about = yml_str(doc, "about", YML_NEEDED, e);
	if (e->kind != ERR_NONE)
		return -1;
	r->name = mem_str(name, e);
	r->about = mem_str(about, e);
	r->account = (enum pm_account)yml_word(doc, "account", account_words,
					       PM_ANY_ACCOUNT, e);
	if (r->name == NULL || r->about == NULL ||
	    get_text(doc, "usmt", &r->usmt, e) < 0 ||
	    get_versions(doc, "from", &r->from, e) < 0 ||
	    get_versions(doc, "to", &r->to, e) < 0 ||
	    get_entries(doc, r, e) < 0)
		return -1;
	return yml_end(doc, e);
}

int
pm_rules_add(struct pm_rules *r, const char *file, const void *text,
	     size_t len, struct err *e)
{
	YML_SCOPED struct yml *doc = yml_parse(file, text, len, e);
	struct pm_rule one = { .name = NULL };

	if (doc == NULL)
		return -1;
	one.file = mem_str(file, e);
	if (one.file == NULL || get_rule(doc, &one, e) < 0) {
		rule_done(&one);
		return -1;
	}
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->at[i].name, one.name) == 0) {
			rule_done(&r->at[i]);
			r->at[i] = one;
			return 0;
		}
	if (r->count == PM_RULES_MAX ||
	    mem_grow(&r->at, &r->cap, r->count + 1, sizeof(*r->at), e) < 0) {
		rule_done(&one);
		return err_set(e, ERR_USAGE, "%s: more than %d rules", file,
			       PM_RULES_MAX);
	}
	r->at[r->count++] = one;
	return 0;
}

static int
is_rule(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 &&
		strcmp(d->d_name + n - 5, ".yaml") == 0;
}

static int
load_dir(struct pm_rules *r, const char *dir, struct err *e)
{
	struct dirent **list;
	int n = scandir(dir, &list, is_rule, alphasort), bad = 0;

	if (n < 0)
		return err_sys(e, "%s", dir);
	for (int i = 0; i < n; i++) {
		SCOPED_FREE char *path = NULL;
		SCOPED_FREE uint8_t *text = NULL;
		size_t len;

		if (bad == 0) {
			path = io_join(dir, list[i]->d_name, e);
			if (path == NULL ||
			    io_slurp(path, RULE_BYTES_MAX, &text, &len,
				     e) < 0 ||
			    pm_rules_add(r, path, text, len, e) < 0)
				bad = -1;
		}
		free(list[i]);
	}
	free(list);
	return bad;
}

int
pm_rules_load(struct pm_rules *r, const char *const *dirs, size_t count,
	      struct err *e)
{
	SCOPED_FREE char *shipped = io_shipped("profmig/rules", e);

	if (shipped == NULL || load_dir(r, shipped, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (load_dir(r, dirs[i], e) < 0)
			return -1;
	return 0;
}

bool
pm_pattern(const char *pattern, const char *name)
{
	const char *star = NULL, *again = NULL;

	while (*name != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			again = name;
		} else if (*pattern == '?' ||
			   tolower((unsigned char)*pattern) ==
			   tolower((unsigned char)*name)) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star;
			name = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
