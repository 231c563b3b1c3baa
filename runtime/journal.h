/* journal.h - what happened to a guest, and so what state it is in
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The journal is the only place where a guest's state is kept: the state is
 * what its records add up to.  A record is a line, on stable storage before
 * what it announces is done; each carries a hash over the one before, so a line
 * torn by a power cut is told from damage.  docs/FORMAT.md, "Runtime state".
 *
 * One process writes at a time: the one that holds the guest's lock.
 */
#ifndef RUNTIME_JOURNAL_H
#define RUNTIME_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "runtime/slots.h"

struct err;

enum rt_event {
	RT_EV_CREATED,
	RT_EV_STARTING,		/* processes are being started */
	RT_EV_RUNNING,		/* the guest runs */
	RT_EV_PAUSED,		/* it stands still; the detail says why */
	RT_EV_RESUMED,
	RT_EV_STOPPING,		/* it was asked to shut down */
	RT_EV_STOPPED,		/* it is off, as somebody wanted */
	RT_EV_FAILED,		/* it is off, and nobody wanted that */
	RT_EV_BLOCK_RESTARTED,	/* its block server died and is back */
	RT_EV_STAGED,		/* these six are about versions: slots.h */
	RT_EV_TRIAL,
	RT_EV_ACTIVE,
	RT_EV_REJECTED,
	RT_EV_ROLLED_BACK,
	RT_EV_HEALTHY,
	RT_EV_REDEPLOYED,	/* its system layer was dropped */
};
#define RT_EVENTS 16

enum rt_state {
	RT_ST_NONE,		/* no record yet */
	RT_ST_STOPPED,
	RT_ST_STARTING,
	RT_ST_RUNNING,
	RT_ST_PAUSED,
	RT_ST_STOPPING,
	RT_ST_FAILED,		/* stopped, too: it can be started again */
};
#define RT_STATES 7

extern const char *const rt_event_words[];
extern const char *const rt_state_words[];

/* The state after the event, or -1 when it cannot happen in this one. */
int rt_state_after(enum rt_state s, enum rt_event ev);

/* Are there processes in this state? */
bool rt_state_alive(enum rt_state s);

#define RT_DETAIL_ROOM RT_SLOTS_DETAIL_ROOM
#define RT_LINK_BYTES 16

struct rt_record {
	uint64_t seq;		/* from 1 */
	int64_t at;		/* seconds since 1970 */
	enum rt_event event;
	char detail[RT_DETAIL_ROOM];	/* printable ASCII */
};

struct rt_journal {
	int fd;			/* owned; -1 when empty */
	enum rt_state state;
	struct rt_slots slots;
	struct rt_record last;	/* seq 0 when there is none */
	struct rt_record ran;	/* the last that changed the state */
	uint64_t end;		/* bytes of whole records */
	uint8_t link[RT_LINK_BYTES];	/* hash of the last record */
};

#define RT_JOURNAL_EMPTY { .fd = -1 }
#define RT_JOURNAL_SCOPED SCOPED(rt_journal_done)

void rt_journal_done(struct rt_journal *j);

/* Read one whole line, without its newline, that follows a record with `link`;
 * on success *ret is the record and `link` its own. */
MUST_CHECK int rt_journal_line(const char *line, size_t len,
			       uint8_t link[RT_LINK_BYTES],
			       struct rt_record *ret, struct err *e);

/* Open the journal at `path` (made when missing, if `write`) and replay it.
 * A last line that is not whole is ignored, and overwritten by the next. */
MUST_CHECK int rt_journal_open(const char *path, bool write,
			       struct rt_journal *ret, struct err *e);

/* Add a record; ERR_UNSAFE when the event cannot happen in this state, or to
 * these versions. */
MUST_CHECK int rt_journal_add(struct rt_journal *j, enum rt_event ev,
			      const char *detail, struct err *e);

/* Call `see` with each record, the oldest first; it returns 0 or -1. */
MUST_CHECK int rt_journal_each(const char *path,
			       int (*see)(const struct rt_record *r, void *arg,
					  struct err *e),
			       void *arg, struct err *e);

#endif /* RUNTIME_JOURNAL_H */
