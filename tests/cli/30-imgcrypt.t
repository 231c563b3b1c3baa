#!/bin/sh
# 30-imgcrypt.t - keys, sealing and signatures as a user types them
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh

# alone COMMAND...: without a terminal
alone() { setsid -w "$@"; }

# keys
ok "keygen without a passphrase" imgcrypt keygen -o a --no-passphrase
is "$(cat out)" "$(cat a.pub)" "keygen prints the public line"
is "$(stat -c %a a)" 600 "the private key is the owner's only"
is "$(wc -l <a.pub | tr -d ' ')" 1 "the public key is one line"
is "$(imgcrypt public a)" "$(cat a.pub)" "public prints it"
cp a a.was
exits 2 "keygen keeps a key that exists" imgcrypt keygen -o a --no-passphrase
says '*a: exists; add --force*' "keygen names the key and the way"
is "$(cat a)" "$(cat a.was)" "the key is untouched"
exits 2 "keygen needs a passphrase" alone imgcrypt keygen -o z
says '*--passphrase-fd*--no-passphrase*' "keygen names the ways"
is "$(ls z* 2>/dev/null)" "" "no key was made"
ok "a second key" imgcrypt keygen -o b --no-passphrase
ok "a protected key" sh -c 'echo word | imgcrypt keygen -o p --passphrase-fd 0'
is "$(sed -n 's/^protection \([a-z0-9]*\).*/\1/p' p)" argon2id "it is protected"

# sealing
seq 30000 >plain
printf x >tiny
: >empty
mkdir people && cp b.pub p.pub people
{ echo "# staff"; cat a.pub; } >list
ok "seal to a list and a directory" \
	imgcrypt seal -R list -R people -o sealed plain
for k in a b; do
	ok "open with $k" imgcrypt open -k $k -o "plain.$k" sealed
	ok "$k read the same" cmp plain "plain.$k"
done
is "$(stat -c %a plain.a)" 600 "what was sealed opens for the owner only"
ok "open with a passphrase" \
	sh -c 'echo word | imgcrypt open -k p --passphrase-fd 0 -o plain.p sealed'
ok "and it is the same" cmp plain plain.p
exits 5 "a wrong passphrase" \
	sh -c 'echo Word | imgcrypt open -k p --passphrase-fd 0 -o no sealed'
exits 2 "no passphrase and no terminal" \
	alone imgcrypt open -k p -o no sealed
says '*p: needs a passphrase*--passphrase-fd*' "it says how"
for f in tiny empty; do
	ok "seal $f" imgcrypt seal --anonymous -R list -o $f.sealed $f
	ok "open $f" imgcrypt open -k a -o $f.opened $f.sealed
	ok "$f is the same" cmp $f $f.opened
done
exits 5 "another's file" imgcrypt open -k b -o no tiny.sealed
says '*tiny.sealed: is not sealed to this key*' "another's file"
exits 4 "no sealed file" imgcrypt open -k a -o no plain
says '*plain: is no sealed file*' "no sealed file"
exits 4 "sealing to a private key" imgcrypt seal -R a -o no plain
says '*private key*a.pub*' "sealing to a private key"
exits 2 "sealing to nobody" imgcrypt seal -o no plain
exits 2 "an output that exists" imgcrypt open -k a -o plain.a sealed
ok "an output that exists, forced" imgcrypt open -k a --force -o plain.a sealed
exits 1 "a file that is not there" imgcrypt seal -R list -o no nothing
exits 1 "a full disk" imgcrypt open -k a -o /dev/full/x sealed
printf '\001\000' | dd of=newer.sealed conv=notrunc bs=1 seek=9 2>/dev/null
cp tiny.sealed newer.sealed
printf '\002' | dd of=newer.sealed conv=notrunc bs=1 seek=8 2>/dev/null
exits 3 "a newer sealed file" imgcrypt open -k a -o no newer.sealed
is "$(ls no 2>/dev/null)" "" "no refusal left an output"

# recipients
cp sealed changing
ok "recipients list" imgcrypt recipients list changing -R people
is "$(wc -l <out | tr -d ' ')" 3 "it lists three"
like "$(cat out)" "* b*" "those of -R by name"
ok "recipients remove" imgcrypt recipients remove changing -R b.pub
exits 5 "b opens it no more" imgcrypt open -k b -o no changing
ok "a still does" imgcrypt open -k a --force -o plain.a changing
ok "and reads the same" cmp plain plain.a
exits 8 "b is not there twice" imgcrypt recipients remove changing -R b.pub
exits 5 "who cannot open it cannot add" imgcrypt recipients add changing -k b -R b.pub
ok "recipients add" imgcrypt recipients add changing -k a -R b.pub -R a.pub
ok "b opens it again" imgcrypt open -k b --force -o plain.b changing
ok "and reads the same" cmp plain plain.b
is "$(imgcrypt recipients list changing | wc -l | tr -d ' ')" 3 "nobody is there twice"
exits 6 "somebody must be left" imgcrypt recipients remove changing -R people -R a.pub
ok "recipients list --json" imgcrypt recipients list changing --json
like "$(imgcrypt recipients list tiny.sealed)" anonymous "an anonymous one is not named"
exits 4 "no sealed file" imgcrypt recipients list plain

# every byte, and every length
imgcrypt seal -R a.pub -o small tiny
size=$(stat -c %s small)
bad=0
i=0
while [ "$i" -lt "$size" ]; do
	cp small changed
	byte=$(od -An -tu1 -j "$i" -N 1 small | tr -d ' ')
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((byte ^ 4)))" |
		dd of=changed bs=1 seek="$i" conv=notrunc 2>/dev/null
	imgcrypt open -k a -o no changed 2>/dev/null
	case $? in 3|4|5) ;; *) bad=$((bad + 1)); echo "# byte $i passed" ;; esac
	head -c "$i" small >changed
	imgcrypt open -k a -o no changed 2>/dev/null
	case $? in 4|5) ;; *) bad=$((bad + 1)); echo "# length $i passed" ;; esac
	i=$((i + 1))
done
is "$bad" 0 "each changed byte and each shorter length of $size is refused"
cp small changed
echo >>changed
exits 5 "a byte too many" imgcrypt open -k a -o no changed
head -c $((256 + 65552)) sealed >changed
exits 5 "cut off between two segments" imgcrypt open -k a -o no changed
is "$(ls no 2>/dev/null)" "" "nothing came out"

# killed half way
truncate -s 400M big
imgcrypt seal -R a.pub -o big.sealed big & pid=$!
sleep 0.1
kill -9 $pid
wait $pid 2>/dev/null
is "$(ls big.sealed 2>/dev/null)" "" "killed half way, there is no output"
imgcrypt seal -R a.pub -o big.sealed big & pid=$!
sleep 0.1
kill -TERM $pid
wait $pid
is "$?" 130 "stopped half way, the status says so"
is "$(find . -name "big.sealed")" "" "and there is no output"

# signatures
ok "sign" imgcrypt sign -k a plain
ok "verify" imgcrypt verify --by a.pub plain
like "$(cat out)" "plain: signed by a *" "verify names the signer"
ok "verify with a list of signers" imgcrypt verify --by people --by list plain
exits 5 "verify by another" imgcrypt verify --by b.pub plain
exits 5 "verify by nobody" env HOME="$PWD" XDG_CONFIG_HOME= imgcrypt verify plain
mkdir -p .config/halcyon && cp a.pub .config/halcyon/trust.pub
ok "verify by the trust list" env HOME="$PWD" XDG_CONFIG_HOME= imgcrypt verify plain
exits 5 "an unsigned file" imgcrypt verify --by a.pub tiny
exits 2 "a signature that exists" imgcrypt sign -k a plain
ok "verify --json" imgcrypt verify --json --by a.pub plain
like "$(cat out)" '*"imgcrypt verify"*"name"*"a"*' "verify --json names the signer"
cp plain.sig sig
size=$(stat -c %s sig)
bad=0
i=0
while [ "$i" -lt "$size" ]; do
	byte=$(od -An -tu1 -j "$i" -N 1 sig | tr -d ' ')
	cp sig plain.sig
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((byte ^ 2)))" |
		dd of=plain.sig bs=1 seek="$i" conv=notrunc 2>/dev/null
	imgcrypt verify --by a.pub plain >/dev/null 2>&1
	case $? in 3|4|5) ;; *) bad=$((bad + 1)); echo "# byte $i passed" ;; esac
	i=$((i + 1))
done
is "$bad" 0 "each changed byte of a signature is refused"
cp sig plain.sig
echo >>plain
exits 5 "a changed file" imgcrypt verify --by a.pub plain

# passphrases
ok "protect an open key" sh -c 'echo one | imgcrypt protect --passphrase-fd 0 a'
is "$(imgcrypt public a)" "$(cat a.pub)" "its public half is the same"
exits 5 "protect wants the old passphrase" \
	sh -c 'printf "two\nthree\n" | imgcrypt protect --passphrase-fd 0 a'
ok "change a passphrase" \
	sh -c 'printf "one\ntwo\n" | imgcrypt protect --passphrase-fd 0 a'
ok "remove it" \
	sh -c 'echo two | imgcrypt protect --no-passphrase --passphrase-fd 0 a'
is "$(cat a)" "$(cat a.was)" "the key is what it was"
done_testing
