/* never.c - files that no migration carries, and files that are documents
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first list is what Windows or a program makes anew (caches, logs, hives
 * that are rebuilt from the target's own); the second is that of USMT's
 * MigUser.xml.
 */
#include <string.h>

#include "base/mem.h"
#include "profmig/extract-private.h"
#include "profmig/rules.h"

#define HIVE "the new profile starts from the target's own"
#define CACHE "a cache, which is made anew"
#define TEMP "temporary"

/* A pattern against the path below the profile; "*" matches slashes too. */
static const struct {
	const char *pattern, *why;
} never[] = {
	{ "ntuser.dat*", HIVE }, { "ntuser.ini", HIVE },
	{ "ntuser.pol", "policy, which is applied anew" },
	{ "*/usrclass.dat*", HIVE },
	{ "appdata/local/temp", TEMP },
	{ "appdata/local/microsoft/windows/temporary internet files", CACHE },
	{ "appdata/local/microsoft/windows/history", CACHE },
	{ "appdata/local/microsoft/windows/wer", CACHE },
	{ "appdata/local/microsoft/windows/explorer", CACHE },
	{ "appdata/local/microsoft/windows/caches", CACHE },
	{ "appdata/local/microsoft/windows/inetcache", CACHE },
	{ "appdata/local/microsoft/windows/webcache", CACHE },
	{ "appdata/local/microsoft/windows/notifications", CACHE },
	{ "appdata/local/microsoft/windows/appcache", CACHE },
	{ "appdata/local/packages/*/ac", CACHE },
	{ "appdata/local/packages/*/localcache", CACHE },
	{ "appdata/local/packages/*/tempstate", CACHE },
	{ "appdata/local/crashdumps", CACHE },
	{ "appdata/local/d3dscache", CACHE },
	{ "*/iconcache.db", CACHE }, { "*/gdipfontcachev1.dat", CACHE },
	{ "*/thumbs.db", CACHE },
	{ "appdata/roaming/microsoft/windows/iecompatcache", CACHE },
	{ "appdata/roaming/microsoft/windows/ietldcache", CACHE },
	{ "appdata/roaming/microsoft/windows/privacie", CACHE },
	{ "appdata/roaming/microsoft/windows/iedownloadhistory", CACHE },
	{ "appdata/roaming/microsoft/windows/recent/*destinations", CACHE },
	{ "ietldcache", CACHE }, { "privacie", CACHE }, { "userdata", CACHE },
	{ "*.ost", "an offline copy that Outlook makes anew" },
	{ "*.oab", "an offline address book that Outlook makes anew" },
	{ "*/cache/*", CACHE }, { "*/cache2/*", CACHE },
	{ "*/code cache/*", CACHE }, { "*/gpucache/*", CACHE },
	{ "*/sun/java/deployment/cache", CACHE },
};

const char *
pm_never(const char *path)
{
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (pm_pattern(never[i].pattern, path))
			return never[i].why;
	return NULL;
}

static const char *const documents[] = {
	"*.qdf", "*.qsd", "*.qel", "*.qph", "*.doc*", "*.dot*", "*.rtf",
	"*.mcw", "*.wps", "*.scd", "*.wri", "*.wpd", "*.xl*", "*.csv",
	"*.iqy", "*.dqy", "*.oqy", "*.rqy", "*.wk*", "*.wq1", "*.slk",
	"*.dif", "*.ppt*", "*.pps*", "*.pot*", "*.sh3", "*.ch3", "*.pre",
	"*.ppa", "*.txt", "*.pst", "*.one*", "*.vl*", "*.vsd", "*.mpp",
	"*.or6", "*.accdb", "*.mdb", "*.pub",
};

bool
pm_is_document(const char *name)
{
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		if (pm_pattern(documents[i], name))
			return true;
	return false;
}
