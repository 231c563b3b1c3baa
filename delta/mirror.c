/* mirror.c - see mirror.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/mirror.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "delta/push.h"
#include "delta/remote.h"
#include "delta/seen-private.h"

enum {
	TRIES = 64,		/* numbers tried for a snapshot */
	DOMAIN_FILE = 8 + CX_DOMAIN_BYTES,
};

void
dl_mirror_done(struct dl_mirror *m)
{
	struct dl_remote *remote = m->remote;

	dl_release_done(&m->release);
	dl_seen_done(&m->seen);
	*m = (struct dl_mirror)DL_MIRROR_EMPTY;
	m->remote = remote;
}

bool
dl_mirror_holds(const struct dl_mirror *m, enum cx_role role,
		const struct cx_key *k)
{
	return cx_pubs_signer(&m->seen.root.role[role].keys,
			      k->pub.sign) != NULL;
}

/* The pin of metadata that is there. */
static int
pin_of(struct dl_mirror *m, enum cx_role role, struct cx_pin *ret,
       struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	const struct dl_mark *mark = &m->seen.mark[role];
	char name[DL_META_NAME];

	dl_meta_name(role, mark->number, name);

	int there = dl_remote_slurp(m->remote, name, CX_META_MAX, &b, e);
	if (there < 0)
		return -1;
	ret->number = mark->number;
	ret->len = b.len;
	cx_hash(ret->hash, b.at, b.len);
	if (there == 0 || !cx_same(ret->hash, mark->hash, CX_HASH_BYTES))
		return err_set(e, ERR_UNSAFE, "%s: somebody else pushes there; "
			       "try again when that has ended",
			       dl_remote_name(m->remote));
	return 0;
}

/* ---- the root ------------------------------------------------------------ */

static int
put_root(struct dl_mirror *m, const void *at, size_t len, uint64_t number,
	 struct err *e)
{
	char name[DL_META_NAME];

	dl_meta_name(CX_ROLE_ROOT, number, name);
	return dl_remote_put_bytes(m->remote, name, at, len, DL_PUT_REPLACE,
				   e) < 0 ? -1 : 0;
}

/* 1 the file's root was the next one and is now published; 0 it is not newer. */
static int
publish_root(struct dl_mirror *m, const char *path, struct err *e)
{
	CX_META_SCOPED struct cx_meta meta = CX_META_EMPTY;
	CX_ROOT_SCOPED struct cx_root root = CX_ROOT_EMPTY;
	SCOPED_FREE uint8_t *in = NULL;
	size_t len;

	if (io_slurp(path, CX_META_SMALL, &in, &len, e) < 0 ||
	    dl_root_parse(path, in, len, &meta, &root, e) < 0)
		return -1;
	if (meta.number <= m->seen.meta.number)
		return 0;
	if (meta.number != m->seen.meta.number + 1 ||
	    memcmp(meta.domain, m->seen.meta.domain, CX_DOMAIN_BYTES) != 0)
		return err_set(e, ERR_UNSAFE, "%s: root %" PRIu64 " does not "
			       "follow root %" PRIu64 " of %s", path,
			       meta.number, m->seen.meta.number,
			       dl_remote_name(m->remote));
	if (cx_meta_check(path, &meta, &m->seen.root.role[CX_ROLE_ROOT],
			  e) < 0 ||
	    cx_meta_check(path, &meta, &root.role[CX_ROLE_ROOT], e) < 0 ||
	    put_root(m, in, len, meta.number, e) < 0)
		return -1;
	return 1;
}

static int
put_first_root(struct dl_mirror *m, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (cx_meta_encode(&m->seen.meta, &b, e) < 0)
		return -1;
	return put_root(m, b.at, b.len, m->seen.meta.number, e);
}

/* ---- opening ------------------------------------------------------------- */

/* What a mirror says is not to be trusted, but the user brings a new root: former
 * holders' word does not matter then, and what the new ones have not signed yet
 * cannot.  Of the releases those count that they signed. */
static int
recover(struct dl_mirror *m, const struct dl_trust *t, const struct err *why,
	struct err *e)
{
	CX_META_SCOPED struct cx_meta meta = CX_META_EMPTY;
	CX_ROOT_SCOPED struct cx_root root = CX_ROOT_EMPTY;
	SCOPED_FREE uint8_t *in = NULL;
	size_t len;
	int known;

	if (io_slurp(t->root, CX_META_SMALL, &in, &len, e) < 0 ||
	    dl_root_parse(t->root, in, len, &meta, &root, e) < 0)
		return -1;
	known = dl_seen_load(t->state, meta.domain, &m->seen, e);
	if (known < 0)
		return -1;
	if (known == 1 &&
	    (meta.number == m->seen.meta.number + 1 ||
	     (meta.number == m->seen.meta.number &&
	      m->seen.mark[CX_ROLE_TIMESTAMP].number == 0)))
		return 0;
	*e = *why;
	return -1;
}

/* Whose mirror it says it is: whether that is so, signatures show. */
static int
read_domain(struct dl_mirror *m, uint8_t ret[CX_DOMAIN_BYTES], struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	int there = dl_remote_slurp(m->remote, "domain", DOMAIN_FILE, &b, e);

	if (there == 1 && b.len != DOMAIN_FILE)
		return err_set(e, ERR_CORRUPT, "%s/domain: is no domain",
			       dl_remote_name(m->remote));
	if (there == 1)
		memcpy(ret, b.at + DOMAIN_FILE - CX_DOMAIN_BYTES,
		       CX_DOMAIN_BYTES);
	return there;
}

/* What is there now: m->pin.number is 0 when no release is the present one. */
static int
load(struct dl_mirror *m, const struct dl_trust *t, const uint8_t *domain,
     struct err *e)
{
	struct dl_trust lenient = *t;
	uint8_t said[CX_DOMAIN_BYTES];
	struct err why = ERR_INIT;
	int there;

	lenient.allow_expired = true;	/* what is signed now makes it new */
	dl_mirror_done(m);
	there = dl_trust_update(m->remote, &lenient, &m->seen, &m->release,
				&why);
	m->there = there != 0;
	if (there == 1)
		return pin_of(m, CX_ROLE_RELEASE, &m->pin, e);
	if (there < 0 && why.kind == ERR_AUTH && t->root != NULL)
		return recover(m, t, &why, e);
	if (there < 0) {
		*e = why;
		return -1;
	}
	if (domain == NULL) {
		there = read_domain(m, said, e);
		if (there < 0)
			return -1;
		if (there == 0)
			return err_set(e, ERR_NO, "%s: nothing was ever pushed "
				       "there", dl_remote_name(m->remote));
		domain = said;
	}
	if (dl_trust_begin(t, domain, &m->seen, e) < 0)
		return -1;
	return dl_seen_save(t->state, &m->seen, e);
}

int
dl_mirror_open(struct dl_mirror *m, struct dl_remote *r,
	       const struct dl_trust *t, const uint8_t *domain, struct err *e)
{
	int more = 0;

	m->remote = r;
	if (load(m, t, domain, e) < 0)
		return -1;
	if (m->there && t->root != NULL)
		more = publish_root(m, t->root, e);
	if (more < 0 || (more == 1 && load(m, t, domain, e) < 0))
		return -1;
	if (!m->there && put_first_root(m, e) < 0)
		return -1;
	more = dl_trust_pending(r, &m->seen, m->pin.number, &m->release,
				&m->pin, e);
	m->pending = more == 1;
	return more < 0 ? -1 : 0;
}

/* ---- signing ------------------------------------------------------------- */

/* Sign a role's metadata and put it under the first number that is free. */
static int
put_next(struct dl_mirror *m, enum cx_role role, uint64_t number,
	 const struct buf *body, const struct cx_key *k, struct cx_pin *ret,
	 struct err *e)
{
	for (unsigned i = 0; i < TRIES; i++) {
		BUF_SCOPED struct buf b = BUF_EMPTY;
		struct err taken = ERR_INIT;
		char name[DL_META_NAME];

		dl_meta_name(role, number + i, name);
		if (dl_trust_sign(&m->seen, role, number + i, body->at,
				  body->len, k, &b, e) < 0)
			return -1;
		if (dl_remote_put_bytes(m->remote, name, b.at, b.len,
					DL_PUT_NEW, &taken) >= 0) {
			ret->number = number + i;
			ret->len = b.len;
			cx_hash(ret->hash, b.at, b.len);
			return 0;
		}
		/* Two releases at once would lose one of them. */
		if (taken.kind != ERR_UNSAFE || role == CX_ROLE_RELEASE) {
			*e = taken;
			return -1;
		}
	}
	return err_set(e, ERR_UNSAFE, "%s: has %s metadata that nothing names; "
		       "remove it from trust/", dl_remote_name(m->remote),
		       cx_role_name(role));
}

int
dl_mirror_put_release(struct dl_mirror *m, const struct cx_key *k,
		      struct err *e)
{
	BUF_SCOPED struct buf body = BUF_EMPTY;

	/* Another mirror of the origin may be ahead: clients know both. */
	uint64_t last = num_max(m->pin.number,
				m->seen.mark[CX_ROLE_RELEASE].number);

	if (dl_release_encode(&m->release, &body, e) < 0 ||
	    put_next(m, CX_ROLE_RELEASE, last + 1, &body, k, &m->pin, e) < 0)
		return -1;
	m->pending = true;
	return 0;
}

int
dl_mirror_present(struct dl_mirror *m, const struct cx_key *k, struct err *e)
{
	BUF_SCOPED struct buf body = BUF_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct cx_pin snapshot;
	char name[DL_META_NAME];

	if (m->pin.number == 0)
		return err_set(e, ERR_NO, "%s: nothing that is signed was "
			       "pushed there", dl_remote_name(m->remote));
	if (m->pending || dl_mirror_holds(m, CX_ROLE_SNAPSHOT, k)) {
		if (cx_pin_encode(&m->pin, &body, e) < 0 ||
		    put_next(m, CX_ROLE_SNAPSHOT,
			     m->seen.mark[CX_ROLE_SNAPSHOT].number + 1, &body,
			     k, &snapshot, e) < 0)
			return -1;
	} else if (pin_of(m, CX_ROLE_SNAPSHOT, &snapshot, e) < 0) {
		return -1;
	}
	body.len = 0;
	dl_meta_name(CX_ROLE_TIMESTAMP, 0, name);
	if (cx_pin_encode(&snapshot, &body, e) < 0 ||
	    dl_trust_sign(&m->seen, CX_ROLE_TIMESTAMP,
			  m->seen.mark[CX_ROLE_TIMESTAMP].number + 1, body.at,
			  body.len, k, &b, e) < 0)
		return -1;
	m->pending = false;
	return dl_remote_put_bytes(m->remote, name, b.at, b.len,
				   DL_PUT_REPLACE, e) < 0 ? -1 : 0;
}

int
dl_refresh(struct dl_remote *r, const struct dl_trust *t,
	   const struct cx_key *k, uint64_t *ret_release, struct err *e)
{
	DL_MIRROR_SCOPED struct dl_mirror m = DL_MIRROR_EMPTY;

	if (dl_mirror_open(&m, r, t, NULL, e) < 0)
		return -1;
	/* Former holders' word counts no more: who may, says it again. */
	if (m.pin.number != 0 && m.seen.mark[CX_ROLE_RELEASE].number == 0 &&
	    !m.pending && dl_mirror_holds(&m, CX_ROLE_RELEASE, k) &&
	    dl_mirror_put_release(&m, k, e) < 0)
		return -1;
	if (dl_mirror_present(&m, k, e) < 0)
		return -1;
	*ret_release = m.pin.number;
	return 0;
}
