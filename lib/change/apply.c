/* apply.c - see apply.h: a plan into an image, whole or not at all
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "change/apply.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "change/change-private.h"
#include "change/journal.h"
#include "change/target.h"
#include "disk/disk.h"

/* What an entry's thing was found to be, before anything is written. */
struct survey {
	size_t todos, kept;
	const struct cs_plan *plan;
	bool *todo;
	bool lenient;		/* what changed since stays */
	cs_finding_fn fn;	/* hears of that */
	void *arg;
};

static int
refuse(const struct cs_entry *en, struct err *e)
{
	SCOPED_FREE char *name = cs_entry_name(en, e);
	char quoted[256];

	if (name == NULL)
		return -1;
	return err_set(e, ERR_UNSAFE, "%s: is not as it was when the plan was "
		       "made; make a new plan",
		       err_quote(quoted, sizeof(quoted), name, strlen(name)));
}

static int
note_open(void *arg, const struct cs_entry *en, enum cs_finding found,
	  struct err *e)
{
	struct survey *s = arg;

	if (!en->settled)
		return err_set(e, ERR_USAGE, "the plan was never compared with "
			       "an image; make it again");
	if (found == CS_FOUND_OTHER && !s->lenient)
		return refuse(en, e);
	if (found == CS_FOUND_OTHER) {
		s->kept++;
		return s->fn == NULL ? 0 : s->fn(s->arg, en, found, e);
	}
	s->todo[en - s->plan->at] = true;
	s->todos++;
	return 0;
}

/* Every volume that is to change can be written. */
static int
check_writable(struct cs_plan *p, struct cs_target *t, const bool *todo,
	       struct err *e)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct wn_volume *v;

		if (!todo[i])
			continue;
		v = cs_find_volume(t, p->volume[p->at[i].volume].serial, e);
		if (v == NULL)
			return -1;
		if (!t->write)
			return err_set(e, ERR_USAGE, "%s: opened for reading",
				       t->disk->name);
		if (!v->writable)
			return err_set(e, ERR_UNSAFE, "%s", v->why != NULL ?
				       v->why : "a volume cannot be written");
	}
	return 0;
}

/* Deletions run backwards, so that what is below a folder or key goes first.
 * A link needs the file it is linked with, streams and security may hang on a
 * link, and metadata comes last, since everything else changes times. */
enum pass { PASS_REMOVE, PASS_MAKE, PASS_LINK, PASS_DRESS, PASS_META, PASSES };

static enum pass
pass_of(const struct cs_entry *en)
{
	if (en->want.have == CS_ABSENT)
		return PASS_REMOVE;
	switch ((int)en->kind) {
	case CS_LINK:
		return PASS_LINK;
	case CS_STREAM:
	case CS_REPARSE:
	case CS_SECURITY:
		return PASS_DRESS;
	case CS_META:
		return PASS_META;
	default:
		return PASS_MAKE;
	}
}

static int
do_one(struct cs_plan *p, size_t i, struct cs_target *t, struct err *e)
{
	const struct cs_entry *en = &p->at[i];
	struct err none = ERR_INIT;
	int r;

	if (stop_check(e) < 0)
		return -1;
	r = cs_in_hive(en->kind) ? cs_do_hive(t, p, en, e) :
	    cs_do_file(t, p, en, e);
	if (r < 0) {
		SCOPED_FREE char *name = cs_entry_name(en, &none);

		return err_ctx(e, "rule %s: %s", en->rule,
			       name != NULL ? name : "?");
	}
	return 0;
}

static int
do_all(struct cs_plan *p, struct cs_target *t, const bool *todo,
       struct err *e)
{
	PROGRESS_SCOPED struct progress bar = { .what = NULL };

	progress_begin(&bar, "apply", false, p->count);
	for (int pass = 0; pass < PASSES; pass++) {
		for (size_t n = 0; n < p->count; n++) {
			size_t i = pass == PASS_REMOVE ? p->count - 1 - n : n;

			if (!todo[i] || p->at[i].kind == CS_BYTES ||
			    (int)pass_of(&p->at[i]) != pass)
				continue;
			if (do_one(p, i, t, e) < 0)
				return -1;
			progress_add(&bar, 1);
			progress_show(&bar);
		}
	}
	return 0;
}

/* The logs beside a hive that was just written must never be replayed. */
static int
empty_logs(struct vo *vo, const char *path, struct err *e)
{
	static const char *const suffix[] = { ".LOG", ".LOG1", ".LOG2" };

	for (size_t i = 0; i < 3; i++) {
		SCOPED_FREE char *log = mem_fmt(e, "%s%s", path, suffix[i]);
		struct vo_stat st;
		int r = log == NULL ? -1 : vo_stat(vo, log, &st, e);

		if (r < 0)
			return -1;
		if (r == 1 && st.size > 0 && vo_truncate(vo, log, 0, e) < 0)
			return -1;
	}
	return 0;
}

static int
write_hives(struct cs_target *t, struct err *e)
{
	for (size_t i = 0; i < t->loaded; i++) {
		const struct cs_loaded *l = &t->at[i];
		BUF_SCOPED struct buf bytes = BUF_EMPTY;
		struct vo *vo;

		if (!hv_changed(l->hive))
			continue;
		vo = cs_target_volume(t, l->serial, e);
		if (vo == NULL || hv_serialize(l->hive, &bytes, e) < 0 ||
		    vo_put(vo, l->path, bytes.at, bytes.len, e) < 0 ||
		    empty_logs(vo, l->path, e) < 0)
			return -1;
	}
	return 0;
}

/* Bytes of volumes go straight to the disk, where the volumes' starts were
 * noted before those were closed. */
static int
write_bytes(struct cs_plan *p, struct cs_target *t, const bool *todo,
	    const uint64_t *starts, struct err *e)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct cs_entry *en = &p->at[i];

		if (todo[i] && en->kind == CS_BYTES &&
		    dk_write(t->disk, en->want.data, en->want.len,
			     starts[en->volume] + en->at, e) < 0)
			return -1;
	}
	return 0;
}

static int
volume_starts(struct cs_plan *p, struct cs_target *t, uint64_t *ret,
	      struct err *e)
{
	for (size_t i = 0; i < p->volumes; i++) {
		const struct wn_volume *v =
			cs_find_volume(t, p->volume[i].serial, e);

		if (v == NULL)
			return -1;
		ret[i] = v->start;
	}
	return 0;
}

/* Whatever was done must read back so; what stays is no fault. */
static int
not_taken(void *arg, const struct cs_entry *en, enum cs_finding found,
	  struct err *e)
{
	const struct survey *s = arg;
	SCOPED_FREE char *name = NULL;

	(void)found;
	if (!s->todo[en - s->plan->at] ||
	    (s->lenient && en->kind == CS_DIRECTORY))
		return 0;
	name = cs_entry_name(en, e);
	return err_set(e, ERR_SYSTEM, "%s: was written and does not read back "
		       "as wanted; nothing is committed",
		       name != NULL ? name : "?");
}

/* Everything between the comparison and the caller's commit. */
static int
work(struct cs_plan *p, struct cs_target *t, struct survey *s,
     struct cs_done *done, struct err *e)
{
	CS_PLAN_SCOPED struct cs_plan *inverse = NULL;
	uint64_t starts[CS_VOLUMES_MAX];
	size_t left;

	if (check_writable(p, t, s->todo, e) < 0 ||
	    volume_starts(p, t, starts, e) < 0)
		return -1;
	if (t->journal != NULL) {
		inverse = cs_inverse(t, p, s->todo, e);
		if (inverse == NULL)
			return -1;
	}
	if (do_all(p, t, s->todo, e) < 0 || write_hives(t, e) < 0 ||
	    cs_target_close(t, e) < 0 ||
	    write_bytes(p, t, s->todo, starts, e) < 0 ||
	    cs_target_reopen(t, e) < 0 ||
	    cs_verify(p, t, not_taken, s, &left, e) < 0)
		return -1;
	return inverse == NULL ? 0 :
	       cs_journal_write(t, inverse, &done->journal, e);
}

static int
run(struct cs_plan *p, struct cs_target *t, struct survey *s,
    struct cs_done *ret, struct err *e)
{
	SCOPED_FREE bool *todo = mem_array(p->count, sizeof(*todo), e);
	struct cs_done done = { 0 };
	size_t open;

	s->plan = p;
	s->todo = todo;
	if (todo == NULL || cs_sort(p, e) < 0 ||
	    cs_verify(p, t, note_open, s, &open, e) < 0)
		return -1;
	if (s->todos > 0 && work(p, t, s, &done, e) < 0)
		return -1;
	done.applied = s->todos;
	done.kept = s->kept;
	done.already = p->count - open;
	*ret = done;
	return 0;
}

int
cs_apply(struct cs_plan *p, struct cs_target *t, struct cs_done *ret,
	 struct err *e)
{
	struct survey s = { .lenient = false };

	return run(p, t, &s, ret, e);
}

int
cs_revert(struct cs_plan *inverse, struct cs_target *t, const char *dir,
	  cs_finding_fn fn, void *arg, struct cs_done *ret, struct err *e)
{
	struct survey s = { .lenient = true, .fn = fn, .arg = arg };
	int r;

	t->contents = dir;
	t->lenient = true;
	r = run(inverse, t, &s, ret, e);
	t->contents = NULL;
	t->lenient = false;
	return r;
}
