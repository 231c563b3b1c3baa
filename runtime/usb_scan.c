/* usb_scan.c - the USB devices that are plugged in, from sysfs
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * See usb.h; Documentation/ABI/stable/sysfs-bus-usb of Linux.
 */
#include "runtime/usb.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"

#define DESCRIPTORS_MAX (1 << 17)	/* 255 configurations do not come near */
#define DEVICE_LENGTH 18
#define CLASS_HUB 0x09

enum { DEVICE = 1, INTERFACE = 4 };	/* bDescriptorType */

static void
add_class(struct rt_usb_device *d, uint8_t class)
{
	if (memchr(d->class, class, d->class_count) != NULL)
		return;
	if (d->class_count == RT_USB_CLASSES_MAX)
		d->too_many = true;
	else
		d->class[d->class_count++] = class;
}

/* One descriptor, without its length and type. */
static void
read_one(struct cur *c, uint8_t type, struct rt_usb_device *d)
{
	if (type == DEVICE) {
		(void)cur_u32le(c);	/* release, device class and subclass */
		(void)cur_u16le(c);	/* protocol, packet size */
		d->vendor = cur_u16le(c);
		d->product = cur_u16le(c);
	} else if (type == INTERFACE) {
		/* number, alternate setting, endpoints */
		(void)cur_u16le(c);
		(void)cur_u8(c);
		add_class(d, cur_u8(c));
	}
}

int
rt_usb_parse(const void *bytes, size_t len, struct rt_usb_device *ret,
	     struct err *e)
{
	struct cur c = cur_over("USB descriptors", bytes, len);
	struct rt_usb_device d = { .vendor = 0 };
	bool first = true;

	while (cur_ok(&c) && cur_left(&c) > 0) {
		uint8_t size = cur_u8(&c), type = cur_u8(&c);

		if (cur_ok(&c) && (size < 2 || first != (type == DEVICE) ||
				   (first && size != DEVICE_LENGTH)))
			cur_bad(&c, "is no descriptor");
		if (!cur_ok(&c))
			break;
		struct cur one = cur_sub(&c, (size_t)size - 2);
		read_one(&one, type, &d);
		if (!cur_ok(&one))
			return cur_err(&one, e);
		first = false;
	}
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (first)
		return err_set(e, ERR_CORRUPT, "USB descriptors: there are none");
	memcpy(ret->class, d.class, sizeof(d.class));
	ret->class_count = d.class_count;
	ret->too_many = d.too_many;
	ret->vendor = d.vendor;
	ret->product = d.product;
	return 0;
}

void
rt_usb_list_done(struct rt_usb_list *l)
{
	free(l->at);
	*l = (struct rt_usb_list)RT_USB_LIST_EMPTY;
}

/* An attribute without its newline, "" when there is none. */
static void
read_text(const char *dir, const char *name, char out[RT_USB_TEXT])
{
	struct err ignored = ERR_INIT;
	SCOPED_FREE char *path = io_join(dir, name, &ignored);
	SCOPED_FREE uint8_t *text = NULL;
	size_t len;

	out[0] = '\0';
	if (path == NULL || io_slurp(path, 1 << 16, &text, &len, &ignored) < 0)
		return;
	const uint8_t *end = len == 0 ? NULL : memchr(text, '\n', len);
	(void)err_quote(out, RT_USB_TEXT, text,
			end == NULL ? len : (size_t)(end - text));
}

static unsigned
read_number(const char *dir, const char *name)
{
	char text[RT_USB_TEXT];
	uint64_t v = 0;

	read_text(dir, name, text);
	text[strcspn(text, ".")] = '\0';	/* 1.5 Mbit/s */
	return num_parse(text, 0, 1 << 20, false, &v) ? (unsigned)v : 0;
}

/* 1 a device, 0 nothing to show. */
static int
look_at(const char *dir, const char *port, struct rt_usb_device *ret)
{
	struct rt_usb_device d = { .vendor = 0 };
	struct err gone = ERR_INIT;
	SCOPED_FREE char *path = io_join(dir, "descriptors", &gone);
	SCOPED_FREE uint8_t *bytes = NULL;
	size_t len;

	if (path == NULL || strlen(port) >= sizeof(d.port) ||
	    io_slurp(path, DESCRIPTORS_MAX, &bytes, &len, &gone) < 0 ||
	    rt_usb_parse(bytes, len, &d, &gone) < 0)
		return 0;
	memcpy(d.port, port, strlen(port) + 1);
	d.bus = read_number(dir, "busnum");
	d.number = read_number(dir, "devnum");
	d.mbit = read_number(dir, "speed");
	read_text(dir, "serial", d.serial);
	read_text(dir, "product", d.name);
	*ret = d;
	return d.class_count != 1 || d.class[0] != CLASS_HUB;
}

static int
by_port(const void *a, const void *b)
{
	const struct rt_usb_device *x = a, *y = b;

	return strcmp(x->port, y->port);
}

static void
close_dir(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

int
rt_usb_scan(const char *sysfs, struct rt_usb_list *ret, struct err *e)
{
	RT_USB_LIST_SCOPED struct rt_usb_list l = RT_USB_LIST_EMPTY;
	SCOPED(close_dir) DIR *d = opendir(sysfs);
	const struct dirent *x;

	if (d == NULL && errno != ENOENT)
		return err_sys(e, "%s", sysfs);
	while (d != NULL && (x = readdir(d)) != NULL) {
		SCOPED_FREE char *dir = io_join(sysfs, x->d_name, e);

		if (dir == NULL || mem_grow(&l.at, &l.cap, l.count + 1,
					    sizeof(*l.at), e) < 0)
			return -1;
		/* "1-2:1.0" is an interface, "usb1" a root hub. */
		if (strchr(x->d_name, '-') != NULL &&
		    strchr(x->d_name, ':') == NULL)
			l.count += (size_t)look_at(dir, x->d_name,
						   &l.at[l.count]);
	}
	mem_sort(l.at, l.count, sizeof(*l.at), by_port);
	*ret = TAKE(l);
	return 0;
}
