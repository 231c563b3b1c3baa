/* appliance.c - the appliance's owner: starts it, serves its disks, asks it
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/appliance.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/accel.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/stop.h"
#include "disk/disk.h"
#include "disk/serve.h"
#include "volume/appliance-private.h"
#include "volume/wire.h"

enum {
	KVM_START_MS = 60000,	/* 2 s are usual */
	TCG_START_MS = 600000,	/* 20 s; a busy machine needs more */
	SILENCE_MS = 600000,	/* neither an answer nor a sector asked for */
	TICK_MS = 500,		/* the user's wish to stop is seen this often */
};

struct vo_appliance {
	pid_t pid;		/* of the worker, whose group QEMU is in */
	int sock;		/* -1: not running */
	char *folder;		/* sockets, overlays; NULL: not made */
	size_t count;
	struct dk *disk[VO_APPLIANCE_DISKS];	/* not owned */
	struct dk_serve *serve[VO_APPLIANCE_DISKS];
};

/* ---- the user's choice ---------------------------------------------------- */

static struct {
	enum vo_choice choice;
	const char *key;
} chosen;

void
vo_choose(enum vo_choice choice, const char *key)
{
	chosen.choice = choice;
	chosen.key = key;
}

enum vo_choice
vo_chosen(void)
{
	return chosen.choice;
}

const char *
vo_chosen_key(void)
{
	return chosen.key;
}

bool
vo_wants_appliance(enum vo_kind kind)
{
	if (chosen.choice != VO_AUTO)
		return chosen.choice == VO_APPLIANCE_ONLY &&
		       kind != VO_UNKNOWN && kind != VO_REFS;
	if (kind == VO_BITLOCKER)
		return chosen.key != NULL;
	return kind == VO_EXFAT || kind == VO_EXT || kind == VO_LVM ||
	       kind == VO_DYNAMIC;
}

/* ---- the process ---------------------------------------------------------- */

static void
end_worker(struct vo_appliance *a)
{
	if (a->sock >= 0)
		(void)close(a->sock);
	a->sock = -1;
	if (a->pid > 0) {
		/* QEMU is in its group; all that was written has come here */
		(void)kill(-a->pid, SIGKILL);
		(void)kill(a->pid, SIGKILL);
		while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	a->pid = 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	(void)remove(path);
	return 0;
}

void
vo_appliance_free(struct vo_appliance *const *a)
{
	struct vo_appliance *had = *a;

	if (had == NULL)
		return;
	end_worker(had);
	for (size_t i = 0; i < had->count; i++)
		dk_serve_free(&had->serve[i]);
	if (had->folder != NULL)
		(void)nftw(had->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(had->folder);
	free(had);
}

static _Noreturn void
become_worker(int sock, const struct vo_appliance *a,
	      const struct vo_drive *drives, bool kvm)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)setpgid(0, 0);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(null, 2) < 0 || dup2(sock, 3) < 0 ||
	    fcntl(3, F_SETFD, FD_CLOEXEC) < 0)
		_exit(1);
	(void)close_range(4, ~0U, 0);
	vo_appliance_run(3, drives, a->count, a->folder, kvm);
}

static int
start_worker(struct vo_appliance *a, const struct vo_drive *drives, bool kvm,
	     struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socket pair");
	a->sock = pair[0];
	a->pid = fork();
	if (a->pid == 0)
		become_worker(pair[1], a, drives, kvm);
	(void)close(pair[1]);
	if (a->pid < 0)
		return err_sys(e, "fork");
	(void)setpgid(a->pid, a->pid);
	return 0;
}

/* ---- asking --------------------------------------------------------------- */

static int
gone(struct vo_appliance *a, const char *how, struct err *e)
{
	end_worker(a);
	return err_set(e, ERR_SYSTEM, "the appliance %s; libguestfs-test-tool "
		       "tells more", how);
}

/* Serve the disks until the worker has said something; the time is up when
 * nothing at all has happened for `silence`. */
static int
wait_worker(struct vo_appliance *a, uint64_t silence, struct err *e)
{
	uint64_t until = clock_ms() + silence;
	struct pollfd p[1 + VO_APPLIANCE_DISKS * DK_SERVE_FDS];

	while (clock_ms() < until) {
		size_t first[VO_APPLIANCE_DISKS + 1], n = 1;
		int ready;

		p[0] = (struct pollfd){ .fd = a->sock, .events = POLLIN };
		for (size_t i = 0; i < a->count; i++) {
			first[i] = n;
			n += dk_serve_fds(a->serve[i], p + n);
		}
		first[a->count] = n;
		ready = poll(p, n, TICK_MS);
		if (stop_check(e) < 0) {
			end_worker(a);
			return -1;
		}
		if (ready <= 0)
			continue;
		for (size_t i = 0; i < a->count; i++)
			dk_serve_work(a->serve[i], p + first[i],
				      first[i + 1] - first[i]);
		if (p[0].revents != 0)
			return 0;
		until = clock_ms() + silence;
	}
	return gone(a, "does not answer", e);
}

static int
take(struct vo_appliance *a, void *buf, size_t len, uint64_t silence,
     struct err *e)
{
	uint8_t *to = buf;

	while (len > 0) {
		ssize_t got;

		if (wait_worker(a, silence, e) < 0)
			return -1;
		got = recv(a->sock, to, len, MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
			return gone(a, "ended", e);
		if (got > 0) {
			to += got;
			len -= (size_t)got;
		}
	}
	return 0;
}

/* The worker's error, in its own words, which are untrusted; a disk that could
 * not be read is the better explanation. */
static int
foreign_error(struct vo_appliance *a, const struct vo_frame *f,
	      const struct buf *text, struct err *e)
{
	char quoted[600];
	enum err_kind kind = f->kind > ERR_NONE && f->kind <= ERR_INTERRUPTED
			   ? (enum err_kind)f->kind : ERR_SYSTEM;

	for (size_t i = 0; i < a->count; i++) {
		const struct err *why = dk_serve_trouble(a->serve[i]);

		if (why != NULL) {
			*e = *why;
			return -1;
		}
	}
	(void)err_quote(quoted, sizeof(quoted), text->at, text->len);
	(void)err_set(e, kind, "%s", quoted);
	e->os = kind == ERR_SYSTEM ? (int)(f->os & 0xffff) : 0;
	return -1;
}

static int
take_answer(struct vo_appliance *a, uint64_t silence, struct buf *answer,
	    struct err *e)
{
	struct vo_frame f;
	uint8_t *room;

	if (take(a, &f, sizeof(f), silence, e) < 0)
		return -1;
	if (f.what != VO_FRAME_ANSWER || f.len > VO_FRAME_MAX)
		return gone(a, "talks nonsense", e);
	room = buf_room(answer, (size_t)f.len);
	if (room == NULL)
		return buf_ok(answer, e);
	if (take(a, room, (size_t)f.len, silence, e) < 0)
		return -1;
	return f.status < 0 ? foreign_error(a, &f, answer, e) : f.status;
}

static int
send_all(struct vo_appliance *a, const void *data, size_t len, struct err *e)
{
	const uint8_t *from = data;

	while (len > 0) {
		ssize_t n = send(a->sock, from, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return gone(a, "ended", e);
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

int
vo_appliance_call(struct vo_appliance *a, enum vo_frame_what what,
		  uint32_t device, const struct vo_request *q,
		  struct buf *answer, struct err *e)
{
	struct vo_frame f = { .what = what, .device = device };
	BUF_SCOPED struct buf body = BUF_EMPTY;
	int r;

	if (a->sock < 0)
		return err_set(e, ERR_SYSTEM, "the appliance has ended");
	if (vo_wire_encode(q, &body, e) < 0)
		return -1;
	f.len = body.len;
	r = send_all(a, &f, sizeof(f), e) < 0 ? -1
	  : send_all(a, body.at, body.len, e);
	if (what == VO_FRAME_UNLOCK)
		explicit_bzero(body.at, body.len);
	if (r < 0)
		return -1;
	return take_answer(a, SILENCE_MS, answer, e);
}

/* ---- the start ------------------------------------------------------------ */

static int
make_folder(struct vo_appliance *a, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	char *name = mem_fmt(e, "%s/halcyon.XXXXXX",
			     tmp == NULL || *tmp == '\0' ? "/tmp" : tmp);

	if (name == NULL)
		return -1;
	if (mkdtemp(name) == NULL) {
		(void)err_sys(e, "%s", name);
		free(name);
		return -1;
	}
	a->folder = name;
	return 0;
}

static int
serve_disks(struct vo_appliance *a, struct dk *const *disks, size_t count,
	    struct vo_drive *drives, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		struct vo_drive *v = &drives[i];

		(void)snprintf(v->socket, sizeof(v->socket), "%s/disk%zu",
			       a->folder, i);
		v->writable = disks[i]->writable;
		v->sector = disks[i]->sector;
		a->disk[i] = disks[i];
		a->serve[i] = dk_serve_new(disks[i], v->socket, e);
		if (a->serve[i] == NULL)
			return -1;
		a->count++;
	}
	return 0;
}

static int
launch(struct vo_appliance *a, const struct vo_drive *drives, bool kvm,
       struct err *e)
{
	BUF_SCOPED struct buf answer = BUF_EMPTY;

	if (start_worker(a, drives, kvm, e) < 0)
		return -1;
	return take_answer(a, kvm ? KVM_START_MS : TCG_START_MS, &answer, e);
}

struct vo_appliance *
vo_appliance_new(struct dk *const *disks, size_t count, struct err *e)
{
	VO_APPLIANCE_SCOPED struct vo_appliance *a =
		mem_array(1, sizeof(*a), e);
	SCOPED_FREE struct vo_drive *drives =
		mem_array(VO_APPLIANCE_DISKS, sizeof(*drives), e);
	struct err first = ERR_INIT;
	struct accel accel;

	if (a == NULL || drives == NULL)
		return NULL;
	a->sock = -1;
	if (count == 0 || count > VO_APPLIANCE_DISKS) {
		(void)err_set(e, ERR_USAGE, "an appliance takes up to %d disks",
			      VO_APPLIANCE_DISKS);
		return NULL;
	}
	if (make_folder(a, e) < 0 ||
	    serve_disks(a, disks, count, drives, e) < 0 ||
	    accel_probe("/dev/kvm", &accel, e) < 0)
		return NULL;
	if (accel_kvm(&accel) && launch(a, drives, true, &first) == 0)
		return TAKE(a);
	end_worker(a);
	if (first.kind == ERR_INTERRUPTED || first.kind == ERR_UNSUPPORTED) {
		*e = first;
		return NULL;
	}
	if (launch(a, drives, false, e) < 0) {
		(void)err_ctx(e, "%s", disks[0]->name);
		return NULL;
	}
	return TAKE(a);
}

int
vo_appliance_disk(const struct vo_appliance *a, const struct dk *d,
		  uint32_t *ret, struct err *e)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->disk[i] == d) {
			*ret = (uint32_t)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "%s: is not in the appliance", d->name);
}

int
vo_appliance_allow(struct vo_appliance *a, uint32_t disk, uint64_t at,
		   uint64_t size, struct err *e)
{
	return dk_serve_allow(a->serve[disk], at, size, e);
}
