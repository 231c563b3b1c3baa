#!/bin/sh
# The crash harness itself, and the way every small file is written: io_put.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
. "$TOP/tests/crash/crash.sh"

cat >check.sh <<'END'
cat "$1/f" 2>/dev/null | {
	read -r word || exit 1
	case $word in old|new) echo "$word" ;; *) exit 1 ;; esac
}
END
cat >careful.py <<'END'
import os
d = os.open("d", os.O_RDONLY)
f = os.open("d/f.tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
os.write(f, b"new\n" + b"x" * 5000)
os.fsync(f)
os.rename("d/f.tmp", "d/f")
os.fsync(d)
END
sed '/fsync(f)/d' careful.py >careless.py
mkdir d && echo old >d/f
crashes "temp, fsync, rename survives every cut" d check.sh python3 careful.py

rm -rf d && mkdir d && echo old >d/f
found=$(crashes "careless" d check.sh python3 careless.py)
like "$found" "# *, [1-9]* bad*not ok*" "a rename without fsync is caught"
done_testing
