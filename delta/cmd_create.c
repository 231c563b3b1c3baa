/* cmd_create.c - imgdelta create
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "crypt/key.h"
#include "delta/cmd.h"
#include "delta/clean.h"
#include "delta/create.h"
#include "disk/disk.h"
#include "source/source.h"
#include "store/repo.h"

static struct cli_list recipients;
static const char *output, *sign_key, *effort;
static bool exact;

/* What the operands and options name. */
struct job {
	struct cx_key key;
	struct st_repo *repo;		/* NULL: both are disks */
	struct dk *old, *new, *clean;	/* clean: of new, or NULL */
	struct src_left left;
	struct cx_pubs to;
	struct cx_key signer;
	enum dl_effort effort;
};

static void
job_done(struct job *j)
{
	cx_key_done(&j->signer);
	cx_pubs_done(&j->to);
	dk_free(&j->clean);
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

static void
tell(const char *text)
{
	log_note("%s", text);
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
	/* A version was cleaned when it was imported, if it was to be. */
	if (!exact && j->new->size > 0 && !src_is_version(a->at[1])) {
		j->clean = dl_clean(j->new, tell, &j->left, e);
		if (j->clean == NULL)
			return -1;
	}
	if (sign_key == NULL)
		return 0;
	return cx_key_load(sign_key, a->passphrase_fd, cx_ask_terminal,
			   &j->signer, e);
}

/* Say what of NEW does not arrive, and how it would. */
static int
tell_left(const struct job *j, struct err *e)
{
	SCOPED_FREE char *left = src_left_text(&j->left, e);

	if (left == NULL)
		return -1;
	if (left[0] != '\0')
		log_note("left out: %s; --exact keeps them", left);
	return 0;
}

static int
create(const struct cli_args *a, struct err *e)
{
	SCOPED(job_done) struct job j = { .old = NULL };

	struct dl_created made;

	if (prepare(a, &j, e) < 0)
		return -1;

	const struct dl_new n = {
		.old = j.old, .new = j.clean != NULL ? j.clean : j.new,
		.old_name = a->at[0],
		.new_name = a->at[1], .effort = j.effort,
		.stored_in = is_stored(a) ? j.repo : NULL,
		.from_nothing = is_nothing(a->at[0]),
		.to = &j.to, .signer = sign_key == NULL ? NULL : &j.signer,
	};
	if (dl_create(&n, output, &made, e) < 0)
		return -1;
	(void)printf("%s: %" PRIu64 " bytes change, %" PRIu64
		     " become zeros\n", output, made.changed, made.zeroed);
	return tell_left(&j, e);
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
	{ .name = "exact", .help = "keep every bit of NEW, free clusters and page file too",
	  .flag = &exact },
	{ .name = NULL }
};

const struct cli_cmd cmd_create = {
	.name = "create", .operands = "OLD NEW",
	.help = "make a delta that turns OLD into NEW", .opts = opts,
	.common = CLI_REPO | CLI_KEY | CLI_FORMAT | CLI_STATE | CLI_FORCE,
	.min_operands = 2, .max_operands = 2, .run = create,
};
