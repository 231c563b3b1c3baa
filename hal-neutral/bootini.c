/* bootini.c - see bootini.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/bootini.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"

static const char default_key[] = "default=";

void
hn_ini_done(struct hn_ini *ini)
{
	for (size_t i = 0; i < ini->lines; i++)
		free(ini->line[i]);
	free(ini->line);
	*ini = (struct hn_ini)HN_INI_EMPTY;
}

int
hn_ini_insert(struct hn_ini *ini, size_t line, char *text, struct err *e)
{
	SCOPED_FREE char *own = text;

	if (own == NULL)
		return -1;
	if (ini->lines == HN_INI_LINES)
		return err_set(e, ERR_UNSUPPORTED, "boot.ini: more than %d "
			       "lines", HN_INI_LINES);
	if (mem_grow(&ini->line, &ini->cap, ini->lines + 1,
		     sizeof(*ini->line), e) < 0)
		return -1;
	memmove(ini->line + line + 1, ini->line + line,
		(ini->lines - line) * sizeof(*ini->line));
	ini->line[line] = TAKE(own);
	ini->lines++;
	if (ini->chosen != SIZE_MAX && ini->chosen >= line)
		ini->chosen++;
	if (ini->systems != SIZE_MAX && ini->systems >= line)
		ini->systems++;
	return 0;
}

int
hn_ini_set(struct hn_ini *ini, size_t line, char *text, struct err *e)
{
	if (text == NULL)
		return e->kind == ERR_NONE ? err_set(e, ERR_NOMEM, "no memory") :
		       -1;
	free(ini->line[line]);
	ini->line[line] = text;
	return 0;
}

/* Lines end with CR LF, CR or LF; the sections are found on the way. */
static int
split(struct hn_ini *ini, const char *at, size_t len, struct err *e)
{
	enum { NONE, LOADER, SYSTEMS } section = NONE;

	while (len > 0) {
		size_t n = 0, end;
		const char *line;

		while (n < len && at[n] != '\r' && at[n] != '\n')
			n++;
		end = n;
		if (end < len && at[end] == '\r')
			end++;
		if (end < len && at[end] == '\n')
			end++;
		if (hn_ini_insert(ini, ini->lines, mem_strn(at, n, e), e) < 0)
			return -1;
		line = ini->line[ini->lines - 1];
		if (line[0] == '[')
			section = strcasecmp(line, "[boot loader]") == 0 ?
				  LOADER :
				  strcasecmp(line, "[operating systems]") == 0 ?
				  SYSTEMS : NONE;
		if (section == SYSTEMS && ini->systems == SIZE_MAX)
			ini->systems = ini->lines - 1;
		if (section == LOADER && strncasecmp(line, default_key,
						     strlen(default_key)) == 0)
			ini->chosen = ini->lines - 1;
		at += end;
		len -= end;
	}
	return 0;
}

int
hn_ini_read(const struct hn_image *im, struct hn_ini *ret, struct err *e)
{
	const struct wn_guest *g = im->in->guest;

	for (size_t i = 0; i < g->volumes; i++) {
		HN_INI_SCOPED struct hn_ini ini = HN_INI_EMPTY;
		SCOPED_FREE uint8_t *bytes = NULL;
		size_t len;
		int r;

		if (!g->volume[i].active || g->volume[i].vo == NULL)
			continue;
		r = vo_slurp(g->volume[i].vo, "boot.ini", HN_INI_BYTES, &bytes,
			     &len, e);
		if (r <= 0)
			return r;
		ini.volume = i;
		if (split(&ini, (const char *)bytes, len, e) < 0)
			return -1;
		*ret = TAKE(ini);
		return 1;
	}
	return 0;
}

bool
hn_ini_entry(const struct hn_ini *ini, size_t line, struct hn_ini_entry *ret)
{
	const char *text = ini->line[line];
	size_t n = strcspn(text, "=");

	if (ini->systems == SIZE_MAX || line <= ini->systems ||
	    text[n] == '\0' || text[0] == '[' || text[0] == ';')
		return false;
	ret->rest = text + n;
	while (n > 0 && text[n - 1] == ' ')
		n--;
	ret->path = text;
	ret->path_len = n;
	return n > 0;
}

size_t
hn_ini_default(const struct hn_ini *ini)
{
	const char *want = ini->chosen == SIZE_MAX ? "" :
			   ini->line[ini->chosen] + strlen(default_key);
	size_t len = strlen(want);

	while (len > 0 && want[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < ini->lines; i++) {
		struct hn_ini_entry en;

		if (hn_ini_entry(ini, i, &en) && en.path_len == len &&
		    strncasecmp(en.path, want, len) == 0)
			return i;
	}
	return SIZE_MAX;
}

size_t
hn_arc_volume(const struct hn_image *im, const char *path, size_t len,
	      const char **ret_folder)
{
	static const char prefix[] = "multi(0)disk(0)rdisk(0)partition(";
	const struct wn_guest *g = im->in->guest;
	size_t n = strlen(prefix), digits;
	char text[8] = "";
	uint64_t number;

	if (len < n || strncasecmp(path, prefix, n) != 0)
		return SIZE_MAX;
	digits = strspn(path + n, "0123456789");
	if (digits == 0 || digits >= sizeof(text) || n + digits >= len ||
	    path[n + digits] != ')')
		return SIZE_MAX;
	memcpy(text, path + n, digits);
	*ret_folder = path + n + digits + 1;
	if (!num_parse(text, 1, g->volumes, false, &number))
		return SIZE_MAX;
	return (size_t)number - 1;
}

bool
hn_arc_is_ours(const struct hn_image *im, const char *path, size_t len)
{
	const char *folder;
	struct err e = ERR_INIT;
	SCOPED_FREE char *name = NULL;

	if (hn_arc_volume(im, path, len, &folder) != im->in->volume)
		return false;
	while (folder < path + len && *folder == '\\')
		folder++;
	name = mem_strn(folder, (size_t)(path + len - folder), &e);
	return name != NULL && utf_same8(name, im->in->root);
}

char *
hn_arc_ours(const struct hn_image *im, struct err *e)
{
	return mem_fmt(e, "multi(0)disk(0)rdisk(0)partition(%zu)\\%s",
		       im->in->volume + 1, im->in->root);
}

int
hn_ini_option(const struct hn_ini_entry *en, const char *option, char **ret,
	      struct err *e)
{
	/* Options stand behind the title's quotes. */
	const char *at = strrchr(en->rest, '"');

	at = strcasestr(at != NULL ? at : en->rest, option);
	if (at == NULL)
		return 0;
	at += strlen(option);
	*ret = mem_strn(at, strcspn(at, " \t/"), e);
	return *ret == NULL ? -1 : 1;
}

void
hn_ini_text(const struct hn_ini *ini, struct buf *out)
{
	for (size_t i = 0; i < ini->lines; i++)
		buf_fmt(out, "%s\r\n", ini->line[i]);
}
