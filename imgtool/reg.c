/* reg.c - see reg.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "imgtool/reg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"

enum { TEXT_MAX = 1 << 30 };

void
reg_done(struct reg *r)
{
	hv_free(&r->hive);
	free(r->key);
	*r = (struct reg){ .operand = NULL };
}

/* What a user should know of the state in which the hive was found. */
static void
tell_facts(const char *name, const struct hv_facts *f)
{
	if (f->stale[0] != '\0')
		log_warn("%s: read as it lies, and may be stale: %s", name,
			 f->stale);
	else if (f->replayed == HV_REPLAYED_HVLE)
		log_note("%s: was dirty; entries %" PRIu32 " to %" PRIu32 " of its "
			 "logs saved %" PRIu64 " keys and %" PRIu64 " values",
			 name, f->first, f->last, f->keys_saved,
			 f->values_saved);
	else if (f->replayed == HV_REPLAYED_DIRT)
		log_note("%s: was dirty; %" PRIu32 " sectors of its log saved %"
			 PRIu64 " keys and %" PRIu64 " values", name, f->applied,
			 f->keys_saved, f->values_saved);
	if (f->log_ahead)
		log_warn("%s: is clean, but its logs hold newer entries: a program "
			 "marked it clean without replaying them", name);
	if (f->newer_blf)
		log_warn("%s: a transaction manager's log is newer than the hive: "
			 "Windows may undo changes when it starts", name);
}

int
reg_open(const struct cli_args *a, const char *key, enum hv_logs how,
	 struct reg *ret, struct err *e)
{
	REG_SCOPED struct reg r = { .operand = a->at[0] };

	r.hive = hv_load(r.operand, how, e);
	if (r.hive == NULL)
		return -1;
	tell_facts(r.operand, hv_facts(r.hive));
	r.key = mem_str(key + (key[0] == '\\'), e);
	if (r.key == NULL)
		return -1;
	*ret = TAKE(r);
	return 0;
}

struct hv_key *
reg_key(const struct reg *r, struct err *e)
{
	struct hv_key *k = hv_find(hv_root(r->hive), r->key);
	char quoted[512];

	if (k == NULL)
		(void)err_set(e, ERR_NO, "%s: there is no key %s", r->operand,
			      err_quote(quoted, sizeof(quoted), r->key,
					strlen(r->key)));
	return k;
}

int
reg_commit(const struct cli_args *a, struct reg *r, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (!hv_changed(r->hive) && !hv_facts(r->hive)->dirty)
		return 0;
	if (a->dry_run)
		return hv_serialize(r->hive, &b, e);
	return hv_save(r->hive, r->operand, e);
}

int
reg_read_text(const char *path, struct buf *ret, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (strcmp(path, "-") != 0) {
		if (io_slurp(path, TEXT_MAX, &b.at, &b.len, e) < 0)
			return -1;
		b.cap = b.len;
		*ret = TAKE(b);
		return 0;
	}
	while (!feof(stdin)) {
		char part[4096];
		size_t n = fread(part, 1, sizeof(part), stdin);

		if (ferror(stdin))
			return err_sys(e, "standard input");
		if (b.len + n > TEXT_MAX)
			return err_set(e, ERR_USAGE, "standard input is too long");
		buf_bytes(&b, part, n);
	}
	if (buf_ok(&b, e) < 0)
		return -1;
	*ret = TAKE(b);
	return 0;
}
