/* push.c - see push.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/push.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "crypt/hash.h"
#include "crypt/key.h"
#include "delta/create.h"
#include "delta/mirror.h"
#include "delta/parts.h"
#include "delta/remote.h"
#include "delta/stored.h"
#include "disk/disk.h"
#include "source/source.h"
#include "store/index.h"
#include "store/line.h"
#include "store/pack.h"
#include "store/version.h"

enum { LIST_MAX = 64 << 20 };

struct pushing {
	const struct dl_push *p;
	struct dl_mirror mirror;
	struct dl_parts parts;		/* for its folder, and its lock */
	struct st_index index;		/* of the mirror's packs */
	char *index_dir;
	struct progress progress;
	bool changed;
};

/* A version on its way. */
struct going {
	struct pushing *all;
	struct st_ref ref;
	struct st_line line;
	struct st_version version;
	struct dl_offered offer;	/* lists not owned by a release yet */
};

static void
pushing_done(struct pushing *all)
{
	progress_end(&all->progress);
	st_index_done(&all->index);
	free(all->index_dir);
	dl_parts_done(&all->parts);
	dl_mirror_done(&all->mirror);
}

static void
going_done(struct going *g)
{
	free(g->offer.index);
	free(g->offer.delta);
	st_version_done(&g->version);
	st_line_done(&g->line);
}

/* ---- objects ------------------------------------------------------------- */

/* Put a file of the repository. */
static int
put_file(struct pushing *all, const char *path, const char *name,
	 struct dl_object *ret, struct err *e)
{
	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	ret->len = (uint64_t)st.st_size;
	return dl_remote_put(all->mirror.remote, name, fd, DL_PUT_KEEP,
			     &all->progress, e) < 0 ? -1 : 0;
}

static int
put_bytes(struct pushing *all, const char *name, const void *at, size_t len,
	  enum dl_put how, struct err *e)
{
	return dl_remote_put_bytes(all->mirror.remote, name, at, len, how,
				   e) < 0 ? -1 : 0;
}

/* What makes the mirror a repository that can be verified. */
static int
put_head(struct pushing *all, struct err *e)
{
	BUF_SCOPED struct buf config = BUF_EMPTY;
	BUF_SCOPED struct buf domain = BUF_EMPTY;
	uint8_t id[CX_DOMAIN_BYTES];

	(void)st_repo_domain(all->p->repo, id);
	if (st_mirror_config(&config, e) < 0 ||
	    st_mirror_domain(&domain, id, e) < 0 ||
	    put_bytes(all, "domain", domain.at, domain.len, DL_PUT_KEEP,
		      e) < 0 ||
	    put_bytes(all, "config", config.at, config.len, DL_PUT_KEEP, e) < 0)
		return -1;
	return put_bytes(all, "lock", "", 0, DL_PUT_KEEP, e);
}

/* ---- packs --------------------------------------------------------------- */

/* Learn which packs are on the mirror: the fragments that its release names. */
static int
learn_fragment(struct pushing *all, const struct dl_object *o, struct err *e)
{
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = NULL;
	const struct dl_mirror *m = &all->mirror;

	for (size_t i = 0; i < all->index.count; i++)
		if (st_id_equal(st_index_id(&all->index, i), &o->id))
			return 0;
	path = mem_fmt(e, "%s/%s.index", all->index_dir,
		       st_id_hex(&o->id, hex));
	if (path == NULL)
		return -1;
	if (access(path, F_OK) < 0 &&
	    (dl_parts_want(&all->parts, &o->id, 0, o->len, e) < 0 ||
	     dl_parts_fetch(&all->parts, m->remote, "index", "index", NULL,
			    e) < 0 ||
	     dl_parts_join(&all->parts, o, path, dl_remote_name(m->remote),
			   e) < 0))
		return -1;
	return st_index_add(&all->index, all->index_dir, &o->id, e);
}

static int
learn_index(struct pushing *all, struct err *e)
{
	const struct dl_release *r = &all->mirror.release;

	all->index_dir = io_join(all->parts.dir, "index", e);
	if (all->index_dir == NULL || io_mkdirs(all->index_dir, 0755, e) < 0)
		return -1;
	for (size_t l = 0; l < r->lines; l++)
		for (size_t v = 0; v < r->line[l].versions; v++) {
			const struct dl_offered *o = &r->line[l].version[v];

			for (size_t i = 0; i < o->indexes; i++)
				if (learn_fragment(all, &o->index[i], e) < 0)
					return -1;
		}
	return 0;
}

/* Note that the version needs a fragment. */
static int
use_fragment(struct dl_offered *o, const struct dl_object *fragment,
	     struct err *e)
{
	for (size_t i = 0; i < o->indexes; i++)
		if (st_id_equal(&o->index[i].id, &fragment->id))
			return 0;
	if (mem_grow(&o->index, &o->index_cap, o->indexes + 1,
		     sizeof(*o->index), e) < 0)
		return -1;
	o->index[o->indexes++] = *fragment;
	return 0;
}

/* The mirror's fragment that lists a pack: 1 found and noted, 0 there is none. */
static int
find_pack(struct going *g, const struct st_id *pack, struct err *e)
{
	const struct st_index *ix = &g->all->index;
	size_t at = 0;

	for (size_t f = 0; f < ix->count; f++) {
		for (size_t n = st_index_fragment_packs(ix, f); n > 0; n--) {
			struct st_pack_info info;
			struct dl_object o = { .id = *st_index_id(ix, f) };
			char hex[ST_ID_HEX];
			SCOPED_FREE char *path = NULL;
			struct stat st;

			if (st_index_pack(ix, at++, &info, e) < 0)
				return -1;
			if (!st_id_equal(&info.id, pack))
				continue;
			path = mem_fmt(e, "%s/%s.index", g->all->index_dir,
				       st_id_hex(&o.id, hex));
			if (path == NULL)
				return -1;
			if (stat(path, &st) < 0)
				return err_sys(e, "%s", path);
			o.len = (uint64_t)st.st_size;
			return use_fragment(&g->offer, &o, e) < 0 ? -1 : 1;
		}
	}
	return 0;
}

/* Put a pack, after a look at whether it is whole. */
static int
put_pack(struct going *g, const struct st_id *pack, struct st_index_new *fresh,
	 struct err *e)
{
	ST_ENTRIES_SCOPED struct st_entries entries = ST_ENTRIES_EMPTY;
	char hex[ST_ID_HEX];
	SCOPED_FREE char *name = mem_fmt(e, "packs/%s.pack",
					 st_id_hex(pack, hex));
	SCOPED_FREE char *path = name == NULL ? NULL :
		io_join(st_repo_path(g->all->p->repo), name, e);
	struct st_pack_info info = { .id = *pack };
	struct dl_object o;

	if (path == NULL || st_pack_scan(path, pack, &entries, e) < 0 ||
	    put_file(g->all, path, name, &o, e) < 0)
		return -1;
	info.len = (uint32_t)o.len;
	info.records = (uint32_t)entries.count;
	return st_index_new_pack(fresh, &info, &entries, e);
}

static int
put_fragment(struct going *g, struct st_index_new *fresh, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	char hex[ST_ID_HEX];
	SCOPED_FREE char *name = NULL;
	struct dl_object o;

	if (fresh->packs == 0)
		return 0;
	if (st_index_new_encode(fresh, &b, e) < 0)
		return -1;
	cx_hash(o.id.at, b.at, b.len);
	o.len = b.len;
	name = mem_fmt(e, "index/%s.index", st_id_hex(&o.id, hex));
	if (name == NULL ||
	    put_bytes(g->all, name, b.at, b.len, DL_PUT_KEEP, e) < 0 ||
	    use_fragment(&g->offer, &o, e) < 0)
		return -1;
	return learn_fragment(g->all, &o, e);
}

static int
put_packs(struct going *g, struct err *e)
{
	ST_LIST_SCOPED struct st_list list = ST_LIST_EMPTY;
	ST_INDEX_NEW_SCOPED struct st_index_new fresh = ST_INDEX_NEW_EMPTY;

	if (st_list_load(g->all->p->repo, &g->ref.version, &list, e) < 0)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		int there = find_pack(g, &list.at[i].pack, e);

		if (there < 0 || stop_check(e) < 0 ||
		    (there == 0 &&
		     put_pack(g, &list.at[i].pack, &fresh, e) < 0))
			return -1;
	}
	return put_fragment(g, &fresh, e);
}

/* ---- the version itself -------------------------------------------------- */

static int
put_version(struct going *g, struct err *e)
{
	const struct st_id *id = &g->ref.version;
	struct dl_offered *o = &g->offer;
	char hex[ST_ID_HEX];
	SCOPED_FREE char *manifest = mem_fmt(e, "versions/%s.version",
					     st_id_hex(id, hex));
	SCOPED_FREE char *list = mem_fmt(e, "versions/%s.list", hex);
	SCOPED_FREE char *ref = mem_fmt(e, "refs/%s/%" PRIu64, g->ref.name,
					g->ref.number);
	SCOPED_FREE char *path = list == NULL ? NULL :
		io_join(st_repo_path(g->all->p->repo), list, e);
	SCOPED_FREE uint8_t *at = NULL, *list_at = NULL;
	size_t len, list_len;
	char line[ST_ID_HEX + 2];

	if (manifest == NULL || ref == NULL || path == NULL ||
	    st_version_bytes(g->all->p->repo, id, &at, &len, e) < 0 ||
	    io_slurp(path, LIST_MAX, &list_at, &list_len, e) < 0)
		return -1;
	o->number = g->ref.number;
	o->manifest = (struct dl_object){ .id = *id, .len = len };
	o->list.len = list_len;
	cx_hash(o->list.id.at, list_at, list_len);
	(void)snprintf(line, sizeof(line), "%s\n", hex);
	if (put_bytes(g->all, manifest, at, len, DL_PUT_KEEP, e) < 0 ||
	    put_bytes(g->all, list, list_at, list_len, DL_PUT_REPLACE, e) < 0)
		return -1;
	return put_bytes(g->all, ref, line, strlen(line), DL_PUT_REPLACE, e);
}

/* Who may read the line may have changed. */
static int
put_line(struct going *g, struct err *e)
{
	char hex[2 * ST_LINE_BYTES + 1];
	SCOPED_FREE char *name = NULL;
	SCOPED_FREE uint8_t *at = NULL;
	size_t len;

	cx_hex(hex, g->line.id, ST_LINE_BYTES);
	name = mem_fmt(e, "keys/%s.line", hex);
	if (name == NULL ||
	    st_line_bytes(g->all->p->repo, g->line.id, &at, &len, e) < 0)
		return -1;
	return put_bytes(g->all, name, at, len, DL_PUT_REPLACE, e);
}

/* ---- the delta ----------------------------------------------------------- */

static int
make_delta(struct going *g, const struct st_ref *from, const char *path,
	   struct err *e)
{
	struct st_repo *repo = g->all->p->repo;
	SCOPED_FREE char *old_name = mem_fmt(e, "%s:%" PRIu64, from->name,
					     from->number);
	SCOPED_FREE char *new_name = mem_fmt(e, "%s:%" PRIu64, g->ref.name,
					     g->ref.number);
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;
	CX_KEY_SCOPED struct cx_key identity = CX_KEY_EMPTY;
	DK_SCOPED struct dk *old = old_name == NULL ? NULL :
		src_version(repo, old_name, e);
	DK_SCOPED struct dk *new = old == NULL || new_name == NULL ? NULL :
		src_version(repo, new_name, e);
	struct dl_created made;

	if (new == NULL || st_line_identity(&g->line, &identity, e) < 0 ||
	    cx_pubs_add(&to, &identity.pub, e) < 0)
		return -1;

	const struct dl_new n = {
		.old = old, .new = new, .old_name = old_name,
		.new_name = new_name, .effort = DL_DEFAULT, .stored_in = repo,
		.to = &to, .signer = st_repo_key(repo),
	};
	return dl_create(&n, path, &made, e);
}

static int
hash_file(const char *path, struct dl_object *ret, struct err *e)
{
	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	SCOPED_FREE uint8_t *room = mem_array(1 << 20, 1, e);
	struct cx_hasher h;
	size_t n = 0;

	if (room == NULL)
		return -1;
	if (fd < 0)
		return err_sys(e, "%s", path);
	cx_hash_begin(&h);
	ret->len = 0;
	do {
		if (io_read_some(fd, room, 1 << 20, path, &n, e) < 0)
			return -1;
		cx_hash_add(&h, room, n);
		ret->len += n;
	} while (n == 1 << 20);
	cx_hash_end(&h, ret->id.at);
	return 0;
}

/* A delta from the version before, where it is smaller than what it replaces:
 * 1 put, 0 there is none. */
static int
put_delta(struct going *g, const struct dl_offered *before, struct err *e)
{
	struct dl_offered *o = &g->offer;
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = io_join(g->all->parts.dir, "new.delta", e);
	SCOPED_FREE char *name = NULL;
	struct dl_offer d;
	struct st_ref from;
	int here;

	if (path == NULL)
		return -1;
	if (before == NULL)
		return 0;
	here = dl_stored_find(g->all->p->repo, before->manifest.id.at, &from,
			      e);
	if (here <= 0)
		return here;
	if (make_delta(g, &from, path, e) < 0 ||
	    hash_file(path, &d.file, e) < 0)
		return -1;
	if (d.file.len >= g->version.stored) {
		(void)unlink(path);
		return 0;
	}
	d.from = before->manifest.id;
	name = mem_fmt(e, "deltas/%s.delta", st_id_hex(&d.file.id, hex));
	if (name == NULL || put_file(g->all, path, name, &d.file, e) < 0 ||
	    mem_grow(&o->delta, &o->delta_cap, 1, sizeof(*o->delta), e) < 0)
		return -1;
	(void)unlink(path);
	o->delta[o->deltas++] = d;
	return 1;
}

/* ---- all of it ----------------------------------------------------------- */

/* The line in the release, made if it is new. */
static struct dl_line *
release_line(struct going *g, struct err *e)
{
	struct dl_release *r = &g->all->mirror.release;
	struct dl_line *l = dl_release_line(r, g->ref.name);

	if (l == NULL) {
		l = dl_release_add(r, g->ref.name, e);
		if (l != NULL)
			memcpy(l->id, g->line.id, sizeof(l->id));
		return l;
	}
	if (memcmp(l->id, g->line.id, sizeof(l->id)) != 0) {
		(void)err_set(e, ERR_UNSAFE, "%s: is another image at %s",
			      g->ref.name, dl_remote_name(g->all->p->remote));
		return NULL;
	}
	return l;
}

/* The newest version there below a number. */
static const struct dl_offered *
version_below(const struct dl_line *l, uint64_t number)
{
	const struct dl_offered *best = NULL;

	for (size_t i = 0; i < l->versions; i++)
		if (l->version[i].number < number)
			best = &l->version[i];
	return best;
}

static int
push_going(struct going *g, enum dl_pushed *ret, struct err *e)
{
	struct dl_line *l = release_line(g, e);
	struct dl_offered *slot;
	int delta;

	if (l == NULL || put_line(g, e) < 0)
		return -1;
	*ret = DL_PUSHED_BEFORE;
	if (g->all->p->back && l->versions > 0 &&
	    dl_line_newest(l)->number > g->ref.number) {
		dl_line_go_back(l, g->ref.number);
		g->all->changed = true;
	}
	slot = dl_line_version(l, g->ref.number);
	if (slot != NULL && st_id_equal(&slot->manifest.id, &g->ref.version))
		return 0;
	if (slot != NULL)
		return err_set(e, ERR_UNSAFE, "%s:%" PRIu64 ": is another "
			       "version at %s", g->ref.name, g->ref.number,
			       dl_remote_name(g->all->p->remote));
	progress_begin(&g->all->progress, g->ref.name, true, 0);
	if (put_packs(g, e) < 0 || put_version(g, e) < 0)
		return -1;
	delta = put_delta(g, version_below(l, g->ref.number), e);
	if (delta < 0)
		return -1;
	slot = dl_line_add(l, g->ref.number, e);
	if (slot == NULL)
		return -1;
	*slot = TAKE(g->offer);
	g->all->changed = true;
	*ret = delta == 1 ? DL_PUSHED_DELTA : DL_PUSHED;
	return 0;
}

static int
push_one(struct pushing *all, const char *text, struct err *e)
{
	SCOPED(going_done) struct going g = {
		.all = all, .line = ST_LINE_EMPTY, .version = ST_VERSION_EMPTY,
	};
	enum dl_pushed what;

	if (st_ref_find(all->p->repo, text, &g.ref, e) < 0 ||
	    st_version_load(all->p->repo, &g.ref, &g.line, &g.version, e) < 0 ||
	    (!all->p->unproven && st_version_proven(&g.version, e) < 0) ||
	    push_going(&g, &what, e) < 0)
		return -1;
	progress_end(&all->progress);
	all->p->tell(&g.ref, what);
	return 0;
}

/* May this key push here? */
static int
check_role(const struct pushing *all, struct err *e)
{
	const struct st_repo *repo = all->p->repo;
	uint8_t domain[CX_DOMAIN_BYTES];

	(void)st_repo_domain(repo, domain);
	if (memcmp(all->mirror.seen.meta.domain, domain, sizeof(domain)) != 0)
		return err_set(e, ERR_UNSAFE, "%s: is a mirror of another "
			       "origin than %s",
			       dl_remote_name(all->mirror.remote),
			       st_repo_path(repo));
	if (!dl_mirror_holds(&all->mirror, CX_ROLE_RELEASE, st_repo_key(repo)))
		return err_set(e, ERR_AUTH, "%s: does not hold the role release "
			       "at %s; imgdelta trust rotate gives it",
			       st_repo_key(repo)->pub.name,
			       dl_remote_name(all->mirror.remote));
	return 0;
}

int
dl_push(const struct dl_push *p, bool *ret_present, struct err *e)
{
	SCOPED(pushing_done) struct pushing all = {
		.p = p, .mirror = DL_MIRROR_EMPTY, .parts = DL_PARTS_EMPTY,
		.index = ST_INDEX_EMPTY,
	};
	const struct cx_key *k = st_repo_key(p->repo);
	uint8_t domain[CX_DOMAIN_BYTES];

	if (!st_repo_is_admin(p->repo))
		return err_set(e, ERR_AUTH, "%s: only an administrator's key "
			       "can push", st_repo_path(p->repo));
	(void)st_repo_domain(p->repo, domain);
	if (dl_parts_open(&all.parts, st_repo_path(p->repo), e) < 0 ||
	    dl_mirror_open(&all.mirror, p->remote, &p->trust, domain, e) < 0 ||
	    check_role(&all, e) < 0 || put_head(&all, e) < 0 ||
	    learn_index(&all, e) < 0)
		return -1;
	for (size_t i = 0; i < p->versions; i++)
		if (push_one(&all, p->version[i], e) < 0)
			return -1;
	if (all.changed && dl_mirror_put_release(&all.mirror, k, e) < 0)
		return -1;
	*ret_present = !all.mirror.pending;
	if (dl_mirror_holds(&all.mirror, CX_ROLE_SNAPSHOT, k) &&
	    dl_mirror_holds(&all.mirror, CX_ROLE_TIMESTAMP, k)) {
		*ret_present = true;
		return dl_mirror_present(&all.mirror, k, e);
	}
	return 0;
}
