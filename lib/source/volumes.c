/* volumes.c - how the command line wants volumes opened
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "source/source.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/io.h"
#include "base/scope.h"
#include "crypt/secret.h"
#include "volume/appliance.h"

enum {
	KEY_MAX = 1024,		/* bytes of a key file; a password has 256 */
	GROUPS = 8, DIGITS = 6,	/* of a recovery password */
	RECOVERY = GROUPS * (DIGITS + 1) - 1,
};

/* Kept until the process ends: volumes may be opened until then. */
static struct cx_secret key = CX_SECRET_EMPTY;

/* "123456-123456-..." */
static bool
is_recovery(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if ((i + 1) % (DIGITS + 1) == 0
		    ? text[i] != '-' : isdigit((unsigned char)text[i]) == 0)
			return false;
	return n == RECOVERY;
}

/* The first line of a file. */
static int
read_key(const char *path, struct err *e)
{
	SCOPED_FREE uint8_t *bytes = NULL;
	size_t len, line = 0;
	int r;

	if (io_slurp(path, KEY_MAX, &bytes, &len, e) < 0)
		return -1;
	while (line < len && bytes[line] != '\n' && bytes[line] != '\r' &&
	       bytes[line] != '\0')
		line++;
	r = line == 0 ? err_set(e, ERR_USAGE, "%s: has no password in its "
				"first line", path)
	  : cx_secret_new(&key, line + 1, e);
	if (r == 0)
		memcpy(key.at, bytes, line);
	cx_wipe(bytes, len);
	return r;
}

int
src_volumes(const struct cli_args *a, struct err *e)
{
	static const enum vo_choice choices[] = {
		[CLI_AUTO] = VO_AUTO, [CLI_NATIVE] = VO_NATIVE_ONLY,
		[CLI_APPLIANCE] = VO_APPLIANCE_ONLY,
	};
	const char *given = a->volume_key;

	if (given != NULL && key.at == NULL) {
		if (access(given, F_OK) == 0) {
			if (read_key(given, e) < 0)
				return -1;
		} else if (!is_recovery(given)) {
			return err_set(e, ERR_USAGE, "--volume-key: no such "
				       "file, and no recovery password (8 "
				       "groups of 6 digits)");
		} else {
			if (cx_secret_copy(&key, given, strlen(given) + 1,
					   e) < 0)
				return -1;
			/* others may read this process's command line */
			cx_wipe((void *)(uintptr_t)given, strlen(given));
		}
	}
	vo_choose(choices[a->engine], (const char *)key.at);
	return 0;
}
