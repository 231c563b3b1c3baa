/* rule_storage_nt6.c - Vista and later start the driver they already have
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Vista and 7 know the ids of every controller they have a driver for, and
 * switch the drivers that Setup did not need to Start 3 (Microsoft KB922976;
 * rows V1, V2).  8 and later leave Start at 0 and switch off per machine with
 * StartOverride (row W1).  Nothing is added: what serves a platform's device
 * is let start.
 */
#include "hal-neutral/rule.h"

#include "base/buf.h"
#include "base/err.h"
#include "hal-neutral/binding.h"
#include "hal-neutral/chain.h"

static struct cs_reason
reason(const struct hn_image *im)
{
	return hn_has_database(im) ?
	       (struct cs_reason){ "storage/W1", "Windows switched this boot "
				   "driver off for the machine it was on" } :
	       (struct cs_reason){ "storage/V1", "Setup switched off the boot "
				   "drivers that its own machine did not need" };
}

/* What serves the ids shall start; *ret_found says whether anything does. */
static int
want_ids(struct hn_job *j, const struct hn_set *set, const char *const *ids,
	 size_t count, struct hn_binding *ret, bool *ret_found, struct err *e)
{
	int r = hn_bind(j->im, set, ids, count, ret, e);

	if (r < 0)
		return -1;
	*ret_found = r == 1;
	if (r == 0)
		return 0;
	if (ret->service[0] == '\0') {
		buf_fmt(j->notes, "%s: %s names no service\n", ret->id,
			ret->where);
		return 0;
	}
	return hn_want_boot_start(j, set, ret->service, reason(j->im), e) < 0 ?
	       -1 : 0;
}

static int
want_channels(struct hn_job *j, const struct hn_set *set,
	      const char *const *ids, struct err *e)
{
	HN_BINDING_SCOPED struct hn_binding b = HN_BINDING_EMPTY;
	size_t n = 0;
	bool found;

	if (hn_has_database(j->im))
		return hn_want_boot_start(j, set, "atapi", reason(j->im),
					  e) < 0 ? -1 : 0;
	while (ids[n] != NULL)
		n++;
	return want_ids(j, set, ids, n, &b, &found, e);
}

static int
wish_device(struct hn_job *j, const struct hn_set *set,
	    const struct hn_platform *p, const struct hn_device *d,
	    struct err *e)
{
	HN_BINDING_SCOPED struct hn_binding b = HN_BINDING_EMPTY;
	const char *const *channels;
	bool found;

	if (want_ids(j, set, (const char *const *)d->id, d->ids, &b, &found,
		     e) < 0)
		return -1;
	if (!found) {
		int r = hn_inject(j, set, d, e);

		if (r != 0)
			return r < 0 ? -1 : 0;
		buf_fmt(j->notes, "%s: the image has no driver for %s\n", p->name,
		d->id[0]);
		return 0;
	}
	channels = hn_channel_ids(j->im, d, b.service);
	return channels == NULL ? 0 : want_channels(j, set, channels, e);
}

static int
wish(struct hn_job *j, struct err *e)
{
	for (size_t s = 0; s < j->im->sets; s++) {
		const struct hn_set *set = &j->im->set[s];

		if (set->services == NULL || set->control == NULL)
			continue;
		for (size_t i = 0; i < j->platforms->count; i++) {
			const struct hn_platform *p = &j->platforms->at[i];

			for (size_t d = 0; d < p->devices; d++)
				if (wish_device(j, set, p, &p->device[d],
						e) < 0)
					return -1;
		}
	}
	return 0;
}

const struct hn_rule hn_rule_storage_nt6 = {
	.name = "storage",
	.what = "the driver of each platform's controller, at boot start",
	.source = "Microsoft KB922976, and StartOverride as real hives have it",
	.first = WN_VISTA, .last = WN_11,
	.tested = HN_SPECIFIED,
	.wish = wish,
};
