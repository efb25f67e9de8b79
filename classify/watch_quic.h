/* watch_quic.h - the ClientHello inside QUIC Initial packets
 *
 * Initial keys are derived from the client's first Destination Connection ID (RFC 9001 section 5.2,
 * QUIC v1; RFC 9369 for v2), so anyone can read the ClientHello. CRYPTO frames come in any order and
 * over several datagrams; what they carry goes to the same ClientHello reader as TLS (watch_tls.h).
 * Thread: the flow's. Memory: at most QUIC_CRYPTO_MAX bytes a flow, freed by quic_free. */
#ifndef CLASSIFY_WATCH_QUIC_H
#define CLASSIFY_WATCH_QUIC_H

#include "classify/watch.h"

#define QUIC_CRYPTO_MAX 16384u	/* a ClientHello with post-quantum shares is under 4 KB */
#define QUIC_DATAGRAMS_MAX 16	/* Initials looked at before giving up */

struct quic;

/* Whether a datagram begins with a QUIC long header of a version that is known and could be a
 * client's first Initial. */
bool quic_recognise(struct bytes datagram);

struct quic *quic_new(void);
void quic_free(struct quic **q);
/* What it has taken from malloc. */
size_t quic_memory(const struct quic *q);

/* Takes a datagram from one side. WATCH_DONE when the ClientHello is read (or nothing more can be),
 * with the handshake in *facts; WATCH_BAD when it is no QUIC. */
enum watch_answer quic_feed(struct quic *q, enum fact_side from, struct bytes datagram, uint64_t frame,
			    struct watch_facts *facts);

#endif
