/* cmd_verify.c - hal-neutral verify: the proof, as a matrix
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "hal-neutral/cmd.h"

static struct cli_list names;
static bool chain;
static const char *junit;

/* Names in a guest's hive must not drive the user's terminal. */
static void
print_text(const char *text)
{
	char quoted[1024];

	(void)fputs(err_quote(quoted, sizeof(quoted), text, strlen(text)),
		    stdout);
}

static void
print_link(const struct hn_link *l)
{
	(void)printf("  %-3s %-11s ", l->why == NULL ? "ok" : "NO", l->kind);
	print_text(l->what);
	if (l->why != NULL) {
		(void)printf(": ");
		print_text(l->why);
	}
	(void)printf("\n");
}

/* One line of the matrix; with --chain every link, else those missing. */
static void
print_verdict(const struct hn_platform *p, const struct hn_verdict *v)
{
	(void)printf("%-20s %s\n", p->name, v->yes ? "YES" : "NO");
	for (size_t i = 0; i < v->links; i++)
		if (chain || v->at[i].why != NULL)
			print_link(&v->at[i]);
}

static void
json_verdict(struct js *list, const struct hn_platform *p,
	     const struct hn_verdict *v)
{
	struct js *one = js_item(list), *links;

	js_str(one, "platform", p->name);
	js_bool(one, "boots", v->yes);
	links = js_list(one, "chain");
	for (size_t i = 0; i < v->links; i++) {
		struct js *l = js_item(links);

		js_str(l, "kind", v->at[i].kind);
		js_str(l, "what", v->at[i].what);
		js_bool(l, "holds", v->at[i].why == NULL);
		if (v->at[i].why != NULL)
			js_str(l, "why", v->at[i].why);
	}
}

/* ---- JUnit: what build servers read ---- */

/* Text between tags and in attributes; what XML cannot hold at all is "?". */
static void
put_xml(struct buf *b, const char *text)
{
	char quoted[1024];

	text = err_quote(quoted, sizeof(quoted), text, strlen(text));
	for (; *text != '\0'; text++)
		switch (*text) {
		case '&':
			buf_str(b, "&amp;");
			break;
		case '<':
			buf_str(b, "&lt;");
			break;
		case '>':
			buf_str(b, "&gt;");
			break;
		case '"':
			buf_str(b, "&quot;");
			break;
		default:
			buf_u8(b, (uint8_t)*text);
		}
}

/* A platform is a test; its missing links are why it failed. */
static void
put_case(struct buf *b, const char *disk, const struct hn_platform *p,
	 const struct hn_verdict *v)
{
	const struct hn_link *first = hn_first_missing(v);

	buf_str(b, "  <testcase classname=\"");
	put_xml(b, disk);
	buf_fmt(b, "\" name=\"%s\"", p->name);
	if (first == NULL) {
		buf_str(b, "/>\n");
		return;
	}
	buf_fmt(b, ">\n    <failure type=\"%s\" message=\"", first->kind);
	put_xml(b, first->what);
	buf_str(b, ": ");
	put_xml(b, first->why);
	buf_str(b, "\">");
	for (size_t i = 0; i < v->links; i++) {
		if (v->at[i].why == NULL)
			continue;
		buf_fmt(b, "%s ", v->at[i].kind);
		put_xml(b, v->at[i].what);
		buf_str(b, ": ");
		put_xml(b, v->at[i].why);
		buf_str(b, "\n");
	}
	buf_str(b, "</failure>\n  </testcase>\n");
}

static int
write_junit(const struct buf *cases, size_t tests, size_t failures,
	    struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	buf_fmt(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuite name=\"hal-neutral verify\" tests=\"%zu\" "
		"failures=\"%zu\">\n", tests, failures);
	buf_bytes(&b, cases->at, cases->len);
	buf_str(&b, "</testsuite>\n");
	if (buf_ok(cases, e) < 0 || buf_ok(&b, e) < 0)
		return -1;
	return io_put(junit, b.at, b.len, 0644, e);
}

static int
prove_all(const struct cli_args *a, struct session *s,
	  const struct hn_platforms *all, bool *ret_yes, struct err *e)
{
	JS_SCOPED struct js *j = a->json ? js_new("hal-neutral verify", 1, e) :
				 NULL;
	BUF_SCOPED struct buf cases = BUF_EMPTY;
	struct js *list = NULL;
	size_t no = 0;

	if (a->json && j == NULL)
		return -1;
	if (j != NULL) {
		js_str(j, "disk", a->at[0]);
		js_str(j, "windows", wn_generation_name(s->image.in->generation));
		js_str(j, "root", s->image.in->system_root);
		js_str(j, "control-set", s->image.set[0].name);
		list = js_list(j, "platforms");
	}
	for (size_t i = 0; i < all->count; i++) {
		HN_VERDICT_SCOPED struct hn_verdict v = HN_VERDICT_EMPTY;

		if (hn_prove(&s->image, &all->at[i], &v, e) < 0)
			return -1;
		no += !v.yes;
		put_case(&cases, a->at[0], &all->at[i], &v);
		if (j != NULL)
			json_verdict(list, &all->at[i], &v);
		else
			print_verdict(&all->at[i], &v);
	}
	*ret_yes = no == 0;
	if (junit != NULL && write_junit(&cases, all->count, no, e) < 0)
		return -1;
	return j != NULL ? js_print(j, stdout, e) : 0;
}

static int
verify(const struct cli_args *a, struct err *e)
{
	HN_PLATFORMS_SCOPED struct hn_platforms all = HN_PLATFORMS_EMPTY;
	SESSION_SCOPED struct session s = SESSION_EMPTY;
	bool yes = false;

	if (load_platforms(&names, &all, e) < 0 ||
	    (junit != NULL && cli_new_output(a, junit, e) < 0) ||
	    session_open(a, a->at[0], 0, &s, e) < 0 ||
	    prove_all(a, &s, &all, &yes, e) < 0)
		return -1;
	return yes ? 0 : err_set(e, ERR_NO, "%s", "");
}

static const struct cli_opt opts[] = {
	{ .name = "platform", .arg = "P",
	  .help = "a machine it shall boot on; may be repeated",
	  .list = &names },
	{ .name = "chain", .help = "print every link, not only missing ones",
	  .flag = &chain },
	{ .name = "junit", .arg = "FILE",
	  .help = "write the matrix as a JUnit report as well",
	  .value = &junit },
	{ .name = NULL }
};

const struct cli_cmd cmd_verify = {
	.name = "verify", .operands = "DISK",
	.help = "prove, without booting, where an image boots",
	.opts = opts, .common = CMD_DISK | CLI_JSON | CLI_FORCE,
	.min_operands = 1, .max_operands = 1, .run = verify,
};
