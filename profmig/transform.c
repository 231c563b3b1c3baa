/* transform.c - what rules do with registry values
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Layouts, all from real hives of both sides: UserPreferencesMask (4 bytes in
 * XP, 8 since Vista, the first four alike); StuckRects2 and 3 (flags at 8, edge
 * at 12); ShellState (flags at 4); CabinetState (flags at 4); the proxy blob
 * (version, counter, flags, then proxy, bypass list and script, each with its
 * length in front).
 */
#include "profmig/settings-private.h"

#include <stdio.h>
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"

/* The value over there, or NULL. */
static struct hv_value *
base_value(const struct pm_value *v)
{
	return v->base == NULL ? NULL : hv_value(v->base, v->out->to_name);
}

/* What the target has, with [at, at + len) from the old value. */
static int
splice(struct pm_value *v, size_t at, size_t len, size_t at_least,
       struct err *e)
{
	struct hv_value *had = base_value(v);
	struct hv_data d;
	SCOPED_FREE uint8_t *mix = NULL;

	if (v->in.len < at + len || v->in.len < at_least)
		return pm_value_drop(v, "is malformed", e);
	if (had == NULL)
		return pm_value_drop(v, "the target makes its own", e);
	d = hv_data(had);
	if (d.len < at + len)
		return pm_value_drop(v, "the target keeps another form", e);
	mix = mem_array(d.len, 1, e);
	if (mix == NULL)
		return -1;
	memcpy(mix, d.at, d.len);
	memcpy(mix + at, v->in.at + at, len);
	return pm_value_set(v, mix, d.len, e);
}

static int
taskbar(struct pm_value *v, struct err *e)
{
	static const uint8_t xp_form[8] = { 0x28, 0, 0, 0, 0xff, 0xff, 0xff,
					    0xff };

	if (base_value(v) != NULL)
		return splice(v, 8, 8, 16, e);
	/* A profile that never logged on has none; XP's form is also 7's. */
	if (v->from->move->to->generation > WN_7 || v->in.len != 0x28 ||
	    memcmp(v->in.at, xp_form, sizeof(xp_form)) != 0)
		return pm_value_drop(v, "the target makes its own", e);
	return 0;
}

/* Bits of the four bytes at `at`. */
static int
bits(struct pm_value *v, size_t at, uint32_t mask, struct err *e)
{
	struct hv_value *had = base_value(v);
	SCOPED_FREE uint8_t *mix = NULL;
	struct hv_data d;

	if (had == NULL || v->in.len < at + 4)
		return pm_value_drop(v, "the target makes its own", e);
	d = hv_data(had);
	if (d.len < at + 4)
		return pm_value_drop(v, "the target keeps another form", e);
	mix = mem_array(d.len, 1, e);
	if (mix == NULL)
		return -1;
	memcpy(mix, d.at, d.len);
	for (size_t i = 0; i < 4; i++) {
		uint8_t m = (uint8_t)(mask >> 8 * i & 0xff);

		mix[at + i] = (uint8_t)((mix[at + i] & ~m) |
					(v->in.at[at + i] & m));
	}
	return pm_value_set(v, mix, d.len, e);
}

static int
or_bits(struct pm_value *v, struct err *e)
{
	struct hv_value *had = base_value(v);
	struct hv_data d;
	uint8_t mix[4];

	if (had == NULL)
		return pm_value_drop(v, "the target has its own default", e);
	d = hv_data(had);
	if (d.len != 4 || v->in.len != 4)
		return pm_value_drop(v, "is malformed", e);
	for (size_t i = 0; i < 4; i++)
		mix[i] = d.at[i] | v->in.at[i];
	return pm_value_set(v, mix, 4, e);
}

static int
set_text(struct pm_value *v, const char *text, struct err *e)
{
	SCOPED_FREE uint8_t *units = NULL, *whole = NULL;
	size_t len;

	if (utf_to16(text, &units, &len, e) < 0)
		return -1;
	whole = mem_array(len + 2, 1, e);
	if (whole == NULL)
		return -1;
	memcpy(whole, units, len);
	return pm_value_set(v, whole, len + 2, e);
}

/* What of the old list is not in the new one goes to its end. */
static int
path_list(struct pm_value *v, struct err *e)
{
	BUF_SCOPED struct buf all = BUF_EMPTY;
	SCOPED_FREE char *had = NULL, *old = NULL;
	struct err why = ERR_INIT;

	if (pm_value_rewrite(v, false, e) < 0)
		return -1;
	if (v->base == NULL ||
	    hv_get_str(v->base, v->out->to_name, &had, &why) != 1)
		return 0;
	old = utf_from16(v->out->data, v->out->len, e);
	if (old == NULL)
		return -1;
	old[strcspn(old, "\xc0")] = '\0';	/* a NUL unit */
	buf_str(&all, had);
	for (char *p = old; *p != '\0';) {
		size_t n = strcspn(p, ";");
		bool last = p[n] == '\0';

		p[n] = '\0';
		if (n > 0 && strcasestr(had, p) == NULL)
			buf_fmt(&all, ";%s", p);
		p += n + (last ? 0 : 1);
	}
	if (buf_ok(&all, e) < 0)
		return -1;
	return set_text(v, all.at == NULL ? "" : (char *)all.at, e);
}

static int
derive(struct pm_value *v, const char *name, const char *text, struct err *e)
{
	struct pm_settings *s = v->all;
	SCOPED_FREE uint8_t *units = NULL;
	struct pm_setting *d;
	size_t len;

	if (utf_to16(text, &units, &len, e) < 0 ||
	    mem_grow(&s->at, &s->cap, s->count + 1, sizeof(*s->at), e) < 0)
		return -1;
	d = &s->at[s->count++];
	*d = (struct pm_setting){ .outcome = PM_TRANSFORMED, .type = HV_SZ,
				  .derived = true, .rule = v->out->rule };
	d->key = mem_str(v->out->key, e);
	d->name = mem_str(v->out->name, e);
	d->to_key = mem_str(v->out->to_key, e);
	d->to_name = mem_str(name, e);
	d->why = mem_fmt(e, "made from %s", v->out->name);
	d->data = mem_array(len + 2, 1, e);
	if (d->key == NULL || d->name == NULL || d->to_key == NULL ||
	    d->to_name == NULL || d->why == NULL || d->data == NULL)
		return -1;
	memcpy(d->data, units, len);
	d->len = len + 2;
	return 0;
}

/* What Vista added: the name of the locale, and the time without seconds. */
static int
locale(struct pm_value *v, struct err *e)
{
	SCOPED_FREE char *text = utf_from16(v->in.at, v->in.len, e);
	char *seconds, hex[16];
	const char *tag;
	uint64_t lcid;

	if (text == NULL)
		return -1;
	text[strcspn(text, "\xc0")] = '\0';
	if (utf_same8(v->out->name, "Locale")) {
		(void)snprintf(hex, sizeof(hex), "0x%.8s", text);
		if (!num_parse(hex, 1, UINT16_MAX, false, &lcid))
			return 0;
		tag = wn_language_tag((uint16_t)lcid);
		return tag == NULL ? 0 : derive(v, "LocaleName", tag, e);
	}
	if (!utf_same8(v->out->name, "sTimeFormat"))
		return 0;
	seconds = strstr(text, ":ss");
	if (seconds == NULL)
		return 0;
	memmove(seconds, seconds + 3, strlen(seconds + 3) + 1);
	return derive(v, "sShortTime", text, e);
}

static int
wallpaper(struct pm_value *v, struct err *e)
{
	if (v->from->wallpaper != NULL)
		return set_text(v, v->from->wallpaper, e);
	return pm_value_rewrite(v, true, e);
}

/* Read by its own version, written in the target's. */
static int
connections(struct pm_value *v, struct err *e)
{
	struct cur c = cur_over("proxy settings", v->in.at, v->in.len);
	BUF_SCOPED struct buf out = BUF_EMPTY;
	uint32_t version = cur_u32le(&c);
	uint32_t counter = cur_u32le(&c);
	uint32_t flags = cur_u32le(&c);

	if (!cur_ok(&c) || (version != 0x3c && version != 0x46))
		return pm_value_drop(v, "is of an unknown form", e);
	buf_u32le(&out, v->from->move->to->generation >= WN_7 ? 0x46 : 0x3c);
	buf_u32le(&out, counter);
	buf_u32le(&out, flags);
	for (int i = 0; i < 3; i++) {
		uint32_t n = cur_u32le(&c);
		SCOPED_FREE uint8_t *text = NULL;

		if (!cur_ok(&c) || n > cur_left(&c))
			return pm_value_drop(v, "is malformed", e);
		text = mem_array(n, 1, e);
		if (text == NULL)
			return -1;
		cur_bytes(&c, text, n);
		buf_u32le(&out, n);
		buf_bytes(&out, text, n);
	}
	buf_zeros(&out, 32);
	if (buf_ok(&out, e) < 0)
		return -1;
	return pm_value_set(v, out.at, out.len, e);
}

/* Only a server's folder is the person's own choice. */
static int
redirect(struct pm_value *v, struct err *e)
{
	SCOPED_FREE char *text = utf_from16(v->in.at, v->in.len, e);

	if (text == NULL)
		return -1;
	return strncmp(text, "\\\\", 2) == 0 ? 0 :
		pm_value_drop(v, "the new profile has its own folders", e);
}

/* "00000407": is there such a layout over there?  A substitute ("d0010407") is
 * looked up in Substitutes, which is checked by itself. */
static int
layout(struct pm_value *v, struct err *e)
{
	struct hv_key *set = wn_control_set(v->from->move->to, e);
	struct hv_key *all = set == NULL ? NULL :
		hv_find(set, "Control\\Keyboard Layouts");
	SCOPED_FREE char *id = utf_from16(v->in.at, v->in.len, e);

	if (set == NULL || id == NULL)
		return -1;
	id[strcspn(id, "\xc0\\")] = '\0';
	if (all == NULL || id[0] == 'd' || id[0] == 'D' ||
	    hv_find(all, id) != NULL)
		return 0;
	return pm_value_drop(v, "the target does not have this keyboard "
			     "layout", e);
}

/* "\\srv\prn,winspool,Ne00:": only a printer that the person is connected to;
 * one at the old computer's own port is not there. */
static int
printer(struct pm_value *v, struct err *e)
{
	SCOPED_FREE char *text = utf_from16(v->in.at, v->in.len, e);
	SCOPED_FREE char *key = NULL;

	if (text == NULL)
		return -1;
	text[strcspn(text, ",\xc0")] = '\0';
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\\')
			*p = ',';
	key = mem_fmt(e, "Printers\\Connections\\%s", text);
	if (key == NULL)
		return -1;
	if (text[0] == ',' && hv_find(hv_root(v->from->from), key) != NULL)
		return 0;
	return pm_value_drop(v, "a printer of the old computer", e);
}

int
pm_transform(struct pm_value *v, struct err *e)
{
	/* fShowAllObjects, fShowExtensions, fShowSysFiles,
	 * fDoubleClickInWebView, fHideIcons */
	const uint32_t shell_bits = 0x1 | 0x2 | 0x8 | 0x20 | 0x1000;

	switch (v->entry->how) {
	case PM_COPY:
		return 0;
	case PM_REWRITE:
		return pm_value_rewrite(v, false, e);
	case PM_IF_EXISTS:
		return pm_value_rewrite(v, true, e);
	case PM_LOW_DWORD:
		return splice(v, 0, 4, 4, e);
	case PM_TASKBAR:
		return taskbar(v, e);
	case PM_SHELL_STATE:
		return bits(v, 4, shell_bits, e);
	case PM_CABINET:
		return bits(v, 4, 0x1, e);
	case PM_OR:
		return or_bits(v, e);
	case PM_PATH_LIST:
		return path_list(v, e);
	case PM_LOCALE:
		return locale(v, e);
	case PM_WALLPAPER:
		return wallpaper(v, e);
	case PM_CONNECTIONS:
		return connections(v, e);
	case PM_REDIRECT:
		return redirect(v, e);
	case PM_BLOB:
		return pm_value_blob(v, e);
	case PM_MAPI:
		return pm_value_mapi(v, e);
	case PM_LAYOUT:
		return layout(v, e);
	case PM_PRINTER:
		return printer(v, e);
	case PM_DROP:
	case PM_DO_COUNT:
		break;
	}
	return pm_value_drop(v, "its rule drops it", e);
}
