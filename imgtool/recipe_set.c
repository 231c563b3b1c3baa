/* recipe_set.c - see recipe_set.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "imgtool/recipe_set.h"

#include <string.h>

#include "base/buf.h"
#include "base/cli.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/yaml.h"

/* What --set says of a variable, the last word first; NULL: nothing. */
static const char *
given(const struct cli_list *sets, const char *name, size_t len)
{
	for (size_t i = sets->count; i > 0; i--) {
		const char *set = sets->at[i - 1];

		if (strncmp(set, name, len) == 0 && set[len] == '=')
			return set + len + 1;
	}
	return NULL;
}

static const char *
value_of(const struct yml *variables, const struct cli_list *sets,
	 const char *name, size_t len)
{
	for (size_t i = 0; variables != NULL && i < variables->count; i++)
		if (variables->keys[i].len == len &&
		    memcmp(variables->keys[i].text, name, len) == 0) {
			const char *set = given(sets, name, len);

			return set != NULL ? set : variables->at[i].text;
		}
	return NULL;
}

/* Each one of --set must be a variable of the recipe, and each variable have a
 * value. */
static int
check(const struct yml *doc, const struct yml *variables,
      const struct cli_list *sets, struct err *e)
{
	char shown[128];

	for (size_t i = 0; i < sets->count; i++) {
		size_t len = strcspn(sets->at[i], "=");

		(void)err_quote(shown, sizeof(shown), sets->at[i], len);
		if (sets->at[i][len] == '\0')
			return err_set(e, ERR_USAGE, "--set: VARIABLE=VALUE, "
				       "not %s", shown);
		if (value_of(variables, sets, sets->at[i], len) == NULL)
			return yml_err(variables == NULL ? doc : variables, e,
				       "has no variable %s, which --set sets",
				       shown);
	}
	for (size_t i = 0; variables != NULL && i < variables->count; i++) {
		const struct yml *v = &variables->at[i], *k = &variables->keys[i];

		(void)err_quote(shown, sizeof(shown), k->text, k->len);
		if (v->kind != YML_SCALAR)
			return yml_err(v, e, "%s must be one value", shown);
		if (v->plain && strcmp(v->text, "~") == 0 &&
		    given(sets, k->text, k->len) == NULL)
			return yml_err(v, e, "%s has no value; give it with "
				       "--set %s=VALUE", shown, shown);
	}
	return 0;
}

/* One scalar. */
static int
expand(struct yml *y, const struct yml *variables, const struct cli_list *sets,
       struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	const char *at = y->text, *dollar;
	char shown[128];

	if (memchr(y->text, '\0', y->len) != NULL ||
	    strstr(y->text, "${") == NULL)
		return 0;
	while ((dollar = strstr(at, "${")) != NULL) {
		if (dollar > at && dollar[-1] == '$') {
			buf_bytes(&b, at, (size_t)(dollar - at) - 1);
			buf_str(&b, "${");
			at = dollar + 2;
			continue;
		}
		const char *name = dollar + 2;
		size_t len = strcspn(name, "}");
		const char *value = value_of(variables, sets, name, len);

		(void)err_quote(shown, sizeof(shown), name, len);
		if (name[len] == '\0')
			return yml_err(y, e, "\"${\" without \"}\"; write "
				       "\"$${\" for a dollar and a brace");
		if (value == NULL)
			return yml_err(y, e, "there is no variable %s under "
				       "\"variables\"", shown);
		buf_bytes(&b, at, (size_t)(dollar - at));
		buf_str(&b, value);
		at = name + len + 1;
	}
	buf_str(&b, at);
	size_t len = b.len;
	char *text = buf_take_str(&b, e);
	if (text == NULL)
		return -1;
	free(y->text);
	y->text = text;
	y->len = len;
	return 0;
}

static int
expand_all(struct yml *y, const struct yml *variables,
	   const struct cli_list *sets, struct err *e)
{
	if (y == variables)
		return 0;
	if (y->kind == YML_SCALAR)
		return expand(y, variables, sets, e);
	for (size_t i = 0; i < y->count; i++)
		if (expand_all(&y->at[i], variables, sets, e) < 0)
			return -1;
	return 0;
}

int
recipe_set(struct yml *doc, const struct cli_list *sets, struct err *e)
{
	struct yml *variables = yml_map(doc, "variables", e);

	if (e->kind != ERR_NONE || check(doc, variables, sets, e) < 0)
		return -1;
	return expand_all(doc, variables, sets, e);
}
