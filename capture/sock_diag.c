#include "capture/sock_diag.h"

#include "capture/base.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REPLY_SIZE 32768	/* the kernel fills no larger datagrams */
/* Without sockets that hold no connection (any more). */
#define CONNECTION_STATES (1u << SOCK_ESTABLISHED | 1u << SOCK_SYN_SENT | 1u << SOCK_SYN_RECV | \
			   1u << SOCK_FIN_WAIT1 | 1u << SOCK_FIN_WAIT2 | 1u << SOCK_CLOSE_WAIT)
#define ALL_STATES 0xffffffffu

struct sock_diag {
	int fd;
	uint32_t sequence;
	uint8_t reply[REPLY_SIZE];
};

struct question {
	struct nlmsghdr header;
	struct inet_diag_req_v2 request;
};

struct sock_diag *sock_diag_open(void)
{
	const struct timeval wait = { .tv_sec = SOCK_DIAG_WAIT_MS / 1000 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct sock_diag *d;

	if (fd < 0)
		return NULL;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	d = base_alloc(sizeof(*d));
	d->fd = fd;
	return d;
}

void sock_diag_close(struct sock_diag **d)
{
	if (*d == NULL)
		return;
	close((*d)->fd);
	free(*d);
	*d = NULL;
}

/* Addresses and ports are in network order, all else in that of this machine. */
static void read_host(const __be32 address[4], __be16 port, bool ipv6, struct host_port *out)
{
	if (ipv6)
		memcpy(out->addr, address, sizeof(out->addr));
	else
		host_of_ipv4((const uint8_t *)address, out->addr);
	out->port = ntohs(port);
}

static void read_attributes(struct bytes in, struct sock_diag_entry *e)
{
	while (bytes_left(&in) >= sizeof(struct nlattr)) {
		struct nlattr a;

		bytes_copy(&in, &a, sizeof(a));
		if (a.nla_len < sizeof(a))
			return;
		struct bytes value = bytes_sub(&in, a.nla_len - sizeof(a));

		if (a.nla_type == INET_DIAG_SKV6ONLY)
			e->only_ipv6 = bytes_u8(&value) != 0;
		bytes_skip(&in, (4u - a.nla_len % 4u) % 4u);
	}
}

static bool read_entry(struct bytes in, struct sock_diag_entry *e)
{
	struct inet_diag_msg m;

	bytes_copy(&in, &m, sizeof(m));
	if (in.bad || (m.idiag_family != AF_INET && m.idiag_family != AF_INET6))
		return false;
	*e = (struct sock_diag_entry){
		.ipv6 = m.idiag_family == AF_INET6, .state = m.idiag_state, .interface = m.id.idiag_if,
		.uid = m.idiag_uid, .inode = m.idiag_inode,
		.cookie = (uint64_t)m.id.idiag_cookie[1] << 32 | m.id.idiag_cookie[0],
	};
	read_host(m.id.idiag_src, m.id.idiag_sport, e->ipv6, &e->local);
	read_host(m.id.idiag_dst, m.id.idiag_dport, e->ipv6, &e->remote);
	read_attributes(in, e);
	return true;
}

enum sock_diag_said sock_diag_read(struct bytes in, uint32_t sequence, sock_diag_found *found, void *context)
{
	enum sock_diag_said said = SOCK_DIAG_MORE;

	while (said == SOCK_DIAG_MORE && bytes_left(&in) >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;
		struct sock_diag_entry e;

		bytes_copy(&in, &h, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len - sizeof(h) > bytes_left(&in))
			return SOCK_DIAG_FAILED;
		struct bytes body = bytes_sub(&in, h.nlmsg_len - sizeof(h));

		if (bytes_left(&in) > 0)
			bytes_skip(&in, (4u - h.nlmsg_len % 4u) % 4u);
		if (h.nlmsg_seq != sequence)
			continue;
		if (h.nlmsg_type == NLMSG_DONE)
			said = SOCK_DIAG_DONE;
		else if (h.nlmsg_type != SOCK_DIAG_BY_FAMILY || !read_entry(body, &e))
			said = SOCK_DIAG_FAILED;
		else
			found(context, &e);
		/* An answer that is one message has no end of its own. */
		if (said == SOCK_DIAG_MORE && (h.nlmsg_flags & NLM_F_MULTI) == 0)
			said = SOCK_DIAG_DONE;
	}
	return said;
}

static bool ask(struct sock_diag *d, struct question *q, sock_diag_found *found, void *context)
{
	enum sock_diag_said said = SOCK_DIAG_MORE;

	q->header.nlmsg_len = sizeof(*q);
	q->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	q->header.nlmsg_seq = ++d->sequence;
	if (send(d->fd, q, sizeof(*q), 0) != (ssize_t)sizeof(*q))
		return false;
	while (said == SOCK_DIAG_MORE) {
		ssize_t n = recv(d->fd, d->reply, sizeof(d->reply), 0);

		if (n < 0 && errno == EINTR)
			continue;
		said = n < 0 ? SOCK_DIAG_FAILED :
			sock_diag_read(bytes_of(d->reply, (size_t)n), d->sequence, found, context);
	}
	return said == SOCK_DIAG_DONE;
}

static void write_host(const struct host_port *h, bool ipv6, __be32 address_out[4], __be16 *port_out)
{
	memcpy(address_out, ipv6 ? h->addr : h->addr + HOST_IPV4_AT, ipv6 ? 16 : 4);
	*port_out = htons(h->port);
}

struct wanted {
	const struct host_port *local, *remote;
	struct sock_diag_entry *out;
	bool found;
};

static bool same(const struct host_port *a, const struct host_port *b)
{
	return a->port == b->port && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

/* The kernel gives a listening socket where it has no connection. */
static void take_wanted(void *context, const struct sock_diag_entry *e)
{
	struct wanted *w = context;

	if (same(&e->local, w->local) && same(&e->remote, w->remote)) {
		*w->out = *e;
		w->found = true;
	}
}

bool sock_diag_tcp(struct sock_diag *d, const struct host_port *local, const struct host_port *remote,
		   uint32_t interface, struct sock_diag_entry *entry_out)
{
	bool ipv6 = !host_is_ipv4(local->addr);
	struct wanted w = { .local = local, .remote = remote, .out = entry_out };
	struct question q = {
		.header.nlmsg_flags = NLM_F_REQUEST,
		.request = { .sdiag_family = ipv6 ? AF_INET6 : AF_INET, .sdiag_protocol = IPPROTO_TCP,
			     .idiag_states = ALL_STATES, .id.idiag_if = interface,
			     .id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } },
	};

	write_host(local, ipv6, q.request.id.idiag_src, &q.request.id.idiag_sport);
	write_host(remote, ipv6, q.request.id.idiag_dst, &q.request.id.idiag_dport);
	return ask(d, &q, take_wanted, &w) && w.found;
}

static bool dump(struct sock_diag *d, uint8_t proto, uint32_t states, uint16_t port, sock_diag_found *found,
		 void *context)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	bool ok = true;

	for (unsigned i = 0; i < sizeof(families); i++) {
		struct question q = {
			.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.request = { .sdiag_family = families[i], .sdiag_protocol = proto, .idiag_states = states,
				     .id.idiag_sport = htons(port) },
		};

		ok = ask(d, &q, found, context) && ok;
	}
	return ok;
}

bool sock_diag_udp(struct sock_diag *d, uint16_t port, sock_diag_found *found, void *context)
{
	return dump(d, IPPROTO_UDP, ALL_STATES, port, found, context);
}

bool sock_diag_connections(struct sock_diag *d, sock_diag_found *found, void *context)
{
	return dump(d, IPPROTO_TCP, CONNECTION_STATES, 0, found, context);
}
