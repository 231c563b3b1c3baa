/* accel.h - can this machine really run a guest in hardware?
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An openable /dev/kvm proves nothing: a kernel may offer KVM that emulates, a
 * thousand times too slow for Windows, or whose guests never get anywhere.  So
 * a tiny guest is run, in a child that is killed when its time is over, and
 * its speed decides.
 */
#ifndef BASE_ACCEL_H
#define BASE_ACCEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct err;

enum accel_verdict {
	ACCEL_HW,	/* runs at the speed of the processor */
	ACCEL_NESTED,	/* the same, inside a virtual machine */
	ACCEL_SOFTWARE,	/* runs, but is emulated: slower than TCG */
	ACCEL_BROKEN,	/* opens, but cannot run the guest in its time */
	ACCEL_ABSENT,	/* not there, or not ours to open */
};

extern const char *const accel_words[];

/* For the child, whatever it hangs in.  A processor does the work in 3 ms;
 * what needs longer than this could not even start a guest in useful time. */
#define ACCEL_LIMIT_MS 500

struct accel {
	enum accel_verdict verdict;
	char why[200];		/* one phrase: what decided */
	char module[32];	/* kvm_intel, kvm_amd, ...; "" if none is seen */
	bool cpu_flag;		/* the processor shows vmx or svm */
	bool guest;		/* we run in a virtual machine ourselves */
	uint64_t exit_ns;	/* one I/O exit; 0 when not measured */
	uint64_t loop_us;	/* a million dec/jnz; 0 when not measured */
};

/* Probe the device (normally "/dev/kvm"); ends within ACCEL_LIMIT_MS and a
 * little, always with a verdict.  -1 only when no child could be made. */
MUST_CHECK int accel_probe(const char *device, struct accel *ret, struct err *e);

/*
 * The verdict for /dev/kvm from this boot of the machine, if `state`/probe has
 * one, else a new one, which is written there: a machine whose KVM is broken
 * need not wait for that at every start.
 */
MUST_CHECK int accel_known(const char *state, struct accel *ret,
			   struct err *e);

/* Does the verdict choose KVM?  Else TCG. */
static inline bool
accel_kvm(const struct accel *p)
{
	return p->verdict == ACCEL_HW || p->verdict == ACCEL_NESTED;
}

#endif /* BASE_ACCEL_H */
