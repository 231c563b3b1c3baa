/* replay.c - what a dirty hive lacks, from its transaction logs
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which log applies, and in what order, decides between a whole and a broken
 * hive; the rules are in docs/FORMAT.md, "Replay".
 */
#include "hive/log-private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

void
hv_recovery_done(const struct hv_recovery *r)
{
	free(r->image);
}

int32_t
hv_serial_cmp(uint32_t a, uint32_t b)
{
	return (int32_t)(uint32_t)((((uint64_t)1 << 32) + a - b) & 0xffffffff);
}

uint32_t
hv_serial_next(uint32_t a)
{
	return a == UINT32_MAX ? 0 : a + 1;
}

static void
seen(struct hv_recovery *r, uint32_t seq)
{
	if (hv_serial_cmp(seq, r->seq_max) > 0)
		r->seq_max = seq;
}

int
hv_recovery_grow(struct hv_recovery *r, size_t len, struct err *e)
{
	if (mem_grow(&r->image, &r->cap, len, 1, e) < 0)
		return -1;
	if (len > r->len)
		r->len = len;
	return 0;
}

static bool
is_empty(const uint8_t *at)
{
	for (size_t i = 0; i < HV_SECTOR; i++)
		if (at[i] != 0)
			return false;
	return true;
}

static enum hv_log_kind
kind_of(const struct hv_log *log, const struct hv_base *b)
{
	struct cur c = cur_over("log", log->at, log->len);

	(void)cur_sub(&c, HV_SECTOR);
	if (!cur_ok(&c) || is_empty(log->at))
		return HV_LOG_ABSENT;
	if (!b->valid)
		return HV_LOG_INVALID;
	if (b->seq1 != b->seq2)
		return HV_LOG_TORN;
	if (b->type == 6)
		return HV_LOG_HVLE;
	cur_magic(&c, "DIRT", 4);
	return (b->type == 1 || b->type == 2) && b->cluster == 1 && cur_ok(&c) ?
		HV_LOG_DIRT : HV_LOG_INVALID;
}

/* ---- the header --------------------------------------------------------------- */

/* Mark the image as clean: both sequence numbers, sizes, checksum. */
static void
seal(struct hv_recovery *r, uint32_t size, uint32_t seq)
{
	num_put_u32le(r->image + 4, seq);
	num_put_u32le(r->image + 8, seq);
	num_put_u32le(r->image + 28, 0);
	num_put_u32le(r->image + 40, size);
	num_put_u32le(r->image + 508, hv_base_sum(r->image));
	r->len = HV_BASE_BYTES + (size_t)size;
	seen(r, seq);
}

/* The first sector of a log stands in for that of a primary that lost it. */
static int
adopt_header(struct hv_recovery *r, const struct hv_log *log, struct err *e)
{
	if (hv_recovery_grow(r, HV_BASE_BYTES, e) < 0)
		return -1;
	memcpy(r->image, log->at, HV_SECTOR);
	return 0;
}

/* ---- new logs ------------------------------------------------------------------- */

static int
by_sequence(const void *a, const void *b)
{
	const struct hv_log_file *x = a, *y = b;
	int32_t d = hv_serial_cmp(x->base.seq1, y->base.seq1);

	return d < 0 ? -1 : d > 0;
}

/* What stopped the replay before all was applied. */
static void
lose(struct hv_recovery *r, const struct hv_logs_read *l, const char *log,
     uint32_t first, const char *what)
{
	uint32_t last = hv_hvle_last(l, first);
	char quoted[128];

	(void)snprintf(r->lost, sizeof(r->lost),
		       "%s: entry %" PRIu32 " %s: entries %" PRIu32
		       " to %" PRIu32 " are lost",
		       err_quote(quoted, sizeof(quoted), log, strlen(log)),
		       first, what, first, last);
}

/* Apply the entries of one log, whose first is `*seq`; *seq becomes the next. */
static int
apply_entries(struct hv_recovery *r, const struct hv_logs_read *l,
	      const struct hv_log_file *log, struct hv_applied *a,
	      struct err *e)
{
	struct cur c = cur_over("log", log->from->at, log->from->len);

	(void)cur_sub(&c, HV_SECTOR);
	for (;;) {
		struct hv_entry entry;
		uint32_t want = a->any ? hv_serial_next(a->last) :
					 log->base.seq1;
		int got = hv_entry_read(&c, want, l->bins_max, &entry);

		if (got == 0)
			return 1;
		if (got < 0) {
			lose(r, l, log->from->name, want, "is damaged");
			return 0;
		}
		if (hv_recovery_grow(r, HV_BASE_BYTES + (size_t)entry.bins,
				     e) < 0)
			return -1;
		hv_entry_apply(&entry, r->image + HV_BASE_BYTES);
		if (!a->any)
			a->first = entry.seq;
		a->any = true;
		a->last = entry.seq;
		a->flags = entry.flags;
		a->bins = entry.bins;
		a->count++;
	}
}

/* Apply the logs in order.  1 all, 0 with r->lost, -1. */
static int
apply_logs(struct hv_recovery *r, struct hv_logs_read *l, struct hv_applied *a,
	   struct err *e)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct hv_log_file *log = &l->file[i];

		if (log->kind != HV_LOG_HVLE)
			continue;
		if (l->primary.valid &&
		    hv_serial_cmp(log->base.seq1, l->primary.seq2) < 0)
			continue;	/* of an older round */
		if (a->any && log->base.seq1 != hv_serial_next(a->last)) {
			lose(r, l, log->from->name, hv_serial_next(a->last),
			     "is missing");
			return 0;
		}
		int all = apply_entries(r, l, log, a, e);
		if (all <= 0)
			return all;
	}
	return 1;
}

/* Without the header's sequence number: the newest log, and those whose entries
 * lead up to it without a gap.  Entries that the hive already had do no harm, as
 * all that came after them comes again. */
static void
keep_last_chain(struct hv_logs_read *l)
{
	struct hv_log_file *next = NULL;

	for (size_t i = l->count; i > 0; i--) {
		struct hv_log_file *f = &l->file[i - 1];

		if (f->kind != HV_LOG_HVLE)
			continue;
		if (next != NULL && hv_hvle_end(f) != next->base.seq1)
			f->kind = HV_LOG_INVALID;
		else
			next = f;
	}
}

static int
replay_hvle(struct hv_recovery *r, struct hv_logs_read *l,
	    struct hv_facts *facts, struct err *e)
{
	struct hv_applied a = { .any = false };

	mem_sort(l->file, l->count, sizeof(*l->file), by_sequence);
	if (!l->primary.valid)
		keep_last_chain(l);
	int all = apply_logs(r, l, &a, e);
	if (all < 0 || !a.any)
		return all < 0 ? -1 : 0;
	for (size_t i = 0; i < l->count && !l->primary.valid; i++)
		if (l->file[i].kind == HV_LOG_HVLE &&
		    adopt_header(r, l->file[i].from, e) < 0)
			return -1;
	facts->replayed = HV_REPLAYED_HVLE;
	facts->first = a.first;
	facts->last = a.last;
	facts->applied = a.count;
	facts->partial = l->primary.valid && a.first != l->primary.seq2;
	r->image[144] = (uint8_t)((r->image[144] & ~1u) | (a.flags & 1));
	seal(r, a.bins, hv_serial_next(a.last));
	r->state = all > 0 ? HV_WHOLE : HV_PARTLY;
	return 1;
}

/* ---- old logs ------------------------------------------------------------------- */

static int
replay_dirt(struct hv_recovery *r, const struct hv_logs_read *l,
	    struct hv_facts *facts, struct err *e)
{
	const struct hv_log_file *log = hv_dirt_choose(l, r->image, r->len);
	struct hv_dirt d;

	if (log == NULL)
		return 0;
	if (!hv_dirt_read(log, &d) || log->base.size > l->bins_max) {
		char quoted[128];

		(void)snprintf(r->lost, sizeof(r->lost), "%s: log is cut: the "
			       "changes it held are lost",
			       err_quote(quoted, sizeof(quoted),
					 log->from->name,
					 strlen(log->from->name)));
		return 0;
	}
	if (hv_recovery_grow(r, HV_BASE_BYTES + (size_t)log->base.size, e) < 0)
		return -1;
	facts->applied = hv_dirt_apply(&d, r->image + HV_BASE_BYTES);
	facts->replayed = HV_REPLAYED_DIRT;
	if (!l->primary.valid && adopt_header(r, log->from, e) < 0)
		return -1;
	uint32_t seq = log->base.seq1;
	if (l->primary.valid && hv_serial_cmp(l->primary.seq1, seq) > 0)
		seq = l->primary.seq1;
	seal(r, log->base.size, hv_serial_next(seq));
	r->state = HV_WHOLE;
	return 1;
}

/* ---- all of it ------------------------------------------------------------------ */

/* The hive as it lies, but marked clean. */
static void
keep_raw(struct hv_recovery *r, const struct hv_logs_read *l)
{
	if (r->lost[0] == '\0')
		(void)snprintf(r->lost, sizeof(r->lost), "no log fits (%s): what "
			       "was written after sequence %" PRIu32 " is lost",
			       l->count == 0 ? "there is none" : l->kinds,
			       l->primary.seq2);
	if (l->primary.valid &&
	    num_in_range(HV_BASE_BYTES, l->primary.size, r->len))
		seal(r, l->primary.size, hv_serial_next(r->seq_max));
	r->state = HV_RAW;
}

/* Every sequence number that a log mentions. */
static void
note_sequences(struct hv_recovery *r, const struct hv_logs_read *l,
	       struct hv_facts *facts)
{
	r->seq_max = l->primary.seq1;
	seen(r, l->primary.seq2);
	for (size_t i = 0; i < l->count; i++) {
		const struct hv_log_file *log = &l->file[i];

		if (log->base.valid) {
			seen(r, log->base.seq1);
			seen(r, log->base.seq2);
		}
	}
	uint32_t last = hv_hvle_last(l, r->seq_max);
	facts->log_ahead = !facts->dirty && l->primary.valid &&
			   hv_hvle_holds(l, l->primary.seq2);
	seen(r, last);
}

static int
read_logs(struct hv_logs_read *l, const struct hv_log *logs, size_t count,
	  size_t len, struct err *e)
{
	uint64_t room = len;

	l->file = mem_array(count, sizeof(*l->file), e);
	if (l->file == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct hv_log_file f = {
			.from = &logs[i],
			.base = hv_base_read(logs[i].at, logs[i].len),
		};

		f.kind = kind_of(&logs[i], &f.base);
		if (f.kind == HV_LOG_ABSENT)
			continue;
		l->file[l->count++] = f;
		room = room > UINT64_MAX - logs[i].len ? room :
			room + logs[i].len;
		l->kinds = f.kind == HV_LOG_TORN ? "its log is torn" :
			   f.kind == HV_LOG_INVALID ? "its log is damaged" :
			   "its log is of another state of the hive";
	}
	/* Each page of a hive that grew must be in a log. */
	l->bins_max = (uint32_t)num_min(room, HV_SIZE_MAX);
	return 0;
}

static void
logs_done(const struct hv_logs_read *l)
{
	free(l->file);
}

int
hv_replay(const void *image, size_t len, const struct hv_log *logs,
	  size_t log_count, struct hv_recovery *ret, struct hv_facts *facts,
	  struct err *e)
{
	HV_RECOVERY_SCOPED struct hv_recovery r = { .image = NULL };
	SCOPED(logs_done) struct hv_logs_read l = {
		.primary = hv_base_read(image, len),
	};

	r.image = mem_array(len, 1, e);
	if (r.image == NULL || read_logs(&l, logs, log_count, len, e) < 0)
		return -1;
	r.len = r.cap = len;
	if (len > 0)
		memcpy(r.image, image, len);
	facts->seq1 = l.primary.seq1;
	facts->seq2 = l.primary.seq2;
	facts->header_lost = !l.primary.valid;
	facts->dirty = !l.primary.valid || l.primary.seq1 != l.primary.seq2;
	note_sequences(&r, &l, facts);
	if (facts->dirty) {
		int done = replay_hvle(&r, &l, facts, e);

		if (done == 0 && r.lost[0] == '\0')
			done = replay_dirt(&r, &l, facts, e);
		if (done < 0)
			return -1;
		if (done == 0)
			keep_raw(&r, &l);
	} else if (num_in_range(HV_BASE_BYTES, l.primary.size, r.len)) {
		r.len = HV_BASE_BYTES + (size_t)l.primary.size;
	}
	*ret = TAKE(r);
	return 0;
}
