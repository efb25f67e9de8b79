/* judge_name.h - by which names the far end of a flow is known: the ClientHello's, the client's own look-ups', its
 * certificate's
 *
 * Memory: 128 KiB; freed by namer_free. Errors: false, store_error says why. */
#ifndef REPORT_JUDGE_NAME_H
#define REPORT_JUDGE_NAME_H

#include "report/judge_endpoint.h"
#include "report/judge_flow.h"
#include "report/judge_host.h"

struct namer;

/* Borrows all. NULL when the store cannot. */
struct namer *namer_new(const struct judge_part *part, const struct endpoint_table *endpoints,
			const struct host_table *hosts);
void namer_free(struct namer **n);

/* Before the first flow: DNS answers that are stored lead to these addresses. */
bool namer_note_all(struct namer *n);
/* And one more. */
void namer_note(struct namer *n, const uint8_t address[16]);

/* Puts the names into a key that has the address; *frame_out is that of the DNS answer, 0 where none counts. */
bool namer_name(struct namer *n, const struct judge_flow *flow, unsigned client, bool originated,
		struct endpoint_key *key, int64_t *frame_out);

#endif
