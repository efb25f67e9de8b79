/* The table of states, tests/states/table: each session of each capture ends in its state, however its segments
 * came; and of a part of it nothing is said that the whole does not bear out. */
#include "tests/test.h"

#include "classify/worker.h"
#include "tests/states.h"

#define SESSIONS 4		/* of one conversation: its ports may be used again */
#define SHARD_FLOWS 2048
#define PARTS 4096		/* of one conversation that are looked at in one go */
#define STEPS 100000u		/* packets that the parts of one conversation may cost */

/* What was said of one connection. */
struct said {
	uint64_t flow;
	bool has_mail, has_handshake;
	struct fact_mail_session mail;
	struct fact_handshake handshake;
};

/* Which packets a part has. */
enum part { BEGINNINGS, ENDINGS, ONE_LOST, ONE_EARLY, ONE_SIDE, PART_KINDS };
static const char *const part_names[] = {
	"the first", "all but the first", "all but number", "overtaken, number", "one side:",
};

static bool has_packet(enum part kind, size_t part, const struct packet *p, size_t i)
{
	switch (kind) {
	case BEGINNINGS:
		return i < part;
	case ENDINGS:
		return i >= part;
	case ONE_LOST:
		return i != part;
	case ONE_EARLY:
		return true;
	default:
		return p->dir == part;
	}
}

/* Which packet comes i-th. Where two interfaces see the two sides, an answer may come before what it is to. */
static size_t place(enum part kind, size_t part, size_t i, size_t count)
{
	if (kind != ONE_EARLY || part + 1 >= count)
		return i;
	return i == part ? i + 1 : i == part + 1 ? i - 1 : i;
}

/* The sessions of all parts: the source in a frame's id says which part it is of. */
static unsigned hear(struct queue *out, struct said *said, unsigned room)
{
	unsigned count = 0;

	for (bool end = false; !end;) {
		struct fact_batch *b = queue_take(out);

		for (unsigned i = 0; i < b->count; i++) {
			const struct fact *f = &b->facts[i];
			bool mail = f->kind == FACT_MAIL_SESSION;
			uint64_t flow = mail ? f->mail_session.flow : f->handshake.flow;

			end = end || f->kind == FACT_END;
			if (!mail && f->kind != FACT_HANDSHAKE)
				continue;
			if (count == 0 || said[count - 1].flow != flow) {
				assert_true(count < room);
				said[count++] = (struct said){ .flow = flow };
			}
			if (mail) {
				said[count - 1].has_mail = true;
				said[count - 1].mail = f->mail_session;
				said[count - 1].mail.credential_frame = 0;
			} else {
				said[count - 1].has_handshake = true;
				said[count - 1].handshake = f->handshake;
				said[count - 1].handshake.frame = said[count - 1].handshake.server_frame = 0;
			}
		}
		free(b);
	}
	return count;
}

/* One worker for all: making its nDPI takes longer than most conversations. */
struct player {
	struct worker *worker;
	struct queue *out;
};

/* Plays parts from, from + step, ... (parts of them) of a conversation, each as a connection of its own:
 * spare bytes of its key tell them apart. */
static unsigned play(const struct player *player, const struct segments *s, enum part kind, size_t from,
		     size_t step, size_t parts, struct said *said, unsigned room)
{
	for (size_t i = 0; i < s->count; i++) {
		for (size_t k = 0; k < parts; k++) {
			struct packet p = s->packets[place(kind, from + k * step, i, s->count)];

			if (!has_packet(kind, from + k * step, &p, i))
				continue;
			p.frame |= frame_id((unsigned)k + 1, 0);
			p.key.zero[0] = (uint8_t)k;
			p.key.zero[1] = (uint8_t)(k >> 8);
			p.shard = (uint8_t)flow_key_shard(&p.key);
			worker_step(player->worker, &p);
		}
	}
	worker_finish(player->worker);
	return hear(player->out, said, room);
}

static const char *state_of(const struct said *said)
{
	return said->has_mail ? fact_mail_transport_name(said->mail.transport) : "implicit-tls";
}

static bool among(const char *word, const char *list)
{
	size_t n = strlen(word);

	for (const char *at = list; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
		if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0'))
			return true;
	return false;
}

static bool says_no_more(const char *part, const char *whole)
{
	return part[0] == '\0' || strcmp(part, whole) == 0;
}

/* The one place that defines what may be said of a part of a session:
 * - what its row says of the whole;
 * - unknown: the evidence is gone;
 * - of a handshake that fails in the end: starttls-used. The agreement and TLS records from both sides were
 *   there (protocols' condition for it) before the alert or the end of the connection came;
 * - states that the row lists in so_far, because they were the truth when the part ended;
 * - nothing but a handshake: the dialogue was not seen, TLS was.
 * No part is accepted, has moved mail, or has a mechanism or account that the whole has not. */
static bool bears_out(const struct said *part, const struct row *row)
{
	const char *state = state_of(part);
	bool mail = strcmp(row->transport, "implicit-tls") != 0;

	if (strcmp(state, row->transport) != 0 && !among(state, row->so_far) &&
	    !(mail && strcmp(state, "unknown") == 0) &&
	    !(strcmp(row->transport, "starttls-failed") == 0 && strcmp(state, "starttls-used") == 0) &&
	    !(mail && !part->has_mail && part->has_handshake))
		return false;
	return (!part->mail.accepted || row->accepted) && (!part->mail.mail_moved || row->moved) &&
	       says_no_more(part->mail.mechanism, row->mechanism) &&
	       says_no_more(part->mail.account, row->account);
}

static void describe(const struct said *s, char *out, size_t size)
{
	snprintf(out, size, "%s %s '%s'%s%s", state_of(s), s->mail.mechanism, s->mail.account,
		 s->mail.accepted ? " accepted" : "", s->mail.mail_moved ? " moved" : "");
}

static unsigned complain(const char *capture, const char *how, size_t part, const struct said *said)
{
	char text[512];

	describe(said, text, sizeof(text));
	print_error("%s: %s %zu: %s\n", capture, how, part, text);
	return 1;
}

/* Rows of a conversation: those whose number is that of one of its sessions. */
struct task {
	const struct player *player;
	const char *path;
	const struct segments *segments;
	const struct said *whole;
	const struct row *rows[SESSIONS];
	unsigned count;
};

static unsigned check_parts(const struct task *t, enum mangled how, enum part kind)
{
	struct segments s = mangle(t->segments, how);
	struct said *said = base_alloc_array(PARTS * SESSIONS, sizeof(*said));
	size_t all = kind == ONE_SIDE ? 2 : s.count + (kind == BEGINNINGS || kind == ENDINGS), step = 1, parts = all;
	unsigned count, wrong = 0;

	while (parts > PARTS || parts * s.count / 2 > STEPS) {
		step++;
		parts = (all + step - 1) / step;
	}
	count = play(t->player, &s, kind, 0, step, parts, said, PARTS * SESSIONS);
	for (unsigned i = 0; i < count; i++) {
		bool fine = false;

		for (unsigned k = 0; k < t->count; k++)
			fine = fine || bears_out(&said[i], t->rows[k]);
		if (!fine && wrong++ < 5)
			complain(t->path, part_names[kind], ((said[i].flow >> FRAME_BITS) - 1) * step, &said[i]);
	}
	free(said);
	segments_free(&s);
	return wrong;
}

static unsigned check_mangled(const struct task *t)
{
	unsigned wrong = 0;

	for (enum mangled how = AS_IT_IS; how < MANGLED_COUNT; how++) {
		struct segments s = mangle(t->segments, how);
		struct said said[SESSIONS];
		unsigned count;

		memset(said, 0, sizeof(said));
		count = play(t->player, &s, BEGINNINGS, s.count, 1, 1, said, SESSIONS);
		/* Without a SYN what overtakes the first segment seen stands before the stream. */
		if (how == SHUFFLED && (t->segments->packets[0].tcp_flags & TCP_SYN) == 0)
			count = 0;
		else if (count != t->count)
			wrong += complain(t->path, mangled_names[how], count, &said[0]);
		for (unsigned i = 0; i < count && i < t->count; i++)
			if (memcmp(&said[i], &t->whole[i], sizeof(said[i])) != 0)
				wrong += complain(t->path, mangled_names[how], i + 1, &said[i]);
		segments_free(&s);
	}
	return wrong;
}

static unsigned check_whole(const struct task *t)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < t->count; i++) {
		const struct row *row = t->rows[i];
		const struct said *said = &t->whole[i];

		if (strcmp(state_of(said), row->transport) != 0 || strcmp(said->mail.mechanism, row->mechanism) != 0 ||
		    strcmp(said->mail.account, row->account) != 0 || said->mail.accepted != row->accepted ||
		    said->mail.mail_moved != row->moved)
			wrong += complain(t->path, "session", row->session, said);
	}
	return wrong;
}

/* Sessions are numbered in the order of their first frames. */
static unsigned number_of(const struct said *all, unsigned count, uint64_t flow)
{
	unsigned n = 1;

	for (unsigned i = 0; i < count; i++)
		n += all[i].flow < flow;
	return n;
}

static const struct row *row_for(const struct table *t, const char *path, unsigned session)
{
	for (unsigned i = 0; i < t->count; i++)
		if (strcmp(t->rows[i].capture, path) == 0 && t->rows[i].session == session)
			return &t->rows[i];
	return NULL;
}

typedef unsigned task_check(const struct task *t);

static unsigned check_capture(const struct table *table, const struct player *player, const char *path,
			      task_check *check)
{
	struct capture *c = base_alloc(sizeof(*c));
	struct said all[CONVERSATIONS * SESSIONS];
	unsigned firsts[CONVERSATIONS + 1] = { 0 }, wrong = 0;

	memset(all, 0, sizeof(all));
	read_capture(path, c);
	for (unsigned i = 0; i < c->count; i++)
		firsts[i + 1] = firsts[i] + play(player, &c->conversations[i], BEGINNINGS,
						 c->conversations[i].count, 1, 1, &all[firsts[i]], SESSIONS);
	for (unsigned i = 0; i < c->count; i++) {
		struct task t = { .player = player, .path = path, .segments = &c->conversations[i],
				  .whole = &all[firsts[i]] };

		for (unsigned k = firsts[i]; k < firsts[i + 1]; k++) {
			unsigned number = number_of(all, firsts[c->count], all[k].flow);
			const struct row *row = row_for(table, path, number);

			if (row == NULL)
				wrong += complain(path, "no row for session", number, &all[k]);
			else
				t.rows[t.count++] = row;
		}
		if (t.count > 0 && t.count == firsts[i + 1] - firsts[i])
			wrong += check(&t);
	}
	if (row_for(table, path, firsts[c->count] + 1) != NULL) {
		print_error("%s: %u sessions, and the table has more\n", path, firsts[c->count]);
		wrong++;
	}
	free_capture(c);
	free(c);
	return wrong;
}

static unsigned check_table(task_check *check)
{
	struct queue *out = queue_new(4096);
	struct worker *w = worker_new(0, 1, NULL, out, SHARD_FLOWS);
	struct player player = { w, out };
	struct table *t = base_alloc(sizeof(*t));
	unsigned wrong = 0;

	read_table(t);
	for (unsigned i = 0; i < t->count; i++)
		if (row_for(t, t->rows[i].capture, t->rows[i].session) == &t->rows[i] && t->rows[i].session == 1)
			wrong += check_capture(t, &player, t->rows[i].capture, check);
	worker_free(&w);
	queue_free(&out);
	free(t);
	return wrong;
}

static unsigned parts_of_it(const struct task *t)
{
	unsigned wrong = 0;

	for (enum part kind = BEGINNINGS; kind < PART_KINDS; kind++)
		wrong += check_parts(t, AS_IT_IS, kind);
	return wrong;
}

static unsigned parts_of_single_bytes(const struct task *t)
{
	return check_parts(t, SINGLE_BYTES, BEGINNINGS) + check_parts(t, SINGLE_BYTES, ONE_LOST);
}

static void every_session_ends_in_its_state(void **state)
{
	(void)state;
	assert_int_equal(check_table(check_whole), 0);
}

static void segments_may_come_as_they_like(void **state)
{
	(void)state;
	assert_int_equal(check_table(check_mangled), 0);
}

static void a_part_of_a_session_says_no_more_than_the_whole(void **state)
{
	(void)state;
	assert_int_equal(check_table(parts_of_it), 0);
}

static void nor_does_one_cut_at_a_byte(void **state)
{
	(void)state;
	assert_int_equal(check_table(parts_of_single_bytes), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_session_ends_in_its_state),
		cmocka_unit_test(segments_may_come_as_they_like),
		cmocka_unit_test(a_part_of_a_session_says_no_more_than_the_whole),
		cmocka_unit_test(nor_does_one_cut_at_a_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
