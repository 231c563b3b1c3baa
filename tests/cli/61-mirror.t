#!/bin/sh
# 61-mirror.t - push to a mirror, pull from it, and who may
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
. "$TOP/tests/mirror.sh"
need python3 openssl
origin 3

# ---- a directory, which may be a stick
exits 8 "nothing was pushed yet" pull stick a
ok "push" push stick win:1
is "$(cat out)" "win:1" "it says what"
exits 5 "nobody is trusted without a root" imgdelta pull stick -r a -k client --state none
says '*--trust ROOT*' "nobody is trusted without a root"
ok "pull" pull stick a
is "$(cat out)" "win:1" "it says what"
holds a win:1 v1.img "the client has it"
ok "push the next ones" push stick win:2 win
like "$(cat out)" "win:2, and a delta to it*win:3, and a delta to it" "deltas come about"
ok "push again" push stick win
is "$(cat out)" "win:3 is there already" "nothing is done twice"
cp -r a before
ok "pull goes by deltas" pull stick a
is "$(cat out)" "win:2
win:3" "one after the other"
holds a win:3 v3.img "the client has the newest"
ok "pull once more" pull stick a win
is "$(cat out)" "win:3 is there already" "nothing is done twice"
is "$(ls a/incoming)" "index
lock" "nothing is left over"
exits 8 "no such version" pull stick a win:9
exits 8 "no such image" pull stick a mac
exits 2 "no such word" pull stick a win:x

# ---- what a mirror is
ok "a mirror verifies without keys" imgtool verify --keyless -r stick
like "$(cat out)" "*3 versions: 0 faults" "all of it"
for f in stick/deltas/*; do ok "so does each delta" imgdelta verify "$f" --by admin.pub; done
ok "so do its signatures, and all they lead to" imgdelta verify stick --trust root
like "$(cat out)" "stick: whole: release *, 3 versions, * packs, 2 deltas" "all of it"
ok "by its own word" imgdelta verify stick
strings -n 8 stick/*/* >text
is "$(grep -c 'img\|v1\.' text)" 0 "no name of a disk stands in it"
exits 6 "nobody writes to it but push" imgtool tag win:3 x -r stick -k admin
exits 2 "an origin pulls nothing" imgdelta pull stick -r origin -k admin --state x --trust root
damaged=$(find stick/packs -type f -printf "%f\n" | head -1)
cp -r stick bad
printf x | dd of="bad/packs/$damaged" bs=1 seek=5000 conv=notrunc 2>/dev/null
exits 8 "a changed byte is found without keys" imgtool verify --keyless -r bad
exits 4 "by imgdelta, too" imgdelta verify bad
says '*is damaged*' "by imgdelta, too"

# ---- who may
imgtool init o -q -R other.pub --client
exits 5 "another key" imgdelta pull stick -r o -k other --trust root --state o.state
like "$(cat err)" "*nothing there is sealed to this key" "another key"
exits 5 "another key, by name" imgdelta pull stick win -r o -k other --state o.state
like "$(cat err)" "*is not sealed to this key*" "another key, by name"
ok "the line is given to it" imgcrypt recipients add win -r origin -k admin -R other.pub
ok "push brings that along" push stick win
ok "now it may" imgdelta pull stick -r o -k other --state o.state
exits 5 "who holds no role cannot push" \
	imgdelta push stick2 win -r origin -k boss --trust root --state x
imgtool init origin2 -q -R admin.pub 2>/dev/null
imgtool import -q -r origin2 -k admin --exact v1.img win >/dev/null
exits 6 "another origin cannot push there" \
	imgdelta push stick win -r origin2 -k admin --trust root --state admin.state
imgdelta trust init root2 -r origin2 -k boss --holder root=boss.pub --holder release=admin.pub \
	--holder snapshot=admin.pub --holder timestamp=admin.pub >/dev/null
imgcrypt recipients add win -r origin2 -k admin -R client.pub
ok "a second origin" imgdelta push stick2 win -r origin2 -k admin --trust root2 --state x2
exits 5 "an unknown signer" pull stick2 a
like "$(cat err)" "*root: is the root of another origin*" "an unknown signer"
exits 5 "a mirror of others" imgdelta verify stick2 --trust root
exits 6 "a client is of one origin" imgdelta pull stick2 -r a -k client --trust root2 --state a.state
says '*belongs to another origin*' "a client is of one origin"
ok "its keys are untouched" imgtool verify -r a -k client

# ---- seeds
ok "with a seed" pull stick seeded win:3 --seed ./v2.img --limit 1000M
holds seeded win:3 v3.img "the client has it"

# ---- HTTP, HTTPS, ssh: the same bytes
serve stick
ok "pull over HTTP" pull "$url" web
holds web win:3 v3.img "the client has it"
is "$(find stick web -name '*.pack' -printf '%f\n' | sort | uniq -d | wc -l)" 1 \
	"the pack that is needed as a whole stays what it is"
is "$(awk '$2 ~ /packs/ { print $2, $3 }' server.log | sort | uniq -d)" "" "nothing is fetched twice"
rm -f server.log
cp -r before c && cp -r a.state c.state
ok "a delta over HTTP" pull "$url" c
holds c win:3 v3.img "the client has it"
is "$(grep -c packs server.log)" 0 "nothing but deltas came"
exits 3 "an HTTP server only gives" push "$url" win
exits 8 "an empty prefix" pull "$url/nothing" web
openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.pem -days 30 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
serve stick tls.pem tls.key
exits 5 "a certificate that nobody vouches for" pull "$url" web --retries 0
says '*--ca FILE*' "a certificate that nobody vouches for"
ok "pull over HTTPS" pull "$url" tls --ca tls.pem
holds tls win:3 v3.img "the client has it"
openssl req -x509 -newkey rsa:2048 -nodes -keyout me.key -out me.pem -days 30 \
	-subj /CN=client 2>/dev/null
serve stick tls.pem tls.key me.pem
exits 1 "a server that wants a certificate" pull "$url" tls2 --ca tls.pem --retries 0
ok "with a certificate" pull "$url" tls2 --ca tls.pem --cert me.pem --cert-key me.key
unserve

sftp=$(find /usr/lib/openssh /usr/libexec/openssh -name sftp-server 2>/dev/null | head -1)
if [ -n "$sftp" ]; then
	mkdir bin
	printf '#!/bin/sh\necho "$@" >>%s/ssh.args\nexec %s\n' "$PWD" "$sftp" >bin/ssh
	chmod +x bin/ssh
	PATH=$PWD/bin:$PATH
	far() { imgdelta push -r origin -k admin --trust root --state far.state "$@"; }
	ok "push over ssh" far "ssh://me@host:2222$PWD/far" win:1
	is "$(cat ssh.args)" "-p 2222 -s -- me@host sftp" "ssh is asked for sftp"
	ok "push more" far "ssh://host$PWD/far/" win:2
	ok "pull over ssh" pull "ssh://host$PWD/far" ssh
	holds ssh win:2 v2.img "the client has it"
	ok "it verifies without keys" imgtool verify --keyless -r far
	is "$(find far -name '*.tmp.*')" "" "nothing is left over"
	exits 5 "a mirror that is behind what the origin pushed is not pushed to" \
		push "ssh://host$PWD/far" win:3
	cp -r stick copy
	ok "a mirror is a copy" push copy win:3
	exits 2 "no address" pull ssh://host ssh
else
	skip "no sftp server"
fi
exits 2 "no such scheme" pull ftp://host/x a
done_testing
