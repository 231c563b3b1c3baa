/* read.c - a plan from text
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "change/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "base/yaml.h"
#include "change/change-private.h"

/* A name as put_name() wrote it; *ret is NULL when the key is absent. */
static int
get_name(struct yml *map, const char *word, char **ret, struct err *e)
{
	struct yml *y = yml_get(map, word);
	SCOPED_FREE uint8_t *units = NULL;
	size_t len;

	if (y == NULL)
		return 0;
	if (y->kind == YML_SCALAR) {
		if (strlen(y->text) != y->len)
			return yml_err(y, e, "%s must not hold a NUL", word);
		*ret = mem_str(y->text, e);
		return *ret == NULL ? -1 : 0;
	}
	if (y->kind != YML_LIST || y->count != 2 ||
	    y->at[0].kind != YML_SCALAR || y->at[1].kind != YML_SCALAR ||
	    strcmp(y->at[0].text, "utf16") != 0 ||
	    cs_get_hex(y->at[1].text, &units, &len, e) < 0 || len % 2 != 0)
		return yml_err(y, e, "%s must be a name", word);
	*ret = utf_from16(units, len, e);
	return *ret == NULL ? -1 : 0;
}

static enum cs_kind
get_kind(struct yml *map, struct err *e)
{
	const char *words[CS_KINDS + 1] = { NULL };

	for (int i = 0; i < CS_KINDS; i++)
		words[i] = cs_kind_word((enum cs_kind)i);
	return (enum cs_kind)yml_word(map, "kind", words, CS_KINDS, e);
}

static int
get_sides(struct yml *y, struct cs_entry *en, struct err *e)
{
	const struct yml *old = yml_get(y, "old"), *want = yml_get(y, "want");

	if (want == NULL)
		return yml_err(y, e, "want is missing");
	if (cs_get_side(want, en->kind, false, &en->want, e) < 0)
		return -1;
	en->settled = old != NULL;
	if (old == NULL)
		return 0;
	return cs_get_side(old, en->kind, true, &en->old, e);
}

static int
get_entry(struct yml *y, struct cs_plan *p, struct err *e)
{
	struct cs_reason none = { NULL, NULL };
	struct cs_entry *en;

	if (y->kind != YML_MAP)
		return yml_err(y, e, "an entry must be a map");
	en = cs_push(p, CS_FILE, 0, NULL, NULL, NULL, none, e);
	if (en == NULL)
		return -1;
	en->kind = get_kind(y, e);
	if (e->kind != ERR_NONE || en->kind == CS_KINDS) {
		en->kind = CS_FILE;
		return yml_err(y, e, "kind is missing");
	}
	en->volume = (unsigned)yml_u64(y, "volume", 0, p->volumes - 1, 0, e);
	if (get_name(y, cs_in_hive(en->kind) ? "hive" : "path", &en->path,
		     e) < 0 ||
	    get_name(y, "key", &en->key, e) < 0 ||
	    get_name(y, "name", &en->name, e) < 0 ||
	    get_name(y, "rule", &en->rule, e) < 0 ||
	    get_name(y, "why", &en->why, e) < 0)
		return -1;
	if (en->kind == CS_BYTES) {
		if (yml_get(y, "at") == NULL)
			return yml_err(y, e, "at is missing");
		en->at = yml_u64(y, "at", 0, INT64_MAX, 0, e);
	}
	if (get_sides(y, en, e) < 0 || yml_end(y, e) < 0)
		return -1;
	struct err why = ERR_INIT;

	if (cs_entry_check(en, &why) == 0)
		return 0;
	if (why.kind == ERR_NOMEM)
		return err_set(e, why.kind, "%s", why.msg);
	return yml_err(y, e, "the entry has %s", why.msg);
}

static int
get_volumes(struct yml *doc, struct cs_plan *p, struct err *e)
{
	const struct yml *list = yml_list(doc, "volumes", e);

	if (list == NULL)
		return yml_err(doc, e, "volumes is missing");
	for (size_t i = 0; i < list->count; i++) {
		const struct yml *y = &list->at[i];
		uint64_t serial;

		if (y->kind != YML_SCALAR ||
		    !num_parse(y->text, 0, UINT64_MAX, false, &serial))
			return yml_err(y, e, "a volume serial number is wanted");
		if (cs_plan_volume(p, serial) != i)
			return yml_err(y, e, "the same volume twice");
	}
	return cs_ok(p, e);
}

static int
get_header(struct yml *doc, struct cs_plan *p, struct err *e)
{
	static const char *const formats[] = { "halcyon-plan", NULL };
	const char *made_by;
	uint64_t version;

	if (doc->kind != YML_MAP || yml_get(doc, "format") == NULL)
		return yml_err(doc, e, "not a plan");
	(void)yml_word(doc, "format", formats, 0, e);
	version = yml_u64(doc, "version", 1, UINT32_MAX, 0, e);
	made_by = yml_str(doc, "made-by", YML_NEEDED, e);
	if (e->kind != ERR_NONE)
		return -1;
	if (version != 1)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: plan of version %u, this reads 1",
			       doc->file, (unsigned)version);
	p->made_by = mem_str(made_by, e);
	return p->made_by == NULL ? -1 : get_volumes(doc, p, e);
}

static struct cs_plan *
from_tree(struct yml *doc, struct err *e)
{
	CS_PLAN_SCOPED struct cs_plan *p = mem_array(1, sizeof(*p), e);
	const struct yml *list;

	if (p == NULL || get_header(doc, p, e) < 0)
		return NULL;
	list = yml_list(doc, "entries", e);
	if (list == NULL || (list->count > 0 && p->volumes == 0)) {
		(void)yml_err(doc, e, "entries or volumes are missing");
		return NULL;
	}
	for (size_t i = 0; i < list->count; i++)
		if (get_entry(&list->at[i], p, e) < 0)
			return NULL;
	if (yml_end(doc, e) < 0 || cs_sort(p, e) < 0)
		return NULL;
	return TAKE(p);
}

struct cs_plan *
cs_parse(const char *name, const void *text, size_t len, struct err *e)
{
	YML_SCOPED struct yml *doc = yml_parse(name, text, len, e);

	return doc == NULL ? NULL : from_tree(doc, e);
}

struct cs_plan *
cs_read(const char *path, struct err *e)
{
	YML_SCOPED struct yml *doc = yml_load(path, e);

	return doc == NULL ? NULL : from_tree(doc, e);
}
