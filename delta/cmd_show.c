/* cmd_show.c - imgdelta show and verify
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "crypt/hash.h"
#include "crypt/key.h"
#include "delta/apply.h"
#include "delta/cmd.h"
#include "delta/mirror.h"

static struct cli_list signers;

/* What a delta says to one who has a key for it. */
struct inside {
	bool known;
	struct dl_file f;
	uint64_t units, changed, zeroed;
};

static void
inside_done(struct inside *i)
{
	dl_file_done(&i->f);
}

static int
look_inside(const struct cli_args *a, struct inside *ret, struct err *e)
{
	if (cmd_look(a, &ret->f, e) < 0)
		return -1;
	ret->known = true;
	for (size_t i = 0; i < ret->f.d.units; i++)
		if (ret->f.d.unit[i].kind == DL_UNIT_ZERO)
			ret->zeroed += ret->f.d.unit[i].len;
		else
			ret->changed += ret->f.d.unit[i].len;
	return 0;
}

static void
show_json_inside(struct js *j, const struct inside *in)
{
	struct js *o = js_object(j, "inside");

	js_str(o, "old", in->f.d.old_name);
	js_str(o, "new", in->f.d.new_name);
	js_u64(o, "old-size", in->f.d.old_size);
	js_u64(o, "new-size", in->f.d.new_size);
	js_u64(o, "created", in->f.d.created);
	js_u64(o, "changed", in->changed);
	js_u64(o, "zeroed", in->zeroed);
}

static int
show_json(const char *path, const struct st_container *c,
	  const struct inside *in, struct err *e)
{
	JS_SCOPED struct js *j = js_new("imgdelta show", 1, e);
	struct st_container_info i = st_container_info(c);
	struct js *list;

	if (j == NULL)
		return -1;
	js_str(j, "file", path);
	js_u64(j, "bytes", i.file_bytes);
	js_hex(j, "id", i.id, sizeof(i.id));
	js_u64(j, "frames", i.frames);
	js_bool(j, "signed", i.is_signed);
	if (i.is_signed)
		js_hex(j, "signer", i.signer, sizeof(i.signer));
	list = js_list(j, "recipients");
	for (uint32_t n = 0; n < i.recipients; n++) {
		uint8_t id[CX_KEYID_BYTES];
		char text[CX_KEYID_ROOM] = "";

		if (st_container_recipient(c, n, id))
			cx_hex(text, id, sizeof(id));
		js_item_str(list, text);
	}
	if (in->known)
		show_json_inside(j, in);
	return js_print(j, stdout, e);
}

static void
show_text(const char *path, const struct st_container *c,
	  const struct inside *in)
{
	struct st_container_info i = st_container_info(c);
	char hex[CX_HEX_ROOM];

	cx_hex(hex, i.id, sizeof(i.id));
	(void)printf("%s: delta %s\n", path, hex);
	(void)printf("bytes: %" PRIu64 " in %" PRIu32 " frames\n",
		     i.file_bytes, i.frames);
	cx_hex(hex, i.signer, sizeof(i.signer));
	(void)printf("signed: %s\n", i.is_signed ? hex : "no");
	for (uint32_t n = 0; n < i.recipients; n++) {
		uint8_t id[CX_KEYID_BYTES];

		if (st_container_recipient(c, n, id))
			cx_hex(hex, id, sizeof(id));
		(void)printf("recipient: %s\n",
			     st_container_recipient(c, n, id) ? hex :
			     "anonymous");
	}
	if (!in->known)
		return;

	const struct dl_delta *d = &in->f.d;

	(void)printf("old: %s, %" PRIu64 " bytes\n", d->old_name, d->old_size);
	(void)printf("new: %s, %" PRIu64 " bytes\n", d->new_name, d->new_size);
	(void)printf("changed: %" PRIu64 " bytes\n", in->changed);
	(void)printf("zeroed: %" PRIu64 " bytes\n", in->zeroed);
}

static int
show(const struct cli_args *a, struct err *e)
{
	SCOPED(inside_done) struct inside in = { .known = false };

	ST_CONTAINER_SCOPED struct st_container *c =
		st_container_open(a->at[0], ST_CONTAINER_DELTA, e);

	if (c == NULL || (a->key != NULL && look_inside(a, &in, e) < 0))
		return -1;
	if (a->json)
		return show_json(a->at[0], c, &in, e);
	show_text(a->at[0], c, &in);
	return 0;
}

static int
verify_file(const struct cli_args *a, struct err *e)
{
	CX_PUBS_SCOPED struct cx_pubs trusted = CX_PUBS_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	const struct cx_pub *by;

	ST_CONTAINER_SCOPED struct st_container *c =
		st_container_open(a->at[0], ST_CONTAINER_DELTA, e);

	if (c == NULL ||
	    cx_trust_load(&trusted, signers.at, signers.count, e) < 0 ||
	    st_container_trust(c, &trusted, &by, e) < 0)
		return -1;
	progress_begin(&p, a->at[0], true, st_container_info(c).frame_bytes);
	if (st_container_check(c, &p, e) < 0)
		return -1;
	progress_end(&p);
	if (by != NULL)
		(void)printf("%s: whole, signed by %s\n", a->at[0], by->name);
	else
		(void)printf("%s: whole, not signed\n", a->at[0]);
	return 0;
}

static int
verify_mirror(const struct cli_args *a, struct err *e)
{
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	const struct dl_trust t = { .root = cmd_remote.trust };
	struct dl_looked l;

	progress_begin(&p, a->at[0], true, 0);
	if (dl_mirror_verify(a->at[0], &t, &p, &l, e) < 0)
		return -1;
	progress_end(&p);
	(void)printf("%s: whole: release %" PRIu64 ", %" PRIu64 " versions, %"
		     PRIu64 " packs, %" PRIu64 " deltas\n", a->at[0],
		     l.release, l.versions, l.packs, l.deltas);
	if (t.root == NULL)
		log_note("%s: by its own word; --trust ROOT says whose word "
			 "counts", a->at[0]);
	return 0;
}

static int
verify(const struct cli_args *a, struct err *e)
{
	struct stat st;
	bool is_mirror = stat(a->at[0], &st) == 0 && S_ISDIR(st.st_mode);

	if (is_mirror ? signers.count > 0 : cmd_remote.trust != NULL)
		return err_set(e, ERR_USAGE, "%s: --by is for deltas, --trust "
			       "for mirrors", a->at[0]);
	return is_mirror ? verify_mirror(a, e) : verify_file(a, e);
}

const struct cli_cmd cmd_show = {
	.name = "show", .operands = "FILE", .help = "tell what a delta says",
	.common = CLI_KEY | CLI_JSON, .min_operands = 1, .max_operands = 1,
	.run = show,
};

static const struct cli_opt verify_opts[] = {
	{ .name = "by", .arg = "PUB",
	  .help = "a trusted signer: a file of public keys, or a directory",
	  .list = &signers },
	{ .name = "trust", .arg = "ROOT",
	  .help = "the root file that counts for a mirror",
	  .value = &cmd_remote.trust },
	{ .name = NULL }
};

const struct cli_cmd cmd_verify = {
	.name = "verify", .operands = "FILE|MIRROR",
	.help = "check all of a delta, or of a mirror, without a key",
	.opts = verify_opts, .min_operands = 1, .max_operands = 1,
	.run = verify,
};
