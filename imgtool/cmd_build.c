/* cmd_build.c - imgtool build: a recipe becomes a version
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "crypt/hash.h"
#include "imgtool/build.h"
#include "imgtool/cmd.h"
#include "imgtool/recipe.h"

static bool check;
static struct cli_list sets;

static int
print_json(const struct recipe *r, const struct built *b, struct err *e)
{
	JS_SCOPED struct js *j = js_new("imgtool build", 1, e);
	char hash[2 * HASH_BYTES + 1], key[CX_HEX_ROOM];
	struct js *list;

	if (j == NULL)
		return -1;
	hash_text(r->hash, hash);
	js_str(j, "name", r->name);
	js_u64(j, "version", b->ref.number);
	js_str(j, "base", b->base);
	js_str(j, "recipe", hash);
	js_bool(j, "changed", b->changed);
	list = js_list(j, "steps");
	for (size_t i = 0; i < r->steps; i++) {
		struct js *one = js_item(list);

		cx_hex(key, r->step[i].key, CX_HASH_BYTES);
		js_str(one, "name", r->step[i].name);
		js_str(one, "kind", recipe_kind_name(r->step[i].kind));
		js_str(one, "key", key);
		js_bool(one, "reused", i < b->reused);
	}
	list = js_list(j, "platforms");
	for (size_t i = 0; i < b->platforms.count; i++) {
		struct js *one = js_item(list);

		js_str(one, "name", b->platforms.at[i].name);
		js_bool(one, "boots", b->platforms.at[i].why == NULL);
		js_str(one, "why", b->platforms.at[i].why);
	}
	return js_print(j, stdout, e);
}

static void
print_text(const struct built *b)
{
	char why[512];

	if (b->ref.number > 0)
		(void)printf("%s:%llu\n", b->ref.name,
			     (unsigned long long)b->ref.number);
	for (size_t i = 0; i < b->platforms.count; i++) {
		const struct build_platform *p = &b->platforms.at[i];

		if (p->why == NULL)
			(void)printf("%-20s YES\n", p->name);
		else
			(void)printf("%-20s NO  %s\n", p->name,
				     err_quote(why, sizeof(why), p->why,
					       strlen(p->why)));
	}
	if (!b->changed)
		log_note("nothing to do: %s:%llu is what this recipe makes",
			 b->ref.name, (unsigned long long)b->ref.number);
}

static int
build(const struct cli_args *a, struct err *e)
{
	RECIPE_SCOPED struct recipe r = RECIPE_EMPTY;
	BUILT_SCOPED struct built b = BUILT_EMPTY;

	if (recipe_load(a->at[0], &sets, &r, e) < 0 ||
	    build_run(a, &r, check, &b, e) < 0)
		return -1;
	if (a->json) {
		if (print_json(&r, &b, e) < 0)
			return -1;
	} else {
		print_text(&b);
	}
	for (size_t i = 0; i < b.platforms.count; i++)
		if (b.platforms.at[i].why != NULL)
			return err_set(e, ERR_NO, "%s: is not proven to boot "
				       "on every platform of its recipe", r.name);
	return 0;
}

static const struct cli_opt opts[] = {
	{ .name = "check", .help = "do everything but store it", .flag = &check },
	{ .name = "set", .arg = "VARIABLE=VALUE",
	  .help = "give a variable of the recipe a value; may be repeated",
	  .list = &sets },
	{ .name = NULL }
};

const struct cli_cmd cmd_build = {
	.name = "build", .operands = "RECIPE.yaml",
	.help = "make the version that a recipe describes", .opts = opts,
	.common = CLI_REPO | CLI_KEY | CLI_JSON | CLI_ROOT | CLI_STATE |
		  CLI_FORMAT,
	.min_operands = 1, .max_operands = 1, .run = build,
};
