#!/bin/sh
# The first-boot runner, run by another maker's cmd.exe (wine) as it lies in the image.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
wine=$(command -v wine64 || command -v wine || echo /usr/lib/wine/wine64)
[ -x "$wine" ] || skip_all "wine is not installed"
WINEPREFIX=$tap_dir/prefix WINEDEBUG=-all
export WINEPREFIX WINEDEBUG
unset DISPLAY

printf 'echo one\nexit 0\n' >one.cmd
printf 'echo two\nexit /b 5\n' >two.cmd
printf 'set left=9\ncd \\\nexit 3010\n' >three.cmd
guest xp.img xp
ok "the steps get into an XP" hal-neutral apply xp.img --platform generic-ide \
	--first-boot one.cmd --first-boot two.cmd --first-boot three.cmd
mkdir -p guest/steps
for f in run.cmd steps/001-one.cmd steps/002-two.cmd steps/003-three.cmd; do
	imgtool files cat xp.img "/WINDOWS/Halcyon/FirstBoot/$f" >guest/$f
done
start() { timeout 100 "$wine" cmd /d /c "Z:$(echo "$PWD/guest/run.cmd" | tr / '\\')" </dev/null >out 2>err; }
lines() { tr -d '\r' <guest/results.txt | sed 's/^.* \([^ ]*\) \(try .*\|given up\|finished\)$/\1 \2/'; }

is "$(start; echo $?)" 0 "first start"
is "$(lines | paste -sd ,)" "001-one try 1 begins,001-one try 1 status 0,002-two try 1 begins,002-two try 1 status 5,003-three try 1 begins,003-three try 1 status 3010" \
	"each step's result is on record"
is "$(tr -d '\r' <guest/state/001-one.log | grep -c '^one *$')" 1 "and what it printed"
: >guest/results.txt
is "$(start; echo $?)" 0 "second start"
is "$(lines | paste -sd ,)" "002-two try 2 begins,002-two try 2 status 5" "only what failed is tried again"
: >guest/results.txt
is "$(start; echo $?)" 0 "third start"
is "$(lines | paste -sd ,)" "002-two try 3 begins,002-two try 3 status 5,002-two given up,runner finished" \
	"three tries and no more"
# a step that took the machine down with it
rm -rf guest/state; mkdir guest/state
for s in 001-one 002-two 003-three; do printf '3\r\n' >guest/state/$s.try; done
: >guest/results.txt
is "$(start; echo $?)" 0 "a start after three that never came back"
is "$(lines | paste -sd ,)" "001-one given up,002-two given up,003-three given up,runner finished" \
	"no step is tried for ever"
done_testing
