/* Events while a watch runs: each of those that the case has afterwards, and each once. */
#include "tests/case.h"

#include "report/emit.h"
#include "report/eve.h"

#include <unistd.h>

static char path[] = "/tmp/test_eve.XXXXXX";

struct watched {
	struct store *st;
	struct eve *eve;
	struct policy *policy;
};

static void begin(struct watched *w)
{
	const struct run_info run = { .version = "0.1.0", .scope = RUN_MAIL_ONLY };
	const struct source_end end = { .path = "eth0", .how = SOURCE_COMPLETE, .packets = 9, .first_ns = T0, .last_ns = T0 + S };
	char error[256];

	assert_int_equal(truncate(path, 0), 0);
	w->st = store_create(NULL, error, sizeof(error));
	w->eve = eve_open(path, error, sizeof(error));
	w->policy = policy_new();
	assert_non_null(w->eve);
	assert_true(store_run(w->st, &run));
	assert_true(store_source(w->st, 0, &end));
	eve_listen(w->eve, w->st);
}

static void finish(struct watched *w)
{
	eve_close(&w->eve);
	policy_free(&w->policy);
	store_close(&w->st);
}

static void tell(struct watched *w)
{
	assert_true(judge(w->st, w->policy, &small_book));
	assert_true(eve_tell(w->eve, w->st));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted lines but for those of stats and alerts; how many. */
static unsigned lines_of(FILE *in, char *lines[64])
{
	unsigned count = 0;
	char *line = NULL;
	size_t size = 0;

	rewind(in);
	while (getline(&line, &size, in) > 0) {
		assert_true(count < 64);
		if (strstr(line, "\"stats\"") == NULL && strstr(line, "\"alert\"") == NULL)
			lines[count++] = strdup(line);
	}
	free(line);
	fclose(in);
	qsort(lines, count, sizeof(lines[0]), by_text);
	return count;
}

static unsigned told(void)
{
	char *lines[64];
	unsigned count = lines_of(fopen(path, "r"), lines);

	for (unsigned i = 0; i < count; i++)
		free(lines[i]);
	return count;
}

static void as_in_the_case(struct watched *w, unsigned want)
{
	char *live[64], *all[64];
	FILE *case_file = tmpfile();
	unsigned n;

	assert_true(emit_eve(w->st, case_file));
	n = lines_of(case_file, all);
	assert_int_equal(n, want);
	assert_int_equal(lines_of(fopen(path, "r"), live), n);
	for (unsigned i = 0; i < n; i++) {
		assert_string_equal(live[i], all[i]);
		free(live[i]);
		free(all[i]);
	}
}

/* A flow with a handshake that is said so often, the last time as over. */
static unsigned tls_flow(struct fact facts[8], unsigned first, bool completed, bool over)
{
	struct flow_case flow = { "192.168.1.10", "192.0.2.1", 993, 900, 5000, .app = "tls", .sni = "imap.mail.test" };
	unsigned n = case_flow(&flow, first, facts);

	for (unsigned i = 0; i < n; i++) {
		if (facts[i].kind == FACT_FLOW)
			facts[i].flow.over = over;
		if (facts[i].kind == FACT_HANDSHAKE)
			facts[i].handshake.completed = completed;
	}
	return n;
}

static void add_flow(struct watched *w, unsigned first, bool completed, bool over)
{
	struct fact facts[8];

	assert_true(store_add(w->st, facts, tls_flow(facts, first, completed, over)));
}

static void a_handshake_is_told_while_its_flow_goes_on_and_not_again(void **state)
{
	struct watched w;

	(void)state;
	begin(&w);
	add_flow(&w, 1, false, false);
	tell(&w);
	tell(&w);
	assert_int_equal(told(), 0);
	for (int i = 0; i < 3; i++) {
		add_flow(&w, 1, true, false);
		tell(&w);
	}
	assert_int_equal(told(), 1);
	add_flow(&w, 1, true, true);
	tell(&w);
	tell(&w);
	tell(&w);
	assert_int_equal(told(), 2);
	assert_true(eve_end(w.eve, w.st));
	as_in_the_case(&w, 2);
	finish(&w);
}

/* The flow in one batch, its handshake in the next. */
static void a_flow_whose_facts_come_apart_is_told_whole(void **state)
{
	struct fact facts[8];
	struct watched w;
	unsigned n;

	(void)state;
	begin(&w);
	n = tls_flow(facts, 1, true, true);
	assert_int_equal(facts[0].kind, FACT_FLOW);
	assert_true(n > 1 && store_add(w.st, facts, 1));
	tell(&w);
	assert_true(store_add(w.st, facts + 1, n - 1));
	for (int i = 0; i < 4; i++)
		tell(&w);
	assert_true(eve_end(w.eve, w.st));
	as_in_the_case(&w, 2);
	finish(&w);
}

static void what_is_not_told_by_the_end_is_told_then(void **state)
{
	struct fact names[3];
	struct watched w;

	(void)state;
	begin(&w);
	add_flow(&w, 1, false, true);
	case_name(&names[0], 40, "192.168.1.10", "imap.mail.test", "192.0.2.1", -1);
	case_name(&names[1], 40, "192.168.1.10", "imap.mail.test", "192.0.2.2", -1);
	names[1].name.place = 1;
	case_name(&names[2], 41, "192.168.1.10", "pc", "192.168.1.10", -1);
	names[2].name.kind = NAME_HOST;	/* no answer of DNS */
	assert_true(store_add(w.st, names, 3));
	assert_true(judge(w.st, w.policy, &small_book));
	assert_true(eve_end(w.eve, w.st));
	as_in_the_case(&w, 4);
	finish(&w);
}

static void what_is_rolled_back_is_told_when_it_is_stored_at_last(void **state)
{
	struct watched w;

	(void)state;
	begin(&w);
	for (int i = 0; i < 2; i++) {
		assert_true(store_gather(w.st));
		add_flow(&w, 1, true, true);
		tell(&w);
		store_rollback(w.st);
	}
	assert_int_equal(told(), 0);
	add_flow(&w, 1, true, true);
	tell(&w);
	tell(&w);
	assert_int_equal(told(), 2);
	assert_true(eve_end(w.eve, w.st));
	as_in_the_case(&w, 2);
	finish(&w);
}

static void a_full_disk_costs_events_and_not_the_watch(void **state)
{
	struct watched w;
	char error[256];

	(void)state;
	begin(&w);
	eve_close(&w.eve);
	assert_null(eve_open("/nowhere/x", error, sizeof(error)));
	assert_string_equal(error, "/nowhere/x: No such file or directory");
	w.eve = eve_open("/dev/full", error, sizeof(error));
	assert_non_null(w.eve);
	eve_listen(w.eve, w.st);
	add_flow(&w, 1, true, true);
	tell(&w);
	tell(&w);
	assert_true(eve_end(w.eve, w.st));
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_is_told_while_its_flow_goes_on_and_not_again),
		cmocka_unit_test(a_flow_whose_facts_come_apart_is_told_whole),
		cmocka_unit_test(what_is_not_told_by_the_end_is_told_then),
		cmocka_unit_test(what_is_rolled_back_is_told_when_it_is_stored_at_last),
		cmocka_unit_test(a_full_disk_costs_events_and_not_the_watch),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
