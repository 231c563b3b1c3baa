/* sddl.c - security descriptors as text; see sd.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "windows/sd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"

struct word {
	char name[4];
	uint32_t value;
};

/* [MS-DTYP] 2.5.1.1; whole masks first, single bits behind. */
static const struct word rights[] = {
	{ "FA", 0x1f01ff }, { "FR", 0x120089 }, { "FW", 0x120116 },
	{ "FX", 0x1200a0 }, { "KA", 0x0f003f }, { "KR", 0x020019 },
	{ "KW", 0x020006 }, { "GA", 0x10000000 }, { "GX", 0x20000000 },
	{ "GW", 0x40000000 }, { "GR", 0x80000000 }, { "SD", 0x10000 },
	{ "RC", 0x20000 }, { "WD", 0x40000 }, { "WO", 0x80000 },
	{ "CC", 0x1 }, { "DC", 0x2 }, { "LC", 0x4 }, { "SW", 0x8 },
	{ "RP", 0x10 }, { "WP", 0x20 }, { "DT", 0x40 }, { "LO", 0x80 },
	{ "CR", 0x100 },
};
static const struct word label_rights[] = {
	{ "NW", 1 }, { "NR", 2 }, { "NX", 4 },
};
enum { WHOLE_RIGHTS = 11 };

static const struct word types[] = {
	{ "A", WN_ACE_ALLOW }, { "D", WN_ACE_DENY }, { "AU", WN_ACE_AUDIT },
	{ "ML", WN_ACE_LABEL },
};
static const struct word flags[] = {
	{ "OI", WN_ACE_OI }, { "CI", WN_ACE_CI }, { "NP", WN_ACE_NP },
	{ "IO", WN_ACE_IO }, { "ID", WN_ACE_ID }, { "SA", 0x40 },
	{ "FA", 0x80 },
};

static const struct account {
	char name[3];
	const char *sid;
} accounts[] = {
	{ "WD", "S-1-1-0" }, { "CO", "S-1-3-0" }, { "CG", "S-1-3-1" },
	{ "OW", "S-1-3-4" }, { "NU", "S-1-5-2" }, { "IU", "S-1-5-4" },
	{ "SU", "S-1-5-6" }, { "AN", "S-1-5-7" }, { "PS", "S-1-5-10" },
	{ "AU", "S-1-5-11" }, { "RC", "S-1-5-12" }, { "SY", "S-1-5-18" },
	{ "LS", "S-1-5-19" }, { "NS", "S-1-5-20" }, { "BA", "S-1-5-32-544" },
	{ "BU", "S-1-5-32-545" }, { "BG", "S-1-5-32-546" },
	{ "PU", "S-1-5-32-547" }, { "AC", "S-1-15-2-1" },
	{ "LW", "S-1-16-4096" }, { "ME", "S-1-16-8192" },
	{ "HI", "S-1-16-12288" }, { "SI", "S-1-16-16384" },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void
put_sid(const struct wn_sid *sid, struct buf *out)
{
	char text[WN_SID_TEXT];

	(void)wn_sid_text(sid, text);
	for (size_t i = 0; i < COUNT(accounts); i++)
		if (strcmp(accounts[i].sid, text) == 0) {
			buf_str(out, accounts[i].name);
			return;
		}
	buf_str(out, text);
}

static void
put_mask(const struct wn_ace *ace, struct buf *out)
{
	if (ace->type == WN_ACE_LABEL && ace->mask <= 7) {
		for (size_t i = 0; i < COUNT(label_rights); i++)
			if ((ace->mask & label_rights[i].value) != 0)
				buf_str(out, label_rights[i].name);
		return;
	}
	for (size_t i = 0; i < WHOLE_RIGHTS; i++)
		if (rights[i].value == ace->mask) {
			buf_str(out, rights[i].name);
			return;
		}
	buf_fmt(out, "0x%" PRIx32, ace->mask);
}

static int
put_ace(const struct wn_ace *ace, struct buf *out, struct err *e)
{
	const char *type = NULL;

	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i].value == ace->type)
			type = types[i].name;
	if (type == NULL || ace->raw != NULL)
		return err_set(e, ERR_UNSUPPORTED, "security descriptor: an "
			       "entry of type %u has no text", ace->type);
	buf_fmt(out, "(%s;", type);
	for (size_t i = 0; i < COUNT(flags); i++)
		if ((ace->flags & flags[i].value) != 0)
			buf_str(out, flags[i].name);
	buf_str(out, ";");
	put_mask(ace, out);
	buf_str(out, ";;;");
	put_sid(&ace->sid, out);
	buf_str(out, ")");
	return 0;
}

static int
put_acl(const struct wn_acl *acl, bool protected, bool inherited,
	struct buf *out, struct err *e)
{
	if (protected)
		buf_str(out, "P");
	if (inherited)
		buf_str(out, "AI");
	if (acl->null)
		buf_str(out, "NO_ACCESS_CONTROL");
	for (size_t i = 0; i < acl->count; i++)
		if (put_ace(&acl->at[i], out, e) < 0)
			return -1;
	return 0;
}

int
wn_sd_to_sddl(const struct wn_sd *sd, struct buf *out, struct err *e)
{
	if (sd->owner.len != 0) {
		buf_str(out, "O:");
		put_sid(&sd->owner, out);
	}
	if (sd->group.len != 0) {
		buf_str(out, "G:");
		put_sid(&sd->group, out);
	}
	if (sd->dacl.present) {
		buf_str(out, "D:");
		if (put_acl(&sd->dacl,
			    (sd->control & WN_SD_DACL_PROTECTED) != 0,
			    (sd->control & WN_SD_DACL_INHERITED) != 0, out,
			    e) < 0)
			return -1;
	}
	if (sd->sacl.present) {
		buf_str(out, "S:");
		if (put_acl(&sd->sacl,
			    (sd->control & WN_SD_SACL_PROTECTED) != 0,
			    (sd->control & WN_SD_SACL_INHERITED) != 0, out,
			    e) < 0)
			return -1;
	}
	return 0;
}

/* The text up to one of `ends`, copied to word; false if it is longer. */
static bool
word_to(const char **p, const char *ends, char *word, size_t size)
{
	size_t n = strcspn(*p, ends);

	if (n >= size)
		return false;
	memcpy(word, *p, n);
	word[n] = '\0';
	*p += n;
	return true;
}

static bool
one_word(const struct word *table, size_t count, const char *name,
	 uint32_t *ret)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i].name, name) == 0) {
			*ret = table[i].value;
			return true;
		}
	return false;
}

/* Two-letter words in a row, or'ed together. */
static bool
many_words(const struct word *table, size_t count, const char *text,
	   uint32_t *ret)
{
	uint32_t all = 0, one = 0;
	char name[3] = "";

	for (; *text != '\0'; text += 2) {
		if (text[1] == '\0')
			return false;
		memcpy(name, text, 2);
		if (!one_word(table, count, name, &one))
			return false;
		all |= one;
	}
	*ret = all;
	return true;
}

static bool
get_sid(const char *text, struct wn_sid *ret, struct err *e)
{
	for (size_t i = 0; i < COUNT(accounts); i++)
		if (strcmp(accounts[i].name, text) == 0)
			text = accounts[i].sid;
	return wn_sid_from_text(text, ret, e) == 0;
}

static bool
get_mask(const char *text, uint32_t *ret)
{
	uint64_t n;

	if (num_parse(text, 0, UINT32_MAX, false, &n)) {
		*ret = (uint32_t)n;
		return true;
	}
	return many_words(label_rights, COUNT(label_rights), text, ret) ||
		many_words(rights, COUNT(rights), text, ret);
}

/* "(A;OICI;FA;;;SY)" at *p, into the list. */
static int
get_ace(const char **p, struct wn_acl *acl, struct err *e)
{
	char type[4], flag[32], mask[64], sid[WN_SID_TEXT];
	uint32_t t, f, m;
	struct wn_sid who;
	bool good;

	(*p)++;
	good = word_to(p, ";)", type, sizeof(type)) && *(*p)++ == ';' &&
		word_to(p, ";)", flag, sizeof(flag)) && *(*p)++ == ';' &&
		word_to(p, ";)", mask, sizeof(mask)) &&
		strncmp(*p, ";;;", 3) == 0;
	if (good) {
		*p += 3;
		good = word_to(p, ";)", sid, sizeof(sid)) && **p == ')' &&
			one_word(types, COUNT(types), type, &t) &&
			many_words(flags, COUNT(flags), flag, &f) &&
			get_mask(mask, &m);
	}
	if (!good)
		return err_set(e, ERR_USAGE, "SDDL: malformed entry");
	(*p)++;
	if (!get_sid(sid, &who, e))
		return -1;
	return wn_acl_add(acl, (uint8_t)t, (uint8_t)f, m, &who, e);
}

static int
get_acl(const char **p, struct wn_acl *acl, uint16_t *control,
	uint16_t protected, uint16_t inherited, struct err *e)
{
	char word[24];

	acl->present = true;
	acl->revision = 2;
	if (strncmp(*p, "NO_ACCESS_CONTROL", 17) == 0) {
		*p += 17;
		acl->null = true;
	}
	if (!word_to(p, "(:", word, sizeof(word)))
		return err_set(e, ERR_USAGE, "SDDL: malformed list");
	/* "S:" may follow at once: its letter is not a flag. */
	size_t n = strlen(word);
	if (**p == ':' && n > 0) {
		word[n - 1] = '\0';
		(*p)--;
	}
	const char *w = word;
	if (*w == 'P') {
		*control = *control | protected;
		w++;
	}
	if (strncmp(w, "AR", 2) == 0)
		w += 2;
	if (strncmp(w, "AI", 2) == 0) {
		*control = *control | inherited;
		w += 2;
	}
	if (*w != '\0')
		return err_set(e, ERR_USAGE, "SDDL: unknown flag \"%s\"", w);
	while (**p == '(')
		if (get_ace(p, acl, e) < 0)
			return -1;
	return 0;
}

/* "SY" or "S-1-..." up to the next part's letter and colon. */
static int
get_owner(const char **p, struct wn_sid *ret, struct err *e)
{
	char text[WN_SID_TEXT];
	size_t n = strcspn(*p, ":");

	if ((*p)[n] == ':' && n > 0)
		n--;
	if (n >= sizeof(text))
		return err_set(e, ERR_USAGE, "SDDL: malformed account");
	memcpy(text, *p, n);
	text[n] = '\0';
	*p += n;
	return get_sid(text, ret, e) ? 0 : -1;
}

static int
get_part(const char **p, struct wn_sd *sd, struct err *e)
{
	char letter = **p;

	if (letter == '\0' || (*p)[1] != ':')
		return err_set(e, ERR_USAGE, "SDDL: expected O: G: D: or S:");
	*p += 2;
	switch (letter) {
	case 'O':
		return get_owner(p, &sd->owner, e);
	case 'G':
		return get_owner(p, &sd->group, e);
	case 'D':
		return get_acl(p, &sd->dacl, &sd->control,
			       WN_SD_DACL_PROTECTED, WN_SD_DACL_INHERITED, e);
	case 'S':
		return get_acl(p, &sd->sacl, &sd->control,
			       WN_SD_SACL_PROTECTED, WN_SD_SACL_INHERITED, e);
	default:
		return err_set(e, ERR_USAGE, "SDDL: unknown part %c:", letter);
	}
}

int
wn_sd_from_sddl(const char *text, struct wn_sd *ret, struct err *e)
{
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	const char *p = text;

	while (*p != '\0')
		if (get_part(&p, &sd, e) < 0)
			return -1;
	sd.control |= WN_SD_SELF_RELATIVE;
	if (sd.dacl.present)
		sd.control |= WN_SD_DACL_PRESENT;
	if (sd.sacl.present)
		sd.control |= WN_SD_SACL_PRESENT;
	*ret = TAKE(sd);
	return 0;
}
