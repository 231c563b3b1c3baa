/* module.c - see image.h: can the kernel load a file, with all it imports?
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"

enum { DEPTH_MAX = 32 };	/* of modules that import from modules */

static const struct hn_module *look(struct hn_image *im, const char *path,
				    unsigned depth, struct err *e);

static struct hn_module *
find(const struct hn_image *im, const char *path)
{
	for (size_t i = 0; i < im->modules; i++)
		if (utf_same8(im->module[i]->path, path))
			return im->module[i];
	return NULL;
}

static struct hn_module *
add(struct hn_image *im, const char *path, struct err *e)
{
	SCOPED_FREE struct hn_module *m = mem_array(1, sizeof(*m), e);
	SCOPED_FREE char *copy = mem_str(path, e);

	if (m == NULL || copy == NULL ||
	    mem_grow(&im->module, &im->modules_cap, im->modules + 1,
		     sizeof(struct hn_module *), e) < 0)
		return NULL;
	m->path = TAKE(copy);
	im->module[im->modules] = TAKE(m);
	return im->module[im->modules++];
}

/* What is wrong with the file alone: m->why, or NULL. */
static int
check_file(struct hn_image *im, struct hn_module *m, struct err *e)
{
	SCOPED_FREE uint8_t *bytes = NULL;
	struct err bad = ERR_INIT;
	size_t len;
	int r = vo_slurp(im->vo, m->path, HN_DRIVER_MAX, &bytes, &len, &bad);

	if (bad.kind == ERR_NOMEM)
		return err_set(e, bad.kind, "%s", bad.msg);
	if (r < 0)
		m->why = mem_fmt(e, "cannot be read: %s", bad.msg);
	else if (r == 0)
		m->why = mem_str("the file is not there", e);
	else if (len == 0)
		m->why = mem_str("the file is empty", e);
	else if (hn_pe_parse("driver", bytes, len, &m->pe, &bad) < 0)
		m->why = mem_fmt(e, "not a driver: %s", bad.msg);
	else if (m->pe.machine != im->machine)
		m->why = mem_fmt(e, "is for %s, this Windows is %s",
				 hn_pe_machine_name(m->pe.machine),
				 hn_pe_machine_name(im->machine));
	else if (!m->pe.executable)
		m->why = mem_str("the linker left it unfinished", e);
	else
		return 0;
	return m->why == NULL ? -1 : 1;
}

/* Where the kernel's loader looks for an import: beside the other drivers, or
 * in System32 (the kernel, the HAL, boot libraries). */
static const struct hn_module *
look_import(struct hn_image *im, const char *name, unsigned depth,
	    struct err *e)
{
	SCOPED_FREE char *first = mem_fmt(e, "%s/System32/drivers/%s",
					  im->in->root, name);
	SCOPED_FREE char *second = mem_fmt(e, "%s/System32/%s", im->in->root,
					   name);
	struct vo_stat st;
	int r;

	if (first == NULL || second == NULL)
		return NULL;
	r = vo_stat(im->vo, first, &st, e);
	if (r < 0)
		return NULL;
	return look(im, r == 1 ? first : second, depth, e);
}

static int
check_imports(struct hn_image *im, struct hn_module *m, unsigned depth,
	      struct err *e)
{
	for (size_t i = 0; i < m->pe.modules && m->why == NULL; i++) {
		const struct hn_module *other;

		if (strpbrk(m->pe.module[i], "/\\:") != NULL) {
			m->why = mem_str("imports from an impossible name", e);
			return m->why == NULL ? -1 : 0;
		}
		other = look_import(im, m->pe.module[i], depth, e);
		if (other == NULL)
			return -1;
		if (other->why == NULL)
			continue;
		m->why = mem_fmt(e, "imports %s: %s", m->pe.module[i],
				 other->why);
		if (m->why == NULL)
			return -1;
	}
	return 0;
}

/* Modules that import from each other (the kernel and the HAL do) are met again
 * while they are being looked at; that is no fault. */
static const struct hn_module *
look(struct hn_image *im, const char *path, unsigned depth, struct err *e)
{
	struct hn_module *m = find(im, path);
	int r;

	if (m != NULL)
		return m;
	m = add(im, path, e);
	if (m == NULL)
		return NULL;
	r = check_file(im, m, e);
	if (r < 0)
		return NULL;
	if (r == 0 && depth < DEPTH_MAX &&
	    check_imports(im, m, depth + 1, e) < 0)
		return NULL;
	return m;
}

const struct hn_module *
hn_module(struct hn_image *im, const char *path, struct err *e)
{
	return look(im, path, 0, e);
}
