/* Whose an endpoint is by the certificate that it showed, and when that says nothing. */
#include "tests/case.h"

#include "report/judge.h"

#define PC "192.168.1.10"
#define SERVER "192.0.2.1"

struct certificate_case {
	const char *name;
	const char *sni;
	const char *told[2];		/* by DNS, the latest last */
	enum chain_verdict chain;
	int8_t covers_sni;
	const char *names[3];
	bool cut, incomplete;
	const char *want;		/* owner, name, by what, whether ambiguous */
};

static const struct certificate_case cases[] = {
	{ "it covers the SNI", "imap.provider.test", { NULL }, CHAIN_TRUSTED, 1, { NULL }, false, false,
	  "provider imap.provider.test certificate 0" },
	{ "it does not", "imap.provider.test", { NULL }, CHAIN_TRUSTED, 0, { "mail.other.test" }, false, false,
	  "provider imap.provider.test sni 0" },
	{ "untrusted", "imap.provider.test", { NULL }, CHAIN_UNTRUSTED, 1, { NULL }, false, false,
	  "provider imap.provider.test sni 0" },
	{ "self-signed", "imap.provider.test", { NULL }, CHAIN_SELF_SIGNED, 1, { NULL }, false, false,
	  "provider imap.provider.test sni 0" },
	{ "expired", "imap.provider.test", { NULL }, CHAIN_EXPIRED, 1, { NULL }, false, false,
	  "provider imap.provider.test sni 0" },
	{ "not judged", "imap.provider.test", { NULL }, CHAIN_NOT_JUDGED, 1, { NULL }, false, false,
	  "provider imap.provider.test sni 0" },
	{ "of a server that did not show that it has the key", "imap.provider.test", { NULL }, CHAIN_TRUSTED, 1,
	  { NULL }, false, true, "provider imap.provider.test sni 0" },
	{ "it covers what DNS said", "", { "imap.provider.test" }, CHAIN_TRUSTED, -1,
	  { "x.other.test", "*.provider.test" }, false, false, "provider imap.provider.test certificate 0" },
	{ "... also when there are more names", "", { "imap.provider.test" }, CHAIN_TRUSTED, -1,
	  { "x.other.test", "imap.provider.test" }, true, false, "provider imap.provider.test certificate 0" },
	{ "it does not cover what DNS said", "", { "imap.provider.test" }, CHAIN_TRUSTED, -1,
	  { "x.other.test", "provider.test" }, false, false, "provider imap.provider.test dns 0" },
	{ "DNS said two", "", { "imap.provider.test", "imap.other.test" }, CHAIN_TRUSTED, -1,
	  { "imap.other.test", "imap.provider.test" }, false, false, "other.test imap.other.test dns 1" },
	{ "untrusted, and DNS", "", { "imap.provider.test" }, CHAIN_UNTRUSTED, -1, { "imap.provider.test" }, false,
	  false, "provider imap.provider.test dns 0" },
	{ "nobody was asked for", "", { NULL }, CHAIN_TRUSTED, -1, { "imap.provider.test", "*.provider.test" }, false,
	  false, "provider imap.provider.test certificate 0" },
	{ "nobody was asked for, and it is of two owners", "", { NULL }, CHAIN_TRUSTED, -1,
	  { "imap.provider.test", "imap.other.test" }, false, false, "as64500  asn 0" },
	{ "... the last of three", "", { NULL }, CHAIN_TRUSTED, -1,
	  { "a.provider.test", "b.provider.test", "imap.other.test" }, false, false, "as64500  asn 0" },
	{ "... the first of three", "", { NULL }, CHAIN_TRUSTED, -1,
	  { "imap.other.test", "a.provider.test", "b.provider.test" }, false, false, "as64500  asn 0" },
	{ "nobody was asked for, and not all names are known", "", { NULL }, CHAIN_TRUSTED, -1, { "imap.provider.test" },
	  true, false, "as64500  asn 0" },
	{ "nobody was asked for, self-signed", "", { NULL }, CHAIN_SELF_SIGNED, -1, { "imap.provider.test" }, false,
	  false, "as64500  asn 0" },
	{ "nobody was asked for, and it names nobody", "", { NULL }, CHAIN_TRUSTED, -1, { NULL }, false, false,
	  "as64500  asn 0" },
};

static void add(struct store *st, const struct fact *fact)
{
	assert_true(store_add(st, fact, 1));
}

static void add_flow(struct store *st, const struct certificate_case *c)
{
	struct flow_case flow = { PC, SERVER, 993, 900, 50000, c->sni, .version = c->incomplete ? 1 : 0x0303, .at_s = 60 };
	struct fact facts[3], certificate = { .kind = FACT_CERTIFICATE }, name;
	unsigned count = case_flow(&flow, 1, facts);

	for (unsigned i = 0; i < count; i++)
		add(st, &facts[i]);
	certificate.certificate = (struct fact_certificate){
		.flow = facts[0].flow.id, .frame = facts[0].flow.id + 4, .chain = c->chain,
		.covers_sni = c->covers_sni, .names_cut = c->cut,
	};
	add(st, &certificate);
	for (unsigned i = 0; i < 3 && c->names[i] != NULL; i++) {
		case_name(&name, 1, PC, c->names[i], SERVER, 60);
		name.name.id = certificate.certificate.frame;
		name.name.place = i;
		name.name.kind = NAME_CERTIFICATE;
		add(st, &name);
	}
	for (unsigned i = 0; i < 2 && c->told[i] != NULL; i++) {
		case_name(&name, i + 1, PC, c->told[i], SERVER, (int)i);
		add(st, &name);
	}
}

static void a_certificate_names_whom_it_is_trusted_for(void **state)
{
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char error[256], got[400] = "";
		struct store *st = store_create(NULL, error, sizeof(error));
		struct policy *policy = policy_new();
		sqlite3_stmt *q;

		assert_non_null(st);
		assert_true(store_run(st, &(struct run_info){ .scope = "mail services only" }));
		add_flow(st, &cases[i]);
		if (!judge(st, policy, &small_book))
			fail_msg("%s: %s", cases[i].name, store_error(st));
		q = store_prepare(st, "SELECT printf('%s %s %s %d', e.owner, e.name, e.named_by, e.ambiguous)"
				      " FROM contact AS c JOIN endpoint AS e ON e.id = c.endpoint");
		if (q != NULL && store_step(st, q) == SQLITE_ROW)
			base_copy(got, sizeof(got), (const char *)sqlite3_column_text(q, 0));
		sqlite3_finalize(q);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: %s, not %s", cases[i].name, got, cases[i].want);
		policy_free(&policy);
		store_close(&st);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_names_whom_it_is_trusted_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
