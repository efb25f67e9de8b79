#include "door/keeper.h"

#include "capture/base.h"
#include "door/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* What the kernel still sends when a program has gone: it is waited for that long, at least and at most. */
#define LAST_PACKETS_MS 200
#define LAST_PACKETS_MAX_MS 2000
#define LOOK_MS 50

/* In the child of the keeper. */
static _Noreturn void be_the_command(const struct private_net *net, const struct keeper_command *command, int gate,
				     int ready)
{
	char word;

	private_net_look_up(net);
	if (write(ready, "", 1) != 1 || read(gate, &word, 1) != 1)
		_exit(EX_SOFTWARE);	/* mailwitness has said why */
	umask(command->umask);
	execvp(command->words[0], command->words);
	base_log("%s: %s", command->words[0], strerror(errno));
	_exit(EX_NOINPUT);
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* Connections that a program has closed while not all was sent or the other end has not closed: tcp_states.h. */
static bool closing(const char *path)
{
	enum { FIN_WAIT1 = 4, FIN_WAIT2 = 5, LAST_ACK = 9, CLOSING = 11 };
	FILE *f = fopen(path, "re");
	char line[300];
	bool found = false;
	unsigned state;

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL)
		found = sscanf(line, " %*[0-9]: %*s %*s %x", &state) == 1 &&
			(state == FIN_WAIT1 || state == FIN_WAIT2 || state == LAST_ACK || state == CLOSING);
	if (f != NULL)
		fclose(f);
	return found;
}

static void wait_for_last_packets(void)
{
	long ms = LAST_PACKETS_MS;

	sleep_ms(LAST_PACKETS_MS);
	for (; ms < LAST_PACKETS_MAX_MS && (closing("/proc/self/net/tcp") || closing("/proc/self/net/tcp6")); ms += LOOK_MS)
		sleep_ms(LOOK_MS);
}

static void name_of(pid_t pid, char name[32])
{
	char path[40];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	name[0] = '\0';
	if (f != NULL && fgets(name, 32, f) != NULL)
		name[strcspn(name, "\n")] = '\0';
	if (f != NULL)
		fclose(f);
}

/* Whatever the command began and did not end is by now a child of this process. */
static void see_what_is_left(struct keeper_report *report)
{
	char path[60], name[32];
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	while (f != NULL && fscanf(f, "%d", &pid) == 1) {
		size_t n = strlen(report->left);

		name_of(pid, name);
		snprintf(report->left + n, sizeof(report->left) - n, "%s%s (%d)", n > 0 ? ", " : "", name, pid);
	}
	if (f != NULL)
		fclose(f);
}

/* Until the command has ended; so do those here that it left behind. False: mailwitness is gone. */
static bool wait_for_command(pid_t command, int orders, int children, int *wait_status)
{
	struct pollfd fds[] = { { .fd = orders, .events = POLLIN }, { .fd = children, .events = POLLIN } };
	struct signalfd_siginfo info;
	unsigned char order;
	int status;
	pid_t pid;

	for (;;) {
		poll(fds, 2, -1);
		if ((fds[1].revents & POLLIN) != 0 && read(children, &info, sizeof(info)) < 0)
			return false;
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (pid == command) {
				*wait_status = status;
				return true;
			}
		}
		if (fds[0].revents != 0) {
			if (read(orders, &order, 1) != 1)
				return false;
			kill(command, order);
		}
	}
}

/* What a terminal sends to all is not for the keeper, and a command that is forked before still gets it. */
static int heed_children_only(void)
{
	sigset_t children;

	for (const int *s = (const int[]){ SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, 0 }; *s != 0; s++)
		signal(*s, SIG_IGN);
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	return signalfd(-1, &children, SFD_CLOEXEC);
}

static _Noreturn void keep(const struct private_net *net, pid_t command, int orders, int to)
{
	struct keeper_report report = { 0 };
	unsigned char order;
	int children = heed_children_only();

	private_net_give_up();
	if (children < 0 || !wait_for_command(command, orders, children, &report.wait_status))
		_exit(EX_SOFTWARE);
	wait_for_last_packets();
	private_net_shut(net);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	see_what_is_left(&report);
	if (write(to, &report, sizeof(report)) != (ssize_t)sizeof(report) || kill(getppid(), SIGCHLD) != 0)
		_exit(EX_SOFTWARE);
	while (read(orders, &order, 1) > 0)
		;
	kill(net->pasta, SIGKILL);
	_exit(EX_OK);
}

/* In the child. SIGCHLD waits from before the command is there. */
static _Noreturn void be_the_keeper(const struct private_net *net, const struct keeper_command *command, const int gate[2],
				    int ready, int orders, int report)
{
	sigset_t children, before;
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);	/* what the command leaves behind is seen */
	close(gate[1]);
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, &before);
	pid = fork();
	if (pid < 0)
		_exit(EX_OSERR);
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		be_the_command(net, command, gate[0], ready);
	}
	close(gate[0]);
	close(ready);
	keep(net, pid, orders, report);
}

struct keeper keeper_start(const struct private_net *net, const struct keeper_command *command)
{
	int gate[2], ready[2], orders[2], report[2];
	struct keeper k;
	char word;

	if (pipe2(gate, O_CLOEXEC) != 0 || pipe2(ready, O_CLOEXEC) != 0 || pipe2(orders, O_CLOEXEC) != 0 ||
	    pipe2(report, O_CLOEXEC) != 0 || (k.pid = fork()) < 0)
		command_fail(EX_OSERR, strerror(errno));
	if (k.pid == 0) {
		close(orders[1]);
		be_the_keeper(net, command, gate, ready[1], orders[0], report[1]);
	}
	close(gate[0]);
	close(ready[1]);
	close(orders[0]);
	close(report[1]);
	k.gate = gate[1];
	k.orders = orders[1];
	k.report = report[0];
	if (read(ready[0], &word, 1) != 1)
		exit(EX_OSERR);		/* it has said why */
	close(ready[0]);
	return k;
}

void keeper_begin(struct keeper *k)
{
	if (write(k->gate, "", 1) != 1)
		command_fail(EX_OSERR, strerror(errno));
	close(k->gate);
}

void keeper_signal(const struct keeper *k, int signal)
{
	unsigned char order = (unsigned char)signal;

	if (write(k->orders, &order, 1) != 1)
		base_log("%s could not be passed on", strsignal(signal));
}

bool keeper_over(struct keeper *k, struct keeper_report *report_out)
{
	struct pollfd fd = { .fd = k->report, .events = POLLIN };

	if (poll(&fd, 1, 0) <= 0)
		return false;
	if (read(k->report, report_out, sizeof(*report_out)) != (ssize_t)sizeof(*report_out)) {
		base_log("how the command ended was not seen");
		*report_out = (struct keeper_report){ .wait_status = SIGKILL };
	}
	return true;
}

bool keeper_end(struct keeper *k)
{
	int status = 0;

	close(k->orders);
	close(k->report);
	return waitpid(k->pid, &status, 0) == k->pid && status == 0;
}
