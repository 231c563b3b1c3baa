/* reg.c - see reg.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The empty hive that libhivex fills is ours: base block, one bin with the root
 * key and its security cell, one free cell.
 */
#include "testdata/reg.h"

#include <errno.h>
#include <hivex.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"

enum { BASE = 4096, BIN = 4096, NK = 76, MAX_VALUES = 256, MAX_HIVE = 64 << 20 };

struct reg {
	char *path;
	hive_h *h;
	hive_node_h key;
	hive_set_value value[MAX_VALUES];	/* of the present key */
	size_t count;
	const struct reg_word *words;
	struct err *e;
};

static size_t
cell(uint8_t *bin, size_t at, size_t payload)
{
	size_t size = (payload + 4 + 7) & ~(size_t)7;

	num_put_u32le(bin + at, (uint32_t)-(int32_t)size);
	return at + size;
}

static void
put_root(uint8_t *bin, const struct reg_new *n)
{
	size_t len = strlen(n->root);
	size_t sk = cell(bin, 0x20, NK + len);
	size_t rest = cell(bin, sk, 20 + n->sd.len);
	uint8_t *p = bin + 0x24;

	memcpy(p, "nk\x2c", 4);
	num_put_u64le(p + 4, n->time);
	num_put_u32le(p + 28, 0xffffffff);
	num_put_u32le(p + 32, 0xffffffff);
	num_put_u32le(p + 40, 0xffffffff);
	num_put_u32le(p + 44, (uint32_t)sk);
	num_put_u32le(p + 48, 0xffffffff);
	num_put_u16le(p + 72, (uint16_t)len);
	memcpy(p + NK, n->root, len);
	p = bin + sk + 4;
	memcpy(p, "sk", 2);
	num_put_u32le(p + 4, (uint32_t)sk);
	num_put_u32le(p + 8, (uint32_t)sk);
	num_put_u32le(p + 12, 1);
	num_put_u32le(p + 16, (uint32_t)n->sd.len);
	memcpy(p + 20, n->sd.at, n->sd.len);
	num_put_u32le(bin + rest, (uint32_t)(BIN - rest));
}

static void
put_base(uint8_t *b, const struct reg_new *n)
{
	size_t len = strlen(n->file);
	uint32_t sum = 0;

	memcpy(b, "regf", 4);
	num_put_u32le(b + 4, 1);
	num_put_u32le(b + 8, 1);
	num_put_u64le(b + 12, n->time);
	num_put_u32le(b + 20, 1);
	num_put_u32le(b + 24, n->minor);
	num_put_u32le(b + 32, 1);
	num_put_u32le(b + 36, 0x20);
	num_put_u32le(b + 40, BIN);
	num_put_u32le(b + 44, 1);
	for (size_t i = 0; i < len && i < 31; i++)
		b[48 + 2 * i] = (uint8_t)n->file[len > 31 ? len - 31 + i : i];
	for (size_t i = 0; i < 508; i += 4)
		sum ^= (uint32_t)b[i] | (uint32_t)b[i + 1] << 8 |
		       (uint32_t)b[i + 2] << 16 | (uint32_t)b[i + 3] << 24;
	num_put_u32le(b + 508, sum);
}

static struct reg *
open_bytes(const char *scratch, const void *bytes, size_t len, struct err *e)
{
	struct reg *r = mem_array(1, sizeof(*r), e);

	if (r == NULL)
		return NULL;
	r->e = e;
	r->path = io_join(scratch, "hive", e);
	if (r->path != NULL && io_put(r->path, bytes, len, 0600, e) == 0) {
		r->h = hivex_open(r->path, HIVEX_OPEN_WRITE);
		if (r->h != NULL) {
			r->key = hivex_root(r->h);
			return r;
		}
		(void)err_sys(e, "%s: cannot open", r->path);
	}
	free(r->path);
	free(r);
	return NULL;
}

struct reg *
reg_new(const struct reg_new *n, struct err *e)
{
	uint8_t empty[BASE + BIN] = { 0 };

	put_base(empty, n);
	memcpy(empty + BASE, "hbin", 4);
	num_put_u32le(empty + BASE + 8, BIN);
	num_put_u64le(empty + BASE + 20, n->time);
	put_root(empty + BASE, n);
	return open_bytes(n->scratch, empty, sizeof(empty), e);
}

struct reg *
reg_again(const char *scratch, const struct buf *hive, struct err *e)
{
	return open_bytes(scratch, hive->at, hive->len, e);
}

static void
flush(struct reg *r)
{
	if (r->count > 0 && r->e->kind == ERR_NONE &&
	    hivex_node_set_values(r->h, r->key, r->count, r->value, 0) < 0)
		(void)err_sys(r->e, "hive: cannot set values");
	for (size_t i = 0; i < r->count; i++) {
		free(r->value[i].key);
		free(r->value[i].value);
	}
	r->count = 0;
}

static void
enter(struct reg *r, const char *path, size_t len)
{
	flush(r);
	r->key = hivex_root(r->h);
	while (len > 0 && r->e->kind == ERR_NONE) {
		const char *slash = memchr(path, '\\', len);
		size_t n = slash == NULL ? len : (size_t)(slash - path);
		SCOPED_FREE char *name = mem_strn(path, n, r->e);
		hive_node_h child;

		if (name == NULL)
			return;
		child = hivex_node_get_child(r->h, r->key, name);
		if (child == 0)
			child = hivex_node_add_child(r->h, r->key, name);
		if (child == 0)
			(void)err_sys(r->e, "%s: cannot add key", name);
		r->key = child;
		n += slash == NULL ? 0 : 1;
		path += n;
		len -= n;
	}
}

void
reg_value(struct reg *r, const char *name, uint32_t type, const void *data,
	  size_t len)
{
	hive_set_value *v;

	if (r->e->kind != ERR_NONE)
		return;
	if (r->count == MAX_VALUES) {
		(void)err_set(r->e, ERR_USAGE, "%s: one value too many", name);
		return;
	}
	v = &r->value[r->count];
	v->key = mem_str(name, r->e);
	v->t = (hive_type)type;
	v->len = len;
	v->value = mem_strn(data, len, r->e);
	if (v->key == NULL || v->value == NULL) {
		free(v->key);
		free(v->value);
		return;
	}
	r->count++;
}

/* '|' ends each string of a REG_MULTI_SZ. */
static void
put_text(struct reg *r, const char *name, uint32_t type, const char *text)
{
	SCOPED_FREE uint8_t *units = NULL;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	size_t len;

	if (utf_to16(text, &units, &len, r->e) < 0)
		return;
	for (size_t i = 0; type == 7 && i < len; i += 2)
		if (units[i] == '|' && units[i + 1] == 0)
			units[i] = 0;
	buf_bytes(&b, units, len);
	buf_zeros(&b, type == 7 && len > 0 ? 4 : 2);
	if (buf_ok(&b, r->e) == 0)
		reg_value(r, name, type, b.at, b.len);
}

static void
put_hex(struct reg *r, const char *name, const char *hex)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	while (*hex != '\0') {
		char two[3] = { hex[0], hex[1], '\0' };

		if (*hex == ' ') {
			hex++;
			continue;
		}
		buf_u8(&b, (uint8_t)strtoul(two, NULL, 16));
		hex += 2;
	}
	if (buf_ok(&b, r->e) == 0)
		reg_value(r, name, 3, b.at, b.len);
}

/* The line with each @word@ replaced; the caller frees it. */
static char *
replaced(struct reg *r, const char *line)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	const char *open, *close;

	while ((open = strchr(line, '@')) != NULL &&
	       (close = strchr(open + 1, '@')) != NULL) {
		const struct reg_word *w = r->words;
		size_t n = (size_t)(close - open - 1);

		while (w != NULL && w->word != NULL &&
		       (strlen(w->word) != n ||
			memcmp(w->word, open + 1, n) != 0))
			w++;
		if (w == NULL || w->word == NULL) {
			(void)err_set(r->e, ERR_USAGE, "%s: unknown word", line);
			return NULL;
		}
		buf_bytes(&b, line, (size_t)(open - line));
		buf_str(&b, w->value);
		line = close + 1;
	}
	buf_str(&b, line);
	return buf_take_str(&b, r->e);
}

void
reg_line(struct reg *r, const char *line)
{
	SCOPED_FREE char *copy = NULL;
	char *is;
	uint8_t le[4];

	if (r->e->kind != ERR_NONE)
		return;
	copy = replaced(r, line);
	if (copy == NULL)
		return;
	if (copy[0] == '[') {
		enter(r, copy + 1, strlen(copy) - 2);
		return;
	}
	is = strchr(copy, '=');
	if (is == NULL || is[1] == '\0' || is[2] != ':') {
		(void)err_set(r->e, ERR_USAGE, "%s: not a hive line", copy);
		return;
	}
	*is = '\0';
	switch (is[1]) {
	case 's': put_text(r, copy, 1, is + 3); break;
	case 'e': put_text(r, copy, 2, is + 3); break;
	case 'm': put_text(r, copy, 7, is + 3); break;
	case 'b': put_hex(r, copy, is + 3); break;
	default:
		num_put_u32le(le, (uint32_t)strtoul(is + 3, NULL, 0));
		reg_value(r, copy, 4, le, sizeof(le));
	}
}

void
reg_lines(struct reg *r, const char *const *lines, const struct reg_word *words)
{
	r->words = words;
	for (; *lines != NULL; lines++)
		reg_line(r, *lines);
}

int
reg_done(struct reg *r, struct buf *ret)
{
	struct err *e = r->e;
	SCOPED_FREE uint8_t *bytes = NULL;
	size_t len;

	flush(r);
	if (e->kind == ERR_NONE && hivex_commit(r->h, NULL, 0) < 0)
		(void)err_sys(e, "hive: cannot commit");
	(void)hivex_close(r->h);
	if (e->kind == ERR_NONE &&
	    io_slurp(r->path, MAX_HIVE, &bytes, &len, e) == 0) {
		buf_done(ret);
		buf_bytes(ret, bytes, len);
		if (buf_ok(ret, e) < 0)
			buf_done(ret);
	}
	(void)unlink(r->path);
	free(r->path);
	free(r);
	return e->kind == ERR_NONE ? 0 : -1;
}
