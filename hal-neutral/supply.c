/* supply.c - see supply.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/supply.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/utf.h"
#include "hal-neutral/cabinet.h"

enum { CABINET_MAX = 256 << 20 };

void
hn_fetch_done(struct hn_fetch *f)
{
	free(f->path);
	free(f->at);
	*f = (struct hn_fetch)HN_FETCH_EMPTY;
}

void
hn_supply_done(struct hn_supply *s)
{
	free(s->path);
	free(s->member);
	*s = (struct hn_supply)HN_SUPPLY_EMPTY;
}

/* The cabinet's bytes into f, unless they are there: 1, 0, -1. */
static int
load(struct hn_fetch *f, struct vo *vo, const char *path, struct err *e)
{
	SCOPED_FREE char *copy = NULL;
	uint8_t *at;
	size_t len;
	int r;

	if (f->path != NULL && utf_same8(f->path, path))
		return 1;
	copy = mem_str(path, e);
	r = copy == NULL ? -1 : vo_slurp(vo, path, CABINET_MAX, &at, &len, e);
	if (r <= 0)
		return r;
	free(f->path);
	free(f->at);
	f->path = TAKE(copy);
	f->at = at;
	f->len = len;
	return 1;
}

/* A file of the administrator's folder; the plan holds its hash. */
static int
host_file(const char *path, cs_sink_fn sink, void *arg, struct err *e)
{
	SCOPED_FREE uint8_t *bytes = NULL;
	size_t len;

	if (io_slurp(path, HN_DRIVER_MAX, &bytes, &len, e) < 0)
		return -1;
	return sink(arg, bytes, len, e);
}

int
hn_fetch(void *arg, struct cs_target *t, const struct cs_side *from,
	 cs_sink_fn sink, void *sink_arg, struct err *e)
{
	struct hn_fetch *f = arg;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	struct vo *vo = cs_target_volume(t, f->serial, e);
	int r;

	if (vo == NULL)
		return -1;
	if (from->origin == CS_DRIVERS)
		return host_file(from->path, sink, sink_arg, e);
	if (from->origin != CS_CABINET)
		return err_set(e, ERR_USAGE, "%s: this plan needs another "
			       "source; apply it with the command that made it",
			       from->path);
	r = load(f, vo, from->path, e);
	if (r == 1)
		r = hn_cabinet_read(from->path, f->at, f->len, from->member,
				    HN_DRIVER_MAX, &out, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_UNSAFE, "%s: has no %s any more",
			       from->path, from->member);
	return sink(sink_arg, out.at, out.len, e);
}

unsigned
hn_service_pack(const struct hn_pe_version *v)
{
	/* The revisions that began each: XP 5.1.2600, 2003 5.2.3790. */
	static const uint16_t xp[] = { 1106, 2180, 5512 };
	static const uint16_t server[] = { 1830, 3959, 65535 };
	const uint16_t *first = v->number[1] == 1 ? xp : server;
	unsigned pack = 0;

	for (unsigned i = 0; i < 3; i++)
		if (v->number[3] >= first[i])
			pack = i + 1;
	return pack;
}

/* Do the bytes belong to the same Windows and service pack? */
static bool
alike(const struct buf *bytes, const struct hn_pe_version *like)
{
	HN_PE_SCOPED struct hn_pe pe = HN_PE_EMPTY;
	struct hn_pe_version v;
	struct err e = ERR_INIT;

	return hn_pe_parse("file", bytes->at, bytes->len, &pe, &e) == 0 &&
	       hn_pe_version(&pe, bytes->at, bytes->len, &v) &&
	       memcmp(v.number, like->number, 3 * sizeof(v.number[0])) == 0 &&
	       hn_service_pack(&v) == hn_service_pack(like);
}

static int
in_cabinet(const struct hn_image *im, struct hn_fetch *f, const char *cab,
	   const char *file, const struct hn_pe_version *like,
	   struct hn_supply *ret, struct err *e)
{
	SCOPED_FREE char *path = mem_fmt(e, "%s/Driver Cache/i386/%s",
					 im->in->root, cab);
	HN_SUPPLY_SCOPED struct hn_supply s = { .origin = CS_CABINET };
	BUF_SCOPED struct buf bytes = BUF_EMPTY;
	struct err broken = ERR_INIT;
	int r = path == NULL ? -1 : load(f, im->vo, path, e);

	if (r <= 0)
		return r;
	/* A broken cabinet supplies nothing. */
	r = hn_cabinet_read(path, f->at, f->len, file, HN_DRIVER_MAX,
			    like != NULL ? &bytes : NULL, &broken);
	if (r <= 0)
		return broken.kind == ERR_NOMEM ?
		       err_set(e, broken.kind, "%s", broken.msg) : 0;
	if (like != NULL && !alike(&bytes, like))
		return 0;
	s.path = TAKE(path);
	s.member = mem_str(file, e);
	if (s.member == NULL)
		return -1;
	*ret = TAKE(s);
	return 1;
}

/* A file that lies as it is: 1, 0, -1. */
static int
in_folder(const struct hn_image *im, const char *path,
	  const struct hn_pe_version *like, struct err *e)
{
	SCOPED_FREE uint8_t *bytes = NULL;
	struct buf view;
	size_t len = 0;
	int r = vo_slurp(im->vo, path, HN_DRIVER_MAX, &bytes, &len, e);

	if (r <= 0 || len == 0)
		return r < 0 ? -1 : 0;
	view = (struct buf){ .at = bytes, .len = len };
	return like == NULL || alike(&view, like);
}

int
hn_supply_find(const struct hn_image *im, struct hn_fetch *f,
	       const char *file, const struct hn_pe_version *like,
	       struct hn_supply *ret, struct err *e)
{
	static const char *const cabs[] = {
		"sp3.cab", "sp2.cab", "sp1.cab", "driver.cab"
	};
	SCOPED_FREE char *plain = mem_fmt(e, "%s/ServicePackFiles/i386/%s",
					  im->in->root, file);
	int r;

	if (plain == NULL)
		return -1;
	if (im->in->generation > WN_2003 || im->machine != HN_PE_I386)
		return 0;
	r = in_folder(im, plain, like, e);
	if (r < 0)
		return -1;
	if (r == 1) {
		*ret = (struct hn_supply){ .origin = CS_IMAGE,
					   .path = TAKE(plain) };
		return 1;
	}
	for (size_t i = 0; i < sizeof(cabs) / sizeof(*cabs); i++) {
		r = in_cabinet(im, f, cabs[i], file, like, ret, e);
		if (r != 0)
			return r;
	}
	return 0;
}
