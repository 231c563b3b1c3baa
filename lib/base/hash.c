/* hash.c - see hash.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/hash.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/attr.h"

typedef void (*block_fn)(uint32_t state[8], const uint8_t *p, size_t blocks);

/* FIPS 180-4, 4.2.2. */
static const uint32_t round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t
ror(uint32_t v, int n)
{
	return v >> n | v << (32 - n);
}

static uint32_t
u32be(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* FIPS 180-4, 6.2.2. */
WRAPS static void
plain_block(uint32_t state[8], const uint8_t *p)
{
	uint32_t w[64], v[8];

	for (int i = 0; i < 16; i++)
		w[i] = u32be(p + 4 * i);
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = (ror(b, 17) ^ ror(b, 19) ^ b >> 10) + w[i - 7] +
		       (ror(a, 7) ^ ror(a, 18) ^ a >> 3) + w[i - 16];
	}
	memcpy(v, state, sizeof(v));
	for (int i = 0; i < 64; i++) {
		uint32_t t1 = v[7] + (ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25)) +
			      ((v[4] & v[5]) ^ (~v[4] & v[6])) +
			      round_constants[i] + w[i];
		uint32_t t2 = (ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22)) +
			      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		state[i] += v[i];
}

static void
plain_blocks(uint32_t state[8], const uint8_t *p, size_t blocks)
{
	for (; blocks > 0; blocks--, p += 64)
		plain_block(state, p);
}

#if defined(__x86_64__)
/* The same with the processor's SHA instructions (Intel SDM, SHA256RNDS2):
 * state as ABEF and CDGH, four rounds of message at a time. */
__attribute__((target("sha,sse4.1"))) static void
sha_blocks(uint32_t state[8], const uint8_t *p, size_t blocks)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL,
					    0x0405060700010203LL);
	__m128i t = _mm_loadu_si128((const void *)&state[0]);
	__m128i s1 = _mm_loadu_si128((const void *)&state[4]);
	__m128i s0;

	t = _mm_shuffle_epi32(t, 0xb1);
	s1 = _mm_shuffle_epi32(s1, 0x1b);
	s0 = _mm_alignr_epi8(t, s1, 8);
	s1 = _mm_blend_epi16(s1, t, 0xf0);
	for (; blocks > 0; blocks--, p += 64) {
		__m128i was0 = s0, was1 = s1, m[4];

		for (int i = 0; i < 4; i++)
			m[i] = _mm_shuffle_epi8(
				_mm_loadu_si128((const void *)(p + 16 * i)), swap);
		for (int i = 0; i < 16; i++) {
			__m128i k = _mm_loadu_si128(
				(const void *)&round_constants[4 * i]);
			__m128i w = _mm_add_epi32(m[i % 4], k);

			s1 = _mm_sha256rnds2_epu32(s1, s0, w);
			s0 = _mm_sha256rnds2_epu32(s0, s1,
						   _mm_shuffle_epi32(w, 0x0e));
			if (i >= 12)
				continue;
			/* words 4i+16 .. 4i+19 take the place of 4i .. 4i+3 */
			t = _mm_alignr_epi8(m[(i + 3) % 4], m[(i + 2) % 4], 4);
			t = _mm_add_epi32(
				_mm_sha256msg1_epu32(m[i % 4], m[(i + 1) % 4]), t);
			m[i % 4] = _mm_sha256msg2_epu32(t, m[(i + 3) % 4]);
		}
		s0 = _mm_add_epi32(s0, was0);
		s1 = _mm_add_epi32(s1, was1);
	}
	t = _mm_shuffle_epi32(s0, 0x1b);
	s1 = _mm_shuffle_epi32(s1, 0xb1);
	_mm_storeu_si128((void *)&state[0], _mm_blend_epi16(t, s1, 0xf0));
	_mm_storeu_si128((void *)&state[4], _mm_alignr_epi8(s1, t, 8));
}

static bool
has_sha(void)
{
	unsigned a = 7, b = 0, c = 0, d = 0;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return (b >> 29 & 1) != 0 && __builtin_cpu_supports("sse4.1");
}
#endif

static block_fn
blocks_of(void)
{
#if defined(__x86_64__)
	static _Atomic int known;	/* 0: not asked yet */

	if (known == 0)
		known = has_sha() ? 1 : 2;
	if (known == 1)
		return sha_blocks;
#endif
	return plain_blocks;
}

void
hash_begin(struct hash *h)
{
	static const uint32_t first[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memset(h, 0, sizeof(*h));
	memcpy(h->state, first, sizeof(first));
}

void
hash_add(struct hash *h, const void *p, size_t n)
{
	block_fn blocks = blocks_of();
	const uint8_t *at = p;
	size_t have = (size_t)(h->total % 64);

	h->total += n;
	if (have > 0) {
		size_t take = n < 64 - have ? n : 64 - have;

		memcpy(h->block + have, at, take);
		at += take;
		n -= take;
		if (have + take < 64)
			return;
		blocks(h->state, h->block, 1);
	}
	blocks(h->state, at, n / 64);
	if (n % 64 > 0)
		memcpy(h->block, at + n / 64 * 64, n % 64);
}

void
hash_end(struct hash *h, uint8_t ret[HASH_BYTES])
{
	static const uint8_t pad[64] = { 0x80 };
	uint64_t bits = h->total * 8;
	size_t have = (size_t)(h->total % 64);
	uint8_t length[8];

	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i) & 0xff);
	hash_add(h, pad, have < 56 ? 56 - have : 120 - have);
	hash_add(h, length, sizeof(length));
	for (int i = 0; i < 32; i++)
		ret[i] = (uint8_t)(h->state[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
}

void
hash_of(const void *p, size_t n, uint8_t ret[HASH_BYTES])
{
	struct hash h;

	hash_begin(&h);
	hash_add(&h, p, n);
	hash_end(&h, ret);
}

void
hash_text(const uint8_t hash[HASH_BYTES], char ret[2 * HASH_BYTES + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < HASH_BYTES; i++) {
		ret[2 * i] = digits[hash[i] >> 4];
		ret[2 * i + 1] = digits[hash[i] & 15];
	}
	ret[2 * HASH_BYTES] = '\0';
}
