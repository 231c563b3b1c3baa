/* cmd_inspect.c - hal-neutral inspect: what decides where an image boots
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "hal-neutral/cmd.h"

/* The services that can drive a boot disk, as far as they are installed. */
static const char *const storage[] = {
	"atapi", "intelide", "pciide", "msahci", "storahci", "stornvme",
	"iaStor", "iaStorV", "iaStorAV", "iaStorAVC", "iaStorVD", "amdsata",
	"nvstor", "nvraid", "LSI_SCSI", "LSI_SAS", "LSI_SAS2", "LSI_SAS2i",
	"LSI_SAS3i", "symmpi", "megasas", "megasas2i", "megasr", "pvscsi",
	"vmbus", "storvsc", "storflt", "viostor", "vioscsi", NULL
};

static const char *const starts[] = {
	"boot", "system", "auto", "demand", "disabled", "invalid"
};

static const char *
firmware(const struct hn_image *im)
{
	return im->bios && im->uefi ? "bios and uefi" : im->bios ? "bios" :
	       im->uefi ? "uefi" : "none";
}

/* One storage service: the state of its start and its file. */
static int
one_service(struct hn_image *im, const char *name, struct hv_key *k,
	    struct js *list, struct err *e)
{
	SCOPED_FREE char *file = NULL;
	const struct hn_module *m = NULL;
	bool overridden;
	const char *start = starts[hn_effective_start(k, &overridden)];
	const char *why = "its file lies on no disk here";
	int r = hn_service_file(im, k, &file, e);
	char quoted[512];

	if (r < 0 || (r == 1 && (m = hn_module(im, file, e)) == NULL))
		return -1;
	if (m != NULL)
		why = m->why;
	if (list != NULL) {
		struct js *one = js_item(list);

		js_str(one, "service", name);
		js_str(one, "start", start);
		js_bool(one, "overridden", overridden);
		js_str(one, "file", file);
		js_str(one, "fault", why);
		return 0;
	}
	(void)printf("  %-12s %s%s%s%s\n", name, start,
		     overridden ? " (StartOverride)" : "",
		     why != NULL ? ", " : "",
		     why != NULL ? err_quote(quoted, sizeof(quoted), why,
					     strlen(why)) : "");
	return 0;
}

static int
services(struct hn_image *im, struct js *list, struct err *e)
{
	for (const char *const *n = storage; *n != NULL; n++) {
		struct hv_key *k = hn_service(&im->set[0], *n);

		if (k != NULL && one_service(im, *n, k, list, e) < 0)
			return -1;
	}
	return 0;
}

/* Where it boots as it is, on all platforms that ship. */
static int
matrix(struct hn_image *im, struct js *list, struct err *e)
{
	HN_PLATFORMS_SCOPED struct hn_platforms all = HN_PLATFORMS_EMPTY;

	if (hn_platforms_shipped(&all, e) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++) {
		HN_VERDICT_SCOPED struct hn_verdict v = HN_VERDICT_EMPTY;
		const struct hn_link *l;
		char what[512], why[512];

		if (hn_prove(im, &all.at[i], &v, e) < 0)
			return -1;
		l = hn_first_missing(&v);
		if (list != NULL) {
			struct js *one = js_item(list);

			js_str(one, "platform", all.at[i].name);
			js_bool(one, "boots", v.yes);
			js_str(one, "link", l != NULL ? l->kind : NULL);
			js_str(one, "what", l != NULL ? l->what : NULL);
			js_str(one, "why", l != NULL ? l->why : NULL);
		} else if (l == NULL) {
			(void)printf("  %-20s YES\n", all.at[i].name);
		} else {
			(void)printf("  %-20s NO   %s %s: %s\n",
				     all.at[i].name, l->kind,
				     err_quote(what, sizeof(what), l->what,
					       strlen(l->what)),
				     err_quote(why, sizeof(why), l->why,
					       strlen(l->why)));
		}
	}
	return 0;
}

static int
as_json(struct session *s, const char *disk, struct err *e)
{
	JS_SCOPED struct js *j = js_new("hal-neutral inspect", 1, e);
	struct hn_image *im = &s->image;
	struct js *list;

	if (j == NULL)
		return -1;
	js_str(j, "disk", disk);
	js_str(j, "windows", wn_generation_name(im->in->generation));
	js_str(j, "product", im->in->product);
	js_str(j, "processor", wn_arch_name(im->in->arch));
	js_str(j, "root", im->in->system_root);
	js_str(j, "firmware", firmware(im));
	list = js_list(j, "control-sets");
	for (size_t i = 0; i < im->sets; i++)
		js_item_str(list, im->set[i].name);
	if (services(im, js_list(j, "storage"), e) < 0 ||
	    matrix(im, js_list(j, "platforms"), e) < 0)
		return -1;
	return js_print(j, stdout, e);
}

static int
inspect(const struct cli_args *a, struct err *e)
{
	SESSION_SCOPED struct session s = SESSION_EMPTY;
	struct hn_image *im = &s.image;

	if (session_open(a, a->at[0], 0, &s, e) < 0)
		return -1;
	if (a->json)
		return as_json(&s, a->at[0], e);
	(void)printf("%s: %s, %s, in %s, starts from %s\n", a->at[0],
		     wn_generation_name(im->in->generation),
		     wn_arch_name(im->in->arch), im->in->system_root,
		     firmware(im));
	(void)printf("control sets: %s (next boot)", im->set[0].name);
	for (size_t i = 1; i < im->sets; i++)
		(void)printf(", %s", im->set[i].name);
	(void)printf("\nstorage drivers:\n");
	if (services(im, NULL, e) < 0)
		return -1;
	(void)printf("boots on:\n");
	return matrix(im, NULL, e);
}

const struct cli_cmd cmd_inspect = {
	.name = "inspect", .operands = "DISK",
	.help = "show what decides where an image boots",
	.common = CMD_DISK | CLI_JSON, .min_operands = 1, .max_operands = 1,
	.run = inspect,
};
