/* process_search.h - who holds the sockets that were found, and what they are
 *
 * The likely processes are looked into at once, all of them in rounds, a few at a time and for all requests
 * together, so that the caller can listen in between.
 * Thread: one at a time. Memory: fixed, but for the list of this system's processes. */
#ifndef CAPTURE_PROCESS_SEARCH_H
#define CAPTURE_PROCESS_SEARCH_H

#include "capture/process_socket.h"

/* A flow's sockets, whose holders are looked for. */
struct process_request {
	struct socket_owner owner;
	struct process_sockets sockets;
	uint32_t interface;		/* this and the next three are the caller's */
	bool answers;
	unsigned tries;
	int64_t due_ns;
	enum { SEARCH_FIRST, SEARCH_NEXT, SEARCH_ROUND } stage;
};

struct process_search_sink {
	void *context;
	/* A process that is new, or of which more is known. */
	void (*process)(void *context, const struct process *process);
	/* All that hold its sockets were found. */
	void (*found)(void *context, const struct process_request *request);
};

struct process_search;

/* `root` is /proc, or a tree like it. NULL with errno set. */
struct process_search *process_search_open(const char *root);
void process_search_close(struct process_search **s);
/* Whom to tell. Before all that follows. */
void process_search_sink(struct process_search *s, const struct process_search_sink *sink);

/* False where it has no room. */
bool process_search_add(struct process_search *s, const struct process_request *request);

/* When it wants to go on, by the steady clock; INT64_MAX: there is nothing to look for. */
int64_t process_search_due(const struct process_search *s);
void process_search_step(struct process_search *s, int64_t now_ns);
/* All that is left. */
void process_search_finish(struct process_search *s);

/* Whether executables wait to be hashed, and a piece of that work. */
bool process_search_hashes(const struct process_search *s);
void process_search_hash(struct process_search *s);

/* Sockets of which nobody was found while some processes could not be looked into. */
uint64_t process_search_hidden(const struct process_search *s);

#endif
