/* wof.h - files that Windows compressed as a whole (CompactOS)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Such a file has a reparse point that names the method, an unnamed stream of
 * its size that holds nothing, and the stream WofCompressedData: a table of where
 * each chunk but the first begins, then the chunks.  One that did not shrink is
 * stored as it is.
 *
 * Facts: ntifs.h (WOF_EXTERNAL_INFO, FILE_PROVIDER_EXTERNAL_INFO_V1) and
 * [MS-FSCC] 2.1.2.1 for the tag; the stream is a WIM resource without its header
 * (wimlib, "win32_apply.c"; docs/FORMAT.md, "CompactOS files").
 */
#ifndef VOLUME_WOF_H
#define VOLUME_WOF_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct err;

#define VO_WOF_STREAM "WofCompressedData"

/* FILE_PROVIDER_COMPRESSION_... */
enum vo_wof_method {
	VO_WOF_XPRESS4K, VO_WOF_LZX, VO_WOF_XPRESS8K, VO_WOF_XPRESS16K,
};

/* The method, from a REPARSE_DATA_BUFFER with VO_TAG_WOF.  ERR_UNSUPPORTED: one
 * that lies in another file (WIMBoot), or that is not known. */
MUST_CHECK int vo_wof_method(const void *reparse, size_t len,
			     enum vo_wof_method *ret, struct err *e);

struct vo_wof {
	enum vo_wof_method method;
	uint64_t size;		/* bytes of the file */
	uint64_t stored;	/* bytes of its stream */
	/* reads all of [at, at + len) of the stream, which is inside */
	int (*read)(void *arg, void *to, size_t len, uint64_t at,
		    struct err *e);
	void *arg;
};

/* All of [at, at + len) of the file; it must be inside. */
MUST_CHECK int vo_wof_read(const struct vo_wof *w, void *to, size_t len,
			   uint64_t at, struct err *e);

#endif /* VOLUME_WOF_H */
