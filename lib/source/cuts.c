/* cuts.c - see cuts.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Claims are made in the order of their weight: what is left out of files, then
 * the files, then free clusters - so a cluster that a file has though the
 * bitmap calls it free is kept.
 */
#include "source/cuts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk.h"
#include "disk/parts.h"
#include "store/map.h"
#include "store/version.h"
#include "volume/layout.h"
#include "volume/volume.h"

/* Where Windows keeps the catalogue of a volume's shadow copies, and the name
 * of the files that hold them (libvshadow, "Volume Shadow Snapshot"). */
#define SNAPSHOT_CATALOGUE 0x1E00u
#define SNAPSHOT_FOLDER "System Volume Information"
#define SNAPSHOT_STORE "{3808876b-c176-4e48-b7ae-04046e6cc752}"

struct cutting {
	struct dk *disk;
	struct st_cuts *cuts;
	struct src_left *left;
	uint64_t next_object;
	src_tell_fn tell;	/* or NULL */
};

/* The volume being cut. */
struct volume {
	const struct vo_layout *layout;
	bool exact, keep_free, drop_snapshots, keep_hibernation;
};

/* Something about this disk is not as usual. */
static PRINTF(2, 3) void
say(const struct cutting *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (c->tell == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->tell(text);
}

/* ---- claims -------------------------------------------------------------- */

/* Claim the part of a run behind byte `from` of its stream. */
static int
claim(struct cutting *c, const struct vo_run *r, uint64_t from, uint64_t object,
      uint64_t *count, struct err *e)
{
	uint64_t skip = from > r->off ? from - r->off : 0;

	/* Sectors are the least that is cut. */
	skip = (skip + ST_SECTOR - 1) / ST_SECTOR * ST_SECTOR;
	if (skip >= r->len)
		return 0;
	if (count != NULL)
		*count += r->len - skip;
	return st_cuts_add(c->cuts, (r->at + skip) / ST_SECTOR,
			   (r->len - skip) / ST_SECTOR, object,
			   (r->off + skip) / ST_SECTOR, e);
}

static int
claim_stream(struct cutting *c, const struct vo_layout *l,
	     const struct vo_placed *p, uint64_t from, uint64_t object,
	     uint64_t *count, struct err *e)
{
	for (size_t i = 0; i < p->runs; i++)
		if (claim(c, &l->run[p->run + i], from, object, count, e) < 0)
			return -1;
	return 0;
}

static bool
is_named(const struct vo_layout *l, uint64_t record, uint64_t parent,
	 const char *name)
{
	return record < l->nodes && l->node[record].parent == parent &&
	       strcasecmp(l->text + l->node[record].name, name) == 0;
}

static bool
is_snapshot(const struct vo_layout *l, uint64_t record)
{
	return record < l->nodes &&
	       is_named(l, l->node[record].parent, VO_RECORD_ROOT,
			SNAPSHOT_FOLDER) &&
	       strcasestr(l->text + l->node[record].name, SNAPSHOT_STORE) != NULL;
}

/* Where all of a stream is left out, the counter of its bytes; else NULL. */
static uint64_t *
left_out(struct cutting *c, const struct volume *v, const struct vo_placed *p)
{
	const struct vo_layout *l = v->layout;

	if (p->type != VO_ATTR_DATA || p->name != 0)
		return NULL;
	if (is_named(l, p->record, VO_RECORD_ROOT, "pagefile.sys") ||
	    is_named(l, p->record, VO_RECORD_ROOT, "swapfile.sys"))
		return &c->left->page;
	if (!v->keep_hibernation &&
	    is_named(l, p->record, VO_RECORD_ROOT, "hiberfil.sys"))
		return &c->left->hibernation;
	if (v->drop_snapshots && is_snapshot(l, p->record))
		return &c->left->snapshots;
	return NULL;
}

/* What of a stream is no contents: all of it, or what lies behind its end. */
static int
claim_left_out(struct cutting *c, const struct volume *v,
	       const struct vo_placed *p, struct err *e)
{
	uint64_t *all = left_out(c, v, p);

	if (all != NULL)
		return claim_stream(c, v->layout, p, 0, ST_OBJECT_ZEROS, all, e);
	if (p->record == VO_RECORD_LOGFILE && p->type == VO_ATTR_DATA)
		return claim_stream(c, v->layout, p, 0, ST_OBJECT_ONES,
				    &c->left->log, e);
	/* The valid length of packed streams does not count clusters, and that of
	 * metadata is not what Windows goes by. */
	if (p->record < VO_RECORD_FIRST_USER || p->type != VO_ATTR_DATA ||
	    p->flags != 0 || p->size == 0)
		return 0;
	return claim_stream(c, v->layout, p, num_min(p->size, p->valid),
			    ST_OBJECT_ZEROS, &c->left->behind, e);
}

static int
claim_files(struct cutting *c, const struct volume *v, struct err *e)
{
	const struct vo_layout *l = v->layout;

	for (size_t i = 0; i < l->count; i++) {
		const struct vo_placed *p = &l->placed[i];

		if (p->record < VO_RECORD_FIRST_USER || p->type != VO_ATTR_DATA)
			continue;
		if (claim_stream(c, l, p, 0, c->next_object++, NULL, e) < 0)
			return -1;
	}
	return 0;
}

static int
claim_free(struct cutting *c, const struct volume *v, struct err *e)
{
	const struct vo_layout *l = v->layout;
	SCOPED_FREE uint8_t *used = NULL;
	uint64_t clusters;

	if (vo_layout_used(c->disk, l, &used, &clusters, e) < 0)
		return -1;
	clusters = num_min(clusters, l->size / l->cluster);
	for (uint64_t i = 0; i < clusters;) {
		uint64_t n = 0;

		while (i + n < clusters &&
		       (used[(i + n) / 8] >> (i + n) % 8 & 1) == 0)
			n++;
		if (st_cuts_add(c->cuts, (l->at + i * l->cluster) / ST_SECTOR,
				n * l->cluster / ST_SECTOR, ST_OBJECT_ZEROS, 0,
				e) < 0)
			return -1;
		c->left->free += n * l->cluster;
		i += n + 1;
	}
	return 0;
}

/* ---- volumes ------------------------------------------------------------- */

static int
cut_layout(struct cutting *c, const struct volume *v, struct err *e)
{
	const struct vo_layout *l = v->layout;

	if (v->drop_snapshots &&
	    st_cuts_add(c->cuts, (l->at + SNAPSHOT_CATALOGUE) / ST_SECTOR, 1,
			ST_OBJECT_ZEROS, 0, e) < 0)
		return -1;
	for (size_t i = 0; !v->exact && i < l->count; i++)
		if (claim_left_out(c, v, &l->placed[i], e) < 0)
			return -1;
	if (claim_files(c, v, e) < 0)
		return -1;
	return v->exact || v->keep_free ? 0 : claim_free(c, v, e);
}

/* What the state of a volume allows. */
static int
judge(struct cutting *c, const struct dk_part *part, bool drop_snapshots,
      struct volume *v, struct err *e)
{
	struct err closed = ERR_INIT;
	VO_SCOPED struct vo *vo = vo_open(c->disk, part->start, part->size, 0,
					  &closed);

	if (v->exact)
		return 0;
	if (vo == NULL) {
		if (closed.kind == ERR_NOMEM || closed.kind == ERR_INTERRUPTED) {
			*e = closed;
			return -1;
		}
		say(c, "%s, partition %u: %s; taken exactly", c->disk->name,
			 part->index, closed.msg);
		v->exact = true;
		return 0;
	}
	const struct vo_facts *f = vo_facts(vo);
	if (f->dirty || f->log_dirty || f->hibernated) {
		say(c, "%s, partition %u: volume %s; taken exactly",
			 c->disk->name, part->index, f->hibernated ?
			 "is hibernated" : "was not shut down cleanly");
		v->exact = true;
		return 0;
	}
	v->drop_snapshots = drop_snapshots && f->shadow_copies;
	v->keep_free = f->shadow_copies && !drop_snapshots;
	if (v->keep_free)
		say(c, "%s, partition %u: has shadow copies, so its free "
			 "clusters are kept; --drop-snapshots leaves out both",
			 c->disk->name, part->index);
	return 0;
}

static int
cut_ntfs(struct cutting *c, const struct dk_part *part, bool exact,
	 bool drop_snapshots, struct err *e)
{
	VO_LAYOUT_SCOPED struct vo_layout l = VO_LAYOUT_EMPTY;
	struct volume v = { .layout = &l, .exact = exact };
	struct err unreadable = ERR_INIT;

	if (vo_layout_read(c->disk, part->start, part->size, &l,
			   &unreadable) < 0) {
		if (unreadable.kind != ERR_CORRUPT) {
			*e = unreadable;
			return -1;
		}
		say(c, "%s, partition %u: %s; taken exactly", c->disk->name,
			 part->index, unreadable.msg);
		return 0;
	}
	if (l.skipped > 0 && !exact) {
		say(c, "%s, partition %u: %" PRIu64 " records of its file "
			 "table make no sense; taken exactly", c->disk->name,
			 part->index, l.skipped);
		v.exact = true;
	}
	if (judge(c, part, drop_snapshots, &v, e) < 0)
		return -1;
	return cut_layout(c, &v, e);
}

static int
cut_part(struct cutting *c, const struct dk_part *part, bool exact,
	 bool drop_snapshots, struct err *e)
{
	enum vo_kind kind;

	if (vo_probe(c->disk, part->start, part->size, &kind, e) < 0)
		return -1;
	if (kind == VO_NTFS && part->start % ST_SECTOR == 0)
		return cut_ntfs(c, part, exact, drop_snapshots, e);
	/* Nothing is ever in a Microsoft reserved partition. */
	if (!exact && kind != VO_FAT &&
	    memcmp(part->type_guid, dk_guid_reserved, 16) != 0)
		say(c, "%s, partition %u: %s; taken exactly", c->disk->name,
			 part->index, vo_kind_name(kind));
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
src_cut_disk(struct dk *d, bool exact, bool drop_snapshots, src_tell_fn tell,
	     struct st_cuts *ret, struct src_left *ret_left, struct err *e)
{
	DK_PARTS_SCOPED struct dk_parts parts = DK_PARTS_EMPTY;
	ST_CUTS_SCOPED struct st_cuts cuts = ST_CUTS_EMPTY;
	struct cutting c = { .disk = d, .cuts = &cuts, .left = ret_left,
			     .next_object = ST_OBJECT_FIRST, .tell = tell };
	struct err unreadable = ERR_INIT;

	if (dk_parts_read(d, &parts, &unreadable) < 0)
		say(&c, "%s; taken exactly", unreadable.msg);

	SCOPED_FREE uint64_t *origin = mem_array(parts.count, sizeof(*origin),
						 e);
	if (origin == NULL)
		return -1;
	for (size_t i = 0; i < parts.count; i++) {
		origin[i] = parts.at[i].start / ST_SECTOR;
		if (cut_part(&c, &parts.at[i], exact, drop_snapshots, e) < 0)
			return -1;
	}
	mem_sort(origin, parts.count, sizeof(*origin), by_number);
	if (st_cuts_settle(&cuts, (d->size + ST_SECTOR - 1) / ST_SECTOR, origin,
			   parts.count, e) < 0)
		return -1;
	*ret = TAKE(cuts);
	return 0;
}

/* ---- telling ------------------------------------------------------------- */

enum { KINDS = 6 };

static void
kinds(const struct src_left *l, const char *name[KINDS], uint64_t bytes[KINDS])
{
	const struct { const char *name; uint64_t bytes; } all[KINDS] = {
		{ "free space", l->free },
		{ "page file", l->page },
		{ "hibernation file", l->hibernation },
		{ "behind files' ends", l->behind },
		{ "file system log", l->log },
		{ "shadow copies", l->snapshots },
	};

	for (size_t i = 0; i < KINDS; i++) {
		name[i] = all[i].name;
		bytes[i] = all[i].bytes;
	}
}

char *
src_left_text(const struct src_left *l, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	const char *name[KINDS];
	uint64_t bytes[KINDS];

	kinds(l, name, bytes);
	buf_str(&b, "");
	for (size_t i = 0; i < KINDS; i++)
		if (bytes[i] > 0)
			buf_fmt(&b, "%s%s %.1f MiB", b.len > 0 ? ", " : "",
				name[i], (double)bytes[i] / 1048576);
	return buf_take_str(&b, e);
}

int
src_left_note(const struct src_left *l, struct st_version *v, struct err *e)
{
	SCOPED_FREE char *text = src_left_text(l, e);

	if (text == NULL)
		return -1;
	if (text[0] == '\0') {
		v->flags |= ST_VERSION_EXACT;
		return 0;
	}
	return st_version_set(v, "left-out", text, e);
}
