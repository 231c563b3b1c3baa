/* firstboot.c - see firstboot.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/firstboot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define FOLDER "Halcyon/FirstBoot"
#define SERVICE "HalcyonFirstBoot"

enum { NAME_MAX_BYTES = 32, SERVICE_AUTO = 2, OWN_PROCESS = 0x10 };

static const char *const runner[] = {
	"@echo off",
	"rem The steps of an image's first start: each at most three times, and",
	"rem never a restart.  Results: results.txt; output: state\\STEP.log.",
	"setlocal enableextensions",
	"cd /d \"%~dp0\"",
	"if errorlevel 1 exit /b 1",
	"if not exist state md state",
	"set left=0",
	"for %%s in (steps\\*.cmd) do call :step \"%%~ns\"",
	"if not \"%left%\"==\"0\" exit /b 0",
	"\"%SystemRoot%\\System32\\reg.exe\" add "
	"\"HKLM\\SYSTEM\\CurrentControlSet\\Services\\" SERVICE "\" "
	"/v Start /t REG_DWORD /d 4 /f >nul 2>&1",
	"call :say runner finished",
	"exit /b 0",
	"",
	":step",
	"if exist \"state\\%~1.done\" goto :eof",
	"if exist \"state\\%~1.failed\" goto :eof",
	"set try=0",
	"if exist \"state\\%~1.try\" set /p try=<\"state\\%~1.try\"",
	"set /a try=try+1",
	"if %try% gtr 3 goto giveup",
	"rem Counted before it runs, so that a step that hangs is not for ever.",
	">\"state\\%~1.try\" echo %try%",
	"call :say %~1 try %try% begins",
	("\"%SystemRoot%\\System32\\cmd.exe\" /d /c \"steps\\%~1.cmd\" "
	 ">>\"state\\%~1.log\" 2>&1 <nul"),
	"set status=%errorlevel%",
	"call :say %~1 try %try% status %status%",
	"if \"%status%\"==\"0\" goto done",
	"if \"%status%\"==\"3010\" goto done",
	"if %try% geq 3 goto giveup",
	"set left=1",
	"goto :eof",
	":giveup",
	">\"state\\%~1.failed\" echo given up",
	"call :say %~1 given up",
	"goto :eof",
	":done",
	">\"state\\%~1.done\" echo done",
	"goto :eof",
	"",
	":say",
	">>results.txt echo %date% %time% %*",
	"goto :eof",
};

char *
hn_first_boot_runner(struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	for (size_t i = 0; i < sizeof(runner) / sizeof(*runner); i++)
		buf_fmt(&b, "%s\r\n", runner[i]);
	return buf_take_str(&b, e);
}

/* A step's text with the line ends that cmd.exe wants. */
static int
step_text(const struct hn_step *s, struct buf *out, struct err *e)
{
	const char *at = s->text;
	size_t len = strlen(s->name);
	char quoted[128];

	if (len == 0 || len > NAME_MAX_BYTES ||
	    strspn(s->name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
		return err_set(e, ERR_USAGE, "first-boot step %s: a name is 1 "
			       "to %d of a-z, 0-9 and hyphens",
			       err_quote(quoted, sizeof(quoted), s->name, len),
			       NAME_MAX_BYTES);
	if (memchr(s->text, '\0', s->len) != NULL)
		return err_set(e, ERR_USAGE, "first-boot step %s: is no text",
			       s->name);
	for (size_t i = 0; i < s->len; i++) {
		if (at[i] == '\n' && (i == 0 || at[i - 1] != '\r'))
			buf_u8(out, '\r');
		buf_u8(out, (uint8_t)at[i]);
	}
	if (out->len > HN_STEP_BYTES)
		return err_set(e, ERR_USAGE, "first-boot step %s: is longer "
			       "than %d bytes; put what it needs into the "
			       "image as a file, and call that", s->name,
			       HN_STEP_BYTES);
	return buf_ok(out, e);
}

/* The steps that lie in the image: the highest number, and whether this one is
 * among them. */
static int
find_step(const struct hn_image *im, const char *dir, const char *name,
	  const struct buf *text, unsigned *ret_last, bool *ret_there,
	  struct err *e)
{
	VO_LIST_SCOPED struct vo_list list = VO_LIST_EMPTY;
	SCOPED_FREE char *want = mem_fmt(e, "-%s.cmd", name);
	struct vo_stat st;
	int r = want == NULL ? -1 : vo_stat(im->vo, dir, &st, e);

	*ret_last = 0;
	*ret_there = false;
	if (r <= 0 || (st.attributes & VO_DIRECTORY) == 0)
		return r < 0 ? -1 : 0;
	if (vo_list(im->vo, dir, &list, e) < 0)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		const char *file = list.at[i].name;
		SCOPED_FREE char *path = mem_fmt(e, "%s/%s", dir, file);
		SCOPED_FREE uint8_t *bytes = NULL;
		unsigned number = 0;
		size_t len = 0;

		if (path == NULL)
			return -1;
		if (strspn(file, "0123456789") != 3 ||
		    sscanf(file, "%3u", &number) != 1)
			continue;
		if (number > *ret_last)
			*ret_last = number;
		if (strcasecmp(file + 3, want) != 0)
			continue;
		if (vo_slurp(im->vo, path, HN_STEP_BYTES, &bytes, &len, e) < 0)
			return -1;
		if (len == text->len && memcmp(bytes, text->at, len) == 0)
			*ret_there = true;
	}
	return 0;
}

static int
want_service(struct cs_plan *p, const struct hn_image *im, unsigned volume,
	     struct cs_reason r, struct err *e)
{
	struct cs_hive sys = { volume, im->system_path };
	static const char program[] =
		"%SystemRoot%\\System32\\cmd.exe /d /c start \"\" /b "
		"%SystemRoot%\\System32\\cmd.exe /d /c "
		"%SystemRoot%\\Halcyon\\FirstBoot\\run.cmd";

	for (size_t s = 0; s < im->sets; s++) {
		SCOPED_FREE char *key = mem_fmt(e, "%s\\Services\\" SERVICE,
						im->set[s].name);

		if (key == NULL)
			return -1;
		cs_want_dword(p, sys, key, "Type", OWN_PROCESS, r);
		cs_want_dword(p, sys, key, "Start", SERVICE_AUTO, r);
		cs_want_dword(p, sys, key, "ErrorControl", 0, r);
		cs_want_expand_sz(p, sys, key, "ImagePath", program, r);
		cs_want_sz(p, sys, key, "ObjectName", "LocalSystem", r);
		cs_want_sz(p, sys, key, "DisplayName",
			   "Halcyon first boot", r);
	}
	return 0;
}

int
hn_want_first_boot(struct cs_plan *p, const struct hn_image *im,
		   const struct hn_step *steps, size_t count,
		   struct cs_reason r, struct err *e)
{
	unsigned volume = cs_plan_volume(p, im->serial), next = 0;
	SCOPED_FREE char *dir = hn_root_path(im, FOLDER "/steps", e);
	SCOPED_FREE char *run = hn_root_path(im, FOLDER "/run.cmd", e);
	SCOPED_FREE char *text = hn_first_boot_runner(e);

	if (dir == NULL || run == NULL || text == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		BUF_SCOPED struct buf b = BUF_EMPTY;
		SCOPED_FREE char *path = NULL;
		unsigned last;
		bool there;

		if (step_text(&steps[i], &b, e) < 0 ||
		    find_step(im, dir, steps[i].name, &b, &last, &there,
			      e) < 0)
			return -1;
		if (there)
			continue;
		if (next == 0)
			next = last;
		if (++next > HN_STEPS_MAX)
			return err_set(e, ERR_USAGE, "%s: more than %d steps",
				       dir, HN_STEPS_MAX);
		path = mem_fmt(e, "%s/%03u-%s.cmd", dir, next, steps[i].name);
		if (path == NULL)
			return -1;
		cs_want_file_inline(p, volume, path, b.at, b.len, r);
	}
	if (next == 0)
		return 0;
	cs_want_file_inline(p, volume, run, text, strlen(text), r);
	return want_service(p, im, volume, r, e);
}
