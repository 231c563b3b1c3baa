#!/bin/sh
# profmig batch: many jobs, some broken; again, in shards, only assessed.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
imgcrypt keygen -o k --no-passphrase >/dev/null
guest xp.img xp
guest win7.img win7
printf 'no disk' >broken.img
cat >jobs.csv <<'CSV'
computer,source,users,base,target,as
pc1,xp.img,alice;bob,win7.img,pc1.img,
pc2,broken.img,,win7.img,pc2.img,
pc3,xp.img,alice,win7.img,pc3.img,carol
CSV
exits 7 "one of three fails" profmig batch jobs.csv --work w -R k.pub -k k
like "$(cat out)" '*3 jobs, 3 run now, 1 failed*' "and says so"
is "$(cut -d, -f1,4 w/summary.csv | tr -d '"\r' | tr '\n' ';')" \
	"computer,result;pc1,done;pc2,failed;pc3,done;" \
	"the summary has a line for each"
ok "both people arrived" profmig verify w/pc1/bundle pc1.img -k k
ok "the other as somebody else" \
	profmig verify w/pc3/bundle pc3.img -k k --as carol
is "$(ls pc2.img pc2.part.img 2>/dev/null)" "" "no target of the failed one"
exits 7 "again" profmig batch jobs.csv --work w -R k.pub -k k
like "$(cat out)" '*1 run now*' "does only the failed one"
cp --sparse=always xp.img broken.img
ok "once it is repaired" profmig batch jobs.csv --work w -R k.pub -k k \
	--retry-failed
like "$(cat out)" '*1 run now, 0 failed*' "all is done"

ok "a shard" profmig batch jobs.csv --work s -R k.pub -k k --shard 1/2 --assess
like "$(cat out)" '*2 run now*' "does its part"
ok "the other shard" profmig batch jobs.csv --work s -R k.pub -k k \
	--shard 2/2 --assess
is "$(cut -d, -f4 s/summary.csv | sort | uniq -c | tr -s ' ' | tr '\n' ';')" \
	" 3 done; 1 result;" "and together they are the whole"

printf 'jobs:\n  - computer: a\n    source: xp.img\n    bogus: 1\n' >bad.yaml
exits 2 "an unknown key" profmig batch bad.yaml --work w -R k.pub -k k
says '*bad.yaml:4:*' "its line"
printf 'computer,source,target\na,b,c\na,b,d\n' >bad.csv
exits 2 "a job twice" profmig batch bad.csv --work w -R k.pub -k k
says '*bad.csv:3:*twice*' "its line"
done_testing
