#!/bin/sh
# A writable layer that is cut off at any instant has all that was flushed, also
# while its segments are emptied and removed.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
. "$TOP/tests/crash/crash.sh"

layer=$BUILD/tests/test_store_layer_cut
CRASH_MAX=${CRASH_MAX:-400}
export CRASH_MAX
ok "a layer" "$layer" make "$PWD"
cat >check.sh <<END
$layer check "\$1"
END
crashes "flushed writes, trims and compaction" watched check.sh \
	"$layer" write "$PWD/watched"
is "$(find watched.before -name '*.segment' | wc -l)" 0 "it began empty"
done_testing
