/* gpt.h - the GPT half of parts.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DISK_GPT_H
#define DISK_GPT_H

#include <stdbool.h>

#include "base/attr.h"

struct dk;
struct dk_parts;
struct err;

/* Is there a header, first or backup, in the disk's sector size? */
bool dk_gpt_there(struct dk *d);

/* Fill in a GPT's part of *p, whose sector is set. */
MUST_CHECK int dk_gpt_read(struct dk *d, struct dk_parts *p, struct err *e);

#endif /* DISK_GPT_H */
