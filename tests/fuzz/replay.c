/* replay.c - run a fuzz target over files, without a fuzzer
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
main(int argc, char **argv)
{
	(void)printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		struct err e = ERR_INIT;
		SCOPED_FREE uint8_t *buf = NULL;
		size_t len;

		if (io_slurp(argv[i], 1 << 20, &buf, &len, &e) < 0) {
			(void)printf("not ok %d - %s\n", i, e.msg);
			continue;
		}
		(void)LLVMFuzzerTestOneInput(buf, len);
		(void)printf("ok %d - %s\n", i, argv[i]);
	}
	return 0;
}
