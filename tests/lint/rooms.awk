# rooms.awk - print every include that points the wrong way
# SPDX-License-Identifier: GPL-3.0-or-later
# Input: rooms.txt, then all .c and .h files.
FILENAME == ARGV[1] {
	sub(/#.*/, "")
	if ($1 ~ /^</) for (i = 2; i <= NF; i++) { foreign[$1]; home[$1, $i] }
	else for (i = 2; i <= NF; i++) may[$1, $i]
	next
}
FNR == 1 {
	room = room_of(FILENAME)
	program = FILENAME ~ /(main|\/cmd_[a-z0-9_]*)\.[ch]$/ ? room "-program" : ""
}
/^#include "/ {
	split($2, quoted, "\"")
	inc = room_of(quoted[2])
	if (inc == room) next
	if (!((room, inc) in may) && !((program, inc) in may))
		complain(room " must not use " inc)
	else if (quoted[2] ~ /-private\.h$/)
		complain(quoted[2] " is private")
}
/^#include </ {
	for (f in foreign)
		if (index($2, f) == 1 && !((f, room) in home))
			complain($2 " does not belong in " room)
}
# "lib/store/pack.c" and "store/pack.h" are in store.
function room_of(path,   part, n) {
	sub(/^lib\//, "", path)
	n = split(path, part, "/")
	return path ~ /^runtime\/(block|net)\// ? part[1] "/" part[2] : part[1]
}
function complain(what) { print FILENAME ":" FNR ": " what; bad = 1 }
END { exit bad }
