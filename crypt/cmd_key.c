/* cmd_key.c - imgcrypt keygen, public and protect
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypt/cmd.h"
#include "crypt/hash.h"
#include "crypt/key.h"

static const char *output;
static bool no_passphrase;

/* The passphrase that a file is to have; *ret stays empty for none. */
static int
new_passphrase(const struct cli_args *a, const char *path,
	       struct cx_secret *ret, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret once = CX_SECRET_EMPTY;
	CX_SECRET_SCOPED struct cx_secret again = CX_SECRET_EMPTY;
	SCOPED_FREE char *what = mem_fmt(e, "%s (new)", path);

	if (what == NULL)
		return -1;
	if (no_passphrase)
		return 0;
	if (a->passphrase_fd >= 0)
		return cx_passphrase_read(a->passphrase_fd, ret, e);
	if (!isatty(STDIN_FILENO))
		return err_set(e, ERR_USAGE, "%s: needs a passphrase, and there "
			       "is no terminal; add --passphrase-fd N or "
			       "--no-passphrase", path);
	if (cx_ask_terminal(what, &once, e) < 0 ||
	    cx_ask_terminal("the same once more", &again, e) < 0)
		return -1;
	if (once.len != again.len || !cx_same(once.at, again.at, once.len))
		return err_set(e, ERR_USAGE, "the two passphrases differ");
	*ret = TAKE(once);
	return 0;
}

static int
save(const struct cli_args *a, const struct cx_key *k, const char *path,
     struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret phrase = CX_SECRET_EMPTY;

	if (new_passphrase(a, path, &phrase, e) < 0)
		return -1;
	return cx_key_save(k, path, phrase.at == NULL ? NULL : &phrase,
			   CX_COST_NORMAL, e);
}

static int
keygen(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	SCOPED_FREE char *pub = NULL;
	char line[CX_PUB_LINE_ROOM];
	const char *slash;

	if (output == NULL)
		return err_set(e, ERR_USAGE, "keygen: needs -o KEY");
	if (no_passphrase && a->passphrase_fd >= 0)
		return err_set(e, ERR_USAGE, "keygen: --no-passphrase and "
			       "--passphrase-fd contradict each other");
	pub = mem_fmt(e, "%s.pub", output);
	if (pub == NULL || cli_new_output(a, output, e) < 0 ||
	    cli_new_output(a, pub, e) < 0)
		return -1;
	slash = strrchr(output, '/');
	if (cx_key_make(&k, slash == NULL ? output : slash + 1, e) < 0 ||
	    save(a, &k, output, e) < 0 || cx_pub_save(&k.pub, pub, e) < 0)
		return -1;
	cx_pub_line(&k.pub, line);
	(void)printf("%s\n", line);
	return 0;
}

static int
public(const struct cli_args *a, struct err *e)
{
	char line[CX_PUB_LINE_ROOM];
	struct cx_pub p;

	if (cx_key_load_pub(a->at[0], &p, e) < 0)
		return -1;
	cx_pub_line(&p, line);
	(void)printf("%s\n", line);
	return 0;
}

static int
protect(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;

	if (cx_key_load(a->at[0], a->passphrase_fd, cx_ask_terminal, &k, e) < 0 ||
	    save(a, &k, a->at[0], e) < 0)
		return -1;
	log_note("%s: %s", a->at[0],
		 no_passphrase ? "no longer protected: whoever reads it has it" :
				 "protected by the new passphrase");
	return 0;
}

static const struct cli_opt keygen_opts[] = {
	{ .name = "output", .letter = 'o', .arg = "KEY",
	  .help = "write KEY and KEY.pub", .value = &output },
	{ .name = "no-passphrase", .help = "leave the private key unprotected",
	  .flag = &no_passphrase },
	{ .name = NULL }
};

const struct cli_cmd cmd_keygen = {
	.name = "keygen", .operands = "", .help = "make a pair of keys",
	.opts = keygen_opts, .common = CLI_PASSPHRASE | CLI_FORCE,
	.run = keygen,
};

const struct cli_cmd cmd_public = {
	.name = "public", .operands = "KEY",
	.help = "print the public half of a key", .min_operands = 1,
	.max_operands = 1, .run = public,
};

static const struct cli_opt protect_opts[] = {
	{ .name = "no-passphrase", .help = "remove the passphrase",
	  .flag = &no_passphrase },
	{ .name = NULL }
};

const struct cli_cmd cmd_protect = {
	.name = "protect", .operands = "KEY",
	.help = "give a key a new passphrase", .opts = protect_opts,
	.common = CLI_PASSPHRASE, .min_operands = 1, .max_operands = 1,
	.run = protect,
};
