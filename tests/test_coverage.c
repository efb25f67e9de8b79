/* What was seen of a client, where all that it sent went, and the verdicts of its accounts. */
#include "tests/case.h"

#define PC "192.168.1.10"
#define PHONE "192.168.1.11"
#define PROVIDER PC, "192.0.2.1", 993, 900, 50000, "imap.provider.test"

struct coverage_case {
	const char *name;
	struct flow_case flows[5];
	const char *filter;
	const char *seen;		/* of PC */
	const char *accounted;
	const char *said;		/* the sentence on it; "" where there is none */
};

static const struct coverage_case cases[] = {
	{ .name = "a session", .flows = { { PROVIDER, .for_s = 29 } },
	  .seen = "watched 29.0 s, 27 packets, 900 bytes up; nothing known to be missing\n",
	  .accounted = "900 900 0 0 0 0 0 1\n",
	  .said = "All 900 bytes that it sent are accounted for: 900 to its mail provider, 0 to others, 0 to local"
		" hosts.\n" },
	{ .name = "everywhere", .flows = { { PROVIDER }, { PC, "192.0.2.80", 443, 5000, 9, "www.paper.test" },
		{ PC, "192.0.2.81", 443, 500, 9, "www.else.test" }, { PC, "198.51.100.9", 80, 70, 7 },
		{ PC, "192.168.1.1", 80, 30, 8 } },
	  .seen = "watched 0.0 s, 178 packets, 6,500 bytes up; nothing known to be missing\n",
	  .accounted = "6500 900 5500 2 70 30 0 1\n",
	  .said = "All 6,500 bytes that it sent are accounted for: 900 to its mail provider, 5,500 to 2 others, 30 to local"
		" hosts, 70 to addresses that nothing names.\n" },
	{ .name = "what another client asked of it", .flows = { { PROVIDER }, { PHONE, PC, 80, 40, 2000 } },
	  .seen = "watched 0.0 s, 36 packets, 2,900 bytes up; nothing known to be missing\n",
	  .accounted = "2900 900 0 0 0 0 2000 1\n",
	  .said = "All 2,900 bytes that it sent are accounted for: 900 to its mail provider, 0 to others, 0 to local"
		" hosts, 2,000 in answer to other clients.\n" },
	{ .name = "what somebody outside asked of it", .flows = { { PROVIDER }, { "198.51.100.1", PC, 80, 40, 2000 } },
	  .seen = "watched 0.0 s, 36 packets, 2,900 bytes up; nothing known to be missing\n",
	  .accounted = "2900 900 0 0 2000 0 0 1\n",
	  .said = "All 2,900 bytes that it sent are accounted for: 900 to its mail provider, 0 to others, 0 to local"
		" hosts, 2,000 to addresses that nothing names.\n" },
	{ .name = "what it says to itself",
	  .flows = { { PROVIDER }, { PC, PC, 80, 40, 2000 } },
	  .seen = "watched 0.0 s, 36 packets, 2,940 bytes up; nothing known to be missing\n",
	  .accounted = "2940 900 0 0 0 40 2000 1\n",
	  .said = "All 2,940 bytes that it sent are accounted for: 900 to its mail provider, 0 to others, 40 to local"
		" hosts, 2,000 in answer to other clients.\n" },
	{ .name = "two addresses of one card", .flows = { { PROVIDER, .mac = "\2\0\0\0\0\1" },
		{ "2001:db8:1::10", "2001:db8:2::1", 993, 100, 5000, "imap.provider.test", .mac = "\2\0\0\0\0\1" } },
	  .seen = "watched 0.0 s, 38 packets, 1,000 bytes up; nothing known to be missing\n",
	  .accounted = "1000 1000 0 0 0 0 0 1\n",
	  .said = "All 1,000 bytes that it sent are accounted for: 1,000 to its mail provider, 0 to others, 0 to local"
		" hosts.\n" },
	{ .name = "something was lost", .flows = { { PROVIDER, .missing = 4380, .for_s = 120 } },
	  .seen = "watched 2 min, 27 packets, 900 bytes up; missing: gap 4,380 bytes\n",
	  .accounted = "900 900 0 0 0 0 0 1\n", .said = "" },
	{ .name = "something was left out", .filter = "port 993", .flows = { { PROVIDER, .for_s = 7200 } },
	  .seen = "watched 2 h, 27 packets, 900 bytes up; missing: what the filter left out\n",
	  .accounted = "900 900 0 0 0 0 0 1\n", .said = "" },
	{ .name = "a third party got it",
	  .flows = { { PROVIDER }, { PC, "192.0.2.50", 993, 99100, 50, "imap.other.test" } },
	  .seen = "watched 0.0 s, 2,100 packets, 100 kB up; nothing known to be missing\n",
	  .accounted = "100000 900 99100 1 0 0 0 1\n", .said = "" },
};

static struct store *case_store(const struct coverage_case *c)
{
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));
	struct fact facts[3];

	assert_true(store_run(st, &(struct run_info){ .version = "", .ndpi_version = "", .catalogue_version = "",
		.asn_database = "", .attribution = "", .command_line = "", .scope = "mail services only",
		.filter = c->filter != NULL ? c->filter : "" }));
	for (unsigned i = 0; i < 5 && c->flows[i].from != NULL; i++) {
		unsigned count = case_flow(&c->flows[i], i + 1, facts);

		for (unsigned k = 0; k < count; k++)
			assert_true(store_add(st, &facts[k], 1));
	}
	return st;
}

static void judge_it(struct store *st)
{
	struct policy *policy = policy_new();
	char error[256];

	assert_true(policy_provider(policy, "provider", error, sizeof(error)));
	if (!judge(st, policy, &small_book))
		fail_msg("%s", store_error(st));
	policy_free(&policy);
}

static void is(struct store *st, const char *name, const char *sql, const char *want)
{
	char got[512] = "";

	case_ask(st, sql, got, sizeof(got));
	if (strcmp(got, want) != 0)
		fail_msg("%s\n got: %s want: %s", name, got, want);
}

#define OF_PC "client = (SELECT client FROM client_address WHERE host(address) = '" PC "')"
#define BALANCE "SELECT sent, to_provider, to_others, others, to_unnamed, to_local, to_clients, complete FROM balance" \
	" WHERE " OF_PC
#define SAID "SELECT sentence FROM because WHERE sentence LIKE '%accounted for%' AND " OF_PC

static void all_that_a_client_sent_is_accounted_for(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store *st = case_store(&cases[i]);

		judge_it(st);
		is(st, cases[i].name, "SELECT words FROM coverage_words WHERE " OF_PC, cases[i].seen);
		is(st, cases[i].name, BALANCE, cases[i].accounted);
		is(st, cases[i].name, SAID, cases[i].said);
		store_close(&st);
	}
}

/* A byte that a table forgets, whichever. */
static void no_client_is_clean_when_the_ledger_does_not_add_up(void **state)
{
	static const char *const mistakes[] = {
		"CREATE TRIGGER t AFTER INSERT ON traffic WHEN new.up = 30 BEGIN UPDATE traffic SET up = 29"
		" WHERE up = 30; END",
		"CREATE TRIGGER t AFTER INSERT ON traffic WHEN new.up = 900 BEGIN UPDATE traffic SET up = 901"
		" WHERE up = 900; END",
		"CREATE TRIGGER t AFTER INSERT ON destination WHEN new.bytes_up = 5000 BEGIN DELETE FROM destination"
		" WHERE bytes_up = 5000; END",
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct store *st = case_store(&cases[1]);

		judge_it(st);
		is(st, "unbroken", "SELECT verdict FROM client WHERE judged", "clean\n");
		assert_true(store_exec(st, mistakes[i]));
		judge_it(st);
		is(st, mistakes[i], "SELECT third_party FROM client WHERE judged", "cannot-say\n");
		is(st, mistakes[i], SAID, "");
		is(st, mistakes[i], "SELECT complete FROM balance", "0\n");
		store_close(&st);
	}
}

#define CLEAR(to, who) PC, to, 143, 900, 5000, .app = "imap", .mail = true, .proto = MAIL_IMAP, .sni = NULL, \
	.transport = MAIL_PLAINTEXT, .mechanism = "LOGIN", .account = who
#define LAN_SERVER "192.168.1.1"

static const struct { const char *name; struct coverage_case facts; const char *want; } account_cases[] = {
	{ "none can be read", { .flows = { { PROVIDER } } }, "" },
	{ "one of two with its password in clear",
	  { .flows = { { PROVIDER }, { CLEAR(LAN_SERVER, "ann"), .credential = CREDENTIAL_REUSABLE },
		{ CLEAR(LAN_SERVER, "bob"), .credential = CREDENTIAL_HARDENED } } },
	  "ann clean exposed leak 1 cleartext-credential\nbob clean cannot-say cannot-say 1 \n" },
	{ "one of two with a third party",
	  { .flows = { { PROVIDER }, { CLEAR("203.0.113.5", "ann"), .credential = CREDENTIAL_HARDENED },
		{ CLEAR(LAN_SERVER, "bob"), .credential = CREDENTIAL_HARDENED } } },
	  "ann leak cannot-say leak 1 third-party-mail\nbob clean cannot-say cannot-say 1 \n" },
	{ "a leak that names no account concerns all",
	  { .flows = { { PC, "203.0.113.5", 443, 300000, 9000, "mail.big.test" },
		{ "198.51.100.1", PC, 143, 900, 500, .app = "imap", .mail = true, .proto = MAIL_IMAP,
		  .transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_HARDENED, .mechanism = "SCRAM", .account = "bob" } } },
	  "bob leak cannot-say leak 0 cloud-relay\n" },
	{ "what could not be seen concerns all",
	  { .flows = { { PROVIDER, .missing = 9 }, { CLEAR(LAN_SERVER, "bob"), .credential = CREDENTIAL_HARDENED } } },
	  "bob cannot-say cannot-say cannot-say 1 \n" },
	{ "a suspicion of another account does not",
	  { .flows = { { PROVIDER }, { CLEAR(LAN_SERVER, "bob"), .credential = CREDENTIAL_HARDENED },
		{ "203.0.113.1", PC, 143, 900, 500, .app = "imap", .mail = true, .proto = MAIL_IMAP,
		  .transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_HARDENED, .mechanism = "SCRAM", .account = "joe" } } },
	  "bob clean cannot-say cannot-say 1 \njoe cannot-say cannot-say cannot-say 1 vendor-pull\n" },
};

static void an_account_has_the_verdict_of_what_concerns_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(account_cases) / sizeof(account_cases[0]); i++) {
		struct store *st = case_store(&account_cases[i].facts);

		judge_it(st);
		is(st, account_cases[i].name, "SELECT account, third_party, path, verdict, named, coalesce((SELECT"
		   " group_concat(kind) FROM account_finding AS x JOIN finding AS f ON f.id = x.finding"
		   " WHERE x.account = w.account), '') FROM account_words AS w ORDER BY account", account_cases[i].want);
		store_close(&st);
	}
}

/* Frames of a flow as case.h gives them: flow n begins at 10n + 1; its hello and the first bytes sent up are
 * 3 later, its login 5, the last bytes sent up 7. */
static void a_finding_names_the_frames_that_show_it(void **state)
{
	static const struct coverage_case c = { .flows = {
		{ PC, "192.0.2.9", 143, 900, 5000, .app = "imap", .mail = true, .proto = MAIL_IMAP, .at_s = 100,
		  .transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_HARDENED, .mechanism = "SCRAM", .account = "ann" } } };
	struct store *st = case_store(&c);
	struct fact fact;

	(void)state;
	case_name(&fact, 5, PC, "imap.other.test", "192.0.2.9", 90);
	assert_true(store_add(st, &fact, 1));
	case_name(&fact, 6, PHONE, "imap.other.test", "192.0.2.9", 95);
	assert_true(store_add(st, &fact, 1));
	judge_it(st);
	is(st, "frames", "SELECT f.kind, group_concat(e.frame, ' ') FROM finding AS f JOIN evidence AS e ON"
	   " e.finding = f.id WHERE f.kind = 'third-party-mail' GROUP BY f.id", "third-party-mail 5 14 16 18\n");
	is(st, "nothing is cut", "SELECT * FROM evidence_cut", "");
	assert_true(store_exec(st, "UPDATE threshold SET value = 2 WHERE name = 'evidence-frames'"));
	judge_it(st);
	is(st, "two and the last", "SELECT f.kind, group_concat(e.frame, ' ') FROM finding AS f JOIN evidence AS e ON"
	   " e.finding = f.id WHERE f.kind = 'third-party-mail' GROUP BY f.id", "third-party-mail 5 14 18\n");
	is(st, "and one is left out", "SELECT frames FROM evidence_cut JOIN finding AS f ON f.id = finding"
	   " WHERE f.kind = 'third-party-mail'", "1\n");
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_a_client_sent_is_accounted_for),
		cmocka_unit_test(no_client_is_clean_when_the_ledger_does_not_add_up),
		cmocka_unit_test(a_finding_names_the_frames_that_show_it),
		cmocka_unit_test(an_account_has_the_verdict_of_what_concerns_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
