# tap.awk - check one test's TAP; its last line counts
# SPDX-License-Identifier: GPL-3.0-or-later
/^1\.\.[0-9]+/ { split($1, p, "\\.\\."); plan = p[2]; planned = 1
		 if ($0 ~ /# SKIP/) { skip++; sub(/.*# SKIP */, ""); why = $0 } }
/^(not )?ok.*# [Ss][Kk][Ii][Pp]/ { skip++; seen++; print; next }
/^ok/ { pass++; seen++ }
/^not ok/ { fail++; seen++ }
/^# exit / { status = $3 }
{ print }
END {
	if (!planned) { print "not ok - " test " said no plan (status " status ")"; fail++ }
	else if (plan != seen) {
		print "not ok - " test " planned " plan " and ran " seen+0 " (status " status ")"; fail++ }
	else if (status != 0 && fail == 0) {
		print "not ok - " test " ended with status " status; fail++ }
	printf "#sum %d passed, %d failed, %d skipped %s\n", pass, fail, skip, why
}
