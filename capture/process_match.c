#include "capture/process_match.h"

#include "capture/base.h"
#include "capture/process_search.h"
#include "capture/process_tap.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000LL
#define LATER 1024		/* connections that come in, until the server accepts them */
#define KNOWN 8192		/* flows remembered, by a hash of their key */
#define UDP_AGAIN_NS (5 * BASE_NS_PER_S)	/* a datagram flow that goes on is asked for again */
#define UDP_REST_NS MS		/* after as many datagrams as are taken at once, none of them new */
#define SURVEY_NS (10 * BASE_NS_PER_S)	/* between two looks at all connections */
#define COUNTS_NS BASE_NS_PER_S	/* told so often, be they the same: who hears them knows that it is alive */
#define END_NS BASE_NS_PER_S	/* for what is left to hash when it ends */

/* When to ask again who accepted a connection. */
static const int64_t tries_ns[] = { MS, 10 * MS, 100 * MS, 1000 * MS };
#define TRIES (sizeof(tries_ns) / sizeof(tries_ns[0]))

struct known {
	struct socket_owner owner;
	uint64_t cookie;
	int64_t looked_ns;		/* 0: nothing is known */
};

struct process_match {
	struct process_tap *tap;
	struct sock_diag *diag;
	struct process_search *search;
	struct flow_hash key;
	process_sink *sink;
	void *context;
	struct process_counts counts;
	struct process_request later[LATER];
	unsigned later_count;
	struct known known[KNOWN];
	int64_t udp_ns, survey_ns, counts_ns;	/* not before, by the steady clock */
	bool udp_new;			/* of the datagrams just taken some were of a flow not known */
};

struct process_match *process_match_open(const char *const *interfaces, unsigned count, char *error, size_t size)
{
	struct process_match *m = base_alloc(sizeof(*m));
	const char *what = NULL;

	flow_hash_new(&m->key, base_seed());
	if ((m->diag = sock_diag_open()) == NULL)
		what = "the kernel's sockets";
	else if ((m->search = process_search_open("/proc")) == NULL)
		what = "/proc";
	else if ((m->tap = process_tap_open(interfaces, count)) == NULL)
		what = "a packet socket";
	if (what == NULL)
		return m;
	snprintf(error, size, "%s: %s", what, strerror(errno));
	process_match_close(&m);
	return NULL;
}

void process_match_close(struct process_match **m)
{
	if (*m == NULL)
		return;
	process_tap_close(&(*m)->tap);
	sock_diag_close(&(*m)->diag);
	process_search_close(&(*m)->search);
	free(*m);
	*m = NULL;
}

static void give(struct process_match *m, const struct process_fact *fact)
{
	if (!m->sink(m->context, fact))
		m->counts.missed++;
}

static struct known *known_of(struct process_match *m, const struct socket_owner *o)
{
	struct flow_key key;

	flow_key_make(&key, &o->local, &o->remote, o->proto);
	return &m->known[flow_key_hash(&key, &m->key) % KNOWN];
}

static bool same_host(const struct host_port *a, const struct host_port *b)
{
	return a->port == b->port && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static bool same_flow(const struct socket_owner *a, const struct socket_owner *b)
{
	return a->proto == b->proto && same_host(&a->local, &b->local) && same_host(&a->remote, &b->remote);
}

static bool same_holders(const struct socket_owner *a, const struct socket_owner *b)
{
	return a->state == b->state && a->holders == b->holders && a->uid == b->uid &&
	       memcmp(a->processes, b->processes, sizeof(a->processes)) == 0;
}

/* What was found before and is still so is one fact that lasts. */
static void tell_socket(void *context, const struct process_request *r)
{
	struct process_match *m = context;
	struct known *k = known_of(m, &r->owner);
	struct socket_owner o = r->owner;

	if (k->looked_ns != 0 && o.state != SOCKET_GONE && k->cookie == r->sockets.cookie &&
	    same_flow(&k->owner, &o) && same_holders(&k->owner, &o)) {
		o.from_ns = k->owner.from_ns;
		o.asked = o.asked || k->owner.asked;
	}
	*k = (struct known){ .owner = o, .cookie = r->sockets.cookie, .looked_ns = o.until_ns };
	give(m, &(struct process_fact){ .kind = PROCESS_SOCKET, .socket = o });
}

static void tell_process(void *context, const struct process *process)
{
	give(context, &(struct process_fact){ .kind = PROCESS_IS, .process = *process });
}

/* False where there is no room for it. */
static bool search(struct process_match *m, struct process_request *r)
{
	r->owner.state = r->sockets.state;
	r->owner.has_uid = r->sockets.has_uid;
	r->owner.uid = r->sockets.uid;
	return process_search_add(m->search, r);
}

static void ask(struct process_match *m, struct process_request *r)
{
	process_sockets_of(m->diag, r->owner.proto, &r->owner.local, &r->owner.remote, r->interface, &r->sockets);
	r->owner.until_ns = base_clock_ns(CLOCK_REALTIME);
	if (r->sockets.state != SOCKET_GONE) {
		m->counts.missed += !search(m, r);
	} else if (r->answers && r->tries < TRIES && m->later_count < LATER) {
		r->due_ns = base_clock_ns(CLOCK_MONOTONIC) + tries_ns[r->tries++];
		m->later[m->later_count++] = *r;
	} else {
		tell_socket(m, r);
	}
}

static void take_packet(void *context, const struct tap_packet *p)
{
	struct process_match *m = context;
	struct process_request r = {
		.owner = { .local = p->local, .remote = p->remote, .proto = p->proto, .from_ns = p->time_ns,
			   .asked = true },
		.interface = p->interface, .answers = p->answers,
	};
	const struct known *k = known_of(m, &r.owner);

	if (p->proto == IPPROTO_UDP && k->looked_ns != 0 && p->time_ns - k->looked_ns < UDP_AGAIN_NS &&
	    same_flow(&k->owner, &r.owner))
		return;
	if (process_tap_local(m->tap, p->local.addr, p->time_ns) == TAP_FOREIGN)
		return;
	m->udp_new = true;
	m->counts.asked++;
	ask(m, &r);
}

/* Asks again for those that are due. */
static void ask_later(struct process_match *m, int64_t now)
{
	unsigned count = m->later_count;

	m->later_count = 0;
	for (unsigned i = 0; i < count; i++) {
		struct process_request r = m->later[i];

		if (r.due_ns > now)
			m->later[m->later_count++] = r;
		else
			ask(m, &r);
	}
}

/* One of all connections: told when it is new, and again when it is there twice as long. */
static void survey_one(void *context, const struct sock_diag_entry *e)
{
	struct process_match *m = context;
	int64_t now = base_clock_ns(CLOCK_REALTIME);
	struct process_request r = {
		.owner = { .local = e->local, .remote = e->remote, .proto = IPPROTO_TCP, .from_ns = now,
			   .until_ns = now },
	};
	const struct known *k = known_of(m, &r.owner);

	if (e->inode == 0 ||
	    (k->looked_ns != 0 && k->cookie == e->cookie &&
	     now - k->owner.from_ns < 2 * (k->owner.until_ns - k->owner.from_ns)) ||
	    process_tap_local(m->tap, e->local.addr, now) != TAP_WATCHED)
		return;
	process_sockets_tcp(e, &r.sockets);
	search(m, &r);		/* where there is no room, the next look will find it */
}

static void tell_counts(struct process_match *m)
{
	m->counts.missed += process_tap_dropped(m->tap);
	m->counts.hidden = process_search_hidden(m->search);
	give(m, &(struct process_fact){ .kind = PROCESS_COUNTS, .counts = m->counts });
}

/* What is due by the clock. */
static void mind_clock(struct process_match *m)
{
	int64_t now = base_clock_ns(CLOCK_MONOTONIC);

	if (m->later_count > 0)
		ask_later(m, now);
	if (now >= m->survey_ns) {
		sock_diag_connections(m->diag, survey_one, m);
		m->survey_ns = now + SURVEY_NS;
	}
	process_search_step(m->search, now);
	if (now >= m->counts_ns) {
		tell_counts(m);
		m->counts_ns = now + COUNTS_NS;
	}
}

static int wait_ms(const struct process_match *m)
{
	int64_t now = base_clock_ns(CLOCK_MONOTONIC), next = m->counts_ns < m->survey_ns ? m->counts_ns : m->survey_ns;

	for (unsigned i = 0; i < m->later_count; i++)
		next = m->later[i].due_ns < next ? m->later[i].due_ns : next;
	if (process_search_due(m->search) < next)
		next = process_search_due(m->search);
	if (m->udp_ns > now && m->udp_ns < next)
		next = m->udp_ns;
	if (process_search_hashes(m->search) || next <= now)
		return 0;
	return (int)((next - now + MS - 1) / MS);
}

static void take_udp_packets(struct process_match *m)
{
	m->udp_new = false;
	if (process_tap_take(m->tap, TAP_UDP, take_packet, m) == TAP_BATCH && !m->udp_new)
		m->udp_ns = base_clock_ns(CLOCK_MONOTONIC) + UDP_REST_NS;
}

void process_match_run(struct process_match *m, int stop, process_sink *sink, void *context)
{
	struct pollfd fds[] = {
		{ .fd = stop, .events = POLLIN },
		{ .fd = process_tap_fd(m->tap, TAP_TCP), .events = POLLIN },
		{ .events = POLLIN },
	};

	m->sink = sink;
	m->context = context;
	process_search_sink(m->search, &(struct process_search_sink){
		.context = m, .process = tell_process, .found = tell_socket });
	do {
		fds[2].fd = base_clock_ns(CLOCK_MONOTONIC) < m->udp_ns ? -1 : process_tap_fd(m->tap, TAP_UDP);
		if (poll(fds, 3, wait_ms(m)) > 0) {
			if (fds[1].revents != 0)
				process_tap_take(m->tap, TAP_TCP, take_packet, m);
			if (fds[2].fd >= 0 && fds[2].revents != 0)
				take_udp_packets(m);
		} else {
			process_search_hash(m->search);
		}
		mind_clock(m);
	} while (fds[0].revents == 0);
	process_search_finish(m->search);
	for (int64_t until = base_clock_ns(CLOCK_MONOTONIC) + END_NS;
	     process_search_hashes(m->search) && base_clock_ns(CLOCK_MONOTONIC) < until;)
		process_search_hash(m->search);
	tell_counts(m);
}
