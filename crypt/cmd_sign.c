/* cmd_sign.c - imgcrypt sign and verify
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/progress.h"
#include "crypt/cmd.h"
#include "crypt/hash.h"
#include "crypt/sign.h"

static struct cli_list signers;

static uint64_t
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

static int
sign(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	SCOPED_FREE char *sig = mem_fmt(e, "%s.sig", a->at[0]);

	if (sig == NULL || cli_need_key(a, e) < 0 ||
	    cli_new_output(a, sig, e) < 0 ||
	    cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, &k, e) < 0)
		return -1;
	progress_begin(&p, a->at[0], true, size_of(a->at[0]));
	return cx_sign_file(&k, a->at[0], sig, &p, e);
}

static int
tell(const struct cli_args *a, const struct cx_pub *by, struct err *e)
{
	char id[CX_KEYID_ROOM];

	cx_hex(id, by->id, sizeof(by->id));
	if (!a->json) {
		(void)printf("%s: signed by %s%s%s\n", a->at[0], by->name,
			     by->name[0] != '\0' ? " " : "", id);
		return 0;
	}

	JS_SCOPED struct js *j = js_new("imgcrypt verify", 1, e);

	if (j == NULL)
		return -1;
	js_str(j, "file", a->at[0]);
	js_str(j, "name", by->name);
	js_str(j, "key", id);
	return js_print(j, stdout, e);
}

static int
verify(const struct cli_args *a, struct err *e)
{
	CX_PUBS_SCOPED struct cx_pubs trusted = CX_PUBS_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	SCOPED_FREE char *sig = mem_fmt(e, "%s.sig", a->at[0]);
	const struct cx_pub *by;
	struct stat st;

	if (sig == NULL ||
	    cx_trust_load(&trusted, signers.at, signers.count, e) < 0)
		return -1;
	if (trusted.count == 0)
		return err_set(e, ERR_AUTH, "%s: no signer is trusted; add "
			       "--by PUB", a->at[0]);
	if (stat(a->at[0], &st) < 0)
		return err_sys(e, "%s", a->at[0]);
	if (stat(sig, &st) < 0 && errno == ENOENT)
		return err_set(e, ERR_AUTH, "%s: is not signed: there is no %s",
			       a->at[0], sig);
	progress_begin(&p, a->at[0], true, size_of(a->at[0]));
	if (cx_verify_file(&trusted, a->at[0], sig, &p, &by, e) < 0)
		return -1;
	progress_end(&p);
	return tell(a, by, e);
}

const struct cli_cmd cmd_sign = {
	.name = "sign", .operands = "FILE", .help = "sign a file into FILE.sig",
	.common = CLI_KEY | CLI_FORCE, .min_operands = 1, .max_operands = 1,
	.run = sign,
};

static const struct cli_opt verify_opts[] = {
	{ .name = "by", .arg = "PUB",
	  .help = "a trusted signer: a file of public keys, or a directory",
	  .list = &signers },
	{ .name = NULL }
};

const struct cli_cmd cmd_verify = {
	.name = "verify", .operands = "FILE",
	.help = "check a file against FILE.sig", .opts = verify_opts,
	.common = CLI_JSON, .min_operands = 1, .max_operands = 1, .run = verify,
};
