/* flow_key.h - which conversation a packet belongs to
 *
 * VLAN tags are left out on purpose: mirror ports often tag one direction only, and neither tshark's
 * conversations nor Community ID look at them.
 * Thread: any; all values, but for struct flow_ids, which is one thread's. */
#ifndef CAPTURE_FLOW_KEY_H
#define CAPTURE_FLOW_KEY_H

#include <stdbool.h>
#include <stdint.h>

/* IPv4 as ::ffff:a.b.c.d, in network order. */
struct host_port {
	uint8_t addr[16];
	uint16_t port;			/* host order; 0 where the protocol has none */
};

/* Compared with memcmp and hashed as bytes, so it must have no padding. */
struct flow_key {
	struct host_port lo, hi;	/* lo sorts before hi, address and port as one */
	uint8_t proto;			/* IP protocol number of the innermost layer */
	uint8_t vantage;		/* where it was seen: copies of a packet from two places are two flows' */
	uint8_t zero[2];
};
_Static_assert(sizeof(struct flow_key) == 40, "flow_key has padding");

enum flow_dir { FLOW_LO_TO_HI, FLOW_HI_TO_LO };

/* The key of a packet from src to dst, and which way that packet goes. */
enum flow_dir flow_key_make(struct flow_key *key_out, const struct host_port *src,
			    const struct host_port *dst, uint8_t proto);

/* What a table's hash is keyed with, of a seed that outsiders do not know. */
struct flow_hash {
	uint32_t words[sizeof(struct flow_key) / sizeof(uint32_t)];
	uint64_t odd;
};
void flow_hash_new(struct flow_hash *hash_out, uint64_t seed);

/* NH of UMAC (RFC 4418 section 5.2.2) and a multiplication: two keys collide with a chance of 2^-32, whoever
 * chose the addresses. All bits may be used. */
uint64_t flow_key_hash(const struct flow_key *key, const struct flow_hash *hash);

/* Which of 64 shards a flow belongs to; fixed for ever, so that shards, and with them limits and
 * evictions, are the same on every run and with any number of workers. */
#define FLOW_SHARDS 64
unsigned flow_key_shard(const struct flow_key *key);

/* Type and code of an ICMP or ICMPv6 message as ports: a message that is one of a pair (echo and its
 * reply) has its own type and the other's, any other type and code. Whether it is one of a pair. */
bool flow_key_icmp_ports(uint8_t proto, uint8_t type, uint8_t code, uint16_t *src_out,
			 uint16_t *dst_out);

struct flow_ids;

/* Community ID v1, seed 0 (github.com/corelight/community-id-spec), "1:" and 28 characters. For
 * ICMP the ports are type and code as the specification maps them; `dir` is that of a packet of the
 * flow and matters for ICMP messages that have no answer. UDP-Lite counts as a protocol without ports
 * there. */
#define FLOW_COMMUNITY_ID_SIZE 32
void flow_key_community_id(struct flow_ids *ids, const struct flow_key *key, enum flow_dir dir,
			   char out[FLOW_COMMUNITY_ID_SIZE]);

/* The SHA-1 of many Community IDs: to set it up takes longer than one. */
struct flow_ids *flow_ids_new(void);
void flow_ids_free(struct flow_ids **ids);

/* Whether an address is an IPv4 one, and an IPv4 address as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). */
#define HOST_IPV4_AT 12	/* where its four bytes stand */
bool host_is_ipv4(const uint8_t addr[16]);
void host_of_ipv4(const uint8_t ipv4[4], uint8_t addr_out[16]);
/* False when the text is no address. */
bool host_of_text(const char *text, uint8_t addr_out[16]);

/* "192.0.2.7" or "2001:db8::7" (RFC 5952). */
#define HOST_TEXT_SIZE 46
void host_text(const uint8_t addr[16], char out[HOST_TEXT_SIZE]);

#endif
