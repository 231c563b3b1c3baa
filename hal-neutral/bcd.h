/* bcd.h - boot configuration data of Vista and later
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A hive: Objects\{guid}\Elements\<8 digits>\Element.  Sources: Microsoft, "BCD
 * reference" (BcdLibrary..., BcdOSLoader...); BCD-SYS, Linux/update_device.sh,
 * and a BCD of Windows 11 (virt-v2v test data) for devices; geoffchappell.com
 * for detecthal and hal (research 1.5, V4).
 *
 * A device of kind 6 (partition) is 88 bytes: kind at 16, its length 0x48 at
 * 24, the partition (first byte on an MBR disk, else GUID) at 32, scheme (0 GPT,
 * 1 MBR) at 52, the disk (signature, else GUID) at 56.  Kind 5 is the partition
 * that the boot manager came from.
 */
#ifndef HAL_NEUTRAL_BCD_H
#define HAL_NEUTRAL_BCD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "hal-neutral/image.h"

struct err;

#define HN_BCD_MANAGER	"{9dea862c-5cdd-4e70-acc1-f32b344d4795}"

/* Elements. */
#define HN_BCD_DEVICE		"11000001"
#define HN_BCD_PATH		"12000002"
#define HN_BCD_OS_DEVICE	"21000001"
#define HN_BCD_ROOT		"22000002"
#define HN_BCD_KERNEL		"22000011"
#define HN_BCD_HAL		"22000012"
#define HN_BCD_DEFAULT		"23000003"	/* resume object, in a loader */
#define HN_BCD_ORDER		"24000001"
#define HN_BCD_DETECT_HAL	"26000010"

enum { HN_BCD_DEVICE_BYTES = 88 };

struct hn_bcd {
	size_t volume;		/* of the guest, that holds it */
	uint64_t serial;	/* of that volume */
	char *path;		/* volume path; owned */
	struct hv_hive *hive;	/* the target's */
	char *chosen;		/* GUID of the default loader; NULL; owned */
	char *ours;		/* GUID of the loader that starts this
				 * installation, the default one first; NULL;
				 * owned */
};

#define HN_BCD_EMPTY { .path = NULL }
#define HN_BCD_SCOPED SCOPED(hn_bcd_done)

void hn_bcd_done(struct hn_bcd *b);

/* The store of the active partition, or with uefi that of the EFI system
 * partition: 1; 0 when there is none that can be read (*ret_why, owned by the
 * caller, says why); -1. */
MUST_CHECK int hn_bcd_open(struct hn_image *im, bool uefi, struct hn_bcd *ret,
			   char **ret_why, struct err *e);

/* An object's element, NULL; and the path of its key, which the caller frees. */
struct hv_key *hn_bcd_element(const struct hn_bcd *b, const char *object,
			      const char *element);
MUST_CHECK char *hn_bcd_key(const char *object, const char *element,
			    struct err *e);

/* An element that is a string, which the caller frees; NULL when it is absent or
 * broken. */
char *hn_bcd_text(const struct hn_bcd *b, const char *object,
		  const char *element);

/* The volume that a device element names; SIZE_MAX: none of this disk's, and
 * *ret_why (may be NULL; a constant) says why. */
size_t hn_bcd_device(const struct hn_image *im, const struct hn_bcd *b,
		     const char *object, const char *element,
		     const char **ret_why);

/* The device that names a volume, with the first 16 bytes of the old one. */
void hn_bcd_make_device(const struct hn_image *im, size_t volume,
			const struct hv_key *old,
			uint8_t ret[HN_BCD_DEVICE_BYTES]);

#endif /* HAL_NEUTRAL_BCD_H */
