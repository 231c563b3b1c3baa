#!/usr/bin/env python3
"""plaintexts.py - is anything that disks hold to be read in a folder?

SPDX-License-Identifier: GPL-3.0-or-later

plaintexts.py COUNT FOLDER DISK...

Chooses COUNT plaintexts from the disks - half of them names of files, half words
of their contents - and looks for each in every file of FOLDER, as it is and as
UTF-16LE.  Prints what is found, then "COUNT plaintexts, FILES files, BYTES bytes".
That they are on the disks, in one or the other form, is checked first.
"""
import os
import random
import re
import subprocess
import sys


def data_of(path):
    """The bytes of a sparse file that are there."""
    out = []
    with open(path, "rb") as f:
        end, at = os.fstat(f.fileno()).st_size, 0
        while at < end:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            to = os.lseek(f.fileno(), at, os.SEEK_HOLE)
            f.seek(at)
            out.append(f.read(to - at))
            at = to
    return b"".join(out)


def names_of(path):
    listing = subprocess.run(["imgtool", "files", "ls", "-R", path, "/"],
                             stdout=subprocess.PIPE, check=True, text=True).stdout
    words = {line.strip().rsplit("/", 1)[-1] for line in listing.splitlines()}
    return {w for w in words if len(w) >= 8}


def main():
    count, folder, disks = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    rng, names, words, disk = random.Random(5), set(), set(), b""
    for path in disks:
        data = data_of(path)
        names |= names_of(path)
        words |= {w.decode() for w in re.findall(rb"[A-Za-z][A-Za-z0-9_ .\\-]{11,40}", data)}
        words |= {w.decode("utf-16le") for w in
                  re.findall(rb"(?:[A-Za-z0-9_.\\]\0){10,30}", data)}
        disk += data
    chosen = rng.sample(sorted(names), count // 2)
    chosen += rng.sample(sorted(words - names), count - len(chosen))
    forms = [(w, f) for w in chosen for f in (w.encode(), w.encode("utf-16le"))]
    for word in chosen:
        if word.encode() not in disk and word.encode("utf-16le") not in disk:
            sys.exit(f"{word!r} is on no disk")
    files = total = 0
    for top, _, inside in os.walk(folder):
        for name in inside:
            data = open(os.path.join(top, name), "rb").read()
            files, total = files + 1, total + len(data)
            for word, form in forms:
                if form in data:
                    print(f"{word!r} is in {os.path.join(top, name)}")
    print(f"{len(chosen)} plaintexts, {files} files, {total} bytes")


if __name__ == "__main__":
    main()
