/* wire.h - what goes between a volume's two processes
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Messages of a fixed size go over a socket pair; the bytes they speak of lie
 * in memory that both processes see.  The worker is not trusted: a length from
 * it is compared with the area's before use, and an answer is copied out before
 * it is parsed.
 *
 *	parent -> worker: CALL, then for each READ or WRITE of it a DONE
 *	worker -> parent: READ, WRITE, at last ANSWER
 *
 * An answer longer than its area is fetched on with MORE.
 */
#ifndef VOLUME_WIRE_H
#define VOLUME_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "volume/volume-private.h"

enum vo_wire {
	VO_WIRE_CALL = 1,	/* len: bytes of the request in the call area */
	VO_WIRE_MORE,		/* at: offset in the answer */
	VO_WIRE_ANSWER,		/* status, size: of the answer; len: of it here */
	VO_WIRE_READ,		/* at, len: of the volume, into the io area */
	VO_WIRE_WRITE,
	VO_WIRE_DONE,		/* status */
};

enum {
	VO_AREA_CALL = VO_DATA_MAX + (512 << 10),	/* data and two paths */
	VO_AREA_IO = 1 << 20,
	VO_AREAS = VO_AREA_CALL + VO_AREA_IO,
};

struct vo_message {
	uint32_t what;
	int32_t status;
	uint64_t at, size;
	uint32_t len;
	uint32_t kind, os;	/* of an error; its text is the answer */
};

/* A request as bytes, and back; the strings and data of *ret lie in buf. */
MUST_CHECK int vo_wire_encode(const struct vo_request *q, struct buf *out,
			      struct err *e);
MUST_CHECK int vo_wire_parse(const void *bytes, size_t len,
			     struct vo_request *ret, struct err *e);

/* The worker's side: serves until the parent hangs up.  Never returns. */
_Noreturn void vo_worker_run(int sock, uint8_t *areas, enum vo_kind kind,
			     uint64_t volume_size, bool writable);

/* What the worker's engine asks for its sectors; -1 and errno. */
struct vo_worker;
MUST_CHECK int vo_worker_read(struct vo_worker *w, uint64_t at, uint32_t len,
			      void *to);
MUST_CHECK int vo_worker_write(struct vo_worker *w, uint64_t at, uint32_t len,
			       const void *from);

#endif /* VOLUME_WIRE_H */
