# tap.sh - sourced by tests/*/*.t.  Each test runs in an empty directory.
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2034
#
# BUILD is the directory of the programs; TOP the project's; both absolute.
# The programs of the build come first on PATH.
set -u
tap_n=0
TOP=$PWD
BUILD=${BUILD:-$TOP/build/release}
PATH=$BUILD:$PATH
export BUILD TOP PATH
unset IMGTOOL_REPO IMGTOOL_KEY
LC_ALL=C.UTF-8
export LC_ALL
tap_dir=$(mktemp -d "${TMPDIR:-/tmp}/halcyon.XXXXXX") || exit 1
trap 'rm -rf "$tap_dir"' EXIT
trap 'exit 130' INT TERM
cd "$tap_dir" || exit 1

tap() { tap_n=$((tap_n + 1)); echo "$1 $tap_n - $2"; }
# is GOT WANT NAME
is() {
	if [ "$1" = "$2" ]; then tap ok "$3"
	else
		tap "not ok" "$3"
		printf '%s\n' "got:  $1" "want: $2" | sed 's/^/# /'
	fi
}
# like GOT PATTERN NAME: a shell pattern
like() {
	# shellcheck disable=SC2254
	case $1 in
	$2) tap ok "$3" ;;
	*) tap "not ok" "$3"
	   printf '%s\n' "got:  $1" "like: $2" | sed 's/^/# /' ;;
	esac
}
# ok NAME COMMAND...: the command succeeds
ok() {
	name=$1; shift
	if "$@" >out 2>err </dev/null; then tap ok "$name"
	else
		tap "not ok" "$name"
		echo "# status $? of: $*"; tail -n 5 err | sed 's/^/# /'
	fi
}
# exits WANT NAME COMMAND...   leaves ./out and ./err
exits() {
	want=$1 name=$2; shift 2
	"$@" >out 2>err </dev/null
	got=$?
	is "$got" "$want" "$name"
	[ "$got" = "$want" ] || tail -n 5 err | sed 's/^/# /'
}
# says PATTERN NAME: the last command's one line on standard error
says() {
	is "$(wc -l <err | tr -d ' ')" 1 "$2: one line"
	like "$(cat err)" "$1" "$2"
}
# need PROGRAM...: skip the whole test where one is not installed
need() {
	for program; do
		command -v "$program" >/dev/null || skip_all "$program is not installed"
	done
}
# guest OUT KIND [OPTION...]: a copy of a fixture guest, which is made once
guest() {
	out=$1; shift
	store=$BUILD/fixtures
	name=$(echo "$*" | tr -c 'a-zA-Z0-9\n' '_').img
	mkdir -p "$store"
	(
		flock 9
		# One that an older mkguest made is made again.
		[ -n "$(find "$store/$name" -newer "$BUILD/mkguest" 2>/dev/null)" ] || {
			mkguest "$@" "$store/$name.part" >&2 &&
				mv "$store/$name.part" "$store/$name"
		}
	) 9>"$store/lock" && cp --sparse=always --reflink=auto "$store/$name" "$out"
}
# sum_of IMAGE: a hash of a disk image, quick where it is sparse
sum_of() { python3 "$TOP/tests/sum.py" "$1"; }
skip() { tap_n=$((tap_n + 1)); echo "ok $tap_n # SKIP $1"; }
skip_all() { echo "1..0 # SKIP $1"; exit 0; }
done_testing() { echo "1..$tap_n"; }
