/* procfs.h - who holds a socket, and what /proc says of a process
 *
 * Descriptors of other users' processes can be read with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH
 * alone (proc(5)). A process's arguments
 * and environment are not read.
 *
 * Thread: one at a time. Memory: the numbers of the processes of this system. */
#ifndef CAPTURE_PROCFS_H
#define CAPTURE_PROCFS_H

#include "capture/process.h"

struct procfs;

struct procfs_want {
	uint32_t inode;
	uint32_t of;		/* the caller's */
};

/* What was read of a process while it held a wanted socket; `number` and SHA-256 are left to the caller.
 * `exe` is its executable, open for reading, or -1; borrowed. */
typedef void procfs_found(void *context, const struct procfs_want *want, const struct process *process, int exe);

/* `root` is /proc, or a tree like it. NULL with errno set. */
struct procfs *procfs_open(const char *root);
void procfs_close(struct procfs **p);

/* Which processes there are now. Those that were not there long, and those that were found to hold a wanted socket
 * not long ago, are looked into first: they are the likely ones, and may be gone soon. */
void procfs_list(struct procfs *p, int64_t now_ns);

/* Looks for the holders of sockets, wanted in the order of their inodes; a want is told for each descriptor of
 * its socket. procfs_first looks into the likely processes. procfs_next into some of all, those that came last first:
 * true until all were looked into, beginning anew then. */
void procfs_first(struct procfs *p, const struct procfs_want *wants, unsigned count, procfs_found *found, void *context);
bool procfs_next(struct procfs *p, const struct procfs_want *wants, unsigned count, procfs_found *found, void *context);

/* How many processes could not be looked into when procfs_next went round last. */
unsigned procfs_hidden(const struct procfs *p);

/* systemd's unit of a control group's path: its last part that is called like one; "" is none. */
void procfs_unit(const char *cgroup, char unit_out[PROCESS_UNIT_SIZE]);

#endif
