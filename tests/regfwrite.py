#!/usr/bin/env python3
"""regfwrite.py - a hive writer of the tests' own, apart from lib/hive
SPDX-License-Identifier: GPL-3.0-or-later

  regfwrite.py hive OUT [--minor N]       a hive with everything a hive can hold
  regfwrite.py large OUT MB               a hive of about that size, like SYSTEM
  regfwrite.py tree FILE                  what a hive holds, as text (its own reader)
  regfwrite.py ktm FILE                   mark it as held by a transaction manager
  regfwrite.py dirty DIR KIND [FAULT]     DIR/H, its logs, and DIR/want: the state
                                          after a replay; KIND: hvle, hvle2, dirt

FAULT makes the logs bad: stale, gap, other, first, middle, last, cut, header,
swapped, wrap, torn, zero, ahead, time.  The format is from docs/FORMAT.md; nothing here knows
how lib/hive does it.
"""
import os
import struct
import sys

NIL = 0xFFFFFFFF
SEG = 16344
TIME = 0x01D29627F1C8A860


def upcase(units):
    def up(c):
        if c == 0xFF:
            return 0x178
        if 0x61 <= c <= 0x7A or (0xE0 <= c <= 0xFE and c != 0xF7):
            return c - 32
        if 0x3B1 <= c <= 0x3C9 and c != 0x3C2:
            return c - 32
        return c
    return [up(c) for c in units]


def units(name):
    raw = name.encode('utf-16-le', 'surrogatepass')
    return list(struct.unpack('<%dH' % (len(raw) // 2), raw))


def stored(name):
    u = units(name)
    if all(c < 256 for c in u):
        return bytes(u), True
    return struct.pack('<%dH' % len(u), *u), False


def sid(*subs, authority=5):
    return struct.pack('>BBHI', 1, len(subs), 0, authority) + struct.pack('<%dI' % len(subs), *subs)


def sd(owner, *allowed):
    acl = b''
    for s in allowed:
        acl += struct.pack('<BBHI', 0, 2, 8 + len(s), 0xF003F) + s
    acl = struct.pack('<BBHHH', 2, 0, 8 + len(acl), len(allowed), 0) + acl
    own = 20 + len(acl)
    return struct.pack('<BBHIIII', 1, 0, 0x8004, own, own + len(owner), 0, 20) + acl + owner + owner


SYSTEM, ADMINS = sid(18), sid(32, 544)
ALICE = sid(21, 11, 22, 33, 1001)


class Key:
    def __init__(self, name, subs=(), values=(), cls=b'', owner=ADMINS, flags=0, time=TIME):
        self.name, self.subs, self.values, self.cls = name, list(subs), list(values), cls
        self.sd, self.flags, self.time = sd(owner, SYSTEM, owner), flags, time


class Writer:
    """Cells one after the other in one bin as large as it takes."""

    def __init__(self, minor):
        self.minor, self.out, self.sks = minor, bytearray(32), {}

    def cell(self, data, least=0):
        n = (max(len(data), least) + 4 + 7) // 8 * 8
        at = len(self.out)
        self.out += struct.pack('<i', -n) + data + b'\0' * (n - 4 - len(data))
        return at

    def data(self, d):
        n = len(d)
        if n <= 4:
            return 0x80000000 | n, struct.unpack('<I', d + b'\0' * (4 - n))[0]
        if n > SEG and self.minor >= 4:
            segs = [self.cell(d[i:i + SEG], SEG) for i in range(0, n, SEG)]
            lst = self.cell(struct.pack('<%dI' % len(segs), *segs))
            return n, self.cell(struct.pack('<2sHI', b'db', len(segs), lst))
        return n, self.cell(d)

    def value(self, v):
        name, typ, d = v
        raw, latin1 = stored(name)
        n, at = self.data(d)
        return self.cell(struct.pack('<2sHIIIHH', b'vk', len(raw), n, at, typ,
                                     1 if latin1 and raw else 0, 0) + raw)

    def sk(self, desc):
        if desc not in self.sks:
            self.sks[desc] = [self.cell(struct.pack('<2sHIIII', b'sk', 0, 0, 0, 0, len(desc)) + desc), 0]
        self.sks[desc][1] += 1
        return self.sks[desc][0]

    def leaf(self, k, at):
        subs = sorted(k.subs, key=lambda s: upcase(units(s.name)))
        cells = [self.key(s, at) for s in subs]
        body = b''
        for s, c in zip(subs, cells):
            u = units(s.name)
            if self.minor >= 5:
                h = 0
                for x in upcase(u):
                    h = (h * 37 + x) & 0xFFFFFFFF
                body += struct.pack('<II', c, h)
            else:
                hint = [0, 0, 0, 0]
                for i in reversed(range(min(4, len(u)))):
                    if u[i] > 255:
                        break
                    hint[i] = u[i]
                body += struct.pack('<I', c) + bytes(hint)
        return self.cell(struct.pack('<2sH', b'lh' if self.minor >= 5 else b'lf', len(subs)) + body)

    def key(self, k, parent=None):
        raw, latin1 = stored(k.name)
        at = self.cell(b'\0' * (76 + len(raw)))
        flags = k.flags | (0x20 if latin1 else 0) | (0x0C if parent is None else 0)
        sk = self.sk(k.sd)
        cls = self.cell(k.cls) if k.cls else NIL
        vals = [self.value(v) for v in k.values]
        vl = self.cell(struct.pack('<%dI' % len(vals), *vals)) if vals else NIL
        lst = self.leaf(k, at) if k.subs else NIL
        longest = lambda names: max([2 * len(units(n)) for n in names] + [0])
        struct.pack_into(
            '<2sHQIIIIIIIIIIIIIIIHH', self.out, at + 4, b'nk', flags, k.time, 0, parent or 0,
            len(k.subs), 0, lst, NIL, len(vals), vl, sk, cls, longest([s.name for s in k.subs]),
            max([len(s.cls) for s in k.subs] + [0]), longest([v[0] for v in k.values]),
            max([len(v[2]) for v in k.values] + [0]), 0, len(raw), len(k.cls))
        self.out[at + 80:at + 80 + len(raw)] = raw
        return at

    def hive(self, root, size=0, seq=1):
        self.key(root)
        sks = list(self.sks.values())
        for i, (at, count) in enumerate(sks):
            struct.pack_into('<III', self.out, at + 8, sks[(i + 1) % len(sks)][0], sks[i - 1][0], count)
        used = len(self.out)
        total = max((used + 4095) // 4096 * 4096, size)
        if total > used:
            self.out += struct.pack('<i', total - used) + b'\0' * (total - used - 4)
        struct.pack_into('<4sIIQQI', self.out, 0, b'hbin', 0, total, 0, TIME if self.minor < 5 else 0, 0)
        return base(seq, seq, self.minor, total) + bytes(self.out)


def seal(head):
    c = 0
    for v in struct.unpack_from('<127I', head, 0):
        c ^= v
    struct.pack_into('<I', head, 508, {0xFFFFFFFF: 0xFFFFFFFE, 0: 1}.get(c, c))
    return head


def base(seq1, seq2, minor, size, typ=0, time=TIME):
    head = bytearray(4096)
    struct.pack_into('<4sIIQIIIIIII', head, 0, b'regf', seq1, seq2, time if minor < 5 else 0, 1,
                     minor, typ, 1, 0x20, size, 1)
    head[48:64] = 'TEST'.encode('utf-16-le') * 2
    return bytes(seal(head))


def marvin(b):
    m, lo, hi = 0xFFFFFFFF, 0x7A4E55C5, 0x82EF4D88
    for x in list(struct.unpack('<%dI' % (len(b) // 4), b)) + [0x80, 0]:
        lo = (lo + x) & m
        hi ^= lo
        lo = ((lo << 20 | lo >> 12) + hi) & m
        hi = ((hi << 9 | hi >> 23) & m) ^ lo
        lo = ((lo << 27 | lo >> 5) + hi) & m
        hi = (hi << 19 | hi >> 13) & m
    return hi << 32 | lo


def entry(seq, bins, pages):
    """pages: {offset: bytes}"""
    body = b''.join(struct.pack('<II', o, len(p)) for o, p in pages.items()) + b''.join(pages.values())
    size = (40 + len(body) + 511) // 512 * 512
    body += b'\0' * (size - 40 - len(body))
    head = struct.pack('<4sIIIIIQ', b'HvLE', size, 0, seq & 0xFFFFFFFF, bins, len(pages), marvin(body))
    return head + struct.pack('<Q', marvin(head)) + body


def log6(seq, minor, bins, entries):
    return base(seq & 0xFFFFFFFF, seq & 0xFFFFFFFF, minor, bins, 6)[:512] + b''.join(entries)


# ---- what the files hold ----------------------------------------------------

def example(extra=0):
    long_text = ('x' * 30000).encode('utf-16-le') + b'\0\0'
    values = [
        ('', 1, 'unnamed'.encode('utf-16-le') + b'\0\0'),
        ('none', 0, b''), ('empty', 1, b''), ('dword', 4, struct.pack('<I', 7)),
        ('qword', 11, struct.pack('<Q', 1 << 40)), ('binary', 3, bytes(range(256))),
        ('one', 3, b'\1'), ('five', 3, b'12345'), ('odd', 1, b'a\0b'), ('long', 1, long_text),
        ('exact', 3, b'e' * SEG), ('over', 3, b'o' * (SEG + 1)), ('twice', 3, b't' * (2 * SEG)),
        ('multi', 7, 'a\0b\0\0'.encode('utf-16-le')), ('expand', 2, '%A%\0'.encode('utf-16-le')),
        ('\u00fcml\u00e4ut', 1, '\u00e9\0'.encode('utf-16-le')), ('\u65e5\u672c', 1, b'\x2f\x66\0\0'),
        ('a\\b"c', 1, 'q\\"\0'.encode('utf-16-le')), ('property', 0xFFFF0012, b'123456'),
        ('lines', 1, 'a\r\nb\0'.encode('utf-16-le')),
    ]
    names = ['b', '\u00fc', '\u00dc2', 'z', '\u00ff', '\u03c9', 'A]', 'lone\ud800', 'nul\0name', '\u65e5']
    keys = [Key(n, cls='Class'.encode('utf-16-le') if n == 'b' else b'',
                owner=ALICE if n in ('z', '\u00fc') else ADMINS) for n in names]
    many = [Key('k%03d' % i, values=[('v', 4, struct.pack('<I', i))]) for i in range(300)]
    new = [Key('new%03d' % i, values=[('v', 3, b'n' * 200)]) for i in range(extra)]
    return Key('ROOT', [Key('values', values=values), Key('names', keys), Key('many', many)] +
               ([Key('new', new)] if extra else []))


def large(megabytes):
    """2,700 keys, 5,600 values and a few classes a megabyte, as in a SYSTEM of Windows 10."""
    def leaf(i):
        values = [('ImagePath', 2, ('system32\\drivers\\d%06d.sys\0' % i).encode('utf-16-le')),
                  ('Start', 4, struct.pack('<I', i % 5)), ('Data', 3, bytes(range(48)) * (i % 4))]
        return Key('key-%06d' % i, values=values[:2 + i % 2], cls=b'c\0' if i % 1000 == 0 else b'')
    groups = megabytes * 27
    return Key('ROOT', [Key('group-%05d' % g, [leaf(100 * g + i) for i in range(100)]) for g in range(groups)])


def pages_of(old, new):
    """The 4 KiB pages that differ, offsets in the bins."""
    old, new = old[4096:], new[4096:]
    return {o: new[o:o + 4096] for o in range(0, len(new), 4096)
            if o >= len(old) or old[o:o + 4096] != new[o:o + 4096]}


def hvle(folder, fault, two):
    minor = 5
    old = Writer(minor).hive(example())
    new = Writer(minor).hive(example(40))
    bins = len(new) - 4096
    seq = 0xFFFFFFFE if fault == 'wrap' else 10
    pages = list(pages_of(old, new).items())
    third = (len(pages) + 2) // 3
    parts = [dict(pages[i:i + third]) for i in range(0, len(pages), third)]
    entries = [entry(seq + i, bins, p) for i, p in enumerate(parts)]
    n = len(entries)
    for which, i in (('first', 0), ('middle', n // 2), ('last', n - 1)):
        if fault == which:
            e = bytearray(entries[i])
            e[-1000] ^= 1
            entries[i] = bytes(e)
    cut = n - 1 if two else n
    one = log6(seq, minor, bins, entries[:cut])
    second = seq + cut + (2 if fault == 'gap' else 0)
    other = log6(second, minor, bins, [entry(second, bins, parts[-1])] if fault == 'gap' else entries[cut:])
    if not two:
        other = log6(seq - 5, minor, bins, [entry(seq - 5, len(old) - 4096, {0: old[4096:8192]})])
    if fault == 'stale':
        one, other = other, b''
    if fault == 'cut':
        one = one[:-600]
    if fault == 'torn':
        one = base(seq, seq - 1, minor, bins, 6)[:512] + one[512:]
    if fault == 'zero':
        one = other = bytes(512)
    head = base((seq + 1) & 0xFFFFFFFF, seq & 0xFFFFFFFF, minor, len(old) - 4096)
    if fault == 'ahead':
        head = base(seq + 1, seq + 1, minor, len(old) - 4096)
        one = log6(seq, minor, bins, entries)
    if fault == 'header':
        head = bytes(512) + head[512:]
    if fault == 'swapped':
        one, other = other, one
    put(folder, head + old[4096:], new, one, other)


def dirt(folder, fault):
    minor = 3
    old = Writer(minor).hive(example())
    new = Writer(minor).hive(example(40), size=3 << 20)
    bins = len(new) - 4096
    pages = pages_of(old, new)
    bitmap = bytes(0xFF if o in pages else 0 for o in range(0, bins, 4096))
    time = TIME + (5 if fault in ('other', 'time') else 0)
    log = base(10, 10, minor, bins, 1, time)[:512] + b'DIRT' + bitmap
    log += b'\0' * (-len(log) % 512) + b''.join(pages.values())
    if fault == 'cut':
        log = log[:-600]
    if fault == 'torn':
        log = base(10, 9, minor, bins, 1)[:512] + log[512:]
    head = base(10, 9, minor, len(old) - 4096)
    if fault == 'header':
        head = bytes(512) + head[512:]
    put(folder, head + old[4096:], new, b'', log)


def put(folder, hive, want, log1, log2):
    os.makedirs(folder, exist_ok=True)
    for name, data in (('H', hive), ('want', want), ('H.LOG1', log1), ('H.LOG2', log2)):
        with open(os.path.join(folder, name), 'wb') as f:
            f.write(data)


# ---- its own reader ---------------------------------------------------------

def cell_at(d, at):
    n = -struct.unpack_from('<i', d, 4096 + at)[0]
    assert n > 0
    return d[4100 + at:4096 + at + n]


def name_of(raw, latin1):
    return raw.decode('latin-1') if latin1 else raw.decode('utf-16-le', 'surrogatepass')


def value_lines(d, c, minor):
    out = []
    for off in c:
        v = cell_at(d, off)
        nl, n, at, typ, flags = struct.unpack_from('<HIIIH', v, 2)
        size = n & 0x7FFFFFFF
        if n >> 31:
            data = v[8:8 + size]
        elif size == 0:
            data = b''
        elif minor >= 4 and size > SEG:
            count, lst = struct.unpack_from('<HI', cell_at(d, at), 2)
            segs = struct.unpack_from('<%dI' % count, cell_at(d, lst))
            data = b''.join(cell_at(d, s)[:SEG] for s in segs)[:size]
        else:
            data = cell_at(d, at)[:size]
        assert len(data) == size
        out.append('  %r %#x %s' % (name_of(v[20:20 + nl], flags & 1 or not nl), typ, data.hex()))
    return out


def tree(d, at=None, path=()):
    minor, = struct.unpack_from('<I', d, 24)
    if at is None:
        at, = struct.unpack_from('<I', d, 36)
    c = cell_at(d, at)
    flags, time = struct.unpack_from('<HQ', c, 2)
    nsub, _, lst, _, nval, vl, sk, cls = struct.unpack_from('<8I', c, 20)
    nl, cl = struct.unpack_from('<HH', c, 72)
    name = name_of(c[76:76 + nl], flags & 0x20)
    s = cell_at(d, sk)
    desc = s[20:20 + struct.unpack_from('<I', s, 16)[0]]
    out = ['%r %#x %d %s %s' % (path + (name,), flags & ~0x20, time, desc.hex(),
                                cell_at(d, cls)[:cl].hex() if cl else '-')]
    if nval:
        out += value_lines(d, struct.unpack_from('<%dI' % nval, cell_at(d, vl)), minor)
    if nsub:
        top = cell_at(d, lst)
        leaves = [top]
        if top[:2] == b'ri':
            leaves = [cell_at(d, x) for x in struct.unpack_from('<%dI' % struct.unpack_from('<H', top, 2)[0], top, 4)]
        for leaf in leaves:
            step = 4 if leaf[:2] == b'li' else 8
            for i in range(struct.unpack_from('<H', leaf, 2)[0]):
                out += tree(d, struct.unpack_from('<I', leaf, 4 + step * i)[0], path + (name,))
    return out


def main(argv):
    if argv[0] == 'hive':
        minor = int(argv[3]) if len(argv) > 3 else 5
        with open(argv[1], 'wb') as f:
            f.write(Writer(minor).hive(example()))
    elif argv[0] == 'large':
        with open(argv[1], 'wb') as f:
            f.write(Writer(5).hive(large(int(argv[2]))))
    elif argv[0] == 'ktm':
        with open(argv[1], 'r+b') as f:
            head = bytearray(f.read(512))
            struct.pack_into('<I', head, 144, 1)
            seal(head)
            f.seek(0)
            f.write(head)
    elif argv[0] == 'tree':
        with open(argv[1], 'rb') as f:
            print('\n'.join(tree(f.read())).encode('ascii', 'backslashreplace').decode())
    elif argv[0] == 'dirty':
        fault = argv[3] if len(argv) > 3 else ''
        if argv[2] == 'dirt':
            dirt(argv[1], fault)
        else:
            hvle(argv[1], fault, argv[2] == 'hvle2')
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
