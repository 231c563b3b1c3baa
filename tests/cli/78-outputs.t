#!/bin/sh
# The matrix for build servers, and stored versions in the place of files.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh

guest g.img win7
exits 8 "a JUnit report is written" hal-neutral verify g.img --platform q35-ahci --platform generic-ide --junit junit.xml
ok "with a failed test for each NO" python3 -c '
import xml.etree.ElementTree as t
s = t.parse("junit.xml").getroot()
assert s.get("tests") == "2" and s.get("failures") == "2"
c = s.findall("testcase")
assert [x.get("name") for x in c] == ["q35-ahci", "generic-ide"]
assert "msahci: Start is 3" in c[0].find("failure").get("message")'
exits 2 "an existing report is not overwritten" hal-neutral verify g.img --platform q35-ahci --junit junit.xml
hal-neutral apply g.img --platform q35-ahci >out 2>err
ok "but with --force" hal-neutral verify g.img --platform q35-ahci --junit junit.xml --force
ok "a YES is a test that passed" python3 -c '
import xml.etree.ElementTree as t
s = t.parse("junit.xml").getroot()
assert s.get("failures") == "0" and s.find("testcase").find("failure") is None'
# names in a guest's hive do not get out of their place
rm -rf g.img.*
imgtool reg set -q g.img 'HKLM\SYSTEM\ControlSet001\Control\Class\{4D36E967-E325-11CE-BFC1-08002BE10318}' \
	LowerFilters multi_sz 'a"<b>&' >out 2>err
exits 8 "a strange name in a hive" hal-neutral verify g.img --platform q35-ahci --junit odd.xml
ok "is text in the report" python3 -c '
import xml.etree.ElementTree as t
assert "a\"<b>&" in t.parse("odd.xml").getroot().find("testcase").find("failure").get("message")'

# ---- NAME:VER
guest seven.img win7
imgcrypt keygen -o key --no-passphrase >out 2>err
ok "a repository" imgtool init repo -R key.pub
ok "takes the image" imgtool import seven.img seven -r repo -k key
exits 8 "a version is verified" hal-neutral verify seven:1 -r repo -k key --platform q35-ahci
ok "planned" hal-neutral plan seven:1 -r repo -k key --platform q35-ahci -o v.plan
ok "and made neutral" hal-neutral apply seven:1 -r repo -k key --platform q35-ahci
like "$(cat out)" "seven:2*q35-ahci *YES*" "which makes the next version"
ok "that one boots" hal-neutral verify seven -r repo -k key --platform q35-ahci
exits 8 "the first is what it was" hal-neutral verify seven:1 -r repo -k key --platform q35-ahci
ok "a plan of the one" hal-neutral apply seven:1 v.plan -r repo -k key --as other
like "$(cat out)" "other:1*" "makes another image"
ok "which boots too" hal-neutral verify other -r repo -k key --platform q35-ahci
exits 2 "there is nothing to revert" hal-neutral revert seven:2 -r repo -k key
says "*a stored version does not change; use the version before it*" "and that is said"
ok "its own PC is a platform" hal-neutral platforms --from seven:1 -r repo -k key
done_testing
