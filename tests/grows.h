/* grows.h - a case that grows, and what it has to agree with: the same facts, judged for the first time */
#ifndef TESTS_GROWS_H
#define TESTS_GROWS_H

#include "tests/case.h"

struct growing {
	const char *what;
	const struct owner_book *book;
	struct policy *policy;
	struct store *st;
	struct judgement *judgement;
	unsigned compared;
};

static inline struct store *temporary(const char *path)
{
	char error[512];
	struct store *st = store_create(path, error, sizeof(error));

	if (st == NULL)
		fail_msg("%s", error);
	return st;
}

/* All that a judgement says, but for the numbers of clients, endpoints and findings, which are given as they come. */
#define CLIENT(of) "(SELECT host(address) FROM client WHERE id = " of ".client)"
static const char said_sql[] =
	"SELECT printf('client %s %s %s %s %s %s %s', host(c.address), c.name, c.first_ns, c.last_ns, c.third_party, c.path, w.words)"
	" FROM client AS c JOIN coverage_words AS w ON w.client = c.id"
	" UNION ALL SELECT printf('finding %s %s %s %s %s %s %s; %s; %s', " CLIENT("f") ", kind, class, strength, owner, account,"
	" sentence, (SELECT group_concat(flow) FROM (SELECT flow FROM finding_flow WHERE finding = f.id ORDER BY flow)),"
	" (SELECT group_concat(frame) FROM (SELECT frame FROM evidence WHERE finding = f.id ORDER BY frame))) FROM finding AS f"
	" UNION ALL SELECT printf('reason %s %s %s', " CLIENT("r") ", axis, sentence) FROM reason AS r"
	" UNION ALL SELECT printf('sent %s %s %s %s %s %d %d %d', " CLIENT("d") ", owner, service, role, named_by, bytes_up,"
	" bytes_down, flows) FROM destination AS d"
	" UNION ALL SELECT printf('balance %s %d %d %d %d', " CLIENT("b") ", sent, to_others, to_clients, complete) FROM balance AS b"
	" UNION ALL SELECT printf('state %s %s %d %d', " CLIENT("s") ", state, sessions, unread) FROM client_state AS s"
	" UNION ALL SELECT printf('loss %s %s %d %d', " CLIENT("l") ", reason, packets, bytes) FROM client_loss AS l"
	" UNION ALL SELECT printf('provider %s %s %s', " CLIENT("p") ", owner, how) FROM client_provider AS p"
	" UNION ALL SELECT printf('hint %s %s', " CLIENT("h") ", owner) FROM provider_hint AS h"
	" UNION ALL SELECT printf('account %s %s %s %s', " CLIENT("a") ", account, third_party, path) FROM account_verdict AS a"
	" UNION ALL SELECT printf('traffic %s %s %s %s %d %d %d %d %d %d', " CLIENT("t") ", host(far), kind, (SELECT owner || name"
	" FROM endpoint WHERE id = t.endpoint), flows, answered, up, down, vendor_up, unnamed_up) FROM traffic AS t"
	" UNION ALL SELECT printf('contact %d %s %s %s %s %s %d %d', flow, " CLIENT("c") ", host(far), transport, state, called,"
	" up, down) FROM contact AS c"
	" UNION ALL SELECT printf('class %s %d', class, flow) FROM contact_class"
	" UNION ALL SELECT printf('process %d %d %s', flow, pid, quality) FROM flow_process"
	" UNION ALL SELECT verdict FROM verdict ORDER BY 1";

static inline char *said(struct store *st)
{
	sqlite3_stmt *q = store_prepare(st, said_sql);
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc = SQLITE_ERROR;

	while (q != NULL && (rc = store_step(st, q)) == SQLITE_ROW)
		fprintf(out, "%s\n", (const char *)sqlite3_column_text(q, 0));
	if (rc != SQLITE_DONE)
		fail_msg("%s", store_error(st));
	sqlite3_finalize(q);
	fclose(out);
	return text;
}

/* What the same facts give when they are judged for the first time. */
static inline char *said_of_all(struct store *st, const struct policy *policy, const struct owner_book *book)
{
	char path[] = "/tmp/test_judge_grows.XXXXXX", sql[64];
	struct store *copy;
	char *text;

	assert_true(close(mkstemp(path)) == 0 && unlink(path) == 0);
	snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", path);
	if (!store_exec(st, sql))
		fail_msg("%s", store_error(st));
	copy = temporary(path);
	if (!judge(copy, policy, book))
		fail_msg("%s", store_error(copy));
	text = said(copy);
	store_close(&copy);
	unlink(path);
	return text;
}

static inline void grow_compare(struct growing *g, int64_t until_ns)
{
	char *grown, *all;
	size_t at = 0;

	if (!store_run_until(g->st, until_ns) || !judgement_renew(g->judgement))
		fail_msg("%s, slice %u: %s", g->what, g->compared, store_error(g->st));
	grown = said(g->st);
	all = said_of_all(g->st, g->policy, g->book);
	while (grown[at] != '\0' && grown[at] == all[at])
		at++;
	if (grown[at] != all[at]) {
		while (at > 0 && grown[at - 1] != '\n')
			at--;
		fail_msg("%s, slice %u: %.300s\nnot all at once: %.300s", g->what, g->compared, grown + at, all + at);
	}
	free(grown);
	free(all);
	g->compared++;
}

static inline struct growing grow_begin(const char *what, const struct owner_book *book)
{
	struct growing g = { .st = temporary(NULL), .book = book, .policy = policy_new(), .what = what };

	assert_true(store_run(g.st, &(struct run_info){ .version = "", .ndpi_version = "", .catalogue_version = "",
		.asn_database = "", .attribution = "", .command_line = "", .scope = RUN_MAIL_ONLY, .filter = "", .from_ns = 1 }));
	g.judgement = judgement_new(g.st, g.policy, book, true);
	return g;
}

static inline void grow_end(struct growing *g)
{
	judgement_free(&g->judgement);
	policy_free(&g->policy);
	store_close(&g->st);
}

#endif
