/* DHCP (RFC 2131, options of RFC 2132): which name and address a local host has. */
#include "classify/watch_dns.h"

#include "classify/dns_text.h"

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define DHCP_MAGIC 0x63825363u
#define DHCP_OPTIONS_MAX 128	/* a message has some 10 to 20 */

enum { OPTION_PAD = 0, OPTION_HOST_NAME = 12, OPTION_REQUESTED = 50, OPTION_END = 255 };

static void mapped(uint8_t out[16], uint32_t ipv4)
{
	const uint8_t bytes[4] = { (uint8_t)(ipv4 >> 24), (uint8_t)(ipv4 >> 16), (uint8_t)(ipv4 >> 8), (uint8_t)ipv4 };

	host_of_ipv4(bytes, out);
}

static void options(struct bytes *in, struct bytes *host_out, uint32_t *requested_out)
{
	for (unsigned i = 0; i < DHCP_OPTIONS_MAX && bytes_left(in) > 0; i++) {
		uint8_t option = bytes_u8(in);

		if (option == OPTION_END)
			return;
		if (option == OPTION_PAD)
			continue;

		struct bytes value = bytes_sub(in, bytes_u8(in));

		if (value.bad)
			return;
		if (option == OPTION_HOST_NAME)
			*host_out = value;
		else if (option == OPTION_REQUESTED && value.len == 4)
			*requested_out = bytes_u32(&value);
	}
}

bool dhcp_message(struct bytes message, const struct dns_packet *packet, dns_say *say, void *context)
{
	struct fact fact = { .kind = FACT_NAME };
	struct bytes host = bytes_of("", 0);
	uint32_t requested = 0;

	if ((packet->src_port != DHCP_SERVER_PORT && packet->src_port != DHCP_CLIENT_PORT) ||
	    (packet->dst_port != DHCP_SERVER_PORT && packet->dst_port != DHCP_CLIENT_PORT))
		return false;

	uint8_t op = bytes_u8(&message), hardware = bytes_u8(&message), hardware_len = bytes_u8(&message);

	bytes_skip(&message, 9);

	uint32_t current = bytes_u32(&message), yours = bytes_u32(&message);

	bytes_skip(&message, 8);
	bytes_copy(&message, fact.name.mac, sizeof(fact.name.mac));
	bytes_skip(&message, 10 + 64 + 128);
	if (bytes_u32(&message) != DHCP_MAGIC || op < 1 || op > 2 || hardware != 1 || hardware_len != 6)
		return false;
	options(&message, &host, &requested);

	uint32_t address = yours != 0 ? yours : current != 0 ? current : requested;

	if (bytes_left(&host) == 0 || address == 0)
		return true;
	fact.name.id = packet->frame;
	fact.name.kind = NAME_HOST;
	mapped(fact.name.address, address);
	dns_text(fact.name.name, host);
	dns_text(fact.name.canonical, host);
	fact.name.from_ns = fact.name.until_ns = packet->time_ns;
	say(context, &fact);
	return true;
}
