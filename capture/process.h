/* process.h - which processes of this host hold the sockets of its flows
 *
 * What a process of its own finds while the flows live: it listens for packets that begin a flow of this host
 * (process_tap.h), asks the kernel whose socket it is (sock_diag.h), and looks for who holds that (procfs.h). The
 * capture thread has no part in it. Sockets that were there before, and those that stay, are looked at now and then.
 * What is told are facts with a flow's addresses and a time; which flow they are of, and how good the match is,
 * is the store's question.
 *
 * That process keeps what looking into others takes (CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, where it had them) and no
 * other capability, and of system calls those that look (sandbox.h); it takes no orders but to end. It reads no more of
 * packets than who talks to whom. Landlock it cannot have: who is in one of its domains may not look into processes
 * outside. What this does not stop: who takes it over can read all files and all processes' memory, and send packets.
 * Thread: process_open before there is any; process_main is the body of one that hears what is found.
 * Time: the clock of day, which stamps live packets too. Memory: fixed; what does not find room is counted
 * as missed. */
#ifndef CAPTURE_PROCESS_H
#define CAPTURE_PROCESS_H

#include "capture/flow_key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESS_NAME_SIZE 64	/* the kernel's are 15 characters */
#define PROCESS_PATH_SIZE 512	/* longer ones are cut */
#define PROCESS_USER_SIZE 64
#define PROCESS_UNIT_SIZE 256
#define PROCESS_HOLDERS 16	/* of the sockets of one flow that are named; more are counted */

/* A process as it was when it held a socket. Its arguments are not read: they may have passwords. */
struct process {
	uint32_t number;		/* counts those that were told; one told again replaces what was told of it */
	uint32_t pid;
	uint64_t start;			/* clock ticks after the boot: with pid, its identity */
	uint32_t uid;			/* real */
	char name[PROCESS_NAME_SIZE];
	char path[PROCESS_PATH_SIZE];	/* of its executable, as its own file system has it; "" is not known */
	char user[PROCESS_USER_SIZE];	/* of /etc/passwd: other sources may ask the network; "" is not there */
	char cgroup[PROCESS_PATH_SIZE];
	char unit[PROCESS_UNIT_SIZE];	/* systemd's, or "" */
	bool has_sha256;		/* told later: it takes a while */
	uint8_t sha256[32];		/* of the executable */
};

enum socket_state {
	SOCKET_GONE,		/* none with these addresses: nobody is named */
	SOCKET_CONNECTED,	/* these addresses and no others */
	SOCKET_CLOSING,		/* ... but it was told to send and to read no more */
	SOCKET_PORT,		/* UDP: bound to the local port, connected to nobody */
};
const char *socket_state_name(enum socket_state state);	/* "gone", "connected", ... */

/* Who held the socket of a flow of this host, from one time to another. One with the same addresses and
 * from_ns as one before replaces that. */
struct socket_owner {
	struct host_port local, remote;
	uint8_t proto;
	int64_t from_ns;		/* when the packet passed that was asked for; or the first look at its socket */
	int64_t until_ns;		/* when it was last there */
	enum socket_state state;
	bool asked;			/* for a packet; else found by a look at all sockets */
	bool has_uid;
	uint32_t uid;			/* who made it */
	uint32_t holders;		/* processes that hold it, or one of several that it may be */
	uint32_t processes[PROCESS_HOLDERS];	/* numbers of the first of them */
};

/* So far. */
struct process_counts {
	uint64_t asked;			/* packets that began a flow, or went on with one of UDP after a while */
	uint64_t missed;		/* more than there was time or room for */
	uint64_t hidden;		/* sockets of which nobody was found while some processes could not be looked into */
};

struct process_fact {
	enum { PROCESS_IS, PROCESS_SOCKET, PROCESS_COUNTS } kind;
	union {
		struct process process;
		struct socket_owner socket;
		struct process_counts counts;	/* told when they are others */
	};
};

/* Takes a copy. False where it has no room. */
typedef bool process_sink(void *context, const struct process_fact *fact);

struct process_matcher;

/* For flows on these interfaces; "any" is all of them. Starts the process. NULL with a line in error where the kernel
 * or a privilege forbids it. */
struct process_matcher *process_open(const char *const *interfaces, unsigned count, char *error, size_t size);

/* Gives what is found to the sink, until process_stop and what was found by then. The process may come to look at a
 * file system that does not answer; that is told in a line, and after process_stop it is given up after three seconds,
 * in another. */
void process_main(struct process_matcher *m, process_sink *sink, void *context);

/* From any thread. */
void process_stop(struct process_matcher *m);

/* After process_main came back, or before it began. The process ends. */
void process_close(struct process_matcher **m);

#endif
