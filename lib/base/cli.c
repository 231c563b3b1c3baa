/* cli.c - see cli.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the words mean; how they are printed is in cli_help.c.
 */
#include "base/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cli-private.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/scope.h"
#include "base/stop.h"

/* The values of the options that every command shares. */
static struct {
	bool json, dry_run, force, yes, verbose, quiet, help;
	const char *repo, *key, *passphrase_fd, *root, *state, *format, *as, *log,
		*progress, *engine, *volume_key;
} common;

const struct cli_common_opt cli_common_opts[] = {
	{ CLI_JSON, { .name = "json", .help = "print one JSON document",
	  .flag = &common.json } },
	{ CLI_DRY_RUN, { .name = "dry-run", .letter = 'n',
	  .help = "tell what would be done, and change nothing",
	  .flag = &common.dry_run } },
	{ CLI_REPO, { .name = "repo", .letter = 'r', .arg = "DIR",
	  .help = "the repository (default: $IMGTOOL_REPO)",
	  .value = &common.repo } },
	{ CLI_KEY, { .name = "key", .letter = 'k', .arg = "FILE",
	  .help = "your private key (default: $IMGTOOL_KEY)",
	  .value = &common.key } },
	{ CLI_KEY | CLI_PASSPHRASE, { .name = "passphrase-fd", .arg = "N",
	  .help = "read the passphrase from descriptor N",
	  .value = &common.passphrase_fd } },
	{ CLI_ROOT, { .name = "root", .arg = "PATH",
	  .help = "which Windows, where the disk has several",
	  .value = &common.root } },
	{ CLI_STATE, { .name = "state", .arg = "DIR",
	  .help = "logs of devices (default: /var/lib/halcyon)",
	  .value = &common.state } },
	{ CLI_FORMAT, { .name = "format", .arg = "F",
	  .help = "the disk's format: raw, qcow2, vhd, vhdx, vmdk, vdi",
	  .value = &common.format } },
	{ CLI_AS, { .name = "as", .arg = "NEW",
	  .help = "of a stored version make image NEW, not the next version",
	  .value = &common.as } },
	{ CLI_ENGINE, { .name = "engine", .arg = "E",
	  .help = "what opens volumes: auto, native or appliance",
	  .value = &common.engine } },
	{ CLI_VOLUME_KEY, { .name = "volume-key", .arg = "KEY",
	  .help = "BitLocker: a file with the password, or the recovery password",
	  .value = &common.volume_key } },
	{ CLI_FORCE, { .name = "force", .help = "replace an existing output",
	  .flag = &common.force } },
	{ CLI_YES, { .name = "yes", .help = "do not ask", .flag = &common.yes } },
	{ 0, { .name = "verbose", .letter = 'v', .help = "tell more",
	  .flag = &common.verbose } },
	{ 0, { .name = "quiet", .letter = 'q', .help = "tell errors only",
	  .flag = &common.quiet } },
	{ 0, { .name = "log", .arg = "FILE", .help = "append to a log file",
	  .value = &common.log } },
	{ 0, { .name = "progress", .arg = "STYLE",
	  .help = "auto, plain, json or none", .value = &common.progress } },
	{ 0, { .name = "help", .letter = 'h', .help = "show this help",
	  .flag = &common.help } },
	{ 0, { .name = NULL } }
};

bool
cli_takes(const struct cli_cmd *cmd, const struct cli_common_opt *o)
{
	return o->group == 0 || (o->group & cmd->common) != 0;
}

/* Match "--name" or, with a name of one letter, "-l". */
static bool
opt_matches(const struct cli_opt *o, const char *name, size_t len)
{
	if (len == 1)
		return o->letter == *name;
	return strlen(o->name) == len && memcmp(o->name, name, len) == 0;
}

static const struct cli_opt *
find_opt(const struct cli_cmd *cmd, const char *name, size_t len)
{
	for (const struct cli_opt *o = cmd->opts; o != NULL && o->name; o++)
		if (opt_matches(o, name, len))
			return o;
	for (const struct cli_common_opt *c = cli_common_opts; c->opt.name; c++)
		if (cli_takes(cmd, c) && opt_matches(&c->opt, name, len))
			return &c->opt;
	return NULL;
}

static int
list_add(struct cli_list *list, const char *word, struct err *e)
{
	const char **at = mem_array(list->count + 1, sizeof(*at), e);

	if (at == NULL)
		return -1;
	if (list->count > 0)
		memcpy(at, list->at, list->count * sizeof(*at));
	at[list->count++] = word;
	free(list->at);
	list->at = at;
	return 0;
}

static int
give(const struct cli_cmd *cmd, const struct cli_opt *o, const char *word,
     struct err *e)
{
	if (o->list != NULL)
		return list_add(o->list, word, e);
	if (o->flag != NULL ? *o->flag : *o->value != NULL)
		return err_set(e, ERR_USAGE, "%s: --%s given twice", cmd->name,
			       o->name);
	if (o->flag != NULL)
		*o->flag = true;
	else
		*o->value = word;
	return 0;
}

/* One option word at argv[*i]; steps over the word that is its value. */
static int
read_opt(const struct cli_cmd *cmd, size_t argc, char **argv, size_t *i,
	 struct err *e)
{
	bool is_long = argv[*i][1] == '-';
	const char *name = argv[*i] + (is_long ? 2 : 1);
	const char *value = is_long ? strchr(name, '=') : NULL;
	size_t len = value != NULL ? (size_t)(value - name) : strlen(name);
	const struct cli_opt *o = NULL;

	if (is_long ? len > 1 : len == 1)
		o = find_opt(cmd, name, len);
	if (o == NULL)
		return err_set(e, ERR_USAGE, "%s: unknown option %s; see %s -h",
			       cmd->name, argv[*i], cmd->name);
	if (o->arg == NULL && value != NULL)
		return err_set(e, ERR_USAGE, "%s: --%s takes no value",
			       cmd->name, o->name);
	if (o->arg != NULL && value == NULL && *i + 1 == argc)
		return err_set(e, ERR_USAGE, "%s: --%s needs %s", cmd->name,
			       o->name, o->arg);
	if (o->arg != NULL && value == NULL)
		value = argv[++*i];
	else if (value != NULL)
		value++;
	return give(cmd, o, value, e);
}

/* Sort argv into options, which are acted on, and operands, moved to its front;
 * *argc becomes their number. */
static int
read_words(const struct cli_cmd *cmd, size_t *argc, char **argv, struct err *e)
{
	size_t operands = 0;
	bool options = true;

	for (size_t i = 0; i < *argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
			if (read_opt(cmd, *argc, argv, &i, e) < 0)
				return -1;
		} else {
			argv[operands++] = argv[i];
		}
	}
	*argc = operands;
	return 0;
}

/* The index of a word in a NULL-ended table, or -1 with the choices. */
static int
choice(const char *opt, const char *word, const char *const *words, int *ret,
       struct err *e)
{
	for (int i = 0; words[i] != NULL; i++)
		if (word != NULL && strcmp(word, words[i]) == 0) {
			*ret = i;
			return 0;
		}
	if (word == NULL)
		return 0;
	return err_set(e, ERR_USAGE, "--%s: no such choice: %s", opt, word);
}

static int
fill_args(struct cli_args *a, struct err *e)
{
	static const char *const engines[] = { "auto", "native", "appliance",
					       NULL };
	uint64_t fd = 0;
	int engine = CLI_AUTO;

	if (common.passphrase_fd != NULL &&
	    !num_parse(common.passphrase_fd, 0, 1023, false, &fd))
		return err_set(e, ERR_USAGE, "--passphrase-fd: not a descriptor: %s",
			       common.passphrase_fd);
	if (choice("engine", common.engine, engines, &engine, e) < 0)
		return -1;
	a->engine = (enum cli_engine)engine;
	a->volume_key = common.volume_key;
	a->json = common.json;
	a->dry_run = common.dry_run;
	a->force = common.force;
	a->yes = common.yes;
	a->repo = common.repo != NULL ? common.repo : getenv("IMGTOOL_REPO");
	a->key = common.key != NULL ? common.key : getenv("IMGTOOL_KEY");
	a->passphrase_fd = common.passphrase_fd == NULL ? -1 : (int)fd;
	a->root = common.root;
	a->format = common.format;
	a->as = common.as;
	a->state = common.state != NULL ? common.state : "/var/lib/halcyon";
	return 0;
}

static int
set_up_telling(const char *prog, struct err *e)
{
	static const char *const styles[] = { "auto", "plain", "json", "none",
					      NULL };
	int style = PROGRESS_AUTO;

	if (common.quiet && common.verbose)
		return err_set(e, ERR_USAGE, "-q and -v contradict each other");
	if (choice("progress", common.progress, styles, &style, e) < 0)
		return -1;
	progress_style(common.quiet ? PROGRESS_NONE : (enum progress_style)style);
	return log_open(prog, common.quiet ? -1 : common.verbose, common.log, e);
}

static int
run_cmd(const char *prog, const struct cli_cmd *cmd, size_t argc, char **argv,
	struct err *e)
{
	struct cli_args a = { .at = argv };

	if (read_words(cmd, &argc, argv, e) < 0)
		return -1;
	if (common.help) {
		cli_help_cmd(stdout, prog, cmd);
		return 0;
	}
	if (argc < cmd->min_operands || argc > cmd->max_operands)
		return err_set(e, ERR_USAGE, "%s: needs %s; see %s %s -h",
			       cmd->name, *cmd->operands ? cmd->operands :
			       "no operands", prog, cmd->name);
	a.count = argc;
	if (fill_args(&a, e) < 0 || set_up_telling(prog, e) < 0)
		return -1;
	stop_catch();
	return cmd->run(&a, e);
}

/* The command that the first word or two words name, and how many they are. */
static const struct cli_cmd *
find_cmd(const struct cli_cmd *const *cmds, size_t argc, char **argv,
	 size_t *ret_words)
{
	for (; *cmds != NULL; cmds++) {
		const char *name = (*cmds)->name;
		const char *space = strchr(name, ' ');
		size_t first = space == NULL ? strlen(name) :
					       (size_t)(space - name);

		if (strlen(argv[0]) != first || memcmp(argv[0], name, first) != 0)
			continue;
		if (space == NULL) {
			*ret_words = 1;
			return *cmds;
		}
		if (argc > 1 && strcmp(argv[1], space + 1) == 0) {
			*ret_words = 2;
			return *cmds;
		}
	}
	return NULL;
}

static int
run(const char *prog, const char *what, const struct cli_cmd *const *cmds,
    size_t argc, char **argv, struct err *e)
{
	const struct cli_cmd *cmd;
	size_t words = 0;

	if (argc == 0)
		return err_set(e, ERR_USAGE, "no command; see %s --help", prog);
	if (strcmp(argv[0], "--version") == 0) {
		(void)printf("%s %s\n", prog, PROJECT_VERSION);
		return 0;
	}
	if (strcmp(argv[0], "--completions") == 0) {
		cli_completions(stdout, prog, cmds);
		return 0;
	}
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
		cli_help(stdout, prog, what, NULL, cmds);
		return 0;
	}
	cmd = find_cmd(cmds, argc, argv, &words);
	if (cmd != NULL)
		return run_cmd(prog, cmd, argc - words, argv + words, e);
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 ||
			 strcmp(argv[1], "-h") == 0) &&
	    cli_help(stdout, prog, what, argv[0], cmds))
		return 0;
	return err_set(e, ERR_USAGE, "unknown command %s%s%s; see %s --help",
		       argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "",
		       prog);
}

int
cli_main(const char *prog, const char *what, const struct cli_cmd *const *cmds,
	 int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (run(prog, what, cmds, argc > 0 ? (size_t)argc - 1 : 0, argv + 1,
		&e) == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		(void)err_sys(&e, "standard output");
	(void)fflush(stdout);
	if (e.kind != ERR_NONE && e.msg[0] != '\0')
		(void)fprintf(stderr, "%s: %s\n", prog, e.msg);
	return err_exit_status(&e);
}

int
cli_need_repo(const struct cli_args *a, struct err *e)
{
	if (a->repo != NULL)
		return 0;
	return err_set(e, ERR_USAGE,
		       "no repository; give --repo DIR or set IMGTOOL_REPO");
}

int
cli_need_key(const struct cli_args *a, struct err *e)
{
	if (a->key != NULL)
		return 0;
	return err_set(e, ERR_USAGE,
		       "no private key; give --key FILE or set IMGTOOL_KEY");
}

int
cli_new_output(const struct cli_args *a, const char *path, struct err *e)
{
	struct stat st;

	if (!a->force && lstat(path, &st) == 0)
		return err_set(e, ERR_USAGE,
			       "%s: exists; add --force to replace it", path);
	return 0;
}

int
cli_confirm(const struct cli_args *a, const char *what, struct err *e)
{
	char answer[8];

	if (a->yes)
		return 0;
	if (!isatty(STDIN_FILENO))
		return err_set(e, ERR_USAGE, "%s: cannot be undone; add --yes",
			       what);
	(void)fprintf(stderr, "%s? This cannot be undone. [y/N] ", what);
	(void)fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) == NULL ||
	    (answer[0] != 'y' && answer[0] != 'Y'))
		return err_set(e, ERR_UNSAFE, "%s: not confirmed", what);
	return 0;
}
