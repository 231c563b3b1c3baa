/* boot.c - boot manager files and the boot configuration data
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/guest.h"

#include "base/buf.h"
#include "base/err.h"
#include "testdata/drivers.h"
#include "testdata/hives.h"

void
boot_fill(struct guest *g)
{
	static const char manager[] = "BOOTMGR of a fixture guest\r\n";

	nt_put(g->vol, "bootmgr", manager, sizeof(manager) - 1,
	       NT_HIDDEN | NT_SYSTEM | NT_READONLY);
	nt_dir(g->vol, "Boot", NT_HIDDEN | NT_SYSTEM);
	nt_dir(g->vol, "Boot/en-US", 0);
	hive_bcd(g, "Boot/BCD");
}
