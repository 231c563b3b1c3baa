/* cmd_wipe.c - imgrun wipe: guests that nobody shall read again
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "crypt/key.h"
#include "crypt/sign.h"
#include "runtime/cmd.h"
#include "runtime/journal.h"
#include "runtime/peer.h"
#include "runtime/supervisor.h"
#include "runtime/wipe.h"

static bool all, without_receipt;

#define STOP_MS 30000

/* Pull the plug, and see to it that nobody starts the guest again. */
static int
seize(const char *state, const char *name, int *lock, struct err *e)
{
	RT_PLACE_SCOPED struct rt_place p = RT_PLACE_EMPTY;
	struct err ignored = ERR_INIT;
	SCOPED_FD int fd = -1;
	char byte[1];
	size_t len;

	if (rt_place_of(state, name, &p, e) < 0)
		return -1;
	if (rt_lock_held(&p, &ignored) > 0 &&
	    rt_supervisor_ask(&p, name, "kill", NULL, &fd, &ignored) == 0)
		(void)!rt_peer_recv(fd, STOP_MS, byte, 1, &len, NULL, &ignored);
	return rt_lock_take(&p, name, lock, e);
}

static void
put_field(struct buf *b, const char *name, const char *value)
{
	buf_fmt(b, "%s: ", name);
	yml_put_scalar(b, value);
	buf_str(b, "\n");
}

/* What goes, in words that can be checked later. */
static int
write_receipt(const struct rt_stored *s, const struct rt_journal *j,
	      const struct cx_key *k, bool key_too, const char *path,
	      struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	char id[CX_KEYID_ROOM], when[32];
	time_t now = time(NULL);
	struct tm tm;

	cx_hex(id, k->pub.id, CX_KEYID_BYTES);
	(void)strftime(when, sizeof(when), "%FT%TZ", gmtime_r(&now, &tm));
	buf_str(&b, "format: halcyon-wipe\nversion: 1\n");
	put_field(&b, "guest", s->guest.name);
	put_field(&b, "uuid", s->bound.uuid);
	put_field(&b, "image", j->slots.active);
	put_field(&b, "decided", when);
	put_field(&b, "device-key", id);
	put_field(&b, "destroys", key_too ? "the keys of its layers, and the "
		  "device's key" : "the keys of its layers");
	put_field(&b, "how-sure", k->is_protected
		  ? "overwritten in place; an older copy of the disk still "
		    "needs the passphrase"
		  : "overwritten in place; an older copy of the disk can be "
		    "read: the device's key had no passphrase");
	if (buf_ok(&b, e) < 0)
		return -1;
	return io_put(path, b.at, b.len, 0600, e);
}

/* The receipt, signed by the device's key while there is one. */
static int
make_receipt(const struct cli_args *a, const struct rt_stored *s,
	     struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	RT_JOURNAL_SCOPED struct rt_journal j = RT_JOURNAL_EMPTY;
	SCOPED_FREE char *dir = io_join(a->state, "receipts", e);
	SCOPED_FREE char *path = mem_fmt(e, "%s/receipts/%s-%lld.yaml", a->state,
					 s->guest.name, (long long)time(NULL));
	SCOPED_FREE char *sig = path == NULL ? NULL : mem_fmt(e, "%s.sig", path);

	if (dir == NULL || sig == NULL ||
	    cx_key_load(s->bound.key, a->passphrase_fd, cx_ask_terminal, &k,
			e) < 0 ||
	    rt_journal_open(s->place.journal, false, &j, e) < 0 ||
	    io_mkdirs(dir, 0700, e) < 0 ||
	    write_receipt(s, &j, &k, all, path, e) < 0 ||
	    cx_sign_file(&k, path, sig, NULL, e) < 0)
		return -1;
	(void)printf("%s\n", path);
	return 0;
}

/* The key files of these guests, each once. */
static int
add_key(struct rt_names *keys, const char *path, struct err *e)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->at[i], path) == 0)
			return 0;
	if (mem_grow(&keys->at, &keys->cap, keys->count + 1, sizeof(*keys->at),
		     e) < 0)
		return -1;
	keys->at[keys->count] = mem_str(path, e);
	if (keys->at[keys->count] == NULL)
		return -1;
	keys->count++;
	return 0;
}

static int
wipe_these(const struct cli_args *a, const struct rt_names *names, int *locks,
	   struct err *e)
{
	RT_NAMES_SCOPED struct rt_names keys = RT_NAMES_EMPTY;

	for (size_t i = 0; i < names->count; i++) {
		RT_STORED_SCOPED struct rt_stored s = RT_STORED_EMPTY;

		if (rt_stored_load(a->state, names->at[i], &s, e) < 0 ||
		    seize(a->state, names->at[i], &locks[i], e) < 0 ||
		    (!without_receipt && make_receipt(a, &s, e) < 0) ||
		    (all && add_key(&keys, s.bound.key, e) < 0))
			return -1;
	}
	if (rt_wipe_begin(a->state, names->at, names->count, keys.at,
			  keys.count, e) < 0)
		return -1;
	return rt_wipe_resume(a->state, e) < 0 ? -1 : 0;
}

static int
wipe(const struct cli_args *a, struct err *e)
{
	RT_NAMES_SCOPED struct rt_names every = RT_NAMES_EMPTY;
	const struct rt_names one = { .at = a->at, .count = a->count };
	char question[256];

	if (all == (a->count == 1))
		return err_set(e, ERR_USAGE, "wipe: a guest, or --all");
	if (rt_names_load(a->state, &every, e) < 0)
		return -1;
	const struct rt_names *names = all ? &every : &one;
	(void)snprintf(question, sizeof(question), "%s: destroy %s; nothing "
		       "brings it back", all ? "all guests" : a->at[0],
		       all ? "them and this device's key" : "it");
	if (cli_confirm(a, question, e) < 0)
		return -1;
	SCOPED_FREE int *locks = mem_array(names->count + 1, sizeof(*locks), e);
	if (locks == NULL)
		return -1;
	for (size_t i = 0; i < names->count; i++)
		locks[i] = -1;
	int r = wipe_these(a, names, locks, e);
	for (size_t i = 0; i < names->count; i++)
		scope_close(&locks[i]);
	return r;
}

static const struct cli_opt opts[] = {
	{ .name = "all", .help = "every guest, and this device's key",
	  .flag = &all },
	{ .name = "no-receipt",
	  .help = "sign nothing, and so need no passphrase",
	  .flag = &without_receipt },
	{ .name = NULL }
};

const struct cli_cmd cmd_wipe = {
	.name = "wipe", .operands = "[G]",
	.help = "destroy the keys of a guest's layers, then the guest",
	.opts = opts, .common = CLI_STATE | CLI_YES | CLI_PASSPHRASE,
	.max_operands = 1, .run = wipe,
};
