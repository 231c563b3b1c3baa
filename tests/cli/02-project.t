#!/bin/sh
# What the project owes its packagers: uninstall removes what install made.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh

variant=$(basename "$BUILD")
root=$PWD/root
ok "make install" make -s -C "$TOP" VARIANT="$variant" DESTDIR="$root" install
is "$([ -x "$root/usr/local/bin/imgtool" ] && echo yes)" yes "programs are installed"
is "$([ -s "$root/usr/local/share/man/man1/imgtool.1" ] && echo yes)" yes "so is the manual"
ok "make uninstall" make -s -C "$TOP" VARIANT="$variant" DESTDIR="$root" uninstall
is "$(find "$root" -type f)" "" "nothing is left"
ok "make help" make -s -C "$TOP" help
is "$(git -C "$TOP" status --porcelain --untracked-files=all 2>/dev/null | grep '^??')" "" \
	"building leaves no file that git does not know"
is "$(grep -rLE 'SPDX-License-Identifier: GPL-3.0-or-later' --include='*.[ch]' --include='*.sh' \
	--include='*.t' --include='*.awk' --include='*.py' \
	"$TOP"/lib "$TOP"/imgtool "$TOP"/crypt "$TOP"/delta "$TOP"/hal-neutral "$TOP"/profmig \
	"$TOP"/runtime "$TOP"/testdata "$TOP"/tests 2>/dev/null)" "" "every source names its licence"
done_testing
