#include "door/run.h"

#include "capture/base.h"
#include "door/command.h"
#include "door/private_net.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* What the kernel still sends when a program has gone: it is waited for that long, at least and at most. */
#define LAST_PACKETS_MS 200
#define LAST_PACKETS_MAX_MS 2000
#define LOOK_MS 50

struct run {
	char *const *words;
	struct private_net net;
	pid_t pid;			/* 0: it has ended */
	int gate;			/* it begins when something is written there */
	int wait_status;
	char left[256];			/* what it left running, by name */
};

/* Started as root: the user who asked for that is meant, and nobody else's programs are run. */
static void become_the_user(void)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	const struct passwd *user;

	if (geteuid() != 0)
		return;
	if (uid == NULL || gid == NULL || atol(uid) <= 0)
		command_fail(EX_NOPERM, "run is for a user's programs: start it as that user, or with sudo, which tells who"
			     " that is");
	user = getpwuid((uid_t)atol(uid));
	if ((user != NULL ? initgroups(user->pw_name, (gid_t)atol(gid)) : setgroups(0, NULL)) != 0 ||
	    setgid((gid_t)atol(gid)) != 0 || setuid((uid_t)atol(uid)) != 0)
		command_fail(EX_OSERR, strerror(errno));
	if (user != NULL) {
		setenv("HOME", user->pw_dir, 1);
		setenv("USER", user->pw_name, 1);
		setenv("LOGNAME", user->pw_name, 1);
	}
}

static bool can_run(const char *path)
{
	struct stat file;

	return access(path, X_OK) == 0 && stat(path, &file) == 0 && S_ISREG(file.st_mode);
}

/* Looked for as execvp(3) does, before anything is begun for it. */
static void check_command(const char *name)
{
	const char *path = getenv("PATH");
	char *dirs, *rest, *dir, line[300];
	bool found = strchr(name, '/') != NULL && can_run(name);

	rest = dirs = base_strdup(path != NULL ? path : "/bin:/usr/bin");
	while (!found && strchr(name, '/') == NULL && (dir = strsep(&rest, ":")) != NULL) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", dir[0] != '\0' ? dir : ".", name);
		found = can_run(file);
	}
	free(dirs);
	if (found)
		return;
	snprintf(line, sizeof(line), "%s: no such command", name);
	command_fail(EX_NOINPUT, line);
}

/* The keys open what was recorded: nobody else may read them. Programs add to the file. */
static void keep_keys(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	char *whole = fd >= 0 && fchmod(fd, 0600) == 0 ? realpath(path, NULL) : NULL;

	if (whole == NULL || setenv("SSLKEYLOGFILE", whole, 1) != 0) {
		base_log("%s: %s", path, strerror(errno));
		exit(EX_CANTCREAT);
	}
	free(whole);
	close(fd);
}

/* In the child. */
static _Noreturn void be_the_command(const struct run *r, int gate, int ready)
{
	char word;

	private_net_look_up(&r->net);
	if (write(ready, "", 1) != 1 || read(gate, &word, 1) != 1)
		_exit(EX_SOFTWARE);	/* the parent has said why */
	execvp(r->words[0], r->words);
	base_log("%s: %s", r->words[0], strerror(errno));
	_exit(EX_NOINPUT);
}

static void start(struct run *r)
{
	int gate[2], ready[2];
	char word;

	if (pipe2(gate, O_CLOEXEC) != 0 || pipe2(ready, O_CLOEXEC) != 0 || (r->pid = fork()) < 0)
		command_fail(EX_OSERR, strerror(errno));
	if (r->pid == 0) {
		close(gate[1]);
		be_the_command(r, gate[0], ready[1]);
	}
	close(gate[0]);
	close(ready[1]);
	r->gate = gate[1];
	if (read(ready[0], &word, 1) != 1)
		exit(EX_OSERR);		/* it has said why */
	close(ready[0]);
}

struct run *run_begin(const struct options *o)
{
	struct run *r = base_alloc(sizeof(*r));

	r->words = o->command;
	become_the_user();
	check_command(r->words[0]);
	if (o->keylog != NULL)
		keep_keys(o->keylog);
	r->net = private_net_enter();
	prctl(PR_SET_CHILD_SUBREAPER, 1);	/* what the command leaves behind is seen */
	start(r);
	return r;
}

void run_go(struct run *r)
{
	private_net_give_up();
	if (write(r->gate, "", 1) != 1)
		command_fail(EX_OSERR, strerror(errno));
	close(r->gate);
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
static void see_what_is_left(struct run *r)
{
	char path[60], name[32];
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	while (f != NULL && fscanf(f, "%d", &pid) == 1) {
		size_t n = strlen(r->left);

		if (pid == r->net.pasta)
			continue;
		name_of(pid, name);
		snprintf(r->left + n, sizeof(r->left) - n, "%s%s (%d)", n > 0 ? ", " : "", name, pid);
	}
	if (f != NULL)
		fclose(f);
}

/* Those that are no child any more are the command, pasta, or what the command left behind. */
static void reap(struct run *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == r->pid) {
			r->wait_status = status;
			r->pid = 0;
		} else if (pid == r->net.pasta) {
			base_log("pasta has ended, and with it %s's network", r->words[0]);
		}
	}
}

bool run_signal(struct run *r, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo != SIGCHLD) {
		/* What comes from a terminal comes to the command as well. */
		if (r->pid != 0 && info->ssi_code != SI_KERNEL)
			kill(r->pid, (int)info->ssi_signo);
		return true;
	}
	reap(r);
	if (r->pid != 0)
		return true;
	wait_for_last_packets();
	private_net_shut(&r->net);
	reap(r);
	see_what_is_left(r);
	return false;
}

struct store_command run_outcome(const struct run *r)
{
	bool killed = WIFSIGNALED(r->wait_status);

	return (struct store_command){
		.name = r->words[0], .left = r->left,
		.status = killed ? -1 : WEXITSTATUS(r->wait_status),
		.signal = killed ? sigabbrev_np(WTERMSIG(r->wait_status)) : NULL,
	};
}

void run_end(struct run **r)
{
	private_net_leave(&(*r)->net);
	free(*r);
	*r = NULL;
}
