#!/bin/sh
# Every real shell link parses, and what is rewritten is read by liblnk.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
data=$TOP/../shared/realdata/lnk
[ -d "$data" ] || skip_all "no real shell links beside the project"
need lnkinfo
find "$data" -name '*.lnk' | sort >list
mkdir out.d
ok "all of them parse" env LNK_IN="$PWD/list" LNK_OUT="$PWD/out.d" \
	"$BUILD/tests/test_profmig_lnk"
grep -a -- '^# .* -> ' out >parsed
is "$(wc -l <parsed)" "$(wc -l <list)" "none was left out"

n=0 bad=0 wrong=0
while read -r line; do
	n=$((n + 1))
	lnkinfo "out.d/$n.lnk" >info 2>/dev/null || { bad=$((bad + 1)); continue; }
	want=${line##* -> }
	case $want in
	C:*) grep -aqF 'C:\Moved\' info || { wrong=$((wrong + 1)); echo "# $line"; } ;;
	esac
	! grep -aq 'Distributed link tracker' info || wrong=$((wrong + 1))
done <parsed
is "$bad" 0 "liblnk reads every link that was rewritten"
is "$wrong" 0 "and finds the new target, and no tracker"
done_testing
