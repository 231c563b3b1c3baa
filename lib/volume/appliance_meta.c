/* appliance_meta.c - metadata of a volume that the appliance mounted
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ntfs-3g shows what NTFS keeps as extended attributes: its manual, "Extended
 * attributes" (system.ntfs_acl, ntfs_attrib_be, ntfs_times_be,
 * ntfs_reparse_data, ntfs_object_id, ntfs_dos_name).  libguestfs reads such
 * bytes but writes only text, so they are set by setfattr(1), which is in the
 * appliance.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "volume/appliance_run.h"

enum {
	VALUE_MAX = 48 << 10,	/* bytes; a shell's word holds 128 KiB */
};

/* ---- extended attributes -------------------------------------------------- */

int
vo_guest_xattr(struct vo_guest_run *w, const char *path, const char *name,
	       uint8_t **ret, size_t *ret_len, struct err *e)
{
	size_t len = 0;
	char *bytes = w->gf->lgetxattr(w->g, path, name, &len);
	int os = bytes == NULL ? w->gf->last_errno(w->g) : 0;

	if (os == ENODATA || os == ENOTSUP)
		return 0;
	if (bytes == NULL)
		return vo_guest_fail(w, "read its metadata", e);
	*ret = (uint8_t *)bytes;
	*ret_len = len;
	return 1;
}

/* In single quotes, for a shell. */
static void
put_quoted(struct buf *out, const char *text)
{
	buf_str(out, "'");
	for (; *text != '\0'; text++)
		if (*text == '\'')
			buf_str(out, "'\\''");
		else
			buf_u8(out, (uint8_t)*text);
	buf_str(out, "'");
}

int
vo_guest_set_xattr(struct vo_guest_run *w, const char *path, const char *name,
		   const void *data, size_t len, struct err *e)
{
	static char sh[] = "sh";
	BUF_SCOPED struct buf line = BUF_EMPTY;
	SCOPED_FREE char *said = NULL;
	const uint8_t *from = data;
	char *words[] = { NULL, NULL };

	if (len > VALUE_MAX)
		return err_set(e, ERR_UNSUPPORTED, "the appliance sets no more "
			       "than %d bytes", VALUE_MAX);
	buf_fmt(&line, "setfattr -h -n %s -v 0x", name);
	for (size_t i = 0; i < len; i++)
		buf_fmt(&line, "%02x", from[i]);
	buf_str(&line, " ");
	buf_str(&line, "'/sysroot'");
	put_quoted(&line, path);
	if (buf_ok(&line, e) < 0)
		return -1;
	words[0] = (char *)line.at;
	said = w->gf->debug(w->g, sh, words);
	return said == NULL ? vo_guest_fail(w, "set its metadata", e) : 0;
}

int
vo_guest_attributes(struct vo_guest_run *w, const char *path, uint32_t *ret,
		    struct err *e)
{
	SCOPED_FREE uint8_t *b = NULL;
	size_t len = 0;
	int r = vo_guest_xattr(w, path, "system.ntfs_attrib_be", &b, &len, e);

	if (r < 0)
		return -1;
	if (r == 0 || len != 4)
		return err_set(e, ERR_CORRUPT, "has no attributes");
	*ret = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
	return 0;
}

static uint64_t
be64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

int
vo_guest_times(struct vo_guest_run *w, const char *path, struct vo_times *ret,
	       struct err *e)
{
	SCOPED_FREE uint8_t *b = NULL;
	size_t len = 0;
	int r = vo_guest_xattr(w, path, "system.ntfs_times_be", &b, &len, e);

	if (r < 0)
		return -1;
	if (r == 0 || len != 32)
		return err_set(e, ERR_CORRUPT, "has no times");
	*ret = (struct vo_times){
		.created = be64(b), .modified = be64(b + 8),
		.accessed = be64(b + 16), .changed = be64(b + 24),
	};
	return 0;
}

/* ---- requests ------------------------------------------------------------- */

static int
lacks(const struct vo_guest_device *d, const char *what, struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, "%s has no %s",
		       vo_kind_name(d->kind), what);
}

/* Encrypted data and NTFS's compression, which have no xattr. */
static int
cannot(struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, "the appliance cannot do that; leave "
		       "out --engine");
}

static int
get_bytes(struct vo_guest_run *w, const char *path, const char *name,
	  struct buf *answer, struct err *e)
{
	SCOPED_FREE uint8_t *b = NULL;
	size_t len = 0;
	int r = vo_guest_xattr(w, path, name, &b, &len, e);

	buf_bytes(answer, b, len);
	return r;
}

/* Remove one that need not be there. */
static int
remove_bytes(struct vo_guest_run *w, const char *path, const char *name,
	     struct err *e)
{
	if (w->gf->lremovexattr(w->g, name, path) == 0 ||
	    w->gf->last_errno(w->g) == ENODATA)
		return 0;
	return vo_guest_fail(w, "remove its metadata", e);
}

static int
set_bytes(struct vo_guest_run *w, const char *path, const char *name,
	  const struct vo_request *q, struct err *e)
{
	return q->len == 0 ? remove_bytes(w, path, name, e)
			   : vo_guest_set_xattr(w, path, name, q->data, q->len,
						e);
}

static int
set_short(struct vo_guest_run *w, const char *path, const char *name,
	  struct err *e)
{
	static const char xattr[] = "system.ntfs_dos_name";

	if (*name == '\0')
		return remove_bytes(w, path, xattr, e);
	return w->gf->lsetxattr(w->g, xattr, name, (int)strlen(name),
				path) == 0 ? 0
		: vo_guest_fail(w, "set its short name", e);
}

/* libntfs-3g takes three of the four: the last change is always now. */
static int
set_ntfs_times(struct vo_guest_run *w, const char *path,
	       const struct vo_times *t, struct err *e)
{
	uint8_t b[24];

	for (int i = 0; i < 8; i++) {
		b[i] = (uint8_t)(t->created >> 8 * (7 - i) & 0xff);
		b[8 + i] = (uint8_t)(t->modified >> 8 * (7 - i) & 0xff);
		b[16 + i] = (uint8_t)(t->accessed >> 8 * (7 - i) & 0xff);
	}
	return vo_guest_set_xattr(w, path, "system.ntfs_times_be", b, sizeof(b),
				  e);
}

static int
set_linux_times(struct vo_guest_run *w, const struct vo_guest_device *d,
		const char *path, const struct vo_times *t, struct err *e)
{
	const int64_t epoch = 11644473600;

	if (t->created != 0)
		return lacks(d, "time of creation that the appliance could set",
			     e);
	if (w->gf->utimens(w->g, path,
			   (int64_t)(t->accessed / 10000000) - epoch,
			   (int64_t)(t->accessed % 10000000 * 100),
			   (int64_t)(t->modified / 10000000) - epoch,
			   (int64_t)(t->modified % 10000000 * 100)) < 0)
		return vo_guest_fail(w, "set its times", e);
	return 0;
}

static int
set_times(struct vo_guest_run *w, const struct vo_guest_device *d,
	  const char *path, const struct vo_request *q, struct err *e)
{
	struct cur c = cur_over("request", q->data, q->len);
	struct vo_times t;

	t.created = cur_u64le(&c);
	t.modified = cur_u64le(&c);
	t.changed = cur_u64le(&c);
	t.accessed = cur_u64le(&c);
	if (cur_end(&c, e) < 0)
		return -1;
	return d->kind == VO_NTFS ? set_ntfs_times(w, path, &t, e)
				  : set_linux_times(w, d, path, &t, e);
}

static int
set_attributes(struct vo_guest_run *w, const struct vo_guest_device *d,
	       const char *path, uint32_t wanted, struct err *e)
{
	const uint32_t settable = VO_SETTABLE;
	uint32_t now, then;
	uint8_t b[4];

	if (d->kind != VO_NTFS) {
		if (d->kind == VO_EXT ||
		    (wanted & settable & ~(uint32_t)(VO_READONLY |
						     VO_ARCHIVE)) != 0)
			return lacks(d, "attributes that the appliance could "
				     "set", e);
		return w->gf->chmod(w->g, (wanted & VO_READONLY) != 0 ? 0555
				    : 0755, path) == 0 ? 0
			: vo_guest_fail(w, "set its attributes", e);
	}
	if (vo_guest_attributes(w, path, &now, e) < 0)
		return -1;
	then = (now & ~settable) | (wanted & settable);
	if (then == now)
		return 0;
	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(then >> 8 * (3 - i) & 0xff);
	return vo_guest_set_xattr(w, path, "system.ntfs_attrib_be", b,
				  sizeof(b), e);
}

static int
ask(struct vo_guest_run *w, const struct vo_guest_device *d, const char *path,
    enum vo_op op, struct buf *answer, struct err *e)
{
	bool ntfs = d->kind == VO_NTFS;

	switch ((int)op) {
	case VO_OP_SECURITY:
		return ntfs ? get_bytes(w, path, "system.ntfs_acl", answer, e)
			    : lacks(d, "Windows security", e);
	case VO_OP_REPARSE:
		return ntfs ? get_bytes(w, path, "system.ntfs_reparse_data",
					answer, e) : 0;
	case VO_OP_OBJECT_ID:
		return ntfs ? get_bytes(w, path, "system.ntfs_object_id",
					answer, e) : 0;
	default:
		return cannot(e);
	}
}

static int
set(struct vo_guest_run *w, const struct vo_guest_device *d, const char *path,
    const struct vo_request *q, struct err *e)
{
	if (!d->writable)
		return err_set(e, ERR_USAGE,
			       "the volume is open for reading only");
	if (q->op == VO_OP_SET_TIMES)
		return set_times(w, d, path, q, e);
	if (q->op == VO_OP_SET_ATTRIBUTES)
		return set_attributes(w, d, path, (uint32_t)q->size, e);
	if (d->kind != VO_NTFS)
		return lacks(d, q->op == VO_OP_SET_SHORT ? "short names that "
			     "could be set" : q->op == VO_OP_SET_SECURITY
			     ? "Windows security" : "reparse points or object "
			     "ids", e);
	switch ((int)q->op) {
	case VO_OP_SET_SHORT:
		return set_short(w, path, q->to, e);
	case VO_OP_SET_SECURITY:
		return vo_guest_set_xattr(w, path, "system.ntfs_acl", q->data,
					  q->len, e);
	case VO_OP_SET_REPARSE:
		return set_bytes(w, path, "system.ntfs_reparse_data", q, e);
	case VO_OP_SET_OBJECT_ID:
		return set_bytes(w, path, "system.ntfs_object_id", q, e);
	default:
		return cannot(e);
	}
}

int
vo_guest_meta(struct vo_guest_run *w, const struct vo_guest_device *d,
	      const struct vo_request *q, struct buf *answer, struct err *e)
{
	SCOPED_FREE char *path = NULL;
	const char *stream;
	int r = vo_guest_find(w, d, q->path, false, &path, &stream, e);

	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NO, "is not there");
	if (q->op == VO_OP_SECURITY || q->op == VO_OP_REPARSE ||
	    q->op == VO_OP_OBJECT_ID)
		return ask(w, d, path, q->op, answer, e);
	return set(w, d, path, q, e);
}
