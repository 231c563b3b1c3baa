/* bootini.h - boot.ini of XP and 2003: read it, point it elsewhere, add to it
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Source: Microsoft, "Boot Options in a Boot.ini File", KB102873 (ARC paths).
 * An entry is ARC\FOLDER="TITLE" OPTIONS; default= names one by its path; the
 * first entry with that path is started.  partition(N) counts the partitions
 * that are neither empty nor extended from 1: primaries, then logicals.
 *
 * Limits: 64 KiB, as NTLDR reads; 256 lines.
 */
#ifndef HAL_NEUTRAL_BOOTINI_H
#define HAL_NEUTRAL_BOOTINI_H

#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"
#include "hal-neutral/image.h"

struct buf;
struct err;

enum { HN_INI_BYTES = 65536, HN_INI_LINES = 256 };

struct hn_ini {
	size_t volume;		/* of the guest, that holds it */
	size_t lines, cap;
	char **line;		/* without line ends; owned */
	size_t chosen;		/* line of default=, SIZE_MAX */
	size_t systems;		/* line of [operating systems], SIZE_MAX */
};

#define HN_INI_EMPTY { .chosen = SIZE_MAX, .systems = SIZE_MAX }
#define HN_INI_SCOPED SCOPED(hn_ini_done)

void hn_ini_done(struct hn_ini *ini);

/* boot.ini of the active partition: 1; 0 when there is none; -1. */
MUST_CHECK int hn_ini_read(const struct hn_image *im, struct hn_ini *ret,
			   struct err *e);

/* The parts of a line below [operating systems]; they lie in the line. */
struct hn_ini_entry {
	const char *path;	/* "multi(0)disk(0)rdisk(0)partition(1)\WINDOWS" */
	size_t path_len;
	const char *rest;	/* ="TITLE" OPTIONS */
};

/* false for a line that is none. */
bool hn_ini_entry(const struct hn_ini *ini, size_t line,
		  struct hn_ini_entry *ret);

/* The line of the entry that NTLDR starts; SIZE_MAX when default= matches none
 * (NTLDR then starts what default= says, without options). */
size_t hn_ini_default(const struct hn_ini *ini);

/* Where a path of `len` bytes leads: a volume of the guest, SIZE_MAX for none
 * on this disk, and the folder behind it. */
size_t hn_arc_volume(const struct hn_image *im, const char *path, size_t len,
		     const char **ret_folder);

/* Does it lead to this installation? */
bool hn_arc_is_ours(const struct hn_image *im, const char *path, size_t len);

/* The path that leads there; the caller frees. */
MUST_CHECK char *hn_arc_ours(const struct hn_image *im, struct err *e);

/* The value of an option ("/HAL=") of an entry, which the caller frees: 1, 0,
 * -1. */
MUST_CHECK int hn_ini_option(const struct hn_ini_entry *en, const char *option,
			     char **ret, struct err *e);

/* Put other text into a line, or a new line before that one. */
MUST_CHECK int hn_ini_set(struct hn_ini *ini, size_t line, char *text,
			  struct err *e);
MUST_CHECK int hn_ini_insert(struct hn_ini *ini, size_t line, char *text,
			     struct err *e);

/* The whole, with line ends. */
void hn_ini_text(const struct hn_ini *ini, struct buf *out);

#endif /* HAL_NEUTRAL_BOOTINI_H */
