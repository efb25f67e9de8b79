/* process_socket.h - the sockets that a flow of this host may belong to
 *
 * Thread: one at a time. */
#ifndef CAPTURE_PROCESS_SOCKET_H
#define CAPTURE_PROCESS_SOCKET_H

#include "capture/process.h"
#include "capture/sock_diag.h"

#define SOCKETS_MAX 16	/* on one UDP port; the holders of more are not looked for */

struct process_sockets {
	enum socket_state state;	/* SOCKET_GONE: none that anybody holds */
	bool has_uid;			/* all were made by one user */
	uint32_t uid;
	uint64_t cookie;		/* of the only one; 0 of several */
	uint32_t inodes[SOCKETS_MAX];
	unsigned count;
};

/* A TCP connection that somebody holds is one socket. On a UDP port any of several sockets may have sent a datagram,
 * also beside one that is connected. `interface`: that the packet passed. */
void process_sockets_of(struct sock_diag *d, uint8_t proto, const struct host_port *local,
			const struct host_port *remote, uint32_t interface, struct process_sockets *out);

/* What is known of a connection from what the kernel says of it. */
void process_sockets_tcp(const struct sock_diag_entry *e, struct process_sockets *out);

/* Adds a UDP socket if it may be the flow's. */
void process_sockets_udp(const struct sock_diag_entry *e, const struct host_port *local,
			 const struct host_port *remote, uint32_t interface, struct process_sockets *inout);

#endif
