/* watch_dns.h - DNS, mDNS and DHCP: the names of things (the only user of libldns)
 *
 * DNS over UDP and TCP: A, AAAA, CNAME, HTTPS and SVCB (with ech), PTR, MX, SRV, TXT, TLSA become
 * facts. mDNS and DHCP host names name local hosts. A malformed message is counted and forgotten.
 * Thread: the worker's. Memory: none kept between messages. */
#ifndef CLASSIFY_WATCH_DNS_H
#define CLASSIFY_WATCH_DNS_H

#include "capture/bytes.h"
#include "classify/fact.h"

#define DNS_RECORDS_MAX 256	/* records of one message that are read */

/* Where facts go; called for each, the fact is the callee's to copy. */
typedef void dns_say(void *context, const struct fact *fact);

struct dns_packet {
	uint64_t frame;
	int64_t time_ns;
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
	uint8_t mac_src[6];
};

/* Whether a UDP datagram is DNS by content: header fields that fit and a readable first question. */
bool dns_recognise(struct bytes message);

/* Reads one DNS or mDNS message. False when it was malformed. */
bool dns_message(struct bytes message, const struct dns_packet *packet, dns_say *say, void *context);

/* Reads one DHCP message (RFC 2131: ports 67/68, magic cookie) for its host name and address. */
bool dhcp_message(struct bytes message, const struct dns_packet *packet, dns_say *say, void *context);

#endif
