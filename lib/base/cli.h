/* cli.h - commands and options as tables
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A table is the only description of a command line in a program: the parser,
 * --help, completion and the test that compares it with the manual read it.
 *
 *	static const char *out;
 *	static const struct cli_opt opts[] = {
 *		{ .name = "output", .letter = 'o', .arg = "FILE",
 *		  .help = "write to FILE", .value = &out },
 *		{ .name = NULL }
 *	};
 *	const struct cli_cmd cmd_seal = {
 *		.name = "seal", .operands = "FILE", .help = "seal a file",
 *		.opts = opts, .common = CLI_KEY, .min_operands = 1,
 *		.max_operands = 1, .run = seal,
 *	};
 *
 * and main() is `return cli_main("imgcrypt", "keys and sealing", cmds, argc,
 * argv);`.  Options and operands come in any order; `--` ends the options; no
 * abbreviations; an option is given once, unless its value is a list.  A name
 * with a space ("reg get") is a verb of a family.
 */
#ifndef BASE_CLI_H
#define BASE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct err;

/* The words of a repeated option, in the order given. */
struct cli_list {
	size_t count;
	const char **at;	/* owned by the parser, ends with the program */
};

struct cli_opt {
	const char *name;	/* long name, without dashes; NULL ends a table */
	char letter;		/* short name, or 0 */
	const char *arg;	/* placeholder, or NULL for a flag */
	const char *help;	/* one line, no full stop */
	bool *flag;		/* exactly one of these three is set */
	const char **value;
	struct cli_list *list;
};

/*
 * Options that mean the same in every command.  Always there: -v, -q, --log,
 * --progress, -h.  A command names the others it takes; a command that takes
 * none of them refuses them.
 */
enum {
	CLI_JSON = 1 << 0,	/* --json */
	CLI_DRY_RUN = 1 << 1,	/* -n, --dry-run */
	CLI_REPO = 1 << 2,	/* -r, --repo DIR; else $IMGTOOL_REPO */
	CLI_KEY = 1 << 3,	/* -k, --key FILE; else $IMGTOOL_KEY */
				/* and --passphrase-fd N */
	CLI_ROOT = 1 << 4,	/* --root PATH */
	CLI_STATE = 1 << 5,	/* --state DIR; else /var/lib/halcyon */
	CLI_FORMAT = 1 << 6,	/* --format F */
	CLI_FORCE = 1 << 7,	/* --force */
	CLI_YES = 1 << 8,	/* --yes */
	CLI_PASSPHRASE = 1 << 9,	/* --passphrase-fd N without -k */
	CLI_AS = 1 << 10,	/* --as NEW */
	CLI_ENGINE = 1 << 11,	/* --engine auto|native|appliance */
	CLI_VOLUME_KEY = 1 << 12,	/* --volume-key KEY */
	CLI_VOLUMES = CLI_ENGINE | CLI_VOLUME_KEY,
};

/* What opens the volumes of a disk. */
enum cli_engine { CLI_AUTO, CLI_NATIVE, CLI_APPLIANCE };

/* What a command is run with. */
struct cli_args {
	size_t count;		/* operands */
	char **at;
	bool json, dry_run, force, yes;
	const char *repo;	/* NULL when neither option nor variable is set */
	const char *key;	/* likewise */
	int passphrase_fd;	/* -1 when not given */
	const char *root, *format, *as;	/* NULL when not given */
	const char *state;	/* never NULL */
	enum cli_engine engine;
	const char *volume_key;	/* as given; NULL when not */
};

struct cli_cmd {
	const char *name;
	const char *operands;	/* as in the manual's synopsis; "" for none */
	const char *help;	/* one line, no full stop */
	const struct cli_opt *opts;	/* NULL for none */
	unsigned common;	/* CLI_... */
	size_t min_operands, max_operands;	/* SIZE_MAX: any number */
	int (*run)(const struct cli_args *a, struct err *e);
};

/*
 * Run the command that argv names; cmds ends with NULL.  Prints the error, if
 * there is one, as "prog: message", and returns the exit status.  An error of
 * kind ERR_NO with an empty message prints nothing: the answer is on standard
 * output already.
 */
MUST_CHECK int cli_main(const char *prog, const char *what,
			const struct cli_cmd *const *cmds, int argc, char **argv);

/* --repo or --key, or an ERR_USAGE that says how to give it. */
MUST_CHECK int cli_need_repo(const struct cli_args *a, struct err *e);
MUST_CHECK int cli_need_key(const struct cli_args *a, struct err *e);

/* Refuse an output path that exists, unless --force was given. */
MUST_CHECK int cli_new_output(const struct cli_args *a, const char *path,
			      struct err *e);

/*
 * Ask on the terminal before something that has no undo; `what` is the
 * question without its question mark.  With --yes: 0 at once; without a
 * terminal: ERR_USAGE naming --yes; "no": ERR_UNSAFE.
 */
MUST_CHECK int cli_confirm(const struct cli_args *a, const char *what,
			   struct err *e);

#endif /* BASE_CLI_H */
