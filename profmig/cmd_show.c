/* cmd_show.c - profmig show: what is in a bundle
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>

#include "base/err.h"
#include "base/json.h"
#include "profmig/cmd.h"

static struct cli_list by;
static bool items;

static uint64_t
bytes_of(const struct pm_bundle *b, const struct pm_person *p)
{
	uint64_t n = 0;

	for (size_t i = 0; i < p->items; i++)
		if (p->item[i].content != PM_NO_CONTENT)
			n += b->content[p->item[i].content].size;
	return n;
}

static void
json_person(struct js *o, const struct pm_bundle *b,
	    const struct pm_person *p)
{
	char sid[WN_SID_TEXT];
	struct js *list;

	js_str(o, "name", p->name);
	js_str(o, "sid", wn_sid_text(&p->sid, sid));
	js_str(o, "account", wn_account_name((enum wn_account)p->account));
	js_str(o, "profile", p->profile);
	js_u64(o, "items", p->items);
	js_u64(o, "bytes", bytes_of(b, p));
	js_str(o, "stale", p->stale);
	list = js_list(o, "losses");
	for (size_t i = 0; i < p->losses; i++) {
		struct js *one = js_item(list);

		js_str(one, "kind", pm_loss_name(p->loss[i].kind));
		js_str(one, "what", p->loss[i].what);
		js_str(one, "why", p->loss[i].why);
		js_u64(one, "bytes", p->loss[i].bytes);
	}
	list = items ? js_list(o, "files") : NULL;
	for (size_t i = 0; items && i < p->items; i++) {
		const struct pm_item *it = &p->item[i];
		struct js *one = js_item(list);

		js_str(one, "path", it->path);
		if (it->content != PM_NO_CONTENT) {
			js_u64(one, "size", b->content[it->content].size);
			js_hex(one, "sha256", b->content[it->content].hash,
			       32);
		}
	}
}

static int
print_json(const struct pm_bundle *b, const struct cx_pub *signer,
	   struct err *e)
{
	JS_SCOPED struct js *j = js_new("profmig show", 1, e);
	const struct pm_origin *o = &b->origin;
	struct js *list;

	if (j == NULL)
		return -1;
	js_str(j, "computer", o->computer);
	js_str(j, "domain", o->domain);
	js_str(j, "windows", o->product);
	js_str(j, "signed-by", signer == NULL ? NULL : signer->name);
	list = js_list(j, "people");
	for (size_t i = 0; i < b->people; i++)
		json_person(js_item(list), b, &b->person[i]);
	list = js_list(j, "programs");
	for (size_t i = 0; i < b->programs; i++)
		js_item_str(list, b->program[i]);
	return js_print(j, stdout, e);
}

static void
print_person(const struct pm_bundle *b, const struct pm_person *p)
{
	char sid[WN_SID_TEXT];

	(void)putchar('\n');
	cmd_put(stdout, p->name);
	(void)printf(" (%s, %s)\n  ", wn_account_name((enum wn_account)
		     p->account), wn_sid_text(&p->sid, sid));
	cmd_put(stdout, p->profile);
	(void)printf(": %zu items, %" PRIu64 " bytes\n", p->items,
		     bytes_of(b, p));
	for (size_t i = 0; i < p->losses; i++) {
		const struct pm_loss *l = &p->loss[i];

		if (l->kind == PM_LOSS_EXCLUDED && !items)
			continue;
		(void)printf("  stays behind: ");
		cmd_put(stdout, l->what);
		(void)printf(" (%s: ", pm_loss_name(l->kind));
		cmd_put(stdout, l->why);
		(void)printf(")\n");
	}
	for (size_t i = 0; items && i < p->items; i++) {
		(void)printf("  ");
		cmd_put(stdout, p->item[i].path);
		(void)putchar('\n');
	}
}

static int
show(const struct cli_args *a, struct err *e)
{
	CMD_JOB_SCOPED struct cmd_job j = CMD_JOB_EMPTY;
	const struct pm_origin *o = &j.bundle.origin;

	if (cmd_open_bundle(a, a->at[0], &by, &j, e) < 0)
		return -1;
	if (a->json)
		return print_json(&j.bundle, NULL, e);
	cmd_put(stdout, o->computer == NULL ? "?" : o->computer);
	(void)printf(", ");
	cmd_put(stdout, o->product == NULL ? wn_generation_name(
		(enum wn_generation)o->generation) : o->product);
	(void)putchar('\n');
	for (size_t i = 0; i < j.bundle.people; i++)
		print_person(&j.bundle, &j.bundle.person[i]);
	return 0;
}

static const struct cli_opt opts[] = {
	{ .name = "by", .arg = "PUB", .help = "trust this signer",
	  .list = &by },
	{ .name = "items", .help = "also list every item", .flag = &items },
	{ .name = NULL }
};

const struct cli_cmd cmd_show = {
	.name = "show", .operands = "BUNDLE",
	.help = "show who and what is in a bundle", .opts = opts,
	.common = CLI_JSON | CLI_KEY, .min_operands = 1, .max_operands = 1,
	.run = show,
};
