/* sandbox_part.h - the parts of the sandbox; see sandbox.h. Included by them alone.
 *
 * Each gives false, and a line in error, where it cannot be done. */
#ifndef CAPTURE_SANDBOX_PART_H
#define CAPTURE_SANDBOX_PART_H

#include "capture/sandbox.h"

#include <sys/types.h>

struct sandbox_user {
	char name[64];
	uid_t uid;
	gid_t gid;
};

/* Whom root becomes by the settings; root itself if nobody else will do. */
bool sandbox_choose_user(const struct sandbox_settings *settings, struct sandbox_user *user_out, char *error,
			 size_t size);
/* For good, with all its groups; seen to be so. Of all threads. */
bool sandbox_become(const struct sandbox_user *user, char *error, size_t size);
/* Of the calling thread, all capabilities but this one, or -1. */
bool sandbox_keep_capability(int capability, char *error, size_t size);

/* Landlock: reading what `settings` says and what libraries look up, writing in its directories. NULL: nothing. */
bool sandbox_files(const struct sandbox_settings *settings, char *error, size_t size);

/* The list of system calls. All others: to the guard by *listener_out, or, where the kernel has none (-1), EPERM. */
bool sandbox_calls(const struct sandbox_settings *settings, int *listener_out, char *error, size_t size);
/* The guard's own list; its last act before it serves. */
bool sandbox_guard_calls(char *error, size_t size);
/* The list of who only looks; see sandbox_look_only. */
bool sandbox_look_calls(char *error, size_t size);

/* Forks the guard; its end of a pair of sockets is in *control_out. */
pid_t sandbox_guard_start(int *control_out);
/* Hands it what to serve, and who to be; false if it does not answer. */
bool sandbox_guard_serve(int control, int listener, const struct sandbox_user *user, bool live);

#endif
