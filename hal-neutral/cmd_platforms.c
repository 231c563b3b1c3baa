/* cmd_platforms.c - hal-neutral platforms
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>

#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "hal-neutral/cmd.h"
#include "hal-neutral/own.h"

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

static const char *from;

/* One platform file, of the disk's own PC. */
static int
own(const struct cli_args *a, struct err *e)
{
	SESSION_SCOPED struct session s = SESSION_EMPTY;
	HN_PLATFORM_SCOPED struct hn_platform p = HN_PLATFORM_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;

	/* What was made of a guest's hive is read back before it is shown. */
	if (session_open(a, from, 0, &s, e) < 0 ||
	    hn_own_platform(&s.image, &out, e) < 0 ||
	    hn_platform_parse(from, out.at, out.len, &p, e) < 0)
		return -1;
	return io_write_all(1, out.at, out.len, "standard output", e);
}

static int
platforms(const struct cli_args *a, struct err *e)
{
	HN_PLATFORMS_SCOPED struct hn_platforms all = HN_PLATFORMS_EMPTY;

	if (from != NULL)
		return own(a, e);

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

static const struct cli_opt opts[] = {
	{ .name = "from", .arg = "DISK",
	  .help = "write a platform file for the PC that a disk came from",
	  .value = &from },
	{ .name = NULL }
};

const struct cli_cmd cmd_platforms = {
	.name = "platforms", .operands = "",
	.help = "list the machines an image can be made for",
	.opts = opts, .common = CMD_DISK | CLI_JSON, .min_operands = 0, .max_operands = 0,
	.run = platforms,
};
