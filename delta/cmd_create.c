/* cmd_create.c - imgdelta create
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "crypt/key.h"
#include "delta/cmd.h"
#include "delta/files.h"
#include "delta/list.h"
#include "delta/make.h"
#include "delta/stored.h"
#include "disk/disk.h"
#include "source/source.h"
#include "store/container.h"
#include "store/repo.h"

static struct cli_list recipients;
static const char *output, *sign_key, *effort;
static bool exact;

/* What the operands and options name. */
struct job {
	struct cx_key key;
	struct st_repo *repo;		/* NULL: both are disks */
	struct dk *old, *new;
	struct cx_pubs to;
	struct cx_key signer;
	enum dl_effort effort;
	struct dl_delta d;
	struct dl_files files;		/* of the new disk */
	struct dl_shares shares;
};

static void
job_done(struct job *j)
{
	dl_delta_done(&j->d);
	dl_files_done(&j->files);
	dl_shares_done(&j->shares);
	cx_key_done(&j->signer);
	cx_pubs_done(&j->to);
	dk_free(&j->new);
	dk_free(&j->old);
	st_repo_free(&j->repo);
	cx_key_done(&j->key);
}

static int
read_effort(enum dl_effort *ret, struct err *e)
{
	static const char *const words[] = { "fast", "default", "max" };

	*ret = DL_DEFAULT;
	if (effort == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(effort, words[i]) == 0) {
			*ret = (enum dl_effort)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "--effort: no such choice: %s", effort);
}

/* /dev/null stands for a disk of no bytes: the delta then holds all of NEW. */
static bool
is_nothing(const char *operand)
{
	return strcmp(operand, "/dev/null") == 0;
}

static struct dk *
open_disk(const struct cli_args *a, struct job *j, const char *operand,
	  struct err *e)
{
	if (is_nothing(operand))
		return dk_over_bytes(operand, "", 0, e);
	if (j->repo != NULL && src_is_version(operand))
		return src_version(j->repo, operand, e);
	return src_open(a, operand, 0, e);
}

/* Is the result to be a version in a repository as well? */
static bool
is_stored(const struct cli_args *a)
{
	return src_is_version(a->at[1]) &&
	       (is_nothing(a->at[0]) || src_is_version(a->at[0]));
}

static int
prepare(const struct cli_args *a, struct job *j, struct err *e)
{
	if (output == NULL)
		return err_set(e, ERR_USAGE, "create: needs -o FILE");
	if (recipients.count == 0)
		return err_set(e, ERR_USAGE,
			       "create: needs -R PUB for each recipient");
	if (read_effort(&j->effort, e) < 0 || cli_new_output(a, output, e) < 0 ||
	    cx_pubs_load(&j->to, recipients.at, recipients.count, e) < 0)
		return -1;
	if (src_is_version(a->at[0]) || src_is_version(a->at[1])) {
		j->repo = src_repo_with_key(a, &j->key, e);
		if (j->repo == NULL)
			return -1;
	}
	j->old = open_disk(a, j, a->at[0], e);
	if (j->old == NULL)
		return -1;
	j->new = open_disk(a, j, a->at[1], e);
	if (j->new == NULL)
		return -1;
	if (sign_key == NULL)
		return 0;
	return cx_key_load(sign_key, a->passphrase_fd, cx_ask_terminal,
			   &j->signer, e);
}

static int
plan(const struct cli_args *a, struct job *j, struct err *e)
{
	DL_CHANGES_SCOPED struct dl_changes changes = DL_CHANGES_EMPTY;
	DL_FILES_SCOPED struct dl_files old = DL_FILES_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };

	j->d.created = (uint64_t)time(NULL);
	j->d.old_name = mem_str(a->at[0], e);
	j->d.new_name = mem_str(a->at[1], e);
	if (j->d.old_name == NULL || j->d.new_name == NULL)
		return -1;
	progress_begin(&p, "compare", true, num_max(j->old->size,
						    j->new->size));
	if (dl_compare(j->old, j->new, &j->d, &changes, &p, e) < 0)
		return -1;
	if (dl_files_read(j->old, &old, e) < 0 ||
	    dl_files_read(j->new, &j->files, e) < 0)
		return -1;
	return dl_group(&changes, &old, &j->files, j->effort, &j->d,
			&j->shares, e);
}

/* Bytes that the units of this kind make. */
static uint64_t
sum(const struct dl_delta *d, enum dl_unit_kind kind)
{
	uint64_t n = 0;

	for (size_t i = 0; i < d->units; i++)
		if (d->unit[i].kind == kind)
			n += d->unit[i].len;
	return n;
}

/* Add the list of what makes it large. */
static int
add_list(struct job *j, struct st_container_new *out, struct err *e)
{
	DL_LIST_SCOPED struct dl_list l = DL_LIST_EMPTY;
	BUF_SCOPED struct buf bytes = BUF_EMPTY;

	if (dl_list_make(&j->shares, &j->files, &j->d, &l, e) < 0 ||
	    dl_list_encode(&l, &bytes, e) < 0)
		return -1;
	j->d.has_list = true;
	return st_container_put(out, bytes.at, bytes.len, &j->d.list_frame, e);
}

static int
write_out(const struct cli_args *a, struct job *j, struct err *e)
{
	ST_CONTAINER_NEW_SCOPED struct st_container_new *out =
		st_container_begin(output, ST_CONTAINER_DELTA, e);
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	BUF_SCOPED struct buf manifest = BUF_EMPTY;
	int r;

	if (out == NULL)
		return -1;
	progress_begin(&p, "pack", true, sum(&j->d, DL_UNIT_DATA));
	if (dl_pack(j->old, j->new, &j->d, j->effort, out, &p, e) < 0 ||
	    add_list(j, out, e) < 0)
		return -1;
	if (is_stored(a) &&
	    dl_stored_add(j->repo, is_nothing(a->at[0]) ? NULL : a->at[0],
			  a->at[1], &j->d, out, e) < 0)
		return -1;
	r = dl_delta_encode(&j->d, &manifest, e);
	if (r == 0)
		r = st_container_commit(out, manifest.at, manifest.len, &j->to,
					sign_key == NULL ? NULL : &j->signer, e);
	if (manifest.at != NULL)
		cx_wipe(manifest.at, manifest.len);
	return r;
}

static int
create(const struct cli_args *a, struct err *e)
{
	SCOPED(job_done) struct job j = { .old = NULL };

	if (prepare(a, &j, e) < 0 || plan(a, &j, e) < 0 ||
	    write_out(a, &j, e) < 0)
		return -1;
	(void)printf("%s: %" PRIu64 " bytes change", output,
		     sum(&j.d, DL_UNIT_DATA));
	(void)printf(", %" PRIu64 " become zeros\n", sum(&j.d, DL_UNIT_ZERO));
	return 0;
}

static const struct cli_opt opts[] = {
	{ .name = "output", .letter = 'o', .arg = "FILE",
	  .help = "write the delta to FILE", .value = &output },
	{ .name = "recipient", .letter = 'R', .arg = "PUB",
	  .help = "seal to PUB: a file of public keys, or a directory of them",
	  .list = &recipients },
	{ .name = "sign", .arg = "KEY", .help = "sign with this private key",
	  .value = &sign_key },
	{ .name = "effort", .arg = "EFFORT",
	  .help = "fast, default or max: how hard to look for a small result",
	  .value = &effort },
	{ .name = "exact", .help = "keep every bit of NEW, as is always done so far",
	  .flag = &exact },
	{ .name = NULL }
};

const struct cli_cmd cmd_create = {
	.name = "create", .operands = "OLD NEW",
	.help = "make a delta that turns OLD into NEW", .opts = opts,
	.common = CLI_REPO | CLI_KEY | CLI_FORMAT | CLI_STATE | CLI_FORCE,
	.min_operands = 2, .max_operands = 2, .run = create,
};
