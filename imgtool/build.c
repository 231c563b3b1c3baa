/* build.c - see build.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "imgtool/build.h"

#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/stop.h"
#include "crypt/key.h"
#include "disk/disk.h"
#include "imgtool/recipe.h"
#include "source/take.h"
#include "source/source.h"
#include "store/version.h"

enum { PIECE = 1 << 20 };

#define STEPS_LINE ".steps"

void
built_done(struct built *b)
{
	build_platforms_done(&b->platforms);
	free(b->base);
	*b = (struct built)BUILT_EMPTY;
}

/* A build that is under way. */
struct work {
	const struct cli_args *args;
	struct recipe *recipe;
	struct st_repo *repo;
	char *steps_line;
	struct built *built;
	struct st_ref from;	/* the version to begin with; number 0: base */
};

/* "NAME:NUMBER" */
static char *
ref_text(const struct st_ref *ref, struct err *e)
{
	return mem_fmt(e, "%s:%llu", ref->name, (unsigned long long)ref->number);
}

/* ---- the base ------------------------------------------------------------ */

/* A disk's contents, as far as they are not zeros. */
struct content {
	struct dk *disk;
	struct cx_hasher hash;
	uint8_t *piece;
};

static int
add_extent(void *arg, uint64_t at, uint64_t len, unsigned kind, struct err *e)
{
	struct content *c = arg;
	uint8_t place[8];

	for (; len > 0 && (kind & DK_ZERO) == 0;) {
		size_t n = (size_t)num_min(len, PIECE);

		if (stop_check(e) < 0 || dk_read(c->disk, c->piece, n, at, e) < 0)
			return -1;
		num_put_u64le(place, at);
		cx_hash_add(&c->hash, place, sizeof(place));
		cx_hash_add(&c->hash, c->piece, n);
		at += n;
		len -= n;
	}
	return 0;
}

static int
disk_key(struct dk *d, uint8_t ret[CX_HASH_BYTES], struct err *e)
{
	SCOPED_FREE uint8_t *piece = mem_array(PIECE, 1, e);
	struct content c = { .disk = d, .piece = piece };

	cx_hash_begin(&c.hash);
	if (piece == NULL || dk_extents(d, 0, d->size, add_extent, &c, e) < 0)
		return -1;
	cx_hash_end(&c.hash, ret);
	return 0;
}

/* What the first step's key begins with. */
static int
find_base(struct work *w, uint8_t key[CX_HASH_BYTES], struct err *e)
{
	DK_SCOPED struct dk *d = NULL;
	struct st_ref ref;

	if (!w->recipe->base_is_version) {
		log_note("%s: is looked at for changes", w->recipe->base);
		w->built->base = mem_str(w->recipe->base, e);
		d = dk_open(w->recipe->base, w->args->format, w->args->state, 0,
			    e);
		return w->built->base == NULL || d == NULL ? -1 :
		       disk_key(d, key, e);
	}
	if (st_ref_find(w->repo, w->recipe->base, &ref, e) < 0)
		return -1;
	w->built->base = ref_text(&ref, e);
	memcpy(key, ref.version.at, CX_HASH_BYTES);
	return w->built->base == NULL ? -1 : 0;
}

/* ---- what is there already ----------------------------------------------- */

/* How many steps of the recipe have been done in a version: the number of the
 * step whose key it notes, from 1; 0: none of them. */
static int
steps_in(const struct work *w, const struct st_ref *ref, size_t *ret,
	 struct err *e)
{
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	const char *noted;
	char hex[CX_HEX_ROOM];

	*ret = 0;
	if (st_version_load(w->repo, ref, &line, &v, e) < 0)
		return -1;
	noted = st_version_get(&v, "step");
	for (size_t i = w->recipe->steps; noted != NULL && i > 0; i--) {
		cx_hex(hex, w->recipe->step[i - 1].key, CX_HASH_BYTES);
		if (strcmp(noted, hex) == 0) {
			*ret = i;
			break;
		}
	}
	return 0;
}

/* The newest version of a line in which more steps have been done than in what
 * was found so far. */
static int
look_in(struct work *w, const char *line, struct err *e)
{
	ST_REFS_SCOPED struct st_refs all = ST_REFS_EMPTY;

	if (st_ref_versions(w->repo, line, &all, e) < 0)
		return -1;
	for (size_t i = all.count; i > 0; i--) {
		size_t steps;

		if (steps_in(w, &all.at[i - 1], &steps, e) < 0)
			return -1;
		if (steps > w->built->reused) {
			w->built->reused = steps;
			w->from = all.at[i - 1];
		}
	}
	return 0;
}

/* What an old version notes about its platforms. */
static int
recall(struct work *w, struct err *e)
{
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	struct build_platforms *all = &w->built->platforms;

	if (st_version_load(w->repo, &w->from, &line, &v, e) < 0)
		return -1;
	for (size_t i = 0; i < v.props; i++) {
		const char *value = v.prop[i].value;
		struct build_platform *x;

		if (strncmp(v.prop[i].key, ST_PROP_PLATFORM, strlen(ST_PROP_PLATFORM)) != 0)
			continue;
		if (mem_grow(&all->at, &all->cap, all->count + 1,
			     sizeof(*all->at), e) < 0)
			return -1;
		x = &all->at[all->count++];
		x->name = mem_str(v.prop[i].key + strlen(ST_PROP_PLATFORM), e);
		x->why = strncmp(value, "NO ", 3) == 0 ?
			mem_str(value + 3, e) : NULL;
		if (e->kind != ERR_NONE)
			return -1;
	}
	w->built->ref = w->from;
	return 0;
}

/* ---- doing it ------------------------------------------------------------ */

static struct dk *
open_from(const struct work *w, struct err *e)
{
	SCOPED_FREE char *version = w->from.number > 0 ?
		ref_text(&w->from, e) : mem_str(w->built->base, e);

	if (version == NULL)
		return NULL;
	if (w->from.number > 0 || w->recipe->base_is_version)
		return src_version(w->repo, version, e);
	return dk_open(version, w->args->format, w->args->state, 0, e);
}

static struct dk *
open_writable(const struct work *w, struct err *e)
{
	struct dk *under = open_from(w, e);

	return under == NULL ? NULL : dk_overlay(under, NULL, NULL, e);
}

static int
do_step(const struct work *w, size_t i, struct dk *d, struct err *e)
{
	const struct recipe_step *s = &w->recipe->step[i];

	log_note("step %zu of %zu: %s", i + 1, w->recipe->steps, s->name);
	if (build_step(d, s, w->args->root, e) < 0)
		return err_ctx(e, "step %zu, %s", i + 1, s->name);
	return 0;
}

static void
tell(const char *text)
{
	log_note("%s", text);
}

/* Store what a step made as a version between. */
static int
store_step(struct work *w, size_t i, struct dk *d, struct err *e)
{
	SRC_TAKEN_SCOPED struct src_taken got = SRC_TAKEN_EMPTY;
	SCOPED_FREE char *parent = w->from.number > 0 ? ref_text(&w->from, e) :
		w->recipe->base_is_version ? mem_str(w->built->base, e) : NULL;
	char key[CX_HEX_ROOM];
	const struct src_note note = { "step", key };
	const struct src_take t = { .name = w->steps_line, .parent = parent,
				.note = &note, .notes = 1, .tell = tell };

	cx_hex(key, w->recipe->step[i].key, CX_HASH_BYTES);
	if (e->kind != ERR_NONE || src_take_disk(w->repo, d, &t, &got, e) < 0)
		return -1;
	w->from = got.ref;
	return 0;
}

/* The notes of the final version. */
struct notes {
	struct src_note *at;
	char **text;		/* owned, two for each platform */
	size_t count, texts;
};

static void
notes_done(struct notes *n)
{
	for (size_t i = 0; i < n->texts; i++)
		free(n->text[i]);
	free(n->text);
	free(n->at);
}

static int
note_platforms(const struct work *w, struct notes *n, struct err *e)
{
	const struct build_platforms *all = &w->built->platforms;

	n->at = mem_array(3 + all->count, sizeof(*n->at), e);
	n->text = mem_array(2 * all->count, sizeof(*n->text), e);
	if (n->at == NULL || n->text == NULL)
		return -1;
	for (size_t i = 0; i < all->count; i++) {
		const char *why = all->at[i].why;
		char *key = mem_fmt(e, ST_PROP_PLATFORM "%s", all->at[i].name);
		char *value = why == NULL ? mem_str("YES", e) :
					    mem_fmt(e, "NO %s", why);

		n->text[n->texts++] = key;
		n->text[n->texts++] = value;
		n->at[n->count++] = (struct src_note){ key, value };
	}
	return e->kind != ERR_NONE ? -1 : 0;
}

static int
store_final(struct work *w, struct dk *d, struct err *e)
{
	const struct recipe *r = w->recipe;
	SRC_TAKEN_SCOPED struct src_taken got = SRC_TAKEN_EMPTY;
	SCOPED(notes_done) struct notes n = { .at = NULL };
	char key[CX_HEX_ROOM], hash[2 * HASH_BYTES + 1];

	if (note_platforms(w, &n, e) < 0)
		return -1;
	cx_hex(key, r->step[r->steps - 1].key, CX_HASH_BYTES);
	hash_text(r->hash, hash);
	n.at[n.count++] = (struct src_note){ "step", key };
	n.at[n.count++] = (struct src_note){ "recipe", hash };
	n.at[n.count++] = (struct src_note){ "base", w->built->base };
	const struct src_take t = {
		.name = r->name, .note = n.at, .notes = n.count,
		.parent = r->base_is_version ? w->built->base : NULL,
		.tell = tell,
	};
	if (src_take_disk(w->repo, d, &t, &got, e) < 0)
		return -1;
	w->built->ref = got.ref;
	return 0;
}

/* The steps from the first one that was not done before. */
static int
do_steps(struct work *w, bool check, struct err *e)
{
	size_t last = w->recipe->steps - 1;
	DK_SCOPED struct dk *d = open_writable(w, e);

	if (d == NULL)
		return -1;
	for (size_t i = w->built->reused; i <= last; i++) {
		if (stop_check(e) < 0 || do_step(w, i, d, e) < 0)
			return -1;
		if (check || i == last)
			continue;
		if (store_step(w, i, d, e) < 0)
			return -1;
		/* so that a build does not depend on what was reused */
		dk_free(&d);
		d = open_writable(w, e);
		if (d == NULL)
			return -1;
	}
	if (build_prove(d, w->recipe, w->args->root, &w->built->platforms,
			e) < 0)
		return -1;
	return check ? 0 : store_final(w, d, e);
}

static int
run(struct work *w, bool check, struct err *e)
{
	uint8_t base[CX_HASH_BYTES];

	w->steps_line = mem_fmt(e, "%s" STEPS_LINE, w->recipe->name);
	if (w->steps_line == NULL || find_base(w, base, e) < 0 ||
	    recipe_keys(w->recipe, base, w->args->root, e) < 0 ||
	    look_in(w, w->recipe->name, e) < 0)
		return -1;
	if (w->built->reused == w->recipe->steps)
		return recall(w, e);
	w->built->changed = true;
	if (look_in(w, w->steps_line, e) < 0)
		return -1;
	if (w->built->reused > 0)
		log_note("steps 1 to %zu of %zu: %s:%llu has them already",
			 w->built->reused, w->recipe->steps, w->from.name,
			 (unsigned long long)w->from.number);
	return do_steps(w, check, e);
}

int
build_run(const struct cli_args *a, struct recipe *r, bool check,
	  struct built *ret, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	ST_REPO_SCOPED struct st_repo *repo = src_origin(a, &key, e);
	BUILT_SCOPED struct built b = BUILT_EMPTY;
	struct work w = { .args = a, .recipe = r, .repo = repo, .built = &b };

	if (repo == NULL)
		return -1;
	int result = run(&w, check, e);
	free(w.steps_line);
	if (result == 0)
		*ret = TAKE(b);
	return result;
}
