/* cmd_reg_edit.c - imgtool reg set, delete, import: changing the registry
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <string.h>

#include "base/cli.h"
#include "base/err.h"
#include "hive/regtext.h"
#include "imgtool/cmd.h"
#include "imgtool/reg.h"

static bool discard;
static const char *import_prefix;

#define DISCARD								\
	{ .name = "discard-logs",					\
	  .help = "go on without what damaged or missing logs held",	\
	  .flag = &discard }

static const struct cli_opt opts[] = {
	DISCARD,
	{ .name = NULL }
};

static enum hv_logs
how(void)
{
	return discard ? HV_LOGS_DISCARD : HV_LOGS_REPLAY;
}

static const char *
value_name(const char *operand)
{
	return strcmp(operand, "@") == 0 ? "" : operand;
}

/* ---- set ------------------------------------------------------------------ */

static int
set(const struct cli_args *a, struct err *e)
{
	REG_SCOPED struct reg r = { .operand = NULL };
	BUF_SCOPED struct buf data = BUF_EMPTY;
	uint32_t type;

	if (reg_parse_data(a->at[3], a->at + 4, a->count - 4, &type, &data,
			   e) < 0 ||
	    reg_open(a, a->at[1], how(), &r, e) < 0)
		return -1;
	struct hv_key *k = hv_create(hv_root(r.hive), r.key, e);
	if (k == NULL || hv_set(k, value_name(a->at[2]), type, data.at,
				data.len, e) < 0)
		return err_ctx(e, "%s", r.operand);
	return reg_commit(a, &r, e);
}

const struct cli_cmd cmd_reg_set = {
	.name = "reg set", .operands = "HIVE KEY VALUE TYPE DATA...",
	.help = "set a value, creating its key if need be",
	.opts = opts, .common = CLI_DRY_RUN, .min_operands = 4,
	.max_operands = SIZE_MAX, .run = set,
};

/* ---- delete --------------------------------------------------------------- */

static int
delete(const struct cli_args *a, struct err *e)
{
	REG_SCOPED struct reg r = { .operand = NULL };
	char quoted[512];

	if (reg_open(a, a->at[1], how(), &r, e) < 0)
		return -1;
	struct hv_key *k = reg_key(&r, e);
	if (k == NULL)
		return -1;
	if (a->count < 3) {
		if (hv_delete(k, e) < 0)
			return -1;
		return reg_commit(a, &r, e);
	}
	struct hv_value *v = hv_value(k, value_name(a->at[2]));
	if (v == NULL)
		return err_set(e, ERR_NO, "%s: key has no value %s", r.operand,
			       err_quote(quoted, sizeof(quoted), a->at[2],
					 strlen(a->at[2])));
	hv_unset(k, v);
	return reg_commit(a, &r, e);
}

const struct cli_cmd cmd_reg_delete = {
	.name = "reg delete", .operands = "HIVE KEY [VALUE]",
	.help = "delete a value, or a key and all below it",
	.opts = opts, .common = CLI_DRY_RUN, .min_operands = 2,
	.max_operands = 3, .run = delete,
};

/* ---- import --------------------------------------------------------------- */

static const struct cli_opt import_opts[] = {
	DISCARD,
	{ .name = "prefix", .arg = "KEY",
	  .help = "what stands for the root of a hive file in the text",
	  .value = &import_prefix },
	{ .name = NULL }
};

struct importing {
	struct reg *reg;
	const char *name;
};

static int
one_statement(void *ctx, const struct hv_reg *s, struct err *e)
{
	struct importing *im = ctx;
	const char *prefix = import_prefix != NULL ? import_prefix : "";
	const char *path = hv_reg_below(s->path, prefix);
	char quoted[512];

	if (path == NULL || (prefix[0] == '\0' &&
			     strncmp(path, "HKEY_", strlen("HKEY_")) == 0))
		return err_set(e, ERR_USAGE, "%s: line %u: key %s is not below the "
			       "--prefix that stands for the hive's root",
			       im->name, s->line,
			       err_quote(quoted, sizeof(quoted), s->path,
					 strlen(s->path)));
	if (hv_reg_do(im->reg->hive, path, s, e) < 0)
		return err_ctx(e, "%s: line %u", im->name, s->line);
	return 0;
}

static int
import(const struct cli_args *a, struct err *e)
{
	REG_SCOPED struct reg r = { .operand = NULL };
	BUF_SCOPED struct buf text = BUF_EMPTY;
	struct importing im = { .reg = &r, .name = a->at[1] };

	if (reg_read_text(a->at[1], &text, e) < 0 ||
	    reg_open(a, "", how(), &r, e) < 0 ||
	    hv_reg_read(im.name, text.at, text.len, one_statement, &im, e) < 0)
		return -1;
	return reg_commit(a, &r, e);
}

const struct cli_cmd cmd_reg_import = {
	.name = "reg import", .operands = "HIVE FILE.reg",
	.help = "carry out the text that regedit exports",
	.opts = import_opts, .common = CLI_DRY_RUN, .min_operands = 2,
	.max_operands = 2, .run = import,
};
