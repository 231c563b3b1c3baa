# A disk that every tool has written to, as foreign programs see it.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need icat fls hivexml regfinfo ntfsfix ntfsresize ntfs-3g.probe fsntfsinfo \
	qemu-system-x86_64 jq

guest old.img xp
guest new.img win7
start=206848 count=3985408
machines="--platform qemu-i440fx-ide --platform q35-ahci"
imgcrypt keygen -o key --no-passphrase >/dev/null
before=$(sum_of new.img)

# shellcheck disable=SC2086 # words on purpose
ok "hal-neutral changes it" hal-neutral apply new.img $machines --state state
ok "profmig takes two people out" profmig extract old.img --all -R key.pub -o b
ok "and moves them in" profmig apply b new.img -k key --state state
mkdir put
seq 100000 >put/numbers
printf 'HALCYON-PUT\n' >'put/Grüße.txt'
ok "imgtool puts files" imgtool files put new.img put /Put --state state
ok "and takes some away" imgtool files rm new.img /Data/Slack.txt --state state

# ---- the volume ------------------------------------------------------------

python3 "$TOP/tests/part.py" new.img $start $count part.img
ok "ntfsfix finds nothing to fix" ntfsfix -n part.img
ok "every cluster is accounted for" ntfsresize -i -f part.img
ok "it can be mounted for writing" ntfs-3g.probe --readwrite part.img
ok "libfsntfs reads it" fsntfsinfo -E all part.img
rm -f part.img
fls -rpF -o $start new.img >names
ok "sleuthkit sees what was put" grep -q 'Put/Grüße.txt' names
is "$(grep -v '^[^	]*\* ' names | grep -c 'Data/Slack.txt')" 0 "and not what was removed"
is "$(grep -c 'OrphanFile.*Users' names)" 0 "no orphans of people's files"

# ---- every hive ------------------------------------------------------------

awk -F '\t' 'tolower($2) ~ /(config\/(system|software|sam|security|default)|ntuser\.dat|usrclass\.dat)$/' \
	names | sed 's/^[^ ]* //' | grep -v '^\*' >hives
ok "there are hives of the machine and of five people" [ "$(wc -l <hives)" -ge 12 ]
while IFS='	' read -r inode path; do
	icat -o $start new.img "${inode%:}" >hive
	ok "hivexml reads $path" hivexml hive
	ok "regfinfo too" regfinfo hive
done <hives

# ---- it starts, and it can be as it was ------------------------------------

timeout 120 qemu-system-x86_64 -machine q35,accel=tcg -m 64 -nodefaults \
	-display none -no-reboot -debugcon file:debug \
	-global isa-debugcon.iobase=0xe9 -device ide-hd,drive=d \
	-drive file=new.img,format=raw,if=none,id=d,snapshot=on </dev/null
like "$(cat debug)" "HALCYON-GUEST win7 WIN7-NEW BOOT OK*" "it starts"
while imgtool undo new.img --state state >out 2>err </dev/null; do :; done
is "$(sum_of new.img)" "$before" "all undone, it has the bytes it had"
done_testing
