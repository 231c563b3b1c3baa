#!/bin/sh
# What is known about a file, as we write it, is what three foreign readers see.
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016 # dollars of sed and of NTFS
. tests/tap.sh
need mmls istat icat ifind fls fsntfsinfo wimcapture wimdir ntfsfix

guest a.img win7
start=$(mmls a.img | awk '$6 ~ /NTFS/ { s = $3 } END { print s + 0 }')
length=$(mmls a.img | awk '$6 ~ /NTFS/ { s = $5 } END { print s + 0 }')
serial=$(hal-neutral plan a.img --platform q35-ahci 2>err | sed -n 's/^- \(0x[^ ]*\).*/\1/p')
sddl='O:S-1-5-21-1-2-3-1001G:S-1-5-21-1-2-3-513D:PAI(D;;FW;;;BG)(A;OICI;FA;;;SY)(A;;0x1200a9;;;S-1-5-21-1-2-3-1001)S:(AU;SAFA;FW;;;WD)'
junction=030000a02e00000000001a001c0008005c003f003f005c0043003a005c00550073006500720073005c000000780079007a0077000000
{
	printf 'format: halcyon-plan\nversion: 1\nmade-by: hal-neutral test\nvolumes: [%s]\nentries:\n' "$serial"
	sed 's/^/- {/; s/$/, rule: test, why: a test}/' <<E
kind: directory, path: /Meta, old: absent, want: present
kind: file, path: '/Meta/A long name.document', old: absent, want: [text, "content\\n"]
kind: stream, path: '/Meta/A long name.document', name: Zone.Identifier, old: absent, want: [text, "[ZoneTransfer]\\r\\nZoneId=3\\r\\n"]
kind: security, path: '/Meta/A long name.document', old: absent, want: [text, '$sddl']
kind: link, path: '/Meta/second name', old: absent, want: [text, '/Meta/A long name.document']
kind: attributes, path: '/Meta/A long name.document', old: absent, want: [text, 'attributes=0x00002027 created=2001-02-03T04:05:06.1234567Z modified=2002-03-04T05:06:07.7654321Z changed=2003-04-05T06:07:08.0000001Z accessed=2004-05-06T07:08:09.9999999Z short-name=ALONGN~1.DOC']
kind: directory, path: /Meta/junction, old: absent, want: present
kind: reparse, path: /Meta/junction, old: absent, want: [bytes, '$junction']
E
} >a.plan
exits 0 "a plan with one of everything" hal-neutral apply a.img a.plan
dd if=a.img of=v.img bs=512 skip="$start" count="$length" conv=sparse status=none
file='Meta/A long name.document'
# the descriptor as [MS-DTYP] 2.4.6 lays it out: owner, group, SACL, DACL in any order
cat >sd.py <<'END_OF_FILE'
import struct, sys
raw = bytes.fromhex(sys.argv[1])
rev, _, control, owner, group, sacl, dacl = struct.unpack_from("<BBHIIII", raw)
def sid(at):
    n = raw[at + 1]
    return "S-%d-%d" % (raw[at], int.from_bytes(raw[at + 2:at + 8], "big")) + "".join(
        "-%d" % v for v in struct.unpack_from("<%dI" % n, raw, at + 8))
def acl(at):
    count, at, out = struct.unpack_from("<H", raw, at + 4)[0], at + 8, []
    for _ in range(count):
        kind, flags, size, mask = struct.unpack_from("<BBHI", raw, at)
        out.append("%d/%#x/%#x/%s" % (kind, flags, mask, sid(at + 8)))
        at += size
    return " ".join(out)
print(hex(control), sid(owner), sid(group), "dacl", acl(dacl), "sacl", acl(sacl))
END_OF_FILE
want_sd="0x9414 S-1-5-21-1-2-3-1001 S-1-5-21-1-2-3-513 dacl 1/0x0/0x120116/S-1-5-32-546 0/0x3/0x1f01ff/S-1-5-18 0/0x0/0x1200a9/S-1-5-21-1-2-3-1001 sacl 2/0xc0/0x120116/S-1-1-0"

# ---- sleuthkit
record=$(ifind -n "$file" v.img)
istat -z UTC v.img "$record" >stat
is "$(sed -n 's/^Flags: //p' stat | head -n 1)" \
	"Read Only, Hidden, System, Archive, Not Content Indexed" "sleuthkit: attributes"
is "$(sed -n '/^\$STANDARD/,/^$/s/^[A-Z].*:\t\(.*\) (UTC)/\1/p' stat | tr '\n' ' ')" \
	"2001-02-03 04:05:06.123456700 2002-03-04 05:06:07.765432100 2003-04-05 06:07:08.000000100 2004-05-06 07:08:09.999999900 " \
	"sleuthkit: four times"
is "$(sed -n 's/^Name: //p' stat | sort | tr '\n' '|')" \
	"A long name.document|ALONGN~1.DOC|second name|" "sleuthkit: names, long, short and linked"
is "$(sed -n 's/^Links: //p' stat)" 3 "sleuthkit: as many links"
like "$(sed -n 's/^Security ID: //p' stat)" "*(S-1-5-21-1-2-3-1001)" "sleuthkit: owner"
stream=$(sed -n 's/^Type: \$DATA (\([0-9-]*\)) *Name: Zone.*/\1/p' stat)
is "$(icat v.img "$record-$stream")" "$(printf '[ZoneTransfer]\r\nZoneId=3\r')" "sleuthkit: stream"
icat v.img "$(ifind -n Meta/junction v.img)-192" | od -An -v -tx1 | tr -d ' \n' >point
is "$(cat point)" "$junction" "sleuthkit: reparse point, every byte"
# all descriptors of the volume, of which one must be this one
icat v.img "9-$(istat v.img 9 | sed -n 's/.*DATA (\([0-9-]*\)).*\$SDS.*/\1/p')" >sds
hex=$(wimcapture v.img v.wim --compress=none >log 2>&1 && wimdir v.wim 1 --detailed --path "/$file" >detail && sed -n 's/^Security Descriptor = //p' detail)
ok "sleuthkit: security, the bytes that wimlib shows" python3 -c "
import sys; sys.exit(bytes.fromhex('$hex') not in open('sds', 'rb').read())"

# ---- wimlib
is "$(python3 sd.py "$hex")" "$want_sd" "wimlib: owner, group, DACL and SACL are what was asked for"
is "$(sed -n 's/^Attributes  *= //p; s/^Short Name  *= //p' detail | tr '\n' ' ')" \
	'"ALONGN~1.DOC" 0x00002027 ' "wimlib: short name and attributes"
is "$(sed -n 's/^\(Creation\|Last Write\|Last Access\) Time  *= //p' detail | tr '\n' '|')" \
	"Sat Feb 03 04:05:06 2001 UTC|Mon Mar 04 05:06:07 2002 UTC|Thu May 06 07:08:09 2004 UTC|" "wimlib: times"
is "$(sed -n 's/^Link Count *= //p' detail)" 2 "wimlib: links"
like "$(cat detail)" "*Named data stream \"Zone.Identifier\":
Hash  *= 0x$(printf '[ZoneTransfer]\r\nZoneId=3\r\n' | sha1sum | cut -d ' ' -f 1)
*" "wimlib: stream"
like "$(cat detail)" "*Unnamed data stream:
Hash  *= 0x$(echo content | sha1sum | cut -d ' ' -f 1)
*" "wimlib: content"
wimdir v.wim 1 --detailed --path /Meta/junction >detail
like "$(cat detail)" "*Reparse Tag  *= 0xa0000003*Hash  *= 0x$(printf '%s' "$junction" | sed 's/^.\{16\}//' | python3 -c '
import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' | sha1sum | cut -d ' ' -f 1)*" \
	"wimlib: tag and data"

# ---- libfsntfs
fsntfsinfo -F "\\Meta\\A long name.document" v.img >info
is "$(sed -n 's/.*\(Creation\|Modification\|Access\|Entry modification\) time\t*: //p' info | tr '\n' '|')" \
	"Feb 03, 2001 04:05:06.123456700 UTC|Mar 04, 2002 05:06:07.765432100 UTC|May 06, 2004 07:08:09.999999900 UTC|Apr 05, 2003 06:07:08.000000100 UTC|" \
	"libfsntfs: four times"
like "$(cat info)" "*attribute flags	*: 0x00002027
*" "libfsntfs: attributes"
fsntfsinfo -E "$record" v.img >info
is "$(sed -n 's/.*Name\t*: \(A long.*\|ALONG.*\|second.*\|Zone.*\)/\1/p' info | sort -u | tr '\n' '|')" \
	"A long name.document|ALONGN~1.DOC|Zone.Identifier|second name|" "libfsntfs: names and stream"
fsntfsinfo -E "$(ifind -n Meta/junction v.img)" v.img >info
like "$(cat info)" "*Tag	*: 0xa0000003
*Substitute name	*: *C:*Users*
*Print name	*: xyzw" "libfsntfs: the junction leads to C:Users"
ok "ntfsfix finds nothing to fix" ntfsfix -n v.img
done_testing
