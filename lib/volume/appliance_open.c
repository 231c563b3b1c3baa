/* appliance_open.c - volumes on what the appliance makes of a disk
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A device of the appliance is a disk to this process.  NTFS and FAT on it are
 * read by our own worker, anything else by the appliance's kernel.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk.h"
#include "volume/appliance-private.h"

/* ---- a device as a disk --------------------------------------------------- */

enum {
	BLOCK = 256 << 10,	/* bytes asked for at a time: a question is slow */
	BLOCKS = 64,		/* kept, each at one place only */
};

struct device {
	struct vo_appliance *appliance;
	uint32_t number;
	uint8_t *block[BLOCKS];	/* owned; NULL: empty */
	uint64_t index[BLOCKS];	/* which one it is */
};

static int
ask_device(const struct dk *d, void *buf, size_t len, uint64_t at,
	   struct err *e)
{
	const struct device *v = d->own;
	BUF_SCOPED struct buf answer = BUF_EMPTY;
	struct vo_request q = { .path = "", .to = "", .at = at, .size = len };

	if (vo_appliance_call(v->appliance, VO_FRAME_READ, v->number, &q,
			      &answer, e) < 0)
		return err_ctx(e, "%s: sector %llu", d->name,
			       (unsigned long long)(at / 512));
	if (answer.len != len)
		return err_set(e, ERR_CORRUPT, "%s: ends at sector %llu",
			       d->name, (unsigned long long)(at / 512));
	memcpy(buf, answer.at, len);
	return 0;
}

/* A block of the device, from memory if it is there. */
static const uint8_t *
get_block(const struct dk *d, uint64_t index, struct err *e)
{
	struct device *v = d->own;
	size_t slot = (size_t)(index % BLOCKS);
	uint64_t at = index * BLOCK;

	if (v->block[slot] != NULL && v->index[slot] == index)
		return v->block[slot];
	free(TAKE(v->block[slot]));
	SCOPED_FREE uint8_t *block = mem_array(BLOCK, 1, e);

	if (block == NULL ||
	    ask_device(d, block, (size_t)num_min(BLOCK, d->size - at), at,
		       e) < 0)
		return NULL;
	v->index[slot] = index;
	v->block[slot] = TAKE(block);
	return v->block[slot];
}

static int
device_read(struct dk *d, void *buf, size_t len, uint64_t at, struct err *e)
{
	uint8_t *to = buf;

	while (len > 0) {
		size_t in = (size_t)(at % BLOCK);
		size_t n = (size_t)num_min(len, BLOCK - in);
		const uint8_t *block = get_block(d, at / BLOCK, e);

		if (block == NULL)
			return -1;
		memcpy(to, block + in, n);
		to += n;
		at += n;
		len -= n;
	}
	return 0;
}

/* What is kept of [at, at + len) is no longer true. */
static void
forget(struct device *v, uint64_t at, size_t len)
{
	for (uint64_t i = at / BLOCK; i <= (at + len - 1) / BLOCK; i++)
		if (v->index[i % BLOCKS] == i)
			free(TAKE(v->block[i % BLOCKS]));
}

static int
device_write(struct dk *d, const void *buf, size_t len, uint64_t at,
	     struct err *e)
{
	struct device *v = d->own;
	const uint8_t *from = buf;

	forget(v, at, len);
	while (len > 0) {
		BUF_SCOPED struct buf none = BUF_EMPTY;
		struct vo_request q = { .path = "", .to = "", .at = at,
					.data = from,
					.len = (size_t)num_min(len,
							       VO_DATA_MAX) };

		if (vo_appliance_call(v->appliance, VO_FRAME_WRITE, v->number,
				      &q, &none, e) < 0)
			return err_ctx(e, "%s: sector %llu", d->name,
				       (unsigned long long)(at / 512));
		from += q.len;
		at += q.len;
		len -= q.len;
	}
	return 0;
}

static void
device_close(struct dk *d)
{
	struct device *v = d->own;

	for (size_t i = 0; i < BLOCKS; i++)
		free(v->block[i]);
	free(v);
}

static const struct dk_ops device_ops = {
	.read = device_read, .write = device_write, .close = device_close,
};

static struct dk *
device_disk(struct vo_appliance *a, uint32_t number, const char *name,
	    uint64_t size, bool writable, struct err *e)
{
	struct device *v = mem_array(1, sizeof(*v), e);
	struct dk *d;

	if (v == NULL)
		return NULL;
	v->appliance = a;
	v->number = number;
	d = dk_new(&device_ops, v, name, size, 512, e);
	if (d != NULL)
		d->writable = writable;
	return d;
}

/* ---- the engine: a file system that is mounted there ---------------------- */

static int
mounted_serve(struct vo *v, const struct vo_request *q, struct buf *answer,
	      struct err *e)
{
	const struct device *at = v->own;

	return vo_appliance_call(at->appliance, VO_FRAME_FILE, at->number, q,
				 answer, e);
}

static void
mounted_free(struct vo *v)
{
	const struct device *at = v->own;
	struct vo_request q = { .op = VO_OP_CLOSE, .path = "", .to = "" };
	BUF_SCOPED struct buf none = BUF_EMPTY;
	struct err ignored = ERR_INIT;

	/* its place is free for the next one */
	(void)!vo_appliance_call(at->appliance, VO_FRAME_FILE, at->number, &q,
				 &none, &ignored);
	free(v->own);
}

static const struct vo_engine mounted_engine = {
	.serve = mounted_serve, .free = mounted_free,
};

static int
parse_mounted(const struct buf *answer, struct vo_facts *f, struct err *e)
{
	struct cur c = cur_over("appliance's answer", answer->at, answer->len);
	uint32_t cluster = cur_u32le(&c), len;

	if (f->cluster == 0)
		f->cluster = cluster;
	f->clusters = cur_u64le(&c);
	f->free_clusters = cur_u64le(&c);
	len = cur_u32le(&c);
	if (len >= sizeof(f->label))
		cur_bad(&c, "has too long a label");
	if (cur_ok(&c))
		cur_bytes(&c, f->label, len);
	return cur_end(&c, e);
}

/* Mount what v->disk, one of our devices, holds. */
static int
mount(struct vo *v, struct err *e)
{
	const struct device *at = v->disk->own;
	struct vo_request q = { .path = "", .to = "", .at = v->facts.kind,
				.size = v->writable ? VO_WRITE : 0 };
	BUF_SCOPED struct buf answer = BUF_EMPTY;
	struct device *own = mem_array(1, sizeof(*own), e);

	if (own == NULL)
		return -1;
	if (vo_appliance_call(at->appliance, VO_FRAME_MOUNT, at->number, &q,
			      &answer, e) < 0) {
		free(own);
		return err_ctx(e, "%s: cannot be mounted", v->name);
	}
	own->appliance = at->appliance;
	own->number = at->number;
	v->own = own;
	v->engine = &mounted_engine;
	return parse_mounted(&answer, &v->facts, e);
}

/* ---- opening -------------------------------------------------------------- */

/* NTFS tells whether it is clean through our own worker, whoever then works on
 * it: mounting a dirty volume would change it. */
static int
learn_ntfs(struct vo *v, struct err *e)
{
	VO_SCOPED struct vo *look = vo_open(v->disk, 0, v->disk->size, 0, e);

	if (look == NULL)
		return -1;
	v->facts = *vo_facts(look);
	return v->writable ? vo_refuse_unclean(v, e) : 0;
}

/* Open what a device holds; owns `device`, also when this fails. */
static struct vo *
open_device(struct dk *device, unsigned flags, struct err *e)
{
	SCOPED(dk_free) struct dk *mine = device;
	bool write = (flags & VO_WRITE) != 0;
	bool asked = vo_chosen() == VO_APPLIANCE_ONLY;
	enum vo_kind kind;
	struct vo *v;

	if (vo_probe(device, 0, device->size, &kind, e) < 0)
		return NULL;
	if (!asked && (kind == VO_NTFS || (kind == VO_FAT && !write)))
		v = vo_open(device, 0, device->size, flags, e);
	else
		v = vo_blank(device, 0, device->size, flags, e);
	if (v == NULL)
		return NULL;
	v->owned = TAKE(mine);
	if (v->engine != NULL)
		return v;
	v->facts.kind = kind;
	if ((kind != VO_NTFS || learn_ntfs(v, e) == 0) && mount(v, e) == 0)
		return v;
	vo_free(&v);
	return NULL;
}

/* A device number and a size from an answer. */
static struct dk *
answered_device(struct vo_appliance *a, int status, const struct buf *answer,
		const struct dk *on, const char *suffix, bool write,
		struct err *e)
{
	struct cur c = cur_over("appliance's answer", answer->at, answer->len);
	uint64_t size = cur_u64le(&c);
	SCOPED_FREE char *name = mem_fmt(e, "%s%s%s", on->name,
					 *suffix == '\0' ? "" : ", ", suffix);

	if (status < 0 || name == NULL || cur_end(&c, e) < 0)
		return NULL;
	return device_disk(a, (uint32_t)status, name, size, write, e);
}

static struct dk *
partition(struct vo_appliance *a, struct dk *d, uint64_t at, uint64_t size,
	  bool write, struct err *e)
{
	BUF_SCOPED struct buf answer = BUF_EMPTY;
	struct vo_request q = { .path = "", .to = "", .at = at, .size = size };
	uint32_t disk;
	int r;

	if (vo_appliance_disk(a, d, &disk, e) < 0 ||
	    (write && vo_appliance_allow(a, disk, at, size, e) < 0))
		return NULL;
	r = vo_appliance_call(a, VO_FRAME_PART, disk, &q, &answer, e);
	if (r < 0)
		(void)err_ctx(e, "%s", d->name);
	return answered_device(a, r, &answer, d, "", write, e);
}

static struct dk *
unlock(struct vo_appliance *a, struct dk *locked, const struct dk *d,
       bool write, struct err *e)
{
	const struct device *at = locked->own;
	const char *key = vo_chosen_key();
	BUF_SCOPED struct buf answer = BUF_EMPTY;
	struct vo_request q = { .path = "", .to = "",
				.size = write ? VO_WRITE : 0 };
	int r;

	if (key == NULL) {
		(void)err_set(e, ERR_UNSAFE, "%s: the volume is encrypted by "
			      "BitLocker; give its password or recovery "
			      "password with --volume-key", d->name);
		return NULL;
	}
	/* a secret is not in the memory that the worker was born with */
	q.data = key;
	q.len = strlen(key);
	r = vo_appliance_call(a, VO_FRAME_UNLOCK, at->number, &q, &answer, e);
	if (r < 0)
		(void)err_ctx(e, "%s", d->name);
	return answered_device(a, r, &answer, d, "", write, e);
}

struct vo *
vo_open_in(struct vo_appliance *a, struct dk *d, uint64_t at, uint64_t size,
	   unsigned flags, struct err *e)
{
	bool write = (flags & VO_WRITE) != 0;
	DK_SCOPED struct dk *device = NULL;
	enum vo_kind kind;

	if (vo_probe(d, at, size, &kind, e) < 0)
		return NULL;
	device = partition(a, d, at, size, write, e);
	if (device == NULL)
		return NULL;
	if (kind == VO_BITLOCKER) {
		SCOPED(dk_free) struct dk *open = unlock(a, device, d, write, e);

		return open == NULL ? NULL : open_device(TAKE(open), flags, e);
	}
	return open_device(TAKE(device), flags, e);
}

/* ---- volumes that are no partition ---------------------------------------- */

static char *
parse_word(struct cur *c, struct err *e)
{
	uint32_t len = cur_u32le(c);
	const void *at = cur_rest(c);

	(void)cur_sub(c, len);
	if (!cur_ok(c)) {
		(void)cur_err(c, e);
		return NULL;
	}
	return mem_strn(at, len, e);
}

int
vo_made_volumes(struct vo_appliance *a, struct dk *d, struct vo_mades *ret,
		struct err *e)
{
	VO_MADES_SCOPED struct vo_mades m = VO_MADES_EMPTY;
	BUF_SCOPED struct buf answer = BUF_EMPTY;
	struct vo_request q = { .path = "", .to = "" };
	size_t cap = 0;
	uint32_t disk;

	if (vo_appliance_disk(a, d, &disk, e) < 0)
		return -1;
	if (vo_appliance_call(a, VO_FRAME_MADE, disk, &q, &answer, e) < 0)
		return err_ctx(e, "%s", d->name);
	struct cur c = cur_over("appliance's answer", answer.at, answer.len);

	while (cur_left(&c) > 0) {
		struct vo_made *one;

		if (mem_grow(&m.at, &cap, m.count + 1, sizeof(*m.at), e) < 0)
			return -1;
		one = &m.at[m.count++];
		one->name = parse_word(&c, e);
		one->device = one->name == NULL ? NULL : parse_word(&c, e);
		one->size = cur_u64le(&c);
		if (one->device == NULL || !cur_ok(&c))
			return cur_err(&c, e);
	}
	*ret = TAKE(m);
	return 0;
}

void
vo_mades_done(struct vo_mades *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->at[i].name);
		free(m->at[i].device);
	}
	free(m->at);
	*m = (struct vo_mades)VO_MADES_EMPTY;
}

struct vo *
vo_open_made(struct vo_appliance *a, struct dk *d, const struct vo_made *m,
	     const struct vo_span *spans, size_t count, unsigned flags,
	     struct err *e)
{
	BUF_SCOPED struct buf answer = BUF_EMPTY;
	struct vo_request q = { .path = m->device, .to = "" };
	bool write = (flags & VO_WRITE) != 0;
	struct dk *device;
	uint32_t disk;
	int r;

	if (vo_appliance_disk(a, d, &disk, e) < 0)
		return NULL;
	for (size_t i = 0; i < count && write; i++)
		if (vo_appliance_allow(a, disk, spans[i].at, spans[i].size,
				       e) < 0)
			return NULL;
	r = vo_appliance_call(a, VO_FRAME_NAMED, disk, &q, &answer, e);
	device = answered_device(a, r, &answer, d, m->name, write, e);
	return device == NULL ? NULL : open_device(device, flags, e);
}
