/* journal.c - see journal.h: inverse plans, and the contents they need
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "change/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "change/change-private.h"
#include "change/target.h"
#include "disk/tx.h"

enum { NUMBER_MAX = 999999, PIECE = 1 << 20 };

char *
cs_journal_dir(const char *disk, const char *state, struct err *e)
{
	SCOPED_FREE char *logs = dk_log_dir(disk, state, e);
	size_t len = logs != NULL ? strlen(logs) : 0;

	if (logs == NULL)
		return NULL;
	if (len > 5 && strcmp(logs + len - 5, ".undo") == 0)
		logs[len - 5] = '\0';
	return mem_fmt(e, "%s.changes", logs);
}

void
cs_target_journal(struct cs_target *t, const char *dir)
{
	t->journal = dir;
}

/* The number of "000007.yaml"; 0 when it is another file. */
static unsigned
number_of(const char *name)
{
	char digits[7] = "";
	uint64_t n;

	if (strlen(name) != 11 || strcmp(name + 6, ".yaml") != 0)
		return 0;
	memcpy(digits, name, 6);
	/* Leading zeros would read as nothing else than decimal here. */
	return num_parse(digits + strspn(digits, "0"), 1, NUMBER_MAX, false,
			 &n) ? (unsigned)n : 0;
}

/* The highest number below `below`; 0 when there is none. */
static int
highest(const char *dir, unsigned below, unsigned *ret, struct err *e)
{
	DIR *d = opendir(dir);
	const struct dirent *at;
	unsigned top = 0;

	if (d == NULL && errno == ENOENT) {
		*ret = 0;
		return 0;
	}
	if (d == NULL)
		return err_sys(e, "%s", dir);
	while ((at = readdir(d)) != NULL) {
		unsigned n = number_of(at->d_name);

		if (n > top && n < below)
			top = n;
	}
	(void)closedir(d);
	*ret = top;
	return 0;
}

static char *
path_of(const char *dir, unsigned number, struct err *e)
{
	return mem_fmt(e, "%s/%06u.yaml", dir, number);
}

int
cs_journal_write(struct cs_target *t, struct cs_plan *inverse, unsigned *ret,
		 struct err *e)
{
	SCOPED_FREE char *path = NULL;
	unsigned last;

	if (cs_sort(inverse, e) < 0)
		return -1;
	for (size_t i = 0; i < inverse->count; i++) {
		struct cs_entry *en = &inverse->at[i];

		if (cs_observe(t, inverse, en, &en->old, e) < 0)
			return -1;
		en->settled = true;
	}
	if (highest(t->journal, NUMBER_MAX, &last, e) < 0)
		return -1;
	path = path_of(t->journal, last + 1, e);
	if (path == NULL || cs_write(inverse, path, e) < 0)
		return -1;
	*ret = last + 1;
	return 0;
}

int
cs_journal_content(const char *dir, const char *name, cs_sink_fn sink,
		   void *arg, struct err *e)
{
	SCOPED_FREE uint8_t *piece = mem_array(PIECE, 1, e);
	SCOPED_FREE char *path = io_join(dir, name, e);
	SCOPED_FD int fd = -1;
	ssize_t n;

	if (piece == NULL || path == NULL)
		return -1;
	if (strchr(name, '/') != NULL)
		return err_set(e, ERR_USAGE, "%s: not a journal's content",
			       name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s", path);
	while ((n = read(fd, piece, PIECE)) > 0)
		if (sink(arg, piece, (size_t)n, e) < 0)
			return -1;
	return n < 0 ? err_sys(e, "%s", path) : 0;
}

/* Was the plan made by this program: is its first word that? */
static bool
made_by(const struct cs_plan *p, const char *program)
{
	size_t len = strlen(program);

	return strncmp(p->made_by, program, len) == 0 &&
	       (p->made_by[len] == ' ' || p->made_by[len] == '\0');
}

int
cs_journal_last(const char *dir, const char *program, unsigned *ret,
		struct cs_plan **ret_plan, struct err *e)
{
	unsigned n = NUMBER_MAX + 1;

	for (;;) {
		CS_PLAN_SCOPED struct cs_plan *p = NULL;
		SCOPED_FREE char *path = NULL;

		if (highest(dir, n, &n, e) < 0)
			return -1;
		if (n == 0)
			return 0;
		path = path_of(dir, n, e);
		p = path != NULL ? cs_read(path, e) : NULL;
		if (p == NULL)
			return -1;
		if (!made_by(p, program))
			continue;
		*ret = n;
		*ret_plan = TAKE(p);
		return 1;
	}
}

static char *
account_of(const char *dir, unsigned number, struct err *e)
{
	return mem_fmt(e, "%s/%06u.account", dir, number);
}

int
cs_journal_tell(const char *dir, unsigned number, const void *text,
		size_t len, struct err *e)
{
	SCOPED_FREE char *path = account_of(dir, number, e);

	return path == NULL ? -1 : io_put(path, text, len, 0600, e);
}

int
cs_journal_told(const char *dir, unsigned *number, uint8_t **ret,
		size_t *ret_len, struct err *e)
{
	unsigned n = *number;

	for (;;) {
		SCOPED_FREE char *path = NULL;

		if (highest(dir, n, &n, e) < 0)
			return -1;
		if (n == 0)
			return 0;
		path = account_of(dir, n, e);
		if (path == NULL)
			return -1;
		if (access(path, F_OK) != 0)
			continue;
		if (io_slurp(path, CS_ACCOUNT_MAX, ret, ret_len, e) < 0)
			return -1;
		*number = n;
		return 1;
	}
}

/* Does any journal but this one need the content? */
static int
needed(const char *dir, unsigned but, const char *name, struct err *e)
{
	unsigned n = NUMBER_MAX + 1;

	for (;;) {
		CS_PLAN_SCOPED struct cs_plan *p = NULL;
		SCOPED_FREE char *path = NULL;

		if (highest(dir, n, &n, e) < 0)
			return -1;
		if (n == 0)
			return 0;
		if (n == but)
			continue;
		path = path_of(dir, n, e);
		p = path != NULL ? cs_read(path, e) : NULL;
		if (p == NULL)
			return -1;
		for (size_t i = 0; i < p->count; i++)
			if (p->at[i].want.have == CS_FROM &&
			    strcmp(p->at[i].want.path, name) == 0)
				return 1;
	}
}

int
cs_journal_drop(const char *dir, unsigned number, struct err *e)
{
	SCOPED_FREE char *path = path_of(dir, number, e);
	SCOPED_FREE char *account = account_of(dir, number, e);
	CS_PLAN_SCOPED struct cs_plan *p = path != NULL ? cs_read(path, e) :
					   NULL;

	if (p == NULL || account == NULL)
		return -1;
	if (unlink(path) < 0)
		return err_sys(e, "%s", path);
	(void)unlink(account);		/* not every program has one */
	for (size_t i = 0; i < p->count; i++) {
		const struct cs_side *want = &p->at[i].want;
		SCOPED_FREE char *content = NULL;
		int r;

		if (want->have != CS_FROM)
			continue;
		r = needed(dir, number, want->path, e);
		if (r < 0)
			return -1;
		content = io_join(dir, want->path, e);
		if (content == NULL)
			return -1;
		if (r == 0)
			(void)unlink(content);	/* two entries may share it */
	}
	(void)rmdir(dir);		/* only an empty one goes */
	return 0;
}
