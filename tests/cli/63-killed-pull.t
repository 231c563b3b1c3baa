#!/bin/sh
# 63-killed-pull.t - a pull killed 20 times ends with the right image
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The server ends the client, without a warning, after so many bytes; how many is
# a fixed series, so nothing here depends on time.  What had arrived must not be
# asked for again: the pieces in `incoming`, whole packs, index fragments.
. tests/tap.sh
. "$TOP/tests/mirror.sh"
need python3
origin 2
push stick win:1 >/dev/null
push stick win:2 >/dev/null
cat >kills.py <<'END'
import os, random, re, subprocess, sys
url, client, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
r = random.Random(20)
kills = again = whole_again = 0


def pieces():
    there = []
    for name in os.listdir(client + "/incoming") if os.path.isdir(client + "/incoming") else []:
        m = re.fullmatch(r"([0-9a-f]{64})\.(\d+)\.(\d+)", name)
        if m:
            at = int(m[2])
            there.append((m[1], at, at + os.path.getsize(client + "/incoming/" + name)))
    return there


def whole():
    there = set()
    for folder in ("packs", "incoming/index", "incoming"):
        path = client + "/" + folder
        for name in os.listdir(path) if os.path.isdir(path) else []:
            if name.endswith((".pack", ".index", ".delta")):
                there.add(name.split(".")[0])
    return there


def pull():
    if os.path.exists("client.pid"):
        os.unlink("client.pid")
    run = 'echo $$ >client.pid; exec imgdelta pull %s -r %s -k client --trust root --state %s.state' % (
        url, client, client)
    return subprocess.run(["sh", "-c", run], capture_output=True, text=True)


while True:
    have, complete = pieces(), whole()
    before = os.path.getsize("server.log") if os.path.exists("server.log") else 0
    if kills < 20:
        open("server.wrong", "w").write("kill packs/* %d\n" % r.randrange(2000, most))
    elif os.path.exists("server.wrong"):
        os.unlink("server.wrong")
    done = pull()
    log = open("server.log").read()[before:]
    for line in log.splitlines():
        status, path, first, count = line.split()
        name = path.split("/")[-1].split(".")[0]
        if int(count) == 0 or not path.startswith(("packs/", "deltas/", "index/")):
            continue
        if name in complete:
            whole_again += 1
            print("# again, though it is here:", line)
        for object_, low, high in have:
            if object_ == name and low <= int(first) < high:
                again += 1
                print("# again:", line, "though", low, high, "is here")
    if done.returncode == -9:
        kills += 1
        continue
    break
print("kills", kills)
print("again", again, whole_again)
print("status", done.returncode, done.stderr.strip())
END
serve stick
imgtool init c -q -R client.pub --client
python3 kills.py "$url" c 1200000 >said 2>&1
grep '^#' said
is "$(grep -v '^#' said)" "kills 20
again 0 0
status 0 " "killed 20 times, nothing that had arrived was asked for again"
holds c win:2 v2.img "the right image"
ok "the repository is whole" imgtool verify -r c -k client
is "$(ls c/incoming)" "index
lock" "nothing is left over"
done_testing
