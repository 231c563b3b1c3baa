/* cmd_apply.c - imgdelta apply
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/progress.h"
#include "crypt/key.h"
#include "delta/apply.h"
#include "delta/cmd.h"
#include "disk/disk.h"

static struct cli_list signers;
static const char *base, *output;

static int
open_file(const struct cli_args *a, struct dl_file *ret, struct err *e)
{
	CX_PUBS_SCOPED struct cx_pubs trusted = CX_PUBS_EMPTY;
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	const struct cx_pub *by;

	if (cli_need_key(a, e) < 0 ||
	    cx_trust_load(&trusted, signers.at, signers.count, e) < 0 ||
	    cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, &k, e) < 0 ||
	    dl_file_open(a->at[0], &k, &trusted, &by, ret, e) < 0)
		return -1;
	if (by == NULL)
		log_warn("%s: is not signed: anybody who knows your public key "
			 "can have made it", a->at[0]);
	return 0;
}

static struct dk *
open_base(const struct cli_args *a, struct err *e)
{
	if (strcmp(base, "/dev/null") == 0)
		return dk_over_bytes(base, "", 0, e);
	return dk_open(base, a->format, a->state, 0, e);
}

static int
apply(const struct cli_args *a, struct err *e)
{
	DL_FILE_SCOPED struct dl_file f = DL_FILE_EMPTY;
	IO_NEW_SCOPED struct io_new out = IO_NEW_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	DK_SCOPED struct dk *old = NULL;

	if (base == NULL || output == NULL)
		return err_set(e, ERR_USAGE, "apply: needs --base DISK -o OUT");
	if (cli_new_output(a, output, e) < 0 || open_file(a, &f, e) < 0)
		return -1;
	old = open_base(a, e);
	if (old == NULL || io_new_open(&out, output, 0644, e) < 0)
		return -1;
	progress_begin(&p, output, true, dl_apply_work(&f));
	if (dl_apply(&f, old, &out, &p, e) < 0 || io_new_commit(&out, e) < 0)
		return -1;
	progress_end(&p);
	(void)printf("%s: %" PRIu64 " bytes\n", output, f.d.new_size);
	return 0;
}

static const struct cli_opt opts[] = {
	{ .name = "base", .arg = "DISK", .help = "the disk it starts from",
	  .value = &base },
	{ .name = "output", .letter = 'o', .arg = "OUT",
	  .help = "write the new disk to OUT, as a raw file",
	  .value = &output },
	{ .name = "by", .arg = "PUB",
	  .help = "a trusted signer: a file of public keys, or a directory",
	  .list = &signers },
	{ .name = NULL }
};

const struct cli_cmd cmd_apply = {
	.name = "apply", .operands = "FILE",
	.help = "make the new image of the old one and a delta", .opts = opts,
	.common = CLI_KEY | CLI_FORMAT | CLI_STATE | CLI_FORCE,
	.min_operands = 1, .max_operands = 1, .run = apply,
};
