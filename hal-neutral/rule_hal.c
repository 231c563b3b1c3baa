/* rule_hal.c - 32-bit XP and 2003: a HAL that stops nowhere
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows X13 to X16.  A HAL for the APIC stops with 0x79 where the firmware
 * describes none; the one for ACPI without it runs on both.  Least invasive: its
 * file under its own name in System32 and an entry of boot.ini with /HAL=, before
 * the one that was started so far, which stays in the menu.  With
 * HN_HAL_REPLACE the files themselves change, and the device "Computer" is
 * forgotten so that plug and play finds it anew.  HAL and kernel come from the
 * image's own cabinets, of the service pack that its kernel is of.
 */
#include "hal-neutral/rule.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/hal.h"

#define COMPUTER "{4D36E966-E325-11CE-BFC1-08002BE10318}"

static const struct cs_reason why_file = {
	"hal/X15", "a HAL and kernel that the platform's interrupt controller "
	"does not stop"
};
static const struct cs_reason why_device = {
	"hal/X16", "plug and play finds the computer's HAL anew"
};

/* A file of System32 out of the image's own supplies, of the kernel's service
 * pack: 1; 0 with a note; -1. */
static int
want_file(struct hn_job *j, const char *member, const char *as, struct err *e)
{
	SCOPED_FREE char *path = mem_fmt(e, "%s/System32/%s", j->im->in->root,
					 as);
	SCOPED_FREE char *kernel = hn_root_path(j->im, "System32/ntoskrnl.exe",
						e);
	HN_SUPPLY_SCOPED struct hn_supply s = HN_SUPPLY_EMPTY;
	const struct hn_hal *any;
	struct hn_pe_version like;
	struct cs_source from;
	int r;

	if (path == NULL || kernel == NULL ||
	    hn_hal_of(j->im, kernel, &any, &like, e) < 0)
		return -1;
	r = hn_supply_find(j->im, j->fetch, member, &like, &s, e);
	if (r == 0)
		buf_fmt(j->notes, "%s: the image cannot supply it for service "
			"pack %u\n", member, hn_service_pack(&like));
	if (r <= 0)
		return r;
	from = (struct cs_source){ .origin = s.origin, .path = s.path,
				   .member = s.member };
	cs_want_file(j->plan, j->volume, path, from, why_file);
	return 1;
}

/* The options of an entry without those that choose HAL and kernel, and with
 * `kernel` without those that would choose another kernel. */
static int
copy_options(const char *rest, bool kernel, struct buf *out)
{
	static const char *const drop[] = { "/HAL=", "/KERNEL=" };
	static const char *const pae[] = { "/NOEXECUTE", "/PAE" };
	const char *at = strrchr(rest, '"');

	at = at != NULL ? at + 1 : "";
	while (*at != '\0') {
		size_t n = strcspn(at, " \t");
		bool keep = n > 0;

		for (size_t i = 0; i < 2; i++)
			if (strncasecmp(at, drop[i], strlen(drop[i])) == 0 ||
			    (kernel && strncasecmp(at, pae[i],
						   strlen(pae[i])) == 0))
				keep = false;
		if (keep)
			buf_fmt(out, " %.*s", (int)n, at);
		at += n + strspn(at + n, " \t");
	}
	if (kernel)
		buf_str(out, " /noexecute=alwaysoff");
	return 0;
}

/* Is there an entry for this installation with that HAL? */
static int
has_entry(const struct hn_job *j, const struct hn_ini *ini, const char *file,
	  struct err *e)
{
	for (size_t i = 0; i < ini->lines; i++) {
		struct hn_ini_entry en;
		SCOPED_FREE char *hal = NULL;

		if (!hn_ini_entry(ini, i, &en) ||
		    !hn_arc_is_ours(j->im, en.path, en.path_len))
			continue;
		if (hn_ini_option(&en, "/HAL=", &hal, e) < 0)
			return -1;
		if (hal != NULL && strcasecmp(hal, file) == 0)
			return 1;
	}
	return 0;
}

/* How much of a title is not the name of a HAL that was put behind it. */
static size_t
bare_title(const char *title)
{
	size_t len = strcspn(title, "\"");

	for (const struct hn_hal *h = hn_hals; h->id != NULL; h++) {
		size_t n = strlen(h->what);

		if (len > n + 3 && title[len - 1] == ')' &&
		    strncmp(title + len - 1 - n, h->what, n) == 0 &&
		    strncmp(title + len - 3 - n, " (", 2) == 0)
			return len - 3 - n;
	}
	return len;
}

/* An entry for a HAL, made of the one at `line`; its files too. */
static int
add_entry(struct hn_job *j, struct hn_ini *ini, size_t line, size_t at,
	  const struct hn_hal *now, const struct hn_hal *hal, struct err *e)
{
	bool own_kernel = now != NULL && strcmp(now->kernel, hal->kernel) == 0;
	/* The name of the other kind of kernel must not be that of the one that
	 * is there. */
	const char *kernel = strcmp(hal->kernel, "ntoskrnl.exe") == 0 ?
			     "ntoskrup.exe" : hal->kernel;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct hn_ini_entry en;
	const char *title;
	int r = has_entry(j, ini, hal->file, e);

	if (r != 0)
		return r < 0 ? -1 : 0;
	r = want_file(j, hal->file, hal->file, e);
	if (r == 1 && !own_kernel)
		r = want_file(j, hal->kernel, kernel, e);
	if (r <= 0 || !hn_ini_entry(ini, line, &en))
		return r < 0 ? -1 : 0;
	title = en.rest[0] == '=' && en.rest[1] == '"' ? en.rest + 2 : "";
	buf_fmt(&b, "%.*s=\"%.*s (%s)\"", (int)en.path_len, en.path,
		(int)bare_title(title), title, hal->what);
	(void)copy_options(en.rest, !own_kernel, &b);
	buf_fmt(&b, " /HAL=%s", hal->file);
	if (!own_kernel)
		buf_fmt(&b, " /KERNEL=%s", kernel);
	return hn_ini_insert(ini, at, buf_take_str(&b, e), e);
}

static int
replace(struct hn_job *j, const struct hn_hal *now, const struct hn_hal *hal,
	struct err *e)
{
	int r = want_file(j, hal->file, "hal.dll", e);

	if (r == 1 && (now == NULL || strcmp(now->kernel, hal->kernel) != 0)) {
		r = want_file(j, hal->kernel, "ntoskrnl.exe", e);
		if (r == 1)
			r = want_file(j, hal->pae, "ntkrnlpa.exe", e);
	}
	if (r <= 0)
		return r;
	for (size_t s = 0; s < j->im->sets; s++) {
		static const char *const keys[] = {
			"Control\\Class\\" COMPUTER "\\0000",
			"Control\\Class\\" COMPUTER "\\0001",
			"Enum\\Root\\ACPI_HAL", "Enum\\Root\\PCI_HAL",
		};

		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
			SCOPED_FREE char *path = mem_fmt(e, "%s\\%s",
				j->im->set[s].name, keys[i]);

			if (path == NULL)
				return -1;
			if (hv_find(hv_root(j->im->sys), path) != NULL)
				cs_want_no_key(j->plan, j->sys, path,
					       why_device);
		}
	}
	return 0;
}

/* What is there, in words, where file and registry disagree. */
static void
tell_disagreement(struct hn_job *j, const struct hn_kernel *k)
{
	const struct hn_hal *registered = hn_hal_registered(&j->im->set[0]);

	if (!k->chosen && k->hal != NULL && registered != NULL &&
	    registered != k->hal)
		buf_fmt(j->notes, "%s: is %s, but the registry says %s\n",
			k->hal_file, k->hal->file, registered->file);
}

int
hn_want_hal(struct hn_job *j, struct hn_ini *ini, struct err *e)
{
	const struct hn_hal *safe = &hn_hals[0];
	size_t line = hn_ini_default(ini);
	struct hn_kernel k;
	bool need = false;

	if (j->im->machine != HN_PE_I386 || line == SIZE_MAX)
		return 0;
	if (hn_kernel_find(j->im, &j->im->set[0], &k, e) < 0)
		return -1;
	tell_disagreement(j, &k);
	for (size_t i = 0; i < j->platforms->count; i++)
		need = need || !j->platforms->at[i].madt;
	need = need && (k.hal == NULL || k.hal->apic);
	if (need && j->hal == HN_HAL_REPLACE)
		return replace(j, k.hal, safe, e);
	if (need && add_entry(j, ini, line, line, k.hal, safe, e) < 0)
		return -1;
	for (size_t i = 0; j->hal == HN_HAL_MENU && i < 3; i++)
		if (&hn_hals[i] != k.hal &&
		    add_entry(j, ini, hn_ini_default(ini), ini->lines, k.hal,
			      &hn_hals[i], e) < 0)
			return -1;
	return 0;
}
