/* Two vantage points: what a vendor's login at a server says of a client that had contact with that vendor, and
 * what it does not say. */
#include "tests/case.h"

#define PC "192.168.1.10"
#define PHONE "192.168.1.11"
#define SERVER "192.168.1.5"
#define CASE_FLOWS 4
#define SETUP PC, "203.0.113.6", 443, 700, 900, .sni = "setup.big.test"
#define SENT(bytes) PC, "203.0.113.5", 443, bytes, 900, .sni = "mail.big.test"
#define AT_SERVER(seconds) .source = 1, .at_s = seconds
#define BIG "203.0.113.9"
#define LOGIN_TLS(seconds) BIG, SERVER, 993, 900, 5000, .sni = "mx.kanzlei.test", AT_SERVER(seconds)
#define LOGIN(by, who, got_in, seconds) by, SERVER, 143, 900, 5000, .mail = true, .transport = MAIL_PLAINTEXT, \
	.credential = CREDENTIAL_REUSABLE, .mechanism = "PLAIN", .account = who, .accepted = got_in, AT_SERVER(seconds)
#define LOGIN_AS(who, seconds) LOGIN(BIG, who, true, seconds)
#define OWN_SESSION_AS(who) PC, "192.0.2.1", 143, 900, 5000, .mail = true, .transport = MAIL_PLAINTEXT, \
	.credential = CREDENTIAL_REUSABLE, .mechanism = "PLAIN", .account = who, .accepted = true
#define SETUP_FOUND "relay-setup strong " PC " big\n"
#define PULL(strength) "vendor-pull " strength " " SERVER " big\n"
#define RELAY(strength) "cloud-relay " strength " " PC " big\n"

struct joint_case {
	const char *name;
	struct flow_case flows[CASE_FLOWS];
	const char *canary, *client;	/* NULL: not given */
	const char *want;		/* leaks */
	const char *tie;
};

static const struct joint_case cases[] = {
	{ .name = "set-up, then a login under TLS",
	  .flows = { { SETUP }, { LOGIN_TLS(300) } },
	  .want = RELAY("strong") SETUP_FOUND PULL("strong"), .tie = "order" },
	{ .name = "the login first",
	  .flows = { { SETUP }, { LOGIN_TLS(-300) } }, .want = SETUP_FOUND PULL("strong"), .tie = "" },
	{ .name = "as early as clocks may differ",
	  .flows = { { SETUP }, { LOGIN_TLS(-60) } },
	  .want = RELAY("strong") SETUP_FOUND PULL("strong"), .tie = "order" },
	{ .name = "a second earlier",
	  .flows = { { SETUP }, { LOGIN_TLS(-61) } }, .want = SETUP_FOUND PULL("strong"), .tie = "" },
	{ .name = "as late as can be",
	  .flows = { { SETUP }, { LOGIN_TLS(3660) } },
	  .want = RELAY("strong") SETUP_FOUND PULL("strong"), .tie = "order" },
	{ .name = "a second later",
	  .flows = { { SETUP }, { LOGIN_TLS(3661) } }, .want = SETUP_FOUND PULL("strong"), .tie = "" },
	{ .name = "not the first login",
	  .flows = { { SETUP }, { LOGIN_TLS(300) }, { LOGIN_TLS(-900) } },
	  .want = SETUP_FOUND PULL("strong"), .tie = "" },
	{ .name = "one that was under way",
	  .flows = { { SETUP }, { LOGIN_TLS(300), .no_syn = true } },
	  .want = SETUP_FOUND PULL("strong"), .tie = "" },
	{ .name = "a client that no rule names",
	  .flows = { { SENT(5000) }, { LOGIN_TLS(300) } }, .want = PULL("strong"), .tie = "" },
	{ .name = "another client had contact too",
	  .flows = { { SETUP }, { PHONE, "203.0.113.5", 443, 500, 900, .sni = "mail.big.test" }, { LOGIN_TLS(300) } },
	  .want = SETUP_FOUND PULL("strong"), .tie = "" },
	{ .name = "and --client says who was tested",
	  .flows = { { SETUP }, { PHONE, "203.0.113.5", 443, 500, 900, .sni = "mail.big.test" }, { LOGIN_TLS(300) } },
	  .client = PC, .want = RELAY("strong") SETUP_FOUND PULL("strong"), .tie = "order" },
	{ .name = "one vantage point for both",
	  .flows = { { SETUP }, { BIG, SERVER, 993, 900, 5000, .sni = "mx.kanzlei.test", .at_s = 300 } },
	  .want = SETUP_FOUND PULL("strong"), .tie = "" },
	{ .name = "another vendor's client",
	  .flows = { { PC, "192.0.2.7", 443, 300000, 900, .sni = "mail.relay.test" }, { LOGIN_AS("canary", 300) } },
	  .canary = "canary", .want = "cloud-relay strong " PC " relay\n" PULL("proven"), .tie = "" },
	{ .name = "a login from elsewhere",
	  .flows = { { SETUP }, { LOGIN("198.51.100.9", "canary", true, 300) } },
	  .canary = "canary", .want = SETUP_FOUND, .tie = "" },
	{ .name = "the canary",
	  .flows = { { SENT(500) }, { LOGIN_AS("canary", 300) } },
	  .canary = "canary", .want = RELAY("proven") PULL("proven"), .tie = "canary" },
	{ .name = "whenever it was",
	  .flows = { { SENT(500) }, { LOGIN_AS("canary", -900) } },
	  .canary = "canary", .want = RELAY("proven") PULL("proven"), .tie = "canary" },
	{ .name = "declared with its domain",
	  .flows = { { SENT(500) }, { LOGIN_AS("canary", 300) } },
	  .canary = "Canary@lab.test", .want = RELAY("proven") PULL("proven"), .tie = "canary" },
	{ .name = "no other's login",
	  .flows = { { SENT(500) }, { LOGIN_AS("canaryan", 300) } },
	  .canary = "canary", .want = PULL("proven"), .tie = "" },
	{ .name = "not under TLS",
	  .flows = { { SENT(500) }, { LOGIN_TLS(300) } }, .canary = "canary", .want = PULL("strong"), .tie = "" },
	{ .name = "not when it was refused",
	  .flows = { { SENT(500) }, { LOGIN(BIG, "canary", false, 300) } },
	  .canary = "canary", .want = PULL("suspected"), .tie = "" },
	{ .name = "got in the second time",
	  .flows = { { SENT(500) }, { LOGIN(BIG, "canary", false, 300) }, { LOGIN_AS("canary", 400) } },
	  .canary = "canary", .want = RELAY("proven") PULL("proven"), .tie = "canary" },
	{ .name = "two may have been tested",
	  .flows = { { SENT(500) }, { PHONE, "203.0.113.5", 443, 500, 900, .sni = "mail.big.test" }, { LOGIN_AS("canary", 300) } },
	  .canary = "canary", .want = PULL("proven"), .tie = "" },
	{ .name = "the client's own account, and its set-up",
	  .flows = { { OWN_SESSION_AS("anna") }, { SETUP }, { LOGIN_AS("anna", -900) } },
	  .want = RELAY("proven") SETUP_FOUND PULL("proven"), .tie = "account" },
	{ .name = "its account, but the login was refused",
	  .flows = { { OWN_SESSION_AS("anna") }, { SETUP }, { LOGIN(BIG, "anna", false, 300) } },
	  .want = SETUP_FOUND PULL("suspected"), .tie = "" },
	{ .name = "its account, at one vantage point",
	  .flows = { { OWN_SESSION_AS("anna") }, { SETUP }, { BIG, SERVER, 143, 900, 5000, .mail = true,
		     .transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_REUSABLE, .mechanism = "PLAIN",
		     .account = "anna", .accepted = true, .at_s = 300 } },
	  .want = SETUP_FOUND PULL("proven"), .tie = "" },
	{ .name = "its account, in order",
	  .flows = { { OWN_SESSION_AS("anna") }, { SENT(500) }, { LOGIN_AS("anna", 300) } },
	  .want = RELAY("proven") PULL("proven"), .tie = "account" },
	{ .name = "its account, not in order",
	  .flows = { { OWN_SESSION_AS("anna") }, { SENT(500) }, { LOGIN_AS("anna", -900) } },
	  .want = PULL("proven"), .tie = "" },
	{ .name = "another's account",
	  .flows = { { OWN_SESSION_AS("anna") }, { SENT(500) }, { LOGIN_AS("bert", 300) } },
	  .want = PULL("proven"), .tie = "" },
	{ .name = "another's account, but set-up in order",
	  .flows = { { OWN_SESSION_AS("anna") }, { SETUP }, { LOGIN_AS("bert", 300) } },
	  .want = RELAY("strong") SETUP_FOUND PULL("proven"), .tie = "order" },
	{ .name = "what was strong becomes proven",
	  .flows = { { SENT(300000) }, { LOGIN_AS("canary", 300) } },
	  .canary = "canary", .want = RELAY("proven") PULL("proven"), .tie = "canary" },
};

static struct store *case_store(const struct joint_case *c)
{
	static const char *const vantages[] = { "client", "server" };
	struct source_end end = { .path = "a", .how = SOURCE_COMPLETE };
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));
	struct fact facts[3 * CASE_FLOWS];
	unsigned count = 0;

	assert_non_null(st);
	for (unsigned i = 0; i < CASE_FLOWS && c->flows[i].from != NULL; i++)
		count += case_flow(&c->flows[i], i + 1, &facts[count]);
	assert_true(store_add(st, facts, count));
	for (unsigned i = 0; i < 2; i++) {
		assert_true(store_source(st, i, &end));
		assert_true(store_vantage(st, i, vantages[i]));
	}
	return st;
}

static void judge_it(struct store *st, const struct joint_case *c)
{
	struct policy *policy = policy_new();
	char error[256];

	assert_true(policy_provider(policy, "provider", error, sizeof(error)));
	assert_true(c->canary == NULL || policy_canary(policy, c->canary, error, sizeof(error)));
	assert_true(c->client == NULL || policy_client(policy, c->client, error, sizeof(error)));
	if (!judge(st, policy, &small_book))
		fail_msg("%s: %s", c->name, store_error(st));
	policy_free(&policy);
}

static void a_login_at_the_server_confirms_only_whom_it_can(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct joint_case *c = &cases[i];
		struct store *st = case_store(c);
		char got[1000] = "", tie[100] = "", tie_wanted[100] = "";

		/* Judged twice: nothing of the first time is left over. */
		judge_it(st, c);
		judge_it(st, c);
		case_ask(st, "SELECT f.kind, f.strength, host(c.address), f.owner FROM finding AS f JOIN client AS c"
			" ON c.id = f.client WHERE f.class = 'leak' ORDER BY f.kind, c.id", got, sizeof(got));
		case_ask(st, "SELECT tie FROM joint", tie, sizeof(tie));
		if (c->tie[0] != '\0')
			snprintf(tie_wanted, sizeof(tie_wanted), "%s\n", c->tie);
		if (strcmp(tie, tie_wanted) != 0)
			fail_msg("%s: tied by %s", c->name, tie);
		if (strcmp(got, c->want) != 0)
			fail_msg("%s\n got: %s want: %s", c->name, got, c->want);
		store_close(&st);
	}
}

static void a_confirmed_finding_shows_frames_of_both_captures(void **state)
{
	static const struct joint_case c = { .name = "the canary", .flows = { { SENT(500) }, { LOGIN_AS("canary", 42) } },
		.canary = "canary" };
	struct store *st = case_store(&c);
	char got[1000] = "";

	(void)state;
	judge_it(st, &c);
	case_ask(st, "SELECT e.frame >> 40, e.frame & 0xffffff FROM evidence AS e JOIN finding AS f ON f.id = e.finding"
		" WHERE f.kind = 'cloud-relay' ORDER BY e.frame", got, sizeof(got));
	assert_string_equal(got, "0 14\n0 18\n1 21\n1 26\n1 30\n");
	got[0] = '\0';
	case_ask(st, "SELECT account, sentence FROM finding WHERE kind = 'cloud-relay'", got, sizeof(got));
	assert_string_equal(got, "canary " PC " sent 500 bytes to the mail service of Big. At the vantage point server,"
		" Big at 203.0.113.9 logged in to " SERVER " as canary, 42.0 seconds after its first contact with this"
		" client; the password of that account was typed into this client alone (--canary).\n");
	store_close(&st);
}

/* A private address is somebody at each place. */
static void one_address_at_two_vantage_points_is_two_clients(void **state)
{
	static const struct joint_case c = { .name = "twice", .flows = {
		{ PC, "192.0.2.1", 993, 900, 5000, .sni = "imap.provider.test" },
		{ PC, "192.0.2.1", 993, 700, 5000, "imap.provider.test", .source = 1 },
		{ PC, "203.0.113.5", 443, 300000, 900, .source = 1 } } };
	struct store *st = case_store(&c);
	struct fact fact;
	char got[1000] = "";

	(void)state;
	case_name(&fact, 1, PC, "mail.other.test", "203.0.113.5", -1);	/* the other PC's look-up */
	assert_true(store_add(st, &fact, 1));
	judge_it(st, &c);
	case_ask(st, "SELECT host(c.address), c.vantage, d.owner, d.bytes_up, d.named_by FROM client AS c"
		" JOIN destination AS d ON d.client = c.id ORDER BY c.id, d.owner", got, sizeof(got));
	assert_string_equal(got, PC " client provider 900 sni\n" PC " server big 300000 prefix\n"
		PC " server provider 700 sni\n");
	store_close(&st);
}

/* Facts come before it is known where their file was recorded. */
static void who_notes_hosts_while_facts_come_knows_the_only_vantage_point_too(void **state)
{
	static const struct flow_case mail = { PC, "192.0.2.1", 993, 900, 5000, .sni = "imap.provider.test" };
	struct source_end end = { .path = "a", .how = SOURCE_COMPLETE };
	struct policy *policy = policy_new();
	struct judgement *judgement;
	struct fact facts[3];
	char error[256], got[100] = "";
	struct store *st = store_create(NULL, error, sizeof(error));

	(void)state;
	assert_non_null(st);
	judgement = judgement_new(st, policy, &small_book, false);
	assert_true(store_add(st, facts, case_flow(&mail, 1, facts)));
	assert_true(store_source(st, 0, &end) && store_vantage(st, 0, "server"));
	assert_true(judgement_renew(judgement));
	case_ask(st, "SELECT vantage FROM client UNION ALL SELECT vantage FROM client_address", got, sizeof(got));
	assert_string_equal(got, "server\nserver\n");
	judgement_free(&judgement);
	policy_free(&policy);
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_login_at_the_server_confirms_only_whom_it_can),
		cmocka_unit_test(a_confirmed_finding_shows_frames_of_both_captures),
		cmocka_unit_test(one_address_at_two_vantage_points_is_two_clients),
		cmocka_unit_test(who_notes_hosts_while_facts_come_knows_the_only_vantage_point_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
