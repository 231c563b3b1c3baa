/* cmd_history.c - imgtool history and undo
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "disk/tx.h"
#include "imgtool/cmd.h"
#include "imgtool/reg.h"

static bool list_only, drop;

static const char *
state_name(enum dk_tx_state s)
{
	static const char *const names[] = {
		[DK_TX_DONE] = "done", [DK_TX_UNDOING] = "interrupted",
	};

	return names[s];
}

static const char *
time_text(uint64_t t, char room[32])
{
	time_t when = (time_t)t;
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(room, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(room, 32, "-");
	return room;
}

static void
json_tx(struct js *one, const struct dk_tx *t)
{
	char room[32];

	js_u64(one, "number", t->number);
	js_str(one, "state", state_name(t->state));
	js_str(one, "time", time_text(t->time, room));
	js_u64(one, "bytes", t->bytes);
	js_u64(one, "extents", t->extents);
	js_str(one, "what", t->what);
}

static int
history(const struct cli_args *a, struct err *e)
{
	DK_HISTORY_SCOPED struct dk_history h = DK_HISTORY_EMPTY;
	JS_SCOPED struct js *j = NULL;
	struct js *list = NULL;

	if (dk_history(a->at[0], a->state, &h, e) < 0)
		return -1;
	if (a->json) {
		j = js_new("imgtool history", 1, e);
		if (j == NULL)
			return -1;
		list = js_list(j, "transactions");
	}
	for (size_t i = 0; i < h.count; i++) {
		const struct dk_tx *t = &h.at[i];
		char room[32];

		if (list != NULL) {
			json_tx(js_item(list), t);
			continue;
		}
		(void)printf("%" PRIu64 "\t%s\t%" PRIu64 "\t%s\t", t->number,
			     time_text(t->time, room), t->bytes,
			     state_name(t->state));
		reg_print_text(stdout, t->what);
		(void)putchar('\n');
	}
	return j == NULL ? 0 : js_print(j, stdout, e);
}

const struct cli_cmd cmd_history = {
	.name = "history", .operands = "DISK",
	.help = "list the changes to a disk that can be undone",
	.common = CLI_JSON | CLI_STATE,
	.min_operands = 1, .max_operands = 1, .run = history,
};

static int
drop_logs(const struct cli_args *a, struct err *e)
{
	size_t dropped;

	if (cli_confirm(a, "remove what undo needs", e) < 0 ||
	    dk_history_drop(a->at[0], a->state, a->force, &dropped, e) < 0)
		return -1;
	log_note("%s: %zu changes can no longer be undone", a->at[0], dropped);
	return 0;
}

static int
undo(const struct cli_args *a, struct err *e)
{
	struct dk_tx t;

	if (list_only)
		return history(a, e);
	if (drop)
		return drop_logs(a, e);
	if (dk_undo(a->at[0], a->format, a->state, a->dry_run, &t, e) < 0)
		return -1;
	(void)printf("%s\t%" PRIu64 "\t", a->dry_run ? "would undo" : "undone",
		     t.number);
	reg_print_text(stdout, t.what);
	(void)putchar('\n');
	dk_tx_done(&t);
	return 0;
}

static const struct cli_opt undo_opts[] = {
	{ .name = "list", .flag = &list_only,
	  .help = "only list, as history does" },
	{ .name = "drop", .flag = &drop,
	  .help = "remove the logs: nothing can be undone any more" },
	{ .name = NULL }
};

const struct cli_cmd cmd_undo = {
	.name = "undo", .operands = "DISK",
	.help = "take back the last change to a disk", .opts = undo_opts,
	.common = CLI_JSON | CLI_DRY_RUN | CLI_STATE | CLI_FORMAT | CLI_FORCE |
		  CLI_YES,
	.min_operands = 1, .max_operands = 1, .run = undo,
};
