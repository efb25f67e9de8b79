#include "report/pcapng.h"

#include <string.h>

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_NAMES 4u
#define BLOCK_PACKET 6u
#define OPTION_END 0
#define OPTION_COMMENT 1
#define OPTION_SECTION_APPLICATION 4
#define OPTION_INTERFACE_NAME 2
#define OPTION_INTERFACE_TSRESOL 9
#define NAME_IPV4 1
#define NAME_IPV6 2

/* Numbers stand in the byte order of the host, which the section header tells (section 4.1). */
static void put16(FILE *out, uint16_t value)
{
	fwrite(&value, sizeof(value), 1, out);
}

static void put32(FILE *out, uint32_t value)
{
	fwrite(&value, sizeof(value), 1, out);
}

static uint32_t padded(size_t n)
{
	return (uint32_t)((n + 3) & ~(size_t)3);
}

static void put_padded(FILE *out, const void *data, size_t n)
{
	static const uint8_t zero[4];

	fwrite(data, 1, n, out);
	fwrite(zero, 1, padded(n) - n, out);
}

static size_t cut(const char *text)
{
	size_t n = strlen(text);

	return n > UINT16_MAX ? UINT16_MAX : n;
}

/* Bytes of a text option with its header; none for an empty text. */
static uint32_t option_size(const char *text)
{
	return text[0] != '\0' ? 4 + padded(cut(text)) : 0;
}

static void put_option(FILE *out, uint16_t code, const char *text)
{
	if (text[0] == '\0')
		return;
	put16(out, code);
	put16(out, (uint16_t)cut(text));
	put_padded(out, text, cut(text));
}

static void put_end(FILE *out, uint32_t total)
{
	put16(out, OPTION_END);
	put16(out, 0);
	put32(out, total);
}

void pcapng_begin(FILE *out, const char *application, const char *comment)
{
	uint32_t total = 32 + option_size(application) + option_size(comment);

	put32(out, BLOCK_SECTION);
	put32(out, total);
	put32(out, 0x1a2b3c4d);
	put16(out, 1);
	put16(out, 0);
	put32(out, UINT32_MAX);	/* the section's length is not told */
	put32(out, UINT32_MAX);
	put_option(out, OPTION_COMMENT, comment);
	put_option(out, OPTION_SECTION_APPLICATION, application);
	put_end(out, total);
}

void pcapng_interface(FILE *out, uint16_t link_type, uint32_t snaplen, const char *name)
{
	static const uint8_t nanoseconds[4] = { 9 };
	uint32_t total = 24 + 8 + option_size(name);

	put32(out, BLOCK_INTERFACE);
	put32(out, total);
	put16(out, link_type);
	put16(out, 0);
	put32(out, snaplen);
	put_option(out, OPTION_INTERFACE_NAME, name);
	put16(out, OPTION_INTERFACE_TSRESOL);
	put16(out, 1);
	fwrite(nanoseconds, 1, sizeof(nanoseconds), out);
	put_end(out, total);
}

void pcapng_name(FILE *out, const uint8_t address[16], const char *name)
{
	bool ipv4 = host_is_ipv4(address);
	size_t address_len = ipv4 ? 4 : 16, name_len = strlen(name) + 1;
	uint32_t total = 12 + 4 + padded(address_len + name_len) + 4 + 4;

	if (address_len + name_len > UINT16_MAX)
		return;
	put32(out, BLOCK_NAMES);
	put32(out, total);
	put16(out, ipv4 ? NAME_IPV4 : NAME_IPV6);
	put16(out, (uint16_t)(address_len + name_len));
	fwrite(ipv4 ? address + HOST_IPV4_AT : address, 1, address_len, out);
	put_padded(out, name, name_len);
	put32(out, 0);	/* no record follows */
	put_end(out, total);
}

void pcapng_packet(FILE *out, unsigned interface, const struct frame *frame, const char *comment)
{
	uint32_t total = 32 + padded(frame->caplen) + 4 + option_size(comment);
	uint64_t time = (uint64_t)frame->time_ns;

	put32(out, BLOCK_PACKET);
	put32(out, total);
	put32(out, interface);
	put32(out, (uint32_t)(time >> 32));
	put32(out, (uint32_t)time);
	put32(out, frame->caplen);
	put32(out, frame->wire_len);
	put_padded(out, frame->data, frame->caplen);
	put_option(out, OPTION_COMMENT, comment);
	put_end(out, total);
}
