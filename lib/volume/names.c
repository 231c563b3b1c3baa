/* names.c - names that Windows lets nobody make
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Microsoft, "Naming Files, Paths, and Namespaces".
 */
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "volume/volume-private.h"

static bool
is_device(const char *name, size_t len)
{
	static const char *const devices[] = { "CON", "PRN", "AUX", "NUL" };

	/* an extension makes no difference, nor do spaces before it */
	len = strcspn(name, ".") < len ? strcspn(name, ".") : len;
	while (len > 0 && name[len - 1] == ' ')
		len--;
	if (len == 4 && name[3] >= '1' && name[3] <= '9')
		return strncasecmp(name, "COM", 3) == 0 ||
		       strncasecmp(name, "LPT", 3) == 0;
	for (size_t i = 0; len == 3 && i < 4; i++)
		if (strncasecmp(name, devices[i], 3) == 0)
			return true;
	return false;
}

int
vo_name_allowed(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	size_t len = strlen(name);

	if (len == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(e, ERR_USAGE, "is no name for a file");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 ||
		    strchr("\"*:<>?\\|", name[i]) != NULL)
			return err_set(e, ERR_USAGE, "has a character that "
				       "Windows does not allow in a name");
	if (name[len - 1] == '.' || name[len - 1] == ' ')
		return err_set(e, ERR_USAGE, "ends with a dot or a space, which "
			       "Windows does not allow");
	if (is_device(name, len))
		return err_set(e, ERR_USAGE, "is the name of a device in "
			       "Windows");
	return 0;
}
