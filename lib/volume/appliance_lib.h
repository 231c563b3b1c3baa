/* appliance_lib.h - libguestfs, loaded only by the process that needs it
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Linking it would add 18 ms to the start of every program.
 */
#ifndef VOLUME_APPLIANCE_LIB_H
#define VOLUME_APPLIANCE_LIB_H

#include <guestfs.h>

#include "base/attr.h"

struct err;

/* Every function that is called. */
#define VO_GUESTFS(X)							\
	X(create) X(set_error_handler) X(last_error) X(last_errno)	\
	X(set_backend) X(set_backend_setting) X(set_tmpdir) X(config)	\
	X(set_autosync) X(add_drive_opts) X(launch) X(list_devices)	\
	X(part_list) X(free_partition_list) X(blockdev_getsize64)	\
	X(cryptsetup_open) X(cryptsetup_close) X(lvs) X(lvm_set_filter)	\
	X(ldmtool_create_all)						\
	X(list_ldm_volumes) X(ldmtool_scan_devices)			\
	X(ldmtool_diskgroup_name)					\
	X(pread_device) X(pwrite_device)				\
	X(mkmountpoint) X(mount_options) X(umount) X(sync)		\
	X(statvfs) X(free_statvfs) X(vfs_label)		\
	X(ls) X(lstatns) X(free_statns) X(lstatnslist)			\
	X(free_statns_list) X(lgetxattr) X(lsetxattr) X(lremovexattr)	\
	X(pread) X(pwrite) X(write) X(truncate_size) X(filesize)	\
	X(mkdir) X(rename) X(ln) X(rm) X(rmdir) X(chmod) X(utimens)	\
	X(debug)

struct vo_guestfs {
#define X(name) __typeof__(guestfs_##name) *name;
	VO_GUESTFS(X)
#undef X
};

/* NULL with ERR_UNSUPPORTED where it is not installed. */
MUST_CHECK const struct vo_guestfs *vo_guestfs_load(struct err *e);

#endif /* VOLUME_APPLIANCE_LIB_H */
