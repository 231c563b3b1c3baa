/* fuzz_hive_log.c - no log breaks a hive
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The input is a log beside a small dirty hive; its checksums and hashes are
 * mended, so that the rules behind them are reached.  First byte: bit 0 halves
 * the rest into two logs, bit 1 spoils the hive's header, bit 2 leaves the
 * hashes alone.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "hive/hive.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

enum { TWO = 1, NO_HEADER = 2, AS_IT_IS = 4 };

static uint32_t
u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static uint32_t
rotate(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

WRAPS static uint64_t
marvin(const uint8_t *at, size_t len)
{
	uint32_t lo = 0x7a4e55c5, hi = 0x82ef4d88;

	for (size_t i = 0; i < len / 4 + 2; i++) {
		lo += i < len / 4 ? u32(at + 4 * i) : i == len / 4 ? 0x80 : 0;
		hi ^= lo;
		lo = rotate(lo, 20) + hi;
		hi = rotate(hi, 9) ^ lo;
		lo = rotate(lo, 27) + hi;
		hi = rotate(hi, 19);
	}
	return (uint64_t)hi << 32 | lo;
}

static void
mend_sum(uint8_t *at)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < 508; i += 4)
		sum ^= u32(at + i);
	num_put_u32le(at + 508, sum == 0xffffffff ? 0xfffffffe :
		      sum == 0 ? 1 : sum);
}

static void
mend_log(uint8_t *at, size_t len)
{
	if (len < 512)
		return;
	memcpy(at, "regf", 4);
	memcpy(at + 8, at + 4, 4);
	num_put_u32le(at + 20, 1);
	num_put_u32le(at + 32, 1);
	mend_sum(at);
	for (size_t i = 512; i + 512 <= len; i += 512) {
		uint32_t size = u32(at + i + 4);

		if (memcmp(at + i, "HvLE", 4) != 0 || size < 512 ||
		    size > len - i)
			continue;
		num_put_u64le(at + i + 24, marvin(at + i + 40, size - 40));
		num_put_u64le(at + i + 32, marvin(at + i, 32));
	}
}

/* A small hive, 6/5, with a fixed time. */
static void
make_hive(struct buf *b)
{
	struct err e = ERR_INIT;
	HV_SCOPED struct hv_hive *h = hv_new(5, &e);

	if (h == NULL)
		abort();
	hv_set_clock(h, 0x01d29627f1c8a860);
	if (hv_create(hv_root(h), "a\\b", &e) == NULL ||
	    hv_serialize(h, b, &e) < 0)
		abort();
	num_put_u32le(b->at + 4, 6);
	num_put_u32le(b->at + 8, 5);
	num_put_u64le(b->at + 12, 0x01d29627f1c8a860);
	mend_sum(b->at);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static struct buf hive = BUF_EMPTY;
	struct err e = ERR_INIT;
	BUF_SCOPED struct buf out = BUF_EMPTY;

	if (len == 0)
		return 0;
	if (hive.at == NULL)
		make_hive(&hive);
	size_t first = (in[0] & TWO) != 0 ? (len - 1) / 2 : len - 1;
	SCOPED_FREE uint8_t *log = malloc(len);
	SCOPED_FREE uint8_t *image = malloc(hive.len);
	if (log == NULL || image == NULL)
		return 0;
	memcpy(log, in + 1, len - 1);
	memcpy(image, hive.at, hive.len);
	if ((in[0] & AS_IT_IS) == 0) {
		mend_log(log, first);
		mend_log(log + first, len - 1 - first);
	}
	if ((in[0] & NO_HEADER) != 0)
		memset(image, 0, 64);
	const struct hv_log logs[2] = {
		{ "LOG1", log, first }, { "LOG2", log + first, len - 1 - first },
	};
	for (int how = HV_LOGS_REPLAY; how <= HV_LOGS_DISCARD; how++) {
		e = (struct err)ERR_INIT;
		HV_SCOPED struct hv_hive *h =
			hv_open("hive", image, hive.len, logs, 2,
				(enum hv_logs)how, &e);
		if (h == NULL && e.kind == ERR_NONE)
			abort();
		if (h != NULL && how != HV_LOGS_READ &&
		    hv_serialize(h, &out, &e) < 0)
			abort();
		buf_done(&out);
	}
	return 0;
}
