#include "report/judge_ledger.h"

#include "capture/base.h"
#include "report/key_set.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 262144		/* summed in memory, some 100 bytes each; then they are added to the table */
#define SPANS_MAX 1024		/* of a client; what comes before the oldest of them then is late and left out */
#define KEY_SIZE 29

/* Of one row of traffic. */
struct sums {
	int64_t flows, answered, up, down, vendor_up, unnamed_up;
};

/* A time without a silence longer than watched-gap-ns. */
struct span {
	int64_t first_ns, last_ns;
};

struct client_sums {
	struct span *spans;		/* in order of time */
	unsigned span_count, span_size;
	bool closed;			/* there were spans before these: */
	int64_t closed_ns, closed_until_ns;	/* watched in them, and to when */
	int64_t sessions[STATE_END], unread;
};

struct ledger {
	const struct judge_part *part;
	sqlite3_stmt *add, *add_state;
	int64_t gap_ns;
	struct key_set *keys;		/* pack */
	struct sums *rows;		/* by number of the key */
	unsigned row_size;
	struct client_sums *clients;	/* by client - 1 */
	unsigned client_count;
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

struct ledger *ledger_new(const struct judge_part *part, unsigned client_count)
{
	struct ledger *l = base_alloc(sizeof(*l));

	l->part = part;
	l->keys = key_set_new();
	l->clients = base_alloc_array(client_count, sizeof(*l->clients));
	l->client_count = client_count;
	l->gap_ns = store_number(part->st, "SELECT value FROM threshold WHERE name = 'watched-gap-ns'", -1);
	l->add = store_prepare(part->st,
		"INSERT INTO traffic VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
		" flows = flows + excluded.flows, answered = answered + excluded.answered, up = up + excluded.up,"
		" down = down + excluded.down, vendor_up = vendor_up + excluded.vendor_up,"
		" unnamed_up = unnamed_up + excluded.unnamed_up");
	l->add_state = store_prepare(part->st, "INSERT INTO client_state VALUES (?,?,?,?)");
	if (l->gap_ns < 0 || l->add == NULL || l->add_state == NULL)
		ledger_free(&l);
	return l;
}

void ledger_free(struct ledger **l)
{
	if (*l == NULL)
		return;
	for (unsigned i = 0; i < (*l)->client_count; i++)
		free((*l)->clients[i].spans);
	free((*l)->clients);
	key_set_free(&(*l)->keys);
	free((*l)->rows);
	sqlite3_finalize((*l)->add);
	sqlite3_finalize((*l)->add_state);
	free(*l);
	*l = NULL;
}

/* The primary key of traffic, so that keys in the order of their bytes are in the order of the table. */
static void pack(const struct ledger_flow *f, uint8_t out[KEY_SIZE])
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(f->client >> (24 - 8 * i));
	for (unsigned i = 0; i < 8; i++)
		out[4 + i] = (uint8_t)(f->endpoint >> (56 - 8 * i));
	memcpy(out + 12, f->far, 16);
	out[28] = (uint8_t)(f->kind << 2 | f->originated << 1 | f->loopback);
}

static int64_t number_at(const uint8_t *bytes, unsigned n)
{
	int64_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value = value << 8 | bytes[i];
	return value;
}

static bool write_row(struct ledger *l, const uint8_t key[KEY_SIZE], const struct sums *row)
{
	sqlite3_bind_int64(l->add, 1, number_at(key, 4));
	sqlite3_bind_int64(l->add, 2, number_at(key + 4, 8));
	sqlite3_bind_blob(l->add, 3, key + 12, 16, SQLITE_STATIC);
	sqlite3_bind_text(l->add, 4, kind_names[key[28] >> 2], -1, SQLITE_STATIC);
	sqlite3_bind_int(l->add, 5, key[28] >> 1 & 1);
	sqlite3_bind_int(l->add, 6, key[28] & 1);
	sqlite3_bind_int64(l->add, 7, row->flows);
	sqlite3_bind_int64(l->add, 8, row->answered);
	sqlite3_bind_int64(l->add, 9, row->up);
	sqlite3_bind_int64(l->add, 10, row->down);
	sqlite3_bind_int64(l->add, 11, row->vendor_up);
	sqlite3_bind_int64(l->add, 12, row->unnamed_up);
	return store_do(l->part->st, l->add);
}

struct line {
	const uint8_t *key;
	const struct sums *row;
};

static int by_key(const void *a, const void *b)
{
	return memcmp(((const struct line *)a)->key, ((const struct line *)b)->key, KEY_SIZE);
}

/* In the order of the table, which is quickest filled so. */
static bool write_rows(struct ledger *l)
{
	unsigned count = key_set_count(l->keys);
	struct line *lines = base_alloc_array(count, sizeof(*lines));
	bool ok = true;

	for (unsigned i = 0; i < count; i++)
		lines[i] = (struct line){ .key = key_set_key(l->keys, i + 1), .row = &l->rows[i] };
	if (count > 0)
		qsort(lines, count, sizeof(*lines), by_key);
	for (unsigned i = 0; ok && i < count; i++)
		ok = write_row(l, lines[i].key, lines[i].row);
	free(lines);
	key_set_empty(l->keys);
	return ok;
}

static bool is_silence(const struct ledger *l, int64_t from_ns, int64_t to_ns)
{
	return from_ns < to_ns && (uint64_t)to_ns - (uint64_t)from_ns > (uint64_t)l->gap_ns;
}

/* With the silence before it. */
static int64_t span_ns(const struct ledger *l, const struct client_sums *c, unsigned i)
{
	int64_t ns = c->spans[i].last_ns - c->spans[i].first_ns;

	return c->closed || i > 0 ? ns + l->gap_ns : ns;
}

static void close_oldest(const struct ledger *l, struct client_sums *c)
{
	c->closed_ns += span_ns(l, c, 0);
	c->closed_until_ns = c->spans[0].last_ns;
	c->closed = true;
	memmove(c->spans, c->spans + 1, --c->span_count * sizeof(*c->spans));
}

/* Puts the time of a flow into the spans it touches; those become one. */
static void watch(const struct ledger *l, struct client_sums *c, int64_t first_ns, int64_t last_ns)
{
	unsigned end = c->span_count, from;

	if (c->closed && first_ns <= c->closed_until_ns)
		return;
	while (end > 0 && is_silence(l, last_ns, c->spans[end - 1].first_ns))
		end--;
	for (from = end; from > 0 && !is_silence(l, c->spans[from - 1].last_ns, first_ns); from--)
		;
	if (from < end) {
		if (c->spans[from].first_ns < first_ns)
			first_ns = c->spans[from].first_ns;
		if (c->spans[end - 1].last_ns > last_ns)
			last_ns = c->spans[end - 1].last_ns;
		memmove(c->spans + from + 1, c->spans + end, (c->span_count - end) * sizeof(*c->spans));
		c->span_count -= end - from - 1;
	} else {
		if (c->span_count == c->span_size) {
			c->span_size = c->span_size > 0 ? c->span_size * 2 : 1;
			c->spans = base_realloc(c->spans, c->span_size * sizeof(*c->spans));
		}
		memmove(c->spans + from + 1, c->spans + from, (c->span_count - from) * sizeof(*c->spans));
		c->span_count++;
	}
	c->spans[from] = (struct span){ .first_ns = first_ns, .last_ns = last_ns };
	if (c->span_count == SPANS_MAX)
		close_oldest(l, c);
}

int64_t ledger_watched_ns(const struct ledger *l, unsigned client)
{
	const struct client_sums *c = &l->clients[client - 1];
	int64_t ns = c->closed_ns;

	for (unsigned i = 0; i < c->span_count; i++)
		ns += span_ns(l, c, i);
	return ns;
}

bool ledger_add(struct ledger *l, const struct ledger_flow *flow)
{
	struct client_sums *client = &l->clients[flow->client - 1];
	unsigned before = key_set_count(l->keys), number;
	uint8_t key[KEY_SIZE];
	struct sums *row;

	watch(l, client, flow->first_ns, flow->last_ns);
	client->sessions[flow->state]++;
	client->unread += flow->state == STATE_POSTCARD && !flow->read;
	pack(flow, key);
	number = key_set_add(l->keys, key, KEY_SIZE);
	if (number > l->row_size) {
		l->row_size = number * 2;
		l->rows = base_realloc(l->rows, l->row_size * sizeof(*l->rows));
	}
	row = &l->rows[number - 1];
	if (number > before)
		*row = (struct sums){ 0 };
	row->flows++;
	row->answered += flow->up > 0 && flow->down > 0;
	row->up += flow->up;
	row->down += flow->down;
	row->vendor_up += flow->vendor ? flow->up : 0;
	row->unnamed_up += flow->unnamed ? flow->up : 0;
	return number < ROWS_MAX || write_rows(l);
}

bool ledger_write(struct ledger *l)
{
	bool ok = write_rows(l);

	for (unsigned i = 0; ok && i < l->client_count; i++) {
		for (unsigned state = STATE_NONE + 1; ok && state < STATE_END; state++) {
			if (l->clients[i].sessions[state] == 0)
				continue;
			sqlite3_bind_int64(l->add_state, 1, i + 1);
			sqlite3_bind_text(l->add_state, 2, session_state_name(state), -1, SQLITE_STATIC);
			sqlite3_bind_int64(l->add_state, 3, l->clients[i].sessions[state]);
			sqlite3_bind_int64(l->add_state, 4, state == STATE_POSTCARD ? l->clients[i].unread : 0);
			ok = store_do(l->part->st, l->add_state);
		}
	}
	return ok;
}
