#!/usr/bin/env python3
# bootsector.py KIND OUT - a 1 MiB disk whose boot sector does one thing
# SPDX-License-Identifier: GPL-3.0-or-later
#
# hang   writes H to port E9, and halts for ever
# count  reads sector 1 through the BIOS, adds one to its first byte, writes the
#        digit to E9 and the sector back, then W (E: an error), and powers off
# tally  the same, and halts for ever
# user   what count does, on the second disk
# busy   60 times: writes sector 1, reads it back, compares, writes a dot to E9,
#        waits for the next interrupt; then D (E: an error), and powers off
# well   writes sector 1, then OK to E9, and halts for ever
# mute   the same without saying OK
# stick  for the second and the third disk, writes the first byte of each to E9, or -
#        where there is none; then, after a second, starts the machine again
# panic  tells QEMU's panic device that it panicked, and halts for ever
#
# 16-bit code, assembled from the mnemonics beside it.
import sys

BEGIN = ('31c0 8ed8 8ec0 8ed0'      # xor ax,ax; mov ds/es/ss,ax
         'bc007c fc fb')            # mov sp,0x7c00; cld; sti
END = ('ba0406 b80020 ef'           # mov dx,0x604; mov ax,0x2000; out dx,ax
       'f4 ebfd')                   # hlt; jmp to it
COUNT = ('b80102 bb0080 b90200 b600 cd13 721e'   # read to 8000; jc fail
         'fe060080 a00080 0430 e6e9'    # inc [8000]; digit to e9
         'b80103 bb0080 b90200 b600 cd13 7204'   # write; jc fail
         'b057 eb02 b045 e6e9')         # 'W', or fail: 'E'
WRITE = 'b80103 bb007c b90200 b600 cd13'   # this sector to sector 1
KINDS = {
    'hang': BEGIN + 'b048 e6e9'     # mov al,'H'; out 0xe9,al
            'f4 ebfd',              # hlt; jmp to it
    'count': BEGIN + COUNT + END,
    'tally': BEGIN + COUNT + 'f4 ebfd',
    'user': BEGIN + 'b281' + COUNT + END,   # mov dl,0x81
    'busy': BEGIN + 'bd3c00'        # mov bp,60
            'ff060080'              # next: inc word [8000]
            'b80103 bb0080 b90200 b600 cd13 7224'   # write; jc fail
            'b80102 bb0082 b90200 b600 cd13 7215'   # read to 8200; jc fail
            'a10080 3b060082 750c'  # compare; jne fail
            'b02e e6e9 f4 4d 75cd'  # '.'; hlt; dec bp; jnz next
            'b044 eb02 b045 e6e9'   # 'D', or fail: 'E'
            + END,
    'well': BEGIN + WRITE + '7208'  # jc to the halt
            'b04f e6e9 b04b e6e9'   # 'O', 'K'
            'f4 ebfd',
    'mute': BEGIN + WRITE + 'f4 ebfd',
    'stick': BEGIN + 'b281'         # mov dl,0x81
             'b80102 bb0080 b90100 b600 52 cd13 5a'     # read its boot sector
             'a00080 7302 b02d e6e9'    # its byte; jnc; '-'; out
             'fec2 80fa83 75e1'     # inc dl; until dl is 0x83
             'b91200 f4 e2fd'       # mov cx,18; hlt; loop
             'ea0000ffff',          # jmp ffff:0
    'panic': BEGIN + 'ba0505 b001 ee'   # mov dx,0x505; mov al,1; out dx,al
             'f4 ebfd',
}

kind, out = sys.argv[1:]
code = bytes.fromhex(KINDS[kind])
with open(out, 'wb') as f:
    f.write(code.ljust(510, b'\0') + b'\x55\xaa')
    f.truncate(1 << 20)
