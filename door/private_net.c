#include "door/private_net.h"

#include "door/command.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define TUN "/dev/net/tun"
#define PASTA_MS 10000			/* it takes some ten of them */

static _Noreturn void fail(int status, const char *what)
{
	char line[300];

	snprintf(line, sizeof(line), "%s: %s", what, strerror(errno));
	command_fail(status, line);
}

static void check_tun(void)
{
	if (access(TUN, R_OK | W_OK) == 0)
		return;
	if (errno == ENOENT || errno == ENODEV)
		command_fail(EX_UNAVAILABLE, TUN " is missing: as root, modprobe tun");
	command_fail(EX_NOPERM, TUN " is closed to this user: as root, chmod 666 " TUN " (which is what udev makes it)");
}

/* The number that stands in a file; -1 where there is none. */
static int number_in(const char *path)
{
	char text[16] = "";
	FILE *f = fopen(path, "re");
	int n = f != NULL && fgets(text, sizeof(text), f) != NULL ? atoi(text) : -1;

	if (f != NULL)
		fclose(f);
	return n;
}

/* user_namespaces(7), and what Debian and Ubuntu add to it. */
static _Noreturn void no_namespaces(int error)
{
	if (error == ENOSPC)
		command_fail(EX_NOPERM, "no user or network namespace is left to this user: as root, sysctl"
			     " user.max_user_namespaces=10000 user.max_net_namespaces=10000");
	if (number_in("/proc/sys/kernel/unprivileged_userns_clone") == 0)
		command_fail(EX_NOPERM, "user namespaces are switched off: as root, sysctl"
			     " kernel.unprivileged_userns_clone=1");
	if (number_in("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
		command_fail(EX_NOPERM, "AppArmor refuses user namespaces: as root, sysctl"
			     " kernel.apparmor_restrict_unprivileged_userns=0, or a profile with `userns,` for this program");
	if (error == EINVAL || error == ENOSYS)
		command_fail(EX_UNAVAILABLE, "this kernel has no user or no network namespaces (CONFIG_USER_NS, CONFIG_NET_NS)");
	errno = error;
	fail(EX_NOPERM, "a user namespace is refused (in a container: its seccomp profile has to allow unshare)");
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* While the kernel makes sure that an address is nobody else's it sends from `::`; pasta of 2023 takes that for where
 * this end is, sends there what comes next, and the connection hangs. There is nobody else in here. */
static void trust_addresses(void)
{
	write_file("/proc/sys/net/ipv6/conf/all/accept_dad", "0");
	write_file("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
}

static void make_namespaces(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char users[40], groups[40];

	snprintf(users, sizeof(users), "%u %u 1", uid, uid);
	snprintf(groups, sizeof(groups), "%u %u 1", gid, gid);
	/* Or /proc/self belongs to root where a privilege was held before, and pasta may not look at this process. */
	prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 ||
	    !write_file("/proc/self/setgroups", "deny") ||	/* the price of gid_map, user_namespaces(7) */
	    !write_file("/proc/self/uid_map", users) || !write_file("/proc/self/gid_map", groups))
		no_namespaces(errno);
	trust_addresses();
}

/* In the child, which stayed outside: waits until its parent is inside. pasta tells its pid when the door is open. */
static _Noreturn void be_pasta(pid_t inside, const struct private_names *names, int entered, int opened, int said)
{
	const char *words[24] = {
		"pasta", "--foreground", "--quiet", "--pid", "/dev/stdout", "--config-net", "--ns-ifname", PRIVATE_NET_DOOR,
		"-t", "none", "-u", "none", "-T", "none", "-U", "none", "--no-map-gw",
	};
	char pid[16], word;
	unsigned n = 17;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);	/* where it is ignored already, as below Python, pasta gives up */
	setsid();			/* what the terminal sends is for the command */
	if (read(entered, &word, 1) != 1)
		_exit(EX_SOFTWARE);
	snprintf(pid, sizeof(pid), "%d", inside);
	dup2(open("/dev/null", O_RDWR | O_CLOEXEC), STDIN_FILENO);
	dup2(opened, STDOUT_FILENO);
	dup2(said, STDERR_FILENO);
	if (names->ipv4) {
		words[n++] = "--dns-forward";
		words[n++] = PRIVATE_NAMES_IPV4;
	}
	if (names->ipv6) {
		words[n++] = "--dns-forward";
		words[n++] = PRIVATE_NAMES_IPV6;
	}
	words[n++] = pid;
	execvp(words[0], (char *const *)words);
	dprintf(STDERR_FILENO, "%s\n", errno == ENOENT ? "it is not installed: apt install passt" : strerror(errno));
	_exit(EX_UNAVAILABLE);
}

/* The last line of what it said. */
static _Noreturn void no_pasta(int said)
{
	char text[4096], line[400];
	ssize_t n = read(said, text, sizeof(text) - 1);
	char *last;

	text[n > 0 ? n : 0] = '\0';
	for (size_t end = strlen(text); end > 0 && text[end - 1] == '\n'; end--)
		text[end - 1] = '\0';
	last = strrchr(text, '\n');
	last = last != NULL ? last + 1 : text;
	snprintf(line, sizeof(line), "pasta cannot open the door: %s%s", *last != '\0' ? last : "it does not say why",
		 strstr(last, "External interface") != NULL ? " (it needs a default route, on an interface with a hardware address)" : "");
	command_fail(EX_UNAVAILABLE, line);
}

struct private_net private_net_enter(void)
{
	pid_t inside = getpid();
	struct private_net net;
	int entered[2], opened[2], said[2];
	struct pollfd fd;
	char pid[16];

	check_tun();
	/* What nobody reads must not make pasta wait. */
	if (pipe2(entered, O_CLOEXEC) != 0 || pipe2(opened, O_CLOEXEC) != 0 || pipe2(said, O_CLOEXEC | O_NONBLOCK) != 0)
		fail(EX_OSERR, "pipe");
	net = (struct private_net){ .names = private_names_read(), .said = said[0] };
	net.pasta = fork();
	if (net.pasta < 0)
		fail(EX_OSERR, "fork");
	if (net.pasta == 0) {
		close(entered[1]);
		be_pasta(inside, &net.names, entered[0], opened[1], said[1]);
	}
	close(entered[0]);
	close(opened[1]);
	close(said[1]);
	make_namespaces();
	if (write(entered[1], "", 1) != 1)
		fail(EX_OSERR, "pipe");
	close(entered[1]);
	fd = (struct pollfd){ .fd = opened[0], .events = POLLIN };
	if (poll(&fd, 1, PASTA_MS) <= 0 || read(opened[0], pid, sizeof(pid)) <= 0)
		no_pasta(said[0]);
	close(opened[0]);
	return net;
}

void private_net_look_up(const struct private_net *net)
{
	if (unshare(CLONE_NEWNS) != 0 || !private_names_through_the_door(&net->names))
		fail(EX_OSERR, "name look-ups cannot be led through the door");
}

void private_net_give_up(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capset, &header, none) != 0)
		fail(EX_OSERR, "capset");
}

void private_net_shut(const struct private_net *net)
{
	kill(net->pasta, SIGSTOP);
}

bool private_net_lost(struct private_net *net)
{
	siginfo_t end = { 0 };
	bool before = net->lost;

	net->lost = before || (waitid(P_PID, (id_t)net->pasta, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid != 0);
	return net->lost && !before;
}

void private_net_leave(struct private_net *net, bool ended)
{
	if (ended)
		waitpid(net->pasta, NULL, 0);
	close(net->said);
	private_names_free(&net->names);
}
