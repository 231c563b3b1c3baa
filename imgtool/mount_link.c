/* mount_link.c - links and junctions of a mounted disk
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * REPARSE_DATA_BUFFER: [MS-FSCC] 2.1.2.4 (symbolic links), 2.1.2.5 (mount
 * points).  Whatever a guest wrote there becomes a path from the link to
 * something in one of the mounted volumes: ".." ends at a volume's root, so no
 * link leads to a file of this machine.
 */
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "imgtool/files.h"
#include "imgtool/mount.h"
#include "windows/windows.h"

#define RELATIVE 1u		/* of a symbolic link's flags */

/* Where it leads, as Windows' path. */
static int
target(struct vo *v, const char *inside, char **ret, bool *ret_relative,
       struct err *e)
{
	SCOPED_FREE uint8_t *raw = NULL;
	size_t len;
	int r = vo_reparse(v, inside, &raw, &len, e);

	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NO, "is no link");
	struct cur c = cur_over("link", raw, len);
	uint32_t tag = cur_u32le(&c);
	(void)cur_u32le(&c);	/* length, reserved */
	uint16_t at = cur_u16le(&c), bytes = cur_u16le(&c);
	(void)cur_u32le(&c);	/* the name that is printed */
	uint32_t flags = tag == (uint32_t)VO_TAG_SYMLINK ? cur_u32le(&c) : 0;
	(void)cur_sub(&c, at);
	struct cur name = cur_sub(&c, bytes);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	*ret_relative = (flags & RELATIVE) != 0;
	*ret = utf_from16(cur_rest(&name), bytes, e);
	return *ret == NULL ? -1 : 0;
}

/* Parts of a path as a stack that ".." does not empty below `floor`. */
static void
walk(struct buf *at, size_t floor, const char *path)
{
	while (*path != '\0') {
		size_t n = strcspn(path, "\\/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (at->len > floor && at->at[at->len - 1] != '/')
				at->len--;
			if (at->len > floor)
				at->len--;
		} else if (n > 0 && !(n == 1 && path[0] == '.')) {
			buf_u8(at, '/');
			buf_bytes(at, path, n);
		}
		path += n + (path[n] != '\0');
	}
}

/* From the folder of the link `path` to `to`; both begin at the mount point. */
static char *
relative(const char *path, const struct buf *to, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	for (const char *p = path + 1; *p != '\0'; p++)
		if (*p == '/')
			buf_str(&b, "../");
	buf_bytes(&b, to->at + 1, to->len - 1);
	return buf_take_str(&b, e);
}

static const char *
folder_of(const struct mount *m, size_t volume)
{
	for (size_t i = 0; i < m->folders; i++)
		if (m->folder[i].volume == &m->files->guest->volume[volume])
			return m->folder[i].name;
	return NULL;
}

/* Into *to, where an absolute target is; 0 when that is not on this disk. */
static int
absolute(const struct mount *m, const char *text, struct buf *to, struct err *e)
{
	const struct wn_install *in = m->files->install;
	SCOPED_FREE char *inside = NULL;
	const char *folder;
	size_t volume;
	int r = in == NULL ? 0 : wn_find_path(in, text, &volume, &inside, e);

	if (r <= 0 || (folder = folder_of(m, volume)) == NULL)
		return r < 0 ? -1 : 0;
	buf_u8(to, '/');
	buf_str(to, folder);
	walk(to, to->len, inside);
	return 1;
}

char *
mount_link(const struct mount *m, const char *path, struct err *e)
{
	BUF_SCOPED struct buf to = BUF_EMPTY;
	SCOPED_FREE char *text = NULL;
	size_t top = 1 + strcspn(path + 1, "/");
	const char *inside;
	bool is_relative = false;
	struct vo *v;
	int r = 1;

	if (mount_find(m, path, &v, &inside) != 1) {
		(void)err_set(e, ERR_NO, "is not there");
		return NULL;
	}
	if (target(v, inside, &text, &is_relative, e) < 0)
		return NULL;
	if (is_relative) {
		/* "\x" begins at the volume's root, "x" at the link's folder */
		buf_bytes(&to, path, text[0] == '\\' ? top :
			  (size_t)(strrchr(path, '/') - path));
		walk(&to, top, text);
	} else {
		r = absolute(m, text, &to, e);
	}
	if (r < 0 || buf_ok(&to, e) < 0)
		return NULL;
	if (r > 0)
		return relative(path, &to, e);
	/* It leads away: Windows' own words, in which no slash leads anywhere. */
	for (char *p = text; *p != '\0'; p++)
		if (*p == '/')
			*p = '\\';
	return strcmp(text, "..") == 0 || *text == '\0' ? mem_str("\\", e) :
							  TAKE(text);
}
