/* cmd_batch.c - profmig batch: many migrations, each in processes of its own
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every job has a folder in the state directory with its bundle, its plan, its
 * report and its result.  A job that is done and whose inputs are as they were
 * is not done again.  A target made from a base appears only when its job has
 * succeeded.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/pool.h"
#include "base/proc.h"
#include "base/stop.h"
#include "profmig/cmd.h"
#include "profmig/jobs.h"

enum {
	ARGS_MAX = 4096, OUTPUT_MAX = 256 << 20, RESULT_MAX = 8192,
	DAY_MS = 24 * 3600 * 1000,
};

static struct cli_list recipients, rules, only;
static const char *work_dir, *shard, *parallel;
static bool assess, retry_failed;
static const char *key;
static char exe[PATH_MAX];

struct run {
	const struct pm_job *job;
	char *dir;		/* owned */
	char *inputs;		/* owned; a hash as text */
};

/* Words of a command line that are all owned elsewhere. */
struct words {
	size_t count;
	const char *at[ARGS_MAX];
};

static void
say(struct words *w, const char *word)
{
	if (w->count + 1 < ARGS_MAX)
		w->at[w->count++] = word;
	w->at[w->count] = NULL;
}

static void
run_drop(void *p)
{
	struct run *r = p;

	free(r->dir);
	free(r->inputs);
	free(r);
}

/* ---- what a job's inputs are ---- */

static void
add_file(struct hash *h, const char *path)
{
	struct stat st;
	char text[128];
	int n = 0;

	if (*path != '\0' && stat(path, &st) == 0)
		n = snprintf(text, sizeof(text), "%lld %lld.%ld",
			     (long long)st.st_size,
			     (long long)st.st_mtim.tv_sec,
			     st.st_mtim.tv_nsec);
	if (n > 0)
		hash_add(h, text, (size_t)n);
}

static char *
inputs_of(const struct pm_job *j, struct err *e)
{
	const char *const words[] = { j->computer, j->source, j->users,
				      j->base, j->target, j->as,
				      assess ? "assess" : "migrate" };
	uint8_t sum[HASH_BYTES];
	char text[2 * HASH_BYTES + 1];
	struct hash h;

	hash_begin(&h);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		hash_add(&h, words[i], strlen(words[i]) + 1);
	add_file(&h, j->source);
	add_file(&h, j->base);
	hash_end(&h, sum);
	hash_text(sum, text);
	return mem_str(text, e);
}

/* "done HASH" or "failed HASH reason", as the job's result file has it; NULL
 * when it never ran. */
static char *
result_of(const char *dir)
{
	struct err none = ERR_INIT;
	SCOPED_FREE char *path = io_join(dir, "result", &none);
	SCOPED_FREE uint8_t *raw = NULL;
	size_t len;

	if (path == NULL || io_slurp(path, RESULT_MAX, &raw, &len, &none) < 0)
		return NULL;
	while (len > 0 && raw[len - 1] == '\n')
		len--;
	return mem_strn(raw, len, &none);
}

/* ---- one job ---- */

static int
tool(struct words *w, const char *report, struct err *e)
{
	BUF_SCOPED struct buf out = BUF_EMPTY;

	if (proc_must(w->at, NULL, 0, &out, OUTPUT_MAX, DAY_MS, e) < 0)
		return -1;
	return report == NULL ? 0 : io_put(report, out.at, out.len, 0644, e);
}

static int
extract_job(const struct pm_job *j, const char *bundle, struct err *e)
{
	SCOPED_FREE char *users = mem_str(j->users, e);
	struct words w = { .count = 0 };

	if (users == NULL)
		return -1;
	say(&w, exe);
	say(&w, "extract");
	say(&w, j->source);
	say(&w, "--force");
	say(&w, "-o");
	say(&w, bundle);
	for (size_t i = 0; i < recipients.count; i++) {
		say(&w, "-R");
		say(&w, recipients.at[i]);
	}
	if (*users == '\0')
		say(&w, "--all");
	for (char *p = users; *p != '\0';) {
		size_t n = strcspn(p, ";");
		bool last = p[n] == '\0';

		p[n] = '\0';
		if (n > 0) {
			say(&w, "--user");
			say(&w, p);
		}
		p += n + (last ? 0 : 1);
	}
	return tool(&w, NULL, e);
}

/* plan, apply or verify. */
static int
target_job(const struct pm_job *j, const char *verb, const char *bundle,
	   const char *target, const char *plan, const char *report,
	   struct err *e)
{
	struct words w = { .count = 0 };

	say(&w, exe);
	say(&w, verb);
	say(&w, bundle);
	say(&w, target);
	say(&w, "-q");
	say(&w, "-k");
	say(&w, key);
	if (*j->as != '\0') {
		say(&w, "--as");
		say(&w, j->as);
	}
	for (size_t i = 0; i < rules.count; i++) {
		say(&w, "--rules");
		say(&w, rules.at[i]);
	}
	if (plan != NULL) {
		say(&w, "--force");
		say(&w, "-o");
		say(&w, plan);
	}
	if (report != NULL)
		say(&w, "--json");
	return tool(&w, report, e);
}

static int
copy_base(const char *from, const char *to, struct err *e)
{
	const char *const argv[] = { "cp", "--sparse=always",
				     "--reflink=auto", "--", from, to, NULL };
	BUF_SCOPED struct buf out = BUF_EMPTY;

	return proc_must(argv, NULL, 0, &out, RESULT_MAX, DAY_MS, e);
}

static int
migrate(const struct run *r, struct err *e)
{
	const struct pm_job *j = r->job;
	SCOPED_FREE char *bundle = io_join(r->dir, "bundle", e);
	SCOPED_FREE char *plan = io_join(r->dir, "plan.yaml", e);
	SCOPED_FREE char *report = io_join(r->dir, "report.json", e);
	const char *dot = strrchr(j->target, '.');
	SCOPED_FREE char *part = NULL;
	const char *target = j->target;
	int got;

	if (bundle == NULL || plan == NULL || report == NULL ||
	    extract_job(j, bundle, e) < 0)
		return -1;
	if (assess)
		return target_job(j, "plan", bundle, *j->base != '\0' ?
				  j->base : target, plan, report, e);
	if (*j->base != '\0') {
		/* The suffix stays: it tells the format. */
		part = mem_fmt(e, "%.*s.part%s", dot == NULL ?
			       (int)strlen(target) : (int)(dot - target),
			       target, dot == NULL ? "" : dot);
		if (part == NULL || copy_base(j->base, part, e) < 0)
			return -1;
		target = part;
	}
	got = target_job(j, "plan", bundle, target, plan, NULL, e) < 0 ||
		target_job(j, "apply", bundle, target, NULL, NULL, e) < 0 ||
		target_job(j, "verify", bundle, target, NULL, report, e) < 0 ?
		-1 : 0;
	if (part == NULL)
		return got;
	if (got < 0) {
		(void)remove(part);
		return -1;
	}
	if (rename(part, j->target) < 0)
		return err_sys(e, "%s", j->target);
	return 0;
}

/* One job; a failure is its result, and no reason to stop the others. */
static int
run_job(void *p, struct err *e)
{
	struct run *r = p;
	struct err why = ERR_INIT;
	SCOPED_FREE char *path = io_join(r->dir, "result", e);
	SCOPED_FREE char *text = NULL;
	int got = stop_check(e);

	if (got == 0 && path != NULL) {
		bool done = io_mkdirs(r->dir, 0755, &why) == 0 &&
			migrate(r, &why) == 0;

		if (!done)
			log_warn("%s: %s", r->job->computer, why.msg);
		text = done ? mem_fmt(e, "done %s\n", r->inputs) :
			mem_fmt(e, "failed %s %s\n", r->inputs, why.msg);
		got = text == NULL ? -1 : io_put(path, text, strlen(text),
						 0644, e);
	}
	run_drop(r);
	return path == NULL ? -1 : got;
}

/* ---- which jobs ---- */

static bool
is_chosen(const struct pm_job *j, size_t index, uint64_t k, uint64_t n)
{
	if (index % n != k - 1)
		return false;
	if (only.count == 0)
		return true;
	for (size_t i = 0; i < only.count; i++)
		if (strcasecmp(only.at[i], j->computer) == 0)
			return true;
	return false;
}

/* "K/N" */
static int
read_shard(uint64_t *k, uint64_t *n, struct err *e)
{
	SCOPED_FREE char *text = mem_str(shard == NULL ? "1/1" : shard, e);
	char *slash = text == NULL ? NULL : strchr(text, '/');

	if (text == NULL)
		return -1;
	if (slash != NULL)
		*slash = '\0';
	if (slash == NULL || !num_parse(slash + 1, 1, 1000000, false, n) ||
	    !num_parse(text, 1, *n, false, k))
		return err_set(e, ERR_USAGE, "--shard %s: K/N is wanted, with "
			       "K from 1 to N", shard);
	return 0;
}

/* A run of the job, or NULL with no error when nothing is to do. */
static struct run *
plan_run(const struct pm_job *j, struct err *e)
{
	SCOPED_FREE char *dir = io_join(work_dir, j->computer, e);
	SCOPED_FREE char *inputs = inputs_of(j, e);
	SCOPED_FREE char *had = dir == NULL ? NULL : result_of(dir);
	struct run *r;
	bool done, failed;

	if (dir == NULL || inputs == NULL)
		return NULL;
	done = had != NULL && strncmp(had, "done ", 5) == 0 &&
		strcmp(had + 5, inputs) == 0;
	failed = had != NULL && strncmp(had, "failed ", 7) == 0;
	if (done || (retry_failed && !failed))
		return NULL;
	r = mem_array(1, sizeof(*r), e);
	if (r != NULL)
		*r = (struct run){ .job = j, .dir = TAKE(dir),
				   .inputs = TAKE(inputs) };
	return r;
}

/* ---- the summary ---- */

static void
csv_text(struct buf *out, const char *text)
{
	buf_u8(out, '"');
	/* A spreadsheet takes these for a formula. */
	if (strchr("=+-@", text[0]) != NULL && text[0] != '\0')
		buf_u8(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_u8(out, '"');
		buf_u8(out, (unsigned char)*text < 0x20 ? ' ' :
		       (uint8_t)*text);
	}
	buf_u8(out, '"');
}

/* How many items of the report arrived, were changed, were dropped. */
static void
count_items(const char *dir, size_t ret[3])
{
	static const char *const words[] = {
		"arrives", "transformed", "dropped",
	};
	struct err none = ERR_INIT;
	SCOPED_FREE char *path = io_join(dir, "report.json", &none);
	SCOPED_FREE uint8_t *raw = NULL;
	JS_SCOPED struct js *doc = NULL;
	const struct js *people;
	size_t len;

	if (path == NULL || io_slurp(path, OUTPUT_MAX, &raw, &len, &none) < 0)
		return;
	doc = js_parse(raw, len, &none);
	people = doc == NULL ? NULL : js_get(doc, "people");
	for (size_t i = 0; people != NULL && i < js_count(people); i++) {
		const struct js *items = js_get(js_at(people, i), "items");

		for (size_t k = 0; items != NULL && k < js_count(items); k++) {
			const char *o = js_get_str(js_at(items, k),
						   "outcome");

			for (size_t n = 0; o != NULL && n < 3; n++)
				ret[n] += strcmp(o, words[n]) == 0;
		}
	}
}

static int
write_summary(const struct pm_jobs *jobs, size_t *ret_failed, struct err *e)
{
	SCOPED_FREE char *path = io_join(work_dir, "summary.csv", e);
	BUF_SCOPED struct buf out = BUF_EMPTY;

	buf_str(&out, "computer,source,target,result,arrived,changed,dropped,"
		"message\r\n");
	for (size_t i = 0; i < jobs->count; i++) {
		const struct pm_job *j = &jobs->at[i];
		SCOPED_FREE char *dir = io_join(work_dir, j->computer, e);
		SCOPED_FREE char *had = dir == NULL ? NULL : result_of(dir);
		const char *reason = "";
		size_t n[3] = { 0 };

		if (dir == NULL)
			return -1;
		if (had != NULL && strncmp(had, "failed ", 7) == 0) {
			reason = strchr(had + 7, ' ');
			reason = reason == NULL ? "" : reason + 1;
			(*ret_failed)++;
		}
		if (had != NULL && strncmp(had, "done ", 5) == 0)
			count_items(dir, n);
		csv_text(&out, j->computer);
		buf_u8(&out, ',');
		csv_text(&out, j->source);
		buf_u8(&out, ',');
		csv_text(&out, j->target);
		buf_fmt(&out, ",%.*s,%zu,%zu,%zu,", had == NULL ? 6 :
			(int)strcspn(had, " "), had == NULL ? "not-run" : had,
			n[0], n[1], n[2]);
		csv_text(&out, reason);
		buf_str(&out, "\r\n");
	}
	if (path == NULL || buf_ok(&out, e) < 0)
		return -1;
	return io_put(path, out.at, out.len, 0644, e);
}

static int
start(const struct cli_args *a, struct pm_jobs *jobs, uint64_t *ret_threads,
      struct err *e)
{
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n <= 0)
		return err_sys(e, "/proc/self/exe");
	exe[n] = '\0';
	if (work_dir == NULL || recipients.count == 0)
		return err_set(e, ERR_USAGE, "%s: needs --work DIR and -R PUB",
			       a->at[0]);
	*ret_threads = 0;
	if (parallel != NULL && !num_parse(parallel, 1, 1024, false,
					   ret_threads))
		return err_set(e, ERR_USAGE, "--parallel %s: a number is "
			       "wanted", parallel);
	if (cli_need_key(a, e) < 0 || pm_jobs_load(a->at[0], jobs, e) < 0)
		return -1;
	key = a->key;
	return io_mkdirs(work_dir, 0755, e);
}

static int
batch(const struct cli_args *a, struct err *e)
{
	PM_JOBS_SCOPED struct pm_jobs jobs = PM_JOBS_EMPTY;
	POOL_SCOPED struct pool *pool = NULL;
	uint64_t threads, k = 1, n = 1;
	size_t begun = 0, failed = 0;

	if (start(a, &jobs, &threads, e) < 0 || read_shard(&k, &n, e) < 0)
		return -1;
	pool = pool_new((size_t)threads, 16, run_job, run_drop, e);
	if (pool == NULL)
		return -1;
	for (size_t i = 0; i < jobs.count; i++) {
		struct run *r = is_chosen(&jobs.at[i], i, k, n) ?
			plan_run(&jobs.at[i], e) : NULL;

		if (r == NULL && e->kind != ERR_NONE)
			return -1;
		if (r == NULL)
			continue;
		begun++;
		if (pool_put(pool, r, e) < 0)
			return -1;
	}
	if (pool_wait(pool, e) < 0 || write_summary(&jobs, &failed, e) < 0)
		return -1;
	(void)printf("%zu jobs, %zu run now, %zu failed\n", jobs.count, begun,
		     failed);
	return failed == 0 ? 0 : err_set(e, ERR_PARTIAL, "%s: %zu of %zu jobs "
					 "failed; %s/summary.csv tells why",
					 a->at[0], failed, jobs.count,
					 work_dir);
}

static const struct cli_opt opts[] = {
	{ .name = "work", .arg = "DIR",
	  .help = "keep bundles, plans, reports and results in DIR",
	  .value = &work_dir },
	{ .name = "recipient", .letter = 'R', .arg = "PUB",
	  .help = "seal the bundles to PUB", .list = &recipients },
	{ .name = "rules", .arg = "DIR",
	  .help = "also the rules in DIR; see halcyon-rules(5)",
	  .list = &rules },
	{ .name = "assess", .help = "only tell what would happen; no target "
	  "is written", .flag = &assess },
	{ .name = "retry-failed", .help = "only jobs that failed",
	  .flag = &retry_failed },
	{ .name = "only", .arg = "COMPUTER", .help = "only this job",
	  .list = &only },
	{ .name = "shard", .arg = "K/N",
	  .help = "only every Nth job, beginning with the Kth",
	  .value = &shard },
	{ .name = "parallel", .arg = "N",
	  .help = "jobs at a time (default: one a core)", .value = &parallel },
	{ .name = NULL }
};

const struct cli_cmd cmd_batch = {
	.name = "batch", .operands = "JOBS",
	.help = "migrate many people by a list", .opts = opts,
	.common = CLI_KEY, .min_operands = 1, .max_operands = 1, .run = batch,
};
