/* ssh.c - the disk of another host, read through ssh
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "disk/disk-private.h"
#include "disk/ssh.h"

void
dk_ssh_done(struct dk_ssh *s)
{
	free(s->host);
	free(s->port);
	free(s->command);
	*s = (struct dk_ssh)DK_SSH_EMPTY;
}

/* The command for the other host's shell: the path in quotes. */
static char *
command_for(const char *path, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	buf_str(&b, "nbdkit -s -r file '");
	for (const char *p = path; *p != '\0'; p++) {
		if (*p == '\'')
			buf_str(&b, "'\\''");
		else
			buf_u8(&b, (uint8_t)*p);
	}
	buf_str(&b, "'");
	return buf_take_str(&b, e);
}

int
dk_ssh_parse(const char *address, struct dk_ssh *ret, struct err *e)
{
	DK_SSH_SCOPED struct dk_ssh s = DK_SSH_EMPTY;
	const char *from = address + strlen("ssh://");
	const char *path = strchr(from, '/'), *colon;

	if (path == NULL || path == from || path[1] == '\0' || *from == '-')
		return err_set(e, ERR_USAGE, "%s: an ssh address is "
			       "ssh://[user@]host/PATH", address);
	colon = memchr(from, ':', (size_t)(path - from));
	s.host = mem_strn(from, (size_t)((colon == NULL ? path : colon) - from),
			  e);
	s.port = colon == NULL ? mem_str("22", e)
		: mem_strn(colon + 1, (size_t)(path - colon - 1), e);
	s.command = command_for(path, e);
	if (s.host == NULL || s.port == NULL || s.command == NULL)
		return -1;
	if (*s.host == '\0' || *s.port == '\0' ||
	    strspn(s.port, "0123456789") != strlen(s.port))
		return err_set(e, ERR_USAGE, "%s: an ssh address is "
			       "ssh://[user@]host[:port]/PATH", address);
	*ret = TAKE(s);
	return 0;
}
