/* cmd_verify.c - hal-neutral verify: the proof, as a matrix
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "hal-neutral/cmd.h"

static struct cli_list names;
static bool chain;

/* Names in a guest's hive must not drive the user's terminal. */
static void
print_text(const char *text)
{
	char quoted[1024];

	(void)fputs(err_quote(quoted, sizeof(quoted), text, strlen(text)),
		    stdout);
}

static void
print_link(const struct hn_link *l)
{
	(void)printf("  %-3s %-11s ", l->why == NULL ? "ok" : "NO", l->kind);
	print_text(l->what);
	if (l->why != NULL) {
		(void)printf(": ");
		print_text(l->why);
	}
	(void)printf("\n");
}

/* One line of the matrix; with --chain every link, else those missing. */
static void
print_verdict(const struct hn_platform *p, const struct hn_verdict *v)
{
	(void)printf("%-20s %s\n", p->name, v->yes ? "YES" : "NO");
	for (size_t i = 0; i < v->links; i++)
		if (chain || v->at[i].why != NULL)
			print_link(&v->at[i]);
}

static void
json_verdict(struct js *list, const struct hn_platform *p,
	     const struct hn_verdict *v)
{
	struct js *one = js_item(list), *links;

	js_str(one, "platform", p->name);
	js_bool(one, "boots", v->yes);
	links = js_list(one, "chain");
	for (size_t i = 0; i < v->links; i++) {
		struct js *l = js_item(links);

		js_str(l, "kind", v->at[i].kind);
		js_str(l, "what", v->at[i].what);
		js_bool(l, "holds", v->at[i].why == NULL);
		if (v->at[i].why != NULL)
			js_str(l, "why", v->at[i].why);
	}
}

static int
prove_all(const struct cli_args *a, struct session *s,
	  const struct hn_platforms *all, bool *ret_yes, struct err *e)
{
	JS_SCOPED struct js *j = a->json ? js_new("hal-neutral verify", 1, e) :
				 NULL;
	struct js *list = NULL;
	bool yes = true;

	if (a->json && j == NULL)
		return -1;
	if (j != NULL) {
		js_str(j, "disk", a->at[0]);
		js_str(j, "windows", wn_generation_name(s->image.in->generation));
		js_str(j, "root", s->image.in->system_root);
		js_str(j, "control-set", s->image.set[0].name);
		list = js_list(j, "platforms");
	}
	for (size_t i = 0; i < all->count; i++) {
		HN_VERDICT_SCOPED struct hn_verdict v = HN_VERDICT_EMPTY;

		if (hn_prove(&s->image, &all->at[i], &v, e) < 0)
			return -1;
		yes = yes && v.yes;
		if (j != NULL)
			json_verdict(list, &all->at[i], &v);
		else
			print_verdict(&all->at[i], &v);
	}
	*ret_yes = yes;
	return j != NULL ? js_print(j, stdout, e) : 0;
}

static int
verify(const struct cli_args *a, struct err *e)
{
	HN_PLATFORMS_SCOPED struct hn_platforms all = HN_PLATFORMS_EMPTY;
	SESSION_SCOPED struct session s = SESSION_EMPTY;
	bool yes = false;

	if (load_platforms(&names, &all, e) < 0 ||
	    session_open(a, a->at[0], 0, &s, e) < 0 ||
	    prove_all(a, &s, &all, &yes, e) < 0)
		return -1;
	return yes ? 0 : err_set(e, ERR_NO, "%s", "");
}

static const struct cli_opt opts[] = {
	{ .name = "platform", .arg = "P",
	  .help = "a machine it shall boot on; may be repeated",
	  .list = &names },
	{ .name = "chain", .help = "print every link, not only missing ones",
	  .flag = &chain },
	{ .name = NULL }
};

const struct cli_cmd cmd_verify = {
	.name = "verify", .operands = "DISK",
	.help = "prove, without booting, where an image boots",
	.opts = opts, .common = CMD_DISK | CLI_JSON, .min_operands = 1,
	.max_operands = 1, .run = verify,
};
