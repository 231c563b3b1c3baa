/* wipe.h - the end of guests: keys first, then data, whatever interrupts it
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is to go is put on record first.  While that record is there, every
 * command that looks into the state directory goes on with the wipe before it
 * does anything else.  Each step may be done again.
 */
#ifndef RUNTIME_WIPE_H
#define RUNTIME_WIPE_H

#include <stddef.h>

#include "base/attr.h"

struct err;

/* Put on record that these guests and these key files are to go. */
MUST_CHECK int rt_wipe_begin(const char *state, char *const *guests,
			     size_t guest_count, char *const *keys,
			     size_t key_count, struct err *e);

/* Do what is on record: 1 done, 0 nothing was on record. */
MUST_CHECK int rt_wipe_resume(const char *state, struct err *e);

#endif /* RUNTIME_WIPE_H */
