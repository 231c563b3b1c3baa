/* names.c - words for what an installation is
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "windows/windows.h"

const char *
wn_generation_name(enum wn_generation g)
{
	static const char *const names[] = {
		"unknown Windows", "Windows 2000", "Windows XP",
		"Windows Server 2003", "Windows Vista", "Windows 7",
		"Windows 8", "Windows 8.1", "Windows 10", "Windows 11",
	};

	return names[g];
}

const char *
wn_arch_name(enum wn_arch a)
{
	static const char *const names[] = {
		"unknown", "x86", "amd64", "arm64", "ia64",
	};

	return names[a];
}

const char *
wn_account_name(enum wn_account a)
{
	static const char *const names[] = {
		"unknown", "local", "domain", "cloud", "system",
	};

	return names[a];
}

const char *
wn_folder_name(enum wn_folder f)
{
	static const char *const names[] = {
		"desktop", "documents", "pictures", "music", "videos",
		"favorites", "downloads", "roaming", "local", "start-menu",
		"programs", "startup", "send-to", "recent", "nethood",
		"printhood", "templates", "cookies", "cache", "history",
		"public-desktop", "public-documents", "public-pictures",
		"public-music", "public-videos", "public-favorites",
		"public-start-menu", "public-templates", "program-data",
	};

	return names[f];
}

/* [MS-LCID] 2.2, those that a desktop Windows was sold in. */
const char *
wn_language_tag(uint16_t lcid)
{
	static const struct {
		uint16_t lcid;
		const char *tag;
	} tags[] = {
		{ 0x0401, "ar-SA" }, { 0x0402, "bg-BG" }, { 0x0404, "zh-TW" },
		{ 0x0405, "cs-CZ" }, { 0x0406, "da-DK" }, { 0x0407, "de-DE" },
		{ 0x0408, "el-GR" }, { 0x0409, "en-US" }, { 0x040a, "es-ES" },
		{ 0x040b, "fi-FI" }, { 0x040c, "fr-FR" }, { 0x040d, "he-IL" },
		{ 0x040e, "hu-HU" }, { 0x0410, "it-IT" }, { 0x0411, "ja-JP" },
		{ 0x0412, "ko-KR" }, { 0x0413, "nl-NL" }, { 0x0414, "nb-NO" },
		{ 0x0415, "pl-PL" }, { 0x0416, "pt-BR" }, { 0x0418, "ro-RO" },
		{ 0x0419, "ru-RU" }, { 0x041a, "hr-HR" }, { 0x041b, "sk-SK" },
		{ 0x041d, "sv-SE" }, { 0x041e, "th-TH" }, { 0x041f, "tr-TR" },
		{ 0x0422, "uk-UA" }, { 0x0424, "sl-SI" }, { 0x0425, "et-EE" },
		{ 0x0426, "lv-LV" }, { 0x0427, "lt-LT" }, { 0x0804, "zh-CN" },
		{ 0x0807, "de-CH" }, { 0x0809, "en-GB" }, { 0x080c, "fr-BE" },
		{ 0x0816, "pt-PT" }, { 0x0c07, "de-AT" }, { 0x0c0a, "es-ES" },
		{ 0x0c0c, "fr-CA" }, { 0x100c, "fr-CH" },
	};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (tags[i].lcid == lcid)
			return tags[i].tag;
	return NULL;
}
