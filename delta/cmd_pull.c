/* cmd_pull.c - imgdelta pull
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "crypt/key.h"
#include "delta/cmd.h"
#include "delta/pull.h"
#include "delta/remote.h"
#include "disk/disk.h"
#include "source/source.h"
#include "store/repo.h"

static struct cli_list seeds;
static bool allow_expired;

/* Disks that may hold some of what is pulled. */
struct disks {
	struct dk **at;
	size_t count;
};

static void
disks_done(struct disks *d)
{
	for (size_t i = 0; i < d->count; i++)
		dk_free(&d->at[i]);
	free(d->at);
}

static int
open_seeds(const struct cli_args *a, struct disks *ret, struct err *e)
{
	ret->at = mem_array(seeds.count, sizeof(struct dk *), e);
	if (ret->at == NULL)
		return -1;
	while (ret->count < seeds.count) {
		struct dk *d = src_open(a, seeds.at[ret->count], 0, e);

		if (d == NULL)
			return -1;
		ret->at[ret->count++] = d;
	}
	return 0;
}

static void
tell(const struct st_ref *ref, bool is_new)
{
	(void)printf("%s:%" PRIu64 "%s\n", ref->name, ref->number,
		     is_new ? "" : " is there already");
	(void)fflush(stdout);
}

static int
pull(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	SCOPED(disks_done) struct disks disks = { .at = NULL };
	struct dl_pull p = { .wanted = a->at + 1, .wanteds = a->count - 1,
			     .tell = tell };

	p.trust.allow_expired = allow_expired;
	ST_REPO_SCOPED struct st_repo *r = src_repo_with_key(a, &k, e);
	if (r == NULL || open_seeds(a, &disks, e) < 0)
		return -1;

	DL_REMOTE_SCOPED struct dl_remote *remote =
		cmd_remote_open(a, a->at[0], &p.trust, e);
	if (remote == NULL)
		return -1;
	p.repo = r;
	p.remote = remote;
	p.seed = disks.at;
	p.seeds = disks.count;
	return dl_pull(&p, e);
}

static const struct cli_opt opts[] = {
	{ .name = "seed", .arg = "DISK",
	  .help = "a disk that may hold some of it, so that less travels",
	  .list = &seeds },
	{ .name = "allow-expired",
	  .help = "take what nobody answers for being the newest",
	  .flag = &allow_expired },
	CMD_REMOTE_OPTS,
	{ .name = NULL }
};

const struct cli_cmd cmd_pull = {
	.name = "pull", .operands = "URL [NAME[:VER]...]",
	.help = "bring versions from a mirror into a client's repository",
	.opts = opts,
	.common = CLI_REPO | CLI_KEY | CLI_FORMAT | CLI_STATE,
	.min_operands = 1, .max_operands = SIZE_MAX, .run = pull,
};
