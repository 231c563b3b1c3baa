/* test_base_accel.c - each verdict on KVM, from a KVM of the test's own
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ioctl() and the processor's description are the test's: the kernel's device
 * could show one verdict only, that of this machine.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/accel.h"
#include "base/clock.h"
#include "base/err.h"

/* How the test's KVM behaves. */
static struct {
	bool refuses_vm;	/* no guest can be made */
	bool fails;		/* a guest ends in an error */
	unsigned first_ms, second_ms;	/* for the port writes, for the loop */
	const char *flags;	/* of the processor; NULL: this machine's own */
} kvm;

static int cpu = -1, runs;

static int
run(void)
{
	const uint32_t halt = kvm.fails ? KVM_EXIT_SHUTDOWN : KVM_EXIT_HLT;

	(void)usleep((runs++ == 0 ? kvm.first_ms : kvm.second_ms) * 1000);
	return pwrite(cpu, &halt, sizeof(halt),
		      offsetof(struct kvm_run, exit_reason)) < 0 ? -1 : 0;
}

int
ioctl(int fd, unsigned long request, ...)
{
	if (request == KVM_GET_API_VERSION)
		return 12;
	if (request == KVM_GET_VCPU_MMAP_SIZE)
		return (int)sizeof(struct kvm_run);
	if (request == KVM_CREATE_VM) {
		errno = EBUSY;
		return kvm.refuses_vm ? -1 : dup(fd);
	}
	if (request == KVM_CREATE_VCPU) {
		cpu = memfd_create("cpu", 0);
		return ftruncate(cpu, sizeof(struct kvm_run)) < 0 ? -1 : cpu;
	}
	return request == KVM_RUN ? run() : 0;
}

int fake_open(const char *path, int flags, ...) __asm__("open64");

int
fake_open(const char *path, int flags, ...)
{
	va_list ap;

	va_start(ap, flags);
	mode_t mode = va_arg(ap, mode_t);
	va_end(ap);
	if (kvm.flags == NULL || strcmp(path, "/proc/cpuinfo") != 0)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	int fd = memfd_create("cpuinfo", 0);
	(void)dprintf(fd, "processor\t: 0\nflags\t\t: fpu %s sse\nbugs\t\t:\n",
		      kvm.flags);
	(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

static struct accel
probe(const char *device)
{
	struct accel a;
	struct err e = ERR_INIT;
	uint64_t start = clock_ms();

	assert_int_equal(accel_probe(device, &a, &e), 0);
	/* Whatever hangs: on a busy machine a little later than its limit. */
	assert_in_range(clock_ms() - start, 0, 4 * ACCEL_LIMIT_MS);
	assert_true(strlen(a.why) > 0);
	return a;
}

static void
test_hardware(void **state)
{
	(void)state;
	memset(&kvm, 0, sizeof(kvm));
	kvm.flags = "vmx";
	struct accel a = probe("/dev/null");
	assert_string_equal(accel_words[a.verdict], "hw");
	assert_true(a.cpu_flag && accel_kvm(&a));
	kvm.flags = "svm hypervisor";
	a = probe("/dev/null");
	assert_string_equal(accel_words[a.verdict], "nested");
	assert_true(a.guest && accel_kvm(&a));
}

static void
test_software(void **state)
{
	(void)state;
	memset(&kvm, 0, sizeof(kvm));
	kvm.second_ms = 120;
	struct accel a = probe("/dev/null");
	assert_string_equal(accel_words[a.verdict], "software");
	assert_false(accel_kvm(&a));
}

static void
test_broken(void **state)
{
	struct accel a;

	(void)state;
	memset(&kvm, 0, sizeof(kvm));
	kvm.refuses_vm = true;
	a = probe("/dev/null");
	assert_string_equal(accel_words[a.verdict], "broken");
	memset(&kvm, 0, sizeof(kvm));
	kvm.fails = true;
	a = probe("/dev/null");
	assert_string_equal(accel_words[a.verdict], "broken");
	memset(&kvm, 0, sizeof(kvm));
	kvm.first_ms = 10000;	/* hangs in the guest's first instructions */
	a = probe("/dev/null");
	assert_string_equal(accel_words[a.verdict], "broken");
	assert_false(accel_kvm(&a));
}

static void
test_absent(void **state)
{
	char path[] = "/tmp/halcyon-kvm.XXXXXX";

	(void)state;
	memset(&kvm, 0, sizeof(kvm));
	struct accel a = probe("/dev/no-such-device");
	assert_string_equal(accel_words[a.verdict], "absent");
	assert_non_null(strstr(a.why, strerror(ENOENT)));
	int fd = mkstemp(path);
	assert_int_equal(fchmod(fd, 0), 0);
	(void)close(fd);
	a = probe(path);
	(void)unlink(path);
	if (geteuid() == 0)
		return;		/* root may open it all the same */
	assert_string_equal(accel_words[a.verdict], "absent");
	assert_non_null(strstr(a.why, strerror(EACCES)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hardware),
		cmocka_unit_test(test_software),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_absent),
	};

	return cmocka_run_group_tests_name("accel", tests, NULL, NULL);
}
