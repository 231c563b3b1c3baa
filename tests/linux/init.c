/* init.c - the only program of the small Linux guest that tests run
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * It loads the drivers it finds in /modules, says on the serial port what the
 * machine has, reads back what an earlier start wrote to the disk, and goes on
 * writing: a block, fsync, "ACK n".  mkdisk.sh compiles it, statically; words on
 * the kernel's command line say what else to do:
 *
 *	writes=N	how many blocks to write (0)
 *	host=A.B.C.D port=N	connect to this address and TCP port
 *	loopback=N	connect to this TCP port of what its network calls the host
 *	stay		wait for the power button rather than power off
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096
#define FIRST (24L << 20)	/* behind the file system it was started from */

static char cmdline[4096];

__attribute__((format(printf, 1, 2))) static void
say(const char *fmt, ...)
{
	static int serial = -1;
	char text[512];
	va_list ap;

	if (serial < 0)
		serial = open("/dev/ttyS0", O_WRONLY | O_NOCTTY);
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0 && write(serial, text, (size_t)n) < 0)
		_exit(1);
}

/* The value of WORD=N on the command line, or `otherwise`. */
static long
number(const char *word, long otherwise)
{
	const char *at = strstr(cmdline, word);

	return at == NULL ? otherwise : strtol(at + strlen(word), NULL, 10);
}

static void
read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (fd >= 0)
		(void)close(fd);
}

/* In the order of their names, which mkdisk.sh chose. */
static void
load_modules(void)
{
	struct dirent **list;
	int n = scandir("/modules", &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char path[300];

		(void)snprintf(path, sizeof(path), "/modules/%s",
			       list[i]->d_name);
		int fd = open(path, O_RDONLY);
		/* What fits no device here is of no interest. */
		(void)syscall(SYS_finit_module, fd, "", 0);
		(void)close(fd);
	}
}

/* The largest disk: the first that appears. */
static int
open_disk(char *name, size_t size)
{
	static const char *const names[] = { "vda", "sda", "nvme0n1", NULL };

	for (int tenth = 0; tenth < 100; tenth++) {
		for (const char *const *n = names; *n != NULL; n++) {
			(void)snprintf(name, size, "/dev/%s", *n);
			int fd = open(name, O_RDWR);
			if (fd >= 0)
				return fd;
		}
		(void)usleep(100000);
	}
	return -1;
}

static void
fill(uint8_t *block, long n)
{
	for (size_t i = 0; i < BLOCK; i++)
		block[i] = (uint8_t)((size_t)n * 31 + i * 7 + 1);
	(void)snprintf((char *)block, 32, "HALCYON-BLOCK %ld", n);
}

/* How many blocks of an earlier start are there, one after the other? */
static long
count_blocks(int fd)
{
	static uint8_t want[BLOCK], got[BLOCK];
	long n = 0;

	for (;; n++) {
		fill(want, n);
		if (pread(fd, got, BLOCK, FIRST + n * BLOCK) != BLOCK ||
		    memcmp(want, got, BLOCK) != 0)
			return n;
	}
}

static void
write_blocks(int fd, long from, long to)
{
	static uint8_t block[BLOCK];
	long errors = 0;

	for (long n = from; n < to; n++) {
		fill(block, n);
		if (pwrite(fd, block, BLOCK, FIRST + n * BLOCK) != BLOCK ||
		    fsync(fd) < 0)
			errors++;
		else
			say("ACK %ld\n", n + 1);
	}
	say("DONE %ld errors\n", errors);
}

/* What the kernel complained of: a retried command is no error to a program. */
static void
tell_complaints(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	char line[2048];
	long count = 0;
	ssize_t n;

	while ((n = read(fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		if (strstr(line, "I/O error") != NULL ||
		    strstr(line, "exception Emask") != NULL ||
		    strstr(line, "failed command") != NULL ||
		    strstr(line, "timed out") != NULL) {
			say("KERNEL %s\n", line);
			count++;
		}
	}
	say("COMPLAINTS %ld\n", count);
}

static void
set_address(int fd, struct ifreq *r, unsigned long what, const char *text)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	(void)inet_aton(text, &a.sin_addr);
	memcpy(&r->ifr_addr, &a, sizeof(a));
	(void)ioctl(fd, what, r);
}

/* QEMU's user network: 10.0.2.0/24, where the host is 10.0.2.2. */
static bool
bring_up(const char *name)
{
	struct ifreq r = { .ifr_flags = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	set_address(fd, &r, SIOCSIFADDR, "10.0.2.15");
	set_address(fd, &r, SIOCSIFNETMASK, "255.255.255.0");
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	bool up = ioctl(fd, SIOCSIFFLAGS, &r) == 0;
	(void)close(fd);
	return up;
}

/* Everything else is behind the host. */
static void
add_route(void)
{
	struct rtentry r = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct sockaddr_in any = { .sin_family = AF_INET }, gate = any;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)inet_aton("10.0.2.2", &gate.sin_addr);
	memcpy(&r.rt_dst, &any, sizeof(any));
	memcpy(&r.rt_genmask, &any, sizeof(any));
	memcpy(&r.rt_gateway, &gate, sizeof(gate));
	(void)ioctl(fd, SIOCADDRT, &r);
	(void)close(fd);
}

static const char *
try_port(const char *host, long port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT | POLLIN };
	char word[16] = "";

	(void)inet_aton(host, &a.sin_addr);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 &&
	    errno != EINPROGRESS)
		return "unreachable";
	for (int second = 0; second < 5; second++) {
		p.events = POLLIN;
		if (poll(&p, 1, 1000) > 0)
			break;
	}
	if (read(fd, word, sizeof(word) - 1) <= 0)
		return "unreachable";
	return strncmp(word, "HELLO", 5) == 0 ? "reached" : "garbled";
}

static void
tell_network(void)
{
	struct if_nameindex *list = if_nameindex();
	const char *name = NULL;

	for (int tenth = 0; tenth < 20 && name == NULL; tenth++) {
		for (size_t i = 0; list != NULL && list[i].if_index != 0; i++)
			if (strcmp(list[i].if_name, "lo") != 0)
				name = list[i].if_name;
		if (name == NULL)
			(void)usleep(50000);
	}
	if (name == NULL || !bring_up(name)) {
		say("NETWORK none\n");
		return;
	}
	say("NETWORK card\n");
	add_route();
	const char *at = strstr(cmdline, "host=");
	char host[20] = "";
	if (at != NULL && sscanf(at, "host=%19[0-9.]", host) == 1)
		say("HOST %s\n", try_port(host, number("port=", 0)));
	if (number("loopback=", 0) != 0)
		say("LOOPBACK %s\n",
		    try_port("10.0.2.2", number("loopback=", 0)));
}

static void
tell_tpm(void)
{
	char version[16];

	read_text("/sys/class/tpm/tpm0/tpm_version_major", version,
		  sizeof(version));
	say("TPM %s\n", version[0] == '\0' ? "none" : version);
}

/* Until somebody presses the power button. */
static void
await_button(void)
{
	struct pollfd p[8];
	nfds_t count = 0;

	for (int i = 0; i < 8; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/dev/input/event%d", i);
		int fd = open(path, O_RDONLY);
		if (fd >= 0)
			p[count++] = (struct pollfd){ .fd = fd,
						      .events = POLLIN };
	}
	for (;;) {
		struct input_event e;

		(void)poll(p, count, -1);
		for (nfds_t i = 0; i < count; i++)
			if (p[i].revents != 0 &&
			    read(p[i].fd, &e, sizeof(e)) == sizeof(e) &&
			    e.type == EV_KEY && e.code == KEY_POWER)
				return;
	}
}

int
main(void)
{
	char name[32] = "none";

	(void)mount("proc", "/proc", "proc", 0, NULL);
	(void)mount("sys", "/sys", "sysfs", 0, NULL);
	(void)mount("dev", "/dev", "devtmpfs", 0, NULL);
	read_text("/proc/cmdline", cmdline, sizeof(cmdline));
	say("LINUX UP\n");
	load_modules();
	tell_tpm();
	tell_network();
	int disk = open_disk(name, sizeof(name));
	say("DISK %s\n", disk < 0 ? "none" : name);
	if (disk >= 0) {
		long found = count_blocks(disk);

		say("FOUND %ld\n", found);
		write_blocks(disk, found, found + number("writes=", 0));
	}
	tell_complaints();
	if (strstr(cmdline, "stay") != NULL)
		await_button();
	say("OFF\n");
	(void)reboot(RB_POWER_OFF);
	return 1;
}
