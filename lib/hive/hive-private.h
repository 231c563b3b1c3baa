/* hive-private.h - what the files of this room share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef HIVE_HIVE_PRIVATE_H
#define HIVE_HIVE_PRIVATE_H

#include "hive/hive.h"

/* ---- limits and constants of the format (docs/FORMAT.md) ----------------- */

enum {
	HV_BASE_BYTES = 4096,		/* the base block */
	HV_SECTOR = 512,		/* the part of it that a log repeats */
	HV_BIN_UNIT = 4096,
	HV_BIN_HEADER = 32,
	HV_KEY_HEAD = 76,		/* nk before its name */
	HV_VALUE_HEAD = 20,		/* vk before its name */
	HV_SK_HEAD = 20,		/* sk before its descriptor */
	HV_KEY_MAX = 0x45c,		/* payload of a sane nk */
	HV_NAME_UNITS = 255,		/* of a key */
	HV_VALUE_NAME_UNITS = 16383,
	HV_DEPTH = 512,
	HV_SEGMENT = 16344,		/* data per segment of a big value */
	HV_OLD_DATA_MAX = 1 << 20,	/* of a value below format 1.4 */
	HV_ROOT_CELL = 0x20,
};

#define HV_NIL 0xffffffffu
#define HV_SIZE_MAX 0x7fffffffu		/* bytes of bins */
#define HV_SEGMENTS_MAX 0xffffu

enum {
	HV_KEY_VOLATILE = 0x1, HV_KEY_EXIT = 0x2, HV_KEY_ROOT = 0x4,
	HV_KEY_NO_DELETE = 0x8, HV_KEY_LINK = 0x10, HV_KEY_LATIN1 = 0x20,
	HV_KEY_PREDEFINED = 0x40,
};

enum { HV_VALUE_LATIN1 = 0x1, HV_VALUE_TOMBSTONE = 0x2 };

#define HV_INLINE 0x80000000u

/* ---- memory that lives as long as the hive (arena.c) --------------------- */

struct hv_arena {
	struct hv_chunk *chunks;
	uint8_t *at;
	size_t left;
};

/* Zeroed, aligned for any object. */
MUST_CHECK void *hv_arena_new(struct hv_arena *a, size_t size, struct err *e);
/* A copy of bytes; never NULL on success, also for none. */
MUST_CHECK uint8_t *hv_arena_copy(struct hv_arena *a, const void *at,
				  size_t len, struct err *e);
void hv_arena_done(struct hv_arena *a);

/* ---- names, and the sets of them in a key (name.c) ----------------------- */

enum hv_form { HV_LATIN1, HV_UTF16, HV_WTF8 };

/* A name in any of its forms. */
struct hv_word {
	const uint8_t *at;
	size_t len;		/* bytes */
	enum hv_form form;
};

/* First member of a key and of a value. */
struct hv_node {
	struct hv_node *left, *right;	/* a treap, by name */
	struct hv_node *prev, *next;	/* by name for keys, as set for values */
	const uint8_t *name;		/* as stored: Latin-1 or UTF-16LE */
	uint32_t prio;
	uint16_t name_len;		/* bytes */
	bool latin1;
};

struct hv_names {
	struct hv_node *root, *first, *last;
	size_t count;
};

struct hv_word hv_word8(const char *text, size_t len);
struct hv_word hv_node_word(const struct hv_node *n);
bool hv_word_valid(struct hv_word w);
size_t hv_word_units(struct hv_word w);
bool hv_word_has(struct hv_word w, uint16_t unit);
int hv_word_cmp(struct hv_word a, struct hv_word b);	/* without case */
bool hv_word_same(struct hv_word a, struct hv_word b);	/* unit by unit */
uint32_t hv_word_hash(struct hv_word w);		/* of an lh list */
void hv_word_hint(struct hv_word w, uint8_t ret[4]);	/* of an lf list */
MUST_CHECK char *hv_word_text(struct hv_word w, struct err *e);
/* Give the node this name in its shortest stored form. */
MUST_CHECK int hv_word_store(struct hv_arena *a, struct hv_word w,
			     struct hv_node *n, struct err *e);

struct hv_node *hv_names_find(const struct hv_names *s, struct hv_word w);
/* Add a node with name and prio; false if that name is there already. */
bool hv_names_add(struct hv_names *s, struct hv_node *n, bool sorted);
void hv_names_drop(struct hv_names *s, struct hv_node *n);

/* ---- the tree (tree.c) ---------------------------------------------------- */

/* A security descriptor, shared by all keys that have it (sd.c). */
struct hv_sd {
	struct hv_sd *chain;	/* in the hive's table */
	uint64_t hash;
	const uint8_t *at;
	uint32_t len;
	uint32_t cell, count;	/* scratch for the writer */
	struct hv_sd *written;	/* likewise: the next one written */
};

struct hv_sds {
	struct hv_sd **at;
	size_t cap, count;	/* cap: a power of two */
	uint64_t seed;
};

struct hv_value {
	struct hv_node node;
	const uint8_t *data;
	uint32_t len, type;
	uint16_t flags, spare;	/* flags but LATIN1, which the name decides */
};

struct hv_key {
	struct hv_node node;
	struct hv_hive *hive;
	struct hv_key *parent;
	struct hv_names subs, values;
	const uint8_t *cls;
	struct hv_sd *sd;
	uint64_t time;
	uint32_t access;	/* bytes 12 to 15: access and layered bits */
	uint32_t handle;	/* of a predefined key */
	uint16_t flags;		/* but LATIN1, which the name decides */
	uint16_t virt;		/* bytes 54 and 55, kept as they are */
	uint16_t cls_len;
};

struct hv_hive {
	char *name;		/* for messages */
	uint8_t *image;		/* replayed; names and data point into it */
	size_t len;		/* base block and bins */
	struct hv_arena arena;
	struct hv_key *root;
	struct hv_sds sds;
	struct hv_facts facts;
	uint64_t clock;		/* 0: now */
	uint64_t seed;		/* for prio */
	uint32_t seq_max;	/* of all sequence numbers seen */
	bool changed;
	bool discard;		/* a stale hive may be written */
};

MUST_CHECK struct hv_hive *hv_hive_new(const char *name, struct err *e);
uint32_t hv_prio(struct hv_hive *h);
uint64_t hv_now(const struct hv_hive *h);

static inline struct hv_key *
hv_as_key(struct hv_node *n)
{
	return (struct hv_key *)n;
}

static inline struct hv_value *
hv_as_value(struct hv_node *n)
{
	return (struct hv_value *)n;
}

/* The one object for these bytes, which must outlive the hive's tree; with
 * `copy` they are copied if they are new. */
MUST_CHECK struct hv_sd *hv_sd_intern(struct hv_hive *h, const uint8_t *at,
				      size_t len, bool copy, struct err *e);
/* NULL, or what is wrong with a self-relative descriptor. */
const char *hv_sd_wrong(const uint8_t *at, size_t len);

/* ---- from bytes to the tree (parse.c) ------------------------------------- */

/*
 * Load h->image (h->len bytes) into the empty tree of h.  Every rule broken is
 * told to `fault`, which returns -1 with *e set to end the load; what breaks a
 * rule that is not healed is then left out.
 */
MUST_CHECK int hv_parse(struct hv_hive *h, hv_fault_fn *fault, void *ctx,
			struct err *e);

/* The base block's fields that decide how to go on. */
struct hv_base {
	bool regf;		/* has the signature */
	bool valid;		/* and checksum, version and format fit */
	uint32_t seq1, seq2, major, minor, type, format, root, size, cluster;
	uint32_t flags;
	uint64_t time;
};
struct hv_base hv_base_read(const uint8_t *at, size_t len);
/* Of HV_SECTOR bytes: the checksum, and before its two special cases. */
uint32_t hv_base_sum(const uint8_t *at);
uint32_t hv_base_xor(const uint8_t *at);

/* ---- logs (replay.c) ------------------------------------------------------ */

enum hv_state {
	HV_WAS_CLEAN,
	HV_WHOLE,		/* all that the logs held is there */
	HV_PARTLY,		/* some of it is */
	HV_RAW,			/* nothing: as the hive lay */
};

/* A hive after its logs, or without them. */
struct hv_recovery {
	enum hv_state state;
	uint8_t *image;		/* owned: base block and bins, marked clean */
	size_t len, cap;
	uint32_t seq_max;
	char lost[512];		/* PARTLY, RAW: what, and why */
};
#define HV_RECOVERY_SCOPED SCOPED(hv_recovery_done)
void hv_recovery_done(const struct hv_recovery *r);

/* Replay what can be replayed, as Windows does; see docs/FORMAT.md. */
MUST_CHECK int hv_replay(const void *image, size_t len,
			 const struct hv_log *logs, size_t log_count,
			 struct hv_recovery *ret, struct hv_facts *facts,
			 struct err *e);

/* Marvin32 of bytes whose length is a multiple of 4. */
uint64_t hv_marvin(const uint8_t *at, size_t len);

/* ---- comparing (compare.c, second.c) --------------------------------------- */

/* ERR_CORRUPT that names the first difference between two hives, in anything a
 * hive holds. */
MUST_CHECK int hv_compare(const struct hv_hive *a, const struct hv_hive *b,
			  struct err *e);

/* Walk the bytes of a hive with libhivex beside the tree; what it cannot read is
 * counted. */
MUST_CHECK int hv_second_read(const struct hv_hive *h, const void *image,
			      size_t len, uint64_t *ret_unread, struct err *e);

/* Parse bytes that this room wrote, refuse any fault, compare with the tree. */
MUST_CHECK int hv_prove(const struct hv_hive *h, uint8_t *image, size_t len,
			struct err *e);

#endif /* HIVE_HIVE_PRIVATE_H */
