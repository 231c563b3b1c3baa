/* new.c - a hive with nothing but a root key
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/hive-private.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

/* Owner and group BUILTIN\Administrators; full control for SYSTEM and for them,
 * inherited by subkeys: O:BAG:BAD:(A;CI;KA;;;SY)(A;CI;KA;;;BA). */
static const uint8_t security[] = {
	1, 0, 0x04, 0x80,
	0x48, 0, 0, 0,  0x58, 0, 0, 0,  0, 0, 0, 0,  0x14, 0, 0, 0,
	/* 0x14: list of two */
	2, 0, 0x34, 0,  2, 0, 0, 0,
	0, 2, 0x14, 0,  0x3f, 0, 0x0f, 0,
	1, 1, 0, 0, 0, 0, 0, 5,  18, 0, 0, 0,
	0, 2, 0x18, 0,  0x3f, 0, 0x0f, 0,
	1, 2, 0, 0, 0, 0, 0, 5,  32, 0, 0, 0,  0x20, 2, 0, 0,
	/* 0x48: owner; 0x58: group */
	1, 2, 0, 0, 0, 0, 0, 5,  32, 0, 0, 0,  0x20, 2, 0, 0,
	1, 2, 0, 0, 0, 0, 0, 5,  32, 0, 0, 0,  0x20, 2, 0, 0,
};

static void
base_block(uint8_t *at, unsigned minor, uint64_t time)
{
	memcpy(at, "regf", 4);
	num_put_u64le(at + 12, time);
	num_put_u32le(at + 20, 1);
	num_put_u32le(at + 24, minor);
	num_put_u32le(at + 32, 1);
	num_put_u32le(at + 36, HV_ROOT_CELL);
	num_put_u32le(at + 44, 1);
	num_put_u32le(at + 508, hv_base_sum(at));
}

struct hv_hive *
hv_new(unsigned minor, struct err *e)
{
	HV_SCOPED struct hv_hive *h = hv_hive_new("new hive", e);
	struct hv_word name = hv_word8("ROOT", 4);

	if (h == NULL)
		return NULL;
	if (minor < 3 || minor > 5) {
		(void)err_set(e, ERR_USAGE, "no new hive in format 1.%u", minor);
		return NULL;
	}
	h->facts.minor = minor;
	h->len = HV_BASE_BYTES;
	h->image = mem_array(h->len, 1, e);
	h->root = hv_arena_new(&h->arena, sizeof(*h->root), e);
	if (h->image == NULL || h->root == NULL ||
	    hv_word_store(&h->arena, name, &h->root->node, e) < 0)
		return NULL;
	base_block(h->image, minor, hv_now(h));
	h->root->hive = h;
	h->root->flags = HV_KEY_ROOT | HV_KEY_NO_DELETE;
	h->root->time = hv_now(h);
	h->root->sd = hv_sd_intern(h, security, sizeof(security), false, e);
	return h->root->sd == NULL ? NULL : TAKE(h);
}
