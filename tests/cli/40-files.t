#!/bin/sh
# Files in a disk are read and written; foreign readers see the same.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need fls icat istat ntfsfix fsntfsinfo

guest d.img win7
sum_of d.img >before

# offset OF the volume of Windows, in sectors, as sleuthkit sees it
volume=$(mmls d.img | awk '$6 ~ /NTFS/ { s = $3 } END { print s + 0 }')
length=$(mmls d.img | awk '$6 ~ /NTFS/ { s = $5 } END { print s + 0 }')
# what a path's record holds, by sleuthkit
tsk() { icat -o "$volume" d.img "$(ifind -o "$volume" -n "$1" d.img)"; }
# ntfsfix and libfsntfs accept the volume
sound() {
	dd if=d.img of=v.img bs=512 skip="$volume" count="$length" conv=sparse status=none
	ok "$1: ntfsfix accepts it" ntfsfix -n v.img
	ok "$1: libfsntfs accepts it" fsntfsinfo v.img
}

# ---- look
exits 0 "ls" imgtool files ls d.img
like "$(cat out)" "*
Users
Windows" "ls lists the root of Windows"
imgtool files ls d.img | grep -v '^\$' | sort >ours
fls -o "$volume" d.img | sed 's/^[^	]*	//' | grep -v '^\$\|:' | sort >theirs
is "$(diff ours theirs)" "" "sleuthkit lists the same names"
imgtool files ls -R d.img 'C:\Users' | wc -l >ours
fls -rp -o "$volume" d.img "$(ifind -o "$volume" -n Users d.img)" |
	grep -v ' \* ' | sed 's/^[^	]*	//' | grep -cv ':' >theirs
is "$(tr -d ' ' <ours)" "$(cat theirs)" "and as many files below Users"
imgtool files cat d.img 'c:\windows\SYSTEM32\config\system' >ours
ok "cat gives what sleuthkit reads" sh -c "icat -o $volume d.img $(ifind -o "$volume" -n Windows/System32/config/SYSTEM d.img) | cmp - ours"
exits 0 "stat" imgtool files stat d.img '\Windows\System32\config\SYSTEM'
like "$(cat out)" "*security*O:S-1-5-80-*" "stat shows security"
exits 0 "stat as JSON" imgtool files stat --json d.img /Users
like "$(cat out)" '*"sddl"*' "with the same facts"
exits 8 "a path that is not there" imgtool files cat d.img 'C:\nowhere'
says "*d.img: C:*nowhere: is not there" "says so"
exits 8 "a drive that is not there" imgtool files ls d.img 'Q:\x'
is "$(sum_of d.img)" "$(cat before)" "looking changes nothing"

# ---- change, dry
echo hello >hello
exits 0 "a dry run" imgtool files put -n d.img hello 'C:\Users\hello.txt'
is "$(sum_of d.img)" "$(cat before)" "changes nothing"
[ ! -e d.img.undo ]; is $? 0 "and leaves no log"

# ---- change
exits 0 "put" imgtool files put d.img hello 'C:\Users\hello.txt'
is "$(tsk Users/hello.txt)" hello "sleuthkit reads what was put"
sound "put"
head -c 3000000 /dev/urandom >big
exits 0 "put a big one" imgtool files put d.img big 'C:\Users'
ok "sleuthkit reads it" sh -c "icat -o $volume d.img $(ifind -o "$volume" -n Users/big d.img) | cmp - big"
exits 0 "put into a stream" imgtool files put d.img hello 'C:\Users\big:note'
is "$(imgtool files cat d.img '/users/BIG:NOTE')" hello "streams are found without case"
like "$(fls -o "$volume" d.img "$(ifind -o "$volume" -n Users d.img)")" "*big:note*" "sleuthkit sees the stream"
exits 0 "mkdir -p" imgtool files mkdir -p d.img 'C:\Neu\Übung\tief'
mkdir tree tree/sub && echo 1 >tree/one && echo 2 >"tree/sub/zwei ä"
exits 0 "put a folder" imgtool files put d.img tree 'C:\Neu\Übung'
is "$(imgtool files ls -R d.img '\neu' | tr '\n' ' ')" \
	"Übung Übung/tief Übung/tree Übung/tree/one Übung/tree/sub Übung/tree/sub/zwei ä " "all of it"
exits 0 "get a folder" imgtool files get d.img 'C:\NEU\übung\TREE' back
is "$(diff -r tree back)" "" "comes back the same"
exits 2 "get does not replace" imgtool files get d.img 'C:\Users\hello.txt' hello
exits 2 "a folder that is not empty stays" imgtool files rm d.img 'C:\Neu'
exits 0 "rm -R" imgtool files rm -R d.img 'C:\Neu'
exits 2 "a name that Windows forbids" imgtool files mkdir d.img 'C:\aux.txt'
sound "rm"

# ---- undo
is "$(imgtool history d.img | wc -l | tr -d ' ')" 6 "history has every change"
exits 0 "a dry undo" imgtool undo -n d.img
is "$(imgtool history d.img | wc -l | tr -d ' ')" 6 "takes nothing back"
while imgtool undo d.img >/dev/null 2>err; do :; done
like "$(cat err)" "*nothing to undo" "undo ends when there is nothing"
is "$(sum_of d.img)" "$(cat before)" "and the disk is the first one, byte for byte"
[ ! -e d.img.undo ]; is $? 0 "without a trace"

imgtool files put d.img hello 'C:\hello'
exits 2 "dropping the logs asks" imgtool undo --drop d.img
exits 0 "and is done" imgtool undo --drop --yes d.img
exits 8 "then there is nothing to undo" imgtool undo d.img
done_testing
