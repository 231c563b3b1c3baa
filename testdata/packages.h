/* packages.h - the driver packages of Windows 8 and later
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef TESTDATA_PACKAGES_H
#define TESTDATA_PACKAGES_H

#include "testdata/guest.h"

struct reg;

/* SYSTEM\DriverDatabase: which package serves which device. */
void packages_register(struct reg *r);

/* The INF files, and the packages in the driver store. */
void packages_fill(struct guest *g);

#endif /* TESTDATA_PACKAGES_H */
