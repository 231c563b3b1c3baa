/* cmd_usb.c - imgrun usb: which USB devices a guest may have, and has
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "runtime/cmd.h"
#include "runtime/supervisor.h"
#include "runtime/usb.h"

struct view {
	struct rt_stored s;
	struct rt_usb_rules added;
	struct rt_usb_list list;
	struct js *live;	/* the supervisor's words; NULL when it is off */
};

#define VIEW_EMPTY { .s = RT_STORED_EMPTY, .added = RT_USB_RULES_EMPTY, \
		     .list = RT_USB_LIST_EMPTY }

static void
view_done(struct view *v)
{
	rt_stored_done(&v->s);
	rt_usb_rules_done(&v->added);
	rt_usb_list_done(&v->list);
	js_done(&v->live);
}

static bool
has(const struct js *live, const struct rt_usb_device *d)
{
	const struct js *list = js_get(live, "usb");

	for (size_t i = 0; i < js_count(list); i++) {
		uint64_t bus, number;

		if (js_get_u64(js_at(list, i), "bus", &bus) && bus == d->bus &&
		    js_get_u64(js_at(list, i), "number", &number) &&
		    number == d->number)
			return true;
	}
	return false;
}

static void
put_classes(const struct rt_usb_device *d, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < d->class_count && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%02x",
				       i == 0 ? "" : ",", d->class[i]);
}

static void
add_json(struct js *list, const struct view *v, const struct rt_usb_device *d)
{
	struct js *one = js_item(list);
	char vendor[8], product[8], classes[4 * RT_USB_CLASSES_MAX];
	const char *why;
	bool allowed = rt_usb_allowed(&v->s.guest.usb, &v->added, d, &why);

	(void)snprintf(vendor, sizeof(vendor), "%04x", d->vendor);
	(void)snprintf(product, sizeof(product), "%04x", d->product);
	put_classes(d, classes, sizeof(classes));
	js_str(one, "port", d->port);
	js_str(one, "vendor", vendor);
	js_str(one, "product", product);
	js_str(one, "serial", d->serial);
	js_str(one, "name", d->name);
	js_str(one, "classes", classes);
	js_bool(one, "allowed", allowed);
	js_str(one, "why", why);
	js_bool(one, "attached", has(v->live, d));
}

static void
print(const struct view *v, const struct rt_usb_device *d)
{
	char classes[4 * RT_USB_CLASSES_MAX];
	const char *why;
	bool allowed = rt_usb_allowed(&v->s.guest.usb, &v->added, d, &why);

	put_classes(d, classes, sizeof(classes));
	(void)printf("%-8s vendor=%04x product=%04x class=%s%s%s  %s\n"
		     "         %s: %s\n", d->port, d->vendor, d->product, classes,
		     d->serial[0] != '\0' ? " serial=" : "", d->serial, d->name,
		     has(v->live, d) ? "the guest has it"
				     : allowed ? "allowed" : "denied", why);
}

static int
list(const struct cli_args *a, struct view *v, struct err *e)
{
	JS_SCOPED struct js *j = js_new("imgrun usb", 1, e);
	struct js *devices = js_list(j, "devices");
	struct err deaf = ERR_INIT;

	if (rt_usb_scan(RT_USB_SYSFS, &v->list, e) < 0)
		return -1;
	int up = rt_lock_held(&v->s.place, e);
	if (up < 0)
		return -1;
	if (up > 0)
		(void)!rt_supervisor_ask(&v->s.place, v->s.guest.name, "status",
					 &v->live, NULL, &deaf);
	for (size_t i = 0; i < v->list.count; i++)
		if (a->json)
			add_json(devices, v, &v->list.at[i]);
		else
			print(v, &v->list.at[i]);
	if (js_get_str(v->live, "usb-failure") != NULL)
		log_warn("%s: %s", v->s.guest.name,
			 js_get_str(v->live, "usb-failure"));
	return a->json ? js_print(j, stdout, e) : 0;
}

static bool
same_criteria(const struct rt_usb_rule *a, const struct rt_usb_rule *b)
{
	return a->class == b->class && a->vendor == b->vendor &&
	       a->product == b->product && strcmp(a->serial, b->serial) == 0;
}

/* A rule about the same devices takes the place of an earlier one. */
static int
decide(const struct cli_args *a, bool allow, struct view *v, struct err *e)
{
	struct rt_usb_rule r = RT_USB_RULE_ANY;
	size_t kept = 0;

	if (a->count < 3)
		return err_set(e, ERR_USAGE, "%s: which devices?  class=, vendor=, "
			       "product= or serial=, as imgrun usb %s list shows "
			       "them", a->at[1], a->at[0]);
	r.allow = allow;
	for (size_t i = 2; i < a->count; i++)
		if (rt_usb_rule_word(&r, a->at[i], e) < 0)
			return -1;
	for (size_t i = 0; i < v->added.count; i++)
		if (!same_criteria(&v->added.at[i], &r))
			v->added.at[kept++] = v->added.at[i];
	v->added.count = kept;
	if (rt_usb_rules_add(&v->added, &r, e) < 0 ||
	    rt_usb_rules_save(v->s.place.usb, &v->added, e) < 0)
		return -1;
	int up = rt_lock_held(&v->s.place, e);
	if (up <= 0)
		return up;
	return rt_supervisor_ask(&v->s.place, v->s.guest.name, "usb", NULL, NULL,
				 e);
}

static int
usb(const struct cli_args *a, struct err *e)
{
	SCOPED(view_done) struct view v = VIEW_EMPTY;
	const char *verb = a->at[1];

	if (rt_stored_load(a->state, a->at[0], &v.s, e) < 0 ||
	    rt_usb_rules_load(v.s.place.usb, &v.added, e) < 0)
		return -1;
	if (strcmp(verb, "list") == 0 && a->count == 2)
		return list(a, &v, e);
	if (strcmp(verb, "allow") == 0 || strcmp(verb, "deny") == 0)
		return decide(a, verb[0] == 'a', &v, e);
	return err_set(e, ERR_USAGE, "usb: G list, G allow CRITERION..., or G deny "
		       "CRITERION...");
}

const struct cli_cmd cmd_usb = {
	.name = "usb", .operands = "G list|allow|deny [CRITERION...]",
	.help = "show and choose the USB devices that a guest may have",
	.common = CLI_STATE | CLI_JSON,
	.min_operands = 2, .max_operands = 6, .run = usb,
};
