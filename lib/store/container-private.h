/* container-private.h - the header that container.c and container_new.c share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef STORE_CONTAINER_PRIVATE_H
#define STORE_CONTAINER_PRIVATE_H

#include "store/container.h"

struct cx_hasher;

enum {
	ST_TABLE_ENTRY = 4 + CX_HASH_BYTES,	/* length and hash of a frame */
	ST_FRAME_AD = ST_CONTAINER_ID + 8,
};

struct st_container_header {
	uint32_t kind;
	uint8_t id[ST_CONTAINER_ID];
	uint8_t commit[CX_COMMIT_BYTES];
	uint64_t frames, frame_bytes, manifest_bytes;
	bool is_signed;
	uint8_t signer[32];
};

void st_container_put_header(struct buf *out,
			     const struct st_container_header *h);
MUST_CHECK int st_container_parse_header(const char *name, const void *in,
					 size_t len,
					 struct st_container_header *ret,
					 struct err *e);

/* What a frame's record belongs to. */
void st_container_frame_ad(const uint8_t id[ST_CONTAINER_ID], uint64_t number,
			   uint8_t ret[ST_FRAME_AD]);

extern const char st_container_purpose[];	/* of its signature */
extern const char st_container_frame_key[];	/* contexts of its keys */
extern const char st_container_manifest_key[];

#endif /* STORE_CONTAINER_PRIVATE_H */
