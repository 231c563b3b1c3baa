/* sandbox.c - see sandbox.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/scope.h"

/* Work on what the process already has. */
static const int always[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(preadv),
	SCMP_SYS(pwritev), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(dup),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
	SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
	SCMP_SYS(getegid), SCMP_SYS(getrandom), SCMP_SYS(tgkill),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static const int threads[] = {
	SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
};

static const int socket_io[] = {
	SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendto),
	SCMP_SYS(recvfrom), SCMP_SYS(shutdown), SCMP_SYS(getsockopt),
};

/* What a server of files has no use for, and an intruder has. */
static const int trimmed[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(socket),
	SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind),
	SCMP_SYS(listen), SCMP_SYS(kill), SCMP_SYS(tkill),
	SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_send_signal), SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(kcmp), SCMP_SYS(perf_event_open), SCMP_SYS(bpf),
	SCMP_SYS(userfaultfd), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
	SCMP_SYS(mount_setattr), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(add_key),
	SCMP_SYS(request_key), SCMP_SYS(keyctl), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
	SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(personality),
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setresuid),
	SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(capset),
	SCMP_SYS(io_uring_setup),
};

/* Ways into another process, or to sockets by another name, that need no file. */
static const int intrusive[] = {
	SCMP_SYS(io_uring_setup),	/* it makes sockets, too */
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp),
	SCMP_SYS(perf_event_open), SCMP_SYS(bpf), SCMP_SYS(userfaultfd),
};

static void
filter_done(scmp_filter_ctx *ctx)
{
	if (*ctx != NULL)
		seccomp_release(*ctx);
}

static int
let(scmp_filter_ctx ctx, const int *calls, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0) < 0)
			return err_set(e, ERR_UNSUPPORTED,
				       "cannot build a seccomp filter");
	return 0;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
enter_seccomp(unsigned allow, struct err *e)
{
	SCOPED(filter_done) scmp_filter_ctx ctx =
		seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (ctx == NULL)
		return err_set(e, ERR_NOMEM, "no memory for a seccomp filter");
	if (let(ctx, always, COUNT(always), e) < 0)
		return -1;
	if ((allow & SANDBOX_THREADS) != 0 &&
	    let(ctx, threads, COUNT(threads), e) < 0)
		return -1;
	if ((allow & SANDBOX_SOCKET_IO) != 0 &&
	    let(ctx, socket_io, COUNT(socket_io), e) < 0)
		return -1;
	if (seccomp_load(ctx) < 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "this kernel has no seccomp filters");
	return 0;
}

/* Let a file, or what is below a folder, be opened for these. */
static void
let_open(int rules, int fd, uint64_t access)
{
	const struct landlock_path_beneath_attr beneath = {
		.allowed_access = access, .parent_fd = fd,
	};

	(void)syscall(SYS_landlock_add_rule, rules,
		      LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

/* What every program of the system loads. */
static void
let_programs(int rules)
{
	static const char *const folders[] = { "/usr", "/lib", "/lib64" };
	SCOPED_FD int cache = open("/etc/ld.so.cache", O_PATH | O_CLOEXEC);

	if (cache >= 0)
		let_open(rules, cache, LANDLOCK_ACCESS_FS_READ_FILE);
	for (size_t i = 0; i < COUNT(folders); i++) {
		SCOPED_FD int folder = open(folders[i], O_PATH | O_CLOEXEC);

		if (folder >= 0)
			let_open(rules, folder, LANDLOCK_ACCESS_FS_EXECUTE |
				 LANDLOCK_ACCESS_FS_READ_FILE |
				 LANDLOCK_ACCESS_FS_READ_DIR);
	}
}

/* Deny every access to files by path, but to this one and to programs, unless it
 * is -1; needs Linux 5.13. */
static bool
enter_landlock(int file)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE |
			LANDLOCK_ACCESS_FS_WRITE_FILE |
			LANDLOCK_ACCESS_FS_READ_FILE |
			LANDLOCK_ACCESS_FS_READ_DIR |
			LANDLOCK_ACCESS_FS_REMOVE_DIR |
			LANDLOCK_ACCESS_FS_REMOVE_FILE |
			LANDLOCK_ACCESS_FS_MAKE_CHAR |
			LANDLOCK_ACCESS_FS_MAKE_DIR |
			LANDLOCK_ACCESS_FS_MAKE_REG |
			LANDLOCK_ACCESS_FS_MAKE_SOCK |
			LANDLOCK_ACCESS_FS_MAKE_FIFO |
			LANDLOCK_ACCESS_FS_MAKE_BLOCK |
			LANDLOCK_ACCESS_FS_MAKE_SYM,
	};
	SCOPED_FD int fd = (int)syscall(SYS_landlock_create_ruleset, &attr,
					sizeof(attr), 0);

	if (fd < 0)
		return false;
	if (file >= 0) {
		let_open(fd, file, LANDLOCK_ACCESS_FS_READ_FILE |
			 LANDLOCK_ACCESS_FS_WRITE_FILE);
		let_programs(fd);
	}
	return syscall(SYS_landlock_restrict_self, fd, 0) == 0;
}

int
sandbox_enter(unsigned allow, struct sandbox_state *ret, struct err *e)
{
	struct sandbox_state s = { .no_new_privs = false };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "no_new_privs");
	s.no_new_privs = true;
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);	/* holds guests' data */
	s.landlock = enter_landlock(-1);
	if (enter_seccomp(allow, e) < 0)
		return -1;
	s.seccomp = true;
	*ret = s;
	return 0;
}

static int
forbid(scmp_filter_ctx ctx, const int *calls, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), calls[i],
				     0) < 0)
			return err_set(e, ERR_UNSUPPORTED,
				       "cannot build a seccomp filter");
	return 0;
}

/* In every thread. */
static int
load(scmp_filter_ctx ctx, struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "no_new_privs");
	if (seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) < 0 ||
	    seccomp_load(ctx) < 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "this kernel has no seccomp filters");
	return 0;
}

int
sandbox_trim(struct err *e)
{
	SCOPED(filter_done) scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (ctx == NULL)
		return err_set(e, ERR_NOMEM, "no memory for a seccomp filter");
	if (forbid(ctx, trimmed, COUNT(trimmed), e) < 0)
		return -1;
	return load(ctx, e);
}

#define NOT(...) seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), \
				  __VA_ARGS__)

/* Every family but AF_UNIX, and AF_NETLINK only to hear of devices. */
static int
forbid_sockets(scmp_filter_ctx ctx)
{
	if (NOT(1, SCMP_A0_32(SCMP_CMP_LT, AF_UNIX, 0)) < 0 ||
	    NOT(1, SCMP_A0_32(SCMP_CMP_GT, AF_NETLINK, 0)) < 0 ||
	    NOT(2, SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK, 0),
		SCMP_A2_32(SCMP_CMP_NE, NETLINK_KOBJECT_UEVENT, 0)) < 0)
		return -1;
	for (unsigned family = AF_UNIX + 1; family < AF_NETLINK; family++)
		if (NOT(1, SCMP_A0_32(SCMP_CMP_EQ, family, 0)) < 0)
			return -1;
	return 0;
}

int
sandbox_apart(bool network, struct err *e)
{
	SCOPED(filter_done) scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (ctx == NULL)
		return err_set(e, ERR_NOMEM, "no memory for a seccomp filter");
	if (forbid(ctx, intrusive, COUNT(intrusive), e) < 0)
		return -1;
	if (!network && forbid_sockets(ctx) < 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "cannot build a seccomp filter");
	return load(ctx, e);
}

int
sandbox_one_file(int fd, struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "no_new_privs");
	(void)enter_landlock(fd);
	return sandbox_apart(false, e);
}
