/* fuzz_vo_wof.c - what anybody's disk says is a CompactOS file
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Byte 0 is the method, bytes 1 to 3 the file's size, the rest its stream.
 */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/scope.h"
#include "volume/wof.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

enum { HEAD = 4, SIZE_MAX_HERE = 256 << 10 };

struct bytes {
	const uint8_t *at;
	size_t len;
};

static int
read_bytes(void *arg, void *to, size_t len, uint64_t at, struct err *e)
{
	const struct bytes *b = arg;

	(void)e;
	assert(num_in_range(at, len, b->len));
	if (len > 0)
		memcpy(to, b->at + at, len);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT, again = ERR_INIT;
	struct bytes b = { .at = in + HEAD, .len = len - HEAD };
	struct vo_wof w = { .read = read_bytes, .arg = &b };
	SCOPED_FREE uint8_t *whole = NULL, *part = NULL;
	size_t middle;

	if (len < HEAD)
		return 0;
	w.method = (enum vo_wof_method)(in[0] & 3);
	w.size = 1 + (((size_t)in[1] | (size_t)in[2] << 8 |
		       (size_t)in[3] << 16) % SIZE_MAX_HERE);
	w.stored = b.len;
	whole = mem_array((size_t)w.size, 1, &e);
	part = mem_array((size_t)w.size, 1, &e);
	if (whole == NULL || part == NULL ||
	    vo_wof_read(&w, whole, (size_t)w.size, 0, &e) < 0)
		return 0;
	/* what can be read whole reads the same in parts */
	middle = (size_t)w.size / 3;
	assert(vo_wof_read(&w, part, (size_t)w.size - middle, middle,
			   &again) == 0);
	assert(memcmp(part, whole + middle, (size_t)w.size - middle) == 0);
	return 0;
}
