/* store_fixture.h - a repository with one image, for tests
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "base/scope.h"
#include "crypt/key.h"
#include "store/import.h"
#include "store/writer.h"

/* A directory that goes when the test ends. */
static char fixture_dir[] = "/tmp/halcyon-store.XXXXXX";

static inline const char *
in_fixture(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *p = path[next++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", fixture_dir, name);
	return p;
}

static inline int
fixture_begin(void **state)
{
	(void)state;
	return mkdtemp(fixture_dir) == NULL ? -1 : 0;
}

static inline int
fixture_remove(const char *path, const struct stat *st, int type,
	       struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline int
fixture_end(void **state)
{
	(void)state;
	return nftw(fixture_dir, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

struct bytes {
	const uint8_t *at;
	size_t len;
};

static inline int
bytes_read(void *arg, void *buf, size_t len, uint64_t at, struct err *e)
{
	const struct bytes *b = arg;

	(void)e;
	memcpy(buf, b->at + at, len);
	return 0;
}

/* A repository of `k`, and a disk of bytes as NAME's next version. */
static inline int
fixture_repo(const char *path, const struct cx_key *k, struct err *e)
{
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;

	if (cx_pubs_add(&to, &k->pub, e) < 0)
		return -1;
	return st_repo_init(path, ST_REPO_ORIGIN, &to, e);
}

static inline int
fixture_import(struct st_repo *r, const char *name, const void *bytes,
	       size_t len, struct st_ref *ret, struct err *e)
{
	struct bytes b = { .at = bytes, .len = len };
	struct st_input in = { .arg = &b, .size = len, .read = bytes_read };
	ST_WRITER_SCOPED struct st_writer *w = st_writer_open(r, e);
	ST_CUTS_SCOPED struct st_cuts cuts = ST_CUTS_EMPTY;
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	ST_VERSION_SCOPED struct st_version before = ST_VERSION_EMPTY;
	struct st_imported got;
	struct st_ref ref;
	struct err none = ERR_INIT;

	if (w == NULL || st_cuts_settle(&cuts, (len + 511) / 512, NULL, 0, e) < 0)
		return -1;
	if (st_ref_find(r, name, &ref, &none) == 0 ?
	    st_version_load(r, &ref, &line, &before, e) < 0 :
	    st_line_new(r, &line, e) < 0)
		return -1;
	if (st_import(w, &line, &in, &cuts, NULL, &got, e) < 0)
		return -1;
	(void)snprintf(v.name, sizeof(v.name), "%s", name);
	v.root = got.root;
	v.size = len;
	v.data = got.data;
	return st_writer_commit(w, &line, &v, ret, e);
}

/* The same numbers at every run. */
static uint64_t fixture_seed = 1;

static inline uint64_t
fixture_random(void)
{
	fixture_seed ^= fixture_seed << 13;
	fixture_seed ^= fixture_seed >> 7;
	fixture_seed ^= fixture_seed << 17;
	return fixture_seed;
}

static inline void
fixture_fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(fixture_random() >> 32);
}

#endif /* TESTS_UNIT_STORE_FIXTURE_H */
