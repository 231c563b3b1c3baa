/* usb.h - which USB devices a guest may have
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Nothing by default.  Rules allow or deny by the class of a device's interfaces, by
 * vendor, product and serial number; they stand in the guest's file and, added
 * later, in a file of their own beside it.  A rule that denies wins over any that
 * allows.  A class is allowed only to a device whose every interface has it, in
 * every configuration, and denied to one where any has.  A storage device that is
 * also a keyboard or a mouse is refused whatever the rules say: that is how a stick
 * types commands.
 *
 * What a device says of itself is foreign and can be a lie; the rules are about what
 * it can do, as that is, and not about whom to trust.
 */
#ifndef RUNTIME_USB_H
#define RUNTIME_USB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct buf;
struct err;
struct yml;

#define RT_USB_TEXT 128		/* of a serial number or a name, with its NUL */
#define RT_USB_RULES_MAX 256
#define RT_USB_CLASSES_MAX 32	/* interfaces; a device with more is refused */

struct rt_usb_rule {
	bool allow;
	int class, vendor, product;	/* -1: any */
	char serial[RT_USB_TEXT];	/* "": any */
};

struct rt_usb_rules {
	struct rt_usb_rule *at;	/* owned */
	size_t count, cap;
};

#define RT_USB_RULES_EMPTY { .at = NULL }
#define RT_USB_RULES_SCOPED SCOPED(rt_usb_rules_done)

void rt_usb_rules_done(struct rt_usb_rules *r);

/* The list under the key "usb", if there is one, added to *r:
 *	usb:
 *	  - {allow: {class: "08", serial: "1234"}}
 *	  - {deny: {vendor: "0951"}} */
MUST_CHECK int rt_usb_rules_read(struct yml *doc, struct rt_usb_rules *r,
				 struct err *e);

/* The rules of a file that rt_usb_rules_write() made; none when it is not there. */
MUST_CHECK int rt_usb_rules_load(const char *path, struct rt_usb_rules *ret,
				 struct err *e);
MUST_CHECK int rt_usb_rules_save(const char *path, const struct rt_usb_rules *r,
				 struct err *e);

/* One criterion of a rule, "class=08", "serial=1234"; ERR_USAGE. */
MUST_CHECK int rt_usb_rule_word(struct rt_usb_rule *r, const char *word,
				struct err *e);

#define RT_USB_RULE_ANY { .class = -1, .vendor = -1, .product = -1 }

MUST_CHECK int rt_usb_rules_add(struct rt_usb_rules *r,
				const struct rt_usb_rule *one, struct err *e);

struct rt_usb_device {
	char port[32];			/* "1-2.3": the kernel's name for the place */
	unsigned bus, number;		/* /dev/bus/usb/BUS/NUMBER */
	unsigned mbit;			/* its speed */
	unsigned vendor, product;
	char serial[RT_USB_TEXT], name[RT_USB_TEXT];	/* printable ASCII */
	uint8_t class[RT_USB_CLASSES_MAX];	/* of each interface, in every
					   configuration, each once */
	size_t class_count;
	bool too_many;			/* more classes than those */
};

/* A device's descriptors as sysfs has them: vendor, product and classes.  USB 2.0,
 * 9.5 and 9.6. */
MUST_CHECK int rt_usb_parse(const void *bytes, size_t len,
			    struct rt_usb_device *ret, struct err *e);

struct rt_usb_list {
	struct rt_usb_device *at;	/* owned; by port */
	size_t count, cap;
};

#define RT_USB_LIST_EMPTY { .at = NULL }
#define RT_USB_LIST_SCOPED SCOPED(rt_usb_list_done)

void rt_usb_list_done(struct rt_usb_list *l);

#define RT_USB_SYSFS "/sys/bus/usb/devices"

/* The devices that are plugged in, but for hubs.  One that goes away meanwhile, or
 * that nobody can read, is not there.  A machine without USB has none. */
MUST_CHECK int rt_usb_scan(const char *sysfs, struct rt_usb_list *ret,
			   struct err *e);

/* May a guest with these rules have it?  `why` is a phrase, a constant. */
bool rt_usb_allowed(const struct rt_usb_rules *policy,
		    const struct rt_usb_rules *added,
		    const struct rt_usb_device *d, const char **why);

#endif /* RUNTIME_USB_H */
