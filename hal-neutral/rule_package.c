/* rule_package.c - a driver package as Windows keeps it: INF, catalogue, store
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * To 7: the INF in %SystemRoot%\\inf as oemN.inf, the catalogue in CatRoot, and
 * the package's files in a folder of DevicePath (rows V3, X22).
 * From 8 on (rows W4 to W8): the package NAME.inf_ARCH_HASH in the driver store,
 * in PnpLockdownFiles, and in SYSTEM\\DriverDatabase: DeviceIds of every id that
 * the INF has for this image, DriverInfFiles, DriverPackages with
 * Configurations, Descriptors, Strings and the 48 bytes of Version, and the bit
 * in OemInfMap.  Values as distrobuilder (windows/driver_*.go) writes them and
 * real hives have them.
 */
#include "hal-neutral/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "hal-neutral/binding.h"

#define CATALOGUES "System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"
#define CURRENT_VERSION "Microsoft\\Windows\\CurrentVersion"

enum { OEM_MAX = 10000 };

static const struct cs_reason why_file = {
	"drivers/W6", "the package as Windows keeps it, so that plug and play "
	"installs the device and can uninstall it"
};

static void
host_file(struct hn_job *j, const char *path, const char *host)
{
	struct cs_source from = { .origin = CS_DRIVERS, .path = host };

	struct cs_reason r = why_file;

	if (!hn_has_database(j->im))
		r.rule = "drivers/V3";
	cs_want_file(j->plan, j->volume, path, from, r);
}

int
hn_package_catalogue(const struct hn_job *j, const struct hn_package *p,
		     char **ret_name, char **ret_host, struct err *e)
{
	const struct hn_inf_section *v = hn_inf_section(&p->inf, "Version");
	char decorated[32];
	const struct hn_inf_line *l;

	(void)snprintf(decorated, sizeof(decorated), "CatalogFile.NT%s",
		       hn_arch_word(j->im));
	l = hn_inf_line(v, decorated);
	if (l == NULL)
		l = hn_inf_line(v, "CatalogFile.NT");
	if (l == NULL)
		l = hn_inf_line(v, "CatalogFile");
	*ret_host = NULL;
	*ret_name = hn_inf_field(&p->inf, l, 0, e);
	if (*ret_name == NULL)
		return -1;
	return (*ret_name)[0] == '\0' ? 0 :
	       hn_package_file(p, hn_arch_word(j->im), *ret_name, ret_host, e);
}

int
hn_oem_number(struct hn_job *j, const struct hn_package *p, unsigned *ret,
	      struct err *e)
{
	unsigned *mine = &j->oem[p - j->drivers->at];
	struct vo_stat st;
	int r = 1;

	while (*mine == HN_NO_OEM && r == 1 && j->next_oem < OEM_MAX) {
		SCOPED_FREE char *path = mem_fmt(e, "%s/inf/oem%u.inf",
						 j->im->in->root, j->next_oem);

		r = path == NULL ? -1 : vo_stat(j->im->vo, path, &st, e);
		if (r == 0)
			*mine = j->next_oem;
		j->next_oem++;
	}
	if (r < 0)
		return -1;
	if (*mine == HN_NO_OEM)
		return err_set(e, ERR_UNSUPPORTED, "%s/inf: more than %d oemN.inf",
			       j->im->in->root, OEM_MAX);
	*ret = *mine;
	return 0;
}

/* The INF as oemN.inf, and its catalogue. */
static int
want_inf(struct hn_job *j, const struct hn_package *p, struct err *e)
{
	SCOPED_FREE char *name = NULL, *host = NULL, *inf = NULL, *cat = NULL;
	unsigned n;
	int r;

	if (hn_oem_number(j, p, &n, e) < 0)
		return -1;
	inf = mem_fmt(e, "%s/inf/oem%u.inf", j->im->in->root, n);
	cat = mem_fmt(e, "%s/" CATALOGUES "/oem%u.cat", j->im->in->root, n);
	if (inf == NULL || cat == NULL)
		return -1;
	host_file(j, inf, p->path);
	r = hn_package_catalogue(j, p, &name, &host, e);
	if (r == 0)
		buf_fmt(j->notes, "%s: the driver has no catalogue, so it is "
			"not signed\n", p->path);
	if (r == 1)
		host_file(j, cat, host);
	return r < 0 ? -1 : 0;
}

char *
hn_package_name(const struct hn_job *j, const struct hn_package *p,
		struct err *e)
{
	const char *leaf = strrchr(p->path, '/') + 1;
	SCOPED_FREE uint8_t *bytes = NULL;
	SCOPED_FREE char *name = mem_str(leaf, e);
	uint8_t hash[HASH_BYTES];
	char text[2 * HASH_BYTES + 1];
	size_t len;

	for (char *c = name; c != NULL && *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	if (name == NULL)
		return NULL;
	if (!hn_has_database(j->im))
		return mem_strn(name, strcspn(name, "."), e);
	if (io_slurp(p->path, HN_INF_BYTES, &bytes, &len, e) < 0)
		return NULL;
	hash_of(bytes, len, hash);
	hash_text(hash, text);
	return mem_fmt(e, "%s_%s_%.16s", name, hn_arch_word(j->im), text);
}

int
hn_want_package(struct hn_job *j, const struct hn_package *p, const char *dir,
		struct err *e)
{
	const char *leaf = strrchr(p->path, '/') + 1;
	SCOPED_FREE char *name = NULL, *host = NULL, *inf = NULL, *cat = NULL;
	int r;

	if (want_inf(j, p, e) < 0)
		return -1;
	r = hn_package_catalogue(j, p, &name, &host, e);
	if (r < 0)
		return -1;
	inf = mem_fmt(e, "%s/%s/%s", j->im->in->root, dir, leaf);
	cat = mem_fmt(e, "%s/%s/%s", j->im->in->root, dir, name);
	if (inf == NULL || cat == NULL)
		return -1;
	host_file(j, inf, p->path);
	if (r == 1)
		host_file(j, cat, host);
	return hn_has_database(j->im) ? hn_want_database(j, p, dir, e) : 0;
}

/* The folders of all packages that are taken, behind what DevicePath lists. */
int
hn_want_device_path(struct hn_job *j, struct err *e)
{
	struct cs_reason r = { "drivers/X22", "plug and play finds the files of "
			       "the given drivers" };
	struct cs_hive soft = { j->volume, j->im->in->hive_path[WN_SOFTWARE] };
	SCOPED_FREE char *old = NULL, *text = NULL;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err odd = ERR_INIT;
	struct hv_hive *h;
	struct hv_key *k;

	if (j->drivers == NULL || soft.path == NULL || hn_has_database(j->im))
		return 0;
	h = cs_target_hive(j->im->target, j->im->serial, soft.path, e);
	if (h == NULL)
		return -1;
	k = hv_find(hv_root(h), CURRENT_VERSION);
	if (k == NULL || hv_get_str(k, "DevicePath", &old, &odd) != 1)
		return 0;
	buf_str(&b, old);
	for (size_t i = 0; i < j->drivers->count; i++) {
		SCOPED_FREE char *name = NULL, *dir = NULL;

		if (j->oem[i] == HN_NO_OEM)
			continue;
		name = hn_package_name(j, &j->drivers->at[i], e);
		dir = name == NULL ? NULL :
		      mem_fmt(e, "%%SystemRoot%%\\Drivers\\%s", name);
		if (dir == NULL)
			return -1;
		if (strcasestr((const char *)b.at, dir) == NULL)
			buf_fmt(&b, ";%s", dir);
	}
	text = buf_take_str(&b, e);
	if (text == NULL)
		return -1;
	/* Its type stays what it is. */
	if (hv_data(hv_value(k, "DevicePath")).type == HV_SZ)
		cs_want_sz(j->plan, soft, CURRENT_VERSION, "DevicePath", text,
			   r);
	else
		cs_want_expand_sz(j->plan, soft, CURRENT_VERSION, "DevicePath",
				  text, r);
	return 0;
}
