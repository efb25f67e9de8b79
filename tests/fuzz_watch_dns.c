#include "classify/watch_dns.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every text of a fact ends within its field. */
static void say(void *context, const struct fact *fact)
{
	(void)context;
	assert(fact->kind == FACT_NAME || fact->kind == FACT_MAIL_DNS);
	if (fact->kind == FACT_NAME) {
		assert(memchr(fact->name.name, 0, FACT_NAME_SIZE) != NULL);
		assert(memchr(fact->name.canonical, 0, FACT_NAME_SIZE) != NULL);
		assert(memchr(fact->name.public_name, 0, FACT_NAME_SIZE) != NULL);
	} else {
		assert(memchr(fact->mail_dns.name, 0, FACT_NAME_SIZE) != NULL);
		assert(memchr(fact->mail_dns.rdata, 0, FACT_NAME_SIZE) != NULL);
	}
}

/* The first byte says what the rest is: DNS, mDNS, DNS over TCP, DHCP. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct dns_packet packet = { .frame = 1, .src_port = 53, .dst_port = 5000, .asked = true };

	switch (bytes_u8(&in) % 4) {
	case 0:
		(void)dns_recognise(in);
		(void)dns_message(in, &packet, say, NULL);
		break;
	case 1:
		packet.src_port = packet.dst_port = 5353;
		(void)dns_message(in, &packet, say, NULL);
		break;
	case 2:
		(void)dns_tcp_recognise(in);
		assert(dns_tcp_feed(in, &packet, say, NULL) <= size);
		break;
	default:
		packet.src_port = 68;
		packet.dst_port = 67;
		(void)dhcp_message(in, &packet, say, NULL);
	}
	return 0;
}
