#include "classify/watch_dns.h"

#include "classify/dns_header.h"
#include "classify/dns_text.h"

#include "capture/base.h"

#include <ldns/ldns.h>
#include <openssl/evp.h>

#define DNS_MESSAGE_MAX 65535u
#define DNS_CHAIN_MAX 16	/* CNAMEs followed; resolvers stop at 8 to 16 */
#define DNS_PORT 53
#define MDNS_PORT 5353
/* RFC 4795: anybody on the link may answer, and attackers do. It names nobody. */
#define LLMNR_PORT 5355
#define DNS_SHOWN_MAX 64	/* addresses of one name that are said: a response has some 1 to 30 */
#define DNS_PLACES (DNS_SHOWN_MAX + DNS_HINTS_MAX)	/* more than one message says of either kind */

/* One message being read. */
struct reading {
	const struct dns_packet *packet;
	dns_say *say;
	void *context;
	struct dns_header header;
	uint32_t first_place;		/* of its facts: a frame may complete several messages */
	uint32_t place[2];		/* of the next name and the next mail_dns fact, behind that */
	char question[FACT_NAME_SIZE];
	uint16_t type;
	bool about_mail, wants_dnssec;
};

static const char *type_name(uint16_t type, char out[FACT_WORD_SIZE])
{
	const ldns_rr_descriptor *known = ldns_rr_descript(type);

	if (known != NULL && known->_name != NULL && ldns_rr_descript(0) != known)
		base_copy(out, FACT_WORD_SIZE, known->_name);
	else
		(void)snprintf(out, FACT_WORD_SIZE, "TYPE%u", type);
	return out;
}

/* A record's data in presentation format, cut to fit; names in it in lower case. */
static void presentation(const ldns_rr *rr, char out[FACT_NAME_SIZE])
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < ldns_rr_rd_count(rr) && used < FACT_NAME_SIZE - 1; i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);
		char *text = ldns_rdf2str(rdf);

		if (text == NULL)
			continue;
		if (ldns_rdf_get_type(rdf) == LDNS_RDF_TYPE_DNAME)
			for (char *p = text; *p != '\0'; p++)
				if (*p >= 'A' && *p <= 'Z')
					*p = (char)(*p + 32);
		if (i > 0)
			out[used++] = ' ';
		base_copy(out + used, FACT_NAME_SIZE - used, text);
		used += strlen(out + used);
		free(text);
	}
}

/* A TLSA record that gives all of a certificate or key (RFC 6698 section 2.1.3: matching type 0) is too long
 * for presentation: what stands for it is the hash that a matching type 1 would have. */
static bool tlsa_digest(const ldns_rr *rr, uint8_t out[32])
{
	const ldns_rdf *matching = ldns_rr_rdf(rr, 2), *data = ldns_rr_rdf(rr, 3);

	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_TLSA && matching != NULL && data != NULL &&
	       ldns_rdf_size(matching) == 1 && ldns_rdf_data(matching)[0] == 0 && ldns_rdf_size(data) > 0 &&
	       EVP_Digest(ldns_rdf_data(data), ldns_rdf_size(data), out, NULL, EVP_sha256(), NULL) == 1;
}

/* A mail-related question or answer; rr is NULL for a question and for an answer without records. */
static void say_mail(struct reading *r, uint16_t type, const ldns_rr *rr)
{
	const ldns_lookup_table *rcode = ldns_lookup_by_id(ldns_rcodes, r->header.flags & DNS_FLAG_RCODE);
	struct fact fact = { .kind = FACT_MAIL_DNS };
	struct fact_mail_dns *said = &fact.mail_dns;

	said->id = r->packet->frame;
	said->place = r->first_place + r->place[1]++;
	said->time_ns = r->packet->time_ns;
	said->answered = r->header.flags & DNS_FLAG_RESPONSE;
	said->authentic = said->answered && (r->header.flags & DNS_FLAG_AUTHENTIC);
	memcpy(said->asked_by, said->answered ? r->packet->dst : r->packet->src, sizeof(said->asked_by));
	memcpy(said->resolver, said->answered ? r->packet->src : r->packet->dst, sizeof(said->resolver));
	base_copy(said->name, sizeof(said->name), r->question);
	said->wants_dnssec = r->wants_dnssec;
	if (rr != NULL) {
		presentation(rr, said->rdata);
		said->has_digest = tlsa_digest(rr, said->digest);
	}
	type_name(type, said->type);
	if (said->answered)
		base_copy(said->rcode, sizeof(said->rcode), rcode == NULL ? "" : rcode->name);
	r->say(r->context, &fact);
}

static void say_name(struct reading *r, const struct fact_name *name)
{
	struct fact fact = { .kind = FACT_NAME, .name = *name };

	fact.name.id = r->packet->frame;
	fact.name.place = r->first_place + r->place[0]++;
	fact.name.from_ns = r->packet->time_ns;
	r->say(r->context, &fact);
}

static bool rdf_name(const ldns_rdf *rdf, char out[FACT_NAME_SIZE])
{
	if (rdf == NULL || ldns_rdf_get_type(rdf) != LDNS_RDF_TYPE_DNAME)
		return false;

	struct bytes wire = bytes_of(ldns_rdf_data(rdf), ldns_rdf_size(rdf));

	return dns_name(out, &wire);
}

static bool rr_owner(const ldns_rr *rr, char out[FACT_NAME_SIZE])
{
	return ((unsigned)ldns_rr_get_class(rr) & DNS_CLASS_MASK) == LDNS_RR_CLASS_IN &&
	       rdf_name(ldns_rr_owner(rr), out);
}

static bool rr_address(const ldns_rr *rr, uint8_t out[16])
{
	const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);
	size_t size = ldns_rr_get_type(rr) == LDNS_RR_TYPE_A ? 4 :
		      ldns_rr_get_type(rr) == LDNS_RR_TYPE_AAAA ? 16 : 0;

	if (size == 0 || rdf == NULL || ldns_rdf_size(rdf) != size)
		return false;
	if (size == 4)
		host_of_ipv4(ldns_rdf_data(rdf), out);
	else
		memcpy(out, ldns_rdf_data(rdf), size);
	return true;
}

static int64_t rr_until(const struct reading *r, const ldns_rr *rr)
{
	uint32_t ttl = ldns_rr_ttl(rr);

	/* RFC 2181 section 8: the top bit set means zero. */
	return r->packet->time_ns + (ttl > INT32_MAX ? 0 : ttl) * BASE_NS_PER_S;
}

/* Follows the CNAMEs from the question to where its records are. */
static void follow_chain(const ldns_rr_list *answers, const char *question, char canonical[FACT_NAME_SIZE])
{
	char owner[FACT_NAME_SIZE], target[FACT_NAME_SIZE];

	base_copy(canonical, FACT_NAME_SIZE, question);
	for (unsigned hops = 0; hops < DNS_CHAIN_MAX; hops++) {
		bool moved = false;

		for (size_t i = 0; i < ldns_rr_list_rr_count(answers) && !moved; i++) {
			const ldns_rr *rr = ldns_rr_list_rr(answers, i);

			moved = ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME && rr_owner(rr, owner) &&
				strcmp(owner, canonical) == 0 && rdf_name(ldns_rr_rdf(rr, 0), target);
		}
		if (!moved)
			return;
		base_copy(canonical, FACT_NAME_SIZE, target);
	}
}

/* An HTTPS or SVCB record names addresses by its hints, and may carry ech=. */
static void say_service(struct reading *r, const ldns_rr *rr, struct fact_name *name)
{
	const ldns_rdf *params = ldns_rr_rd_count(rr) > 2 ? ldns_rr_rdf(rr, 2) : NULL;
	struct dns_service service;

	if (params == NULL)
		return;
	dns_service(bytes_of(ldns_rdf_data(params), ldns_rdf_size(params)), &service);
	name->ech = service.ech;
	base_copy(name->public_name, sizeof(name->public_name), service.public_name);
	memset(name->address, 0, sizeof(name->address));
	if (service.hint_count == 0 && service.ech)
		say_name(r, name);
	for (unsigned i = 0; i < service.hint_count; i++) {
		memcpy(name->address, service.hints[i], sizeof(name->address));
		say_name(r, name);
	}
}

/* What the question's name led to. Records of other owners are nobody's answer and are left out. */
static void say_addresses(struct reading *r, const ldns_rr_list *answers)
{
	char canonical[FACT_NAME_SIZE], owner[FACT_NAME_SIZE];

	follow_chain(answers, r->question, canonical);
	for (size_t i = 0; i < ldns_rr_list_rr_count(answers) && r->place[0] < DNS_SHOWN_MAX; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answers, i);
		struct fact_name name = { .kind = NAME_DNS, .until_ns = rr_until(r, rr) };

		if (!rr_owner(rr, owner) || strcmp(owner, canonical) != 0)
			continue;
		memcpy(name.asked_by, r->packet->dst, sizeof(name.asked_by));
		base_copy(name.name, sizeof(name.name), r->question);
		base_copy(name.canonical, sizeof(name.canonical), canonical);
		if (rr_address(rr, name.address))
			say_name(r, &name);
		else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_HTTPS || ldns_rr_get_type(rr) == LDNS_RR_TYPE_SVCB)
			say_service(r, rr, &name);
	}
}

static void say_reverse(struct reading *r, const ldns_rr_list *answers)
{
	struct fact_name name = { .kind = NAME_PTR };

	if (!dns_reverse(r->question, name.address))
		return;
	memcpy(name.asked_by, r->packet->dst, sizeof(name.asked_by));
	for (size_t i = 0; i < ldns_rr_list_rr_count(answers) && r->place[0] < DNS_SHOWN_MAX; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answers, i);

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_PTR || !rdf_name(ldns_rr_rdf(rr, 0), name.name))
			continue;
		base_copy(name.canonical, sizeof(name.canonical), name.name);
		name.until_ns = rr_until(r, rr);
		say_name(r, &name);
	}
}

/* Without records it says so: the name does not exist, or has none of the type. What is truncated is no
 * answer (RFC 2181 section 9): the client asks again over TCP. */
static void say_mail_answers(struct reading *r, const ldns_rr_list *answers)
{
	size_t count = ldns_rr_list_rr_count(answers);

	if (r->header.flags & DNS_FLAG_TRUNCATED)
		return;
	for (size_t i = 0; i < count && r->place[1] < DNS_SHOWN_MAX; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answers, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG)
			continue;
		say_mail(r, (uint16_t)ldns_rr_get_type(rr), rr);
	}
	if (r->place[1] == 0)
		say_mail(r, r->type, NULL);
}

/* mDNS (RFC 6762): a host says its own addresses. */
static void say_hosts(struct reading *r, const ldns_rr_list *records)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(records) && r->place[0] < DNS_SHOWN_MAX; i++) {
		const ldns_rr *rr = ldns_rr_list_rr(records, i);
		struct fact_name name = { .kind = NAME_HOST, .until_ns = rr_until(r, rr) };
		size_t n;

		if (!rr_owner(rr, name.name) || !rr_address(rr, name.address))
			continue;
		n = strlen(name.name);
		if (n <= 6 || strcmp(name.name + n - 6, ".local") != 0)
			continue;
		base_copy(name.canonical, sizeof(name.canonical), name.name);
		say_name(r, &name);
	}
}

static bool interesting(const struct reading *r, bool mdns)
{
	if (mdns)
		return true;
	switch (r->type) {
	case LDNS_RR_TYPE_A:
	case LDNS_RR_TYPE_AAAA:
	case LDNS_RR_TYPE_ANY:
	case LDNS_RR_TYPE_HTTPS:
	case LDNS_RR_TYPE_SVCB:
	case LDNS_RR_TYPE_PTR:
		return r->header.answers > 0 || r->about_mail;
	default:
		return r->about_mail;
	}
}

static void say_answers(struct reading *r, const ldns_rr_list *answers, const ldns_rr_list *additionals,
			bool mdns)
{
	if (mdns) {
		say_hosts(r, answers);
		say_hosts(r, additionals);
		return;
	}
	if (r->about_mail)
		say_mail_answers(r, answers);
	if (r->type == LDNS_RR_TYPE_PTR)
		say_reverse(r, answers);
	else
		say_addresses(r, answers);
}

/* Reads the next `count` records. One by one: asked for a whole message, libldns 1.8 to 1.9 leaks all but
 * the last of records that it expects once, TSIG and OPT (NLnetLabs/ldns issue 317). */
static bool read_section(const struct bytes *message, size_t *at, unsigned count, ldns_pkt_section section,
			 ldns_rr_list *list)
{
	struct bytes in = *message;
	size_t len = bytes_left(&in);
	const uint8_t *wire = bytes_take(&in, len);

	for (; count > 0; count--) {
		ldns_rr *rr = NULL;

		if (ldns_wire2rr(&rr, wire, len, at, section) != LDNS_STATUS_OK)
			return false;
		if (!ldns_rr_list_push_rr(list, rr)) {
			ldns_rr_free(rr);
			return false;
		}
	}
	return true;
}

/* Reads the records that are wanted and no more, so that neither counts that lie nor sections nobody
 * asks for cost anything. */
static bool read_records(struct reading *r, struct bytes message, bool mdns)
{
	unsigned answers = r->header.answers < DNS_RECORDS_MAX ? r->header.answers : DNS_RECORDS_MAX;
	unsigned room = mdns && r->header.authorities == 0 ? DNS_RECORDS_MAX - answers : 0;
	unsigned more = answers < r->header.answers ? 0 :
			r->header.additionals < room ? r->header.additionals : room;
	struct bytes in = message;
	size_t at;

	if (bytes_left(&message) > DNS_MESSAGE_MAX)
		return false;
	(void)dns_read_header(&in);
	at = in.pos - message.pos;

	ldns_rr_list *questions = ldns_rr_list_new(), *said = ldns_rr_list_new(), *added = ldns_rr_list_new();
	bool good = questions != NULL && said != NULL && added != NULL &&
		    read_section(&message, &at, r->header.questions, LDNS_SECTION_QUESTION, questions) &&
		    read_section(&message, &at, answers, LDNS_SECTION_ANSWER, said) &&
		    read_section(&message, &at, more, LDNS_SECTION_ADDITIONAL, added);

	if (good)
		say_answers(r, said, added, mdns);
	ldns_rr_list_deep_free(questions);
	ldns_rr_list_deep_free(said);
	ldns_rr_list_deep_free(added);
	return good;
}

static bool read_message(struct bytes message, const struct dns_packet *packet, uint32_t first_place,
			 dns_say *say, void *context)
{
	struct reading r = {
		.packet = packet, .say = say, .context = context, .first_place = first_place,
	};
	struct bytes in = message;
	/* A resolver's client may well use port 5353. */
	bool mdns = (packet->src_port == MDNS_PORT && packet->dst_port != DNS_PORT) ||
		    (packet->dst_port == MDNS_PORT && packet->src_port != DNS_PORT);

	r.header = dns_read_header(&in);
	if (in.bad || !dns_header_fits(r.header, bytes_left(&in)) || !dns_read_question(&in, r.question, &r.type))
		return false;
	r.about_mail = dns_about_mail(r.question, r.type);
	r.wants_dnssec = r.about_mail && dns_wants_dnssec(message);
	if (packet->src_port == LLMNR_PORT || packet->dst_port == LLMNR_PORT)
		return true;
	if (r.header.flags & DNS_FLAG_RESPONSE)
		return (!packet->asked && !mdns) || !interesting(&r, mdns) || read_records(&r, message, mdns);
	if (!mdns && r.about_mail)
		say_mail(&r, r.type, NULL);
	return true;
}

bool dns_message(struct bytes message, const struct dns_packet *packet, dns_say *say, void *context)
{
	return read_message(message, packet, 0, say, context);
}

size_t dns_tcp_feed(struct bytes in, const struct dns_packet *packet, dns_say *say, void *context)
{
	size_t used = in.pos;

	for (uint32_t first_place = 0;; first_place += DNS_PLACES) {
		struct bytes message = bytes_sub(&in, bytes_u16(&in));

		if (in.bad)
			return used;
		(void)read_message(message, packet, first_place, say, context);
		used = in.pos;
	}
}
