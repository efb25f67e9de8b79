/* The guard: what the kernel brings it, it answers by this table; see sandbox.h.
 *
 *     socket(AF_PACKET, SOCK_RAW or SOCK_DGRAM)    live: a socket, made with its CAP_NET_RAW
 *     socket(AF_NETLINK, ..., NETLINK_GENERIC)     live: a socket (libpcap asks whether it is a radio)
 *     everything else                              EPERM, and a line the first time */
#include "capture/sandbox_part.h"

#include "capture/base.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTROL STDIN_FILENO
#define CALLS 1024	/* more than any machine has; what is above is told each time */

struct orders {
	struct sandbox_user user;
	bool live;
};

struct guard {
	bool live;
	bool told[CALLS];
};

static bool is_wanted_socket(const struct seccomp_data *call)
{
	int family = (int)call->args[0], type = (int)call->args[1] & 0xff, protocol = (int)call->args[2];

	return call->nr == SCMP_SYS(socket) &&
	       ((family == AF_PACKET && (type == SOCK_RAW || type == SOCK_DGRAM)) ||
		(family == AF_NETLINK && protocol == NETLINK_GENERIC));
}

/* Puts a socket among the descriptors of who asked, which answers it. */
static void give_socket(int listener, const struct seccomp_notif *asked, struct seccomp_notif_resp *answer)
{
	const __u64 *args = asked->data.args;
	struct seccomp_notif_addfd give = { .id = asked->id, .flags = SECCOMP_ADDFD_FLAG_SEND };
	int fd = socket((int)args[0], (int)args[1] | SOCK_CLOEXEC, (int)args[2]);

	give.srcfd = (__u32)fd;
	give.newfd_flags = O_CLOEXEC;
	if (fd < 0 || ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &give) < 0) {
		answer->error = -errno;
		seccomp_notify_respond(listener, answer);
	}
	if (fd >= 0)
		close(fd);
}

static void refuse(struct guard *g, int listener, const struct seccomp_notif *asked, struct seccomp_notif_resp *answer)
{
	unsigned number = (unsigned)asked->data.nr;

	if (number >= CALLS || !g->told[number]) {
		char *name = seccomp_syscall_resolve_num_arch(asked->data.arch, asked->data.nr);

		base_log("sandbox: refused the system call %s", name != NULL ? name : "(unknown)");
		free(name);
		if (number < CALLS)
			g->told[number] = true;
	}
	answer->error = -EPERM;
	seccomp_notify_respond(listener, answer);
}

/* One that the kernel brought; false when it brings none any more. */
static bool answer_one(struct guard *g, int listener)
{
	struct seccomp_notif_resp *answer = NULL;
	struct seccomp_notif *asked = NULL;
	bool ok = seccomp_notify_alloc(&asked, &answer) == 0;	/* anew, as it must be all zero */

	if (ok && seccomp_notify_receive(listener, asked) != 0) {
		ok = errno == ENOENT || errno == EINTR;		/* who asked is gone */
	} else if (ok) {
		answer->id = asked->id;
		if (g->live && is_wanted_socket(&asked->data))
			give_socket(listener, asked, answer);
		else
			refuse(g, listener, asked, answer);
	}
	seccomp_notify_free(asked, answer);
	return ok;
}

/* Until all who could ask are gone, or say that they are done. */
static void serve(struct guard *g, int listener)
{
	struct pollfd fds[] = { { .fd = listener, .events = POLLIN }, { .fd = CONTROL, .events = POLLIN } };

	while (poll(fds, 2, -1) >= 0 && (fds[0].revents & POLLHUP) == 0 && fds[1].revents == 0)
		if (!answer_one(g, listener))
			break;
}

/* libseccomp asks the kernel once, for which the guard's list has no room. */
static bool ask_sizes(void)
{
	struct seccomp_notif_resp *answer = NULL;
	struct seccomp_notif *asked = NULL;
	bool ok = seccomp_notify_alloc(&asked, &answer) == 0;

	seccomp_notify_free(asked, answer);
	return ok;
}

/* The message that sandbox_guard_serve sent; the listener, or -1 when nobody will. */
static int receive(struct orders *orders_out)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } space;
	struct iovec data = { .iov_base = orders_out, .iov_len = sizeof(*orders_out) };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof(space.bytes),
	};
	const struct cmsghdr *with;
	int fd;

	if (recvmsg(CONTROL, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(*orders_out))
		return -1;
	with = CMSG_FIRSTHDR(&message);
	if (with == NULL || with->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(with), sizeof(fd));
	return fd;
}

static bool shut_in(const struct orders *orders)
{
	char error[256] = "";
	/* Without the privilege to begin with, an interface that went away stays away, and that is told there. */
	bool ok = prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && sandbox_become(&orders->user, error, sizeof(error)) &&
		  (sandbox_keep_capability(orders->live ? CAP_NET_RAW : -1, error, sizeof(error)) ||
		   sandbox_keep_capability(-1, error, sizeof(error))) &&
		  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;

	/* Without Landlock it still cannot open anything by the list. */
	if (ok)
		sandbox_files(NULL, error, sizeof(error));
	return ok && sandbox_guard_calls(error, sizeof(error));
}

static _Noreturn void guard(int control)
{
	struct guard g = { 0 };
	struct orders orders;
	sigset_t all;
	int listener;

	/* Of what was inherited it needs to hold nothing but where lines go. */
	if (dup2(control, CONTROL) != CONTROL || dup2(CONTROL, STDOUT_FILENO) < 0 || close_range(3, ~0U, 0) != 0)
		_exit(1);

	/* The terminal's signals are for those who have a report to finish. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, "guard");
	listener = receive(&orders);
	if (listener < 0 || !ask_sizes() || !shut_in(&orders) || send(CONTROL, "", 1, MSG_NOSIGNAL) != 1)
		_exit(1);
	g.live = orders.live;
	serve(&g, listener);
	_exit(0);
}

pid_t sandbox_guard_start(int *control_out)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		guard(ends[1]);
	}
	close(ends[1]);
	if (pid < 0)
		close(ends[0]);
	*control_out = ends[0];
	return pid;
}

bool sandbox_guard_serve(int control, int listener, const struct sandbox_user *user, bool live)
{
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } space = { { 0 } };
	struct orders orders = { .user = *user, .live = live };
	struct iovec data = { .iov_base = &orders, .iov_len = sizeof(orders) };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof(space.bytes),
	};
	struct cmsghdr *with = CMSG_FIRSTHDR(&message);
	char ready;

	with->cmsg_level = SOL_SOCKET;
	with->cmsg_type = SCM_RIGHTS;
	with->cmsg_len = CMSG_LEN(sizeof(listener));
	memcpy(CMSG_DATA(with), &listener, sizeof(listener));
	return sendmsg(control, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(orders) &&
	       recvfrom(control, &ready, 1, 0, NULL, NULL) == 1;
}
