/* cmd_recipients.c - imgcrypt recipients list, add and remove
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is sealed is a file of imgcrypt seal, a delta, a profile bundle, or an
 * image line of a repository.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypt/cmd.h"
#include "crypt/hash.h"
#include "crypt/seal.h"
#include "store/container.h"
#include "store/line.h"
#include "store/repo.h"
#include "store/version.h"
#include "store/writer.h"

static struct cli_list named;

/* The operand, opened; one of the three is set. */
struct target {
	const char *name;
	struct cx_key key;		/* empty where it is not needed */
	int sealed;			/* -1 */
	struct st_container *container;
	struct st_repo *repo;		/* of the line */
	struct st_line line;
};

static void
target_done(struct target *t)
{
	scope_close(&t->sealed);
	st_container_free(&t->container);
	st_line_done(&t->line);
	st_repo_free(&t->repo);
	cx_key_done(&t->key);
}

static int
load_key(const struct cli_args *a, struct target *t, struct err *e)
{
	if (cli_need_key(a, e) < 0)
		return -1;
	return cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, &t->key,
			   e);
}

static int
open_line(const struct cli_args *a, struct target *t, struct err *e)
{
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	struct st_ref ref;

	if (a->repo == NULL)
		return err_set(e, ERR_USAGE, "%s: no such file; for an image "
			       "line give --repo DIR or set IMGTOOL_REPO",
			       t->name);
	t->repo = st_repo_open(a->repo, e);
	if (t->repo == NULL || load_key(a, t, e) < 0 ||
	    st_repo_unlock(t->repo, &t->key, e) < 0 ||
	    st_ref_find(t->repo, t->name, &ref, e) < 0)
		return -1;
	return st_version_load(t->repo, &ref, &t->line, &v, e);
}

static int
open_file(struct target *t, struct err *e)
{
	char magic[8] = "";
	size_t got;

	t->sealed = open(t->name, O_RDONLY | O_CLOEXEC);
	if (t->sealed < 0)
		return err_sys(e, "%s", t->name);
	if (io_read_some(t->sealed, magic, sizeof(magic), t->name, &got, e) < 0)
		return -1;
	if (memcmp(magic, "HALCONT\n", sizeof(magic)) != 0)
		return lseek(t->sealed, 0, SEEK_SET) < 0 ?
			err_sys(e, "%s", t->name) : 0;
	scope_close(&t->sealed);
	t->sealed = -1;
	t->container = st_container_open(t->name, ST_CONTAINER_ANY, e);
	return t->container == NULL ? -1 : 0;
}

static int
open_target(const struct cli_args *a, struct target *t, struct err *e)
{
	struct stat st;

	t->name = a->at[0];
	if (strchr(t->name, '/') != NULL || stat(t->name, &st) == 0)
		return open_file(t, e);
	return open_line(a, t, e);
}

/* ---- list ---- */

/* The key ids; *ret_hidden counts recipients without. */
struct ids {
	uint8_t (*at)[CX_KEYID_BYTES];
	size_t count, cap, hidden;
};

static void
ids_done(struct ids *l)
{
	free(l->at);
}

static int
add_id(struct ids *l, bool is_named, const uint8_t id[CX_KEYID_BYTES],
       struct err *e)
{
	if (!is_named) {
		l->hidden++;
		return 0;
	}
	if (mem_grow(&l->at, &l->cap, l->count + 1, sizeof(*l->at), e) < 0)
		return -1;
	memcpy(l->at[l->count++], id, CX_KEYID_BYTES);
	return 0;
}

static int
collect(const struct target *t, struct ids *l, struct err *e)
{
	SCOPED_FREE uint8_t *stanzas = NULL;
	uint8_t id[CX_KEYID_BYTES];
	size_t count;

	if (t->repo != NULL)
		return st_line_recipients(t->repo, t->line.id, &l->at, &l->count,
					  e);
	if (t->container != NULL) {
		count = st_container_info(t->container).recipients;
		for (uint32_t i = 0; i < count; i++)
			if (add_id(l, st_container_recipient(t->container, i,
							     id), id, e) < 0)
				return -1;
		return 0;
	}
	if (cx_sealed_stanzas(t->sealed, t->name, &stanzas, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (add_id(l, cx_stanza_id(stanzas + i * CX_STANZA_BYTES, id),
			   id, e) < 0)
			return -1;
	return 0;
}

/* The name that the -R files give a key id, or "". */
static const char *
name_of(const struct cx_pubs *known, const uint8_t id[CX_KEYID_BYTES])
{
	for (size_t i = 0; i < known->count; i++)
		if (memcmp(known->at[i].id, id, CX_KEYID_BYTES) == 0)
			return known->at[i].name;
	return "";
}

static int
print_ids(const struct cli_args *a, const struct ids *l,
	  const struct cx_pubs *known, struct err *e)
{
	JS_SCOPED struct js *j = js_new("imgcrypt recipients", 1, e);
	struct js *list;
	char hex[CX_KEYID_ROOM];

	if (j == NULL)
		return -1;
	js_u64(j, "anonymous", l->hidden);
	list = js_list(j, "recipients");
	for (size_t i = 0; i < l->count; i++) {
		const char *name = name_of(known, l->at[i]);
		struct js *o = js_item(list);

		cx_hex(hex, l->at[i], CX_KEYID_BYTES);
		js_str(o, "key", hex);
		js_str(o, "name", name);
		if (!a->json)
			(void)printf("%s%s%s\n", hex, *name ? " " : "", name);
	}
	if (a->json)
		return js_print(j, stdout, e);
	for (size_t i = 0; i < l->hidden; i++)
		(void)printf("anonymous\n");
	return 0;
}

static int
list(const struct cli_args *a, struct err *e)
{
	SCOPED(target_done) struct target t = { .sealed = -1 };
	CX_PUBS_SCOPED struct cx_pubs known = CX_PUBS_EMPTY;
	SCOPED(ids_done) struct ids l = { .at = NULL };

	if (cx_pubs_load(&known, named.at, named.count, e) < 0 ||
	    open_target(a, &t, e) < 0 || collect(&t, &l, e) < 0)
		return -1;
	return print_ids(a, &l, &known, e);
}

/* ---- add and remove ---- */

/* What is read, changed and written again is so by one at a time. */
static int
change_line(struct target *t, const struct cx_pubs *add,
	    const struct cx_pubs *drop, struct err *e)
{
	ST_WRITER_SCOPED struct st_writer *w = st_writer_open(t->repo, e);

	if (w == NULL)
		return -1;
	if (add->count > 0)
		return st_line_add(t->repo, &t->line, add, e);
	for (size_t i = 0; i < drop->count; i++) {
		int r = st_line_drop(t->repo, t->line.id, drop->at[i].id, e);

		if (r < 0)
			return -1;
		if (r == 0)
			return err_set(e, ERR_NO, "%s: %s is no recipient",
				       t->name, drop->at[i].name);
	}
	return 0;
}

static int
change(struct target *t, const struct cx_pubs *add, const struct cx_pubs *drop,
       struct err *e)
{
	const struct cx_key *k = t->key.secret.at == NULL ? NULL : &t->key;
	IO_NEW_SCOPED struct io_new out = IO_NEW_EMPTY;

	if (t->repo != NULL)
		return change_line(t, add, drop, e);
	if (t->container != NULL)
		return st_container_reseal(t->container, t->name, k, add, drop,
					   e);
	if (io_new_open(&out, t->name, 0644, e) < 0 ||
	    cx_reseal(t->sealed, t->name, k, add, drop, &out, e) < 0)
		return -1;
	return io_new_commit(&out, e);
}

static int
edit(const struct cli_args *a, bool adding, struct err *e)
{
	SCOPED(target_done) struct target t = { .sealed = -1 };
	CX_PUBS_SCOPED struct cx_pubs given = CX_PUBS_EMPTY;
	const struct cx_pubs none = CX_PUBS_EMPTY;

	if (named.count == 0)
		return err_set(e, ERR_USAGE, "recipients: needs -R PUB");
	if (cx_pubs_load(&given, named.at, named.count, e) < 0 ||
	    open_target(a, &t, e) < 0)
		return -1;
	if (adding && t.repo == NULL && load_key(a, &t, e) < 0)
		return -1;
	return change(&t, adding ? &given : &none, adding ? &none : &given, e);
}

static int
add(const struct cli_args *a, struct err *e)
{
	return edit(a, true, e);
}

static int
drop(const struct cli_args *a, struct err *e)
{
	if (edit(a, false, e) < 0)
		return -1;
	log_note("%s: whoever opened it before, or has an older copy, still can",
		 a->at[0]);
	return 0;
}

static const struct cli_opt list_opts[] = {
	{ .name = "recipient", .letter = 'R', .arg = "PUB",
	  .help = "show the names of these keys", .list = &named },
	{ .name = NULL }
};

static const struct cli_opt edit_opts[] = {
	{ .name = "recipient", .letter = 'R', .arg = "PUB",
	  .help = "a file of public keys, or a directory of them",
	  .list = &named },
	{ .name = NULL }
};

const struct cli_cmd cmd_recipients_list = {
	.name = "recipients list", .operands = "TARGET",
	.help = "tell whose keys open a file or an image line",
	.opts = list_opts, .common = CLI_REPO | CLI_KEY | CLI_JSON,
	.min_operands = 1, .max_operands = 1, .run = list,
};

const struct cli_cmd cmd_recipients_add = {
	.name = "recipients add", .operands = "TARGET",
	.help = "let more keys open it", .opts = edit_opts,
	.common = CLI_REPO | CLI_KEY, .min_operands = 1, .max_operands = 1,
	.run = add,
};

const struct cli_cmd cmd_recipients_remove = {
	.name = "recipients remove", .operands = "TARGET",
	.help = "take keys off it", .opts = edit_opts,
	.common = CLI_REPO | CLI_KEY, .min_operands = 1, .max_operands = 1,
	.run = drop,
};
