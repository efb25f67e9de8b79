/* private_net.h - a network of one's own, whose one door is pasta(1)
 *
 * The calling process moves into a user and a network namespace that are new. In it stand a loopback and
 * PRIVATE_NET_DOOR; pasta stays outside and hands on what comes through that, with ordinary sockets of the same
 * user. Its other ways in and out (forwarded ports, the host's loopback) are closed. No privilege is needed: the
 * user's own ids stay what they are, and nobody else's exist inside.
 *
 * Thread: one process does this once, before it has a second thread. When it dies, the door closes.
 * Errors: what keeps it from working is one line that names what would mend it, and ends the program. */
#ifndef DOOR_PRIVATE_NET_H
#define DOOR_PRIVATE_NET_H

#include "door/private_names.h"

#include <stdbool.h>
#include <sys/types.h>

#define PRIVATE_NET_DOOR "door"		/* the interface */

struct private_net {
	pid_t pasta;			/* waited for only in the end: till then the number is its own */
	bool lost;
	struct private_names names;
	int said;			/* what pasta complains of; kept open, for it writes there */
};

/* On return the door is open, and this process may capture on it. */
struct private_net private_net_enter(void);

/* In a child: names are looked up through the door, not by a service of the host, from here on in this process.
 * Before private_net_give_up, and before it runs anything else. */
void private_net_look_up(const struct private_net *net);

/* Gives up what was needed to enter. */
void private_net_give_up(void);

/* Nothing passes the door any more; the interface stays. */
void private_net_shut(const struct private_net *net);

/* Whether pasta has ended; told once. */
bool private_net_lost(struct private_net *net);

/* `ended`: pasta was told to end; else it ends with this process. */
void private_net_leave(struct private_net *net, bool ended);

#endif
