/* image.c - see image.h: the installation and its control sets
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "disk/disk.h"

void
hn_image_done(struct hn_image *im)
{
	for (size_t i = 0; i < im->modules; i++) {
		hn_pe_done(&im->module[i]->pe);
		free(im->module[i]->path);
		free(im->module[i]->why);
		free(im->module[i]);
	}
	free(im->module);
	free(im->system_path);
	*im = (struct hn_image)HN_IMAGE_EMPTY;
}

char *
hn_root_path(const struct hn_image *im, const char *below, struct err *e)
{
	return mem_fmt(e, "%s/%s", im->in->root, below);
}

/* Add the set of this number, unless it is there or does not exist. */
static void
add_set(struct hn_image *im, uint32_t number)
{
	struct hn_set *s = &im->set[im->sets];
	char name[sizeof(s->name)];

	if (number == 0 || number > 999 || im->sets == HN_SETS_MAX)
		return;
	(void)snprintf(name, sizeof(name), "ControlSet%03u", number);
	for (size_t i = 0; i < im->sets; i++)
		if (strcmp(im->set[i].name, name) == 0)
			return;
	s->key = hv_find(hv_root(im->sys), name);
	if (s->key == NULL)
		return;
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	s->services = hv_find(s->key, "Services");
	s->control = hv_find(s->key, "Control");
	im->sets++;
}

/* The next boot's set first, then those that a user can choose (research C1). */
static int
find_sets(struct hn_image *im, struct err *e)
{
	static const char *const names[] = {
		"Default", "Current", "LastKnownGood"
	};
	struct hv_key *select = hv_find(hv_root(im->sys), "Select");

	for (size_t i = 0; i < 3 && select != NULL; i++) {
		uint32_t n = 0;

		if (hv_get_dword(select, names[i], &n, e) < 0)
			return -1;
		add_set(im, n);
		if (i == 0 && im->sets == 0)
			break;
	}
	if (im->sets == 0)
		return err_set(e, ERR_CORRUPT, "%s: Select\\Default names no "
			       "control set", im->system_path);
	if (im->set[0].services == NULL || im->set[0].control == NULL)
		return err_set(e, ERR_CORRUPT, "%s: %s has no Services or "
			       "Control", im->system_path, im->set[0].name);
	return 0;
}

static int
find_machine(struct hn_image *im, struct err *e)
{
	switch (im->in->arch) {
	case WN_X86:
		im->machine = HN_PE_I386;
		return 0;
	case WN_AMD64:
		im->machine = HN_PE_AMD64;
		return 0;
	case WN_ARM64:
		im->machine = HN_PE_ARM64;
		return 0;
	case WN_ARCH_UNKNOWN:
	case WN_IA64:
	default:
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: Windows for processors of type %s",
			       im->in->root, wn_arch_name(im->in->arch));
	}
}

/* Which firmware finds a boot loader here: BIOS through an active partition of
 * an MBR, UEFI through a system partition. */
static void
find_firmware(struct hn_image *im)
{
	const struct wn_guest *g = im->in->guest;

	for (size_t i = 0; i < g->volumes; i++) {
		if (g->volume[i].esp)
			im->uefi = true;
		if (g->volume[i].active && g->parts.scheme == DK_MBR)
			im->bios = true;
	}
}

int
hn_image_open(struct cs_target *target, const char *root,
	      struct hn_image *ret, struct err *e)
{
	HN_IMAGE_SCOPED struct hn_image im = { .target = target };
	struct wn_guest *g = cs_target_guest(target);

	im.in = wn_choose(g, root, e);
	if (im.in == NULL)
		return -1;
	im.vo = wn_vo(im.in);
	im.serial = vo_facts(im.vo)->serial;
	if (im.in->hive_path[WN_SYSTEM] == NULL)
		return err_set(e, ERR_UNSUPPORTED, "%s: has no SYSTEM hive",
			       im.in->root);
	im.system_path = mem_str(im.in->hive_path[WN_SYSTEM], e);
	if (im.system_path == NULL || find_machine(&im, e) < 0)
		return -1;
	im.sys = cs_target_hive(target, im.serial, im.system_path, e);
	if (im.sys == NULL || find_sets(&im, e) < 0)
		return -1;
	find_firmware(&im);
	*ret = TAKE(im);
	return 0;
}
