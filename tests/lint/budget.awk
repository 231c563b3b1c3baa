# budget.awk - functions of at most 70 lines, files of at most 700
# SPDX-License-Identifier: GPL-3.0-or-later
FNR == 1 { in_body = 0 }
FNR == 701 { print FILENAME ": more than 700 lines"; bad = 1 }
/^\{/ { in_body = 1; start = FNR; next }
/^\}/ {
	if (in_body && FNR - start - 1 > 70) {
		print FILENAME ":" start ": a function of " FNR - start - 1 " lines"
		bad = 1
	}
	in_body = 0
}
END { exit bad }
