/* safe.c - see image.h: what is refused, and what to do about it
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The failure modes of the research, section 3.  Partition types of dynamic
 * disks: 0x42 (LDM) in an MBR, two GUIDs in a GPT; of Storage Spaces one.
 */
#include "hal-neutral/image.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/platform.h"

enum { TYPE_LDM = 0x42 };

/* In disk order. */
static const uint8_t ldm_data[16] = {
	0xa0, 0x60, 0x9b, 0xaf, 0x31, 0x14, 0x62, 0x4f,
	0xbc, 0x68, 0x33, 0x11, 0x71, 0x4a, 0x69, 0xad
};
static const uint8_t spaces[16] = {
	0x8f, 0xaf, 0x5c, 0xe7, 0x80, 0xf6, 0xee, 0x4c,
	0xaf, 0xa3, 0xb0, 0x01, 0xe5, 0x6e, 0xfc, 0x2d
};

static bool
is_dynamic(const struct dk_parts *parts, size_t i)
{
	const struct dk_part *p = &parts->at[i];

	return parts->scheme == DK_GPT ?
	       memcmp(p->type_guid, ldm_data, 16) == 0 :
	       parts->scheme == DK_MBR && p->type == TYPE_LDM;
}

static int
refuse_dynamic(const struct wn_guest *g, size_t i, struct err *e)
{
	return err_set(e, ERR_UNSAFE, "partition %u: lies on a dynamic disk, "
		       "which only Windows reads rightly; convert it to a "
		       "basic disk first (back up, then diskpart: convert "
		       "basic)", g->parts.at[i].index);
}

int
hn_disk_safe(const struct wn_guest *g, struct err *e)
{
	if (g->installs > 0)
		return 0;
	for (size_t i = 0; i < g->volumes; i++) {
		if (g->volume[i].kind == VO_BITLOCKER)
			return err_set(e, ERR_UNSAFE, "partition %u: BitLocker "
				       "encrypts it; start this Windows and "
				       "decrypt it (manage-bde -off C:), then "
				       "make the image again",
				       g->volume[i].part);
		if (is_dynamic(&g->parts, i))
			return refuse_dynamic(g, i, e);
		if (g->parts.scheme == DK_GPT &&
		    memcmp(g->parts.at[i].type_guid, spaces, 16) == 0)
			return err_set(e, ERR_UNSAFE, "partition %u: belongs "
				       "to Storage Spaces; move Windows to a "
				       "plain disk first",
				       g->volume[i].part);
	}
	return 0;
}

/* An update that was staged and waits for the restart. */
static int
has_pending_xml(const struct hn_image *im, bool *ret, struct err *e)
{
	SCOPED_FREE char *path = hn_root_path(im, "winsxs/pending.xml", e);
	struct vo_stat st;
	int r = path == NULL ? -1 : vo_stat(im->vo, path, &st, e);

	*ret = r == 1;
	return r < 0 ? -1 : 0;
}

int
hn_image_safe(const struct hn_image *im, struct err *e)
{
	const struct wn_install *in = im->in;
	bool staged;

	if (is_dynamic(&in->guest->parts, in->volume))
		return refuse_dynamic(in->guest, in->volume, e);
	if (in->hibernated)
		return err_set(e, ERR_UNSAFE, "%s: Windows is hibernated; start "
			       "it once and shut it down (shutdown /s /t 0), or "
			       "remove hiberfil.sys if what it holds may be "
			       "lost", in->system_root);
	if (in->volume_dirty)
		return err_set(e, ERR_UNSAFE, "%s: the volume was not closed "
			       "cleanly; let Windows start once or run chkdsk "
			       "/f on it", in->system_root);
	if (has_pending_xml(im, &staged, e) < 0)
		return -1;
	if (in->pending || staged)
		return err_set(e, ERR_UNSAFE, "%s: updates wait for a restart "
			       "to be finished; let Windows restart until none "
			       "is left", in->system_root);
	return 0;
}

int
hn_choice_safe(const struct wn_guest *g, const char *root, struct err *e)
{
	BUF_SCOPED struct buf list = BUF_EMPTY;

	if (g->installs < 2 || root != NULL)
		return 0;
	for (size_t i = 0; i < g->installs; i++)
		buf_fmt(&list, "%s%s%s", i > 0 ? ", " : "",
			g->install[i].system_root != NULL ?
			g->install[i].system_root : g->install[i].root,
			g->install[i].boots ? " (starts)" : "");
	if (buf_ok(&list, e) < 0)
		return -1;
	return err_set(e, ERR_UNSAFE, "the disk has several installations; name "
		       "one with --root: %s", (const char *)list.at);
}

int
hn_firmware_safe(const struct hn_image *im,
		 const struct hn_platforms *platforms, struct err *e)
{
	for (size_t i = 0; i < platforms->count; i++) {
		const struct hn_platform *p = &platforms->at[i];

		if ((p->bios && im->bios) || (p->uefi && im->uefi))
			continue;
		return err_set(e, ERR_UNSAFE, "%s starts from %s only, and this "
			       "disk from %s; name a platform with that "
			       "firmware, or convert the disk in Windows "
			       "(%s)", p->name, p->bios ? "BIOS" : "UEFI",
			       im->bios ? "BIOS" : im->uefi ? "UEFI" :
			       "no firmware",
			       p->uefi ? "mbr2gpt" : "bcdboot, after a new "
			       "MBR layout");
	}
	return 0;
}
