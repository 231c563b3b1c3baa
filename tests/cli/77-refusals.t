#!/bin/sh
# What must not be touched is refused: its own message, the remedy, status 6.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh

# refused NAME PATTERN [OPTION...]: apply is, and writes nothing
refused() {
	name=$1 like=$2; shift 2
	[ $# -gt 0 ] || set -- --platform generic-ahci
	before=$(sum_of g.img)
	exits 6 "$name: apply is refused" hal-neutral apply g.img "$@"
	says "$like" "$name: the message and the remedy"
	is "$(sum_of g.img)" "$before" "$name: nothing is written"
	exits 6 "$name: so is a plan" hal-neutral plan g.img "$@"
}
fresh() { rm -rf g.img g.img.*; guest g.img "$@"; }

fresh win7 --hibernated
refused hibernated "*g.img: C:?Windows: Windows is hibernated; start it once and shut it down (shutdown /s /t 0)*"
fresh win7 --dirty-volume
refused "not closed" "*the volume was not closed cleanly; let Windows start once or run chkdsk /f*"
fresh win7 --dirty-hive
for log in LOG1 LOG2; do
	imgtool files rm -q g.img /Windows/System32/config/SYSTEM.$log >out 2>err || cat err
done
rm -rf g.img.*
refused "logs gone" "*SYSTEM*log*"
fresh win7
imgtool reg set -q g.img 'HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending' x dword 1 >out 2>err
refused "pending" "*updates wait for a restart to be finished; let Windows restart until none is left*"
fresh win7
echo '<x/>' >pending.xml
imgtool files put -q g.img pending.xml /Windows/winsxs/pending.xml >out 2>err
refused "pending.xml" "*updates wait for a restart*"
fresh win7
printf '\102' | dd of=g.img bs=1 seek=$((446 + 16 + 4)) conv=notrunc 2>/dev/null
refused "dynamic disk" "*partition 2: lies on a dynamic disk*convert basic*"
fresh win7
start=$(python3 -c 'd = open("g.img", "rb").read(512); print(int.from_bytes(d[446 + 16 + 8:][:4], "little"))')
printf -- '-FVE-FS-' | dd of=g.img bs=1 seek=$((start * 512 + 3)) conv=notrunc 2>/dev/null
refused BitLocker "*partition 2: BitLocker encrypts it; start this Windows and decrypt it (manage-bde -off*"
fresh win7
refused "BIOS disk, UEFI platform" "*hyperv-gen2 starts from UEFI only, and this disk from BIOS; name a platform*mbr2gpt*" --platform hyperv-gen2
fresh win10
refused "UEFI disk, BIOS platform" "*generic-ide starts from BIOS only, and this disk from UEFI; name a platform*" --platform generic-ide
fresh win7 --two-installs
refused "two installations" "*several installations; name one with --root: C:?Windows (starts), C:?Windows.1*"
ok "with --root it is done" hal-neutral apply g.img --platform generic-ahci --root 'C:\Windows'
exits 8 "the other one is not the one that starts" hal-neutral verify g.img --platform generic-ahci --root 'C:\Windows.1'
like "$(cat out)" "*NO *boot entry*does not lead to this installation*" "and that is what the proof says"
# signing and architecture of drivers: 72-drivers.t
done_testing
