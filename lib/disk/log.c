/* log.c - see log.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "disk/log.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

enum { VERSION = 1, HASH_AT = 64 };

static const char magic[8] = "HLCNTX1\n";

/* The hash of a head, leaving out the place where it stands itself. */
static void
head_hash(const uint8_t *head, size_t len, uint8_t ret[HASH_BYTES])
{
	struct hash h;

	hash_begin(&h);
	hash_add(&h, head, HASH_AT);
	hash_add(&h, head + DK_LOG_FIXED, len - DK_LOG_FIXED);
	hash_end(&h, ret);
}

/* The fields before the line, checked alone. */
static int
parse_fixed(struct cur *c, struct dk_log *log, size_t *ret_what, struct err *e)
{
	uint64_t count;
	uint32_t version, what;

	cur_magic(c, magic, sizeof(magic));
	version = cur_u32le(c);
	cur_zeros(c, 4);
	log->tx.number = cur_u64le(c);
	log->tx.time = cur_u64le(c);
	log->disk_size = cur_u64le(c);
	count = cur_u64le(c);
	log->tx.bytes = cur_u64le(c);
	what = cur_u32le(c);
	cur_zeros(c, 4);
	if (!cur_ok(c))
		return cur_err(c, e);
	if (version != VERSION)
		return err_set(e, ERR_UNSUPPORTED, "transaction log has version "
			       "%u, this program knows %d", version, VERSION);
	if (count == 0 || count > DK_LOG_COUNT || what > DK_LOG_WHAT ||
	    log->tx.number == 0) {
		cur_bad(c, "has impossible counts");
		return cur_err(c, e);
	}
	log->count = (size_t)count;
	log->tx.extents = count;
	*ret_what = what;
	return 0;
}

int
dk_log_head_len(const void *fixed, size_t *ret, struct err *e)
{
	struct cur c = cur_over("transaction log", fixed, DK_LOG_FIXED);
	struct dk_log log = DK_LOG_EMPTY;
	size_t what;

	if (parse_fixed(&c, &log, &what, e) < 0)
		return -1;
	*ret = DK_LOG_FIXED + what + log.count * DK_LOG_ENTRY;
	return 0;
}

static int
parse_table(struct cur *c, struct dk_log *log, struct err *e)
{
	uint64_t end = 0, bytes = 0;

	for (size_t i = 0; i < log->count; i++) {
		struct dk_log_extent *x = &log->at[i];

		x->at = cur_u64le(c);
		x->len = cur_u32le(c);
		cur_zeros(c, 4);
		cur_bytes(c, x->old_hash, HASH_BYTES);
		cur_bytes(c, x->new_hash, HASH_BYTES);
		if (!cur_ok(c))
			return cur_err(c, e);
		if (x->len == 0 || x->len > DK_LOG_EXTENT || x->at < end ||
		    !num_in_range(x->at, x->len, log->disk_size)) {
			cur_bad(c, "has a misplaced extent");
			return cur_err(c, e);
		}
		end = x->at + x->len;
		bytes += x->len;
	}
	if (bytes != log->tx.bytes)
		cur_bad(c, "says another length than its extents have");
	return cur_end(c, e);
}

int
dk_log_place(struct dk_log *log, struct err *e)
{
	uint64_t bytes = 0, checks = 0;
	size_t what = strlen(log->tx.what);

	if (log->count > DK_LOG_COUNT)
		return err_set(e, ERR_UNSUPPORTED, "the change is in more than "
			       "%d pieces", DK_LOG_COUNT);
	for (size_t i = 0; i < log->count; i++) {
		struct dk_log_extent *x = &log->at[i];

		x->bytes_at = bytes;
		x->checks_at = checks;
		bytes += x->len;
		checks += (x->len + DK_LOG_SECTOR - 1) / DK_LOG_SECTOR *
			  (uint64_t)DK_LOG_CHECK;
	}
	log->tx.bytes = bytes;
	log->tx.extents = log->count;
	log->old_area = DK_LOG_FIXED + what + log->count * DK_LOG_ENTRY;
	log->check_area = log->old_area + bytes;
	log->end = log->check_area + checks;
	return 0;
}

int
dk_log_parse(const void *head, size_t len, struct dk_log *ret, struct err *e)
{
	struct cur c = cur_over("transaction log", head, len);
	DK_LOG_SCOPED struct dk_log log = DK_LOG_EMPTY;
	uint8_t says[HASH_BYTES], is[HASH_BYTES];
	size_t what;
	struct cur line;

	if (parse_fixed(&c, &log, &what, e) < 0)
		return -1;
	cur_bytes(&c, says, sizeof(says));
	if (!cur_ok(&c) ||
	    len != DK_LOG_FIXED + what + log.count * DK_LOG_ENTRY) {
		cur_bad(&c, "has another length than it says");
		return cur_err(&c, e);
	}
	head_hash(head, len, is);
	if (memcmp(is, says, sizeof(is)) != 0) {
		cur_bad(&c, "is damaged");
		return cur_err(&c, e);
	}
	line = cur_sub(&c, what);
	log.tx.what = mem_strn(line.at, what, e);
	log.at = mem_array(log.count, sizeof(*log.at), e);
	if (log.tx.what == NULL || log.at == NULL)
		return -1;
	if (strlen(log.tx.what) != what) {
		cur_bad(&c, "has a line with a NUL in it");
		return cur_err(&c, e);
	}
	if (parse_table(&c, &log, e) < 0 || dk_log_place(&log, e) < 0)
		return -1;
	*ret = TAKE(log);
	return 0;
}

int
dk_log_encode(const struct dk_log *log, struct buf *out, struct err *e)
{
	static const uint8_t none[HASH_BYTES];
	uint8_t hash[HASH_BYTES];

	buf_bytes(out, magic, sizeof(magic));
	buf_u32le(out, VERSION);
	buf_u32le(out, 0);
	buf_u64le(out, log->tx.number);
	buf_u64le(out, log->tx.time);
	buf_u64le(out, log->disk_size);
	buf_u64le(out, log->count);
	buf_u64le(out, log->tx.bytes);
	buf_u32le(out, (uint32_t)strlen(log->tx.what));
	buf_u32le(out, 0);
	buf_bytes(out, none, sizeof(none));
	buf_str(out, log->tx.what);
	for (size_t i = 0; i < log->count; i++) {
		const struct dk_log_extent *x = &log->at[i];

		buf_u64le(out, x->at);
		buf_u32le(out, x->len);
		buf_u32le(out, 0);
		buf_bytes(out, x->old_hash, HASH_BYTES);
		buf_bytes(out, x->new_hash, HASH_BYTES);
	}
	if (buf_ok(out, e) < 0)
		return -1;
	head_hash(out->at, out->len, hash);
	memcpy(out->at + HASH_AT, hash, sizeof(hash));
	return 0;
}

void
dk_log_done(struct dk_log *log)
{
	dk_tx_done(&log->tx);
	free(log->at);
	*log = (struct dk_log)DK_LOG_EMPTY;
}
