/* cmd_create.c - imgrun create: a guest from its file
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypt/secret.h"
#include "runtime/blockd.h"
#include "runtime/cmd.h"
#include "runtime/state.h"

static bool unprotected;

/* A path in a guest file is relative to the file. */
static char *
resolve(const char *file, const char *path, struct err *e)
{
	const char *slash = strrchr(file, '/');
	SCOPED_FREE char *joined = slash == NULL || path[0] == '/'
		? mem_str(path, e)
		: mem_fmt(e, "%.*s/%s", (int)(slash - file), file, path);
	char *whole;

	if (joined == NULL)
		return NULL;
	whole = realpath(joined, NULL);
	if (whole == NULL)
		(void)err_sys(e, "%s", joined);
	return whole;
}

/* RFC 4122, version 4. */
static void
make_uuid(char out[37])
{
	uint8_t b[16];

	cx_random(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	char *at = out;
	for (size_t i = 0; i < sizeof(b); i++)
		at += snprintf(at, 4, "%s%02x", i == 4 || i == 6 || i == 8 ||
			       i == 10 ? "-" : "", b[i]);
}

/* Does the key open the images?  In a folder of our own, gone afterwards. */
static int
try_images(const struct rt_guest *g, const struct rt_keyd *keyd,
	   const char *dir, struct rt_bound *b, struct rt_blockd_said *said,
	   struct err *e)
{
	struct rt_blockd_said user;

	if (rt_blockd_try(b->repo, g->image, dir, dir, keyd, said, e) < 0)
		return -1;
	if (g->user == NULL)
		return 0;
	if (rt_blockd_try(b->repo, g->user, dir, dir, keyd, &user, e) < 0)
		return -1;
	b->user = mem_str(user.version, e);
	return b->user == NULL ? -1 : 0;
}

static int
bind_images(const struct rt_guest *g, const struct rt_keyd *keyd,
	    const char *state, struct rt_bound *b, struct rt_blockd_said *said,
	    struct err *e)
{
	SCOPED_FREE char *dir = mem_fmt(e, "%s/.create.XXXXXX", state);

	if (dir == NULL || io_mkdirs(state, 0700, e) < 0)
		return -1;
	if (mkdtemp(dir) == NULL)
		return err_sys(e, "%s", state);
	SCOPED_FREE char *whole = realpath(dir, NULL);
	int r = whole == NULL ? err_sys(e, "%s", dir)
			      : try_images(g, keyd, whole, b, said, e);
	(void)rmdir(dir);
	return r;
}

static int
check_key(const struct rt_guest *g, const struct rt_keyd *keyd, struct err *e)
{
	if (keyd->is_protected || unprotected)
		return 0;
	return err_set(e, ERR_UNSAFE, "%s: has no passphrase, so whoever takes "
		       "this disk reads the guest; imgcrypt protect %s, or add "
		       "--unprotected-key", g->key, g->key);
}

static int
create(const struct cli_args *a, struct err *e)
{
	RT_GUEST_SCOPED struct rt_guest g = RT_GUEST_EMPTY;
	RT_BOUND_SCOPED struct rt_bound b = RT_BOUND_EMPTY;
	RT_KEYD_SCOPED struct rt_keyd keyd = RT_KEYD_EMPTY;
	RT_PLACE_SCOPED struct rt_place place = RT_PLACE_EMPTY;
	SCOPED_FREE uint8_t *text = NULL;
	struct rt_blockd_said said;
	size_t len;

	if (io_slurp(a->at[0], 1 << 20, &text, &len, e) < 0 ||
	    rt_guest_parse(a->at[0], text, len, &g, e) < 0 ||
	    rt_place_of(a->state, g.name, &place, e) < 0)
		return -1;
	if (access(place.dir, F_OK) == 0)
		return err_set(e, ERR_USAGE, "%s: there is such a guest already; "
			       "imgrun remove %s, or give this one another name",
			       g.name, g.name);
	b.repo = resolve(a->at[0], g.repo, e);
	b.key = b.repo == NULL ? NULL : resolve(a->at[0], g.key, e);
	make_uuid(b.uuid);
	if (b.key == NULL ||
	    rt_keyd_start(b.key, a->passphrase_fd, &keyd, e) < 0 ||
	    check_key(&g, &keyd, e) < 0 ||
	    bind_images(&g, &keyd, a->state, &b, &said, e) < 0 ||
	    rt_stored_make(a->state, g.name, text, len, &b, said.version,
			   e) < 0)
		return -1;
	log_note("%s: made, from %s; imgrun start %s", g.name, said.version,
		 g.name);
	return 0;
}

static const struct cli_opt opts[] = {
	{ .name = "unprotected-key",
	  .help = "accept a device key without a passphrase",
	  .flag = &unprotected },
	{ .name = NULL }
};

const struct cli_cmd cmd_create = {
	.name = "create", .operands = "GUEST.yaml",
	.help = "make a guest; its image must open with its key",
	.opts = opts, .common = CLI_STATE | CLI_PASSPHRASE,
	.min_operands = 1, .max_operands = 1, .run = create,
};
