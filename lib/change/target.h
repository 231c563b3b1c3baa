/* target.h - an image under a plan: its volumes and hives, opened once
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef CHANGE_TARGET_H
#define CHANGE_TARGET_H

#include "base/buf.h"
#include "change/apply.h"
#include "windows/windows.h"

struct cs_loaded {
	uint64_t serial;
	char *path;
	struct hv_hive *hive;
};

struct cs_target {
	struct dk *disk;
	bool write;
	struct wn_guest *guest;
	struct vo_appliance *appliance;	/* of a guest that was closed, or NULL */
	cs_fetch_fn fetch;
	void *fetch_arg;
	size_t loaded, cap;
	struct cs_loaded *at;
	const char *journal;	/* directory, or NULL */
	const char *contents;	/* where CS_BUNDLE contents lie, or NULL */
	bool lenient;		/* taking back: a folder in use stays */
};

/* The volume of an entry. */
MUST_CHECK struct wn_volume *cs_find_volume(struct cs_target *t,
					    uint64_t serial, struct err *e);

/* Close everything, writing what is in memory to the disk's overlay. */
MUST_CHECK int cs_target_close(struct cs_target *t, struct err *e);
/* And open it again, for reading. */
MUST_CHECK int cs_target_reopen(struct cs_target *t, struct err *e);

/*
 * What the thing an entry names is now, in the form that old sides have: up to
 * CS_INLINE_MAX bytes inline, more as a hash.
 */
MUST_CHECK int cs_observe(struct cs_target *t, const struct cs_plan *p,
			  const struct cs_entry *en, struct cs_side *ret,
			  struct err *e);

/* Is `now` what the entry wants?  1, 0, -1.  A source without a hash must have
 * got one from cs_measure(). */
MUST_CHECK int cs_fulfilled(const struct cs_entry *en,
			    const struct cs_side *now, struct err *e);

/* Give the content of a side that is CS_FROM to the sink, and check it against
 * size and hash where those are known. */
MUST_CHECK int cs_content(struct cs_target *t, uint64_t serial,
			  const struct cs_side *from, cs_sink_fn sink,
			  void *arg, struct err *e);

/* Find out size and hash of a source where they are not known. */
MUST_CHECK int cs_measure(struct cs_target *t, uint64_t serial,
			  struct cs_side *from, struct err *e);

/* Metadata of a file as far as `like` has parts. */
MUST_CHECK char *cs_meta_now(struct vo *vo, const char *path, const char *like,
			     struct err *e);

/* SDDL of a descriptor; NULL with ERR_UNSUPPORTED where it has none. */
MUST_CHECK char *cs_sddl(const void *sd, size_t len, struct err *e);
/* A descriptor of SDDL. */
MUST_CHECK int cs_from_sddl(const char *sddl, struct buf *ret, struct err *e);

/* Write the plan that takes back the entries `todo` of p; its old sides are
 * filled in when they have been done.  NULL on error. */
MUST_CHECK struct cs_plan *cs_inverse(struct cs_target *t,
				      const struct cs_plan *p,
				      const bool *todo, struct err *e);
/* Fill them in, and put the plan into the journal. */
MUST_CHECK int cs_journal_write(struct cs_target *t, struct cs_plan *inverse,
				unsigned *ret, struct err *e);
/* A content of the journal, into the sink. */
MUST_CHECK int cs_journal_content(const char *dir, const char *name,
				  cs_sink_fn sink, void *arg, struct err *e);

/* Change the thing; `want` side of the entry. */
MUST_CHECK int cs_do_file(struct cs_target *t, const struct cs_plan *p,
			  const struct cs_entry *en, struct err *e);
MUST_CHECK int cs_do_hive(struct cs_target *t, const struct cs_plan *p,
			  const struct cs_entry *en, struct err *e);

#endif /* CHANGE_TARGET_H */
