/* cmd_reg_edit.c - imgtool reg set, delete, import: changing the registry
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <string.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/mem.h"
#include "hive/regtext.h"
#include "imgtool/cmd.h"
#include "imgtool/reg.h"

static bool discard;
static const char *import_prefix;

enum {
	COMMON = CLI_DRY_RUN | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		 CLI_FORMAT | CLI_STATE | CLI_AS,
};

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

static int
commit(struct reg *r, const char *verb, const char *what, struct err *e)
{
	SCOPED_FREE char *line = mem_fmt(e, "imgtool reg %s %s", verb, what);

	return line == NULL ? -1 : reg_commit(r, line, e);
}

/* ---- set ------------------------------------------------------------------ */

static int
set(const struct cli_args *a, struct err *e)
{
	REG_SCOPED struct reg r = { .operand = NULL };
	BUF_SCOPED struct buf data = BUF_EMPTY;
	SCOPED_FREE char *path = NULL;
	struct hv_hive *h;
	uint32_t type;

	if (reg_parse_data(a->at[3], a->at + 4, a->count - 4, &type, &data,
			   e) < 0 ||
	    reg_open(a, how(), &r, e) < 0 ||
	    reg_find(&r, a->at[1], &h, &path, e) < 0)
		return -1;
	struct hv_key *k = hv_create(hv_root(h), path, e);
	if (k == NULL || hv_set(k, value_name(a->at[2]), type, data.at,
				data.len, e) < 0)
		return err_ctx(e, "%s", r.operand);
	return commit(&r, "set", a->at[1], e);
}

const struct cli_cmd cmd_reg_set = {
	.name = "reg set", .operands = "DISK|HIVE KEY VALUE TYPE DATA...",
	.help = "set a value, creating its key if need be",
	.opts = opts, .common = COMMON, .min_operands = 4,
	.max_operands = SIZE_MAX, .run = set,
};

/* ---- delete --------------------------------------------------------------- */

static int
delete(const struct cli_args *a, struct err *e)
{
	REG_SCOPED struct reg r = { .operand = NULL };
	char quoted[512];

	if (reg_open(a, how(), &r, e) < 0)
		return -1;
	struct hv_key *k = reg_key(&r, a->at[1], e);
	if (k == NULL)
		return -1;
	if (a->count < 3) {
		if (hv_delete(k, e) < 0)
			return -1;
		return commit(&r, "delete", a->at[1], e);
	}
	struct hv_value *v = hv_value(k, value_name(a->at[2]));
	if (v == NULL)
		return err_set(e, ERR_NO, "%s: key has no value %s", r.operand,
			       err_quote(quoted, sizeof(quoted), a->at[2],
					 strlen(a->at[2])));
	hv_unset(k, v);
	return commit(&r, "delete", a->at[1], e);
}

const struct cli_cmd cmd_reg_delete = {
	.name = "reg delete", .operands = "DISK|HIVE KEY [VALUE]",
	.help = "delete a value, or a key and all below it",
	.opts = opts, .common = COMMON, .min_operands = 2,
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

/* The key as the operand knows it; NULL if the text means another place. */
static const char *
place(const struct reg *r, const char *path)
{
	const char *prefix = import_prefix != NULL ? import_prefix : "";

	if (r->disk != NULL)
		return path;
	path = hv_reg_below(path, prefix);
	return path != NULL && prefix[0] == '\0' &&
	       strncmp(path, "HKEY_", strlen("HKEY_")) == 0 ? NULL : path;
}

static int
one_statement(void *ctx, const struct hv_reg *s, struct err *e)
{
	struct importing *im = ctx;
	const char *key = place(im->reg, s->path);
	SCOPED_FREE char *path = NULL;
	struct hv_hive *h;
	char quoted[512];

	if (key == NULL)
		return err_set(e, ERR_USAGE, "%s: line %u: key %s is not below the "
			       "--prefix that stands for the hive's root",
			       im->name, s->line,
			       err_quote(quoted, sizeof(quoted), s->path,
					 strlen(s->path)));
	if (reg_find(im->reg, key, &h, &path, e) < 0 ||
	    hv_reg_do(h, path, s, e) < 0)
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
	    reg_open(a, how(), &r, e) < 0 ||
	    hv_reg_read(im.name, text.at, text.len, one_statement, &im, e) < 0)
		return -1;
	return commit(&r, "import", im.name, e);
}

const struct cli_cmd cmd_reg_import = {
	.name = "reg import", .operands = "DISK|HIVE FILE.reg",
	.help = "carry out the text that regedit exports",
	.opts = import_opts, .common = COMMON, .min_operands = 2,
	.max_operands = 2, .run = import,
};
