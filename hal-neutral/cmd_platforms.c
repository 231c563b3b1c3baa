/* cmd_platforms.c - hal-neutral platforms
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "hal-neutral/cmd.h"

static const char *
firmware(const struct hn_platform *p)
{
	return p->bios && p->uefi ? "bios, uefi" : p->bios ? "bios" : "uefi";
}

static int
as_json(const struct hn_platforms *all, struct err *e)
{
	JS_SCOPED struct js *j = js_new("hal-neutral platforms", 1, e);
	struct js *list = j != NULL ? js_list(j, "platforms") : NULL;

	if (j == NULL)
		return -1;
	for (size_t i = 0; i < all->count; i++) {
		const struct hn_platform *p = &all->at[i];
		struct js *one = js_item(list), *ids;

		js_str(one, "name", p->name);
		js_str(one, "what", p->what);
		js_bool(one, "bios", p->bios);
		js_bool(one, "uefi", p->uefi);
		js_bool(one, "madt", p->madt);
		ids = js_list(one, "devices");
		for (size_t d = 0; d < p->devices; d++)
			js_item_str(ids, p->device[d].id[0]);
	}
	return js_print(j, stdout, e);
}

static int
platforms(const struct cli_args *a, struct err *e)
{
	HN_PLATFORMS_SCOPED struct hn_platforms all = HN_PLATFORMS_EMPTY;

	if (hn_platforms_shipped(&all, e) < 0)
		return -1;
	if (a->json)
		return as_json(&all, e);
	for (size_t i = 0; i < all.count; i++) {
		const struct hn_platform *p = &all.at[i];

		(void)printf("%-20s %-11s %s\n", p->name, firmware(p), p->what);
	}
	return 0;
}

const struct cli_cmd cmd_platforms = {
	.name = "platforms", .operands = "",
	.help = "list the machines an image can be made for",
	.common = CLI_JSON, .min_operands = 0, .max_operands = 0,
	.run = platforms,
};
