/* cmd_seal.c - imgcrypt seal and open
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/progress.h"
#include "crypt/cmd.h"
#include "crypt/seal.h"

static struct cli_list recipients;
static const char *output;
static bool anonymous;

/* Open FILE and begin OUT and the progress. */
static int
begin(const struct cli_args *a, int *ret_in, struct io_new *out, mode_t mode,
      struct progress *p, struct err *e)
{
	const char *in = a->at[0];
	struct stat st;

	if (output == NULL)
		return err_set(e, ERR_USAGE, "%s: needs -o OUT", in);
	if (cli_new_output(a, output, e) < 0)
		return -1;
	*ret_in = open(in, O_RDONLY | O_CLOEXEC);
	if (*ret_in < 0 || fstat(*ret_in, &st) < 0)
		return err_sys(e, "%s", in);
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "%s: is a directory", in);
	progress_begin(p, in, true, (uint64_t)st.st_size);
	return io_new_open(out, output, mode, e);
}

static int
seal(const struct cli_args *a, struct err *e)
{
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;
	IO_NEW_SCOPED struct io_new out = IO_NEW_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	SCOPED_FD int in = -1;

	if (recipients.count == 0)
		return err_set(e, ERR_USAGE,
			       "seal: needs -R PUB for each recipient");
	if (cx_pubs_load(&to, recipients.at, recipients.count, e) < 0 ||
	    begin(a, &in, &out, 0644, &p, e) < 0 ||
	    cx_seal(in, a->at[0], &to, anonymous, &out, &p, e) < 0)
		return -1;
	return io_new_commit(&out, e);
}

/* "open" is a system call. */
static int
unseal(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	IO_NEW_SCOPED struct io_new out = IO_NEW_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	SCOPED_FD int in = -1;

	if (cli_need_key(a, e) < 0 ||
	    cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, &k, e) < 0 ||
	    begin(a, &in, &out, 0600, &p, e) < 0 ||
	    cx_open(in, a->at[0], &k, &out, &p, e) < 0)
		return -1;
	return io_new_commit(&out, e);
}

static const struct cli_opt seal_opts[] = {
	{ .name = "recipient", .letter = 'R', .arg = "PUB",
	  .help = "seal to PUB: a file of public keys, or a directory of them",
	  .list = &recipients },
	{ .name = "anonymous", .help = "do not tell who the recipients are",
	  .flag = &anonymous },
	{ .name = "output", .letter = 'o', .arg = "OUT",
	  .help = "write the sealed file to OUT", .value = &output },
	{ .name = NULL }
};

const struct cli_cmd cmd_seal = {
	.name = "seal", .operands = "FILE",
	.help = "encrypt a file for its recipients", .opts = seal_opts,
	.common = CLI_FORCE, .min_operands = 1, .max_operands = 1, .run = seal,
};

static const struct cli_opt open_opts[] = {
	{ .name = "output", .letter = 'o', .arg = "OUT",
	  .help = "write what it holds to OUT", .value = &output },
	{ .name = NULL }
};

const struct cli_cmd cmd_open = {
	.name = "open", .operands = "FILE",
	.help = "decrypt a file that was sealed to you", .opts = open_opts,
	.common = CLI_KEY | CLI_FORCE, .min_operands = 1, .max_operands = 1,
	.run = unseal,
};
