/* logdir.h - the folder with a disk's logs, and the logs as open files
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DISK_LOGDIR_H
#define DISK_LOGDIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "disk/log.h"

struct err;

/* A log's name: what it is called now. */
struct dk_log_name {
	uint64_t number;
	enum dk_tx_state state;
};

struct dk_log_names {
	size_t count, cap;
	struct dk_log_name *at;	/* owned; oldest first */
};

#define DK_LOG_NAMES_EMPTY { .at = NULL }
#define DK_LOG_NAMES_SCOPED SCOPED(dk_log_names_done)

/* A folder that is not there has no logs. */
MUST_CHECK int dk_log_names(const char *dir, struct dk_log_names *ret,
			    struct err *e);
void dk_log_names_done(struct dk_log_names *n);

/* Where a log of that name is; the caller frees it. */
MUST_CHECK char *dk_log_path(const char *dir, struct dk_log_name name,
			     struct err *e);

/* Rename a log and make that last. */
MUST_CHECK int dk_log_turn(const char *dir, struct dk_log_name name,
			   enum dk_tx_state to, struct err *e);
MUST_CHECK int dk_log_remove(const char *dir, struct dk_log_name name,
			     struct err *e);

/* Remove what an interrupted commit left before its log was whole. */
void dk_log_sweep(const char *dir);

struct dk_log_file {
	int fd;			/* -1 when closed */
	char *path;
	struct dk_log log;
};

#define DK_LOG_FILE_EMPTY { .fd = -1 }
#define DK_LOG_FILE_SCOPED SCOPED(dk_log_file_done)

MUST_CHECK int dk_log_file_open(const char *dir, struct dk_log_name name,
				struct dk_log_file *ret, struct err *e);
void dk_log_file_done(struct dk_log_file *f);

#endif /* DISK_LOGDIR_H */
