/* hives.c - see hives.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/hives.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "testdata/dirty.h"
#include "testdata/pe.h"

/* PCI storage controller of each machine: id, without subsystem, class code,
 * class, its GUID, service, description. */
static const char *const storage[KINDS][7] = {
	{ "VEN_8086&DEV_24CB&SUBSYS_01261028&REV_01", "VEN_8086&DEV_24CB",
	  "CC_0101", "hdc", "{4D36E96A-E325-11CE-BFC1-08002BE10318}",
	  "intelide", "Intel(R) 82801DB Ultra ATA Storage Controller" },
	{ "VEN_8086&DEV_27DF&SUBSYS_01D51028&REV_01", "VEN_8086&DEV_27DF",
	  "CC_0101", "hdc", "{4d36e96a-e325-11ce-bfc1-08002be10318}",
	  "intelide", "Intel(R) 82801G (ICH7 Family) Ultra ATA" },
	{ "VEN_8086&DEV_282A&SUBSYS_02501028&REV_03", "VEN_8086&DEV_282A",
	  "CC_0104", "SCSIAdapter", "{4d36e97b-e325-11ce-bfc1-08002be10318}",
	  "iaStorV", "Intel(R) Mobile Express Chipset SATA RAID Controller" },
	{ "VEN_8086&DEV_9C03&SUBSYS_05CA1028&REV_04", "VEN_8086&DEV_9C03",
	  "CC_010601", "HDC", "{4d36e96a-e325-11ce-bfc1-08002be10318}",
	  "storahci", "Standard SATA AHCI Controller" },
};

const char *
path_of(const char *fmt, ...)
{
	static char ring[32][640];
	static unsigned next;
	char *at = ring[next++ % 32];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(at, sizeof(ring[0]), fmt, ap);
	va_end(ap);
	return at;
}

static void
add(struct words *w, size_t *n, const char *word, const char *value)
{
	(void)snprintf(w->text[*n], sizeof(w->text[0]), "%s", value);
	w->at[*n].word = word;
	w->at[*n].value = w->text[*n];
	(*n)++;
}

static void
add_shared(const struct guest *g, struct words *w, size_t *n)
{
	bool six = nt6(g);
	const char *all = path_of("%%ALLUSERSPROFILE%%");

	add(w, n, "shareddesktop", six ? "%PUBLIC%\\Desktop" :
	    path_of("%s\\%s", all, g->dir->desktop));
	add(w, n, "shareddocuments", six ? "%PUBLIC%\\Documents" :
	    path_of("%s\\%s", all, g->opt.german ? "Dokumente" : "Documents"));
	add(w, n, "sharedappdata", six ? "%ProgramData%" :
	    path_of("%s\\%s", all, g->dir->roaming));
	add(w, n, "sharedstart", six ?
	    "%ProgramData%\\Microsoft\\Windows\\Start Menu" :
	    path_of("%s\\%s", all, g->dir->start_menu));
}

static void
add_machine(const struct guest *g, struct words *w, size_t *n)
{
	static const char *const keys[7] = {
		"storageid", "storageshort", "storagecc", "storageclass",
		"storageguid", "storageservice", "storagedesc",
	};
	bool wide = g->kind->machine == PE_AMD64;

	add(w, n, "arch", wide ? "AMD64" : "x86");
	add(w, n, "lang", g->opt.german ? "0407" : "0409");
	add(w, n, "partition", g->kind->id == WIN7 ? "2" :
	    g->kind->id == WIN10 ? "3" : "1");
	add(w, n, "hiberboot", g->kind->id == WIN10 ? "1" : "0");
	add(w, n, "diskupper", "PartMgr");
	add(w, n, "halroot", "ACPI_HAL");
	add(w, n, "halid", wide ? "acpiapic" :
	    g->kind->id == XP ? "acpiapic_up" : "acpipic_up");
	add(w, n, "haldesc", wide ? "ACPI x64-based PC" :
	    g->kind->id == XP ? "ACPI Uniprocessor PC" :
	    "Advanced Configuration and Power Interface (ACPI) PC");
	add(w, n, "halservice", "\\Driver\\ACPI_HAL");
	for (int i = 0; i < 7; i++)
		add(w, n, keys[i], storage[g->kind->id][i]);
}

void
hive_words(const struct guest *g, struct words *ret)
{
	const struct kind *k = g->kind;
	size_t n = 0;

	add(ret, &n, "cs", "ControlSet001");
	add(ret, &n, "computer", k->computer);
	add(ret, &n, "drive", path_of("%c:", g->letter));
	add(ret, &n, "windows", k->windows);
	add(ret, &n, "product", k->product);
	add(ret, &n, "edition", k->edition);
	add(ret, &n, "version", k->version);
	add(ret, &n, "build", k->build);
	add(ret, &n, "buildlab", k->build_lab);
	add(ret, &n, "pack", k->pack);
	add(ret, &n, "first", k->people[0].name);
	add(ret, &n, "users", g->dir->users);
	add(ret, &n, "programs", g->dir->programs);
	add(ret, &n, "machineguid", path_of(
		"5e3f7a10-9c41-4b7e-8d0%u-a1b2c3d4e5f6", (unsigned)k->id));
	add_shared(g, ret, &n);
	add_machine(g, ret, &n);
	ret->at[n].word = NULL;
}

struct reg *
hive_new(const struct guest *g, const char *file, const char *root,
	 unsigned minor)
{
	const struct acl_ace aces[] = {
		{ .flags = 3, .mask = ACL_KEY_ALL, .sid = ACL_SYSTEM },
		{ .flags = 3, .mask = ACL_KEY_ALL, .sid = ACL_ADMINS },
		{ .flags = 3, .mask = ACL_KEY_READ, .sid = ACL_USERS },
		{ .sid = NULL },
	};
	struct reg_new n = {
		.scratch = g->scratch,
		.root = root,
		.file = path_of("\\SystemRoot\\System32\\Config\\%s", file),
		.minor = minor,
		.time = g->kind->born,
		.sd = acl_sd(ACL_ADMINS, ACL_SYSTEM, 0, aces),
	};

	if (g->e->kind != ERR_NONE)
		return NULL;
	return reg_new(&n, g->e);
}

/* The hive as it will be when its logs are replayed. */
static int
make_newer(struct guest *g, const struct buf *was, const char *late,
	   struct buf *ret)
{
	struct reg *r = reg_again(g->scratch, was, g->e);

	if (r == NULL)
		return -1;
	reg_line(r, path_of("[%s]", late));
	reg_line(r, "Marker=s:HALCYON-LOG");
	return reg_done(r, ret);
}

static void
put_logs(struct guest *g, const char *path, const struct buf *log,
	 const struct buf *log1, const struct buf *log2)
{
	nt_put(g->vol, path_of("%s.LOG", path), log->at, log->len, NT_HIDDEN);
	if (!nt6(g))
		return;
	nt_put(g->vol, path_of("%s.LOG1", path), log1->at, log1->len,
	       NT_HIDDEN | NT_SYSTEM);
	nt_put(g->vol, path_of("%s.LOG2", path), log2->at, log2->len,
	       NT_HIDDEN | NT_SYSTEM);
}

void
hive_store(struct guest *g, struct reg *r, const char *path, const char *late)
{
	BUF_SCOPED struct buf was = BUF_EMPTY, newer = BUF_EMPTY;
	BUF_SCOPED struct buf primary = BUF_EMPTY;
	BUF_SCOPED struct buf log = BUF_EMPTY, log1 = BUF_EMPTY;
	BUF_SCOPED struct buf log2 = BUF_EMPTY;
	uint32_t attrib = strstr(path, ".DAT") != NULL ||
			  strstr(path, ".dat") != NULL ? NT_HIDDEN : 0;

	if (reg_done(r, &was) < 0)
		return;
	if (!g->opt.dirty_hive || late == NULL) {
		nt_put(g->vol, path, was.at, was.len, attrib);
		put_logs(g, path, &log, &log1, &log2);
		return;
	}
	if (make_newer(g, &was, late, &newer) < 0)
		return;
	if (g->kind->id == WIN10)
		dirty_new(&was, &newer, &primary, &log1, &log2);
	else
		dirty_old(&was, &newer, g->kind->born + 400 * NT_DAY, &primary,
			  nt6(g) ? &log1 : &log);
	if (buf_ok(&primary, g->e) < 0 || buf_ok(&log, g->e) < 0 ||
	    buf_ok(&log1, g->e) < 0 || buf_ok(&log2, g->e) < 0)
		return;
	nt_put(g->vol, path, primary.at, primary.len, attrib);
	put_logs(g, path, &log, &log1, &log2);
}

/* XP writes "system", 6.0 and later "SYSTEM". */
static const char *
hive_name(const struct guest *g, const char *file)
{
	static const char *const lower[] = { "system", "software", "default" };
	static const char *const upper[] = { "SYSTEM", "SOFTWARE", "DEFAULT" };

	for (int i = 0; i < 3; i++)
		if (nt6(g) && strcmp(file, lower[i]) == 0)
			return upper[i];
	return file;
}

void
hive_put(struct guest *g, struct reg *r, const char *file)
{
	hive_store(g, r, path_of("%s/system32/config/%s", g->kind->windows,
				 hive_name(g, file)),
		   strcmp(file, "system") == 0 ?
		   "ControlSet001\\Control\\Halcyon" : NULL);
}

void
hives_fill(struct guest *g)
{
	hive_system(g);
	hive_software(g);
	hive_sam(g);
	hive_rest(g);
}
