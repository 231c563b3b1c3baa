/* guest.c - one disk from its volumes
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each volume is a sparse file of its own while it is filled, then copied to
 * its place.
 */
#include "testdata/guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "testdata/hives.h"
#include "testdata/layout.h"

#define MIB_SECTORS	UINT64_C(2048)

/* The volumes of a disk: what fills each. */
enum role { NO_VOLUME, SYSTEM_VOLUME, RESERVED_VOLUME, ESP_VOLUME };

static const struct layout_part xp_parts[] = {
	{ .start = 63, .sectors = 138 * 15120 - 63, .type = 7, .active = true },
	{ .type = 0 }
};

static const struct layout_part vista_parts[] = {
	{ .start = 2048, .sectors = 1536 * MIB_SECTORS - 4096, .type = 7,
	  .active = true },
	{ .type = 0 }
};

static const struct layout_part win7_parts[] = {
	{ .start = 2048, .sectors = 100 * MIB_SECTORS, .type = 7,
	  .active = true },
	{ .start = 101 * MIB_SECTORS, .sectors = 1946 * MIB_SECTORS, .type = 7 },
	{ .type = 0 }
};

/* GUIDs as they lie on the disk. */
static const uint8_t esp_type[16] =
	"\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b";
static const uint8_t reserved_type[16] =
	"\x16\xe3\xc9\xe3\x5c\x0b\xb8\x4d\x81\x7d\xf9\x2d\xf0\x02\x15\xae";
static const uint8_t data_type[16] =
	"\xa2\xa0\xd0\xeb\xe5\xb9\x33\x44\x87\xc0\x68\xb6\xb7\x26\x99\xc7";
static const uint8_t win10_guid[4][16] = {
	"\x01\x5a\x1e\x6d\x4c\x2b\x3f\x47\x9a\x10\x52\x61\x70\x8f\x9e\xd1",
	"\x02\x5a\x1e\x6d\x4c\x2b\x3f\x47\x9a\x10\x52\x61\x70\x8f\x9e\xd1",
	"\x03\x5a\x1e\x6d\x4c\x2b\x3f\x47\x9a\x10\x52\x61\x70\x8f\x9e\xd1",
	"\x04\x5a\x1e\x6d\x4c\x2b\x3f\x47\x9a\x10\x52\x61\x70\x8f\x9e\xd1",
};

static const struct layout_part win10_parts[] = {
	{ .start = 2048, .sectors = 100 * MIB_SECTORS, .type = 0xee,
	  .type_guid = esp_type, .guid = win10_guid[1],
	  .name = "EFI system partition" },
	{ .start = 101 * MIB_SECTORS, .sectors = 16 * MIB_SECTORS, .type = 0xee,
	  .type_guid = reserved_type, .guid = win10_guid[2],
	  .name = "Microsoft reserved partition" },
	{ .start = 117 * MIB_SECTORS, .sectors = 1930 * MIB_SECTORS,
	  .type = 0xee, .type_guid = data_type, .guid = win10_guid[3],
	  .name = "Basic data partition" },
	{ .type = 0 }
};

static const struct layout layouts[KINDS] = {
	[XP] = { .sectors = 1024 * MIB_SECTORS, .parts = xp_parts },
	[VISTA] = { .sectors = 1536 * MIB_SECTORS, .parts = vista_parts },
	[WIN7] = { .sectors = 2048 * MIB_SECTORS, .parts = win7_parts },
	[WIN10] = { .sectors = 2048 * MIB_SECTORS, .parts = win10_parts,
		    .disk_guid = win10_guid[0] },
};

/* For each partition in order. */
static const enum role roles[KINDS][4] = {
	[XP] = { SYSTEM_VOLUME },
	[VISTA] = { SYSTEM_VOLUME },
	[WIN7] = { RESERVED_VOLUME, SYSTEM_VOLUME },
	[WIN10] = { ESP_VOLUME, NO_VOLUME, SYSTEM_VOLUME },
};

struct disk {
	struct guest *g;
	const struct layout *l;
	int fd;
};

/* Remove the scratch directory and what a failure left in it. */
static void
remove_scratch(char *const *path)
{
	DIR *d;
	struct dirent *entry;

	if (*path == NULL)
		return;
	d = opendir(*path);
	while (d != NULL && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(*path);
	free(*path);
}

static void
fill_system(struct guest *g, uint64_t volume_size)
{
	tree_fill(g);
	hives_fill(g);
	if (g->kind->id == VISTA)
		boot_fill(g);
	people_fill(g);
	if (g->opt.two_installs)
		tree_second(g, nt6(g) ? "Windows.1" : "WINDOWS.1");
	if (g->opt.shadow_copies)
		shadow_fill(g, volume_size);
	odd_fill(g);
}

static void
fill_reserved(struct guest *g)
{
	struct sd dir = acl_inherited(true, ACL_ADMINS, ACL_SYSTEM, NULL, 0);
	struct sd file = acl_inherited(false, ACL_ADMINS, ACL_SYSTEM, NULL, 0);

	nt_security(g->vol, &dir, &file);
	nt_born(g->vol, g->kind->born);
	boot_fill(g);
}

/* The file of a volume, still empty. */
static int
new_volume(const char *path, const struct layout_part *part, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_sys(e, "%s: cannot create", path);
	r = ftruncate(fd, (off_t)(part->sectors * 512));
	(void)close(fd);
	return r < 0 ? err_sys(e, "%s: cannot resize", path) : 0;
}

static int
fill_ntfs(struct disk *d, const char *path, const struct layout_part *part,
	  enum role role, struct err *e)
{
	struct guest *g = d->g;
	const struct nt_format f = {
		.label = role == RESERVED_VOLUME ? "System Reserved" : NULL,
		.start = part->start, .heads = g->kind->heads,
	};

	if (nt_format(path, &f, e) < 0)
		return -1;
	g->vol = nt_open(path, g->kind->born, e);
	if (g->vol == NULL)
		return -1;
	if (role == SYSTEM_VOLUME) {
		g->system_start = part->start;
		g->system_guid = part->guid;
		fill_system(g, part->sectors * 512);
		g->marker_lba = part->start +
				nt_first_sector(g->vol, "HALCYON.TXT");
	} else {
		fill_reserved(g);
	}
	return nt_close(g->vol, g->opt.dirty_volume && role == SYSTEM_VOLUME);
}

static int
put_volume(struct disk *d, const struct layout_part *part, enum role role,
	   struct err *e)
{
	struct guest *g = d->g;
	SCOPED_FREE char *path = io_join(g->scratch, "volume", e);
	SCOPED_FD int fd = -1;

	if (path == NULL || new_volume(path, part, e) < 0)
		return -1;
	if ((role == ESP_VOLUME ? esp_make(g, path, part->start, e) :
				  fill_ntfs(d, path, part, role, e)) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s: cannot open", path);
	(void)unlink(path);
	if (role != ESP_VOLUME &&
	    layout_boot_sector(fd, part->sectors, g->marker_lba,
			       g->kind->serial + role - SYSTEM_VOLUME, e) < 0)
		return -1;
	if (role == SYSTEM_VOLUME && g->opt.shadow_copies &&
	    io_write_at(fd, g->shadow_header, sizeof(g->shadow_header), 0x1e00,
			"shadow copy header", e) < 0)
		return -1;
	return layout_copy(fd, d->fd, part->sectors * 512, part->start * 512,
			   e);
}

/* The system volume first: other boot sectors read its marker. */
static int
put_volumes(struct disk *d, struct err *e)
{
	const enum role *role = roles[d->g->kind->id];

	for (size_t i = 0; d->l->parts[i].type != 0; i++)
		if (d->l->parts[i].active || role[i] == ESP_VOLUME) {
			d->g->boot_start = d->l->parts[i].start;
			d->g->boot_guid = d->l->parts[i].guid;
		}
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; d->l->parts[i].type != 0; i++)
			if (role[i] != NO_VOLUME &&
			    (role[i] == SYSTEM_VOLUME) == (pass == 0) &&
			    put_volume(d, &d->l->parts[i], role[i], e) < 0)
				return -1;
	return 0;
}

int
guest_make(const struct kind *k, const struct options *opt, const char *out,
	   struct err *e)
{
	struct layout l = layouts[k->id];
	SCOPED(remove_scratch) char *scratch = mem_fmt(e, "%s.XXXXXX", out);
	struct guest g = {
		.kind = k, .dir = opt->german ? &k->german : &k->folders,
		.opt = *opt, .disk_guid = layouts[k->id].disk_guid,
		.letter = opt->drive_d ? 'D' : 'C',
		.scratch = scratch, .e = e,
	};
	struct disk d = { .g = &g, .l = &l };
	IO_NEW_SCOPED struct io_new disk = IO_NEW_EMPTY;

	if (scratch == NULL)
		return -1;
	if (mkdtemp(scratch) == NULL)
		return err_sys(e, "%s: cannot make", scratch);
	l.heads = k->heads;
	l.signature = k->signature;
	if (io_new_open(&disk, out, 0644, e) < 0)
		return -1;
	if (ftruncate(disk.fd, (off_t)(l.sectors * 512)) < 0)
		return err_sys(e, "%s: cannot resize", out);
	d.fd = disk.fd;
	if (put_volumes(&d, e) < 0 ||
	    layout_table(d.fd, &l, g.marker_lba, e) < 0)
		return -1;
	return io_new_commit(&disk, e);
}
