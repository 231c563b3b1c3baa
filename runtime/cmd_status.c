/* cmd_status.c - imgrun status, list
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "runtime/cmd.h"
#include "runtime/journal.h"
#include "runtime/supervisor.h"

/* What there is to say about one guest. */
struct view {
	struct rt_stored s;
	struct rt_journal j;
	struct js *live;	/* the supervisor's words; NULL when it is off */
	struct err deaf;	/* it runs, but does not answer */
};

#define VIEW_EMPTY { .s = RT_STORED_EMPTY, .j = RT_JOURNAL_EMPTY }

static void
view_done(struct view *v)
{
	rt_stored_done(&v->s);
	rt_journal_done(&v->j);
	js_done(&v->live);
}

static int
look(const char *state, const char *name, struct view *v, struct err *e)
{
	if (rt_stored_load(state, name, &v->s, e) < 0 ||
	    rt_supervisor_recover(&v->s.place, name, e) < 0)
		return -1;
	int held = rt_lock_held(&v->s.place, e);
	if (held < 0)
		return -1;
	/* A guest that is being started has no control socket yet. */
	if (held > 0)
		(void)!rt_supervisor_ask(&v->s.place, name, "status", &v->live,
					 NULL, &v->deaf);
	return rt_journal_open(v->s.place.journal, false, &v->j, e);
}

static void
copy_str(struct js *to, const struct js *from, const char *name)
{
	js_str(to, name, js_get_str(from, name));
}

static void
copy_u64(struct js *to, const struct js *from, const char *name)
{
	uint64_t v;

	if (js_get_u64(from, name, &v))
		js_u64(to, name, v);
}

static void
copy_bool(struct js *to, const struct js *from, const char *name)
{
	bool v;

	if (js_get_bool(from, name, &v))
		js_bool(to, name, v);
}

static void
copy_live(struct js *one, const struct js *live)
{
	static const char *const processes[] = { "supervisor", "keys", "block",
						 "qemu", "network", "tpm" };
	const struct js *from = js_get(live, "processes");

	copy_str(one, live, "accelerator");
	copy_str(one, live, "verdict");
	copy_bool(one, live, "isolation");
	copy_str(one, live, "jail");
	copy_bool(one, live, "key-protected");
	copy_u64(one, live, "block-restarts");
	struct js *to = js_object(one, "processes");
	for (size_t i = 0; i < sizeof(processes) / sizeof(processes[0]); i++)
		copy_u64(to, from, processes[i]);
}

static const char *
none_if_empty(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static void
add_json(struct js *list, const struct view *v)
{
	struct js *one = js_item(list);

	js_str(one, "name", v->s.guest.name);
	js_str(one, "os", rt_os_words[v->s.guest.os]);
	js_str(one, "version", v->j.slots.active);
	js_str(one, "previous", none_if_empty(v->j.slots.previous));
	js_str(one, "staged", none_if_empty(v->j.slots.next));
	js_bool(one, "keep", v->s.guest.keep);
	js_str(one, "state", rt_state_words[v->j.state]);
	js_i64(one, "since", v->j.ran.at);
	js_str(one, "reason", v->j.ran.detail);
	js_str(one, "console", v->s.place.debug_log);
	js_str(one, "serial", v->s.place.serial_log);
	js_str(one, "display", v->live == NULL ||
	       v->s.guest.display == RT_DISPLAY_NONE ? NULL
						     : v->s.place.display);
	js_str(one, "unreachable", v->deaf.kind == ERR_NONE ? NULL
							    : v->deaf.msg);
	if (v->live != NULL)
		copy_live(one, v->live);
}

static void
print_live(const struct js *live)
{
	bool isolated = false, is_protected = false;
	uint64_t n = 0, holder = 0;

	(void)js_get_u64(js_get(live, "processes"), "keys", &holder);
	(void)js_get_bool(live, "isolation", &isolated);
	(void)js_get_bool(live, "key-protected", &is_protected);
	(void)js_get_u64(live, "block-restarts", &n);
	(void)printf("accelerator  %s (/dev/kvm: %s)\n"
		     "isolation    %s\n"
		     "jail         %s\n"
		     "key          %s\n",
		     js_get_str(live, "accelerator"),
		     js_get_str(live, "verdict"),
		     isolated ? "hardware"
			      : "none: emulation is no security boundary",
		     js_get_str(live, "jail"),
		     is_protected ? "passphrase" : "unprotected");
	if (holder == 0)
		(void)printf("key holder   gone: the block server cannot be "
			     "restarted, should it die\n");
	if (n > 0)
		(void)printf("restarts     %" PRIu64 " of the block server\n",
			     n);
}

static void
print_text(const struct view *v)
{
	char when[32] = "";
	struct tm tm;
	time_t at = (time_t)v->j.ran.at;

	if (localtime_r(&at, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%F %T", &tm);
	(void)printf("guest        %s\n"
		     "system       %s from %s, writes are %s\n"
		     "state        %s since %s%s%s\n",
		     v->s.guest.name, rt_os_words[v->s.guest.os],
		     v->j.slots.active, v->s.guest.keep ? "kept" : "dropped",
		     rt_state_words[v->j.state], when,
		     v->j.ran.detail[0] != '\0' ? ": " : "",
		     v->j.ran.detail);
	if (v->j.slots.next[0] != '\0')
		(void)printf("staged       %s, tried %u of %u times\n",
			     v->j.slots.next, v->j.slots.tries,
			     v->s.guest.health.tries);
	if (v->live != NULL)
		print_live(v->live);
	if (v->deaf.kind != ERR_NONE)
		(void)printf("supervisor   %s\n", v->deaf.msg);
	if (v->live != NULL && v->s.guest.display != RT_DISPLAY_NONE)
		(void)printf("display      %s\n", v->s.place.display);
	(void)printf("console      %s\n", v->s.place.debug_log);
}

static int
show(const struct cli_args *a, const struct rt_names *names,
     void (*text)(const struct view *v), struct err *e)
{
	JS_SCOPED struct js *j = js_new("imgrun status", 1, e);
	struct js *list = js_list(j, "guests");

	for (size_t i = 0; i < names->count; i++) {
		SCOPED(view_done) struct view v = VIEW_EMPTY;

		if (look(a->state, names->at[i], &v, e) < 0)
			return -1;
		if (a->json)
			add_json(list, &v);
		else
			text(&v);
	}
	return a->json ? js_print(j, stdout, e) : 0;
}

static void
print_with_gap(const struct view *v)
{
	static bool again;

	if (again)
		(void)printf("\n");
	again = true;
	print_text(v);
}

static int
status(const struct cli_args *a, struct err *e)
{
	RT_NAMES_SCOPED struct rt_names names = RT_NAMES_EMPTY;

	if (a->count == 0) {
		if (rt_names_load(a->state, &names, e) < 0)
			return -1;
		return show(a, &names, print_with_gap, e);
	}
	const struct rt_names one = { .at = a->at, .count = 1 };
	return show(a, &one, print_text, e);
}

static void
print_line(const struct view *v)
{
	(void)printf("%-20s %-9s %-6s %s\n", v->s.guest.name,
		     rt_state_words[v->j.state], rt_os_words[v->s.guest.os],
		     v->j.slots.active);
}

static int
list(const struct cli_args *a, struct err *e)
{
	RT_NAMES_SCOPED struct rt_names names = RT_NAMES_EMPTY;

	if (rt_names_load(a->state, &names, e) < 0)
		return -1;
	return show(a, &names, print_line, e);
}

const struct cli_cmd cmd_status = {
	.name = "status", .operands = "[G]",
	.help = "tell how a guest, or every guest, is",
	.common = CLI_STATE | CLI_JSON, .max_operands = 1, .run = status,
};

const struct cli_cmd cmd_list = {
	.name = "list", .operands = "",
	.help = "list the guests of this machine",
	.common = CLI_STATE | CLI_JSON, .run = list,
};
