/* watch_dns.h - DNS, mDNS and DHCP: the names of things (the only user of libldns)
 *
 * DNS over UDP and TCP: A, AAAA, CNAME, HTTPS and SVCB (with ech), PTR, MX, SRV, TXT, TLSA become
 * facts. mDNS and DHCP host names name local hosts. A malformed message is counted and forgotten.
 * An HTTPS or SVCB record with ech= and no address hint is a NAME_DNS fact whose address is zero.
 * Thread: the worker's. Memory: none kept between messages. */
#ifndef CLASSIFY_WATCH_DNS_H
#define CLASSIFY_WATCH_DNS_H

#include "classify/watch.h"

#define DNS_RECORDS_MAX 256	/* records of one message that are read */

/* Where facts go; called for each, the fact is the callee's to copy. */
typedef void dns_say(void *context, const struct fact *fact);

struct dns_packet {
	uint64_t frame;
	int64_t time_ns;
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
	bool asked;		/* the receiver sent something to the sender's port before */
};

/* Whether a UDP datagram is DNS by content: header fields that fit and a readable first question. */
bool dns_recognise(struct bytes message);

/* Reads one DNS or mDNS message. False when it was malformed. A DNS response names nobody when the
 * receiver had not asked: whoever can send it a packet could give any address the name of its mail
 * provider. */
bool dns_message(struct bytes message, const struct dns_packet *packet, dns_say *say, void *context);

/* Whether the first bytes of a TCP direction are DNS messages behind their two-byte lengths. */
enum watch_match dns_tcp_recognise(struct bytes first);

/* Reads the whole messages at the begin of a TCP direction's bytes in order; returns the bytes they took.
 * What is left comes again with more behind it. */
size_t dns_tcp_feed(struct bytes in, const struct dns_packet *packet, dns_say *say, void *context);

/* Reads one DHCP message (RFC 2131: ports 67/68, magic cookie) for its host name and address. */
bool dhcp_message(struct bytes message, const struct dns_packet *packet, dns_say *say, void *context);

#endif
