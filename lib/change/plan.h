/* plan.h - a change set: what an image shall hold, entry by entry, and why
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A plan is a list of entries.  Each names one thing in the image (a file, a
 * value, some bytes), what is there now (old), what shall be there (want), the
 * rule that asks for it and the reason in a sentence.  As text it is sorted
 * YAML with one thing per line, made to be read and diffed (docs/FORMAT.md,
 * "Change sets").
 *
 * Building: a program says only what it wants, with the cs_want_*() functions.
 * cs_settle() (apply.h) then reads the image, fills in every old side and drops
 * the entries that the image fulfils already; so the plan of a finished image
 * is empty.  Wanting one thing twice is fine when both want the same; two
 * different wishes for one thing are refused with ERR_USAGE naming both rules.
 *
 * Building is sticky: after a failed allocation or a wrong argument the plan
 * remembers the error, later wishes do nothing, and cs_ok() (or cs_settle(),
 * cs_write()) reports it once.  Strings are copied.
 *
 * Paths in an image are those of volume.h; in a plan they begin with a slash:
 * "/WINDOWS/system32/hal.dll".  Keys are relative to the hive's root, without a
 * leading backslash: "ControlSet001\Services\atapi"; "" is the root.  Both are
 * compared as Windows does, without regard to case.
 */
#ifndef CHANGE_PLAN_H
#define CHANGE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/scope.h"

enum {
	CS_INLINE_MAX = 4096,		/* bytes of content a plan may hold itself */
	CS_ENTRIES_MAX = 2000000,
	CS_VOLUMES_MAX = 64,
	CS_HASH_BYTES = 32,		/* SHA-256 */
};

/* Also the order in which one volume's entries stand and are applied. */
enum cs_kind {
	CS_DIRECTORY,
	CS_FILE,		/* the unnamed data stream */
	CS_STREAM,		/* a named one */
	CS_LINK,		/* a hard link */
	CS_REPARSE,
	CS_SECURITY,		/* of a file or directory */
	CS_META,		/* attributes, times, short name */
	CS_KEY,
	CS_KEY_CLASS,
	CS_KEY_SECURITY,
	CS_VALUE,
	CS_BYTES,		/* of the volume itself */
	CS_KINDS
};

enum cs_have {
	CS_ABSENT,		/* not there */
	CS_INLINE,		/* .data holds it */
	CS_HASHED,		/* only .size and .hash are known; old sides only */
	CS_FROM,		/* it comes from .origin; wants only */
};

enum cs_origin {
	CS_IMAGE,		/* .path in the image, as it was before */
	CS_CABINET,		/* .path in the image, .member in that cabinet */
	CS_BUNDLE,		/* .path is the bundle's name for it */
	CS_DRIVERS,		/* .path is a file of the administrator's folder */
};

struct cs_source {
	enum cs_origin origin;
	const char *path;
	const char *member;	/* CS_CABINET; else NULL */
	uint64_t size;
	uint8_t hash[CS_HASH_BYTES];	/* all zero: not known beforehand */
};

/*
 * One side of an entry.  What .data holds: CS_FILE, CS_STREAM, CS_BYTES: the
 * bytes; CS_VALUE: the value's data as stored, .type its type; CS_REPARSE: the
 * REPARSE_DATA_BUFFER; CS_LINK: the path of a file it is linked with; CS_SECURITY and CS_KEY_SECURITY: SDDL; CS_KEY_CLASS: the class;
 * CS_META: the text form of struct cs_meta; CS_DIRECTORY and CS_KEY: nothing.
 * A NUL that .len does not count follows the bytes.
 */
struct cs_side {
	enum cs_have have;
	uint32_t type;
	uint8_t *data;		/* CS_INLINE; owned */
	size_t len;
	enum cs_origin origin;	/* CS_FROM, as in struct cs_source */
	char *path, *member;	/* likewise; owned */
	uint64_t size;		/* CS_FROM, CS_HASHED */
	uint8_t hash[CS_HASH_BYTES];
};

struct cs_entry {
	enum cs_kind kind;
	unsigned volume;	/* index of the plan's volumes */
	char *path;		/* file kinds; key kinds: the hive's file */
	char *key;		/* key kinds, else NULL */
	char *name;		/* of a value or stream, else NULL */
	uint64_t at;		/* CS_BYTES: offset in the volume */
	bool settled;		/* .old is filled in */
	struct cs_side old, want;
	char *rule, *why;
};

struct cs_volume {
	uint64_t serial;	/* NTFS volume serial number */
};

struct cs_plan {
	char *made_by;		/* "hal-neutral plan" */
	size_t volumes;
	struct cs_volume volume[CS_VOLUMES_MAX];
	size_t count, cap;
	struct cs_entry *at;
	bool sorted;
	struct err failed;	/* kind ERR_NONE while building goes well */
};

#define CS_PLAN_SCOPED SCOPED(cs_plan_free)

MUST_CHECK struct cs_plan *cs_plan_new(const char *made_by, struct err *e);
void cs_plan_free(struct cs_plan *const *plan);

/* The index of the volume with this serial number, which is added if new. */
unsigned cs_plan_volume(struct cs_plan *p, uint64_t serial);

/* 0, or the first thing that went wrong while building. */
MUST_CHECK int cs_ok(const struct cs_plan *p, struct err *e);

/* Who asks, and why. */
struct cs_reason {
	const char *rule;	/* "storage/X7" */
	const char *why;	/* one sentence, no full stop */
};

/* Where a key is. */
struct cs_hive {
	unsigned volume;
	const char *path;	/* "/WINDOWS/system32/config/system" */
};

/* ---- wishes about the registry -------------------------------------------
 * The keys above a value or key come into being with it. */

void cs_want_key(struct cs_plan *p, struct cs_hive h, const char *key,
		 struct cs_reason r);
/* Also removes everything below it. */
void cs_want_no_key(struct cs_plan *p, struct cs_hive h, const char *key,
		    struct cs_reason r);
void cs_want_key_class(struct cs_plan *p, struct cs_hive h, const char *key,
		       const char *class_name, struct cs_reason r);
void cs_want_key_security(struct cs_plan *p, struct cs_hive h, const char *key,
			  const char *sddl, struct cs_reason r);
void cs_want_value(struct cs_plan *p, struct cs_hive h, const char *key,
		   const char *name, uint32_t type, const void *data, size_t len,
		   struct cs_reason r);
/* A value too large to stand in a plan. */
void cs_want_value_from(struct cs_plan *p, struct cs_hive h, const char *key,
			const char *name, uint32_t type, struct cs_source from,
			struct cs_reason r);
void cs_want_no_value(struct cs_plan *p, struct cs_hive h, const char *key,
		      const char *name, struct cs_reason r);
/* The usual types; text is WTF-8 and stored with its terminator. */
void cs_want_dword(struct cs_plan *p, struct cs_hive h, const char *key,
		   const char *name, uint32_t v, struct cs_reason r);
void cs_want_sz(struct cs_plan *p, struct cs_hive h, const char *key,
		const char *name, const char *text, struct cs_reason r);
void cs_want_expand_sz(struct cs_plan *p, struct cs_hive h, const char *key,
		       const char *name, const char *text, struct cs_reason r);
void cs_want_multi_sz(struct cs_plan *p, struct cs_hive h, const char *key,
		      const char *name, const char *const *list, size_t count,
		      struct cs_reason r);

/* ---- wishes about files --------------------------------------------------
 * The folders above a file come into being with it. */

void cs_want_directory(struct cs_plan *p, unsigned volume, const char *path,
		       struct cs_reason r);
/* Only an empty one, when its turn comes. */
void cs_want_no_directory(struct cs_plan *p, unsigned volume, const char *path,
			  struct cs_reason r);
void cs_want_file(struct cs_plan *p, unsigned volume, const char *path,
		  struct cs_source from, struct cs_reason r);
/* Content of at most CS_INLINE_MAX bytes. */
void cs_want_file_inline(struct cs_plan *p, unsigned volume, const char *path,
			 const void *data, size_t len, struct cs_reason r);
void cs_want_no_file(struct cs_plan *p, unsigned volume, const char *path,
		     struct cs_reason r);
void cs_want_stream(struct cs_plan *p, unsigned volume, const char *path,
		    const char *stream, struct cs_source from,
		    struct cs_reason r);
void cs_want_no_stream(struct cs_plan *p, unsigned volume, const char *path,
		       const char *stream, struct cs_reason r);
/* path becomes another name of the file `with`. */
void cs_want_link(struct cs_plan *p, unsigned volume, const char *path,
		  const char *with, struct cs_reason r);
/* data: a whole REPARSE_DATA_BUFFER, as vo_set_reparse() takes it. */
void cs_want_reparse(struct cs_plan *p, unsigned volume, const char *path,
		     const void *data, size_t len, struct cs_reason r);
void cs_want_security(struct cs_plan *p, unsigned volume, const char *path,
		      const char *sddl, struct cs_reason r);

/* What a file or directory has beside content. */
struct cs_meta {
	bool has_attributes, has_times;
	uint32_t attributes;	/* readonly 1, hidden 2, system 4, archive 0x20,
				 * not indexed 0x2000; others are ignored */
	uint64_t times[4];	/* FILETIME: created, modified, changed, accessed */
	const char *short_name;	/* 8.3, or NULL for as it is */
};

void cs_want_meta(struct cs_plan *p, unsigned volume, const char *path,
		  const struct cs_meta *m, struct cs_reason r);

/* ---- wishes about the volume itself ---- */

/* At most CS_INLINE_MAX bytes. */
void cs_want_bytes(struct cs_plan *p, unsigned volume, uint64_t at,
		   const void *data, size_t len, struct cs_reason r);

/* ---- as text ---- */

/* Sort, and refuse wishes that contradict each other. */
MUST_CHECK int cs_sort(struct cs_plan *p, struct err *e);

/* The plan as text; the caller frees it.  Sorts. */
MUST_CHECK char *cs_text(struct cs_plan *p, size_t *ret_len, struct err *e);

/* Write it to a file that appears whole or not at all. */
MUST_CHECK int cs_write(struct cs_plan *p, const char *path, struct err *e);

/* Read one; `name` is for messages.  Everything is checked: an unknown word, a
 * wrong order of sides, a too large content is refused with its line. */
MUST_CHECK struct cs_plan *cs_read(const char *path, struct err *e);
MUST_CHECK struct cs_plan *cs_parse(const char *name, const void *text,
				    size_t len, struct err *e);

/* What entry n is about, for messages and reports: "SYSTEM\Select: Default".
 * The caller frees it. */
MUST_CHECK char *cs_entry_name(const struct cs_entry *en, struct err *e);

/* The word for a kind: "registry-value". */
const char *cs_kind_word(enum cs_kind kind);

#endif /* CHANGE_PLAN_H */
