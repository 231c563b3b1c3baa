/* rule_drivers.c - a driver from the administrator's folder
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What Setup does for a mass-storage driver: its files, its service at boot
 * start with the values of its INF (AddService, AddReg), and for XP to 7 the
 * device's id in CriticalDeviceDatabase (rows X11, X12, V3); for 8 and later
 * the package (rule_package.c).  The INF goes to %SystemRoot%\inf as oemN.inf
 * and its catalogue to CatRoot; to 7 the package also lies in a folder of
 * DevicePath (row X22), so that plug and play, which installs the device
 * properly when Windows is up, finds its files.
 */
#include "hal-neutral/rule.h"

#include <stdarg.h>
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

/* Remember why a driver was not taken, for the case that none is. */
PRINTF(2, 3) static int
refuse(struct hn_job *j, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (j->refused.kind == ERR_NONE)
		(void)err_set(&j->refused, ERR_UNSAFE, "%s", text);
	return 0;
}

/* 64-bit Vista and later start only drivers that are signed, by a catalogue or
 * in the file itself (research W12; which signer, is not verified). */
static int
is_signed(struct hn_job *j, const struct hn_package *p, const char *host,
	  const struct hn_pe *pe, struct err *e)
{
	SCOPED_FREE char *name = NULL, *catalogue = NULL;
	int r;

	if (j->im->machine == HN_PE_I386 || pe->has_certificate ||
	    j->im->in->generation < WN_VISTA)
		return 1;
	r = hn_package_catalogue(j, p, &name, &catalogue, e);
	return r != 0 ? r :
	       refuse(j, "%s: is not signed, and 64-bit Windows starts no such "
		      "driver; give the package with its catalogue (%s)", host,
		      name[0] != '\0' ? name : "its INF names none");
}

/* Is the file one that this Windows would start? */
static int
fits(struct hn_job *j, const struct hn_package *p, const char *host,
     struct err *e)
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
	if (pe.machine != j->im->machine)
		return refuse(j, "%s: is for %s, this Windows is %s; give the "
			      "package for that", host,
			      hn_pe_machine_name(pe.machine),
			      hn_pe_machine_name(j->im->machine));
	return is_signed(j, p, host, &pe, e);
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

/* Where the package's files lie together. */
static char *
folder(const struct hn_job *j, const struct hn_package *p, struct err *e)
{
	SCOPED_FREE char *name = hn_package_name(j, p, e);

	if (name == NULL)
		return NULL;
	return hn_has_database(j->im) ?
	       mem_fmt(e, "System32/DriverStore/FileRepository/%s", name) :
	       mem_fmt(e, "Drivers/%s", name);
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
	int r = hn_package_file(p, hn_arch_word(j->im),
				source[0] != '\0' ? source : name, &host, e);

	if (r == 0)
		buf_fmt(j->notes, "%s: names %s, which is not there\n", p->path,
			source[0] != '\0' ? source : name);
	if (r == 1 && len > 4 && strcasecmp(name + len - 4, ".sys") == 0)
		r = fits(j, p, host, e);
	if (r <= 0 || pass == LOOK)
		return r;
	path = mem_fmt(e, "%s/%s%s%s", j->im->in->root, dir,
		       dir[0] != '\0' ? "/" : "", name);
	if (path == NULL)
		return -1;
	want_host_file(j, path, host);
	if (hn_has_database(j->im) && strcmp(dir, "System32/drivers") == 0) {
		SCOPED_FREE char *store = folder(j, p, e);

		if (store == NULL ||
		    hn_want_lockdown(j, p, store, name, e) < 0)
			return -1;
	}
	return 1;
}

/* `into`: that folder for all of them; NULL: where the INF says. */
static int
copy_section(struct hn_job *j, enum pass pass, const struct hn_package *p,
	     const char *word, const char *into, struct err *e)
{
	const struct hn_inf_section *s = hn_inf_section(&p->inf, word);
	const char *dir = into != NULL ? into : destination(&p->inf, word);
	const char *rest = into != NULL ? into : destination(&p->inf, "");

	if (word[0] == '@')
		return want_one(j, pass, p, rest != NULL ? rest :
				"System32/drivers", word + 1, "", e);
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
		/* A folder of the package keeps the names of its files. */
		if (into != NULL && source[0] != '\0')
			r = want_one(j, pass, p, dir, source, "", e);
		else
			r = want_one(j, pass, p, dir, name, source, e);
		if (r <= 0)
			return r;
	}
	return 1;
}

static int
copy_files(struct hn_job *j, enum pass pass, const struct hn_match *m,
	   const char *into, struct err *e)
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
				copy_section(j, pass, m->package, word,
					     into, e);

			if (r <= 0)
				return r;
		}
	}
	return 1;
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

int
hn_service_line(const struct hn_inf *inf, const char *install,
		const struct hn_inf_line **ret, struct err *e)
{
	SCOPED_FREE char *name = mem_fmt(e, "%s.Services", install);
	const struct hn_inf_section *s =
		name != NULL ? hn_inf_section(inf, name) : NULL;

	*ret = NULL;
	if (name == NULL)
		return -1;
	for (size_t i = 0; s != NULL && i < s->lines && *ret == NULL; i++) {
		const struct hn_inf_line *l = &s->line[i];
		uint32_t flags;

		if (l->key == NULL || strcasecmp(l->key, "AddService") != 0)
			continue;
		if (hn_inf_number(inf, l, 1, 0, &flags, e) < 0)
			return -1;
		/* SPSVCINST_ASSOCSERVICE: it drives the device. */
		if ((flags & 2) != 0)
			*ret = l;
	}
	return 0;
}

/* From 8 on, whose a service is, so that the package can be uninstalled. */
static int
want_owner(struct hn_job *j, const char *key, const struct hn_package *p,
	   struct err *e)
{
	char name[32];
	const char *const list[] = { name };
	unsigned n;

	if (hn_oem_number(j, p, &n, e) < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "oem%u.inf", n);
	cs_want_multi_sz(j->plan, j->sys, key, "Owners", list, 1,
			 service_reason);
	return 0;
}

static int
want_service(struct hn_job *j, const struct hn_set *set, const char *name,
	     const struct hn_package *p, const struct hn_inf_section *s,
	     struct err *e)
{
	const struct hn_inf *inf = &p->inf;
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
	if (hn_has_database(j->im) && want_owner(j, key, p, e) < 0)
		return -1;
	return hn_want_reg(j, key, inf, s, e);
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
	const struct hn_inf_line *l;
	SCOPED_FREE char *service = NULL, *section = NULL, *dir = NULL;
	const struct hn_inf_section *s;
	int r;

	if (hn_service_line(inf, m->install, &l, e) < 0)
		return -1;
	service = hn_inf_field(inf, l, 0, e);
	section = hn_inf_field(inf, l, 2, e);
	dir = folder(j, m->package, e);
	if (service == NULL || section == NULL || dir == NULL)
		return -1;
	s = hn_inf_section(inf, section);
	if (service[0] == '\0' || strchr(service, '\\') != NULL || s == NULL) {
		buf_fmt(j->notes, "%s: names no service for %s\n",
			m->package->path, m->id);
		return 0;
	}
	r = copy_files(j, LOOK, m, NULL, e);
	if (r <= 0)
		return r;
	if (copy_files(j, WISH, m, NULL, e) < 0 ||
	    copy_files(j, WISH, m, dir, e) < 0 ||
	    hn_want_package(j, m->package, dir, e) < 0 ||
	    want_service(j, set, service, m->package, s, e) < 0)
		return -1;
	if (!hn_has_database(j->im) &&
	    want_binding(j, set, m, service, e) < 0)
		return -1;
	return 1;
}

int
hn_inject(struct hn_job *j, const struct hn_set *set,
	  const struct hn_device *d, struct err *e)
{
	SCOPED_FREE bool *tried = NULL;
	int r = 0;

	if (j->drivers == NULL || j->drivers->count == 0)
		return 0;
	tried = mem_array(j->drivers->count, sizeof(*tried), e);
	if (tried == NULL)
		return -1;
	j->refused = (struct err)ERR_INIT;
	while (r == 0) {
		HN_MATCH_SCOPED struct hn_match m = HN_MATCH_EMPTY;

		r = hn_driver_match(j->drivers, tried, j->im, d, &m, e);
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		r = inject(j, set, &m, e);
		tried[m.package - j->drivers->at] = true;
	}
	if (r == 0 && j->refused.kind != ERR_NONE)
		return err_set(e, ERR_UNSAFE, "%s", j->refused.msg);
	return r;
}
