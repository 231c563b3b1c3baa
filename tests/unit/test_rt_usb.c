/* test_rt_usb.c - which USB devices a guest may have
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The devices are folders that look like sysfs.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/yaml.h"
#include "runtime/usb.h"

static char dir[] = "/tmp/halcyon-usb.XXXXXX";

/* Device 0951:1666, and one interface for each class. */
static size_t
descriptors(const char *classes, uint8_t out[256])
{
	const uint8_t device[18] = { 18, 1, 0, 2, 0, 0, 0, 64, 0x51, 0x09,
				     0x66, 0x16, 0, 1, 1, 2, 3, 1 };
	const uint8_t config[9] = { 9, 2, 32, 0, 1, 1, 0, 0x80, 50 };
	size_t at = 0;

	memcpy(out, device, sizeof(device));
	at += sizeof(device);
	memcpy(out + at, config, sizeof(config));
	at += sizeof(config);
	for (const char *c = classes; *c != '\0'; c += 2) {
		const char text[3] = { c[0], c[1], '\0' };
		const uint8_t class = (uint8_t)strtoul(text, NULL, 16);
		const uint8_t interface[9] = { 9, 4, 0, 0, 1, class, 6, 80, 0 };
		const uint8_t endpoint[7] = { 7, 5, 0x81, 2, 0, 2, 0 };

		memcpy(out + at, interface, sizeof(interface));
		at += sizeof(interface);
		memcpy(out + at, endpoint, sizeof(endpoint));
		at += sizeof(endpoint);
	}
	return at;
}

static const struct {
	const char *name, *rules, *classes;
	bool allowed;
	const char *why;
} cases[] = {
	{ "default deny", "usb: []", "08", false, "no rule" },
	{ "by class", "usb:\n- {allow: {class: '08'}}", "08", true, "allows" },
	{ "another class", "usb:\n- {allow: {class: '07'}}", "08", false,
	  "no rule" },
	{ "a class is not all it has", "usb:\n- {allow: {class: '07'}}", "0708",
	  false, "no rule" },
	{ "by vendor", "usb:\n- {allow: {vendor: '0951'}}", "08", true, "allows" },
	{ "another vendor", "usb:\n- {allow: {vendor: '0952'}}", "08", false,
	  "no rule" },
	{ "by product", "usb:\n- {allow: {vendor: '0951', product: '1666'}}",
	  "08", true, "allows" },
	{ "by serial", "usb:\n- {allow: {serial: GOOD}}", "08", true, "allows" },
	{ "another serial", "usb:\n- {allow: {class: '08', serial: BAD}}", "08",
	  false, "no rule" },
	{ "deny wins", "usb:\n- {deny: {serial: GOOD}}\n- {allow: {class: '08'}}",
	  "08", false, "denies" },
	{ "deny wins in any order",
	  "usb:\n- {allow: {class: '08'}}\n- {deny: {vendor: '0951'}}", "08",
	  false, "denies" },
	{ "a class is denied to whoever has it among others",
	  "usb:\n- {deny: {class: '03'}}\n- {allow: {vendor: '0951'}}", "0703",
	  false, "denies" },
	{ "a stick that types", "usb:\n- {allow: {vendor: '0951'}}", "0803",
	  false, "keyboard" },
	{ "a stick that types, by serial", "usb:\n- {allow: {serial: GOOD}}",
	  "0308", false, "keyboard" },
	{ "a keyboard alone", "usb:\n- {allow: {class: '03'}}", "0303", true,
	  "allows" },
	{ "nothing said", "usb:\n- {allow: {vendor: '0951'}}", "", false,
	  "does not say" },
};

static void
read_rules(const char *text, struct rt_usb_rules *rules)
{
	struct err e = ERR_INIT;
	YML_SCOPED struct yml *doc = yml_parse("t", text, strlen(text), &e);

	if (doc == NULL || rt_usb_rules_read(doc, rules, &e) < 0 ||
	    yml_end(doc, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
}

/* The same answer with a rule in the guest's file and in the one beside it. */
static void
test_decisions(void **state)
{
	const struct rt_usb_rules none = RT_USB_RULES_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		RT_USB_RULES_SCOPED struct rt_usb_rules rules =
			RT_USB_RULES_EMPTY;
		struct rt_usb_device d = { .serial = "GOOD" };
		struct err e = ERR_INIT;
		uint8_t bytes[256];
		const char *why;
		size_t len = descriptors(cases[i].classes, bytes);

		if (rt_usb_parse(bytes, len, &d, &e) < 0)
			fail_msg("%s: %s", cases[i].name, e.msg);
		assert_int_equal(d.vendor, 0x0951);
		assert_int_equal(d.product, 0x1666);
		read_rules(cases[i].rules, &rules);
		if (rt_usb_allowed(&rules, &none, &d, &why) != cases[i].allowed ||
		    rt_usb_allowed(&none, &rules, &d, &why) != cases[i].allowed ||
		    strstr(why, cases[i].why) == NULL)
			fail_msg("%s: %s", cases[i].name, why);
	}
}

static const char *const bad_rules[] = {
	"usb: 1", "usb:\n- allow", "usb:\n- {allow: {}}",
	"usb:\n- {allow: {class: '08'}, deny: {class: '03'}}",
	"usb:\n- {permit: {class: '08'}}", "usb:\n- {allow: {class: '8'}}",
	"usb:\n- {allow: {class: 'zz'}}", "usb:\n- {allow: {vendor: '12345'}}",
	"usb:\n- {allow: {serial: ''}}",
};

static void
test_bad_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_rules) / sizeof(bad_rules[0]); i++) {
		RT_USB_RULES_SCOPED struct rt_usb_rules rules =
			RT_USB_RULES_EMPTY;
		struct err e = ERR_INIT;
		YML_SCOPED struct yml *doc = yml_parse("t", bad_rules[i],
						       strlen(bad_rules[i]), &e);

		if (rt_usb_rules_read(doc, &rules, &e) == 0 &&
		    yml_end(doc, &e) == 0)
			fail_msg("%s", bad_rules[i]);
		assert_int_equal(e.kind, ERR_USAGE);
	}
}

/* What is written is read again. */
static void
test_saved(void **state)
{
	RT_USB_RULES_SCOPED struct rt_usb_rules a = RT_USB_RULES_EMPTY;
	RT_USB_RULES_SCOPED struct rt_usb_rules b = RT_USB_RULES_EMPTY;
	struct err e = ERR_INIT;
	SCOPED_FREE char *path = io_join(dir, "rules", &e);

	(void)state;
	read_rules("usb:\n- {allow: {class: '08', serial: \"a' b\"}}\n"
		   "- {deny: {vendor: '00ff', product: '0001'}}\n", &a);
	assert_int_equal(rt_usb_rules_save(path, &a, &e), 0);
	assert_int_equal(rt_usb_rules_load(path, &b, &e), 0);
	assert_int_equal(a.count, b.count);
	assert_memory_equal(a.at, b.at, a.count * sizeof(*a.at));
	assert_int_equal(unlink(path), 0);
	RT_USB_RULES_SCOPED struct rt_usb_rules none = RT_USB_RULES_EMPTY;
	assert_int_equal(rt_usb_rules_load(path, &none, &e), 0);
	assert_int_equal(none.count, 0);
}

/* Every strict prefix that ends inside a descriptor, and one with no device. */
static void
test_bad_descriptors(void **state)
{
	uint8_t bytes[256];
	size_t len = descriptors("0803", bytes);

	(void)state;
	for (size_t n = 0; n < len; n++) {
		struct rt_usb_device d = { .vendor = 7 };
		struct err e = ERR_INIT;

		if (rt_usb_parse(bytes, n, &d, &e) == 0)
			continue;	/* between two descriptors */
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_int_equal(d.vendor, 7);
	}
	struct rt_usb_device d;
	struct err e = ERR_INIT;
	assert_int_equal(rt_usb_parse(bytes + 18, len - 18, &d, &e), -1);
	bytes[18] = 0;	/* a descriptor that never ends */
	assert_int_equal(rt_usb_parse(bytes, len, &d, &e), -1);
}

static void
put(const char *device, const char *name, const void *bytes, size_t len)
{
	struct err e = ERR_INIT;
	SCOPED_FREE char *at = mem_fmt(&e, "%s/%s/%s", dir, device, name);
	SCOPED_FREE char *in = mem_fmt(&e, "%s/%s", dir, device);

	assert_int_equal(io_mkdirs(in, 0700, &e), 0);
	if (io_put(at, bytes, len, 0600, &e) < 0)
		fail_msg("%s", e.msg);
}

static void
test_scan(void **state)
{
	RT_USB_LIST_SCOPED struct rt_usb_list l = RT_USB_LIST_EMPTY;
	struct err e = ERR_INIT;
	uint8_t bytes[256];

	(void)state;
	size_t len = descriptors("08", bytes);
	put("1-2", "descriptors", bytes, len);
	put("1-2", "busnum", "1\n", 2);
	put("1-2", "devnum", "12\n", 3);
	put("1-2", "speed", "480\n", 4);
	put("1-2", "serial", "GO\033[2JOD\n", 9);
	put("1-2", "product", "Stick\n", 6);
	put("1-2:1.0", "bInterfaceClass", "08\n", 3);
	len = descriptors("09", bytes);
	put("1-1", "descriptors", bytes, len);
	put("usb1", "descriptors", bytes, len);
	put("1-3", "descriptors", "junk", 4);
	assert_int_equal(rt_usb_scan(dir, &l, &e), 0);
	assert_int_equal(l.count, 1);
	assert_string_equal(l.at[0].port, "1-2");
	assert_int_equal(l.at[0].bus, 1);
	assert_int_equal(l.at[0].number, 12);
	assert_int_equal(l.at[0].mbit, 480);
	assert_string_equal(l.at[0].name, "Stick");
	/* What a device calls itself does not drive the terminal. */
	assert_null(strchr(l.at[0].serial, '\033'));
	RT_USB_LIST_SCOPED struct rt_usb_list none = RT_USB_LIST_EMPTY;
	assert_int_equal(rt_usb_scan("/nowhere", &none, &e), 0);
	assert_int_equal(none.count, 0);
}

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	const char *const argv[] = { "rm", "-rf", dir, NULL };
	struct err e = ERR_INIT;

	(void)state;
	return proc_must(argv, NULL, 0, NULL, 0, 10000, &e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_bad_rules),
		cmocka_unit_test(test_saved),
		cmocka_unit_test(test_bad_descriptors),
		cmocka_unit_test(test_scan),
	};

	return cmocka_run_group_tests_name("usb", tests, setup, teardown);
}
