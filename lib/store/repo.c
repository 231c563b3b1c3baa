/* repo.c - see repo.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The directory and its locks; keys are in repo_key.c, names in refs.c, records
 * in shelf.c.
 */
#include "store/repo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "crypt/secret.h"
#include "store/repo-private.h"

#define VERSION 1
#define CONFIG_MAX 4096

static const char config_magic[8] = "HALREPO\n";
static const char domain_magic[8] = "HALDOMN\n";
static const char *const folders[] = {
	"keys", "packs", "index", "versions", "refs"
};

/* Features somebody must know to read the repository at all. */
enum {
	FEATURE_ZSTD = 1 << 0,
	FEATURES_KNOWN = FEATURE_ZSTD,
};

/* Bytes of the lock file. */
enum { LOCK_WRITER = 0, LOCK_READERS = 1 };

char *
st_repo_file(const struct st_repo *r, struct err *e, const char *fmt, ...)
{
	char name[512];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(name)) {
		(void)err_set(e, ERR_USAGE, "%s: name is too long", r->path);
		return NULL;
	}
	return io_join(r->path, name, e);
}

/* ---- making one ---------------------------------------------------------- */

static int
check_empty(const char *path, struct err *e)
{
	DIR *d = opendir(path);
	const struct dirent *x;
	bool is_empty = true;

	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	while ((x = readdir(d)) != NULL)
		if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0)
			is_empty = false;
	(void)closedir(d);
	if (!is_empty)
		return err_set(e, ERR_USAGE, "%s: is not empty; name a new "
			       "directory for the repository", path);
	return 0;
}

static int
put_in(const char *dir, const char *name, const struct buf *b, struct err *e)
{
	SCOPED_FREE char *path = io_join(dir, name, e);

	if (path == NULL || buf_ok(b, e) < 0)
		return -1;
	return io_put(path, b->at, b->len, 0644, e);
}

static int
encode_domain(struct buf *b, const uint8_t domain[16], struct err *e)
{
	buf_bytes(b, domain_magic, sizeof(domain_magic));
	buf_bytes(b, domain, 16);
	return buf_ok(b, e);
}

static int
put_domain(const char *path, const uint8_t domain[16], struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (encode_domain(&b, domain, e) < 0)
		return -1;
	return put_in(path, "domain", &b, e);
}

static int
encode_config(struct buf *b, enum st_repo_kind kind, struct err *e)
{
	buf_bytes(b, config_magic, sizeof(config_magic));
	buf_u16le(b, VERSION);
	buf_u8(b, (uint8_t)kind);
	buf_zeros(b, 5);
	buf_u64le(b, FEATURE_ZSTD);
	buf_zeros(b, 8);
	return buf_ok(b, e);
}

/* Written last: a directory with a config is a whole repository. */
static int
put_config(const char *path, enum st_repo_kind kind, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (encode_config(&b, kind, e) < 0)
		return -1;
	return put_in(path, "config", &b, e);
}

int
st_mirror_config(struct buf *out, struct err *e)
{
	return encode_config(out, ST_REPO_MIRROR, e);
}

int
st_mirror_domain(struct buf *out, const uint8_t domain[16], struct err *e)
{
	return encode_domain(out, domain, e);
}

static int
put_recipients(const char *path, const struct cx_pubs *to, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	char line[CX_PUB_LINE_ROOM];

	for (size_t i = 0; i < to->count; i++) {
		cx_pub_line(&to->at[i], line);
		buf_fmt(&b, "%s\n", line);
	}
	return put_in(path, "keys/recipients.pub", &b, e);
}

static int
make_folders(const char *path, struct err *e)
{
	if (io_mkdirs(path, 0755, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		SCOPED_FREE char *sub = io_join(path, folders[i], e);

		if (sub == NULL || io_mkdirs(sub, 0755, e) < 0)
			return -1;
	}
	return 0;
}

int
st_repo_init(const char *path, enum st_repo_kind kind, const struct cx_pubs *to,
	     struct err *e)
{
	BUF_SCOPED struct buf nothing = BUF_EMPTY;
	uint8_t domain[16];

	if (to->count == 0)
		return err_set(e, ERR_USAGE, "%s: a repository needs a "
			       "recipient; add -R PUB", path);
	if (check_empty(path, e) < 0 || make_folders(path, e) < 0 ||
	    put_in(path, "lock", &nothing, e) < 0)
		return -1;
	if (kind == ST_REPO_CLIENT) {
		if (put_recipients(path, to, e) < 0)
			return -1;
	} else {
		cx_random(domain, sizeof(domain));
		if (st_repo_key_make(path, domain, to, e) < 0 ||
		    put_domain(path, domain, e) < 0)
			return -1;
	}
	return put_config(path, kind, e);
}

/* ---- opening ------------------------------------------------------------- */

/* A mirror has no keys of its own: what has is none, and its config is damaged. */
static int
check_keyless(const struct st_repo *r, const char *config, struct err *e)
{
	SCOPED_FREE char *root = st_repo_file(r, e, "keys/repository");
	SCOPED_FREE char *to = st_repo_file(r, e, "keys/recipients.pub");

	if (root == NULL || to == NULL)
		return -1;
	if (access(root, F_OK) == 0 || access(to, F_OK) == 0)
		return err_set(e, ERR_CORRUPT, "%s: is damaged: it says mirror, "
			       "but there are keys", config);
	return 0;
}

static int
read_config(struct st_repo *r, struct err *e)
{
	SCOPED_FREE char *path = st_repo_file(r, e, "config");
	SCOPED_FREE uint8_t *in = NULL;
	size_t len;

	if (path == NULL)
		return -1;
	if (access(path, F_OK) < 0)
		return err_set(e, ERR_USAGE, "%s: no repository; make one with "
			       "imgtool init", r->path);
	if (io_slurp(path, CONFIG_MAX, &in, &len, e) < 0)
		return -1;

	struct cur c = cur_over(path, in, len);
	cur_magic(&c, config_magic, sizeof(config_magic));
	uint16_t version = cur_u16le(&c);
	unsigned kind = cur_u8(&c);
	cur_zeros(&c, 5);
	uint64_t features = cur_u64le(&c);
	(void)cur_u64le(&c);	/* features that do not hinder a reader */
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (version != VERSION || (features & ~(uint64_t)FEATURES_KNOWN) != 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: needs a newer version "
			       "(format %u, features %#llx)", path, version,
			       (unsigned long long)features);
	if (kind != ST_REPO_ORIGIN && kind != ST_REPO_CLIENT &&
	    kind != ST_REPO_MIRROR)
		cur_bad(&c, "is of an unknown kind");
	if (cur_end(&c, e) < 0)
		return -1;
	r->kind = (enum st_repo_kind)kind;
	return r->kind == ST_REPO_MIRROR ? check_keyless(r, path, e) : 0;
}

static int
read_domain(struct st_repo *r, struct err *e)
{
	SCOPED_FREE char *path = st_repo_file(r, e, "domain");
	SCOPED_FREE uint8_t *in = NULL;
	size_t len;

	if (path == NULL)
		return -1;
	if (r->kind == ST_REPO_CLIENT && access(path, F_OK) < 0)
		return 0;
	if (io_slurp(path, CONFIG_MAX, &in, &len, e) < 0)
		return -1;

	struct cur c = cur_over(path, in, len);
	cur_magic(&c, domain_magic, sizeof(domain_magic));
	cur_bytes(&c, r->domain, sizeof(r->domain));
	if (cur_end(&c, e) < 0)
		return -1;
	r->has_domain = true;
	return 0;
}

static int
set_lock(const struct st_repo *r, int cmd, short type, off_t byte)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
			   .l_start = byte, .l_len = 1 };

	return fcntl(r->lock, cmd, &l);
}

/* Keep packs from being taken away under a reader.  Where the file system has
 * no lock file or no locks, nobody collects garbage either. */
static int
lock_read(struct st_repo *r, struct err *e)
{
	SCOPED_FREE char *path = st_repo_file(r, e, "lock");

	if (path == NULL)
		return -1;
	r->lock = open(path, O_RDWR | O_CLOEXEC);
	if (r->lock < 0)
		r->lock = open(path, O_RDONLY | O_CLOEXEC);
	if (r->lock >= 0)
		(void)set_lock(r, F_OFD_SETLKW, F_RDLCK, LOCK_READERS);
	return 0;
}

struct st_repo *
st_repo_open(const char *path, struct err *e)
{
	ST_REPO_SCOPED struct st_repo *r = mem_array(1, sizeof(*r), e);

	if (r == NULL)
		return NULL;
	r->lock = -1;
	for (size_t i = 0; i < ST_OPEN_PACKS; i++)
		r->pack[i].fd = -1;
	(void)pthread_rwlock_init(&r->index_lock, NULL);
	(void)pthread_mutex_init(&r->pack_lock, NULL);
	r->path = mem_str(path, e);
	if (r->path == NULL || read_config(r, e) < 0 ||
	    read_domain(r, e) < 0 || lock_read(r, e) < 0)
		return NULL;
	return TAKE(r);
}

void
st_repo_free(struct st_repo *const *r)
{
	struct st_repo *x = *r;

	if (x == NULL)
		return;
	st_repo_close_packs(x);
	st_index_done(&x->index);
	if (x->lock >= 0)
		(void)close(x->lock);
	cx_pubs_done(&x->admins);
	cx_secret_done(&x->derived);
	cx_secret_done(&x->root);
	(void)pthread_mutex_destroy(&x->pack_lock);
	(void)pthread_rwlock_destroy(&x->index_lock);
	free(x->path);
	free(x);
}

const char *
st_repo_path(const struct st_repo *r)
{
	return r->path;
}

enum st_repo_kind
st_repo_kind(const struct st_repo *r)
{
	return r->kind;
}

const struct cx_key *
st_repo_key(const struct st_repo *r)
{
	return r->key;
}

bool
st_repo_is_admin(const struct st_repo *r)
{
	return r->root.at != NULL;
}

bool
st_repo_domain(const struct st_repo *r, uint8_t ret[16])
{
	if (r->has_domain)
		memcpy(ret, r->domain, sizeof(r->domain));
	return r->has_domain;
}

int
st_repo_adopt_domain(struct st_repo *r, const uint8_t domain[16],
		     struct err *e)
{
	if (r->has_domain) {
		if (memcmp(r->domain, domain, sizeof(r->domain)) == 0)
			return 0;
		return err_set(e, ERR_UNSAFE, "%s: belongs to another "
			       "origin; make a repository of its own with "
			       "imgtool init --client", r->path);
	}
	if (put_domain(r->path, domain, e) < 0)
		return -1;
	memcpy(r->domain, domain, sizeof(r->domain));
	r->has_domain = true;
	return 0;
}

/* ---- locks --------------------------------------------------------------- */

int
st_repo_lock_write(struct st_repo *r, struct err *e)
{
	if (r->kind == ST_REPO_MIRROR)
		return err_set(e, ERR_UNSAFE, "%s: is a mirror; only imgdelta "
			       "push changes it", r->path);
	if (r->lock < 0)
		return err_set(e, ERR_SYSTEM, "%s: no lock file, so it can not "
			       "be written", r->path);
	if (set_lock(r, F_OFD_SETLK, F_WRLCK, LOCK_WRITER) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return err_set(e, ERR_UNSAFE, "%s: somebody else is "
				       "writing; try again when that has ended",
				       r->path);
		return err_sys(e, "%s: lock", r->path);
	}
	r->is_writing = true;
	return 0;
}

void
st_repo_unlock_write(struct st_repo *r)
{
	if (r->is_writing)
		(void)set_lock(r, F_OFD_SETLK, F_UNLCK, LOCK_WRITER);
	r->is_writing = false;
}

int
st_repo_lock_alone(struct st_repo *r, struct err *e)
{
	if (set_lock(r, F_OFD_SETLK, F_WRLCK, LOCK_READERS) == 0)
		return 1;
	if (errno == EAGAIN || errno == EACCES)
		return 0;
	return err_sys(e, "%s: lock", r->path);
}

void
st_repo_unlock_alone(struct st_repo *r)
{
	(void)set_lock(r, F_OFD_SETLK, F_RDLCK, LOCK_READERS);
}
