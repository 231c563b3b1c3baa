/* ssh.h - the parts of an ssh:// address
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DISK_SSH_H
#define DISK_SSH_H

#include "base/attr.h"
#include "base/scope.h"

struct err;

struct dk_ssh {
	char *host;		/* with the user, as ssh takes it */
	char *port;
	char *command;		/* for the shell there */
};

#define DK_SSH_EMPTY { .host = NULL }
#define DK_SSH_SCOPED SCOPED(dk_ssh_done)

/* An address that begins with ssh://. */
MUST_CHECK int dk_ssh_parse(const char *address, struct dk_ssh *ret,
			    struct err *e);
void dk_ssh_done(struct dk_ssh *s);

#endif /* DISK_SSH_H */
