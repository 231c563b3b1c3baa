/* letter.h - the drive letter that an installation must keep
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SYSTEM\MountedDevices binds "\DosDevices\C:" to a disk's signature and the
 * partition's first byte (MBR), or to the partition's GUID (GPT).  If C: is kept
 * for a partition that is not there, Windows gives its own volume another
 * letter, and nobody can log on (research 1.6).
 */
#ifndef HAL_NEUTRAL_LETTER_H
#define HAL_NEUTRAL_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "hal-neutral/image.h"

struct err;

enum { HN_LETTER_BYTES = 24 };

/* What MountedDevices must hold for the installation's volume: its length. */
size_t hn_letter_data(const struct hn_image *im, uint8_t ret[HN_LETTER_BYTES]);

/* The key, NULL; and the name of the value for the system drive, which the
 * caller frees; NULL with no error when its letter is not known. */
struct hv_key *hn_mounted(const struct hn_image *im);
MUST_CHECK char *hn_letter_name(const struct hn_image *im, struct err *e);

/* Is the letter kept for somebody else? */
MUST_CHECK int hn_letter_astray(const struct hn_image *im, bool *ret,
				struct err *e);

#endif /* HAL_NEUTRAL_LETTER_H */
