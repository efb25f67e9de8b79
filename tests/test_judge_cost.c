/* What work grows with, counted in steps of SQLite's machine: no clock, so a loaded machine finds the same. */
#include "tests/case.h"

#define FEW 150
#define TIMES 4
#define FLOWS 7			/* of a client */
#define STEPS 100		/* counted at once */
#define SLICE 500		/* flows */

static const char *text(char out[40], const char *format, unsigned number)
{
	snprintf(out, 40, format, number >> 8, number & 255);
	return out;
}

/* Of three kinds: who logs in, readable, at one nameless server, and is fetched from; who has a provider under TLS,
 * and sends to a vendor beside; who sends and fetches mail in clear, at servers that others have as well. */
static unsigned add_client(unsigned number, struct fact *out)
{
	char from[40], alone[40], account[40];
	const char *pc = text(from, "10.1.%u.%u", number), *server = text(alone, "198.51.%u.%u", number);
	const char *ann = text(account, "ann%u.%u@site.example", number);
	const struct flow_case kinds[][FLOWS] = {
		{
			{ pc, server, 143, 900, 5000, .app = "imap", .mail = true, .credential = CREDENTIAL_REUSABLE,
			  .mechanism = "LOGIN", .account = ann, .accepted = true },
			{ pc, server, 143, 900, 5000, .app = "imap", .mail = true, .credential = CREDENTIAL_REUSABLE,
			  .mechanism = "LOGIN", .account = ann, .accepted = true, .at_s = 60 },
			{ pc, server, 443, 90000, 5000, .at_s = 70 },
			{ pc, "198.51.100.9", 443, 9000, 500, .sni = "www.other.test" },
			{ "203.0.113.9", pc, 993, 900, 50000, .sni = "home.dyn.test" },
		}, {
			{ pc, "192.0.2.1", 993, 900, 90000, .sni = "imap.provider.test" },
			{ pc, "192.0.2.1", 993, 900, 90000, .sni = "imap.provider.test", .at_s = 600 },
			{ pc, "192.0.2.2", 465, 9000, 900, .sni = "smtp.provider.test", .version = 0x0303, .at_s = 700 },
			{ pc, "192.0.2.1", 443, 9000, 90000, .sni = "www.provider.test", .at_s = 800 },
			{ pc, "192.0.2.9", 443, 90000, 900, .sni = "mail.big.test", .at_s = 900 },
			{ pc, "192.0.2.8", 443, 900, 900, .sni = "setup.big.test", .at_s = 1000 },
			{ pc, server, 443, 9000, 900, .at_s = 1100 },
		}, {
			{ pc, "192.0.2.3", 143, 900, 5000, .app = "imap", .mail = true, .credential = CREDENTIAL_REUSABLE,
			  .mechanism = "LOGIN", .account = ann, .accepted = true },
			{ pc, "192.0.2.3", 143, 900, 5000, .sni = "imap.site.test", .app = "imap", .mail = true,
			  .transport = MAIL_STARTTLS_USED, .at_s = 60 },
			{ pc, "192.0.2.4", 587, 900, 500, .app = "smtp", .mail = true, .proto = MAIL_SMTP,
			  .transport = MAIL_STARTTLS_REFUSED, .at_s = 70 },
			{ pc, "192.0.2.5", 25, 900, 500, .app = "smtp", .mail = true, .proto = MAIL_SMTP, .at_s = 80 },
			{ pc, server, 443, 90000, 900, .missing = 500, .at_s = 90 },
			{ pc, "192.0.2.7", 443, 9000, 900, .sni = "hidden.test", .ech = true, .at_s = 90 },
		},
	};
	const struct flow_case *flows = kinds[number % 3];
	unsigned count = 0;

	for (unsigned i = 0; i < FLOWS && flows[i].from != NULL; i++)
		count += case_flow(&flows[i], number * FLOWS + i + 1, &out[count]);
	if (number % 3 == 0)
		return count;
	case_lookup(&out[count++], number * 2 + 1, pc, "MX", "provider.test", "mx.provider.test");
	case_lookup(&out[count++], number * 2 + 2, pc, "CNAME", "autodiscover.provider.test", "setup.big.test");
	case_name(&out[count++], number, pc, "imap.site.test", "192.0.2.3", 0);
	case_name(&out[count++], number + (1u << 20), pc, "www.other.test", server, 0);
	return count;
}

static struct store *clients(unsigned count)
{
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));
	struct fact facts[3 * FLOWS + 4];

	assert_non_null(st);
	assert_true(store_run(st, &(struct run_info){ .version = "", .ndpi_version = "", .catalogue_version = "",
		.asn_database = "", .attribution = "", .command_line = "", .filter = "", .scope = RUN_MAIL_ONLY }));
	for (unsigned i = 0; i < count; i++)
		assert_true(store_add(st, facts, add_client(i, facts)));
	return st;
}

static int count_steps(void *count)
{
	++*(uint64_t *)count;
	return 0;
}

/* What SQLite does meanwhile is counted in *count. */
static void watch_steps(struct store *st, uint64_t *count)
{
	sqlite3_stmt *q = store_prepare(st, "SELECT 1");

	sqlite3_progress_handler(sqlite3_db_handle(q), STEPS, count_steps, count);
	sqlite3_finalize(q);
}

static uint64_t steps_to_judge(unsigned count, const char *provider)
{
	struct store *st = clients(count);
	struct policy *policy = policy_new();
	uint64_t steps = 0;
	char error[256];

	assert_true(provider == NULL || policy_provider(policy, provider, error, sizeof(error)));
	watch_steps(st, &steps);
	if (!judge(st, policy, &small_book))
		fail_msg("%s", store_error(st));
	/* That it is about something: each kind was judged. */
	assert_int_equal(store_number(st, "SELECT count(*) FROM client WHERE judged", 0), count);
	assert_true(store_number(st, "SELECT count(DISTINCT kind) FROM finding", 0) >= 4);
	/* No index sees to it. */
	assert_int_equal(store_number(st, "SELECT count(*) - count(DISTINCT key) FROM finding", -1), 0);
	store_close(&st);
	policy_free(&policy);
	return steps;
}

static void judging_four_times_as_many_clients_takes_four_times_the_work(void **state)
{
	static const char *const providers[] = { NULL, "provider" };

	(void)state;
	for (unsigned i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
		uint64_t few = steps_to_judge(FEW, providers[i]);
		uint64_t many = steps_to_judge(TIMES * FEW, providers[i]);

		/* Half of one more for what grows with the depth of trees. */
		if (2 * many > few * (2 * TIMES + 1))
			fail_msg("provider %s: %u clients took %llu steps, %u took %llu",
				 providers[i] != NULL ? providers[i] : "learnt", FEW, (unsigned long long)few * STEPS,
				 TIMES * FEW, (unsigned long long)many * STEPS);
	}
}

/* A slice of web, look-ups and mail under TLS by the same clients as in any other. */
static void add_slice(struct store *st, unsigned *number)
{
	struct fact facts[4];

	for (unsigned i = 0; i < SLICE; i++) {
		unsigned n = ++*number;
		char from[40], to[40];
		const char *pc = text(from, "10.1.%u.%u", n % 50), *server = text(to, "198.51.%u.%u", n % 40);
		const struct flow_case web = { pc, server, 443, 900, 5000, "www.else.test", .alpn = "h2", .at_s = (int)n };
		const struct flow_case mail = { pc, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .at_s = (int)n };
		unsigned count = case_flow(n % 25 == 0 ? &mail : &web, n, facts);

		case_name(&facts[count++], n, pc, "www.else.test", server, (int)n);
		assert_true(store_add(st, facts, count));
	}
	assert_true(store_run_until(st, T0 + (int64_t)(*number + 3600) * S));
}

/* Of the last of so many slices that came one after the other, and of all of them at once. */
static uint64_t steps_for_a_slice(unsigned slices, uint64_t *all_out)
{
	struct store *st = clients(0);
	struct policy *policy = policy_new();
	struct judgement *j = judgement_new(st, policy, &small_book, true);
	uint64_t steps = 0, before = 0;
	unsigned number = 0;

	watch_steps(st, &steps);
	for (unsigned i = 0; i < slices; i++) {
		add_slice(st, &number);
		before = steps;
		assert_true(judgement_renew(j));
	}
	before = steps - before;
	judgement_free(&j);
	*all_out = steps;
	assert_true(judge(st, policy, &small_book));
	*all_out = steps - *all_out;
	store_close(&st);
	policy_free(&policy);
	return before;
}

static void judging_what_came_takes_little_more_in_a_case_sixteen_times_as_old(void **state)
{
	uint64_t young_all, old_all, young = steps_for_a_slice(2, &young_all), old = steps_for_a_slice(32, &old_all);

	(void)state;
	print_message("a slice: %llu steps in a young case, %llu in an old one; all: %llu and %llu\n",
		      (unsigned long long)young * STEPS, (unsigned long long)old * STEPS,
		      (unsigned long long)young_all * STEPS, (unsigned long long)old_all * STEPS);
	assert_true(old < 2 * young);
	assert_true(old_all > 8 * young_all);
}

/* Judge makes the indexes that it needs. While one stands on a table that workers fill, SQLite keeps a journal of
 * its own for each row stored, as OR REPLACE then needs one. */
static void what_workers_say_is_stored_without_an_index(void **state)
{
	struct store *st = clients(0);
	char got[256] = "";

	(void)state;
	case_ask(st, "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN"
		" ('flow', 'flow_sample', 'name', 'mail_dns', 'handshake', 'mail_session', 'certificate', 'login',"
		" 'disclosure', 'loss')", got, sizeof(got));
	assert_string_equal(got, "");
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judging_what_came_takes_little_more_in_a_case_sixteen_times_as_old),
		cmocka_unit_test(judging_four_times_as_many_clients_takes_four_times_the_work),
		cmocka_unit_test(what_workers_say_is_stored_without_an_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
