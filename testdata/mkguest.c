/* mkguest.c - make a disk shaped like a Windows PC's, for tests
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mkguest KIND OUT [OPTION...]: same words, same bytes.  testdata/README.md
 * tells what is on each disk.
 */
#include "base/cli.h"
#include "base/err.h"
#include "testdata/guest.h"

static struct options opt;

static const struct cli_opt opts[] = {
	{ .name = "dirty-hive", .flag = &opt.dirty_hive,
	  .help = "SYSTEM and a user's hive with changes only in their logs" },
	{ .name = "dirty-volume", .flag = &opt.dirty_volume,
	  .help = "an NTFS volume that was not unmounted" },
	{ .name = "hibernated", .flag = &opt.hibernated,
	  .help = "a system that hibernates" },
	{ .name = "shadow-copies", .flag = &opt.shadow_copies,
	  .help = "a volume with a shadow copy" },
	{ .name = "two-installs", .flag = &opt.two_installs,
	  .help = "a second Windows folder on the same volume" },
	{ .name = "system-drive-d", .flag = &opt.drive_d,
	  .help = "Windows calls its drive D:" },
	{ .name = "german", .flag = &opt.german,
	  .help = "German folder names" },
	{ .name = "other-current", .flag = &opt.other_current,
	  .help = "control set Current differs from Default" },
	{ .name = "missing-driver", .arg = "NAME", .value = &opt.missing_driver,
	  .help = "leave out the file of driver NAME (atapi, disk, ...)" },
	{ .name = NULL }
};

static int
make(enum kind_id id, const struct cli_args *a, struct err *e)
{
	return guest_make(&kinds[id], &opt, a->at[0], e);
}

static int
make_xp(const struct cli_args *a, struct err *e)
{
	return make(XP, a, e);
}

static int
make_vista(const struct cli_args *a, struct err *e)
{
	return make(VISTA, a, e);
}

static int
make_win7(const struct cli_args *a, struct err *e)
{
	return make(WIN7, a, e);
}

static int
make_win10(const struct cli_args *a, struct err *e)
{
	return make(WIN10, a, e);
}

#define KIND(ID, WHAT) static const struct cli_cmd cmd_##ID = { \
	.name = #ID, .operands = "OUT", .help = WHAT, .opts = opts, \
	.min_operands = 1, .max_operands = 1, .run = make_##ID, \
}

KIND(xp, "Windows XP SP3, x86, on Intel IDE, MBR");
KIND(vista, "Windows Vista SP2, x86, on Intel IDE, MBR");
KIND(win7, "Windows 7 SP1, x64, on Intel RAID, MBR, System Reserved");
KIND(win10, "Windows 10, x64, on AHCI, GPT with an EFI system partition");

static const struct cli_cmd *const cmds[] = {
	&cmd_xp, &cmd_vista, &cmd_win7, &cmd_win10, NULL
};

int
main(int argc, char **argv)
{
	return cli_main("mkguest", "disks like those of Windows PCs, for tests",
			cmds, argc, argv);
}
