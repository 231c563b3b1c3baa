/* worker_run.c - the worker's side: shut in, then serve
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sandbox.h"
#include "volume/fat.h"
#include "volume/native.h"
#include "volume/wire.h"

struct vo_worker {
	int sock;
	uint8_t *areas;
	struct buf answer;	/* the last one */
	struct vo_native *ntfs;	/* one of the two */
	struct vo_fat *fat;
};

/* The parent is gone, or mad: nobody is left to tell. */
static void
must(bool holds)
{
	if (!holds)
		_exit(1);
}

static void
put_message(const struct vo_worker *w, const struct vo_message *m)
{
	ssize_t n;

	do
		n = write(w->sock, m, sizeof(*m));
	while (n < 0 && errno == EINTR);
	must(n == (ssize_t)sizeof(*m));
}

static void
get_message(const struct vo_worker *w, struct vo_message *ret)
{
	ssize_t n;

	do
		n = read(w->sock, ret, sizeof(*ret));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		_exit(0);
	must(n == (ssize_t)sizeof(*ret));
}

static int
ask(struct vo_worker *w, enum vo_wire what, uint64_t at, uint32_t len)
{
	struct vo_message m = { .what = what, .at = at, .len = len };

	put_message(w, &m);
	get_message(w, &m);
	must(m.what == VO_WIRE_DONE);
	if (m.status == 0)
		return 0;
	errno = (int)m.os;
	return -1;
}

int
vo_worker_read(struct vo_worker *w, uint64_t at, uint32_t len, void *to)
{
	if (ask(w, VO_WIRE_READ, at, len) < 0)
		return -1;
	memcpy(to, w->areas + VO_AREA_CALL, len);
	return 0;
}

int
vo_worker_write(struct vo_worker *w, uint64_t at, uint32_t len,
		const void *from)
{
	memcpy(w->areas + VO_AREA_CALL, from, len);
	return ask(w, VO_WIRE_WRITE, at, len);
}

/* Put the part of the answer that begins at `at` into the area. */
static void
send_answer(struct vo_worker *w, struct vo_message *m, uint64_t at)
{
	size_t len;

	must(at <= w->answer.len);
	len = w->answer.len - (size_t)at;
	if (len > VO_AREA_CALL)
		len = VO_AREA_CALL;
	if (len > 0)
		memcpy(w->areas, w->answer.at + at, len);
	m->what = VO_WIRE_ANSWER;
	m->size = w->answer.len;
	m->len = (uint32_t)len;
	put_message(w, m);
}

static void
serve_call(struct vo_worker *w, size_t len)
{
	struct vo_message m = { .status = -1 };
	struct vo_request q;
	struct err e = ERR_INIT;

	buf_done(&w->answer);
	must(len <= VO_AREA_CALL);
	if (vo_wire_parse(w->areas, len, &q, &e) == 0)
		m.status = w->fat != NULL
			 ? vo_fat_serve(w->fat, &q, &w->answer, &e)
			 : vo_native_serve(w->ntfs, &q, &w->answer, &e);
	if (m.status >= 0 && buf_ok(&w->answer, &e) < 0)
		m.status = -1;
	if (m.status < 0) {
		buf_done(&w->answer);
		buf_str(&w->answer, e.msg);
		m.kind = e.kind;
		m.os = (uint32_t)e.os;
	}
	send_answer(w, &m, 0);
}

_Noreturn void
vo_worker_run(int sock, uint8_t *areas, enum vo_kind kind,
	      uint64_t volume_size, bool writable)
{
	struct vo_worker w = { .sock = sock, .areas = areas,
			       .answer = BUF_EMPTY };
	struct sandbox_state state;
	struct err e = ERR_INIT;

	must(sandbox_enter(0, &state, &e) == 0);
	if (kind == VO_FAT)
		w.fat = vo_fat_new(&w, volume_size, &e);
	else
		w.ntfs = vo_native_new(&w, volume_size, writable, &e);
	must(w.fat != NULL || w.ntfs != NULL);
	for (;;) {
		struct vo_message m;

		get_message(&w, &m);
		if (m.what == VO_WIRE_CALL) {
			serve_call(&w, m.len);
		} else {
			must(m.what == VO_WIRE_MORE);
			send_answer(&w, &m, m.at);
		}
	}
}
