/* cmd_extract.c - profmig extract: people's profiles into a sealed bundle
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "disk/disk.h"
#include "profmig/cmd.h"
#include "profmig/extract.h"
#include "source/source.h"

static struct cli_list names, recipients;
static const char *output, *outside, *active, *sign;
static bool all;

enum { FILETIME_SECOND = 10000000 };

/* Seconds from 1601 to 1970. */
#define FILETIME_EPOCH UINT64_C(11644473600)

static uint64_t
filetime_now(void)
{
	return ((uint64_t)time(NULL) + FILETIME_EPOCH) * FILETIME_SECOND;
}

/* Everybody who can be extracted, or who was used in the last DAYS. */
static int
choose_all(struct wn_install *in, struct wn_user **ret, size_t *ret_count,
	   struct err *e)
{
	uint64_t days = 0, since;

	if (active != NULL && !num_parse(active, 1, 36500, false, &days))
		return err_set(e, ERR_USAGE, "--active %s: a number of days "
			       "is wanted", active);
	since = filetime_now() - days * 86400 * FILETIME_SECOND;
	for (size_t i = 0; i < in->users; i++) {
		struct wn_user *u = &in->user[i];

		if (u->account == WN_ACCOUNT_SYSTEM)
			continue;
		if (pm_oddity(in, u) != NULL)
			log_warn("%s: left out: %s", u->name,
				 pm_oddity(in, u));
		else if (active == NULL || u->used >= since)
			ret[(*ret_count)++] = u;
	}
	if (*ret_count == 0)
		return err_set(e, ERR_NO, "nobody to extract");
	return 0;
}

static int
choose(struct wn_install *in, struct wn_user **ret, size_t *ret_count,
       struct err *e)
{
	if (all || active != NULL)
		return choose_all(in, ret, ret_count, e);
	for (size_t i = 0; i < names.count; i++) {
		struct wn_user *u = wn_user(in, names.at[i]);
		bool twice = false;

		if (u == NULL || u->account == WN_ACCOUNT_SYSTEM)
			return err_set(e, ERR_NO, "%s: no such user; "
				       "\"profmig users\" lists them",
				       names.at[i]);
		if (pm_oddity(in, u) != NULL)
			return err_set(e, ERR_NO, "%s: has no profile to "
				       "extract: %s", names.at[i],
				       pm_oddity(in, u));
		for (size_t k = 0; k < *ret_count; k++)
			twice = twice || ret[k] == u;
		if (!twice)
			ret[(*ret_count)++] = u;
	}
	return 0;
}

static int
check_options(const struct cli_args *a, enum pm_outside *ret, struct err *e)
{
	static const char *const words[] = { "docs", "all", "none" };

	if (output == NULL)
		return err_set(e, ERR_USAGE, "%s: needs -o BUNDLE", a->at[0]);
	if (recipients.count == 0)
		return err_set(e, ERR_USAGE, "%s: needs -R PUB for each "
			       "recipient", a->at[0]);
	if (names.count == 0 && !all && active == NULL)
		return err_set(e, ERR_USAGE, "%s: needs --user NAME, --all or "
			       "--active DAYS", a->at[0]);
	for (size_t i = 0; i < 3; i++)
		if (strcmp(outside == NULL ? "docs" : outside, words[i]) == 0) {
			*ret = (enum pm_outside)i;
			return cli_new_output(a, output, e);
		}
	return err_set(e, ERR_USAGE, "--outside %s: there are docs, all and "
		       "none", outside);
}

static void
on_failed(void *arg, const struct wn_user *u, const struct err *why)
{
	size_t *failed = arg;

	++*failed;
	log_warn("%s: failed: %s", u->name, why->msg);
}

/* What a server has may be newer than what is here. */
static void
tell_roaming(const struct pm_extract *x)
{
	for (size_t i = 0; i < x->count; i++)
		if (x->users[i]->central != NULL)
			log_warn("%s: a roaming profile; %s may hold a newer "
				 "one", x->users[i]->name,
				 x->users[i]->central);
}

static void
tell(const struct pm_bundle *b)
{
	for (size_t i = 0; i < b->people; i++) {
		const struct pm_person *p = &b->person[i];
		size_t kept = 0;

		for (size_t k = 0; k < p->losses; k++)
			kept += p->loss[k].kind != PM_LOSS_EXCLUDED;
		(void)printf("%s: %zu items, %zu stay behind\n", p->name,
			     p->items, kept);
	}
}

static int
extract(const struct cli_args *a, struct err *e)
{
	DK_SCOPED struct dk *d = NULL;
	WN_SCOPED struct wn_guest *g = NULL;
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;
	CX_KEY_SCOPED struct cx_key signer = CX_KEY_EMPTY;
	PM_WRITER_SCOPED struct pm_writer *w = NULL;
	PM_BUNDLE_SCOPED struct pm_bundle b = PM_BUNDLE_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	SCOPED_FREE struct wn_user **chosen = NULL;
	size_t failed = 0;
	struct pm_extract x = { .now = filetime_now(), .progress = &p,
				.failed = on_failed, .arg = &failed };

	if (check_options(a, &x.outside, e) < 0 ||
	    cx_pubs_load(&to, recipients.at, recipients.count, e) < 0)
		return -1;
	if (sign != NULL && cx_key_load(sign, -1, cx_ask_terminal, &signer,
					e) < 0)
		return -1;
	d = src_open(a, a->at[0], 0, e);
	g = d == NULL ? NULL : wn_open(d, 0, e);
	x.in = g == NULL ? NULL : wn_choose(g, a->root, e);
	if (x.in == NULL)
		return -1;
	chosen = mem_array(x.in->users + names.count, sizeof(*chosen), e);
	if (chosen == NULL || choose(x.in, chosen, &x.count, e) < 0)
		return -1;
	x.users = chosen;
	progress_begin(&p, a->at[0], true, 0);
	w = pm_writer_new(output, e);
	if (w == NULL || pm_extract(&x, w, &b, e) < 0 ||
	    pm_writer_commit(w, &b, &to, sign != NULL ? &signer : NULL, e) < 0)
		return -1;
	progress_end(&p);
	tell_roaming(&x);
	tell(&b);
	return failed == 0 ? 0 : err_set(e, ERR_PARTIAL, "%s: %zu of %zu "
		"people failed, the bundle has the others", a->at[0], failed,
		x.count);
}

static const struct cli_opt opts[] = {
	{ .name = "user", .letter = 'u', .arg = "USER",
	  .help = "this person, by name or SID", .list = &names },
	{ .name = "all", .help = "everybody", .flag = &all },
	{ .name = "active", .arg = "DAYS",
	  .help = "everybody who used it in the last DAYS", .value = &active },
	{ .name = "outside", .arg = "WHAT",
	  .help = "also files outside profiles: docs (default), all, none",
	  .value = &outside },
	{ .name = "recipient", .letter = 'R', .arg = "PUB",
	  .help = "seal to PUB: a file of public keys, or a directory of them",
	  .list = &recipients },
	{ .name = "sign", .arg = "KEY", .help = "sign with KEY",
	  .value = &sign },
	{ .name = "output", .letter = 'o', .arg = "BUNDLE",
	  .help = "write the bundle to BUNDLE", .value = &output },
	{ .name = NULL }
};

const struct cli_cmd cmd_extract = {
	.name = "extract", .operands = "DISK",
	.help = "take people's profiles out of a disk", .opts = opts,
	.common = CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES | CLI_STATE |
		  CLI_FORMAT | CLI_FORCE,
	.min_operands = 1, .max_operands = 1, .run = extract,
};
