/* driver.c - see driver.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/driver.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"

enum { DEPTH_MAX = 16, PACKAGES_MAX = 4096 };

void
hn_packages_done(struct hn_packages *p)
{
	for (size_t i = 0; i < p->count; i++) {
		hn_inf_done(&p->at[i].inf);
		free(p->at[i].path);
		free(p->at[i].dir);
	}
	free(p->at);
	*p = (struct hn_packages)HN_PACKAGES_EMPTY;
}

void
hn_match_done(struct hn_match *m)
{
	free(m->id);
	free(m->install);
	*m = (struct hn_match)HN_MATCH_EMPTY;
}

/* ---- the folder ---- */

static int
add_package(struct hn_packages *p, const char *dir, const char *path,
	    struct err *e)
{
	SCOPED_FREE uint8_t *bytes = NULL;
	struct hn_package *one;
	size_t len;

	if (p->count == PACKAGES_MAX)
		return err_set(e, ERR_USAGE, "%s: more than %d INF files", dir,
			       PACKAGES_MAX);
	if (mem_grow(&p->at, &p->cap, p->count + 1, sizeof(*p->at), e) < 0 ||
	    io_slurp(path, HN_INF_BYTES, &bytes, &len, e) < 0)
		return -1;
	one = &p->at[p->count++];
	one->path = mem_str(path, e);
	one->dir = mem_str(dir, e);
	if (one->path == NULL || one->dir == NULL)
		return -1;
	return hn_inf_parse(path, bytes, len, &one->inf, e);
}

static int walk(struct hn_packages *p, const char *dir, unsigned depth,
		struct err *e);

static int
visit(struct hn_packages *p, const char *dir, const char *name,
      unsigned depth, struct err *e)
{
	SCOPED_FREE char *path = io_join(dir, name, e);
	size_t len = strlen(name);
	struct stat st;

	if (path == NULL)
		return -1;
	if (name[0] == '.' || lstat(path, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return walk(p, path, depth + 1, e);
	if (S_ISREG(st.st_mode) && len > 4 &&
	    strcasecmp(name + len - 4, ".inf") == 0)
		return add_package(p, dir, path, e);
	return 0;
}

static int
walk(struct hn_packages *p, const char *dir, unsigned depth, struct err *e)
{
	struct dirent **list;
	int n, r = 0;

	if (depth > DEPTH_MAX)
		return 0;
	n = scandir(dir, &list, NULL, alphasort);
	if (n < 0)
		return err_sys(e, "%s", dir);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = visit(p, dir, list[i]->d_name, depth, e);
		free(list[i]);
	}
	free(list);
	return r;
}

int
hn_packages_add(struct hn_packages *p, const char *dir, struct err *e)
{
	SCOPED_FREE char *real = realpath(dir, NULL);

	return real == NULL ? err_sys(e, "%s", dir) : walk(p, real, 0, e);
}

/* The entry of a folder with this name, whatever its case: 1, 0, -1. */
static int
find_in(const char *dir, const char *name, char **ret, struct err *e)
{
	DIR *d = opendir(dir);
	const struct dirent *at;
	int r = 0;

	while (d != NULL && r == 0 && (at = readdir(d)) != NULL) {
		if (!utf_same8(at->d_name, name))
			continue;
		*ret = io_join(dir, at->d_name, e);
		r = *ret == NULL ? -1 : 1;
	}
	if (d != NULL)
		(void)closedir(d);
	return r;
}

int
hn_package_file(const struct hn_package *p, const char *name, char **ret,
		struct err *e)
{
	const struct hn_inf_line *l =
		hn_inf_line(hn_inf_section(&p->inf, "SourceDisksFiles"), name);
	SCOPED_FREE char *sub = hn_inf_field(&p->inf, l, 1, e), *dir = NULL;
	int r;

	if (sub == NULL)
		return -1;
	if (strpbrk(name, "/\\") != NULL || strstr(sub, "..") != NULL)
		return 0;
	r = find_in(p->dir, name, ret, e);
	if (r != 0 || sub[0] == '\0')
		return r;
	r = find_in(p->dir, sub + (sub[0] == '\\'), &dir, e);
	return r <= 0 ? r : find_in(dir, name, ret, e);
}

/* ---- matching ---- */

static const char *
arch_word(const struct hn_image *im)
{
	return im->machine == HN_PE_AMD64 ? "amd64" :
	       im->machine == HN_PE_ARM64 ? "arm64" : "x86";
}

/*
 * How well a decoration fits: -1 not at all, else a number that grows with the
 * version it asks for.
 */
static int
fit(const struct hn_image *im, const char *decoration)
{
	const char *arch = arch_word(im), *s = decoration;
	unsigned long major, minor = 0;
	char *end;

	if (strncasecmp(s, "NT", 2) != 0)
		return -1;
	s += 2;
	if (strncasecmp(s, arch, strlen(arch)) == 0)
		s += strlen(arch);
	else if (im->machine != HN_PE_I386)
		return -1;
	if (*s == '\0')
		return 1;
	if (*s != '.')
		return -1;
	major = strtoul(s + 1, &end, 10);
	if (*end == '.')
		minor = strtoul(end + 1, &end, 10);
	/* What follows (product type, suite, build) only narrows further. */
	if (major > im->in->major ||
	    (major == im->in->major && minor > im->in->minor) || major > 99)
		return -1;
	return (int)(2 + major * 100 + (minor > 99 ? 99 : minor));
}

/* The models section for this image, NULL when none fits. */
static int
models(const struct hn_image *im, const struct hn_inf *inf,
       const struct hn_inf_line *maker, const struct hn_inf_section **ret,
       struct err *e)
{
	SCOPED_FREE char *base = hn_inf_field(inf, maker, 0, e);
	const struct hn_inf_section *s;
	int best = -1;

	*ret = NULL;
	if (base == NULL)
		return -1;
	for (size_t i = 1; i < maker->fields; i++) {
		SCOPED_FREE char *word = hn_inf_field(inf, maker, i, e);
		SCOPED_FREE char *name = word != NULL ?
			mem_fmt(e, "%s.%s", base, word) : NULL;
		int how;

		if (name == NULL)
			return -1;
		how = fit(im, word);
		s = hn_inf_section(inf, name);
		if (how > best && s != NULL) {
			best = how;
			*ret = s;
		}
	}
	if (*ret == NULL && im->machine == HN_PE_I386)
		*ret = hn_inf_section(inf, base);
	return 0;
}

/* The rank of the best id of a model line among the device's; SIZE_MAX none. */
static int
rank_of(const struct hn_inf *inf, const struct hn_inf_line *l,
	const struct hn_device *d, size_t *ret, struct err *e)
{
	*ret = SIZE_MAX;
	for (size_t f = 1; f < l->fields; f++) {
		SCOPED_FREE char *id = hn_inf_field(inf, l, f, e);

		if (id == NULL)
			return -1;
		for (size_t i = 0; i < d->ids && i < *ret; i++)
			if (utf_same8(d->id[i], id))
				*ret = i;
	}
	return 0;
}

/* DDInstall with the decoration that this machine takes. */
static char *
install_name(const struct hn_image *im, const struct hn_inf *inf,
	     const struct hn_inf_line *l, struct err *e)
{
	SCOPED_FREE char *base = hn_inf_field(inf, l, 0, e);
	SCOPED_FREE char *arch = base != NULL ?
		mem_fmt(e, "%s.NT%s", base, arch_word(im)) : NULL;
	SCOPED_FREE char *nt = base != NULL ? mem_fmt(e, "%s.NT", base) : NULL;

	if (arch == NULL || nt == NULL)
		return NULL;
	if (hn_inf_section(inf, arch) != NULL)
		return TAKE(arch);
	return hn_inf_section(inf, nt) != NULL ? TAKE(nt) : TAKE(base);
}

static int
match_one(const struct hn_package *p, const struct hn_image *im,
	  const struct hn_device *d, size_t *best, struct hn_match *m,
	  struct err *e)
{
	const struct hn_inf_section *makers = hn_inf_section(&p->inf,
							     "Manufacturer");

	for (size_t i = 0; makers != NULL && i < makers->lines; i++) {
		const struct hn_inf_section *s;

		if (models(im, &p->inf, &makers->line[i], &s, e) < 0)
			return -1;
		for (size_t l = 0; s != NULL && l < s->lines; l++) {
			size_t rank;

			if (rank_of(&p->inf, &s->line[l], d, &rank, e) < 0)
				return -1;
			if (rank >= *best)
				continue;
			hn_match_done(m);
			m->package = p;
			m->id = mem_str(d->id[rank], e);
			m->install = install_name(im, &p->inf, &s->line[l], e);
			if (m->id == NULL || m->install == NULL)
				return -1;
			*best = rank;
		}
	}
	return 0;
}

int
hn_driver_match(const struct hn_packages *all, const bool *tried,
		const struct hn_image *im, const struct hn_device *d,
		struct hn_match *ret, struct err *e)
{
	HN_MATCH_SCOPED struct hn_match m = HN_MATCH_EMPTY;
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < all->count; i++)
		if (!tried[i] &&
		    match_one(&all->at[i], im, d, &best, &m, e) < 0)
			return -1;
	if (best == SIZE_MAX)
		return 0;
	*ret = TAKE(m);
	return 1;
}
