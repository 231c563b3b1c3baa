/* accel.c - can this machine really run a guest in hardware?
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/accel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"

const char *const accel_words[] = { "hw", "nested", "software", "broken",
					 "absent" };

#define EXITS 1000
/* A million dec/jnz is 1 ms in hardware and 10 ms or so under TCG. */
#define LOOP_SOFTWARE_US 50000

enum stage { OPENING, CREATING, EXITING, LOOPING, DONE };

static const char *const stage_words[] = {
	[OPENING] = "opening it", [CREATING] = "creating a guest",
	[EXITING] = "a guest's first port writes",
	[LOOPING] = "a guest's first million instructions", [DONE] = "",
};

/* What the child tells, once a stage. */
struct report {
	enum stage stage;	/* the one it is in */
	int os;			/* errno when that failed, else 0 */
	uint64_t exit_ns, loop_us;
};

/* Real mode, 16 bits: mov $EXITS,%cx; 1: out %al,$0x10; loop 1b; hlt; then
 * mov $1000000,%ecx; 1: dec %ecx; jnz 1b; hlt. */
static const uint8_t code[] = {
	0xb9, EXITS & 0xff, EXITS >> 8, 0xe6, 0x10, 0xe2, 0xfc, 0xf4,
	0x66, 0xb9, 0x40, 0x42, 0x0f, 0x00, 0x66, 0x49, 0x75, 0xfc, 0xf4,
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* A virtual machine of one page at 0x1000 that holds the code. */
static struct kvm_run *
create(int kvm, int *ret_cpu)
{
	uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region memory = {
		.guest_phys_addr = 0x1000, .memory_size = 4096,
		.userspace_addr = (uintptr_t)page,
	};
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = 0x1000, .rflags = 2 };
	int vm, size;
	void *run;

	if (page == MAP_FAILED)
		return NULL;
	memcpy(page, code, sizeof(code));
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0 || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &memory) < 0)
		return NULL;
	*ret_cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (*ret_cpu < 0 || size < (int)sizeof(struct kvm_run))
		return NULL;
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   *ret_cpu, 0);
	if (run == MAP_FAILED || ioctl(*ret_cpu, KVM_GET_SREGS, &sregs) < 0)
		return NULL;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(*ret_cpu, KVM_SET_SREGS, &sregs) < 0 ||
	    ioctl(*ret_cpu, KVM_SET_REGS, &regs) < 0)
		return NULL;
	return run;
}

/* Run until the guest halts. */
static int
run_to_halt(struct kvm_run *run, int cpu)
{
	do {
		if (ioctl(cpu, KVM_RUN, 0) < 0)
			return -1;
	} while (run->exit_reason == KVM_EXIT_IO);
	errno = EIO;
	return run->exit_reason == KVM_EXIT_HLT ? 0 : -1;
}

static void
tell(int out, struct report *r, enum stage stage)
{
	r->stage = stage;
	(void)!write(out, r, sizeof(*r));
}

static void
fail(int out, struct report *r)
{
	r->os = errno;
	tell(out, r, r->stage);
	_exit(0);
}

static void
child(const char *device, int out)
{
	struct report r = { .stage = OPENING };
	int cpu = -1;

	int kvm = open(device, O_RDWR | O_CLOEXEC);
	if (kvm < 0 || ioctl(kvm, KVM_GET_API_VERSION, 0) != 12)
		fail(out, &r);
	tell(out, &r, CREATING);
	struct kvm_run *run = create(kvm, &cpu);
	if (run == NULL) {
		fail(out, &r);
		return;
	}
	tell(out, &r, EXITING);
	uint64_t start = now_ns();
	if (run_to_halt(run, cpu) < 0)
		fail(out, &r);
	r.exit_ns = (now_ns() - start) / EXITS;
	tell(out, &r, LOOPING);
	start = now_ns();
	if (run_to_halt(run, cpu) < 0)
		fail(out, &r);
	r.loop_us = (now_ns() - start) / 1000;
	tell(out, &r, DONE);
	_exit(0);
}

/* Read reports until the last one, the child's end, or the deadline. */
static bool
follow(int in, struct report *r)
{
	uint64_t deadline = clock_ms() + ACCEL_LIMIT_MS;

	for (;;) {
		struct pollfd p = { .fd = in, .events = POLLIN };
		int left = clock_left(deadline);
		struct report part;

		if (left == 0 || poll(&p, 1, left) == 0)
			return false;
		if (read(in, &part, sizeof(part)) != (ssize_t)sizeof(part))
			return true;
		*r = part;
	}
}

/* A child that hangs in the kernel may not even die: it is not waited for. */
static void
end_child(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	for (int i = 0; i < 20 && waitpid(pid, NULL, WNOHANG) == 0; i++)
		(void)usleep(5000);
}

static void
read_machine(struct accel *p)
{
	static const char *const modules[] = { "kvm_intel", "kvm_amd",
					       "kvm_pvm", NULL };
	char text[16384];	/* the flags of the first processor are in it */
	struct err e = ERR_INIT;
	size_t len;

	for (const char *const *m = modules; *m != NULL; m++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/sys/module/%s", *m);
		if (access(path, F_OK) == 0)
			(void)snprintf(p->module, sizeof(p->module), "%s", *m);
	}
	SCOPED_FD int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || io_read_some(fd, text, sizeof(text), "/proc/cpuinfo",
				   &len, &e) < 0)
		return;
	const char *flags = memmem(text, len, "\nflags", 6);
	if (flags == NULL)
		return;
	size_t left = len - (size_t)(flags + 1 - text);
	const char *end = memchr(flags + 1, '\n', left);
	size_t line = end == NULL ? left : (size_t)(end - flags);
	p->cpu_flag = memmem(flags, line, " vmx", 4) != NULL ||
		      memmem(flags, line, " svm", 4) != NULL;
	p->guest = memmem(flags, line, " hypervisor", 11) != NULL;
}

static void
decide(struct accel *p, const struct report *r, bool ended,
       const char *device)
{
	p->exit_ns = r->exit_ns;
	p->loop_us = r->loop_us;
	if (r->stage == OPENING && r->os != 0) {
		p->verdict = ACCEL_ABSENT;
		(void)snprintf(p->why, sizeof(p->why), "%s: %s", device,
			       strerror(r->os));
	} else if (r->stage != DONE) {
		p->verdict = ACCEL_BROKEN;
		(void)snprintf(p->why, sizeof(p->why), "%s: %s %s%s", device,
			       stage_words[r->stage],
			       ended ? "failed: "
				     : "did not end within half a second",
			       ended ? strerror(r->os) : "");
	} else if (r->loop_us > LOOP_SOFTWARE_US) {
		p->verdict = ACCEL_SOFTWARE;
		(void)snprintf(p->why, sizeof(p->why), "%s: a million "
			       "instructions took %llu us, as only emulation "
			       "needs", device, (unsigned long long)r->loop_us);
	} else {
		p->verdict = p->guest ? ACCEL_NESTED : ACCEL_HW;
		(void)snprintf(p->why, sizeof(p->why), "%s: a million "
			       "instructions took %llu us", device,
			       (unsigned long long)r->loop_us);
	}
}

int
accel_probe(const char *device, struct accel *ret, struct err *e)
{
	struct accel p = { .verdict = ACCEL_BROKEN };
	struct report r = { .stage = OPENING };
	int pipe_fd[2];

	read_machine(&p);
	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return err_sys(e, "probe");
	pid_t pid = fork();
	if (pid < 0) {
		(void)close(pipe_fd[0]);
		(void)close(pipe_fd[1]);
		return err_sys(e, "probe");
	}
	if (pid == 0) {
		/* Should it never die, it must hold nobody's pipe open. */
		(void)dup2(pipe_fd[1], 0);
		(void)close_range(1, ~0U, 0);
		child(device, 0);
	}
	(void)close(pipe_fd[1]);
	bool ended = follow(pipe_fd[0], &r);
	(void)close(pipe_fd[0]);
	end_child(pid);
	decide(&p, &r, ended, device);
	*ret = p;
	return 0;
}
