#!/usr/bin/env python3
"""ntfsname.py - make files with names that Windows would not make

SPDX-License-Identifier: GPL-3.0-or-later

ntfsname.py VOLUME NAME...   each holds its own name; by libntfs-3g, in the root
"""
import ctypes
import sys

DATA = 0x80


def main():
    ntfs = ctypes.CDLL("libntfs-3g.so.89")
    p, s64 = ctypes.c_void_p, ctypes.c_int64
    for call in ("ntfs_mount", "ntfs_pathname_to_inode", "ntfs_create", "ntfs_attr_open"):
        getattr(ntfs, call).restype = p
    ntfs.ntfs_attr_pwrite.restype = s64
    vol = p(ntfs.ntfs_mount(sys.argv[1].encode(), 0))
    root = p(ntfs.ntfs_pathname_to_inode(vol, None, b"/"))
    for name in sys.argv[2:]:
        units, data = name.encode("utf-16-le") + b"\0\0", name.encode()
        ni = p(ntfs.ntfs_create(root, 0, units, ctypes.c_ubyte(len(name)), 0o100000))
        na = p(ntfs.ntfs_attr_open(ni, DATA, None, 0))
        if ntfs.ntfs_attr_pwrite(na, s64(0), s64(len(data)), data) != len(data):
            sys.exit(1)
        ntfs.ntfs_attr_close(na)
        ntfs.ntfs_inode_close_in_dir(ni, root)
    ntfs.ntfs_inode_close(root)
    sys.exit(ntfs.ntfs_umount(vol, 0))


if __name__ == "__main__":
    main()
