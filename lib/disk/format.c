/* format.c - what kind of image a file is, and which files it may lean on
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Facts: QEMU docs/interop/qcow2.txt (header, extensions); [MS-VHDX] 2.1 and
 * the VHD specification 1.0 (cookies, differencing); VMware Virtual Disk Format
 * 5.0 (sparse header, descriptor); VirtualBox VDICore.h (signature at 64).
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk-private.h"

enum {
	HEAD = 1024,
	DESCRIPTOR_MAX = 64 << 10,
	CHAIN_MAX = 64,		/* backing files of backing files */
};

static const struct dk_format formats[] = {
	{ "raw", NULL, ".img" }, { "raw", NULL, ".raw" },
	{ "raw", NULL, ".dd" }, { "raw", NULL, ".bin" },
	{ "qcow2", "qcow2", ".qcow2" },
	{ "vhd", "vpc", ".vhd" }, { "vhdx", "vhdx", ".vhdx" },
	{ "vmdk", "vmdk", ".vmdk" }, { "vdi", "vdi", ".vdi" },
};

enum { FORMATS = sizeof(formats) / sizeof(*formats) };

/* The first and last bytes of a file. */
struct ends {
	uint8_t head[HEAD], tail[512];
	uint64_t size;
};

static const struct dk_format *
format_named(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

/* NULL for a suffix that says nothing. */
static const struct dk_format *
format_suffixed(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < FORMATS; i++)
		if (strcasecmp(dot, formats[i].suffix) == 0)
			return &formats[i];
	return NULL;
}

static uint32_t
u32be(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static uint64_t
u64be(const uint8_t *p)
{
	return (uint64_t)u32be(p) << 32 | u32be(p + 4);
}

static const struct dk_format *
format_in_bytes(const struct ends *s)
{
	static const char vmdk_text[] = "# Disk DescriptorFile";

	if (memcmp(s->head, "QFI\xfb", 4) == 0)
		return format_named("qcow2");
	if (memcmp(s->head, "vhdxfile", 8) == 0)
		return format_named("vhdx");
	if (memcmp(s->head, "KDMV", 4) == 0 || memcmp(s->head, "COWD", 4) == 0 ||
	    memcmp(s->head, vmdk_text, sizeof(vmdk_text) - 1) == 0)
		return format_named("vmdk");
	if (memcmp(s->head + 64, "\x7f\x10\xda\xbe", 4) == 0)
		return format_named("vdi");
	if (memcmp(s->head, "conectix", 8) == 0 ||
	    memcmp(s->tail, "conectix", 8) == 0)
		return format_named("vhd");
	return format_named("raw");
}

static int
read_ends(const char *path, int fd, struct ends *ret, struct err *e)
{
	struct stat st;
	size_t head, tail;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	ret->size = (uint64_t)st.st_size;
	head = (size_t)num_min(ret->size, HEAD);
	tail = (size_t)num_min(ret->size, 512);
	if (io_read_at(fd, ret->head, head, 0, path, e) < 0)
		return -1;
	return io_read_at(fd, ret->tail, tail, ret->size - tail, path, e);
}

static int
choose(const char *path, const struct ends *s, const char *asked,
       const struct dk_format **ret, struct err *e)
{
	const struct dk_format *bytes = format_in_bytes(s);
	const struct dk_format *suffix = format_suffixed(path);

	if (asked != NULL) {
		*ret = format_named(asked);
		if (*ret == NULL)
			return err_set(e, ERR_USAGE, "--format %s: there are raw "
				       "qcow2 vhd vhdx vmdk vdi", asked);
		return 0;
	}
	/* A guest can write any header into a raw disk of its own, so bytes
	 * alone never choose. */
	if (suffix == NULL)
		suffix = format_named("raw");
	if (strcmp(bytes->name, suffix->name) != 0)
		return err_set(e, ERR_USAGE,
			       "%s: begins like %s but is named like %s; say "
			       "--format %s or --format %s", path, bytes->name,
			       suffix->name, bytes->name, suffix->name);
	*ret = bytes;
	return 0;
}

/* ---- files an image refers to --------------------------------------------- */

/* A name that an image gives: it must be a plain file of the same folder. */
static int
own_folder(const char *path, const char *name, char ret[PATH_MAX], struct err *e)
{
	char dir[PATH_MAX], joined[2 * PATH_MAX], other[PATH_MAX], quoted[128];
	char *slash;

	(void)err_quote(quoted, sizeof(quoted), name, strlen(name));
	if (realpath(path, dir) == NULL)
		return err_sys(e, "%s", path);
	slash = strrchr(dir, '/');
	slash[1] = '\0';
	if (strlen(name) >= PATH_MAX || strcspn(name, ":") < strcspn(name, "/"))
		return err_set(e, ERR_UNSUPPORTED, "%s: refers to %s, which is "
			       "no file of its folder", path, quoted);
	(void)snprintf(joined, sizeof(joined), "%s%s",
		       name[0] == '/' ? "" : dir, name);
	if (realpath(joined, other) == NULL)
		return err_sys(e, "%s: refers to %s", path, quoted);
	if (strncmp(other, dir, strlen(dir)) != 0 ||
	    strchr(other + strlen(dir), '/') != NULL)
		return err_set(e, ERR_UNSAFE, "%s: refers to %s outside its "
			       "folder; put both into one folder", path, quoted);
	memcpy(ret, other, strlen(other) + 1);
	return 0;
}

/* A qcow2 with a data file beside it (incompatible feature bit 2). */
static bool
has_data_file(const struct ends *s)
{
	return u32be(s->head + 4) >= 3 && (s->head[79] & 4) != 0;
}

/* *ret is the backing file, or "" when there is none. */
static int
qcow2_backing(const char *path, int fd, const struct ends *s,
	      char ret[PATH_MAX], struct err *e)
{
	uint64_t at = u64be(s->head + 8);
	uint32_t len = u32be(s->head + 16);
	char name[1024];

	ret[0] = '\0';
	if (has_data_file(s))
		return err_set(e, ERR_UNSUPPORTED, "%s: keeps its data in "
			       "another file; convert it with qemu-img", path);
	if (at == 0)
		return 0;
	if (len == 0 || len >= sizeof(name) || !num_in_range(at, len, s->size))
		return err_set(e, ERR_CORRUPT,
			       "%s: the name of its backing file is damaged",
			       path);
	if (io_read_at(fd, name, len, at, path, e) < 0)
		return -1;
	name[len] = '\0';
	return own_folder(path, name, ret, e);
}

/* A file of a split image: RW SECTORS FLAT "NAME" FIRST, or SPARSE. */
static int
vmdk_extent(const char *line, const char *path, const char *after,
	    struct err *e)
{
	uint64_t sectors = strtoull(strchr(line, ' '), NULL, 10);
	uint64_t first = strtoull(after, NULL, 10);
	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (strstr(line, "SPARSE") != NULL)
		return dk_whole(path, fd, format_named("vmdk"), e);
	if (S_ISREG(st.st_mode) &&
	    !num_in_range(first, sectors, (uint64_t)st.st_size / 512))
		return err_set(e, ERR_CORRUPT, "%s: shorter than its image "
			       "says; it is truncated", path);
	return 0;
}

/* Extent lines: RW 4192256 SPARSE "disk-s001.vmdk", and what makes a chain. */
static int
vmdk_descriptor(const char *path, char *text, struct err *e)
{
	char other[PATH_MAX], *line, *rest = text;

	while ((line = strsep(&rest, "\r\n")) != NULL) {
		char *quote = strchr(line, '"'), *end;

		if (strncmp(line, "parentFileNameHint", 18) != 0 &&
		    strncmp(line, "RW ", 3) != 0 &&
		    strncmp(line, "RDONLY ", 7) != 0)
			continue;
		if (quote == NULL)	/* a ZERO extent */
			continue;
		end = strchr(quote + 1, '"');
		if (end == NULL)
			return err_set(e, ERR_CORRUPT,
				       "%s: its descriptor is damaged", path);
		*quote = *end = '\0';
		if (own_folder(path, quote + 1, other, e) < 0 ||
		    (*line == 'R' &&
		     vmdk_extent(line, other, end + 1, e) < 0))
			return -1;
	}
	return 0;
}

static int
vmdk_check(const char *path, int fd, const struct ends *s, bool write,
	   struct err *e)
{
	uint64_t at = 0, len = s->size;
	SCOPED_FREE char *text = NULL;

	if (memcmp(s->head, "KDMV", 4) == 0) {
		uint64_t sectors = 0;

		at = len = 0;
		for (int i = 7; i >= 0; i--) {
			at = at << 8 | s->head[28 + i];
			sectors = sectors << 8 | s->head[36 + i];
		}
		if (write && (s->head[10] & 1) != 0)
			return err_set(e, ERR_UNSUPPORTED,
				       "%s: a stream-optimized vmdk cannot be "
				       "rewritten; convert it with qemu-img",
				       path);
		if (at > s->size / 512 || sectors > DESCRIPTOR_MAX / 512)
			return err_set(e, ERR_CORRUPT, "%s: its descriptor lies "
				       "outside the file", path);
		at *= 512;
		len = num_min(sectors * 512, s->size - at);
	}
	text = mem_array(DESCRIPTOR_MAX + 1, 1, e);
	if (text == NULL)
		return -1;
	len = num_min(len, DESCRIPTOR_MAX);
	if (io_read_at(fd, text, (size_t)len, at, path, e) < 0)
		return -1;
	return vmdk_descriptor(path, text, e);
}

/* VHD disk type at 60 of the footer: 2 fixed, 3 dynamic, 4 differencing. */
static int
vhd_check(const char *path, const struct ends *s, struct err *e)
{
	if (s->tail[60 + 3] == 4 && memcmp(s->tail, "conectix", 8) == 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: a differencing vhd; "
			       "merge it with its parent first", path);
	return 0;
}

static int
check_one(const char *path, int fd, const struct dk_format *f,
	  const struct ends *s, bool write, char ret_next[PATH_MAX],
	  struct err *e)
{
	ret_next[0] = '\0';
	if (dk_whole(path, fd, f, e) < 0)
		return -1;
	if (strcmp(f->name, "qcow2") == 0)
		return qcow2_backing(path, fd, s, ret_next, e);
	if (strcmp(f->name, "vmdk") == 0)
		return vmdk_check(path, fd, s, write, e);
	if (strcmp(f->name, "vhd") == 0)
		return vhd_check(path, s, e);
	return 0;
}

int
dk_format_of(const char *path, int fd, const char *asked, bool write,
	     const struct dk_format **ret, struct err *e)
{
	char here[PATH_MAX], next[PATH_MAX];
	const struct dk_format *found, *f;
	struct ends s = { .size = 0 };

	if (read_ends(path, fd, &s, e) < 0 ||
	    choose(path, &s, asked, &found, e) < 0 ||
	    check_one(path, fd, found, &s, write, next, e) < 0)
		return -1;
	for (int depth = 0; next[0] != '\0'; depth++) {
		SCOPED_FD int below = open(next, O_RDONLY | O_CLOEXEC);

		if (depth == CHAIN_MAX)
			return err_set(e, ERR_CORRUPT, "%s: its backing files "
				       "form a loop", path);
		if (below < 0)
			return err_sys(e, "%s", next);
		memcpy(here, next, sizeof(here));
		s = (struct ends){ .size = 0 };
		if (read_ends(here, below, &s, e) < 0)
			return -1;
		f = format_in_bytes(&s);
		if (check_one(here, below, f, &s, false, next, e) < 0)
			return -1;
	}
	*ret = found;
	return 0;
}
