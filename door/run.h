/* run.h - one command behind a private door: its process, its signals, its end
 *
 * The command is the user's own: same ids, same files, same terminal; only its network is private (private_net.h).
 * It is forked before there is a second thread, and begins when it is told to. When it ends the door is shut,
 * whatever it left running.
 *
 * Thread: the one that runs the pipeline. Errors: what keeps it from beginning ends the program. */
#ifndef DOOR_RUN_H
#define DOOR_RUN_H

#include "door/options.h"
#include "report/store.h"

#include <sys/signalfd.h>

struct run;

/* On return the command waits, and this process may capture on PRIVATE_NET_DOOR. */
struct run *run_begin(const struct options *o);

/* Lets the command begin. */
void run_go(struct run *r);

/* A signal of this process's, SIGCHLD among them; false: the command has ended, and nothing passes the door. */
bool run_signal(struct run *r, const struct signalfd_siginfo *info);

/* How the command ended. */
struct store_command run_outcome(const struct run *r);

void run_end(struct run **r);

#endif
