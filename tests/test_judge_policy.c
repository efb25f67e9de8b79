/* Each case: a mail session, what DNS and the policy file say of its server, and every finding of the
 * classes policy and weak that it must give, no more. Over 400 lines: the tables of cases are most of it. */
#include "tests/case.h"

#include "report/store_sql.h"

#define MTA "192.168.1.25"
#define MX "192.0.2.25"
#define RESOLVER "192.0.2.53"
#define SENT MTA, MX, 25, 9000, 900
#define TLS12 .mail = true, .proto = MAIL_SMTP, .transport = MAIL_STARTTLS_USED, .version = 0x0303
#define TLS13 .mail = true, .proto = MAIL_SMTP, .transport = MAIL_STARTTLS_USED, .version = 0x0304
#define CLEAR .mail = true, .proto = MAIL_SMTP, .transport = MAIL_PLAINTEXT
#define IMAP MTA, MX, 993, 900, 9000
#define IMAP12 .mail = true, .proto = MAIL_IMAP, .transport = MAIL_IMPLICIT_TLS, .version = 0x0303

#define H(byte) byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte
#define H32(byte) H(byte) H(byte)
/* Certificates: all bytes of the hashes of number N are 0xNa, of its key 0xNb. */
#define LEAF "1a"
#define LEAF_KEY "1b"
#define ROOT "2a"
#define TLSA_25 "_25._tcp.mx.b.test"

struct answer {
	const char *type, *name, *rdata;	/* rdata NULL: there is none */
	bool ad;
	const char *asked_by, *resolver;	/* NULL: the MTA, across the network */
	int at_s;				/* after the session began; 0: a second before */
	bool question;				/* nothing came back */
	bool same;				/* of the same message as the one before */
	uint8_t digest;				/* all bytes of it; 0: none */
};

struct shown {
	enum chain_verdict chain;
	const char *names;		/* dNSNames, with a space between them */
	int8_t covers_sni;
	const char *weak;
	int expires_s, begins_s;	/* after the session */
	bool root;			/* another certificate above it */
};

struct policy_case {
	const char *name;
	struct flow_case flow;
	const char *told;		/* the name that DNS led to the server with; NULL: none */
	const char *told_also;
	const char *told_to;		/* NULL: the MTA */
	struct answer answers[4];
	bool has_certificate;
	struct shown shown;
	bool moved, offered, resumed, again;	/* again: the same session twice */
	uint8_t alert;
	const char *recipient;
	const char *policy;
	const char *want;		/* kind, strength */
	const char *says;		/* stands in the first sentence */
};

static void add(struct store *st, const struct fact *fact)
{
	assert_true(store_add(st, fact, 1));
}

static void add_answers(struct store *st, const struct policy_case *c)
{
	struct fact fact;
	unsigned frame = 1;

	for (unsigned i = 0; i < 4 && c->answers[i].type != NULL; i++) {
		const struct answer *a = &c->answers[i];
		struct fact_mail_dns *d = &fact.mail_dns;

		frame += !a->same && i > 0;
		case_lookup(&fact, frame, a->asked_by != NULL ? a->asked_by : MTA, a->type, a->name,
			    a->rdata != NULL ? a->rdata : "");
		d->place = i;
		d->answered = !a->question;
		d->authentic = a->ad;
		d->time_ns = T0 + (a->at_s != 0 ? a->at_s : -1) * S;
		address(a->resolver != NULL ? a->resolver : RESOLVER, d->resolver);
		d->has_digest = a->digest != 0;
		memset(d->digest, a->digest, sizeof(d->digest));
		add(st, &fact);
	}
}

static void add_certificate(struct store *st, const struct shown *s, uint64_t flow, uint32_t place)
{
	struct fact fact = { .kind = FACT_CERTIFICATE };
	struct fact_certificate *c = &fact.certificate;
	uint8_t number = (uint8_t)((place + 1) << 4);

	*c = (struct fact_certificate){
		.flow = flow, .place = place, .frame = flow + 5, .time_ns = T0,
		.not_before = T0 / S + (s->begins_s != 0 ? s->begins_s : -1000),
		.not_after = T0 / S + (s->expires_s != 0 ? s->expires_s : 1000),
		.chain = s->chain, .covers_sni = s->covers_sni,
	};
	memset(c->sha256, number | 0xa, 32);
	memset(c->sha512, number | 0xa, 64);
	memset(c->spki_sha256, number | 0xb, 32);
	memset(c->spki_sha512, number | 0xb, 64);
	strcpy(c->subject, "CN=subject");
	if (s->weak != NULL)
		strcpy(c->weak, s->weak);
	for (const char *p = s->names; place == 0 && p != NULL && *p != '\0'; p += strcspn(p, " ") + (p[strcspn(p, " ")] == ' ')) {
		struct fact name;

		case_name(&name, 0, MTA, "", MX, 0);
		name.name.kind = NAME_CERTIFICATE;
		name.name.id = c->frame;
		name.name.place = c->name_count++;
		snprintf(name.name.name, sizeof(name.name.name), "%.*s", (int)strcspn(p, " "), p);
		strcpy(name.name.canonical, name.name.name);
		add(st, &name);
	}
	add(st, &fact);
}

static void add_session(struct store *st, const struct policy_case *c, unsigned number)
{
	struct fact facts[3];
	unsigned count = case_flow(&c->flow, number, facts);

	for (unsigned i = 0; i < count; i++) {
		if (facts[i].kind == FACT_MAIL_SESSION) {
			facts[i].mail_session.mail_moved = c->moved;
			facts[i].mail_session.starttls_offered = c->offered;
			base_copy(facts[i].mail_session.recipient_domain, FACT_NAME_SIZE,
				  c->recipient != NULL ? c->recipient : "");
		} else if (facts[i].kind == FACT_HANDSHAKE) {
			facts[i].handshake.resumed = c->resumed;
			facts[i].handshake.alert_in_clear = c->alert != 0;
			facts[i].handshake.alert = c->alert;
			facts[i].handshake.completed = c->alert == 0;
		}
		add(st, &facts[i]);
	}
	if (c->has_certificate)
		add_certificate(st, &c->shown, facts[0].flow.id, 0);
	if (c->has_certificate && c->shown.root)
		add_certificate(st, &c->shown, facts[0].flow.id, 1);
}

static struct store *judged(const struct policy_case *c)
{
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));
	struct policy *policy = policy_new();
	struct fact fact;

	assert_non_null(st);
	add_answers(st, c);
	for (unsigned i = 0; i < 2; i++) {
		const char *told = i == 0 ? c->told : c->told_also;

		if (told == NULL)
			continue;
		case_name(&fact, 5 + i, c->told_to != NULL ? c->told_to : MTA, told, MX, -2 + (int)i);
		add(st, &fact);
	}
	add_session(st, c, 1);
	if (c->again)
		add_session(st, c, 2);
	if (c->policy != NULL)
		case_policy(policy, c->policy);
	if (!judge(st, policy, &small_book))
		fail_msg("%s: %s", c->name, store_error(st));
	policy_free(&policy);
	return st;
}

static void check(const struct policy_case *cases, size_t count)
{
	unsigned bad = 0;

	for (size_t i = 0; i < count; i++) {
		char got[1024] = "", sentence[2048] = "";
		struct store *st = judged(&cases[i]);

		case_ask(st, "SELECT kind, strength FROM finding WHERE class IN ('policy', 'weak') ORDER BY kind",
			 got, sizeof(got));
		case_ask(st, "SELECT sentence FROM finding WHERE class IN ('policy', 'weak') ORDER BY kind LIMIT 1",
			 sentence, sizeof(sentence));
		if (strcmp(got, cases[i].want) != 0 ||
		    (cases[i].says != NULL && strstr(sentence, cases[i].says) == NULL)) {
			print_error("%s\n got:\n%s want:\n%s it says: %s\n", cases[i].name, got, cases[i].want, sentence);
			bad++;
		}
		store_close(&st);
	}
	assert_int_equal(bad, 0);
}
#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]))

#define DANE(record) .answers = { { "TLSA", TLSA_25, record, .ad = true } }
#define ON_HOST(record) \
	.answers = { { "TLSA", TLSA_25, record, .ad = true, .asked_by = "127.0.0.1", .resolver = "127.0.0.1" } }
#define SHOWN .has_certificate = true, .shown = { .covers_sni = 1, .names = "mx.b.test" }
#define SNI "mx.b.test"
#define DIFFERS "dane-ignored suspected\ndane-mismatch suspected\n"

static void a_certificate_is_held_to_the_servers_tlsa_records(void **state)
{
	static const struct policy_case cases[] = {
		{ "no record", { SENT, SNI, TLS12 }, SHOWN, .want = "" },
		{ "3 1 1", { SENT, SNI, TLS12 }, DANE("3 1 1 " H32(LEAF_KEY)), SHOWN, .want = "" },
		{ "3 0 1", { SENT, SNI, TLS12 }, DANE("3 0 1 " H32(LEAF)), SHOWN, .want = "" },
		{ "3 1 2", { SENT, SNI, TLS12 }, DANE("3 1 2 " H32(LEAF_KEY) H32(LEAF_KEY)), SHOWN, .want = "" },
		{ "3 1 1 of another", { SENT, SNI, TLS12 }, DANE("3 1 1 " H32("dd")), SHOWN, .want = DIFFERS,
		  .says = "RFC 8460: validation-failure" },
		{ "a matching type of the wrong length", { SENT, SNI, TLS12 }, DANE("3 1 1 " H("dd")), SHOWN, .want = "" },
		{ "usage 0", { SENT, SNI, TLS12 }, DANE("0 1 1 " H32("dd")), SHOWN, .want = "" },
		{ "usage 1", { SENT, SNI, TLS12 }, DANE("1 1 1 " H32("dd")), SHOWN, .want = "" },
		{ "AD is not set", { SENT, SNI, TLS12 }, .answers = { { "TLSA", TLSA_25, "3 1 1 " H32("dd") } }, SHOWN, .want = "" },
		{ "TLS 1.3", { SENT, SNI, TLS13 }, DANE("3 1 1 " H32("dd")), .want = "" },
		{ "resumed", { SENT, SNI, TLS12 }, DANE("3 1 1 " H32("dd")), .resumed = true, .want = "" },
		{ "another port's records", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", "_465._tcp.mx.b.test", "3 1 1 " H32("dd"), .ad = true } }, SHOWN, .want = "" },
		{ "another server's records", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", "_25._tcp.mx2.b.test", "3 1 1 " H32("dd"), .ad = true } }, SHOWN, .want = "" },
		{ "asked afterwards", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", TLSA_25, "3 1 1 " H32("dd"), .ad = true, .at_s = 1 } }, SHOWN, .want = "" },
		{ "asked a day before", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", TLSA_25, "3 1 1 " H32("dd"), .ad = true, .at_s = -86401 } }, SHOWN, .want = "" },
		{ "asked, not answered", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", TLSA_25, "", .question = true } }, SHOWN, .want = "" },
		{ "taken back before", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", TLSA_25, "3 1 1 " H32("dd"), .ad = true, .at_s = -60 },
			       { "TLSA", TLSA_25, "", .ad = true } }, SHOWN, .want = "" },
		{ "changed before", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", TLSA_25, "3 1 1 " H32("dd"), .ad = true, .at_s = -60 },
			       { "TLSA", TLSA_25, "3 1 1 " H32(LEAF_KEY), .ad = true } }, SHOWN, .want = "" },
		{ "one of two matches", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", TLSA_25, "3 1 1 " H32("dd"), .ad = true },
			       { "TLSA", TLSA_25, "3 1 1 " H32(LEAF_KEY), .ad = true, .same = true } }, SHOWN, .want = "" },
		{ "none of two matches", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", TLSA_25, "3 1 1 " H32("dd"), .ad = true },
			       { "TLSA", TLSA_25, "3 0 1 " H32("ee"), .ad = true, .same = true } }, SHOWN, .want = DIFFERS },
		{ "one differs and one is not usable", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", TLSA_25, "3 1 1 " H32("dd"), .ad = true },
			       { "TLSA", TLSA_25, "1 0 1 " H32(LEAF), .ad = true, .same = true } }, SHOWN, .want = DIFFERS },
		{ "all of the key, by its hash", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", TLSA_25, "3 1 0 3059", .ad = true, .digest = 0x1b } }, SHOWN, .want = "" },
		{ "all of another key", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", TLSA_25, "3 1 0 3059", .ad = true, .digest = 0x1c } }, SHOWN, .want = DIFFERS },
		{ "DANE-EE: name and dates do not matter", { SENT, SNI, TLS12 }, ON_HOST("3 1 1 " H32(LEAF_KEY)),
		  .has_certificate = true, .shown = { .covers_sni = 0, .expires_s = -9, .names = "x.test", .chain = CHAIN_SELF_SIGNED },
		  .want = "" },
		{ "DANE-EE: forged, perhaps", { SENT, SNI, TLS12 }, DANE("3 1 1 " H32(LEAF_KEY)),
		  .has_certificate = true, .shown = { .covers_sni = 1, .chain = CHAIN_SELF_SIGNED },
		  .want = "certificate-invalid suspected\n" },
		{ "DANE-EE: of which server is not sure", { SENT, "", TLS12 }, ON_HOST("3 1 1 " H32(LEAF_KEY)),
		  .told = "mx.c.test", .told_also = SNI,
		  .has_certificate = true, .shown = { .covers_sni = -1, .chain = CHAIN_SELF_SIGNED },
		  .want = "certificate-invalid suspected\n" },
		{ "DANE-EE: a weak key does", { SENT, SNI, TLS12 }, ON_HOST("3 1 1 " H32(LEAF_KEY)),
		  .has_certificate = true, .shown = { .covers_sni = 1, .weak = "RSA of 512 bits" },
		  .want = "certificate-invalid suspected\n" },
		{ "DANE-TA: that it was signed is not known", { SENT, SNI, TLS12 }, ON_HOST("2 0 1 " H32(ROOT)),
		  .has_certificate = true,
		  .shown = { .covers_sni = 1, .expires_s = -9, .root = true, .chain = CHAIN_UNTRUSTED },
		  .want = "certificate-expired suspected\ncertificate-invalid suspected\n" },
		{ "what DNS vouches for does not count with clients", { IMAP, SNI, IMAP12 },
		  .answers = { { "TLSA", "_993._tcp.mx.b.test", "3 1 1 " H32(LEAF_KEY), .ad = true, .resolver = MTA } },
		  .has_certificate = true, .shown = { .covers_sni = 1, .chain = CHAIN_SELF_SIGNED },
		  .want = "certificate-invalid strong\n" },
		{ "DANE-TA above the server's", { SENT, SNI, TLS12 }, DANE("2 0 1 " H32(ROOT)), .has_certificate = true,
		  .shown = { .covers_sni = 1, .names = "mx.b.test", .root = true }, .want = "" },
		{ "DANE-TA is not the server's own", { SENT, SNI, TLS12 }, DANE("2 0 1 " H32(LEAF)), .has_certificate = true,
		  .shown = { .covers_sni = 1, .names = "mx.b.test", .root = true }, .want = DIFFERS },
		{ "DANE-EE is not one above", { SENT, SNI, TLS12 }, DANE("3 0 1 " H32(ROOT)), .has_certificate = true,
		  .shown = { .covers_sni = 1, .names = "mx.b.test", .root = true }, .want = DIFFERS },
		{ "DANE-TA and another name", { SENT, SNI, TLS12 }, DANE("2 0 1 " H32(ROOT)), .has_certificate = true,
		  .shown = { .covers_sni = 0, .names = "x.test", .root = true },
		  .want = "certificate-mismatch suspected\n" DIFFERS },
		{ "DANE-TA and the recipient's domain", { SENT, SNI, TLS12 }, ON_HOST("2 0 1 " H32(ROOT)), .has_certificate = true,
		  .shown = { .covers_sni = 0, .names = "b.test", .root = true }, .recipient = "b.test",
		  .want = "certificate-mismatch suspected\n" },
		{ "refused by the client", { SENT, SNI, TLS12 }, DANE("3 1 1 " H32("dd")), SHOWN, .alert = 42,
		  .want = "dane-mismatch suspected\n", .says = "the client ended it with the alert bad_certificate" },
		{ "answered over loopback", { SENT, SNI, TLS12 }, ON_HOST("3 1 1 " H32("dd")), SHOWN,
		  .want = "dane-ignored strong\ndane-mismatch strong\n", .says = "had asked for them itself" },
		{ "answered on the host", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", TLSA_25, "3 1 1 " H32("dd"), .ad = true, .resolver = MTA } }, SHOWN,
		  .want = "dane-ignored strong\ndane-mismatch strong\n" },
		{ "asked by another host", { SENT, SNI, TLS12 },
		  .answers = { { "TLSA", TLSA_25, "3 1 1 " H32("dd"), .ad = true, .asked_by = "192.168.1.99" } }, SHOWN,
		  .want = DIFFERS, .says = "was not seen to ask" },
		{ "no SNI: the name by DNS", { SENT, "", TLS12 }, .told = SNI, DANE("3 1 1 " H32("dd")), SHOWN,
		  .want = DIFFERS },
		{ "no SNI: the name by DNS over loopback", { SENT, "", TLS12 }, .told = SNI, .told_to = "127.0.0.1",
		  ON_HOST("3 1 1 " H32("dd")), SHOWN, .want = "dane-ignored strong\ndane-mismatch strong\n" },
		{ "two names: the last, and not sure", { SENT, "", TLS12 }, .told = "mx.c.test", .told_also = SNI,
		  ON_HOST("3 1 1 " H32("dd")), SHOWN, .want = DIFFERS },
		{ "the mail's way to a client", { IMAP, SNI, IMAP12 },
		  .answers = { { "TLSA", "_993._tcp.mx.b.test", "3 1 1 " H32("dd"), .ad = true } }, SHOWN, .want = DIFFERS },
	};

	(void)state;
	CHECK(cases);
}

static void mail_in_clear_in_spite_of_tlsa_records_is_told(void **state)
{
	static const struct policy_case cases[] = {
		{ "no record", { SENT, CLEAR }, .told = SNI, .moved = true, .want = "" },
		{ "in clear", { SENT, CLEAR }, .told = SNI, .moved = true, DANE("3 1 1 " H32("dd")),
		  .want = "dane-ignored suspected\n", .says = "RFC 8460: starttls-not-supported" },
		{ "no mail went", { SENT, CLEAR }, .told = SNI, DANE("3 1 1 " H32("dd")), .want = "" },
		{ "offered", { SENT, CLEAR }, .told = SNI, .moved = true, .offered = true, DANE("3 1 1 " H32("dd")),
		  .want = "dane-ignored suspected\n", .says = "RFC 8460: validation-failure" },
		{ "answered over loopback", { SENT, CLEAR }, .told = SNI, .moved = true, ON_HOST("3 1 1 " H32("dd")),
		  .want = "dane-ignored strong\n" },
		{ "secure and not usable", { SENT, CLEAR }, .told = SNI, .moved = true, ON_HOST("1 1 1 " H32("dd")),
		  .want = "dane-ignored suspected\n", .says = "RFC 8460: tlsa-invalid" },
		{ "insecure", { SENT, CLEAR }, .told = SNI, .moved = true,
		  .answers = { { "TLSA", TLSA_25, "3 1 1 " H32("dd") } }, .want = "" },
		{ "none", { SENT, CLEAR }, .told = SNI, .moved = true,
		  .answers = { { "TLSA", TLSA_25, "", .ad = true } }, .want = "" },
		{ "no name", { SENT, CLEAR }, .moved = true, DANE("3 1 1 " H32("dd")), .want = "" },
		{ "twice", { SENT, CLEAR }, .told = SNI, .moved = true, .again = true, DANE("3 1 1 " H32("dd")),
		  .want = "dane-ignored suspected\n", .says = ", 2 times" },
	};

	(void)state;
	CHECK(cases);
}

#define TXT(text) { "TXT", "_mta-sts.b.test", "\"" text "\"" }
#define MX_IS(host) { "MX", "b.test", "10 " host "." }
#define POLICY(mode) "mta_sts: [{ domain: b.test, mode: " mode ", mx: [mx.b.test, '*.mx.b.test'] }]\n"

static void deliveries_are_held_to_mta_sts(void **state)
{
	static const struct policy_case cases[] = {
		{ "no policy", { SENT, CLEAR }, .moved = true, .recipient = "b.test", .want = "" },
		{ "a TXT record", { SENT, CLEAR }, .moved = true, .recipient = "B.test", .answers = { TXT("v=STSv1; id=1;") },
		  .want = "sts-ignored suspected\n", .says = "whose mode was not seen (RFC 8460: starttls-not-supported)" },
		{ "in two pieces", { SENT, CLEAR }, .moved = true, .recipient = "b.test",
		  .answers = { TXT("v=STS\" \"v1; id=1;") }, .want = "sts-ignored suspected\n" },
		{ "another version", { SENT, CLEAR }, .moved = true, .recipient = "b.test",
		  .answers = { TXT("v=STSv2; id=1;") }, .want = "" },
		{ "two of them are none", { SENT, CLEAR }, .moved = true, .recipient = "b.test",
		  .answers = { TXT("v=STSv1; id=1;"), { "TXT", "_mta-sts.b.test", "\"v=STSv1; id=2\"", .same = true } },
		  .want = "" },
		{ "beside another text", { SENT, CLEAR }, .moved = true, .recipient = "b.test",
		  .answers = { TXT("v=STSv1; id=1;"), { "TXT", "_mta-sts.b.test", "\"hello\"", .same = true } },
		  .want = "sts-ignored suspected\n" },
		{ "another domain's", { SENT, CLEAR }, .moved = true, .recipient = "c.test",
		  .answers = { TXT("v=STSv1; id=1;") }, .want = "" },
		{ "a record that came later", { SENT, CLEAR }, .moved = true, .recipient = "b.test",
		  .answers = { { "TXT", "_mta-sts.b.test", "\"v=STSv1; id=1\"", .at_s = 5 } }, .want = "" },
		{ "no mail went", { SENT, CLEAR }, .recipient = "b.test", .answers = { TXT("v=STSv1; id=1;") }, .want = "" },
		{ "under TLS", { SENT, SNI, TLS13 }, .recipient = "b.test", .answers = { TXT("v=STSv1; id=1;") }, .want = "" },
		{ "the domain by its MX", { SENT, CLEAR }, .moved = true, .told = SNI,
		  .answers = { TXT("v=STSv1; id=1;"), MX_IS("mx.b.test") }, .want = "sts-ignored suspected\n" },
		{ "a relay: the MX is another", { SENT, CLEAR }, .moved = true, .told = "relay.c.test", .recipient = "b.test",
		  .answers = { TXT("v=STSv1; id=1;"), MX_IS("mx.b.test") }, .want = "" },
		{ "enforce", { SENT, CLEAR }, .moved = true, .told = SNI, .recipient = "b.test", .policy = POLICY("enforce"),
		  .want = "sts-ignored strong\n", .says = "in mode enforce, forbids that" },
		{ "enforce, STARTTLS was there", { SENT, CLEAR }, .moved = true, .offered = true, .told = SNI,
		  .recipient = "b.test", .policy = POLICY("enforce"), .want = "sts-ignored strong\n",
		  .says = "RFC 8460: validation-failure" },
		{ "enforce, a server without a name", { SENT, CLEAR }, .moved = true, .recipient = "b.test",
		  .policy = POLICY("enforce"), .want = "sts-ignored suspected\n" },
		{ "testing", { SENT, CLEAR }, .moved = true, .told = SNI, .recipient = "b.test", .policy = POLICY("testing"),
		  .want = "sts-ignored suspected\n", .says = "asks only that it be reported" },
		{ "none, whatever the record says", { SENT, CLEAR }, .moved = true, .told = SNI, .recipient = "b.test",
		  .answers = { TXT("v=STSv1; id=1;") }, .policy = POLICY("none"), .want = "" },
		{ "submission is none of its business", { MTA, MX, 587, 9000, 900, CLEAR }, .moved = true, .told = SNI,
		  .recipient = "b.test", .policy = POLICY("enforce"), .want = "" },
		{ "what came in is none", { MX, MTA, 25, 9000, 900, CLEAR }, .moved = true, .told = SNI,
		  .recipient = "b.test", .policy = POLICY("enforce"), .want = "" },
		{ "an MX of one label more", { SENT, "a.mx.b.test", TLS13 }, .answers = { MX_IS("a.mx.b.test") },
		  .policy = POLICY("enforce"), .want = "" },
		{ "an MX of two labels more", { SENT, "b.a.mx.b.test", TLS13 }, .answers = { MX_IS("b.a.mx.b.test") },
		  .policy = POLICY("enforce"), .want = "sts-mx-mismatch strong\n", .says = "RFC 8460: validation-failure" },
		{ "testing, an MX of two labels more", { SENT, "b.a.mx.b.test", TLS13 }, .answers = { MX_IS("b.a.mx.b.test") },
		  .policy = POLICY("testing"), .want = "sts-mx-mismatch suspected\n" },
		{ "none, an MX of two labels more", { SENT, "b.a.mx.b.test", TLS13 }, .answers = { MX_IS("b.a.mx.b.test") },
		  .policy = POLICY("none"), .want = "" },
		{ "the MX of another domain as well", { SENT, "mx.c.test", TLS13 },
		  .answers = { { "MX", "c.test", "10 mx.c.test.", .at_s = -9 }, MX_IS("mx.c.test") },
		  .policy = POLICY("enforce"), .want = "sts-mx-mismatch suspected\n" },
		{ "no MX answer names it", { SENT, "mx.c.test", TLS13 }, .recipient = "b.test", .policy = POLICY("enforce"),
		  .want = "" },
		{ "to an MX of two labels more in clear", { SENT, CLEAR }, .moved = true, .told = "b.a.mx.b.test",
		  .recipient = "b.test", .answers = { MX_IS("b.a.mx.b.test") }, .policy = POLICY("enforce"),
		  .want = "sts-ignored strong\nsts-mx-mismatch strong\n" },
	};

	(void)state;
	CHECK(cases);
}

#define CERTIFICATE(...) .has_certificate = true, .shown = { __VA_ARGS__ }

static void what_is_wrong_with_a_certificate_is_told(void **state)
{
	static const struct policy_case cases[] = {
		{ "nothing", { IMAP, SNI, IMAP12 }, CERTIFICATE(.chain = CHAIN_TRUSTED, .covers_sni = 1), .want = "" },
		{ "not judged", { IMAP, SNI, IMAP12 }, CERTIFICATE(.covers_sni = 1), .want = "" },
		{ "self-signed", { IMAP, SNI, IMAP12 }, CERTIFICATE(.chain = CHAIN_SELF_SIGNED, .covers_sni = 1),
		  .want = "certificate-invalid strong\n", .says = "that is self-signed; the session went on" },
		{ "untrusted, refused", { IMAP, SNI, IMAP12 }, CERTIFICATE(.chain = CHAIN_UNTRUSTED, .covers_sni = 1), .alert = 48,
		  .want = "certificate-invalid strong\n", .says = "the client ended it with the alert unknown_ca" },
		{ "malformed", { IMAP, SNI, IMAP12 }, CERTIFICATE(.chain = CHAIN_MALFORMED, .covers_sni = 0, .expires_s = -1),
		  .want = "certificate-invalid strong\n" },
		{ "weak", { IMAP, SNI, IMAP12 }, CERTIFICATE(.chain = CHAIN_TRUSTED, .weak = "RSA of 1024 bits", .covers_sni = 1),
		  .want = "certificate-invalid strong\n", .says = "RSA of 1024 bits" },
		{ "expired", { IMAP, SNI, IMAP12 }, CERTIFICATE(.chain = CHAIN_EXPIRED, .expires_s = -1, .covers_sni = 1),
		  .want = "certificate-expired strong\n", .says = "that expired on 2023-11-14" },
		{ "expires a second later", { IMAP, SNI, IMAP12 }, CERTIFICATE(.chain = CHAIN_TRUSTED, .expires_s = 1, .covers_sni = 1),
		  .want = "" },
		{ "not yet valid", { IMAP, SNI, IMAP12 }, CERTIFICATE(.chain = CHAIN_NOT_YET_VALID, .begins_s = 1, .covers_sni = 1),
		  .want = "certificate-expired strong\n", .says = "not valid before" },
		{ "self-signed and expired", { IMAP, SNI, IMAP12 },
		  CERTIFICATE(.chain = CHAIN_SELF_SIGNED, .expires_s = -1, .covers_sni = 1),
		  .want = "certificate-expired strong\ncertificate-invalid strong\n" },
		{ "another name", { IMAP, SNI, IMAP12 }, CERTIFICATE(.chain = CHAIN_TRUSTED, .names = "x.test y.test"),
		  .want = "certificate-mismatch strong\n", .says = "of x.test and others" },
		{ "without SNI, the name by DNS", { IMAP, "", IMAP12 }, .told = SNI,
		  CERTIFICATE(.chain = CHAIN_TRUSTED, .covers_sni = -1, .names = "a.test *.b.test"), .want = "" },
		{ "without SNI, not the name by DNS", { IMAP, "", IMAP12 }, .told = SNI,
		  CERTIFICATE(.chain = CHAIN_TRUSTED, .covers_sni = -1, .names = "a.test"),
		  .want = "certificate-mismatch strong\n" },
		{ "without SNI, two names by DNS", { IMAP, "", IMAP12 }, .told = SNI, .told_also = "mx.c.test",
		  CERTIFICATE(.chain = CHAIN_TRUSTED, .covers_sni = -1, .names = "a.test"), .want = "" },
		{ "without SNI, no name at all", { IMAP, "", IMAP12 },
		  CERTIFICATE(.chain = CHAIN_TRUSTED, .covers_sni = -1, .names = "a.test"), .want = "" },
		{ "without SNI, no dNSName", { IMAP, "", IMAP12 }, .told = SNI,
		  CERTIFICATE(.chain = CHAIN_TRUSTED, .covers_sni = -1), .want = "" },
		{ "between servers", { SENT, SNI, TLS12 }, CERTIFICATE(.chain = CHAIN_SELF_SIGNED, .covers_sni = 1),
		  .want = "certificate-invalid suspected\n", .says = "opportunistic" },
		{ "twice is one", { IMAP, SNI, IMAP12 }, .again = true,
		  CERTIFICATE(.chain = CHAIN_SELF_SIGNED, .covers_sni = 1),
		  .want = "certificate-invalid strong\n", .says = "all 2 sessions went on" },
		{ "what came in is not the client's", { MX, MTA, 993, 900, 9000, SNI, IMAP12 },
		  CERTIFICATE(.chain = CHAIN_SELF_SIGNED, .covers_sni = 1), .want = "" },
		{ "web", { MTA, MX, 443, 900, 9000, "www.b.test", .version = 0x0303 },
		  CERTIFICATE(.chain = CHAIN_SELF_SIGNED, .covers_sni = 1), .want = "" },
		{ "TLS 1.1", { IMAP, SNI, .mail = true, .proto = MAIL_IMAP, .transport = MAIL_IMPLICIT_TLS, .version = 0x0302 },
		  .want = "tls-old strong\n", .says = "chose TLS 1.1" },
		{ "TLS 1.0 between servers, refused", { SENT, SNI, .mail = true, .transport = MAIL_STARTTLS_USED, .version = 0x0301,
		  .proto = MAIL_SMTP }, .alert = 70, .want = "tls-old suspected\n", .says = "the alert protocol_version" },
		{ "TLS 1.2", { IMAP, SNI, IMAP12 }, .want = "" },
	};

	(void)state;
	CHECK(cases);
}

/* Of one server two certificates: two findings, each with its frames. */
static void two_certificates_are_two_findings(void **state)
{
	struct policy_case c = { "two", { IMAP, SNI, IMAP12 }, .again = true, .want = "" };
	char got[256] = "";
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));
	struct policy *policy = policy_new();

	(void)state;
	assert_non_null(st);
	for (unsigned i = 1; i <= 2; i++) {
		struct shown shown = { .chain = CHAIN_SELF_SIGNED, .covers_sni = 1 };

		add_session(st, &c, i);
		add_certificate(st, &shown, frame_id(0, i * 10 + 1), 0);
	}
	assert_true(store_exec(st, "UPDATE certificate SET sha256 = x'" H32("99") "' WHERE flow = (SELECT max(flow) FROM flow"
				   " JOIN certificate ON flow = id)"));
	assert_true(judge(st, policy, &small_book));
	case_ask(st, "SELECT f.kind, count(DISTINCT w.flow), count(DISTINCT e.frame) FROM finding AS f"
		 " JOIN finding_flow AS w ON w.finding = f.id JOIN evidence AS e ON e.finding = f.id"
		 " WHERE f.class = 'weak' GROUP BY f.id", got, sizeof(got));
	assert_string_equal(got, "certificate-invalid 1 1\ncertificate-invalid 1 1\n");
	policy_free(&policy);
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_held_to_the_servers_tlsa_records),
		cmocka_unit_test(mail_in_clear_in_spite_of_tlsa_records_is_told),
		cmocka_unit_test(deliveries_are_held_to_mta_sts),
		cmocka_unit_test(what_is_wrong_with_a_certificate_is_told),
		cmocka_unit_test(two_certificates_are_two_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
