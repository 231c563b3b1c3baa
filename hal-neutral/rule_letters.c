/* rule_letters.c - the system drive keeps its letter; see letter.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where the disk's signature or the partition's place is not what
 * MountedDevices says (row 1.6), the letter's value and those of the same
 * volume are written anew; nothing is deleted.
 */
#include "hal-neutral/rule.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "hal-neutral/letter.h"

size_t
hn_letter_data(const struct hn_image *im, uint8_t ret[HN_LETTER_BYTES])
{
	const struct wn_guest *g = im->in->guest;
	const struct wn_volume *v = &g->volume[im->in->volume];

	if (g->parts.scheme == DK_GPT) {
		memcpy(ret, "DMIO:ID:", 8);
		memcpy(ret + 8, v->guid, 16);
		return 24;
	}
	num_put_u32le(ret, g->parts.signature);
	num_put_u64le(ret + 4, v->start);
	return 12;
}

struct hv_key *
hn_mounted(const struct hn_image *im)
{
	return hv_find(hv_root(im->sys), "MountedDevices");
}

char *
hn_letter_name(const struct hn_image *im, struct err *e)
{
	return im->in->drive == NULL ? NULL :
	       mem_fmt(e, "\\DosDevices\\%s", im->in->drive);
}

static bool
same(const struct hv_value *v, const uint8_t *at, size_t len)
{
	struct hv_data d = hv_data(v);

	return d.len == len && memcmp(d.at, at, len) == 0;
}

int
hn_letter_astray(const struct hn_image *im, bool *ret, struct err *e)
{
	uint8_t want[HN_LETTER_BYTES];
	size_t len = hn_letter_data(im, want);
	struct hv_key *k = hn_mounted(im);
	SCOPED_FREE char *name = hn_letter_name(im, e);
	const struct hv_value *v;

	*ret = false;
	if (name == NULL)
		return im->in->drive == NULL ? 0 : -1;
	v = k != NULL ? hv_value(k, name) : NULL;
	*ret = v != NULL && !same(v, want, len);
	return 0;
}

/* Does the data stand for another volume that is there? */
static bool
somebody_elses(const struct hn_image *im)
{
	for (size_t i = 0; i < im->in->letters; i++)
		if (im->in->letter[i].letter == im->in->drive[0])
			return im->in->letter[i].volume != SIZE_MAX &&
			       im->in->letter[i].volume != im->in->volume;
	return false;
}

static int
wish(struct hn_job *j, struct err *e)
{
	struct cs_reason r = { "letters/1.6", "the system drive must keep its "
			       "letter" };
	uint8_t want[HN_LETTER_BYTES];
	size_t len = hn_letter_data(j->im, want);
	struct hv_key *k = hn_mounted(j->im);
	SCOPED_FREE char *letter = NULL;
	const struct hv_value *old;
	bool astray;

	if (hn_letter_astray(j->im, &astray, e) < 0)
		return -1;
	if (!astray)
		return 0;
	if (somebody_elses(j->im)) {
		buf_fmt(j->notes, "%s is the letter of another volume of this "
			"disk; which is right, only Windows knows\n",
			j->im->in->drive);
		return 0;
	}
	letter = hn_letter_name(j->im, e);
	if (letter == NULL)
		return -1;
	old = hv_value(k, letter);
	for (const struct hv_value *v = hv_value_first(k); v != NULL;
	     v = hv_value_next(v)) {
		SCOPED_FREE char *name = hv_value_name(v, e);

		if (name == NULL)
			return -1;
		if (same(v, hv_data(old).at, hv_data(old).len))
			cs_want_value(j->plan, j->sys, "MountedDevices", name,
				      HV_BINARY, want, len, r);
	}
	return 0;
}

const struct hn_rule hn_rule_letters = {
	.name = "letters",
	.what = "MountedDevices names the partition that is there",
	.source = "hives of real machines",
	.first = WN_2000, .last = WN_11,
	.tested = HN_SPECIFIED,
	.wish = wish,
};
