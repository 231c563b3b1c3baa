/* volume-private.h - what the engines and the interface share
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An engine serves requests.  The native one does so in its worker, so requests
 * and answers are bytes that either side checks.
 */
#ifndef VOLUME_VOLUME_PRIVATE_H
#define VOLUME_VOLUME_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "volume/volume.h"

enum vo_op {
	VO_OP_MOUNT,		/* size: VO_WRITE or 0 -> facts */
	VO_OP_CLOSE,
	VO_OP_STAT,		/* -> stat */
	VO_OP_SPELL,		/* -> text */
	VO_OP_LIST,		/* -> entries */
	VO_OP_READ,		/* at, size -> bytes */
	VO_OP_READ_RAW,		/* the same, of encrypted data */
	VO_OP_WRITE,		/* at, data */
	VO_OP_TRUNCATE,		/* size */
	VO_OP_PUT,		/* data: all of it; makes the file */
	VO_OP_STREAMS,		/* -> streams */
	VO_OP_CREATE, VO_OP_MKDIR,
	VO_OP_RENAME, VO_OP_LINK,	/* to */
	VO_OP_REMOVE,
	VO_OP_SET_SHORT,	/* to; "" removes */
	VO_OP_SET_TIMES,	/* data: created modified changed accessed */
	VO_OP_SET_ATTRIBUTES,	/* size */
	VO_OP_SECURITY, VO_OP_SET_SECURITY,	/* bytes */
	VO_OP_REPARSE, VO_OP_SET_REPARSE,	/* bytes; none removes */
	VO_OP_OBJECT_ID, VO_OP_SET_OBJECT_ID,	/* bytes; none removes */
	VO_OP_EFS, VO_OP_SET_EFS,	/* bytes */
	VO_OP_SET_COMPRESSED,	/* size: 1 or 0 */
	VO_OP_END
};

enum {
	VO_DATA_MAX = 1 << 20,	/* bytes of one read or write request */
	VO_ANSWER_MAX = 1 << 30,	/* bytes of one answer: a folder's list */
	VO_EFS_MAX = 256 << 10,	/* bytes of $EFS; Windows takes no more */
};

struct vo_request {
	enum vo_op op;
	const char *path, *to;	/* never NULL */
	uint64_t at, size;
	const void *data;
	size_t len;
};

/*
 * Serve a request.  Returns what the public function does (0, 1, -1); the
 * answer holds what is to be parsed.  The error names what is wrong, not the
 * path, which the caller puts before it.
 */
struct vo_engine {
	int (*serve)(struct vo *v, const struct vo_request *q,
		     struct buf *answer, struct err *e);
	void (*free)(struct vo *v);
};

struct vo {
	const struct vo_engine *engine;
	void *own;		/* the engine's */
	struct dk *disk;
	struct dk *owned;	/* a device of the appliance, or NULL */
	uint64_t at, size;	/* of the partition */
	bool writable;
	char *name;
	struct vo_facts facts;
};

/* A volume without an engine yet: what the arguments and the boot sector say. */
MUST_CHECK struct vo *vo_blank(struct dk *d, uint64_t at, uint64_t size,
			       unsigned flags, struct err *e);

/* ERR_UNSAFE where its facts say that writing would lose something. */
MUST_CHECK int vo_refuse_unclean(const struct vo *v, struct err *e);

/* Have a request served whose answer is only a status (volume.c). */
MUST_CHECK int vo_tell(struct vo *v, const struct vo_request *q,
		       struct err *e);

/* ---- the boot sector (boot.c) --------------------------------------------- */

/* Kind, sizes, geometry, serial, shadow copies. */
MUST_CHECK int vo_boot_facts(struct dk *d, uint64_t at, uint64_t size,
			     struct vo_facts *ret, struct err *e);

/* ---- names (names.c) ------------------------------------------------------ */

/* Would Windows let somebody make this path's last part? */
MUST_CHECK int vo_name_allowed(const char *path, struct err *e);

/* ---- the native engine ---------------------------------------------------- */

/* Start the worker for a volume (worker.c). */
MUST_CHECK int vo_native_start(struct vo *v, struct err *e);

/* ---- an EFI system partition that is written (esp.c) ---------------------- */

/* Learn its facts too.  ERR_UNSUPPORTED where it is too large, or mtools is not
 * installed. */
MUST_CHECK int vo_esp_start(struct vo *v, struct err *e);

#endif /* VOLUME_VOLUME_PRIVATE_H */
