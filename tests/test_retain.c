/* Old facts go to keep a case within days or bytes. */
#include "tests/case.h"

#include "capture/packet.h"
#include "report/judge.h"
#include "report/retain.h"
#include "report/store_sql.h"

#include <unistd.h>

#define DAY_NS (86400 * BASE_NS_PER_S)
#define NOW_NS (20000 * DAY_NS)
#define BYTES (4 << 20)	/* smaller than the program takes: it is the quicker */

static struct store *watched(int64_t days)
{
	char path[] = "/tmp/mailwitness-case-XXXXXX", error[256], log[64];
	int fd = mkstemp(path);
	struct store *st;
	unsigned source;

	close(fd);
	st = store_create(path, error, sizeof(error));
	assert_non_null(st);
	/* It is gone with the process; files that are open stay. */
	unlink(path);
	snprintf(log, sizeof(log), "%s-wal", path);
	unlink(log);
	snprintf(log, sizeof(log), "%s-shm", path);
	unlink(log);
	assert_true(store_run_again(st, &(struct run_info){ .scope = RUN_MAIL_ONLY, .from_ns = NOW_NS - days * DAY_NS }, 1,
				    &source));
	return st;
}

/* A mail session with a login in clear, or a flow that nobody asks for. */
static void add_flow(struct store *st, uint64_t id, bool mail, int64_t first_ns, int64_t last_ns)
{
	static const struct flow_case login = { "192.168.1.10", "192.0.2.1", 143, 900, 5000, .app = "imap", .mail = true,
		.transport = MAIL_PLAINTEXT, .credential = CREDENTIAL_REUSABLE, .mechanism = "LOGIN" };
	static const struct flow_case other = { "192.168.1.10", "192.0.2.1", 9, 64, 0, .version = 0 };
	struct fact facts[4];
	unsigned count = case_flow(mail ? &login : &other, (unsigned)id, facts);

	for (unsigned i = 0; i < count; i++) {
		if (facts[i].kind == FACT_FLOW) {
			facts[i].flow.id = id;
			facts[i].flow.first_ns = first_ns;
			facts[i].flow.last_ns = last_ns;
		} else if (facts[i].kind == FACT_MAIL_SESSION) {
			facts[i].mail_session.flow = id;
		}
	}
	assert_true(store_add(st, facts, count));
}

static void add_name(struct store *st, unsigned id, int64_t from_ns, int64_t until_ns)
{
	struct fact fact;

	case_name(&fact, id, "192.168.1.10", "imap.provider.test", "192.0.2.1", -1);
	fact.name.id = id;
	fact.name.from_ns = from_ns;
	fact.name.until_ns = until_ns;
	assert_true(store_add(st, &fact, 1));
}

static void run_retain(struct store *st, const struct retain_limits *limits, unsigned steps)
{
	struct retain *r = retain_new(limits, NOW_NS);

	retain_judged(r, NOW_NS);
	for (unsigned i = 0; i < steps; i++)
		retain_step(r, st);
	assert_false(retain_is_busy(r));
	retain_free(&r);
}

static void facts_older_than_the_days_go_with_all_that_hangs_on_them(void **state)
{
	struct store *st = watched(100);

	(void)state;
	add_flow(st, 1, true, NOW_NS - 9 * DAY_NS, NOW_NS - 8 * DAY_NS);
	add_flow(st, 2, true, NOW_NS - 9 * DAY_NS, NOW_NS - 6 * DAY_NS);	/* went on */
	add_flow(st, 3, true, NOW_NS - 6 * DAY_NS, NOW_NS - 6 * DAY_NS);
	add_flow(st, frame_id(1, 1), false, NOW_NS - 8 * DAY_NS, NOW_NS - 8 * DAY_NS);	/* another source */
	add_name(st, 4, NOW_NS - 9 * DAY_NS, NOW_NS - 9 * DAY_NS + 1);
	add_name(st, 5, NOW_NS - 7 * DAY_NS - 9, NOW_NS - 7 * DAY_NS + DAY_NS / 24);	/* still valid then */
	add_name(st, 6, NOW_NS - 9 * DAY_NS, NOW_NS);	/* nobody is told a name for so long */
	assert_true(store_loss(st, &(struct loss){ .reason = LOSS_KERNEL, .frame = 2, .time_ns = NOW_NS - 8 * DAY_NS }));
	assert_true(store_loss(st, &(struct loss){ .reason = LOSS_KERNEL, .frame = 3, .time_ns = NOW_NS - DAY_NS }));
	assert_true(store_loss(st, &(struct loss){ .reason = LOSS_FRAGMENT, .frame = 2 }));	/* when is not known */
	run_retain(st, &(struct retain_limits){ .days = 7 }, 3);
	assert_int_equal(store_number(st, "SELECT group_concat(id, '') FROM flow", -1), 23);
	assert_int_equal(store_number(st, "SELECT group_concat(flow, '') FROM mail_session", -1), 23);
	assert_int_equal(store_number(st, "SELECT group_concat(id, '') FROM name", -1), 5);
	assert_int_equal(store_number(st, "SELECT count(*) FROM loss WHERE reason = 'kernel'", -1), 1);
	assert_int_equal(store_number(st, "SELECT count(*) FROM loss WHERE reason = 'fragment'", -1), 1);
	assert_int_equal(store_number(st, "SELECT facts FROM deleted WHERE why = 'days'", -1), 5);
	assert_int_equal(store_number(st, "SELECT count(*) FROM deleted_words", -1), 1);
	store_close(&st);
}

static void without_limits_nothing_goes(void **state)
{
	struct store *st = watched(100);

	(void)state;
	add_flow(st, 1, true, 1, 2);
	run_retain(st, &(struct retain_limits){ 0 }, 3);
	assert_int_equal(store_number(st, "SELECT count(*) FROM flow", -1), 1);
	assert_int_equal(store_number(st, "SELECT count(*) FROM deleted", -1), 0);
	store_close(&st);
}

static void fill(struct store *st, unsigned first, unsigned count, int64_t from_ns)
{
	static const struct flow_case other = { "192.168.1.10", "192.0.2.9", 9, 64, 0, .version = 0 };
	struct fact *facts = base_alloc_array(count, sizeof(*facts));
	struct fact three[4];

	for (unsigned i = 0; i < count; i++) {
		case_flow(&other, first + i, three);
		facts[i] = three[0];
		facts[i].flow.id = first + i;
		facts[i].flow.first_ns = facts[i].flow.last_ns = from_ns + i * BASE_NS_PER_S;
	}
	assert_true(store_add(st, facts, count));
	free(facts);
}

/* The oldest fact is a login in clear, and the only one that a finding rests on. */
static void what_a_finding_rests_on_goes_last_and_is_not_judged_clean(void **state)
{
	struct store *st = watched(2);
	struct policy *policy = policy_new();

	(void)state;
	add_flow(st, 1, true, NOW_NS - 2 * DAY_NS, NOW_NS - 2 * DAY_NS);
	fill(st, 10, 24000, NOW_NS - 24000 * BASE_NS_PER_S);
	assert_true(judge(st, policy, &small_book));
	assert_int_equal(store_number(st, "SELECT count(*) FROM finding_flow WHERE flow = 1", -1), 1);
	run_retain(st, &(struct retain_limits){ .bytes = BYTES }, 30);
	assert_true(store_number(st, "SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count"
		" FROM pragma_freelist_count)", -1) * store_number(st, "PRAGMA page_size", -1) < BYTES * 3 / 4);
	assert_int_equal(store_number(st, "SELECT count(*) FROM flow WHERE id = 1", -1), 1);
	assert_true(store_number(st, "SELECT count(*) FROM flow", -1) > 5000);
	/* But for those whose numbers are by chance those of its frames. */
	assert_true(store_number(st, "SELECT count(*) FROM flow WHERE id BETWEEN 2 AND 1000", -1) < 10);
	assert_true(judge(st, policy, &small_book));
	assert_int_equal(store_number(st, "SELECT count(*) FROM finding_flow WHERE flow = 1", -1), 1);
	assert_int_equal(store_number(st, "SELECT count(*) FROM client_loss WHERE reason = 'deleted' AND client > 0", -1), 1);
	policy_free(&policy);
	store_close(&st);
}

/* As displacement does: that the client went to its provider before, and then no more. */
static void the_mail_of_a_client_that_leaks_goes_last_as_well(void **state)
{
	static const struct flow_case mail = { "192.168.1.10", "192.0.2.1", 993, 900, 5000, .sni = "imap.provider.test" };
	struct store *st = watched(2);
	struct policy *policy = policy_new();
	struct fact facts[4];

	(void)state;
	assert_int_equal(case_flow(&mail, 1, facts), 2);
	facts[0].flow.first_ns = facts[0].flow.last_ns = NOW_NS - 2 * DAY_NS;
	assert_true(store_add(st, facts, 2));
	fill(st, 1000, 24000, NOW_NS - 24000 * BASE_NS_PER_S);
	assert_true(judge(st, policy, &small_book));
	assert_true(store_exec(st, "INSERT INTO finding SELECT 1, 'key', 'displacement', 'leak', 'strong', client, 'big', NULL, NULL,"
		" NULL, 1, 1, '', '' FROM contact WHERE resp_port = 993"));
	run_retain(st, &(struct retain_limits){ .bytes = BYTES }, 30);
	assert_true(store_number(st, "SELECT count(*) FROM flow", -1) < 24001);
	assert_int_equal(store_number(st, "SELECT count(*) FROM flow WHERE resp_port = 993", -1), 1);
	policy_free(&policy);
	store_close(&st);
}

/* Of a case with nothing but flagged facts the oldest go. */
static void when_all_is_flagged_the_oldest_goes(void **state)
{
	struct store *st = watched(2);

	(void)state;
	fill(st, 10, 24000, NOW_NS - 24000 * BASE_NS_PER_S);
	assert_true(store_exec(st, "INSERT INTO finding_flow SELECT 1, id FROM flow"));
	run_retain(st, &(struct retain_limits){ .bytes = BYTES }, 60);
	assert_true(store_number(st, "SELECT count(*) FROM flow", -1) > 2000);
	assert_true(store_number(st, "SELECT min(id) FROM flow", -1) > 1000);
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_older_than_the_days_go_with_all_that_hangs_on_them),
		cmocka_unit_test(without_limits_nothing_goes),
		cmocka_unit_test(what_a_finding_rests_on_goes_last_and_is_not_judged_clean),
		cmocka_unit_test(the_mail_of_a_client_that_leaks_goes_last_as_well),
		cmocka_unit_test(when_all_is_flagged_the_oldest_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
