#!/bin/sh
# An EFI system partition is written: mtools and fsck judge, undo takes it back.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need jq mcopy mtype mattrib mdir fsck.fat
MTOOLS_SKIP_CHECK=1
export MTOOLS_SKIP_CHECK

guest win10.img win10
sum_of win10.img >was
start=$(imgtool inspect --json win10.img | jq '.volumes[0].start')
size=$(imgtool inspect --json win10.img | jq '.volumes[0].size')
esp="win10.img@@$start"
# sound NAME: the partition has no fault
sound() {
	dd if=win10.img of=esp.img bs=1M iflag=skip_bytes,count_bytes \
		skip="$start" count="$size" conv=sparse 2>/dev/null
	ok "$1" fsck.fat -n esp.img
}
head -c 3000000 /dev/urandom >big
mkdir -p tree/deep/er
echo one >"tree/deep/Ünïcode näme.txt"
: >tree/deep/er/empty
cp big tree/big.bin

# ---- files
exits 0 "a file goes in" imgtool files put --engine native win10.img big esp:/EFI/big.bin
mtype -i "$esp" ::/EFI/big.bin >got
ok "mtools reads it" cmp got big
sound "fsck has nothing to say"
like "$(imgtool history win10.img)" "*files put esp:/EFI/big.bin*" "it is in the history"
exits 0 "undo" imgtool undo win10.img
is "$(sum_of win10.img)" "$(cat was)" "takes it back"
exits 0 "a dry run" imgtool files put -n win10.img big esp:/EFI/big.bin
is "$(sum_of win10.img)" "$(cat was)" "writes nothing"

# ---- folders, names, attributes
exits 0 "a folder goes in" imgtool files put win10.img tree esp:/EFI/tree
ok "all of it" sh -c 'imgtool files get win10.img esp:/EFI/tree back && diff -r tree back'
sound "fsck has nothing to say"
exits 0 "mkdir" imgtool files mkdir win10.img esp:/EFI/New
mcopy -i "$esp" big ::/EFI/New/file.bin
mattrib -i "$esp" +r +h ::/EFI/New/file.bin
exits 0 "a file that is there is replaced" imgtool files put win10.img was esp:/efi/NEW/FILE.BIN
is "$(mtype -i "$esp" ::/EFI/New/file.bin)" "$(cat was)" "mtools reads it"
like "$(mattrib -i "$esp" ::/EFI/New/file.bin)" "*A*HR *::/EFI/New/file.bin" \
	"its attributes and name stay"
exits 2 "a folder that is not empty stays" imgtool files rm win10.img esp:/EFI/New
exits 0 "rm -R" imgtool files rm -R win10.img esp:/EFI/tree
exits 8 "it is gone" imgtool files stat win10.img esp:/EFI/tree
sound "fsck has nothing to say"

# ---- what cannot be, changes nothing
sum_of win10.img >kept
exits 3 "a stream" imgtool files put win10.img was 'esp:/EFI/x:s'
says "*no streams*" "says so"
exits 3 "a pattern" imgtool files put win10.img was 'esp:/EFI/[x]'
says "*--engine appliance*" "names the way"
exits 3 "a name that mtools cannot spell" imgtool files put win10.img was 'esp:/EFI/😀'
says "*--engine appliance*" "names the way"
head -c 104000000 /dev/zero >huge
exits 1 "more than fits" imgtool files put win10.img huge esp:/EFI/huge
says "*full*" "says so"
is "$(sum_of win10.img)" "$(cat kept)" "not a byte changed"
done_testing
