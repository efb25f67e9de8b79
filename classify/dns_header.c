#include "classify/dns_header.h"

#include "classify/watch_dns.h"

#define DNS_HEADER 12
#define DNS_RECORD_MIN 11	/* a record with the root's name and no data */

enum { CLASS_IN = 1, CLASS_ANY = 255 };

struct dns_header dns_read_header(struct bytes *in)
{
	struct dns_header h;

	bytes_skip(in, 2);
	h.flags = bytes_u16(in);
	h.questions = bytes_u16(in);
	h.answers = bytes_u16(in);
	h.authorities = bytes_u16(in);
	h.additionals = bytes_u16(in);
	return h;
}

bool dns_header_fits(struct dns_header h, size_t left)
{
	size_t records = (size_t)h.answers + h.authorities + h.additionals;

	if ((h.flags & DNS_FLAG_OPCODE) != 0 || (h.flags & 0x40) != 0 || h.questions > 16 ||
	    records * DNS_RECORD_MIN + h.questions * 5u > left)
		return false;
	return h.questions > 0 || ((h.flags & DNS_FLAG_RESPONSE) && h.answers > 0);
}

bool dns_read_question(struct bytes *in, char name[FACT_NAME_SIZE], uint16_t *type_out)
{
	if (!dns_name(name, in))
		return false;
	*type_out = bytes_u16(in);

	uint16_t class = bytes_u16(in) & DNS_CLASS_MASK;

	return !in->bad && *type_out != 0 && (class == CLASS_IN || class == CLASS_ANY);
}

bool dns_recognise(struct bytes message)
{
	char name[FACT_NAME_SIZE];
	struct dns_header h = dns_read_header(&message);
	uint16_t type;

	return !message.bad && dns_header_fits(h, bytes_left(&message)) && dns_read_question(&message, name, &type);
}

enum watch_match dns_tcp_recognise(struct bytes first)
{
	uint16_t len = bytes_u16(&first);
	struct bytes in = first;
	struct dns_header h = dns_read_header(&in);
	char name[FACT_NAME_SIZE];
	uint16_t type;

	if (in.bad)
		return first.len < 2 || len >= DNS_HEADER + 5 ? WATCH_MAYBE : WATCH_NO;
	if (len < DNS_HEADER + 5 || !dns_header_fits(h, len - DNS_HEADER))
		return WATCH_NO;

	bool whole = bytes_left(&first) >= len;

	return dns_read_question(&in, name, &type) ? WATCH_YES : whole || !in.bad ? WATCH_NO : WATCH_MAYBE;
}
