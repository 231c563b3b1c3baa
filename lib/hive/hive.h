/* hive.h - a registry hive as a tree in memory: load, look up, edit, write
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A hive (format "regf") is loaded whole: its logs are replayed first, every
 * rule of the format is checked, and what is left is a tree of keys and values.
 * Edits change only the tree; hv_serialize() writes a fresh hive from it and
 * proves that hive before it hands it out.  So no error can damage a file.
 *
 *	HV_SCOPED struct hv_hive *h = hv_load("SYSTEM", HV_LOGS_REPLAY, e);
 *	struct hv_key *k = hv_find(hv_root(h), "Select");
 *	if (k != NULL && hv_get_dword(k, "Default", &set, e) == 1) ...
 *
 * Paths and names are WTF-8 (base/utf.h); '\' separates the keys of a path and
 * "" is the key itself.  Names are compared as Windows does, without case.  The
 * unnamed value is called "".  Text that is not WTF-8 names nothing.
 *
 * Keys and values belong to their hive.  A pointer to one stays valid until it
 * is deleted or the hive is freed.  One thread per hive.
 *
 * Limits: 2 GiB of hive, key names of 255 and value names of 16,383 units,
 * depth 512, 1 MiB of data in formats below 1.4 (docs/FORMAT.md).
 */
#ifndef HIVE_HIVE_H
#define HIVE_HIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct buf;
struct err;
struct hv_hive;
struct hv_key;
struct hv_value;

#define HV_SCOPED SCOPED(hv_free)

/* ---- opening ------------------------------------------------------------ */

/* A transaction log that lay beside the hive; an empty one is fine. */
struct hv_log {
	const char *name;	/* for messages */
	const void *at;
	size_t len;
};

/* What to do with a hive whose last changes are only in its logs. */
enum hv_logs {
	HV_LOGS_REPLAY,		/* replay; ERR_UNSAFE when that cannot be done */
	HV_LOGS_READ,		/* replay; else read it as it lies, see .stale */
	HV_LOGS_DISCARD,	/* replay; else go on without what is lost */
};

enum hv_replayed { HV_REPLAYED_NONE, HV_REPLAYED_DIRT, HV_REPLAYED_HVLE };

/* What was found when the hive was opened. */
struct hv_facts {
	unsigned minor;		/* format 1.minor: 3 to 6 */
	uint32_t seq1, seq2;	/* as they lay; equal in a clean hive */
	bool dirty;		/* it was not clean */
	bool header_lost;	/* its first sector came from a log */
	enum hv_replayed replayed;
	uint32_t first, last;	/* HVLE: entries applied, by sequence */
	uint32_t applied;	/* entries (HVLE) or 512-byte sectors (DIRT) */
	uint64_t keys_saved;	/* keys and values that only the logs held, */
	uint64_t values_saved;	/* or held in a newer state */
	bool partial;		/* Windows had begun to write the entries out */
	bool log_ahead;		/* clean, but a log holds newer entries: some
				 * program cleaned it without a replay */
	bool ktm;		/* a transaction manager holds it (flag 1) */
	bool newer_blf;		/* hv_load(): and its log is newer than the hive */
	bool layered;		/* has layered keys or tombstones */
	uint64_t warnings;	/* rules that the file breaks and a write mends */
	uint64_t unread;	/* hv_serialize(): what libhivex cannot read */
	char stale[512];	/* READ and DISCARD: what is lost, else "" */
};

/*
 * Open a hive from its bytes and those of its logs, in any order; nothing is
 * kept of either.  A broken hive is ERR_CORRUPT and names rule, offset and key;
 * one below 1.3 is ERR_UNSUPPORTED.  `name` is for messages.
 */
MUST_CHECK struct hv_hive *hv_open(const char *name, const void *image,
				   size_t len, const struct hv_log *logs,
				   size_t log_count, enum hv_logs how,
				   struct err *e);

/* A hive file of this computer, with the logs beside it: NAME.LOG, NAME.LOG1
 * and NAME.LOG2 in any case. */
MUST_CHECK struct hv_hive *hv_load(const char *path, enum hv_logs how,
				   struct err *e);

/* A hive with nothing but a root key, in format 1.minor (3 to 5; 5 is that of
 * SYSTEM and SOFTWARE since XP), whose security lets SYSTEM and administrators
 * in. */
MUST_CHECK struct hv_hive *hv_new(unsigned minor, struct err *e);

void hv_free(struct hv_hive *const *h);

const struct hv_facts *hv_facts(const struct hv_hive *h);

/* The time (FILETIME) that edits are stamped with; without this, now. */
void hv_set_clock(struct hv_hive *h, uint64_t filetime);

/* Was anything edited since it was opened?  Setting what is set already edits
 * nothing.  Not counted: a replay. */
bool hv_changed(const struct hv_hive *h);

/* ---- keys --------------------------------------------------------------- */

struct hv_key *hv_root(const struct hv_hive *h);

/* The key at `path` below `from`, or NULL. */
struct hv_key *hv_find(struct hv_key *from, const char *path);

/* Its parent; NULL for the root. */
struct hv_key *hv_parent(const struct hv_key *k);

/* Subkeys in Windows' order: for (s = hv_first(k); s != NULL; s = hv_next(s)) */
size_t hv_count(const struct hv_key *k);
struct hv_key *hv_first(const struct hv_key *k);
struct hv_key *hv_next(const struct hv_key *k);

/* Its name, or its path below the root ("" for the root), which the caller
 * frees. */
MUST_CHECK char *hv_name(const struct hv_key *k, struct err *e);
MUST_CHECK char *hv_path(const struct hv_key *k, struct err *e);

/* Does it have this name? */
bool hv_named(const struct hv_key *k, const char *name);

/* When it was last written, as a FILETIME. */
uint64_t hv_time(const struct hv_key *k);
void hv_set_time(struct hv_key *k, uint64_t filetime);

/* Is it a symbolic link, whose target is in its value SymbolicLinkValue? */
bool hv_is_link(const struct hv_key *k);

/* Its class, as bytes (UTF-16LE by custom); *ret_len is 0 without one. */
const uint8_t *hv_class(const struct hv_key *k, size_t *ret_len);
MUST_CHECK int hv_set_class(struct hv_key *k, const void *at, size_t len,
			    struct err *e);

/* Create what is missing of `path` below `from`; a new key has its parent's
 * security.  NULL on error. */
MUST_CHECK struct hv_key *hv_create(struct hv_key *from, const char *path,
				    struct err *e);

/* Delete the key with all below it.  The root cannot be deleted. */
MUST_CHECK int hv_delete(struct hv_key *k, struct err *e);

/* Another name under the same parent; ERR_USAGE if a sibling has it. */
MUST_CHECK int hv_rename(struct hv_key *k, const char *name, struct err *e);

/* What hv_copy() does where the target has a value of that name already. */
enum hv_merge { HV_MERGE_KEEP, HV_MERGE_REPLACE };

/*
 * Merge values and subkeys of `from`, of this or another hive, into `to`.  Keys
 * that this creates take class, security, flags and time from the source; keys
 * that exist keep theirs.  `to` must not lie below `from`.
 */
MUST_CHECK int hv_copy(struct hv_key *to, const struct hv_key *from,
		       enum hv_merge how, struct err *e);

/* ---- values ------------------------------------------------------------- */

enum hv_type {
	HV_NONE = 0, HV_SZ = 1, HV_EXPAND_SZ = 2, HV_BINARY = 3, HV_DWORD = 4,
	HV_DWORD_BE = 5, HV_LINK = 6, HV_MULTI_SZ = 7, HV_RESOURCE_LIST = 8,
	HV_RESOURCE_DESCRIPTOR = 9, HV_RESOURCE_REQUIREMENTS = 10,
	HV_QWORD = 11,
};

/* What a value holds.  Any type number is legal; so is any length. */
struct hv_data {
	uint32_t type;
	const uint8_t *at;	/* belongs to the hive, until the next edit */
	size_t len;
};

struct hv_value *hv_value(const struct hv_key *k, const char *name);

/* Values in the order they are stored. */
size_t hv_value_count(const struct hv_key *k);
struct hv_value *hv_value_first(const struct hv_key *k);
struct hv_value *hv_value_next(const struct hv_value *v);
MUST_CHECK char *hv_value_name(const struct hv_value *v, struct err *e);
struct hv_data hv_data(const struct hv_value *v);

/*
 * Typed reading: 1 found, 0 no such value, -1 when it has another type or a
 * shape that is wrong for it (ERR_CORRUPT).  A string ends at its first NUL or
 * at its end; the types SZ, EXPAND_SZ and LINK are strings.  The caller frees.
 */
MUST_CHECK int hv_get_str(const struct hv_key *k, const char *name, char **ret,
			  struct err *e);
MUST_CHECK int hv_get_dword(const struct hv_key *k, const char *name,
			    uint32_t *ret, struct err *e);
MUST_CHECK int hv_get_qword(const struct hv_key *k, const char *name,
			    uint64_t *ret, struct err *e);

/* The strings of a MULTI_SZ, up to the empty one that ends it. */
struct hv_strings {
	size_t count;
	char **at;
};
#define HV_STRINGS_EMPTY { .at = NULL }
#define HV_STRINGS_SCOPED SCOPED(hv_strings_done)
void hv_strings_done(struct hv_strings *s);
MUST_CHECK int hv_get_multi(const struct hv_key *k, const char *name,
			    struct hv_strings *ret, struct err *e);

/* Set a value, which keeps its place and the spelling of its name if it is
 * there.  `at` may lie in the same hive. */
MUST_CHECK int hv_set(struct hv_key *k, const char *name, uint32_t type,
		      const void *at, size_t len, struct err *e);
/* SZ, EXPAND_SZ or LINK from text; the first two get their NUL. */
MUST_CHECK int hv_set_str(struct hv_key *k, const char *name, uint32_t type,
			  const char *text, struct err *e);
MUST_CHECK int hv_set_dword(struct hv_key *k, const char *name, uint32_t v,
			    struct err *e);
MUST_CHECK int hv_set_qword(struct hv_key *k, const char *name, uint64_t v,
			    struct err *e);
/* None of the strings may be empty: an empty one ends the list. */
MUST_CHECK int hv_set_multi(struct hv_key *k, const char *name,
			    const char *const *strings, size_t count,
			    struct err *e);
void hv_unset(struct hv_key *k, struct hv_value *v);

/* ---- security ----------------------------------------------------------- */

/* The self-relative security descriptor of a key. */
const uint8_t *hv_sd(const struct hv_key *k, size_t *ret_len);
/* Replace it; one that breaks the rules of its format is ERR_USAGE. */
MUST_CHECK int hv_set_sd(struct hv_key *k, const void *at, size_t len,
			 struct err *e);

/* One SID that shall become another; both as text, "S-1-5-21-...". */
struct hv_sid_map {
	const char *from, *to;
};

/*
 * Translate every SID (owner, group, each entry of both lists) in the security
 * of `top` and all keys below it.  *ret_keys counts the keys that changed.
 */
MUST_CHECK int hv_map_sids(struct hv_key *top, const struct hv_sid_map *map,
			   size_t count, size_t *ret_keys, struct err *e);

/* ---- checking ----------------------------------------------------------- */

/* One rule of the format that a hive breaks (docs/FORMAT.md has the table). */
struct hv_fault {
	const char *rule;	/* "K7" */
	char level;		/* E: error; W: Windows never writes it; I: odd */
	bool healed;		/* E, but its meaning is clear: a load takes it,
				 * and a write mends it */
	uint32_t at;		/* offset in the file */
	const struct hv_key *key;	/* the key it belongs to, or NULL */
	const char *what;	/* one phrase; valid during the call */
};

/* Called for each fault; -1 with *e set ends the check. */
typedef int hv_fault_fn(void *ctx, const struct hv_fault *f, struct err *e);

/* Check every rule on the bytes of a hive as they lie, without its logs. */
MUST_CHECK int hv_check(const char *name, const void *image, size_t len,
			hv_fault_fn *fault, void *ctx, struct err *e);

/* ---- writing ------------------------------------------------------------ */

/*
 * The hive as the bytes of a clean hive file in canonical form.  Before they
 * are handed out they are parsed in full, compared with the tree, and walked by
 * libhivex as an independent second reader: a difference is ERR_CORRUPT.  What
 * libhivex 1.3 cannot read is left out of its walk and counted in .unread:
 *
 *	names with a NUL or half a surrogate pair (but what they name is read)
 *	predefined keys, and keys of over 70,000 subkeys or 110,000 values
 *	values over 8,000,000 bytes, and tombstones
 *	classes, security, flags (these it never reads)
 *
 * The sequence number lies above all that were seen in the hive and its logs.
 * Put the hive on stable storage first, then make its .LOG, .LOG1 and .LOG2
 * empty files: then no old entry can ever be replayed over it.
 *
 * ERR_UNSAFE for a hive that was opened with HV_LOGS_READ and is stale.
 */
MUST_CHECK int hv_serialize(struct hv_hive *h, struct buf *ret,
			    struct err *e);

/* hv_serialize() to a file of this computer, whose logs are emptied after. */
MUST_CHECK int hv_save(struct hv_hive *h, const char *path, struct err *e);

/* ---- hive files as bytes --------------------------------------------------- */

enum { HV_LOGS_MAX = 3 };

/* A hive file and its logs, read. */
struct hv_files {
	uint8_t *hive;			/* owned, as are the next two */
	size_t len;
	char *path[HV_LOGS_MAX];	/* of the logs */
	uint8_t *bytes[HV_LOGS_MAX];
	struct hv_log log[HV_LOGS_MAX];
	size_t count;
	bool newer_blf;			/* a transaction log beside it is newer */
};
#define HV_FILES_EMPTY { .hive = NULL }
#define HV_FILES_SCOPED SCOPED(hv_files_done)
void hv_files_done(struct hv_files *f);

/* Read a hive with the logs named, or with those beside it if count is 0. */
MUST_CHECK int hv_files_read(const char *path, const char *const *logs,
			     size_t count, struct hv_files *ret, struct err *e);

/* Replace the hive on stable storage, then empty the logs. */
MUST_CHECK int hv_files_write(const char *path, const struct hv_files *f,
			      const void *image, size_t len, struct err *e);

/*
 * The hive as Windows itself would recover it: its pages replaced by those of
 * the logs, nothing moved, marked clean.  `how` and *ret_facts as in hv_open();
 * READ is not for this.
 */
MUST_CHECK int hv_recover(const char *name, const void *image, size_t len,
			  const struct hv_log *logs, size_t log_count,
			  enum hv_logs how, struct buf *ret,
			  struct hv_facts *ret_facts, struct err *e);

#endif /* HIVE_HIVE_H */
