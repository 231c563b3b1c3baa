/* pe.c - see pe.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/pe.h"

#include <stdlib.h>
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

enum {
	SECTIONS_MAX = 96,
	PE32 = 0x10b,
	PE32_PLUS = 0x20b,
	EXECUTABLE_IMAGE = 0x0002,
	DIRECTORY_IMPORT = 1,
	DIRECTORY_RESOURCE = 2,
	DIRECTORY_CERTIFICATE = 4,
	NAME_MAX_BYTES = 255,
};

struct section {
	uint32_t rva, size;		/* in memory */
	uint32_t at, bytes;		/* in the file */
};

struct reader {
	const char *name;
	const uint8_t *at;
	size_t len;
	uint32_t import_rva, resource_rva, certificate_at, certificate_size;
	size_t sections;
	struct section section[SECTIONS_MAX];
};

const char *
hn_pe_machine_name(uint16_t machine)
{
	switch (machine) {
	case HN_PE_I386:
		return "x86";
	case HN_PE_AMD64:
		return "amd64";
	case HN_PE_ARM64:
		return "arm64";
	case HN_PE_IA64:
		return "ia64";
	default:
		return "unknown";
	}
}

void
hn_pe_done(struct hn_pe *pe)
{
	for (size_t i = 0; i < pe->modules; i++)
		free(pe->module[i]);
	free(pe->module);
	*pe = (struct hn_pe)HN_PE_EMPTY;
}

/* A cursor over [at, the end) of the file. */
static struct cur
from(const struct reader *r, uint64_t at)
{
	struct cur c;

	if (num_in_range(at, 0, r->len))
		return cur_over(r->name, r->at + at, r->len - (size_t)at);
	c = cur_over(r->name, r->at, 0);
	cur_bad(&c, "points outside itself");
	return c;
}

/* Where the byte at an RVA lies in the file; false when it is not in it. */
static bool
file_offset(const struct reader *r, uint32_t rva, uint64_t *ret)
{
	for (size_t i = 0; i < r->sections; i++) {
		const struct section *s = &r->section[i];

		if (rva >= s->rva && rva - s->rva < s->bytes) {
			*ret = (uint64_t)s->at + (rva - s->rva);
			return true;
		}
	}
	return false;
}

static int
read_directories(struct cur *c, struct reader *r, uint32_t count,
		 struct err *e)
{
	for (uint32_t i = 0; i < count && i < 16; i++) {
		uint32_t at = cur_u32le(c), size = cur_u32le(c);

		if (i == DIRECTORY_IMPORT)
			r->import_rva = size > 0 ? at : 0;
		if (i == DIRECTORY_RESOURCE)
			r->resource_rva = size > 0 ? at : 0;
		if (i == DIRECTORY_CERTIFICATE) {
			r->certificate_at = at;
			r->certificate_size = size;
		}
	}
	return cur_ok(c) ? 0 : cur_err(c, e);
}

static int
read_optional(struct cur *c, struct reader *r, struct hn_pe *pe,
	      struct err *e)
{
	uint16_t magic = cur_u16le(c);
	bool plus = magic == PE32_PLUS;
	uint32_t count;

	if (!cur_ok(c))
		return cur_err(c, e);
	if (magic != PE32 && !plus) {
		cur_bad(c, "has an optional header of no known kind");
		return cur_err(c, e);
	}
	(void)cur_sub(c, 66);
	pe->subsystem = cur_u16le(c);
	(void)cur_sub(c, plus ? 38 : 22);
	count = cur_u32le(c);
	if (!cur_ok(c))
		return cur_err(c, e);
	return read_directories(c, r, count, e);
}

static int
read_sections(struct cur *c, struct reader *r, size_t count, struct err *e)
{
	if (count > SECTIONS_MAX) {
		cur_bad(c, "has more sections than Windows loads");
		return cur_err(c, e);
	}
	for (size_t i = 0; i < count; i++) {
		struct section *s = &r->section[i];

		(void)cur_sub(c, 8);
		s->size = cur_u32le(c);
		s->rva = cur_u32le(c);
		s->bytes = cur_u32le(c);
		s->at = cur_u32le(c);
		(void)cur_sub(c, 16);
		if (!cur_ok(c))
			return cur_err(c, e);
		if (s->bytes > 0 && !num_in_range(s->at, s->bytes, r->len)) {
			cur_bad(c, "has a section that the file does not hold");
			return cur_err(c, e);
		}
	}
	r->sections = count;
	return 0;
}

static int
read_headers(struct reader *r, struct hn_pe *pe, struct err *e)
{
	struct cur c = from(r, 0);
	uint16_t sections, optional, characteristics;
	uint32_t at;
	struct cur o;

	cur_magic(&c, "MZ", 2);
	(void)cur_sub(&c, 58);
	at = cur_u32le(&c);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	c = from(r, at);
	cur_magic(&c, "PE\0\0", 4);
	pe->machine = cur_u16le(&c);
	sections = cur_u16le(&c);
	(void)cur_sub(&c, 12);
	optional = cur_u16le(&c);
	characteristics = cur_u16le(&c);
	o = cur_sub(&c, optional);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	pe->executable = (characteristics & EXECUTABLE_IMAGE) != 0;
	if (read_optional(&o, r, pe, e) < 0)
		return -1;
	return read_sections(&c, r, sections, e);
}

/* The NUL-ended name at an RVA, which the caller frees. */
static char *
module_name(const struct reader *r, uint32_t rva, struct err *e)
{
	char text[NAME_MAX_BYTES + 1];
	uint64_t at = 0;
	struct cur c = from(r, file_offset(r, rva, &at) ? at : UINT64_MAX);

	for (size_t n = 0; n < sizeof(text); n++) {
		text[n] = (char)cur_u8(&c);
		if (!cur_ok(&c))
			break;
		if (text[n] == '\0' && n > 0)
			return mem_str(text, e);
		if (text[n] < 0x21 || text[n] > 0x7e)
			break;
	}
	cur_bad(&c, "imports from a module without a name");
	(void)cur_err(&c, e);
	return NULL;
}

static int
read_imports(const struct reader *r, struct hn_pe *pe, struct err *e)
{
	uint64_t at = 0;
	size_t cap = 0;
	struct cur c;

	if (r->import_rva == 0)
		return 0;
	c = from(r, file_offset(r, r->import_rva, &at) ? at : UINT64_MAX);
	for (;;) {
		uint32_t lookup, name;

		lookup = cur_u32le(&c);
		(void)cur_sub(&c, 8);
		name = cur_u32le(&c);
		lookup |= cur_u32le(&c);
		if (!cur_ok(&c))
			return cur_err(&c, e);
		if (name == 0 || lookup == 0)
			return 0;
		if (pe->modules == HN_PE_MODULES_MAX) {
			cur_bad(&c, "imports from too many modules");
			return cur_err(&c, e);
		}
		if (mem_grow(&pe->module, &cap, pe->modules + 1,
			     sizeof(*pe->module), e) < 0)
			return -1;
		pe->module[pe->modules] = module_name(r, name, e);
		if (pe->module[pe->modules] == NULL)
			return -1;
		pe->modules++;
	}
}

/* The entry of a resource directory with that id, or the first one for 0: where
 * it leads, below the resources' start; 0 for none. */
static uint32_t
resource_entry(const struct reader *r, uint64_t base, uint32_t at, uint32_t id)
{
	struct cur c = from(r, base + at);
	uint32_t count;

	(void)cur_sub(&c, 12);
	count = cur_u16le(&c);
	count += cur_u16le(&c);
	for (uint32_t i = 0; cur_ok(&c) && i < count; i++) {
		uint32_t name = cur_u32le(&c), to = cur_u32le(&c);

		if (cur_ok(&c) && (id == 0 || name == id))
			return to & 0x7fffffff;
	}
	return 0;
}

/* Where the version resource lies in the file: type 16, whatever its name and
 * language.  Whoever loads a driver does not look at it, so a broken one is
 * none. */
static void
find_version(const struct reader *r, struct hn_pe *pe)
{
	enum { RT_VERSION = 16 };
	uint64_t base, at;
	uint32_t to, rva, size;
	struct cur c;

	if (r->resource_rva == 0 || !file_offset(r, r->resource_rva, &base))
		return;
	to = resource_entry(r, base, 0, RT_VERSION);
	to = to != 0 ? resource_entry(r, base, to, 0) : 0;
	to = to != 0 ? resource_entry(r, base, to, 0) : 0;
	if (to == 0)
		return;
	c = from(r, base + to);
	rva = cur_u32le(&c);
	size = cur_u32le(&c);
	if (!cur_ok(&c) || !file_offset(r, rva, &at) ||
	    !num_in_range(at, size, r->len))
		return;
	pe->version_at = (size_t)at;
	pe->version_len = size;
}

int
hn_pe_parse(const char *name, const void *at, size_t len, struct hn_pe *ret,
	    struct err *e)
{
	struct reader r = { .name = name, .at = at, .len = len };
	HN_PE_SCOPED struct hn_pe pe = HN_PE_EMPTY;

	if (read_headers(&r, &pe, e) < 0 || read_imports(&r, &pe, e) < 0)
		return -1;
	pe.has_certificate = r.certificate_size > 0 &&
			     num_in_range(r.certificate_at, r.certificate_size,
					  len);
	find_version(&r, &pe);
	*ret = TAKE(pe);
	return 0;
}
