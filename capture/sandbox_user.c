/* Who root becomes. */
#include "capture/sandbox_part.h"

#include "capture/base.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OWN_USER "mailwitness"		/* packaging/ makes it */
#define OTHER_USER "nobody"

static bool user_of(const struct passwd *found, struct sandbox_user *user_out)
{
	if (found == NULL)
		return false;
	*user_out = (struct sandbox_user){ .uid = found->pw_uid, .gid = found->pw_gid };
	base_copy(user_out->name, sizeof(user_out->name), found->pw_name);
	return true;
}

/* What is not there is not refused: it is told by who opens it. */
static bool refused(const char *path, int how)
{
	return faccessat(AT_FDCWD, path, how, AT_EACCESS) != 0 && (errno == EACCES || errno == EROFS);
}

static bool reaches_all(const struct sandbox_settings *settings)
{
	for (unsigned i = 0; i < settings->inputs.count; i++)
		if (refused(settings->inputs.of[i], R_OK))
			return false;
	for (unsigned i = 0; i < settings->write.count; i++)
		if (refused(settings->write.of[i], W_OK))
			return false;
	return true;
}

/* Tried in their shoes. */
static bool will_do(const struct sandbox_user *user, const struct sandbox_settings *settings)
{
	bool ok = setgroups(0, NULL) == 0 && initgroups(user->name, user->gid) == 0 && setegid(user->gid) == 0 &&
		  seteuid(user->uid) == 0 && reaches_all(settings);

	return seteuid(0) == 0 && setegid(0) == 0 && ok;
}

static bool owner_of(const struct sandbox_settings *settings, struct sandbox_user *user_out)
{
	const char *path = settings->write.count > 0 ? settings->write.of[0] :
			   settings->inputs.count > 0 ? settings->inputs.of[0] : "/";
	struct stat file;

	return stat(path, &file) == 0 && user_of(getpwuid(file.st_uid), user_out);
}

bool sandbox_choose_user(const struct sandbox_settings *settings, struct sandbox_user *user_out, char *error,
			 size_t size)
{
	bool own;

	if (settings->user != NULL) {
		if (!user_of(getpwnam(settings->user), user_out)) {
			snprintf(error, size, "-Z: no user %s", settings->user);
			return false;
		}
		return true;
	}
	own = user_of(getpwnam(OWN_USER), user_out) || user_of(getpwnam(OTHER_USER), user_out);
	if ((own && will_do(user_out, settings)) ||
	    (owner_of(settings, user_out) && user_out->uid != 0 && will_do(user_out, settings)))
		return true;
	return user_of(getpwuid(0), user_out) || (*user_out = (struct sandbox_user){ .name = "root" }, true);
}

bool sandbox_become(const struct sandbox_user *user, char *error, size_t size)
{
	uid_t real, effective, saved;

	if (getresuid(&real, &effective, &saved) == 0 && real == user->uid && effective == user->uid &&
	    saved == user->uid)
		return true;
	if (initgroups(user->name, user->gid) != 0 || setresgid(user->gid, user->gid, user->gid) != 0 ||
	    setresuid(user->uid, user->uid, user->uid) != 0) {
		snprintf(error, size, "cannot become user %s: %s", user->name, strerror(errno));
		return false;
	}
	if (getresuid(&real, &effective, &saved) != 0 || real != user->uid || effective != user->uid ||
	    saved != user->uid) {
		snprintf(error, size, "user %s could still become root", user->name);
		return false;
	}
	return true;
}

bool sandbox_keep_capability(int capability, char *error, size_t size)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (capability >= 0) {
		struct __user_cap_data_struct *word = &data[capability / 32];

		word->effective = word->permitted = 1U << (capability % 32);
	}
	/* A kernel without ambient capabilities has none to clear. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, data) != 0) {
		snprintf(error, size, "capabilities cannot be given up: %s", strerror(errno));
		return false;
	}
	if (capability < 0 && geteuid() != 0 && setuid(0) == 0) {
		snprintf(error, size, "root could be had again");
		return false;
	}
	return true;
}
