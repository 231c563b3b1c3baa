/* proc.h - other programs, run with a time limit and without a shell
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"

struct buf;
struct err;

/*
 * Run argv (found on PATH, ends with NULL) with `in[0..in_len)` as standard
 * input (NULL: /dev/null), collect standard output into *out (at most out_max
 * bytes) and the last of standard error into the message of a failure.  After
 * timeout_ms the whole process group is killed.  *ret_status is the exit
 * status, or 128 + signal.  -1 only when it could not be run, ran out of time
 * or said too much; ERR_UNSUPPORTED when the program is not installed.
 */
MUST_CHECK int proc_run(const char *const *argv, const void *in, size_t in_len,
			struct buf *out, size_t out_max, unsigned timeout_ms,
			int *ret_status, struct err *e);

/* As proc_run, and any status but 0 is ERR_SYSTEM with the program's last words. */
MUST_CHECK int proc_must(const char *const *argv, const void *in, size_t in_len,
			 struct buf *out, size_t out_max, unsigned timeout_ms,
			 struct err *e);

/*
 * As proc_must, for a program that works on one open file, which it calls
 * PROC_FILE, and whose bytes nobody vouches for: it is shut in by
 * sandbox_one_file(), and env is its whole environment.  What it says is dropped.
 */
#define PROC_FILE "/proc/self/fd/3"
MUST_CHECK int proc_on_file(const char *const *argv, const char *const *env,
			    int fd, const void *in, size_t in_len,
			    unsigned timeout_ms, struct err *e);

/* Is there such a program on PATH? */
bool proc_found(const char *program);

#endif /* BASE_PROC_H */
