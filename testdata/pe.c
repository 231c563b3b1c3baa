/* pe.c - see pe.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PE/COFF specification (Microsoft, revision 11): headers, .text with one
 * function that returns, .rdata with the import table, .rsrc with the version.
 */
#include "testdata/pe.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/scope.h"

enum {
	PAGE = 0x1000,		/* section alignment */
	FILE_ALIGN = 0x200,
	TEXT_RVA = 0x1000,
	RDATA_RVA = 0x2000,
	RSRC_RVA = 0x3000,
	FIRST = 0x400,		/* file offset of .text */
	HEADERS = 0x80,		/* file offset of the PE header */
};

static size_t
aligned(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static void
pad(struct buf *b, size_t to)
{
	buf_zeros(b, aligned(b->len, to) - b->len);
}

static void
put_utf16(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		buf_u16le(b, (uint16_t)(uint8_t)*s);
	buf_u16le(b, 0);
}

static void
patch16(struct buf *b, size_t at, size_t v)
{
	if (b->at != NULL && at + 2 <= b->len)
		num_put_u16le(b->at + at, (uint16_t)v);
}

static void
patch32(struct buf *b, size_t at, size_t v)
{
	if (b->at != NULL && at + 4 <= b->len)
		num_put_u32le(b->at + at, (uint32_t)v);
}

/* One string of a StringTable, or a VarFileInfo: length, value length, type. */
static void
put_string(struct buf *b, const char *key, const char *value)
{
	size_t at = b->len;

	buf_u16le(b, 0);
	buf_u16le(b, (uint16_t)(strlen(value) + 1));
	buf_u16le(b, 1);
	put_utf16(b, key);
	pad(b, 4);
	put_utf16(b, value);
	patch16(b, at, b->len - at);
	pad(b, 4);
}

static void
put_strings(struct buf *b, const struct pe *pe)
{
	size_t info = b->len, table;

	buf_u16le(b, 0);
	buf_u16le(b, 0);
	buf_u16le(b, 1);
	put_utf16(b, "StringFileInfo");
	pad(b, 4);
	table = b->len;
	buf_u16le(b, 0);
	buf_u16le(b, 0);
	buf_u16le(b, 1);
	put_utf16(b, "040904B0");
	pad(b, 4);
	put_string(b, "CompanyName", "Halcyon fixture");
	put_string(b, "FileDescription", pe->what);
	put_string(b, "FileVersion", pe->version);
	put_string(b, "InternalName", pe->original);
	put_string(b, "OriginalFilename", pe->original);
	put_string(b, "ProductVersion", pe->version);
	patch16(b, table, b->len - table);
	patch16(b, info, b->len - info);
}

/* VS_VERSIONINFO. */
static void
put_version(struct buf *b, const struct pe *pe)
{
	unsigned v[4] = { 0, 0, 0, 0 };
	size_t at = b->len;

	(void)sscanf(pe->version, "%u.%u.%u.%u", &v[0], &v[1], &v[2], &v[3]);
	buf_u16le(b, 0);
	buf_u16le(b, 52);
	buf_u16le(b, 0);
	put_utf16(b, "VS_VERSION_INFO");
	pad(b, 4);
	buf_u32le(b, 0xfeef04bd);
	buf_u32le(b, 0x10000);
	for (int twice = 0; twice < 2; twice++) {
		buf_u32le(b, v[0] << 16 | v[1]);
		buf_u32le(b, v[2] << 16 | v[3]);
	}
	buf_u32le(b, 0x3f);
	buf_u32le(b, 0);
	buf_u32le(b, 0x40004);	/* VOS_NT_WINDOWS32 */
	buf_u32le(b, pe->subsystem == PE_NATIVE ? 3 : pe->dll ? 2 : 1);
	buf_u32le(b, 0);
	buf_u64le(b, 0);
	put_strings(b, pe);
	patch16(b, at, b->len - at);
}

/* Three one-entry directories: RT_VERSION, 1, English. */
static void
put_resources(struct buf *b, const struct pe *pe)
{
	static const uint32_t id[3] = { 16, 1, 0x409 };
	size_t size;

	for (uint32_t i = 0; i < 3; i++) {
		buf_zeros(b, 12);
		buf_u16le(b, 0);
		buf_u16le(b, 1);
		buf_u32le(b, id[i]);
		buf_u32le(b, (i + 1) * 24 | (i < 2 ? 0x80000000 : 0));
	}
	buf_u32le(b, RSRC_RVA + 88);
	size = b->len;
	buf_u32le(b, 0);
	buf_u64le(b, 0);
	put_version(b, pe);
	patch32(b, size, b->len - 88);
}

/* The nth word of "a.sys:F b.exe:G" as library and function. */
static bool
nth_import(const char *imports, unsigned nth, char lib[32], char func[48])
{
	for (; imports != NULL && nth > 0; nth--) {
		imports = strchr(imports, ' ');
		if (imports != NULL)
			imports++;
	}
	return imports != NULL &&
	       sscanf(imports, "%31[^:]:%47[^ ]", lib, func) == 2;
}

/* Descriptors, then for each library its two thunk tables, the function's hint
 * and name, and its own name. */
static size_t
put_imports(struct buf *b, const struct pe *pe)
{
	size_t wide = pe->machine == PE_AMD64 ? 8 : 4;
	char lib[32], func[48];
	unsigned n = 0;
	size_t table = b->len;

	while (nth_import(pe->imports, n, lib, func))
		n++;
	if (n == 0)
		return 0;
	buf_zeros(b, (n + 1) * 20);
	for (unsigned i = 0; nth_import(pe->imports, i, lib, func); i++) {
		size_t d = table + (size_t)i * 20, lookup = b->len, name;

		buf_zeros(b, 4 * wide);
		patch32(b, d, RDATA_RVA + lookup);
		patch32(b, d + 16, RDATA_RVA + lookup + 2 * wide);
		patch32(b, lookup, RDATA_RVA + b->len);
		patch32(b, lookup + 2 * wide, RDATA_RVA + b->len);
		buf_u16le(b, 0);
		buf_str(b, func);
		buf_u8(b, 0);
		pad(b, 2);
		name = b->len;
		buf_str(b, lib);
		buf_u8(b, 0);
		pad(b, 8);
		patch32(b, d + 12, RDATA_RVA + name);
	}
	return (n + 1) * 20;
}

struct section {
	const char *name;
	uint32_t rva, flags;
	const struct buf *data;
};

static void
put_section(struct buf *b, const struct section *s, size_t *file_at)
{
	char name[8] = "";

	memcpy(name, s->name, strlen(s->name));
	buf_bytes(b, name, 8);
	buf_u32le(b, (uint32_t)s->data->len);
	buf_u32le(b, s->rva);
	buf_u32le(b, (uint32_t)aligned(s->data->len, FILE_ALIGN));
	buf_u32le(b, (uint32_t)*file_at);
	buf_zeros(b, 12);
	buf_u32le(b, s->flags);
	*file_at += aligned(s->data->len, FILE_ALIGN);
}

static void
put_optional(struct buf *b, const struct pe *pe, size_t imports,
	     size_t rsrc)
{
	bool wide = pe->machine == PE_AMD64;
	unsigned major = 5, minor = 1;

	(void)sscanf(pe->version, "%u.%u", &major, &minor);
	buf_u16le(b, wide ? 0x20b : 0x10b);
	buf_u16le(b, 9);
	buf_u32le(b, FILE_ALIGN);
	buf_u32le(b, 2 * FILE_ALIGN);
	buf_u32le(b, 0);
	buf_u32le(b, TEXT_RVA);
	buf_u32le(b, TEXT_RVA);
	if (wide) {
		buf_u64le(b, pe->subsystem == PE_NATIVE ? 0x10000 : 0x140000000);
	} else {
		buf_u32le(b, RDATA_RVA);
		buf_u32le(b, pe->subsystem == PE_NATIVE ? 0x10000 : 0x400000);
	}
	buf_u32le(b, PAGE);
	buf_u32le(b, FILE_ALIGN);
	for (int i = 0; i < 3; i++) {
		buf_u16le(b, (uint16_t)major);
		buf_u16le(b, (uint16_t)minor);
	}
	buf_u32le(b, 0);
	buf_u32le(b, (uint32_t)(RSRC_RVA + aligned(rsrc, PAGE)));
	buf_u32le(b, FIRST);
	buf_u32le(b, 0);		/* checksum, patched */
	buf_u16le(b, pe->subsystem);
	buf_u16le(b, 0);
	for (int i = 0; i < 4; i++)
		wide ? buf_u64le(b, i % 2 == 0 ? 0x40000 : 0x1000) :
		       buf_u32le(b, i % 2 == 0 ? 0x40000 : 0x1000);
	buf_u32le(b, 0);
	buf_u32le(b, 16);
	buf_u64le(b, 0);
	buf_u32le(b, imports > 0 ? RDATA_RVA : 0);
	buf_u32le(b, (uint32_t)imports);
	buf_u32le(b, RSRC_RVA);
	buf_u32le(b, (uint32_t)rsrc);
	buf_zeros(b, 13 * 8);
}

/* The checksum that the loader demands of drivers: 16-bit one's complement sum
 * of the file plus its length. */
static uint32_t
checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2) {
		sum += (uint32_t)p[i] | (uint32_t)p[i + 1] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum + (uint32_t)n;
}

static void
put_headers(struct buf *b, const struct pe *pe, const struct section *s,
	    size_t imports)
{
	bool wide = pe->machine == PE_AMD64;
	size_t at = FIRST;

	buf_str(b, "MZ");
	buf_zeros(b, 58);
	buf_u32le(b, HEADERS);
	buf_str(b, "\x0e\x1f\xba\x0e");
	buf_zeros(b, HEADERS - 68);
	buf_bytes(b, "PE\0\0", 4);
	buf_u16le(b, pe->machine);
	buf_u16le(b, 3);
	buf_u32le(b, pe->stamp);
	buf_u64le(b, 0);
	buf_u16le(b, wide ? 240 : 224);
	buf_u16le(b, (uint16_t)(0x0002 | (wide ? 0x20 : 0x100) |
				(pe->dll ? 0x2000 : 0)));
	put_optional(b, pe, imports, s[2].data->len);
	for (int i = 0; i < 3; i++)
		put_section(b, &s[i], &at);
	buf_zeros(b, FIRST - b->len);
}

void
pe_put(struct buf *out, const struct pe *pe, size_t size)
{
	BUF_SCOPED struct buf b = BUF_EMPTY, text = BUF_EMPTY;
	BUF_SCOPED struct buf rdata = BUF_EMPTY, rsrc = BUF_EMPTY;
	const struct section s[3] = {
		{ ".text", TEXT_RVA, 0x60000020, &text },
		{ ".rdata", RDATA_RVA, 0x40000040, &rdata },
		{ ".rsrc", RSRC_RVA, 0x40000040, &rsrc },
	};
	size_t imports;

	if (pe->code != NULL)
		buf_bytes(&text, pe->code, pe->code_len);
	else	/* xor eax,eax; ret 8 */
		buf_bytes(&text, "\x33\xc0\xc2\x08\x00", 5);
	imports = put_imports(&rdata, pe);
	if (rdata.len == 0)
		buf_zeros(&rdata, 16);
	put_resources(&rsrc, pe);
	put_headers(&b, pe, s, imports);
	for (int i = 0; i < 3; i++) {
		buf_bytes(&b, s[i].data->at, s[i].data->len);
		pad(&b, FILE_ALIGN);
	}
	/* What is behind the sections belongs to no section: an overlay. */
	while (b.len < size && !b.bad)
		buf_fmt(&b, "%s %s overlay %08zx\n", pe->original, pe->version,
			b.len);
	pad(&b, 8);
	if (!b.bad && !text.bad && !rdata.bad && !rsrc.bad)
		patch32(&b, HEADERS + 24 + 64, checksum(b.at, b.len));
	buf_bytes(out, b.at, b.len);
}
