/* SMTP TLS reports: each session in the count where RFC 8460's reader expects it, or in none. */
#include "tests/case.h"

#include "capture/packet.h"
#include "report/emit.h"

#define CLIENT "192.168.1.10"
#define MX "198.51.100.25"
#define SPKI 0x5a		/* every byte of what the server's certificate hashes to */
#define FACTS_MAX 24

/* One delivery, 10 s after the look-ups; what it does not say is a whole STARTTLS session under TLS 1.2. */
struct delivery {
	enum mail_transport transport;
	const char *recipient;		/* RCPT TO's domain; NULL: not readable */
	uint16_t version;		/* 0: TLS 1.2; 1: not completed */
	const char *sni;		/* NULL: mx.kanzlei.test; "-": none was sent, nor a hello seen */
	const char *to;			/* NULL: MX */
	uint8_t alert;			/* of the client */
	bool server_alert;		/* no, of the server */
	uint64_t missing;
	bool certificate;
	enum chain_verdict chain;
	int8_t covers;
	uint8_t spki;			/* 0: SPKI */
	uint8_t issuer_spki;		/* a second certificate's in the chain; 0: there is none */
	const char *name;		/* in the certificate; NULL: not said */
	bool names_cut;
	const char *banner, *client;
	bool login, unknown, submission_port;
};

struct lookup {
	const char *type, *name, *rdata;
	bool authentic;
	bool beside;			/* in the same answer as the one before */
	const char *by;			/* NULL: CLIENT */
	bool late;			/* after the deliveries */
	uint8_t digest;			/* every byte of what a record of matching type 0 hashes to */
};

#define MX_LOOKUP { "MX", "kanzlei.test", .rdata = "10 mx.kanzlei.test." }
#define TLSA_311 "3 1 1 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
#define TLSA_211 "2 1 1 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
#define TLSA_LOOKUP { "TLSA", "_25._tcp.mx.kanzlei.test", TLSA_311, .authentic = true }
#define STS_LOOKUP { "TXT", "_mta-sts.kanzlei.test", .rdata = "\"v=STSv1; id=1;\"" }

static unsigned add_certificates(struct fact *out, const struct delivery *d, uint64_t flow)
{
	unsigned count = 1;

	memset(out, 0, 3 * sizeof(*out));
	out->kind = FACT_CERTIFICATE;
	out->certificate = (struct fact_certificate){
		.flow = flow, .frame = flow + 5, .time_ns = T0 + 10 * S, .name_count = 1, .chain = d->chain, .names_cut = d->names_cut,
		.covers_sni = d->covers, .not_after = T0 / S + (d->chain == CHAIN_EXPIRED ? 0 : 1000),
	};
	memset(out->certificate.spki_sha256, d->spki != 0 ? d->spki : SPKI, 32);
	strcpy(out->certificate.why, d->chain == CHAIN_TRUSTED ? "" : "chain is bad");
	if (d->issuer_spki != 0) {
		out[count].kind = FACT_CERTIFICATE;
		out[count].certificate = (struct fact_certificate){ .flow = flow, .place = 1, .frame = flow + 5 };
		memset(out[count++].certificate.spki_sha256, d->issuer_spki, 32);
	}
	if (d->name != NULL) {
		case_name(&out[count], 0, CLIENT, d->name, MX, 10);
		out[count].name.id = flow + 5;
		out[count++].name.kind = NAME_CERTIFICATE;
	}
	return count;
}

static unsigned add_delivery(struct fact *out, const struct delivery *d, unsigned number)
{
	bool tls = d->transport == MAIL_STARTTLS_USED || d->transport == MAIL_STARTTLS_FAILED;
	struct flow_case c = {
		.from = d->client != NULL ? d->client : CLIENT, .to = d->to != NULL ? d->to : MX, .port = d->submission_port ? 587 : 25,
		.up = 900, .down = 500, .at_s = 10, .app = "smtp", .mail = true, .proto = MAIL_SMTP,
		.transport = d->transport, .missing = d->missing,
		.credential = d->login ? CREDENTIAL_REUSABLE : CREDENTIAL_NONE,
		.version = d->version != 0 ? d->version : 0x0303,
		.sni = !tls || (d->sni != NULL && d->sni[0] == '-') ? NULL :
		       d->sni != NULL ? d->sni : "mx.kanzlei.test",
	};
	unsigned count = case_flow(&c, number, out);
	struct fact_mail_session *m = &out[count - 1].mail_session;

	base_copy(m->banner, sizeof(m->banner), d->banner != NULL ? d->banner : "mx.kanzlei.test ESMTP");
	if (d->recipient != NULL)
		base_copy(m->recipient_domain, sizeof(m->recipient_domain), d->recipient);
	if (d->unknown)
		m->transport = MAIL_UNKNOWN;
	if (d->transport == MAIL_STARTTLS_REFUSED)
		strcpy(m->refusal, "454 4.7.0");
	if (d->transport == MAIL_STARTTLS_STRIPPED)
		strcpy(m->signature, "masked-keyword");
	if (d->alert != 0) {
		out[1].handshake.alert_in_clear = true;
		out[1].handshake.alert = d->alert;
		out[1].handshake.alert_from = d->server_alert ? SIDE_RESPONDER : SIDE_ORIGINATOR;
	}
	if (d->certificate)
		count += add_certificates(&out[count], d, out[0].flow.id);
	return count;
}

static struct store *case_of(const struct lookup *lookups, unsigned lookup_count,
			     const struct delivery *deliveries, unsigned delivery_count,
			     const char *yaml)
{
	struct source_end end = { .path = "a.pcap", .how = SOURCE_COMPLETE, .sha256 = "ab", .packets = 9,
		.first_ns = T0 + 1, .last_ns = T0 + 20 * S + 1 };
	struct run_info run = { .version = "0.1.0", .scope = "mail services only", .attribution = "" };
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));
	struct policy *policy = policy_new();
	struct fact facts[FACTS_MAX];
	unsigned count = 0;

	if (yaml != NULL)
		case_policy(policy, yaml);
	for (unsigned i = 0; i < lookup_count; i++) {
		const char *by = lookups[i].by != NULL ? lookups[i].by : CLIENT;

		if (lookups[i].type == NULL)
			continue;
		if (strcmp(lookups[i].type, "A") == 0) {
			case_name(&facts[count++], 900 + i, by, lookups[i].name, lookups[i].rdata,
				  lookups[i].late ? 15 : 0);
			continue;
		}
		case_lookup(&facts[count], 900 + i, by, lookups[i].type, lookups[i].name,
			    lookups[i].rdata);
		facts[count].mail_dns.authentic = lookups[i].authentic;
		facts[count].mail_dns.time_ns += lookups[i].late * 15 * S;
		facts[count].mail_dns.has_digest = lookups[i].digest != 0;
		memset(facts[count].mail_dns.digest, lookups[i].digest, 32);
		facts[count].mail_dns.id -= lookups[i].beside;
		facts[count++].mail_dns.place = lookups[i].beside;
	}
	for (unsigned i = 0; i < delivery_count && deliveries[i].transport != 0; i++)
		count += add_delivery(&facts[count], &deliveries[i], i + 1);
	assert_true(count <= FACTS_MAX);
	assert_true(store_run(st, &run));
	assert_true(store_add(st, facts, count));
	assert_true(store_source(st, 0, &end));
	if (!judge(st, policy, &small_book))
		fail_msg("%s", store_error(st));
	policy_free(&policy);
	return st;
}

static char *report(struct store *st, const char *domain)
{
	struct tlsrpt_settings settings = { .organization = "Brandt \"&\" Co", .contact = "tls@brandt.test" };
	char *data = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&data, &size);

	if (!emit_tlsrpt(st, &settings, domain, out))
		fail_msg("%s", store_error(st));
	fclose(out);
	return data;
}

static void note_domain(void *context, const struct tlsrpt_subject *subject)
{
	char *all = context;

	assert_int_equal(subject->first_s, T0 / S);
	assert_int_equal(subject->last_s, T0 / S + 21);
	sprintf(all + strlen(all), "%s ", subject->domain);
}

#define POLICY(type, records, domain, good, bad, details) \
	"{\"policy\":{\"policy-type\":\"" type "\",\"policy-string\":[" records "],\"policy-domain\":\"" domain \
	"\"},\"summary\":{\"total-successful-session-count\":" good ",\"total-failure-session-count\":" bad \
	"},\"failure-details\":[" details "]}"
#define USED .transport = MAIL_STARTTLS_USED
#define BROKEN .transport = MAIL_STARTTLS_FAILED
#define PLAIN .transport = MAIL_PLAINTEXT
#define NONE(good, bad, details) POLICY("no-policy-found", "", "kanzlei.test", good, bad, details)
#define STS(good, bad, details) STS_OF("\"version: STSv1\"", "", good, bad, details)
#define STS_OF(policy, hosts, good, bad, details) \
	"{\"policy\":{\"policy-type\":\"sts\",\"policy-string\":[" policy "],\"policy-domain\":\"kanzlei.test\"," \
	"\"mx-host\":[" hosts "]},\"summary\":{\"total-successful-session-count\":" good \
	",\"total-failure-session-count\":" bad "},\"failure-details\":[" details "]}"
#define TLSA(good, bad, details) POLICY("tlsa", "\"" TLSA_311 "\"", "mx.kanzlei.test", good, bad, details)
#define FAILED(result, count, reason) "{\"result-type\":\"" result "\",\"sending-mta-ip\":\"" CLIENT \
	"\",\"receiving-mx-hostname\":\"mx.kanzlei.test\",\"receiving-mx-helo\":\"mx.kanzlei.test\"," \
	"\"receiving-ip\":\"" MX "\",\"failed-session-count\":" count ",\"failure-reason-code\":\"" reason "\"}"
#define A_LOOKUP { "A", "mx.kanzlei.test", .rdata = MX }
#define LISTED(good, bad, details) STS_OF("\"version: STSv1\",\"mode: enforce\",\"mx: *.kanzlei.test\"", \
	"\"*.kanzlei.test\"", good, bad, details)
#define YAML(mode, mx) "mta_sts: [{ domain: kanzlei.test, mode: " mode ", mx: [" mx "] }]\n"
#define NO_STARTTLS(count) FAILED("starttls-not-supported", count, "STARTTLS was not offered")

static const struct {
	const char *name;
	struct lookup lookups[5];
	struct delivery deliveries[3];
	const char *domains, *policies;	/* of kanzlei.test */
	struct tlsrpt_left_out left_out;
	const char *yaml;		/* mailwitness.yaml; NULL: none */
} cases[] = {
	{ "STARTTLS without a policy", { MX_LOOKUP }, { { USED } },
	  "kanzlei.test ", .policies = NONE("1", "0", "") },
	{ "without a policy nobody asks for the certificate", { MX_LOOKUP },
	  { { USED, .certificate = true, .chain = CHAIN_SELF_SIGNED } },
	  "kanzlei.test ", .policies = NONE("1", "0", "") },
	{ "TLS 1.3 without a policy", { MX_LOOKUP }, { { USED, .version = 0x0304 } },
	  "kanzlei.test ", .policies = NONE("1", "0", "") },
	{ "no STARTTLS, twice", { MX_LOOKUP, A_LOOKUP }, { { PLAIN }, { PLAIN } },
	  "kanzlei.test ", .policies = NONE("0", "2", NO_STARTTLS("2")) },
	{ "STARTTLS stripped", { MX_LOOKUP, A_LOOKUP }, { { .transport = MAIL_STARTTLS_STRIPPED } },
	  "kanzlei.test ", .policies = NONE("0", "1", FAILED("starttls-not-supported", "1",
		"STARTTLS was removed on the path: masked-keyword")) },
	{ "STARTTLS refused", { MX_LOOKUP, A_LOOKUP }, { { .transport = MAIL_STARTTLS_REFUSED } },
	  "kanzlei.test ", .policies = NONE("0", "1", FAILED("starttls-not-supported", "1",
		"STARTTLS was refused: 454 4.7.0")) },
	{ "STARTTLS not used", { MX_LOOKUP, A_LOOKUP }, { { .transport = MAIL_STARTTLS_OFFERED_NOT_USED } },
	  "kanzlei.test ", .policies = NONE("0", "1", FAILED("validation-failure", "1",
		"STARTTLS was offered and not used")) },
	{ "the handshake broke off", { MX_LOOKUP }, { { BROKEN, .version = 1 } },
	  "kanzlei.test ", .policies = NONE("0", "1", FAILED("validation-failure", "1", "the TLS handshake broke off")) },
	{ "it may have gone on where bytes are missing", { MX_LOOKUP },
	  { { BROKEN, .version = 1, .missing = 9 } },
	  "kanzlei.test ", .policies = NONE("0", "0", ""), .left_out = { .unknown = 1 } },
	{ "the client did not know the CA", { MX_LOOKUP }, { { BROKEN, .version = 1, .alert = 48 } },
	  "kanzlei.test ", .policies = NONE("0", "1", FAILED("certificate-not-trusted", "1", "TLS alert 48 from the sender")) },
	{ "an alert ends it, whatever is missing", { MX_LOOKUP },
	  { { BROKEN, .version = 1, .alert = 48, .missing = 9 } }, "kanzlei.test ",
	  .policies = NONE("0", "1", FAILED("certificate-not-trusted", "1", "TLS alert 48 from the sender")) },
	{ "the server's alert says nothing of its certificate", { MX_LOOKUP },
	  { { BROKEN, .version = 1, .alert = 48, .server_alert = true } }, "kanzlei.test ",
	  .policies = NONE("0", "1", FAILED("validation-failure", "1", "TLS alert 48 from the receiver")) },
	{ "the client found it expired", { MX_LOOKUP }, { { BROKEN, .version = 1, .alert = 45 } },
	  "kanzlei.test ", .policies = NONE("0", "1", FAILED("certificate-expired", "1", "TLS alert 45 from the sender")) },
	{ "an unfinished handshake", { MX_LOOKUP }, { { USED, .version = 1 } },
	  "kanzlei.test ", .policies = NONE("0", "0", ""), .left_out = { .unknown = 1 } },
	{ "an unknown state", { MX_LOOKUP, A_LOOKUP }, { { PLAIN, .unknown = true } },
	  "kanzlei.test ", .policies = NONE("0", "0", ""), .left_out = { .unknown = 1 } },

	{ "DANE matches", { MX_LOOKUP, TLSA_LOOKUP }, { { USED, .certificate = true,
	  .chain = CHAIN_EXPIRED } }, "kanzlei.test ", .policies = TLSA("1", "0", "") },
	{ "DANE does not match", { MX_LOOKUP, TLSA_LOOKUP }, { { USED, .certificate = true,
	  .chain = CHAIN_TRUSTED, .covers = 1, .spki = 1 } }, "kanzlei.test ",
	  .policies = TLSA("0", "1", FAILED("validation-failure", "1", "no TLSA record matches the certificate")) },
	{ "DANE: its own certificate has to match, not its issuer's", { MX_LOOKUP, TLSA_LOOKUP },
	  { { USED, .certificate = true, .chain = CHAIN_TRUSTED, .covers = 1, .spki = 1, .issuer_spki = SPKI } },
	  "kanzlei.test ",
	  .policies = TLSA("0", "1", FAILED("validation-failure", "1", "no TLSA record matches the certificate")) },
	{ "DANE, and TLS 1.3 hides the certificate", { MX_LOOKUP, TLSA_LOOKUP },
	  { { USED, .version = 0x0304 } }, "kanzlei.test ",
	  .policies = TLSA("0", "0", ""), .left_out = { .not_judged = 1 } },
	{ "DANE, and no STARTTLS", { MX_LOOKUP, A_LOOKUP, TLSA_LOOKUP }, { { PLAIN } },
	  "kanzlei.test ", .policies = TLSA("0", "1", NO_STARTTLS("1")) },
	{ "DANE goes before MTA-STS", { MX_LOOKUP, TLSA_LOOKUP, STS_LOOKUP },
	  { { USED, .certificate = true } }, "kanzlei.test ", .policies = TLSA("1", "0", "") },
	{ "TLSA records that nobody validated are none",
	  { MX_LOOKUP, { "TLSA", "_25._tcp.mx.kanzlei.test", .rdata = TLSA_311 } },
	  { { USED, .certificate = true, .spki = 1 } }, "kanzlei.test ", .policies = NONE("1", "0", "") },
	{ "TLSA records of another host", { MX_LOOKUP, { "TLSA", "_25._tcp.mx2.kanzlei.test", TLSA_311, .authentic = true } },
	  { { USED, .certificate = true, .spki = 1 } }, "kanzlei.test ", .policies = NONE("1", "0", "") },
	{ "an unusable record asks for TLS and no more",
	  { MX_LOOKUP, { "TLSA", "_25._tcp.mx.kanzlei.test", "1 1 1 5a5a", .authentic = true } },
	  { { USED, .version = 0x0304 } }, "kanzlei.test ",
	  .policies = POLICY("tlsa", "\"1 1 1 5a5a\"", "mx.kanzlei.test", "1", "0", "") },
	{ "a trust anchor matches, and the name", { MX_LOOKUP,
	  { "TLSA", "_25._tcp.mx.kanzlei.test", TLSA_211, .authentic = true } },
	  { { USED, .certificate = true, .chain = CHAIN_TRUSTED, .covers = 1,
	      .spki = 1, .issuer_spki = SPKI } }, "kanzlei.test ",
	  .policies = POLICY("tlsa", "\"" TLSA_211 "\"", "mx.kanzlei.test", "1", "0", "") },
	{ "a trust anchor matches, but it is expired", { MX_LOOKUP,
	  { "TLSA", "_25._tcp.mx.kanzlei.test", TLSA_211, .authentic = true } },
	  { { USED, .certificate = true, .chain = CHAIN_EXPIRED, .covers = 1,
	      .spki = 1, .issuer_spki = SPKI } }, "kanzlei.test ",
	  .policies = POLICY("tlsa", "\"" TLSA_211 "\"", "mx.kanzlei.test", "0", "1",
		 FAILED("certificate-expired", "1", "chain is bad")) },
	{ "a trust anchor that the record has whole need not be sent", { MX_LOOKUP,
	  { "TLSA", "_25._tcp.mx.kanzlei.test", "2 0 0 3082", .authentic = true, .digest = 9 } },
	  { { USED, .certificate = true, .chain = CHAIN_TRUSTED, .covers = 1,
	      .spki = 1, .issuer_spki = SPKI } }, "kanzlei.test ",
	  .policies = POLICY("tlsa", "\"2 0 0 3082\"", "mx.kanzlei.test", "0", "0", ""),
	  .left_out = { .not_judged = 1 } },
	{ "a trust anchor matches, but not the name", { MX_LOOKUP,
	  { "TLSA", "_25._tcp.mx.kanzlei.test", TLSA_211, .authentic = true } },
	  { { USED, .certificate = true, .chain = CHAIN_TRUSTED,
	      .spki = 1, .issuer_spki = SPKI } }, "kanzlei.test ",
	  .policies = POLICY("tlsa", "\"" TLSA_211 "\"", "mx.kanzlei.test", "0", "1",
		 FAILED("certificate-host-mismatch", "1", "the certificate is not for mx.kanzlei.test")) },
	{ "a trust anchor of a CA that the system does not know", { MX_LOOKUP,
	  { "TLSA", "_25._tcp.mx.kanzlei.test", TLSA_211, .authentic = true } },
	  { { USED, .certificate = true, .chain = CHAIN_UNTRUSTED, .covers = 1,
	      .spki = 1, .issuer_spki = SPKI } }, "kanzlei.test ",
	  .policies = POLICY("tlsa", "\"" TLSA_211 "\"", "mx.kanzlei.test", "0", "0", ""), .left_out = { .not_judged = 1 } },

	{ "MTA-STS: whether the host is in the policy is not known", { MX_LOOKUP, STS_LOOKUP },
	  { { USED, .certificate = true, .chain = CHAIN_TRUSTED, .covers = 1 } },
	  "kanzlei.test ", .policies = STS("0", "0", ""), .left_out = { .not_judged = 1 } },
	{ "MTA-STS: expired", { MX_LOOKUP, STS_LOOKUP },
	  { { USED, .certificate = true, .chain = CHAIN_EXPIRED, .covers = 1 } },
	  "kanzlei.test ", .policies = STS("0", "1", FAILED("certificate-expired", "1", "chain is bad")) },
	{ "MTA-STS: self-signed", { MX_LOOKUP, STS_LOOKUP },
	  { { USED, .certificate = true, .chain = CHAIN_SELF_SIGNED, .covers = 1 } },
	  "kanzlei.test ", .policies = STS("0", "1", FAILED("certificate-not-trusted", "1", "chain is bad")) },
	{ "MTA-STS: for another host", { MX_LOOKUP, STS_LOOKUP },
	  { { USED, .certificate = true, .chain = CHAIN_TRUSTED } }, "kanzlei.test ",
	  .policies = STS("0", "1", FAILED("certificate-host-mismatch", "1", "the certificate is not for mx.kanzlei.test")) },
	{ "MTA-STS: not valid yet", { MX_LOOKUP, STS_LOOKUP },
	  { { USED, .certificate = true, .chain = CHAIN_NOT_YET_VALID, .covers = 1 } },
	  "kanzlei.test ", .policies = STS("0", "1", FAILED("certificate-not-trusted", "1", "chain is bad")) },
	{ "MTA-STS: the server's certificate alone is asked for", { MX_LOOKUP, STS_LOOKUP },
	  { { USED, .certificate = true, .chain = CHAIN_EXPIRED, .covers = 1, .issuer_spki = 1 } },
	  "kanzlei.test ", .policies = STS("0", "1", FAILED("certificate-expired", "1", "chain is bad")) },
	{ "MTA-STS: without SNI its names say it", { MX_LOOKUP, A_LOOKUP, STS_LOOKUP },
	  { { USED, .sni = "", .certificate = true, .chain = CHAIN_TRUSTED, .covers = -1, .name = "*.other.test" } },
	  "kanzlei.test ", .policies = STS("0", "1",
		FAILED("certificate-host-mismatch", "1", "the certificate is not for mx.kanzlei.test")) },
	{ "MTA-STS: a wildcard covers it", { MX_LOOKUP, A_LOOKUP, STS_LOOKUP },
	  { { USED, .sni = "", .certificate = true, .chain = CHAIN_TRUSTED, .covers = -1, .name = "*.kanzlei.test" } },
	  "kanzlei.test ", .policies = STS("0", "0", ""), .left_out = { .not_judged = 1 } },
	{ "MTA-STS: the name may be among those not said", { MX_LOOKUP, A_LOOKUP, STS_LOOKUP },
	  { { USED, .sni = "", .certificate = true, .chain = CHAIN_TRUSTED, .covers = -1, .name = "a.test",
	      .names_cut = true } },
	  "kanzlei.test ", .policies = STS("0", "0", ""), .left_out = { .not_judged = 1 } },
	{ "MTA-STS: a cut certificate", { MX_LOOKUP, STS_LOOKUP },
	  { { USED, .certificate = true, .chain = CHAIN_MALFORMED } }, "kanzlei.test ",
	  .policies = STS("0", "0", ""), .left_out = { .not_judged = 1 } },
	{ "MTA-STS, and TLS 1.3 hides the certificate", { MX_LOOKUP, STS_LOOKUP },
	  { { USED, .version = 0x0304 } }, "kanzlei.test ",
	  .policies = STS("0", "0", ""), .left_out = { .not_judged = 1 } },
	{ "MTA-STS: the host is in the policy, and its certificate is good", { MX_LOOKUP },
	  { { USED, .certificate = true, .chain = CHAIN_TRUSTED, .covers = 1 } }, "kanzlei.test ",
	  .policies = LISTED("1", "0", ""), .yaml = YAML("enforce", "'*.kanzlei.test'") },
	{ "MTA-STS: in the policy, and TLS 1.3 hides the certificate", { MX_LOOKUP },
	  { { USED, .version = 0x0304 } }, "kanzlei.test ",
	  .policies = LISTED("0", "0", ""), .left_out = { .not_judged = 1 },
	  .yaml = YAML("enforce", "'*.kanzlei.test'") },
	{ "MTA-STS: in the policy, but its name is not in the certificate", { MX_LOOKUP },
	  { { USED, .certificate = true, .chain = CHAIN_TRUSTED } }, "kanzlei.test ",
	  .policies = LISTED("0", "1",
		FAILED("certificate-host-mismatch", "1", "the certificate is not for mx.kanzlei.test")),
	  .yaml = YAML("enforce", "'*.kanzlei.test'") },
	{ "MTA-STS: in the policy, and the chain was not judged", { MX_LOOKUP },
	  { { USED, .certificate = true, .covers = 1 } }, "kanzlei.test ",
	  .policies = LISTED("0", "0", ""), .left_out = { .not_judged = 1 },
	  .yaml = YAML("enforce", "'*.kanzlei.test'") },
	{ "MTA-STS: another host than the policy's, whatever its certificate", { MX_LOOKUP },
	  { { USED, .version = 0x0304 } }, "kanzlei.test ",
	  .policies = STS_OF("\"version: STSv1\",\"mode: testing\",\"mx: mx.other.test\"", "\"mx.other.test\"",
		"0", "1", FAILED("validation-failure", "1", "no mx line of the policy covers mx.kanzlei.test")),
	  .yaml = YAML("testing", "mx.other.test") },
	{ "MTA-STS: its record was seen later only",
	  { MX_LOOKUP, { "TXT", "_mta-sts.kanzlei.test", "\"v=STSv1; id=1;\"", .late = true } },
	  { { USED } }, "kanzlei.test ", .policies = NONE("1", "0", "") },
	{ "MTA-STS in mode none is none", { MX_LOOKUP, STS_LOOKUP }, { { USED } }, "kanzlei.test ",
	  .policies = NONE("1", "0", ""), .yaml = YAML("none", "mx.other.test") },
	{ "two MTA-STS records are none",
	  { MX_LOOKUP, STS_LOOKUP, { "TXT", "_mta-sts.kanzlei.test", "\"v=STSv1; id=2;\"", .beside = true } },
	  { { USED } }, "kanzlei.test ", .policies = NONE("1", "0", "") },

	{ "two domains, each with its own",
	  { MX_LOOKUP, { "MX", "other.test", .rdata = "5 mx.other.test." }, { "A", "mx.other.test", .rdata = "198.51.100.26" } },
	  { { USED }, { PLAIN, .to = "198.51.100.26" } },
	  "kanzlei.test other.test ", .policies = NONE("1", "0", "") },
	{ "two domains on one host: nobody's", { MX_LOOKUP, { "MX", "other.test", .rdata = "5 mx.kanzlei.test." } },
	  { { USED } }, "", .left_out = { .not_attributed = 1 } },
	{ "unless the recipient could be read", { MX_LOOKUP, { "MX", "other.test", .rdata = "5 mx.kanzlei.test." }, A_LOOKUP },
	  { { PLAIN, .recipient = "Kanzlei.test" } }, "kanzlei.test ", .policies = NONE("0", "1", NO_STARTTLS("1")) },
	{ "no look-up, no recipient: nobody's", { { .type = NULL } }, { { USED } }, "",
	  .left_out = { .not_attributed = 1 } },
	{ "another client's look-up", { MX_LOOKUP }, { { USED }, { USED, .client = "192.168.1.11" } },
	  "kanzlei.test ", .policies = NONE("1", "0", ""), .left_out = { .not_attributed = 1 } },
	{ "what another client looked up", { MX_LOOKUP, A_LOOKUP },
	  { { USED, .sni = "" }, { USED, .sni = "", .client = "192.168.1.11" } },
	  "kanzlei.test ", .policies = NONE("1", "0", ""), .left_out = { .not_attributed = 1 } },
	{ "an address that another client looked up",
	  { { "MX", "kanzlei.test", "10 mx.kanzlei.test.", .by = "192.168.1.11" }, A_LOOKUP },
	  { { USED, .sni = "" }, { USED, .sni = "", .client = "192.168.1.11" } }, "",
	  .left_out = { .not_attributed = 2 } },
	{ "an MX that was looked up later", { { "MX", "kanzlei.test", "10 mx.kanzlei.test.", .late = true } },
	  { { USED } }, "", .left_out = { .not_attributed = 1 } },
	{ "an address that was looked up later", { MX_LOOKUP, { "A", "mx.kanzlei.test", MX, .late = true } },
	  { { USED, .sni = "" } }, "", .left_out = { .not_attributed = 1 } },
	{ "through a relay that is no MX of the domain", { MX_LOOKUP, A_LOOKUP },
	  { { PLAIN, .recipient = "kanzlei.test", .to = "198.51.100.99" } }, "",
	  .left_out = { .not_attributed = 1 } },
	{ "its MX was looked up, but not the address", { MX_LOOKUP },
	  { { PLAIN, .recipient = "kanzlei.test" } }, "", .left_out = { .not_attributed = 1 } },
	{ "through a relay at home", { { .type = NULL } },
	  { { PLAIN, .recipient = "kanzlei.test", .to = "192.168.1.2" } }, "",
	  .left_out = { .not_attributed = 1 } },
	{ "a recipient that is no domain", { { .type = NULL } },
	  { { PLAIN, .recipient = "../../etc/x" }, { PLAIN, .recipient = "[192.0.2.1]" },
	    { PLAIN, .recipient = "k\xc3\xa4nzlei.test" } }, "", .left_out = { .not_attributed = 3 } },
	{ "what comes in is another's report",  { MX_LOOKUP },
	  { { PLAIN, .recipient = "kanzlei.test", .client = "198.51.100.7", .to = CLIENT } }, .domains = "" },
	{ "loopback is not the wire",  { MX_LOOKUP },
	  { { PLAIN, .recipient = "kanzlei.test", .client = "127.0.0.1", .to = "127.0.0.1" } }, .domains = "" },
	{ "another port is submission", { MX_LOOKUP, A_LOOKUP },
	  { { PLAIN, .recipient = "kanzlei.test", .submission_port = true } }, .domains = "" },
	{ "a login is submission", { MX_LOOKUP, A_LOOKUP }, { { PLAIN, .login = true } }, .domains = "" },
};

static void each_session_is_in_the_count_that_is_true_of_it_or_in_none(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store *st = case_of(cases[i].lookups, 5, cases[i].deliveries, 3,
					   cases[i].yaml);
		struct tlsrpt_left_out left_out;
		char domains[256] = "";

		if (!emit_tlsrpt_prepare(st, &left_out) || !emit_tlsrpt_each(st, note_domain, domains))
			fail_msg("%s: %s", cases[i].name, store_error(st));
		if (strcmp(domains, cases[i].domains) != 0)
			fail_msg("%s: domains %s", cases[i].name, domains);
		if (memcmp(&left_out, &cases[i].left_out, sizeof(left_out)) != 0)
			fail_msg("%s: left out %d %d %d", cases[i].name, (int)left_out.not_attributed,
				 (int)left_out.not_judged, (int)left_out.unknown);
		if (cases[i].policies != NULL) {
			char *json = report(st, "kanzlei.test"), wanted[4096];
			size_t len = (size_t)snprintf(wanted, sizeof(wanted), "\"policies\":[%s]}\n", cases[i].policies);

			if (strlen(json) < len || strcmp(json + strlen(json) - len, wanted) != 0)
				fail_msg("%s:\n%s\nis to end in\n%s", cases[i].name, json, wanted);
			free(json);
		}
		store_close(&st);
	}
}

static void the_head_has_the_watched_time_and_says_who_reports(void **state)
{
	static const struct lookup lookups[] = { MX_LOOKUP };
	static const struct delivery deliveries[] = { { USED } };
	static const char head[] = "{\"organization-name\":\"Brandt \\\"&\\\" Co\",\"date-range\":{\"start-datetime\":"
		"\"2023-11-14T22:13:20Z\",\"end-datetime\":\"2023-11-14T22:13:41Z\"},\"contact-info\":"
		"\"tls@brandt.test\",\"report-id\":\"1700000000-1700000021-";
	struct tlsrpt_left_out left_out;
	char *once, *again;

	(void)state;
	struct store *st = case_of(lookups, 1, deliveries, 1, NULL);

	assert_true(emit_tlsrpt_prepare(st, &left_out));
	once = report(st, "kanzlei.test");
	assert_memory_equal(once, head, sizeof(head) - 1);
	assert_true(emit_tlsrpt_prepare(st, &left_out));
	again = report(st, "kanzlei.test");
	assert_string_equal(once, again);
	free(again);
	again = report(st, "other.test");
	assert_string_not_equal(strstr(once, "report-id"), strstr(again, "report-id"));
	free(once);
	free(again);
	store_close(&st);
}

static void hostile_names_are_escaped(void **state)
{
	static const struct lookup lookups[] = { MX_LOOKUP, A_LOOKUP };
	static const struct delivery deliveries[] = {
		{ PLAIN, .banner = "\x01\"\\\xff\x1b[31m</script> ESMTP" } };
	struct store *st = case_of(lookups, 2, deliveries, 1, NULL);
	struct tlsrpt_left_out left_out;
	char *json;

	(void)state;
	assert_true(emit_tlsrpt_prepare(st, &left_out));
	json = report(st, "kanzlei.test");
	assert_non_null(strstr(json, "\"receiving-mx-helo\":\"\\u0001\\\"\\\\\\ufffd\\u001b[31m</script>\","));
	for (const char *p = json; p[1] != '\0'; p++)
		assert_true((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
	free(json);
	store_close(&st);
}

static void a_report_that_cannot_be_written_is_a_failure(void **state)
{
	static const struct lookup lookups[] = { MX_LOOKUP };
	static const struct delivery deliveries[] = { { USED } };
	struct tlsrpt_settings settings = { .organization = "o", .contact = "c@d.test" };
	struct store *st = case_of(lookups, 1, deliveries, 1, NULL);
	struct tlsrpt_left_out left_out;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_true(emit_tlsrpt_prepare(st, &left_out));
	assert_false(emit_tlsrpt(st, &settings, "kanzlei.test", full));
	assert_non_null(strstr(store_error(st), "cannot write"));
	fclose(full);
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_session_is_in_the_count_that_is_true_of_it_or_in_none),
		cmocka_unit_test(the_head_has_the_watched_time_and_says_who_reports),
		cmocka_unit_test(hostile_names_are_escaped),
		cmocka_unit_test(a_report_that_cannot_be_written_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
