# part.py IMAGE SECTOR COUNT OUT - a partition as a file, holes left out
# SPDX-License-Identifier: GPL-3.0-or-later
import os, sys

image, start, count, out = sys.argv[1], int(sys.argv[2]) * 512, int(sys.argv[3]) * 512, sys.argv[4]
src = os.open(image, os.O_RDONLY)
dst = os.open(out, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
os.ftruncate(dst, count)
at = start
while at < start + count:
    try:
        at = os.lseek(src, at, os.SEEK_DATA)
    except OSError:
        break
    end = min(os.lseek(src, at, os.SEEK_HOLE), start + count)
    while at < end:
        piece = os.pread(src, min(1 << 20, end - at), at)
        os.pwrite(dst, piece, at - start)
        at += len(piece)
