# crash.sh - sourced by tests/crash/*.t after tap.sh: record a change, try its cuts
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh

# crashes NAME DIR CHECK COMMAND...: COMMAND changes the folder DIR; after a cut at
# any instant CHECK (a script, run with DIR as its argument) must succeed and print
# "old" or "new" as its last line, and both must occur.  CRASH_MAX limits the states.
crashes() {
	name=$1 dir=$2 check=$3; shift 3
	need python3
	rm -rf "$dir.before" crash.log
	cp -a "$dir" "$dir.before"
	CRASH_DIR=$(cd "$dir" && pwd -P) CRASH_LOG=$PWD/crash.log \
		LD_PRELOAD=$BUILD/crash-record.so "$@" >out 2>err </dev/null || {
		tap "not ok" "$name: the command itself"
		sed 's/^/# /' err
		return
	}
	python3 "$TOP/tests/crash/crash.py" crash.log "$dir.before" \
		"$(cd "$dir" && pwd -P)" sh "$check" "$dir" >states 2>&1
	status=$?
	grep '^#' states
	if [ $status = 0 ]; then tap ok "$name"
	else tap "not ok" "$name"; grep -v '^#' states | sed 's/^/# /'; fi
}
