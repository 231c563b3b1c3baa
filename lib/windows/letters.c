/* letters.c - drive letters, and Windows paths as places on volumes
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SYSTEM\MountedDevices holds, for "\DosDevices\X:", the disk's signature and
 * the partition's first byte (12 bytes, MBR), "DMIO:ID:" and the partition's
 * GUID (24 bytes, GPT), or the name of a device in UTF-16.
 */
#include "windows/windows.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "windows/windows-private.h"

/* The volume of this disk that the data stands for, or SIZE_MAX. */
static size_t
find_volume(const struct wn_guest *g, struct hv_data d)
{
	struct cur c = cur_over("MountedDevices", d.at, d.len);

	if (d.len == 12) {
		uint32_t signature = cur_u32le(&c);
		uint64_t start = cur_u64le(&c);

		for (size_t i = 0; i < g->volumes; i++)
			if (g->parts.scheme == DK_MBR &&
			    g->parts.signature == signature &&
			    g->volume[i].start == start)
				return i;
	}
	if (d.len == 24 && memcmp(d.at, "DMIO:ID:", 8) == 0)
		for (size_t i = 0; i < g->volumes; i++)
			if (g->parts.scheme == DK_GPT &&
			    memcmp(g->volume[i].guid, d.at + 8, 16) == 0)
				return i;
	return SIZE_MAX;
}

static char *
describe(struct hv_data d, struct err *e)
{
	struct cur c = cur_over("MountedDevices", d.at, d.len);

	if (d.len == 12) {
		uint32_t signature = cur_u32le(&c);
		uint64_t start = cur_u64le(&c);

		return mem_fmt(e, "disk %08x at byte %llu", signature,
			       (unsigned long long)start);
	}
	if (d.len == 24 && memcmp(d.at, "DMIO:ID:", 8) == 0) {
		char guid[37];

		dk_guid_text(d.at + 8, guid);
		return mem_fmt(e, "partition %s", guid);
	}
	return utf_from16(d.at, d.len, e);
}

static int
add_letter(struct wn_install *in, size_t *cap, char letter, struct hv_data d,
	   struct err *e)
{
	struct wn_letter *l;

	if (mem_grow(&in->letter, cap, in->letters + 1, sizeof(*in->letter),
		     e) < 0)
		return -1;
	l = &in->letter[in->letters++];
	*l = (struct wn_letter){ .letter = letter,
				 .volume = find_volume(in->guest, d) };
	l->device = describe(d, e);
	return l->device == NULL ? -1 : 0;
}

int
wn_read_letters(struct wn_install *in, struct err *e)
{
	static const char prefix[] = "\\DosDevices\\";
	const size_t n = sizeof(prefix) - 1;
	struct err why = ERR_INIT;
	struct hv_hive *h = wn_hive(in, WN_SYSTEM, &why);
	struct hv_key *k = h == NULL ? NULL :
		hv_find(hv_root(h), "MountedDevices");
	size_t cap = 0;

	if (k == NULL)
		return 0;
	for (struct hv_value *v = hv_value_first(k); v != NULL;
	     v = hv_value_next(v)) {
		SCOPED_FREE char *name = hv_value_name(v, e);

		if (name == NULL)
			return -1;
		if (strncmp(name, prefix, n) == 0 && name[n] != '\0' &&
		    strcmp(name + n + 1, ":") == 0 &&
		    isalpha((unsigned char)name[n]) &&
		    add_letter(in, &cap, (char)toupper((unsigned char)name[n]),
			       hv_data(v), e) < 0)
			return -1;
	}
	return 0;
}

/* The volume behind a letter.  Where MountedDevices does not know the system
 * drive, that is the installation's own volume. */
static size_t
letter_volume(const struct wn_install *in, char letter)
{
	letter = (char)toupper((unsigned char)letter);
	for (size_t i = 0; i < in->letters; i++)
		if (in->letter[i].letter == letter &&
		    in->letter[i].volume != SIZE_MAX)
			return in->letter[i].volume;
	if (in->drive != NULL &&
	    toupper((unsigned char)in->drive[0]) == letter)
		return in->volume;
	return SIZE_MAX;
}

/* Forward slashes, one between parts, none at the ends, no "." parts. */
static char *
volume_path(const char *root, const char *rest, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	buf_str(&b, root);
	while (*rest != '\0') {
		size_t n = strcspn(rest, "\\/");

		if (n > 0 && !(n == 1 && rest[0] == '.')) {
			if (b.len > 0)
				buf_u8(&b, '/');
			buf_bytes(&b, rest, n);
		}
		rest += n;
		if (*rest != '\0')
			rest++;
	}
	return buf_take_str(&b, e);
}

static bool
starts(const char *text, const char *with)
{
	size_t n = strlen(with);

	return strncasecmp(text, with, n) == 0 &&
		(text[n] == '\0' || text[n] == '\\' || text[n] == '/' ||
		 with[n - 1] == '\\');
}

int
wn_find_path(const struct wn_install *in, const char *path, size_t *ret_volume,
	     char **ret, struct err *e)
{
	static const char *const device[] = { "\\??\\", "\\\\?\\", "\\\\.\\" };
	const char *root = "";
	size_t volume;

	for (size_t i = 0; i < sizeof(device) / sizeof(device[0]); i++)
		if (starts(path, device[i]))
			path += strlen(device[i]);
	if (starts(path, "\\SystemRoot")) {
		volume = in->volume;
		root = in->root;
		path += strlen("\\SystemRoot");
	} else if (isalpha((unsigned char)path[0]) && path[1] == ':' &&
		   (path[2] == '\0' || path[2] == '\\' || path[2] == '/')) {
		volume = letter_volume(in, path[0]);
		path += 2;
	} else {
		return 0;
	}
	if (volume == SIZE_MAX)
		return 0;
	*ret = volume_path(root, path, e);
	if (*ret == NULL)
		return -1;
	*ret_volume = volume;
	return 1;
}

int
wn_path_exists(const struct wn_install *in, const char *path, struct err *e)
{
	SCOPED_FREE char *inside = NULL;
	struct vo_stat st;
	size_t volume;
	int r = wn_find_path(in, path, &volume, &inside, e);

	if (r <= 0)
		return r;
	if (in->guest->volume[volume].vo == NULL)
		return 0;
	return vo_stat(in->guest->volume[volume].vo, inside, &st, e);
}

/* The value of one variable, NULL when nobody knows it; *ret_tail is put
 * behind it. */
static const char *
variable(const struct wn_install *in, const struct wn_user *user,
	 const char *name, const char **ret_tail)
{
	const bool xp = in->generation < WN_VISTA;
	const char *profile = user == NULL ? NULL : user->profile;
	const struct {
		const char *name, *value, *tail;
	} known[] = {
		{ "SystemRoot", in->system_root, "" },
		{ "windir", in->system_root, "" },
		{ "SystemDrive", in->drive, "" },
		{ "ProgramFiles", in->program_files, "" },
		{ "ProgramFiles(x86)", in->program_files_x86, "" },
		{ "CommonProgramFiles", in->program_files, "\\Common Files" },
		{ "ProgramData", in->program_data, "" },
		{ "ALLUSERSPROFILE",
		  xp ? in->public_profile : in->program_data, "" },
		{ "PUBLIC", in->public_profile, "" },
		{ "USERPROFILE", profile, "" },
		{ "HOMEDRIVE", profile == NULL ? NULL : in->drive, "" },
		{ "APPDATA", profile,
		  xp ? "\\Application Data" : "\\AppData\\Roaming" },
		{ "LOCALAPPDATA", xp ? NULL : profile, "\\AppData\\Local" },
		{ "USERNAME", user == NULL ? NULL : user->name, "" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(known[i].name, name) == 0) {
			*ret_tail = known[i].tail;
			return known[i].value;
		}
	return NULL;
}

char *
wn_expand(const struct wn_install *in, const struct wn_user *user,
	  const char *text, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	while (*text != '\0') {
		const char *end = *text == '%' ? strchr(text + 1, '%') : NULL;
		size_t n = end == NULL ? 1 : (size_t)(end - text) - 1;
		const char *value = NULL, *tail = "";
		char name[64];

		if (end != NULL && n < sizeof(name)) {
			memcpy(name, text + 1, n);
			name[n] = '\0';
			value = variable(in, user, name, &tail);
		}
		if (value == NULL) {
			buf_u8(&b, (uint8_t)*text++);
			continue;
		}
		buf_str(&b, value);
		buf_str(&b, tail);
		text = end + 1;
	}
	return buf_take_str(&b, e);
}
