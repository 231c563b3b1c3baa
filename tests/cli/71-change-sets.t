#!/bin/sh
# A plan with one of everything: applied, read by others, taken back.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need hivexget icat mmls fls istat qemu-img

guest a.img win7
start=$(mmls a.img | awk '/NTFS/ { s = $3 } END { print s + 0 }')
inode_of() {
	fls -rp -o "$start" a.img | awk -F '\t' -v want="$1" \
		'tolower($2) == tolower(want) { print $1; exit }' |
		sed 's/^[^ ]* *\([0-9-]*\).*/\1/'
}
text_of() { icat -o "$start" a.img "$(inode_of "$1")" 2>err; }
hive() { text_of Windows/System32/config/SYSTEM >hive; }
hal-neutral plan a.img --platform q35-ahci >some.plan 2>err
serial=$(sed -n 's/^- \(0x.*\)/\1/p' some.plan)
entries() {
	printf 'format: halcyon-plan\nversion: 1\nmade-by: hal-neutral test\nvolumes: [%s]\nentries:\n' "$serial"
	sed 's/^/- {/; s/$/, rule: test, why: a test}/'
}
sha() { sha256sum "$1" | cut -d ' ' -f 1; }
text_of Windows/System32/drivers/disk.sys >disk.sys
size=$(stat -c %s disk.sys)
sys='hive: /Windows/System32/config/SYSTEM'

entries >one.plan <<E
kind: directory, path: /New, old: absent, want: present
kind: directory, path: /New/Below, old: absent, want: present
kind: file, path: /New/short.txt, old: absent, want: [text, "a short file\\n"]
kind: file, path: /New/Below/copy.sys, old: absent, want: [image, /Windows/System32/drivers/disk.sys, $size, '$(sha disk.sys)']
kind: stream, path: /New/short.txt, name: zone, old: absent, want: [text, "[Zone]"]
kind: link, path: /New/other.txt, old: absent, want: [text, /New/short.txt]
kind: security, path: /New/short.txt, old: absent, want: [text, 'O:SYG:SYD:P(A;;FA;;;SY)']
kind: attributes, path: /New/short.txt, old: absent, want: [text, 'attributes=0x00000007 created=2001-02-03T04:05:06.1234567Z modified=2002-02-03T04:05:06.0000000Z changed=2003-02-03T04:05:06.0000000Z accessed=2004-02-03T04:05:06.0000000Z']
kind: attributes, path: /New/Below/copy.sys, old: absent, want: [text, 'short-name=COPY~9.SYS']
kind: registry-key, $sys, key: 'New', old: absent, want: present
kind: registry-value, $sys, key: 'New', name: '', old: absent, want: [multi-sz, one, "zw\u00e4i"]
kind: registry-value, $sys, key: 'New', name: file, old: absent, want: [image, /Windows/System32/drivers/disk.sys, 3, $size, '$(sha disk.sys)']
kind: registry-class, $sys, key: 'New', old: absent, want: [text, Class]
E
before=$(sum_of a.img)
ok "the plan is applied" hal-neutral apply a.img one.plan
is "$(text_of New/short.txt)" "a short file" "sleuthkit reads the new file"
is "$(text_of New/Below/copy.sys | sha256sum)" "$(sha256sum <disk.sys)" "and the copied one"
is "$(text_of New/short.txt:zone)" "[Zone]" "and the stream"
is "$(inode_of New/other.txt | sed 's/-.*//')" "$(inode_of New/short.txt | sed 's/-.*//')" \
	"the link is the same file"
istat -z UTC -o "$start" a.img "$(inode_of New/short.txt | sed 's/-.*//')" >stat
like "$(cat stat)" "*Flags: Read Only, Hidden, System*" "attributes are set"
like "$(cat stat)" "*Created:*2001-02-03 04:05:06.1234567*File Modified:*2002-02-03*MFT Modified:*2003-02-03*Accessed:*2004-02-03*" \
	"so are the four times"
istat -o "$start" a.img "$(inode_of New/Below/copy.sys | sed 's/-.*//')" >stat2
like "$(cat stat2)" "*COPY~9.SYS*" "and the short name"
like "$(cat stat)" "*Owner ID:*S-1-5-18*" "and the owner"
hive
like "$(hivexget hive 'New' '@' | tr '\n' ' ')" "*one*zw*i*" "hivex reads the list"
is "$(hivexml hive | grep -c 'key="file"')" 1 "and the long value"
after=$(sum_of a.img)
# when what was written last, how much of it is allocated, and which logs there are
state_of() { stat -c '%y %b' "$1"; ls -l --time-style=full-iso "$1.undo" "$1.changes"; }
written=$(state_of a.img)
ok "a second apply succeeds" hal-neutral apply a.img one.plan
is "$(sum_of a.img)" "$after" "and changes nothing"
is "$(state_of a.img)" "$written" "and writes nothing, not even the same bytes"
ok "revert succeeds" hal-neutral revert a.img
is "$(sum_of a.img)" "$before" "the image is the same again"
is "$(ls -d a.img.changes 2>/dev/null)" "" "and no journal is left"
exits 8 "there is nothing more to take back" hal-neutral revert a.img

# ---- the same in a format that is not the bytes of the disk (41-disks.t has more)
qemu-img convert -O qcow2 a.img f.qcow2
ok "qcow2: applied" hal-neutral apply f.qcow2 one.plan
exits 1 "qcow2: the guest sees another disk" qemu-img compare a.img f.qcow2
written=$(state_of f.qcow2)
ok "qcow2: applied again" hal-neutral apply f.qcow2 one.plan
is "$(state_of f.qcow2)" "$written" "qcow2: which writes nothing"
ok "qcow2: taken back" hal-neutral revert f.qcow2
ok "qcow2: it is the same disk again" qemu-img compare a.img f.qcow2
ok "qcow2: applied once more" hal-neutral apply f.qcow2 one.plan
ok "qcow2: undone" imgtool undo f.qcow2
ok "qcow2: it is the same disk again" qemu-img compare a.img f.qcow2
rm -rf f.qcow2 f.qcow2.*

# ---- a plan explains itself
hal-neutral plan a.img --platform q35-ahci >said.plan 2>err
like "$(cat said.plan)" '# What shall be changed*"hal-neutral apply DISK PLAN" makes*"hal-neutral revert DISK" takes*# 4 registry-value*' \
	"it says what it is, how it is used, and how much it changes"
like "$(cat said.plan)" "*key: ControlSet001*Services*atapi
  name: Start
  old: ?dword, 0x00000003?  # starts on demand
  want: ?dword, 0x00000000?  # starts at boot
*" "and what its numbers mean"
sed '/^#/d; s/  #.*//' said.plan >bare.plan
sed 's/0x00000003\]  #.*/0x00000003]/' said.plan >other.plan
ok "comments may be changed" hal-neutral apply -n a.img other.plan
ok "or left out" hal-neutral apply -n a.img bare.plan

# ---- three-way: what changed since stays
ok "applied again" hal-neutral apply a.img one.plan
ok "a plan for a platform" hal-neutral apply a.img --platform q35-ahci
hive
is "$(hivexget hive 'ControlSet001\Services\msahci' Start)" 0 "which changes something else"
entries >two.plan <<E
kind: registry-value, $sys, key: 'ControlSet001\\Services\\msahci', name: Start, old: [dword, 0], want: [dword, 2]
kind: registry-value, $sys, key: 'ControlSet001\\Services\\pciide', name: Start, old: [dword, 3], want: [dword, 1]
E
sed -i 's/made-by: hal-neutral test/made-by: somebody else/' two.plan
ok "somebody changes one of its values" hal-neutral apply a.img two.plan
ok "revert takes back the platform's change set" hal-neutral revert a.img
like "$(cat err)" "*msahci: Start: changed since, and stays*" "and tells what stays"
like "$(cat out)" "*changes taken back*1 stay*" "and counts it"
hive
is "$(hivexget hive 'ControlSet001\Services\msahci' Start)" 2 "what changed since is as it was left"
is "$(hivexget hive 'ControlSet001\Services\intelide' Start 2>&1) $(hivexget hive 'ControlSet001\Services\atapi' Start)" \
	"3 3" "the rest is as it was before"
ok "revert takes back the first change set" hal-neutral revert a.img
is "$(inode_of New)" "" "the folder is gone"
hive
is "$(hivexget hive New 2>&1 | grep -c one)" 0 "so is the key"

# ---- deletions, and what they held comes back
entries >four.plan <<E
kind: file, path: /Windows/System32/drivers/disk.sys, old: [sha256, $size, '$(sha disk.sys)'], want: [text, gone]
E
ok "a file is replaced" hal-neutral apply a.img four.plan
rm -rf a.img.undo
ok "and taken back without the undo log" hal-neutral revert a.img
is "$(text_of Windows/System32/drivers/disk.sys | sha256sum)" "$(sha256sum <disk.sys)" \
	"with its content from the journal"
done_testing
