/* esp.c - an EFI system partition that is written: mtools, in a copy
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * At the first change the partition is copied out into an unlinked file.  mtools
 * edits that, one command for one change, shut in with nothing but the file; our
 * own reader then looks whether all is as it was asked for, since mtools takes a
 * full volume and a name that it cannot spell for success.  When the volume is
 * closed, the sectors that differ are written to the disk.
 *
 * mtools writes whole files only, so a file's content is held back until something
 * else is asked.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/scope.h"
#include "base/stop.h"
#include "base/utf.h"
#include "disk/disk.h"
#include "volume/volume-private.h"

enum {
	SIZE_MAX_MB = 1024,
	PIECE = 1 << 20,
	PATIENCE_MS = 120000,	/* with one command */
	WORDS = 8,		/* of one command, after the file */
	ATTRIBUTES = VO_READONLY | VO_HIDDEN | VO_SYSTEM | VO_ARCHIVE,
};

struct esp {
	struct vo *reader;	/* of the disk; of the copy once there is one */
	struct dk *copy;
	int fd;			/* of the copy; -1: none yet */
	bool broken;		/* a change failed half way */
	char *asked;		/* what the held file was called; NULL: none */
	char *path;		/* the same, as it is spelled */
	struct buf content;
};

static void
drop_held(struct esp *s)
{
	free(TAKE(s->asked));
	free(TAKE(s->path));
	buf_done(&s->content);
}

static void
esp_free(struct vo *v)
{
	struct esp *s = v->own;

	vo_free(&s->reader);
	dk_free(&s->copy);
	scope_close(&s->fd);
	drop_held(s);
	free(s);
}

/* ---- the copy ------------------------------------------------------------- */

static int
copy_read(struct dk *d, void *buf, size_t len, uint64_t at, struct err *e)
{
	const int *fd = d->own;

	return io_read_at(*fd, buf, len, at, d->name, e);
}

static const struct dk_ops copy_ops = { .read = copy_read };

static bool
is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static int
copy_bytes(struct vo *v, int fd, struct err *e)
{
	SCOPED_FREE uint8_t *piece = mem_array(PIECE, 1, e);

	if (piece == NULL)
		return -1;
	if (ftruncate(fd, (off_t)v->size) < 0)
		return err_sys(e, "copy");
	for (uint64_t at = 0; at < v->size; at += PIECE) {
		size_t n = (size_t)num_min(PIECE, v->size - at);

		if (stop_check(e) < 0 ||
		    dk_read(v->disk, piece, n, v->at + at, e) < 0 ||
		    (!is_zero(piece, n) &&
		     io_write_at(fd, piece, n, at, "copy", e) < 0))
			return -1;
	}
	return 0;
}

static int
copy_out(struct vo *v, struct err *e)
{
	struct esp *s = v->own;
	DK_SCOPED struct dk *copy = NULL;
	struct vo *reader;

	if (s->copy != NULL)
		return 0;
	if (s->fd < 0)
		s->fd = io_temp_file(e);
	if (s->fd < 0 || copy_bytes(v, s->fd, e) < 0)
		return -1;
	copy = dk_new(&copy_ops, &s->fd, v->name, v->size, v->disk->sector, e);
	if (copy == NULL)
		return -1;
	reader = vo_open(copy, 0, v->size, 0, e);
	if (reader == NULL)
		return -1;
	vo_free(&s->reader);
	s->reader = reader;
	s->copy = TAKE(copy);
	return 0;
}

/* Write the sectors of a piece that differ. */
static int
put_sectors(struct vo *v, const uint8_t *was, const uint8_t *is, size_t len,
	    uint64_t at, struct err *e)
{
	size_t step = v->disk->sector;

	for (size_t i = 0; i < len; i += step) {
		size_t n = (size_t)num_min(step, len - i);

		if (memcmp(was + i, is + i, n) != 0 &&
		    dk_write(v->disk, is + i, n, v->at + at + i, e) < 0)
			return -1;
	}
	return 0;
}

static int
put_back(struct vo *v, struct err *e)
{
	const struct esp *s = v->own;
	SCOPED_FREE uint8_t *was = mem_array(PIECE, 1, e);
	SCOPED_FREE uint8_t *is = mem_array(PIECE, 1, e);

	if (was == NULL || is == NULL)
		return -1;
	if (s->broken)
		return err_set(e, ERR_SYSTEM, "a change failed; nothing is "
			       "written");
	for (uint64_t at = 0; s->copy != NULL && at < v->size; at += PIECE) {
		size_t n = (size_t)num_min(PIECE, v->size - at);

		if (stop_check(e) < 0 ||
		    dk_read(v->disk, was, n, v->at + at, e) < 0 ||
		    dk_read(s->copy, is, n, at, e) < 0 ||
		    put_sectors(v, was, is, n, at, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- mtools --------------------------------------------------------------- */

/* Run one of mtools on the copy; words ends with NULL. */
static int
mtools(struct vo *v, const char *program, const char *const *words,
       const struct buf *in, struct err *e)
{
	static const char *const env[] = {
		"LC_ALL=C.UTF-8", "TZ=UTC", "MTOOLSRC=/dev/null",
		"MTOOLS_SKIP_CHECK=1", NULL,
	};
	struct esp *s = v->own;
	const char *argv[3 + WORDS + 1] = { program, "-i", PROC_FILE };
	struct vo_request again = { .op = VO_OP_MOUNT };

	if (copy_out(v, e) < 0)
		return -1;
	for (size_t i = 0; i < WORDS && words[i] != NULL; i++)
		argv[3 + i] = words[i];
	s->broken = true;
	if (proc_on_file(argv, env, s->fd, in == NULL ? NULL : in->len == 0 ?
			 (const void *)"" : in->at, in == NULL ? 0 : in->len,
			 PATIENCE_MS, e) < 0 || vo_tell(s->reader, &again, e) < 0)
		return -1;
	s->broken = false;
	return 0;
}

/* mtools' name for a path of the volume. */
static char *
mtools_name(const char *path, struct err *e)
{
	return mem_fmt(e, "::/%s", path);
}

/* A change came out otherwise than it was asked for. */
static int
came_out_wrong(struct vo *v, enum err_kind kind, const char *what, struct err *e)
{
	struct esp *s = v->own;

	s->broken = true;
	return err_set(e, kind, "%s", what);
}

/* The name is there now, as it was given. */
static int
check_name(struct vo *v, const char *path, struct err *e)
{
	const struct esp *s = v->own;
	SCOPED_FREE char *spelled = NULL;
	int r = vo_spelling(s->reader, path, &spelled, e);

	if (r < 0)
		return -1;
	if (r == 0 || strcmp(spelled, path) != 0)
		return came_out_wrong(v, ERR_UNSUPPORTED, "mtools cannot make this "
				      "name; add --engine appliance", e);
	return 0;
}

/* ---- places --------------------------------------------------------------- */

struct place {
	char *path;		/* owned; as spelled, a new name as given */
	bool there;
	struct vo_stat st;
};

static void
place_done(struct place *p)
{
	free(p->path);
}

#define PLACE_SCOPED SCOPED(place_done)

/* A name that is not there yet, in its folder. */
static int
new_place(struct vo *v, const char *path, char **ret, struct err *e)
{
	const struct esp *s = v->own;
	const char *slash = strrchr(path, '/');
	const char *last = slash == NULL ? path : slash + 1;
	SCOPED_FREE char *folder = mem_strn(path, (size_t)(last - path), e);
	SCOPED_FREE char *spelled = NULL;
	struct vo_stat st;
	int r;

	if (folder == NULL || vo_name_allowed(path, e) < 0)
		return -1;
	r = vo_stat(s->reader, folder, &st, e);
	if (r > 0 && (st.attributes & VO_DIRECTORY) != 0)
		r = vo_spelling(s->reader, folder, &spelled, e);
	else if (r > 0)
		r = 0;
	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NO, "its folder is not "
					    "there");
	*ret = mem_fmt(e, "%s%s%s", spelled, *spelled == '\0' ? "" : "/", last);
	return *ret == NULL ? -1 : 0;
}

static int
find_place(struct vo *v, const char *path, struct place *ret, struct err *e)
{
	const struct esp *s = v->own;
	int r;

	while (*path == '/')
		path++;
	if (*path == '\0')
		return err_set(e, ERR_USAGE, "is the root folder");
	if (strchr(path, ':') != NULL)
		return err_set(e, ERR_UNSUPPORTED, "FAT has no streams, and no "
			       "colons in names");
	r = vo_stat(s->reader, path, &ret->st, e);
	if (r < 0)
		return -1;
	ret->there = r > 0;
	if (ret->there)
		r = vo_spelling(s->reader, path, &ret->path, e);
	else
		r = new_place(v, path, &ret->path, e);
	/* mtools would take them for patterns */
	if (r >= 0 && strpbrk(ret->path, "*?[\\") != NULL)
		return err_set(e, ERR_UNSUPPORTED, "has a character in its name "
			       "that mtools does not take; add --engine "
			       "appliance");
	return r < 0 ? -1 : 0;
}

static bool
is_folder(const struct place *p)
{
	return p->there && (p->st.attributes & VO_DIRECTORY) != 0;
}

/* ---- attributes ----------------------------------------------------------- */

/* Set what differs from `was`: first what goes, as mattrib wants it. */
static int
set_attributes(struct vo *v, const char *path, uint32_t was, uint32_t want,
	       struct err *e)
{
	static const struct {
		uint32_t bit;
		const char *off, *on;
	} letters[] = {
		{ VO_READONLY, "-r", "+r" }, { VO_HIDDEN, "-h", "+h" },
		{ VO_SYSTEM, "-s", "+s" }, { VO_ARCHIVE, "-a", "+a" },
	};
	const size_t count = sizeof(letters) / sizeof(*letters);
	SCOPED_FREE char *name = mtools_name(path, e);
	const char *words[WORDS] = { NULL };
	const struct esp *s = v->own;
	struct vo_stat st;
	size_t n = 0;

	if (name == NULL)
		return -1;
	for (size_t i = 0; i < count; i++)
		if ((was & ~want & letters[i].bit) != 0)
			words[n++] = letters[i].off;
	for (size_t i = 0; i < count; i++)
		if ((want & ~was & letters[i].bit) != 0)
			words[n++] = letters[i].on;
	if (n == 0)
		return 0;
	words[n] = name;
	if (mtools(v, "/usr/bin/mattrib", words, NULL, e) < 0 ||
	    vo_stat(s->reader, path, &st, e) < 0)
		return -1;
	if (((st.attributes ^ want) & ATTRIBUTES) != 0)
		return came_out_wrong(v, ERR_UNSUPPORTED, "mtools cannot set these "
				      "attributes; add --engine appliance", e);
	return 0;
}

/* ---- data ----------------------------------------------------------------- */

/* The file holds these bytes now. */
static int
check_content(struct vo *v, const char *path, const struct buf *want,
	      struct err *e)
{
	const struct esp *s = v->own;
	SCOPED_FREE uint8_t *is = NULL;
	struct err why = ERR_INIT;
	size_t len = 0;

	/* where the volume was full, its clusters are fewer than its size */
	if (vo_slurp(s->reader, path, (size_t)v->size, &is, &len, &why) <= 0 ||
	    len != want->len || (len > 0 && memcmp(is, want->at, len) != 0))
		return came_out_wrong(v, ERR_SYSTEM, "does not fit: the volume is "
				      "full", e);
	return 0;
}

static int
write_file(struct vo *v, const char *path, const struct buf *content,
	   struct err *e)
{
	const struct esp *s = v->own;
	SCOPED_FREE char *name = mtools_name(path, e);
	const char *const words[] = { "-o", "-", name, NULL };
	struct vo_stat was, is;
	int there = name == NULL ? -1 : vo_stat(s->reader, path, &was, e);

	if (there < 0 || mtools(v, "/usr/bin/mcopy", words, content, e) < 0 ||
	    check_name(v, path, e) < 0 ||
	    check_content(v, path, content, e) < 0)
		return -1;
	if (there == 0)
		return 0;
	if (vo_stat(s->reader, path, &is, e) < 0)
		return -1;
	return set_attributes(v, path, is.attributes,
			      was.attributes | VO_ARCHIVE, e);
}

/* Let the file that is held back be written. */
static int
write_held(struct vo *v, struct err *e)
{
	struct esp *s = v->own;
	SCOPED_FREE char *path = TAKE(s->path);
	char quoted[400];
	int r = path == NULL ? 0 : write_file(v, path, &s->content, e);

	drop_held(s);
	if (r < 0 && e->kind != ERR_NOMEM)
		(void)err_ctx(e, "%s", err_quote(quoted, sizeof(quoted), path,
						 strlen(path)));
	return r;
}

/* Hold back a file, with the content it has. */
static int
hold(struct vo *v, const struct vo_request *q, struct err *e)
{
	PLACE_SCOPED struct place p = { .path = NULL };
	SCOPED_FREE uint8_t *had = NULL;
	struct esp *s = v->own;
	size_t len = 0;

	if (find_place(v, q->path, &p, e) < 0)
		return -1;
	if (is_folder(&p))
		return err_set(e, ERR_USAGE, "is a folder");
	if (!p.there && q->op != VO_OP_PUT)
		return err_set(e, ERR_NO, "is not there");
	if (q->op != VO_OP_PUT &&
	    vo_slurp(s->reader, p.path, (size_t)v->size, &had, &len, e) < 0)
		return -1;
	s->asked = mem_str(q->path, e);
	if (s->asked == NULL)
		return -1;
	s->path = TAKE(p.path);
	buf_bytes(&s->content, had, len);
	return buf_ok(&s->content, e);
}

/* Change what is held. */
static int
change_held(struct vo *v, const struct vo_request *q, struct err *e)
{
	struct esp *s = v->own;
	struct buf *b = &s->content;
	uint64_t end = q->op == VO_OP_TRUNCATE ? q->size : q->at + q->len;

	if (end > v->size || end < q->at)
		return err_set(e, ERR_SYSTEM, "does not fit: the volume is too "
			       "small");
	if (b->len < end)
		buf_zeros(b, (size_t)end - b->len);
	if (buf_ok(b, e) < 0)
		return -1;
	if (q->op == VO_OP_TRUNCATE)
		b->len = (size_t)end;
	else if (q->len > 0)
		memcpy(b->at + q->at, q->data, q->len);
	return 0;
}

static int
change_data(struct vo *v, const struct vo_request *q, struct err *e)
{
	struct esp *s = v->own;
	bool held = s->path != NULL && q->op == VO_OP_WRITE &&
		    strcmp(s->asked, q->path) == 0;

	if (!held && (write_held(v, e) < 0 || hold(v, q, e) < 0))
		return -1;
	if (change_held(v, q, e) == 0)
		return 0;
	s->broken = true;
	return -1;
}

/* ---- names ---------------------------------------------------------------- */

static int
make_name(struct vo *v, const struct place *p, bool folder, struct err *e)
{
	SCOPED_FREE char *name = mtools_name(p->path, e);
	const char *const words[] = { name, NULL };
	const struct buf none = BUF_EMPTY;

	if (name == NULL)
		return -1;
	if (p->there)
		return err_set(e, ERR_USAGE, "is there already");
	if (!folder)
		return write_file(v, p->path, &none, e);
	if (mtools(v, "/usr/bin/mmd", words, NULL, e) < 0)
		return -1;
	return check_name(v, p->path, e);
}

static int
move(struct vo *v, const char *from, const char *to, struct err *e)
{
	SCOPED_FREE char *was = mtools_name(from, e);
	SCOPED_FREE char *is = mtools_name(to, e);
	const char *const words[] = { was, is, NULL };

	if (was == NULL || is == NULL ||
	    mtools(v, "/usr/bin/mmove", words, NULL, e) < 0)
		return -1;
	return check_name(v, to, e);
}

/* The same name in another case: mtools takes that for a clash. */
static int
change_case(struct vo *v, const char *path, const char *given, struct err *e)
{
	const char *slash = strrchr(path, '/'), *last = strrchr(given, '/');
	int folder = slash == NULL ? 0 : (int)(slash + 1 - path);
	SCOPED_FREE char *between = mem_fmt(e, "%.*s~halcyon~rename~", folder,
					    path);
	SCOPED_FREE char *to = mem_fmt(e, "%.*s%s", folder, path,
				       last == NULL ? given : last + 1);

	if (between == NULL || to == NULL || strcmp(path, to) == 0)
		return between == NULL || to == NULL ? -1 : 0;
	if (move(v, path, between, e) < 0)
		return -1;
	return move(v, between, to, e);
}

static int
move_name(struct vo *v, const struct place *p, const char *to, struct err *e)
{
	PLACE_SCOPED struct place new = { .path = NULL };
	size_t len = strlen(p->path);

	if (find_place(v, to, &new, e) < 0)
		return -1;
	if (new.there && strcmp(p->path, new.path) == 0)
		return change_case(v, p->path, to, e);
	if (new.there)
		return err_set(e, ERR_USAGE, "the new name is there already");
	if (strncmp(new.path, p->path, len) == 0 && new.path[len] == '/')
		return err_set(e, ERR_USAGE, "cannot go into itself");
	return move(v, p->path, new.path, e);
}

static int
remove_name(struct vo *v, const struct place *p, struct err *e)
{
	const struct esp *s = v->own;
	VO_LIST_SCOPED struct vo_list l = VO_LIST_EMPTY;
	SCOPED_FREE char *name = mtools_name(p->path, e);
	const char *const words[] = { name, NULL };
	struct vo_stat st;
	int r;

	if (name == NULL ||
	    (is_folder(p) && vo_list(s->reader, p->path, &l, e) < 0))
		return -1;
	if (l.count > 0)
		return err_set(e, ERR_USAGE, "is not empty");
	if (mtools(v, is_folder(p) ? "/usr/bin/mrd" : "/usr/bin/mdel", words,
		   NULL, e) < 0)
		return -1;
	r = vo_stat(s->reader, p->path, &st, e);
	if (r > 0)
		return came_out_wrong(v, ERR_UNSUPPORTED, "mtools cannot remove it; "
				      "add --engine appliance", e);
	return r;
}

static int
change_name(struct vo *v, const struct vo_request *q, struct err *e)
{
	PLACE_SCOPED struct place p = { .path = NULL };

	if (find_place(v, q->path, &p, e) < 0)
		return -1;
	if (q->op == VO_OP_CREATE || q->op == VO_OP_MKDIR)
		return make_name(v, &p, q->op == VO_OP_MKDIR, e);
	if (!p.there)
		return err_set(e, ERR_NO, "is not there");
	if (q->op == VO_OP_RENAME)
		return move_name(v, &p, q->to, e);
	if (q->op == VO_OP_REMOVE)
		return remove_name(v, &p, e);
	if ((q->size & VO_SETTABLE & ~(uint32_t)ATTRIBUTES) != 0)
		return err_set(e, ERR_UNSUPPORTED, "FAT has no such attribute");
	return set_attributes(v, p.path, p.st.attributes,
			      (uint32_t)q->size & ATTRIBUTES, e);
}

/* ---- requests ------------------------------------------------------------- */

static int
esp_serve(struct vo *v, const struct vo_request *q, struct buf *answer,
	  struct err *e)
{
	const struct esp *s = v->own;

	if (q->op == VO_OP_PUT || q->op == VO_OP_WRITE ||
	    q->op == VO_OP_TRUNCATE)
		return change_data(v, q, e);
	if (write_held(v, e) < 0)
		return -1;
	switch ((int)q->op) {
	case VO_OP_CREATE:
	case VO_OP_MKDIR:
	case VO_OP_RENAME:
	case VO_OP_REMOVE:
	case VO_OP_SET_ATTRIBUTES:
		return change_name(v, q, e);
	case VO_OP_CLOSE:
		return put_back(v, e);
	case VO_OP_SET_TIMES:
		return err_set(e, ERR_UNSUPPORTED, "times cannot be set by "
			       "mtools; add --engine appliance");
	case VO_OP_LINK:
	case VO_OP_SET_SHORT:
	case VO_OP_SET_SECURITY:
	case VO_OP_SET_REPARSE:
	case VO_OP_SET_OBJECT_ID:
	case VO_OP_SET_EFS:
	case VO_OP_SET_COMPRESSED:
		return err_set(e, ERR_UNSUPPORTED, "FAT has no security, links, "
			       "encryption, compression or short names that "
			       "could be set; leave that out");
	default:
		return s->reader->engine->serve(s->reader, q, answer, e);
	}
}

static const struct vo_engine esp_engine = {
	.serve = esp_serve,
	.free = esp_free,
};

int
vo_esp_start(struct vo *v, struct err *e)
{
	struct esp *s;

	if (v->size >> 20 > SIZE_MAX_MB)
		return err_set(e, ERR_UNSUPPORTED, "%s: the EFI system partition "
			       "is larger than %d MiB; add --engine appliance "
			       "to write to it", v->name, SIZE_MAX_MB);
	if (!proc_found("/usr/bin/mcopy"))
		return err_set(e, ERR_UNSUPPORTED, "%s: mtools is not installed, "
			       "which writes to the EFI system partition; "
			       "install it, or add --engine appliance", v->name);
	s = mem_array(1, sizeof(*s), e);
	if (s == NULL)
		return -1;
	s->fd = -1;
	v->own = s;
	v->engine = &esp_engine;
	s->reader = vo_open(v->disk, v->at, v->size, 0, e);
	if (s->reader == NULL)
		return -1;
	v->facts = *vo_facts(s->reader);
	return vo_refuse_unclean(v, e);
}
