/* usb_plug.c - the supervisor gives a guest the USB devices its rules allow
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The kernel tells when something is plugged in or out; then the devices are looked
 * over, each against the rules, before QEMU hears of any.  QEMU gets an open
 * descriptor of the device's node: it can open no other.
 */
#include "runtime/supervisor-private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/json.h"
#include "runtime/device.h"

#define QMP_MS 5000
#define SETTLE_MS 300	/* the host's own rules set the node's owner meanwhile */
#define AGAIN_MS 2000
#define AGAIN_MAX 3

void
rt_super_usb_begin(struct rt_super *r)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = 1 };

	r->usb.count = 0;
	if (r->usb.events < 0)
		r->usb.events = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC |
				       SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	/* Without it, devices are seen at the start and when rules change. */
	if (r->usb.events >= 0 &&
	    bind(r->usb.events, (const struct sockaddr *)&kernel,
		 sizeof(kernel)) < 0)
		scope_close(&r->usb.events);
	rt_super_usb_sync(r);
}

void
rt_super_usb_event(struct rt_super *r)
{
	char text[4096];
	struct sockaddr_nl from = { .nl_pid = 0 };
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(r->usb.events, text, sizeof(text), 0,
			     (struct sockaddr *)&from, &len)) > 0) {
		/* Only the kernel is believed. */
		if (from.nl_pid == 0 &&
		    memmem(text, (size_t)n, "SUBSYSTEM=usb", 13) != NULL) {
			r->usb.look_at_ms = clock_ms() + SETTLE_MS;
			r->usb.again = 0;
		}
		len = sizeof(from);
	}
}

int
rt_super_usb_wait(const struct rt_super *r, int wait)
{
	int left;

	if (r->usb.look_at_ms == 0)
		return wait;
	left = clock_left(r->usb.look_at_ms);
	return wait < 0 || left < wait ? left : wait;
}

void
rt_super_usb_look(struct rt_super *r)
{
	if (r->usb.look_at_ms != 0 && clock_ms() >= r->usb.look_at_ms)
		rt_super_usb_sync(r);
}

/* The guest's bus that has a port for a device of this speed. */
static const char *
bus_for(const struct rt_guest *g, const struct rt_usb_device *d)
{
	if (rt_device(g->os)->xhci)
		return "xhci.0";
	return d->mbit >= 480 ? "ehci.0" : "uhci.0";
}

static int
plug_in(struct rt_super *r, const struct rt_usb_device *d, struct err *e)
{
	char node[48];

	if (r->usb.count == RT_USB_PLUGGED_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more than %d USB devices",
			       RT_USB_PLUGGED_MAX);
	(void)snprintf(node, sizeof(node), "/dev/bus/usb/%03u/%03u", d->bus,
		       d->number);
	SCOPED_FD int fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s", node);
	if (rt_qmp_plug(&r->qmp, d->bus, d->number, bus_for(&r->s->guest, d), fd,
			QMP_MS, e) < 0)
		return -1;
	r->usb.at[r->usb.count++] = (struct rt_plugged){
		.bus = d->bus, .number = d->number };
	return 0;
}

static void
pull_out(struct rt_super *r, size_t i)
{
	struct err ignored = ERR_INIT;

	(void)!rt_qmp_unplug(&r->qmp, r->usb.at[i].bus, r->usb.at[i].number,
			     QMP_MS, &ignored);
	r->usb.at[i] = r->usb.at[--r->usb.count];
}

static const struct rt_usb_device *
find(const struct rt_usb_list *l, const struct rt_plugged *p)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->at[i].bus == p->bus && l->at[i].number == p->number)
			return &l->at[i];
	return NULL;
}

bool
rt_super_usb_has(const struct rt_super *r, unsigned bus, unsigned number)
{
	for (size_t i = 0; i < r->usb.count; i++)
		if (r->usb.at[i].bus == bus && r->usb.at[i].number == number)
			return true;
	return false;
}

/* A device that is allowed and could not be had is tried some times more. */
static void
take_allowed(struct rt_super *r, const struct rt_usb_list *l,
	     const struct rt_usb_rules *added)
{
	bool failed = false;
	const char *why;

	r->usb.why[0] = '\0';
	for (size_t i = 0; i < l->count; i++) {
		struct err e = ERR_INIT;

		if (!rt_super_usb_has(r, l->at[i].bus, l->at[i].number) &&
		    rt_usb_allowed(&r->s->guest.usb, added, &l->at[i], &why) &&
		    plug_in(r, &l->at[i], &e) < 0) {
			failed = true;
			(void)snprintf(r->usb.why, sizeof(r->usb.why), "%.199s",
				       e.msg);
		}
	}
	if (failed && r->usb.again++ < AGAIN_MAX)
		r->usb.look_at_ms = clock_ms() + AGAIN_MS;
}

void
rt_super_usb_sync(struct rt_super *r)
{
	RT_USB_RULES_SCOPED struct rt_usb_rules added = RT_USB_RULES_EMPTY;
	RT_USB_LIST_SCOPED struct rt_usb_list l = RT_USB_LIST_EMPTY;
	struct err e = ERR_INIT;
	const char *why;

	r->usb.look_at_ms = 0;
	if (r->qmp.fd < 0)
		return;
	/* Rules that cannot be read allow nothing. */
	bool known = rt_usb_rules_load(r->s->place.usb, &added, &e) == 0 &&
		     rt_usb_scan(RT_USB_SYSFS, &l, &e) == 0;
	for (size_t i = r->usb.count; i > 0; i--) {
		const struct rt_usb_device *d = find(&l, &r->usb.at[i - 1]);

		if (!known || d == NULL ||
		    !rt_usb_allowed(&r->s->guest.usb, &added, d, &why))
			pull_out(r, i - 1);
	}
	if (known)
		take_allowed(r, &l, &added);
}
