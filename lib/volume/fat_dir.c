/* fat_dir.c - see fat_dir.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/fat_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "volume/volume.h"

enum {
	ENTRY = 32,
	FREE = 0xe5, END = 0x00, E5 = 0x05,
	LONG = 0x0f, LABEL = 0x08,
	LONG_LAST = 0x40, LONG_UNITS = 13, LONG_MAX = 20,
	LOWER_BASE = 0x08, LOWER_EXTENSION = 0x10,
};

/* A long name, whose pieces come last one first. */
struct long_name {
	uint8_t units[2 * LONG_UNITS * LONG_MAX];
	unsigned want;		/* number of the next piece; 0: none begun */
	unsigned pieces;
	uint8_t check;
};

static uint8_t
checksum(const uint8_t name[11])
{
	unsigned sum = 0;

	for (int i = 0; i < 11; i++)
		sum = (((sum & 1) << 7 | sum >> 1) + name[i]) & 0xff;
	return (uint8_t)sum;
}

static void
add_piece(struct long_name *l, const uint8_t x[ENTRY])
{
	unsigned number = x[0] & 0x1f;
	uint8_t *to;

	if ((x[0] & LONG_LAST) != 0) {
		*l = (struct long_name){ .want = number, .pieces = number,
					 .check = x[13] };
	}
	if (number == 0 || number > LONG_MAX || number != l->want ||
	    x[13] != l->check) {
		l->pieces = 0;
		l->want = 0;
		return;
	}
	to = l->units + (size_t)2 * LONG_UNITS * (number - 1);
	memcpy(to, x + 1, 10);
	memcpy(to + 10, x + 14, 12);
	memcpy(to + 22, x + 28, 4);
	l->want = number - 1;
}

/* The long name before this entry, or NULL: none, or it belongs to another. */
static char *
take_long(struct long_name *l, const uint8_t x[ENTRY], bool *ret_has,
	  struct err *e)
{
	size_t bytes = 0, max = (size_t)2 * LONG_UNITS * l->pieces;

	*ret_has = l->pieces > 0 && l->want == 0 && checksum(x) == l->check;
	l->pieces = 0;
	if (!*ret_has)
		return NULL;
	while (bytes < max && (l->units[bytes] | l->units[bytes + 1]) != 0)
		bytes += 2;
	*ret_has = bytes > 0 && bytes <= 2 * VO_NAME_MAX;
	return *ret_has ? utf_from16(l->units, bytes, e) : NULL;
}

/* One part of an 8.3 name; the code page of what is not ASCII is unknown. */
static size_t
put_part(char *to, const uint8_t *from, size_t len, bool lower)
{
	size_t n = 0;

	while (len > 0 && from[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = from[i];

		if (c >= 0x80 || c < ' ' || c == '/') {
			memcpy(to + n, "\xef\xbf\xbd", 3);
			n += 3;
		} else {
			to[n++] = (char)(lower && c >= 'A' && c <= 'Z'
					 ? c + 32 : c);
		}
	}
	return n;
}

static void
put_short(const uint8_t x[ENTRY], bool cased, char ret[40])
{
	uint8_t name[11];
	size_t n, ext;

	memcpy(name, x, sizeof(name));
	if (name[0] == E5)
		name[0] = FREE;
	n = put_part(ret, name, 8, cased && (x[12] & LOWER_BASE) != 0);
	ret[n] = '.';
	ext = put_part(ret + n + 1, name + 8, 3,
		       cased && (x[12] & LOWER_EXTENSION) != 0);
	ret[n + (ext > 0 ? 1 + ext : 0)] = '\0';
}

/* Days from 1601-01-01 to a date of the Gregorian calendar. */
static uint64_t
days(unsigned year, unsigned month, unsigned day)
{
	static const unsigned before[12] = {
		0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334,
	};
	unsigned y = year - 1601;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return (uint64_t)y * 365 + y / 4 - y / 100 + y / 400 +
	       before[month - 1] + (leap && month > 2) + day - 1;
}

static uint64_t
filetime(uint16_t date, uint16_t time, uint8_t hundredths)
{
	unsigned month = date >> 5 & 15, day = date & 31;
	uint64_t seconds;

	if (month < 1 || month > 12 || day < 1)
		return 0;
	seconds = days(1980U + (date >> 9), month, day) * 86400 +
		  (time >> 11) * 3600U + (time >> 5 & 63U) * 60 +
		  (time & 31U) * 2;
	return seconds * 10000000 + hundredths * 100000U;
}

static void
parse_fields(const uint8_t x[ENTRY], struct vo_fat_entry *ret)
{
	struct cur c = cur_over("FAT entry", x, ENTRY);
	uint16_t created, created_date, date, high;
	uint8_t hundredths;

	(void)cur_sub(&c, 11);
	ret->attributes = cur_u8(&c) & 0x37;
	(void)cur_u8(&c);
	hundredths = cur_u8(&c);
	created = cur_u16le(&c);
	created_date = cur_u16le(&c);
	ret->created = filetime(created_date, created, hundredths);
	ret->accessed = filetime(cur_u16le(&c), 0, 0);
	high = cur_u16le(&c);
	created = cur_u16le(&c);
	date = cur_u16le(&c);
	ret->modified = filetime(date, created, 0);
	ret->cluster = (uint32_t)high << 16 | cur_u16le(&c);
	ret->size = cur_u32le(&c);
	if ((ret->attributes & VO_DIRECTORY) != 0)
		ret->size = 0;
}

static int
add_entry(struct vo_fat_dir *d, struct long_name *l, const uint8_t x[ENTRY],
	  uint64_t id, struct err *e)
{
	struct vo_fat_entry *one;
	bool has;

	if (x[0] == '.')	/* this folder and the one above */
		return 0;
	if (mem_grow(&d->at, &d->cap, d->count + 1, sizeof(*d->at), e) < 0)
		return -1;
	one = &d->at[d->count];
	one->name = take_long(l, x, &has, e);
	if (has && one->name == NULL)
		return -1;
	put_short(x, !has, one->short_name);
	if (!has) {
		one->name = mem_str(one->short_name, e);
		one->short_name[0] = '\0';
	}
	if (one->name == NULL)
		return -1;
	d->count++;
	one->id = id;
	parse_fields(x, one);
	/* what could be no name of a file would only mislead */
	if (*one->name == '\0' || strchr(one->name, '/') != NULL ||
	    strcmp(one->name, "..") == 0 || strcmp(one->name, ".") == 0)
		free(d->at[--d->count].name);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct vo_fat_entry *x = a, *y = b;

	return strcasecmp(x->name, y->name);
}

int
vo_fat_dir_parse(const uint8_t *bytes, size_t len, uint64_t id,
		 struct vo_fat_dir *ret, struct err *e)
{
	VO_FAT_DIR_SCOPED struct vo_fat_dir d = VO_FAT_DIR_EMPTY;
	struct long_name l = { .pieces = 0 };

	for (size_t i = 0; i + ENTRY <= len && bytes[i] != END; i += ENTRY) {
		const uint8_t *x = bytes + i;

		if (x[0] == FREE)
			l.pieces = 0;
		else if ((x[11] & 0x3f) == LONG)
			add_piece(&l, x);
		else if ((x[11] & LABEL) != 0)
			l.pieces = 0;
		else if (add_entry(&d, &l, x, id + i / ENTRY + 1, e) < 0)
			return -1;
	}
	mem_sort(d.at, d.count, sizeof(*d.at), by_name);
	*ret = TAKE(d);
	return 0;
}

void
vo_fat_dir_done(struct vo_fat_dir *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->at[i].name);
	free(d->at);
	*d = (struct vo_fat_dir)VO_FAT_DIR_EMPTY;
}

const struct vo_fat_entry *
vo_fat_dir_find(const struct vo_fat_dir *d, const char *name)
{
	for (size_t i = 0; i < d->count; i++)
		if (utf_same8(d->at[i].name, name) ||
		    utf_same8(d->at[i].short_name, name))
			return &d->at[i];
	return NULL;
}

void
vo_fat_put_stat(const struct vo_fat_entry *x, struct buf *answer)
{
	buf_u64le(answer, x->id);
	buf_u64le(answer, x->size);
	buf_u64le(answer, x->size);
	buf_u32le(answer, x->attributes);
	buf_u32le(answer, 0);	/* no reparse tag */
	buf_u32le(answer, 1);	/* one name */
	buf_u32le(answer, 0);	/* no security */
	buf_u64le(answer, x->created);
	buf_u64le(answer, x->modified);
	buf_u64le(answer, x->modified);
	buf_u64le(answer, x->accessed);
}

void
vo_fat_put_stream(const struct vo_fat_entry *x, struct buf *answer)
{
	if ((x->attributes & VO_DIRECTORY) != 0)
		return;
	buf_u32le(answer, 0);
	buf_u64le(answer, x->size);
	buf_u64le(answer, x->size);
}

void
vo_fat_dir_put(const struct vo_fat_dir *d, struct buf *answer)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct vo_fat_entry *x = &d->at[i];

		buf_u32le(answer, (uint32_t)strlen(x->name));
		buf_str(answer, x->name);
		buf_u32le(answer, (uint32_t)strlen(x->short_name));
		buf_str(answer, x->short_name);
		vo_fat_put_stat(x, answer);
	}
}
