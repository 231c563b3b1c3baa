/* accel_known.c - a verdict that holds until the machine starts again
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/accel.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/scope.h"

#define BOOT_ID 36	/* characters of a UUID */

/* The kernel's name for this boot; false where it has none. */
static bool
boot_id(char out[BOOT_ID + 1])
{
	SCOPED_FD int fd = open("/proc/sys/kernel/random/boot_id",
				O_RDONLY | O_CLOEXEC);
	struct err e = ERR_INIT;
	size_t len;

	if (fd < 0 || io_read_some(fd, out, BOOT_ID, "boot id", &len, &e) < 0 ||
	    len != BOOT_ID)
		return false;
	out[BOOT_ID] = '\0';
	return true;
}

/* "BOOT-ID VERDICT REASON\n"; anything else is as if there were nothing. */
static bool
recall(const char *path, const char *boot, struct accel *ret)
{
	SCOPED_FREE uint8_t *bytes = NULL;
	struct accel p = { .verdict = ACCEL_HW };
	struct err e = ERR_INIT;
	size_t len, v = 0;

	if (io_slurp(path, 1024, &bytes, &len, &e) < 0 || len == 0 ||
	    bytes[len - 1] != '\n')
		return false;
	bytes[len - 1] = '\0';
	char *at = (char *)bytes;
	if (strcmp(strsep(&at, " "), boot) != 0 || at == NULL)
		return false;
	const char *word = strsep(&at, " ");
	while (v <= ACCEL_ABSENT && strcmp(accel_words[v], word) != 0)
		v++;
	if (v > ACCEL_ABSENT || at == NULL || strlen(at) >= sizeof(p.why))
		return false;
	p.verdict = (enum accel_verdict)v;
	memcpy(p.why, at, strlen(at) + 1);
	*ret = p;
	return true;
}

int
accel_known(const char *state, struct accel *ret, struct err *e)
{
	SCOPED_FREE char *path = io_join(state, "probe", e);
	BUF_SCOPED struct buf text = BUF_EMPTY;
	struct err ignored = ERR_INIT;
	char boot[BOOT_ID + 1];
	bool has_id = boot_id(boot);

	if (path == NULL)
		return -1;
	if (has_id && recall(path, boot, ret))
		return 0;
	if (accel_probe("/dev/kvm", ret, e) < 0)
		return -1;
	buf_fmt(&text, "%s %s %s\n", boot, accel_words[ret->verdict],
		ret->why);
	/* A state directory that cannot be written will be told by who needs it. */
	if (has_id && buf_ok(&text, &ignored) == 0)
		(void)!io_put(path, text.at, text.len, 0600, &ignored);
	return 0;
}
