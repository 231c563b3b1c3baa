#!/bin/sh
# demo.sh - the main job, end to end, on fixture guests
# SPDX-License-Identifier: GPL-3.0-or-later
#
# From two PCs' disks to a running client: builds the guests, makes the Windows 7
# image hardware-neutral and proves it, stores it encrypted, ships two versions as
# sealed deltas, moves both users from XP, and boots the result from the client's
# encrypted repository until the guest's own boot sector has said so.  The files
# stay in build/demo/ to look at.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
BUILD=${BUILD:-$top/build/release}
PATH=$BUILD:$PATH
demo=$top/build/demo
rm -rf "$demo"
mkdir -p "$demo"
cd "$demo"
unset IMGTOOL_REPO IMGTOOL_KEY
LC_ALL=C.UTF-8
export PATH LC_ALL

now() { date +%s.%N; }
size() { du -k --apparent-size "$1" | cut -f1; }
used() { du -sk "$1" | cut -f1; }
table=$demo/table
bold='' plain=''
if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
begun=$(now)

# step WHAT COMMAND...: run it, show it, time it; its output goes to the log
step() {
	what=$1
	shift
	printf '\n%s%s%s\n$ %s\n' "$bold" "$what" "$plain" "$*"
	from=$(now)
	status=0
	"$@" >step.out 2>step.err || status=$?
	if [ $status != 0 ]; then
		cat step.out step.err
		echo "demo: failed with status $status: $*" >&2
		exit 1
	fi
	sed -n 1,14p step.out
	[ "$(wc -l <step.out)" -le 14 ] || echo "  ..."
	to=$(now)
	printf '%s\t%s\t%s\n' "$what" "$(awk "BEGIN { printf \"%.1f\", $to - $from }")" "${note:-}" >>"$table"
	note=
}

# 1. Two PCs.
step "An old PC: Windows XP" mkguest xp xp.img
step "A new image: Windows 7" mkguest win7 win7.img
step "What is on the old one" imgtool inspect xp.img
step "What is on the new one" imgtool inspect win7.img

# 2. One image for any machine, and the proof.
platforms="--platform qemu-i440fx-ide --platform q35-ahci"
# shellcheck disable=SC2086 # words on purpose
{
	step "What must change for IDE and AHCI" hal-neutral plan win7.img $platforms -o neutral.yaml
	step "Change it" hal-neutral apply win7.img neutral.yaml
	step "Prove it" hal-neutral verify win7.img $platforms
}

# 3. Keys, an encrypted repository, the first version.
step "The administrator's key" imgcrypt keygen -o admin.key --no-passphrase
step "The client's key" imgcrypt keygen -o client.key --no-passphrase
step "A repository" imgtool init store -R admin.key.pub
note="$(used win7.img) kB used on the disk"
step "Version 1 into it" imgtool import win7.img win7-corp -r store -k admin.key
step "The repository" imgtool images -r store -k admin.key
note="repository: $(used store) kB"
step "Every bit of it is authentic" imgtool verify -r store -k admin.key

# 4. Both people move from XP to 7.
step "Who is on the old PC" profmig users xp.img
step "Their profiles, sealed" profmig extract xp.img --user alice --user bob \
	-o people.bundle -R admin.key.pub --sign admin.key
note="bundle: $(size people.bundle) kB"
step "What is in them" profmig show people.bundle -k admin.key --by admin.key.pub
cp --sparse=always win7.img win7-people.img
# moves USER [OPTION...]: alice's account is made, bob's is his domain's
moves() {
	user=$1
	shift
	step "What would happen to $user" profmig plan people.bundle win7-people.img \
		-k admin.key --by admin.key.pub --user "$user" "$@" -o "$user.yaml"
	step "$user moves in" profmig apply people.bundle win7-people.img \
		-k admin.key --by admin.key.pub "$user.yaml"
	step "$user has arrived" profmig verify people.bundle win7-people.img \
		-k admin.key --by admin.key.pub --user "$user" "$@"
}
moves alice --as alice
moves bob

# 5. The second version travels as a delta that only this client can open.
step "Version 2 into the repository" imgtool import win7-people.img win7-corp \
	--parent win7-corp:1 -r store -k admin.key
step "A client's repository" imgtool init client --client -R client.key.pub
step "The first delivery" imgdelta create /dev/null win7-corp:1 -r store -k admin.key \
	-o first.delta -R client.key.pub --sign admin.key
step "The update" imgdelta create win7-corp:1 win7-corp:2 -r store -k admin.key \
	-o update.delta -R client.key.pub --sign admin.key
note="first: $(size first.delta) kB, update: $(size update.delta) kB"
step "What it holds" imgdelta show update.delta -k client.key
step "Nobody touched it" imgdelta verify update.delta --by admin.key.pub
step "The client applies the first" imgdelta apply first.delta -r client -k client.key \
	--by admin.key.pub
step "and the update" imgdelta apply update.delta -r client -k client.key --by admin.key.pub
note="client's repository: $(used client) kB"
step "What the client has" imgtool images -r client -k client.key
if grep -rqa -e 'alice' -e 'Documents' client; then
	echo "demo: the client's repository shows text of the guest's files" >&2
	exit 1
fi

# 6. It runs.
cat >guest.yaml <<END
name: office
os: win7
image: win7-corp:2
repository: $demo/client
key: $demo/client.key
END
step "This machine" imgrun probe
step "A guest from the client's repository" imgrun create guest.yaml --state "$demo/state" \
	--unprotected-key
step "Start it" imgrun start office --state "$demo/state"
marker=
tries=0
while [ $tries -lt 120 ]; do
	marker=$(imgrun console office --state "$demo/state" 2>/dev/null | grep -a 'BOOT OK' | head -n 1 || :)
	[ -z "$marker" ] || break
	sleep 0.5
	tries=$((tries + 1))
done
step "Its state" imgrun status office --state "$demo/state"
step "Stop it" imgrun stop office --state "$demo/state"
[ -n "$marker" ] || { echo "demo: the guest never said that it booted" >&2; exit 1; }
printf '\nThe guest said, through its BIOS and its debug port:\n    %s\n' "$marker"

# What happened.
printf '\n%-44s %8s  %s\n' "step" "seconds" "size"
awk -F '\t' '{ printf "%-44s %8s  %s\n", $1, $2, $3 }' "$table"
printf '%-44s %8s\n' "all" "$(awk "BEGIN { printf \"%.1f\", $(now) - $begun }")"
printf '\nThe files are in %s\n' "build/demo/"
