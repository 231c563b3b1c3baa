/* tpm.h - a guest's TPM 2.0: swtpm, in a jail of its own
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the TPM keeps lies in the guest's folder, encrypted with a key that the key
 * holder derives from the device's and from a salt beside it: who destroys the
 * salt, as a wipe does first, has destroyed the key.
 */
#ifndef RUNTIME_TPM_H
#define RUNTIME_TPM_H

#include <sys/types.h>

#include "base/attr.h"
#include "runtime/jail.h"
#include "runtime/keyd.h"
#include "runtime/state.h"

struct err;

/* Start it over `fd`, a connected socket that stays the caller's.  Without swtpm
 * on this machine: ERR_UNSUPPORTED. */
MUST_CHECK int rt_tpm_start(const struct rt_place *p, enum rt_rung rung,
			    const struct rt_keyd *k, int fd, pid_t *ret,
			    struct err *e);

#endif /* RUNTIME_TPM_H */
