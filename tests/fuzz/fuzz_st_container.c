/* fuzz_st_container.c - deltas and bundles from anybody
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "store/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	SCOPED_FD int fd = memfd_create("container", MFD_CLOEXEC);
	struct err e = ERR_INIT;
	char path[64];

	if (fd < 0 || write(fd, in, len) != (ssize_t)len)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	ST_CONTAINER_SCOPED struct st_container *c =
		st_container_open(path, ST_CONTAINER_DELTA, &e);

	if (c == NULL) {
		assert(e.kind != ERR_NONE);
		return 0;
	}
	assert(st_container_info(c).file_bytes == len);
	if (st_container_check(c, NULL, &e) < 0)
		assert(e.kind != ERR_NONE);
	return 0;
}
