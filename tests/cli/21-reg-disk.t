#!/bin/sh
# imgtool reg on disks: which hive a key lies in, and one transaction for all.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh

guest w.img win7 --dirty-hive
cp --sparse=always w.img first.img
exits 0 "ls of a control set" imgtool reg ls w.img 'HKLM\SYSTEM\CurrentControlSet'
like "$(cat err)" "*SYSTEM: was dirty;*saved*" "the dirty hive was replayed, and said so"
ok "reading writes nothing" cmp -s w.img first.img
is "$(imgtool reg get -q w.img 'HKEY_LOCAL_MACHINE\system\Select' default)" 1 "long names, no case"
like "$(imgtool reg get w.img 'HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion' ProductName)" "Windows 7*" \
	"the software hive"
exits 0 "a user's own" imgtool reg ls w.img 'HKU\carol\Software'
like "$(cat out)" "*Microsoft*" "a user's own"
exits 8 "no such user" imgtool reg ls w.img 'HKU\nobody\Software'
exits 2 "no root" imgtool reg ls w.img 'SYSTEM\Select'
exits 8 "no such key" imgtool reg ls w.img 'HKLM\SYSTEM\Nope'

ok "set on a disk" imgtool reg set -q w.img 'HKLM\SYSTEM\CurrentControlSet\Services\halcyon' Start dword 3
imgtool reg get w.img 'HKLM\SYSTEM\ControlSet001\Services\halcyon' Start >out 2>err
is "$(cat out)" 3 "went into the next boot's control set"
is "$(cat err)" "" "and the hive is clean now"
for log in LOG LOG1 LOG2; do
	is "$(imgtool files ls --json w.img "Windows/System32/config/SYSTEM.$log" 2>/dev/null |
		grep -c '"size": [1-9]')" 0 "SYSTEM.$log is empty"
done
imgtool files get w.img Windows/System32/config/SYSTEM SYSTEM
ok "what lies on the disk has no fault" imgtool reg check SYSTEM
if command -v hivexsh >/dev/null; then
	is "$(printf 'cd ControlSet001\\Services\\halcyon\nlsval Start\n' | hivexsh SYSTEM)" 3 "libhivex reads it"
fi

cat >two.reg <<'REG'
Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SOFTWARE\Halcyon]
"a"="ü"
[HKEY_USERS\carol\Software\Halcyon]
"b"=dword:00000002
REG
ok "import into two hives" imgtool reg import w.img two.reg
is "$(imgtool reg get w.img 'HKLM\SOFTWARE\Halcyon' a)" ü "the first"
is "$(imgtool reg get w.img 'HKU\carol\Software\Halcyon' b)" 2 "the second"
is "$(imgtool history w.img | grep -c 'reg import two.reg')" 1 "as one transaction"
imgtool reg export w.img 'HKLM\SOFTWARE\Halcyon' >out
is "$(sed -n 3p out)" '[HKEY_LOCAL_MACHINE\SOFTWARE\Halcyon]' "export names the whole path"
cp --sparse=always w.img before.img
printf '[HKLM\\SOFTWARE\\Halcyon]\n"x"="1"\n[HKU\\nobody\\x]\n"y"="1"\n' >bad.reg
exits 8 "an import that fails in its second key" imgtool reg import w.img bad.reg
ok "changed nothing" cmp -s w.img before.img
ok "a dry run" imgtool reg delete -n w.img 'HKLM\SOFTWARE\Halcyon'
ok "changes nothing" cmp -s w.img before.img
ok "delete" imgtool reg delete w.img 'HKLM\SOFTWARE\Halcyon'
exits 8 "is gone" imgtool reg ls w.img 'HKLM\SOFTWARE\Halcyon'

guest o.img xp --other-current
exits 0 "Current differs from Default" imgtool reg ls o.img 'HKLM\SYSTEM\CurrentControlSet'
like "$(cat err)" "*ControlSet001*last one used ControlSet002*" "and that is said"
guest h.img win7 --hibernated
exits 6 "a hibernated Windows is not written" imgtool reg set h.img 'HKLM\SOFTWARE\x' y sz z
done_testing
