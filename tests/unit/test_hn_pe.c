/* test_hn_pe.c - what driver files say about themselves
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/pe.h"

/* A native driver with one section that imports from two modules. */
static void
make(struct buf *b, bool plus)
{
	size_t headers;

	buf_str(b, "MZ");
	buf_zeros(b, 58);
	buf_u32le(b, 0x40);
	buf_bytes(b, "PE\0\0", 4);
	buf_u16le(b, plus ? HN_PE_AMD64 : HN_PE_I386);
	buf_u16le(b, 1);			/* sections */
	buf_zeros(b, 12);
	buf_u16le(b, plus ? 240 : 224);
	buf_u16le(b, 0x0102);
	headers = b->len;
	buf_u16le(b, plus ? 0x20b : 0x10b);
	buf_zeros(b, 66);
	buf_u16le(b, HN_PE_NATIVE);
	buf_zeros(b, plus ? 38 : 22);
	buf_u32le(b, 16);
	buf_zeros(b, 8);
	buf_u32le(b, 0x1000);			/* imports */
	buf_u32le(b, 60);
	buf_zeros(b, 16);
	buf_u32le(b, 0x260);			/* certificate */
	buf_u32le(b, 8);
	buf_zeros(b, headers + (plus ? 240 : 224) - b->len);
	buf_str(b, ".rdata");
	buf_zeros(b, 2);
	buf_u32le(b, 0x1000);
	buf_u32le(b, 0x1000);
	buf_u32le(b, 0x60);
	buf_u32le(b, 0x200);
	buf_zeros(b, 16);
	buf_zeros(b, 0x200 - b->len);
	for (uint32_t i = 0; i < 2; i++) {
		buf_u32le(b, 0x1050);
		buf_zeros(b, 8);
		buf_u32le(b, i == 0 ? 0x1040 : 0x1048);
		buf_u32le(b, 0x1050);
	}
	buf_zeros(b, 0x240 - b->len);
	buf_bytes(b, "hal.dll\0PCIIDEX\0", 16);
	buf_zeros(b, 0x268 - b->len);
}

static void
reads(void **state)
{
	(void)state;
	for (int plus = 0; plus < 2; plus++) {
		struct err e = ERR_INIT;
		BUF_SCOPED struct buf b = BUF_EMPTY;
		HN_PE_SCOPED struct hn_pe pe = HN_PE_EMPTY;

		make(&b, plus != 0);
		assert_int_equal(hn_pe_parse("x.sys", b.at, b.len, &pe, &e), 0);
		assert_string_equal(hn_pe_machine_name(pe.machine),
				    plus ? "amd64" : "x86");
		assert_int_equal(pe.subsystem, HN_PE_NATIVE);
		assert_true(pe.executable);
		assert_true(pe.has_certificate);
		assert_int_equal(pe.modules, 2);
		assert_string_equal(pe.module[0], "hal.dll");
		assert_string_equal(pe.module[1], "PCIIDEX");
	}
}

/* Cut inside headers or the section: refused.  Behind it: no certificate. */
static void
prefixes(void **state)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	(void)state;
	make(&b, false);
	for (size_t n = 0; n < b.len; n++) {
		struct err e = ERR_INIT;
		HN_PE_SCOPED struct hn_pe pe = HN_PE_EMPTY;
		int r = hn_pe_parse("x.sys", b.at, n, &pe, &e);

		if (n < 0x260) {
			assert_int_equal(r, -1);
			assert_int_equal(e.kind, ERR_CORRUPT);
			assert_int_equal(pe.modules, 0);
		} else {
			assert_int_equal(r, 0);
			assert_false(pe.has_certificate);
		}
	}
}

static void
damaged(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
		const char *says;
	} bad[] = {
		{ 0x00, 'X', "" },
		{ 0x40, 'X', "" },
		{ 0x46, 200, "more sections" },
		{ 0x58, 0x07, "optional header" },
		{ 0x3f, 0xff, "outside" },
		{ 0xc2, 0x90, "outside" },
		{ 0x240, ' ', "without a name" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = ERR_INIT;
		BUF_SCOPED struct buf b = BUF_EMPTY;
		HN_PE_SCOPED struct hn_pe pe = HN_PE_EMPTY;

		make(&b, false);
		b.at[bad[i].at] = bad[i].byte;
		assert_int_equal(hn_pe_parse("x.sys", b.at, b.len, &pe, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_non_null(strstr(e.msg, bad[i].says));
	}
}

static void
memory_runs_out(void **state)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	(void)state;
	make(&b, true);
	for (unsigned n = 1;; n++) {
		struct err e = ERR_INIT;
		HN_PE_SCOPED struct hn_pe pe = HN_PE_EMPTY;
		int r;

		mem_fail_from(n);
		r = hn_pe_parse("x.sys", b.at, b.len, &pe, &e);
		mem_fail_from(0);
		if (r == 0)
			return;
		assert_int_equal(e.kind, ERR_NOMEM);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(damaged),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests_name("hn_pe", tests, NULL, NULL);
}
