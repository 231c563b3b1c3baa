/* cli_help.c - help and completions, printed from the tables
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/cli-private.h"

#include <string.h>

enum { OPT_WIDTH = 26, CMD_WIDTH = 34 };

static void
help_opt(FILE *out, const struct cli_opt *o)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "--%s%s%s%s", o->name,
		       o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "",
		       o->list != NULL ? " ..." : "");
	if (o->letter != 0)
		(void)fprintf(out, "  -%c, %-*s %s\n", o->letter, OPT_WIDTH - 4,
			      left, o->help);
	else
		(void)fprintf(out, "  %-*s %s\n", OPT_WIDTH, left, o->help);
}

void
cli_help_cmd(FILE *out, const char *prog, const struct cli_cmd *cmd)
{
	(void)fprintf(out, "usage: %s %s%s%s [OPTION...]\n\n%s\n\n", prog,
		      cmd->name, *cmd->operands ? " " : "", cmd->operands,
		      cmd->help);
	for (const struct cli_opt *o = cmd->opts; o != NULL && o->name; o++)
		help_opt(out, o);
	for (const struct cli_common_opt *c = cli_common_opts; c->opt.name; c++)
		if (cli_takes(cmd, c))
			help_opt(out, &c->opt);
}

static bool
in_family(const char *name, const char *family)
{
	size_t n = strlen(family);

	return strncmp(name, family, n) == 0 && name[n] == ' ';
}

bool
cli_help(FILE *out, const char *prog, const char *what, const char *family,
	 const struct cli_cmd *const *cmds)
{
	bool any = family == NULL;

	for (const struct cli_cmd *const *c = cmds; !any && *c != NULL; c++)
		any = in_family((*c)->name, family);
	if (!any)
		return false;
	(void)fprintf(out, "%s - %s\n\nusage: %s COMMAND [OPTION...]\n\n", prog,
		      what, prog);
	for (; *cmds != NULL; cmds++) {
		char left[80];

		if (family != NULL && !in_family((*cmds)->name, family))
			continue;
		(void)snprintf(left, sizeof(left), "%s %s", (*cmds)->name,
			       (*cmds)->operands);
		if (strlen(left) > CMD_WIDTH)
			(void)fprintf(out, "  %s\n  %-*s %s\n", left, CMD_WIDTH,
				      "", (*cmds)->help);
		else
			(void)fprintf(out, "  %-*s %s\n", CMD_WIDTH, left,
				      (*cmds)->help);
	}
	(void)fprintf(out, "\n`%s COMMAND -h` shows the options of a command, "
		      "`man %s` everything.\n", prog, prog);
	return true;
}

static void
completion_words(FILE *out, const struct cli_cmd *cmd)
{
	(void)fprintf(out, "\t\"%s\") words=\"", cmd->name);
	for (const struct cli_opt *o = cmd->opts; o != NULL && o->name; o++)
		(void)fprintf(out, "--%s ", o->name);
	for (const struct cli_common_opt *c = cli_common_opts; c->opt.name; c++)
		if (cli_takes(cmd, c))
			(void)fprintf(out, "--%s ", c->opt.name);
	(void)fprintf(out, "\" ;;\n");
}

void
cli_completions(FILE *out, const char *prog, const struct cli_cmd *const *cmds)
{
	char fn[32];
	size_t n = 0;

	for (; n < sizeof(fn) - 1 && prog[n] != '\0'; n++)
		fn[n] = prog[n] == '-' ? '_' : prog[n];
	fn[n] = '\0';
	(void)fprintf(out, "_%s() {\n\tlocal words cur=${COMP_WORDS[COMP_CWORD]}\n"
		      "\tlocal one=${COMP_WORDS[1]} two=\"${COMP_WORDS[1]} "
		      "${COMP_WORDS[2]}\"\n", fn);
	(void)fprintf(out, "\tfor verb in \"$two\" \"$one\"; do\n"
		      "\tcase $verb in\n");
	for (const struct cli_cmd *const *c = cmds; *c != NULL; c++)
		completion_words(out, *c);
	(void)fprintf(out, "\t*) continue ;;\n\tesac\n\tbreak\n\tdone\n"
		      "\t[ -n \"$words\" ] || words=\"");
	for (const struct cli_cmd *const *c = cmds; *c != NULL; c++)
		(void)fprintf(out, "%s ", (*c)->name);
	(void)fprintf(out, "\"\n\tcase $cur in\n"
		      "\t-*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
		      "\t*) if [ \"$COMP_CWORD\" = 1 ]; then "
		      "COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"));\n"
		      "\t   else COMPREPLY=($(compgen -f -- \"$cur\")); fi ;;\n"
		      "\tesac\n}\ncomplete -o filenames -F _%s %s\n", fn, prog);
}
