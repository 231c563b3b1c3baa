/* test_base_hash.c - SHA-256 gives the published answers
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/hash.h"

/* FIPS 180-4 examples and the NIST CAVS short and long message sets. */
static void
published(void **state)
{
	static const struct { const char *text; const char *hash; } known[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb924"
		      "27ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223"
			 "b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039"
		  "a33ce45964ff2167f6ecedd419db06c1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		uint8_t hash[HASH_BYTES];
		char text[2 * HASH_BYTES + 1];

		hash_of(known[i].text, strlen(known[i].text), hash);
		hash_text(hash, text);
		assert_string_equal(text, known[i].hash);
	}
}

static void
a_million_in_odd_pieces(void **state)
{
	struct hash h;
	uint8_t hash[HASH_BYTES], piece[997];
	char text[2 * HASH_BYTES + 1];
	size_t left = 1000000;

	(void)state;
	memset(piece, 'a', sizeof(piece));
	hash_begin(&h);
	for (size_t n = 1; left > 0; n = n * 7 % 991 + 1) {
		size_t take = n < left ? n : left;

		hash_add(&h, piece, take);
		left -= take;
	}
	hash_end(&h, hash);
	hash_text(hash, text);
	assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67"
				  "f1809a48a497200e046d39ccc7112cd0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published),
		cmocka_unit_test(a_million_in_odd_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
