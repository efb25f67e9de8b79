/* Each case: the facts, and every finding and verdict they must give, no more. */
#include "tests/case.h"

#include "report/store_sql.h"

#define PC "192.168.1.10"
#define PHONE "192.168.1.11"
#define PROVIDER PC, "192.0.2.1", 993, 900, 50000, "imap.provider.test"
#define BIG_UP(bytes) PC, "203.0.113.5", 443, bytes, 9000, "mail.big.test"

struct lookup_case {
	const char *asked_by, *type, *name, *rdata;
};

struct judge_case {
	const char *name;
	struct flow_case flows[5];
	struct lookup_case lookups[2];
	const char *provider;		/* declared for all; NULL is none */
	const char *client;		/* --client */
	const char *want;		/* findings, then clients */
};

static void add_line(char *got, size_t size, sqlite3_stmt *q)
{
	for (int i = 0; i < sqlite3_column_count(q); i++) {
		size_t n = strlen(got);

		snprintf(got + n, size - n, "%s%s", i > 0 ? " " : "", (const char *)sqlite3_column_text(q, i));
	}
	strcat(got, "\n");
}

static void ask(struct store *st, const char *sql, char *got, size_t size)
{
	sqlite3_stmt *q = store_prepare(st, sql);

	if (q == NULL)
		fail_msg("%s", store_error(st));
	while (store_step(st, q) == SQLITE_ROW)
		add_line(got, size, q);
	sqlite3_finalize(q);
}

static struct store *case_store(const struct judge_case *c, bool backwards)
{
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));
	struct fact facts[20];
	unsigned count = 0;

	assert_non_null(st);
	for (unsigned i = 0; i < 5 && c->flows[i].from != NULL; i++)
		count += case_flow(&c->flows[i], i + 1, &facts[count]);
	for (unsigned i = 0; i < 2 && c->lookups[i].type != NULL; i++)
		case_lookup(&facts[count++], i + 1, c->lookups[i].asked_by, c->lookups[i].type,
			    c->lookups[i].name, c->lookups[i].rdata);
	for (unsigned i = 0; i < count; i++)
		assert_true(store_add(st, &facts[backwards ? count - 1 - i : i], 1));
	return st;
}

static void judge_it(struct store *st, const struct judge_case *c)
{
	struct policy *policy = policy_new();
	char error[256];

	if (c->provider != NULL)
		assert_true(policy_provider(policy, c->provider, error, sizeof(error)));
	if (c->client != NULL)
		assert_true(policy_client(policy, c->client, error, sizeof(error)));
	if (!judge(st, policy, &small_book))
		fail_msg("%s: %s", c->name, store_error(st));
	policy_free(&policy);
}

static void outcome(struct store *st, char *got, size_t size)
{
	got[0] = '\0';
	ask(st, "SELECT f.kind, f.strength, host(c.address), f.owner FROM finding AS f JOIN client AS c"
		" ON c.id = f.client ORDER BY f.id", got, size);
	ask(st, "SELECT host(address), third_party, path FROM client WHERE judged ORDER BY id", got, size);
}

static const struct judge_case cases[] = {
	{ .name = "nothing seen", .want = "" },
	{ .name = "a session with the declared provider, TLS 1.3", .provider = "provider",
	  .flows = { { PROVIDER } }, .want = PC " clean sealed\n" },
	{ .name = "the same, learnt", .flows = { { PROVIDER } }, .want = PC " clean sealed\n" },
	{ .name = "TLS 1.2: its certificate is not judged", .provider = "provider",
	  .flows = { { PROVIDER, .version = 0x0303 } }, .want = PC " clean cannot-say\n" },
	{ .name = "a handshake that was not completed", .provider = "provider",
	  .flows = { { PROVIDER, .version = 1 } }, .want = PC " clean cannot-say\n" },
	{ .name = "port 993 without a readable hello", .provider = "provider",
	  .flows = { { PC, "192.0.2.1", 993, 900, 5000 } }, .want = PC " cannot-say cannot-say\n" },
	{ .name = "uploads to the vendor and nothing to the provider", .provider = "provider",
	  .flows = { { BIG_UP(300000) } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n" },
	{ .name = "too little, too short", .provider = "provider", .flows = { { BIG_UP(199999) } },
	  .want = PC " cannot-say cannot-say\n" },
	{ .name = "little, for ten minutes", .provider = "provider",
	  .flows = { { BIG_UP(20000), .for_s = 600 } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n" },
	{ .name = "little, for a second less", .provider = "provider",
	  .flows = { { BIG_UP(20000), .for_s = 599 } }, .want = PC " cannot-say cannot-say\n" },
	{ .name = "the vendor is the provider", .provider = "big", .flows = { { BIG_UP(300000) } },
	  .want = PC " clean sealed\n" },
	{ .name = "the provider is not known", .flows = { { BIG_UP(300000) } },
	  .want = PC " cannot-say cannot-say\n" },
	{ .name = "the provider is known by the client's own look-ups",
	  .flows = { { BIG_UP(300000) } },
	  .lookups = { { PC, "SRV", "_imaps._tcp.kanzlei.test", "0 1 993 imap.provider.test." } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n" },
	{ .name = "another client's look-ups do not tell", .flows = { { BIG_UP(300000) } },
	  .lookups = { { PHONE, "MX", "kanzlei.test", "10 mx.provider.test." } },
	  .want = PC " cannot-say cannot-say\n" },
	{ .name = "a vendor's global autodiscover host teaches nothing", .flows = { { BIG_UP(300000) } },
	  .lookups = { { PC, "A", "autodiscover.mail.big.test", "" } },
	  .want = PC " cannot-say cannot-say\n" },
	{ .name = "the domain's mail is at the vendor", .flows = { { BIG_UP(300000) } },
	  .lookups = { { PC, "MX", "kanzlei.test", "10 in.mail.big.test." } },
	  .want = PC " clean sealed\n" },
	{ .name = "uploads to the vendor beside the provider are not judged yet", .provider = "provider",
	  .flows = { { PROVIDER }, { BIG_UP(300000) } }, .want = PC " cannot-say sealed\n" },
	{ .name = "a little to the vendor beside the provider is a destination", .provider = "provider",
	  .flows = { { PROVIDER }, { BIG_UP(199999) } }, .want = PC " clean sealed\n" },
	{ .name = "a download from the vendor is none", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "203.0.113.5", 443, 800, 3000000, "mail.big.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "the vendor's other hosts do not count", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.77", 443, 900000, 9000, "update.big.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "loss makes absence suspected", .provider = "provider",
	  .flows = { { BIG_UP(300000), .missing = 10 } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "relay by assumption is suspected", .provider = "provider",
	  .flows = { { PC, "192.0.2.9", 443, 300000, 9000, "maybe.big.test" } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "named by its address alone is suspected", .provider = "provider",
	  .flows = { { PC, "203.0.113.5", 443, 300000, 9000 } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "a session with a nameless mail server may be the provider's", .provider = "provider",
	  .flows = { { BIG_UP(300000) }, { PC, "198.51.100.1", 993, 900, 9000 } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "webmail of the provider is contact with it", .provider = "provider",
	  .flows = { { PC, "192.0.2.1", 443, 5000, 9000, "www.provider.test" }, { BIG_UP(300000) } },
	  .want = PC " cannot-say sealed\n" },
	{ .name = "one client's provider session does not excuse another", .provider = "provider",
	  .flows = { { BIG_UP(300000) }, { PHONE, "192.0.2.1", 993, 900, 5000, "imap.provider.test" } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n" PHONE " clean sealed\n" },
	{ .name = "two addresses of one card are one client", .provider = "provider",
	  .flows = { { BIG_UP(300000), .mac = "\2\0\0\0\0\1" },
		     { "2001:db8:1::10", "2001:db8:2::1", 993, 900, 5000, "imap.provider.test",
		       .mac = "\2\0\0\0\0\1" } },
	  .want = PC " cannot-say sealed\n" },
	{ .name = "a router's card is many clients", .provider = "provider",
	  .flows = { { BIG_UP(300000), .mac = "\2\0\0\0\0\1" },
		     { PHONE, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .mac = "\2\0\0\0\0\1" } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n" PHONE " clean sealed\n" },
	{ .name = "IMAP to another than the declared provider", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.50", 993, 900, 5000, "imap.other.test" } },
	  .want = "third-party-mail strong " PC " other.test\n" PC " leak sealed\n" },
	{ .name = "the same, nothing declared", 
	  .flows = { { PROVIDER }, { PC, "192.0.2.50", 993, 900, 5000, "imap.other.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "IMAP to a relay, nothing declared", 
	  .flows = { { PC, "192.0.2.50", 993, 900, 5000, "imap.relay.test" } },
	  .want = "third-party-mail strong " PC " relay\n" PC " leak sealed\n" },
	{ .name = "delivery between servers is never third-party mail", .provider = "provider",
	  .flows = { { PC, "192.0.2.50", 25, 9000, 900, "mx.other.test", .mail = true, .proto = MAIL_SMTP,
		       .transport = MAIL_STARTTLS_USED } },
	  .want = PC " clean sealed\n" },
	{ .name = "an unnamed mail server is a reason, not a finding", .provider = "provider",
	  .flows = { { PC, "198.51.100.1", 993, 900, 5000 } }, .want = PC " cannot-say cannot-say\n" },
	{ .name = "who connects to a home host is not its mail session", .provider = "provider",
	  .flows = { { PROVIDER }, { "198.51.100.1", PC, 993, 900, 5000, "home.dyn.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "the set-up host of a vendor", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "203.0.113.6", 443, 700, 900, "setup.big.test" } },
	  .want = "relay-setup strong " PC " big\n" PC " leak sealed\n" },
	{ .name = "the set-up host of one's own provider", .provider = "big",
	  .flows = { { PC, "203.0.113.6", 443, 700, 900, "setup.big.test" } }, .want = PC " clean sealed\n" },
	{ .name = "a password in clear", .provider = "provider",
	  .flows = { { PC, "192.0.2.1", 143, 900, 5000, .app = "imap", .mail = true, .proto = MAIL_IMAP,
		       .transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_REUSABLE, .mechanism = "LOGIN",
		       .account = "ann@provider.test" } },
	  .want = "cleartext-credential proven " PC " as64500\n" PC " cannot-say exposed\n" },
	{ .name = "a digest that can be guessed", .provider = "provider",
	  .flows = { { PC, "192.0.2.1", 110, 900, 5000, .app = "pop3", .mail = true, .proto = MAIL_POP3,
		       .transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_GUESSABLE, .mechanism = "APOP",
		       .account = "ann" } },
	  .want = "cleartext-credential proven " PC " as64500\n" PC " cannot-say exposed\n" },
	{ .name = "SCRAM in clear is no such finding", .provider = "provider",
	  .flows = { { PC, "192.168.1.1", 143, 900, 5000, .app = "imap", .mail = true, .proto = MAIL_IMAP,
		       .transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_HARDENED, .mechanism = "SCRAM",
		       .account = "ann" } },
	  .want = PC " clean cannot-say\n" },
	{ .name = "loopback is not the wire", 
	  .flows = { { "127.0.0.1", "127.0.0.1", 143, 900, 5000, .app = "imap", .mail = true,
		       .proto = MAIL_IMAP, .transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_REUSABLE,
		       .mechanism = "LOGIN", .account = "ann" } },
	  .want = "" },
	{ .name = "enough to an unnamed endpoint", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "198.51.100.1", 443, 1000, 50 } }, .want = PC " cannot-say sealed\n" },
	{ .name = "a byte less to an unnamed endpoint", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "198.51.100.1", 443, 999, 50 } }, .want = PC " clean sealed\n" },
	{ .name = "DNS to an unnamed resolver is no upload", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "198.51.100.1", 53, 5000, 50, .udp = true, .app = "dns" } },
	  .want = PC " clean sealed\n" },
	{ .name = "a tunnel, although its end is named", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.60", 443, 5000, 50, "vpn.other.test", .opaque = true } },
	  .want = PC " cannot-say sealed\n" },
	{ .name = "bytes missing of a TCP stream to the internet", .provider = "provider",
	  .flows = { { PROVIDER, .missing = 1 } }, .want = PC " cannot-say sealed\n" },
	{ .name = "bytes missing of a local stream", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.168.1.1", 80, 500, 500, .missing = 9 } },
	  .want = PC " clean sealed\n" },
	{ .name = "another client's loss", .provider = "provider",
	  .flows = { { PROVIDER }, { PHONE, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .missing = 1 } },
	  .want = PC " clean sealed\n" PHONE " cannot-say sealed\n" },
	{ .name = "only one direction was captured", .provider = "provider",
	  .flows = { { PROVIDER, .one_way = true } }, .want = PC " cannot-say sealed\n" },
	{ .name = "a flow that began before the capture is no loss", .provider = "provider",
	  .flows = { { PROVIDER, .no_syn = true } }, .want = PC " clean sealed\n" },
	{ .name = "only the clients that were asked for", .provider = "provider", .client = "192.168.1.11/32",
	  .flows = { { BIG_UP(300000) }, { PHONE, "192.0.2.1", 993, 900, 5000, "imap.provider.test" } },
	  .want = PHONE " clean sealed\n" },
	{ .name = "web only", .provider = "provider",
	  .flows = { { PC, "192.0.2.80", 443, 5000, 90000, "www.paper.test" } }, .want = "" },
};

static void findings_and_verdicts_are_what_the_facts_show(void **state)
{
	char got[2048];
	unsigned bad = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store *st = case_store(&cases[i], false);

		judge_it(st, &cases[i]);
		outcome(st, got, sizeof(got));
		if (cases[i].client != NULL)
			memmove(got, strchr(got, '\n') + 1, strlen(strchr(got, '\n')));
		if (strcmp(got, cases[i].want) != 0) {
			print_error("%s\n got:\n%s want:\n%s because:\n", cases[i].name, got, cases[i].want);
			got[0] = '\0';
			ask(st, "SELECT client, axis, sentence FROM because", got, sizeof(got));
			print_error("%s\n", got);
			bad++;
		}
		store_close(&st);
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_and_verdicts_are_what_the_facts_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
