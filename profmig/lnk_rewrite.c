/* lnk_rewrite.c - a shell link after the move; see lnk.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/lnk.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "profmig/rewrite.h"

enum {
	ENV_BYTES = 0x314 - 8,
	ENV_ANSI = 260,
	ENV_UNICODE = 520,
};

static void
drop_block(struct pm_lnk *l, uint32_t signature)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->blocks; i++) {
		if (l->block[i].signature == signature)
			free(l->block[i].at);
		else
			l->block[kept++] = l->block[i];
	}
	l->blocks = kept;
}

/* An environment or icon block with this path. */
static int
set_env(struct pm_lnk *l, uint32_t signature, const char *path, struct err *e)
{
	SCOPED_FREE uint8_t *units = NULL, *at = NULL;
	size_t bytes, n;

	if (utf_to16(path, &units, &bytes, e) < 0)
		return -1;
	if (bytes + 2 > ENV_UNICODE)
		return err_set(e, ERR_UNSUPPORTED, "%s: too long for a shell "
			       "link", path);
	at = mem_array(ENV_BYTES, 1, e);
	if (at == NULL)
		return -1;
	/* The ANSI form is for programs before Windows 2000. */
	n = strlen(path);
	for (size_t i = 0; i < n && i + 1 < ENV_ANSI; i++)
		at[i] = (unsigned char)path[i] < 0x80 ? (uint8_t)path[i] : '?';
	memcpy(at + ENV_ANSI, units, bytes);
	drop_block(l, signature);
	if (l->blocks == PM_LNK_BLOCKS)
		return err_set(e, ERR_UNSUPPORTED, "shell link: too many data "
			       "blocks");
	l->block[l->blocks++] = (struct pm_lnk_block){
		.signature = signature, .at = TAKE(at), .len = ENV_BYTES,
	};
	return 0;
}

/* New paths in one string; *changed grows. */
static int
rewrite_string(char **text, const struct pm_rewrite *rw, size_t *changed,
	       struct err *e)
{
	BUF_SCOPED struct buf out = BUF_EMPTY;
	size_t hits;
	char *now;

	if (*text == NULL)
		return 0;
	if (pm_rewrite_text(rw, *text, &out, &hits, e) < 0)
		return -1;
	if (hits == 0)
		return 0;
	now = buf_take_str(&out, e);
	if (now == NULL)
		return -1;
	free(*text);
	*text = now;
	*changed += hits;
	return 0;
}

/* The target moved: its new path in the environment block is all that is said
 * about where it is. */
static int
retarget(struct pm_lnk *l, char *path, struct err *e)
{
	free(l->target);
	l->target = path;
	if (set_env(l, (uint32_t)PM_LNK_BLOCK_ENV, path, e) < 0)
		return -1;
	free(TAKE(l->ids));
	free(TAKE(l->info));
	free(TAKE(l->string[PM_LNK_S_RELATIVE]));
	l->ids_len = l->info_len = 0;
	l->flags |= PM_LNK_NO_INFO | PM_LNK_EXP_STRING | PM_LNK_PREFER_ENV;
	drop_block(l, (uint32_t)PM_LNK_BLOCK_SPECIAL);
	drop_block(l, (uint32_t)PM_LNK_BLOCK_KNOWN);
	drop_block(l, (uint32_t)PM_LNK_BLOCK_IDS);
	return 0;
}

/* A path in an icon block. */
static int
rewrite_icon_block(struct pm_lnk *l, const struct pm_rewrite *rw,
		   size_t *changed, struct err *e)
{
	for (size_t i = 0; i < l->blocks; i++) {
		struct pm_lnk_block *b = &l->block[i];
		SCOPED_FREE char *path = NULL;
		size_t had = *changed;

		if (b->signature != (uint32_t)PM_LNK_BLOCK_ICON ||
		    b->len != ENV_BYTES)
			continue;
		path = utf_from16(b->at + ENV_ANSI, ENV_UNICODE, e);
		if (path == NULL)
			return -1;
		path[strcspn(path, "\xc0")] = '\0';
		if (rewrite_string(&path, rw, changed, e) < 0)
			return -1;
		return *changed == had ? 0 :
			set_env(l, (uint32_t)PM_LNK_BLOCK_ICON, path, e);
	}
	return 0;
}

int
pm_lnk_rewrite(struct pm_lnk *l, const struct pm_rewrite *rw,
	       bool *ret_changed, struct err *e)
{
	static const enum pm_lnk_string strings[] = {
		PM_LNK_S_WORKING, PM_LNK_S_ARGUMENTS, PM_LNK_S_ICON,
	};
	size_t changed = 0;
	char *path = NULL;
	int r = l->target == NULL || l->network ? 0 :
		pm_rewrite_path(rw, l->target, &path, e);

	if (r < 0)
		return -1;
	if (r == 1 && strcmp(path, l->target) == 0) {
		free(path);
		r = 0;
	}
	if (r == 1) {
		changed++;
		if (retarget(l, path, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (rewrite_string(&l->string[strings[i]], rw, &changed, e) < 0)
			return -1;
	if (rewrite_icon_block(l, rw, &changed, e) < 0)
		return -1;
	drop_block(l, (uint32_t)PM_LNK_BLOCK_TRACKER);
	*ret_changed = changed != 0;
	return 0;
}
