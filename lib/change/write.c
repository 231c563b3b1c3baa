/* write.c - a plan as text
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "change/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/utf.h"
#include "base/yaml.h"
#include "change/change-private.h"

/* A name from the image; one that is no UTF-8 goes as its UTF-16 units. */
static void
put_name(struct buf *out, const char *word, const char *name)
{
	struct err e = ERR_INIT;
	SCOPED_FREE uint8_t *units = NULL;
	size_t len;

	if (name == NULL)
		return;
	buf_fmt(out, "  %s: ", word);
	if (utf_valid8(name, strlen(name))) {
		yml_put_scalar(out, name);
	} else if (utf_to16(name, &units, &len, &e) == 0) {
		buf_str(out, "[utf16, '");
		cs_put_hex(out, units, len);
		buf_str(out, "']");
	} else {
		out->bad = true;
	}
	buf_str(out, "\n");
}

static void
put_side(struct buf *out, const char *word, const struct cs_entry *en,
	 const struct cs_side *s)
{
	buf_fmt(out, "  %s: ", word);
	cs_put_side(out, en->kind, s);
	cs_put_remark(out, en, s);
	buf_str(out, "\n");
}

static void
put_entry(struct buf *out, const struct cs_entry *en)
{
	buf_fmt(out, "- kind: %s\n", cs_kind_word(en->kind));
	if (en->volume != 0)
		buf_fmt(out, "  volume: %u\n", en->volume);
	put_name(out, cs_in_hive(en->kind) ? "hive" : "path", en->path);
	put_name(out, "key", en->key);
	put_name(out, "name", en->name);
	if (en->kind == CS_BYTES)
		buf_fmt(out, "  at: %" PRIu64 "\n", en->at);
	if (en->settled)
		put_side(out, "old", en, &en->old);
	put_side(out, "want", en, &en->want);
	put_name(out, "rule", en->rule);
	put_name(out, "why", en->why);
}

char *
cs_text(struct cs_plan *p, size_t *ret_len, struct err *e)
{
	BUF_SCOPED struct buf out = BUF_EMPTY;
	size_t len;
	char *text;

	if (cs_sort(p, e) < 0)
		return NULL;
	cs_put_head(&out, p);
	buf_str(&out, "format: halcyon-plan\nversion: 1\nmade-by: ");
	yml_put_scalar(&out, p->made_by);
	buf_str(&out, "\nvolumes:");
	if (p->volumes == 0)
		buf_str(&out, " []");
	for (size_t i = 0; i < p->volumes; i++)
		buf_fmt(&out, "\n- 0x%016" PRIx64, p->volume[i].serial);
	buf_fmt(&out, "\nentries:%s\n", p->count == 0 ? " []" : "");
	for (size_t i = 0; i < p->count; i++)
		put_entry(&out, &p->at[i]);
	len = out.len;
	text = buf_take_str(&out, e);
	if (text != NULL)
		*ret_len = len;
	return text;
}

int
cs_write(struct cs_plan *p, const char *path, struct err *e)
{
	size_t len;
	SCOPED_FREE char *text = cs_text(p, &len, e);

	if (text == NULL)
		return -1;
	return io_put(path, text, len, 0644, e);
}
