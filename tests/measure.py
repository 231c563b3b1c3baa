#!/usr/bin/env python3
"""measure.py - time one command beside others

SPDX-License-Identifier: GPL-3.0-or-later

measure.py [--runs N] [--bytes N] [--before CMD] LABEL CMD [LABEL CMD]...

Each CMD is a shell line. They are run in turn, A B A B, after one run of each that
does not count; --before is run, unmeasured, before every run. Prints for each the
median and the spread of wall seconds, peak memory, MB/s where --bytes is given, and
the ratio to the first. A command whose program is missing is skipped with a reason.
"""
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time


def run(cmd):
    begin = time.monotonic()
    p = subprocess.Popen(["sh", "-c", "exec " + cmd], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    words = p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    took = time.monotonic() - begin
    if status != 0:
        raise RuntimeError(words.decode(errors="replace").strip()[-200:] or str(status))
    return took, usage.ru_maxrss / 1024


def main():
    args, runs, size, before = sys.argv[1:], 3, 0, None
    while args and args[0].startswith("--"):
        option, value, args = args[0], args[1], args[2:]
        if option == "--runs":
            runs = int(value)
        elif option == "--bytes":
            size = int(value)
        else:
            before = value
    rows, first = {}, None
    for label, cmd in zip(args[::2], args[1::2]):
        program = shlex.split(cmd)[0]
        if shutil.which(program) is None:
            print(f"  {label:34} skipped: {program} is not installed")
            continue
        rows[label] = (cmd, [], [])
    for n in range(runs + 1):
        for label, (cmd, walls, peaks) in list(rows.items()):
            if before:
                subprocess.run(before, shell=True, check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                took, peak = run(cmd)
            except RuntimeError as why:
                print(f"  {label:34} failed: {why}")
                del rows[label]
                continue
            if n > 0:
                walls.append(took)
                peaks.append(peak)
    for label, (_, walls, peaks) in rows.items():
        wall = statistics.median(walls)
        first = first or wall
        rate = f"{size / wall / 1e6:9.0f} MB/s" if size else ""
        print(f"  {label:34} {wall:8.3f} s ({min(walls):.3f}-{max(walls):.3f})"
              f" {max(peaks):7.0f} MiB{rate}  x{wall / first:.2f}")


if __name__ == "__main__":
    main()
