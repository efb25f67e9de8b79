/* judge_host.h - which addresses are one client
 *
 * The addresses that a network card was seen with are one client's, unless they show that it is a
 * router's: more than one IPv4 address, global IPv6 addresses of more than one /64, or those of far ends.
 * Numbers are given in the order of hosts' first flows, so they do not depend on the order in which facts came, but for
 * those that have one already.
 *
 * Memory: one entry for each host that is the client of some flow; freed by host_table_free. */
#ifndef REPORT_JUDGE_HOST_H
#define REPORT_JUDGE_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct host_table;

struct host_table *host_table_new(void);
void host_table_free(struct host_table **t);

/* A client's address, and where it was seen: at two vantage points it is two hosts. */
struct host_key {
	uint8_t address[16];
	uint8_t vantage;
};
_Static_assert(sizeof(struct host_key) == 17, "host_key has padding");

/* In a flow. */
struct host_sight {
	int64_t flow, first_ns, last_ns;
	const uint8_t *mac;	/* NULL when the link layer has none */
};

/* Such an address was seen, in whichever order of flows. */
void host_table_seen(struct host_table *t, const struct host_key *key, const struct host_sight *sight);

/* The card forwards: a far end was seen with it. */
void host_table_router(struct host_table *t, const uint8_t mac[6]);

/* After calls of these: puts addresses together. Clients are numbered from 1. False where a host has another number
 * than after the last call, as what was seen since shows that it is another client. */
bool host_table_group(struct host_table *t);
unsigned host_table_clients(const struct host_table *t);

/* The client of an address; 0 when it was not seen, or not grouped yet. */
unsigned host_table_client(const struct host_table *t, const struct host_key *key);

struct host {
	uint8_t address[16], mac[6], vantage;	/* mac: the latest */
	bool has_mac;
	bool moved;		/* seen with several cards: stays by itself */
	int64_t first_ns, last_ns, first_flow, mac_flow;
	unsigned client;
	unsigned numbered;	/* the client that it was when it was last grouped; 0: none yet */
	bool is_new;		/* it was none before that */
};

/* Whether a client has an address that was not seen when addresses were put together before. */
bool host_table_has_more(const struct host_table *t, unsigned client);

/* The addresses of a client, the one it is called by first (IPv4 before IPv6, then the smallest). */
unsigned host_table_addresses(const struct host_table *t, unsigned client, const struct host *const **hosts_out);

#endif
