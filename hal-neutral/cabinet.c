/* cabinet.c - see cabinet.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * libmspack asks for files by name through a table of functions; here a name
 * stands for bytes in memory: IN_NAME for the cabinet, OUT_NAME for the buffer.
 */
#include "hal-neutral/cabinet.h"

#include <mspack.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

static const char in_name[] = "cabinet", out_name[] = "member";

struct memory {
	struct mspack_system sys;	/* first: what the library gets */
	const uint8_t *at;
	size_t len;
	size_t max;
	struct buf *out;
	bool too_large;
};

struct handle {
	struct memory *m;
	bool write;
	size_t pos;
};

static void *
take(struct mspack_system *sys, size_t bytes)
{
	struct err e = ERR_INIT;

	(void)sys;
	return mem_array(bytes, 1, &e);
}

static struct memory *
memory_of(struct mspack_system *sys)
{
	return (struct memory *)(void *)sys;
}

static struct mspack_file *
open_name(struct mspack_system *sys, const char *name, int mode)
{
	struct handle *h;
	bool write = strcmp(name, out_name) == 0;

	if (!write && strcmp(name, in_name) != 0)
		return NULL;
	if (write != (mode == MSPACK_SYS_OPEN_WRITE))
		return NULL;
	h = take(sys, sizeof(*h));
	if (h != NULL)
		*h = (struct handle){ .m = memory_of(sys), .write = write };
	return (struct mspack_file *)(void *)h;
}

static struct handle *
handle_of(struct mspack_file *f)
{
	return (struct handle *)(void *)f;
}

static void
close_file(struct mspack_file *f)
{
	free(handle_of(f));
}

static int
read_file(struct mspack_file *f, void *buf, int bytes)
{
	struct handle *h = handle_of(f);
	size_t n = h->m->len - h->pos;

	if (bytes < 0 || h->write)
		return -1;
	if (n > (size_t)bytes)
		n = (size_t)bytes;
	memcpy(buf, h->m->at + h->pos, n);
	h->pos += n;
	return (int)n;
}

static int
write_file(struct mspack_file *f, void *buf, int bytes)
{
	struct handle *h = handle_of(f);

	if (bytes < 0 || !h->write)
		return -1;
	if (!num_in_range(h->pos, (size_t)bytes, h->m->max)) {
		h->m->too_large = true;
		return -1;
	}
	buf_bytes(h->m->out, buf, (size_t)bytes);
	h->pos += (size_t)bytes;
	return h->m->out->bad ? -1 : bytes;
}

static int
seek_file(struct mspack_file *f, off_t offset, int mode)
{
	struct handle *h = handle_of(f);
	size_t from = mode == MSPACK_SYS_SEEK_CUR ? h->pos :
		      mode == MSPACK_SYS_SEEK_END ? h->m->len : 0;
	uint64_t back = offset < 0 ? (uint64_t)-(offset + 1) + 1 : 0;

	if (h->write || back > from)
		return -1;
	if (offset >= 0 && !num_in_range(from, (uint64_t)offset, h->m->len))
		return -1;
	h->pos = offset < 0 ? from - (size_t)back : from + (size_t)offset;
	return 0;
}

static off_t
tell_file(struct mspack_file *f)
{
	return (off_t)handle_of(f)->pos;
}

static void
say_nothing(struct mspack_file *f, const char *fmt, ...)
{
	(void)f;
	(void)fmt;
}

static void
copy_bytes(void *src, void *dest, size_t bytes)
{
	memmove(dest, src, bytes);
}

static int
extract(struct mscab_decompressor *d, struct memory *m,
	struct mscabd_file *f, struct err *e)
{
	if (m->out == NULL)
		return 1;
	if (d->extract(d, f, out_name) == MSPACK_ERR_OK)
		return 1;
	if (m->too_large)
		return err_set(e, ERR_UNSUPPORTED,
			       "a member of more than %zu bytes", m->max);
	if (buf_ok(m->out, e) < 0)
		return -1;
	return err_set(e, ERR_CORRUPT, "a member cannot be unpacked");
}

static int
find(struct mscab_decompressor *d, struct memory *m, const char *member,
     struct err *e)
{
	struct mscabd_cabinet *cab = d->open(d, in_name);
	int r = 0;

	if (cab == NULL)
		return d->last_error(d) == MSPACK_ERR_NOMEMORY ?
		       err_set(e, ERR_NOMEM, "no memory") :
		       err_set(e, ERR_CORRUPT, "not a cabinet, or a broken one");
	for (struct mscabd_file *f = cab->files; f != NULL && r == 0;
	     f = f->next)
		if (strcasecmp(f->filename, member) == 0)
			r = extract(d, m, f, e);
	d->close(d, cab);
	return r;
}

int
hn_cabinet_read(const char *name, const void *at, size_t len,
		const char *member, size_t max, struct buf *out, struct err *e)
{
	struct memory m = {
		.sys = {
			.open = open_name, .close = close_file,
			.read = read_file, .write = write_file,
			.seek = seek_file, .tell = tell_file,
			.message = say_nothing, .alloc = take, .free = free,
			.copy = copy_bytes,
		},
		.at = at, .len = len, .max = max, .out = out,
	};
	struct mscab_decompressor *d = mspack_create_cab_decompressor(&m.sys);
	int r;

	if (d == NULL)
		return err_set(e, ERR_NOMEM, "%s: no memory", name);
	r = find(d, &m, member, e);
	mspack_destroy_cab_decompressor(d);
	return r < 0 ? err_ctx(e, "%s: %s", name, member) : r;
}
