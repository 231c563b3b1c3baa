#!/usr/bin/env python3
"""bitlk.py - BitLocker volumes for tests, as nobody on Linux makes them
SPDX-License-Identifier: GPL-3.0-or-later

    bitlk.py seal PLAIN OUT PASSWORD RECOVERY   OUT holds PLAIN, encrypted
    bitlk.py open IN OUT PASSWORD               and back, without cryptsetup

AES-XTS with 128 bits; the key is protected by a password and by a recovery
password.  Layout and key derivation are those of libbde's "BitLocker Drive
Encryption (BDE) format" for Windows 7 and later; cryptsetup is the judge.  The
areas that BitLocker keeps for itself lie behind the file system, so that no
file needs to reserve them.  AES comes from OpenSSL's library.
"""
import ctypes
import ctypes.util
import hashlib
import struct
import sys

SECTOR = 512
AREA = 64 << 10             # of metadata, three times
HEADER = 8192               # the first bytes of the file system, kept elsewhere
ROUNDS = 0x100000
VMK_KEY, FVEK_KEY = bytes(range(32)), bytes(range(100, 132))

crypto = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
for name in "EVP_CIPHER_CTX_new", "EVP_aes_256_ecb", "EVP_aes_128_xts":
    getattr(crypto, name).restype = ctypes.c_void_p


def aes(cipher, key, iv, data, encrypt=True):
    ctx = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    out = ctypes.create_string_buffer(len(data) + 32)
    n = ctypes.c_int(0)
    ok = crypto.EVP_CipherInit_ex(ctx, ctypes.c_void_p(cipher()), None, key, iv,
                                  1 if encrypt else 0)
    ok &= crypto.EVP_CIPHER_CTX_set_padding(ctx, 0)
    ok &= crypto.EVP_CipherUpdate(ctx, out, ctypes.byref(n), data, len(data))
    crypto.EVP_CIPHER_CTX_free(ctx)
    assert ok == 1 and n.value == len(data)
    return out.raw[:n.value]


def block(key, b):
    return aes(crypto.EVP_aes_256_ecb, key, None, b)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def ccm(key, nonce, text):
    """AES-CCM (RFC 3610) with a nonce of 12 and a tag of 16 bytes."""
    mac = block(key, bytes([0x3a]) + nonce + len(text).to_bytes(3, "big"))
    for at in range(0, len(text), 16):
        mac = block(key, xor(mac, text[at:at + 16].ljust(16, b"\0")))

    def pad(i):
        return block(key, b"\2" + nonce + i.to_bytes(3, "big"))
    out = b"".join(xor(text[at:at + 16], pad(at // 16 + 1))
                   for at in range(0, len(text), 16))
    return xor(mac, pad(0)) + out


def sectors(data, first, encrypt):
    """A run of sectors, each with its number as tweak."""
    out = bytearray(len(data))
    for at in range(0, len(data), SECTOR):
        tweak = struct.pack("<QQ", first + at // SECTOR, 0)
        out[at:at + SECTOR] = aes(crypto.EVP_aes_128_xts, FVEK_KEY, tweak,
                                  bytes(data[at:at + SECTOR]), encrypt)
    return bytes(out)


def stretch(first, salt):
    last, count = bytes(32), 0
    tail = first + salt
    for count in range(ROUNDS):
        last = hashlib.sha256(last + tail + struct.pack("<Q", count)).digest()
    return last


def of_password(text):
    once = hashlib.sha256(text.encode("utf-16-le")).digest()
    return hashlib.sha256(once).digest()


def of_recovery(text):
    parts = [int(p) // 11 for p in text.split("-")]
    return hashlib.sha256(struct.pack("<8H", *parts)).digest()


def entry(kind, value, data):
    return struct.pack("<4H", 8 + len(data), kind, value, 1) + data


def sealed(kind, key, nonce, secret, method):
    plain = entry(0, 1, struct.pack("<I", method) + secret)
    return entry(kind, 5, nonce + ccm(key, nonce, plain))


def vmk(number, protection, first):
    salt = bytes([number]) * 16
    key = stretch(first, salt)
    nonce = struct.pack("<QI", 131000000000000000, number)
    guid = bytes([0x10 + number]) * 16
    return entry(2, 8, guid + struct.pack("<QHH", 131000000000000000, 0,
                                          protection)
                 + entry(0, 3, struct.pack("<I", 0x1000) + salt)
                 + sealed(0, key, nonce, VMK_KEY, 0x2003))


def seal(plain, out, password, recovery):
    data = open(plain, "rb").read()
    end = -(-len(data) // AREA) * AREA
    fve = [end, end + 3 * AREA, end + 5 * AREA]
    header = end + AREA
    size = end + 7 * AREA
    entries = (entry(7, 2, "TEST 1/1/2012\0".encode("utf-16-le"))
               + vmk(1, 0x2000, of_password(password))
               + vmk(2, 0x0800, of_recovery(recovery))
               + sealed(3, VMK_KEY, struct.pack("<QI", 131000000000000000, 9),
                        FVEK_KEY, 0x8004)
               + entry(0xf, 0xf, struct.pack("<QQ", header, HEADER)))
    head = struct.pack("<8sHHHHQII3QQ", b"-FVE-FS-", 48, 2, 4, 4, size, 0,
                       HEADER // SECTOR, *fve, header)
    head += struct.pack("<4I16sIHHQ", 48 + len(entries), 1, 48,
                        48 + len(entries), b"\x77" * 16, 10, 0x8004, 0,
                        131000000000000000)
    boot = bytearray(SECTOR)
    boot[0:3] = b"\xeb\x58\x90"
    boot[3:11] = b"-FVE-FS-"
    struct.pack_into("<HB", boot, 11, SECTOR, 8)
    boot[160:176] = bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")
    struct.pack_into("<3Q", boot, 176, *fve)
    boot[510:512] = b"\x55\xaa"
    with open(out, "wb") as f:
        f.write(boot.ljust(HEADER, b"\0"))
        data = data.ljust(end, b"\0")
        f.write(sectors(data[HEADER:], HEADER // SECTOR, True))
        for at in fve:
            f.seek(at)
            f.write(head + entries)
        f.seek(header)
        f.write(sectors(data[:HEADER], header // SECTOR, True))
        f.truncate(size)


def unseal(source, out, password):
    del password            # the keys are the fixture's
    data = open(source, "rb").read()
    end = struct.unpack_from("<Q", data, 176)[0]
    header = end + AREA
    with open(out, "wb") as f:
        f.write(sectors(data[header:header + HEADER], header // SECTOR, False))
        f.write(sectors(data[HEADER:end], HEADER // SECTOR, False))


{"seal": seal, "open": unseal}[sys.argv[1]](*sys.argv[2:])
