#!/bin/sh
# Drivers of an administrator's folder: the right one, for the right machine.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need hivexget icat mmls fls

file_of() {
	start=$(mmls "$1" | awk '/NTFS/ { s = $3 } END { print s + 0 }')
	inode=$(fls -rp -o "$start" "$1" | awk -F '\t' -v want="$2" \
		'tolower($2) == tolower(want) { print $1; exit }' |
		sed 's/^[^ ]* *\([0-9-]*\).*/\1/')
	icat -o "$start" "$1" "$inode" >"$3"
}
guest xp.img xp
guest seven.img win7
mkdir -p d/ahci d/virtio/x86 d/virtio/amd64
file_of xp.img WINDOWS/system32/drivers/atapi.sys x86.sys
file_of seven.img Windows/System32/drivers/atapi.sys amd64.sys
cp x86.sys d/ahci/MyAhci.SYS
cp x86.sys d/virtio/x86/vio.sys
cp amd64.sys d/virtio/amd64/vio.sys
: >d/virtio/amd64/vio.cat
: >d/ahci/ahci.cat
cat >d/ahci/ahci.inf <<'E'
; an AHCI driver, as vendors write them
[version]
Signature = "$Windows NT$"
Class=HDC
ClassGuid={4D36E96A-E325-11CE-BFC1-08002BE10318}
CatalogFile=ahci.cat
[Manufacturer]
%MAKER% = Models
[Models]
%Desc% = AHCI_Inst,PCI\VEN_8086&DEV_2922&CC_0106
"Other; with a semicolon" = Other_Inst, PCI\VEN_8086&DEV_9999
[AHCI_Inst]
CopyFiles = AHCI_Copy
[AHCI_Inst.Services]
AddService = myahci, %ASSOC%, AHCI_Service
[AHCI_Copy]
myahci.sys,,,1
[AHCI_Service]
DisplayName = %Desc%
ServiceType = 1
StartType = 0
ErrorControl = 1
ServiceBinary = %12%\myahci.sys
LoadOrderGroup = SCSI \
	miniport ; joined by the backslash
AddReg = AHCI_Reg
[AHCI_Reg]
HKR, Parameters\PnpInterface, 5, %DWORD%, 1
HKR, Parameters, Text, , "100%% ""sure"""
[DestinationDirs]
AHCI_Copy = 12
[SourceDisksFiles]
myahci.sys = 1
[Strings]
MAKER = "A maker"
desc = "An AHCI controller"
ASSOC = 0x00000002
DWORD = 0x00010001
E
# UTF-16, decorated, one INF for two machines with folders of their own
for arch in x86 amd64; do
	{
		printf '\377\376'
		sed "s/ARCH/$arch/" <<'E' | iconv -t UTF-16LE
[Version]
Signature="$Windows NT$"
ClassGuid={4D36E97B-E325-11CE-BFC1-08002BE10318}
Provider=%V%
DriverVer=02/29/2016,61.72.104.11
CatalogFile.NTARCH=vio.cat
[Manufacturer]
%V%=Vio,NTx86.5.1,NTamd64.6.1,NTamd64.10.0
[Vio.NTx86.5.1]
"v"=Vio_Inst,PCI\VEN_1AF4&DEV_1001&SUBSYS_00021AF4
[Vio.NTamd64.6.1]
"v"=Vio_Inst,PCI\VEN_1AF4&DEV_1001&SUBSYS_00021AF4,PCI\VEN_1AF4&DEV_1042
[Vio.NTamd64.10.0]
%D%=Vio_Inst,PCI\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00,PCI\VEN_1AF4&DEV_1042
[Vio_Inst.NTARCH]
CopyFiles=@vio.sys
[Vio_Inst.NTARCH.Services]
AddService=vio,2,Vio_Service
[Vio_Service]
ServiceType=1
StartType=0
ErrorControl=1
ServiceBinary=%12%\vio.sys
LoadOrderGroup=SCSI miniport
AddReg=Vio_Reg
[Vio_Reg]
HKR,Parameters,BusType,0x10001,1
HKR,Parameters,Blob,1,01,fe,0a
HKR,Parameters,List,0x10000,one,two
HKR,Parameters,Keep,0x10003,7
HKLM,System\CurrentControlSet\Services\vio,Everywhere,,yes
[Vio_Inst.NTARCH.HW]
AddReg=Vio_HW
[Vio_HW]
HKR,"Interrupt Management",,0x10
HKR,"Interrupt Management\MessageSignaledInterruptProperties",MSISupported,0x10001,1
[DestinationDirs]
DefaultDestDir=12
[SourceDisksNames.ARCH]
1=disk,,,
[SourceDisksFiles.ARCH]
vio.sys=1
[Strings]
V="Vio"
D="VirtIO block device"
E
	} >d/virtio/$arch/vio.inf
done

before=$(sum_of xp.img)
exits 8 "without a driver XP gets nowhere with AHCI" hal-neutral apply xp.img --platform q35-ahci
ok "with one it is planned" hal-neutral plan xp.img --platform q35-ahci --drivers d -o xp.plan
is "$(sum_of xp.img)" "$before" "planning changes nothing"
ok "and applied, from the plan alone" hal-neutral apply xp.img xp.plan
ok "XP boots from AHCI" hal-neutral verify xp.img --platform q35-ahci --platform qemu-i440fx-ide --chain
like "$(cat out)" "*PCI?VEN_8086&DEV_2922&CC_0106 -> myahci*file *myahci.sys: x86*" "by the given driver"
file_of xp.img WINDOWS/system32/config/system hive
get() { hivexget hive "\\ControlSet001\\$1" "$2" 2>&1; }
is "$(get Services\\myahci Start) $(get Services\\myahci Type)" "0 1" "its service starts with the loader"
is "$(get Services\\myahci ImagePath)" 'System32\drivers\myahci.sys' "from the drivers' folder"
is "$(get Services\\myahci Group)" "SCSI miniport" "a line goes on behind a backslash"
is "$(get Services\\myahci\\Parameters\\PnpInterface 5)" 1 "AddReg sets a number"
is "$(get Services\\myahci\\Parameters Text)" '100% "sure"' "and a text with quotes"
file_of xp.img WINDOWS/System32/drivers/myahci.sys got.sys
ok "the file is the given one" cmp got.sys x86.sys
file_of xp.img WINDOWS/inf/oem0.inf got.inf
ok "so is the INF" cmp got.inf d/ahci/ahci.inf
file_of xp.img WINDOWS/Drivers/ahci/MyAhci.SYS got.sys
ok "and the folder where plug and play looks" cmp got.sys x86.sys
file_of xp.img WINDOWS/system32/config/software soft
is "$(hivexget soft '\Microsoft\Windows\CurrentVersion' DevicePath)" '%SystemRoot%\inf;%SystemRoot%\Drivers\ahci' "which DevicePath names"
ok "a second plan is empty" hal-neutral plan xp.img --platform q35-ahci --drivers d
like "$(cat out)" "*entries: \[\]*" "since the driver is there"

ok "7 takes the driver for its machine" hal-neutral apply seven.img --platform virtio-blk --platform virtio-blk-modern --drivers d
like "$(cat out)" "*virtio-blk *YES*virtio-blk-modern *YES*" "and boots from both devices"
file_of seven.img Windows/System32/drivers/vio.sys got.sys
ok "it is the 64-bit one" cmp got.sys amd64.sys
ok "revert takes it out again" hal-neutral revert seven.img
exits 8 "and 7 does not boot there any more" hal-neutral verify seven.img --platform virtio-blk

ok "XP takes the other one" hal-neutral apply xp.img --platform virtio-blk --drivers d
file_of xp.img WINDOWS/System32/drivers/vio.sys got.sys
ok "the 32-bit one" cmp got.sys x86.sys

# ---- Windows 10: a package as Windows itself would have made it
guest ten.img win10
before=$(sum_of ten.img)
exits 8 "10 has no driver for virtio" hal-neutral verify ten.img --platform virtio-blk
ok "10 takes the package" hal-neutral apply ten.img --platform virtio-blk --platform virtio-blk-modern --drivers d
ok "and boots from both devices" hal-neutral verify ten.img --platform virtio-blk --platform virtio-blk-modern --chain
package="vio.inf_amd64_$(sha256sum d/virtio/amd64/vio.inf | cut -c 1-16)"
like "$(cat out)" "*SUBSYS_00021AF4&REV_00 -> vio (DriverDatabase: oem0.inf, $package)*" "through DriverDatabase"
imgtool files cat ten.img /Windows/System32/config/SYSTEM >hive
imgtool files cat ten.img /Windows/System32/config/SOFTWARE >soft
db() { hivexget hive "\\DriverDatabase\\$1" "$2" 2>&1; }
raw() { db "$1" "$2" | od -An -tx1 | tr -d ' \n'; }
is "$(db DriverInfFiles\\oem0.inf Active)" "$package" "the INF names its package"
is "$(db DriverInfFiles\\oem0.inf Configurations)" Vio_Inst.NTamd64 "and its configuration"
is "$(raw 'DeviceIds\PCI\VEN_1AF4&DEV_1042' oem0.inf)" 01ff0000 "each id names the INF"
p="DriverPackages\\$package"
is "$(db "$p" '@')" oem0.inf "the package names its INF"
is "$(db "$p" InfName) $(db "$p" Provider) $(db "$p" Catalog)" "vio.inf Vio vio.cat" "name, maker and catalogue"
# 29 February 2016, version 61.72.104.11
is "$(raw "$p" Version)" 00ff0900000000007be9364d25e3ce11bfc108002be103180080df218472d1010b00680048003d000000000000000000 \
	"class, date and version"
is "$(db "$p\\Configurations\\Vio_Inst.NTamd64" Service)" vio "the configuration names the service"
is "$(db "$p\\Configurations\\Vio_Inst.NTamd64\\Services\\vio\\Parameters" BusType)" 1 "its values"
is "$(db "$p\\Configurations\\Vio_Inst.NTamd64\\Device\\Interrupt Management\\MessageSignaledInterruptProperties" MSISupported)" 1 \
	"and the device's"
is "$(db "$p\\Descriptors\\PCI\\VEN_1AF4&DEV_1042" Description) $(db "$p\\Strings" d)" "%d% VirtIO block device" "texts are strings"
is "$(hivexget hive '\DriverDatabase' OemInfMap | od -An -tx1 | tr -d ' \n')" 80 "the map of INFs has its bit"
s='\ControlSet001\Services\vio'
is "$(hivexget hive "$s" Start) $(hivexget hive "$s" Owners) $(hivexget hive "$s" Everywhere)" "0 oem0.inf yes" \
	"the service starts with the loader, and is the package's"
is "$(hivexget hive "$s\\Parameters" Blob | od -An -tx1 | tr -d ' \n') $(hivexget hive "$s\\Parameters" List | sed "/^$/d" | paste -sd ,)" "01fe0a one,two" \
	"bytes and lists of AddReg"
is "$(hivexget soft '\Microsoft\Windows\CurrentVersion\Setup\PnpLockdownFiles\%SystemRoot%/System32/drivers/vio.sys' Source)" \
	"%SystemRoot%\\System32\\DriverStore\\FileRepository\\$package\\vio.sys" "the file is the package's, too"
for f in "System32/DriverStore/FileRepository/$package/vio.inf" "System32/DriverStore/FileRepository/$package/vio.sys" \
	"System32/DriverStore/FileRepository/$package/vio.cat" INF/oem0.inf System32/drivers/vio.sys \
	'System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}/oem0.cat'; do
	ok "$f is there" imgtool files stat ten.img "/Windows/$f"
done
ok "a second plan is empty" hal-neutral plan ten.img --platform virtio-blk --drivers d
like "$(cat out)" "*entries: \[\]*" "since the driver is there"
ok "it goes as it came" hal-neutral revert ten.img
is "$(sum_of ten.img)" "$before" "the same image"

# ---- drivers that this Windows would not start
mkdir w
iconv -f UTF-16 -t UTF-8 d/virtio/amd64/vio.inf >w/vio.inf
cp amd64.sys w/vio.sys
before=$(sum_of seven.img)
exits 6 "an unsigned driver is refused" hal-neutral apply seven.img --platform virtio-blk --drivers w
says "*vio.sys: is not signed, and 64-bit Windows starts no such driver; give the package with its catalogue (vio.cat)*" "with the remedy"
: >w/vio.cat
cp x86.sys w/vio.sys
exits 6 "a driver for another machine is refused" hal-neutral apply seven.img --platform virtio-blk --drivers w
says "*vio.sys: is for x86, this Windows is amd64; give the package for that*" "with the remedy"
is "$(sum_of seven.img)" "$before" "nothing is written"
mkdir w/other
cp d/virtio/amd64/vio.* w/other
ok "one that fits, beside it, is taken" hal-neutral plan seven.img --platform virtio-blk --drivers w
rm -rf w/other
printf '[Manufacturer]\n' >w/vio.inf
exits 4 "an INF without its version is an error" hal-neutral plan seven.img --platform virtio-blk --drivers w
says "*vio.inf: has no ?Version?*" "which names it"
exits 1 "a folder that is not there is an error" hal-neutral plan seven.img --platform virtio-blk --drivers nowhere
exits 2 "drivers go with platforms" hal-neutral apply seven.img xp.plan --drivers d
done_testing
