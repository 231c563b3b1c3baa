#!/usr/bin/env python3
"""ntfsfuzz.py - volumes that lie, read and written by the real program

SPDX-License-Identifier: GPL-3.0-or-later

ntfsfuzz.py VOLUME ROUNDS SEED   in an empty directory; imgtool is on PATH

In each round some bytes of the volume's structures (boot sector, MFT records,
index blocks, bitmaps) are changed, then everything in it is listed, copied out and
written into.  The program may do it, or refuse; it may not die, hang, say more than
one line, nor, when it refuses, have changed the volume.  Prints what it found and ends
with status 1 if there is something.
"""
import collections
import os
import random
import shutil
import subprocess
import sys

TIMEOUT = 60
GOOD = {0, 1, 2, 3, 4, 6, 7, 8}
EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000,
         0x7fffffff, 0x80000000, 0xffffffff]


def places(image):
    """Offsets of what is worth changing, with their length."""
    found = [(0, 90)]
    for at in range(0, len(image), 1024):
        if image[at:at + 4] == b"FILE":
            used = int.from_bytes(image[at + 24:at + 28], "little")
            found.append((at, min(max(used, 64), 1024)))
        elif image[at:at + 4] == b"INDX":
            found.append((at, 1024))
    return found


def change(image, found, rng):
    for _ in range(rng.choice([1, 1, 2, 3, 8])):
        at, size = rng.choice(found)
        where = at + rng.randrange(size)
        kind = rng.randrange(6)
        if kind == 0:
            image[where] ^= 1 << rng.randrange(8)
        elif kind == 1:
            image[where] = rng.randrange(256)
        elif kind in (2, 3):
            size = rng.choice([1, 2, 4, 8])
            value = rng.choice(EDGES) & ((1 << 8 * size) - 1)
            image[where:where + size] = value.to_bytes(size, "little")
        elif kind == 4:
            other, length = rng.choice(found)
            image[at:at + length] = image[other:other + length]
        else:
            length = rng.randrange(1, 64)
            image[where:where + length] = bytes(length)


def run(*words):
    try:
        r = subprocess.run(("imgtool", "files") + words, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                           timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return "hangs", ""
    return r.returncode, r.stderr.decode(errors="replace")


def volume():
    with open("v.img", "rb") as f:
        return f.read()


def one_round(image):
    """Yields (command, status, words, what is wrong or None)."""
    with open("v.img", "wb") as f:
        f.write(image)
    for words in (("ls", "-l", "-R", "v.img"), ("get", "v.img", "/", "copy"),
                  ("stat", "v.img", "/Users", "/Users/note.txt"),
                  ("put", "v.img", "new", "/Users/new"),
                  ("rm", "-R", "v.img", "/Users")):
        status, said = run(*words)
        wrong = None
        if status not in GOOD:
            wrong = "status %s" % status
        elif status != 0 and len(said.splitlines()) != 1:
            wrong = "says %d lines" % len(said.splitlines())
        elif status != 0 and volume() != image:
            wrong = "refused, and changed the volume"
        elif status == 0 and words[0] in ("put", "rm"):
            back = subprocess.run(["imgtool", "undo", "-q", "v.img"],
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            if back.returncode != 0 or volume() != image:
                wrong = "undo gives another volume"
        shutil.rmtree("copy", ignore_errors=True)
        shutil.rmtree("v.img.undo", ignore_errors=True)
        yield words, status, said, wrong
        if wrong:
            return


def main():
    path, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with open(path, "rb") as f:
        good = f.read()
    with open("new", "wb") as f:
        f.write(bytes(range(256)) * 100)
    found, bad = places(good), 0
    count = collections.Counter()
    for n in range(seed, seed + rounds):
        image = bytearray(good)
        change(image, found, random.Random(n))
        for words, status, said, wrong in one_round(bytes(image)):
            count[words[0], status] += 1
            if wrong:
                bad += 1
                print("# round %d: %s: %s: %s" % (n, words[0], wrong, said.strip()[-300:]))
                os.replace("v.img", "bad.%d.img" % n)
    for (verb, status), times in sorted(count.items(), key=str):
        print("# %s: status %s %d times" % (verb, status, times))
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
