/* appliance_run.h - inside the appliance's worker
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef VOLUME_APPLIANCE_RUN_H
#define VOLUME_APPLIANCE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "volume/appliance-private.h"
#include "volume/appliance_lib.h"

struct err;

enum { VO_GUEST_LISTS = 32 };	/* folders whose names are remembered */

struct vo_guest_list {
	char *folder;		/* owned; NULL: none */
	char **name;		/* owned, ends with NULL */
};

/* A device of the appliance, and what is mounted from it. */
struct vo_guest_device {
	char *path;		/* "/dev/sda2" */
	char *folder;		/* where it is mounted, or NULL */
	enum vo_kind kind;
	bool writable;
	char *from;		/* the device that this one unlocks, or NULL */
};

struct vo_guest_run {
	const struct vo_guestfs *gf;
	guestfs_h *g;
	size_t count;		/* devices */
	struct vo_guest_device device[VO_APPLIANCE_DEVICES];
	struct vo_guest_list list[VO_GUEST_LISTS];
	size_t next_list;	/* the one that is replaced next */
};

/* libguestfs' last error; `what` could not be done.  Returns -1. */
COLD int vo_guest_fail(const struct vo_guest_run *w, const char *what,
		       struct err *e);

/* A list of strings that libguestfs gave. */
void vo_guest_free_words(char **words);

/* Forget the names of all folders: something changed. */
void vo_guest_forget(struct vo_guest_run *w);

/* A path of a request as the appliance has it: the folder of the device and
 * what is in it, spelled as it is there.  1 and *ret, 0 when it is not there,
 * -1.  With `made` the last part may be missing, and is taken as it is.  What
 * follows a colon goes to *ret_stream, which is NULL without one. */
MUST_CHECK int vo_guest_find(struct vo_guest_run *w,
			     const struct vo_guest_device *d, const char *path,
			     bool made, char **ret, const char **ret_stream,
			     struct err *e);

/* "FILE:STREAM" with the stream spelled as the file has it, where it has one;
 * just FILE for no stream.  The caller frees. */
MUST_CHECK char *vo_guest_stream(struct vo_guest_run *w,
				 const struct vo_guest_device *d,
				 const char *file, const char *stream,
				 struct err *e);

/* Any VO_OP_ on a mounted device; the result as vo_engine.serve's. */
MUST_CHECK int vo_guest_file(struct vo_guest_run *w, struct vo_guest_device *d,
			     const struct vo_request *q, struct buf *answer,
			     struct err *e);

/* What changes files (appliance_change.c). */
MUST_CHECK int vo_guest_change(struct vo_guest_run *w,
			       const struct vo_guest_device *d,
			       const struct vo_request *q, struct err *e);

/* ---- extended attributes of ntfs-3g (appliance_meta.c) --------------------- */

/* One of them: 1 and *ret (the caller frees), 0 when it has none, -1. */
MUST_CHECK int vo_guest_xattr(struct vo_guest_run *w, const char *path,
			      const char *name, uint8_t **ret, size_t *ret_len,
			      struct err *e);
MUST_CHECK int vo_guest_set_xattr(struct vo_guest_run *w, const char *path,
				  const char *name, const void *data,
				  size_t len, struct err *e);

/* File attributes of NTFS; its four times. */
MUST_CHECK int vo_guest_attributes(struct vo_guest_run *w, const char *path,
				   uint32_t *ret, struct err *e);
MUST_CHECK int vo_guest_times(struct vo_guest_run *w, const char *path,
			      struct vo_times *ret, struct err *e);

/* The requests of metadata. */
MUST_CHECK int vo_guest_meta(struct vo_guest_run *w,
			     const struct vo_guest_device *d,
			     const struct vo_request *q, struct buf *answer,
			     struct err *e);

#endif /* VOLUME_APPLIANCE_RUN_H */
