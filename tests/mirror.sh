# mirror.sh - sourced by tests/cli/6?-*.t after tap.sh: an origin, a mirror, clients
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154

# serve DIR [CERT KEY [CA]]: a server of tests/server.py; $url is its address.
serve() {
	unserve
	rm -f server.port
	python3 "$TOP/tests/server.py" "$@" 2>server.err &
	server=$!
	while [ ! -e server.port ] && kill -0 $server 2>/dev/null; do sleep 0.02; done
	if [ $# -gt 1 ]; then url=https://localhost:$(cat server.port)
	else url=http://127.0.0.1:$(cat server.port); fi
}
unserve() {
	[ -z "${server:-}" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
	server=
}
trap 'unserve; rm -rf "$tap_dir"' EXIT

# wrong LINE...: how the server is to misbehave from now on
wrong() { printf '%s\n' "$@" >server.wrong; }
right() { rm -f server.wrong; }

# disks N: v1.img, and v2.img ... vN.img, each changed here and there; 24 MiB
disks() {
	python3 - "$1" <<'END'
import random, sys
r = random.Random(11)
d = bytearray(24 << 20)
d[1 << 20:19 << 20] = r.randbytes(18 << 20)
for n in range(int(sys.argv[1])):
    open('v%d.img' % (n + 1), 'wb').write(d)
    for _ in range(30):
        at = r.randrange(1 << 20, 18 << 20)
        d[at:at + 2000] = r.randbytes(2000)
END
}

# origin N: keys, a repository `origin` with win:1 ... win:N, a root file
origin() {
	for who in admin client other boss; do
		imgcrypt keygen -o $who --no-passphrase >/dev/null
	done
	disks "$1"
	imgtool init origin -q -R admin.pub 2>/dev/null
	imgtool import -q -r origin -k admin --exact v1.img win >/dev/null
	n=2
	while [ $n -le "$1" ]; do
		imgtool import -q -r origin -k admin --exact v$n.img win --parent win:$((n - 1)) >/dev/null
		n=$((n + 1))
	done
	imgcrypt recipients add win -r origin -k admin -R client.pub
	root root
}

# root FILE [OPTION...]: a root file that gives admin everything but root
root() {
	file=$1; shift
	imgdelta trust init "$file" -r origin -k boss --holder root=boss.pub \
		--holder release=admin.pub --holder snapshot=admin.pub \
		--holder timestamp=admin.pub "$@" >/dev/null
}

# push URL NAME...; pull URL CLIENT [ARGUMENT...]: with the usual options
push() { imgdelta push -r origin -k admin --trust root --state admin.state "$@"; }
pull() {
	from=$1 to=$2; shift 2
	[ -e "$to" ] || imgtool init "$to" -q -R client.pub --client
	imgdelta pull "$from" -r "$to" -k client --trust root --state "$to.state" "$@"
}

# holds CLIENT VERSION IMAGE NAME: the client exports that version as that image
holds() {
	rm -f got.img
	imgtool export -q "$2" got.img -r "$1" -k client 2>export.err
	ok "$4" cmp got.img "$3"
	rm -f got.img
}
