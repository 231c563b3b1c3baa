/* cmd_rotate.c - imgcrypt rotate: a new key for an image
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "crypt/cmd.h"
#include "crypt/hash.h"
#include "store/repo.h"
#include "store/rotate.h"
#include "store/version.h"

static struct cli_list named;

/* Say who could open the image until now and is not let in again. */
static int
tell_cut_off(const struct st_repo *r, const struct st_ref *now,
	     const struct cx_pubs *to, struct err *e)
{
	SCOPED_FREE uint8_t (*ids)[CX_KEYID_BYTES] = NULL;
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	ST_VERSION_SCOPED struct st_version old = ST_VERSION_EMPTY;
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	char hex[CX_KEYID_ROOM];
	struct st_ref before;
	size_t count;

	if (st_version_load(r, now, &line, &v, e) < 0 ||
	    st_ref_find(r, v.parent_text, &before, e) < 0 ||
	    st_version_load(r, &before, NULL, &old, e) < 0 ||
	    st_line_recipients(r, old.line, &ids, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		bool stays = false;

		for (size_t k = 0; k < to->count; k++)
			stays |= memcmp(ids[i], to->at[k].id,
					CX_KEYID_BYTES) == 0;
		cx_hex(hex, ids[i], CX_KEYID_BYTES);
		if (!stays)
			log_note("%s: %s opens %s and before, and nothing from "
				 "%s:%llu on", now->name, hex, v.parent_text,
				 now->name, (unsigned long long)now->number);
	}
	return 0;
}

static int
rotate(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	ST_REPO_SCOPED struct st_repo *r = NULL;
	struct st_ref ref;

	if (cli_need_repo(a, e) < 0 || cli_need_key(a, e) < 0 ||
	    cx_pubs_load(&to, named.at, named.count, e) < 0 ||
	    (r = st_repo_open(a->repo, e)) == NULL ||
	    cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, &key,
			e) < 0 ||
	    st_repo_unlock(r, &key, e) < 0 ||
	    st_rotate(r, a->at[0], &to, &p, &ref, e) < 0)
		return -1;
	(void)printf("%s:%llu\n", ref.name, (unsigned long long)ref.number);
	return tell_cut_off(r, &ref, &to, e);
}

static const struct cli_opt opts[] = {
	{ .name = "recipient", .letter = 'R', .arg = "PUB",
	  .help = "whom the new key is for, beside the administrators",
	  .list = &named },
	{ .name = NULL }
};

const struct cli_cmd cmd_rotate = {
	.name = "rotate", .operands = "NAME",
	.help = "give an image a new key, from its next version on",
	.opts = opts, .common = CLI_REPO | CLI_KEY, .min_operands = 1,
	.max_operands = 1, .run = rotate,
};
