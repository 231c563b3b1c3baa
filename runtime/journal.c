/* journal.c - what happened to a guest, and so what state it is in
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "crypt/hash.h"

/* A guest started hourly for ten years writes 30 MB. */
#define JOURNAL_MAX (64 << 20)
#define LINK_DIGITS (2 * RT_LINK_BYTES)

const char *const rt_event_words[] = {
	"created", "starting", "running", "paused", "resumed", "stopping",
	"stopped", "failed", "block-restarted", "staged", "trial", "active",
	"rejected", "rolled-back", "healthy", "redeployed", NULL
};

const char *const rt_state_words[] = { "none", "stopped", "starting", "running",
				       "paused", "stopping", "failed" };

#define NO (-1)
#define SELF(s) [RT_EV_STAGED] = (s), [RT_EV_REJECTED] = (s)

/* Each state's events and where they
 * lead. */
static const signed char after[RT_STATES][RT_EVENTS] = {
	[RT_ST_NONE] = { [RT_EV_CREATED] = RT_ST_STOPPED },
	[RT_ST_STOPPED] = {
		[RT_EV_STARTING] = RT_ST_STARTING, SELF(RT_ST_STOPPED),
		[RT_EV_ROLLED_BACK] = RT_ST_STOPPED,
		[RT_EV_REDEPLOYED] = RT_ST_STOPPED,
	},
	[RT_ST_FAILED] = {
		[RT_EV_STARTING] = RT_ST_STARTING, SELF(RT_ST_FAILED),
		[RT_EV_ROLLED_BACK] = RT_ST_FAILED,
		[RT_EV_REDEPLOYED] = RT_ST_FAILED,
	},
	[RT_ST_STARTING] = {
		[RT_EV_RUNNING] = RT_ST_RUNNING, [RT_EV_STOPPED] = RT_ST_STOPPED,
		[RT_EV_FAILED] = RT_ST_FAILED, SELF(RT_ST_STARTING),
		[RT_EV_TRIAL] = RT_ST_STARTING,
	},
	[RT_ST_RUNNING] = {
		[RT_EV_PAUSED] = RT_ST_PAUSED, [RT_EV_STOPPING] = RT_ST_STOPPING,
		[RT_EV_STOPPED] = RT_ST_STOPPED, [RT_EV_FAILED] = RT_ST_FAILED,
		[RT_EV_BLOCK_RESTARTED] = RT_ST_RUNNING, SELF(RT_ST_RUNNING),
		[RT_EV_ACTIVE] = RT_ST_RUNNING, [RT_EV_HEALTHY] = RT_ST_RUNNING,
	},
	[RT_ST_PAUSED] = {
		[RT_EV_RESUMED] = RT_ST_RUNNING, [RT_EV_STOPPING] = RT_ST_STOPPING,
		[RT_EV_STOPPED] = RT_ST_STOPPED, [RT_EV_FAILED] = RT_ST_FAILED,
		[RT_EV_BLOCK_RESTARTED] = RT_ST_PAUSED, SELF(RT_ST_PAUSED),
		[RT_EV_ACTIVE] = RT_ST_PAUSED, [RT_EV_HEALTHY] = RT_ST_PAUSED,
	},
	[RT_ST_STOPPING] = {
		[RT_EV_STOPPING] = RT_ST_STOPPING, [RT_EV_STOPPED] = RT_ST_STOPPED,
		[RT_EV_FAILED] = RT_ST_FAILED,
		[RT_EV_BLOCK_RESTARTED] = RT_ST_STOPPING, SELF(RT_ST_STOPPING),
		[RT_EV_ACTIVE] = RT_ST_STOPPING, [RT_EV_HEALTHY] = RT_ST_STOPPING,
	},
};

/* Nothing leads to RT_ST_NONE, so its zero marks what is not in the table. */
_Static_assert(RT_ST_NONE == 0, "an empty cell is RT_ST_NONE");

int
rt_state_after(enum rt_state s, enum rt_event ev)
{
	return after[s][ev] == RT_ST_NONE ? NO : after[s][ev];
}

bool
rt_state_alive(enum rt_state s)
{
	return s == RT_ST_STARTING || s == RT_ST_RUNNING ||
	       s == RT_ST_PAUSED || s == RT_ST_STOPPING;
}

void
rt_journal_done(struct rt_journal *j)
{
	if (j->fd >= 0)
		(void)close(j->fd);
	*j = (struct rt_journal)RT_JOURNAL_EMPTY;
}

/* The hash that chains a record's text to the one before. */
static void
chain(const uint8_t before[RT_LINK_BYTES], const char *text, size_t len,
      uint8_t ret[RT_LINK_BYTES])
{
	struct cx_hasher h;
	uint8_t hash[CX_HASH_BYTES];

	cx_hash_begin(&h);
	cx_hash_add(&h, before, RT_LINK_BYTES);
	cx_hash_add(&h, text, len);
	cx_hash_end(&h, hash);
	memcpy(ret, hash, RT_LINK_BYTES);
}

/* "SEQ TIME EVENT DETAIL", checked to the letter. */
static int
read_fields(char *text, struct rt_record *r)
{
	char *at = text;
	char *field[4];
	uint64_t time;
	size_t ev = 0;

	for (size_t i = 0; i < 4; i++)
		field[i] = i < 3 ? strsep(&at, " ") : at;
	if (field[3] == NULL || strlen(field[3]) >= sizeof(r->detail) ||
	    !num_parse(field[0], 1, UINT64_MAX, false, &r->seq) ||
	    !num_parse(field[1], 0, INT64_MAX, false, &time))
		return -1;
	while (rt_event_words[ev] != NULL &&
	       strcmp(rt_event_words[ev], field[2]) != 0)
		ev++;
	if (rt_event_words[ev] == NULL)
		return -1;
	r->at = (int64_t)time;
	r->event = (enum rt_event)ev;
	memcpy(r->detail, field[3], strlen(field[3]) + 1);
	return 0;
}

int
rt_journal_line(const char *line, size_t len, uint8_t link[RT_LINK_BYTES],
		struct rt_record *ret, struct err *e)
{
	char text[LINK_DIGITS + 1 + 64 + 2 * RT_DETAIL_ROOM];
	uint8_t own[RT_LINK_BYTES], said[RT_LINK_BYTES];
	struct rt_record r = { .seq = 0 };

	if (len <= LINK_DIGITS + 1 || len >= sizeof(text) ||
	    memchr(line, '\0', len) != NULL)
		return err_set(e, ERR_CORRUPT, "journal: a line of no record");
	memcpy(text, line, len);
	text[len] = '\0';
	if (text[LINK_DIGITS] != ' ')
		return err_set(e, ERR_CORRUPT, "journal: a line of no record");
	text[LINK_DIGITS] = '\0';
	chain(link, text + LINK_DIGITS + 1, len - LINK_DIGITS - 1, own);
	if (!cx_unhex(said, sizeof(said), text) ||
	    memcmp(said, own, sizeof(own)) != 0)
		return err_set(e, ERR_CORRUPT, "journal: a record that does not "
			       "follow from the one before");
	if (read_fields(text + LINK_DIGITS + 1, &r) < 0)
		return err_set(e, ERR_CORRUPT, "journal: a record with fields that "
			       "no release has written");
	memcpy(link, own, RT_LINK_BYTES);
	*ret = r;
	return 0;
}

/* What replaying needs to know. */
struct replay {
	struct rt_journal *j;
	int (*see)(const struct rt_record *r, void *arg, struct err *e);
	void *arg;
};

/* Is this about the guest's state, and not about its versions only? */
static bool
is_run(enum rt_event ev)
{
	return ev < RT_EV_STAGED;
}

static void
settle(struct rt_journal *j, const struct rt_record *r, enum rt_state state)
{
	j->state = state;
	j->last = *r;
	if (is_run(r->event))
		j->ran = *r;
}

static int
replay_line(struct replay *p, const char *line, size_t len, struct err *e)
{
	struct rt_journal *j = p->j;
	uint8_t link[RT_LINK_BYTES];
	struct rt_record r;

	memcpy(link, j->link, sizeof(link));
	if (rt_journal_line(line, len, link, &r, e) < 0)
		return -1;
	int state = rt_state_after(j->state, r.event);
	if (state < 0 || r.seq != j->last.seq + 1)
		return err_set(e, ERR_CORRUPT, "journal: record %" PRIu64 " (%s) "
			       "cannot come after %s", r.seq,
			       rt_event_words[r.event],
			       rt_state_words[j->state]);
	if (rt_slots_apply(&j->slots, (int)r.event, r.detail) < 0)
		return err_set(e, ERR_CORRUPT, "journal: record %" PRIu64 " (%s) "
			       "does not fit the versions before", r.seq,
			       rt_event_words[r.event]);
	settle(j, &r, (enum rt_state)state);
	memcpy(j->link, link, sizeof(link));
	j->end += len + 1;
	return p->see == NULL ? 0 : p->see(&r, p->arg, e);
}

static int
replay(struct replay *p, const char *text, size_t len, struct err *e)
{
	size_t at = 0;

	while (at < len) {
		struct err why = ERR_INIT;
		const char *end = memchr(text + at, '\n', len - at);

		if (end == NULL)
			return 0;	/* torn: as if never begun */
		size_t line = (size_t)(end - (text + at));
		if (replay_line(p, text + at, line, &why) < 0) {
			/* Sectors of one line may land in any order; but with
			 * a whole line behind it, it was on stable storage. */
			if (why.kind == ERR_CORRUPT && at + line + 1 == len)
				return 0;
			*e = why;
			return -1;
		}
		at += line + 1;
	}
	return 0;
}

static int
open_and_replay(const char *path, int flags, struct replay *p, struct err *e)
{
	SCOPED_FREE uint8_t *text = NULL;
	size_t len = 0;

	p->j->fd = open(path, flags | O_CLOEXEC, 0600);
	if (p->j->fd < 0)
		return err_sys(e, "%s", path);
	if (io_slurp(path, JOURNAL_MAX, &text, &len, e) < 0)
		return -1;
	if (replay(p, (const char *)text, len, e) < 0)
		return err_ctx(e, "%s", path);
	return 0;
}

int
rt_journal_open(const char *path, bool write, struct rt_journal *ret,
		struct err *e)
{
	RT_JOURNAL_SCOPED struct rt_journal j = RT_JOURNAL_EMPTY;
	struct replay p = { .j = &j };

	if (open_and_replay(path, write ? O_RDWR | O_CREAT : O_RDONLY, &p,
			    e) < 0)
		return -1;
	*ret = j;
	j.fd = -1;
	return 0;
}

int
rt_journal_each(const char *path,
		int (*see)(const struct rt_record *r, void *arg, struct err *e),
		void *arg, struct err *e)
{
	RT_JOURNAL_SCOPED struct rt_journal j = RT_JOURNAL_EMPTY;
	struct replay p = { .j = &j, .see = see, .arg = arg };

	return open_and_replay(path, O_RDONLY, &p, e);
}

int
rt_journal_add(struct rt_journal *j, enum rt_event ev, const char *detail,
	       struct err *e)
{
	BUF_SCOPED struct buf text = BUF_EMPTY, line = BUF_EMPTY;
	struct rt_record r = { .seq = j->last.seq + 1, .at = time(NULL),
			       .event = ev };
	char link[LINK_DIGITS + 1];
	uint8_t own[RT_LINK_BYTES];
	int state = rt_state_after(j->state, ev);
	struct rt_slots slots = j->slots;

	(void)err_quote(r.detail, sizeof(r.detail), detail, strlen(detail));
	if (state < 0 || rt_slots_apply(&slots, (int)ev, r.detail) < 0)
		return err_set(e, ERR_UNSAFE, "guest: %s cannot come after %s",
			       rt_event_words[ev], rt_state_words[j->state]);
	buf_fmt(&text, "%" PRIu64 " %" PRId64 " %s %s", r.seq, r.at,
		rt_event_words[ev], r.detail);
	if (buf_ok(&text, e) < 0)
		return -1;
	chain(j->link, (const char *)text.at, text.len, own);
	cx_hex(link, own, sizeof(own));
	buf_fmt(&line, "%s %s\n", link, (const char *)text.at);
	if (buf_ok(&line, e) < 0 ||
	    io_write_at(j->fd, line.at, line.len, j->end, "journal", e) < 0)
		return -1;
	/* What a torn line left behind this one must not be read as a record. */
	if (ftruncate(j->fd, (off_t)(j->end + line.len)) < 0 ||
	    fdatasync(j->fd) < 0)
		return err_sys(e, "journal");
	j->end += line.len;
	settle(j, &r, (enum rt_state)state);
	j->slots = slots;
	memcpy(j->link, own, sizeof(own));
	return 0;
}
