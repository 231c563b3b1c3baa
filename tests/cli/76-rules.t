#!/bin/sh
# Each rule meets what it is for, and foreign readers see what it did.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need hivexget icat mmls fls

# file_of IMAGE PARTITION PATH OUT: a file as sleuthkit finds it
file_of() {
	start=$(mmls "$1" | awk '/NTFS|Basic/ { s[++n] = $3 } END { print s['"$2"'] + 0 }')
	inode=$(fls -rp -o "$start" "$1" | awk -F '\t' -v want="$3" \
		'tolower($2) == tolower(want) { print $1; exit }' |
		sed 's/^[^ ]* *\([0-9-]*\).*/\1/')
	icat -o "$start" "$1" "$inode" >"$4"
}
set1() {
	key1=$1; shift
	imgtool reg set -q g.img "HKLM\\SYSTEM\\ControlSet001\\$key1" "$@" >out 2>err || cat err >&2
}
get() { hivexget hive "\\ControlSet001\\$1" "$2" 2>&1; }
fresh() { rm -rf g.img g.img.*; guest g.img "$@"; }
neutral() { hal-neutral apply g.img "$@" >out 2>err; }

cat >no-apic.yaml <<'E'
name: no-apic
what: "a PC without an APIC"
firmware: [bios]
madt: false
devices:
- pci: {class: '010180'}
E

# ---- X13 to X16: the HAL of XP
fresh xp
before=$(sum_of g.img)
ok "XP gets a HAL that needs no APIC" neutral --platform ./no-apic.yaml --platform generic-ide
like "$(cat out)" "*no-apic *YES*generic-ide *YES*" "and boots with and without one"
file_of g.img 1 boot.ini boot.ini
is "$(tr -d '\r' <boot.ini | sed -n 5,6p)" 'multi(0)disk(0)rdisk(0)partition(1)\WINDOWS="Microsoft Windows XP Professional (ACPI, no APIC)" /noexecute=optin /fastdetect /HAL=halacpi.dll
multi(0)disk(0)rdisk(0)partition(1)\WINDOWS="Microsoft Windows XP Professional" /noexecute=optin /fastdetect' \
	"by an entry of the menu before the old one"
file_of g.img 1 WINDOWS/system32/halacpi.dll hal
like "$(strings -el hal | paste -sd ' ')" "*5.1.2600.5512*halacpi.dll*" "the file is of its service pack"
ok "once more" neutral --platform ./no-apic.yaml
like "$(cat out)" "*g.img: 0 changes*" "changes nothing"
ok "all of them on the menu" neutral --platform ./no-apic.yaml --hal menu
file_of g.img 1 boot.ini boot.ini
is "$(tr -d '\r' <boot.ini | sed -n '7,$p')" 'multi(0)disk(0)rdisk(0)partition(1)\WINDOWS="Microsoft Windows XP Professional (ACPI, one processor)" /noexecute=optin /fastdetect /HAL=halaacpi.dll
multi(0)disk(0)rdisk(0)partition(1)\WINDOWS="Microsoft Windows XP Professional (ACPI, many processors)" /fastdetect /noexecute=alwaysoff /HAL=halmacpi.dll /KERNEL=ntkrnlmp.exe' \
	"each with the kernel that belongs to it"
ok "taken back" hal-neutral revert g.img
ok "and once more" hal-neutral revert g.img
is "$(sum_of g.img)" "$before" "XP is as it was"
ok "or the files themselves" neutral --platform ./no-apic.yaml --hal replace
file_of g.img 1 WINDOWS/system32/hal.dll hal
like "$(strings -el hal | paste -sd ' ')" "*halacpi.dll*" "hal.dll is another now"
file_of g.img 1 WINDOWS/system32/config/system hive
like "$(get 'Enum\Root\ACPI_HAL\0000' HardwareID)" "*not found*" "the device Computer is found anew"
ok "which is enough" hal-neutral verify g.img --platform ./no-apic.yaml
exits 2 "another word is none" hal-neutral plan g.img --platform generic-ide --hal other
# a cabinet of another service pack supplies nothing
fresh xp
imgtool files cat g.img /WINDOWS/system32/ntoskrnl.exe >kernel
python3 -c 'd = open("kernel", "rb").read(); b = (5512 | 2600 << 16).to_bytes(4, "little"); n = (2180 | 2600 << 16).to_bytes(4, "little"); assert b in d; open("kernel", "wb").write(d.replace(b, n))'
imgtool files put -q g.img kernel /WINDOWS/system32/ntoskrnl.exe >out 2>err
exits 8 "a HAL of another service pack is not taken" neutral --platform ./no-apic.yaml
like "$(cat err)" "*halacpi.dll: the image cannot supply it for service pack 2*" "and that is said"

# ---- X26: boot.ini
fresh xp
for bad in 'scsi(0)disk(0)rdisk(0)partition(1)' 'multi(0)disk(0)rdisk(0)partition(3)' 'signature(50d350d3)disk(0)rdisk(0)partition(1)'; do
	file_of g.img 1 boot.ini boot.ini
	sed "s/multi(0)disk(0)rdisk(0)partition([0-9])/$bad/; s/scsi(0)disk(0)rdisk(0)partition(1)/$bad/" boot.ini >new.ini
	imgtool files put -q g.img new.ini /boot.ini >out 2>err
	exits 8 "$bad: does not lead to Windows" hal-neutral verify g.img --platform generic-ide
	like "$(cat out)" "*NO *boot entry*does not lead to this installation*" "$bad: the link is named"
	ok "$bad: is mended" neutral --platform generic-ide
	file_of g.img 1 boot.ini boot.ini
	is "$(grep -c 'multi(0)disk(0)rdisk(0)partition(1).WINDOWS' boot.ini)" 2 "$bad: in entry and default"
done

# ---- X19, 1.7: filters and guest tools; the image still boots where it came from
fresh win7
hdc='Control\Class\{4D36E96A-E325-11CE-BFC1-08002BE10318}'
key='Control\Class\{4D36E96B-E325-11CE-BFC1-08002BE10318}'
for s in xenfilt VMTools prl_strg VBoxSF xenbus; do
	set1 "Services\\$s" Type dword 1
	set1 "Services\\$s" Start dword 2
done
set1 "$hdc" UpperFilters multi_sz xenfilt
set1 "$key" UpperFilters multi_sz gone kbdclass
set1 'Services\XEN\ForceUnplug' DISKS dword 1
hal-neutral platforms --from g.img >own.yaml
ok "guest tools go off" neutral --platform q35-ahci --platform xen-hvm --platform ./own.yaml
like "$(cat out)" "*xen-hvm *YES*own *YES*" "and the image still boots where it came from"
file_of g.img 2 Windows/System32/config/SYSTEM hive
for s in xenfilt VMTools prl_strg VBoxSF; do
	is "$(get "Services\\$s" Start)" 4 "$s is off"
done
is "$(get 'Services\xenbus' Start)" 2 "a driver of a virtual device stays"
like "$(get "$hdc" UpperFilters)" "*not found*" "no list is left empty"
is "$(get "$key" UpperFilters)" kbdclass "Windows' own filter stays"
like "$(get 'Services\XEN\ForceUnplug' DISKS)" "*not found*" "Xen leaves the emulated disk"

# ---- V7, W10, paging, letters, 1.8, V8: settings
fresh win7
set1 'Services\partmgr\Parameters' SanPolicy dword 3
set1 'Control\Session Manager\Memory Management' PagingFiles multi_sz 'D:\pagefile.sys 100 200'
net='Services\Tcpip\Parameters\Interfaces'
ghost='{11111111-2222-3333-4444-555555555555}'
set1 "$net\\$ghost" EnableDHCP dword 0
set1 "$net\\$ghost" IPAddress multi_sz 192.0.2.99
imgtool reg set -q g.img 'HKLM\SYSTEM\MountedDevices' '\DosDevices\C:' binary 010203040000100000000000 >out 2>err
imgtool reg set -q g.img 'HKLM\SOFTWARE\Policies\Microsoft\Windows\DeviceInstall\Restrictions' DenyDeviceIDs dword 1 >out 2>err
exits 8 "a letter that is kept for another disk" hal-neutral verify g.img --platform generic-ahci
like "$(cat out)" "*NO *letter *C: is kept for another volume*" "is a missing link"
ok "settings are mended" neutral --platform generic-ahci
like "$(cat err)" "*static address 192.0.2.17 stays with PCI*Restrictions*" "what stays is told"
file_of g.img 2 Windows/System32/config/SYSTEM hive
is "$(get 'Services\partmgr\Parameters' SanPolicy)" 1 "disks come online"
is "$(get 'Control\Session Manager\Memory Management' PagingFiles)" 'C:\pagefile.sys 0 0' "the paging file moves"
is "$(get "$net\\$ghost" EnableDHCP)" 1 "a card that is gone gives its address free"
is "$(get "$net\\{6A13E1C2-0F52-4D6E-9B53-1B2F77A0C101}" EnableDHCP)" 0 "one that is there keeps it"
is "$(hivexget hive '\MountedDevices' '\DosDevices\C:' | od -An -tx1 | tr -d ' \n' | head -c 24)" \
	"$(hivexget hive '\MountedDevices' '\??\Volume{2c1e8f40-4a59-11de-8c30-806d6172696f}' | od -An -tx1 | tr -d ' \n' | head -c 24)" \
	"the letter is the volume's again"
fresh win10
ok "10: neutral" neutral --platform generic-nvme
imgtool files get g.img /Windows/System32/config/SYSTEM hive >out 2>err
is "$(get 'Control\Session Manager\Power' HiberbootEnabled)" 0 "10: shutting down shuts down"

# ---- X17, X18, X21, and every control set that can boot
fresh xp
set1 'Services\AmdK8' Start dword 1
set1 'Services\AmdK8' Type dword 1
ok "XP: neutral" neutral --platform generic-ide
file_of g.img 1 WINDOWS/system32/config/system hive
for cs in ControlSet001 ControlSet002; do
	is "$(hivexget hive "\\$cs\\Services\\intelppm" Start) $(hivexget hive "\\$cs\\Services\\agp440" Start) $(hivexget hive "\\$cs\\Services\\PCIIde" Start)" \
		"3 4 0" "XP: $cs is neutral"
done
is "$(get 'Services\AmdK8' Start)" 3 "XP: AMD's processor driver too"
file_of g.img 1 WINDOWS/system32/config/software soft
is "$(hivexget soft '\Policies\Microsoft\Windows\DeviceInstall\Settings' SuppressNewHWUI)" 1 "XP: no wizards"
file_of g.img 1 WINDOWS/Halcyon/FirstBoot/steps/001-device-wizards.cmd step
like "$(cat step)" "*reg delete *SuppressNewHWUI*" "XP: and a step that brings them back"

# ---- 1.5, V4: the BCD
fresh vista
file_of g.img 1 Boot/BCD bcd
object='{b8d3f5a2-4a58-11de-a0c1-d3b9ad2c7e11}'
dev() { hivexget "$1" "\\Objects\\$2\\Elements\\$3" Element | od -An -tx1 | tr -d ' \n'; }
good=$(dev bcd "$object" 21000001)
bad=$(echo "$good" | sed 's/c4331e7a/44444444/')
for e in 11000001 21000001; do
	imgtool reg set -q bcd "Objects\\$object\\Elements\\$e" Element binary "$bad" >out 2>err
done
imgtool reg set -q bcd "Objects\\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\\Elements\\11000001" Element binary "$bad" >out 2>err
imgtool reg set -q bcd "Objects\\$object\\Elements\\22000012" Element sz halmacpi.dll >out 2>err
imgtool reg set -q bcd "Objects\\$object\\Elements\\22000011" Element sz ntkrnlmp.exe >out 2>err
imgtool files put -q g.img bcd /Boot/BCD >out 2>err
exits 8 "Vista: a BCD of another disk" hal-neutral verify g.img --platform generic-ide
like "$(cat out)" "*NO *boot entry *11000001*another disk*" "Vista: is named"
ok "Vista: is mended" neutral --platform generic-ide --platform ./no-apic.yaml
file_of g.img 1 Boot/BCD bcd
is "$(dev bcd "$object" 21000001)" "$good" "Vista: the device is the one it was"
is "$(dev bcd "$object" 26000010)" 01 "Vista: the HAL is chosen at every start"
like "$(hivexget bcd "\\Objects\\$object\\Elements\\22000012" Element 2>&1)$(hivexget bcd "\\Objects\\$object\\Elements\\22000011" Element 2>&1)" \
	"*not found*not found*" "Vista: and no longer fixed"
ok "Vista: with and without an APIC" hal-neutral verify g.img --platform ./no-apic.yaml --platform generic-ide
done_testing
