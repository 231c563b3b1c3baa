/* rule_bcd.c - the boot configuration data leads here, and chooses no HAL
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Row 1.5: device elements of the loader of this installation, of its resume
 * object, of the boot manager and of the memory test that name a disk or a
 * partition that is not there.  Rows V4 and W13: 32-bit Vista chooses its HAL
 * at every boot with detecthal; a fixed hal or kernel goes.  A store on an EFI
 * system partition is not written, only told about.
 */
#include "hal-neutral/rule.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/bcd.h"

#define MEMORY_TEST "{b2721d73-1db4-4c62-bf78-c548a880142d}"

static const struct cs_reason why_device = {
	"bcd/1.5", "the boot manager must find the disk and partition that "
	"are really there"
};
static const struct cs_reason why_hal = {
	"bcd/V4", "Windows chooses its HAL by the machine it starts on"
};

/* A store that the rule works on. */
struct store {
	struct hn_job *j;
	const struct hn_bcd *b;
	bool uefi;		/* only to be told about */
};

/* It in the plan, which names its volume only if something is to be done. */
static struct cs_hive
hive_of(const struct store *s)
{
	return (struct cs_hive){ cs_plan_volume(s->j->plan, s->b->serial),
				 s->b->path };
}

static int
want_device(const struct store *s, const char *object, const char *element,
	    size_t volume, struct err *e)
{
	uint8_t at[HN_BCD_DEVICE_BYTES];
	SCOPED_FREE char *key = hn_bcd_key(object, element, e);
	struct hv_key *old = hn_bcd_element(s->b, object, element);

	if (key == NULL)
		return -1;
	if (old == NULL || hn_bcd_device(s->j->im, s->b, object, element,
					 NULL) != SIZE_MAX)
		return 0;
	if (s->uefi) {
		buf_fmt(s->j->notes, "BCD: element %s of %s names no partition "
			"of this disk; Windows' own bcdboot mends it\n",
			element, object);
		return 0;
	}
	hn_bcd_make_device(s->j->im, volume, old, at);
	cs_want_value(s->j->plan, hive_of(s), key, "Element", HV_BINARY, at,
		      sizeof(at), why_device);
	return 0;
}

static int
want_devices(const struct store *s, struct err *e)
{
	size_t here = s->j->im->in->volume;
	SCOPED_FREE char *resume = hn_bcd_text(s->b, s->b->ours,
					       HN_BCD_DEFAULT);

	if (want_device(s, s->b->ours, HN_BCD_DEVICE, here, e) < 0 ||
	    want_device(s, s->b->ours, HN_BCD_OS_DEVICE, here, e) < 0 ||
	    want_device(s, HN_BCD_MANAGER, HN_BCD_DEVICE, s->b->volume,
			e) < 0 ||
	    want_device(s, MEMORY_TEST, HN_BCD_DEVICE, s->b->volume, e) < 0)
		return -1;
	if (resume == NULL)
		return 0;
	if (want_device(s, resume, HN_BCD_DEVICE, here, e) < 0)
		return -1;
	return want_device(s, resume, HN_BCD_OS_DEVICE, here, e);
}

static int
want_gone(const struct store *s, const char *element, struct err *e)
{
	SCOPED_FREE char *path = hn_bcd_key(s->b->ours, element, e);
	char *end = path != NULL ? strrchr(path, '\\') : NULL;

	if (end == NULL)
		return -1;
	if (hn_bcd_element(s->b, s->b->ours, element) == NULL)
		return 0;
	if (s->uefi)
		buf_fmt(s->j->notes, "BCD: element %s chooses a HAL or kernel; "
			"bcdedit /deletevalue takes it out\n", element);
	else
		cs_want_no_key(s->j->plan, hive_of(s), path, why_hal);
	return 0;
}

/* Vista: the loader then takes halacpi.dll or halmacpi.dll, so both must be
 * there. */
static int
want_detection(const struct store *s, struct err *e)
{
	static const char *const hals[] = {
		"System32/halacpi.dll", "System32/halmacpi.dll"
	};
	SCOPED_FREE char *key = hn_bcd_key(s->b->ours, HN_BCD_DETECT_HAL, e);

	if (key == NULL)
		return -1;
	if (s->j->im->machine != HN_PE_I386 ||
	    s->j->im->in->generation != WN_VISTA || s->uefi)
		return 0;
	for (size_t i = 0; i < 2; i++) {
		SCOPED_FREE char *path = hn_root_path(s->j->im, hals[i], e);
		const struct hn_module *m = path != NULL ?
			hn_module(s->j->im, path, e) : NULL;

		if (m == NULL)
			return -1;
		if (m->why == NULL)
			continue;
		buf_fmt(s->j->notes, "%s: %s, so Windows keeps the HAL it has\n",
			path, m->why);
		return 0;
	}
	cs_want_value(s->j->plan, hive_of(s), key, "Element", HV_BINARY, "\1", 1,
		      why_hal);
	return 0;
}

/* A default that is no object at all. */
static int
want_default(const struct store *s, struct err *e)
{
	struct cs_reason r = { "bcd/1.5", "the boot manager's default must be "
			       "an entry that is there" };
	SCOPED_FREE char *object = s->b->chosen == NULL ? NULL :
		mem_fmt(e, "Objects\\%s", s->b->chosen);
	SCOPED_FREE char *key = hn_bcd_key(HN_BCD_MANAGER, HN_BCD_DEFAULT, e);

	if (key == NULL)
		return -1;
	if (object != NULL && hv_find(hv_root(s->b->hive), object) != NULL) {
		if (strcasecmp(s->b->chosen, s->b->ours) != 0)
			buf_fmt(s->j->notes, "BCD: the default entry starts "
				"another installation\n");
		return 0;
	}
	if (!s->uefi)
		cs_want_sz(s->j->plan, hive_of(s), key, "Element", s->b->ours, r);
	return 0;
}

static int
wish(struct hn_job *j, struct err *e)
{
	HN_BCD_SCOPED struct hn_bcd b = HN_BCD_EMPTY;
	SCOPED_FREE char *why = NULL;
	struct store s = { .j = j, .b = &b, .uefi = !j->im->bios };
	int r = hn_bcd_open(j->im, s.uefi, &b, &why, e);

	if (r < 0)
		return -1;
	if (r == 0 || b.ours == NULL) {
		buf_fmt(j->notes, "BCD: %s\n", r == 0 ? why :
			"has no entry for this installation");
		return 0;
	}
	if (want_devices(&s, e) < 0 || want_default(&s, e) < 0 ||
	    want_gone(&s, HN_BCD_HAL, e) < 0 ||
	    want_gone(&s, HN_BCD_KERNEL, e) < 0)
		return -1;
	return want_detection(&s, e);
}

const struct hn_rule hn_rule_bcd = {
	.name = "bcd",
	.what = "the BCD names this disk, and Windows chooses its HAL",
	.source = "Microsoft, BCD reference; geoffchappell.com, detecthal",
	.first = WN_VISTA, .last = WN_11,
	.tested = HN_SPECIFIED,
	.wish = wish,
};
