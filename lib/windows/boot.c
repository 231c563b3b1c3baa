/* boot.c - which installation the boot files start: boot.ini, BCD
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boot.ini: an INI file whose "default=" under [boot loader] is an ARC path,
 * "multi(0)disk(0)rdisk(0)partition(N)\WINDOWS"; N counts the partitions that
 * are neither empty nor extended from 1.  BCD: a hive; the boot manager
 * {9dea862c-...} has element 23000003 (the default object); an operating
 * system's loader has 21000001 (device: at byte 32 the partition's first byte,
 * or its GUID, by the scheme at byte 52), 22000002 (the folder) and 12000004
 * (the title).  Sources: Microsoft, "BCD reference"; libyal, winreg-kb.
 */
#include "windows/windows.h"

#include <ctype.h>
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "windows/windows-private.h"

enum { BOOT_INI_MAX = 1 << 20 };

static const char boot_manager[] =
	"Objects\\{9dea862c-5cdd-4e70-acc1-f32b344d4795}";

static struct wn_install *
install_at(struct wn_guest *g, size_t volume, const char *root)
{
	while (*root == '\\')
		root++;
	for (size_t i = 0; i < g->installs; i++)
		if (g->install[i].volume == volume &&
		    utf_same8(g->install[i].root, root))
			return &g->install[i];
	return NULL;
}

/* The text behind "key=" of the line at *p, and the next line; false at the
 * end.  The line is cut in place. */
static bool
next_line(char **p, char **ret_line)
{
	char *line = *p;
	size_t n = strcspn(line, "\r\n");

	if (*line == '\0')
		return false;
	*p = line + n + strspn(line + n, "\r\n");
	line[n] = '\0';
	*ret_line = line;
	return true;
}

/* "multi(0)disk(0)rdisk(0)partition(2)\WINDOWS": on which volume of this disk?
 * What names another disk is not ours. */
static size_t
arc_volume(const struct wn_guest *g, const char *arc, const char **ret_root)
{
	const char *p = strcasestr(arc, "partition(");
	const char *disk = strcasestr(arc, "rdisk(");
	char digits[8];
	uint64_t n;
	size_t len;

	if (p == NULL || disk == NULL || strncmp(disk + 6, "0)", 2) != 0)
		return SIZE_MAX;
	p += strlen("partition(");
	len = strcspn(p, ")");
	if (len == 0 || len >= sizeof(digits) || p[len] == '\0')
		return SIZE_MAX;
	memcpy(digits, p, len);
	digits[len] = '\0';
	*ret_root = p + len + 1;
	if (!num_parse(digits, 1, WN_INSTALLS_MAX, false, &n) ||
	    n > g->volumes)
		return SIZE_MAX;
	return (size_t)n - 1;
}

static int
read_boot_ini(struct wn_guest *g, char *text, struct err *e)
{
	char *line, *p = text, *wanted = NULL;
	struct wn_install *in = NULL;
	const char *root;
	size_t volume, n;

	while (next_line(&p, &line))
		if (strncasecmp(line, "default=", 8) == 0)
			wanted = line + 8;
	if (wanted == NULL)
		return 0;
	volume = arc_volume(g, wanted, &root);
	if (volume != SIZE_MAX)
		in = install_at(g, volume, root);
	if (in == NULL)
		return 0;
	in->boots = true;
	/* Lines were cut in place; walk over the NULs for the title. */
	n = strlen(wanted);
	for (line = wanted + n; line < p; line++)
		if (strncasecmp(line, wanted, n) == 0 && line[n] == '=') {
			char *title = line + n + 1;
			char *end = strrchr(title, '"');

			if (title[0] == '"' && end > title) {
				in->boot_title = mem_strn(title + 1,
					(size_t)(end - title) - 1, e);
				return in->boot_title == NULL ? -1 : 0;
			}
		}
	return 0;
}

/* The volume that a device element names. */
static size_t
device_volume(const struct wn_guest *g, const struct hv_key *element)
{
	struct hv_value *v = element == NULL ? NULL :
		hv_value(element, "Element");
	struct hv_data d = { .at = NULL };
	struct cur c;
	uint8_t part[16];
	uint32_t scheme;
	uint64_t start = 0;

	if (v != NULL)
		d = hv_data(v);
	c = cur_over("BCD device", d.at, d.len);
	(void)cur_sub(&c, 32);
	cur_bytes(&c, part, sizeof(part));
	(void)cur_sub(&c, 4);
	scheme = cur_u32le(&c);
	if (!cur_ok(&c))
		return SIZE_MAX;
	for (int i = 7; i >= 0; i--)
		start = start << 8 | part[i];
	for (size_t i = 0; i < g->volumes; i++)
		if (scheme == 0 ? memcmp(g->volume[i].guid, part, 16) == 0 :
		    g->volume[i].start == start)
			return i;
	return SIZE_MAX;
}

/* A string element of a BCD object; NULL when it is absent or broken. */
static char *
element(struct hv_key *object, const char *type)
{
	struct err why = ERR_INIT;
	SCOPED_FREE char *path = mem_fmt(&why, "Elements\\%s", type);
	struct hv_key *k = path == NULL ? NULL : hv_find(object, path);
	char *text = NULL;

	if (k == NULL || hv_get_str(k, "Element", &text, &why) != 1)
		return NULL;
	return text;
}

static int
read_bcd(struct wn_guest *g, struct hv_hive *bcd, struct err *e)
{
	struct hv_key *manager = hv_find(hv_root(bcd), boot_manager);
	SCOPED_FREE char *id = manager == NULL ? NULL :
		element(manager, "23000003");
	SCOPED_FREE char *path = NULL, *root = NULL;
	struct hv_key *loader;
	struct wn_install *in;
	size_t volume;

	if (id == NULL)
		return 0;
	path = mem_fmt(e, "Objects\\%s", id);
	if (path == NULL)
		return -1;
	loader = hv_find(hv_root(bcd), path);
	if (loader == NULL)
		return 0;
	volume = device_volume(g, hv_find(loader, "Elements\\21000001"));
	root = element(loader, "22000002");
	if (volume == SIZE_MAX || root == NULL)
		return 0;
	in = install_at(g, volume, root);
	if (in == NULL)
		return 0;
	in->boots = true;
	in->boot_title = element(loader, "12000004");
	return 0;
}

/* Boot files of one volume; what is broken starts nothing. */
static int
read_volume(struct wn_guest *g, const struct wn_volume *v, struct err *e)
{
	static const char *const stores[] = {
		"Boot/BCD", "EFI/Microsoft/Boot/BCD",
	};
	SCOPED_FREE uint8_t *text = NULL;
	struct err why = ERR_INIT;
	size_t len;
	int r;

	for (size_t i = 0; i < 2; i++) {
		HV_SCOPED struct hv_hive *bcd = NULL;
		struct vo_stat st;

		if (vo_stat(v->vo, stores[i], &st, &why) != 1)
			continue;
		bcd = wn_load_hive(v->vo, stores[i], HV_LOGS_READ, &why);
		if (bcd != NULL)
			return read_bcd(g, bcd, e);
	}
	r = vo_slurp(v->vo, "boot.ini", BOOT_INI_MAX, &text, &len, &why);
	if (r == 1) {
		SCOPED_FREE char *copy = mem_strn(text, len, e);

		return copy == NULL ? -1 : read_boot_ini(g, copy, e);
	}
	if (why.kind == ERR_NOMEM) {
		*e = why;
		return -1;
	}
	return 0;
}

int
wn_read_boot(struct wn_guest *g, struct err *e)
{
	/* The active partition's loader is the one that runs; without one
	 * (UEFI), the system partition's. */
	for (int active = 1; active >= 0; active--)
		for (size_t i = 0; i < g->volumes; i++) {
			const struct wn_volume *v = &g->volume[i];

			if (v->vo == NULL || v->active != (active == 1))
				continue;
			if (read_volume(g, v, e) < 0)
				return -1;
			for (size_t k = 0; k < g->installs; k++)
				if (g->install[k].boots)
					return 0;
		}
	return 0;
}
