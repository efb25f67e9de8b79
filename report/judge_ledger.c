#include "report/judge_ledger.h"

#include "capture/base.h"
#include "report/judge_watched.h"
#include "report/key_set.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 262144		/* summed in memory, some 100 bytes each; then they are added to the tables */

/* Rows of a table: sums by key. */
struct tally {
	struct key_set *keys;	/* of key_size bytes; in their order rows are in that of the table */
	int64_t *sums;		/* width of them for each key */
	unsigned width, size;
	size_t key_size;
};

/* The columns of traffic that are sums, and of client_state and client_loss; in each the first says how many flows,
 * without which there is no row. */
enum { FLOWS, ANSWERED, UP, DOWN, VENDOR_UP, UNNAMED_UP, TRAFFIC_SUMS };
enum { SESSIONS, UNREAD, STATE_SUMS };
enum { LOSSES, PACKETS, BYTES, LOSS_SUMS };

#define TRAFFIC_KEY 29		/* client, endpoint, far, kind and ends */
#define PAIR_KEY 5		/* client, state or reason */

struct ledger {
	const struct judge_part *part;
	sqlite3_stmt *add_traffic, *add_state, *add_loss;
	struct tally traffic;		/* since it was last written */
	struct tally states, losses;	/* all */
	struct watched *watched;	/* by client - 1 */
	unsigned client_count;
	int64_t gap_ns;
};

const char *session_state_name(enum session_state state)
{
	static const char *const names[STATE_END] = {
		[STATE_HIDDEN] = "hidden",
		[STATE_RESUMED] = "resumed",
		[STATE_CERTIFICATE] = "certificate_not_seen",
		[STATE_INCOMPLETE] = "incomplete",
		[STATE_UNKNOWN] = "unknown",
		[STATE_POSTCARD] = "postcard",
	};

	return names[state];
}

static const char *const kind_names[TRAFFIC_KINDS] = {
	[TRAFFIC_OTHER] = "other",
	[TRAFFIC_SESSION] = "session",
	[TRAFFIC_DELIVERY] = "delivery",
	[TRAFFIC_WEB_MAIL] = "web-mail",
};

static struct tally tally_new(size_t key_size, unsigned width)
{
	return (struct tally){ .keys = key_set_new(), .width = width, .key_size = key_size };
}

static void tally_free(struct tally *t)
{
	key_set_free(&t->keys);
	free(t->sums);
}

/* The sums of a key, which begin at 0. */
static int64_t *tally_row(struct tally *t, const void *key)
{
	unsigned before = key_set_count(t->keys), number = key_set_add(t->keys, key, t->key_size);
	int64_t *row;

	if (number > t->size) {
		t->size = number * 2;
		t->sums = base_realloc(t->sums, (size_t)t->size * t->width * sizeof(*t->sums));
	}
	row = t->sums + (size_t)(number - 1) * t->width;
	if (number > before)
		memset(row, 0, t->width * sizeof(*row));
	return row;
}

struct ledger *ledger_new(const struct judge_part *part)
{
	struct ledger *l = base_alloc(sizeof(*l));

	l->part = part;
	l->traffic = tally_new(TRAFFIC_KEY, TRAFFIC_SUMS);
	l->states = tally_new(PAIR_KEY, STATE_SUMS);
	l->losses = tally_new(PAIR_KEY, LOSS_SUMS);
	l->gap_ns = store_number(part->st, "SELECT value FROM threshold WHERE name = 'watched-gap-ns'", -1);
	l->add_traffic = store_prepare(part->st,
		"INSERT INTO traffic VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
		" flows = flows + excluded.flows, answered = answered + excluded.answered, up = up + excluded.up,"
		" down = down + excluded.down, vendor_up = vendor_up + excluded.vendor_up,"
		" unnamed_up = unnamed_up + excluded.unnamed_up");
	l->add_state = store_prepare(part->st, "INSERT INTO client_state VALUES (?,?,?,?)");
	l->add_loss = store_prepare(part->st, "INSERT INTO client_loss VALUES (?,?,?,?)");
	if (l->gap_ns < 0 || l->add_traffic == NULL || l->add_state == NULL || l->add_loss == NULL)
		ledger_free(&l);
	return l;
}

void ledger_clients(struct ledger *l, unsigned count)
{
	l->watched = base_realloc(l->watched, count * sizeof(*l->watched));
	for (; l->client_count < count; l->client_count++)
		l->watched[l->client_count] = (struct watched){ 0 };
}

void ledger_free(struct ledger **l)
{
	if (*l == NULL)
		return;
	for (unsigned i = 0; i < (*l)->client_count; i++)
		watched_free(&(*l)->watched[i]);
	free((*l)->watched);
	tally_free(&(*l)->traffic);
	tally_free(&(*l)->states);
	tally_free(&(*l)->losses);
	sqlite3_finalize((*l)->add_traffic);
	sqlite3_finalize((*l)->add_state);
	sqlite3_finalize((*l)->add_loss);
	free(*l);
	*l = NULL;
}

static void put_number(uint8_t *out, unsigned n, uint64_t value)
{
	for (unsigned i = 0; i < n; i++)
		out[i] = (uint8_t)(value >> 8 * (n - 1 - i));
}

static int64_t number_at(const uint8_t *bytes, unsigned n)
{
	int64_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value = value << 8 | bytes[i];
	return value;
}

static bool write_traffic(struct ledger *l, const uint8_t *key, const int64_t *sums)
{
	sqlite3_stmt *q = l->add_traffic;

	sqlite3_bind_int64(q, 1, number_at(key, 4));
	sqlite3_bind_int64(q, 2, number_at(key + 4, 8));
	sqlite3_bind_blob(q, 3, key + 12, 16, SQLITE_STATIC);
	sqlite3_bind_text(q, 4, kind_names[key[28] >> 2], -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 5, key[28] >> 1 & 1);
	sqlite3_bind_int(q, 6, key[28] & 1);
	for (int i = 0; i < TRAFFIC_SUMS; i++)
		sqlite3_bind_int64(q, 7 + i, sums[i]);
	return store_do(l->part->st, q);
}

static bool write_pair(struct ledger *l, sqlite3_stmt *q, const uint8_t *key, const char *name, const int64_t *sums)
{
	sqlite3_bind_int64(q, 1, number_at(key, 4));
	sqlite3_bind_text(q, 2, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 3, sums[0]);
	sqlite3_bind_int64(q, 4, sums[1]);
	return store_do(l->part->st, q);
}

static bool write_state(struct ledger *l, const uint8_t *key, const int64_t *sums)
{
	return write_pair(l, l->add_state, key, session_state_name(key[4]), sums);
}

static bool write_loss(struct ledger *l, const uint8_t *key, const int64_t *sums)
{
	return write_pair(l, l->add_loss, key, loss_reason_name(key[4]), sums + PACKETS);
}

static bool is_row(const struct tally *t, const int64_t *sums)
{
	for (unsigned i = 0; i < t->width; i++) {
		if (sums[i] != 0)
			return true;
	}
	return false;
}

struct line {
	const uint8_t *key;
	const int64_t *sums;
};

static int by_key(const void *a, const void *b, void *key_size)
{
	return memcmp(((const struct line *)a)->key, ((const struct line *)b)->key, *(const size_t *)key_size);
}

/* In the order of the table, which is quickest filled so. */
static bool write_tally(struct ledger *l, struct tally *t,
			bool (*write)(struct ledger *l, const uint8_t *key, const int64_t *sums))
{
	unsigned count = key_set_count(t->keys);
	struct line *lines = base_alloc_array(count, sizeof(*lines));
	unsigned rows = 0;
	bool ok = true;

	for (unsigned i = 0; i < count; i++) {
		struct line line = { key_set_key(t->keys, i + 1), t->sums + (size_t)i * t->width };

		if (is_row(t, line.sums))
			lines[rows++] = line;
	}
	if (rows > 0)
		qsort_r(lines, rows, sizeof(*lines), by_key, &t->key_size);
	for (unsigned i = 0; ok && i < rows; i++)
		ok = write(l, lines[i].key, lines[i].sums);
	free(lines);
	return ok;
}

static bool write_all_traffic(struct ledger *l)
{
	bool ok = write_tally(l, &l->traffic, write_traffic);

	key_set_empty(l->traffic.keys);
	return ok;
}

static void add_traffic(struct ledger *l, const struct ledger_flow *f, int sign)
{
	uint8_t key[TRAFFIC_KEY];
	int64_t *row;

	put_number(key, 4, f->client);
	put_number(key + 4, 8, (uint64_t)f->endpoint);
	memcpy(key + 12, f->far, 16);
	key[28] = (uint8_t)(f->kind << 2 | f->originated << 1 | f->loopback);
	row = tally_row(&l->traffic, key);
	row[FLOWS] += sign;
	row[ANSWERED] += f->up > 0 && f->down > 0 ? sign : 0;
	row[UP] += sign * f->up;
	row[DOWN] += sign * f->down;
	row[VENDOR_UP] += f->vendor ? sign * f->up : 0;
	row[UNNAMED_UP] += f->unnamed ? sign * f->up : 0;
}

static int64_t *pair_row(struct tally *t, unsigned client, unsigned number)
{
	uint8_t key[PAIR_KEY];

	put_number(key, 4, client);
	key[4] = (uint8_t)number;
	return tally_row(t, key);
}

static bool add(struct ledger *l, const struct ledger_flow *flow, int sign)
{
	add_traffic(l, flow, sign);
	if (flow->state != STATE_NONE) {
		int64_t *row = pair_row(&l->states, flow->client, flow->state);

		row[SESSIONS] += sign;
		row[UNREAD] += flow->state == STATE_POSTCARD && !flow->read ? sign : 0;
	}
	for (unsigned i = 0; i < flow->loss_count; i++) {
		int64_t *row = pair_row(&l->losses, flow->client, flow->losses[i].reason);

		row[LOSSES] += sign;
		row[PACKETS] += sign * flow->losses[i].packets;
		row[BYTES] += sign * flow->losses[i].bytes;
	}
	return key_set_count(l->traffic.keys) < ROWS_MAX || write_all_traffic(l);
}

bool ledger_add(struct ledger *l, const struct ledger_flow *flow)
{
	watched_add(&l->watched[flow->client - 1], l->gap_ns, flow->first_ns, flow->last_ns);
	return add(l, flow, 1);
}

bool ledger_take_back(struct ledger *l, const struct ledger_flow *flow)
{
	return add(l, flow, -1);
}

bool ledger_write(struct ledger *l)
{
	return write_all_traffic(l) &&
	       (!l->part->only_due || store_exec(l->part->st, "DELETE FROM traffic WHERE flows = 0")) &&
	       write_tally(l, &l->states, write_state) && write_tally(l, &l->losses, write_loss);
}

int64_t ledger_watched_ns(const struct ledger *l, unsigned client)
{
	return watched_ns(&l->watched[client - 1], l->gap_ns);
}
