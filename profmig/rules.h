/* rules.h - what belongs to a person's profile, as data: halcyon-rules(5)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One YAML file a component.  A rule is an allow-list: what no rule names is
 * not carried over, and the report says so.  Of several entries that name one
 * registry value or one file the most specific counts: the longer path, then
 * an entry that names the value, then the later file name.
 */
#ifndef PROFMIG_RULES_H
#define PROFMIG_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "windows/windows.h"

struct err;

enum {
	PM_RULES_MAX = 1024,		/* files */
	PM_ENTRIES_MAX = 4096,		/* of one file */
};

struct pm_words {
	size_t count;
	char **at;		/* owned */
};

/* What happens with a registry value. */
enum pm_do {
	PM_DROP,		/* stays behind, for the reason given */
	PM_COPY,		/* as it is */
	PM_REWRITE,		/* with old paths made new */
	PM_IF_EXISTS,		/* likewise, if the file it names is there */
	PM_LOW_DWORD,		/* first four bytes; the rest is the target's */
	PM_TASKBAR,		/* StuckRects: edge and flags only */
	PM_SHELL_STATE,		/* the user's bits of ShellState */
	PM_CABINET,		/* CabinetState: the full-path flag */
	PM_OR,			/* bits of source and target together */
	PM_PATH_LIST,		/* PATH: what is new is appended */
	PM_LOCALE,		/* also what newer Windows derives from Locale */
	PM_WALLPAPER,		/* the picture comes along */
	PM_CONNECTIONS,		/* proxy blob, in the target's version */
	PM_REDIRECT,		/* a folder, if it leads to a server */
	PM_BLOB,		/* binary data with paths in it */
	PM_MAPI,		/* likewise, by MAPI's property types */
	PM_LAYOUT,		/* a keyboard layout, if the target has it */
	PM_PRINTER,		/* the default printer, if it is a server's */
	PM_DO_COUNT
};

struct pm_registry {
	unsigned line;		/* in the rule's file */
	char *key, *to_key;	/* below HKCU */
	bool below;		/* and all keys below */
	struct pm_words keys;	/* last names of keys; none: all */
	struct pm_words values;	/* none: all */
	struct pm_words except;	/* values, or first components below the key */
	char *to_value;		/* another name there, or NULL */
	enum pm_do how;
	char *why;		/* for what is dropped or changed, or NULL */
};

/* For whom a rule is: what is sealed to an account opens only with the same. */
enum pm_account { PM_ANY_ACCOUNT, PM_SAME_ACCOUNT, PM_OTHER_ACCOUNT };

/* Where files lie: a known folder, or one of two more. */
enum { PM_PROFILE = WN_FOLDERS, PM_PUBLIC, PM_PLACES };

/* When the target has a file of that name with other content. */
enum pm_conflict {
	PM_BOTH,		/* the source's gets a name of its own */
	PM_KEEP_TARGET, PM_TAKE_SOURCE, PM_TAKE_NEWER,
};

/* What happens to the bytes of a file. */
enum pm_content {
	PM_AS_IS,
	PM_TEXT,		/* old paths in it made new */
	PM_LINKS,		/* shell links: rewritten, and only if the
				 * target is there */
};

struct pm_files {
	unsigned line;
	unsigned place, to_place;	/* enum wn_folder, or PM_PROFILE... */
	char *path, *to_path;		/* below it, "" for all of it */
	char *to_name;			/* another name there, or NULL */
	struct pm_words only;	/* patterns of last components; none: all */
	struct pm_words except;	/* patterns, of a component or of a path */
	bool drop;		/* what this names stays behind */
	enum pm_conflict conflict;
	enum pm_content content;
	char *why;
};

struct pm_rule {
	char *name;		/* "mouse" */
	char *about;		/* one line */
	char *usmt;		/* the row of USMT's list it answers, or NULL */
	char *file;		/* where it was read */
	enum pm_account account;
	unsigned from, to;	/* sets of 1 << enum wn_generation */
	size_t registries, files;
	struct pm_registry *registry;
	struct pm_files *file_set;
};

struct pm_rules {
	size_t count, cap;
	struct pm_rule *at;	/* owned; by file name */
};

#define PM_RULES_EMPTY { .at = NULL }
#define PM_RULES_SCOPED SCOPED(pm_rules_done)
void pm_rules_done(struct pm_rules *r);

/* One rule from text; `file` is for messages. */
MUST_CHECK int pm_rules_add(struct pm_rules *r, const char *file,
			    const void *text, size_t len, struct err *e);

/* The rules that ship, then those of each directory (*.yaml by name).  A rule
 * of the same name as an earlier one replaces it. */
MUST_CHECK int pm_rules_load(struct pm_rules *r, const char *const *dirs,
			     size_t count, struct err *e);

const char *pm_do_name(enum pm_do how);
const char *pm_place_name(unsigned place);

/* A pattern with * and ? against a name, without case. */
bool pm_pattern(const char *pattern, const char *name);

#endif /* PROFMIG_RULES_H */
