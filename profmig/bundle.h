/* bundle.h - a person's extracted profile, as it was on the old computer
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A bundle is a sealed container (store/container.h).  Its manifest is the
 * catalogue below; its frames are one stream of bytes, cut every PM_FRAME
 * bytes and compressed, in which each distinct content lies once.  Nothing in
 * it is transformed: what becomes of it is decided when both sides are known.
 * docs/FORMAT.md, "Profile bundles", has the layout.
 */
#ifndef PROFMIG_BUNDLE_H
#define PROFMIG_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "crypt/key.h"
#include "windows/windows.h"

struct buf;
struct err;
struct pm_stream_out;

enum {
	PM_FRAME = 4 << 20,		/* bytes of the stream in a frame */
	PM_BUNDLE_VERSION = 1,
	PM_PEOPLE_MAX = 65536,
	PM_ITEMS_MAX = 4000000,
	PM_NO_CONTENT = -1,
};

/* Some bytes of the stream. */
struct pm_content_at {
	uint64_t at, size;
	uint8_t hash[32];		/* SHA-256 */
};

struct pm_named_stream {
	char *name;
	int64_t content;		/* index of bundle's contents */
};

/* What a file is for, beyond lying where it lies. */
enum {
	PM_ITEM_OUTSIDE = 1 << 0,	/* not in the profile's folder */
	PM_ITEM_WALLPAPER = 1 << 1,
	PM_ITEM_PUBLIC = 1 << 2,	/* of "All Users" */
};

struct pm_item {
	char *path;			/* Windows path on the old computer */
	uint32_t attributes;
	uint32_t flags;			/* PM_ITEM_... */
	uint64_t times[4];		/* created, modified, changed, accessed */
	uint64_t link_id;		/* files with one id are hard links; or 0 */
	uint32_t security;		/* index of the descriptors */
	int64_t content;		/* PM_NO_CONTENT: a folder, a reparse
					 * point */
	uint32_t tag;			/* reparse point, with its buffer in */
	int64_t reparse;		/* ... this content */
	uint32_t streams;
	struct pm_named_stream *stream;	/* owned */
};

/* What stays behind, known before anything is moved. */
enum pm_loss_kind {
	PM_LOSS_EFS, PM_LOSS_DPAPI, PM_LOSS_CLOUD, PM_LOSS_UNREADABLE,
	PM_LOSS_OUTSIDE, PM_LOSS_EXCLUDED, PM_LOSS_KINDS
};

struct pm_loss {
	enum pm_loss_kind kind;
	char *what, *why;
	uint64_t bytes;
};

/* 8.3 names of folders, for old paths that use them. */
struct pm_short {
	char *path, *short_name;
};

struct pm_person {
	char *name;
	struct wn_sid sid;
	uint32_t account;		/* enum wn_account */
	char *profile;
	uint64_t used;			/* FILETIME */
	char *folder[WN_FOLDERS];	/* Windows paths, or NULL */
	int64_t ntuser, usrclass;	/* contents; PM_NO_CONTENT: none */
	char *stale;			/* what a dirty hive lost, or NULL */
	size_t items, losses, shorts;
	size_t item_cap, loss_cap, short_cap;	/* while it is being made */
	struct pm_item *item;
	struct pm_loss *loss;
	struct pm_short *short_name;
};

/* The old computer. */
struct pm_origin {
	uint32_t generation, arch, language;	/* enums; LCID */
	char *product, *computer, *domain;
	char *system_root, *profiles, *public_profile, *program_files;
	struct wn_sid machine_sid;
	uint64_t taken;			/* FILETIME */
};

struct pm_descriptor {
	uint8_t *at;
	size_t len;
};

struct pm_bundle {
	struct pm_origin origin;
	size_t people, contents, descriptors, programs;
	size_t content_cap, descriptor_cap, program_cap;
	struct pm_person *person;
	struct pm_content_at *content;
	struct pm_descriptor *descriptor;
	char **program;			/* installed programs' names */
};

#define PM_BUNDLE_EMPTY { .people = 0 }
#define PM_BUNDLE_SCOPED SCOPED(pm_bundle_done)
void pm_bundle_done(struct pm_bundle *b);

/* The catalogue as bytes, and back.  Everything is checked: offsets against
 * `stream` (its length), indices against their tables. */
void pm_bundle_put(const struct pm_bundle *b, struct buf *out);
MUST_CHECK int pm_bundle_parse(const void *at, size_t len, uint64_t stream,
			       struct pm_bundle *ret, struct err *e);

/* The person of that name or SID; with name NULL the only one.  ERR_NO, or
 * ERR_USAGE that lists them. */
MUST_CHECK struct pm_person *pm_bundle_person(struct pm_bundle *b,
					      const char *name,
					      struct err *e);

const char *pm_loss_name(enum pm_loss_kind kind);

/* ---- the stream: writing ---- */

struct pm_writer;
#define PM_WRITER_SCOPED SCOPED(pm_writer_free)

MUST_CHECK struct pm_writer *pm_writer_new(const char *path, struct err *e);
void pm_writer_free(struct pm_writer *const *w);

/* Begin a content, give its bytes, end it: *ret is its index in b->contents,
 * an old one when the bundle has these bytes already. */
MUST_CHECK int pm_writer_begin(struct pm_writer *w, struct err *e);
MUST_CHECK int pm_writer_bytes(struct pm_writer *w, const void *at, size_t len,
			       struct err *e);
MUST_CHECK int pm_writer_end(struct pm_writer *w, struct pm_bundle *b,
			     int64_t *ret, struct err *e);

/* Seal it, and let the file appear. */
MUST_CHECK int pm_writer_commit(struct pm_writer *w, const struct pm_bundle *b,
				const struct cx_pubs *to,
				const struct cx_key *signer, struct err *e);

/* ---- the stream: reading ---- */

struct pm_reader;
#define PM_READER_SCOPED SCOPED(pm_reader_free)

/* Open a bundle: *ret is its catalogue.  `trusted` as in container.h; *ret_by
 * is who signed it, or NULL. */
MUST_CHECK struct pm_reader *pm_reader_open(const char *path,
					    const struct cx_key *key,
					    const struct cx_pubs *trusted,
					    struct pm_bundle *ret,
					    const struct cx_pub **ret_by,
					    struct err *e);
void pm_reader_free(struct pm_reader *const *r);

/* The whole content, in pieces, to fn; its hash is checked at the end. */
typedef int (*pm_piece_fn)(void *arg, const void *at, size_t len,
			   struct err *e);
MUST_CHECK int pm_reader_content(struct pm_reader *r,
				 const struct pm_content_at *c, pm_piece_fn fn,
				 void *arg, struct err *e);

/* The whole content of at most `max` bytes. */
MUST_CHECK int pm_reader_slurp(struct pm_reader *r,
			       const struct pm_content_at *c, size_t max,
			       struct buf *out, struct err *e);

#endif /* PROFMIG_BUNDLE_H */
