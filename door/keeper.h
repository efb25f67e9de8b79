/* keeper.h - a process of its own that begins the command, waits for it, and shuts the door behind it
 *
 * It is forked before the sandbox is entered, for it sends signals and reads of other processes; it reads nothing
 * that came from a network. It dies with its parent.
 *
 * Thread: main's, before any other. Errors: what keeps it from beginning is one line, and ends the program. */
#ifndef DOOR_KEEPER_H
#define DOOR_KEEPER_H

#include "door/private_net.h"

#include <stdbool.h>
#include <sys/types.h>

struct keeper {
	pid_t pid;
	int gate;			/* the command begins when something is written there */
	int orders, report;		/* signals to it; what it says in the end */
};

/* How the command ended, in words of wait(2), and what it left running, in words of ours. */
struct keeper_report {
	int wait_status;
	char left[256];
};

struct keeper_command {
	char *const *words;		/* the last is NULL */
	mode_t umask;
};

/* On return the command waits. */
struct keeper keeper_start(const struct private_net *net, const struct keeper_command *command);
void keeper_begin(struct keeper *k);
/* For the command. */
void keeper_signal(const struct keeper *k, int signal);
/* After a SIGCHLD: whether the command has ended, and then what the keeper said. */
bool keeper_over(struct keeper *k, struct keeper_report *report_out);
/* Lets the keeper end, after pasta, which it tells to; false if it did not. */
bool keeper_end(struct keeper *k);

#endif
