/* package_db.c - a driver package in SYSTEM\DriverDatabase; see rule_package.c
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/rule.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"

#define DATABASE "DriverDatabase"
#define LOCKDOWN "Microsoft\\Windows\\CurrentVersion\\Setup\\PnpLockdownFiles"

enum {
	SCORE_SIGNED = 0x0d000005,	/* by a catalogue of others */
	SCORE_UNSIGNED = (int)0x80000000,
	STATUS_FLAGS = 0x12,
	MAP_BYTES_MAX = 1250,		/* 10,000 packages */
};

static const struct cs_reason why = {
	"drivers/W4", "from 8 on Windows finds the driver of a boot device in "
	"DriverDatabase"
};

/* What the entries of one package have in common. */
struct entry {
	struct hn_job *j;
	const struct hn_package *p;
	const char *package;	/* "vio.inf_amd64_..." */
	char oem[32];		/* "oem3.inf" */
	char *key;		/* DriverDatabase\DriverPackages\PACKAGE */
	struct buf configs;	/* names, each with its NUL */
};

/* ---- Version ---- */

/* The bytes of a GUID's text, as it lies in memory. */
static bool
guid_bytes(const char *text, uint8_t ret[16])
{
	static const int order[] = {
		3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15
	};
	size_t n = 0;

	for (const char *c = text; *c != '\0' && n < 32; c++) {
		int digit = isdigit((unsigned char)*c) ? *c - '0' :
			    isxdigit((unsigned char)*c) ?
			    tolower((unsigned char)*c) - 'a' + 10 : -1;

		if (digit < 0)
			continue;
		if (n % 2 == 0)
			ret[order[n / 2]] = (uint8_t)(digit << 4);
		else
			ret[order[n / 2]] |= (uint8_t)digit;
		n++;
	}
	return n == 32;
}

/* Days from 1601-01-01 in the Gregorian calendar. */
static uint64_t
days(unsigned year, unsigned month, unsigned day)
{
	static const unsigned before[] = {
		0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
	};
	unsigned y = year - 1601;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return (uint64_t)y * 365 + y / 4 - y / 100 + y / 400 +
	       before[month - 1] + (month > 2 && leap) + day - 1;
}

/* 00 FF 09 00, class, date, version (the last number first), zeros. */
static void
put_version(const char *guid, const char *date, const char *version,
	    struct buf *out)
{
	unsigned month = 0, day = 0, year = 0, v[4] = { 0 };
	uint8_t class[16] = { 0 };
	uint64_t time = 0;

	if (sscanf(date, "%2u/%2u/%4u", &month, &day, &year) == 3 &&
	    year >= 1601 && month >= 1 && month <= 12 && day >= 1 && day <= 31)
		time = days(year, month, day) * UINT64_C(864000000000);
	(void)sscanf(version, "%5u.%5u.%5u.%5u", &v[0], &v[1], &v[2], &v[3]);
	(void)guid_bytes(guid, class);
	buf_u32le(out, 0x0009ff00);
	buf_u32le(out, 0);
	buf_bytes(out, class, sizeof(class));
	buf_u64le(out, time);
	for (int i = 3; i >= 0; i--)
		buf_u16le(out, (uint16_t)v[i]);
	buf_u64le(out, 0);
}

/* ---- one model ---- */

/* A text of an INF as the database keeps it: "%token%" with the token's text in
 * Strings, or the text itself. */
static int
want_text(const struct entry *en, const char *key, const char *name,
	  const char *raw, struct err *e)
{
	const struct hn_inf *inf = &en->p->inf;
	SCOPED_FREE char *text = hn_inf_text(inf, raw, e);
	size_t len = strlen(raw);
	SCOPED_FREE char *token = NULL, *strings = NULL, *mark = NULL;

	if (text == NULL)
		return -1;
	if (len < 3 || raw[0] != '%' || raw[len - 1] != '%' ||
	    memchr(raw + 1, '%', len - 2) != NULL) {
		cs_want_sz(en->j->plan, en->j->sys, key, name, text, why);
		return 0;
	}
	token = mem_strn(raw + 1, len - 2, e);
	strings = mem_fmt(e, "%s\\Strings", en->key);
	for (char *c = token; c != NULL && *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	mark = token != NULL ? mem_fmt(e, "%%%s%%", token) : NULL;
	if (mark == NULL || strings == NULL)
		return -1;
	cs_want_sz(en->j->plan, en->j->sys, key, name, mark, why);
	cs_want_sz(en->j->plan, en->j->sys, strings, token, text, why);
	return 0;
}

/* A configuration: the install section's service and its values. */
static int
want_configuration(struct entry *en, const char *install, struct err *e)
{
	const struct hn_inf *inf = &en->p->inf;
	SCOPED_FREE char *key = mem_fmt(e, "%s\\Configurations\\%s", en->key,
					install);
	SCOPED_FREE char *hardware = mem_fmt(e, "%s.HW", install);
	SCOPED_FREE char *device = mem_fmt(e, "%s\\Configurations\\%s\\Device",
					   en->key, install);
	SCOPED_FREE char *service = NULL, *section = NULL, *values = NULL;
	const struct hn_inf_line *l;

	if (key == NULL || hardware == NULL || device == NULL ||
	    hn_service_line(inf, install, &l, e) < 0)
		return -1;
	service = hn_inf_field(inf, l, 0, e);
	section = hn_inf_field(inf, l, 2, e);
	if (service == NULL || section == NULL)
		return -1;
	cs_want_dword(en->j->plan, en->j->sys, key, "ConfigFlags", 0, why);
	cs_want_dword(en->j->plan, en->j->sys, key, "ConfigScope", 7, why);
	if (service[0] == '\0' || strchr(service, '\\') != NULL)
		return 0;
	cs_want_sz(en->j->plan, en->j->sys, key, "Service", service, why);
	values = mem_fmt(e, "%s\\Services\\%s", key, service);
	if (values == NULL ||
	    hn_want_reg(en->j, values, inf, hn_inf_section(inf, section),
			e) < 0)
		return -1;
	return hn_want_reg(en->j, device, inf, hn_inf_section(inf, hardware),
			   e);
}

/* Remember a configuration's name: 1 when it is new. */
static bool
new_config(struct entry *en, const char *name)
{
	const char *at = (const char *)en->configs.at;

	for (size_t i = 0; i < en->configs.len; i += strlen(at + i) + 1)
		if (strcasecmp(at + i, name) == 0)
			return false;
	buf_bytes(&en->configs, name, strlen(name) + 1);
	return true;
}

static int
want_id(struct entry *en, const char *id, const char *install,
	const char *maker, const char *description, struct err *e)
{
	/* A class is a more general id than a device's own. */
	bool general = strncasecmp(id, "PCI\\CC_", 7) == 0;
	SCOPED_FREE char *ids = mem_fmt(e, DATABASE "\\DeviceIds\\%s", id);
	SCOPED_FREE char *key = mem_fmt(e, "%s\\Descriptors\\%s", en->key, id);

	if (ids == NULL || key == NULL)
		return -1;
	cs_want_value(en->j->plan, en->j->sys, ids, en->oem, HV_BINARY,
		      general ? "\x02\xff\0\0" : "\x01\xff\0\0", 4, why);
	cs_want_sz(en->j->plan, en->j->sys, key, "Configuration", install,
		   why);
	if (want_text(en, key, "Description", description, e) < 0)
		return -1;
	return want_text(en, key, "Manufacturer", maker, e);
}

static int
want_model(void *arg, const struct hn_package *p, const char *maker,
	   const struct hn_inf_line *line, struct err *e)
{
	struct entry *en = arg;
	SCOPED_FREE char *install = hn_install_name(en->j->im, &p->inf, line,
						    e);

	if (install == NULL)
		return -1;
	if (new_config(en, install) && want_configuration(en, install, e) < 0)
		return -1;
	for (size_t f = 1; f < line->fields; f++) {
		SCOPED_FREE char *id = hn_inf_field(&p->inf, line, f, e);

		if (id == NULL)
			return -1;
		/* An id is one key below its bus. */
		if (id[0] == '\0' || strchr(id, '\\') == NULL)
			continue;
		if (want_id(en, id, install, maker,
			    line->key != NULL ? line->key : "", e) < 0)
			return -1;
	}
	return 0;
}

/* ---- the package ---- */

static int
want_package_values(struct entry *en, struct err *e)
{
	const struct hn_inf *inf = &en->p->inf;
	const struct hn_inf_section *v = hn_inf_section(inf, "Version");
	const struct hn_inf_line *driver = hn_inf_line(v, "DriverVer");
	SCOPED_FREE char *guid = hn_inf_field(inf, hn_inf_line(v, "ClassGuid"),
					      0, e);
	SCOPED_FREE char *date = hn_inf_field(inf, driver, 0, e);
	SCOPED_FREE char *number = hn_inf_field(inf, driver, 1, e);
	SCOPED_FREE char *provider = hn_inf_field(inf, hn_inf_line(v,
						  "Provider"), 0, e);
	SCOPED_FREE char *name = NULL, *host = NULL;
	BUF_SCOPED struct buf version = BUF_EMPTY;
	struct cs_hive sys = en->j->sys;
	struct cs_plan *plan = en->j->plan;
	uint8_t size[8];
	struct stat st;
	int has = hn_package_catalogue(en->j, en->p, &name, &host, e);

	if (guid == NULL || date == NULL || number == NULL ||
	    provider == NULL || has < 0)
		return -1;
	if (stat(en->p->path, &st) < 0)
		return err_sys(e, "%s", en->p->path);
	put_version(guid, date, number, &version);
	if (buf_ok(&version, e) < 0)
		return -1;
	num_put_u64le(size, (uint64_t)st.st_size);
	cs_want_sz(plan, sys, en->key, "", en->oem, why);
	cs_want_sz(plan, sys, en->key, "InfName",
		   strrchr(en->p->path, '/') + 1, why);
	cs_want_sz(plan, sys, en->key, "OemPath", "", why);
	cs_want_sz(plan, sys, en->key, "Provider", provider, why);
	cs_want_value(plan, sys, en->key, "Version", HV_BINARY, version.at,
		      version.len, why);
	cs_want_value(plan, sys, en->key, "FileSize", HV_QWORD, size, 8, why);
	cs_want_dword(plan, sys, en->key, "StatusFlags", STATUS_FLAGS, why);
	cs_want_dword(plan, sys, en->key, "SignerScore", has == 1 ?
		      (uint32_t)SCORE_SIGNED : (uint32_t)SCORE_UNSIGNED, why);
	if (has == 1)
		cs_want_sz(plan, sys, en->key, "Catalog", name, why);
	return 0;
}

/* DriverInfFiles\oemN.inf: which package it is, and its configurations. */
static int
want_inf_file(struct entry *en, struct err *e)
{
	SCOPED_FREE char *key = mem_fmt(e, DATABASE "\\DriverInfFiles\\%s",
					en->oem);
	const char *const package[] = { en->package };
	const char *names[HN_INF_FIELDS];
	const char *at = (const char *)en->configs.at;
	size_t n = 0;

	if (key == NULL || buf_ok(&en->configs, e) < 0)
		return -1;
	for (size_t i = 0; i < en->configs.len && n < HN_INF_FIELDS;
	     i += strlen(at + i) + 1)
		names[n++] = at + i;
	cs_want_multi_sz(en->j->plan, en->j->sys, key, "", package, 1, why);
	cs_want_sz(en->j->plan, en->j->sys, key, "Active", en->package, why);
	cs_want_multi_sz(en->j->plan, en->j->sys, key, "Configurations", names,
			 n, why);
	return 0;
}

/* One bit for each oemN.inf that is there, the highest of each byte first; all
 * that this plan brings, in one value. */
static void
want_map(struct hn_job *j)
{
	struct hv_key *k = hv_find(hv_root(j->im->sys), DATABASE);
	const struct hv_value *v = k != NULL ? hv_value(k, "OemInfMap") : NULL;
	struct hv_data d = v != NULL ? hv_data(v) : (struct hv_data){ 0 };
	uint8_t map[MAP_BYTES_MAX] = { 0 };
	size_t len = d.len < sizeof(map) ? d.len : sizeof(map);

	if (len > 0)
		memcpy(map, d.at, len);
	for (size_t i = 0; i < j->drivers->count; i++) {
		if (j->oem[i] >= 8 * sizeof(map))
			continue;
		map[j->oem[i] / 8] |= (uint8_t)(0x80 >> j->oem[i] % 8);
		if (j->oem[i] / 8 >= len)
			len = j->oem[i] / 8 + 1;
	}
	cs_want_value(j->plan, j->sys, DATABASE, "OemInfMap", HV_BINARY, map,
		      len, why);
}

void
hn_want_oem_map(struct hn_job *j)
{
	for (size_t i = 0; j->drivers != NULL && i < j->drivers->count; i++)
		if (j->oem[i] != HN_NO_OEM) {
			want_map(j);
			return;
		}
}

int
hn_want_lockdown(struct hn_job *j, const struct hn_package *p,
		 const char *dir, const char *file, struct err *e)
{
	struct cs_hive soft = { j->volume, j->im->in->hive_path[WN_SOFTWARE] };
	SCOPED_FREE char *key = mem_fmt(e, LOCKDOWN "\\%%SystemRoot%%/System32"
					"/drivers/%s", file);
	SCOPED_FREE char *source = mem_fmt(e, "%%SystemRoot%%\\%s\\%s", dir,
					   file);
	char oem[32];
	const char *const owners[] = { oem };
	unsigned n;

	if (key == NULL || source == NULL || hn_oem_number(j, p, &n, e) < 0)
		return -1;
	if (soft.path == NULL)
		return 0;
	(void)snprintf(oem, sizeof(oem), "oem%u.inf", n);
	for (char *c = source; *c != '\0'; c++)
		if (*c == '/')
			*c = '\\';
	cs_want_dword(j->plan, soft, key, "Class", 4, why);
	cs_want_multi_sz(j->plan, soft, key, "Owners", owners, 1, why);
	cs_want_expand_sz(j->plan, soft, key, "Source", source, why);
	return 0;
}

static void
entry_done(struct entry *en)
{
	free(en->key);
	buf_done(&en->configs);
}

int
hn_want_database(struct hn_job *j, const struct hn_package *p,
		 const char *dir, struct err *e)
{
	SCOPED(entry_done) struct entry en = {
		.j = j, .p = p, .package = strrchr(dir, '/') + 1,
	};
	unsigned n;

	if (hn_oem_number(j, p, &n, e) < 0)
		return -1;
	(void)snprintf(en.oem, sizeof(en.oem), "oem%u.inf", n);
	en.key = mem_fmt(e, DATABASE "\\DriverPackages\\%s", en.package);
	if (en.key == NULL || want_package_values(&en, e) < 0 ||
	    hn_package_models(p, j->im, want_model, &en, e) < 0)
		return -1;
	return want_inf_file(&en, e);
}
