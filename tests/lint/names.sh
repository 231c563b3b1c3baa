#!/bin/sh
# names.sh OBJDIR ROOM... - global symbols carry the prefix of their room
# SPDX-License-Identifier: GPL-3.0-or-later
set -u
objects=$1
shift
bad=0
for room; do
	case $room in
	lib/base) want='err_|cur_|mem_|io_|num_|buf_|cli_|stop_|log_|progress_|js_|yml_|utf_|pool_|sandbox_|proc_|hash_|ready_|accel_|clock_' ;;
	crypt) want='cx_' ;;
	lib/disk) want='dk_' ;;
	lib/volume) want='vo_' ;;
	lib/hive) want='hv_' ;;
	lib/windows) want='wn_' ;;
	lib/change) want='cs_' ;;
	lib/store) want='st_' ;;
	lib/source) want='src_' ;;
	delta) want='dl_' ;;
	hal-neutral) want='hn_' ;;
	profmig) want='pm_' ;;
	runtime) want='rt_' ;;
	*) echo "names.sh: no prefix for $room"; exit 1 ;;
	esac
	nm -g --defined-only "$objects/$room/${room##*/}.a" 2>/dev/null |
		awk -v room="$room" -v want="^($want)" '
		NF == 3 && $2 ~ /[TDBR]/ && $3 !~ want && $3 !~ /^__/ {
			print room ": " $3; bad = 1 }
		END { exit bad }' || bad=1
done
exit $bad
