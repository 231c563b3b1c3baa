/* cmd_inspect.c - imgtool inspect: what is on a disk
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "disk/disk.h"
#include "imgtool/cmd.h"
#include "imgtool/inspect.h"
#include "imgtool/reg.h"
#include "source/source.h"
#include "windows/windows.h"

static const char *
scheme_name(enum dk_scheme s)
{
	return s == DK_MBR ? "MBR" : s == DK_GPT ? "GPT" : "no table";
}

/* A word for each thing that makes writing unwise, or the reader should know. */
static size_t
states(const struct wn_install *in, const char *ret[16])
{
	static const char *const dirty[WN_HIVES] = {
		"hive SYSTEM dirty", "hive SOFTWARE dirty", "hive SAM dirty",
		"hive SECURITY dirty", "hive DEFAULT dirty",
	};
	size_t n = 0;

	if (in->hibernated)
		ret[n++] = "hibernated";
	if (in->fast_startup)
		ret[n++] = "fast startup enabled";
	if (in->volume_dirty)
		ret[n++] = "volume dirty";
	if (in->pending)
		ret[n++] = "updates or renames pending";
	if (in->generalised)
		ret[n++] = "generalised";
	if (in->current_set != in->control_set)
		ret[n++] = "control set Current differs from Default";
	for (size_t i = 0; i < WN_HIVES; i++)
		if (in->dirty_hive[i])
			ret[n++] = dirty[i];
	return n;
}

/* ---- as JSON -------------------------------------------------------------- */

static void
json_volumes(struct js *j, const struct wn_guest *g)
{
	struct js *list = js_list(j, "volumes");

	for (size_t i = 0; i < g->volumes; i++) {
		const struct wn_volume *v = &g->volume[i];
		struct js *o = js_item(list);

		if (v->name != NULL)
			js_str(o, "name", v->name);
		js_u64(o, "partition", v->part);
		js_u64(o, "start", v->start);
		js_u64(o, "size", v->size);
		js_bool(o, "active", v->active);
		js_str(o, "kind", vo_kind_name(v->kind));
		js_str(o, "why", v->why);
		if (v->vo != NULL) {
			js_str(o, "label", vo_facts(v->vo)->label);
			js_bool(o, "dirty", vo_facts(v->vo)->dirty ||
				vo_facts(v->vo)->log_dirty);
			js_bool(o, "shadow-copies",
				vo_facts(v->vo)->shadow_copies);
		}
	}
}

static void
json_users(struct js *o, const struct wn_install *in)
{
	struct js *list = js_list(o, "users");

	for (size_t i = 0; i < in->users; i++) {
		const struct wn_user *u = &in->user[i];
		struct js *one = js_item(list);
		char sid[WN_SID_TEXT];

		js_str(one, "name", u->name);
		js_str(one, "sid", wn_sid_text(&u->sid, sid));
		js_str(one, "account", wn_account_name(u->account));
		js_str(one, "profile", u->profile);
		js_u64(one, "state", u->state);
		js_bool(one, "folder", u->exists);
		js_bool(one, "hive", u->has_hive);
	}
	list = js_list(o, "accounts");
	for (size_t i = 0; i < in->accounts; i++) {
		struct js *one = js_item(list);

		js_str(one, "name", in->account[i].name);
		js_u64(one, "rid", in->account[i].rid);
	}
}

static void
json_letters(struct js *o, const struct wn_install *in)
{
	struct js *list = js_list(o, "letters");

	for (size_t i = 0; i < in->letters; i++) {
		const struct wn_letter *l = &in->letter[i];
		const char text[] = { l->letter, ':', '\0' };
		struct js *one = js_item(list);

		js_str(one, "letter", text);
		js_str(one, "device", l->device);
		if (l->volume != SIZE_MAX)
			js_u64(one, "partition",
			       in->guest->volume[l->volume].part);
	}
}

static void
json_install(struct js *o, struct wn_install *in)
{
	char version[64], sid[WN_SID_TEXT];
	const char *word[16];
	struct js *list;

	(void)snprintf(version, sizeof(version), "%u.%u.%u", in->major,
		       in->minor, in->build);
	js_str(o, "product", in->product);
	js_str(o, "generation", wn_generation_name(in->generation));
	js_str(o, "edition", in->edition);
	js_str(o, "version", version);
	js_str(o, "service-pack", in->service_pack);
	js_str(o, "architecture", wn_arch_name(in->arch));
	js_str(o, "language", wn_language_tag(in->language));
	js_bool(o, "server", in->server);
	js_u64(o, "partition", in->guest->volume[in->volume].part);
	js_str(o, "root", in->root);
	js_str(o, "system-root", in->system_root);
	js_bool(o, "boots", in->boots);
	js_str(o, "boot-title", in->boot_title);
	js_u64(o, "control-set", in->control_set);
	js_u64(o, "current-set", in->current_set);
	js_str(o, "computer", in->computer);
	js_str(o, "domain", in->domain);
	js_str(o, "machine-sid", wn_sid_text(&in->machine_sid, sid));
	js_str(o, "profiles", in->profiles);
	js_str(o, "default-profile", in->default_profile);
	js_str(o, "program-files", in->program_files);
	json_letters(o, in);
	json_users(o, in);
	list = js_list(o, "state");
	for (size_t i = 0, n = states(in, word); i < n; i++)
		js_item_str(list, word[i]);
	inspect_json(o, in);
	js_str(o, "notes", in->notes);
}

static void
json_guest(struct js *j, const struct wn_guest *g)
{
	struct js *list;

	js_str(j, "disk", g->disk->name);
	js_u64(j, "size", g->disk->size);
	js_str(j, "partition-table", scheme_name(g->parts.scheme));
	json_volumes(j, g);
	list = js_list(j, "installations");
	for (size_t i = 0; i < g->installs; i++)
		json_install(js_item(list), &g->install[i]);
}

/* ---- as text -------------------------------------------------------------- */

static void
text(const char *label, const char *value)
{
	if (value == NULL)
		return;
	(void)printf("  %-14s", label);
	reg_print_text(stdout, value);
	(void)putchar('\n');
}

static void
print_volume(const struct wn_volume *v)
{
	if (v->name == NULL) {
		(void)printf("partition %u", v->part);
	} else {
		(void)printf("volume ");
		reg_print_text(stdout, v->name);
	}
	(void)printf(": %s, %" PRIu64 " MiB", vo_kind_name(v->kind),
		     v->size >> 20);
	if (v->vo != NULL && vo_facts(v->vo)->label[0] != '\0') {
		(void)printf(", \"");
		reg_print_text(stdout, vo_facts(v->vo)->label);
		(void)putchar('"');
	}
	if (v->active)
		(void)printf(", active");
	if (v->esp)
		(void)printf(", EFI system partition");
	if (v->vo != NULL && vo_facts(v->vo)->shadow_copies)
		(void)printf(", shadow copies");
	if (v->why != NULL)
		(void)printf(": %s", v->why);
	(void)putchar('\n');
}

static void
print_users(const struct wn_install *in)
{
	char sid[WN_SID_TEXT];

	for (size_t i = 0; i < in->users; i++) {
		const struct wn_user *u = &in->user[i];

		if (u->account == WN_ACCOUNT_SYSTEM)
			continue;
		(void)printf("  %-14s", "user");
		reg_print_text(stdout, u->name);
		(void)printf(" (%s, %s) ", wn_account_name(u->account),
			     wn_sid_text(&u->sid, sid));
		reg_print_text(stdout, u->profile == NULL ? "-" : u->profile);
		(void)printf("%s\n", !u->exists ? ": folder is missing" :
			     !u->has_hive ? ": has no NTUSER.DAT" : "");
	}
}

static void
print_letters(const struct wn_install *in)
{
	for (size_t i = 0; i < in->letters; i++) {
		const struct wn_letter *l = &in->letter[i];

		(void)printf("  %-14s%c: ", "drive", l->letter);
		if (l->volume != SIZE_MAX)
			(void)printf("partition %u",
				     in->guest->volume[l->volume].part);
		else
			reg_print_text(stdout, l->device);
		(void)putchar('\n');
	}
}

static void
print_install(struct wn_install *in)
{
	const char *word[16];
	size_t n = states(in, word);
	const char *tag = wn_language_tag(in->language);

	(void)putchar('\n');
	reg_print_text(stdout, in->product != NULL ? in->product :
		       wn_generation_name(in->generation));
	if (in->service_pack != NULL) {
		(void)putchar(' ');
		reg_print_text(stdout, in->service_pack);
	}
	(void)printf(", %u.%u.%u, %s%s%s%s\n", in->major, in->minor, in->build,
		     wn_arch_name(in->arch), tag == NULL ? "" : ", ",
		     tag == NULL ? "" : tag, in->boots ? ", boots" : "");
	text("folder", in->system_root);
	(void)printf("  %-14s%u\n", "partition",
		     in->guest->volume[in->volume].part);
	text("computer", in->computer);
	text("domain", in->domain);
	(void)printf("  %-14sControlSet%03u\n", "control set",
		     in->control_set);
	text("profiles", in->profiles);
	print_letters(in);
	print_users(in);
	for (size_t i = 0; i < n; i++)
		text("state", word[i]);
	inspect_text(in);
	for (const char *p = in->notes; p != NULL && *p != '\0';) {
		size_t len = strcspn(p, "\n");

		(void)printf("  %-14s%.*s\n", "note", (int)len, p);
		p += len + (p[len] == '\n');
	}
}

static void
print_guest(const struct wn_guest *g)
{
	(void)printf("%s: %" PRIu64 " MiB, %s", g->disk->name,
		     g->disk->size >> 20, scheme_name(g->parts.scheme));
	if (g->parts.scheme == DK_MBR)
		(void)printf(", signature %08x", g->parts.signature);
	(void)putchar('\n');
	for (size_t i = 0; i < g->volumes; i++)
		print_volume(&g->volume[i]);
	for (size_t i = 0; i < g->installs; i++)
		print_install(&g->install[i]);
	if (g->installs == 0)
		(void)printf("\nno Windows found\n");
}

/* ---- one disk, many disks ------------------------------------------------- */

static int
inspect_one(const struct cli_args *a, struct err *e)
{
	DK_SCOPED struct dk *d = src_open(a, a->at[0], 0, e);
	WN_SCOPED struct wn_guest *g = d == NULL ? NULL : wn_open(d, 0, e);
	JS_SCOPED struct js *j = NULL;

	if (g == NULL)
		return -1;
	if (!a->json) {
		print_guest(g);
		return 0;
	}
	j = js_new("imgtool inspect", 1, e);
	if (j == NULL)
		return -1;
	json_guest(j, g);
	return js_print(j, stdout, e);
}

/* One of many: its result goes into the document, or is printed at once. */
struct job {
	const char *operand;
	struct js *item;	/* NULL without --json */
	struct dk *disk;	/* open while it waits for the appliance */
};

struct batch {
	size_t count, failed;
	struct job *job;	/* owned */
};

static void
batch_done(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		dk_free(&b->job[i].disk);
	free(b->job);
}

/* One that cannot be inspected does not end the others. */
static int
fails(struct batch *b, const struct job *job, const struct err *why,
      struct err *e)
{
	if (why->kind == ERR_INTERRUPTED || why->kind == ERR_NOMEM) {
		*e = *why;
		return -1;
	}
	b->failed++;
	log_warn("%s", why->msg);
	if (job->item != NULL) {
		js_str(job->item, "disk", job->operand);
		js_str(job->item, "error", why->msg);
	}
	return 0;
}

static void
show(const struct job *job, const struct wn_guest *g)
{
	if (job->item != NULL)
		json_guest(job->item, g);
	else
		print_guest(g);
}

/* Without the appliance; a disk that needs it stays open. */
static int
try_natively(const struct cli_args *a, struct batch *b, struct job *job,
	     struct err *e)
{
	struct err why = ERR_INIT;
	DK_SCOPED struct dk *d = src_open(a, job->operand, 0, &why);
	WN_SCOPED struct wn_guest *g = d == NULL ? NULL
				     : wn_open_with(d, 0, NULL, &why);

	if (g == NULL)
		return fails(b, job, &why, e);
	if (!wn_wants_appliance(g, 0)) {
		show(job, g);
		return 0;
	}
	wn_free(&g);
	g = NULL;
	job->disk = TAKE(d);
	return 0;
}

/* All that wait, as many as one launch takes; *at is where to go on. */
static int
try_together(struct batch *b, size_t *at, struct err *e)
{
	struct dk *disks[VO_APPLIANCE_DISKS];
	VO_APPLIANCE_SCOPED struct vo_appliance *a = NULL;
	struct err why = ERR_INIT;
	size_t first = *at, n = 0;

	for (; *at < b->count && n < VO_APPLIANCE_DISKS; (*at)++)
		if (b->job[*at].disk != NULL)
			disks[n++] = b->job[*at].disk;
	a = n == 0 ? NULL : vo_appliance_new(disks, n, &why);
	for (size_t i = first; i < *at; i++) {
		struct job *job = &b->job[i];
		struct err own = why;
		WN_SCOPED struct wn_guest *g = NULL;

		if (job->disk == NULL)
			continue;
		g = a == NULL ? NULL : wn_open_with(job->disk, 0, a, &own);
		if (g != NULL)
			show(job, g);
		else if (fails(b, job, &own, e) < 0)
			return -1;
	}
	return 0;
}

static int
inspect_all(const struct cli_args *a, struct batch *b, struct js *list,
	    struct err *e)
{
	size_t at = 0;

	for (size_t i = 0; i < b->count; i++) {
		b->job[i].operand = a->at[i];
		b->job[i].item = list == NULL ? NULL : js_item(list);
	}
	for (size_t i = 0; i < b->count; i++)
		if (stop_check(e) < 0 || try_natively(a, b, &b->job[i], e) < 0)
			return -1;
	while (at < b->count)
		if (try_together(b, &at, e) < 0)
			return -1;
	return 0;
}

static int
inspect_many(const struct cli_args *a, struct err *e)
{
	SCOPED(batch_done) struct batch b = { .count = 0 };
	JS_SCOPED struct js *j = NULL;

	b.job = mem_array(a->count, sizeof(*b.job), e);
	if (b.job == NULL)
		return -1;
	b.count = a->count;
	if (a->json && (j = js_new("imgtool inspect", 1, e)) == NULL)
		return -1;
	if (inspect_all(a, &b, j == NULL ? NULL : js_list(j, "disks"), e) < 0 ||
	    (j != NULL && js_print(j, stdout, e) < 0))
		return -1;
	if (b.failed > 0)
		return err_set(e, ERR_PARTIAL, "%zu of %zu disks could not be "
			       "inspected", b.failed, b.count);
	return 0;
}

static int
inspect(const struct cli_args *a, struct err *e)
{
	return a->count == 1 ? inspect_one(a, e) : inspect_many(a, e);
}

const struct cli_cmd cmd_inspect = {
	.name = "inspect", .operands = "DISK...",
	.help = "show the volumes and the Windows installations on disks",
	.common = CLI_JSON | CLI_REPO | CLI_KEY | CLI_STATE | CLI_FORMAT |
		  CLI_VOLUMES,
	.min_operands = 1, .max_operands = SIZE_MAX, .run = inspect,
};
