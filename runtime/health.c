/* health.c - has a guest shown that its version is good?
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/health.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/scope.h"
#include "runtime/state.h"

#define LOOK_MAX (64u << 20)	/* as long as a log may get */

static const struct {
	unsigned check;
	const char *word;
} checks[] = {
	{ RT_HEALTH_CONSOLE, "console" },
	{ RT_HEALTH_DISK, "disk" },
};

#define COUNT (sizeof(checks) / sizeof(checks[0]))

void
rt_health_words(unsigned set, char *out, size_t size)
{
	size_t at = 0;

	(void)snprintf(out, size, "nothing");
	for (size_t i = 0; i < COUNT; i++)
		if ((set & checks[i].check) != 0 && at < size)
			at += (size_t)snprintf(out + at, size - at, "%s%s",
					       at > 0 ? " " : "",
					       checks[i].word);
}

unsigned
rt_health_parse(const char *words)
{
	unsigned set = 0;

	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		for (size_t i = 0; i < COUNT; i++)
			if (strlen(checks[i].word) == len &&
			    memcmp(words, checks[i].word, len) == 0)
				set |= checks[i].check;
		words += len;
		words += strspn(words, " ");
	}
	return set;
}

static bool
has_text(const char *path, const char *text)
{
	SCOPED_FREE uint8_t *log = NULL;
	struct err ignored = ERR_INIT;
	size_t len;

	return io_slurp(path, LOOK_MAX, &log, &len, &ignored) == 0 &&
	       memmem(log, len, text, strlen(text)) != NULL;
}

/* QEMU counts what the guest asked of the node named "system". */
static bool
has_written(const struct js *stats)
{
	const struct js *list = js_get(stats, "return");

	for (size_t i = 0; i < js_count(list); i++) {
		const struct js *one = js_at(list, i);
		const char *node = js_get_str(one, "node-name");
		uint64_t n;

		if (node != NULL && strcmp(node, "system") == 0 &&
		    js_get_u64(js_get(one, "stats"), "wr_operations", &n))
			return n > 0;
	}
	return false;
}

unsigned
rt_health_look(const struct rt_stored *s, const struct js *stats)
{
	const char *text = s->guest.health.console;
	unsigned passed = 0;

	if (text != NULL && (has_text(s->place.debug_log, text) ||
			     has_text(s->place.serial_log, text)))
		passed |= RT_HEALTH_CONSOLE;
	if (stats != NULL && has_written(stats))
		passed |= RT_HEALTH_DISK;
	return passed;
}
