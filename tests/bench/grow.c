/* What judging takes while a case grows: the same 100 clients go on with what they do, and every 2,000 flows the case
 * is judged, as a watch does; beside it what judging all of it at once takes. The same case on every run. */
#include "tests/case.h"

#include <stdlib.h>

#define CLIENTS 100
#define SLICE 2000
#define FLOWS_S 20		/* flows a second */
#define PART 64			/* facts that are stored at once */

struct grow {
	struct store *st;
	struct judgement *judgement;
	struct policy *policy;
	unsigned flows, names;
	struct fact facts[PART + 8];
	unsigned count;
};

static void store_facts(struct grow *g)
{
	if (!store_add(g->st, g->facts, g->count))
		abort();
	g->count = 0;
}

/* Web and look-ups, of every 50 flows a mail session, now and then an upload to a vendor and a login in clear. */
static void add_flow(struct grow *g)
{
	unsigned i = g->flows++;
	char pc[32], site[32], name[32];
	struct flow_case c = { .from = pc, .to = site, .port = 443, .up = 900 + i % 700, .down = 5000 + i % 3000,
		.sni = name, .alpn = "h2", .at_s = (int)(i / FLOWS_S), .for_s = (int)(i % 20) };

	snprintf(pc, sizeof(pc), "192.168.1.%u", 1 + i % CLIENTS);
	snprintf(site, sizeof(site), "198.51.100.%u", i / 7 % 200);
	snprintf(name, sizeof(name), "www.site%u.test", i / 7 % 200);
	if (i % 5 == 0)
		c = (struct flow_case){ pc, "192.168.1.254", 53, 40, 120, .udp = true, .app = "dns", .at_s = c.at_s };
	else if (i % 5000 == 4321)
		c = (struct flow_case){ pc, "192.0.2.3", 143, 900, 5000, .app = "imap", .mail = true,
			.credential = CREDENTIAL_REUSABLE, .mechanism = "LOGIN", .account = "ann@site.test", .accepted = true,
			.at_s = c.at_s };
	else if (i % 1000 == 432)
		c = (struct flow_case){ pc, "192.0.2.9", 443, 9000, 900, .sni = "mail.big.test", .alpn = "h2", .at_s = c.at_s };
	else if (i % 50 == 1)
		c = (struct flow_case){ pc, "192.0.2.1", 993, 900, 90000, .sni = "imap.provider.test", .at_s = c.at_s };
	g->count += case_flow(&c, i, &g->facts[g->count]);
	if (i % 5 == 0)
		case_name(&g->facts[g->count++], ++g->names, pc, "www.site.test", site, c.at_s);
	if (g->count >= PART)
		store_facts(g);
}

static double ms_since(int64_t ns)
{
	return (double)(base_clock_ns(CLOCK_MONOTONIC) - ns) / 1e6;
}

/* Judges; returns how long that took. */
static double judge_slice(struct grow *g, int64_t *written)
{
	int64_t before, changes = store_number(g->st, "SELECT total_changes()", 0);

	store_facts(g);
	if (!store_run_until(g->st, T0 + (int64_t)(g->flows / FLOWS_S) * S))
		abort();
	before = base_clock_ns(CLOCK_MONOTONIC);
	if (!judgement_renew(g->judgement)) {
		fprintf(stderr, "%s\n", store_error(g->st));
		abort();
	}
	*written = store_number(g->st, "SELECT total_changes()", 0) - changes;
	return ms_since(before);
}

static void grow(struct grow *g, unsigned flows)
{
	double ms = 0;
	int64_t before, written = 0;

	while (g->flows < flows) {
		for (unsigned i = 0; i < SLICE; i++)
			add_flow(g);
		ms = judge_slice(g, &written);
	}
	before = base_clock_ns(CLOCK_MONOTONIC);
	if (!judge(g->st, g->policy, &small_book))
		abort();
	printf("%10u %12lld %14.1f %14lld %14.1f\n", g->flows,
	       (long long)store_number(g->st, "SELECT count(*) FROM contact", 0), ms, (long long)written, ms_since(before));
	fflush(stdout);
	judgement_forget(g->judgement);
}

int main(int argc, char **argv)
{
	char error[256];
	struct grow g = { .st = store_create(NULL, error, sizeof(error)), .policy = policy_new() };
	unsigned most = argc > 1 ? (unsigned)atoi(argv[1]) : 1000000;

	if (g.st == NULL || !policy_provider(g.policy, "provider", error, sizeof(error)) ||
	    !store_run(g.st, &(struct run_info){ .version = "", .ndpi_version = "", .catalogue_version = "",
			.asn_database = "", .attribution = "", .command_line = "", .filter = "", .scope = RUN_MAIL_ONLY })) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	g.judgement = judgement_new(g.st, g.policy, &small_book, true);
	printf("%10s %12s %14s %14s %14s\n", "flows", "contacts", "2,000 more ms", "rows written", "all anew ms");
	for (unsigned flows = 10000; flows <= most; flows *= 10) {
		grow(&g, flows);
		if (flows * 3 <= most)
			grow(&g, flows * 3);
	}
	judgement_free(&g.judgement);
	policy_free(&g.policy);
	store_close(&g.st);
	return 0;
}
