#include "capture/sandbox_part.h"

#include "capture/base.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

struct sandbox {
	const struct sandbox_settings *settings;	/* until sandbox_enter */
	enum sandbox_mode mode;
	pid_t guard;
	int control;			/* to the guard; -1 is none */
	char held[256];
};

bool sandbox_mode_of(const char *word, enum sandbox_mode *mode_out)
{
	static const char *const words[] = {
		[SANDBOX_ON] = "on", [SANDBOX_STRICT] = "strict", [SANDBOX_OFF] = "off",
	};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], word) == 0) {
			*mode_out = (enum sandbox_mode)i;
			return true;
		}
	}
	return false;
}

struct sandbox *sandbox_begin(const struct sandbox_settings *settings, char *error, size_t size)
{
	struct sandbox *s = base_alloc(sizeof(*s));

	s->settings = settings;
	s->mode = SANITIZED && settings->mode == SANDBOX_ON ? SANDBOX_OFF : settings->mode;
	s->control = -1;
	if (s->mode != SANDBOX_OFF)
		s->guard = sandbox_guard_start(&s->control);
	if (SANITIZED && s->mode == SANDBOX_STRICT)
		snprintf(error, size, "--sandbox=strict: this build has a sanitizer, and no sandbox");
	else if (s->guard < 0)
		snprintf(error, size, "the sandbox's guard cannot be started");
	else
		return s;
	sandbox_end(&s);
	return NULL;
}

/* Whether it may go on without; `why` is then told once. */
static bool goes_without(struct sandbox *s, const char *why, char *error, size_t size)
{
	if (s->mode == SANDBOX_STRICT) {
		snprintf(error, size, "--sandbox=strict: %s", why);
		return false;
	}
	base_log("sandbox: %s", why);
	return true;
}

static void hold(struct sandbox *s, const char *what, const char *whom)
{
	size_t n = strlen(s->held);

	snprintf(s->held + n, sizeof(s->held) - n, "%s%s%s", n > 0 ? ", " : "", what, whom);
}

/* Root alone becomes somebody else. */
static int become(struct sandbox *s, struct sandbox_user *user_out, char *error, size_t size)
{
	const struct sandbox_settings *settings = s->settings;
	bool root = geteuid() == 0;

	*user_out = (struct sandbox_user){ .uid = geteuid(), .gid = getegid() };
	if (!root && settings->user != NULL) {
		snprintf(error, size, "-Z: only root can become %s", settings->user);
		return EX_NOPERM;
	}
	if (!root || (s->mode == SANDBOX_OFF && settings->user == NULL))
		return EX_OK;
	if (!sandbox_choose_user(settings, user_out, error, size))
		return EX_NOUSER;
	if (user_out->uid == 0 && s->mode == SANDBOX_STRICT) {
		snprintf(error, size, "--sandbox=strict: root's files and directories would be used; give them to a user"
			 " for -Z");
		return EX_NOPERM;
	}
	if (!sandbox_become(user_out, error, size))
		return EX_NOPERM;
	hold(s, "user ", user_out->name);
	return EX_OK;
}

/* A core that is piped to a program has no limit, so the limit alone would not do. Nor may the user's other programs
 * look into this one: it holds what they may not have. */
static bool dump_no_core(char *error, size_t size)
{
	const struct rlimit none = { 0 };

	if (setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
		return true;
	snprintf(error, size, "a core could be dumped: %s", strerror(errno));
	return false;
}

static bool shut_in(struct sandbox *s, const struct sandbox_user *user, char *error, size_t size)
{
	char why[256];
	int listener;

	if (!dump_no_core(error, size) || !sandbox_keep_capability(-1, error, size))
		return false;
	hold(s, "no capability", "");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 && !goes_without(s, "the kernel has no no_new_privs", error, size))
		return false;
	if (sandbox_files(s->settings, why, sizeof(why)))
		hold(s, "Landlock", "");
	else if (!goes_without(s, why, error, size))
		return false;
	if (!sandbox_calls(s->settings, &listener, why, sizeof(why)))
		return goes_without(s, why, error, size);
	hold(s, "seccomp", "");
	if (listener >= 0 && sandbox_guard_serve(s->control, listener, user, s->settings->live)) {
		close(listener);
		return true;
	}
	if (listener >= 0)
		close(listener);
	return goes_without(s, "nobody answers the kernel's questions: an interface that goes away stays away", error, size);
}

int sandbox_enter(struct sandbox *s, char *error, size_t size)
{
	struct sandbox_user user;
	int status = become(s, &user, error, size);

	if (status == EX_OK && s->mode != SANDBOX_OFF && !shut_in(s, &user, error, size))
		status = EX_UNAVAILABLE;
	s->settings = NULL;
	return status;
}

bool sandbox_leave_root(char *error, size_t size)
{
	const struct sandbox_settings anything = { 0 };
	struct sandbox_user user;

	if (geteuid() != 0)
		return true;
	return sandbox_choose_user(&anything, &user, error, size) && sandbox_become(&user, error, size) &&
	       sandbox_keep_capability(-1, error, size) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool sandbox_look_only(char *error, size_t size)
{
	return SANITIZED || (dump_no_core(error, size) && sandbox_look_calls(error, size));
}

const char *sandbox_describe(const struct sandbox *s)
{
	return s->held[0] != '\0' ? s->held : "off";
}

void sandbox_end(struct sandbox **s)
{
	if (*s == NULL)
		return;
	if ((*s)->control >= 0) {
		close((*s)->control);
		waitpid((*s)->guard, NULL, 0);
	}
	free(*s);
	*s = NULL;
}
