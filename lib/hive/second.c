/* second.c - libhivex walks what we wrote, as a reader of other descent
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/hive-private.h"

#include <errno.h>
#include <hivex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"
#include "base/io.h"
#include "base/num.h"
#include "base/utf.h"

/* libhivex's own limits: lib/hivex-internal.h of 1.3. */
enum { SUBKEYS_MAX = 70000, VALUES_MAX = 110000, DATA_MAX = 8000000 };

struct walk {
	hive_h *x;
	uint64_t unread;
};

static void
close_hive(hive_h *const *x)
{
	if (*x != NULL)
		(void)hivex_close(*x);
}

static int
differs(const struct hv_key *k, const char *what, struct err *e)
{
	SCOPED_FREE char *path = hv_path(k, e);
	char quoted[512];

	if (path == NULL)
		return -1;
	return err_set(e, ERR_CORRUPT, "%s: libhivex reads another %s at key %s",
		       k->hive->name, what,
		       err_quote(quoted, sizeof(quoted), path, strlen(path)));
}

/* Names that are no C string or no UTF-16. */
static bool
unreadable(struct hv_word w)
{
	if (w.form == HV_LATIN1)
		return w.len > 0 && memchr(w.at, 0, w.len) != NULL;
	if (hv_word_has(w, 0))
		return true;
	struct err ignored = ERR_INIT;
	SCOPED_FREE char *text = hv_word_text(w, &ignored);

	return text == NULL || !utf_valid8(text, strlen(text));
}

static bool
same_name(struct walk *walk, const struct hv_node *n, const char *name)
{
	struct hv_word w = hv_node_word(n);

	if (unreadable(w)) {
		walk->unread++;
		return true;
	}
	return name != NULL && hv_word_same(w, hv_word8(name, strlen(name)));
}

static int
walk_value(struct walk *walk, const struct hv_key *k, const struct hv_value *v,
	   hive_value_h x, struct err *e)
{
	SCOPED_FREE char *name = hivex_value_key(walk->x, x);
	hive_type type;
	size_t len;

	if (!same_name(walk, &v->node, name))
		return differs(k, "value name", e);
	if ((v->flags & HV_VALUE_TOMBSTONE) != 0 || v->len > DATA_MAX) {
		walk->unread++;
		return 0;
	}
	SCOPED_FREE char *data = hivex_value_value(walk->x, x, &type, &len);
	if (data == NULL && errno == ENOMEM)
		return err_set(e, ERR_NOMEM, "no memory for a value");
	if (data == NULL || (uint32_t)type != v->type || len != v->len ||
	    (len > 0 && memcmp(data, v->data, len) != 0))
		return differs(k, "value", e);
	return 0;
}

static int
walk_values(struct walk *walk, const struct hv_key *k, hive_node_h x,
	    struct err *e)
{
	SCOPED_FREE hive_value_h *list = NULL;
	size_t i = 0;

	if (k->values.count > VALUES_MAX) {
		walk->unread++;
		return 0;
	}
	list = hivex_node_values(walk->x, x);
	if (list == NULL)
		return differs(k, "list of values", e);
	for (const struct hv_value *v = hv_value_first(k); v != NULL;
	     v = hv_value_next(v), i++)
		if (list[i] == 0)
			return differs(k, "number of values", e);
		else if (walk_value(walk, k, v, list[i], e) < 0)
			return -1;
	return list[i] == 0 ? 0 : differs(k, "number of values", e);
}

static int
walk_key(struct walk *walk, const struct hv_key *k, hive_node_h x,
	 struct err *e)
{
	SCOPED_FREE char *name = hivex_node_name(walk->x, x);
	SCOPED_FREE hive_node_h *list = NULL;
	size_t i = 0;

	if (!same_name(walk, &k->node, name))
		return differs(k, "name", e);
	if ((uint64_t)hivex_node_timestamp(walk->x, x) != k->time &&
	    k->time <= INT64_MAX)
		return differs(k, "time", e);
	if ((k->flags & HV_KEY_PREDEFINED) != 0 ||
	    k->subs.count > SUBKEYS_MAX) {
		walk->unread++;
		return 0;
	}
	if (walk_values(walk, k, x, e) < 0)
		return -1;
	list = hivex_node_children(walk->x, x);
	if (list == NULL)
		return differs(k, "list of subkeys", e);
	for (const struct hv_key *s = hv_first(k); s != NULL;
	     s = hv_next(s), i++)
		if (list[i] == 0)
			return differs(k, "number of subkeys", e);
		else if (walk_key(walk, s, list[i], e) < 0)
			return -1;
	return list[i] == 0 ? 0 : differs(k, "number of subkeys", e);
}

/* A file in memory with these bytes.  libhivex opens files by name only, and does
 * not know that two checksums are written as others. */
static int
as_file(int fd, const uint8_t *image, size_t len, struct err *e)
{
	static const char name[] = "memory for a second reader";
	uint8_t sum[4];

	num_put_u32le(sum, hv_base_xor(image));
	if (io_write_at(fd, image, len, 0, name, e) < 0)
		return -1;
	return io_write_at(fd, sum, sizeof(sum), 508, name, e);
}

int
hv_second_read(const struct hv_hive *h, const void *image, size_t len,
	       uint64_t *ret_unread, struct err *e)
{
	SCOPED_FD int fd = memfd_create("hive", MFD_CLOEXEC);
	SCOPED(close_hive) hive_h *x = NULL;
	struct walk walk = { .unread = 0 };
	char path[64];

	if (fd < 0)
		return err_sys(e, "memory for a second reader");
	if (as_file(fd, image, len, e) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	x = hivex_open(path, 0);
	if (x == NULL)
		return err_sys(e, "%s: libhivex cannot read what was to be "
			       "written", h->name);
	walk.x = x;
	if (walk_key(&walk, h->root, hivex_root(x), e) < 0)
		return -1;
	*ret_unread = walk.unread;
	return 0;
}
