/* ask.c - passphrases from a descriptor and from the terminal; see key.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/stop.h"
#include "crypt/key.h"

/* One line into room; *ret_len is its length without the newline. */
static int
read_line(int fd, struct cx_secret *room, size_t *ret_len, struct err *e)
{
	size_t len = 0;

	/* Byte by byte: what follows the line is for the next reader.  Only
	 * poll() returns when the user presses the interrupt key. */
	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&ready, 1, -1) < 0) {
			if (stop_check(e) < 0)
				return -1;
			continue;
		}
		n = read(fd, room->at + len, 1);
		if (n < 0)
			return err_sys(e, "passphrase");
		if (n == 0 || room->at[len] == '\n')
			break;
		if (++len == room->len)
			return err_set(e, ERR_USAGE,
				       "passphrase is longer than %d bytes",
				       CX_PASSPHRASE_MAX);
	}
	*ret_len = len;
	return 0;
}

int
cx_passphrase_read(int fd, struct cx_secret *ret, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret room = CX_SECRET_EMPTY;
	size_t len = 0;

	if (cx_secret_new(&room, CX_PASSPHRASE_MAX + 1, e) < 0 ||
	    read_line(fd, &room, &len, e) < 0)
		return -1;
	if (len == 0)
		return err_set(e, ERR_USAGE, "passphrase is empty");
	return cx_secret_copy(ret, room.at, len, e);
}

int
cx_ask_terminal(const char *what, struct cx_secret *ret, struct err *e)
{
	SCOPED_FD int fd = -1;
	struct termios was, quiet;
	int r;

	/* Whoever has no terminal as input is a script, and must not hang. */
	if (isatty(STDIN_FILENO))
		fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || tcgetattr(fd, &was) < 0)
		return err_set(e, ERR_USAGE, "%s: needs a passphrase, and there "
			       "is no terminal; add --passphrase-fd N", what);
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	if (dprintf(fd, "Passphrase for %s: ", what) < 0 ||
	    tcsetattr(fd, TCSAFLUSH, &quiet) < 0)
		return err_sys(e, "terminal");
	r = cx_passphrase_read(fd, ret, e);
	(void)tcsetattr(fd, TCSAFLUSH, &was);
	(void)dprintf(fd, "\n");
	return r;
}
