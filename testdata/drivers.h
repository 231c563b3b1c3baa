/* drivers.h - the drivers of each Windows: their files and their services
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef TESTDATA_DRIVERS_H
#define TESTDATA_DRIVERS_H

#include "testdata/guest.h"

struct buf;

/*
 * A kernel driver.  `start` has one character per kind, xp to win10: the Start
 * value of its service, '-' where the service is not there, 'c' where only the
 * file is missing but lies in XP's driver cabinet and the service is not there,
 * 'f' for a file without a service.
 */
struct driver {
	const char *name, *file, *start, *group;
	unsigned type, tag;
	const char *imports;
};

extern const struct driver drivers[];		/* ends with a NULL name */

/* The file of a driver or program as the guest's Windows has it. */
void driver_image(struct buf *out, const struct guest *g, const char *file,
		  const char *original, const char *imports);

char driver_start(const struct driver *d, const struct guest *g);

#endif /* TESTDATA_DRIVERS_H */
