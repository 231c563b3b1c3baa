/* driver.c - see driver.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/driver.h"

#include <dirent.h>
#include <stdio.h>
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

/* A line of "SourceDisksFiles.amd64", or else of the plain section. */
static const struct hn_inf_line *
source_line(const struct hn_inf *inf, const char *section, const char *arch,
	    const char *key)
{
	char name[64];
	const struct hn_inf_line *l;

	(void)snprintf(name, sizeof(name), "%s.%s", section, arch);
	l = hn_inf_line(hn_inf_section(inf, name), key);
	return l != NULL ? l : hn_inf_line(hn_inf_section(inf, section), key);
}

/* Step down into folders that an INF names: 1, 0, -1. */
static int
step_down(char **dir, const char *path, struct err *e)
{
	while (*path != '\0') {
		size_t n = strcspn(path, "\\/");
		SCOPED_FREE char *part = mem_strn(path, n, e);
		char *next = NULL;
		int r = 1;

		if (part == NULL)
			return -1;
		if (strcmp(part, "..") == 0)
			return 0;
		if (n > 0 && strcmp(part, ".") != 0) {
			r = find_in(*dir, part, &next, e);
			if (r <= 0)
				return r;
			free(*dir);
			*dir = next;
		}
		path += n + (path[n] != '\0');
	}
	return 1;
}

int
hn_package_file(const struct hn_package *p, const char *arch, const char *name,
		char **ret, struct err *e)
{
	const struct hn_inf_line *l = source_line(&p->inf, "SourceDisksFiles",
						  arch, name);
	SCOPED_FREE char *disk = hn_inf_field(&p->inf, l, 0, e);
	SCOPED_FREE char *sub = hn_inf_field(&p->inf, l, 1, e);
	SCOPED_FREE char *top = disk == NULL ? NULL :
		hn_inf_field(&p->inf, source_line(&p->inf, "SourceDisksNames",
						  arch, disk), 3, e);
	SCOPED_FREE char *dir = mem_str(p->dir, e);
	int r;

	if (sub == NULL || top == NULL || dir == NULL)
		return -1;
	if (strpbrk(name, "/\\") != NULL)
		return 0;
	r = find_in(p->dir, name, ret, e);
	if (r == 0 && (top[0] != '\0' || sub[0] != '\0')) {
		r = step_down(&dir, top, e);
		if (r == 1)
			r = step_down(&dir, sub, e);
		if (r == 1)
			r = find_in(dir, name, ret, e);
	}
	return r;
}

/* ---- matching ---- */

const char *
hn_arch_word(const struct hn_image *im)
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
	const char *arch = hn_arch_word(im), *s = decoration;
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

int
hn_package_models(const struct hn_package *p, const struct hn_image *im,
		  hn_model_fn fn, void *arg, struct err *e)
{
	const struct hn_inf_section *makers = hn_inf_section(&p->inf,
							     "Manufacturer");

	for (size_t i = 0; makers != NULL && i < makers->lines; i++) {
		const struct hn_inf_section *s;
		SCOPED_FREE char *maker = hn_inf_text(&p->inf,
						      makers->line[i].key, e);

		if (maker == NULL ||
		    models(im, &p->inf, &makers->line[i], &s, e) < 0)
			return -1;
		for (size_t l = 0; s != NULL && l < s->lines; l++)
			if (fn(arg, p, maker, &s->line[l], e) < 0)
				return -1;
	}
	return 0;
}

char *
hn_install_name(const struct hn_image *im, const struct hn_inf *inf,
		const struct hn_inf_line *l, struct err *e)
{
	SCOPED_FREE char *base = hn_inf_field(inf, l, 0, e);
	SCOPED_FREE char *arch = base != NULL ?
		mem_fmt(e, "%s.NT%s", base, hn_arch_word(im)) : NULL;
	SCOPED_FREE char *nt = base != NULL ? mem_fmt(e, "%s.NT", base) : NULL;

	if (arch == NULL || nt == NULL)
		return NULL;
	if (hn_inf_section(inf, arch) != NULL)
		return TAKE(arch);
	return hn_inf_section(inf, nt) != NULL ? TAKE(nt) : TAKE(base);
}

/* The best match so far. */
struct search {
	const struct hn_image *im;
	const struct hn_device *device;
	size_t best;
	struct hn_match *m;
};

static int
match_line(void *arg, const struct hn_package *p, const char *maker,
	   const struct hn_inf_line *line, struct err *e)
{
	struct search *s = arg;
	size_t rank;

	(void)maker;
	if (rank_of(&p->inf, line, s->device, &rank, e) < 0)
		return -1;
	if (rank >= s->best)
		return 0;
	hn_match_done(s->m);
	s->m->package = p;
	s->m->id = mem_str(s->device->id[rank], e);
	s->m->install = hn_install_name(s->im, &p->inf, line, e);
	s->best = rank;
	return s->m->id == NULL || s->m->install == NULL ? -1 : 0;
}

int
hn_driver_match(const struct hn_packages *all, const bool *tried,
		const struct hn_image *im, const struct hn_device *d,
		struct hn_match *ret, struct err *e)
{
	HN_MATCH_SCOPED struct hn_match m = HN_MATCH_EMPTY;
	struct search s = { .im = im, .device = d, .best = SIZE_MAX, .m = &m };

	for (size_t i = 0; i < all->count; i++)
		if (!tried[i] &&
		    hn_package_models(&all->at[i], im, match_line, &s, e) < 0)
			return -1;
	if (s.best == SIZE_MAX)
		return 0;
	*ret = TAKE(m);
	return 1;
}
