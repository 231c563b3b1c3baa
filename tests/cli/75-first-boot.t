#!/bin/sh
# First-boot commands get into a guest, once, and nothing in them restarts it.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need hivexget

folder() {
	case $1 in
	xp) echo WINDOWS ;;
	*) echo Windows ;;
	esac
}
printf '@echo off\necho Grüße\nnet user\n' >hello.cmd
printf 'rem two\r\n' >second.cmd
for kind in xp win7; do
	w=$(folder $kind)
	guest g.img $kind
	rm -rf g.img.*
	ok "$kind: commands are planned and applied" hal-neutral apply g.img --platform generic-ide \
		--first-boot hello.cmd --first-boot second.cmd
	imgtool files ls g.img "/$w"/Halcyon/FirstBoot/steps >out
	like "$(grep -o '00[0-9]-.*cmd' out | paste -sd ' ')" "001-hello.cmd 002-second.cmd*" "$kind: in the order given"
	imgtool files cat g.img "/$w"/Halcyon/FirstBoot/steps/001-hello.cmd >got
	is "$(od -An -c got | tr -d ' \n')" "$(printf '@echo off\r\necho Grüße\r\nnet user\r\n' | od -An -c | tr -d ' \n')" \
		"$kind: with the line ends that Windows wants"
	imgtool files get g.img "/$w"/System32/config/SYSTEM hive >out 2>err
	key='\ControlSet001\Services\HalcyonFirstBoot'
	is "$(hivexget hive "$key" Start) $(hivexget hive "$key" Type) $(hivexget hive "$key" ErrorControl)" "2 16 0" \
		"$kind: a service starts them, whose failure stops nothing"
	is "$(hivexget hive "$key" ImagePath)" \
		'%SystemRoot%\System32\cmd.exe /d /c start "" /b %SystemRoot%\System32\cmd.exe /d /c %SystemRoot%\Halcyon\FirstBoot\run.cmd' \
		"$kind: with nothing but what every Windows has"
	before=$(sum_of g.img)
	ok "$kind: once more" hal-neutral apply g.img --platform generic-ide --first-boot hello.cmd --first-boot second.cmd
	is "$(sum_of g.img)" "$before" "$kind: changes nothing"
	printf 'rem three\n' >second.cmd
	ok "$kind: another text" hal-neutral apply g.img --platform generic-ide --first-boot second.cmd
	imgtool files ls g.img "/$w"/Halcyon/FirstBoot/steps >out
	is "$(grep -c '00[34]-second.cmd' out)" 1 "$kind: is another step, behind the others"
	printf 'rem two\r\n' >second.cmd
done

# What the runner is made of, word by word: cmd.exe's own commands of XP, reg.exe.
imgtool files cat g.img /Windows/Halcyon/FirstBoot/run.cmd >run.cmd
is "$(grep -c "$(printf '\r')\$" run.cmd)" "$(wc -l <run.cmd | tr -d ' ')" "every line ends as Windows wants"
is "$(grep -ciE 'powershell|shutdown|wmic|timeout|choice|where |forfiles|robocopy' run.cmd)" 0 \
	"no PowerShell, nothing newer than XP, nothing that restarts"
is "$(tr -d '\r' <run.cmd | sed -n 's/^:\([a-z]*\)$/\1/p' | sort | paste -sd ' ')" "done giveup say step" "its labels"
for l in $(tr -d '\r' <run.cmd | grep -oE 'goto [a-z]+|call :[a-z]+' | sed 's/.*[ :]//' | sort -u); do
	is "$(grep -c "^:$l" run.cmd)" 1 "label $l is there once"
done
is "$(grep -n 'state.%~1.try. echo' run.cmd | cut -d: -f1)" \
	"$(($(grep -n 'steps.%~1.cmd' run.cmd | cut -d: -f1) - 2))" "a try is counted before the step runs"
is "$(LC_ALL=C grep -c '[^ -~	]' run.cmd | tr -d ' ')" "$(wc -l <run.cmd | tr -d ' ')" "plain ASCII but for its line ends"

printf 'x\n' >'Bad name.cmd'
exits 2 "a name that is no name is refused" hal-neutral plan g.img --platform generic-ide --first-boot 'Bad name.cmd'
says "*first-boot step Bad name: a name is*" "which says what one is"
head -c 5000 /dev/zero | tr '\0' x >long.cmd
exits 4 "a long one is refused" hal-neutral plan g.img --platform generic-ide --first-boot long.cmd
head -c 4090 /dev/zero | tr '\0' '\n' >long.cmd
exits 2 "so is one that its line ends make long" hal-neutral plan g.img --platform generic-ide --first-boot long.cmd
says "*longer than 4096 bytes; put*" "with the way out"
exits 1 "one that is not there" hal-neutral plan g.img --platform generic-ide --first-boot nosuch.cmd
exits 2 "commands go with a platform" hal-neutral apply g.img g.plan --first-boot hello.cmd
done_testing
