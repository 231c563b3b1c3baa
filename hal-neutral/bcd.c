/* bcd.c - see bcd.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/bcd.h"

#include <stdlib.h>
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"

enum {
	KIND_BOOT = 5, KIND_PARTITION = 6,
	SCHEME_GPT = 0, SCHEME_MBR = 1,
	OS_LOADER = 0x10200003,
};

void
hn_bcd_done(struct hn_bcd *b)
{
	free(b->path);
	free(b->chosen);
	free(b->ours);
	*b = (struct hn_bcd)HN_BCD_EMPTY;
}

char *
hn_bcd_key(const char *object, const char *element, struct err *e)
{
	return mem_fmt(e, "Objects\\%s\\Elements\\%s", object, element);
}

struct hv_key *
hn_bcd_element(const struct hn_bcd *b, const char *object, const char *element)
{
	struct err e = ERR_INIT;
	SCOPED_FREE char *path = hn_bcd_key(object, element, &e);

	return path == NULL ? NULL : hv_find(hv_root(b->hive), path);
}

char *
hn_bcd_text(const struct hn_bcd *b, const char *object, const char *element)
{
	struct hv_key *k = hn_bcd_element(b, object, element);
	struct err e = ERR_INIT;
	char *text = NULL;

	return k != NULL && hv_get_str(k, "Element", &text, &e) == 1 ? text :
	       NULL;
}

/* ---- devices ---- */

struct device {
	uint32_t kind, scheme;
	uint8_t part[16], disk[16];
};

static bool
read_device(const struct hv_key *k, struct device *ret)
{
	const struct hv_value *v = k != NULL ? hv_value(k, "Element") : NULL;
	struct hv_data d = v != NULL ? hv_data(v) : (struct hv_data){ 0 };
	struct cur c = cur_over("BCD device", d.at, d.len);

	(void)cur_sub(&c, 16);
	ret->kind = cur_u32le(&c);
	(void)cur_sub(&c, 12);
	if (cur_ok(&c) && ret->kind == KIND_BOOT)
		return true;
	cur_bytes(&c, ret->part, sizeof(ret->part));
	(void)cur_sub(&c, 4);
	ret->scheme = cur_u32le(&c);
	cur_bytes(&c, ret->disk, sizeof(ret->disk));
	return cur_ok(&c);
}

static uint64_t
number(const uint8_t *at, size_t len)
{
	struct cur c = cur_over("BCD device", at, len);

	return len == 4 ? cur_u32le(&c) : cur_u64le(&c);
}

static bool
same_disk(const struct dk_parts *parts, const struct device *d)
{
	if (d->scheme == SCHEME_MBR)
		return parts->scheme == DK_MBR &&
		       parts->signature == number(d->disk, 4);
	return d->scheme == SCHEME_GPT && parts->scheme == DK_GPT &&
	       memcmp(parts->guid, d->disk, 16) == 0;
}

size_t
hn_bcd_device(const struct hn_image *im, const struct hn_bcd *b,
	      const char *object, const char *element, const char **ret_why)
{
	const struct wn_guest *g = im->in->guest;
	struct device d = { .kind = 0 };
	const char *why = "there is no such element, or a broken one";
	size_t found = SIZE_MAX;

	if (read_device(hn_bcd_element(b, object, element), &d)) {
		if (d.kind == KIND_BOOT) {
			found = b->volume;
		} else if (d.kind != KIND_PARTITION) {
			why = "it names no partition";
		} else if (!same_disk(&g->parts, &d)) {
			why = "it names another disk";
		} else {
			why = "there is no partition where it says";
			for (size_t i = 0; i < g->volumes; i++)
				if (d.scheme == SCHEME_MBR ?
				    g->volume[i].start == number(d.part, 8) :
				    memcmp(g->volume[i].guid, d.part, 16) == 0)
					found = i;
		}
	}
	if (ret_why != NULL)
		*ret_why = found == SIZE_MAX ? why : NULL;
	return found;
}

void
hn_bcd_make_device(const struct hn_image *im, size_t volume,
		   const struct hv_key *old, uint8_t ret[HN_BCD_DEVICE_BYTES])
{
	const struct wn_guest *g = im->in->guest;
	const struct hv_value *v = old != NULL ? hv_value(old, "Element") : NULL;
	struct hv_data d = v != NULL ? hv_data(v) : (struct hv_data){ 0 };

	memset(ret, 0, HN_BCD_DEVICE_BYTES);
	if (d.len >= 16)
		memcpy(ret, d.at, 16);
	num_put_u32le(ret + 16, KIND_PARTITION);
	num_put_u32le(ret + 24, 0x48);
	if (g->parts.scheme == DK_GPT) {
		memcpy(ret + 32, g->volume[volume].guid, 16);
		num_put_u32le(ret + 52, SCHEME_GPT);
		memcpy(ret + 56, g->parts.guid, 16);
	} else {
		num_put_u64le(ret + 32, g->volume[volume].start);
		num_put_u32le(ret + 52, SCHEME_MBR);
		num_put_u32le(ret + 56, g->parts.signature);
	}
}

/* ---- the store ---- */

/* Does the loader start this installation?  Its folder must be the one; its
 * device, if it leads to a partition of this disk, too. */
static bool
is_ours(const struct hn_image *im, const struct hn_bcd *b, const char *object)
{
	SCOPED_FREE char *root = hn_bcd_text(b, object, HN_BCD_ROOT);
	size_t volume = hn_bcd_device(im, b, object, HN_BCD_OS_DEVICE, NULL);
	const char *name = root;

	while (name != NULL && *name == '\\')
		name++;
	return name != NULL && utf_same8(name, im->in->root) &&
	       (volume == im->in->volume || volume == SIZE_MAX);
}

static bool
is_loader(struct hv_key *object)
{
	struct hv_key *k = hv_find(object, "Description");
	struct err e = ERR_INIT;
	uint32_t type = 0;

	return k != NULL && hv_get_dword(k, "Type", &type, &e) == 1 &&
	       type == OS_LOADER;
}

static int
find_loader(const struct hn_image *im, struct hn_bcd *b, struct err *e)
{
	struct hv_key *objects = hv_find(hv_root(b->hive), "Objects");

	b->chosen = hn_bcd_text(b, HN_BCD_MANAGER, HN_BCD_DEFAULT);
	if (b->chosen != NULL && is_ours(im, b, b->chosen)) {
		b->ours = mem_str(b->chosen, e);
		return b->ours == NULL ? -1 : 0;
	}
	for (struct hv_key *k = objects != NULL ? hv_first(objects) : NULL;
	     k != NULL && b->ours == NULL; k = hv_next(k)) {
		SCOPED_FREE char *name = hv_name(k, e);

		if (name == NULL)
			return -1;
		if (is_loader(k) && is_ours(im, b, name))
			b->ours = TAKE(name);
	}
	return 0;
}

/* A store that cannot be read is as good as none; memory is another matter. */
static int
unreadable(const struct err *why, char **ret_why, struct err *e)
{
	if (why->kind == ERR_NOMEM || why->kind == ERR_INTERRUPTED)
		return err_set(e, why->kind, "%s", why->msg);
	*ret_why = mem_str(why->msg, e);
	return *ret_why == NULL ? -1 : 0;
}

int
hn_bcd_open(struct hn_image *im, bool uefi, struct hn_bcd *ret, char **ret_why,
	    struct err *e)
{
	const struct wn_guest *g = im->in->guest;
	const char *want = uefi ? "EFI/Microsoft/Boot/BCD" : "Boot/BCD";

	*ret_why = NULL;
	for (size_t i = 0; i < g->volumes; i++) {
		const struct wn_volume *v = &g->volume[i];
		HN_BCD_SCOPED struct hn_bcd b = { .volume = i };
		struct err why = ERR_INIT;
		int r;

		if (v->vo == NULL || (uefi ? !v->esp : !v->active))
			continue;
		r = vo_spelling(v->vo, want, &b.path, &why);
		if (r == 0)
			continue;
		b.serial = vo_facts(v->vo)->serial;
		b.hive = r < 0 ? NULL :
			 cs_target_hive(im->target, b.serial, b.path, &why);
		if (b.hive == NULL)
			return unreadable(&why, ret_why, e);
		if (find_loader(im, &b, e) < 0)
			return -1;
		*ret = TAKE(b);
		return 1;
	}
	*ret_why = mem_str("is not there", e);
	return *ret_why == NULL ? -1 : 0;
}
