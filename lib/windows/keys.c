/* keys.c - hives of an installation, and registry paths as places in them
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "windows/windows.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "windows/windows-private.h"

/* One log beside a hive, into the list; an absent one is left out. */
static int
load_log(struct vo *vo, const char *path, const char *suffix,
	 struct hv_log *log, uint8_t **data, struct err *e)
{
	SCOPED_FREE char *name = mem_fmt(e, "%s%s", path, suffix);
	size_t len;
	int r;

	if (name == NULL)
		return -1;
	r = vo_slurp(vo, name, WN_HIVE_MAX, data, &len, e);
	if (r == 1)
		*log = (struct hv_log){ .name = suffix, .at = *data,
					.len = len };
	return r;
}

struct hv_hive *
wn_load_hive(struct vo *vo, const char *path, enum hv_logs how, struct err *e)
{
	static const char *const suffixes[] = { ".LOG", ".LOG1", ".LOG2" };
	SCOPED_FREE uint8_t *image = NULL, *log0 = NULL, *log1 = NULL,
		*log2 = NULL;
	uint8_t **const data[] = { &log0, &log1, &log2 };
	struct hv_log logs[3];
	size_t len, count = 0;
	int r = vo_slurp(vo, path, WN_HIVE_MAX, &image, &len, e);

	if (r == 0)
		(void)err_set(e, ERR_NO, "%s: %s: no such file", vo_name(vo),
			      path);
	if (r != 1)
		return NULL;
	for (size_t i = 0; i < 3; i++) {
		r = load_log(vo, path, suffixes[i], &logs[count], data[i], e);
		if (r < 0)
			return NULL;
		count += (size_t)r;
	}
	return hv_open(path, image, len, logs, count, how, e);
}

struct hv_hive *
wn_hive_load(const struct wn_install *in, enum wn_hive which, struct err *e)
{
	static const char *const names[WN_HIVES] = {
		"SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT",
	};

	if (in->hive_path[which] == NULL) {
		(void)err_set(e, ERR_NO, "%s: has no hive %s",
			      in->guest->volume[in->volume].vo == NULL ?
			      in->root : vo_name(wn_vo(in)), names[which]);
		return NULL;
	}
	return wn_load_hive(wn_vo(in), in->hive_path[which], HV_LOGS_REPLAY,
			    e);
}

struct hv_hive *
wn_hive(struct wn_install *in, enum wn_hive which, struct err *e)
{
	if (in->hive[which] == NULL && in->hive_path[which] == NULL) {
		(void)err_set(e, ERR_NO, "%s: a hive is missing", in->root);
		return NULL;
	}
	if (in->hive[which] == NULL)
		in->hive[which] = wn_load_hive(wn_vo(in), in->hive_path[which],
					       HV_LOGS_READ, e);
	return in->hive[which];
}

struct hv_key *
wn_control_set(struct wn_install *in, struct err *e)
{
	struct hv_hive *h = wn_hive(in, WN_SYSTEM, e);
	struct hv_key *set;
	char name[32];

	if (h == NULL)
		return NULL;
	(void)snprintf(name, sizeof(name), "ControlSet%03u", in->control_set);
	set = hv_find(hv_root(h), name);
	if (set == NULL)
		(void)err_set(e, ERR_CORRUPT, "SYSTEM: Select names %s, which "
			      "is not there", name);
	return set;
}

void
wn_key_done(struct wn_key *k)
{
	free(k->hive);
	free(k->key);
	*k = (struct wn_key)WN_KEY_EMPTY;
}

/* If *path begins with this key, step over it. */
static bool
step(const char **path, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(*path, name, n) != 0 ||
	    ((*path)[n] != '\0' && (*path)[n] != '\\'))
		return false;
	*path += n;
	while (**path == '\\')
		(*path)++;
	return true;
}

static int
in_hive(const struct wn_install *in, enum wn_hive which, const char *prefix,
	const char *rest, struct wn_key *ret, struct err *e)
{
	WN_KEY_SCOPED struct wn_key k = { .volume = in->volume };

	if (in->hive_path[which] == NULL)
		return err_set(e, ERR_NO, "%s: that hive is missing",
			       in->root);
	k.hive = mem_str(in->hive_path[which], e);
	k.key = mem_fmt(e, "%s%s%s", prefix,
			*prefix != '\0' && *rest != '\0' ? "\\" : "", rest);
	if (k.hive == NULL || k.key == NULL)
		return -1;
	*ret = TAKE(k);
	return 0;
}

static int
in_machine(const struct wn_install *in, const char *rest, struct wn_key *ret,
	   struct err *e)
{
	char set[32];

	if (step(&rest, "SOFTWARE"))
		return in_hive(in, WN_SOFTWARE, "", rest, ret, e);
	if (step(&rest, "SAM"))
		return in_hive(in, WN_SAM, "", rest, ret, e);
	if (step(&rest, "SECURITY"))
		return in_hive(in, WN_SECURITY, "", rest, ret, e);
	if (!step(&rest, "SYSTEM"))
		return err_set(e, ERR_USAGE, "HKLM\\%s: is not on the disk; "
			       "there are SYSTEM, SOFTWARE, SAM and SECURITY",
			       rest);
	(void)snprintf(set, sizeof(set), "ControlSet%03u", in->control_set);
	/* First the step: it moves rest. */
	bool current = step(&rest, "CurrentControlSet");
	return in_hive(in, WN_SYSTEM, current ? set : "", rest, ret, e);
}

/* "alice\Software", "S-1-5-21-..._Classes\x" */
static int
in_user(const struct wn_install *in, const char *rest, struct wn_key *ret,
	struct err *e)
{
	static const char classes[] = "_Classes";
	const size_t tail = sizeof(classes) - 1;
	WN_KEY_SCOPED struct wn_key k = WN_KEY_EMPTY;
	size_t n = strcspn(rest, "\\");
	SCOPED_FREE char *name = mem_strn(rest, n, e);
	SCOPED_FREE char *path = NULL;
	enum wn_user_hive which = WN_NTUSER;
	const struct wn_user *u;
	char shown[64];
	int r;

	if (name == NULL)
		return -1;
	rest += n;
	while (*rest == '\\')
		rest++;
	if (n > tail && strcasecmp(name + n - tail, classes) == 0) {
		name[n - tail] = '\0';
		which = WN_USRCLASS;
	}
	u = wn_user(in, name);
	if (u == NULL)
		return err_set(e, ERR_NO, "HKU\\%s: no such user",
			       err_quote(shown, sizeof(shown), name,
					 strlen(name)));
	path = wn_user_hive_path(in, u, which, e);
	if (path == NULL)
		return -1;
	r = wn_find_path(in, path, &k.volume, &k.hive, e);
	if (r == 0)
		return err_set(e, ERR_NO, "%s: lies on no disk here", path);
	if (r < 0)
		return -1;
	k.key = mem_str(rest, e);
	if (k.key == NULL)
		return -1;
	*ret = TAKE(k);
	return 0;
}

int
wn_find_key(struct wn_install *in, const char *path, struct wn_key *ret,
	    struct err *e)
{
	const char *rest = path;
	char shown[96], set[64];

	while (*rest == '\\')
		rest++;
	if (step(&rest, "HKLM") || step(&rest, "HKEY_LOCAL_MACHINE"))
		return in_machine(in, rest, ret, e);
	if (step(&rest, "HKCR") || step(&rest, "HKEY_CLASSES_ROOT"))
		return in_hive(in, WN_SOFTWARE, "Classes", rest, ret, e);
	if (step(&rest, "HKCC") || step(&rest, "HKEY_CURRENT_CONFIG")) {
		(void)snprintf(set, sizeof(set), "ControlSet%03u\\"
			       "Hardware Profiles\\Current", in->control_set);
		return in_hive(in, WN_SYSTEM, set, rest, ret, e);
	}
	if (step(&rest, "HKU") || step(&rest, "HKEY_USERS")) {
		if (step(&rest, ".DEFAULT") || step(&rest, "S-1-5-18"))
			return in_hive(in, WN_DEFAULT, "", rest, ret, e);
		return in_user(in, rest, ret, e);
	}
	return err_set(e, ERR_USAGE, "%s: no registry path; it begins with "
		       "HKLM, HKU, HKCR or HKCC (and a user's own keys are "
		       "HKU\\NAME\\...)",
		       err_quote(shown, sizeof(shown), path, strlen(path)));
}
