/* refs.c - names of lines, versions and tags: see repo.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/repo-private.h"

#define REF_MAX 128		/* bytes of a ref file */
#define REMOVED "removed"

bool
st_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > ST_NAME_MAX || !isalnum((unsigned char)name[0]) ||
	    strstr(name, ".tmp.") != NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    strchr("._-", name[i]) == NULL)
			return false;
	return true;
}

bool
st_tag_ok(const char *tag)
{
	return st_name_ok(tag) && tag[strspn(tag, "0123456789")] != '\0';
}

void
st_refs_done(struct st_refs *l)
{
	free(l->at);
	*l = (struct st_refs)ST_REFS_EMPTY;
}

static int
add(struct st_refs *l, const char *name, uint64_t number, struct err *e)
{
	if (mem_grow(&l->at, &l->cap, l->count + 1, sizeof(*l->at), e) < 0)
		return -1;

	struct st_ref *x = &l->at[l->count++];
	(void)snprintf(x->name, sizeof(x->name), "%s", name);
	x->number = number;
	return 0;
}

static int
by_name_and_number(const void *a, const void *b)
{
	const struct st_ref *x = a, *y = b;
	int by_name = strcmp(x->name, y->name);

	if (by_name != 0)
		return by_name;
	return (x->number > y->number) - (x->number < y->number);
}

/* One line of a ref file: 1 read, 0 there is no such file. */
static int
read_line(const char *path, char line[REF_MAX], struct err *e)
{
	SCOPED_FREE uint8_t *in = NULL;
	size_t len;

	if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (io_slurp(path, REF_MAX - 1, &in, &len, e) < 0)
		return -1;
	if (len == 0 || in[len - 1] != '\n' || memchr(in, 0, len) != NULL)
		return err_set(e, ERR_CORRUPT, "%s: is no ref", path);
	memcpy(line, in, len - 1);
	line[len - 1] = '\0';
	return 1;
}

int
st_ref_read(const struct st_repo *r, struct st_ref *ref, struct err *e)
{
	SCOPED_FREE char *path = st_repo_file(r, e, "refs/%s/%llu", ref->name,
					      (unsigned long long)ref->number);
	char line[REF_MAX];
	int got;

	if (path == NULL)
		return -1;
	got = read_line(path, line, e);
	if (got <= 0)
		return got;
	ref->removed = strcmp(line, REMOVED) == 0;
	if (!ref->removed && !st_id_parse(line, &ref->version))
		return err_set(e, ERR_CORRUPT, "%s: is no ref", path);
	return 1;
}

/* Call fn for each entry of a directory that may be missing. */
static int
each_entry(const char *path, int (*fn)(void *arg, const char *name, struct err *e),
	   void *arg, struct err *e)
{
	DIR *d = opendir(path);
	const struct dirent *x;
	int done = 0;

	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	while (done == 0 && (x = readdir(d)) != NULL)
		if (st_name_ok(x->d_name))
			done = fn(arg, x->d_name, e);
	(void)closedir(d);
	return done;
}

static int
add_name(void *arg, const char *name, struct err *e)
{
	return add(arg, name, 0, e);
}

static int
add_number(void *arg, const char *name, struct err *e)
{
	uint64_t number;

	if (!num_parse(name, 1, UINT64_MAX, false, &number))
		return 0;	/* the folder of tags */
	return add(arg, "", number, e);
}

static void
sort(struct st_refs *l)
{
	mem_sort(l->at, l->count, sizeof(*l->at), by_name_and_number);
}

int
st_ref_lines(const struct st_repo *r, struct st_refs *ret, struct err *e)
{
	SCOPED_FREE char *path = st_repo_file(r, e, "refs");

	if (path == NULL || each_entry(path, add_name, ret, e) < 0)
		return -1;
	sort(ret);
	return 0;
}

int
st_ref_numbers(const struct st_repo *r, const char *name, struct st_refs *ret,
	       struct err *e)
{
	SCOPED_FREE char *path = NULL;

	if (!st_name_ok(name))
		return err_set(e, ERR_USAGE, "%s: is no name of an image", name);
	path = st_repo_file(r, e, "refs/%s", name);
	if (path == NULL || each_entry(path, add_number, ret, e) < 0)
		return -1;
	for (size_t i = 0; i < ret->count; i++)
		(void)snprintf(ret->at[i].name, sizeof(ret->at[i].name), "%s",
			       name);
	sort(ret);
	return 0;
}

int
st_ref_versions(const struct st_repo *r, const char *name, struct st_refs *ret,
		struct err *e)
{
	ST_REFS_SCOPED struct st_refs l = ST_REFS_EMPTY;
	size_t kept = 0;

	if (st_ref_numbers(r, name, &l, e) < 0)
		return -1;
	for (size_t i = 0; i < l.count; i++) {
		if (st_ref_read(r, &l.at[i], e) < 0)
			return -1;
		if (!l.at[i].removed)
			l.at[kept++] = l.at[i];
	}
	l.count = kept;
	*ret = TAKE(l);
	return 0;
}

int
st_ref_all(const struct st_repo *r, struct st_refs *ret, struct err *e)
{
	ST_REFS_SCOPED struct st_refs lines = ST_REFS_EMPTY;

	if (st_ref_lines(r, &lines, e) < 0)
		return -1;
	for (size_t i = 0; i < lines.count; i++) {
		ST_REFS_SCOPED struct st_refs some = ST_REFS_EMPTY;

		if (st_ref_versions(r, lines.at[i].name, &some, e) < 0 ||
		    mem_grow(&ret->at, &ret->cap, ret->count + some.count,
			     sizeof(*ret->at), e) < 0)
			return -1;
		if (some.count > 0)
			memcpy(ret->at + ret->count, some.at,
			       some.count * sizeof(*some.at));
		ret->count += some.count;
	}
	return 0;
}

int
st_ref_last(const struct st_repo *r, const char *name, uint64_t *ret,
	    struct err *e)
{
	ST_REFS_SCOPED struct st_refs l = ST_REFS_EMPTY;

	if (st_ref_numbers(r, name, &l, e) < 0)
		return -1;
	*ret = l.count == 0 ? 0 : l.at[l.count - 1].number;
	return 0;
}

int
st_ref_tag_names(const struct st_repo *r, const char *name, struct st_refs *ret,
		 struct err *e)
{
	SCOPED_FREE char *path = NULL;

	if (!st_name_ok(name))
		return err_set(e, ERR_USAGE, "%s: is no name of an image", name);
	path = st_repo_file(r, e, "refs/%s/tags", name);
	if (path == NULL || each_entry(path, add_name, ret, e) < 0)
		return -1;
	sort(ret);
	return 0;
}

/* "NUMBER ID" */
static bool
parse_tag(char *line, struct st_ref *ret)
{
	char *space = strchr(line, ' ');

	if (space == NULL)
		return false;
	*space = '\0';
	return num_parse(line, 1, UINT64_MAX, false, &ret->number) &&
	       st_id_parse(space + 1, &ret->version);
}

int
st_ref_tag_read(const struct st_repo *r, const char *name, const char *tag,
		struct st_ref *ret, struct err *e)
{
	SCOPED_FREE char *path = st_repo_file(r, e, "refs/%s/tags/%s", name,
					      tag);
	struct st_ref said = { .number = 0 }, ref;
	char line[REF_MAX];
	int got;

	if (path == NULL || (got = read_line(path, line, e)) < 0)
		return -1;
	if (got == 0)
		return 0;
	if (!parse_tag(line, &said))
		return err_set(e, ERR_CORRUPT, "%s: is no tag", path);
	ref = said;
	(void)snprintf(ref.name, sizeof(ref.name), "%s", name);
	if (st_ref_read(r, &ref, e) < 0)
		return -1;
	if (!ref.removed && !st_id_equal(&ref.version, &said.version))
		return err_set(e, ERR_CORRUPT, "%s: is damaged: %s:%llu is "
			       "another version than it says; set it again "
			       "with imgtool tag", path, name,
			       (unsigned long long)said.number);
	*ret = ref;
	return 1;
}

int
st_ref_tags(const struct st_repo *r, const char *name, struct st_refs *ret,
	    struct err *e)
{
	if (st_ref_tag_names(r, name, ret, e) < 0)
		return -1;
	for (size_t i = 0; i < ret->count; i++) {
		struct st_ref ref = { .number = 0 };

		if (st_ref_tag_read(r, name, ret->at[i].name, &ref, e) < 0)
			return -1;
		ret->at[i].number = ref.number;
	}
	return 0;
}

/* The newest version that was not removed.  One that cannot be read is not
 * passed over: an older one is not what was asked for. */
static int
find_newest(const struct st_repo *r, const char *name, uint64_t *ret,
	    struct err *e)
{
	ST_REFS_SCOPED struct st_refs l = ST_REFS_EMPTY;

	if (st_ref_numbers(r, name, &l, e) < 0)
		return -1;
	for (size_t i = l.count; i > 0; i--) {
		struct st_ref *ref = &l.at[i - 1];

		if (st_ref_read(r, ref, e) < 0)
			return -1;
		if (!ref->removed) {
			*ret = ref->number;
			return 0;
		}
	}
	return err_set(e, ERR_NO, "%s: no such image; imgtool images lists them",
		       name);
}

/* What stands behind the colon, or the newest version. */
static int
find_number(const struct st_repo *r, const char *name, const char *behind,
	    uint64_t *ret, struct err *e)
{
	struct st_ref ref = { .number = 0 };
	int got;

	if (behind == NULL)
		return find_newest(r, name, ret, e);
	if (num_parse(behind, 1, UINT64_MAX, false, ret))
		return 0;
	if (!st_tag_ok(behind))
		return err_set(e, ERR_USAGE, "%s: is neither version nor tag",
			       behind);
	got = st_ref_tag_read(r, name, behind, &ref, e);
	if (got == 0)
		return err_set(e, ERR_NO, "%s:%s: no such tag; imgtool log %s "
			       "lists them", name, behind, name);
	*ret = ref.number;
	return got < 0 ? -1 : 0;
}

int
st_ref_find(const struct st_repo *r, const char *text, struct st_ref *ret,
	    struct err *e)
{
	const char *colon = strchr(text, ':');
	size_t n = colon == NULL ? strlen(text) : (size_t)(colon - text);
	struct st_ref ref = { .number = 0 };
	int got;

	if (n < sizeof(ref.name))
		memcpy(ref.name, text, n);
	if (!st_name_ok(ref.name))
		return err_set(e, ERR_USAGE, "%s: is neither NAME, NAME:VERSION "
			       "nor NAME:TAG", text);
	if (find_number(r, ref.name, colon == NULL ? NULL : colon + 1,
			&ref.number, e) < 0)
		return -1;
	got = st_ref_read(r, &ref, e);
	if (got < 0)
		return -1;
	if (got == 0 || ref.removed)
		return err_set(e, ERR_NO, "%s:%llu: %s; imgtool log %s lists "
			       "the versions", ref.name,
			       (unsigned long long)ref.number,
			       got == 0 ? "no such version" : "was removed",
			       ref.name);
	*ret = ref;
	return 0;
}

/* ---- writing ------------------------------------------------------------- */

static int
put_line(const struct st_repo *r, const char *folder, const char *name,
	 const char *line, struct err *e)
{
	SCOPED_FREE char *dir = st_repo_file(r, e, "refs/%s", folder);
	SCOPED_FREE char *path = dir == NULL ? NULL : io_join(dir, name, e);
	SCOPED_FREE char *text = mem_fmt(e, "%s\n", line);

	if (path == NULL || text == NULL || io_mkdirs(dir, 0755, e) < 0)
		return -1;
	return io_put(path, text, strlen(text), 0644, e);
}

/* The folder of a line may be new: its entry must be there after a crash. */
static int
sync_lines(const struct st_repo *r, struct err *e)
{
	SCOPED_FREE char *refs = st_repo_file(r, e, "refs");

	return refs == NULL ? -1 : io_sync_dir(refs, e);
}

int
st_ref_put(struct st_repo *r, const struct st_ref *ref, struct err *e)
{
	struct st_ref there = *ref;
	char number[24], hex[ST_ID_HEX];
	int got = st_ref_read(r, &there, e);

	if (got < 0)
		return -1;
	if (got == 1 && !there.removed &&
	    st_id_equal(&there.version, &ref->version))
		return 0;
	if (got == 1)
		return err_set(e, ERR_UNSAFE, "%s:%llu: %s", ref->name,
			       (unsigned long long)ref->number, there.removed ?
			       "was removed; its number is not used again" :
			       "exists and is another version");
	(void)snprintf(number, sizeof(number), "%llu",
		       (unsigned long long)ref->number);
	if (put_line(r, ref->name, number, st_id_hex(&ref->version, hex), e) < 0)
		return -1;
	return sync_lines(r, e);
}

int
st_ref_remove(struct st_repo *r, const struct st_ref *ref, struct err *e)
{
	char number[24];

	(void)snprintf(number, sizeof(number), "%llu",
		       (unsigned long long)ref->number);
	return put_line(r, ref->name, number, REMOVED, e);
}

int
st_ref_tag(struct st_repo *r, const struct st_ref *ref, const char *tag,
	   struct err *e)
{
	SCOPED_FREE char *line_folder = st_repo_file(r, e, "refs/%s", ref->name);
	char folder[ST_NAME_MAX + 8], line[24 + ST_ID_HEX], hex[ST_ID_HEX];

	if (!st_tag_ok(tag))
		return err_set(e, ERR_USAGE, "%s: is no tag: letters, digits, "
			       "'.', '_', '-', and not only digits", tag);
	(void)snprintf(folder, sizeof(folder), "%s/tags", ref->name);
	(void)snprintf(line, sizeof(line), "%llu %s",
		       (unsigned long long)ref->number,
		       st_id_hex(&ref->version, hex));
	if (line_folder == NULL || put_line(r, folder, tag, line, e) < 0)
		return -1;
	return io_sync_dir(line_folder, e);	/* "tags" may be new */
}

int
st_ref_untag(struct st_repo *r, const char *name, const char *tag,
	     struct err *e)
{
	SCOPED_FREE char *dir = st_repo_file(r, e, "refs/%s/tags", name);
	SCOPED_FREE char *path = dir == NULL ? NULL : io_join(dir, tag, e);

	if (path == NULL)
		return -1;
	if (unlink(path) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	return io_sync_dir(dir, e);
}
