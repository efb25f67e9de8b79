#include "classify/dns_header.h"

#include "classify/watch_dns.h"

#define DNS_HEADER 12
#define DNS_RECORD_MIN 11	/* a record with the root's name and no data */

enum { CLASS_IN = 1, CLASS_ANY = 255 };
enum { TYPE_MX = 15, TYPE_SRV = 33, TYPE_OPT = 41, TYPE_TLSA = 52 };
#define OPT_DO 0x8000u	/* in what is another record's time to live (RFC 6891 section 6.1.3) */

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

static bool begins(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

bool dns_about_mail(const char *name, uint16_t type)
{
	static const char *const prefixes[] = {
		"autoconfig.", "autodiscover.", "_mta-sts.", "mta-sts.", "_smtp._tls.", "_imap._tcp.",
		"_imaps._tcp.", "_pop3._tcp.", "_pop3s._tcp.", "_submission._tcp.", "_submissions._tcp.",
		"_sieve._tcp.", "_jmap._tcp.", "_autodiscover._tcp.",
	};

	if (type == TYPE_MX || type == TYPE_SRV || type == TYPE_TLSA)
		return true;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (begins(name, prefixes[i]))
			return true;
	return false;
}

static void skip_name(struct bytes *in)
{
	for (;;) {
		uint8_t len = bytes_u8(in);

		if (len == 0)
			return;
		bytes_skip(in, len < 0xc0 ? len : 1);	/* RFC 1035 section 4.1.4: a pointer ends a name */
		if (len >= 0xc0)
			return;
	}
}

bool dns_wants_dnssec(struct bytes message)
{
	struct dns_header h = dns_read_header(&message);
	unsigned before = (unsigned)h.answers + h.authorities, records = before + h.additionals;

	if (h.flags & DNS_FLAG_AUTHENTIC)
		return true;
	for (unsigned i = 0; i < h.questions && !message.bad; i++) {
		skip_name(&message);
		bytes_skip(&message, 4);	/* type, class */
	}
	for (unsigned i = 0; i < records && i < DNS_RECORDS_MAX && !message.bad; i++) {
		skip_name(&message);

		uint16_t type = bytes_u16(&message);

		bytes_skip(&message, 2);

		uint32_t ttl = bytes_u32(&message);

		bytes_skip(&message, bytes_u16(&message));
		if (i >= before && type == TYPE_OPT)
			return !message.bad && (ttl & OPT_DO) != 0;
	}
	return false;
}
