/* seen.c - what a client remembers of an origin, as a file; see trust.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "delta/seen-private.h"

#define VERSION 1
#define SEEN_MAX (CX_META_SMALL + (16 << 20))

static const char magic[8] = "HALSEEN\n";

void
dl_seen_done(struct dl_seen *s)
{
	cx_meta_done(&s->meta);
	cx_root_done(&s->root);
	free(s->line);
	*s = (struct dl_seen)DL_SEEN_EMPTY;
}

int
dl_seen_encode(const struct dl_seen *s, struct buf *out, struct err *e)
{
	BUF_SCOPED struct buf root = BUF_EMPTY;

	if (cx_meta_encode(&s->meta, &root, e) < 0)
		return -1;
	buf_bytes(out, magic, sizeof(magic));
	buf_u16le(out, VERSION);
	buf_zeros(out, 2);
	buf_u32le(out, (uint32_t)root.len);
	buf_bytes(out, root.at, root.len);
	buf_u64le(out, s->latest);
	for (int i = CX_ROLE_RELEASE; i < CX_ROLE_END; i++) {
		buf_u64le(out, s->mark[i].number);
		buf_bytes(out, s->mark[i].hash, CX_HASH_BYTES);
	}
	buf_u32le(out, (uint32_t)s->lines);
	for (size_t i = 0; i < s->lines; i++) {
		buf_u8(out, (uint8_t)strlen(s->line[i].name));
		buf_str(out, s->line[i].name);
		buf_u64le(out, s->line[i].epoch);
		buf_u64le(out, s->line[i].number);
	}
	return buf_ok(out, e);
}

static int
take_line(struct cur *c, struct dl_seen *s, struct err *e)
{
	struct dl_line_mark m = { .name = "" };
	size_t n = cur_u8(c);

	if (cur_ok(c) && n > ST_NAME_MAX)
		cur_bad(c, "has an impossible name");
	cur_bytes(c, m.name, cur_ok(c) ? n : 0);
	m.epoch = cur_u64le(c);
	m.number = cur_u64le(c);
	if (cur_ok(c) && (strlen(m.name) != n || !st_name_ok(m.name) ||
			  (s->lines > 0 && strcmp(s->line[s->lines - 1].name,
						  m.name) >= 0)))
		cur_bad(c, "has an impossible name, or unsorted ones");
	if (!cur_ok(c))
		return cur_err(c, e);
	if (mem_grow(&s->line, &s->cap, s->lines + 1, sizeof(m), e) < 0)
		return -1;
	s->line[s->lines++] = m;
	return 0;
}

int
dl_seen_parse(const char *what, const void *in, size_t len,
	      struct dl_seen *ret, struct err *e)
{
	struct cur c = cur_over(what, in, len);
	DL_SEEN_SCOPED struct dl_seen s = DL_SEEN_EMPTY;

	cur_magic(&c, magic, sizeof(magic));
	uint16_t version = cur_u16le(&c);
	cur_zeros(&c, 2);
	struct cur root = cur_sub(&c, cur_u32le(&c));
	if (!cur_ok(&root))
		return cur_err(&root, e);
	if (version != VERSION)
		return err_set(e, ERR_UNSUPPORTED, "%s: needs a newer version "
			       "(format %u)", what, version);
	if (dl_root_parse(what, cur_rest(&root), cur_left(&root), &s.meta,
			  &s.root, e) < 0)
		return -1;
	s.latest = cur_u64le(&c);
	for (int i = CX_ROLE_RELEASE; i < CX_ROLE_END; i++) {
		s.mark[i].number = cur_u64le(&c);
		cur_bytes(&c, s.mark[i].hash, CX_HASH_BYTES);
	}
	uint32_t lines = cur_u32le(&c);
	for (uint32_t i = 0; cur_ok(&c) && i < lines; i++)
		if (take_line(&c, &s, e) < 0)
			return -1;
	if (cur_end(&c, e) < 0)
		return -1;
	*ret = TAKE(s);
	return 0;
}

static char *
seen_path(const char *state, const uint8_t domain[CX_DOMAIN_BYTES],
	  struct err *e)
{
	char hex[2 * CX_DOMAIN_BYTES + 1];

	cx_hex(hex, domain, CX_DOMAIN_BYTES);
	return mem_fmt(e, "%s/trust/%s", state, hex);
}

int
dl_seen_load(const char *state, const uint8_t domain[CX_DOMAIN_BYTES],
	     struct dl_seen *ret, struct err *e)
{
	SCOPED_FREE char *path = seen_path(state, domain, e);
	DL_SEEN_SCOPED struct dl_seen s = DL_SEEN_EMPTY;
	SCOPED_FREE uint8_t *in = NULL;
	size_t len;

	if (path == NULL)
		return -1;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (io_slurp(path, SEEN_MAX, &in, &len, e) < 0 ||
	    dl_seen_parse(path, in, len, &s, e) < 0)
		return -1;
	if (memcmp(s.meta.domain, domain, CX_DOMAIN_BYTES) != 0)
		return err_set(e, ERR_CORRUPT, "%s: is of another origin", path);
	*ret = TAKE(s);
	return 1;
}

int
dl_seen_save(const char *state, const struct dl_seen *s, struct err *e)
{
	SCOPED_FREE char *path = seen_path(state, s->meta.domain, e);
	SCOPED_FREE char *dir = io_join(state, "trust", e);
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (path == NULL || dir == NULL || dl_seen_encode(s, &b, e) < 0 ||
	    io_mkdirs(dir, 0755, e) < 0 || io_sync_dir(state, e) < 0)
		return -1;
	return io_put(path, b.at, b.len, 0644, e);
}
