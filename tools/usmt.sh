#!/bin/sh
# usmt.sh - docs/USMT.md: what USMT migrates, and which of our rules does
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Run at the top of the tree; `tools/usmt.sh >docs/USMT.md` renews the page.
set -eu
cat <<'TEXT'
# USMT's checklist

What Microsoft's User State Migration Tool carries by default ("What does USMT
migrate?", and the components of MigUser.xml and MigApp.xml), and which rule of
profmig does. Made by tools/usmt.sh from the `usmt:` lines of profmig/rules.

| USMT carries | profmig |
|---|---|
TEXT
while IFS='|' read -r row reason; do
	rules=$(grep -lE "^usmt: (.*, )?$row(,|\$)" profmig/rules/*.yaml |
		sed 's,.*/,,; s,\.yaml$,,' | sort | tr '\n' ' ')
	rules=${rules% }
	if [ -n "$rules" ]; then echo "| $row | done: rule $rules |"
	else echo "| $row | no: $reason |"; fi
done <<'ROWS'
My Documents|
My Pictures|
My Music|
My Video|
Desktop|
Favorites|
Start Menu|
Quick Launch|
Folder redirection|
Accessibility settings|
Command-prompt settings|
Desktop wallpaper|
Folder options|
Internet Explorer settings|
Mouse and keyboard settings|
Network drive mapping|
Network printer mapping|
ODBC settings|
Regional settings|
Remote Access|
Taskbar settings|
User personal certificates|
Windows Media Player|
Microsoft Office|
Microsoft Outlook|
Mozilla Firefox|
Google Chrome|
Opera|
Shared folders|
Address book|
EFS files|open only with the old account's key; listed as staying behind before anything is moved
Fonts|they belong to the machine; what a person of Windows 10 has alone comes by rule fonts
Group membership|accounts and groups of the target are left as they are
Offline files|a cache of a server
Phone and modem|device settings of the old computer
Windows Mail|
Windows Rights Management|licences are bound to the machine
Passwords|sealed to account and password; come where both stay the same (rule secrets)
ROWS
