/* packet.h - from a captured frame to a decoded packet; packet_link.c, packet_ip.c, ... are its parts
 *
 * Link layers and tunnels are DESIGN's; each nesting is bounded by PACKET_DEPTH. Wrong checksums are
 * accepted (offload), and so are packets longer than any wire's MTU (GRO, TSO; an IPv4 or IPv6
 * length of 0 then means "to the end of the frame").
 *
 * Thread: any; packet_decode keeps no state. Memory: everything borrows the frame's bytes. */
#ifndef CAPTURE_PACKET_H
#define CAPTURE_PACKET_H

#include "capture/flow_key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_DEPTH 16		/* headers below IP, VLAN tags, MPLS labels, tunnels, extension headers: each */

/* Frames are named by source and number: source << FRAME_BITS | number, numbers from 1 as Wireshark
 * counts them. 0 is no frame. */
#define FRAME_BITS 40
static inline uint64_t frame_id(unsigned source, uint64_t number)
{
	return (uint64_t)source << FRAME_BITS | number;
}

/* What a source gives: one captured frame. */
struct frame {
	uint64_t id;
	int64_t time_ns;
	const uint8_t *data;	/* borrowed from the slab it came with */
	uint32_t caplen;	/* bytes here */
	uint32_t wire_len;	/* bytes on the wire; more than caplen when the snap length cut it */
	uint32_t pid;		/* process id that the capturing tool wrote; 0 is none */
	uint16_t link_type;	/* LINKTYPE_ number (pcap-linktype(7)) */
	uint16_t interface;	/* index in its source */
};

enum packet_kind {
	PACKET_IP,		/* decoded; any IP protocol */
	PACKET_FRAGMENT,	/* a part of a datagram: hand it to fragment.h */
	PACKET_NOT_IP,		/* ARP, LLDP, spanning tree, 802.11 management ...: no loss */
	PACKET_CUT,		/* the snap length took a header that was needed */
	PACKET_BAD,		/* headers that contradict themselves, or nested too deep */
	PACKET_OPAQUE,		/* payload that is encrypted below IP (802.11 protected frames) */
	PACKET_UNKNOWN_LINK,	/* a link type that is not decoded */
};

/* A decoded packet as a worker gets it: a plain value; payload borrows the batch's slab. */
struct packet {
	int64_t time_ns;
	uint64_t frame;			/* frame id; of the last-come fragment when put together */
	const uint8_t *payload;		/* of TCP or UDP; of IP for other protocols */
	uint32_t payload_len;		/* bytes here */
	uint32_t payload_wire_len;	/* bytes that the IP header claims; more means cut by the snap length */
	uint32_t wire_len;		/* frame bytes on the wire, of all fragments together */
	uint32_t seq, ack;		/* TCP */
	uint32_t pid;
	struct flow_key key;
	uint8_t dir;			/* enum flow_dir */
	uint8_t tcp_flags;
	uint16_t fragments;		/* frames this datagram came in; 1 is unfragmented */
	uint16_t vlan;			/* innermost VLAN id; 0 is none */
	uint8_t tunnels;		/* tunnel headers that were taken off */
	uint8_t shard;			/* flow_key_shard(&key), set by the capture thread */
	/* Of the link layer right below the IP header that the key is from; false, and zero, where it has
	 * none or only one of the two (SLL), and inside IP tunnels, whose frames' are the tunnel's. */
	bool has_mac;
	uint8_t mac_src[6], mac_dst[6];
	uint16_t head_len;		/* bytes of the frame that stand right before payload; 0: it came in fragments.
					 * Set by the capture thread */
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

/* A fragment of a datagram, as packet_decode found it. */
struct packet_fragment {
	uint8_t src[16], dst[16];
	uint32_t ip_id;			/* 16 bits for IPv4 */
	uint32_t offset;		/* of data in the datagram's payload, bytes */
	uint32_t len;			/* bytes here */
	uint32_t wire_len;		/* bytes that the header claims */
	const uint8_t *data;
	uint8_t proto;			/* protocol of the payload (IPv6: of the first fragment's next header) */
	bool ipv6;
	bool more;			/* more fragments follow */
	uint8_t vantage;		/* as in struct flow_key; set by the capture thread */
};

/* Decodes a frame. PACKET_IP fills *packet_out. PACKET_FRAGMENT fills *fragment_out, and of
 * *packet_out the fields of the frame (time, frame, wire_len, pid, MACs, vlan). */
enum packet_kind packet_decode(const struct frame *frame, struct packet *packet_out,
			       struct packet_fragment *fragment_out);

/* Decodes the payload of a datagram that was put together from fragments: fragment says addresses
 * and protocol, data[len] is the whole payload, *packet_inout has the frame's fields. May be
 * PACKET_FRAGMENT again (a tunnel inside). */
enum packet_kind packet_decode_payload(const struct packet_fragment *fragment, const uint8_t *data,
				       uint32_t len, struct packet *packet_inout,
				       struct packet_fragment *fragment_out);

#endif
