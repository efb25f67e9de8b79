/* judge_client.h - who is a client: which end of a flow, which hosts, and their table
 *
 * Errors: false, store_error says why. */
#ifndef REPORT_JUDGE_CLIENT_H
#define REPORT_JUDGE_CLIENT_H

#include "report/judge_host.h"
#include "report/judge_ledger.h"
#include "report/judge_part.h"

/* DESIGN, "Which end is the client": whether it is the one that began the flow. */
bool client_is_originator(const struct judge_part *part, const uint8_t *orig, const uint8_t *resp);

/* The end of a flow that is a client. */
struct host_key client_key(const struct judge_part *part, int64_t flow, const uint8_t address[16]);

/* A flow with something in it, as it tells of hosts. */
struct client_flow {
	int64_t id, first_ns, last_ns;
	const uint8_t *orig, *resp, *orig_mac, *resp_mac;	/* 16 and 6 bytes; cards are NULL when the link layer has none */
};

/* Tells the table of hosts who is its client, and which card forwards. Gives the client's address: orig or resp. */
const uint8_t *client_note_host(const struct judge_part *part, struct host_table *hosts, const struct client_flow *flow);
/* The same of all flows in the case. */
bool client_note_hosts(const struct judge_part *part, struct host_table *hosts);

/* Once these are put together: writes client and client_address, and temp.client_more: who has an address more than when
 * they were put together before. */
bool client_write(const struct judge_part *part, const struct host_table *hosts, const struct ledger *ledger);

#endif
