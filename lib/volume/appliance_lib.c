/* appliance_lib.c - see appliance_lib.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/appliance_lib.h"

#include <dlfcn.h>
#include <string.h>

#include "base/err.h"

static struct vo_guestfs loaded;

static const struct {
	const char *symbol;
	void *at;		/* the pointer to fill in */
} wanted[] = {
#define X(name) { "guestfs_" #name, &loaded.name },
	VO_GUESTFS(X)
#undef X
};

const struct vo_guestfs *
vo_guestfs_load(struct err *e)
{
	void *lib = dlopen("libguestfs.so.0", RTLD_NOW | RTLD_LOCAL);

	if (lib == NULL) {
		(void)err_set(e, ERR_UNSUPPORTED, "libguestfs is not installed; "
			      "run: apt-get install libguestfs-tools");
		return NULL;
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		void *found = dlsym(lib, wanted[i].symbol);

		if (found == NULL) {
			(void)err_set(e, ERR_UNSUPPORTED, "libguestfs has no "
				      "%s; it is too old", wanted[i].symbol);
			return NULL;
		}
		memcpy(wanted[i].at, &found, sizeof(found));
	}
	return &loaded;
}
