/* hives.h - the machine's hives
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef TESTDATA_HIVES_H
#define TESTDATA_HIVES_H

#include "testdata/guest.h"
#include "testdata/reg.h"

struct buf;

enum { WORDS = 40 };

/* The words that lines may use: computer, drive, windows, version, ... */
struct words {
	struct reg_word at[WORDS];
	char text[WORDS][96];
};
void hive_words(const struct guest *g, struct words *ret);

/* Start a hive whose keys all have the machine's usual security. */
struct reg *hive_new(const struct guest *g, const char *file, const char *root,
		     unsigned minor);
/* Finish one of the machine's and put it into config. */
void hive_put(struct guest *g, struct reg *r, const char *file);

/* Finish a hive and put it there, and its logs as this Windows leaves them.  With
 * --dirty-hive, `late` (NULL: never) is a key that is only in the logs. */
void hive_store(struct guest *g, struct reg *r, const char *path,
		const char *late);

void hive_system(struct guest *g);
void hive_software(struct guest *g);
void hive_sam(struct guest *g);
void hive_rest(struct guest *g);	/* SECURITY, DEFAULT */
void hive_bcd(struct guest *g, struct buf *ret);	/* empty on failure */

#endif /* TESTDATA_HIVES_H */
