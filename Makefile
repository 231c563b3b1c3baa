# One Makefile for the whole tree.  `make help` lists the targets.
# SPDX-License-Identifier: GPL-3.0-or-later

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/sh

# ---- settings a user or packager may give --------------------------------

VERSION    := 0.1.0
CC         ?= cc
AR         ?= ar
CFLAGS     ?= -g
PKG_CONFIG ?= pkg-config
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
SHAREDIR   ?= $(PREFIX)/share/halcyon
MANDIR     ?= $(PREFIX)/share/man
COMPDIR    ?= $(PREFIX)/share/bash-completion/completions
DESTDIR    ?=
VARIANT    ?= release
TEST_WRAP  ?=
JOBS       ?= $(shell nproc)

# make's own default for CC is "cc" too, but not by ?=.
ifeq ($(origin CC),default)
CC := cc
endif

# ---- variants: same sources, other flags, another directory ---------------

B := build/$(VARIANT)
O := $(B)/obj

FLAGS_debug   := -Og
FLAGS_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
FLAGS_asan    := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
		 -fno-sanitize-recover=all
FLAGS_wrap    := -O1 -fsanitize=unsigned-integer-overflow,implicit-conversion \
		 -fno-sanitize-recover=all
FLAGS_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined \
		 -fno-sanitize-recover=all
FLAGS_cov     := -O0 --coverage

ifeq ($(origin FLAGS_$(VARIANT)),undefined)
$(error no such VARIANT: $(VARIANT); there are debug release asan wrap cov fuzz)
endif

# wrap and fuzz use sanitizers that only clang has.
ifneq ($(filter wrap fuzz,$(VARIANT)),)
CC := clang
endif

WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion \
	-Wformat=2 -Wvla -Wundef -Wcast-qual -Wpointer-arith -Wwrite-strings \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wimplicit-fallthrough -Wswitch-enum

ALL_CPPFLAGS := -I. -Ilib -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
		-DPROJECT_VERSION='"$(VERSION)"' -DSHAREDIR='"$(SHAREDIR)"' \
		-DLIBDIR='"$(LIBDIR)"' -include lib/base/banned.h $(CPPFLAGS)
ALL_CFLAGS   := -std=gnu11 -pthread -fvisibility=hidden -fPIC $(WARN) $(CFLAGS) \
		$(FLAGS_$(VARIANT))
ALL_LDFLAGS  := -pthread -Wl,--as-needed $(FLAGS_$(VARIANT)) $(LDFLAGS)

# ---- rooms ----------------------------------------------------------------
# Highest first: a room links with those after it.  In a program's folder,
# main.c and cmd_*.c are the program, the rest is the room.

ROOMS := profmig hal-neutral delta lib/source lib/store lib/change \
	 lib/windows lib/hive lib/volume lib/disk crypt lib/base

PKGS_lib/base    := yaml-0.1 jansson libseccomp
PKGS_crypt       := libsodium
PKGS_lib/disk    := libnbd
PKGS_lib/volume  := libntfs-3g libguestfs
PKGS_lib/hive    := hivex
PKGS_lib/store   := zlib libzstd
PKGS_delta       := libcurl libdivsufsort
PKGS_hal-neutral := libmspack
PKGS_imgtool     := fuse3

# program: the folder it is built from
PROGS := imgtool imgcrypt imgdelta hal-neutral profmig imgrun
DIR_imgtool     := imgtool
DIR_imgcrypt    := crypt
DIR_imgdelta    := delta
DIR_hal-neutral := hal-neutral
DIR_profmig     := profmig
DIR_imgrun      := runtime
# The rooms each program links, from the table in docs/ARCHITECTURE.md.
USES_imgcrypt    := lib/store crypt lib/base
USES_imgtool     := $(filter-out profmig,$(ROOMS))
USES_imgdelta    := delta lib/source lib/store lib/volume lib/disk crypt lib/base
USES_hal-neutral := hal-neutral lib/source lib/store lib/change lib/windows \
		    lib/hive lib/volume lib/disk crypt lib/base
USES_profmig     := profmig lib/source lib/store lib/change lib/windows lib/hive \
		    lib/volume lib/disk crypt lib/base
USES_imgrun      := crypt lib/base
PLUGIN           := $(B)/nbdkit-halcyon-plugin.so
USES_plugin      := lib/store crypt lib/base
NETWORK          := $(B)/halcyon-net

ALL_PKGS  := $(sort $(foreach r,$(ROOMS) imgtool,$(PKGS_$(r))))
LDLIBS    := $(shell $(PKG_CONFIG) --libs $(ALL_PKGS) 2>/dev/null)
ALL_CPPFLAGS += $(shell $(PKG_CONFIG) --cflags $(ALL_PKGS) 2>/dev/null)

prog_srcs = $(wildcard $(1)/main.c $(1)/cmd_*.c)
room_srcs = $(filter-out $(1)/main.c $(1)/cmd_%,$(wildcard $(1)/*.c))
objs      = $(patsubst %.c,$(O)/%.o,$(1))
archive   = $(O)/$(1)/$(notdir $(1)).a

BINS    := $(foreach p,$(PROGS),$(if $(wildcard $(DIR_$(p))/main.c),$(B)/$(p)))
MKGUEST := $(if $(wildcard testdata/mkguest.c),$(B)/mkguest)
SRCS    := $(wildcard $(ROOMS:%=%/*.c) imgtool/*.c runtime/*.c runtime/*/*.c \
	     testdata/*.c tests/*/*.c)
HDRS    := $(wildcard $(ROOMS:%=%/*.h) imgtool/*.h runtime/*.h runtime/*/*.h \
	     testdata/*.h tests/*/*.h)
TESTS   := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
FUZZ    := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAY  := $(FUZZ:%=$(B)/tests/replay_%)
ARCHIVES := $(foreach r,runtime $(ROOMS),$(call archive,$(r)))

ifneq ($(V),1)
Q := @
say = @printf '  %-7s %s\n' $(1) $@
endif

all: $(BINS) $(MKGUEST) $(PLUGIN) $(NETWORK)	## build the programs

# ---- rules ----------------------------------------------------------------

# Rebuild when a flag changes, not only when a file does.
FLAGS_NOW := $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' >$@

$(O)/%.o: %.c $(B)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

define room_rule
$(call archive,$(1)): $(call objs,$(call room_srcs,$(1)))
	$$(call say,AR)
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^
endef
# imgrun's supervisor is no room that others may link; its tests may.
$(foreach r,$(ROOMS) runtime,$(eval $(call room_rule,$(r))))

define prog_rule
$(B)/$(1): $(call objs,$(call prog_srcs,$(DIR_$(1)))) $(if $(filter imgrun,$(1)),$(call archive,runtime)) \
		$(if $(filter imgtool,$(1)),$(call objs,$(call room_srcs,imgtool))) \
		$(foreach u,$(USES_$(1)),$(call archive,$(u)))
	$$(call say,LD)
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach p,$(PROGS),$(eval $(call prog_rule,$(p))))

$(PLUGIN): $(call objs,$(wildcard runtime/block/*.c)) \
		$(foreach u,$(USES_plugin),$(call archive,$(u)))
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -o $@ $^ $(LDLIBS)	# nbdkit has the rest

# libslirp's pkg-config file wants the development files of glib, we do not.
$(NETWORK): $(call objs,$(wildcard runtime/net/*.c)) $(call archive,lib/base)
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lslirp $(LDLIBS)

# The fixture writer uses other people's NTFS and hive writers, none of ours.
$(B)/mkguest: $(call objs,$(wildcard testdata/*.c)) $(call archive,lib/base)
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

# What the crash tests preload: one records writes, one kills at the nth.
$(B)/crash-%.so: $(O)/tests/crash/%.o
	$(call say,LD)
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -o $@ $^ -ldl

CMOCKA := $(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null)
$(B)/tests/test_%: $(O)/tests/unit/test_%.o $(ARCHIVES)
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS) $(CMOCKA)

$(B)/tests/replay_%: $(O)/tests/fuzz/fuzz_%.o $(O)/tests/fuzz/replay.o $(ARCHIVES)
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/tests/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(ARCHIVES)
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

.PRECIOUS: $(O)/%.o
-include $(SRCS:%.c=$(O)/%.d)

# ---- checks ---------------------------------------------------------------
# Each test prints TAP.  tests/run sums them up; its last line counts them all.

RUN := tests/run --build $(CURDIR)/$(B) --jobs $(JOBS)

setup:						## install what building and testing need
	@tools/setup

check: setup					## build, then every fast test
	@$(MAKE) -s check-built

check-built: all $(TESTS) $(REPLAY)
	@$(RUN) $(TESTS) $(foreach f,$(FUZZ),replay:$(f)) tests/cli/*.t

check-unit: all $(TESTS) $(REPLAY)		## unit tests and fuzz corpora only
	@$(RUN) $(TESTS) $(foreach f,$(FUZZ),replay:$(f))

check-appliance: all $(TESTS)				## tests that start the libguestfs appliance
	@$(RUN) tests/engine/*.t

check-real: all $(TESTS)			## tests on files that real Windows wrote
	@$(RUN) tests/real/*.t

crash: all $(TESTS) $(B)/crash-record.so $(B)/crash-kill.so				## every crash state of every commit
	@$(RUN) tests/crash/*.t

bench: all					## speed, beside the peers
	@for b in tests/bench/*.sh; do BUILD=$(CURDIR)/$(B) sh $$b || exit 1; done

bench-%: all
	@BUILD=$(CURDIR)/$(B) sh tests/bench/$*.sh

fuzz:						## make fuzz F=hive T=60 (seconds)
	$(MAKE) VARIANT=fuzz build/fuzz/tests/fuzz_$(F)
	@mkdir -p build/fuzz/corpus/$(F)	# finds go here; seeds are only read
	build/fuzz/tests/fuzz_$(F) -max_total_time=$(or $(T),60) \
		$(if $(wildcard tests/fuzz/$(F).dict),-dict=tests/fuzz/$(F).dict) \
		build/fuzz/corpus/$(F) tests/fuzz/corpus/$(F)

demo: setup					## the main job, end to end, on fixture guests
	@$(MAKE) -s all
	@BUILD=$(CURDIR)/$(B) tests/demo.sh

lint: lint-rooms lint-names lint-headers lint-budget lint-man lint-sh lint-c	## everything that reads without running

lint-rooms:					## includes point downwards
	@awk -f tests/lint/rooms.awk tests/lint/rooms.txt $(SRCS) $(HDRS)

lint-names: $(ARCHIVES)				## symbols carry the prefix of their room
	@sh tests/lint/names.sh $(O) runtime $(ROOMS)

lint-headers:					## every header compiles alone
	@for h in $(filter-out lib/base/banned.h,$(HDRS)); do \
		echo "#include \"$$h\"" | $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) \
		-fsyntax-only -x c - || { echo "$$h does not stand alone"; exit 1; }; done

lint-budget:					## functions and files keep their size
	@awk -f tests/lint/budget.awk $(SRCS) $(HDRS)

lint-man:					## the manual is well formed
	@if ls man/*.[1-9] >/dev/null 2>&1; then mandoc -T lint -W warning man/*.[1-9]; fi

lint-sh:					## so are the scripts
	@shellcheck -x -s sh -e SC1091,SC1003 $(wildcard tests/run tests/*.sh tests/*/*.sh tests/*/*.t tools/* .ci/run)

lint-c:						## and the C
	@cppcheck -q -j $(JOBS) --enable=warning,portability --inline-suppr \
		--error-exitcode=1 --suppressions-list=tests/lint/cppcheck.txt \
		-D__x86_64__ -DPROJECT_VERSION='""' -DSHAREDIR='""' -DLIBDIR='""' \
		-I. -Ilib $(SRCS)

# ---- install --------------------------------------------------------------

install: all					## honours DESTDIR and PREFIX
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(COMPDIR) \
		$(foreach s,1 5,$(DESTDIR)$(MANDIR)/man$(s))
	install -m755 $(BINS) $(DESTDIR)$(BINDIR)
	for s in 1 5; do for m in man/*.$$s; do [ ! -e $$m ] || \
		install -m644 $$m $(DESTDIR)$(MANDIR)/man$$s; done; done
	for p in $(notdir $(BINS)); do \
		$(B)/$$p --completions >$(DESTDIR)$(COMPDIR)/$$p || exit 1; done
	for d in hal-neutral/platforms profmig/rules; do [ ! -d $$d ] || { \
		install -d $(DESTDIR)$(SHAREDIR)/$$d && \
		install -m644 $$d/*.yaml $(DESTDIR)$(SHAREDIR)/$$d; } || exit 1; done
	install -d $(DESTDIR)$(LIBDIR)/halcyon
	install -m755 $(PLUGIN) $(NETWORK) $(DESTDIR)$(LIBDIR)/halcyon

uninstall:					## removes what install made
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,$(PROGS)) \
	      $(addprefix $(DESTDIR)$(COMPDIR)/,$(PROGS)) \
	      $(foreach s,1 5,$(addprefix $(DESTDIR)$(MANDIR)/man$(s)/,$(notdir $(wildcard man/*.$(s)))))
	rm -rf $(DESTDIR)$(SHAREDIR) $(DESTDIR)$(LIBDIR)/halcyon

clean:						## remove build/
	rm -rf build

help:						## this list
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "  %-16s %s\n", $$1, $$2 }' Makefile
	@echo "  VARIANT=         release (default) debug asan wrap cov fuzz"

FORCE:
.PHONY: all setup check check-built check-unit check-appliance check-real crash bench fuzz \
	demo lint lint-rooms lint-names lint-headers lint-budget lint-man lint-sh \
	lint-c install uninstall clean help FORCE
