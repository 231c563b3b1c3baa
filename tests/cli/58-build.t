#!/bin/sh
# A recipe becomes a version, step by step, and only what changed is done again.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need jq sha256sum

imgcrypt keygen --no-passphrase -o admin >/dev/null
imgcrypt keygen --no-passphrase -o other >/dev/null
imgtool init repo -R admin.pub >/dev/null 2>&1
export IMGTOOL_REPO="$PWD/repo" IMGTOOL_KEY="$PWD/admin"
guest disk.img win7
imgtool import disk.img win7-sp1 >/dev/null 2>&1
imgtool tag win7-sp1 golden >/dev/null
reused() { jq -r '[.steps[].reused] | map(if . then "r" else "-" end) | join("")' out; }

# ---- the example of the manual, as it stands there
mkdir -p r/common/sub r/drivers/storage
echo hello >r/common/hello.txt
head -c 200000 /dev/urandom >r/common/sub/big
echo picture >r/wallpaper.jpg
printf 'Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Corp]\n"Policy"=dword:00000007\n' >r/policies.reg
echo 'net join' >r/join.cmd
recipe=r/win7-bonn.yaml
sed -n '/^name: win7-bonn/,/^\.Ed/p' "$TOP/man/halcyon-recipe.5" |
	sed '/^\.Ed/d; s/\\e/\\/g' >$recipe

exits 2 "a variable without a value" imgtool build $recipe
says "*win7-bonn.yaml:*PROXY has no value; give it with --set PROXY=VALUE" "is told"
exits 8 "the image does not exist before" imgtool log win7-bonn
exits 0 "--check" imgtool build --check --json --set PROXY=10.0.0.1 $recipe
is "$(jq -r '.version, .changed, ([.platforms[].boots] | all)' out | tr '\n' ' ')" \
	"0 true true " "does everything"
exits 8 "but store it" imgtool log win7-bonn
exits 0 "build" imgtool build --set PROXY=10.0.0.1 $recipe
is "$(sed 's/  */ /g' out)" "win7-bonn:1
generic-ahci YES
generic-ide YES
q35-ahci YES" "tells version and platforms"
ok "the manifest notes them" imgtool log win7-bonn --json
is "$(jq -r '.versions[0].notes | ."platform.q35-ahci", .base, .recipe' out)" "YES
win7-sp1:1
$(sha256sum $recipe | cut -d' ' -f1)" "and the base, and the recipe's hash"
is "$(jq -r '.versions[0].parent' out)" win7-sp1:1 "its parent is the base"
imgtool files get win7-bonn:1 'C:\Corp' got >/dev/null
ok "the files are there" diff -r r/common got
is "$(imgtool files cat win7-bonn:1 'C:\Windows\Web\Wallpaper\corp.jpg')" picture "in their places"
is "$(imgtool reg get win7-bonn 'HKLM\SOFTWARE\Corp' Servers | tr '\n' ' ')" \
	"alpha beta 10.0.0.1 " "values are set, variables put in"
is "$(imgtool reg get win7-bonn 'HKLM\SOFTWARE\Corp' Policy)" 7 "the .reg file is imported"
is "$(imgtool reg get win7-bonn 'HKLM\SOFTWARE\Corp' Site)" Bonn "a variable has its default"
like "$(imgtool files ls -R win7-bonn 'C:\Windows\Halcyon\FirstBoot')" "*join*" \
	"commands wait for the first boot"
ok "the proof is hal-neutral's too" sh -c 'imgtool export win7-bonn:1 x.img &&
	hal-neutral verify x.img --platform q35-ahci --platform generic-ide'
is "$(imgtool reg get win7-sp1 'HKLM\SOFTWARE\Corp' Policy 2>/dev/null)" "" "the base is as it was"
ok "what is proven can be tagged" imgtool tag win7-bonn:1 release

# ---- again
exits 0 "a second build" imgtool build --set PROXY=10.0.0.1 $recipe
like "$(cat err)" "*nothing to do: win7-bonn:1 is what this recipe makes" "does nothing, and says so"
is "$(imgtool log win7-bonn --json | jq '.versions | length')" 1 "there is no second version"
exits 0 "a change in the middle" imgtool build --json --set PROXY=10.0.0.2 $recipe
is "$(reused)" "r---" "keeps the steps before it"
is "$(jq .version out)" 2 "and makes a version"
echo more >>r/common/sub/big
exits 0 "a file changed" imgtool build --json --check --set PROXY=10.0.0.2 $recipe
is "$(reused)" "----" "its step and those behind it are done again"
echo 'net join /again' >r/join.cmd
sed -i '$d' r/common/sub/big
head -c 200000 got/sub/big >r/common/sub/big
exits 0 "only the last one" imgtool build --json --set PROXY=10.0.0.2 $recipe
is "$(reused)" "rrr-" "is done"
sed -i 's/name: settings/name: other words/' $recipe
exits 0 "another name for a step" imgtool build --json --set PROXY=10.0.0.2 $recipe
is "$(reused) $(jq .changed out)" "rrrr false" "changes nothing"
imgtool import --parent win7-sp1 disk.img win7-sp1 >/dev/null 2>&1
imgtool tag win7-sp1:2 golden >/dev/null
exits 0 "another base" imgtool build --json --check --set PROXY=10.0.0.2 $recipe
is "$(reused)" "----" "changes everything"

# ---- what is not proven
cat >bad.yaml <<'Y'
name: virtual
base: disk.img
steps:
- platforms: [q35-ahci, virtio-blk]
Y
exits 8 "a platform that is not proven" imgtool build bad.yaml
like "$(cat out)" "virtual:1*q35-ahci*YES*virtio-blk*NO*no driver*" "the link is named"
exits 6 "the version can not be tagged" imgtool tag virtual:1 good
says "*virtual:1: is not proven to boot on virtio-blk*--unproven*" "is told"
ok "but with --unproven" imgtool tag --unproven virtual:1 good
imgdelta trust init root -k other --holder root=other.pub --holder release=admin.pub \
	--holder snapshot=admin.pub --holder timestamp=admin.pub >/dev/null
exits 6 "nor pushed" imgdelta push mirror virtual:1 --trust root --state st
exits 0 "but with --unproven" imgdelta push --unproven mirror virtual:1 --trust root --state st
exits 8 "built again, it is the same answer" imgtool build bad.yaml
is "$(imgtool log virtual --json | jq '.versions | length')" 1 "and the same version"
imgtool files mkdir disk.img 'C:\changed' >/dev/null
exits 8 "a base disk that changed" imgtool build bad.yaml
is "$(imgtool log virtual --json | jq '.versions | length')" 2 "makes another"

# ---- what goes wrong
cat >stop.yaml <<'Y'
name: stop
base: win7-sp1:1
steps:
- files: [{mkdir: 'C:\One'}]
- registry: [{import: broken.reg}]
Y
printf 'Windows Registry Editor Version 5.00\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\X]\n"a"=nonsense\n' >broken.reg
exits 4 "a step that fails" imgtool build stop.yaml
like "$(cat err)" "*step 2, registry: stop.yaml:5: broken.reg: line 3*" "is told with its lines"
exits 8 "leaves no version" imgtool log stop
printf 'Windows Registry Editor Version 5.00\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\X]\n"a"="b"\n' >broken.reg
exits 0 "mended" imgtool build --json stop.yaml
is "$(reused)" "r-" "it goes on where it was"
sed 's/C:.One/C:\\Two/; s/name: stop/name: cut/' stop.yaml >cut.yaml
for ms in 05 10 15 20 25 30; do
	timeout -s INT "0.$ms" imgtool build cut.yaml >/dev/null 2>&1
done
exits 0 "interrupted again and again" imgtool build cut.yaml
is "$(imgtool log cut --json | jq '.versions | length')" 1 "it is built once"
ok "and the repository is sound" imgtool verify

# refused WANT: what a recipe is refused with; the recipe is on standard input
refused() {
	cat >wrong.yaml
	exits 2 "refused: $1" imgtool build wrong.yaml
	says "*wrong.yaml:$1*" "is told"
}
refused "3: unknown key colour" <<'Y'
name: a
base: win7-sp1
colour: red
steps: [{files: [{mkdir: x}]}]
Y
refused "3: a step needs one of" <<'Y'
name: a
base: win7-sp1
steps: [{name: x}]
Y
refused "4: a step is one of" <<'Y'
name: a
base: win7-sp1
steps:
- files: [{mkdir: x}]
  first-boot: [x.cmd]
Y
refused "4: needs one of put" <<'Y'
name: a
base: win7-sp1
steps: [{files: [
  {put: x}]}]
Y
refused "3: ./nothing: is not there" <<'Y'
name: a
base: win7-sp1
steps: [{files: [{put: ./nothing, to: x}]}]
Y
refused "3: there is no variable WHO" <<'Y'
name: a
base: win7-sp1
steps: [{files: [{mkdir: '${WHO}'}]}]
Y
refused "1: is no name" <<'Y'
name: 'a b'
base: win7-sp1
steps: [{files: [{mkdir: x}]}]
Y
exits 2 "--set of what is no variable" imgtool build --set A=b stop.yaml
exits 8 "a base that is not there" sh -c 'sed s/win7-sp1/win9/ stop.yaml >none.yaml
	imgtool build none.yaml'
exits 5 "a key that is no administrator's" imgtool build stop.yaml -k other
done_testing
