/* jobs.c - see jobs.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/jobs.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "profmig/names.h"

enum { COLUMNS = 6 };

static const struct column {
	const char *name;
	size_t at;
} columns[COLUMNS] = {
	{ "computer", offsetof(struct pm_job, computer) },
	{ "source", offsetof(struct pm_job, source) },
	{ "users", offsetof(struct pm_job, users) },
	{ "base", offsetof(struct pm_job, base) },
	{ "target", offsetof(struct pm_job, target) },
	{ "as", offsetof(struct pm_job, as) },
};

static char **
field(struct pm_job *j, size_t column)
{
	return (char **)(void *)((char *)j + columns[column].at);
}

void
pm_jobs_done(struct pm_jobs *j)
{
	for (size_t i = 0; i < j->count; i++)
		for (size_t k = 0; k < COLUMNS; k++)
			free(*field(&j->at[i], k));
	free(j->at);
	*j = (struct pm_jobs)PM_JOBS_EMPTY;
}

static struct pm_job *
add(struct pm_jobs *j, unsigned line, struct err *e)
{
	if (j->count == PM_JOBS_MAX) {
		(void)err_set(e, ERR_USAGE, "more than %d jobs", PM_JOBS_MAX);
		return NULL;
	}
	if (mem_grow(&j->at, &j->cap, j->count + 1, sizeof(*j->at), e) < 0)
		return NULL;
	j->at[j->count] = (struct pm_job){ .line = line };
	return &j->at[j->count++];
}

/* Every job has a name that can be a folder's, a source and a target. */
static int
check(const char *name, struct pm_jobs *j, struct err *e)
{
	PM_NAMES_SCOPED struct pm_names seen = PM_NAMES_EMPTY;

	for (size_t i = 0; i < j->count; i++) {
		struct pm_job *job = &j->at[i];
		int r;

		for (size_t k = 0; k < COLUMNS; k++)
			if (*field(job, k) == NULL) {
				*field(job, k) = mem_str("", e);
				if (*field(job, k) == NULL)
					return -1;
			}
		if (job->computer[0] == '\0' || job->source[0] == '\0' ||
		    job->target[0] == '\0')
			return err_set(e, ERR_USAGE, "%s:%u: computer, source "
				       "and target are needed", name,
				       job->line);
		if (job->computer[0] == '.' ||
		    strchr(job->computer, '/') != NULL)
			return err_set(e, ERR_USAGE, "%s:%u: computer must be "
				       "a plain name", name, job->line);
		r = pm_names_add(&seen, job->computer, e);
		if (r < 0)
			return -1;
		if (r == 0)
			return err_set(e, ERR_USAGE, "%s:%u: %s is there "
				       "twice", name, job->line,
				       job->computer);
	}
	return j->count > 0 ? 0 : err_set(e, ERR_USAGE, "%s: no jobs", name);
}

/* One field of CSV (RFC 4180): quotes may hold commas, newlines and doubled
 * quotes.  *p stands behind the field's end, at its delimiter. */
static char *
csv_field(const char **p, unsigned *line, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	bool quoted = **p == '"';

	*p += quoted;
	while (**p != '\0') {
		if (quoted && **p == '"') {
			if ((*p)[1] != '"') {
				(*p)++;
				quoted = false;
				continue;
			}
			(*p)++;
		} else if (!quoted && strchr(",\r\n", **p) != NULL) {
			break;
		}
		*line += **p == '\n';
		buf_u8(&b, (uint8_t)*(*p)++);
	}
	if (quoted) {
		(void)err_set(e, ERR_USAGE, "line %u: a quote is not closed",
			      *line);
		return NULL;
	}
	return buf_take_str(&b, e);
}

/* A line of fields; fn gets each with its number. */
static int
csv_line(const char **p, unsigned *line, char **ret, size_t max,
	 size_t *ret_count, struct err *e)
{
	size_t n = 0;

	for (;;) {
		if (n == max)
			return err_set(e, ERR_USAGE, "line %u: too many "
				       "fields", *line);
		ret[n] = csv_field(p, line, e);
		if (ret[n] == NULL)
			return -1;
		*ret_count = ++n;
		if (**p != ',')
			break;
		(*p)++;
	}
	*p += **p == '\r';
	if (**p == '\n') {
		(*p)++;
		(*line)++;
	}
	return 0;
}

struct fields {
	size_t count;
	char *at[COLUMNS];
};

static void
fields_done(struct fields *f)
{
	for (size_t i = 0; i < COLUMNS; i++)
		free(f->at[i]);
}

static int
csv_header(const char **p, unsigned *line, size_t map[COLUMNS],
	   size_t *ret_count, struct err *e)
{
	SCOPED(fields_done) struct fields f = { .count = 0 };

	if (csv_line(p, line, f.at, COLUMNS, &f.count, e) < 0)
		return -1;
	for (size_t i = 0; i < f.count; i++) {
		map[i] = COLUMNS;
		for (size_t k = 0; k < COLUMNS; k++)
			if (strcmp(columns[k].name, f.at[i]) == 0)
				map[i] = k;
		if (map[i] == COLUMNS)
			return err_set(e, ERR_USAGE, "line 1: no such column: "
				       "%s; there are computer, source, "
				       "users, base, target and as", f.at[i]);
	}
	*ret_count = f.count;
	return 0;
}

int
pm_jobs_parse_csv(const char *name, const char *text, struct pm_jobs *ret,
		  struct err *e)
{
	PM_JOBS_SCOPED struct pm_jobs j = PM_JOBS_EMPTY;
	size_t map[COLUMNS], wanted = 0;
	unsigned line = 1;
	const char *p = text;

	if (strncmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;		/* as Excel writes it */
	if (csv_header(&p, &line, map, &wanted, e) < 0)
		return err_ctx(e, "%s", name);
	while (*p != '\0') {
		SCOPED(fields_done) struct fields f = { .count = 0 };
		unsigned at = line;
		struct pm_job *job;

		if (csv_line(&p, &line, f.at, COLUMNS, &f.count, e) < 0)
			return err_ctx(e, "%s", name);
		if (f.count == 1 && f.at[0][0] == '\0')
			continue;
		if (f.count != wanted)
			return err_set(e, ERR_USAGE, "%s:%u: has %zu fields, "
				       "the first line %zu", name, at,
				       f.count, wanted);
		job = add(&j, at, e);
		if (job == NULL)
			return -1;
		for (size_t i = 0; i < f.count; i++) {
			free(*field(job, map[i]));
			*field(job, map[i]) = TAKE(f.at[i]);
		}
	}
	if (check(name, &j, e) < 0)
		return -1;
	*ret = TAKE(j);
	return 0;
}

int
pm_jobs_parse_yaml(const char *name, const void *text, size_t len,
		   struct pm_jobs *ret, struct err *e)
{
	PM_JOBS_SCOPED struct pm_jobs j = PM_JOBS_EMPTY;
	YML_SCOPED struct yml *doc = yml_parse(name, text, len, e);
	struct yml *list;

	if (doc == NULL)
		return -1;
	list = yml_list(doc, "jobs", e);
	if (yml_end(doc, e) < 0)
		return -1;
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		struct yml *one = &list->at[i];
		struct pm_job *job = add(&j, one->line, e);

		if (job == NULL)
			return -1;
		if (one->kind != YML_MAP)
			return yml_err(one, e, "a job must be a map");
		for (size_t k = 0; k < COLUMNS; k++) {
			const char *v = yml_str(one, columns[k].name, "", e);

			if (e->kind != ERR_NONE)
				return -1;
			*field(job, k) = mem_str(v, e);
			if (*field(job, k) == NULL)
				return -1;
		}
		if (yml_end(one, e) < 0)
			return -1;
	}
	if (check(name, &j, e) < 0)
		return -1;
	*ret = TAKE(j);
	return 0;
}

int
pm_jobs_load(const char *path, struct pm_jobs *ret, struct err *e)
{
	const char *dot = strrchr(path, '.');
	SCOPED_FREE uint8_t *raw = NULL;
	SCOPED_FREE char *text = NULL;
	size_t len;

	if (io_slurp(path, PM_JOBS_BYTES, &raw, &len, e) < 0)
		return -1;
	if (dot != NULL && (strcmp(dot, ".yaml") == 0 ||
			    strcmp(dot, ".yml") == 0))
		return pm_jobs_parse_yaml(path, raw, len, ret, e);
	text = mem_strn(raw, len, e);
	return text == NULL ? -1 : pm_jobs_parse_csv(path, text, ret, e);
}
