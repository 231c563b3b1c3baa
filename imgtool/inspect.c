/* inspect.c - see inspect.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "imgtool/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "imgtool/reg.h"
#include "windows/windows.h"

/* The part of a device's description that is text: "@oem1.inf,%x%;Name". */
static const char *
plain(const char *text)
{
	const char *semicolon = text == NULL ? NULL : strrchr(text, ';');

	return semicolon == NULL ? text : semicolon + 1;
}

/* ---- users ---------------------------------------------------------------- */

/* Would Windows load the profile?  NULL for yes, or when that is unknown; the
 * caller frees. */
static char *
logon_trouble(const struct wn_install *in, const struct wn_user *u)
{
	struct err ignored = ERR_INIT;
	char *why = NULL;

	if (u->account == WN_ACCOUNT_SYSTEM ||
	    wn_logon(in, u, &why, &ignored) != 0)
		return NULL;
	return why;
}

static int
folders_of(const struct wn_install *in, const struct wn_user *u,
	   struct wn_folders *ret)
{
	struct err ignored = ERR_INIT;
	HV_SCOPED struct hv_hive *h = NULL;

	if (u->account == WN_ACCOUNT_SYSTEM || !u->has_hive)
		return -1;
	h = wn_user_hive(in, u, WN_NTUSER, HV_LOGS_READ, &ignored);
	return h == NULL ? -1 : wn_folders(in, u, h, ret, &ignored);
}

static void
json_user(struct js *list, const struct wn_install *in, const struct wn_user *u)
{
	WN_FOLDERS_SCOPED struct wn_folders f = WN_FOLDERS_EMPTY;
	SCOPED_FREE char *trouble = logon_trouble(in, u);
	struct js *o, *folders;

	if (u->account == WN_ACCOUNT_SYSTEM)
		return;
	o = js_item(list);
	js_str(o, "name", u->name);
	js_bool(o, "logon", trouble == NULL);
	js_str(o, "logon-trouble", trouble);
	if (folders_of(in, u, &f) < 0)
		return;
	folders = js_object(o, "folders");
	for (size_t i = 0; i < WN_FOLDERS; i++)
		if (f.at[i] != NULL)
			js_str(folders, wn_folder_name((enum wn_folder)i),
			       f.at[i]);
}

/* ---- both ways ------------------------------------------------------------ */

static void
json_inventory(struct js *o, const struct wn_inventory *v)
{
	struct js *list = js_list(o, "programs");

	for (size_t i = 0; i < v->programs; i++) {
		struct js *one = js_item(list);

		js_str(one, "name", v->program[i].name);
		js_str(one, "version", v->program[i].version);
	}
	list = js_list(o, "hardware");
	for (size_t i = 0; i < v->devices; i++) {
		struct js *one = js_item(list);

		js_str(one, "id", v->device[i].id);
		js_str(one, "description", plain(v->device[i].text));
		js_str(one, "service", v->device[i].service);
	}
	list = js_list(o, "boot-drivers");
	for (size_t i = 0; i < v->drivers; i++)
		js_item_str(list, v->driver[i]);
	js_str(o, "hal", v->hal);
}

void
inspect_json(struct js *o, struct wn_install *in)
{
	WN_INVENTORY_SCOPED struct wn_inventory v = WN_INVENTORY_EMPTY;
	struct err why = ERR_INIT;
	struct js *list;

	if (wn_inventory(in, &v, &why) == 0)
		json_inventory(o, &v);
	else
		js_str(o, "inventory-error", why.msg);
	list = js_list(o, "profiles-checked");
	for (size_t i = 0; i < in->users; i++)
		json_user(list, in, &in->user[i]);
}

static void
line(const char *label, const char *value, const char *more)
{
	(void)printf("  %-14s", label);
	reg_print_text(stdout, value);
	if (more != NULL) {
		(void)printf(", ");
		reg_print_text(stdout, more);
	}
	(void)putchar('\n');
}

static void
text_user(const struct wn_install *in, const struct wn_user *u)
{
	WN_FOLDERS_SCOPED struct wn_folders f = WN_FOLDERS_EMPTY;
	SCOPED_FREE char *trouble = logon_trouble(in, u);

	if (trouble != NULL)
		line("logon", u->name, trouble);
	if (folders_of(in, u, &f) < 0)
		return;
	for (size_t i = 0; i < WN_FOLDERS; i++)
		if (f.moved[i])
			line("redirected", u->name, f.at[i]);
}

void
inspect_text(struct wn_install *in)
{
	WN_INVENTORY_SCOPED struct wn_inventory v = WN_INVENTORY_EMPTY;
	struct err why = ERR_INIT;

	for (size_t i = 0; i < in->users; i++)
		text_user(in, &in->user[i]);
	if (wn_inventory(in, &v, &why) < 0) {
		line("note", why.msg, NULL);
		return;
	}
	if (v.hal != NULL)
		line("HAL", v.hal, NULL);
	for (size_t i = 0; i < v.devices; i++)
		line("hardware", v.device[i].id, plain(v.device[i].text));
	for (size_t i = 0; i < v.programs; i++)
		line("program", v.program[i].name, v.program[i].version);
}
