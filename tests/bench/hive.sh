#!/bin/sh
# hive.sh - hives: load, edit, prove and write, beside the peers
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Ours loads the hive with all its checks, edits it, writes it, parses what it wrote,
# compares it with the tree and has libhivex walk it; the peers edit in place and
# check nothing.
set -eu
TOP=$PWD
PATH=${BUILD:-$TOP/build/release}:$PATH
dir=$(mktemp -d "${TMPDIR:-/tmp}/halcyon-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
measure() { python3 "$TOP/tests/measure.py" "$@"; }
python3 "$TOP/tests/regfwrite.py" large small 16
python3 "$TOP/tests/regfwrite.py" large big 100

# 100 values in 100 keys, for ours and hivexregedit, and as a script for reged.
python3 - <<'PY'
with open('edit.reg', 'w') as f:
    f.write('Windows Registry Editor Version 5.00\n\n')
    for i in range(100):
        f.write('[HKEY_LOCAL_MACHINE\\SYSTEM\\group-%05d\\key-%06d]\n"Start"=dword:00000003\n\n' % (i, 100 * i))
with open('many.reg', 'w') as f:
    f.write('Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\many]\n\n')
    for i in range(100000):
        f.write('[HKEY_LOCAL_MACHINE\\SYSTEM\\many\\%05x]\n\n' % (i * 40503 % 100003))
PY
prefix='HKEY_LOCAL_MACHINE\SYSTEM'
for f in small big; do
	bytes=$(wc -c <$f)
	echo "hive of $((bytes >> 20)) MiB: 100 values edited"
	measure --bytes "$bytes" --before "cp $f H" \
		"imgtool reg import" "imgtool reg import --prefix '$prefix' H edit.reg" \
		"hivexregedit --merge" "hivexregedit --merge --prefix '$prefix' H edit.reg" \
		"reged -I" "sh -c 'printf \"y\n\" | reged -I -C H \"$prefix\" edit.reg; test \$? -le 2'"
	echo "hive of $((bytes >> 20)) MiB: read"
	measure --bytes "$bytes" --before "cp $f H" \
		"imgtool reg check" "imgtool reg check H" \
		"hivexml (libhivex)" "hivexml H" \
		"regfexport (libregf)" "regfexport H"
done
echo "100,000 keys under one parent"
measure --runs 1 --before "cp small H" \
	"imgtool reg import" "imgtool reg import --prefix '$prefix' H many.reg"
