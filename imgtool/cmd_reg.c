/* cmd_reg.c - imgtool reg get, ls, export: looking into the registry
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "hive/regtext.h"
#include "imgtool/cmd.h"
#include "imgtool/reg.h"

static int
print_values(const struct hv_key *k, struct err *e)
{
	for (const struct hv_value *v = hv_value_first(k); v != NULL;
	     v = hv_value_next(v)) {
		SCOPED_FREE char *name = hv_value_name(v, e);
		char room[16];

		if (name == NULL)
			return -1;
		reg_print_text(stdout, name[0] == '\0' ? "@" : name);
		(void)printf("\t%s\t", reg_type_name(hv_data(v).type, room));
		if (reg_print_data(stdout, hv_data(v), "\\0", e) < 0)
			return -1;
		(void)putchar('\n');
	}
	return 0;
}

static int
json_values(struct js *j, const struct hv_key *k, struct err *e)
{
	struct js *list = js_list(j, "values");

	for (const struct hv_value *v = hv_value_first(k); v != NULL;
	     v = hv_value_next(v))
		if (reg_json_value(js_item(list), v, e) < 0)
			return -1;
	return 0;
}

/* ---- get ------------------------------------------------------------------ */

static int
print_key(const struct cli_args *a, const struct hv_key *k, struct err *e)
{
	JS_SCOPED struct js *j = NULL;

	if (!a->json)
		return print_values(k, e);
	j = js_new("imgtool reg get", 1, e);
	if (j == NULL)
		return -1;
	js_str(j, "key", a->at[1]);
	return json_values(j, k, e) < 0 ? -1 : js_print(j, stdout, e);
}

static int
print_value(const struct cli_args *a, const struct hv_value *v, struct err *e)
{
	JS_SCOPED struct js *j = NULL;

	if (!a->json) {
		if (reg_print_data(stdout, hv_data(v), "\n", e) < 0)
			return -1;
		(void)putchar('\n');
		return 0;
	}
	j = js_new("imgtool reg get", 1, e);
	if (j == NULL)
		return -1;
	js_str(j, "key", a->at[1]);
	if (reg_json_value(j, v, e) < 0)
		return -1;
	return js_print(j, stdout, e);
}

static int
get(const struct cli_args *a, struct err *e)
{
	REG_SCOPED struct reg r = { .operand = NULL };
	char quoted[512];

	if (reg_open(a, HV_LOGS_READ, &r, e) < 0)
		return -1;
	const struct hv_key *k = reg_key(&r, a->at[1], e);
	if (k == NULL)
		return -1;
	if (a->count < 3)
		return print_key(a, k, e);
	const char *name = strcmp(a->at[2], "@") == 0 ? "" : a->at[2];
	const struct hv_value *v = hv_value(k, name);
	if (v == NULL)
		return err_set(e, ERR_NO, "%s: key has no value %s", r.operand,
			       err_quote(quoted, sizeof(quoted), a->at[2],
					 strlen(a->at[2])));
	return print_value(a, v, e);
}

const struct cli_cmd cmd_reg_get = {
	.name = "reg get", .operands = "DISK|HIVE KEY [VALUE]",
	.help = "print a value, or all values of a key",
	.common = CLI_JSON | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		  CLI_FORMAT | CLI_STATE,
	.min_operands = 2, .max_operands = 3, .run = get,
};

/* ---- ls ------------------------------------------------------------------- */

static int
json_ls(const char *key, const struct hv_key *k, struct err *e)
{
	JS_SCOPED struct js *j = js_new("imgtool reg ls", 1, e);

	if (j == NULL)
		return -1;
	js_str(j, "key", key);
	struct js *keys = js_list(j, "keys");
	for (const struct hv_key *s = hv_first(k); s != NULL; s = hv_next(s)) {
		SCOPED_FREE char *name = hv_name(s, e);

		if (name == NULL)
			return -1;
		js_item_str(keys, name);
	}
	return json_values(j, k, e) < 0 ? -1 : js_print(j, stdout, e);
}

static int
ls(const struct cli_args *a, struct err *e)
{
	REG_SCOPED struct reg r = { .operand = NULL };

	if (reg_open(a, HV_LOGS_READ, &r, e) < 0)
		return -1;
	const struct hv_key *k = reg_key(&r, a->count > 1 ? a->at[1] : "", e);
	if (k == NULL)
		return -1;
	if (a->json)
		return json_ls(a->count > 1 ? a->at[1] : "", k, e);
	for (const struct hv_key *s = hv_first(k); s != NULL; s = hv_next(s)) {
		SCOPED_FREE char *name = hv_name(s, e);

		if (name == NULL)
			return -1;
		reg_print_text(stdout, name);
		(void)puts("\\");
	}
	return print_values(k, e);
}

const struct cli_cmd cmd_reg_ls = {
	.name = "reg ls", .operands = "DISK|HIVE [KEY]",
	.help = "list the subkeys and values of a key",
	.common = CLI_JSON | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		  CLI_FORMAT | CLI_STATE,
	.min_operands = 1, .max_operands = 2, .run = ls,
};

/* ---- export --------------------------------------------------------------- */

static const char *export_to, *export_prefix;

static const struct cli_opt export_opts[] = {
	{ .name = "output", .letter = 'o', .arg = "FILE",
	  .help = "write UTF-16 to FILE, as regedit does, not UTF-8 to "
		  "standard output",
	  .value = &export_to },
	{ .name = "prefix", .arg = "KEY",
	  .help = "what stands for the root of a hive file in the text",
	  .value = &export_prefix },
	{ .name = NULL }
};

/* What the text calls the key. */
static char *
export_name(const struct reg *r, const char *key, struct err *e)
{
	const char *prefix = export_prefix != NULL ? export_prefix : "";

	if (r->disk != NULL)
		return hv_reg_full(key, e);
	key += key[0] == '\\';
	return mem_fmt(e, "%s%s%s", prefix, key[0] != '\0' ? "\\" : "", key);
}

static int
export(const struct cli_args *a, struct err *e)
{
	REG_SCOPED struct reg r = { .operand = NULL };
	BUF_SCOPED struct buf out = BUF_EMPTY;

	if (export_to != NULL && cli_new_output(a, export_to, e) < 0)
		return -1;
	if (reg_open(a, HV_LOGS_READ, &r, e) < 0)
		return -1;
	const struct hv_key *k = reg_key(&r, a->count > 1 ? a->at[1] : "", e);
	if (k == NULL)
		return -1;
	SCOPED_FREE char *name = export_name(&r, a->count > 1 ? a->at[1] : "", e);
	if (name == NULL)
		return -1;
	if (hv_reg_write(k, name, export_to != NULL ?
			 HV_REG_UTF16 : HV_REG_UTF8, &out, e) < 0)
		return -1;
	if (export_to != NULL)
		return io_put(export_to, out.at, out.len, 0666, e);
	(void)fwrite(out.at, 1, out.len, stdout);
	return 0;
}

const struct cli_cmd cmd_reg_export = {
	.name = "reg export", .operands = "DISK|HIVE [KEY]",
	.help = "print a key and all below it as .reg text",
	.opts = export_opts,
	.common = CLI_FORCE | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		  CLI_FORMAT | CLI_STATE,
	.min_operands = 1, .max_operands = 2, .run = export,
};
