#!/bin/sh
# What every command line owes its user, and the manual its command line.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh

# The verbs of a program, as its help lists them: "reg get", "init".
verbs() {
	"$1" --help | sed -n 's/^  \([a-z][a-z-]*\( [a-z][a-z-]*\)\{0,1\}\)\( .*\)\{0,1\}$/\1/p' | sort -u
}
pages() { ls "$TOP/man/$1.1" "$TOP/man/$1"-*.1 2>/dev/null; }

for prog in imgtool imgcrypt imgdelta hal-neutral profmig imgrun; do
	[ -x "$BUILD/$prog" ] || continue
	exits 0 "$prog --help succeeds" "$prog" --help
	is "$(wc -c <err | tr -d ' ')" 0 "$prog --help says nothing on standard error"
	is "$(awk 'length > 100' out)" "" "$prog --help keeps to 100 columns"
	exits 0 "$prog --version succeeds" "$prog" --version
	like "$(cat out)" "$prog [0-9]*.[0-9]*.[0-9]*" "$prog tells its version"
	exits 2 "$prog without a command is a usage error" "$prog"
	is "$(wc -c <out | tr -d ' ')" 0 "$prog: errors leave standard output empty"
	says "$prog: no command*--help" "$prog: the error says where help is"
	exits 2 "$prog: an unknown command is a usage error" "$prog" no-such-verb
	"$prog" --help >/dev/full 2>err
	is $? 1 "$prog notices a full disk"
	"$prog" --completions >completions
	ok "$prog: completions are valid shell" bash -n completions

	verbs "$prog" >listed
	: >options
	while read -r verb; do
		# shellcheck disable=SC2086 # "reg get" is two words
		"$prog" $verb -h >help 2>err </dev/null || echo "$verb: no help" >>options
		grep -Eo -- '--[a-z][a-z0-9-]*' help >>options
		# shellcheck disable=SC2086
		"$prog" $verb --no-such-option >/dev/null 2>err </dev/null
		[ $? = 2 ] || echo "$verb: takes an unknown option" >>options
	done <listed
	sort -u options >has
	pages "$prog" >found
	is "$([ -s found ] && echo yes)" yes "$prog has a manual page"
	# shellcheck disable=SC2046
	sed -n 's/^\.It Cm \([a-z].*\)/\1/p' $(cat found) |
		sed 's/ [^a-z].*//; s/ O[op]\( .*\)\{0,1\}$//; s/ A[r]\( .*\)\{0,1\}$//; s/ Fl .*//' | sort -u >page
	is "$(diff listed page)" "" "$prog: help and manual have the same commands"
	# shellcheck disable=SC2046
	grep -Eho 'Fl -[a-z][a-z0-9-]*' $(cat found) | sed 's/Fl /-/' | sort -u >page
	is "$(diff has page)" "" "$prog: help and manual have the same options"
done
done_testing
