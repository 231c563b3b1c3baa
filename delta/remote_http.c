/* remote_http.c - an HTTP prefix as a remote; see remote.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * All transfers are one thread's, by libcurl's multi interface.  Of a server
 * only what RFC 9110 says of GET and of ranges (section 14) is used, and
 * nothing it says is believed: neither how long an answer is nor, without a
 * look at Content-Range, which bytes it holds.  A server that knows no ranges
 * answers with the whole object, of which what is in front is then skipped.
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/stop.h"
#include "delta/remote-private.h"

enum {
	PARALLEL = 6,		/* transfers at once */
	REDIRECTS = 5,
	WORTH = 32 << 10,	/* bytes after which attempts count anew */
	WAIT_MAX = 30,		/* seconds between two attempts */
};

struct http {
	CURLM *multi;
	char *prefix;		/* ends with no slash */
};

/* One range on its way. */
struct transfer {
	struct dl_remote *r;
	struct dl_get *g;	/* NULL: this place is free */
	struct progress *p;
	CURL *easy;
	char *url;
	bool whole;		/* the object's end is not known: up to g->len */
	bool ranged;		/* a range was asked for */
	bool looked;		/* the answer's head was judged */
	uint64_t asked, end;	/* [asked, end) of the object */
	uint64_t skip;		/* bytes of the answer in front of it */
	bool has_range;		/* Content-Range: */
	uint64_t range_at;
	unsigned tries;		/* failed ones since there was progress */
	uint64_t had;		/* bytes there were when it began */
	uint64_t not_before;	/* dl_remote_clock() */
	bool enough;		/* ended from here: all is there */
	struct err err;
	char words[CURL_ERROR_SIZE];
};

/* ---- an answer ----------------------------------------------------------- */

/* Content-Range: bytes 100-199/1000 */
static size_t
on_header(char *at, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	static const char name[] = "content-range:";
	char line[128];
	size_t len = size * n;

	if (len >= 5 && strncasecmp(at, "HTTP/", 5) == 0)
		t->has_range = false;	/* another answer, after a redirect */
	if (len < sizeof(name) || len >= sizeof(line) ||
	    strncasecmp(at, name, sizeof(name) - 1) != 0)
		return len;
	memcpy(line, at + sizeof(name) - 1, len - (sizeof(name) - 1));
	line[len - (sizeof(name) - 1)] = '\0';

	char *word = line + strspn(line, " \t");
	char *dash = strchr(word, '-');
	if (strncasecmp(word, "bytes ", 6) == 0 && dash != NULL) {
		*dash = '\0';
		t->has_range = num_parse(word + 6, 0, UINT64_MAX, false,
					 &t->range_at);
	}
	return len;
}

static long
status_of(const struct transfer *t)
{
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* Is it an answer to what was asked?  Before its first byte is taken. */
static int
judge_head(struct transfer *t)
{
	t->looked = true;
	if (status_of(t) == 200) {
		t->skip = t->asked;
		return 0;
	}
	if (status_of(t) != 206)
		return 0;	/* its text is of no interest */
	if (!t->ranged || !t->has_range || t->range_at != t->asked)
		return err_set(&t->err, ERR_CORRUPT, "%s/%s: the server answers "
			       "with another range than it was asked for",
			       t->r->name, t->g->name);
	t->skip = 0;
	return 0;
}

static size_t
on_body(char *at, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	struct dl_get *g = t->g;
	size_t len = size * n, all = len;

	if (!t->looked && judge_head(t) < 0)
		return 0;
	if (status_of(t) != 200 && status_of(t) != 206)
		return all;
	if (t->skip > 0) {
		size_t over = (size_t)num_min(t->skip, len);

		t->skip -= over;
		at += over;
		len -= over;
	}
	if (len > g->len - g->have) {
		/* The rest of an object is no harm where a part was wanted. */
		if (!t->ranged || status_of(t) == 206) {
			(void)err_set(&t->err, ERR_CORRUPT, "%s/%s: is larger "
				      "than %" PRIu64 " bytes", t->r->name,
				      g->name, g->len);
			return 0;
		}
		len = (size_t)(g->len - g->have);
		t->enough = true;
	}
	if (len > 0 && g->take(g->arg, at, len, &t->err) < 0)
		return 0;
	g->have += len;
	if (dl_remote_pass(t->r, len, t->p, &t->err) < 0)
		return 0;
	if (!t->whole && g->have == g->len && status_of(t) == 200 && t->ranged)
		t->enough = true;
	return t->enough ? 0 : all;
}

/* ---- asking -------------------------------------------------------------- */

static void
set_up(struct transfer *t)
{
	const struct dl_remote_how *how = &t->r->how;
	CURL *c = t->easy;
	long least = DL_SPEED_LEAST;

	/* What we hold back ourselves is not the server's slowness. */
	if (how->limit > 0)
		least = (long)num_min(DL_SPEED_LEAST,
				      how->limit / (4 * PARALLEL) + 1);
	(void)curl_easy_setopt(c, CURLOPT_PRIVATE, t);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->words);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_USERAGENT,
			       "imgdelta/" PROJECT_VERSION);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	(void)curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	/* Never from a protected connection to an open one. */
	(void)curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR,
			       strncmp(t->url, "https", 5) == 0 ? "https" :
								  "http,https");
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)how->timeout);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)how->timeout);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, least);
	if (how->cert != NULL)
		(void)curl_easy_setopt(c, CURLOPT_SSLCERT, how->cert);
	if (how->cert_key != NULL)
		(void)curl_easy_setopt(c, CURLOPT_SSLKEY, how->cert_key);
	if (how->ca != NULL)
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, how->ca);
}

/* Ask for what is missing. */
static int
begin(struct transfer *t, struct err *e)
{
	struct http *h = t->r->own;
	char range[64];

	t->asked = t->g->at + t->g->have;
	t->end = t->g->at + t->g->len;
	t->had = t->g->have;
	t->ranged = t->asked > 0 || (!t->whole && t->g->at > 0);
	t->looked = t->has_range = t->enough = false;
	t->skip = 0;
	t->err = (struct err)ERR_INIT;
	curl_easy_reset(t->easy);
	set_up(t);
	(void)curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
	/* Up to an object's end is asked for as all of it. */
	if (t->ranged) {
		(void)snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64,
			       t->asked, t->end - 1);
		(void)curl_easy_setopt(t->easy, CURLOPT_RANGE, range);
	}
	if (curl_multi_add_handle(h->multi, t->easy) != CURLM_OK)
		return err_set(e, ERR_NOMEM, "no memory for a transfer");
	return 0;
}

/* May it work the next time? */
static bool
may_pass(CURLcode code, long status)
{
	static const CURLcode passing[] = {
		CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY,
		CURLE_COULDNT_CONNECT, CURLE_PARTIAL_FILE,
		CURLE_OPERATION_TIMEDOUT, CURLE_GOT_NOTHING, CURLE_SEND_ERROR,
		CURLE_RECV_ERROR, CURLE_HTTP2, CURLE_HTTP2_STREAM,
	};

	for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++)
		if (code == passing[i])
			return true;
	return code == CURLE_OK &&
	       (status >= 500 || status == 408 || status == 429 ||
		status == 200 || status == 206);
}

static int
give_up(struct transfer *t, CURLcode code, long status, struct err *e)
{
	const char *words = t->words[0] != '\0' ? t->words :
						  curl_easy_strerror(code);
	char quoted[256];

	if (t->err.kind != ERR_NONE) {
		*e = t->err;
		return -1;
	}
	(void)err_quote(quoted, sizeof(quoted), words, strlen(words));
	if (code == CURLE_PEER_FAILED_VERIFICATION ||
	    code == CURLE_SSL_CERTPROBLEM)
		return err_set(e, ERR_AUTH, "%s: %s; --ca FILE names who may "
			       "vouch for the server", t->r->name, quoted);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(e, ERR_SYSTEM, "%s/%s: too slow: %s", t->r->name,
			       t->g->name, quoted);
	if (code != CURLE_OK)
		return err_set(e, ERR_SYSTEM, "%s/%s: %s", t->r->name,
			       t->g->name, quoted);
	if (status == 200 || status == 206 || status == 416)
		return dl_remote_short(t->r, t->g, e);
	return err_set(e, ERR_SYSTEM, "%s/%s: the server answers with status "
		       "%ld", t->r->name, t->g->name, status);
}

/* What became of a transfer: 1 it has ended well, 0 it is tried again. */
static int
settle(struct transfer *t, CURLcode code, struct err *e)
{
	long status = status_of(t);
	struct dl_get *g = t->g;

	if (t->err.kind != ERR_NONE)
		return give_up(t, code, status, e);
	if (t->enough || (!t->whole && g->have == g->len && g->len > 0))
		return 1;
	if (code == CURLE_OK && (status == 404 || status == 410)) {
		g->absent = true;
		return 1;
	}
	if (code == CURLE_OK && (status == 200 || status == 206) &&
	    (t->whole || g->len == 0))
		return 1;
	if (!may_pass(code, status))
		return give_up(t, code, status, e);
	if (g->have - t->had >= WORTH)
		t->tries = 0;
	if (t->tries >= t->r->how.retries)
		return give_up(t, code, status, e);
	/* At once, then after 1, 2, 4 ... seconds. */
	uint64_t wait = t->tries == 0 ? 0 : num_min(WAIT_MAX,
						    1u << (t->tries - 1));
	t->tries++;
	t->not_before = dl_remote_clock() + wait * 1000;
	return 0;
}

/* ---- many of them -------------------------------------------------------- */

struct batch {
	struct dl_remote *r;
	struct dl_get *get;
	size_t count, next;
	struct progress *p;
	struct transfer at[PARALLEL];
	bool waiting[PARALLEL];		/* for not_before */
	size_t busy;
};

static void
batch_done(struct batch *b)
{
	struct http *h = b->r->own;

	for (size_t i = 0; i < PARALLEL; i++) {
		struct transfer *t = &b->at[i];

		if (t->easy == NULL)
			continue;
		(void)curl_multi_remove_handle(h->multi, t->easy);
		curl_easy_cleanup(t->easy);
		free(t->url);
	}
}

/* Give a place something to do, if there is something. */
static int
fill(struct batch *b, size_t i, struct err *e)
{
	struct transfer *t = &b->at[i];
	struct http *h = b->r->own;

	if (b->waiting[i]) {
		if (dl_remote_clock() < t->not_before)
			return 0;
		b->waiting[i] = false;
		return begin(t, e);
	}
	if (t->g != NULL || b->next == b->count)
		return 0;
	if (t->easy == NULL && (t->easy = curl_easy_init()) == NULL)
		return err_set(e, ERR_NOMEM, "no memory for a transfer");
	t->r = b->r;
	t->p = b->p;
	t->g = &b->get[b->next++];
	t->tries = 0;
	b->busy++;
	free(t->url);
	t->url = mem_fmt(e, "%s/%s", h->prefix, t->g->name);
	return t->url == NULL ? -1 : begin(t, e);
}

/* See what has ended: *ret_any, anything at all. */
static int
reap(struct batch *b, bool *ret_any, struct err *e)
{
	struct http *h = b->r->own;
	const CURLMsg *m;
	int left;

	*ret_any = false;
	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct transfer *t = NULL;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		*ret_any = true;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		(void)curl_multi_remove_handle(h->multi, t->easy);
		int r = settle(t, code, e);
		if (r < 0)
			return -1;
		if (r == 1) {
			t->g = NULL;
			b->busy--;
		} else {
			b->waiting[t - b->at] = true;
		}
	}
	return 0;
}

static int
run(struct batch *b, struct err *e)
{
	struct http *h = b->r->own;
	int running;
	bool any = true;

	for (;;) {
		for (size_t i = 0; any && i < PARALLEL; i++)
			if (fill(b, i, e) < 0)
				return -1;
		if (b->busy == 0)
			return 0;
		if (stop_check(e) < 0)
			return -1;
		if (curl_multi_perform(h->multi, &running) != CURLM_OK ||
		    reap(b, &any, e) < 0)
			return e->kind != ERR_NONE ? -1 :
				err_set(e, ERR_SYSTEM, "%s: transfer fails",
					b->r->name);
		if (!any &&
		    curl_multi_poll(h->multi, NULL, 0, 200, NULL) != CURLM_OK)
			return err_set(e, ERR_SYSTEM, "%s: transfer fails",
				       b->r->name);
		any = any || running < (int)b->busy;
		progress_show(b->p);
	}
}

static int
get_http(struct dl_remote *r, struct dl_get *get, size_t count,
	 struct progress *p, struct err *e)
{
	SCOPED(batch_done) struct batch b = { .r = r, .get = get,
					      .count = count, .p = p };

	return run(&b, e);
}

static int
take_into(void *arg, const void *data, size_t len, struct err *e)
{
	struct buf *out = arg;

	buf_bytes(out, data, len);
	return buf_ok(out, e);
}

static int
slurp_http(struct dl_remote *r, const char *name, size_t max, struct buf *out,
	   struct err *e)
{
	struct dl_get g = { .name = name, .len = max, .take = take_into,
			    .arg = out };
	SCOPED(batch_done) struct batch b = { .r = r, .get = &g, .count = 1 };

	b.at[0].whole = true;
	return run(&b, e) < 0 ? -1 : !g.absent;
}

static void
close_http(struct dl_remote *r)
{
	struct http *h = r->own;

	if (h->multi != NULL)
		(void)curl_multi_cleanup(h->multi);
	free(h->prefix);
	free(h);
	curl_global_cleanup();
}

const struct dl_remote_kind dl_remote_http = {
	.get = get_http, .slurp = slurp_http, .close = close_http,
};

int
dl_remote_open_http(struct dl_remote *r, const char *url, struct err *e)
{
	struct http *h = mem_array(1, sizeof(*h), e);

	if (h == NULL)
		return -1;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(h);
		return err_set(e, ERR_SYSTEM, "libcurl does not start");
	}
	r->own = h;
	r->kind = &dl_remote_http;
	h->prefix = mem_str(url, e);
	h->multi = curl_multi_init();
	if (h->prefix == NULL || h->multi == NULL)
		return err_set(e, ERR_NOMEM, "no memory for transfers");
	for (size_t n = strlen(h->prefix); n > 0 && h->prefix[n - 1] == '/'; n--)
		h->prefix[n - 1] = '\0';
	(void)curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
				(long)PARALLEL);
	return 0;
}
