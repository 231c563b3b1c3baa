/* cmd_users.c - profmig users: who has a profile on a disk
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "disk/disk.h"
#include "profmig/cmd.h"
#include "profmig/extract.h"
#include "source/source.h"

/* What is odd about a profile, or NULL. */
static const char *
oddity(const struct wn_install *in, const struct wn_user *u)
{
	const char *why = pm_oddity(in, u);

	if (why != NULL)
		return why;
	if (strstr(u->key, ".bak") != NULL)
		return "set aside by Windows (.bak)";
	if ((u->state & 0x8000) != 0)
		return "backed up by Windows";
	return u->central != NULL ? "roaming: a server has a copy, which may "
		"be newer" : NULL;
}

static void
print_user(const struct wn_install *in, const struct wn_user *u)
{
	char sid[WN_SID_TEXT];

	cmd_put(stdout, u->name);
	(void)printf("\t%s\t%s\t", wn_account_name(u->account),
		     wn_sid_text(&u->sid, sid));
	cmd_put(stdout, u->profile == NULL ? "-" : u->profile);
	if (oddity(in, u) != NULL)
		(void)printf("\t%s", oddity(in, u));
	(void)putchar('\n');
}

static void
json_user(struct js *o, const struct wn_install *in,
	  const struct wn_user *u)
{
	char sid[WN_SID_TEXT];

	js_str(o, "name", u->name);
	js_str(o, "account", wn_account_name(u->account));
	js_str(o, "sid", wn_sid_text(&u->sid, sid));
	js_str(o, "profile", u->profile);
	js_u64(o, "used", u->used);
	js_str(o, "problem", oddity(in, u));
}

static int
users(const struct cli_args *a, struct err *e)
{
	DK_SCOPED struct dk *d = src_open(a, a->at[0], 0, e);
	WN_SCOPED struct wn_guest *g = d == NULL ? NULL : wn_open(d, 0, e);
	JS_SCOPED struct js *j = NULL;
	struct wn_install *in = g == NULL ? NULL : wn_choose(g, a->root, e);
	struct js *list = NULL;

	if (in == NULL)
		return -1;
	if (a->json) {
		j = js_new("profmig users", 1, e);
		if (j == NULL)
			return -1;
		js_str(j, "computer", in->computer);
		js_str(j, "windows", in->product);
		list = js_list(j, "users");
	}
	for (size_t i = 0; i < in->users; i++) {
		if (in->user[i].account == WN_ACCOUNT_SYSTEM)
			continue;
		if (a->json)
			json_user(js_item(list), in, &in->user[i]);
		else
			print_user(in, &in->user[i]);
	}
	return a->json ? js_print(j, stdout, e) : 0;
}

const struct cli_cmd cmd_users = {
	.name = "users", .operands = "DISK",
	.help = "list the people who have a profile",
	.common = CLI_JSON | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		  CLI_STATE | CLI_FORMAT,
	.min_operands = 1, .max_operands = 1, .run = users,
};
