/* err.h - what went wrong, in words a user can act on
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A fallible function takes `struct err *e` as its last parameter and returns
 * 0 or -1 (or a pointer or NULL).  It never prints and never exits; only
 * main() turns an error into a message and an exit status.
 *
 * The object lives on the caller's stack and owns no memory, so an error can
 * always be reported, also the error that memory has run out.
 *
 * The first failure wins: setting an error that is already set changes
 * nothing, so a failing cleanup cannot hide the reason for the cleanup.
 * Every setter returns -1, so that `return err_set(e, ...)` reads as one act.
 *
 * A message names the object first, then what is wrong with it, then, where
 * there is one, the command to type next: "c.img: volume is hibernated; start
 * Windows and shut it down, or add --force".
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

#include "base/attr.h"

enum err_kind {
	ERR_NONE = 0,
	ERR_SYSTEM,		/* a system call failed; .os is its errno */
	ERR_NOMEM,		/* an allocation failed */
	ERR_USAGE,		/* the caller asked for something meaningless */
	ERR_UNSUPPORTED,	/* well formed, but beyond this version */
	ERR_CORRUPT,		/* the bytes break the format */
	ERR_AUTH,		/* not authentic, wrong key or recipient, expired */
	ERR_UNSAFE,		/* going on could lose something */
	ERR_PARTIAL,		/* a batch finished, some of it failed */
	ERR_NO,			/* the question was answered: no */
	ERR_INTERRUPTED,	/* the user asked to stop */
};

struct err {
	enum err_kind kind;
	int os;			/* errno for ERR_SYSTEM, else 0 */
	char msg[1024];		/* one phrase: no newline, no full stop */
};

#define ERR_INIT { .kind = ERR_NONE }

/* Set the error from a format.  Returns -1. */
COLD PRINTF(3, 4) int err_set(struct err *e, enum err_kind kind,
			      const char *fmt, ...);

/* Set ERR_SYSTEM from errno and add strerror().  Returns -1. */
COLD PRINTF(2, 3) int err_sys(struct err *e, const char *fmt, ...);

/* Put "context: " before the message.  Returns -1. */
COLD PRINTF(2, 3) int err_ctx(struct err *e, const char *fmt, ...);

/* Put `text` into a message with unprintable and non-ASCII bytes escaped as
 * \xNN (so is a backslash before an x; others stay, for paths must be readable):
 * names from a guest must not drive the user's terminal.  Returns buf. */
const char *err_quote(char *buf, size_t size, const void *text, size_t len);

/* The exit status that stands for this error (DECISIONS, "Exit status"). */
int err_exit_status(const struct err *e);

#endif /* BASE_ERR_H */
