/* host.h - folders of this machine, in an order that does not depend on it
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef IMGTOOL_HOST_H
#define IMGTOOL_HOST_H

#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

/* Names in a folder, without "." and "..", by the value of their bytes. */
struct host_names {
	char **at;	/* owned */
	size_t count, cap;
};

#define HOST_NAMES_EMPTY { .at = NULL }
#define HOST_NAMES_SCOPED SCOPED(host_names_done)
void host_names_done(struct host_names *n);

MUST_CHECK int host_list(const char *folder, struct host_names *ret,
			 struct err *e);

#endif /* IMGTOOL_HOST_H */
