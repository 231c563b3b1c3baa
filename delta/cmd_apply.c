/* cmd_apply.c - imgdelta apply
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/progress.h"
#include "crypt/key.h"
#include "delta/apply.h"
#include "delta/cmd.h"
#include "delta/stored.h"
#include "disk/disk.h"
#include "source/source.h"
#include "store/repo.h"

static struct cli_list signers;
static const char *base, *output, *in_place;

/* The delta, opened with the user's key, which *ret_key keeps. */
static int
open_file(const struct cli_args *a, struct cx_key *ret_key,
	  struct dl_file *ret, struct err *e)
{
	CX_PUBS_SCOPED struct cx_pubs trusted = CX_PUBS_EMPTY;
	const struct cx_pub *by;

	if (cli_need_key(a, e) < 0 ||
	    cx_trust_load(&trusted, signers.at, signers.count, e) < 0 ||
	    cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, ret_key,
			e) < 0 ||
	    dl_file_open(a->at[0], ret_key, &trusted, &by, ret, e) < 0)
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
	return src_open(a, base, 0, e);
}

static int
to_file(const struct cli_args *a, const struct dl_file *f, struct err *e)
{
	IO_NEW_SCOPED struct io_new out = IO_NEW_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	DK_SCOPED struct dk *old = open_base(a, e);

	if (old == NULL || io_new_open(&out, output, 0644, e) < 0)
		return -1;
	progress_begin(&p, output, true, dl_apply_work(f));
	if (dl_apply(f, old, &out, &p, e) < 0 || io_new_commit(&out, e) < 0)
		return -1;
	progress_end(&p);
	(void)printf("%s: %" PRIu64 " bytes\n", output, f->d.new_size);
	return 0;
}

/* A block device is asked about: whatever is on it changes under its user. */
static int
may_write(const struct cli_args *a, struct err *e)
{
	struct stat st;

	if (stat(in_place, &st) == 0 && S_ISBLK(st.st_mode))
		return cli_confirm(a, in_place, e);
	return 0;
}

static int
to_disk(const struct cli_args *a, const struct dl_file *f, struct err *e)
{
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	DK_SCOPED struct dk *d = NULL;
	bool already;

	if (may_write(a, e) < 0)
		return -1;
	if (src_is_version(in_place))
		return err_set(e, ERR_USAGE, "%s: a stored version does not "
			       "change; leave out --in-place", in_place);
	d = src_open(a, in_place, DK_WRITE, e);
	if (d == NULL)
		return -1;
	progress_begin(&p, in_place, true, dl_apply_work(f));
	if (dl_apply_in_place(f, d, &p, &already, e) < 0 ||
	    dk_commit(d, "imgdelta apply", e) < 0)
		return -1;
	progress_end(&p);
	(void)printf("%s: %s%s\n", in_place, already ? "is already " : "is now ",
		     f->d.new_name);
	return 0;
}

static int
to_repo(const struct cli_args *a, const struct dl_file *f,
	const struct cx_key *k, struct err *e)
{
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	ST_REPO_SCOPED struct st_repo *r = NULL;
	struct st_ref ref;
	bool is_new;

	if (cli_need_repo(a, e) < 0)
		return -1;
	r = st_repo_open(a->repo, e);
	if (r == NULL || st_repo_unlock(r, k, e) < 0)
		return -1;
	progress_begin(&p, a->at[0], true, 0);
	if (dl_stored_apply(f, r, &p, &ref, &is_new, e) < 0)
		return -1;
	progress_end(&p);
	(void)printf("%s:%" PRIu64 "%s\n", ref.name, ref.number,
		     is_new ? "" : " is there already");
	return 0;
}

static int
apply(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	DL_FILE_SCOPED struct dl_file f = DL_FILE_EMPTY;

	if ((base == NULL) != (output == NULL))
		return err_set(e, ERR_USAGE,
			       "apply: --base DISK and -o OUT belong together");
	if (output != NULL && in_place != NULL)
		return err_set(e, ERR_USAGE,
			       "apply: --base and --in-place contradict each other");
	if (output != NULL && cli_new_output(a, output, e) < 0)
		return -1;
	if (output == NULL && in_place == NULL && cli_need_repo(a, e) < 0)
		return -1;
	if (open_file(a, &k, &f, e) < 0)
		return -1;
	if (in_place != NULL)
		return to_disk(a, &f, e);
	return output != NULL ? to_file(a, &f, e) : to_repo(a, &f, &k, e);
}

static const struct cli_opt opts[] = {
	{ .name = "base", .arg = "DISK", .help = "the disk it starts from",
	  .value = &base },
	{ .name = "output", .letter = 'o', .arg = "OUT",
	  .help = "write the new disk to OUT, as a raw file",
	  .value = &output },
	{ .name = "in-place", .arg = "DISK",
	  .help = "change this disk, which imgtool undo takes back",
	  .value = &in_place },
	{ .name = "by", .arg = "PUB",
	  .help = "a trusted signer: a file of public keys, or a directory",
	  .list = &signers },
	{ .name = NULL }
};

const struct cli_cmd cmd_apply = {
	.name = "apply", .operands = "FILE",
	.help = "make the new image of the old one and a delta", .opts = opts,
	.common = CLI_REPO | CLI_KEY | CLI_FORMAT | CLI_STATE | CLI_FORCE |
		  CLI_YES,
	.min_operands = 1, .max_operands = 1, .run = apply,
};
