#!/bin/sh
# delta.sh - how large and how quick a delta is, beside its peers
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Two NTFS volumes of Windows programs and of what the next release of each
# made of it, where every file lies elsewhere, as files do after an update; then
# the same with page files and free clusters full of what was there before.
# The programs come from npm, or from BENCH_PROGRAMS, a folder with old/ and new/.
set -eu
PATH=${BUILD:?}:$PATH
for tool in mkntfs ntfscp npm; do
	command -v $tool >/dev/null || { echo "delta: $tool is not installed"; exit 0; }
done
dir=$(mktemp -d "${TMPDIR:-/tmp}/halcyon-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"

# fetch FOLDER PACKAGE...: the one program of each package
fetch() {
	folder=$1; shift
	mkdir "$folder"
	for package in "$@"; do
		tarball=$(npm pack --silent "$package" </dev/null) || return 1
		tar -xzf "$tarball"
		find package \( -name '*.exe' -o -name '*.node' \) -exec mv {} "$folder/" \;
		rm -rf package "$tarball"
	done
}
if [ -n "${BENCH_PROGRAMS:-}" ]; then
	cp -r "$BENCH_PROGRAMS/old" "$BENCH_PROGRAMS/new" .
else
	w=win32-x64
	if ! fetch old @esbuild/$w@0.24.0 @swc/core-$w-msvc@1.7.26 @parcel/watcher-$w@2.4.0 \
		@rollup/rollup-$w-msvc@4.21.0 lightningcss-$w-msvc@1.26.0 ||
		! fetch new @esbuild/$w@0.24.1 @swc/core-$w-msvc@1.7.28 \
			@parcel/watcher-$w@2.4.1 @rollup/rollup-$w-msvc@4.21.1 \
			lightningcss-$w-msvc@1.27.0; then
		echo "delta: npm has no network"
		exit 0
	fi
fi

# volume NAME FOLDER SORT: an NTFS volume of the folder's files
mib=$(($(du -sm new | cut -f 1) + 160))
volume() {
	mkntfs -Q -q -F -p 0 "$1" >/dev/null 2>&1
	# shellcheck disable=SC2086 # SORT is options
	for f in $(printf '%s\n' "$2"/* | sort $3); do
		ntfscp -q "$1" "$f" "$(basename "$f")" 2>/dev/null
	done
}
for v in old new; do truncate -s ${mib}M $v.img; done
volume old.img old ''
head -c 5000000 /dev/zero | tr '\0' x >filler
ntfscp -q new.img filler filler 2>/dev/null || true
volume new.img new -r

# took NAME FILE COMMAND...: the size of what it made, how long, in what memory
took() {
	name=$1 made=$2; shift 2
	rm -rf "$made"
	/usr/bin/env time -o times -f '%e s %M KiB' "$@" >/dev/null 2>log ||
		{ printf '  %-36s failed: %s\n' "$name" "$(tail -n 1 log)"; return; }
	printf '  %-36s %11d bytes  %s\n' "$name" "$(du -sb "$made" | cut -f 1)" "$(cat times)"
}
have() { command -v "$1" >/dev/null || { echo "  $1 is not installed"; return 1; }; }

imgcrypt keygen --no-passphrase -o key >/dev/null
export RESTIC_PASSWORD=x BORG_PASSPHRASE=x BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
export XDG_CACHE_HOME="$dir/cache" BORG_BASE_DIR="$dir/cache"

# grown NAME STORE COMMAND...: what the second run adds to a store
grown() {
	name=$1 store=$2; shift 2
	was=$(du -sb "$store" | cut -f 1)
	/usr/bin/env time -o times -f '%e s %M KiB' "$@" >/dev/null 2>log ||
		{ printf '  %-36s failed: %s\n' "$name" "$(tail -n 1 log)"; return; }
	printf '  %-36s %11d bytes  %s\n' "$name" $(($(du -sb "$store" | cut -f 1) - was)) "$(cat times)"
}

# Tools that are told nothing about the files in the disk.
disks() {
	for effort in fast default max; do
		took "imgdelta --effort $effort" d.$effort imgdelta create old.img new.img \
			-R key.pub -o d.$effort --effort $effort
	done
	took "imgdelta apply" out.img imgdelta apply d.default -k key --base old.img -o out.img
	! have zstd || took "zstd -3 --patch-from, the disk" d.zstd \
		zstd -3 -q -f --long=31 --patch-from=old.img new.img -o d.zstd
	! have xdelta3 || took "xdelta3, the disk" d.vcdiff xdelta3 -e -f -s old.img new.img d.vcdiff
	! have qemu-img || took "qemu-img convert -B -c" d.qcow2 \
		qemu-img convert -O qcow2 -c -B old.img -F raw new.img d.qcow2
	cp old.img disk.img
	if have restic; then
		restic init -q -r restic
		restic backup -q -r restic disk.img
		cp new.img disk.img
		grown "restic" restic restic backup -q -r restic disk.img
		cp old.img disk.img
	fi
	if have borg; then
		borg init -e none borg 2>log
		borg create -C zstd,3 borg::a disk.img 2>log
		cp new.img disk.img
		grown "borg" borg borg create -C zstd,3 borg::b disk.img
	fi
	if have casync; then
		casync make --store=castr old.caibx old.img >/dev/null 2>&1
		grown "casync" castr casync make --store=castr new.caibx new.img
	fi
	rm -rf restic borg castr disk.img cache out.img
}

# Tools that are told the pairs of files.
pairs() {
	have "$1" || return 0
	: >pairs
	start=$(date +%s%N)
	for f in new/*; do
		case $1 in
		zstd) zstd "$2" -q -f --long=27 --patch-from="old/${f#new/}" "$f" -o patch ;;
		bsdiff) bsdiff "old/${f#new/}" "$f" patch ;;
		esac
		cat patch >>pairs
	done
	printf '  %-36s %11d bytes  %d ms\n' "$1 $2, pair by pair" "$(stat -c %s pairs)" \
		$((($(date +%s%N) - start) / 1000000))
}

echo "delta of $(du -sm new | cut -f 1) MiB of programs, each in its next release and moved"
disks
pairs zstd -3
pairs bsdiff ''

echo "the same, with other page files and other remains in the free clusters"
for v in old new; do
	openssl rand -out $v.img $((mib << 20)) 2>/dev/null ||
		head -c $((mib << 20)) /dev/urandom >$v.img
	head -c 50000000 /dev/urandom >page.$v
done
volume old.img old ''
ntfscp -q old.img page.old pagefile.sys 2>/dev/null
volume new.img new -r
ntfscp -q new.img page.new pagefile.sys 2>/dev/null
disks
