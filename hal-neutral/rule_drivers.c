/* rule_drivers.c - a driver from the administrator's folder, for XP to 7
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What Setup does for a mass-storage driver: its files, its service at boot
 * start with the values of its INF (AddService, AddReg), and the device's id in
 * CriticalDeviceDatabase (rows X11, X12, V3).  The INF goes to
 * %SystemRoot%\inf as oemN.inf and its catalogue to CatRoot, so that plug and
 * play installs the device properly when Windows is up.
 */
#include "hal-neutral/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "hal-neutral/binding.h"
#include "hal-neutral/driver.h"

#define CATALOGUES "System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"

enum { OEM_MAX = 10000 };

static const struct cs_reason file_reason = {
	"drivers/X11", "the driver that was given for the platform's controller"
};
static const struct cs_reason service_reason = {
	"drivers/X11", "its service, as its INF describes it, at boot start"
};
static const struct cs_reason binding_reason = {
	"drivers/X11", "binds the platform's controller to the given driver"
};

/* A file of this computer into the image. */
static void
want_host_file(struct hn_job *j, const char *path, const char *host)
{
	struct cs_source from = { .origin = CS_DRIVERS, .path = host };

	cs_want_file(j->plan, j->volume, path, from, file_reason);
}

/* Is the file for this Windows' machine?  A note says why not. */
static int
fits(struct hn_job *j, const char *host, struct err *e)
{
	HN_PE_SCOPED struct hn_pe pe = HN_PE_EMPTY;
	SCOPED_FREE uint8_t *bytes = NULL;
	struct err bad = ERR_INIT;
	size_t len;

	if (io_slurp(host, HN_DRIVER_MAX, &bytes, &len, e) < 0)
		return -1;
	if (hn_pe_parse(host, bytes, len, &pe, &bad) < 0) {
		buf_fmt(j->notes, "%s\n", bad.msg);
		return 0;
	}
	if (pe.machine == j->im->machine)
		return 1;
	buf_fmt(j->notes, "%s: is for %s, this Windows is %s\n", host,
		hn_pe_machine_name(pe.machine),
		hn_pe_machine_name(j->im->machine));
	return 0;
}

/* ---- files ---- */

/* The folder in the image that a CopyFiles section fills; NULL for one that no
 * boot needs. */
static const char *
destination(const struct hn_inf *inf, const char *section)
{
	const struct hn_inf_section *s = hn_inf_section(inf, "DestinationDirs");
	const struct hn_inf_line *l = hn_inf_line(s, section);
	const char *id;

	if (l == NULL)
		l = hn_inf_line(s, "DefaultDestDir");
	id = l != NULL && l->fields > 0 ? l->field[0] : "";
	if (l != NULL && l->fields > 1 && l->field[1][0] != '\0')
		return NULL;
	return strcmp(id, "12") == 0 ? "System32/drivers" :
	       strcmp(id, "11") == 0 ? "System32" :
	       strcmp(id, "10") == 0 ? "" : NULL;
}

/* What passes over the files of a package do: the first only looks, so that a
 * package that cannot be used leaves no wish behind. */
enum pass { LOOK, WISH };

/* 1; 0 when the file is not there or not for this machine; -1. */
static int
want_one(struct hn_job *j, enum pass pass, const struct hn_package *p,
	 const char *dir, const char *name, const char *source, struct err *e)
{
	SCOPED_FREE char *host = NULL, *path = NULL;
	size_t len = strlen(name);
	int r = hn_package_file(p, source[0] != '\0' ? source : name, &host, e);

	if (r == 0)
		buf_fmt(j->notes, "%s: names %s, which is not there\n", p->path,
			source[0] != '\0' ? source : name);
	if (r == 1 && len > 4 && strcasecmp(name + len - 4, ".sys") == 0)
		r = fits(j, host, e);
	if (r <= 0 || pass == LOOK)
		return r;
	path = mem_fmt(e, "%s/%s%s%s", j->im->in->root, dir,
		       dir[0] != '\0' ? "/" : "", name);
	if (path == NULL)
		return -1;
	want_host_file(j, path, host);
	return 1;
}

static int
copy_section(struct hn_job *j, enum pass pass, const struct hn_package *p,
	     const char *word, struct err *e)
{
	const struct hn_inf_section *s = hn_inf_section(&p->inf, word);
	const char *dir = destination(&p->inf, word);

	if (word[0] == '@')
		return want_one(j, pass, p, destination(&p->inf, "") != NULL ?
				destination(&p->inf, "") : "System32/drivers",
				word + 1, "", e);
	for (size_t i = 0; s != NULL && dir != NULL && i < s->lines; i++) {
		SCOPED_FREE char *name = hn_inf_field(&p->inf, &s->line[i], 0,
						      e);
		SCOPED_FREE char *source = hn_inf_field(&p->inf, &s->line[i],
							1, e);
		int r;

		if (name == NULL || source == NULL)
			return -1;
		if (name[0] == '\0' || strpbrk(name, "/\\:") != NULL)
			continue;
		r = want_one(j, pass, p, dir, name, source, e);
		if (r <= 0)
			return r;
	}
	return 1;
}

static int
copy_files(struct hn_job *j, enum pass pass, const struct hn_match *m,
	   struct err *e)
{
	const struct hn_inf *inf = &m->package->inf;
	const struct hn_inf_section *s = hn_inf_section(inf, m->install);

	for (size_t i = 0; s != NULL && i < s->lines; i++) {
		const struct hn_inf_line *l = &s->line[i];

		if (l->key == NULL || strcasecmp(l->key, "CopyFiles") != 0)
			continue;
		for (size_t f = 0; f < l->fields; f++) {
			SCOPED_FREE char *word = hn_inf_field(inf, l, f, e);
			int r = word == NULL ? -1 :
				copy_section(j, pass, m->package, word, e);

			if (r <= 0)
				return r;
		}
	}
	return 1;
}

/* The INF as oemN.inf, with its catalogue, once. */
static int
want_inf(struct hn_job *j, const struct hn_package *p, struct err *e)
{
	const struct hn_inf_line *l =
		hn_inf_line(hn_inf_section(&p->inf, "Version"), "CatalogFile");
	SCOPED_FREE char *catalogue = hn_inf_field(&p->inf, l, 0, e);
	SCOPED_FREE char *host = NULL, *to = NULL;
	struct vo_stat st;
	int r = 1;

	if (catalogue == NULL)
		return -1;
	if (j->last_inf == p)
		return 0;
	j->last_inf = p;
	for (; r == 1 && j->next_oem < OEM_MAX; j->next_oem += r == 1) {
		SCOPED_FREE char *path = mem_fmt(e, "%s/inf/oem%u.inf",
						 j->im->in->root, j->next_oem);

		r = path == NULL ? -1 : vo_stat(j->im->vo, path, &st, e);
		if (r == 0)
			want_host_file(j, path, p->path);
	}
	if (r < 0)
		return -1;
	r = catalogue[0] != '\0' ?
	    hn_package_file(p, catalogue, &host, e) : 0;
	if (r < 0)
		return -1;
	if (r == 0) {
		buf_fmt(j->notes, "%s: the driver has no catalogue, so it is "
			"not signed\n", p->path);
	} else {
		to = mem_fmt(e, "%s/" CATALOGUES "/oem%u.cat", j->im->in->root,
			     j->next_oem);
		if (to == NULL)
			return -1;
		want_host_file(j, to, host);
	}
	j->next_oem++;
	return 0;
}

/* ---- the service ---- */

/* "%12%\x.sys" as an ImagePath; the caller frees. */
static char *
image_path(const char *binary, struct err *e)
{
	static const struct {
		const char *id, *path;
	} dirs[] = {
		{ "%12%", "System32\\drivers" }, { "%11%", "System32" },
		{ "%10%", "\\SystemRoot" },
	};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		if (strncmp(binary, dirs[i].id, 4) == 0)
			return mem_fmt(e, "%s%s", dirs[i].path, binary + 4);
	return mem_str(binary, e);
}

/* A value of an AddReg line, from its type's flags. */
static int
want_reg(struct hn_job *j, const char *key, const struct hn_inf *inf,
	 const struct hn_inf_line *l, struct err *e)
{
	SCOPED_FREE char *root = hn_inf_field(inf, l, 0, e);
	SCOPED_FREE char *sub = hn_inf_field(inf, l, 1, e);
	SCOPED_FREE char *name = hn_inf_field(inf, l, 2, e);
	SCOPED_FREE char *text = hn_inf_field(inf, l, 4, e);
	SCOPED_FREE char *path = NULL;
	uint32_t flags, v;

	if (root == NULL || sub == NULL || name == NULL || text == NULL ||
	    hn_inf_number(inf, l, 3, 0, &flags, e) < 0 ||
	    hn_inf_number(inf, l, 4, 0, &v, e) < 0)
		return -1;
	path = sub[0] != '\0' ? mem_fmt(e, "%s\\%s", key, sub) :
	       mem_str(key, e);
	if (path == NULL)
		return -1;
	if (strcasecmp(root, "HKR") != 0)
		return 0;
	if ((flags & 0xff0001) == 0x10001)
		cs_want_dword(j->plan, j->sys, path, name, v, service_reason);
	else if ((flags & 0xff0001) == 0x20000)
		cs_want_expand_sz(j->plan, j->sys, path, name, text,
				  service_reason);
	else if ((flags & 0xff0001) == 0)
		cs_want_sz(j->plan, j->sys, path, name, text, service_reason);
	else
		buf_fmt(j->notes, "%s\\%s: of a type that is left to plug and "
			"play\n", path, name);
	return 0;
}

static int
add_reg(struct hn_job *j, const char *key, const struct hn_inf *inf,
	const struct hn_inf_section *service, struct err *e)
{
	const struct hn_inf_line *l = hn_inf_line(service, "AddReg");

	for (size_t f = 0; l != NULL && f < l->fields; f++) {
		SCOPED_FREE char *name = hn_inf_field(inf, l, f, e);
		const struct hn_inf_section *s;

		if (name == NULL)
			return -1;
		s = hn_inf_section(inf, name);
		for (size_t i = 0; s != NULL && i < s->lines; i++)
			if (want_reg(j, key, inf, &s->line[i], e) < 0)
				return -1;
	}
	return 0;
}

/* The line of the service that drives the device (SPSVCINST_ASSOCSERVICE). */
static const struct hn_inf_line *
service_line(const struct hn_match *m, struct err *e)
{
	const struct hn_inf *inf = &m->package->inf;
	SCOPED_FREE char *name = mem_fmt(e, "%s.Services", m->install);
	const struct hn_inf_section *s =
		name != NULL ? hn_inf_section(inf, name) : NULL;

	for (size_t i = 0; s != NULL && i < s->lines; i++) {
		const struct hn_inf_line *l = &s->line[i];
		uint32_t flags;

		if (l->key == NULL || strcasecmp(l->key, "AddService") != 0)
			continue;
		if (hn_inf_number(inf, l, 1, 0, &flags, e) < 0)
			return NULL;
		if ((flags & 2) != 0)
			return l;
	}
	return NULL;
}

static int
want_service(struct hn_job *j, const struct hn_set *set, const char *name,
	     const struct hn_inf *inf, const struct hn_inf_section *s,
	     struct err *e)
{
	SCOPED_FREE char *key = hn_service_key(set, name, e);
	SCOPED_FREE char *binary = hn_inf_field(inf,
		hn_inf_line(s, "ServiceBinary"), 0, e);
	SCOPED_FREE char *group = hn_inf_field(inf,
		hn_inf_line(s, "LoadOrderGroup"), 0, e);
	SCOPED_FREE char *path = binary != NULL ? image_path(binary, e) : NULL;
	uint32_t type, control;

	if (key == NULL || group == NULL || path == NULL ||
	    hn_inf_number(inf, hn_inf_line(s, "ServiceType"), 0, 1, &type,
			  e) < 0 ||
	    hn_inf_number(inf, hn_inf_line(s, "ErrorControl"), 0, 1, &control,
			  e) < 0)
		return -1;
	cs_want_dword(j->plan, j->sys, key, "Start", 0, service_reason);
	cs_want_dword(j->plan, j->sys, key, "Type", type, service_reason);
	cs_want_dword(j->plan, j->sys, key, "ErrorControl", control,
		      service_reason);
	cs_want_expand_sz(j->plan, j->sys, key, "ImagePath", path,
			  service_reason);
	if (group[0] != '\0')
		cs_want_sz(j->plan, j->sys, key, "Group", group,
			   service_reason);
	return add_reg(j, key, inf, s, e);
}

static int
want_binding(struct hn_job *j, const struct hn_set *set,
	     const struct hn_match *m, const char *service, struct err *e)
{
	const struct hn_inf *inf = &m->package->inf;
	SCOPED_FREE char *class_guid = hn_inf_field(inf,
		hn_inf_line(hn_inf_section(inf, "Version"), "ClassGUID"), 0, e);
	SCOPED_FREE char *name = hn_critical_name(m->id, e);
	SCOPED_FREE char *key = name != NULL ?
		mem_fmt(e, "%s\\Control\\CriticalDeviceDatabase\\%s",
			set->name, name) : NULL;

	if (class_guid == NULL || key == NULL)
		return -1;
	cs_want_sz(j->plan, j->sys, key, "Service", service, binding_reason);
	cs_want_sz(j->plan, j->sys, key, "ClassGUID", class_guid,
		   binding_reason);
	return 0;
}

/* One match: 1; 0 when it cannot be used, with a note; -1. */
static int
inject(struct hn_job *j, const struct hn_set *set, const struct hn_match *m,
       struct err *e)
{
	const struct hn_inf *inf = &m->package->inf;
	const struct hn_inf_line *l = service_line(m, e);
	SCOPED_FREE char *service = hn_inf_field(inf, l, 0, e);
	SCOPED_FREE char *section = hn_inf_field(inf, l, 2, e);
	const struct hn_inf_section *s;
	int r;

	if (service == NULL || section == NULL || e->kind != ERR_NONE)
		return -1;
	s = hn_inf_section(inf, section);
	if (service[0] == '\0' || strchr(service, '\\') != NULL || s == NULL) {
		buf_fmt(j->notes, "%s: names no service for %s\n",
			m->package->path, m->id);
		return 0;
	}
	r = copy_files(j, LOOK, m, e);
	if (r <= 0)
		return r;
	if (copy_files(j, WISH, m, e) < 0 || want_inf(j, m->package, e) < 0 ||
	    want_service(j, set, service, inf, s, e) < 0 ||
	    want_binding(j, set, m, service, e) < 0)
		return -1;
	return 1;
}

int
hn_inject(struct hn_job *j, const struct hn_set *set,
	  const struct hn_device *d, struct err *e)
{
	SCOPED_FREE bool *tried = NULL;

	if (j->drivers == NULL || hn_has_database(j->im))
		return 0;
	tried = mem_array(j->drivers->count, sizeof(*tried), e);
	if (tried == NULL)
		return -1;
	for (;;) {
		HN_MATCH_SCOPED struct hn_match m = HN_MATCH_EMPTY;
		int r = hn_driver_match(j->drivers, tried, j->im, d, &m, e);

		if (r > 0)
			r = inject(j, set, &m, e);
		else
			return r;
		if (r != 0)
			return r;
		tried[m.package - j->drivers->at] = true;
	}
}
