/* Every link layer and tunnel round the same TCP segment, whole, cut at every byte and with padding;
 * then what contradicts itself. Over 400 lines: nearly every test goes through the one table of
 * frames. */
#include "tests/test.h"

#include "capture/base.h"
#include "capture/packet.h"

/* 192.0.2.7:50100 -> 198.51.100.9:993, sequence 1, acknowledging 2, PSH, ACK and ECN's flags, payload "hi" */
#define TCP_HI "c3b4 03e1 00000001 00000002 50d8 ffff 0000 0000 6869 "
#define V4_HEAD(total, proto) "4500 " total " 0001 4000 40 " proto " 0000 c0000207 c6336409 "
#define V4 V4_HEAD("002a", "06") TCP_HI
#define V6_ENDS "20010db8000000000000000000000007 20010db8000000000000000000000009 "
#define V6_HEAD(length, next) "60000000 " length " " next " 40 " V6_ENDS
#define V6 V6_HEAD("0016", "06") TCP_HI
/* Outer headers of tunnels, between 10.0.0.1 and 10.0.0.2 */
#define OUT4(total, proto) "4500 " total " 0001 4000 40 " proto " 0000 0a000001 0a000002 "
#define OUT6(length, next) "60000000 " length " " next " 40 fd000000000000000000000000000001 " \
	"fd000000000000000000000000000002 "
#define UDP(src, dst, length) src " " dst " " length " 0000 "
#define MACS "020000000002 020000000001 "
#define ETH MACS "0800 "
#define SNAP "aaaa03 000000 0800 "
#define WIFI(control) control " 0000 020000000001 020000000002 020000000003 1000 "

enum { ETHERNET = 1, RAW = 101 };

static size_t from_hex(const char *hex, uint8_t *out, size_t size)
{
	size_t n = 0;

	for (; *hex != '\0'; hex++) {
		unsigned byte;

		if (*hex == ' ')
			continue;
		assert_true(n < size);
		assert_int_equal(sscanf(hex++, "%2x", &byte), 1);
		out[n++] = (uint8_t)byte;
	}
	return n;
}

/* Decodes a copy that ends exactly where the frame does, for AddressSanitizer; the payload is then
 * only good for its length and its first bytes, which go to text. */
static enum packet_kind decode(const uint8_t *data, size_t caplen, size_t wire_len, unsigned link,
			       struct packet *p, struct packet_fragment *f, char text[8])
{
	uint8_t *copy = base_alloc(caplen);
	struct frame frame = {
		.id = 7, .time_ns = 8, .data = copy, .caplen = (uint32_t)caplen,
		.wire_len = (uint32_t)wire_len, .link_type = (uint16_t)link,
	};
	enum packet_kind kind;

	memcpy(copy, data, caplen);
	memset(p, 0xaa, sizeof(*p));
	kind = packet_decode(&frame, p, f);
	memset(text, 0, 8);
	if (kind == PACKET_IP) {
		assert_true(p->payload_len <= p->payload_wire_len);
		assert_true(p->payload >= copy && p->payload + p->payload_len <= copy + caplen);
		memcpy(text, p->payload, p->payload_len < 7 ? p->payload_len : 7);
	}
	free(copy);
	return kind;
}

static const struct shape {
	const char *name;
	unsigned link;
	uint8_t tunnels;
	uint16_t vlan;
	const char *hex;
} shapes[] = {
	{ "Ethernet", ETHERNET, 0, 0, ETH V4 },
	{ "Ethernet, IPv6", ETHERNET, 0, 0, MACS "86dd " V6 },
	{ "802.3 with SNAP", ETHERNET, 0, 0, MACS "0032 " SNAP V4 },
	{ "802.3 with 802.1H", ETHERNET, 0, 0, MACS "0032 aaaa03 0000f8 0800 " V4 },
	{ "802.3 with IP's own SAP", ETHERNET, 0, 0, MACS "002d 060603 " V4 },
	{ "802.3, padded, IP length 0", ETHERNET, 0, 0,
	  MACS "0032 " SNAP V4_HEAD("0000", "06") TCP_HI "0000" },
	{ "PPPoE, padded, IP length 0", ETHERNET, 0, 0,
	  MACS "8864 1100 0001 002c 0021 " V4_HEAD("0000", "06") TCP_HI "0000" },
	{ "VLAN", ETHERNET, 0, 42, MACS "8100 602a 0800 " V4 },
	{ "VLAN, priority only", ETHERNET, 0, 0, MACS "8100 6000 0800 " V4 },
	{ "VLAN in 802.3", ETHERNET, 0, 42, MACS "8100 002a 0032 " SNAP V4 },
	{ "QinQ", ETHERNET, 0, 43, MACS "88a8 002a 8100 002b 0800 " V4 },
	{ "QinQ, inner one priority only", ETHERNET, 0, 42, MACS "88a8 002a 8100 6000 0800 " V4 },
	{ "QinQ, older types", ETHERNET, 0, 44, MACS "9100 002a 9200 002b 8100 002c 0800 " V4 },
	{ "MAC in MAC", ETHERNET, 0, 0, MACS "88e7 00000001 " ETH V4 },
	{ "VN-Tag", ETHERNET, 0, 0, MACS "8926 00000000 0800 " V4 },
	{ "Cisco metadata", ETHERNET, 0, 0, MACS "8909 0101 0001 0064 0800 " V4 },
	{ "NSH", ETHERNET, 0, 0, MACS "894f 0fc2 02 01 00000100 " V4 },
	{ "MACsec, not encrypted", ETHERNET, 0, 0, MACS "88e5 2000 00000001 0102030405060001 0800 " V4 },
	{ "MPLS", ETHERNET, 0, 0, MACS "8847 00010040 00011140 " V4 },
	{ "MPLS, IPv6", ETHERNET, 0, 0, MACS "8847 00011140 " V6 },
	{ "MPLS, Ethernet with control word", ETHERNET, 0, 0, MACS "8847 00011140 00000000 " ETH V4 },
	{ "MPLS, Ethernet without", ETHERNET, 0, 0, MACS "8847 00011140 " ETH V4 },
	{ "MPLS, Ethernet that begins like IPv4", ETHERNET, 0, 0,
	  MACS "8847 00011140 450000000002 020000000001 0800 " V4 },
	{ "MPLS, Ethernet that begins like IPv6", ETHERNET, 0, 7,
	  MACS "8847 00011140 600000000002 020000000001 8100 0007 0800 " V4 },
	{ "PPPoE", ETHERNET, 0, 0, MACS "8864 1100 0001 002c 0021 " V4 },
	{ "PPPoE, IPv6", ETHERNET, 0, 0, MACS "8864 1100 0001 0040 0057 " V6 },
	{ "PPPoE on a VLAN", ETHERNET, 0, 7, MACS "8100 0007 8864 1100 0001 002c 0021 " V4 },
	{ "PPP", 9, 0, 0, "0021 " V4 },
	{ "PPP, compressed", 9, 0, 0, "21 " V4 },
	{ "PPP like HDLC", 50, 0, 0, "ff03 0021 " V4 },
	{ "Cisco HDLC in PPP", 50, 0, 0, "0f00 0800 " V4 },
	{ "Cisco HDLC", 104, 0, 0, "8f00 86dd " V6 },
	{ "PPP, pppd's", 166, 0, 0, "0103 0021 " V4 },
	{ "PPP with direction", 204, 0, 0, "01 ff03 0021 " V4 },
	{ "PPPoE alone", 51, 0, 0, "1100 0001 002c 0021 " V4 },
	{ "cooked", 113, 0, 0, "0004 0001 0006 0200000000010000 0800 " V4 },
	{ "cooked, loopback", 113, 0, 0, "0000 0304 0006 0000000000000000 86dd " V6 },
	{ "cooked, tun", 113, 0, 0, "0004 fffe 0000 0000000000000000 0800 " V4 },
	{ "cooked, VLAN", 113, 0, 42, "0004 0001 0006 0200000000010000 8100 002a 0800 " V4 },
	{ "cooked, LLC", 113, 0, 0, "0004 0001 0006 0200000000010000 0004 " SNAP V4 },
	{ "cooked 2", 276, 0, 0, "0800 0000 00000002 0001 04 06 0200000000010000 " V4 },
	{ "loopback, little-endian", 0, 0, 0, "02000000 " V4 },
	{ "loopback, big-endian", 0, 0, 0, "00000002 " V4 },
	{ "loopback, OpenBSD's", 108, 0, 0, "00000018 " V6 },
	{ "loopback, Linux IPv6", 0, 0, 0, "0a000000 " V6 },
	{ "loopback, Windows IPv6", 0, 0, 0, "17000000 " V6 },
	{ "loopback, NetBSD IPv6", 0, 0, 0, "18000000 " V6 },
	{ "loopback, FreeBSD IPv6", 0, 0, 0, "1c000000 " V6 },
	{ "loopback, Darwin IPv6", 0, 0, 0, "1e000000 " V6 },
	{ "raw", RAW, 0, 0, V4 },
	{ "raw, IPv6", 12, 0, 0, V6 },
	{ "raw, OpenBSD's", 14, 0, 0, V4 },
	{ "raw IPv4", 228, 0, 0, V4 },
	{ "raw IPv6", 229, 0, 0, V6 },
	{ "ENC", 109, 0, 0, "02000000 00000001 00000000 " V4 },
	{ "pflog", 117, 0, 0, "05020000 00000000 " V4 },
	{ "802.11, from the access point", 105, 0, 0, WIFI("0802") SNAP V4 },
	{ "802.11, to it, QoS", 105, 0, 0, WIFI("8801") "0000 " SNAP V4 },
	{ "802.11, four addresses, QoS, high throughput", 105, 0, 0,
	  WIFI("8883") "020000000004 0000 00000000 " SNAP V4 },
	{ "802.11, aggregate of one", 105, 0, 0,
	  WIFI("8801") "8000 " MACS "0032 " SNAP V4 },
	{ "radiotap", 127, 0, 0, "0000 0800 00000000 " WIFI("0802") SNAP V4 },
	{ "radiotap, padded", 127, 0, 0,
	  "0000 1900 03000080 00000000 00000000 0000000000000000 20 " WIFI("8801") "0000 0000 " SNAP V4 },
	{ "PPI", 192, 0, 0, "0000 0800 69000000 " WIFI("0802") SNAP V4 },
	{ "AVS", 163, 0, 0, "80211001 0000000c 00000000 " WIFI("0802") SNAP V4 },
	{ "prism", 119, 0, 0, "44000000 0c000000 00000000 " WIFI("0802") SNAP V4 },
	{ "NFLOG", 239, 0, 0, "02 00 0000 0500 0a00 00 000000 2e00 0900 " V4 "0000" },
	{ "NFLOG, big-endian", 239, 0, 0, "0a 00 0000 0005 000a 00 000000 0042 0009 " V6 "0000" },
	{ "IPv4 with options", RAW, 0, 0, "4700 0032 0001 4000 40 06 0000 c0000207 c6336409 "
	  "0101010101010100 " TCP_HI },
	{ "IPv4, IP length 0", RAW, 0, 0, V4_HEAD("0000", "06") TCP_HI },
	{ "IPv6, IP length 0", RAW, 0, 0, V6_HEAD("0000", "06") TCP_HI },
	{ "IPv6 jumbogram", RAW, 0, 0, V6_HEAD("0000", "00") "06 00 c2 04 0000001e " TCP_HI },
	{ "IPv4, authenticated", RAW, 0, 0, V4_HEAD("0042", "33")
	  "06 04 0000 00000001 00000001 000000000000000000000000 " TCP_HI },
	{ "IPv6 extension headers", RAW, 0, 0, V6_HEAD("004e", "00") "2b 00 010400000000 "
	  "3c 00 00 00 00000000 " "33 00 010400000000 "
	  "2c 04 0000 00000001 00000001 000000000000000000000000 " "06 00 0000 00000005 " TCP_HI },
	{ "GRE", RAW, 1, 0, OUT4("0042", "2f") "0000 0800 " V4 },
	{ "GRE, all fields", RAW, 1, 0, OUT4("0062", "2f") "b000 86dd 00000000 00000001 00000002 " V6 },
	{ "GRE, Ethernet on a VLAN", RAW, 1, 42,
	  OUT4("0058", "2f") "0000 6558 " MACS "8100 002a 0800 " V4 },
	{ "GRE, MPLS", RAW, 1, 0, OUT4("0046", "2f") "0000 8847 00011140 " V4 },
	{ "GRE, PPTP", RAW, 1, 0, OUT4("0052", "2f") "3081 880b 002e0001 00000001 00000001 "
	  "ff03 0021 " V4 },
	{ "ERSPAN I", RAW, 1, 0, OUT4("0050", "2f") "0000 88be " ETH V4 },
	{ "ERSPAN II", RAW, 1, 0, OUT4("005c", "2f") "1000 88be 00000001 1001000000000000 " ETH V4 },
	{ "ERSPAN III", RAW, 1, 0, OUT4("0068", "2f") "1000 22eb 00000001 "
	  "200100000000000000000001 0000000000000000 " ETH V4 },
	{ "GRE in GRE", RAW, 2, 0, OUT4("005a", "2f") "0000 0800 " OUT4("0042", "2f") "0000 0800 " V4 },
	{ "VXLAN", RAW, 1, 0, OUT4("005c", "11") UDP("c000", "12b5", "0048") "08000000 00000100 " ETH V4 },
	{ "VXLAN, Linux's port, policy", RAW, 1, 0,
	  OUT6("0048", "11") UDP("c000", "2118", "0048") "88000005 00000100 " ETH V4 },
	{ "VXLAN-GPE", RAW, 1, 0, OUT4("004e", "11") UDP("c000", "12b6", "003a") "0c000001 00000100 " V4 },
	{ "VXLAN-GPE without its bit, from its port", RAW, 1, 0,
	  OUT4("004e", "11") UDP("12b6", "c000", "003a") "08000001 00000100 " V4 },
	{ "VXLAN on GPE's port", RAW, 1, 0,
	  OUT4("005c", "11") UDP("12b5", "12b6", "0048") "08000000 00000100 " ETH V4 },
	{ "GENEVE with an option", RAW, 1, 0,
	  OUT4("0060", "11") UDP("c000", "17c1", "004c") "01006558 00000100 01020300 " ETH V4 },
	{ "IPIP", RAW, 1, 0, OUT4("003e", "04") V4 },
	{ "6in4", RAW, 1, 0, OUT4("0052", "29") V6 },
	{ "4in6", RAW, 1, 0, OUT6("002a", "04") V4 },
	{ "6in6", RAW, 1, 0, OUT6("003e", "29") V6 },
	{ "EtherIP", RAW, 1, 0, OUT4("004e", "61") "3000 " ETH V4 },
	{ "MPLS in IP", RAW, 1, 0, OUT4("0042", "89") "00011140 " V4 },
	{ "Teredo", RAW, 1, 0, OUT4("005a", "11") UDP("c000", "0dd8", "0046") V6 },
	{ "Teredo, authentication and origin", RAW, 1, 0, OUT4("006f", "11") UDP("0dd8", "c000", "005b")
	  "0001 00 00 0000000000000000 00 0000 3cff ffffffff " V6 },
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void ends(const struct packet *p, char out[2 * HOST_TEXT_SIZE + 16])
{
	const struct host_port *src = p->dir == FLOW_LO_TO_HI ? &p->key.lo : &p->key.hi;
	const struct host_port *dst = p->dir == FLOW_LO_TO_HI ? &p->key.hi : &p->key.lo;
	char from[HOST_TEXT_SIZE], to[HOST_TEXT_SIZE];

	host_text(src->addr, from);
	host_text(dst->addr, to);
	sprintf(out, "%s %u > %s %u", from, src->port, to, dst->port);
}

#define check(name, what) do { if (!(what)) fail_msg("%s: not %s", name, #what); } while (0)

static void check_hi(const char *name, const struct packet *p, const char *payload)
{
	char text[2 * HOST_TEXT_SIZE + 16];

	ends(p, text);
	if (strcmp(text, "192.0.2.7 50100 > 198.51.100.9 993") != 0 &&
	    strcmp(text, "2001:db8::7 50100 > 2001:db8::9 993") != 0)
		fail_msg("%s: %s", name, text);
	check(name, p->key.proto == 6 && p->tcp_flags == (TCP_PSH | TCP_ACK));
	check(name, p->seq == 1 && p->ack == 2);
	check(name, p->payload_len == 2 && p->payload_wire_len == 2);
	check(name, strcmp(payload, "hi") == 0);
	check(name, p->frame == 7 && p->time_ns == 8 && p->fragments == 1 && p->pid == 0);
}

static void every_wrapping_gives_the_same_segment(void **state)
{
	uint8_t data[256];
	char text[8];
	(void)state;

	for (const struct shape *s = shapes; s < shapes + SHAPES; s++) {
		size_t n = from_hex(s->hex, data, sizeof(data));
		struct packet p;
		struct packet_fragment f;
		enum packet_kind kind = decode(data, n, n, s->link, &p, &f, text);

		if (kind != PACKET_IP)
			fail_msg("%s: kind %d", s->name, kind);
		check_hi(s->name, &p, text);
		check(s->name, p.tunnels == s->tunnels);
		check(s->name, p.vlan == s->vlan);
		check(s->name, p.wire_len == n);
	}
}

static void padding_is_not_payload(void **state)
{
	uint8_t data[256] = { 0 };
	char text[8];
	(void)state;

	for (const struct shape *s = shapes; s < shapes + SHAPES; s++) {
		size_t n = from_hex(s->hex, data, sizeof(data));
		struct packet p;
		struct packet_fragment f;

		if (strstr(s->name, "length 0") != NULL)
			continue;
		for (size_t extra = 1; extra < 5; extra++) {
			data[n + extra - 1] = 'x';
			if (decode(data, n + extra, n + extra, s->link, &p, &f, text) != PACKET_IP)
				fail_msg("%s: %zu more", s->name, extra);
			check_hi(s->name, &p, text);
		}
	}
}

/* Whatever the snap length takes, what is left is never called bad or not IP, and is never more than
 * there was. A UDP tunnel whose header is cut is an ordinary datagram. */
static void a_frame_cut_anywhere_is_cut_or_has_the_same_key(void **state)
{
	uint8_t data[256];
	char text[8];
	(void)state;

	for (const struct shape *s = shapes; s < shapes + SHAPES; s++) {
		size_t n = from_hex(s->hex, data, sizeof(data));
		struct packet whole, p;
		struct packet_fragment f;

		decode(data, n, n, s->link, &whole, &f, text);
		for (size_t cut = 0; cut < n; cut++) {
			enum packet_kind kind = decode(data, cut, n, s->link, &p, &f, text);

			if (kind == PACKET_IP && p.tunnels < s->tunnels && p.key.proto == 17)
				continue;
			if (kind == PACKET_CUT)
				continue;
			if (kind != PACKET_IP)
				fail_msg("%s: kind %d when cut at %zu of %zu", s->name, kind, cut, n);
			check(s->name, memcmp(&p.key, &whole.key, sizeof(p.key)) == 0);
			check(s->name, p.payload_wire_len == 2 && p.payload_len <= 2);
			check(s->name, p.tunnels == s->tunnels && p.vlan == s->vlan);
		}
	}
}

/* Complete frames that are too short for their headers: cut only where a header claims more. */
static void a_frame_that_ends_too_early_is_no_whole_packet(void **state)
{
	uint8_t data[256];
	char text[8];
	(void)state;

	for (const struct shape *s = shapes; s < shapes + SHAPES; s++) {
		size_t n = from_hex(s->hex, data, sizeof(data));
		struct packet p;
		struct packet_fragment f;

		for (size_t end = 0; end < n; end++) {
			enum packet_kind kind = decode(data, end, end, s->link, &p, &f, text);

			if (kind == PACKET_IP && p.key.proto == 6 && strstr(s->name, "length 0") == NULL &&
			    s->link != 239)
				check(s->name, p.payload_len < p.payload_wire_len);
		}
	}
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *name;
		unsigned link;
		enum packet_kind want;
		const char *hex;
	} cases[] = {
		{ "empty", ETHERNET, PACKET_BAD, "" },
		{ "ARP", ETHERNET, PACKET_NOT_IP, MACS "0806 0001" },
		{ "spanning tree", ETHERNET, PACKET_NOT_IP, MACS "0026 424203 0000" "00000000000000000000000000000000"
		  "00000000000000000000000000000000" "00" },
		{ "MPLS, ARP that begins like IPv4", ETHERNET, PACKET_NOT_IP,
		  MACS "8847 00011140 450000000002 020000000001 0806 0001" },
		{ "PPPoE discovery", ETHERNET, PACKET_NOT_IP, MACS "8863 1109 0000 0000" },
		{ "PPPoE, wrong version", ETHERNET, PACKET_BAD, MACS "8864 2100 0001 002c 0021 " V4 },
		{ "PPP link control", 9, PACKET_NOT_IP, "c021 01010004" },
		{ "PPP, encrypted", 9, PACKET_OPAQUE, "00fd 01010004" },
		{ "MACsec, encrypted", ETHERNET, PACKET_OPAQUE, MACS "88e5 2c00 00000001 0102030405060001 0800 " V4 },
		{ "802.11 beacon", 105, PACKET_NOT_IP, "8000 0000" },
		{ "802.11 null", 105, PACKET_NOT_IP, WIFI("4801") },
		{ "802.11, protected", 105, PACKET_OPAQUE, WIFI("0842") SNAP V4 },
		{ "802.11, second part", 105, PACKET_BAD,
		  "0802 0000 020000000001 020000000002 020000000003 1100 " SNAP V4 },
		{ "802.11, aggregate of two", 105, PACKET_BAD,
		  WIFI("8801") "8000 " MACS "0032 " SNAP V4 "0000 " MACS "0032 " SNAP V4 },
		{ "radiotap, bad check sum", 127, PACKET_BAD,
		  "0000 0900 02000000 40 " WIFI("0802") SNAP V4 },
		{ "cooked, netlink", 113, PACKET_NOT_IP, "0004 0338 0000 0000000000000000 0004 " SNAP V4 },
		{ "cooked, CAN", 113, PACKET_NOT_IP, "0001 0118 0000 0000000000000000 000c 0000" },
		{ "unknown link type", 147, PACKET_UNKNOWN_LINK, V4 },
		{ "version 5", RAW, PACKET_BAD, "5500 002a 0001 4000 40 06 0000 c0000207 c6336409 " TCP_HI },
		{ "IPv4, short header", RAW, PACKET_BAD, "4400 002a 0001 4000 40 06 0000 c0000207 c6336409 " TCP_HI },
		{ "IPv4, total below header", RAW, PACKET_BAD, V4_HEAD("0013", "06") TCP_HI },
		{ "TCP, data offset 4", RAW, PACKET_BAD,
		  V4_HEAD("002a", "06") "c3b4 03e1 00000001 00000002 4018 ffff 0000 0000 6869" },
		{ "TCP, data offset beyond", RAW, PACKET_BAD,
		  V4_HEAD("002a", "06") "c3b4 03e1 00000001 00000002 6018 ffff 0000 0000 6869" },
		{ "TCP, half a header", RAW, PACKET_BAD, V4_HEAD("0020", "06") "c3b4 03e1 00000001 00000002" },
		{ "UDP, length 7", RAW, PACKET_BAD, V4_HEAD("001e", "11") UDP("c000", "0035", "0007") "6869" },
		{ "fragment", RAW, PACKET_FRAGMENT, "4500 001c 0001 2000 40 06 0000 c0000207 c6336409 0000000000000000" },
	};
	uint8_t data[256];
	char text[8];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = from_hex(cases[i].hex, data, sizeof(data));
		struct packet p;
		struct packet_fragment f;
		enum packet_kind kind = decode(data, n, n, cases[i].link, &p, &f, text);

		if (kind != cases[i].want)
			fail_msg("%s: kind %d", cases[i].name, kind);
	}
}

/* What is an ordinary packet of its protocol: ends, protocol, payload here and on the wire. */
static void other_packets_are_described(void **state)
{
	static const struct {
		const char *name, *want;
		uint8_t proto;
		unsigned len, wire;
		const char *hex;
	} cases[] = {
		{ "UDP", "192.0.2.7 49152 > 198.51.100.9 53", 17, 2, 2,
		  V4_HEAD("001e", "11") UDP("c000", "0035", "000a") "6869" },
		{ "UDP shorter than IP", "192.0.2.7 49152 > 198.51.100.9 53", 17, 1, 1,
		  V4_HEAD("001e", "11") UDP("c000", "0035", "0009") "6869" },
		{ "UDP longer than IP", "192.0.2.7 49152 > 198.51.100.9 53", 17, 2, 2,
		  V4_HEAD("001e", "11") UDP("c000", "0035", "ffff") "6869" },
		{ "UDP length 0", "192.0.2.7 49152 > 198.51.100.9 53", 17, 2, 2,
		  V4_HEAD("001e", "11") UDP("c000", "0035", "0000") "6869" },
		{ "IP claims more than the frame has", "192.0.2.7 49152 > 198.51.100.9 53", 17, 2, 92,
		  V4_HEAD("0078", "11") UDP("c000", "0035", "0064") "6869" },
		{ "VXLAN's port, other content", "192.0.2.7 49152 > 198.51.100.9 4789", 17, 8, 8,
		  V4_HEAD("0024", "11") UDP("c000", "12b5", "0010") "0100000000000100" },
		{ "VXLAN, bad inside", "192.0.2.7 49152 > 198.51.100.9 4789", 17, 8, 8,
		  V4_HEAD("0024", "11") UDP("c000", "12b5", "0010") "0800000000000100" },
		{ "VXLAN, bad deep inside", "192.0.2.7 49152 > 198.51.100.9 4789", 17, 62, 62,
		  V4_HEAD("005a", "11") UDP("c000", "12b5", "0046") "08000000 00000100 " ETH
		  OUT4("0028", "06") "c3b4 03e1 00000001 00000002 4018 ffff 0000 0000 " },
		{ "Teredo's port, begins like IPv6", "192.0.2.7 49152 > 198.51.100.9 3544", 17, 40, 40,
		  V4_HEAD("0044", "11") UDP("c000", "0dd8", "0030") "6868686868686868686868686868686868686868"
		  "6868686868686868686868686868686868686868" },
		{ "GENEVE's port, DNS", "192.0.2.7 53 > 198.51.100.9 6081", 17, 8, 8,
		  V4_HEAD("0024", "11") UDP("0035", "17c1", "0010") "1234818000010001" },
		{ "Teredo's port, other content", "192.0.2.7 49152 > 198.51.100.9 3544", 17, 2, 2,
		  V4_HEAD("001e", "11") UDP("c000", "0dd8", "000a") "6869" },
		{ "UDP-Lite", "192.0.2.7 49152 > 198.51.100.9 53", 136, 10, 10,
		  V4_HEAD("001e", "88") UDP("c000", "0035", "0008") "6869" },
		{ "SCTP", "192.0.2.7 49152 > 198.51.100.9 53", 132, 12, 12,
		  V4_HEAD("0020", "84") "c000 0035 00000001 00000000" },
		{ "ICMP echo", "192.0.2.7 8 > 198.51.100.9 0", 1, 8, 8,
		  V4_HEAD("001c", "01") "0800 0000 00010001" },
		{ "ICMP error: what it quotes stays payload", "192.0.2.7 3 > 198.51.100.9 1", 1, 50, 50,
		  V4_HEAD("0046", "01") "0301 0000 00000000 " V4 },
		{ "ESP", "2001:db8::7 0 > 2001:db8::9 0", 50, 8, 8, V6_HEAD("0008", "32") "0000000100000001" },
		{ "no next header", "2001:db8::7 0 > 2001:db8::9 0", 59, 0, 0, V6_HEAD("0000", "3b") "00" },
		{ "GRE keep-alive", "192.0.2.7 0 > 198.51.100.9 0", 47, 4, 4, V4_HEAD("0018", "2f") "00000000" },
		{ "PPTP acknowledgement", "192.0.2.7 0 > 198.51.100.9 0", 47, 12, 12,
		  V4_HEAD("0020", "2f") "2081 880b 00000001 00000001" },
	};
	uint8_t data[256];
	char text[8], got[2 * HOST_TEXT_SIZE + 16];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = from_hex(cases[i].hex, data, sizeof(data));
		struct packet p;
		struct packet_fragment f;
		enum packet_kind kind = decode(data, n, n, RAW, &p, &f, text);

		if (kind != PACKET_IP)
			fail_msg("%s: kind %d", cases[i].name, kind);
		ends(&p, got);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].name, got);
		check(cases[i].name, p.key.proto == cases[i].proto && p.tunnels == 0);
		check(cases[i].name, p.payload_len == cases[i].len);
		check(cases[i].name, p.payload_wire_len == cases[i].wire);
		check(cases[i].name, p.seq == 0 && p.ack == 0 && p.tcp_flags == 0);
	}
}

static void options_that_were_cut_off_cost_only_the_payload(void **state)
{
	uint8_t data[256];
	char text[8];
	struct packet p;
	struct packet_fragment f;
	size_t n = from_hex(V4_HEAD("0036", "06") "c3b4 03e1 00000001 00000002 8018 ffff 0000 0000 "
			    "0101080a0000000100000002 6869", data, sizeof(data));
	(void)state;

	for (size_t cut = 40; cut <= 52; cut++) {
		assert_int_equal(decode(data, cut, n, RAW, &p, &f, text), PACKET_IP);
		assert_int_equal(p.payload_len, 0);
		assert_int_equal(p.payload_wire_len, 2);
	}
}

/* n times the same bytes, then the rest. */
static size_t pile(uint8_t *out, size_t size, const char *first, const char *again, unsigned n,
		   const char *rest)
{
	size_t at = from_hex(first, out, size);

	while (n-- > 0)
		at += from_hex(again, out + at, size - at);
	return at + from_hex(rest, out + at, size - at);
}

static void nesting_ends_at_its_depth(void **state)
{
	static const struct {
		const char *name, *first, *again, *rest;
		unsigned link, most;
	} cases[] = {
		{ "VLAN", MACS, "8100 0001 ", "0800 " V4, ETHERNET, PACKET_DEPTH - 1 },
		{ "MPLS", MACS "8847 ", "00010040 ", "00011140 " V4, ETHERNET, PACKET_DEPTH - 2 },
		{ "tunnels", "", OUT4("0000", "04"), V4, RAW, PACKET_DEPTH },
		{ "VXLAN", "", OUT4("0000", "11") UDP("c000", "12b5", "0000") "0800000000000100 " ETH, V4,
		  RAW, PACKET_DEPTH - 1 },
		{ "extension headers", V6_HEAD("0000", "3c"), "3c 00 010400000000 ",
		  "06 00 010400000000 " TCP_HI, RAW, PACKET_DEPTH - 1 },
	};
	uint8_t data[2048];
	char text[8];
	struct packet p;
	struct packet_fragment f;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned more = 0; more < 20; more++) {
			size_t n = pile(data, sizeof(data), cases[i].first, cases[i].again,
					cases[i].most + more, cases[i].rest);
			enum packet_kind kind = decode(data, n, n, cases[i].link, &p, &f, text);

			if (kind != (more == 0 ? PACKET_IP : PACKET_BAD))
				fail_msg("%s: kind %d, %u too many", cases[i].name, kind, more);
		}
	}
}

static void mac_addresses_are_those_below_the_ip_header(void **state)
{
	static const uint8_t one[6] = { 2, 0, 0, 0, 0, 1 }, two[6] = { 2, 0, 0, 0, 0, 2 };
	static const struct {
		const char *name, *hex;
		unsigned link;
		bool has;
	} cases[] = {
		{ "Ethernet", ETH V4, ETHERNET, true },
		{ "IP in IP", ETH OUT4("003e", "04") V4, ETHERNET, false },
		{ "Ethernet in GRE", "0a0000000002 0a0000000001 0800 " OUT4("0050", "2f")
		  "0000 6558 " ETH V4, ETHERNET, true },
		{ "802.11 from the access point",
		  "0802 0000 020000000002 0a0000000003 020000000001 0000 " SNAP V4, 105, true },
		{ "802.11 to it", "0801 0000 0a0000000003 020000000001 020000000002 0000 " SNAP V4, 105, true },
		{ "802.11 without one", "0800 0000 020000000002 020000000001 0a0000000003 0000 " SNAP V4, 105, true },
		{ "802.11 between two", "0803 0000 0a0000000003 0a0000000004 020000000002 0000 020000000001 "
		  SNAP V4, 105, true },
		{ "cooked", "0004 0001 0006 0200000000010000 0800 " V4, 113, false },
	};
	static const uint8_t none[6] = { 0 };
	uint8_t data[256];
	char text[8];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = from_hex(cases[i].hex, data, sizeof(data));
		struct packet p;
		struct packet_fragment f;

		assert_int_equal(decode(data, n, n, cases[i].link, &p, &f, text), PACKET_IP);
		check(cases[i].name, p.has_mac == cases[i].has);
		check(cases[i].name, memcmp(p.mac_src, cases[i].has ? one : none, 6) == 0);
		check(cases[i].name, memcmp(p.mac_dst, cases[i].has ? two : none, 6) == 0);
	}
}

static void pktap_names_the_process(void **state)
{
	static const struct {
		const char *pid;
		uint32_t want;
	} cases[] = { { "d2040000", 1234 }, { "ffffffff", 0 }, { "00000000", 0 } };
	uint8_t data[256] = { 108, [4] = 1, [8] = ETHERNET };
	size_t n = 108 + from_hex(ETH V4, data + 108, sizeof(data) - 108);
	char text[8];
	struct packet p;
	struct packet_fragment f;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		from_hex(cases[i].pid, data + 52, 4);
		assert_int_equal(decode(data, n, n, 258, &p, &f, text), PACKET_IP);
		assert_int_equal(p.pid, cases[i].want);
		assert_string_equal(text, "hi");
	}
	data[4] = 0; /* a record without a packet */
	assert_int_equal(decode(data, n, n, 258, &p, &f, text), PACKET_NOT_IP);
}

static void fragments_are_described(void **state)
{
	static const struct {
		const char *name, *hex;
		uint32_t id, offset, len;
		uint8_t proto;
		bool ipv6, more;
	} cases[] = {
		{ "IPv4, first", ETH "4500 001c abcd 2000 40 11 0000 c0000207 c6336409 0102030405060708 0000",
		  0xabcd, 0, 8, 17, false, true },
		{ "IPv4, last", ETH "4500 001c abcd 0003 40 11 0000 c0000207 c6336409 0102030405060708 0000",
		  0xabcd, 24, 8, 17, false, false },
		{ "IPv6, first", MACS "86dd " V6_HEAD("0018", "3c") "2c 00 010400000000 11 00 0001 12345678 "
		  "0102030405060708 0000", 0x12345678, 0, 8, 17, true, true },
		{ "IPv6, last", MACS "86dd " V6_HEAD("0010", "2c") "11 00 0018 12345678 "
		  "0102030405060708 0000", 0x12345678, 24, 8, 17, true, false },
	};
	uint8_t data[256];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame frame = { .data = data, .link_type = ETHERNET };
		struct packet p;
		struct packet_fragment f;

		frame.caplen = frame.wire_len = (uint32_t)from_hex(cases[i].hex, data, sizeof(data));
		assert_int_equal(packet_decode(&frame, &p, &f), PACKET_FRAGMENT);
		check(cases[i].name, f.ip_id == cases[i].id && f.offset == cases[i].offset);
		check(cases[i].name, f.len == cases[i].len && f.wire_len == cases[i].len);
		check(cases[i].name, f.proto == cases[i].proto && f.ipv6 == cases[i].ipv6);
		check(cases[i].name, f.more == cases[i].more && f.data[7] == 8);
		check(cases[i].name, p.has_mac && p.wire_len == frame.wire_len);

		struct packet_fragment inner;
		size_t n = from_hex(UDP("c000", "0035", "000a") "6869", data, sizeof(data));

		p.fragments = 2;
		assert_int_equal(packet_decode_payload(&f, data, (uint32_t)n, &p, &inner), PACKET_IP);
		check(cases[i].name, p.payload_len == 2 && p.fragments == 2 && p.has_mac);
		check(cases[i].name, memcmp(p.dir == FLOW_LO_TO_HI ? p.key.lo.addr : p.key.hi.addr, f.src, 16) == 0);
	}
}

/* Decoded with every link type, and after each flip of a byte: nothing is read outside the frame. */
static void garbage_is_survived(void **state)
{
	uint8_t data[256];
	char text[8];
	unsigned random = 1;
	struct packet p;
	struct packet_fragment f;
	(void)state;

	for (const struct shape *s = shapes; s < shapes + SHAPES; s++) {
		size_t n = from_hex(s->hex, data, sizeof(data));

		for (size_t i = 0; i < n; i++) {
			uint8_t was = data[i];

			random = random * 1103515245 + 12345;
			data[i] = (uint8_t)(random >> 16);
			decode(data, n, n + (random >> 30), s->link, &p, &f, text);
			data[i] = was;
		}
		for (unsigned link = 0; link < 300; link++)
			decode(data, n, n, link, &p, &f, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrapping_gives_the_same_segment),
		cmocka_unit_test(padding_is_not_payload),
		cmocka_unit_test(a_frame_cut_anywhere_is_cut_or_has_the_same_key),
		cmocka_unit_test(a_frame_that_ends_too_early_is_no_whole_packet),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(other_packets_are_described),
		cmocka_unit_test(options_that_were_cut_off_cost_only_the_payload),
		cmocka_unit_test(nesting_ends_at_its_depth),
		cmocka_unit_test(mac_addresses_are_those_below_the_ip_header),
		cmocka_unit_test(pktap_names_the_process),
		cmocka_unit_test(fragments_are_described),
		cmocka_unit_test(garbage_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
