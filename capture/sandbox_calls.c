/* seccomp: which system calls may be made (the only user of libseccomp, with sandbox_guard.c). */
#include "capture/sandbox_part.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the C library, SQLite, libarchive and the threads make of a run. A number below 0 is a call that this
 * machine does not have. */
static const int listed[] = {
	/* files, in the directories that Landlock leaves */
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(open), SCMP_SYS(openat),
	SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(pwrite64),
	SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(stat64), SCMP_SYS(lstat64), SCMP_SYS(fstat64),
	SCMP_SYS(fstatat64), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(statfs64), SCMP_SYS(fstatfs64),
	SCMP_SYS(fcntl), SCMP_SYS(fcntl64), SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate),
	SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(fadvise64), SCMP_SYS(fadvise64_64),
	SCMP_SYS(arm_fadvise64_64), SCMP_SYS(fchmod), SCMP_SYS(fchown), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(getdents64), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
	SCMP_SYS(umask), SCMP_SYS(flock), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(pipe2), SCMP_SYS(eventfd2),
	/* memory; what may be run is there from the start */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(msync),
	/* threads, time and signals of one's own */
	SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(gettid),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(rt_sigpending), SCMP_SYS(sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(signalfd4),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64), SCMP_SYS(select), SCMP_SYS(pselect6),
	/* about oneself and the machine */
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getresuid),
	SCMP_SYS(getresgid), SCMP_SYS(getrusage), SCMP_SYS(getrandom), SCMP_SYS(uname), SCMP_SYS(sysinfo),
	SCMP_SYS(getcpu),
	/* sockets that are open */
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(getsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(shutdown),
};

/* What libpcap makes of a socket that the guard gave. */
static const int listed_live[] = { SCMP_SYS(bind), SCMP_SYS(setsockopt) };

/* What libmicrohttpd makes of connections. */
static const int listed_serves[] = {
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(setsockopt), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
};

static const unsigned long listed_ioctls[] = {
	TCGETS, TIOCGWINSZ, FIONBIO, FIONREAD,
	SIOCGIFNAME, SIOCGIFINDEX, SIOCGIFHWADDR, SIOCGIFFLAGS, SIOCGIFMTU, SIOCETHTOOL,
};

static const int guards[] = {
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64), SCMP_SYS(socket), SCMP_SYS(close), SCMP_SYS(read),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(brk), SCMP_SYS(mmap),
	SCMP_SYS(mmap2), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(send), SCMP_SYS(sendto), SCMP_SYS(getrandom),
};

/* Of whoever looks into /proc; openat and socket by what they are asked. */
static const int lookers[] = {
	SCMP_SYS(read), SCMP_SYS(readlinkat), SCMP_SYS(readlink), SCMP_SYS(getdents64), SCMP_SYS(close), SCMP_SYS(lseek),
	SCMP_SYS(_llseek), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(fstat64), SCMP_SYS(fstatat64), SCMP_SYS(statx),
	SCMP_SYS(fcntl), SCMP_SYS(fcntl64), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64), SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
	SCMP_SYS(recvmmsg), SCMP_SYS(recvmmsg_time64), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(recv),
	SCMP_SYS(sendto), SCMP_SYS(send), SCMP_SYS(sendmsg), SCMP_SYS(bind), SCMP_SYS(getsockname), SCMP_SYS(getsockopt),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(sysinfo), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* seccomp_rule_add gives negative errno values. */
static int allow_all(scmp_filter_ctx list, const int *calls, size_t count)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (calls[i] >= 0)
			rc = seccomp_rule_add(list, SCMP_ACT_ALLOW, calls[i], 0);
	return rc;
}

static int allow_memory(scmp_filter_ctx list, int call)
{
	return call < 0 ? 0 : seccomp_rule_add(list, SCMP_ACT_ALLOW, call, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* By what they are asked to do. */
static int allow_some(scmp_filter_ctx list)
{
	const uint64_t self = (uint64_t)getpid();
	int rc = 0;

	/* clone3's flags cannot be looked at; the C library then uses clone. */
	rc |= seccomp_rule_add(list, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	rc |= seccomp_rule_add(list, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			       SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	rc |= allow_memory(list, SCMP_SYS(mmap));
	rc |= allow_memory(list, SCMP_SYS(mmap2));
	rc |= allow_memory(list, SCMP_SYS(mprotect));
	rc |= seccomp_rule_add(list, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, SCMP_A0(SCMP_CMP_EQ, self));
	rc |= seccomp_rule_add(list, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, self));
	rc |= seccomp_rule_add(list, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	rc |= seccomp_rule_add(list, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_GET_NAME));
	rc |= seccomp_rule_add(list, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, SCMP_A0(SCMP_CMP_EQ, 0),
			       SCMP_A2(SCMP_CMP_EQ, 0));
	/* Needs a privilege that nobody keeps; libpcap goes on without. */
	rc |= seccomp_rule_add(list, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, SIOCSHWTSTAMP));
	for (size_t i = 0; i < COUNT(listed_ioctls); i++)
		rc |= seccomp_rule_add(list, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_EQ, listed_ioctls[i]));
	return rc;
}

/* Whether it holds; the guard's end of it is in *listener_out, -1 where there is none. */
static bool load(uint32_t otherwise, const struct sandbox_settings *settings, int *listener_out)
{
	scmp_filter_ctx list = seccomp_init(otherwise);
	bool ok;

	/* A tree in place of a list: reading a file makes a call for each megabyte, storing thousands a second. */
	ok = list != NULL && seccomp_attr_set(list, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 &&
	     allow_all(list, listed, COUNT(listed)) == 0 && allow_some(list) == 0 &&
	     (!settings->live || allow_all(list, listed_live, COUNT(listed_live)) == 0) &&
	     (!settings->serves || allow_all(list, listed_serves, COUNT(listed_serves)) == 0) && seccomp_load(list) == 0;
	*listener_out = ok && otherwise == SCMP_ACT_NOTIFY ? seccomp_notify_fd(list) : -1;
	seccomp_release(list);
	return ok;
}

bool sandbox_calls(const struct sandbox_settings *settings, int *listener_out, char *error, size_t size)
{
	if (load(SCMP_ACT_NOTIFY, settings, listener_out) || load(SCMP_ACT_ERRNO(EPERM), settings, listener_out))
		return true;
	snprintf(error, size, "the kernel takes no seccomp filter");
	return false;
}

bool sandbox_guard_calls(char *error, size_t size)
{
	static const unsigned long answers[] = {
		SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND, SECCOMP_IOCTL_NOTIF_ID_VALID,
		SECCOMP_IOCTL_NOTIF_ADDFD,
	};
	scmp_filter_ctx list = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool ok = list != NULL && allow_all(list, guards, COUNT(guards)) == 0;

	for (size_t i = 0; ok && i < COUNT(answers); i++)
		ok = seccomp_rule_add(list, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, answers[i])) == 0;
	ok = ok && seccomp_load(list) == 0;
	seccomp_release(list);
	if (!ok)
		snprintf(error, size, "the kernel takes no seccomp filter");
	return ok;
}

bool sandbox_look_calls(char *error, size_t size)
{
	scmp_filter_ctx list = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool ok = list != NULL && allow_all(list, lookers, COUNT(lookers)) == 0 &&
		  allow_memory(list, SCMP_SYS(mmap)) == 0 && allow_memory(list, SCMP_SYS(mmap2)) == 0 &&
		  seccomp_rule_add(list, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)) == 0 &&
		  /* Addresses of this host, and names of its interfaces. */
		  seccomp_rule_add(list, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
				   SCMP_A2(SCMP_CMP_EQ, NETLINK_ROUTE)) == 0 &&
		  seccomp_rule_add(list, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX)) == 0 &&
		  seccomp_rule_add(list, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, SIOCGIFNAME)) == 0 &&
		  seccomp_load(list) == 0;

	seccomp_release(list);
	if (!ok)
		snprintf(error, size, "the kernel takes no seccomp filter");
	return ok;
}
