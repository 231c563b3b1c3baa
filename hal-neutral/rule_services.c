/* rule_services.c - drivers that must not start on a foreign machine
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Processor drivers: Microsoft KB953356 (row X17); XP and 2003 start intelppm
 * with every boot, and it stops with 0x7E on other processors.  3 leaves it to
 * plug and play, which is what Vista and later do.
 * AGP filters: KB324764 (row X18).
 */
#include "hal-neutral/rule.h"

#include "base/err.h"

/* Let services that are there, and start earlier than `start`, start so. */
static int
later(struct hn_job *j, const char *const *services, unsigned start,
      struct cs_reason r, struct err *e)
{
	for (size_t s = 0; s < j->im->sets; s++) {
		const struct hn_set *set = &j->im->set[s];

		for (const char *const *n = services; *n != NULL; n++) {
			struct hv_key *k = hn_service(set, *n);
			SCOPED_FREE char *key = hn_service_key(set, *n, e);

			if (key == NULL)
				return -1;
			if (k != NULL && hn_effective_start(k, NULL) < start)
				cs_want_dword(j->plan, j->sys, key, "Start",
					      start, r);
		}
	}
	return 0;
}

static int
wish_processor(struct hn_job *j, struct err *e)
{
	static const char *const names[] = {
		"intelppm", "AmdK8", "AmdPPM", "AmdK7", "P3", "gv3", NULL
	};
	struct cs_reason r = { "processor/X17", "a processor driver that "
			       "starts on a foreign processor stops Windows "
			       "with 0x7E" };

	return later(j, names, 3, r, e);
}

const struct hn_rule hn_rule_processor = {
	.name = "processor",
	.what = "processor drivers start only where plug and play finds theirs",
	.source = "Microsoft KB953356",
	.first = WN_2000, .last = WN_2003,
	.tested = HN_SPECIFIED,
	.wish = wish_processor,
};

static int
wish_agp(struct hn_job *j, struct err *e)
{
	static const char *const names[] = {
		"agp440", "agpCPQ", "alim1541", "amdagp", "sisagp", "viaagp",
		"gagp30kx", "uagp35", NULL
	};
	struct cs_reason r = { "agp/X18", "an AGP driver without its bridge "
			       "can hang the boot" };

	return later(j, names, 4, r, e);
}

const struct hn_rule hn_rule_agp = {
	.name = "agp",
	.what = "AGP bus drivers off",
	.source = "Microsoft KB324764",
	.first = WN_2000, .last = WN_2003,
	.tested = HN_SPECIFIED,
	.wish = wish_agp,
};
