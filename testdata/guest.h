/* guest.h - one fixture guest while it is being made
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef TESTDATA_GUEST_H
#define TESTDATA_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "testdata/ntfs.h"

struct err;
struct buf;

enum kind_id { XP, VISTA, WIN7, WIN10, KINDS };

/* Someone with an account; who has a profile, if `profile`. */
struct person {
	const char *name, *full;
	const char *sid;
	uint32_t rid;
	bool domain;		/* else local, and in the SAM */
	bool profile;
};

/* Names of folders, in the language of the installation. */
struct folders {
	const char *users;	/* "Documents and Settings", "Users" */
	const char *shared, *fresh;	/* "All Users", "Default User" */
	const char *programs;	/* "Program Files" */
	/* Inside a profile: */
	const char *desktop, *documents, *pictures, *music, *videos;
	const char *favorites, *roaming, *local, *temp;
	const char *start_menu, *start_programs, *startup, *send_to, *recent;
	const char *net_hood, *print_hood, *templates, *cookies, *history;
	const char *cache;
};

struct kind {
	enum kind_id id;
	const char *name;		/* as on the command line */
	const char *computer;
	const char *windows;		/* "WINDOWS" or "Windows" */
	uint16_t machine;		/* IMAGE_FILE_MACHINE_... */
	const char *product, *edition, *version, *build, *build_lab, *pack;
	const char *machine_sid;
	struct folders folders, german;
	uint32_t signature;
	uint64_t serial;
	unsigned heads;
	uint64_t born;			/* day of the installation */
	const struct person *people;	/* ends with a NULL name */
};

struct options {
	bool dirty_hive, dirty_volume, hibernated, shadow_copies;
	bool two_installs, drive_d, german, other_current;
	const char *missing_driver;	/* NULL: none */
};

struct guest {
	const struct kind *kind;
	const struct folders *dir;
	struct options opt;
	char letter;			/* of the system drive */
	uint64_t system_start;		/* sector of its partition */
	const uint8_t *system_guid;	/* of its partition, on GPT */
	uint64_t marker_lba;		/* of the sector that boot code reads */
	uint64_t boot_start;		/* of the boot partition, and on GPT */
	const uint8_t *boot_guid, *disk_guid;
	struct nt *vol;			/* the volume being filled */
	uint8_t shadow_header[512];	/* for 0x1E00; zeros: no shadow copy */
	const char *scratch;		/* directory for hives being written */
	struct err *e;
};

#define CORP_SID	"S-1-5-21-2000478354-1708537768-1957994488"

extern const struct kind kinds[KINDS];

static inline bool
nt6(const struct guest *g)
{
	return g->kind->id != XP;
}

/* Text from a format, in one of 32 buffers that are used in turn. */
PRINTF(1, 2) const char *path_of(const char *fmt, ...);

/* Every fixture disk, whole. */
MUST_CHECK int guest_make(const struct kind *k, const struct options *opt,
			  const char *out, struct err *e);

/* The parts, each in the file of its name; failures are in g->e. */
void tree_fill(struct guest *g);		/* Windows itself */
void hives_fill(struct guest *g);		/* the machine's hives */
void people_fill(struct guest *g);		/* the people's files */
void person_hives(struct guest *g, const struct person *who, const char *home);
void boot_fill(struct guest *g);		/* a boot partition */
void odd_fill(struct guest *g);		/* what a used volume has */
void shadow_fill(struct guest *g, uint64_t volume_size);
/* Another Windows beside the first, under that name. */
void tree_second(struct guest *g, const char *windows);
/* Format the file `path` as an EFI system partition that starts at that sector,
 * and fill it. */
MUST_CHECK int esp_make(struct guest *g, const char *path, uint64_t start,
			struct err *e);

#endif /* TESTDATA_GUEST_H */
