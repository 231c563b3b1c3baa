/* guest.h - what a guest is: the file halcyon-guest(5)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Strict: a key that is not known, or a value out of its range, is ERR_USAGE
 * with its line.  What the file does not say comes from the table of the
 * operating system (device.h), so a guest's hardware never depends on which
 * release of this program started it.
 */
#ifndef RUNTIME_GUEST_H
#define RUNTIME_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "runtime/usb.h"

struct err;

enum rt_os { RT_XP, RT_VISTA, RT_WIN7, RT_WIN10, RT_WIN11 };
enum rt_disk { RT_IDE, RT_AHCI, RT_VIRTIO_BLK, RT_VIRTIO_SCSI, RT_NVME };
enum rt_display { RT_DISPLAY_NONE, RT_DISPLAY_VNC, RT_DISPLAY_SPICE };
enum rt_net { RT_NET_NONE, RT_NET_RESTRICTED, RT_NET_NAT };

/* The words of the enums above, in their order, ending with NULL. */
extern const char *const rt_os_words[];
extern const char *const rt_disk_words[];
extern const char *const rt_net_words[];
extern const char *const rt_display_words[];

#define RT_NAME_MAX 63	/* a guest's name is also a host name */

struct rt_guest {
	char *name;
	enum rt_os os;
	enum rt_disk disk;
	enum rt_net net;
	enum rt_display display;
	bool sound;		/* the viewer hears it */
	bool clipboard;		/* the viewer's and the guest's are one */
	bool tpm;
	unsigned memory;	/* MiB */
	unsigned cpus;
	char *image;		/* NAME[:VER|:TAG] of the system disk */
	char *user;		/* likewise, of the user's disk; NULL: none */
	char *repo, *key;	/* paths as written: relative to the file */
	bool keep;		/* writes to the system disk outlive a stop */
	struct {
		bool given;	/* the file has health: */
		char *console;	/* text that the guest writes when it is well;
				   NULL: none */
		unsigned within;	/* seconds */
		unsigned tries;
	} health;		/* how a new version is judged (health.h) */
	struct rt_usb_rules usb;
	bool isolate;		/* start only where hardware isolates the guest */
};

#define RT_GUEST_EMPTY { .name = NULL }
#define RT_GUEST_SCOPED SCOPED(rt_guest_done)

void rt_guest_done(struct rt_guest *g);

/* Read a guest file; `name` is for messages. */
MUST_CHECK int rt_guest_load(const char *path, struct rt_guest *ret,
			     struct err *e);
MUST_CHECK int rt_guest_parse(const char *name, const void *text, size_t len,
			      struct rt_guest *ret, struct err *e);

/* Is this a name a guest may have?  [a-z0-9][a-z0-9-]*, at most RT_NAME_MAX. */
bool rt_guest_name_ok(const char *name);

/* Could this be NAME[:VER|:TAG]?  The store parses it; here only what could be
 * mistaken for something else is refused. */
bool rt_guest_image_ok(const char *image);

#endif /* RUNTIME_GUEST_H */
