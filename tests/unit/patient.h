/* patient.h - a neutral fixture guest, and what a test does to it and asks it
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The guest is made neutral in its disk's overlay and opened for writing there.
 */
#ifndef TESTS_UNIT_PATIENT_H
#define TESTS_UNIT_PATIENT_H

#include "tests/unit/unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/proc.h"
#include "disk/disk.h"
#include "hal-neutral/chain.h"
#include "hal-neutral/neutral.h"

enum { PLATFORMS = 16 };

struct patient {
	char dir[64], image[96];
	struct dk *disk;
	struct cs_target *target;
	struct hn_image im;
	struct hn_fetch fetch;
	struct hn_platforms on;
	struct hn_verdict sound[PLATFORMS];
	size_t damages, refused;	/* done, and answers that became NO */
};

/* Mend with the same call as the damage was done. */
#define OK(call) do { \
		if ((call) < 0) \
			fail_msg("%s", e.msg); \
	} while (0)

/* ---- the guest ---- */

static inline void
make_image(struct patient *p, const char *kind)
{
	char self[PATH_MAX], maker[PATH_MAX + 16];
	const char *const argv[] = { maker, kind, p->image, NULL };
	BUF_SCOPED struct buf out = BUF_EMPTY;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct err e = ERR_INIT;

	assert_true(n > 0);
	self[n] = '\0';
	for (int i = 0; i < 2; i++)
		*strrchr(self, '/') = '\0';
	(void)snprintf(maker, sizeof(maker), "%s/mkguest", self);
	(void)snprintf(p->dir, sizeof(p->dir), "%s/halcyon.XXXXXX",
		       getenv("TMPDIR") != NULL &&
		       strlen(getenv("TMPDIR")) < 40 ? getenv("TMPDIR") :
		       "/tmp");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->image, sizeof(p->image), "%s/g.img", p->dir);
	OK(proc_must(argv, NULL, 0, &out, 4096, 120000, &e));
}

static inline void
look(struct patient *p)
{
	struct err e = ERR_INIT;

	hn_image_done(&p->im);
	OK(hn_image_open(p->target, NULL, &p->im, &e));
}

static inline void
open_target(struct patient *p)
{
	struct err e = ERR_INIT;

	hn_image_done(&p->im);
	cs_target_free(&p->target);
	p->target = cs_target_new(p->disk, true, &e);
	if (p->target == NULL)
		fail_msg("%s", e.msg);
	cs_target_fetch(p->target, hn_fetch, &p->fetch);
	look(p);
	p->fetch.serial = p->im.serial;
}

static inline void
open_patient(struct patient *p, const char *kind, const char *const *platforms)
{
	struct err e = ERR_INIT;
	BUF_SCOPED struct buf notes = BUF_EMPTY;
	CS_PLAN_SCOPED struct cs_plan *plan = NULL;
	struct hn_wanted w = { .platforms = &p->on };
	struct cs_done done;

	*p = (struct patient){ .disk = NULL };
	make_image(p, kind);
	p->disk = dk_open(p->image, NULL, p->dir, DK_DRY, &e);
	if (p->disk == NULL)
		fail_msg("%s", e.msg);
	for (; *platforms != NULL; platforms++) {
		struct hn_platform one = HN_PLATFORM_EMPTY;

		OK(hn_platform_load(*platforms, &one, &e));
		OK(hn_platforms_add(&p->on, &one, &e));
	}
	assert_true(p->on.count <= PLATFORMS);
	open_target(p);
	plan = hn_plan(&p->im, &w, &p->fetch, "test", &notes, &e);
	if (plan == NULL)
		fail_msg("%s", e.msg);
	OK(cs_apply(plan, p->target, &done, &e));
	open_target(p);
	for (size_t i = 0; i < p->on.count; i++) {
		OK(hn_prove(&p->im, &p->on.at[i], &p->sound[i], &e));
		if (!p->sound[i].yes)
			fail_msg("%s: %s: %s: %s", kind, p->on.at[i].name,
				 hn_first_missing(&p->sound[i])->what,
				 hn_first_missing(&p->sound[i])->why);
	}
}

static inline void
close_patient(struct patient *p)
{
	for (size_t i = 0; i < p->on.count; i++)
		hn_verdict_done(&p->sound[i]);
	hn_image_done(&p->im);
	cs_target_free(&p->target);
	dk_free(&p->disk);
	hn_fetch_done(&p->fetch);
	hn_platforms_done(&p->on);
	(void)unlink(p->image);
	(void)rmdir(p->dir);
}

/* ---- verdicts ---- */

static inline bool
in_list(const char *kinds, const char *kind)
{
	const char *at = strstr(kinds, kind);

	return at != NULL && (at == kinds || at[-1] == '|') &&
	       (at[strlen(kind)] == '|' || at[strlen(kind)] == '\0');
}

static inline bool
says(const struct hn_link *l, const char *word)
{
	return strcasestr(l->what, word) != NULL ||
	       (l->why != NULL && strcasestr(l->why, word) != NULL);
}

/* Did the chain go through it? */
static inline bool
through(const struct hn_verdict *v, const char *kinds, const char *word)
{
	for (size_t i = 0; i < v->links; i++)
		if (in_list(kinds, v->at[i].kind) && says(&v->at[i], word))
			return true;
	return false;
}

static inline bool
named(const struct hn_verdict *v, const char *kinds, const char *word)
{
	for (size_t i = 0; i < v->links; i++)
		if (v->at[i].why != NULL && in_list(kinds, v->at[i].kind) &&
		    says(&v->at[i], word))
			return true;
	return false;
}

#define all ((const char *)NULL)

/*
 * The platforms whose sound chain went through `via` (all: every one) must be NO
 * now, and name `word` in a link of one of the kinds; the others must still be
 * YES.
 */
static inline void
must(struct patient *p, const char *damage, const char *via_kinds,
     const char *via, const char *kinds, const char *word)
{
	p->damages++;
	for (size_t i = 0; i < p->on.count; i++) {
		HN_VERDICT_SCOPED struct hn_verdict v = HN_VERDICT_EMPTY;
		bool hit = via == all || through(&p->sound[i], via_kinds, via);
		struct err e = ERR_INIT;

		OK(hn_prove(&p->im, &p->on.at[i], &v, &e));
		if (v.yes == hit)
			fail_msg("%s: %s: %s", damage, p->on.at[i].name,
				 v.yes ? "a false YES" :
				 hn_first_missing(&v)->what);
		if (hit && !named(&v, kinds, word))
			fail_msg("%s: %s: %s is not named, but %s: %s", damage,
				 p->on.at[i].name, word,
				 hn_first_missing(&v)->what,
				 hn_first_missing(&v)->why);
		p->refused += hit;
	}
}

/* And when all is mended, every one is YES. */
static inline void
sound(struct patient *p, const char *damage)
{
	for (size_t i = 0; i < p->on.count; i++) {
		HN_VERDICT_SCOPED struct hn_verdict v = HN_VERDICT_EMPTY;
		struct err e = ERR_INIT;

		OK(hn_prove(&p->im, &p->on.at[i], &v, &e));
		if (!v.yes)
			fail_msg("not mended after %s: %s: %s", damage,
				 hn_first_missing(&v)->what,
				 hn_first_missing(&v)->why);
	}
}

/* ---- values of a hive ---- */

/* A value as it was; taken back when the damage is over. */
struct value {
	struct hv_key *key;
	const char *name;
	bool there;
	uint32_t type;
	uint8_t *at;
	size_t len;
};

static inline struct value
keep(struct hv_key *k, const char *name)
{
	const struct hv_value *v = hv_value(k, name);
	struct hv_data d = v != NULL ? hv_data(v) : (struct hv_data){ 0 };
	struct err e = ERR_INIT;
	struct value was = { .key = k, .name = name, .there = v != NULL,
			     .type = d.type, .len = d.len };

	was.at = mem_array(d.len + 1, 1, &e);
	assert_non_null(was.at);
	memcpy(was.at, d.len > 0 ? d.at : (const uint8_t *)"", d.len);
	return was;
}

static inline void
drop(struct hv_key *k, const char *name)
{
	struct hv_value *v = hv_value(k, name);

	if (v != NULL)
		hv_unset(k, v);
}

static inline void
mend(struct value *was)
{
	struct err e = ERR_INIT;

	if (was->there)
		OK(hv_set(was->key, was->name, was->type, was->at, was->len,
			  &e));
	else
		drop(was->key, was->name);
	free(was->at);
}

/* A copy of a key with all below it, in a hive of its own. */
static inline struct hv_hive *
copy_of(const struct hv_key *k)
{
	struct err e = ERR_INIT;
	struct hv_hive *h = hv_new(5, &e);

	assert_non_null(h);
	OK(hv_copy(hv_root(h), k, HV_MERGE_REPLACE, &e));
	return h;
}

static inline void
put_back(struct hv_hive *copy, struct hv_key *parent, const char *name)
{
	struct err e = ERR_INIT;
	struct hv_key *k = hv_create(parent, name, &e);

	assert_non_null(k);
	OK(hv_copy(k, hv_root(copy), HV_MERGE_REPLACE, &e));
	hv_free(&copy);
}

/* ---- files ---- */

static inline uint32_t
machine_at(const uint8_t *at, size_t len)
{
	uint32_t pe = (uint32_t)at[60] | (uint32_t)at[61] << 8;

	return pe + 24 < len ? pe + 4 : 0;
}

/* A damaged file must be named; then it is mended. */
static inline void
try_file(struct patient *p, struct vo *vo, const char *path, const void *bytes,
	 size_t len, const char *damage, const char *kinds)
{
	struct err e = ERR_INIT;
	char what[256];

	if (bytes == NULL)
		OK(vo_remove(vo, path, &e));
	else
		OK(vo_put(vo, path, bytes, len, &e));
	look(p);
	(void)snprintf(what, sizeof(what), "%s: %s", path, damage);
	must(p, what, "", all, kinds, strrchr(path, '/') != NULL ?
	     strrchr(path, '/') + 1 : path);
}

/* Files of the kernel, the loader and of drivers that start with it: every
 * platform needs them. */
static inline void
file_damages(struct patient *p, struct vo *vo, const char *path, bool program,
	     const char *kinds)
{
	SCOPED_FREE uint8_t *good = NULL, *bad = NULL;
	struct err e = ERR_INIT;
	uint32_t machine;
	size_t len;

	assert_int_equal(vo_slurp(vo, path, HN_DRIVER_MAX, &good, &len, &e), 1);
	bad = mem_array(len, 1, &e);
	assert_non_null(bad);
	try_file(p, vo, path, NULL, 0, "removed", kinds);
	try_file(p, vo, path, "", 0, "emptied", kinds);
	if (program) {
		try_file(p, vo, path, bad, len, "zeroed", kinds);
		try_file(p, vo, path, good, 100, "cut", kinds);
		memcpy(bad, good, len);
		machine = machine_at(good, len);
		assert_true(machine > 0);
		num_put_u16le(bad + machine,
			      p->im.machine == HN_PE_I386 ? HN_PE_AMD64 :
			      HN_PE_I386);
		try_file(p, vo, path, bad, len, "of another processor",
			 kinds);
	}
	OK(vo_put(vo, path, good, len, &e));
	look(p);
	sound(p, path);
}

/* ---- what each kind of guest can reach ---- */

static const char *const reach_ide[] = {
	"generic-ide", "hyperv-gen1", "qemu-i440fx-ide", "vbox-ide", "xen-hvm",
	"vmware-lsi", NULL
};
static const char *const reach_ahci[] = {
	"generic-ahci", "generic-ide", "hyperv-gen1", "q35-ahci",
	"qemu-i440fx-ide", "vbox-ahci", "vbox-ide", "vmware-lsi", "vmware-sas",
	"xen-hvm", NULL
};
static const char *const reach_uefi[] = {
	"generic-ahci", "generic-nvme", "hyperv-gen2", "q35-ahci", "vbox-ahci",
	"vmware-nvme", "vmware-sas", NULL
};

#endif /* TESTS_UNIT_PATIENT_H */
