#include "capture/process_socket.h"

#include <netinet/in.h>
#include <string.h>

const char *socket_state_name(enum socket_state state)
{
	static const char *const names[] = { "gone", "connected", "closing", "port" };

	return names[state];
}

void process_sockets_tcp(const struct sock_diag_entry *e, struct process_sockets *out)
{
	bool closing = e->state == SOCK_LAST_ACK || e->state == SOCK_CLOSING || e->state == SOCK_TIME_WAIT ||
		       e->state == SOCK_CLOSE;

	*out = (struct process_sockets){ 0 };
	if (e->inode == 0)
		return;
	*out = (struct process_sockets){
		.state = closing ? SOCKET_CLOSING : SOCKET_CONNECTED, .has_uid = true, .uid = e->uid,
		.cookie = e->cookie, .inodes = { e->inode }, .count = 1,
	};
}

static bool is_wildcard(const uint8_t addr[16])
{
	static const uint8_t ipv4[16] = { [10] = 0xff, [11] = 0xff }, ipv6[16];

	return memcmp(addr, ipv4, 16) == 0 || memcmp(addr, ipv6, 16) == 0;
}

static bool may_be(const struct sock_diag_entry *e, const struct host_port *local, const struct host_port *remote,
		   uint32_t interface)
{
	bool connected = e->remote.port != 0;

	return e->inode != 0 && e->local.port == local->port &&
	       (host_is_ipv4(local->addr) ? !e->ipv6 || !e->only_ipv6 : e->ipv6) &&
	       (e->interface == 0 || e->interface == interface) &&
	       (is_wildcard(e->local.addr) || memcmp(e->local.addr, local->addr, 16) == 0) &&
	       (!connected || (e->remote.port == remote->port && memcmp(e->remote.addr, remote->addr, 16) == 0));
}

void process_sockets_udp(const struct sock_diag_entry *e, const struct host_port *local,
			 const struct host_port *remote, uint32_t interface, struct process_sockets *s)
{
	bool first = s->state == SOCKET_GONE;

	if (!may_be(e, local, remote, interface))
		return;
	s->state = first && e->remote.port != 0 ? SOCKET_CONNECTED : SOCKET_PORT;
	s->has_uid = first || (s->has_uid && s->uid == e->uid);
	s->uid = s->has_uid ? e->uid : 0;
	s->cookie = first ? e->cookie : 0;
	if (s->count < SOCKETS_MAX)
		s->inodes[s->count++] = e->inode;
}

struct search {
	const struct host_port *local, *remote;
	uint32_t interface;
	struct process_sockets *out;
};

static void take_udp(void *context, const struct sock_diag_entry *e)
{
	const struct search *s = context;

	process_sockets_udp(e, s->local, s->remote, s->interface, s->out);
}

void process_sockets_of(struct sock_diag *d, uint8_t proto, const struct host_port *local,
			const struct host_port *remote, uint32_t interface, struct process_sockets *out)
{
	struct search s = { local, remote, interface, out };
	struct sock_diag_entry e;

	*out = (struct process_sockets){ 0 };
	if (proto == IPPROTO_UDP) {
		/* What the kernel did not say all of is no answer: another socket may be there. */
		if (!sock_diag_udp(d, local->port, take_udp, &s))
			*out = (struct process_sockets){ 0 };
	} else if (sock_diag_tcp(d, local, remote, interface, &e)) {
		process_sockets_tcp(&e, out);
	}
}
