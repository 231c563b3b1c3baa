/* cmd_trust.c - imgdelta trust init, add, rotate, show
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A root file says whose keys the roles are.  It is made by one of its holders,
 * signed by as many as its threshold asks for, and never needs to be on a
 * machine that has a network before it is published.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "crypt/key.h"
#include "crypt/role.h"
#include "delta/cmd.h"
#include "delta/trust.h"
#include "store/repo.h"

enum { DAY = 24 * 60 * 60 };

static struct cli_list holders, thresholds, days;

/* Days for which each role's word is good, unless told. */
static const uint32_t usual_days[CX_ROLE_END] = {
	[CX_ROLE_ROOT] = 3650, [CX_ROLE_RELEASE] = 365,
	[CX_ROLE_SNAPSHOT] = 90, [CX_ROLE_TIMESTAMP] = 14,
};

struct root {
	struct cx_meta meta;
	struct cx_root body;
};

static void
root_done(struct root *r)
{
	cx_meta_done(&r->meta);
	cx_root_done(&r->body);
}

static int
load(const char *path, struct root *ret, struct err *e)
{
	SCOPED_FREE uint8_t *in = NULL;
	size_t len;

	if (io_slurp(path, CX_META_SMALL, &in, &len, e) < 0)
		return -1;
	return dl_root_parse(path, in, len, &ret->meta, &ret->body, e);
}

static int
save(const char *path, const struct root *r, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (cx_meta_encode(&r->meta, &b, e) < 0)
		return -1;
	return io_put(path, b.at, b.len, 0644, e);
}

/* ---- what the options say ------------------------------------------------ */

/* ROLE=WORD */
static int
split(const char *option, const char *text, enum cx_role *ret,
      const char **ret_word, struct err *e)
{
	const char *equals = strchr(text, '=');

	*ret = equals == NULL ? (enum cx_role)0 :
		cx_role_named(text, (size_t)(equals - text));
	*ret_word = equals == NULL ? text : equals + 1;
	if (*ret != 0)
		return 0;
	return err_set(e, ERR_USAGE, "--%s: %s: is not root=, release=, "
		       "snapshot= or timestamp= and something", option, text);
}

static int
set_holders(struct cx_root *r, struct err *e)
{
	bool cleared[CX_ROLE_END] = { false };

	for (size_t i = 0; i < holders.count; i++) {
		enum cx_role role;
		const char *path;

		if (split("holder", holders.at[i], &role, &path, e) < 0)
			return -1;
		/* Those named take the place of those before. */
		if (!cleared[role])
			cx_pubs_done(&r->role[role].keys);
		cleared[role] = true;
		if (cx_pubs_load(&r->role[role].keys, &path, 1, e) < 0)
			return -1;
	}
	return 0;
}

static int
set_numbers(struct cx_root *r, struct err *e)
{
	enum cx_role role;
	const char *word;
	uint64_t n;

	for (size_t i = 0; i < thresholds.count; i++) {
		if (split("threshold", thresholds.at[i], &role, &word, e) < 0)
			return -1;
		if (!num_parse(word, 1, CX_META_SIGS, false, &n))
			return err_set(e, ERR_USAGE, "--threshold: %s: is no "
				       "number of keys", thresholds.at[i]);
		r->role[role].threshold = (uint32_t)n;
	}
	for (size_t i = 0; i < days.count; i++) {
		if (split("days", days.at[i], &role, &word, e) < 0)
			return -1;
		if (!num_parse(word, 0, CX_ROLE_DAYS_MAX, false, &n))
			return err_set(e, ERR_USAGE, "--days: %s: is no number "
				       "of days", days.at[i]);
		r->role[role].days = (uint32_t)n;
	}
	return 0;
}

static int
check_roles(const struct cx_root *r, struct err *e)
{
	for (int i = CX_ROLE_ROOT; i < CX_ROLE_END; i++) {
		const struct cx_holders *h = &r->role[i];
		const char *name = cx_role_name((enum cx_role)i);

		if (h->keys.count == 0)
			return err_set(e, ERR_USAGE, "nobody holds the role "
				       "%s; add --holder %s=PUB", name, name);
		if (h->threshold > h->keys.count)
			return err_set(e, ERR_USAGE, "%s: %u signatures of %zu "
				       "keys can never come together", name,
				       h->threshold, h->keys.count);
		/* push and refresh sign with one key. */
		if (i != CX_ROLE_ROOT && h->threshold > 1)
			return err_set(e, ERR_UNSUPPORTED, "%s: more than one "
				       "signature is only for root", name);
	}
	return 0;
}

/* ---- making root files --------------------------------------------------- */

/* Body, times, and the signature of the user's key. */
static int
finish(const struct cli_args *a, struct root *r, struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	BUF_SCOPED struct buf body = BUF_EMPTY;

	if (set_holders(&r->body, e) < 0 || set_numbers(&r->body, e) < 0 ||
	    check_roles(&r->body, e) < 0 || cli_need_key(a, e) < 0 ||
	    cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, &k, e) < 0 ||
	    cx_root_encode(&r->body, &body, e) < 0)
		return -1;
	free(r->meta.body);
	r->meta.body_len = body.len;
	r->meta.body = TAKE(body).at;
	r->meta.sigs = 0;
	r->meta.created = (uint64_t)time(NULL);
	r->meta.expires = r->meta.created +
			  (uint64_t)r->body.role[CX_ROLE_ROOT].days * DAY;
	return cx_meta_sign(&r->meta, &k, e);
}

/* How many more must sign it. */
static void
tell(const char *path, const struct root *r)
{
	struct err missing = ERR_INIT;

	(void)printf("%s: root %" PRIu64 "\n", path, r->meta.number);
	if (cx_meta_check(path, &r->meta, &r->body.role[CX_ROLE_ROOT],
			  &missing) < 0)
		log_note("%s; imgdelta trust add -k KEY adds one", missing.msg);
}

static int
init(const struct cli_args *a, struct err *e)
{
	SCOPED(root_done) struct root r = { .meta = CX_META_EMPTY,
					    .body = CX_ROOT_EMPTY };
	const char *out = a->at[0];

	if (cli_new_output(a, out, e) < 0 || cli_need_repo(a, e) < 0)
		return -1;

	ST_REPO_SCOPED struct st_repo *repo = st_repo_open(a->repo, e);
	if (repo == NULL)
		return -1;
	if (st_repo_kind(repo) != ST_REPO_ORIGIN ||
	    !st_repo_domain(repo, r.meta.domain))
		return err_set(e, ERR_USAGE, "%s: is no origin", a->repo);
	r.meta.role = CX_ROLE_ROOT;
	r.meta.number = 1;
	for (int i = CX_ROLE_ROOT; i < CX_ROLE_END; i++) {
		r.body.role[i].threshold = 1;
		r.body.role[i].days = usual_days[i];
	}
	if (finish(a, &r, e) < 0 || save(out, &r, e) < 0)
		return -1;
	tell(out, &r);
	return 0;
}

static int
rotate(const struct cli_args *a, struct err *e)
{
	SCOPED(root_done) struct root r = { .meta = CX_META_EMPTY,
					    .body = CX_ROOT_EMPTY };

	if (cli_new_output(a, a->at[1], e) < 0 || load(a->at[0], &r, e) < 0)
		return -1;
	r.meta.number++;
	if (finish(a, &r, e) < 0 || save(a->at[1], &r, e) < 0)
		return -1;
	tell(a->at[1], &r);
	return 0;
}

static int
add(const struct cli_args *a, struct err *e)
{
	SCOPED(root_done) struct root r = { .meta = CX_META_EMPTY,
					    .body = CX_ROOT_EMPTY };
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;

	if (cli_need_key(a, e) < 0 || load(a->at[0], &r, e) < 0 ||
	    cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, &k, e) < 0 ||
	    cx_meta_sign(&r.meta, &k, e) < 0 || save(a->at[0], &r, e) < 0)
		return -1;
	tell(a->at[0], &r);
	return 0;
}

/* ---- showing one --------------------------------------------------------- */

static const char *
day(uint64_t at, char text[32])
{
	time_t t = (time_t)at;
	struct tm tm;

	text[0] = '\0';
	if (gmtime_r(&t, &tm) != NULL)
		(void)strftime(text, 32, "%Y-%m-%d", &tm);
	return text;
}

static bool
signed_by(const struct cx_meta *m, const struct cx_pub *p)
{
	for (size_t i = 0; i < m->sigs; i++)
		if (memcmp(m->sig[i].signer, p->sign, 32) == 0)
			return true;
	return false;
}

static int
show_json(const char *path, const struct root *r, struct err *e)
{
	JS_SCOPED struct js *j = js_new("imgdelta trust show", 1, e);
	struct js *roles;

	if (j == NULL)
		return -1;
	js_str(j, "root", path);
	js_hex(j, "domain", r->meta.domain, sizeof(r->meta.domain));
	js_u64(j, "number", r->meta.number);
	js_u64(j, "created", r->meta.created);
	js_u64(j, "expires", r->meta.expires);
	roles = js_list(j, "roles");
	for (int i = CX_ROLE_ROOT; i < CX_ROLE_END; i++) {
		const struct cx_holders *h = &r->body.role[i];
		struct js *one = js_item(roles);
		struct js *keys;

		js_str(one, "role", cx_role_name((enum cx_role)i));
		js_u64(one, "threshold", h->threshold);
		js_u64(one, "days", h->days);
		keys = js_list(one, "holders");
		for (size_t k = 0; k < h->keys.count; k++) {
			struct js *key = js_item(keys);

			js_hex(key, "id", h->keys.at[k].id, CX_KEYID_BYTES);
			js_str(key, "name", h->keys.at[k].name);
			if (i == CX_ROLE_ROOT)
				js_bool(key, "signed", signed_by(&r->meta,
							&h->keys.at[k]));
		}
	}
	return js_print(j, stdout, e);
}

/* What the state folder remembers of this origin. */
static int
show_seen(const struct cli_args *a, const struct root *r, struct err *e)
{
	DL_SEEN_SCOPED struct dl_seen s = DL_SEEN_EMPTY;
	int known = dl_seen_load(a->state, r->meta.domain, &s, e);

	if (known < 0)
		return -1;
	if (known == 0)
		return 0;
	(void)printf("trusted here: root %" PRIu64 "\n", s.meta.number);
	for (int i = CX_ROLE_RELEASE; i < CX_ROLE_END; i++)
		(void)printf("seen: %s %" PRIu64 "\n",
			     cx_role_name((enum cx_role)i), s.mark[i].number);
	for (size_t i = 0; i < s.lines; i++)
		(void)printf("seen: %s:%" PRIu64 "\n", s.line[i].name,
			     s.line[i].number);
	return 0;
}

static int
show(const struct cli_args *a, struct err *e)
{
	SCOPED(root_done) struct root r = { .meta = CX_META_EMPTY,
					    .body = CX_ROOT_EMPTY };
	char hex[2 * CX_DOMAIN_BYTES + 1], text[32];

	if (load(a->at[0], &r, e) < 0)
		return -1;
	if (a->json)
		return show_json(a->at[0], &r, e);
	cx_hex(hex, r.meta.domain, CX_DOMAIN_BYTES);
	(void)printf("%s: root %" PRIu64 " of origin %s\n", a->at[0],
		     r.meta.number, hex);
	(void)printf("expires: %s\n", day(r.meta.expires, text));
	for (int i = CX_ROLE_ROOT; i < CX_ROLE_END; i++) {
		const struct cx_holders *h = &r.body.role[i];

		(void)printf("%s: %u of %zu, for %u days\n",
			     cx_role_name((enum cx_role)i), h->threshold,
			     h->keys.count, h->days);
		for (size_t k = 0; k < h->keys.count; k++) {
			char id[2 * CX_KEYID_BYTES + 1];

			cx_hex(id, h->keys.at[k].id, CX_KEYID_BYTES);
			(void)printf("  %s %s%s\n", id, h->keys.at[k].name,
				     i == CX_ROLE_ROOT &&
				     signed_by(&r.meta, &h->keys.at[k]) ?
				     ", signed this" : "");
		}
	}
	return show_seen(a, &r, e);
}

static const struct cli_opt make_opts[] = {
	{ .name = "holder", .arg = "ROLE=PUB",
	  .help = "who holds root, release, snapshot or timestamp",
	  .list = &holders },
	{ .name = "threshold", .arg = "root=N",
	  .help = "how many of its holders must sign (1)",
	  .list = &thresholds },
	{ .name = "days", .arg = "ROLE=N",
	  .help = "how long the role's word is good", .list = &days },
	{ .name = NULL }
};

const struct cli_cmd cmd_trust_init = {
	.name = "trust init", .operands = "ROOT",
	.help = "make an origin's first root file: who may sign what",
	.opts = make_opts, .common = CLI_REPO | CLI_KEY | CLI_FORCE,
	.min_operands = 1, .max_operands = 1, .run = init,
};

const struct cli_cmd cmd_trust_add = {
	.name = "trust add", .operands = "ROOT",
	.help = "add your signature to a root file",
	.common = CLI_KEY, .min_operands = 1, .max_operands = 1, .run = add,
};

const struct cli_cmd cmd_trust_rotate = {
	.name = "trust rotate", .operands = "ROOT NEW",
	.help = "make the next root file, with other holders",
	.opts = make_opts, .common = CLI_KEY | CLI_FORCE,
	.min_operands = 2, .max_operands = 2, .run = rotate,
};

const struct cli_cmd cmd_trust_show = {
	.name = "trust show", .operands = "ROOT",
	.help = "tell what a root file says, and what was seen here",
	.common = CLI_STATE | CLI_JSON, .min_operands = 1, .max_operands = 1,
	.run = show,
};
