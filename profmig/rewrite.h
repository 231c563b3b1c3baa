/* rewrite.h - paths of the old Windows inside text, as paths of the new one
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A set of prefixes, each with what replaces it.  The longest one that matches
 * wins, so a folder inside a folder may go its own way.  Matched are, without
 * regard to case: "C:\Documents and Settings\alice", with forward slashes, with
 * short names ("C:\DOCUME~1\alice") where those are known, behind "\\?\" and
 * "\??\", with "%USERPROFILE%" and the like in front, and percent-encoded behind
 * "file:///", and with every backslash written twice, as program text has it.  A
 * prefix matches whole components only.
 */
#ifndef PROFMIG_REWRITE_H
#define PROFMIG_REWRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"

struct buf;
struct err;

enum { PM_REWRITE_PARTS = 64 };		/* components of a prefix */

struct pm_part {
	char *name;
	char *short_name;	/* or NULL */
};

struct pm_prefix {
	size_t parts;
	struct pm_part *part;	/* owned */
	char *to;		/* owned */
};

struct pm_alias {
	char *path, *short_name;
};

struct pm_rewrite {
	size_t count, cap;
	struct pm_prefix *at;	/* owned; longest first after pm_rewrite_sort */
	size_t aliases, alias_cap;
	struct pm_alias *alias;
};

#define PM_REWRITE_EMPTY { .at = NULL }
#define PM_REWRITE_SCOPED SCOPED(pm_rewrite_done)
void pm_rewrite_done(struct pm_rewrite *rw);

/* The folder at this path of the old Windows has this short name.  Comes
 * before the prefixes that it shall help to match. */
MUST_CHECK int pm_rewrite_alias(struct pm_rewrite *rw, const char *path,
				const char *short_name, struct err *e);

/* `from` becomes `to`; the first one given for a `from` counts. */
MUST_CHECK int pm_rewrite_add(struct pm_rewrite *rw, const char *from,
			      const char *to, struct err *e);

/* To be called once after the last prefix. */
void pm_rewrite_sort(struct pm_rewrite *rw);

/* A whole path: 1 and *ret, which the caller frees; 0 when no prefix matches
 * at its beginning. */
MUST_CHECK int pm_rewrite_path(const struct pm_rewrite *rw, const char *path,
			       char **ret, struct err *e);

/* All paths in a text, appended to out; *ret_hits counts what was replaced by
 * something else than itself. */
MUST_CHECK int pm_rewrite_text(const struct pm_rewrite *rw, const char *text,
			       struct buf *out, size_t *ret_hits,
			       struct err *e);

/* Told about each path that was put in, as a plain one. */
typedef int (*pm_rewritten_fn)(void *arg, const char *path, struct err *e);

/* Likewise, and fn hears of the new paths (but for URLs). */
MUST_CHECK int pm_rewrite_tell(const struct pm_rewrite *rw, const char *text,
			       struct buf *out, size_t *ret_hits,
			       pm_rewritten_fn fn, void *arg, struct err *e);

/* All paths in binary data, in UTF-16 or ASCII, each ended by a NUL or the end;
 * what follows one moves with its length. */
MUST_CHECK int pm_rewrite_blob(const struct pm_rewrite *rw, const void *at,
			       size_t len, struct buf *out, size_t *ret_hits,
			       struct err *e);

#endif /* PROFMIG_REWRITE_H */
