/* files.c - the files of an office worker
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every text file says whose it is: "HALCYON-PLAINTEXT <name> <path>".
 */
#include "testdata/people.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "testdata/lnk.h"

enum { PICTURES = 12, LETTERS = 60, SHEETS = 30, MAILS = 20, PHOTOS = 16 };

/* A path that outlives many calls of path_of(). */
struct place {
	char at[320];
};

static struct place
keep(const char *path)
{
	struct place p;

	(void)snprintf(p.at, sizeof(p.at), "%s", path);
	return p;
}

/* Bytes that do not compress: xorshift64*. */
WRAPS static void
put_noise(struct buf *b, uint64_t seed, size_t len)
{
	uint8_t *at = buf_room(b, len);

	for (size_t i = 0; at != NULL && i < len; i++) {
		seed ^= seed >> 12;
		seed ^= seed << 25;
		seed ^= seed >> 27;
		at[i] = (uint8_t)(seed * UINT64_C(0x2545f4914f6cdd1d) >> 56);
	}
}

/* A number from a text, and the next one after a number. */
WRAPS static uint64_t
seed_of(const char *text)
{
	uint64_t h = 88172645463325252;

	for (; *text != '\0'; text++)
		h = h * 31 + (uint8_t)*text;
	return h;
}

WRAPS static uint64_t
next_of(uint64_t h)
{
	return h * UINT64_C(6364136223846793005) + 1442695040888963407;
}

static void
put_text(struct guest *g, const char *path, const char *who, size_t len,
	 uint32_t attrib)
{
	static const char *const words[] = {
		"contract", "delivery", "invoice", "meeting", "offer", "order",
		"quarter", "report", "schedule", "team", "travel", "warranty",
	};
	BUF_SCOPED struct buf b = BUF_EMPTY;
	uint64_t h = seed_of(path);

	buf_fmt(&b, "HALCYON-PLAINTEXT %s %s\r\n\r\n", who, path);
	for (unsigned n = 1; b.len < len && !b.bad; n++) {
		h = next_of(h);
		buf_fmt(&b, "%s%s", words[(h >> 33) % 12],
			n % 10 == 0 ? ".\r\n" : " ");
	}
	if (buf_ok(&b, g->e) == 0)
		nt_put(g->vol, path, b.at, b.len, attrib);
}

/* A picture that any viewer opens: a colour ramp as a 24-bit bitmap. */
static void
put_bitmap(struct guest *g, const char *path, unsigned tint)
{
	enum { W = 160, H = 120 };
	BUF_SCOPED struct buf b = BUF_EMPTY;

	buf_str(&b, "BM");
	buf_u32le(&b, 54 + W * H * 3);
	buf_u32le(&b, 0);
	buf_u32le(&b, 54);
	buf_u32le(&b, 40);
	buf_u32le(&b, W);
	buf_u32le(&b, H);
	buf_u16le(&b, 1);
	buf_u16le(&b, 24);
	buf_zeros(&b, 24);
	for (unsigned y = 0; y < H; y++)
		for (unsigned x = 0; x < W; x++) {
			buf_u8(&b, (uint8_t)(x + tint * 17));
			buf_u8(&b, (uint8_t)(y * 2));
			buf_u8(&b, (uint8_t)(tint * 40 + x * y / 97));
		}
	if (buf_ok(&b, g->e) == 0)
		nt_put(g->vol, path, b.at, b.len, 0);
}

static void
put_link(struct guest *g, const char *path, const char *target, bool folder)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct lnk l = {
		.target = target, .folder = folder,
		.machine = g->kind->computer,
		.volume_serial = (uint32_t)(g->kind->serial & 0xffffffff),
		.time = g->kind->born + 310 * NT_DAY,
		.about = folder ? NULL : "Opens it",
		.start_in = folder ? NULL : path_of("%c:\\", g->letter),
	};

	lnk_put(&b, &l);
	if (buf_ok(&b, g->e) == 0)
		nt_put(g->vol, path, b.at, b.len, 0);
}

static void
put_favorite(struct guest *g, const char *dir, const char *name,
	     const char *url)
{
	const char *text = path_of("[DEFAULT]\r\nBASEURL=%s\r\n"
				   "[InternetShortcut]\r\nURL=%s\r\n", url, url);

	nt_put(g->vol, path_of("%s/%s.url", dir, name), text, strlen(text), 0);
}

static void
put_documents(struct guest *g, const struct person *who, const char *docs)
{
	static const char *const foreign[] = {
		"Übersicht Verträge Größe.txt", "Отчёт за год.txt",
		"議事録.txt", "party 🎉.txt", "Änderungen/Straße.txt",
		"naïve café.txt",
	};
	static const char longest[] =
		"A very long file name as people give them when they want to "
		"say everything about the minutes of the meeting with the "
		"supplier about the delivery of spare parts in the second "
		"quarter of the year, final version 2";

	nt_dirs(g->vol, path_of("%s/Letters/2008", docs));
	nt_dirs(g->vol, path_of("%s/Projects/Alpha/Minutes", docs));
	nt_dirs(g->vol, path_of("%s/Änderungen", docs));
	nt_dirs(g->vol, path_of("%s/Empty folder", docs));
	for (unsigned i = 1; i <= LETTERS; i++)
		put_text(g, path_of("%s/%s%03u.txt", docs, i == 1 ? "Letter " :
				    i % 2 != 0 ? "Letters/Letter " :
				    "Letters/2008/Letter ", i),
			 who->name, 300 + i * i * 7, 0);
	for (unsigned i = 1; i <= SHEETS; i++)
		put_text(g, path_of("%s/Projects/Alpha/Sheet %02u.csv", docs, i),
			 who->name, 2000 * i, 0);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		put_text(g, path_of("%s/%s", docs, foreign[i]), who->name, 900,
			 0);
	put_text(g, path_of("%s/%s.txt", docs, longest), who->name, 500, 0);
	put_text(g, path_of("%s/Read only.txt", docs), who->name, 400,
		 NT_READONLY);
	put_text(g, path_of("%s/Hidden.txt", docs), who->name, 400, NT_HIDDEN);
	put_text(g, path_of("%s/desktop.ini", docs), who->name, 100,
		 NT_HIDDEN | NT_SYSTEM);
	nt_put(g->vol, path_of("%s/Empty.txt", docs), "", 0, 0);
}

/* Streams, links, holes, compression. */
static void
put_odd_files(struct guest *g, const struct person *who, const char *docs,
	      const char *desktop)
{
	static const char zone[] = "[ZoneTransfer]\r\nZoneId=3\r\n";
	const struct nt_times times = {
		.created = g->kind->born + 40 * NT_DAY + 1,
		.written = g->kind->born + 41 * NT_DAY + 2,
		.accessed = g->kind->born + 43 * NT_DAY + 4,
		.changed = g->kind->born + 42 * NT_DAY + 3,
	};
	const char *file = path_of("%s/Downloaded.txt", docs);

	put_text(g, file, who->name, 1500, 0);
	nt_stream(g->vol, file, "Zone.Identifier", zone, sizeof(zone) - 1);
	nt_stream(g->vol, file, "Übersetzung", "HALCYON-STREAM", 14);
	file = path_of("%s/Four times.txt", docs);
	put_text(g, file, who->name, 700, 0);
	nt_stamp(g->vol, file, &times);
	file = path_of("%s/Budget.csv", docs);
	put_text(g, file, who->name, 9000, 0);
	nt_link(g->vol, file, path_of("%s/Budget (same file).csv", desktop));
	nt_put_part(g->vol, path_of("%s/Measurements.dat", docs), 16 << 20,
		    false, 8 << 20, "HALCYON-SPARSE", 14, NT_SPARSE);
	put_text(g, path_of("%s/Archive.log", docs), who->name, 200000,
		 NT_COMPRESSED);
}

static void
put_desktop(struct guest *g, const struct person *who, const char *desktop,
	    const char *docs)
{
	const char *home = path_of("%c:\\%s\\%s", g->letter, g->dir->users,
				   who->name);

	put_text(g, path_of("%s/To do.txt", desktop), who->name, 500, 0);
	put_link(g, path_of("%s/Notepad.lnk", desktop),
		 path_of("%c:\\%s\\notepad.exe", g->letter, g->kind->windows),
		 false);
	put_link(g, path_of("%s/First letter.lnk", desktop),
		 path_of("%s\\%s\\Letter 001.txt", home, g->dir->documents),
		 false);
	put_link(g, path_of("%s/Projects.lnk", desktop),
		 path_of("%s\\%s\\Projects", home, g->dir->documents), true);
	put_link(g, path_of("%s/Gone.lnk", desktop),
		 path_of("%c:\\%s\\Gone\\gone.exe", g->letter,
			 g->dir->programs), false);
	put_link(g, path_of("%s/Shared data.lnk", desktop),
		 path_of("%c:\\Data", g->letter), true);
	put_odd_files(g, who, docs, desktop);
}

static void
put_pictures(struct guest *g, const char *dir, const struct person *who)
{
	nt_dirs(g->vol, path_of("%s/Summer", dir));
	put_bitmap(g, path_of("%s/wallpaper.bmp", dir), who->rid % 7);
	for (unsigned i = 1; i <= PICTURES; i++)
		put_bitmap(g, path_of("%s/Summer/IMG_%04u.bmp", dir, i), i);
}

static void
put_favorites(struct guest *g, const char *dir)
{
	nt_dirs(g->vol, path_of("%s/Links", dir));
	nt_dirs(g->vol, path_of("%s/Suppliers", dir));
	put_favorite(g, dir, "Intranet", "http://intranet.corp.example/");
	put_favorite(g, dir, "Straßenkarte", "http://maps.example.com/");
	put_favorite(g, path_of("%s/Links", dir), "Weather",
		     "http://weather.example.com/");
	for (unsigned i = 1; i <= 20; i++)
		put_favorite(g, path_of("%s/Suppliers", dir),
			     path_of("Supplier %02u", i),
			     path_of("http://supplier%02u.example.com/", i));
}

static void
put_settings_files(struct guest *g, const struct person *who, const char *home)
{
	struct place app = keep(people_path(home, g->dir->roaming));
	struct place mail = keep(path_of("%s/Mailer/Profiles/default", app.at));
	const char *roaming = app.at;

	nt_dirs(g->vol, mail.at);
	for (unsigned i = 1; i <= MAILS; i++)
		put_text(g, path_of("%s/Message %02u.eml", mail.at, i), who->name,
			 1000 + 300 * i, 0);
	nt_dirs(g->vol, path_of("%s/Microsoft/Signatures", roaming));
	put_text(g, path_of("%s/Microsoft/Signatures/Office.txt", roaming),
		 who->name, 200, 0);
	put_link(g, path_of("%s/Microsoft/Internet Explorer/Quick Launch/"
			    "Calculator.lnk", roaming),
		 path_of("%c:\\%s\\system32\\calc.exe", g->letter,
			 g->kind->windows), false);
	put_text(g, path_of("%s/~DF1234.tmp", people_path(home, g->dir->temp)),
		 who->name, 5000, 0);
	put_text(g, path_of("%s/index.dat", people_path(home, g->dir->cache)),
		 who->name, 32768, NT_HIDDEN | NT_SYSTEM);
	if (!nt6(g))
		put_text(g, path_of("%s/ntuser.ini", home), who->name, 60,
			 NT_HIDDEN | NT_SYSTEM);
}

void
put_files(struct guest *g, const struct person *who, const char *home)
{
	struct place docs = keep(people_path(home, g->dir->documents));
	struct place desktop = keep(people_path(home, g->dir->desktop));
	struct place pictures = keep(people_path(home, g->dir->pictures));
	struct place favorites = keep(people_path(home, g->dir->favorites));

	put_documents(g, who, docs.at);
	put_desktop(g, who, desktop.at, docs.at);
	put_pictures(g, pictures.at, who);
	put_favorites(g, favorites.at);
	put_settings_files(g, who, home);
}

void
put_common_files(struct guest *g)
{
	nt_born(g->vol, g->kind->born + 200 * NT_DAY);
	nt_dirs(g->vol, "Data/Team");
	nt_dirs(g->vol, "Data/Photos");
	nt_dirs(g->vol, "Projekte/Brücke");
	for (unsigned i = 1; i <= 20; i++)
		put_text(g, path_of("Data/Team/Report %02u.txt", i), "team",
			 20000 * i, 0);
	for (unsigned i = 1; i <= PHOTOS; i++) {
		BUF_SCOPED struct buf b = BUF_EMPTY;

		buf_bytes(&b, "\xff\xd8\xff\xe0\0\x10JFIF", 10);
		put_noise(&b, i + g->kind->id * UINT64_C(1000), 500000 + i);
		if (buf_ok(&b, g->e) == 0)
			nt_put(g->vol, path_of("Data/Photos/DSC%05u.jpg", i),
			       b.at, b.len, 0);
	}
	put_text(g, "Projekte/Brücke/Statik.txt", "team", 4000, 0);
}
