/* dns_header.h - the header and first question of a DNS message: enough to know one, and to leave it
 *
 * Thread: any. Memory: none. */
#ifndef CLASSIFY_DNS_HEADER_H
#define CLASSIFY_DNS_HEADER_H

#include "classify/dns_text.h"

#define DNS_CLASS_MASK 0x7fffu	/* RFC 6762 section 10.2: the top bit asks for unicast, or flushes caches */

enum { DNS_FLAG_RESPONSE = 0x8000, DNS_FLAG_OPCODE = 0x7800, DNS_FLAG_TRUNCATED = 0x0200,
       DNS_FLAG_AUTHENTIC = 0x0020, DNS_FLAG_RCODE = 0x000f };

struct dns_header {
	uint16_t flags, questions, answers, authorities, additionals;
};

struct dns_header dns_read_header(struct bytes *in);

/* Header fields as messages have them: QUERY, no reserved bit, few questions, counts that fit into the
 * `left` bytes behind. */
bool dns_header_fits(struct dns_header h, size_t left);

/* What fact.h calls mail-related. */
bool dns_about_mail(const char *name, uint16_t type);

/* Whether DNSSEC was asked for: the AD bit (RFC 6840 section 5.7) or EDNS's DO bit (RFC 3225) of a question. An
 * answer shows its question's: DO is copied into it (RFC 3225 section 3), and AD is set in it for those who
 * sent either (RFC 6840 section 5.8). */
bool dns_wants_dnssec(struct bytes message);

/* A question's name, type and class; a response to nothing (mDNS) has its first record there. False when it
 * is malformed or not about the internet. */
bool dns_read_question(struct bytes *in, char name[FACT_NAME_SIZE], uint16_t *type_out);

#endif
