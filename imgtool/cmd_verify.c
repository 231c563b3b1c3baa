/* cmd_verify.c - imgtool verify: is the repository whole?
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "imgtool/cmd.h"
#include "source/source.h"
#include "store/verify.h"

static bool keyless;

static void
print_fault(void *arg, const char *what)
{
	struct js *list = arg;

	if (list != NULL)
		js_item_str(list, what);
	else
		(void)printf("%s\n", what);
}

static void
print_sum(const struct st_verified *s, bool keys)
{
	(void)printf("%llu packs, %llu records, %llu versions",
		     (unsigned long long)s->packs,
		     (unsigned long long)s->records,
		     (unsigned long long)s->versions);
	if (keys)
		(void)printf(", %llu chunks read", (unsigned long long)s->chunks);
	(void)printf(": %llu fault%s\n", (unsigned long long)s->faults,
		     s->faults == 1 ? "" : "s");
	if (keys && s->closed > 0)
		log_note("%llu versions are not open to this key: checked "
			 "without it", (unsigned long long)s->closed);
}

static int
print_json(struct js *j, const struct st_verified *s, bool keys, struct err *e)
{
	js_bool(j, "keyless", !keys);
	js_u64(j, "packs", s->packs);
	js_u64(j, "records", s->records);
	js_u64(j, "bytes", s->bytes);
	js_u64(j, "versions", s->versions);
	js_u64(j, "closed", s->closed);
	js_u64(j, "chunks", s->chunks);
	return js_print(j, stdout, e);
}

static int
verify(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	ST_REPO_SCOPED struct st_repo *r = keyless ?
		(cli_need_repo(a, e) < 0 ? NULL : st_repo_open(a->repo, e)) :
		src_repo_with_key(a, &key, e);
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	JS_SCOPED struct js *j = NULL;
	struct st_verified sum;
	struct st_ref only;

	if (r == NULL)
		return -1;
	if (a->count == 1 && st_ref_find(r, a->at[0], &only, e) < 0)
		return -1;
	if (a->json && (j = js_new("imgtool verify", 1, e)) == NULL)
		return -1;
	struct js *list = j == NULL ? NULL : js_list(j, "faults");
	if (st_verify(r, a->count == 1 ? &only : NULL, !keyless, print_fault,
		      list, &p, &sum, e) < 0)
		return -1;
	progress_end(&p);
	/* A key that opens nothing has verified nothing. */
	if (!keyless && sum.closed > 0 && sum.closed == sum.versions &&
	    sum.faults == 0)
		return err_set(e, ERR_AUTH, "%s: %s opens none of it; --keyless "
			       "checks without a key", a->repo, a->key);
	if (j == NULL)
		print_sum(&sum, !keyless);
	else if (print_json(j, &sum, !keyless, e) < 0)
		return -1;
	return sum.faults == 0 ? 0 : err_set(e, ERR_NO, "%s", "");
}

static const struct cli_opt opts[] = {
	{ .name = "keyless", .help = "check what can be checked without a key",
	  .flag = &keyless },
	{ .name = NULL }
};

const struct cli_cmd cmd_verify = {
	.name = "verify", .operands = "[NAME:VER]",
	.help = "check a repository, or one version", .opts = opts,
	.common = CLI_REPO | CLI_KEY | CLI_JSON, .max_operands = 1,
	.run = verify,
};
