/* ready.c - see ready.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/ready.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"

enum { LINE_MAX_BYTES = READY_TEXT + 16 };

void
ready_say(int fd, const struct err *result, const char *text)
{
	char line[LINE_MAX_BYTES];
	int n = snprintf(line, sizeof(line), "%d %.*s\n", (int)result->kind,
			 READY_TEXT - 1,
			 result->kind != ERR_NONE ? result->msg : text);

	/* a parent that is gone needs no answer */
	(void)!write(fd, line, (size_t)n);
	(void)close(fd);
}

static int
parse(char *line, const char *who, char ret_text[READY_TEXT], struct err *e)
{
	char *text = strchr(line, ' ');
	char quoted[512];
	uint64_t kind;

	if (text != NULL)
		*text++ = '\0';
	if (text == NULL || strlen(text) >= READY_TEXT ||
	    !num_parse(line, 0, ERR_INTERRUPTED, false, &kind))
		return err_set(e, ERR_CORRUPT, "%s: says nothing useful", who);
	if (kind != ERR_NONE)
		return err_set(e, (enum err_kind)kind, "%s",
			       err_quote(quoted, sizeof(quoted), text,
					 strlen(text)));
	(void)memcpy(ret_text, text, strlen(text) + 1);
	return 0;
}

int
ready_await(int fd, int timeout_ms, const char *who, char ret_text[READY_TEXT],
	    struct err *e)
{
	uint64_t end = clock_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);
	char line[LINE_MAX_BYTES], *newline;
	size_t have = 0;

	do {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = clock_ms();
		int left = timeout_ms < 0 ? -1 : now < end ? (int)(end - now) : 0;
		int r = poll(&p, 1, left);

		if (r == 0)
			return err_set(e, ERR_SYSTEM, "%s: not ready within "
				       "%d s", who, timeout_ms / 1000);
		if (r < 0 && errno == EINTR)
			continue;
		ssize_t n = r < 0 || have == sizeof(line) - 1 ? 0 :
			read(fd, line + have, sizeof(line) - 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_SYSTEM, "%s: ended before it was "
				       "ready", who);
		have += (size_t)n;
		line[have] = '\0';
	} while ((newline = memchr(line, '\n', have)) == NULL);
	*newline = '\0';
	return parse(line, who, ret_text, e);
}
