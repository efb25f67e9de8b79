/* over 400 lines: a case for each kind of record, and what builds them */
#include "tests/test.h"

#include "classify/watch_dns.h"

#include <arpa/inet.h>

#define RESPONSE 0x8180
#define NXDOMAIN 0x8183
#define AUTHENTIC 0x0020
#define QUERY 0x0100

enum { A = 1, CNAME = 5, PTR = 12, MX = 15, TXT = 16, AAAA = 28, SRV = 33, TLSA = 52, HTTPS = 65 };

struct message {
	uint8_t data[65535];
	size_t len;
};

static void put(struct message *m, const void *data, size_t len)
{
	assert_true(m->len + len <= sizeof(m->data));
	memcpy(m->data + m->len, data, len);
	m->len += len;
}

static void put_u16(struct message *m, unsigned v)
{
	uint8_t two[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	put(m, two, 2);
}

static void put_name(struct message *m, const char *name)
{
	while (*name != '\0') {
		size_t n = strcspn(name, ".");
		uint8_t len = (uint8_t)n;

		put(m, &len, 1);
		put(m, name, n);
		name += n + (name[n] == '.');
	}
	put(m, "", 1);
}

static void begin(struct message *m, unsigned flags, const char *question, unsigned type, unsigned answers)
{
	m->len = 0;
	put_u16(m, 0x1234);
	put_u16(m, flags);
	put_u16(m, 1);
	put_u16(m, answers);
	put_u16(m, 0);
	put_u16(m, 0);
	put_name(m, question);
	put_u16(m, type);
	put_u16(m, 1);
}

static void record(struct message *m, const char *owner, unsigned type, const void *rdata, size_t len)
{
	put_name(m, owner);
	put_u16(m, type);
	put_u16(m, 1);
	put_u16(m, 0);
	put_u16(m, 300);
	put_u16(m, (unsigned)len);
	put(m, rdata, len);
}

static void record_name(struct message *m, const char *owner, unsigned type, const void *head, size_t head_len,
			const char *target)
{
	struct message *rdata = calloc(1, sizeof(*rdata));

	put(rdata, head, head_len);
	put_name(rdata, target);
	record(m, owner, type, rdata->data, rdata->len);
	free(rdata);
}

/* What was said, a line each. */
struct said {
	char text[16384];
	unsigned count;
};

static void address_text(const uint8_t address[16], char out[INET6_ADDRSTRLEN])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(address, mapped, 12) == 0)
		inet_ntop(AF_INET, address + 12, out, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, address, out, INET6_ADDRSTRLEN);
}

static void note(void *context, const struct fact *fact)
{
	struct said *s = context;
	size_t n = strlen(s->text);
	char address[INET6_ADDRSTRLEN], asked_by[INET6_ADDRSTRLEN];

	s->count++;
	if (sizeof(s->text) - n < 1500)
		return;
	if (fact->kind == FACT_NAME) {
		const struct fact_name *f = &fact->name;

		address_text(f->address, address);
		address_text(f->asked_by, asked_by);
		snprintf(s->text + n, sizeof(s->text) - n, "%s %s %s -> %s by %s for %d%s%s\n",
			 fact_name_kind_name(f->kind), f->name, f->canonical, address, asked_by,
			 (int)((f->until_ns - f->from_ns) / 1000000000), f->ech ? " ech " : "", f->public_name);
	} else {
		const struct fact_mail_dns *f = &fact->mail_dns;

		address_text(f->asked_by, asked_by);
		snprintf(s->text + n, sizeof(s->text) - n, "mail %s %s [%s] by %s%s%s%s %s", f->name, f->type,
			 f->rdata, asked_by, f->answered ? " answered" : "", f->authentic ? " AD" : "",
			 f->wants_dnssec ? " wanted" : "", f->rcode);
		for (unsigned i = 0; i < 4 && f->has_digest; i++)
			snprintf(s->text + strlen(s->text), 4, "%s%02x", i == 0 ? " " : "", f->digest[i]);
		strcat(s->text, "\n");
	}
}

static struct dns_packet packet_of(uint16_t src_port, uint16_t dst_port)
{
	return (struct dns_packet){
		.frame = 7, .time_ns = 1000, .src_port = src_port, .dst_port = dst_port, .asked = true,
		.src = { [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 53 },
		.dst = { [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 7 },
	};
}

/* Reads a copy of exactly its size, so that the sanitizer sees a read past the end. */
static bool read_exact(const struct message *m, size_t len, const struct dns_packet *packet, struct said *s)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	bool good;

	memset(s, 0, sizeof(*s));
	memcpy(exact, m->data, len);
	good = dns_message(bytes_of(exact, len), packet, note, s);
	free(exact);
	return good;
}

/* The whole message says `want`; cut anywhere it says no more, and nothing crashes. */
static void expect(const char *name, const struct message *m, const char *want)
{
	struct said *s = malloc(sizeof(*s));
	struct dns_packet packet = packet_of(53, 5000);

	assert_true(read_exact(m, m->len, &packet, s));
	if (strcmp(s->text, want) != 0)
		fail_msg("%s\n got: %s\nwant: %s", name, s->text, want);
	assert_true(dns_recognise(bytes_of(m->data, m->len)));
	for (size_t cut = 0; cut < m->len; cut++) {
		if (read_exact(m, cut, &packet, s) && s->count > 0)
			fail_msg("%s cut at %zu says %s", name, cut, s->text);
	}
	free(s);
}

static void an_answer_names_its_addresses_by_question_and_chain(void **state)
{
	struct message *m = malloc(sizeof(*m));

	(void)state;
	begin(m, RESPONSE, "IMAP.Example", A, 1);
	record(m, "imap.example", A, "\xc0\x00\x02\x01", 4);
	expect("A", m, "dns imap.example imap.example -> 192.0.2.1 by 192.0.2.7 for 300\n");

	begin(m, RESPONSE, "imap.example", AAAA, 1);
	record(m, "imap.example", AAAA, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	expect("AAAA", m, "dns imap.example imap.example -> 2001:db8::1 by 192.0.2.7 for 300\n");

	begin(m, RESPONSE, "imap.example", A, 4);
	record_name(m, "b.example", CNAME, "", 0, "c.example");
	record_name(m, "imap.example", CNAME, "", 0, "B.example");
	record(m, "c.example", A, "\xc0\x00\x02\x01", 4);
	record(m, "evil.example", A, "\xc0\x00\x02\x66", 4);
	expect("chain, and a record of another owner", m,
	       "dns imap.example c.example -> 192.0.2.1 by 192.0.2.7 for 300\n");

	begin(m, RESPONSE, "a.example", A, 2);
	record_name(m, "a.example", CNAME, "", 0, "b.example");
	record_name(m, "b.example", CNAME, "", 0, "a.example");
	expect("chain in a ring", m, "");

	begin(m, RESPONSE, "a\nb.example", A, 1);
	record(m, "a\nb.example", A, "\xc0\x00\x02\x01", 4);
	expect("control character", m,
	       "dns a\\010b.example a\\010b.example -> 192.0.2.1 by 192.0.2.7 for 300\n");

	begin(m, NXDOMAIN, "www.example", A, 0);
	expect("no such name", m, "");
	begin(m, QUERY, "www.example", A, 0);
	expect("question", m, "");
	begin(m, RESPONSE, "www.example", TXT, 1);
	record(m, "www.example", TXT, "\3abc", 4);
	expect("other text", m, "");
	free(m);
}

static void https_records_show_hints_and_ech(void **state)
{
	static const char params[] = "\x00\x01\x00" "\x00\x01\x00\x03\x02h2" "\x00\x04\x00\x04\xc0\x00\x02\x01"
		"\x00\x05\x00\x27\x00\x25\xfe\x0d\x00\x21\x01\x00\x20\x00\x04keys\x00\x04\x00\x01\x00\x01\x00\x0e"
		"public.example\x00\x00"
		"\x00\x06\x00\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2";
	static const char two[] = "\x00\x01\x00\x00\x05\x00\x2d\x00\x2b\xfe\x0a\x00\x02\x01\x02"
		"\xfe\x0d\x00\x21\x01\x00\x20\x00\x04keys\x00\x04\x00\x01\x00\x01\x00\x0epublic.example\x00\x00";
	struct message *m = malloc(sizeof(*m));

	(void)state;
	begin(m, RESPONSE, "cloud.example", HTTPS, 1);
	record(m, "cloud.example", HTTPS, params, sizeof(params) - 1);
	expect("ech and hints", m,
	       "dns cloud.example cloud.example -> 192.0.2.1 by 192.0.2.7 for 300 ech public.example\n"
	       "dns cloud.example cloud.example -> 2001:db8::2 by 192.0.2.7 for 300 ech public.example\n");

	begin(m, RESPONSE, "cloud.example", HTTPS, 1);
	record(m, "cloud.example", HTTPS, two, sizeof(two) - 1);
	expect("a configuration of another version first", m,
	       "dns cloud.example cloud.example -> :: by 192.0.2.7 for 300 ech public.example\n");

	begin(m, RESPONSE, "cloud.example", HTTPS, 1);
	record(m, "cloud.example", HTTPS, params, 18);
	expect("hints only", m, "dns cloud.example cloud.example -> 192.0.2.1 by 192.0.2.7 for 300\n");

	begin(m, RESPONSE, "cloud.example", HTTPS, 1);
	record(m, "cloud.example", HTTPS, "\x00\x01\x00\x00\x05\x00\x02\x00\x00", 9);
	expect("ech without hints", m, "dns cloud.example cloud.example -> :: by 192.0.2.7 for 300 ech \n");
	free(m);
}

static void a_reverse_answer_is_a_claim(void **state)
{
	struct message *m = malloc(sizeof(*m));

	(void)state;
	begin(m, RESPONSE, "1.2.0.192.in-addr.arpa", PTR, 1);
	record_name(m, "1.2.0.192.in-addr.arpa", PTR, "", 0, "mx.example");
	expect("IPv4", m, "ptr mx.example mx.example -> 192.0.2.1 by 192.0.2.7 for 300\n");
	begin(m, RESPONSE, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", PTR, 1);
	record_name(m, "x", PTR, "", 0, "mx.example");
	expect("IPv6", m, "ptr mx.example mx.example -> 2001:db8::1 by 192.0.2.7 for 300\n");
	begin(m, RESPONSE, "999.2.0.192.in-addr.arpa", PTR, 1);
	record_name(m, "x", PTR, "", 0, "mx.example");
	expect("no address", m, "");
	free(m);
}

static void look_ups_for_mail_are_told_answered_or_not(void **state)
{
	struct message *m = malloc(sizeof(*m));

	(void)state;
	begin(m, QUERY, "example", MX, 0);
	expect("question", m, "mail example MX [] by 192.0.2.53 \n");
	begin(m, RESPONSE, "example", MX, 2);
	record_name(m, "example", MX, "\x00\x0a", 2, "MX1.example");
	record_name(m, "example", MX, "\x00\x14", 2, "mx2.example");
	expect("MX", m, "mail example MX [10 mx1.example.] by 192.0.2.7 answered NOERROR\n"
			"mail example MX [20 mx2.example.] by 192.0.2.7 answered NOERROR\n");
	begin(m, NXDOMAIN, "_imaps._tcp.example", SRV, 0);
	expect("NXDOMAIN", m, "mail _imaps._tcp.example SRV [] by 192.0.2.7 answered NXDOMAIN\n");
	begin(m, RESPONSE | AUTHENTIC, "_25._tcp.mx.example", TLSA, 1);
	record(m, "_25._tcp.mx.example", TLSA, "\3\1\1\xab\xcd", 5);
	expect("TLSA", m, "mail _25._tcp.mx.example TLSA [3 1 1 abcd] by 192.0.2.7 answered AD wanted NOERROR\n");
	begin(m, RESPONSE, "_mta-sts.example", TXT, 1);
	record(m, "_mta-sts.example", TXT, "\x0fv=STSv1; id=123", 16);
	expect("TXT", m, "mail _mta-sts.example TXT [\"v=STSv1; id=123\"] by 192.0.2.7 answered NOERROR\n");
	begin(m, RESPONSE, "autoconfig.example", A, 1);
	record(m, "autoconfig.example", A, "\xc0\x00\x02\x01", 4);
	expect("autoconfig", m,
	       "mail autoconfig.example A [192.0.2.1] by 192.0.2.7 answered NOERROR\n"
	       "dns autoconfig.example autoconfig.example -> 192.0.2.1 by 192.0.2.7 for 300\n");
	begin(m, RESPONSE, "_imaps._tcp.example", SRV, 1);
	record_name(m, "_imaps._tcp.example", SRV, "\x00\x00\x00\x01\x03\xe1", 6, "imap.example");
	expect("SRV", m, "mail _imaps._tcp.example SRV [0 1 993 imap.example.] by 192.0.2.7 answered NOERROR\n");
	free(m);
}

/* OPT (RFC 6891): the root's name, type 41, the size as class, flags where others have their time to live. */
static void add_opt(struct message *m, const char *flags)
{
	put(m, "\0\0\x29\x04\xd0\0\0", 7);
	put(m, flags, 2);
	put(m, "\0\0", 2);
	m->data[11]++;
}

static void a_wish_for_dnssec_is_told(void **state)
{
	static const struct {
		const char *name;
		unsigned flags;
		bool record;			/* between the question and OPT */
		const char *opt;
		const char *want;
	} cases[] = {
		{ "question", QUERY, false, NULL, "[] by 192.0.2.53 \n" },
		{ "question, OPT without DO", QUERY, false, "\x40\0", "[] by 192.0.2.53 \n" },
		{ "question, DO", QUERY, false, "\x80\0", "[] by 192.0.2.53 wanted \n" },
		{ "question, AD", QUERY | AUTHENTIC, false, NULL, "[] by 192.0.2.53 wanted \n" },
		{ "answer, OPT without DO", RESPONSE, true, "\0\0", "[10 mx.example.] by 192.0.2.7 answered NOERROR\n" },
		{ "answer, DO and not validated", RESPONSE, true, "\x80\0",
		  "[10 mx.example.] by 192.0.2.7 answered wanted NOERROR\n" },
		{ "answer, AD", RESPONSE | AUTHENTIC, true, NULL,
		  "[10 mx.example.] by 192.0.2.7 answered AD wanted NOERROR\n" },
		{ "none of the type", RESPONSE, false, "\x80\0", "[] by 192.0.2.7 answered wanted NOERROR\n" },
		{ "truncated", RESPONSE | 0x0200, false, "\x80\0", NULL },
		{ "truncated, with some", RESPONSE | 0x0200, true, NULL, NULL },
	};
	struct message *m = malloc(sizeof(*m));
	struct said *s = malloc(sizeof(*s));
	struct dns_packet packet = packet_of(53, 5000);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(m, cases[i].flags, "example", MX, cases[i].record);
		if (cases[i].record)
			record_name(m, "example", MX, "\0\x0a", 2, "mx.example");
		if (cases[i].opt != NULL)
			add_opt(m, cases[i].opt);
		assert_true(read_exact(m, m->len, &packet, s));
		if (strcmp(s->text[0] != '\0' ? s->text + strlen("mail example MX ") : "",
			   cases[i].want != NULL ? cases[i].want : "") != 0)
			fail_msg("%s: got %s", cases[i].name, s->text);
	}
	/* Cut off, the wish is not seen. */
	begin(m, QUERY, "example", MX, 0);
	add_opt(m, "\x80\0");
	assert_true(read_exact(m, m->len - 2, &packet, s) && strstr(s->text, "wanted") == NULL);
	free(s);
	free(m);
}

static void all_of_a_certificate_in_tlsa_is_told_by_its_hash(void **state)
{
	struct message *m = malloc(sizeof(*m));
	struct said *s = malloc(sizeof(*s));
	struct dns_packet packet = packet_of(53, 5000);
	uint8_t rdata[1003] = { 3, 1, 0 };

	(void)state;
	memset(rdata + 3, 'a', 1000);
	begin(m, RESPONSE, "_25._tcp.mx.example", TLSA, 3);
	record(m, "_25._tcp.mx.example", TLSA, rdata, sizeof(rdata));
	record(m, "_25._tcp.mx.example", TLSA, rdata, 3);
	rdata[2] = 1;
	record(m, "_25._tcp.mx.example", TLSA, rdata, 35);
	assert_true(read_exact(m, m->len, &packet, s));
	/* printf a%.0s {1..1000} | sha256sum */
	assert_non_null(strstr(s->text, "1616] by 192.0.2.7 answered NOERROR 41edece4\n"));
	assert_int_equal(s->count, 3);
	assert_null(strstr(strstr(s->text, "41edece4") + 1, "NOERROR "));
	free(s);
	free(m);
}

static void hosts_name_themselves_by_mdns(void **state)
{
	struct message *m = malloc(sizeof(*m));
	struct said *s = malloc(sizeof(*s));
	struct dns_packet packet = packet_of(5353, 5353);

	(void)state;
	m->len = 0;
	put(m, "\0\0\x84\0\0\0\0\2\0\0\0\0", 12);
	record(m, "Anna-PC.local", A, "\xc0\xa8\x01\x05", 4);
	m->data[12 + 15 + 2] = 0x80;	/* cache flush */
	record(m, "foreign.example", A, "\xc0\xa8\x01\x06", 4);
	assert_true(read_exact(m, m->len, &packet, s));
	assert_string_equal(s->text, "host anna-pc.local anna-pc.local -> 192.168.1.5 by :: for 300\n");
	free(s);
	free(m);
}

/* The ports say which kind of name service it is: a resolver's answer may go to a client's port 5353, and
 * LLMNR (RFC 4795) anybody on the link may answer, so it names nobody. */
static void the_ports_say_whose_answer_it_is(void **state)
{
	static const struct {
		const char *name;
		uint16_t src_port, dst_port;
		const char *want;
	} cases[] = {
		{ "a resolver's answer", 53, 5000, "dns a.example a.example -> 192.0.2.1 by 192.0.2.7 for 300\n" },
		{ "a resolver's answer to port 5353", 53, 5353,
		  "dns a.example a.example -> 192.0.2.1 by 192.0.2.7 for 300\n" },
		{ "mDNS names only what ends in local", 5353, 5353, "" },
		{ "LLMNR", 5355, 5000, "" },
	};
	struct message *m = malloc(sizeof(*m));
	struct said *s = malloc(sizeof(*s));

	(void)state;
	begin(m, RESPONSE, "a.example", A, 1);
	record(m, "a.example", A, "\xc0\x00\x02\x01", 4);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dns_packet packet = packet_of(cases[i].src_port, cases[i].dst_port);

		assert_true(read_exact(m, m->len, &packet, s));
		if (strcmp(s->text, cases[i].want) != 0)
			fail_msg("%s: got %s", cases[i].name, s->text);
	}
	free(s);
	free(m);
}

static void hostile_messages_are_forgotten(void **state)
{
	struct message *m = malloc(sizeof(*m));
	struct said *s = malloc(sizeof(*s));
	struct dns_packet packet = packet_of(53, 5000);

	(void)state;
	begin(m, RESPONSE, "a.example", A, 1);
	put(m, "\xc0\x1b\0\1\0\1\0\0\0\0\0\4abcd", 16);	/* a pointer to itself */
	assert_false(read_exact(m, m->len, &packet, s));
	assert_int_equal(s->count, 0);

	begin(m, RESPONSE, "a.example", A, 60000);
	record(m, "a.example", A, "\xc0\x00\x02\x01", 4);
	assert_false(read_exact(m, m->len, &packet, s));

	begin(m, RESPONSE, "a.example", A, 2000);
	for (int i = 0; i < 2000; i++)
		record(m, "a.example", A, "\xc0\x00\x02\x01", 4);
	assert_true(read_exact(m, m->len, &packet, s));
	assert_in_range(s->count, 1, DNS_RECORDS_MAX);

	begin(m, RESPONSE, "a.example", A, 1);
	record(m, "a.example", A, "\xc0\x00\x02", 3);
	assert_false(read_exact(m, m->len, &packet, s));

	/* What is behind the last record that is read does not matter. */
	begin(m, RESPONSE, "a.example", A, DNS_RECORDS_MAX + 1);
	for (int i = 0; i < DNS_RECORDS_MAX; i++)
		record(m, "a.example", A, "\xc0\x00\x02\x01", 4);
	record(m, "a.example", A, "\xc0\x00\x02", 3);
	assert_true(read_exact(m, m->len, &packet, s));

	/* 256 names, each at the end of a chain of pointers as long as fits. */
	begin(m, RESPONSE, "a.example", A, 256);
	for (unsigned i = 0; i < 8000; i++)
		put_u16(m, i == 0 ? 0xc00c : 0xc000u | (27 + 2 * (i - 1)));
	for (int i = 0; i < 256; i++)
		put(m, "\xfe\x97\0\1\0\1\0\0\0\0\0\4abcd", 16);
	(void)read_exact(m, m->len, &packet, s);
	free(s);
	free(m);
}

static void random_bytes_do_no_harm(void **state)
{
	struct message *m = malloc(sizeof(*m));
	struct said *s = malloc(sizeof(*s));
	struct dns_packet packet = packet_of(5353, 5353);
	uint32_t x = 99;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		begin(m, RESPONSE, "_mta-sts.example", (unsigned)round % 70, 2);
		record(m, "example", HTTPS, "\x00\x01\x00\x00\x05\x00\x02\x00\x00", 9);
		record_name(m, "example", MX, "\x00\x0a", 2, "mx1.example");
		for (int i = 0; i < 4; i++) {
			x = x * 1664525 + 1013904223;
			m->data[(x >> 8) % m->len] = (uint8_t)(x >> 24);
		}
		packet.src_port = round % 2 ? 53 : 5353;
		packet.dst_port = 5000;
		(void)read_exact(m, m->len, &packet, s);
		(void)dns_recognise(bytes_of(m->data, m->len));
	}
	free(s);
	free(m);
}

static void tcp_messages_are_read_when_they_are_whole(void **state)
{
	struct message *m = malloc(sizeof(*m)), *tcp = malloc(sizeof(*tcp));
	struct said *s = calloc(1, sizeof(*s));
	struct dns_packet packet = packet_of(53, 5000);
	size_t start = 0;

	(void)state;
	begin(m, RESPONSE, "a.example", A, 1);
	record(m, "a.example", A, "\xc0\x00\x02\x01", 4);
	tcp->len = 0;
	for (int i = 0; i < 3; i++) {
		put_u16(tcp, (unsigned)m->len);
		put(tcp, m->data, m->len);
	}
	for (size_t end = 0; end <= tcp->len; end++) {
		struct bytes in = bytes_of(tcp->data + start, end - start);

		assert_int_equal(dns_tcp_recognise(bytes_of(tcp->data, end)),
				 end < 2 + 27 ? WATCH_MAYBE : WATCH_YES);
		start += dns_tcp_feed(in, &packet, note, s);
		assert_int_equal(s->count, end / (m->len + 2));
	}
	assert_int_equal(start, tcp->len);
	assert_int_equal(dns_tcp_recognise(bytes_of("GET / HTTP/1.1\r\n\r\n", 18)), WATCH_NO);
	assert_int_equal(dns_tcp_recognise(bytes_of("\x16\x03\x01\x02\0\1\0\1\xfc\3\3xxxx", 15)), WATCH_NO);
	free(s);
	free(tcp);
	free(m);
}

struct places {
	unsigned count;
	uint32_t of[16];
};

static void note_place(void *context, const struct fact *fact)
{
	struct places *p = context;

	assert_int_equal(fact->kind, FACT_NAME);
	assert_true(p->count < 16);
	p->of[p->count++] = fact->name.place;
}

/* Facts of the same frame and place replace each other. */
static void messages_of_one_frame_have_places_of_their_own(void **state)
{
	struct message *m = malloc(sizeof(*m)), *tcp = malloc(sizeof(*tcp));
	struct dns_packet packet = packet_of(53, 5000);
	struct places places = { 0 };

	(void)state;
	begin(m, RESPONSE, "a.example", A, 2);
	record(m, "a.example", A, "\xc0\x00\x02\x01", 4);
	record(m, "a.example", A, "\xc0\x00\x02\x02", 4);
	tcp->len = 0;
	for (int i = 0; i < 3; i++) {
		put_u16(tcp, (unsigned)m->len);
		put(tcp, m->data, m->len);
	}
	assert_int_equal(dns_tcp_feed(bytes_of(tcp->data, tcp->len), &packet, note_place, &places), tcp->len);
	assert_int_equal(places.count, 6);
	for (unsigned i = 0; i < places.count; i++)
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(places.of[i], places.of[k]);
	free(tcp);
	free(m);
}

static void a_response_that_nobody_asked_for_names_nobody(void **state)
{
	struct message *m = malloc(sizeof(*m));
	struct said *s = calloc(1, sizeof(*s));
	struct dns_packet packet = packet_of(53, 5000);

	(void)state;
	begin(m, RESPONSE, "autoconfig.a.example", A, 1);
	record(m, "autoconfig.a.example", A, "\xc0\x00\x02\x01", 4);
	packet.asked = false;
	assert_true(read_exact(m, m->len, &packet, s));
	assert_int_equal(s->count, 0);
	packet.asked = true;
	assert_true(read_exact(m, m->len, &packet, s));
	assert_int_equal(s->count, 2);
	free(s);
	free(m);
}

static void only_dns_is_recognised(void **state)
{
	struct message *m = malloc(sizeof(*m));

	(void)state;
	begin(m, QUERY, "a.example", A, 0);
	assert_true(dns_recognise(bytes_of(m->data, m->len)));
	assert_false(dns_recognise(bytes_of(m->data, m->len - 1)));
	m->data[2] |= 0x28;	/* UPDATE */
	assert_false(dns_recognise(bytes_of(m->data, m->len)));
	begin(m, QUERY, "a.example", A, 3);
	assert_false(dns_recognise(bytes_of(m->data, m->len)));
	assert_false(dns_recognise(bytes_of("", 0)));
	free(m);
}

static void dhcp_names_the_host_of_an_address(void **state)
{
	static const struct {
		const char *name, *options;
		size_t options_len;
		bool current;
		const char *want;
	} cases[] = {
		{ "requested", "\x35\1\3\x32\4\xc0\xa8\1\x05\x0c\7Anna-PC\xff", 19, false,
		  "host anna-pc anna-pc -> 192.168.1.5 by :: for 0\n" },
		{ "current", "\x0c\7Anna-PC\xff", 10, true, "host anna-pc anna-pc -> 192.168.1.9 by :: for 0\n" },
		{ "no address", "\x0c\7Anna-PC\xff", 10, false, "" },
		{ "no name", "\x32\4\xc0\xa8\1\x05\xff", 7, false, "" },
		{ "a length that lies", "\x32\4\xc0\xa8\1\x05\x0c\x40" "Anna", 12, false, "" },
	};
	struct said *s = malloc(sizeof(*s));
	struct dns_packet packet = packet_of(68, 67), other = packet_of(68, 4000);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t message[400] = { 1, 1, 6 };
		size_t len = 240 + cases[i].options_len;

		if (cases[i].current)
			memcpy(message + 12, "\xc0\xa8\1\x09", 4);
		memcpy(message + 28, "\2\0\0\0\0\1", 6);
		memcpy(message + 236, "\x63\x82\x53\x63", 4);
		memcpy(message + 240, cases[i].options, cases[i].options_len);
		memset(s, 0, sizeof(*s));
		assert_true(dhcp_message(bytes_of(message, len), &packet, note, s));
		if (strcmp(s->text, cases[i].want) != 0)
			fail_msg("%s\n got: %s\nwant: %s", cases[i].name, s->text, cases[i].want);
		assert_false(dhcp_message(bytes_of(message, len), &other, note, s));
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *exact = malloc(cut > 0 ? cut : 1);

			memcpy(exact, message, cut);
			if (dhcp_message(bytes_of(exact, cut), &packet, note, s) != (cut >= 240))
				fail_msg("%s cut at %zu", cases[i].name, cut);
			free(exact);
		}
	}
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_names_its_addresses_by_question_and_chain),
		cmocka_unit_test(https_records_show_hints_and_ech),
		cmocka_unit_test(a_reverse_answer_is_a_claim),
		cmocka_unit_test(look_ups_for_mail_are_told_answered_or_not),
		cmocka_unit_test(a_wish_for_dnssec_is_told),
		cmocka_unit_test(all_of_a_certificate_in_tlsa_is_told_by_its_hash),
		cmocka_unit_test(hosts_name_themselves_by_mdns),
		cmocka_unit_test(the_ports_say_whose_answer_it_is),
		cmocka_unit_test(hostile_messages_are_forgotten),
		cmocka_unit_test(random_bytes_do_no_harm),
		cmocka_unit_test(tcp_messages_are_read_when_they_are_whole),
		cmocka_unit_test(a_response_that_nobody_asked_for_names_nobody),
		cmocka_unit_test(messages_of_one_frame_have_places_of_their_own),
		cmocka_unit_test(only_dns_is_recognised),
		cmocka_unit_test(dhcp_names_the_host_of_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
