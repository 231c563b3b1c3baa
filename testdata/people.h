/* people.h - what people.c and files.c share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef TESTDATA_PEOPLE_H
#define TESTDATA_PEOPLE_H

#include "testdata/guest.h"

/* A folder of a profile as a path of the volume. */
const char *people_path(const char *base, const char *folder);

void put_files(struct guest *g, const struct person *who, const char *home);
void put_common_files(struct guest *g);

#endif /* TESTDATA_PEOPLE_H */
