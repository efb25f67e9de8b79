/* sock_diag.h - the kernel's sockets, asked by netlink (sock_diag(7)): TCP and UDP over IPv4 and IPv6
 *
 * No privilege is needed. Sockets are those of the network namespace in which it was opened.
 * Thread: one at a time. Errors: a question that the kernel does not answer within SOCK_DIAG_WAIT_MS has no
 * answer. */
#ifndef CAPTURE_SOCK_DIAG_H
#define CAPTURE_SOCK_DIAG_H

#include "capture/bytes.h"
#include "capture/flow_key.h"

#define SOCK_DIAG_WAIT_MS 1000

/* TCP's states as Linux numbers them (tcp_states.h); UDP has the first and, not connected, the seventh. */
enum { SOCK_ESTABLISHED = 1, SOCK_SYN_SENT, SOCK_SYN_RECV, SOCK_FIN_WAIT1, SOCK_FIN_WAIT2, SOCK_TIME_WAIT,
       SOCK_CLOSE, SOCK_CLOSE_WAIT, SOCK_LAST_ACK, SOCK_LISTEN, SOCK_CLOSING };

struct sock_diag_entry {
	struct host_port local, remote;
	bool ipv6, only_ipv6;		/* the socket's family, not the addresses' */
	uint8_t state;
	uint32_t interface;		/* bound to it; 0 is none */
	uint32_t uid;
	uint32_t inode;			/* 0: nobody holds it (any more, or yet) */
	uint64_t cookie;		/* its own while this system runs */
};

typedef void sock_diag_found(void *context, const struct sock_diag_entry *entry);

struct sock_diag;

/* NULL with errno set. */
struct sock_diag *sock_diag_open(void);
void sock_diag_close(struct sock_diag **d);

/* The one TCP socket with these addresses; false when there is none. `interface`: that the packet passed. */
bool sock_diag_tcp(struct sock_diag *d, const struct host_port *local, const struct host_port *remote,
		   uint32_t interface, struct sock_diag_entry *entry_out);

/* All UDP sockets with this local port. False when the kernel did not say all. */
bool sock_diag_udp(struct sock_diag *d, uint16_t port, sock_diag_found *found, void *context);

/* All TCP connections that are not through. */
bool sock_diag_connections(struct sock_diag *d, sock_diag_found *found, void *context);

/* What a datagram from the kernel means for the question `sequence`. */
enum sock_diag_said { SOCK_DIAG_MORE, SOCK_DIAG_DONE, SOCK_DIAG_FAILED };
enum sock_diag_said sock_diag_read(struct bytes datagram, uint32_t sequence, sock_diag_found *found, void *context);

#endif
