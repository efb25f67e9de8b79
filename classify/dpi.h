/* dpi.h - nDPI: protocol and application names as a hint (the only user of libndpi)
 *
 * A hint, never evidence: no owner, no state of a mail session and no finding rests on it. By name for
 * every named flow; by packets only for flows that none of our recognisers knows, and only whether they are
 * a tunnel or hide look-ups.
 *
 * No label comes from a port, an address or what other flows were: with the same packets of its own a
 * flow always gets the same one.
 *
 * Thread: one struct dpi for each worker; any may make one. Memory: one nDPI flow for each struct
 * dpi_flow, freed as soon as it is decided and wiped before (nDPI keeps passwords). Errors: the first
 * use ends the program when the library cannot be initialised. */
#ifndef CLASSIFY_DPI_H
#define CLASSIFY_DPI_H

#include "capture/packet.h"
#include "classify/fact.h"

#define DPI_PACKETS 8		/* payload packets shown for one flow */

struct dpi;
struct dpi_flow;

struct dpi_label {
	char master[FACT_WORD_SIZE], app[FACT_WORD_SIZE];	/* nDPI's names; "" is unknown */
	bool opaque;			/* nDPI says VPN, Tor, proxy or another tunnel */
	bool encrypted_dns;
};

struct dpi *dpi_new(void);
void dpi_free(struct dpi **d);
const char *dpi_version(void);

/* The application that a host name belongs to; "" when nDPI knows none. */
void dpi_by_name(struct dpi *d, const char *name, struct dpi_label *out);

/* Shows a packet with payload of an unrecognised flow. *flow is made at the first call. True when it is
 * decided or DPI_PACKETS are used up: *out is filled, *flow freed and NULL. */
bool dpi_by_packet(struct dpi *d, struct dpi_flow **flow, const struct packet *packet,
		   struct dpi_label *out);

/* What a struct dpi_flow takes from malloc, without what hangs off it. */
size_t dpi_flow_memory(void);

/* The flow is over; what nDPI was sure of, dpi_by_packet said at once. Wipes and frees *flow, which may
 * be NULL. */
void dpi_flow_free(struct dpi_flow **flow);

#endif
