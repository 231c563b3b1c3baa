/* inf.h - what a driver's INF file says
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Source: "INF File Sections and Directives", "General Syntax Rules for INF
 * Files" (Microsoft): sections and keys are compared without case, a section
 * that comes twice is one, ';' begins a comment, '\' at the end of a line goes
 * on with the next, "" inside quotes is a quote, %name% stands for a string of
 * [Strings] and %% for a percent sign.  UTF-16 with a mark, UTF-8 with one, or
 * bytes of the ANSI code page, taken as Latin-1.
 *
 * Limits: 4 MiB, 200,000 lines, 64 fields a line.
 */
#ifndef HAL_NEUTRAL_INF_H
#define HAL_NEUTRAL_INF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

enum {
	HN_INF_BYTES = 4 << 20,
	HN_INF_LINES = 200000,
	HN_INF_FIELDS = 64,
};

struct hn_inf_line {
	char *key;		/* before '='; NULL without one */
	size_t fields;
	char **field;		/* unquoted, not expanded; owned */
};

struct hn_inf_section {
	char *name;
	size_t lines, cap;
	struct hn_inf_line *line;
};

struct hn_inf {
	size_t sections, cap;
	struct hn_inf_section *at;	/* owned */
};

#define HN_INF_EMPTY { .at = NULL }
#define HN_INF_SCOPED SCOPED(hn_inf_done)

MUST_CHECK int hn_inf_parse(const char *name, const void *at, size_t len,
			    struct hn_inf *ret, struct err *e);
void hn_inf_done(struct hn_inf *inf);

/* NULL when there is none. */
const struct hn_inf_section *hn_inf_section(const struct hn_inf *inf,
					    const char *name);

/* The first line with this key; NULL. */
const struct hn_inf_line *hn_inf_line(const struct hn_inf_section *s,
				      const char *key);

/* Text with its %strings% put in; unknown ones stay.  "" for NULL.  The caller
 * frees. */
MUST_CHECK char *hn_inf_text(const struct hn_inf *inf, const char *text,
			     struct err *e);

/* The nth field of a line, expanded; "" where there is none. */
MUST_CHECK char *hn_inf_field(const struct hn_inf *inf,
			      const struct hn_inf_line *l, size_t n,
			      struct err *e);

/* The nth field as a number, decimal or 0x; `otherwise` when it is none. */
MUST_CHECK int hn_inf_number(const struct hn_inf *inf,
			     const struct hn_inf_line *l, size_t n,
			     uint32_t otherwise, uint32_t *ret, struct err *e);

#endif /* HAL_NEUTRAL_INF_H */
