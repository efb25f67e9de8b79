/* Each case: the facts, and every exposure, the path and the transport line they must give, no more. Over
 * 400 lines: the tables of cases are most of it. */
#include "tests/case.h"

#include "report/emit.h"
#include "report/store_sql.h"

#define PC "192.168.1.10"
#define PHONE "192.168.1.11"
#define SERVER "192.0.2.1"
#define IMAP(which) PC, which, 143, 900, 5000, .app = "imap", .mail = true, .proto = MAIL_IMAP
#define OTHER_PORT PC, SERVER, 1143, 900, 500, .app = "imap", .mail = true, .proto = MAIL_IMAP
#define SMTP(which) PC, which, 587, 900, 500, .app = "smtp", .mail = true, .proto = MAIL_SMTP
#define DELIVERY PC, "192.0.2.50", 25, 900, 500, .app = "smtp", .mail = true, .proto = MAIL_SMTP
#define USED .sni = "imap.provider.test", .transport = MAIL_STARTTLS_USED
#define LOGIN .credential = CREDENTIAL_REUSABLE, .mechanism = "LOGIN", .account = "ann"
#define OFFER .offered = true, .listed = true
#define FLOWS 7

/* What a case says beside struct flow_case. */
struct dialogue_case {
	struct flow_case flow;
	const char *refusal, *signature, *banner, *dialogue;
	bool offered, listed, preauth, moved, compressed, login_disabled;
	uint32_t injected[2];
	bool resumed;
	uint8_t alert;			/* fatal, in clear */
	enum fact_side alert_from;
	bool certificate;
	enum chain_verdict chain;
	int8_t covers_sni;
	const char *certificate_name;	/* the one dNSName */
	bool names_cut;
};

struct path_case {
	const char *name;
	struct dialogue_case flows[FLOWS];
	const char *dns;		/* imap.provider.test leads there; NULL is SERVER, "" nowhere */
	const char *want;		/* findings, then path and transport of clients that are judged */
};

static void put_text(char *out, size_t size, const char *text)
{
	if (text != NULL)
		base_copy(out, size, text);
}

static unsigned add_dialogue(const struct dialogue_case *c, unsigned number, struct fact *out)
{
	unsigned count = case_flow(&c->flow, number, out);
	uint64_t flow = out[0].flow.id;

	for (unsigned i = 1; i < count; i++) {
		struct fact_mail_session *m = &out[i].mail_session;

		if (out[i].kind == FACT_HANDSHAKE) {
			out[i].handshake.resumed = c->resumed;
			out[i].handshake.alert_in_clear = c->alert != 0;
			out[i].handshake.alert = c->alert;
			out[i].handshake.alert_from = c->alert_from;
		}
		if (out[i].kind != FACT_MAIL_SESSION)
			continue;
		put_text(m->refusal, sizeof(m->refusal), c->refusal);
		put_text(m->signature, sizeof(m->signature), c->signature);
		put_text(m->banner, sizeof(m->banner), c->banner);
		put_text(m->dialogue, sizeof(m->dialogue), c->dialogue);
		m->starttls_offered = c->offered;
		m->offers_seen = c->listed;
		m->preauth = c->preauth;
		m->mail_moved = c->moved;
		m->compressed = c->compressed;
		m->login_disabled = c->login_disabled;
		m->injected[0] = c->injected[0];
		m->injected[1] = c->injected[1];
	}
	if (!c->certificate)
		return count;
	memset(&out[count], 0, sizeof(out[count]));
	out[count].kind = FACT_CERTIFICATE;
	out[count++].certificate = (struct fact_certificate){
		.flow = flow, .frame = flow + 4, .chain = c->chain, .covers_sni = c->covers_sni,
		.name_count = c->certificate_name != NULL, .names_cut = c->names_cut,
	};
	if (c->certificate_name == NULL)
		return count;
	case_name(&out[count], 0, c->flow.from, c->certificate_name, c->flow.to, c->flow.at_s);
	out[count].name.kind = NAME_CERTIFICATE;
	out[count++].name.id = flow + 4;
	return count;
}

static struct store *case_store(const struct path_case *c, bool backwards)
{
	struct run_info run = { .version = "", .ndpi_version = "", .catalogue_version = "", .asn_database = "",
		.attribution = "", .command_line = "", .scope = "mail services only", .filter = "" };
	struct fact facts[FLOWS * 5 + 1];
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));
	unsigned count = 0;

	assert_non_null(st);
	assert_true(store_run(st, &run));
	if (c->dns == NULL || c->dns[0] != '\0')
		case_name(&facts[count++], 900, PC, "imap.provider.test", c->dns != NULL ? c->dns : SERVER, -100);
	for (unsigned i = 0; i < FLOWS && c->flows[i].flow.from != NULL; i++)
		count += add_dialogue(&c->flows[i], i + 1, &facts[count]);
	for (unsigned i = 0; i < count; i++)
		assert_true(store_add(st, &facts[backwards ? count - 1 - i : i], 1));
	return st;
}

static void judge_it(struct store *st, const char *name)
{
	struct policy *policy = policy_new();

	if (!judge(st, policy, &small_book))
		fail_msg("%s: %s", name, store_error(st));
	policy_free(&policy);
}

/* Rows of text, one a line. */
static void ask(struct store *st, const char *sql, char *got, size_t size)
{
	sqlite3_stmt *q = store_prepare(st, sql);

	if (q == NULL)
		fail_msg("%s", store_error(st));
	while (store_step(st, q) == SQLITE_ROW) {
		size_t n = strlen(got);

		snprintf(got + n, size - n, "%s\n", (const char *)sqlite3_column_text(q, 0));
	}
	sqlite3_finalize(q);
}

static void outcome(struct store *st, char *got, size_t size)
{
	got[0] = '\0';
	ask(st, "SELECT kind || ' ' || strength FROM finding WHERE class = 'exposure' ORDER BY id", got, size);
	ask(st, "SELECT printf('%s %d %d %d %d %d %d', path, sealed, sealed_not_judged, sealed_bad_certificate,"
		" opportunistic, postcard, unknown) FROM client AS c JOIN client_transport AS t ON t.client = c.id"
		" WHERE judged ORDER BY c.id", got, size);
}

#define OFFERED_BEFORE(at) { { IMAP(SERVER), USED, .at_s = at }, OFFER, .banner = "Mail.Provider.test ready" }
#define MISSING { { IMAP(SERVER), .transport = MAIL_PLAINTEXT, LOGIN, .at_s = 90 }, .listed = true, \
	.banner = "Mail.Provider.test is ready." }
#define CREDENTIAL "cleartext-credential proven\n"

static const struct path_case cases[] = {
	/* Strengths. */
	{ .name = "a masked keyword is proof by itself",
	  .flows = { { { SMTP(SERVER), .transport = MAIL_STARTTLS_STRIPPED, LOGIN }, .signature = "masked-keyword" } },
	  .want = CREDENTIAL "starttls-stripped proven\nexposed 0 0 0 0 1 0\n" },
	{ .name = "a client that gives up where it was masked has shown nothing",
	  .flows = { { { SMTP(SERVER), .transport = MAIL_STARTTLS_STRIPPED }, .signature = "masked-keyword",
		       .dialogue = "hCcQ" } },
	  .want = "starttls-stripped proven\ncannot-say 0 0 0 0 1 0\n" },
	{ .name = "one that sends an address where it was masked has not",
	  .flows = { { { SMTP(SERVER), .transport = MAIL_STARTTLS_STRIPPED }, .signature = "masked-keyword",
		       .dialogue = "hCcX" } },
	  .want = "starttls-stripped proven\nexposed 0 0 0 0 1 0\n" },
	{ .name = "nothing is known of a first contact",
	  .flows = { { { IMAP(SERVER), .transport = MAIL_PLAINTEXT, LOGIN }, .listed = true } },
	  .want = CREDENTIAL "exposed 0 0 0 0 1 0\n" },
	{ .name = "missing after one offer", .flows = { OFFERED_BEFORE(1), MISSING },
	  .want = CREDENTIAL "starttls-stripped suspected\nexposed 0 0 0 1 1 0\n" },
	{ .name = "missing after two", .flows = { OFFERED_BEFORE(1), OFFERED_BEFORE(2), MISSING },
	  .want = CREDENTIAL "starttls-stripped suspected\nexposed 0 0 0 2 1 0\n" },
	{ .name = "missing after three",
	  .flows = { OFFERED_BEFORE(1), OFFERED_BEFORE(2), OFFERED_BEFORE(3), MISSING },
	  .want = CREDENTIAL "starttls-stripped strong\nexposed 0 0 0 3 1 0\n" },
	{ .name = "what is offered later says nothing of what was missing before",
	  .flows = { OFFERED_BEFORE(91), OFFERED_BEFORE(92), OFFERED_BEFORE(93), MISSING },
	  .want = CREDENTIAL "exposed 0 0 0 3 1 0\n" },
	{ .name = "missing after three of a host that calls itself otherwise",
	  .flows = { OFFERED_BEFORE(1), OFFERED_BEFORE(2), OFFERED_BEFORE(3),
		     { { IMAP(SERVER), .transport = MAIL_PLAINTEXT, LOGIN, .at_s = 90 }, .listed = true,
		       .banner = "proxy.test ready" } },
	  .want = CREDENTIAL "starttls-stripped suspected\nexposed 0 0 0 3 1 0\n" },
	{ .name = "missing after three, but the list was not seen whole",
	  .flows = { OFFERED_BEFORE(1), OFFERED_BEFORE(2), OFFERED_BEFORE(3),
		     { { IMAP(SERVER), .transport = MAIL_PLAINTEXT, LOGIN, .at_s = 90 }, .listed = true,
		       .banner = "mail.provider.test", .dialogue = "hCgcL" } },
	  .want = CREDENTIAL "starttls-stripped suspected\nexposed 0 0 0 3 1 0\n" },
	{ .name = "missing after three on another port, where it was missing before them",
	  .flows = { { { IMAP(SERVER), .transport = MAIL_PLAINTEXT }, .listed = true, .dialogue = "hcQ" },
		     OFFERED_BEFORE(1), OFFERED_BEFORE(2), OFFERED_BEFORE(3),
		     { { OTHER_PORT, LOGIN, .transport = MAIL_PLAINTEXT, .at_s = 90 }, .listed = true } },
	  .want = CREDENTIAL "exposed 0 3 0 0 2 0\n" },
	{ .name = "missing on both of two ports, after three on the one and one on the other",
	  .flows = { { { OTHER_PORT, .transport = MAIL_PLAINTEXT }, .listed = true, .dialogue = "hcQ" },
		     { { OTHER_PORT, USED, .at_s = 1 }, OFFER, .banner = "mail.provider.test" },
		     { { OTHER_PORT, USED, .at_s = 2 }, OFFER, .banner = "mail.provider.test" },
		     { { OTHER_PORT, USED, .at_s = 3 }, OFFER, .banner = "mail.provider.test" },
		     OFFERED_BEFORE(4), MISSING },
	  .want = CREDENTIAL "starttls-stripped suspected\nexposed 0 3 0 1 2 0\n" },
	{ .name = "missing after three of another server",
	  .flows = { OFFERED_BEFORE(1), OFFERED_BEFORE(2), OFFERED_BEFORE(3),
		     { { IMAP("192.0.2.2"), .transport = MAIL_PLAINTEXT, LOGIN, .at_s = 90 }, .listed = true } },
	  .want = CREDENTIAL "exposed 0 3 0 0 1 0\n" },
	{ .name = "missing after three at another address of that name", .dns = "192.0.2.2",
	  .flows = { OFFERED_BEFORE(1), OFFERED_BEFORE(2), OFFERED_BEFORE(3),
		     { { IMAP("192.0.2.2"), .transport = MAIL_PLAINTEXT, LOGIN, .at_s = 90 }, .listed = true,
		       .banner = "mail.provider.test" } },
	  .want = CREDENTIAL "starttls-stripped strong\nexposed 0 0 0 3 1 0\n" },
	{ .name = "missing where only other sessions name the address", .dns = "",
	  .flows = { OFFERED_BEFORE(1), OFFERED_BEFORE(2), OFFERED_BEFORE(3), MISSING },
	  .want = CREDENTIAL "starttls-stripped strong\nexposed 0 0 0 3 1 0\n" },
	{ .name = "missing where a greeting logs in", .flows = { OFFERED_BEFORE(1),
		{ { IMAP(SERVER), .transport = MAIL_PLAINTEXT, .at_s = 90 }, .listed = true, .preauth = true } },
	  .want = "preauth strong\nexposed 0 0 0 1 1 0\n" },
	{ .name = "missing, and the client gives up: neither exposed nor known",
	  .flows = { OFFERED_BEFORE(1), OFFERED_BEFORE(2), OFFERED_BEFORE(3),
		     { { IMAP(SERVER), .transport = MAIL_PLAINTEXT, .at_s = 90 }, .listed = true,
		       .banner = "mail.provider.test", .dialogue = "hCcQ" } },
	  .want = "starttls-stripped strong\ncannot-say 0 3 0 0 1 0\n" },
	{ .name = "an offered command is called unknown",
	  .flows = { { { SMTP(SERVER), .transport = MAIL_STARTTLS_REFUSED, LOGIN }, OFFER, .refusal = "500 5.5.1" } },
	  .want = CREDENTIAL "starttls-refused strong\nexposed 0 0 0 0 1 0\n" },
	{ .name = "an unknown command that was never offered",
	  .flows = { { { SMTP(SERVER), .transport = MAIL_STARTTLS_REFUSED }, .listed = true, .refusal = "502" } },
	  .want = "starttls-refused suspected\ncannot-say 0 0 0 0 1 0\n" },
	{ .name = "an unknown command that was offered before",
	  .flows = { OFFERED_BEFORE(1), { { IMAP(SERVER), .transport = MAIL_STARTTLS_REFUSED, LOGIN, .at_s = 9 },
		.listed = true, .refusal = "BAD" } },
	  .want = CREDENTIAL "starttls-refused strong\nexposed 0 0 0 1 1 0\n" },
	{ .name = "not now, as often as it comes",
	  .flows = { { { SMTP(SERVER), .transport = MAIL_STARTTLS_REFUSED }, OFFER, .refusal = "454 4.7.0" },
		     { { SMTP(SERVER), .transport = MAIL_STARTTLS_REFUSED }, OFFER, .refusal = "454 4.7.0" } },
	  .want = "starttls-refused suspected\ncannot-say 0 0 0 0 2 0\n" },
	{ .name = "an unknown command, and the client gives up",
	  .flows = { { { SMTP(SERVER), .transport = MAIL_STARTTLS_REFUSED }, OFFER, .refusal = "500",
		       .dialogue = "hCcTrQ" } },
	  .want = "starttls-refused strong\ncannot-say 0 0 0 0 1 0\n" },
	{ .name = "offered and not used",
	  .flows = { { { SMTP(SERVER), .transport = MAIL_STARTTLS_OFFERED_NOT_USED, LOGIN }, OFFER } },
	  .want = CREDENTIAL "starttls-not-used proven\nexposed 0 0 0 0 1 0\n" },
	{ .name = "a broken handshake",
	  .flows = { { { IMAP(SERVER), .transport = MAIL_STARTTLS_FAILED, .sni = "imap.provider.test", .version = 1 },
		       OFFER, .alert = 48 } },
	  .want = "starttls-failed suspected\ncannot-say 0 0 0 0 0 1\n" },
	{ .name = "a broken handshake, and back in clear within a minute",
	  .flows = { { { IMAP(SERVER), .transport = MAIL_STARTTLS_FAILED }, OFFER },
		     { { IMAP(SERVER), .transport = MAIL_STARTTLS_OFFERED_NOT_USED, LOGIN, .at_s = 60 }, OFFER } },
	  .want = CREDENTIAL "starttls-failed strong\nstarttls-not-used proven\nexposed 0 0 0 0 1 1\n" },
	{ .name = "... a second later",
	  .flows = { { { IMAP(SERVER), .transport = MAIL_STARTTLS_FAILED }, OFFER },
		     { { IMAP(SERVER), .transport = MAIL_STARTTLS_OFFERED_NOT_USED, LOGIN, .at_s = 61 }, OFFER } },
	  .want = CREDENTIAL "starttls-failed suspected\nstarttls-not-used proven\nexposed 0 0 0 0 1 1\n" },
	{ .name = "... before it", .flows = { { { IMAP(SERVER), .transport = MAIL_STARTTLS_FAILED, .at_s = 9 }, OFFER },
		{ { IMAP(SERVER), .transport = MAIL_STARTTLS_OFFERED_NOT_USED, LOGIN }, OFFER } },
	  .want = CREDENTIAL "starttls-failed suspected\nstarttls-not-used proven\nexposed 0 0 0 0 1 1\n" },
	{ .name = "... by another client", .flows = { { { IMAP(SERVER), .transport = MAIL_STARTTLS_FAILED }, OFFER },
		{ { PHONE, SERVER, 143, 900, 500, .app = "imap", .mail = true, .proto = MAIL_IMAP, .at_s = 9,
		    .transport = MAIL_STARTTLS_OFFERED_NOT_USED, LOGIN }, OFFER } },
	  .want = "starttls-failed suspected\n" CREDENTIAL "starttls-not-used proven\n"
		"cannot-say 0 0 0 0 0 1\nexposed 0 0 0 0 1 0\n" },
	{ .name = "... to another server", .flows = { { { IMAP(SERVER), .transport = MAIL_STARTTLS_FAILED }, OFFER },
		{ { IMAP("192.0.2.2"), .transport = MAIL_STARTTLS_OFFERED_NOT_USED, LOGIN, .at_s = 9 }, OFFER } },
	  .want = CREDENTIAL "starttls-failed suspected\nstarttls-not-used proven\nexposed 0 0 0 0 1 1\n" },
	{ .name = "... under TLS",
	  .flows = { { { IMAP(SERVER), .transport = MAIL_STARTTLS_FAILED }, OFFER }, OFFERED_BEFORE(9) },
	  .want = "starttls-failed suspected\ncannot-say 0 1 0 0 0 1\n" },
	{ .name = "bytes of the client where TLS had to begin",
	  .flows = { { { IMAP(SERVER), USED }, OFFER, .injected = { 6, 0 } } },
	  .want = "starttls-injection strong\nexposed 0 1 0 0 0 0\n" },
	{ .name = "bytes of the server there",
	  .flows = { { { IMAP(SERVER), USED }, OFFER, .injected = { 0, 6 } } },
	  .want = "starttls-injection strong\nexposed 0 1 0 0 0 0\n" },
	{ .name = "a greeting that logs in",
	  .flows = { { { IMAP(SERVER), .transport = MAIL_UNKNOWN }, .preauth = true } },
	  .want = "preauth strong\nexposed 0 0 0 0 1 0\n" },
	{ .name = "mail in clear",
	  .flows = { { { IMAP(SERVER), .transport = MAIL_PLAINTEXT }, .listed = true, .moved = true } },
	  .want = "cleartext-mail proven\nexposed 0 0 0 0 1 0\n" },
	{ .name = "mail in clear, of a session whose list was not seen",
	  .flows = { { { SMTP(SERVER), .transport = MAIL_UNKNOWN }, .moved = true } },
	  .want = "cleartext-mail proven\nexposed 0 0 0 0 1 0\n" },
	{ .name = "a delivery in clear",
	  .flows = { { { DELIVERY, .transport = MAIL_PLAINTEXT }, .listed = true, .moved = true } },
	  .want = "cleartext-mail proven\nexposed 0 0 0 0 1 0\n" },
	{ .name = "a delivery in clear that came in is none of the host's own sessions",
	  .flows = { { { "192.0.2.50", PC, 25, 900, 500, .app = "smtp", .mail = true, .proto = MAIL_SMTP,
		       .transport = MAIL_PLAINTEXT }, .listed = true, .moved = true } },
	  .want = "cleartext-mail proven\nexposed 0 0 0 0 0 0\n" },
	{ .name = "HELO alone", .flows = { { { SMTP(SERVER), .transport = MAIL_UNKNOWN }, .dialogue = "hXQ" } },
	  .want = "cannot-say 0 0 0 0 0 1\n" },
	{ .name = "two services of one owner",
	  .flows = { OFFERED_BEFORE(1), MISSING,
		     { { SMTP(SERVER), .transport = MAIL_STARTTLS_STRIPPED, .at_s = 91 },
		       .signature = "masked-greeting", .moved = true } },
	  .want = CREDENTIAL "cleartext-mail proven\nstarttls-stripped suspected\nstarttls-stripped proven\n"
		"exposed 0 0 0 1 2 0\n" },
	{ .name = "loopback is not the wire",
	  .flows = { { { "127.0.0.1", "127.0.0.1", 143, 900, 500, .app = "imap", .mail = true, .proto = MAIL_IMAP,
		       .transport = MAIL_STARTTLS_STRIPPED, LOGIN }, .moved = true, .preauth = true,
		       .injected = { 1, 1 } } },
	  .want = "" },

	/* States. */
	{ .name = "trusted and for the name asked for",
	  .flows = { { { PC, SERVER, 993, 900, 500, "imap.provider.test", 0x0303 }, .certificate = true,
		       .chain = CHAIN_TRUSTED, .covers_sni = 1 } }, .want = "sealed 1 0 0 0 0 0\n" },
	{ .name = "trusted and for another",
	  .flows = { { { PC, SERVER, 993, 900, 500, "imap.provider.test", 0x0303 }, .certificate = true,
		       .chain = CHAIN_TRUSTED, .covers_sni = 0 } }, .want = "cannot-say 0 0 1 0 0 0\n" },
	{ .name = "expired",
	  .flows = { { { PC, SERVER, 993, 900, 500, "imap.provider.test", 0x0303 }, .certificate = true,
		       .chain = CHAIN_EXPIRED, .covers_sni = 1 } }, .want = "cannot-say 0 0 1 0 0 0\n" },
	{ .name = "self-signed",
	  .flows = { { { PC, SERVER, 993, 900, 500, "imap.provider.test", 0x0303 }, .certificate = true,
		       .chain = CHAIN_SELF_SIGNED, .covers_sni = 1 } }, .want = "cannot-say 0 0 1 0 0 0\n" },
	{ .name = "self-signed, and the session did not go on",
	  .flows = { { { PC, SERVER, 993, 900, 500, "imap.provider.test", 1 }, .certificate = true,
		       .chain = CHAIN_SELF_SIGNED, .covers_sni = 1 } }, .want = "cannot-say 0 0 0 0 0 1\n" },
	{ .name = "no name asked for, the one looked up is in it",
	  .flows = { { { PC, SERVER, 993, 900, 500, "", 0x0303 }, .certificate = true, .chain = CHAIN_TRUSTED,
		       .covers_sni = -1, .certificate_name = "*.provider.test" } }, .want = "sealed 1 0 0 0 0 0\n" },
	{ .name = "no name asked for, the one looked up is not in it",
	  .flows = { { { PC, SERVER, 993, 900, 500, "", 0x0303 }, .certificate = true, .chain = CHAIN_TRUSTED,
		       .covers_sni = -1, .certificate_name = "*.imap.provider.test" } },
	  .want = "cannot-say 0 0 1 0 0 0\n" },
	{ .name = "... of the names that were read",
	  .flows = { { { PC, SERVER, 993, 900, 500, "", 0x0303 }, .certificate = true, .chain = CHAIN_TRUSTED,
		       .covers_sni = -1, .certificate_name = "other.test", .names_cut = true } },
	  .want = "sealed 0 1 0 0 0 0\n" },
	{ .name = "no name asked for, none looked up", .dns = "",
	  .flows = { { { PC, SERVER, 993, 900, 500, "", 0x0303 }, .certificate = true, .chain = CHAIN_TRUSTED,
		       .covers_sni = -1, .certificate_name = "imap.provider.test" } },
	  .want = "sealed 0 1 0 0 0 0\n" },
	{ .name = "no CA store",
	  .flows = { { { PC, SERVER, 993, 900, 500, "imap.provider.test", 0x0303 }, .certificate = true,
		       .chain = CHAIN_NOT_JUDGED, .covers_sni = 1 } }, .want = "sealed 0 1 0 0 0 0\n" },
	{ .name = "no CA store, but for another name",
	  .flows = { { { PC, SERVER, 993, 900, 500, "imap.provider.test", 0x0303 }, .certificate = true,
		       .chain = CHAIN_NOT_JUDGED, .covers_sni = 0 } }, .want = "cannot-say 0 0 1 0 0 0\n" },
	{ .name = "TLS 1.2 whose certificate was not seen",
	  .flows = { { { PC, SERVER, 993, 900, 500, "imap.provider.test", 0x0303 } } },
	  .want = "cannot-say 0 0 0 0 0 1\n" },
	{ .name = "resumed", .flows = { { { PC, SERVER, 993, 900, 500, "imap.provider.test", 0x0303 }, .resumed = true } },
	  .want = "sealed 0 1 0 0 0 0\n" },
	{ .name = "TLS 1.3", .flows = { { { PC, SERVER, 993, 900, 500, "imap.provider.test" } } },
	  .want = "sealed 0 1 0 0 0 0\n" },
	{ .name = "STARTTLS", .flows = { OFFERED_BEFORE(1) }, .want = "sealed 0 1 0 0 0 0\n" },
	{ .name = "STARTTLS with a bad certificate, and in clear at another time: the worse counts",
	  .flows = { { { IMAP(SERVER), USED, .version = 0x0303 }, OFFER, .certificate = true,
		       .chain = CHAIN_UNTRUSTED, .covers_sni = 1 },
		     { { IMAP(SERVER), .transport = MAIL_STARTTLS_OFFERED_NOT_USED, LOGIN }, OFFER } },
	  .want = CREDENTIAL "starttls-not-used proven\nexposed 0 0 1 0 1 0\n" },
	{ .name = "in clear on another port is another service",
	  .flows = { OFFERED_BEFORE(1), { { SMTP(SERVER), .transport = MAIL_STARTTLS_OFFERED_NOT_USED, LOGIN }, OFFER } },
	  .want = CREDENTIAL "starttls-not-used proven\nexposed 0 1 0 0 1 0\n" },
	{ .name = "implicit TLS is not what the client goes without",
	  .flows = { { { PC, SERVER, 143, 900, 500, "imap.provider.test", .mail = true, .transport = MAIL_IMPLICIT_TLS } },
		     { { IMAP(SERVER), .transport = MAIL_STARTTLS_OFFERED_NOT_USED, LOGIN }, OFFER } },
	  .want = CREDENTIAL "starttls-not-used proven\nexposed 0 1 0 0 1 0\n" },
	{ .name = "compressed is not encrypted",
	  .flows = { { { IMAP(SERVER), .transport = MAIL_UNKNOWN }, .compressed = true } },
	  .want = "cannot-say 0 0 0 0 1 0\n" },
	{ .name = "a login in clear, the list not seen",
	  .flows = { { { IMAP(SERVER), .transport = MAIL_UNKNOWN, LOGIN } } },
	  .want = CREDENTIAL "exposed 0 0 0 0 1 0\n" },
	{ .name = "not seen", .flows = { { { IMAP(SERVER), .transport = MAIL_UNKNOWN } } },
	  .want = "cannot-say 0 0 0 0 0 1\n" },
};

static void exposures_and_states_are_what_the_facts_show(void **state)
{
	char got[1024];
	unsigned bad = 0;

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const struct path_case *c = &cases[i / 2];
		struct store *st = case_store(c, i % 2 == 1);

		judge_it(st, c->name);
		if (i % 4 == 0)		/* again: nothing is left of before */
			judge_it(st, c->name);
		outcome(st, got, sizeof(got));
		if (strcmp(got, c->want) != 0) {
			print_error("%s\n got:\n%s want:\n%s because:\n", c->name, got, c->want);
			got[0] = '\0';
			ask(st, "SELECT sentence FROM because", got, sizeof(got));
			print_error("%s\n", got);
			bad++;
		}
		store_close(&st);
	}
	assert_int_equal(bad, 0);
}

static void the_text_counts_sessions_by_state(void **state)
{
	static const struct path_case c = { .name = "transport line", .flows = {
		{ { PC, SERVER, 993, 900, 500, "imap.provider.test" } },
		{ { PC, SERVER, 993, 900, 500, "imap.provider.test", 0x0303 }, .certificate = true,
		  .chain = CHAIN_TRUSTED, .covers_sni = 1 },
		{ { PC, SERVER, 993, 900, 500, "imap.provider.test", 0x0303 }, .certificate = true,
		  .chain = CHAIN_TRUSTED, .covers_sni = 1 },
		{ { SMTP(SERVER), .transport = MAIL_PLAINTEXT }, .listed = true } } };
	struct emit_settings settings = { .columns = 100 };
	struct store *st = case_store(&c, false);
	char *data = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&data, &size);

	(void)state;
	judge_it(st, c.name);
	assert_true(emit_text(st, &settings, out));
	fclose(out);
	if (strstr(data, "\n  transport: 2 sealed, 1 sealed (certificate hidden by TLS 1.3), 1 postcard\n") == NULL)
		fail_msg("%s", data);
	free(data);
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exposures_and_states_are_what_the_facts_show),
		cmocka_unit_test(the_text_counts_sessions_by_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
