/* rule_network.c - network cards that are gone keep no static address
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Row 1.8: Windows ties an address to a card's instance.  One that is no longer
 * in the device tree, or whose driver entry is gone, still holds its address,
 * and no other card can be given it ("already assigned to another adapter").
 * Such a card is set to DHCP, which frees the address; the address itself stays
 * in the registry.  A card that is there keeps what it has, so that the image
 * works where it came from; that others get theirs by DHCP is told.
 */
#include "hal-neutral/rule.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define NET "{4D36E972-E325-11CE-BFC1-08002BE10318}"

/* Is there a driver entry for the interface? */
static bool
has_driver(const struct hn_set *set, const char *guid)
{
	struct hv_key *class = set->control != NULL ?
		hv_find(set->control, "Class\\" NET) : NULL;

	for (struct hv_key *k = class != NULL ? hv_first(class) : NULL;
	     k != NULL; k = hv_next(k)) {
		struct err e = ERR_INIT;
		SCOPED_FREE char *id = NULL;

		if (hv_get_str(k, "NetCfgInstanceId", &id, &e) == 1 &&
		    strcasecmp(id, guid) == 0)
			return true;
	}
	return false;
}

/* And a device?  *ret_id is its instance, owned by the caller; NULL unknown. */
static int
has_device(const struct hn_set *set, const char *guid, char **ret_id,
	   bool *ret, struct err *e)
{
	SCOPED_FREE char *path = mem_fmt(e, "Network\\" NET "\\%s\\Connection",
					 guid);
	SCOPED_FREE char *device = NULL;
	struct err odd = ERR_INIT;
	struct hv_key *k = path != NULL && set->control != NULL ?
			   hv_find(set->control, path) : NULL;

	if (path == NULL)
		return -1;
	*ret = false;
	*ret_id = NULL;
	if (k == NULL || hv_get_str(k, "PnPInstanceID", ret_id, &odd) != 1)
		return 0;
	device = mem_fmt(e, "Enum\\%s", *ret_id);
	if (device == NULL)
		return -1;
	*ret = hv_find(set->key, device) != NULL;
	return 0;
}

/* The first static address of an interface, which the caller frees; NULL for
 * one without. */
static char *
static_address(struct hv_key *k)
{
	struct err e = ERR_INIT;
	HV_STRINGS_SCOPED struct hv_strings list = HV_STRINGS_EMPTY;
	uint32_t dhcp = 1;

	if (hv_get_dword(k, "EnableDHCP", &dhcp, &e) != 1 || dhcp != 0 ||
	    hv_get_multi(k, "IPAddress", &list, &e) != 1 || list.count == 0 ||
	    strcmp(list.at[0], "0.0.0.0") == 0)
		return NULL;
	return mem_str(list.at[0], &e);
}

static int
wish_card(struct hn_job *j, const struct hn_set *set, struct hv_key *k,
	  struct err *e)
{
	struct cs_reason r = { "network/1.8", "a card that is gone keeps its "
			       "static address from every other" };
	SCOPED_FREE char *guid = hv_name(k, e), *address = static_address(k);
	SCOPED_FREE char *id = NULL, *key = NULL;
	bool there;

	if (guid == NULL)
		return -1;
	if (address == NULL)
		return 0;
	if (has_device(set, guid, &id, &there, e) < 0)
		return -1;
	if (there && has_driver(set, guid)) {
		if (set == &j->im->set[0])
			buf_fmt(j->notes, "the static address %s stays with "
				"%s; a card of another machine begins with "
				"DHCP (--first-boot can set it)\n", address,
				id);
		return 0;
	}
	key = mem_fmt(e, "%s\\Services\\Tcpip\\Parameters\\Interfaces\\%s",
		      set->name, guid);
	if (key == NULL)
		return -1;
	cs_want_dword(j->plan, j->sys, key, "EnableDHCP", 1, r);
	return 0;
}

static int
wish(struct hn_job *j, struct err *e)
{
	for (size_t s = 0; s < j->im->sets; s++) {
		const struct hn_set *set = &j->im->set[s];
		struct hv_key *tcp = hn_service(set, "Tcpip");

		tcp = tcp != NULL ? hv_find(tcp, "Parameters\\Interfaces") :
		      NULL;
		for (struct hv_key *k = tcp != NULL ? hv_first(tcp) : NULL;
		     k != NULL; k = hv_next(k))
			if (wish_card(j, set, k, e) < 0)
				return -1;
	}
	return 0;
}

const struct hn_rule hn_rule_network = {
	.name = "network",
	.what = "network cards that are gone give their address free",
	.source = "hives of real machines; reports on address conflicts",
	.first = WN_2000, .last = WN_11,
	.tested = HN_SPECIFIED,
	.wish = wish,
};
