/* progress.c - see progress.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { QUIET_MS = 1000, BAR_MS = 200, LINE_MS = 5000, BAR_CELLS = 20 };

static enum progress_style style = PROGRESS_NONE;
static bool bar_drawn;

static void
clear_bar(void)
{
	if (bar_drawn)
		(void)fputs("\r\033[K", stderr);
	bar_drawn = false;
}

void
progress_style(enum progress_style wanted)
{
	style = wanted;
	if (style == PROGRESS_AUTO && !isatty(STDERR_FILENO))
		style = PROGRESS_NONE;
	log_on_terminal(clear_bar);
}

void
progress_begin(struct progress *p, const char *what, bool bytes, uint64_t total)
{
	*p = (struct progress){ .what = what, .bytes = bytes,
				.started_ms = clock_ms() };
	p->total = total;
	p->shown_ms = p->started_ms;
}

void
progress_add(struct progress *p, uint64_t n)
{
	if (p != NULL)
		(void)atomic_fetch_add_explicit(&p->done, n,
						memory_order_relaxed);
}

/* "12.3 MB" or "45", of a number of units. */
static const char *
amount(char *buf, size_t size, uint64_t n, bool bytes)
{
	static const char *const unit[] = { "B", "kB", "MB", "GB", "TB" };
	double v = (double)n;
	size_t u = 0;

	if (!bytes) {
		(void)snprintf(buf, size, "%" PRIu64, n);
		return buf;
	}
	for (; v >= 1000 && u < 4; u++)
		v /= 1000;
	(void)snprintf(buf, size, u == 0 ? "%.0f %s" : "%.1f %s", v, unit[u]);
	return buf;
}

static void
draw_bar(const struct progress *p, uint64_t done, uint64_t rate)
{
	static const char full[] = "####################";
	static const char none[] = "....................";
	char a[32], b[32];
	uint64_t total = p->total;

	clear_bar();
	(void)fprintf(stderr, "%s ", p->what);
	if (total > 0 && done <= total) {
		int cells = (int)(done * BAR_CELLS / total);

		(void)fprintf(stderr, "[%.*s%.*s] %3u%% ", cells, full,
			      BAR_CELLS - cells, none,
			      (unsigned)(done * 100 / total));
	}
	(void)fprintf(stderr, "%s, %s/s", amount(a, sizeof(a), done, p->bytes),
		      amount(b, sizeof(b), rate, p->bytes));
	if (total > done && rate > 0) {
		uint64_t left = (total - done) / rate;

		(void)fprintf(stderr, ", %u:%02u left", (unsigned)(left / 60),
			      (unsigned)(left % 60));
	}
	(void)fflush(stderr);
	bar_drawn = true;
}

void
progress_show(struct progress *p)
{
	uint64_t now, done, rate, every = style == PROGRESS_AUTO ? BAR_MS : LINE_MS;
	char a[32], b[32];

	if (p == NULL || style == PROGRESS_NONE)
		return;
	now = clock_ms();
	if (now - p->started_ms < QUIET_MS || now - p->shown_ms < every)
		return;
	p->shown_ms = now;
	p->visible = true;
	done = p->done;
	rate = done * 1000 / (now - p->started_ms);
	if (style == PROGRESS_AUTO)
		draw_bar(p, done, rate);
	else if (style == PROGRESS_JSON)
		(void)fprintf(stderr, "{\"progress\":\"%s\",\"done\":%" PRIu64
			      ",\"total\":%" PRIu64 ",\"rate\":%" PRIu64 "}\n",
			      p->bytes ? "bytes" : "items", done,
			      (uint64_t)p->total, rate);
	else
		(void)fprintf(stderr, "%s: %s of %s\n", p->what,
			      amount(a, sizeof(a), done, p->bytes),
			      amount(b, sizeof(b), p->total, p->bytes));
}

void
progress_end(struct progress *p)
{
	if (p->visible)
		clear_bar();
	p->visible = false;
}
