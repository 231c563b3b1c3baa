/* test_rt_guest.c - guest files, and the machine each makes
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "runtime/device.h"
#include "runtime/guest.h"

static const char good[] =
	"name: corp\n"
	"os: win7\n"
	"memory: 1024\n"
	"cpus: 2\n"
	"disk: ide\n"
	"network: restricted\n"
	"require-isolation: true\n"
	"image: win7-corp:3\n"
	"repository: ../repo\n"
	"key: /etc/device.key\n"
	"user: corp-user\n"
	"health: {console: well, within: 9}\n"
	"keep: true\n";

#define SOURCES "image: b\nrepository: r\nkey: k\n"

static const struct {
	const char *name, *text, *says;
} bad[] = {
	{ "unknown key", "name: a\nos: xp\ncpu: 2\n" SOURCES, "t:3:" },
	{ "no name", "os: xp\n" SOURCES, "name" },
	{ "no os", "name: a\n" SOURCES, "os" },
	{ "no image", "name: a\nos: xp\nrepository: r\nkey: k\n", "image" },
	{ "no repository", "name: a\nos: xp\nimage: b\nkey: k\n", "repository" },
	{ "no key", "name: a\nos: xp\nimage: b\nrepository: r\n", "key" },
	{ "no map", "- a\n", "map" },
	{ "os", "name: a\nos: win95\n" SOURCES, "t:2:" },
	{ "unknown key below", "name: a\nos: xp\nhealth:\n  withn: 2\n" SOURCES,
	  "t:4:" },
	{ "user with a comma", "name: a\nos: xp\nuser: 'a,b'\n" SOURCES, "user" },
	{ "sound without a display", "name: a\nos: xp\nsound: true\n" SOURCES,
	  "display" },
	{ "clipboard", "name: a\nos: xp\nclipboard: yes\n" SOURCES, "t:3:" },
	{ "a TPM for a system that knows none",
	  "name: a\nos: win7\ntpm: true\n" SOURCES, "TPM" },
	{ "network", "name: a\nos: xp\nnetwork: bridged\n" SOURCES, "t:3:" },
	{ "keep", "name: a\nos: xp\nkeep: perhaps\n" SOURCES, "t:3:" },
	{ "memory", "name: a\nos: xp\nmemory: 9000\n" SOURCES, "t:3:" },
	{ "cpus", "name: a\nos: xp\ncpus: 0\n" SOURCES, "t:3:" },
	{ "name that climbs", "name: ../a\nos: xp\n" SOURCES, "name" },
	{ "name that is an option", "name: -a\nos: xp\n" SOURCES, "name" },
	{ "image that is an option",
	  "name: a\nos: xp\nimage: -b\nrepository: r\nkey: k\n", "image" },
	{ "image with a comma",
	  "name: a\nos: xp\nimage: 'b,c'\nrepository: r\nkey: k\n", "image" },
};

static void
test_good(void **state)
{
	struct err e = ERR_INIT;
	struct rt_guest g;

	(void)state;
	assert_int_equal(rt_guest_parse("t", good, sizeof(good) - 1, &g, &e), 0);
	assert_string_equal(g.name, "corp");
	assert_string_equal(g.image, "win7-corp:3");
	assert_string_equal(g.user, "corp-user");
	assert_true(g.health.given);
	assert_string_equal(g.health.console, "well");
	assert_int_equal(g.health.within, 9);
	assert_int_equal(g.health.tries, 3);
	assert_string_equal(g.repo, "../repo");
	assert_string_equal(g.key, "/etc/device.key");
	assert_int_equal(g.os, RT_WIN7);
	assert_int_equal(g.disk, RT_IDE);
	assert_int_equal(g.net, RT_NET_RESTRICTED);
	assert_int_equal(g.memory, 1024);
	assert_int_equal(g.cpus, 2);
	assert_true(g.keep);
	assert_true(g.isolate);
	rt_guest_done(&g);
}

/* What is left out comes from the system's row. */
static void
test_defaults(void **state)
{
	static const char text[] = "name: a\nos: xp\n" SOURCES;
	struct err e = ERR_INIT;
	struct rt_guest g;

	(void)state;
	assert_int_equal(rt_guest_parse("t", text, sizeof(text) - 1, &g, &e), 0);
	assert_int_equal(g.disk, RT_IDE);
	assert_int_equal(g.net, RT_NET_NONE);
	assert_int_equal(g.memory, 512);
	assert_int_equal(g.cpus, 1);
	assert_false(g.keep);
	assert_false(g.isolate);
	rt_guest_done(&g);
}

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rt_guest g = { .memory = 77 };
		struct err e = ERR_INIT;

		if (rt_guest_parse("t", bad[i].text, strlen(bad[i].text), &g,
				   &e) == 0 || e.kind != ERR_USAGE ||
		    strstr(e.msg, bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].name, e.msg);
		assert_int_equal(g.memory, 77);
	}
}

static void
test_no_memory(void **state)
{
	(void)state;
	for (unsigned nth = 1;; nth++) {
		struct err e = ERR_INIT;
		struct rt_guest g;

		mem_fail_from(nth);
		int r = rt_guest_parse("t", good, sizeof(good) - 1, &g, &e);
		mem_fail_from(0);
		if (r == 0) {
			rt_guest_done(&g);
			break;
		}
		assert_int_equal(e.kind, ERR_NOMEM);
	}
}

/* One argument a line, as the golden files have it. */
static void
command_line(enum rt_os os, bool kvm, struct buf *out)
{
	static char user[] = "u:1";
	bool has_user = os == RT_XP || os == RT_WIN10;
	struct rt_guest g = {
		.name = (char []){ "corp" }, .os = os,
		.user = has_user ? user : NULL,
		.disk = rt_device(os)->disk,
		.net = os == RT_WIN7 ? RT_NET_NAT : RT_NET_RESTRICTED,
		.display = os == RT_WIN7 ? RT_DISPLAY_SPICE
			 : has_user ? RT_DISPLAY_VNC : RT_DISPLAY_NONE,
		.sound = has_user || os == RT_WIN7,
		.clipboard = os == RT_WIN7 || os == RT_WIN10,
		.tpm = rt_device(os)->tpm == RT_TPM_WANTED,
		.memory = rt_device(os)->memory, .cpus = rt_device(os)->cpus,
	};
	struct rt_machine m = {
		.guest = &g, .kvm = kvm, .qmp_fd = 3, .debug_fd = 4,
		.serial_fd = 5, .vars_fd = 6, .net_fd = 7, .tpm_fd = 8,
		.socket = "block.sock",
		.uuid = "01234567-89ab-4cde-8f01-23456789abcd",
	};
	RT_WORDS_SCOPED struct rt_words w = RT_WORDS_EMPTY;
	struct err e = ERR_INIT;

	if (rt_device_argv(&m, "qemu-system-x86_64", &w, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < w.count; i++)
		buf_fmt(out, "%s%s", w.at[i],
			i + 1 < w.count && w.at[i + 1][0] != '-' ? " " : "\n");
	assert_int_equal(buf_ok(out, &e), 0);
}

/* A guest's hardware is a promise: it changes only on purpose.  To write the
 * files anew, set HALCYON_GOLDEN to a folder. */
static void
test_golden(void **state)
{
	const char *again = getenv("HALCYON_GOLDEN");

	(void)state;
	for (int os = RT_XP; os <= RT_WIN11; os++)
		for (int kvm = 0; kvm < 2; kvm++) {
			BUF_SCOPED struct buf now = BUF_EMPTY;
			SCOPED_FREE uint8_t *was = NULL;
			struct err e = ERR_INIT;
			char path[256];
			size_t len;

			if (rt_device((enum rt_os)os)->uefi &&
			    rt_device_firmware() == NULL)
				continue;
			(void)snprintf(path, sizeof(path), "%s/%s-%s",
				       again != NULL ? again
				       : "tests/unit/golden/qemu",
				       rt_os_words[os], kvm ? "kvm" : "tcg");
			command_line((enum rt_os)os, kvm != 0, &now);
			if (again != NULL) {
				assert_int_equal(io_put(path, now.at, now.len,
							0644, &e), 0);
				continue;
			}
			if (io_slurp(path, 1 << 16, &was, &len, &e) < 0)
				fail_msg("%s", e.msg);
			if (len != now.len || memcmp(was, now.at, len) != 0)
				fail_msg("%s: another machine now:\n%s", path,
					 (const char *)now.at);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests_name("guest", tests, NULL, NULL);
}
