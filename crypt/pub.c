/* pub.c - public keys and lists of them; see key.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "crypt/key.h"
#include "crypt/pub-private.h"

enum {
	BODY = 32 + 32 + CX_KEYID_BYTES,	/* 96 digits, none to spare */
	DIGITS = BODY / 3 * 4,
	LIST_MAX = 16 << 20,
};

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static const char prefix[] = "hpub1:";

void
cx_pub_set_id(struct cx_pub *p)
{
	static const char context[] = "halcyon key id";
	uint8_t out[CX_HASH_BYTES];
	struct cx_hasher h;

	cx_hash_begin(&h);
	cx_hash_add(&h, context, sizeof(context));
	cx_hash_add(&h, p->seal, sizeof(p->seal));
	cx_hash_add(&h, p->sign, sizeof(p->sign));
	cx_hash_end(&h, out);
	memcpy(p->id, out, sizeof(p->id));
}

void
cx_pub_set_name(struct cx_pub *p, const char *name, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < sizeof(p->name) - 1; i++)
		if (name[i] >= ' ' && name[i] <= '~' && (n > 0 || name[i] != ' '))
			p->name[n++] = name[i];
	while (n > 0 && p->name[n - 1] == ' ')
		n--;
	memset(p->name + n, 0, sizeof(p->name) - n);
}

void
cx_pub_line(const struct cx_pub *p, char line[CX_PUB_LINE_ROOM])
{
	char digits[DIGITS + 1];
	uint8_t body[BODY];

	memcpy(body, p->seal, 32);
	memcpy(body + 32, p->sign, 32);
	memcpy(body + 64, p->id, CX_KEYID_BYTES);
	(void)sodium_bin2base64(digits, sizeof(digits), body, BODY, BASE64);
	(void)snprintf(line, CX_PUB_LINE_ROOM, "%s%s%s%s", prefix, digits,
		       p->name[0] != '\0' ? " " : "", p->name);
}

int
cx_pub_save(const struct cx_pub *p, const char *path, struct err *e)
{
	char line[CX_PUB_LINE_ROOM];

	cx_pub_line(p, line);
	line[strlen(line) + 1] = '\0';
	line[strlen(line)] = '\n';
	return io_put(path, line, strlen(line), 0644, e);
}

int
cx_pub_parse(const char *name, const char *line, struct cx_pub *ret,
	     struct err *e)
{
	size_t digits = strcspn(line, " \t\r"), got;
	uint8_t body[BODY];
	struct cx_pub p = { .name = "" };

	if (strncmp(line, "halcyon-key ", 12) == 0)
		return err_set(e, ERR_CORRUPT, "%s: is a private key; give "
			       "the public one, as %s.pub", name, name);
	if (strncmp(line, "hpub", 4) != 0)
		return err_set(e, ERR_CORRUPT, "%s: holds a line that is no "
			       "public key", name);
	if (strncmp(line, prefix, strlen(prefix)) != 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: holds a public key of a newer kind", name);
	digits -= strlen(prefix);
	line += strlen(prefix);
	if (sodium_base642bin(body, BODY, line, digits, NULL, &got, NULL,
			      BASE64) != 0 || got != BODY)
		return err_set(e, ERR_CORRUPT,
			       "%s: holds a damaged public key", name);
	memcpy(p.seal, body, 32);
	memcpy(p.sign, body + 32, 32);
	cx_pub_set_id(&p);
	if (memcmp(p.id, body + 64, CX_KEYID_BYTES) != 0)
		return err_set(e, ERR_CORRUPT,
			       "%s: holds a mistyped public key", name);
	cx_pub_set_name(&p, line + digits, strlen(line + digits));
	*ret = p;
	return 0;
}

void
cx_pubs_done(struct cx_pubs *l)
{
	free(l->at);
	*l = (struct cx_pubs)CX_PUBS_EMPTY;
}

int
cx_pubs_add(struct cx_pubs *l, const struct cx_pub *p, struct err *e)
{
	for (size_t i = 0; i < l->count; i++)
		if (memcmp(l->at[i].seal, p->seal, 32) == 0 &&
		    memcmp(l->at[i].sign, p->sign, 32) == 0)
			return 0;
	if (l->count == CX_PUBS_MAX)
		return err_set(e, ERR_UNSUPPORTED,
			       "more than %d public keys", CX_PUBS_MAX);
	if (mem_grow(&l->at, &l->cap, l->count + 1, sizeof(*l->at), e) < 0)
		return -1;
	l->at[l->count++] = *p;
	return 0;
}

int
cx_pubs_parse(struct cx_pubs *l, const char *name, const void *text, size_t len,
	      struct err *e)
{
	SCOPED_FREE char *copy = mem_strn(text, len, e);
	char *rest = copy;
	size_t found = 0;

	if (copy == NULL)
		return -1;
	if (strlen(copy) != len)
		return err_set(e, ERR_CORRUPT, "%s: is no list of public keys",
			       name);
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		struct cx_pub p;

		line += strspn(line, " \t\r");
		if (*line == '#' || *line == '\0')
			continue;
		if (cx_pub_parse(name, line, &p, e) < 0 ||
		    cx_pubs_add(l, &p, e) < 0)
			return -1;
		found++;
	}
	if (found == 0)
		return err_set(e, ERR_CORRUPT, "%s: holds no public key", name);
	return 0;
}

static int
load_file(struct cx_pubs *l, const char *path, struct err *e)
{
	SCOPED_FREE uint8_t *text = NULL;
	size_t len;

	if (io_slurp(path, LIST_MAX, &text, &len, e) < 0)
		return -1;
	return cx_pubs_parse(l, path, text, len, e);
}

struct names {
	char **at;
	size_t count, cap;
};

static void
names_done(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->at[i]);
	free(n->at);
}

static void
dir_done(DIR *const *d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
list_dir(const char *path, struct names *ret, struct err *e)
{
	SCOPED(dir_done) DIR *d = opendir(path);
	struct dirent *entry;

	if (d == NULL)
		return err_sys(e, "%s", path);
	while ((entry = readdir(d)) != NULL) {
		size_t n = strlen(entry->d_name);

		if (n < 5 || strcmp(entry->d_name + n - 4, ".pub") != 0)
			continue;
		if (mem_grow(&ret->at, &ret->cap, ret->count + 1,
			     sizeof(*ret->at), e) < 0)
			return -1;
		ret->at[ret->count] = io_join(path, entry->d_name, e);
		if (ret->at[ret->count] == NULL)
			return -1;
		ret->count++;
	}
	if (ret->count == 0)
		return err_set(e, ERR_CORRUPT, "%s: holds no *.pub", path);
	mem_sort(ret->at, ret->count, sizeof(*ret->at), by_name);
	return 0;
}

static int
load_dir(struct cx_pubs *l, const char *path, struct err *e)
{
	SCOPED(names_done) struct names n = { .at = NULL };

	if (list_dir(path, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n.count; i++)
		if (load_file(l, n.at[i], e) < 0)
			return -1;
	return 0;
}

int
cx_pubs_load(struct cx_pubs *l, const char *const *paths, size_t count,
	     struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		struct stat st;

		if (stat(paths[i], &st) < 0)
			return err_sys(e, "%s", paths[i]);
		if ((S_ISDIR(st.st_mode) ? load_dir : load_file)(l, paths[i],
								 e) < 0)
			return -1;
	}
	return 0;
}

const struct cx_pub *
cx_pubs_signer(const struct cx_pubs *l, const uint8_t sign[32])
{
	for (size_t i = 0; i < l->count; i++)
		if (memcmp(l->at[i].sign, sign, 32) == 0)
			return &l->at[i];
	return NULL;
}

/* Load a list that need not exist: 1 loaded, 0 absent, -1 error. */
static int
load_if_there(struct cx_pubs *l, const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return 0;
	return load_file(l, path, e) < 0 ? -1 : 1;
}

int
cx_trust_load(struct cx_pubs *ret, const char *const *by, size_t count,
	      struct err *e)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	SCOPED_FREE char *mine = NULL;
	int r = 0;

	if (count > 0)
		return cx_pubs_load(ret, by, count, e);
	if (config != NULL && *config == '/')
		mine = mem_fmt(e, "%s/halcyon/trust.pub", config);
	else if (home != NULL && *home == '/')
		mine = mem_fmt(e, "%s/.config/halcyon/trust.pub", home);
	if (e->kind != ERR_NONE)
		return -1;
	if (mine != NULL)
		r = load_if_there(ret, mine, e);
	if (r == 0)
		r = load_if_there(ret, "/etc/halcyon/trust.pub", e);
	return r < 0 ? -1 : 0;
}
