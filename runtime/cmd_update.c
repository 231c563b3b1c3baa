/* cmd_update.c - imgrun update, rollback, redeploy, why
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "runtime/cmd.h"
#include "runtime/journal.h"
#include "runtime/keyd.h"
#include "runtime/layer.h"
#include "runtime/supervisor.h"

/* A guest that is off, locked, with its journal open for writing. */
struct idle {
	struct rt_stored s;
	struct rt_journal j;
	int lock;
};

#define IDLE_EMPTY { .s = RT_STORED_EMPTY, .j = RT_JOURNAL_EMPTY, .lock = -1 }

static void
idle_done(struct idle *i)
{
	rt_journal_done(&i->j);
	scope_close(&i->lock);
	rt_stored_done(&i->s);
}

static int
take_idle(const struct cli_args *a, struct idle *i, struct err *e)
{
	if (rt_stored_load(a->state, a->at[0], &i->s, e) < 0 ||
	    rt_supervisor_recover(&i->s.place, i->s.guest.name, e) < 0 ||
	    rt_lock_take(&i->s.place, i->s.guest.name, &i->lock, e) < 0)
		return -1;
	return rt_journal_open(i->s.place.journal, true, &i->j, e);
}

static int
update_idle(const struct cli_args *a, struct err *e)
{
	SCOPED(idle_done) struct idle i = IDLE_EMPTY;
	RT_KEYD_SCOPED struct rt_keyd keyd = RT_KEYD_EMPTY;

	if (take_idle(a, &i, e) < 0 ||
	    rt_keyd_start(i.s.bound.key, a->passphrase_fd, &keyd, e) < 0)
		return -1;
	return rt_supervisor_stage(&i.s, &i.j, &keyd, a->at[1], a->force, e);
}

static int
update(const struct cli_args *a, struct err *e)
{
	RT_STORED_SCOPED struct rt_stored s = RT_STORED_EMPTY;
	SCOPED_FREE char *request = NULL;

	if (rt_stored_load(a->state, a->at[0], &s, e) < 0)
		return -1;
	if (!rt_guest_image_ok(a->at[1]))
		return err_set(e, ERR_USAGE, "the image is not NAME, NAME:VERSION "
			       "or NAME:TAG");
	int up = rt_lock_held(&s.place, e);
	if (up < 0)
		return -1;
	if (up == 0) {
		if (update_idle(a, e) < 0)
			return -1;
	} else {
		request = mem_fmt(e, "stage%s %s", a->force ? "!" : "", a->at[1]);
		if (request == NULL ||
		    rt_supervisor_ask(&s.place, s.guest.name, request, NULL,
				      NULL, e) < 0)
			return -1;
	}
	log_note("%s: the next start tries it", s.guest.name);
	return 0;
}

static int
rollback(const struct cli_args *a, struct err *e)
{
	SCOPED(idle_done) struct idle i = IDLE_EMPTY;
	const struct rt_slots *s = &i.j.slots;
	SCOPED_FREE char *detail = NULL;

	if (take_idle(a, &i, e) < 0)
		return -1;
	if (s->next[0] != '\0') {
		/* What is staged has not replaced anything yet. */
		detail = mem_fmt(e, "%s taken back", s->next);
		return detail == NULL ? -1
			: rt_journal_add(&i.j, RT_EV_REJECTED, detail, e);
	}
	if (s->previous[0] == '\0')
		return err_set(e, ERR_UNSAFE, "%s: there is no version to go "
			       "back to", i.s.guest.name);
	detail = mem_fmt(e, "%s as asked", s->previous);
	if (detail == NULL ||
	    rt_journal_add(&i.j, RT_EV_ROLLED_BACK, detail, e) < 0)
		return -1;
	log_note("%s: back to %s", i.s.guest.name, s->active);
	return 0;
}

static int
redeploy(const struct cli_args *a, struct err *e)
{
	SCOPED(idle_done) struct idle i = IDLE_EMPTY;
	char question[256];

	if (take_idle(a, &i, e) < 0)
		return -1;
	(void)snprintf(question, sizeof(question), "%s: drop what it wrote to its "
		       "system disk", i.s.guest.name);
	if (cli_confirm(a, question, e) < 0 ||
	    rt_journal_add(&i.j, RT_EV_REDEPLOYED, "", e) < 0)
		return -1;
	return rt_layer_drop(&i.s.place, i.j.slots.active, e);
}

/* ---- why ---- */

static int
print_record(const struct rt_record *r, void *arg, struct err *e)
{
	char when[32] = "";
	struct tm tm;
	time_t at = (time_t)r->at;

	(void)arg;
	(void)e;
	if (localtime_r(&at, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%F %T", &tm);
	(void)printf("%s  %-15s %s\n", when, rt_event_words[r->event],
		     r->detail);
	return 0;
}

static int
add_record(const struct rt_record *r, void *arg, struct err *e)
{
	struct js *one = js_item(arg);

	(void)e;
	js_u64(one, "seq", r->seq);
	js_i64(one, "time", r->at);
	js_str(one, "event", rt_event_words[r->event]);
	js_str(one, "detail", r->detail);
	return 0;
}

static int
why(const struct cli_args *a, struct err *e)
{
	RT_STORED_SCOPED struct rt_stored s = RT_STORED_EMPTY;

	if (rt_stored_load(a->state, a->at[0], &s, e) < 0 ||
	    rt_supervisor_recover(&s.place, s.guest.name, e) < 0)
		return -1;
	if (!a->json)
		return rt_journal_each(s.place.journal, print_record, NULL, e);
	JS_SCOPED struct js *j = js_new("imgrun why", 1, e);
	js_str(j, "guest", s.guest.name);
	if (rt_journal_each(s.place.journal, add_record,
			    js_list(j, "records"), e) < 0)
		return -1;
	return js_print(j, stdout, e);
}

const struct cli_cmd cmd_update = {
	.name = "update", .operands = "G IMAGE",
	.help = "stage another version for the next start",
	.common = CLI_STATE | CLI_PASSPHRASE | CLI_FORCE,
	.min_operands = 2, .max_operands = 2, .run = update,
};

const struct cli_cmd cmd_rollback = {
	.name = "rollback", .operands = "G",
	.help = "go back to the version before",
	.common = CLI_STATE, .min_operands = 1, .max_operands = 1,
	.run = rollback,
};

const struct cli_cmd cmd_redeploy = {
	.name = "redeploy", .operands = "G",
	.help = "drop what a guest wrote to its system disk",
	.common = CLI_STATE | CLI_YES, .min_operands = 1, .max_operands = 1,
	.run = redeploy,
};

const struct cli_cmd cmd_why = {
	.name = "why", .operands = "G",
	.help = "tell what happened to a guest, and what decided it",
	.common = CLI_STATE | CLI_JSON, .min_operands = 1, .max_operands = 1,
	.run = why,
};
