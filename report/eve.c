#include "report/eve.h"

#include "capture/base.h"
#include "report/emit.h"
#include "report/key_set.h"
#include "report/record.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVE_STATS_NS (60 * BASE_NS_PER_S)

/* What waits: a flow that is over, a flow whose handshake is complete, an answer. */
enum what { OVER, COMPLETE, NAME_ANSWER, MAIL_ANSWER };
struct key {
	uint64_t id;
	uint32_t place, what;
};

/* The queries of emit_eve, each asked for one thing at a time. */
enum query { FLOW, TLS, QUIC, MAIL, DNS, ALERT, STATS, QUERIES };
static const struct {
	const char *name, *where;
} queries[QUERIES] = {
	[FLOW] = { "eve-flow", "WHERE _flow = ?1" },
	[TLS] = { "eve-tls", "WHERE _flow = ?1" },
	[QUIC] = { "eve-quic", "WHERE _flow = ?1" },
	[MAIL] = { "eve-mail", "WHERE _flow = ?1" },
	[DNS] = { "eve-dns", "WHERE _id = ?1 AND _place = ?2 AND _mail = ?3" },
	[ALERT] = { "eve-alert", "WHERE \"mailwitness.finding\" = ?1" },
	[STATS] = { "eve-stats", "" },
};

/* Facts of one flow may come in two batches, so all wait for a round, and a flow that is over is remembered for one. */
enum age { FRESH, DUE, PAST, AGES };

struct eve {
	FILE *out;
	char *path;
	bool failed;			/* and it was said */
	struct store *listens;		/* to this; NULL: to none */
	struct key_set *waiting[AGES];	/* of struct key */
	bool full;			/* and it was said */
	void *shaken;			/* tree of flows whose handshake was told (tsearch(3)) */
	int64_t stats_ns;		/* not before */
	struct record records[QUERIES];	/* prepared when first asked */
};

struct eve *eve_open(const char *path, char *error, size_t error_size)
{
	FILE *out = fopen(path, "ae");
	struct eve *e;

	if (out == NULL) {
		snprintf(error, error_size, "%s: %s", path, strerror(errno));
		return NULL;
	}
	e = base_alloc(sizeof(*e));
	e->out = out;
	e->path = base_strdup(path);
	e->stats_ns = base_clock_ns(CLOCK_MONOTONIC) + EVE_STATS_NS;
	for (int i = 0; i < AGES; i++)
		e->waiting[i] = key_set_new();
	return e;
}

static void listen_no_more(struct eve *e)
{
	if (e->listens != NULL)
		store_listen_no_more(e->listens, e);
	e->listens = NULL;
}

void eve_close(struct eve **e)
{
	if (*e == NULL)
		return;
	listen_no_more(*e);
	for (int i = 0; i < AGES; i++)
		key_set_free(&(*e)->waiting[i]);
	tdestroy((*e)->shaken, free);
	fclose((*e)->out);
	free((*e)->path);
	free(*e);
	*e = NULL;
}

static void await(struct eve *e, enum what what, uint64_t id, unsigned place)
{
	const struct key key = { .id = id, .place = place, .what = what };

	if (key_set_count(e->waiting[FRESH]) < EVE_WAITING) {
		key_set_add(e->waiting[FRESH], &key, sizeof(key));
	} else if (!e->full) {
		e->full = true;
		base_log("%s lacks events: too many wait for the case to be stored", e->path);
	}
}

static void heard(void *context, const struct fact *fact)
{
	struct eve *e = context;

	if (fact->kind == FACT_FLOW && fact->flow.over)
		await(e, OVER, fact->flow.id, 0);
	else if (fact->kind == FACT_HANDSHAKE && fact->handshake.completed)
		await(e, COMPLETE, fact->handshake.flow, 0);
	else if (fact->kind == FACT_NAME)
		await(e, NAME_ANSWER, fact->name.id, fact->name.place);
	else if (fact->kind == FACT_MAIL_DNS)
		await(e, MAIL_ANSWER, fact->mail_dns.id, fact->mail_dns.place);
}

void eve_listen(struct eve *e, struct store *st)
{
	e->listens = st;
	store_listen(st, heard, e);
}

static struct record *record_of(struct eve *e, struct store *st, enum query which)
{
	struct record *r = &e->records[which];
	const struct sql_query *query = sql_records;
	char *select;

	if (r->q != NULL)
		return r;
	while (strcmp(query->name, queries[which].name) != 0)
		query++;
	if (asprintf(&select, "SELECT * FROM (%s\n) %s", query->select, queries[which].where) < 0)
		select = base_checked(NULL);
	bool ok = record_prepare(st, select, r);

	free(select);
	return ok ? r : NULL;
}

static bool write_events(struct eve *e, struct store *st, enum query which, uint64_t id, unsigned place, bool mail)
{
	struct record *r = record_of(e, st, which);
	const int64_t values[] = { (int64_t)id, place, mail };
	bool ok;

	if (r == NULL)
		return false;
	for (int i = 0; i < sqlite3_bind_parameter_count(r->q); i++)
		sqlite3_bind_int64(r->q, i + 1, values[i]);
	while ((ok = record_next(st, r)) && r->there)
		emit_eve_event(r, e->out);
	sqlite3_reset(r->q);
	return ok;
}

static int by_flow(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool write_handshake(struct eve *e, struct store *st, uint64_t flow)
{
	uint64_t *fresh = base_alloc(sizeof(*fresh));

	*fresh = flow;
	if (*(uint64_t **)tsearch(fresh, &e->shaken, by_flow) != fresh) {
		free(fresh);
		return true;
	}
	return write_events(e, st, TLS, flow, 0, false) && write_events(e, st, QUIC, flow, 0, false);
}

static bool write_key(struct eve *e, struct store *st, const struct key *key)
{
	switch ((enum what)key->what) {
	case COMPLETE:
		return write_handshake(e, st, key->id);
	case OVER:
		return write_handshake(e, st, key->id) && write_events(e, st, MAIL, key->id, 0, false) &&
		       write_events(e, st, FLOW, key->id, 0, false);
	case NAME_ANSWER:
	case MAIL_ANSWER:
		break;
	}
	return write_events(e, st, DNS, key->id, key->place, key->what == MAIL_ANSWER);
}

static struct key key_at(const struct key_set *s, unsigned number)
{
	struct key key;

	memcpy(&key, key_set_key(s, number), sizeof(key));
	return key;
}

/* What is past becomes what is fresh, and is forgotten. */
static void grow_older(struct eve *e)
{
	struct key_set *past = e->waiting[PAST];

	for (unsigned i = 1; i <= key_set_count(past); i++) {
		struct key key = key_at(past, i);
		uint64_t **there = key.what == OVER ? tfind(&key.id, &e->shaken, by_flow) : NULL;
		uint64_t *flow = there != NULL ? *there : NULL;

		if (flow != NULL)
			tdelete(flow, &e->shaken, by_flow);
		free(flow);
	}
	key_set_empty(past);
	e->waiting[PAST] = e->waiting[DUE];
	e->waiting[DUE] = e->waiting[FRESH];
	e->waiting[FRESH] = past;
}

static bool write_due(struct eve *e, struct store *st)
{
	bool ok = true;

	for (unsigned i = 1; ok && i <= key_set_count(e->waiting[DUE]); i++) {
		struct key key = key_at(e->waiting[DUE], i);

		ok = write_key(e, st, &key);
	}
	return ok;
}

static bool written(struct eve *e, bool ok)
{
	if ((fflush(e->out) != 0 || ferror(e->out)) && !e->failed) {
		e->failed = true;
		base_log("%s lacks events: %s", e->path, strerror(errno));
	}
	return ok;
}

bool eve_tell(struct eve *e, struct store *st)
{
	int64_t now = base_clock_ns(CLOCK_MONOTONIC);
	bool ok;

	/* What is not stored yet may never be, and is heard of again. */
	if (store_gathers(st))
		return true;
	ok = written(e, write_due(e, st));
	grow_older(e);
	if (ok && now >= e->stats_ns) {
		ok = written(e, write_events(e, st, STATS, 0, 0, false));
		e->stats_ns = now + EVE_STATS_NS;
	}
	return ok;
}

bool eve_alert(struct eve *e, struct store *st, int64_t finding)
{
	return written(e, write_events(e, st, ALERT, (uint64_t)finding, 0, false));
}

bool eve_end(struct eve *e, struct store *st)
{
	bool ok = true;

	if (e->listens == NULL)
		return written(e, emit_eve(st, e->out));
	for (int i = FRESH; ok && i <= DUE; i++) {
		ok = write_due(e, st);
		grow_older(e);
	}
	ok = ok && write_events(e, st, STATS, 0, 0, false);
	for (int i = 0; i < QUERIES; i++)
		record_close(&e->records[i]);
	listen_no_more(e);
	return written(e, ok);
}
