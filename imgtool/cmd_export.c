/* cmd_export.c - imgtool export: a version becomes a disk file
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Raw is written by us; the other formats are made from it by qemu-img, in
 * the folder of the result, which appears under its name when it is whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/progress.h"
#include "imgtool/cmd.h"
#include "source/source.h"
#include "store/image.h"
#include "store/restore.h"

#define BLOCK 4096u
#define CONVERT_MS (24u * 3600 * 1000)

static const char *to;

/* Our word for a format, its suffixes, and how qemu-img is told to make it. */
static const struct format {
	const char *name, *suffix, *qemu, *options;
} formats[] = {
	{ "raw", "raw", "raw", NULL },
	{ "raw", "img", "raw", NULL },
	{ "qcow2", "qcow2", "qcow2", NULL },
	/* Without force_size the size is rounded to a CHS geometry. */
	{ "vhd", "vhd", "vpc", "subformat=dynamic,force_size=on" },
	{ "vhdx", "vhdx", "vhdx", "subformat=dynamic" },
	{ "vmdk", "vmdk", "vmdk", "subformat=monolithicSparse" },
	{ "vdi", "vdi", "vdi", NULL },
};

static int
pick_format(const char *out, const struct format **ret, struct err *e)
{
	const char *dot = strrchr(out, '.');

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const struct format *f = &formats[i];

		if (to != NULL ? strcmp(to, f->name) == 0 :
		    dot != NULL && strcmp(dot + 1, f->suffix) == 0) {
			*ret = f;
			return 0;
		}
	}
	if (to != NULL)
		return err_set(e, ERR_USAGE, "--to: no such format: %s; there "
			       "are raw, qcow2, vhd, vhdx, vmdk, vdi", to);
	return err_set(e, ERR_USAGE, "%s: which format? add --to raw, qcow2, "
		       "vhd, vhdx, vmdk or vdi", out);
}

static int
write_raw(struct st_image *i, struct io_new *f, const char *out,
	  struct err *e)
{
	PROGRESS_SCOPED struct progress p = { .what = NULL };

	progress_begin(&p, "export", true, st_image_size(i));
	if (ftruncate(f->fd, (off_t)st_image_size(i)) < 0)
		return err_sys(e, "%s", out);
	return st_restore(i, f->fd, out, &p, e);
}

static int
export_raw(struct st_image *i, const char *out, struct err *e)
{
	IO_NEW_SCOPED struct io_new f = IO_NEW_EMPTY;

	if (io_new_open(&f, out, 0644, e) < 0 ||
	    write_raw(i, &f, out, e) < 0)
		return -1;
	return io_new_commit(&f, e);
}

/* All of a device's first `size` bytes read as zeros from here on. */
static int
zero_device(int fd, const char *out, uint64_t size, struct err *e)
{
	uint64_t range[2] = { 0, size / BLOCK * BLOCK };
	uint8_t zeros[BLOCK] = "";

	if (range[1] > 0 && ioctl(fd, BLKZEROOUT, range) < 0)
		return err_sys(e, "%s", out);
	return io_write_at(fd, zeros, (size_t)(size - range[1]), range[1], out,
			   e);
}

/* A device is written in place; what it held is lost. */
static int
export_device(const struct cli_args *a, struct st_image *i, const char *out,
	      struct err *e)
{
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	SCOPED_FREE char *what = mem_fmt(e, "overwrite %s", out);
	/* Exclusively: nothing on it is mounted. */
	SCOPED_FD int fd = open(out, O_RDWR | O_EXCL | O_CLOEXEC);
	off_t room = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (what == NULL)
		return -1;
	if (fd < 0 && errno == EBUSY)
		return err_set(e, ERR_UNSAFE, "%s: is in use; unmount what is "
			       "on it", out);
	if (room < 0)
		return err_sys(e, "%s", out);
	if ((uint64_t)room < st_image_size(i))
		return err_set(e, ERR_UNSAFE, "%s: has %lld bytes, %llu are "
			       "needed", out, (long long)room,
			       (unsigned long long)st_image_size(i));
	if (cli_confirm(a, what, e) < 0 ||
	    zero_device(fd, out, st_image_size(i), e) < 0)
		return -1;
	progress_begin(&p, "export", true, st_image_size(i));
	if (st_restore(i, fd, out, &p, e) < 0)
		return err_ctx(e, "%s is written in part", out);
	if (fsync(fd) < 0)
		return err_sys(e, "%s: sync", out);
	if ((uint64_t)room > st_image_size(i))
		log_note("%s: is larger than the disk; a backup GPT stays where "
			 "the disk's end was", out);
	return 0;
}

static void
remove_temp(char *const *path)
{
	if (*path != NULL)
		(void)unlink(*path);
	free(*path);
}

static int
sync_file(const char *path, struct err *e)
{
	FILE *f = fopen(path, "r");

	if (f == NULL)
		return err_sys(e, "%s", path);
	int r = fsync(fileno(f)) < 0 ? err_sys(e, "%s: sync", path) : 0;
	(void)fclose(f);
	return r;
}

static int
convert(const struct format *f, const char *raw, const char *out, struct err *e)
{
	BUF_SCOPED struct buf said = BUF_EMPTY;
	const char *argv[16];
	size_t n = 0;

	for (const char *const *w = (const char *const[]){ "qemu-img",
	     "convert", "-f", "raw", "-O", f->qemu, NULL }; *w != NULL; w++)
		argv[n++] = *w;
	if (f->options != NULL) {
		argv[n++] = "-o";
		argv[n++] = f->options;
	}
	argv[n++] = raw;
	argv[n++] = out;
	argv[n] = NULL;
	return proc_must(argv, NULL, 0, &said, 65536, CONVERT_MS, e);
}

static int
export_by_qemu(struct st_image *i, const struct format *f, const char *out,
	       struct err *e)
{
	SCOPED(remove_temp) char *raw = mem_fmt(e, "%s.raw.%ld", out,
						(long)getpid());
	SCOPED(remove_temp) char *temp = mem_fmt(e, "%s.tmp.%ld", out,
						 (long)getpid());
	SCOPED_FREE char *copy = mem_str(out, e);

	if (raw == NULL || temp == NULL || copy == NULL)
		return -1;
	if (export_raw(i, raw, e) < 0 || convert(f, raw, temp, e) < 0 ||
	    sync_file(temp, e) < 0)
		return -1;
	if (rename(temp, out) < 0)
		return err_sys(e, "%s", out);

	char *slash = strrchr(copy, '/');
	if (slash == copy)
		slash++;
	if (slash != NULL)
		*slash = '\0';
	return io_sync_dir(slash == NULL ? "." : copy, e);
}

static int
export(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	ST_REPO_SCOPED struct st_repo *r = NULL;
	ST_IMAGE_SCOPED struct st_image *i = NULL;
	const char *out = a->at[1];
	const struct format *f = NULL;
	struct stat st;
	bool is_device;

	is_device = stat(out, &st) == 0 && S_ISBLK(st.st_mode);
	if (is_device && to != NULL && strcmp(to, "raw") != 0)
		return err_set(e, ERR_USAGE, "%s: a device is raw", out);
	if (!is_device && (pick_format(out, &f, e) < 0 ||
			   cli_new_output(a, out, e) < 0))
		return -1;
	if (!is_device && stat(out, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "%s: is no regular file and no "
			       "device", out);
	r = src_repo_with_key(a, &key, e);
	if (r == NULL)
		return -1;
	i = st_image_open(r, a->at[0], 0, true, e);
	if (i == NULL)
		return -1;
	if (is_device)
		return export_device(a, i, out, e);
	if (strcmp(f->qemu, "raw") == 0 ? export_raw(i, out, e) < 0 :
					  export_by_qemu(i, f, out, e) < 0)
		return -1;
	log_note("%s: %s, %llu bytes of disk", out, f->name,
		 (unsigned long long)st_image_size(i));
	return 0;
}

static const struct cli_opt opts[] = {
	{ .name = "to", .arg = "F",
	  .help = "raw, qcow2, vhd, vhdx, vmdk or vdi (default: OUT's suffix)",
	  .value = &to },
	{ .name = NULL }
};

const struct cli_cmd cmd_export = {
	.name = "export", .operands = "NAME:VER OUT",
	.help = "write a version as a disk file, or onto a device", .opts = opts,
	.common = CLI_REPO | CLI_KEY | CLI_FORCE | CLI_YES, .min_operands = 2,
	.max_operands = 2, .run = export,
};
