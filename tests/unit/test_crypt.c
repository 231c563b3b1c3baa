/* test_crypt.c - keys, records, sealing and signatures against fixed bytes
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The bytes come from docs/FORMAT.md, "Test vectors": made by a second
 * implementation of that text, not by this one.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "crypt/key.h"
#include "crypt/record.h"
#include "crypt/seal.h"
#include "crypt/sign.h"
#include "crypt/wrap.h"

#define PUB "hpub1:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8prLrhQbzK8LIu" \
	"GpTTTQvHNh5SbQv-EsiXlLyTIpZt1w-cidSqh118 test"

static const char open_key[] =
	"halcyon-key 1\npublic " PUB "\nprotection none\nsecret AAECAwQFBgcICQoL"
	"DA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-"
	"Pw\n";

static const char shut_key[] =
	"halcyon-key 1\npublic " PUB "\n"
	"protection argon2id 1 8192 QEFCQ0RFRkdISUpLTE1OTw\n"
	"secret UFFSU1RVVldYWVpbXF1eX2BhYmNkZWZnzqgzTiPSxyNE6XdzIcNc9DDaAq1BP3I"
	"75PZV-CMQ9vlWmzmf0HrSoc1xC0GD-EbUUF8-6TGhLf2QTmrFttK9rxqFeMilXa8dBjIc"
	"iUhQSb8\n";

/* "Halcyon\n", sealed to that key. */
static const char sealed_hex[] =
	"48414c5345414c0a0100000010000000de9ac2c19af28a238bd6529f09267ca0a95a41d8"
	"7c8dfe57523cdf7b4e843985000000000000000000000000010000000101000000000000"
	"0f9c89d4aa875d7c8e5fae12f4dc7537df8c9e57fd467b50f225a51c4f4d85c9b560e058"
	"9323fb36a2374e26624400597700bd2f26b062f901c58cd011d9eaf47480839be09055e1"
	"ad68adcace32ae2f8c16fe1a99fa04e6d9e8b068b1cc94b24f9b509c386b47e94a67da16"
	"66846ca9";

/* "a record" under the key 104..135 in the place "slot 7". */
static const char record_hex[] =
	"a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfd6fb23c7516d41bcb2754ce5"
	"f5cfeacc65babba5628815e606149e5f31d3e69dcc5afe47d6924b6c292e69ffe21cff60"
	"2021e8f62c644a644a27a571326b6e9629933b34061eb7ce85b7ba9f85aecbcb3539dace"
	"ca6f3d186bbe8adad3e8cd5a5ab01af1c0bc2a59ae2d748f2894d19baf4afd621a24f542"
	"f435b9e0c5a667a65d8664bdf016443a9c3d831fd897a1554891a62d98c706e56c92fd11"
	"2b7c94a520d5de5be03d4b0d76cfc21489a955278316bf789eeea4c6b8cd5a1e579462a0"
	"e3cafa7b5046865c0f69663d8a5fd0bcfa5298b3f5ed571bacaab72082d8ef801f45a4bc"
	"7fdcdb19c5adea2f8d6551dd4035f2fd4e8c603d287b7330bbc5d0a69ef82ed3d1f3e785"
	"06e5cb408d1b06d7";

static const char sig_text[] =
	"hsig1:Kay64UG8yvCyLhqU000LxzYeUm0L_hLIl5S8kyKWbdc5kb1kK3n9qxrcFXhRNhLD"
	"xPge9kTD6rjdlE40TgTDh2MAgZ4SGIyLBhjDM_vrlYYdGkdHK52ABYWBHUSVQSUD\n";

/* Work in a directory of its own. */
static int
setup(void **state)
{
	char dir[] = "/tmp/test_crypt.XXXXXX";

	if (mkdtemp(dir) == NULL || chdir(dir) < 0)
		return -1;
	*state = strdup(dir);
	return *state == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "key", "key.pub", "in", "in.sig",
					     "sealed", "out", "list" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		(void)unlink(names[i]);
	if (rmdir(*state) < 0)
		return -1;
	free(*state);
	return 0;
}

static void
load(const char *text, struct cx_key *ret)
{
	struct err e = ERR_INIT;

	assert_int_equal(cx_key_parse("KEY", text, strlen(text), -1, NULL, ret,
				      &e), 0);
}

/* A descriptor from which `line` can be read. */
static int
saying(const char *line)
{
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], line, strlen(line)), strlen(line));
	(void)close(fd[1]);
	return fd[0];
}

static void
put(const char *path, const void *bytes, size_t len)
{
	struct err e = ERR_INIT;

	assert_int_equal(io_put(path, bytes, len, 0600, &e), 0);
}

static void
derives_keys(void **state)
{
	uint8_t key[32], out[32];
	char hex[65];

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		key[i] = i;
	cx_kdf(out, key, "context", "info", 4);
	cx_hex(hex, out, 32);
	assert_string_equal(hex, "0e5de3b5bf88c0ac551d6e79f917f2e64c129d03"
				 "3865ec0527d570c33fd36bbf");
	cx_hash(out, "Halcyon\n", 8);
	cx_hex(hex, out, 32);
	assert_string_equal(hex, "6dc7d74ea425327ab530ccad763ca9a92b29eb3d"
				 "172062f1b8a839dac2345eb6");
	assert_true(cx_unhex(key, 32, hex));
	assert_memory_equal(key, out, 32);
	assert_false(cx_unhex(key, 31, hex));
}

static void
reads_both_key_files(void **state)
{
	CX_KEY_SCOPED struct cx_key a = CX_KEY_EMPTY;
	CX_KEY_SCOPED struct cx_key b = CX_KEY_EMPTY;
	SCOPED_FD int fd = saying("open sesame\nnext line\n");
	CX_SECRET_SCOPED struct cx_secret next = CX_SECRET_EMPTY;
	struct err e = ERR_INIT;
	char line[CX_PUB_LINE_ROOM];

	(void)state;
	load(open_key, &a);
	assert_int_equal(cx_key_parse("KEY", shut_key, strlen(shut_key), fd,
				      NULL, &b, &e), 0);
	assert_false(a.is_protected);
	assert_true(b.is_protected);
	assert_memory_equal(a.secret.at, b.secret.at, a.secret.len);
	cx_pub_line(&b.pub, line);
	assert_string_equal(line, PUB);
	assert_int_equal(cx_passphrase_read(fd, &next, &e), 0);
	assert_int_equal(next.len, 9);
	assert_memory_equal(next.at, "next line", 9);
}

static void
refuses_a_wrong_passphrase(void **state)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	SCOPED_FD int fd = saying("open\n");
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(cx_key_parse("KEY", shut_key, strlen(shut_key), fd,
				      NULL, &k, &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
	assert_null(k.secret.at);
}

static void
refuses_every_prefix_of_a_key(void **state)
{
	(void)state;
	for (size_t n = 0; n < strlen(open_key) - 1; n++) {
		CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
		struct err e = ERR_INIT;

		assert_int_equal(cx_key_parse("KEY", open_key, n, -1, NULL, &k,
					      &e), -1);
		assert_true(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
		assert_null(k.secret.at);
	}
}

static void
saves_what_it_reads(void **state)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	CX_KEY_SCOPED struct cx_key again = CX_KEY_EMPTY;
	CX_SECRET_SCOPED struct cx_secret phrase = CX_SECRET_EMPTY;
	SCOPED_FREE uint8_t *text = NULL;
	SCOPED_FD int fd = saying("word\n");
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	load(open_key, &k);
	assert_int_equal(cx_key_save(&k, "key", NULL, CX_COST_LEAST, &e), 0);
	assert_int_equal(io_slurp("key", 4096, &text, &len, &e), 0);
	assert_int_equal(len, strlen(open_key));
	assert_memory_equal(text, open_key, len);

	assert_int_equal(cx_secret_copy(&phrase, "word", 4, &e), 0);
	assert_int_equal(cx_key_save(&k, "key", &phrase, CX_COST_LEAST, &e), 0);
	assert_int_equal(cx_key_load("key", fd, NULL, &again, &e), 0);
	assert_memory_equal(again.secret.at, k.secret.at, k.secret.len);
}

static const struct {
	const char *name, *text;
	enum err_kind kind;
} bad_lists[] = {
	{ "nothing", "", ERR_CORRUPT },
	{ "only comments", "# nobody\n\n", ERR_CORRUPT },
	{ "a private key", "halcyon-key 1\n", ERR_CORRUPT },
	{ "something else", "ssh-ed25519 AAAA\n", ERR_CORRUPT },
	{ "a newer kind", "hpub2:AAAA\n", ERR_UNSUPPORTED },
	{ "cut off", "hpub1:j0DFrbaPJWJK5bIU6nZ6bslN\n", ERR_CORRUPT },
	{ "mistyped", "hpub1:k0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8prLrhQ"
	  "bzK8LIuGpTTTQvHNh5SbQv-EsiXlLyTIpZt1w-cidSqh118\n", ERR_CORRUPT },
};

static void
reads_lists(void **state)
{
	static const char text[] = "# people\n" PUB "\n\n  " PUB "\r\n";
	CX_PUBS_SCOPED struct cx_pubs l = CX_PUBS_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(cx_pubs_parse(&l, "list", text, strlen(text), &e), 0);
	assert_int_equal(l.count, 1);
	assert_string_equal(l.at[0].name, "test");
	for (size_t i = 0; i < sizeof(bad_lists) / sizeof(*bad_lists); i++) {
		struct err bad = ERR_INIT;

		assert_int_equal(cx_pubs_parse(&l, "list", bad_lists[i].text,
					       strlen(bad_lists[i].text), &bad),
				 -1);
		assert_int_equal(bad.kind, bad_lists[i].kind);
	}
}

static void
opens_and_refuses_records(void **state)
{
	uint8_t key[32], rec[296], out[296];
	struct err e = ERR_INIT;
	size_t len = 0;

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		key[i] = (uint8_t)(104 + i);
	assert_true(cx_unhex(rec, sizeof(rec), record_hex));
	assert_int_equal(cx_record_open(key, "slot 7", 6, rec, sizeof(rec),
					"record", out, &len, &e), 0);
	assert_int_equal(len, 8);
	assert_memory_equal(out, "a record", 8);
	assert_int_equal(cx_record_open(key, "slot 8", 6, rec, sizeof(rec),
					"record", out, &len, &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
	for (size_t i = 0; i < sizeof(rec); i++) {
		struct err bad = ERR_INIT;

		rec[i] ^= 1;
		assert_int_equal(cx_record_open(key, "slot 7", 6, rec,
						sizeof(rec), "record", out,
						&len, &bad), -1);
		rec[i] ^= 1;
	}
}

static void
records_keep_every_length(void **state)
{
	static const size_t lengths[] = { 0, 1, 251, 252, 253, 256, 65536 };
	uint8_t key[32] = { 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		size_t len = lengths[i], size = cx_record_size(len), got = 0;
		SCOPED_FREE uint8_t *data = calloc(1, len + 1);
		SCOPED_FREE uint8_t *rec = calloc(1, size);
		SCOPED_FREE uint8_t *out = calloc(1, size);
		struct err e = ERR_INIT;

		assert_int_equal((size - CX_RECORD_OVERHEAD) % 256, 0);
		memset(data, 0x5a, len);
		cx_record_seal(key, NULL, 0, data, len, rec);
		assert_int_equal(cx_record_open(key, NULL, 0, rec, size, "r",
						out, &got, &e), 0);
		assert_int_equal(got, len);
		assert_memory_equal(out, data, len);
	}
}

/* Open the sealed bytes of that length; the text of it must be "Halcyon\n". */
static int
open_sealed(const struct cx_key *k, const uint8_t *bytes, size_t len,
	    struct err *e)
{
	IO_NEW_SCOPED struct io_new out = IO_NEW_EMPTY;
	SCOPED_FD int in = -1;
	char text[9] = "";

	put("sealed", bytes, len);
	in = open("sealed", O_RDONLY | O_CLOEXEC);
	assert_true(in >= 0);
	assert_int_equal(io_new_open(&out, "out", 0600, e), 0);
	if (cx_open(in, "sealed", k, &out, NULL, e) < 0)
		return -1;
	assert_int_equal(pread(out.fd, text, sizeof(text), 0), 8);
	assert_memory_equal(text, "Halcyon\n", 8);
	return 0;
}

static void
opens_the_sealed_vector_only_whole(void **state)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	uint8_t bytes[(sizeof(sealed_hex) - 1) / 2];
	struct err e = ERR_INIT;

	(void)state;
	load(open_key, &k);
	assert_true(cx_unhex(bytes, sizeof(bytes), sealed_hex));
	assert_int_equal(open_sealed(&k, bytes, sizeof(bytes), &e), 0);
	for (size_t n = 0; n < sizeof(bytes); n++) {
		struct err bad = ERR_INIT;

		assert_int_equal(open_sealed(&k, bytes, n, &bad), -1);
		assert_true(bad.kind == ERR_CORRUPT || bad.kind == ERR_AUTH);
	}
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit += 3) {
		struct err bad = ERR_INIT;

		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(open_sealed(&k, bytes, sizeof(bytes), &bad), -1);
		assert_true(bad.kind == ERR_CORRUPT || bad.kind == ERR_AUTH ||
			    bad.kind == ERR_UNSUPPORTED);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void
seals_to_many(void **state)
{
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;
	CX_KEY_SCOPED struct cx_key a = CX_KEY_EMPTY;
	CX_KEY_SCOPED struct cx_key b = CX_KEY_EMPTY;
	CX_KEY_SCOPED struct cx_key c = CX_KEY_EMPTY;
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;
	struct err e = ERR_INIT;
	uint8_t commit[CX_COMMIT_BYTES], id[CX_KEYID_BYTES];

	(void)state;
	load(open_key, &a);
	assert_int_equal(cx_key_make(&b, "b", &e), 0);
	assert_int_equal(cx_key_make(&c, "c", &e), 0);
	assert_int_equal(cx_pubs_add(&to, &a.pub, &e), 0);
	assert_int_equal(cx_pubs_add(&to, &b.pub, &e), 0);
	assert_int_equal(cx_secret_random(&key, 32, &e), 0);
	cx_commit(key.at, commit);
	for (int anonymous = 0; anonymous < 2; anonymous++) {
		BUF_SCOPED struct buf out = BUF_EMPTY;
		CX_SECRET_SCOPED struct cx_secret got = CX_SECRET_EMPTY;
		struct err no = ERR_INIT;

		assert_int_equal(cx_wrap(key.at, &to, anonymous, &out, &e), 0);
		assert_int_equal(out.len, 2 * CX_STANZA_BYTES);
		assert_int_equal(cx_stanza_id(out.at, id), !anonymous);
		assert_int_equal(cx_unwrap(out.at, 2, commit, &b, "f", &got,
					   &e), 0);
		assert_memory_equal(got.at, key.at, 32);
		assert_int_equal(cx_unwrap(out.at, 2, commit, &c, "f", &got,
					   &no), -1);
		assert_int_equal(no.kind, ERR_AUTH);
	}
}

/* A stanza that opens, but to another key than the file was made with. */
static void
refuses_an_exchanged_key(void **state)
{
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	CX_SECRET_SCOPED struct cx_secret got = CX_SECRET_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	struct err e = ERR_INIT;
	uint8_t mine[32] = { 1 }, other[32] = { 2 }, commit[CX_COMMIT_BYTES];

	(void)state;
	load(open_key, &k);
	assert_int_equal(cx_pubs_add(&to, &k.pub, &e), 0);
	cx_commit(mine, commit);
	assert_int_equal(cx_wrap(other, &to, false, &out, &e), 0);
	assert_int_equal(cx_unwrap(out.at, 1, commit, &k, "f", &got, &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
	assert_null(got.at);
}

static void
checks_signatures(void **state)
{
	CX_PUBS_SCOPED struct cx_pubs nobody = CX_PUBS_EMPTY;
	CX_PUBS_SCOPED struct cx_pubs trusted = CX_PUBS_EMPTY;
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	const struct cx_pub *by = NULL;
	SCOPED_FREE uint8_t *text = NULL;
	struct err e = ERR_INIT, no = ERR_INIT, changed = ERR_INIT;
	size_t len;

	(void)state;
	load(open_key, &k);
	assert_int_equal(cx_pubs_add(&trusted, &k.pub, &e), 0);
	put("in", "Halcyon\n", 8);
	assert_int_equal(cx_sign_file(&k, "in", "in.sig", NULL, &e), 0);
	assert_int_equal(io_slurp("in.sig", 4096, &text, &len, &e), 0);
	assert_int_equal(len, strlen(sig_text));
	assert_memory_equal(text, sig_text, len);
	assert_int_equal(cx_verify_file(&trusted, "in", "in.sig", NULL, &by,
					&e), 0);
	assert_ptr_equal(by, &trusted.at[0]);
	assert_int_equal(cx_verify_file(&nobody, "in", "in.sig", NULL, &by,
					&no), -1);
	assert_int_equal(no.kind, ERR_AUTH);
	put("in", "halcyon\n", 8);
	assert_int_equal(cx_verify_file(&trusted, "in", "in.sig", NULL, &by,
					&changed), -1);
	assert_int_equal(changed.kind, ERR_AUTH);
}

static void
a_purpose_is_part_of_a_signature(void **state)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	uint8_t hash[CX_HASH_BYTES] = { 7 }, sig[CX_SIG_BYTES];
	struct err e = ERR_INIT;

	(void)state;
	load(open_key, &k);
	cx_sign(&k, "one", hash, sig);
	assert_int_equal(cx_verify(k.pub.sign, "one", hash, sig, "x", &e), 0);
	assert_int_equal(cx_verify(k.pub.sign, "two", hash, sig, "x", &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
}

/* Refuse each allocation in turn, until none is refused any more. */
static void
survives_a_lack_of_memory(void **state)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	uint8_t bytes[(sizeof(sealed_hex) - 1) / 2];
	int r = -1;

	(void)state;
	load(open_key, &k);
	assert_true(cx_unhex(bytes, sizeof(bytes), sealed_hex));
	for (unsigned n = 1; r < 0; n++) {
		CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;
		BUF_SCOPED struct buf out = BUF_EMPTY;
		struct err e = ERR_INIT;

		mem_fail_from(n);
		r = cx_pubs_parse(&to, "list", PUB, strlen(PUB), &e);
		if (r == 0)
			r = cx_wrap(bytes, &to, false, &out, &e);
		mem_fail_from(0);
		assert_true(r == 0 || e.kind == ERR_NOMEM);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derives_keys),
		cmocka_unit_test(reads_both_key_files),
		cmocka_unit_test(refuses_a_wrong_passphrase),
		cmocka_unit_test(refuses_every_prefix_of_a_key),
		cmocka_unit_test(saves_what_it_reads),
		cmocka_unit_test(reads_lists),
		cmocka_unit_test(opens_and_refuses_records),
		cmocka_unit_test(records_keep_every_length),
		cmocka_unit_test(opens_the_sealed_vector_only_whole),
		cmocka_unit_test(seals_to_many),
		cmocka_unit_test(refuses_an_exchanged_key),
		cmocka_unit_test(checks_signatures),
		cmocka_unit_test(a_purpose_is_part_of_a_signature),
		cmocka_unit_test(survives_a_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
