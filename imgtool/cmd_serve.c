/* cmd_serve.c - imgtool serve: a version as a network block device
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>

#include "base/err.h"
#include "base/log.h"
#include "crypt/key.h"
#include "imgtool/cmd.h"
#include "imgtool/serve.h"

static const char *socket_path, *layer;

static void
ready(const struct serve *s, const char *version, uint64_t size)
{
	log_note("%s: %s, %" PRIu64 " bytes, %s", s->socket, version, size,
		 s->layer == NULL ? "read only" : "writes go to the layer");
}

static int
serve(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;

	if (socket_path == NULL)
		return err_set(e, ERR_USAGE, "serve: --socket PATH is needed");
	if (cli_need_repo(a, e) < 0 || cli_need_key(a, e) < 0 ||
	    cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, &key, e) < 0)
		return -1;
	const struct serve s = { .repo = a->repo, .version = a->at[0],
				 .layer = layer, .socket = socket_path,
				 .key = &key };
	return serve_run(&s, ready, e);
}

static const struct cli_opt opts[] = {
	{ .name = "socket", .arg = "PATH",
	  .help = "the Unix socket; it is there when it is served",
	  .value = &socket_path },
	{ .name = "layer", .arg = "DIR",
	  .help = "take writes into a layer, which is made if it is missing",
	  .value = &layer },
	{ .name = NULL }
};

const struct cli_cmd cmd_serve = {
	.name = "serve", .operands = "NAME:VER",
	.help = "serve a version as a network block device", .opts = opts,
	.common = CLI_REPO | CLI_KEY, .min_operands = 1, .max_operands = 1,
	.run = serve,
};
