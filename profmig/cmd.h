/* cmd.h - the commands of profmig, one line each, and what they share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef PROFMIG_CMD_H
#define PROFMIG_CMD_H

#include <stdio.h>

#include "base/cli.h"
#include "change/apply.h"
#include "crypt/key.h"
#include "profmig/bundle.h"
#include "profmig/programs.h"
#include "profmig/work.h"
#include "windows/windows.h"

struct dk;
struct err;
struct js;

extern const struct cli_cmd cmd_users;
extern const struct cli_cmd cmd_extract;
extern const struct cli_cmd cmd_show;
extern const struct cli_cmd cmd_plan;
extern const struct cli_cmd cmd_apply;
extern const struct cli_cmd cmd_verify;
extern const struct cli_cmd cmd_revert;
extern const struct cli_cmd cmd_why;
extern const struct cli_cmd cmd_batch;

/* Options that plan, apply and verify share. */
struct cmd_who {
	const char *as, *map;
	bool create;
	struct cli_list users, rules, by;
};

#define CMD_WHO_OPTS(who)						\
	{ .name = "as", .arg = "USER",					\
	  .help = "the account on the target, by name or SID",		\
	  .value = &(who).as },						\
	{ .name = "map", .arg = "FILE",					\
	  .help = "lines OLD,NEW: names or SIDs and what they become",	\
	  .value = &(who).map },					\
	{ .name = "create-accounts",					\
	  .help = "make local accounts that are missing, no password",	\
	  .flag = &(who).create },					\
	{ .name = "user", .letter = 'u', .arg = "USER",			\
	  .help = "only this person of the bundle", .list = &(who).users }, \
	{ .name = "rules", .arg = "DIR",				\
	  .help = "also the rules in DIR; see halcyon-rules(5)",	\
	  .list = &(who).rules },					\
	{ .name = "by", .arg = "PUB", .help = "trust this signer",	\
	  .list = &(who).by }

/* Everything that stands between a bundle and a target. */
struct cmd_job {
	struct cx_key key;
	struct pm_bundle bundle;
	struct pm_reader *reader;
	struct pm_terms terms;
	struct dk *disk;
	struct cs_target *target;
	struct wn_install *to;
	struct pm_source source;
	struct cs_plan *plan;
	struct pm_programs has;		/* of the target */
};

#define CMD_JOB_EMPTY { .key = CX_KEY_EMPTY }
#define CMD_JOB_SCOPED SCOPED(cmd_job_done)
void cmd_job_done(struct cmd_job *j);

/* Open the bundle with -k, and check who signed it. */
MUST_CHECK int cmd_open_bundle(const struct cli_args *a, const char *path,
			       const struct cli_list *by, struct cmd_job *j,
			       struct err *e);

/* Open both, and the rules. */
MUST_CHECK int cmd_open_job(const struct cli_args *a, const struct cmd_who *w,
			    bool write, struct cmd_job *j, struct err *e);

/* Decide about everybody chosen, and settle the plan on the target. */
MUST_CHECK int cmd_make_plan(const struct cmd_who *w, struct cmd_job *j,
			     const char *made_by, struct err *e);

/* Counts of what becomes of items and values; -v lists what stays behind. */
void cmd_print_fates(const struct cmd_job *j, FILE *out);
void cmd_json_fates(const struct cmd_job *j, struct js *doc);


/* What becomes of everything, for `why`; the caller frees it. */
MUST_CHECK char *cmd_account(const struct cmd_job *j, struct err *e);

/* Text from a guest, which no terminal obeys. */
void cmd_put(FILE *out, const char *text);

#endif /* PROFMIG_CMD_H */
