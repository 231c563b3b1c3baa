/* lnk.h - shell links
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef TESTDATA_LNK_H
#define TESTDATA_LNK_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

struct lnk {
	const char *target;		/* "C:\WINDOWS\notepad.exe" (ASCII) */
	bool folder;
	const char *about;		/* description, or NULL */
	const char *start_in;		/* working directory, or NULL */
	const char *args;		/* or NULL */
	const char *machine;		/* of the tracker block */
	uint32_t volume_serial;
	uint64_t time;			/* FILETIME */
};

void lnk_put(struct buf *out, const struct lnk *l);

#endif /* TESTDATA_LNK_H */
