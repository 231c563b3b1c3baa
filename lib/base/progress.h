/* progress.h - how far long work has come
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Work counts its units into a struct progress; base shows it on standard error
 * as --progress says: a bar with rate and time left, plain lines, JSON lines,
 * or nothing.  Nothing is shown for work that ends within a second.  A library
 * takes a `struct progress *`, which may be NULL, and only counts.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

enum progress_style {
	PROGRESS_AUTO,		/* a bar on a terminal, else nothing */
	PROGRESS_PLAIN,
	PROGRESS_JSON,
	PROGRESS_NONE,
};

/* For base/cli: how every progress of this process is shown. */
void progress_style(enum progress_style style);

struct progress {
	const char *what;	/* "import win7.img"; not owned */
	bool bytes;		/* the unit is bytes, else things */
	_Atomic uint64_t total;	/* 0 while unknown */
	_Atomic uint64_t done;
	uint64_t started_ms, shown_ms;	/* private */
	bool visible;
};

#define PROGRESS_SCOPED SCOPED(progress_end)

/* Begin; counting may come from several threads, showing from one. */
void progress_begin(struct progress *p, const char *what, bool bytes,
		    uint64_t total);

/* Count n units; with p NULL nothing happens. */
void progress_add(struct progress *p, uint64_t n);

/* Show it if it is time to. Cheap; called between steps. */
void progress_show(struct progress *p);

/* Remove the bar. Harmless on a progress that was never begun. */
void progress_end(struct progress *p);

#endif /* BASE_PROGRESS_H */
