#include "door/run.h"

#include "capture/base.h"
#include "door/command.h"
#include "door/keeper.h"
#include "door/private_net.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

struct run {
	char *const *words;
	struct private_net net;
	struct keeper keeper;
	struct keeper_report report;
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

struct run *run_begin(const struct options *o)
{
	struct run *r = base_alloc(sizeof(*r));

	r->words = o->command;
	become_the_user();
	check_command(r->words[0]);
	if (o->keylog != NULL)
		keep_keys(o->keylog);
	r->net = private_net_enter();
	r->keeper = keeper_start(&r->net, &(struct keeper_command){ .words = r->words, .umask = o->umask });
	return r;
}

void run_go(struct run *r)
{
	keeper_begin(&r->keeper);
}

bool run_signal(struct run *r, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo != SIGCHLD) {
		/* What comes from a terminal comes to the command as well. */
		if (info->ssi_code != SI_KERNEL)
			keeper_signal(&r->keeper, (int)info->ssi_signo);
		return true;
	}
	if (private_net_lost(&r->net))
		base_log("pasta has ended, and with it %s's network", r->words[0]);
	return !keeper_over(&r->keeper, &r->report);
}

struct store_command run_outcome(const struct run *r)
{
	bool killed = WIFSIGNALED(r->report.wait_status);
	const char *signal = killed ? sigabbrev_np(WTERMSIG(r->report.wait_status)) : NULL;

	return (struct store_command){
		.name = r->words[0], .left = r->report.left,
		.status = killed ? -1 : WEXITSTATUS(r->report.wait_status),
		.signal = killed && signal == NULL ? "RT" : signal,
	};
}

void run_end(struct run **r)
{
	private_net_leave(&(*r)->net, keeper_end(&(*r)->keeper));
	free(*r);
	*r = NULL;
}
