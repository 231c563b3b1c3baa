/* guest.c - what a guest is: the file halcyon-guest(5)
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/guest.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "runtime/device.h"

const char *const rt_os_words[] = { "xp", "vista", "win7", "win10", "win11",
				    NULL };
const char *const rt_disk_words[] = { "ide", "ahci", "virtio-blk",
				      "virtio-scsi", "nvme", NULL };
const char *const rt_display_words[] = { "none", "vnc", "spice", NULL };
const char *const rt_net_words[] = { "none", "restricted", "nat", NULL };

void
rt_guest_done(struct rt_guest *g)
{
	free(g->name);
	free(g->image);
	free(g->user);
	free(g->repo);
	free(g->key);
	free(g->health.console);
	rt_usb_rules_done(&g->usb);
	*g = (struct rt_guest)RT_GUEST_EMPTY;
}

bool
rt_guest_name_ok(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t len = strspn(name, letters);

	return len > 0 && len <= RT_NAME_MAX && name[len] == '\0' &&
	       name[0] != '-' && name[len - 1] != '-';
}

bool
rt_guest_image_ok(const char *image)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";

	return image[0] != '\0' && image[0] != '-' && strlen(image) <= 255 &&
	       image[strspn(image, letters)] == '\0';
}

/* The image, and where it and the key that opens it are. */
static int
read_sources(struct yml *doc, struct rt_guest *g, struct err *e)
{
	const char *image = yml_str(doc, "image", YML_NEEDED, e);
	const char *user = yml_str(doc, "user", "", e);
	const char *repo = yml_str(doc, "repository", YML_NEEDED, e);
	const char *key = yml_str(doc, "key", YML_NEEDED, e);

	g->keep = yml_bool(doc, "keep", false, e);
	if (yml_end(doc, e) < 0)
		return -1;
	if (!rt_guest_image_ok(image))
		return yml_err(doc, e, "image is not NAME, NAME:VERSION or "
			       "NAME:TAG");
	if (user[0] != '\0') {
		if (!rt_guest_image_ok(user))
			return yml_err(doc, e, "user is not NAME, NAME:VERSION "
				       "or NAME:TAG");
		g->user = mem_str(user, e);
		if (g->user == NULL)
			return -1;
	}
	g->image = mem_str(image, e);
	g->repo = mem_str(repo, e);
	g->key = mem_str(key, e);
	return g->image == NULL || g->repo == NULL || g->key == NULL ? -1 : 0;
}

static int
read_health(struct yml *doc, struct rt_guest *g, struct err *e)
{
	struct yml *h = yml_map(doc, "health", e);
	const char *text;

	g->health.within = 600;
	g->health.tries = 3;
	if (h == NULL)
		return 0;
	g->health.given = true;
	g->health.within = (unsigned)yml_u64(h, "within", 1, 86400, 600, e);
	g->health.tries = (unsigned)yml_u64(h, "tries", 1, 10, 3, e);
	text = yml_str(h, "console", "", e);
	if (yml_end(h, e) < 0)
		return -1;
	if (text[0] == '\0')
		return 0;
	g->health.console = mem_str(text, e);
	return g->health.console == NULL ? -1 : 0;
}

/* How a user meets the guest. */
static int
read_desk(struct yml *doc, struct rt_guest *g, struct err *e)
{
	static const char *const verdicts[] = { "deny", "allow", NULL };

	g->display = (enum rt_display)yml_word(doc, "display", rt_display_words,
					       RT_DISPLAY_NONE, e);
	bool shown = g->display != RT_DISPLAY_NONE;
	g->sound = yml_bool(doc, "sound", shown, e);
	g->clipboard = yml_word(doc, "clipboard", verdicts, 0, e) == 1;
	if (!shown && (g->sound || g->clipboard))
		return yml_err(doc, e, "sound and clipboard need a display");
	return 0;
}

static int
read_machine(struct yml *doc, struct rt_guest *g, struct err *e)
{
	const struct rt_device *d = rt_device(g->os);

	g->disk = (enum rt_disk)yml_word(doc, "disk", rt_disk_words,
					  (size_t)d->disk, e);
	g->net = (enum rt_net)yml_word(doc, "network", rt_net_words,
					RT_NET_NONE, e);
	g->memory = (unsigned)yml_u64(doc, "memory", 64, d->memory_max,
				       d->memory, e);
	g->cpus = (unsigned)yml_u64(doc, "cpus", 1, d->cpus_max, d->cpus, e);
	g->tpm = yml_bool(doc, "tpm", d->tpm == RT_TPM_WANTED, e);
	if (g->tpm && d->tpm == RT_TPM_NEVER)
		return yml_err(doc, e, "%s knows no TPM 2.0",
			       rt_os_words[g->os]);
	return 0;
}

static int
read_guest(struct yml *doc, struct rt_guest *g, struct err *e)
{
	if (doc->kind != YML_MAP)
		return yml_err(doc, e, "is not a map of keys; see halcyon-guest(5)");

	const char *name = yml_str(doc, "name", YML_NEEDED, e);
	const char *os = yml_str(doc, "os", YML_NEEDED, e);
	g->os = (enum rt_os)yml_word(doc, "os", rt_os_words, RT_XP, e);
	g->isolate = yml_bool(doc, "require-isolation", false, e);
	if (read_machine(doc, g, e) < 0 || read_desk(doc, g, e) < 0 ||
	    rt_usb_rules_read(doc, &g->usb, e) < 0 ||
	    read_health(doc, g, e) < 0 || read_sources(doc, g, e) < 0 ||
	    name == NULL || os == NULL)
		return -1;
	if (!rt_guest_name_ok(name))
		return yml_err(doc, e, "name must be at most %d of a-z, 0-9 and -, "
				"without - at its ends", RT_NAME_MAX);
	g->name = mem_str(name, e);
	return g->name == NULL ? -1 : 0;
}

static int
finish(struct yml *doc, struct rt_guest *ret, struct err *e)
{
	RT_GUEST_SCOPED struct rt_guest g = RT_GUEST_EMPTY;

	if (doc == NULL || read_guest(doc, &g, e) < 0)
		return -1;
	*ret = TAKE(g);
	return 0;
}

int
rt_guest_load(const char *path, struct rt_guest *ret, struct err *e)
{
	YML_SCOPED struct yml *doc = yml_load(path, e);

	return finish(doc, ret, e);
}

int
rt_guest_parse(const char *name, const void *text, size_t len,
	       struct rt_guest *ret, struct err *e)
{
	YML_SCOPED struct yml *doc = yml_parse(name, text, len, e);

	return finish(doc, ret, e);
}
