/* usb.c - which USB devices a guest may have
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/usb.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/yaml.h"

/* Class codes: usb.org, "Defined Class Codes". */
enum { CLASS_HID = 0x03, CLASS_STORAGE = 0x08 };

void
rt_usb_rules_done(struct rt_usb_rules *r)
{
	free(r->at);
	*r = (struct rt_usb_rules)RT_USB_RULES_EMPTY;
}

/* Hexadecimal, as lsusb shows it, of exactly so many digits. */
static int
read_hex(const char *text, size_t digits, int *ret)
{
	uint64_t v;
	char number[8];

	if (strlen(text) != digits)
		return -1;
	(void)snprintf(number, sizeof(number), "0x%s", text);
	if (!num_parse(number, 0, 0xffff, false, &v))
		return -1;
	*ret = (int)v;
	return 0;
}

static int
read_serial(const char *text, char to[RT_USB_TEXT])
{
	size_t len = strlen(text);

	if (len == 0 || len >= RT_USB_TEXT)
		return -1;
	memcpy(to, text, len + 1);
	return 0;
}

static int
set_field(struct rt_usb_rule *r, const char *name, const char *value)
{
	if (strcmp(name, "class") == 0)
		return read_hex(value, 2, &r->class);
	if (strcmp(name, "vendor") == 0)
		return read_hex(value, 4, &r->vendor);
	if (strcmp(name, "product") == 0)
		return read_hex(value, 4, &r->product);
	if (strcmp(name, "serial") == 0)
		return read_serial(value, r->serial);
	return -1;
}

int
rt_usb_rule_word(struct rt_usb_rule *r, const char *word, struct err *e)
{
	const char *equals = strchrnul(word, '=');
	char name[16] = "", quoted[200];

	if (*equals == '=' && (size_t)(equals - word) < sizeof(name)) {
		memcpy(name, word, (size_t)(equals - word));
		if (set_field(r, name, equals + 1) == 0)
			return 0;
	}
	return err_set(e, ERR_USAGE, "%s: not class=HH, vendor=HHHH, product=HHHH "
		       "(hexadecimal, as lsusb shows them) or serial=TEXT",
		       err_quote(quoted, sizeof(quoted), word, strlen(word)));
}

int
rt_usb_rules_add(struct rt_usb_rules *r, const struct rt_usb_rule *one,
		 struct err *e)
{
	if (r->count == RT_USB_RULES_MAX)
		return err_set(e, ERR_USAGE, "USB rules: more than %d",
			       RT_USB_RULES_MAX);
	if (mem_grow(&r->at, &r->cap, r->count + 1, sizeof(*r->at), e) < 0)
		return -1;
	r->at[r->count++] = *one;
	return 0;
}

/* {class: "08", vendor: "0951"} */
static int
read_criteria(struct yml *map, struct rt_usb_rule *r, struct err *e)
{
	static const char *const names[] = { "class", "vendor", "product",
					     "serial" };
	bool any = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = yml_str(map, names[i], "", e);

		if (value[0] == '\0')
			continue;
		if (set_field(r, names[i], value) < 0)
			return yml_err(map, e, "%s is not what lsusb shows: two or "
				       "four hexadecimal digits, or a serial number",
				       names[i]);
		any = true;
	}
	if (yml_end(map, e) < 0)
		return -1;
	return any ? 0 : yml_err(map, e, "a rule needs class, vendor, product or "
				 "serial");
}

static int
read_rule(struct yml *item, struct rt_usb_rules *rules, struct err *e)
{
	struct rt_usb_rule r = RT_USB_RULE_ANY;

	if (item->kind != YML_MAP)
		return yml_err(item, e, "a rule is {allow: {...}} or {deny: {...}}");
	struct yml *allow = yml_map(item, "allow", e);
	struct yml *deny = yml_map(item, "deny", e);
	if (yml_end(item, e) < 0)
		return -1;
	if ((allow == NULL) == (deny == NULL))
		return yml_err(item, e, "a rule is {allow: {...}} or {deny: {...}}");
	r.allow = allow != NULL;
	if (read_criteria(r.allow ? allow : deny, &r, e) < 0)
		return -1;
	return rt_usb_rules_add(rules, &r, e);
}

int
rt_usb_rules_read(struct yml *doc, struct rt_usb_rules *r, struct err *e)
{
	struct yml *list = yml_list(doc, "usb", e);

	for (size_t i = 0; list != NULL && i < list->count; i++)
		if (read_rule(&list->at[i], r, e) < 0)
			return -1;
	return 0;
}

int
rt_usb_rules_load(const char *path, struct rt_usb_rules *ret, struct err *e)
{
	RT_USB_RULES_SCOPED struct rt_usb_rules r = RT_USB_RULES_EMPTY;

	if (access(path, F_OK) < 0)
		return 0;
	YML_SCOPED struct yml *doc = yml_load(path, e);
	if (doc == NULL || rt_usb_rules_read(doc, &r, e) < 0 ||
	    yml_end(doc, e) < 0)
		return -1;
	*ret = TAKE(r);
	return 0;
}

static void
put_rule(struct buf *b, const struct rt_usb_rule *r)
{
	const struct { const char *name; int value, digits; } numbers[] = {
		{ "class", r->class, 2 }, { "vendor", r->vendor, 4 },
		{ "product", r->product, 4 },
	};
	const char *gap = "";

	buf_fmt(b, "  - {%s: {", r->allow ? "allow" : "deny");
	for (size_t i = 0; i < 3; i++) {
		if (numbers[i].value < 0)
			continue;
		buf_fmt(b, "%s%s: \"%0*x\"", gap, numbers[i].name,
			numbers[i].digits, (unsigned)numbers[i].value);
		gap = ", ";
	}
	if (r->serial[0] != '\0') {
		buf_fmt(b, "%sserial: ", gap);
		yml_put_scalar(b, r->serial);
	}
	buf_str(b, "}}\n");
}

int
rt_usb_rules_save(const char *path, const struct rt_usb_rules *r, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	buf_fmt(&b, "usb:%s\n", r->count == 0 ? " []" : "");
	for (size_t i = 0; i < r->count; i++)
		put_rule(&b, &r->at[i]);
	if (buf_ok(&b, e) < 0)
		return -1;
	return io_put(path, b.at, b.len, 0600, e);
}

static bool
has_class(const struct rt_usb_device *d, int class)
{
	return memchr(d->class, class, d->class_count) != NULL;
}

static bool
fits(const struct rt_usb_rule *r, const struct rt_usb_device *d)
{
	if ((r->vendor >= 0 && (unsigned)r->vendor != d->vendor) ||
	    (r->product >= 0 && (unsigned)r->product != d->product) ||
	    (r->serial[0] != '\0' && strcmp(r->serial, d->serial) != 0))
		return false;
	return r->class < 0 || (has_class(d, r->class) &&
				(!r->allow || d->class_count == 1));
}

static bool
any_fits(const struct rt_usb_rules *rules, bool allow,
	 const struct rt_usb_device *d)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->at[i].allow == allow && fits(&rules->at[i], d))
			return true;
	return false;
}

bool
rt_usb_allowed(const struct rt_usb_rules *policy,
	       const struct rt_usb_rules *added, const struct rt_usb_device *d,
	       const char **why)
{
	if (d->class_count == 0 || d->too_many)
		*why = "it does not say what it can do";
	else if (has_class(d, CLASS_STORAGE) && has_class(d, CLASS_HID))
		*why = "a storage device that is also a keyboard or a mouse";
	else if (any_fits(policy, false, d) || any_fits(added, false, d))
		*why = "a rule denies it";
	else if (any_fits(policy, true, d) || any_fits(added, true, d)) {
		*why = "a rule allows it";
		return true;
	} else
		*why = "no rule allows it";
	return false;
}
