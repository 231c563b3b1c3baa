#!/bin/sh
# Ten thousand bits flipped, one at a time, anywhere in a repository.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh

ok "each is found or harmless, and none is served" \
	env FLIPS=10000 "$BUILD/tests/test_store_flips"
sed -n 's/^[0-9]* flips:/# &/p' out
done_testing
