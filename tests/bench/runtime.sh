#!/bin/sh
# runtime.sh - what imgrun costs beside QEMU alone
# SPDX-License-Identifier: GPL-3.0-or-later
#
# From the command to the guest's first byte, beside bare QEMU with the same devices
# (budget: 0.3 s more); then, while the guest does nothing, the processor time and the
# memory of our processes (budgets: 2% of a core, 64 MB).
set -eu
PATH=${BUILD:?}:$PATH
dir=$(mktemp -d "${TMPDIR:-/tmp}/halcyon-bench.XXXXXX")
top=$PWD
trap 'imgrun stop --force -q --state "$dir/state" g 2>/dev/null || :; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"
imgcrypt keygen -q -o device.key --no-passphrase >/dev/null
imgtool init repo -R device.key.pub >/dev/null 2>&1
python3 "$top/tests/bootsector.py" hang disk.img
imgtool import -q disk.img g -r repo -k device.key >/dev/null 2>&1
printf '%s\n' 'name: g' 'os: win7' 'image: g' 'repository: repo' 'key: device.key' \
	'network: nat' >g.yaml
imgrun create -q --state state g.yaml --unprotected-key
imgrun probe >/dev/null
cat >bench.py <<'END'
import json, os, re, statistics, subprocess, sys, time

LOG = 'state/guests/g/debug.log'
TICK = os.sysconf('SC_CLK_TCK')

def imgrun(*words):
    return subprocess.run(['imgrun', words[0], '--state', 'state', '-q', *words[1:], 'g'],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False).stdout

def first_byte(path, start):
    while not os.path.exists(path) or os.path.getsize(path) == 0:
        time.sleep(0.002)
    return time.monotonic() - start

def ours():
    if os.path.exists(LOG):
        os.unlink(LOG)
    start = time.monotonic()
    imgrun('start')
    return first_byte(LOG, start)

def live():
    return json.loads(imgrun('status', '--json'))['guests'][0]

# The same machine: only what comes by descriptor is a file or nothing here.
def bare(words):
    out = []
    skip = False
    for w in words:
        if skip or w == '-S':
            skip = False
            continue
        if w == '-add-fd':
            skip = True
            continue
        w = re.sub(r'^file,id=debug,path=[^,]*', 'file,id=debug,path=bare.log', w)
        w = re.sub(r'^file,id=serial,path=[^,]*,append=on', 'null,id=serial', w)
        w = re.sub(r'^socket,id=qmp,fd=\d+', 'null,id=qmp', w)
        w = re.sub(r'^driver=nbd,node-name=(\w+),.*', r'driver=file,node-name=\1,filename=disk.img', w)
        w = re.sub(r'^dgram,id=net.*', 'user,id=net', w)
        out.append(w)
    if os.path.exists('bare.log'):
        os.unlink('bare.log')
    start = time.monotonic()
    p = subprocess.Popen(out, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = first_byte('bare.log', start)
    p.kill()
    p.wait()
    return took

def spent(pids):
    total = 0
    for pid in pids:
        with open(f'/proc/{pid}/stat') as f:
            total += sum(map(int, f.read().rsplit(')', 1)[1].split()[11:13]))
    return total / TICK

def memory(pid):
    with open(f'/proc/{pid}/smaps_rollup') as f:
        return int(re.search(r'^Pss:\s+(\d+)', f.read(), re.M).group(1)) / 1024

a, b = [], []
for n in range(6):
    took = ours()
    g = live()
    with open(f"/proc/{g['processes']['qemu']}/cmdline") as f:
        words = f.read().rstrip('\0').split('\0')
    imgrun('stop', '--force')
    other = bare(words)
    if n > 0:               # the first warms up
        a.append(took)
        b.append(other)
print(f'first byte: imgrun {statistics.median(a):.3f} s, bare QEMU '
      f'{statistics.median(b):.3f} s, {statistics.median(a) - statistics.median(b):+.3f} s')
ours()
pids = {k: v for k, v in live()['processes'].items() if k != 'qemu'}
time.sleep(2)
before = spent(pids.values())
time.sleep(10)
print(f'idle: {(spent(pids.values()) - before) * 10:.2f}% of a core in '
      f'{len(pids)} processes beside QEMU')
sizes = {k: memory(v) for k, v in pids.items()}
print('memory: ' + ', '.join(f'{k} {v:.1f}' for k, v in sizes.items()) +
      f' MB; together {sum(sizes.values()):.1f} MB')
imgrun('stop', '--force')
END
python3 bench.py
