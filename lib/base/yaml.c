/* yaml.c - see yaml.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From libyaml's events to a tree; the accessors are in yaml_get.c.
 */
#include "base/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"

enum {
	DEPTH_MAX = 32,			/* far beyond any document of ours */
	NODES_MAX = 4 << 20,		/* a plan of a million entries */
	KEYS_MAX = 4096,		/* each is compared with all before it */
	BYTES_MAX = 64 << 20,
};

struct reader {
	yaml_parser_t parser;
	const char *file;
	size_t nodes;
};

static void
reader_done(struct reader *r)
{
	yaml_parser_delete(&r->parser);
}

static void
event_done(yaml_event_t *ev)
{
	yaml_event_delete(ev);
}

#define READER_SCOPED SCOPED(reader_done)
#define EVENT_SCOPED SCOPED(event_done)

static void
node_done(struct yml *n)
{
	for (size_t i = 0; i < n->count; i++) {
		node_done(&n->at[i]);
		if (n->keys != NULL)
			node_done(&n->keys[i]);
	}
	free(n->at);
	free(n->keys);
	free(n->taken);
	free(n->text);
}

/* The document's root carries the file's name, so that every node can. */
void
yml_free(struct yml *const *doc)
{
	struct yml *root = *doc;
	char *file;

	if (root == NULL)
		return;
	memcpy(&file, &root->file, sizeof(file));
	node_done(root);
	free(file);
	free(root);
}

static int
next(struct reader *r, yaml_event_t *ev, struct err *e)
{
	const yaml_parser_t *p = &r->parser;

	if (yaml_parser_parse(&r->parser, ev))
		return 0;
	memset(ev, 0, sizeof(*ev));
	if (p->error == YAML_MEMORY_ERROR)
		return err_set(e, ERR_NOMEM, "%s: no memory", r->file);
	return err_set(e, ERR_USAGE, "%s:%zu: not YAML: %s", r->file,
		       p->problem_mark.line + 1,
		       p->problem != NULL ? p->problem : "unreadable");
}

static int read_node(struct reader *r, yaml_event_t *ev, unsigned depth,
		     struct yml *n, struct err *e);

static int
read_scalar(const yaml_event_t *ev, struct yml *n, struct err *e)
{
	n->kind = YML_SCALAR;
	n->len = ev->data.scalar.length;
	n->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->text = mem_strn(ev->data.scalar.value, n->len, e);
	if (n->text == NULL)
		return -1;
	if (ev->data.scalar.anchor != NULL || ev->data.scalar.tag != NULL)
		return yml_err(n, e, "anchors and tags are not used here");
	return 0;
}

static int
read_list(struct reader *r, unsigned depth, struct yml *n, struct err *e)
{
	size_t cap = 0;

	n->kind = YML_LIST;
	for (;;) {
		EVENT_SCOPED yaml_event_t ev = { 0 };

		if (next(r, &ev, e) < 0)
			return -1;
		if (ev.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		if (mem_grow(&n->at, &cap, n->count + 1, sizeof(*n->at), e) < 0)
			return -1;
		if (read_node(r, &ev, depth, &n->at[n->count++], e) < 0)
			return -1;
	}
}

static bool
same_scalar(const struct yml *a, const struct yml *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static int
read_key(struct reader *r, yaml_event_t *ev, unsigned depth, struct yml *map,
	 struct err *e)
{
	struct yml *key = &map->keys[map->count - 1];

	if (read_node(r, ev, depth, key, e) < 0)
		return -1;
	if (key->kind != YML_SCALAR)
		return yml_err(key, e, "a key must be a word");
	for (size_t i = 0; i + 1 < map->count; i++)
		if (same_scalar(&map->keys[i], key))
			return yml_err(key, e, "%s is given twice", key->text);
	return 0;
}

static int
read_map(struct reader *r, unsigned depth, struct yml *n, struct err *e)
{
	size_t caps[3] = { 0 };

	n->kind = YML_MAP;
	for (;;) {
		EVENT_SCOPED yaml_event_t key = { 0 };
		EVENT_SCOPED yaml_event_t value = { 0 };
		size_t want = n->count + 1;

		if (next(r, &key, e) < 0)
			return -1;
		if (key.type == YAML_MAPPING_END_EVENT)
			return 0;
		if (mem_grow(&n->at, &caps[0], want, sizeof(*n->at), e) < 0 ||
		    mem_grow(&n->keys, &caps[1], want, sizeof(*n->keys), e) < 0 ||
		    mem_grow(&n->taken, &caps[2], want, sizeof(*n->taken), e) < 0)
			return -1;
		if (++n->count > KEYS_MAX)
			return yml_err(n, e, "has more than %d keys", KEYS_MAX);
		if (read_key(r, &key, depth, n, e) < 0 ||
		    next(r, &value, e) < 0 ||
		    read_node(r, &value, depth, &n->at[n->count - 1], e) < 0)
			return -1;
	}
}

static int
read_node(struct reader *r, yaml_event_t *ev, unsigned depth, struct yml *n,
	  struct err *e)
{
	n->file = r->file;
	n->line = (unsigned)ev->start_mark.line + 1;
	if (depth >= DEPTH_MAX)
		return yml_err(n, e, "is nested deeper than %d", DEPTH_MAX);
	if (++r->nodes > NODES_MAX)
		return yml_err(n, e, "has more than %d values", NODES_MAX);
	if (ev->type == YAML_SCALAR_EVENT)
		return read_scalar(ev, n, e);
	if (ev->type == YAML_SEQUENCE_START_EVENT)
		return read_list(r, depth + 1, n, e);
	if (ev->type == YAML_MAPPING_START_EVENT)
		return read_map(r, depth + 1, n, e);
	return yml_err(n, e, "aliases are not used here");
}

/* Step over the events before the first node, then read it and the end. */
static int
read_document(struct reader *r, struct yml *root, struct err *e)
{
	bool found = false;

	for (;;) {
		EVENT_SCOPED yaml_event_t ev = { 0 };

		if (next(r, &ev, e) < 0)
			return -1;
		switch ((int)ev.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		case YAML_STREAM_END_EVENT:
			return found ? 0 : err_set(e, ERR_USAGE, "%s: is empty",
						   r->file);
		case YAML_DOCUMENT_START_EVENT:
			if (found)
				return err_set(e, ERR_USAGE,
					       "%s: holds two documents", r->file);
			break;
		default:
			found = true;
			if (read_node(r, &ev, 0, root, e) < 0)
				return -1;
		}
	}
}

struct yml *
yml_parse(const char *name, const void *text, size_t len, struct err *e)
{
	YML_SCOPED struct yml *doc = mem_array(1, sizeof(*doc), e);
	READER_SCOPED struct reader r = { .file = NULL };

	if (doc == NULL || (doc->file = mem_str(name, e)) == NULL)
		return NULL;
	r.file = doc->file;
	if (!yaml_parser_initialize(&r.parser)) {
		(void)err_set(e, ERR_NOMEM, "%s: no memory", name);
		return NULL;
	}
	yaml_parser_set_input_string(&r.parser, text, len);
	return read_document(&r, doc, e) < 0 ? NULL : TAKE(doc);
}

struct yml *
yml_load(const char *path, struct err *e)
{
	SCOPED_FREE uint8_t *text = NULL;
	size_t len = 0;

	if (io_slurp(path, BYTES_MAX, &text, &len, e) < 0)
		return NULL;
	return yml_parse(path, text, len, e);
}
