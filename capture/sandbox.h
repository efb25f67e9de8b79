/* sandbox.h - once everything is open, no more rights than the rest of the run needs
 *
 * What reads hostile bytes gives up root for good, and every capability; then come no_new_privs, Landlock (the
 * files below) and seccomp (a list of system calls, sandbox_calls.c), each as far as the kernel has it.
 *
 * One thing still takes a privilege: opening an interface again that went away. For that there is the guard, a
 * process of its own which parses nothing, with no capability but CAP_NET_RAW and no files. The kernel brings it
 * each system call that is not on the list: socket() for packets is answered with a socket, all else is refused
 * with EPERM, its name logged once. Without `live` the guard has no capability either.
 *
 * What this does not stop: who takes the process over holds the sockets and the case that are open, and its
 * threads are one address space. No core is dumped.
 *
 * What needs more than that is forked before sandbox_enter (a command that is run, a look into other users'
 * processes). A thread that was started before keeps its files and system calls, but loses root with the others.
 *
 * A build with a sanitizer has no sandbox: the sanitizers start a tracer of their own, and make calls of theirs.
 * Thread: main's, before any other. Errors: a line in `error`, and an exit status by sysexits.h. */
#ifndef CAPTURE_SANDBOX_H
#define CAPTURE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_mode {
	SANDBOX_ON,			/* as far as the kernel goes */
	SANDBOX_STRICT,			/* all of it, or none of the work */
	SANDBOX_OFF,			/* all rights are kept, root too unless a user is named */
};
/* "on", "strict", "off"; false for any other word. */
bool sandbox_mode_of(const char *word, enum sandbox_mode *mode_out);

struct sandbox_paths {
	const char *const *of;
	unsigned count;
};

struct sandbox_settings {
	enum sandbox_mode mode;
	/* Whom root becomes. NULL: the first of `mailwitness` (else `nobody`) and the owner of the first of `write`,
	 * or else of the first input, who can read all inputs and write there. Where that is only root itself, it
	 * stays uid 0 and loses its capabilities; strict refuses that. */
	const char *user;
	bool live;			/* interfaces may have to be opened again */
	bool serves;			/* connections to a socket that listens are taken */
	struct sandbox_paths inputs;	/* files that are still to be opened */
	struct sandbox_paths read;	/* files and directories that may be read again */
	struct sandbox_paths write;	/* directories, and files that may be there already */
};

struct sandbox;

/* Starts the guard, so before anything is opened. Borrows the settings, which may change until sandbox_enter. NULL with a line in error. */
struct sandbox *sandbox_begin(const struct sandbox_settings *settings, char *error, size_t size);

/* From here on the calling thread, and all that it starts, has what is left. An exit status, with a line in error:
 * then what was given up is not given back. */
int sandbox_enter(struct sandbox *s, char *error, size_t size);

/* What holds, in a few words: "user nobody, no capability, Landlock, seccomp". Borrowed. */
const char *sandbox_describe(const struct sandbox *s);

/* For a process that was forked before, and needs no file of root's: what root becomes where no file is asked for, with
 * no capability and no_new_privs. */
bool sandbox_leave_root(char *error, size_t size);

/* For a process that was forked before, and looks into other processes: no system call but what reading files, asking
 * the kernel by netlink, and taking packets from sockets that are open need, and no core. False with a line in error. */
bool sandbox_look_only(char *error, size_t size);

/* Lets the guard go, and waits for its end. What was given up stays so. */
void sandbox_end(struct sandbox **s);

#endif
