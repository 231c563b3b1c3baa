/* volumes.c - the volumes of a guest: partitions, and what the appliance makes
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "disk/disk.h"
#include "windows/windows-private.h"

/* Does an error end everything, rather than tell of one volume? */
static bool
is_fatal(const struct err *why)
{
	return why->kind == ERR_NOMEM || why->kind == ERR_INTERRUPTED;
}

/* A volume opened, or the reason why not in v->why. */
static int
settle(struct wn_volume *v, struct vo *vo, const struct err *why,
       struct err *e)
{
	v->vo = vo;
	if (vo != NULL) {
		v->kind = vo_facts(vo)->kind;
		return 0;
	}
	if (is_fatal(why)) {
		*e = *why;
		return -1;
	}
	if (v->why == NULL) {
		v->why = mem_str(why->msg, e);
		v->refused = why->kind;
	}
	return v->why == NULL ? -1 : 0;
}

static struct vo *
open_as(const struct wn_guest *g, const struct wn_volume *v, unsigned flags,
	struct vo_appliance *a, struct err *e)
{
	if (a == NULL)
		return vo_open(g->disk, v->start, v->size,
			       flags | (v->esp ? VO_ESP : 0), e);
	return vo_open_in(a, g->disk, v->start, v->size, flags, e);
}

/* Is it one that needs the appliance, also where that is only for writing? */
static bool
in_appliance(const struct wn_volume *v, unsigned flags)
{
	return vo_wants_appliance(v->kind) ||
	       (vo_chosen() == VO_AUTO && v->kind == VO_FAT && !v->esp &&
		(flags & VO_WRITE) != 0);
}

/* Open one volume; one that cannot be opened only says why. */
static int
open_volume(const struct wn_guest *g, struct wn_volume *v, unsigned flags,
	    struct vo_appliance *a, struct err *e)
{
	struct err why = ERR_INIT;
	struct vo *vo;

	if (v->kind == VO_UNKNOWN) {
		v->why = mem_str("holds no file system that is known", e);
		return v->why == NULL ? -1 : 0;
	}
	if (v->kind == VO_LVM || v->kind == VO_DYNAMIC) {
		v->why = mem_str(v->kind == VO_LVM ? "is a part of LVM"
				 : "is a part of a dynamic disk", e);
		return v->why == NULL ? -1 : 0;
	}
	if (!in_appliance(v, flags))
		a = NULL;
	vo = open_as(g, v, flags, a, &why);
	v->writable = vo != NULL && (flags & VO_WRITE) != 0;
	if (settle(v, vo, &why, e) < 0)
		return -1;
	if (vo != NULL || (flags & VO_WRITE) == 0 ||
	    (why.kind != ERR_UNSAFE && why.kind != ERR_UNSUPPORTED))
		return 0;
	why = (struct err)ERR_INIT;
	return settle(v, open_as(g, v, flags & ~(unsigned)VO_WRITE, a, &why),
		      &why, e);
}

static int
open_partition(struct wn_guest *g, const struct dk_part *p, unsigned flags,
	       struct vo_appliance *a, struct err *e)
{
	struct wn_volume *v = &g->volume[g->volumes++];
	bool gpt = g->parts.scheme == DK_GPT, dynamic;

	v->part = p->index;
	v->start = p->start;
	v->size = p->size;
	v->active = p->active;
	v->esp = gpt && memcmp(p->type_guid, dk_guid_esp, 16) == 0;
	memcpy(v->guid, p->guid, sizeof(v->guid));
	if (vo_probe(g->disk, v->start, v->size, &v->kind, e) < 0)
		return -1;
	/* Windows keeps the entries of partitions that it boots from when it
	 * makes a disk dynamic; those are read where they lie. */
	dynamic = gpt ? memcmp(p->type_guid, dk_guid_ldm, 16) == 0
		      : g->parts.scheme == DK_MBR && p->type == DK_TYPE_LDM;
	if (dynamic && (a != NULL || v->kind == VO_UNKNOWN))
		v->kind = VO_DYNAMIC;
	return open_volume(g, v, flags, a, e);
}

static bool
is_part_of(const struct wn_volume *v)
{
	return v->name == NULL &&
	       (v->kind == VO_LVM || v->kind == VO_DYNAMIC);
}

/* Open one of the volumes that are no partition. */
static int
open_made(struct wn_guest *g, struct vo_made *m, const struct vo_span *spans,
	  size_t count, unsigned flags, struct vo_appliance *a, struct err *e)
{
	struct wn_volume *v = &g->volume[g->volumes++];
	struct err why = ERR_INIT;
	struct vo *vo = vo_open_made(a, g->disk, m, spans, count, flags, &why);

	v->name = TAKE(m->name);
	v->size = m->size;
	v->writable = vo != NULL && (flags & VO_WRITE) != 0;
	if (settle(v, vo, &why, e) < 0)
		return -1;
	if (vo != NULL || (flags & VO_WRITE) == 0 || why.kind != ERR_UNSAFE)
		return 0;
	why = (struct err)ERR_INIT;
	m->name = v->name;	/* lent */
	vo = vo_open_made(a, g->disk, m, NULL, 0, 0, &why);
	m->name = NULL;
	return settle(v, vo, &why, e);
}

/* What lies on the partitions that are only parts of something. */
static int
open_mades(struct wn_guest *g, unsigned flags, struct vo_appliance *a,
	   struct err *e)
{
	VO_MADES_SCOPED struct vo_mades m = VO_MADES_EMPTY;
	SCOPED_FREE struct vo_span *spans =
		mem_array(g->volumes, sizeof(*spans), e);
	size_t n = 0, cap = g->volumes;

	if (spans == NULL)
		return -1;
	for (size_t i = 0; i < g->volumes; i++)
		if (is_part_of(&g->volume[i]))
			spans[n++] = (struct vo_span){ g->volume[i].start,
						       g->volume[i].size };
	if (n == 0)
		return 0;
	if (vo_made_volumes(a, g->disk, &m, e) < 0 ||
	    mem_grow(&g->volume, &cap, g->volumes + m.count,
		     sizeof(*g->volume), e) < 0)
		return -1;
	for (size_t i = 0; i < m.count; i++)
		if (open_made(g, &m.at[i], spans, n, flags, a, e) < 0)
			return -1;
	return 0;
}

int
wn_open_volumes(struct wn_guest *g, unsigned flags, struct vo_appliance *a,
		struct err *e)
{
	if (dk_parts_read(g->disk, &g->parts, e) < 0)
		return -1;
	g->volume = mem_array(g->parts.count, sizeof(*g->volume), e);
	if (g->volume == NULL)
		return -1;
	for (size_t i = 0; i < g->parts.count; i++)
		if (open_partition(g, &g->parts.at[i], flags, a, e) < 0)
			return -1;
	return a == NULL ? 0 : open_mades(g, flags, a, e);
}

/* Is an installation on the volume? */
static bool
has_install(const struct wn_guest *g, size_t volume)
{
	for (size_t i = 0; i < g->installs; i++)
		if (g->install[i].volume == volume)
			return true;
	return false;
}

bool
wn_wants_appliance(const struct wn_guest *g, unsigned flags)
{
	for (size_t i = 0; i < g->volumes; i++) {
		const struct wn_volume *v = &g->volume[i];
		bool wants = vo_wants_appliance(v->kind);

		/* the user gave a key, or asked for the appliance */
		if (wants && (v->kind == VO_BITLOCKER ||
			      vo_chosen() == VO_APPLIANCE_ONLY))
			return true;
		if (wants && g->installs == 0)
			return true;
		if (!v->writable && v->kind == VO_FAT && !v->esp &&
		    vo_chosen() == VO_AUTO && (flags & VO_WRITE) != 0 &&
		    (g->installs == 0 || has_install(g, i)))
			return true;
	}
	return false;
}
