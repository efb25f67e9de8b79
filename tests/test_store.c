/* Linked with -Wl,--wrap=sqlite3_step: the call numbered fail_at fails. */
#include "tests/case.h"

#include "report/emit.h"
#include "report/store_sql.h"

#include <unistd.h>

static int step_calls, fail_at;

int __real_sqlite3_step(sqlite3_stmt *q);
int __wrap_sqlite3_step(sqlite3_stmt *q);
int __wrap_sqlite3_step(sqlite3_stmt *q)
{
	return ++step_calls == fail_at ? SQLITE_IOERR : __real_sqlite3_step(q);
}

static const struct flow_case relay = { "192.168.1.10", "203.0.113.5", 443, 300000, 9000, "mail.big.test", .version = 0 };
static const struct flow_case login = { "192.168.1.10", "192.0.2.1", 143, 900, 5000, .app = "imap", .mail = true,
	.transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_REUSABLE, .mechanism = "LOGIN" };

static unsigned some_facts(struct fact *facts)
{
	unsigned count = case_flow(&relay, 1, facts);

	count += case_flow(&login, 2, facts + count);
	case_name(&facts[count++], 1, "192.168.1.10", "imap.provider.test", "192.0.2.1", -1);
	case_lookup(&facts[count++], 2, "192.168.1.10", "MX", "kanzlei.test", "10 mx.provider.test.");
	facts[count] = (struct fact){ .kind = FACT_LOSS, .loss = { .id = 5, .reason = LOSS_GAP, .flow = 11 } };
	return count + 1;
}

static int64_t rows(struct store *st)
{
	return store_number(st, "SELECT (SELECT count(*) FROM flow) + (SELECT count(*) FROM handshake)"
		" + (SELECT count(*) FROM mail_session) + (SELECT count(*) FROM name)"
		" + (SELECT count(*) FROM mail_dns) + (SELECT count(*) FROM loss)", -1);
}

static struct store *temporary(void)
{
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));

	if (st == NULL)
		fail_msg("%s", error);
	return st;
}

static void add_is_all_or_nothing_wherever_it_fails(void **state)
{
	struct fact facts[12];
	unsigned count = some_facts(facts);
	bool done = false;

	(void)state;
	for (int k = 1; !done; k++) {
		struct store *st = temporary();

		assert_true(k < 20);
		step_calls = 0;
		fail_at = k;
		done = store_add(st, facts, count);
		fail_at = 0;
		assert_true(done || store_error(st)[0] != '\0');
		assert_int_equal(rows(st), done ? count : 0);
		assert_true(store_add(st, facts, count));
		store_close(&st);
	}
}

static const struct source_interface interfaces[2] = { { .link_type = 1, .name = "a" }, { .link_type = 113 } };
static const struct source_end an_end = { .path = "a.pcapng", .how = SOURCE_TRUNCATED, .format = "pcapng",
	.interface_count = 2, .interfaces = interfaces, .packets = 3 };

static void a_source_is_all_or_nothing_wherever_it_fails(void **state)
{
	bool done = false;

	(void)state;
	for (int k = 1; !done; k++) {
		struct store *st = temporary();

		assert_true(k < 20);
		step_calls = 0;
		fail_at = k;
		done = store_source(st, 0, &an_end);
		fail_at = 0;
		assert_int_equal(store_number(st, "SELECT count(*) FROM source", -1), done);
		assert_int_equal(store_number(st, "SELECT count(*) FROM source_interface", -1), done ? 2 : 0);
		store_close(&st);
	}
}

/* A case that cannot be opened is refused, wherever it failed, and leaves nothing behind. */
static void opening_fails_whole_wherever_it_fails(void **state)
{
	char error[256];
	struct store *st = NULL;

	(void)state;
	for (int k = 1; st == NULL; k++) {
		assert_true(k < 200);
		error[0] = '\0';
		step_calls = 0;
		fail_at = k;
		st = store_create(NULL, error, sizeof(error));
		fail_at = 0;
		assert_true(st != NULL || strstr(error, "cannot open case") != NULL);
	}
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

/* The judgement that stood before stays when a new one fails. */
static void judging_is_all_or_nothing_wherever_it_fails(void **state)
{
	struct store *st = temporary();
	struct policy *policy = policy_new();
	struct fact facts[12];
	char *before, *after, error[128];
	bool done = false;
	int k;

	(void)state;
	assert_true(store_add(st, facts, some_facts(facts)));
	assert_true(policy_provider(policy, "provider", error, sizeof(error)));
	assert_true(judge(st, policy, &small_book));
	before = json_of(st);
	for (k = 1; !done; k++) {
		assert_true(k < 5000);
		step_calls = 0;
		fail_at = k;
		done = judge(st, policy, &small_book);
		fail_at = 0;
		assert_true(done || store_error(st)[0] != '\0');
		after = json_of(st);
		assert_string_equal(after, before);
		free(after);
	}
	assert_true(k > 100);
	free(before);
	policy_free(&policy);
	store_close(&st);
}

static void a_report_fails_wherever_it_fails(void **state)
{
	bool (*const formats[])(struct store *, const struct emit_settings *, FILE *) = {
		emit_text, emit_json, emit_html,
	};
	struct store *st = temporary();
	struct policy *policy = policy_new();
	struct emit_settings settings = { .columns = 80 };
	struct fact facts[12];

	(void)state;
	assert_true(store_add(st, facts, some_facts(facts)));
	assert_true(store_source(st, 0, &an_end));
	assert_true(judge(st, policy, &small_book));
	for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		int k, last;
		FILE *out = fopen("/dev/null", "w");

		step_calls = fail_at = 0;
		assert_true(formats[i](st, &settings, out));
		last = step_calls;
		for (k = 1; k <= last; k++) {
			step_calls = 0;
			fail_at = k;
			if (formats[i](st, &settings, out))
				fail_msg("format %u: step %d of %d failed unnoticed", i, k, last);
			fail_at = 0;
		}
		fclose(out);
	}
	policy_free(&policy);
	store_close(&st);
}

static void a_fact_said_again_replaces_the_first(void **state)
{
	struct store *st = temporary();
	struct fact facts[6];
	struct flow_case longer = relay;

	(void)state;
	longer.up = 400000;
	case_flow(&relay, 1, facts);
	case_flow(&longer, 1, facts + 1);	/* overwrites the first's handshake: two flows stand here */
	assert_true(store_add(st, facts, 2));
	assert_int_equal(store_number(st, "SELECT count(*) FROM flow", -1), 1);
	assert_int_equal(store_number(st, "SELECT orig_payload FROM flow", -1), 400000);
	assert_true(store_add(st, facts, 1));
	assert_int_equal(store_number(st, "SELECT orig_payload FROM flow", -1), 300000);
	store_close(&st);
}

static void losses_of_one_frame_and_reason_are_all_kept(void **state)
{
	struct store *st = temporary();
	struct loss loss = { .reason = LOSS_FRAGMENT, .frame = 7, .packets = 1 };

	(void)state;
	assert_true(store_loss(st, &loss));
	assert_true(store_loss(st, &loss));
	assert_int_equal(store_number(st, "SELECT sum(packets) FROM loss WHERE reason = 'fragment'", -1), 2);
	store_close(&st);
}

static void a_case_can_be_opened_again_and_others_are_refused(void **state)
{
	char path[] = "/tmp/mailwitness-case-XXXXXX", error[256], extra[64];
	int fd = mkstemp(path);
	struct fact facts[12];
	struct store *st;

	(void)state;
	close(fd);
	assert_null(store_open(path, error, sizeof(error)));
	assert_non_null(strstr(error, "not a mailwitness case"));
	st = store_create(path, error, sizeof(error));
	assert_non_null(st);
	assert_true(store_add(st, facts, some_facts(facts)));
	store_close(&st);
	st = store_open(path, error, sizeof(error));
	assert_non_null(st);
	assert_int_equal(store_number(st, "SELECT count(*) FROM flow", -1), 2);
	assert_true(store_exec(st, "PRAGMA user_version = 99"));
	store_close(&st);
	assert_null(store_open(path, error, sizeof(error)));
	assert_non_null(strstr(error, "version 99"));
	assert_null(store_open("/nonexistent/case", error, sizeof(error)));
	FILE *f = fopen(path, "w");

	fputs("this is a text and no database, and long enough to have a header of its own\n", f);
	fclose(f);
	assert_null(store_open(path, error, sizeof(error)));
	unlink(path);
	snprintf(extra, sizeof(extra), "%s-wal", path);
	unlink(extra);
	snprintf(extra, sizeof(extra), "%s-shm", path);
	unlink(extra);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add_is_all_or_nothing_wherever_it_fails),
		cmocka_unit_test(a_source_is_all_or_nothing_wherever_it_fails),
		cmocka_unit_test(opening_fails_whole_wherever_it_fails),
		cmocka_unit_test(judging_is_all_or_nothing_wherever_it_fails),
		cmocka_unit_test(a_report_fails_wherever_it_fails),
		cmocka_unit_test(a_fact_said_again_replaces_the_first),
		cmocka_unit_test(losses_of_one_frame_and_reason_are_all_kept),
		cmocka_unit_test(a_case_can_be_opened_again_and_others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
