/* What a watch tells of a case from one judging to the next. */
#include "tests/case.h"

#include "report/news.h"
#include "report/store_sql.h"

#define FINDING(key, first, last, strength) \
	"INSERT INTO finding (key, kind, class, strength, client, owner, first_ns, last_ns, sentence, refuted_by)" \
	" VALUES ('" key "', 'cloud-relay', 'leak', '" strength "', 1, 'vendor', " first ", " last ", 'Seen.', '')"

/* What is told now, shortened to events and strengths. */
static void tells(struct news *n, struct store *st, const char *want)
{
	char *text = NULL, got[512] = "";
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!news_tell(n, st, out))
		fail_msg("%s", store_error(st));
	fclose(out);
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		char event[32] = "", strength[32] = "";

		assert_int_equal(sscanf(strstr(line, "event_type\":\""), "event_type\":\"%31[^\"]", event), 1);
		assert_int_equal(sscanf(strstr(line, "strength\":\""), "strength\":\"%31[^\"]", strength), 1);
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s %s;", event, strength);
	}
	free(text);
	assert_string_equal(got, want);
}

static struct store *begun(struct news **n_out)
{
	char error[256];
	struct store *st = store_create(NULL, error, sizeof(error));

	assert_non_null(st);
	*n_out = news_new(&(struct news_settings){ .json = true });
	return st;
}

static void a_finding_is_told_once_and_when_its_strength_changes(void **state)
{
	struct news *n;
	struct store *st = begun(&n);

	(void)state;
	assert_true(store_exec(st, FINDING("a", "10", "20", "strong")));
	tells(n, st, "finding strong;");
	assert_true(store_exec(st, "UPDATE finding SET last_ns = 30"));
	tells(n, st, "");
	assert_true(store_exec(st, "UPDATE finding SET strength = 'proven'"));
	tells(n, st, "finding proven;");
	news_free(&n);
	store_close(&st);
}

static void what_later_facts_refute_is_withdrawn(void **state)
{
	struct news *n;
	struct store *st = begun(&n);

	(void)state;
	assert_true(store_exec(st, FINDING("a", "10", "20", "strong")));
	tells(n, st, "finding strong;");
	assert_true(store_exec(st, "DELETE FROM finding"));
	tells(n, st, "finding_withdrawn strong;");
	tells(n, st, "");
	news_free(&n);
	store_close(&st);
}

/* Nobody refuted it. */
static void what_old_facts_took_with_them_is_not_withdrawn(void **state)
{
	struct news *n;
	struct store *st = begun(&n);

	(void)state;
	assert_true(store_exec(st, FINDING("old", "10", "90", "strong") ";" FINDING("new", "60", "90", "suspected")));
	tells(n, st, "finding strong;finding suspected;");
	assert_true(store_exec(st, "INSERT INTO deleted VALUES ('days', 50, 7, 0); DELETE FROM finding"));
	tells(n, st, "finding_withdrawn suspected;");
	news_free(&n);
	store_close(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_finding_is_told_once_and_when_its_strength_changes),
		cmocka_unit_test(what_later_facts_refute_is_withdrawn),
		cmocka_unit_test(what_old_facts_took_with_them_is_not_withdrawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
