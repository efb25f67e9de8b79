/* Each case: the facts, and every finding and verdict they must give, no more. Over 400 lines: the
 * table of cases is most of it. */
#include "tests/case.h"

#include "report/emit.h"

#define PC "192.168.1.10"
#define PHONE "192.168.1.11"
#define PROVIDER PC, "192.0.2.1", 993, 900, 50000, "imap.provider.test"
#define DELIVERY PC, "192.0.2.50", 25, 9000, 900, "mx.other.test", .mail = true, .proto = MAIL_SMTP, \
	.transport = MAIL_STARTTLS_USED
#define PROVIDER_AT(seconds) PROVIDER, .at_s = seconds
#define CASE_FLOWS 8
#define FETCHED(bytes) PC, "192.0.2.1", 993, 900, bytes, "imap.provider.test"
#define MIRROR(strength) "mirrored-upload " strength " " PC " big\n"
#define BIG_UP(bytes) PC, "203.0.113.5", 443, bytes, 9000, "mail.big.test"

#define NAMELESS(bytes, lets_in) NAMELESS_AS("joe@law.test", bytes, lets_in)
#define NAMELESS_AS(who, bytes, lets_in) PC, "198.51.100.3", 587, bytes, 500, .app = "smtp", .mail = true, .proto = MAIL_SMTP, \
	.transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_REUSABLE, .mechanism = "PLAIN", .account = who, \
	.accepted = lets_in
#define READ_AT_NAMELESS "cleartext-credential proven " PC " as64500\n" PC

struct lookup_case {
	const char *asked_by, *type, *name, *rdata;
};

struct judge_case {
	const char *name;
	struct flow_case flows[CASE_FLOWS];
	struct lookup_case lookups[2];
	const char *provider;		/* declared for all; NULL is none */
	const char *client;		/* --client */
	const char *policy;		/* what mailwitness.yaml says; NULL is none */
	const char *filter;		/* -f; NULL is none */
	bool all_traffic;		/* the scope of `run` */
	const char *want;		/* findings, then clients */
};

static struct store *case_store(const struct judge_case *c, bool backwards)
{
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));
	struct fact facts[20];
	unsigned count = 0;

	assert_non_null(st);
	assert_true(store_run(st, &(struct run_info){ .version = "", .ndpi_version = "", .catalogue_version = "",
		.asn_database = "", .attribution = "", .command_line = "",
		.scope = c->all_traffic ? RUN_ALL_TRAFFIC : RUN_MAIL_ONLY,
		.filter = c->filter != NULL ? c->filter : "" }));
	for (unsigned i = 0; i < CASE_FLOWS && c->flows[i].from != NULL; i++)
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
	if (c->policy != NULL)
		case_policy(policy, c->policy);
	if (!judge(st, policy, &small_book))
		fail_msg("%s: %s", c->name, store_error(st));
	policy_free(&policy);
}

static void outcome(struct store *st, char *got, size_t size)
{
	got[0] = '\0';
	case_ask(st, "SELECT f.kind, f.strength, host(c.address), f.owner FROM finding AS f JOIN client AS c"
		" ON c.id = f.client ORDER BY f.id", got, size);
	case_ask(st, "SELECT host(address), third_party, path FROM client WHERE judged ORDER BY id", got, size);
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
	{ .name = "the same with nothing declared: its provider by definition",
	  .flows = { { PC, "192.0.2.1", 993, 900, 5000 } }, .want = PC " clean cannot-say\n" },
	{ .name = "the same with enough sent up to matter",
	  .flows = { { PC, "192.0.2.1", 993, 1000, 5000 } }, .want = PC " cannot-say cannot-say\n" },
	{ .name = "nothing declared, and a readable login at the one mail server there is",
	  .flows = { { NAMELESS(1000, true) }, { NAMELESS(5000, true) } }, .want = READ_AT_NAMELESS " clean exposed\n" },
	{ .name = "the same where no login was let in", .flows = { { NAMELESS(1000, true) }, { NAMELESS(5000, false) } },
	  .want = READ_AT_NAMELESS " cannot-say exposed\n" },
	{ .name = "the same where a user name has no domain",
	  .flows = { { NAMELESS_AS("joe", 1000, true) } }, .want = READ_AT_NAMELESS " cannot-say exposed\n" },
	{ .name = "the same, and more goes there that cannot be read",
	  .flows = { { NAMELESS(1000, true) }, { PC, "198.51.100.3", 443, 1000, 5000 } },
	  .want = READ_AT_NAMELESS " cannot-say exposed\n" },
	{ .name = "the same, and a session that cannot be read",
	  .flows = { { NAMELESS(1000, true) }, { PC, "198.51.100.3", 993, 100, 5000 } },
	  .want = READ_AT_NAMELESS " cannot-say exposed\n" },
	{ .name = "the same, and a session with another",
	  .flows = { { NAMELESS(1000, true) }, { PROVIDER } }, .want = READ_AT_NAMELESS " cannot-say exposed\n" },
	{ .name = "the same, and a provider that is declared", .provider = "provider",
	  .flows = { { NAMELESS(1000, true) } }, .want = READ_AT_NAMELESS " cannot-say exposed\n" },
	{ .name = "what a filter refused was not read", .provider = "provider", .filter = "port 993",
	  .flows = { { PROVIDER } }, .want = PC " cannot-say sealed\n" },
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
	{ .name = "little, and a stray packet of another year", .provider = "provider",
	  .flows = { { BIG_UP(20000), .for_s = 299 },
		     { PC, "192.0.2.80", 123, 48, 48, .udp = true, .at_s = -100000000 } },
	  .want = PC " cannot-say cannot-say\n" },
	{ .name = "little, five minutes' silence, and as long again", .provider = "provider",
	  .flows = { { BIG_UP(20000), .for_s = 200 },
		     { PC, "192.0.2.80", 443, 48, 48, "www.paper.test", .at_s = 500, .for_s = 100 } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n" },
	{ .name = "flows at one time are watched once", .provider = "provider",
	  .flows = { { BIG_UP(20000), .for_s = 400 },
		     { PC, "192.0.2.80", 443, 48, 48, "www.paper.test", .at_s = 100, .for_s = 400 } },
	  .want = PC " cannot-say cannot-say\n" },
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
	{ .name = "six times what was fetched goes up: nobody can say what it was", .provider = "provider",
	  .flows = { { PROVIDER }, { BIG_UP(300000) } }, .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "half of what was fetched goes up", .provider = "provider",
	  .flows = { { FETCHED(400000) }, { BIG_UP(200000) } }, .want = MIRROR("strong") PC " leak sealed\n" },
	{ .name = "less than half", .provider = "provider",
	  .flows = { { FETCHED(400001) }, { BIG_UP(200000) } }, .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "twice what was fetched goes up", .provider = "provider",
	  .flows = { { FETCHED(150000) }, { BIG_UP(300000) } }, .want = MIRROR("strong") PC " leak sealed\n" },
	{ .name = "more than twice", .provider = "provider",
	  .flows = { { FETCHED(149999) }, { BIG_UP(300000) } }, .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "as much, in a few rounds over hours",
	  .flows = { { FETCHED(100000) }, { BIG_UP(100000), .at_s = 60 }, { FETCHED(100000), .at_s = 4000 },
		     { BIG_UP(100000), .at_s = 4060 }, { FETCHED(100000), .at_s = 9000 }, { BIG_UP(100000), .at_s = 9060 } },
	  .want = MIRROR("strong") PC " leak sealed\n" },
	{ .name = "the same, a quarter of an hour later each time",
	  .flows = { { FETCHED(100000) }, { BIG_UP(100000), .at_s = 900 }, { FETCHED(100000), .at_s = 4000 },
		     { BIG_UP(100000), .at_s = 4900 }, { FETCHED(100000), .at_s = 9000 }, { BIG_UP(100000), .at_s = 9900 } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "a server of another name in the network of the declared provider", .provider = "big",
	  .flows = { { PC, "203.0.113.9", 993, 900, 50000, "imap.law.test" } },
	  .want = "third-party-mail suspected " PC " law.test\n" PC " cannot-say sealed\n" },
	{ .name = "the same in a network that the provider shares", .provider = "provider",
	  .flows = { { PC, "203.0.114.9", 993, 900, 50000, "imap.law.test" } },
	  .want = "third-party-mail suspected " PC " law.test\n" PC " cannot-say sealed\n" },
	{ .name = "the same elsewhere", .provider = "provider",
	  .flows = { { PC, "203.0.113.9", 993, 900, 50000, "imap.law.test" } },
	  .want = "third-party-mail strong " PC " law.test\n" PC " leak sealed\n" },
	{ .name = "as much, by a provider that was learnt",
	  .flows = { { FETCHED(300000) }, { BIG_UP(300000) } }, .want = MIRROR("strong") PC " leak sealed\n" },
	{ .name = "as much, fetched by webmail of the provider", .provider = "provider",
	  .flows = { { PC, "192.0.2.1", 443, 5000, 300000, "www.provider.test" }, { BIG_UP(300000) } },
	  .want = MIRROR("strong") PC " leak sealed\n" },
	{ .name = "as much, fetched when all had gone up", .provider = "provider",
	  .flows = { { FETCHED(300000), .at_s = 20 }, { BIG_UP(300000), .for_s = 19 } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "as much, fetched while the last of it went up", .provider = "provider",
	  .flows = { { FETCHED(300000), .at_s = 19 }, { BIG_UP(300000), .for_s = 19 } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "as much, fetched while it began to go up", .provider = "provider",
	  .flows = { { FETCHED(300000), .at_s = 9 }, { BIG_UP(300000), .for_s = 19 } },
	  .want = MIRROR("strong") PC " leak sealed\n" },
	{ .name = "as much, most of it before it was fetched", .provider = "provider",
	  .flows = { { BIG_UP(160000) }, { FETCHED(300000), .at_s = 60 }, { BIG_UP(140000), .at_s = 70 } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "as much, and more comes back", .provider = "provider",
	  .flows = { { FETCHED(300000) }, { PC, "203.0.113.5", 443, 300000, 300000, "mail.big.test" } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "as much, something was not seen", .provider = "provider",
	  .flows = { { FETCHED(300000) }, { BIG_UP(300000), .missing = 10 } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "as much, to a vendor known by its address", .provider = "provider",
	  .flows = { { FETCHED(300000) }, { PC, "203.0.113.5", 443, 300000, 9000 } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "as much, to a relay by assumption: the amount tells", .provider = "provider",
	  .flows = { { FETCHED(300000) }, { PC, "192.0.2.9", 443, 300000, 9000, "maybe.big.test" } },
	  .want = MIRROR("strong") PC " leak sealed\n" },
	{ .name = "as much, and something through a tunnel", .provider = "provider",
	  .flows = { { FETCHED(300000) }, { BIG_UP(300000) },
		     { PC, "198.51.100.9", 51820, 5000, 9000, .udp = true, .opaque = true, .app = "wireguard" } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "as much, and a session with a nameless server", .provider = "provider",
	  .flows = { { FETCHED(300000) }, { BIG_UP(300000) }, { PC, "198.51.100.1", 993, 900, 9000 } },
	  .want = MIRROR("suspected") PC " cannot-say cannot-say\n" },
	{ .name = "as much, and a look-up leads from the provider to the vendor", .provider = "kanzlei.test",
	  .lookups = { { PC, "MX", "kanzlei.test", "10 in.mail.big.test." } },
	  .flows = { { PC, "192.0.2.1", 993, 900, 300000, "imap.kanzlei.test" }, { BIG_UP(300000) } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "as much, by another client", .provider = "provider",
	  .flows = { { PHONE, "192.0.2.1", 993, 900, 300000, "imap.provider.test" }, { PROVIDER }, { BIG_UP(300000) } },
	  .want = MIRROR("suspected") PHONE " clean sealed\n" PC " cannot-say sealed\n" },
	{ .name = "as much, over an hour: two may be files that the user sent", .provider = "provider",
	  .flows = { { FETCHED(150000) }, { BIG_UP(150000) }, { FETCHED(150000), .at_s = 3600 },
		     { BIG_UP(150000), .at_s = 3600 } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "as much, over hours in one file, and looks at the vendor's webmail", .provider = "provider",
	  .flows = { { FETCHED(1000000) }, { FETCHED(1000000), .at_s = 5000 }, { BIG_UP(9000), .at_s = 6000 },
		     { FETCHED(1000000), .at_s = 10000 }, { BIG_UP(2000000), .at_s = 10200 }, { BIG_UP(9000), .at_s = 12000 },
		     { BIG_UP(9000), .at_s = 14000 } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "as much, half of it too late", .provider = "provider",
	  .flows = { { FETCHED(300000) }, { BIG_UP(149999) }, { BIG_UP(150001), .at_s = 610 } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "as much, in a second less than an hour", .provider = "provider",
	  .flows = { { FETCHED(150000) }, { BIG_UP(150000) }, { FETCHED(150000), .at_s = 3599 },
		     { BIG_UP(150000), .at_s = 3599 } },
	  .want = MIRROR("strong") PC " leak sealed\n" },
	{ .name = "as much went up to the vendor's other hosts", .provider = "provider",
	  .flows = { { FETCHED(300000) }, { PC, "192.0.2.77", 443, 300000, 9000, "teams.big.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "as much went to the vendor's mail exchanger", .provider = "provider", .policy = "mail_servers: [" PC "]\n",
	  .flows = { { FETCHED(300000) }, { PC, "203.0.113.5", 25, 300000, 900, "mail.big.test", .mail = true,
		       .proto = MAIL_SMTP, .transport = MAIL_STARTTLS_USED } },
	  .want = PC " clean sealed\n" },
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
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "one client's provider session does not excuse another", .provider = "provider",
	  .flows = { { BIG_UP(300000) }, { PHONE, "192.0.2.1", 993, 900, 5000, "imap.provider.test" } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n" PHONE " clean sealed\n" },
	{ .name = "two addresses of one card are one client", .provider = "provider",
	  .flows = { { BIG_UP(300000), .mac = "\2\0\0\0\0\1" },
		     { "2001:db8:1::10", "2001:db8:2::1", 993, 900, 5000, "imap.provider.test",
		       .mac = "\2\0\0\0\0\1" } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "a card that far ends are seen with as well is a router's", .provider = "provider",
	  .flows = { { BIG_UP(300000), .mac = "\2\0\0\0\0\1", .far_mac = "\2\0\0\0\0\2" },
		     { "2001:db8:1::10", "2001:db8:2::1", 993, 900, 5000, "imap.provider.test",
		       .mac = "\2\0\0\0\0\1" },
		     { PHONE, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .mac = "\2\0\0\0\0\3",
		       .far_mac = "\2\0\0\0\0\1" } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n2001:db8:1::10 clean sealed\n"
		PHONE " clean sealed\n" },
	{ .name = "a home host seen from home is no router", .provider = "provider",
	  .flows = { { BIG_UP(300000), .mac = "\2\0\0\0\0\1" },
		     { "2001:db8:1::10", "2001:db8:2::1", 993, 900, 5000, "imap.provider.test",
		       .mac = "\2\0\0\0\0\1" },
		     { "fe80::1", "2001:db8:1::10", 80, 9, 9, .mac = "\2\0\0\0\0\3",
		       .far_mac = "\2\0\0\0\0\1" },
		     { "192.168.1.1", PC, 80, 9, 9, .mac = "\2\0\0\0\0\3", .far_mac = "\2\0\0\0\0\1" } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
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
	{ .name = "a delivery by one who has a mailbox elsewhere", .provider = "provider",
	  .flows = { { PROVIDER }, { DELIVERY } }, .want = PC " cannot-say sealed\n" },
	{ .name = "a delivery to a host that an MX look-up names", .provider = "provider",
	  .lookups = { { PHONE, "MX", "other.test", "10 MX.other.test." } },
	  .flows = { { PROVIDER }, { DELIVERY } }, .want = PC " clean sealed\n" },
	{ .name = "a delivery by one of the user's mail servers", .provider = "provider",
	  .policy = "mail_servers: [" PC "]\n",
	  .flows = { { PROVIDER }, { DELIVERY } }, .want = PC " clean sealed\n" },
	{ .name = "a delivery to the provider", .provider = "other.test",
	  .flows = { { PC, "192.0.2.51", 993, 900, 9000, "imap.other.test" }, { DELIVERY } },
	  .want = PC " clean sealed\n" },
	{ .name = "another's mailbox makes no delivery odd", .provider = "provider",
	  .flows = { { DELIVERY }, { PHONE, "192.0.2.1", 993, 900, 5000, "imap.provider.test" } },
	  .want = PC " clean sealed\n" PHONE " clean sealed\n" },
	{ .name = "delivery between servers is never third-party mail", .provider = "provider",
	  .flows = { { PC, "192.0.2.50", 25, 9000, 900, "mx.other.test", .mail = true, .proto = MAIL_SMTP,
		       .transport = MAIL_STARTTLS_USED } },
	  .want = PC " clean sealed\n" },
	{ .name = "an unnamed mail server is a reason, not a finding", .provider = "provider",
	  .flows = { { PC, "198.51.100.1", 993, 900, 5000 } }, .want = PC " cannot-say cannot-say\n" },
	{ .name = "who connects to a home host is not its mail session",
	  .provider = "provider",
	  .flows = { { PROVIDER }, { "198.51.100.1", PC, 993, 900, 5000, "home.dyn.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "a vendor that fetches at a mail server, under TLS", .provider = "provider",
	  .flows = { { "203.0.113.1", PC, 993, 900, 50000, "home.dyn.test" } },
	  .want = "vendor-pull strong " PC " big\n" PC " leak cannot-say\n" },
	{ .name = "the same at a mail server whose address is no private one", .provider = "provider",
	  .flows = { { "203.0.113.1", "192.0.2.20", 993, 900, 50000, "home.dyn.test" } },
	  .want = "vendor-pull strong 192.0.2.20 big\n192.0.2.20 leak cannot-say\n" },
	{ .name = "who logs in there from elsewhere is its client", .provider = "provider",
	  .flows = { { "198.51.100.8", "192.0.2.1", 993, 900, 50000, "imap.provider.test" } },
	  .want = "198.51.100.8 clean sealed\n" },
	{ .name = "a vendor that fetches with a login that was read", .provider = "provider",
	  .flows = { { "203.0.113.1", PC, 143, 900, 50000, .app = "imap", .mail = true, .proto = MAIL_IMAP,
		       .transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_HARDENED, .mechanism = "SCRAM-SHA-256",
		       .account = "joe", .accepted = true } },
	  .want = "vendor-pull proven " PC " big\n" PC " leak cannot-say\n" },
	{ .name = "a vendor whose login is refused", .provider = "provider",
	  .flows = { { "203.0.113.1", PC, 143, 900, 500, .app = "imap", .mail = true, .proto = MAIL_IMAP,
		       .transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_HARDENED, .mechanism = "SCRAM-SHA-256",
		       .account = "joe" } },
	  .want = "vendor-pull suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "visits in a rhythm, then silence and the vendor",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) }, { PROVIDER_AT(12000) },
		     { BIG_UP(15000), .at_s = 17000 }, { BIG_UP(15000), .at_s = 21000 } },
	  .want = "displacement strong " PC " big\n" PC " leak sealed\n" },
	{ .name = "three visits, and the vendor is visited as often",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) }, { BIG_UP(15000), .at_s = 12000 },
		     { BIG_UP(15000), .at_s = 17000 }, { BIG_UP(15000), .at_s = 21000 } },
	  .want = "displacement strong " PC " big\n" PC " leak sealed\n" },
	{ .name = "three visits, and fewer to the vendor",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) },
		     { BIG_UP(15000), .at_s = 17000 }, { BIG_UP(15000), .at_s = 21000 } },
	  .want = "displacement suspected " PC " big\n" PC " cannot-say sealed\n" },
	{ .name = "connections to the vendor one after the other are one visit",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) }, { BIG_UP(15000), .at_s = 20400 },
		     { BIG_UP(15000), .at_s = 20700 }, { BIG_UP(15000), .at_s = 21000 } },
	  .want = "displacement suspected " PC " big\n" PC " cannot-say sealed\n" },
	{ .name = "one look at the vendor after a rhythm",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) }, { PROVIDER_AT(12000) },
		     { BIG_UP(15000), .at_s = 20400 }, { BIG_UP(15000), .at_s = 20700 } },
	  .want = "displacement suspected " PC " big\n" PC " cannot-say sealed\n" },
	{ .name = "the vendor without a pause, as long as the rhythm",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) }, { PROVIDER_AT(12000) },
		     { BIG_UP(20000), .at_s = 16500, .for_s = 4100 } },
	  .want = "displacement strong " PC " big\n" PC " leak sealed\n" },
	{ .name = "the vendor only while the silence was within twice the rhythm",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) }, { PROVIDER_AT(12000) },
		     { BIG_UP(15000), .at_s = 16500 }, { BIG_UP(15000), .at_s = 18000 },
		     { PC, "192.0.2.77", 443, 90000, 9000, "update.big.test", .at_s = 21000 } },
	  .want = "displacement suspected " PC " big\n" PC " cannot-say sealed\n" },
	{ .name = "two visits are no rhythm",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { BIG_UP(15000), .at_s = 9000 },
		     { BIG_UP(15000), .at_s = 13000 }, { BIG_UP(15000), .at_s = 17000 }, { BIG_UP(15000), .at_s = 21000 } },
	  .want = "displacement suspected " PC " big\n" PC " cannot-say sealed\n" },
	{ .name = "one session for a day, and then the vendor",
	  .flows = { { PROVIDER, .for_s = 86400 }, { BIG_UP(15000), .at_s = 87000 }, { BIG_UP(5000), .at_s = 88300 } },
	  .want = "displacement suspected " PC " big\n" PC " cannot-say sealed\n" },
	{ .name = "the same, and less to the vendor",
	  .flows = { { PROVIDER, .for_s = 86400 }, { BIG_UP(15000), .at_s = 87000 }, { BIG_UP(4999), .at_s = 88300 } },
	  .want = PC " clean sealed\n" },
	{ .name = "one session, silent for less than one that waits for mail may be",
	  .flows = { { PROVIDER, .for_s = 86400 }, { BIG_UP(15000), .at_s = 87000 }, { BIG_UP(15000), .at_s = 88190 } },
	  .want = PC " clean sealed\n" },
	{ .name = "a host that relays by assumption, beside one that does",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) }, { PROVIDER_AT(12000) },
		     { BIG_UP(500), .at_s = 17000 },
		     { PC, "203.0.113.5", 443, 30000, 9000, "maybe.big.test", .at_s = 21000 } },
	  .want = "displacement strong " PC " big\n" PC " leak sealed\n" },
	{ .name = "a host that relays by assumption alone",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) }, { PROVIDER_AT(12000) },
		     { PC, "203.0.113.5", 443, 500, 9000, "maybe.big.test", .at_s = 17000 },
		     { PC, "203.0.113.5", 443, 30000, 9000, "maybe.big.test", .at_s = 21000 } },
	  .want = "displacement suspected " PC " big\n" PC " cannot-say sealed\n" },
	{ .name = "a silence within the rhythm",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) }, { PROVIDER_AT(12000) },
		     { BIG_UP(15000), .at_s = 13000 }, { BIG_UP(15000), .at_s = 19000 } },
	  .want = PC " clean sealed\n" },
	{ .name = "as much went to the vendor before",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) }, { PROVIDER_AT(12000) },
		     { BIG_UP(15000), .at_s = 7000 }, { BIG_UP(15000), .at_s = 11000 },
		     { BIG_UP(15000), .at_s = 17000 }, { BIG_UP(15000), .at_s = 21000 } },
	  .want = PC " clean sealed\n" },
	{ .name = "a client that just goes off",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) }, { PROVIDER_AT(12000) },
		     { PC, "192.0.2.77", 443, 90000, 9000, "update.big.test", .at_s = 21000 } },
	  .want = PC " clean sealed\n" },
	{ .name = "loss makes displacement suspected",
	  .flows = { { PROVIDER_AT(0) }, { PROVIDER_AT(4000) }, { PROVIDER_AT(8000) }, { PROVIDER_AT(12000) },
		     { BIG_UP(15000), .at_s = 17000 }, { BIG_UP(15000), .at_s = 21000, .missing = 10 } },
	  .want = "displacement suspected " PC " big\n" PC " cannot-say sealed\n" },
	{ .name = "a CDN's host is no vendor's", .provider = "provider",
	  .flows = { { "203.0.112.1", PC, 993, 900, 50000, "home.dyn.test" } },
	  .want = PC " clean cannot-say\n" },
	{ .name = "a delivery from the vendor is no pull", .provider = "provider",
	  .flows = { { PROVIDER }, { "203.0.113.1", PC, 25, 90000, 500, .app = "smtp", .mail = true, .proto = MAIL_SMTP,
		       .transport = MAIL_STARTTLS_USED } }, .want = PC " clean sealed\n" },
	{ .name = "a login that came in is readable on the wire as well",
	  .flows = { { "198.51.100.1", PC, 143, 900, 5000, .app = "imap", .mail = true, .proto = MAIL_IMAP,
		       .transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_REUSABLE, .mechanism = "LOGIN" } },
	  .want = "cleartext-credential proven " PC " as64500\n" PC " clean exposed\n" },
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
	{ .name = "a proxy on the LAN hides what is behind it", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.168.1.1", 3128, 5000, 50, .app = "http", .opaque = true } },
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
	{ .name = "a tunnel may hide the provider's session", .provider = "provider",
	  .flows = { { BIG_UP(300000) }, { PC, "192.0.2.60", 443, 5000, 50, "vpn.other.test", .opaque = true } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "IMAP at the vendor is a session, not an upload", .provider = "provider",
	  .flows = { { PC, "203.0.113.5", 993, 300000, 9000, "mail.big.test" } },
	  .want = "third-party-mail strong " PC " big\n" PC " leak sealed\n" },
	{ .name = "a delivery to the vendor is no upload", .provider = "provider",
	  .flows = { { PC, "203.0.113.5", 25, 300000, 900, "mail.big.test", .mail = true, .proto = MAIL_SMTP,
		       .transport = MAIL_STARTTLS_USED } },
	  .want = PC " clean sealed\n" },
	{ .name = "a mail server on the LAN is no third party", .provider = "provider",
	  .flows = { { PC, "192.168.1.1", 993, 900, 9000, "nas.home.test" } }, .want = PC " clean sealed\n" },
	{ .name = "a mail server on the same host is no third party", .provider = "provider",
	  .flows = { { PROVIDER }, { "127.0.0.1", "127.0.0.1", 993, 900, 9000, "imap.other.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "an attempt that nobody answered is no session with a third party", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.50", 993, 300, 0, "imap.other.test", .version = 1 } },
	  .want = PC " clean cannot-say\n" },
	{ .name = "an attempt that nobody answered is no session with the provider", .provider = "provider",
	  .flows = { { BIG_UP(300000) }, { PC, "192.0.2.1", 993, 300, 0, "imap.provider.test", .version = 1 } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n" },
	{ .name = "a session with an ambiguous owner is suspected", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.50", 993, 900, 9000, "imap.shared.test" } },
	  .want = "third-party-mail suspected " PC " shared.test\n" PC " cannot-say sealed\n" },
	{ .name = "a set-up host that did not answer", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "203.0.113.6", 443, 700, 0, "setup.big.test", .version = 1 } },
	  .want = PC " clean sealed\n" },
	{ .name = "a set-up host whose handshake failed", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "203.0.113.6", 443, 700, 7, "setup.big.test", .version = 1 } },
	  .want = PC " clean sealed\n" },
	{ .name = "a set-up host whose handshake was lost", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "203.0.113.6", 443, 700, 9, "setup.big.test", .version = 1, .missing = 9 } },
	  .want = "relay-setup suspected " PC " big\n" PC " cannot-say sealed\n" },
	{ .name = "a vendor that only a look-up makes a provider, beside a session with another",
	  .lookups = { { PC, "MX", "else.test", "10 in.mail.big.test." } },
	  .flows = { { PROVIDER }, { BIG_UP(1000) } }, .want = PC " cannot-say sealed\n" },
	{ .name = "too little to it to matter", .lookups = { { PC, "MX", "else.test", "10 in.mail.big.test." } },
	  .flows = { { PROVIDER }, { BIG_UP(999) } }, .want = PC " clean sealed\n" },
	{ .name = "an ambiguous session with the provider is none", .provider = "shared.test",
	  .flows = { { PC, "192.0.2.50", 993, 900, 9000, "imap.shared.test" }, { BIG_UP(300000) } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say sealed\n" },
	{ .name = "the declared domain's mail is with the vendor, a look-up says", .provider = "kanzlei.test",
	  .lookups = { { PC, "MX", "kanzlei.test", "10 in.mail.big.test." } }, .flows = { { BIG_UP(300000) } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "its set-up alias leads to the vendor, where mail is delivered is not known",
	  .provider = "kanzlei.test", .flows = { { BIG_UP(300000) } },
	  .lookups = { { PC, "CNAME", "autodiscover.kanzlei.test", "in.mail.big.test." } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "its set-up alias leads to the vendor, but mail is delivered to itself",
	  .provider = "kanzlei.test", .flows = { { BIG_UP(300000) } },
	  .lookups = { { PC, "MX", "kanzlei.test", "10 mail.kanzlei.test." },
		       { PC, "CNAME", "autodiscover.kanzlei.test", "in.mail.big.test." } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n" },
	{ .name = "the set-up alias of a domain that is not declared leads to the vendor: it may be the provider",
	  .flows = { { BIG_UP(300000) } }, .lookups = { { PC, "CNAME", "autodiscover.kanzlei.test", "in.mail.big.test." } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "the same by SRV",
	  .flows = { { BIG_UP(300000) } },
	  .lookups = { { PC, "SRV", "_autodiscover._tcp.kanzlei.test", "0 0 443 in.mail.big.test." } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "that alias, mail is delivered to itself, and no session of the client's is there",
	  .flows = { { BIG_UP(300000) } },
	  .lookups = { { PC, "MX", "kanzlei.test", "10 mail.kanzlei.test." },
		       { PC, "CNAME", "autodiscover.kanzlei.test", "in.mail.big.test." } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "that alias, mail is delivered to itself, and the client fetches it there",
	  .flows = { { PC, "192.0.2.1", 993, 900, 300000, "imap.kanzlei.test" }, { BIG_UP(300000) } },
	  .lookups = { { PC, "MX", "kanzlei.test", "10 mail.kanzlei.test." },
		       { PC, "CNAME", "autodiscover.kanzlei.test", "in.mail.big.test." } },
	  .want = MIRROR("strong") PC " leak sealed\n" },
	{ .name = "a nameless mail server at home hides no provider", .provider = "provider",
	  .flows = { { BIG_UP(300000) }, { PC, "192.168.1.60", 993, 900, 5000 } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n" },
	{ .name = "a declared domain whose alias is the vendor's, its MX a filter", .provider = "kanzlei.test",
	  .flows = { { BIG_UP(300000) } },
	  .lookups = { { PC, "MX", "kanzlei.test", "10 mx.filter.test." },
		       { PC, "CNAME", "autodiscover.kanzlei.test", "setup.big.test." } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "a declared domain whose alias is the vendor's, its MX its own", .provider = "kanzlei.test",
	  .flows = { { BIG_UP(300000) } },
	  .lookups = { { PC, "MX", "kanzlei.test", "10 mx.kanzlei.test." },
		       { PC, "CNAME", "autodiscover.kanzlei.test", "setup.big.test." } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n" },
	{ .name = "that alias, but mail is delivered to others, be it for a filter", .flows = { { BIG_UP(300000) } },
	  .lookups = { { PC, "MX", "kanzlei.test", "10 mx.filter.test." },
		       { PC, "CNAME", "autodiscover.kanzlei.test", "in.mail.big.test." } },
	  .want = "cloud-relay suspected " PC " big\n" PC " cannot-say cannot-say\n" },
	{ .name = "another's look-up says nothing of it", .provider = "kanzlei.test",
	  .lookups = { { PC, "MX", "else.test", "10 in.mail.big.test." } }, .flows = { { BIG_UP(300000) } },
	  .want = "cloud-relay strong " PC " big\n" PC " leak cannot-say\n" },
	{ .name = "much to a host of a vendor's mail service that does not relay", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "203.0.113.5", 443, 200000, 900, "quiet.big.test" } },
	  .want = PC " cannot-say sealed\n" },
	{ .name = "less than much to it", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "203.0.113.5", 443, 199999, 900, "quiet.big.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "much to a host of its own provider's that does not relay", .provider = "big",
	  .flows = { { PC, "203.0.113.5", 443, 200000, 900, "quiet.big.test" } }, .want = PC " clean sealed\n" },
	{ .name = "a set-up host, the provider not known",
	  .flows = { { PC, "203.0.113.6", 443, 700, 900, "setup.big.test" } },
	  .want = PC " cannot-say cannot-say\n" },
	{ .name = "what a home host answers is no upload to the nameless", .provider = "provider",
	  .flows = { { PROVIDER }, { "198.51.100.1", PC, 80, 900, 5000 } }, .want = PC " clean sealed\n" },
	{ .name = "an ambiguous name is no name", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.50", 443, 5000, 9000, "www.shared.test" } },
	  .want = PC " cannot-say sealed\n" },
	{ .name = "a CDN's address is no name", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "203.0.112.1", 443, 5000, 9000 } }, .want = PC " cannot-say sealed\n" },
	{ .name = "NTP is no upload", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "198.51.100.1", 123, 4800, 4800, .udp = true } },
	  .want = PC " clean sealed\n" },
	{ .name = "more than NTP says is an upload", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "198.51.100.1", 124, 4800, 4800, .udp = true } },
	  .want = PC " cannot-say sealed\n" },
	{ .name = "UDP may go one way", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.80", 443, 500, 0, "www.paper.test", .udp = true, .one_way = true } },
	  .want = PC " clean sealed\n" },
	{ .name = "a private network that is not home is nobody's", .provider = "provider",
	  .policy = "home: [192.168.1.0/24]\n",
	  .flows = { { PROVIDER }, { PC, "192.168.9.9", 443, 1000, 50 } }, .want = PC " cannot-say sealed\n" },
	{ .name = "the home network itself is local", .provider = "provider",
	  .policy = "home: [192.168.1.0/24]\n",
	  .flows = { { PROVIDER }, { PC, "192.168.1.9", 443, 1000, 50 } }, .want = PC " clean sealed\n" },
	{ .name = "private networks are local where none is said to be home", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.168.9.9", 443, 1000, 50 } }, .want = PC " clean sealed\n" },
	{ .name = "a mail server in a private network that is not home is a third party's", .provider = "provider",
	  .policy = "home: [192.168.1.0/24]\n",
	  .flows = { { PROVIDER }, { PC, "192.168.9.9", 993, 900, 9000, "nas.firm.test" } },
	  .want = "third-party-mail strong " PC " firm.test\n" PC " leak sealed\n" },
	{ .name = "TLS to another's mail host on a port of its own is suspected", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.50", 10993, 900, 9000, "imap.other.test" } },
	  .want = "third-party-mail suspected " PC " other.test\n" PC " cannot-say sealed\n" },
	{ .name = "TLS to another's other host on a port of its own", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.50", 10993, 900, 9000, "game.other.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "HTTP over TLS to another's mail host on a port of its own", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.50", 8443, 900, 9000, "mail.other.test", .alpn = "h2" } },
	  .want = PC " clean sealed\n" },
	{ .name = "TLS to the provider on a port of its own is a session with it", .provider = "provider",
	  .flows = { { PC, "192.0.2.1", 10993, 900, 9000, "imap.provider.test" }, { BIG_UP(199999) } },
	  .want = PC " clean sealed\n" },
	{ .name = "a flow to the vendor that its first packet seen sent", .provider = "provider",
	  .flows = { { PROVIDER }, { "203.0.113.5", PC, 50000, 900, 300000, .no_syn = true } },
	  .want = MIRROR("suspected") PC " cannot-say sealed\n" },
	{ .name = "a flow that the vendor began", .provider = "provider",
	  .flows = { { PROVIDER }, { "203.0.113.5", PC, 50000, 900, 300000 } }, .want = PC " clean sealed\n" },
	{ .name = "HTTP to the provider is read on the path", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.1", 80, 120, 900, "www.provider.test", .app = "http" } },
	  .want = PC " clean cannot-say\n" },
	{ .name = "HTTP to the provider and nothing else", .provider = "provider",
	  .flows = { { PC, "192.0.2.1", 80, 120, 900, "www.provider.test", .app = "http" } },
	  .want = PC " clean cannot-say\n" },
	{ .name = "HTTP to a learnt provider", 
	  .flows = { { PROVIDER }, { PC, "192.0.2.1", 80, 120, 900, "www.provider.test", .app = "http" } },
	  .want = PC " clean cannot-say\n" },
	{ .name = "HTTP to another is no mail of its provider's", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.80", 80, 120, 900, "www.paper.test", .app = "http" } },
	  .want = PC " clean sealed\n" },
	{ .name = "a session with a network that is expected", .provider = "provider",
	  .policy = "expected: [192.0.2.50]\n",
	  .flows = { { PROVIDER }, { PC, "192.0.2.50", 993, 900, 5000, "imap.other.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "the network beside the one that is expected", .provider = "provider",
	  .policy = "expected: [192.0.2.51]\n",
	  .flows = { { PROVIDER }, { PC, "192.0.2.50", 993, 900, 5000, "imap.other.test" } },
	  .want = "third-party-mail strong " PC " other.test\n" PC " leak sealed\n" },
	{ .name = "a nameless endpoint that is expected", .provider = "provider",
	  .policy = "expected: [198.51.100.0/24]\n",
	  .flows = { { PROVIDER }, { PC, "198.51.100.1", 443, 9000, 50 } }, .want = PC " clean sealed\n" },
	{ .name = "a login from a network that is expected", .provider = "provider",
	  .policy = "expected: [203.0.113.0/24]\n",
	  .flows = { { "203.0.113.1", PC, 993, 900, 50000, "home.dyn.test" } },
	  .want = PC " clean cannot-say\n" },
	{ .name = "a delivery to a backup server that is expected", .provider = "provider",
	  .policy = "expected: [192.0.2.50]\n",
	  .flows = { { PROVIDER }, { DELIVERY } }, .want = PC " clean sealed\n" },
	{ .name = "a tunnel to a network that is expected hides what is behind it", .provider = "provider",
	  .policy = "expected: [192.0.2.60]\n",
	  .flows = { { PROVIDER }, { PC, "192.0.2.60", 443, 5000, 50, "vpn.other.test", .opaque = true } },
	  .want = PC " cannot-say sealed\n" },
	{ .name = "an expected network is nobody's provider", .policy = "expected: [192.0.2.50]\n",
	  .flows = { { BIG_UP(300000) }, { PC, "192.0.2.50", 993, 900, 5000, "imap.other.test" } },
	  .want = PC " cannot-say sealed\n" },
	{ .name = "a vendor that fetches at an own server with a public address", .provider = "provider",
	  .policy = "mail_servers: [192.0.2.200]\n",
	  .flows = { { "203.0.113.1", "192.0.2.200", 993, 900, 50000, "mail.kanzlei.test" } },
	  .want = "vendor-pull strong 192.0.2.200 big\n192.0.2.200 leak cannot-say\n" },
	{ .name = "web only", .provider = "provider",
	  .flows = { { PC, "192.0.2.80", 443, 5000, 90000, "www.paper.test" } }, .want = "" },
	{ .name = "who is watched whole is judged without mail as well", .provider = "provider", .all_traffic = true,
	  .flows = { { PC, "192.0.2.80", 443, 999, 90000, "www.paper.test" } }, .want = PC " clean cannot-say\n" },
	{ .name = "but not who stayed on its own network", .provider = "provider", .all_traffic = true,
	  .flows = { { PC, "192.168.1.1", 80, 5000, 9000, "router.paper.test", .app = "http" } }, .want = "" },
	{ .name = "nor who was only asked", .provider = "provider", .all_traffic = true,
	  .flows = { { "192.0.2.80", PC, 443, 900, 90000 } }, .want = "" },
	{ .name = "of all traffic, little to a host that nobody knows", .provider = "provider", .all_traffic = true,
	  .flows = { { PROVIDER }, { PC, "192.0.2.80", 443, 999, 90000, "www.paper.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "of all traffic, enough to a host that nobody knows", .provider = "provider", .all_traffic = true,
	  .flows = { { PROVIDER }, { PC, "192.0.2.80", 443, 1000, 90000, "www.paper.test" } },
	  .want = PC " cannot-say sealed\n" },
	{ .name = "of mail services, as much to that host", .provider = "provider",
	  .flows = { { PROVIDER }, { PC, "192.0.2.80", 443, 1000, 90000, "www.paper.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "of all traffic, little to each of an owner's hosts is enough", .provider = "provider",
	  .all_traffic = true,
	  .flows = { { PROVIDER }, { PC, "192.0.2.80", 443, 500, 900, "www.paper.test" },
		     { PC, "192.0.2.81", 80, 500, 900, "img.paper.test", .app = "http" } },
	  .want = PC " cannot-say sealed\n" },
	{ .name = "of all traffic, an owner that is expected", .provider = "provider", .all_traffic = true,
	  .policy = "expected: [paper.test]\n",
	  .flows = { { PROVIDER }, { PC, "192.0.2.80", 443, 5000, 90000, "www.paper.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "of all traffic, another owner than the one that is expected", .provider = "provider",
	  .all_traffic = true, .policy = "expected: [other.test]\n",
	  .flows = { { PROVIDER }, { PC, "192.0.2.80", 443, 5000, 90000, "www.paper.test" } },
	  .want = PC " cannot-say sealed\n" },
	{ .name = "of all traffic, a network that is expected", .provider = "provider", .all_traffic = true,
	  .policy = "expected: [192.0.2.80]\n",
	  .flows = { { PROVIDER }, { PC, "192.0.2.80", 443, 5000, 90000, "www.paper.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "of all traffic, a service that the catalogue knows", .provider = "provider", .all_traffic = true,
	  .flows = { { PROVIDER }, { PC, "192.0.2.77", 443, 300000, 9000, "teams.big.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "of all traffic, the provider's web host", .provider = "kanzlei.test", .all_traffic = true,
	  .flows = { { PC, "192.0.2.1", 993, 900, 300000, "imap.kanzlei.test" },
		     { PC, "192.0.2.2", 443, 5000, 9000, "www.kanzlei.test" } },
	  .want = PC " clean sealed\n" },
	{ .name = "of all traffic, a host of the same network", .provider = "provider", .all_traffic = true,
	  .flows = { { PROVIDER }, { PC, "192.168.1.1", 80, 5000, 9000, "router.paper.test", .app = "http" } },
	  .want = PC " clean sealed\n" },
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
			case_ask(st, "SELECT client, axis, sentence FROM because", got, sizeof(got));
			print_error("%s\n", got);
			bad++;
		}
		store_close(&st);
	}
	assert_int_equal(bad, 0);
}

/* A sentence says no more than was seen: not that all of it was one address's. */
static void a_pull_from_several_addresses_is_not_said_of_one(void **state)
{
	static const struct judge_case one = {
		.provider = "provider", .flows = { { "203.0.113.1", PC, 993, 900, 50000, "home.dyn.test" } },
	}, several = {
		.provider = "provider", .flows = { { "203.0.113.1", PC, 993, 900, 50000, "home.dyn.test" },
						   { "203.0.113.2", PC, 993, 900, 50000, "home.dyn.test" } },
	};
	struct store *st = case_store(&one, false);
	char got[512] = "";

	(void)state;
	judge_it(st, &one);
	case_ask(st, "SELECT sentence FROM finding", got, sizeof(got));
	assert_non_null(strstr(got, "at 203.0.113.1 had 1 mail session "));
	store_close(&st);
	st = case_store(&several, false);
	judge_it(st, &several);
	got[0] = '\0';
	case_ask(st, "SELECT sentence FROM finding", got, sizeof(got));
	assert_non_null(strstr(got, "at 203.0.113.1 and other addresses had 2 mail sessions "));
	store_close(&st);
}

static char *json_of(struct store *st)
{
	struct emit_settings settings = { .columns = 80 };
	char *data = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&data, &size);

	assert_true(emit_json(st, &settings, out));
	fclose(out);
	return data;
}

static void the_order_in_which_facts_came_changes_nothing(void **state)
{
	(void)state;
	if (TEST_SANITIZED)
		skip();
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store *forth = case_store(&cases[i], false), *back = case_store(&cases[i], true);
		char *one, *other, *again;

		judge_it(forth, &cases[i]);
		judge_it(back, &cases[i]);
		one = json_of(forth);
		other = json_of(back);
		judge_it(forth, &cases[i]);
		again = json_of(forth);
		if (strcmp(one, other) != 0 || strcmp(one, again) != 0)
			fail_msg("%s:\n%s%s%s", cases[i].name, one, other, again);
		free(one);
		free(other);
		free(again);
		store_close(&forth);
		store_close(&back);
	}
}

/* A flow without SNI to 192.0.2.9, and the DNS answers that may name it. */
static const struct {
	const char *name;
	struct { const char *asked_by, *name; int at_s; } answers[3];
	const char *want;		/* owner, named by, ambiguous */
} names[] = {
	{ "no answer", { { NULL } }, "as64500 asn 0\n" },
	{ "an answer before", { { PC, "imap.provider.test", 90 } }, "provider dns 0\n" },
	{ "an answer after", { { PC, "imap.provider.test", 101 } }, "as64500 asn 0\n" },
	{ "an answer to another client", { { PHONE, "imap.provider.test", 90 } }, "as64500 asn 0\n" },
	{ "the latest of two, the first had expired",
	  { { PC, "www.other.test", -250 }, { PC, "imap.provider.test", 90 } }, "provider dns 0\n" },
	{ "two that are valid, of different owners",
	  { { PC, "www.other.test", 80 }, { PC, "imap.provider.test", 90 } }, "provider dns 1\n" },
	{ "two that are valid, of one owner",
	  { { PC, "smtp.provider.test", 80 }, { PC, "imap.provider.test", 90 } }, "provider dns 0\n" },
};

static void a_flow_is_named_by_what_its_client_was_told_before(void **state)
{
	static const struct judge_case c = { .name = "naming",
		.flows = { { PC, "192.0.2.9", 993, 900, 5000, .at_s = 100 } } };
	char got[256];

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct store *st = case_store(&c, false);
		struct fact fact;

		for (unsigned k = 0; k < 3 && names[i].answers[k].asked_by != NULL; k++) {
			case_name(&fact, k + 1, names[i].answers[k].asked_by, names[i].answers[k].name,
				  "192.0.2.9", names[i].answers[k].at_s);
			assert_true(store_add(st, &fact, 1));
		}
		judge_it(st, &c);
		got[0] = '\0';
		case_ask(st, "SELECT owner, named_by, ambiguous FROM seen", got, sizeof(got));
		if (strcmp(got, names[i].want) != 0)
			fail_msg("%s: got %s want %s", names[i].name, got, names[i].want);
		store_close(&st);
	}
}

/* GREASE hides nothing; ECH with the public name that an HTTPS record gave this client hides the host. */
static void little_to_each_of_many_nameless_is_much(void **state)
{
	static const struct judge_case c = { .name = "little to each", .provider = "provider",
		.flows = { { PROVIDER }, { PC, "198.51.100.7", 443, 900, 90 }, { PC, "198.51.100.8", 443, 900, 90 } } };
	struct store *st = case_store(&c, false);
	char got[1000];
	(void)state;

	for (int threshold = 1801; threshold >= 1800; threshold--) {
		char sql[100];

		snprintf(sql, sizeof(sql), "UPDATE threshold SET value = %d WHERE name = 'unnamed-all-bytes'",
			 threshold);
		assert_true(store_exec(st, sql));
		judge_it(st, &c);
		outcome(st, got, sizeof(got));
		assert_string_equal(got, threshold > 1800 ? PC " clean sealed\n" : PC " cannot-say sealed\n");
	}
	store_close(&st);
}

static void ech_counts_only_with_its_record(void **state)
{
	static const struct judge_case c = { .name = "ECH", .provider = "provider",
		.flows = { { PROVIDER }, { PC, "192.0.2.9", 443, 5000, 900, "public.test", .ech = true } } };
	static const char *const want[] = { PC " clean sealed\n", PC " cannot-say sealed\n" };
	char got[256];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct store *st = case_store(&c, false);
		struct fact fact;

		case_name(&fact, 1, PC, "hidden.test", "192.0.2.9", -1);
		fact.name.ech = true;
		strcpy(fact.name.public_name, i == 0 ? "elsewhere.test" : "public.test");
		assert_true(store_add(st, &fact, 1));
		judge_it(st, &c);
		outcome(st, got, sizeof(got));
		assert_string_equal(got, want[i]);
		store_close(&st);
	}
}

static void where_nobody_is_judged_what_hides_is_told(void **state)
{
	static const struct { struct judge_case c; const char *want; } each[] = {
		{ { .name = "a tunnel", .flows = { { PC, "198.51.100.9", 51820, 5000, 900, .udp = true, .opaque = true },
			{ PHONE, "192.0.2.80", 443, 5000, 900, "www.paper.test" } } },
		  "No client with mail contact, or contact with a vendor's mail service, was seen.\n"
		  PC ": It sent 5000 bytes through 198.51.100.9 (tunnel), where others' traffic cannot be seen. A capture"
		  " behind it would settle it.\n" },
		{ { .name = "the same, of a host that is not asked for", .client = PHONE,
		    .flows = { { PC, "198.51.100.9", 51820, 5000, 900, .udp = true, .opaque = true } } },
		  "No client with mail contact, or contact with a vendor's mail service, was seen.\n" },
		{ { .name = "another is judged", .flows = { { PC, "198.51.100.9", 51820, 5000, 900, .udp = true, .opaque = true },
			{ PHONE, "192.0.2.1", 993, 900, 50000, "imap.provider.test" } } }, "" },
	};
	char got[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		struct store *st = case_store(&each[i].c, false);

		judge_it(st, &each[i].c);
		got[0] = '\0';
		case_ask(st, "SELECT sentence FROM because WHERE client = 0 ORDER BY place", got, sizeof(got));
		assert_string_equal(got, each[i].want);
		store_close(&st);
	}
}

static void an_unknown_provider_is_told_and_nothing_is_judged(void **state)
{
	static const struct judge_case c = { .name = "nobody", .flows = { { PROVIDER } } };
	struct store *st = case_store(&c, false);
	struct policy *policy = policy_new();
	char error[128];

	(void)state;
	assert_true(policy_provider(policy, "nobody", error, sizeof(error)));
	assert_false(judge(st, policy, &small_book));
	assert_string_equal(store_error(st), "--provider: nobody is no owner of the catalogue and no domain");
	policy_free(&policy);
	store_close(&st);
}

static void the_exit_status_is_the_worst_news(void **state)
{
	static const struct { enum source_how how; int clean, leak; } statuses[] = {
		{ SOURCE_COMPLETE, 0, 1 }, { SOURCE_TRUNCATED, 65, 1 }, { SOURCE_DAMAGED, 65, 1 },
		{ SOURCE_EMPTY, 65, 1 }, { SOURCE_NOT_A_CAPTURE, 65, 1 }, { SOURCE_UNREADABLE, 66, 1 },
	};
	static const struct judge_case clean = { .name = "clean", .provider = "provider", .flows = { { PROVIDER } } };
	static const struct judge_case leak = { .name = "leak", .provider = "provider",
		.flows = { { BIG_UP(300000) }, { PC, "203.0.113.6", 443, 700, 900, "setup.big.test" } } };
	static const struct judge_case nothing = { .name = "nothing" };

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof(statuses) / sizeof(statuses[0]); i++) {
		const struct judge_case *c = i % 2 == 0 ? &clean : &leak;
		struct source_end end = { .path = "a", .how = statuses[i / 2].how };
		struct store *st = case_store(c, false);

		assert_true(store_source(st, 0, &end));
		judge_it(st, c);
		assert_int_equal(judge_exit_status(st), i % 2 == 0 ? statuses[i / 2].clean : statuses[i / 2].leak);
		store_close(&st);
	}
	struct store *st = case_store(&nothing, false);

	judge_it(st, &nothing);
	assert_int_equal(judge_exit_status(st), 2);
	store_close(&st);
}

static void a_loss_of_the_whole_run_touches_every_client(void **state)
{
	static const struct judge_case c = { .name = "drops", .provider = "provider",
		.flows = { { PROVIDER }, { PHONE, "192.0.2.1", 993, 900, 5000, "imap.provider.test" } } };
	struct loss drops = { .reason = LOSS_KERNEL, .packets = 7 };
	struct loss fragments = { .reason = LOSS_FRAGMENT, .has_hosts = true };
	char got[256];

	(void)state;
	struct store *st = case_store(&c, false);

	address(PHONE, fragments.dst);
	assert_true(store_loss(st, &fragments));
	judge_it(st, &c);
	outcome(st, got, sizeof(got));
	assert_string_equal(got, PC " clean sealed\n" PHONE " cannot-say sealed\n");
	assert_true(store_loss(st, &drops));
	judge_it(st, &c);
	outcome(st, got, sizeof(got));
	assert_string_equal(got, PC " cannot-say sealed\n" PHONE " cannot-say sealed\n");
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_and_verdicts_are_what_the_facts_show),
		cmocka_unit_test(a_pull_from_several_addresses_is_not_said_of_one),
		cmocka_unit_test(the_order_in_which_facts_came_changes_nothing),
		cmocka_unit_test(a_flow_is_named_by_what_its_client_was_told_before),
		cmocka_unit_test(little_to_each_of_many_nameless_is_much),
		cmocka_unit_test(ech_counts_only_with_its_record),
		cmocka_unit_test(where_nobody_is_judged_what_hides_is_told),
		cmocka_unit_test(an_unknown_provider_is_told_and_nothing_is_judged),
		cmocka_unit_test(the_exit_status_is_the_worst_news),
		cmocka_unit_test(a_loss_of_the_whole_run_touches_every_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
