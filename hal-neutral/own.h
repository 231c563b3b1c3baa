/* own.h - the platform that an image came from, out of its device tree
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef HAL_NEUTRAL_OWN_H
#define HAL_NEUTRAL_OWN_H

#include "base/attr.h"
#include "hal-neutral/image.h"

struct buf;
struct err;

/*
 * Append a platform file (halcyon-platform(5)) for the PC whose storage
 * controllers stand in Enum\PCI of the next boot's control set: those with a
 * driver that starts with the boot loader.  None: ERR_NO.
 */
MUST_CHECK int hn_own_platform(const struct hn_image *im, struct buf *out,
			       struct err *e);

#endif /* HAL_NEUTRAL_OWN_H */
