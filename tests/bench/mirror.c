/* How often mirrored-upload is wrong, and how often it sees a mirror: 1,000 made-up clients that send something
 * to a vendor's mail service beside their mail, and 1,000 whose mail is sent on, judged beside a naive rule that
 * compares bytes alone. The same on every run. */
#include "tests/case.h"

#include <math.h>
#include <stdlib.h>

#define PC "192.168.1.10"
#define CLIENTS 1000
#define LENGTHS 3
#define MINUTE 60
#define HOUR 3600

struct mix {
	struct store *st;
	uint64_t random;
	unsigned flows;
	int length_s;
	uint64_t up, down;		/* to the vendor's mail service, from the provider */
	unsigned held_samples[2];
	uint64_t held_bytes[2][2];
	bool held;			/* one session and one connection stay open throughout */
};

enum outcome { SILENT, SUSPECTED, STRONG, OUTCOMES };

static const char *const lengths[LENGTHS] = { "2 to 50 minutes", "2 to 10 hours", "2 to 8 days" };

static uint32_t next_random(struct mix *m)
{
	m->random = m->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(m->random >> 33);
}

static int between(struct mix *m, int from, int to)
{
	return from + (int)(next_random(m) % (uint32_t)(to - from + 1));
}

/* Mail is mostly some kilobytes, and sometimes hundreds of them. */
static uint64_t mail_bytes(struct mix *m)
{
	double normal = 0;

	for (int i = 0; i < 12; i++)
		normal += (double)next_random(m) / 2147483648.0;
	return (uint64_t)(20000 * exp(1.3 * (normal - 6)));
}

static void add_flow(struct mix *m, const struct flow_case *c)
{
	struct fact facts[3];
	unsigned count = case_flow(c, ++m->flows, facts);

	if (!store_add(m->st, facts, count))
		abort();
}

static void add_sample(struct mix *m, int which, int at_s, uint64_t up, uint64_t down)
{
	struct fact fact = { .kind = FACT_FLOW_SAMPLE };

	fact.flow_sample = (struct fact_flow_sample){
		.flow = frame_id(0, (uint64_t)(which + 1) * 10 + 1), .place = m->held_samples[which]++,
		.frame = frame_id(0, (uint64_t)(which + 1) * 10 + 5), .start_ns = T0 + (at_s - at_s % 10) * S,
		.bytes = { up, down },
	};
	fact.flow_sample.end_ns = fact.flow_sample.start_ns + 10 * S;
	m->held_bytes[which][0] += up;
	m->held_bytes[which][1] += down;
	if (!store_add(m->st, &fact, 1))
		abort();
}

static void fetch(struct mix *m, int at_s, uint64_t bytes)
{
	m->down += bytes;
	if (m->held)
		add_sample(m, 0, at_s, 100, bytes);
	else
		add_flow(m, &(struct flow_case){ PC, "192.0.2.1", 993, 700, bytes, "imap.provider.test",
			.at_s = at_s, .for_s = 2 });
}

static void send_up(struct mix *m, int at_s, uint64_t up, uint64_t back)
{
	m->up += up;
	if (m->held)
		add_sample(m, 1, at_s, up, back);
	else
		add_flow(m, &(struct flow_case){ PC, "203.0.113.5", 443, up, back, "mail.big.test",
			.at_s = at_s, .for_s = 2 });
}

/* Polls, and new mail in some of them or when it comes. `lag_s` less than 0: it is not sent on. */
static void read_mail(struct mix *m, int lag_s, int jitter_s, int whole_percent)
{
	int polls = between(m, 5, 20) * MINUTE, mails = between(m, 4, 12) + m->length_s / between(m, 1200, 5400);

	for (int at = between(m, 0, 60); m->length_s > HOUR && at < m->length_s; at += polls)
		fetch(m, at, 3200);
	for (int i = 0; i < mails; i++) {
		uint64_t bytes = mail_bytes(m);
		int at = between(m, 0, m->length_s);

		fetch(m, at, bytes + 3000);
		if (lag_s >= 0 && between(m, 1, 100) <= whole_percent)
			send_up(m, at + lag_s + between(m, 0, jitter_s),
				bytes * (uint64_t)between(m, 85, 140) / 100 + 1500, 900);
	}
}

static void other_hosts(struct mix *m)
{
	for (int i = between(m, 1, 5); i > 0; i--)
		add_flow(m, &(struct flow_case){ PC, "192.0.2.77", 443, (uint64_t)between(m, 100000, 90000000), 9000,
			i % 2 == 0 ? "teams.big.test" : "drive.big.test", .at_s = between(m, 0, m->length_s), .for_s = 60 });
}

static void attachments(struct mix *m)
{
	for (int i = between(m, 3, 10); i > 0; i--)
		send_up(m, between(m, 0, m->length_s), (uint64_t)between(m, 2000, 9000), (uint64_t)between(m, 20000, 400000));
	for (int i = between(m, 1, 3); i > 0; i--)
		send_up(m, between(m, 0, m->length_s), (uint64_t)between(m, 60000, 4000000), 3000);
}

/* An account there that nobody declared: it is synchronised in a rhythm of its own, or in that of the mail. */
static void other_account(struct mix *m)
{
	int period = between(m, 5, 20) * MINUTE;

	for (int at = between(m, 0, period); at < m->length_s; at += period)
		send_up(m, at, (uint64_t)between(m, 1500, 4000), 3000);
	for (int i = between(m, 1, 4) + m->length_s / (4 * HOUR); i > 0; i--)
		send_up(m, between(m, 0, m->length_s), mail_bytes(m) * 3, 3000);
}

static void telemetry(struct mix *m)
{
	for (int i = between(m, 0, 5); i > 0; i--)
		send_up(m, between(m, 0, m->length_s), (uint64_t)between(m, 500, 5000), 2000);
}

/* The connections that samples are of. */
static void begin(struct mix *m, int length)
{
	static const int from[LENGTHS] = { 2 * MINUTE, 2 * HOUR, 48 * HOUR };
	static const int to[LENGTHS] = { 50 * MINUTE, 10 * HOUR, 192 * HOUR };

	m->length_s = between(m, from[length], to[length]);
	m->held = between(m, 0, 1) == 0;
	m->flows = m->held ? 2 : 0;
}

static void end(struct mix *m)
{
	static const char *const to[] = { "192.0.2.1", "203.0.113.5" }, *const names[] = { "imap.provider.test", "mail.big.test" };

	if (!m->held)
		return;
	m->flows = 0;
	for (int i = 0; i < 2; i++) {
		if (m->held_samples[i] == 0)
			m->flows++;
		else
			add_flow(m, &(struct flow_case){ PC, to[i], i == 0 ? 993 : 443, m->held_bytes[i][0],
				m->held_bytes[i][1], names[i], .for_s = m->length_s });
	}
}

static void innocent(struct mix *m)
{
	read_mail(m, -1, 0, 0);
	switch (between(m, 0, 3)) {
	case 0:
		other_hosts(m);
		telemetry(m);
		break;
	case 1:
		attachments(m);
		break;
	case 2:
		other_account(m);
		break;
	default:
		other_hosts(m);
		attachments(m);
		other_account(m);
	}
}

/* Most are sent on at once; some are gathered for a minute or a quarter of an hour. */
static void mirror(struct mix *m)
{
	static const struct { int lag_s, jitter_s; } kinds[] = {
		{ 1, 5 }, { 1, 5 }, { 2, 12 }, { 5, 15 }, { 20, 70 }, { 120, 780 },
	};
	int kind = between(m, 0, 5);

	read_mail(m, kinds[kind].lag_s, kinds[kind].jitter_s, between(m, 0, 2) == 0 ? 75 : 100);
	telemetry(m);
}

static enum outcome judge_mix(struct mix *m)
{
	struct policy *policy = policy_new();
	char error[256], got[64] = "";

	if (!policy_provider(policy, "provider", error, sizeof(error)) || !judge(m->st, policy, &small_book)) {
		fprintf(stderr, "mirror: %s\n", store_error(m->st));
		exit(70);
	}
	case_ask(m->st, "SELECT strength FROM finding WHERE kind = 'mirrored-upload'", got, sizeof(got));
	policy_free(&policy);
	return got[0] == '\0' ? SILENT : strcmp(got, "strong\n") == 0 ? STRONG : SUSPECTED;
}

int main(void)
{
	static void (*const kinds[2])(struct mix *m) = { innocent, mirror };
	static const char *const names[2] = { "innocent", "mirror" };
	struct { unsigned clients, enough, outcomes[OUTCOMES], naive; } sums[2][LENGTHS] = { 0 };
	char error[256];

	for (unsigned i = 0; i < 2 * CLIENTS; i++) {
		unsigned kind = i % 2, length = i / 2 % LENGTHS;
		struct mix m = { .random = 977 * (i + 1), .st = store_create(NULL, error, sizeof(error)) };

		if (m.st == NULL || !store_run(m.st, &(struct run_info){ .version = "", .ndpi_version = "",
			.catalogue_version = "", .asn_database = "", .attribution = "", .command_line = "",
			.scope = "mail services only", .filter = "" }) || !store_gather(m.st))
			return 70;
		begin(&m, (int)length);
		kinds[kind](&m);
		end(&m);
		if (!store_gathered(m.st))
			return 70;
		sums[kind][length].clients++;
		sums[kind][length].enough += m.up >= 200000;
		sums[kind][length].outcomes[judge_mix(&m)]++;
		sums[kind][length].naive += m.up >= 200000 && m.up * 2 >= m.down && m.up <= m.down * 2;
		store_close(&m.st);
	}
	printf("\nmirrored-upload: made-up clients, and how many of them each rule calls a leak\n%-10s %-16s %8s %8s %8s"
	       " %10s %8s %12s\n", "", "watched for", "clients", "200 kB", "strong", "suspected", "silent", "naive ratio");
	for (unsigned kind = 0; kind < 2; kind++) {
		for (unsigned i = 0; i < LENGTHS; i++)
			printf("%-10s %-16s %8u %8u %8u %10u %8u %12u\n", names[kind], lengths[i], sums[kind][i].clients,
			       sums[kind][i].enough, sums[kind][i].outcomes[STRONG], sums[kind][i].outcomes[SUSPECTED],
			       sums[kind][i].outcomes[SILENT], sums[kind][i].naive);
	}
	return 0;
}
