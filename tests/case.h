/* case.h - facts for the tests of report/, and a catalogue small enough to see through
 *
 * The catalogue: provider.test is a mail provider; mail.big.test is the mail service of Big, a documented
 * relay; setup.big.test its account set-up host; maybe.big.test a relay by assumption; quiet.big.test a host of the
 * mail service that does not relay; big.test its cloud;
 * relay.test a relay and nothing else; shared.test ambiguous; every other name is its own last two labels.
 * 203.0.113.0/24 is Big's mail service by prefix, 203.0.112.0/24 a CDN; 198.51.100.0/24 is nobody's. */
#ifndef TESTS_CASE_H
#define TESTS_CASE_H

#include "tests/test.h"

#include "capture/base.h"
#include "report/judge.h"
#include "report/store_sql.h"

#include <arpa/inet.h>
#include <unistd.h>

#define S (1000000000LL)
#define T0 (1700000000LL * S)

static inline void address(const char *text, uint8_t out[16])
{
	memset(out, 0, 16);
	if (inet_pton(AF_INET, text, out + 12) == 1)
		out[10] = out[11] = 0xff;
	else if (inet_pton(AF_INET6, text, out) != 1)
		fail_msg("no address: %s", text);
}

static inline bool ends_in(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n >= s && strcmp(name + n - s, suffix) == 0 && (n == s || name[n - s - 1] == '.');
}

static inline void small_tag_name(const char *name, struct owner_tag *out)
{
	const char *dot = strrchr(name, '.');

	while (dot != NULL && dot > name && *(dot - 1) != '.')
		dot--;
	base_copy(out->owner, sizeof(out->owner), dot != NULL ? dot : name);
	base_copy(out->title, sizeof(out->title), out->owner);
	out->role = ROLE_OTHER;
	if (ends_in(name, "provider.test")) {
		strcpy(out->owner, "provider");
		strcpy(out->title, "Provider");
		strcpy(out->service, "provider/mail");
		out->role = ROLE_MAIL_PROVIDER;
	} else if (ends_in(name, "relay.test")) {
		strcpy(out->owner, "relay");
		strcpy(out->title, "Relay");
		strcpy(out->service, "relay/mail");
		out->role = ROLE_RELAY;
		out->relay = RELAY_REPORTED;
	} else if (ends_in(name, "big.test")) {
		strcpy(out->owner, "big");
		strcpy(out->title, "Big");
		strcpy(out->service, "big/mail");
		out->role = ROLE_MAIL_SERVICE;
		out->relay = ends_in(name, "maybe.big.test") ? RELAY_ASSUMED
			: ends_in(name, "quiet.big.test") ? RELAY_NO : RELAY_DOCUMENTED;
		out->setup = ends_in(name, "setup.big.test");
		if (!ends_in(name, "mail.big.test") && !out->setup && out->relay == RELAY_DOCUMENTED) {
			strcpy(out->service, "big/cloud");
			out->role = ROLE_VENDOR_CLOUD;
			out->relay = RELAY_NO;
		}
	}
}

static inline void small_tag(const void *context, const struct owner_evidence *e, struct owner_tag *out)
{
	const char *name = e->certificate[0] != '\0' ? e->certificate : e->sni[0] != '\0' ? e->sni : e->dns_name;

	(void)context;
	memset(out, 0, sizeof(*out));
	out->strength = STRENGTH_STRONG;
	if (name[0] != '\0') {
		out->named_by = e->certificate[0] != '\0' ? NAMED_BY_CERTIFICATE : e->sni[0] == '\0' ? NAMED_BY_DNS : e->quic ? NAMED_BY_QUIC_SNI : NAMED_BY_SNI;
		base_copy(out->name, sizeof(out->name), name);
		small_tag_name(name, out);
		out->ambiguous = ends_in(name, "shared.test");
		if (memcmp(e->address + 10, "\xff\xff\xc0\xa8", 4) == 0)
			out->role = ROLE_LOCAL;
	} else if (memcmp(e->address + 10, "\xff\xff\xcb\x00\x70", 5) == 0) {
		out->named_by = NAMED_BY_PREFIX;
		strcpy(out->owner, "cdn");
		strcpy(out->title, "CDN");
		out->role = ROLE_CDN;
	} else if (memcmp(e->address + 10, "\xff\xff\xcb\x00\x71", 5) == 0) {
		out->named_by = NAMED_BY_PREFIX;
		small_tag_name("mail.big.test", out);
	} else if (memcmp(e->address + 10, "\xff\xff\xc0\xa8", 4) == 0) {
		strcpy(out->owner, "local");
		strcpy(out->title, "local network");
		out->role = ROLE_LOCAL;
	} else {
		strcpy(out->owner, "as64500");
		strcpy(out->title, "AS 64500");
		strcpy(out->as_org, "Some Carrier");
		out->asn = 64500;
		out->named_by = NAMED_BY_ASN;
		out->strength = STRENGTH_SUSPECTED;
		out->role = ROLE_UNNAMED;
	}
}

static inline bool small_resolve(const void *context, const char *word, char owner_out[64])
{
	struct owner_tag tag = { .owner = "" };

	(void)context;
	if (strcmp(word, "provider") != 0 && strcmp(word, "big") != 0 && strchr(word, '.') == NULL)
		return false;
	small_tag_name(word, &tag);
	base_copy(owner_out, 64, tag.owner);
	return true;
}

/* Big and Provider share 203.0.114.0/24. */
static inline bool small_may_be_at(const void *context, const char *owner, const uint8_t at[16])
{
	struct owner_evidence e = { .sni = "", .dns_name = "", .certificate = "" };
	struct owner_tag tag;

	if (memcmp(at + 10, "\xff\xff\xcb\x00\x72", 5) == 0)
		return strcmp(owner, "big") == 0 || strcmp(owner, "provider") == 0;
	memcpy(e.address, at, 16);
	small_tag(context, &e, &tag);
	return strcmp(owner, tag.owner) == 0;
}

static const struct owner_book small_book = {
	.tag = small_tag, .resolve = small_resolve, .may_be_at = small_may_be_at, .version = "small", .asn_database = "none", .attribution = "",
};

/* What a test says of a flow; what it does not say is ordinary. */
struct flow_case {
	const char *from, *to;		/* NULL from: no flow */
	uint16_t port;
	uint64_t up, down;		/* payload */
	const char *sni;		/* NULL: no ClientHello */
	uint16_t version;		/* 0: TLS 1.3; 1: the handshake was not completed */
	int at_s, for_s;		/* begins, lasts */
	uint64_t missing;
	bool udp, opaque, no_syn, ech, one_way;
	const char *app, *alpn;
	const char *mac, *far_mac;	/* six bytes */
	/* A readable dialogue. */
	bool mail;
	enum mail_proto proto;
	enum mail_transport transport;
	enum mail_credential credential;
	const char *mechanism, *account;
	bool accepted;
	unsigned source;
};

static inline unsigned case_flow(const struct flow_case *c, unsigned number, struct fact *out)
{
	uint64_t id = frame_id(c->source, number * 10 + 1);
	struct fact_flow *f = &out[0].flow;
	struct fact_handshake *h = &out[1].handshake;
	unsigned count = 1;

	memset(out, 0, 3 * sizeof(*out));
	out[0].kind = FACT_FLOW;
	*f = (struct fact_flow){
		.id = id, .last_frame = id + 9, .first_ns = T0 + c->at_s * S,
		.last_ns = T0 + (c->at_s + c->for_s) * S, .orig_port = (uint16_t)(40000 + number),
		.resp_port = c->port, .proto = c->udp ? 17 : 6, .orig_seen_syn = !c->no_syn,
		.packets = { 5 + c->up / 48, c->one_way ? 0 : 4 }, .bytes = { c->up + 300, c->down + 300 },
		.payload = { c->up, c->down }, .missing = { 0, c->missing }, .end = FLOW_CLOSED,
		.first_sent = { c->up > 0 ? id + 3 : 0, c->down > 0 ? id + 4 : 0 },
		.last_sent = { c->up > 0 ? id + 7 : 0, c->down > 0 ? id + 8 : 0 },
		.opaque = c->opaque, .has_mac = c->mac != NULL,
	};
	address(c->from, f->orig_addr);
	address(c->to, f->resp_addr);
	if (c->mac != NULL)
		memcpy(f->orig_mac, c->mac, 6);
	if (c->far_mac != NULL)
		memcpy(f->resp_mac, c->far_mac, 6);
	snprintf(f->community_id, sizeof(f->community_id), "1:flow%u", number);
	snprintf(f->app_proto, sizeof(f->app_proto), "%s", c->app != NULL ? c->app : c->sni != NULL ? "tls" : "");
	if (c->sni != NULL) {
		out[count].kind = FACT_HANDSHAKE;
		*h = (struct fact_handshake){
			.flow = id, .frame = id + 3, .server_frame = id + 4, .quic = c->udp, .ech = c->ech,
			.version = c->version > 1 ? c->version : c->version == 1 ? 0 : 0x0304,
			.completed = c->version != 1,
			.after_starttls = c->transport == MAIL_STARTTLS_USED,
		};
		base_copy(h->sni, sizeof(h->sni), c->sni);
		if (c->alpn != NULL)
			base_copy(h->alpn, sizeof(h->alpn), c->alpn);
		count++;
	}
	if (c->mail) {
		out[count].kind = FACT_MAIL_SESSION;
		out[count].mail_session = (struct fact_mail_session){
			.flow = id, .proto = c->proto, .transport = c->transport, .credential = c->credential,
			.accepted = c->accepted,
			.secret_len = c->credential != CREDENTIAL_NONE ? 9 : 0,
			.credential_frame = c->credential != CREDENTIAL_NONE ? id + 5 : 0,
		};
		if (c->mechanism != NULL)
			base_copy(out[count].mail_session.mechanism, FACT_WORD_SIZE, c->mechanism);
		if (c->account != NULL)
			base_copy(out[count].mail_session.account, FACT_TEXT_SIZE, c->account);
		count++;
	}
	return count;
}

static inline void case_name(struct fact *out, unsigned number, const char *asked_by, const char *name,
			     const char *to, int at_s)
{
	memset(out, 0, sizeof(*out));
	out->kind = FACT_NAME;
	out->name.id = frame_id(0, number);
	out->name.kind = NAME_DNS;
	address(asked_by, out->name.asked_by);
	address(to, out->name.address);
	base_copy(out->name.name, FACT_NAME_SIZE, name);
	base_copy(out->name.canonical, FACT_NAME_SIZE, name);
	out->name.from_ns = T0 + at_s * S;
	out->name.until_ns = T0 + (at_s + 300) * S;
}

static inline void case_lookup(struct fact *out, unsigned number, const char *asked_by, const char *type,
			       const char *name, const char *rdata)
{
	memset(out, 0, sizeof(*out));
	out->kind = FACT_MAIL_DNS;
	out->mail_dns.id = frame_id(0, number);
	out->mail_dns.time_ns = T0;
	address(asked_by, out->mail_dns.asked_by);
	base_copy(out->mail_dns.name, FACT_NAME_SIZE, name);
	base_copy(out->mail_dns.type, FACT_WORD_SIZE, type);
	base_copy(out->mail_dns.rdata, FACT_NAME_SIZE, rdata);
	out->mail_dns.answered = rdata[0] != '\0';
	strcpy(out->mail_dns.rcode, "NOERROR");
}

/* Adds a line for each row, words with spaces between. */
static inline void case_ask(struct store *st, const char *sql, char *got, size_t size)
{
	sqlite3_stmt *q = store_prepare(st, sql);

	if (q == NULL)
		fail_msg("%s", store_error(st));
	while (store_step(st, q) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(q); i++) {
			size_t n = strlen(got);

			snprintf(got + n, size - n, "%s%s", i > 0 ? " " : "", (const char *)sqlite3_column_text(q, i));
		}
		strcat(got, "\n");
	}
	sqlite3_finalize(q);
}

/* What mailwitness.yaml says. */
static inline void case_policy(struct policy *policy, const char *yaml)
{
	char path[] = "/tmp/mailwitness-judge-XXXXXX", error[256];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
	close(fd);
	if (!policy_load(policy, path, error, sizeof(error)))
		fail_msg("%s", error);
	unlink(path);
}

#endif
