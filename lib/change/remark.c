/* remark.c - what a plan says to its readers, in comments
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "change/change-private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "volume/volume.h"

/* How to carry the plan out depends on who made it. */
static void
put_use(struct buf *out, const struct cs_plan *p)
{
	size_t len = strcspn(p->made_by, " ");
	bool moves = len == 7 && strncmp(p->made_by, "profmig", len) == 0;

	if (!moves && strncmp(p->made_by, "hal-neutral ", 12) != 0)
		return;
	buf_fmt(out, "#\n# \"%.*s apply %sDISK PLAN\" makes the changes: all of "
		"them, or none where the\n# image no longer holds an old side. "
		"\"%.*s revert DISK\" takes them back.\n", (int)len, p->made_by,
		moves ? "BUNDLE " : "", (int)len, p->made_by);
}

void
cs_put_head(struct buf *out, const struct cs_plan *p)
{
	size_t count[CS_KINDS] = { 0 };
	const char *before = "# ";

	buf_str(out, "# What shall be changed on a disk with Windows; nothing is "
		"changed yet.\n#\n"
		"# Each entry is one thing: where it is, what is there now "
		"(old), what shall be\n"
		"# there (want), who asks for it (rule), and the reason (why). "
		"Delete an entry to\n"
		"# leave that change out. All words are in halcyon-plan(5).\n");
	put_use(out, p);
	buf_str(out, "#\n");
	for (size_t i = 0; i < p->count; i++)
		count[p->at[i].kind]++;
	for (size_t k = 0; k < CS_KINDS; k++) {
		if (count[k] == 0)
			continue;
		buf_fmt(out, "%s%zu %s", before, count[k],
			cs_kind_word((enum cs_kind)k));
		before = ", ";
	}
	buf_str(out, p->count == 0 ? "# no change\n" : "\n");
}

/* When a service or driver starts: Microsoft, "HKLM\\SYSTEM\\CurrentControlSet\\
 * Services Registry Tree". */
static void
put_start(struct buf *out, const struct cs_entry *en, const struct cs_side *s)
{
	static const char *const words[] = {
		"at boot", "with the kernel", "by itself", "on demand", "never",
	};

	if (s->type != CS_REG_DWORD || s->len != 4 || s->data[0] > 4 ||
	    s->data[1] != 0 || s->data[2] != 0 || s->data[3] != 0 ||
	    strcasecmp(en->name, "Start") != 0 ||
	    strcasestr(en->key, "\\Services\\") == NULL)
		return;
	buf_fmt(out, "  # starts %s", words[s->data[0]]);
}

/* File attributes: [MS-FSCC] 2.6. */
static void
put_attributes(struct buf *out, const struct cs_side *s)
{
	static const struct {
		uint32_t bit;
		const char *word;
	} words[] = {
		{ VO_READONLY, "read-only" }, { VO_HIDDEN, "hidden" },
		{ VO_SYSTEM, "system" }, { VO_ARCHIVE, "archive" },
		{ VO_TEMPORARY, "temporary" }, { VO_OFFLINE, "offline" },
		{ VO_NOT_INDEXED, "not indexed" },
	};
	struct err e = ERR_INIT;
	SCOPED_FREE char *text = mem_strn(s->data, s->len, &e);
	SCOPED_FREE char *short_name = NULL;
	struct cs_meta m = { .has_attributes = false };
	const char *before = "  # ";

	if (text == NULL || cs_meta_parse(text, &m, &short_name, &e) < 0)
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (m.has_attributes && (m.attributes & words[i].bit) != 0) {
			buf_fmt(out, "%s%s", before, words[i].word);
			before = ", ";
		}
}

void
cs_put_remark(struct buf *out, const struct cs_entry *en,
	      const struct cs_side *s)
{
	if (s->have != CS_INLINE)
		return;
	if (en->kind == CS_VALUE)
		put_start(out, en, s);
	else if (en->kind == CS_META)
		put_attributes(out, s);
}
