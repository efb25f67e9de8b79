/* judge_ledger.h - what clients sent and got, in sums: tables traffic, client_state and client_loss
 *
 * Every flow with something in it is in the ledger, those that no rule asks for by themselves only there.
 * What a flow counted for can be taken back, so that a case that grows need not be summed anew: traffic is added to
 * what the table has, of the others all is written anew.
 *
 * Memory: bounded but for some 500 bytes a client, and for one that falls silent often up to 16 KiB.
 * Errors: false, store_error says why. */
#ifndef REPORT_JUDGE_LEDGER_H
#define REPORT_JUDGE_LEDGER_H

#include "report/judge_flow.h"

enum traffic_kind { TRAFFIC_OTHER, TRAFFIC_SESSION, TRAFFIC_DELIVERY, TRAFFIC_WEB_MAIL, TRAFFIC_KINDS };

/* Those of schema.sql, state_word, that a session shows by itself. */
enum session_state { STATE_NONE, STATE_HIDDEN, STATE_RESUMED, STATE_CERTIFICATE, STATE_INCOMPLETE, STATE_UNKNOWN,
		     STATE_POSTCARD, STATE_END };
/* NULL for STATE_NONE. */
const char *session_state_name(enum session_state state);

/* A flow as the ledger sums it up. */
struct ledger_flow {
	unsigned client;
	int64_t endpoint;
	uint8_t far[16];
	enum traffic_kind kind;
	bool originated, loopback;
	int64_t up, down, first_ns, last_ns;
	bool vendor;			/* up counts as sent to a service that relays */
	bool unnamed;			/* up counts as sent to an endpoint that nothing names */
	enum session_state state;
	bool read;			/* of the session: mail or a credential was, of use to a reader */
	const struct flow_loss *losses;	/* those that matter */
	unsigned loss_count;
};

struct ledger;

/* NULL when the store cannot. Borrows part. */
struct ledger *ledger_new(const struct judge_part *part);
void ledger_free(struct ledger **l);

/* Before flows of theirs come: there are clients 1 to count, no fewer than before. */
void ledger_clients(struct ledger *l, unsigned count);

bool ledger_add(struct ledger *l, const struct ledger_flow *flow);
/* One that was added, as it was then. How long its client was watched stays. */
bool ledger_take_back(struct ledger *l, const struct ledger_flow *flow);
/* After the last: writes the tables. */
bool ledger_write(struct ledger *l);

/* How long a client was watched: from its first flow to its last, but of each silence no more than
 * threshold watched-gap-ns. */
int64_t ledger_watched_ns(const struct ledger *l, unsigned client);

#endif
