/* process_tap.h - packets of this host that begin a flow, as soon as they pass
 *
 * What a capture's ring gives is up to a tenth of a second old: a short-lived process is gone by then. These
 * sockets are woken by a packet, and the kernel gives them few: of TCP those with SYN, of UDP all (which have
 * a socket of their own, so that a flood of them leaves room for TCP), and only those that leave.
 *
 * Thread: one at a time. Memory: the kernel's buffers, sized here; what they drop is counted. */
#ifndef CAPTURE_PROCESS_TAP_H
#define CAPTURE_PROCESS_TAP_H

#include "capture/bytes.h"
#include "capture/flow_key.h"

#include <poll.h>
#include <stddef.h>

struct tap_packet {
	struct host_port local, remote;	/* from, to */
	int64_t time_ns;	/* the clock of day when it passed */
	uint32_t interface;
	uint8_t proto;
	bool answers;		/* TCP: SYN with ACK */
};

typedef void tap_taken(void *context, const struct tap_packet *packet);

struct process_tap;

/* Borrows the names of interfaces; "any" is all of them. NULL with errno set. */
struct process_tap *process_tap_open(const char *const *interfaces, unsigned count);
void process_tap_close(struct process_tap **tap);

/* The descriptors to wait for, of TCP and of UDP. */
enum { TAP_TCP, TAP_UDP, TAPS };
int process_tap_fd(const struct process_tap *tap, unsigned which);

/* Takes what waits, up to TAP_BATCH packets; how many there were, also of other interfaces. */
#define TAP_BATCH 64
unsigned process_tap_take(struct process_tap *tap, unsigned which, tap_taken *taken, void *context);

/* One of these packets, from its IP header on. What holds such privileges reads no more of hostile bytes than this: the
 * filters let through what begins with IPv4, options included, or IPv6 right before TCP or UDP. False: it is no such
 * packet, or it is cut; interface and time stay as they are. */
bool process_tap_read(struct bytes in, struct tap_packet *out);

/* Packets dropped since it was last asked. */
uint64_t process_tap_dropped(struct process_tap *tap);

/* Whose address it is: another host's, one of this host, or one of an interface that is watched. One that is new is
 * learnt within a second. */
enum tap_local { TAP_FOREIGN, TAP_LOCAL, TAP_WATCHED };
enum tap_local process_tap_local(struct process_tap *tap, const uint8_t addr[16], int64_t now_ns);

#endif
