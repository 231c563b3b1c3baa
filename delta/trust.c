/* trust.c - see trust.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Numbers in comments are sections of the TUF specification 1.0.
 */
#include "delta/trust.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "delta/remote.h"
#include "delta/seen-private.h"

enum {
	ROOTS_MAX = 1024,	/* followed at once: Y of 5.3.3 */
	DAY = 24 * 60 * 60,
};

void
dl_meta_name(enum cx_role role, uint64_t number, char ret[DL_META_NAME])
{
	/* Only the timestamp is asked for without knowing its number. */
	if (role == CX_ROLE_TIMESTAMP)
		(void)snprintf(ret, DL_META_NAME, "trust/timestamp");
	else
		(void)snprintf(ret, DL_META_NAME, "trust/%" PRIu64 ".%s",
			       number, cx_role_name(role));
}

int
dl_root_parse(const char *what, const void *in, size_t len,
	      struct cx_meta *ret, struct cx_root *ret_root, struct err *e)
{
	CX_META_SCOPED struct cx_meta m = CX_META_EMPTY;
	CX_ROOT_SCOPED struct cx_root root = CX_ROOT_EMPTY;

	if (cx_meta_parse(what, in, len, CX_ROLE_ROOT, &m, e) < 0 ||
	    cx_root_parse(what, m.body, m.body_len, &root, e) < 0)
		return -1;
	*ret = TAKE(m);
	*ret_root = TAKE(root);
	return 0;
}

/* An update under way. */
struct update {
	struct dl_remote *remote;
	const struct dl_trust *t;
	struct dl_seen *seen;
	uint64_t now;		/* fixed at the start (5.1) */
	char what[512];		/* the metadata being looked at, for messages */
};

static void
name_it(struct update *u, enum cx_role role, uint64_t number,
	char ret[DL_META_NAME])
{
	dl_meta_name(role, number, ret);
	(void)snprintf(u->what, sizeof(u->what), "%s/%s",
		       dl_remote_name(u->remote), ret);
}

static int
keep(const struct update *u, struct err *e)
{
	return u->t->state == NULL ? 0 :
				     dl_seen_save(u->t->state, u->seen, e);
}

/* The clock, but never earlier than what was signed and seen. */
static uint64_t
clock_now(const struct dl_seen *s)
{
	return num_max((uint64_t)time(NULL), s->latest);
}

static int
check_expiry(const struct update *u, const struct cx_meta *m, struct err *e)
{
	time_t at = (time_t)m->expires;
	char text[32] = "long ago";
	struct tm tm;

	if (m->expires > u->now || u->t->allow_expired)
		return 0;
	if (gmtime_r(&at, &tm) != NULL)
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	return err_set(e, ERR_AUTH, "%s: expired at %s UTC: nobody answers for "
		       "its being the newest; pull again later, or accept it "
		       "with --allow-expired", u->what, text);
}

static int
check_domain(const struct update *u, const struct cx_meta *m, struct err *e)
{
	if (memcmp(m->domain, u->seen->meta.domain, CX_DOMAIN_BYTES) == 0)
		return 0;
	return err_set(e, ERR_AUTH, "%s: is of another origin", u->what);
}

/* ---- the root (5.2, 5.3) ------------------------------------------------- */

static int
load_root_file(const char *path, struct cx_meta *ret, struct cx_root *ret_root,
	       struct err *e)
{
	CX_META_SCOPED struct cx_meta m = CX_META_EMPTY;
	CX_ROOT_SCOPED struct cx_root root = CX_ROOT_EMPTY;
	SCOPED_FREE uint8_t *in = NULL;
	size_t len;

	if (io_slurp(path, CX_META_SMALL, &in, &len, e) < 0 ||
	    dl_root_parse(path, in, len, &m, &root, e) < 0 ||
	    cx_meta_check(path, &m, &root.role[CX_ROLE_ROOT], e) < 0)
		return -1;
	*ret = TAKE(m);
	*ret_root = TAKE(root);
	return 0;
}

int
dl_trust_begin(const struct dl_trust *t, const uint8_t domain[CX_DOMAIN_BYTES],
	       struct dl_seen *ret, struct err *e)
{
	DL_SEEN_SCOPED struct dl_seen s = DL_SEEN_EMPTY;
	int known = t->state == NULL ? 0 :
		dl_seen_load(t->state, domain, ret, e);

	if (known != 0)
		return known < 0 ? -1 : 0;
	if (t->root == NULL)
		return err_set(e, ERR_AUTH, "nobody is trusted for this origin "
			       "yet; give --trust ROOT, its root file, once");
	if (load_root_file(t->root, &s.meta, &s.root, e) < 0)
		return -1;
	if (memcmp(s.meta.domain, domain, CX_DOMAIN_BYTES) != 0)
		return err_set(e, ERR_AUTH, "%s: is the root of another origin",
			       t->root);
	*ret = TAKE(s);
	return 0;
}

/* Take the place of the trusted root.  Who can have run numbers up is gone with
 * its keys, and so are the numbers (5.3.11). */
static void
replace_root(struct dl_seen *s, struct cx_meta *m, struct cx_root *root)
{
	bool same[CX_ROLE_END];

	for (int i = CX_ROLE_ROOT; i < CX_ROLE_END; i++)
		same[i] = cx_holders_same(&s->root.role[i], &root->role[i]);
	if (!same[CX_ROLE_TIMESTAMP] || !same[CX_ROLE_SNAPSHOT] ||
	    !same[CX_ROLE_RELEASE]) {
		memset(s->mark, 0, sizeof(s->mark));
		s->latest = 0;
	}
	if (!same[CX_ROLE_RELEASE])
		s->lines = 0;
	cx_meta_done(&s->meta);
	cx_root_done(&s->root);
	s->meta = TAKE(*m);
	s->root = TAKE(*root);
}

/* The next root, if there is one: 1 taken, 0 there is none. */
static int
next_root(struct update *u, struct err *e)
{
	CX_META_SCOPED struct cx_meta m = CX_META_EMPTY;
	CX_ROOT_SCOPED struct cx_root root = CX_ROOT_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	uint64_t number = u->seen->meta.number + 1;
	char name[DL_META_NAME];

	name_it(u, CX_ROLE_ROOT, number, name);

	int there = dl_remote_slurp(u->remote, name, CX_META_SMALL, &b, e);
	if (there <= 0)
		return there;
	if (dl_root_parse(u->what, b.at, b.len, &m, &root, e) < 0 ||
	    check_domain(u, &m, e) < 0)
		return -1;
	/* 5.3.4: by the old holders and by the new ones; 5.3.5: the next. */
	if (cx_meta_check(u->what, &m, &u->seen->root.role[CX_ROLE_ROOT],
			  e) < 0 ||
	    cx_meta_check(u->what, &m, &root.role[CX_ROLE_ROOT], e) < 0)
		return -1;
	if (m.number != number)
		return err_set(e, ERR_AUTH, "%s: is root %" PRIu64, u->what,
			       m.number);
	replace_root(u->seen, &m, &root);
	return 1;
}

static int
update_root(struct update *u, struct err *e)
{
	char name[DL_META_NAME];
	int more = 1;

	for (unsigned i = 0; more == 1 && i < ROOTS_MAX; i++)
		more = next_root(u, e);
	if (more < 0 || keep(u, e) < 0)
		return -1;
	u->now = clock_now(u->seen);
	name_it(u, CX_ROLE_ROOT, u->seen->meta.number, name);
	return check_expiry(u, &u->seen->meta, e);	/* 5.3.10 */
}

/* ---- the others (5.4 to 5.6) --------------------------------------------- */

/* Signatures, origin, that its number goes up, expiry; and notes it in *mark. */
static int
check_meta(struct update *u, const struct cx_meta *m, const void *in,
	   size_t len, struct dl_mark *mark, struct err *e)
{
	const struct dl_mark *was = &u->seen->mark[m->role];
	uint8_t hash[CX_HASH_BYTES];

	if (cx_meta_check(u->what, m, &u->seen->root.role[m->role], e) < 0 ||
	    check_domain(u, m, e) < 0)
		return -1;
	if (m->number < was->number)
		return err_set(e, ERR_AUTH, "%s: is number %" PRIu64 ", but %"
			       PRIu64 " was there before: it goes back",
			       u->what, m->number, was->number);
	cx_hash(hash, in, len);
	if (m->number == was->number && !cx_same(hash, was->hash, sizeof(hash)))
		return err_set(e, ERR_AUTH, "%s: is another number %" PRIu64
			       " than was there before", u->what, m->number);
	mark->number = m->number;
	memcpy(mark->hash, hash, sizeof(hash));
	return check_expiry(u, m, e);
}

/* The metadata that a pin names, by number, length and hash (5.5.2, 5.5.4). */
static int
get_pinned(struct update *u, enum cx_role role, const struct cx_pin *pin,
	   struct buf *in, struct cx_meta *ret, struct dl_mark *mark,
	   struct err *e)
{
	CX_META_SCOPED struct cx_meta m = CX_META_EMPTY;
	uint8_t hash[CX_HASH_BYTES];
	char name[DL_META_NAME];

	name_it(u, role, pin->number, name);

	int there = dl_remote_slurp(u->remote, name, (size_t)pin->len, in, e);
	if (there < 0)
		return -1;
	if (there == 0)
		return err_set(e, ERR_CORRUPT, "%s: is missing", u->what);
	cx_hash(hash, in->at, in->len);
	if (in->len != pin->len || !cx_same(hash, pin->hash, sizeof(hash)))
		return err_set(e, ERR_AUTH, "%s: does not belong to the rest of "
			       "what the mirror says", u->what);
	if (cx_meta_parse(u->what, in->at, in->len, role, &m, e) < 0)
		return -1;
	if (m.number != pin->number)
		return err_set(e, ERR_AUTH, "%s: is number %" PRIu64, u->what,
			       m.number);
	if (check_meta(u, &m, in->at, in->len, mark, e) < 0)
		return -1;
	*ret = TAKE(m);
	return 0;
}

/* What of a mark must not go back, though it was not looked at yet (5.4.3.2,
 * 5.5.5). */
static int
check_pin(const struct update *u, enum cx_role role, const struct cx_pin *pin,
	  struct err *e)
{
	uint64_t was = u->seen->mark[role].number;

	if (pin->number >= was)
		return 0;
	return err_set(e, ERR_AUTH, "%s: names %s %" PRIu64 ", but %" PRIu64
		       " was there before: it goes back", u->what,
		       cx_role_name(role), pin->number, was);
}

/* No line goes back without a permission that is newer than the last. */
static int
check_lines(struct update *u, const struct dl_release *r, struct err *e)
{
	for (size_t i = 0; i < u->seen->lines; i++) {
		const struct dl_line_mark *was = &u->seen->line[i];
		const struct dl_line *l = dl_release_line(r, was->name);

		if (l == NULL || l->epoch > was->epoch)
			continue;
		if (l->epoch < was->epoch ||
		    dl_line_newest(l)->number < was->number)
			return err_set(e, ERR_AUTH, "%s: %s goes back from %"
				       PRIu64 " to %" PRIu64 " without a "
				       "permission to", u->what, l->name,
				       was->number, dl_line_newest(l)->number);
	}
	return 0;
}

/* Remember the lines of an accepted release. */
static int
note_lines(struct dl_seen *s, const struct dl_release *r, struct err *e)
{
	for (size_t i = 0; i < r->lines; i++) {
		const struct dl_line *l = &r->line[i];
		size_t at = 0;

		while (at < s->lines && strcmp(s->line[at].name, l->name) < 0)
			at++;
		if (at == s->lines || strcmp(s->line[at].name, l->name) != 0) {
			if (mem_grow(&s->line, &s->cap, s->lines + 1,
				     sizeof(*s->line), e) < 0)
				return -1;
			memmove(s->line + at + 1, s->line + at,
				(s->lines - at) * sizeof(*s->line));
			s->lines++;
			(void)snprintf(s->line[at].name,
				       sizeof(s->line[at].name), "%s", l->name);
		}
		s->line[at].epoch = l->epoch;
		s->line[at].number = dl_line_newest(l)->number;
	}
	return 0;
}

static int
follow(struct update *u, const struct cx_meta *timestamp, const void *in,
       size_t len, struct dl_release *ret, struct err *e)
{
	CX_META_SCOPED struct cx_meta snapshot = CX_META_EMPTY;
	CX_META_SCOPED struct cx_meta release = CX_META_EMPTY;
	DL_RELEASE_SCOPED struct dl_release offered = DL_RELEASE_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct dl_mark mark[CX_ROLE_END] = { { .number = 0 } };
	struct cx_pin pin;
	char name[DL_META_NAME];

	name_it(u, CX_ROLE_TIMESTAMP, 0, name);
	if (cx_pin_parse(u->what, timestamp->body, timestamp->body_len, &pin,
			 e) < 0 ||
	    check_meta(u, timestamp, in, len, &mark[CX_ROLE_TIMESTAMP], e) < 0 ||
	    check_pin(u, CX_ROLE_SNAPSHOT, &pin, e) < 0 ||
	    get_pinned(u, CX_ROLE_SNAPSHOT, &pin, &b, &snapshot,
		       &mark[CX_ROLE_SNAPSHOT], e) < 0 ||
	    cx_pin_parse(u->what, snapshot.body, snapshot.body_len, &pin,
			 e) < 0 ||
	    check_pin(u, CX_ROLE_RELEASE, &pin, e) < 0 ||
	    get_pinned(u, CX_ROLE_RELEASE, &pin, &b, &release,
		       &mark[CX_ROLE_RELEASE], e) < 0 ||
	    dl_release_parse(u->what, release.body, release.body_len, &offered,
			     e) < 0 ||
	    check_lines(u, &offered, e) < 0 ||
	    note_lines(u->seen, &offered, e) < 0)
		return -1;
	memcpy(u->seen->mark, mark, sizeof(mark));
	u->seen->latest = num_max(u->seen->latest, timestamp->created);
	*ret = TAKE(offered);
	return keep(u, e);
}

int
dl_trust_update(struct dl_remote *r, const struct dl_trust *t,
		struct dl_seen *ret, struct dl_release *ret_release,
		struct err *e)
{
	CX_META_SCOPED struct cx_meta timestamp = CX_META_EMPTY;
	DL_SEEN_SCOPED struct dl_seen seen = DL_SEEN_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct update u = { .remote = r, .t = t, .seen = &seen };
	char name[DL_META_NAME];

	name_it(&u, CX_ROLE_TIMESTAMP, 0, name);

	int there = dl_remote_slurp(r, name, CX_META_SMALL, &b, e);
	if (there <= 0)
		return there;
	/* Which origin it is about is only believed after the signatures. */
	if (cx_meta_parse(u.what, b.at, b.len, CX_ROLE_TIMESTAMP, &timestamp,
			  e) < 0)
		return -1;
	if (dl_trust_begin(t, timestamp.domain, &seen, e) < 0)
		return err_ctx(e, "%s", dl_remote_name(r));
	if (update_root(&u, e) < 0 ||
	    follow(&u, &timestamp, b.at, b.len, ret_release, e) < 0)
		return -1;
	*ret = TAKE(seen);
	return 1;
}

/* ---- signing ------------------------------------------------------------- */

/* Is it that release of this origin, signed as the root says? */
static int
is_release(const struct dl_seen *s, const char *name, uint64_t number,
	   const struct buf *in, struct dl_release *ret, struct err *e)
{
	CX_META_SCOPED struct cx_meta m = CX_META_EMPTY;

	if (cx_meta_parse(name, in->at, in->len, CX_ROLE_RELEASE, &m, e) < 0 ||
	    cx_meta_check(name, &m, &s->root.role[CX_ROLE_RELEASE], e) < 0)
		return -1;
	if (m.number != number ||
	    memcmp(m.domain, s->meta.domain, CX_DOMAIN_BYTES) != 0)
		return err_set(e, ERR_AUTH, "%s: is of another number or "
			       "origin", name);
	return dl_release_parse(name, m.body, m.body_len, ret, e);
}

int
dl_trust_pending(struct dl_remote *r, const struct dl_seen *s, uint64_t after,
		 struct dl_release *ret, struct cx_pin *ret_pin, struct err *e)
{
	int found = 0;

	for (uint64_t n = after + 1;; n++) {
		DL_RELEASE_SCOPED struct dl_release offered = DL_RELEASE_EMPTY;
		BUF_SCOPED struct buf b = BUF_EMPTY;
		struct err wrong = ERR_INIT;
		char name[DL_META_NAME];

		dl_meta_name(CX_ROLE_RELEASE, n, name);
		int there = dl_remote_slurp(r, name, CX_META_MAX, &b, e);
		if (there <= 0)
			return there < 0 ? -1 : found;
		if (is_release(s, name, n, &b, &offered, &wrong) < 0) {
			if (wrong.kind == ERR_AUTH || wrong.kind == ERR_CORRUPT)
				continue;	/* former holders', perhaps */
			*e = wrong;
			return -1;
		}
		dl_release_done(ret);
		*ret = TAKE(offered);
		ret_pin->number = n;
		ret_pin->len = b.len;
		cx_hash(ret_pin->hash, b.at, b.len);
		found = 1;
	}
}

int
dl_trust_sign(const struct dl_seen *s, enum cx_role role, uint64_t number,
	      const void *body, size_t len, const struct cx_key *k,
	      struct buf *out, struct err *e)
{
	CX_META_SCOPED struct cx_meta m = CX_META_EMPTY;

	if (cx_pubs_signer(&s->root.role[role].keys, k->pub.sign) == NULL)
		return err_set(e, ERR_AUTH, "%s: does not hold the role %s; "
			       "imgdelta trust rotate gives it", k->pub.name,
			       cx_role_name(role));
	m.role = role;
	memcpy(m.domain, s->meta.domain, sizeof(m.domain));
	m.number = number;
	m.created = clock_now(s);
	m.expires = m.created + (uint64_t)s->root.role[role].days * DAY;
	m.body = mem_array(len, 1, e);
	if (m.body == NULL)
		return -1;
	if (len > 0)
		memcpy(m.body, body, len);
	m.body_len = len;
	if (cx_meta_sign(&m, k, e) < 0)
		return -1;
	return cx_meta_encode(&m, out, e);
}
