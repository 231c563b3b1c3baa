/* test_hn_damage.c - every YES of the proof, damaged link by link, becomes NO
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each kind of fixture guest is made neutral in its disk's overlay for all that
 * it can reach.  What the sound chains went through says what to damage; each
 * damage is tried in every form that there is for its kind of link, must turn
 * each platform whose chain went through it to NO, be named there, and leave
 * the others alone.  Damage is done in the hives that the target holds in
 * memory and in the open volume, and taken back, so that hundreds of them take
 * seconds.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hal-neutral/binding.h"
#include "tests/unit/patient.h"

/* ---- services ---- */

static void
start_damages(struct patient *p, const char *service, const char *via)
{
	struct hv_key *k = hn_service(&p->im.set[0], service);
	struct value was = keep(k, "Start");
	struct err e = ERR_INIT;
	char damage[128];

	for (uint32_t start = 1; start <= 5; start++) {
		OK(hv_set_dword(k, "Start", start, &e));
		(void)snprintf(damage, sizeof(damage), "%s: Start=%u", service,
			       start);
		must(p, damage, "service", via, "service", via);
	}
	drop(k, "Start");
	must(p, "Start gone", "service", via, "service", via);
	OK(hv_set_str(k, "Start", HV_SZ, "0", &e));
	must(p, "Start no number", "service", via, "service", via);
	mend(&was);
	if (p->im.in->generation >= WN_8) {
		struct hv_key *over = hv_create(k, "StartOverride", &e);

		assert_non_null(over);
		was = keep(over, "0");
		OK(hv_set_dword(over, "0", 3, &e));
		must(p, "StartOverride back", "service", via, "service", via);
		mend(&was);
		was = keep(over, "7");
		OK(hv_set_dword(over, "7", 4, &e));
		must(p, "StartOverride for another machine", "service", via,
		     "service", via);
		mend(&was);
	}
	sound(p, service);
}

/* A file of a driver that starts with the loader matters to every platform. */
static void
path_damages(struct patient *p, const char *service)
{
	static const char *const paths[] = {
		"system32\\drivers\\no such file.sys", "\\??\\Q:\\x.sys",
		"\\SystemRoot\\System32\\drivers",
	};
	struct hv_key *k = hn_service(&p->im.set[0], service);
	struct value was = keep(k, "ImagePath");
	struct err e = ERR_INIT;

	for (size_t i = 0; i < 3; i++) {
		OK(hv_set_str(k, "ImagePath", HV_EXPAND_SZ, paths[i], &e));
		must(p, paths[i], "", all, "file|boot driver",
		     i == 0 ? "no such file" : i == 1 ? service : "drivers");
	}
	mend(&was);
}

static void
service_damages(struct patient *p, const char *service)
{
	char via[128];
	struct hv_hive *copy;
	struct hv_key *k = hn_service(&p->im.set[0], service);
	SCOPED_FREE char *name = NULL;
	struct err e = ERR_INIT;

	(void)snprintf(via, sizeof(via), "Services\\%s:", service);
	assert_non_null(k);
	name = hv_name(k, &e);
	/* The missing link says "Services\x", without the colon. */
	via[strlen(via) - 1] = '\0';
	start_damages(p, service, via);
	path_damages(p, service);
	copy = copy_of(k);
	OK(hv_delete(k, &e));
	must(p, "service gone", "service", via, "service", via);
	put_back(copy, p->im.set[0].services, name);
	sound(p, via);
}

/* ---- files ---- */

/* The path in front of ": amd64, 2 imports resolved" of a link that holds. */
static char *
path_in(const struct hn_link *l)
{
	struct err e = ERR_INIT;

	return mem_strn(l->what, strcspn(l->what, ":"), &e);
}

/* Files that only imports name. */
static void
import_damages(struct patient *p)
{
	static const char *const modules[] = {
		"System32/drivers/pciidex.sys", "System32/drivers/ataport.sys",
		"System32/drivers/scsiport.sys",
		"System32/drivers/storport.sys",
		"System32/drivers/classpnp.sys",
	};

	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		struct err e = ERR_INIT;
		SCOPED_FREE char *path = hn_root_path(&p->im, modules[i], &e);
		SCOPED_FREE uint8_t *good = NULL;
		const char *leaf = strrchr(modules[i], '/') + 1;
		struct vo *vo = p->im.vo;
		size_t len, hits = 0;

		assert_non_null(path);
		if (vo_slurp(vo, path, HN_DRIVER_MAX, &good, &len, &e) != 1)
			continue;
		OK(vo_put(vo, path, "MZ", 2, &e));
		look(p);
		for (size_t n = 0; n < p->on.count; n++) {
			HN_VERDICT_SCOPED struct hn_verdict v =
				HN_VERDICT_EMPTY;

			OK(hn_prove(&p->im, &p->on.at[n], &v, &e));
			hits += !v.yes;
			if (!v.yes && !named(&v, "file|boot driver", leaf))
				fail_msg("%s is not named", leaf);
		}
		/* A boot-start driver imports it, so no platform may pass;
		 * where none does (XP's scsiport), none uses it. */
		if (hits != p->on.count && hits != 0)
			fail_msg("%s: %zu of %zu", leaf, hits, p->on.count);
		if (strcmp(leaf, "classpnp.sys") == 0)
			assert_int_equal(hits, p->on.count);
		p->damages++;
		p->refused += hits;
		OK(vo_put(vo, path, good, len, &e));
		look(p);
	}
	sound(p, "imports");
}

/* Has an earlier chain gone through this link? */
static bool
seen_before(const struct patient *p, size_t platform, size_t link)
{
	const struct hn_link *l = &p->sound[platform].at[link];

	for (size_t i = 0; i <= platform; i++)
		for (size_t k = 0; k < p->sound[i].links; k++) {
			const struct hn_link *o = &p->sound[i].at[k];

			if (i == platform && k == link)
				return false;
			if (strcmp(o->kind, l->kind) == 0 &&
			    strcasecmp(o->what, l->what) == 0)
				return true;
		}
	return false;
}

/* ---- bindings ---- */

/* The key that binds an id, and the value in it that names the next step. */
static struct hv_key *
binding_key(const struct patient *p, const char *id)
{
	struct err e = ERR_INIT;
	SCOPED_FREE char *name = hn_critical_name(id, &e);
	SCOPED_FREE char *path = hn_has_database(&p->im) ?
		mem_fmt(&e, "DriverDatabase\\DeviceIds\\%s", id) :
		mem_fmt(&e, "%s\\Control\\CriticalDeviceDatabase\\%s",
			p->im.set[0].name, name);

	assert_non_null(path);
	return hv_find(hv_root(p->im.sys), path);
}

/* No id of the device is bound any more: NO.  As long as a more general one is,
 * the answer may be YES, but not through the id that is gone. */
static void
unbind(struct patient *p, size_t n, const char *const *ids, size_t count)
{
	struct hv_hive *copy[HN_IDS_MAX] = { NULL };
	struct err e = ERR_INIT;
	bool last = false;

	for (size_t i = 0; i < count; i++) {
		HN_VERDICT_SCOPED struct hn_verdict v = HN_VERDICT_EMPTY;
		struct hv_key *k = binding_key(p, ids[i]);
		char via[512];

		if (k == NULL)
			continue;
		copy[i] = copy_of(k);
		OK(hv_delete(k, &e));
		OK(hn_prove(&p->im, &p->on.at[n], &v, &e));
		(void)snprintf(via, sizeof(via), "%s ->", ids[i]);
		if (through(&v, "binding", via))
			fail_msg("%s: still bound", ids[i]);
		last = v.yes;
		p->damages++;
		p->refused += !v.yes;
	}
	if (last)
		fail_msg("%s: a false YES, with no id bound",
			 p->on.at[n].name);
	for (size_t i = 0; i < count; i++) {
		SCOPED_FREE char *name = hn_critical_name(ids[i], &e);
		SCOPED_FREE char *path = hn_has_database(&p->im) ?
			mem_fmt(&e, "DriverDatabase\\DeviceIds\\%s", ids[i]) :
			mem_fmt(&e, "%s\\Control\\CriticalDeviceDatabase\\%s",
				p->im.set[0].name, name);

		if (copy[i] != NULL)
			put_back(copy[i], hv_root(p->im.sys), path);
	}
}

static void
binding_damages(struct patient *p)
{
	static const char *const ide[] = { "Primary_IDE_Channel", "*PNP0600" };
	static const char *const disk[] = { "GenDisk" };

	for (size_t n = 0; n < p->on.count; n++) {
		const struct hn_platform *on = &p->on.at[n];

		for (size_t d = 0; d < on->devices; d++)
			unbind(p, n, (const char *const *)on->device[d].id,
			       on->device[d].ids);
		if (!hn_has_database(&p->im)) {
			unbind(p, n, disk, 1);
			if (on->device[0].class >> 8 == 0x0101)
				unbind(p, n, ide, 2);
		}
	}
	sound(p, "bindings");
}

/* The values and keys between an id and its service, each gone or leading
 * astray: that id must not pass any more. */
static void
step_damage(struct patient *p, size_t n, const char *id, struct hv_key *k,
	    const char *value, const char *text)
{
	struct value was = keep(k, value);
	struct err e = ERR_INIT;
	char what[256];

	assert_true(was.there);
	for (int gone = 0; gone < 2; gone++) {
		HN_VERDICT_SCOPED struct hn_verdict v = HN_VERDICT_EMPTY;

		if (gone)
			drop(k, value);
		else
			OK(hv_set_str(k, value, HV_SZ, text, &e));
		OK(hn_prove(&p->im, &p->on.at[n], &v, &e));
		(void)snprintf(what, sizeof(what), "%s %s of %s",
			       gone ? "no" : "wrong", value, id);
		if (v.yes)
			fail_msg("%s: a false YES", what);
		if (!named(&v, "binding|service", gone ? id : text) &&
		    !named(&v, "binding|service", id))
			fail_msg("%s is not named but %s: %s", what,
				 hn_first_missing(&v)->what,
				 hn_first_missing(&v)->why);
		p->damages++;
		p->refused++;
	}
	mend(&was);
}

/* The first id of a device that is bound. */
static const char *
bound_id(const struct patient *p, const struct hn_device *d)
{
	for (size_t i = 0; i < d->ids; i++)
		if (binding_key(p, d->id[i]) != NULL)
			return d->id[i];
	fail_msg("nothing binds %s", d->id[0]);
	return NULL;
}

static void
database_damages(struct patient *p, size_t n, const char *id)
{
	struct hv_key *db = hv_find(hv_root(p->im.sys), "DriverDatabase");
	struct err e = ERR_INIT;
	SCOPED_FREE char *inf = hv_value_name(
		hv_value_first(binding_key(p, id)), &e);
	SCOPED_FREE char *inf_path = mem_fmt(&e, "DriverInfFiles\\%s", inf);
	struct hv_key *k = hv_find(db, inf_path);
	SCOPED_FREE char *package = NULL, *at = NULL, *config = NULL;
	SCOPED_FREE char *descriptor = NULL;

	assert_non_null(k);
	assert_int_equal(hv_get_str(k, "Active", &package, &e), 1);
	step_damage(p, n, id, k, "Active", "nosuch.inf_amd64_0");
	descriptor = mem_fmt(&e, "DriverPackages\\%s\\Descriptors\\%s",
			     package, id);
	k = hv_find(db, descriptor);
	assert_non_null(k);
	assert_int_equal(hv_get_str(k, "Configuration", &config, &e), 1);
	step_damage(p, n, id, k, "Configuration", "NoSuch_Inst");
	at = mem_fmt(&e, "DriverPackages\\%s\\Configurations\\%s", package,
		     config);
	k = hv_find(db, at);
	assert_non_null(k);
	step_damage(p, n, id, k, "Service", "nosuchservice");
}

static void
astray_damages(struct patient *p)
{
	for (size_t n = 0; n < p->on.count; n++)
		for (size_t d = 0; d < p->on.at[n].devices; d++) {
			const char *id = bound_id(p, &p->on.at[n].device[d]);

			if (hn_has_database(&p->im))
				database_damages(p, n, id);
			else
				step_damage(p, n, id, binding_key(p, id),
					    "Service", "nosuchservice");
		}
	sound(p, "what leads astray");
}

/* ---- filters ---- */

static void
filter_damages(struct patient *p)
{
	static const char *const lists[] = { "UpperFilters", "LowerFilters" };
	static const char *const off[] = { "vanished" };

	for (const struct hn_class *c = hn_classes; c->guid != NULL; c++) {
		struct err e = ERR_INIT;
		SCOPED_FREE char *path = mem_fmt(&e, "Class\\%s", c->guid);
		struct hv_key *k = hv_create(p->im.set[0].control, path, &e);

		assert_non_null(k);
		for (size_t i = 0; i < 2 && c->boots; i++) {
			struct value was = keep(k, lists[i]);

			OK(hv_set_multi(k, lists[i], off, 1, &e));
			must(p, "a dangling filter", "", all, "filter",
			     "vanished");
			mend(&was);
		}
	}
	sound(p, "filters");
}

/* ---- every link of every chain ---- */

static void
link_damages(struct patient *p)
{
	for (size_t n = 0; n < p->on.count; n++)
		for (size_t i = 0; i < p->sound[n].links; i++) {
			const struct hn_link *l = &p->sound[n].at[i];
			SCOPED_FREE char *path = NULL;
			const char *service;

			if (seen_before(p, n, i))
				continue;
			service = strstr(l->what, "\\Services\\");
			if (strcmp(l->kind, "service") == 0 &&
			    service != NULL) {
				char name[64] = "";

				(void)sscanf(service + 10, "%63[^:]", name);
				service_damages(p, name);
			}
			path = path_in(l);
			if (strcmp(l->kind, "file") == 0 ||
			    strcmp(l->kind, "kernel") == 0)
				file_damages(p, p->im.vo, path, true,
					     "file|kernel|boot driver");
			if (strcmp(l->kind, "loader") == 0 &&
			    strstr(path, "winload") != NULL)
				file_damages(p, p->im.vo, path, true,
					     "loader");
		}
}

/* Boot-start drivers that no chain goes through stop the loader as well. */
static void
bystander_damages(struct patient *p)
{
	size_t done = 0;

	for (struct hv_key *k = hv_first(p->im.set[0].services); k != NULL;
	     k = hv_next(k)) {
		struct err e = ERR_INIT;
		SCOPED_FREE char *name = hv_name(k, &e), *path = NULL;
		struct value was;

		if (hn_effective_start(k, NULL) != 0 ||
		    hn_service_file(&p->im, k, &path, &e) != 1)
			continue;
		was = keep(k, "ImagePath");
		OK(hv_set_str(k, "ImagePath", HV_SZ, "system32\\gone.sys",
			      &e));
		must(p, name, "", all, "file|boot driver", "gone.sys");
		mend(&was);
		done++;
	}
	assert_true(done > 15);
	sound(p, "bystanders");
}

/* What no Windows boots without must be in every chain, whatever the proof
 * thinks that it has to look at. */
static void
complete(struct patient *p)
{
	static const char *const needed[] = {
		"/ntoskrnl.exe", "hal", "/ntfs.sys", "/pci.sys", "/disk.sys",
		"/partmgr.sys", "/mountmgr.sys", "/acpi.sys", "atapi.sys",
	};
	size_t count = sizeof(needed) / sizeof(*needed);

	for (size_t n = 0; n < p->on.count; n++)
		for (size_t i = 0; i < count; i++) {
			/* Only the IDE platforms go through atapi. */
			if (i == count - 1 &&
			    p->on.at[n].device[0].class >> 8 != 0x0101)
				continue;
			if (!through(&p->sound[n], "file|kernel", needed[i]))
				fail_msg("%s: %s is in no link",
					 p->on.at[n].name, needed[i]);
		}
}

static void
damage(const char *kind, const char *const *platforms)
{
	struct patient p;

	open_patient(&p, kind, platforms);
	complete(&p);
	link_damages(&p);
	import_damages(&p);
	binding_damages(&p);
	astray_damages(&p);
	filter_damages(&p);
	bystander_damages(&p);
	print_message("%s: %zu damages, %zu answers turned to NO\n", kind,
		      p.damages, p.refused);
	close_patient(&p);
}

static void
xp(void **state)
{
	(void)state;
	damage("xp", reach_ide);
}

static void
vista(void **state)
{
	(void)state;
	damage("vista", reach_ahci);
}

static void
win7(void **state)
{
	(void)state;
	damage("win7", reach_ahci);
}

static void
win10(void **state)
{
	(void)state;
	damage("win10", reach_uefi);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xp), cmocka_unit_test(vista),
		cmocka_unit_test(win7), cmocka_unit_test(win10),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
