/* cmd.h - the commands of imgdelta
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_CMD_H
#define DELTA_CMD_H

#include "base/attr.h"
#include "base/cli.h"
#include "delta/apply.h"

extern const struct cli_cmd cmd_create, cmd_apply, cmd_show, cmd_explain,
	cmd_verify, cmd_push, cmd_pull, cmd_refresh, cmd_trust_init,
	cmd_trust_add, cmd_trust_rotate, cmd_trust_show;

/* Open the delta of the first operand with the user's key, whoever signed it:
 * looking is not trusting. */
MUST_CHECK int cmd_look(const struct cli_args *a, struct dl_file *ret,
			struct err *e);

/* What options say about a mirror. */
extern struct cmd_remote {
	const char *cert, *cert_key, *ca, *limit, *timeout, *retries, *trust;
} cmd_remote;

#define CMD_REMOTE_OPTS							\
	{ .name = "trust", .arg = "ROOT",				\
	  .help = "the origin's root file: whom to trust, the first time", \
	  .value = &cmd_remote.trust },					\
	{ .name = "cert", .arg = "FILE",				\
	  .help = "this client's certificate for https",		\
	  .value = &cmd_remote.cert },					\
	{ .name = "cert-key", .arg = "FILE",				\
	  .help = "its private key", .value = &cmd_remote.cert_key },	\
	{ .name = "ca", .arg = "FILE",					\
	  .help = "who may vouch for an https server",			\
	  .value = &cmd_remote.ca },					\
	{ .name = "limit", .arg = "RATE",				\
	  .help = "at most RATE bytes a second; 500K, 2M",		\
	  .value = &cmd_remote.limit },					\
	{ .name = "timeout", .arg = "SECONDS",				\
	  .help = "give up on what is too slow for so long (60)",	\
	  .value = &cmd_remote.timeout },				\
	{ .name = "retries", .arg = "N",				\
	  .help = "try again so often (5)", .value = &cmd_remote.retries }

struct dl_remote;
struct dl_trust;

/* The mirror that an operand names, and whom to trust there. */
MUST_CHECK struct dl_remote *cmd_remote_open(const struct cli_args *a,
					     const char *url,
					     struct dl_trust *ret_trust,
					     struct err *e);

#endif /* DELTA_CMD_H */
