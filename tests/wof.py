#!/usr/bin/env python3
"""wof.py - put a file into an NTFS volume as CompactOS stores it

SPDX-License-Identifier: GPL-3.0-or-later

wof.py VOLUME NAME METHOD FILE   METHOD: xpress4k, lzx, xpress8k, xpress16k

The chunks are wimlib's, the volume is written by libntfs-3g; nothing of lib/volume
is used.  Ends with status 77 where one of the two libraries is not installed.
"""
import ctypes
import struct
import sys

METHODS = {"xpress4k": (0, 1, 4096), "lzx": (1, 2, 32768),
           "xpress8k": (2, 1, 8192), "xpress16k": (3, 1, 16384)}
DATA = 0x80


def library(name):
    try:
        return ctypes.CDLL(name, use_errno=True)
    except OSError:
        print(name + " is not installed")
        sys.exit(77)


def stored(data, kind, chunk):
    """The stream WofCompressedData."""
    wim = library("libwim.so.15")
    compressor = ctypes.c_void_p()
    if wim.wimlib_create_compressor(kind, ctypes.c_size_t(chunk), 0,
                                    ctypes.byref(compressor)) != 0:
        sys.exit("no compressor")
    wim.wimlib_compress.restype = ctypes.c_size_t
    chunks = []
    for at in range(0, len(data), chunk):
        plain = data[at:at + chunk]
        room = ctypes.create_string_buffer(len(plain))
        n = wim.wimlib_compress(plain, ctypes.c_size_t(len(plain)), room,
                                ctypes.c_size_t(len(plain) - 1), compressor)
        chunks.append(room.raw[:n] if n else plain)
    table, at = b"", 0
    for one in chunks[:-1]:
        at += len(one)
        table += struct.pack("<I", at)
    return table + b"".join(chunks)


def main():
    volume, name, method, path = sys.argv[1:]
    number, kind, chunk = METHODS[method]
    data = open(path, "rb").read()
    stream = stored(data, kind, chunk)
    ntfs = library("libntfs-3g.so.89")
    p, s64 = ctypes.c_void_p, ctypes.c_int64
    for call in ("ntfs_mount", "ntfs_pathname_to_inode", "ntfs_create",
                 "ntfs_attr_open"):
        getattr(ntfs, call).restype = p
    ntfs.ntfs_attr_pwrite.restype = s64
    vol = p(ntfs.ntfs_mount(volume.encode(), 0))
    root = p(ntfs.ntfs_pathname_to_inode(vol, None, b"/"))

    def units(text):
        return text.encode("utf-16-le") + b"\0\0"

    ni = p(ntfs.ntfs_create(root, 0, units(name), ctypes.c_ubyte(len(name)), 0o100000))
    whole = p(ntfs.ntfs_attr_open(ni, DATA, None, 0))
    extra = units("WofCompressedData")
    bad = ntfs.ntfs_attr_truncate(whole, s64(len(data)))
    ntfs.ntfs_attr_close(whole)
    bad |= ntfs.ntfs_attr_add(ni, DATA, extra, ctypes.c_ubyte(17), None, s64(0))
    na = p(ntfs.ntfs_attr_open(ni, DATA, extra, 17))
    bad |= ntfs.ntfs_attr_pwrite(na, s64(0), s64(len(stream)), stream) != len(stream)
    ntfs.ntfs_attr_close(na)
    point = struct.pack("<IHHIIII", 0x80000017, 16, 0, 1, 2, 1, number)
    bad |= ntfs.ntfs_set_ntfs_reparse_data(ni, point, ctypes.c_size_t(len(point)), 0)
    bad |= ntfs.ntfs_inode_close(ni) | ntfs.ntfs_inode_close(root)
    bad |= ntfs.ntfs_umount(vol, 0)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
