#!/usr/bin/env python3
"""crash.py - every state in which a power cut could leave a folder

SPDX-License-Identifier: GPL-3.0-or-later

crash.py LOG BEFORE WORK CHECK...

LOG is what record.c wrote while a program changed a folder; BEFORE is a copy of
that folder from before; WORK is where states are laid out, one at a time, under
the path that the program saw (WORK is that path, and may be overwritten).  CHECK
is run for each state, and must end with status 0 and print one word that says
which world it found ("old", "new").  Prints TAP: one test for all states, and the
count of each word.

The model, deliberately weaker than any file system in use: data of a file reaches
the disk at the latest with fsync of the file, a name at the latest with fsync of
its folder; before that, each write (torn at 512 bytes) and each name may be there
or not, independently, but names of one folder in order.  States: after every
operation, all of it; nothing unsynced; only names; only data; the last write torn;
and random subsets.  Above MAX states a fixed sample is taken.  What is on the disk
for certain when the program has ended must be the new world: what was acknowledged
is durable.
"""
import hashlib
import os
import random
import shutil
import struct
import subprocess
import sys

MAX = int(os.environ.get("CRASH_MAX", "2000"))
SECTOR = 512
BLOCK = 4096
ZERO = bytes(BLOCK)


def read_log(path):
    raw = open(path, "rb").read()
    at, ops = 0, []
    while at < len(raw):
        kind, inode, offset, plen, dlen = struct.unpack_from("<cQQII", raw, at)
        at += 25
        name = raw[at:at + plen].decode()
        data = raw[at + plen:at + plen + dlen]
        at += plen + dlen
        ops.append((kind.decode(), inode, offset, name, data))
    return ops


class Content:
    """A file's bytes: blocks that are not zero, those written since apart."""

    def __init__(self, size=0, base=None, delta=None, key=0):
        self.size, self.base = size, {} if base is None else base
        self.delta, self.key = {} if delta is None else delta, key

    @classmethod
    def load(cls, path):
        out, at = cls(os.path.getsize(path)), 0
        with open(path, "rb") as f:
            while True:
                data = f.read(BLOCK * 256)
                for i in range(0, len(data), BLOCK):
                    block = data[i:i + BLOCK].ljust(BLOCK, b"\0")
                    if block != ZERO:
                        out.base[(at + i) // BLOCK] = block
                at += len(data)
                if not data:
                    out.key = id(out.base)
                    return out

    def block(self, n):
        return self.delta.get(n) or self.base.get(n, ZERO)

    def write(self, offset, data):
        out = Content(max(self.size, offset + len(data)), self.base,
                      dict(self.delta), self.key)
        while data:
            n, skip = divmod(offset, BLOCK)
            part, data = data[:BLOCK - skip], data[BLOCK - skip:]
            old = self.block(n)
            out.put(n, old[:skip] + part + old[skip + len(part):])
            offset += len(part)
        return out

    def put(self, n, block):
        for b in (self.delta.get(n), block):
            if b is not None:
                h = hashlib.sha256(n.to_bytes(8, "little") + b).digest()
                self.key ^= int.from_bytes(h[:16], "little")
        self.delta[n] = block

    def truncate(self, size):
        base, delta = self.base, dict(self.delta)
        end, out = -(-size // BLOCK), Content(size, base, delta, self.key)
        if size >= self.size:
            return out
        for n in [n for n in set(base) | set(delta) if n >= end]:
            out.put(n, ZERO)
        if size % BLOCK:
            out.put(end - 1, out.block(end - 1)[:size % BLOCK].ljust(BLOCK, b"\0"))
        return out

    def save(self, path):
        with open(path, "wb") as f:
            f.truncate(self.size)
            for n in sorted(set(self.base) | set(self.delta)):
                f.seek(n * BLOCK)
                f.write(self.block(n)[:max(self.size - n * BLOCK, 0)])


class World:
    """Files by number, names to numbers; what BEFORE held, plus operations."""

    def __init__(self, before, work):
        self.files, self.names, self.dirs = {}, {}, set()
        for top, dirs, files in os.walk(before):
            rel = os.path.relpath(top, before)
            here = work if rel == "." else os.path.join(work, rel)
            self.dirs.add(here)
            for name in files:
                full = os.path.join(top, name)
                inode = ("old", os.path.join(here, name))
                self.files[inode] = Content.load(full)
                self.names[os.path.join(here, name)] = inode

    def copy(self):
        other = object.__new__(World)
        other.files, other.names = dict(self.files), dict(self.names)
        other.dirs = set(self.dirs)
        return other

    def key(self):
        h = hashlib.sha256()
        for name in sorted(self.names):
            data = self.files.get(self.names[name], Content())
            h.update(f"{name}\0{data.size} {data.key}\0".encode())
        for name in sorted(self.dirs):
            h.update(name.encode() + b"/")
        return h.digest()

    def lay_out(self, work):
        shutil.rmtree(work, ignore_errors=True)
        for name in sorted(self.dirs):
            os.makedirs(name, exist_ok=True)
        for name, inode in self.names.items():
            if os.path.dirname(name) not in self.dirs:
                continue
            self.files.get(inode, Content()).save(name)


def resolve(ops, world):
    """Give every operation the file it works on, whatever its name is then."""
    names, seen, out = dict(world.names), {}, []
    for kind, inode, offset, path, data in ops:
        if kind == "c":
            names[path] = seen[inode] = ("new", inode, len(out))
            ident = names[path]
        elif kind in "wts":
            ident = seen.get(inode)
            if ident is None:
                ident = seen[inode] = names.get(path, ("new", inode, 0))
        elif kind == "r":
            ident = names.pop(path, None)
            if ident is not None:
                names[data.decode()] = ident
        elif kind == "u":
            ident = names.pop(path, None)
        else:
            ident = None
        out.append((kind, ident, offset, path, data))
    return out


def apply(world, op):
    kind, ident, offset, path, data = op
    if kind == "c":
        world.names[path] = ident
        world.files.setdefault(ident, Content())
    elif kind == "w":
        world.files[ident] = world.files.get(ident, Content()).write(offset, data)
    elif kind == "t":
        world.files[ident] = world.files.get(ident, Content()).truncate(offset)
    elif kind == "r":
        if path in world.names:
            world.names[data.decode()] = world.names.pop(path)
        elif path in world.dirs:
            new = data.decode()
            world.dirs = {new + d[len(path):] if (d + "/").startswith(path + "/")
                          else d for d in world.dirs}
            world.names = {new + n[len(path):] if n.startswith(path + "/")
                           else n: i for n, i in world.names.items()}
    elif kind == "u":
        world.names.pop(path, None)
        world.dirs.discard(path)
    elif kind == "d":
        world.dirs.add(path)


NAMES = "crud"


def folder(op):
    return os.path.dirname(op[3])


def torn(op, rng):
    kind, ident, offset, path, data = op
    first = SECTOR - offset % SECTOR
    cuts = list(range(first, len(data), SECTOR))
    return (kind, ident, offset, path, data[:rng.choice(cuts)]) if cuts else None


class States:
    """Worlds that a cut after the first n operations may leave."""

    def __init__(self, before, ops):
        self.safe, self.open, self.ops = before.copy(), [], ops
        self.full = before.copy()
        self.rng = random.Random(20)

    def sync(self, op):
        keep = []
        for old in self.open:
            if op[0] == "s" and old[0] in "wt" and old[1] == op[1]:
                apply(self.safe, old)
            elif op[0] == "S" and old[0] in NAMES and folder(old) == op[3]:
                apply(self.safe, old)
            else:
                keep.append(old)
        self.open = keep

    def world(self, ops):
        w = self.safe.copy()
        for op in ops:
            apply(w, op)
        return w

    def subset(self):
        cut, out = {}, []
        for op in self.open:
            if op[0] in NAMES:
                if cut.setdefault(folder(op), self.rng.random() < 0.8):
                    cut[folder(op)] = self.rng.random() < 0.9
                    out.append(op)
            elif self.rng.random() < 0.6:
                out.append(op if self.rng.random() < 0.7 else torn(op, self.rng) or op)
        return out

    def after_each(self):
        yield self.safe.copy()
        for op in self.ops:
            apply(self.full, op)
            if op[0] in "sS":
                self.sync(op)
            else:
                self.open.append(op)
            yield self.full.copy()
            yield self.safe.copy()
            yield self.world([o for o in self.open if o[0] in NAMES])
            yield self.world([o for o in self.open if o[0] not in NAMES])
            last = torn(op, self.rng) if op[0] == "w" else None
            if last:
                yield self.world(self.open[:-1] + [last])
                yield self.world([last])
            for _ in range(3):
                yield self.world(self.subset())


def sample(make):
    """The states of make(), each once, at most MAX, and the one that is safe at
    the end.  They are made twice rather than that all of them are kept."""
    numbers, seen = [], set()
    for i, w in enumerate(make().after_each()):
        k = w.key()
        if k not in seen:
            seen.add(k)
            numbers.append(i)
    if len(numbers) > MAX:
        ends = [numbers[0], numbers[-1]]
        numbers = ends + random.Random(7).sample(numbers[1:-1], MAX - 2)
    chosen, states = set(numbers), make()
    found = [w for i, w in enumerate(states.after_each()) if i in chosen]
    return found + [states.safe], states.safe


def main():
    log, before, work, check = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    world = World(before, work)
    ops = resolve(read_log(log), world)
    worlds, safe = sample(lambda: States(world, ops))
    words, bad = {}, 0
    for i, w in enumerate(worlds):
        allowed = ("old", "new") if w is not safe else ("new",)
        w.lay_out(work)
        r = subprocess.run(check, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=120)
        word = (r.stdout.strip().splitlines() or ["?"])[-1]
        if r.returncode == 0 and word in allowed:
            words[word] = words.get(word, 0) + 1
            continue
        bad += 1
        if bad <= 3:
            keep = f"{work}.bad{bad}"
            w.lay_out(work)
            shutil.rmtree(keep, ignore_errors=True)
            shutil.copytree(work, keep)
            print(f"# state {i} of {len(worlds)}, kept in {keep}:")
            print("#   " + r.stdout.strip().replace("\n", "\n#   "))
            if word == "old":
                print("#   what the command acknowledged is not durable")
    counts = ", ".join(f"{n} {w}" for w, n in sorted(words.items()))
    print(f"# {len(worlds)} states: {counts}, {bad} bad")
    sys.exit(bad != 0 or not worlds or set(words) != {"old", "new"})


if __name__ == "__main__":
    main()
