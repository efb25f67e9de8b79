/* A case that grows is judged, at any moment, as one that was never judged before: what hardly happens in captures that
 * are short. test_judge_slices.c has the captures. */
#include "tests/grows.h"

#define PC "192.168.1.10"
#define NAS "192.168.1.20"
#define PC_V6 "2001:db8::10"
#define ON_V6(providers) "home: [192.168.1.0/24, \"2001:db8::/48\"]\nclients:\n  - address: " PC_V6 "\n    providers: [" providers "]"
#define CARD "\x02\x00\x00\x00\x00\x01"
#define AN_HOUR (3600 * S)
#define FLOOD ((1 << 20) + 2)
#define STORY 8

/* A fact of a flow, stored in a slice; a slice is an hour, and the flow begins with the first that has its number. */
struct step {
	unsigned slice, number;
	struct flow_case flow;
	unsigned pid;
	bool over;			/* nothing else is told of it but its losses, if they come in the next slice */
	bool lost, only_lost;		/* it has a loss; that is all that is told */
	const char *name, *canonical;	/* whom its client asked for, and was led to; with it that is all */
};

#define STEP(at, of, ...) { .slice = at, .number = of, .flow = { __VA_ARGS__, .udp = false } }
#define SOMETHING STEP(3, 9, PC, "192.0.2.77", 443, 50, 60, "www.else.test", .at_s = 3 * 3600)

static const struct story {
	const char *name, *policy;
	struct step steps[STORY];
} stories[] = {
	{ "an alias leads from the provider to a vendor, and is not asked for again", "providers: [site.test]", {
		STEP(0, 1, PC, "192.0.2.1", 993, 900, 5000, "imap.site.test"),
		STEP(0, 2, PC, "192.0.2.9", 993, 90000, 5000, "mail.big.test"),
		{ .slice = 1, .number = 3, .flow = { PC, "192.0.2.9", 443, 900, 900, .at_s = 3600 },
		  .name = "imap.site.test", .canonical = "mail.big.test" },
		SOMETHING } },
	{ "who was led by an alias is known later", "providers: [site.test]", {
		STEP(0, 1, NAS, "192.0.2.1", 993, 900, 5000, "imap.site.test"),
		{ .slice = 1, .number = 2, .flow = { PC, "192.0.2.9", 443, 900, 900, .at_s = 3600 },
		  .name = "imap.site.test", .canonical = "mail.big.test" },
		STEP(2, 3, PC, "192.0.2.1", 993, 900, 5000, "imap.site.test", .at_s = 7200),
		STEP(2, 4, PC, "192.0.2.9", 993, 90000, 5000, "mail.big.test", .at_s = 7200),
		SOMETHING } },
	{ "an alias is stored before anything else of its client", "providers: [site.test]", {
		{ .slice = 0, .number = 1, .flow = { PC, "192.0.2.9", 443, 900, 900, .udp = false },
		  .name = "imap.site.test", .canonical = "mail.big.test" },
		STEP(1, 2, PC, "192.0.2.9", 993, 90000, 5000, "mail.big.test", .at_s = 1),
		SOMETHING } },
	{ "a client's other address has a provider of its own, to which an alias led before", ON_V6("site.test"), {
		{ .slice = 0, .number = 1, .flow = { PC, "192.0.2.9", 443, 900, 900, .udp = false },
		  .name = "imap.site.test", .canonical = "mail.big.test" },
		STEP(0, 2, PC, "192.0.2.9", 993, 90000, 5000, "mail.big.test", .mac = CARD),
		STEP(1, 3, PC_V6, "2001:db8:1::1", 443, 900, 5000, "www.paper.test", .mac = CARD, .at_s = 3600),
		SOMETHING } },
	{ "a client's other address has another provider than that from which an alias led",
	  "providers: [site.test]\n" ON_V6("else.test, big"), {
		{ .slice = 0, .number = 1, .flow = { PC, "192.0.2.9", 443, 900, 900, .udp = false },
		  .name = "imap.site.test", .canonical = "mail.big.test" },
		STEP(0, 2, PC, "192.0.2.9", 993, 90000, 5000, "mail.big.test", .mac = CARD),
		STEP(1, 3, PC_V6, "2001:db8:1::1", 443, 900, 5000, "www.paper.test", .mac = CARD, .at_s = 3600),
		SOMETHING } },
	{ "who began it turns out to be the other before that was judged", NULL, {
		STEP(0, 1, NAS, PC, 80, 40, 2000, .no_syn = true),
		STEP(0, 1, PC, NAS, 80, 2000, 40, .no_syn = true, .for_s = 60),
		STEP(1, 2, PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .at_s = 3600),
		SOMETHING } },
	{ "a far end at home begins to speak", NULL, {
		STEP(0, 1, PC, NAS, 80, 40, 2000),
		STEP(1, 2, NAS, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .at_s = 3600),
		SOMETHING } },
	{ "who began it turns out to be the other", NULL, {
		STEP(0, 2, PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test"),
		STEP(0, 1, NAS, PC, 80, 40, 2000, .no_syn = true),
		STEP(1, 1, PC, NAS, 80, 2000, 40, .no_syn = true, .for_s = 3600),
		SOMETHING } },
	{ "a card is a router's", NULL, {
		STEP(0, 1, PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .mac = CARD),
		STEP(0, 2, "2001:db8::10", "2001:db8:1::1", 443, 900, 5000, "www.paper.test", .mac = CARD),
		STEP(1, 3, "2001:db8::10", "2001:db8:1::1", 443, 900, 5000, "www.paper.test", .mac = CARD, .at_s = 3600),
		STEP(2, 4, NAS, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .mac = CARD, .at_s = 7200),
		SOMETHING } },
	{ "a session under STARTTLS, then in clear", NULL, {
		STEP(0, 1, PC, "192.0.2.3", 143, 900, 5000, "imap.site.test", .app = "imap", .mail = true,
			.transport = MAIL_STARTTLS_USED),
		STEP(1, 2, PC, "192.0.2.3", 143, 900, 5000, .app = "imap", .mail = true,
			.credential = CREDENTIAL_REUSABLE, .mechanism = "LOGIN", .account = "ann@site.test", .accepted = true,
			.at_s = 3600),
		STEP(2, 3, PC, "192.0.2.77", 443, 50, 60, "www.else.test", .at_s = 7200),
		SOMETHING } },
	{ "a far end without a name has a name that is shared", NULL, {
		STEP(0, 1, PC, "192.0.2.2", 587, 5000, 600),
		STEP(1, 1, PC, "192.0.2.2", 587, 5000, 600, "a.shared.test", .for_s = 3600),
		STEP(2, 2, PC, "192.0.2.2", 587, 5000, 600, .at_s = 7200),
		SOMETHING } },
	{ "a name that comes late", NULL, {
		STEP(0, 1, PC, "203.0.113.7", 443, 9000, 60),
		STEP(0, 2, PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test"),
		STEP(1, 1, PC, "203.0.113.7", 443, 9000, 60, "quiet.big.test", .for_s = 3600),
		SOMETHING } },
	{ "a loss that comes late", NULL, {
		STEP(0, 1, PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test"),
		{ .slice = 1, .number = 1, .flow = { PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .for_s = 3600, .udp = false }, .lost = true },
		{ .slice = 2, .number = 1, .flow = { PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .for_s = 7200, .udp = false }, .lost = true },
		SOMETHING } },
	{ "an end is told in two parts", NULL, {
		STEP(0, 1, PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test"),
		{ .slice = 1, .number = 1, .flow = { PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .udp = false },
		  .over = true },
		{ .slice = 2, .number = 1, .flow = { PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .udp = false },
		  .only_lost = true },
		SOMETHING } },
	{ "a flow of a process goes on", NULL, {
		{ .slice = 0, .number = 1, .flow = { PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .udp = false }, .pid = 7 },
		{ .slice = 1, .number = 1, .flow = { PC, "192.0.2.1", 993, 1900, 5000, "imap.provider.test", .for_s = 3600, .udp = false }, .pid = 7 },
		SOMETHING } },
	{ "a certificate is no longer all that is known", NULL, {
		STEP(0, 1, PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .version = 0x0303),
		STEP(1, 2, PC, "192.0.2.1", 993, 900, 5000, "imap.provider.test", .version = 0x0303, .at_s = 3600),
		SOMETHING } },
};

static void store_step_of(struct growing *g, const struct step *step)
{
	struct fact facts[4];
	unsigned count = case_flow(&step->flow, step->number, facts);

	if (step->name != NULL) {
		case_name(facts, 1000 + step->number, step->flow.from, step->name, step->flow.to, step->flow.at_s);
		base_copy(facts[0].name.canonical, FACT_NAME_SIZE, step->canonical);
		assert_true(store_add(g->st, facts, 1));
		return;
	}

	facts[0].flow.end = step->over ? FLOW_TIMED_OUT : FLOW_OPEN;
	facts[0].flow.over = step->over;
	facts[0].flow.pid = step->pid;
	if (step->lost || step->only_lost)
		facts[count++] = (struct fact){ .kind = FACT_LOSS, .loss = { .id = facts[0].flow.id, .reason = LOSS_GAP,
			.flow = facts[0].flow.id, .bytes = 300 } };
	assert_true(step->only_lost ? store_add(g->st, &facts[count - 1], 1) : store_add(g->st, facts, count));
}

static void what_hardly_happens_is_judged_alike_in_slices_and_at_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		struct growing g = grow_begin(stories[i].name, &small_book);

		if (stories[i].policy != NULL)
			case_policy(g.policy, stories[i].policy);
		for (unsigned slice = 0; slice < 5; slice++) {
			for (unsigned k = 0; k < STORY && stories[i].steps[k].number > 0; k++) {
				if (stories[i].steps[k].slice == slice)
					store_step_of(&g, &stories[i].steps[k]);
			}
			grow_compare(&g, T0 + (slice + 1) * AN_HOUR);
		}
		grow_end(&g);
	}
}

/* After all was judged anew nothing is known of a flow that is over. */
static void what_is_told_behind_an_end_is_judged_though_all_was_judged_anew(void **state)
{
	static const struct step steps[] = {
		{ .number = 1, .flow = { PC, "198.51.100.7", 443, 90, 50, .udp = false }, .over = true },
		{ .number = 1, .flow = { PC, "198.51.100.7", 443, 90, 50, .udp = false }, .only_lost = true },
	};
	struct growing g = grow_begin("a loss behind an end", &small_book);

	(void)state;
	store_step_of(&g, &steps[0]);
	judgement_forget(g.judgement);
	grow_compare(&g, T0 + AN_HOUR);
	store_step_of(&g, &steps[1]);
	grow_compare(&g, T0 + 2 * AN_HOUR);
	grow_end(&g);
}

/* More facts than are remembered as stored since the case was judged. */
static void a_flood_between_two_judgements_is_judged_as_all_at_once(void **state)
{
	static const struct flow_case mail = { PC, "192.0.2.1", 993, 900, 5000, .sni = "imap.provider.test" };
	struct growing g = grow_begin("a flood", &small_book);
	struct fact facts[2][4];
	unsigned count[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		count[i] = case_flow(&mail, i + 1, facts[i]);
		assert_true(store_add(g.st, facts[i], count[i]));
	}
	grow_compare(&g, T0 + AN_HOUR);
	assert_true(store_gather(g.st));
	for (unsigned i = 0; i < (TEST_SANITIZED ? 1 : FLOOD); i++)
		assert_true(store_add(g.st, facts[i % 2], 1));
	assert_true(store_gathered(g.st));
	grow_compare(&g, T0 + 2 * AN_HOUR);
	grow_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_between_two_judgements_is_judged_as_all_at_once),
		cmocka_unit_test(what_is_told_behind_an_end_is_judged_though_all_was_judged_anew),
		cmocka_unit_test(what_hardly_happens_is_judged_alike_in_slices_and_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
