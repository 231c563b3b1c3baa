#!/bin/sh
# What is removed gives its space back, and nothing else goes with it.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need qemu-img

imgcrypt keygen --no-passphrase -o admin >/dev/null
imgcrypt keygen --no-passphrase -o other >/dev/null
imgtool init repo -R admin.pub >/dev/null 2>&1
export IMGTOOL_REPO="$PWD/repo" IMGTOOL_KEY="$PWD/admin"
size() { find repo/packs -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'; }

# Versions of one disk, each with 4 MiB of its own and 4 MiB shared with all.
head -c 4194304 /dev/urandom >shared
for n in 1 2 3 4 5; do
	{ cat shared; head -c 4194304 /dev/urandom; } >disk$n.img
	imgtool import disk$n.img line >/dev/null 2>&1
done
imgtool import disk1.img same >/dev/null 2>&1
is "$(imgtool log --json line | jq '.versions | length')" 5 "five versions"

# ---- tag ----
ok "tag" imgtool tag line:2 golden
ok "export by tag" imgtool export line:golden out.raw
ok "is that version" cmp out.raw disk2.img
exits 2 "a tag is not a number" imgtool tag line:1 7
exits 8 "a version that is not there" imgtool tag line:9 gold
exits 8 "a tag that is not there" imgtool export --force line:silver out.raw
ok "the tag moves" imgtool tag line:3 golden
ok "log" imgtool log line
like "$(cat out)" "*line:3 (golden)*" "shows tags"

# ---- remove ----
exits 2 "remove asks" imgtool remove line:1
like "$(cat err)" "*--yes*" "and says how to answer in a script"
ok "--dry-run" imgtool remove -n --keep-last 2 --keep-tagged line
is "$(cat out)" "line:1
line:2" "tells what would go"
ok "nothing went" imgtool export --force line:1 out.raw
ok "remove" imgtool remove --yes --keep-last 2 --keep-tagged line
exits 8 "what was removed is gone" imgtool export --force line:1 out.raw
says "*line:1: was removed*" "and known to have been"
for n in 3 4 5; do ok "version $n stays" imgtool export --force line:$n out.raw; done
ok "a new version" imgtool import disk1.img line
is "$(cat out)" "line:6" "takes no old number"
ok "remove it" imgtool remove --yes line:6

# ---- gc ----
before=$(size)
ok "gc --dry-run" imgtool gc -n
is "$(size)" "$before" "changes nothing"
ok "gc" imgtool gc --json
is "$(jq '.postponed' out)" false "nobody was reading"
is "$(($(size) < before - 3000000))" 1 "gives space back"
ok "verify" imgtool verify
for n in 3 4 5; do
	imgtool export --force line:$n out.raw >/dev/null 2>&1
	ok "version $n is whole" cmp out.raw disk$n.img
done
imgtool export --force same:1 out.raw >/dev/null 2>&1
ok "and so is what another image shared with the first" cmp out.raw disk1.img
before=$(size)
ok "gc again" imgtool gc
is "$(size)" "$before" "finds nothing more"

# A key that opens nothing keeps everything whole.
ok "remove" imgtool remove --yes line:4
ok "gc with a stranger's key" env IMGTOOL_KEY="$PWD/other" imgtool gc
ok "verify" imgtool verify
imgtool export --force line:5 out.raw >/dev/null 2>&1
ok "the rest is whole" cmp out.raw disk5.img

# ---- bad days ----
list=$(find repo/versions -name "$(cat repo/refs/line/5).list")
mv "$list" saved
ok "remove" imgtool remove --yes line:3
before=$(size)
exits 4 "gc refuses where a list is missing" imgtool gc
says "*line:5*clear list is missing*" "and names the version"
is "$(size)" "$before" "and changes nothing"
mv saved "$list"
python3 - repo/lock <<-'END' >locked &
	import fcntl, os, struct, sys, time
	fd = os.open(sys.argv[1], os.O_RDWR)
	fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 1, 1, 0))
	print("locked", flush=True)
	time.sleep(20)
END
reader=$!
while [ ! -s locked ]; do sleep 0.05; done
ok "gc beside a reader" imgtool gc --json
is "$(jq '.postponed' out)" true "leaves the old packs for later"
ok "verify" imgtool verify
kill $reader
wait $reader 2>/dev/null
ok "gc later" imgtool gc
is "$(($(size) < before))" 1 "removes them"
ok "verify" imgtool verify
rm repo/index/*
ok "without an index, the next writer makes one" imgtool import disk5.img line
ok "verify" imgtool verify
n=0
while [ $n -lt 6 ]; do
	imgtool import disk$((n % 5 + 1)).img kill >/dev/null 2>&1
	imgtool remove --yes kill >/dev/null 2>&1
	imgtool gc >/dev/null 2>&1 &
	sleep 0.0$n
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	imgtool verify >out 2>err || { cat out err; echo "killed at 0.0$n"; }
	n=$((n + 1))
done >broken
is "$(cat broken)" "" "a gc that is killed harms nothing"
ok "gc after that" imgtool gc
imgtool export --force line:5 out.raw >/dev/null 2>&1
ok "and the image is whole" cmp out.raw disk5.img
done_testing
